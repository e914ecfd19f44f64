/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of the report's page, each with a sentence that says what to look for. */
#include "cli/report_html.h"

#define MAX_COLUMNS 14
#define BINS        48
#define LANE        22.0
#define LABEL_WIDTH 190.0
#define CHART_WIDTH 900.0
#define MAX_LABEL   ((size_t)26)

static void open_figure(struct tt_buffer *out)
{
    html_raw(out, "<figure>\n");
}

static void close_figure(struct tt_buffer *out, const char *caption)
{
    tt_buffer_printf(out, "<figcaption>%s</figcaption>\n</figure>\n", caption);
}

static struct tt_chart_frame frame(struct tt_str title, uint32_t width)
{
    return (struct tt_chart_frame){.title = title, .width = width, .is_part = true};
}

/* Bars show their value: three decimals are enough for a person. */
static double rounded(double share)
{
    return round(1000 * share) / 1000;
}

/* ---- types ---- */

void html_chart_classes(struct tt_report *report, struct tt_buffer *out)
{
    struct tt_str names[TT_REPORT_GROUPS];
    double traces[TT_REPORT_GROUPS];
    struct tt_chart_bars bars = {
        .frame = frame(TT_STR("Traces by type"), 0),
        .rows = names,
        .n_rows = report->n_groups,
        .n_series = 1,
        .values = traces,
    };

    for (size_t i = 0; i < report->n_groups; i++) {
        names[i] = tt_report_clean(report, report->groups[i].name);
        traces[i] = (double)report->groups[i].traces;
    }
    open_figure(out);
    tt_chart_bars_svg(&bars, out);
    close_figure(out, "How much there is to learn each type from.");
}

/* A lane for each type; a block is a bar over its time. */
static double position(const struct tt_report *report, uint64_t ns)
{
    const struct tt_stats *stats = report->stats;
    double run = (double)(stats->last_ns - stats->first_ns) + 1;

    return LABEL_WIDTH + (CHART_WIDTH - LABEL_WIDTH - 14) * (double)(ns - stats->first_ns) / run;
}

static void put_lane(struct tt_report *report, size_t group, struct tt_buffer *out)
{
    double y = 34 + LANE * (double)group;

    tt_buffer_printf(out, "<text class=\"tt-row\" x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">",
                     LABEL_WIDTH - 10, y + 14);
    tt_chart_put_escaped(out, tt_report_clean(report, report->groups[group].name), MAX_LABEL);
    tt_buffer_printf(
        out, "</text><line class=\"tt-grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
        LABEL_WIDTH, CHART_WIDTH - 14, y + LANE / 2, y + LANE / 2);
}

static void put_block(struct tt_report *report, const struct tt_report_block *block,
                      struct tt_buffer *out)
{
    double x = position(report, block->first_ns), y = 34 + LANE * block->group;
    double width = fmax(position(report, block->last_ns) - x, 2);

    tt_buffer_printf(
        out,
        "<rect class=\"tt-bar tt-f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" rx=\"2\"><title>",
        block->group == 0 ? (int)TT_CHART_GREEN : (int)TT_CHART_VERMILLION, x, y + 4, width,
        LANE - 8);
    html_text(out, report->groups[block->group].name);
    tt_buffer_printf(out, ": %u traces in ", block->traces);
    html_length(out, (double)(block->last_ns - block->first_ns));
    html_raw(out, "</title></rect>\n");
}

/* The shortest of these steps that gives at most eight ticks, in s. */
static double tick_step(double run_s)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1,    2,    5,    10,    15,    30,    60,    120,
                                   300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800};
    size_t i = 0;

    while (i + 1 < TT_LENGTH(steps) && run_s / steps[i] > 8)
        i++;
    return fmax(steps[i], run_s / 50);
}

static void put_time_axis(const struct tt_report *report, double height, struct tt_buffer *out)
{
    double run = (double)(report->stats->last_ns - report->stats->first_ns);
    double step = 1e9 * tick_step(run / 1e9);

    for (unsigned i = 0; i * step <= run; i++) {
        double ns = i * step;
        double x = position(report, report->stats->first_ns + (uint64_t)ns);
        tt_buffer_printf(
            out,
            "<line class=\"tt-grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"34\" y2=\"%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
            "text-anchor=\"middle\">",
            x, x, height - 20, x, height - 6);
        html_length(out, ns);
        html_raw(out, "</text>\n");
    }
}

