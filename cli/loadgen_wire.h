/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOADGEN_WIRE_H
#define TT_CLI_LOADGEN_WIRE_H

/*
 * Writing OTLP messages for the load generator: appends to memory that the caller reserved.
 *
 * It shares nothing with otlp/, on purpose: a generator that is wrong in the same way as the reader would prove nothing.
 * Each function writes at `to` and returns the end. Source: protobuf encoding guide; opentelemetry-proto field numbers.
 */

#include "base/str.h"

enum lg_wire { LG_VARINT = 0, LG_FIXED64 = 1, LG_BYTES = 2, LG_FIXED32 = 5 };

static inline uint8_t *lg_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline size_t lg_varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static inline uint8_t *lg_tag(uint8_t *to, unsigned field, enum lg_wire type)
{
    return lg_varint(to, (uint64_t)field << 3 | type);
}

static inline uint8_t *lg_number(uint8_t *to, unsigned field, uint64_t value)
{
    return lg_varint(lg_tag(to, field, LG_VARINT), value);
}

static inline uint8_t *lg_fixed64(uint8_t *to, unsigned field, uint64_t value)
{
    to = lg_tag(to, field, LG_FIXED64);
    memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

static inline uint8_t *lg_double(uint8_t *to, unsigned field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return lg_fixed64(to, field, bits);
}

static inline uint8_t *lg_bytes(uint8_t *to, unsigned field, struct tt_str bytes)
{
    to = lg_varint(lg_tag(to, field, LG_BYTES), bytes.len);
    memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* An embedded message whose size is known beforehand: its bytes follow. */
static inline uint8_t *lg_open(uint8_t *to, unsigned field, size_t size)
{
    return lg_varint(lg_tag(to, field, LG_BYTES), size);
}

static inline size_t lg_field_size(size_t len)
{
    return 1 + lg_varint_size(len) + len;
}

/* A KeyValue with a text: key = 1, value = 2 { string_value = 1 }. */
static inline uint8_t *lg_text(uint8_t *to, unsigned field, struct tt_str key, struct tt_str text)
{
    size_t value = lg_field_size(text.len);

    to = lg_open(to, field, lg_field_size(key.len) + lg_field_size(value));
    to = lg_bytes(to, 1, key);
    return lg_bytes(lg_open(to, 2, value), 1, text);
}

/* A KeyValue with an integer: int_value = 3. */
static inline uint8_t *lg_int(uint8_t *to, unsigned field, struct tt_str key, int64_t number)
{
    size_t value = 1 + lg_varint_size((uint64_t)number);

    to = lg_open(to, field, lg_field_size(key.len) + lg_field_size(value));
    to = lg_bytes(to, 1, key);
    return lg_number(lg_open(to, 2, value), 3, (uint64_t)number);
}

/* A KeyValue with an array of one text, as captured headers come: array_value = 5 { values = 1 { string_value = 1 } }. */
static inline uint8_t *lg_text_array(uint8_t *to, unsigned field, struct tt_str key,
                                     struct tt_str text)
{
    size_t element = lg_field_size(text.len), array = lg_field_size(element),
           value = lg_field_size(array);

    to = lg_open(to, field, lg_field_size(key.len) + lg_field_size(value));
    to = lg_bytes(to, 1, key);
    to = lg_open(lg_open(lg_open(to, 2, value), 5, array), 1, element);
    return lg_bytes(to, 1, text);
}

#endif
