/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_OVERLAY_H
#define TT_OTLP_OVERLAY_H

/*
 * Edits of rows, resources and scopes without touching their wire bytes.
 *
 * An overlay is a short list, newest first for one key: an attribute set or deleted, a fixed field replaced. Cursors and
 * encoders honour it; reading the edited fields of struct tt_row shows the new value.
 * Ownership: overlay, keys and values are copied into the batch's arena.
 * Threads:   the batch must be writable (one reference) and has one writer.
 * Errors:    all return false when memory is gone; the row is then unchanged.
 */

#include "otlp/cursor.h"

bool tt_row_set_attribute(struct tt_batch *batch, struct tt_row *row, struct tt_str key,
                          const struct tt_value *value) TT_CHECKED;
bool tt_row_delete_attribute(struct tt_batch *batch, struct tt_row *row, struct tt_str key)
    TT_CHECKED;
bool tt_resource_set_attribute(struct tt_batch *batch, uint32_t resource, struct tt_str key,
                               const struct tt_value *value) TT_CHECKED;
bool tt_resource_delete_attribute(struct tt_batch *batch, uint32_t resource, struct tt_str key)
    TT_CHECKED;
bool tt_scope_set_attribute(struct tt_batch *batch, uint32_t scope, struct tt_str key,
                            const struct tt_value *value) TT_CHECKED;
bool tt_scope_delete_attribute(struct tt_batch *batch, uint32_t scope, struct tt_str key)
    TT_CHECKED;

/* Fixed fields of a span. */
bool tt_span_set_name(struct tt_batch *batch, struct tt_row *row, struct tt_str name) TT_CHECKED;
bool tt_span_set_status(struct tt_batch *batch, struct tt_row *row, int32_t code,
                        struct tt_str message) TT_CHECKED;

#endif
