/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_graph.h"

#include "base/mem.h"

/* Open addressing: index plus one into spans or traces; 0: free. */
struct table {
    uint32_t *slots;
    size_t capacity; /* 0 or a power of two */
};

struct tt_graph {
    uint64_t seed;
    struct tt_graph_span *spans;
    size_t n_spans, max_spans;
    struct tt_graph_trace *traces;
    size_t n_traces, max_traces;
    struct table by_trace, by_span;
    uint64_t duplicates;
};

struct tt_graph *tt_graph_new(void)
{
    struct tt_graph *graph = tt_calloc(1, sizeof(*graph));

    if (graph != NULL)
        graph->seed = tt_hash_seed();
    return graph;
}

void tt_graph_free(struct tt_graph *graph)
{
    if (graph == NULL)
        return;
    tt_free(graph->spans);
    tt_free(graph->traces);
    tt_free(graph->by_trace.slots);
    tt_free(graph->by_span.slots);
    tt_free(graph);
}

/* ---- tables ---- */

static uint64_t hash_trace(const struct tt_graph *graph, const uint8_t id[16])
{
    return tt_hash(id, 16, graph->seed);
}

static uint64_t hash_span(const struct tt_graph *graph, uint32_t trace, uint64_t id)
{
    uint64_t key[2] = {trace, id};

    return tt_hash(key, sizeof(key), graph->seed);
}

static uint32_t *find_trace(const struct tt_graph *graph, const uint8_t id[16])
{
    size_t mask = graph->by_trace.capacity - 1, i = hash_trace(graph, id) & mask;

    while (graph->by_trace.slots[i] != 0 &&
           memcmp(graph->traces[graph->by_trace.slots[i] - 1].id, id, 16) != 0)
        i = (i + 1) & mask;
    return &graph->by_trace.slots[i];
}

static uint32_t *find_span(const struct tt_graph *graph, uint32_t trace, uint64_t id)
{
    size_t mask = graph->by_span.capacity - 1, i = hash_span(graph, trace, id) & mask;

    while (graph->by_span.slots[i] != 0) {
        const struct tt_graph_span *span = &graph->spans[graph->by_span.slots[i] - 1];
        if (span->id == id && span->trace == trace)
            break;
        i = (i + 1) & mask;
    }
    return &graph->by_span.slots[i];
}

/* Makes room for one more entry; the caller fills the new table again. False when memory is gone. */
static bool grow_table(struct table *table, size_t used, bool *ret_grew)
{
    size_t capacity = table->capacity == 0 ? 1024 : 2 * table->capacity;
    uint32_t *slots;

    *ret_grew = 2 * (used + 1) > table->capacity;
    if (!*ret_grew)
        return true;
    slots = tt_calloc(capacity, sizeof(*slots));
    if (slots == NULL)
        return false;
    tt_free(table->slots);
    *table = (struct table){slots, capacity};
    return true;
}

static bool grow_array(void **items, size_t *max, size_t used, size_t size)
{
    size_t wanted = *max == 0 ? 1024 : 2 * *max;
    void *grown;

    if (used < *max)
        return true;
    grown = tt_realloc(*items, wanted, size);
    if (grown == NULL)
        return false;
    *items = grown;
    *max = wanted;
    return true;
}

static bool make_room(struct tt_graph *graph)
{
    void *spans = graph->spans, *traces = graph->traces;
    bool grew,
        ok = grow_array(&spans, &graph->max_spans, graph->n_spans, sizeof(struct tt_graph_span)) &&
             graph->n_spans < TT_GRAPH_NONE - 1;

    graph->spans = spans;
    ok = ok &&
         grow_array(&traces, &graph->max_traces, graph->n_traces, sizeof(struct tt_graph_trace));
    graph->traces = traces;
    if (!ok || !grow_table(&graph->by_trace, graph->n_traces, &grew))
        return false;
    for (size_t i = 0; grew && i < graph->n_traces; i++)
        *find_trace(graph, graph->traces[i].id) = (uint32_t)i + 1;
    if (!grow_table(&graph->by_span, graph->n_spans, &grew))
        return false;
    for (size_t i = 0; grew && i < graph->n_spans; i++)
        *find_span(graph, graph->spans[i].trace, graph->spans[i].id) = (uint32_t)i + 1;
    return true;
}

