/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_math.h"
#include "detect/rank.h"
#include "tt_test.h"

#include <math.h>

#define MOST 400

static struct tt_ranking make(const float *scores, const uint8_t *labels, size_t count)
{
    struct tt_ranking ranking;
    struct tt_error err;

    assert_ok(tt_ranking_make(scores, labels, count, &ranking, &err), &err);
    return ranking;
}

/* The definition: every pair of an anomalous and a normal row. */
static double auc_by_pairs(const float *scores, const uint8_t *labels, size_t count)
{
    double wins = 0.0, pairs = 0.0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (!labels[i] || labels[j])
                continue;
            pairs += 1.0;
            wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
        }
    }
    return wins / pairs;
}

/* The definition: at each anomalous row the precision among rows of at least its score. */
static double precision_by_rows(const float *scores, const uint8_t *labels, size_t count)
{
    double sum = 0.0, anomalous = 0.0;

    for (size_t i = 0; i < count; i++) {
        double over = 0.0, right = 0.0;
        if (!labels[i])
            continue;
        for (size_t j = 0; j < count; j++) {
            over += scores[j] >= scores[i];
            right += scores[j] >= scores[i] && labels[j];
        }
        sum += right / over;
        anomalous += 1.0;
    }
    return sum / anomalous;
}

static void agrees_with_the_definitions_with_and_without_ties(void **state)
{
    struct tt_random random = {5};

    (void)state;
    for (int round = 0; round < 40; round++) {
        float scores[MOST];
        uint8_t labels[MOST];
        uint32_t levels = round % 2 == 0 ? 4 : 1000000;
        size_t count = 2 + tt_random_below(&random, MOST - 2);
        struct tt_ranking ranking;
        for (size_t i = 0; i < count; i++) {
            labels[i] = i == 0 || (i > 1 && tt_random_below(&random, 5) == 0);
            scores[i] = (float)tt_random_below(&random, levels) + labels[i];
        }
        ranking = make(scores, labels, count);
        assert_true(fabs(tt_rank_roc_auc(&ranking) - auc_by_pairs(scores, labels, count)) < 1e-12);
        assert_true(fabs(tt_rank_average_precision(&ranking) -
                         precision_by_rows(scores, labels, count)) < 1e-12);
        tt_ranking_done(&ranking);
    }
}

/* scikit-learn's documentation: y = 0 0 1 1, scores .1 .4 .35 .8: AUC 0.75, AP 0.8333. */
static void gives_the_textbook_example(void **state)
{
    const float scores[] = {0.1F, 0.4F, 0.35F, 0.8F};
    const uint8_t labels[] = {0, 0, 1, 1};
    struct tt_ranking ranking = make(scores, labels, 4);
    struct tt_rank_point best = tt_rank_best_f1(&ranking);

    (void)state;
    assert_true(fabs(tt_rank_roc_auc(&ranking) - 0.75) < 1e-12);
    assert_true(fabs(tt_rank_average_precision(&ranking) - 5.0 / 6) < 1e-12);
    assert_true(best.threshold == 0.35F);
    assert_int_equal(best.true_positives, 2);
    assert_int_equal(best.false_positives, 1);
    assert_true(fabs(best.f1 - 0.8) < 1e-12);
    tt_ranking_done(&ranking);
}

static void a_constant_score_is_worth_nothing(void **state)
{
    const float scores[] = {0.5F, 0.5F, 0.5F, 0.5F};
    const uint8_t labels[] = {1, 0, 0, 0}, last[] = {0, 0, 0, 1};
    struct tt_ranking first = make(scores, labels, 4), second = make(scores, last, 4);

    (void)state;
    assert_true(tt_rank_roc_auc(&first) == 0.5 && tt_rank_roc_auc(&second) == 0.5);
    assert_true(tt_rank_average_precision(&first) == 0.25);
    assert_true(tt_rank_average_precision(&second) == 0.25);
    tt_ranking_done(&first);
    tt_ranking_done(&second);
}

static void a_single_class_gives_no_number(void **state)
{
    const float scores[] = {0.1F, 0.9F};
    const uint8_t none[] = {0, 0}, all[] = {1, 1};
    struct tt_ranking normal = make(scores, none, 2), anomalous = make(scores, all, 2);
    struct tt_ranking empty = make(NULL, NULL, 0);

    (void)state;
    assert_true(isnan(tt_rank_roc_auc(&normal)) && isnan(tt_rank_average_precision(&normal)));
    assert_true(isnan(tt_rank_roc_auc(&anomalous)) && isnan(tt_rank_roc_auc(&empty)));
    assert_true(isnan(tt_rank_at(&normal, 0.5F).recall));
    assert_true(isnan(tt_rank_at(&anomalous, 2.0F).precision));
    assert_true(isinf(tt_rank_best_f1(&normal).threshold));
    tt_ranking_done(&normal);
    tt_ranking_done(&anomalous);
    tt_ranking_done(&empty);
}

