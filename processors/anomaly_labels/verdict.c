/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/verdict.h"

#include "base/map.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHARDS       16
#define MIN_CAPACITY ((size_t)64)

struct slot {
    uint8_t trace_id[16];
    uint64_t start_ns;
    uint32_t label; /* index into labels, plus one; 0: free */
    uint32_t source;
};

/* A label and the text it is found by. */
struct stored_label {
    struct tt_anomaly_label label;
    uint32_t number; /* index plus one */
};

struct generation {
    struct slot *slots; /* open addressing, linear, never deleted from */
    size_t count, capacity;
    struct stored_label **labels;
    size_t n_labels, labels_capacity;
    struct tt_map by_text;
    struct tt_arena texts;
};

struct shard {
    pthread_mutex_t mu;
    struct generation young, old; /* guarded by mu */
};

struct tt_verdicts {
    struct shard shards[SHARDS];
    uint64_t seed;
    size_t max_slots, max_text; /* of one generation of one shard */
    _Atomic size_t count;
};

/* ---- generations ---- */

static void generation_init(const struct tt_verdicts *verdicts, struct generation *generation)
{
    memset(generation, 0, sizeof(*generation));
    tt_map_init(&generation->by_text, UINT32_MAX);
    tt_arena_init(&generation->texts, 4096, verdicts->max_text);
}

static void generation_done(struct generation *generation)
{
    tt_free(generation->slots);
    tt_free(generation->labels);
    tt_map_done(&generation->by_text);
    tt_arena_done(&generation->texts);
}

static struct slot *find(const struct generation *generation, const uint8_t id[16], uint64_t hash)
{
    if (generation->capacity == 0)
        return NULL;
    for (size_t i = hash & (generation->capacity - 1);; i = (i + 1) & (generation->capacity - 1)) {
        struct slot *slot = &generation->slots[i];
        if (slot->label == 0)
            return NULL;
        if (memcmp(slot->trace_id, id, 16) == 0)
            return slot;
    }
}

static struct slot *free_slot(struct slot *slots, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);

    while (slots[i].label != 0)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static uint64_t hash_id(const struct tt_verdicts *verdicts, const uint8_t id[16])
{
    return tt_hash(id, 16, verdicts->seed);
}

static bool grow(const struct tt_verdicts *verdicts, struct generation *generation)
{
    size_t capacity = generation->capacity == 0 ? MIN_CAPACITY : 2 * generation->capacity;
    struct slot *slots = tt_calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < generation->capacity; i++) {
        const struct slot *from = &generation->slots[i];
        if (from->label != 0)
            *free_slot(slots, capacity, hash_id(verdicts, from->trace_id)) = *from;
    }
    tt_free(generation->slots);
    generation->slots = slots;
    generation->capacity = capacity;
    return true;
}

/* ---- labels ---- */

#define MAX_LABEL_TEXT (3 * TT_LABEL_MAX_TEXT + TT_LABEL_MAX_MSG + 4 * sizeof(uint16_t))

static char *put_text(char *at, struct tt_str text)
{
    uint16_t len = (uint16_t)text.len;

    memcpy(at, &len, sizeof(len));
    if (len > 0)
        memcpy(at + sizeof(len), text.data, len);
    return at + sizeof(len) + len;
}

static struct tt_str take_text(const char **at)
{
    uint16_t len;
    struct tt_str text;

    memcpy(&len, *at, sizeof(len));
    text = tt_str_of(*at + sizeof(len), len);
    *at += sizeof(len) + len;
    return text;
}

static struct tt_str flatten(const struct tt_anomaly_label *label, char text[MAX_LABEL_TEXT])
{
    char *at = put_text(text, tt_label_cut(label->type, TT_LABEL_MAX_TEXT));

    at = put_text(at, tt_label_cut(label->label, TT_LABEL_MAX_TEXT));
    at = put_text(at, tt_label_cut(label->root_cause, TT_LABEL_MAX_TEXT));
    at = put_text(at, tt_label_cut(label->msg, TT_LABEL_MAX_MSG));
    return tt_str_of(text, (size_t)(at - text));
}

static struct tt_anomaly_label unflatten(struct tt_str text)
{
    const char *at = text.data;
    struct tt_anomaly_label label;

    label.type = take_text(&at);
    label.label = take_text(&at);
    label.root_cause = take_text(&at);
    label.msg = take_text(&at);
    return label;
}

static bool room_for_label(struct generation *generation)
{
    size_t capacity = generation->labels_capacity == 0 ? 16 : 2 * generation->labels_capacity;
    struct stored_label **labels;

    if (generation->n_labels < generation->labels_capacity)
        return true;
    labels = tt_realloc(generation->labels, capacity, sizeof(struct stored_label *));
    if (labels == NULL)
        return false;
    generation->labels = labels;
    generation->labels_capacity = capacity;
    return true;
}

/* The label's number; 0 when the generation's room for texts, or memory, is gone. */
static uint32_t intern(struct generation *generation, const struct tt_anomaly_label *label)
{
    char flat[MAX_LABEL_TEXT];
    struct tt_str key = flatten(label, flat);
    struct stored_label *stored = tt_map_get(&generation->by_text, key);

    if (stored != NULL)
        return stored->number;
    stored = tt_arena_alloc(&generation->texts, sizeof(*stored));
    key = tt_arena_copy(&generation->texts, key);
    if (stored == NULL || key.data == NULL || !room_for_label(generation))
        return 0;
    stored->label = unflatten(key);
    stored->number = (uint32_t)generation->n_labels + 1;
    if (tt_map_put(&generation->by_text, key, stored) != TT_OK)
        return 0;
    generation->labels[generation->n_labels++] = stored;
    return stored->number;
}

