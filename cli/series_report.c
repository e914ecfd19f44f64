/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/series_report.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "cli/chart.h"
#include "cli/evaluate.h"
#include "cli/progress.h"
#include "model/windows.h"

#include <math.h>
#include <stdio.h>

#define SHOW_EVERY 1024 /* points */
#define FLUSH_AT   ((size_t)1 << 20)
#define MAX_OUT    ((size_t)64 << 20)
#define MAX_LISTED 200 /* alarms in the text */
#define GAP_STEPS  10  /* so many usual steps without a point are shown as a gap */

static const char *const tier_names[] = {"light", "full"};

/* ---- scoring ---- */

static bool make_arrays(struct tt_series_report *report)
{
    size_t count = report->file->count + 1;

    report->score = tt_calloc(count, sizeof(double));
    report->level = tt_calloc(count, sizeof(double));
    report->lower = tt_calloc(count, sizeof(double));
    report->upper = tt_calloc(count, sizeof(double));
    report->reason = tt_calloc(count, 1);
    report->alarm = tt_calloc(count, 1);
    return report->score != NULL && report->level != NULL && report->lower != NULL &&
           report->upper != NULL && report->reason != NULL && report->alarm != NULL;
}

static void score_points(struct tt_series_report *report, struct tt_series *series)
{
    const struct tt_series_file *file = report->file;
    struct tt_series_verdict verdict;
    struct tt_progress progress;

    tt_progress_start(&progress, "scoring", "points");
    for (size_t i = 0; i < file->count; i++) {
        tt_series_push(series, file->time_ns[i], file->values[i], &verdict);
        report->score[i] = (double)verdict.score;
        report->level[i] = (double)verdict.level;
        report->lower[i] = (double)verdict.lower_band;
        report->upper[i] = (double)verdict.upper_band;
        report->reason[i] = verdict.reason;
        report->alarm[i] = verdict.alarm;
        report->alarms += verdict.alarm ? 1 : 0;
        if (i % SHOW_EVERY == 0)
            tt_progress_show(&progress, (double)i / (double)file->count, i);
    }
    tt_progress_end(&progress);
    report->alarms_outside = report->alarms;
}

enum tt_status tt_series_report_make(struct tt_series_report *report, struct tt_error *err)
{
    void *memory = tt_malloc(tt_series_size(report->options.precision));

    if (memory == NULL || !make_arrays(report)) {
        tt_free(memory);
        return tt_fail(err, TT_NO_MEMORY, "score %zu points", report->file->count);
    }
    score_points(report, tt_series_init(memory, &report->options, report->seed));
    tt_free(memory);
    return TT_OK;
}

void tt_series_report_done(struct tt_series_report *report)
{
    tt_free(report->score);
    tt_free(report->level);
    tt_free(report->lower);
    tt_free(report->upper);
    tt_free(report->reason);
    tt_free(report->alarm);
    tt_free(report->spans);
    *report = (struct tt_series_report){0};
}

/* ---- labels ---- */

static void add_to_spans(struct tt_series_report *report, const struct tt_label_window *window,
                         bool continues, size_t i)
{
    struct tt_series_span *span;

    if (!continues) {
        if (report->n_spans == TT_SERIES_REPORT_MAX_SPANS)
            return;
        span = &report->spans[report->n_spans++];
        span->first = i;
        (void)snprintf(span->name, sizeof(span->name), "%.*s", TT_STR_ARG(window->label.type));
    }
    span = &report->spans[report->n_spans - 1];
    span->last = i;
    if (!report->alarm[i])
        return;
    report->alarms_outside--;
    report->n_found += span->is_found ? 0 : 1;
    span->is_found = true;
}

static void find_spans(struct tt_series_report *report, const struct tt_label_snapshot *snapshot,
                       struct tt_str service)
{
    const struct tt_label_window *before = NULL;

