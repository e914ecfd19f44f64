/* SPDX-License-Identifier: Apache-2.0 */
#include "net/body_pool.h"

#include <pthread.h>

#define MAX_IDLE      4
#define MAX_IDLE_SIZE ((size_t)4 << 20)

struct body_pool {
    pthread_mutex_t mu;
    struct body *idle[MAX_IDLE]; /* guarded by mu */
    size_t n_idle;               /* guarded by mu */
    _Atomic uint32_t references; /* the loop's and one a body that is out */
};

struct body_pool *body_pool_new(void)
{
    struct body_pool *pool = tt_calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    (void)pthread_mutex_init(&pool->mu, NULL);
    pool->references = 1;
    return pool;
}

static void free_body(struct body *body)
{
    tt_free(body->data);
    tt_free(body);
}

void body_pool_unref(struct body_pool *pool)
{
    if (pool == NULL || atomic_fetch_sub_explicit(&pool->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < pool->n_idle; i++)
        free_body(pool->idle[i]);
    (void)pthread_mutex_destroy(&pool->mu);
    tt_free(pool);
}

/* The smallest idle body that is large enough, but not more than 8 times too large. */
static struct body *find_idle(struct body_pool *pool, size_t capacity)
{
    size_t best = MAX_IDLE;
    struct body *found = NULL;

    (void)pthread_mutex_lock(&pool->mu);
    for (size_t i = 0; i < pool->n_idle; i++) {
        size_t has = pool->idle[i]->capacity;
        if (has >= capacity && has / 8 <= capacity &&
            (best == MAX_IDLE || has < pool->idle[best]->capacity))
            best = i;
    }
    if (best != MAX_IDLE) {
        found = pool->idle[best];
        pool->idle[best] = pool->idle[--pool->n_idle];
    }
    (void)pthread_mutex_unlock(&pool->mu);
    return found;
}

struct body *body_get(struct body_pool *pool, size_t capacity)
{
    struct body *body = find_idle(pool, capacity);

    if (body == NULL) {
        body = tt_calloc(1, sizeof(*body));
        if (body == NULL)
            return NULL;
        body->data = tt_malloc(capacity);
        if (body->data == NULL) {
            tt_free(body);
            return NULL;
        }
        body->capacity = capacity;
    }
    body->len = 0;
    body->pool = pool;
    (void)atomic_fetch_add_explicit(&pool->references, 1, memory_order_relaxed);
    return body;
}

/* A full pool keeps the larger bodies: they are the dear ones. */
static struct body *keep(struct body_pool *pool, struct body *body)
{
    size_t smallest = 0;

    if (pool->n_idle < MAX_IDLE) {
        pool->idle[pool->n_idle++] = body;
        return NULL;
    }
    for (size_t i = 1; i < MAX_IDLE; i++) {
        if (pool->idle[i]->capacity < pool->idle[smallest]->capacity)
            smallest = i;
    }
    if (pool->idle[smallest]->capacity >= body->capacity)
        return body;
    struct body *loser = pool->idle[smallest];
    pool->idle[smallest] = body;
    return loser;
}

void body_put(struct body *body)
{
    struct body *loser = body;

    if (body == NULL)
        return;
    struct body_pool *pool = TT_TAKE(body->pool);
    if (body->data != NULL && body->capacity <= MAX_IDLE_SIZE) {
        body->idle_since = tt_clock_monotonic(tt_clock_system());
        (void)pthread_mutex_lock(&pool->mu);
        loser = keep(pool, body);
        (void)pthread_mutex_unlock(&pool->mu);
    }
    if (loser != NULL)
        free_body(loser);
    body_pool_unref(pool);
}

bool body_grow(struct body *body, size_t capacity)
{
    char *data = tt_realloc(body->data, capacity, 1);

    if (data == NULL)
        return false;
    body->data = data;
    body->capacity = capacity;
    return true;
}

char *body_steal(struct body *body)
{
    char *data = TT_TAKE(body->data);

    body_put(body);
    return data;
}

void body_pool_trim(struct body_pool *pool, tt_dur before)
{
    struct body *old[MAX_IDLE];
    size_t n_old = 0;

    (void)pthread_mutex_lock(&pool->mu);
    for (size_t i = 0; i < pool->n_idle;) {
        if (pool->idle[i]->idle_since >= before) {
            i++;
            continue;
        }
        old[n_old++] = pool->idle[i];
        pool->idle[i] = pool->idle[--pool->n_idle];
    }
    (void)pthread_mutex_unlock(&pool->mu);
    for (size_t i = 0; i < n_old; i++)
        free_body(old[i]);
}
