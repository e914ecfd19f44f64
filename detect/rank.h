/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_RANK_H
#define TT_DETECT_RANK_H

/*
 * How good scores are against labels.
 *
 * Rows are ranked by score, highest first. An alarm is a score >= the threshold, so rows of equal score are alarms together
 * and a curve moves at distinct scores only: no measure depends on the order in which equal rows came. NaN ranks below all
 * numbers and never is an alarm.
 *
 *   ROC AUC            the chance that a random anomalous row scores higher than a random normal one, half for a tie: the
 *                      Mann-Whitney statistic with mid-ranks (J. A. Hanley, B. J. McNeil, Radiology 143, 1982).
 *   average precision  sum over distinct scores of (recall step) * (precision there), no interpolation: the definition of
 *                      scikit-learn's average_precision_score, and of M. Zhu, "Recall, Precision and Average
 *                      Precision", Univ. of Waterloo 2004, with ties taken together.
 *   precision, recall  of the alarms, how many are anomalous; of the anomalous, how many are alarms.
 *   F1                 their harmonic mean, 2 TP / (2 TP + FP + FN) (C. J. van Rijsbergen, 1979).
 *
 * A measure that the data cannot decide (one class only, no alarm for precision) is NaN: print it as null.
 *
 * Ownership: a ranking owns its steps. Threads: no shared state. Cost: O(n log n) to rank, O(distinct scores) a measure.
 */

#include "base/error.h"

/* All rows with at least this score: cumulative counts. */
struct tt_rank_step {
    float score;
    uint64_t anomalous, normal;
};

struct tt_ranking {
    struct tt_rank_step *steps; /* one a distinct score, highest first; NaN last */
    size_t count;
    uint64_t anomalous, normal; /* rows in all */
};

/* What a threshold makes of the rows. */
struct tt_rank_point {
    float threshold;
    uint64_t true_positives, false_positives, false_negatives, true_negatives;
    double precision, recall, f1;
};

/* anomalous[i]: 0 or not 0. TT_NO_MEMORY; no rows are no error. */
enum tt_status tt_ranking_make(const float *scores, const uint8_t *anomalous, size_t count,
                               struct tt_ranking *ret_ranking, struct tt_error *err) TT_CHECKED;
void tt_ranking_done(struct tt_ranking *ranking);

double tt_rank_roc_auc(const struct tt_ranking *ranking);
double tt_rank_average_precision(const struct tt_ranking *ranking);
struct tt_rank_point tt_rank_at(const struct tt_ranking *ranking, float threshold);
/* The point of greatest F1, of equal ones that with the highest threshold. Its threshold is +infinity without an anomalous row. */
struct tt_rank_point tt_rank_best_f1(const struct tt_ranking *ranking);

/* Confusion by class: how many rows of each true class there are, and how many of them are alarms. */
struct tt_rank_class {
    uint64_t rows, alarms;
};
/* classes[i] < n_classes, others are not counted. ret_classes: n_classes entries. */
void tt_rank_by_class(const float *scores, const uint32_t *classes, size_t count, float threshold,
                      struct tt_rank_class *ret_classes, uint32_t n_classes);

/*
 * A histogram of scores in [0, 1] that says what a score is worth: bin i of n covers [i / n, (i + 1) / n), the last one
 * also 1. `calibrated` is the share of anomalous rows as the best non-decreasing function of the score (isotonic regression by
 * pooling neighbours that fall: M. Ayer et al., Ann. Math. Stat. 26, 1955; for scores: B. Zadrozny, C. Elkan, KDD 2002).
 */
struct tt_rank_bin {
    uint64_t normal, anomalous;
    double share; /* anomalous rows among the bin's; NaN when it is empty */
    double
        calibrated; /* NaN in empty bins before the first that is not; else that of the bin before */
};
/* n >= 1 bins. Scores outside [0, 1] count in the nearest bin, NaN nowhere. */
void tt_rank_histogram(const float *scores, const uint8_t *anomalous, size_t count,
                       struct tt_rank_bin *ret_bins, size_t n);

#endif
