/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_HEAVY_HITTERS_H
#define TT_DETECT_HEAVY_HITTERS_H

/*
 * The most frequent keys of a stream of any number of keys, in a table of fixed size.
 *
 * Method.    Space-Saving: A. Metwally, D. Agrawal, A. El Abbadi, "Efficient computation of frequent and top-k elements in data streams",
 *            ICDT 2005. A key that is not in the full table takes the place of the least frequent one and inherits its count as
 *            its error.
 * Bound.     For every key in the table: count - error <= true count <= count, and error <= n / capacity, n the sum of all that was
 *            added. Every key with a true count over n / capacity is in the table.
 * Keys:      64-bit hashes of the caller's (tt_hash(), seeded where a stranger chooses the keys). Any value is a key.
 * Ownership: the caller's memory holds it, without pointers. Threads: one at a time.
 * Cost:      about 20 ns an addition, O(log capacity); 40 bytes an entry.
 */

#include "base/util.h"

#define TT_HEAVY_MAX_CAPACITY 65536

struct tt_heavy_entry {
    uint64_t key, count, error;
};

struct tt_heavy;

/* Bytes of a table; capacity 1 to TT_HEAVY_MAX_CAPACITY. */
size_t tt_heavy_size(uint32_t capacity);
/* Makes an empty table in memory (8-byte aligned). */
struct tt_heavy *tt_heavy_init(void *memory, uint32_t capacity);

/* Returns whether the key was in the table before. */
bool tt_heavy_add(struct tt_heavy *heavy, uint64_t key, uint64_t amount);
/* False when the key is not in the table: its count is at most that of the least entry. */
bool tt_heavy_find(const struct tt_heavy *heavy, uint64_t key, struct tt_heavy_entry *ret_entry);
/* Halves all counts and errors: a table that forgets. */
void tt_heavy_halve(struct tt_heavy *heavy);
/* Copies up to room entries, greatest count first (of equals the smaller key), and returns how many. */
size_t tt_heavy_top(const struct tt_heavy *heavy, struct tt_heavy_entry *ret_entries, size_t room);
/* Sum of all that was added, halvings included. */
uint64_t tt_heavy_total(const struct tt_heavy *heavy);

#endif
