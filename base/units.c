/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <stdio.h>

/* Products of a 18-digit fraction and a unit, before the division. */
__extension__ typedef unsigned __int128 uint128;

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit *find_unit(const struct unit *units, size_t n, struct tt_str name)
{
    for (size_t i = 0; i < n; i++)
        if (tt_str_equal_nocase(name, tt_str(units[i].name)))
            return &units[i];
    return NULL;
}

/* A decimal number without sign or exponent: whole + fraction / scale. */
struct number {
    uint64_t whole, fraction, scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct tt_str take_digits(struct tt_str *rest)
{
    size_t n = 0;
    struct tt_str digits;

    while (n < rest->len && is_digit(rest->data[n]))
        n++;
    digits = tt_str_of(rest->data, n);
    *rest = tt_str_of(rest->data + n, rest->len - n);
    return digits;
}

/* Takes "12", "1.5", ".5" or "1." off the front of *rest. Decimals after the eighteenth are below any unit's
 * smallest part and are dropped. */
static bool take_number(struct tt_str *rest, struct number *ret)
{
    struct tt_str whole = take_digits(rest), decimals = {NULL, 0};

    if (rest->len > 0 && rest->data[0] == '.') {
        *rest = tt_str_of(rest->data + 1, rest->len - 1);
        decimals = take_digits(rest);
    }
    *ret = (struct number){0, 0, 1};
    if (whole.len + decimals.len == 0 || (whole.len > 0 && !tt_str_to_uint64(whole, &ret->whole)))
        return false;
    for (size_t i = 0; i < decimals.len && i < 18; i++, ret->scale *= 10)
        ret->fraction = ret->fraction * 10 + (uint64_t)(decimals.data[i] - '0');
    return true;
}

/* number * factor, rounded down; false when it does not fit. */
static bool multiply(struct number number, uint64_t factor, uint64_t *ret)
{
    uint64_t part = (uint64_t)((uint128)number.fraction * factor / number.scale);

    return !__builtin_mul_overflow(number.whole, factor, ret) &&
           !__builtin_add_overflow(*ret, part, ret);
}

/* ---- durations ---- */

#define MINUTE (60 * (uint64_t)TT_SECOND)
#define HOUR   (60 * MINUTE)

/* Both signs that Unicode has for micro. Names are compared exactly: "M" is no minute. */
static const struct unit durations[] = {
    {"ns", 1},
    {"us", (uint64_t)TT_MICROSECOND},
    {"\xc2\xb5s", (uint64_t)TT_MICROSECOND},
    {"\xce\xbcs", (uint64_t)TT_MICROSECOND},
    {"ms", (uint64_t)TT_MILLISECOND},
    {"s", (uint64_t)TT_SECOND},
    {"m", MINUTE},
    {"h", HOUR},
    {"d", 24 * HOUR},
};

static const struct unit *take_duration_unit(struct tt_str *rest)
{
    size_t n = 0;
    struct tt_str name;

    while (n < rest->len && rest->data[n] != '.' && !is_digit(rest->data[n]))
        n++;
    name = tt_str_of(rest->data, n);
    *rest = tt_str_of(rest->data + n, rest->len - n);
    for (size_t i = 0; i < TT_LENGTH(durations); i++)
        if (tt_str_equal(name, tt_str(durations[i].name)))
            return &durations[i];
    return NULL;
}

/* The sum of the parts "1h", "30m". */
static bool parse_parts(struct tt_str rest, uint64_t *ret_sum)
{
    uint64_t sum = 0, part;

    while (rest.len > 0) {
        struct number number;
        const struct unit *unit = take_number(&rest, &number) ? take_duration_unit(&rest) : NULL;
        if (unit == NULL || !multiply(number, unit->factor, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return false;
    }
    *ret_sum = sum;
    return true;
}

bool tt_duration_parse(struct tt_str text, tt_dur *ret_duration)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    bool sign = negative || (text.len > 0 && text.data[0] == '+');
    struct tt_str rest = sign ? tt_str_of(text.data + 1, text.len - 1) : text;
    uint64_t sum = 0;

    if (rest.len == 0)
        return false;
    if (!tt_str_equal(rest, TT_STR("0")) && !parse_parts(rest, &sum))
        return false;
    if (sum > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_duration = (tt_dur)(negative ? 0 - sum : sum);
    return true;
}

/* whole.decimals without trailing zeros: ns of a unit that has `digits` decimals. */
static int print_decimal(char *to, size_t size, uint64_t value, int digits, const char *unit)
{
    uint64_t scale = 1;

    for (int i = 0; i < digits; i++)
        scale *= 10;
    for (; digits > 0 && value % 10 == 0; digits--, scale /= 10)
        value /= 10;
    if (digits == 0)
        return snprintf(to, size, "%llu%s", (unsigned long long)value, unit);
    return snprintf(to, size, "%llu.%0*llu%s", (unsigned long long)(value / scale), digits,
                    (unsigned long long)(value % scale), unit);
}

static size_t format_small(uint64_t ns, char *to, size_t size)
{
    if (ns < (uint64_t)TT_MICROSECOND)
        return (size_t)print_decimal(to, size, ns, 0, "ns");
    if (ns < (uint64_t)TT_MILLISECOND)
        return (size_t)print_decimal(to, size, ns, 3, "us");
    return (size_t)print_decimal(to, size, ns, 6, "ms");
}

size_t tt_duration_format(tt_dur duration, char ret_text[32])
{
    uint64_t ns = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
    size_t len = 0;

    if (duration == 0)
        return (size_t)snprintf(ret_text, 32, "0s");
    if (duration < 0)
        ret_text[len++] = '-';
    if (ns < (uint64_t)TT_SECOND)
        return len + format_small(ns, ret_text + len, 32 - len);
    if (ns >= HOUR)
        len += (size_t)print_decimal(ret_text + len, 32 - len, ns / HOUR, 0, "h");
    if (ns / MINUTE % 60 > 0)
        len += (size_t)print_decimal(ret_text + len, 32 - len, ns / MINUTE % 60, 0, "m");
    if (ns % MINUTE > 0)
        len += (size_t)print_decimal(ret_text + len, 32 - len, ns % MINUTE, 9, "s");
    return len;
}

/* ---- sizes ---- */

/* Largest first, as the printer takes the first that fits. */
static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},
    {"TB", UINT64_C(1000000000000)},
    {"GiB", UINT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1 << 10},
    {"KB", 1000},
    {"B", 1},
};

bool tt_size_parse(struct tt_str text, uint64_t *ret_bytes)
{
    struct number number;
    const struct unit *unit;
    uint64_t bytes;

    if (!take_number(&text, &number))
        return false;
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = tt_str_of(text.data + 1, text.len - 1);
    unit = find_unit(sizes, TT_LENGTH(sizes), text.len == 0 ? TT_STR("B") : text);
    if (unit == NULL || (unit->factor == 1 && number.scale > 1) ||
        !multiply(number, unit->factor, &bytes))
        return false;
    *ret_bytes = bytes;
    return true;
}

size_t tt_size_format(uint64_t bytes, char ret_text[32])
{
    for (size_t i = 0; i < TT_LENGTH(sizes) - 1; i++) {
        uint128 tenths = (uint128)bytes * 10;
        if (bytes >= sizes[i].factor && tenths % sizes[i].factor == 0)
            return (size_t)print_decimal(ret_text, 32, (uint64_t)(tenths / sizes[i].factor), 1,
                                         sizes[i].name);
    }
    return (size_t)print_decimal(ret_text, 32, bytes, 0, "B");
}
