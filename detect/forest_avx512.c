/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/bins_encode.h"
#include "detect/forest_internal.h"

/*
 * 64 rows go down one tree in step, a byte lane each. A node's number is an index into registers that hold the tree's
 * thresholds and columns (vpermb, vpermi2b: AVX-512 VBMI); the column's value is picked from the level's columns by
 * halving, one blend for each bit of the key.
 */

#if defined(__x86_64__)

#include <immintrin.h>

#define VBMI  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi")))
#define INNER VBMI __attribute__((always_inline)) static inline

bool tt_forest_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vbmi");
}

INNER __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

INNER __m512i column_of(const uint8_t *block, uint16_t column)
{
    return load(block + (size_t)column * TT_BLOCK_ROWS);
}

INNER __mmask64 bit_of(__m512i key, unsigned bit)
{
    return _mm512_test_epi8_mask(key, _mm512_set1_epi8((char)(1U << bit)));
}

/* One of two columns by bit 0 of the key, of four by bits 0 and 1, and so on. */
INNER __m512i pick2(const uint8_t *block, const uint16_t *columns, __mmask64 bit0)
{
    return _mm512_mask_blend_epi8(bit0, column_of(block, columns[0]), column_of(block, columns[1]));
}

INNER __m512i pick4(const uint8_t *block, const uint16_t *columns, __mmask64 bit0, __mmask64 bit1)
{
    return _mm512_mask_blend_epi8(bit1, pick2(block, columns, bit0),
                                  pick2(block, columns + 2, bit0));
}

INNER __m512i pick8(const uint8_t *block, const uint16_t *columns, __mmask64 bit0, __mmask64 bit1,
                    __mmask64 bit2)
{
    return _mm512_mask_blend_epi8(bit2, pick4(block, columns, bit0, bit1),
                                  pick4(block, columns + 4, bit0, bit1));
}

INNER __m512i pick16(const uint8_t *block, const uint16_t *columns, __m512i key)
{
    __mmask64 bit0 = bit_of(key, 0), bit1 = bit_of(key, 1), bit2 = bit_of(key, 2);

    return _mm512_mask_blend_epi8(bit_of(key, 3), pick8(block, columns, bit0, bit1, bit2),
                                  pick8(block, columns + 8, bit0, bit1, bit2));
}

INNER __m512i pick_many(const uint8_t *block, const uint16_t *columns, unsigned width, __m512i key)
{
    __m512i picked = pick16(block, columns, key);
    __m512i group = _mm512_and_si512(_mm512_srli_epi16(key, 4), _mm512_set1_epi8(15));

    for (unsigned i = 16; i < width; i += 16) {
        __mmask64 here = _mm512_cmpeq_epi8_mask(group, _mm512_set1_epi8((char)(i / 16)));
        picked = _mm512_mask_blend_epi8(here, picked, pick16(block, columns + i, key));
    }
    return picked;
}

INNER __m512i pick(const uint8_t *block, const uint16_t *columns, unsigned width, __m512i key)
{
    if (width == 16)
        return pick16(block, columns, key);
    if (width == 8)
        return pick8(block, columns, bit_of(key, 0), bit_of(key, 1), bit_of(key, 2));
    if (width == 4)
        return pick4(block, columns, bit_of(key, 0), bit_of(key, 1));
    if (width == 2)
        return pick2(block, columns, bit_of(key, 0));
    if (width == 1)
        return column_of(block, columns[0]);
    return pick_many(block, columns, width, key);
}

/* 2 * node, and 1 more where the value is over the threshold. */
INNER __m512i step(__m512i node, __m512i value, __m512i threshold)
{
    __mmask64 right = _mm512_cmpgt_epu8_mask(value, threshold);
    __m512i twice = _mm512_add_epi8(node, node);

    return _mm512_mask_add_epi8(twice, right, twice, _mm512_set1_epi8(1));
}

