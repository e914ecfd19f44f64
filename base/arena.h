/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_ARENA_H
#define TT_BASE_ARENA_H

/*
 * Memory that is freed all at once.
 *
 * Invariant: bytes reserved from the heap never exceed the limit given at init.
 * Ownership: what an arena returns belongs to the arena; never free it.
 * Threads:   one at a time; an arena has no lock.
 * Cost:      an allocation is a pointer bump; a chunk is one malloc of at least the chunk size.
 */

#include "base/mem.h"

struct tt_arena_chunk;
struct tt_arena {
    uint8_t *at, *end;             /* free part of the newest chunk */
    struct tt_arena_chunk *chunks; /* newest first */
    size_t chunk_size, limit, reserved;
};

struct tt_arena_mark {
    struct tt_arena_chunk *chunk;
    uint8_t *at;
};

/* chunk_size: bytes of a regular chunk (0: 16 KiB); limit: most bytes ever reserved (0: no limit). Allocates nothing. */
void tt_arena_init(struct tt_arena *arena, size_t chunk_size, size_t limit);
/* Frees all; the arena is as after init. Safe to repeat. */
void tt_arena_done(struct tt_arena *arena);
/* Forgets all contents but keeps the newest regular chunk, for reuse in a loop. */
void tt_arena_reset(struct tt_arena *arena);

/* Slow path of tt_arena_alloc: a new chunk. */
void *tt_arena_grow(struct tt_arena *arena, size_t size) TT_CHECKED;

/* size bytes, aligned to 8, contents undefined; NULL when the limit or memory is reached. */
static inline void *tt_arena_alloc(struct tt_arena *arena, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;

    if (TT_LIKELY(rounded >= size && (size_t)(arena->end - arena->at) >= rounded && rounded > 0)) {
        void *p = arena->at;
        arena->at += rounded;
        return p;
    }
    return tt_arena_grow(arena, size);
}

/* Zeroed array; NULL also when count * size overflows. */
void *tt_arena_calloc(struct tt_arena *arena, size_t count, size_t size) TT_CHECKED;
/* A copy of s inside the arena, followed by a NUL that is not counted. {NULL, 0} when memory is gone. */
struct tt_str tt_arena_copy(struct tt_arena *arena, struct tt_str s) TT_CHECKED;
/* printf into the arena; NULL when memory is gone. */
char *tt_arena_printf(struct tt_arena *arena, const char *format, ...) TT_CHECKED TT_PRINTF(2, 3);

/* Remember a point, and go back to it: everything allocated since is free again. */
struct tt_arena_mark tt_arena_mark(const struct tt_arena *arena);
void tt_arena_rewind(struct tt_arena *arena, struct tt_arena_mark mark);

#endif
