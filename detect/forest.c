/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"
#include "detect/forest_math.h"

#define MOST_BLOCKS    16 /* encoded before the kernel runs */
#define BLOCK_BYTES    ((size_t)256 * 1024)
#define MOST_CELLS     ((size_t)1 << 26) /* values of one tree's sample */
#define MOST_TREE_ROWS ((size_t)1 << 22) /* samples of all trees */
#define TREES_TOGETHER 8
#define FEW_ROWS       8 /* fewer than this are walked one by one */

/* ---- options ---- */

struct tt_forest_options tt_forest_options_default(void)
{
    return (struct tt_forest_options){
        .trees = 100,
        .sample = 256,
        .max_depth = TT_FOREST_FAST_DEPTH,
        .metric = TT_METRIC_COMBINED,
        .gates = true,
        .contamination = 0.01,
    };
}

enum tt_status tt_forest_options_check(const struct tt_forest_options *options,
                                       struct tt_error *err)
{
    if (options->trees < 1 || options->trees > TT_FOREST_MAX_TREES)
        return tt_fail(err, TT_INVALID_DATA, "trees: %u is not between 1 and %d", options->trees,
                       TT_FOREST_MAX_TREES);
    if (options->sample < 2 || options->sample > TT_FOREST_MAX_SAMPLE)
        return tt_fail(err, TT_INVALID_DATA, "sample: %u is not between 2 and %d", options->sample,
                       TT_FOREST_MAX_SAMPLE);
    if (options->max_depth > TT_FOREST_MAX_DEPTH)
        return tt_fail(err, TT_INVALID_DATA, "max_depth: %u is over %d", options->max_depth,
                       TT_FOREST_MAX_DEPTH);
    if ((unsigned)options->metric >= TT_METRIC_COUNT)
        return tt_fail(err, TT_INVALID_DATA, "score: %d is neither combined nor depth",
                       (int)options->metric);
    if (!(options->contamination > 0.0 && options->contamination <= 0.5))
        return tt_fail(err, TT_INVALID_DATA, "contamination: %g is not in (0, 0.5]",
                       options->contamination);
    if (!(options->threshold >= 0.0 && options->threshold <= 1.0))
        return tt_fail(err, TT_INVALID_DATA, "threshold: %g is not in (0, 1]", options->threshold);
    if ((size_t)options->trees * options->sample > MOST_TREE_ROWS)
        return tt_fail(err, TT_TOO_LARGE, "trees: %u of %u rows are more than %zu rows",
                       options->trees, options->sample, MOST_TREE_ROWS);
    return TT_OK;
}

/* ---- life ---- */

static void destroy(struct tt_forest *forest)
{
    tt_bins_done(&forest->bins);
    tt_free(forest->first);
    tt_free(forest->nodes);
    tt_free(forest->expected);
    tt_free(forest->tables.memory);
    tt_free(forest);
}

struct tt_forest *tt_forest_ref(struct tt_forest *forest)
{
    atomic_fetch_add_explicit(&forest->references, 1, memory_order_relaxed);
    return forest;
}

void tt_forest_unref(struct tt_forest *forest)
{
    if (forest == NULL)
        return;
    if (atomic_fetch_sub_explicit(&forest->references, 1, memory_order_acq_rel) == 1)
        destroy(forest);
}

struct tt_forest *tt_forest_new(const struct tt_forest_options *options)
{
    struct tt_forest *forest = tt_calloc(1, sizeof(*forest));

    if (forest == NULL)
        return NULL;
    atomic_init(&forest->references, 1);
    forest->path = tt_forest_best_path();
    forest->options = *options;
    return forest;
}

