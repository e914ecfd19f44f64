/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/regroup.h"

/* Origin -> index in the batch. */
struct place {
    const struct origin *origin;
    uint32_t index;
};

struct building {
    struct tt_batch *batch;
    struct place *places; /* open addressing */
    size_t mask;
    struct place last_scope, last_metadata; /* rows of one origin often follow each other */
    uint32_t no_metadata;                   /* index of an empty entry; UINT32_MAX: not made yet */
};

/* ---- gathering ---- */

static uint32_t flags_of(const struct open_trace *trace)
{
    uint32_t flags = 0;

    if ((trace->flags & TRACE_LATE) != 0)
        flags |= TT_ROW_LATE;
    if ((trace->flags & TRACE_INCOMPLETE) != 0)
        flags |= TT_ROW_INCOMPLETE;
    return flags;
}

/* One trace's chain of rows, on the way from its newest to its oldest. */
struct chain {
    const struct held_row *row;
    size_t at; /* where the row before it goes, plus one */
    uint32_t flags;
};

static void start_chain(struct regroup *regroup, const struct open_trace *trace,
                        struct chain *chain)
{
    regroup->n_rows += trace->n_rows;
    *chain = (struct chain){trace->rows, regroup->n_rows, flags_of(trace)};
}

/* Each step of a chain waits for memory: all chains advance together, so that they wait at the same time. */
static void follow_chains(struct regroup *regroup, struct chain *chains, size_t n)
{
    while (n > 0) {
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            struct chain chain = chains[i];
            regroup->rows[--chain.at] = chain.row;
            regroup->flags[chain.at] = chain.flags;
            regroup->bytes += chain.row->len;
            chain.row = chain.row->next;
            __builtin_prefetch(chain.row);
            if (chain.row != NULL)
                chains[left++] = chain;
        }
        n = left;
    }
}

