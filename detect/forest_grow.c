/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"
#include "detect/forest_math.h"

#include <math.h>

/* Deeper than this no gate is placed, so that a path has a bounded number of them. */
#define GATE_LEVELS TT_FOREST_FAST_DEPTH
/* That a column is constant in fewer rows than this says little: they may be so by chance. */
#define GATE_ROWS 16
/* Up to this many columns a tree's sample is encoded whole, which vectorises; of more, columns are when they are drawn. */
#define WHOLE_COLUMNS 64

/* A node that waits to be cut: samples order[begin … end). */
struct job {
    uint32_t begin, end;
    uint32_t parent;
    uint32_t cuts;  /* on the way from the root: the depth that counts */
    uint32_t level; /* nodes on the way from the root: cuts and gates */
    double volume;  /* binary logarithm of the node's share of space */
    double density; /* sum over the nodes from the root to this one */
};

struct grower {
    const struct tt_forest *forest;
    const struct tt_rows *rows;
    struct tt_random random;
    uint32_t sample;       /* rows a tree */
    uint32_t *permutation; /* of all rows; the identity between trees */
    uint32_t *swapped;     /* what drawing the sample exchanged, to be undone */
    uint32_t *order;       /* of the sample, partitioned by node */
    uint32_t *columns;     /* in the order they were last drawn in */
    float *values;         /* [column * sample + i], filled when first asked for */
    uint8_t *filled;       /* by column */
    float *rows_copy;      /* one block of rows; NULL: columns are encoded when they are drawn */
    uint8_t *tile, *block; /* their codes */
    struct job *jobs;      /* parallel to the tree's nodes */
    struct tt_forest_node *nodes; /* of all trees */
    double *depth, *density;
    size_t count, capacity;
};

/* A column's values in one node. */
struct span {
    float low, high; /* of those present; low > high when none is */
    uint32_t missing;
};

struct cut {
    uint32_t column;
    float threshold;
    bool parts_missing;
    bool gate;
};

double tt_forest_mean_depth(uint32_t n)
{
    double harmonic = 0.0;

    if (n < 2)
        return 0.0;
    /* From the small terms up, so that none is lost. */
    for (uint32_t i = n - 1; i > 0; i--)
        harmonic += 1.0 / i;
    return 2.0 * harmonic - 2.0 * (n - 1) / n;
}

/* c(0) … c(n) in one pass. */
static void fill_mean_depth(double *mean_depth, uint32_t n)
{
    double harmonic = 0.0;

    for (uint32_t i = 2; i <= n; i++) {
        harmonic += 1.0 / (i - 1);
        mean_depth[i] = 2.0 * harmonic - 2.0 * (i - 1) / i;
    }
}

/* ---- one tree's sample ---- */

/* The beginning of a Fisher-Yates shuffle. */
static void draw_sample(struct grower *grower)
{
    uint32_t count = (uint32_t)grower->rows->count;

    for (uint32_t i = 0; i < grower->sample; i++) {
        uint32_t j = i + tt_random_below(&grower->random, count - i);
        uint32_t taken = grower->permutation[j];
        grower->permutation[j] = grower->permutation[i];
        grower->permutation[i] = taken;
        grower->swapped[i] = j;
        grower->order[i] = i;
    }
    memset(grower->filled, 0, grower->rows->columns);
}

/* Codes of up to 64 rows of the sample, from number `from` on. */
static void fill_block(struct grower *grower, uint32_t from)
{
    size_t columns = grower->rows->columns;
    uint32_t count = grower->sample - from < TT_BLOCK_ROWS ? grower->sample - from : TT_BLOCK_ROWS;

    for (uint32_t r = 0; r < count; r++)
        memcpy(grower->rows_copy + r * columns, tt_row(grower->rows, grower->permutation[from + r]),
               columns * sizeof(float));
    tt_forest_encode(grower->forest, grower->rows_copy, count, columns, grower->tile,
                     grower->block);
    for (size_t c = 0; c < columns; c++) {
        const uint8_t *restrict codes = grower->block + c * TT_BLOCK_ROWS;
        float *restrict values = grower->values + c * grower->sample + from;
        for (uint32_t r = 0; r < count; r++)
            values[r] = codes[r];
    }
}

static void fill_values(struct grower *grower)
{
    if (grower->rows_copy == NULL)
        return;
    for (uint32_t from = 0; from < grower->sample; from += TT_BLOCK_ROWS)
        fill_block(grower, from);
    memset(grower->filled, 1, grower->rows->columns);
}

/* Puts every row back, so that a tree's sample does not depend on the trees before it. */
static void return_sample(struct grower *grower)
{
    for (uint32_t i = grower->sample; i-- > 0;) {
        uint32_t j = grower->swapped[i];
        uint32_t taken = grower->permutation[i];
        grower->permutation[i] = grower->permutation[j];
        grower->permutation[j] = taken;
    }
}

