/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/service.h"

#include "pipeline/engine.h"

/* The share of the time left at shutdown that exporters may use to send what is parked; the rest is for closing. */
#define PARKED_SHARE    INT64_C(9) / 10
#define PARKED_INTERVAL (200 * TT_MILLISECOND)

static const struct tt_meter_desc budget_meter = {
    "telltale_memory_budget_bytes", "By", "Bytes that requests being read may take together.",
    TT_GAUGE};
static const struct tt_meter_desc budget_used_meter = {"telltale_memory_budget_used_bytes", "By",
                                                       "Bytes that requests being read take now.",
                                                       TT_GAUGE};
static const struct tt_meter_desc parked_meter = {
    "telltale_exporter_parked_batches", "1",
    "Batches that wait in memory for an exporter that fails.", TT_GAUGE};
static const struct tt_meter_desc parked_bytes_meter = {
    "telltale_exporter_parked_bytes", "By", "Bytes of the batches that wait for an exporter.",
    TT_GAUGE};
/* The same by signal under the names that otelcol's dashboards and alerts know. */
static const struct tt_meter_desc queue_meter = {"otelcol_exporter_queue_size", "{batches}",
                                                 "Batches that wait for an exporter.", TT_GAUGE};
static const struct tt_meter_desc capacity_meter = {"otelcol_exporter_queue_capacity", "{batches}",
                                                    "How many batches may wait for an exporter.",
                                                    TT_GAUGE};
static const struct tt_meter_desc admission_meter = {
    "telltale_admission_open", "1", "Whether new data are taken (1) or answered 503 (0).",
    TT_GAUGE};

/* ---- sending parked batches again ---- */

static struct tt_edge *parking_edge(struct tt_instance *instance, unsigned signal_index)
{
    struct tt_edge *edge = instance->edges[signal_index];

    return edge != NULL && edge->park != NULL ? edge : NULL;
}

/* Returns whether nothing waits for the instance any more. */
static bool retry_instance(struct tt_instance *instance)
{
    bool is_empty = true;

    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        struct tt_edge *edge = parking_edge(instance, s);
        if (edge != NULL)
            is_empty &= tt_park_retry(edge);
    }
    return is_empty;
}

static bool something_waits(struct tt_service *service)
{
    uint32_t closed = atomic_load_explicit(&service->closed, memory_order_acquire);

    return (closed & ~TT_CLOSED_STOPPING) != 0;
}

/* Sleeps until something is parked, then a second; false when the thread is to end. */
static bool wait_for_retry(struct tt_service *service)
{
    bool is_running;

    pthread_mutex_lock(&service->retry_mu);
    while (!service->retry_stop && !something_waits(service))
        pthread_cond_wait(&service->retry_cond, &service->retry_mu);
    tt_dur until = tt_clock_monotonic(tt_clock_system()) + TT_PARK_RETRY_INTERVAL;
    while (!service->retry_stop &&
           tt_cond_wait_until(&service->retry_cond, &service->retry_mu, until))
        ;
    is_running = !service->retry_stop;
    pthread_mutex_unlock(&service->retry_mu);
    return is_running;
}

static void retry_parked(void *context)
{
    struct tt_service *service = context;

    while (wait_for_retry(service))
        for (size_t i = 0; i < service->graph.n_instances; i++)
            (void)retry_instance(&service->graph.instances[i]);
}

void tt_service_wake_retry(struct tt_service *service)
{
    pthread_mutex_lock(&service->retry_mu);
    pthread_cond_signal(&service->retry_cond);
    pthread_mutex_unlock(&service->retry_mu);
}

static void stop_retry(struct tt_service *service)
{
    pthread_mutex_lock(&service->retry_mu);
    service->retry_stop = true;
    pthread_cond_signal(&service->retry_cond);
    pthread_mutex_unlock(&service->retry_mu);
    tt_thread_join(&service->retry_thread);
}

/* ---- making and freeing ---- */