bool regroup_init(struct regroup *regroup, struct open_trace *const *lists, size_t n,
                  size_t n_traces, size_t n_rows)
{
    struct chain *chains = tt_calloc(n_traces, sizeof(*chains));
    size_t n_chains = 0;

    *regroup = (struct regroup){
        .rows = tt_calloc(n_rows, sizeof(struct held_row *)),
        .flags = tt_calloc(n_rows, sizeof(uint32_t)),
    };
    if (chains == NULL || regroup->rows == NULL || regroup->flags == NULL) {
        regroup_done(regroup);
        tt_free(chains);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        for (const struct open_trace *trace = lists[i]; trace != NULL; trace = trace->next)
            start_chain(regroup, trace, &chains[n_chains++]);
    follow_chains(regroup, chains, n_chains);
    tt_free(chains);
    return true;
}

void regroup_done(struct regroup *regroup)
{
    tt_free(regroup->rows);
    tt_free(regroup->flags);
    memset(regroup, 0, sizeof(*regroup));
}

void regroup_unref_origins(const struct regroup *regroup, struct origins *origins)
{
    struct origin *scope = NULL, *metadata = NULL;
    uint64_t of_scope = 0, of_metadata = 0;

    for (size_t i = 0; i < regroup->n_rows; i++) {
        const struct held_row *row = regroup->rows[i];
        slab_prefetch_free(row); /* its memory is given back next */
        if (row->scope != scope) {
            origin_unref(origins, scope, of_scope);
            scope = row->scope;
            of_scope = 0;
        }
        if (row->metadata != metadata) {
            origin_unref(origins, metadata, of_metadata);
            metadata = row->metadata;
            of_metadata = 0;
        }
        of_scope++;
        of_metadata++;
    }
    origin_unref(origins, scope, of_scope);
    origin_unref(origins, metadata, of_metadata);
}

/* ---- building ---- */

static struct place *find_place(struct building *building, const struct origin *origin)
{
    size_t i = ((uintptr_t)origin >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32 & building->mask;

    while (building->places[i].origin != NULL && building->places[i].origin != origin)
        i = (i + 1) & building->mask;
    return &building->places[i];
}

static bool copy_wire(struct tt_arena *arena, const struct origin *origin, struct tt_str *ret_wire,
                      struct tt_str *ret_schema_url)
{
    *ret_wire = tt_arena_copy(arena, origin->wire);
    *ret_schema_url = tt_arena_copy(arena, origin->schema_url);
    return ret_wire->data != NULL && ret_schema_url->data != NULL;
}

static uint32_t add_resource(struct building *building, const struct origin *origin)
{
    struct tt_str wire, schema_url;

    if (!copy_wire(&building->batch->arena, origin, &wire, &schema_url))
        return UINT32_MAX;
    return tt_batch_add_resource(building->batch, wire, schema_url);
}

static uint32_t index_of(struct building *building, const struct origin *origin);

/* NOLINTNEXTLINE(misc-no-recursion): one level, see index_of */
static uint32_t add_scope(struct building *building, const struct origin *origin)
{
    struct tt_str wire, schema_url;
    uint32_t resource = index_of(building, origin->parent);

    if (resource == UINT32_MAX || !copy_wire(&building->batch->arena, origin, &wire, &schema_url))
        return UINT32_MAX;
    return tt_batch_add_scope(building->batch, resource, wire, schema_url);
}

/* The index in the batch, added when it is new; UINT32_MAX when memory is gone. A scope asks for its resource: one level deep. */
/* NOLINTNEXTLINE(misc-no-recursion): a scope's parent is a resource, and a resource has none */
static uint32_t index_of(struct building *building, const struct origin *origin)
{
    struct place *place = find_place(building, origin);
    uint32_t index;

    if (place->origin != NULL)
        return place->index;
    if (origin->kind == ORIGIN_RESOURCE)
        index = add_resource(building, origin);
    else if (origin->kind == ORIGIN_SCOPE)
        index = add_scope(building, origin);
    else
        index = tt_batch_add_metadata(building->batch, &origin->metadata);
    place = find_place(building, origin); /* the resource may have taken the place */
    *place = (struct place){origin, index};
    return index;
}

static uint32_t scope_of(struct building *building, const struct held_row *row)
{
    if (building->last_scope.origin != row->scope)
        building->last_scope = (struct place){row->scope, index_of(building, row->scope)};
    return building->last_scope.index;
}

static uint32_t metadata_of(struct building *building, const struct held_row *row)
{
    static const struct tt_metadata nothing = {.receiver = ""};

    if (row->metadata == NULL) {
        if (building->no_metadata == UINT32_MAX)
            building->no_metadata = tt_batch_add_metadata(building->batch, &nothing);
        return building->no_metadata;
    }
    if (building->last_metadata.origin != row->metadata)
        building->last_metadata = (struct place){row->metadata, index_of(building, row->metadata)};
    return building->last_metadata.index;
}

/* ---- order ---- */

/* Where each row goes, and the rows in the order of the batch: by resource, then scope, then as they are in the regroup. */
struct layout {
    uint32_t *scopes, *metadata; /* of each row: indices in the batch */
    uint32_t *order;             /* rows */
    uint32_t *ranks;             /* of each scope: its place when scopes are sorted by resource */
    uint32_t *counts;            /* scratch */
};

static bool layout_init(struct layout *layout, size_t n_rows)
{
    uint32_t *memory = tt_calloc(n_rows + 1, 5 * sizeof(*memory));

    if (memory == NULL)
        return false;
    *layout = (struct layout){.scopes = memory,
                              .metadata = memory + (n_rows + 1),
                              .order = memory + 2 * (n_rows + 1),
                              .ranks = memory + 3 * (n_rows + 1),
                              .counts = memory + 4 * (n_rows + 1)};
    return true;
}

static void layout_done(struct layout *layout)
{
    tt_free(layout->scopes);
}

static bool find_places(struct building *building, const struct regroup *regroup,
                        struct layout *layout)
{
    for (size_t i = 0; i < regroup->n_rows; i++) {
        const struct held_row *row = regroup->rows[i];
        layout->scopes[i] = scope_of(building, row);
        layout->metadata[i] = metadata_of(building, row);
        if (layout->scopes[i] == UINT32_MAX || layout->metadata[i] == UINT32_MAX)
            return false;
    }
    return true;
}

/* Turns the counts of keys into the place of the first of each. */
static void sum_up(uint32_t *counts, uint32_t n_keys)
{
    for (uint32_t key = 0, at = 0; key < n_keys; key++) {
        uint32_t count = counts[key];
        counts[key] = at;
        at += count;
    }
}

/* Scopes are numbered as they are met: those of one resource may be apart. */
static void rank_scopes(const struct tt_batch *batch, struct layout *layout)
{
    memset(layout->counts, 0, batch->n_resources * sizeof(*layout->counts));
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        layout->counts[batch->scopes[i].resource]++;
    sum_up(layout->counts, batch->n_resources);
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        layout->ranks[i] = layout->counts[batch->scopes[i].resource]++;
}

static void order_rows(const struct tt_batch *batch, size_t n_rows, struct layout *layout)
{
    rank_scopes(batch, layout);
    memset(layout->counts, 0, batch->n_scopes * sizeof(*layout->counts));
    for (size_t i = 0; i < n_rows; i++)
        layout->counts[layout->ranks[layout->scopes[i]]]++;
    sum_up(layout->counts, batch->n_scopes);
    for (size_t i = 0; i < n_rows; i++)
        layout->order[layout->counts[layout->ranks[layout->scopes[i]]]++] = (uint32_t)i;
}

/* ---- copying ---- */

/* The rows were scattered over memory when they arrived: what will be copied soon is fetched early. */
static void prefetch(const struct held_row *row)
{
    const uint8_t *bytes = (const uint8_t *)(row + 1);

    for (size_t at = 0; at < row->len && at < 1024; at += 64)
        __builtin_prefetch(bytes + at);
}

static bool copy_rows(struct building *building, const struct regroup *regroup,
                      const struct layout *layout, uint8_t *to)
{
    for (size_t n = 0; n < regroup->n_rows; n++) {
        uint32_t i = layout->order[n], index;
        const struct held_row *row = regroup->rows[i];
        if (n + 2 < regroup->n_rows)
            prefetch(regroup->rows[layout->order[n + 2]]);
        if (row->len > 0)
            memcpy(to, row + 1, row->len);
        index = tt_batch_add_row(building->batch, layout->scopes[i], layout->metadata[i],
                                 tt_str_of(to, row->len));
        if (index == UINT32_MAX)
            return false;
        building->batch->rows[index].flags |= regroup->flags[i];
        to += row->len;
    }
    return true;
}

static bool add_rows(struct building *building, const struct regroup *regroup, uint8_t *to)
{
    struct layout layout;
    bool added;

    if (!layout_init(&layout, regroup->n_rows))
        return false;
    added = find_places(building, regroup, &layout);
    if (added) {
        order_rows(building->batch, regroup->n_rows, &layout);
        added = tt_batch_reserve(building->batch, (uint32_t)regroup->n_rows) &&
                copy_rows(building, regroup, &layout, to);
    }
    layout_done(&layout);
    return added;
}

static bool build(struct building *building, const struct regroup *regroup)
{
    uint8_t *bytes = tt_malloc(regroup->bytes + 1);
    struct tt_body *body = bytes == NULL ? NULL : tt_body_take(bytes, regroup->bytes);
    bool built;

    if (body == NULL)
        return false;
    built = tt_batch_keep_body(building->batch, body) && add_rows(building, regroup, bytes);
    tt_body_unref(body);
    return built;
}

struct tt_batch *regroup_batch(const struct regroup *regroup, enum tt_signal signal)
{
    struct building building = {.batch = tt_batch_new(signal, 0), .no_metadata = UINT32_MAX};
    size_t capacity = 64;

    while (capacity <
           4 * regroup->n_rows) /* a row brings a scope, a resource and metadata at most */
        capacity *= 2;
    building.places = tt_calloc(capacity, sizeof(*building.places));
    building.mask = capacity - 1;
    if (building.batch == NULL || building.places == NULL || !build(&building, regroup)) {
        tt_batch_unref(building.batch);
        building.batch = NULL;
    }
    tt_free(building.places);
    return building.batch;
}