static const float *column_values(struct grower *grower, uint32_t column)
{
    const struct tt_bins *bins = &grower->forest->bins;
    float *values = grower->values + (size_t)column * grower->sample;

    if (grower->filled[column])
        return values;
    grower->filled[column] = 1;
    for (uint32_t i = 0; i < grower->sample; i++) {
        float x = tt_row(grower->rows, grower->permutation[i])[column];
        uint8_t code = tt_bin_code(bins->low[column], bins->high[column], bins->scale[column], x);
        values[i] = grower->forest->options.exact ? tt_exact_value(x) : code;
    }
    return values;
}

/* ---- one node ---- */

/* The code of a missing value, and the greatest of a present one. */
static float missing_value(const struct grower *grower)
{
    return grower->forest->options.exact ? __builtin_inff() : (float)TT_BIN_MISSING;
}

static float greatest_value(const struct grower *grower)
{
    return grower->forest->options.exact ? tt_exact_value(__builtin_inff()) : (float)TT_BIN_ABOVE;
}

static struct span span_of(struct grower *grower, const struct job *job, uint32_t column)
{
    const float *values = column_values(grower, column);
    const float missing = missing_value(grower);
    struct span span = {.low = missing, .high = -missing};

    for (uint32_t i = job->begin; i < job->end; i++) {
        float x = values[grower->order[i]];
        if (x == missing) {
            span.missing++;
            continue;
        }
        span.low = x < span.low ? x : span.low;
        span.high = x > span.high ? x : span.high;
    }
    return span;
}

static void choose_threshold(struct grower *grower, const struct span *span, struct cut *cut)
{
    double width = (double)span->high - (double)span->low, at;

    if (span->missing > 0 && (width <= 0.0 || (tt_random_next(&grower->random) & 1) != 0)) {
        cut->threshold = greatest_value(grower);
        cut->parts_missing = true;
        return;
    }
    if (grower->forest->options.exact) {
        at = width * tt_random_unit(&grower->random);
        cut->threshold = (float)((double)span->low + at);
        /* Rounding to float must not move the greatest value to the left side too. */
        if (cut->threshold >= span->high)
            cut->threshold = span->low;
    } else {
        at = tt_random_below(&grower->random, (uint32_t)width);
        cut->threshold = span->low + (float)at;
    }
}

/* Guards the side of the constant on which the column's range has other values; a coin when both have. What lies outside
 * the range needs no gate (tt_bins_outside()). False when there is nothing to guard against. */
static bool choose_gate(struct grower *grower, uint32_t column, const struct span *span,
                        struct cut *cut)
{
    const struct tt_bins *bins = &grower->forest->bins;
    bool exact = grower->forest->options.exact, above, below;
    bool is_point = bins->low[column] == bins->high[column];
    float low = exact ? bins->low[column] : 1.0F;
    float high = exact ? bins->high[column] : is_point ? 1.0F : (float)TT_BIN_INSIDE;

    *cut = (struct cut){.column = column, .gate = true};
    if (span->low > span->high) { /* all missing */
        cut->threshold = greatest_value(grower);
        return true;
    }
    above = span->low < high || bins->gaps[column];
    below = span->low > low;
    if (!above && !below)
        return false;
    if (above && below)
        above = (tt_random_next(&grower->random) & 1) != 0;
    if (above)
        cut->threshold = span->low;
    else
        cut->threshold = exact ? nextafterf(span->low, -__builtin_inff()) : span->low - 1.0F;
    return true;
}

/* The i-th column of a random order without repetition. */
static uint32_t draw_column(struct grower *grower, uint32_t i)
{
    uint32_t j = i + tt_random_below(&grower->random, grower->rows->columns - i);
    uint32_t column = grower->columns[j];

    grower->columns[j] = grower->columns[i];
    grower->columns[i] = column;
    return column;
}

/* Cuts the first column drawn that has two values in the node. When the very first has one only, the node becomes a gate,
 * if there are rows enough to mean something; when all have, it becomes one if it can. */
static bool choose_cut(struct grower *grower, const struct job *job, struct cut *ret_cut)
{
    uint32_t count = job->end - job->begin;
    bool may_gate = grower->forest->options.gates && job->level < GATE_LEVELS, gated = false;

    *ret_cut = (struct cut){0};
    for (uint32_t i = 0; i < grower->rows->columns; i++) {
        uint32_t column = draw_column(grower, i);
        struct span span = span_of(grower, job, column);
        if (span.low < span.high || (span.missing > 0 && span.missing < count)) {
            *ret_cut = (struct cut){.column = column};
            choose_threshold(grower, &span, ret_cut);
            return true;
        }
        if (may_gate && !gated)
            gated = choose_gate(grower, column, &span, ret_cut);
        if (i == 0 && gated && count >= GATE_ROWS)
            return true;
    }
    return gated;
}

