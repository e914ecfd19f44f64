/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_FOREST_H
#define TT_DETECT_FOREST_H

/*
 * Isolation forest: how few random cuts does it take to part a row from the others?
 *
 * Method.    F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008, and "Isolation-Based Anomaly Detection", ACM
 *            TKDD 6(1), 2012. Each tree takes `sample` rows at random, without replacement, and cuts them in two again
 *            and again: a random column, a random threshold between its least and its greatest value in the node. A row
 *            among others needs many cuts until it is alone, one that stands apart few. For a leaf at depth d with n rows
 *            left in it, h = d + c(n), where
 *
 *                c(n) = 2 H(n - 1) - 2 (n - 1) / n,    H(i) = 1 + 1/2 + ... + 1/i,    c(0) = c(1) = 0
 *
 *            is the mean depth of a random binary search tree of n rows: what cutting on would have added.
 *
 * Metric.    TT_METRIC_DEPTH     score = 2^(-E[h] / c(sample)), equation 2 of the paper. About 0.5 for a row like any other.
 *            TT_METRIC_COMBINED  (the default) takes a second number from the same leaf, its density: the share of the rows
 *                                there over the share of space it covers, as a binary logarithm, summed over the nodes
 *                                from the root to the leaf. (After D. Cortes, isotree, 2019-2023, whose scoring metric
 *                                "density" takes the leaf alone.) Space is the columns' bins. Each tree's densities are
 *                                standardised over its own rows and bounded to three deviations, so that no tree outvotes
 *                                the others. The means over the trees of -h and of -density are each standardised on the
 *                                training rows, averaged, standardised again to z, and
 *
 *                                    score = 1 / (1 + 2^-z):    z  -2   -1    0    1    2    3    4    6
 *                                                           score .20  .33  .50  .67  .80  .89  .94  .98
 *
 *                                so 0.5 is the average row, and each standard deviation doubles the odds.
 *            Both are increasing functions of one sum of whole numbers, one a leaf.
 *
 * Gates.     A column that is constant in a node cannot be cut there, but a row with another value does not belong
 *            there. When the column drawn for a node is constant in it, the node becomes a gate: rows with a value beyond
 *            the constant leave the tree, isolated, and the others go on at the same depth. Without gates a flag that
 *            is set in one row of a thousand is absent from most samples and so invisible (ROC AUC 0.5).
 *
 * Outside.   Trees know no value beyond those they were grown on: however far out a row is, it goes the way of the last one.
 *            tt_bins_outside() is the chance p that one random cut would part it from the ranges; over 8 levels that is
 *            q = 1 - (1 - p)^8, and the row's sum is moved that share of the way to the greatest one. Gates and this
 *            are one option, for both are about rows unlike any in training.
 *
 * Missing.   NaN has a bin of its own above all others. When a column has values and gaps in a node, an even coin decides
 *            whether the cut parts the gaps from the values or runs between values (gaps then go with the great ones).
 *
 * Bits.      The same rows, options, seed and generation give the same forest, and the same forest the same scores to the last
 *            bit, on every processor and kernel: thresholds are bytes, leaves are bytes, scores are sums of leaves; what is
 *            real arithmetic uses + - * / and sqrt in double. Tree i draws from (seed, generation, i) alone.
 *
 * Ownership: reference-counted and immutable; tt_forest_unref() by the last holder frees it.
 * Threads:   any number may score with one forest, each with a scratch of its own.
 * Limits:    below, as TT_FOREST_MAX_*.
 * Cost:      100 trees of 256 rows, 16 columns, on a core of 2024: training 3 ms, a binned row in a batch 65 ns with AVX-512 VBMI,
 *            180 ns with AVX2, 430 ns portable, 17 ns more from floats; one row alone 0.7 us. Columns cost little: 80, 190
 *            and 490 ns with 64. Trees deeper than TT_FOREST_FAST_DEPTH and exact ones are walked node by node, some
 *            microseconds a row. (tests/bench/bench_forest.c prints these.)
 */

#include "base/buffer.h"
#include "detect/bins.h"

#define TT_FOREST_MOST_VALUE  255 /* of a leaf */
#define TT_FOREST_MAX_TREES   1024
#define TT_FOREST_MAX_SAMPLE  65535
#define TT_FOREST_MAX_COLUMNS 32768
#define TT_FOREST_FAST_DEPTH  8 /* deepest tree that the fast kernels take */
#define TT_FOREST_MAX_DEPTH   64

enum tt_forest_metric {
    TT_METRIC_COMBINED,
    TT_METRIC_DEPTH,
    TT_METRIC_COUNT,
};

struct tt_forest_options {
    uint32_t trees;     /* 1 … TT_FOREST_MAX_TREES */
    uint32_t sample;    /* rows a tree, 2 … TT_FOREST_MAX_SAMPLE; all rows when there are fewer */
    uint32_t max_depth; /* cuts on a path, 1 … TT_FOREST_MAX_DEPTH; 0: grown out (to that limit) */
    enum tt_forest_metric metric;
    bool exact; /* thresholds between values instead of bins: slow, for comparisons */
    bool gates;
    double contamination; /* share of the training rows at or over the threshold, (0, 0.5] */
    double threshold;     /* fixed instead: (0, 1]; 0: from contamination */
};

/* 100 trees of 256 rows, depth 8, combined, binned, gates, contamination 0.01. */
struct tt_forest_options tt_forest_options_default(void);
/* TT_INVALID_DATA with the option's name and range. */
enum tt_status tt_forest_options_check(const struct tt_forest_options *options,
                                       struct tt_error *err) TT_CHECKED;

struct tt_forest;

