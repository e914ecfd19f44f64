/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_REPORT_MATH_H
#define TT_CLI_REPORT_MATH_H

/*
 * The statistics of the report, on arrays of numbers. No state.
 *
 * quantile      linear interpolation between order statistics, h = (n - 1) q: type 7 of R. J. Hyndman, Y. Fan, "Sample quantiles in
 *               statistical packages", The American Statistician 50(4), 1996, which is what pandas and numpy answer.
 * effect        difference of two means of blocks with the t interval of unequal variances: m1 - m2 ± t(0.975, df) sqrt(v1/n1 + v2/n2),
 *               df = (v1/n1 + v2/n2)^2 / ((v1/n1)^2 / (n1-1) + (v2/n2)^2 / (n2-1)) (B. L. Welch, Biometrika 34, 1947). With one block on
 *               the right that block is taken as fixed (one-sample interval, df = n1 - 1); with one on the left there is no interval.
 *               Blocks, not spans, are the repeats: spans of one block share whatever else went on then.
 * superiority   the chance that a value of one sample is greater than one of another, half for a tie: Mann-Whitney's U / (n1 n2)
 *               (H. B. Mann, D. R. Whitney, Ann. Math. Stat. 18, 1947).
 * t             quantile of Student's distribution by bisection on the regularised incomplete beta function, that by its continued
 *               fraction (NIST Digital Library of Mathematical Functions, 8.17.22).
 */

#include "base/util.h"

void tt_sort_doubles(double *values, size_t n);
/* q in [0, 1]; NaN of no values. */
double tt_quantile_sorted(const double *sorted, size_t n, double q);
double tt_superiority_sorted(const double *greater, size_t n, const double *than, size_t m);

/* p in (0.5, 1), df > 0. */
double tt_student_quantile(double p, double df);

struct tt_effect {
    double estimate;
    double low, high; /* 95 %; NaN: no interval */
    size_t n_left, n_right;
};
/* Mean of left minus mean of right. NaN where a side is empty. */
struct tt_effect tt_effect_of(const double *left, size_t n_left, const double *right,
                              size_t n_right);

#endif
