/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_math.h"
#include "detect/series.h"
#include "tt_test.h"

#include <math.h>

#define STEP_NS INT64_C(300000000000)
#define START   INT64_C(1396310400000000000)

static const enum tt_series_precision TIERS[] = {TT_SERIES_LIGHT, TT_SERIES_FULL};

static struct tt_series *make(enum tt_series_precision precision, uint64_t seed)
{
    struct tt_series_options options = tt_series_options_default();
    void *memory = tt_malloc(tt_series_size(precision));

    assert_non_null(memory);
    options.precision = precision;
    return tt_series_init(memory, &options, seed);
}

/* Sum of four uniform numbers: bell-shaped, variance 1, at most 3.5 from 0. */
static double noise(struct tt_random *random)
{
    double sum = -2.0;

    for (int i = 0; i < 4; i++)
        sum += tt_random_unit(random);
    return sum * 1.7320508;
}

/* A daily triangle with noise: something for each part to learn. */
static double daily(struct tt_random *random, int64_t i)
{
    double phase = (double)(i % 288) / 288.0;

    return 100.0 + 40.0 * (phase < 0.5 ? phase : 1.0 - phase) + noise(random);
}

static struct tt_series_verdict push(struct tt_series *series, int64_t i, double value)
{
    struct tt_series_verdict verdict;

    tt_series_push(series, START + i * STEP_NS, value, &verdict);
    assert_true(verdict.score >= 0.0F && verdict.score <= 1.0F);
    assert_true(verdict.alarm_score >= 0.0F && verdict.alarm_score <= 1.0F);
    assert_true(isfinite(verdict.level) && isfinite(verdict.isolation));
    assert_true(verdict.lower_band <= verdict.upper_band);
    return verdict;
}

static void run_daily(struct tt_series *series, struct tt_random *random, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        push(series, i, daily(random, i));
}

static void a_spike_is_found_and_held_back_only_once(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);
        struct tt_random random = {7};
        struct tt_series_verdict verdict;

        run_daily(series, &random, 0, 2000);
        verdict = push(series, 2000, 190.0);
        assert_true(verdict.alarm && verdict.score > 0.7F && verdict.alarm_score >= 0.5F);
        assert_true(verdict.upper_band < 190.0F && verdict.lower_band > 80.0F);
        assert_int_equal(verdict.reason, TT_SERIES_JUDGED);
        push(series, 2001, daily(&random, 2001));
        verdict = push(series, 2002, 600.0);
        assert_true(!verdict.alarm && verdict.alarm_score == 0.0F);
        assert_int_equal(verdict.reason, TT_SERIES_HELD);
        assert_true(verdict.score > 0.5F); /* the score is not held back */
        verdict = push(series, 2003, 600.0);
        assert_false(verdict.alarm); /* not an event: it does not rise */
        tt_free(series);
    }
}

static void bands_hold_most_points_and_follow_the_season(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);
        struct tt_random random = {7};
        int outside = 0;

        run_daily(series, &random, 0, 288 * 15);
        for (int64_t i = 288 * 15; i < 288 * 20; i++) {
            double value = daily(&random, i);
            struct tt_series_verdict verdict = push(series, i, value);

            outside += value < (double)verdict.lower_band || value > (double)verdict.upper_band;
            assert_true(fabs((double)verdict.level - value) < 8.0);
        }
        assert_true(outside < 30);
        tt_free(series);
    }
}

/* A verdict depends on earlier points only: whatever comes later, and whether anything does. */
static void the_past_is_judged_without_the_future(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *whole = make(TIERS[tier], 3), *prefix = make(TIERS[tier], 3);
        struct tt_series_verdict *verdicts = tt_calloc(1500, sizeof(*verdicts));
        struct tt_random random = {5};

        for (int64_t i = 0; i < 1500; i++)
            verdicts[i] = push(whole, i, i == 900 ? 1e6 : daily(&random, i));
        random.state = 5;
        for (int64_t i = 0; i < 900; i++) {
            struct tt_series_verdict verdict = push(prefix, i, daily(&random, i));

            assert_memory_equal(&verdict, &verdicts[i], sizeof(verdict));
        }
        tt_free(verdicts);
        tt_free(prefix);
        tt_free(whole);
    }
}

