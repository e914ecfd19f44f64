/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_PLAIN_BYTES_H
#define TT_DETECT_PLAIN_BYTES_H

/* Numbers as little-endian bytes and back, for forest_bytes.c and stream_bytes.c. A reader that ran out says so at the end instead of
 * after each number. */

#include "base/buffer.h"

#include <string.h>

/* FNV-1a (G. Fowler, L. C. Noll, P. Vo, 1991). */
static inline uint64_t tt_bytes_hash(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* A number's lowest bytes. */
static inline void tt_put(struct tt_buffer *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        tt_buffer_append_byte(to, (char)(uint8_t)(value >> (8 * i)));
}

static inline void tt_put_double(struct tt_buffer *to, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    tt_put(to, bits, 8);
}

static inline void tt_put_float(struct tt_buffer *to, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    tt_put(to, bits, 4);
}

struct tt_byte_reader {
    const uint8_t *at, *end;
    bool ended; /* asked for more than there was */
};

/* 0 past the end. */
static inline uint64_t tt_get(struct tt_byte_reader *reader, unsigned bytes)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < bytes) {
        reader->ended = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)*reader->at++ << (8 * i);
    return value;
}

static inline double tt_get_double(struct tt_byte_reader *reader)
{
    uint64_t bits = tt_get(reader, 8);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline float tt_get_float(struct tt_byte_reader *reader)
{
    uint32_t bits = (uint32_t)tt_get(reader, 4);
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
