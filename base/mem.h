/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_MEM_H
#define TT_BASE_MEM_H

/*
 * Every allocation of ours, so that a test can make the n-th one fail.
 *
 * Purpose:   one place to count and to fail. All return NULL when memory is gone; nobody aborts.
 * Ownership: the caller's, freed with tt_free().
 * Threads:   any.
 * Limits:    a request over 512 GiB is refused: such a size is a fault in somebody's arithmetic.
 */

#include "base/str.h"

void *tt_malloc(size_t size) TT_CHECKED;
/* Zeroed; NULL also when count * size overflows. */
void *tt_calloc(size_t count, size_t size) TT_CHECKED;
/* On failure old is untouched and still owned; NULL also when count * size overflows. */
void *tt_realloc(void *old, size_t count, size_t size) TT_CHECKED;
/* NULL is a no-op. */
void tt_free(void *p);
/* A NUL-terminated copy. */
char *tt_strdup(struct tt_str s) TT_CHECKED;

/* For TT_CLEANUP on a pointer local. */
static inline void tt_freep(void *p)
{
    tt_free(*(void **)p);
}

/* Tests only: the n-th allocation from now fails, and all after it until n is set again; 0: none fails. */
void tt_mem_fail_after(uint64_t n);
/* Tests only: how many allocations were made since the last tt_mem_fail_after(). */
uint64_t tt_mem_count(void);

/* Gives free heap memory back to the system. Expensive (milliseconds); call when a load is over. */
void tt_mem_trim(void);

#endif
