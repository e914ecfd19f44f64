/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/self_metrics.h"

#include "base/meter.h"
#include "cli/cli.h"
#include "net/http_server.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TEXT = 16 << 20, MAX_CONNECTIONS = 128 };

struct tt_self_metrics {
    struct tt_service *service;
    /* of the settings at the start: no reload changes it */
    const struct tt_pair_list *resource;
    struct tt_http_server *server;
    tt_dur started_at;
};

/* ---- the process ---- */

static const struct tt_meter_desc cpu_meter = {
    "otelcol_process_cpu_seconds", "s", "CPU time of the process, user and system.", TT_COUNTER};
static const struct tt_meter_desc rss_meter = {"otelcol_process_memory_rss", "By",
                                               "Resident memory of the process.", TT_GAUGE};
static const struct tt_meter_desc uptime_meter = {
    "otelcol_process_uptime", "s", "Time since the service was started.", TT_COUNTER};
static const struct tt_meter_desc heap_meter = {"otelcol_process_runtime_heap_alloc_bytes", "By",
                                                "Bytes allocated on the heap now.", TT_GAUGE};
static const struct tt_meter_desc heap_system_meter = {
    "otelcol_process_runtime_total_sys_memory_bytes", "By",
    "Bytes that the heap has from the system.", TT_GAUGE};

static double cpu_seconds(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The second number of statm, in pages. */
static int64_t resident_bytes(void)
{
    char text[128] = "";
    struct tt_str rest;
    int64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL)
        return 0;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = '\0';
    (void)fclose(file);
    rest = tt_str(text);
    (void)tt_str_cut(&rest, ' ');
    return tt_str_to_int64(tt_str_cut(&rest, ' '), &pages) ? pages * sysconf(_SC_PAGESIZE) : 0;
}

static void update_process(struct tt_self_metrics *metrics)
{
    struct tt_meters *meters = tt_service_meters(metrics->service);
    struct mallinfo2 heap = mallinfo2();
    tt_dur uptime = tt_clock_monotonic(tt_clock_system()) - metrics->started_at;

    tt_meter_set_real(tt_meters_get(meters, &cpu_meter, NULL, 0), cpu_seconds());
    tt_meter_set_real(tt_meters_get(meters, &uptime_meter, NULL, 0), (double)uptime / 1e9);
    tt_meter_set(tt_meters_get(meters, &rss_meter, NULL, 0), resident_bytes());
    tt_meter_set(tt_meters_get(meters, &heap_meter, NULL, 0),
                 (int64_t)(heap.uordblks + heap.hblkhd));
    tt_meter_set(tt_meters_get(meters, &heap_system_meter, NULL, 0),
                 (int64_t)(heap.arena + heap.hblkhd));
}

/* ---- the text format ---- */

struct printer {
    struct tt_buffer *out;
    const char *family; /* whose HELP and TYPE were written */
};

static void print_escaped(struct tt_str text, bool in_quotes, struct tt_buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\n')
            tt_buffer_append_str(out, TT_STR("\\n"));
        else if (c == '\\' || (c == '"' && in_quotes))
            tt_buffer_printf(out, "\\%c", c);
        else
            tt_buffer_append_byte(out, c);
    }
}

static void print_header(struct tt_buffer *out, const char *name, const char *doc, const char *type)
{
    tt_buffer_printf(out, "# HELP %s ", name);
    print_escaped(tt_str(doc), false, out);
    tt_buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

static void print_label(struct tt_buffer *out, const char *separator, const char *name,
                        struct tt_str value)
{
    tt_buffer_printf(out, "%s%s=\"", separator, name);
    print_escaped(tt_str_of(value.data, tt_utf8_valid_prefix(value)), true, out);
    tt_buffer_append_byte(out, '"');
}

static void print_value(struct tt_buffer *out, double value)
{
    if (isinf(value))
        tt_buffer_append_str(out, value > 0 ? TT_STR("+Inf") : TT_STR("-Inf"));
    else
        tt_buffer_append_double(out, value);
    tt_buffer_append_byte(out, '\n');
}

/* "{a=\"b\",le=\"0.1\"} "; more is one label besides, or NULL. */
static void print_labels(struct tt_buffer *out, const struct tt_reading *reading,
                         const struct tt_label *more)
{
    const char *separator = "{";

    for (size_t i = 0; i < reading->n_labels; i++, separator = ",")
        print_label(out, separator, reading->labels[i].name, reading->labels[i].value);
    if (more != NULL)
        print_label(out, separator, more->name, more->value);
    if (reading->n_labels > 0 || more != NULL)
        tt_buffer_append_byte(out, '}');
    tt_buffer_append_byte(out, ' ');
}

static void print_bucket(struct tt_buffer *out, const struct tt_reading *reading, size_t i)
{
    char bound[32] = "+Inf";
    struct tt_label le = {.name = "le"};

    if (i < TT_LENGTH(tt_histogram_bounds))
        (void)snprintf(bound, sizeof(bound), "%g", (double)tt_histogram_bounds[i] / 1e9);
    le.value = tt_str(bound);
    tt_buffer_printf(out, "%s_bucket", reading->desc->name);
    print_labels(out, reading, &le);
    print_value(out, (double)reading->up_to[i]);
}

static void print_histogram(struct tt_buffer *out, const struct tt_reading *reading)
{
    for (size_t i = 0; i < TT_HISTOGRAM_BUCKETS; i++)
        print_bucket(out, reading, i);
    tt_buffer_printf(out, "%s_sum", reading->desc->name);
    print_labels(out, reading, NULL);
    print_value(out, reading->sum);
    tt_buffer_printf(out, "%s_count", reading->desc->name);
    print_labels(out, reading, NULL);
    print_value(out, reading->value);
}

static void print_reading(void *context, const struct tt_reading *reading)
{
    static const char *const kinds[] = {
        [TT_COUNTER] = "counter", [TT_GAUGE] = "gauge", [TT_HISTOGRAM] = "histogram"};
    struct printer *printer = context;
    struct tt_buffer *out = printer->out;

    if (printer->family == NULL ||
        !tt_str_equal(tt_str(printer->family), tt_str(reading->desc->name)))
        print_header(out, reading->desc->name, reading->desc->doc, kinds[reading->desc->kind]);
    printer->family = reading->desc->name;
    if (reading->desc->kind == TT_HISTOGRAM) {
        print_histogram(out, reading);
        return;
    }
    tt_buffer_append_str(out, tt_str(reading->desc->name));
    print_labels(out, reading, NULL);
    print_value(out, reading->value);
}

/* Attribute names become label names: what is not a letter, digit or "_" becomes "_". */
static void print_resource_label(struct tt_buffer *out, const struct tt_pair *pair)
{
    char name[128];
    size_t len = 0;

    for (; pair->key[len] != '\0' && len + 1 < sizeof(name); len++) {
        char c = pair->key[len];
        bool is_digit = c >= '0' && c <= '9';
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(is_digit && len > 0))
            c = '_';
        name[len] = c;
    }
    name[len] = '\0';
    if (len > 0)
        print_label(out, ",", name, tt_str(pair->value));
}