void html_chart_timeline(struct tt_report *report, struct tt_buffer *out)
{
    double height = 34 + LANE * (double)report->n_groups + 24;

    if (report->stats->first_ns > report->stats->last_ns || report->n_blocks == 0)
        return;
    open_figure(out);
    tt_buffer_printf(
        out,
        "<svg class=\"tt-chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"When each type was recorded\">"
        "<text class=\"tt-title\" x=\"14\" y=\"20\">When each type was recorded</text>\n",
        CHART_WIDTH, height);
    put_time_axis(report, height, out);
    for (size_t i = 0; i < report->n_groups; i++)
        put_lane(report, i, out);
    for (size_t i = 0; i < report->n_blocks; i++)
        if (report->blocks[i].traces > 0)
            put_block(report, &report->blocks[i], out);
    html_raw(out, "</svg>\n");
    close_figure(
        out,
        report->is_mixed
            ? "Types alternate from trace to trace; eighths of the run serve as blocks."
            : "Time since the first span. Several blocks of each type with baseline between them are what "
              "parts a fault from what else happened at its time.");
}

/* ---- faults ---- */

/* Rows of types that were measured: "type in service". */
struct fault_rows {
    struct tt_str names[TT_REPORT_GROUPS];
    const struct tt_report_group *groups[TT_REPORT_GROUPS];
    size_t n;
};

static void list_faults(struct tt_report *report, struct fault_rows *rows)
{
    rows->n = 0;
    for (size_t i = 1; i < report->n_groups; i++) {
        const struct tt_report_group *group = &report->groups[i];
        if (group->service == TT_REPORT_NO_GROUP || group->here.count == 0)
            continue;
        rows->groups[rows->n] = group;
        rows->names[rows->n++] = tt_report_text(
            report, "%.*s in %.*s", TT_STR_ARG(tt_report_clean(report, group->name)),
            TT_STR_ARG(tt_report_clean(report, report->services[group->service].name->name)));
    }
}

static struct tt_chart_range range_of(const struct tt_dist *dist)
{
    return (struct tt_chart_range){dist->p10, dist->q1,  dist->median,
                                   dist->q3,  dist->p90, dist->p99};
}

void html_chart_durations(struct tt_report *report, struct tt_buffer *out)
{
    static const struct tt_str series[] = {{"baseline", 8}, {"during the fault", 16}};
    static const enum tt_chart_color colors[] = {TT_CHART_GREEN, TT_CHART_VERMILLION};
    struct tt_chart_range ranges[2 * TT_REPORT_GROUPS];
    struct fault_rows rows;
    struct tt_chart_ranges chart = {
        .frame = frame(TT_STR("Durations in the service that was broken"), 0),
        .axis = {.label = TT_STR("duration of a span"),
                 .unit = TT_CHART_DURATION_NS,
                 .is_log = true},
        .rows = rows.names,
        .series = series,
        .n_series = 2,
        .colors = colors,
        .ranges = ranges,
        .mark_name = "p99",
    };

    list_faults(report, &rows);
    if (rows.n == 0)
        return;
    for (size_t i = 0; i < rows.n; i++) {
        ranges[2 * i] = range_of(&rows.groups[i]->here_baseline);
        ranges[2 * i + 1] = range_of(&rows.groups[i]->here);
    }
    chart.n_rows = rows.n;
    open_figure(out);
    tt_chart_ranges_svg(&chart, out);
    close_figure(
        out,
        "Line: the middle 80 %; box: the middle half; stroke: the median; diamond: p99. Boxes that do not overlap are a "
        "fault that shows.");
}

#define NO_VALUE ((double)NAN)

static struct tt_chart_range interval(double low, double estimate, double high)
{
    return (struct tt_chart_range){low, NO_VALUE, estimate, NO_VALUE, high, NO_VALUE};
}

