/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_RESERVOIR_H
#define TT_DETECT_RESERVOIR_H

/*
 * A bounded random sample of an endless stream of rows.
 *
 * Each row gets a random key and the rows with the greatest keys are kept: P. S. Efraimidis, P. G. Spirakis, "Weighted random
 * sampling with a reservoir", Inf. Proc. Letters 97, 2006. For a row of weight w the key is -ln(u) / w, least first; on a
 * logarithmic scale, greatest first, log2(w) - log2(-ln u). A row's weight may grow with its time, w = 2^(t / half_life):
 * relative to each other old rows then count half for each half-life they are older, and nothing ever has to be
 * aged (forward decay: G. Cormode et al., ICDE 2009). Without a half-life the sample is uniform over all that ever came.
 *
 * Ownership: owns its rows; tt_reservoir_free() frees them. Threads: one at a time.
 * Cost:      a row that is not kept about 20 ns, one that is kept O(columns + log capacity); expected to be kept are
 *            capacity * ln(n / capacity) of n rows (uniform), or capacity * 1.4 rows for each half-life.
 * Limits:    capacity rows, allocated at once.
 */

#include "detect/bins.h"
#include "detect/forest_math.h"

struct tt_reservoir {
    uint32_t columns, capacity, count;
    int64_t half_life; /* in units of `when`; 0: uniform */
    int64_t origin;    /* `when` of the first row: keys count from it */
    uint64_t seen;
    struct tt_random random;
    float *rows;
    double *keys;   /* by place */
    uint32_t *heap; /* places, the one with the least key first */
};

/* capacity >= 1, columns >= 1, half_life >= 0. NULL when memory is gone. */
struct tt_reservoir *tt_reservoir_new(uint32_t columns, uint32_t capacity, int64_t half_life,
                                      uint64_t seed);
void tt_reservoir_free(struct tt_reservoir *reservoir); /* NULL is a no-op */
/* when: any clock that the half-life is in units of, rows may come in any order. weight > 0, usually 1. */
void tt_reservoir_add(struct tt_reservoir *reservoir, const float *row, int64_t when,
                      double weight);
/* The rows kept now, in no particular order; borrowed until the next add. */
struct tt_rows tt_reservoir_rows(const struct tt_reservoir *reservoir);

#endif
