/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_text.h"

#include "otlp/wire.h"

#include <math.h>

void tt_json_out_begin(struct tt_json_out *out, struct tt_buffer *buffer)
{
    out->buffer = buffer;
    out->at = out->end = out->waste;
    if (buffer->failed == TT_OK && buffer->data != NULL) {
        out->at = buffer->data + buffer->len;
        out->end = buffer->data + buffer->cap;
    }
}

static bool in_waste(const struct tt_json_out *out)
{
    uintptr_t at = (uintptr_t)out->at, waste = (uintptr_t)out->waste;

    return at >= waste && at <= waste + sizeof(out->waste);
}

void tt_json_out_done(struct tt_json_out *out)
{
    if (!in_waste(out))
        out->buffer->len = (size_t)(out->at - out->buffer->data);
}

void tt_json_grow(struct tt_json_out *out, size_t n)
{
    tt_json_out_done(out);
    out->at = tt_buffer_reserve(out->buffer, n);
    out->end = out->buffer->data + out->buffer->cap;
    if (out->at == NULL) {
        out->at = out->waste;
        out->end = out->waste + sizeof(out->waste);
    }
}

/* ---- numbers ---- */

/* The 8 digits of a value below 10^8 as bytes 0 to 9, the first in the lowest byte. Halves are split in all lanes at once;
 * n * 10486 >> 20 is n / 100 up to 9999, n * 103 >> 10 is n / 10 up to 99. */
static uint64_t digits_of(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = (fours - 100 * hundreds) << 16 | hundreds;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);

    return (twos - 10 * tens) << 8 | tens;
}

#define ASCII_ZEROS UINT64_C(0x3030303030303030)

static char *put_8_digits(char *to, uint32_t value)
{
    return (char *)tt_put64((uint8_t *)to, digits_of(value) | ASCII_ZEROS);
}

/* 1 to 8 digits. */
static char *put_small(char *to, uint32_t value)
{
    uint64_t digits = digits_of(value);
    unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;

    tt_put64((uint8_t *)to, (digits | ASCII_ZEROS) >> 8 * zeros);
    return to + 8 - zeros;
}

char *tt_json_put_uint64(char *to, uint64_t value)
{
    const uint32_t base = 100000000;

    if (value < base)
        return put_small(to, (uint32_t)value);
    uint64_t high = value / base;
    if (high < base) {
        to = put_small(to, (uint32_t)high);
    } else {
        to = put_small(to, (uint32_t)(high / base));
        to = put_8_digits(to, (uint32_t)(high % base));
    }
    return put_8_digits(to, (uint32_t)(value % base));
}

char *tt_json_put_int64(char *to, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    }
    return tt_json_put_uint64(to, magnitude);
}

void tt_json_double(struct tt_json_out *out, double value)
{
    bool quoted = isnan(value) || isinf(value);

    tt_json_room(out, 40);
    if (quoted)
        *out->at++ = '"';
    out->at += tt_double_format(value, out->at);
    if (quoted)
        *out->at++ = '"';
}

/* ---- text ---- */

/* Length of the well-formed UTF-8 sequence at `at` (RFC 3629, table 3-7 of Unicode), 0 when there is none. */
static size_t utf8_sequence(const unsigned char *at, const unsigned char *end)
{
    unsigned char lead = at[0], low = 0x80, high = 0xBF;
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

    if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - at) < len)
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static char *put_escape(char *to, unsigned char c)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char digits[] = "0123456789abcdef";
    char letter = c < 32 ? letters[c] : (char)c;

    *to++ = '\\';
    if (letter != '\0') {
        *to++ = letter;
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = digits[c >> 4];
    to[4] = digits[c & 15];
    return to + 5;
}

