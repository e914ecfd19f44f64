/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json.h"
#include "otlp/json_row.h"

/* What closes a document at most, but schema URLs. */
#define CLOSING 64
#define NONE    UINT32_MAX

/* The envelopes that are open: indices into the batch, or NONE. */
struct envelopes {
    uint32_t resource, scope, metric;
    bool any_resource; /* something is before the next resource */
};

struct document {
    struct tt_json_writer writer;
    struct envelopes open;
};

/* Names of the three levels, by signal. */
struct level_names {
    struct tt_str resources, scopes, rows;
};
static const struct level_names level_names[TT_SIGNAL_COUNT] = {
    {{"{\"resourceSpans\":[", 18}, {",\"scopeSpans\":[", 15}, {",\"spans\":[", 10}},
    {{"{\"resourceMetrics\":[", 20}, {",\"scopeMetrics\":[", 17}, {",\"metrics\":[", 12}},
    {{"{\"resourceLogs\":[", 17}, {",\"scopeLogs\":[", 14}, {",\"logRecords\":[", 15}},
};

static const struct level_names *names_of(const struct document *d)
{
    return &level_names[tt_signal_index(d->writer.batch->signal)];
}

static void put_member_text(struct tt_json_out *out, struct tt_str name, struct tt_str text,
                            bool *first)
{
    if (text.len == 0)
        return;
    tt_json_room(out, 2);
    tt_json_comma(out, first);
    tt_json_string(out, name, name.data + name.len);
    tt_json_room(out, 1);
    *out->at++ = ':';
    tt_json_string(out, text, text.data + text.len);
}

/* ---- closing ---- */

/* ]}, with what comes after a metric's points. */
static void close_metric(struct document *d)
{
    struct tt_json_out *out = &d->writer.out;
    const struct tt_pb_message *message = tt_pb_message(TT_MSG_METRIC);
    bool first = false;

    if (d->open.metric == NONE)
        return;
    const struct tt_metric *metric = &d->writer.batch->metrics[d->open.metric];
    tt_json_room(out, 96);
    *out->at++ = ']';
    if (metric->temporality != 0) {
        TT_JSON_PUT(out, ",\"aggregationTemporality\":");
        out->at = tt_json_put_int64(out->at, metric->temporality);
    }
    if (metric->monotonic)
        TT_JSON_PUT(out, ",\"isMonotonic\":true");
    *out->at++ = '}';
    tt_json_members(out, message, metric->wire,
                    UINT32_C(1) << tt_pb_find(message, TT_STR("metadata"))->number, &first);
    tt_json_room(out, 1);
    *out->at++ = '}';
    d->open.metric = NONE;
}

static void close_level(struct tt_json_out *out, struct tt_str schema_url)
{
    bool first = false;

    tt_json_room(out, 1);
    *out->at++ = ']';
    put_member_text(out, TT_STR("schemaUrl"), schema_url, &first);
    tt_json_room(out, 1);
    *out->at++ = '}';
}

static void close_scope(struct document *d)
{
    close_metric(d);
    if (d->open.scope == NONE)
        return;
    close_level(&d->writer.out, d->writer.batch->scopes[d->open.scope].schema_url);
    d->open.scope = NONE;
}

static void close_resource(struct document *d)
{
    close_scope(d);
    if (d->open.resource == NONE)
        return;
    close_level(&d->writer.out, d->writer.batch->resources[d->open.resource].schema_url);
    d->open.resource = NONE;
}

/* Upper bound of what closing all would write now. */
static size_t closing_size(const struct document *d)
{
    const struct tt_batch *batch = d->writer.batch;
    size_t size = CLOSING;

    if (d->open.resource != NONE)
        size += 6 * batch->resources[d->open.resource].schema_url.len;
    if (d->open.scope != NONE)
        size += 6 * batch->scopes[d->open.scope].schema_url.len;
    return size;
}

/* ---- opening ---- */

static void open_resource(struct document *d, uint32_t index)
{
    struct tt_json_out *out = &d->writer.out;
    const struct tt_batch *batch = d->writer.batch;
    const struct tt_resource *resource = &batch->resources[index];
    struct tt_json_owner owner = {
        .batch = batch, .wire = resource->wire, .attributes_number = 1, .edited = true};

    tt_json_room(out, 32);
    if (d->open.any_resource)
        *out->at++ = ',';
    TT_JSON_PUT(out, "{\"resource\":");
    if (resource->overlay != NULL)
        owner.cursor = tt_resource_attributes(batch, index);
    tt_json_message(out, tt_pb_message(TT_MSG_RESOURCE), resource->wire,
                    resource->overlay != NULL ? &owner : NULL);
    tt_json_raw(out, names_of(d)->scopes);
    d->open.resource = index;
    d->open.any_resource = true;
}

