/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_SCAN_H
#define TT_EXPORTERS_DATASET_SCAN_H

/*
 * Reading CSV files of ours back: where records end, and what is in some of their columns.
 *
 * Threads: no state.  Cost: finding ends 1 ns a byte; reading cells is libcsv's speed.
 */

#include "base/error.h"
#include "base/str.h"

struct dataset_ends {
    uint64_t records; /* with the header */
    uint64_t bytes;   /* behind the last whole record that was counted */
};

/* Counts whole records (a line end inside quotes ends none), at most max_records. */
enum tt_status dataset_scan_ends(int fd, uint64_t max_records, struct dataset_ends *ret_ends,
                                 struct tt_error *err) TT_CHECKED;

/* Calls visit for each record behind the header with the cells of the wanted columns, in the order wanted; columns that
 * are not there are empty. Stops with TT_INVALID_DATA and the line at CSV that libcsv refuses. */
#define DATASET_MAX_WANTED 8
enum tt_status dataset_scan_cells(int fd, const char *const *wanted, size_t n_wanted,
                                  void (*visit)(void *context, const struct tt_str *cells),
                                  void *context, struct tt_error *err) TT_CHECKED;

#endif
