/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_SCHEMA_H
#define TT_OTLP_SCHEMA_H

/*
 * The messages of otlp.proto as small tables, indexed by field number: what the validator and the JSON codec are driven by.
 *
 * Purpose:   one description of the protocol for every walker; built once from the protobuf-c descriptors.
 * Ownership: static; never freed.
 * Threads:   tt_pb_message() and tt_pb_request() from any thread; the tables do not change once they have returned.
 * Source:    otlp/otlp.proto; JSON names: protobuf's lowerCamelCase rule; hexadecimal ids: OTLP, "JSON Protobuf Encoding".
 */

#include "base/str.h"
#include "otlp/signal.h"

struct ProtobufCMessageDescriptor;

/* Deepest nesting of arrays and maps within one value that is ever accepted (struct tt_limits may say less), and the
 * deepest nesting of messages that follows from it: a map level is three messages, and at most 9 lead to a value. A
 * walker with a stack of TT_MAX_FRAMES cannot overrun on validated bytes. */
#define TT_MAX_NESTING 64
#define TT_MAX_FRAMES  (9 + 3 * TT_MAX_NESTING + 7)

enum tt_pb_kind {
    TT_PB_UNKNOWN, /* no such field: skip it */
    TT_PB_MESSAGE,
    TT_PB_TEXT,  /* UTF-8; JSON string */
    TT_PB_ID,    /* trace or span id: id_len bytes or none; JSON hexadecimal */
    TT_PB_BYTES, /* JSON base64 */
    TT_PB_BOOL,
    TT_PB_ENUM,
    TT_PB_INT32,
    TT_PB_UINT32,
    TT_PB_SINT32, /* zigzag */
    TT_PB_INT64,
    TT_PB_UINT64,
    TT_PB_FIXED32,
    TT_PB_FIXED64,
    TT_PB_SFIXED64,
    TT_PB_DOUBLE,
};

enum tt_pb_wire {
    TT_PB_WIRE_VARINT = 0,
    TT_PB_WIRE_64 = 1,
    TT_PB_WIRE_LENGTH = 2,
    TT_PB_WIRE_32 = 5
};

/* A repeated scalar (packable) may also come packed, as TT_PB_WIRE_LENGTH. `once` is the field's bit in the mask of what may
 * occur once in a message: singular messages and oneofs. */
struct tt_pb_field {
    uint8_t kind;      /* enum tt_pb_kind */
    uint8_t wire_type; /* enum tt_pb_wire of one value */
    bool repeated, packable;
    bool is_element; /* counts for max_elements: a message, or repeated */
    bool always;     /* a JSON writer writes it as {} when it is absent, as the Collector does */
    uint8_t oneof;   /* 0: in none; else the number of its oneof within the message, 1… */
    uint8_t number;  /* on the wire */
    uint8_t id_len;  /* TT_PB_ID: 16 or 8 */
    uint32_t once;
    const struct tt_pb_message *message; /* TT_PB_MESSAGE */
    const void *enumerators;             /* TT_PB_ENUM: see tt_pb_enum_value() */
    struct tt_str json_name;             /* "startTimeUnixNano" */
    struct tt_str name;                  /* "start_time_unix_nano" */
};

#define TT_PB_MAX_NUMBER 16

struct tt_pb_message {
    const struct ProtobufCMessageDescriptor *descriptor;
    const char *name;                            /* "Span" */
    bool nests;                                  /* an array or map: counts for TT_MAX_NESTING */
    uint8_t n_fields, numbers[TT_PB_MAX_NUMBER]; /* the field numbers, ascending */
    /* By number; number 0 and gaps are TT_PB_UNKNOWN. */
    struct tt_pb_field fields[TT_PB_MAX_NUMBER + 1];
};

