/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_ENCODE_H
#define TT_OTLP_ENCODE_H

/*
 * A batch as OTLP bytes.
 *
 * Writing is copying a row's bytes without the fields that its overlay or columns replace, then appending those; an
 * untouched batch is copied whole. Keys never occur twice in the output unless they did in the input, since readers take the first
 * of two equal ones. Rows are grouped by scope and resource; dropped rows, and scopes and resources left without rows, are
 * not written.
 * Errors: those of the buffer (tt_buffer_check afterwards). Threads: reading only.
 */

#include "base/buffer.h"
#include "otlp/batch.h"

/* The whole batch as an Export{Trace,Metrics,Logs}ServiceRequest. */
void tt_encode_request(const struct tt_batch *batch, struct tt_buffer *out);
/* One row's message (Span, LogRecord, data point), overlay and columns folded in, without tag and length. */
void tt_encode_row(const struct tt_batch *batch, const struct tt_row *row, struct tt_buffer *out);
/* A Resource or InstrumentationScope message with its overlay folded in. */
void tt_encode_resource(const struct tt_batch *batch, uint32_t resource, struct tt_buffer *out);
void tt_encode_scope(const struct tt_batch *batch, uint32_t scope, struct tt_buffer *out);
/* The answer to an export: empty for full success (rejected 0 and no message), else with partial_success set.
 * Source: opentelemetry-proto collector/{trace,metrics,logs}/v1, Export…PartialSuccess. */
void tt_encode_response(uint64_t rejected, struct tt_str message, struct tt_buffer *out);
/* google.rpc.Status: code, message. */
void tt_encode_status(int32_t code, struct tt_str message, struct tt_buffer *out);

#endif
