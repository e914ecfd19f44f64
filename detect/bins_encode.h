/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_BINS_ENCODE_H
#define TT_DETECT_BINS_ENCODE_H

/* The loops of encoding, to be compiled once for every kind of processor. Private to detect/. */

#include "detect/bins.h"

__attribute__((always_inline)) static inline bool tt_bins_encode_row_inline(
    const struct tt_bins *bins, const float *row, uint8_t *restrict codes)
{
    const float *low = bins->low, *high = bins->high;
    const double *scale = bins->scale;
    uint8_t odd = 0;

    for (uint32_t c = 0; c < bins->columns; c++) {
        codes[c] = tt_bin_code(low[c], high[c], scale[c], row[c]);
        odd |= tt_bin_is_odd(codes[c]);
    }
    return odd != 0;
}

/* By rows into the tile, which vectorises, then the tile is turned. */
__attribute__((always_inline)) static inline uint64_t tt_bins_encode_inline(
    const struct tt_bins *bins, const float *rows, size_t count, size_t stride,
    uint8_t *restrict tile, uint8_t *restrict block)
{
    size_t columns = bins->columns;
    uint64_t odd = 0;

    for (size_t r = 0; r < count; r++) {
        bool is_odd = tt_bins_encode_row_inline(bins, rows + r * stride, tile + r * columns);
        odd |= (uint64_t)is_odd << r;
    }
    for (size_t r = count; r < TT_BLOCK_ROWS; r++)
        memcpy(tile + r * columns, tile, columns);
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < TT_BLOCK_ROWS; r++)
            block[c * TT_BLOCK_ROWS + r] = tile[r * columns + c];
    return odd;
}

#endif
