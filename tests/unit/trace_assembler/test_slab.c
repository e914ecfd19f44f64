/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/slab.h"
#include "tt_test.h"

#include <sys/mman.h>

static void blocks_cost_at_most_an_eighth_more(void **state)
{
    (void)state;
    for (size_t size = 64; size <= SLAB_MAX_SLOT; size++) {
        assert_true(slab_cost(size) >= size);
        assert_true(slab_cost(size) <= size + size / 8 + 8);
        assert_int_equal(slab_cost(size) % 8, 0);
    }
    assert_int_equal(slab_cost(1), 64);
}

/* Blocks keep what was written into them, whatever is allocated and freed around them. */
static void blocks_do_not_overlap(void **state)
{
    enum { N = 3000 };
    static struct {
        uint8_t *p;
        size_t size;
    } blocks[N];
    struct slab_pool pool;
    struct slab_heap heap;
    uint64_t seed = 3;

    (void)state;
    memset(blocks, 0, sizeof(blocks));
    assert_true(slab_pool_init(&pool, (size_t)64 << 20));
    slab_heap_init(&heap, &pool);
    for (unsigned round = 0; round < 60000; round++) {
        size_t i = tt_test_random(&seed) % N;
        if (blocks[i].p != NULL) {
            for (size_t k = 0; k < blocks[i].size; k += 61)
                assert_int_equal(blocks[i].p[k], (uint8_t)i);
            slab_free(&heap, blocks[i].p, blocks[i].size);
            blocks[i].p = NULL;
            continue;
        }
        blocks[i].size = 1 + tt_test_random(&seed) % (round % 50 == 0 ? 20000 : 2000);
        blocks[i].p = slab_alloc(&heap, blocks[i].size);
        assert_non_null(blocks[i].p);
        assert_int_equal((uintptr_t)blocks[i].p % 8, 0);
        memset(blocks[i].p, (int)i, blocks[i].size);
    }
    for (size_t i = 0; i < N; i++)
        if (blocks[i].p != NULL)
            slab_free(&heap, blocks[i].p, blocks[i].size);
    assert_int_equal(slab_pool_bytes(&pool), 0);
    slab_heap_done(&heap);
    slab_pool_done(&pool);
}

static void the_range_is_the_limit(void **state)
{
    struct slab_pool pool;
    struct slab_heap heap;
    void *first = NULL;
    size_t n = 0;

    (void)state;
    assert_true(slab_pool_init(&pool, 10 * SLAB_BYTES));
    slab_heap_init(&heap, &pool);
    for (void *p; (p = slab_alloc(&heap, 1000)) != NULL; n++)
        first = first == NULL ? p : first;
    assert_true(n >= 10 * 15);
    assert_int_equal(slab_pool_bytes(&pool), 11 * SLAB_BYTES);
    slab_free(&heap, first, 1000);
    assert_ptr_equal(slab_alloc(&heap, 1000), first);
    assert_null(slab_alloc(&heap, 64)); /* another class needs a slab of its own */
    slab_heap_done(&heap);
    slab_pool_done(&pool);
}

/* Bytes of the pool's range that have memory behind them. */
static size_t resident(const struct slab_pool *pool)
{
    static unsigned char pages[1 << 16];
    size_t bytes = pool->n_usable * SLAB_BYTES, page = (size_t)sysconf(_SC_PAGESIZE), n = 0;

    if (bytes == 0)
        return 0;
    assert_true(bytes / page <= sizeof(pages));
    assert_int_equal(mincore(pool->base, bytes, pages), 0);
    for (size_t i = 0; i < bytes / page; i++)
        n += pages[i] & 1;
    return n * page;
}

static void memory_goes_back_to_the_system(void **state)
{
    enum { N = 60000, SIZE = 1000 };
    static void *blocks[N];
    struct slab_pool pool;
    struct slab_heap heap;
    size_t full;

    (void)state;
    assert_true(slab_pool_init(&pool, (size_t)128 << 20));
    slab_heap_init(&heap, &pool);
    for (size_t i = 0; i < N; i++) {
        blocks[i] = slab_alloc(&heap, SIZE);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, SIZE);
    }
    assert_true(resident(&pool) >= N * SIZE);
    for (size_t i = 0; i < N; i++)
        slab_free(&heap, blocks[i], SIZE);
    slab_pool_trim(&pool); /* sees what is free, */
    full = resident(&pool);
    assert_true(full >= N * SIZE);
    slab_pool_trim(&pool); /* and that it was not needed: a quarter goes */
    assert_in_range(resident(&pool), full / 2, full * 4 / 5);
    for (int i = 0; i < 24; i++)
        slab_pool_trim(&pool);
    assert_true(resident(&pool) <= N * SIZE / 20);
    /* It can be used again. */
    blocks[0] = slab_alloc(&heap, SIZE);
    memset(blocks[0], 2, SIZE);
    slab_free(&heap, blocks[0], SIZE);
    slab_heap_done(&heap);
    slab_pool_done(&pool);
}

/* One block in a hundred stays: the others' memory is used again, so that a steady load needs no more than it holds. */
static void blocks_that_stay_pin_no_others(void **state)
{
    enum { LIVE = 20000, LONG = 200 };
    static void *live[LIVE], *kept[LONG];
    struct slab_pool pool;
    struct slab_heap heap;
    size_t held, n_kept = 0;

    (void)state;
    assert_true(slab_pool_init(&pool, (size_t)256 << 20));
    slab_heap_init(&heap, &pool);
    memset(live, 0, sizeof(live));
    for (size_t i = 0; i < 20 * LIVE; i++) {
        void **slot = &live[i % LIVE];
        if (*slot != NULL && i % 100 == 0 && n_kept < LONG)
            kept[n_kept++] = *slot;
        else if (*slot != NULL)
            slab_free(&heap, *slot, 700);
        *slot = slab_alloc(&heap, 700);
        assert_non_null(*slot);
    }
    held = slab_pool_bytes(&pool);
    assert_true(held < (LIVE + n_kept) * 700 / 100 * 112);
    for (size_t i = 0; i < LIVE; i++)
        slab_free(&heap, live[i], 700);
    for (size_t i = 0; i < n_kept; i++)
        slab_free(&heap, kept[i], 700);
    assert_int_equal(slab_pool_bytes(&pool), 0);
    slab_heap_done(&heap);
    slab_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_cost_at_most_an_eighth_more),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(the_range_is_the_limit),
        cmocka_unit_test(memory_goes_back_to_the_system),
        cmocka_unit_test(blocks_that_stay_pin_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