static enum tt_status check_rows(const struct tt_forest_options *options,
                                 const struct tt_rows *rows, struct tt_error *err)
{
    if (rows->columns == 0 || rows->count == 0)
        return tt_fail(err, TT_INVALID_DATA, "train a forest: %zu rows of %u columns", rows->count,
                       rows->columns);
    if (rows->columns > TT_FOREST_MAX_COLUMNS || rows->count > UINT32_MAX ||
        (size_t)rows->columns * options->sample > MOST_CELLS)
        return tt_fail(err, TT_TOO_LARGE, "train a forest: %zu rows of %u columns, %u a tree",
                       rows->count, rows->columns, options->sample);
    return TT_OK;
}

static enum tt_status copy_bins(const struct tt_bins *bins, struct tt_bins *ret_bins,
                                struct tt_error *err)
{
    TT_CLEANUP(tt_freep) struct tt_bin_range *ranges = tt_calloc(bins->columns, sizeof(*ranges));

    if (ranges == NULL)
        return tt_fail(err, TT_NO_MEMORY, "copy bins of %u columns", bins->columns);
    for (uint32_t c = 0; c < bins->columns; c++)
        ranges[c] = (struct tt_bin_range){bins->low[c], bins->high[c], bins->gaps[c]};
    return tt_bins_make(ranges, bins->columns, ret_bins, err);
}

static enum tt_status build(struct tt_forest *forest, const struct tt_rows *rows,
                            const struct tt_bins *bins, struct tt_error *err)
{
    struct tt_leaf_facts facts = {0};
    enum tt_status status = bins == NULL ? tt_bins_learn(rows, &forest->bins, err)
                                         : copy_bins(bins, &forest->bins, err);

    if (status == TT_OK)
        status = tt_forest_grow(forest, rows, 0, &facts, err);
    if (status == TT_OK)
        status = tt_forest_tables_make(forest, err);
    if (status == TT_OK)
        status = tt_forest_calibrate(forest, rows, &facts, err);
    if (status == TT_OK)
        status = tt_forest_expect(forest, err);
    tt_free(facts.depth);
    tt_free(facts.density);
    return status;
}

enum tt_status tt_forest_train(const struct tt_forest_options *options, const struct tt_rows *rows,
                               const struct tt_bins *bins, uint64_t seed, uint64_t generation,
                               struct tt_forest **ret_forest, struct tt_error *err)
{
    struct tt_forest *forest;
    enum tt_status status = tt_forest_options_check(options, err);

    *ret_forest = NULL;
    if (status == TT_OK)
        status = check_rows(options, rows, err);
    if (status != TT_OK)
        return status;
    forest = tt_forest_new(options);
    if (forest == NULL)
        return tt_fail(err, TT_NO_MEMORY, "train a forest");
    forest->seed = seed;
    forest->generation = generation;
    forest->trained_rows = rows->count;
    if (rows->count < options->sample)
        forest->options.sample = (uint32_t)rows->count;
    status = build(forest, rows, bins, err);
    if (status == TT_OK)
        *ret_forest = forest;
    else
        destroy(forest);
    return status;
}

/* ---- sums ---- */

enum tt_forest_path tt_forest_best_path(void)
{
    if (tt_forest_has_avx512())
        return TT_PATH_AVX512;
    return tt_forest_has_avx2() ? TT_PATH_AVX2 : TT_PATH_PORTABLE;
}

static size_t blocks_together(const struct tt_forest *forest)
{
    size_t blocks = BLOCK_BYTES / TT_BLOCK_ROWS / forest->bins.columns;

    blocks = blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
    return blocks == 0 ? 1 : blocks;
}

static size_t block_size(const struct tt_forest *forest)
{
    return (size_t)forest->bins.columns * TT_BLOCK_ROWS;
}

size_t tt_forest_scratch_size(const struct tt_forest *forest)
{
    /* Blocks on a cache line, one tile more. */
    return TT_BLOCK_ROWS + (blocks_together(forest) + 1) * block_size(forest);
}

