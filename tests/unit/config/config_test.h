/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_CONFIG_CONFIG_TEST_H
#define TT_TESTS_UNIT_CONFIG_CONFIG_TEST_H

/* What the tests of config/ share: a loaded text with its problems, and variables from a list. */

#include "config/print.h"
#include "tt_test.h"

struct loaded {
    struct tt_tree *tree;
    struct tt_diags diags;
    struct tt_buffer out;
    bool ok;
};

/* "NAME=value" strings, NULL-ended. */
static inline const char *env_of_list(void *context, const char *name)
{
    const char *const *list = (const char *const *)context;
    size_t len = strlen(name);

    for (; list != NULL && *list != NULL; list++)
        if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
            return *list + len + 1;
    return NULL;
}

static inline void load_str(struct loaded *l, struct tt_str text, const char *const *env)
{
    *l = (struct loaded){.tree = tt_tree_new()};
    assert_non_null(l->tree);
    tt_diags_init(&l->diags);
    tt_buffer_init(&l->out, 1 << 24);
    /* The cast only drops const, which env_of_list() gives back. */
    l->ok =
        tt_tree_merge_text(l->tree, "c.yaml", text, env_of_list, (void *)(uintptr_t)env, &l->diags);
}

static inline void load(struct loaded *l, const char *text)
{
    load_str(l, tt_str(text), NULL);
}

static inline void unload(struct loaded *l)
{
    tt_buffer_done(&l->out);
    tt_diags_done(&l->diags);
    tt_tree_free(l->tree);
}

/* All problems as printed, in l->out. */
static inline struct tt_str problems(struct loaded *l)
{
    tt_buffer_clear(&l->out);
    tt_diags_print(&l->diags, &l->out);
    return tt_buffer_view(&l->out);
}

/* The tree as YAML, in l->out. */
static inline struct tt_str yaml_of(struct loaded *l)
{
    struct tt_print print = {.secrets = TT_PRINT_SECRETS};
    struct tt_writer w;

    tt_buffer_clear(&l->out);
    tt_writer_init(&w, &l->out, TT_FORMAT_YAML);
    tt_print_tree(&w, l->tree->root, &print);
    tt_writer_end(&w);
    return tt_buffer_view(&l->out);
}

/* "a.b" below the root; NULL when there is none. */
static inline const struct tt_node *at(const struct loaded *l, const char *path)
{
    const struct tt_node *node = l->tree->root;
    struct tt_str rest = tt_str(path);

    while (rest.data != NULL && node != NULL)
        node = tt_node_get(node, tt_str_cut(&rest, '.'));
    return node;
}

static inline bool has(struct tt_str text, const char *part)
{
    return text.len > 0 && memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* The case's name is printed when a check of a table fails. */
#define check_case(name, condition) check_case_at((name), (condition), __FILE__, __LINE__)
static inline void check_case_at(const char *name, bool good, const char *file, int line)
{
    if (good)
        return;
    print_error("case \"%s\"\n", name == NULL ? "" : name);
    _fail(file, line);
}

static inline void check_text(const char *name, struct tt_str text, const char *expected)
{
    if (tt_str_equal(text, tt_str(expected)))
        return;
    tt_assert_str(text, tt_str(expected), name, __FILE__, __LINE__);
}

#endif
