/* SPDX-License-Identifier: Apache-2.0 */
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

bool tt_json_simple_key_value(struct tt_json_out *out, struct tt_str wire, const char *limit)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;

    if (wire.len < 4 || at[0] != TAG_KEY || at[1] == 0 || at[1] > SHORT || at[1] + 5U > wire.len)
        return false;
    struct tt_str key = tt_str_of(at + 2, at[1]);
    at += 2 + key.len;
    if (at[0] != TAG_VALUE || at[1] > SHORT || at[1] < 2 || at + 2 + at[1] != end)
        return false;
    at += 2;
    tt_json_room(out, TT_JSON_ROOM);
    char *before = out->at;
    put_key(out, key, limit);
    if (at[0] == TAG_STRING && at + 2 + at[1] == end) {
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
static bool is_shadowed(const struct tt_json_owner *owner, struct tt_str key)
{
    if (TT_LIKELY(!tt_key_filter_has(owner->batch->column_filter, key)))
        return false;
    for (uint32_t i = 0; i < owner->batch->n_columns; i++) {
        const struct tt_column *column = &owner->batch->columns[i];
        if (tt_column_has(column, tt_row_index(owner->batch, owner->row)) &&
            tt_str_equal(tt_str(column->desc->name), key))
            return true;
    }
    return false;
}

static struct tt_str key_of(struct tt_str key_value)
{
    const uint8_t *at = (const uint8_t *)key_value.data, *end = at + key_value.len;
    struct tt_wire_field field;
    struct tt_str key = {NULL, 0};

    if (TT_LIKELY(key_value.len > 2 && at[0] == TAG_KEY && at[1] <= SHORT))
        return tt_str_of(at + 2, at[1]);
    while (tt_wire_next(&at, end, &field))
        if (field.number == 1)
            key = tt_wire_bytes(&field);
    return key;
}

/* What begins the list, or the next element. */
static void begin_element(struct tt_json_out *out, bool *first, bool *any)
{
    if (*any) {
        tt_json_room(out, 1);
        *out->at++ = ',';
        return;
    }
    *any = true;
    tt_json_room(out, 16);
    tt_json_comma(out, first);
    TT_JSON_PUT(out, "\"attributes\":[");
}

static void put_wire_attributes(struct tt_json_out *out, const struct tt_json_owner *owner,
                                bool *first, bool *any)
{
    const uint8_t *at = (const uint8_t *)owner->wire.data, *end = at + owner->wire.len;
    struct tt_wire_field field;

    while (tt_wire_next(&at, end, &field)) {
        if (field.number != owner->attributes_number)
            continue;
        struct tt_str wire = tt_wire_bytes(&field);
        if (owner->columns != NULL && is_shadowed(owner, key_of(wire)))
            continue;
        begin_element(out, first, any);
        if (!tt_json_simple_key_value(out, wire, (const char *)end))
            tt_json_message(out, tt_pb_message(TT_MSG_KEY_VALUE), wire, NULL);
    }
}

static void put_edited_attributes(struct tt_json_out *out, const struct tt_json_owner *owner,
                                  bool *first, bool *any)
{
    struct tt_cursor cursor = owner->cursor;
    struct tt_attribute attribute;

    while (tt_next_attribute(&cursor, &attribute)) {
        if (owner->columns != NULL && is_shadowed(owner, attribute.key))
            continue;
        begin_element(out, first, any);
        tt_json_attribute(out, attribute.key, &attribute.value);
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

void tt_json_prepare_columns(struct tt_json_columns *columns, const struct tt_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_columns && i < TT_JSON_COLUMNS; i++)
        columns->prefixes[i].len =
            (uint8_t)put_prefix(columns->prefixes[i].text, batch->columns[i].desc);
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
        TT_JSON_PUT(out, "}}");
        return true;
    }
    if (value->type == TT_VALUE_INT)
        out->at = tt_json_put_int64(out->at, value->integer);
    else
        out->at = tt_json_put_text(out->at, value->text, value->text.data + value->text.len);
    TT_JSON_PUT(out, "\"}}");
    return true;
}

static void put_columns(struct tt_json_out *out, const struct tt_json_owner *owner, bool *first,
                        bool *any)
{
    uint32_t row = tt_row_index(owner->batch, owner->row);

    for (uint32_t i = 0; i < owner->batch->n_columns; i++) {
        const struct tt_column *column = &owner->batch->columns[i];
        if (!tt_column_has(column, row))
            continue;
        struct tt_value value = column_value(column, row);
        begin_element(out, first, any);
        if (!put_prepared(out, owner, i, &value))
            tt_json_attribute(out, tt_str(column->desc->name), &value);
    }
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
    if (any) {
        tt_json_room(out, 1);
        *out->at++ = ']';
    }
}