static void an_alarm_is_a_score_at_or_over_the_threshold(void **state)
{
    const float scores[] = {0.2F, 0.5F, 0.5F, 0.9F, NAN};
    const uint8_t labels[] = {0, 1, 0, 1, 1};
    struct tt_ranking ranking = make(scores, labels, 5);
    struct tt_rank_point at = tt_rank_at(&ranking, 0.5F);

    (void)state;
    assert_int_equal(at.true_positives, 2);
    assert_int_equal(at.false_positives, 1);
    assert_int_equal(at.false_negatives, 1); /* NaN never is an alarm */
    assert_int_equal(at.true_negatives, 1);
    assert_true(fabs(at.precision - 2.0 / 3) < 1e-12 && fabs(at.recall - 2.0 / 3) < 1e-12);
    assert_int_equal(tt_rank_at(&ranking, -INFINITY).true_positives, 2);
    tt_ranking_done(&ranking);
}

static void counts_alarms_by_class(void **state)
{
    const float scores[] = {0.2F, 0.6F, 0.7F, 0.1F, 0.9F};
    const uint32_t classes[] = {0, 0, 1, 1, 7};
    struct tt_rank_class counts[2];

    (void)state;
    tt_rank_by_class(scores, classes, 5, 0.6F, counts, 2);
    assert_int_equal(counts[0].rows, 2);
    assert_int_equal(counts[0].alarms, 1);
    assert_int_equal(counts[1].rows, 2);
    assert_int_equal(counts[1].alarms, 1);
}

static void a_calibrated_histogram_never_falls(void **state)
{
    const float scores[] = {0.05F, 0.3F, 0.3F, 0.6F, 0.6F, 0.6F, 1.0F, 1.7F, NAN, -3.0F};
    const uint8_t labels[] = {0, 1, 0, 0, 0, 1, 1, 1, 1, 0};
    struct tt_rank_bin bins[4];

    (void)state;
    tt_rank_histogram(scores, labels, 10, bins, 4);
    assert_int_equal(bins[0].normal, 2);
    assert_true(bins[0].calibrated == 0.0);
    /* 1 of 2, then 1 of 3: pooled to 2 of 5. */
    assert_true(bins[1].share == 0.5 && bins[1].calibrated == 0.4 && bins[2].calibrated == 0.4);
    assert_int_equal(bins[3].anomalous, 2);
    assert_true(bins[3].calibrated == 1.0);
}

static void empty_bins_repeat_what_was_before(void **state)
{
    const float scores[] = {0.3F, 0.9F};
    const uint8_t labels[] = {0, 1};
    struct tt_rank_bin bins[5];

    (void)state;
    tt_rank_histogram(scores, labels, 2, bins, 5);
    assert_true(isnan(bins[0].share) && isnan(bins[0].calibrated));
    assert_true(isnan(bins[2].share) && bins[2].calibrated == 0.0 && bins[3].calibrated == 0.0);
    assert_true(bins[4].calibrated == 1.0);
}

/* The best non-decreasing fit is found by trying: max over earlier starts of the min over later ends of the mean. */
static void pools_as_isotonic_regression_does(void **state)
{
    struct tt_random random = {11};

    (void)state;
    for (int round = 0; round < 50; round++) {
        float scores[MOST];
        uint8_t labels[MOST];
        struct tt_rank_bin bins[9];
        for (size_t i = 0; i < MOST; i++) {
            scores[i] = (float)tt_random_unit(&random);
            labels[i] = tt_random_below(&random, 2) != 0;
        }
        tt_rank_histogram(scores, labels, MOST, bins, 9);
        for (size_t i = 0; i < 9; i++) {
            double most = 0.0;
            for (size_t from = 0; from <= i; from++) {
                double least = 1.0, anomalous = 0.0, rows = 0.0;
                for (size_t to = from; to < 9; to++) {
                    anomalous += (double)bins[to].anomalous;
                    rows += (double)(bins[to].anomalous + bins[to].normal);
                    if (to >= i && anomalous / rows < least)
                        least = anomalous / rows;
                }
                most = least > most ? least : most;
            }
            assert_true(fabs(bins[i].calibrated - most) < 1e-9);
        }
    }
}

static bool rank_once(void *context)
{
    const float scores[] = {0.1F, 0.2F};
    const uint8_t labels[] = {0, 1};
    struct tt_ranking ranking;

    (void)context;
    if (tt_ranking_make(scores, labels, 2, &ranking, NULL) != TT_OK)
        return false;
    tt_ranking_done(&ranking);
    return true;
}

static void survives_memory_running_out(void **state)
{
    (void)state;
    tt_test_failing_allocations(rank_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_definitions_with_and_without_ties),
        cmocka_unit_test(gives_the_textbook_example),
        cmocka_unit_test(a_constant_score_is_worth_nothing),
        cmocka_unit_test(a_single_class_gives_no_number),
        cmocka_unit_test(an_alarm_is_a_score_at_or_over_the_threshold),
        cmocka_unit_test(counts_alarms_by_class),
        cmocka_unit_test(a_calibrated_histogram_never_falls),
        cmocka_unit_test(empty_bins_repeat_what_was_before),
        cmocka_unit_test(pools_as_isotonic_regression_does),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