/* What the cut leaves to its left of the node's extent in the column: the cells of the bins (all of the samples' range for
 * exact forests) less what the cuts above took off. */
static double left_share(struct grower *grower, size_t first, size_t at, const struct cut *cut)
{
    const struct tt_forest_node *nodes = grower->nodes + first;
    const double cell = grower->forest->options.exact ? 0.0 : 1.0;
    const float greatest = greatest_value(grower);
    double low = 0.0, high = TT_BIN_ABOVE + 1;

    if (cut->parts_missing)
        return 0.5;
    if (grower->forest->options.exact) {
        struct span span = span_of(grower, &grower->jobs[0], cut->column);
        low = (double)span.low;
        high = (double)span.high;
    }
    for (uint32_t i = (uint32_t)(at - first); i != 0; i = grower->jobs[i].parent) {
        const struct tt_forest_node *above = &nodes[grower->jobs[i].parent];
        double bound = (double)above->threshold + cell;
        if (above->column != cut->column || above->gate || above->threshold >= greatest)
            continue;
        if (above->left == i)
            high = bound < high ? bound : high;
        else
            low = bound > low ? bound : low;
    }
    return ((double)cut->threshold + cell - low) / (high - low);
}

/* Samples at most the threshold first; returns where the others begin. The exchange is unconditional: which side a sample
 * falls on is what no branch predictor guesses. */
static uint32_t partition(struct grower *grower, const struct job *job, const struct cut *cut)
{
    const float *values = column_values(grower, cut->column);
    uint32_t *order = grower->order, middle = job->begin;

    for (uint32_t i = job->begin; i < job->end; i++) {
        uint32_t sample = order[i];
        order[i] = order[middle];
        order[middle] = sample;
        middle += values[sample] <= cut->threshold;
    }
    return middle;
}

/* The share of the samples over the share of space, as a binary logarithm. An empty place counts half a row: it holds less
 * than any that was seen. */
static double density_of(const struct grower *grower, const struct job *job)
{
    uint32_t n = job->end - job->begin;

    return tt_log2((n == 0 ? 0.5 : n) / grower->sample) - job->volume;
}

static void add_child(struct grower *grower, size_t first, uint32_t parent, uint32_t begin,
                      uint32_t end, double share)
{
    struct job *job = &grower->jobs[grower->count - first];
    const struct job *above = &grower->jobs[parent];
    bool gate = grower->nodes[first + parent].gate;
    /* Passing a gate is no cut; being held by one is. */
    bool counts = !gate || begin == end;

    *job = (struct job){.begin = begin, .end = end, .parent = parent, .level = above->level + 1};
    job->cuts = above->cuts + counts;
    job->volume = above->volume + (gate ? 0.0 : tt_log2(share > 1e-6 ? share : 1e-6));
    job->density = above->density + density_of(grower, job);
    grower->nodes[grower->count++] =
        (struct tt_forest_node){.samples = end - begin, .column = TT_LEAF};
}

static void grow_node(struct grower *grower, size_t first, size_t at, uint32_t max_depth,
                      const double *mean_depth)
{
    struct job job = grower->jobs[at - first];
    struct cut cut;
    uint32_t middle;
    double share;

    grower->depth[at] = 0.0;
    grower->density[at] = 0.0;
    if (job.end - job.begin < 2 || job.level >= max_depth || !choose_cut(grower, &job, &cut)) {
        grower->depth[at] = job.cuts + mean_depth[job.end - job.begin];
        grower->density[at] = job.density;
        return;
    }
    middle = partition(grower, &job, &cut);
    grower->nodes[at].column = (uint16_t)cut.column;
    grower->nodes[at].threshold = cut.threshold;
    grower->nodes[at].gate = cut.gate;
    grower->nodes[at].left = (uint32_t)(grower->count - first);
    share = cut.gate ? 1.0 : left_share(grower, first, at, &cut);
    add_child(grower, first, (uint32_t)(at - first), job.begin, middle, share);
    add_child(grower, first, (uint32_t)(at - first), middle, job.end, 1.0 - share);
}

/* ---- all trees ---- */

/* Each cut parts samples, so there are fewer than samples; gates are bounded by the levels they may stand on. */
static size_t most_nodes(uint32_t sample)
{
    return 2 * (size_t)sample + ((size_t)2 << GATE_LEVELS);
}

