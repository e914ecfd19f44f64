/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "tt_test.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>

static void appends_grow_up_to_the_maximum(void **state)
{
    struct tt_buffer buffer;

    (void)state;
    tt_buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++) {
        tt_buffer_append_byte(&buffer, (char)('a' + i % 26));
        assert_true(buffer.len <= buffer.cap && buffer.cap <= buffer.max);
    }
    assert_int_equal(buffer.failed, TT_OK);
    assert_int_equal(buffer.len, 1000);
    assert_int_equal(buffer.data[999], 'a' + 999 % 26);
    tt_buffer_append_byte(&buffer, 'x');
    assert_int_equal(buffer.failed, TT_TOO_LARGE);
    assert_int_equal(buffer.len, 1000);
    tt_buffer_done(&buffer);
    tt_buffer_done(&buffer);
}

static void a_failure_stays_until_it_is_cleared(void **state)
{
    struct tt_buffer buffer;
    struct tt_error err;

    (void)state;
    tt_buffer_init(&buffer, 10);
    tt_buffer_append_str(&buffer, TT_STR("12345"));
    assert_ok(tt_buffer_check(&buffer, "write", &err), &err);
    tt_buffer_append_str(&buffer, TT_STR("123456"));
    tt_buffer_append_str(&buffer, TT_STR("1"));
    assert_str(tt_buffer_view(&buffer), "12345");
    assert_null(tt_buffer_reserve(&buffer, 1));
    assert_status(tt_buffer_check(&buffer, "write", &err), TT_TOO_LARGE);
    assert_string_equal(err.message, "write: more than 10 bytes");
    tt_buffer_clear(&buffer);
    assert_ok(tt_buffer_check(&buffer, "write", NULL), NULL);
    tt_buffer_append_str(&buffer, TT_STR("1"));
    assert_str(tt_buffer_view(&buffer), "1");
    tt_buffer_done(&buffer);
}

static void exhausted_memory_is_reported(void **state)
{
    struct tt_buffer buffer;
    struct tt_error err;

    (void)state;
    tt_buffer_init(&buffer, 1000);
    tt_mem_fail_after(1);
    tt_buffer_append_str(&buffer, TT_STR("1"));
    tt_mem_fail_after(0);
    assert_status(tt_buffer_check(&buffer, "write", &err), TT_NO_MEMORY);
    assert_string_equal(err.message, "write: out of memory");
    tt_buffer_done(&buffer);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct tt_buffer buffer;

    (void)state;
    tt_buffer_init(&buffer, SIZE_MAX);
    tt_buffer_append_byte(&buffer, 'x');
    assert_null(tt_buffer_reserve(&buffer, SIZE_MAX));
    assert_int_equal(buffer.failed, TT_TOO_LARGE);
    tt_buffer_done(&buffer);
}

static void room_for_nothing_is_no_failure(void **state)
{
    struct tt_buffer buffer;

    (void)state;
    tt_buffer_init(&buffer, 1);
    tt_buffer_append(&buffer, NULL, 0);
    assert_null(buffer.data);
    assert_non_null(tt_buffer_reserve(&buffer, 0));
    tt_buffer_append_byte(&buffer, 'x');
    assert_non_null(tt_buffer_reserve(&buffer, 0));
    assert_int_equal(buffer.failed, TT_OK);
    tt_buffer_done(&buffer);
}

static void take_gives_the_bytes_away(void **state)
{
    struct tt_buffer buffer;
    size_t len;
    char *data;

    (void)state;
    tt_buffer_init(&buffer, 100);
    tt_buffer_append_str(&buffer, TT_STR("abc"));
    data = tt_buffer_take(&buffer, &len);
    assert_str_equal(tt_str_of(data, len), TT_STR("abc"));
    tt_free(data);
    assert_int_equal(buffer.len, 0);
    assert_int_equal(buffer.max, 100);
    assert_null(tt_buffer_take(&buffer, NULL));
    tt_buffer_done(&buffer);
}

static void printf_takes_any_length(void **state)
{
    struct tt_buffer buffer;

    (void)state;
    tt_buffer_init(&buffer, 1002);
    for (int width = 254; width <= 258; width++) {
        tt_buffer_clear(&buffer);
        tt_buffer_printf(&buffer, "%s|%*d", "a", width - 2, 7);
        assert_int_equal(buffer.len, width);
        assert_int_equal(buffer.data[width - 1], '7');
    }
    tt_buffer_clear(&buffer);
    tt_buffer_printf(&buffer, "%s", "");
    assert_int_equal(buffer.len, 0);
    tt_buffer_printf(&buffer, "%1002d", 7);
    assert_int_equal(buffer.failed, TT_OK);
    assert_int_equal(buffer.len, 1002);
    tt_buffer_clear(&buffer);
    tt_buffer_printf(&buffer, "%1003d", 7);
    assert_int_equal(buffer.failed, TT_TOO_LARGE);
    tt_buffer_done(&buffer);
}