static void sum_blocks(const struct tt_forest *forest, const uint8_t *blocks, size_t n_blocks,
                       uint32_t *ret_sums)
{
    static tt_forest_kernel *const kernels[TT_PATH_COUNT] = {
        [TT_PATH_PORTABLE] = tt_forest_sum_portable,
        [TT_PATH_AVX2] = tt_forest_sum_avx2,
        [TT_PATH_AVX512] = tt_forest_sum_avx512,
    };

    kernels[forest->path](&forest->tables, blocks, n_blocks, ret_sums);
}

uint64_t tt_forest_encode(const struct tt_forest *forest, const float *rows, size_t count,
                          size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    static tt_encode_block *const encoders[TT_PATH_COUNT] = {
        [TT_PATH_PORTABLE] = tt_bins_encode_block,
        [TT_PATH_AVX2] = tt_bins_encode_avx2,
        [TT_PATH_AVX512] = tt_bins_encode_avx512,
    };

    return encoders[forest->path](&forest->bins, rows, count, stride, tile, ret_block);
}

/* The chance that a row this far outside the ranges is cut off on one of 8 levels. */
static double chance_of_parting(double outside)
{
    double stays = 1.0 - outside;

    stays *= stays;
    stays *= stays;
    stays *= stays;
    return 1.0 - stays;
}

/* A row that is cut off has the greatest value in that tree. */
static uint32_t part(const struct tt_forest *forest, uint32_t sum, double outside)
{
    uint32_t most = TT_FOREST_MOST_VALUE * forest->options.trees;

    return sum + (uint32_t)(chance_of_parting(outside) * (most - sum) + 0.5);
}

static uint32_t add_outside(const struct tt_forest *forest, uint32_t sum, const float *row)
{
    return forest->options.gates ? part(forest, sum, tt_bins_outside(&forest->bins, row)) : sum;
}

/* Rows that fill one call of the kernel; returns how many that were. */
static size_t sum_some(const struct tt_forest *forest, const struct tt_rows *rows, size_t from,
                       uint32_t *ret_sums, uint8_t *scratch)
{
    uint32_t sums[MOST_BLOCKS * TT_BLOCK_ROWS];
    uint64_t odd[MOST_BLOCKS];
    size_t size = block_size(forest), most = blocks_together(forest), blocks = 0, done = 0;
    uint8_t *tile = scratch + most * size;

    for (; blocks < most && from + done < rows->count; blocks++) {
        size_t left = rows->count - from - done;
        size_t count = left < TT_BLOCK_ROWS ? left : TT_BLOCK_ROWS;
        odd[blocks] = tt_forest_encode(forest, tt_row(rows, from + done), count, rows->stride, tile,
                                       scratch + blocks * size);
        done += count;
    }
    sum_blocks(forest, scratch, blocks, sums);
    for (size_t i = 0; i < done; i++) {
        bool is_odd = (odd[i / TT_BLOCK_ROWS] >> (i % TT_BLOCK_ROWS) & 1) != 0;
        ret_sums[from + i] =
            is_odd ? add_outside(forest, sums[i], tt_row(rows, from + i)) : sums[i];
    }
    return done;
}

/* Trees deeper than the tables, and exact ones. */
static uint32_t sum_nodes(const struct tt_forest *forest, const float *values)
{
    uint32_t sum = 0;

    for (uint32_t tree = 0; tree < forest->options.trees; tree++) {
        const struct tt_forest_node *nodes = forest->nodes + forest->first[tree], *node = nodes;
        while (node->column != TT_LEAF)
            node = nodes + node->left + (values[node->column] > node->threshold);
        sum += node->value;
    }
    return sum;
}

static void values_of_row(const struct tt_forest *forest, const float *row, float *ret_values)
{
    const struct tt_bins *bins = &forest->bins;

    for (uint32_t c = 0; c < bins->columns; c++)
        ret_values[c] = forest->options.exact
                            ? tt_exact_value(row[c])
                            : tt_bin_code(bins->low[c], bins->high[c], bins->scale[c], row[c]);
}

