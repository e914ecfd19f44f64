/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/moments.h"

#include <math.h>

void tt_moments_add(struct tt_moments *moments, double value)
{
    struct tt_moments one = {.count = 1.0, .mean = value};

    if (isfinite(value))
        tt_moments_merge(moments, &one);
}

void tt_moments_merge(struct tt_moments *into, const struct tt_moments *from)
{
    double a = into->count, b = from->count, n = a + b;
    double delta = from->mean - into->mean, share = delta / (n > 0.0 ? n : 1.0);
    struct tt_moments sum = {.count = n, .mean = into->mean + share * b};

    sum.m2 = into->m2 + from->m2 + delta * share * a * b;
    sum.m3 = into->m3 + from->m3 + delta * share * share * a * b * (a - b) +
             3.0 * share * (a * from->m2 - b * into->m2);
    sum.m4 = into->m4 + from->m4 + delta * share * share * share * a * b * (a * a - a * b + b * b) +
             6.0 * share * share * (a * a * from->m2 + b * b * into->m2) +
             4.0 * share * (a * from->m3 - b * into->m3);
    *into = sum;
}

double tt_moments_variance(const struct tt_moments *moments)
{
    return moments->count > 1.0 ? moments->m2 / (moments->count - 1.0) : 0.0;
}

double tt_moments_skewness(const struct tt_moments *moments)
{
    double scale = moments->m2 * sqrt(moments->m2);

    return scale > 0.0 ? sqrt(moments->count) * moments->m3 / scale : 0.0;
}

double tt_moments_kurtosis(const struct tt_moments *moments)
{
    double scale = moments->m2 * moments->m2;

    return scale > 0.0 ? moments->count * moments->m4 / scale - 3.0 : 0.0;
}
