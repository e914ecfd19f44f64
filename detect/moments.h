/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_MOMENTS_H
#define TT_DETECT_MOMENTS_H

/*
 * Mean, variance, skewness and kurtosis of a stream, mergeable, 40 bytes.
 *
 * Method.    Central sums updated without subtracting great squares: B. P. Welford, Technometrics 4(3), 1962; for higher orders and
 *            merging P. Pebay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
 *            moments", SAND2008-6212. The sums are m_k = sum of (x - mean)^k.
 * Threads:   one at a time. A zeroed struct is empty. Cost: 5 ns a value.
 */

#include "base/util.h"

struct tt_moments {
    double count, mean, m2, m3, m4;
};

/* Values that are not finite are not counted. */
void tt_moments_add(struct tt_moments *moments, double value);
void tt_moments_merge(struct tt_moments *into, const struct tt_moments *from);

/* m2 / (count - 1); 0 for fewer than two values. */
double tt_moments_variance(const struct tt_moments *moments);
/* sqrt(count) m3 / m2^1.5; 0 where there is no spread. */
double tt_moments_skewness(const struct tt_moments *moments);
/* count m4 / m2^2 - 3, 0 for a normal distribution; 0 where there is no spread. */
double tt_moments_kurtosis(const struct tt_moments *moments);

#endif
