/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_MESSAGE_H
#define TT_OTLP_JSON_MESSAGE_H

/*
 * Validated wire bytes as OTLP/JSON, by the tables of otlp/schema.h: any message, and attributes in particular.
 *
 * Threads: no shared state. Cost: a fixed stack of about 24 KiB a call, no recursion, no allocation but the output's.
 */

#include "otlp/cursor.h"
#include "otlp/json_text.h"
#include "otlp/wire.h"

#define TT_JSON_COLUMNS      64
#define TT_JSON_COLUMN_TEXT  95
#define TT_JSON_SHARED       16 /* a power of two */
#define TT_JSON_SHARED_TEXTS 8
#define TT_JSON_SHARED_BYTES 640
struct tt_json_columns {
    /* What stands before a column's values, ready to be copied: {"key":"anomaly.type","value":{"stringValue":" */
    struct {
        uint8_t len; /* 0: not prepared (a long name, or over TT_JSON_COLUMNS) */
        char text[TT_JSON_COLUMN_TEXT];
    } prefixes[TT_JSON_COLUMNS];
    /* The first columns, as far as they are texts: those of some rows, and what was written for them. */
    uint32_t n_texts;
    struct tt_json_texts {
        struct tt_str texts[TT_JSON_SHARED_TEXTS];
        uint32_t len; /* 0: none */
        char written[TT_JSON_SHARED_BYTES];
    } shared[TT_JSON_SHARED];
};
void tt_json_prepare_columns(struct tt_json_columns *columns, const struct tt_batch *batch);

/* Whose attributes come not just from its wire: edits and columns have a say. */
struct tt_json_owner {
    const struct tt_batch *batch;
    const struct tt_row *row;        /* NULL: no row */
    struct tt_cursor cursor;         /* its own attributes, edits applied */
    struct tt_str wire;              /* the message */
    struct tt_json_columns *columns; /* NULL: none */
    uint32_t attributes_number;      /* of the attributes field */
    bool edited;                     /* has an overlay: the cursor must be asked */
};

/* A comma but before the first member or element. */
static inline void tt_json_comma(struct tt_json_out *out, bool *first)
{
    if (!*first)
        *out->at++ = ',';
    *first = false;
}

/* {…}: the message with all its members. owner may be NULL. */
void tt_json_message(struct tt_json_out *out, const struct tt_pb_message *message,
                     struct tt_str wire, const struct tt_json_owner *owner);
/* The members whose bits (1 << number) are in `numbers`, without braces; *first tells whether a comma comes before them, and is
 * left so for what comes next. */
void tt_json_members(struct tt_json_out *out, const struct tt_pb_message *message,
                     struct tt_str wire, uint32_t numbers, bool *first);

/* One KeyValue from its wire form. */
void tt_json_key_value(struct tt_json_out *out, struct tt_str wire);
/* The same if its value is text, a number or a truth value and its form is the common one; false (nothing written) if not. */
bool tt_json_simple_key_value(struct tt_json_out *out, struct tt_str wire, const char *limit);
/* One KeyValue from its parts. */
void tt_json_attribute(struct tt_json_out *out, struct tt_str key, const struct tt_value *value);
/* "attributes":[…] of an owner, with a comma before it if need be; nothing when it has none. */
void tt_json_attributes(struct tt_json_out *out, const struct tt_json_owner *owner, bool *first);

#endif
