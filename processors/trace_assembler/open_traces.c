/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/open_traces.h"

#define MIN_BUCKETS ((size_t)64)

void open_traces_init(struct open_traces *traces, const struct open_options *options,
                      struct slab_pool *pool)
{
    memset(traces, 0, sizeof(*traces));
    pthread_mutex_init(&traces->mu, NULL);
    traces->options = options;
    slab_heap_init(&traces->heap, pool);
    recent_init(&traces->recent, options->max_recent);
}

/* ---- due times ---- */

static int64_t tick_of(const struct open_traces *traces, tt_dur time)
{
    return time / traces->options->tick;
}

/* The first tick that begins when the trace is due already. */
static int64_t due_tick(const struct open_traces *traces, const struct open_trace *trace)
{
    tt_dur quiet = trace->last + traces->options->idle;
    tt_dur old = trace->first + traces->options->max_age;

    return tick_of(traces, (quiet < old ? quiet : old) + traces->options->tick - 1);
}

static void add_to(struct open_trace **list, struct open_trace *trace)
{
    trace->next = *list;
    *list = trace;
}

/* Due times beyond the wheel cannot be when it is turned in time; if they are, the trace is looked at once more. */
static void place(struct open_traces *traces, struct open_trace *trace)
{
    int64_t tick = due_tick(traces, trace);

    if (tick < traces->cursor)
        tick = traces->cursor;
    if (tick > traces->cursor + WHEEL_SLOTS - 1)
        tick = traces->cursor + WHEEL_SLOTS - 1;
    add_to(&traces->wheel[tick % WHEEL_SLOTS], trace);
}

/* ---- the table ---- */

static struct open_trace **bucket_of(const struct open_traces *traces, uint64_t hash)
{
    return &traces->buckets[hash & (traces->n_buckets - 1)];
}

static uint64_t hash_of(const struct open_traces *traces, const struct open_trace *trace)
{
    return open_traces_hash(traces->options, trace->id);
}

void open_traces_prefetch_place(const struct open_traces *traces, const struct incoming *row)
{
    if (traces->n_buckets > 0)
        __builtin_prefetch(bucket_of(traces, row->hash));
    recent_prefetch(&traces->recent, row->hash);
}

void open_traces_prefetch_trace(const struct open_traces *traces, const struct incoming *row)
{
    if (traces->n_buckets > 0)
        __builtin_prefetch(*bucket_of(traces, row->hash), 1);
    slab_prefetch_alloc(&traces->heap, sizeof(struct held_row) + row->bytes.len);
}

static bool resize(struct open_traces *traces, size_t n)
{
    struct open_trace **old = traces->buckets, **buckets = tt_calloc(n, sizeof(*buckets));
    size_t n_old = traces->n_buckets;

    if (buckets == NULL)
        return false;
    traces->buckets = buckets;
    traces->n_buckets = n;
    for (size_t i = 0; i < n_old; i++) {
        for (struct open_trace *trace = old[i], *next; trace != NULL; trace = next) {
            struct open_trace **bucket = bucket_of(traces, hash_of(traces, trace));
            next = trace->hash_next;
            trace->hash_next = *bucket;
            *bucket = trace;
        }
    }
    tt_free(old);
    return true;
}

static struct open_trace *find(const struct open_traces *traces, const uint8_t id[16],
                               uint64_t hash)
{
    struct open_trace *trace;

    if (traces->n_buckets == 0)
        return NULL;
    for (trace = *bucket_of(traces, hash); trace != NULL; trace = trace->hash_next)
        if (memcmp(trace->id, id, 16) == 0)
            return trace;
    return NULL;
}

/* A table that cannot grow only becomes slower. */
static bool insert(struct open_traces *traces, struct open_trace *trace, uint64_t hash)
{
    struct open_trace **bucket;

    if (2 * traces->n_traces >= traces->n_buckets &&
        !resize(traces, traces->n_buckets == 0 ? MIN_BUCKETS : 2 * traces->n_buckets) &&
        traces->n_buckets == 0)
        return false;
    bucket = bucket_of(traces, hash);
    trace->hash_next = *bucket;
    *bucket = trace;
    traces->n_traces++;
    return true;
}

static void take_out(struct open_traces *traces, struct open_trace *trace, uint64_t hash)
{
    struct open_trace **at = bucket_of(traces, hash);

    while (*at != trace)
        at = &(*at)->hash_next;
    *at = trace->hash_next;
    traces->n_traces--;
}

