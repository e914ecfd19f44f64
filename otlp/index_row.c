/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/index.h"

#include <math.h>

static const uint8_t no_id[16];

const uint8_t *tt_id_of(const struct tt_wire_field *field, size_t len)
{
    if (field->value != len || memcmp(field->data, no_id, len) == 0)
        return NULL;
    return field->data;
}

static inline const uint8_t *span_id_at(const uint8_t *at)
{
    return tt_load64(at) != 0 ? at : NULL;
}

static void set_wire(struct tt_row *row, struct tt_str wire)
{
    row->wire = (const uint8_t *)wire.data;
    row->wire_len = (uint32_t)wire.len;
}

/* Only for bytes that are checked or were checked before: reads without looking. */
static void read_status(struct tt_str wire, struct tt_span *span)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_wire_field field;

    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 2)
            span->status_message = tt_wire_bytes(&field);
        else if (field.number == 3)
            span->status_code = (int32_t)field.value;
    }
}

static inline bool check_inside(struct tt_check *check, const struct tt_pb_field *known,
                                const struct tt_wire_field *field, enum tt_index_depth depth)
{
    return depth == TT_INDEX_KNOWN || tt_check_message(check, known->message, tt_wire_bytes(field));
}

static inline bool check_attribute(struct tt_check *check, const struct tt_pb_field *known,
                                   const struct tt_wire_field *field, enum tt_index_depth depth)
{
    return depth == TT_INDEX_KNOWN ||
           tt_check_attribute(check, known->message, tt_wire_bytes(field));
}

/* Field numbers: trace.proto, Span. */
static inline bool index_span_field(struct tt_check *check, const struct tt_pb_field *known,
                                    const struct tt_wire_field *field, enum tt_index_depth depth,
                                    struct tt_span *span)
{
    switch (field->number) {
    case 1:
        span->trace_id = tt_id_of(field, 16);
        return true;
    case 2:
        span->span_id = tt_id_of(field, 8);
        return true;
    case 4:
        span->parent_span_id = tt_id_of(field, 8);
        return true;
    case 5:
        span->name = tt_wire_bytes(field);
        return true;
    case 6:
        span->kind = (int32_t)field->value;
        return true;
    case 7:
        span->start_ns = field->value;
        return true;
    case 8:
        span->end_ns = field->value;
        return true;
    case 9:
        span->n_attributes++;
        return check_attribute(check, known, field, depth);
    case 11:
        span->n_events++;
        return check_inside(check, known, field, depth);
    case 13:
        span->n_links++;
        return check_inside(check, known, field, depth);
    case 15:
        if (!check_inside(check, known, field, depth))
            return false;
        read_status(tt_wire_bytes(field), span);
        return true;
    default:
        return true;
    }
}

/* Passes over the attributes that follow each other in their commonest form (two thirds of a span's bytes), and counts them;
 * leaves the cursor at the first field that is anything else. The counts are held against the limit at that field. */
static inline uint32_t skip_plain_attributes(struct tt_check *check, struct tt_check_cursor *cursor,
                                             uint8_t tag, enum tt_index_depth depth)
{
    const uint8_t *at = cursor->at;
    uint32_t n = 0;

    while (cursor->end - at >= 2 && at[0] == tag && at[1] < 0x80 && at[1] <= cursor->end - at - 2 &&
           (depth == TT_INDEX_KNOWN || tt_check_plain_attribute(tt_str_of(at + 2, at[1])))) {
        at += 2 + at[1];
        n++;
    }
    cursor->at = at;
    check->elements += 2 * n;
    return n;
}

/* Bytes of trace_id, span_id, and of what may follow a name of at most 127 bytes: kind, start, end; with tags and lengths. */
#define IDS_BYTES   (2 + 16 + 2 + 8)
#define TIMES_BYTES (2 + 9 + 9)

/* Reads the fields before the attributes in the order and form in which every SDK writes them: trace_id, span_id,
 * parent_span_id or not, name, kind, start, end. Returns the byte behind; `at`, and an untouched span, when anything is otherwise. No
 * field of these is checked for more than its bounds. */
static inline const uint8_t *read_span_head(const uint8_t *at, const uint8_t *end,
                                            struct tt_span *span)
{
    const uint8_t *p = at, *parent = NULL, *name;
    size_t name_len;

