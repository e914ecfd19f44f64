/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

enum { MAX_TEXT = 400, MAX_DIGITS = 19, EXACT_POWER = 22, WORD_POWER = 19, MAX_EXPONENT = 100000 };

#define EXACT_INTEGER (UINT64_C(1) << 53)

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t word_powers[] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

/* ---- what is rare ---- */

/* Made once a process; glibc's C locale is a constant, so there is nothing to free. */
static locale_t c_locale;
static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The whole of s as strtod reads it. */
static bool read_any(struct tt_str s, double *ret_value)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char text[MAX_TEXT + 1], *stop;

    (void)pthread_once(&once, make_c_locale);
    if (s.len > MAX_TEXT || c_locale == (locale_t)0)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    *ret_value = strtod_l(text, &stop, c_locale);
    return stop == text + s.len;
}

static const char *scan_any(const char *at, const char *end, double *ret_value)
{
    return read_any(tt_str_of(at, (size_t)(end - at)), ret_value) ? end : NULL;
}

/* value * 2^shift, more than 0 and within the range of normal doubles; sticky: a little more than that. */
static double round_once(uint128 value, bool sticky, int shift)
{
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
    int drop = bits - 54; /* one bit more than a double has, for the rounding */
    uint64_t kept;

    if (drop > 0) {
        sticky |= (value & (((uint128)1 << drop) - 1)) != 0;
        kept = (uint64_t)(value >> drop);
    } else {
        kept = low << -drop;
    }
    /* Up when more than half is cut off, or just half and the number would be odd. */
    kept = (kept >> 1) + ((kept & 1) != 0 && (sticky || (kept & 2) != 0));
    return ldexp((double)kept, shift + drop + 1);
}

/* w / 10^power, power 1 to 38. Two words do what one cannot hold: floor(floor(x / a) / b) is floor(x / (a b)). */
static double divide(uint64_t w, unsigned power)
{
    unsigned first = power < WORD_POWER ? power : WORD_POWER;
    uint64_t a = word_powers[first], b = word_powers[power - first];
    int up = __builtin_clzll(w);
    uint128 dividend = (uint128)(w << up) << 63, quotient = dividend / a, rest = dividend % a;
    uint128 more;

    if (b == 1) /* at least 62 bits */
        return round_once(quotient, rest != 0, -up - 63);
    more = rest << 64; /* a is 10^19, so the quotient so far is one word */
    quotient = quotient << 64 | more / a;
    return round_once(quotient / b, more % a != 0 || quotient % b != 0, -up - 127);
}

/* w * 10^power, both not small: w > 0, power -38 to 19. */
static double scale(uint64_t w, int power)
{
    if (power < 0)
        return divide(w, (unsigned)-power);
    return round_once((uint128)w * word_powers[power], false, 0);
}

/* ---- scanning ---- */

/* strtod skips these. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The exponent behind an 'e' at `at`, if there is one: returns where it ends, else `at`. */
static const char *scan_exponent(const char *at, const char *end, int *exponent)
{
    const char *digit = at + 1;
    bool negative = digit < end && *digit == '-';
    int value = 0;

    digit += digit < end && (*digit == '-' || *digit == '+');
    if (digit >= end || !is_digit(*digit))
        return at;
    for (; digit < end && is_digit(*digit); digit++)
        if (value < MAX_EXPONENT)
            value = value * 10 + (*digit - '0');
    *exponent += negative ? -value : value;
    return digit;
}

const char *tt_number_scan(const char *at, const char *end, double *ret_value)
{
    const char *begin = at, *first, *stop;
    const char *point = NULL;
    uint64_t w = 0;
    int exponent = 0;
    bool negative = at < end && *at == '-';
    ptrdiff_t digits;

    at += at < end && (*at == '-' || *at == '+');
    for (first = at; at < end && is_digit(*at); at++)
        w = w * 10 + (uint64_t)(*at - '0');
    digits = at - first;
    if (at < end && *at == '.') {
        point = ++at;
        for (; at < end && is_digit(*at); at++)
            w = w * 10 + (uint64_t)(*at - '0');
        exponent = (int)(point - at);
        digits += at - point;
    }
    if (digits == 0)
        return NULL;
    stop = at < end && (*at | 0x20) == 'e' ? scan_exponent(at, end, &exponent) : at;
    if (digits > MAX_DIGITS) { /* w may have wrapped, unless zeros lead */
        while (first < at && (*first == '0' || *first == '.'))
            digits -= *first++ == '0';
        if (digits > MAX_DIGITS)
            return scan_any(begin, stop, ret_value);
    }
    if (w <= EXACT_INTEGER && exponent >= -EXACT_POWER && exponent <= EXACT_POWER)
        *ret_value =
            exponent < 0 ? (double)w / exact_powers[-exponent] : (double)w * exact_powers[exponent];
    else if (w == 0)
        *ret_value = 0;
    else if (exponent >= -2 * WORD_POWER && exponent <= WORD_POWER)
        *ret_value = scale(w, exponent);
    else
        return scan_any(begin, stop, ret_value);
    if (negative)
        *ret_value = -*ret_value;
    return stop;
}

/* ---- a text that is a number (base/str.h) ---- */

bool tt_str_to_double(struct tt_str s, double *ret_value)
{
    double value;

    if (s.len == 0)
        return false;
    if (tt_number_scan(s.data, s.data + s.len, &value) != s.data + s.len &&
        (is_space(s.data[0]) || !read_any(s, &value)))
        return false;
    *ret_value = value;
    return true;
}