void html_chart_effects(struct tt_report *report, struct tt_buffer *out)
{
    struct tt_chart_range ranges[TT_REPORT_GROUPS + 1];
    struct tt_str names[TT_REPORT_GROUPS + 1];
    struct fault_rows rows;
    struct tt_chart_ranges chart = {
        .frame = frame(TT_STR("How many times as long, over the repeats"), 0),
        .axis = {.label = TT_STR("median against baseline (1: no difference)"), .is_log = true},
        .rows = names,
        .n_series = 1,
        .ranges = ranges,
    };
    size_t with_interval = 0;

    list_faults(report, &rows);
    names[0] = TT_STR("no difference");
    ranges[0] = interval(NO_VALUE, 1, NO_VALUE);
    for (size_t i = 0; i < rows.n; i++) {
        const struct tt_effect *effect = &rows.groups[i]->log_ratio;
        names[i + 1] = rows.names[i];
        ranges[i + 1] = interval(exp(effect->low), exp(effect->estimate), exp(effect->high));
        with_interval += isfinite(effect->low) ? 1 : 0;
    }
    if (with_interval == 0)
        return;
    chart.n_rows = rows.n + 1;
    open_figure(out);
    tt_chart_ranges_svg(&chart, out);
    close_figure(
        out,
        "Stroke: ratio of the medians of blocks; line: 95 % interval over blocks. An interval that reaches 1 may be chance.");
}

void html_chart_errors(struct tt_report *report, struct tt_buffer *out)
{
    static const struct tt_str series[] = {{"baseline", 8}, {"during the fault", 16}};
    static const enum tt_chart_color colors[] = {TT_CHART_GREEN, TT_CHART_VERMILLION};
    double values[2 * TT_REPORT_GROUPS];
    struct fault_rows rows;
    struct tt_chart_bars chart = {
        .frame = frame(TT_STR("Errors in the service that was broken"), 0),
        .axis = {.label = TT_STR("share of spans in error"), .unit = TT_CHART_PERCENT},
        .rows = rows.names,
        .series = series,
        .n_series = 2,
        .colors = colors,
        .values = values,
    };
    double most = 0;

    list_faults(report, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        const struct tt_report_group *group = rows.groups[i];
        values[2 * i] = rounded(tt_share(group->here_baseline_errors, group->here_baseline.count));
        values[2 * i + 1] = rounded(tt_share(group->here_errors, group->here.count));
        most = fmax(most, fmax(values[2 * i], values[2 * i + 1]));
    }
    if (!(most > 0)) {
        html_raw(
            out,
            "<p class=\"note\">No span of these services is in error, neither at baseline nor during a fault.</p>\n");
        return;
    }
    chart.n_rows = rows.n;
    open_figure(out);
    tt_chart_bars_svg(&chart, out);
    close_figure(out, "Spans with status ERROR or an HTTP status of 500 and above.");
}

/* ---- without a model ---- */

void html_chart_columns(struct tt_report *report, struct tt_buffer *out)
{
    struct tt_str names[MAX_COLUMNS + 2];
    double values[MAX_COLUMNS + 2];
    struct tt_chart_bars chart = {
        .frame = frame(TT_STR("Single columns"), 0),
        .axis = {.label =
                     TT_STR("ROC AUC on held-out traces (0.5: chance, 1: gives the label away)"),
                 .max = 1},
        .rows = names,
        .n_series = 1,
        .values = values,
    };
    size_t n = 0;

    if (isfinite(report->time_auc)) {
        names[n] = TT_STR("time: early or late");
        values[n++] = rounded(report->time_auc);
    }
    if (isfinite(report->trivial_traces.roc_auc)) {
        names[n] = TT_STR("duration of the trace");
        values[n++] = rounded(report->trivial_traces.roc_auc);
    }
    for (size_t i = 0; i < report->n_columns && n < TT_LENGTH(names); i++) {
        names[n] = tt_report_clean(report, report->columns[i].column);
        values[n++] = rounded(report->columns[i].roc_auc);
    }
    if (n == 0) {
        html_raw(out, "<p class=\"note\">There are too few traces of both classes to judge.</p>\n");
        return;
    }
    chart.n_rows = n;
    open_figure(out);
    tt_chart_bars_svg(&chart, out);
    close_figure(
        out,
        "A column whose bar reaches 1 is to be left out: with it a model learns the test, not the fault.");
}