/* ---- shards ---- */

static void rotate(struct tt_verdicts *verdicts, struct shard *shard)
{
    atomic_fetch_sub_explicit(&verdicts->count, shard->old.count, memory_order_relaxed);
    generation_done(&shard->old);
    shard->old = shard->young;
    generation_init(verdicts, &shard->young);
}

static bool has_room(struct tt_verdicts *verdicts, struct shard *shard)
{
    if (shard->young.count >= verdicts->max_slots)
        rotate(verdicts, shard);
    return 2 * (shard->young.count + 1) <= shard->young.capacity || grow(verdicts, &shard->young);
}

/* A trace that is in the old generation too is found in the young one first. */
static void store(struct tt_verdicts *verdicts, struct shard *shard, const uint8_t id[16],
                  uint64_t hash, const struct tt_evidence *evidence)
{
    struct slot *slot = find(&shard->young, id, hash);
    uint32_t label;

    if (slot == NULL && !has_room(verdicts, shard))
        return;
    label = intern(&shard->young, &evidence->label);
    if (label == 0) {
        rotate(verdicts, shard);
        slot = NULL;
        if (!has_room(verdicts, shard) || (label = intern(&shard->young, &evidence->label)) == 0)
            return;
    }
    if (slot == NULL) {
        slot = free_slot(shard->young.slots, shard->young.capacity, hash);
        memcpy(slot->trace_id, id, 16);
        shard->young.count++;
        atomic_fetch_add_explicit(&verdicts->count, 1, memory_order_relaxed);
    }
    slot->label = label;
    slot->source = (uint32_t)evidence->source;
    slot->start_ns = evidence->start_ns;
}

static bool load(const struct shard *shard, const uint8_t id[16], uint64_t hash,
                 struct tt_evidence *ret_stored)
{
    const struct generation *generation = &shard->young;
    const struct slot *slot = find(generation, id, hash);

    if (slot == NULL) {
        generation = &shard->old;
        slot = find(generation, id, hash);
    }
    if (slot == NULL)
        return false;
    ret_stored->label = generation->labels[slot->label - 1]->label;
    ret_stored->source = (enum tt_label_source)slot->source;
    ret_stored->start_ns = slot->start_ns;
    return true;
}

static bool copy_texts(struct tt_anomaly_label *label, struct tt_arena *arena)
{
    label->type = tt_arena_copy(arena, label->type);
    label->label = tt_arena_copy(arena, label->label);
    label->root_cause = tt_arena_copy(arena, label->root_cause);
    label->msg = tt_arena_copy(arena, label->msg);
    return label->type.data != NULL && label->label.data != NULL &&
           label->root_cause.data != NULL && label->msg.data != NULL;
}

/* Called with the shard's mutex held: stored texts die with it. */
static bool merge(struct tt_verdicts *verdicts, struct shard *shard, const uint8_t id[16],
                  const struct tt_evidence *evidence, struct tt_arena *arena,
                  struct tt_evidence *ret_verdict, bool *ret_contradicts)
{
    uint64_t hash = hash_id(verdicts, id);
    struct tt_evidence stored;
    bool known = load(shard, id, hash, &stored);

    *ret_contradicts = known && evidence != NULL && tt_evidence_contradicts(evidence, &stored);
    if (evidence != NULL && (!known || tt_evidence_wins(evidence, &stored))) {
        store(verdicts, shard, id, hash, evidence);
        *ret_verdict = *evidence;
        return true;
    }
    if (!known)
        return false;
    if (evidence != NULL && tt_label_equal(&evidence->label, &stored.label))
        stored.label = evidence->label;
    else if (!copy_texts(&stored.label, arena))
        return false;
    *ret_verdict = stored;
    return true;
}

bool tt_verdicts_merge(struct tt_verdicts *verdicts, const uint8_t trace_id[16],
                       const struct tt_evidence *evidence, struct tt_arena *arena,
                       struct tt_evidence *ret_verdict, bool *ret_contradicts)
{
    struct shard *shard = &verdicts->shards[hash_id(verdicts, trace_id) >> 60];
    bool contradicts = false, found;

    if (evidence == NULL && tt_verdicts_count(verdicts) == 0)
        return false;
    pthread_mutex_lock(&shard->mu);
    found = merge(verdicts, shard, trace_id, evidence, arena, ret_verdict, &contradicts);
    pthread_mutex_unlock(&shard->mu);
    if (ret_contradicts != NULL)
        *ret_contradicts = contradicts;
    return found;
}

size_t tt_verdicts_count(struct tt_verdicts *verdicts)
{
    return atomic_load_explicit(&verdicts->count, memory_order_relaxed);
}

struct tt_verdicts *tt_verdicts_new(size_t max_traces, size_t max_text_bytes)
{
    struct tt_verdicts *verdicts = tt_calloc(1, sizeof(*verdicts));

    if (verdicts == NULL)
        return NULL;
    verdicts->seed = tt_hash_seed();
    verdicts->max_slots = max_traces / (2 * (size_t)SHARDS) + 1;
    verdicts->max_text = max_text_bytes / (2 * (size_t)SHARDS) + 8192;
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&verdicts->shards[i].mu, NULL);
        generation_init(verdicts, &verdicts->shards[i].young);
        generation_init(verdicts, &verdicts->shards[i].old);
    }
    return verdicts;
}

void tt_verdicts_free(struct tt_verdicts *verdicts)
{
    if (verdicts == NULL)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        generation_done(&verdicts->shards[i].young);
        generation_done(&verdicts->shards[i].old);
        pthread_mutex_destroy(&verdicts->shards[i].mu);
    }
    tt_free(verdicts);
}
