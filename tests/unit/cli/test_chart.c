/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart.h"
#include "tt_test.h"

#include <math.h>

#define MANY   200000
#define MINUTE 60e9

static size_t count_of(struct tt_str text, const char *part)
{
    size_t count = 0, len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++)
        count += memcmp(text.data + i, part, len) == 0;
    return count;
}

static bool has(const struct tt_buffer *out, const char *part)
{
    return count_of(tt_buffer_view(out), part) > 0;
}

/* Every element that is opened is closed, in order, and no mark-up character stands in text or an attribute. */
static void assert_well_formed(const struct tt_buffer *out)
{
    struct tt_str open[32], rest = tt_buffer_view(out);
    size_t depth = 0;

    assert_int_equal(out->failed, TT_OK);
    assert_int_equal(tt_utf8_valid_prefix(rest), rest.len);
    while (rest.len > 0) {
        struct tt_str text = tt_str_cut(&rest, '<'), tag, name;
        assert_int_equal(tt_str_find(text, '>'), text.len);
        if (rest.data == NULL)
            break;
        tag = tt_str_cut(&rest, '>');
        if (tag.data[0] == '?')
            continue;
        assert_int_equal(count_of(tag, "\"") % 2, 0);
        if (tag.data[0] == '/') {
            assert_true(depth > 0);
            assert_str_equal(tt_str_of(tag.data + 1, tag.len - 1), open[--depth]);
            continue;
        }
        name = tag;
        name = tt_str_cut(&name, ' ');
        assert_true(depth < TT_LENGTH(open));
        if (tag.data[tag.len - 1] != '/')
            open[depth++] = name;
    }
    assert_int_equal(depth, 0);
}

static struct tt_chart curves(const struct tt_chart_panel *panels, size_t n_panels)
{
    return (struct tt_chart){.frame = {.title = TT_STR("title")},
                             .x = {.unit = TT_CHART_TIME_NS},
                             .panels = panels,
                             .n_panels = n_panels};
}

/* One panel with one layer. */
static void draw_layer(const struct tt_chart_layer *layer, struct tt_buffer *out)
{
    struct tt_chart_panel panel = {.layers = layer, .n_layers = 1};
    struct tt_chart chart = curves(&panel, 1);

    tt_buffer_init(out, 1 << 24);
    tt_chart_svg(&chart, out);
    assert_well_formed(out);
}

static void text_from_outside_cannot_become_markup(void **state)
{
    static const struct {
        const char *text, *expected;
        size_t max;
    } cases[] = {
        {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;", 99},
        {"</title><script>", "&lt;/title&gt;&lt;script&gt;", 99},
        {"tab\tnul\x01 del\x7f", "tab\xEF\xBF\xBDnul\xEF\xBF\xBD del\xEF\xBF\xBD", 99},
        {"\xff\xc3", "\xEF\xBF\xBD\xEF\xBF\xBD", 99},
        {"\xEF\xBF\xBE\xC2\x85", "\xEF\xBF\xBD\xEF\xBF\xBD", 99},
        {"µs über", "µs über", 99},
        {"äöü", "äö…", 2},
        {"", "", 3},
    };
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        tt_buffer_clear(&out);
        tt_chart_put_escaped(&out, tt_str(cases[i].text), cases[i].max);
        assert_str(tt_buffer_view(&out), cases[i].expected);
    }
    tt_buffer_done(&out);
}

