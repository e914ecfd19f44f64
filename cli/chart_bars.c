/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart_internal.h"

#include <stdio.h>

#define RIGHT     18.0
#define TOP_GAP   6.0
#define FOOT      40.0
#define ROW_GAP   8.0
#define MAX_LABEL 32

/* What bars and ranges have in common: rows of strips over a horizontal axis. */
struct rows {
    const struct tt_chart_frame *frame;
    const struct tt_chart_axis *axis;
    const struct tt_str *names, *series;
    size_t n_rows, n_series;
    const enum tt_chart_color *colors;
    double head, left, width, strip, height;
    struct chart_scale scale;
    struct chart_key keys[TT_CHART_MAX_SERIES];
    size_t n_keys;
};

static enum tt_chart_color series_color(const struct rows *rows, size_t series)
{
    return chart_color(rows->colors == NULL ? TT_CHART_AUTO : rows->colors[series], series);
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

static void lay_out(struct rows *rows, struct chart_range range, double room_at_end)
{
    double longest = 0.0;

    rows->strip = rows->n_series > 1 ? 13.0 : 18.0;
    for (size_t i = 0; rows->series != NULL && i < rows->n_series; i++)
        rows->keys[rows->n_keys++] =
            (struct chart_key){TT_CHART_BINS, series_color(rows, i), rows->series[i], false, false};
    for (size_t i = 0; i < rows->n_rows; i++)
        longest = fmax(longest, chart_text_width(rows->names[i]));
    /* Names of rows are written a little larger than ticks. */
    rows->left = 20.0 + fmin(longest * 1.1, MAX_LABEL * CHART_LETTER * 1.1);
    rows->head = chart_head_height(rows->frame, rows->keys, rows->n_keys) + TOP_GAP;
    rows->width = fmax(chart_width(rows->frame) - rows->left - RIGHT, 60.0);
    rows->height =
        (double)rows->n_rows * (rows->strip * (double)rows->n_series + ROW_GAP) + ROW_GAP;
    rows->scale = chart_scale_make(rows->axis, range, 0.0, rows->width - room_at_end);
}

static double strip_top(const struct rows *rows, size_t row, size_t series)
{
    return rows->head + ROW_GAP + (double)row * (rows->strip * (double)rows->n_series + ROW_GAP) +
           (double)series * rows->strip;
}

static double x_at(const struct rows *rows, double value)
{
    return rows->left + chart_at(&rows->scale, chart_usable(rows->axis, value));
}

static void put_row_name(const struct rows *rows, size_t row, struct tt_buffer *out)
{
    double middle = strip_top(rows, row, 0) + rows->strip * (double)rows->n_series / 2.0;

    tt_buffer_append_str(out, TT_STR("<text class=\"tt-row\" text-anchor=\"end\""));
    chart_put_attribute(out, "x", rows->left - 8.0);
    chart_put_attribute(out, "y", middle + 4.0);
    tt_buffer_append_byte(out, '>');
    tt_chart_put_escaped(out, rows->names[row], MAX_LABEL);
    tt_buffer_append_str(out, TT_STR("</text>\n"));
}

static void begin(const struct rows *rows, struct tt_buffer *out)
{
    double bottom = rows->head + rows->height;
    struct chart_tick ticks[CHART_MAX_TICKS];
    size_t n_ticks =
        chart_ticks(&rows->scale, rows->axis->unit, (size_t)(rows->width / 80.0) + 1, ticks);

    chart_begin(rows->frame, rows->keys, rows->n_keys, bottom + FOOT, out);
    for (size_t i = 0; i < n_ticks; i++) {
        double x = rows->left + ticks[i].at;
        chart_put_line(out, "tt-grid", x, rows->head, x, bottom);
        chart_put_text(out, "tt-tick", x, bottom + 16.0, "middle", tt_str(ticks[i].label));
    }
    chart_put_text(out, "tt-tick", rows->left + rows->width / 2.0, bottom + 33.0, "middle",
                   rows->axis->label);
    for (size_t row = 0; row < rows->n_rows; row++)
        put_row_name(rows, row, out);
    if (rows->n_rows == 0)
        chart_put_text(out, "tt-sub", rows->left + rows->width / 2.0, rows->head + 6.0, "middle",
                       TT_STR("no data"));
}

/* "row, series: " of a tooltip. */
static void put_subject(const struct rows *rows, size_t row, size_t series, struct tt_buffer *out)
{
    tt_chart_put_escaped(out, rows->names[row], TT_CHART_MAX_TEXT);
    if (rows->series != NULL) {
        tt_buffer_append_str(out, TT_STR(", "));
        tt_chart_put_escaped(out, rows->series[series], TT_CHART_MAX_TEXT);
    }
    tt_buffer_append_str(out, TT_STR(": "));
}

static void put_horizontal(const struct rows *rows, const char *kind, enum tt_chart_color color,
                           double from, double to, double y, struct tt_buffer *out)
{
    char name[32];

    if (isnan(from) || isnan(to))
        return;
    (void)snprintf(name, sizeof(name), "tt-line %s tt-s%d", kind, (int)color);
    chart_put_line(out, name, x_at(rows, from), y, x_at(rows, to), y);
}

/* ---- bars ---- */

static void put_whisker(const struct rows *rows, double low, double high, double y,
                        struct tt_buffer *out)
{
    double from = x_at(rows, low), to = x_at(rows, high);

