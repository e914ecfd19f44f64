/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart_internal.h"

#include <stdio.h>

/* ---- style ---- */

static const char *const LIGHT[TT_CHART_COLOR_COUNT] = {
    [TT_CHART_AUTO] = "#0072b2",  [TT_CHART_BLUE] = "#0072b2",   [TT_CHART_VERMILLION] = "#d55e00",
    [TT_CHART_GREEN] = "#009e73", [TT_CHART_ORANGE] = "#e69f00", [TT_CHART_PURPLE] = "#cc79a7",
    [TT_CHART_SKY] = "#56b4e9",   [TT_CHART_YELLOW] = "#f0e442", [TT_CHART_INK] = "#1f2328",
    [TT_CHART_GREY] = "#8a919a",
};
/* On a dark ground the two blues change places: the dark one would be hard to see. */
static const char *const DARK[TT_CHART_COLOR_COUNT] = {
    [TT_CHART_AUTO] = "#56b4e9",  [TT_CHART_BLUE] = "#56b4e9",   [TT_CHART_VERMILLION] = "#d55e00",
    [TT_CHART_GREEN] = "#009e73", [TT_CHART_ORANGE] = "#e69f00", [TT_CHART_PURPLE] = "#cc79a7",
    [TT_CHART_SKY] = "#0072b2",   [TT_CHART_YELLOW] = "#f0e442", [TT_CHART_INK] = "#e6e8eb",
    [TT_CHART_GREY] = "#7d8590",
};

static void put_colors(struct tt_buffer *out, const char *const *colors)
{
    for (int i = 1; i < TT_CHART_COLOR_COUNT; i++)
        tt_buffer_printf(out, ".tt-s%d{stroke:%s}.tt-f%d{fill:%s}\n", i, colors[i], i, colors[i]);
}

void tt_chart_css(struct tt_buffer *out)
{
    tt_buffer_append_str(
        out,
        TT_STR(
            ".tt-chart text{font:11px system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif;fill:#57606a}\n"
            ".tt-chart .tt-title{font-size:16px;font-weight:600;fill:#1f2328}\n"
            ".tt-chart .tt-sub{font-size:12px}\n"
            ".tt-chart .tt-name{font-size:12px;font-weight:600;fill:#1f2328}\n"
            ".tt-chart .tt-row{font-size:12px;fill:#1f2328}\n"
            ".tt-ground{fill:#fff}.tt-plot{fill:none;stroke:#d0d7de}.tt-grid{stroke:#d0d7de;stroke-opacity:.55}\n"
            ".tt-line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}\n"
            ".tt-line,.tt-band{pointer-events:none}.tt-faint{stroke-width:1;stroke-opacity:.55}.tt-level{stroke-width:1.2;stroke-dasharray:6 4}\n"
            ".tt-band{stroke:none;fill-opacity:.2}.tt-bins{fill-opacity:.45}.tt-window{fill:#e69f00;fill-opacity:.22}\n"
            ".tt-point{fill-opacity:.9}.tt-bar{fill-opacity:.85}.tt-box{fill-opacity:.35;stroke-width:1}\n"
            ".tt-whisker{stroke-width:1.3}.tt-median{stroke-width:3}.tt-hover{fill:#000;fill-opacity:0}.tt-hover:hover{fill-opacity:.08}\n"));
    put_colors(out, LIGHT);
    tt_buffer_append_str(
        out,
        TT_STR(
            "@media (prefers-color-scheme:dark){\n"
            ".tt-chart text{fill:#9da5b0}.tt-chart .tt-title,.tt-chart .tt-name,.tt-chart .tt-row{fill:#e6e8eb}\n"
            ".tt-ground{fill:#14171a}.tt-plot,.tt-grid{stroke:#3d444d}.tt-hover:hover{fill:#fff}\n"));
    put_colors(out, DARK);
    tt_buffer_append_str(out, TT_STR("}\n"));
}

enum tt_chart_color chart_color(enum tt_chart_color color, size_t place)
{
    if (color > TT_CHART_AUTO && color < TT_CHART_COLOR_COUNT)
        return color;
    return (enum tt_chart_color)(TT_CHART_BLUE + place % (TT_CHART_INK - TT_CHART_BLUE));
}

double chart_width(const struct tt_chart_frame *frame)
{
    if (frame->width == 0)
        return 900.0;
    return fmin(fmax(frame->width, 200.0), 4000.0);
}

/* ---- legend ---- */

#define KEY_HEIGHT 18.0
#define KEY_SWATCH 22.0
#define KEY_GAP    18.0
#define MARGIN     14.0

