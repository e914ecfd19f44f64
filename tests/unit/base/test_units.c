/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "tt_test.h"

#define HOURS(n) ((n)*3600 * TT_SECOND)

static void durations_follow_the_grammar_of_go(void **state)
{
    static const struct {
        const char *text;
        tt_dur duration;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"+0", 0},
        {"0s", 0},
        {"1ns", 1},
        {"1us", 1000},
        {"1\xc2\xb5s", 1000},
        {"1\xce\xbcs", 1000},
        {"200ms", 200 * TT_MILLISECOND},
        {"5s", 5 * TT_SECOND},
        {"+5s", 5 * TT_SECOND},
        {"-5s", -5 * TT_SECOND},
        {"1m", 60 * TT_SECOND},
        {"1h30m", HOURS(1) + 1800 * TT_SECOND},
        {"1d", HOURS(24)},
        {"1h15m30.918s", HOURS(1) + 930918 * TT_MILLISECOND},
        {"30s1h", HOURS(1) + 30 * TT_SECOND},
        {"1.5s", 1500 * TT_MILLISECOND},
        {".5s", 500 * TT_MILLISECOND},
        {"5.s", 5 * TT_SECOND},
        {"0.1s", 100 * TT_MILLISECOND},
        {"0.3s", 300 * TT_MILLISECOND},
        {"1.1h", 3960 * TT_SECOND},
        {"0.9ns", 0},
        {"0.000000001s", 1},
        {"0.33333333333333333333333333s", 333333333},
        {"9223372036854775807ns", INT64_MAX},
        {"-9223372036854775808ns", INT64_MIN},
        {"9223372036.854775807s", INT64_MAX},
        {"2562047h47m16.854775807s", INT64_MAX},
        {"106751d", HOURS(INT64_C(24) * 106751)},
    };
    tt_dur duration;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_true(tt_duration_parse(tt_str(cases[i].text), &duration));
        assert_int_equal(duration, cases[i].duration);
    }
}

static void other_texts_are_no_durations(void **state)
{
    static const char *const texts[] = {
        "",
        "-",
        "+",
        "5",
        "00",
        "s",
        ".s",
        ".",
        "-.s",
        "5 s",
        " 5s",
        "5s ",
        "1S",
        "1M",
        "1x",
        "1min",
        "1s1",
        "1h-5m",
        "--1s",
        "1..5s",
        "1.5.s",
        "1e3s",
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "9223372036854775807ns1ns",
        "18446744073709551615ns1ns",
        "99999999999999999999ns",
        "2562048h",
        "106752d",
        "5124095576030431h",
    };
    tt_dur duration = 7;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        print_message("\"%s\"\n", texts[i]);
        assert_false(tt_duration_parse(tt_str(texts[i]), &duration));
    }
    assert_false(tt_duration_parse(tt_str_of("1s\0", 3), &duration));
    assert_int_equal(duration, 7);
}

static void durations_are_printed_without_empty_parts(void **state)
{
    static const struct {
        tt_dur duration;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {-1, "-1ns"},
        {999, "999ns"},
        {1000, "1us"},
        {1500, "1.5us"},
        {1000001, "1.000001ms"},
        {200 * TT_MILLISECOND, "200ms"},
        {TT_SECOND, "1s"},
        {1500 * TT_MILLISECOND, "1.5s"},
        {90 * TT_SECOND, "1m30s"},
        {HOURS(1), "1h"},
        {HOURS(1) + 1, "1h0.000000001s"},
        {HOURS(49) + 60 * TT_SECOND, "49h1m"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    char text[32];
    size_t len;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        len = tt_duration_format(cases[i].duration, text);
        assert_int_equal(len, strlen(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void random_durations_read_back(void **state)
{
    uint64_t random = 31;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        tt_dur duration = (tt_dur)tt_test_random(&random) >> (i % 64), back;
        char text[32];
        (void)tt_duration_format(duration, text);
        assert_true(tt_duration_parse(tt_str(text), &back));
        assert_int_equal(back, duration);
    }
}

static void sizes_have_binary_and_decimal_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"65536", 65536},
        {"1B", 1},
        {"64KiB", 65536},
        {"64 kib", 65536},
        {"64\tKIB", 65536},
        {"16MiB", 16 << 20},
        {"1GiB", 1 << 30},
        {"2TiB", UINT64_C(2) << 40},
        {"10MB", 10000000},
        {"1kB", 1000},
        {"1gb", 1000000000},
        {"3TB", UINT64_C(3000000000000)},
        {"1.5KiB", 1536},
        {"0.1MB", 100000},
        {"1.1GiB", 1181116006},
        {"18446744073709551615", UINT64_MAX},
        {"16777215TiB", UINT64_C(16777215) << 40},
    };
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_true(tt_size_parse(tt_str(cases[i].text), &bytes));
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void other_texts_are_no_sizes(void **state)
{
    static const char *const texts[] = {
        "",
        "B",
        "KiB",
        "-1",
        "+1",
        " 1",
        "1x",
        "10x",
        "1 K",
        "1K",
        "1.5",
        "1.0B",
        ".",
        ".KB",
        "1e3",
        "1KiBB",
        "1 1KiB",
        "1\nKB",
        "18446744073709551616",
        "16777216TiB",
        "18446744073709551615KiB",
    };
    uint64_t bytes = 7;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        print_message("\"%s\"\n", texts[i]);
        assert_false(tt_size_parse(tt_str(texts[i]), &bytes));
    }
}

static void sizes_are_printed_exactly(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0B"},
        {1, "1B"},
        {999, "999B"},
        {1000, "1KB"},
        {1024, "1KiB"},
        {1536, "1.5KiB"},
        {65536, "64KiB"},
        {65537, "65537B"},
        {10000000, "10MB"},
        {16 << 20, "16MiB"},
        {UINT64_C(3) << 29, "1.5GiB"},
        {UINT64_C(5) << 40, "5TiB"},
        {1234567, "1234567B"},
        {UINT64_MAX, "18446744073709551615B"},
    };
    char text[32];
    size_t len;
    uint64_t random = 37, back;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        len = tt_size_format(cases[i].bytes, text);
        assert_int_equal(len, strlen(text));
        assert_string_equal(text, cases[i].text);
    }
    for (int i = 0; i < 50000; i++) {
        uint64_t bytes = tt_test_random(&random) >> (i % 64) << (i % 23);
        (void)tt_size_format(bytes, text);
        assert_true(tt_size_parse(tt_str(text), &back));
        assert_int_equal(back, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_follow_the_grammar_of_go),
        cmocka_unit_test(other_texts_are_no_durations),
        cmocka_unit_test(durations_are_printed_without_empty_parts),
        cmocka_unit_test(random_durations_read_back),
        cmocka_unit_test(sizes_have_binary_and_decimal_units),
        cmocka_unit_test(other_texts_are_no_sizes),
        cmocka_unit_test(sizes_are_printed_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
