/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_SLAB_H
#define TT_TRACE_ASSEMBLER_SLAB_H

/*
 * Memory for many short-lived records of mixed sizes, in size classes.
 *
 * Purpose:   a record that stays long pins its own slot, not the memory of its neighbours: freed slots of a class are used again
 *            at once, and slabs that become empty go back to the pool and from there to the system.
 * Design:    one pool reserves an address range and deals slabs of 16 KiB to heaps; a heap cuts a slab into slots of one of 41
 *            sizes, eight for each power of two from 64 bytes to 2 KiB (at most 1/8 of a slot is unused). Small slabs, since
 *            each heap has a partly used one of each size. Larger blocks
 *            come from the general heap.
 * Limits:    the pool's range; when it is used up slab_alloc() returns NULL.
 * Threads:   the pool from any thread; a heap from one at a time.
 * Cost:      alloc and free O(1), no system call but for a new slab.
 */

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLAB_BYTES    ((size_t)16384)
#define SLAB_MAX_SLOT ((size_t)2048)
#define SLAB_CLASSES  41

struct slab_pool {
    pthread_mutex_t mu;
    uint8_t *base;            /* guarded by mu, like all below; NULL until the first slab */
    void *mapping;            /* base is aligned inside it */
    size_t mapped;            /* bytes */
    size_t n_slabs, n_usable; /* of the range; that were made readable */
    size_t n_fresh;           /* slabs from here on were never used */
    uint32_t *warm, *cold;    /* free slabs: with memory behind them, and without */
    size_t n_warm, n_cold;
    size_t least_warm;     /* since the last trim: so many were not needed */
    _Atomic size_t n_used; /* slabs with heaps */
    _Atomic size_t large;  /* bytes of larger blocks */
};

struct slab;
struct slab_heap {
    struct slab_pool *pool;
    struct slab_class {
        struct slab **partial; /* slabs with free slots: the last one is used next */
        uint32_t n_partial, n_slabs, capacity;
    } classes[SLAB_CLASSES];
};

/* max_bytes: of all slabs; rounded up. Reserves nothing yet. False when memory is gone. */
bool slab_pool_init(struct slab_pool *pool, size_t max_bytes) TT_CHECKED;
/* All heaps must be empty or forgotten. */
void slab_pool_done(struct slab_pool *pool);
/* Bytes that heaps have: whole slabs, and larger blocks. */
size_t slab_pool_bytes(const struct slab_pool *pool);
/* Gives a quarter of the memory of free slabs that were not needed since the last call back to the system. */
void slab_pool_trim(struct slab_pool *pool);

void slab_heap_init(struct slab_heap *heap, struct slab_pool *pool);
/* Forgets its slabs: the pool still has them. */
void slab_heap_done(struct slab_heap *heap);
/* size > 0; aligned to 8. NULL when the range or memory is used up. */
void *slab_alloc(struct slab_heap *heap, size_t size) TT_CHECKED;
/* size as it was given to slab_alloc. */
void slab_free(struct slab_heap *heap, void *p, size_t size);
/* Fetches what the next slab_alloc of that size, or the slab_free of p, will want. */
void slab_prefetch_alloc(const struct slab_heap *heap, size_t size);
static inline void slab_prefetch_free(const void *p)
{
    const uint8_t *slab = (const uint8_t *)p - (uintptr_t)p % SLAB_BYTES;

    __builtin_prefetch(slab, 1);
    __builtin_prefetch(slab + 64, 1);
}

/* What a block of that size takes. */
size_t slab_cost(size_t size);

#endif
