/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_STATS_H
#define TT_CLI_DATASET_STATS_H

/*
 * What is in a dataset, as it is read: rows, names, spans, columns, counters of SDKs. report.h makes the report of it.
 *
 * Ownership: tt_stats_done().  Threads: one.
 * Limits:    100,000 services, 200,000 types; what is over shares one entry "(others)". Columns are judged on a sample of about
 *            250,000 spans (dataset_leak.h), everything else on all.
 */

#include "base/map.h"
#include "cli/dataset_graph.h"
#include "cli/dataset_leak.h"
#include "cli/report_columns.h"
#include "cli/report_sdk.h"
#include "otlp/signal.h"

/* A service, a type, a label source. */
struct tt_stats_name {
    struct tt_str name;
    uint32_t number; /* by order of appearance */
    uint32_t class;  /* of a type: 0 normal, 1 to 14, 15: all others (dataset_leak.h) */
    bool is_anomalous, is_unknown; /* of a type */
    uint64_t rows, labelled;
    uint64_t evidence; /* rows that brought a label of their own: attribute, header, baggage */
};

struct tt_names {
    struct tt_map map; /* -> struct tt_stats_name */
    struct tt_stats_name **items;
    size_t count, capacity, limit;
};

struct tt_stats {
    struct tt_arena arena;
    struct tt_names services, types, sources; /* of spans */
    struct tt_names bystanders;               /* by the type that was active */
    struct tt_graph *graph;
    struct tt_graph_counts spans;
    struct tt_columns *columns; /* of spans, the first 1,024; NULL: no file of spans */
    size_t n_columns;           /* of the first file of spans */
    struct tt_leaks *leaks;
    bool *judged; /* by column: whether it may give the label away */
    struct tt_sdk sdk;
    uint64_t labelled, normal, anomalous, unknown; /* spans */
    uint64_t labelled_normal;
    uint64_t bystander_spans; /* called normal while a fault was active for their service */
    uint64_t errors, held_out;
    uint64_t rows[TT_SIGNAL_COUNT], labelled_rows[TT_SIGNAL_COUNT];
    uint64_t negative_durations; /* spans that end before they begin */
    uint64_t first_ns, last_ns;  /* starts of spans; first > last: none */
    uint64_t sampled;            /* spans the columns were judged on */
    size_t files;
    size_t n_classes; /* types with a class of their own */
};

/* Reads DIR, or one labeled file. TT_NOT_FOUND when there is none, TT_INVALID_DATA with file and line. */
enum tt_status tt_stats_read(struct tt_stats *stats, const char *path, struct tt_error *err)
    TT_CHECKED;
void tt_stats_done(struct tt_stats *stats);

/* The names, most rows first, of equals by name; in the arena. NULL when memory is gone. */
const struct tt_stats_name **tt_names_sorted(struct tt_stats *stats, const struct tt_names *names);

#endif
