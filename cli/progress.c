/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SHOW_EVERY (200 * TT_MILLISECOND)

void tt_progress_start(struct tt_progress *progress, const char *what, const char *unit)
{
    *progress =
        (struct tt_progress){.what = what, .unit = unit, .wanted = isatty(STDERR_FILENO) == 1};
    if (progress->wanted)
        progress->started_at = progress->shown_at = tt_clock_monotonic(tt_clock_system());
}

void tt_progress_show(struct tt_progress *progress, double part, uint64_t units)
{
    double seconds;
    tt_dur now;

    if (!progress->wanted)
        return;
    now = tt_clock_monotonic(tt_clock_system());
    if (now - progress->shown_at < SHOW_EVERY)
        return;
    progress->shown_at = now;
    progress->shown = true;
    seconds = (double)(now - progress->started_at) / (double)TT_SECOND;
    (void)fprintf(stderr, "\r\033[K%.60s: %" PRIu64 " %s, %.0f/s", progress->what, units,
                  progress->unit, (double)units / seconds);
    if (part > 0)
        (void)fprintf(stderr, ", %.0f %%, %.0f s left", 100 * part, seconds / part - seconds);
}

void tt_progress_end(struct tt_progress *progress)
{
    if (progress->shown)
        (void)fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