static void the_seed_decides_all_chance(void **state)
{
    struct tt_series *a = make(TT_SERIES_LIGHT, 1), *b = make(TT_SERIES_LIGHT, 2);
    struct tt_random one = {5}, other = {5};
    bool differ = false;
    (void)state;

    for (int64_t i = 0; i < 3000; i++)
        differ |= push(a, i, daily(&one, i)).isolation != push(b, i, daily(&other, i)).isolation;
    assert_true(differ);
    tt_free(a);
    tt_free(b);
}

static void late_and_missing_points_leave_no_trace(void **state)
{
    static const struct {
        int64_t at;
        double value;
        uint8_t reason;
    } CASES[] = {
        {1499, 120.0, TT_SERIES_LATE},
        {1499, 119.0, TT_SERIES_LATE},
        {3, 1e9, TT_SERIES_LATE},
        {-99999, 1.0, TT_SERIES_LATE},
        {1500, (double)NAN, TT_SERIES_MISSING},
        {1500, (double)INFINITY, TT_SERIES_MISSING},
        {1500, (double)-INFINITY, TT_SERIES_MISSING},
        {3, (double)NAN, TT_SERIES_LATE},
    };
    (void)state;

    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);
        struct tt_random random = {7};
        size_t size = tt_series_size(TIERS[tier]);
        void *before = tt_malloc(size);

        run_daily(series, &random, 0, 1500);
        memcpy(before, series, size);
        for (size_t i = 0; i < TT_LENGTH(CASES); i++) {
            struct tt_series_verdict verdict = push(series, CASES[i].at, CASES[i].value);

            assert_int_equal(verdict.reason, CASES[i].reason);
            assert_false(verdict.alarm);
            assert_memory_equal(series, before, size);
        }
        assert_true(push(series, 2, 1e9).score > 0.7F); /* late, but scored */
        tt_free(before);
        tt_free(series);
    }
}

static void any_number_and_any_time_has_a_verdict(void **state)
{
    static const double VALUES[] = {0.0,   -0.0,   1e308,       -1e308,           5e-324, 1e37,
                                    -1e37, 3.4e38, (double)NAN, (double)INFINITY, 1.0,    1e-30};
    (void)state;

    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);
        struct tt_series_verdict verdict;
        struct tt_random random = {11};
        int64_t time = INT64_MIN;

        for (int i = 0; i < 3000; i++) {
            double value = VALUES[tt_random_below(&random, TT_LENGTH(VALUES))];
            uint32_t bits = 1 + tt_random_below(&random, 63);
            int64_t jump = (int64_t)(tt_random_next(&random) >> bits);

            time = time > INT64_MAX - jump ? INT64_MIN : time + jump;
            tt_series_push(series, time, value, &verdict);
            assert_true(verdict.score >= 0.0F && verdict.score <= 1.0F);
            assert_false(isnan(verdict.level) || isnan(verdict.lower_band) ||
                         isnan(verdict.upper_band) || isnan(verdict.isolation));
        }
        tt_free(series);
    }
}

static void a_constant_series_is_quiet_and_its_first_change_is_not(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);
        int alarms = 0;

        for (int64_t i = 0; i < 2000; i++)
            alarms += push(series, i, 42.0).alarm;
        assert_int_equal(alarms, 0);
        assert_true(push(series, 2000, 43.0).alarm);
        tt_free(series);
    }
}

static void the_first_points_warm_up(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1);

        for (int64_t i = 0; i < 120; i++) {
            struct tt_series_verdict verdict = push(series, i, i % 50 == 49 ? 1000.0 : 1.0);

            assert_int_equal(verdict.reason, TT_SERIES_WARMING_UP);
            assert_true(verdict.score == 0.0F && !verdict.alarm);
        }
        assert_int_not_equal(push(series, 120, 1.0).reason, TT_SERIES_WARMING_UP);
        tt_free(series);
    }
}

static void a_series_that_stopped_for_a_year_goes_on(void **state)
{
    struct tt_series *series = make(TT_SERIES_LIGHT, 1);
    struct tt_random random = {7};
    int64_t year = 105120;
    (void)state;

    run_daily(series, &random, 0, 2000);
    assert_true(push(series, 2000, 190.0).alarm);
    assert_false(push(series, 2000 + year, daily(&random, 2000 + year)).alarm);
    assert_true(push(series, 2001 + year, 600.0).alarm); /* long ago: nothing is held back */
    tt_free(series);
}

