/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest.h"
#include "forest_test.h"

/* ---- equal bits ---- */

static void sprinkle_odd_values(struct table *table, uint64_t seed)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0F, -0.0F, 1e-45F, 3e38F, -3e38F};
    struct tt_random random = {seed};

    for (size_t i = 0; i < table->rows.count * table->rows.columns; i++)
        if (tt_random_below(&random, 10) == 0)
            table->x[i] = odd[tt_random_below(&random, TT_LENGTH(odd))];
}

static bool path_is_there(enum tt_forest_path path)
{
    return path == TT_PATH_PORTABLE || (path == TT_PATH_AVX2 && tt_forest_has_avx2()) ||
           (path == TT_PATH_AVX512 && tt_forest_has_avx512());
}

static void check_paths(uint32_t columns, size_t count, const struct tt_forest_options *options)
{
    struct table table = table_make(count, columns, columns + count);
    struct tt_forest *forest;
    float *expected = test_malloc(count * sizeof(float)),
          *scores = test_malloc(count * sizeof(float));

    sprinkle_odd_values(&table, count);
    forest = forest_on(&table.rows, options, 3);
    for (size_t i = 0; i < count; i++) /* one by one: the path without blocks */
        expected[i] = score_row(forest, tt_row(&table.rows, i));
    for (unsigned path = 0; path < TT_PATH_COUNT; path++) {
        if (!path_is_there((enum tt_forest_path)path))
            continue;
        forest->path = (enum tt_forest_path)path;
        score_rows(forest, &table.rows, scores);
        assert_memory_equal(scores, expected, count * sizeof(float));
    }
    tt_forest_unref(forest);
    table_free(&table);
    test_free(expected);
    test_free(scores);
}

static void an_explanation_is_the_same_on_every_path(void **state)
{
    struct table table = table_make(300, 16, 6);
    struct tt_forest *forest;
    float credit[TT_PATH_COUNT][16], nothing[TT_PATH_COUNT];
    void *scratch;

    (void)state;
    sprinkle_odd_values(&table, 300);
    forest = forest_on(&table.rows, NULL, 3);
    scratch = test_malloc(tt_forest_scratch_size(forest));
    for (size_t i = 0; i < 300; i++) {
        for (unsigned path = 0; path < TT_PATH_COUNT; path++) {
            forest->path = path_is_there((enum tt_forest_path)path) ? (enum tt_forest_path)path
                                                                    : TT_PATH_PORTABLE;
            nothing[path] =
                tt_forest_explain(forest, tt_row(&table.rows, i), credit[path], scratch);
            assert_memory_equal(credit[path], credit[0], sizeof(credit[0]));
            assert_memory_equal(&nothing[path], &nothing[0], sizeof(nothing[0]));
        }
    }
    test_free(scratch);
    tt_forest_unref(forest);
    table_free(&table);
}

/* A forest that takes a row's features in another order each time scores the same row differently each time. */
static void a_row_has_one_score_wherever_it_stands_and_columns_have_places(void **state)
{
    struct table table = table_make(300, 2, 6);
    struct tt_forest *forest;
    float copies[130 * 2], scores[130], swapped[2], score;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        table.x[2 * i] = 100.0F + table.x[2 * i];
    forest = forest_on(&table.rows, NULL, 3);
    for (size_t i = 0; i < 130; i++)
        memcpy(copies + 2 * i, table.x, 2 * sizeof(float));
    score_rows(forest, &(struct tt_rows){copies, 130, 2, 2}, scores);
    score = score_row(forest, table.x);
    for (size_t i = 0; i < 130; i++)
        assert_true(scores[i] == score);
    swapped[0] = table.x[1];
    swapped[1] = table.x[0];
    assert_true(score_row(forest, swapped) > score + 0.2F);
    tt_forest_unref(forest);
    table_free(&table);
}

static void every_path_gives_the_same_bits(void **state)
{
    static const uint32_t columns[] = {1, 2, 3, 5, 9, 16, 17, 33, 64, 130, 400};
    static const size_t counts[] = {1, 2, 5, 6, 7, 63, 64, 65, 300, 1100};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(columns); i++)
        check_paths(columns[i], counts[i % TT_LENGTH(counts)], NULL);
    for (size_t i = 0; i < TT_LENGTH(counts); i++)
        check_paths(16, counts[i], NULL);
}

