/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/encode.h"

#include "otlp/index.h"
#include "otlp/overlay_list.h"

/* ---- fields ---- */

/* All field numbers written here are below 16: their tags take one byte. */
static uint8_t tag_byte(uint32_t number, enum tt_pb_wire wire_type)
{
    return (uint8_t)TT_TAG(number, wire_type);
}

static void append_range(const uint8_t *from, const uint8_t *to, struct tt_buffer *out)
{
    tt_buffer_append(out, from, (size_t)(to - from));
}

static void append_varint(uint32_t number, uint64_t value, struct tt_buffer *out)
{
    char *to = tt_buffer_reserve(out, 1 + TT_MAX_VARINT);

    if (to == NULL)
        return;
    *to = (char)tag_byte(number, TT_PB_WIRE_VARINT);
    out->len = (size_t)((char *)tt_put_varint((uint8_t *)to + 1, value) - out->data);
}

static void append_bytes(uint32_t number, struct tt_str bytes, struct tt_buffer *out)
{
    char *to = tt_buffer_reserve(out, 1 + TT_MAX_TAG_LENGTH + bytes.len);

    if (to == NULL)
        return;
    *to = (char)tag_byte(number, TT_PB_WIRE_LENGTH);
    out->len = (size_t)((char *)tt_put_bytes(tt_put_varint((uint8_t *)to + 1, bytes.len), bytes) -
                        out->data);
}

/* A message whose length is known only at its end: room for the length is left by a guess, and what follows is moved in the
 * rare case that the guess is wrong. */
struct open_field {
    size_t start; /* of the length */
    size_t room;  /* bytes left for it */
};

static struct open_field begin_message(uint32_t number, size_t expected, struct tt_buffer *out)
{
    struct open_field field = {.room = tt_varint_size(expected)};
    char *to = tt_buffer_reserve(out, 1 + field.room);

    if (to == NULL)
        return field;
    *to = (char)tag_byte(number, TT_PB_WIRE_LENGTH);
    field.start = out->len + 1;
    out->len += 1 + field.room;
    return field;
}

static void end_message(struct open_field field, struct tt_buffer *out)
{
    size_t body, len, room;

    if (out->failed != TT_OK)
        return;
    body = field.start + field.room;
    len = out->len - body;
    room = tt_varint_size(len);
    if (room > field.room && tt_buffer_reserve(out, room - field.room) == NULL)
        return;
    if (room != field.room)
        memmove(out->data + field.start + room, out->data + body, len);
    (void)tt_put_varint((uint8_t *)out->data + field.start, len);
    out->len = field.start + room + len;
}

/* ---- attributes ---- */

static size_t value_size(const struct tt_value *value)
{
    switch (value->type) {
    case TT_VALUE_EMPTY:
        return 0;
    case TT_VALUE_BOOL:
        return 2;
    case TT_VALUE_INT:
        return 1 + tt_varint_size((uint64_t)value->integer);
    case TT_VALUE_DOUBLE:
        return 9;
    case TT_VALUE_STRING:
    case TT_VALUE_BYTES:
    case TT_VALUE_ARRAY:
    case TT_VALUE_KVLIST:
        break;
    }
    return 1 + tt_varint_size(value->text.len) + value->text.len;
}

static uint8_t *put_text(uint8_t *to, uint32_t number, struct tt_str text)
{
    *to++ = tag_byte(number, TT_PB_WIRE_LENGTH);
    return tt_put_bytes(tt_put_varint(to, text.len), text);
}

/* Field numbers: common.proto, AnyValue. */
static uint8_t *put_value(uint8_t *to, const struct tt_value *value)
{
    uint64_t bits;

    switch (value->type) {
    case TT_VALUE_EMPTY:
        return to;
    case TT_VALUE_STRING:
        return put_text(to, 1, value->text);
    case TT_VALUE_BOOL:
        *to++ = tag_byte(2, TT_PB_WIRE_VARINT);
        *to++ = value->boolean;
        return to;
    case TT_VALUE_INT:
        *to++ = tag_byte(3, TT_PB_WIRE_VARINT);
        return tt_put_varint(to, (uint64_t)value->integer);
    case TT_VALUE_DOUBLE:
        *to++ = tag_byte(4, TT_PB_WIRE_64);
        memcpy(&bits, &value->real, sizeof(bits));
        return tt_put64(to, bits);
    case TT_VALUE_ARRAY:
        return put_text(to, 5, value->text);
    case TT_VALUE_KVLIST:
        return put_text(to, 6, value->text);
    case TT_VALUE_BYTES:
        break;
    }
    return put_text(to, 7, value->text);
}

