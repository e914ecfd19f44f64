/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/cursor.h"

#include "otlp/index.h"
#include "otlp/key.h"
#include "otlp/overlay_list.h"

/* ---- values ---- */

static void read_field(const struct tt_wire_field *field, struct tt_value *ret_value)
{
    static const uint8_t types[] = {
        [1] = TT_VALUE_STRING, [2] = TT_VALUE_BOOL,   [3] = TT_VALUE_INT,  [4] = TT_VALUE_DOUBLE,
        [5] = TT_VALUE_ARRAY,  [6] = TT_VALUE_KVLIST, [7] = TT_VALUE_BYTES};

    ret_value->type = (enum tt_value_type)types[field->number];
    if (field->number == 2)
        ret_value->boolean = field->value != 0;
    else if (field->number == 3)
        ret_value->integer = (int64_t)field->value;
    else if (field->number == 4)
        ret_value->real = tt_double_of_bits(field->value);
    else
        ret_value->text = tt_wire_bytes(field);
}

static void read_any_value(struct tt_str wire, struct tt_value *ret_value)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_wire_field field;

    ret_value->type = TT_VALUE_EMPTY;
    ret_value->text = (struct tt_str){NULL, 0};
    while (tt_wire_next(&at, end, &field)) {
        if (field.number < 1 || field.number > 7)
            continue;
        read_field(&field, ret_value);
        return; /* a oneof: there is no other */
    }
}

/* An AnyValue. Short texts, which most are, first. */
static inline void read_value(struct tt_str wire, struct tt_value *ret_value)
{
    const uint8_t *at = (const uint8_t *)wire.data;

    if (TT_LIKELY(wire.len >= 2 && at[0] == TT_TAG(1, TT_PB_WIRE_LENGTH) && at[1] < 0x80)) {
        ret_value->type = TT_VALUE_STRING;
        ret_value->text = tt_str_of(at + 2, at[1]);
        return;
    }
    if (wire.len >= 2 && at[0] == TT_TAG(3, TT_PB_WIRE_VARINT)) {
        uint64_t value;
        (void)tt_wire_varint(at + 1, &value);
        ret_value->type = TT_VALUE_INT;
        ret_value->integer = (int64_t)value;
        return;
    }
    read_any_value(wire, ret_value);
}

struct tt_value tt_value_of(struct tt_str any_value)
{
    struct tt_value value;

    read_value(any_value, &value);
    return value;
}

bool tt_value_first_text(const struct tt_value *value, struct tt_str *ret_text)
{
    struct tt_attribute first;
    struct tt_cursor members;

    if (value->type == TT_VALUE_STRING) {
        *ret_text = value->text;
        return true;
    }
    if (value->type != TT_VALUE_ARRAY)
        return false;
    members = tt_value_members(value);
    if (!tt_next_attribute(&members, &first) || first.value.type != TT_VALUE_STRING)
        return false;
    *ret_text = first.value.text;
    return true;
}

/* ---- beginnings ---- */

static struct tt_cursor cursor_over(struct tt_str wire, uint32_t number)
{
    const uint8_t *at = (const uint8_t *)wire.data;

    return (struct tt_cursor){
        .at = at, .end = at + wire.len, .tag = (uint8_t)TT_TAG(number, TT_PB_WIRE_LENGTH)};
}

static struct tt_cursor edited_cursor(struct tt_str wire, uint32_t number,
                                      const struct tt_overlay *overlay)
{
    struct tt_cursor cursor = cursor_over(wire, number);

    cursor.overlay = overlay;
    cursor.next_edit = overlay;
    return cursor;
}

struct tt_cursor tt_row_own_attributes(const struct tt_batch *batch, const struct tt_row *row)
{
    return edited_cursor(tt_str_of(row->wire, row->wire_len), tt_row_attributes_number(batch, row),
                         row->overlay);
}

struct tt_cursor tt_row_attributes(const struct tt_batch *batch, const struct tt_row *row)
{
    struct tt_cursor cursor = tt_row_own_attributes(batch, row);

