/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_INDEX_H
#define TT_OTLP_INDEX_H

/*
 * From wire bytes to rows: the fixed fields of one message, decoded while it is checked.
 *
 * Purpose: shared by the walk over a request (index.c) and by rows that are added one by one (batch.c). Private to otlp/.
 * Threads: no shared state.
 */

#include "otlp/cursor.h"
#include "otlp/validate.h"

/* Whether what is inside a row's sub-messages is checked too; TT_INDEX_KNOWN for bytes that were validated before. */
enum tt_index_depth { TT_INDEX_KNOWN, TT_INDEX_CHECK };

/* Each fills the row's wire and fixed fields; the other members of row are the caller's. False on a fault. An id of a wrong
 * length is left absent and shows in check->bad_id. */
bool tt_index_span(struct tt_check *check, struct tt_str wire, enum tt_index_depth depth,
                   struct tt_row *row);
bool tt_index_log(struct tt_check *check, struct tt_str wire, enum tt_index_depth depth,
                  struct tt_row *row);
bool tt_index_point(struct tt_check *check, enum tt_metric_type type, struct tt_str wire,
                    enum tt_index_depth depth, struct tt_row *row);

/* The one of these three that is right for the batch's signal; a point's metric stays. */
bool tt_index_row(struct tt_check *check, const struct tt_batch *batch, struct tt_str wire,
                  enum tt_index_depth depth, struct tt_row *row);

/* An id of the right length that is not all zero, else NULL ("absent" in the protocol's words). */
const uint8_t *tt_id_of(const struct tt_wire_field *field, size_t len);
/* The schema of a row's message. */
const struct tt_pb_message *tt_row_schema(const struct tt_batch *batch, const struct tt_row *row);
/* The number of its attributes field: 9 in a Span, 6 in a LogRecord, … */
uint32_t tt_row_attributes_number(const struct tt_batch *batch, const struct tt_row *row);

/* The field of Metric that holds data of that type, and back (TT_METRIC_NONE for other numbers). */
uint32_t tt_metric_data_number(enum tt_metric_type type);
enum tt_metric_type tt_metric_type_of(uint32_t number);

/* ---- batch.c ---- */

/* Makes room for one more entry in an array of the arena; the array, moved when it was full, or NULL. */
void *tt_batch_with_room(struct tt_arena *arena, void *array, uint32_t n, size_t size);
/* A pointer to a zeroed new entry at the end of batch->array, counted in batch->n; NULL when memory is gone. */
#define TT_NEW_ENTRY(batch, array, n)                                                        \
    __extension__({                                                                          \
        __typeof__((batch)->array) room_ =                                                   \
            tt_batch_with_room(&(batch)->arena, (batch)->array, (batch)->n, sizeof(*room_)); \
        if (room_ != NULL) {                                                                 \
            (batch)->array = room_;                                                          \
            room_ += (batch)->n++;                                                           \
            memset(room_, 0, sizeof(*room_));                                                \
        }                                                                                    \
        room_;                                                                               \
    })

/* A zeroed new entry at the end, or NULL when memory is gone. */
struct tt_row *tt_batch_new_row(struct tt_batch *batch);
struct tt_resource *tt_batch_new_resource(struct tt_batch *batch);
struct tt_scope *tt_batch_new_scope(struct tt_batch *batch);
struct tt_metric *tt_batch_new_metric(struct tt_batch *batch);

/* column.c: gives all columns arrays for `capacity` rows, with the first n_rows of their present ones; false when memory is
 * gone. */
bool tt_batch_resize_columns(struct tt_batch *batch, uint32_t capacity) TT_CHECKED;

/* Attribute service.name, name and version, from the wire and the edits that are there. */
void tt_resource_refresh(struct tt_batch *batch, struct tt_resource *resource);
void tt_scope_refresh(struct tt_scope *scope);

/* ---- cursor.c ---- */

/* Whether an edit or a column stands for the wire's attribute of that key. */
bool tt_cursor_hides(const struct tt_cursor *cursor, struct tt_str key);
/* The key of a KeyValue; *ret_value: the bytes of its value. */
struct tt_str tt_key_of(struct tt_str key_value, struct tt_str *ret_value);

#endif
