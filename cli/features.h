/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_FEATURES_H
#define TT_CLI_FEATURES_H

/*
 * Which columns of a dataset a model may learn from.
 *
 * A model that saw the label, what was made of it, or who a row belongs to scores its test set well and the world badly. So columns
 * are refused by name, before a value is looked at: what labels and scores are called, captured headers and baggage (they carry
 * the labels), ids, times and file names. Of all others those with numbers are features, but what says the same number in another unit
 * (duration_ns, duration_ms) counts once.
 *
 * Threads: no state.
 */

#include "base/str.h"

/* Why a column of that name is no feature, a clause to follow "it " ("is a label or a score"); NULL: it may be one. */
const char *tt_feature_refusal(struct tt_str name);

/* What a column measures without its unit, in text: the same for "duration_ns" and "duration.ms"; empty for names without a unit. */
#define TT_FEATURE_MAX_NAME 256
struct tt_str tt_feature_quantity(struct tt_str name, char text[TT_FEATURE_MAX_NAME]);

#endif
