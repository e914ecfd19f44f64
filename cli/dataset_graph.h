/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_GRAPH_H
#define TT_CLI_DATASET_GRAPH_H

/*
 * Who is whose parent: traces, roots, orphans, duplicates and clocks that disagree, of millions of spans.
 *
 * Cost: about 100 bytes a span and 50 a trace; two table look-ups a span.  Threads: one.
 */

#include "base/str.h"

struct tt_graph;

struct tt_graph_counts {
    uint64_t spans, traces, without_trace;
    uint64_t roots;             /* spans without a parent */
    uint64_t orphans;           /* spans whose parent is in none of the files */
    uint64_t duplicates;        /* spans whose trace and span id came before */
    uint64_t skewed;            /* spans that begin before their parent */
    uint64_t incomplete_traces; /* traces with an orphan or without a root */
};

struct tt_graph *tt_graph_new(void);        /* NULL when memory is gone */
void tt_graph_free(struct tt_graph *graph); /* NULL is a no-op */
/* Ids as hexadecimal text; empty or not an id: there is none. False when memory is gone. */
bool tt_graph_add(struct tt_graph *graph, struct tt_str trace_id, struct tt_str span_id,
                  struct tt_str parent_id, uint64_t start_ns) TT_CHECKED;
/* After the last span. */
void tt_graph_count(struct tt_graph *graph, struct tt_graph_counts *ret_counts);

#endif
