/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/slab.h"

#include <sys/mman.h>

#define USABLE_STEP ((size_t)256) /* slabs made readable at once: 4 MiB */
#define HUGE_PAGE   ((size_t)2 << 20)
#define TRIM_SHARE \
    ((size_t)4) /* of what was idle since the last trim: loads come and go in less than a second */
#define FEW_SLABS ((size_t)1024) /* 16 MiB: beyond it huge pages are worth their size */

/* At the beginning of each slab; the slots follow. */
struct slab {
    uint32_t class, slot_bytes, first_slot;
    uint32_t place; /* among the partial slabs of its heap's class, plus one; 0: it is full */
    uint16_t n_slots, n_touched; /* slots before n_touched were handed out once */
    uint16_t n_used, n_freed;
    uint16_t freed
        []; /* slot numbers; kept here so that taking one does not wait for the slot's memory */
};

/* ---- classes ---- */

static unsigned class_of(size_t size)
{
    uint32_t last = (uint32_t)size - 1;
    unsigned msb;

    if (size <= 64)
        return 0;
    msb = 31U - (unsigned)__builtin_clz(last);
    return (msb - 6) * 8 + ((last >> (msb - 3)) & 7) + 1;
}

static uint32_t class_bytes(unsigned class)
{
    unsigned eighths = (class - 1) % 8, doubling = (class - 1) / 8;

    return class == 0 ? 64 : (9 + eighths) << (doubling + 3);
}

size_t slab_cost(size_t size)
{
    return size <= SLAB_MAX_SLOT ? class_bytes(class_of(size)) : size + 16;
}

/* ---- pool ---- */

bool slab_pool_init(struct slab_pool *pool, size_t max_bytes)
{
    memset(pool, 0, sizeof(*pool));
    pool->n_slabs = max_bytes / SLAB_BYTES + 1;
    pool->warm = tt_calloc(pool->n_slabs, sizeof(*pool->warm));
    pool->cold = tt_calloc(pool->n_slabs, sizeof(*pool->cold));
    if (pool->warm == NULL || pool->cold == NULL) {
        tt_free(pool->warm);
        tt_free(pool->cold);
        return false;
    }
    pthread_mutex_init(&pool->mu, NULL);
    return true;
}

void slab_pool_done(struct slab_pool *pool)
{
    if (pool->mapping != NULL)
        munmap(pool->mapping, pool->mapped);
    tt_free(pool->warm);
    tt_free(pool->cold);
    pthread_mutex_destroy(&pool->mu);
}

size_t slab_pool_bytes(const struct slab_pool *pool)
{
    return atomic_load_explicit(&pool->n_used, memory_order_relaxed) * SLAB_BYTES +
           atomic_load_explicit(&pool->large, memory_order_relaxed);
}

/* Addresses only: no memory is behind them until they are made readable and touched. */
static bool reserve_range(struct slab_pool *pool)
{
    size_t bytes = pool->n_slabs * SLAB_BYTES + HUGE_PAGE;
    void *mapping =
        mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapping == MAP_FAILED)
        return false;
    pool->mapping = mapping;
    pool->mapped = bytes;
    pool->base = (uint8_t *)mapping + (HUGE_PAGE - (uintptr_t)mapping % HUGE_PAGE) % HUGE_PAGE;
    return true;
}

static bool make_usable(struct slab_pool *pool)
{
    size_t more = pool->n_slabs - pool->n_usable;

    if (more > USABLE_STEP)
        more = USABLE_STEP;
    if (more == 0 || (pool->base == NULL && !reserve_range(pool)) ||
        mprotect(pool->base + pool->n_usable * SLAB_BYTES, more * SLAB_BYTES,
                 PROT_READ | PROT_WRITE) != 0)
        return false;
    /* A million rows are a quarter of a million small pages: their translations alone would not fit any cache. */
    if (pool->n_usable >= FEW_SLABS)
        (void)madvise(pool->base + pool->n_usable * SLAB_BYTES, more * SLAB_BYTES, MADV_HUGEPAGE);
    pool->n_usable += more;
    return true;
}

/* Called with mu held. */
static struct slab *take_free(struct slab_pool *pool)
{
    size_t number;

    if (pool->n_warm > 0) {
        number = pool->warm[--pool->n_warm];
        if (pool->n_warm < pool->least_warm)
            pool->least_warm = pool->n_warm;
    } else if (pool->n_cold > 0) {
        number = pool->cold[--pool->n_cold];
    } else if (pool->n_fresh < pool->n_usable || make_usable(pool)) {
        number = pool->n_fresh++;
    } else {
        return NULL;
    }
    return (struct slab *)(void *)(pool->base + number * SLAB_BYTES);
}

static struct slab *pool_take(struct slab_pool *pool)
{
    struct slab *slab;

    pthread_mutex_lock(&pool->mu);
    slab = take_free(pool);
    pthread_mutex_unlock(&pool->mu);
    if (slab != NULL)
        atomic_fetch_add_explicit(&pool->n_used, 1, memory_order_relaxed);
    return slab;
}

static void pool_give(struct slab_pool *pool, struct slab *slab)
{
    pthread_mutex_lock(&pool->mu);
    pool->warm[pool->n_warm++] = (uint32_t)((size_t)((uint8_t *)slab - pool->base) / SLAB_BYTES);
    pthread_mutex_unlock(&pool->mu);
    atomic_fetch_sub_explicit(&pool->n_used, 1, memory_order_relaxed);
}