static void init(struct tt_service *service, const struct tt_service_options *options,
                 struct tt_settings *settings)
{
    tt_arena_init(&service->arena, 8192, 0);
    service->settings = settings;
    service->clock = options->clock;
    service->sink = options->sink;
    service->log = (struct tt_log){.sink = options->sink};
    service->version = options->version;
    service->budget.limit = settings->service.memory_budget;
    service->on_fatal = options->on_fatal;
    service->on_fatal_context = options->on_fatal_context;
    if (settings->service.telemetry.metrics.level >= TT_METRICS_NORMAL)
        service->has_stopwatch = pthread_key_create(&service->stopwatch, NULL) == 0;
    pthread_mutex_init(&service->shared_mu, NULL);
    pthread_mutex_init(&service->fatal_mu, NULL);
    pthread_mutex_init(&service->retry_mu, NULL);
    tt_cond_init(&service->retry_cond);
}

enum tt_status tt_service_new(const struct tt_service_options *options,
                              struct tt_settings *settings, struct tt_service **ret_service,
                              struct tt_error *err)
{
    struct tt_service *service = tt_calloc(1, sizeof(*service));
    enum tt_status status;

    if (service == NULL) {
        tt_settings_free(settings);
        return tt_fail(err, TT_NO_MEMORY, "create the service: out of memory");
    }
    init(service, options, settings);
    service->meters = tt_meters_new(TT_MAX_METERS);
    if (service->meters == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "create the service: out of memory");
    else
        status = tt_graph_build(service, err);
    if (status != TT_OK) {
        tt_service_free(service);
        return status;
    }
    tt_service_update_meters(service);
    *ret_service = service;
    return TT_OK;
}

void tt_service_free(struct tt_service *service)
{
    if (service == NULL)
        return;
    stop_retry(service);
    tt_graph_destroy(service);
    tt_host_done_shared(service);
    tt_meters_free(service->meters);
    if (service->has_stopwatch)
        (void)pthread_key_delete(service->stopwatch);
    pthread_cond_destroy(&service->retry_cond);
    pthread_mutex_destroy(&service->retry_mu);
    pthread_mutex_destroy(&service->fatal_mu);
    pthread_mutex_destroy(&service->shared_mu);
    while (service->n_reloaded > 0)
        tt_settings_free(service->reloaded[--service->n_reloaded].settings);
    tt_settings_free(service->settings);
    tt_arena_done(&service->arena);
    tt_free(service);
}

/* ---- start ---- */

/* One whose start fails counts as started: shutdown ends what it had begun. */
static enum tt_status start_instance(struct tt_instance *instance, struct tt_error *err)
{
    enum tt_status status;

    instance->is_started = true;
    if (instance->component->ops->start == NULL)
        return TT_OK;
    status = instance->component->ops->start(instance->self, err);
    if (status != TT_OK)
        tt_error_prefix(err, "failed to start \"%s\" %s", instance->settings->id,
                        tt_kind_name(instance->component->kind));
    return status;
}

static enum tt_status start_all(struct tt_service *service, struct tt_error *err)
{
    struct tt_graph *graph = &service->graph;
    enum tt_status status;

    status = tt_thread_start(&service->retry_thread, "retry", retry_parked, service, err);
    for (size_t i = 0; status == TT_OK && i < graph->n_extensions; i++)
        status = start_instance(&graph->extensions[i], err);
    for (size_t i = graph->n_instances; status == TT_OK && i-- > 0;)
        status = start_instance(&graph->instances[i], err);
    return status;
}

static void tell_ready(struct tt_service *service, bool ready)
{
    if (service->is_ready == ready)
        return;
    service->is_ready = ready;
    for (size_t i = 0; i < service->graph.n_extensions; i++) {
        struct tt_instance *extension = &service->graph.extensions[i];
        if (extension->component->ops->ready != NULL && extension->is_started)
            extension->component->ops->ready(extension->self, ready);
    }
}

