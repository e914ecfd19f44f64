/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_ANOMALY_LABELS_VERDICT_H
#define TT_ANOMALY_LABELS_VERDICT_H

/*
 * Trace id -> verdict: what all evidence seen so far says of a trace.
 *
 * Purpose:   verdicts outlive their traces, so that late spans, and pipelines that do not assemble traces, are labelled too.
 * Invariant: a stored verdict only ever changes to one that wins over it (tt_evidence_wins).
 * Limits:    max_traces and max_text_bytes, both halved into two generations: when the younger is full the older is forgotten.
 * Threads:   all functions from any thread; 16 shards behind a mutex each.
 * Cost:      O(1); 32 bytes a trace at most half full, equal labels are stored once a generation.
 */

#include "base/arena.h"
#include "processors/anomaly_labels/evidence.h"

struct tt_verdicts;

/* NULL when memory is gone. SIZE_MAX: no limit. */
struct tt_verdicts *tt_verdicts_new(size_t max_traces, size_t max_text_bytes);
void tt_verdicts_free(struct tt_verdicts *verdicts); /* NULL is a no-op */

/*
 * Adds evidence to a trace and tells the verdict.
 *
 * evidence         NULL: only ask
 * arena            where the texts of a stored verdict are copied to when that wins
 * ret_verdict      evidence itself when it wins; written only when true is returned
 * ret_contradicts  whether evidence and stored verdict differ (tt_evidence_contradicts); may be NULL
 *
 * False when nothing is known. When memory is gone evidence is not kept, or the stored verdict not found.
 */
bool tt_verdicts_merge(struct tt_verdicts *verdicts, const uint8_t trace_id[16],
                       const struct tt_evidence *evidence, struct tt_arena *arena,
                       struct tt_evidence *ret_verdict, bool *ret_contradicts);

/* Verdicts held. */
size_t tt_verdicts_count(struct tt_verdicts *verdicts);

#endif