static void append_attribute(uint8_t tag, const struct tt_attribute *attribute,
                             struct tt_buffer *out)
{
    size_t value = value_size(&attribute->value);
    size_t pair = 1 + tt_varint_size(attribute->key.len) + attribute->key.len + 1 +
                  tt_varint_size(value) + value;
    uint8_t *to = (uint8_t *)tt_buffer_reserve(out, 1 + tt_varint_size(pair) + pair);

    if (to == NULL)
        return;
    *to++ = tag;
    to = put_text(tt_put_varint(to, pair), 1, attribute->key);
    *to++ = tag_byte(2, TT_PB_WIRE_LENGTH);
    to = put_value(tt_put_varint(to, value), &attribute->value);
    out->len = (size_t)((char *)to - out->data);
}

/* ---- one message with its edits ---- */

/* Span.name is field 5, Span.status 15; rows of other signals have no such edits. */
static bool is_replaced(const struct tt_cursor *cursor, const struct tt_wire_field *field)
{
    struct tt_str value;

    if (field->wire_type != TT_PB_WIRE_LENGTH)
        return false;
    if (field->number == cursor->tag >> 3)
        return tt_cursor_hides(cursor, tt_key_of(tt_wire_bytes(field), &value));
    if (field->number == 5)
        return tt_overlay_of_kind(cursor->overlay, TT_EDIT_NAME) != NULL;
    return field->number == 15 && tt_overlay_of_kind(cursor->overlay, TT_EDIT_STATUS) != NULL;
}

static void append_fixed_edits(const struct tt_overlay *edit, struct tt_buffer *out)
{
    for (; edit != NULL; edit = edit->older) {
        struct open_field status;

        if (edit->kind == TT_EDIT_NAME)
            append_bytes(5, edit->key, out);
        if (edit->kind != TT_EDIT_STATUS)
            continue;
        status = begin_message(15, edit->key.len + 4, out);
        if (edit->key.len > 0)
            append_bytes(2, edit->key, out);
        if (edit->code != 0)
            append_varint(3, (uint64_t)(int64_t)edit->code, out);
        end_message(status, out);
    }
}

/* The wire of the cursor's message without what is replaced, then what replaces it. */
static void append_message(struct tt_cursor cursor, struct tt_buffer *out)
{
    const uint8_t *at = cursor.at, *kept = at;
    struct tt_wire_field field;
    struct tt_attribute attribute;

    if (cursor.overlay == NULL && cursor.batch == NULL) {
        append_range(at, cursor.end, out);
        return;
    }
    while (tt_wire_next(&at, cursor.end, &field)) {
        if (!is_replaced(&cursor, &field))
            continue;
        append_range(kept, field.start, out);
        kept = at;
    }
    append_range(kept, cursor.end, out);
    append_fixed_edits(cursor.overlay, out);
    cursor.at = cursor.end;
    while (tt_next_attribute(&cursor, &attribute))
        append_attribute(cursor.tag, &attribute, out);
}

void tt_encode_row(const struct tt_batch *batch, const struct tt_row *row, struct tt_buffer *out)
{
    append_message(tt_row_attributes(batch, row), out);
}

void tt_encode_resource(const struct tt_batch *batch, uint32_t resource, struct tt_buffer *out)
{
    append_message(tt_resource_attributes(batch, resource), out);
}

void tt_encode_scope(const struct tt_batch *batch, uint32_t scope, struct tt_buffer *out)
{
    append_message(tt_scope_attributes(batch, scope), out);
}

/* ---- a request ---- */

/* Live rows sorted by scope, and scopes by resource, keeping the order within each (counting sort). Lists end where the next
 * one begins: those of scope s are rows[row_at[s]] up to rows[row_at[s + 1]]. */
struct order {
    uint32_t *rows, *row_at;     /* n_rows; n_scopes + 1 */
    uint32_t *scopes, *scope_at; /* n_scopes; n_resources + 1 */
    size_t added; /* bytes that edits have added to the row before: a guess for the next */
};

