/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/cells.h"

#include "base/clock.h"

#include <csv.h>

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* ---- which cells need quotes ---- */

static uint64_t has_zero(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* Non-zero when one of the eight bytes is a control character, a quote, a comma or not ASCII. */
static uint64_t needs_care(uint64_t word)
{
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80);

    return control | has_zero(word ^ EACH_BYTE('"')) | has_zero(word ^ EACH_BYTE(',')) |
           (word & EACH_BYTE(0x80));
}

/* Texts below 16 bytes, in two pieces that may overlap. */
static bool copy_short(char *to, struct tt_str text)
{
    uint64_t low = EACH_BYTE('x'), high = low;
    const char *from = text.data;
    size_t len = text.len;

    if (len >= 8) {
        memcpy(&low, from, 8);
        memcpy(&high, from + len - 8, 8);
        memcpy(to, &low, 8);
        memcpy(to + len - 8, &high, 8);
    } else if (len >= 4) {
        memcpy(&low, from, 4);
        memcpy(&high, from + len - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + len - 4, &high, 4);
    } else {
        memcpy(&low, from, 1);
        memcpy((char *)&low + 1, from + len / 2, 1);
        memcpy((char *)&low + 2, from + len - 1, 1);
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
    return (needs_care(low) | needs_care(high)) == 0;
}

/* Control characters and what is not ASCII are below a blank, as bytes with a sign are compared. */
static bool copy_long(char *to, struct tt_str text)
{
    int8_t bytes __attribute__((vector_size(16))), care __attribute__((vector_size(16))) = {0};
    uint64_t any[2];

    for (size_t i = 0; i < text.len; i += 16) {
        size_t at = i + 16 <= text.len ? i : text.len - 16;
        memcpy(&bytes, text.data + at, 16);
        memcpy(to + at, &bytes, 16);
        care |= (bytes < 0x20) | (bytes == '"') | (bytes == ',');
    }
    memcpy(any, &care, sizeof(any));
    return (any[0] | any[1]) == 0;
}

bool dataset_copy_plain(char *to, struct tt_str text)
{
    if (text.len == 0)
        return true;
    if (text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return false;
    return text.len < 16 ? copy_short(to, text) : copy_long(to, text);
}

static bool is_formula(struct tt_str text)
{
    return memchr("=+-@\t\r", text.data[0], 6) != NULL;
}

/* ---- the slow path ---- */

/* Writes text with U+FFFD for each byte that is not UTF-8; room for 3 * text.len. Returns the length. */
static size_t repair_utf8(struct tt_str text, char *to)
{
    char *at = to;

    while (text.len > 0) {
        size_t valid = tt_utf8_valid_prefix(text);
        memcpy(at, text.data, valid);
        at += valid;
        if (valid == text.len)
            break;
        memcpy(at, "\xEF\xBF\xBD", 3);
        at += 3;
        text = tt_str_of(text.data + valid + 1, text.len - valid - 1);
    }
    return (size_t)(at - to);
}

/* Quotes text; its bytes may lie behind out's end, in the room that was reserved for that. */
static void quote(struct tt_buffer *out, struct tt_str text, size_t room)
{
    out->len += csv_write2(out->data + out->len, room, text.data, text.len, '"');
}

static void write_with_care(struct tt_buffer *out, struct tt_str text, bool guarded)
{
    bool valid = tt_utf8_valid_prefix(text) == text.len;
    size_t repaired_max = (valid ? text.len : 3 * text.len) + 1, quoted_max = 2 * repaired_max + 2;
    char *to = tt_buffer_reserve(out, quoted_max + repaired_max), *repaired;
    size_t len = 0;

    if (to == NULL)
        return;
    repaired = to + quoted_max;
    if (guarded)
        repaired[len++] = '\'';
    if (valid && !guarded) {
        quote(out, text, quoted_max);
        return;
    }
    len += repair_utf8(text, repaired + len);
    quote(out, tt_str_of(repaired, len), quoted_max);
}

void dataset_cell_text(struct tt_buffer *out, struct tt_str text, bool guard)
{
    char *to;

    if (text.len == 0)
        return;
    guard = guard && is_formula(text);
    to = tt_buffer_reserve(out, text.len);
    if (to == NULL)
        return;
    if (TT_LIKELY(!guard && dataset_copy_plain(to, text)))
        out->len += text.len;
    else
        write_with_care(out, text, guard);
}

void dataset_cell_value(struct tt_buffer *out, const struct tt_value *value,
                        struct tt_buffer *scratch, bool guard)
{
    if (value->type == TT_VALUE_STRING) {
        dataset_cell_text(out, value->text, guard);
    } else if (value->type == TT_VALUE_INT) {
        tt_buffer_append_int64(out, value->integer);
    } else {
        tt_buffer_clear(scratch);
        tt_value_append_text(value, scratch);
        if (scratch->failed != TT_OK)
            out->failed = scratch->failed;
        else
            dataset_cell_text(out, tt_buffer_view(scratch), false);
        tt_buffer_clear(scratch);
    }
}

/* ---- numbers ---- */

static const char two_digits[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

static size_t digits_of(uint64_t value)
{
    static const uint64_t powers[] = {
        0,
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    /* log10(2) is about 1233 / 4096: right, or one too few. */
    size_t bits = 64 - (size_t)__builtin_clzll(value | 1), fewest = bits * 1233 >> 12;

    return fewest + (value >= powers[fewest]);
}

char *dataset_put_uint(char *to, uint64_t value)
{
    size_t at = digits_of(value);
    char *end = to + at;

    while (value >= 100) {
        at -= 2;
        memcpy(to + at, two_digits + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10)
        memcpy(to, two_digits + 2 * value, 2);
    else
        to[0] = (char)('0' + value);
    return end;
}

static void put_pair(char *to, uint32_t value)
{
    memcpy(to, two_digits + (size_t)2 * value, 2);
}

char *dataset_put_nine(char *to, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;

    to[0] = (char)('0' + high / 10000);
    high %= 10000;
    put_pair(to + 1, high / 100);
    put_pair(to + 3, high % 100);
    put_pair(to + 5, low / 100);
    put_pair(to + 7, low % 100);
    return to + 9;
}

char *dataset_put_timestamp(char *to, struct dataset_day *day, uint64_t ns)
{
    uint64_t second = ns / TT_SECOND;
    uint32_t of_day = (uint32_t)(second % 86400), fraction = (uint32_t)(ns % TT_SECOND);
    char text[32];

    if (second / 86400 != day->number) {
        (void)tt_time_format(ns, 0, text);
        memcpy(day->text, text, sizeof(day->text));
        day->number = second / 86400;
    }
    memcpy(to, day->text, sizeof(day->text));
    memcpy(to + 11, "00:00:00.", 9);
    put_pair(to + 11, of_day / 3600);
    put_pair(to + 14, of_day / 60 % 60);
    put_pair(to + 17, of_day % 60);
    to = dataset_put_nine(to + 20, fraction);
    *to = 'Z';
    return to + 1;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Four bytes at a time: spread to sixteen bits each, split into two nibbles, each a digit or a letter. */
static void put_four_hex(char *to, const uint8_t *bytes)
{
    uint32_t four;
    uint64_t x, letters;

    memcpy(&four, bytes, 4);
    x = (four | (uint64_t)four << 16) & UINT64_C(0x0000FFFF0000FFFF);
    x = (x | x << 8) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x >> 4 | x << 8) & EACH_BYTE(0x0F);
    letters = ((x + EACH_BYTE(6)) >> 4) & EACH_BYTE(1);
    x += EACH_BYTE('0') + letters * ('a' - '0' - 10);
    memcpy(to, &x, 8);
}
#else
static void put_four_hex(char *to, const uint8_t *bytes)
{
    tt_hex_encode(bytes, 4, to);
}
#endif

char *dataset_put_id(char *to, const uint8_t *id, size_t len)
{
    if (id == NULL)
        return to;
    for (size_t i = 0; i < len; i += 4)
        put_four_hex(to + 2 * i, id + i);
    return to + 2 * len;
}

char *dataset_put_ms(char *to, uint64_t ns)
{
    uint64_t decimals = ns % 1000000;

    to = dataset_put_uint(to, ns / 1000000);
    if (decimals == 0)
        return to;
    *to++ = '.';
    for (unsigned i = 0; i < 3; i++) {
        memcpy(to, two_digits + 2 * (decimals / 10000), 2);
        to += 2;
        decimals = decimals % 10000 * 100;
    }
    while (to[-1] == '0')
        to--;
    return to;
}