/*
 * Grows a forest on the rows.
 *
 * bins        of the rows, or NULL to learn them here; copied
 * generation  number of this forest in a line of them (0 for a single one)
 *
 * TT_INVALID_DATA for options out of range and tables without columns or rows; TT_TOO_LARGE over TT_FOREST_MAX_COLUMNS or
 * 2^26 values a tree; TT_NO_MEMORY. O(trees * sample * depth).
 */
enum tt_status tt_forest_train(const struct tt_forest_options *options, const struct tt_rows *rows,
                               const struct tt_bins *bins, uint64_t seed, uint64_t generation,
                               struct tt_forest **ret_forest, struct tt_error *err) TT_CHECKED;

struct tt_forest *tt_forest_ref(struct tt_forest *forest);
void tt_forest_unref(struct tt_forest *forest); /* NULL is a no-op */
static inline void tt_forest_unrefp(struct tt_forest **forest)
{
    tt_forest_unref(*forest);
}

/* Bytes of scratch that a call which scores needs; any alignment. Columns * 4 KiB, at most 320 KiB up to 2,500 columns. */
size_t tt_forest_scratch_size(const struct tt_forest *forest);

/*
 * Scores in [0, 1], higher is more anomalous. Never fails: every float has a defined score.
 *
 * rows     with the forest's number of columns; a caller who passes fewer reads past them
 * scores   one a row
 * scratch  tt_forest_scratch_size() bytes, not shared with another thread during the call
 */
void tt_forest_score(const struct tt_forest *forest, const struct tt_rows *rows, float *ret_scores,
                     void *scratch);
/* The same for rows that tt_bins_encode_block() encoded with tt_forest_bins(): n_blocks * 64 scores. outside: of each row,
 * tt_bins_outside(), or 0 for rows without an odd code; NULL: of all 0. For forests that are neither exact nor deeper than
 * TT_FOREST_FAST_DEPTH; others give 0. */
void tt_forest_score_blocks(const struct tt_forest *forest, const uint8_t *blocks, size_t n_blocks,
                            const float *outside, float *ret_scores);

/*
 * Why a row has its score: what each column added to the score's exponent (z of the combined metric, log2 of the score of
 * depth). On the way down a tree each step changes what sum the training rows below would give on average; the change is
 * credited to the column that was asked. (A. Saabas, "Interpreting random forests", 2014, for averages in trees.)
 *
 * credit   one a column: positive where the column made the row more anomalous; in doublings of the odds (combined)
 *          or of the score (depth)
 * returns  the exponent of a row about which nothing is known; it and all credits add up to the row's exponent
 *
 * Cost: about 2 us for 100 trees of depth 8, and O(columns).
 */
float tt_forest_explain(const struct tt_forest *forest, const float *row, float *ret_credit,
                        void *scratch);

/* Alarm means score >= threshold. From contamination: the least score that at most this share of the training rows (of 4,096
 * of them) reaches. */
float tt_forest_threshold(const struct tt_forest *forest);
uint32_t tt_forest_columns(const struct tt_forest *forest);
uint64_t tt_forest_generation(const struct tt_forest *forest);
const struct tt_bins *tt_forest_bins(const struct tt_forest *forest);

/* ---- what a forest consists of ---- */

#define TT_LEAF UINT16_MAX /* in place of a column */

/* Nodes of a tree follow one another by level, left to right, so that the n-th node that is not a leaf (from 0) has its
 * children at 2n + 1 and 2n + 2. Nothing has to be believed about where they are. */
struct tt_forest_node {
    float
        threshold; /* rows with a greater value go right; a bin's code unless the forest is exact */
    uint32_t samples; /* training rows of the tree that came here */
    uint32_t
        left; /* follows from the order: index in the tree of the left child, the right one is next */
    uint16_t column; /* TT_LEAF: none */
    uint8_t value;   /* a leaf's share in the sum */
    bool gate;
};

/* All that makes a forest, for whoever writes or reads it in a form of his own. */
struct tt_forest_image {
    struct tt_forest_options options; /* sample: as it was, not as it was asked for */
    uint64_t seed, generation, trained_rows;
    uint32_t columns;
    const float *low, *high; /* ranges of the bins, by column */
    const bool *gaps;
    const uint32_t *first; /* where each tree begins in nodes, and where the last one ends */
    const struct tt_forest_node *nodes; /* left is ignored by tt_forest_assemble() */
    double slope, offset; /* the exponent is offset + slope * sum of the leaves' values */
    float threshold;
};

/* Borrowed from the forest. */
struct tt_forest_image tt_forest_view(const struct tt_forest *forest);
/*
 * A forest of these parts (copied). Everything is checked that scoring relies on: TT_INVALID_DATA with tree and node for columns
 * that do not exist, thresholds that are no bin, nodes that are no tree or deeper than max_depth, samples that
 * do not add up, ranges and numbers that are not finite; TT_TOO_LARGE over the limits; TT_NO_MEMORY.
 */
enum tt_status tt_forest_assemble(const struct tt_forest_image *image,
                                  struct tt_forest **ret_forest, struct tt_error *err) TT_CHECKED;

/*
 * A forest as plain bytes, little-endian, the same for the same forest: "TTFOREST", version 1, the image's fields in order,
 * and at the end the FNV-1a hash of all before it (G. Fowler, L. C. Noll, P. Vo, 1991).
 */
enum tt_status tt_forest_write(const struct tt_forest *forest, struct tt_buffer *to,
                               struct tt_error *err) TT_CHECKED;
/* TT_INVALID_DATA for other bytes, cut or changed ones; TT_UNSUPPORTED for another version; as tt_forest_assemble(). */
enum tt_status tt_forest_read(const void *bytes, size_t size, struct tt_forest **ret_forest,
                              struct tt_error *err) TT_CHECKED;

#endif
