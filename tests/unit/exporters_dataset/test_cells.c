/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "exporters/dataset/cells.h"
#include "tt_test.h"

static struct tt_str cell(struct tt_buffer *out, struct tt_str text, bool guard)
{
    tt_buffer_clear(out);
    dataset_cell_text(out, text, guard);
    assert_int_equal(out->failed, TT_OK);
    return tt_buffer_view(out);
}

#define S(literal)                      \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

static void only_cells_that_need_quotes_get_them(void **state)
{
    static const struct {
        struct tt_str text, expected;
    } cases[] = {
        {S(""), S("")},
        {S("plain"), S("plain")},
        {S("GET /api/cart/7"), S("GET /api/cart/7")},
        {S("exactly8"), S("exactly8")},
        {S("a,b"), S("\"a,b\"")},
        {S("0123456,"), S("\"0123456,\"")},
        {S("012345678,"), S("\"012345678,\"")},
        {S("say \"hi\""), S("\"say \"\"hi\"\"\"")},
        {S("two\nlines"), S("\"two\nlines\"")},
        {S("cr\ronly"), S("\"cr\ronly\"")},
        {S("nul\0inside"), S("\"nul\0inside\"")},
        {S(" leading"), S("\" leading\"")},
        {S("trailing "), S("\"trailing \"")},
        {S("tab\there"), S("\"tab\there\"")},
        {S("gr\xC3\xBC\xC3\x9F"
           "e"),
         S("\"gr\xC3\xBC\xC3\x9F"
           "e\"")},
        {S("\xFF"), S("\"\xEF\xBF\xBD\"")},
        {S("a\xE2\x82"), S("\"a\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("\"\xFF\""), S("\"\"\"\xEF\xBF\xBD\"\"\"")},
        {S("=SUM(A1)"), S("=SUM(A1)")},
        {S("\x7F"), S("\x7F")},
        {S("+"), S("+")},
    };
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 4096);
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_str_equal(cell(&out, cases[i].text, false), cases[i].expected);
    tt_buffer_done(&out);
}

static void the_guard_disarms_formulas_only(void **state)
{
    static const struct {
        struct tt_str text, expected;
    } cases[] = {
        {S("=cmd|' /C calc'!A0"), S("\"'=cmd|' /C calc'!A0\"")},
        {S("+1"), S("\"'+1\"")},
        {S("-1"), S("\"'-1\"")},
        {S("@x"), S("\"'@x\"")},
        {S("\tx"), S("\"'\tx\"")},
        {S("a=b"), S("a=b")},
        {S(""), S("")},
    };
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 4096);
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_str_equal(cell(&out, cases[i].text, true), cases[i].expected);
    tt_buffer_done(&out);
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] == '"' || text[i] == ',')
            return false;
    return text[0] != ' ' && text[len - 1] != ' ';
}

/* Every byte in every place of texts of many lengths: plain exactly when it is printable ASCII other than quote and comma, and no
 * blank at an end. In memory of its own size, so that the address sanitizer sees a byte too much. */
static void each_byte_is_judged_in_each_place(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 4096);
    for (size_t len = 1; len <= 49; len += len < 19 ? 1 : 15)
        for (unsigned c = 0; c < 256; c++)
            for (size_t at = 0; at < len; at++) {
                char *text = malloc(len), *copy = malloc(len);
                struct tt_str got;
                memset(text, 'x', len);
                text[at] = (char)c;
                got = cell(&out, tt_str_of(text, len), false);
                if ((got.data[0] == '"' && got.len > len) == is_plain(text, len))
                    print_error("byte %u at %zu of %zu\n", c, at, len);
                assert_int_equal(got.data[0] == '"' && got.len > len, !is_plain(text, len));
                assert_int_equal(dataset_copy_plain(copy, tt_str_of(text, len)),
                                 is_plain(text, len));
                if (is_plain(text, len))
                    assert_memory_equal(copy, text, len);
                free(text);
                free(copy);
            }
    tt_buffer_done(&out);
}

static void a_cell_over_the_limit_fails_once_and_for_all(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 8);
    dataset_cell_text(&out, TT_STR("a,b,c,d,e,f,g"), false);
    assert_int_equal(out.failed, TT_TOO_LARGE);
    tt_buffer_done(&out);
}

static void numbers_are_exact(void **state)
{
    static const struct {
        uint64_t ns;
        const char *ms;
    } cases[] = {
        {0, "0"},
        {1, "0.000001"},
        {10, "0.00001"},
        {1500000, "1.5"},
        {12000000, "12"},
        {123456789, "123.456789"},
        {UINT64_MAX, "18446744073709.551615"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        *dataset_put_ms(text, cases[i].ns) = '\0';
        assert_string_equal(text, cases[i].ms);
    }
    *dataset_put_uint(text, UINT64_MAX) = '\0';
    assert_string_equal(text, "18446744073709551615");
    for (uint64_t power = 1;; power *= 10) {
        for (uint64_t value = power - 1; value <= power + 1; value++) {
            char expected[32];
            (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
            *dataset_put_uint(text, value) = '\0';
            assert_string_equal(text, expected);
            (void)snprintf(expected, sizeof(expected), "%09u", (unsigned)(value % 1000000000));
            *dataset_put_nine(text, (uint32_t)(value % 1000000000)) = '\0';
            assert_string_equal(text, expected);
        }
        if (power > UINT64_MAX / 10)
            break;
    }
}

static void timestamps_are_those_of_the_clock(void **state)
{
    static const uint64_t cases[] = {
        0,
        1,
        999999999,
        UINT64_C(86399999999999),
        UINT64_C(86400000000000),
        UINT64_C(951782400000000000), /* 29 February */
        UINT64_C(1755770400123456789),
        UINT64_C(1755770400123456789),
        UINT64_C(1755820799999999999), /* the end of that day */
        UINT64_C(1755820800000000000),
        UINT64_MAX,
    };
    struct dataset_day day = {.number = UINT64_MAX};
    char text[32], expected[32];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        (void)tt_time_format(cases[i], 9, expected);
        *dataset_put_timestamp(text, &day, cases[i]) = '\0';
        assert_string_equal(text, expected);
    }
}

static void ids_are_lower_case_hexadecimal(void **state)
{
    uint8_t id[16];
    char text[33], expected[33] = "";

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (size_t i = 0; i < sizeof(id); i++)
            id[i] = (uint8_t)(first + i * 17);
        tt_hex_encode(id, sizeof(id), expected);
        *dataset_put_id(text, id, sizeof(id)) = '\0';
        assert_string_equal(text, expected);
        expected[16] = '\0';
        *dataset_put_id(text, id, 8) = '\0';
        assert_string_equal(text, expected);
    }
    assert_ptr_equal(dataset_put_id(text, NULL, 16), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_cells_that_need_quotes_get_them),
        cmocka_unit_test(the_guard_disarms_formulas_only),
        cmocka_unit_test(each_byte_is_judged_in_each_place),
        cmocka_unit_test(a_cell_over_the_limit_fails_once_and_for_all),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(timestamps_are_those_of_the_clock),
        cmocka_unit_test(ids_are_lower_case_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