static void open_scope(struct document *d, uint32_t index, bool is_first)
{
    struct tt_json_out *out = &d->writer.out;
    const struct tt_batch *batch = d->writer.batch;
    const struct tt_scope *scope = &batch->scopes[index];
    struct tt_json_owner owner = {
        .batch = batch, .wire = scope->wire, .attributes_number = 3, .edited = true};

    tt_json_room(out, 32);
    if (!is_first)
        *out->at++ = ',';
    TT_JSON_PUT(out, "{\"scope\":");
    if (scope->overlay != NULL)
        owner.cursor = tt_scope_attributes(batch, index);
    tt_json_message(out, tt_pb_message(TT_MSG_SCOPE), scope->wire,
                    scope->overlay != NULL ? &owner : NULL);
    tt_json_raw(out, names_of(d)->rows);
    d->open.scope = index;
}

static struct tt_str points_name(enum tt_metric_type type)
{
    switch (type) {
    case TT_METRIC_SUM:
        return TT_STR("\"sum\":{\"dataPoints\":[");
    case TT_METRIC_HISTOGRAM:
        return TT_STR("\"histogram\":{\"dataPoints\":[");
    case TT_METRIC_EXPONENTIAL_HISTOGRAM:
        return TT_STR("\"exponentialHistogram\":{\"dataPoints\":[");
    case TT_METRIC_SUMMARY:
        return TT_STR("\"summary\":{\"dataPoints\":[");
    case TT_METRIC_NONE:
    case TT_METRIC_GAUGE:
        break;
    }
    return TT_STR("\"gauge\":{\"dataPoints\":[");
}

static void open_metric(struct document *d, uint32_t index, bool is_first)
{
    struct tt_json_out *out = &d->writer.out;
    const struct tt_metric *metric = &d->writer.batch->metrics[index];
    bool first = true;

    tt_json_room(out, 2);
    if (!is_first)
        *out->at++ = ',';
    *out->at++ = '{';
    put_member_text(out, TT_STR("name"), metric->name, &first);
    put_member_text(out, TT_STR("description"), metric->description, &first);
    put_member_text(out, TT_STR("unit"), metric->unit, &first);
    tt_json_room(out, 1);
    tt_json_comma(out, &first);
    tt_json_raw(out, points_name(metric->type));
    d->open.metric = index;
}

/* Leaves the envelopes of the last row and enters those of this one. True: it is the first row in its innermost one. */
static bool enter(struct document *d, const struct tt_row *row)
{
    const struct tt_batch *batch = d->writer.batch;
    uint32_t resource = batch->scopes[row->scope].resource;
    bool new_resource = resource != d->open.resource;
    bool new_scope =
        row->scope != d->open.scope; /* also when the resource is: a scope is of one resource */

    if (new_resource) {
        close_resource(d);
        open_resource(d, resource);
    }
    if (new_scope) {
        close_scope(d);
        open_scope(d, row->scope, new_resource);
    }
    if (batch->signal != TT_METRICS)
        return new_scope;
    if (row->point.metric == d->open.metric)
        return false;
    close_metric(d);
    open_metric(d, row->point.metric, new_scope);
    return true;
}

/* ---- rows ---- */

static void put_row(struct document *d, const struct tt_row *row)
{
    struct tt_json_out *out = &d->writer.out;

    if (!enter(d, row)) {
        tt_json_room(out, 1);
        *out->at++ = ',';
    }
    if (d->writer.batch->signal == TT_TRACES)
        tt_json_write_span(&d->writer, row);
    else
        tt_json_write_plain_row(&d->writer, row);
}

/* Takes back what was written since the buffer had that length. */
static void rewind_to(struct tt_json_out *out, size_t len)
{
    tt_json_out_done(out);
    out->buffer->len = len;
    tt_json_out_begin(out, out->buffer);
}

/* Rows from range->first on, as many as fit. Returns the first that was not written. */
static uint32_t put_rows(struct document *d, const struct tt_json_range *range, size_t limit)
{
    struct tt_json_out *out = &d->writer.out;
    const struct tt_row *row;
    uint32_t next = range->first;

    while ((row = tt_batch_next(d->writer.batch, &next)) != NULL && out->buffer->failed == TT_OK) {
        struct envelopes before = d->open;
        size_t len = tt_json_out_len(out);
        put_row(d, row);
        if (TT_LIKELY(limit == 0 || tt_json_out_len(out) + closing_size(d) <= limit) ||
            !before.any_resource)
            continue;
        rewind_to(out, len);
        d->open = before;
        return tt_row_index(d->writer.batch, row);
    }
    return d->writer.batch->n_rows;
}

void tt_json_write(const struct tt_batch *batch, struct tt_json_range *range, struct tt_buffer *out)
{
    struct tt_json_range all = {.first = 0};
    struct document d;

    if (range == NULL)
        range = &all;
    d.writer.batch = batch;
    tt_json_prepare_columns(&d.writer.columns, batch);
    d.open = (struct envelopes){NONE, NONE, NONE, false};
    tt_json_out_begin(&d.writer.out, out);
    tt_json_raw(&d.writer.out, names_of(&d)->resources);
    range->next = put_rows(&d, range, range->soft_limit == 0 ? 0 : out->len + range->soft_limit);
    close_resource(&d);
    tt_json_raw(&d.writer.out, TT_STR("]}"));
    tt_json_out_done(&d.writer.out);
}
