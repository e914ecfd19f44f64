/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

const struct tt_meter_desc tt_dropped_meter = {
    .name = "telltale_dropped_items",
    .unit = "1",
    .doc = "Items that were taken and went nowhere, by component and reason.",
    .kind = TT_COUNTER,
};

void tt_host_init(struct tt_host *host, struct tt_service *service, const char *id)
{
    *host = (struct tt_host){
        .log = {.sink = service->sink, .component = id},
        .clock = service->clock,
        .meters = service->meters,
        .service = service,
        .version = service->version,
    };
}

/* ---- admission ---- */

static struct tt_edge *first_stuck_edge(struct tt_service *service)
{
    for (size_t i = service->graph.n_instances; i-- > 0;) {
        struct tt_instance *instance = &service->graph.instances[i];
        for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
            struct tt_edge *edge = instance->edges[s];
            if (edge != NULL && edge->park != NULL &&
                atomic_load_explicit(&edge->park->n_waiting, memory_order_acquire) > 0)
                return edge;
        }
    }
    return NULL;
}

enum tt_status tt_service_check_parked(struct tt_service *service, struct tt_error *err)
{
    uint32_t closed = atomic_load_explicit(&service->closed, memory_order_acquire);
    struct tt_edge *edge;

    if (TT_LIKELY((closed & ~TT_CLOSED_STOPPING) == 0))
        return TT_OK;
    edge = first_stuck_edge(service);
    return edge == NULL ? TT_OK : tt_park_refusal(edge, err);
}

static enum tt_status refuse(struct tt_service *service, uint32_t closed, struct tt_error *err)
{
    if ((closed & TT_CLOSED_STOPPING) != 0) {
        enum tt_status status = tt_fail(err, TT_SHUTTING_DOWN, "take data: shutting down");
        if (err != NULL)
            err->retry_after_ms = TT_RETRY_AFTER_MS;
        return status;
    }
    return tt_service_check_parked(service, err);
}

enum tt_status tt_host_admission(struct tt_host *host, struct tt_error *err)
{
    uint32_t closed = atomic_load_explicit(&host->service->closed, memory_order_acquire);

    return TT_LIKELY(closed == 0) ? TT_OK : refuse(host->service, closed, err);
}

/* ---- the ledger ---- */

void tt_host_dropped(struct tt_host *host, enum tt_signal signal, const char *reason,
                     uint64_t items)
{
    struct tt_label labels[] = {
        {"component", tt_str(host->log.component)},
        {"reason", tt_str(reason)},
        {"signal", tt_str(tt_signal_name(signal))},
    };

    if (items == 0)
        return;
    tt_meter_add(tt_meters_get(host->meters, &tt_dropped_meter, labels, TT_LENGTH(labels)),
                 (int64_t)items);
}

/* ---- shared objects ---- */

static void *find_or_make(struct tt_service *service, struct tt_host *host,
                          const struct tt_shared_type *type)
{
    for (size_t i = 0; i < service->n_shared; i++)
        if (tt_str_equal(tt_str(service->shared[i].type->name), tt_str(type->name)))
            return service->shared[i].object;
    if (service->n_shared == TT_LENGTH(service->shared))
        return NULL;
    void *object = type->create(host);
    if (object == NULL)
        return NULL;
    service->shared[service->n_shared].type = type;
    service->shared[service->n_shared++].object = object;
    return object;
}

void *tt_host_share(struct tt_host *host, const struct tt_shared_type *type)
{
    struct tt_service *service = host->service;
    void *object;

    pthread_mutex_lock(&service->shared_mu);
    object = find_or_make(service, host, type);
    pthread_mutex_unlock(&service->shared_mu);
    return object;
}

/* Newest first: an object may use those that were there when it was made. */
void tt_host_done_shared(struct tt_service *service)
{
    while (service->n_shared > 0) {
        service->n_shared--;
        service->shared[service->n_shared].type->destroy(service->shared[service->n_shared].object);
    }
}

/* ---- trouble ---- */

void tt_host_fatal(struct tt_host *host, const struct tt_error *err)
{
    struct tt_service *service = host->service;
    bool is_first;

    tt_log_error(&host->log, "Fatal error, the service stops", TT_FIELD_ERROR(err));
    pthread_mutex_lock(&service->fatal_mu);
    is_first = !service->has_failed;
    if (is_first) {
        service->has_failed = true;
        service->fatal = *err;
    }
    pthread_mutex_unlock(&service->fatal_mu);
    if (is_first && service->on_fatal != NULL)
        service->on_fatal(service->on_fatal_context);
}
