/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/intake.h"

#include "otlp/encode.h"

#define MAX_ENCODED ((size_t)1 << 30)

static const uint8_t *trace_id_of(enum tt_signal signal, const struct tt_row *row)
{
    if (signal == TT_TRACES)
        return row->span.trace_id;
    return signal == TT_LOGS ? row->log.trace_id : NULL;
}

static bool allocate(struct intake *intake, const struct tt_batch *batch)
{
    intake->items = tt_calloc(batch->n_rows, sizeof(*intake->items));
    intake->order = tt_calloc(batch->n_rows, sizeof(*intake->order));
    intake->scopes = tt_calloc(batch->n_scopes, sizeof(struct origin *));
    intake->metadata = tt_calloc(batch->n_metadata, sizeof(struct origin *));
    return intake->items != NULL && intake->order != NULL && intake->scopes != NULL &&
           intake->metadata != NULL;
}

static void find_rows(struct intake *intake, const struct tt_batch *batch, uint64_t seed)
{
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        const uint8_t *id = trace_id_of(batch->signal, row);
        struct intake_item *item = &intake->items[intake->n_items];
        if (id == NULL)
            continue;
        item->index = tt_row_index(batch, row);
        item->row.trace_id = id;
        item->row.hash = tt_hash(id, 16, seed);
        intake->n_items++;
    }
}

/* ---- bytes ---- */

static bool is_edited(const struct tt_batch *batch, const struct tt_row *row)
{
    return row->overlay != NULL || batch->n_columns > 0;
}

/* The buffer moves while it grows, so that the pointers are set when all is in it. */
static enum tt_status encode_rows(struct intake *intake, const struct tt_batch *batch,
                                  struct tt_error *err)
{
    size_t at = 0;

    for (uint32_t i = 0; i < intake->n_items; i++) {
        struct incoming *item = &intake->items[i].row;
        const struct tt_row *row = &batch->rows[intake->items[i].index];
        size_t before = intake->encoded.len;
        item->bytes = tt_str_of(row->wire, row->wire_len);
        if (!is_edited(batch, row))
            continue;
        tt_encode_row(batch, row, &intake->encoded);
        item->bytes = tt_str_of(NULL, intake->encoded.len - before);
    }
    for (uint32_t i = 0; i < intake->n_items; i++) {
        struct incoming *item = &intake->items[i].row;
        if (!is_edited(batch, &batch->rows[intake->items[i].index]))
            continue;
        item->bytes.data = intake->encoded.data + at;
        at += item->bytes.len;
    }
    return tt_buffer_check(&intake->encoded, "encode rows", err);
}

/* ---- origins ---- */

static struct origin *resource_origin(const struct tt_batch *batch, uint32_t index,
                                      struct origins *origins)
{
    const struct tt_resource *resource = &batch->resources[index];
    struct tt_buffer encoded;
    struct origin *origin;

    if (resource->overlay == NULL)
        return origins_resource(origins, resource->wire, resource->schema_url, 1);
    tt_buffer_init(&encoded, MAX_ENCODED);
    tt_encode_resource(batch, index, &encoded);
    origin = encoded.failed == TT_OK
                 ? origins_resource(origins, tt_buffer_view(&encoded), resource->schema_url, 1)
                 : NULL;
    tt_buffer_done(&encoded);
    return origin;
}

static struct origin *scope_origin(const struct tt_batch *batch, uint32_t index,
                                   struct origins *origins)
{
    const struct tt_scope *scope = &batch->scopes[index];
    struct origin *resource = resource_origin(batch, scope->resource, origins), *origin = NULL;
    struct tt_buffer encoded;

    if (resource == NULL)
        return NULL;
    tt_buffer_init(&encoded, MAX_ENCODED);
    if (scope->overlay != NULL)
        tt_encode_scope(batch, index, &encoded);
    if (encoded.failed == TT_OK)
        origin = origins_scope(origins, resource,
                               scope->overlay != NULL ? tt_buffer_view(&encoded) : scope->wire,
                               scope->schema_url, 1);
    tt_buffer_done(&encoded);
    origin_unref(origins, resource, 1); /* the scope has its own */
    return origin;
}

/* Items of one origin usually follow each other: their references are taken together. */
struct run {
    struct origin *origin;
    uint64_t count;
};

