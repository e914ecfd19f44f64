/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "tt_test.h"

#include <time.h>

#define NS(seconds) ((uint64_t)(seconds) * (uint64_t)TT_SECOND)

static void the_system_clock_goes_forward(void **state)
{
    const struct tt_clock *clock = tt_clock_system();
    tt_dur before = tt_clock_monotonic(clock);

    (void)state;
    assert_true(before > 0);
    assert_true(tt_clock_monotonic(clock) >= before);
    assert_true(tt_clock_wall(clock) > NS(1700000000));
    assert_true(tt_clock_wall(clock) / (uint64_t)TT_SECOND - (uint64_t)time(NULL) + 2 <= 4);
}

static void a_fake_clock_moves_only_when_told(void **state)
{
    struct tt_fake_clock fake;
    tt_dur start;

    (void)state;
    tt_fake_clock_init(&fake, 5);
    start = tt_clock_monotonic(&fake.clock);
    assert_true(start > 0);
    assert_int_equal(tt_clock_wall(&fake.clock), 5);
    assert_int_equal(tt_clock_monotonic(&fake.clock), start);
    tt_fake_clock_advance(&fake, 3 * TT_SECOND);
    assert_int_equal(tt_clock_monotonic(&fake.clock), start + 3 * TT_SECOND);
    assert_int_equal(tt_clock_wall(&fake.clock), 5 + NS(3));
    tt_fake_clock_advance(&fake, -TT_SECOND);
    assert_int_equal(tt_clock_wall(&fake.clock), 5 + NS(2));
}

static void times_are_printed_in_utc(void **state)
{
    static const struct {
        uint64_t wall_ns;
        int digits;
        const char *text;
    } cases[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {0, -1, "1970-01-01T00:00:00Z"},
        {1, 9, "1970-01-01T00:00:00.000000001Z"},
        {1, 12, "1970-01-01T00:00:00.000000001Z"},
        {999999999, 3, "1970-01-01T00:00:00.999Z"},
        {NS(951782399), 0, "2000-02-28T23:59:59Z"},
        {NS(951782400), 0, "2000-02-29T00:00:00Z"},
        {NS(951868800), 0, "2000-03-01T00:00:00Z"},
        {NS(4107542400), 0, "2100-03-01T00:00:00Z"},
        {NS(1787306400) + 123456789, 9, "2026-08-21T10:00:00.123456789Z"},
        {NS(1787306400) + 123456789, 1, "2026-08-21T10:00:00.1Z"},
        {UINT64_MAX, 9, "2554-07-21T23:34:33.709551615Z"},
    };
    char text[32];
    size_t len;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        len = tt_time_format(cases[i].wall_ns, cases[i].digits, text);
        assert_int_equal(len, strlen(text));
        assert_string_equal(text, cases[i].text);
    }
    assert_int_equal(tt_time_format_compact(NS(1787306400) + 5, text), 15);
    assert_string_equal(text, "20260821_100000");
}

/* The C library knows the calendar too. */
static void random_times_agree_with_the_c_library_and_read_back(void **state)
{
    uint64_t random = 29;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        uint64_t wall = tt_test_random(&random), back;
        time_t seconds = (time_t)(wall / (uint64_t)TT_SECOND);
        struct tm parts;
        char text[32], expected[32];
        assert_non_null(gmtime_r(&seconds, &parts));
        assert_int_equal(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts), 20);
        (void)tt_time_format(wall, 0, text);
        assert_string_equal(text, expected);
        (void)tt_time_format(wall, 9, text);
        assert_true(tt_time_parse(tt_str(text), &back));
        assert_int_equal(back, wall);
    }
}

static void every_day_reads_back(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 213503; day++) {
        uint64_t wall = NS(day * 86400), back;
        char text[32];
        (void)tt_time_format(wall, 0, text);
        assert_true(tt_time_parse(tt_str(text), &back));
        assert_int_equal(back, wall);
    }
}

static void times_are_read_with_zone_and_decimals(void **state)
{
    static const struct {
        const char *text;
        uint64_t wall_ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-08-21T10:00:00.5Z", NS(1787306400) + 500000000},
        {"2026-08-21t10:00:00z", NS(1787306400)},
        {"2026-08-21 10:00:00", NS(1787306400)},
        {"2026-08-21T12:00:00+02:00", NS(1787306400)},
        {"2026-08-21T05:30:00.000000001-04:30", NS(1787306400) + 1},
        {"2014-04-10 07:15:00.000000", NS(1397114100)},
        {"2026-08-21T10:00:00.1234567899Z", NS(1787306400) + 123456789},
        {"1969-12-31T23:00:00-01:00", 0},
        {"2016-12-31T23:59:60Z", NS(1483228800)},
        {"2017-01-01T00:59:60+01:00", NS(1483228800)},
        {"2024-02-29T00:00:00Z", NS(1709164800)},
        {"2554-07-21T23:34:33.709551615Z", UINT64_MAX},
    };
    uint64_t wall;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_true(tt_time_parse(tt_str(cases[i].text), &wall));
        assert_int_equal(wall, cases[i].wall_ns);
    }
}

static void other_texts_are_no_times(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-08-21",
        "2026-08-21T10:00",
        "2026-08-21T10:00:00.Z",
        "2026-08-21T10:00:00.",
        "2026-08-21T10:00:00ZZ",
        "2026-08-21T10:00:00Z ",
        " 2026-08-21T10:00:00Z",
        "2026-08-21_10:00:00Z",
        "2026-8-21T10:00:00Z",
        "2026/08/21T10:00:00Z",
        "2026-08-21T10-00-00Z",
        "2026-08-21T1a:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+2:00",
        "2026-01-01T00:00:00+0200",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+00",
        "2026-01-01T00:00:00*00:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "0000-01-01T00:00:00Z",
        "0000-03-01T00:00:00Z",
        "2554-07-21T23:34:33.709551616Z",
        "2554-07-21T23:34:34Z",
        "9999-12-31T23:59:59Z",
    };
    uint64_t wall = 7;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        print_message("%s\n", texts[i]);
        assert_false(tt_time_parse(tt_str(texts[i]), &wall));
    }
    assert_false(tt_time_parse(tt_str_of("2026-08-21\0"
                                         "10:00:00",
                                         19),
                               &wall));
    assert_int_equal(wall, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_clock_goes_forward),
        cmocka_unit_test(a_fake_clock_moves_only_when_told),
        cmocka_unit_test(times_are_printed_in_utc),
        cmocka_unit_test(random_times_agree_with_the_c_library_and_read_back),
        cmocka_unit_test(every_day_reads_back),
        cmocka_unit_test(times_are_read_with_zone_and_decimals),
        cmocka_unit_test(other_texts_are_no_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
