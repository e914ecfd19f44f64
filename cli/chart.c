/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart_internal.h"

#define RIGHT         18.0
#define PANEL_HEAD    20.0 /* the name of its axis */
#define PANEL_GAP     8.0
#define FOOT          40.0 /* labels and name of the x axis */
#define TICK_DISTANCE 36.0

/* Where a panel is, and its axis. */
struct panel {
    const struct tt_chart_panel *given;
    double top, height;
    struct chart_scale y;
    struct chart_tick ticks[CHART_MAX_TICKS];
    size_t n_ticks;
};

struct layout {
    const struct tt_chart *chart;
    double left, width;
    struct chart_scale x;
    struct panel panels[TT_CHART_MAX_PANELS];
    size_t n_panels;
    struct chart_key keys[TT_CHART_MAX_PANELS * TT_CHART_MAX_LAYERS + 1];
    size_t n_keys;
    double head, height;
    bool has_data;
    struct chart_hover *hover; /* NULL: none wanted */
};

static size_t n_layers(const struct tt_chart_panel *panel)
{
    return panel->n_layers < TT_CHART_MAX_LAYERS ? panel->n_layers : TT_CHART_MAX_LAYERS;
}

/* ---- ranges ---- */

static void add_x_range(const struct tt_chart *chart, const struct tt_chart_layer *layer,
                        struct chart_range *range)
{
    size_t count = layer->count + (layer->mark == TT_CHART_BINS && layer->count > 0);

    if (layer->mark == TT_CHART_LEVEL)
        return;
    for (size_t i = 0; i < count; i++)
        chart_range_add(range, &chart->x, layer->x[i]);
}

static void add_y_range(const struct tt_chart_axis *axis, const struct tt_chart_layer *layer,
                        struct chart_range *range)
{
    if (layer->is_loose)
        return;
    for (size_t i = 0; i < layer->count; i++) {
        chart_range_add(range, axis, layer->y[i]);
        if (layer->mark == TT_CHART_BAND)
            chart_range_add(range, axis, layer->y2[i]);
    }
    if (layer->mark == TT_CHART_BINS && !axis->is_log)
        chart_range_add(range, axis, 0.0);
}

/* ---- layout ---- */

static void lay_out_panel(struct layout *layout, const struct tt_chart_panel *given, double *top)
{
    struct panel *panel = &layout->panels[layout->n_panels++];
    struct chart_range range = chart_range_empty();

    panel->given = given;
    panel->top = *top + PANEL_HEAD;
    panel->height = given->height == 0 ? 240.0 : fmin(fmax(given->height, 40.0), 2000.0);
    *top = panel->top + panel->height + PANEL_GAP;
    for (size_t i = 0; i < n_layers(given); i++)
        add_y_range(&given->y, &given->layers[i], &range);
    panel->y = chart_scale_make(&given->y, range, panel->height, 0.0);
    panel->n_ticks = chart_ticks(&panel->y, given->y.unit,
                                 (size_t)(panel->height / TICK_DISTANCE) + 1, panel->ticks);
    for (size_t i = 0; i < panel->n_ticks; i++)
        layout->left = fmax(layout->left, chart_text_width(tt_str(panel->ticks[i].label)) + 22.0);
}

static void collect_keys(struct layout *layout)
{
    const struct tt_chart *chart = layout->chart;

    for (size_t p = 0; p < chart->n_panels && p < TT_CHART_MAX_PANELS; p++) {
        for (size_t i = 0; i < n_layers(&chart->panels[p]); i++) {
            const struct tt_chart_layer *layer = &chart->panels[p].layers[i];
            if (layer->name.len > 0)
                layout->keys[layout->n_keys++] = (struct chart_key){
                    layer->mark, chart_color(layer->color, i), layer->name, false, layer->is_faint};
        }
    }
    if (chart->n_windows > 0 && chart->windows_name.len > 0)
        layout->keys[layout->n_keys++] =
            (struct chart_key){.name = chart->windows_name, .is_window = true};
}

