/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Failure injection is the one thing here that is shared by the whole process. A program that never calls
 * tt_mem_fail_after() pays a load of a flag that never changes. */
static _Atomic bool counting;
static _Atomic uint64_t count, fail_from;

static bool must_fail_counted(void)
{
    uint64_t n = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
    uint64_t from = atomic_load_explicit(&fail_from, memory_order_relaxed);

    return from != 0 && n >= from;
}

/* No honest request is that large. malloc would refuse it as well, but sanitizers stop the program instead. */
#define MAX_BLOCK (UINT64_C(1) << 39)

static inline bool must_fail(size_t size)
{
    if (TT_UNLIKELY(atomic_load_explicit(&counting, memory_order_relaxed)) && must_fail_counted())
        return true;
    return (uint64_t)size > MAX_BLOCK;
}

/* NULL means failure, so that an empty block has to be a real one. */
static inline size_t at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

void *tt_malloc(size_t size)
{
    return must_fail(size) ? NULL : malloc(at_least_one(size));
}

void *tt_calloc(size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total) || must_fail(total))
        return NULL;
    return calloc(at_least_one(total), 1);
}

void *tt_realloc(void *old, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total) || must_fail(total))
        return NULL;
    return realloc(old, at_least_one(total));
}

void tt_free(void *p)
{
    free(p);
}

char *tt_strdup(struct tt_str s)
{
    char *copy = s.len == SIZE_MAX ? NULL : tt_malloc(s.len + 1);

    if (copy == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}

void tt_mem_fail_after(uint64_t n)
{
    atomic_store(&count, 0);
    atomic_store(&fail_from, n);
    atomic_store(&counting, true);
}

uint64_t tt_mem_count(void)
{
    return atomic_load(&count);
}

void tt_mem_trim(void)
{
    (void)malloc_trim(0);
}
