/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_BUFFER_H
#define TT_BASE_BUFFER_H

/*
 * A growing run of bytes with a mandatory maximum.
 *
 * Invariant: len <= cap <= max. Growth doubles.
 * Ownership: owns data; tt_buffer_done() frees it, tt_buffer_take() gives it away.
 * Threads:   one at a time.
 * Errors:    a failed append sets `failed` and later appends do nothing, so that a writer of many small pieces
 *            checks once at the end; TT_TOO_LARGE over max, TT_NO_MEMORY otherwise.
 */

#include "base/error.h"
#include "base/mem.h"

struct tt_buffer {
    char *data;
    size_t len, cap, max;
    enum tt_status failed; /* TT_OK: all appends so far succeeded */
};

/* Allocates nothing. max: bytes, at least 1. */
void tt_buffer_init(struct tt_buffer *buffer, size_t max);
void tt_buffer_done(struct tt_buffer *buffer);
/* Empties it (and forgets a failure) but keeps its memory. */
void tt_buffer_clear(struct tt_buffer *buffer);

/* Slow path of tt_buffer_reserve. */
char *tt_buffer_grow(struct tt_buffer *buffer, size_t more) TT_CHECKED;

/* Room for `more` bytes at data + len; NULL (and failed set) when there is none. Write, then add to len. */
static inline char *tt_buffer_reserve(struct tt_buffer *buffer, size_t more)
{
    /* more - 1 wraps for 0, which takes the slow path too: an empty buffer has no memory to point to. */
    if (TT_LIKELY(buffer->failed == TT_OK && buffer->cap - buffer->len > more - 1))
        return buffer->data + buffer->len;
    return tt_buffer_grow(buffer, more);
}

static inline void tt_buffer_append(struct tt_buffer *buffer, const void *bytes, size_t len)
{
    char *to = len == 0 ? NULL : tt_buffer_reserve(buffer, len);

    if (to == NULL)
        return;
    memcpy(to, bytes, len);
    buffer->len += len;
}

static inline void tt_buffer_append_str(struct tt_buffer *buffer, struct tt_str s)
{
    tt_buffer_append(buffer, s.data, s.len);
}

static inline void tt_buffer_append_byte(struct tt_buffer *buffer, char c)
{
    tt_buffer_append(buffer, &c, 1);
}

void tt_buffer_printf(struct tt_buffer *buffer, const char *format, ...) TT_PRINTF(2, 3);
/* Decimal text of an integer. */
void tt_buffer_append_uint64(struct tt_buffer *buffer, uint64_t value);
void tt_buffer_append_int64(struct tt_buffer *buffer, int64_t value);
/* The shortest decimal text that reads back as the same double ("0.1", "1e+300", "NaN", "Infinity", "-Infinity"). */
void tt_buffer_append_double(struct tt_buffer *buffer, double value);
/* The same into ret_text: at most 31 bytes with the NUL; returns the length. Integers below 2^53 and powers of ten
 * from -4 to 16 are written without exponent. */
size_t tt_double_format(double value, char ret_text[32]);

static inline struct tt_str tt_buffer_view(const struct tt_buffer *buffer)
{
    return tt_str_of(buffer->data, buffer->len);
}

/* TT_OK, or what failed, with a message that begins with `what`. */
enum tt_status tt_buffer_check(const struct tt_buffer *buffer, const char *what,
                               struct tt_error *err) TT_CHECKED;
/* The bytes become the caller's (tt_free); the buffer is empty again. */
char *tt_buffer_take(struct tt_buffer *buffer, size_t *ret_len);

#endif
