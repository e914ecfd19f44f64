/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_CONFIG_H
#define TT_RECEIVERS_OTLP_CONFIG_H

/* Options of the otlp receiver. A protocol is on when its key is there, also with an empty body, as in the Collector. */

#include "config/schema.h"

struct otlp_cors_config {
    struct tt_string_list allowed_origins, allowed_headers, exposed_headers;
    int64_t max_age;
};

struct otlp_http_config {
    const char *endpoint;
    bool present;
    int transport; /* there is one only */
    const char *traces_url_path, *metrics_url_path, *logs_url_path;
    size_t max_request_body_size;
    struct tt_string_list compression_algorithms;
    bool include_metadata;
    struct tt_string_list metadata_keys;
    struct tt_pair_list response_headers;
    struct otlp_cors_config cors;
    tt_dur read_header_timeout, read_timeout, write_timeout, idle_timeout;
    bool keep_alives_enabled;
    int64_t max_connections, max_connections_per_ip;
    bool allow_insecure_remote;
};

struct otlp_grpc_config {
    const char *endpoint;
    bool present;
    int transport;
    bool include_metadata;
    int64_t max_recv_msg_size_mib, max_concurrent_streams, read_buffer_size, write_buffer_size;
    bool allow_insecure_remote;
};

struct otlp_protocols_config {
    struct otlp_grpc_config grpc;
    struct otlp_http_config http;
};

struct otlp_config {
    struct otlp_protocols_config protocols;
    int64_t max_attributes;
    size_t max_value_bytes;
};

extern const struct tt_schema otlp_schema;

/* Checks between options. */
enum tt_status otlp_validate(const void *config, struct tt_error *err);
/* Whether only this machine can reach the endpoint: localhost, 127.x, ::1. */
bool otlp_is_loopback(const char *endpoint);
/* Whether bodies of that Content-Encoding are taken: "" stands for uncompressed ones. */
bool otlp_takes_encoding(const struct otlp_http_config *http, struct tt_str name);

#endif
