/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_graph.h"

#include "base/mem.h"

#define NONE UINT32_MAX

struct span {
    uint64_t id, parent; /* 0: none */
    uint64_t start_ns;
    uint32_t trace; /* NONE: without a trace id */
};

struct trace {
    uint8_t id[16];
    bool has_root, has_orphan;
};

/* Open addressing: index plus one into spans or traces; 0: free. */
struct table {
    uint32_t *slots;
    size_t capacity; /* 0 or a power of two */
};

struct tt_graph {
    uint64_t seed;
    struct span *spans;
    size_t n_spans, max_spans;
    struct trace *traces;
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
        const struct span *span = &graph->spans[graph->by_span.slots[i] - 1];
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
    bool grew, ok = grow_array(&spans, &graph->max_spans, graph->n_spans, sizeof(struct span)) &&
                    graph->n_spans < NONE - 1;

    graph->spans = spans;
    ok = ok && grow_array(&traces, &graph->max_traces, graph->n_traces, sizeof(struct trace));
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

static uint64_t span_id_of(struct tt_str hex)
{
    uint64_t id = 0;
    uint8_t bytes[8];

    if (tt_hex_decode(hex, bytes, sizeof(bytes)))
        memcpy(&id, bytes, sizeof(id));
    return id;
}

static uint32_t trace_of(struct tt_graph *graph, struct tt_str hex)
{
    uint8_t id[16];
    uint32_t *slot;

    if (!tt_hex_decode(hex, id, sizeof(id)))
        return NONE;
    slot = find_trace(graph, id);
    if (*slot == 0) {
        struct trace *trace = &graph->traces[graph->n_traces++];
        *trace = (struct trace){.has_root = false};
        memcpy(trace->id, id, sizeof(id));
        *slot = (uint32_t)graph->n_traces;
    }
    return *slot - 1;
}

bool tt_graph_add(struct tt_graph *graph, struct tt_str trace_id, struct tt_str span_id,
                  struct tt_str parent_id, uint64_t start_ns)
{
    struct span span = {
        .id = span_id_of(span_id), .parent = span_id_of(parent_id), .start_ns = start_ns};
    uint32_t *slot;

    if (!make_room(graph))
        return false;
    span.trace = trace_of(graph, trace_id);
    graph->spans[graph->n_spans++] = span;
    if (span.id == 0 || span.trace == NONE)
        return true;
    slot = find_span(graph, span.trace, span.id);
    if (*slot == 0)
        *slot = (uint32_t)graph->n_spans;
    else
        graph->duplicates++;
    return true;
}

/* ---- counting ---- */

static void count_span(struct tt_graph *graph, const struct span *span,
                       struct tt_graph_counts *counts)
{
    struct trace *trace = span->trace == NONE ? NULL : &graph->traces[span->trace];
    uint32_t parent =
        trace == NULL || span->parent == 0 ? 0 : *find_span(graph, span->trace, span->parent);

    counts->without_trace += trace == NULL;
    if (span->parent == 0) {
        counts->roots++;
        if (trace != NULL)
            trace->has_root = true;
    } else if (parent == 0) {
        counts->orphans++;
        if (trace != NULL)
            trace->has_orphan = true;
    } else if (graph->spans[parent - 1].start_ns > span->start_ns) {
        counts->skewed++;
    }
}

void tt_graph_count(struct tt_graph *graph, struct tt_graph_counts *ret_counts)
{
    *ret_counts = (struct tt_graph_counts){
        .spans = graph->n_spans,
        .traces = graph->n_traces,
        .duplicates = graph->duplicates,
    };
    for (size_t i = 0; i < graph->n_spans; i++)
        count_span(graph, &graph->spans[i], ret_counts);
    for (size_t i = 0; i < graph->n_traces; i++)
        ret_counts->incomplete_traces += !graph->traces[i].has_root || graph->traces[i].has_orphan;
}
