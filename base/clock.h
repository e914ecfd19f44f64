/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_CLOCK_H
#define TT_BASE_CLOCK_H

/*
 * Time comes in through a clock, so that tests control it.
 *
 * Units:   nanoseconds everywhere. tt_dur is a length of time or a point of the monotonic clock; wall time is
 *          uint64_t nanoseconds since 1970-01-01T00:00:00Z, as in OTLP.
 * Threads: tt_clock_system() may be used by any thread; a fake clock is moved by one thread and read by any.
 */

#include "base/str.h"

#include <stdatomic.h>

typedef int64_t tt_dur;
#define TT_MICROSECOND INT64_C(1000)
#define TT_MILLISECOND INT64_C(1000000)
#define TT_SECOND      INT64_C(1000000000)

struct tt_clock {
    tt_dur (*monotonic)(const struct tt_clock *clock);
    uint64_t (*wall)(const struct tt_clock *clock);
};

const struct tt_clock *tt_clock_system(void);

static inline tt_dur tt_clock_monotonic(const struct tt_clock *clock)
{
    return clock->monotonic(clock);
}

static inline uint64_t tt_clock_wall(const struct tt_clock *clock)
{
    return clock->wall(clock);
}

/* For tests: stands still until it is moved. */
struct tt_fake_clock {
    struct tt_clock clock; /* first member: &fake->clock is the clock */
    _Atomic int64_t monotonic_ns;
    _Atomic uint64_t wall_ns;
};
void tt_fake_clock_init(struct tt_fake_clock *fake, uint64_t wall_ns);
void tt_fake_clock_advance(struct tt_fake_clock *fake, tt_dur by);

/* "2026-08-21T10:00:00.123456789Z" with `digits` (0 to 9) decimals, UTC. Writes at most 31 bytes with the NUL; for any
 * uint64. Returns the length. No libc time function, no time zone. */
size_t tt_time_format(uint64_t wall_ns, int digits, char ret_text[32]);
/* "20260821_100000": the compact UTC form of file names. Returns the length. */
size_t tt_time_format_compact(uint64_t wall_ns, char ret_text[32]);
/* RFC 3339 ("2026-08-21T10:00:00.5Z", "+02:00" offsets, a space for the T) or NAB's "2014-04-10 07:15:00.000000" (no
 * zone: UTC) to nanoseconds since 1970. Decimals after the ninth are
 * dropped. False for anything else, for impossible dates, before 1970 and after 2554 (the end of uint64). */
bool tt_time_parse(struct tt_str text, uint64_t *ret_wall_ns);

#endif
