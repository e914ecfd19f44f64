/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_SIGNAL_H
#define TT_OTLP_SIGNAL_H

/* The three kinds of telemetry, as bits of a set and as small indices for tables. */

#include "base/util.h"

enum tt_signal { TT_TRACES = 1 << 0, TT_METRICS = 1 << 1, TT_LOGS = 1 << 2 };
#define TT_SIGNAL_COUNT 3
#define TT_ALL_SIGNALS  ((unsigned)TT_TRACES | (unsigned)TT_METRICS | (unsigned)TT_LOGS)

/* 0, 1, 2 for traces, metrics, logs. */
static inline unsigned tt_signal_index(enum tt_signal signal)
{
    return (unsigned)signal >> 1;
}

static inline enum tt_signal tt_signal_at(unsigned index)
{
    return (enum tt_signal)(1U << index);
}

/* "traces", "metrics", "logs": as in configuration and paths. */
static inline const char *tt_signal_name(enum tt_signal signal)
{
    return signal == TT_TRACES ? "traces" : signal == TT_METRICS ? "metrics" : "logs";
}

/* What one row is called: "spans", "metric_points", "log_records", as in otelcol's metric names. */
static inline const char *tt_signal_items(enum tt_signal signal)
{
    return signal == TT_TRACES ? "spans" : signal == TT_METRICS ? "metric_points" : "log_records";
}

#endif
