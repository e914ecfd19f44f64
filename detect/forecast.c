/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forecast.h"

#include "base/util.h"
#include "detect/forecast_internal.h"

#include <math.h>
#include <string.h>

#define DAMPING      0.98
#define TREND_SHARE  0.1  /* beta / alpha */
#define ERROR_RATE   0.02 /* of the newest error in its mean */
#define HORIZON_RATE 0.05 /* the same for matured forecasts, which are fewer */
#define CUT_ERRORS   4.0  /* times the usual one */
#define CUT_MEAN \
    20.0 /* root mean square differences of two points: more does not count for a member's mean error */
#define CHANGE_RATE 0.002
#define MAX_GAP     10000
#define MAX_PENDING 8 /* forecasts of each member that wait for a horizon */
#define NEEDED      3 /* matured ones before a member is judged by them */
#define MAX_ABS     1e37

/* One member of the family. seasons: bit 0 the shorter, bit 1 the longer. gain: alpha; season_gain: gamma. */
struct member {
    double gain, season_gain;
    uint8_t seasons;
    bool trend;
};

#define MEMBERS 28

static const struct member MEMBER[MEMBERS] = {
    {0.05, 0, 0, false},   {0.2, 0, 0, false},     {0.5, 0, 0, false},    {1.0, 0, 0, false},
    {0.05, 0, 0, true},    {0.2, 0, 0, true},      {0.5, 0, 0, true},     {1.0, 0, 0, true},
    {0.02, 0.1, 1, false}, {0.1, 0.1, 1, false},   {0.4, 0.1, 1, false},  {0.9, 0.1, 1, false},
    {0.02, 0.3, 1, false}, {0.1, 0.3, 1, false},   {0.4, 0.3, 1, false},  {0.1, 0.1, 1, true},
    {0.0, 1.0, 1, false},  {0.0, 1.0, 2, false},   {0.02, 0.1, 2, false}, {0.1, 0.2, 2, false},
    {0.4, 0.2, 2, false},  {0.02, 0.05, 3, false}, {0.1, 0.05, 3, false}, {0.4, 0.05, 3, false},
    {0.9, 0.05, 3, false}, {0.02, 0.2, 3, false},  {0.1, 0.2, 3, false},  {0.4, 0.2, 3, false},
};

struct member_state {
    double level, trend;
    double error; /* mean absolute one-step error */
};

/* One forecast that was given out. */
struct issued {
    int64_t step; /* it is for */
    double yhat, lower[TT_FORECAST_MAX_LEVELS], upper[TT_FORECAST_MAX_LEVELS];
};

struct horizon {
    struct interval_errors errors;
    struct interval_level level[TT_FORECAST_MAX_LEVELS];
    double member_error[MEMBERS];
    uint64_t matured; /* forecasts of the members */
    int64_t pending_step[MAX_PENDING];
    double pending[MAX_PENDING][MEMBERS];
};

/* After it: issued[horizon] for each horizon, then float seasons[members][season 1 + season 2]. */
struct tt_forecast {
    struct tt_forecast_options options;
    int64_t origin_ns, step; /* the newest step */
    uint64_t points;
    double newest;
    double change; /* mean square of the difference of two points, forgotten slowly */
    struct member_state member[MEMBERS];
    struct horizon horizon[TT_FORECAST_MAX_HORIZONS];
    struct issued issued[];
};

struct tt_forecast_options tt_forecast_options_default(void)
{
    return (struct tt_forecast_options){
        .step_ns = INT64_C(300000000000),
        .season = {288, 2016},
        .horizon = {1, 12},
        .horizons = 2,
        .level = {0.8, 0.95},
        .levels = 2,
    };
}

