/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer_pool.h"

void tt_buffer_pool_init(struct tt_buffer_pool *pool, size_t max, size_t keep_bytes)
{
    *pool = (struct tt_buffer_pool){.max = max, .keep_bytes = keep_bytes};
    pthread_mutex_init(&pool->mu, NULL);
}

void tt_buffer_pool_done(struct tt_buffer_pool *pool)
{
    for (size_t i = 0; i < pool->n_idle; i++)
        tt_buffer_done(&pool->idle[i]);
    pool->n_idle = 0;
    pthread_mutex_destroy(&pool->mu);
}

struct tt_buffer tt_buffer_pool_get(struct tt_buffer_pool *pool)
{
    struct tt_buffer buffer;

    tt_buffer_init(&buffer, pool->max);
    pthread_mutex_lock(&pool->mu);
    if (pool->n_idle > 0)
        buffer = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->mu);
    return buffer;
}

void tt_buffer_pool_put(struct tt_buffer_pool *pool, struct tt_buffer *buffer)
{
    bool kept = false;

    tt_buffer_clear(buffer);
    if (buffer->cap > 0 && buffer->cap <= pool->keep_bytes) {
        pthread_mutex_lock(&pool->mu);
        kept = pool->n_idle < TT_LENGTH(pool->idle);
        if (kept)
            pool->idle[pool->n_idle++] = *buffer;
        pthread_mutex_unlock(&pool->mu);
    }
    if (kept)
        tt_buffer_init(buffer, pool->max);
    else
        tt_buffer_done(buffer);
}