    if (batch->n_columns > 0) {
        cursor.batch = batch;
        cursor.row = tt_row_index(batch, row);
    }
    return cursor;
}

struct tt_cursor tt_resource_attributes(const struct tt_batch *batch, uint32_t resource)
{
    return edited_cursor(batch->resources[resource].wire, 1, batch->resources[resource].overlay);
}

struct tt_cursor tt_scope_attributes(const struct tt_batch *batch, uint32_t scope)
{
    return edited_cursor(batch->scopes[scope].wire, 3, batch->scopes[scope].overlay);
}

struct tt_cursor tt_value_members(const struct tt_value *value)
{
    struct tt_cursor cursor = {.at = NULL};

    if (value->type != TT_VALUE_ARRAY && value->type != TT_VALUE_KVLIST)
        return cursor;
    cursor = cursor_over(value->text, 1);
    cursor.values = value->type == TT_VALUE_ARRAY;
    return cursor;
}

struct tt_cursor tt_span_events(const struct tt_row *row)
{
    return cursor_over(tt_str_of(row->wire, row->wire_len), 11);
}

struct tt_cursor tt_event_attributes(const struct tt_span_event *event)
{
    return cursor_over(event->wire, 3);
}

struct tt_cursor tt_span_links(const struct tt_row *row)
{
    return cursor_over(tt_str_of(row->wire, row->wire_len), 13);
}

/* ---- walking ---- */

/* Leaves the cursor behind the next element on the wire and its bytes in *ret_wire; false when there is none. */
static inline bool next_element(struct tt_cursor *cursor, struct tt_str *ret_wire)
{
    const uint8_t *at = cursor->at, *end = cursor->end;
    struct tt_wire_field field;

    if (TT_LIKELY(at < end && at[0] == cursor->tag && at[1] < 0x80)) {
        *ret_wire = tt_str_of(at + 2, at[1]);
        cursor->at = at + 2 + at[1];
        return true;
    }
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == cursor->tag >> 3) {
            cursor->at = at;
            *ret_wire = tt_wire_bytes(&field);
            return true;
        }
    }
    cursor->at = end;
    return false;
}

/* Whether a column says something about that key in this row: it then stands for the attribute. */
static bool in_column(const struct tt_cursor *cursor, struct tt_str key)
{
    const struct tt_column *column;

    if (!tt_key_filter_has(cursor->batch->column_filter, key))
        return false;
    column = tt_batch_find_column(cursor->batch, key);
    return column != NULL && tt_column_has(column, cursor->row);
}

static inline bool is_hidden(const struct tt_cursor *cursor, struct tt_str key)
{
    return (cursor->overlay != NULL && tt_overlay_attribute(cursor->overlay, key) != NULL) ||
           (cursor->batch != NULL && in_column(cursor, key));
}

bool tt_cursor_hides(const struct tt_cursor *cursor, struct tt_str key)
{
    return is_hidden(cursor, key);
}

static struct tt_str read_any_key(struct tt_str wire, struct tt_str *ret_value)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_str key = {NULL, 0};
    struct tt_wire_field field;

    *ret_value = key;
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 1)
            key = tt_wire_bytes(&field);
        else if (field.number == 2)
            *ret_value = tt_wire_bytes(&field);
    }
    return key;
}

/* The commonest form first: the key, then the value, with lengths of one byte. */
static inline struct tt_str read_key(struct tt_str wire, struct tt_str *ret_value)
{
    const uint8_t *at = (const uint8_t *)wire.data;
    size_t key_len;

    if (TT_UNLIKELY(wire.len < 4 || at[0] != TT_TAG(1, TT_PB_WIRE_LENGTH)))
        return read_any_key(wire, ret_value);
    key_len = at[1];
    if (TT_UNLIKELY(key_len >= 0x80 || key_len + 4 > wire.len ||
                    at[key_len + 2] != TT_TAG(2, TT_PB_WIRE_LENGTH) ||
                    at[key_len + 3] + key_len + 4 != wire.len || at[key_len + 3] >= 0x80))
        return read_any_key(wire, ret_value);
    *ret_value = tt_str_of(at + key_len + 4, at[key_len + 3]);
    return tt_str_of(at + 2, key_len);
}

