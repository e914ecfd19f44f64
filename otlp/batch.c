/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/batch.h"

#include "otlp/cursor.h"
#include "otlp/index.h"

#include <assert.h>
#include <stdatomic.h>

/* What a batch keeps alive: a body, or the memory of another batch. */
struct tt_batch_keep {
    struct tt_batch_keep *next;
    struct tt_body *body;
    struct tt_batch *batch;
};

/* ---- life ---- */

struct tt_batch *tt_batch_new(enum tt_signal signal, size_t arena_limit)
{
    struct tt_batch *batch = tt_calloc(1, sizeof(*batch));

    if (batch == NULL)
        return NULL;
    batch->signal = signal;
    batch->references = 1;
    batch->memory_references = 1;
    tt_arena_init(&batch->arena, 0, arena_limit);
    return batch;
}

struct tt_batch *tt_batch_ref(struct tt_batch *batch)
{
    atomic_fetch_add_explicit(&batch->references, 1, memory_order_relaxed);
    return batch;
}

/* Puts batch before *dead when nobody holds its memory any more. */
static void release_memory(struct tt_batch *batch, struct tt_batch **dead)
{
    if (atomic_fetch_sub_explicit(&batch->memory_references, 1, memory_order_acq_rel) != 1)
        return;
    batch->next_dead = *dead;
    *dead = batch;
}

/* What a batch keeps may keep another in turn, one for each clone of a clone. */
static void unref_memory(struct tt_batch *batch)
{
    struct tt_batch *dead = NULL;

    release_memory(batch, &dead);
    while (dead != NULL) {
        batch = dead;
        dead = batch->next_dead;
        for (struct tt_batch_keep *keep = batch->kept; keep != NULL; keep = keep->next) {
            tt_body_unref(keep->body);
            if (keep->batch != NULL)
                release_memory(keep->batch, &dead);
        }
        tt_arena_done(&batch->arena);
        tt_free(batch);
    }
}

void tt_batch_unref(struct tt_batch *batch)
{
    if (batch == NULL ||
        atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel) != 1)
        return;
    tt_free(batch->rows);
    batch->rows = NULL;
    tt_ack_unref(TT_TAKE(batch->ack));
    unref_memory(batch);
}

static struct tt_batch_keep *add_keep(struct tt_batch *batch)
{
    struct tt_batch_keep *keep = tt_arena_calloc(&batch->arena, 1, sizeof(*keep));

    if (keep == NULL)
        return NULL;
    keep->next = batch->kept;
    batch->kept = keep;
    return keep;
}

bool tt_batch_keep_body(struct tt_batch *batch, struct tt_body *body)
{
    struct tt_batch_keep *keep = add_keep(batch);

    if (keep == NULL)
        return false;
    keep->body = tt_body_ref(body);
    return true;
}

bool tt_batch_keep_memory(struct tt_batch *batch, struct tt_batch *of)
{
    struct tt_batch_keep *keep = add_keep(batch);

    if (keep == NULL)
        return false;
    atomic_fetch_add_explicit(&of->memory_references, 1, memory_order_relaxed);
    keep->batch = of;
    return true;
}

size_t tt_batch_memory(const struct tt_batch *batch)
{
    return sizeof(*batch) + batch->rows_capacity * sizeof(*batch->rows) + batch->arena.reserved;
}

/* ---- arrays ---- */

/* The arrays in the arena have room for 4 entries, then for the next power of two. */
static uint32_t capacity_for(uint32_t n)
{
    return n <= 4 ? 4 : UINT32_C(1) << (32 - __builtin_clz(n - 1));
}

static void *grown(struct tt_arena *arena, const void *old, uint32_t used, uint32_t capacity,
                   size_t size)
{
    uint8_t *array = tt_arena_calloc(arena, capacity, size);

    if (array != NULL && used > 0)
        memcpy(array, old, used * size);
    return array;
}

void *tt_batch_with_room(struct tt_arena *arena, void *array, uint32_t n, size_t size)
{
    if (array != NULL && n < capacity_for(n))
        return array;
    return grown(arena, array, n, capacity_for(n + 1), size);
}

struct tt_resource *tt_batch_new_resource(struct tt_batch *batch)
{
    return TT_NEW_ENTRY(batch, resources, n_resources);
}

struct tt_scope *tt_batch_new_scope(struct tt_batch *batch)
{
    return TT_NEW_ENTRY(batch, scopes, n_scopes);
}

struct tt_metric *tt_batch_new_metric(struct tt_batch *batch)
{
    return TT_NEW_ENTRY(batch, metrics, n_metrics);
}