static enum tt_status check_lists(const struct tt_forecast_options *options, struct tt_error *err)
{
    for (uint32_t i = 0; i < options->horizons; i++)
        if (options->horizon[i] < 1 || options->horizon[i] > TT_FORECAST_MAX_HORIZON)
            return tt_fail(err, TT_INVALID_DATA, "horizon: %u steps is not from 1 to %d",
                           (unsigned)options->horizon[i], TT_FORECAST_MAX_HORIZON);
    for (uint32_t i = 0; i < options->levels; i++)
        if (!(options->level[i] > 0.0 && options->level[i] < 1.0))
            return tt_fail(err, TT_INVALID_DATA, "level: %g is not in (0, 1)", options->level[i]);
    return TT_OK;
}

enum tt_status tt_forecast_options_check(const struct tt_forecast_options *options,
                                         struct tt_error *err)
{
    if (options->step_ns < 1)
        return tt_fail(err, TT_INVALID_DATA, "step: %lld ns is not positive",
                       (long long)options->step_ns);
    for (int i = 0; i < 2; i++)
        if (options->season[i] == 1 || options->season[i] > TT_FORECAST_MAX_SEASON)
            return tt_fail(err, TT_INVALID_DATA, "season: %u steps is not 0 or from 2 to %d",
                           (unsigned)options->season[i], TT_FORECAST_MAX_SEASON);
    if (options->horizons < 1 || options->horizons > TT_FORECAST_MAX_HORIZONS)
        return tt_fail(err, TT_INVALID_DATA, "horizons: %u is not from 1 to %d",
                       (unsigned)options->horizons, TT_FORECAST_MAX_HORIZONS);
    if (options->levels < 1 || options->levels > TT_FORECAST_MAX_LEVELS)
        return tt_fail(err, TT_INVALID_DATA, "levels: %u is not from 1 to %d",
                       (unsigned)options->levels, TT_FORECAST_MAX_LEVELS);
    return check_lists(options, err);
}

static size_t issued_count(const struct tt_forecast_options *options)
{
    size_t count = 0;

    for (uint32_t i = 0; i < options->horizons; i++)
        count += options->horizon[i];
    return count;
}

size_t tt_forecast_size(const struct tt_forecast_options *options)
{
    size_t seasons = MEMBERS * ((size_t)options->season[0] + options->season[1]) * sizeof(float);

    return sizeof(struct tt_forecast) + issued_count(options) * sizeof(struct issued) +
           (seasons + 7) / 8 * 8;
}

static float *season_of(const struct tt_forecast *forecast, size_t member, int which)
{
    const struct tt_forecast_options *options = &forecast->options;
    float *seasons = (float *)(uintptr_t)(forecast->issued + issued_count(options));

    return seasons + member * ((size_t)options->season[0] + options->season[1]) +
           (which > 0 ? options->season[0] : 0);
}

struct tt_forecast *tt_forecast_init(void *memory, const struct tt_forecast_options *options)
{
    struct tt_forecast *forecast = memory;

    memset(forecast, 0, tt_forecast_size(options));
    forecast->options = *options;
    for (size_t i = 0; i < issued_count(options); i++)
        forecast->issued[i].step = INT64_MIN;
    for (uint32_t h = 0; h < options->horizons; h++) {
        for (uint32_t i = 0; i < options->levels; i++)
            tt_interval_init(&forecast->horizon[h].level[i], options->level[i],
                             options->horizon[h]);
        for (int i = 0; i < MAX_PENDING; i++)
            forecast->horizon[h].pending_step[i] = INT64_MIN;
    }
    return forecast;
}

/* Within what a float can hold. */
static double bounded(double value)
{
    value = value < MAX_ABS ? value : MAX_ABS;
    return value > -MAX_ABS ? value : -MAX_ABS;
}

/* Whether the options have all seasons of a member. */
static bool usable(const struct tt_forecast *forecast, size_t i)
{
    for (int which = 0; which < 2; which++)
        if ((MEMBER[i].seasons >> which & 1) != 0 && forecast->options.season[which] == 0)
            return false;
    return true;
}

