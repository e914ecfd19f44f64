/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/nab_score.h"
#include "tt_test.h"

#include <math.h>

#define ROWS 100 /* 15 of them are probationary */

/* One series with a row a second and, of these, a window from row 40 to row 59. */
struct fixture {
    int64_t time_ns[ROWS];
    double scores[ROWS];
    struct tt_nab_window window[2];
    struct tt_nab_series series;
};

static void set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    for (int i = 0; i < ROWS; i++)
        fixture->time_ns[i] = i * INT64_C(1000000000);
    fixture->window[0] = (struct tt_nab_window){40000000000, 59000000000};
    fixture->series =
        (struct tt_nab_series){fixture->time_ns, fixture->scores, ROWS, fixture->window, 1};
}

static void assert_near(double a, double b)
{
    assert_true(fabs(a - b) < 1e-9);
}

static double sigma(double y)
{
    return 2.0 / (1.0 + exp(5.0 * y)) - 1.0;
}

static struct tt_nab_result judge(const struct fixture *fixture, double threshold)
{
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_STANDARD);
    struct tt_nab_result result;

    assert_int_equal(tt_nab_judge(&fixture->series, 1, &costs, threshold, &result, NULL), TT_OK);
    return result;
}

static void silence_scores_zero_and_the_first_row_of_a_window_a_hundred(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    assert_near(judge(&f, 0.5).score, 0.0);
    f.scores[40] = 1.0;
    assert_near(judge(&f, 0.5).score, 100.0);
    assert_int_equal(judge(&f, 0.5).windows_found, 1);
    assert_int_equal(judge(&f, 0.5).false_positives, 0);
}

static void rows_weigh_by_their_place(void **state)
{
    static const struct {
        int row;
        double raw; /* with one alarm there */
    } CASES[] = {
        {14, -1.0},                   /* probationary: not judged */
        {15, -1.0 - 0.11},            /* before any window */
        {39, -1.0 - 0.11},            /* likewise */
        {40, 1.0},         {50, 0.0}, /* replaced below: sigma(-10 / 20) / sigma(-1) */
        {59, 0.0},                    /* sigma(-1 / 20) / sigma(-1) */
        {60, 0.0},                    /* sigma(1 / 19) * 0.11 */
        {99, 0.0},                    /* sigma(40 / 19) * 0.11 */
    };
    (void)state;

    for (size_t i = 0; i < TT_LENGTH(CASES); i++) {
        struct fixture f;
        double expected = CASES[i].raw;

        set_up(&f);
        f.scores[CASES[i].row] = 1.0;
        if (CASES[i].row >= 50)
            expected = CASES[i].row < 60 ? sigma((CASES[i].row - 60) / 20.0) / sigma(-1.0)
                                         : -1.0 + 0.11 * sigma((CASES[i].row - 59) / 19.0);
        assert_near(judge(&f, 0.5).raw, expected);
    }
}

static void far_behind_a_window_a_false_alarm_costs_all(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    f.window[0].last_ns = 44000000000; /* five rows: y = 3 at row 56 */
    f.scores[57] = 1.0;
    assert_near(judge(&f, 0.5).raw, -1.0 - 0.11);
}

static void a_window_counts_its_best_alarm_once(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    f.scores[59] = f.scores[45] = f.scores[50] = 1.0;
    assert_near(judge(&f, 0.5).raw, sigma(-0.75) / sigma(-1.0));
    assert_int_equal(judge(&f, 0.5).windows_found, 1);
}

static void equal_timestamps_take_the_first_row(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    for (int i = 41; i < ROWS; i++)
        f.time_ns[i] -= 1000000000; /* rows 40 and 41 are both 40 s */
    f.scores[40] = 1.0;
    assert_near(judge(&f, 0.5).raw, 1.0);
}

static void a_window_between_rows_takes_those_inside(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    f.window[0] = (struct tt_nab_window){39500000000, 59500000000};
    f.scores[40] = 1.0;
    assert_near(judge(&f, 0.5).raw, 1.0);
}

static void a_window_of_one_row_is_left_at_once(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    f.window[0] = (struct tt_nab_window){40000000000, 40000000000};
    f.scores[41] = 1.0;
    assert_near(judge(&f, 0.5).raw, -1.11);
}

static void the_best_threshold_is_a_distinct_score(void **state)
{
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_STANDARD);
    struct tt_nab_result best;
    struct fixture f;
    (void)state;

    set_up(&f);
    for (int i = 0; i < ROWS; i++)
        f.scores[i] = 0.1;
    f.scores[40] = f.scores[20] = 0.7;
    f.scores[41] = 0.9;
    assert_int_equal(tt_nab_optimise(&f.series, 1, &costs, &best, NULL), TT_OK);
    assert_near(best.threshold, 0.9);
    assert_near(best.raw, judge(&f, 0.9).raw);
    for (int i = 0; i < ROWS; i++)
        f.scores[i] = i == 20 ? 0.8 : 0.0;
    assert_int_equal(tt_nab_optimise(&f.series, 1, &costs, &best, NULL), TT_OK);
    assert_true(isinf(best.threshold)); /* a false alarm is worse than none */
    assert_near(best.score, 0.0);
}

static void bad_input_is_refused(void **state)
{
    static const struct tt_nab_window BAD[][2] = {
        {{50000000000, 40000000000}, {0, 0}},
        {{40000000000, 59000000000}, {59000000000, 70000000000}},
        {{40000000000, 59000000000}, {20000000000, 30000000000}},
        {{40100000000, 40200000000}, {0, 0}},
        {{500000000000, 600000000000}, {0, 0}},
    };
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_LOW_FN);
    struct tt_nab_result result;
    struct tt_error err;
    struct fixture f;
    (void)state;

    for (size_t i = 0; i < TT_LENGTH(BAD); i++) {
        set_up(&f);
        memcpy(f.window, BAD[i], sizeof(f.window));
        f.series.window_count = BAD[i][1].last_ns != 0 ? 2 : 1;
        assert_int_equal(tt_nab_judge(&f.series, 1, &costs, 0.5, &result, &err), TT_INVALID_DATA);
        assert_non_null(strstr(err.message, "series 1: anomaly window"));
    }
    set_up(&f);
    f.scores[70] = (double)NAN;
    assert_int_equal(tt_nab_optimise(&f.series, 1, &costs, &result, &err), TT_INVALID_DATA);
    tt_mem_fail_after(1);
    assert_int_equal(tt_nab_optimise(&f.series, 1, &costs, &result, &err), TT_NO_MEMORY);
    tt_mem_fail_after(0);
}

static void without_windows_there_is_no_score(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f);
    f.series.window_count = 0;
    assert_true(isnan(judge(&f, 0.5).score));
    f.series.count = 0;
    assert_true(isnan(judge(&f, 0.5).score));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_scores_zero_and_the_first_row_of_a_window_a_hundred),
        cmocka_unit_test(rows_weigh_by_their_place),
        cmocka_unit_test(far_behind_a_window_a_false_alarm_costs_all),
        cmocka_unit_test(a_window_counts_its_best_alarm_once),
        cmocka_unit_test(equal_timestamps_take_the_first_row),
        cmocka_unit_test(a_window_between_rows_takes_those_inside),
        cmocka_unit_test(a_window_of_one_row_is_left_at_once),
        cmocka_unit_test(the_best_threshold_is_a_distinct_score),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(without_windows_there_is_no_score),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
