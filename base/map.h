/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_MAP_H
#define TT_BASE_MAP_H

/*
 * Hash map from bytes to a pointer, open addressing, seeded hash.
 *
 * Ownership: keys are borrowed: they must live, unchanged, as long as their entry (point them into the value or an
 *            arena). Values are the caller's.
 * Threads:   one at a time; shard it behind a mutex for more.
 * Limits:    max_entries is fixed at init; an insert over it is refused.
 * Cost:      O(1) expected; 32 bytes a slot, at most 3/4 full; deletion leaves no tombstones (backward shift).
 */

#include "base/error.h"
#include "base/str.h"

struct tt_map_slot {
    uint64_t hash; /* 0: free */
    struct tt_str key;
    void *value;
};

struct tt_map {
    struct tt_map_slot *slots;
    size_t count, capacity, max_entries; /* capacity is 0 or a power of two */
    uint64_t seed;
};

void tt_map_init(struct tt_map *map, size_t max_entries);
void tt_map_done(struct tt_map *map);
/* Removes all entries, keeps the memory. */
void tt_map_clear(struct tt_map *map);

/* The value, or NULL. */
void *tt_map_get(const struct tt_map *map, struct tt_str key);
/* Adds key, or replaces its value (the old key stays). value is not NULL. TT_OVERLOADED at max_entries, TT_NO_MEMORY. */
enum tt_status tt_map_put(struct tt_map *map, struct tt_str key, void *value) TT_CHECKED;
/* Removes key and returns its value; NULL when it was not there. */
void *tt_map_remove(struct tt_map *map, struct tt_str key);

/* Walks all entries in no order: start with *position = 0; NULL at the end. No insert or remove meanwhile. */
const struct tt_map_slot *tt_map_next(const struct tt_map *map, size_t *position);

#endif
