/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"
#include "detect/forest_math.h"

#include <math.h>

/*
 * From what a leaf means to one byte a leaf, and from the sum of the bytes to a score.
 *
 * Depth and density are each spread over 0 … 255, summed over the trees for the training rows, and from these sums (whole
 * numbers, so in any order) follow the means and deviations that the definition in detect/forest.h asks for. The mean over
 * 100 trees of values rounded to 1/255 of their range errs by about 1/10,000 of the range.
 */

#define MOST_ROWS       ((size_t)4096) /* that the threshold is taken from */
#define MOMENT_ROWS     ((size_t)1024) /* that the weights of depth and density are taken from */
#define STEPS           TT_FOREST_MOST_VALUE
#define LEAST_DEVIATION 0.01 /* of mean depth or density, where all rows are alike */
#define MOST_DENSITY    3.0  /* deviations of a leaf's density from the mean */

/* Training rows that a forest is judged on. */
struct panel {
    struct tt_rows rows;
    uint32_t *sums;
    void *scratch;
    float *copy; /* of chosen rows; NULL when rows are all of them */
};

struct moments {
    double mean, deviation; /* of the sums */
};

/* How a leaf's real number becomes a byte: byte = (x - base) * scale, rounded. */
struct scale {
    double base, scale;
};

/* ---- the panel ---- */

static enum tt_status choose_rows(const struct tt_forest *forest, const struct tt_rows *rows,
                                  struct panel *panel, struct tt_error *err)
{
    struct tt_random random;
    size_t columns = rows->columns;

    panel->rows = *rows;
    if (rows->count > MOST_ROWS) {
        panel->copy = tt_malloc(MOST_ROWS * columns * sizeof(float));
        if (panel->copy == NULL)
            return tt_fail(err, TT_NO_MEMORY, "calibrate on %zu rows", MOST_ROWS);
        /* One row of each of MOST_ROWS equal stretches: spread over the table, and never aligned with a period in it. */
        random = tt_random_stream(forest->seed, forest->generation, UINT64_MAX);
        for (size_t i = 0; i < MOST_ROWS; i++) {
            size_t from = i * rows->count / MOST_ROWS, to = (i + 1) * rows->count / MOST_ROWS;
            size_t row = from + tt_random_below(&random, (uint32_t)(to - from));
            memcpy(panel->copy + i * columns, tt_row(rows, row), columns * sizeof(float));
        }
        panel->rows = (struct tt_rows){panel->copy, MOST_ROWS, columns, rows->columns};
    }
    panel->sums = tt_calloc(panel->rows.count, sizeof(*panel->sums));
    panel->scratch = tt_malloc(tt_forest_scratch_size(forest));
    if (panel->sums == NULL || panel->scratch == NULL)
        return tt_fail(err, TT_NO_MEMORY, "calibrate on %zu rows", panel->rows.count);
    return TT_OK;
}

static void panel_done(struct panel *panel)
{
    tt_free(panel->sums);
    tt_free(panel->scratch);
    tt_free(panel->copy);
}

static struct moments sum_panel(const struct tt_forest *forest, struct panel *panel, size_t most)
{
    struct tt_rows rows = panel->rows;
    uint64_t sum = 0, squares = 0;
    struct moments moments;
    double count;

    rows.count = rows.count < most ? rows.count : most;
    tt_forest_sum_rows(forest, &rows, panel->sums, panel->scratch);
    for (size_t i = 0; i < rows.count; i++) {
        sum += panel->sums[i];
        squares += (uint64_t)panel->sums[i] * panel->sums[i];
    }
    count = (double)rows.count;
    moments.mean = (double)sum / count;
    moments.deviation = (double)squares / count - moments.mean * moments.mean;
    moments.deviation = moments.deviation > 0.0 ? sqrt(moments.deviation) : 0.0;
    return moments;
}

/* ---- leaves ---- */

static bool is_leaf(const struct tt_forest *forest, size_t node)
{
    return forest->nodes[node].column == TT_LEAF;
}

static size_t node_count(const struct tt_forest *forest)
{
    return forest->first[forest->options.trees];
}

/*
 * The densities of one tree's leaves in deviations from their mean, each leaf weighing as much as the rows it has, and none more
 * than three: no tree outvotes the others because it cut off a sliver of space by chance. (Bounded influence: P. J. Huber,
 * "Robust Statistics", Wiley 1981.)
 */
static void standardise_tree(const struct tt_forest *forest, uint32_t tree,
                             const struct tt_leaf_facts *facts)
{
    uint32_t begin = forest->first[tree], end = forest->first[tree + 1];
    double mean = 0.0, variance = 0.0, deviation;

    for (uint32_t i = begin; i < end; i++)
        if (is_leaf(forest, i))
            mean += facts->density[i] * forest->nodes[i].samples / forest->options.sample;
    for (uint32_t i = begin; i < end; i++) {
        double distance = facts->density[i] - mean;
        if (is_leaf(forest, i))
            variance += distance * distance * forest->nodes[i].samples / forest->options.sample;
    }
    deviation = sqrt(variance);
    deviation = deviation > LEAST_DEVIATION ? deviation : LEAST_DEVIATION;
    for (uint32_t i = begin; i < end; i++) {
        double z = (facts->density[i] - mean) / deviation;
        z = z < MOST_DENSITY ? z : MOST_DENSITY;
        facts->density[i] = z > -MOST_DENSITY ? z : -MOST_DENSITY;
    }
}

