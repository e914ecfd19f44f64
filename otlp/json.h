/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_H
#define TT_OTLP_JSON_H

/*
 * OTLP/JSON in both directions.
 *
 * Writing is the strict form of the OTLP specification ("JSON Protobuf Encoding"): lowerCamelCase, ids as lower-case hex,
 * enums as integers, 64-bit integers as strings, bytes as base64; invalid UTF-8 becomes U+FFFD.
 * Reading takes every leniency of collector-grade decoders: snake_case names, numbers or strings for integers, enum names, ids
 * in either case, null for anything, unknown fields skipped; one bounded pass, no recursion, no tree.
 * Threads: no shared state.
 */

#include "base/buffer.h"
#include "otlp/batch.h"

/* Which rows of a batch a document holds: index `first` on, as many as fit, dropped ones left out. */
struct tt_json_range {
    uint32_t first;    /* in: first row */
    uint32_t next;     /* out: first row not written; batch->n_rows when all were */
    size_t soft_limit; /* in: stop before the row that would pass this many bytes (one row is always written); 0: none */
};

/* Appends one TracesData / MetricsData / LogsData document without line end: {"resourceSpans":[…]}. Rows are written in row
 * order; consecutive rows of one scope or resource share their envelope. range may be NULL: all rows. Overlay and columns
 * are attributes. Errors: those of the buffer. Cost: about 1 ns per 3 bytes written. */
void tt_json_write(const struct tt_batch *batch, struct tt_json_range *range, struct tt_buffer *out);

/* Appends one value as JSON in plain form (text, number, array, object), as CSV cells and debug output want it. */
struct tt_value;
void tt_json_write_plain_value(const struct tt_value *value, struct tt_buffer *out);
/* Appends text as a JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void tt_json_write_text(struct tt_str text, struct tt_buffer *out);

/*
 * Turns an Export…ServiceRequest / TracesData document (same form) into protobuf wire bytes, to be given to tt_batch_parse().
 *
 * TT_INVALID_DATA with the byte offset and what was expected; TT_TOO_LARGE over limits (depth, elements) or out's max.
 * Cost: at least 150 MB/s of text; memory: out plus a fixed stack.
 */
enum tt_status tt_json_read(enum tt_signal signal, struct tt_str text, const struct tt_limits *limits,
                            struct tt_buffer *out, struct tt_error *err) TT_CHECKED;

/* The answers of a JSON client: {} or {"partialSuccess":{…}}; and google.rpc.Status. */
void tt_json_write_response(enum tt_signal signal, uint64_t rejected, struct tt_str message, struct tt_buffer *out);
void tt_json_write_status(int32_t code, struct tt_str message, struct tt_buffer *out);

#endif
