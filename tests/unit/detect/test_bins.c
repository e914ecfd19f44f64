/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/bins.h"
#include "forest_test.h"

#include <float.h>

static struct tt_bins learn(const float *x, size_t count, uint32_t columns)
{
    struct tt_rows rows = {x, count, columns, columns};
    struct tt_bins bins;
    struct tt_error err;

    assert_ok(tt_bins_learn(&rows, &bins, &err), &err);
    return bins;
}

static uint8_t code(const struct tt_bins *bins, uint32_t column, float x)
{
    return tt_bin_code(bins->low[column], bins->high[column], bins->scale[column], x);
}

static void spreads_a_range_evenly_over_its_bins(void **state)
{
    const float x[] = {0.0F, 253.0F};
    struct tt_bins bins = learn(x, 2, 1);

    (void)state;
    for (int i = 0; i < 253; i++)
        assert_int_equal(code(&bins, 0, (float)i + 0.5F), i + 1);
    assert_int_equal(code(&bins, 0, 0.0F), 1);
    assert_int_equal(code(&bins, 0, 253.0F), 253);
    tt_bins_done(&bins);
}

static void gives_what_training_never_saw_codes_of_its_own(void **state)
{
    static const struct {
        float x;
        uint8_t code;
    } cases[] = {
        {-1.0F, TT_BIN_BELOW}, {-FLT_MAX, TT_BIN_BELOW}, {-INFINITY, TT_BIN_BELOW},
        {11.0F, TT_BIN_ABOVE}, {FLT_MAX, TT_BIN_ABOVE},  {INFINITY, TT_BIN_ABOVE},
        {NAN, TT_BIN_MISSING}, {-NAN, TT_BIN_MISSING},
    };
    const float x[] = {0.0F, 10.0F};
    struct tt_bins bins = learn(x, 2, 1);

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_int_equal(code(&bins, 0, cases[i].x), cases[i].code);
    tt_bins_done(&bins);
}

static void clips_a_thousandth_at_either_end(void **state)
{
    float x[5000];
    struct tt_bins bins;

    (void)state;
    for (int i = 0; i < 5000; i++)
        x[i] = (float)((i * 2503) % 5000); /* 0 … 4999, shuffled */
    x[17] = 1e30F;
    x[18] = -1e30F;
    bins = learn(x, 5000, 1);
    assert_in_range((long)bins.low[0], 3, 6);
    assert_in_range((long)bins.high[0], 4993, 4996);
    tt_bins_done(&bins);
}

static void a_rare_flag_keeps_a_code_of_its_own(void **state)
{
    float x[5000] = {0};
    struct tt_bins bins;

    (void)state;
    x[4711] = 1.0F;
    bins = learn(x, 5000, 1);
    assert_int_not_equal(code(&bins, 0, 0.0F), code(&bins, 0, 1.0F));
    tt_bins_done(&bins);
}

static void columns_without_a_number_have_a_range_all_the_same(void **state)
{
    const float x[] = {NAN, INFINITY, 7.0F, NAN, -INFINITY, 7.0F};
    struct tt_bins bins = learn(x, 2, 3);

    (void)state;
    assert_int_equal(code(&bins, 0, 0.0F), 1);
    assert_int_equal(code(&bins, 0, NAN), TT_BIN_MISSING);
    assert_int_equal(code(&bins, 1, -INFINITY), TT_BIN_BELOW);
    assert_int_equal(code(&bins, 2, 7.0F), 1);
    assert_int_equal(code(&bins, 2, 7.5F), TT_BIN_ABOVE);
    assert_int_equal(code(&bins, 2, INFINITY), TT_BIN_ABOVE);
    tt_bins_done(&bins);
}

static void order_survives_whatever_the_range(void **state)
{
    static const float ranges[][2] = {
        {-FLT_MAX, FLT_MAX}, {0.0F, 1e-45F}, {1e9F, 1e9F + 64.0F}, {-1e-40F, 1e38F}, {3.0F, 3.0F}};
    struct tt_random random = {1};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(ranges); i++) {
        struct tt_bins bins = learn(ranges[i], 2, 1);
        for (int j = 0; j < 20000; j++) {
            uint32_t bits[2] = {(uint32_t)tt_random_next(&random),
                                (uint32_t)tt_random_next(&random)};
            float x[2];
            memcpy(x, bits, sizeof(x));
            if (x[0] <= x[1])
                assert_true(code(&bins, 0, x[0]) <= code(&bins, 0, x[1]));
        }
        tt_bins_done(&bins);
    }
}