static void every_path_gives_the_same_bits_whatever_the_options(void **state)
{
    (void)state;
    for (uint32_t depth = 0; depth < 12; depth++) {
        struct tt_forest_options options = tt_forest_options_default();
        options.max_depth = depth;
        options.trees = 1 + 7 * depth;
        options.sample = 2 + 100 * depth;
        options.metric = depth % 2 == 0 ? TT_METRIC_DEPTH : TT_METRIC_COMBINED;
        options.exact = depth == 11;
        check_paths(7, 500, &options);
    }
}

/* The training encodes with the path's own code: what a forest is must not depend on it either. */
static void training_on_any_path_gives_the_same_forest(void **state)
{
    struct table table = table_make(600, 16, 4);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 9);

    (void)state;
    for (unsigned path = 0; path < TT_PATH_COUNT; path++) {
        struct tt_forest *other = tt_forest_new(&forest->options);
        struct tt_leaf_facts facts = {0};
        if (!path_is_there((enum tt_forest_path)path)) {
            tt_forest_unref(other);
            continue;
        }
        other->path = (enum tt_forest_path)path;
        other->seed = 9;
        assert_ok(tt_bins_learn(&table.rows, &other->bins, NULL), NULL);
        assert_ok(tt_forest_grow(other, &table.rows, 0, &facts, NULL), NULL);
        assert_ok(tt_forest_tables_make(other, NULL), NULL);
        assert_ok(tt_forest_calibrate(other, &table.rows, &facts, NULL), NULL);
        assert_memory_equal(other->first, forest->first, 101 * sizeof(*forest->first));
        assert_memory_equal(other->nodes, forest->nodes,
                            forest->first[100] * sizeof(*forest->nodes));
        assert_true(other->slope == forest->slope && other->offset == forest->offset);
        assert_true(other->threshold == forest->threshold);
        tt_free(facts.depth);
        tt_free(facts.density);
        tt_forest_unref(other);
    }
    tt_forest_unref(forest);
    table_free(&table);
}

static void blocks_encoded_by_the_caller_score_alike(void **state)
{
    struct table table = table_make(128, 16, 5);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 1);
    uint8_t tile[64 * 16], blocks[2 * 64 * 16];
    float expected[128], scores[128], outside[128];

    (void)state;
    score_rows(forest, &table.rows, expected);
    for (size_t i = 0; i < 128; i++)
        outside[i] = (float)tt_bins_outside(tt_forest_bins(forest), tt_row(&table.rows, i));
    for (size_t b = 0; b < 2; b++)
        (void)tt_bins_encode_block(tt_forest_bins(forest), tt_row(&table.rows, b * 64), 64, 16,
                                   tile, blocks + b * 64 * 16);
    tt_forest_score_blocks(forest, blocks, 2, outside, scores);
    assert_memory_equal(scores, expected, sizeof(scores));
    tt_forest_unref(forest);
    table_free(&table);
}

/* ---- chance ---- */

static bool same_tree(const struct tt_forest *a, const struct tt_forest *b, uint32_t tree)
{
    uint32_t count = a->first[tree + 1] - a->first[tree];

    if (count != b->first[tree + 1] - b->first[tree])
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct tt_forest_node *x = &a->nodes[a->first[tree] + i];
        const struct tt_forest_node *y = &b->nodes[b->first[tree] + i];
        if (x->column != y->column || x->threshold != y->threshold || x->samples != y->samples ||
            x->gate != y->gate)
            return false;
    }
    return true;
}

static void a_tree_depends_on_seed_generation_and_number_alone(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(500, 6, 8);
    struct tt_forest *few, *many, *other_seed, *other_generation;

    (void)state;
    options.trees = 10;
    few = forest_on(&table.rows, &options, 1);
    other_seed = forest_on(&table.rows, &options, 2);
    assert_ok(tt_forest_train(&options, &table.rows, NULL, 1, 1, &other_generation, NULL), NULL);
    options.trees = 100;
    many = forest_on(&table.rows, &options, 1);
    for (uint32_t tree = 0; tree < 10; tree++) {
        assert_true(same_tree(few, many, tree));
        assert_false(same_tree(few, other_seed, tree));
        assert_false(same_tree(few, other_generation, tree));
        assert_false(tree > 0 && same_tree(few, few, tree) && few->first[tree] == 0);
    }
    tt_forest_unref(few);
    tt_forest_unref(many);
    tt_forest_unref(other_seed);
    tt_forest_unref(other_generation);
    table_free(&table);
}

