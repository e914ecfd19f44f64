/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

enum tt_status tt_consume(struct tt_consumer *next, struct tt_batch **batch, struct tt_error *err)
{
    enum tt_signal signal = (*batch)->signal;

    if (TT_LIKELY(next != NULL && signal == next->signal))
        return next->consume(next, batch, err);
    struct tt_error refusal;
    (void)tt_fail(&refusal, TT_UNSUPPORTED, "%s does not take %s",
                  next == NULL ? "this edge" : next->name, tt_signal_name(signal));
    if (err != NULL)
        *err = refusal;
    return tt_drop(batch, TT_UNSUPPORTED, &refusal);
}

/* Failing the ack asks the sender for all of it again, which must not happen once somebody has a part: then the edge
 * of the exporter decides (it parks). */
static bool must_park(const struct tt_ack *ack, enum tt_status status)
{
    return tt_status_may_retry(status) && (ack == NULL || tt_ack_is_delivered(ack));
}

enum tt_status tt_drop(struct tt_batch **batch, enum tt_status status, const struct tt_error *err)
{
    struct tt_batch *dropped = TT_TAKE(*batch);

    if (dropped == NULL)
        return status;
    if (status != TT_OK && !must_park(dropped->ack, status))
        tt_ack_fail(dropped->ack, status, err);
    tt_batch_unref(dropped);
    return status;
}

/* ---- processors and connectors ---- */

/* Its own time: without that of the outlets it sends to meanwhile, on this thread. */
static enum tt_status consume_timed(struct tt_edge *edge, struct tt_batch **batch,
                                    struct tt_error *err)
{
    struct tt_instance *instance = edge->instance;
    const struct tt_service *service = instance->host.service;
    struct tt_stopwatch own = {0};
    void *outer = pthread_getspecific(service->stopwatch);
    tt_dur begin = tt_clock_monotonic(service->clock);
    bool is_set = pthread_setspecific(service->stopwatch, &own) == 0;
    enum tt_status status = instance->component->ops->consume(instance->self, batch, err);

    if (!is_set || pthread_setspecific(service->stopwatch, outer) != 0)
        return status;
    tt_histogram_add(edge->time, tt_clock_monotonic(service->clock) - begin - own.behind);
    return status;
}

static enum tt_status process(struct tt_edge *edge, struct tt_batch **batch, struct tt_error *err)
{
    struct tt_instance *instance = edge->instance;
    struct tt_ack *ack = tt_ack_ref((*batch)->ack);
    enum tt_status status;

    tt_meter_add(edge->taken, tt_batch_live_rows(*batch));
    status = edge->time != NULL ? consume_timed(edge, batch, err)
                                : instance->component->ops->consume(instance->self, batch, err);
    if (TT_UNLIKELY(status != TT_OK))
        tt_ack_fail(ack, status, err);
    tt_ack_unref(ack);
    return status;
}

/* ---- exporters ---- */

/* Nobody hears of this failure who could do something about it. */
static void count_lost(struct tt_edge *edge, const struct tt_ack *ack, uint32_t rows)
{
    if (ack == NULL)
        tt_host_dropped(&edge->instance->host, edge->consumer.signal, "rejected", rows);
}

static enum tt_status delivery_failed(struct tt_edge *edge, struct tt_batch *kept,
                                      enum tt_status status, struct tt_error *err)
{
    uint32_t rows = tt_batch_live_rows(kept);

    if (must_park(kept->ack, status)) {
        tt_park_add(edge, kept, err);
        return TT_OK;
    }
    tt_meter_add(edge->failed, rows);
    count_lost(edge, kept->ack, rows);
    tt_ack_fail(kept->ack, status, err);
    tt_batch_unref(kept);
    return status;
}

/* The edge keeps a reference, so that it can park the batch whatever the exporter did with its own. */
static enum tt_status deliver(struct tt_edge *edge, struct tt_batch **batch, struct tt_error *err)
{
    struct tt_instance *instance = edge->instance;
    struct tt_batch *kept = tt_batch_ref(*batch);
    struct tt_error local = {.status = TT_OK};
    enum tt_status status;

    /* Behind batches that wait nothing is tried: the exporter is known to fail, and the order is kept. */
    if (atomic_load_explicit(&edge->park->n_waiting, memory_order_acquire) > 0) {
        tt_batch_unref(TT_TAKE(*batch));
        status = tt_park_refusal(edge, &local);
    } else {
        status = instance->component->ops->consume(instance->self, batch, &local);
    }
    if (TT_UNLIKELY(status != TT_OK)) {
        status = delivery_failed(edge, kept, status, &local);
        if (status != TT_OK && err != NULL)
            *err = local;
        return status;
    }
    tt_ack_set_delivered(kept->ack);
    tt_meter_add(edge->taken, tt_batch_live_rows(kept));
    tt_batch_unref(kept);
    return TT_OK;
}

enum tt_status tt_edge_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                               struct tt_error *err)
{
    struct tt_edge *edge = TT_CONTAINER(consumer, struct tt_edge, consumer);
    struct tt_batch *taken = TT_TAKE(*batch);

    return edge->park != NULL ? deliver(edge, &taken, err) : process(edge, &taken, err);
}

enum tt_status tt_outlet_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                 struct tt_error *err)
{
    struct tt_outlet *outlet = TT_CONTAINER(consumer, struct tt_outlet, consumer);
    const struct tt_service *service = outlet->service;
    struct tt_stopwatch *watch = service != NULL ? pthread_getspecific(service->stopwatch) : NULL;
    enum tt_status status;
    tt_dur begin;

    tt_meter_add(outlet->sent, tt_batch_live_rows(*batch));
    if (watch == NULL) /* not asked, or sent by a thread of the component's own */
        return tt_consume(outlet->next, batch, err);
    begin = tt_clock_monotonic(service->clock);
    status = tt_consume(outlet->next, batch, err);
    watch->behind += tt_clock_monotonic(service->clock) - begin;
    return status;
}
