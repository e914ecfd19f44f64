/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/chart_internal.h"

#include <stdio.h>

/* ---- numbers ---- */

static const int64_t POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

void chart_put_fixed(struct tt_buffer *out, double value, int decimals)
{
    int64_t power, scaled;

    if (!(fabs(value) < 1e12))
        value = 0.0;
    while (decimals > 6)
        decimals--;
    power = POWERS[decimals];
    scaled = (int64_t)llround(value * (double)power);
    if (scaled < 0)
        tt_buffer_append_byte(out, '-');
    scaled = scaled < 0 ? -scaled : scaled;
    tt_buffer_append_int64(out, scaled / power);
    scaled %= power;
    if (scaled == 0)
        return;
    tt_buffer_append_byte(out, '.');
    for (power /= 10; scaled > 0; power /= 10) {
        tt_buffer_append_byte(out, (char)('0' + scaled / power));
        scaled %= power;
    }
}

/* A number and a unit that make a value short to read. */
struct scaled {
    double by;
    const char *suffix;
};

static struct scaled scale_of(enum tt_chart_unit unit, double big)
{
    static const struct scaled numbers[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    static const struct scaled bytes[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
    static const struct scaled times[] = {{86400e9, "d"}, {3600e9, "h"}, {60e9, "min"},
                                          {1e9, "s"},     {1e6, "ms"},   {1e3, "µs"}};
    const struct scaled *table = numbers;
    size_t count = TT_LENGTH(numbers);
    struct scaled plain = {1.0, ""};

    if (unit == TT_CHART_PERCENT)
        return (struct scaled){0.01, "%"};
    if (unit == TT_CHART_BYTES) {
        table = bytes;
        plain.suffix = "B";
    }
    if (unit == TT_CHART_DURATION_NS) {
        table = times;
        count = TT_LENGTH(times);
        plain.suffix = "ns";
    }
    if (unit == TT_CHART_NUMBER && big < 1e4)
        return plain;
    for (size_t i = 0; i < count; i++)
        if (big >= table[i].by)
            return table[i];
    return plain;
}

/* Rounded to `digits` significant ones. */
static double round_digits(double value, int digits)
{
    double power;

    if (value == 0.0 || !isfinite(value))
        return value;
    power = pow(10.0, digits - 1 - floor(log10(fabs(value))));
    if (!isfinite(power) || power == 0.0 || !isfinite(value * power))
        return value;
    return power >= 1.0 ? round(value * power) / power : round(value * power) * round(1.0 / power);
}

static size_t format_time(double value, int decimals, char ret_text[32])
{
    size_t len =
        tt_time_format(value > 0.0 && value < 1.8e19 ? (uint64_t)value : 0, decimals, ret_text);

    ret_text[10] = ' ';
    ret_text[len - 1] = '\0'; /* Z: the axis says so */
    return len - 1;
}

static void put_time(struct tt_buffer *out, double value)
{
    char text[32];
    double seconds = value / 1e9;
    size_t len = format_time(value, seconds == floor(seconds) ? 0 : 3, text);

    tt_buffer_append(out, text, len);
}

void tt_chart_put_value(struct tt_buffer *out, enum tt_chart_unit unit, double value)
{
    chart_put_rounded(out, unit, value, 5);
}

void chart_put_rounded(struct tt_buffer *out, enum tt_chart_unit unit, double value, int digits)
{
    struct scaled scaled;
    char text[32];

    if (!isfinite(value)) {
        tt_buffer_append_str(out, TT_STR("–"));
        return;
    }
    if (unit == TT_CHART_TIME_NS) {
        put_time(out, value);
        return;
    }
    scaled = scale_of(unit, fabs(value));
    if (unit == TT_CHART_NUMBER && fabs(value) < 1e7)
        scaled = (struct scaled){1.0, ""};
    tt_buffer_append(out, text, tt_double_format(round_digits(value / scaled.by, digits), text));
    tt_buffer_append_str(out, tt_str(scaled.suffix));
}

/* ---- labels of ticks ---- */

static const char *month_name(const char *digits)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int month = (digits[0] - '0') * 10 + digits[1] - '1';

    return names[month < 0 || month > 11 ? 0 : month];
}

/* As much of a time as steps of that size need; a new day shows its date. */
static void time_label(double value, double step, char ret_label[32])
{
    char text[32];

    (void)format_time(value, 3, text);
    if (step >= 360 * 86400e9)
        (void)snprintf(ret_label, 32, "%.4s", text);
    else if (step >= 27 * 86400e9)
        (void)snprintf(ret_label, 32, "%.7s", text);
    else if (step >= 86400e9 || memcmp(text + 11, "00:00:00.000", 12) == 0)
        (void)snprintf(ret_label, 32, "%.3s %.*s", month_name(text + 5), text[8] == '0' ? 1 : 2,
                       text + (text[8] == '0' ? 9 : 8));
    else if (step >= 60e9)
        (void)snprintf(ret_label, 32, "%.5s", text + 11);
    else
        (void)snprintf(ret_label, 32, "%.*s", step >= 1e9 ? 8 : 12, text + 11);
}

void chart_tick_label(enum tt_chart_unit unit, double value, double step, double big,
                      char ret_label[32])
{
    struct scaled scaled = scale_of(unit, big);
    struct tt_buffer text;
    int decimals = 0;

    if (unit == TT_CHART_TIME_NS) {
        time_label(value, step, ret_label);
        return;
    }
    if (fabs(value) < step * 1e-6)
        value = 0.0;
    value /= scaled.by;
    step /= scaled.by;
    while (decimals < 6 &&
           fabs(step * (double)POWERS[decimals] - round(step * (double)POWERS[decimals])) > 1e-6)
        decimals++;
    tt_buffer_init(&text, 64);
    if (value != 0.0 && (big / scaled.by < 1e-2 || big / scaled.by >= 1e6)) {
        char digits[32];
        tt_buffer_append(&text, digits, tt_double_format(round_digits(value, 4), digits));
    } else {
        chart_put_fixed(&text, value, decimals);
    }
    (void)snprintf(ret_label, 32, "%.*s%s", (int)(text.len > 24 ? 24 : text.len),
                   text.len > 0 ? text.data : "",
                   value == 0.0 && unit == TT_CHART_NUMBER ? "" : scaled.suffix);
    tt_buffer_done(&text);
}

/* ---- text ---- */

static size_t character_length(const char *at, size_t left)
{
    unsigned char c = (unsigned char)*at;
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    return len > left || tt_utf8_valid_prefix(tt_str_of(at, len)) != len ? 0 : len;
}

static void put_character(struct tt_buffer *out, const char *at, size_t len)
{
    switch (*at) {
    case '&':
        tt_buffer_append_str(out, TT_STR("&amp;"));
        return;
    case '<':
        tt_buffer_append_str(out, TT_STR("&lt;"));
        return;
    case '>':
        tt_buffer_append_str(out, TT_STR("&gt;"));
        return;
    case '"':
        tt_buffer_append_str(out, TT_STR("&quot;"));
        return;
    case '\'':
        tt_buffer_append_str(out, TT_STR("&#39;"));
        return;
    default:
        tt_buffer_append(out, at, len);
    }
}

/* XML 1.0, 2.2: neither control characters nor U+FFFE and U+FFFF. C1 controls are shown as nothing useful either. */
static bool is_printable(const char *at, size_t len)
{
    const unsigned char *c = (const unsigned char *)at;

    if (len == 1)
        return c[0] >= 0x20 && c[0] != 0x7F;
    if (len == 2)
        return c[0] != 0xC2 || c[1] >= 0xA0;
    return len != 3 || c[0] != 0xEF || c[1] != 0xBF || c[2] < 0xBE;
}

void tt_chart_put_escaped(struct tt_buffer *out, struct tt_str text, size_t max)
{
    size_t at = 0;

    for (size_t characters = 0; at < text.len; characters++) {
        size_t len = character_length(text.data + at, text.len - at);
        if (characters == max) {
            tt_buffer_append_str(out, TT_STR("…"));
            return;
        }
        if (len == 0 || !is_printable(text.data + at, len))
            tt_buffer_append_str(out, TT_STR("\xEF\xBF\xBD"));
        else
            put_character(out, text.data + at, len);
        at += len == 0 ? 1 : len;
    }
}

double chart_text_width(struct tt_str text)
{
    size_t characters = 0;

    for (size_t i = 0; i < text.len && characters < TT_CHART_MAX_TEXT; i++)
        characters += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return (double)characters * CHART_LETTER;
}

/* ---- elements ---- */

void chart_put_attribute(struct tt_buffer *out, const char *name, double value)
{
    tt_buffer_append_byte(out, ' ');
    tt_buffer_append_str(out, tt_str(name));
    tt_buffer_append_str(out, TT_STR("=\""));
    chart_put_fixed(out, value, 1);
    tt_buffer_append_byte(out, '"');
}

void chart_put_text(struct tt_buffer *out, const char *class_name, double x, double y,
                    const char *anchor, struct tt_str text)
{
    tt_buffer_printf(out, "<text class=\"%s\" text-anchor=\"%s\"", class_name, anchor);
    chart_put_attribute(out, "x", x);
    chart_put_attribute(out, "y", y);
    tt_buffer_append_byte(out, '>');
    tt_chart_put_escaped(out, text, TT_CHART_MAX_TEXT);
    tt_buffer_append_str(out, TT_STR("</text>\n"));
}

void chart_put_line(struct tt_buffer *out, const char *class_name, double x1, double y1, double x2,
                    double y2)
{
    tt_buffer_printf(out, "<line class=\"%s\"", class_name);
    chart_put_attribute(out, "x1", x1);
    chart_put_attribute(out, "y1", y1);
    chart_put_attribute(out, "x2", x2);
    chart_put_attribute(out, "y2", y2);
    tt_buffer_append_str(out, TT_STR("/>\n"));
}

void chart_open_rect(struct tt_buffer *out, const char *class_name, double x, double y,
                     double width, double height)
{
    tt_buffer_printf(out, "<rect class=\"%s\"", class_name);
    chart_put_attribute(out, "x", x);
    chart_put_attribute(out, "y", y);
    chart_put_attribute(out, "width", fmax(width, 0.0));
    chart_put_attribute(out, "height", fmax(height, 0.0));
    tt_buffer_append_byte(out, '>');
}