    for (size_t i = 0; i < report->file->count; i++) {
        const struct tt_label_window *window =
            tt_label_snapshot_find(snapshot, (uint64_t)report->file->time_ns[i], service);
        if (window != NULL && !tt_label_is_anomalous(window->label.type))
            window = NULL;
        if (window != NULL)
            add_to_spans(report, window, window == before, i);
        before = window;
    }
}

enum tt_status tt_series_report_label(struct tt_series_report *report, const char *path,
                                      struct tt_str service, struct tt_error *err)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_label_snapshot *snapshot;
    enum tt_status status;

    report->spans = tt_calloc(TT_SERIES_REPORT_MAX_SPANS, sizeof(*report->spans));
    if (windows == NULL || report->spans == NULL) {
        tt_label_windows_free(windows);
        return tt_fail(err, TT_NO_MEMORY, "read %s", path);
    }
    status = tt_label_windows_load(windows, path, err);
    if (status == TT_OK) {
        snapshot = tt_label_windows_snapshot(windows);
        find_spans(report, snapshot, service);
        tt_label_snapshot_unref(snapshot);
        report->has_windows = true;
    }
    tt_label_windows_free(windows);
    return status;
}

/* ---- JSON ---- */

static void put_time(struct tt_buffer *out, int64_t time_ns)
{
    int digits = time_ns % TT_SECOND == 0 ? 0 : time_ns % TT_MILLISECOND == 0 ? 3 : 9;
    char text[32];

    tt_buffer_append(out, text, tt_time_format((uint64_t)time_ns, digits, text));
}

static void put_point(const struct tt_series_report *report, size_t i, size_t *span,
                      struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("{\"timestamp\":\""));
    put_time(out, report->file->time_ns[i]);
    tt_buffer_append_byte(out, '"');
    tt_evaluate_put(out, "value", report->file->values[i]);
    tt_evaluate_put(out, "score", report->score[i]);
    tt_evaluate_put(out, "level", report->level[i]);
    tt_evaluate_put(out, "lower_band", report->lower[i]);
    tt_evaluate_put(out, "upper_band", report->upper[i]);
    tt_buffer_printf(out, ",\"alarm\":%s,\"reason\":\"%s\"", report->alarm[i] ? "true" : "false",
                     tt_series_reason_name((enum tt_series_reason)report->reason[i]));
    if (report->has_windows) {
        while (*span < report->n_spans && report->spans[*span].last < i)
            (*span)++;
        tt_buffer_append_str(out, *span < report->n_spans && report->spans[*span].first <= i
                                      ? TT_STR(",\"label\":1")
                                      : TT_STR(",\"label\":0"));
    }
    tt_buffer_append_str(out, TT_STR("}\n"));
}

enum tt_status tt_series_report_write_json(const struct tt_series_report *report, int fd,
                                           struct tt_error *err)
{
    enum tt_status status = TT_OK;
    struct tt_buffer out;
    size_t span = 0;

    tt_buffer_init(&out, MAX_OUT);
    for (size_t i = 0; i < report->file->count && status == TT_OK; i++) {
        put_point(report, i, &span, &out);
        if (out.len < FLUSH_AT && i + 1 < report->file->count)
            continue;
        status = tt_buffer_check(&out, "print points", err);
        if (status == TT_OK)
            status = tt_write_all(fd, tt_buffer_view(&out), err);
        tt_buffer_clear(&out);
    }
    tt_buffer_done(&out);
    return status;
}

/* ---- text ---- */

static void put_number(struct tt_buffer *out, double value)
{
    struct tt_buffer text;

    tt_buffer_init(&text, 64);
    tt_chart_put_value(&text, TT_CHART_NUMBER, value);
    tt_buffer_printf(out, " %12.*s", (int)text.len, text.len > 0 ? text.data : "");
    tt_buffer_done(&text);
}

static void put_alarm(const struct tt_series_report *report, size_t i, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("  "));
    put_time(out, report->file->time_ns[i]);
    put_number(out, report->file->values[i]);
    put_number(out, report->level[i]);
    put_number(out, report->lower[i]);
    put_number(out, report->upper[i]);
    tt_buffer_printf(out, " %8.3f\n", report->score[i]);
}

