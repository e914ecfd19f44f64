/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "tt_test.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    struct tt_arena arena;
    uint8_t *blocks[200];
    size_t sizes[200];
    uint64_t random = 1;

    (void)state;
    tt_arena_init(&arena, 256, 0);
    for (size_t i = 0; i < TT_LENGTH(blocks); i++) {
        sizes[i] = tt_test_random(&random) % 600;
        blocks[i] = tt_arena_alloc(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 8, 0);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < TT_LENGTH(blocks); i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], (uint8_t)i);
    tt_arena_done(&arena);
    assert_int_equal(arena.reserved, 0);
    tt_arena_done(&arena);
}

static void empty_allocations_are_distinct(void **state)
{
    struct tt_arena arena;
    void *a, *b;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    a = tt_arena_alloc(&arena, 0);
    b = tt_arena_alloc(&arena, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    tt_arena_done(&arena);
}

static void the_default_chunk_is_16_kib(void **state)
{
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_int_equal(arena.reserved, 0);
    assert_non_null(tt_arena_alloc(&arena, 1));
    assert_int_equal(arena.reserved, 16384);
    tt_arena_done(&arena);
}

static void the_limit_is_never_passed_and_used_up(void **state)
{
    struct tt_arena arena;
    size_t got = 0;

    (void)state;
    tt_arena_init(&arena, 1024, 2500);
    while (tt_arena_alloc(&arena, 8) != NULL) {
        got += 8;
        assert_true(arena.reserved <= 2500);
    }
    assert_int_equal(arena.reserved, 2500);
    assert_true(got >= 2500 - 3 * 24);
    assert_null(tt_arena_alloc(&arena, 1));
    tt_arena_done(&arena);

    tt_arena_init(&arena, 64, 1000);
    assert_null(tt_arena_alloc(&arena, 1000));
    assert_int_equal(arena.reserved, 0);
    assert_non_null(tt_arena_alloc(&arena, 900));
    tt_arena_done(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct tt_arena arena;
    struct tt_str huge = {"x", SIZE_MAX};

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_non_null(tt_arena_alloc(&arena, 8));
    for (size_t back = 0; back < 40; back++)
        assert_null(tt_arena_alloc(&arena, SIZE_MAX - back));
    assert_null(tt_arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_null(tt_arena_copy(&arena, huge).data);
    assert_int_equal(arena.reserved, 16384);
    tt_arena_done(&arena);
}

static void calloc_gives_zeros_from_used_memory(void **state)
{
    struct tt_arena arena;
    uint8_t *p;

    (void)state;
    tt_arena_init(&arena, 1024, 0);
    p = tt_arena_alloc(&arena, 100);
    memset(p, 0xff, 100);
    tt_arena_reset(&arena);
    p = tt_arena_calloc(&arena, 10, 10);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    assert_non_null(tt_arena_calloc(&arena, 0, 8));
    tt_arena_done(&arena);
}

static void copies_end_with_a_nul(void **state)
{
    struct tt_arena arena;
    struct tt_str copy;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    copy = tt_arena_copy(&arena, tt_str_of("a\0b", 3));
    assert_str_equal(copy, tt_str_of("a\0b", 3));
    assert_int_equal(copy.data[3], 0);
    copy = tt_arena_copy(&arena, (struct tt_str){NULL, 0});
    assert_non_null(copy.data);
    assert_int_equal(copy.data[0], 0);
    assert_string_equal(tt_arena_printf(&arena, "%s-%d", "a", 42), "a-42");
    assert_int_equal(strlen(tt_arena_printf(&arena, "%40000d", 1)), 40000);
    tt_arena_done(&arena);
}

static void reset_keeps_one_regular_chunk(void **state)
{
    struct tt_arena arena;
    void *first;

    (void)state;
    tt_arena_init(&arena, 512, 0);
    first = tt_arena_alloc(&arena, 8);
    assert_non_null(tt_arena_alloc(&arena, 4000));
    tt_arena_reset(&arena);
    assert_int_equal(arena.reserved, 512);
    assert_ptr_equal(tt_arena_alloc(&arena, 8), first);
    tt_arena_done(&arena);

    assert_non_null(tt_arena_alloc(&arena, 4000));
    tt_arena_reset(&arena);
    assert_int_equal(arena.reserved, 0);
    tt_arena_reset(&arena);
    tt_arena_done(&arena);
}

static void rewind_frees_what_came_after_the_mark(void **state)
{
    struct tt_arena arena;
    struct tt_arena_mark mark;
    uint8_t *before, *after;

    (void)state;
    tt_arena_init(&arena, 256, 0);
    before = tt_arena_alloc(&arena, 16);
    memset(before, 7, 16);
    mark = tt_arena_mark(&arena);
    after = tt_arena_alloc(&arena, 16);
    for (int i = 0; i < 20; i++)
        assert_non_null(tt_arena_alloc(&arena, 300));
    tt_arena_rewind(&arena, mark);
    assert_int_equal(arena.reserved, 256);
    assert_ptr_equal(tt_arena_alloc(&arena, 16), after);
    assert_int_equal(before[15], 7);
    tt_arena_done(&arena);
}

static void rewind_to_the_beginning_keeps_a_chunk(void **state)
{
    struct tt_arena arena;
    struct tt_arena_mark mark;

    (void)state;
    tt_arena_init(&arena, 256, 0);
    mark = tt_arena_mark(&arena);
    for (int i = 0; i < 20; i++)
        assert_non_null(tt_arena_alloc(&arena, 100));
    tt_arena_rewind(&arena, mark);
    assert_int_equal(arena.reserved, 256);
    tt_mem_fail_after(1);
    assert_non_null(tt_arena_alloc(&arena, 100));
    tt_mem_fail_after(0);
    tt_arena_done(&arena);
}

static void exhausted_memory_leaves_the_arena_usable(void **state)
{
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena, 64, 0);
    tt_mem_fail_after(1);
    assert_null(tt_arena_alloc(&arena, 8));
    assert_null(tt_arena_calloc(&arena, 1, 8));
    assert_null(tt_arena_copy(&arena, TT_STR("x")).data);
    assert_null(tt_arena_printf(&arena, "x"));
    tt_mem_fail_after(0);
    assert_int_equal(arena.reserved, 0);
    assert_non_null(tt_arena_alloc(&arena, 8));
    tt_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(empty_allocations_are_distinct),
        cmocka_unit_test(the_default_chunk_is_16_kib),
        cmocka_unit_test(the_limit_is_never_passed_and_used_up),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(calloc_gives_zeros_from_used_memory),
        cmocka_unit_test(copies_end_with_a_nul),
        cmocka_unit_test(reset_keeps_one_regular_chunk),
        cmocka_unit_test(rewind_frees_what_came_after_the_mark),
        cmocka_unit_test(rewind_to_the_beginning_keeps_a_chunk),
        cmocka_unit_test(exhausted_memory_leaves_the_arena_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
