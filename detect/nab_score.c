/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/nab_score.h"

#include "base/mem.h"
#include "detect/forest_math.h"

#include <math.h>
#include <stdlib.h>

#define PROBATION_SHARE    0.15
#define PROBATION_MAX_ROWS 5000 /* of which the share is taken */
#define FAR_BEHIND         3.0  /* window widths */
#define NO_WINDOW          UINT32_MAX
#define MAX_ROWS           (UINT64_C(1) << 31)

/* One judged row. */
struct point {
    double score, weight;
    uint32_t window; /* among all windows of all series; NO_WINDOW: a false alarm if one */
    uint32_t order;
};

struct tally {
    double *best; /* one a window: weight of its best alarm, -FN before */
    double raw;
    uint32_t windows_found, false_positives;
};

struct points {
    struct point *point;
    size_t count;
    double *best;
    uint32_t windows, windows_judged;
};

/* First and last row of a window. */
struct span {
    size_t first, last;
};

struct tt_nab_costs tt_nab_profile_costs(enum tt_nab_profile profile)
{
    static const struct tt_nab_costs COSTS[TT_NAB_PROFILE_COUNT] = {
        [TT_NAB_STANDARD] = {1.0, 0.11, 1.0},
        [TT_NAB_LOW_FP] = {1.0, 0.22, 1.0},
        [TT_NAB_LOW_FN] = {1.0, 0.11, 2.0},
    };

    return COSTS[profile];
}

const char *tt_nab_profile_name(enum tt_nab_profile profile)
{
    static const char *const NAMES[TT_NAB_PROFILE_COUNT] = {
        [TT_NAB_STANDARD] = "standard",
        [TT_NAB_LOW_FP] = "reward_low_FP_rate",
        [TT_NAB_LOW_FN] = "reward_low_FN_rate",
    };

    return NAMES[profile];
}

static double sigma(double y)
{
    return y >= FAR_BEHIND ? -1.0 : 2.0 / (1.0 + tt_exp2(5.0 * y * 1.44269504088896340736)) - 1.0;
}

static size_t probation_rows(size_t count)
{
    return count < PROBATION_MAX_ROWS ? (size_t)(PROBATION_SHARE * (double)count)
                                      : (size_t)(PROBATION_SHARE * PROBATION_MAX_ROWS);
}

/* The first row from `from` on whose time is exactly time_ns; count when there is none. */
static size_t find_time(const struct tt_nab_series *series, size_t from, int64_t time_ns)
{
    while (from < series->count && series->time_ns[from] != time_ns)
        from++;
    return from;
}

static size_t find_first(const struct tt_nab_series *series, size_t from, int64_t time_ns)
{
    size_t row = find_time(series, from, time_ns);

    if (row < series->count)
        return row;
    for (row = from; row < series->count && series->time_ns[row] < time_ns; row++)
        ;
    return row;
}

/* One past the last row of the window that begins at `first`. */
static size_t find_end(const struct tt_nab_series *series, size_t first, int64_t time_ns)
{
    size_t row = find_time(series, first, time_ns);

    if (row < series->count)
        return row + 1;
    for (row = first; row < series->count && series->time_ns[row] <= time_ns; row++)
        ;
    return row;
}

static enum tt_status locate_window(const struct tt_nab_series *series, size_t index, size_t from,
                                    struct span *ret_span, struct tt_error *err)
{
    const struct tt_nab_window *window = &series->windows[index];
    size_t end;

    if (window->first_ns > window->last_ns)
        return tt_fail(err, TT_INVALID_DATA, "anomaly window %zu ends before it begins", index + 1);
    if (index > 0 && window->first_ns <= window[-1].last_ns)
        return tt_fail(err, TT_INVALID_DATA,
                       "anomaly window %zu overlaps the one before or is out of order", index + 1);
    ret_span->first = find_first(series, from, window->first_ns);
    end = find_end(series, ret_span->first, window->last_ns);
    if (end <= ret_span->first)
        return tt_fail(err, TT_INVALID_DATA, "anomaly window %zu holds no row of its series",
                       index + 1);
    ret_span->last = end - 1;
    return TT_OK;
}

static double weight_inside(const struct span *window, size_t row, const struct tt_nab_costs *costs)
{
    double width = (double)(window->last - window->first + 1);
    double y = -(double)(window->last - row + 1) / width;

    return sigma(y) * costs->true_positive / sigma(-1.0);
}

/* window: the last one before row, NULL when there was none. */
static double weight_outside(const struct span *window, size_t row,
                             const struct tt_nab_costs *costs)
{
    double y = FAR_BEHIND;

    if (window != NULL && window->last > window->first)
        y = (double)(row - window->last) / (double)(window->last - window->first);
    return sigma(y) * costs->false_positive;
}

static enum tt_status add_point(struct points *points, const struct tt_nab_series *series,
                                size_t row, struct point point, struct tt_error *err)
{
    if (row < probation_rows(series->count))
        return TT_OK;
    point.score = series->scores[row];
    if (isnan(point.score))
        return tt_fail(err, TT_INVALID_DATA, "row %zu has no score", row + 1);
    point.order = (uint32_t)points->count;
    points->point[points->count++] = point;
    return TT_OK;
}

static enum tt_status add_rows(struct points *points, const struct tt_nab_series *series,
                               const struct tt_nab_costs *costs, const struct span *before,
                               size_t from, size_t to, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    for (size_t row = from; row < to && status == TT_OK; row++) {
        struct point point = {.weight = weight_outside(before, row, costs), .window = NO_WINDOW};

        status = add_point(points, series, row, point, err);
    }
    return status;
}

static enum tt_status add_window(struct points *points, const struct tt_nab_series *series,
                                 const struct tt_nab_costs *costs, const struct span *window,
                                 struct tt_error *err)
{
    size_t before = points->count;
    enum tt_status status = TT_OK;

