/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

struct tt_park *tt_park_new(struct tt_arena *arena)
{
    struct tt_park *park = tt_arena_calloc(arena, 1, sizeof(*park));

    if (park != NULL)
        pthread_mutex_init(&park->mu, NULL);
    return park;
}

/* What a parked batch keeps in memory, closely enough for a limit. */
static size_t batch_bytes(const struct tt_batch *batch)
{
    size_t bytes = sizeof(*batch) + batch->arena.reserved;

    for (uint32_t i = 0; i < batch->n_rows; i++)
        bytes += batch->rows[i].wire_len;
    return bytes;
}

static void drop(struct tt_edge *edge, struct tt_batch *batch, const char *reason)
{
    uint32_t rows = tt_batch_live_rows(batch);

    tt_meter_add(edge->failed, rows);
    tt_host_dropped(&edge->instance->host, edge->consumer.signal, reason, rows);
    tt_batch_unref(batch);
}

static struct tt_service *service_of(const struct tt_edge *edge)
{
    return edge->instance->host.service;
}

static bool push(struct tt_park *park, struct tt_batch *batch, size_t bytes, bool *ret_is_first)
{
    bool fits;

    pthread_mutex_lock(&park->mu);
    fits = park->count < TT_LENGTH(park->items) && bytes <= TT_PARK_MAX_BYTES - park->bytes;
    if (fits) {
        park->items[(park->first + park->count) % TT_LENGTH(park->items)] =
            (struct tt_parked){.batch = batch, .bytes = bytes};
        *ret_is_first = park->count++ == 0;
        park->bytes += bytes;
        atomic_store_explicit(&park->n_waiting, (uint32_t)park->count, memory_order_release);
    }
    pthread_mutex_unlock(&park->mu);
    return fits;
}

static void set_reason(struct tt_park *park, const struct tt_error *err)
{
    pthread_mutex_lock(&park->mu);
    park->reason = *err;
    pthread_mutex_unlock(&park->mu);
}

/* The sender's answer does not wait for a parked batch: it would send all of it again when it gives up. */
static void detach_ack(struct tt_batch **batch)
{
    struct tt_error err;

    if ((*batch)->ack == NULL || tt_batch_make_writable(batch, &err) != TT_OK)
        return;
    tt_ack_unref(TT_TAKE((*batch)->ack));
}

void tt_park_add(struct tt_edge *edge, struct tt_batch *batch, const struct tt_error *err)
{
    struct tt_service *service = service_of(edge);
    bool is_first = false;

    detach_ack(&batch);
    set_reason(edge->park, err);
    /* Closed before the batch is visible, so that a retry cannot open what was not closed yet. */
    atomic_fetch_add_explicit(&service->closed, 1, memory_order_acq_rel);
    if (!push(edge->park, batch, batch_bytes(batch), &is_first)) {
        tt_meter_add(edge->enqueue_failed, tt_batch_live_rows(batch));
        drop(edge, batch, "exporter_stuck");
        tt_log_error(&edge->instance->host.log,
                     "The exporter fails and what waits for it is at its limit: data are dropped",
                     TT_FIELD_ERROR(err));
    }
    if (!is_first)
        atomic_fetch_sub_explicit(&service->closed, 1, memory_order_acq_rel);
    else {
        tt_log_error(&edge->instance->host.log,
                     "The exporter fails: its data wait in memory, and no new data are taken",
                     TT_FIELD_ERROR(err));
        tt_service_wake_retry(service);
    }
}

void tt_park_size(struct tt_edge *edge, size_t *ret_batches, size_t *ret_bytes)
{
    pthread_mutex_lock(&edge->park->mu);
    *ret_batches = edge->park->count;
    *ret_bytes = edge->park->bytes;
    pthread_mutex_unlock(&edge->park->mu);
}

enum tt_status tt_park_refusal(struct tt_edge *edge, struct tt_error *err)
{
    struct tt_error reason;
    enum tt_status status;

    pthread_mutex_lock(&edge->park->mu);
    reason = edge->park->reason;
    pthread_mutex_unlock(&edge->park->mu);
    status = tt_fail(err, TT_UNAVAILABLE, "exporter \"%s\" is stuck: %s",
                     edge->instance->settings->id, reason.message);
    if (err != NULL)
        err->retry_after_ms = TT_RETRY_AFTER_MS;
    return status;
}

/* ---- retry ---- */

static struct tt_batch *peek(struct tt_park *park)
{
    struct tt_batch *batch = NULL;

    pthread_mutex_lock(&park->mu);
    if (park->count > 0)
        batch = tt_batch_ref(park->items[park->first].batch);
    pthread_mutex_unlock(&park->mu);
    return batch;
}

/* Removes the oldest and gives its reference to the caller. */
static struct tt_batch *pop(struct tt_park *park, bool *ret_is_empty)
{
    struct tt_parked item;

    pthread_mutex_lock(&park->mu);
    item = park->items[park->first];
    park->first = (park->first + 1) % TT_LENGTH(park->items);
    park->count--;
    park->bytes -= item.bytes;
    *ret_is_empty = park->count == 0;
    atomic_store_explicit(&park->n_waiting, (uint32_t)park->count, memory_order_release);
    pthread_mutex_unlock(&park->mu);
    return item.batch;
}

static void reopen(struct tt_edge *edge)
{
    atomic_fetch_sub_explicit(&service_of(edge)->closed, 1, memory_order_acq_rel);
    tt_log_info(&edge->instance->host.log, "The exporter works again: new data are taken");
}

/* Returns whether the oldest batch is gone, delivered or for good. */
static bool retry_one(struct tt_edge *edge, struct tt_batch *batch)
{
    struct tt_instance *instance = edge->instance;
    uint32_t rows = tt_batch_live_rows(batch);
    struct tt_error err = {.status = TT_OK};
    enum tt_status status = instance->component->ops->consume(instance->self, &batch, &err);
    bool is_empty;

    if (status != TT_OK && tt_status_may_retry(status)) {
        set_reason(edge->park, &err);
        return false;
    }
    struct tt_batch *done = pop(edge->park, &is_empty);
    if (status == TT_OK) {
        tt_meter_add(edge->taken, rows);
        tt_batch_unref(done);
    } else {
        drop(edge, done, "rejected");
    }
    if (is_empty)
        reopen(edge);
    return true;
}

static bool claim(struct tt_park *park)
{
    bool is_mine;

    pthread_mutex_lock(&park->mu);
    is_mine = !park->is_retrying;
    park->is_retrying = true;
    pthread_mutex_unlock(&park->mu);
    return is_mine;
}

static void unclaim(struct tt_park *park)
{
    pthread_mutex_lock(&park->mu);
    park->is_retrying = false;
    pthread_mutex_unlock(&park->mu);
}

bool tt_park_retry(struct tt_edge *edge)
{
    struct tt_park *park = edge->park;
    struct tt_batch *batch;

    if (atomic_load_explicit(&park->n_waiting, memory_order_acquire) == 0)
        return true;
    if (!claim(park))
        return false;
    while ((batch = peek(park)) != NULL && retry_one(edge, batch))
        ;
    unclaim(park);
    return atomic_load_explicit(&park->n_waiting, memory_order_acquire) == 0;
}

void tt_park_done(struct tt_edge *edge, const char *reason)
{
    struct tt_batch *batch;
    bool is_empty = true;

    while ((batch = peek(edge->park)) != NULL) {
        tt_batch_unref(batch);
        drop(edge, pop(edge->park, &is_empty), reason);
        if (is_empty)
            atomic_fetch_sub_explicit(&service_of(edge)->closed, 1, memory_order_acq_rel);
    }
}
