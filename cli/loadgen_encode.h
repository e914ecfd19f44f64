/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOADGEN_ENCODE_H
#define TT_CLI_LOADGEN_ENCODE_H

/*
 * The shop's spans, metrics and logs as OTLP messages.
 *
 * Every span has 15 attributes with varied values (600 to 900 bytes), and those that carry labels besides.
 * Threads: no shared state.
 */

#include "base/buffer.h"
#include "cli/loadgen_shop.h"

enum lg_labels { LG_LABELS_HEADER, LG_LABELS_BAGGAGE, LG_LABELS_ROOT_ONLY, LG_LABELS_NONE };

/* Appends one Span as field 2 of a ScopeSpans. begin_ns: wall time of the trace's begin. */
void lg_encode_span(const struct shop_trace *trace, uint32_t index, enum lg_labels labels,
                    uint64_t begin_ns, struct tt_buffer *out);

/* Appends one LogRecord about a span as field 2 of a ScopeLogs. */
void lg_encode_log(const struct shop_trace *trace, uint32_t index, uint64_t begin_ns,
                   struct tt_buffer *out);

/* What a service has counted since it started. */
#define LG_BUCKETS 8
struct lg_service_stats {
    uint64_t requests, errors, duration_sum_us;
    uint64_t buckets[LG_BUCKETS]; /* under 1, 5, 10, 50, 100, 500, 1000 ms, and more */
    uint64_t busy_us;             /* own work since the last export */
};
void lg_stats_add(struct lg_service_stats *stats, const struct shop_span *span);
/* Appends four Metrics (CPU, memory, requests, duration histogram) as field 2 of a ScopeMetrics; points written: 4. */
void lg_encode_metrics(const struct lg_service_stats *stats, uint64_t start_ns, uint64_t now_ns,
                       uint64_t interval_ns, struct tt_buffer *out);

/* Appends an Export…ServiceRequest of one resource and scope around what the functions above wrote. */
void lg_encode_request(enum shop_service service, struct tt_str items, struct tt_buffer *out);

#endif
