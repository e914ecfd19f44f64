/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_INFLATE_H
#define TT_NET_INFLATE_H

/*
 * Bounded decompression and compression.
 *
 * Limits:  output never grows over out->max; ratio over 200:1 after the first MiB is refused; zstd windows over 8 MiB are
 *          refused; one layer of encoding; at most 10,000 gzip members or zstd frames in one input.
 * Threads: no shared state; contexts are per call or per thread.
 * Source:  RFC 1950 (zlib), RFC 1952 (gzip), RFC 8878 (zstd). HTTP's `deflate` is the zlib format (RFC 9110 8.4.1.2).
 */

#include "base/buffer.h"

enum tt_encoding { TT_ENCODING_IDENTITY, TT_ENCODING_GZIP, TT_ENCODING_DEFLATE, TT_ENCODING_ZSTD };

/* A Content-Encoding value: "", identity, gzip, x-gzip, deflate, zlib, zstd, any case. False: unknown or stacked. */
bool tt_encoding_parse(struct tt_str name, enum tt_encoding *ret_encoding);

/* Appends the decompressed bytes. The whole input must be used up: gzip members and zstd frames may follow each other, nothing else.
 * TT_INVALID_DATA (corrupt, truncated, trailing bytes), TT_TOO_LARGE, TT_NO_MEMORY. */
enum tt_status tt_decompress(enum tt_encoding encoding, struct tt_str compressed,
                             struct tt_buffer *out, struct tt_error *err) TT_CHECKED;

/* Whether the output's memory may grow to `capacity` bytes in all. */
typedef bool tt_inflate_grow(void *context, size_t capacity);
/* The same, asking `grow` before the output's memory grows; TT_OVERLOADED when it says no. */
enum tt_status tt_decompress_metered(enum tt_encoding encoding, struct tt_str compressed,
                                     struct tt_buffer *out, tt_inflate_grow *grow, void *context,
                                     struct tt_error *err) TT_CHECKED;

/* Appends one gzip member, zlib stream or zstd frame. level 0: the library's default. */
enum tt_status tt_compress(enum tt_encoding encoding, int level, struct tt_str plain,
                           struct tt_buffer *out, struct tt_error *err) TT_CHECKED;

/* ---- reading a compressed file piece by piece ---- */

struct tt_reader; /* plain, gzip or zstd by its first bytes */
/* TT_NOT_FOUND, TT_IO, TT_NO_MEMORY. Nothing is read yet: the kind is decided by the first read that finds 4 bytes. */
enum tt_status tt_reader_open(const char *path, struct tt_reader **ret_reader, struct tt_error *err)
    TT_CHECKED;
/* Up to len bytes; 0 at the end of what is there (a plain file may grow: call again).
 * TT_INVALID_DATA: a compressed file that is corrupt or ends in the middle. */
enum tt_status tt_reader_read(struct tt_reader *reader, void *bytes, size_t len, size_t *ret_len,
                              struct tt_error *err) TT_CHECKED;
/* How many bytes of the file were used up, as they are on disk: for a progress line. */
uint64_t tt_reader_position(const struct tt_reader *reader);
/* NULL is a no-op. */
void tt_reader_close(struct tt_reader *reader);

#endif
