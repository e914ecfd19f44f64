/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forecast_internal.h"
#include "detect/series_internal.h"

#define RATE      0.2   /* of the share; any from 0.1 to 0.4 does as well */
#define PROMPT    12.0  /* steps; errors that are known later move the rank less */
#define MAX_REACH 100.0 /* shares below 0: bounds stay finite */

/* A rank moves on for a whole horizon before it is seen what that did: the farther, the slower, or it overshoots. */
void tt_interval_init(struct interval_level *level, double coverage, uint32_t horizon)
{
    level->share = level->lower = level->upper = (1.0 - coverage) / 2.0;
    level->rate = horizon <= PROMPT ? RATE : RATE * PROMPT / horizon;
}

static void move(double *rank, double rate, double share, bool missed)
{
    *rank += rate * share * (share - (missed ? 1.0 : 0.0));
    *rank = *rank < 0.5 ? *rank : 0.5;
    *rank = *rank > -MAX_REACH * share ? *rank : -MAX_REACH * share;
}

void tt_interval_learn(struct interval_level *level, bool below, bool above)
{
    move(&level->lower, level->rate, level->share, below);
    move(&level->upper, level->rate, level->share, above);
}

void tt_interval_add_error(struct interval_errors *errors, double error)
{
    float bound = SERIES_MAX_ABS, kept = (float)error;
    uint32_t at = 0;

    kept = kept < bound ? kept : bound;
    kept = kept > -bound ? kept : -bound;
    if (errors->count < INTERVAL_ERRORS) {
        tt_sample_insert(errors->sorted, errors->count++, kept);
    } else {
        while (errors->sorted[at] != errors->in_time[errors->next])
            at++;
        tt_sample_replace(errors->sorted, INTERVAL_ERRORS, at, kept);
    }
    errors->in_time[errors->next] = kept;
    errors->next = (errors->next + 1) % INTERVAL_ERRORS;
}

/* How far beyond the extreme error a bound lies when its rank is below that of the extreme one. */
static double reach(double rank, double share, uint32_t count)
{
    double missing = 1.0 - rank * (count + 1.0); /* ranks below the extreme one */

    return missing > 0.0 ? missing / (count + 1.0) / share : 0.0;
}

void tt_interval_bounds(const struct interval_errors *errors, const struct interval_level *level,
                        double *ret_lower, double *ret_upper)
{
    uint32_t n = errors->count;
    double low, middle, high;

    *ret_lower = *ret_upper = 0.0;
    if (n == 0)
        return;
    middle = (double)tt_sample_quantile(errors->sorted, n, 0.5F);
    low = level->lower > 0.0 ? (double)tt_sample_quantile(errors->sorted, n, (float)level->lower)
                             : (double)errors->sorted[0];
    high = level->upper > 0.0
               ? (double)tt_sample_quantile(errors->sorted, n, (float)(1.0 - level->upper))
               : (double)errors->sorted[n - 1];
    *ret_lower = low - reach(level->lower, level->share, n) * (middle - low);
    *ret_upper = high + reach(level->upper, level->share, n) * (high - middle);
}
