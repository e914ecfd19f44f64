/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_STREAM_FOREST_H
#define TT_DETECT_STREAM_FOREST_H

/*
 * An isolation forest kept current over an endless stream.
 *
 * Order.      A row is scored before it is learnt: a score depends on earlier rows only.
 * Sample.     Two reservoirs (detect/reservoir.h): one recent, with a half-life, one of the long run, with a longer one or none.
 *             A forest is trained on both together, so it knows the last hours and the nightly batch of three days ago.
 * Retraining. The first forest after first_rows rows, then whenever the rows learnt have doubled, at the latest every
 *             retrain_rows rows or retrain_after units of time. Training happens on a copy of the sample, away from the
 *             stream if the caller wants; the new forest, its bins, its moments and the threshold are swapped in at once.
 * Stationary. A score's scale is fixed by the moments of the generation's own sample: a steady stream keeps its scores, however
 *             long it lasts, and what is gone is forgotten at the rate of the half-lives.
 * Threshold.  At first that of the forest. Once 40 alarms are to be expected among the scores that rows had when they came
 *             (never of rows a forest was trained on; a decayed sample of 16,384 of them), the score that the share
 *             `contamination` of these reaches. From then on it moves by at most 0.2 for each half-life, on the scale
 *             log2(s / (1 - s)).
 * Poison.     A row that is an alarm (and, combined, has a score of at least 0.833, 2.3 deviations) is learnt with weight 1/8: it
 *             enters the samples as if it were three half-lives old. An incident is when the rate of alarms, averaged over
 *             1,000 rows, exceeds three times the contamination, until it is below one and a half. Its rows that score 0.667 or
 *             more (one deviation, combined) count 1/64 at its start and twice as much for each quarter of a half-life that it
 *             lasts; so do all its scores, for the threshold. A fault of half an hour that makes a fifth of the rows bad leaves next
 *             to nothing in the samples; a change that stays is believed after one to two half-lives. (Trust in what
 *             is persistent: the opposite of trimming, which would refuse it for ever.)
 * Time:       `when` is an argument, in units of the caller's choice: nanoseconds of event time live, row numbers in
 *             experiments; half_life and retrain_after are in the same units.
 * Ownership:  the stream owns samples and scratch; forests are reference-counted.
 * Threads:    one at a time (a shard's lock); tt_stream_job_train() needs no lock, and a forest taken with
 *             tt_stream_forest_current() scores anywhere.
 * Cost:       score as detect/forest.h, learn about 50 ns a row; memory (recent + long_run) * columns * 4 bytes + 0.5 MB.
 */

#include "detect/forest.h"

struct tt_stream_forest_options {
    struct tt_forest_options forest;
    uint32_t recent, long_run; /* rows in either sample, 16 … 1,000,000 */
    int64_t half_life;         /* of the recent sample, > 0 */
    int64_t long_half_life;    /* of the long run; 0: none, nothing is forgotten there */
    uint64_t first_rows;       /* >= 2 */
    uint64_t retrain_rows;     /* 0: not by count */
    int64_t retrain_after;     /* 0: not by time */
};

/* tt_forest_options_default(), 2,048 rows each, half-lives of 2 and 48 hours in nanoseconds, the first forest after 64 rows,
 * then at least every 10 minutes. */
struct tt_stream_forest_options tt_stream_forest_options_default(void);

struct tt_stream_forest;

/* TT_INVALID_DATA for options out of range, TT_NO_MEMORY. */
enum tt_status tt_stream_forest_new(const struct tt_stream_forest_options *options,
                                    uint32_t columns, uint64_t seed,
                                    struct tt_stream_forest **ret_stream, struct tt_error *err)
    TT_CHECKED;
void tt_stream_forest_free(struct tt_stream_forest *stream); /* NULL is a no-op */

/*
 * The whole cycle: scores each row, learns it, and retrains when due, before the row that is due. How rows are cut into calls
 * makes no difference.
 *
 * when    one a row; NULL: rows are numbered from 0
 * scores  one a row; NaN as long as there is no forest
 *
 * TT_NO_MEMORY when a retraining failed; all rows were scored and learnt nevertheless, with the forest there was.
 */
enum tt_status tt_stream_forest_push(struct tt_stream_forest *stream, const struct tt_rows *rows,
                                     const int64_t *when, float *ret_scores, struct tt_error *err)
    TT_CHECKED;

/*
 * All of a stream's state as plain bytes, the same for the same state: "TTSTREAM", version 1, options, samples, forest, and the
 * FNV-1a hash of all before it. A stream that was read back goes on with the same bits. A job under way is not part of it: one that
 * was not swapped in is forgotten, and the next is due when it was.
 */
enum tt_status tt_stream_forest_write(const struct tt_stream_forest *stream, struct tt_buffer *to,
                                      struct tt_error *err) TT_CHECKED;
/* TT_INVALID_DATA for other bytes, cut or changed ones, and for a stream of other options or columns; TT_UNSUPPORTED for another
 * version; TT_NO_MEMORY. */
enum tt_status tt_stream_forest_read(const void *bytes, size_t size,
                                     const struct tt_stream_forest_options *options,
                                     uint32_t columns, struct tt_stream_forest **ret_stream,
                                     struct tt_error *err) TT_CHECKED;

/* ---- the same in steps, for live code that trains in a thread of its own ---- */

/* Learns rows that were scored by tt_stream_forest_current(). scores: NULL, or NaN in it, as long as there is none. */
void tt_stream_forest_learn(struct tt_stream_forest *stream, const struct tt_rows *rows,
                            const int64_t *when, const float *scores);
/* The forest in force, held once more for the caller; NULL before the first. */
struct tt_forest *tt_stream_forest_current(const struct tt_stream_forest *stream);
/* Alarm means score >= this; 1 before the first forest. */
float tt_stream_forest_threshold(const struct tt_stream_forest *stream);
uint64_t tt_stream_forest_learnt(const struct tt_stream_forest *stream);

/* Whether a new forest should be trained at this time. */
bool tt_stream_forest_due(const struct tt_stream_forest *stream, int64_t when);
struct tt_stream_job;
/* A copy of the samples, to train on. The next one is due a whole interval from now, whatever becomes of this one. */
enum tt_status tt_stream_job_new(struct tt_stream_forest *stream, int64_t when,
                                 struct tt_stream_job **ret_job, struct tt_error *err) TT_CHECKED;
/* Trains; takes milliseconds and touches nothing but the job. */
enum tt_status tt_stream_job_train(struct tt_stream_job *job, struct tt_error *err) TT_CHECKED;
/* Puts the trained forest and its threshold in force. An older generation than the one in force is dropped. */
void tt_stream_job_swap(struct tt_stream_forest *stream, struct tt_stream_job *job);
void tt_stream_job_free(struct tt_stream_job *job); /* NULL is a no-op; trained or not */

#endif
