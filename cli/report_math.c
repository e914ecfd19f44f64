/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_math.h"

#include "detect/moments.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

void tt_sort_doubles(double *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof(*values), compare);
}

double tt_quantile_sorted(const double *sorted, size_t n, double q)
{
    double position = n == 0 ? 0 : q * (double)(n - 1);
    size_t below = (size_t)position;

    if (n == 0)
        return (double)NAN;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

double tt_superiority_sorted(const double *greater, size_t n, const double *than, size_t m)
{
    size_t below = 0, not_above = 0;
    double wins = 0;

    if (n == 0 || m == 0)
        return (double)NAN;
    for (size_t i = 0; i < n; i++) {
        while (below < m && than[below] < greater[i])
            below++;
        while (not_above < m && than[not_above] <= greater[i])
            not_above++;
        wins += (double)below + 0.5 * (double)(not_above - below);
    }
    return wins / ((double)n * (double)m);
}

/* ---- Student's t ---- */

/* Continued fraction of the incomplete beta function by Lentz's method: even and odd terms in turn. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int i = 1; i < 300; i++) {
        double m = i, before = f;
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / (1 + even * d);
        c = 1 + even / c;
        f *= d * c;
        d = 1 / (1 + odd * d);
        c = 1 + odd / c;
        f *= d * c;
        if (fabs(f - before) < 1e-14 * fabs(f))
            break;
    }
    return f;
}

static double incomplete_beta(double a, double b, double x)
{
    double front;

    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(T > t) for t > 0. */
static double upper_tail(double t, double df)
{
    return 0.5 * incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

double tt_student_quantile(double p, double df)
{
    double low = 0, high = 1;

    while (upper_tail(high, df) > 1 - p && high < 1e9)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-12 * high; i++) {
        double middle = (low + high) / 2;
        if (upper_tail(middle, df) > 1 - p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- effects ---- */

static struct tt_moments moments_of(const double *values, size_t n)
{
    struct tt_moments moments = {.count = 0};

    for (size_t i = 0; i < n; i++)
        tt_moments_add(&moments, values[i]);
    return moments;
}

/* Half the width of the interval; NaN where there is none. */
static double half_width(const struct tt_moments *left, const struct tt_moments *right)
{
    double share_left = tt_moments_variance(left) / left->count;
    double share_right = right->count < 2 ? 0 : tt_moments_variance(right) / right->count;
    double sum = share_left + share_right, df = left->count - 1;

    if (left->count < 2)
        return (double)NAN;
    if (!(sum > 0))
        return 0;
    if (right->count >= 2)
        df = sum * sum /
             (share_left * share_left / (left->count - 1) +
              share_right * share_right / (right->count - 1));
    return tt_student_quantile(0.975, df) * sqrt(sum);
}

struct tt_effect tt_effect_of(const double *left, size_t n_left, const double *right,
                              size_t n_right)
{
    struct tt_moments moments_left = moments_of(left, n_left);
    struct tt_moments moments_right = moments_of(right, n_right);
    struct tt_effect effect = {
        .estimate = (double)NAN,
        .low = (double)NAN,
        .high = (double)NAN,
        .n_left = n_left,
        .n_right = n_right,
    };
    double half;

    if (moments_left.count < 1 || moments_right.count < 1)
        return effect;
    half = half_width(&moments_left, &moments_right);
    effect.estimate = moments_left.mean - moments_right.mean;
    effect.low = effect.estimate - half;
    effect.high = effect.estimate + half;
    return effect;
}
