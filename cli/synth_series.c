/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/synth_series.h"

#include "base/mem.h"
#include "detect/forest_math.h"

#include <math.h>
#include <stdlib.h>

#define HEALTHY_SHARE 0.15
#define MIN_SEGMENT   40  /* points an event and the health after it need */
#define DECIMALS      1e4 /* values are rounded to this part */

/* ---- names ---- */

#define NAME(name, doc)                #name,
#define BASELINE_DOC(name, doc)        doc,
#define SECOND(symbol, name, doc)      name,
#define ANOMALY_DOC(symbol, name, doc) doc,

const char *tt_synth_baseline_name(enum tt_synth_baseline baseline)
{
    static const char *const names[] = {TT_SYNTH_BASELINES(NAME)};

    return names[baseline];
}

const char *tt_synth_baseline_doc(enum tt_synth_baseline baseline)
{
    static const char *const docs[] = {TT_SYNTH_BASELINES(BASELINE_DOC)};

    return docs[baseline];
}

const char *tt_synth_anomaly_name(enum tt_synth_anomaly anomaly)
{
    static const char *const names[] = {TT_SYNTH_ANOMALIES(SECOND)};

    return names[anomaly];
}

const char *tt_synth_anomaly_doc(enum tt_synth_anomaly anomaly)
{
    static const char *const docs[] = {TT_SYNTH_ANOMALIES(ANOMALY_DOC)};

    return docs[anomaly];
}

enum tt_synth_baseline tt_synth_baseline_of(struct tt_str name)
{
    unsigned i = 0;

    while (i < TT_SYNTH_BASELINE_COUNT &&
           !tt_str_equal(name, tt_str(tt_synth_baseline_name((enum tt_synth_baseline)i))))
        i++;
    return (enum tt_synth_baseline)i;
}

enum tt_synth_anomaly tt_synth_anomaly_of(struct tt_str name)
{
    unsigned i = 0;

    while (i < TT_SYNTH_ANOMALY_COUNT &&
           !tt_str_equal(name, tt_str(tt_synth_anomaly_name((enum tt_synth_anomaly)i))))
        i++;
    return (enum tt_synth_anomaly)i;
}

bool tt_synth_goes_with(enum tt_synth_baseline baseline, enum tt_synth_anomaly anomaly)
{
    return anomaly != TT_SYNTH_season_shift ||
           (baseline != TT_SYNTH_flat && baseline != TT_SYNTH_bursty);
}

/* ---- baselines ---- */

/* What is usual in a series: anomalies are as large as this says. */
struct shape {
    double low, level, high, spread;
};

struct generator {
    const struct tt_synth_options *options;
    struct tt_random random;
    struct shape shape;
    double *values;
    const double *healthy; /* a copy of the values before any anomaly */
};

/* Bell-shaped, variance 1: a sum of twelve needs no logarithm, whose last bit differs between machines. */
static double noise(struct tt_random *random)
{
    double sum = -6.0;

    for (int i = 0; i < 12; i++)
        sum += tt_random_unit(random);
    return sum;
}

/* A sine to a thousandth, made of products only. */
static double wave(double turns)
{
    double x = turns - floor(turns), y, p;

    y = x < 0.5 ? x : x - 1.0;
    p = 8.0 * y - 16.0 * y * fabs(y);
    return p * (0.775 + 0.225 * fabs(p));
}

static double daily(const struct generator *generator, size_t i)
{
    /* Lowest at four in the morning. */
    return wave((double)i / generator->options->points_a_day - 10.0 / 24.0);
}

