/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/reservoir.h"
#include "tt_test.h"

#include <math.h>

static struct tt_reservoir *make(uint32_t capacity, int64_t half_life, uint64_t seed)
{
    struct tt_reservoir *reservoir = tt_reservoir_new(1, capacity, half_life, seed);

    assert_non_null(reservoir);
    return reservoir;
}

/* Rows 0 … count - 1, each at the time of its number. */
static void fill(struct tt_reservoir *reservoir, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        float x = (float)i;
        tt_reservoir_add(reservoir, &x, i, 1.0);
    }
}

static double mean_of(const struct tt_reservoir *reservoir)
{
    struct tt_rows rows = tt_reservoir_rows(reservoir);
    double sum = 0.0;

    for (size_t i = 0; i < rows.count; i++)
        sum += (double)rows.x[i];
    return sum / (double)rows.count;
}

static void keeps_everything_until_it_is_full(void **state)
{
    struct tt_reservoir *reservoir = make(100, 0, 1);

    (void)state;
    fill(reservoir, 100);
    assert_int_equal(tt_reservoir_rows(reservoir).count, 100);
    assert_true(mean_of(reservoir) == 49.5);
    tt_reservoir_free(reservoir);
}

static void holds_no_row_twice_and_never_more_than_its_capacity(void **state)
{
    struct tt_reservoir *reservoir = make(50, 300, 1);
    struct tt_rows rows;

    (void)state;
    fill(reservoir, 5000);
    rows = tt_reservoir_rows(reservoir);
    assert_int_equal(rows.count, 50);
    for (size_t i = 0; i < 50; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(rows.x[i] != rows.x[j]);
    tt_reservoir_free(reservoir);
}

/* Mean of a uniform sample of 500 from 0 … 49,999: 25,000 with a deviation of 645. */
static void without_half_life_every_row_has_the_same_chance(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct tt_reservoir *reservoir = make(500, 0, seed);
        fill(reservoir, 50000);
        assert_true(fabs(mean_of(reservoir) - 25000.0) < 4 * 645.0);
        tt_reservoir_free(reservoir);
    }
}

/* Ages in a large stream are exponential with mean half_life / ln 2, as long as that is much wider than the capacity. */
static void with_half_life_old_rows_fade_at_its_rate(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct tt_reservoir *reservoir = make(400, 5000, seed);
        double expected = 5000.0 / log(2.0);
        fill(reservoir, 100000);
        assert_true(fabs(100000.0 - mean_of(reservoir) - expected) < 0.25 * expected);
        tt_reservoir_free(reservoir);
    }
}

static void a_light_row_is_kept_in_proportion_to_its_weight(void **state)
{
    double light = 0.0, heavy = 0.0;

    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct tt_reservoir *reservoir = make(1000, 0, seed);
        struct tt_rows rows;
        for (int i = 0; i < 40000; i++) {
            float x = (float)(i % 2);
            tt_reservoir_add(reservoir, &x, i, i % 2 == 0 ? 1.0 : 0.125);
        }
        rows = tt_reservoir_rows(reservoir);
        for (size_t i = 0; i < rows.count; i++) {
            light += rows.x[i] != 0.0F;
            heavy += rows.x[i] == 0.0F;
        }
        tt_reservoir_free(reservoir);
    }
    assert_true(light / heavy > 0.10 && light / heavy < 0.15);
}

static void extreme_times_and_weights_are_survived(void **state)
{
    static const int64_t times[] = {0, INT64_MAX, INT64_MIN, 1, -1, INT64_MAX, INT64_MIN, 0};
    struct tt_reservoir *reservoir = make(3, 1, 1);

    (void)state;
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < TT_LENGTH(times); i++) {
            float x = (float)i;
            tt_reservoir_add(reservoir, &x, times[i], i % 2 == 0 ? 1e300 : 1e-300);
        }
    }
    assert_int_equal(tt_reservoir_rows(reservoir).count, 3);
    tt_reservoir_free(reservoir);
    tt_reservoir_free(NULL);
}

static void the_same_seed_keeps_the_same_rows(void **state)
{
    struct tt_reservoir *a = make(64, 100, 9), *b = make(64, 100, 9), *other = make(64, 100, 10);

    (void)state;
    fill(a, 3000);
    fill(b, 3000);
    fill(other, 3000);
    assert_memory_equal(a->rows, b->rows, 64 * sizeof(float));
    assert_memory_not_equal(a->rows, other->rows, 64 * sizeof(float));
    tt_reservoir_free(a);
    tt_reservoir_free(b);
    tt_reservoir_free(other);
}

static bool make_once(void *context)
{
    struct tt_reservoir *reservoir = tt_reservoir_new(3, 10, 0, 1);

    (void)context;
    tt_reservoir_free(reservoir);
    return reservoir != NULL;
}

static void survives_memory_running_out(void **state)
{
    (void)state;
    tt_test_failing_allocations(make_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything_until_it_is_full),
        cmocka_unit_test(holds_no_row_twice_and_never_more_than_its_capacity),
        cmocka_unit_test(without_half_life_every_row_has_the_same_chance),
        cmocka_unit_test(with_half_life_old_rows_fade_at_its_rate),
        cmocka_unit_test(a_light_row_is_kept_in_proportion_to_its_weight),
        cmocka_unit_test(extreme_times_and_weights_are_survived),
        cmocka_unit_test(the_same_seed_keeps_the_same_rows),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("reservoir", tests, NULL, NULL);
}
