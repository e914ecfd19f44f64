/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/recent.h"

#define MIN_CAPACITY ((size_t)256)

void recent_init(struct recent_ids *recent, size_t max_ids)
{
    *recent = (struct recent_ids){.max_ids = max_ids};
}

void recent_done(struct recent_ids *recent)
{
    tt_free(recent->young);
    tt_free(recent->old);
    recent_init(recent, recent->max_ids);
}

/* Where the hash is, or would be. */
static size_t probe(const uint64_t *ids, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);

    while (ids[i] != 0 && ids[i] != hash)
        i = (i + 1) & (capacity - 1);
    return i;
}

static bool grow(struct recent_ids *recent)
{
    size_t capacity = recent->young_capacity == 0 ? MIN_CAPACITY : 2 * recent->young_capacity;
    uint64_t *ids = tt_calloc(capacity, sizeof(*ids));

    if (ids == NULL)
        return false;
    for (size_t i = 0; i < recent->young_capacity; i++)
        if (recent->young[i] != 0)
            ids[probe(ids, capacity, recent->young[i])] = recent->young[i];
    tt_free(recent->young);
    recent->young = ids;
    recent->young_capacity = capacity;
    return true;
}

static void rotate(struct recent_ids *recent)
{
    tt_free(recent->old);
    recent->old = TT_TAKE(recent->young);
    recent->old_capacity = recent->young_capacity;
    recent->young_capacity = recent->count = 0;
}

void recent_add(struct recent_ids *recent, uint64_t hash)
{
    size_t i;

    hash += hash == 0; /* 0 marks a free place */
    if (recent->count >= recent->max_ids)
        rotate(recent);
    if (2 * (recent->count + 1) > recent->young_capacity && !grow(recent))
        return;
    i = probe(recent->young, recent->young_capacity, hash);
    recent->count += recent->young[i] == 0;
    recent->young[i] = hash;
}

bool recent_has(const struct recent_ids *recent, uint64_t hash)
{
    hash += hash == 0;
    if (recent->young_capacity > 0 &&
        recent->young[probe(recent->young, recent->young_capacity, hash)] == hash)
        return true;
    return recent->old_capacity > 0 &&
           recent->old[probe(recent->old, recent->old_capacity, hash)] == hash;
}

void recent_prefetch(const struct recent_ids *recent, uint64_t hash)
{
    if (recent->young_capacity > 0)
        __builtin_prefetch(&recent->young[hash & (recent->young_capacity - 1)]);
    if (recent->old_capacity > 0)
        __builtin_prefetch(&recent->old[hash & (recent->old_capacity - 1)]);
}