static void lay_out(struct layout *layout, const struct tt_chart *chart)
{
    struct chart_range range = chart_range_empty();
    double top;

    layout->chart = chart;
    layout->left = 30.0;
    collect_keys(layout);
    layout->head = chart_head_height(&chart->frame, layout->keys, layout->n_keys);
    top = layout->head;
    for (size_t p = 0; p < chart->n_panels && p < TT_CHART_MAX_PANELS; p++) {
        lay_out_panel(layout, &chart->panels[p], &top);
        for (size_t i = 0; i < n_layers(&chart->panels[p]); i++)
            add_x_range(chart, &chart->panels[p].layers[i], &range);
    }
    layout->has_data = range.min <= range.max;
    layout->width = chart_width(&chart->frame) - layout->left - RIGHT;
    layout->height = top - PANEL_GAP + FOOT;
    layout->x = chart_scale_make(&chart->x, range, 0.0, layout->width);
    /* Curves end where their data do; only the ends of y have room. */
    if (!chart->x.is_log && chart->x.min == chart->x.max && range.min < range.max) {
        layout->x.min = range.min;
        layout->x.max = range.max;
    }
}

/* ---- drawing ---- */

static void draw_grid(const struct layout *layout, const struct panel *panel, struct tt_buffer *out)
{
    for (size_t i = 0; i < panel->n_ticks; i++) {
        double y = panel->top + panel->ticks[i].at;
        chart_put_line(out, "tt-grid", layout->left, y, layout->left + layout->width, y);
        chart_put_text(out, "tt-tick", layout->left - 6.0, y + 4.0, "end",
                       tt_str(panel->ticks[i].label));
    }
    chart_put_text(out, "tt-name", layout->left, panel->top - 6.0, "start", panel->given->y.label);
}

static void draw_window(const struct layout *layout, const struct panel *panel,
                        const struct tt_chart_window *window, bool is_first, struct tt_buffer *out)
{
    double from = chart_at(&layout->x, window->from), to = chart_at(&layout->x, window->to);

    if (isnan(from) || isnan(to) || to < 0.0 || from > layout->width)
        return;
    from = fmax(from, 0.0);
    to = fmin(to, layout->width);
    /* One that is too narrow to see is shown as a hairline. */
    chart_open_rect(out, "tt-window", from, 0.0, fmax(to - from, 1.5), panel->height);
    tt_buffer_append_str(out, TT_STR("<title>"));
    tt_chart_put_escaped(out, window->name, TT_CHART_MAX_TEXT);
    tt_buffer_append_byte(out, ' ');
    tt_chart_put_value(out, layout->chart->x.unit, window->from);
    tt_buffer_append_str(out, TT_STR(" – "));
    tt_chart_put_value(out, layout->chart->x.unit, window->to);
    tt_buffer_append_str(out, TT_STR("</title></rect>\n"));
    if (is_first && window->name.len > 0 && chart_text_width(window->name) + 6.0 < to - from)
        chart_put_text(out, "tt-tick", from + 4.0, 13.0, "start", window->name);
}

/* What is inside the plot is drawn from its corner and cut off at its edges: a nested <svg> does both, and needs no id. */
static void begin_inside(const struct layout *layout, const struct panel *panel,
                         struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("<svg overflow=\"hidden\""));
    chart_put_attribute(out, "x", layout->left);
    chart_put_attribute(out, "y", panel->top);
    chart_put_attribute(out, "width", layout->width);
    chart_put_attribute(out, "height", panel->height);
    tt_buffer_append_str(out, TT_STR(">\n"));
}

static void draw_ground(const struct layout *layout, const struct panel *panel,
                        struct tt_buffer *out)
{
    const struct tt_chart *chart = layout->chart;

    draw_grid(layout, panel, out);
    if (chart->n_windows == 0)
        return;
    begin_inside(layout, panel, out);
    for (size_t i = 0; i < chart->n_windows && i < TT_CHART_MAX_WINDOWS; i++)
        draw_window(layout, panel, &chart->windows[i], panel == layout->panels, out);
    tt_buffer_append_str(out, TT_STR("</svg>\n"));
}

static void draw_layers(const struct layout *layout, const struct panel *panel,
                        struct tt_buffer *out)
{
    const struct tt_chart *chart = layout->chart;
    struct chart_plot plot = {&chart->x, &panel->given->y, layout->x,
                              panel->y,  layout->width,    panel->height};

