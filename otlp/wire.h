/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_WIRE_H
#define TT_OTLP_WIRE_H

/*
 * The protobuf wire format: reading bytes that were validated before, and writing.
 *
 * Invariant: the readers check nothing; give them only bytes that tt_check_message() has accepted.
 * Threads:   no state.
 * Source:    protobuf.dev, "Encoding".
 */

#include "base/buffer.h"
#include "otlp/schema.h"

#define TT_TAG(number, wire_type) ((uint32_t)(number) << 3 | (uint32_t)(wire_type))

/* Longest varint, and longest tag or length. */
#define TT_MAX_VARINT     10
#define TT_MAX_TAG_LENGTH 5

static inline uint64_t tt_load64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static inline uint32_t tt_load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static inline double tt_load_double(const uint8_t *at)
{
    uint64_t bits = tt_load64(at);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline double tt_double_of_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Returns the byte behind the varint. */
static inline const uint8_t *tt_wire_varint(const uint8_t *at, uint64_t *ret_value)
{
    uint64_t value = *at & 0x7f;

    if (TT_LIKELY(*at < 0x80)) {
        *ret_value = value;
        return at + 1;
    }
    for (unsigned shift = 7; (*at++ & 0x80) != 0 && shift < 64; shift += 7)
        value |= (uint64_t)(*at & 0x7f) << shift;
    *ret_value = value;
    return at;
}

/* One field as it was met. */
struct tt_wire_field {
    uint32_t number;
    uint32_t wire_type;   /* enum tt_pb_wire */
    const uint8_t *start; /* its tag */
    const uint8_t *data;  /* TT_PB_WIRE_LENGTH: the bytes; else the encoded value */
    uint64_t value;       /* the length, the varint, or the fixed bits */
};

static inline struct tt_str tt_wire_bytes(const struct tt_wire_field *field)
{
    return tt_str_of(field->data, (size_t)field->value);
}

/* Reads the field at *at and leaves *at behind it; false at the end. */
static inline bool tt_wire_next(const uint8_t **at, const uint8_t *end,
                                struct tt_wire_field *ret_field)
{
    const uint8_t *p = *at;
    uint64_t tag;

    if (p >= end)
        return false;
    ret_field->start = p;
    p = tt_wire_varint(p, &tag);
    ret_field->number = (uint32_t)(tag >> 3);
    ret_field->wire_type = tag & 7;
    ret_field->data = p;
    switch (ret_field->wire_type) {
    case TT_PB_WIRE_VARINT:
        p = tt_wire_varint(p, &ret_field->value);
        break;
    case TT_PB_WIRE_64:
        ret_field->value = tt_load64(p);
        p += 8;
        break;
    case TT_PB_WIRE_LENGTH:
        p = tt_wire_varint(p, &ret_field->value);
        ret_field->data = p;
        p += ret_field->value;
        break;
    default: /* TT_PB_WIRE_32: nothing else was accepted */
        ret_field->value = tt_load32(p);
        p += 4;
        break;
    }
    *at = p;
    return true;
}

/* ---- writing ---- */

static inline size_t tt_varint_size(uint64_t value)
{
    /* 7 bits a byte: ceil(bits / 7), with one bit for 0. */
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

/* Writes at most TT_MAX_VARINT bytes; returns the byte behind. */
static inline uint8_t *tt_put_varint(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static inline uint8_t *tt_put64(uint8_t *to, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

static inline uint8_t *tt_put_bytes(uint8_t *to, struct tt_str bytes)
{
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

#endif