static void refuses_ranges_that_are_none(void **state)
{
    static const struct tt_bin_range ranges[] = {{1.0F, 0.0F, false},
                                                 {NAN, 1.0F, false},
                                                 {0.0F, NAN, false},
                                                 {-INFINITY, 0.0F, false},
                                                 {0.0F, INFINITY, false}};
    struct tt_bins bins;
    struct tt_rows none = {NULL, 0, 0, 0};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(ranges); i++)
        assert_status(tt_bins_make(&ranges[i], 1, &bins, NULL), TT_INVALID_DATA);
    assert_status(tt_bins_learn(&none, &bins, NULL), TT_INVALID_DATA);
}

static void says_how_far_outside_a_value_is(void **state)
{
    static const struct {
        uint32_t column;
        float x;
        double outside;
    } cases[] = {
        {0, 0.0F, 0.0},     {0, 10.0F, 0.0},     {0, 20.0F, 0.5}, {0, -30.0F, 0.75},
        {0, INFINITY, 1.0}, {0, -INFINITY, 1.0}, {0, NAN, 1.0},   {1, NAN, 0.0},
        {1, 7.0F, 0.0},     {1, 7.001F, 1.0},
    };
    const float x[] = {0.0F, NAN, 10.0F, 7.0F};
    struct tt_bins bins = learn(x, 2, 2);
    const float row[] = {20.0F, 8.0F};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_true(fabs(tt_bins_outside_of(&bins, cases[i].column, cases[i].x) -
                         cases[i].outside) < 1e-12);
    assert_true(tt_bins_outside(&bins, row) == 0.75);
    tt_bins_done(&bins);
}

static void rare_gaps_are_news_and_common_ones_are_not(void **state)
{
    float x[4000] = {0};
    struct tt_bins bins;

    (void)state;
    x[17] = x[18] = NAN; /* 1 in 2,000 */
    bins = learn(x, 4000, 1);
    assert_false(bins.gaps[0]);
    tt_bins_done(&bins);
    for (size_t i = 0; i < 5; i++)
        x[i] = NAN;
    bins = learn(x, 4000, 1);
    assert_true(bins.gaps[0]);
    tt_bins_done(&bins);
}

/* Every encoder, against the definition of one value's code. */
static void all_paths_encode_alike(void **state)
{
    static tt_encode_block *const encoders[] = {tt_bins_encode_block, tt_bins_encode_avx2,
                                                tt_bins_encode_avx512};
    const bool there[] = {true, tt_forest_has_avx2(), tt_forest_has_avx512()};
    static const uint32_t widths[] = {1, 3, 16, 37};

    (void)state;
    for (size_t w = 0; w < TT_LENGTH(widths); w++) {
        uint32_t columns = widths[w];
        struct table table = table_make(61, columns, w);
        struct tt_bins bins = learn(table.x, 61, columns);
        uint8_t *tile = test_malloc(64 * columns), *block = test_malloc(64 * columns);
        table.x[0] = NAN;
        table.x[columns] = INFINITY;
        table.x[2 * columns] = -INFINITY;
        for (size_t path = 0; path < 3; path++) {
            if (!there[path])
                continue;
            encoders[path](&bins, table.x, 61, columns, tile, block);
            for (uint32_t c = 0; c < columns; c++)
                for (size_t r = 0; r < 64; r++)
                    assert_int_equal(block[c * 64 + r],
                                     code(&bins, c, table.x[(r < 61 ? r : 0) * columns + c]));
        }
        test_free(tile);
        test_free(block);
        tt_bins_done(&bins);
        table_free(&table);
    }
}

static bool learn_once(void *context)
{
    struct tt_rows *rows = context;
    struct tt_bins bins;

    if (tt_bins_learn(rows, &bins, NULL) != TT_OK)
        return false;
    tt_bins_done(&bins);
    return true;
}

static void survives_memory_running_out(void **state)
{
    struct table table = table_make(10, 3, 1);

    (void)state;
    tt_test_failing_allocations(learn_once, &table.rows);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreads_a_range_evenly_over_its_bins),
        cmocka_unit_test(gives_what_training_never_saw_codes_of_its_own),
        cmocka_unit_test(clips_a_thousandth_at_either_end),
        cmocka_unit_test(a_rare_flag_keeps_a_code_of_its_own),
        cmocka_unit_test(columns_without_a_number_have_a_range_all_the_same),
        cmocka_unit_test(order_survives_whatever_the_range),
        cmocka_unit_test(refuses_ranges_that_are_none),
        cmocka_unit_test(says_how_far_outside_a_value_is),
        cmocka_unit_test(rare_gaps_are_news_and_common_ones_are_not),
        cmocka_unit_test(all_paths_encode_alike),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("bins", tests, NULL, NULL);
}
