/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart_internal.h"

#define STRIPS 120
#define NAMED  8 /* lines that a tooltip tells of */

/* What one line does within one strip. */
struct reading {
    double low, high; /* low > high: nothing */
};

struct chart_hover {
    struct tt_str names[NAMED];
    enum tt_chart_unit units[NAMED];
    size_t n_names;
    struct reading readings[STRIPS][NAMED];
    double first_x[STRIPS]; /* of the data; NaN: nothing there */
};

static void read_layer(const struct tt_chart *chart, const struct chart_scale *x, double width,
                       const struct tt_chart_layer *layer, struct chart_hover *hover)
{
    for (size_t i = 0; i < layer->count; i++) {
        double at = chart_at(x, chart_usable(&chart->x, layer->x[i])), strip = at / width * STRIPS;
        struct reading *reading;
        if (isnan(strip) || strip < 0.0 || strip > STRIPS || isnan(layer->y[i]))
            continue;
        strip = fmin(strip, STRIPS - 1);
        reading = &hover->readings[(size_t)strip][hover->n_names];
        reading->low = fmin(reading->low, layer->y[i]);
        reading->high = fmax(reading->high, layer->y[i]);
        if (!(hover->first_x[(size_t)strip] <= layer->x[i]))
            hover->first_x[(size_t)strip] = layer->x[i];
    }
}

struct chart_hover *chart_hover_make(const struct tt_chart *chart, const struct chart_scale *x,
                                     double width)
{
    struct chart_hover *hover = tt_calloc(1, sizeof(*hover));

    if (hover == NULL)
        return NULL;
    for (size_t s = 0; s < STRIPS; s++) {
        hover->first_x[s] = CHART_MISSING;
        for (size_t k = 0; k < NAMED; k++)
            hover->readings[s][k] = (struct reading){HUGE_VAL, -HUGE_VAL};
    }
    for (size_t p = 0; p < chart->n_panels && p < TT_CHART_MAX_PANELS; p++) {
        for (size_t i = 0; i < chart->panels[p].n_layers; i++) {
            const struct tt_chart_layer *layer = &chart->panels[p].layers[i];
            if ((layer->mark != TT_CHART_LINE && layer->mark != TT_CHART_STEP) ||
                layer->name.len == 0 || hover->n_names == NAMED)
                continue;
            hover->names[hover->n_names] = layer->name;
            hover->units[hover->n_names] = chart->panels[p].y.unit;
            read_layer(chart, x, width, layer, hover);
            hover->n_names++;
        }
    }
    return hover;
}

static void put_reading(const struct chart_hover *hover, size_t strip, size_t k,
                        struct tt_buffer *out)
{
    const struct reading *reading = &hover->readings[strip][k];

    if (reading->low > reading->high)
        return;
    tt_buffer_append_byte(out, '\n');
    tt_chart_put_escaped(out, hover->names[k], 40);
    tt_buffer_append_str(out, TT_STR(": "));
    tt_chart_put_value(out, hover->units[k], reading->low);
    if (reading->low < reading->high) {
        tt_buffer_append_str(out, TT_STR(" – "));
        tt_chart_put_value(out, hover->units[k], reading->high);
    }
}

static void put_window(const struct tt_chart *chart, double x, struct tt_buffer *out)
{
    for (size_t i = 0; i < chart->n_windows && i < TT_CHART_MAX_WINDOWS; i++) {
        if (x < chart->windows[i].from || x > chart->windows[i].to)
            continue;
        tt_buffer_append_byte(out, '\n');
        tt_chart_put_escaped(out, chart->windows_name, 40);
        tt_buffer_append_str(out, TT_STR(": "));
        tt_chart_put_escaped(out, chart->windows[i].name, 40);
        return;
    }
}

void chart_hover_draw(const struct chart_hover *hover, const struct tt_chart *chart, double left,
                      double top, double width, double height, struct tt_buffer *out)
{
    for (size_t s = 0; s < STRIPS; s++) {
        if (isnan(hover->first_x[s]))
            continue;
        chart_open_rect(out, "tt-hover", left + width / STRIPS * (double)s, top, width / STRIPS,
                        height);
        tt_buffer_append_str(out, TT_STR("<title>"));
        tt_chart_put_value(out, chart->x.unit, hover->first_x[s]);
        for (size_t k = 0; k < hover->n_names; k++)
            put_reading(hover, s, k, out);
        put_window(chart, hover->first_x[s], out);
        tt_buffer_append_str(out, TT_STR("</title></rect>\n"));
    }
}
