/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forecast.h"
#include "detect/forest_math.h"
#include "tt_test.h"

#include <math.h>

#define SECOND INT64_C(1000000000)

static struct tt_forecast_options small_options(void)
{
    struct tt_forecast_options options = tt_forecast_options_default();

    options.step_ns = SECOND;
    options.season[0] = 24;
    options.season[1] = 168;
    return options;
}

static struct tt_forecast *make(const struct tt_forecast_options *options)
{
    struct tt_error err;
    void *memory;

    assert_ok(tt_forecast_options_check(options, &err), &err);
    memory = tt_malloc(tt_forecast_size(options));
    assert_non_null(memory);
    return tt_forecast_init(memory, options);
}

static double noise(struct tt_random *random)
{
    double sum = -2.0;

    for (int i = 0; i < 4; i++)
        sum += tt_random_unit(random);
    return sum * 1.7320508;
}

/* A day, a weekend, a slow trend. */
static double signal_at(int64_t i)
{
    double hour = (double)(i % 24);

    return 100.0 + (hour < 12.0 ? hour : 24.0 - hour) * 2.0 + (i / 24 % 7 < 5 ? 10.0 : 0.0) +
           0.01 * (double)i;
}

/* Mean absolute errors of the two horizons over [from, to), pushing signal + size * noise. */
static void run(struct tt_forecast *forecast, const struct tt_forecast_options *options,
                double size, int64_t from, int64_t to, double ret_errors[2])
{
    struct tt_random random = {9};
    struct tt_forecast_point point;

    ret_errors[0] = ret_errors[1] = 0.0;
    for (int64_t i = 0; i < to; i++) {
        assert_true(tt_forecast_push(forecast, i * SECOND, signal_at(i) + size * noise(&random)));
        for (uint32_t h = 0; h < 2 && i >= from; h++) {
            tt_forecast_at(forecast, h, &point);
            assert_true(point.time_ns == (i + options->horizon[h]) * SECOND);
            assert_true(point.lower[1] <= point.lower[0] && point.lower[0] <= point.upper[0]);
            assert_true(point.upper[0] <= point.upper[1]);
            ret_errors[h] +=
                fabs(point.yhat - signal_at(i + options->horizon[h])) / (double)(to - from);
        }
    }
}

static void level_trend_and_both_seasons_are_learnt(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    double errors[2];
    (void)state;

    run(forecast, &options, 1.0, 168 * 8, 168 * 12, errors);
    assert_true(errors[0] < 0.9 && errors[1] < 1.3); /* last week's value: 1.9 */
    tt_free(forecast);
}

static void what_is_not_there_is_not_chosen(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    struct tt_forecast_point point;
    (void)state;

    for (int64_t i = 0; i < 3000; i++)
        tt_forecast_push(forecast, i * SECOND, 42.0);
    tt_forecast_at(forecast, 1, &point);
    assert_true(fabs(point.yhat - 42.0) < 1e-6);
    assert_true(fabs(point.lower[1] - 42.0) < 1e-6 && fabs(point.upper[1] - 42.0) < 1e-6);
    tt_free(forecast);
}

/* The spread grows fivefold half-way and the level jumps: what a rolling quantile of old errors would miss. */
static void bounds_keep_their_promise_when_the_series_changes(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    double inside[2][2] = {{0}}, count = 0.0, *values = tt_calloc(6012, sizeof(*values));
    struct tt_random random = {4};
    (void)state;

    for (int i = 0; i < 6012; i++)
        values[i] =
            signal_at(i) + (i > 3000 ? 5.0 : 1.0) * noise(&random) + (i > 4500 ? 40.0 : 0.0);
    for (int64_t i = 0; i < 6000; i++) {
        tt_forecast_push(forecast, i * SECOND, values[i]);
        for (uint32_t h = 0; h < 2 && i >= 1000; h++) {
            struct tt_forecast_point point;
            double value = values[i + options.horizon[h]];

            tt_forecast_at(forecast, h, &point);
            for (int k = 0; k < 2; k++)
                inside[h][k] += value >= point.lower[k] && value <= point.upper[k];
        }
        count += i >= 1000;
    }
    for (int h = 0; h < 2; h++) {
        assert_true(fabs(inside[h][0] / count - 0.80) < 0.03);
        assert_true(fabs(inside[h][1] / count - 0.95) < 0.03);
    }
    tt_free(values);
    tt_free(forecast);
}

/* A forecast for tomorrow is judged tomorrow: a day of misses must not widen the bounds of the day after beyond use. */
static void bounds_of_a_far_horizon_do_not_run_away(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_random random = {5};
    struct tt_forecast_point point;
    struct tt_forecast *forecast;
    double widest = 0.0;

    (void)state;
    options.season[0] = 288;
    options.season[1] = 0;
    options.horizons = 1;
    options.horizon[0] = 288;
    forecast = make(&options);
    for (int64_t i = 0; i < 20 * 288; i++) {
        double hour = (double)(i % 288) / 12.0;
        double value = 50.0 + (hour < 12.0 ? hour : 24.0 - hour) * 3.0;
        tt_forecast_push(forecast, i * SECOND, value + 2.0 * noise(&random));
        tt_forecast_at(forecast, 0, &point);
        if (i >= 10 * 288)
            widest = fmax(widest, point.upper[1] - point.lower[1]);
    }
    /* Twice the noise of 2 on both sides would be 8. */
    assert_in_range((uint64_t)widest, 6, 24);
    tt_free(forecast);
}

