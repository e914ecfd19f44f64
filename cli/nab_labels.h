/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_NAB_LABELS_H
#define TT_CLI_NAB_LABELS_H

/*
 * Which spans of which series are labelled anomalous: NAB's combined_windows.json.
 *
 *   {"category/file.csv": [["2014-04-10 07:15:00.000000", "2014-04-11 16:45:00.000000"], …], …}
 *
 * Both ends belong to a window. A series without windows has an empty list. Windows are put in order of time; ones that are inverted or
 * overlap are refused, as are names that would leave the folder they are joined to ("/…", "..").
 *
 * Limits:    files of 4 MiB, 10,000 series.
 * Ownership: the labels own all. Threads: no state.
 */

#include "detect/nab_score.h"

struct tt_nab_label {
    char *name; /* "category/file.csv" */
    struct tt_nab_window *windows;
    size_t count;
};

struct tt_nab_labels {
    struct tt_nab_label *items; /* in the order of the file */
    size_t count;
};

/* TT_INVALID_DATA with path and place, TT_TOO_LARGE, TT_NOT_FOUND, TT_IO, TT_NO_MEMORY. */
enum tt_status tt_nab_labels_read(const char *path, struct tt_nab_labels *ret_labels,
                                  struct tt_error *err) TT_CHECKED;
void tt_nab_labels_done(struct tt_nab_labels *labels);

/* The label of the series in a data file: of one name only that one; else the longest name that the path ends with, at a slash, or
 * the only one with the same file name. NULL when there is none. */
const struct tt_nab_label *tt_nab_labels_find(const struct tt_nab_labels *labels,
                                              const char *data_path);

#endif
