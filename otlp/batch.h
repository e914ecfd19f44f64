/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_BATCH_H
#define TT_OTLP_BATCH_H

/*
 * The batch: rows of one signal in OTLP wire form, validated once, indexed, never unpacked on the hot path.
 *
 * Purpose:   everything between a receiver and an exporter is one of these.
 * Invariant: every byte a row, resource or scope points at was checked by the validator (or written by our encoder):
 *            cursors and encoders do no checks and cannot overrun. Ids of a row are NULL or exactly 16 / 8 bytes.
 * Ownership: reference-counted. A batch with more than one reference is read-only; who must change it calls
 *            tt_batch_make_writable() first. Rows are on the heap; columns, edits and copied text in the batch's arena, which
 *            is never rewound; the wire bytes are in reference-counted bodies that the batch keeps.
 * Threads:   references from any thread; one writer at a time; readers of a shared batch from any thread.
 * Limits:    struct tt_limits, checked before rows are made.
 * Source:    opentelemetry-proto 1.x (trace.proto, metrics.proto, logs.proto, common.proto, resource.proto).
 *
 * What a row is made of is in otlp/row.h.
 */

#include "base/arena.h"
#include "base/error.h"
#include "otlp/ack.h"
#include "otlp/row.h"
#include "otlp/signal.h"

/* ---- limits ---- */

struct tt_limits {
    /* arrays and maps within one value, default and at most 64 (TT_MAX_NESTING in otlp/schema.h) */
    uint32_t max_depth;
    /* messages, repeated texts and repeated scalars of one request, default 4,000,000 */
    uint32_t max_elements;
    uint32_t max_rows; /* default 200,000 */
};
extern const struct tt_limits tt_limits_default;

/* ---- reference-counted bytes ---- */

struct tt_body; /* immutable bytes with a count; may also be a child batch's arena kept alive */
/* Takes data (tt_malloc'd; freed with tt_free when the last reference goes). NULL when memory is gone: data is then freed. */
struct tt_body *tt_body_take(void *data, size_t len);
/* Bytes of somebody else; release(context) runs when the last reference goes. NULL when memory is gone (release not called). */
struct tt_body *tt_body_borrow(const void *data, size_t len, void (*release)(void *context),
                               void *context);
struct tt_body *tt_body_ref(struct tt_body *body);
void tt_body_unref(struct tt_body *body);
struct tt_str tt_body_view(const struct tt_body *body);

/* ---- columns: an attribute that every row may have, stored by column ---- */

enum tt_column_type { TT_COLUMN_DOUBLE, TT_COLUMN_INT, TT_COLUMN_TEXT };
struct tt_column_desc {
    const char *name; /* "anomaly.type": the attribute's key and the CSV column's source */
    enum tt_column_type type;
    const char *doc;
};

struct tt_column {
    const struct tt_column_desc *desc;
    uint64_t *valid; /* a bit a row */
    union {
        double *reals;
        int64_t *integers;
        struct tt_str *texts; /* static text, arena or body: lives as long as the batch */
    };
};

struct tt_batch {
    enum tt_signal signal;
    _Atomic uint32_t references;
    struct tt_row *rows; /* in wire order; dropped rows stay, flagged */
    uint32_t n_rows, n_dropped;
    struct tt_resource *resources;
    uint32_t n_resources;
    struct tt_scope *scopes;
    uint32_t n_scopes;
    struct tt_metric *metrics;
    uint32_t n_metrics;
    struct tt_metadata *metadata;
    uint32_t n_metadata;
    struct tt_column *columns;
    uint32_t n_columns;
    /* false: no overlay, no column, no dropped row: `whole` may be copied as it is */
    bool edited;
    /* the Export…ServiceRequest as it came; empty for a batch built from rows */
    struct tt_str whole;
    struct tt_ack *ack;         /* may be NULL: nobody waits */
    struct tt_arena arena;      /* of this batch alone */
    struct tt_batch_keep *kept; /* bodies and arenas of others that rows point into */

    /* Private to otlp/. */
    uint32_t rows_capacity;
    /* all holders together count as one; a clone holds another */
    _Atomic uint32_t memory_references;
    uint64_t column_filter[8];  /* which keys may be columns' names: tt_key_bit() of each */
    struct tt_batch *next_dead; /* while its memory is given back */
};

/* ---- making one ---- */

/*
 * Validates a protobuf Export{Trace,Metrics,Logs}ServiceRequest and indexes its rows in one walk.
 *
 * body      the batch takes a reference of its own
 * limits    NULL: the default ones
 * metadata  copied into the batch; may be NULL
 * rejected  rows that are refused one by one (an id of a wrong size, also in a link or exemplar) are left out of the batch and
 *           counted here, with the first reason in *err though TT_OK is returned; may be NULL
 *
 * TT_INVALID_DATA for a structural fault, for values nested too deep ("depth" in the message) or when every row is bad;
 * TT_TOO_LARGE over another limit; TT_NO_MEMORY.
 * Cost: about 75 ns a span of 690 bytes; no allocation in the walk but rows.
 */
