/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_CHART_H
#define TT_CLI_CHART_H

/*
 * Pictures as SVG: what was judged, for a person to look at.
 *
 * Purpose:   one writer for the commands that draw (evaluate --plot, reports). Four kinds: curves over a common x axis (lines, steps, bands,
 *            markers, histograms, ROC), horizontal bars, and ranges (box plots).
 * Output:    one self-contained <svg> without script or reference to anything outside, in the viewer's light or dark colours; it scales to
 *            the width it is given. Or the same as part of a page that holds tt_chart_css() once (is_part).
 * Text:      any bytes; escaped, control characters and broken UTF-8 replaced, cut at TT_CHART_MAX_TEXT characters.
 * Numbers:   NaN and infinities are missing: a line has a gap there, a mark is left out. Written with '.', whatever the locale.
 *            The same input gives the same bytes.
 * Limits:    a layer draws at most four points a pixel of width (the first, lowest, highest and last), so that a picture of ten million points
 *            has some 100 kB and shows every spike. Windows, rows and layers beyond the limits below are not drawn.
 * Ownership: all input is borrowed for the call. Threads: no state. Cost: O(points).
 * Errors:    those of the buffer (base/buffer.h): check it at the end.
 */

#include "base/buffer.h"
#include "detect/rank.h"

#define TT_CHART_MAX_TEXT    ((size_t)120)
#define TT_CHART_MAX_PANELS  8
#define TT_CHART_MAX_LAYERS  16
#define TT_CHART_MAX_WINDOWS 500
#define TT_CHART_MAX_ROWS    200
#define TT_CHART_MAX_SERIES  8 /* bars or ranges a row */

enum tt_chart_unit {
    TT_CHART_NUMBER,
    TT_CHART_PERCENT,     /* 0.5 is "50%" */
    TT_CHART_DURATION_NS, /* "20ms", "1h" */
    TT_CHART_BYTES,       /* "1.5MB" */
    TT_CHART_TIME_NS,     /* since 1970, shown in UTC */
};

/* Okabe and Ito's palette (Color Universal Design, 2008), which colour-blind people can tell apart. */
enum tt_chart_color {
    TT_CHART_AUTO, /* by its place among the layers or series */
    TT_CHART_BLUE,
    TT_CHART_VERMILLION,
    TT_CHART_GREEN,
    TT_CHART_ORANGE,
    TT_CHART_PURPLE,
    TT_CHART_SKY,
    TT_CHART_YELLOW,
    TT_CHART_INK, /* the colour of text */
    TT_CHART_GREY,
    TT_CHART_COLOR_COUNT,
};

/* What all kinds have. Zero is a good default of every field. */
struct tt_chart_frame {
    struct tt_str title, subtitle;
    uint32_t width; /* in units of which a letter is about 6 wide; 0: 900; 200 to 4000 */
    bool
        is_part; /* inside an HTML page that has tt_chart_css() in a <style>: no XML declaration, no style, no background */
};

struct tt_chart_axis {
    struct tt_str label;
    enum tt_chart_unit unit;
    bool is_log;     /* what is not above 0 is missing */
    bool has_zero;   /* reaches to 0 even if the data do not */
    double min, max; /* both 0: from the data */
};

/* ---- curves ---- */

enum tt_chart_mark {
    TT_CHART_LINE,   /* x, y; x ascending: a point left of the one before is left out */
    TT_CHART_STEP,   /* the same; a value holds until the next point */
    TT_CHART_BAND,   /* x, y the lower and y2 the upper edge */
    TT_CHART_POINTS, /* x, y in any order: highest and lowest of each pixel */
    TT_CHART_BINS,   /* a histogram: x are count + 1 edges, ascending, y count heights */
    TT_CHART_LEVEL,  /* a horizontal line at y[0], dashed */
};

struct tt_chart_layer {
    enum tt_chart_mark mark;
    struct tt_str name; /* in the legend; empty: not there */
    enum tt_chart_color color;
    const double *x, *y, *y2;
    size_t count;
    double gap; /* lines, bands: points further apart than this are not connected; 0: all are */
    bool
        is_loose; /* its values do not stretch the y axis (bands that begin wide); what is outside is cut off */
    bool is_faint; /* thin and pale: what stands behind */
};

/* Panels stand under each other over one x axis. */
struct tt_chart_panel {
    struct tt_chart_axis y;
    const struct tt_chart_layer *layers;
    size_t n_layers;
    uint32_t height; /* of its plot; 0: 240; 40 to 2000 */
};

/* Shaded over the height of all panels. */
struct tt_chart_window {
    double from, to;
    struct tt_str name;
};

struct tt_chart {
    struct tt_chart_frame frame;
    struct tt_chart_axis x;
    const struct tt_chart_panel *panels;
    size_t n_panels;
    const struct tt_chart_window *windows;
    size_t n_windows;
    struct tt_str windows_name; /* in the legend */
    bool has_tooltips; /* the values of lines under the pointer, in 120 strips: some 20 kB */
    bool has_diagonal; /* a pale line from corner to corner: chance, in a ROC curve */
};

void tt_chart_svg(const struct tt_chart *chart, struct tt_buffer *out);

/* ---- rows: one a category, each with a bar or range for every series ---- */

struct tt_chart_bars {
    struct tt_chart_frame frame;
    struct tt_chart_axis axis; /* linear ones reach to 0 */
    const struct tt_str *rows;
    size_t n_rows;
    const struct tt_str *series; /* names in the legend; NULL with one series */
    size_t n_series;
    const enum tt_chart_color *colors; /* one a series; NULL: automatic */
    const double *values;              /* [row * n_series + series] */
    const double *low, *high; /* of the confidence interval, in the same order; NULL: none */
};

void tt_chart_bars_svg(const struct tt_chart_bars *bars, struct tt_buffer *out);

/* A thin line from low to high, a box from q1 to q3, a stroke at the median, a diamond at the mark (a p99, say). What is NaN is left out. */
struct tt_chart_range {
    double low, q1, median, q3, high, mark;
};

struct tt_chart_ranges {
    struct tt_chart_frame frame;
    struct tt_chart_axis axis;
    const struct tt_str *rows;
    size_t n_rows;
    const struct tt_str *series;
    size_t n_series;
    const enum tt_chart_color *colors;
    const struct tt_chart_range *ranges; /* [row * n_series + series] */
    const char *mark_name;               /* "p99", for tooltips; NULL: "mark" */
};

void tt_chart_ranges_svg(const struct tt_chart_ranges *ranges, struct tt_buffer *out);

/* ---- help for callers ---- */

/* The style of all charts, for a page that holds parts. Its class names begin with "tt-". */
void tt_chart_css(struct tt_buffer *out);

/* Curves of a ranking (detect/rank.h) as lines: false and true positive rate; recall and precision (a step). ret_x, ret_y: ranking->count + 1
 * values. Returns how many; 0 when there is but one class. */
size_t tt_chart_roc(const struct tt_ranking *ranking, double *ret_x, double *ret_y);
size_t tt_chart_precision_recall(const struct tt_ranking *ranking, double *ret_x, double *ret_y);

/* Text of a value for a person: "1.25ms", "2014-04-10 07:15:00", "12%". */
void tt_chart_put_value(struct tt_buffer *out, enum tt_chart_unit unit, double value);
/* Appends text with & < > " ' escaped and what XML does not allow replaced; at most max characters, then "…". For HTML and attributes too. */
void tt_chart_put_escaped(struct tt_buffer *out, struct tt_str text, size_t max);

#endif
