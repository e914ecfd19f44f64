/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scalar.h"

#include <math.h>

static bool is_one_of(struct tt_str text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (tt_str_equal(text, tt_str(*words)))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit; 16 for anything else. */
static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

static struct tt_str without_sign(struct tt_str text)
{
    bool has_sign = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');

    return has_sign ? tt_str_of(text.data + 1, text.len - 1) : text;
}

static struct tt_str skip_digits(struct tt_str text)
{
    size_t n = 0;

    while (n < text.len && is_digit(text.data[n]))
        n++;
    return tt_str_of(text.data + n, text.len - n);
}

/* 16 for "0x…", 8 for "0o…", else 10. */
static unsigned base_of(struct tt_str text)
{
    if (text.len < 3 || text.data[0] != '0')
        return 10;
    if (text.data[1] == 'x')
        return 16;
    return text.data[1] == 'o' ? 8 : 10;
}

static bool looks_int(struct tt_str text)
{
    unsigned base = base_of(text);

    if (base == 10) {
        struct tt_str digits = without_sign(text);
        return digits.len > 0 && skip_digits(digits).len == 0;
    }
    for (size_t i = 2; i < text.len; i++)
        if (digit_value(text.data[i]) >= base)
            return false;
    return true;
}

static bool looks_double(struct tt_str text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    struct tt_str number = without_sign(text), rest = skip_digits(number);
    size_t n_digits = number.len - rest.len;

    if (is_one_of(number, words) || is_one_of(text, nans))
        return true;
    if (rest.len > 0 && rest.data[0] == '.') {
        struct tt_str after = skip_digits(tt_str_of(rest.data + 1, rest.len - 1));
        n_digits += rest.len - 1 - after.len;
        rest = after;
    }
    if (n_digits == 0 || rest.len == 0)
        return n_digits > 0;
    if (rest.data[0] != 'e' && rest.data[0] != 'E')
        return false;
    rest = without_sign(tt_str_of(rest.data + 1, rest.len - 1));
    return rest.len > 0 && skip_digits(rest).len == 0;
}

enum tt_scalar_look tt_scalar_look(struct tt_str text)
{
    static const char *const nulls[] = {"~", "null", "Null", "NULL", NULL};
    bool ignored;

    if (text.len == 0 || is_one_of(text, nulls))
        return TT_LOOKS_NULL;
    if (tt_scalar_bool(text, &ignored))
        return TT_LOOKS_BOOL;
    if (looks_int(text))
        return TT_LOOKS_INT;
    return looks_double(text) ? TT_LOOKS_DOUBLE : TT_LOOKS_TEXT;
}

bool tt_scalar_bool(struct tt_str text, bool *ret_value)
{
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};

    *ret_value = is_one_of(text, yes);
    return *ret_value || is_one_of(text, no);
}

static bool parse_based(struct tt_str digits, unsigned base, int64_t *ret_value)
{
    int64_t value = 0;

    for (size_t i = 0; i < digits.len; i++)
        if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, (int64_t)digit_value(digits.data[i]), &value))
            return false;
    *ret_value = value;
    return true;
}

bool tt_scalar_int(struct tt_str text, int64_t *ret_value)
{
    struct tt_str digits = without_sign(text);
    unsigned base = base_of(text);

    if (!looks_int(text))
        return false;
    if (base != 10)
        return parse_based(tt_str_of(text.data + 2, text.len - 2), base, ret_value);
    if (digits.len > 1 && digits.data[0] == '0')
        return false;
    return tt_str_to_int64(text.data[0] == '+' ? digits : text, ret_value);
}

bool tt_scalar_double(struct tt_str text, double *ret_value)
{
    bool has_plus = text.len > 0 && text.data[0] == '+';
    int64_t integer;

    if (tt_scalar_int(text, &integer)) {
        *ret_value = (double)integer;
        return true;
    }
    if (!looks_double(text))
        return false;
    if (!tt_str_to_double(has_plus ? without_sign(text) : text, ret_value))
        return false;
    *ret_value +=
        0.0; /* -0.0 becomes 0.0: an integer -0 has no sign, and a value reads the same however it is written */
    return isfinite(*ret_value);
}