    begin_inside(layout, panel, out);
    if (chart->has_diagonal)
        chart_put_line(out, "tt-line tt-faint tt-level tt-s9", 0.0, panel->height, layout->width,
                       0.0);
    for (size_t i = 0; i < n_layers(panel->given); i++)
        chart_draw(&plot, &panel->given->layers[i], chart_color(panel->given->layers[i].color, i),
                   out);
    tt_buffer_append_str(out, TT_STR("</svg>\n"));
    chart_open_rect(out, "tt-plot", layout->left, panel->top, layout->width, panel->height);
    tt_buffer_append_str(out, TT_STR("</rect>\n"));
    if (!layout->has_data)
        chart_put_text(out, "tt-sub", layout->left + layout->width / 2.0,
                       panel->top + panel->height / 2.0, "middle", TT_STR("no data"));
}

/* Above the ground and below the marks, which have tooltips of their own. */
static void draw_hover(const struct layout *layout, struct tt_buffer *out)
{
    double top = layout->n_panels > 0 ? layout->panels[0].top : 0.0;

    if (layout->hover != NULL)
        chart_hover_draw(layout->hover, layout->chart, layout->left, top, layout->width,
                         layout->height - FOOT - top, out);
}

static void draw_x_axis(const struct layout *layout, struct tt_buffer *out)
{
    const struct tt_chart *chart = layout->chart;
    double bottom = layout->height - FOOT, last = -HUGE_VAL;
    struct chart_tick ticks[CHART_MAX_TICKS];
    size_t n_ticks =
        chart_ticks(&layout->x, chart->x.unit, (size_t)(layout->width / 80.0) + 1, ticks);

    for (size_t i = 0; i < n_ticks && layout->has_data; i++) {
        double x = layout->left + ticks[i].at, room = chart_text_width(tt_str(ticks[i].label)) / 2;
        for (size_t p = 0; p < layout->n_panels; p++)
            chart_put_line(out, "tt-grid", x, layout->panels[p].top, x,
                           layout->panels[p].top + layout->panels[p].height);
        if (x - room < last + 6.0)
            continue;
        chart_put_text(out, "tt-tick", x, bottom + 16.0, "middle", tt_str(ticks[i].label));
        last = x + room;
    }
    chart_put_text(out, "tt-tick", layout->left + layout->width / 2.0, bottom + 33.0, "middle",
                   chart->x.label);
}

void tt_chart_svg(const struct tt_chart *chart, struct tt_buffer *out)
{
    struct layout *layout = tt_calloc(1, sizeof(*layout));

    if (layout == NULL) {
        out->failed = TT_NO_MEMORY;
        return;
    }
    lay_out(layout, chart);
    if (chart->has_tooltips)
        layout->hover = chart_hover_make(chart, &layout->x, layout->width);
    if (chart->has_tooltips && layout->hover == NULL)
        out->failed = TT_NO_MEMORY;
    chart_begin(&chart->frame, layout->keys, layout->n_keys, layout->height, out);
    draw_x_axis(layout, out);
    for (size_t p = 0; p < layout->n_panels; p++)
        draw_ground(layout, &layout->panels[p], out);
    draw_hover(layout, out);
    for (size_t p = 0; p < layout->n_panels; p++)
        draw_layers(layout, &layout->panels[p], out);
    chart_end(out);
    tt_free(layout->hover);
    tt_free(layout);
}

/* ---- curves of a ranking ---- */

size_t tt_chart_roc(const struct tt_ranking *ranking, double *ret_x, double *ret_y)
{
    if (ranking->anomalous == 0 || ranking->normal == 0)
        return 0;
    ret_x[0] = ret_y[0] = 0.0;
    for (size_t i = 0; i < ranking->count; i++) {
        ret_x[i + 1] = (double)ranking->steps[i].normal / (double)ranking->normal;
        ret_y[i + 1] = (double)ranking->steps[i].anomalous / (double)ranking->anomalous;
    }
    return ranking->count + 1;
}

size_t tt_chart_precision_recall(const struct tt_ranking *ranking, double *ret_x, double *ret_y)
{
    if (ranking->anomalous == 0 || ranking->normal == 0)
        return 0;
    for (size_t i = 0; i < ranking->count; i++) {
        const struct tt_rank_step *step = &ranking->steps[i];
        ret_x[i + 1] = (double)step->anomalous / (double)ranking->anomalous;
        ret_y[i + 1] = (double)step->anomalous / (double)(step->anomalous + step->normal);
    }
    /* A curve begins at recall 0 with the precision of its first step. */
    ret_x[0] = 0.0;
    ret_y[0] = ret_y[1];
    return ranking->count + 1;
}