struct histogram {
    double edges[BINS + 1], shares[2][BINS];
};

static bool fill_histogram(const struct tt_report *report, struct histogram *histogram)
{
    size_t n, rows[2] = {0, 0};
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n);
    double low = (double)INFINITY, high = 0, step;

    *histogram = (struct histogram){.edges = {0}};
    for (size_t i = 0; i < report->n_groups; i++) {
        const struct tt_dist *dist = &report->groups[i].trace_durations;
        low = dist->count > 0 ? fmin(low, fmax(dist->min, 1e3)) : low;
        high = dist->count > 0 ? fmax(high, dist->max) : high;
    }
    if (!(high > low))
        return false;
    step = log(high / low) / BINS;
    for (size_t i = 0; i <= BINS; i++)
        histogram->edges[i] = low * exp(step * (double)i);
    for (size_t i = 0; i < n; i++) {
        uint32_t group = tt_report_group_of(report, traces[i].type, traces[i].is_labelled);
        double at = log(fmax((double)traces[i].duration_ns, low) / low) / step;
        if (group == TT_REPORT_NO_GROUP)
            continue;
        histogram->shares[group > 0][at >= BINS ? BINS - 1 : (size_t)at]++;
        rows[group > 0]++;
    }
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < BINS && rows[k] > 0; i++)
            histogram->shares[k][i] /= (double)rows[k];
    return rows[0] > 0 && rows[1] > 0;
}

void html_chart_histogram(struct tt_report *report, struct tt_buffer *out)
{
    struct histogram histogram;
    struct tt_chart_layer layers[] = {
        {.mark = TT_CHART_BINS,
         .name = TT_STR("baseline"),
         .color = TT_CHART_GREEN,
         .x = histogram.edges,
         .y = histogram.shares[0],
         .count = BINS},
        {.mark = TT_CHART_BINS,
         .name = TT_STR("anomalous"),
         .color = TT_CHART_VERMILLION,
         .x = histogram.edges,
         .y = histogram.shares[1],
         .count = BINS},
    };
    struct tt_chart_panel panel = {
        .y = {.label = TT_STR("share of traces"), .unit = TT_CHART_PERCENT, .has_zero = true},
        .layers = layers,
        .n_layers = 2,
    };
    struct tt_chart chart = {
        .frame = frame(TT_STR("Durations of traces"), 480),
        .x = {.label = TT_STR("duration"), .unit = TT_CHART_DURATION_NS, .is_log = true},
        .panels = &panel,
        .n_panels = 1,
    };

    if (!fill_histogram(report, &histogram))
        return;
    open_figure(out);
    tt_chart_svg(&chart, out);
    close_figure(out, "Where the two do not overlap, a threshold does what a model would.");
}

void html_chart_roc(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_ranking *ranking = &report->trivial_traces.ranking;
    double *x = tt_calloc(ranking->count + 1, sizeof(*x));
    double *y = tt_calloc(ranking->count + 1, sizeof(*y));
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y};
    struct tt_chart_panel panel = {
        .y = {.label = TT_STR("anomalous traces found"), .unit = TT_CHART_PERCENT, .max = 1},
        .layers = &layer,
        .n_layers = 1,
    };
    struct tt_chart chart = {
        .frame = frame(TT_STR("A threshold on the duration"), 480),
        .x = {.label = TT_STR("false alarms among baseline traces"),
              .unit = TT_CHART_PERCENT,
              .max = 1},
        .panels = &panel,
        .n_panels = 1,
        .has_diagonal = true,
    };

    if (x != NULL && y != NULL)
        layer.count = tt_chart_roc(ranking, x, y);
    if (layer.count > 0) {
        open_figure(out);
        tt_chart_svg(&chart, out);
        tt_buffer_printf(out, "<figcaption>ROC AUC %.3f on held-out traces; the threshold learnt, ",
                         report->trivial_traces.roc_auc);
        html_duration(out, report->trivial_traces.threshold_ns);
        tt_buffer_printf(
            out,
            ", reaches an F1 of %.3f there, calling everything anomalous %.3f.</figcaption>\n</figure>\n",
            report->trivial_traces.f1, report->trivial_traces.always_f1);
    }
    tt_free(x);
    tt_free(y);
}
