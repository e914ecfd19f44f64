/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

static void parse_keeps_kinds_texts_and_places(void **state)
{
    struct loaded l;
    const struct tt_node *node;

    (void)state;
    load(&l, "# a comment\n"
             "exporters:\n"
             "  file/metrics:\n"
             "    path: \"x.jsonl\"\n"
             "    append:\n"
             "    tags: [a, 'b', 3]\n");
    assert_true(l.ok);
    node = at(&l, "exporters.file/metrics.path");
    assert_int_equal(node->kind, TT_NODE_SCALAR);
    assert_true(node->quoted);
    assert_str(node->text, "x.jsonl");
    assert_int_equal(node->text.data[node->text.len], '\0');
    assert_int_equal(node->mark.line, 4);
    assert_int_equal(node->mark.column, 11);
    assert_int_equal(node->key_mark.column, 5);
    assert_string_equal(node->mark.file, "c.yaml");
    assert_int_equal(at(&l, "exporters.file/metrics.append")->kind, TT_NODE_NULL);
    node = at(&l, "exporters.file/metrics.tags");
    assert_int_equal(node->kind, TT_NODE_LIST);
    assert_str(node->first->text, "a");
    assert_false(node->first->quoted);
    assert_true(node->first->next->quoted);
    assert_str(node->last->text, "3");
    assert_null(at(&l, "exporters.nothing"));
    assert_null(tt_node_get(NULL, TT_STR("x")));
    unload(&l);
}

