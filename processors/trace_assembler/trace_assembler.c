/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "pipeline/component.h"
#include "processors/trace_assembler/intake.h"
#include "processors/trace_assembler/regroup.h"

#include <stdatomic.h>

#define RETRY_AFTER    TT_SECOND
#define TRIM_INTERVAL  (TT_SECOND / 2)
#define RECENT_TRACES  ((size_t)262144) /* of one generation, all shards */
#define EVICT_ROWS     (TRACE_BATCH_ROWS / SHARDS)
#define SLACK          ((size_t)64 << 20) /* address range beyond max_bytes: partly filled slabs */
#define WORTH_TRIMMING ((size_t)16 << 20)

/* ---- options ---- */

struct trace_assembler_config {
    tt_dur idle, max_age;
    size_t max_bytes;
    int64_t max_spans, max_spans_per_trace;
};

static const struct tt_field fields[] = {
    {TT_DURATION(struct trace_assembler_config, idle), .def = "10s", .min = 1e6, .max = 36e11,
     .doc = "A trace is sent on when none of its rows arrived for so long; longer than the export "
            "interval of the SDKs (5s)."},
    {TT_DURATION(struct trace_assembler_config, max_age), .def = "60s", .min = 1e6, .max = 864e11,
     .doc = "A trace is sent on so long after its first row, quiet or not."},
    {TT_SIZE(struct trace_assembler_config, max_bytes), .def = "1GiB", .min = 65536, .max = 1e13,
     .doc = "Memory for open traces; over it the oldest are sent on incomplete."},
    {TT_INT(struct trace_assembler_config, max_spans), .def = "4000000", .min = 1, .max = 1e9,
     .doc = "Most rows of open traces; over it the oldest traces are sent on incomplete."},
    {TT_INT(struct trace_assembler_config, max_spans_per_trace), .def = "10000", .min = 1,
     .max = 1e6, .doc = "Most rows of one trace; when it has them they are sent on incomplete."},
};
static const struct tt_schema schema = TT_SCHEMA(struct trace_assembler_config, fields);

/* ---- meters ---- */

enum meter { OPEN_TRACES, OPEN_SPANS, HELD_BYTES, FLUSHED, EVICTED, LATE, METER_COUNT };
static const struct tt_meter_desc meters[] = {
    [OPEN_TRACES] = {"telltale_trace_assembler_open_traces", "{trace}",
                     "Traces that wait to be quiet.", TT_GAUGE},
    [OPEN_SPANS] = {"telltale_trace_assembler_open_spans", "{span}", "Rows of open traces.",
                    TT_GAUGE},
    [HELD_BYTES] = {"telltale_trace_assembler_held_bytes", "By", "Memory of open traces.",
                    TT_GAUGE},
    [FLUSHED] = {"telltale_trace_assembler_flushed_traces", "{trace}",
                 "Traces that were sent on when they were quiet or old enough.", TT_COUNTER},
    [EVICTED] = {"telltale_trace_assembler_evicted_traces", "{trace}",
                 "Traces that were sent on incomplete to stay within a limit.", TT_COUNTER},
    [LATE] = {"telltale_trace_assembler_late_spans", "{span}",
              "Rows that came after their trace had been sent on.", TT_COUNTER},
    {.name = NULL},
};

struct trace_assembler {
    const struct trace_assembler_config *config;
    struct tt_host *host;
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    enum tt_signal signal; /* of what is held: a processor sees one */
    struct open_options options;
    struct slab_pool pool;
    struct origins origins;
    struct open_traces shards[SHARDS];
    _Atomic size_t n_traces, n_rows, n_bytes; /* of all shards; bytes as slots */
    _Atomic int64_t retry_at;                 /* nothing is sent on before */
    _Atomic uint32_t first_shard;             /* callers begin at different ones */
    struct tt_meter *meters[METER_COUNT];
    struct tt_stop stop;
    struct tt_thread timer;
    _Atomic bool stopped;
};

static tt_dur now_of(const struct trace_assembler *self)
{
    return tt_clock_monotonic(self->host->clock);
}

/* ---- the account ---- */

struct counts {
    size_t traces, rows, bytes;
};