    if (end - p < IDS_BYTES + 10 + 2 || p[0] != TT_TAG(1, TT_PB_WIRE_LENGTH) || p[1] != 16 ||
        p[18] != TT_TAG(2, TT_PB_WIRE_LENGTH) || p[19] != 8)
        return at;
    p += IDS_BYTES;
    if (p[0] == TT_TAG(4, TT_PB_WIRE_LENGTH) && p[1] == 8) {
        parent = span_id_at(p + 2);
        p += 10;
    }
    name_len = p[1];
    name = p + 2;
    if (p[0] != TT_TAG(5, TT_PB_WIRE_LENGTH) || name_len >= 0x80 ||
        (size_t)(end - name) < name_len + TIMES_BYTES)
        return at;
    p = name + name_len;
    if (p[0] != TT_TAG(6, TT_PB_WIRE_VARINT) || p[1] >= 0x80 || p[2] != TT_TAG(7, TT_PB_WIRE_64) ||
        p[11] != TT_TAG(8, TT_PB_WIRE_64))
        return at;
    span->trace_id = (tt_load64(at + 2) | tt_load64(at + 10)) != 0 ? at + 2 : NULL;
    span->span_id = span_id_at(at + 20);
    span->parent_span_id = parent;
    span->name = tt_str_of(name, name_len);
    span->kind = p[1];
    span->start_ns = tt_load64(p + 3);
    span->end_ns = tt_load64(p + 12);
    return p + TIMES_BYTES;
}

static inline bool index_span(struct tt_check *check, struct tt_str wire, enum tt_index_depth depth,
                              struct tt_row *row)
{
    struct tt_check_cursor cursor = tt_check_begin(tt_pb_message(TT_MSG_SPAN), wire);
    struct tt_span span = {0};
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    cursor.at = read_span_head(cursor.at, cursor.end, &span);
    do
        span.n_attributes +=
            skip_plain_attributes(check, &cursor, TT_TAG(9, TT_PB_WIRE_LENGTH), depth);
    while (tt_check_next(check, &cursor, &field, &known) &&
           index_span_field(check, known, &field, depth, &span));
    set_wire(row, wire);
    row->span = span;
    return check->status == TT_OK;
}

/* Two copies, so that the one for known bytes has no checks inside. */
bool tt_index_span(struct tt_check *check, struct tt_str wire, enum tt_index_depth depth,
                   struct tt_row *row)
{
    return depth == TT_INDEX_KNOWN ? index_span(check, wire, TT_INDEX_KNOWN, row)
                                   : index_span(check, wire, TT_INDEX_CHECK, row);
}

/* Field numbers: logs.proto, LogRecord. */
static inline bool index_log_field(struct tt_check *check, const struct tt_pb_field *known,
                                   const struct tt_wire_field *field, enum tt_index_depth depth,
                                   struct tt_log_record *log)
{
    switch (field->number) {
    case 1:
        log->time_ns = field->value;
        return true;
    case 2:
        log->severity = (int32_t)field->value;
        return true;
    case 3:
        log->severity_text = tt_wire_bytes(field);
        return true;
    case 5:
        log->body = tt_wire_bytes(field);
        return check_inside(check, known, field, depth);
    case 6:
        return check_attribute(check, known, field, depth);
    case 9:
        log->trace_id = tt_id_of(field, 16);
        return true;
    case 10:
        log->span_id = tt_id_of(field, 8);
        return true;
    case 11:
        log->observed_ns = field->value;
        return true;
    case 12:
        log->event_name = tt_wire_bytes(field);
        return true;
    default:
        return true;
    }
}

bool tt_index_log(struct tt_check *check, struct tt_str wire, enum tt_index_depth depth,
                  struct tt_row *row)
{
    struct tt_check_cursor cursor = tt_check_begin(tt_pb_message(TT_MSG_LOG_RECORD), wire);
    struct tt_log_record log = {0};
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    while (tt_check_next(check, &cursor, &field, &known))
        if (!index_log_field(check, known, &field, depth, &log))
            return false;
    set_wire(row, wire);
    row->log = log;
    return check->status == TT_OK;
}