/* One special character; *at moves behind it. */
static char *put_special(char *to, const char **at, const char *end)
{
    const unsigned char *p = (const unsigned char *)*at;

    if (*p < 0x80) {
        ++*at;
        return put_escape(to, *p);
    }
    size_t len = utf8_sequence(p, (const unsigned char *)end);
    if (len == 0) {
        ++*at;
        memcpy(to, "\xEF\xBF\xBD", 3);
        return to + 3;
    }
    memcpy(to, p, len);
    *at += len;
    return to + len;
}

char *tt_json_put_escaped(char *to, const char *at, const char *end)
{
    while (at < end) {
        if (!tt_json_is_plain((unsigned char)*at)) {
            to = put_special(to, &at, end);
            continue;
        }
        if (end - at >= 16) {
            unsigned mask = tt_json_special_mask(at);
            int n = mask == 0 ? 16 : __builtin_ctz(mask);
            memcpy(to, at, 16);
            at += n;
            to += n;
        } else {
            *to++ = *at++;
        }
    }
    return to;
}

/* A copy of less than 32 bytes without a call: two parts that overlap. */
static void copy_short(char *to, const char *from, size_t n)
{
    if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

char *tt_json_put_tail(char *to, const char *at, const char *end)
{
    char block[32] = "0123456789abcdef0123456789abcdef";

    while (end - at >= 32) {
        if (tt_json_special_mask_32(at) != 0)
            return tt_json_put_escaped(to, at, end);
        memcpy(to, at, 32);
        at += 32;
        to += 32;
    }
    copy_short(block, at, (size_t)(end - at));
    if (tt_json_special_mask_32(block) != 0)
        return tt_json_put_escaped(to, at, end);
    memcpy(to, block, 32);
    return to + (end - at);
}

/* Where to cut a text of more than a chunk, so that no UTF-8 sequence is cut. */
static size_t chunk_length(struct tt_str s)
{
    size_t len = TT_JSON_CHUNK;

    for (int i = 0; i < 3 && ((unsigned char)s.data[len] & 0xC0) == 0x80; i++)
        len--;
    return len;
}

void tt_json_string(struct tt_json_out *out, struct tt_str s, const char *limit)
{
    tt_json_room(out, 1);
    *out->at++ = '"';
    while (s.len > TT_JSON_CHUNK) {
        size_t len = chunk_length(s);
        tt_json_room(out, 6 * len + 32);
        out->at = tt_json_put_text(out->at, tt_str_of(s.data, len), s.data + s.len);
        s = tt_str_of(s.data + len, s.len - len);
    }
    tt_json_room(out, 6 * s.len + 33);
    out->at = tt_json_put_text(out->at, s, limit);
    *out->at++ = '"';
}

void tt_json_raw(struct tt_json_out *out, struct tt_str text)
{
    while (text.len > 0) {
        size_t len = text.len < TT_JSON_ROOM ? text.len : TT_JSON_ROOM;
        tt_json_room(out, len);
        memcpy(out->at, text.data, len);
        out->at += len;
        text = tt_str_of(text.data + len, text.len - len);
    }
}

/* ---- base64 ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *put_base64_group(char *to, const uint8_t *bytes, size_t n)
{
    uint32_t group =
        (uint32_t)bytes[0] << 16 | (n > 1 ? (uint32_t)bytes[1] << 8 : 0) | (n > 2 ? bytes[2] : 0U);

    to[0] = base64_digits[group >> 18];
    to[1] = base64_digits[group >> 12 & 63];
    to[2] = n > 1 ? base64_digits[group >> 6 & 63] : '=';
    to[3] = n > 2 ? base64_digits[group & 63] : '=';
    return to + 4;
}

void tt_json_base64(struct tt_json_out *out, struct tt_str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    size_t left = bytes.len;

    tt_json_room(out, 2);
    *out->at++ = '"';
    while (left > 0) {
        size_t n = left < 3 ? left : 3;
        tt_json_room(out, 5);
        out->at = put_base64_group(out->at, at, n);
        at += n;
        left -= n;
    }
    tt_json_room(out, 1);
    *out->at++ = '"';
}
