/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/heavy_hitters.h"

#include <string.h>

#define FREE UINT32_MAX

/*
 * entry is a heap by count, the least first. slot is a hash table with linear probing of places in it; each entry knows its slot.
 * Invariant: slot[entry[i].slot] == i for i < used.
 */
struct heaped {
    struct tt_heavy_entry entry;
    uint32_t slot, unused;
};

struct tt_heavy {
    uint32_t capacity, used, slots, unused; /* slots: a power of two, at least twice the capacity */
    uint64_t total;
    struct heaped entry[];
};

static uint32_t slots_for(uint32_t capacity)
{
    uint32_t slots = 2;

    while (slots < 2 * capacity)
        slots *= 2;
    return slots;
}

size_t tt_heavy_size(uint32_t capacity)
{
    return sizeof(struct tt_heavy) + capacity * sizeof(struct heaped) +
           slots_for(capacity) * sizeof(uint32_t);
}

static uint32_t *slots_of(const struct tt_heavy *heavy)
{
    return (uint32_t *)(uintptr_t)(heavy->entry + heavy->capacity);
}

struct tt_heavy *tt_heavy_init(void *memory, uint32_t capacity)
{
    struct tt_heavy *heavy = memory;

    memset(heavy, 0, sizeof(*heavy));
    heavy->capacity = capacity;
    heavy->slots = slots_for(capacity);
    memset(slots_of(heavy), 0xFF, heavy->slots * sizeof(uint32_t));
    return heavy;
}

/* Where a key's search begins: the caller's hash, stirred, for keys that are small numbers. */
static uint32_t home_of(const struct tt_heavy *heavy, uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (heavy->slots - 1);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t slot_of(const struct tt_heavy *heavy, uint64_t key)
{
    const uint32_t *slots = slots_of(heavy);
    uint32_t slot = home_of(heavy, key);

    while (slots[slot] != FREE && heavy->entry[slots[slot]].entry.key != key)
        slot = (slot + 1) & (heavy->slots - 1);
    return slot;
}

/* Frees a slot and closes the gap, so that no search ends too early. */
static void free_slot(struct tt_heavy *heavy, uint32_t gap)
{
    uint32_t *slots = slots_of(heavy), mask = heavy->slots - 1, slot = gap;

    for (;;) {
        slot = (slot + 1) & mask;
        if (slots[slot] == FREE)
            break;
        /* It may move to the gap when its home is not between the gap and itself. */
        if (((slot - home_of(heavy, heavy->entry[slots[slot]].entry.key)) & mask) <
            ((slot - gap) & mask))
            continue;
        slots[gap] = slots[slot];
        heavy->entry[slots[gap]].slot = gap;
        gap = slot;
    }
    slots[gap] = FREE;
}

static void put(struct tt_heavy *heavy, uint32_t at, struct heaped entry)
{
    heavy->entry[at] = entry;
    slots_of(heavy)[entry.slot] = at;
}

static void sift_up(struct tt_heavy *heavy, uint32_t at)
{
    struct heaped moving = heavy->entry[at];

    for (; at > 0 && heavy->entry[(at - 1) / 2].entry.count > moving.entry.count; at = (at - 1) / 2)
        put(heavy, at, heavy->entry[(at - 1) / 2]);
    put(heavy, at, moving);
}

static void sift_down(struct tt_heavy *heavy, uint32_t at)
{
    struct heaped moving = heavy->entry[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= heavy->used)
            break;
        if (child + 1 < heavy->used &&
            heavy->entry[child + 1].entry.count < heavy->entry[child].entry.count)
            child++;
        if (heavy->entry[child].entry.count >= moving.entry.count)
            break;
        put(heavy, at, heavy->entry[child]);
        at = child;
    }
    put(heavy, at, moving);
}

bool tt_heavy_add(struct tt_heavy *heavy, uint64_t key, uint64_t amount)
{
    uint32_t slot = slot_of(heavy, key), at = slots_of(heavy)[slot];
    struct heaped entry = {.entry = {.key = key, .count = amount}};

    heavy->total += amount;
    if (at != FREE) {
        heavy->entry[at].entry.count += amount;
        sift_down(heavy, at);
        return true;
    }
    if (heavy->used < heavy->capacity) {
        entry.slot = slot;
        put(heavy, heavy->used, entry);
        sift_up(heavy, heavy->used++);
        return false;
    }
    entry.entry.error = heavy->entry[0].entry.count;
    entry.entry.count += entry.entry.error;
    free_slot(heavy, heavy->entry[0].slot);
    entry.slot = slot_of(heavy, key);
    put(heavy, 0, entry);
    sift_down(heavy, 0);
    return false;
}

bool tt_heavy_find(const struct tt_heavy *heavy, uint64_t key, struct tt_heavy_entry *ret_entry)
{
    uint32_t at = slots_of(heavy)[slot_of(heavy, key)];

    if (at == FREE)
        return false;
    *ret_entry = heavy->entry[at].entry;
    return true;
}

void tt_heavy_halve(struct tt_heavy *heavy)
{
    heavy->total /= 2;
    /* Halving keeps the order, and so the heap. */
    for (uint32_t i = 0; i < heavy->used; i++) {
        heavy->entry[i].entry.count /= 2;
        heavy->entry[i].entry.error /= 2;
    }
}

static int by_count(const void *a, const void *b)
{
    const struct tt_heavy_entry *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Sinks the least of the room kept so far to find the next: room is small, and this is not done for every row. */
size_t tt_heavy_top(const struct tt_heavy *heavy, struct tt_heavy_entry *ret_entries, size_t room)
{
    size_t kept = 0;

    for (uint32_t i = 0; i < heavy->used && room > 0; i++) {
        const struct tt_heavy_entry *entry = &heavy->entry[i].entry;

        if (kept == room && by_count(entry, &ret_entries[kept - 1]) >= 0)
            continue;
        if (kept < room)
            kept++;
        ret_entries[kept - 1] = *entry;
        for (size_t k = kept - 1; k > 0 && by_count(&ret_entries[k], &ret_entries[k - 1]) < 0;
             k--) {
            struct tt_heavy_entry swap = ret_entries[k];

            ret_entries[k] = ret_entries[k - 1];
            ret_entries[k - 1] = swap;
        }
    }
    return kept;
}

uint64_t tt_heavy_total(const struct tt_heavy *heavy)
{
    return heavy->total;
}