static bool has_key(const struct tt_pair_list *resource, const char *key)
{
    for (size_t i = 0; i < resource->count; i++)
        if (tt_str_equal(tt_str(resource->items[i].key), tt_str(key)))
            return true;
    return false;
}

static void print_target_info(const struct tt_pair_list *resource, struct tt_buffer *out)
{
    bool is_renamed = has_key(resource, "service.name");

    print_header(out, "target_info", "Target metadata", "gauge");
    tt_buffer_append_str(out, TT_STR("target_info{service_version=\"" TT_VERSION "\""));
    if (!is_renamed)
        print_label(out, ",", "service_name", TT_STR("telltale"));
    for (size_t i = 0; i < resource->count; i++)
        if (!tt_str_equal(tt_str(resource->items[i].key), TT_STR("service.version")) &&
            resource->items[i].value != NULL)
            print_resource_label(out, &resource->items[i]);
    tt_buffer_append_str(out, TT_STR("} 1\n"));
}

void tt_self_metrics_print(struct tt_meters *meters, const struct tt_pair_list *resource,
                           struct tt_buffer *out)
{
    struct printer printer = {.out = out};

    tt_meters_read(meters, print_reading, &printer);
    print_target_info(resource, out);
}

/* ---- the endpoint ---- */

static void handle(void *context, struct tt_http_exchange *exchange)
{
    struct tt_self_metrics *metrics = context;
    struct tt_buffer text;

    tt_buffer_init(&text, MAX_TEXT);
    update_process(metrics);
    tt_service_update_meters(metrics->service);
    tt_self_metrics_print(tt_service_meters(metrics->service), metrics->resource, &text);
    tt_http_answer(exchange, &(struct tt_http_answer){
                                 .status = text.failed == TT_OK ? 200 : 500,
                                 .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                 .body = text.failed == TT_OK ? tt_buffer_view(&text)
                                                              : TT_STR("the text is too long\n"),
                             });
    tt_buffer_done(&text);
}

enum tt_status tt_self_metrics_start(struct tt_service *service, const struct tt_log *log,
                                     struct tt_self_metrics **ret_metrics, struct tt_error *err)
{
    const struct tt_telemetry_settings *telemetry =
        &tt_service_settings(service)->service.telemetry;
    const struct tt_metrics_settings *settings = &telemetry->metrics;
    struct tt_self_metrics *metrics;
    enum tt_status status;

    *ret_metrics = NULL;
    if (settings->level == TT_METRICS_NONE)
        return TT_OK;
    metrics = tt_calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return tt_fail(err, TT_NO_MEMORY, "allocate %zu bytes", sizeof(*metrics));
    metrics->service = service;
    metrics->resource = &telemetry->resource;
    metrics->started_at = tt_clock_monotonic(tt_clock_system());
    update_process(metrics);
    struct tt_http_route route = {
        .path = "/metrics", .methods = "GET,HEAD", .handle = handle, .context = metrics};
    struct tt_http_server_options options = {
        .endpoint = settings->address,
        .threads = 1,
        .max_connections = MAX_CONNECTIONS,
        .routes = &route,
        .n_routes = 1,
        .log = log,
    };
    status = tt_http_server_start(&options, &metrics->server, err);
    if (status != TT_OK) {
        tt_error_prefix(err, "failed to start the program's own metrics");
        tt_free(metrics);
        return status;
    }
    *ret_metrics = metrics;
    return TT_OK;
}

void tt_self_metrics_stop(struct tt_self_metrics *metrics, tt_dur deadline)
{
    if (metrics == NULL)
        return;
    tt_http_server_stop(metrics->server, deadline);
    tt_free(metrics);
}
