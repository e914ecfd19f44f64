/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_LABEL_H
#define TT_CLI_DATASET_LABEL_H

/*
 * Labelling offline, in two passes: every trace's verdict first, then the rows.
 *
 * Purpose:   `telltale dataset extract`; the same evidence and the same order of strength as processors/anomaly_labels, but with all
 *            evidence known before the first row is labelled, and memory by trace instead of by span.
 * Threads:   one.
 * Cost:      32 to 64 bytes a labelled trace.
 */

#include "base/error.h"
#include "model/windows.h"
#include "otlp/batch.h"
#include "processors/anomaly_labels/verdict.h"

struct tt_relabel {
    struct tt_verdicts *verdicts;
    struct tt_label_windows *windows; /* NULL: none */
    bool label_spans_by_window;       /* false: windows only mark spans (anomaly.active) */
    uint64_t evidence;                /* rows with evidence of their own, first pass */
    uint64_t contradictions;
    uint64_t by_source[TT_SIGNAL_COUNT][TT_SOURCE_COUNT]; /* rows, second pass */
};

/* NULL-ended, for a dataset's layout. */
extern const struct tt_column_desc *const tt_relabel_columns[];

enum tt_status tt_relabel_init(struct tt_relabel *relabel, struct tt_error *err) TT_CHECKED;
void tt_relabel_done(struct tt_relabel *relabel);

/* First pass: keeps the evidence of each row for its trace. */
void tt_relabel_learn(struct tt_relabel *relabel, struct tt_batch *batch);
/* Second pass: sets the label columns of each row. TT_NO_MEMORY. */
enum tt_status tt_relabel_apply(struct tt_relabel *relabel, struct tt_batch *batch,
                                struct tt_error *err) TT_CHECKED;

/* Whether a line of JSON may hold evidence: false saves reading it in the first pass. */
bool tt_relabel_may_learn(struct tt_str line);

#endif
