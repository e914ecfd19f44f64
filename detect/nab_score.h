/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_NAB_SCORE_H
#define TT_DETECT_NAB_SCORE_H

/*
 * The score of the Numenta Anomaly Benchmark: early alarms inside labelled windows against false ones.
 *
 * Source.    A. Lavin, S. Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark", ICMLA
 *            2015, with the constants of NAB v1.1.
 * Alarm.     A row is an alarm when its score >= threshold. Rows of the probationary period, the first
 *            min(floor(0.15 n), 750) of a series, are not judged at all.
 * Weight.    With sigma(y) = 2 / (1 + e^(5 y)) - 1, for row i (from 0), a window of width w whose last row is b:
 *
 *                inside it      y = -(b - i + 1) / w         TP * sigma(y) / sigma(-1)      1 at the first row, above 0 at the last
 *                after it       y = (i - b) / (w - 1)        FP * sigma(y)                  0 to -FP; -FP when y >= 3
 *                before any     y = 3                        FP * -1
 *
 *            (A window of one row, for which the original divides by zero, is left at once: y = 3.) A window earns the weight
 *            of its best alarm, -FN without one; every alarm outside windows costs its own weight.
 * Score.     100 * (raw - none) / (perfect - none), raw the sum of all of the above over all series, none = -FN for each window (no
 *            alarm at all), perfect = TP for each window. It can be negative.
 * Threshold. One for all series: the one with the highest raw score among the distinct scores and infinity; of equals the highest.
 *
 * Ownership: all input is borrowed. Threads: no state.
 * Cost:      tt_nab_optimise O(n log n) and 32 bytes a row for the call; tt_nab_judge O(n).
 */

#include "base/error.h"

/* Both ends are inside. It begins at the first row with time first_ns, else the first later one, and ends at the first row
 * with time last_ns, else the last row before it: equal timestamps (a clock set back) take the first. */
struct tt_nab_window {
    int64_t first_ns, last_ns;
};

struct tt_nab_series {
    const int64_t *time_ns;
    const double *scores; /* one a row, no NaN */
    size_t count;
    const struct tt_nab_window *windows; /* ascending, disjoint */
    size_t window_count;
};

enum tt_nab_profile {
    TT_NAB_STANDARD,
    TT_NAB_LOW_FP,
    TT_NAB_LOW_FN,
    TT_NAB_PROFILE_COUNT,
};

struct tt_nab_costs {
    double true_positive, false_positive, false_negative;
};

/* TP, FP, FN: standard 1, 0.11, 1; low FP 1, 0.22, 1; low FN 1, 0.11, 2. */
struct tt_nab_costs tt_nab_profile_costs(enum tt_nab_profile profile);
/* "standard", "reward_low_FP_rate", "reward_low_FN_rate". */
const char *tt_nab_profile_name(enum tt_nab_profile profile);

struct tt_nab_result {
    double score; /* scaled, at most 100; NaN without windows */
    double raw;
    double threshold;
    uint32_t windows, windows_found;
    uint32_t windows_judged;  /* with a row after the probationary period */
    uint32_t false_positives; /* rows */
};

/* The score at a given threshold. TT_INVALID_DATA: a NaN score, a window that is inverted, overlaps, is out of order or holds no row. */
enum tt_status tt_nab_judge(const struct tt_nab_series *series, size_t count,
                            const struct tt_nab_costs *costs, double threshold,
                            struct tt_nab_result *ret_result, struct tt_error *err) TT_CHECKED;
/* The score at the best threshold for these series. Errors as above, TT_NO_MEMORY, TT_TOO_LARGE over 2^31 rows. */
enum tt_status tt_nab_optimise(const struct tt_nab_series *series, size_t count,
                               const struct tt_nab_costs *costs, struct tt_nab_result *ret_result,
                               struct tt_error *err) TT_CHECKED;

/* The scaled score of a sum of raw scores (of parts judged with thresholds of their own). */
double tt_nab_scale(double raw, uint32_t windows, uint32_t windows_judged,
                    const struct tt_nab_costs *costs);

#endif