    if (isnan(from) || isnan(to))
        return;
    put_horizontal(rows, "tt-whisker", TT_CHART_INK, low, high, y, out);
    chart_put_line(out, "tt-whisker tt-s8", from, y - 3.0, from, y + 3.0);
    chart_put_line(out, "tt-whisker tt-s8", to, y - 3.0, to, y + 3.0);
}

static void put_bar(const struct rows *rows, const struct tt_chart_bars *bars, size_t row,
                    size_t series, struct tt_buffer *out)
{
    size_t i = row * bars->n_series + series;
    double value = bars->values[i], low = value, high = value;
    double top = strip_top(rows, row, series), height = rows->strip - 2.0;
    double base = fmin(fmax(chart_at(&rows->scale, rows->axis->is_log ? CHART_MISSING : 0.0), 0.0),
                       rows->width);
    double from = isnan(base) || rows->axis->is_log ? rows->left : rows->left + base;
    double to = x_at(rows, value);
    struct tt_buffer text;
    char name[32];

    if (isnan(to))
        return;
    if (bars->low != NULL && bars->high != NULL && bars->low[i] <= bars->high[i]) {
        low = bars->low[i];
        high = bars->high[i];
    }
    (void)snprintf(name, sizeof(name), "tt-bar tt-f%u", series_color(rows, series));
    chart_open_rect(out, name, fmin(from, to), top, fabs(to - from), height);
    tt_buffer_append_str(out, TT_STR("<title>"));
    put_subject(rows, row, series, out);
    tt_chart_put_value(out, rows->axis->unit, value);
    if (low < high) {
        tt_buffer_append_str(out, TT_STR(" ("));
        tt_chart_put_value(out, rows->axis->unit, low);
        tt_buffer_append_str(out, TT_STR(" – "));
        tt_chart_put_value(out, rows->axis->unit, high);
        tt_buffer_append_byte(out, ')');
    }
    tt_buffer_append_str(out, TT_STR("</title></rect>\n"));
    if (low < high)
        put_whisker(rows, low, high, top + height / 2.0, out);
    tt_buffer_init(&text, 128);
    chart_put_rounded(&text, rows->axis->unit, value, 4);
    chart_put_text(out, "tt-tick", fmax(fmax(from, to), low < high ? x_at(rows, high) : to) + 5.0,
                   top + height / 2.0 + 4.0, "start", tt_buffer_view(&text));
    tt_buffer_done(&text);
}

static struct chart_range bars_range(const struct tt_chart_bars *bars, size_t n_rows)
{
    struct chart_range range = chart_range_empty();

    for (size_t i = 0; i < n_rows * bars->n_series; i++) {
        chart_range_add(&range, &bars->axis, bars->values[i]);
        if (bars->low != NULL && bars->high != NULL) {
            chart_range_add(&range, &bars->axis, bars->low[i]);
            chart_range_add(&range, &bars->axis, bars->high[i]);
        }
    }
    if (!bars->axis.is_log)
        chart_range_add(&range, &bars->axis, 0.0);
    return range;
}

void tt_chart_bars_svg(const struct tt_chart_bars *bars, struct tt_buffer *out)
{
    struct rows rows = {.frame = &bars->frame,
                        .axis = &bars->axis,
                        .names = bars->rows,
                        .series = bars->series,
                        .n_rows = at_most(bars->n_rows, TT_CHART_MAX_ROWS),
                        .n_series = at_most(bars->n_series, TT_CHART_MAX_SERIES),
                        .colors = bars->colors};

    lay_out(&rows, bars_range(bars, rows.n_rows), 40.0);
    begin(&rows, out);
    for (size_t row = 0; row < rows.n_rows; row++)
        for (size_t series = 0; series < rows.n_series; series++)
            put_bar(&rows, bars, row, series, out);
    chart_end(out);
}

/* ---- ranges ---- */

static void put_mark(const struct rows *rows, double value, double y, enum tt_chart_color color,
                     struct tt_buffer *out)
{
    double x = x_at(rows, value);

