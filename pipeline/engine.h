/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_ENGINE_H
#define TT_PIPELINE_ENGINE_H

/*
 * What the files of the engine share: instances, edges, the service. Private to pipeline/ and its tests.
 *
 * Ownership: all of it lives in the service's arena, from tt_service_new() to tt_service_free().
 * Threads:   the graph does not change after it was built; what does is atomic or names its mutex.
 */

#include "base/thread.h"
#include "pipeline/registry.h"
#include "pipeline/settings.h"

enum {
    /* What an exporter's edge may keep for an exporter that fails; over it data are dropped and counted. */
    TT_PARK_MAX_BATCHES = 256,
    TT_PARK_MAX_BYTES = 64 * 1024 * 1024,
    /* When a sender that was refused should come back. */
    TT_RETRY_AFTER_MS = 2000,
    TT_MAX_BRANCHES = TT_MAX_PIPELINES,
    TT_MAX_SHARED_OBJECTS = 64,
    TT_MAX_METERS = 10000,
};
#define TT_PARK_RETRY_INTERVAL TT_SECOND

struct tt_instance;
struct tt_edge;

/* ---- edges (edge.c, fanout.c) ---- */

/* First member of each kind of edge. */
struct tt_consumer {
    enum tt_status (*consume)(struct tt_consumer *consumer, struct tt_batch **batch,
                              struct tt_error *err);
    enum tt_signal signal; /* the only one that may pass */
    const char *name;      /* of what is behind, for messages */
};

/* Batches that an exporter could not take although somebody else has them, or nobody can send them again. */
struct tt_park {
    pthread_mutex_t mu;
    struct tt_parked {
        struct tt_batch *batch; /* one reference, ack detached */
        size_t bytes;
    } items[TT_PARK_MAX_BATCHES]; /* ring, guarded by mu */
    size_t first, count, bytes;   /* guarded by mu */
    bool is_retrying;             /* guarded by mu: one retries at a time, the order is kept */
    struct tt_error reason;       /* guarded by mu: why the exporter failed last */
    _Atomic uint32_t n_waiting;   /* = count, readable without mu */
};

/* In front of a component: one for each instance and signal. */
struct tt_edge {
    struct tt_consumer consumer;
    struct tt_instance *instance;
    struct tt_meter *taken;          /* processors, connectors: incoming items; exporters: sent */
    struct tt_meter *failed;         /* exporters: send_failed */
    struct tt_meter *enqueue_failed; /* exporters: no room to park */
    struct tt_histogram *time; /* processors: without what is behind them; NULL: not measured */
    struct tt_park *park;      /* exporters */
};

/* Behind a processor or connector: counts what it sends on. */
struct tt_outlet {
    struct tt_consumer consumer;
    struct tt_consumer *next;
    struct tt_meter *sent;
    struct tt_service *service; /* NULL: nobody asks how long it takes */
};

/* While a processor runs on a thread: the time that what is behind it took of that. On the stack of the edge in front of it; the
 * thread finds it under the service's key. */
struct tt_stopwatch {
    tt_dur behind;
};

struct tt_fanout {
    struct tt_consumer consumer;
    struct tt_service *service;
    size_t count;
    struct tt_consumer *branches[]; /* those that change data last */
};

enum tt_status tt_edge_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                               struct tt_error *err);
enum tt_status tt_outlet_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                 struct tt_error *err);
enum tt_status tt_fanout_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                 struct tt_error *err);

/* ---- parking (park.c) ---- */

/* NULL when memory is gone. */
struct tt_park *tt_park_new(struct tt_arena *arena);
/* Drops and counts what is left. */
void tt_park_done(struct tt_edge *edge, const char *reason);
/* Keeps a batch whose exporter failed with err; takes the reference. Never fails: what does not fit is dropped and
 * counted. */