/* After a load the table is small again. */
static void shrink(struct open_traces *traces)
{
    if (traces->n_traces > 0 || traces->n_buckets <= 16 * MIN_BUCKETS)
        return;
    tt_free(TT_TAKE(traces->buckets));
    traces->n_buckets = 0;
}

/* ---- memory ---- */

static struct open_trace *trace_alloc(struct open_traces *traces)
{
    struct open_trace *trace = slab_alloc(&traces->heap, sizeof(*trace));

    if (trace != NULL)
        traces->bytes += slab_cost(sizeof(*trace));
    return trace;
}

static void trace_free(struct open_traces *traces, struct open_trace *trace)
{
    traces->bytes -= slab_cost(sizeof(*trace));
    slab_free(&traces->heap, trace, sizeof(*trace));
}

static struct held_row *row_new(struct open_traces *traces, const struct incoming *from)
{
    size_t size = sizeof(struct held_row) + from->bytes.len;
    struct held_row *row = slab_alloc(&traces->heap, size);

    if (row == NULL)
        return NULL;
    row->scope = from->scope;
    row->metadata = from->metadata;
    row->len = (uint32_t)from->bytes.len;
    if (from->bytes.len > 0)
        memcpy(row + 1, from->bytes.data, from->bytes.len);
    traces->n_rows++;
    traces->bytes += slab_cost(size);
    return row;
}

static void row_free(struct open_traces *traces, struct held_row *row)
{
    size_t size = sizeof(*row) + row->len;

    traces->n_rows--;
    traces->bytes -= slab_cost(size);
    slab_free(&traces->heap, row, size);
}

/* ---- putting ---- */

static struct open_trace *trace_new(struct open_traces *traces, const struct incoming *row,
                                    tt_dur now)
{
    struct open_trace *trace = trace_alloc(traces);

    if (trace == NULL)
        return NULL;
    *trace = (struct open_trace){.last = now, .first = now};
    memcpy(trace->id, row->trace_id, sizeof(trace->id));
    if (!insert(traces, trace, row->hash)) {
        trace_free(traces, trace);
        return NULL;
    }
    if (traces->n_traces == 1 && tick_of(traces, now) > traces->cursor)
        traces->cursor = tick_of(traces, now);
    if (recent_has(&traces->recent, row->hash))
        trace->flags = TRACE_LATE;
    place(traces, trace);
    return trace;
}

/* Its rows go on by themselves; the trace stays open for what follows. */
static void split_overfull(struct open_traces *traces, struct open_trace *trace)
{
    struct open_trace *full = trace_alloc(traces);

    if (full == NULL) /* it grows a little more, and is split at the next row */
        return;
    trace->flags |= TRACE_INCOMPLETE;
    *full = *trace;
    add_to(&traces->overfull, full);
    trace->rows = NULL;
    trace->n_rows = 0;
}

enum put open_traces_put(struct open_traces *traces, const struct incoming *from, tt_dur now)
{
    struct open_trace *trace = find(traces, from->trace_id, from->hash);
    struct held_row *row = row_new(traces, from);
    bool is_new = trace == NULL;

    if (row == NULL)
        return PUT_NO_MEMORY;
    if (is_new)
        trace = trace_new(traces, from, now);
    if (trace == NULL) {
        row_free(traces, row);
        return PUT_NO_MEMORY;
    }
    row->next = trace->rows;
    trace->rows = row;
    trace->last = now;
    if (++trace->n_rows >= traces->options->max_rows_per_trace)
        split_overfull(traces, trace);
    return (trace->flags & TRACE_LATE) != 0 ? PUT_LATE : PUT_STORED;
}

/* ---- taking ---- */

/* A trace is never split; one that would not fit any batch goes when its turn comes. */
static bool fits(const struct taken *taken, const struct open_trace *trace, size_t max_rows)
{
    return taken->n_rows + trace->n_rows <= max_rows || trace->n_rows > TRACE_BATCH_ROWS;
}

static void add_taken(struct taken *taken, struct open_trace *trace)
{
    add_to(&taken->list, trace);
    taken->n_rows += trace->n_rows;
    taken->n_traces++;
}

static void take_overfull(struct open_traces *traces, size_t max_rows, struct taken *taken)
{
    while (traces->overfull != NULL && !taken->more) {
        struct open_trace *trace = traces->overfull;
        taken->more = !fits(taken, trace, max_rows);
        if (taken->more)
            return;
        traces->overfull = trace->next;
        add_taken(taken, trace);
    }
}

/* Out of the table; a trace whose rows have all gone on is just forgotten. */
static void take_trace(struct open_traces *traces, struct open_trace *trace, enum take how,
                       struct taken *taken)
{
    uint64_t hash = hash_of(traces, trace);