/* One row of codes through all trees, 8 at a time so that the loads of one hide those of the others. */
static uint32_t sum_one(const struct tt_forest_tables *tables, const uint8_t *codes)
{
    uint32_t sum = 0, tree = 0;

    for (; tree + TREES_TOGETHER <= tables->trees; tree += TREES_TOGETHER) {
        const struct tt_tree_words *words = &tables->words[tree];
        unsigned at[TREES_TOGETHER] = {1, 1, 1, 1, 1, 1, 1, 1};
        for (unsigned level = 0; level < TT_TREE_LEVELS; level++) {
            for (unsigned j = 0; j < TREES_TOGETHER; j++) {
                uint32_t word = words[j].node[at[j]];
                at[j] = 2 * at[j] + (codes[word / 256 / TT_BLOCK_ROWS] > (word & 255));
            }
        }
        for (unsigned j = 0; j < TREES_TOGETHER; j++)
            sum += words[j].leaf[at[j] - 256];
    }
    for (; tree < tables->trees; tree++) {
        const struct tt_tree_words *words = &tables->words[tree];
        unsigned at = 1;
        while (at < 256) {
            uint32_t word = words->node[at];
            at = 2 * at + (codes[word / 256 / TT_BLOCK_ROWS] > (word & 255));
        }
        sum += words->leaf[at - 256];
    }
    return sum;
}

static void *align(void *scratch)
{
    return (void *)(((uintptr_t)scratch + TT_BLOCK_ROWS - 1) / TT_BLOCK_ROWS * TT_BLOCK_ROWS);
}

void tt_forest_sum_rows(const struct tt_forest *forest, const struct tt_rows *rows,
                        uint32_t *ret_sums, void *scratch)
{
    void *aligned = align(scratch);
    size_t from = 0;

    if (forest->tables.trees == 0) {
        for (size_t i = 0; i < rows->count; i++) {
            values_of_row(forest, tt_row(rows, i), aligned);
            ret_sums[i] = add_outside(forest, sum_nodes(forest, aligned), tt_row(rows, i));
        }
        return;
    }
    while (rows->count - from >= FEW_ROWS)
        from += sum_some(forest, rows, from, ret_sums, aligned);
    for (; from < rows->count; from++) {
        bool odd = tt_bins_encode_row(&forest->bins, tt_row(rows, from), aligned);
        ret_sums[from] = sum_one(&forest->tables, aligned);
        if (odd)
            ret_sums[from] = add_outside(forest, ret_sums[from], tt_row(rows, from));
    }
}

/* ---- scores ---- */

float tt_forest_score_of_sum(const struct tt_forest *forest, uint32_t sum)
{
    double x = forest->offset + forest->slope * sum;

    if (forest->options.metric == TT_METRIC_COMBINED)
        return (float)(1.0 / (1.0 + tt_exp2(-x)));
    return (float)tt_exp2(x < 0.0 ? x : 0.0);
}

void tt_forest_score(const struct tt_forest *forest, const struct tt_rows *rows, float *ret_scores,
                     void *scratch)
{
    uint32_t sums[MOST_BLOCKS * TT_BLOCK_ROWS];

    for (size_t from = 0; from < rows->count;) {
        size_t left = rows->count - from, count = left < TT_LENGTH(sums) ? left : TT_LENGTH(sums);
        struct tt_rows some = {tt_row(rows, from), count, rows->stride, rows->columns};
        tt_forest_sum_rows(forest, &some, sums, scratch);
        for (size_t i = 0; i < count; i++)
            ret_scores[from + i] = tt_forest_score_of_sum(forest, sums[i]);
        from += count;
    }
}

