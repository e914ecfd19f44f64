/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_ROW_H
#define TT_OTLP_JSON_ROW_H

/* One row as OTLP/JSON, edits and columns folded in: {…}. Threads: no shared state. */

#include "otlp/json_message.h"

/* What a document's rows share. */
struct tt_json_writer {
    struct tt_json_out out;
    const struct tt_batch *batch;
    struct tt_json_columns columns; /* prepared when the batch has any */
};

void tt_json_write_span(struct tt_json_writer *writer, const struct tt_row *row);
/* A data point or log record. */
void tt_json_write_plain_row(struct tt_json_writer *writer, const struct tt_row *row);

#endif
