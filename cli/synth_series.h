/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_SYNTH_SERIES_H
#define TT_CLI_SYNTH_SERIES_H

/*
 * Series with faults in them at known places.
 *
 * A baseline is what a healthy system shows; an anomaly changes it in some spans, between which it is left alone. The first 15 % are
 * always healthy, so that a detector has something to learn from (and as NAB does not judge them).
 *
 * Bits:      + - * / on doubles and random integers only: the same options give the same bytes on every machine.
 * Ownership: arrays are the caller's. Threads: no state. Cost: 0.2 us a point.
 */

#include "base/error.h"
#include "base/str.h"

#define TT_SYNTH_MAX_EVENTS 1000
#define TT_SYNTH_MIN_POINTS 200

/* name, what it looks like */
#define TT_SYNTH_BASELINES(X)                       \
    X(flat, "one level and noise")                  \
    X(daily, "a wave of a day")                     \
    X(weekly, "a wave of a day, lower at weekends") \
    X(trend, "a slow rise with a wave of a day")    \
    X(bursty, "little, with bursts that die away")  \
    X(given, "the series of --baseline-file")

/* symbol, name, what it looks like */
#define TT_SYNTH_ANOMALIES(X)                                                                \
    X(cpu_spike, "cpu-spike", "minutes near the ceiling, with sharp edges")                  \
    X(memory_leak, "memory-leak", "a slow straight rise that a restart ends")                \
    X(crash_loop, "crash-loop", "falls to nothing and comes back, again and again")          \
    X(network_issue, "network-issue", "jitter: single points far up, others lost")           \
    X(disk_fills, "disk-fills", "rises to the ceiling and stays exactly there")              \
    X(traffic_drop, "traffic-drop", "a tenth of what is usual")                              \
    X(latency_leak, "latency-leak", "creeps up ever faster")                                 \
    X(flapping, "flapping", "changes between two levels every few points")                   \
    X(stuck_value, "stuck-value", "the last value, repeated without any noise")              \
    X(season_shift, "season-shift", "the pattern of six hours later")                        \
    X(level_shift, "level-shift", "a new level that stays; the window covers its beginning") \
    X(gc_thrash, "gc-thrash", "a fast sawtooth on top of the usual")                         \
    X(none, "none", "nothing: every alarm is false")

#define TT_SYNTH_BASELINE_ENUM(name, doc)        TT_SYNTH_##name,
#define TT_SYNTH_ANOMALY_ENUM(symbol, name, doc) TT_SYNTH_##symbol,
enum tt_synth_baseline { TT_SYNTH_BASELINES(TT_SYNTH_BASELINE_ENUM) TT_SYNTH_BASELINE_COUNT };
enum tt_synth_anomaly { TT_SYNTH_ANOMALIES(TT_SYNTH_ANOMALY_ENUM) TT_SYNTH_ANOMALY_COUNT };

struct tt_synth_options {
    enum tt_synth_baseline baseline;
    enum tt_synth_anomaly anomaly;
    size_t points;         /* at least TT_SYNTH_MIN_POINTS */
    uint32_t points_a_day; /* of the seasons */
    uint32_t events;       /* 1 to TT_SYNTH_MAX_EVENTS */
    double strength;       /* above 0; 1: as clear as such faults usually are */
    uint64_t seed;
};

/* Points first to last. */
struct tt_synth_window {
    size_t first, last;
};

const char *tt_synth_baseline_name(enum tt_synth_baseline baseline);
const char *tt_synth_anomaly_name(enum tt_synth_anomaly anomaly);
const char *tt_synth_baseline_doc(enum tt_synth_baseline baseline);
const char *tt_synth_anomaly_doc(enum tt_synth_anomaly anomaly);
/* TT_SYNTH_…_COUNT when there is none of that name. */
enum tt_synth_baseline tt_synth_baseline_of(struct tt_str name);
enum tt_synth_anomaly tt_synth_anomaly_of(struct tt_str name);

/* Whether the anomaly can be seen on the baseline: there is no season to shift in flat and bursty ones. */
bool tt_synth_goes_with(enum tt_synth_baseline baseline, enum tt_synth_anomaly anomaly);

/*
 * values       options->points values; with baseline `given` they are the healthy series on entry (NaN: missing, stays so)
 * ret_windows  options->events windows, ascending, disjoint; *ret_count of them are used (0 for `none`)
 *
 * TT_INVALID_DATA with the option's name and range, or when the points are too few for the events; TT_NO_MEMORY.
 */
enum tt_status tt_synth_make(const struct tt_synth_options *options, double *values,
                             struct tt_synth_window *ret_windows, size_t *ret_count,
                             struct tt_error *err) TT_CHECKED;

#endif
