/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_COUNTS_H
#define TT_EXPORTERS_DATASET_COUNTS_H

/*
 * Rows by name, for the manifest. Names come from outside: a bounded number of them is kept apart.
 *
 * Ownership: keeps copies of names.  Threads: one at a time.
 */

#include "base/arena.h"
#include "base/map.h"
#include "otlp/batch.h"

/* How often a name (an anomaly type, a label source) came, for each signal. */
struct dataset_count {
    struct tt_str name;
    uint64_t rows[TT_SIGNAL_COUNT];
};
struct dataset_counts {
    struct tt_map map; /* name -> struct dataset_count, at most 1,000; the rest is "__overflow__" */
    struct tt_arena arena;
};

void dataset_counts_init(struct dataset_counts *counts);
void dataset_counts_done(struct dataset_counts *counts);
/* Adds rows to the count of name. Errors are not: what cannot be counted is counted under __overflow__, or not at all. */
void dataset_count(struct dataset_counts *counts, struct tt_str name, unsigned signal,
                   uint64_t rows);

#endif