/* So that any number of threads may grow them, in any order. */
static void a_tree_does_not_depend_on_the_trees_before_it(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(500, 6, 8);
    struct tt_forest *all, *last;
    struct tt_leaf_facts facts = {0};

    (void)state;
    options.trees = 10;
    all = forest_on(&table.rows, &options, 1);
    options.trees = 4;
    last = tt_forest_new(&options);
    last->seed = 1;
    assert_ok(tt_bins_learn(&table.rows, &last->bins, NULL), NULL);
    assert_ok(tt_forest_grow(last, &table.rows, 6, &facts, NULL), NULL);
    for (uint32_t tree = 0; tree < 4; tree++) {
        const struct tt_forest_node *a = all->nodes + all->first[6 + tree];
        const struct tt_forest_node *b = last->nodes + last->first[tree];
        uint32_t count = last->first[tree + 1] - last->first[tree];
        assert_int_equal(all->first[7 + tree] - all->first[6 + tree], count);
        for (uint32_t i = 0; i < count; i++)
            assert_true(a[i].column == b[i].column && a[i].threshold == b[i].threshold &&
                        a[i].samples == b[i].samples);
    }
    tt_free(facts.depth);
    tt_free(facts.density);
    tt_forest_unref(all);
    tt_forest_unref(last);
    table_free(&table);
}

static void a_sample_has_no_row_twice(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(256, 1, 8);
    struct tt_forest *forest;

    (void)state;
    /* Distinct values in 256 rows, all of them in each sample: grown out, every leaf holds one. */
    for (size_t i = 0; i < 256; i++)
        table.x[i] = (float)i;
    options.max_depth = 0;
    options.exact = true;
    options.gates = false;
    forest = forest_on(&table.rows, &options, 1);
    for (uint32_t i = 0; i < forest->first[100]; i++)
        if (forest->nodes[i].column == TT_LEAF)
            assert_int_equal(forest->nodes[i].samples, 1);
    tt_forest_unref(forest);
    table_free(&table);
}

/* ---- the definition ---- */

/* h(x) of one tree, by the paper. */
static double path_length(const struct tt_forest_node *nodes, const uint8_t *codes)
{
    const struct tt_forest_node *node = nodes;
    double depth = 0.0;

    while (node->column != TT_LEAF) {
        const struct tt_forest_node *child =
            nodes + node->left + ((float)codes[node->column] > node->threshold);
        depth += !node->gate || child->samples == 0;
        node = child;
    }
    return depth + tt_forest_mean_depth(node->samples);
}

static void depth_scores_follow_the_paper(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(1000, 5, 21);
    struct tt_forest *forest;

    (void)state;
    for (size_t i = 0; i < 1000; i++) /* mostly constant, for gates */
        table.x[i * 5 + 4] = i % 100 == 0;
    options.metric = TT_METRIC_DEPTH;
    forest = forest_on(&table.rows, &options, 1);
    for (size_t i = 0; i < 1000; i++) {
        uint8_t codes[5];
        double mean = 0.0, expected;
        if (tt_bins_encode_row(&forest->bins, tt_row(&table.rows, i), codes))
            continue; /* outside the ranges: another definition */
        for (uint32_t tree = 0; tree < 100; tree++)
            mean += path_length(forest->nodes + forest->first[tree], codes) / 100;
        expected = pow(2.0, -mean / tt_forest_mean_depth(256));
        assert_true(fabs((double)score_row(forest, tt_row(&table.rows, i)) - expected) < 5e-4);
    }
    tt_forest_unref(forest);
    table_free(&table);
}

static void mean_depths_are_those_of_binary_search_trees(void **state)
{
    (void)state;
    assert_true(tt_forest_mean_depth(0) == 0.0 && tt_forest_mean_depth(1) == 0.0);
    assert_true(tt_forest_mean_depth(2) == 1.0);
    assert_true(fabs(tt_forest_mean_depth(3) - 5.0 / 3) < 1e-12);
    /* 2 (ln 255 + Euler's constant + 1/510) - 2 * 255/256, the paper's approximation and its next term. */
    assert_true(fabs(tt_forest_mean_depth(256) -
                     (2.0 * (log(255.0) + 0.5772156649015329 + 1.0 / 510) - 2.0 * 255 / 256)) <
                1e-5);
}

