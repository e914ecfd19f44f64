/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_TABLE_H
#define TT_CLI_TABLE_H

/*
 * A CSV file with a header as rows of numbers.
 *
 * Purpose:   what train, score and evaluate read: the columns they choose as floats, others as text or not at all.
 * Values:    a number as in base/number.h, blanks around it allowed; "true" and "false" are 1 and 0; "inf" and "infinity" with a
 *            sign or without. Empty cells, "nan", "na", "n/a", "null" and "none" are missing (NaN), in any case. Anything else is text: missing
 *            too, and counted apart, so that a text column can be told from one with gaps.
 * Rows:      a record with more or fewer cells than the header is no row; empty lines are skipped.
 * Limits:    65,536 columns, a record of 4 MiB; memory does not grow with the file.
 * Ownership: views live until the next row.  Threads: one.
 * Cost:      a core of 2024 reads 440 to 550 MB/s of plain numbers, 310 with quoted texts beside them (tests/bench/bench_table.c).
 */

#include "base/error.h"
#include "base/str.h"

#define TT_TABLE_MAX_RECORD ((size_t)4 << 20)

/* What was found in a column that is read as numbers. */
struct tt_table_column {
    uint64_t missing, texts;
    uint64_t text_line; /* of the first text */
    char text[32];      /* its beginning, printable */
};

struct tt_table;

/* Reads the header. TT_NOT_FOUND, TT_IO, TT_NO_MEMORY; TT_INVALID_DATA with path and line: no header, names twice, other
 * separators or encodings. */
enum tt_status tt_table_open(const char *path, struct tt_table **ret_table, struct tt_error *err)
    TT_CHECKED;
void tt_table_close(struct tt_table *table); /* NULL is a no-op */

/* The columns in order; they live as long as the table. */
const struct tt_str *tt_table_names(const struct tt_table *table, uint32_t *ret_count);
/* The index of a column; false when there is none of that name. */
bool tt_table_find(const struct tt_table *table, struct tt_str name, uint32_t *ret_index);

/*
 * Which columns are read, before the first row: numbers[i] is the column of the i-th float of a row, texts[i] that of the i-th text.
 * A column may be in both. TT_NO_MEMORY; TT_INVALID_DATA for one that does not exist or is there twice.
 */
enum tt_status tt_table_select(struct tt_table *table, const uint32_t *numbers, uint32_t n_numbers,
                               const uint32_t *texts, uint32_t n_texts, struct tt_error *err)
    TT_CHECKED;
/* From now on the i-th float is NaN and its cells are not looked at. */
void tt_table_ignore(struct tt_table *table, uint32_t i);

/*
 * The next row: its floats to ret_row, *ret_more false at the end. TT_INVALID_DATA with path and line for a record that is no row: call
 * again for the next one. All other errors end the reading.
 */
enum tt_status tt_table_next(struct tt_table *table, float *ret_row, bool *ret_more,
                             struct tt_error *err) TT_CHECKED;
/* The same, passing over what is no row: told on standard error (20 of them), counted. */
enum tt_status tt_table_read(struct tt_table *table, float *ret_row, bool *ret_more,
                             struct tt_error *err) TT_CHECKED;

/* ---- of the last row ---- */

/* As it is in the file, without its line end. */
struct tt_str tt_table_record(const struct tt_table *table);
/* The cells selected as texts. */
const struct tt_str *tt_table_texts(const struct tt_table *table);
uint64_t tt_table_line(const struct tt_table *table);

/* ---- of all so far ---- */

uint64_t tt_table_rows(const struct tt_table *table);
uint64_t tt_table_rejected(const struct tt_table *table);
const struct tt_table_column *tt_table_column(const struct tt_table *table, uint32_t i);
/* Share of the file that was read. */
double tt_table_part(const struct tt_table *table);

#endif
