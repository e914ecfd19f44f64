/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_METER_H
#define TT_BASE_METER_H

/*
 * Counters, gauges and histograms of durations of the program itself, read by the metrics endpoint.
 *
 * Purpose:   every instrument is declared once (name, unit, text), created at start with value 0, so that rate() works.
 * Names:     Prometheus form without the unit suffix, as otelcol users know them (otelcol_receiver_accepted_spans).
 * Ownership: the registry owns the instruments; a pointer stays valid until tt_meters_free().
 * Threads:   get from any thread (takes a lock: do it at create, or once a new label value); add and set are one
 *            relaxed atomic on a cache line of the instrument's own.
 * Limits:    at most max_series instruments and 1,000 label values a name; what is over shares one series with the label
 *            value "__overflow__" (one such series a name, also beyond max_series). Label values are cut at 256 bytes.
 */

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

#include <stdatomic.h>

enum tt_meter_kind { TT_COUNTER, TT_GAUGE, TT_HISTOGRAM };

struct tt_meter_desc {
    const char *name, *unit, *doc; /* unit in UCUM: "By", "s", "{span}", "1" */
    enum tt_meter_kind kind;
};

struct tt_label {
    const char *name;
    struct tt_str value;
};

struct tt_meter {
    _Alignas(64) _Atomic int64_t value; /* counters and integer gauges */
    _Atomic uint64_t real_bits;         /* gauges set as double: its bits; used when is_real */
    _Atomic bool is_real;
};

/* How long things took: how many took at most tt_histogram_bounds[i], the last: any time. */
enum { TT_HISTOGRAM_BUCKETS = 14 };
extern const tt_dur tt_histogram_bounds[TT_HISTOGRAM_BUCKETS - 1];
struct tt_histogram {
    _Alignas(64) _Atomic uint64_t counts[TT_HISTOGRAM_BUCKETS]; /* of each bucket alone */
    _Atomic uint64_t sum_ns;
};

struct tt_meters;
/* NULL when memory is gone. */
struct tt_meters *tt_meters_new(size_t max_series);
void tt_meters_free(struct tt_meters *meters);

/* The instrument of that name and labels (at most 8), made at 0 when it is new. desc and label names are borrowed for
 * the registry's life (static tables); label values are copied, the order of labels does not matter. Never NULL: when
 * memory is gone (or meters is NULL), a shared dummy that nobody reads. */
struct tt_meter *tt_meters_get(struct tt_meters *meters, const struct tt_meter_desc *desc,
                               const struct tt_label *labels, size_t n_labels);

static inline void tt_meter_add(struct tt_meter *meter, int64_t by)
{
    atomic_fetch_add_explicit(&meter->value, by, memory_order_relaxed);
}

static inline void tt_meter_set(struct tt_meter *meter, int64_t value)
{
    atomic_store_explicit(&meter->value, value, memory_order_relaxed);
}

static inline int64_t tt_meter_value(const struct tt_meter *meter)
{
    return atomic_load_explicit(&meter->value, memory_order_relaxed);
}

/* A gauge with decimals (a ratio). */
void tt_meter_set_real(struct tt_meter *meter, double value);

/* The same for a description of kind TT_HISTOGRAM (only). */
struct tt_histogram *tt_meters_get_histogram(struct tt_meters *meters,
                                             const struct tt_meter_desc *desc,
                                             const struct tt_label *labels, size_t n_labels);
/* Adds one duration; below 0 counts as 0. Two relaxed atomics. */
void tt_histogram_add(struct tt_histogram *histogram, tt_dur duration);

/* One reading of the registry, ordered by name, then labels. */
struct tt_reading {
    const struct tt_meter_desc *desc;
    const struct tt_label *labels;
    size_t n_labels;
    double value; /* histograms: how many durations */
    /* TT_HISTOGRAM only: counts up to each bound, the last: of all; and their sum in seconds */
    uint64_t up_to[TT_HISTOGRAM_BUCKETS];
    double sum;
};
/* Calls visit for each instrument; visit must not call back into the registry. */
void tt_meters_read(struct tt_meters *meters,
                    void (*visit)(void *context, const struct tt_reading *reading), void *context);

#endif
