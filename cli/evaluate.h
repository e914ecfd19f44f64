/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_EVALUATE_H
#define TT_CLI_EVALUATE_H

/*
 * What `telltale evaluate outliers|nab|series|labels` share. Each is a command of its own (cli/evaluate_<name>.c, listed in
 * commands.def), so its options, help, man page and completion come from its own table.
 *
 * Threads: no shared state.
 */

#include "base/buffer.h"
#include "detect/rank.h"

/* Appends `"name":value` with a comma before it unless out ends with '{'; null for a measure that the data cannot decide (NaN) and
 * for infinities, which JSON does not have. */
void tt_evaluate_put(struct tt_buffer *out, const char *name, double value);
/* The same for a count. */
void tt_evaluate_put_count(struct tt_buffer *out, const char *name, uint64_t value);

/* What scores are worth against labels (detect/rank.h); NaN where one class is missing. */
struct tt_judged {
    uint64_t anomalous, normal;
    double roc_auc, average_precision;
    struct tt_rank_point at, best; /* at the threshold; where F1 is greatest */
};

/* TT_NO_MEMORY. */
enum tt_status tt_judge(const float *scores, const uint8_t *anomalous, size_t count,
                        float threshold, struct tt_judged *ret_judged, struct tt_error *err)
    TT_CHECKED;
/* The members of an object: "anomalous" … "best_threshold". */
void tt_judged_put(struct tt_buffer *out, const struct tt_judged *judged);
/* One line: "<name> <rows> <anomalous> <ROC AUC> …" under tt_judged_put_title(). */
void tt_judged_put_title(struct tt_buffer *out, const char *what);
void tt_judged_put_line(struct tt_buffer *out, struct tt_str name, const struct tt_judged *judged);

#endif
