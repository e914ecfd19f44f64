/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/synth_series.h"
#include "tt_test.h"

#include <math.h>

#define POINTS 4032

struct made {
    double values[POINTS];
    struct tt_synth_window windows[128];
    size_t count;
};

static struct tt_synth_options options_of(unsigned baseline, unsigned anomaly)
{
    return (struct tt_synth_options){.baseline = (enum tt_synth_baseline)baseline,
                                     .anomaly = (enum tt_synth_anomaly)anomaly,
                                     .points = POINTS,
                                     .points_a_day = 288,
                                     .events = 3,
                                     .strength = 1.0,
                                     .seed = 7};
}

static void make(const struct tt_synth_options *options, struct made *made)
{
    struct tt_error err;

    for (size_t i = 0; options->baseline == TT_SYNTH_given && i < POINTS; i++)
        made->values[i] = i == 100 ? (double)NAN : 1000.0 + (double)(i * 37 % 101);
    assert_ok(tt_synth_make(options, made->values, made->windows, &made->count, &err), &err);
}

/* Calls check for every pair that goes together. */
static void for_all(void (*check)(const struct tt_synth_options *options, struct made *made))
{
    struct made *made = tt_calloc(1, sizeof(*made));

    assert_non_null(made);
    for (unsigned b = 0; b < TT_SYNTH_BASELINE_COUNT; b++) {
        for (unsigned a = 0; a < TT_SYNTH_ANOMALY_COUNT; a++) {
            struct tt_synth_options options = options_of(b, a);
            if (tt_synth_goes_with(options.baseline, options.anomaly))
                check(&options, made);
        }
    }
    tt_free(made);
}

static void check_windows(const struct tt_synth_options *options, struct made *made)
{
    size_t end = POINTS * 15 / 100;

    make(options, made);
    assert_int_equal(made->count, options->anomaly == TT_SYNTH_none ? 0 : 3);
    for (size_t k = 0; k < made->count; k++) {
        assert_true(made->windows[k].first > end);
        assert_true(made->windows[k].last >= made->windows[k].first);
        end = made->windows[k].last;
    }
    assert_true(end < POINTS);
    for (size_t i = 0; i < POINTS; i++)
        assert_true(isfinite(made->values[i]) ? made->values[i] >= 0.0
                                              : options->baseline == TT_SYNTH_given && i == 100);
}

static void windows_are_disjoint_and_leave_the_beginning_alone(void **state)
{
    (void)state;
    for_all(check_windows);
}

static void check_changes(const struct tt_synth_options *options, struct made *made)
{
    struct tt_synth_options healthy = *options;
    struct made *plain = tt_calloc(1, sizeof(*plain));
    size_t changed = 0, outside = 0, k = 0;

    assert_non_null(plain);
    make(options, made);
    /* A baseline draws first, from a stream of this anomaly: what no event touches is what it was before. */
    healthy.strength = 1e-9;
    make(&healthy, plain);
    for (size_t i = 0; i < POINTS; i++) {
        bool differs = fabs(made->values[i] - plain->values[i]) > 1e-6;
        while (k < made->count && i > made->windows[k].last)
            k++;
        changed += differs ? 1 : 0;
        outside += differs && (k == made->count || i < made->windows[k].first) ? 1 : 0;
    }
    if (options->anomaly != TT_SYNTH_level_shift)
        assert_int_equal(outside, 0);
    if (options->anomaly == TT_SYNTH_cpu_spike || options->anomaly == TT_SYNTH_memory_leak ||
        options->anomaly == TT_SYNTH_flapping || options->anomaly == TT_SYNTH_level_shift)
        assert_true(changed > 20);
    tt_free(plain);
}

static void only_windows_differ_from_the_healthy_series(void **state)
{
    (void)state;
    for_all(check_changes);
}

static void check_repeats(const struct tt_synth_options *options, struct made *made)
{
    struct tt_synth_options other = *options;
    struct made *again = tt_calloc(1, sizeof(*again));

    assert_non_null(again);
    make(options, made);
    make(options, again);
    assert_memory_equal(made->values, again->values, sizeof(made->values));
    assert_int_equal(made->count, again->count);
    if (made->count > 0)
        assert_memory_equal(made->windows, again->windows, made->count * sizeof(made->windows[0]));
    other.seed++;
    make(&other, again);
    if (options->baseline != TT_SYNTH_given)
        assert_memory_not_equal(made->values, again->values, sizeof(made->values));
    tt_free(again);
}

static void the_same_seed_gives_the_same_bits_and_another_does_not(void **state)
{
    (void)state;
    for_all(check_repeats);
}

/* FNV-1a over the bytes of all series: who changes it changes what everybody's seeds mean. */
static void bits_are_those_of_every_other_machine(void **state)
{
    struct made *made = tt_calloc(1, sizeof(*made));
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    (void)state;
    assert_non_null(made);
    for (unsigned b = 0; b < TT_SYNTH_given; b++) {
        for (unsigned a = 0; a < TT_SYNTH_ANOMALY_COUNT; a++) {
            struct tt_synth_options options = options_of(b, a);
            if (!tt_synth_goes_with(options.baseline, options.anomaly))
                continue;
            make(&options, made);
            for (size_t i = 0; i < sizeof(made->values); i++)
                hash = (hash ^ ((const unsigned char *)made->values)[i]) * UINT64_C(0x100000001b3);
        }
    }
    tt_free(made);
    assert_int_equal(hash, UINT64_C(0xbf9ced121ff2b459));
}

static double extreme(const struct made *made, const struct tt_synth_window *window, bool greatest)
{
    double found = made->values[window->first];

    for (size_t i = window->first; i <= window->last; i++)
        found = greatest ? fmax(found, made->values[i]) : fmin(found, made->values[i]);
    return found;
}