enum tt_status tt_service_start(struct tt_service *service, struct tt_error *err)
{
    enum tt_status status;

    tt_log_info(&service->log, "Starting telltale...", TT_FIELD_TEXT("version", service->version),
                TT_FIELD_INT("pipelines", service->settings->n_pipelines));
    service->started_at = tt_clock_monotonic(service->clock);
    status = start_all(service, err);
    if (status != TT_OK) {
        (void)tt_service_shutdown(service,
                                  tt_clock_monotonic(service->clock) +
                                      tt_service_settings(service)->service.shutdown_timeout,
                                  NULL);
        return status;
    }
    tell_ready(service, true);
    tt_log_info(&service->log, "Everything is ready. Begin running and processing data.");
    return TT_OK;
}

/* ---- shutdown ---- */

struct stopping {
    struct tt_service *service;
    tt_dur deadline;
    enum tt_status status; /* the first failure */
    struct tt_error *err;
};

static void stop_instance(struct stopping *stopping, struct tt_instance *instance)
{
    struct tt_error err = {.status = TT_OK};
    enum tt_status status;

    if (!instance->is_started || instance->is_shut_down)
        return;
    instance->is_shut_down = true;
    if (instance->component->ops->shutdown == NULL)
        return;
    status = instance->component->ops->shutdown(instance->self, stopping->deadline, &err);
    if (status == TT_OK)
        return;
    tt_error_prefix(&err, "failed to shut down \"%s\" %s", instance->settings->id,
                    tt_kind_name(instance->component->kind));
    tt_log_error(&instance->host.log, "Shutdown failed", TT_FIELD_ERROR(&err));
    if (stopping->status != TT_OK)
        return;
    stopping->status = status;
    if (stopping->err != NULL)
        *stopping->err = err;
}

static bool is_exporter(const struct tt_instance *instance)
{
    return instance->component->kind == TT_EXPORTER;
}

/* One that nothing waits for is closed at once; a stuck one must not cost the others their time. */
static bool stop_idle_exporters(struct stopping *stopping)
{
    struct tt_graph *graph = &stopping->service->graph;
    bool all = true;

    for (size_t i = 0; i < graph->n_instances; i++) {
        struct tt_instance *instance = &graph->instances[i];
        if (!is_exporter(instance) || instance->is_shut_down)
            continue;
        if (retry_instance(instance))
            stop_instance(stopping, instance);
        else
            all = false;
    }
    return all;
}

static void drop_parked(struct tt_instance *instance)
{
    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        struct tt_edge *edge = parking_edge(instance, s);
        if (edge == NULL || atomic_load_explicit(&edge->park->n_waiting, memory_order_acquire) == 0)
            continue;
        tt_log_error(&instance->host.log,
                     "The exporter still fails at the deadline: what waited for it is dropped");
        tt_park_done(edge, "shutdown");
    }
}

/* Waits a little, or until the deadline when it is nearer; false when it has passed. */
static bool pause_until(struct tt_service *service, tt_dur deadline)
{
    tt_dur now = tt_clock_monotonic(service->clock);
    tt_dur until = now + PARKED_INTERVAL < deadline ? now + PARKED_INTERVAL : deadline;

    if (now >= deadline)
        return false;
    pthread_mutex_lock(&service->retry_mu);
    while (tt_cond_wait_until(&service->retry_cond, &service->retry_mu, until))
        ;
    pthread_mutex_unlock(&service->retry_mu);
    return true;
}

static void stop_exporters(struct stopping *stopping)
{
    struct tt_service *service = stopping->service;
    tt_dur now = tt_clock_monotonic(service->clock);
    tt_dur parked_deadline = now + (stopping->deadline - now) * PARKED_SHARE;

    while (!stop_idle_exporters(stopping) && pause_until(service, parked_deadline))
        ;
    for (size_t i = 0; i < service->graph.n_instances; i++) {
        struct tt_instance *instance = &service->graph.instances[i];
        if (!is_exporter(instance) || instance->is_shut_down)
            continue;
        drop_parked(instance);
        stop_instance(stopping, instance);
    }
}

