/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/chart_internal.h"

#include <stdio.h>

#define GREATEST 1e300 /* differences of two stay finite */
#define OUTSIDE  1e4

double chart_usable(const struct tt_chart_axis *axis, double value)
{
    if (isnan(value) || (axis->is_log && value <= 0.0))
        return CHART_MISSING;
    return fmin(fmax(value, -GREATEST), GREATEST);
}

void chart_range_add(struct chart_range *range, const struct tt_chart_axis *axis, double value)
{
    double usable = isinf(value) ? CHART_MISSING : chart_usable(axis, value);

    if (isnan(usable))
        return;
    range->min = fmin(range->min, usable);
    range->max = fmax(range->max, usable);
}

/* ---- scales ---- */

static bool is_fixed(const struct tt_chart_axis *axis)
{
    return axis->min < axis->max && isfinite(axis->min) && isfinite(axis->max) &&
           (!axis->is_log || axis->min > 0.0);
}

/* A range of one value becomes a range around it. */
static struct chart_range widened(const struct tt_chart_axis *axis, struct chart_range range)
{
    double around;

    if (range.min > range.max)
        return axis->is_log ? (struct chart_range){1.0, 10.0} : (struct chart_range){0.0, 1.0};
    if (range.min < range.max)
        return range;
    if (axis->is_log)
        return (struct chart_range){range.min / 2.0, range.max * 2.0};
    around = axis->unit == TT_CHART_TIME_NS ? 60e9 : fmax(fabs(range.min) * 0.1, 1e-9);
    if (range.min == 0.0)
        around = 1.0;
    return (struct chart_range){range.min - around, range.max + around};
}

/* A twentieth of room at an end that is not zero; times begin and end where they do. */
static struct chart_range padded(const struct tt_chart_axis *axis, struct chart_range range)
{
    double room = (range.max / 2 - range.min / 2) * 0.1;

    if (axis->unit == TT_CHART_TIME_NS)
        return range;
    if (range.min != 0.0)
        range.min -= room;
    if (range.max != 0.0)
        range.max += room;
    return range;
}

struct chart_scale chart_scale_make(const struct tt_chart_axis *axis, struct chart_range range,
                                    double from, double to)
{
    struct chart_scale scale = {.from = from, .to = to, .is_log = axis->is_log};

    if (axis->has_zero && !axis->is_log && range.min <= range.max) {
        range.min = fmin(range.min, 0.0);
        range.max = fmax(range.max, 0.0);
    }
    if (is_fixed(axis))
        range = (struct chart_range){axis->min, axis->max};
    else
        range = widened(axis, range);
    if (axis->is_log)
        range = (struct chart_range){log10(range.min), log10(range.max)};
    if (!is_fixed(axis))
        range = padded(axis, range);
    scale.min = range.min;
    scale.max = range.max;
    return scale;
}

double chart_at(const struct chart_scale *scale, double value)
{
    double share;

    if (isnan(value) || (scale->is_log && value <= 0.0))
        return CHART_MISSING;
    value = fmin(fmax(value, -GREATEST), GREATEST);
    if (scale->is_log)
        value = log10(value);
    share = (value / 2 - scale->min / 2) / (scale->max / 2 - scale->min / 2);
    share = fmin(fmax(share * (scale->to - scale->from), -OUTSIDE), OUTSIDE);
    return scale->from + share;
}

/* ---- ticks ---- */

/* 1, 2 or 5 times a power of ten. */
static double decimal_step(double least)
{
    double power = pow(10.0, floor(log10(least)));
    double leading = least / power;

    if (!(power > 0.0))
        return least;
    if (leading <= 1.000001)
        return power;
    return (leading <= 2.000001 ? 2.0 : leading <= 5.000001 ? 5.0 : 10.0) * power;
}

/* Steps of clocks and calendars, in seconds. */
static double clock_step(double least_ns, bool is_time)
{
    static const double seconds[] = {1,     2,     5,     10,    15,     30,     60,
                                     120,   300,   600,   900,   1800,   3600,   7200,
                                     10800, 21600, 43200, 86400, 172800, 432000, 864000};
    double least = least_ns / 1e9;

    if (least < 1.0)
        return decimal_step(least_ns);
    for (size_t i = 0; i < TT_LENGTH(seconds); i++)
        if (least <= seconds[i])
            return seconds[i] * 1e9;
    if (is_time && least <= 92 * 86400.0)
        return (least <= 31 * 86400.0 ? 30 : 91) * 86400e9;
    return is_time ? fmax(decimal_step(least / (365 * 86400.0)), 1.0) * 365 * 86400e9
                   : decimal_step(least / 86400.0) * 86400e9;
}

