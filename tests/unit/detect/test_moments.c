/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest_math.h"
#include "detect/moments.h"
#include "tt_test.h"

#include <math.h>

#define COUNT 1000

/* By the definition, in two passes. */
static double central(const double *values, double mean, int order)
{
    double sum = 0.0;

    for (int i = 0; i < COUNT; i++)
        sum += pow(values[i] - mean, order);
    return sum;
}

static void assert_close(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-6 * (1.0 + fabs(b)));
}

static void one_pass_gives_what_two_passes_give(void **state)
{
    static const double SHIFTS[] = {0.0, -3.0, 1e6}; /* squares of 1e6 would swallow the variance */
    (void)state;

    for (size_t s = 0; s < TT_LENGTH(SHIFTS); s++) {
        struct tt_moments whole = {0}, parts[2];
        struct tt_random random = {s};
        double values[COUNT], mean = 0.0, m2;

        memset(parts, 0, sizeof(parts));

        for (int i = 0; i < COUNT; i++) {
            double x = tt_random_unit(&random);

            values[i] = SHIFTS[s] + x * x;
            mean += values[i] / COUNT;
            tt_moments_add(&whole, values[i]);
            tt_moments_add(&parts[i < 300], values[i]);
        }
        tt_moments_merge(&parts[0], &parts[1]);
        m2 = central(values, mean, 2);
        assert_close(whole.mean, mean);
        assert_close(tt_moments_variance(&whole), m2 / (COUNT - 1));
        assert_close(tt_moments_skewness(&whole),
                     sqrt(COUNT) * central(values, mean, 3) / pow(m2, 1.5));
        assert_close(tt_moments_kurtosis(&whole),
                     COUNT * central(values, mean, 4) / (m2 * m2) - 3.0);
        assert_close(parts[0].mean, whole.mean);
        assert_close(tt_moments_variance(&parts[0]), tt_moments_variance(&whole));
        assert_close(tt_moments_skewness(&parts[0]), tt_moments_skewness(&whole));
        assert_close(tt_moments_kurtosis(&parts[0]), tt_moments_kurtosis(&whole));
    }
}

static void few_and_odd_values_are_defined(void **state)
{
    struct tt_moments moments = {0}, empty = {0};
    (void)state;

    assert_true(tt_moments_variance(&moments) == 0.0 && tt_moments_skewness(&moments) == 0.0);
    tt_moments_merge(&moments, &empty);
    tt_moments_add(&moments, (double)NAN);
    tt_moments_add(&moments, (double)INFINITY);
    assert_true(moments.count == 0.0 && moments.mean == 0.0);
    tt_moments_add(&moments, 5.0);
    tt_moments_add(&moments, 5.0);
    assert_true(moments.mean == 5.0 && tt_moments_variance(&moments) == 0.0);
    assert_true(tt_moments_kurtosis(&moments) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pass_gives_what_two_passes_give),
        cmocka_unit_test(few_and_odd_values_are_defined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
