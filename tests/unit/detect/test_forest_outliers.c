/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest.h"
#include "forest_test.h"

/* ---- what it is for ---- */

#define ROWS 4000

/* Normal rows around 0, every 50th far out in two of the columns. */
static struct table with_outliers(uint32_t columns, uint8_t labels[ROWS])
{
    struct table table = table_make(ROWS, columns, 31);

    for (size_t i = 0; i < ROWS; i++) {
        labels[i] = i % 50 == 0;
        if (labels[i]) {
            table.x[i * columns] += i % 100 == 0 ? 3.0F : -3.0F;
            table.x[i * columns + 1] += 3.0F;
        }
    }
    return table;
}

static double auc_with(const struct tt_rows *rows, const uint8_t *labels,
                       const struct tt_forest_options *options)
{
    struct tt_forest *forest = forest_on(rows, options, 1);
    float *scores = test_malloc(rows->count * sizeof(float));
    double auc;

    score_rows(forest, rows, scores);
    auc = auc_of(scores, labels, rows->count);
    test_free(scores);
    tt_forest_unref(forest);
    return auc;
}

static void outliers_score_higher_than_the_rest(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    uint8_t labels[ROWS];
    struct table table = with_outliers(8, labels);

    (void)state;
    assert_true(auc_with(&table.rows, labels, &options) > 0.97);
    options.metric = TT_METRIC_DEPTH;
    assert_true(auc_with(&table.rows, labels, &options) > 0.97);
    options.max_depth = 0;
    assert_true(auc_with(&table.rows, labels, &options) > 0.97);
    options.exact = true;
    assert_true(auc_with(&table.rows, labels, &options) > 0.97);
    table_free(&table);
}

/* 16 columns, the last a flag that 0.1 % of the rows have set. */
static void a_rare_flag_is_found(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(20000, 16, 6);
    uint8_t *labels = test_calloc(20000, 1);

    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        labels[i] = i % 1000 == 7;
        table.x[i * 16 + 15] = labels[i];
    }
    assert_true(auc_with(&table.rows, labels, &options) > 0.98);
    options.gates = false;
    assert_true(auc_with(&table.rows, labels, &options) < 0.75);
    test_free(labels);
    table_free(&table);
}

/* Anomalies that only a binary column tells from normal rows: 2 % of the rows. */
static void anomalies_in_one_binary_column_are_found(void **state)
{
    struct table table = table_make(ROWS, 4, 12);
    uint8_t labels[ROWS];

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        labels[i] = i % 50 == 3;
        table.x[i * 4 + 2] = labels[i];
    }
    assert_true(auc_with(&table.rows, labels, NULL) > 0.98);
    table_free(&table);
}

static void rare_missing_values_are_found(void **state)
{
    struct table table = table_make(ROWS, 4, 13);
    uint8_t labels[ROWS];

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        labels[i] = i % 100 == 3;
        if (labels[i])
            table.x[i * 4 + 1] = NAN;
    }
    assert_true(auc_with(&table.rows, labels, NULL) > 0.98);
    for (size_t i = 0; i < ROWS; i++) /* and the other way round */
        table.x[i * 4 + 1] = labels[i] ? 0.0F : NAN;
    assert_true(auc_with(&table.rows, labels, NULL) > 0.98);
    table_free(&table);
}

static void every_tree_splits(void **state)
{
    struct table table = table_make(1000, 16, 4);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 1);

    (void)state;
    for (uint32_t tree = 0; tree < 100; tree++) {
        uint32_t deep = 0;
        for (uint32_t i = forest->first[tree]; i < forest->first[tree + 1]; i++)
            deep += forest->nodes[i].column == TT_LEAF && forest->nodes[i].samples < 32;
        assert_true(forest->first[tree + 1] - forest->first[tree] > 40 && deep > 15);
    }
    tt_forest_unref(forest);
    table_free(&table);
}

/* ---- thresholds and reasons ---- */

static double share_over_threshold(const struct tt_forest *forest, const struct tt_rows *rows)
{
    float *scores = test_malloc(rows->count * sizeof(float));
    size_t over = 0;

    score_rows(forest, rows, scores);
    for (size_t i = 0; i < rows->count; i++)
        over += scores[i] >= tt_forest_threshold(forest);
    test_free(scores);
    return (double)over / (double)rows->count;
}

static void the_threshold_lets_the_contamination_over_it(void **state)
{
    static const double shares[] = {0.001, 0.01, 0.05, 0.25, 0.5};
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(4000, 6, 14);

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(shares); i++) {
        struct tt_forest *forest;
        double share;
        options.contamination = shares[i];
        forest = forest_on(&table.rows, &options, 1);
        share = share_over_threshold(forest, &table.rows);
        assert_true(share <= shares[i] && share > 0.9 * shares[i] - 0.0003);
        tt_forest_unref(forest);
    }
    table_free(&table);
}

static void credits_add_up_to_the_score(void **state)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(500, 6, 15);

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct tt_forest *forest;
        options.metric = (enum tt_forest_metric)(i % TT_METRIC_COUNT);
        options.max_depth = i < 2 ? 8 : 0;
        options.exact = i > 3;
        forest = forest_on(&table.rows, &options, 1);
        for (size_t row = 0; row < 500; row += 50) {
            float credit[6];
            char *scratch = test_malloc(tt_forest_scratch_size(forest));
            double sum =
                (double)tt_forest_explain(forest, tt_row(&table.rows, row), credit, scratch);
            double score = (double)score_row(forest, tt_row(&table.rows, row));
            for (int c = 0; c < 6; c++)
                sum += (double)credit[c];
            if (options.metric == TT_METRIC_COMBINED)
                assert_true(fabs(sum - log2(score / (1.0 - score))) < 1e-4);
            else
                assert_true(fabs(sum - log2(score)) < 1e-4);
            test_free(scratch);
        }
        tt_forest_unref(forest);
    }
    table_free(&table);
}

static void the_column_that_isolates_a_row_has_the_most_credit(void **state)
{
    struct table table = table_make(2000, 10, 16);
    struct tt_forest *forest = forest_on(&table.rows, NULL, 1);
    char *scratch = test_malloc(tt_forest_scratch_size(forest));

    (void)state;
    for (uint32_t guilty = 0; guilty < 10; guilty++) {
        float row[10] = {0}, credit[10];
        uint32_t top = 0;
        row[guilty] = 9.0F;
        (void)tt_forest_explain(forest, row, credit, scratch);
        for (uint32_t c = 0; c < 10; c++)
            top = credit[c] > credit[top] ? c : top;
        assert_int_equal(top, guilty);
        assert_true(credit[guilty] > 1.0F);
    }
    test_free(scratch);
    tt_forest_unref(forest);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outliers_score_higher_than_the_rest),
        cmocka_unit_test(a_rare_flag_is_found),
        cmocka_unit_test(anomalies_in_one_binary_column_are_found),
        cmocka_unit_test(rare_missing_values_are_found),
        cmocka_unit_test(every_tree_splits),
        cmocka_unit_test(the_threshold_lets_the_contamination_over_it),
        cmocka_unit_test(credits_add_up_to_the_score),
        cmocka_unit_test(the_column_that_isolates_a_row_has_the_most_credit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