static void hostile_names_leave_the_picture_well_formed(void **state)
{
    static const char name[] = "</svg><script>alert(1)</script> \" onload=\"x' \x02\xff &amp;";
    const double x[] = {1.0, 2.0, 3.0}, y[] = {1.0, 5.0, 2.0};
    struct tt_chart_layer layers[] = {
        {.mark = TT_CHART_LINE, .name = tt_str(name), .x = x, .y = y, .count = 3},
        {.mark = TT_CHART_POINTS, .name = tt_str(name), .x = x, .y = y, .count = 3},
        {.mark = TT_CHART_BINS, .name = tt_str(name), .x = x, .y = y, .count = 2},
        {.mark = TT_CHART_BAND, .name = tt_str(name), .x = x, .y = y, .y2 = y, .count = 3},
    };
    struct tt_chart_panel panel = {
        .y = {.label = tt_str(name)}, .layers = layers, .n_layers = TT_LENGTH(layers)};
    struct tt_chart_window window = {1.5, 2.5, tt_str(name)};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_str names[] = {tt_str(name)};
    struct tt_chart_bars bars = {
        .frame = {.title = tt_str(name), .subtitle = tt_str(name)},
        .axis = {.label = tt_str(name)},
        .rows = names,
        .n_rows = 1,
        .series = names,
        .n_series = 1,
        .values = y,
    };
    struct tt_buffer out;

    (void)state;
    chart.frame.title = chart.frame.subtitle = chart.x.label = tt_str(name);
    chart.windows = &window;
    chart.n_windows = 1;
    chart.windows_name = tt_str(name);
    tt_buffer_init(&out, 1 << 20);
    tt_chart_svg(&chart, &out);
    assert_well_formed(&out);
    assert_false(has(&out, "<script"));
    assert_false(has(&out, "onload=\"x"));
    tt_buffer_clear(&out);
    tt_chart_bars_svg(&bars, &out);
    assert_well_formed(&out);
    assert_false(has(&out, "<script"));
    tt_buffer_done(&out);
}

static void without_data_the_picture_says_so(void **state)
{
    const double nan_only[] = {(double)NAN, (double)NAN};
    const struct tt_chart_layer layers[] = {
        {.mark = TT_CHART_LINE, .count = 0},
        {.mark = TT_CHART_LINE, .x = nan_only, .y = nan_only, .count = 2},
        {.mark = TT_CHART_BAND, .x = nan_only, .y = nan_only, .y2 = nan_only, .count = 2},
        {.mark = TT_CHART_POINTS, .x = nan_only, .y = nan_only, .count = 2},
        {.mark = TT_CHART_BINS, .x = nan_only, .y = nan_only, .count = 1},
    };
    struct tt_chart_bars bars = {.n_series = 1};
    struct tt_chart_ranges ranges = {.n_series = 1};
    struct tt_buffer out;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(layers); i++) {
        draw_layer(&layers[i], &out);
        assert_true(has(&out, "no data"));
        assert_false(has(&out, "nan"));
        tt_buffer_done(&out);
    }
    tt_buffer_init(&out, 1 << 20);
    tt_chart_bars_svg(&bars, &out);
    assert_well_formed(&out);
    tt_chart_ranges_svg(&ranges, &out);
    assert_int_equal(count_of(tt_buffer_view(&out), "no data"), 2);
    tt_buffer_done(&out);
}

static void one_point_is_drawn_in_the_middle(void **state)
{
    const double x[] = {1.4e18}, y[] = {3.0};
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = 1};
    struct tt_buffer out;

    (void)state;
    draw_layer(&layer, &out);
    assert_true(has(&out, " 120m-1.5 0h3\""));
    tt_buffer_done(&out);
}

static void missing_values_and_gaps_interrupt_a_line(void **state)
{
    const double x[] = {0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE, 60 * MINUTE, 61 * MINUTE};
    const double y[] = {1, 2, (double)NAN, 4, 5, 6, (double)INFINITY};
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = 7};
    struct tt_buffer out;

    (void)state;
    draw_layer(&layer, &out);
    assert_int_equal(count_of(tt_buffer_view(&out), "d=\"M"), 1);
    assert_int_equal(count_of(tt_buffer_view(&out), "M"), 2);
    tt_buffer_done(&out);
    layer.gap = 5 * MINUTE;
    draw_layer(&layer, &out);
    assert_int_equal(count_of(tt_buffer_view(&out), "M"), 3);
    tt_buffer_done(&out);
}

/* A number of a path, of one decimal at most, in tenths; moves *at behind it. */
static int64_t path_number(const char **at)
{
    int64_t whole = 0, tenth = 0;
    bool negative;

    *at += **at == ' ';
    negative = **at == '-';
    *at += negative;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        whole = whole * 10 + (**at - '0');
    if (**at == '.') {
        tenth = (*at)[1] - '0';
        *at += 2;
    }
    return (whole * 10 + tenth) * (negative ? -1 : 1);
}