static struct counts counts_of(const struct open_traces *traces)
{
    return (struct counts){traces->n_traces, traces->n_rows, traces->bytes};
}

/* What a shard gained or lost since `before`; called with its mutex held, so that no total is ever negative. */
static void account(struct trace_assembler *self, const struct open_traces *traces,
                    struct counts before)
{
    atomic_fetch_add_explicit(&self->n_traces, traces->n_traces - before.traces,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&self->n_rows, traces->n_rows - before.rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&self->n_bytes, traces->bytes - before.bytes, memory_order_relaxed);
}

static size_t read_count(const _Atomic size_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void set_gauges(struct trace_assembler *self)
{
    size_t bytes = slab_pool_bytes(&self->pool) + read_count(&self->origins.bytes);

    tt_meter_set(self->meters[OPEN_TRACES], (int64_t)read_count(&self->n_traces));
    tt_meter_set(self->meters[OPEN_SPANS], (int64_t)read_count(&self->n_rows));
    tt_meter_set(self->meters[HELD_BYTES], (int64_t)bytes);
}

static bool is_over_limit(const struct trace_assembler *self)
{
    return read_count(&self->n_bytes) + read_count(&self->origins.bytes) >
               self->config->max_bytes ||
           read_count(&self->n_rows) > (size_t)self->config->max_spans;
}

/* Traces could not be sent on a moment ago. */
static bool is_stuck(const struct trace_assembler *self, tt_dur now)
{
    return now < atomic_load_explicit(&self->retry_at, memory_order_relaxed);
}

/* ---- shards ---- */

static unsigned next_first_shard(struct trace_assembler *self)
{
    return atomic_fetch_add_explicit(&self->first_shard, 1, memory_order_relaxed) % SHARDS;
}

static bool lock_shard(struct open_traces *traces, bool wait)
{
    return pthread_mutex_trylock(&traces->mu) == 0 ||
           (wait && pthread_mutex_lock(&traces->mu) == 0);
}

/* Calls fn, with the mutex held, for each shard of a set of bits: first for those that nobody holds. Callers that met at one
 * shard would follow each other through all of them, and sleep at each. */
static void visit(struct trace_assembler *self, uint32_t shards,
                  void (*fn)(struct open_traces *traces, unsigned shard, void *context),
                  void *context)
{
    unsigned first = next_first_shard(self);

    for (bool wait = false; shards != 0; wait = true) {
        for (unsigned i = 0; i < SHARDS; i++) {
            unsigned shard = (first + i) % SHARDS;
            struct open_traces *traces = &self->shards[shard];
            if ((shards >> shard & 1) == 0 || !lock_shard(traces, wait))
                continue;
            struct counts before = counts_of(traces);
            fn(traces, shard, context);
            account(self, traces, before);
            pthread_mutex_unlock(&traces->mu);
            shards &= ~(UINT32_C(1) << shard);
        }
    }
}

/* ---- sending on ---- */

/* Taken traces of several shards, to become one batch. */
struct load {
    struct open_trace *lists[SHARDS];
    size_t n_rows, n_traces;
    enum take how;
};

static uint32_t shards_of(const struct load *load)
{
    uint32_t shards = 0;

    for (unsigned i = 0; i < SHARDS; i++)
        shards |= (uint32_t)(load->lists[i] != NULL) << i;
    return shards;
}

static void release_shard(struct open_traces *traces, unsigned shard, void *load)
{
    open_traces_release(traces, ((struct load *)load)->lists[shard]);
}

static void put_back_shard(struct open_traces *traces, unsigned shard, void *load)
{
    open_traces_put_back(traces, ((struct load *)load)->lists[shard]);
}

/* The batch has an ack of our own: when a failure may be retried, and nobody downstream has the rows, they are still ours. */
static enum tt_status consume_next(struct trace_assembler *self, struct tt_batch *batch,
                                   bool *ret_delivered, struct tt_error *err)
{
    struct tt_ack *ack = tt_ack_new(NULL, NULL);
    enum tt_status status;

    if (ack == NULL) {
        tt_batch_unref(batch);
        return tt_fail(err, TT_NO_MEMORY, "send traces on");
    }
    batch->ack = tt_ack_ref(ack);
    status = tt_consume(self->next[tt_signal_index(self->signal)], &batch, err);
    *ret_delivered = tt_ack_is_delivered(ack);
    tt_ack_unref(ack);
    return status;
}

static enum tt_status send_rows(struct trace_assembler *self, const struct regroup *regroup,
                                bool *ret_delivered, struct tt_error *err)
{
    struct tt_batch *batch = regroup_batch(regroup, self->signal);

    if (batch == NULL)
        return tt_fail(err, TT_NO_MEMORY, "regroup %zu rows", regroup->n_rows);
    return consume_next(self, batch, ret_delivered, err);
}

static void sent(struct trace_assembler *self, struct load *load, const struct regroup *regroup)
{
    regroup_unref_origins(regroup, &self->origins);
    visit(self, shards_of(load), release_shard, load);
    tt_meter_add(self->meters[load->how == TAKE_OLDEST ? EVICTED : FLUSHED],
                 (int64_t)load->n_traces);
}

/* Sends a load and forgets it. False: it was put back, and is tried again in a while. */
static bool send_load(struct trace_assembler *self, struct load *load)
{
    struct tt_error err = {.status = TT_OK};
    struct regroup regroup;
    bool delivered = false;
    enum tt_status status;

    if (!regroup_init(&regroup, load->lists, SHARDS, load->n_traces, load->n_rows)) {
        status = TT_NO_MEMORY;
        (void)tt_fail(&err, status, "regroup %zu rows", load->n_rows);
    } else {
        status = send_rows(self, &regroup, &delivered, &err);
    }
    if (status != TT_OK && tt_status_may_retry(status) && !delivered) {
        visit(self, shards_of(load), put_back_shard, load);
        atomic_store_explicit(&self->retry_at, now_of(self) + RETRY_AFTER, memory_order_relaxed);
        tt_log_warn(&self->host->log, "Traces could not be sent on: they are kept and sent again",
                    TT_FIELD_INT("spans", load->n_rows), TT_FIELD_ERROR(&err));
    } else {
        if (status != TT_OK && !delivered)
            tt_host_dropped(self->host, self->signal, "rejected", load->n_rows);
        sent(self, load, &regroup);
        status = TT_OK;
    }
    if (regroup.rows != NULL)
        regroup_done(&regroup);
    *load = (struct load){.how = load->how};
    return status == TT_OK;
}

/* Adds what a shard has to the load; returns whether it has more than fits. What is due in a shard that somebody holds is
 * left for the next caller: there is one soon. */
static bool take(struct trace_assembler *self, unsigned shard, tt_dur now, size_t max_rows,
                 struct load *load)
{
    struct open_traces *traces = &self->shards[shard];
    struct open_trace **end = &load->lists[shard];
    struct counts before;
    struct taken taken;

    if (!lock_shard(traces, load->how != TAKE_DUE))
        return false;
    before = counts_of(traces);
    taken = open_traces_take(traces, load->how, now, max_rows);
    account(self, traces, before);
    pthread_mutex_unlock(&traces->mu);
    while (*end != NULL)
        end = &(*end)->next;
    *end = taken.list;
    load->n_rows += taken.n_rows;
    load->n_traces += taken.n_traces;
    return taken.more;
}

/* Sends at least `quota` rows, or all there are. Other callers do the rest, so that no thread does all the output. */
static bool flush(struct trace_assembler *self, enum take how, tt_dur now, size_t quota)
{
    struct load load = {.how = how};
    unsigned first = next_first_shard(self), done = 0;
    size_t n_sent = 0;

    while (done < SHARDS && n_sent < quota) {
        bool more = take(self, (first + done) % SHARDS, now, TRACE_BATCH_ROWS - load.n_rows, &load);
        done += !more;
        if (!more && load.n_rows < TRACE_BATCH_ROWS)
            continue;
        n_sent += load.n_rows;
        if (!send_load(self, &load))
            return false;
    }
    return load.n_rows == 0 || send_load(self, &load);
}

static void flush_due(struct trace_assembler *self, tt_dur now, size_t quota)
{
    if (!is_stuck(self, now) && read_count(&self->n_rows) > 0)
        (void)flush(self, TAKE_DUE, now, quota);
}

/* One batch of the oldest traces of all shards; false when there was none, or it could not be sent. */
static bool evict_some(struct trace_assembler *self, tt_dur now)
{
    struct load load = {.how = TAKE_OLDEST};
    unsigned first = next_first_shard(self);

    for (unsigned i = 0; i < SHARDS && load.n_rows < TRACE_BATCH_ROWS; i++)
        (void)take(self, (first + i) % SHARDS, now, EVICT_ROWS, &load);
    if (load.n_rows > 0)
        return send_load(self, &load);
    /* No trace of any shard is as small as its share: the first that has one gives it whole. */
    for (unsigned i = 0; i < SHARDS && load.n_rows == 0; i++)
        (void)take(self, (first + i) % SHARDS, now, TRACE_BATCH_ROWS, &load);
    return load.n_rows > 0 && send_load(self, &load);
}

static void evict(struct trace_assembler *self, tt_dur now)
{
    while (is_over_limit(self) && !is_stuck(self, now) && evict_some(self, now))
        ;
}

/* ---- taking in ---- */

/* With a million open traces none of this is in the cache. */
static void prefetch(const struct open_traces *traces, const struct intake *intake, uint32_t i,
                     uint32_t end)
{
    if (i + 16 < end)
        open_traces_prefetch_place(traces, &intake->items[intake->order[i + 16]].row);
    if (i + 8 < end)
        open_traces_prefetch_trace(traces, &intake->items[intake->order[i + 8]].row);
}

struct storing {
    struct intake *intake;
    tt_dur now;
    uint64_t late;
};

static void store_shard(struct open_traces *traces, unsigned shard, void *context)
{
    struct storing *storing = context;
    struct intake *intake = storing->intake;
    uint32_t end = intake->starts[shard + 1];

    for (uint32_t i = intake->starts[shard]; i < end; i++) {
        struct intake_item *item = &intake->items[intake->order[i]];
        enum put put = PUT_STORED;
        prefetch(traces, intake, i, end);
        if (!item->stored)
            put = open_traces_put(traces, &item->row, storing->now);
        item->stored = put != PUT_NO_MEMORY;
        storing->late += put == PUT_LATE;
    }
}

static uint32_t store(struct trace_assembler *self, struct intake *intake, tt_dur now)
{
    struct storing storing = {.intake = intake, .now = now};
    uint32_t n_stored = 0, shards = 0;

    for (unsigned i = 0; i < SHARDS; i++)
        shards |= (uint32_t)(intake->starts[i] < intake->starts[i + 1]) << i;
    visit(self, shards, store_shard, &storing);
    for (uint32_t i = 0; i < intake->n_items; i++)
        n_stored += intake->items[i].stored;
    if (storing.late > 0)
        tt_meter_add(self->meters[LATE], (int64_t)storing.late);
    return n_stored;
}

/* What is not held goes on at once, with the sender's answer: rows without a trace id, and, incomplete, rows there was no
 * memory for. */
static enum tt_status pass_rest(struct trace_assembler *self, struct tt_batch **batch,
                                const struct intake *intake, bool keeps_some, struct tt_error *err)
{
    enum tt_status status = tt_batch_make_writable(batch, err);

    if (status != TT_OK)
        return tt_drop(batch, status, err);
    for (uint32_t i = 0; i < intake->n_items; i++) {
        struct tt_row *row = &(*batch)->rows[intake->items[i].index];
        if (intake->items[i].stored)
            tt_row_drop(*batch, row);
        else
            row->flags |= TT_ROW_INCOMPLETE;
    }
    if (keeps_some)
        tt_ack_set_delivered((*batch)->ack);
    return tt_consume(self->next[tt_signal_index((*batch)->signal)], batch, err);
}

static enum tt_status take_in(struct trace_assembler *self, struct tt_batch **batch,
                              struct intake *intake, tt_dur now, struct tt_error *err)
{
    uint32_t n_stored = store(self, intake, now);

    if (n_stored < intake->n_items && evict_some(self, now))
        n_stored = store(self, intake, now);
    if (intake->n_items == 0)
        return tt_consume(self->next[tt_signal_index(self->signal)], batch, err);
    if (n_stored < tt_batch_live_rows(*batch))
        return pass_rest(self, batch, intake, n_stored > 0, err);
    tt_batch_unref(TT_TAKE(*batch)); /* copied: the sender has its answer */
    return TT_OK;
}

static enum tt_status refuse(struct tt_batch **batch, enum tt_status status,
                             const struct tt_error *why, struct tt_error *err)
{
    if (err != NULL)
        *err = *why;
    return tt_drop(batch, status, why);
}

static enum tt_status trace_assembler_consume(void *context, struct tt_batch **batch,
                                              struct tt_error *err)
{
    struct trace_assembler *self = context;
    uint32_t rows = tt_batch_live_rows(*batch);
    struct tt_error local = {.status = TT_OK};
    tt_dur now = now_of(self);
    struct intake intake;
    enum tt_status status;

    if ((*batch)->signal == TT_METRICS)
        return tt_consume(self->next[tt_signal_index(TT_METRICS)], batch, err);
    if (is_over_limit(self) && is_stuck(self, now)) {
        status = tt_fail(&local, TT_UNAVAILABLE,
                         "hold more traces: memory is full and they cannot be sent on");
        return refuse(batch, status, &local, err);
    }
    status = intake_init(&intake, *batch, self->options.seed, &self->origins, &local);
    if (status != TT_OK)
        return refuse(batch, status, &local, err);
    status = take_in(self, batch, &intake, now, err);
    intake_done(&intake, &self->origins);
    flush_due(self, now, rows < TRACE_BATCH_ROWS ? TRACE_BATCH_ROWS : 2 * (size_t)rows);
    evict(self, now);
    set_gauges(self);
    return status;
}

/* ---- the timer ---- */

static tt_dur timer_wait(const struct trace_assembler *self)
{
    tt_dur wait = 2 * self->options.tick;

    if (read_count(&self->n_traces) == 0 && wait < self->config->idle / 4)
        wait = self->config->idle / 4;
    return wait > TRIM_INTERVAL ? TRIM_INTERVAL : wait;
}

/* After a load its memory goes back to the system. */
static void trim(struct trace_assembler *self, size_t *most)
{
    size_t bytes = slab_pool_bytes(&self->pool);

    slab_pool_trim(&self->pool);
    if (bytes > *most)
        *most = bytes;
    if (bytes > *most / 4 || *most < WORTH_TRIMMING)
        return;
    tt_mem_trim();
    *most = bytes;
}

static void timer_run(void *context)
{
    struct trace_assembler *self = context;
    tt_dur trimmed = tt_clock_monotonic(tt_clock_system());
    size_t most = 0;

    while (!tt_stop_wait(&self->stop, timer_wait(self))) {
        tt_dur present = tt_clock_monotonic(tt_clock_system());
        /* Two ticks behind: while there is input, its threads do the work. */
        flush_due(self, now_of(self) - 2 * self->options.tick, SIZE_MAX);
        set_gauges(self);
        if (present - trimmed < TRIM_INTERVAL)
            continue;
        trimmed = present;
        trim(self, &most);
    }
}

/* ---- life ---- */

static enum tt_status trace_assembler_validate(const void *context, struct tt_error *err)
{
    const struct trace_assembler_config *config = context;

    if (config->max_age < config->idle)
        return tt_fail(err, TT_INVALID_CONFIG, "max_age: shorter than idle");
    return TT_OK;
}

static void trace_assembler_destroy(void *context)
{
    struct trace_assembler *self = context;

    if (self == NULL)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct open_traces *shard = &self->shards[i];
        open_traces_release(shard, open_traces_take(shard, TAKE_ALL, 0, SIZE_MAX).list);
        open_traces_done(shard);
    }
    slab_pool_done(&self->pool);
    origins_done(&self->origins);
    tt_stop_done(&self->stop);
    tt_free(self);
}