bool tt_batch_reserve(struct tt_batch *batch, uint32_t count)
{
    uint64_t wanted = (uint64_t)batch->n_rows + count;
    struct tt_row *rows;

    if (wanted > UINT32_MAX - 1)
        return false;
    if (wanted <= batch->rows_capacity)
        return true;
    if (!tt_batch_resize_columns(batch, (uint32_t)wanted))
        return false;
    rows = tt_realloc(batch->rows, (size_t)wanted, sizeof(*rows));
    if (rows == NULL)
        return false;
    batch->rows = rows;
    batch->rows_capacity = (uint32_t)wanted;
    return true;
}

/* ---- adding ---- */

uint32_t tt_batch_add_resource(struct tt_batch *batch, struct tt_str wire, struct tt_str schema_url)
{
    struct tt_resource *resource = tt_batch_new_resource(batch);

    if (resource == NULL)
        return UINT32_MAX;
    resource->wire = wire;
    resource->schema_url = schema_url;
    tt_resource_refresh(batch, resource);
    batch->edited = true;
    return batch->n_resources - 1;
}

uint32_t tt_batch_add_scope(struct tt_batch *batch, uint32_t resource, struct tt_str wire,
                            struct tt_str schema_url)
{
    struct tt_scope *scope = tt_batch_new_scope(batch);

    if (scope == NULL)
        return UINT32_MAX;
    scope->resource = resource;
    scope->wire = wire;
    scope->schema_url = schema_url;
    tt_scope_refresh(scope);
    batch->edited = true;
    return batch->n_scopes - 1;
}

static void read_metric_data(struct tt_str wire, struct tt_metric *metric)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_wire_field field;

    if (metric->type == TT_METRIC_GAUGE || metric->type == TT_METRIC_SUMMARY)
        return;
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 2)
            metric->temporality = (int32_t)field.value;
        else if (field.number == 3 && metric->type == TT_METRIC_SUM)
            metric->monotonic = field.value != 0;
    }
}

uint32_t tt_batch_add_metric(struct tt_batch *batch, struct tt_str wire)
{
    struct tt_metric *metric = tt_batch_new_metric(batch);
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_wire_field field;

    if (metric == NULL)
        return UINT32_MAX;
    metric->wire = wire;
    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 1) {
            metric->name = tt_wire_bytes(&field);
        } else if (field.number == 2) {
            metric->description = tt_wire_bytes(&field);
        } else if (field.number == 3) {
            metric->unit = tt_wire_bytes(&field);
        } else if (tt_metric_type_of(field.number) != TT_METRIC_NONE) {
            metric->type = tt_metric_type_of(field.number);
            read_metric_data(tt_wire_bytes(&field), metric);
        }
    }
    batch->edited = true;
    return batch->n_metrics - 1;
}

static bool copy_headers(struct tt_arena *arena, const struct tt_metadata *from,
                         struct tt_metadata *to)
{
    to->headers = tt_arena_calloc(arena, from->n_headers, sizeof(*to->headers));
    if (to->headers == NULL)
        return false;
    for (size_t i = 0; i < from->n_headers; i++) {
        to->headers[i].name = tt_arena_copy(arena, from->headers[i].name);
        to->headers[i].value = tt_arena_copy(arena, from->headers[i].value);
        if (to->headers[i].name.data == NULL || to->headers[i].value.data == NULL)
            return false;
    }
    return true;
}

uint32_t tt_batch_add_metadata(struct tt_batch *batch, const struct tt_metadata *metadata)
{
    struct tt_metadata copy = *metadata, *entry;

    copy.peer = tt_arena_copy(&batch->arena, metadata->peer);
    if (copy.peer.data == NULL ||
        (copy.n_headers > 0 && !copy_headers(&batch->arena, metadata, &copy)))
        return UINT32_MAX;
    entry = TT_NEW_ENTRY(batch, metadata, n_metadata);
    if (entry == NULL)
        return UINT32_MAX;
    *entry = copy;
    return batch->n_metadata - 1;
}

static struct tt_row *add_row(struct tt_batch *batch, uint32_t scope, uint32_t metadata)
{
    struct tt_row *row;

    assert(batch->references == 1);
    if (batch->n_rows == batch->rows_capacity &&
        !tt_batch_reserve(batch, batch->n_rows < 16 ? 16 : batch->n_rows))
        return NULL;
    row = &batch->rows[batch->n_rows++];
    memset(row, 0, sizeof(*row));
    row->scope = scope;
    row->metadata = metadata;
    batch->edited = true;
    return row;
}

/* For bytes that were checked when they came in. */
static struct tt_check no_check(void)
{
    return (struct tt_check){.max_elements = UINT32_MAX};
}

