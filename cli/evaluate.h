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

/* Appends `"name":value` with a comma before it unless out ends with '{'; null for a measure that the data cannot decide (NaN) and
 * for infinities, which JSON does not have. */
void tt_evaluate_put(struct tt_buffer *out, const char *name, double value);
/* The same for a count. */
void tt_evaluate_put_count(struct tt_buffer *out, const char *name, uint64_t value);

#endif
