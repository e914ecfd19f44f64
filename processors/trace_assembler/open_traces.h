/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_OPEN_TRACES_H
#define TT_TRACE_ASSEMBLER_OPEN_TRACES_H

/*
 * The open traces of one shard: rows by trace, and when each trace is due.
 *
 * Purpose:   keep rows as their bytes plus 32 bytes until nothing more is expected of their trace.
 * Design:    a hash table of traces; a wheel of 128 ticks of idle / 64 for due times. A row that arrives only moves its trace's
 *            due time; the trace is put where it belongs when the wheel comes to its old place, so that an arrival touches one cache
 *            line of the trace and none of its neighbours. A trace is therefore taken at most one tick (1.6 % of idle)
 *            late.
 * Invariant: due = min(last arrival + idle, first arrival + max_age), by the monotonic clock.
 * Ownership: taken traces stay the shard's memory until open_traces_release() or _put_back().
 * Threads:   every function with `mu` held, but what a taken trace consists of may be read without.
 */

#include "base/clock.h"
#include "processors/trace_assembler/origin.h"
#include "processors/trace_assembler/recent.h"
#include "processors/trace_assembler/slab.h"

#define WHEEL_SLOTS      128
#define TRACE_BATCH_ROWS ((size_t)1000) /* rows of a batch that is sent on */

/* One held row; its encoded bytes follow. */
struct held_row {
    struct held_row *next;           /* the one that came before it */
    struct origin *scope, *metadata; /* metadata may be NULL */
    uint32_t len;
};

enum trace_flag {
    TRACE_LATE = 1 << 0,       /* rows of it were sent on before */
    TRACE_INCOMPLETE = 1 << 1, /* sent on before it was quiet */
};

struct open_trace { /* one cache line */
    uint8_t id[16];
    struct open_trace *hash_next;
    struct held_row *rows;   /* newest first */
    struct open_trace *next; /* in a slot of the wheel, or in a list of taken ones */
    tt_dur last, first;      /* arrivals */
    uint32_t n_rows;
    uint32_t flags; /* enum trace_flag */
};

struct open_options {
    tt_dur idle, max_age, tick;
    uint32_t max_rows_per_trace;
    size_t max_recent;
    uint64_t seed;
};

struct open_traces {
    pthread_mutex_t mu;
    const struct open_options *options;
    struct slab_heap heap;
    struct open_trace **buckets;
    size_t n_buckets;
    size_t n_traces;      /* in the table */
    size_t n_rows, bytes; /* held, also by taken traces; bytes as slots */
    struct open_trace *wheel[WHEEL_SLOTS];
    int64_t cursor;              /* ticks before it have been taken */
    struct open_trace *overfull; /* reached max_rows_per_trace */
    struct recent_ids recent;
};

/* A row that is to be held. */
struct incoming {
    uint64_t hash; /* open_traces_hash() of its trace */
    const uint8_t *trace_id;
    struct origin *scope, *metadata; /* a reference of each goes to the row when it is stored */
    struct tt_str bytes;
};

enum take { TAKE_DUE, TAKE_OLDEST, TAKE_ALL };

void open_traces_init(struct open_traces *traces, const struct open_options *options,
                      struct slab_pool *pool);
/* Forgets everything; the pool has the rows' memory. References of origins are not given back. */
void open_traces_done(struct open_traces *traces);

static inline uint64_t open_traces_hash(const struct open_options *options, const uint8_t id[16])
{
    return tt_hash(id, 16, options->seed);
}

enum put { PUT_STORED, PUT_LATE, PUT_NO_MEMORY };
/* Copies a row. PUT_LATE: stored too, but rows of its trace were sent on before. */
enum put open_traces_put(struct open_traces *traces, const struct incoming *row, tt_dur now);
/* Fetch what a put will want: first the places in the tables, a few rows later the trace that is there. */
void open_traces_prefetch_place(const struct open_traces *traces, const struct incoming *row);
void open_traces_prefetch_trace(const struct open_traces *traces, const struct incoming *row);

struct taken {
    struct open_trace *list; /* by next */
    size_t n_rows, n_traces;
    bool more; /* the next trace did not fit */
};

/*
 * Takes traces out of the table.
 *
 * how       those that are due; those whose due time is nearest, marked incomplete; or all there are
 * max_rows  at most so many rows (> 0); a trace of more than TRACE_BATCH_ROWS is taken nevertheless
 */
struct taken open_traces_take(struct open_traces *traces, enum take how, tt_dur now,
                              size_t max_rows);
/* Frees taken traces and their rows. The references of the rows are the caller's to give back, before. */
void open_traces_release(struct open_traces *traces, struct open_trace *list);
/* Undoes a take: the traces are due again at once. */
void open_traces_put_back(struct open_traces *traces, struct open_trace *list);

#endif
