/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_CSV_H
#define TT_CLI_DATASET_CSV_H

/*
 * Reading a CSV file record by record. Records without a quote are cut at their commas; all others go through libcsv.
 *
 * Limits:    a record of 64 MiB, 1,024 cells. A record whose quotes do not close ends the file with an error.
 * Ownership: cells are views that live until the next call.  Threads: one.
 */

#include "base/error.h"
#include "base/str.h"

#define TT_CSV_MAX_CELLS 1024

struct tt_csv;

/* TT_NOT_FOUND, TT_IO, TT_NO_MEMORY. */
enum tt_status tt_csv_open(const char *path, struct tt_csv **ret_csv, struct tt_error *err)
    TT_CHECKED;
void tt_csv_close(struct tt_csv *csv); /* NULL is a no-op */
/* The next record; *ret_count 0 at the end. TT_INVALID_DATA with path and line. */
enum tt_status tt_csv_next(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                           struct tt_error *err) TT_CHECKED;
/* Line on which the last record began. */
uint64_t tt_csv_line(const struct tt_csv *csv);

#endif
