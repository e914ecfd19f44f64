/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_LOADER_H
#define TT_CONFIG_LOADER_H

/*
 * What the steps of one tt_tree_merge_…() share: parse, expand, merge. Private to config/.
 *
 * Invariant: no step recurses; each walks with a stack of TT_TREE_MAX_DEPTH places.
 */

#include "config/tree.h"

enum {
    TT_TREE_MAX_DEPTH = 32,
    TT_TREE_MAX_NODES = 100000,
    TT_TREE_MAX_BYTES = 1024 * 1024,
    TT_TREE_MAX_MEMORY = 64 * 1024 * 1024,
    TT_TREE_MAX_NESTED_KEYS = 1000,
    TT_TREE_MAX_EXPANSIONS = 10000,
    TT_TREE_MAX_EXPANDED_BYTES = 4 * 1024 * 1024,
};

struct tt_loader {
    struct tt_arena *arena;
    struct tt_diags *diags;
    tt_env_lookup *env;
    void *env_context;
    size_t n_nodes, n_nested_keys, n_expansions, expanded_bytes;
    bool stopped; /* a limit or memory: reported, and nothing more is worth trying */
};

/* Where a text came from: its marks count from line 1 of `file`, or are all `at`, when the text is a part of something
 * (a variable's content, the value of --set). */
struct tt_origin {
    const char *file;
    const struct tt_mark *at;
    size_t depth; /* levels above the text's root */
};

/* Reports once that memory is gone (or the tree's share of it), and stops. */
void tt_loader_no_memory(struct tt_loader *loader, struct tt_mark mark);

/* A new node; NULL (reported) over TT_TREE_MAX_NODES or without memory. */
struct tt_node *tt_loader_node(struct tt_loader *loader, enum tt_node_kind kind,
                               struct tt_mark mark) TT_CHECKED;

/* YAML to nodes. NULL after a syntax error or without memory (reported); never NULL for an empty text. Problems that
 * leave something to go on with are reported to loader->diags, too. */
struct tt_node *tt_yaml_parse(struct tt_loader *loader, struct tt_str text,
                              const struct tt_origin *origin) TT_CHECKED;

/* Expands ${…} and $$ in all values below root. */
void tt_tree_expand(struct tt_loader *loader, struct tt_node *root);

void tt_node_append(struct tt_node *parent, struct tt_node *child);
/* Takes over kind, text and children of `from`, not its key or place. */
void tt_node_replace(struct tt_node *node, const struct tt_node *from);

enum tt_merge_mode {
    TT_MERGE_REPLACE, /* the later one wins */
    TT_MERGE_DISTINCT /* the same key in both is an error */
};
/* Merges the map `over` into the map `base` and uses it up. */
void tt_node_merge(struct tt_loader *loader, struct tt_node *base, struct tt_node *over,
                   enum tt_merge_mode mode);
/* Turns the members of map whose keys are a::b::c into nested maps. */
void tt_node_nest_keys(struct tt_loader *loader, struct tt_node *map);
/* Reports a tree deeper than TT_TREE_MAX_DEPTH - above. */
void tt_node_check_depth(struct tt_loader *loader, const struct tt_node *root, size_t above);

#endif
