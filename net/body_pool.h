/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_BODY_POOL_H
#define TT_NET_BODY_POOL_H

/*
 * Memory for request bodies, one pool an event loop, so that a body of 700 KB costs no page faults the second time.
 *
 * Ownership: reference-counted: a body on loan keeps its pool, also after the server is gone.
 * Limits:    at most 4 idle bodies of at most 4 MiB each are kept.
 * Threads:   any; the lock is the loop's own and held for a few instructions.
 */

#include "base/clock.h"
#include "base/mem.h"

struct body_pool;
struct body {
    char *data;
    size_t len, capacity;
    struct body_pool *pool;
    tt_dur idle_since; /* in the pool */
};

struct body_pool *body_pool_new(void); /* NULL when memory is gone */
void body_pool_unref(struct body_pool *pool);
/* An empty body of at least that capacity (bytes, more than 0); NULL when memory is gone. */
struct body *body_get(struct body_pool *pool, size_t capacity);
/* Gives it back; NULL is a no-op. */
void body_put(struct body *body);
/* More room, contents kept; false when memory is gone. */
bool body_grow(struct body *body, size_t capacity) TT_CHECKED;
/* The bytes become the caller's (tt_free), the rest is given back. */
char *body_steal(struct body *body);
/* Frees what has been idle since before `before` (monotonic). */
void body_pool_trim(struct body_pool *pool, tt_dur before);

#endif
