/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/units.h"
#include "net/http_server.h"
#include "pipeline/component.h"

#include <stdatomic.h>

enum { MAX_CONNECTIONS = 64, MAX_BODY = 64 * 1024 };

struct health_check_bodies {
    const char *healthy;
    const char *unhealthy;
};
struct health_check_pipeline {
    bool enabled;
    const char *interval;
    int64_t exporter_failure_threshold;
};
struct health_check_config {
    const char *endpoint;
    const char *path;
    struct health_check_bodies response_body;
    struct health_check_pipeline check_collector_pipeline; /* taken and not used */
};

static const struct tt_field body_fields[] = {
    {TT_STRING(struct health_check_bodies, healthy),
     .doc = "Body of the 200 answer instead of the JSON object."},
    {TT_STRING(struct health_check_bodies, unhealthy),
     .doc = "Body of the 503 answer instead of the JSON object."},
};
static const struct tt_schema body_schema = TT_SCHEMA(struct health_check_bodies, body_fields);

/* Where the Collector has it, it does not work either (opentelemetry-collector-contrib issue 11780). */
static const struct tt_field pipeline_fields[] = {
    {TT_BOOL(struct health_check_pipeline, enabled), .def = "false", .doc = "Has no effect."},
    {TT_STRING(struct health_check_pipeline, interval), .def = "5m", .doc = "Has no effect."},
    {TT_INT(struct health_check_pipeline, exporter_failure_threshold), .def = "5", .min = 0,
     .max = INT32_MAX, .doc = "Has no effect."},
};
static const struct tt_schema pipeline_schema =
    TT_SCHEMA(struct health_check_pipeline, pipeline_fields);

static const struct tt_field health_check_fields[] = {
    {TT_STRING(struct health_check_config, endpoint), .def = "localhost:13133",
     .flags = TT_CONFIG_LISTEN, .doc = "Host and port to listen on."},
    {TT_STRING(struct health_check_config, path), .def = "/",
     .doc = "Path of the answer; it begins with a slash."},
    {TT_OBJECT(struct health_check_config, response_body), .sub = &body_schema,
     .doc = "Bodies of one's own."},
    {TT_OBJECT(struct health_check_config, check_collector_pipeline), .sub = &pipeline_schema,
     .doc = "Accepted for the Collector's configurations; has no effect."},
};
static const struct tt_schema health_check_schema =
    TT_SCHEMA(struct health_check_config, health_check_fields);

struct health_check {
    const struct health_check_config *config;
    struct tt_host *host;
    struct tt_http_server *server;
    _Atomic uint64_t up_since; /* wall clock; 0: not ready */
    _Atomic int64_t ready_at;  /* monotonic */
};

static enum tt_status health_check_validate(const void *config, struct tt_error *err)
{
    const struct health_check_config *health = config;

    if (health->path[0] == '/')
        return TT_OK;
    return tt_fail(err, TT_INVALID_CONFIG, "path \"%s\" does not begin with \"/\"", health->path);
}

static enum tt_status health_check_create(const struct tt_create_args *args, void **ret_self,
                                          struct tt_error *err)
{
    struct health_check *health = tt_calloc(1, sizeof(*health));

    if (health == NULL)
        return tt_fail(err, TT_NO_MEMORY, "allocate %zu bytes", sizeof(*health));
    health->config = args->config;
    health->host = args->host;
    *ret_self = health;
    return TT_OK;
}

static void print_available(const struct health_check *health, uint64_t up_since,
                            struct tt_buffer *out)
{
    char since[32], uptime[32];
    tt_dur ready_at = atomic_load_explicit(&health->ready_at, memory_order_relaxed);

    tt_time_format(up_since, 9, since);
    tt_duration_format(tt_clock_monotonic(health->host->clock) - ready_at, uptime);
    tt_buffer_printf(out, "{\"status\":\"Server available\",\"upSince\":\"%s\",\"uptime\":\"%s\"}",
                     since, uptime);
}

static void print_body(const struct health_check *health, uint64_t up_since, struct tt_buffer *out)
{
    const char *own = up_since != 0 ? health->config->response_body.healthy
                                    : health->config->response_body.unhealthy;

    if (own != NULL)
        tt_buffer_append_str(out, tt_str(own));
    else if (up_since != 0)
        print_available(health, up_since, out);
    else
        tt_buffer_append_str(out, TT_STR("{\"status\":\"Server not available\","
                                         "\"upSince\":\"0001-01-01T00:00:00Z\",\"uptime\":\"\"}"));
}

static void handle(void *context, struct tt_http_exchange *exchange)
{
    const struct health_check *health = context;
    uint64_t up_since = atomic_load_explicit(&health->up_since, memory_order_acquire);
    struct tt_buffer body;

    tt_buffer_init(&body, MAX_BODY);
    print_body(health, up_since, &body);
    tt_http_answer(exchange, &(struct tt_http_answer){
                                 .status = up_since != 0 ? 200 : 503,
                                 .content_type = "application/json",
                                 .body = tt_buffer_view(&body),
                             });
    tt_buffer_done(&body);
}

static enum tt_status health_check_start(void *self, struct tt_error *err)
{
    struct health_check *health = self;
    struct tt_http_route route = {
        .path = health->config->path,
        .methods = "GET,HEAD",
        .handle = handle,
        .context = health,
    };
    struct tt_http_server_options options = {
        .endpoint = health->config->endpoint,
        .threads = 1,
        .max_connections = MAX_CONNECTIONS,
        .routes = &route,
        .n_routes = 1,
        .log = &health->host->log,
    };

    return tt_http_server_start(&options, &health->server, err);
}

static void health_check_ready(void *self, bool ready)
{
    struct health_check *health = self;

    atomic_store_explicit(&health->ready_at, tt_clock_monotonic(health->host->clock),
                          memory_order_relaxed);
    atomic_store_explicit(&health->up_since, ready ? tt_clock_wall(health->host->clock) : 0,
                          memory_order_release);
}

static enum tt_status health_check_shutdown(void *self, tt_dur deadline, struct tt_error *err)
{
    struct health_check *health = self;

    (void)err;
    tt_http_server_stop(TT_TAKE(health->server), deadline);
    return TT_OK;
}

static void health_check_destroy(void *self)
{
    struct health_check *health = self;

    if (health == NULL)
        return;
    tt_http_server_stop(health->server, 0);
    tt_free(health);
}

static const struct tt_component_ops health_check_ops = {
    .validate = health_check_validate,
    .create = health_check_create,
    .start = health_check_start,
    .shutdown = health_check_shutdown,
    .destroy = health_check_destroy,
    .ready = health_check_ready,
};

extern const struct tt_component tt_extension_health_check;
const struct tt_component tt_extension_health_check = {
    .type = "health_check",
    .kind = TT_EXTENSION,
    .stability = TT_BETA,
    .doc = "Answers over HTTP whether the program takes data.",
    .schema = &health_check_schema,
    .ops = &health_check_ops,
};