static size_t add_tick(const struct chart_scale *scale, double value, const char *label,
                       struct chart_tick *ticks, size_t count)
{
    double at = chart_at(scale, value);
    double low = fmin(scale->from, scale->to), high = fmax(scale->from, scale->to);

    if (count == CHART_MAX_TICKS || isnan(at) || at < low - 0.01 || at > high + 0.01)
        return count;
    ticks[count].at = at;
    (void)snprintf(ticks[count].label, sizeof(ticks[count].label), "%s", label);
    return count + 1;
}

/* Decades; with room, their doubles and fives too. */
static size_t log_ticks(const struct chart_scale *scale, enum tt_chart_unit unit, size_t wanted,
                        struct chart_tick *ticks)
{
    static const double parts[] = {1.0, 2.0, 5.0};
    double span = scale->max - scale->min;
    double first, every_decades = fmax(ceil(span / (double)wanted), 1.0);
    int every = (int)every_decades;
    size_t n_parts = span * 3.0 <= (double)wanted ? 3 : 1, count = 0;
    struct tt_buffer label;

    tt_buffer_init(&label, 256);
    first = floor(scale->min / every) * every;
    for (int e = (int)first; e <= scale->max; e += every) {
        for (size_t i = 0; i < n_parts; i++) {
            double value = pow(10.0, e) * parts[i];
            tt_buffer_clear(&label);
            tt_chart_put_value(&label, unit, value);
            tt_buffer_append_byte(&label, '\0');
            if (label.failed == TT_OK)
                count = add_tick(scale, value, label.data, ticks, count);
        }
    }
    tt_buffer_done(&label);
    return count;
}

/* Firsts of months (or of every third, or of Januaries). */
static size_t calendar_ticks(const struct chart_scale *scale, double step, struct chart_tick *ticks)
{
    int months = step < 40 * 86400e9 ? 1 : step < 360 * 86400e9 ? 3 : 12;
    double n_years = fmin(round(step / (365 * 86400e9)), 1000.0);
    int years = months < 12 ? 1 : (int)n_years;
    char text[48], label[32];
    size_t count = 0;
    int year;

    (void)tt_time_format(scale->min > 0.0 ? (uint64_t)scale->min : 0, 0, text);
    year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
    for (year -= year % years; year < 2550 && count < CHART_MAX_TICKS; year += years) {
        uint64_t at_ns = 0;
        for (int month = 1; month <= 12; month += months) {
            (void)snprintf(text, sizeof(text), "%04d-%02d-01T00:00:00Z", year, month);
            if (!tt_time_parse(tt_str(text), &at_ns))
                continue;
            chart_tick_label(TT_CHART_TIME_NS, (double)at_ns + 1e6, step, 0.0, label);
            count = add_tick(scale, (double)at_ns, label, ticks, count);
        }
        if ((double)at_ns > scale->max)
            break;
    }
    return count;
}

size_t chart_ticks(const struct chart_scale *scale, enum tt_chart_unit unit, size_t wanted,
                   struct chart_tick *ret_ticks)
{
    double span = scale->max - scale->min;
    double big = fmax(fabs(scale->min), fabs(scale->max));
    double least = span / (double)wanted, step, first;
    size_t count = 0;
    char label[32];

    if (scale->is_log)
        return log_ticks(scale, unit, wanted, ret_ticks);
    if (unit == TT_CHART_TIME_NS || (unit == TT_CHART_DURATION_NS && big >= 60e9))
        step = clock_step(least, unit == TT_CHART_TIME_NS);
    else
        step = decimal_step(least);
    if (unit == TT_CHART_TIME_NS && step >= 27 * 86400e9)
        return calendar_ticks(scale, step, ret_ticks);
    if (!(step > 0.0) || big / step > 1e15)
        return 0;
    first = ceil(scale->min / step - 1e-6);
    for (int i = 0; i < CHART_MAX_TICKS && (first + i) * step <= scale->max + step * 1e-6; i++) {
        chart_tick_label(unit, (first + i) * step, step, big, label);
        count = add_tick(scale, (first + i) * step, label, ret_ticks, count);
    }
    return count;
}
