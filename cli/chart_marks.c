/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart_internal.h"

#include <stdio.h>

/* A point of the data and where it is drawn. */
struct spot {
    double x, y;
};

static struct spot spot_of(const struct chart_plot *plot, double x, double y)
{
    return (struct spot){chart_at(&plot->x, chart_usable(plot->x_axis, x)),
                         chart_at(&plot->y, chart_usable(plot->y_axis, y))};
}

static bool is_missing(struct spot spot)
{
    return isnan(spot.x) || isnan(spot.y);
}

static size_t columns_of(const struct chart_plot *plot)
{
    return (size_t)plot->width + 1;
}

/* Outside the plot: the nearest column. */
static size_t column_at(const struct chart_plot *plot, double x)
{
    double column = fmin(fmax(x, 0.0), plot->width);

    return (size_t)column;
}

/* ---- lines ---- */

/* The points of one pixel column, in order: what a line through all of them would reach. */
struct column {
    size_t at, points;
    struct spot first, low, high, last;
    bool low_is_first; /* of low and high, which came first */
};

/* Writes a path in tenths: absolute where it begins, then as differences, which are half as long. */
struct pen {
    struct tt_buffer *out;
    bool is_down, is_step;
    int64_t x, y; /* where it is */
};

static void put_tenths(struct tt_buffer *out, int64_t tenths)
{
    int64_t size = tenths < 0 ? -tenths : tenths;

    if (tenths < 0)
        tt_buffer_append_byte(out, '-');
    if (size >= 10 || size == 0)
        tt_buffer_append_int64(out, size / 10);
    if (size % 10 == 0)
        return;
    tt_buffer_append_byte(out, '.');
    tt_buffer_append_byte(out, (char)('0' + size % 10));
}

static void pen_to(struct pen *pen, struct spot spot)
{
    int64_t x = llround(spot.x * 10.0), y = llround(spot.y * 10.0);
    int64_t right = pen->is_down ? x - pen->x : x, down = pen->is_down ? y - pen->y : y;

    tt_buffer_append_byte(pen->out, !pen->is_down ? 'M' : pen->is_step ? 'h' : 'l');
    put_tenths(pen->out, right);
    if (pen->is_down && pen->is_step)
        tt_buffer_append_byte(pen->out, 'v');
    else if (down >= 0)
        tt_buffer_append_byte(pen->out, ' ');
    put_tenths(pen->out, down);
    pen->is_down = true;
    pen->x = x;
    pen->y = y;
}

static void column_begin(struct column *column, size_t at, struct spot spot)
{
    *column = (struct column){at, 1, spot, spot, spot, spot, false};
}

static void column_add(struct column *column, struct spot spot)
{
    column->points++;
    column->last = spot;
    if (spot.y < column->low.y) {
        column->low = spot;
        column->low_is_first = false;
    }
    if (spot.y > column->high.y) {
        column->high = spot;
        column->low_is_first = true;
    }
}

static void column_draw(struct pen *pen, struct column *column)
{
    if (column->points > 0)
        pen_to(pen, column->first);
    if (column->points > 2) {
        pen_to(pen, column->low_is_first ? column->low : column->high);
        pen_to(pen, column->low_is_first ? column->high : column->low);
    }
    if (column->points > 1)
        pen_to(pen, column->last);
    column->points = 0;
}

/* A point that stands alone is a short stroke. */
static void pen_up(struct pen *pen, struct column *column)
{
    bool is_alone = !pen->is_down && column->points == 1;

    column_draw(pen, column);
    if (is_alone)
        tt_buffer_append_str(pen->out, TT_STR("m-1.5 0h3"));
    pen->is_down = false;
}

static bool is_gap(const struct tt_chart_layer *layer, double before, double x)
{
    return layer->gap > 0.0 && x - before > layer->gap;
}

static void draw_line_path(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                           struct pen *pen)
{
    struct column column = {.points = 0};
    double before = -HUGE_VAL;

    for (size_t i = 0; i < layer->count; i++) {
        struct spot spot = spot_of(plot, layer->x[i], layer->y[i]);
        size_t at;
        if (is_missing(spot)) {
            pen_up(pen, &column);
            continue;
        }
        if (layer->x[i] < before)
            continue;
        if (is_gap(layer, before, layer->x[i]))
            pen_up(pen, &column);
        before = layer->x[i];
        at = column_at(plot, spot.x);
        if (column.points > 0 && column.at == at) {
            column_add(&column, spot);
            continue;
        }
        column_draw(pen, &column);
        column_begin(&column, at, spot);
    }
    pen_up(pen, &column);
}

