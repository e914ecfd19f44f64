/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/cells.h"

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

static bool is_plain(struct tt_str text)
{
    uint64_t word, care = 0;
    size_t i = 0;

    if (text.data[0] == ' ' || text.data[text.len - 1] == ' ')
        return false;
    for (; i + 8 <= text.len; i += 8) {
        memcpy(&word, text.data + i, 8);
        care |= needs_care(word);
    }
    word = EACH_BYTE('x');
    memcpy(&word, text.data + i, text.len - i);
    return (care | needs_care(word)) == 0;
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
    if (text.len == 0)
        return;
    guard = guard && is_formula(text);
    if (TT_LIKELY(!guard && is_plain(text)))
        tt_buffer_append_str(out, text);
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

char *dataset_put_uint(char *to, uint64_t value)
{
    char text[20];
    size_t at = sizeof(text);

    while (value >= 100) {
        at -= 2;
        memcpy(text + at, two_digits + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(text + at, two_digits + 2 * value, 2);
    } else {
        text[--at] = (char)('0' + value);
    }
    memcpy(to, text + at, sizeof(text) - at);
    return to + (sizeof(text) - at);
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
