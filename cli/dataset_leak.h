/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_LEAK_H
#define TT_CLI_DATASET_LEAK_H

/*
 * Columns that give the label away by themselves.
 *
 * For each column the distribution of its values among normal rows is compared with that among anomalous rows; their total variation
 * distance is 0 when a value says nothing and 1 when it says all. Text with up to 200 values is taken as it is; numbers with more fall
 * into bins of an eighth of a power of two; other columns are not judged. A model may learn nothing but such a column.
 * Limits: 1,024 columns; 8 KiB each. Threads: one.
 */

#include "base/str.h"

struct tt_leaks;

struct tt_leaks *tt_leaks_new(size_t n_columns); /* NULL when memory is gone */
void tt_leaks_free(struct tt_leaks *leaks);      /* NULL is a no-op */
void tt_leaks_add(struct tt_leaks *leaks, size_t column, struct tt_str value, bool anomalous);
/* 0 to 1; negative when the column cannot be judged (too many values, or under 100 rows of a class). */
double tt_leaks_distance(const struct tt_leaks *leaks, size_t column);

#endif
