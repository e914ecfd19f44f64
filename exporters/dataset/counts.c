/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/counts.h"

#define MAX_COUNTS 1000

void dataset_counts_init(struct dataset_counts *counts)
{
    tt_map_init(&counts->map, MAX_COUNTS + 1);
    tt_arena_init(&counts->arena, 1024, (size_t)1 << 20);
}

void dataset_counts_done(struct dataset_counts *counts)
{
    tt_map_done(&counts->map);
    tt_arena_done(&counts->arena);
}

static struct dataset_count *count_of(struct dataset_counts *counts, struct tt_str name)
{
    struct dataset_count *count = tt_map_get(&counts->map, name);

    if (count != NULL)
        return count;
    if (counts->map.count >= MAX_COUNTS && !tt_str_equal(name, TT_STR("__overflow__")))
        return NULL;
    count = tt_arena_calloc(&counts->arena, 1, sizeof(*count));
    if (count == NULL)
        return NULL;
    count->name = tt_arena_copy(&counts->arena, name);
    if (count->name.data == NULL || tt_map_put(&counts->map, count->name, count) != TT_OK)
        return NULL;
    return count;
}

void dataset_count(struct dataset_counts *counts, struct tt_str name, unsigned signal,
                   uint64_t rows)
{
    struct tt_str known = name.len > 256 ? tt_str_of(name.data, 256) : name;
    struct dataset_count *count = count_of(counts, known);

    if (count == NULL)
        count = count_of(counts, TT_STR("__overflow__"));
    if (count != NULL)
        count->rows[signal] += rows;
}