static double seasons_at(const struct tt_forecast *forecast, size_t i, int64_t step)
{
    double sum = 0.0;

    for (int which = 0; which < 2; which++)
        if ((MEMBER[i].seasons >> which & 1) != 0)
            sum += (double)season_of(forecast, i, which)[step % forecast->options.season[which]];
    return sum;
}

/* Sum of phi^1 … phi^h: how far a damped trend goes. */
static double damped_steps(uint32_t h)
{
    double sum = 0.0, power = 1.0;

    for (uint32_t i = 0; i < h && power > 1e-9; i++) {
        power *= DAMPING;
        sum += power;
    }
    return sum;
}

static double predict(const struct tt_forecast *forecast, size_t i, uint32_t h, double trend_steps)
{
    return forecast->member[i].level + trend_steps * forecast->member[i].trend +
           seasons_at(forecast, i, forecast->step + h);
}

/* A season learns as a running mean until its gain is reached; the longer of two takes from what the others leave. */
static void learn_seasons(struct tt_forecast *forecast, size_t i, int64_t step, double error)
{
    const struct member *member = &MEMBER[i];
    double left = 1.0 - member->gain;

    for (int which = 0; which < 2; which++) {
        uint32_t length = forecast->options.season[which];
        uint64_t seasons_seen;
        double gain;
        float *at;

        if ((member->seasons >> which & 1) == 0)
            continue;
        seasons_seen = forecast->points / length; /* whole ones */
        gain = 1.0 / ((double)seasons_seen + 1.0);
        gain = left * (member->season_gain > gain ? member->season_gain : gain);
        left -= gain;
        at = &season_of(forecast, i, which)[step % length];
        *at = (float)bounded((double)*at + gain * error);
    }
}

static double cut(double error, double bound)
{

    if (bound <= 0.0)
        return error;
    error = error < bound ? error : bound;
    return error > -bound ? error : -bound;
}

/* Mean absolute error after one more, cut: after a spike all members would look equally bad. */
static double learn_error(const struct tt_forecast *forecast, double mean, double error,
                          double rate)
{
    return mean + rate * (fabs(cut(error, CUT_MEAN * sqrt(forecast->change))) - mean);
}

static double rate_of(uint64_t count, double least)
{
    double rate = 1.0 / (double)count;

    return rate > least ? rate : least;
}

/* steps: since the last point. */
static void learn_member(struct tt_forecast *forecast, size_t i, int64_t step, int64_t steps,
                         double value)
{
    const struct member *member = &MEMBER[i];
    struct member_state *state = &forecast->member[i];
    double error = value - state->level - DAMPING * state->trend - seasons_at(forecast, i, step);
    double gain = member->gain, learnt = error, least = 1.0 / (double)forecast->points;

    if (gain < 1.0 && member->season_gain < 1.0 && forecast->points > 20)
        learnt = cut(error, CUT_ERRORS * state->error);
    state->error =
        learn_error(forecast, state->error, error, rate_of(forecast->points, ERROR_RATE));
    if (gain > 0.0 && gain < least)
        gain = least;
    state->level = bounded(state->level + DAMPING * state->trend + gain * learnt);
    state->trend *= DAMPING;
    /* An error after a gap is the sum of many steps' trends. */
    if (member->trend)
        state->trend = bounded(state->trend + TREND_SHARE * gain * learnt / (double)steps);
    learn_seasons(forecast, i, step, learnt);
}

/* The members' forecasts that wait for this step are judged; passed ones are dropped. */
static void judge_members(struct tt_forecast *forecast, struct horizon *horizon, double value)
{
    for (int p = 0; p < MAX_PENDING; p++) {
        double rate;

        if (horizon->pending_step[p] != forecast->step)
            continue;
        horizon->matured++;
        rate = rate_of(horizon->matured, HORIZON_RATE);
        for (size_t i = 0; i < MEMBERS; i++)
            horizon->member_error[i] = learn_error(forecast, horizon->member_error[i],
                                                   value - horizon->pending[p][i], rate);
    }
}

