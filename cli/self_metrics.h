/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_SELF_METRICS_H
#define TT_CLI_SELF_METRICS_H

/*
 * GET /metrics: the program's own meters in Prometheus' text format 0.0.4, under the names otelcol users know.
 *
 * Threads: one event loop of its own; start and stop by the main thread.
 * Limits:  32 connections, 16 MiB of text.
 */

#include "base/buffer.h"
#include "pipeline/service.h"

struct tt_self_metrics;

/* *ret_metrics is NULL when the level is none. */
enum tt_status tt_self_metrics_start(struct tt_service *service, const struct tt_log *log,
                                     struct tt_self_metrics **ret_metrics, struct tt_error *err)
    TT_CHECKED;
void tt_self_metrics_stop(struct tt_self_metrics *metrics, tt_dur deadline); /* NULL is a no-op */

/* One reading. resource: attributes of target_info besides service.name and service.version. */
void tt_self_metrics_print(struct tt_meters *meters, const struct tt_pair_list *resource,
                           struct tt_buffer *out);

#endif