#define TT_PB_MESSAGE_MAP(X)                                         \
    X(ANY_VALUE, any_value)                                          \
    X(ARRAY_VALUE, array_value)                                      \
    X(KEY_VALUE_LIST, key_value_list)                                \
    X(KEY_VALUE, key_value)                                          \
    X(SCOPE, instrumentation_scope)                                  \
    X(ENTITY_REF, entity_ref)                                        \
    X(RESOURCE, resource)                                            \
    X(RESOURCE_SPANS, resource_spans)                                \
    X(SCOPE_SPANS, scope_spans)                                      \
    X(SPAN, span)                                                    \
    X(SPAN_EVENT, span_event)                                        \
    X(SPAN_LINK, span_link)                                          \
    X(STATUS, status)                                                \
    X(RESOURCE_METRICS, resource_metrics)                            \
    X(SCOPE_METRICS, scope_metrics)                                  \
    X(METRIC, metric)                                                \
    X(GAUGE, gauge)                                                  \
    X(SUM, sum)                                                      \
    X(HISTOGRAM, histogram)                                          \
    X(EXPONENTIAL_HISTOGRAM, exponential_histogram)                  \
    X(SUMMARY, summary)                                              \
    X(NUMBER_POINT, number_data_point)                               \
    X(HISTOGRAM_POINT, histogram_data_point)                         \
    X(EXPONENTIAL_HISTOGRAM_POINT, exponential_histogram_data_point) \
    X(BUCKETS, buckets)                                              \
    X(SUMMARY_POINT, summary_data_point)                             \
    X(VALUE_AT_QUANTILE, value_at_quantile)                          \
    X(EXEMPLAR, exemplar)                                            \
    X(RESOURCE_LOGS, resource_logs)                                  \
    X(SCOPE_LOGS, scope_logs)                                        \
    X(LOG_RECORD, log_record)                                        \
    X(TRACES_REQUEST, export_trace_service_request)                  \
    X(TRACES_RESPONSE, export_trace_service_response)                \
    X(TRACES_PARTIAL_SUCCESS, export_trace_partial_success)          \
    X(METRICS_REQUEST, export_metrics_service_request)               \
    X(METRICS_RESPONSE, export_metrics_service_response)             \
    X(METRICS_PARTIAL_SUCCESS, export_metrics_partial_success)       \
    X(LOGS_REQUEST, export_logs_service_request)                     \
    X(LOGS_RESPONSE, export_logs_service_response)                   \
    X(LOGS_PARTIAL_SUCCESS, export_logs_partial_success)             \
    X(RPC_STATUS, rpc_status)                                        \
    X(ANY, any)                                                      \
    X(RETRY_INFO, retry_info)                                        \
    X(DURATION, duration)

#define TT_PB_MESSAGE_ENUM(id, name) TT_MSG_##id,
enum tt_pb_id { TT_PB_MESSAGE_MAP(TT_PB_MESSAGE_ENUM) TT_MSG_COUNT };

/* The table of a message; never NULL. The first call of a process builds all of them (some 20 µs); later ones are cheap,
 * but keep the pointer in a loop. */
const struct tt_pb_message *tt_pb_message(enum tt_pb_id id);
/* Export{Trace,Metrics,Logs}ServiceRequest (the same form as {Traces,Metrics,Logs}Data). */
const struct tt_pb_message *tt_pb_request(enum tt_signal signal);

/* The field of that number, or one of TT_PB_UNKNOWN. O(1). */
static inline const struct tt_pb_field *tt_pb_field(const struct tt_pb_message *message,
                                                    uint32_t number)
{
    return &message->fields[TT_LIKELY(number <= TT_PB_MAX_NUMBER) ? number : 0];
}

/* The field of that JSON name, or of that snake_case name (which collector-grade decoders take too); NULL when there is
 * none. O(fields), one comparison of lengths each. */
const struct tt_pb_field *tt_pb_find(const struct tt_pb_message *message, struct tt_str name);
/* The value of an enumerator by its name ("SPAN_KIND_SERVER") for a field of TT_PB_ENUM; false when there is none. */
bool tt_pb_enum_value(const struct tt_pb_field *field, struct tt_str name, int32_t *ret_value);

#endif