enum tt_status tt_batch_parse(enum tt_signal signal, struct tt_body *body,
                              const struct tt_limits *limits, const struct tt_metadata *metadata,
                              struct tt_batch **ret_batch, uint64_t *ret_rejected,
                              struct tt_error *err) TT_CHECKED;

/* An empty batch to add rows to. NULL when memory is gone. arena_limit: bytes, 0 none. */
struct tt_batch *tt_batch_new(enum tt_signal signal, size_t arena_limit);
/* Keeps body alive as long as the batch; false when memory is gone. */
bool tt_batch_keep_body(struct tt_batch *batch, struct tt_body *body) TT_CHECKED;
/* Keeps the memory of another batch (its arena and what it keeps itself) alive as long as this one, but not its rows, columns
 * and ack: for rows whose bytes or texts are in its arena. False when memory is gone. */
bool tt_batch_keep_memory(struct tt_batch *batch, struct tt_batch *of) TT_CHECKED;
/* Each copies nothing: the wire bytes must live in the arena or a kept body and must have been validated before. They
 * return the new index, or UINT32_MAX when memory is gone. Arrays grow by doubling. */
uint32_t tt_batch_add_resource(struct tt_batch *batch, struct tt_str wire,
                               struct tt_str schema_url);
uint32_t tt_batch_add_scope(struct tt_batch *batch, uint32_t resource, struct tt_str wire,
                            struct tt_str schema_url);
uint32_t tt_batch_add_metric(struct tt_batch *batch, struct tt_str wire);
/* copied */
uint32_t tt_batch_add_metadata(struct tt_batch *batch, const struct tt_metadata *metadata);
/* Room for `count` more rows; false when memory is gone. */
bool tt_batch_reserve(struct tt_batch *batch, uint32_t count) TT_CHECKED;
/* Decodes the fixed fields of one validated Span or LogRecord into a new row. */
uint32_t tt_batch_add_row(struct tt_batch *batch, uint32_t scope, uint32_t metadata,
                          struct tt_str wire);
/* The same for a data point of a metric that was added before. */
uint32_t tt_batch_add_point(struct tt_batch *batch, uint32_t scope, uint32_t metadata,
                            uint32_t metric, struct tt_str wire);

/* Bytes of rows and arena (not of bodies): what the batch costs beside its request. */
size_t tt_batch_memory(const struct tt_batch *batch);

struct tt_batch *tt_batch_ref(struct tt_batch *batch);
/* NULL is a no-op; the last reference drops the ack's */
void tt_batch_unref(struct tt_batch *batch);
static inline void tt_batch_unrefp(struct tt_batch **batch)
{
    tt_batch_unref(*batch);
}

/* Gives the caller a batch it may change: itself when nobody else holds it, else a clone of rows, columns and edits (wire
 * bytes are shared; the ack is shared). On failure *batch is unchanged and still owned. */
enum tt_status tt_batch_make_writable(struct tt_batch **batch, struct tt_error *err) TT_CHECKED;

/* ---- working on one ---- */

static inline uint32_t tt_batch_live_rows(const struct tt_batch *batch)
{
    return batch->n_rows - batch->n_dropped;
}

/* The next row that is not dropped, starting at *index, which is left behind it; NULL at the end.
 *     for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) */
static inline struct tt_row *tt_batch_next(const struct tt_batch *batch, uint32_t *index)
{
    while (*index < batch->n_rows) {
        struct tt_row *row = &batch->rows[(*index)++];
        if (TT_LIKELY((row->flags & TT_ROW_DROPPED) == 0))
            return row;
    }
    return NULL;
}

static inline uint32_t tt_row_index(const struct tt_batch *batch, const struct tt_row *row)
{
    return (uint32_t)(row - batch->rows);
}

static inline const struct tt_scope *tt_row_scope(const struct tt_batch *batch,
                                                  const struct tt_row *row)
{
    return &batch->scopes[row->scope];
}

static inline const struct tt_resource *tt_row_resource(const struct tt_batch *batch,
                                                        const struct tt_row *row)
{
    return &batch->resources[batch->scopes[row->scope].resource];
}

void tt_row_drop(struct tt_batch *batch, struct tt_row *row);

/* The column of that descriptor (compared by name), added with no valid value when it is new; NULL when memory is gone. */
struct tt_column *tt_batch_column(struct tt_batch *batch, const struct tt_column_desc *desc);
/* The column of that name, or NULL. */
const struct tt_column *tt_batch_find_column(const struct tt_batch *batch, struct tt_str name);

static inline bool tt_column_has(const struct tt_column *column, uint32_t row)
{
    return (column->valid[row >> 6] >> (row & 63) & 1) != 0;
}

static inline void tt_column_set_text(struct tt_column *column, uint32_t row, struct tt_str text)
{
    column->texts[row] = text;
    column->valid[row >> 6] |= UINT64_C(1) << (row & 63);
}

static inline void tt_column_set_double(struct tt_column *column, uint32_t row, double value)
{
    column->reals[row] = value;
    column->valid[row >> 6] |= UINT64_C(1) << (row & 63);
}

static inline void tt_column_set_int(struct tt_column *column, uint32_t row, int64_t value)
{
    column->integers[row] = value;
    column->valid[row >> 6] |= UINT64_C(1) << (row & 63);
}

#endif
