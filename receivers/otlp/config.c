/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/config.h"

#include "net/inflate.h"

static const struct tt_field cors_fields[] = {
    {TT_STRINGS(struct otlp_cors_config, allowed_origins),
     .doc = "Origins whose pages may send; * stands for any run of characters; none: no CORS."},
    {TT_STRINGS(struct otlp_cors_config, allowed_headers),
     .doc =
         "Request headers that pages may send, or *; none: the safelist, Content-Type and X-Requested-With."},
    {TT_STRINGS(struct otlp_cors_config, exposed_headers),
     .doc = "Answer headers that pages may read."},
    {TT_INT(struct otlp_cors_config, max_age), .def = "0", .min = 0, .max = 86400 * 365,
     .doc = "Seconds for which a browser may keep a preflight's answer; 0: its own default."},
};
static const struct tt_schema cors_schema = TT_SCHEMA(struct otlp_cors_config, cors_fields);

/* otelcol's other ones are for addresses that "endpoint" tells apart, or for Unix sockets, which are not served. */
static const char *const transports[] = {"tcp", NULL};

static const struct tt_field http_fields[] = {
    {TT_STRING(struct otlp_http_config, endpoint), .def = "localhost:4318",
     .flags = TT_CONFIG_LISTEN, .doc = "Host and port to listen on."},
    {TT_ENUM(struct otlp_http_config, transport), .def = "tcp", .choices = transports,
     .doc = "Accepted for the Collector's configurations."},
    {TT_STRING(struct otlp_http_config, traces_url_path), .def = "/v1/traces",
     .doc = "Path that takes traces."},
    {TT_STRING(struct otlp_http_config, metrics_url_path), .def = "/v1/metrics",
     .doc = "Path that takes metrics."},
    {TT_STRING(struct otlp_http_config, logs_url_path), .def = "/v1/logs",
     .doc = "Path that takes logs."},
    {TT_SIZE(struct otlp_http_config, max_request_body_size), .def = "64MiB", .min = 0,
     .max = 1 << 30,
     .doc =
         "Most bytes of a request's body, before and after decompression (JSON: at most 16MiB); 0: the default."},
    {TT_STRINGS(struct otlp_http_config, compression_algorithms),
     .doc =
         "Content-Encoding values to take, \"\" for none; absent: \"\", gzip, zstd, zlib, deflate; []: only "
         "uncompressed."},
    {TT_BOOL(struct otlp_http_config, include_metadata), .def = "false",
     .doc = "Keep all request headers with the data, but for credentials and cookies."},
    {TT_STRINGS(struct otlp_http_config, metadata_keys),
     .doc = "Request headers to keep with the data, beside x-anomaly-*."},
    {TT_PAIRS(struct otlp_http_config, response_headers), .flags = TT_CONFIG_SECRET,
     .doc = "Headers to add to every answer."},
    {TT_OBJECT(struct otlp_http_config, cors), .sub = &cors_schema,
     .doc = "Which browser pages may send."},
    {TT_DURATION(struct otlp_http_config, read_header_timeout), .def = "5s", .min = 0,
     .max = 3600e9, .doc = "Time for a request's headers; 0: the default."},
    {TT_DURATION(struct otlp_http_config, read_timeout), .def = "30s", .min = 0, .max = 3600e9,
     .doc = "Time for a request's body, one second longer for each KiB that came; 0: the default."},
    {TT_DURATION(struct otlp_http_config, write_timeout), .def = "30s", .min = 0, .max = 3600e9,
     .doc = "Time for a client to take its answer; 0: the default."},
    {TT_DURATION(struct otlp_http_config, idle_timeout), .def = "1m", .min = 0, .max = 86400e9,
     .doc = "Time for which a connection may wait for its next request; 0: the default."},
    {TT_BOOL(struct otlp_http_config, keep_alives_enabled), .def = "true",
     .doc = "Keep connections open for more requests."},
    {TT_INT(struct otlp_http_config, max_connections), .def = "1024", .min = 1, .max = 1000000,
     .doc = "Most connections at a time."},
    {TT_INT(struct otlp_http_config, max_connections_per_ip), .def = "64", .min = 0, .max = 1000000,
     .doc = "Most connections of one address, this machine excepted; 0: no limit."},
    {TT_BOOL(struct otlp_http_config, allow_insecure_remote), .def = "false",
     .doc =
         "Allow an endpoint that other machines can reach, though nothing is encrypted and nobody is asked who they "
         "are."},
};
static const struct tt_schema http_schema = TT_SCHEMA(struct otlp_http_config, http_fields);

