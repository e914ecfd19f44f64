/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_SERVICE_H
#define TT_PIPELINE_SERVICE_H

/*
 * The running program: builds the graph from settings, starts it downstream first, stops it upstream first.
 *
 *   tt_service_new -> tt_service_start -> … -> tt_service_shutdown -> tt_service_free
 *
 * Threads:   these functions by one thread (the main one); data flow on the receivers' threads meanwhile.
 * Delivery:  an exporter that fails for now, after others have got the data, gets them parked in front of it
 *            (256 batches or 64 MiB, engine.h); they are sent again every second and at shutdown, and until none waits
 *            no new data are taken (tt_host_admission). Over the bound, and what is left at the deadline, is dropped and counted.
 */

#include "pipeline/settings.h"

struct tt_service;

struct tt_service_options {
    const struct tt_clock *clock;
    struct tt_log_sink *sink; /* borrowed */
    const char *version;
    /* A component cannot go on: called once, from any thread. Shut down and exit with 1. Optional. */
    void (*on_fatal)(void *context);
    void *on_fatal_context;
};

/* Builds the graph and creates all components; nothing does I/O yet. Takes settings, also on failure. */
enum tt_status tt_service_new(const struct tt_service_options *options,
                              struct tt_settings *settings, struct tt_service **ret_service,
                              struct tt_error *err) TT_CHECKED;
/* Starts extensions, then components against the flow of data. On failure what was started is shut down again. */
enum tt_status tt_service_start(struct tt_service *service, struct tt_error *err) TT_CHECKED;
/* Refuses new data, then stops receivers, processors, exporters, extensions, in the order data flow, all by the one
 * deadline (monotonic). The first failure is returned; each is logged. Repeatable. */
enum tt_status tt_service_shutdown(struct tt_service *service, tt_dur deadline,
                                   struct tt_error *err);
void tt_service_free(struct tt_service *service); /* NULL is a no-op */

/*
 * Applies what may change while running, all or nothing. Takes next only when it was applied (*ret_changed > 0): diags
 * point into it.
 *
 * TT_OK: applied, *ret_changed is how many options changed. TT_UNSUPPORTED: some differences need a restart (each is an
 * error in diags, at its place in the new file); nothing was changed.
 */
enum tt_status tt_service_reload(struct tt_service *service, struct tt_settings *next,
                                 struct tt_diags *diags, size_t *ret_changed, struct tt_error *err)
    TT_CHECKED;

/* The settings in force (the last ones reloaded), until the next reload; by the thread that reloads. */
const struct tt_settings *tt_service_settings(const struct tt_service *service);
struct tt_meters *tt_service_meters(struct tt_service *service);
/* Sets the gauges that are read rather than counted (budget, parked batches). */
void tt_service_update_meters(struct tt_service *service);
/* Whether a component ended the run (tt_host_fatal), and why. */
bool tt_service_has_failed(struct tt_service *service, struct tt_error *ret_err);

#endif
