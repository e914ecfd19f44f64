/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/origin.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <stdatomic.h>

#define MIN_BUCKETS ((size_t)64)
#define MAX_KEY     ((size_t)1 << 30)

void origins_init(struct origins *origins)
{
    memset(origins, 0, sizeof(*origins));
    pthread_mutex_init(&origins->mu, NULL);
    origins->seed = tt_hash_seed();
}

void origins_done(struct origins *origins)
{
    for (size_t i = 0; i < origins->n_buckets; i++) {
        for (struct origin *origin = origins->buckets[i], *next; origin != NULL; origin = next) {
            next = origin->next;
            tt_free(origin);
        }
    }
    tt_free(origins->buckets);
    pthread_mutex_destroy(&origins->mu);
}

/* ---- the table; all called with mu held ---- */

static bool grow(struct origins *origins)
{
    size_t n = origins->n_buckets == 0 ? MIN_BUCKETS : 2 * origins->n_buckets;
    struct origin **buckets = tt_calloc(n, sizeof(struct origin *));

    if (buckets == NULL)
        return false;
    for (size_t i = 0; i < origins->n_buckets; i++) {
        for (struct origin *origin = origins->buckets[i], *next; origin != NULL; origin = next) {
            next = origin->next;
            origin->next = buckets[origin->hash & (n - 1)];
            buckets[origin->hash & (n - 1)] = origin;
        }
    }
    tt_free(origins->buckets);
    origins->buckets = buckets;
    origins->n_buckets = n;
    return true;
}

static struct origin *find(const struct origins *origins, const struct origin *wanted)
{
    struct origin *origin;

    if (origins->n_buckets == 0)
        return NULL;
    origin = origins->buckets[wanted->hash & (origins->n_buckets - 1)];
    while (origin != NULL &&
           (origin->hash != wanted->hash || origin->kind != wanted->kind ||
            origin->parent != wanted->parent || !tt_str_equal(origin->key, wanted->key)))
        origin = origin->next;
    return origin;
}

static bool insert(struct origins *origins, struct origin *origin)
{
    struct origin **bucket;

    if (origins->count >= origins->n_buckets && !grow(origins))
        return false;
    bucket = &origins->buckets[origin->hash & (origins->n_buckets - 1)];
    origin->next = *bucket;
    *bucket = origin;
    origins->count++;
    atomic_fetch_add_explicit(&origins->bytes, origin->bytes, memory_order_relaxed);
    return true;
}

static void take_out(struct origins *origins, struct origin *origin)
{
    struct origin **at = &origins->buckets[origin->hash & (origins->n_buckets - 1)];

    while (*at != origin)
        at = &(*at)->next;
    *at = origin->next;
    origins->count--;
    atomic_fetch_sub_explicit(&origins->bytes, origin->bytes, memory_order_relaxed);
}

/* ---- making ---- */

/* An origin of its own with the key copied behind it, and room for more bytes after that. */
static struct origin *copy_of(const struct origin *wanted, size_t more)
{
    size_t bytes = sizeof(*wanted) + wanted->key.len + more;
    struct origin *origin = tt_malloc(bytes);

    if (origin == NULL)
        return NULL;
    *origin = *wanted;
    origin->bytes = bytes;
    origin->key.data = (char *)(origin + 1);
    if (wanted->key.len > 0)
        memcpy(origin + 1, wanted->key.data, wanted->key.len);
    return origin;
}

/* The key's parts as views into the copy. */
static void split_key(struct origin *origin, size_t schema_url_len)
{
    origin->schema_url = tt_str_of(origin->key.data, schema_url_len);
    origin->wire = tt_str_of(origin->key.data + schema_url_len, origin->key.len - schema_url_len);
}