/* Counts at [key + 1], summed up so that [key] is where the list of key begins; then moved on while the lists are filled. */
static void sum_up(uint32_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        at[i + 1] += at[i];
}

/* After filling, [key] is where the next list begins: shift them back. */
static void shift_back(uint32_t *at, uint32_t n)
{
    memmove(at + 1, at, n * sizeof(*at));
    at[0] = 0;
}

static void sort_rows(const struct tt_batch *batch, struct order *order)
{
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        order->row_at[row->scope + 1]++;
    sum_up(order->row_at, batch->n_scopes);
    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        order->rows[order->row_at[row->scope]++] = tt_row_index(batch, row);
    shift_back(order->row_at, batch->n_scopes);
}

static void sort_scopes(const struct tt_batch *batch, struct order *order)
{
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        order->scope_at[batch->scopes[i].resource + 1]++;
    sum_up(order->scope_at, batch->n_resources);
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        order->scopes[order->scope_at[batch->scopes[i].resource]++] = i;
    shift_back(order->scope_at, batch->n_resources);
}

/* One allocation, order->row_at; false when memory is gone. */
static bool make_order(const struct tt_batch *batch, struct order *order)
{
    size_t n_scopes = batch->n_scopes, n_resources = batch->n_resources;
    uint32_t *memory =
        tt_calloc(n_scopes + 1 + n_resources + 1 + n_scopes + batch->n_rows, sizeof(*memory));

    if (memory == NULL)
        return false;
    *order = (struct order){.row_at = memory};
    order->scope_at = order->row_at + n_scopes + 1;
    order->scopes = order->scope_at + n_resources + 1;
    order->rows = order->scopes + n_scopes;
    sort_rows(batch, order);
    sort_scopes(batch, order);
    return true;
}

static void append_row(const struct tt_batch *batch, struct order *order, uint32_t number,
                       const struct tt_row *row, struct tt_buffer *out)
{
    struct open_field field = begin_message(number, row->wire_len + order->added, out);
    size_t before = out->len;

    tt_encode_row(batch, row, out);
    order->added = out->len - before > row->wire_len ? out->len - before - row->wire_len : 0;
    end_message(field, out);
}

/* Copies the fields of a message but one. */
static void append_without(struct tt_str wire, uint32_t number, struct tt_buffer *out)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len, *kept = at;
    struct tt_wire_field field;

    while (tt_wire_next(&at, end, &field)) {
        if (field.number != number)
            continue;
        append_range(kept, field.start, out);
        kept = at;
    }
    append_range(kept, end, out);
}

/* The bytes of the Gauge, Sum, … of a Metric. */
static struct tt_str metric_data(const struct tt_metric *metric)
{
    const uint8_t *at = (const uint8_t *)metric->wire.data, *end = at + metric->wire.len;
    struct tt_wire_field field;

    while (tt_wire_next(&at, end, &field))
        if (field.number == tt_metric_data_number(metric->type))
            return tt_wire_bytes(&field);
    return (struct tt_str){NULL, 0};
}

/* A Metric with these rows as its points. */
static void append_metric(const struct tt_batch *batch, struct order *order, const uint32_t *rows,
                          uint32_t n_rows, struct tt_buffer *out)
{
    const struct tt_metric *metric = &batch->metrics[batch->rows[rows[0]].point.metric];
    uint32_t data_number = tt_metric_data_number(metric->type);
    struct open_field whole = begin_message(2, metric->wire.len, out), data;

    append_without(metric->wire, data_number, out);
    data = begin_message(data_number, metric->wire.len, out);
    append_without(metric_data(metric), 1, out);
    for (uint32_t i = 0; i < n_rows; i++)
        append_row(batch, order, 1, &batch->rows[rows[i]], out);
    end_message(data, out);
    end_message(whole, out);
}

/* Points of one metric that follow each other share its message. */
static void append_metrics(const struct tt_batch *batch, struct order *order, const uint32_t *rows,
                           uint32_t n_rows, struct tt_buffer *out)
{
    for (uint32_t first = 0, end; first < n_rows; first = end) {
        uint32_t metric = batch->rows[rows[first]].point.metric;

        for (end = first + 1; end < n_rows && batch->rows[rows[end]].point.metric == metric;)
            end++;
        append_metric(batch, order, rows + first, end - first, out);
    }
}