/* The least y, in tenths, that the first path drawn in the picture reaches. */
static int64_t highest_stroke(const struct tt_buffer *out)
{
    size_t i = 0;
    const char *at;
    int64_t x = 0, y = 0, least = INT64_MAX;

    while (i + 6 < out->len && memcmp(out->data + i, " d=\"M", 5) != 0)
        i++;
    assert_true(i + 6 < out->len);
    for (at = out->data + i + 4; *at != '"';) {
        char command = *at++;
        if (command == 'M') {
            x = path_number(&at);
            y = path_number(&at);
        } else if (command == 'l') {
            x += path_number(&at);
            y += path_number(&at);
        } else if (command == 'h') {
            x += path_number(&at);
        } else if (command == 'v') {
            y += path_number(&at);
        } else {
            assert_int_equal(command, 'Z');
        }
        least = y < least ? y : least;
    }
    assert_in_range(x + 1, 0, 10000);
    return least;
}

static void a_long_series_stays_small_and_shows_its_one_spike(void **state)
{
    double *x = tt_calloc(MANY, sizeof(*x)), *y = tt_calloc(MANY, sizeof(*y));
    struct tt_chart_axis axis = {.min = 0.0, .max = 100.0};
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = MANY};
    struct tt_chart_panel panel = {.y = axis, .layers = &layer, .n_layers = 1};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_buffer out;
    size_t len[5];

    (void)state;
    assert_true(x != NULL && y != NULL);
    for (size_t i = 0; i < MANY; i++) {
        x[i] = (double)i * MINUTE;
        y[i] = (double)(i % 7);
    }
    y[123456] = 75.0;
    layer.y2 = y;
    tt_buffer_init(&out, 1 << 24);
    for (int mark = TT_CHART_LINE; mark <= TT_CHART_BINS; mark++) {
        layer.mark = (enum tt_chart_mark)mark;
        layer.count = MANY - (mark == TT_CHART_BINS);
        tt_buffer_clear(&out);
        tt_chart_svg(&chart, &out);
        assert_well_formed(&out);
        len[mark] = out.len;
        assert_in_range(out.len, 1000, 300000);
        /* 240 high, 0 to 100: 75 is at 60. */
        if (mark == TT_CHART_POINTS)
            assert_true(has(&out, "cy=\"60\""));
        else if (mark != TT_CHART_BINS)
            assert_int_equal(highest_stroke(&out), 600);
    }
    layer.mark = TT_CHART_LINE;
    layer.count = MANY / 2;
    tt_buffer_clear(&out);
    tt_chart_svg(&chart, &out);
    assert_in_range(out.len, len[0] / 2, 2 * len[0]);
    tt_buffer_done(&out);
    tt_free(x);
    tt_free(y);
}

static void points_that_go_back_in_time_do_not_make_it_grow(void **state)
{
    double *x = tt_calloc(MANY, sizeof(*x));
    struct tt_chart_layer layer = {.x = x, .y = x, .y2 = x, .count = MANY};
    struct tt_buffer out;

    (void)state;
    assert_non_null(x);
    for (size_t i = 0; i < MANY; i++)
        x[i] = (double)(i * 7919 % MANY);
    for (int mark = TT_CHART_LINE; mark <= TT_CHART_POINTS; mark++) {
        layer.mark = (enum tt_chart_mark)mark;
        draw_layer(&layer, &out);
        assert_in_range(out.len, 1000, 300000);
        tt_buffer_done(&out);
    }
    tt_free(x);
}

static void extreme_values_are_drawn_without_overflow(void **state)
{
    const double x[] = {-1.7e308, 0.0, 1.7e308}, y[] = {1.7e308, 4.9e-324, -1.7e308};
    struct tt_chart_layer layer = {.x = x, .y = y, .y2 = y, .count = 3};
    struct tt_buffer out;

    (void)state;
    for (int mark = TT_CHART_LINE; mark <= TT_CHART_POINTS; mark++) {
        for (int log = 0; log < 2; log++) {
            for (int unit = 0; unit <= TT_CHART_TIME_NS; unit++) {
                struct tt_chart_panel panel = {.layers = &layer, .n_layers = 1};
                struct tt_chart chart = curves(&panel, 1);

                layer.mark = (enum tt_chart_mark)mark;
                panel.y.is_log = chart.x.is_log = log != 0;
                panel.y.unit = chart.x.unit = (enum tt_chart_unit)unit;
                tt_buffer_init(&out, 1 << 20);
                tt_chart_svg(&chart, &out);
                assert_well_formed(&out);
                assert_false(has(&out, "nan"));
                tt_buffer_done(&out);
            }
        }
    }
}

