/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CAPACITY = 64 };

void tt_buffer_init(struct tt_buffer *buffer, size_t max)
{
    *buffer = (struct tt_buffer){.max = max};
}

void tt_buffer_done(struct tt_buffer *buffer)
{
    tt_free(buffer->data);
    tt_buffer_init(buffer, buffer->max);
}

void tt_buffer_clear(struct tt_buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = TT_OK;
}

/* Twice the capacity, or what is needed if that is more; never over max, never below the first size. */
static size_t next_capacity(const struct tt_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->cap > SIZE_MAX / 2 ? SIZE_MAX : buffer->cap * 2;

    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    if (capacity < needed)
        capacity = needed;
    return capacity < buffer->max ? capacity : buffer->max;
}

char *tt_buffer_grow(struct tt_buffer *buffer, size_t more)
{
    size_t capacity;
    char *data;

    if (buffer->failed != TT_OK)
        return NULL;
    if (more > buffer->max - buffer->len) {
        buffer->failed = TT_TOO_LARGE;
        return NULL;
    }
    if (more <= buffer->cap - buffer->len && buffer->data != NULL)
        return buffer->data + buffer->len;
    capacity = next_capacity(buffer, buffer->len + more);
    data = tt_realloc(buffer->data, capacity, 1);
    if (data == NULL) {
        buffer->failed = TT_NO_MEMORY;
        return NULL;
    }
    buffer->data = data;
    buffer->cap = capacity;
    return data + buffer->len;
}

/* For a text of `len` bytes, which does not fit a small array. It is made aside, as printf ends it with a NUL
 * that the buffer may have no room for. */
TT_PRINTF(3, 0)
static void append_long_text(struct tt_buffer *buffer, size_t len, const char *format, va_list args)
{
    char *text;

    if (buffer->failed != TT_OK)
        return;
    text = len > buffer->max - buffer->len ? NULL : tt_malloc(len + 1);
    if (text == NULL) {
        buffer->failed = len > buffer->max - buffer->len ? TT_TOO_LARGE : TT_NO_MEMORY;
        return;
    }
    if (vsnprintf(text, len + 1, format, args) >= 0)
        tt_buffer_append(buffer, text, len);
    tt_free(text);
}

void tt_buffer_printf(struct tt_buffer *buffer, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < (int)sizeof(text)) {
        tt_buffer_append(buffer, text, len < 0 ? 0 : (size_t)len);
        return;
    }
    va_start(args, format);
    append_long_text(buffer, (size_t)len, format, args);
    va_end(args);
}

/* ---- integers ---- */

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* Writes value so that it ends at `end`, and returns where it begins. At most 20 bytes. */
static char *write_uint64(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, two_digits + value % 100 * 2, 2);
        value /= 100;
    }
    if (value < 10) {
        *--end = (char)('0' + value);
        return end;
    }
    end -= 2;
    memcpy(end, two_digits + value * 2, 2);
    return end;
}

void tt_buffer_append_uint64(struct tt_buffer *buffer, uint64_t value)
{
    char text[20], *end = text + sizeof(text), *begin = write_uint64(end, value);

    tt_buffer_append(buffer, begin, (size_t)(end - begin));
}

