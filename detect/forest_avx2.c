/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/bins_encode.h"
#include "detect/forest_internal.h"

/*
 * As forest_avx512.c with 32 rows in step. A register of table is 16 bytes here (vpshufb), so that the deep levels look up
 * several and choose between them by the upper bits of the node's number.
 */

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2  __attribute__((target("avx2")))
#define INNER AVX2 __attribute__((always_inline)) static inline
#define LANES 32

bool tt_forest_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

/* 16 bytes of table in both halves of a register. */
INNER __m256i load_table(const uint8_t *bytes)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

INNER __m256i column_of(const uint8_t *lanes, uint16_t column)
{
    return _mm256_loadu_si256(
        (const __m256i *)(const void *)(lanes + (size_t)column * TT_BLOCK_ROWS));
}

/* blendv looks at the top bit of each byte: brings bit `bit` there. Bits that cross from the byte below stay under it. */
INNER __m256i top_bit(__m256i x, int bit)
{
    return _mm256_slli_epi16(x, 7 - bit);
}

/* Entry `node` of a table of 16 << bits bytes; bits 4 and up of node choose the register. */
INNER __m256i look_up(const uint8_t *table, unsigned bits, __m256i node)
{
    __m256i low = _mm256_and_si256(node, _mm256_set1_epi8(15)), entry[16];
    unsigned count = 1U << bits;

#pragma GCC unroll 16
    for (unsigned i = 0; i < count; i++)
        entry[i] = _mm256_shuffle_epi8(load_table(table + (size_t)16 * i), low);
#pragma GCC unroll 4
    for (unsigned bit = 0; bit < bits; bit++) {
        __m256i chosen = top_bit(node, (int)(4 + bit));
        count /= 2;
#pragma GCC unroll 8
        for (unsigned i = 0; i < count; i++)
            entry[i] = _mm256_blendv_epi8(entry[2 * i], entry[2 * i + 1], chosen);
    }
    return entry[0];
}

INNER __m256i pick2(const uint8_t *lanes, const uint16_t *columns, __m256i bit0)
{
    return _mm256_blendv_epi8(column_of(lanes, columns[0]), column_of(lanes, columns[1]), bit0);
}

INNER __m256i pick4(const uint8_t *lanes, const uint16_t *columns, __m256i bit0, __m256i bit1)
{
    return _mm256_blendv_epi8(pick2(lanes, columns, bit0), pick2(lanes, columns + 2, bit0), bit1);
}

INNER __m256i pick8(const uint8_t *lanes, const uint16_t *columns, __m256i bit0, __m256i bit1,
                    __m256i bit2)
{
    return _mm256_blendv_epi8(pick4(lanes, columns, bit0, bit1),
                              pick4(lanes, columns + 4, bit0, bit1), bit2);
}

INNER __m256i pick16(const uint8_t *lanes, const uint16_t *columns, __m256i key)
{
    __m256i bit0 = top_bit(key, 0), bit1 = top_bit(key, 1), bit2 = top_bit(key, 2);

    return _mm256_blendv_epi8(pick8(lanes, columns, bit0, bit1, bit2),
                              pick8(lanes, columns + 8, bit0, bit1, bit2), top_bit(key, 3));
}

INNER __m256i pick_many(const uint8_t *lanes, const uint16_t *columns, unsigned width, __m256i key)
{
    __m256i picked = pick16(lanes, columns, key);
    __m256i group = _mm256_and_si256(_mm256_srli_epi16(key, 4), _mm256_set1_epi8(15));

    for (unsigned i = 16; i < width; i += 16) {
        __m256i here = _mm256_cmpeq_epi8(group, _mm256_set1_epi8((char)(i / 16)));
        picked = _mm256_blendv_epi8(picked, pick16(lanes, columns + i, key), here);
    }
    return picked;
}

INNER __m256i pick(const uint8_t *lanes, const uint16_t *columns, unsigned width, __m256i key)
{
    if (width == 16)
        return pick16(lanes, columns, key);
    if (width == 8)
        return pick8(lanes, columns, top_bit(key, 0), top_bit(key, 1), top_bit(key, 2));
    if (width == 4)
        return pick4(lanes, columns, top_bit(key, 0), top_bit(key, 1));
    if (width == 2)
        return pick2(lanes, columns, top_bit(key, 0));
    if (width == 1)
        return column_of(lanes, columns[0]);
    return pick_many(lanes, columns, width, key);
}

/* One level: bits of the level's number over the 16 entries of a register. */
INNER __m256i step(const struct tt_tree_table *table, unsigned level, const uint8_t *lanes,
                   __m256i node)
{
    unsigned bits = level < 4 ? 0 : level - 4, at = level < 4 ? 0 : 1U << level;
    __m256i threshold = look_up(table->threshold + at, bits, node);
    __m256i key = look_up(table->key + at, bits, node);
    __m256i value = pick(lanes, table->columns + (1U << level), table->widths[level], key);
    /* All ones where the value is at most the threshold: 2 * node + 1 - 1. */
    __m256i left = _mm256_cmpeq_epi8(_mm256_subs_epu8(value, threshold), _mm256_setzero_si256());

    return _mm256_add_epi8(_mm256_add_epi8(node, node), _mm256_add_epi8(left, _mm256_set1_epi8(1)));
}

INNER void add_to(uint32_t *sums, __m256i bytes)
{
    __m128i half[2] = {_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)};

#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        __m256i *at = (__m256i *)(void *)(sums + 8 * i);
        __m128i eight = i % 2 == 0 ? half[i / 2] : _mm_srli_si128(half[i / 2], 8);
        _mm256_storeu_si256(at,
                            _mm256_add_epi32(_mm256_loadu_si256(at), _mm256_cvtepu8_epi32(eight)));
    }
}

AVX2 void tt_forest_sum_avx2(const struct tt_forest_tables *tables, const uint8_t *blocks,
                             size_t n_blocks, uint32_t *ret_sums)
{
    size_t block_size = (size_t)tables->columns * TT_BLOCK_ROWS;

    memset(ret_sums, 0, n_blocks * TT_BLOCK_ROWS * sizeof(*ret_sums));
    for (uint32_t t = 0; t < tables->trees; t++) {
        const struct tt_tree_table *table = &tables->table[t];
        for (size_t half = 0; half < 2 * n_blocks; half++) {
            const uint8_t *lanes = blocks + half / 2 * block_size + half % 2 * LANES;
            __m256i node = _mm256_set1_epi8(1);
#pragma GCC unroll 8
            for (unsigned level = 0; level < TT_TREE_LEVELS; level++)
                node = step(table, level, lanes, node);
            add_to(ret_sums + half * LANES, look_up(table->leaf, 4, node));
        }
    }
}

AVX2 uint64_t tt_bins_encode_avx2(const struct tt_bins *bins, const float *rows, size_t count,
                                  size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    return tt_bins_encode_inline(bins, rows, count, stride, tile, ret_block);
}

#else

bool tt_forest_has_avx2(void)
{
    return false;
}

void tt_forest_sum_avx2(const struct tt_forest_tables *tables, const uint8_t *blocks,
                        size_t n_blocks, uint32_t *ret_sums)
{
    tt_forest_sum_portable(tables, blocks, n_blocks, ret_sums);
}

uint64_t tt_bins_encode_avx2(const struct tt_bins *bins, const float *rows, size_t count,
                             size_t stride, uint8_t *tile, uint8_t *ret_block)
{
    return tt_bins_encode_block(bins, rows, count, stride, tile, ret_block);
}

#endif