static void put_title(struct tt_buffer *out, struct tt_str text)
{
    tt_buffer_append_str(out, TT_STR("<title>"));
    tt_chart_put_escaped(out, text, TT_CHART_MAX_TEXT);
    tt_buffer_append_str(out, TT_STR("</title>"));
}

static void draw_line(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                      enum tt_chart_color color, struct tt_buffer *out)
{
    struct pen pen = {.out = out, .is_step = layer->mark == TT_CHART_STEP};

    tt_buffer_printf(out, "<path class=\"tt-line tt-s%d%s\" d=\"", (int)color,
                     layer->is_faint ? " tt-faint" : "");
    draw_line_path(plot, layer, &pen);
    tt_buffer_append_str(out, TT_STR("\">"));
    put_title(out, layer->name);
    tt_buffer_append_str(out, TT_STR("</path>\n"));
}

/* ---- bands ---- */

struct edge {
    double x, low, high;
    size_t column;
};

struct band {
    struct edge *edges; /* one a column */
    size_t count;
};

static void band_draw(struct band *band, struct tt_buffer *out)
{
    struct pen pen = {.out = out};

    for (size_t i = 0; i < band->count; i++)
        pen_to(&pen, (struct spot){band->edges[i].x, band->edges[i].high});
    for (size_t i = band->count; i-- > 0;)
        pen_to(&pen, (struct spot){band->edges[i].x, band->edges[i].low});
    if (band->count > 0)
        tt_buffer_append_byte(out, 'Z');
    band->count = 0;
}

static void band_add(struct band *band, struct edge edge)
{
    struct edge *last = band->count > 0 ? &band->edges[band->count - 1] : NULL;

    if (last == NULL || edge.column != last->column) {
        band->edges[band->count++] = edge;
        return;
    }
    /* Down is up: a lower value has a greater y. */
    last->low = fmax(last->low, edge.low);
    last->high = fmin(last->high, edge.high);
}

static void draw_band_path(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                           struct band *band, struct tt_buffer *out)
{
    double before = -HUGE_VAL;

    for (size_t i = 0; i < layer->count; i++) {
        struct spot low = spot_of(plot, layer->x[i], layer->y[i]);
        struct spot high = spot_of(plot, layer->x[i], layer->y2[i]);
        if (is_missing(low) || is_missing(high)) {
            band_draw(band, out);
            continue;
        }
        if (layer->x[i] < before)
            continue;
        if (is_gap(layer, before, layer->x[i]))
            band_draw(band, out);
        before = layer->x[i];
        band_add(band, (struct edge){low.x, low.y, high.y, column_at(plot, low.x)});
    }
    band_draw(band, out);
}

static void draw_band(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                      enum tt_chart_color color, struct tt_buffer *out)
{
    struct band band = {tt_calloc(columns_of(plot) + 1, sizeof(struct edge)), 0};

    if (band.edges == NULL) {
        out->failed = TT_NO_MEMORY;
        return;
    }
    tt_buffer_printf(out, "<path class=\"tt-band tt-f%d\" d=\"", (int)color);
    draw_band_path(plot, layer, &band, out);
    tt_buffer_append_str(out, TT_STR("\">"));
    put_title(out, layer->name);
    tt_buffer_append_str(out, TT_STR("</path>\n"));
    tt_free(band.edges);
}

/* ---- points ---- */

static void draw_point(const struct chart_plot *plot, const struct tt_chart_layer *layer, size_t i,
                       enum tt_chart_color color, struct tt_buffer *out)
{
    struct spot spot = spot_of(plot, layer->x[i], layer->y[i]);

    tt_buffer_printf(out, "<circle class=\"tt-point tt-f%d\" r=\"%s\"", (int)color,
                     layer->is_faint ? "2" : "4");
    chart_put_attribute(out, "cx", spot.x);
    chart_put_attribute(out, "cy", spot.y);
    tt_buffer_append_str(out, TT_STR("><title>"));
    tt_chart_put_escaped(out, layer->name, TT_CHART_MAX_TEXT);
    tt_buffer_append_byte(out, ' ');
    tt_chart_put_value(out, plot->x_axis->unit, layer->x[i]);
    tt_buffer_append_str(out, TT_STR(": "));
    tt_chart_put_value(out, plot->y_axis->unit, layer->y[i]);
    tt_buffer_append_str(out, TT_STR("</title></circle>\n"));
}

