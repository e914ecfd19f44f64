/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_FORECAST_INTERNAL_H
#define TT_DETECT_FORECAST_INTERNAL_H

/* Adaptive conformal bounds (forecast.h): what forecast.c keeps for each horizon. */

#include "detect/forecast.h"

#define INTERVAL_ERRORS 256

/* The last errors of one horizon: in order of time (a ring) and of size. */
struct interval_errors {
    float in_time[INTERVAL_ERRORS], sorted[INTERVAL_ERRORS];
    uint32_t count, next;
};

/* Ranks of one level's bounds as shares of the errors; beyond 0 they reach outside of all errors. */
struct interval_level {
    double share, rate, lower, upper;
};

/* horizon: steps until a forecast is judged. */
void tt_interval_init(struct interval_level *level, double coverage, uint32_t horizon);
/* After a forecast matured: whether it was missed below or above. */
void tt_interval_learn(struct interval_level *level, bool below, bool above);
void tt_interval_add_error(struct interval_errors *errors, double error);
/* Bounds as distances from the forecast. */
void tt_interval_bounds(const struct interval_errors *errors, const struct interval_level *level,
                        double *ret_lower, double *ret_upper);

#endif