static void a_logarithmic_axis_leaves_out_what_is_not_positive(void **state)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0.0, -3.0, 10.0, 1000.0};
    struct tt_chart_layer layer = {.mark = TT_CHART_POINTS, .x = x, .y = y, .count = 4};
    struct tt_chart_panel panel = {.y = {.is_log = true}, .layers = &layer, .n_layers = 1};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1 << 20);
    tt_chart_svg(&chart, &out);
    assert_well_formed(&out);
    assert_int_equal(count_of(tt_buffer_view(&out), "<circle"), 2);
    assert_true(has(&out, ">100<"));
    tt_buffer_done(&out);
}

static void ticks_are_round_numbers_with_units(void **state)
{
    static const struct {
        enum tt_chart_unit unit;
        double from, to;
        const char *labels[3];
    } cases[] = {
        {TT_CHART_NUMBER, 0.0, 1.0, {">0<", ">0.5<", ">1<"}},
        {TT_CHART_NUMBER, -3.0, 12345.0, {">0<", ">2k<", ">10k<"}},
        {TT_CHART_NUMBER, 0.0, 3.4e6, {">1M<", ">2M<", ">3M<"}},
        {TT_CHART_PERCENT, 0.0, 1.0, {">50%<", ">100%<", ">0%<"}},
        {TT_CHART_DURATION_NS, 0.0, 2e8, {">20ms<", ">100ms<", ">200ms<"}},
        {TT_CHART_DURATION_NS, 0.0, 300e9, {">1min<", ">2min<", ">5min<"}},
        {TT_CHART_BYTES, 0.0, 4e6, {">1MB<", ">2MB<", ">4MB<"}},
        {TT_CHART_TIME_NS, 1397088000e9, 1397174400e9, {">Apr 10<", ">03:00<", ">Apr 11<"}},
        {TT_CHART_TIME_NS, 1397088000e9, 1397088060e9, {">Apr 10<", ">00:00:10<", ">00:01:00<"}},
        {TT_CHART_TIME_NS, 1397088000e9, 1417088000e9, {">2014-05<", ">2014-06<", ">2014-11<"}},
        {TT_CHART_TIME_NS, 946684800e9, 1717088000e9, {">2000<", ">2010<", ">2020<"}},
    };
    struct tt_buffer out;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        const double x[] = {cases[i].from, cases[i].to}, y[] = {0.3, 0.7};
        struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = 2};
        struct tt_chart_panel panel = {.layers = &layer, .n_layers = 1};
        struct tt_chart chart = curves(&panel, 1);

        chart.x.unit = cases[i].unit;
        tt_buffer_init(&out, 1 << 20);
        tt_chart_svg(&chart, &out);
        for (int k = 0; k < 3; k++)
            if (!has(&out, cases[i].labels[k]))
                fail_msg("case %zu: no %s", i, cases[i].labels[k]);
        tt_buffer_done(&out);
    }
}

static void values_are_written_for_a_person(void **state)
{
    static const struct {
        enum tt_chart_unit unit;
        double value;
        const char *expected;
    } cases[] = {
        {TT_CHART_NUMBER, 0.1 + 0.2, "0.3"},
        {TT_CHART_NUMBER, 123456.7, "123460"},
        {TT_CHART_NUMBER, 3.21e9, "3.21G"},
        {TT_CHART_NUMBER, -1e-9, "-1e-09"},
        {TT_CHART_NUMBER, (double)NAN, "–"},
        {TT_CHART_PERCENT, 0.125, "12.5%"},
        {TT_CHART_DURATION_NS, 1.25e6, "1.25ms"},
        {TT_CHART_DURATION_NS, 90e9, "1.5min"},
        {TT_CHART_BYTES, 1500.0, "1.5kB"},
        {TT_CHART_TIME_NS, 1397114100e9, "2014-04-10 07:15:00"},
        {TT_CHART_NUMBER, 5e-324, "5e-324"},
        {TT_CHART_NUMBER, 1.7e308, "1.7e+296T"},
    };
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1 << 10);
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        tt_buffer_clear(&out);
        tt_chart_put_value(&out, cases[i].unit, cases[i].value);
        assert_str(tt_buffer_view(&out), cases[i].expected);
    }
    tt_buffer_done(&out);
}

