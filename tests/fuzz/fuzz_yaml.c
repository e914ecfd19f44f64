/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a configuration file: load, decode, print in both formats. Oracles: what was read without a problem
 * prints as a text that reads as the same tree, and a decoded struct prints as a text that decodes to the same text.
 */

#include "config/print.h"
#include "config/sample.h"
#include "config/scalar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_DEPTH = 32, MAX_BYTES = 1 << 20 };

static const char *env(void *context, const char *name)
{
    static const char *const values[][2] = {
        {"A", "x"},         {"B", "${A}y"}, {"C", "[1, {a: '${B}'}]"},
        {"D", "\"true\""},  {"E", ""},      {"F", "a$$b"},
        {"G", "${G}"},      {"H", "z${H}"}, {"N", "10"},
        {"S", "{a::b: 1}"}, {"T", "null"}};

    (void)context;
    for (size_t i = 0; i < TT_LENGTH(values); i++)
        if (strcmp(name, values[i][0]) == 0)
            return values[i][1];
    return NULL;
}

struct loaded {
    struct tt_tree *tree;
    struct tt_diags diags;
    bool ok;
};

static void load(struct loaded *l, struct tt_str text)
{
    *l = (struct loaded){.tree = tt_tree_new()};
    if (l->tree == NULL)
        abort();
    tt_diags_init(&l->diags);
    l->ok = tt_tree_merge_text(l->tree, "fuzz.yaml", text, env, NULL, &l->diags);
}

static void unload(struct loaded *l)
{
    struct tt_buffer out;

    tt_buffer_init(&out, MAX_BYTES);
    tt_diags_print(&l->diags, &out);
    tt_buffer_done(&out);
    tt_diags_done(&l->diags);
    tt_tree_free(l->tree);
}

static void print_tree(const struct tt_tree *tree, enum tt_format format, struct tt_buffer *out)
{
    struct tt_print how = {.secrets = TT_PRINT_SECRETS};
    struct tt_writer w;

    tt_buffer_clear(out);
    tt_writer_init(&w, out, format);
    tt_print_tree(&w, tree->root, &how);
    tt_writer_end(&w);
}

static enum tt_scalar_look look_of(const struct tt_node *node)
{
    enum tt_scalar_look look = node->quoted ? TT_LOOKS_TEXT : tt_scalar_look(node->text);

    return look == TT_LOOKS_NULL ? TT_LOOKS_TEXT : look;
}

static void check_node(const struct tt_node *a, const struct tt_node *b)
{
    if (a->kind != b->kind || !tt_str_equal(a->key, b->key))
        abort();
    if (a->kind == TT_NODE_SCALAR && (!tt_str_equal(a->text, b->text) || look_of(a) != look_of(b)))
        abort();
    if ((a->next == NULL) != (b->next == NULL) || (a->first == NULL) != (b->first == NULL))
        abort();
}

static void check_same(const struct tt_node *a, const struct tt_node *b)
{
    const struct tt_node *open[MAX_DEPTH][2];
    size_t depth = 0;

    for (;;) {
        check_node(a, b);
        if (a->first != NULL) {
            if (depth == MAX_DEPTH)
                abort();
            open[depth][0] = a;
            open[depth++][1] = b;
            a = a->first;
            b = b->first;
            continue;
        }
        while (a->next == NULL && depth > 0) {
            a = open[--depth][0];
            b = open[depth][1];
        }
        if (depth == 0)
            return;
        a = a->next;
        b = b->next;
    }
}

static void check_tree(const struct loaded *l)
{
    struct tt_buffer out;
    struct loaded again;

    tt_buffer_init(&out, (size_t)16 * MAX_BYTES);
    print_tree(l->tree, TT_FORMAT_JSON, &out);
    print_tree(l->tree, TT_FORMAT_YAML, &out);
    if (l->ok && out.failed == TT_OK && out.len <= MAX_BYTES) {
        load(&again, tt_buffer_view(&out));
        if (!again.ok)
            abort();
        check_same(l->tree->root, again.tree->root);
        unload(&again);
    }
    tt_buffer_done(&out);
}

static bool decode(struct loaded *l, struct tt_buffer *out)
{
    struct tt_arena arena;
    struct sample sample;
    struct tt_writer w;
    bool ok;

    tt_arena_init(&arena, 0, 0);
    ok = tt_config_decode(&sample_schema, l->tree->root, "e", &arena, &sample, &l->diags);
    tt_writer_init(&w, out, TT_FORMAT_YAML);
    tt_print_config(&w, &sample_schema, &sample, TT_PRINT_SECRETS);
    tt_writer_end(&w);
    tt_arena_done(&arena);
    return ok;
}

static void check_decoding(struct loaded *l)
{
    struct tt_buffer first, second;
    struct loaded again;

    tt_buffer_init(&first, (size_t)16 * MAX_BYTES);
    tt_buffer_init(&second, (size_t)16 * MAX_BYTES);
    if (decode(l, &first) && l->ok && first.failed == TT_OK && first.len <= MAX_BYTES) {
        load(&again, tt_buffer_view(&first));
        if (!again.ok || !decode(&again, &second) ||
            !tt_str_equal(tt_buffer_view(&first), tt_buffer_view(&second)))
            abort();
        unload(&again);
    }
    tt_buffer_done(&second);
    tt_buffer_done(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loaded l;

    load(&l, tt_str_of(data, size));
    check_tree(&l);
    check_decoding(&l);
    unload(&l);
    return 0;
}