/* ---- adding ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint64_t big_endian(const uint8_t bytes[8])
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

bool tt_trace_is_held_out(const uint8_t id[16])
{
    return mix(big_endian(id) ^ mix(big_endian(id + 8))) % 10 < 3;
}

static uint64_t span_id_of(struct tt_str hex)
{
    uint64_t id = 0;
    uint8_t bytes[8];

    if (tt_hex_decode(hex, bytes, sizeof(bytes)))
        memcpy(&id, bytes, sizeof(id));
    return id;
}

static uint32_t trace_of(struct tt_graph *graph, struct tt_str hex,
                         const struct tt_graph_span *span)
{
    uint8_t id[16];
    uint32_t *slot;

    if (!tt_hex_decode(hex, id, sizeof(id)))
        return TT_GRAPH_NONE;
    slot = find_trace(graph, id);
    if (*slot == 0) {
        struct tt_graph_trace *trace = &graph->traces[graph->n_traces++];
        *trace = (struct tt_graph_trace){
            .start_ns = UINT64_MAX,
            .type = span->type,
            .block = TT_GRAPH_NONE,
            .is_held_out = tt_trace_is_held_out(id),
        };
        memcpy(trace->id, id, sizeof(id));
        *slot = (uint32_t)graph->n_traces;
    }
    return *slot - 1;
}

static void add_to_trace(struct tt_graph_trace *trace, const struct tt_graph_span *span)
{
    bool is_root = span->parent == 0;

    trace->spans++;
    trace->is_mixed = trace->is_mixed || trace->type != span->type;
    trace->is_labelled = trace->is_labelled || (span->flags & TT_SPAN_LABELLED) != 0;
    if (is_root && !trace->has_root) {
        trace->has_root = true;
        trace->start_ns = span->start_ns;
        trace->duration_ns = span->duration_ns;
    } else if (!trace->has_root) {
        if (span->start_ns < trace->start_ns)
            trace->start_ns = span->start_ns;
        if (span->duration_ns > trace->duration_ns)
            trace->duration_ns = span->duration_ns;
    }
}

struct tt_graph_span *tt_graph_add(struct tt_graph *graph, struct tt_str trace_id,
                                   struct tt_str span_id, struct tt_str parent_id,
                                   const struct tt_graph_span *span)
{
    struct tt_graph_span *kept;
    uint32_t *slot;

    if (!make_room(graph))
        return NULL;
    kept = &graph->spans[graph->n_spans++];
    *kept = *span;
    kept->id = span_id_of(span_id);
    kept->parent = span_id_of(parent_id);
    kept->parent_index = TT_GRAPH_NONE;
    kept->trace = trace_of(graph, trace_id, span);
    if (kept->trace != TT_GRAPH_NONE)
        add_to_trace(&graph->traces[kept->trace], kept);
    if (kept->id == 0 || kept->trace == TT_GRAPH_NONE)
        return kept;
    slot = find_span(graph, kept->trace, kept->id);
    if (*slot == 0) {
        *slot = (uint32_t)graph->n_spans;
    } else {
        graph->duplicates++;
        kept->flags |= TT_SPAN_DUPLICATE;
    }
    return kept;
}

/* ---- linking ---- */

static void link_to_parent(struct tt_graph_span *span, struct tt_graph_span *parent)
{
    if ((span->flags & TT_SPAN_DUPLICATE) == 0 && span->kind != TT_CODE_CONSUMER && span != parent)
        parent->children_ns += span->duration_ns;
}

/* A call begins while its caller waits, or their clocks disagree (or the caller gave up before it was taken). */
static void count_call(const struct tt_graph_span *span, const struct tt_graph_span *parent,
                       struct tt_graph_counts *counts)
{
    if (span->kind != TT_CODE_SERVER || parent->kind != TT_CODE_CLIENT)
        return;
    counts->calls++;
    counts->calls_out_of_time += span->start_ns < parent->start_ns ||
                                 span->start_ns - parent->start_ns > parent->duration_ns;
}

static void link_span(struct tt_graph *graph, struct tt_graph_span *span,
                      struct tt_graph_counts *counts)
{
    struct tt_graph_trace *trace =
        span->trace == TT_GRAPH_NONE ? NULL : &graph->traces[span->trace];
    uint32_t parent =
        trace == NULL || span->parent == 0 ? 0 : *find_span(graph, span->trace, span->parent);

    counts->without_trace += trace == NULL;
    counts->roots += span->parent == 0;
    if (span->parent == 0)
        return;
    if (parent == 0) {
        counts->orphans++;
        span->flags |= TT_SPAN_ORPHAN;
        if (trace != NULL)
            trace->has_orphan = true;
        return;
    }
    span->parent_index = parent - 1;
    counts->skewed += graph->spans[parent - 1].start_ns > span->start_ns;
    count_call(span, &graph->spans[parent - 1], counts);
    link_to_parent(span, &graph->spans[parent - 1]);
}

/* Marks what is above a span in error, up to what is marked already: parents may be a ring. */
static void mark_above(struct tt_graph *graph, const struct tt_graph_span *span)
{
    uint32_t i = span->parent_index;

    while (i != TT_GRAPH_NONE && (graph->spans[i].flags & TT_SPAN_BELOW_ERROR) == 0) {
        graph->spans[i].flags |= TT_SPAN_BELOW_ERROR;
        i = graph->spans[i].parent_index;
    }
}

void tt_graph_link(struct tt_graph *graph, struct tt_graph_counts *ret_counts)
{
    *ret_counts = (struct tt_graph_counts){
        .spans = graph->n_spans,
        .traces = graph->n_traces,
        .duplicates = graph->duplicates,
    };
    for (size_t i = 0; i < graph->n_spans; i++)
        link_span(graph, &graph->spans[i], ret_counts);
    for (size_t i = 0; i < graph->n_spans; i++)
        if ((graph->spans[i].flags & TT_SPAN_ERROR) != 0)
            mark_above(graph, &graph->spans[i]);
    for (size_t i = 0; i < graph->n_traces; i++) {
        const struct tt_graph_trace *trace = &graph->traces[i];
        ret_counts->incomplete_traces += !trace->has_root || trace->has_orphan;
        ret_counts->mixed_traces += trace->is_mixed;
    }
}

struct tt_graph_span *tt_graph_spans(const struct tt_graph *graph, size_t *ret_count)
{
    *ret_count = graph->n_spans;
    return graph->spans;
}

struct tt_graph_trace *tt_graph_traces(const struct tt_graph *graph, size_t *ret_count)
{
    *ret_count = graph->n_traces;
    return graph->traces;
}
