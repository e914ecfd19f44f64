/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

static void merge_later_wins_maps_merge_lists_are_replaced(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, "a: {b: 1, c: {d: 2}, e: [1, 2]}\nf: {g: 1}\nh: {i: 1}\nj: x\n");
    assert_true(tt_tree_merge_text(
        l.tree, "d.yaml", TT_STR("a: {b: 3, c: {k: 4}, e: [5]}\nf:\nh: {}\nj: {l: 1}\nm: 1\n"),
        NULL, NULL, &l.diags));
    assert_str(yaml_of(&l), "a:\n  b: 3\n  c:\n    d: 2\n    k: 4\n  e:\n    - 5\n"
                            "f: null\nh:\n  i: 1\nj:\n  l: 1\nm: 1\n");
    assert_string_equal(at(&l, "a.b")->mark.file, "d.yaml");
    assert_string_equal(at(&l, "a.b")->key_mark.file, "d.yaml");
    assert_string_equal(at(&l, "a.c.d")->mark.file, "c.yaml");
    unload(&l);
}

static void merge_of_large_maps_keeps_every_key(void **state)
{
    struct loaded l;
    struct tt_buffer text;
    size_t n = 0;

    (void)state;
    tt_buffer_init(&text, 1 << 20);
    for (int i = 0; i < 40000; i++)
        tt_buffer_printf(&text, "k%d: 1\n", i);
    load_str(&l, tt_buffer_view(&text), NULL);
    tt_buffer_clear(&text);
    for (int i = 20000; i < 60000; i++)
        tt_buffer_printf(&text, "k%d: 2\n", i);
    assert_true(tt_tree_merge_text(l.tree, "d", tt_buffer_view(&text), NULL, NULL, &l.diags));
    for (const struct tt_node *node = l.tree->root->first; node != NULL; node = node->next)
        n++;
    assert_int_equal(n, 60000);
    assert_str(at(&l, "k19999")->text, "1");
    assert_str(at(&l, "k20000")->text, "2");
    tt_buffer_done(&text);
    unload(&l);
}

static void setting_goes_over_the_files(void **state)
{
    static const struct {
        const char *setting, *yaml;
    } cases[] = {
        {"a.b=5", "a:\n  b: 5\n  c:\n    d: 2\n"},
        {"a.c.d=[x, y]", "a:\n  b: 1\n  c:\n    d:\n      - x\n      - y\n"},
        {"a::c::d=3", "a:\n  b: 1\n  c:\n    d: 3\n"},
        {"a.c=", "a:\n  b: 1\n  c: null\n"},
        {"a.c={}", "a:\n  b: 1\n  c:\n    d: 2\n"},
        {"a.c.e={f::g: 1}", "a:\n  b: 1\n  c:\n    d: 2\n    e:\n      f:\n        g: 1\n"},
        {"a.b=x=y", "a:\n  b: x=y\n  c:\n    d: 2\n"},
        {"a.b=\"5\"", "a:\n  b: \"5\"\n  c:\n    d: 2\n"},
        {"n=1", "a:\n  b: 1\n  c:\n    d: 2\nn: 1\n"},
        {"a.b=${V}", "a:\n  b: 7\n  c:\n    d: 2\n"},
    };
    static const char *const env[] = {"V=7", NULL};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load(&l, "a: {b: 1, c: {d: 2}}\n");
        check_case(cases[i].setting, tt_tree_merge_setting(l.tree, cases[i].setting, env_of_list,
                                                           (void *)(uintptr_t)env, &l.diags));
        check_text(cases[i].setting, yaml_of(&l), cases[i].yaml);
        unload(&l);
    }
}

