/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_TRAINING_H
#define TT_CLI_TRAINING_H

/*
 * From CSV files and the options of a command to rows that a forest learns from; shared by `train` and `evaluate outliers`.
 *
 * Columns:   those of the first file that features.h does not refuse, that --exclude does not name, and that hold numbers: at most
 *            one text in a hundred values (which are then missing values); of one number in several units the first column. With
 *            --columns exactly those, or an error. In the
 *            order of the first file; other files may have another order, and more columns.
 * Memory:    a random sample of the rows (all are seen, each has the same chance), or all of them.
 * Threads:   one.
 */

#include "base/arena.h"
#include "cli/cli.h"
#include "detect/forest.h"

/* The rows a model is trained on at most, as long as they take no more than TT_TRAINING_MAX_SAMPLE bytes. */
#define TT_TRAINING_ROWS       "32768"
#define TT_TRAINING_MAX_SAMPLE ((size_t)256 << 20)
/* With all rows kept. */
#define TT_TRAINING_MAX_VALUES ((size_t)1 << 31)

#define TT_TRAINING_OPTIONS                                                                    \
    {.name = "columns",                                                                        \
     .argument = "NAME,…",                                                                     \
     .type = TT_OPTION_TEXT,                                                                   \
     .doc = "Learn from these columns only; labels, scores, captured headers, ids, times and " \
            "file names are refused. May be repeated."},                                       \
        {.name = "exclude",                                                                    \
         .argument = "NAME,…",                                                                 \
         .type = TT_OPTION_TEXT,                                                               \
         .doc = "Learn from all columns with numbers but these. May be repeated."},            \
        {.name = "trees",                                                                      \
         .argument = "COUNT",                                                                  \
         .type = TT_OPTION_COUNT,                                                              \
         .def = "100",                                                                         \
         .doc = "Trees of the forest, 1 to 1024."},                                            \
        {.name = "sample",                                                                     \
         .argument = "ROWS",                                                                   \
         .type = TT_OPTION_COUNT,                                                              \
         .def = "256",                                                                         \
         .doc = "Rows that a tree is grown on, 2 to 65535."},                                  \
        {.name = "max-depth",                                                                  \
         .argument = "CUTS",                                                                   \
         .type = TT_OPTION_COUNT,                                                              \
         .def = "8",                                                                           \
         .doc = "Deepest leaf; over 8 scoring is slower by far; 0: trees are grown out."},     \
        {.name = "score",                                                                      \
         .argument = "KIND",                                                                   \
         .type = TT_OPTION_CHOICE,                                                             \
         .choices = tt_training_scores,                                                        \
         .def = "combined",                                                                    \
         .doc = "What a score is made of: how soon a row is alone (depth), or that and how "   \
                "empty the place is where it ends (combined)."},                               \
        {.name = "contamination",                                                              \
         .argument = "SHARE",                                                                  \
         .type = TT_OPTION_NUMBER,                                                             \
         .def = "0.01",                                                                        \
         .doc = "Share of the training rows that the threshold lets through as anomalous."},   \
        {.name = "threshold",                                                                  \
         .argument = "SCORE",                                                                  \
         .type = TT_OPTION_NUMBER,                                                             \
         .doc = "Fixed threshold instead, over 0 and up to 1: rows that score as much are "    \
                "anomalous."},                                                                 \
    {                                                                                          \
        .name = "seed", .argument = "NUMBER", .type = TT_OPTION_COUNT, .def = "1",             \
        .doc = "The same data and seed give the same model."                                   \
    }

extern const char *const tt_training_scores[];

struct tt_training_request {
    const struct tt_args *args; /* --data and operands: the files; --columns, --exclude */
    const char *label_column;   /* NULL: none */
    uint32_t max_rows;          /* 0: all */
    uint64_t seed;              /* of the sample */
};

/* A column that is no feature. */
struct tt_left_out {
    struct tt_str column;
    const char *why; /* "is an id" */
};

struct tt_training {
    struct tt_arena arena;
    struct tt_str *names; /* rows.columns */
    struct tt_rows rows;
    uint8_t *anomalous; /* with a label column: one a row */
    uint64_t rows_read, rows_rejected;
    struct tt_left_out *left_out;
    uint32_t n_left_out;
    float *x; /* owned */
};

/* TT_INVALID_CONFIG for options that are wrong in themselves; TT_INVALID_DATA for files; TT_TOO_LARGE, TT_NO_MEMORY, TT_IO,
 * TT_NOT_FOUND. */
enum tt_status tt_training_read(const struct tt_training_request *request,
                                struct tt_training *ret_training, struct tt_error *err) TT_CHECKED;
/* A zeroed one is a no-op. */
void tt_training_done(struct tt_training *training);

/* The forest that the options of TT_TRAINING_OPTIONS describe. TT_INVALID_CONFIG. */
enum tt_status tt_training_forest(const struct tt_args *args, struct tt_forest_options *ret_options,
                                  struct tt_error *err) TT_CHECKED;

/* Whether a label's cell says anomalous: a number other than 0, or a word other than "", none, normal, false, no. */
bool tt_label_is_anomalous(struct tt_str cell);

#endif
