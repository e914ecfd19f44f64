/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_SERIES_H
#define TT_DETECT_SERIES_H

/*
 * One detector for one series: points in, verdicts out, one at a time, no look-ahead, no settings to tune.
 *
 * How. Five steps, each of which sees earlier points only:
 *
 *   1 expect    A seasonal expectation p from tables of mean by hour of week and hour of day. The point becomes a pair: its
 *               value v and its residual v - p.
 *   2 isolate   How few random cuts part the pair from earlier ones (forest.h)? A cut whose range is stretched to the point
 *               separates a point at distance o outside a node of width w with probability o / (o + w), as in a Mondrian tree
 *               (B. Lakshminarayanan, D. Roy, Y. W. Teh, "Mondrian Forests", NIPS 2014), so that far outside is worse than outside.
 *   3 rank      The time is cut into blocks of 60 points; of each block the highest isolation is kept. With r block maxima of
 *               the last 600 blocks at or above the point, L = -ln(r + 1) + 0.3 ln(blocks / 30). No assumption on any
 *               distribution, no scale: a series that is always wild has high maxima. (E. J. Gumbel, "Statistics of Extremes",
 *               1958, for block maxima and return periods; here by rank alone.) Three sets of blocks, shifted by 20
 *               points, are averaged, so that little depends on where a block ends.
 *   4 remember  An event like one reported before weighs less: L falls by ln(1 + c), c the number of reported events with a
 *               value within 6 % of the range, each forgotten with a time constant of 5,000 points; and by a tenth of
 *               the number of recent alarms (time constant 1,000 points).
 *   5 decide    alarm: L >= -2.3 where the isolation rises, unless less than 100 points have passed since the last alarm and
 *               this is not e times rarer.
 *
 * Score and alarm are two outputs. The score is L of step 3 on a scale of [0, 1]: never suppressed, 0.5 where an alarm would be due, useful
 * as a live metric at every point. The alarm is what should wake a person: once an event, less for what is known.
 *
 * Two tiers by the way step 2 is done:
 *   full    an isolation forest of 100 trees on 1,024 pairs, depth at most 8, from a sample of 4,096; a tree is regrown every 2 points.
 *   light   the exact mean depth of such a tree of one dimension, over sorted samples of 224 values and 224 residuals, combined
 *           as harmonic mean. With s_1 < ... < s_k the sampled values below x, the random cut between x and s_k comes before
 *           those that leave s_i apart with probability (s_i+1 - s_i) / (x - s_i); the mean depth is their sum on both sides.
 *
 * Stationary. All that is learnt is forgotten: samples are uniform (J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11,
 *            1985) over all points up to 24,000 and fade at that rate from then on, ranks over the last
 *            600 blocks, the range over the last 24,000 to 48,000. A year-old state alarms as often as one of a week.
 * Time.      An argument in ns, never the clock. Steps may be irregular. A point not later than the one before is scored, not learnt,
 *            and never alarms. After a gap of more than 100 usual steps nothing is held back any more.
 * Values.    NaN and infinities are no measurements: score 0, nothing learnt. Beyond +-1e37 a value counts as that bound.
 * Bits.      Verdicts are made of + - * / on float and double only: the same points and seed give the same bits everywhere. A
 *            state read back goes on with the same bits.
 * Ownership: the caller's memory holds the whole state, without pointers: it may be copied and moved.
 * Threads:   one at a time for a state.
 * Cost:      full 14 us a point, 0.47 MB, and up to 2 ms for each of the first ten growths; light 0.3 us (0.4 when cold), 3.9 KB. tests/bench/bench_series.c
 *            prints them, and the quality on the Numenta Anomaly Benchmark.
 */

#include "base/error.h"

enum tt_series_precision {
    TT_SERIES_LIGHT,
    TT_SERIES_FULL,
    TT_SERIES_PRECISION_COUNT,
};

struct tt_series_options {
    enum tt_series_precision precision;
    int32_t
        utc_offset_s; /* hours and weekdays are local: seconds east of UTC, at most a day either way */
    float threshold; /* of alarm_score, (0, 1] */
    bool
        counter; /* values are a running total: judge its rate per second; a fall is a restart from 0 */
};

enum tt_series_reason {
    TT_SERIES_JUDGED,     /* scored and learnt */
    TT_SERIES_WARMING_UP, /* the same, among the first 120 points: score 0 */
    TT_SERIES_HELD,       /* the same; an alarm held back, another was less than 100 points ago */
    TT_SERIES_KNOWN,      /* the same; would be an alarm if the like had not been reported before */
    TT_SERIES_LATE,       /* not later than the newest: scored, not learnt */
    TT_SERIES_MISSING,    /* no number, or the first total of a counter: not scored, not learnt */
    TT_SERIES_REASON_COUNT,
};

struct tt_series_verdict {
    float score;       /* [0, 1], never suppressed; 0.5 and more is rare */
    float alarm_score; /* [0, 1], 0 while held back; >= threshold is an alarm */
    float level, lower_band,
        upper_band;  /* what was expected, in the unit of the value (counter: of its rate) */
    float isolation; /* step 2: mean depth over that of a chance row, negated; higher is rarer */
    bool alarm;
    uint8_t reason; /* enum tt_series_reason */
};

struct tt_series;

/* light, UTC, 0.5, no counter. */
struct tt_series_options tt_series_options_default(void);
/* TT_INVALID_DATA with the option's name and range. */
enum tt_status tt_series_options_check(const struct tt_series_options *options,
                                       struct tt_error *err) TT_CHECKED;

/* Bytes of a state, a multiple of 8. */
size_t tt_series_size(enum tt_series_precision precision);
/* Makes an empty state in memory (8-byte aligned, tt_series_size() bytes) and returns it. options: checked. */
struct tt_series *tt_series_init(void *memory, const struct tt_series_options *options,
                                 uint64_t seed);

/* Scores one point, then learns it. Never fails. */
void tt_series_push(struct tt_series *series, int64_t time_ns, double value,
                    struct tt_series_verdict *ret_verdict);

/* Brings the first lines of a cold state into the cache: call it for the next series before pushing to this one. */
void tt_series_prefetch(const struct tt_series *series);

/* Bytes that tt_series_write() needs. */
size_t tt_series_saved_size(const struct tt_series *series);
/* Saves a state to bytes that a machine of the same byte order can read. */
void tt_series_write(const struct tt_series *series, void *ret_bytes);
/*
 * Restores a state into memory of tt_series_size(precision) bytes.
 *
 * TT_INVALID_DATA: too short, another version, byte order or precision, a wrong checksum, or numbers that no state can hold: a file from
 * anywhere never leads to a crash or to a read outside the state.
 */
enum tt_status tt_series_read(const void *bytes, size_t size, enum tt_series_precision precision,
                              void *memory, struct tt_series **ret_series, struct tt_error *err)
    TT_CHECKED;

/* "judged", "warming_up" … */
const char *tt_series_reason_name(enum tt_series_reason reason);

#endif