static void tooltips_tell_what_lines_do_under_the_pointer(void **state)
{
    const double x[] = {0.0, 1e6, 100e9, 101e9}, y[] = {1.0, 3.0, (double)NAN, 7.0};
    struct tt_chart_layer layer = {
        .mark = TT_CHART_LINE, .name = TT_STR("a<b"), .x = x, .y = y, .count = 4};
    struct tt_chart_panel panel = {.layers = &layer, .n_layers = 1};
    struct tt_chart_window window = {50e9, 200e9, TT_STR("leak")};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_buffer out;

    (void)state;
    chart.windows = &window;
    chart.n_windows = 1;
    chart.windows_name = TT_STR("labelled");
    chart.has_tooltips = true;
    tt_buffer_init(&out, 1 << 20);
    tt_chart_svg(&chart, &out);
    assert_well_formed(&out);
    assert_int_equal(count_of(tt_buffer_view(&out), "class=\"tt-hover\""), 2);
    assert_true(has(&out, "<title>1970-01-01 00:00:00\na&lt;b: 1 – 3</title>"));
    assert_true(has(&out, "<title>1970-01-01 00:01:41\na&lt;b: 7\nlabelled: leak</title>"));
    tt_buffer_done(&out);
}

static void bars_and_ranges_show_every_row_with_its_values(void **state)
{
    const struct tt_str rows[] = {TT_STR("cpu"), TT_STR("memory")};
    const struct tt_str series[] = {TT_STR("full"), TT_STR("light")};
    const double values[] = {0.5, 0.25, -0.75, (double)NAN}, low[] = {0.4, 0.2, -0.8, 0},
                 high[] = {0.6, 0.3, -0.7, 0};
    const struct tt_chart_range range[] = {{1e6, 2e6, 3e6, 4e6, 5e6, 9e6},
                                           {1, 2, 3, 4, 5, 6},
                                           {1, 2, 3, 4, 5, 6},
                                           {1, (double)NAN, 3, 4, 5, 6}};
    struct tt_chart_bars bars = {.rows = rows,
                                 .n_rows = 2,
                                 .series = series,
                                 .n_series = 2,
                                 .values = values,
                                 .low = low,
                                 .high = high};
    struct tt_chart_ranges ranges = {.axis = {.unit = TT_CHART_DURATION_NS, .is_log = true},
                                     .rows = rows,
                                     .n_rows = 2,
                                     .series = series,
                                     .n_series = 2,
                                     .ranges = range,
                                     .mark_name = "p99"};
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1 << 20);
    tt_chart_bars_svg(&bars, &out);
    assert_well_formed(&out);
    assert_int_equal(count_of(tt_buffer_view(&out), "<rect class=\"tt-bar"), 3);
    assert_true(has(&out, "cpu, full: 0.5 (0.4 – 0.6)"));
    assert_true(has(&out, "memory, full: -0.75"));
    tt_buffer_clear(&out);
    tt_chart_ranges_svg(&ranges, &out);
    assert_well_formed(&out);
    assert_int_equal(count_of(tt_buffer_view(&out), "<rect class=\"tt-box"), 3);
    assert_true(has(&out, "cpu, full: median 3ms, quartiles 2ms – 4ms, range 1ms – 5ms, p99 9ms"));
    tt_buffer_done(&out);
}

static void a_part_of_a_page_has_neither_style_nor_declaration(void **state)
{
    const double x[] = {1, 2}, y[] = {1, 2};
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = 2};
    struct tt_chart_panel panel = {.layers = &layer, .n_layers = 1};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_buffer out;

    (void)state;
    chart.frame.is_part = true;
    tt_buffer_init(&out, 1 << 20);
    tt_chart_svg(&chart, &out);
    assert_well_formed(&out);
    assert_true(tt_str_starts_with(tt_buffer_view(&out), TT_STR("<svg ")));
    assert_false(has(&out, "<style"));
    chart.frame.is_part = false;
    tt_chart_svg(&chart, &out);
    assert_true(has(&out, "prefers-color-scheme:dark"));
    tt_buffer_done(&out);
}

