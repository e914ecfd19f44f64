/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_text.h"

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

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static char *put_pair(char *to, uint32_t value)
{
    memcpy(to, digit_pairs + value * 2, 2);
    return to + 2;
}

static char *put_8_digits(char *to, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;

    to = put_pair(to, high / 100);
    to = put_pair(to, high % 100);
    to = put_pair(to, low / 100);
    return put_pair(to, low % 100);
}

/* 1 to 8 digits. */
static char *put_small(char *to, uint32_t value)
{
    if (value < 10) {
        *to = (char)('0' + value);
        return to + 1;
    }
    if (value < 100)
        return put_pair(to, value);
    char all[8];
    put_8_digits(all, value);
    size_t zeros = 0;
    while (all[zeros] == '0')
        zeros++;
    memcpy(to, all + zeros, 8 - zeros);
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
        tt_json_room(out, 6 * len + 16);
        out->at = tt_json_put_text(out->at, tt_str_of(s.data, len), s.data + s.len);
        s = tt_str_of(s.data + len, s.len - len);
    }
    tt_json_room(out, 6 * s.len + 17);
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