static void combined_scores_are_centred_and_scaled_on_the_training_rows(void **state)
{
    struct table table = table_make(2000, 8, 2);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 1);
    float *scores = test_malloc(2000 * sizeof(float));
    double sum = 0.0, squares = 0.0;

    (void)state;
    score_rows(forest, &table.rows, scores);
    for (size_t i = 0; i < 2000; i++) {
        double z = log2((double)scores[i] / (1.0 - (double)scores[i]));
        sum += z;
        squares += z * z;
    }
    assert_true(fabs(sum / 2000) < 1e-3);
    assert_true(fabs(sqrt(squares / 2000) - 1.0) < 1e-3);
    test_free(scores);
    tt_forest_unref(forest);
    table_free(&table);
}

/* A forest whose leaves' bytes come from densities of which those of the first tree are `times` as great. */
static struct tt_forest *calibrated(const struct tt_rows *rows, double times)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct tt_leaf_facts facts = {0};
    struct tt_forest *forest;

    options.trees = 5;
    forest = tt_forest_new(&options);
    forest->seed = 1;
    assert_ok(tt_bins_learn(rows, &forest->bins, NULL), NULL);
    assert_ok(tt_forest_grow(forest, rows, 0, &facts, NULL), NULL);
    assert_ok(tt_forest_tables_make(forest, NULL), NULL);
    for (uint32_t i = 0; i < forest->first[1]; i++)
        facts.density[i] *= times;
    assert_ok(tt_forest_calibrate(forest, rows, &facts, NULL), NULL);
    tt_free(facts.depth);
    tt_free(facts.density);
    return forest;
}

static void no_tree_outvotes_the_others(void **state)
{
    struct table table = table_make(500, 6, 8);
    struct tt_forest *plain = calibrated(&table.rows, 1.0), *loud = calibrated(&table.rows, 100.0);

    (void)state;
    for (uint32_t i = 0; i < plain->first[5]; i++)
        assert_in_range(plain->nodes[i].value + 1 - loud->nodes[i].value, 0, 2);
    tt_forest_unref(plain);
    tt_forest_unref(loud);
    table_free(&table);
}

static void scores_never_fall_as_the_sum_grows(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(500, 4, 3);

    (void)state;
    for (unsigned metric = 0; metric < TT_METRIC_COUNT; metric++) {
        struct tt_forest *forest;
        float before = -1.0F;
        options.metric = (enum tt_forest_metric)metric;
        forest = forest_on(&table.rows, &options, 1);
        for (uint32_t sum = 0; sum <= 25500; sum++) {
            float score = tt_forest_score_of_sum(forest, sum);
            assert_true(score >= before && score >= 0.0F && score <= 1.0F);
            before = score;
        }
        tt_forest_unref(forest);
    }
    table_free(&table);
}

static void own_powers_and_logarithms_are_exact_enough(void **state)
{
    struct tt_random random = {77};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        double x = 200.0 * (tt_random_unit(&random) - 0.5), y = exp2(x);
        assert_true(fabs(tt_exp2(x) / y - 1.0) < 1e-11);
        assert_true(fabs(tt_log2(y) - x) < 1e-11);
    }
    assert_true(tt_exp2(0.0) == 1.0 && tt_exp2(10.0) == 1024.0 && tt_log2(1024.0) == 10.0);
    assert_true(tt_exp2(-(double)INFINITY) == tt_exp2(-1000.0) &&
                tt_exp2((double)INFINITY) == tt_exp2(1000.0));
    assert_true(tt_exp2((double)NAN) == tt_exp2(-1000.0));
}

/* ---- options ---- */

