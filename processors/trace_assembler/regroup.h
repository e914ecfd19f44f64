/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TRACE_ASSEMBLER_REGROUP_H
#define TT_TRACE_ASSEMBLER_REGROUP_H

/*
 * Whole traces as one batch, its rows sorted by resource and scope: what writes it out says each resource once.
 *
 * Ownership: everything is copied into the batch; taken traces stay the caller's.
 * Threads:   reading only; taken traces belong to the caller alone.
 * Cost:      one copy of the rows, and decoding their fixed fields.
 */

#include "processors/trace_assembler/open_traces.h"

/* The rows of taken traces, trace by trace, in the order they arrived. */
struct regroup {
    const struct held_row **rows;
    uint32_t *flags; /* enum tt_row_flag, by row */
    size_t n_rows, bytes;
};

/* lists: n lists of traces, by next, NULL allowed; n_traces, n_rows: of all. False when memory is gone. */
bool regroup_init(struct regroup *regroup, struct open_trace *const *lists, size_t n,
                  size_t n_traces, size_t n_rows) TT_CHECKED;
void regroup_done(struct regroup *regroup);
/* NULL when memory is gone. */
struct tt_batch *regroup_batch(const struct regroup *regroup, enum tt_signal signal);
/* Gives back the origins that the rows hold: they are about to be released. */
void regroup_unref_origins(const struct regroup *regroup, struct origins *origins);

#endif