static void put_alarms(const struct tt_series_report *report, struct tt_buffer *out)
{
    size_t listed = 0;

    if (report->alarms > 0)
        tt_buffer_printf(out, "  %-20s %12s %12s %12s %12s %8s\n", "alarm", "value", "level",
                         "lower band", "upper band", "score");
    for (size_t i = 0; i < report->file->count && listed < MAX_LISTED; i++) {
        if (!report->alarm[i])
            continue;
        put_alarm(report, i, out);
        listed++;
    }
    if (listed < report->alarms)
        tt_buffer_printf(out, "  … and %zu more\n", report->alarms - listed);
}

static void put_extent(const struct tt_series_file *file, struct tt_buffer *out)
{
    char step[32];

    if (file->count == 0)
        return;
    (void)tt_duration_format(tt_series_file_step(file), step);
    tt_buffer_append_str(out, TT_STR(" from "));
    put_time(out, file->time_ns[0]);
    tt_buffer_append_str(out, TT_STR(" to "));
    put_time(out, file->time_ns[file->count - 1]);
    tt_buffer_printf(out, ", mostly every %s", step);
}

void tt_series_report_text(const struct tt_series_report *report, struct tt_buffer *out)
{
    const struct tt_series_file *file = report->file;

    tt_buffer_printf(out, "%.*s: %zu points", TT_STR_ARG(report->name), file->count);
    put_extent(file, out);
    tt_buffer_append_byte(out, '\n');
    if (file->missing + file->late + file->equal > 0)
        tt_buffer_printf(
            out,
            "  %zu without a number (not scored), %zu earlier than one before and %zu at the same time (scored, not learnt)\n",
            file->missing, file->late, file->equal);
    tt_buffer_printf(out, "  %s tier, seed %llu, threshold %.3g: %zu alarms\n",
                     tier_names[report->options.precision], (unsigned long long)report->seed,
                     (double)report->options.threshold, report->alarms);
    if (report->has_windows && report->n_spans == 0)
        tt_buffer_append_str(out, TT_STR("  no labelled window concerns this series\n"));
    else if (report->has_windows)
        tt_buffer_printf(out,
                         "  %zu of %zu labelled windows have an alarm, %zu alarms are outside\n",
                         report->n_found, report->n_spans, report->alarms_outside);
    put_alarms(report, out);
}

/* ---- picture ---- */

struct picture {
    double *x, *alarm_x, *alarm_y;
    struct tt_chart_window *windows;
    size_t n_alarms, n_windows;
    double gap;
};

static bool fill_picture(const struct tt_series_report *report, struct picture *picture)
{
    const struct tt_series_file *file = report->file;
    int64_t step_ns = tt_series_file_step(file);

    picture->x = tt_calloc(file->count + 1, sizeof(double));
    picture->alarm_x = tt_calloc(report->alarms + 1, sizeof(double));
    picture->alarm_y = tt_calloc(report->alarms + 1, sizeof(double));
    picture->windows = tt_calloc(report->n_spans + 1, sizeof(*picture->windows));
    if (picture->x == NULL || picture->alarm_x == NULL || picture->alarm_y == NULL ||
        picture->windows == NULL)
        return false;
    picture->gap = (double)step_ns * GAP_STEPS;
    for (size_t i = 0; i < file->count; i++) {
        picture->x[i] = (double)file->time_ns[i];
        if (!report->alarm[i])
            continue;
        picture->alarm_x[picture->n_alarms] = picture->x[i];
        picture->alarm_y[picture->n_alarms++] = file->values[i];
    }
    for (size_t i = 0; i < report->n_spans; i++)
        picture->windows[picture->n_windows++] = (struct tt_chart_window){
            picture->x[report->spans[i].first], picture->x[report->spans[i].last],
            tt_str(report->spans[i].name)};
    return true;
}

