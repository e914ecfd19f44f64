/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_CURSOR_H
#define TT_OTLP_CURSOR_H

/*
 * Reading attributes, events, links and values straight from validated wire bytes.
 *
 * A cursor is a small value on the caller's stack; it yields views that live as long as the batch. The attributes of a row
 * are its wire attributes with the overlay applied, then its columns (which hide wire attributes of the same key).
 * Threads: reading only.  Cost: one pass over the bytes, no allocation.
 */

#include "otlp/batch.h"

enum tt_value_type {
    TT_VALUE_EMPTY,
    TT_VALUE_STRING,
    TT_VALUE_BOOL,
    TT_VALUE_INT,
    TT_VALUE_DOUBLE,
    TT_VALUE_BYTES,
    TT_VALUE_ARRAY,  /* text: wire of the ArrayValue */
    TT_VALUE_KVLIST, /* text: wire of the KeyValueList */
};

struct tt_value {
    enum tt_value_type type;
    union {
        struct tt_str text; /* STRING, BYTES, ARRAY, KVLIST */
        bool boolean;
        int64_t integer;
        double real;
    };
};

struct tt_attribute {
    struct tt_str key;
    struct tt_value value;
};

/* The value in the wire form of an AnyValue. */
struct tt_value tt_value_of(struct tt_str any_value);
/* The text of a STRING, or of the first element of an ARRAY when that is a STRING (captured headers come as arrays). False
 * for all others. */
bool tt_value_first_text(const struct tt_value *value, struct tt_str *ret_text);
/* Appends any value as plain text (CSV): text as it is, numbers, true/false, arrays and maps as JSON, bytes as base64. */
struct tt_buffer;
void tt_value_append_text(const struct tt_value *value, struct tt_buffer *out);

struct tt_cursor {
    const uint8_t *at, *end;      /* rest of the message whose attributes are read */
    uint8_t tag;                  /* wire tag of the attributes field in that message */
    bool values;                  /* elements are values without a key (an ARRAY's) */
    uint32_t row, next_column;    /* columns come last */
    const struct tt_batch *batch; /* NULL: no columns (resource, scope) */
    const struct tt_overlay *overlay;
    const void *next_edit; /* additions of the overlay, after the wire */
};

struct tt_cursor tt_row_attributes(const struct tt_batch *batch, const struct tt_row *row);
/* Without columns: what the sender and edits say. */
struct tt_cursor tt_row_own_attributes(const struct tt_batch *batch, const struct tt_row *row);
struct tt_cursor tt_resource_attributes(const struct tt_batch *batch, uint32_t resource);
struct tt_cursor tt_scope_attributes(const struct tt_batch *batch, uint32_t scope);
/* False at the end. */
bool tt_next_attribute(struct tt_cursor *cursor, struct tt_attribute *ret_attribute);

/*
 * The next attribute's key, its value left undecoded in *ret_any_value: for who looks for few keys among many.
 * Only while tt_cursor_is_plain(): edits and columns are not asked.
 */
bool tt_next_odd_key(struct tt_cursor *cursor, struct tt_str *ret_key,
                     struct tt_str *ret_any_value);
static inline bool tt_cursor_is_plain(const struct tt_cursor *cursor)
{
    return cursor->overlay == NULL && cursor->batch == NULL && !cursor->values;
}
static inline bool tt_next_key(struct tt_cursor *cursor, struct tt_str *ret_key,
                               struct tt_str *ret_any_value)
{
    const uint8_t *at = cursor->at;
    size_t len, key_len;

    /* Key, then value, with lengths of one byte: tag 0x0a, tag 0x12. */
    if (TT_UNLIKELY(at >= cursor->end || at[0] != cursor->tag))
        return tt_next_odd_key(cursor, ret_key, ret_any_value);
    len = at[1];
    if (TT_UNLIKELY(len >= 0x80 || len < 4 || at[2] != 0x0a))
        return tt_next_odd_key(cursor, ret_key, ret_any_value);
    key_len = at[3];
    if (TT_UNLIKELY(key_len + 4 > len || at[4 + key_len] != 0x12 ||
                    at[5 + key_len] + key_len + 4 != len || at[5 + key_len] >= 0x80))
        return tt_next_odd_key(cursor, ret_key, ret_any_value);
    *ret_key = tt_str_of(at + 4, key_len);
    *ret_any_value = tt_str_of(at + 6 + key_len, len - 4 - key_len);
    cursor->at = at + 2 + len;
    return true;
}

/* The first attribute of that key; false when there is none. */
bool tt_find_attribute(struct tt_cursor cursor, struct tt_str key, struct tt_value *ret_value);

/* Elements of an ARRAY or pairs of a KVLIST (keys empty for an array). */
struct tt_cursor tt_value_members(const struct tt_value *value);

/* Events and links of a span. */
struct tt_span_event {
    uint64_t time_ns;
    struct tt_str name;
    struct tt_str wire; /* the Event message */
};
struct tt_span_link {
    const uint8_t *trace_id, *span_id; /* NULL: absent */
    struct tt_str wire;
};
struct tt_cursor tt_span_events(const struct tt_row *row);
bool tt_next_event(struct tt_cursor *cursor, struct tt_span_event *ret_event);
struct tt_cursor tt_event_attributes(const struct tt_span_event *event);
struct tt_cursor tt_span_links(const struct tt_row *row);
bool tt_next_link(struct tt_cursor *cursor, struct tt_span_link *ret_link);

#endif