/* Whether the key begins a new line; moves *x behind it. */
static bool place_key(const struct chart_key *key, double width, double *x)
{
    double length = KEY_SWATCH + chart_text_width(key->name) + KEY_GAP;
    bool wraps = *x > MARGIN && *x + length > width;

    *x = (wraps ? MARGIN : *x) + length;
    return wraps;
}

static size_t count_key_lines(const struct tt_chart_frame *frame, const struct chart_key *keys,
                              size_t n_keys)
{
    size_t lines = n_keys > 0 ? 1 : 0;
    double x = MARGIN;

    for (size_t i = 0; i < n_keys; i++)
        lines += place_key(&keys[i], chart_width(frame), &x);
    return lines;
}

static void put_swatch(const struct chart_key *key, double x, double y, struct tt_buffer *out)
{
    char name[64];

    if (key->is_window || key->mark == TT_CHART_BAND || key->mark == TT_CHART_BINS) {
        (void)snprintf(name, sizeof(name), "%s tt-f%d",
                       key->is_window               ? "tt-window"
                       : key->mark == TT_CHART_BAND ? "tt-band"
                                                    : "tt-bins",
                       key->is_window ? 0 : (int)key->color);
        chart_open_rect(out, name, x, y - 9, 16, 10);
        tt_buffer_append_str(out, TT_STR("</rect>\n"));
    } else if (key->mark == TT_CHART_POINTS) {
        tt_buffer_printf(out, "<circle class=\"tt-point tt-f%d\" r=\"4\"", (int)key->color);
        chart_put_attribute(out, "cx", x + 8);
        chart_put_attribute(out, "cy", y - 4);
        tt_buffer_append_str(out, TT_STR("/>\n"));
    } else {
        (void)snprintf(name, sizeof(name), "tt-line%s tt-s%d",
                       key->mark == TT_CHART_LEVEL ? " tt-level"
                       : key->is_faint             ? " tt-faint"
                                                   : "",
                       (int)key->color);
        chart_put_line(out, name, x, y - 4, x + 16, y - 4);
    }
}

static void put_keys(const struct tt_chart_frame *frame, const struct chart_key *keys,
                     size_t n_keys, double y, struct tt_buffer *out)
{
    double x = MARGIN;

    for (size_t i = 0; i < n_keys; i++) {
        double before = x;
        if (place_key(&keys[i], chart_width(frame), &x)) {
            before = MARGIN;
            y += KEY_HEIGHT;
        }
        put_swatch(&keys[i], before, y, out);
        chart_put_text(out, "tt-key", before + KEY_SWATCH, y, "start", keys[i].name);
    }
}

/* ---- frame ---- */

#define TITLE_HEIGHT    24.0
#define SUBTITLE_HEIGHT 18.0

double chart_head_height(const struct tt_chart_frame *frame, const struct chart_key *keys,
                         size_t n_keys)
{
    size_t lines = count_key_lines(frame, keys, n_keys);

    return 8.0 + (frame->title.len > 0 ? TITLE_HEIGHT : 0.0) +
           (frame->subtitle.len > 0 ? SUBTITLE_HEIGHT : 0.0) + KEY_HEIGHT * (double)lines;
}

static void put_style(struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("<style>\n"));
    tt_chart_css(out);
    tt_buffer_append_str(out, TT_STR("</style>\n"));
}

void chart_begin(const struct tt_chart_frame *frame, const struct chart_key *keys, size_t n_keys,
                 double height, struct tt_buffer *out)
{
    double y = 8.0, width = chart_width(frame);

    if (!frame->is_part)
        tt_buffer_append_str(out, TT_STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    tt_buffer_append_str(
        out,
        TT_STR(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tt-chart\" role=\"img\" viewBox=\"0 0 "));
    chart_put_fixed(out, width, 0);
    tt_buffer_append_byte(out, ' ');
    chart_put_fixed(out, ceil(height), 0);
    tt_buffer_append_str(out, TT_STR("\">\n<title>"));
    tt_chart_put_escaped(out, frame->title, TT_CHART_MAX_TEXT);
    tt_buffer_append_str(out, TT_STR("</title>\n"));
    if (!frame->is_part) {
        put_style(out);
        chart_open_rect(out, "tt-ground", 0, 0, width, ceil(height));
        tt_buffer_append_str(out, TT_STR("</rect>\n"));
    }
    if (frame->title.len > 0)
        chart_put_text(out, "tt-title", MARGIN, (y += TITLE_HEIGHT) - 6, "start", frame->title);
    if (frame->subtitle.len > 0)
        chart_put_text(out, "tt-sub", MARGIN, (y += SUBTITLE_HEIGHT) - 4, "start", frame->subtitle);
    put_keys(frame, keys, n_keys, y + 13, out);
}

void chart_end(struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("</svg>\n"));
}
