/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/index.h"

#define NO_ENTRY UINT32_MAX

/* The walk over one request. Resources, scopes and metrics get their entry with their first row, so that a body full of
 * empty ones costs no memory; what comes after the rows on the wire is filled in when their message ends. */
struct walk {
    struct tt_check check;
    struct tt_batch *batch;
    uint32_t max_rows;
    uint32_t resource, scope, metric; /* entries of what is being walked, or NO_ENTRY */
    size_t body_len;
    uint64_t rejected;
    const struct tt_pb_field *bad_id; /* of the first rejected row */
};

static bool out_of_memory(struct walk *walk, const struct tt_check_cursor *at)
{
    return tt_check_fault(&walk->check, TT_NO_MEMORY, at, NULL, "no memory for its rows");
}

/* More room from the share of the body that made the rows so far: one growth is enough for an even body. */
static bool reserve_row(struct walk *walk, const struct tt_check_cursor *at)
{
    struct tt_batch *batch = walk->batch;
    size_t walked = (size_t)(at->at - walk->check.base) + 1;
    uint64_t expected;

    if (batch->n_rows >= walk->max_rows)
        return tt_check_fault(&walk->check, TT_TOO_LARGE, at, NULL, "more rows than allowed");
    if (TT_LIKELY(batch->n_rows < batch->rows_capacity))
        return true;
    expected = batch->n_rows == 0 ? 16 : (uint64_t)batch->n_rows * walk->body_len / walked;
    expected += expected / 16 + 16;
    if (expected > walk->max_rows)
        expected = walk->max_rows;
    if (!tt_batch_reserve(batch, (uint32_t)expected - batch->n_rows))
        return out_of_memory(walk, at);
    return true;
}

static bool enter_scope(struct walk *walk)
{
    struct tt_batch *batch = walk->batch;
    struct tt_scope *scope;

    if (TT_LIKELY(walk->scope != NO_ENTRY))
        return true;
    if (walk->resource == NO_ENTRY) {
        if (tt_batch_new_resource(batch) == NULL)
            return false;
        walk->resource = batch->n_resources - 1;
    }
    scope = tt_batch_new_scope(batch);
    if (scope == NULL)
        return false;
    scope->resource = walk->resource;
    walk->scope = batch->n_scopes - 1;
    return true;
}

static bool enter_metric(struct walk *walk)
{
    if (TT_LIKELY(walk->metric != NO_ENTRY))
        return true;
    if (tt_batch_new_metric(walk->batch) == NULL)
        return false;
    walk->metric = walk->batch->n_metrics - 1;
    return true;
}

/* The entry for the next row, or NULL on a fault. It becomes part of the batch with keep_row(). */
static struct tt_row *next_row(struct walk *walk, const struct tt_check_cursor *at)
{
    struct tt_row *row;

    if (!reserve_row(walk, at))
        return NULL;
    if (!enter_scope(walk)) {
        (void)out_of_memory(walk, at);
        return NULL;
    }
    row = &walk->batch->rows[walk->batch->n_rows];
    row->flags = 0;
    row->scope = walk->scope;
    row->metadata = 0;
    row->overlay = NULL;
    return row;
}

static void keep_row(struct walk *walk)
{
    if (TT_LIKELY(walk->check.bad_id == NULL)) {
        walk->batch->n_rows++;
        return;
    }
    if (walk->rejected++ == 0)
        walk->bad_id = walk->check.bad_id;
    walk->check.bad_id = NULL;
}

static bool walk_row(struct walk *walk, const struct tt_check_cursor *at, struct tt_str wire)
{
    struct tt_row *row = next_row(walk, at);

    if (row == NULL)
        return false;
    if (walk->batch->signal == TT_TRACES ? !tt_index_span(&walk->check, wire, TT_INDEX_CHECK, row)
                                         : !tt_index_log(&walk->check, wire, TT_INDEX_CHECK, row))
        return false;
    keep_row(walk);
    return true;
}

