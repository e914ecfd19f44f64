/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_row.h"

enum {
    SPAN_TRACE_STATE = 3,
    SPAN_ATTRIBUTES = 9,
    SPAN_DROPPED_ATTRIBUTES = 10,
    SPAN_DROPPED_LINKS = 14,
    SPAN_FLAGS = 16,
    TAG_ATTRIBUTES = TT_TAG(SPAN_ATTRIBUTES, TT_PB_WIRE_LENGTH),
};

/* Members between attributes and status: dropped counts, events and links, in the order of their numbers. */
#define SPAN_REST \
    ((UINT32_C(1) << (SPAN_DROPPED_LINKS + 1)) - (UINT32_C(1) << SPAN_DROPPED_ATTRIBUTES))

/* What of a span is not in its row. */
struct span_wire {
    struct tt_str trace_state;
    uint32_t flags;
    bool has_rest; /* any of SPAN_REST */
};

static struct tt_str row_wire(const struct tt_row *row)
{
    return tt_str_of(row->wire, row->wire_len);
}

static struct span_wire scan_span(const struct tt_row *row)
{
    const uint8_t *at = row->wire, *end = at + row->wire_len;
    struct span_wire found = {.flags = 0};
    struct tt_wire_field field;

    while (at < end) {
        /* Most of a span is short attributes. */
        if (at[0] == TAG_ATTRIBUTES && at[1] < 0x80) {
            at += 2 + at[1];
            continue;
        }
        if (!tt_wire_next(&at, end, &field))
            break;
        if (field.number == SPAN_TRACE_STATE)
            found.trace_state = tt_wire_bytes(&field);
        else if (field.number == SPAN_FLAGS)
            found.flags = (uint32_t)field.value;
        else if (field.number <= SPAN_DROPPED_LINKS && (SPAN_REST >> field.number & 1) != 0)
            found.has_rest = true;
    }
    return found;
}

/* How far may be read behind a text: to the end of the row when it points into it. */
static const char *limit_of(const struct tt_row *row, struct tt_str text)
{
    uintptr_t at = (uintptr_t)text.data, wire = (uintptr_t)row->wire;

    if (at >= wire && at < wire + row->wire_len)
        return (const char *)row->wire + row->wire_len;
    return text.data + text.len;
}

static struct tt_json_owner row_owner(struct tt_json_writer *writer, const struct tt_row *row,
                                      uint32_t attributes_number)
{
    struct tt_json_owner owner = {.batch = writer->batch,
                                  .row = row,
                                  .wire = row_wire(row),
                                  .columns = writer->batch->n_columns > 0 ? &writer->columns : NULL,
                                  .attributes_number = attributes_number,
                                  .edited = row->overlay != NULL};

    if (owner.edited)
        owner.cursor = tt_row_own_attributes(writer->batch, row);
    return owner;
}

/* ---- spans ---- */

static void put_id(struct tt_json_out *out, const uint8_t *id, size_t len)
{
    out->at = tt_json_put_hex(out->at, id, len);
    *out->at++ = '"';
    *out->at++ = ',';
}

/* Each member with the comma behind it: "status" always comes last. */
static void put_span_ids(struct tt_json_out *out, const struct tt_span *span,
                         struct tt_str trace_state)
{
    tt_json_room(out, 256);
    *out->at++ = '{';
    if (span->trace_id != NULL) {
        TT_JSON_PUT(out, "\"traceId\":\"");
        put_id(out, span->trace_id, 16);
    }
    if (span->span_id != NULL) {
        TT_JSON_PUT(out, "\"spanId\":\"");
        put_id(out, span->span_id, 8);
    }
    if (trace_state.len > 0) {
        TT_JSON_PUT(out, "\"traceState\":");
        tt_json_string(out, trace_state, trace_state.data + trace_state.len);
        tt_json_room(out, 256);
        *out->at++ = ',';
    }
    if (span->parent_span_id != NULL) {
        TT_JSON_PUT(out, "\"parentSpanId\":\"");
        put_id(out, span->parent_span_id, 8);
    }
}