struct tt_str tt_key_of(struct tt_str key_value, struct tt_str *ret_value)
{
    return read_key(key_value, ret_value);
}

bool tt_next_odd_key(struct tt_cursor *cursor, struct tt_str *ret_key, struct tt_str *ret_any_value)
{
    struct tt_str wire;

    if (!next_element(cursor, &wire))
        return false;
    *ret_key = read_key(wire, ret_any_value);
    return true;
}

static bool next_edit(struct tt_cursor *cursor, struct tt_attribute *ret_attribute)
{
    while (cursor->next_edit != NULL) {
        const struct tt_overlay *edit = cursor->next_edit;

        cursor->next_edit = edit->older;
        if (edit->kind != TT_EDIT_SET || (cursor->batch != NULL && in_column(cursor, edit->key)))
            continue;
        ret_attribute->key = edit->key;
        ret_attribute->value = edit->value;
        return true;
    }
    return false;
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

static bool next_column(struct tt_cursor *cursor, struct tt_attribute *ret_attribute)
{
    while (cursor->batch != NULL && cursor->next_column < cursor->batch->n_columns) {
        const struct tt_column *column = &cursor->batch->columns[cursor->next_column++];

        if (!tt_column_has(column, cursor->row))
            continue;
        ret_attribute->key = tt_str(column->desc->name);
        ret_attribute->value = column_value(column, cursor->row);
        return true;
    }
    return false;
}

bool tt_next_attribute(struct tt_cursor *cursor, struct tt_attribute *ret_attribute)
{
    struct tt_str wire, value;

    while (next_element(cursor, &wire)) {
        if (cursor->values) {
            ret_attribute->key = (struct tt_str){NULL, 0};
            read_value(wire, &ret_attribute->value);
            return true;
        }
        ret_attribute->key = read_key(wire, &value);
        if (TT_UNLIKELY(is_hidden(cursor, ret_attribute->key)))
            continue;
        read_value(value, &ret_attribute->value);
        return true;
    }
    return next_edit(cursor, ret_attribute) || next_column(cursor, ret_attribute);
}

bool tt_find_attribute(struct tt_cursor cursor, struct tt_str key, struct tt_value *ret_value)
{
    struct tt_attribute attribute;
    struct tt_str wire, value = {NULL, 0};

    /* The wire first, without decoding the values of others; then what tt_next_attribute() has behind the wire. */
    while (next_element(&cursor, &wire)) {
        struct tt_str found = cursor.values ? (struct tt_str){NULL, 0} : read_key(wire, &value);

        if (cursor.values || !tt_str_equal(found, key) || is_hidden(&cursor, key))
            continue;
        read_value(value, ret_value);
        return true;
    }
    while (tt_next_attribute(&cursor, &attribute)) {
        if (!tt_str_equal(attribute.key, key))
            continue;
        *ret_value = attribute.value;
        return true;
    }
    return false;
}

bool tt_next_event(struct tt_cursor *cursor, struct tt_span_event *ret_event)
{
    const uint8_t *at, *end;
    struct tt_wire_field field;
    struct tt_str wire;

    if (!next_element(cursor, &wire))
        return false;
    *ret_event = (struct tt_span_event){.wire = wire};
    at = (const uint8_t *)wire.data;
    end = at + wire.len;
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 1)
            ret_event->time_ns = field.value;
        else if (field.number == 2)
            ret_event->name = tt_wire_bytes(&field);
    }
    return true;
}

bool tt_next_link(struct tt_cursor *cursor, struct tt_span_link *ret_link)
{
    const uint8_t *at, *end;
    struct tt_wire_field field;
    struct tt_str wire;

    if (!next_element(cursor, &wire))
        return false;
    *ret_link = (struct tt_span_link){.wire = wire};
    at = (const uint8_t *)wire.data;
    end = at + wire.len;
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 1)
            ret_link->trace_id = tt_id_of(&field, 16);
        else if (field.number == 2)
            ret_link->span_id = tt_id_of(&field, 8);
    }
    return true;
}