/* Weighs a leaf's two numbers: more is more anomalous. */
static double weigh(const struct tt_leaf_facts *facts, size_t node, double depth, double density)
{
    return -depth * facts->depth[node] - density * facts->density[node];
}

static struct scale set_leaves(struct tt_forest *forest, const struct tt_leaf_facts *facts,
                               double depth, double density)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    struct scale scale;

    for (size_t i = 0; i < node_count(forest); i++) {
        double x = is_leaf(forest, i) ? weigh(facts, i, depth, density) : low;
        low = x < low ? x : low;
        high = is_leaf(forest, i) && x > high ? x : high;
    }
    scale.base = low;
    scale.scale = high > low ? STEPS / (high - low) : 1.0;
    if (density == 0.0 &&
        high > low) { /* most depths are whole numbers: let them have bytes of their own */
        scale.base = floor(low);
        scale.scale = floor(STEPS / (high - scale.base));
    }
    for (size_t i = 0; i < node_count(forest); i++)
        if (is_leaf(forest, i))
            forest->nodes[i].value =
                (uint8_t)((weigh(facts, i, depth, density) - scale.base) * scale.scale + 0.5);
    tt_forest_tables_set_leaves(forest);
    return scale;
}

/* The deviation over the training rows of a forest's mean depth (1, 0) or density (0, 1). */
static double deviation_of(struct tt_forest *forest, const struct tt_leaf_facts *facts,
                           struct panel *panel, double depth, double density)
{
    struct scale scale = set_leaves(forest, facts, depth, density);
    struct moments moments = sum_panel(forest, panel, MOMENT_ROWS);
    double deviation = moments.deviation / scale.scale / forest->options.trees;

    return deviation > LEAST_DEVIATION ? deviation : LEAST_DEVIATION;
}

/* ---- from sums to scores ---- */

static void calibrate_combined(struct tt_forest *forest, const struct tt_leaf_facts *facts,
                               struct panel *panel)
{
    double depth, density;
    struct moments moments;

    for (uint32_t tree = 0; tree < forest->options.trees; tree++)
        standardise_tree(forest, tree, facts);
    depth = deviation_of(forest, facts, panel, 1.0, 0.0);
    density = deviation_of(forest, facts, panel, 0.0, 1.0);
    (void)set_leaves(forest, facts, 0.5 / depth, 0.5 / density);
    moments = sum_panel(forest, panel, MOST_ROWS);
    if (moments.deviation < 1.0)
        moments.deviation = 1.0;
    forest->slope = 1.0 / moments.deviation;
    forest->offset = -moments.mean / moments.deviation;
}

static void calibrate_depth(struct tt_forest *forest, const struct tt_leaf_facts *facts,
                            struct panel *panel)
{
    struct scale scale = set_leaves(forest, facts, 1.0, 0.0);
    double most = tt_forest_mean_depth(forest->options.sample);

    if (most <= 0.0) /* trees of one row */
        most = 1.0;
    (void)sum_panel(forest, panel, MOST_ROWS);
    /* -E[h] = base + sum / (scale * trees) */
    forest->slope = 1.0 / (scale.scale * forest->options.trees * most);
    forest->offset = scale.base / most;
}

/* The least sum that at most the share `contamination` of the panel reaches. counts: zeroed, one for each sum there can be. */
static void take_threshold(struct tt_forest *forest, const struct panel *panel, uint32_t *counts)
{
    size_t most = (size_t)(forest->options.contamination * (double)panel->rows.count), over = 0;
    uint32_t sum = STEPS * forest->options.trees;

    for (size_t i = 0; i < panel->rows.count; i++)
        counts[panel->sums[i]]++;
    while (over + counts[sum] <= most && sum > 0)
        over += counts[sum--];
    forest->threshold = tt_forest_score_of_sum(forest, sum + 1);
    if (forest->options.threshold > 0.0)
        forest->threshold = (float)forest->options.threshold;
}

enum tt_status tt_forest_calibrate(struct tt_forest *forest, const struct tt_rows *rows,
                                   const struct tt_leaf_facts *facts, struct tt_error *err)
{
    TT_CLEANUP(tt_freep)
    uint32_t *counts = tt_calloc((size_t)STEPS * forest->options.trees + 1, sizeof(*counts));
    struct panel panel = {0};
    enum tt_status status = choose_rows(forest, rows, &panel, err);

    if (counts == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "calibrate a forest");
    if (status == TT_OK) {
        if (forest->options.metric == TT_METRIC_COMBINED)
            calibrate_combined(forest, facts, &panel);
        else
            calibrate_depth(forest, facts, &panel);
        take_threshold(forest, &panel, counts);
    }
    panel_done(&panel);
    return status;
}
