/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_REPORT_SDK_H
#define TT_CLI_REPORT_SDK_H

/*
 * What SDKs say of their own losses, from the metric rows of a dataset.
 *
 * Known counters, with what counts as lost:
 *   otel.sdk.processor.{span,log}.processed                     error.type set (queue_full, already_shutdown)
 *   otel.sdk.exporter.{span,log,metric_data_point}.exported     error.type set
 *   the same with ".count" behind                               (names before semantic conventions 1.36)
 *   processedSpans, processedLogs                               dropped true (Java before these conventions)
 *   otlp.exporter.exported                                      success false (Java, by type: span, log, metric)
 * Source: OpenTelemetry semantic conventions, "Semantic conventions for OpenTelemetry SDK metrics"; the Java SDK's own names.
 *
 * A cumulative counter counts with its greatest value for each start time, service, resource and attributes; deltas are summed.
 * Limits: 20,000 counters, 10,000 services. Threads: one.
 */

#include "base/arena.h"
#include "base/map.h"

enum tt_sdk_item { TT_SDK_SPANS, TT_SDK_LOGS, TT_SDK_POINTS, TT_SDK_ITEMS };

struct tt_sdk_service {
    struct tt_str name;
    double dropped[TT_SDK_ITEMS]; /* by a processor: its queue was full, or it was shut down */
    double failed[TT_SDK_ITEMS];  /* by an exporter */
    double passed[TT_SDK_ITEMS];  /* processed without a loss */
};

struct tt_sdk {
    struct tt_arena *arena;
    struct tt_map counters, services;
    uint64_t rows; /* that were such counters */
};

void tt_sdk_init(struct tt_sdk *sdk, struct tt_arena *arena);
void tt_sdk_done(struct tt_sdk *sdk);

/* The cells of a metric row that matter; texts are borrowed for the call. */
struct tt_sdk_row {
    struct tt_str service, name, temporality, start, value, attributes, resource;
};
/* Rows of other metrics are no matter and cost a comparison. */
void tt_sdk_add(struct tt_sdk *sdk, const struct tt_sdk_row *row);
/* After the last row: sums counters up by service. */
void tt_sdk_finish(struct tt_sdk *sdk);

#endif