void tt_park_add(struct tt_edge *edge, struct tt_batch *batch, const struct tt_error *err);
/* Sends parked batches again until one fails or none is left. Returns whether none is left. */
bool tt_park_retry(struct tt_edge *edge);
/* What waits: for the meters. */
void tt_park_size(struct tt_edge *edge, size_t *ret_batches, size_t *ret_bytes);
/* The reason of the last failure, as an error that may be retried. */
enum tt_status tt_park_refusal(struct tt_edge *edge, struct tt_error *err);

/* ---- instances and graph (graph.c) ---- */

struct tt_instance {
    struct tt_component_settings *settings;
    const struct tt_component *component;
    const void *config;   /* the running one: reload replaces it */
    const char *pipeline; /* id; processors only */
    void *self;
    struct tt_host host;
    struct tt_edge *edges[TT_SIGNAL_COUNT]; /* in front of it, by signal; NULL: not used */
    struct tt_create_args args;
    bool is_started, is_shut_down;
};

struct tt_graph {
    struct tt_instance *instances; /* in the order data flow: receivers first, exporters last */
    size_t n_instances;
    struct tt_instance *extensions; /* in the order they start */
    size_t n_extensions;
};

/* ---- the process's parts that components reach through their host (budget.c, host.c) ---- */

struct tt_budget {
    size_t limit;
    _Atomic size_t used;
};

struct tt_service {
    struct tt_arena arena;
    struct tt_settings *settings; /* the first one: the graph's ids are its */
    struct tt_reloaded {
        struct tt_settings *settings;
        bool is_used; /* a component has, or had, its configuration from these */
    } reloaded[64];   /* the last one runs; only the thread that reloads touches them */
    size_t n_reloaded;
    const struct tt_clock *clock;
    struct tt_log log;
    struct tt_log_sink *sink; /* reload changes its level */
    const char *version;
    struct tt_meters *meters;
    struct tt_graph graph;
    struct tt_budget budget;
    _Atomic uint32_t
        closed; /* exporters with parked batches + CLOSED_STOPPING; 0: data are welcome */
    pthread_mutex_t shared_mu;
    struct {
        const struct tt_shared_type *type;
        void *object;
    } shared[TT_MAX_SHARED_OBJECTS]; /* guarded by shared_mu */
    size_t n_shared;                 /* guarded by shared_mu */
    pthread_mutex_t fatal_mu;
    bool has_failed;       /* guarded by fatal_mu */
    struct tt_error fatal; /* guarded by fatal_mu: the first one */
    void (*on_fatal)(void *context);
    void *on_fatal_context;
    struct tt_thread retry_thread;
    pthread_mutex_t retry_mu;
    pthread_cond_t retry_cond; /* of the monotonic clock */
    bool retry_stop;           /* guarded by retry_mu */
    tt_dur started_at;         /* monotonic; 0: not yet */
    pthread_key_t stopwatch;   /* of the thread's struct tt_stopwatch; when has_stopwatch */
    bool has_stopwatch;
    bool is_ready;
};
#define TT_CLOSED_STOPPING UINT32_C(0x80000000)

/* Lays out instances, edges and fan-outs in the service's arena and creates the components, downstream first. After a
 * failure tt_graph_destroy() frees what exists. */
enum tt_status tt_graph_build(struct tt_service *service, struct tt_error *err) TT_CHECKED;
/* Destroys all components, upstream first. */
void tt_graph_destroy(struct tt_service *service);

/* TT_OK, or why no data may be taken while batches are parked. One atomic load when none is. */
enum tt_status tt_service_check_parked(struct tt_service *service, struct tt_error *err);
/* Wakes the thread that sends parked batches again. */
void tt_service_wake_retry(struct tt_service *service);

/* Fills the host of one instance. */
void tt_host_init(struct tt_host *host, struct tt_service *service, const char *id);
void tt_host_done_shared(struct tt_service *service);

extern const struct tt_meter_desc tt_dropped_meter;

#endif
