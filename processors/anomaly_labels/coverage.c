/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/coverage.h"

#include "base/map.h"
#include "base/mem.h"
#include "otlp/cursor.h"

#include <pthread.h>

#define MAX_SERVICES 1000
#define MAX_NAME     ((size_t)255)
#define WARN_AFTER   100 /* rows */

const struct tt_meter_desc anomaly_coverage_meter = {
    .name = "telltale_label_coverage_ratio",
    .unit = "1",
    .doc = "Share of a service's spans that have label evidence.",
    .kind = TT_GAUGE,
};

struct service {
    struct tt_str name; /* behind the struct */
    const char *advice;
    struct tt_meter *ratio;
    uint64_t rows, labelled;
    bool warned;
};

struct anomaly_coverage {
    struct tt_meters *meters;
    const struct tt_log *log;
    pthread_mutex_t mu;
    struct tt_map services; /* guarded by mu, as are the services; name -> struct service */
    bool finished;
};

/* ---- advice ---- */

#define HEADERS "x-anomaly-type,x-anomaly-label,x-anomaly-root-cause,x-anomaly-msg"

static const struct advice {
    struct tt_str language;
    const char *setting;
} advices[] = {
    {{"java", 4}, "OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=" HEADERS},
    {{"python", 6}, "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=\"x-anomaly-.*\""},
    {{"nodejs", 6},
     "in code, for @opentelemetry/instrumentation-http: headersToSpanAttributes: {server: {requestHeaders: "
     "['x-anomaly-type', 'x-anomaly-label', 'x-anomaly-root-cause', 'x-anomaly-msg']}}"},
    {{"go", 2},
     "otelhttp captures no headers: copy them to the span in a middleware, or send them as baggage and add "
     "go.opentelemetry.io/contrib/processors/baggagecopy"},
    {{"dotnet", 6},
     "OTEL_DOTNET_AUTO_TRACES_ASPNETCORE_INSTRUMENTATION_CAPTURE_REQUEST_HEADERS=" HEADERS},
    {{"php", 3},
     "OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=" HEADERS
     " (before August 2026: otel.instrumentation.http.request_headers in php.ini)"},
    {{"nginx", 5},
     "in nginx.conf: otel_span_attr http.request.header.x-anomaly-type $http_x_anomaly_type; "
     "and so on for label, root-cause and msg"},
};

const char *anomaly_coverage_advice(struct tt_str language)
{
    for (size_t i = 0; i < TT_LENGTH(advices); i++)
        if (tt_str_equal_nocase(language, advices[i].language))
            return advices[i].setting;
    return "capture the request headers " HEADERS
           " as span attributes, or send the load generator's own root spans "
           "to Telltale too";
}

static const char *advice_for(const struct tt_batch *batch, uint32_t resource)
{
    struct tt_value value;
    struct tt_str language = {NULL, 0};

    if (tt_find_attribute(tt_resource_attributes(batch, resource), TT_STR("telemetry.sdk.language"),
                          &value))
        (void)tt_value_first_text(&value, &language);
    return anomaly_coverage_advice(language);
}

/* ---- services ---- */

static struct service *service_new(struct anomaly_coverage *coverage, struct tt_str name,
                                   const char *advice)
{
    struct service *service = tt_calloc(1, sizeof(*service) + name.len);
    struct tt_label label = {.name = "service_name", .value = name};

    if (service == NULL)
        return NULL;
    if (name.len > 0)
        memcpy(service + 1, name.data, name.len);
    service->name = tt_str_of(service + 1, name.len);
    service->advice = advice;
    service->ratio = tt_meters_get(coverage->meters, &anomaly_coverage_meter, &label, 1);
    if (tt_map_put(&coverage->services, service->name, service) == TT_OK)
        return service;
    tt_free(service);
    return NULL;
}