static void integers_are_decimal(void **state)
{
    struct tt_buffer buffer;
    char expected[64];
    uint64_t random = 3;

    (void)state;
    tt_buffer_init(&buffer, 100);
    for (int i = 0; i < 20000; i++) {
        uint64_t value = tt_test_random(&random) >> (i % 64);
        tt_buffer_clear(&buffer);
        tt_buffer_append_uint64(&buffer, value);
        tt_buffer_append_byte(&buffer, ' ');
        tt_buffer_append_int64(&buffer, (int64_t)value);
        tt_buffer_append_byte(&buffer, ' ');
        tt_buffer_append_int64(&buffer, (int64_t)(0 - value));
        (void)snprintf(expected, sizeof(expected), "%" PRIu64 " %" PRId64 " %" PRId64, value,
                       (int64_t)value, (int64_t)(0 - value));
        assert_str(tt_buffer_view(&buffer), expected);
    }
    tt_buffer_clear(&buffer);
    tt_buffer_append_uint64(&buffer, UINT64_MAX);
    tt_buffer_append_int64(&buffer, INT64_MIN);
    tt_buffer_append_int64(&buffer, 0);
    assert_str(tt_buffer_view(&buffer), "18446744073709551615-92233720368547758080");
    tt_buffer_done(&buffer);
}

static void doubles_have_their_shortest_text(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {100, "100"},
        {0.1, "0.1"},
        {-0.1, "-0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {123456.789, "123456.789"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {0.000012345, "1.2345e-05"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {9007199254740994.0, "9007199254740994"},
        {1e15, "1000000000000000"},
        {1e16, "10000000000000000"},
        {1.5e16, "15000000000000000"},
        {1e17, "1e+17"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {1e300, "1e+300"},
        {1.5e300, "1.5e+300"},
        {1e-7, "1e-07"},
        {1e-300, "1e-300"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {1.5e-323, "1.5e-323"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {0x1p-44, "5.684341886080802e-14"}, /* only the farther neighbour reads back */
        {0x1p60, "1.152921504606847e+18"},
        {4.35, "4.35"},
        {0.000244140625, "0.000244140625"},
        {1753000000.123456, "1753000000.123456"},
        {(double)NAN, "NaN"},
        {-(double)NAN, "NaN"},
        {(double)INFINITY, "Infinity"},
        {-(double)INFINITY, "-Infinity"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        size_t len = tt_double_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static double double_of_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* How many significant digits a text has. */
static int digits_of(const char *text)
{
    int digits = 0, zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && digits == 0))
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

/* The fewest digits with which printf's correctly rounded text reads back. */
static int fewest_digits(double value)
{
    for (int precision = 1; precision < 17; precision++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value)
            return digits_of(text);
    }
    return 17;
}

static void check_round_trip(double value)
{
    char text[32];
    double back = 0;
    size_t len = tt_double_format(value, text);

    assert_true(len < sizeof(text));
    assert_true(strtod(text, NULL) == value);
    assert_true(tt_str_to_double(tt_str_of(text, len), &back) && back == value);
    if (digits_of(text) > fewest_digits(value)) {
        print_error("%.17g became %s\n", value, text);
        fail();
    }
}

static void random_doubles_round_trip_in_fewest_digits(void **state)
{
    uint64_t random = 5;

    (void)state;
    for (int i = 0; i < 30000; i++) {
        uint64_t bits = tt_test_random(&random);
        double any = double_of_bits(bits & INT64_MAX);
        if (isfinite(any))
            check_round_trip(any);
        check_round_trip((double)(bits >> 11) * 0x1p-53);
        check_round_trip((double)(bits % 1000000) / 1000);
        check_round_trip((double)(bits >> (i % 64)));
        check_round_trip(double_of_bits(bits >> 12));                    /* subnormal */
        check_round_trip(double_of_bits((bits % 2046 + 1) << 52));       /* a power of two */
        check_round_trip(double_of_bits(((bits % 2046 + 1) << 52) - 1)); /* just below one */
    }
}

static void doubles_do_not_depend_on_the_locale(void **state)
{
    struct tt_buffer buffer;
    double back;

    (void)state;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
        print_message("no German locale here: checked in the C locale only\n");
    tt_buffer_init(&buffer, 100);
    tt_buffer_append_double(&buffer, 1.0 / 3);
    assert_str(tt_buffer_view(&buffer), "0.3333333333333333");
    assert_true(tt_str_to_double(TT_STR("1.5e300"), &back) && back == 1.5e300);
    assert_false(tt_str_to_double(TT_STR("1,5e300"), &back));
    assert_non_null(setlocale(LC_NUMERIC, "C"));
    tt_buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_grow_up_to_the_maximum),
        cmocka_unit_test(a_failure_stays_until_it_is_cleared),
        cmocka_unit_test(exhausted_memory_is_reported),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(room_for_nothing_is_no_failure),
        cmocka_unit_test(take_gives_the_bytes_away),
        cmocka_unit_test(printf_takes_any_length),
        cmocka_unit_test(integers_are_decimal),
        cmocka_unit_test(doubles_have_their_shortest_text),
        cmocka_unit_test(random_doubles_round_trip_in_fewest_digits),
        cmocka_unit_test(doubles_do_not_depend_on_the_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