void tt_forest_score_blocks(const struct tt_forest *forest, const uint8_t *blocks, size_t n_blocks,
                            const float *outside, float *ret_scores)
{
    uint32_t sums[MOST_BLOCKS * TT_BLOCK_ROWS];

    if (forest->tables.trees == 0) {
        memset(ret_scores, 0, n_blocks * TT_BLOCK_ROWS * sizeof(*ret_scores));
        return;
    }
    while (n_blocks > 0) {
        size_t some = n_blocks < MOST_BLOCKS ? n_blocks : MOST_BLOCKS;
        sum_blocks(forest, blocks, some, sums);
        for (size_t i = 0; i < some * TT_BLOCK_ROWS; i++) {
            if (outside != NULL && forest->options.gates)
                sums[i] = part(forest, sums[i], (double)*outside++);
            *ret_scores++ = tt_forest_score_of_sum(forest, sums[i]);
        }
        blocks += some * block_size(forest);
        n_blocks -= some;
    }
}

/* ---- explanation ---- */

/* Credits, in units of the sum, of the way down each tree; returns the sum. */
static uint32_t credit_paths(const struct tt_forest *forest, const float *values, float *ret_credit,
                             double *ret_nothing)
{
    uint32_t sum = 0;

    for (uint32_t tree = 0; tree < forest->options.trees; tree++) {
        const struct tt_forest_node *nodes = forest->nodes + forest->first[tree];
        const float *expected = forest->expected + forest->first[tree];
        uint32_t at = 0;
        *ret_nothing += (double)expected[0];
        while (nodes[at].column != TT_LEAF) {
            uint32_t to = nodes[at].left + (values[nodes[at].column] > nodes[at].threshold);
            ret_credit[nodes[at].column] += expected[to] - expected[at];
            at = to;
        }
        sum += nodes[at].value;
    }
    return sum;
}

/* What being outside the ranges added, shared out by how far each column is. */
static void credit_outside(const struct tt_forest *forest, const float *row, uint32_t sum,
                           float *ret_credit)
{
    double outside = tt_bins_outside(&forest->bins, row), each;

    if (!forest->options.gates || outside <= 0.0)
        return;
    each = (part(forest, sum, outside) - sum) / outside / forest->bins.columns;
    for (uint32_t c = 0; c < forest->bins.columns; c++)
        ret_credit[c] += (float)(each * tt_bins_outside_of(&forest->bins, c, row[c]));
}

float tt_forest_explain(const struct tt_forest *forest, const float *row, float *ret_credit,
                        void *scratch)
{
    float *values = align(scratch);
    double nothing = 0.0;
    uint32_t sum;

    values_of_row(forest, row, values);
    for (uint32_t c = 0; c < forest->bins.columns; c++)
        ret_credit[c] = 0.0F;
    sum = credit_paths(forest, values, ret_credit, &nothing);
    credit_outside(forest, row, sum, ret_credit);
    for (uint32_t c = 0; c < forest->bins.columns; c++)
        ret_credit[c] *= (float)forest->slope;
    return (float)(forest->offset + forest->slope * nothing);
}

/* ---- what the forest says of itself ---- */

float tt_forest_threshold(const struct tt_forest *forest)
{
    return forest->threshold;
}

uint32_t tt_forest_columns(const struct tt_forest *forest)
{
    return forest->bins.columns;
}

uint64_t tt_forest_generation(const struct tt_forest *forest)
{
    return forest->generation;
}

const struct tt_bins *tt_forest_bins(const struct tt_forest *forest)
{
    return &forest->bins;
}

struct tt_forest_image tt_forest_view(const struct tt_forest *forest)
{
    return (struct tt_forest_image){
        .options = forest->options,
        .seed = forest->seed,
        .generation = forest->generation,
        .trained_rows = forest->trained_rows,
        .columns = forest->bins.columns,
        .low = forest->bins.low,
        .high = forest->bins.high,
        .gaps = forest->bins.gaps,
        .first = forest->first,
        .nodes = forest->nodes,
        .slope = forest->slope,
        .offset = forest->offset,
        .threshold = forest->threshold,
    };
}
