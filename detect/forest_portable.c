/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_internal.h"

/*
 * The kernel for every processor: 8 rows go down a tree side by side, so that the loads of one hide those of the others.
 */

#define TOGETHER 8

static void sum_tree(const struct tt_tree_words *words, const uint8_t *block, uint32_t *sums)
{
    for (unsigned r = 0; r < TT_BLOCK_ROWS; r += TOGETHER) {
        unsigned at[TOGETHER] = {1, 1, 1, 1, 1, 1, 1, 1};
        for (unsigned level = 0; level < TT_TREE_LEVELS; level++) {
            for (unsigned j = 0; j < TOGETHER; j++) {
                uint32_t word = words->node[at[j]];
                at[j] = 2 * at[j] + (block[(word >> 8) + r + j] > (word & 255));
            }
        }
        for (unsigned j = 0; j < TOGETHER; j++)
            sums[r + j] += words->leaf[at[j] - 256];
    }
}

void tt_forest_sum_portable(const struct tt_forest_tables *tables, const uint8_t *blocks,
                            size_t n_blocks, uint32_t *ret_sums)
{
    size_t block_size = (size_t)tables->columns * TT_BLOCK_ROWS;

    memset(ret_sums, 0, n_blocks * TT_BLOCK_ROWS * sizeof(*ret_sums));
    for (uint32_t tree = 0; tree < tables->trees; tree++)
        for (size_t b = 0; b < n_blocks; b++)
            sum_tree(&tables->words[tree], blocks + b * block_size, ret_sums + b * TT_BLOCK_ROWS);
}
