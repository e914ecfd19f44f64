/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_TREE_H
#define TT_CONFIG_TREE_H

/*
 * A YAML document as a tree that remembers where each node was written.
 *
 * Built from libyaml's events without recursion. Refused with file, line and column: anchors, aliases, tags, merge keys,
 * duplicate keys, a second document, depth over 32, a file over 1 MiB, over 100,000 nodes, invalid UTF-8, NUL, directives,
 * over 1,000 keys of the form a::b (which are nested maps), over 10,000 expansions or 4 MiB of expanded text.
 * Ownership: the tree owns its nodes (one arena); free it with tt_tree_free().
 * Threads:   read-only after loading.
 */

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "config/diag.h"

enum tt_node_kind { TT_NODE_NULL, TT_NODE_SCALAR, TT_NODE_LIST, TT_NODE_MAP };

struct tt_node {
    enum tt_node_kind kind;
    bool quoted;         /* SCALAR: was in quotes, so it is text whatever it looks like */
    bool expanded;       /* came out of ${…}: its look decides its type, quotes or not */
    struct tt_mark mark; /* of the value */
    struct tt_str text;  /* SCALAR: NUL-terminated behind */
    struct tt_str key;   /* member of a map: its key, NUL-terminated behind */
    struct tt_mark key_mark;
    struct tt_node *first, *last; /* LIST, MAP: children in the order written */
    struct tt_node *next;         /* sibling */
    /* The whole value was one ${…}: its text before it was read as YAML, which is what an option of type text gets
     * ("0123" stays "0123"). NULL data otherwise, and when the variable is unset. */
    struct tt_str original;
};

struct tt_tree {
    struct tt_arena arena;
    struct tt_node *root; /* TT_NODE_MAP, perhaps empty */
};

/* Reads the variable `name`; NULL when it is unset. For tests; tt_env_process asks the process. */
typedef const char *tt_env_lookup(void *context, const char *name);
const char *tt_env_process(void *context, const char *name);

/* NULL when memory is gone. */
struct tt_tree *tt_tree_new(void);
void tt_tree_free(struct tt_tree *tree);

/* Parses text, expands ${env:NAME}, ${env:NAME:-default}, ${NAME} and $$, and merges it over the tree: maps merge,
 * scalars and lists are replaced, an explicit null replaces. `file` is borrowed for the marks. Returns whether it added
 * no error. After a syntax error the tree is as before; after any other problem (a duplicate key, an alias) the rest is
 * merged, so that decoding can report what else is wrong. */
bool tt_tree_merge_text(struct tt_tree *tree, const char *file, struct tt_str text,
                        tt_env_lookup *env, void *env_context, struct tt_diags *diags) TT_CHECKED;
/* The same from a file; the name is copied. */
bool tt_tree_merge_file(struct tt_tree *tree, const char *path, tt_env_lookup *env,
                        void *env_context, struct tt_diags *diags) TT_CHECKED;
/* One --set: "exporters.file.path=/tmp/x"; the value is YAML ("[a, b]", "5", "text"). Marks have the file "--set
 * exporters.file.path" and line 0; the value is in none. */
bool tt_tree_merge_setting(struct tt_tree *tree, const char *setting, tt_env_lookup *env,
                           void *env_context, struct tt_diags *diags) TT_CHECKED;

/* Child of a map by key; NULL when absent or node is not a map (or NULL). */
const struct tt_node *tt_node_get(const struct tt_node *node, struct tt_str key);

#endif