uint32_t tt_batch_add_row(struct tt_batch *batch, uint32_t scope, uint32_t metadata,
                          struct tt_str wire)
{
    struct tt_row *row = add_row(batch, scope, metadata);
    struct tt_check check = no_check();

    if (row == NULL)
        return UINT32_MAX;
    if (batch->signal == TT_TRACES)
        (void)tt_index_span(&check, wire, TT_INDEX_KNOWN, row);
    else
        (void)tt_index_log(&check, wire, TT_INDEX_KNOWN, row);
    return batch->n_rows - 1;
}

uint32_t tt_batch_add_point(struct tt_batch *batch, uint32_t scope, uint32_t metadata,
                            uint32_t metric, struct tt_str wire)
{
    struct tt_row *row = add_row(batch, scope, metadata);
    struct tt_check check = no_check();

    if (row == NULL)
        return UINT32_MAX;
    row->point.metric = metric;
    (void)tt_index_point(&check, batch->metrics[metric].type, wire, TT_INDEX_KNOWN, row);
    return batch->n_rows - 1;
}

void tt_row_drop(struct tt_batch *batch, struct tt_row *row)
{
    assert(batch->references == 1);
    if ((row->flags & TT_ROW_DROPPED) != 0)
        return;
    row->flags |= TT_ROW_DROPPED;
    batch->n_dropped++;
    batch->edited = true;
}

/* ---- derived fields ---- */

void tt_resource_refresh(struct tt_batch *batch, struct tt_resource *resource)
{
    struct tt_value value;
    struct tt_cursor attributes =
        tt_resource_attributes(batch, (uint32_t)(resource - batch->resources));

    resource->service_name = (struct tt_str){NULL, 0};
    if (tt_find_attribute(attributes, TT_STR("service.name"), &value) &&
        value.type == TT_VALUE_STRING)
        resource->service_name = value.text;
}

void tt_scope_refresh(struct tt_scope *scope)
{
    const uint8_t *at = (const uint8_t *)scope->wire.data, *end = at + scope->wire.len;
    struct tt_wire_field field;

    while (tt_wire_next(&at, end, &field)) {
        if (field.number == 1)
            scope->name = tt_wire_bytes(&field);
        else if (field.number == 2)
            scope->version = tt_wire_bytes(&field);
    }
}

/* ---- cloning ---- */

#define CLONE_ARRAY(to, from, array, n)                                                     \
    ((from)->n == 0 ||                                                                      \
     (((to)->array = grown(&(to)->arena, (from)->array, (from)->n, capacity_for((from)->n), \
                           sizeof(*(from)->array))) != NULL &&                              \
      ((to)->n = (from)->n) != 0))

static bool clone_rows(struct tt_batch *to, const struct tt_batch *from)
{
    if (!tt_batch_reserve(to, from->n_rows))
        return false;
    if (from->n_rows > 0)
        memcpy(to->rows, from->rows, from->n_rows * sizeof(*to->rows));
    to->n_rows = from->n_rows;
    to->n_dropped = from->n_dropped;
    return true;
}

static bool clone_columns(struct tt_batch *to, const struct tt_batch *from)
{
    if (!CLONE_ARRAY(to, from, columns, n_columns))
        return false;
    memcpy(to->column_filter, from->column_filter, sizeof(to->column_filter));
    return tt_batch_resize_columns(to, to->rows_capacity);
}

/* Overlays, texts and bytes are immutable once written, so that pointers to them are copied and the memory is kept. */
static struct tt_batch *clone(struct tt_batch *from)
{
    struct tt_batch *to = tt_batch_new(from->signal, from->arena.limit);

    if (to == NULL)
        return NULL;
    if (!tt_batch_keep_memory(to, from) || !clone_rows(to, from) ||
        !CLONE_ARRAY(to, from, resources, n_resources) ||
        !CLONE_ARRAY(to, from, scopes, n_scopes) || !CLONE_ARRAY(to, from, metrics, n_metrics) ||
        !CLONE_ARRAY(to, from, metadata, n_metadata) || !clone_columns(to, from)) {
        tt_batch_unref(to);
        return NULL;
    }
    to->edited = from->edited;
    to->whole = from->whole;
    to->ack = tt_ack_ref(from->ack);
    return to;
}

enum tt_status tt_batch_make_writable(struct tt_batch **batch, struct tt_error *err)
{
    struct tt_batch *copy;

    if (atomic_load_explicit(&(*batch)->references, memory_order_acquire) == 1)
        return TT_OK;
    copy = clone(*batch);
    if (copy == NULL)
        return tt_fail(err, TT_NO_MEMORY, "copy a shared batch of %u rows", (*batch)->n_rows);
    tt_batch_unref(*batch);
    *batch = copy;
    return TT_OK;
}
