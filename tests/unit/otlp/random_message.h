/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_OTLP_RANDOM_MESSAGE_H
#define TT_TESTS_UNIT_OTLP_RANDOM_MESSAGE_H

/* Random messages of the schema as wire bytes, and random damage to them. The same seed gives the same bytes. */

#include "base/buffer.h"
#include "otlp/schema.h"
#include "tt_test.h"

/* Bytes that may differ from what an encoder of ours would write: long varints, fields in any order, unknown fields,
 * repeated scalars packed or not. All of it is legal. */
struct random_style {
    uint64_t state;
    size_t max_len;   /* nothing new is begun once a message has this many bytes */
    unsigned bad_ids; /* of 1000 ids, so many have a wrong length */
    unsigned odd;     /* of 100 fields, so many have an unusual form */
    unsigned twice;   /* of 1000 messages, so many repeat what may occur once */
};

static inline bool chance(struct random_style *style, unsigned of_1000)
{
    return tt_test_random(&style->state) % 1000 < of_1000;
}

static inline uint64_t below(struct random_style *style, uint64_t n)
{
    return tt_test_random(&style->state) % n;
}

static inline void put_random_varint(struct random_style *style, uint64_t value, size_t max_len,
                                     struct tt_buffer *out)
{
    size_t len = 1;

    for (; value >= 0x80; value >>= 7, len++)
        tt_buffer_append_byte(out, (char)(value | 0x80));
    if (chance(style, style->odd) && len < max_len) {
        tt_buffer_append_byte(out, (char)(value | 0x80));
        value = 0;
    }
    tt_buffer_append_byte(out, (char)value);
}

static inline void put_tag(struct random_style *style, uint32_t number, uint32_t wire_type,
                           struct tt_buffer *out)
{
    put_random_varint(style, (uint64_t)number << 3 | wire_type, 5, out);
}

static inline void put_random_bytes(struct random_style *style, size_t len, struct tt_buffer *out)
{
    for (size_t i = 0; i < len; i++)
        tt_buffer_append_byte(out, (char)tt_test_random(&style->state));
}

#define TEN       "0123456789"
#define LONG_TEXT TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static inline void put_random_text(struct random_style *style, struct tt_buffer *out)
{
    static const char *const texts[] = {
        "a", "b", "", "service.name", "http.method", "anomaly.type", "score", "x-anomaly-type",
        /* Its length and those of what is around it take two bytes each on the wire. */
        LONG_TEXT};
    const char *text = texts[below(style, TT_LENGTH(texts))];

    if (chance(style, 50)) {
        size_t len = below(style, 20);
        put_random_varint(style, len, 5, out);
        put_random_bytes(style, len, out);
        return;
    }
    put_random_varint(style, strlen(text), 5, out);
    tt_buffer_append(out, text, strlen(text));
}

static inline void put_random_id(struct random_style *style, size_t len, struct tt_buffer *out)
{
    if (chance(style, style->bad_ids))
        len = below(style, 20);
    else if (chance(style, 100))
        len = 0;
    put_random_varint(style, len, 5, out);
    if (chance(style, 50))
        for (size_t i = 0; i < len; i++)
            tt_buffer_append_byte(out, 0);
    else
        put_random_bytes(style, len, out);
}

static inline uint64_t random_number(struct random_style *style)
{
    static const uint64_t interesting[] = {
        0,         1, 127, 128, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_C(1) << 63,
        UINT64_MAX};

    if (chance(style, 300))
        return interesting[below(style, TT_LENGTH(interesting))];
    return tt_test_random(&style->state) >> below(style, 64);
}

/* One scalar without its tag. */
static inline void put_random_scalar(struct random_style *style, uint32_t wire_type,
                                     struct tt_buffer *out)
{
    if (wire_type == TT_PB_WIRE_VARINT)
        put_random_varint(style, random_number(style), 10, out);
    else
        put_random_bytes(style, wire_type == TT_PB_WIRE_64 ? 8 : 4, out);
}

static inline void put_random_unknown(struct random_style *style, struct tt_buffer *out)
{
    static const uint32_t wire_types[] = {0, 1, 2, 5};
    uint32_t wire_type = wire_types[below(style, 4)];

    put_tag(style, 17 + (uint32_t)below(style, chance(style, 100) ? 500000000 : 50), wire_type,
            out);
    if (wire_type == TT_PB_WIRE_LENGTH)
        put_random_text(style, out);
    else
        put_random_scalar(style, wire_type, out);
}

