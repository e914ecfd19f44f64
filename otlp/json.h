/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_H
#define TT_OTLP_JSON_H

/*
 * OTLP/JSON in both directions.
 *
 * Writing is the strict form of the OTLP specification ("JSON Protobuf Encoding"): lowerCamelCase, ids as lower-case hex,
 * enums as integers, 64-bit integers as strings, bytes as base64; invalid UTF-8 becomes U+FFFD.
 * Members come in the Collector's order; zero values are left out, but for the objects that it always writes (resource, scope,
 * status, body, value, positive, negative) and for what has presence (members of a oneof, sum, min, max).
 * Reading takes every leniency of collector-grade decoders: snake_case names, numbers or strings for integers, enum names, ids
 * in either case, null for anything, unknown fields skipped; of keys that come twice lists grow and the last of all others
 * wins. The syntax is strict (RFC 8259). Bytes that are not UTF-8 are taken as they are. One bounded pass, no recursion, no tree.
 * Threads: no shared state.
 * Source: opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"; the order: opentelemetry-collector pdata.
 */

#include "base/buffer.h"
#include "otlp/batch.h"

/* Which rows of a batch a document holds: index `first` on, as many as fit, dropped ones left out. */
struct tt_json_range {
    uint32_t first; /* in: first row */
    uint32_t next;  /* out: first row not written; batch->n_rows when all were */
    /* in: stop before the row that would pass this many bytes (one row is always written); 0: none */
    size_t soft_limit;
};

/* Appends one TracesData / MetricsData / LogsData document without line end: {"resourceSpans":[…]}. Rows are written in row
 * order; consecutive rows of one scope or resource share their envelope. range may be NULL: all rows. Overlay and columns
 * are attributes; no row gives {"resourceSpans":[]}. Errors: those of the buffer; up to 4 KiB of its maximum may stay unused.
 * Cost: 195 ns for a span of 1,260 bytes, 220 ns with five label columns (1,580 bytes); a stack of about 60 KiB. */
void tt_json_write(const struct tt_batch *batch, struct tt_json_range *range,
                   struct tt_buffer *out);

/* Appends one value as JSON in plain form (text, number, array, object), as CSV cells and debug output want it: bytes as base64,
 * NaN and infinities as text, no value as null. */
struct tt_value;
void tt_json_write_plain_value(const struct tt_value *value, struct tt_buffer *out);
/* Appends text as a JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void tt_json_write_text(struct tt_str text, struct tt_buffer *out);

/*
 * Turns an Export…ServiceRequest / TracesData document (same form) into protobuf wire bytes, to be given to tt_batch_parse().
 *
 * signal  which request it is; a document of another signal has only unknown fields and gives an empty request
 * limits  NULL: the defaults; depth and elements are counted as the validator counts them, so that what is read passes it, but
 *         for max_rows; skipped values count too
 * out     the wire bytes are appended, each singular field once; on failure it is as before
 *
 * TT_INVALID_DATA with the byte offset and what was expected, also over the depth; TT_TOO_LARGE over max_elements, over 512 MiB
 * of text or over out's max; TT_NO_MEMORY. Cost: 500 to 700 MB/s of text; memory: out plus a stack of about 30 KiB.
 */
enum tt_status tt_json_read(enum tt_signal signal, struct tt_str text,
                            const struct tt_limits *limits, struct tt_buffer *out,
                            struct tt_error *err) TT_CHECKED;

/* The answers of a JSON client: {} or {"partialSuccess":{…}}; and google.rpc.Status. */
void tt_json_write_response(enum tt_signal signal, uint64_t rejected, struct tt_str message,
                            struct tt_buffer *out);
void tt_json_write_status(int32_t code, struct tt_str message, struct tt_buffer *out);

#endif
