/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_INTAKE_H
#define TT_TRACE_ASSEMBLER_INTAKE_H

/*
 * The rows of one incoming batch that are to be held: encoded, with their origins, sorted by shard.
 *
 * Ownership: items point into the batch and the intake; each holds a reference of its origins until it is stored.
 * Threads:   one at a time.
 */

#include "base/buffer.h"
#include "processors/trace_assembler/open_traces.h"

#define SHARDS 16

struct intake_item {
    struct incoming row;
    uint32_t index; /* in the batch */
    bool stored;
};

struct intake {
    struct intake_item *items;
    uint32_t n_items;
    uint32_t *order;                    /* items by shard */
    uint32_t starts[SHARDS + 1];        /* of each shard in order */
    struct origin **scopes, **metadata; /* by index in the batch */
    uint32_t n_scopes, n_metadata;
    struct tt_buffer encoded; /* of rows that were edited */
};

static inline unsigned intake_shard(uint64_t hash)
{
    return (unsigned)(hash >> 60);
}

/* Finds the rows with a trace id. On failure nothing is left. */
enum tt_status intake_init(struct intake *intake, const struct tt_batch *batch, uint64_t seed,
                           struct origins *origins, struct tt_error *err) TT_CHECKED;
/* Gives the references of items that were not stored back. */
void intake_done(struct intake *intake, struct origins *origins);

#endif
