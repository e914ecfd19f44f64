/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/decay.h"
#include "tt_test.h"

#include <math.h>

#define SECOND INT64_C(1000000000)

static void assert_close(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-9 * (1.0 + fabs(b)));
}

static void half_is_left_after_a_half_life(void **state)
{
    struct tt_decayed decayed = {0};
    (void)state;

    assert_true(tt_decayed_at(&decayed, 5, SECOND) == 0.0);
    tt_decayed_add(&decayed, 100 * SECOND, 8.0, 10 * SECOND);
    assert_close(tt_decayed_at(&decayed, 100 * SECOND, 10 * SECOND), 8.0);
    assert_close(tt_decayed_at(&decayed, 110 * SECOND, 10 * SECOND), 4.0);
    assert_close(tt_decayed_at(&decayed, 130 * SECOND, 10 * SECOND), 1.0);
    assert_close(tt_decayed_at(&decayed, 90 * SECOND, 10 * SECOND), 8.0);
    assert_true(tt_decayed_at(&decayed, INT64_MAX, 1) == 0.0);
}

static void late_amounts_weigh_as_if_they_had_come_in_time(void **state)
{
    static const int64_t ORDERS[][3] = {{1, 2, 3}, {3, 2, 1}, {2, 3, 1}};
    (void)state;

    for (size_t i = 0; i < TT_LENGTH(ORDERS); i++) {
        struct tt_decayed decayed = {0}, other = {0};

        for (int k = 0; k < 3; k++)
            tt_decayed_add(k == 1 ? &other : &decayed, ORDERS[i][k] * SECOND, (double)ORDERS[i][k],
                           SECOND);
        tt_decayed_merge(&decayed, &other, SECOND);
        assert_close(tt_decayed_at(&decayed, 3 * SECOND, SECOND), 3.0 + 2.0 / 2 + 1.0 / 4);
    }
}

static void a_steady_stream_has_its_rate(void **state)
{
    struct tt_decayed decayed = {0};
    (void)state;

    for (int64_t i = 0; i < 10000; i++)
        tt_decayed_add(&decayed, i * SECOND / 5, 1.0, 60 * SECOND);
    assert_true(fabs(tt_decayed_rate(&decayed, 2000 * SECOND, 60 * SECOND) - 5.0) < 0.05);
}

static void odd_input_is_ignored(void **state)
{
    struct tt_decayed decayed = {0};
    (void)state;

    tt_decayed_add(&decayed, INT64_MIN, 1.0, SECOND);
    tt_decayed_add(&decayed, INT64_MAX, (double)NAN, SECOND);
    tt_decayed_add(&decayed, INT64_MAX, (double)INFINITY, SECOND);
    assert_close(tt_decayed_at(&decayed, INT64_MIN, SECOND), 1.0);
    tt_decayed_add(&decayed, INT64_MAX, 2.0, SECOND);
    assert_close(tt_decayed_at(&decayed, INT64_MAX, SECOND), 2.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_is_left_after_a_half_life),
        cmocka_unit_test(late_amounts_weigh_as_if_they_had_come_in_time),
        cmocka_unit_test(a_steady_stream_has_its_rate),
        cmocka_unit_test(odd_input_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