static void get_meters(struct trace_assembler *self, const char *id)
{
    const struct tt_label labels[] = {
        {"processor", tt_str(id)},
        {"otel_signal", tt_str(tt_signal_name(self->signal))},
    };

    for (unsigned i = 0; i < METER_COUNT; i++)
        self->meters[i] = tt_meters_get(self->host->meters, &meters[i], labels, TT_LENGTH(labels));
}

static void set_options(struct trace_assembler *self)
{
    tt_dur tick = self->config->idle / (WHEEL_SLOTS / 2);

    self->options = (struct open_options){
        .idle = self->config->idle,
        .max_age = self->config->max_age,
        .tick = tick > 0 ? tick : 1,
        .max_rows_per_trace = (uint32_t)self->config->max_spans_per_trace,
        .max_recent = RECENT_TRACES / SHARDS,
        .seed = tt_hash_seed(),
    };
}

static enum tt_status trace_assembler_create(const struct tt_create_args *args, void **ret_self,
                                             struct tt_error *err)
{
    struct trace_assembler *self = tt_calloc(1, sizeof(*self));

    if (self == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create %s", args->id);
    self->config = args->config;
    self->host = args->host;
    self->signal = (args->signals & TT_LOGS) != 0 ? TT_LOGS : TT_TRACES;
    memcpy(self->next, args->next, sizeof(self->next));
    set_options(self);
    if (!slab_pool_init(&self->pool,
                        self->config->max_bytes + self->config->max_bytes / 4 + SLACK)) {
        tt_free(self);
        return tt_fail(err, TT_NO_MEMORY, "create %s", args->id);
    }
    origins_init(&self->origins);
    tt_stop_init(&self->stop);
    for (unsigned i = 0; i < SHARDS; i++)
        open_traces_init(&self->shards[i], &self->options, &self->pool);
    get_meters(self, args->id);
    *ret_self = self;
    return TT_OK;
}

static enum tt_status trace_assembler_start(void *context, struct tt_error *err)
{
    struct trace_assembler *self = context;

