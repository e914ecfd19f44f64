/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/mem.h"

enum { FIRST_CAPACITY = 8 };

/* Each map has a seed of its own: walking one map while filling another in the order of the same hash would
 * make linear probing quadratic. */
void tt_map_init(struct tt_map *map, size_t max_entries)
{
    uintptr_t self = (uintptr_t)map;

    *map = (struct tt_map){
        .max_entries = max_entries,
        .seed = tt_hash(&self, sizeof(self), tt_hash_seed()),
    };
}

void tt_map_done(struct tt_map *map)
{
    tt_free(map->slots);
    map->slots = NULL;
    map->count = map->capacity = 0;
}

void tt_map_clear(struct tt_map *map)
{
    if (map->count > 0)
        memset(map->slots, 0, map->capacity * sizeof(*map->slots));
    map->count = 0;
}

/* 0 marks a free slot. */
static uint64_t hash_of(const struct tt_map *map, struct tt_str key)
{
    uint64_t hash = tt_hash(key.data, key.len, map->seed);

    return hash == 0 ? 1 : hash;
}

/* The slot that holds key, or the free one where it belongs. The table is never full. */
static struct tt_map_slot *find(const struct tt_map *map, struct tt_str key, uint64_t hash)
{
    size_t mask = map->capacity - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct tt_map_slot *slot = &map->slots[i];
        if (slot->hash == 0 || (slot->hash == hash && tt_str_equal(slot->key, key)))
            return slot;
    }
}

void *tt_map_get(const struct tt_map *map, struct tt_str key)
{
    return map->count == 0 ? NULL : find(map, key, hash_of(map, key))->value;
}

static enum tt_status grow(struct tt_map *map)
{
    size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    size_t mask = capacity - 1;
    struct tt_map_slot *slots =
        capacity < map->capacity ? NULL : tt_calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return TT_NO_MEMORY;
    for (size_t old = 0; old < map->capacity; old++) {
        size_t i = map->slots[old].hash & mask;
        if (map->slots[old].hash == 0)
            continue;
        while (slots[i].hash != 0)
            i = (i + 1) & mask;
        slots[i] = map->slots[old];
    }
    tt_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return TT_OK;
}

enum tt_status tt_map_put(struct tt_map *map, struct tt_str key, void *value)
{
    uint64_t hash = hash_of(map, key);
    struct tt_map_slot *slot = map->capacity == 0 ? NULL : find(map, key, hash);

    if (slot != NULL && slot->hash != 0) {
        slot->value = value;
        return TT_OK;
    }
    if (map->count >= map->max_entries)
        return TT_OVERLOADED;
    if (slot == NULL || map->count >= map->capacity / 4 * 3) {
        if (grow(map) != TT_OK)
            return TT_NO_MEMORY;
        slot = find(map, key, hash);
    }
    *slot = (struct tt_map_slot){.hash = hash, .key = key, .value = value};
    map->count++;
    return TT_OK;
}

/* Closes the gap at `hole`: an entry moves back when that brings it no further than its own home. */
static void shift_back(struct tt_map *map, size_t hole)
{
    size_t mask = map->capacity - 1;

    for (size_t i = (hole + 1) & mask; map->slots[i].hash != 0; i = (i + 1) & mask) {
        size_t from_home = (i - map->slots[i].hash) & mask;
        if (from_home < ((i - hole) & mask))
            continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct tt_map_slot){.hash = 0};
}

void *tt_map_remove(struct tt_map *map, struct tt_str key)
{
    struct tt_map_slot *slot = map->count == 0 ? NULL : find(map, key, hash_of(map, key));
    void *value;

    if (slot == NULL || slot->hash == 0)
        return NULL;
    value = slot->value;
    shift_back(map, (size_t)(slot - map->slots));
    map->count--;
    return value;
}

const struct tt_map_slot *tt_map_next(const struct tt_map *map, size_t *position)
{
    while (*position < map->capacity) {
        const struct tt_map_slot *slot = &map->slots[(*position)++];
        if (slot->hash != 0)
            return slot;
    }
    return NULL;
}