static bool reserve(struct grower *grower, size_t more)
{
    size_t capacity = grower->capacity;
    void *grown;

    if (grower->count + more <= capacity)
        return true;
    capacity = 2 * capacity + more;
    if ((grown = tt_realloc(grower->nodes, capacity, sizeof(*grower->nodes))) == NULL)
        return false;
    grower->nodes = grown;
    if ((grown = tt_realloc(grower->depth, capacity, sizeof(*grower->depth))) == NULL)
        return false;
    grower->depth = grown;
    if ((grown = tt_realloc(grower->density, capacity, sizeof(*grower->density))) == NULL)
        return false;
    grower->density = grown;
    grower->capacity = capacity;
    return true;
}

static void grow_tree(struct grower *grower, uint32_t tree, const double *mean_depth)
{
    const struct tt_forest *forest = grower->forest;
    size_t first = grower->count;
    uint32_t max_depth = forest->options.max_depth;

    grower->random = tt_random_stream(forest->seed, forest->generation, tree);
    for (uint32_t c = 0; c < grower->rows->columns; c++)
        grower->columns[c] = c;
    draw_sample(grower);
    fill_values(grower);
    grower->jobs[0] = (struct job){.end = grower->sample};
    grower->nodes[grower->count++] =
        (struct tt_forest_node){.samples = grower->sample, .column = TT_LEAF};
    for (size_t at = first; at < grower->count; at++)
        grow_node(grower, first, at, max_depth == 0 ? TT_FOREST_MAX_DEPTH : max_depth, mean_depth);
    return_sample(grower);
}

static bool prepare_block(struct grower *grower)
{
    size_t cells = (size_t)grower->rows->columns * TT_BLOCK_ROWS;

    if (grower->forest->options.exact || grower->rows->columns > WHOLE_COLUMNS)
        return true;
    grower->rows_copy = tt_calloc(cells, sizeof(float));
    grower->tile = tt_malloc(cells);
    grower->block = tt_malloc(cells);
    return grower->rows_copy != NULL && grower->tile != NULL && grower->block != NULL;
}

static bool prepare(struct grower *grower, double **ret_mean_depth)
{
    size_t columns = grower->rows->columns, sample = grower->sample, count = grower->rows->count;
    double *mean_depth = tt_calloc(sample + 1, sizeof(*mean_depth));

    *ret_mean_depth = mean_depth;
    grower->permutation = tt_calloc(count, sizeof(*grower->permutation));
    grower->swapped = tt_calloc(sample, sizeof(*grower->swapped));
    grower->order = tt_calloc(sample, sizeof(*grower->order));
    grower->columns = tt_calloc(columns, sizeof(*grower->columns));
    grower->filled = tt_calloc(columns, 1);
    grower->jobs = tt_calloc(most_nodes(grower->sample), sizeof(*grower->jobs));
    grower->values = tt_malloc(columns * sample * sizeof(*grower->values));
    if (mean_depth == NULL || grower->permutation == NULL || grower->swapped == NULL ||
        grower->order == NULL || grower->columns == NULL || grower->filled == NULL ||
        grower->jobs == NULL || grower->values == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        grower->permutation[i] = (uint32_t)i;
    fill_mean_depth(mean_depth, grower->sample);
    return prepare_block(grower);
}

static void release(struct grower *grower)
{
    tt_free(grower->permutation);
    tt_free(grower->swapped);
    tt_free(grower->order);
    tt_free(grower->columns);
    tt_free(grower->filled);
    tt_free(grower->jobs);
    tt_free(grower->values);
    tt_free(grower->rows_copy);
    tt_free(grower->tile);
    tt_free(grower->block);
}

enum tt_status tt_forest_grow(struct tt_forest *forest, const struct tt_rows *rows, uint32_t from,
                              struct tt_leaf_facts *facts, struct tt_error *err)
{
    TT_CLEANUP(tt_freep) double *mean_depth = NULL;
    struct grower grower = {.forest = forest, .rows = rows, .sample = forest->options.sample};
    uint32_t trees = forest->options.trees;
    bool ok = prepare(&grower, &mean_depth);

    forest->first = tt_calloc(trees + 1, sizeof(*forest->first));
    ok = ok && forest->first != NULL;
    for (uint32_t tree = 0; ok && tree < trees; tree++) {
        forest->first[tree] = (uint32_t)grower.count;
        ok = reserve(&grower, most_nodes(grower.sample));
        if (ok)
            grow_tree(&grower, from + tree, mean_depth);
    }
    if (ok)
        forest->first[trees] = (uint32_t)grower.count;
    forest->nodes = grower.nodes;
    facts->depth = grower.depth;
    facts->density = grower.density;
    release(&grower);
    return ok ? TT_OK : tt_fail(err, TT_NO_MEMORY, "grow %u trees", trees);
}
