/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_ROW_H
#define TT_OTLP_ROW_H

/*
 * Rows: the fixed fields of one span, data point or log record, decoded, with a view of its wire bytes, and what rows share
 * (metric, resource, scope, metadata of the request).
 *
 * Purpose:   what processors and exporters read; who owns rows and makes them is otlp/batch.h.
 * Invariant: wire bytes were checked by the validator. Ids are NULL or exactly 16 / 8 bytes. No text is NUL-terminated.
 * Ownership: all pointers and views are borrowed from the batch that holds the row.
 * Threads:   as the batch's.
 * Source:    opentelemetry-proto 1.x (trace.proto, metrics.proto, logs.proto, common.proto, resource.proto).
 */

#include "base/str.h"

/* ---- metadata: one a request, shared by its rows ---- */

struct tt_header {
    struct tt_str name; /* lower case */
    struct tt_str value;
};

struct tt_metadata {
    const char *receiver;      /* component id; borrowed: it outlives all batches */
    uint64_t arrival_ns;       /* wall clock */
    struct tt_str peer;        /* "127.0.0.1:51324" or empty */
    struct tt_header *headers; /* those worth keeping: x-anomaly-*, traceparent's are not */
    size_t n_headers;
};

/* ---- rows ---- */

struct tt_overlay; /* edits of one row, resource or scope: otlp/overlay.h */

struct tt_span {
    /* 16, 8, 8 bytes; NULL: absent or all zero */
    const uint8_t *trace_id, *span_id, *parent_span_id;
    struct tt_str name, status_message;
    uint64_t start_ns, end_ns;
    /* SpanKind 0..5, StatusCode 0..2; other values are kept as they came */
    int32_t kind, status_code;
    uint32_t n_attributes, n_events, n_links;
};

enum tt_metric_type {
    TT_METRIC_NONE,
    TT_METRIC_GAUGE,
    TT_METRIC_SUM,
    TT_METRIC_HISTOGRAM,
    TT_METRIC_EXPONENTIAL_HISTOGRAM,
    TT_METRIC_SUMMARY,
};

/* What the points of one Metric message share. */
struct tt_metric {
    struct tt_str name, unit, description;
    enum tt_metric_type type;
    int32_t temporality; /* 0 unspecified, 1 delta, 2 cumulative */
    bool monotonic;
    struct tt_str wire; /* the Metric message */
};

struct tt_point {
    uint32_t metric; /* index into batch->metrics */
    uint32_t flags;  /* DataPointFlags: bit 0 = no recorded value */
    uint64_t start_ns, time_ns;
    enum { TT_POINT_NONE, TT_POINT_INT, TT_POINT_DOUBLE, TT_POINT_DISTRIBUTION } value_type;
    union {
        int64_t integer;
        double real;
    };
    uint64_t count; /* DISTRIBUTION */
    double sum;     /* DISTRIBUTION: NaN when absent */
};

struct tt_log_record {
    const uint8_t *trace_id, *span_id; /* as in tt_span */
    uint64_t time_ns, observed_ns;
    int32_t severity;
    struct tt_str severity_text, event_name;
    struct tt_str body; /* wire of the AnyValue; tt_value_of() reads it */
};

enum tt_row_flag {
    TT_ROW_DROPPED = 1 << 0,    /* skip it: not encoded, not counted */
    TT_ROW_INCOMPLETE = 1 << 1, /* its trace was evicted before it was quiet */
    TT_ROW_LATE = 1 << 2,       /* came after its trace had been sent on */
};

struct tt_row {
    const uint8_t *wire; /* the Span, LogRecord or data point message, without tag and length */
    uint32_t wire_len;
    uint32_t flags;             /* enum tt_row_flag */
    uint32_t scope;             /* index into batch->scopes */
    uint32_t metadata;          /* index into batch->metadata */
    struct tt_overlay *overlay; /* NULL: unedited */
    union {
        struct tt_span span;      /* TT_TRACES */
        struct tt_point point;    /* TT_METRICS */
        struct tt_log_record log; /* TT_LOGS */
    };
};

struct tt_resource {
    struct tt_str wire; /* the Resource message; empty when it was absent */
    struct tt_str schema_url;
    /* attribute service.name when it is text, else empty; kept current by edits */
    struct tt_str service_name;
    struct tt_overlay *overlay;
};

struct tt_scope {
    struct tt_str wire; /* the InstrumentationScope message; empty when it was absent */
    struct tt_str schema_url;
    struct tt_str name, version;
    uint32_t resource; /* index into batch->resources */
    struct tt_overlay *overlay;
};

#endif