static void faults_look_like_what_they_are_called(void **state)
{
    struct made *made = tt_calloc(1, sizeof(*made));
    struct tt_synth_options options;

    (void)state;
    assert_non_null(made);
    options = options_of(TT_SYNTH_flat, TT_SYNTH_cpu_spike);
    make(&options, made);
    assert_true(extreme(made, &made->windows[0], true) > 90.0);
    options.anomaly = TT_SYNTH_crash_loop;
    make(&options, made);
    assert_true(extreme(made, &made->windows[1], false) < 2.0);
    options.anomaly = TT_SYNTH_disk_fills;
    make(&options, made);
    assert_true(extreme(made, &made->windows[2], true) == 100.0);
    options.anomaly = TT_SYNTH_stuck_value;
    make(&options, made);
    assert_true(extreme(made, &made->windows[0], true) == extreme(made, &made->windows[0], false));
    options.anomaly = TT_SYNTH_traffic_drop;
    make(&options, made);
    assert_true(extreme(made, &made->windows[0], false) < 10.0);
    options.anomaly = TT_SYNTH_none;
    make(&options, made);
    for (size_t i = 0; i < POINTS; i++)
        assert_true(made->values[i] > 35.0 && made->values[i] < 65.0);
    tt_free(made);
}

static void options_out_of_bounds_are_refused(void **state)
{
    static const struct {
        size_t points;
        uint32_t points_a_day, events;
        double strength;
        enum tt_synth_baseline baseline;
        enum tt_synth_anomaly anomaly;
        const char *message;
    } cases[] = {
        {199, 288, 1, 1.0, TT_SYNTH_flat, TT_SYNTH_none, "points: "},
        {400, 3, 1, 1.0, TT_SYNTH_flat, TT_SYNTH_none, "step: "},
        {400, 288, 0, 1.0, TT_SYNTH_flat, TT_SYNTH_none, "events: "},
        {400, 288, 1001, 1.0, TT_SYNTH_flat, TT_SYNTH_none, "events: "},
        {400, 288, 1, 0.0, TT_SYNTH_flat, TT_SYNTH_none, "strength: "},
        {400, 288, 1, (double)NAN, TT_SYNTH_flat, TT_SYNTH_none, "strength: "},
        {400, 288, 9, 1.0, TT_SYNTH_flat, TT_SYNTH_cpu_spike, "9 events need at least 434 points"},
        {400, 288, 1, 1.0, TT_SYNTH_flat, TT_SYNTH_season_shift, "cannot be seen"},
        {400, 288, 1, 1.0, TT_SYNTH_bursty, TT_SYNTH_season_shift, "cannot be seen"},
    };
    struct made *made = tt_calloc(1, sizeof(*made));
    struct tt_error err;

    (void)state;
    assert_non_null(made);
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_synth_options options = {cases[i].baseline,
                                           cases[i].anomaly,
                                           cases[i].points,
                                           cases[i].points_a_day,
                                           cases[i].events,
                                           cases[i].strength,
                                           1};
        assert_status(tt_synth_make(&options, made->values, made->windows, &made->count, &err),
                      TT_INVALID_DATA);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.message);
    }
    tt_free(made);
}

static void the_fewest_points_are_enough_for_their_events(void **state)
{
    struct made *made = tt_calloc(1, sizeof(*made));

    (void)state;
    assert_non_null(made);
    for (unsigned a = 0; a < TT_SYNTH_ANOMALY_COUNT; a++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct tt_synth_options options = options_of(TT_SYNTH_daily, a);
            options.points = 434;
            options.events = 9;
            options.seed = seed;
            make(&options, made);
            for (size_t k = 0; k < made->count; k++)
                assert_true(made->windows[k].last < 434);
        }
    }
    tt_free(made);
}

static void many_short_events_have_windows_apart(void **state)
{
    struct made *made = tt_calloc(1, sizeof(*made));
    struct tt_synth_options options = options_of(TT_SYNTH_flat, TT_SYNTH_cpu_spike);

    (void)state;
    assert_non_null(made);
    options.events = 80;
    make(&options, made);
    assert_int_equal(made->count, 80);
    for (size_t k = 1; k < made->count; k++)
        assert_true(made->windows[k].first > made->windows[k - 1].last);
    assert_true(made->windows[79].last < POINTS);
    tt_free(made);
}

static void names_are_found_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TT_SYNTH_BASELINE_COUNT; i++)
        assert_int_equal(
            tt_synth_baseline_of(tt_str(tt_synth_baseline_name((enum tt_synth_baseline)i))), i);
    for (unsigned i = 0; i < TT_SYNTH_ANOMALY_COUNT; i++)
        assert_int_equal(
            tt_synth_anomaly_of(tt_str(tt_synth_anomaly_name((enum tt_synth_anomaly)i))), i);
    assert_int_equal(tt_synth_anomaly_of(TT_STR("cpu")), TT_SYNTH_ANOMALY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_disjoint_and_leave_the_beginning_alone),
        cmocka_unit_test(only_windows_differ_from_the_healthy_series),
        cmocka_unit_test(the_same_seed_gives_the_same_bits_and_another_does_not),
        cmocka_unit_test(bits_are_those_of_every_other_machine),
        cmocka_unit_test(faults_look_like_what_they_are_called),
        cmocka_unit_test(options_out_of_bounds_are_refused),
        cmocka_unit_test(the_fewest_points_are_enough_for_their_events),
        cmocka_unit_test(many_short_events_have_windows_apart),
        cmocka_unit_test(names_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