static void parse_accepts(void **state)
{
    static const struct {
        const char *name, *text, *yaml;
    } cases[] = {
        {"nothing", "", "{}\n"},
        {"a comment", "# nothing\n", "{}\n"},
        {"an explicit null", "--- ~\n", "{}\n"},
        {"a document mark", "---\na: 1\n...\n", "a: 1\n"},
        {"a byte order mark",
         "\xef\xbb\xbf"
         "a: 1",
         "a: 1\n"},
        {"CR LF", "a: 1\r\nb: x\r\n", "a: 1\nb: x\n"},
        {"a tab before a comment", "a: 1\t# x\n", "a: 1\n"},
        {"a tab inside of text", "a: \"x\ty\"\n", "a: \"x\\ty\"\n"},
        {"a per cent sign", "a: 5%\nb: \"%x\"\n", "a: 5%\nb: \"%x\"\n"},
        {"words of YAML 1.1", "a: yes\nb: off\n", "a: yes\nb: off\n"},
        {"a quoted <<", "\"<<\": 1\n", "\"<<\": 1\n"},
        {"colons in a key", "a::b::c: 1\n", "a:\n  b:\n    c: 1\n"},
        {"colons meet a map", "a::b: 1\na:\n  c: 2\n  d::e: 3\n",
         "a:\n  c: 2\n  d:\n    e: 3\n  b: 1\n"},
        {"colons in a value", "a: \"[::1]:4318\"\n", "a: \"[::1]:4318\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load(&l, cases[i].text);
        check_text(cases[i].name, problems(&l), "");
        check_case(cases[i].name, l.ok);
        check_text(cases[i].name, yaml_of(&l), cases[i].yaml);
        unload(&l);
    }
}

static void parse_refuses_with_place_and_path(void **state)
{
    static const struct {
        const char *name, *text, *problems;
    } cases[] = {
        {"anchor", "a: &x 1\n",
         "c.yaml:1:4: a: anchors (&) are not supported; write the value out\n"},
        {"alias", "a: &x 1\nb: *x\n",
         "c.yaml:1:4: a: anchors (&) are not supported; write the value out\n"
         "c.yaml:2:4: b: aliases (*) are not supported; write the value out\n"},
        {"alias of itself", "a: &a [*a]\n",
         "c.yaml:1:4: a: anchors (&) are not supported; write the value out\n"
         "c.yaml:1:8: a[0]: aliases (*) are not supported; write the value out\n"},
        {"alias as a key", "*x : 1\n",
         "c.yaml:1:1: aliases (*) are not supported; write the value out\n"},
        {"tag", "a: !!python/object:os.system x\n",
         "c.yaml:1:4: a: tags (!) are not supported; write the plain value\n"},
        {"tag of a map", "a: !m {b: 1}\n",
         "c.yaml:1:4: a: tags (!) are not supported; write the plain value\n"},
        {"tag of a list", "a:\n  b: !s [1]\n",
         "c.yaml:2:6: a.b: tags (!) are not supported; write the plain value\n"},
        {"merge key", "a:\n  <<: {b: 1}\n",
         "c.yaml:2:3: a.<<: merge keys (<<) are not supported; write the keys out\n"},
        {"duplicate keys", "a:\n  b: 1\n  c: 2\n  b: 3\n",
         "c.yaml:4:3: a.b: a duplicate key; first in line 2\n"},
        {"duplicate keys in a list", "a: [{b: 1}, {c: 1, 'c': 2}]\n",
         "c.yaml:1:20: a[1].c: a duplicate key; first in line 1\n"},
        {"duplicate keys by colons", "a::b: 1\na::b: 2\na: {b: 3}\n",
         "c.yaml:1:1: b: a duplicate key; first in line 3\n"
         "c.yaml:2:1: a::b: a duplicate key; first in line 1\n"
         "c.yaml:2:1: b: a duplicate key; first in line 3\n"},
        {"empty part", "a::::b: 1\n", "c.yaml:1:1: a::::b: an empty part in the key\n"},
        {"empty key", "\"\": 1\n", "c.yaml:1:1: an empty key\n"},
        {"list as key", "[a]: 1\n", "c.yaml:1:1: a key must be text, not a list or a map\n"},
        {"two documents", "a: 1\n---\nb: 1\n",
         "c.yaml:2:1: a second document; only one is allowed\n"},
        {"directive", "a: 1\n%TAG ! x\n", "c.yaml:2:1: directives (%) are not supported\n"},
        {"root list", "- a\n", "c.yaml:1:1: a configuration is a map of keys, not a list\n"},
        {"root text", "hello\n", "c.yaml:1:1: a configuration is a map of keys, not text\n"},
        {"tab", "a:\n\tb: 1\n",
         "c.yaml:2:1: a: not valid YAML: a tab in the indentation; use blanks (while scanning for the "
         "next token)\n"},
        {"tab after blanks", "a:\n  b:\n  \tc: 1\n",
         "c.yaml:3:3: a.b: not valid YAML: a tab in the indentation; use blanks (while scanning for "
         "the next token)\n"},
        {"unclosed list", "a: [1\nb: 2\n",
         "c.yaml:2:2: a[1]: not valid YAML: did not find expected ',' or ']' (while parsing a flow "
         "sequence)\n"},
        {"wrong indentation", "a:\n    b: 1\n  c: 2\n",
         "c.yaml:3:3: not valid YAML: did not find expected key (while parsing a block mapping)\n"},
        {"control character", "a: 1\nb: x\x01\n",
         "c.yaml:2:5: not valid YAML: control characters are not allowed\n"},
        {"escaped NUL", "a: \"x\\0y\"\n", "c.yaml:1:4: a: a NUL in text\n"},
        {"invalid UTF-8", "a: ü\nb: ü\xff\n", "c.yaml:2:5: not valid UTF-8\n"},
        {"UTF-16",
         "\xff\xfe"
         "a",
         "c.yaml:1:1: UTF-16 is not supported; save the file as UTF-8\n"},
        {"several", "a: &x 1\nb: !t 2\na: 3\n",
         "c.yaml:1:4: a: anchors (&) are not supported; write the value out\n"
         "c.yaml:2:4: b: tags (!) are not supported; write the plain value\n"
         "c.yaml:3:1: a: a duplicate key; first in line 1\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load(&l, cases[i].text);
        check_text(cases[i].name, problems(&l), cases[i].problems);
        check_case(cases[i].name, !l.ok);
        unload(&l);
    }
}

static void parse_refuses_nul_bytes(void **state)
{
    struct loaded l;

    (void)state;
    load_str(&l, TT_STR("a: 1\nb\0: 2"), NULL);
    assert_str(problems(&l), "c.yaml:2:2: a NUL byte: not a text file in UTF-8\n");
    unload(&l);
}

static void parse_goes_on_after_a_problem_but_not_after_a_syntax_error(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, "a: &x 1\nb: 2\n");
    assert_str(yaml_of(&l), "a: 1\nb: 2\n");
    unload(&l);
    load(&l, "b: 2\na: [\n");
    assert_str(yaml_of(&l), "{}\n");
    unload(&l);
}

struct bomb {
    const char *name, *head, *piece, *tail; /* "#": a new key each time */
    size_t count;
    const char *problem;
};

static void check_bomb(const struct bomb *bomb)
{
    struct tt_buffer text;
    struct loaded l;

    tt_buffer_init(&text, 8 << 20);
    tt_buffer_append_str(&text, tt_str(bomb->head));
    for (size_t i = 0; i < bomb->count; i++)
        if (bomb->piece[0] == '#')
            tt_buffer_printf(&text, "k%zu%s", i, bomb->piece + 1);
        else
            tt_buffer_append_str(&text, tt_str(bomb->piece));
    tt_buffer_append_str(&text, tt_str(bomb->tail));
    assert_int_equal(text.failed, TT_OK);
    load_str(&l, tt_buffer_view(&text), NULL);
    check_text(bomb->name, problems(&l), bomb->problem);
    unload(&l);
    tt_buffer_done(&text);
}

/* Each of these takes minutes in libyaml or in a naive walk. */
static void parse_survives_bombs(void **state)
{
    static const struct bomb bombs[] = {
        {"100,000 [", "a: ", "[", "", 100000,
         "c.yaml:1:35: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
         "[0][0][0][0][0]: nested deeper than 32 levels\n"},
        {"100,000 - in a line", "a:\n ", "- ", "", 100000,
         "c.yaml:2:64: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
         "[0][0][0][0][0]: nested deeper than 32 levels\n"},
        {"100,000 {", "a: ", "{", "", 100000,
         "c.yaml:1:5: a: a key must be text, not a list or a map\n"},
        {"100,000 ? in a line", "", "? ", "", 100000,
         "c.yaml:1:3: a key must be text, not a list or a map\n"},
        {"directives", "", "%TAG !a! x\n", "", 60000,
         "c.yaml:1:1: directives (%) are not supported\n"},
        {"directives after CR", "a: 1\r...\r", "%TAG !a! x\r", "", 60000,
         "c.yaml:1:10: directives (%) are not supported\n"},
        {"100,000 keys", "", "#: 1\n", "", 90000, ""},
        {"100,001 values", "a: [", "1,", "1]", 100000, "c.yaml:1:200001: over 100,000 values\n"},
        {"1,001 keys with colons", "", "#::b: 1\n", "", 1001,
         "c.yaml:1001:1: over 1,000 keys of the form a::b\n"},
        {"33 levels by colons", "a", "::a", ": 1", 33,
         "c.yaml:1:1: nested deeper than 32 levels\n"},
        {"300 levels by colons, twice", "? a", "::a", "\n: 1\na: {b: 1}\n", 300,
         "c.yaml:1:3: nested deeper than 32 levels\n"},
        {"over 1 MiB", "a: ", "1234567890123456", "", 65536, "c.yaml:1:1: over 1 MiB\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(bombs); i++)
        check_bomb(&bombs[i]);
}

static void parse_takes_32_levels(void **state)
{
    char text[128] = "a: ";
    struct loaded l;

    (void)state;
    memset(text + 3, '[', 31);
    memset(text + 34, ']', 31);
    load(&l, text);
    assert_str(problems(&l), "");
    unload(&l);
}

static void parse_reports_what_memory_does_not_hold(void **state)
{
    struct loaded l = {0};

    (void)state;
    l.tree = tt_tree_new();
    tt_diags_init(&l.diags);
    tt_buffer_init(&l.out, 65536);
    tt_arena_done(&l.tree->arena);
    tt_arena_init(&l.tree->arena, 1024, 4096);
    l.tree->root = (struct tt_node *)tt_arena_calloc(&l.tree->arena, 1, sizeof(struct tt_node));
    l.tree->root->kind = TT_NODE_MAP;
    l.ok =
        tt_tree_merge_text(l.tree, "c.yaml",
                           TT_STR("a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,"
                                  " 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]"),
                           NULL, NULL, &l.diags);
    assert_false(l.ok);
    assert_true(tt_str_ends_with(problems(&l), TT_STR(": out of memory\n")));
    unload(&l);
}

static bool load_all(void *context)
{
    static const char *const env[] = {"A=[x, {y: '${B}'}]", "B=1", NULL};
    struct tt_tree *tree = tt_tree_new();
    struct tt_diags diags;
    bool ok;

    (void)context;
    if (tree == NULL)
        return false;
    tt_diags_init(&diags);
    ok = tt_tree_merge_text(tree, "c.yaml",
                            TT_STR("a::b: {c: 1, d: ${A}, e: x${B}y}\nf: [1, 2]\na: {g: &x 1}\n"),
                            env_of_list, (void *)(uintptr_t)env, &diags);
    assert_false(ok); /* the anchor, at least */
    ok = diags.errors == 1 && tt_tree_merge_setting(tree, "a.b.c=2", NULL, NULL, &diags);
    tt_diags_done(&diags);
    tt_tree_free(tree);
    return ok;
}

static void parse_survives_each_failing_allocation(void **state)
{
    (void)state;
    tt_test_failing_allocations(load_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_keeps_kinds_texts_and_places),
        cmocka_unit_test(parse_accepts),
        cmocka_unit_test(parse_refuses_with_place_and_path),
        cmocka_unit_test(parse_refuses_nul_bytes),
        cmocka_unit_test(parse_goes_on_after_a_problem_but_not_after_a_syntax_error),
        cmocka_unit_test(parse_survives_bombs),
        cmocka_unit_test(parse_takes_32_levels),
        cmocka_unit_test(parse_reports_what_memory_does_not_hold),
        cmocka_unit_test(parse_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
