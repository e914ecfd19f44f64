/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_HOST_H
#define TT_PIPELINE_HOST_H

/*
 * What a component instance may use of the process: log, clock, meters, memory budget, admission, shared objects.
 *
 * Ownership: one host for each instance, owned by the service; outlives the instance.
 * Threads:   all functions from any thread.
 */

#include "base/clock.h"
#include "base/log.h"
#include "base/meter.h"
#include "otlp/signal.h"

struct tt_service;

struct tt_host {
    struct tt_log log; /* names this instance */
    const struct tt_clock *clock;
    struct tt_meters *meters;
    struct tt_service *service;
    const char *version; /* "0.1.0" */
};

/* ---- memory budget: asked before a body is read ---- */

/* Reserves bytes of the process's budget: TT_OVERLOADED (with a retry_after hint) when it is spent. Never waits. */
enum tt_status tt_budget_reserve(struct tt_host *host, size_t bytes, struct tt_error *err)
    TT_CHECKED;
void tt_budget_release(struct tt_host *host, size_t bytes);

/* ---- admission ---- */

/* TT_OK, or why no new data may be taken now: TT_SHUTTING_DOWN, TT_UNAVAILABLE (an exporter is stuck; err says which, and
 * retry_after_ms when to come back). Receivers ask before they read a body. One atomic load when all is well. */
enum tt_status tt_host_admission(struct tt_host *host, struct tt_error *err) TT_CHECKED;

/* ---- the ledger of lost items ---- */

/* Counts items that went nowhere: telltale_dropped_items{component, reason, signal}. Nothing is dropped silently. */
void tt_host_dropped(struct tt_host *host, enum tt_signal signal, const char *reason,
                     uint64_t items);

/* ---- objects shared by several instances ---- */

/* Components do not know each other; what two of them must share (the label windows that are posted to one and
 * applied by another) is an object of a lower layer, known by its type's name. */
struct tt_shared_type {
    const char *name;
    void *(*create)(struct tt_host *host); /* NULL when memory is gone */
    void (*destroy)(void *object);
};
/* The process's one object of that type, made at the first call (in create()); lives until the service is gone. NULL
 * when memory is gone. */
void *tt_host_share(struct tt_host *host, const struct tt_shared_type *type);

/* ---- trouble that ends the process ---- */

/* The component cannot go on (its listener died, say): the service logs it, shuts down in order and exits with 1. */
void tt_host_fatal(struct tt_host *host, const struct tt_error *err);

#endif