void tt_buffer_append_int64(struct tt_buffer *buffer, int64_t value)
{
    char text[21], *end = text + sizeof(text);
    char *begin = write_uint64(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--begin = '-';
    tt_buffer_append(buffer, begin, (size_t)(end - begin));
}

/* ---- doubles ---- */

/* A positive decimal number: the digits of `mantissa`, times ten to the power of `exponent`. */
struct decimal {
    uint64_t mantissa;
    int exponent;
};

enum { DIGITS = 17 }; /* enough for any double */

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* d.ddde+XX */
static size_t write_scientific(char *to, const char *digits, size_t n, int exponent)
{
    char *at = to;
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    char text[20], *end = text + sizeof(text), *begin = write_uint64(end, magnitude);

    *at++ = digits[0];
    if (n > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, n - 1);
        at += n - 1;
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    if (magnitude < 10)
        *at++ = '0';
    memcpy(at, begin, (size_t)(end - begin));
    return (size_t)(at - to) + (size_t)(end - begin);
}

/* ddd, ddd000, dd.dd or 0.00ddd; exponent: power of ten of the first digit, -4 to 16. */
static size_t write_plain(char *to, const char *digits, size_t n, int exponent)
{
    size_t whole = exponent < 0 ? 0 : (size_t)exponent + 1, zeros;

    if (whole >= n) {
        memcpy(to, digits, n);
        memset(to + n, '0', whole - n);
        return whole;
    }
    if (whole > 0) {
        memcpy(to, digits, whole);
        to[whole] = '.';
        memcpy(to + whole + 1, digits + whole, n - whole);
        return n + 1;
    }
    zeros = (size_t)(-exponent - 1);
    memcpy(to, "0.", 2);
    memset(to + 2, '0', zeros);
    memcpy(to + 2 + zeros, digits, n);
    return 2 + zeros + n;
}

static size_t write_decimal(char *to, struct decimal d)
{
    char text[20], *end = text + sizeof(text), *digits = write_uint64(end, d.mantissa);
    int exponent = d.exponent + (int)(end - digits) - 1;
    size_t n = (size_t)(end - digits);

    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (exponent < -4 || exponent >= DIGITS)
        return write_scientific(to, digits, n, exponent);
    return write_plain(to, digits, n, exponent);
}

/* Most values in telemetry are short decimals. mantissa / 10^k with both exact is the double nearest to that
 * decimal, so that equality proves the round trip; the smallest k gives the fewest digits. */
static bool short_decimal(double value, struct decimal *ret)
{
    for (int k = 0; k < (int)TT_LENGTH(exact_powers); k++) {
        double scaled = value * exact_powers[k], mantissa;
        if (scaled >= 0x1p53)
            return false;
        mantissa = (double)(uint64_t)(scaled + 0.5);
        /* An honest candidate is off by two roundings at most; this spares most divisions. */
        if (fabs(scaled - mantissa) <= scaled * 0x1p-51 && mantissa / exact_powers[k] == value) {
            *ret = (struct decimal){(uint64_t)mantissa, -k};
            return true;
        }
    }
    return false;
}

/* The 17 significant digits of value. Only digits are taken from printf's text: the character between the
 * first two is the locale's. */
static struct decimal long_decimal(double value)
{
    char text[64];
    struct decimal d = {0, 0};
    const char *at = text;
    bool negative;

    (void)snprintf(text, sizeof(text), "%.*e", DIGITS - 1, value);
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            d.mantissa = d.mantissa * 10 + (uint64_t)(*at - '0');
    negative = at[1] == '-';
    for (at += 2; *at != '\0'; at++)
        d.exponent = d.exponent * 10 + (*at - '0');
    d.exponent = (negative ? -d.exponent : d.exponent) - (DIGITS - 1);
    return d;
}

static bool reads_back_as(struct decimal d, double value)
{
    char text[40];
    double back;

    return tt_str_to_double(tt_str_of(text, write_decimal(text, d)), &back) && back == value;
}

/* Drops the last `drop` digits of d if one of its two neighbours of that length still reads back as value;
 * the nearer one first, as at a power of two only the farther may do. */
static bool shorten(struct decimal *d, int drop, double value)
{
    uint64_t unit = (uint64_t)exact_powers[drop], rest = d->mantissa % unit;
    struct decimal down = {d->mantissa / unit, d->exponent + drop};
    struct decimal up = {down.mantissa + 1, down.exponent};
    bool up_first = rest >= unit - rest;

    for (int i = 0; i < 2; i++) {
        struct decimal candidate = (i == 0) == up_first ? up : down;
        if (candidate.mantissa == 0 || !reads_back_as(candidate, value))
            continue;
        *d = candidate;
        return true;
    }
    return false;
}

static struct decimal shortest_decimal(double value)
{
    struct decimal d;
    /* Normal doubles have 15 digits for sure, so 15 digits without trailing zeros are the shortest; the
     * subnormal ones may have one. */
    int drop = value < DBL_MIN ? DIGITS - 1 : 2;

    if (short_decimal(value, &d))
        return d;
    d = long_decimal(value);
    while (drop > 0 && !shorten(&d, drop, value))
        drop--;
    return d;
}

size_t tt_double_format(double value, char ret_text[32])
{
    struct tt_str special = {NULL, 0};
    size_t len = 0;

    if (isnan(value))
        special = TT_STR("NaN");
    else if (signbit(value))
        ret_text[len++] = '-';
    if (isinf(value))
        special = TT_STR("Infinity");
    else if (value == 0)
        special = TT_STR("0");
    if (special.len > 0)
        memcpy(ret_text + len, special.data, special.len);
    else
        special.len = write_decimal(ret_text + len, shortest_decimal(fabs(value)));
    len += special.len;
    ret_text[len] = '\0';
    return len;
}

void tt_buffer_append_double(struct tt_buffer *buffer, double value)
{
    char text[32];

    tt_buffer_append(buffer, text, tt_double_format(value, text));
}

enum tt_status tt_buffer_check(const struct tt_buffer *buffer, const char *what,
                               struct tt_error *err)
{
    if (buffer->failed == TT_OK)
        return TT_OK;
    if (buffer->failed == TT_TOO_LARGE)
        return tt_fail(err, TT_TOO_LARGE, "%s: more than %zu bytes", what, buffer->max);
    return tt_fail(err, buffer->failed, "%s: %s", what, tt_status_text(buffer->failed));
}

char *tt_buffer_take(struct tt_buffer *buffer, size_t *ret_len)
{
    char *data = TT_TAKE(buffer->data);

    if (ret_len != NULL)
        *ret_len = buffer->len;
    tt_buffer_init(buffer, buffer->max);
    return data;
}
