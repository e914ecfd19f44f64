/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_WALK_H
#define TT_CONFIG_WALK_H

/*
 * All options of a schema in the order declared, an object before its members: for decoding, printing, reference
 * docs, the man page and completions.
 *
 *   struct tt_schema_walk walk;
 *   tt_schema_walk_init(&walk, schema);
 *   while (tt_schema_walk_next(&walk))
 *       printf("%s %s\n", walk.path, tt_config_type_name(walk.field->type));
 *
 * Limits:  8 levels of objects; deeper ones are not entered (tt_schema_check() reports them).
 * Threads: a walk belongs to one; schemas are const.
 */

#include "base/buffer.h"
#include "config/schema.h"

enum { TT_SCHEMA_MAX_DEPTH = 8 };

struct tt_schema_walk {
    const struct tt_field *field; /* the current option */
    size_t depth;                 /* 0: a member of the schema itself */
    char path[192];               /* "rotation.max_age" */
    struct {                      /* private */
        const struct tt_schema *schema;
        size_t next, path_len;
    } levels[TT_SCHEMA_MAX_DEPTH];
    size_t n_levels;
};

void tt_schema_walk_init(struct tt_schema_walk *walk, const struct tt_schema *schema);
/* Goes to the next option; false at the end. */
bool tt_schema_walk_next(struct tt_schema_walk *walk) TT_CHECKED;

/* The member called name; NULL when there is none. */
const struct tt_field *tt_schema_find(const struct tt_schema *schema, struct tt_str name);

/* "duration", "list of text": for people. */
const char *tt_config_type_name(enum tt_config_type type);
/* "1s to 24h", "at least 64KiB", "at most 10" in the option's own unit; empty when it has no bounds. */
void tt_field_bounds(const struct tt_field *field, char ret_text[96]);

/* Fills *ret_config (schema->size bytes) with the defaults; required options stay empty. False: a default is not
 * valid. */
bool tt_config_defaults(const struct tt_schema *schema, struct tt_arena *arena, void *ret_config,
                        struct tt_diags *diags) TT_CHECKED;

/* For tests: whether the tables say what they must (names in lower_snake_case and unique, a sentence for each option,
 * defaults that are valid and within bounds, choices and sub-schemas where the type needs them, at most 8 levels). Adds a
 * line to out for each fault. */
bool tt_schema_check(const struct tt_schema *schema, struct tt_buffer *out) TT_CHECKED;

#endif
