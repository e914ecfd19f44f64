/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_FOREST_TEST_H
#define TT_TESTS_FOREST_TEST_H

/* Tables of random rows, and forests on them, for the tests of detect/. */

#include "detect/forest_internal.h"
#include "detect/forest_math.h"
#include "detect/rank.h"
#include "tt_test.h"

#include <math.h>

struct table {
    float *x;
    struct tt_rows rows;
};

/* About normal: the sum of 6 uniform numbers, mean 0, deviation 0.7. */
static inline float table_normal(struct tt_random *random)
{
    double sum = -3.0;

    for (int i = 0; i < 6; i++)
        sum += tt_random_unit(random);
    return (float)sum;
}

static inline struct table table_make(size_t count, uint32_t columns, uint64_t seed)
{
    struct table table = {.x = test_calloc(count * columns, sizeof(float))};
    struct tt_random random = {seed};

    for (size_t i = 0; i < count * columns; i++)
        table.x[i] = table_normal(&random);
    table.rows = (struct tt_rows){table.x, count, columns, columns};
    return table;
}

static inline void table_free(struct table *table)
{
    test_free(table->x);
}

static inline struct tt_forest *forest_on(const struct tt_rows *rows,
                                          const struct tt_forest_options *options, uint64_t seed)
{
    struct tt_forest_options usual = tt_forest_options_default();
    struct tt_forest *forest = NULL;
    struct tt_error err;

    assert_ok(
        tt_forest_train(options == NULL ? &usual : options, rows, NULL, seed, 0, &forest, &err),
        &err);
    assert_non_null(forest);
    return forest;
}

static inline void score_rows(const struct tt_forest *forest, const struct tt_rows *rows,
                              float *ret_scores)
{
    void *scratch = test_malloc(tt_forest_scratch_size(forest));

    tt_forest_score(forest, rows, ret_scores, scratch);
    test_free(scratch);
}

static inline float score_row(const struct tt_forest *forest, const float *row)
{
    uint32_t columns = tt_forest_columns(forest);
    struct tt_rows rows = {row, 1, columns, columns};
    float score = -1.0F;

    score_rows(forest, &rows, &score);
    return score;
}

static inline double auc_of(const float *scores, const uint8_t *anomalous, size_t count)
{
    struct tt_ranking ranking;
    double auc;

    assert_ok(tt_ranking_make(scores, anomalous, count, &ranking, NULL), NULL);
    auc = tt_rank_roc_auc(&ranking);
    tt_ranking_done(&ranking);
    return auc;
}

#endif
