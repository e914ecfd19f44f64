/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_ANOMALY_LABELS_JOIN_H
#define TT_ANOMALY_LABELS_JOIN_H

/*
 * The traces of one batch, and the strongest evidence found for each.
 *
 * Ownership: ids and labels are views into the batch.
 * Threads:   one at a time.
 * Cost:      a row of the same trace as the row before it is a comparison of 16 bytes; others one probe of a table.
 */

#include "processors/anomaly_labels/verdict.h"

#define ANOMALY_NO_TRACE UINT32_MAX

struct anomaly_trace {
    const uint8_t *id;
    struct tt_evidence verdict;
    bool known; /* verdict is set */
};

struct anomaly_join {
    struct anomaly_trace *traces;
    uint32_t count;
    uint32_t *table; /* index plus one; 0: free */
    uint32_t mask;
    uint64_t seed;
};

/* For at most `rows` traces; false when memory is gone. */
bool anomaly_join_init(struct anomaly_join *join, uint32_t rows) TT_CHECKED;
void anomaly_join_done(struct anomaly_join *join);
/* The trace's index, added when it is new. */
uint32_t anomaly_join_find(struct anomaly_join *join, const uint8_t id[16]);
/* Keeps the evidence when it wins; returns whether it contradicts what was there. */
bool anomaly_join_add(struct anomaly_join *join, uint32_t trace,
                      const struct tt_evidence *evidence);
/* Exchanges evidence with the table of verdicts; returns how many traces contradict what was stored. */
uint64_t anomaly_join_settle(struct anomaly_join *join, struct tt_verdicts *verdicts,
                             struct tt_arena *arena);

#endif
