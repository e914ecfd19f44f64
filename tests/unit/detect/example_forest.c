/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of an isolation forest in another program: links with detect/ and base/ only. Trains on rows that somebody measured,
 * keeps the forest as bytes, and asks of one more row whether it is unusual, and why. Exits 0 when the answers are right.
 */
#include "base/mem.h"
#include "detect/forest.h"

#include <stdio.h>

#define ROWS    1000
#define COLUMNS 3

static const char *const names[COLUMNS] = {"duration_ms", "bytes", "retries"};

/* Requests whose size follows their duration, rarely retried. */
static void measure(float *rows)
{
    for (unsigned i = 0; i < ROWS; i++) {
        rows[i * COLUMNS] = 20.0F + (float)(i * 7919 % 100) / 10.0F;
        rows[i * COLUMNS + 1] = 100.0F * rows[i * COLUMNS] + (float)(i * 104729 % 50);
        rows[i * COLUMNS + 2] = i % 50 == 0 ? 1.0F : 0.0F;
    }
}

/* What a program does once; the forest may go to a file between write and read. */
static enum tt_status learn(const float *x, struct tt_forest **ret_forest, struct tt_error *err)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct tt_rows rows = {x, ROWS, COLUMNS, COLUMNS};
    struct tt_forest *trained;
    struct tt_buffer bytes;
    enum tt_status status = tt_forest_train(&options, &rows, NULL, 1, 0, &trained, err);

    *ret_forest = NULL;
    if (status != TT_OK)
        return status;
    tt_buffer_init(&bytes, 1 << 20);
    status = tt_forest_write(trained, &bytes, err);
    if (status == TT_OK)
        status = tt_forest_read(bytes.data, bytes.len, ret_forest, err);
    tt_buffer_done(&bytes);
    tt_forest_unref(trained);
    return status;
}

/* What it does for each row: the column to look at first, or -1 when the row is no alarm. */
static int judge(const struct tt_forest *forest, const float *row, void *scratch)
{
    struct tt_rows one = {row, 1, COLUMNS, COLUMNS};
    float score, credit[COLUMNS];
    int worst = 0;

    tt_forest_score(forest, &one, &score, scratch);
    (void)tt_forest_explain(forest, row, credit, scratch);
    for (int c = 1; c < COLUMNS; c++)
        worst = credit[c] > credit[worst] ? c : worst;
    printf("score %.3f (an alarm from %.3f on), most of it from %s\n", (double)score,
           (double)tt_forest_threshold(forest), names[worst]);
    return score >= tt_forest_threshold(forest) ? worst : -1;
}

int main(void)
{
    static const float slow[COLUMNS] = {95.0F, 2500.0F, 0.0F},
                       usual[COLUMNS] = {25.0F, 2520.0F, 0.0F};
    static float x[ROWS * COLUMNS];
    struct tt_forest *forest;
    struct tt_error err;
    void *scratch;
    bool right;

    measure(x);
    if (learn(x, &forest, &err) != TT_OK) {
        (void)fprintf(stderr, "example_forest: %s\n", err.message);
        return 1;
    }
    scratch = tt_malloc(tt_forest_scratch_size(forest));
    right =
        scratch != NULL && judge(forest, slow, scratch) == 0 && judge(forest, usual, scratch) < 0;
    tt_free(scratch);
    tt_forest_unref(forest);
    return right ? 0 : 1;
}
