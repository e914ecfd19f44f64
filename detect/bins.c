/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/bins_encode.h"

#include <math.h>

#define MOST_ROWS  ((size_t)32768)
#define MOST_TAILS 40 /* more than 0.1 % of MOST_ROWS */

/* The `count` least values seen so far, ascending. */
struct tail {
    float values[MOST_TAILS];
    size_t count, wanted;
};

static void tail_add(struct tail *tail, float x)
{
    size_t at = tail->count;

    if (at == tail->wanted) {
        if (x >= tail->values[at - 1])
            return;
        at--;
    } else {
        tail->count++;
    }
    while (at > 0 && tail->values[at - 1] > x) {
        tail->values[at] = tail->values[at - 1];
        at--;
    }
    tail->values[at] = x;
}

/* Order statistics number ceil(n / 1000) from either end, of the n finite values. A tail keeps enough for the rows there
 * might be, and which of them it is depends on how many were finite. */
static struct tt_bin_range learn_range(const struct tt_rows *rows, uint32_t column, size_t step)
{
    struct tail low = {.wanted = rows->count / step / 1000 + 2};
    struct tail high = {.wanted = low.wanted};
    size_t finite = 0, seen = 0, missing = 0, rank;

    for (size_t i = 0; i < rows->count; i += step) {
        float x = tt_row(rows, i)[column];
        seen++;
        missing += isnan(x) != 0;
        if (!isfinite(x))
            continue;
        tail_add(&low, x);
        tail_add(&high, -x);
        finite++;
    }
    if (finite == 0)
        return (struct tt_bin_range){0.0F, 0.0F, missing > 0};
    rank = (finite - 1) / 1000;
    return (struct tt_bin_range){low.values[rank], -high.values[rank], missing * 1000 > seen};
}

static enum tt_status allocate(uint32_t columns, struct tt_bins *bins, struct tt_error *err)
{
    *bins = (struct tt_bins){.columns = columns};
    if (columns == 0)
        return tt_fail(err, TT_INVALID_DATA, "make bins: no columns");
    bins->low = tt_calloc(columns, sizeof(*bins->low));
    bins->high = tt_calloc(columns, sizeof(*bins->high));
    bins->scale = tt_calloc(columns, sizeof(*bins->scale));
    bins->gaps = tt_calloc(columns, sizeof(*bins->gaps));
    if (bins->low != NULL && bins->high != NULL && bins->scale != NULL && bins->gaps != NULL)
        return TT_OK;
    tt_bins_done(bins);
    return tt_fail(err, TT_NO_MEMORY, "make bins of %u columns", columns);
}

static void set_range(struct tt_bins *bins, uint32_t column, struct tt_bin_range range)
{
    double width = (double)range.high - (double)range.low;

    /* + 0: a zero has one sign, or a model that was written and read would not be the same bytes. */
    bins->low[column] = range.low + 0.0F;
    bins->high[column] = range.high + 0.0F;
    bins->gaps[column] = range.gaps;
    bins->scale[column] = width > 0.0 ? TT_BIN_INSIDE / width : 0.0;
}

enum tt_status tt_bins_learn(const struct tt_rows *rows, struct tt_bins *ret_bins,
                             struct tt_error *err)
{
    size_t step = (rows->count + MOST_ROWS - 1) / MOST_ROWS;
    enum tt_status status = allocate(rows->columns, ret_bins, err);

    if (status != TT_OK)
        return status;
    for (uint32_t c = 0; c < rows->columns; c++)
        set_range(ret_bins, c, learn_range(rows, c, step == 0 ? 1 : step));
    return TT_OK;
}

enum tt_status tt_bins_make(const struct tt_bin_range *ranges, uint32_t columns,
                            struct tt_bins *ret_bins, struct tt_error *err)
{
    enum tt_status status = allocate(columns, ret_bins, err);

    for (uint32_t c = 0; status == TT_OK && c < columns; c++) {
        if (!isfinite(ranges[c].low) || !isfinite(ranges[c].high) || ranges[c].low > ranges[c].high)
            status = tt_fail(err, TT_INVALID_DATA,
                             "make bins: the range of column %u is inverted or not finite", c);
        else
            set_range(ret_bins, c, ranges[c]);
    }
    if (status != TT_OK)
        tt_bins_done(ret_bins);
    return status;
}

void tt_bins_done(struct tt_bins *bins)
{
    tt_free(bins->low);
    tt_free(bins->high);
    tt_free(bins->scale);
    tt_free(bins->gaps);
    *bins = (struct tt_bins){0};
}

bool tt_bins_encode_row(const struct tt_bins *bins, const float *row, uint8_t *ret_codes)
{
    return tt_bins_encode_row_inline(bins, row, ret_codes);
}

uint64_t tt_bins_encode_block(const struct tt_bins *bins, const float *rows, size_t count,
                              size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    return tt_bins_encode_inline(bins, rows, count, stride, tile, ret_block);
}

double tt_bins_outside_of(const struct tt_bins *bins, uint32_t column, float x)
{
    double low = (double)bins->low[column], high = (double)bins->high[column], distance;

    if (isnan(x))
        return bins->gaps[column] ? 0.0 : 1.0;
    if (x >= bins->low[column] && x <= bins->high[column])
        return 0.0;
    if (isinf(x))
        return 1.0;
    distance = (double)x < low ? low - (double)x : (double)x - high;
    return distance / (distance + (high - low));
}

double tt_bins_outside(const struct tt_bins *bins, const float *row)
{
    double sum = 0.0;

    for (uint32_t c = 0; c < bins->columns; c++)
        sum += tt_bins_outside_of(bins, c, row[c]);
    return sum / bins->columns;
}