static inline void put_random_packed(struct random_style *style, const struct tt_pb_field *field,
                                     struct tt_buffer *out)
{
    struct tt_buffer list;

    tt_buffer_init(&list, 1 << 20);
    for (size_t n = below(style, 5); n > 0; n--)
        put_random_scalar(style, field->wire_type, &list);
    put_tag(style, field->number, TT_PB_WIRE_LENGTH, out);
    put_random_varint(style, list.len, 5, out);
    tt_buffer_append_str(out, tt_buffer_view(&list));
    tt_buffer_done(&list);
}

static inline void put_random_message(struct random_style *style,
                                      const struct tt_pb_message *message, unsigned depth,
                                      struct tt_buffer *out);

static inline void put_random_field(struct random_style *style, const struct tt_pb_field *field,
                                    unsigned depth, struct tt_buffer *out)
{
    struct tt_buffer inner;

    if (field->packable && chance(style, 500)) {
        put_random_packed(style, field, out);
        return;
    }
    put_tag(style, field->number, field->wire_type, out);
    switch ((enum tt_pb_kind)field->kind) {
    case TT_PB_MESSAGE:
        tt_buffer_init(&inner, 1 << 24);
        put_random_message(style, field->message, depth + 1, &inner);
        put_random_varint(style, inner.len, 5, out);
        tt_buffer_append_str(out, tt_buffer_view(&inner));
        tt_buffer_done(&inner);
        return;
    case TT_PB_ID:
        put_random_id(style, field->id_len, out);
        return;
    case TT_PB_TEXT:
    case TT_PB_BYTES:
        put_random_text(style, out);
        return;
    case TT_PB_UNKNOWN:
    case TT_PB_BOOL:
    case TT_PB_ENUM:
    case TT_PB_INT32:
    case TT_PB_UINT32:
    case TT_PB_SINT32:
    case TT_PB_INT64:
    case TT_PB_UINT64:
    case TT_PB_FIXED32:
    case TT_PB_FIXED64:
    case TT_PB_SFIXED64:
    case TT_PB_DOUBLE:
        break;
    }
    put_random_scalar(style, field->wire_type, out);
}

static inline void put_random_message(struct random_style *style,
                                      const struct tt_pb_message *message, unsigned depth,
                                      struct tt_buffer *out)
{
    uint64_t n = below(style, 2U * message->n_fields + 2);
    bool twice = chance(style, style->twice);
    uint32_t seen = 0;

    if (depth > 16)
        return;
    for (uint64_t i = 0; i < n && out->len < style->max_len; i++) {
        const struct tt_pb_field *field =
            &message->fields[message->numbers[below(style, message->n_fields)]];

        uint32_t once = field->once;

        if (field->kind == TT_PB_ID)
            once =
                UINT32_C(1) << (31 - field->number); /* bits that the schema has not given away */
        if (chance(style, style->odd / 2))
            put_random_unknown(style, out);
        if ((seen & once) != 0 && !twice)
            continue;
        seen |= once;
        put_random_field(style, field, depth, out);
    }
}

/* One to three damages: a bit, a byte, a cut, a removed, doubled or moved range. */
static inline void damage(struct random_style *style, struct tt_buffer *bytes)
{
    for (uint64_t n = 1 + below(style, 3); n > 0 && bytes->len > 0; n--) {
        size_t at = below(style, bytes->len), len = 1 + below(style, 12);

        if (len > bytes->len - at)
            len = bytes->len - at;
        switch (below(style, 6)) {
        case 0:
            bytes->data[at] = (char)(bytes->data[at] ^ (1 << below(style, 8)));
            break;
        case 1:
            bytes->data[at] = (char)tt_test_random(&style->state);
            break;
        case 2:
            bytes->len = at;
            break;
        case 3:
            memmove(bytes->data + at, bytes->data + at + len, bytes->len - at - len);
            bytes->len -= len;
            break;
        case 4:
            if (tt_buffer_reserve(bytes, len) == NULL)
                break;
            memmove(bytes->data + at + len, bytes->data + at, bytes->len - at);
            bytes->len += len;
            break;
        default:
            bytes->data[at] = (char)(bytes->data[at] + (chance(style, 500) ? 1 : -1));
            break;
        }
    }
}

#endif