    if (isnan(x))
        return;
    tt_buffer_printf(out, "<path class=\"tt-f%d\" d=\"M", (int)color);
    chart_put_fixed(out, x, 1);
    tt_buffer_append_byte(out, ' ');
    chart_put_fixed(out, y - 4.0, 1);
    tt_buffer_append_str(out, TT_STR("l4 4l-4 4l-4-4z\"/>\n"));
}

static void put_range_title(const struct rows *rows, const struct tt_chart_ranges *ranges,
                            size_t row, size_t series, struct tt_buffer *out)
{
    const struct tt_chart_range *range = &ranges->ranges[row * ranges->n_series + series];
    const struct {
        const char *name;
        double value;
    } parts[] = {
        {"median", range->median},
        {"quartiles", range->q1},
        {NULL, range->q3},
        {"range", range->low},
        {NULL, range->high},
        {ranges->mark_name == NULL ? "mark" : ranges->mark_name, range->mark},
    };

    tt_buffer_append_str(out, TT_STR("<title>"));
    put_subject(rows, row, series, out);
    for (size_t i = 0; i < TT_LENGTH(parts); i++) {
        if (parts[i].name == NULL)
            tt_buffer_append_str(out, TT_STR(" – "));
        else
            tt_buffer_printf(out, "%s%s ", i > 0 ? ", " : "", parts[i].name);
        tt_chart_put_value(out, rows->axis->unit, parts[i].value);
    }
    tt_buffer_append_str(out, TT_STR("</title>"));
}

static void put_range(const struct rows *rows, const struct tt_chart_ranges *ranges, size_t row,
                      size_t series, struct tt_buffer *out)
{
    const struct tt_chart_range *range = &ranges->ranges[row * ranges->n_series + series];
    enum tt_chart_color color = series_color(rows, series);
    double top = strip_top(rows, row, series), height = rows->strip - 2.0;
    double middle = top + height / 2.0, q1 = x_at(rows, range->q1), q3 = x_at(rows, range->q3);
    double median = x_at(rows, range->median);
    char name[48];

    tt_buffer_append_str(out, TT_STR("<g>"));
    put_range_title(rows, ranges, row, series, out);
    put_horizontal(rows, "tt-whisker", color, range->low, range->high, middle, out);
    if (!isnan(q1) && !isnan(q3)) {
        (void)snprintf(name, sizeof(name), "tt-box tt-f%d tt-s%d", (int)color, (int)color);
        chart_open_rect(out, name, q1, top, q3 - q1, height);
        tt_buffer_append_str(out, TT_STR("</rect>\n"));
    }
    if (!isnan(median)) {
        (void)snprintf(name, sizeof(name), "tt-median tt-s%d", (int)color);
        chart_put_line(out, name, median, top, median, top + height);
    }
    put_mark(rows, range->mark, middle, color, out);
    tt_buffer_append_str(out, TT_STR("</g>\n"));
}

static struct chart_range ranges_range(const struct tt_chart_ranges *ranges, size_t n_rows)
{
    struct chart_range all = chart_range_empty();

    for (size_t i = 0; i < n_rows * ranges->n_series; i++) {
        const struct tt_chart_range *range = &ranges->ranges[i];
        const double values[] = {range->low, range->q1,   range->median,
                                 range->q3,  range->high, range->mark};
        for (size_t k = 0; k < TT_LENGTH(values); k++)
            chart_range_add(&all, &ranges->axis, values[k]);
    }
    return all;
}

void tt_chart_ranges_svg(const struct tt_chart_ranges *ranges, struct tt_buffer *out)
{
    struct rows rows = {.frame = &ranges->frame,
                        .axis = &ranges->axis,
                        .names = ranges->rows,
                        .series = ranges->series,
                        .n_rows = at_most(ranges->n_rows, TT_CHART_MAX_ROWS),
                        .n_series = at_most(ranges->n_series, TT_CHART_MAX_SERIES),
                        .colors = ranges->colors};

    lay_out(&rows, ranges_range(ranges, rows.n_rows), 0.0);
    begin(&rows, out);
    for (size_t row = 0; row < rows.n_rows; row++)
        for (size_t series = 0; series < rows.n_series; series++)
            put_range(&rows, ranges, row, series, out);
    chart_end(out);
}
