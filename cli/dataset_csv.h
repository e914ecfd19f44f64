/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_CSV_H
#define TT_CLI_DATASET_CSV_H

/*
 * Reading a CSV file record by record: plain, gzip or zstd. Records without a quote are cut at their commas; all others go
 * through libcsv.
 *
 * Limits:    a record of 64 MiB (or tt_csv_limit()), 65,536 cells. A byte order mark of UTF-8 is skipped.
 * Errors:    TT_INVALID_DATA for a record that is none: the next call goes on behind it. All others end the reading.
 * Ownership: cells and records are views that live until the next call.  Threads: one.
 */

#include "base/error.h"
#include "base/str.h"

#define TT_CSV_MAX_CELLS 65536

struct tt_csv;

/* TT_NOT_FOUND, TT_IO, TT_NO_MEMORY. */
enum tt_status tt_csv_open(const char *path, struct tt_csv **ret_csv, struct tt_error *err)
    TT_CHECKED;
void tt_csv_close(struct tt_csv *csv); /* NULL is a no-op */
/* Bytes of the longest record, at most 64 MiB. */
void tt_csv_limit(struct tt_csv *csv, size_t max_record);
/* The next record; *ret_count 0 at the end. TT_INVALID_DATA with path and line; TT_TOO_LARGE for a record over the limit, of which
 * the commonest cause is a quote that does not close; TT_INVALID_DATA also for a compressed file that is cut off (and then at
 * every further call). */
enum tt_status tt_csv_next(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                           struct tt_error *err) TT_CHECKED;
/* Line on which the last record began. */
uint64_t tt_csv_line(const struct tt_csv *csv);

/* ---- the same in two steps, for who does not need all cells ---- */

/* The next record as it is in the file, without its line end; data is NULL at the end. */
enum tt_status tt_csv_next_record(struct tt_csv *csv, struct tt_str *ret_record,
                                  struct tt_error *err) TT_CHECKED;
/* Whether the last record has a quote in it: if not, its cells are what is between commas. */
bool tt_csv_is_quoted(const struct tt_csv *csv);
/* The cells of the last record, which stays valid. */
enum tt_status tt_csv_cells(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                            struct tt_error *err) TT_CHECKED;
/* How many bytes of the file were read so far, as they are on disk. */
uint64_t tt_csv_position(const struct tt_csv *csv);

#endif