enum tt_status tt_service_shutdown(struct tt_service *service, tt_dur deadline,
                                   struct tt_error *err)
{
    struct stopping stopping = {.service = service, .deadline = deadline, .err = err};
    struct tt_graph *graph = &service->graph;

    tt_log_info(&service->log, "Starting shutdown...");
    atomic_fetch_or_explicit(&service->closed, TT_CLOSED_STOPPING, memory_order_acq_rel);
    tell_ready(service, false);
    for (size_t i = 0; i < graph->n_instances; i++)
        if (!is_exporter(&graph->instances[i]))
            stop_instance(&stopping, &graph->instances[i]);
    stop_retry(service);
    stop_exporters(&stopping);
    tt_log_info(&service->log, "Stopping extensions...");
    for (size_t i = graph->n_extensions; i-- > 0;)
        stop_instance(&stopping, &graph->extensions[i]);
    tt_log_info(&service->log, "Shutdown complete.");
    return stopping.status;
}

/* ---- readings ---- */

const struct tt_settings *tt_service_settings(const struct tt_service *service)
{
    return service->n_reloaded > 0 ? service->reloaded[service->n_reloaded - 1].settings
                                   : service->settings;
}

struct tt_meters *tt_service_meters(struct tt_service *service)
{
    return service->meters;
}

static void set_gauge(struct tt_service *service, const struct tt_meter_desc *desc,
                      const struct tt_label *labels, size_t n_labels, size_t value)
{
    tt_meter_set(tt_meters_get(service->meters, desc, labels, n_labels), (int64_t)value);
}

static void update_queue(struct tt_service *service, const struct tt_instance *instance,
                         unsigned signal_index, size_t batches)
{
    struct tt_label labels[] = {
        {"exporter", tt_str(instance->settings->id)},
        {"data_type", tt_str(tt_signal_name(tt_signal_at(signal_index)))},
    };

    set_gauge(service, &queue_meter, labels, TT_LENGTH(labels), batches);
    set_gauge(service, &capacity_meter, labels, TT_LENGTH(labels), TT_PARK_MAX_BATCHES);
}

static void update_parked(struct tt_service *service, struct tt_instance *instance)
{
    struct tt_label label = {"exporter", tt_str(instance->settings->id)};
    size_t batches = 0, bytes = 0;

    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        struct tt_edge *edge = parking_edge(instance, s);
        size_t more_batches, more_bytes;
        if (edge == NULL)
            continue;
        tt_park_size(edge, &more_batches, &more_bytes);
        update_queue(service, instance, s, more_batches);
        batches += more_batches;
        bytes += more_bytes;
    }
    set_gauge(service, &parked_meter, &label, 1, batches);
    set_gauge(service, &parked_bytes_meter, &label, 1, bytes);
}

void tt_service_update_meters(struct tt_service *service)
{
    uint32_t closed = atomic_load_explicit(&service->closed, memory_order_relaxed);

    set_gauge(service, &admission_meter, NULL, 0, closed == 0);
    set_gauge(service, &budget_meter, NULL, 0, service->budget.limit);
    set_gauge(service, &budget_used_meter, NULL, 0,
              atomic_load_explicit(&service->budget.used, memory_order_relaxed));
    for (size_t i = 0; i < service->graph.n_instances; i++)
        if (is_exporter(&service->graph.instances[i]))
            update_parked(service, &service->graph.instances[i]);
}

bool tt_service_has_failed(struct tt_service *service, struct tt_error *ret_err)
{
    bool has_failed;

    pthread_mutex_lock(&service->fatal_mu);
    has_failed = service->has_failed;
    if (has_failed)
        *ret_err = service->fatal;
    pthread_mutex_unlock(&service->fatal_mu);
    return has_failed;
}
