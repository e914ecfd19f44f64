/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_JSON_FILE_DOCUMENT_H
#define TT_RECEIVERS_OTLP_JSON_FILE_DOCUMENT_H

/*
 * One line of OTLP/JSON: which signal it is, and its batch. Also used by `telltale dataset extract`.
 *
 * Threads: no state.
 */

#include "base/buffer.h"
#include "otlp/batch.h"

/* The signal by the document's first known key (resourceSpans, resource_spans, …); false: none of them is there. */
bool tt_document_signal(struct tt_str line, enum tt_signal *ret_signal);

/* Turns the line into a batch. wire is scratch and left empty. ret_rejected: rows with ids of a wrong size, left out; may be
 * NULL. TT_INVALID_DATA, TT_TOO_LARGE, TT_NO_MEMORY. */
enum tt_status tt_document_read(enum tt_signal signal, struct tt_str line,
                                const struct tt_metadata *metadata, struct tt_buffer *wire,
                                struct tt_batch **ret_batch, uint64_t *ret_rejected,
                                struct tt_error *err) TT_CHECKED;

#endif
