/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_math.h"
#include "detect/heavy_hitters.h"
#include "tt_test.h"

#define KEYS 5000

static struct tt_heavy *make(uint32_t capacity)
{
    void *memory = tt_malloc(tt_heavy_size(capacity));

    assert_non_null(memory);
    return tt_heavy_init(memory, capacity);
}

/* Few keys are frequent: the rank is about exponential. */
static uint64_t draw(struct tt_random *random)
{
    uint32_t bits = 1 + tt_random_below(random, 12);

    return tt_random_below(random, 1U << bits) % KEYS;
}

static void bounds_hold_for_every_key(void **state)
{
    static const uint32_t CAPACITIES[] = {1, 2, 7, 64, 1000, 8192};
    (void)state;

    for (size_t c = 0; c < TT_LENGTH(CAPACITIES); c++) {
        uint64_t truth[KEYS] = {0}, total = 0;
        struct tt_heavy *heavy = make(CAPACITIES[c]);
        struct tt_random random = {c};

        for (int i = 0; i < 30000; i++) {
            uint64_t key = draw(&random), amount = 1 + tt_random_below(&random, 3);

            tt_heavy_add(heavy, key, amount);
            truth[key] += amount;
            total += amount;
        }
        assert_true(tt_heavy_total(heavy) == total);
        for (uint64_t key = 0; key < KEYS; key++) {
            struct tt_heavy_entry entry;

            if (!tt_heavy_find(heavy, key, &entry)) {
                assert_true(truth[key] * CAPACITIES[c] <= total);
                continue;
            }
            assert_true(entry.key == key && entry.count >= truth[key]);
            assert_true(entry.count - entry.error <= truth[key]);
            assert_true(entry.error * CAPACITIES[c] <= total);
        }
        tt_free(heavy);
    }
}

static void the_top_is_in_order(void **state)
{
    struct tt_heavy *heavy = make(100);
    struct tt_heavy_entry top[5];
    (void)state;

    for (uint64_t key = 0; key < 50; key++)
        assert_false(tt_heavy_add(heavy, key, 1 + key % 10));
    assert_true(tt_heavy_add(heavy, 3, 100));
    assert_int_equal(tt_heavy_top(heavy, top, 5), 5);
    assert_true(top[0].key == 3 && top[0].count == 104 && top[0].error == 0);
    assert_true(top[1].key == 9 && top[2].key == 19 && top[4].key == 39);
    assert_int_equal(tt_heavy_top(heavy, top, 0), 0);
    tt_free(heavy);
}

static void halving_forgets_and_keeps_the_order(void **state)
{
    struct tt_heavy *heavy = make(4);
    struct tt_heavy_entry top[4];
    (void)state;

    tt_heavy_add(heavy, 1, 100);
    tt_heavy_add(heavy, 2, 60);
    tt_heavy_halve(heavy);
    tt_heavy_add(heavy, 2, 21);
    assert_int_equal(tt_heavy_top(heavy, top, 4), 2);
    assert_true(top[0].key == 2 && top[0].count == 51 && top[1].count == 50);
    assert_true(tt_heavy_total(heavy) == 101);
    tt_free(heavy);
}

/* Every replacement takes a slot out of the hash table and puts one in. */
static void a_table_under_constant_replacement_stays_whole(void **state)
{
    struct tt_heavy *heavy = make(50);
    struct tt_random random = {1};
    struct tt_heavy_entry top[50], entry;
    (void)state;

    for (int i = 0; i < 50000; i++)
        tt_heavy_add(heavy, tt_random_next(&random), 1);
    assert_int_equal(tt_heavy_top(heavy, top, 50), 50);
    for (int i = 0; i < 50; i++)
        assert_true(tt_heavy_find(heavy, top[i].key, &entry) && entry.count == top[i].count);
    assert_false(tt_heavy_find(heavy, 12345, &entry));
    tt_free(heavy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_hold_for_every_key),
        cmocka_unit_test(the_top_is_in_order),
        cmocka_unit_test(halving_forgets_and_keeps_the_order),
        cmocka_unit_test(a_table_under_constant_replacement_stays_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