    tt_log_info(&self->host->log,
                "Traces are held in memory until they are quiet: an accepted span is in bounded "
                "memory, not yet on disk",
                TT_FIELD_DURATION("idle", self->config->idle),
                TT_FIELD_DURATION("max_age", self->config->max_age),
                TT_FIELD_INT("max_bytes", self->config->max_bytes));
    return tt_thread_start(&self->timer, "trace_assembler", timer_run, self, err);
}

/* What could not be sent on by the deadline is counted, not kept. */
static void give_up(struct trace_assembler *self)
{
    size_t rows = read_count(&self->n_rows);

    if (rows == 0)
        return;
    tt_host_dropped(self->host, self->signal, "shutdown", rows);
    tt_log_error(&self->host->log, "Open traces could not be sent on by the deadline",
                 TT_FIELD_INT("spans", rows));
}

/* Waits for what is stuck downstream. */
static void pause_until(tt_dur time)
{
    pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;

    tt_cond_init(&cond);
    pthread_mutex_lock(&mu);
    while (tt_cond_wait_until(&cond, &mu, time))
        ;
    pthread_mutex_unlock(&mu);
    pthread_cond_destroy(&cond);
}

static enum tt_status trace_assembler_shutdown(void *context, tt_dur deadline, struct tt_error *err)
{
    struct trace_assembler *self = context;

