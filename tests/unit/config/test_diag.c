/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"
#include "tt_test.h"

static void diags_print_like_a_compiler_in_the_order_of_the_file(void **state)
{
    struct tt_diags diags;
    struct tt_buffer out;

    (void)state;
    tt_diags_init(&diags);
    tt_buffer_init(&out, 65536);
    tt_diags_error(&diags, (struct tt_mark){"b.yaml", 2, 1}, "x.y", "is %s", "bad");
    tt_diags_warning(&diags, (struct tt_mark){"a.yaml", 7, 3}, "", "no path");
    tt_diags_error(&diags, (struct tt_mark){"a.yaml", 7, 2}, NULL, "first");
    tt_diags_error(&diags, (struct tt_mark){"--set a", 0, 0}, "a", "no line");
    tt_diags_error(&diags, (struct tt_mark){0}, "z", "no place");
    tt_diags_print(&diags, &out);
    assert_str(tt_buffer_view(&out), "z: no place\n"
                                     "--set a: a: no line\n"
                                     "a.yaml:7:2: first\n"
                                     "a.yaml:7:3: warning: no path\n"
                                     "b.yaml:2:1: x.y: is bad\n");
    assert_int_equal(diags.errors, 4);
    assert_int_equal(diags.warnings, 1);
    tt_buffer_done(&out);
    tt_diags_done(&diags);
}

static void diags_keep_a_hundred_and_count_all(void **state)
{
    struct tt_diags diags;
    struct tt_buffer out;

    (void)state;
    tt_diags_init(&diags);
    tt_buffer_init(&out, 65536);
    for (int i = 0; i < 1000; i++)
        tt_diags_error(&diags, (struct tt_mark){"a", 1, 1}, "k", "n%d", i);
    assert_int_equal(diags.count, TT_DIAGS_MAX);
    assert_int_equal(diags.errors, 1000);
    tt_diags_print(&diags, &out);
    assert_true(tt_str_starts_with(tt_buffer_view(&out), TT_STR("a:1:1: k: n0\na:1:1: k: n1\n")));
    assert_true(tt_str_ends_with(tt_buffer_view(&out),
                                 TT_STR("k: n99\n900 more problems are not shown\n")));
    tt_buffer_done(&out);
    tt_diags_done(&diags);
}

static void diags_never_steer_a_terminal(void **state)
{
    struct tt_diags diags;
    struct tt_buffer out;

    (void)state;
    tt_diags_init(&diags);
    tt_buffer_init(&out, 65536);
    tt_diags_error(&diags, (struct tt_mark){"a\x1b[2J", 1, 1}, "k\x1b]0;", "v\n\x7f\x01 ü");
    tt_diags_print(&diags, &out);
    assert_str(tt_buffer_view(&out), "a?[2J:1:1: k?]0;: v??? ü\n");
    tt_buffer_done(&out);
    tt_diags_done(&diags);
}

static void diags_cut_long_texts_between_characters(void **state)
{
    struct tt_diags diags;
    char longer[2000];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(longer); i += 2)
        memcpy(longer + i, "ü", 2);
    longer[sizeof(longer) - 1] = '\0';
    tt_diags_init(&diags);
    tt_diags_error(&diags, (struct tt_mark){0}, longer, "%s", longer);
    assert_int_equal(strlen(diags.items[0].text), 510);
    assert_int_equal(strlen(diags.items[0].path), 190);
    assert_int_equal(tt_utf8_valid_prefix(tt_str(diags.items[0].text)), 510);
    tt_diags_done(&diags);
}

static void diags_count_what_memory_does_not_hold(void **state)
{
    struct tt_diags diags;

    (void)state;
    tt_diags_init(&diags);
    tt_mem_fail_after(1);
    tt_diags_error(&diags, (struct tt_mark){0}, "a", "b");
    tt_mem_fail_after(0);
    assert_int_equal(diags.errors, 1);
    assert_int_equal(diags.count, 0);
    tt_diags_done(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diags_print_like_a_compiler_in_the_order_of_the_file),
        cmocka_unit_test(diags_keep_a_hundred_and_count_all),
        cmocka_unit_test(diags_never_steer_a_terminal),
        cmocka_unit_test(diags_cut_long_texts_between_characters),
        cmocka_unit_test(diags_count_what_memory_does_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