/* Of each column the lowest and the highest, as index + 1. */
static void pick_points(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                        size_t *picked)
{
    for (size_t i = 0; i < layer->count; i++) {
        struct spot spot = spot_of(plot, layer->x[i], layer->y[i]);
        size_t *pair;
        if (is_missing(spot) || spot.x < -1.0 || spot.x > plot->width + 1.0)
            continue;
        pair = &picked[2 * column_at(plot, spot.x)];
        if (pair[0] == 0 || layer->y[i] < layer->y[pair[0] - 1])
            pair[0] = i + 1;
        if (pair[1] == 0 || layer->y[i] > layer->y[pair[1] - 1])
            pair[1] = i + 1;
    }
}

static void draw_points(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                        enum tt_chart_color color, struct tt_buffer *out)
{
    size_t columns = columns_of(plot);
    size_t *picked = tt_calloc(columns, 2 * sizeof(*picked));

    if (picked == NULL) {
        out->failed = TT_NO_MEMORY;
        return;
    }
    pick_points(plot, layer, picked);
    for (size_t i = 0; i < 2 * columns; i++)
        if (picked[i] > 0 && (i % 2 == 0 || picked[i] != picked[i - 1]))
            draw_point(plot, layer, picked[i] - 1, color, out);
    tt_free(picked);
}

/* ---- histograms ---- */

static void draw_bin(const struct chart_plot *plot, const struct tt_chart_layer *layer, size_t i,
                     enum tt_chart_color color, struct tt_buffer *out)
{
    struct spot left = spot_of(plot, layer->x[i], layer->y[i]);
    double right = chart_at(&plot->x, chart_usable(plot->x_axis, layer->x[i + 1]));
    char name[32];

    if (is_missing(left) || isnan(right) || layer->y[i] == 0.0)
        return;
    (void)snprintf(name, sizeof(name), "tt-bins tt-f%d", (int)color);
    chart_open_rect(out, name, left.x, left.y, right - left.x, plot->height - left.y);
    tt_buffer_append_str(out, TT_STR("<title>"));
    tt_chart_put_escaped(out, layer->name, TT_CHART_MAX_TEXT);
    tt_buffer_append_byte(out, ' ');
    tt_chart_put_value(out, plot->x_axis->unit, layer->x[i]);
    tt_buffer_append_str(out, TT_STR("–"));
    tt_chart_put_value(out, plot->x_axis->unit, layer->x[i + 1]);
    tt_buffer_append_str(out, TT_STR(": "));
    tt_chart_put_value(out, plot->y_axis->unit, layer->y[i]);
    tt_buffer_append_str(out, TT_STR("</title></rect>\n"));
}

static void draw_bins(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                      enum tt_chart_color color, struct tt_buffer *out)
{
    /* More bins than pixels would only be slow to look at. */
    for (size_t i = 0; i < layer->count && i < columns_of(plot); i++)
        draw_bin(plot, layer, i, color, out);
}

/* ---- all ---- */

static void draw_level(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                       enum tt_chart_color color, struct tt_buffer *out)
{
    double y = layer->count == 0 ? CHART_MISSING
                                 : chart_at(&plot->y, chart_usable(plot->y_axis, layer->y[0]));
    char name[48];

    if (isnan(y))
        return;
    (void)snprintf(name, sizeof(name), "tt-line tt-level tt-s%d", (int)color);
    chart_put_line(out, name, 0.0, y, plot->width, y);
}

void chart_draw(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                enum tt_chart_color color, struct tt_buffer *out)
{
    switch (layer->mark) {
    case TT_CHART_LINE:
    case TT_CHART_STEP:
        draw_line(plot, layer, color, out);
        break;
    case TT_CHART_BAND:
        draw_band(plot, layer, color, out);
        break;
    case TT_CHART_POINTS:
        draw_points(plot, layer, color, out);
        break;
    case TT_CHART_BINS:
        draw_bins(plot, layer, color, out);
        break;
    case TT_CHART_LEVEL:
        draw_level(plot, layer, color, out);
        break;
    }
}