static void append_scope_rows(const struct tt_batch *batch, struct order *order, uint32_t scope,
                              struct tt_buffer *out)
{
    const uint32_t *rows = order->rows + order->row_at[scope];
    uint32_t n_rows = order->row_at[scope + 1] - order->row_at[scope];

    if (batch->signal == TT_METRICS) {
        append_metrics(batch, order, rows, n_rows, out);
        return;
    }
    for (uint32_t i = 0; i < n_rows; i++)
        append_row(batch, order, 2, &batch->rows[rows[i]], out);
}

static size_t expected_scope_size(const struct tt_batch *batch, const struct order *order,
                                  uint32_t scope)
{
    size_t size = 0;

    for (uint32_t i = order->row_at[scope]; i < order->row_at[scope + 1]; i++)
        size += batch->rows[order->rows[i]].wire_len + order->added + 3;
    return size;
}

/* Field numbers of Scope{Spans,Metrics,Logs}: scope 1, rows or metrics 2, schema_url 3. */
static void append_scope(const struct tt_batch *batch, struct order *order, uint32_t at,
                         struct tt_buffer *out)
{
    const struct tt_scope *scope = &batch->scopes[at];
    struct open_field block, message;

    if (order->row_at[at] == order->row_at[at + 1])
        return;
    block = begin_message(2, expected_scope_size(batch, order, at), out);
    if (scope->wire.data != NULL || scope->overlay != NULL) {
        message = begin_message(1, scope->wire.len, out);
        tt_encode_scope(batch, at, out);
        end_message(message, out);
    }
    append_scope_rows(batch, order, at, out);
    if (scope->schema_url.len > 0)
        append_bytes(3, scope->schema_url, out);
    end_message(block, out);
}

static size_t expected_resource_size(const struct tt_batch *batch, const struct order *order,
                                     uint32_t resource)
{
    size_t size = 0;

    for (uint32_t i = order->scope_at[resource]; i < order->scope_at[resource + 1]; i++)
        size += expected_scope_size(batch, order, order->scopes[i]);
    return size;
}

/* Field numbers of Resource{Spans,Metrics,Logs}: resource 1, scopes 2, schema_url 3. */
static void append_resource(const struct tt_batch *batch, struct order *order, uint32_t at,
                            struct tt_buffer *out)
{
    const struct tt_resource *resource = &batch->resources[at];
    size_t expected = expected_resource_size(batch, order, at);
    struct open_field block, message;

    if (expected == 0)
        return; /* no rows: each counts at least 3 */
    block = begin_message(1, expected, out);
    if (resource->wire.data != NULL || resource->overlay != NULL) {
        message = begin_message(1, resource->wire.len, out);
        tt_encode_resource(batch, at, out);
        end_message(message, out);
    }
    for (uint32_t i = order->scope_at[at]; i < order->scope_at[at + 1]; i++)
        append_scope(batch, order, order->scopes[i], out);
    if (resource->schema_url.len > 0)
        append_bytes(3, resource->schema_url, out);
    end_message(block, out);
}

void tt_encode_request(const struct tt_batch *batch, struct tt_buffer *out)
{
    struct order order;

    if (!batch->edited && batch->whole.data != NULL) {
        tt_buffer_append_str(out, batch->whole);
        return;
    }
    if (!make_order(batch, &order)) {
        out->failed = TT_NO_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < batch->n_resources; i++)
        append_resource(batch, &order, i, out);
    tt_free(order.row_at);
}

/* ---- answers ---- */

/* Field numbers: partial_success 1 in the answers of all three services; in it rejected_… 1, error_message 2. */
void tt_encode_response(uint64_t rejected, struct tt_str message, struct tt_buffer *out)
{
    struct open_field partial_success;

    if (rejected == 0 && message.len == 0)
        return;
    partial_success = begin_message(1, message.len + 8, out);
    if (rejected > 0)
        append_varint(1, rejected, out);
    if (message.len > 0)
        append_bytes(2, message, out);
    end_message(partial_success, out);
}

void tt_encode_status(int32_t code, struct tt_str message, struct tt_buffer *out)
{
    if (code != 0)
        append_varint(1, (uint64_t)(int64_t)code, out);
    if (message.len > 0)
        append_bytes(2, message, out);
}
