/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

enum { DEFAULT_CHUNK_SIZE = 16 * 1024 };

struct tt_arena_chunk {
    struct tt_arena_chunk *older;
    size_t size; /* with this header */
    uint8_t data[];
};

void tt_arena_init(struct tt_arena *arena, size_t chunk_size, size_t limit)
{
    *arena = (struct tt_arena){
        .chunk_size = chunk_size == 0 ? DEFAULT_CHUNK_SIZE : chunk_size,
        .limit = limit,
    };
}

static void use_chunk(struct tt_arena *arena, struct tt_arena_chunk *chunk, uint8_t *at)
{
    arena->chunks = chunk;
    arena->at = at;
    arena->end = chunk == NULL ? NULL : (uint8_t *)chunk + chunk->size;
}

static void free_chunk(struct tt_arena *arena, struct tt_arena_chunk *chunk)
{
    arena->reserved -= chunk->size;
    tt_free(chunk);
}

/* Frees the chunks that are newer than `keep` (NULL: all). */
static void free_newer(struct tt_arena *arena, const struct tt_arena_chunk *keep)
{
    while (arena->chunks != keep) {
        struct tt_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->older;
        free_chunk(arena, chunk);
    }
}

void tt_arena_done(struct tt_arena *arena)
{
    free_newer(arena, NULL);
    use_chunk(arena, NULL, NULL);
}

void tt_arena_reset(struct tt_arena *arena)
{
    struct tt_arena_chunk *kept = arena->chunks;

    while (kept != NULL && kept->size != arena->chunk_size)
        kept = kept->older;
    free_newer(arena, kept);
    if (kept == NULL) {
        use_chunk(arena, NULL, NULL);
        return;
    }
    arena->chunks = kept->older;
    free_newer(arena, NULL);
    kept->older = NULL;
    use_chunk(arena, kept, kept->data);
}

/* Bytes of the next chunk when it must hold `needed`; 0 when the limit forbids it. What is left under the
 * limit is used up, even if it is less than a regular chunk. */
static size_t next_chunk_size(const struct tt_arena *arena, size_t needed)
{
    size_t size = needed > arena->chunk_size ? needed : arena->chunk_size;
    size_t left = arena->limit == 0 ? SIZE_MAX : arena->limit - arena->reserved;

    if (size > left)
        size = left;
    return size >= needed ? size : 0;
}

void *tt_arena_grow(struct tt_arena *arena, size_t size)
{
    size_t rounded = size == 0 ? 8 : (size + 7) & ~(size_t)7;
    struct tt_arena_chunk *chunk;
    size_t chunk_size;

    if (rounded < size || rounded > SIZE_MAX - sizeof(*chunk))
        return NULL;
    if ((size_t)(arena->end - arena->at) < rounded) {
        chunk_size = next_chunk_size(arena, rounded + sizeof(*chunk));
        chunk = chunk_size == 0 ? NULL : tt_malloc(chunk_size);
        if (chunk == NULL)
            return NULL;
        chunk->older = arena->chunks;
        chunk->size = chunk_size;
        arena->reserved += chunk_size;
        use_chunk(arena, chunk, chunk->data);
    }
    arena->at += rounded;
    return arena->at - rounded;
}

void *tt_arena_calloc(struct tt_arena *arena, size_t count, size_t size)
{
    size_t total;
    void *p = __builtin_mul_overflow(count, size, &total) ? NULL : tt_arena_alloc(arena, total);

    return p == NULL ? NULL : memset(p, 0, total);
}

struct tt_str tt_arena_copy(struct tt_arena *arena, struct tt_str s)
{
    char *copy = s.len == SIZE_MAX ? NULL : tt_arena_alloc(arena, s.len + 1);

    if (copy == NULL)
        return (struct tt_str){NULL, 0};
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return (struct tt_str){copy, s.len};
}

char *tt_arena_printf(struct tt_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len < 0 ? NULL : tt_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    len = vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return len < 0 ? NULL : text;
}

struct tt_arena_mark tt_arena_mark(const struct tt_arena *arena)
{
    return (struct tt_arena_mark){arena->chunks, arena->at};
}

void tt_arena_rewind(struct tt_arena *arena, struct tt_arena_mark mark)
{
    /* A mark of an empty arena has no chunk to go back to: keep one, as a loop would allocate it again. */
    if (mark.chunk == NULL) {
        tt_arena_reset(arena);
        return;
    }
    free_newer(arena, mark.chunk);
    use_chunk(arena, mark.chunk, mark.at);
}
