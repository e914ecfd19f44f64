/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tree.h"

#include "config/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct tt_tree *tt_tree_new(void)
{
    struct tt_tree *tree = (struct tt_tree *)tt_calloc(1, sizeof(*tree));

    if (tree == NULL)
        return NULL;
    tt_arena_init(&tree->arena, 0, TT_TREE_MAX_MEMORY);
    tree->root = (struct tt_node *)tt_arena_calloc(&tree->arena, 1, sizeof(*tree->root));
    if (tree->root == NULL) {
        tt_tree_free(tree);
        return NULL;
    }
    tree->root->kind = TT_NODE_MAP;
    return tree;
}

void tt_tree_free(struct tt_tree *tree)
{
    if (tree == NULL)
        return;
    tt_arena_done(&tree->arena);
    tt_free(tree);
}

void tt_loader_no_memory(struct tt_loader *loader, struct tt_mark mark)
{
    if (!loader->stopped)
        tt_diags_error(loader->diags, mark, NULL, "out of memory");
    loader->stopped = true;
}

struct tt_node *tt_loader_node(struct tt_loader *loader, enum tt_node_kind kind,
                               struct tt_mark mark)
{
    struct tt_node *node;

    if (loader->n_nodes == TT_TREE_MAX_NODES) {
        tt_diags_error(loader->diags, mark, NULL, "over 100,000 values");
        loader->stopped = true;
        return NULL;
    }
    node = (struct tt_node *)tt_arena_calloc(loader->arena, 1, sizeof(*node));
    if (node == NULL) {
        tt_loader_no_memory(loader, mark);
        return NULL;
    }
    loader->n_nodes++;
    node->kind = kind;
    node->mark = mark;
    return node;
}

/* Expands what was read and puts it over the tree. */
static void merge_document(struct tt_tree *tree, struct tt_loader *loader, struct tt_node *root)
{
    tt_tree_expand(loader, root);
    if (loader->stopped || root->kind == TT_NODE_NULL)
        return;
    if (root->kind != TT_NODE_MAP) {
        tt_diags_error(loader->diags, root->mark, NULL, "a configuration is a map of keys, not %s",
                       root->kind == TT_NODE_LIST ? "a list" : "text");
        return;
    }
    tt_node_merge(loader, tree->root, root, TT_MERGE_REPLACE);
}

bool tt_tree_merge_text(struct tt_tree *tree, const char *file, struct tt_str text,
                        tt_env_lookup *env, void *env_context, struct tt_diags *diags)
{
    size_t errors_before = diags->errors;
    struct tt_loader loader = {
        .arena = &tree->arena, .diags = diags, .env = env, .env_context = env_context};
    struct tt_node *root = tt_yaml_parse(&loader, text, &(struct tt_origin){.file = file});

    if (root != NULL)
        merge_document(tree, &loader, root);
    return diags->errors == errors_before;
}

/* Reads at most one byte over the limit, so that a huge file costs nothing; 0 or an errno. */
static int read_all(int fd, struct tt_buffer *out)
{
    for (;;) {
        size_t room = out->max - out->len;
        char *to = tt_buffer_reserve(out, room < 65536 ? room : 65536);
        ssize_t n;

        if (room == 0)
            return 0;
        if (to == NULL)
            return ENOMEM;
        n = read(fd, to, room < 65536 ? room : 65536);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return errno;
        out->len += n > 0 ? (size_t)n : 0;
    }
}

static int read_file(const char *path, struct tt_buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), failure;

    if (fd < 0)
        return errno;
    failure = read_all(fd, out);
    (void)close(fd); /* was only read */
    return failure;
}

bool tt_tree_merge_file(struct tt_tree *tree, const char *path, tt_env_lookup *env,
                        void *env_context, struct tt_diags *diags)
{
    struct tt_str file = tt_arena_copy(&tree->arena, tt_str(path));
    struct tt_mark mark = {.file = file.data};
    struct tt_buffer text;
    int failure = ENOMEM;
    bool merged = false;

    tt_buffer_init(&text, (size_t)TT_TREE_MAX_BYTES + 1);
    if (file.data != NULL)
        failure = read_file(path, &text);
    if (failure == 0)
        merged =
            tt_tree_merge_text(tree, file.data, tt_buffer_view(&text), env, env_context, diags);
    else
        tt_diags_error(diags, mark, NULL, "cannot be read: %s", strerror(failure));
    tt_buffer_done(&text);
    return merged;
}

/* a.b.c to a::b::c with value as its value. */
static void merge_setting(struct tt_tree *tree, struct tt_loader *loader, struct tt_str key,
                          struct tt_node *value, struct tt_mark mark)
{
    struct tt_node map = {.kind = TT_NODE_MAP, .mark = mark};
    struct tt_buffer colons;

    tt_buffer_init(&colons, TT_TREE_MAX_BYTES);
    for (size_t i = 0; i < key.len; i++)
        tt_buffer_append_str(&colons,
                             key.data[i] == '.' ? TT_STR("::") : tt_str_of(key.data + i, 1));
    value->key = tt_arena_copy(loader->arena, tt_buffer_view(&colons));
    value->key_mark = mark;
    if (value->key.data == NULL || colons.failed != TT_OK)
        tt_loader_no_memory(loader, mark);
    tt_buffer_done(&colons);
    if (loader->stopped)
        return;
    tt_node_append(&map, value);
    tt_node_nest_keys(loader, &map);
    tt_node_check_depth(loader, &map, 0);
    if (!loader->stopped)
        merge_document(tree, loader, &map);
}

bool tt_tree_merge_setting(struct tt_tree *tree, const char *setting, tt_env_lookup *env,
                           void *env_context, struct tt_diags *diags)
{
    size_t errors_before = diags->errors;
    struct tt_str value = tt_str(setting), key = tt_str_cut(&value, '=');
    struct tt_mark mark = {.file = "--set"};
    struct tt_loader loader = {
        .arena = &tree->arena, .diags = diags, .env = env, .env_context = env_context};
    struct tt_node *node;

    if (value.data == NULL)
        tt_diags_error(diags, mark, NULL, "missing equal sign; write key.path=value");
    else if (key.len == 0)
        tt_diags_error(diags, mark, NULL, "missing key; write key.path=value");
    else if (tt_utf8_valid_prefix(key) != key.len)
        tt_diags_error(diags, mark, NULL, "not valid UTF-8");
    else {
        mark.file = tt_arena_printf(&tree->arena, "--set %.*s", TT_STR_ARG(key));
        node = tt_yaml_parse(&loader, value, &(struct tt_origin){.at = &mark});
        if (node != NULL)
            merge_setting(tree, &loader, key, node, mark);
    }
    return diags->errors == errors_before;
}

const struct tt_node *tt_node_get(const struct tt_node *node, struct tt_str key)
{
    const struct tt_node *child;

    if (node == NULL || node->kind != TT_NODE_MAP)
        return NULL;
    for (child = node->first; child != NULL; child = child->next)
        if (tt_str_equal(child->key, key))
            return child;
    return NULL;
}