static bool walk_point(struct walk *walk, const struct tt_check_cursor *at,
                       enum tt_metric_type type, struct tt_str wire)
{
    struct tt_row *row = next_row(walk, at);

    if (row == NULL)
        return false;
    if (!enter_metric(walk))
        return out_of_memory(walk, at);
    row->point.metric = walk->metric;
    if (!tt_index_point(&walk->check, type, wire, TT_INDEX_CHECK, row))
        return false;
    keep_row(walk);
    return true;
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary: points are field 1 of each, temporality 2, monotonic 3. */
static bool walk_data(struct walk *walk, const struct tt_pb_field *data, struct tt_str wire,
                      struct tt_metric *metric)
{
    struct tt_check_cursor cursor = tt_check_begin(data->message, wire);
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    metric->type = tt_metric_type_of(data->number);
    while (tt_check_next(&walk->check, &cursor, &field, &known)) {
        if (field.number == 1 && !walk_point(walk, &cursor, metric->type, tt_wire_bytes(&field)))
            return false;
        if (field.number == 2)
            metric->temporality = (int32_t)field.value;
        else if (field.number == 3)
            metric->monotonic = field.value != 0;
    }
    return walk->check.status == TT_OK;
}

static bool walk_metric_field(struct walk *walk, const struct tt_pb_field *known,
                              const struct tt_wire_field *field, struct tt_metric *metric)
{
    switch (field->number) {
    case 1:
        metric->name = tt_wire_bytes(field);
        return true;
    case 2:
        metric->description = tt_wire_bytes(field);
        return true;
    case 3:
        metric->unit = tt_wire_bytes(field);
        return true;
    case 12:
        return tt_check_message(&walk->check, known->message, tt_wire_bytes(field));
    default:
        return known->kind != TT_PB_MESSAGE || walk_data(walk, known, tt_wire_bytes(field), metric);
    }
}

static bool walk_metric(struct walk *walk, struct tt_str wire)
{
    struct tt_check_cursor cursor = tt_check_begin(tt_pb_message(TT_MSG_METRIC), wire);
    struct tt_metric metric = {.wire = wire};
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    walk->metric = NO_ENTRY;
    while (tt_check_next(&walk->check, &cursor, &field, &known))
        if (!walk_metric_field(walk, known, &field, &metric))
            return false;
    if (walk->metric != NO_ENTRY)
        walk->batch->metrics[walk->metric] = metric;
    return walk->check.status == TT_OK;
}

/* ScopeSpans, ScopeMetrics or ScopeLogs: scope is field 1 of each, the rows or metrics 2, schema_url 3. */
static bool walk_scope(struct walk *walk, const struct tt_pb_message *message, struct tt_str wire)
{
    struct tt_check_cursor cursor = tt_check_begin(message, wire);
    struct tt_str scope = {NULL, 0}, schema_url = {NULL, 0};
    struct tt_wire_field field = {0};
    const struct tt_pb_field *known;

    walk->scope = NO_ENTRY;
    while (tt_check_next(&walk->check, &cursor, &field, &known)) {
        struct tt_str bytes = tt_wire_bytes(&field);
        bool ok = true;

        if (field.number == 2)
            ok = walk->batch->signal == TT_METRICS ? walk_metric(walk, bytes)
                                                   : walk_row(walk, &cursor, bytes);
        else if (field.number == 1)
            ok = tt_check_message(&walk->check, known->message, scope = bytes);
        else if (field.number == 3)
            schema_url = bytes;
        if (!ok)
            return false;
    }
    if (walk->scope != NO_ENTRY) {
        struct tt_scope *entry = &walk->batch->scopes[walk->scope];
        entry->wire = scope;
        entry->schema_url = schema_url;
    }
    return walk->check.status == TT_OK;
}

/* ResourceSpans, ResourceMetrics or ResourceLogs: resource is field 1 of each, the scopes 2, schema_url 3. */
static bool walk_resource(struct walk *walk, const struct tt_pb_message *message,
                          struct tt_str wire)
{
    struct tt_check_cursor cursor = tt_check_begin(message, wire);
    struct tt_str resource = {NULL, 0}, schema_url = {NULL, 0};
    struct tt_wire_field field = {0};
    const struct tt_pb_field *known;