static double baseline_at(struct generator *generator, size_t i, double *burst)
{
    const struct tt_synth_options *options = generator->options;
    double random = 2.0 * noise(&generator->random);
    size_t day = i / options->points_a_day;

    switch (options->baseline) {
    case TT_SYNTH_daily:
        return 50.0 + 20.0 * daily(generator, i) + random;
    case TT_SYNTH_weekly:
        return 50.0 + (day % 7 < 5 ? 20.0 : 8.0) * daily(generator, i) -
               (day % 7 < 5 ? 0.0 : 10.0) + random;
    case TT_SYNTH_trend:
        return 30.0 + 30.0 * (double)i / (double)options->points + 10.0 * daily(generator, i) +
               random;
    case TT_SYNTH_bursty:
        if (tt_random_below(&generator->random, 60) == 0)
            *burst += 10.0 + 20.0 * tt_random_unit(&generator->random);
        *burst *= 0.7;
        return 10.0 + *burst + 0.5 * random;
    case TT_SYNTH_flat:
    case TT_SYNTH_given:
    case TT_SYNTH_BASELINE_COUNT:
        break;
    }
    return 50.0 + random;
}

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of a given series: its median and its tenths. */
static enum tt_status measure(struct generator *generator, size_t points, struct tt_error *err)
{
    double *sorted = tt_calloc(points + 1, sizeof(*sorted));
    size_t count = 0;

    if (sorted == NULL)
        return tt_fail(err, TT_NO_MEMORY, "measure %zu points", points);
    for (size_t i = 0; i < points; i++)
        if (isfinite(generator->values[i]))
            sorted[count++] = generator->values[i];
    qsort(sorted, count, sizeof(*sorted), compare_values);
    if (count > 0) {
        struct shape *shape = &generator->shape;
        double tenths = (sorted[count * 9 / 10] - sorted[count / 10]) / 2.0;
        shape->level = sorted[count / 2];
        shape->spread = tenths > 0.0 ? tenths : fmax(fabs(shape->level) * 0.1, 1.0);
        shape->low = fmin(sorted[0], 0.0);
        shape->high = sorted[count - 1] + 3.0 * shape->spread;
    }
    tt_free(sorted);
    return TT_OK;
}

static enum tt_status make_baseline(struct generator *generator, struct tt_error *err)
{
    double burst = 0.0;

    if (generator->options->baseline == TT_SYNTH_given)
        return measure(generator, generator->options->points, err);
    generator->shape = (struct shape){0.0, 50.0, 100.0, 10.0};
    if (generator->options->baseline == TT_SYNTH_bursty)
        generator->shape = (struct shape){0.0, 10.0, 80.0, 10.0};
    for (size_t i = 0; i < generator->options->points; i++)
        generator->values[i] = baseline_at(generator, i, &burst);
    return TT_OK;
}

/* ---- anomalies ---- */

/* An event of `length` points; `at` counts from its first. */
struct event {
    size_t first, length, at;
    uint32_t number; /* of this series, from 0 */
    double before;   /* the value before it */
};

static double cpu_spike(struct generator *g, double value)
{
    double top = g->shape.high - 0.05 * (g->shape.high - g->shape.level);

    return value + g->options->strength * (top - value) + 0.1 * g->shape.spread * noise(&g->random);
}

static double crash_loop(struct generator *g, const struct event *event, double value)
{
    double down =
        g->shape.low + 0.02 * (g->shape.level - g->shape.low) * tt_random_unit(&g->random);

    if (event->at % 8 >= 5)
        return value + 1.5 * g->options->strength * g->shape.spread;
    return value + fmin(g->options->strength, 1.0) * (down - value);
}

static double network_issue(struct generator *g, double value)
{
    double chance = tt_random_unit(&g->random), far = 2.0 + 4.0 * tt_random_unit(&g->random);

    if (chance < 0.4)
        return value + far * g->options->strength * g->shape.spread;
    if (chance < 0.6)
        return value + fmin(g->options->strength, 1.0) * 0.95 * (g->shape.low - value);
    return value;
}

static double disk_fills(struct generator *g, const struct event *event, double value)
{
    double share = (double)event->at / (0.75 * (double)event->length);

    if (share >= 1.0)
        return g->shape.high;
    return value + share * (g->shape.high - value);
}

