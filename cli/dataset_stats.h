/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_STATS_H
#define TT_CLI_DATASET_STATS_H

/*
 * What is in a dataset: the figures of `telltale dataset report`, gathered from its labeled files and manifests.
 *
 * Ownership: tt_stats_done().  Threads: one.
 * Limits:    100,000 services, 10,000 types and sources; columns as in dataset_leak.h, judged on a sample of about 250,000 rows.
 */

#include "base/arena.h"
#include "base/map.h"
#include "cli/dataset_graph.h"
#include "cli/dataset_leak.h"
#include "otlp/signal.h"

/* Rows of one name: a service, a type, a label source. */
struct tt_stats_count {
    struct tt_str name;
    uint64_t rows, labelled;
};

struct tt_stats_leak {
    struct tt_str column;
    double distance; /* 0 to 1 */
};

struct tt_stats {
    struct tt_arena arena;
    struct tt_map services, types, sources; /* -> struct tt_stats_count; of spans */
    struct tt_graph *graph;
    struct tt_graph_counts spans;
    uint64_t labelled, normal, anomalous, unknown; /* spans */
    uint64_t rows[TT_SIGNAL_COUNT], labelled_rows[TT_SIGNAL_COUNT];
    uint64_t negative_durations; /* spans that end before they begin */
    uint64_t first_ns, last_ns;  /* starts of spans; first > last: none */
    size_t files, sets, recovered_sets, unfinished_files;
    size_t changed_files;           /* whose size is not what their manifest says */
    struct tt_stats_leak leaks[64]; /* distance at least 0.9, the worst first */
    size_t n_leaks;
    struct tt_leaks *columns; /* while reading */
    struct tt_str *column_names;
    size_t n_columns;
};

/* Reads DIR, or one labeled file. TT_NOT_FOUND when there is none, TT_INVALID_DATA with file and line. */
enum tt_status tt_stats_read(struct tt_stats *stats, const char *path, struct tt_error *err)
    TT_CHECKED;
void tt_stats_done(struct tt_stats *stats);

/* The entries of a map, most rows first, in the arena; NULL when memory is gone. */
const struct tt_stats_count **tt_stats_sorted(struct tt_stats *stats, const struct tt_map *map);

#endif