static void a_spike_does_not_become_the_level(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    struct tt_forecast_point point;
    double errors[2];
    (void)state;

    run(forecast, &options, 1.0, 1, 168 * 6, errors);
    tt_forecast_push(forecast, 168 * 6 * SECOND, 5000.0);
    tt_forecast_at(forecast, 1, &point);
    assert_true(fabs(point.yhat - signal_at(168 * 6 + 12)) < 15.0);
    tt_free(forecast);
}

static void late_doubled_and_missing_points_leave_no_trace(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    size_t size = tt_forecast_size(&options);
    void *before = tt_malloc(size);
    double errors[2];
    (void)state;

    run(forecast, &options, 1.0, 1, 500, errors);
    memcpy(before, forecast, size);
    assert_false(tt_forecast_push(forecast, 499 * SECOND, 1.0));
    assert_false(tt_forecast_push(forecast, 499 * SECOND + 1, 1.0));
    assert_false(tt_forecast_push(forecast, 3 * SECOND, 1.0));
    assert_false(tt_forecast_push(forecast, -5 * SECOND, 1.0));
    assert_false(tt_forecast_push(forecast, INT64_MIN, 1.0));
    assert_false(tt_forecast_push(forecast, 500 * SECOND, (double)NAN));
    assert_false(tt_forecast_push(forecast, 500 * SECOND, (double)-INFINITY));
    assert_memory_equal(forecast, before, size);
    tt_free(before);
    tt_free(forecast);
}

static void gaps_keep_the_season_in_step(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    struct tt_forecast_point point;
    double errors[2];
    int64_t after = 168 * 8 + 24 * 30 + 7;
    (void)state;

    run(forecast, &options, 0.1, 1, 168 * 8, errors);
    tt_forecast_push(forecast, after * SECOND, signal_at(after));
    tt_forecast_at(forecast, 1, &point);
    assert_true(fabs(point.yhat - signal_at(after + 12)) < 12.0);
    assert_true(point.time_ns == (after + 12) * SECOND);
    tt_free(forecast);
}

static void a_forecast_depends_on_earlier_points_only(void **state)
{
    struct tt_forecast_options options = small_options();
    struct tt_forecast *whole = make(&options), *prefix = make(&options);
    struct tt_forecast_point kept, point;
    struct tt_random random = {3};
    (void)state;

    for (int64_t i = 0; i < 800; i++) {
        tt_forecast_push(whole, i * SECOND, signal_at(i) + noise(&random));
        if (i == 399)
            tt_forecast_at(whole, 1, &kept);
    }
    random.state = 3;
    for (int64_t i = 0; i < 400; i++)
        tt_forecast_push(prefix, i * SECOND, signal_at(i) + noise(&random));
    tt_forecast_at(prefix, 1, &point);
    assert_memory_equal(&point, &kept, sizeof(point));
    tt_free(whole);
    tt_free(prefix);
}

static void any_number_and_any_time_is_taken(void **state)
{
    static const double VALUES[] = {0.0, 1e308, -1e308, 5e-324, 1.0, -1.0, 1e37};
    struct tt_forecast_options options = small_options();
    struct tt_forecast *forecast = make(&options);
    struct tt_forecast_point point;
    struct tt_random random = {11};
    int64_t time = INT64_MIN;
    (void)state;

    tt_forecast_at(forecast, 0, &point);
    assert_true(isnan(point.yhat) && isnan(point.lower[0]));
    for (int i = 0; i < 3000; i++) {
        uint32_t bits = 8 + tt_random_below(&random, 56);
        int64_t jump = (int64_t)(tt_random_next(&random) >> bits);

        time = time > INT64_MAX - jump ? time : time + jump;
        (void)tt_forecast_push(forecast, time, VALUES[tt_random_below(&random, TT_LENGTH(VALUES))]);
        tt_forecast_at(forecast, i & 1, &point);
        assert_true(isfinite(point.yhat) && isfinite(point.lower[1]) && isfinite(point.upper[1]));
    }
    tt_free(forecast);
}

static void options_out_of_range_are_named(void **state)
{
    struct tt_forecast_options bad[8];
    static const char *const NAMES[] = {"step",  "season", "season",   "horizon",
                                        "level", "level",  "horizons", "levels"};
    struct tt_error err;
    (void)state;

    for (size_t i = 0; i < TT_LENGTH(bad); i++)
        bad[i] = tt_forecast_options_default();
    bad[0].step_ns = 0;
    bad[1].season[0] = 1;
    bad[2].season[1] = TT_FORECAST_MAX_SEASON + 1;
    bad[3].horizon[1] = 0;
    bad[4].level[0] = 1.0;
    bad[5].level[1] = (double)NAN;
    bad[6].horizons = TT_FORECAST_MAX_HORIZONS + 1;
    bad[7].levels = 0;
    for (size_t i = 0; i < TT_LENGTH(bad); i++) {
        assert_int_equal(tt_forecast_options_check(&bad[i], &err), TT_INVALID_DATA);
        assert_ptr_equal(strstr(err.message, NAMES[i]), err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_trend_and_both_seasons_are_learnt),
        cmocka_unit_test(what_is_not_there_is_not_chosen),
        cmocka_unit_test(bounds_keep_their_promise_when_the_series_changes),
        cmocka_unit_test(bounds_of_a_far_horizon_do_not_run_away),
        cmocka_unit_test(a_spike_does_not_become_the_level),
        cmocka_unit_test(late_doubled_and_missing_points_leave_no_trace),
        cmocka_unit_test(gaps_keep_the_season_in_step),
        cmocka_unit_test(a_forecast_depends_on_earlier_points_only),
        cmocka_unit_test(any_number_and_any_time_is_taken),
        cmocka_unit_test(options_out_of_range_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
