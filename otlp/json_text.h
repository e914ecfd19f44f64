/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_TEXT_H
#define TT_OTLP_JSON_TEXT_H

/*
 * What the JSON writers are made of: room in the output, escaped text, numbers, hex, base64.
 *
 * Room is asked for once for several pieces, then they are written without checks through out->at. When the buffer is at its
 * end, room is given in a waste area instead, so that writers need no error paths: the buffer stays failed.
 * Limits: up to TT_JSON_ROOM bytes of the buffer's maximum may stay unused, since room is asked for the longest form.
 * Threads: no shared state.
 */

#include "base/buffer.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Most that can be asked for at once: a text chunk of which each byte becomes "\u00XX", and what is around it. */
#define TT_JSON_CHUNK 512
#define TT_JSON_ROOM  (6 * TT_JSON_CHUNK + 128)

struct tt_json_out {
    char *at, *end;
    struct tt_buffer *buffer;
    char waste[TT_JSON_ROOM];
};

/* The buffer is written to behind its len; tt_json_out_done() sets its len. */
void tt_json_out_begin(struct tt_json_out *out, struct tt_buffer *buffer);
void tt_json_out_done(struct tt_json_out *out);
/* Slow path of tt_json_room. */
void tt_json_grow(struct tt_json_out *out, size_t n);

/* At least n (at most TT_JSON_ROOM) bytes at out->at. */
static inline void tt_json_room(struct tt_json_out *out, size_t n)
{
    if (TT_UNLIKELY((size_t)(out->end - out->at) < n))
        tt_json_grow(out, n);
}

/* Bytes in the buffer, those written through out included. */
static inline size_t tt_json_out_len(const struct tt_json_out *out)
{
    return out->buffer->failed != TT_OK ? out->buffer->len : (size_t)(out->at - out->buffer->data);
}

/* ---- pieces that need room first ---- */

/* Constant text. */
#define TT_JSON_PUT(out, literal)                           \
    do {                                                    \
        memcpy((out)->at, "" literal, sizeof(literal) - 1); \
        (out)->at += sizeof(literal) - 1;                   \
    } while (0)

/* At most 20 bytes each, but up to 8 may be written in any case. Return the end. */
char *tt_json_put_uint64(char *to, uint64_t value);
char *tt_json_put_int64(char *to, int64_t value);

/* Whether a byte of text stands for itself. */
static inline bool tt_json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Bits of the 16 bytes at p that cannot be copied as they are: quote, backslash, control characters, 0x80 and above. */
static inline unsigned tt_json_special_mask(const char *p)
{
#ifdef __SSE2__
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    /* Signed compare: bytes of 0x80 and above are below 0x20 too. */
    __m128i hit = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                               _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    return (unsigned)_mm_movemask_epi8(hit);
#else
    unsigned mask = 0;

    for (unsigned i = 0; i < 16; i++)
        if (!tt_json_is_plain((unsigned char)p[i]))
            mask |= 1U << i;
    return mask;
#endif
}

/* Rest of tt_json_put_text from the first byte that needs an escape. Returns the end. */
char *tt_json_put_escaped(char *to, const char *at, const char *end);

static inline uint32_t tt_json_special_mask_32(const char *p)
{
    return tt_json_special_mask(p) | tt_json_special_mask(p + 16) << 16;
}

/* The same as tt_json_put_text, for texts behind which nothing may be read. */
char *tt_json_put_tail(char *to, const char *at, const char *end);

/*
 * Text without quotes; needs room for 6 * s.len + 32. Bytes up to `limit` may be read (limit is at least the end of s): when it
 * is 32 bytes further, no care is needed at the end. Returns the end.
 */
static inline char *tt_json_put_text(char *to, struct tt_str s, const char *limit)
{
    const char *at = s.data, *end = s.data + s.len;

    for (; limit - at >= 32; at += 32, to += 32) {
        uint32_t mask = tt_json_special_mask_32(at);
        memcpy(to, at, 32);
        if (end - at <= 32) {
            uint64_t of_text = (UINT64_C(1) << (end - at)) - 1;
            return TT_LIKELY((mask & of_text) == 0) ? to + (end - at)
                                                    : tt_json_put_escaped(to, at, end);
        }
        if (TT_UNLIKELY(mask != 0))
            return tt_json_put_escaped(to, at, end);
    }
    return tt_json_put_tail(to, at, end);
}

/* 2 * n lower-case digits of an id; n is a multiple of 8. Returns the end. */
static inline char *tt_json_put_hex(char *to, const uint8_t *bytes, size_t n)
{
#ifdef __SSE2__
    for (; n >= 8; n -= 8, bytes += 8, to += 16) {
        __m128i low_bits = _mm_set1_epi8(15);
        __m128i pairs = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
        __m128i high = _mm_and_si128(_mm_srli_epi16(pairs, 4), low_bits);
        __m128i digits = _mm_unpacklo_epi8(high, _mm_and_si128(pairs, low_bits));
        __m128i letters =
            _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
        digits = _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters);
        _mm_storeu_si128((__m128i *)(void *)to, digits);
    }
#endif
    tt_hex_encode(bytes, n, to);
    return to + 2 * n;
}

/* ---- pieces that see to their room themselves ---- */

/* A string with quotes, of any length. limit as above. */
void tt_json_string(struct tt_json_out *out, struct tt_str s, const char *limit);
/* A number, or one of the strings "NaN", "Infinity", "-Infinity". */
void tt_json_double(struct tt_json_out *out, double value);
/* Base64 (RFC 4648 section 4) with quotes. */
void tt_json_base64(struct tt_json_out *out, struct tt_str bytes);
/* Any text as it is. */
void tt_json_raw(struct tt_json_out *out, struct tt_str text);

#endif
