/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/rank.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static double not_a_number(void)
{
    return (double)NAN;
}

/* ---- ranking ---- */

/* Highest score first, NaN last. */
static int compare_steps(const void *a, const void *b)
{
    float x = ((const struct tt_rank_step *)a)->score, y = ((const struct tt_rank_step *)b)->score;

    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x < y) - (x > y);
}

static bool same_score(float x, float y)
{
    return x == y || (isnan(x) && isnan(y));
}

/* Folds rows of equal score into one step, and makes the counts cumulative. */
static void accumulate(struct tt_ranking *ranking, size_t rows)
{
    struct tt_rank_step *steps = ranking->steps;
    size_t count = 0;

    for (size_t i = 0; i < rows; i++) {
        ranking->anomalous += steps[i].anomalous;
        ranking->normal += steps[i].normal;
        if (count == 0 || !same_score(steps[count - 1].score, steps[i].score))
            count++;
        steps[count - 1] =
            (struct tt_rank_step){steps[i].score, ranking->anomalous, ranking->normal};
    }
    ranking->count = count;
}

enum tt_status tt_ranking_make(const float *scores, const uint8_t *anomalous, size_t count,
                               struct tt_ranking *ret_ranking, struct tt_error *err)
{
    *ret_ranking = (struct tt_ranking){0};
    if (count == 0)
        return TT_OK;
    ret_ranking->steps = tt_calloc(count, sizeof(*ret_ranking->steps));
    if (ret_ranking->steps == NULL)
        return tt_fail(err, TT_NO_MEMORY, "rank %zu scores", count);
    for (size_t i = 0; i < count; i++)
        ret_ranking->steps[i] =
            (struct tt_rank_step){scores[i], anomalous[i] != 0, anomalous[i] == 0};
    qsort(ret_ranking->steps, count, sizeof(*ret_ranking->steps), compare_steps);
    accumulate(ret_ranking, count);
    return TT_OK;
}

void tt_ranking_done(struct tt_ranking *ranking)
{
    tt_free(ranking->steps);
    *ranking = (struct tt_ranking){0};
}

/* ---- measures ---- */

double tt_rank_roc_auc(const struct tt_ranking *ranking)
{
    double area = 0.0;
    struct tt_rank_step before = {0};

    if (ranking->anomalous == 0 || ranking->normal == 0)
        return not_a_number();
    /* Trapezoids under (false positive rate, true positive rate): a step's ties are its sloping edge. */
    for (size_t i = 0; i < ranking->count; i++) {
        const struct tt_rank_step *step = &ranking->steps[i];
        area += 0.5 * (double)(step->normal - before.normal) *
                (double)(step->anomalous + before.anomalous);
        before = *step;
    }
    return area / (double)ranking->anomalous / (double)ranking->normal;
}

double tt_rank_average_precision(const struct tt_ranking *ranking)
{
    double sum = 0.0;
    uint64_t before = 0;

    if (ranking->anomalous == 0 || ranking->normal == 0)
        return not_a_number();
    for (size_t i = 0; i < ranking->count; i++) {
        const struct tt_rank_step *step = &ranking->steps[i];
        sum += (double)(step->anomalous - before) * (double)step->anomalous /
               (double)(step->anomalous + step->normal);
        before = step->anomalous;
    }
    return sum / (double)ranking->anomalous;
}

static struct tt_rank_point point_of(const struct tt_ranking *ranking, float threshold,
                                     uint64_t anomalous, uint64_t normal)
{
    struct tt_rank_point point = {
        .threshold = threshold,
        .true_positives = anomalous,
        .false_positives = normal,
        .false_negatives = ranking->anomalous - anomalous,
        .true_negatives = ranking->normal - normal,
        .precision = not_a_number(),
        .recall = not_a_number(),
        .f1 = not_a_number(),
    };
    uint64_t wrong = point.false_positives + point.false_negatives;

    if (anomalous + normal > 0)
        point.precision = (double)anomalous / (double)(anomalous + normal);
    if (ranking->anomalous > 0)
        point.recall = (double)anomalous / (double)ranking->anomalous;
    if (anomalous + wrong > 0)
        point.f1 = 2.0 * (double)anomalous / (double)(2 * anomalous + wrong);
    return point;
}

struct tt_rank_point tt_rank_at(const struct tt_ranking *ranking, float threshold)
{
    struct tt_rank_step at = {0};

    for (size_t i = 0; i < ranking->count && ranking->steps[i].score >= threshold; i++)
        at = ranking->steps[i];
    return point_of(ranking, threshold, at.anomalous, at.normal);
}

struct tt_rank_point tt_rank_best_f1(const struct tt_ranking *ranking)
{
    struct tt_rank_point best = point_of(ranking, HUGE_VALF, 0, 0);

    for (size_t i = 0; i < ranking->count && !isnan(ranking->steps[i].score); i++) {
        const struct tt_rank_step *step = &ranking->steps[i];
        struct tt_rank_point point = point_of(ranking, step->score, step->anomalous, step->normal);
        if (ranking->anomalous > 0 && point.f1 > best.f1)
            best = point;
    }
    return best;
}

/* ---- by class ---- */

void tt_rank_by_class(const float *scores, const uint32_t *classes, size_t count, float threshold,
                      struct tt_rank_class *ret_classes, uint32_t n_classes)
{
    for (uint32_t i = 0; i < n_classes; i++)
        ret_classes[i] = (struct tt_rank_class){0};
    for (size_t i = 0; i < count; i++) {
        if (classes[i] >= n_classes)
            continue;
        ret_classes[classes[i]].rows++;
        ret_classes[classes[i]].alarms += scores[i] >= threshold;
    }
}

/* ---- histogram ---- */

static size_t bin_of(float score, size_t n)
{
    double at = (double)score * (double)n;

    if (!(at > 0.0))
        return 0;
    return at >= (double)n ? n - 1 : (size_t)at;
}

/* Pools each bin with those before it as long as their share is greater. The pool that ends in a bin keeps its rows in
 * that bin's calibrated (share) while the counts of the pool are found by walking back. */
static void calibrate(struct tt_rank_bin *bins, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t anomalous = bins[i].anomalous, rows = anomalous + bins[i].normal;
        size_t first = i;
        if (rows == 0) {
            bins[i].calibrated = i == 0 ? not_a_number() : bins[i - 1].calibrated;
            continue;
        }
        while (first > 0 && bins[first - 1].calibrated * (double)rows >= (double)anomalous) {
            first--;
            anomalous += bins[first].anomalous;
            rows += bins[first].anomalous + bins[first].normal;
        }
        for (size_t j = first; j <= i; j++)
            bins[j].calibrated = (double)anomalous / (double)rows;
    }
}

void tt_rank_histogram(const float *scores, const uint8_t *anomalous, size_t count,
                       struct tt_rank_bin *ret_bins, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret_bins[i] = (struct tt_rank_bin){0};
    for (size_t i = 0; i < count; i++) {
        struct tt_rank_bin *bin;
        if (isnan(scores[i]))
            continue;
        bin = &ret_bins[bin_of(scores[i], n)];
        bin->anomalous += anomalous[i] != 0;
        bin->normal += anomalous[i] == 0;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t rows = ret_bins[i].anomalous + ret_bins[i].normal;
        ret_bins[i].share =
            rows == 0 ? not_a_number() : (double)ret_bins[i].anomalous / (double)rows;
    }
    calibrate(ret_bins, n);
}