/* What is particular to a metric type. Numbers: metrics.proto. */
static const struct metric_type {
    uint8_t data_number; /* in Metric */
    uint8_t attributes_number, flags_number;
    enum tt_pb_id point;
} metric_types[] = {
    [TT_METRIC_GAUGE] = {5, 7, 8, TT_MSG_NUMBER_POINT},
    [TT_METRIC_SUM] = {7, 7, 8, TT_MSG_NUMBER_POINT},
    [TT_METRIC_HISTOGRAM] = {9, 9, 10, TT_MSG_HISTOGRAM_POINT},
    [TT_METRIC_EXPONENTIAL_HISTOGRAM] = {10, 1, 10, TT_MSG_EXPONENTIAL_HISTOGRAM_POINT},
    [TT_METRIC_SUMMARY] = {11, 7, 8, TT_MSG_SUMMARY_POINT},
};

uint32_t tt_metric_data_number(enum tt_metric_type type)
{
    return metric_types[type].data_number;
}

enum tt_metric_type tt_metric_type_of(uint32_t number)
{
    for (unsigned i = TT_METRIC_GAUGE; i < TT_LENGTH(metric_types); i++)
        if (metric_types[i].data_number == number)
            return (enum tt_metric_type)i;
    return TT_METRIC_NONE;
}

static void index_number_field(const struct tt_wire_field *field, struct tt_point *point)
{
    if (field->number == 4) {
        point->value_type = TT_POINT_DOUBLE;
        point->real = tt_double_of_bits(field->value);
    } else if (field->number == 6) {
        point->value_type = TT_POINT_INT;
        point->integer = (int64_t)field->value;
    }
}

static void index_distribution_field(const struct tt_wire_field *field, struct tt_point *point)
{
    if (field->number == 4)
        point->count = field->value;
    else if (field->number == 5)
        point->sum = tt_double_of_bits(field->value);
}

static void index_point_field(const struct tt_wire_field *field, const struct metric_type *traits,
                              struct tt_point *point)
{
    if (field->number == 2)
        point->start_ns = field->value;
    else if (field->number == 3)
        point->time_ns = field->value;
    else if (field->number == traits->flags_number)
        point->flags = (uint32_t)field->value;
    else if (traits->point == TT_MSG_NUMBER_POINT)
        index_number_field(field, point);
    else
        index_distribution_field(field, point);
}

bool tt_index_point(struct tt_check *check, enum tt_metric_type type, struct tt_str wire,
                    enum tt_index_depth depth, struct tt_row *row)
{
    const struct metric_type *traits = &metric_types[type];
    struct tt_check_cursor cursor = tt_check_begin(tt_pb_message(traits->point), wire);
    struct tt_point point = {.metric = row->point.metric};
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    if (traits->point != TT_MSG_NUMBER_POINT) {
        point.value_type = TT_POINT_DISTRIBUTION;
        point.sum = type == TT_METRIC_SUMMARY ? 0 : (double)NAN;
    }
    while (tt_check_next(check, &cursor, &field, &known)) {
        bool ok = true;

        if (known->kind != TT_PB_MESSAGE)
            index_point_field(&field, traits, &point);
        else if (field.number == traits->attributes_number)
            ok = check_attribute(check, known, &field, depth);
        else
            ok = check_inside(check, known, &field, depth);
        if (!ok)
            return false;
    }
    set_wire(row, wire);
    row->point = point;
    return check->status == TT_OK;
}

static enum tt_metric_type type_of(const struct tt_batch *batch, const struct tt_row *row)
{
    return batch->metrics[row->point.metric].type;
}

bool tt_index_row(struct tt_check *check, const struct tt_batch *batch, struct tt_str wire,
                  enum tt_index_depth depth, struct tt_row *row)
{
    if (batch->signal == TT_TRACES)
        return tt_index_span(check, wire, depth, row);
    if (batch->signal == TT_LOGS)
        return tt_index_log(check, wire, depth, row);
    return tt_index_point(check, type_of(batch, row), wire, depth, row);
}

const struct tt_pb_message *tt_row_schema(const struct tt_batch *batch, const struct tt_row *row)
{
    if (batch->signal == TT_TRACES)
        return tt_pb_message(TT_MSG_SPAN);
    if (batch->signal == TT_LOGS)
        return tt_pb_message(TT_MSG_LOG_RECORD);
    return tt_pb_message(metric_types[type_of(batch, row)].point);
}

uint32_t tt_row_attributes_number(const struct tt_batch *batch, const struct tt_row *row)
{
    if (batch->signal == TT_TRACES)
        return 9;
    if (batch->signal == TT_LOGS)
        return 6;
    return metric_types[type_of(batch, row)].attributes_number;
}