static const struct tt_field grpc_fields[] = {
    {TT_STRING(struct otlp_grpc_config, endpoint), .def = "localhost:4317",
     .flags = TT_CONFIG_LISTEN,
     .doc =
         "Host and port to listen on; OTLP over HTTP is served there, gRPC clients are told so."},
    {TT_ENUM(struct otlp_grpc_config, transport), .def = "tcp", .choices = transports,
     .doc = "Accepted for the Collector's configurations."},
    {TT_BOOL(struct otlp_grpc_config, include_metadata), .def = "false",
     .doc = "Accepted for the Collector's configurations; has no effect before gRPC is served."},
    {TT_INT(struct otlp_grpc_config, max_recv_msg_size_mib), .def = "0", .min = 0, .max = 1024,
     .doc = "Accepted for the Collector's configurations; has no effect before gRPC is served."},
    {TT_INT(struct otlp_grpc_config, max_concurrent_streams), .def = "0", .min = 0, .max = 1000000,
     .doc = "Accepted for the Collector's configurations; has no effect before gRPC is served."},
    {TT_INT(struct otlp_grpc_config, read_buffer_size), .def = "0", .min = 0, .max = 1 << 30,
     .doc = "Accepted for the Collector's configurations; has no effect before gRPC is served."},
    {TT_INT(struct otlp_grpc_config, write_buffer_size), .def = "0", .min = 0, .max = 1 << 30,
     .doc = "Accepted for the Collector's configurations; has no effect before gRPC is served."},
    {TT_BOOL(struct otlp_grpc_config, allow_insecure_remote), .def = "false",
     .doc = "As http's option of that name."},
};
static const struct tt_schema grpc_schema = TT_SCHEMA(struct otlp_grpc_config, grpc_fields);

static const struct tt_field protocols_fields[] = {
    {TT_OPTIONAL_OBJECT(struct otlp_protocols_config, grpc), .sub = &grpc_schema,
     .doc = "Listen where gRPC clients look, and say what to set."},
    {TT_OPTIONAL_OBJECT(struct otlp_protocols_config, http), .sub = &http_schema,
     .doc = "Serve OTLP over HTTP."},
};
static const struct tt_schema protocols_schema =
    TT_SCHEMA(struct otlp_protocols_config, protocols_fields);

static const struct tt_field otlp_fields[] = {
    {TT_OBJECT(struct otlp_config, protocols), .sub = &protocols_schema,
     .doc = "What to serve; at least one protocol must be named."},
    {TT_INT(struct otlp_config, max_attributes), .def = "128", .min = 0, .max = 1000000,
     .doc =
         "Most attributes of one span, log record or data point; later ones are left out and counted; 0: no limit."},
    {TT_SIZE(struct otlp_config, max_value_bytes), .def = "4KiB", .min = 0, .max = 1 << 30,
     .doc =
         "Most bytes of one text or bytes value of an attribute; longer ones are cut and counted; 0: no limit."},
};
const struct tt_schema otlp_schema = TT_SCHEMA(struct otlp_config, otlp_fields);

/* ---- checks ---- */

static struct tt_str host_of(const char *endpoint)
{
    struct tt_str host = tt_str(endpoint);