void slab_pool_trim(struct slab_pool *pool)
{
    pthread_mutex_lock(&pool->mu);
    for (size_t n = (pool->least_warm + TRIM_SHARE - 1) / TRIM_SHARE; n > 0; n--) {
        uint32_t number = pool->warm[--pool->n_warm];
        (void)madvise(pool->base + number * SLAB_BYTES, SLAB_BYTES, MADV_DONTNEED);
        pool->cold[pool->n_cold++] = number;
    }
    pool->least_warm = pool->n_warm;
    pthread_mutex_unlock(&pool->mu);
}

/* ---- heap ---- */

void slab_heap_init(struct slab_heap *heap, struct slab_pool *pool)
{
    memset(heap, 0, sizeof(*heap));
    heap->pool = pool;
}

void slab_heap_done(struct slab_heap *heap)
{
    for (unsigned class = 0; class < SLAB_CLASSES; class ++)
        tt_free(heap->classes[class].partial);
    slab_heap_init(heap, heap->pool);
}

/* There is room for all slabs of a class, so that freeing never fails. */
static bool make_room(struct slab_class *of)
{
    uint32_t capacity = of->capacity == 0 ? 16 : 2 * of->capacity;
    struct slab **partial;

    if (of->n_slabs < of->capacity)
        return true;
    partial = tt_realloc(of->partial, capacity, sizeof(struct slab *));
    if (partial == NULL)
        return false;
    of->partial = partial;
    of->capacity = capacity;
    return true;
}

static void add_partial(struct slab_class *of, struct slab *slab)
{
    of->partial[of->n_partial] = slab;
    slab->place = ++of->n_partial;
}

static void remove_partial(struct slab_class *of, struct slab *slab)
{
    struct slab *last = of->partial[--of->n_partial];

    if (last != slab) {
        of->partial[slab->place - 1] = last;
        last->place = slab->place;
    }
    slab->place = 0;
}

static struct slab *slab_new(struct slab_heap *heap, unsigned class)
{
    struct slab_class *of = &heap->classes[class];
    struct slab *slab = make_room(of) ? pool_take(heap->pool) : NULL;
    uint32_t bytes = class_bytes(class), n;

    if (slab == NULL)
        return NULL;
    n = (uint32_t)((SLAB_BYTES - sizeof(*slab) - 64) / (bytes + sizeof(slab->freed[0])));
    slab->class = class;
    slab->slot_bytes = bytes;
    slab->first_slot = (uint32_t)((sizeof(*slab) + n * sizeof(slab->freed[0]) + 63) & ~(size_t)63);
    slab->n_slots = (uint16_t)n;
    slab->n_touched = slab->n_used = slab->n_freed = 0;
    of->n_slabs++;
    add_partial(of, slab);
    return slab;
}

void slab_prefetch_alloc(const struct slab_heap *heap, size_t size)
{
    const struct slab_class *of;

    if (size > SLAB_MAX_SLOT)
        return;
    of = &heap->classes[class_of(size)];
    for (uint32_t i = 1; i <= 2 && i <= of->n_partial; i++) { /* another row may take the first */
        __builtin_prefetch(of->partial[of->n_partial - i], 1);
        __builtin_prefetch((const uint8_t *)of->partial[of->n_partial - i] + 64, 1);
    }
}

void *slab_alloc(struct slab_heap *heap, size_t size)
{
    struct slab_class *of;
    struct slab *slab;
    uint32_t slot;

    if (size > SLAB_MAX_SLOT) {
        void *block = tt_malloc(size);
        if (block != NULL)
            atomic_fetch_add_explicit(&heap->pool->large, size + 16, memory_order_relaxed);
        return block;
    }
    of = &heap->classes[class_of(size)];
    slab = of->n_partial > 0 ? of->partial[of->n_partial - 1] : slab_new(heap, class_of(size));
    if (slab == NULL)
        return NULL;
    slot = slab->n_freed > 0 ? slab->freed[--slab->n_freed] : slab->n_touched++;
    if (++slab->n_used == slab->n_slots)
        remove_partial(of, slab);
    return (uint8_t *)slab + slab->first_slot + slot * slab->slot_bytes;
}

void slab_free(struct slab_heap *heap, void *p, size_t size)
{
    struct slab_class *of;
    struct slab *slab;
    size_t offset;

    if (size > SLAB_MAX_SLOT) {
        tt_free(p);
        atomic_fetch_sub_explicit(&heap->pool->large, size + 16, memory_order_relaxed);
        return;
    }
    slab = (struct slab *)(void *)((uint8_t *)p - (uintptr_t)p % SLAB_BYTES);
    of = &heap->classes[slab->class];
    offset = (size_t)((uint8_t *)p - (uint8_t *)slab) - slab->first_slot;
    slab->freed[slab->n_freed++] = (uint16_t)(offset / slab->slot_bytes);
    if (slab->place == 0)
        add_partial(of, slab);
    if (--slab->n_used > 0)
        return;
    remove_partial(of, slab);
    of->n_slabs--;
    pool_give(heap->pool, slab);
}
