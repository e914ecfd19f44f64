/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"
#include "tt_test.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* The oracle: strtod in the C locale, which tests start in. */
static void check(const char *text)
{
    const char *end = text + strlen(text);
    double value = 7, expected = strtod(text, NULL);

    if (tt_number_scan(text, end, &value) == end && bits_of(value) == bits_of(expected))
        return;
    print_error("\"%s\" is %a, read as %a\n", text, expected, value);
    fail();
}

static void numbers_are_those_of_strtod_to_the_last_bit(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "-.5e-3",
        "007",
        "1e5",
        "1E+5",
        "9007199254740992",
        "9007199254740993",
        "9007199254740995",
        "9007199254740993e1",
        "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999",
        "99999999999999999999",
        "0000000000000000000000000012.5",
        "0.000000000000000000000000001234",
        "1.7976931348623157e308",
        "1e309",
        "-1e999999999999",
        "4.9406564584124654e-324",
        "2.4703282292062328e-324",
        "1e-999999999999",
        "0e999999999",
        "2.2250738585072011e-308",
        "1.00000000000000011102230246251565404",
        "9007199254740992.5",
        "9007199254740993.0",
        "4503599627370497.5",
        "4503599627370496.5",
        "1e-22",
        "1e-38",
        "9999999999999999999e-38",
        "9223372036854775808e-20",
        "1e22",
        "9007199254740993e22",
        "9999999999999999999e19",
        "1.2345678901234567e-05",
        "179769313486231580793e289",
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++)
        check(texts[i]);
}

static void random_numbers_of_every_length_are_those_of_strtod(void **state)
{
    uint64_t random = 42;
    char text[64];

    (void)state;
    for (int i = 0; i < 400000; i++) {
        uint64_t word = tt_test_random(&random) >> (tt_test_random(&random) % 64);
        int power = (int)(tt_test_random(&random) % 90) - 45;
        int cut = (int)(tt_test_random(&random) % 20);
        (void)snprintf(text, sizeof(text), "%" PRIu64 "e%d", word, power);
        check(text);
        (void)snprintf(text, sizeof(text), "%.*f", cut, (double)word / 1e9);
        check(text);
        (void)snprintf(text, sizeof(text), "%.*g", 1 + cut, (double)word * pow(10, power));
        check(text);
    }
}

/* Where the quotient has hardly more bits than a double, what is left over decides one rounding in some thousands. */
static void what_a_division_leaves_over_decides_ties(void **state)
{
    uint64_t random = 7;
    char text[64];

    (void)state;
    for (int i = 0; i < 300000; i++) {
        int power = i % 2 == 0 ? 17 + i / 2 % 3 : 36 + i / 2 % 3;
        (void)snprintf(text, sizeof(text), "%" PRIu64 "e-%d",
                       tt_test_random(&random) % UINT64_C(9999999999999999999), power);
        check(text);
    }
}

/* Exactly between two doubles, and the nearest decimals on both sides: m + 1/2 with 54 bits, as it is and with decimals. */
static void halves_go_to_the_even_neighbour(void **state)
{
    uint64_t random = 7;
    char text[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int power = i % 5;
        uint64_t half = (UINT64_C(1) << 53) | (tt_test_random(&random) >> 11) | 1;
        for (int p = 0; p < power; p++)
            half *= 5;
        for (uint64_t w = half - 1; w <= half + 1; w++) {
            (void)snprintf(text, sizeof(text), "%" PRIu64 "e-%d", w, power);
            check(text);
        }
    }
}

static void a_number_ends_where_its_grammar_ends(void **state)
{
    static const struct {
        const char *text;
        double value;
        size_t len; /* 0: no number */
    } cases[] = {
        {"12,5", 12, 2},   {"12:30", 12, 2}, {"1e", 1, 1},      {"1e+", 1, 1}, {"1e-x", 1, 1},
        {"1.2.3", 1.2, 3}, {"-", 0, 0},      {"", 0, 0},        {".", 0, 0},   {"-.", 0, 0},
        {"e5", 0, 0},      {" 1", 0, 0},     {"nan", 0, 0},     {"inf", 0, 0}, {"0x10", 0, 1},
        {"--1", 0, 0},     {"1 ", 1, 1},     {"5e2e3", 500, 3}, {"+-1", 0, 0}, {"1_000", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        const char *text = cases[i].text;
        double value = 0;
        const char *stop = tt_number_scan(text, text + strlen(text), &value);
        assert_int_equal(stop == NULL ? 0 : (size_t)(stop - text), cases[i].len);
        assert_true(value == cases[i].value);
    }
}

static void nothing_behind_the_end_is_read(void **state)
{
    double value;

    (void)state;
    for (size_t len = 1; len <= 12; len++) {
        char *text = malloc(len); /* exactly: the sanitizer sees a byte too much */
        const char *stop;
        assert_non_null(text);
        memcpy(text, "-12.75e+1234", len);
        stop = tt_number_scan(text, text + len, &value);
        assert_true(len == 1 ? stop == NULL : stop != NULL && stop <= text + len);
        free(text);
    }
}

static void the_locale_is_not_asked(void **state)
{
    static const char text[] = "1.5";
    double value;

    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        skip(); /* neither is installed */
    assert_non_null(tt_number_scan(text, text + 3, &value));
    assert_true(value == 1.5);
    (void)setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_strtod_to_the_last_bit),
        cmocka_unit_test(random_numbers_of_every_length_are_those_of_strtod),
        cmocka_unit_test(what_a_division_leaves_over_decides_ties),
        cmocka_unit_test(halves_go_to_the_even_neighbour),
        cmocka_unit_test(a_number_ends_where_its_grammar_ends),
        cmocka_unit_test(nothing_behind_the_end_is_read),
        cmocka_unit_test(the_locale_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
