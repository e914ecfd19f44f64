/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_FOREST_INTERNAL_H
#define TT_DETECT_FOREST_INTERNAL_H

/* What a forest is made of. Private to detect/forest*.c and its tests. */

#include "detect/forest.h"

#include <stdatomic.h>

#define TT_TREE_LEVELS TT_FOREST_FAST_DEPTH
/*
 * A tree of at most 8 levels as tables for kernels that take a block of rows through it in step. Nodes are numbered like
 * a heap, the root 1 and the children of i at 2i and 2i + 1, so that the byte i doubles as index into a register of
 * table; a path that ends early is filled up to the last level. After 8 steps i has wrapped to the leaf's number.
 */
struct tt_tree_table {
    uint8_t threshold[256];         /* by node */
    uint8_t key[256];               /* by node: which of the level's columns it looks at */
    uint8_t leaf[256];              /* by leaf: its value */
    uint16_t columns[256];          /* level l's are at [2^l], as many as widths[l] */
    uint8_t widths[TT_TREE_LEVELS]; /* 1, 2, 4, 8 or a multiple of 16 */
    uint8_t padding[56];
};

/* The same tree for one row at a time: column * 64 << 8 | threshold, and the leaf's value. */
struct tt_tree_words {
    uint32_t node[256];
    uint8_t leaf[256];
};

struct tt_forest_tables {
    uint32_t trees, columns;
    struct tt_tree_table *table; /* on a cache line */
    struct tt_tree_words *words;
    void *memory;
};

/* Sums of the leaves that the rows of each block end in: n_blocks * 64 numbers. */
typedef void tt_forest_kernel(const struct tt_forest_tables *tables, const uint8_t *blocks,
                              size_t n_blocks, uint32_t *ret_sums);

tt_forest_kernel tt_forest_sum_portable, tt_forest_sum_avx2, tt_forest_sum_avx512;
bool tt_forest_has_avx2(void);
bool tt_forest_has_avx512(void);

/* Encoding by the same source, compiled for the processor at hand. */
typedef uint64_t tt_encode_block(const struct tt_bins *bins, const float *rows, size_t count,
                                 size_t stride, uint8_t *tile, uint8_t *ret_block);
tt_encode_block tt_bins_encode_avx2, tt_bins_encode_avx512;

enum tt_forest_path {
    TT_PATH_PORTABLE,
    TT_PATH_AVX2,
    TT_PATH_AVX512,
    TT_PATH_COUNT,
};

struct tt_forest {
    atomic_uint references;
    enum tt_forest_path path;
    struct tt_forest_options options;
    uint64_t seed, generation, trained_rows;
    struct tt_bins bins;
    uint32_t *first; /* where each tree begins in nodes; trees + 1 entries */
    struct tt_forest_node *nodes;
    struct tt_forest_tables tables; /* empty for exact forests and deeper trees */
    float *expected;                /* by node: mean sum of the training rows below it */
    double slope, offset;           /* the score's exponent is offset + slope * sum */
    float threshold;
};

/* ---- forest_grow.c ---- */

/* What a leaf means before it is a byte: parallel to the forest's nodes, 0 where there is no leaf. */
struct tt_leaf_facts {
    double *depth, *density;
};

/* Fills forest->first and forest->nodes with the trees numbered from `from` on. facts' arrays are the caller's to free, also
 * after a failure. */
enum tt_status tt_forest_grow(struct tt_forest *forest, const struct tt_rows *rows, uint32_t from,
                              struct tt_leaf_facts *facts, struct tt_error *err) TT_CHECKED;
/* c(n), the mean depth of a binary search tree of n keys. O(n). */
double tt_forest_mean_depth(uint32_t n);

/* ---- forest_calibrate.c ---- */

/* Gives leaves their bytes, and the forest its slope, offset and threshold. */
enum tt_status tt_forest_calibrate(struct tt_forest *forest, const struct tt_rows *rows,
                                   const struct tt_leaf_facts *facts, struct tt_error *err)
    TT_CHECKED;

/* ---- forest_tables.c ---- */

/* Fills tree->left from the order of the nodes. False when the nodes are not one tree of at most max_depth levels. */
bool tt_tree_link(struct tt_forest_node *nodes, uint32_t count, uint32_t max_depth);
/* Fills forest->expected from the leaves. */
enum tt_status tt_forest_expect(struct tt_forest *forest, struct tt_error *err) TT_CHECKED;
/* Makes the tables of a forest that may have them; a no-op for others. */
enum tt_status tt_forest_tables_make(struct tt_forest *forest, struct tt_error *err) TT_CHECKED;
/* Copies the nodes' values into the tables. */
void tt_forest_tables_set_leaves(struct tt_forest *forest);

/* ---- forest_bytes.c ---- */

/* The options as forests and streams are saved: 31 bytes. */
void tt_forest_put_options(struct tt_buffer *to, const struct tt_forest_options *options);

/* ---- forest.c ---- */

/* Without parts, held once; NULL when memory is gone. */
struct tt_forest *tt_forest_new(const struct tt_forest_options *options);
enum tt_forest_path tt_forest_best_path(void);
/* Sums of rows on the given path; scratch as in tt_forest_score(). */
void tt_forest_sum_rows(const struct tt_forest *forest, const struct tt_rows *rows,
                        uint32_t *ret_sums, void *scratch);
/* tt_bins_encode_block() with the forest's bins, on its path. */
uint64_t tt_forest_encode(const struct tt_forest *forest, const float *rows, size_t count,
                          size_t stride, uint8_t *tile, uint8_t *ret_block);
float tt_forest_score_of_sum(const struct tt_forest *forest, uint32_t sum);

/* A value as exact forests compare it: missing above infinity, infinities finite. */
static inline float tt_exact_value(float x)
{
    const float most = 3.40282347e+38F;

    if (x != x)
        return __builtin_inff();
    x = x < most ? x : most;
    return x > -most ? x : -most;
}

#endif