static struct origin *count_in(struct run *run, struct origin *origin)
{
    if (run->origin != origin) {
        origin_ref(run->origin, run->count);
        *run = (struct run){.origin = origin};
    }
    run->count++;
    return origin;
}

static bool find_scope(struct intake *intake, const struct tt_batch *batch, uint32_t index,
                       struct origins *origins)
{
    if (intake->scopes[index] == NULL)
        intake->scopes[index] = scope_origin(batch, index, origins);
    return intake->scopes[index] != NULL;
}

static bool find_metadata(struct intake *intake, const struct tt_batch *batch, uint32_t index,
                          struct origins *origins)
{
    if (intake->metadata[index] == NULL)
        intake->metadata[index] = origins_metadata(origins, &batch->metadata[index], 1);
    return intake->metadata[index] != NULL;
}

/* One reference stays with the intake, and every item gets one. */
static bool find_origins(struct intake *intake, const struct tt_batch *batch,
                         struct origins *origins)
{
    struct run scopes = {.origin = NULL}, metadata = {.origin = NULL};
    bool found = true;

    for (uint32_t i = 0; found && i < intake->n_items; i++) {
        const struct tt_row *row = &batch->rows[intake->items[i].index];
        bool has_metadata = row->metadata < batch->n_metadata;
        found = find_scope(intake, batch, row->scope, origins) &&
                (!has_metadata || find_metadata(intake, batch, row->metadata, origins));
        if (!found)
            break;
        intake->items[i].row.scope = count_in(&scopes, intake->scopes[row->scope]);
        if (has_metadata)
            intake->items[i].row.metadata = count_in(&metadata, intake->metadata[row->metadata]);
    }
    origin_ref(scopes.origin, scopes.count);
    origin_ref(metadata.origin, metadata.count);
    return found;
}

/* ---- order ---- */

static void sort_by_shard(struct intake *intake)
{
    uint32_t next[SHARDS];

    memset(intake->starts, 0, sizeof(intake->starts));
    for (uint32_t i = 0; i < intake->n_items; i++)
        intake->starts[intake_shard(intake->items[i].row.hash) + 1]++;
    for (unsigned i = 0; i < SHARDS; i++) {
        intake->starts[i + 1] += intake->starts[i];
        next[i] = intake->starts[i];
    }
    for (uint32_t i = 0; i < intake->n_items; i++)
        intake->order[next[intake_shard(intake->items[i].row.hash)]++] = i;
}

/* ---- life ---- */

enum tt_status intake_init(struct intake *intake, const struct tt_batch *batch, uint64_t seed,
                           struct origins *origins, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    memset(intake, 0, sizeof(*intake));
    tt_buffer_init(&intake->encoded, MAX_ENCODED);
    intake->n_scopes = batch->n_scopes;
    intake->n_metadata = batch->n_metadata;
    if (!allocate(intake, batch)) {
        intake_done(intake, origins);
        return tt_fail(err, TT_NO_MEMORY, "take %u rows in", batch->n_rows);
    }
    find_rows(intake, batch, seed);
    sort_by_shard(intake);
    status = encode_rows(intake, batch, err);
    if (status == TT_OK && !find_origins(intake, batch, origins))
        status = tt_fail(err, TT_NO_MEMORY, "take %u rows in", batch->n_rows);
    if (status != TT_OK)
        intake_done(intake, origins);
    return status;
}

static void unref_all(struct origins *origins, struct origin *const *list, uint32_t n)
{
    for (uint32_t i = 0; list != NULL && i < n; i++)
        origin_unref(origins, list[i], 1);
}

void intake_done(struct intake *intake, struct origins *origins)
{
    for (uint32_t i = 0; i < intake->n_items; i++) {
        if (intake->items[i].stored)
            continue;
        origin_unref(origins, intake->items[i].row.scope, 1);
        origin_unref(origins, intake->items[i].row.metadata, 1);
    }
    unref_all(origins, intake->scopes, intake->n_scopes);
    unref_all(origins, intake->metadata, intake->n_metadata);
    tt_free(intake->items);
    tt_free(intake->order);
    tt_free(intake->scopes);
    tt_free(intake->metadata);
    tt_buffer_done(&intake->encoded);
}
