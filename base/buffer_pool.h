/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_BUFFER_POOL_H
#define TT_BASE_BUFFER_POOL_H

/*
 * A few idle output buffers for whichever thread formats next.
 *
 * Purpose:   memory of a writer stays in cache and is not asked from the heap for each batch.
 * Limits:    at most 16 idle buffers of at most keep_bytes each; more are freed when they come back.
 * Threads:   get and put from any thread; the lock is held for a few instructions.
 */

#include "base/buffer.h"

#include <pthread.h>

struct tt_buffer_pool {
    pthread_mutex_t mu;
    struct tt_buffer idle[16]; /* guarded by mu */
    size_t n_idle;             /* guarded by mu */
    size_t max, keep_bytes;
};

/* max: of each buffer, bytes; keep_bytes: a buffer that grew over it is not kept. */
void tt_buffer_pool_init(struct tt_buffer_pool *pool, size_t max, size_t keep_bytes);
/* All buffers must have come back. */
void tt_buffer_pool_done(struct tt_buffer_pool *pool);
/* An empty buffer; the caller gives it back with tt_buffer_pool_put(). */
struct tt_buffer tt_buffer_pool_get(struct tt_buffer_pool *pool);
void tt_buffer_pool_put(struct tt_buffer_pool *pool, struct tt_buffer *buffer);

#endif