    (void)err;
    if (atomic_exchange(&self->stopped, true))
        return TT_OK;
    tt_stop_request(&self->stop);
    tt_thread_join(&self->timer);
    while (read_count(&self->n_rows) > 0 && !flush(self, TAKE_ALL, now_of(self), SIZE_MAX)) {
        tt_dur present = tt_clock_monotonic(tt_clock_system());
        if (present >= deadline)
            break;
        pause_until(deadline - present > TT_SECOND / 20 ? present + TT_SECOND / 20 : deadline);
    }
    give_up(self);
    set_gauges(self);
    return TT_OK;
}

static const struct tt_component_ops ops = {
    .validate = trace_assembler_validate,
    .create = trace_assembler_create,
    .start = trace_assembler_start,
    .consume = trace_assembler_consume,
    .shutdown = trace_assembler_shutdown,
    .destroy = trace_assembler_destroy,
};

extern const struct tt_component tt_processor_trace_assembler;
const struct tt_component tt_processor_trace_assembler = {
    .type = "trace_assembler",
    .kind = TT_PROCESSOR,
    .stability = TT_BETA,
    .signals = TT_ALL_SIGNALS,
    .mutates_data = true,
    .doc = "Holds rows until their trace is quiet, then sends whole traces on.",
    .schema = &schema,
    .meters = meters,
    .ops = &ops,
};