static void setting_refuses_without_showing_the_value(void **state)
{
    static const struct {
        const char *setting, *problems;
    } cases[] = {
        {"token s3cr3t", "--set: missing equal sign; write key.path=value\n"},
        {"=s3cr3t", "--set: missing key; write key.path=value\n"},
        {"a..b=s3cr3t", "--set a..b: a::::b: an empty part in the key\n"},
        {"a=[s3cr3t", "--set a: [1]: not valid YAML: did not find expected ',' or ']' (while "
                      "parsing a flow sequence)\n"},
        {"a={b: 1, b: s3cr3t}", "--set a: b: a duplicate key\n"},
        {"a.b=&s3cr3t 1", "--set a.b: anchors (&) are not supported; write the value out\n"},
        {"a\xff=s3cr3t", "--set: not valid UTF-8\n"},
        {"a=\xff", "--set a: not valid UTF-8\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load(&l, "");
        check_case(cases[i].setting,
                   !tt_tree_merge_setting(l.tree, cases[i].setting, NULL, NULL, &l.diags));
        check_text(cases[i].setting, problems(&l), cases[i].problems);
        unload(&l);
    }
}

static void setting_may_not_be_too_deep(void **state)
{
    char setting[256] = "a";
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < 32; i++)
        memcpy(setting + 1 + 2 * i, ".a", 2);
    memcpy(setting + 65, "=1", 3);
    load(&l, "");
    assert_false(tt_tree_merge_setting(l.tree, setting, NULL, NULL, &l.diags));
    assert_true(tt_str_ends_with(problems(&l), TT_STR("nested deeper than 32 levels\n")));
    unload(&l);
}

static void file_is_read_and_named(void **state)
{
    struct tt_temp_dir dir;
    struct loaded l;
    char path[768];

    (void)state;
    tt_temp_dir_make(&dir);
    tt_temp_path(&dir, "c.yaml", path);
    tt_test_write_file(path, TT_STR("a: 1\n"));
    load(&l, "");
    assert_true(tt_tree_merge_file(l.tree, path, NULL, NULL, &l.diags));
    assert_string_equal(at(&l, "a")->mark.file, path);
    assert_ptr_not_equal(at(&l, "a")->mark.file, path);
    unload(&l);
    tt_temp_dir_remove(&dir);
}

static void file_that_cannot_be_read_is_a_problem(void **state)
{
    struct tt_temp_dir dir;
    struct loaded l;
    char path[768];

    (void)state;
    tt_temp_dir_make(&dir);
    load(&l, "");
    assert_false(
        tt_tree_merge_file(l.tree, tt_temp_path(&dir, "none", path), NULL, NULL, &l.diags));
    assert_true(tt_str_ends_with(problems(&l),
                                 TT_STR("none: cannot be read: No such file or directory\n")));
    unload(&l);
    load(&l, "");
    assert_false(tt_tree_merge_file(l.tree, dir.path, NULL, NULL, &l.diags));
    assert_true(tt_str_ends_with(problems(&l), TT_STR(": cannot be read: Is a directory\n")));
    unload(&l);
    tt_temp_dir_remove(&dir);
}

static void file_of_100_mib_is_refused_unread(void **state)
{
    struct tt_temp_dir dir;
    struct loaded l;
    char path[768];

    (void)state;
    tt_temp_dir_make(&dir);
    tt_test_write_file(tt_temp_path(&dir, "big.yaml", path), TT_STR("a: 1"));
    assert_int_equal(truncate(path, 100 << 20), 0);
    load(&l, "");
    assert_false(tt_tree_merge_file(l.tree, path, NULL, NULL, &l.diags));
    assert_true(tt_str_ends_with(problems(&l), TT_STR("big.yaml:1:1: over 1 MiB\n")));
    unload(&l);
    tt_temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_later_wins_maps_merge_lists_are_replaced),
        cmocka_unit_test(merge_of_large_maps_keeps_every_key),
        cmocka_unit_test(setting_goes_over_the_files),
        cmocka_unit_test(setting_refuses_without_showing_the_value),
        cmocka_unit_test(setting_may_not_be_too_deep),
        cmocka_unit_test(file_is_read_and_named),
        cmocka_unit_test(file_that_cannot_be_read_is_a_problem),
        cmocka_unit_test(file_of_100_mib_is_refused_unread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