static double flapping(struct generator *g, const struct event *event, double value)
{
    double side = event->at / 3 % 2 == 0 ? 2.5 : -2.5;

    return value + side * g->options->strength * g->shape.spread;
}

/* As much as is left of a series: what comes six hours later, from its beginning again. */
static double season_shift(const struct generator *g, size_t i)
{
    return g->healthy[(i + g->options->points_a_day / 4) % g->options->points];
}

static double change(struct generator *g, const struct event *event, size_t i)
{
    double value = g->values[i], share = (double)event->at / (double)event->length;
    double much = g->options->strength * g->shape.spread;

    switch (g->options->anomaly) {
    case TT_SYNTH_cpu_spike:
        return cpu_spike(g, value);
    case TT_SYNTH_memory_leak:
        return value + 4.0 * much * share;
    case TT_SYNTH_crash_loop:
        return crash_loop(g, event, value);
    case TT_SYNTH_network_issue:
        return network_issue(g, value);
    case TT_SYNTH_disk_fills:
        return disk_fills(g, event, value);
    case TT_SYNTH_traffic_drop:
        return g->shape.low + (value - g->shape.low) * 0.1 / fmax(g->options->strength, 0.1);
    case TT_SYNTH_latency_leak:
        return value + 0.3 * much * (tt_exp2(4.0 * share) - 1.0);
    case TT_SYNTH_flapping:
        return flapping(g, event, value);
    case TT_SYNTH_stuck_value:
        return event->before;
    case TT_SYNTH_season_shift:
        return season_shift(g, i);
    case TT_SYNTH_level_shift:
        return value + (event->number % 2 == 0 ? 3.0 : -3.0) * much;
    case TT_SYNTH_gc_thrash:
        return value + 3.0 * much * (double)(event->at % 6) / 5.0;
    case TT_SYNTH_none:
    case TT_SYNTH_ANOMALY_COUNT:
        break;
    }
    return value;
}

/* Least and greatest length, in points. */
struct lengths {
    size_t least, most;
};

static struct lengths lengths_of(const struct tt_synth_options *options)
{
    switch (options->anomaly) {
    case TT_SYNTH_cpu_spike:
        return (struct lengths){8, 24};
    case TT_SYNTH_memory_leak:
    case TT_SYNTH_disk_fills:
    case TT_SYNTH_latency_leak:
        return (struct lengths){150, 300};
    case TT_SYNTH_stuck_value:
        return (struct lengths){80, 150};
    case TT_SYNTH_season_shift:
        return (struct lengths){options->points_a_day, options->points_a_day};
    case TT_SYNTH_crash_loop:
    case TT_SYNTH_network_issue:
    case TT_SYNTH_traffic_drop:
    case TT_SYNTH_flapping:
    case TT_SYNTH_level_shift:
    case TT_SYNTH_gc_thrash:
    case TT_SYNTH_none:
    case TT_SYNTH_ANOMALY_COUNT:
        break;
    }
    return (struct lengths){40, 80};
}

/* Somewhere in its segment, at most half of it long. */
static struct event place(struct generator *g, size_t from, size_t to, uint32_t number)
{
    struct event event = {.number = number};
    struct lengths lengths = lengths_of(g->options);
    size_t room = (to - from) / 2;

    event.length =
        lengths.least + tt_random_below(&g->random, (uint32_t)(lengths.most - lengths.least + 1));
    if (event.length > room)
        event.length = room;
    event.first =
        from + tt_random_below(&g->random, (uint32_t)(to - from - event.length - room / 4));
    event.before = g->values[event.first - 1];
    return event;
}

static struct tt_synth_window add_event(struct generator *g, struct event event, size_t segment_end)
{
    struct tt_synth_window window = {event.first, event.first + event.length - 1};
    /* A level that stays does so to the end; only its beginning is news. */
    size_t end = g->options->anomaly == TT_SYNTH_level_shift ? g->options->points
                                                             : event.first + event.length;