    walk->resource = NO_ENTRY;
    while (tt_check_next(&walk->check, &cursor, &field, &known)) {
        struct tt_str bytes = tt_wire_bytes(&field);
        bool ok = true;

        if (field.number == 2)
            ok = walk_scope(walk, known->message, bytes);
        else if (field.number == 1)
            ok = tt_check_message(&walk->check, known->message, resource = bytes);
        else if (field.number == 3)
            schema_url = bytes;
        if (!ok)
            return false;
    }
    if (walk->resource != NO_ENTRY) {
        struct tt_resource *entry = &walk->batch->resources[walk->resource];
        entry->wire = resource;
        entry->schema_url = schema_url;
    }
    return walk->check.status == TT_OK;
}

static bool walk_request(struct walk *walk, struct tt_str wire)
{
    struct tt_check_cursor cursor = tt_check_begin(tt_pb_request(walk->batch->signal), wire);
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    while (tt_check_next(&walk->check, &cursor, &field, &known))
        if (field.number == 1 && !walk_resource(walk, known->message, tt_wire_bytes(&field)))
            return false;
    return walk->check.status == TT_OK;
}

/* What needs the whole message of a resource or scope, which is known only now. */
static void refresh_names(struct tt_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_resources; i++)
        tt_resource_refresh(batch, &batch->resources[i]);
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        tt_scope_refresh(&batch->scopes[i]);
}

static const char *const what_failed[TT_SIGNAL_COUNT] = {"decode traces", "decode metrics",
                                                         "decode logs"};

static enum tt_status walk_body(struct walk *walk, struct tt_str body, struct tt_error *err)
{
    const char *what = what_failed[tt_signal_index(walk->batch->signal)];

    if (body.len > INT32_MAX)
        return tt_fail(err, TT_TOO_LARGE, "%s: more than 2 GiB", what);
    if (!walk_request(walk, body))
        return tt_check_result(&walk->check, what, err);
    if (walk->rejected == 0)
        return TT_OK;
    (void)tt_fail(err, TT_INVALID_DATA, "%s: %llu rejected, first for a %.*s that has not %u bytes",
                  tt_signal_items(walk->batch->signal), (unsigned long long)walk->rejected,
                  TT_STR_ARG(walk->bad_id->name), walk->bad_id->id_len);
    return walk->batch->n_rows == 0 ? TT_INVALID_DATA : TT_OK;
}

enum tt_status tt_batch_parse(enum tt_signal signal, struct tt_body *body,
                              const struct tt_limits *limits, const struct tt_metadata *metadata,
                              struct tt_batch **ret_batch, uint64_t *ret_rejected,
                              struct tt_error *err)
{
    static const struct tt_metadata none;
    TT_CLEANUP(tt_batch_unrefp) struct tt_batch *batch = tt_batch_new(signal, 0);
    struct tt_str view = tt_body_view(body);
    struct walk walk = {.batch = batch, .body_len = view.len};
    enum tt_status status;

    if (batch == NULL || !tt_batch_keep_body(batch, body) ||
        tt_batch_add_metadata(batch, metadata == NULL ? &none : metadata) == UINT32_MAX)
        return tt_fail(err, TT_NO_MEMORY, "decode %s", tt_signal_name(signal));
    limits = limits == NULL ? &tt_limits_default : limits;
    walk.max_rows = limits->max_rows;
    tt_check_init(&walk.check, view, limits);
    status = walk_body(&walk, view, err);
    if (ret_rejected != NULL)
        *ret_rejected = walk.rejected;
    if (status != TT_OK)
        return status;
    refresh_names(batch);
    batch->whole = view;
    batch->edited = walk.rejected > 0;
    *ret_batch = TT_TAKE(batch);
    return TT_OK;
}
