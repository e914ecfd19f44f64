/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/index.h"
#include "otlp/json_message.h"
#include "otlp/key.h"

/* Tags of KeyValue and AnyValue, which fit one byte. */
enum {
    TAG_KEY = TT_TAG(1, TT_PB_WIRE_LENGTH),
    TAG_VALUE = TT_TAG(2, TT_PB_WIRE_LENGTH),
    TAG_STRING = TT_TAG(1, TT_PB_WIRE_LENGTH),
    TAG_BOOL = TT_TAG(2, TT_PB_WIRE_VARINT),
    TAG_INT = TT_TAG(3, TT_PB_WIRE_VARINT),
    TAG_DOUBLE = TT_TAG(4, TT_PB_WIRE_64),
    TAG_ARRAY = TT_TAG(5, TT_PB_WIRE_LENGTH),
    TAG_ELEMENT = TT_TAG(1, TT_PB_WIRE_LENGTH),
};

/* Longest text of the common form: its length is one byte. */
#define SHORT 0x7f
_Static_assert(6 * SHORT * 2 + 128 < TT_JSON_ROOM, "a short pair fits the room");

/* ---- the common form ---- */

static void put_key(struct tt_json_out *out, struct tt_str key, const char *limit)
{
    TT_JSON_PUT(out, "{\"key\":\"");
    out->at = tt_json_put_text(out->at, key, limit);
}

/* The number or truth value at `at`, which ends at `end`. */
static bool put_simple_number(struct tt_json_out *out, const uint8_t *at, const uint8_t *end)
{
    uint64_t value;
    uint8_t tag = *at++;

    if (tag == TAG_DOUBLE && end - at == 8) {
        TT_JSON_PUT(out, "\",\"value\":{\"doubleValue\":");
        tt_json_double(out, tt_load_double(at));
        tt_json_room(out, 2);
        TT_JSON_PUT(out, "}}");
        return true;
    }
    if ((tag != TAG_INT && tag != TAG_BOOL) || tt_wire_varint(at, &value) != end)
        return false;
    if (tag == TAG_INT) {
        TT_JSON_PUT(out, "\",\"value\":{\"intValue\":\"");
        out->at = tt_json_put_int64(out->at, (int64_t)value);
        TT_JSON_PUT(out, "\"}}");
    } else if (value != 0) {
        TT_JSON_PUT(out, "\",\"value\":{\"boolValue\":true}}");
    } else {
        TT_JSON_PUT(out, "\",\"value\":{\"boolValue\":false}}");
    }
    return true;
}

/* Whether the value from `at` to `end` is an array of one text and nothing else, as captured headers come. */
static bool is_array_of_one_text(const uint8_t *at, const uint8_t *end)
{
    return at[0] == TAG_ARRAY && at + 2 + at[1] == end && at[1] >= 4 && at[2] == TAG_ELEMENT &&
           at[3] + 2 == at[1] && at[4] == TAG_STRING && at[5] + 2 == at[3];
}

/* A KeyValue in the common form: key, then value, with lengths of one byte. */
static inline bool read_common(struct tt_str wire, struct tt_str *ret_key, struct tt_str *ret_value)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;

    if (wire.len < 4 || at[0] != TAG_KEY || at[1] == 0 || at[1] > SHORT || at[1] + 5U > wire.len)
        return false;
    *ret_key = tt_str_of(at + 2, at[1]);
    at += 2 + at[1];
    *ret_value = tt_str_of(at + 2, at[1]);
    return at[0] == TAG_VALUE && at[1] <= SHORT && at[1] >= 2 && at + 2 + at[1] == end;
}