/* Called with mu held; NULL when memory is gone. */
static struct service *service_of(struct anomaly_coverage *coverage, const struct tt_batch *batch,
                                  uint32_t resource)
{
    struct tt_str name = batch->resources[resource].service_name;
    struct service *service;

    if (name.len > MAX_NAME)
        name.len = MAX_NAME;
    service = tt_map_get(&coverage->services, name);
    if (service != NULL)
        return service;
    if (coverage->services.count < MAX_SERVICES)
        return service_new(coverage, name, advice_for(batch, resource));
    service = tt_map_get(&coverage->services, TT_STR("__overflow__"));
    if (service != NULL)
        return service;
    return service_new(coverage, TT_STR("__overflow__"),
                       anomaly_coverage_advice((struct tt_str){0}));
}

/* No rate limit: there is one line a service, and a rate limit would hide the last services of a run. */
static void warn(const struct tt_log *log, const struct service *service)
{
    const struct tt_log_field fields[] = {
        TT_FIELD_STR("service_name", service->name),
        TT_FIELD_INT("spans", service->rows),
        TT_FIELD_TEXT("setting", service->advice),
    };

    if (log->sink != NULL && log->sink->level <= TT_LOG_WARN)
        tt_log_write(log, NULL, TT_LOG_WARN, "No label evidence reaches the spans of this service",
                     fields, TT_LENGTH(fields));
}

void anomaly_coverage_add(struct anomaly_coverage *coverage, const struct tt_batch *batch,
                          uint32_t resource, uint64_t rows, uint64_t labelled)
{
    struct service *service, seen = {.warned = true};

    pthread_mutex_lock(&coverage->mu);
    service = service_of(coverage, batch, resource);
    if (service != NULL) {
        service->rows += rows;
        service->labelled += labelled;
        tt_meter_set_real(service->ratio, (double)service->labelled / (double)service->rows);
        seen = *service;
        service->warned |= service->labelled == 0 && service->rows >= WARN_AFTER;
    }
    pthread_mutex_unlock(&coverage->mu);
    if (!seen.warned && seen.labelled == 0 && seen.rows >= WARN_AFTER)
        warn(coverage->log, &seen); /* name and advice live as long as coverage */
}

void anomaly_coverage_finish(struct anomaly_coverage *coverage)
{
    const struct tt_map_slot *slot;
    uint64_t rows = 0, labelled = 0;
    size_t position = 0;

    if (coverage->finished)
        return;
    coverage->finished = true;
    while ((slot = tt_map_next(&coverage->services, &position)) != NULL) {
        const struct service *service = slot->value;
        rows += service->rows;
        labelled += service->labelled;
        if (!service->warned && service->labelled == 0)
            warn(coverage->log, service);
    }
    if (rows > 0 && labelled == 0)
        tt_log_error(coverage->log,
                     "NO SPAN OF THIS RUN HAS LABEL EVIDENCE: its datasets are not labelled "
                     "(docs/labels.md tells how to feed labels)",
                     TT_FIELD_INT("spans", rows),
                     TT_FIELD_INT("services", coverage->services.count));
}

struct anomaly_coverage *anomaly_coverage_new(struct tt_meters *meters, const struct tt_log *log)
{
    struct anomaly_coverage *coverage = tt_calloc(1, sizeof(*coverage));

    if (coverage == NULL)
        return NULL;
    coverage->meters = meters;
    coverage->log = log;
    pthread_mutex_init(&coverage->mu, NULL);
    tt_map_init(&coverage->services, MAX_SERVICES + 1);
    return coverage;
}

void anomaly_coverage_free(struct anomaly_coverage *coverage)
{
    const struct tt_map_slot *slot;
    size_t position = 0;

    if (coverage == NULL)
        return;
    while ((slot = tt_map_next(&coverage->services, &position)) != NULL)
        tt_free(slot->value);
    tt_map_done(&coverage->services);
    pthread_mutex_destroy(&coverage->mu);
    tt_free(coverage);
}
