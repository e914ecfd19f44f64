/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_RECENT_H
#define TT_TRACE_ASSEMBLER_RECENT_H

/*
 * Which traces were sent on lately: a bounded set of hashes, so that late spans are recognised.
 *
 * Limits:  two generations of at most max_ids each; when the younger is full the older is forgotten.
 * Threads: one at a time.
 * Cost:    O(1), 8 bytes an id at most half full. Two ids of one 64-bit hash are taken for the same.
 */

#include "base/mem.h"

struct recent_ids {
    uint64_t *young, *old; /* open addressing; 0: free */
    size_t young_capacity, old_capacity, count, max_ids;
};

void recent_init(struct recent_ids *recent, size_t max_ids);
void recent_done(struct recent_ids *recent);
/* Without memory the id is not remembered. */
void recent_add(struct recent_ids *recent, uint64_t hash);
/* Fetches what recent_has() will look at. */
void recent_prefetch(const struct recent_ids *recent, uint64_t hash);
bool recent_has(const struct recent_ids *recent, uint64_t hash);

#endif