static void the_hour_is_local(void **state)
{
    struct tt_series_options options = tt_series_options_default();
    int64_t memory[2][8192];
    struct tt_series *utc, *east;
    struct tt_series_verdict a, b;
    (void)state;

    assert_true(tt_series_size(TT_SERIES_LIGHT) <= sizeof(memory[0]));
    utc = tt_series_init(memory[0], &options, 1);
    options.utc_offset_s = 3600;
    east = tt_series_init(memory[1], &options, 1);
    for (int64_t i = 0; i < 1200; i++) {
        double value = (double)(i % 288 / 12);

        tt_series_push(utc, START + i * STEP_NS, value, &a);
        tt_series_push(east, START + i * STEP_NS - 3600 * INT64_C(1000000000), value, &b);
        assert_memory_equal(&a, &b, sizeof(a));
    }
}

static void a_counter_is_judged_by_its_rate(void **state)
{
    struct tt_series_options options = tt_series_options_default();
    int64_t memory[8192];
    struct tt_series *series;
    struct tt_series_verdict verdict;
    struct tt_random random = {3};
    double total = 1e6;
    (void)state;

    options.counter = true;
    series = tt_series_init(memory, &options, 1);
    tt_series_push(series, START, total, &verdict);
    assert_int_equal(verdict.reason, TT_SERIES_MISSING); /* no rate yet */
    for (int64_t i = 1; i < 2000; i++) {
        total = i == 1000 ? 3000.0 : total + 3000.0 + 100.0 * noise(&random); /* 1000: a restart */
        tt_series_push(series, START + i * STEP_NS, total, &verdict);
        assert_true(verdict.level == 0.0F || fabs((double)verdict.level - 10.0) < 2.0);
        assert_true(i < 990 || i > 1010 || !verdict.alarm);
    }
    tt_series_push(series, START + 2000 * STEP_NS, total + 300000.0, &verdict);
    assert_true(verdict.alarm);
}

/* Alarms of 8 series without events between two ages, for each 10,000 points. */
static double alarm_rate(int64_t from, int64_t to)
{
    int alarms = 0;

    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct tt_series *series = make(TT_SERIES_LIGHT, seed);
        struct tt_random random = {seed * 1000};

        for (int64_t i = 0; i < to; i++)
            alarms += push(series, i, daily(&random, i)).alarm && i >= from;
        tt_free(series);
    }
    return 1e4 * alarms / (8.0 * (double)(to - from));
}

static void an_old_series_alarms_as_often_as_a_young_one(void **state)
{
    double young = alarm_rate(8000, 24000), old = alarm_rate(100000, 150000);
    (void)state;

    assert_true(young > 0.3);
    assert_true(old > young / 2.5 &&
                old < young * 2.5); /* a sample; the benchmark prints the figures at a million */
}

/* Ten equal spikes after a shift of the level, 6,000 points apart. */
static void the_last_of_equal_spikes_is_found_like_the_first(void **state)
{
    int found[10] = {0};
    (void)state;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct tt_series *series = make(TT_SERIES_LIGHT, seed);
        struct tt_random random = {seed * 77};

        for (int64_t i = 0; i < 64001; i++) {
            double value = (i >= 4000 ? 20.0 : 0.0) + noise(&random);
            bool spike = i > 4000 && (i - 4000) % 6000 == 0;
            bool alarm = push(series, i, spike ? 30.0 : value).alarm;

            if (spike)
                found[(i - 4000) / 6000 - 1] += alarm;
        }
        tt_free(series);
    }
    assert_true(found[0] >= 8);
    assert_true(found[9] >= 8);
}

static void a_saved_state_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1), *restored;
        void *memory = tt_malloc(tt_series_size(TIERS[tier]));
        size_t size = tt_series_saved_size(series);
        void *bytes = tt_malloc(size);
        struct tt_random random = {7};
        struct tt_error err;

        run_daily(series, &random, 0, 1700);
        tt_series_write(series, bytes);
        assert_ok(tt_series_read(bytes, size, TIERS[tier], memory, &restored, &err), &err);
        for (int64_t i = 1700; i < 2600; i++) {
            double value = i % 400 == 0 ? 300.0 : daily(&random, i);
            struct tt_series_verdict a = push(series, i, value), b = push(restored, i, value);

            assert_memory_equal(&a, &b, sizeof(a));
        }
        assert_memory_equal(series, restored, tt_series_size(TIERS[tier]));
        tt_free(bytes);
        tt_free(memory);
        tt_free(series);
    }
}

