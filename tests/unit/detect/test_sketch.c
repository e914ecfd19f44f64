/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_math.h"
#include "detect/sketch.h"
#include "tt_test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define COUNT 20000

static struct tt_quantiles *make(uint32_t buckets, bool negatives)
{
    void *memory = tt_malloc(tt_quantiles_size(buckets, negatives));

    assert_non_null(memory);
    return tt_quantiles_init(memory, buckets, negatives);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Values of about `decades` decades around 1, of both signs when asked. */
static void draw(struct tt_random *random, double decades, bool negatives, double *ret_values)
{
    for (int i = 0; i < COUNT; i++) {
        double size = tt_exp2((tt_random_unit(random) - 0.5) * decades * 3.3219);

        ret_values[i] = negatives && tt_random_below(random, 3) == 0 ? -size : size;
    }
}

static void assert_within_bound(const struct tt_quantiles *sketch, double *values, double from_q)
{
    qsort(values, COUNT, sizeof(*values), ascending);
    for (double q = from_q; q <= 1.0; q += 0.001) {
        double exact = values[(size_t)(q * (COUNT - 1))];

        assert_true(fabs(tt_quantiles_at(sketch, q) - exact) <=
                    fabs(exact) * TT_QUANTILES_ERROR * 1.0000001);
    }
}

static void every_quantile_is_within_the_bound(void **state)
{
    static const struct {
        double decades;
        bool negatives;
    } CASES[] = {{0.5, false}, {4.0, false}, {9.0, false}, {4.0, true}, {9.0, true}};
    static double values[COUNT];
    (void)state;

    for (size_t c = 0; c < TT_LENGTH(CASES); c++) {
        struct tt_quantiles *sketch = make(2048, CASES[c].negatives);
        struct tt_random random = {c + 1};

        draw(&random, CASES[c].decades, CASES[c].negatives, values);
        for (int i = 0; i < COUNT; i++)
            tt_quantiles_add(sketch, values[i], 1);
        assert_true(tt_quantiles_count(sketch) == COUNT);
        assert_within_bound(sketch, values, 0.0);
        tt_free(sketch);
    }
}

static void great_quantiles_keep_the_bound_when_buckets_run_out(void **state)
{
    struct tt_quantiles *sketch = make(256, false); /* 4 octaves of 20 */
    static double values[COUNT];
    struct tt_random random = {3};
    (void)state;

    draw(&random, 6.0, false, values);
    for (int i = 0; i < COUNT; i++)
        tt_quantiles_add(sketch, values[i], 1);
    assert_within_bound(sketch, values, 0.85);
    assert_true(tt_quantiles_at(sketch, 0.0) == values[0]);
    tt_free(sketch);
}

static void merging_in_any_order_gives_the_same_bits(void **state)
{
    static const int ORDERS[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}};
    struct tt_quantiles *part[3], *whole = make(1024, true);
    struct tt_random random = {5};
    (void)state;

    for (int p = 0; p < 3; p++)
        part[p] = make(p == 1 ? 512 : 1024, p != 0);
    for (int i = 0; i < COUNT; i++) {
        double value = (double)tt_random_below(&random, 100) + 1.0;

        tt_quantiles_add(part[i % 3], value, 2);
        tt_quantiles_add(whole, value, 2);
    }
    for (size_t order = 0; order < TT_LENGTH(ORDERS); order++) {
        struct tt_quantiles *sum = make(1024, true);

        for (int i = 0; i < 3; i++)
            tt_quantiles_merge(sum, part[ORDERS[order][i]]);
        assert_true(tt_quantiles_count(sum) == 2 * COUNT);
        for (double q = 0.0; q <= 1.0; q += 0.001)
            assert_true(tt_quantiles_at(sum, q) == tt_quantiles_at(whole, q));
        tt_free(sum);
    }
    for (int p = 0; p < 3; p++)
        tt_free(part[p]);
    tt_free(whole);
}

static void a_merge_into_few_buckets_keeps_the_great_quantiles(void **state)
{
    struct tt_quantiles *from = make(1024, true), *into = make(64, false);
    (void)state;

    for (int i = 1; i <= 1000; i++)
        tt_quantiles_add(from, i % 10 == 0 ? -(double)i : (double)i, 1);
    tt_quantiles_merge(into, from);
    assert_true(tt_quantiles_count(into) == 1000);
    for (double q = 0.7; q < 1.0; q += 0.01)
        assert_true(fabs(tt_quantiles_at(into, q) / tt_quantiles_at(from, q) - 1.0) < 1e-12);
    tt_free(from);
    tt_free(into);
}

static void odd_numbers_have_a_place(void **state)
{
    struct tt_quantiles *sketch = make(64, true), *positive = make(64, false);
    (void)state;

    assert_true(isnan(tt_quantiles_at(sketch, 0.5)));
    tt_quantiles_add(sketch, (double)NAN, 1);
    tt_quantiles_add(sketch, 7.0, 0);
    assert_true(tt_quantiles_count(sketch) == 0);
    tt_quantiles_add(sketch, (double)INFINITY, 1);
    tt_quantiles_add(sketch, (double)-INFINITY, 1);
    tt_quantiles_add(sketch, -0.0, 1);
    tt_quantiles_add(sketch, 5e-324, 1);
    assert_true(tt_quantiles_at(sketch, 1.0) == DBL_MAX);
    assert_true(tt_quantiles_at(sketch, 0.0) == -DBL_MAX);
    assert_true(tt_quantiles_at(sketch, 0.5) == 0.0);
    assert_true(tt_quantiles_at(sketch, (double)NAN) == -DBL_MAX);
    assert_true(tt_quantiles_at(sketch, 7.0) == DBL_MAX);
    tt_quantiles_add(positive, -3.0, 5);
    tt_quantiles_add(positive, 3.0, 5);
    assert_true(tt_quantiles_at(positive, 0.2) == 0.0);
    assert_true(tt_quantiles_at(positive, 0.0) == -3.0);
    assert_true(tt_quantiles_sum(positive) == 0.0);
    tt_free(sketch);
    tt_free(positive);
}

static void damaged_bytes_are_no_sketch(void **state)
{
    struct tt_quantiles *sketch = make(64, true);
    size_t size = tt_quantiles_size(64, true);
    unsigned char *bytes = (unsigned char *)sketch;
    struct tt_random random = {9};
    (void)state;

    for (int i = 0; i < 1000; i++)
        tt_quantiles_add(sketch, (double)i - 300.0, 1);
    assert_true(tt_quantiles_valid(sketch, size));
    for (size_t cut = 0; cut < size; cut += 7)
        assert_false(tt_quantiles_valid(sketch, cut));
    for (int i = 0; i < 3000; i++) {
        size_t at = tt_random_below(&random, (uint32_t)size);
        unsigned char was = bytes[at];

        bytes[at] ^= (unsigned char)(1U << tt_random_below(&random, 8));
        if (tt_quantiles_valid(sketch, size)) { /* whatever it is now, it may be used */
            (void)tt_quantiles_at(sketch, 0.5);
            (void)tt_quantiles_at(sketch, 0.01);
        }
        bytes[at] = was;
    }
    tt_free(sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantile_is_within_the_bound),
        cmocka_unit_test(great_quantiles_keep_the_bound_when_buckets_run_out),
        cmocka_unit_test(merging_in_any_order_gives_the_same_bits),
        cmocka_unit_test(a_merge_into_few_buckets_keeps_the_great_quantiles),
        cmocka_unit_test(odd_numbers_have_a_place),
        cmocka_unit_test(damaged_bytes_are_no_sketch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