/* A new forecast of each member every h / 8 steps, or every step. */
static void ask_members(struct tt_forecast *forecast, struct horizon *horizon, uint32_t h)
{
    uint32_t every = h / MAX_PENDING > 0 ? h / MAX_PENDING : 1;
    double trend_steps;
    int slot;

    if (forecast->step % every != 0)
        return;
    slot = (int)(forecast->step / every % MAX_PENDING);
    if (horizon->pending_step[slot] > forecast->step)
        return;
    trend_steps = damped_steps(h);
    horizon->pending_step[slot] = forecast->step + h;
    for (size_t i = 0; i < MEMBERS; i++)
        horizon->pending[slot][i] =
            usable(forecast, i) ? predict(forecast, i, h, trend_steps) : 0.0;
}

static double error_of(const struct tt_forecast *forecast, const struct horizon *horizon, size_t i)
{
    return horizon->matured >= NEEDED ? horizon->member_error[i] : forecast->member[i].error;
}

/* Weighted mean of the members. */
static double combine(const struct tt_forecast *forecast, const struct horizon *horizon, uint32_t h)
{
    double best = INFINITY, sum = 0.0, weights = 0.0, trend_steps = damped_steps(h);

    for (size_t i = 0; i < MEMBERS; i++)
        if (usable(forecast, i) && error_of(forecast, horizon, i) < best)
            best = error_of(forecast, horizon, i);
    for (size_t i = 0; i < MEMBERS; i++) {
        double error = error_of(forecast, horizon, i), weight;

        if (!usable(forecast, i) || error > 3.0 * best)
            continue;
        weight = error > 0.0 ? best / error : 1.0;
        weight *= weight;
        weight *= weight;
        weight *= weight;
        weight *= weight;
        sum += weight * predict(forecast, i, h, trend_steps);
        weights += weight;
    }
    return weights > 0.0 ? sum / weights : 0.0;
}

static void judge_issued(struct tt_forecast *forecast, struct horizon *horizon,
                         const struct issued *issued, double value)
{
    if (issued->step != forecast->step)
        return;
    for (uint32_t i = 0; i < forecast->options.levels; i++)
        tt_interval_learn(&horizon->level[i], value<issued->lower[i], value> issued->upper[i]);
    tt_interval_add_error(&horizon->errors, value - issued->yhat);
}

/* Each level follows its own misses: wider ones are kept outside of narrower ones. */
static void nest(const struct tt_forecast_options *options, struct issued *issued)
{
    for (uint32_t i = 0; i < options->levels; i++) {
        for (uint32_t k = 0; k < options->levels; k++) {
            if (options->level[k] >= options->level[i])
                continue;
            if (issued->lower[k] < issued->lower[i])
                issued->lower[i] = issued->lower[k];
            if (issued->upper[k] > issued->upper[i])
                issued->upper[i] = issued->upper[k];
        }
    }
}

static void issue(const struct tt_forecast *forecast, const struct horizon *horizon, uint32_t h,
                  struct issued *ret_issued)
{
    ret_issued->step = forecast->step + h;
    ret_issued->yhat = combine(forecast, horizon, h);
    for (uint32_t i = 0; i < forecast->options.levels; i++) {
        tt_interval_bounds(&horizon->errors, &horizon->level[i], &ret_issued->lower[i],
                           &ret_issued->upper[i]);
        ret_issued->lower[i] += ret_issued->yhat;
        ret_issued->upper[i] += ret_issued->yhat;
    }
    nest(&forecast->options, ret_issued);
}

/* Where the forecast for `step` at a horizon is kept. */
static size_t slot_of(const struct tt_forecast_options *options, uint32_t which, int64_t step)
{
    size_t slot = (size_t)(step % options->horizon[which]);

    for (uint32_t i = 0; i < which; i++)
        slot += options->horizon[i];
    return slot;
}

