/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_LEAK_H
#define TT_CLI_DATASET_LEAK_H

/*
 * How well a single column tells the label, on traces that it was not learnt from.
 *
 * Method. From the rows of the training traces each value of a column learns its share of anomalous rows; each row of a held-out
 *         trace gets the share of its value as a score, and the ROC AUC of these scores is the column's (target encoding; the
 *         area with half for ties: J. A. Hanley, B. J. McNeil, Radiology 143, 1982). It is taken twice: with the text as the value,
 *         and, where every value is a number, with bins of an eighth of a power of two. Values of fewer than 20 training rows
 *         share one entry, so that an id that occurs once tells nothing. Each of the first 14 anomalous classes is also judged alone
 *         against the normal rows, since a column may give one fault away and say nothing of the others.
 * Limits: 1,024 columns; 200,000 values in all, of which the rare ones are forgotten first (G. S. Manku, R. Motwani, "Approximate
 *         frequency counts over data streams", VLDB 2002); 27 MiB.
 * Threads: one.
 */

#include "base/str.h"

#define TT_LEAK_CLASSES  16 /* 0: normal; 1 to 14: the caller's; 15: all other anomalous ones */
#define TT_LEAK_MIN_ROWS 20 /* of training, for a value to count by itself */

struct tt_leaks;

enum tt_leak_way { TT_LEAK_BY_VALUE, TT_LEAK_BY_NUMBER };

struct tt_leak {
    double roc_auc; /* NaN: cannot be judged (under 50 held-out rows of a class, too many values) */
    double class_auc[TT_LEAK_CLASSES]; /* of class i alone against class 0; NaN likewise */
    enum tt_leak_way way;              /* which of the two gave roc_auc */
};

struct tt_leaks *tt_leaks_new(size_t n_columns); /* NULL when memory is gone */
void tt_leaks_free(struct tt_leaks *leaks);      /* NULL is a no-op */
/* One cell of a row of class 0 to TT_LEAK_CLASSES - 1. False when memory is gone. */
bool tt_leaks_add(struct tt_leaks *leaks, size_t column, struct tt_str value, unsigned class,
                  bool held_out) TT_CHECKED;
/* False when memory is gone. */
bool tt_leaks_judge(const struct tt_leaks *leaks, size_t column, struct tt_leak *ret_leak)
    TT_CHECKED;

#endif
