/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_REPORT_COLUMNS_H
#define TT_CLI_REPORT_COLUMNS_H

/*
 * What is in each column of a file: how many cells are filled, how many values there are, from where to where they go.
 *
 * Distinct values are counted exactly up to 256, beyond that by HyperLogLog with 2,048 registers (P. Flajolet, E. Fusy, O. Gandouet,
 * F. Meunier, "HyperLogLog", AofA 2007), whose standard error is 1.04 / sqrt(2048) = 2.3 %.
 * Limits: 6 KiB a column. Threads: one. Cost: 15 ns a cell that is not as the one above it.
 */

#include "base/arena.h"

#define TT_COLUMN_EXAMPLES 4

struct tt_column_stats {
    struct tt_str name;
    uint64_t rows, filled;
    double min, max;                            /* of the numbers; min > max: there is none */
    bool is_number;                             /* every filled cell is one */
    bool is_integer;                            /* and a whole one, without a point */
    size_t min_length, max_length;              /* bytes of the filled cells */
    struct tt_str examples[TT_COLUMN_EXAMPLES]; /* the first distinct values, cut at 60 bytes */
    size_t n_examples;
};

struct tt_columns;

/* Names are copied into the arena, as are examples. NULL when memory is gone. */
struct tt_columns *tt_columns_new(struct tt_arena *arena, const struct tt_str *names, size_t n);
void tt_columns_free(struct tt_columns *columns); /* NULL is a no-op */
size_t tt_columns_count(const struct tt_columns *columns);
void tt_columns_add(struct tt_columns *columns, size_t index, struct tt_str value);
const struct tt_column_stats *tt_columns_at(const struct tt_columns *columns, size_t index);
/* ret_is_exact: not an estimate. */
uint64_t tt_columns_distinct(const struct tt_columns *columns, size_t index, bool *ret_is_exact);

/* What is known of a column by its name; empty texts for one that is not ours. */
struct tt_column_meaning {
    const char *name, *type, *unit, *meaning;
};
const struct tt_column_meaning *tt_column_meaning(struct tt_str name); /* NULL: not known */

#endif
