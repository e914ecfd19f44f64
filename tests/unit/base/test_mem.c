/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "tt_test.h"

static void empty_blocks_are_not_failures(void **state)
{
    void *p;

    (void)state;
    p = tt_malloc(0);
    assert_non_null(p);
    p = tt_realloc(p, 0, 8);
    assert_non_null(p);
    tt_free(p);
    p = tt_calloc(0, 0);
    assert_non_null(p);
    tt_free(p);
    tt_free(NULL);
}

static void calloc_gives_zeros(void **state)
{
    uint8_t *p = tt_calloc(100, 10);

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    tt_free(p);
}

static void products_that_overflow_are_refused(void **state)
{
    size_t half = SIZE_MAX / 2;
    char *p = tt_strdup(TT_STR("kept")), *bigger;

    (void)state;
    assert_non_null(p);
    assert_null(tt_calloc(half, 3));
    assert_null(tt_calloc(half, 1));
    assert_null(tt_malloc(SIZE_MAX));
    bigger = tt_realloc(p, half, 3);
    assert_null(bigger);
    assert_string_equal(p, "kept");
    tt_free(p);
    assert_null(tt_strdup((struct tt_str){"x", SIZE_MAX}));
}

static void strdup_ends_with_a_nul(void **state)
{
    char *p = tt_strdup(tt_str_of("abcdef", 3)), *empty = tt_strdup((struct tt_str){NULL, 0});

    (void)state;
    assert_string_equal(p, "abc");
    assert_string_equal(empty, "");
    tt_free(p);
    tt_free(empty);
}

static void the_nth_and_all_later_allocations_fail(void **state)
{
    void *a, *b;

    (void)state;
    tt_mem_fail_after(3);
    a = tt_malloc(8);
    b = tt_calloc(1, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(tt_malloc(8));
    assert_null(tt_realloc(a, 2, 8));
    assert_null(tt_calloc(1, 8));
    assert_null(tt_strdup(TT_STR("x")));
    assert_int_equal(tt_mem_count(), 6);
    tt_mem_fail_after(0);
    assert_int_equal(tt_mem_count(), 0);
    a = tt_realloc(a, 2, 8);
    assert_non_null(a);
    assert_int_equal(tt_mem_count(), 1);
    tt_free(a);
    tt_free(b);
}

static void a_cleanup_frees_its_local(void **state)
{
    TT_CLEANUP(tt_freep) char *p = tt_strdup(TT_STR("freed at the end of the scope"));
    char *taken = TT_TAKE(p);

    (void)state;
    assert_null(p);
    p = tt_strdup(TT_STR("another"));
    assert_non_null(p);
    tt_free(taken);
    tt_mem_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_blocks_are_not_failures),
        cmocka_unit_test(calloc_gives_zeros),
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(strdup_ends_with_a_nul),
        cmocka_unit_test(the_nth_and_all_later_allocations_fail),
        cmocka_unit_test(a_cleanup_frees_its_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
