/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOADGEN_SHOP_H
#define TT_CLI_LOADGEN_SHOP_H

/*
 * A small robot shop that exists only as numbers: journeys through services, and what each fault does to them.
 *
 * Purpose:   spans that a labelled load test would produce, from a seed, with no clock and no network.
 * Ownership: a trace is a plain value of the caller.
 * Threads:   one generator a thread; the tables are const.
 */

#include "base/str.h"

enum shop_service {
    SHOP_K6,
    SHOP_WEB,
    SHOP_CATALOGUE,
    SHOP_CART,
    SHOP_USER,
    SHOP_SHIPPING,
    SHOP_PAYMENT,
    SHOP_MONGODB,
    SHOP_REDIS,
    SHOP_MYSQL,
    SHOP_SERVICES
};

/* The service.name, and the SDK it is written with (telemetry.sdk.language). */
struct shop_service_info {
    struct tt_str name, language, address;
    int64_t port;
    struct tt_str db_system; /* empty: not a store */
};
extern const struct shop_service_info shop_services[SHOP_SERVICES];

enum shop_scenario {
    SHOP_BASELINE,
    SHOP_LATENCY_SPIKE,
    SHOP_DB_EXHAUSTION,
    SHOP_CPU_SATURATION,
    SHOP_CACHE_MISS,
    SHOP_DEPENDENCY_BOTTLENECK,
    SHOP_TIMEOUT,
    SHOP_ERROR_SPIKE,
    SHOP_SCENARIOS
};

/* The four x-anomaly-* texts that a scenario's requests carry, and its name on the command line. */
struct shop_scenario_info {
    struct tt_str name, type, label, root_cause, msg;
};
extern const struct shop_scenario_info shop_scenarios[SHOP_SCENARIOS];

/* What one service does when it is asked. */
struct shop_operation {
    enum shop_service service;
    struct tt_str method; /* HTTP method, or the operation of a store */
    struct tt_str route;  /* "/api/cart/{id}", or the collection of a store */
    uint32_t work_us;     /* its own work in a healthy shop */
    const uint8_t *calls; /* operations it asks in turn, ended by SHOP_NO_CALL */
};

struct shop_span {
    const struct shop_operation *operation;
    enum shop_service service; /* who reports it: the caller for a client span */
    bool is_client;
    uint8_t span_id[8];
    int32_t parent;            /* index in the trace; -1: root */
    uint64_t start_us, end_us; /* since the trace began */
    uint16_t http_status;
    struct tt_str error; /* empty: fine */
    bool lost;           /* the service never reported it (a child is missing) */
};

#define SHOP_MAX_SPANS 96
struct shop_trace {
    uint8_t trace_id[16];
    enum shop_scenario scenario;
    struct tt_str journey;
    uint64_t duration_us;
    uint32_t count;
    struct shop_span spans[SHOP_MAX_SPANS];
};

struct shop_random {
    uint64_t state;
};
/* Uniform 64 bits (splitmix64, Steele, Lea and Flood 2014). */
uint64_t shop_random_next(struct shop_random *random);

/* Plays one journey of the shop under a scenario. with_k6: a root client span of the load generator itself comes first. */
void shop_play(struct shop_random *random, enum shop_scenario scenario, bool with_k6,
               struct shop_trace *ret_trace);

#endif