    for (size_t i = event.first; i < end; i++, event.at++)
        g->values[i] = change(g, &event, i);
    /* A short event is noticed some points later at best. */
    if (window.last < event.first + g->options->points / 100)
        window.last = event.first + g->options->points / 100;
    if (window.last >= segment_end)
        window.last = segment_end - 1;
    return window;
}

/* ---- all ---- */

static void round_values(const struct generator *g)
{
    bool is_ours = g->options->baseline != TT_SYNTH_given;

    for (size_t i = 0; i < g->options->points; i++) {
        double scaled = g->values[i] * DECIMALS;
        if (is_ours && scaled < 0.0)
            scaled = 0.0;
        if (fabs(scaled) < 9e15) /* false for NaN */
            g->values[i] = floor(scaled + 0.5) / DECIMALS;
    }
}

static enum tt_status check(const struct tt_synth_options *options, struct tt_error *err)
{
    if (options->points < TT_SYNTH_MIN_POINTS || options->points > UINT32_MAX / 2)
        return tt_fail(err, TT_INVALID_DATA, "points: at least %d", TT_SYNTH_MIN_POINTS);
    if (options->events < 1 || options->events > TT_SYNTH_MAX_EVENTS)
        return tt_fail(err, TT_INVALID_DATA, "events: 1 to %d", TT_SYNTH_MAX_EVENTS);
    if (!(options->strength > 0.0) || options->strength > 100.0)
        return tt_fail(err, TT_INVALID_DATA, "strength: above 0, at most 100");
    if (options->points_a_day < 4)
        return tt_fail(err, TT_INVALID_DATA, "step: at most 6h");
    if (!tt_synth_goes_with(options->baseline, options->anomaly))
        return tt_fail(err, TT_INVALID_DATA, "%s cannot be seen on the baseline %s",
                       tt_synth_anomaly_name(options->anomaly),
                       tt_synth_baseline_name(options->baseline));
    return TT_OK;
}

static enum tt_status add_events(struct generator *g, struct tt_synth_window *ret_windows,
                                 size_t *ret_count, struct tt_error *err)
{
    const struct tt_synth_options *options = g->options;
    size_t begin = (size_t)((double)options->points * HEALTHY_SHARE) + 1;
    size_t segment = (options->points - begin) / options->events;

    if (options->anomaly == TT_SYNTH_none)
        return TT_OK;
    if (segment < MIN_SEGMENT)
        return tt_fail(err, TT_INVALID_DATA, "%u events need at least %zu points", options->events,
                       (size_t)options->events * MIN_SEGMENT * 6 / 5 + 2);
    for (uint32_t k = 0; k < options->events; k++) {
        size_t from = begin + k * segment;
        ret_windows[k] = add_event(g, place(g, from, from + segment, k), from + segment);
    }
    *ret_count = options->events;
    return TT_OK;
}

enum tt_status tt_synth_make(const struct tt_synth_options *options, double *values,
                             struct tt_synth_window *ret_windows, size_t *ret_count,
                             struct tt_error *err)
{
    struct generator generator = {.options = options, .values = values};
    enum tt_status status = check(options, err);
    double *healthy;

    *ret_count = 0;
    if (status != TT_OK)
        return status;
    generator.random =
        tt_random_stream(options->seed, (uint64_t)options->baseline, (uint64_t)options->anomaly);
    status = make_baseline(&generator, err);
    if (status != TT_OK)
        return status;
    healthy = tt_calloc(options->points, sizeof(*healthy));
    if (healthy == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make %zu points", options->points);
    memcpy(healthy, values, options->points * sizeof(*healthy));
    generator.healthy = healthy;
    status = add_events(&generator, ret_windows, ret_count, err);
    round_values(&generator);
    tt_free(healthy);
    return status;
}