static struct origin *find_or_add(struct origins *origins, const struct origin *wanted,
                                  struct origin *(*make)(const struct origin *wanted,
                                                         const void *context),
                                  const void *context, uint64_t references)
{
    struct origin *origin;

    pthread_mutex_lock(&origins->mu);
    origin = find(origins, wanted);
    if (origin != NULL) {
        atomic_fetch_add_explicit(&origin->references, references, memory_order_relaxed);
    } else if ((origin = make(wanted, context)) != NULL) {
        atomic_init(&origin->references, references);
        if (!insert(origins, origin)) {
            tt_free(origin);
            origin = NULL;
        } else if (origin->parent != NULL) {
            atomic_fetch_add_explicit(&origin->parent->references, 1, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&origins->mu);
    return origin;
}

static struct origin *make_wire(const struct origin *wanted, const void *context)
{
    struct origin *origin = copy_of(wanted, 0);

    if (origin != NULL)
        split_key(origin, *(const size_t *)context);
    return origin;
}

static struct origin *add_wire(struct origins *origins, enum origin_kind kind,
                               struct origin *parent, struct tt_str wire, struct tt_str schema_url,
                               uint64_t references)
{
    struct origin wanted = {.kind = kind, .parent = parent, .key = wire}, *origin;
    struct tt_buffer joined;

    tt_buffer_init(&joined, MAX_KEY);
    if (schema_url.len > 0) { /* rare: most keys need no copy to be looked up */
        tt_buffer_append_str(&joined, schema_url);
        tt_buffer_append_str(&joined, wire);
        wanted.key = tt_buffer_view(&joined);
    }
    wanted.hash = tt_hash(wanted.key.data, wanted.key.len,
                          origins->seed + schema_url.len + (uintptr_t)parent + (unsigned)kind);
    origin = joined.failed == TT_OK
                 ? find_or_add(origins, &wanted, make_wire, &schema_url.len, references)
                 : NULL;
    tt_buffer_done(&joined);
    return origin;
}

struct origin *origins_resource(struct origins *origins, struct tt_str wire,
                                struct tt_str schema_url, uint64_t references)
{
    return add_wire(origins, ORIGIN_RESOURCE, NULL, wire, schema_url, references);
}

struct origin *origins_scope(struct origins *origins, struct origin *resource, struct tt_str wire,
                             struct tt_str schema_url, uint64_t references)
{
    return add_wire(origins, ORIGIN_SCOPE, resource, wire, schema_url, references);
}

/* ---- metadata ---- */

static struct tt_str copy_text(char **at, struct tt_str text)
{
    struct tt_str copy = {*at, text.len};

    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

static size_t text_bytes(const struct tt_metadata *metadata)
{
    size_t bytes = metadata->peer.len;

    for (size_t i = 0; i < metadata->n_headers; i++)
        bytes += metadata->headers[i].name.len + metadata->headers[i].value.len;
    return bytes;
}

static struct origin *make_metadata(const struct origin *wanted, const void *context)
{
    const struct tt_metadata *from = context;
    size_t headers = from->n_headers * sizeof(*from->headers);
    struct origin *origin = copy_of(wanted, headers + 8 + text_bytes(from));
    char *at;

    if (origin == NULL)
        return NULL;
    origin->metadata = *from;
    at = (char *)(origin + 1) + ((wanted->key.len + 7) & ~(size_t)7);
    origin->metadata.headers = (struct tt_header *)(void *)at;
    at += headers;
    origin->metadata.peer = copy_text(&at, from->peer);
    for (size_t i = 0; i < from->n_headers; i++) {
        origin->metadata.headers[i].name = copy_text(&at, from->headers[i].name);
        origin->metadata.headers[i].value = copy_text(&at, from->headers[i].value);
    }
    return origin;
}

static void append_counted(struct tt_buffer *key, struct tt_str text)
{
    tt_buffer_append(key, &text.len, sizeof(text.len));
    tt_buffer_append_str(key, text);
}

struct origin *origins_metadata(struct origins *origins, const struct tt_metadata *metadata,
                                uint64_t references)
{
    struct origin wanted = {.kind = ORIGIN_METADATA}, *origin = NULL;
    uint64_t second = metadata->arrival_ns / (uint64_t)TT_SECOND;
    struct tt_buffer key;

    tt_buffer_init(&key, MAX_KEY);
    tt_buffer_append(&key, &metadata->receiver, sizeof(metadata->receiver));
    tt_buffer_append(&key, &second, sizeof(second));
    append_counted(&key, metadata->peer);
    for (size_t i = 0; i < metadata->n_headers; i++) {
        append_counted(&key, metadata->headers[i].name);
        append_counted(&key, metadata->headers[i].value);
    }
    wanted.key = tt_buffer_view(&key);
    wanted.hash = tt_hash(key.data, key.len, origins->seed + ORIGIN_METADATA);
    if (key.failed == TT_OK)
        origin = find_or_add(origins, &wanted, make_metadata, metadata, references);
    tt_buffer_done(&key);
    return origin;
}

/* ---- letting go ---- */

/* Never to zero: the last reference goes under the mutex, where nobody can find the origin meanwhile. */
static bool drop_some(struct origin *origin, uint64_t references)
{
    uint64_t held = atomic_load_explicit(&origin->references, memory_order_relaxed);

    while (held > references)
        if (atomic_compare_exchange_weak_explicit(&origin->references, &held, held - references,
                                                  memory_order_release, memory_order_relaxed))
            return true;
    return false;
}

void origin_unref(struct origins *origins, struct origin *origin, uint64_t references)
{
    while (origin != NULL && references > 0 && !drop_some(origin, references)) {
        struct origin *parent = NULL;
        bool last;
        pthread_mutex_lock(&origins->mu);
        last = atomic_fetch_sub_explicit(&origin->references, references, memory_order_acq_rel) ==
               references;
        if (last) {
            parent = origin->parent;
            take_out(origins, origin);
        }
        pthread_mutex_unlock(&origins->mu);
        if (last)
            tt_free(origin);
        origin = parent;
        references = 1;
    }
}
