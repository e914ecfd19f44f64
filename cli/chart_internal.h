/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_CHART_INTERNAL_H
#define TT_CLI_CHART_INTERNAL_H

/*
 * The parts of chart.h: scales and ticks (chart_axis.c), texts and numbers (chart_text.c), what frames a picture (chart_frame.c), and the marks
 * (chart_marks.c). Lengths are units of the viewBox.
 */

#include "cli/chart.h"

#include <math.h>

#define CHART_MAX_TICKS 32
#define CHART_FONT      11.0
#define CHART_LETTER    6.2 /* mean width of a letter at that size */

/* ---- scales ---- */

#define CHART_MISSING ((double)NAN)

struct chart_scale {
    double min, max; /* of the data; log10 of them when is_log */
    double from, to; /* where they are drawn */
    bool is_log;
};

struct chart_tick {
    double at; /* of the picture */
    char label[32];
};

struct chart_range {
    double min, max; /* min > max: nothing yet */
};

static inline struct chart_range chart_range_empty(void)
{
    return (struct chart_range){HUGE_VAL, -HUGE_VAL};
}

/* A number that can be drawn on this axis: NaN otherwise; what is beyond 1e300 counts as that. */
double chart_usable(const struct tt_chart_axis *axis, double value);
void chart_range_add(struct chart_range *range, const struct tt_chart_axis *axis, double value);
/* The axis over the range of its data, with room at the ends that are not fixed. */
struct chart_scale chart_scale_make(const struct tt_chart_axis *axis, struct chart_range range,
                                    double from, double to);
/* NaN for what is missing; otherwise not further outside than 10,000. */
double chart_at(const struct chart_scale *scale, double value);
/* At most CHART_MAX_TICKS; wanted: about how many. */
size_t chart_ticks(const struct chart_scale *scale, enum tt_chart_unit unit, size_t wanted,
                   struct chart_tick *ret_ticks);

/* ---- text ---- */

/* Fixed decimals without trailing zeros; |value| below 1e15. */
void chart_put_fixed(struct tt_buffer *out, double value, int decimals);
/* " name=\"1.5\"" */
void chart_put_attribute(struct tt_buffer *out, const char *name, double value);
/* A <text> of a class; anchor: "start", "middle" or "end". */
void chart_put_text(struct tt_buffer *out, const char *class_name, double x, double y,
                    const char *anchor, struct tt_str text);
void chart_put_line(struct tt_buffer *out, const char *class_name, double x1, double y1, double x2,
                    double y2);
/* An element that is left open for a <title>: "<rect …>". */
void chart_open_rect(struct tt_buffer *out, const char *class_name, double x, double y,
                     double width, double height);
/* tt_chart_put_value() with so many significant digits. */
void chart_put_rounded(struct tt_buffer *out, enum tt_chart_unit unit, double value, int digits);
/* Estimated width at CHART_FONT. */
double chart_text_width(struct tt_str text);
/* Label of a tick among others that are `step` apart, the greatest of them `big`. */
void chart_tick_label(enum tt_chart_unit unit, double value, double step, double big,
                      char ret_label[32]);

/* ---- frame ---- */

struct chart_key {
    enum tt_chart_mark mark;
    enum tt_chart_color color;
    struct tt_str name;
    bool is_window, is_faint;
};

enum tt_chart_color chart_color(enum tt_chart_color color, size_t place);
double chart_width(const struct tt_chart_frame *frame);
/* Height of title, subtitle and legend. */
double chart_head_height(const struct tt_chart_frame *frame, const struct chart_key *keys,
                         size_t n_keys);
/* Begins the picture: <svg>, style, background, title, subtitle, legend. */
void chart_begin(const struct tt_chart_frame *frame, const struct chart_key *keys, size_t n_keys,
                 double height, struct tt_buffer *out);
void chart_end(struct tt_buffer *out);

/* ---- marks ---- */

struct chart_plot {
    const struct tt_chart_axis *x_axis, *y_axis;
    struct chart_scale x, y; /* drawn from the plot's own corner */
    double width, height;
};

void chart_draw(const struct chart_plot *plot, const struct tt_chart_layer *layer,
                enum tt_chart_color color, struct tt_buffer *out);

/* ---- tooltips: strips over the width that tell what the named lines do there ---- */

struct chart_hover;
/* NULL when memory is gone; freed with tt_free(). */
struct chart_hover *chart_hover_make(const struct tt_chart *chart, const struct chart_scale *x,
                                     double width);
void chart_hover_draw(const struct chart_hover *hover, const struct tt_chart *chart, double left,
                      double top, double width, double height, struct tt_buffer *out);

#endif