    while (host.len > 0 && host.data[host.len - 1] != ':')
        host.len--;
    host.len -= host.len > 0;
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = tt_str_of(host.data + 1, host.len - 2);
    return host;
}

bool otlp_is_loopback(const char *endpoint)
{
    struct tt_str host = host_of(endpoint);

    return tt_str_equal_nocase(host, TT_STR("localhost")) || tt_str_equal(host, TT_STR("::1")) ||
           tt_str_starts_with(host, TT_STR("127."));
}

static enum tt_status check_endpoint(const char *protocol, const char *endpoint, bool allowed,
                                     struct tt_error *err)
{
    if (allowed || otlp_is_loopback(endpoint))
        return TT_OK;
    return tt_fail(
        err, TT_INVALID_CONFIG,
        "protocols.%s.endpoint \"%s\" can be reached by other machines, without encryption or credentials; "
        "listen on localhost, or set protocols.%s.allow_insecure_remote: true if that is meant",
        protocol, endpoint, protocol);
}

static enum tt_status check_paths(const struct otlp_http_config *http, struct tt_error *err)
{
    const char *const paths[] = {http->traces_url_path, http->metrics_url_path, http->logs_url_path,
                                 "/v1/labels"};

    for (size_t i = 0; i < TT_LENGTH(paths); i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(paths[i], paths[j]) == 0)
                return tt_fail(err, TT_INVALID_CONFIG,
                               "protocols.http: two signals have the path \"%s\"", paths[i]);
        }
    }
    return TT_OK;
}

static enum tt_status check_algorithms(const struct otlp_http_config *http, struct tt_error *err)
{
    /* The Collector's names that we do not have: a configuration that lists them runs, their clients get 415. */
    static const char *const known[] = {"snappy", "x-snappy-framed", "lz4"};
    const struct tt_string_list *list = &http->compression_algorithms;
    enum tt_encoding encoding;

    for (size_t i = 0; i < list->count; i++) {
        bool ok = tt_encoding_parse(tt_str(list->items[i]), &encoding);
        for (size_t k = 0; k < TT_LENGTH(known); k++)
            ok |= strcmp(list->items[i], known[k]) == 0;
        if (!ok)
            return tt_fail(
                err, TT_INVALID_CONFIG,
                "protocols.http.compression_algorithms: \"%s\" is not known; known: \"\", gzip, zstd, zlib, "
                "deflate",
                list->items[i]);
    }
    return TT_OK;
}

enum tt_status otlp_validate(const void *config, struct tt_error *err)
{
    const struct otlp_protocols_config *protocols =
        &((const struct otlp_config *)config)->protocols;
    const struct otlp_http_config *http = &protocols->http;
    const struct otlp_grpc_config *grpc = &protocols->grpc;
    enum tt_status status = TT_OK;

    if (!http->present && !grpc->present)
        return tt_fail(
            err, TT_INVALID_CONFIG,
            "must specify at least one protocol when using the OTLP receiver: protocols.http or "
            "protocols.grpc");
    if (http->present)
        status = check_endpoint("http", http->endpoint, http->allow_insecure_remote, err);
    if (status == TT_OK && grpc->present)
        status = check_endpoint("grpc", grpc->endpoint, grpc->allow_insecure_remote, err);
    if (status == TT_OK)
        status = check_paths(http, err);
    return status != TT_OK ? status : check_algorithms(http, err);
}

bool otlp_takes_encoding(const struct otlp_http_config *http, struct tt_str name)
{
    const struct tt_string_list *list = &http->compression_algorithms;
    enum tt_encoding wanted, listed;

    if (!tt_encoding_parse(name, &wanted))
        return false;
    if (list->items == NULL) /* the option was not given */
        return true;
    if (list->count == 0)
        return wanted == TT_ENCODING_IDENTITY;
    for (size_t i = 0; i < list->count; i++) {
        if (tt_encoding_parse(tt_str(list->items[i]), &listed) && listed == wanted)
            return true;
    }
    return false;
}