static void curves_of_a_ranking_go_from_corner_to_corner(void **state)
{
    const float scores[] = {0.9F, 0.8F, 0.7F, 0.7F, 0.1F};
    const uint8_t anomalous[] = {1, 0, 1, 0, 0}, none[5] = {0};
    struct tt_ranking ranking;
    double x[6], y[6];
    struct tt_error err;

    (void)state;
    assert_ok(tt_ranking_make(scores, anomalous, 5, &ranking, &err), &err);
    assert_int_equal(tt_chart_roc(&ranking, x, y), 5);
    assert_true(x[0] == 0.0 && y[0] == 0.0 && x[4] == 1.0 && y[4] == 1.0);
    assert_true(x[1] == 0.0 && y[1] == 0.5);
    assert_true(fabs(x[3] - 2.0 / 3.0) < 1e-12 && y[3] == 1.0);
    assert_int_equal(tt_chart_precision_recall(&ranking, x, y), 5);
    assert_true(x[0] == 0.0 && y[0] == 1.0 && x[2] == 0.5 && y[2] == 0.5);
    tt_ranking_done(&ranking);
    assert_ok(tt_ranking_make(scores, none, 5, &ranking, &err), &err);
    assert_int_equal(tt_chart_roc(&ranking, x, y), 0);
    assert_int_equal(tt_chart_precision_recall(&ranking, x, y), 0);
    tt_ranking_done(&ranking);
}

static bool draw_once(void *context)
{
    const double x[] = {1, 2, 3}, y[] = {1, 3, 2};
    struct tt_chart_layer layers[] = {
        {.mark = TT_CHART_BAND, .x = x, .y = y, .y2 = y, .count = 3},
        {.mark = TT_CHART_POINTS, .x = x, .y = y, .count = 3},
    };
    struct tt_chart_panel panel = {.layers = layers, .n_layers = 2};
    struct tt_chart chart = curves(&panel, 1);
    struct tt_buffer out;
    bool ok;

    chart.has_tooltips = true;

    tt_buffer_init(&out, 1 << 20);
    tt_chart_svg(&chart, &out);
    ok = out.failed == TT_OK && has(&out, "</svg>") && !has(&out, "d=\"\"");
    tt_buffer_done(&out);
    return *(bool *)context && ok;
}

static void memory_that_is_gone_is_reported(void **state)
{
    bool wanted = true;

    (void)state;
    tt_test_failing_allocations(draw_once, &wanted);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    const double x[] = {1, 2, 3}, y[] = {1.0 / 3.0, 1e-7, 2};
    struct tt_chart_layer layer = {.mark = TT_CHART_LINE, .x = x, .y = y, .count = 3};
    struct tt_buffer a, b;

    (void)state;
    draw_layer(&layer, &a);
    draw_layer(&layer, &b);
    assert_str_equal(tt_buffer_view(&a), tt_buffer_view(&b));
    tt_buffer_done(&a);
    tt_buffer_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_from_outside_cannot_become_markup),
        cmocka_unit_test(hostile_names_leave_the_picture_well_formed),
        cmocka_unit_test(without_data_the_picture_says_so),
        cmocka_unit_test(one_point_is_drawn_in_the_middle),
        cmocka_unit_test(missing_values_and_gaps_interrupt_a_line),
        cmocka_unit_test(a_long_series_stays_small_and_shows_its_one_spike),
        cmocka_unit_test(points_that_go_back_in_time_do_not_make_it_grow),
        cmocka_unit_test(extreme_values_are_drawn_without_overflow),
        cmocka_unit_test(a_logarithmic_axis_leaves_out_what_is_not_positive),
        cmocka_unit_test(ticks_are_round_numbers_with_units),
        cmocka_unit_test(values_are_written_for_a_person),
        cmocka_unit_test(tooltips_tell_what_lines_do_under_the_pointer),
        cmocka_unit_test(bars_and_ranges_show_every_row_with_its_values),
        cmocka_unit_test(a_part_of_a_page_has_neither_style_nor_declaration),
        cmocka_unit_test(curves_of_a_ranking_go_from_corner_to_corner),
        cmocka_unit_test(memory_that_is_gone_is_reported),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
