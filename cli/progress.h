/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_PROGRESS_H
#define TT_CLI_PROGRESS_H

/*
 * A line on standard error that says how far long work is: on a terminal only, at most five times a second.
 *
 * Threads: one. Cost: a clock read for each call; call it every few thousand rows.
 */

#include "base/clock.h"

struct tt_progress {
    const char *what; /* "reading traces.csv" */
    const char *unit; /* "rows" */
    bool wanted, shown;
    tt_dur started_at, shown_at;
};

/* what and unit are borrowed until tt_progress_end(). */
void tt_progress_start(struct tt_progress *progress, const char *what, const char *unit);
/* part: of the whole, 0 to 1 (negative: unknown); units: done so far. */
void tt_progress_show(struct tt_progress *progress, double part, uint64_t units);
/* Removes the line. */
void tt_progress_end(struct tt_progress *progress);

#endif