    for (size_t row = window->first; row <= window->last && status == TT_OK; row++) {
        struct point point = {.weight = weight_inside(window, row, costs),
                              .window = points->windows};

        status = add_point(points, series, row, point, err);
    }
    points->best[points->windows++] = -costs->false_negative;
    points->windows_judged += points->count > before;
    return status;
}

static enum tt_status add_series(struct points *points, const struct tt_nab_series *series,
                                 const struct tt_nab_costs *costs, struct tt_error *err)
{
    struct span window = {0, 0};
    size_t row = 0;
    enum tt_status status = TT_OK;

    for (size_t i = 0; i < series->window_count && status == TT_OK; i++) {
        struct span next = {0, 0};

        status = locate_window(series, i, row, &next, err);
        if (status == TT_OK)
            status = add_rows(points, series, costs, i > 0 ? &window : NULL, row, next.first, err);
        if (status == TT_OK)
            status = add_window(points, series, costs, &next, err);
        window = next;
        row = next.last + 1;
    }
    return status != TT_OK
               ? status
               : add_rows(points, series, costs, series->window_count > 0 ? &window : NULL, row,
                          series->count, err);
}

static void points_done(struct points *points)
{
    tt_free(points->point);
    tt_free(points->best);
}

static enum tt_status collect(const struct tt_nab_series *series, size_t count,
                              const struct tt_nab_costs *costs, struct points *ret_points,
                              struct tt_error *err)
{
    size_t rows = 0, windows = 0;
    enum tt_status status = TT_OK;

    for (size_t i = 0; i < count; i++) {
        rows += series[i].count;
        windows += series[i].window_count;
    }
    if (rows > MAX_ROWS)
        return tt_fail(err, TT_TOO_LARGE, "%zu rows are more than can be judged at once", rows);
    ret_points->point = tt_calloc(rows + 1, sizeof(*ret_points->point));
    ret_points->best = tt_calloc(windows + 1, sizeof(*ret_points->best));
    if (ret_points->point == NULL || ret_points->best == NULL)
        return tt_fail(err, TT_NO_MEMORY, "judge %zu rows", rows);
    for (size_t i = 0; i < count && status == TT_OK; i++) {
        status = add_series(ret_points, &series[i], costs, err);
        if (status != TT_OK)
            tt_error_prefix(err, "series %zu", i + 1);
    }
    return status;
}

static struct tally tally_start(const struct points *points, const struct tt_nab_costs *costs)
{
    return (struct tally){
        .best = points->best,
        .raw = -costs->false_negative * points->windows_judged,
    };
}

static void tally_alarm(struct tally *tally, const struct point *point,
                        const struct tt_nab_costs *costs)
{
    if (point->window == NO_WINDOW) {
        tally->raw += point->weight;
        tally->false_positives++;
        return;
    }
    if (point->weight > tally->best[point->window]) {
        tally->windows_found += tally->best[point->window] == -costs->false_negative;
        tally->raw += point->weight - tally->best[point->window];
        tally->best[point->window] = point->weight;
    }
}

static struct tt_nab_result tally_result(const struct tally *tally, const struct points *points,
                                         const struct tt_nab_costs *costs, double threshold)
{
    return (struct tt_nab_result){
        .score = tt_nab_scale(tally->raw, points->windows, points->windows_judged, costs),
        .raw = tally->raw,
        .threshold = threshold,
        .windows = points->windows,
        .windows_found = tally->windows_found,
        .windows_judged = points->windows_judged,
        .false_positives = tally->false_positives,
    };
}

static int by_score_descending(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static struct tt_nab_result best_threshold(struct points *points, const struct tt_nab_costs *costs)
{
    struct tally tally = tally_start(points, costs);
    struct tt_nab_result best = tally_result(&tally, points, costs, (double)INFINITY);

    qsort(points->point, points->count, sizeof(*points->point), by_score_descending);
    for (size_t i = 0; i < points->count; i++) {
        const struct point *point = &points->point[i];
        bool last_of_equals = i + 1 == points->count || points->point[i + 1].score != point->score;

        tally_alarm(&tally, point, costs);
        if (last_of_equals && tally.raw > best.raw)
            best = tally_result(&tally, points, costs, point->score);
    }
    return best;
}

enum tt_status tt_nab_judge(const struct tt_nab_series *series, size_t count,
                            const struct tt_nab_costs *costs, double threshold,
                            struct tt_nab_result *ret_result, struct tt_error *err)
{
    struct points points = {0};
    enum tt_status status = collect(series, count, costs, &points, err);

    if (status == TT_OK) {
        struct tally tally = tally_start(&points, costs);

        for (size_t i = 0; i < points.count; i++)
            if (points.point[i].score >= threshold)
                tally_alarm(&tally, &points.point[i], costs);
        *ret_result = tally_result(&tally, &points, costs, threshold);
    }
    points_done(&points);
    return status;
}

enum tt_status tt_nab_optimise(const struct tt_nab_series *series, size_t count,
                               const struct tt_nab_costs *costs, struct tt_nab_result *ret_result,
                               struct tt_error *err)
{
    struct points points = {0};
    enum tt_status status = collect(series, count, costs, &points, err);

    if (status == TT_OK)
        *ret_result = best_threshold(&points, costs);
    points_done(&points);
    return status;
}

double tt_nab_scale(double raw, uint32_t windows, uint32_t windows_judged,
                    const struct tt_nab_costs *costs)
{
    double none = -costs->false_negative * windows_judged;
    double perfect = costs->true_positive * windows;

    return windows == 0 ? (double)NAN : 100.0 * (raw - none) / (perfect - none);
}