/* Needs TT_JSON_ROOM. False (nothing written) when the value is none of the simple ones. */
static inline bool put_common(struct tt_json_out *out, struct tt_str key, struct tt_str value,
                              const char *limit)
{
    const uint8_t *at = (const uint8_t *)value.data, *end = at + value.len;
    char *before = out->at;

    put_key(out, key, limit);
    if (TT_LIKELY(at[0] == TAG_STRING && at + 2 + at[1] == end)) {
        TT_JSON_PUT(out, "\",\"value\":{\"stringValue\":\"");
        out->at = tt_json_put_text(out->at, tt_str_of(at + 2, at[1]), limit);
        TT_JSON_PUT(out, "\"}}");
        return true;
    }
    if (is_array_of_one_text(at, end)) {
        TT_JSON_PUT(out, "\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"");
        out->at = tt_json_put_text(out->at, tt_str_of(at + 6, at[5]), limit);
        TT_JSON_PUT(out, "\"}]}}}");
        return true;
    }
    if (put_simple_number(out, at, end))
        return true;
    out->at = before;
    return false;
}

bool tt_json_simple_key_value(struct tt_json_out *out, struct tt_str wire, const char *limit)
{
    struct tt_str key, value;

    if (!read_common(wire, &key, &value))
        return false;
    tt_json_room(out, TT_JSON_ROOM);
    return put_common(out, key, value, limit);
}

void tt_json_key_value(struct tt_json_out *out, struct tt_str wire)
{
    if (!tt_json_simple_key_value(out, wire, wire.data + wire.len))
        tt_json_message(out, tt_pb_message(TT_MSG_KEY_VALUE), wire, NULL);
}

/* ---- from parts ---- */

static void put_value(struct tt_json_out *out, const struct tt_value *value)
{
    tt_json_room(out, 64);
    switch (value->type) {
    case TT_VALUE_EMPTY:
        return;
    case TT_VALUE_STRING:
        TT_JSON_PUT(out, "\"stringValue\":");
        tt_json_string(out, value->text, value->text.data + value->text.len);
        return;
    case TT_VALUE_BOOL:
        TT_JSON_PUT(out, "\"boolValue\":");
        tt_json_raw(out, value->boolean ? TT_STR("true") : TT_STR("false"));
        return;
    case TT_VALUE_INT:
        TT_JSON_PUT(out, "\"intValue\":\"");
        out->at = tt_json_put_int64(out->at, value->integer);
        *out->at++ = '"';
        return;
    case TT_VALUE_DOUBLE:
        TT_JSON_PUT(out, "\"doubleValue\":");
        tt_json_double(out, value->real);
        return;
    case TT_VALUE_BYTES:
        TT_JSON_PUT(out, "\"bytesValue\":");
        tt_json_base64(out, value->text);
        return;
    case TT_VALUE_ARRAY:
        TT_JSON_PUT(out, "\"arrayValue\":");
        tt_json_message(out, tt_pb_message(TT_MSG_ARRAY_VALUE), value->text, NULL);
        return;
    case TT_VALUE_KVLIST:
        TT_JSON_PUT(out, "\"kvlistValue\":");
        tt_json_message(out, tt_pb_message(TT_MSG_KEY_VALUE_LIST), value->text, NULL);
        return;
    }
}

void tt_json_attribute(struct tt_json_out *out, struct tt_str key, const struct tt_value *value)
{
    tt_json_room(out, 16);
    TT_JSON_PUT(out, "{");
    if (key.len > 0) {
        TT_JSON_PUT(out, "\"key\":");
        tt_json_string(out, key, key.data + key.len);
        tt_json_room(out, 16);
        *out->at++ = ',';
    }
    TT_JSON_PUT(out, "\"value\":{");
    put_value(out, value);
    tt_json_room(out, 2);
    TT_JSON_PUT(out, "}}");
}

/* ---- attributes of a row, resource or scope ---- */

/* Whether a column has a value for the row under that key. */
static bool in_column(const struct tt_json_owner *owner, struct tt_str key)
{
    for (uint32_t i = 0; i < owner->batch->n_columns; i++) {
        const struct tt_column *column = &owner->batch->columns[i];
        if (tt_column_has(column, tt_row_index(owner->batch, owner->row)) &&
            tt_str_equal(tt_str(column->desc->name), key))
            return true;
    }
    return false;
}

static inline bool is_shadowed(const struct tt_json_owner *owner, struct tt_str key)
{
    return owner->columns != NULL &&
           TT_UNLIKELY(tt_key_filter_has(owner->batch->column_filter, key)) &&
           in_column(owner, key);
}

/* What begins the list before its first element; each element has a comma behind it, the last one's is replaced. */
static void begin_list(struct tt_json_out *out, bool *first, bool *any)
{
    if (*any)
        return;
    *any = true;
    tt_json_room(out, 16);
    tt_json_comma(out, first);
    TT_JSON_PUT(out, "\"attributes\":[");
}

static void end_element(struct tt_json_out *out)
{
    tt_json_room(out, 1);
    *out->at++ = ',';
}

/* In any form. */
static void put_odd_attribute(struct tt_json_out *out, const struct tt_json_owner *owner,
                              struct tt_str wire, bool *first, bool *any)
{
    struct tt_str value;

    if (is_shadowed(owner, tt_key_of(wire, &value)))
        return;
    begin_list(out, first, any);
    tt_json_message(out, tt_pb_message(TT_MSG_KEY_VALUE), wire, NULL);
    end_element(out);
}

static inline void put_wire_attribute(struct tt_json_out *out, const struct tt_json_owner *owner,
                                      struct tt_str wire, const char *limit, bool *first, bool *any)
{
    struct tt_str key, value;

    if (TT_UNLIKELY(!read_common(wire, &key, &value))) {
        put_odd_attribute(out, owner, wire, first, any);
        return;
    }
    if (is_shadowed(owner, key))
        return;
    begin_list(out, first, any);
    tt_json_room(out, TT_JSON_ROOM);
    if (TT_LIKELY(put_common(out, key, value, limit)))
        *out->at++ = ',';
    else
        put_odd_attribute(out, owner, wire, first, any);
}

static void put_wire_attributes(struct tt_json_out *out, const struct tt_json_owner *owner,
                                bool *first, bool *any)
{
    const uint8_t *at = (const uint8_t *)owner->wire.data, *end = at + owner->wire.len;
    uint8_t tag = (uint8_t)TT_TAG(owner->attributes_number, TT_PB_WIRE_LENGTH);
    struct tt_wire_field field;

    while (at < end) {
        if (TT_LIKELY(at[0] == tag && at[1] < 0x80)) {
            struct tt_str wire = tt_str_of(at + 2, at[1]);
            at += 2 + wire.len;
            put_wire_attribute(out, owner, wire, (const char *)end, first, any);
        } else if (tt_wire_next(&at, end, &field) && field.number == owner->attributes_number) {
            put_wire_attribute(out, owner, tt_wire_bytes(&field), (const char *)end, first, any);
        }
    }
}

static void put_edited_attributes(struct tt_json_out *out, const struct tt_json_owner *owner,
                                  bool *first, bool *any)
{
    struct tt_cursor cursor = owner->cursor;
    struct tt_attribute attribute;

    while (tt_next_attribute(&cursor, &attribute)) {
        if (is_shadowed(owner, attribute.key))
            continue;
        begin_list(out, first, any);
        tt_json_attribute(out, attribute.key, &attribute.value);
        end_element(out);
    }
}

/* ---- columns ---- */

static struct tt_str value_name(enum tt_column_type type)
{
    return type == TT_COLUMN_TEXT  ? TT_STR("\",\"value\":{\"stringValue\":\"")
           : type == TT_COLUMN_INT ? TT_STR("\",\"value\":{\"intValue\":\"")
                                   : TT_STR("\",\"value\":{\"doubleValue\":");
}

/* Length of the prefix, 0 when it does not fit or needs escapes. */
static size_t put_prefix(char text[TT_JSON_COLUMN_TEXT], const struct tt_column_desc *desc)
{
    struct tt_str before = TT_STR("{\"key\":\""), name = tt_str(desc->name);
    struct tt_str after = value_name(desc->type);

    if (before.len + name.len + after.len > TT_JSON_COLUMN_TEXT)
        return 0;
    for (size_t i = 0; i < name.len; i++)
        if (!tt_json_is_plain((unsigned char)name.data[i]))
            return 0;
    memcpy(text, before.data, before.len);
    memcpy(text + before.len, name.data, name.len);
    memcpy(text + before.len + name.len, after.data, after.len);
    return before.len + name.len + after.len;
}

static struct tt_value column_value(const struct tt_column *column, uint32_t row)
{
    switch (column->desc->type) {
    case TT_COLUMN_DOUBLE:
        return (struct tt_value){.type = TT_VALUE_DOUBLE, .real = column->reals[row]};
    case TT_COLUMN_INT:
        return (struct tt_value){.type = TT_VALUE_INT, .integer = column->integers[row]};
    case TT_COLUMN_TEXT:
        break;
    }
    return (struct tt_value){.type = TT_VALUE_STRING, .text = column->texts[row]};
}

/* By the prepared prefix; false (nothing written) when there is none or the text is long. */
static bool put_prepared(struct tt_json_out *out, const struct tt_json_owner *owner, uint32_t index,
                         const struct tt_value *value)
{
    size_t len = index < TT_JSON_COLUMNS ? owner->columns->prefixes[index].len : 0;

    if (len == 0 || (value->type == TT_VALUE_STRING && value->text.len > SHORT))
        return false;
    tt_json_room(out, TT_JSON_ROOM);
    /* A copy of constant size is a few moves. */
    memcpy(out->at, owner->columns->prefixes[index].text, TT_JSON_COLUMN_TEXT);
    out->at += len;
    if (value->type == TT_VALUE_DOUBLE) {
        tt_json_double(out, value->real);
        tt_json_room(out, 3);
        TT_JSON_PUT(out, "}},");
        return true;
    }
    if (value->type == TT_VALUE_INT)
        out->at = tt_json_put_int64(out->at, value->integer);
    else
        out->at = tt_json_put_text(out->at, value->text, value->text.data + value->text.len);
    TT_JSON_PUT(out, "\"}},");
    return true;
}

static void put_column(struct tt_json_out *out, const struct tt_json_owner *owner, uint32_t index)
{
    const struct tt_column *column = &owner->batch->columns[index];
    uint32_t row = tt_row_index(owner->batch, owner->row);
    struct tt_value value;

    if (!tt_column_has(column, row))
        return;
    value = column_value(column, row);
    if (put_prepared(out, owner, index, &value))
        return;
    tt_json_attribute(out, tt_str(column->desc->name), &value);
    end_element(out);
}

/* ---- texts that rows share ---- */

/* Neither a row's text nor nothing. */
#define NO_TEXT ((struct tt_str){NULL, SIZE_MAX})

static inline struct tt_str column_text(const struct tt_column *column, uint32_t row)
{
    return tt_column_has(column, row) ? column->texts[row] : NO_TEXT;
}

/* Texts are told by where they are: what labels rows gives equal ones the same place. */
static struct tt_json_texts *place_of(struct tt_json_columns *columns, const struct tt_batch *batch,
                                      uint32_t row)
{
    uint64_t mixed = 0;

    for (uint32_t i = 0; i < columns->n_texts; i++)
        mixed = mixed * 31 + (uintptr_t)column_text(&batch->columns[i], row).data;
    return &columns->shared[mixed * UINT64_C(0x9E3779B97F4A7C15) >> 32 & (TT_JSON_SHARED - 1)];
}

static bool has_texts(const struct tt_json_columns *columns, const struct tt_json_texts *shared,
                      const struct tt_batch *batch, uint32_t row)
{
    for (uint32_t i = 0; i < columns->n_texts; i++) {
        struct tt_str text = column_text(&batch->columns[i], row);
        if (text.data != shared->texts[i].data || text.len != shared->texts[i].len)
            return false;
    }
    return shared->len > 0;
}

static void keep_texts(const struct tt_json_columns *columns, struct tt_json_texts *shared,
                       const struct tt_batch *batch, uint32_t row, struct tt_str written)
{
    shared->len = 0;
    if (written.len > sizeof(shared->written))
        return;
    for (uint32_t i = 0; i < columns->n_texts; i++)
        shared->texts[i] = column_text(&batch->columns[i], row);
    memcpy(shared->written, written.data, written.len);
    shared->len = (uint32_t)written.len;
}

/* The first columns, when they are texts: labels are, and many rows have them in common. */
static void put_texts(struct tt_json_out *out, const struct tt_json_owner *owner)
{
    uint32_t row = tt_row_index(owner->batch, owner->row);
    struct tt_json_columns *columns = owner->columns;
    struct tt_json_texts *shared = place_of(columns, owner->batch, row);
    size_t begin;

    tt_json_room(out, TT_JSON_ROOM);
    if (has_texts(columns, shared, owner->batch, row)) {
        memcpy(out->at, shared->written, shared->len);
        out->at += shared->len;
        return;
    }
    begin = tt_json_out_len(out);
    for (uint32_t i = 0; i < columns->n_texts; i++)
        put_column(out, owner, i);
    if (out->buffer->failed == TT_OK)
        keep_texts(columns, shared, owner->batch, row,
                   tt_str_of(out->buffer->data + begin, tt_json_out_len(out) - begin));
}

static uint32_t count_texts(const struct tt_batch *batch)
{
    uint32_t n = 0;

    while (n < batch->n_columns && n < TT_JSON_SHARED_TEXTS &&
           batch->columns[n].desc->type == TT_COLUMN_TEXT)
        n++;
    return n;
}

void tt_json_prepare_columns(struct tt_json_columns *columns, const struct tt_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_columns && i < TT_JSON_COLUMNS; i++)
        columns->prefixes[i].len =
            (uint8_t)put_prefix(columns->prefixes[i].text, batch->columns[i].desc);
    columns->n_texts = count_texts(batch);
    for (size_t i = 0; i < TT_JSON_SHARED; i++)
        columns->shared[i].len = 0;
}

/* ---- all of them ---- */

static bool has_any_column(const struct tt_json_owner *owner)
{
    uint32_t row = tt_row_index(owner->batch, owner->row), i = 0;

    while (i < owner->batch->n_columns && !tt_column_has(&owner->batch->columns[i], row))
        i++;
    return i < owner->batch->n_columns;
}

static void put_columns(struct tt_json_out *out, const struct tt_json_owner *owner, bool *first,
                        bool *any)
{
    if (!has_any_column(owner))
        return;
    begin_list(out, first, any);
    put_texts(out, owner);
    for (uint32_t i = owner->columns->n_texts; i < owner->batch->n_columns; i++)
        put_column(out, owner, i);
}

void tt_json_attributes(struct tt_json_out *out, const struct tt_json_owner *owner, bool *first)
{
    bool any = false;

    if (owner->edited)
        put_edited_attributes(out, owner, first, &any);
    else
        put_wire_attributes(out, owner, first, &any);
    if (owner->columns != NULL)
        put_columns(out, owner, first, &any);
    if (any)
        out->at[-1] = ']';
}
