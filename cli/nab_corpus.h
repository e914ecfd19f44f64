/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_NAB_CORPUS_H
#define TT_CLI_NAB_CORPUS_H

/*
 * The series of a benchmark in memory, with a score for each point: from our detector or from a file.
 *
 * Ownership: the corpus owns all. Threads: one. Cost: 24 bytes a point.
 */

#include "cli/nab_labels.h"
#include "cli/progress.h"
#include "cli/series_file.h"
#include "detect/series.h"

struct tt_nab_entry {
    const struct tt_nab_label *label; /* name and windows */
    size_t category; /* of the same folder: the same number, below tt_nab_corpus.categories */
    struct tt_series_file file;
    double *scores; /* one a point, zero at first */
};

struct tt_nab_corpus {
    struct tt_nab_labels labels;
    struct tt_nab_entry *entries;
    struct tt_nab_series *series; /* what detect/nab_score.h judges; points into entries */
    size_t count, missing;        /* series with a file, and without */
    size_t categories, rows, windows;
};

/* Reads the files below data_dir that the labels name; those that do not exist are counted. TT_NOT_FOUND when none exists; errors of a file
 * carry its path and line. */
enum tt_status tt_nab_corpus_read(const char *data_dir, const char *labels_path,
                                  struct tt_nab_corpus *ret_corpus, struct tt_error *err)
    TT_CHECKED;
void tt_nab_corpus_done(struct tt_nab_corpus *corpus);

/* "realTraffic" of "realTraffic/speed_6005.csv"; empty when there is no folder. */
struct tt_str tt_nab_category(const struct tt_nab_entry *entry);

/* Scores every series with a detector of its own, in one pass: alarm_score of detect/series.h. TT_NO_MEMORY. */
enum tt_status tt_nab_corpus_score(struct tt_nab_corpus *corpus,
                                   const struct tt_series_options *options, uint64_t seed,
                                   struct tt_progress *progress, struct tt_error *err) TT_CHECKED;
/* Scores from a CSV file with the columns file, row (from 0) and score, in which each point of each series occurs once; names that the
 * corpus has not are skipped. TT_INVALID_DATA with path and line. */
enum tt_status tt_nab_corpus_load_scores(struct tt_nab_corpus *corpus, const char *path,
                                         struct tt_error *err) TT_CHECKED;

/* Writes OUT/<category>/telltale_<file>.csv for every series, in the benchmark's layout: timestamp,value,anomaly_score,label. */
enum tt_status tt_nab_corpus_write(const struct tt_nab_corpus *corpus, const char *directory,
                                   struct tt_error *err) TT_CHECKED;

#endif
