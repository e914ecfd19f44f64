/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_PRINT_H
#define TT_CONFIG_PRINT_H

/*
 * Prints configuration: the tree as it was merged and expanded, or a decoded struct with its defaults.
 *
 * Secrets (TT_CONFIG_SECRET) print as [REDACTED] unless TT_PRINT_SECRETS is asked for.
 * Threads: no state.
 */

#include "config/tree.h"
#include "config/walk.h"
#include "config/writer.h"

enum tt_print_secrets { TT_PRINT_REDACTED, TT_PRINT_SECRETS };

/* Which options a component has: section "receivers", id "otlp/eu". NULL: not known, or nothing in it is secret. */
typedef const struct tt_schema *tt_schema_lookup(void *context, struct tt_str section,
                                                 struct tt_str id);

struct tt_print {
    enum tt_print_secrets secrets;
    tt_schema_lookup *schema_of; /* NULL: for a tree without components */
    void *context;
};

/* The tree below root. Below root.<section>.<id> schema_of tells what is secret, and values whose keys its schema does
 * not know are redacted, too: they may be misspelt secrets. */
void tt_print_tree(struct tt_writer *w, const struct tt_node *root, const struct tt_print *print);
/* One component's tree. */
void tt_print_node(struct tt_writer *w, const struct tt_node *node, const struct tt_schema *schema,
                   enum tt_print_secrets secrets);
/* What tt_config_decode() or tt_config_defaults() filled, as a map. Decoding the output gives an equal struct. Optional
 * objects that are not present are left out. */
void tt_print_config(struct tt_writer *w, const struct tt_schema *schema, const void *config,
                     enum tt_print_secrets secrets);

#endif