struct registers {
    __m512i threshold[4], key[4], leaf[4];
};

INNER __m512i descend(const struct tt_tree_table *table, const struct registers *tree,
                      const uint8_t *block)
{
    __m512i node = _mm512_set1_epi8(1), threshold, key;

#pragma GCC unroll 6
    for (unsigned level = 0; level < 6; level++) { /* nodes 1 … 63 */
        threshold = _mm512_permutexvar_epi8(node, tree->threshold[0]);
        key = _mm512_permutexvar_epi8(node, tree->key[0]);
        node = step(node, pick(block, table->columns + (1U << level), table->widths[level], key),
                    threshold);
    }
    threshold = _mm512_permutexvar_epi8(node, tree->threshold[1]); /* 64 … 127 */
    key = _mm512_permutexvar_epi8(node, tree->key[1]);
    node = step(node, pick(block, table->columns + 64, table->widths[6], key), threshold);
    threshold = _mm512_permutex2var_epi8(tree->threshold[2], node, tree->threshold[3]);
    key = _mm512_permutex2var_epi8(tree->key[2], node, tree->key[3]); /* 128 … 255 */
    return step(node, pick(block, table->columns + 128, table->widths[7], key), threshold);
}

INNER __m512i leaf_of(const struct registers *tree, __m512i node)
{
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(node),
                                  _mm512_permutex2var_epi8(tree->leaf[0], node, tree->leaf[1]),
                                  _mm512_permutex2var_epi8(tree->leaf[2], node, tree->leaf[3]));
}

/* Adds 64 bytes to 64 sums. */
INNER void add_to(uint32_t *sums, __m512i bytes)
{
    __m128i part[4];

    part[0] = _mm512_castsi512_si128(bytes);
    part[1] = _mm512_extracti32x4_epi32(bytes, 1);
    part[2] = _mm512_extracti32x4_epi32(bytes, 2);
    part[3] = _mm512_extracti32x4_epi32(bytes, 3);
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++)
        _mm512_storeu_si512(sums + 16 * i,
                            _mm512_add_epi32(load(sums + 16 * i), _mm512_cvtepu8_epi32(part[i])));
}

VBMI void tt_forest_sum_avx512(const struct tt_forest_tables *tables, const uint8_t *blocks,
                               size_t n_blocks, uint32_t *ret_sums)
{
    size_t block_size = (size_t)tables->columns * TT_BLOCK_ROWS;

    memset(ret_sums, 0, n_blocks * TT_BLOCK_ROWS * sizeof(*ret_sums));
    for (uint32_t t = 0; t < tables->trees; t++) {
        const struct tt_tree_table *table = &tables->table[t];
        struct registers tree;
        for (unsigned i = 0; i < 4; i++) {
            tree.threshold[i] = load(table->threshold + i * 64);
            tree.key[i] = load(table->key + i * 64);
            tree.leaf[i] = load(table->leaf + i * 64);
        }
        for (size_t b = 0; b < n_blocks; b++) {
            __m512i node = descend(table, &tree, blocks + b * block_size);
            add_to(ret_sums + b * TT_BLOCK_ROWS, leaf_of(&tree, node));
        }
    }
}

VBMI uint64_t tt_bins_encode_avx512(const struct tt_bins *bins, const float *rows, size_t count,
                                    size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    return tt_bins_encode_inline(bins, rows, count, stride, tile, ret_block);
}

#else

bool tt_forest_has_avx512(void)
{
    return false;
}

void tt_forest_sum_avx512(const struct tt_forest_tables *tables, const uint8_t *blocks,
                          size_t n_blocks, uint32_t *ret_sums)
{
    tt_forest_sum_portable(tables, blocks, n_blocks, ret_sums);
}

uint64_t tt_bins_encode_avx512(const struct tt_bins *bins, const float *rows, size_t count,
                               size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    return tt_bins_encode_block(bins, rows, count, stride, tile, ret_block);
}

#endif