static void refuses_options_out_of_range(void **state)
{
    static const struct {
        const char *name;
        struct tt_forest_options options;
        enum tt_status status;
    } cases[] = {
        {"trees", {0, 256, 8, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"trees", {1025, 256, 8, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"sample", {100, 1, 8, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"sample", {100, 65536, 8, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"max_depth", {100, 256, 65, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"score", {100, 256, 8, TT_METRIC_COUNT, false, true, 0.01, 0}, TT_INVALID_DATA},
        {"contamination", {100, 256, 8, TT_METRIC_DEPTH, false, true, 0, 0}, TT_INVALID_DATA},
        {"contamination", {100, 256, 8, TT_METRIC_DEPTH, false, true, 0.6, 0}, TT_INVALID_DATA},
        {"contamination",
         {100, 256, 8, TT_METRIC_DEPTH, false, true, (double)NAN, 0},
         TT_INVALID_DATA},
        {"threshold", {100, 256, 8, TT_METRIC_DEPTH, false, true, 0.1, -1}, TT_INVALID_DATA},
        {"threshold",
         {100, 256, 8, TT_METRIC_DEPTH, false, true, 0.1, (double)NAN},
         TT_INVALID_DATA},
        {"trees", {1024, 65535, 8, TT_METRIC_DEPTH, false, true, 0.01, 0}, TT_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_error err;
        assert_status(tt_forest_options_check(&cases[i].options, &err), cases[i].status);
        assert_memory_equal(err.message, cases[i].name, strlen(cases[i].name));
    }
}

static void change(struct tt_forest_options *options, int which)
{
    options->trees = which == 0 ? 50 : options->trees;
    options->sample = which == 1 ? 128 : options->sample;
    options->max_depth = which == 2 ? 6 : options->max_depth;
    options->metric = which == 3 ? TT_METRIC_DEPTH : options->metric;
    options->exact = which == 4;
    options->gates = which != 5;
    options->contamination = which == 6 ? 0.1 : options->contamination;
    options->threshold = which == 7 ? 0.625 : options->threshold;
}

static void every_option_has_an_effect(void **state)
{
    struct table table = table_make(500, 4, 17);
    struct tt_forest *usual;
    float before;

    (void)state;
    for (size_t i = 0; i < 500; i++)
        table.x[i * 4 + 3] = i % 40 == 0; /* for gates */
    usual = forest_on(&table.rows, NULL, 1);
    before = score_row(usual, table.x);
    for (int which = 0; which < 8; which++) {
        struct tt_forest_options options = tt_forest_options_default();
        struct tt_forest *forest;
        bool changed;
        change(&options, which);
        forest = forest_on(&table.rows, &options, 1);
        changed = which < 6 ? score_row(forest, table.x) != before
                            : forest->threshold != usual->threshold;
        assert_true(changed);
        tt_forest_unref(forest);
    }
    tt_forest_unref(usual);
    table_free(&table);
}

/* ---- bad input ---- */

static void check_defined(const float *x, size_t count, uint32_t columns, const float *row)
{
    struct tt_rows rows = {x, count, columns, columns};
    struct tt_forest_options options = tt_forest_options_default();

    for (unsigned i = 0; i < 8; i++) {
        struct tt_forest *forest;
        float score;
        options.metric = (enum tt_forest_metric)(i & 1);
        options.exact = (i & 2) != 0;
        options.max_depth = (i & 4) != 0 ? 0 : 8;
        forest = forest_on(&rows, &options, 1);
        score = score_row(forest, row);
        assert_true(score >= 0.0F && score <= 1.0F);
        assert_true(forest->threshold >= 0.0F && forest->threshold <= 1.0F);
        tt_forest_unref(forest);
    }
}

static void odd_tables_train_and_score(void **state)
{
    const float one[] = {1.0F, 2.0F}, two[] = {1.0F, 2.0F, 1.0F, 2.0F};
    const float missing[] = {NAN, 1.0F, NAN, 2.0F, NAN, 3.0F}, all_missing[] = {NAN, NAN};
    const float infinite[] = {INFINITY, -INFINITY, -INFINITY, INFINITY};
    const float huge[] = {-3e38F, 3e38F, 3e38F, -3e38F, 0.0F, 1e-45F};

    (void)state;
    check_defined(one, 1, 2, one);
    check_defined(two, 2, 2, one);
    check_defined(two, 2, 2, infinite);
    check_defined(missing, 3, 2, one);
    check_defined(missing, 3, 2, all_missing);
    check_defined(all_missing, 1, 2, one);
    check_defined(infinite, 2, 2, one);
    check_defined(huge, 3, 2, huge);
}

static void a_row_unlike_rows_that_are_all_alike_stands_out(void **state)
{
    struct table table = table_make(300, 3, 1);
    struct tt_forest *forest;

    (void)state;
    for (size_t i = 0; i < 900; i++)
        table.x[i] = (float)(i % 3);
    forest = forest_on(&table.rows, NULL, 1);
    for (int c = 0; c < 3; c++) {
        float row[] = {0.0F, 1.0F, 2.0F};
        assert_true(fabs((double)score_row(forest, row) - 0.5) < 1e-6);
        assert_true(score_row(forest, row) < tt_forest_threshold(forest));
        row[c] += 0.25F;
        assert_true(score_row(forest, row) > 0.9F);
        row[c] = NAN;
        assert_true(score_row(forest, row) > 0.9F);
    }
    tt_forest_unref(forest);
    table_free(&table);
}

static void ten_thousand_columns_train_and_score(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(40, 10000, 1);
    struct tt_forest *forest;

    (void)state;
    options.trees = 10;
    forest = forest_on(&table.rows, &options, 1);
    for (uint32_t c = 0; c < 10000; c++)
        table.x[c] = 50.0F;
    assert_true(score_row(forest, table.x) > 0.8F);
    tt_forest_unref(forest);
    table_free(&table);
}

static void refuses_tables_that_are_none(void **state)
{
    static const float x[1];
    static const struct {
        struct tt_rows rows;
        enum tt_status status;
    } cases[] = {
        {{x, 0, 1, 1}, TT_INVALID_DATA},
        {{x, 1, 0, 0}, TT_INVALID_DATA},
        {{x, 1, 40000, 40000}, TT_TOO_LARGE},
        {{x, (size_t)1 << 33, 1, 1}, TT_TOO_LARGE},
    };
    struct tt_forest_options options = tt_forest_options_default();

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_forest *forest;
        assert_status(tt_forest_train(&options, &cases[i].rows, NULL, 1, 0, &forest, NULL),
                      cases[i].status);
        assert_null(forest);
    }
}

static bool train_once(void *context)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct tt_forest *forest;
    enum tt_status status;

    options.trees = 5;
    status = tt_forest_train(&options, context, NULL, 1, 0, &forest, NULL);
    assert_true(status == TT_OK || status == TT_NO_MEMORY);
    assert_true((status == TT_OK) == (forest != NULL));
    tt_forest_unref(forest);
    return status == TT_OK;
}

static void survives_memory_running_out(void **state)
{
    struct table table = table_make(5000, 3, 1);

    (void)state;
    tt_test_failing_allocations(train_once, &table.rows);
    table_free(&table);
}

static void is_freed_by_its_last_holder(void **state)
{
    struct table table = table_make(50, 2, 1);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 1), *again = tt_forest_ref(forest);
    float before = score_row(forest, table.x);

    (void)state;
    tt_forest_unref(forest);
    assert_true(score_row(again, table.x) == before);
    tt_forest_unref(again);
    tt_forest_unref(NULL);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_gives_the_same_bits),
        cmocka_unit_test(an_explanation_is_the_same_on_every_path),
        cmocka_unit_test(a_row_has_one_score_wherever_it_stands_and_columns_have_places),
        cmocka_unit_test(every_path_gives_the_same_bits_whatever_the_options),
        cmocka_unit_test(training_on_any_path_gives_the_same_forest),
        cmocka_unit_test(blocks_encoded_by_the_caller_score_alike),
        cmocka_unit_test(a_tree_depends_on_seed_generation_and_number_alone),
        cmocka_unit_test(a_tree_does_not_depend_on_the_trees_before_it),
        cmocka_unit_test(a_sample_has_no_row_twice),
        cmocka_unit_test(depth_scores_follow_the_paper),
        cmocka_unit_test(mean_depths_are_those_of_binary_search_trees),
        cmocka_unit_test(combined_scores_are_centred_and_scaled_on_the_training_rows),
        cmocka_unit_test(no_tree_outvotes_the_others),
        cmocka_unit_test(scores_never_fall_as_the_sum_grows),
        cmocka_unit_test(own_powers_and_logarithms_are_exact_enough),
        cmocka_unit_test(refuses_options_out_of_range),
        cmocka_unit_test(every_option_has_an_effect),
        cmocka_unit_test(odd_tables_train_and_score),
        cmocka_unit_test(a_row_unlike_rows_that_are_all_alike_stands_out),
        cmocka_unit_test(ten_thousand_columns_train_and_score),
        cmocka_unit_test(refuses_tables_that_are_none),
        cmocka_unit_test(survives_memory_running_out),
        cmocka_unit_test(is_freed_by_its_last_holder),
    };

    return cmocka_run_group_tests_name("forest", tests, NULL, NULL);
}