/* Everything about a line of this series but what it shows. */
static struct tt_chart_layer layer_of(const struct tt_series_report *report,
                                      const struct picture *picture, const char *name,
                                      enum tt_chart_color color, const double *y)
{
    return (struct tt_chart_layer){.mark = TT_CHART_LINE,
                                   .name = tt_str(name),
                                   .color = color,
                                   .x = picture->x,
                                   .y = y,
                                   .count = report->file->count,
                                   .gap = picture->gap};
}

enum { BAND, LEVEL, VALUE, ALARM, VALUE_LAYERS };

static void make_values(const struct tt_series_report *report, const struct picture *picture,
                        struct tt_chart_layer ret_layers[VALUE_LAYERS])
{
    ret_layers[BAND] = layer_of(report, picture, "band", TT_CHART_GREEN, report->lower);
    ret_layers[BAND].mark = TT_CHART_BAND;
    ret_layers[BAND].y2 = report->upper;
    ret_layers[LEVEL] = layer_of(report, picture, "level", TT_CHART_GREEN, report->level);
    ret_layers[LEVEL].is_faint = true;
    /* Bands that begin wide must not flatten the series. */
    ret_layers[BAND].is_loose = ret_layers[LEVEL].is_loose = true;
    ret_layers[VALUE] = layer_of(report, picture, "value", TT_CHART_BLUE, report->file->values);
    ret_layers[ALARM] = (struct tt_chart_layer){.mark = TT_CHART_POINTS,
                                                .name = TT_STR("alarm"),
                                                .color = TT_CHART_VERMILLION,
                                                .x = picture->alarm_x,
                                                .y = picture->alarm_y,
                                                .count = picture->n_alarms};
}

static void draw(const struct tt_series_report *report, const struct picture *picture,
                 struct tt_buffer *out)
{
    double threshold = (double)report->options.threshold;
    struct tt_chart_layer values[VALUE_LAYERS];
    const struct tt_chart_layer scores[] = {
        layer_of(report, picture, "score", TT_CHART_PURPLE, report->score),
        {.mark = TT_CHART_LEVEL,
         .name = TT_STR("threshold"),
         .color = TT_CHART_GREY,
         .y = &threshold,
         .count = 1},
    };
    const struct tt_chart_panel panels[] = {
        {.y = {.label = TT_STR("value")}, .layers = values, .n_layers = VALUE_LAYERS},
        {.y = {.label = TT_STR("score"), .min = 0.0, .max = 1.0},
         .layers = scores,
         .n_layers = TT_LENGTH(scores),
         .height = 100},
    };
    char subtitle[160];
    struct tt_chart chart = {
        .frame = {.title = report->name},
        .x = {.label = TT_STR("time, UTC"), .unit = TT_CHART_TIME_NS},
        .panels = panels,
        .n_panels = TT_LENGTH(panels),
        .windows = picture->windows,
        .n_windows = picture->n_windows,
        .windows_name = TT_STR("labelled as anomalous"),
        .has_tooltips = true,
    };

    make_values(report, picture, values);
    (void)snprintf(subtitle, sizeof(subtitle), "%zu points, %s tier, %zu alarms%s",
                   report->file->count, tier_names[report->options.precision], report->alarms,
                   report->n_spans > 0 || !report->has_windows ? "" : ", nothing labelled");
    chart.frame.subtitle = tt_str(subtitle);
    tt_chart_svg(&chart, out);
}

enum tt_status tt_series_report_draw(const struct tt_series_report *report, struct tt_buffer *out,
                                     struct tt_error *err)
{
    struct picture picture = {0};
    enum tt_status status = TT_OK;

    if (fill_picture(report, &picture))
        draw(report, &picture, out);
    else
        status = tt_fail(err, TT_NO_MEMORY, "draw %zu points", report->file->count);
    tt_free(picture.x);
    tt_free(picture.alarm_x);
    tt_free(picture.alarm_y);
    tt_free(picture.windows);
    return status;
}