/* Passes over steps without a point. */
static void skip(struct tt_forecast *forecast, int64_t steps)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        struct member_state *state = &forecast->member[i];

        for (int64_t k = 0; k < steps && k < MAX_GAP && state->trend != 0.0; k++) {
            state->trend *= DAMPING;
            state->level += state->trend;
        }
        if (steps >= MAX_GAP)
            state->trend = 0.0;
    }
}

static int64_t step_of(const struct tt_forecast *forecast, int64_t time_ns)
{
    uint64_t since = (uint64_t)time_ns - (uint64_t)forecast->origin_ns;
    uint64_t step_ns = (uint64_t)forecast->options.step_ns;

    if (time_ns < forecast->origin_ns)
        return -1;
    /* To the nearest step; half of what is representable is plenty of steps. */
    return (int64_t)((since / step_ns + (since % step_ns > step_ns / 2)) & INT64_MAX >> 1);
}

static void start(struct tt_forecast *forecast, int64_t time_ns, double value)
{
    forecast->origin_ns = time_ns;
    forecast->newest = value;
    for (size_t i = 0; i < MEMBERS; i++)
        forecast->member[i].level = value;
}

static void learn_change(struct tt_forecast *forecast, double value)
{
    double change = value - forecast->newest;

    forecast->change +=
        rate_of(forecast->points, CHANGE_RATE) * (change * change - forecast->change);
    forecast->newest = value;
}

bool tt_forecast_push(struct tt_forecast *forecast, int64_t time_ns, double value)
{
    const struct tt_forecast_options *options = &forecast->options;
    int64_t step, steps = 1;

    if (!isfinite(value))
        return false;
    value = bounded(value);
    if (forecast->points == 0)
        start(forecast, time_ns, value);
    step = step_of(forecast, time_ns);
    if (forecast->points > 0) {
        if (step <= forecast->step)
            return false;
        steps = step - forecast->step;
        skip(forecast, steps - 1);
    }
    forecast->step = step;
    forecast->points++;
    for (uint32_t which = 0; which < options->horizons; which++) {
        judge_members(forecast, &forecast->horizon[which], value);
        judge_issued(forecast, &forecast->horizon[which],
                     &forecast->issued[slot_of(options, which, step)], value);
    }
    for (size_t i = 0; i < MEMBERS; i++)
        if (usable(forecast, i))
            learn_member(forecast, i, step, steps, value);
    learn_change(forecast, value);
    for (uint32_t which = 0; which < options->horizons; which++) {
        struct horizon *horizon = &forecast->horizon[which];

        ask_members(forecast, horizon, options->horizon[which]);
        issue(forecast, horizon, options->horizon[which],
              &forecast->issued[slot_of(options, which, step)]);
    }
    return true;
}

void tt_forecast_at(const struct tt_forecast *forecast, uint32_t which,
                    struct tt_forecast_point *ret_point)
{
    const struct tt_forecast_options *options = &forecast->options;
    const struct issued *issued = &forecast->issued[slot_of(options, which, forecast->step)];
    uint64_t ahead;

    memset(ret_point, 0, sizeof(*ret_point));
    ret_point->yhat = (double)NAN;
    for (uint32_t i = 0; i < options->levels; i++)
        ret_point->lower[i] = ret_point->upper[i] = (double)NAN;
    if (forecast->points == 0)
        return;
    ahead = (uint64_t)(forecast->step + options->horizon[which]) * (uint64_t)options->step_ns;
    ret_point->time_ns = (int64_t)((uint64_t)forecast->origin_ns + ahead);
    ret_point->yhat = issued->yhat;
    memcpy(ret_point->lower, issued->lower, options->levels * sizeof(double));
    memcpy(ret_point->upper, issued->upper, options->levels * sizeof(double));
}
