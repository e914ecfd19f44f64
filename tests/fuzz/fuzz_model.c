/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a forest: as a JSON model, and, with their hash put right, as plain bytes. What is read scores any row
 * with a number in [0, 1], alike in a batch and alone, and is the same after it was written and read again.
 */
#include "base/mem.h"
#include "model/forest_model.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_OUT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void *allocate(size_t size)
{
    void *p = tt_malloc(size);

    require(p != NULL, "out of memory");
    return p;
}

/* 70 rows: a whole block and a bit, of the values that matter. */
static void check_scores(const struct tt_forest *forest)
{
    static const float values[] = {0.0F,
                                   1.0F,
                                   -1.0F,
                                   100.5F,
                                   3e38F,
                                   -3e38F,
                                   1e-45F,
                                   __builtin_inff(),
                                   -__builtin_inff(),
                                   __builtin_nanf("")};
    uint32_t columns = tt_forest_columns(forest);
    float *x = allocate(70 * sizeof(float) * columns), *credit = allocate(columns * sizeof(float));
    void *scratch = allocate(tt_forest_scratch_size(forest));
    struct tt_rows rows = {x, 70, columns, columns};
    float scores[70], alone;

    for (size_t i = 0; i < (size_t)70 * columns; i++)
        x[i] = values[(i * 7 + i / 11) % TT_LENGTH(values)];
    tt_forest_score(forest, &rows, scores, scratch);
    for (size_t i = 0; i < 70; i++) {
        struct tt_rows one = {tt_row(&rows, i), 1, columns, columns};
        require(scores[i] >= 0.0F && scores[i] <= 1.0F, "a score outside [0, 1]");
        tt_forest_score(forest, &one, &alone, scratch);
        require(alone == scores[i], "a row alone scores otherwise");
    }
    (void)tt_forest_explain(forest, x, credit, scratch);
    tt_free(x);
    tt_free(credit);
    tt_free(scratch);
}

static void check_bytes(const struct tt_forest *forest)
{
    struct tt_buffer first, second;
    struct tt_forest *again = NULL;

    tt_buffer_init(&first, MAX_OUT);
    tt_buffer_init(&second, MAX_OUT);
    require(tt_forest_write(forest, &first, NULL) == TT_OK, "cannot be written");
    require(tt_forest_read(first.data, first.len, &again, NULL) == TT_OK, "cannot be read back");
    require(tt_forest_write(again, &second, NULL) == TT_OK, "cannot be written again");
    require(tt_str_equal(tt_buffer_view(&first), tt_buffer_view(&second)), "other bytes");
    tt_forest_unref(again);
    tt_buffer_done(&first);
    tt_buffer_done(&second);
}

static void check_json(struct tt_str text)
{
    struct tt_forest_model *model = NULL, *again = NULL;
    struct tt_buffer first, second;
    struct tt_error err;

    if (tt_forest_model_read(text, &model, &err) != TT_OK) {
        require(err.message[0] != '\0' && model == NULL, "a fault without a message");
        return;
    }
    tt_buffer_init(&first, MAX_OUT);
    tt_buffer_init(&second, MAX_OUT);
    check_scores(model->forest);
    check_bytes(model->forest);
    require(tt_forest_model_write(model, &first, NULL) == TT_OK, "a model cannot be written");
    require(tt_forest_model_read(tt_buffer_view(&first), &again, &err) == TT_OK, err.message);
    require(tt_forest_model_write(again, &second, NULL) == TT_OK,
            "a model cannot be written again");
    require(tt_str_equal(tt_buffer_view(&first), tt_buffer_view(&second)), "other text");
    tt_buffer_done(&first);
    tt_buffer_done(&second);
    tt_forest_model_free(model);
    tt_forest_model_free(again);
}

static void check_plain(const uint8_t *data, size_t size)
{
    uint8_t *bytes = allocate(size + 8);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct tt_forest *forest = NULL;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    memcpy(bytes, data, size);
    for (unsigned i = 0; i < 8; i++)
        bytes[size + i] = (uint8_t)(hash >> (8 * i));
    if (tt_forest_read(bytes, size + 8, &forest, NULL) == TT_OK) {
        check_scores(forest);
        check_bytes(forest);
    }
    tt_forest_unref(forest);
    tt_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_json(tt_str_of(data, size));
    check_plain(data, size);
    return 0;
}