static void put_span_times(struct tt_json_out *out, const struct tt_span *span)
{
    tt_json_room(out, 128);
    if (span->kind != 0) {
        TT_JSON_PUT(out, "\"kind\":");
        out->at = tt_json_put_int64(out->at, span->kind);
        *out->at++ = ',';
    }
    if (span->start_ns != 0) {
        TT_JSON_PUT(out, "\"startTimeUnixNano\":\"");
        out->at = tt_json_put_uint64(out->at, span->start_ns);
        TT_JSON_PUT(out, "\",");
    }
    if (span->end_ns != 0) {
        TT_JSON_PUT(out, "\"endTimeUnixNano\":\"");
        out->at = tt_json_put_uint64(out->at, span->end_ns);
        TT_JSON_PUT(out, "\",");
    }
}

static void put_span_status(struct tt_json_out *out, const struct tt_span *span)
{
    tt_json_room(out, 64);
    TT_JSON_PUT(out, "\"status\":{");
    if (span->status_message.len > 0) {
        TT_JSON_PUT(out, "\"message\":");
        tt_json_string(out, span->status_message,
                       span->status_message.data + span->status_message.len);
        tt_json_room(out, 64);
        if (span->status_code != 0)
            *out->at++ = ',';
    }
    if (span->status_code != 0) {
        TT_JSON_PUT(out, "\"code\":");
        out->at = tt_json_put_int64(out->at, span->status_code);
    }
    TT_JSON_PUT(out, "}}");
}

void tt_json_write_span(struct tt_json_writer *writer, const struct tt_row *row)
{
    struct tt_json_out *out = &writer->out;
    const struct tt_span *span = &row->span;
    struct span_wire wire = scan_span(row);
    struct tt_json_owner owner = row_owner(writer, row, SPAN_ATTRIBUTES);
    bool first = true;

    put_span_ids(out, span, wire.trace_state);
    tt_json_room(out, 64);
    if (wire.flags != 0) {
        TT_JSON_PUT(out, "\"flags\":");
        out->at = tt_json_put_uint64(out->at, wire.flags);
        *out->at++ = ',';
    }
    if (span->name.len > 0) {
        TT_JSON_PUT(out, "\"name\":");
        tt_json_string(out, span->name, limit_of(row, span->name));
        tt_json_room(out, 1);
        *out->at++ = ',';
    }
    put_span_times(out, span);
    tt_json_attributes(out, &owner, &first);
    if (wire.has_rest)
        tt_json_members(out, tt_pb_message(TT_MSG_SPAN), row_wire(row), SPAN_REST, &first);
    tt_json_room(out, 1);
    if (!first)
        *out->at++ = ',';
    put_span_status(out, span);
}

/* ---- data points and log records ---- */

static const struct tt_pb_message *row_message(const struct tt_batch *batch,
                                               const struct tt_row *row)
{
    if (batch->signal != TT_METRICS)
        return tt_pb_message(TT_MSG_LOG_RECORD);
    switch (batch->metrics[row->point.metric].type) {
    case TT_METRIC_HISTOGRAM:
        return tt_pb_message(TT_MSG_HISTOGRAM_POINT);
    case TT_METRIC_EXPONENTIAL_HISTOGRAM:
        return tt_pb_message(TT_MSG_EXPONENTIAL_HISTOGRAM_POINT);
    case TT_METRIC_SUMMARY:
        return tt_pb_message(TT_MSG_SUMMARY_POINT);
    case TT_METRIC_NONE:
    case TT_METRIC_GAUGE:
    case TT_METRIC_SUM:
        break;
    }
    return tt_pb_message(TT_MSG_NUMBER_POINT);
}

void tt_json_write_plain_row(struct tt_json_writer *writer, const struct tt_row *row)
{
    const struct tt_pb_message *message = row_message(writer->batch, row);

    if (row->overlay == NULL && writer->batch->n_columns == 0) {
        tt_json_message(&writer->out, message, row_wire(row), NULL);
        return;
    }
    const struct tt_pb_field *attributes = tt_pb_find(message, TT_STR("attributes"));
    struct tt_json_owner owner = row_owner(writer, row, attributes->number);
    tt_json_message(&writer->out, message, row_wire(row), &owner);
}