    take_out(traces, trace, hash);
    recent_add(&traces->recent, hash);
    if (how == TAKE_OLDEST)
        trace->flags |= TRACE_INCOMPLETE;
    if (trace->n_rows > 0)
        add_taken(taken, trace);
    else
        trace_free(traces, trace);
}

/* Puts the rest of a slot back, in front of what place() may have put there meanwhile: nothing, but when the wheel
 * was not turned for a whole round. */
static void put_rest(struct open_trace **slot, struct open_trace *rest)
{
    struct open_trace *last = rest;

    if (*slot != NULL) {
        while (last->next != NULL)
            last = last->next;
        last->next = *slot;
    }
    *slot = rest;
}

/* Traces are looked at some at a time: what each will touch is fetched for all of them before any is taken. */
#define LOOK_AHEAD 16

static size_t look_ahead(const struct open_traces *traces, struct open_trace *trace,
                         struct open_trace *ahead[LOOK_AHEAD])
{
    size_t n = 0;

    for (; trace != NULL && n < LOOK_AHEAD; trace = trace->next) {
        uint64_t hash = hash_of(traces, trace);
        ahead[n++] = trace;
        __builtin_prefetch(bucket_of(traces, hash), 1);
        __builtin_prefetch(trace->rows);
        recent_prefetch(&traces->recent, hash);
    }
    return n;
}

static void take_slot(struct open_traces *traces, int64_t tick, enum take how, size_t max_rows,
                      struct taken *taken)
{
    struct open_trace **slot = &traces->wheel[tick % WHEEL_SLOTS];
    struct open_trace *rest = *slot, *ahead[LOOK_AHEAD];

    *slot = NULL;
    for (size_t n; (n = look_ahead(traces, rest, ahead)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            struct open_trace *trace = ahead[i];
            rest = trace->next;
            if (how != TAKE_ALL && due_tick(traces, trace) > tick) {
                place(traces, trace);
            } else if (fits(taken, trace, max_rows)) {
                take_trace(traces, trace, how, taken);
            } else {
                taken->more = true;
                put_rest(slot, trace);
                return;
            }
        }
    }
}

struct taken open_traces_take(struct open_traces *traces, enum take how, tt_dur now,
                              size_t max_rows)
{
    struct taken taken = {.list = NULL};
    int64_t present = tick_of(traces, now);
    int64_t last = traces->cursor + WHEEL_SLOTS - 1;

    take_overfull(traces, max_rows, &taken);
    if (how == TAKE_DUE && present < last)
        last = present;
    for (int64_t tick = traces->cursor; tick <= last && !taken.more && traces->n_traces > 0;
         tick++) {
        take_slot(traces, tick, how, max_rows, &taken);
        if (tick < present && tick == traces->cursor && traces->wheel[tick % WHEEL_SLOTS] == NULL)
            traces->cursor++;
    }
    shrink(traces);
    return taken;
}

/* ---- giving back ---- */

void open_traces_release(struct open_traces *traces, struct open_trace *list)
{
    for (struct open_trace *trace = list, *next; trace != NULL; trace = next) {
        next = trace->next;
        for (struct held_row *row = trace->rows, *before; row != NULL; row = before) {
            before = row->next;
            row_free(traces, row);
        }
        trace_free(traces, trace);
    }
}

/* Rows that came while the trace was away are newer than its own. */
static void join(struct open_traces *traces, struct open_trace *present, struct open_trace *old)
{
    struct held_row **end = &present->rows;

    while (*end != NULL)
        end = &(*end)->next;
    *end = old->rows;
    present->n_rows += old->n_rows;
    present->first = old->first;
    present->flags = old->flags;
    trace_free(traces, old);
}

void open_traces_put_back(struct open_traces *traces, struct open_trace *list)
{
    for (struct open_trace *trace = list, *next; trace != NULL; trace = next) {
        uint64_t hash = hash_of(traces, trace);
        struct open_trace *present = find(traces, trace->id, hash);
        next = trace->next;
        if (present != NULL)
            join(traces, present, trace);
        else if (insert(traces, trace, hash))
            place(traces, trace);
        else /* without a table: taken first the next time */
            add_to(&traces->overfull, trace);
    }
}

void open_traces_done(struct open_traces *traces)
{
    tt_free(traces->buckets);
    slab_heap_done(&traces->heap);
    recent_done(&traces->recent);
    pthread_mutex_destroy(&traces->mu);
}
