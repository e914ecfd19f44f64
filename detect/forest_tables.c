/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"

#define CACHE_LINE 64

/* ---- the order of the nodes ---- */

bool tt_tree_link(struct tt_forest_node *nodes, uint32_t count, uint32_t max_depth)
{
    uint32_t inner = 0, level_end = 1, level = 0;

    for (uint32_t i = 0; i < count; i++) {
        nodes[i].left = 0;
        if (i == level_end) { /* the children of the level before have all been announced */
            level_end = 2 * inner + 1;
            level++;
        }
        if (nodes[i].column == TT_LEAF)
            continue;
        if (level >= max_depth)
            return false;
        nodes[i].left = 2 * inner++ + 1;
        if (nodes[i].left <= i || nodes[i].left + 1 >= count)
            return false;
    }
    return count > 0 && count == 2 * inner + 1;
}

enum tt_status tt_forest_expect(struct tt_forest *forest, struct tt_error *err)
{
    size_t count = forest->first[forest->options.trees];

    forest->expected = tt_calloc(count, sizeof(*forest->expected));
    if (forest->expected == NULL)
        return tt_fail(err, TT_NO_MEMORY, "expect sums of %zu nodes", count);
    for (uint32_t tree = 0; tree < forest->options.trees; tree++) {
        const struct tt_forest_node *nodes = forest->nodes + forest->first[tree];
        float *expected = forest->expected + forest->first[tree];
        /* Children come after their parent. */
        for (uint32_t i = forest->first[tree + 1] - forest->first[tree]; i-- > 0;) {
            uint32_t left = nodes[i].left;
            float a, b;
            expected[i] = nodes[i].value;
            if (nodes[i].column == TT_LEAF || nodes[i].samples == 0)
                continue;
            a = (float)nodes[left].samples;
            b = (float)nodes[left + 1].samples;
            expected[i] = (a * expected[left] + b * expected[left + 1]) / (a + b);
        }
    }
    return TT_OK;
}

/* ---- tables ---- */

/* Columns of a level: 1, 2, 4, 8 or a multiple of 16, so that a kernel picks by halving. */
static uint8_t padded_width(uint32_t width)
{
    uint32_t padded = 1;

    if (width > 16)
        return (uint8_t)((width + 15) / 16 * 16);
    while (padded < width)
        padded *= 2;
    return (uint8_t)padded;
}

/* The place of column among the level's, added when it is new. */
static uint8_t key_of(struct tt_tree_table *table, uint32_t level, uint32_t *width, uint16_t column)
{
    uint16_t *columns = table->columns + ((size_t)1 << level);
    uint32_t key = 0;

    while (key < *width && columns[key] != column)
        key++;
    if (key == *width)
        columns[(*width)++] = column;
    return (uint8_t)key;
}

/* heap[i]: which node of the tree stands at i; below a leaf the leaf itself goes on. */
static void spread(const struct tt_forest_node *nodes, uint32_t heap[512])
{
    heap[1] = 0;
    for (uint32_t i = 1; i < 256; i++) {
        const struct tt_forest_node *node = &nodes[heap[i]];
        heap[2 * i] = node->column == TT_LEAF ? heap[i] : node->left;
        heap[2 * i + 1] = node->column == TT_LEAF ? heap[i] : node->left + 1;
    }
}

static void make_table(const struct tt_forest_node *nodes, struct tt_tree_table *table,
                       struct tt_tree_words *words)
{
    uint32_t heap[512];

    spread(nodes, heap);
    memset(table, 0, sizeof(*table));
    for (uint32_t level = 0; level < TT_TREE_LEVELS; level++) {
        uint32_t width = 0, first = 1U << level;
        for (uint32_t i = first; i < 2 * first; i++) {
            const struct tt_forest_node *node = &nodes[heap[i]];
            /* Nothing is greater than 255: below a leaf everything goes left. */
            bool leaf = node->column == TT_LEAF;
            table->threshold[i] = leaf ? 255 : (uint8_t)node->threshold;
            table->key[i] = leaf ? 0 : key_of(table, level, &width, node->column);
            words->node[i] =
                leaf ? 255 : (uint32_t)node->column * TT_BLOCK_ROWS << 8 | table->threshold[i];
        }
        table->widths[level] = padded_width(width);
        for (uint32_t i = width; i < table->widths[level]; i++)
            table->columns[first + i] = table->columns[first];
    }
}

void tt_forest_tables_set_leaves(struct tt_forest *forest)
{
    uint32_t heap[512];

    for (uint32_t tree = 0; tree < forest->tables.trees; tree++) {
        const struct tt_forest_node *nodes = forest->nodes + forest->first[tree];
        struct tt_tree_table *table = &forest->tables.table[tree];
        spread(nodes, heap);
        for (uint32_t i = 0; i < 256; i++)
            table->leaf[i] = nodes[heap[256 + i]].value;
        memcpy(forest->tables.words[tree].leaf, table->leaf, sizeof(table->leaf));
    }
}

enum tt_status tt_forest_tables_make(struct tt_forest *forest, struct tt_error *err)
{
    struct tt_forest_tables *tables = &forest->tables;
    uint32_t trees = forest->options.trees;
    uintptr_t start;

    if (forest->options.exact || forest->options.max_depth == 0 ||
        forest->options.max_depth > TT_FOREST_FAST_DEPTH)
        return TT_OK;
    tables->memory =
        tt_malloc(CACHE_LINE + trees * (sizeof(*tables->table) + sizeof(*tables->words)));
    if (tables->memory == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make tables of %u trees", trees);
    start = ((uintptr_t)tables->memory + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    tables->table = (struct tt_tree_table *)start;
    tables->words = (struct tt_tree_words *)(void *)(tables->table + trees);
    tables->trees = trees;
    tables->columns = forest->bins.columns;
    for (uint32_t tree = 0; tree < trees; tree++)
        make_table(forest->nodes + forest->first[tree], &tables->table[tree], &tables->words[tree]);
    tt_forest_tables_set_leaves(forest);
    return TT_OK;
}
