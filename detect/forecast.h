/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_FORECAST_H
#define TT_DETECT_FORECAST_H

/*
 * What a series will be at given horizons, and between which bounds: level, trend and up to two seasons, learnt point by point.
 *
 * Models.    Exponential smoothing in its error-correction form (R. J. Hyndman, A. B. Koehler, J. K. Ord, R. D. Snyder, "Forecasting
 *            with Exponential Smoothing", Springer 2008; two seasons: J. W. Taylor, "Short-term electricity demand forecasting using
 *            double seasonal exponential smoothing", JORS 54, 2003):
 *
 *                y^ = l + phi b + s1[i] + s2[j]      e = y - y^
 *                l += phi b + alpha e      b = phi b + beta e      s1[i] += gamma e      s2[j] += gamma e
 *
 *            About thirty members of the family run side by side: with and without damped trend and seasons, slow and fast, down to
 *            the naive ones (the last value; the value one season ago). Errors beyond four times the usual one are cut for
 *            learning, so that a spike does not become the level (S. Gelper, R. Fried, C. Croux, "Robust forecasting with exponential and
 *            Holt-Winters smoothing", J. Forecasting 29, 2010).
 * Choice.    For each horizon a weighted mean of the members, with weights (least error / error)^16, the error being the exponentially
 *            forgotten mean absolute error of that member at that horizon.
 * Bounds.    Adaptive conformal prediction (I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift", NeurIPS 2021),
 *            each side by itself: the bound is a quantile of the last 256 errors at this horizon, whose rank moves by
 *            gamma (beta - missed) with every matured forecast. Whatever the series does, the share of misses converges to beta; a
 *            plain rolling quantile keeps that promise on stationary series only.
 *
 * Time.      An argument in ns. Points fall into steps; a missing step is passed over. A point in a step that was already seen, or an earlier
 *            one, is ignored, as are values that are not finite. After more than ten thousand missing steps the trend is gone.
 * Causal:    a forecast depends on the points pushed before it.
 * Bits:      + - * / only: equal on every machine. A state is its bytes; copy them to save it.
 * Ownership: the caller's memory holds the state, without pointers. Threads: one at a time.
 * Cost:      about 1 us a point with two horizons; memory 112 bytes a step of both seasons, 80 a step of each horizon, and 35 KB: 290 KB for a
 *            day and a week of 5-minute steps (tests/bench/bench_forecast.py prints time and quality beside others).
 */

#include "base/error.h"

#define TT_FORECAST_MAX_SEASON   100000 /* steps */
#define TT_FORECAST_MAX_HORIZON  100000
#define TT_FORECAST_MAX_HORIZONS 8
#define TT_FORECAST_MAX_LEVELS   4

struct tt_forecast_options {
    int64_t step_ns;                            /* > 0 */
    uint32_t season[2];                         /* steps, 0: none; the shorter one first */
    uint32_t horizon[TT_FORECAST_MAX_HORIZONS]; /* steps ahead, >= 1 */
    uint32_t horizons;                          /* how many, >= 1 */
    double level[TT_FORECAST_MAX_LEVELS];       /* share of the points between the bounds, (0, 1) */
    uint32_t levels;                            /* how many, >= 1 */
};

struct tt_forecast_point {
    int64_t time_ns;
    double yhat;
    double lower[TT_FORECAST_MAX_LEVELS], upper[TT_FORECAST_MAX_LEVELS];
};

struct tt_forecast;

/* Steps of 5 minutes, a day and a week, 1 and 12 steps ahead, bounds for 80 and 95 %. */
struct tt_forecast_options tt_forecast_options_default(void);
/* TT_INVALID_DATA with the option's name and range. */
enum tt_status tt_forecast_options_check(const struct tt_forecast_options *options,
                                         struct tt_error *err) TT_CHECKED;

/* Bytes of a state, a multiple of 8. options: checked. */
size_t tt_forecast_size(const struct tt_forecast_options *options);
/* Makes an empty state in memory (8-byte aligned). */
struct tt_forecast *tt_forecast_init(void *memory, const struct tt_forecast_options *options);

/* Learns one point. False when it was ignored (late, duplicate, no number). */
bool tt_forecast_push(struct tt_forecast *forecast, int64_t time_ns, double value);

/* The forecast for options.horizon[which] steps after the newest point. Before the first point: NaN. */
void tt_forecast_at(const struct tt_forecast *forecast, uint32_t which,
                    struct tt_forecast_point *ret_point);

#endif
