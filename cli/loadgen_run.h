/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOADGEN_RUN_H
#define TT_CLI_LOADGEN_RUN_H

/*
 * Plays the shop against an OTLP/HTTP endpoint and keeps an exact account of what was sent and what was answered.
 *
 * Paced:   every service exports on its own ticks, each at its own phase, as SDKs do; metrics and logs too.
 * Burst:   `requests` requests of whole traces as fast as they are taken, over `connections` connections.
 * Threads: lg_run() starts its own and joins them.
 */

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "cli/loadgen_encode.h"
#include "net/inflate.h"

struct lg_options {
    const char *endpoint; /* "http://127.0.0.1:4318" */
    enum lg_labels labels;
    int64_t rate;     /* spans a second; paced */
    tt_dur duration;  /* paced */
    int64_t requests; /* over 0: burst */
    int64_t spans_per_request;
    int64_t connections;    /* burst */
    tt_dur export_interval; /* paced */
    bool mixed;             /* each trace draws its scenario; else one block of time for each */
    int scenario;           /* enum shop_scenario for all traces; -1: all eight */
    bool json;              /* OTLP/JSON instead of protobuf */
    enum tt_encoding compression;
    bool metrics_and_logs;
    int64_t max_retries; /* of one request */
    uint64_t seed;
    bool progress; /* a line a second on standard error */
    tt_dur wait;   /* for somebody to listen at the endpoint, before anything is sent */
};

struct lg_count {
    uint64_t sent, accepted, rejected,
        failed; /* items: answered 200, refused in a partial success, given up on */
};

struct lg_account {
    struct lg_count spans, points, records;
    struct {
        uint64_t traces, spans_sent, spans_accepted;
    } by_scenario[SHOP_SCENARIOS];
    uint64_t traces, lost_by_design; /* spans that the scenario never reports */
    uint64_t requests, retries, bytes;
    uint64_t answers[6]; /* by class: [2] 2xx, [4] 4xx, [5] 5xx; [0] none */
    tt_dur elapsed;
    tt_dur latency_p50, latency_p99; /* of a request */
};

/* Runs to its end, or until *stop is requested. TT_UNAVAILABLE when nobody listens at the endpoint (nothing is sent then), or nothing at all
 * could be delivered. */
enum tt_status lg_run(const struct lg_options *options, struct tt_stop *stop,
                      struct lg_account *ret_account, struct tt_error *err) TT_CHECKED;

#endif
