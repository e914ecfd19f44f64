/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_COMPONENT_H
#define TT_PIPELINE_COMPONENT_H

/*
 * What a component is: one const descriptor, listed in pipeline/components.def.
 *
 * Life:     validate (no I/O) -> create (no I/O, no threads) -> start -> consume … -> shutdown(deadline) -> destroy.
 *           Everything downstream has been started before start(); everything upstream has been shut down before shutdown().
 *           shutdown is legal without start and repeatedly; destroy(NULL) is a no-op.
 * Instances: a receiver, exporter or extension is one instance for each id, shared by all pipelines that name it; a processor
 *           is one instance for each pipeline that names it (as in the Collector).
 * Threads:  consume may be called by all threads at once; the other functions by one thread, never concurrently
 *           with themselves.
 */

#include "config/schema.h"
#include "otlp/batch.h"
#include "pipeline/consumer.h"
#include "pipeline/host.h"

enum tt_kind { TT_RECEIVER, TT_PROCESSOR, TT_CONNECTOR, TT_EXPORTER, TT_EXTENSION };
enum tt_stability { TT_DEVELOPMENT, TT_ALPHA, TT_BETA, TT_STABLE };

struct tt_create_args {
    const char *id;       /* "otlp", "file/metrics"; outlives destroy() */
    const void *config;   /* decoded by the component's schema and validated; outlives destroy() */
    struct tt_host *host; /* of this instance; outlives destroy() */
    /* Where to send batches of each signal (index: tt_signal_index). Receivers and connectors: NULL for a signal that no
     * pipeline takes from it. Processors: only their pipeline's signal. Exporters and extensions: all NULL. */
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    unsigned signals; /* set of enum tt_signal that this instance will see */
    /* Columns that components upstream of this one declare, for each signal, in pipeline order, without repeats: an exporter can
     * write a header before the first batch. Empty for receivers and extensions. */
    struct tt_column_list {
        const struct tt_column_desc *const *items;
        size_t count;
    } columns[TT_SIGNAL_COUNT];
};

struct tt_component_ops {
    /* Checks between fields of the config struct. Optional. */
    enum tt_status (*validate)(const void *config, struct tt_error *err);
    /* Allocates. On failure nothing is left and *ret_self is untouched. */
    enum tt_status (*create)(const struct tt_create_args *args, void **ret_self,
                             struct tt_error *err);
    /* Opens files and sockets, starts threads. Optional. After a failure shutdown is called, too. */
    enum tt_status (*start)(void *self, struct tt_error *err);
    /* Takes *batch whatever it returns, and sets the pointer to NULL: pass it on with tt_consume(), keep it, or
     * tt_batch_unref() it. NULL for receivers and extensions. */
    enum tt_status (*consume)(void *self, struct tt_batch **batch, struct tt_error *err);
    /* Stops intake, sends on what it holds, joins its threads; returns by the deadline (tt_clock_monotonic). Optional. */
    enum tt_status (*shutdown)(void *self, tt_dur deadline, struct tt_error *err);
    void (*destroy)(void *self);
    /* Extensions: the service became ready (true) or is about to stop (false). Optional. */
    void (*ready)(void *self, bool ready);
    /* SIGHUP: config differs from the running one in TT_CONFIG_RELOADABLE options only; must not fail half-way. The new config
     * replaces the old one, which lives until destroy(). Optional: then a change asks for a restart. */
    enum tt_status (*reload)(void *self, const void *config, struct tt_error *err);
};

struct tt_component {
    const char *type; /* YAML name = folder = file stem, lower_snake_case */
    enum tt_kind kind;
    enum tt_stability stability;
    unsigned signals;  /* set of enum tt_signal it can handle; 0 for extensions */
    unsigned emits;    /* connectors: set of enum tt_signal it sends on; 0: the same as signals */
    bool mutates_data; /* consume() calls tt_batch_make_writable() */
    const char *doc;   /* one sentence */
    const struct tt_schema *schema;
    const struct tt_meter_desc
        *meters; /* beyond the standard ones of the edges; NULL-name ended; may be NULL */
    const struct tt_column_desc *const *columns; /* it adds to batches; NULL-ended; may be NULL */
    const struct tt_component_ops *ops;
};

#endif
