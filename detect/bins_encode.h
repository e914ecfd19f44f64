/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_BINS_ENCODE_H
#define TT_DETECT_BINS_ENCODE_H

/* The loops of encoding, to be compiled once for every kind of processor. Private to detect/. */

#include "detect/bins.h"

/* As many columns at once fill a register of 32-bit lanes; a loop over all would be cut for bytes, and most rows are shorter. */
#define TT_ENCODE_TOGETHER 16

__attribute__((always_inline)) static inline void tt_encode_together(
    const float *restrict low, const float *restrict high, const double *restrict scale,
    const float *restrict x, uint8_t *restrict codes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        codes[i] = tt_bin_code(low[i], high[i], scale[i], x[i]);
}

__attribute__((always_inline)) static inline bool tt_bins_encode_row_inline(
    const struct tt_bins *bins, const float *row, uint8_t *restrict codes)
{
    uint32_t columns = bins->columns, c = 0;
    uint8_t odd = 0;

    for (; c + TT_ENCODE_TOGETHER <= columns; c += TT_ENCODE_TOGETHER)
        tt_encode_together(bins->low + c, bins->high + c, bins->scale + c, row + c, codes + c,
                           TT_ENCODE_TOGETHER);
    tt_encode_together(bins->low + c, bins->high + c, bins->scale + c, row + c, codes + c,
                       columns - c);
    for (c = 0; c < columns; c++)
        odd |= tt_bin_is_odd(codes[c]);
    return odd != 0;
}

typedef uint8_t tt_bytes16 __attribute__((vector_size(16)));

/* Transposes 16 x 16 bytes: four perfect shuffles of the 16 rows move the bits of a byte's column number to its row. */
__attribute__((always_inline)) static inline void tt_turn16(const uint8_t *restrict from,
                                                            size_t from_stride,
                                                            uint8_t *restrict to, size_t to_stride)
{
    tt_bytes16 a[16], b[16];

    for (int i = 0; i < 16; i++)
        memcpy(&a[i], from + (size_t)i * from_stride, 16);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                               21, 6, 22, 7, 23);
            b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                                   28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(a, b, sizeof(a));
    }
    for (int i = 0; i < 16; i++)
        memcpy(to + (size_t)i * to_stride, &a[i], 16);
}

/* By rows into the tile, which vectorises, then the tile is turned. */
__attribute__((always_inline)) static inline uint64_t tt_bins_encode_inline(
    const struct tt_bins *bins, const float *rows, size_t count, size_t stride,
    uint8_t *restrict tile, uint8_t *restrict block)
{
    size_t columns = bins->columns, c = 0;
    uint64_t odd = 0;

    for (size_t r = 0; r < count; r++) {
        bool is_odd = tt_bins_encode_row_inline(bins, rows + r * stride, tile + r * columns);
        odd |= (uint64_t)is_odd << r;
    }
    for (size_t r = count; r < TT_BLOCK_ROWS; r++)
        memcpy(tile + r * columns, tile, columns);
    for (; c + 16 <= columns; c += 16)
        for (size_t r = 0; r < TT_BLOCK_ROWS; r += 16)
            tt_turn16(tile + r * columns + c, columns, block + c * TT_BLOCK_ROWS + r,
                      TT_BLOCK_ROWS);
    for (; c < columns; c++)
        for (size_t r = 0; r < TT_BLOCK_ROWS; r++)
            block[c * TT_BLOCK_ROWS + r] = tile[r * columns + c];
    return odd;
}

#endif
