/* SPDX-License-Identifier: Apache-2.0 */
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

/* Every byte in every place of a word: plain exactly when it is printable ASCII other than quote and comma, and no blank at
 * an end. */
static void each_byte_is_judged_in_each_place(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 4096);
    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < 19; at++) {
            char text[19];
            bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != ',' &&
                         !(c == ' ' && (at == 0 || at == sizeof(text) - 1));
            struct tt_str got;
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            got = cell(&out, tt_str_of(text, sizeof(text)), false);
            if ((got.data[0] == '"' && got.data[got.len - 1] == '"') == plain)
                print_error("byte %u at %zu\n", c, at);
            assert_int_equal(got.data[0] == '"' && got.len > 19, !plain);
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
    for (uint64_t value = 1; value < UINT64_MAX / 10; value *= 10) {
        char expected[32];
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
        *dataset_put_uint(text, value) = '\0';
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_cells_that_need_quotes_get_them),
        cmocka_unit_test(the_guard_disarms_formulas_only),
        cmocka_unit_test(each_byte_is_judged_in_each_place),
        cmocka_unit_test(a_cell_over_the_limit_fails_once_and_for_all),
        cmocka_unit_test(numbers_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
