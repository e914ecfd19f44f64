/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_ORIGIN_H
#define TT_TRACE_ASSEMBLER_ORIGIN_H

/*
 * What many rows share: resources, scopes and the metadata of requests, each stored once however often it was sent.
 *
 * Ownership: reference-counted; a scope holds its resource. Callers give references back in bulk.
 * Threads:   all functions from any thread. The table's mutex is taken once for each resource, scope and request of a batch,
 *            and when a last reference goes.
 * Limits:    no more of them than rows are held.
 */

#include "otlp/batch.h"

#include <pthread.h>
#include <stdatomic.h>

enum origin_kind { ORIGIN_RESOURCE, ORIGIN_SCOPE, ORIGIN_METADATA };

struct origin {
    _Atomic uint64_t references;
    struct origin *next;   /* in its bucket */
    struct origin *parent; /* SCOPE: its resource */
    uint64_t hash;
    enum origin_kind kind;
    size_t bytes;                   /* of this allocation */
    struct tt_str key;              /* what makes two the same, beside kind and parent */
    struct tt_str wire, schema_url; /* RESOURCE, SCOPE */
    struct tt_metadata metadata;    /* METADATA */
};

struct origins {
    pthread_mutex_t mu;
    struct origin **buckets; /* guarded by mu, like all below */
    size_t n_buckets, count;
    uint64_t seed;
    _Atomic size_t bytes;
};

void origins_init(struct origins *origins);
void origins_done(struct origins *origins); /* frees what is left */

/* Each returns `references` new references (at least 1), or NULL when memory is gone. */
struct origin *origins_resource(struct origins *origins, struct tt_str wire,
                                struct tt_str schema_url, uint64_t references);
/* Takes its own reference of resource. */
struct origin *origins_scope(struct origins *origins, struct origin *resource, struct tt_str wire,
                             struct tt_str schema_url, uint64_t references);
/* Requests of one connection within one second share one entry, with the arrival time of the first. */
struct origin *origins_metadata(struct origins *origins, const struct tt_metadata *metadata,
                                uint64_t references);
/* More references of an origin that the caller holds; NULL is a no-op. */
static inline void origin_ref(struct origin *origin, uint64_t references)
{
    if (origin != NULL)
        atomic_fetch_add_explicit(&origin->references, references, memory_order_relaxed);
}

/* NULL is a no-op. */
void origin_unref(struct origins *origins, struct origin *origin, uint64_t references);

#endif
