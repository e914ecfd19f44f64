/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/index.h"
#include "otlp/key.h"

#include <assert.h>

static size_t column_entry_size(const struct tt_column *column)
{
    return column->desc->type == TT_COLUMN_TEXT ? sizeof(struct tt_str) : sizeof(double);
}

static size_t bitmap_words(uint32_t rows)
{
    return ((size_t)rows + 63) / 64;
}

/* Gives column arrays for `capacity` rows with the first n_rows of its present ones; false when memory is gone. Values are
 * not zeroed: nobody reads one whose bit is not set. */
static bool resize_column(struct tt_arena *arena, struct tt_column *column, uint32_t n_rows,
                          uint32_t capacity)
{
    size_t size = column_entry_size(column);
    uint64_t *valid = tt_arena_calloc(arena, bitmap_words(capacity) + 1, sizeof(*valid));
    void *values = tt_arena_alloc(arena, (size_t)capacity * size + 1);

    if (valid == NULL || values == NULL)
        return false;
    if (n_rows > 0) {
        memcpy(valid, column->valid, bitmap_words(n_rows) * sizeof(*valid));
        memcpy(values, column->reals, n_rows * size);
    }
    column->valid = valid;
    column->reals = values; /* whatever the type: the members of the union are all pointers */
    return true;
}

bool tt_batch_resize_columns(struct tt_batch *batch, uint32_t capacity)
{
    for (uint32_t i = 0; i < batch->n_columns; i++)
        if (!resize_column(&batch->arena, &batch->columns[i], batch->n_rows, capacity))
            return false;
    return true;
}

static struct tt_column *column_named(const struct tt_batch *batch, struct tt_str name)
{
    for (uint32_t i = 0; i < batch->n_columns; i++)
        if (tt_str_equal(tt_str(batch->columns[i].desc->name), name))
            return &batch->columns[i];
    return NULL;
}

const struct tt_column *tt_batch_find_column(const struct tt_batch *batch, struct tt_str name)
{
    return column_named(batch, name);
}

struct tt_column *tt_batch_column(struct tt_batch *batch, const struct tt_column_desc *desc)
{
    struct tt_str name = tt_str(desc->name);
    struct tt_column *column = column_named(batch, name);
    struct tt_column fresh = {.desc = desc};

    assert(batch->references == 1);
    if (column != NULL)
        return column;
    if (!resize_column(&batch->arena, &fresh, 0, batch->rows_capacity))
        return NULL;
    column = TT_NEW_ENTRY(batch, columns, n_columns);
    if (column == NULL)
        return NULL;
    *column = fresh;
    tt_key_filter_add(batch->column_filter, name);
    batch->edited = true;
    return column;
}
