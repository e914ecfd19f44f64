/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_SKETCH_H
#define TT_DETECT_SKETCH_H

/*
 * Quantiles of a stream in bounded memory, mergeable, within 0.78 % of the value.
 *
 * Method.    DDSketch: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
 *            guarantees", VLDB 12(12), 2019. Values fall into buckets whose width is a share of the value; a quantile is the middle
 *            of the bucket where its rank lies. Here a bucket is an exponent and the 6 leading bits of the fraction, so that a
 *            value's bucket is a shift of its bits: no logarithm, the same on every machine.
 * Bound.     A bucket [a, b) with b - a <= a / 64 is answered by 2 a b / (a + b), which is within 1 / 129 of every value in it.
 *            So for the value x of rank floor(q (n - 1)) the answer y satisfies |y - x| <= |x| / 129, as long as the values
 *            span fewer buckets than there are: 64 an octave, 4 decades in 851. Beyond that the buckets of smallest magnitude
 *            are collapsed into one: the great quantiles, which matter for durations, keep the bound.
 * Why it.    KLL bounds the error in rank, which says little about a p99 of a long tail; t-digest has no bound, and merging in
 *            another order gives other results. Here counts are whole numbers: any order of adding and merging gives the same bits.
 *
 * Ownership: the caller's memory holds it, without pointers. Threads: one at a time.
 * Cost:      add 2 ns, quantile and merge O(buckets); 8 bytes a bucket and 64.
 */

#include "base/error.h"

#define TT_QUANTILES_MIN_BUCKETS 16
#define TT_QUANTILES_MAX_BUCKETS 65536
#define TT_QUANTILES_ERROR       (1.0 / 129)

struct tt_quantiles;

/* Bytes of a sketch. buckets: TT_QUANTILES_MIN_BUCKETS to MAX, for each sign. negatives: whether values below zero have buckets of
 * their own; without, they count as zero. */
size_t tt_quantiles_size(uint32_t buckets, bool negatives);
/* Makes an empty sketch in memory (8-byte aligned). */
struct tt_quantiles *tt_quantiles_init(void *memory, uint32_t buckets, bool negatives);
void tt_quantiles_clear(struct tt_quantiles *sketch);

/* NaN is not counted. Infinities count as the greatest double. */
void tt_quantiles_add(struct tt_quantiles *sketch, double value, uint64_t times);
/* Adds all of `from`, which may have other buckets. */
void tt_quantiles_merge(struct tt_quantiles *into, const struct tt_quantiles *from);

/* The value of rank floor(q (count - 1)) for q in [0, 1], else the nearer end; NaN when empty. q = 0 and 1 are exact. */
double tt_quantiles_at(const struct tt_quantiles *sketch, double q);
uint64_t tt_quantiles_count(const struct tt_quantiles *sketch);
/* Sum of the values, in order of adding (the one number here that depends on it). */
double tt_quantiles_sum(const struct tt_quantiles *sketch);

/* A sketch is its bytes. Whether size bytes read from elsewhere are one; to be asked before they are used. */
bool tt_quantiles_valid(const void *bytes, size_t size);

#endif
