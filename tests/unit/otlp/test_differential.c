/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The validator and the row index against protobuf_c_message_unpack() over random messages of all three signals, whole and
 * damaged: what one accepts the other accepts, with the same values. Where protobuf-c is more lenient (it merges what occurs
 * twice, takes field number 0, cuts numbers of more than 64 bits, takes a boolean of any wire type), a checker of its own, below, must say so.
 */

#include "otlp/cursor.h"
#include "random_message.h"
#include "wire_build.h"

#include <math.h>
#include <otlp.pb-c.h>

#define CASES 30000

/* ---- what the validator refuses beyond protobuf-c: recursive and slow, unlike the validator ---- */

struct reader {
    const uint8_t *at, *end;
};

static uint64_t plain_varint(struct reader *in, bool *too_long)
{
    uint64_t value = 0;

    for (unsigned shift = 0; in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;

        *too_long |= shift > 63 || (shift == 63 && (byte & 0x7f) > 1);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

static bool packed_too_long(struct reader in)
{
    bool too_long = false;

    while (in.at < in.end)
        (void)plain_varint(&in, &too_long);
    return too_long;
}

static bool occurs_once(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 ||
           (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED);
}

static bool is_id(const ProtobufCFieldDescriptor *field)
{
    return strcmp(field->name, "trace_id") == 0 || strcmp(field->name, "span_id") == 0 ||
           strcmp(field->name, "parent_span_id") == 0;
}

/* *id_twice: an id occurs twice in one message. Where the lengths differ, protobuf-c shows the last one and the validator
 * rejects the row for either. */
static bool beyond(const ProtobufCMessageDescriptor *message, struct reader in, unsigned nesting,
                   bool *id_twice);

static bool field_beyond(const ProtobufCFieldDescriptor *field, struct reader inside,
                         unsigned nesting, bool *id_twice)
{
    const ProtobufCMessageDescriptor *message = field->descriptor;

    if (field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_UINT64)
        return packed_too_long(inside);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    if (message == &otlp__array_value__descriptor || message == &otlp__key_value_list__descriptor)
        nesting++;
    return nesting > 64 || beyond(message, inside, nesting, id_twice);
}

/* For bytes that protobuf-c takes: nothing is cut off. */
static bool beyond(const ProtobufCMessageDescriptor *message, struct reader in, unsigned nesting,
                   bool *id_twice)
{
    uint32_t seen[64], what;
    size_t n_seen = 0;
    bool bad = false;

    while (in.at < in.end && !bad) {
        uint64_t tag = plain_varint(&in, &bad), value = 0;
        const ProtobufCFieldDescriptor *field;
        struct reader inside = {NULL, NULL};

        bad |= tag >> 32 != 0 || tag >> 3 == 0;
        switch (tag & 7) {
        case 0:
            (void)plain_varint(&in, &bad);
            break;
        case 1:
            in.at += 8;
            break;
        case 2:
            value = plain_varint(&in, &bad);
            inside = (struct reader){in.at, in.at + value};
            in.at += value;
            break;
        case 5:
            in.at += 4;
            break;
        default:
            return true;
        }
        field = protobuf_c_message_descriptor_get_field(message, (unsigned)(tag >> 3));
        if (bad || field == NULL)
            continue;
        what =
            field->quantifier_offset == 0 ? field->offset | 0x80000000 : field->quantifier_offset;
        for (size_t i = 0; i < n_seen && i < TT_LENGTH(seen); i++) {
            bad |= occurs_once(field) && seen[i] == what;
            *id_twice |= is_id(field) && seen[i] == what;
        }
        if (occurs_once(field) || is_id(field))
            seen[n_seen++ % TT_LENGTH(seen)] = what;
        bad |= field->type == PROTOBUF_C_TYPE_BOOL && (tag & 7) != 0;
        if ((tag & 7) == 2)
            bad |= field_beyond(field, inside, nesting, id_twice);
    }
    return bad;
}

/* ---- values ---- */

static struct tt_str view(ProtobufCBinaryData bytes)
{
    return tt_str_of(bytes.data, bytes.len);
}

static bool same_id(const uint8_t *id, ProtobufCBinaryData expected, size_t len)
{
    static const uint8_t zero[16];

    if (expected.len != len || memcmp(expected.data, zero, len) == 0)
        return id == NULL;
    return id != NULL && memcmp(id, expected.data, len) == 0;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static void assert_same_attributes(struct tt_cursor cursor, Otlp__KeyValue **expected, size_t n);

static void assert_same_value(const struct tt_value *value, const Otlp__AnyValue *expected)
{
    struct tt_cursor members = tt_value_members(value);
    struct tt_attribute member;

    switch (expected == NULL ? OTLP__ANY_VALUE__VALUE__NOT_SET : expected->value_case) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        assert_int_equal(value->type, TT_VALUE_STRING);
        assert_str_equal(value->text, view(expected->string_value));
        return;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        assert_int_equal(value->type, TT_VALUE_BOOL);
        assert_int_equal(value->boolean, expected->bool_value);
        return;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        assert_int_equal(value->type, TT_VALUE_INT);
        assert_true(value->integer == expected->int_value);
        return;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        assert_int_equal(value->type, TT_VALUE_DOUBLE);
        assert_true(same_bits(value->real, expected->double_value));
        return;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        assert_int_equal(value->type, TT_VALUE_BYTES);
        assert_str_equal(value->text, view(expected->bytes_value));
        return;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        assert_int_equal(value->type, TT_VALUE_ARRAY);
        for (size_t i = 0; i < expected->array_value->n_values; i++) {
            assert_true(tt_next_attribute(&members, &member));
            assert_int_equal(member.key.len, 0);
            assert_same_value(&member.value, expected->array_value->values[i]);
        }
        assert_false(tt_next_attribute(&members, &member));
        return;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        assert_int_equal(value->type, TT_VALUE_KVLIST);
        assert_same_attributes(members, expected->kvlist_value->values,
                               expected->kvlist_value->n_values);
        return;
    case OTLP__ANY_VALUE__VALUE__NOT_SET:
    case _OTLP__ANY_VALUE__VALUE__CASE_IS_INT_SIZE:
        break;
    }
    assert_int_equal(value->type, TT_VALUE_EMPTY);
}

static void assert_same_attributes(struct tt_cursor cursor, Otlp__KeyValue **expected, size_t n)
{
    struct tt_attribute attribute;
    struct tt_value found;

    for (size_t i = 0; i < n; i++) {
        struct tt_cursor rest = cursor;

        assert_true(tt_next_attribute(&cursor, &attribute));
        assert_str_equal(attribute.key, view(expected[i]->key));
        assert_same_value(&attribute.value, expected[i]->value);
        assert_true(tt_find_attribute(rest, attribute.key, &found));
        assert_same_value(&found, expected[i]->value);
    }
    assert_false(tt_next_attribute(&cursor, &attribute));
}

/* ---- rows ---- */

/* The batch being compared and how far; which ids are bad is asked of protobuf-c's structs. */
struct walk {
    const struct tt_batch *batch;
    uint32_t next_row;
    uint64_t rejected;
};

static bool bad_id(ProtobufCBinaryData id, size_t len)
{
    return id.len != 0 && id.len != len;
}

static bool is_bad_span(const Otlp__Span *span)
{
    bool bad =
        bad_id(span->trace_id, 16) || bad_id(span->span_id, 8) || bad_id(span->parent_span_id, 8);

    for (size_t i = 0; i < span->n_links; i++)
        bad |= bad_id(span->links[i]->trace_id, 16) || bad_id(span->links[i]->span_id, 8);
    return bad;
}

static bool has_bad_exemplar(Otlp__Exemplar **exemplars, size_t n)
{
    bool bad = false;

    for (size_t i = 0; i < n; i++)
        bad |= bad_id(exemplars[i]->trace_id, 16) || bad_id(exemplars[i]->span_id, 8);
    return bad;
}

static const struct tt_row *take_row(struct walk *walk)
{
    assert_true(walk->next_row < walk->batch->n_rows);
    return &walk->batch->rows[walk->next_row++];
}

static void compare_span(struct walk *walk, const Otlp__Span *expected)
{
    const struct tt_row *row;
    struct tt_cursor events, links;
    struct tt_span_event event;
    struct tt_span_link link;

    if (is_bad_span(expected)) {
        walk->rejected++;
        return;
    }
    row = take_row(walk);
    assert_true(same_id(row->span.trace_id, expected->trace_id, 16));
    assert_true(same_id(row->span.span_id, expected->span_id, 8));
    assert_true(same_id(row->span.parent_span_id, expected->parent_span_id, 8));
    assert_str_equal(row->span.name, view(expected->name));
    assert_true(row->span.kind == (int32_t)expected->kind);
    assert_true(row->span.start_ns == expected->start_time_unix_nano);
    assert_true(row->span.end_ns == expected->end_time_unix_nano);
    assert_int_equal(row->span.n_attributes, expected->n_attributes);
    assert_int_equal(row->span.n_events, expected->n_events);
    assert_int_equal(row->span.n_links, expected->n_links);
    if (expected->status != NULL) {
        assert_true(row->span.status_code == (int32_t)expected->status->code);
        assert_str_equal(row->span.status_message, view(expected->status->message));
    } else {
        assert_int_equal(row->span.status_code, 0);
        assert_int_equal(row->span.status_message.len, 0);
    }
    assert_same_attributes(tt_row_attributes(walk->batch, row), expected->attributes,
                           expected->n_attributes);
    events = tt_span_events(row);
    for (size_t i = 0; i < expected->n_events; i++) {
        assert_true(tt_next_event(&events, &event));
        assert_true(event.time_ns == expected->events[i]->time_unix_nano);
        assert_str_equal(event.name, view(expected->events[i]->name));
        assert_same_attributes(tt_event_attributes(&event), expected->events[i]->attributes,
                               expected->events[i]->n_attributes);
    }
    assert_false(tt_next_event(&events, &event));
    links = tt_span_links(row);
    for (size_t i = 0; i < expected->n_links; i++) {
        assert_true(tt_next_link(&links, &link));
        assert_true(same_id(link.trace_id, expected->links[i]->trace_id, 16));
        assert_true(same_id(link.span_id, expected->links[i]->span_id, 8));
    }
    assert_false(tt_next_link(&links, &link));
}

static void compare_log(struct walk *walk, const Otlp__LogRecord *expected)
{
    const struct tt_row *row;
    struct tt_value body;

    if (bad_id(expected->trace_id, 16) || bad_id(expected->span_id, 8)) {
        walk->rejected++;
        return;
    }
    row = take_row(walk);
    assert_true(same_id(row->log.trace_id, expected->trace_id, 16));
    assert_true(same_id(row->log.span_id, expected->span_id, 8));
    assert_true(row->log.time_ns == expected->time_unix_nano);
    assert_true(row->log.observed_ns == expected->observed_time_unix_nano);
    assert_true(row->log.severity == (int32_t)expected->severity_number);
    assert_str_equal(row->log.severity_text, view(expected->severity_text));
    assert_str_equal(row->log.event_name, view(expected->event_name));
    body = tt_value_of(row->log.body);
    assert_same_value(&body, expected->body);
    assert_same_attributes(tt_row_attributes(walk->batch, row), expected->attributes,
                           expected->n_attributes);
}

/* What the four kinds of points have in common. */
struct point {
    uint64_t start_ns, time_ns, count;
    double sum;
    uint32_t flags;
    Otlp__KeyValue **attributes;
    size_t n_attributes;
};

static const struct tt_row *compare_point(struct walk *walk, const Otlp__Metric *metric,
                                          enum tt_metric_type type, struct point expected)
{
    const struct tt_row *row = take_row(walk);
    const struct tt_metric *found = &walk->batch->metrics[row->point.metric];

    assert_int_equal(found->type, type);
    assert_str_equal(found->name, view(metric->name));
    assert_str_equal(found->unit, view(metric->unit));
    assert_str_equal(found->description, view(metric->description));
    assert_true(row->point.start_ns == expected.start_ns);
    assert_true(row->point.time_ns == expected.time_ns);
    assert_int_equal(row->point.flags, expected.flags);
    assert_same_attributes(tt_row_attributes(walk->batch, row), expected.attributes,
                           expected.n_attributes);
    return row;
}

#define POINT(p)                                                                               \
    {                                                                                          \
        .start_ns = (p)->start_time_unix_nano, .time_ns = (p)->time_unix_nano,                 \
        .flags = (p)->flags, .attributes = (p)->attributes, .n_attributes = (p)->n_attributes, \
    }

static void compare_number(struct walk *walk, const Otlp__Metric *metric, enum tt_metric_type type,
                           const Otlp__NumberDataPoint *expected)
{
    const struct point common = POINT(expected);
    const struct tt_row *row;

    if (has_bad_exemplar(expected->exemplars, expected->n_exemplars)) {
        walk->rejected++;
        return;
    }
    row = compare_point(walk, metric, type, common);
    switch (expected->value_case) {
    case OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE:
        assert_int_equal(row->point.value_type, TT_POINT_DOUBLE);
        assert_true(same_bits(row->point.real, expected->as_double));
        return;
    case OTLP__NUMBER_DATA_POINT__VALUE_AS_INT:
        assert_int_equal(row->point.value_type, TT_POINT_INT);
        assert_true(row->point.integer == expected->as_int);
        return;
    case OTLP__NUMBER_DATA_POINT__VALUE__NOT_SET:
    case _OTLP__NUMBER_DATA_POINT__VALUE__CASE_IS_INT_SIZE:
        break;
    }
    assert_int_equal(row->point.value_type, TT_POINT_NONE);
}

static void compare_distribution(struct walk *walk, const Otlp__Metric *metric,
                                 enum tt_metric_type type, struct point common, uint64_t count,
                                 bool has_sum, double sum)
{
    const struct tt_row *row = compare_point(walk, metric, type, common);

    assert_int_equal(row->point.value_type, TT_POINT_DISTRIBUTION);
    assert_true(row->point.count == count);
    if (has_sum)
        assert_true(same_bits(row->point.sum, sum));
    else
        assert_true(isnan(row->point.sum));
}

static void compare_metric(struct walk *walk, const Otlp__Metric *m)
{
    switch (m->data_case) {
    case OTLP__METRIC__DATA_GAUGE:
        for (size_t i = 0; i < m->gauge->n_data_points; i++)
            compare_number(walk, m, TT_METRIC_GAUGE, m->gauge->data_points[i]);
        return;
    case OTLP__METRIC__DATA_SUM:
        for (size_t i = 0; i < m->sum->n_data_points; i++)
            compare_number(walk, m, TT_METRIC_SUM, m->sum->data_points[i]);
        return;
    case OTLP__METRIC__DATA_HISTOGRAM:
        for (size_t i = 0; i < m->histogram->n_data_points; i++) {
            const Otlp__HistogramDataPoint *p = m->histogram->data_points[i];
            const struct point common = POINT(p);

            if (has_bad_exemplar(p->exemplars, p->n_exemplars))
                walk->rejected++;
            else
                compare_distribution(walk, m, TT_METRIC_HISTOGRAM, common, p->count,
                                     p->optional_sum_case != 0, p->sum);
        }
        return;
    case OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
        for (size_t i = 0; i < m->exponential_histogram->n_data_points; i++) {
            const Otlp__ExponentialHistogramDataPoint *p = m->exponential_histogram->data_points[i];
            const struct point common = POINT(p);

            if (has_bad_exemplar(p->exemplars, p->n_exemplars))
                walk->rejected++;
            else
                compare_distribution(walk, m, TT_METRIC_EXPONENTIAL_HISTOGRAM, common, p->count,
                                     p->optional_sum_case != 0, p->sum);
        }
        return;
    case OTLP__METRIC__DATA_SUMMARY:
        for (size_t i = 0; i < m->summary->n_data_points; i++) {
            const Otlp__SummaryDataPoint *p = m->summary->data_points[i];
            const struct point common = POINT(p);

            compare_distribution(walk, m, TT_METRIC_SUMMARY, common, p->count, true, p->sum);
        }
        return;
    case OTLP__METRIC__DATA__NOT_SET:
    case _OTLP__METRIC__DATA__CASE_IS_INT_SIZE:
        return;
    }
}

static void compare_metric_traits(const struct walk *walk, uint32_t first, const Otlp__Metric *m)
{
    for (uint32_t i = first; i < walk->next_row; i++) {
        const struct tt_metric *found = &walk->batch->metrics[walk->batch->rows[i].point.metric];
        uint32_t temporality = 0;

        if (m->data_case == OTLP__METRIC__DATA_SUM)
            temporality = m->sum->aggregation_temporality;
        else if (m->data_case == OTLP__METRIC__DATA_HISTOGRAM)
            temporality = m->histogram->aggregation_temporality;
        else if (m->data_case == OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM)
            temporality = m->exponential_histogram->aggregation_temporality;
        assert_true(found->temporality == (int32_t)temporality);
        assert_int_equal(found->monotonic,
                         m->data_case == OTLP__METRIC__DATA_SUM && m->sum->is_monotonic);
    }
}

static void compare_envelope(const struct walk *walk, uint32_t first,
                             const Otlp__Resource *resource, ProtobufCBinaryData resource_url,
                             const Otlp__InstrumentationScope *scope, ProtobufCBinaryData scope_url)
{
    for (uint32_t i = first; i < walk->next_row; i++) {
        const struct tt_batch *batch = walk->batch;
        const struct tt_scope *s = tt_row_scope(batch, &batch->rows[i]);
        const struct tt_resource *r = tt_row_resource(batch, &batch->rows[i]);
        struct tt_str service_name = {NULL, 0};

        assert_str_equal(r->schema_url, view(resource_url));
        assert_str_equal(s->schema_url, view(scope_url));
        assert_int_equal(r->wire.data != NULL, resource != NULL);
        assert_int_equal(s->wire.data != NULL, scope != NULL);
        assert_same_attributes(tt_resource_attributes(batch, s->resource),
                               resource == NULL ? NULL : resource->attributes,
                               resource == NULL ? 0 : resource->n_attributes);
        assert_same_attributes(tt_scope_attributes(batch, batch->rows[i].scope),
                               scope == NULL ? NULL : scope->attributes,
                               scope == NULL ? 0 : scope->n_attributes);
        for (size_t k = resource == NULL ? 0 : resource->n_attributes; k-- > 0;) {
            const Otlp__KeyValue *pair = resource->attributes[k];
            if (tt_str_equal(view(pair->key), TT_STR("service.name")))
                service_name = pair->value != NULL && pair->value->value_case ==
                                                          OTLP__ANY_VALUE__VALUE_STRING_VALUE
                                   ? view(pair->value->string_value)
                                   : (struct tt_str){NULL, 0};
        }
        assert_str_equal(r->service_name, service_name);
        if (scope == NULL)
            continue;
        assert_str_equal(s->name, view(scope->name));
        assert_str_equal(s->version, view(scope->version));
    }
}

static void compare_traces(struct walk *walk, const Otlp__ExportTraceServiceRequest *request)
{
    for (size_t r = 0; r < request->n_resource_spans; r++) {
        const Otlp__ResourceSpans *resource = request->resource_spans[r];
        for (size_t s = 0; s < resource->n_scope_spans; s++) {
            const Otlp__ScopeSpans *scope = resource->scope_spans[s];
            uint32_t first = walk->next_row;
            for (size_t i = 0; i < scope->n_spans; i++)
                compare_span(walk, scope->spans[i]);
            compare_envelope(walk, first, resource->resource, resource->schema_url, scope->scope,
                             scope->schema_url);
        }
    }
}

static void compare_logs(struct walk *walk, const Otlp__ExportLogsServiceRequest *request)
{
    for (size_t r = 0; r < request->n_resource_logs; r++) {
        const Otlp__ResourceLogs *resource = request->resource_logs[r];
        for (size_t s = 0; s < resource->n_scope_logs; s++) {
            const Otlp__ScopeLogs *scope = resource->scope_logs[s];
            uint32_t first = walk->next_row;
            for (size_t i = 0; i < scope->n_log_records; i++)
                compare_log(walk, scope->log_records[i]);
            compare_envelope(walk, first, resource->resource, resource->schema_url, scope->scope,
                             scope->schema_url);
        }
    }
}

static void compare_metrics(struct walk *walk, const Otlp__ExportMetricsServiceRequest *request)
{
    for (size_t r = 0; r < request->n_resource_metrics; r++) {
        const Otlp__ResourceMetrics *resource = request->resource_metrics[r];
        for (size_t s = 0; s < resource->n_scope_metrics; s++) {
            const Otlp__ScopeMetrics *scope = resource->scope_metrics[s];
            uint32_t first = walk->next_row;
            for (size_t i = 0; i < scope->n_metrics; i++) {
                uint32_t first_point = walk->next_row;
                compare_metric(walk, scope->metrics[i]);
                compare_metric_traits(walk, first_point, scope->metrics[i]);
            }
            compare_envelope(walk, first, resource->resource, resource->schema_url, scope->scope,
                             scope->schema_url);
        }
    }
}

static void compare(struct walk *walk, const ProtobufCMessage *message)
{
    if (walk->batch->signal == TT_TRACES)
        compare_traces(walk, (const void *)message);
    else if (walk->batch->signal == TT_METRICS)
        compare_metrics(walk, (const void *)message);
    else
        compare_logs(walk, (const void *)message);
    assert_int_equal(walk->next_row, walk->batch->n_rows);
}

/* ---- the test ---- */

/* How often each outcome was met: a test that never sees one proves nothing about it. */
struct tally {
    unsigned equal, refused_by_both, beyond, rows, rejected, id_twice;
};

static void check_case(enum tt_signal signal, struct tt_str bytes, struct tally *tally)
{
    const struct tt_pb_message *schema = tt_pb_request(signal);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(schema->descriptor, NULL, bytes.len, (const uint8_t *)bytes.data);
    const uint8_t *at = (const uint8_t *)bytes.data;
    bool id_twice = false;
    bool is_beyond = message != NULL &&
                     beyond(schema->descriptor, (struct reader){at, at + bytes.len}, 0, &id_twice);
    struct tt_body *body = tt_body_borrow(bytes.data, bytes.len, NULL, NULL);
    struct tt_batch *batch = NULL;
    struct tt_error err = {.status = TT_OK};
    uint64_t rejected = 0;
    enum tt_status status =
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, &rejected, &err);

    if (message == NULL || is_beyond) {
        assert_status(status, TT_INVALID_DATA);
        message == NULL ? tally->refused_by_both++ : tally->beyond++;
    } else if (id_twice) {
        tally->id_twice++;
    } else if (rejected > 0 && batch == NULL) {
        assert_status(status, TT_INVALID_DATA);
        tally->rejected++;
    } else {
        struct walk walk = {.batch = batch};

        assert_ok(status, &err);
        compare(&walk, message);
        assert_int_equal(walk.rejected, rejected);
        tally->equal++;
        tally->rows += batch->n_rows;
        tally->rejected += rejected > 0;
    }
    tt_batch_unref(batch);
    tt_body_unref(body);
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
}

static void accept_and_read_the_same(enum tt_signal signal)
{
    struct random_style style = {.state = 42 + (uint64_t)signal, .max_len = 1500, .bad_ids = 4};
    struct tally tally = {0};
    struct tt_buffer bytes;

    tt_buffer_init(&bytes, 1 << 24);
    for (unsigned i = 0; i < CASES; i++) {
        struct tt_str exact;
        char *copy;

        style.odd = i % 3 == 0 ? 0 : 20;
        style.twice = i % 4 == 0 ? 20 : 0;
        tt_buffer_clear(&bytes);
        put_random_message(&style, tt_pb_request(signal), 0, &bytes);
        if (i % 2 == 1)
            damage(&style, &bytes);
        /* A block of just that size: a sanitizer sees the first byte read behind it. */
        copy = tt_malloc(bytes.len);
        assert_non_null(copy);
        if (bytes.len > 0)
            memcpy(copy, bytes.data, bytes.len);
        exact = tt_str_of(copy, bytes.len);
        check_case(signal, exact, &tally);
        tt_free(copy);
    }
    tt_buffer_done(&bytes);
    print_message("%s: %u equal (%u rows), %u refused by both, %u beyond, %u with rejected rows\n",
                  tt_signal_name(signal), tally.equal, tally.rows, tally.refused_by_both,
                  tally.beyond, tally.rejected);
    assert_true(tally.equal > CASES / 4);
    assert_true(tally.rows > CASES / 4);
    assert_true(tally.refused_by_both > CASES / 20);
    assert_true(tally.beyond > CASES / 200);
    assert_true(tally.rejected > CASES / 500);
}

static void traces_are_accepted_and_read_as_by_protobuf_c(void **state)
{
    (void)state;
    accept_and_read_the_same(TT_TRACES);
}

static void metrics_are_accepted_and_read_as_by_protobuf_c(void **state)
{
    (void)state;
    accept_and_read_the_same(TT_METRICS);
}

static void logs_are_accepted_and_read_as_by_protobuf_c(void **state)
{
    (void)state;
    accept_and_read_the_same(TT_LOGS);
}

/* As SDKs write it, so that the readers' shortest paths are taken: with and without a parent, a captured header. */
static struct tt_buffer common_request(void)
{
    struct tt_buffer request = new_message(), resource = new_message(), scope = new_message();

    for (unsigned i = 0; i < 2; i++) {
        struct tt_buffer span = new_message(), array = new_message(), any = new_message(),
                         status = new_message();
        put_bytes(&span, 1, TT_STR(TRACE_ID));
        put_bytes(&span, 2, TT_STR(SPAN_ID));
        if (i == 1)
            put_bytes(&span, 4, TT_STR("parentid"));
        put_bytes(&span, 5, TT_STR("GET /"));
        put_varint_field(&span, 6, 2);
        put_fixed64(&span, 7, 1000);
        put_fixed64(&span, 8, 3000);
        put_text(&span, 9, "url.path", "/");
        put_bytes(&array, 1, TT_STR("\x0a\x05value"));
        put_message(&any, 5, &array);
        put_pair(&span, 9, "header.x", tt_buffer_view(&any));
        put_int(&span, 9, "code", 200);
        put_varint_field(&status, 3, 1);
        put_message(&span, 15, &status);
        put_message(&scope, 2, &span);
        tt_buffer_done(&any);
    }
    put_message(&resource, 2, &scope);
    put_message(&request, 1, &resource);
    return request;
}

static void common_spans_with_any_byte_changed_are_read_as_by_protobuf_c(void **state)
{
    struct tt_buffer request = common_request();
    struct tally tally = {0};

    (void)state;
    for (size_t at = 0; at < request.len; at++) {
        char was = request.data[at];
        char *cut = tt_malloc(at); /* of just that size, for a sanitizer */
        for (unsigned value = 0; value < 256; value++) {
            request.data[at] = (char)value;
            check_case(TT_TRACES, tt_buffer_view(&request), &tally);
        }
        request.data[at] = was;
        memcpy(cut, request.data, at);
        check_case(TT_TRACES, tt_str_of(cut, at), &tally);
        tt_free(cut);
    }
    assert_true(tally.equal > request.len * 50);
    assert_true(tally.refused_by_both > request.len * 10);
    tt_buffer_done(&request);
}

/* Two blocks, two spans of 1 + url.path 2 + header.x 4 (value, array and element are messages too) + code 2 + status 1. */
static void common_spans_count_their_elements_exactly(void **state)
{
    (void)state;
    for (uint32_t more = 0; more <= 1; more++) {
        struct tt_limits limits = tt_limits_default;
        struct tt_buffer request = common_request();
        struct tt_batch *batch = NULL;
        struct tt_body *body = tt_body_borrow(request.data, request.len, NULL, NULL);

        limits.max_elements = 2 + 2 * (1 + 2 + 4 + 2 + 1) - more;
        assert_status(tt_batch_parse(TT_TRACES, body, &limits, NULL, &batch, NULL, NULL),
                      more == 0 ? TT_OK : TT_TOO_LARGE);
        tt_batch_unref(batch);
        tt_body_unref(body);
        tt_buffer_done(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_accepted_and_read_as_by_protobuf_c),
        cmocka_unit_test(metrics_are_accepted_and_read_as_by_protobuf_c),
        cmocka_unit_test(logs_are_accepted_and_read_as_by_protobuf_c),
        cmocka_unit_test(common_spans_with_any_byte_changed_are_read_as_by_protobuf_c),
        cmocka_unit_test(common_spans_count_their_elements_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