static void damaged_states_are_refused(void **state)
{
    (void)state;
    for (size_t tier = 0; tier < TT_LENGTH(TIERS); tier++) {
        struct tt_series *series = make(TIERS[tier], 1), *restored = NULL;
        void *memory = tt_malloc(tt_series_size(TIERS[tier]));
        size_t size = tt_series_saved_size(series);
        char *bytes = tt_malloc(size);
        struct tt_random random = {7};
        struct tt_error err;

        run_daily(series, &random, 0, 300);
        tt_series_write(series, bytes);
        for (size_t cut = 0; cut < size; cut += 1 + size / 50)
            assert_int_equal(tt_series_read(bytes, cut, TIERS[tier], memory, &restored, &err),
                             TT_INVALID_DATA);
        assert_int_equal(tt_series_read(bytes, size, TIERS[1 - tier], memory, &restored, &err),
                         TT_INVALID_DATA);
        for (int i = 0; i < 200; i++) {
            size_t at = i < 24 ? (size_t)i : tt_random_below(&random, (uint32_t)size);
            char was = bytes[at];

            bytes[at] = (char)(was ^ (1 << (i % 8)));
            assert_int_equal(tt_series_read(bytes, size, TIERS[tier], memory, &restored, &err),
                             TT_INVALID_DATA);
            assert_true(strlen(err.message) > 10);
            bytes[at] = was;
        }
        assert_null(restored);
        tt_free(bytes);
        tt_free(memory);
        tt_free(series);
    }
}

static void options_out_of_range_are_named(void **state)
{
    static const struct {
        struct tt_series_options options;
        const char *name;
    } CASES[] = {
        {{TT_SERIES_PRECISION_COUNT, 0, 0.5F, false}, "precision"},
        {{TT_SERIES_LIGHT, 86401, 0.5F, false}, "utc_offset"},
        {{TT_SERIES_LIGHT, -86401, 0.5F, false}, "utc_offset"},
        {{TT_SERIES_LIGHT, 0, 0.0F, false}, "threshold"},
        {{TT_SERIES_LIGHT, 0, 1.1F, false}, "threshold"},
        {{TT_SERIES_LIGHT, 0, NAN, false}, "threshold"},
    };
    struct tt_series_options options = tt_series_options_default();
    struct tt_error err;
    (void)state;

    assert_ok(tt_series_options_check(&options, &err), &err);
    for (size_t i = 0; i < TT_LENGTH(CASES); i++) {
        assert_int_equal(tt_series_options_check(&CASES[i].options, &err), TT_INVALID_DATA);
        assert_ptr_equal(strstr(err.message, CASES[i].name), err.message);
    }
}

static void states_are_as_small_as_promised(void **state)
{
    (void)state;
    assert_true(tt_series_size(TT_SERIES_LIGHT) <= 4096);
    assert_true(tt_series_size(TT_SERIES_FULL) <= 600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spike_is_found_and_held_back_only_once),
        cmocka_unit_test(bands_hold_most_points_and_follow_the_season),
        cmocka_unit_test(the_past_is_judged_without_the_future),
        cmocka_unit_test(the_seed_decides_all_chance),
        cmocka_unit_test(late_and_missing_points_leave_no_trace),
        cmocka_unit_test(any_number_and_any_time_has_a_verdict),
        cmocka_unit_test(a_constant_series_is_quiet_and_its_first_change_is_not),
        cmocka_unit_test(the_first_points_warm_up),
        cmocka_unit_test(a_series_that_stopped_for_a_year_goes_on),
        cmocka_unit_test(the_hour_is_local),
        cmocka_unit_test(a_counter_is_judged_by_its_rate),
        cmocka_unit_test(an_old_series_alarms_as_often_as_a_young_one),
        cmocka_unit_test(the_last_of_equal_spikes_is_found_like_the_first),
        cmocka_unit_test(a_saved_state_goes_on_with_the_same_bits),
        cmocka_unit_test(damaged_states_are_refused),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(states_are_as_small_as_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
