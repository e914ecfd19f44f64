/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"

#include <stdio.h>

#define MAX_ROUTES 4

/* ---- what to tell people ---- */

/* What a client of this machine sets; for a wildcard address that is localhost. port: beginning with the colon. */
static void make_advice(char *ret_text, size_t size, const char *endpoint, const char *port)
{
    size_t len = (size_t)(strrchr(endpoint, ':') - endpoint);
    bool is_any = len == 0 || strncmp(endpoint, "0.0.0.0:", len + 1) == 0 ||
                  strncmp(endpoint, "[::]:", len + 1) == 0;

    (void)snprintf(
        ret_text, size,
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://%.*s%s OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        is_any ? 9 : (int)len, is_any ? "localhost" : endpoint, port);
}

/* With the port that is really listened on: an endpoint of port 0 leaves that to the system. */
static void log_advice(const struct otlp_receiver *self, const char *endpoint)
{
    char text[sizeof(self->advice)], port[8];

    (void)snprintf(port, sizeof(port), ":%u",
                   (unsigned)tt_http_server_port(self->http != NULL ? self->http : self->grpc));
    make_advice(text, sizeof(text), endpoint, port);
    tt_log_info(&self->host->log,
                "listening for OTLP over HTTP; to send here, set in the SDK's environment",
                TT_FIELD_TEXT("environment", text));
}

static void warn_if_remote(const struct otlp_receiver *self, const char *endpoint)
{
    if (!otlp_is_loopback(endpoint))
        tt_log_warn(&self->host->log,
                    "everybody who can reach this endpoint can send data, unencrypted",
                    TT_FIELD_TEXT("endpoint", endpoint));
}

/* ---- routes ---- */

static size_t make_routes(struct otlp_receiver *self, struct tt_http_route routes[MAX_ROUTES])
{
    const struct otlp_http_config *http = &self->config->protocols.http;
    const char *const paths[] = {http->traces_url_path, http->metrics_url_path,
                                 http->logs_url_path};
    size_t count = 0;

    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (self->next[i] == NULL)
            continue;
        routes[count++] = (struct tt_http_route){.path = paths[i],
                                                 .methods = "POST",
                                                 .max_body = self->max_body,
                                                 .admit = otlp_admit,
                                                 .grow = otlp_grow,
                                                 .handle = otlp_handle,
                                                 .done = otlp_done,
                                                 .shape = otlp_shape_path,
                                                 .context = &self->paths[i]};
    }
    routes[count++] = (struct tt_http_route){.path = OTLP_LABELS_PATH,
                                             .methods = "POST",
                                             .max_body = OTLP_MAX_LABEL,
                                             .admit = otlp_labels_admit,
                                             .handle = otlp_labels_handle,
                                             .shape = otlp_shape,
                                             .context = self};
    return count;
}

/* ---- servers ---- */

static enum tt_status start_server(struct otlp_receiver *self, const char *endpoint,
                                   unsigned threads, struct tt_http_server **ret_server,
                                   struct tt_error *err)
{
    const struct otlp_http_config *http = &self->config->protocols.http;
    const struct otlp_cors_config *cors = &http->cors;
    const struct tt_http_route fallback = {.shape = otlp_shape, .context = self};
    struct tt_http_route routes[MAX_ROUTES];
    struct tt_http_header headers[64];
    size_t n_headers = http->response_headers.count;

    for (size_t i = 0; i < n_headers && i < TT_LENGTH(headers); i++)
        headers[i] = (struct tt_http_header){http->response_headers.items[i].key,
                                             http->response_headers.items[i].value};
    const struct tt_http_server_options options = {
        .endpoint = endpoint,
        .threads = threads,
        .max_connections = (unsigned)http->max_connections,
        .max_connections_per_ip = (unsigned)http->max_connections_per_ip,
        .header_timeout = http->read_header_timeout,
        .body_timeout = http->read_timeout,
        .idle_timeout = http->idle_timeout,
        .write_timeout = http->write_timeout,
        .routes = routes,
        .n_routes = make_routes(self, routes),
        .fallback = &fallback,
        .cors = {.allowed_origins = (const char *const *)cors->allowed_origins.items,
                 .n_allowed_origins = cors->allowed_origins.count,
                 .allowed_headers = (const char *const *)cors->allowed_headers.items,
                 .n_allowed_headers = cors->allowed_headers.count,
                 .exposed_headers = (const char *const *)cors->exposed_headers.items,
                 .n_exposed_headers = cors->exposed_headers.count,
                 .max_age_s = cors->max_age},
        .response_headers = headers,
        .n_response_headers = n_headers < TT_LENGTH(headers) ? n_headers : TT_LENGTH(headers),
        .foreign = otlp_foreign,
        .foreign_context = self,
        .foreign_advice = self->advice,
        .log = &self->host->log,
    };
    return tt_http_server_start(&options, ret_server, err);
}

enum tt_status otlp_start(void *receiver, struct tt_error *err)
{
    struct otlp_receiver *self = receiver;
    const struct otlp_protocols_config *protocols = &self->config->protocols;
    const char *endpoint =
        protocols->http.present ? protocols->http.endpoint : protocols->grpc.endpoint;
    enum tt_status status = TT_OK;

    make_advice(self->advice, sizeof(self->advice), endpoint, strrchr(endpoint, ':'));
    if (protocols->http.present) {
        warn_if_remote(self, protocols->http.endpoint);
        status = start_server(self, protocols->http.endpoint, 0, &self->http, err);
    }
    if (status == TT_OK && protocols->grpc.present) {
        warn_if_remote(self, protocols->grpc.endpoint);
        status = start_server(self, protocols->grpc.endpoint, protocols->http.present ? 1 : 0,
                              &self->grpc, err);
    }
    if (status != TT_OK) {
        tt_http_server_stop(TT_TAKE(self->http), 0);
        return status;
    }
    log_advice(self, endpoint);
    return TT_OK;
}

enum tt_status otlp_shutdown(void *receiver, tt_dur deadline, struct tt_error *err)
{
    struct otlp_receiver *self = receiver;

    (void)err;
    /* Both stop accepting before either waits. */
    if (self->http != NULL)
        tt_http_server_quiesce(self->http);
    if (self->grpc != NULL)
        tt_http_server_quiesce(self->grpc);
    tt_http_server_stop(TT_TAKE(self->http), deadline);
    tt_http_server_stop(TT_TAKE(self->grpc), deadline);
    return TT_OK;
}
