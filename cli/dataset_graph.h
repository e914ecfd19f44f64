/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_GRAPH_H
#define TT_CLI_DATASET_GRAPH_H

/*
 * Who is whose parent: traces, roots, orphans, duplicates and clocks that disagree, of millions of spans; and what the report
 * needs of each span afterwards.
 *
 * Split:  a trace is held out when mix(first 8 bytes xor mix(last 8 bytes)) mod 10 < 3, bytes read big-endian, mix the 64-bit
 *         finalizer of splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014): the same traces in every program that does the same.
 * Self:   a span's own time is its duration less those of its children, but consumers', and never below 0. Starts are not
 *         used, so that clocks that disagree do not matter.
 *
 * Limits:    2^32 - 2 spans. Cost: about 110 bytes a span and 100 a trace; two table look-ups a span.
 * Ownership: spans and traces are the graph's.  Threads: one.
 */

#include "base/str.h"

#define TT_GRAPH_NONE UINT32_MAX

enum tt_span_kind_code {
    TT_CODE_OTHER,
    TT_CODE_INTERNAL,
    TT_CODE_SERVER,
    TT_CODE_CLIENT,
    TT_CODE_PRODUCER,
    TT_CODE_CONSUMER,
};

enum tt_graph_flag {
    TT_SPAN_ERROR = 1 << 0,
    TT_SPAN_LABELLED = 1 << 1,
    /* after linking: a span below it has an error, so its own did not begin here */
    TT_SPAN_BELOW_ERROR = 1 << 2,
    TT_SPAN_ORPHAN = 1 << 3, /* after linking */
    TT_SPAN_DUPLICATE = 1 << 4,
};

struct tt_graph_span {
    uint64_t id, parent; /* 0: none */
    uint64_t start_ns, duration_ns;
    uint64_t children_ns;   /* after linking */
    uint32_t trace;         /* TT_GRAPH_NONE: without a trace id */
    uint32_t parent_index;  /* after linking; TT_GRAPH_NONE: none, or it is not there */
    uint32_t service, type; /* the caller's numbers */
    uint8_t kind, flags;    /* enum tt_span_kind_code, set of enum tt_graph_flag */
};

struct tt_graph_trace {
    uint8_t id[16];
    uint64_t start_ns,
        duration_ns; /* of the first root; without one the earliest start and the longest span */
    uint32_t type, spans, block; /* type: of its first span; block: the caller's */
    bool has_root, has_orphan, is_mixed /* spans of several types */, is_held_out, is_labelled;
};

struct tt_graph;

struct tt_graph_counts {
    uint64_t spans, traces, without_trace;
    uint64_t roots;             /* spans without a parent */
    uint64_t orphans;           /* spans whose parent is in none of the files */
    uint64_t duplicates;        /* spans whose trace and span id came before */
    uint64_t skewed;            /* spans that begin before their parent */
    uint64_t calls;             /* server spans whose client span is here */
    uint64_t calls_out_of_time; /* of these, begun before or after their client waited for them */
    uint64_t incomplete_traces; /* traces with an orphan or without a root */
    uint64_t mixed_traces;      /* traces with spans of several types */
};

struct tt_graph *tt_graph_new(void);        /* NULL when memory is gone */
void tt_graph_free(struct tt_graph *graph); /* NULL is a no-op */
/* Ids as hexadecimal text; empty or not an id: there is none. `span` brings start, duration, service, type, kind and flags.
 * Returns the span as it is kept, until the next call; NULL when memory is gone. */
struct tt_graph_span *tt_graph_add(struct tt_graph *graph, struct tt_str trace_id,
                                   struct tt_str span_id, struct tt_str parent_id,
                                   const struct tt_graph_span *span) TT_CHECKED;
/* Links children to parents and counts; once, after the last span. */
void tt_graph_link(struct tt_graph *graph, struct tt_graph_counts *ret_counts);

struct tt_graph_span *tt_graph_spans(const struct tt_graph *graph, size_t *ret_count);
struct tt_graph_trace *tt_graph_traces(const struct tt_graph *graph, size_t *ret_count);
bool tt_trace_is_held_out(const uint8_t id[16]);

static inline double tt_span_self_ns(const struct tt_graph_span *span)
{
    return span->children_ns < span->duration_ns ? (double)(span->duration_ns - span->children_ns)
                                                 : 0;
}

#endif
