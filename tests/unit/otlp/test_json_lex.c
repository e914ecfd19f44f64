/* SPDX-License-Identifier: Apache-2.0 */
/* Strictness: what RFC 8259 does not allow is refused wherever it stands, and nothing else is. */
#include "otlp/json.h"
#include "otlp/json_lex.h"
#include "tt_test.h"

#include <math.h>

/* Cases may hold NUL bytes. */
#define CASE(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/* After the names of JSONTestSuite's n_ files, as values of a member. */
static const struct tt_str bad_values[] = {
    /* arrays */
    CASE("[1 true]"),
    CASE("[a\xe5]"),
    CASE("[\"\": 1]"),
    CASE("[\"\"],"),
    CASE("[,1]"),
    CASE("[1,,2]"),
    CASE("[\"x\",,]"),
    CASE("[\"x\"]]"),
    CASE("[\"\",]"),
    CASE("[\"x\""),
    CASE("[x"),
    CASE("[3[4]]"),
    CASE("[\xff]"),
    CASE("[1:2]"),
    CASE("[,]"),
    CASE("[-]"),
    CASE("[   , \"\"]"),
    CASE("[\"a\",\n4\n,1,"),
    CASE("[1,]"),
    CASE("[1,,]"),
    CASE("[\"\va\"\\f]"),
    CASE("[*]"),
    CASE("[\"\""),
    CASE("[1,"),
    CASE("[1,\n1\n,1"),
    CASE("[{}"),
    CASE("["),
    CASE("[[]"),
    CASE("[1}"),
    CASE("[}"),
    /* words */
    CASE("[fals]"),
    CASE("[nul]"),
    CASE("[tru]"),
    CASE("[True]"),
    CASE("nulll"),
    CASE("truefalse"),
    CASE("NULL"),
    CASE("undefined"),
    CASE("fals"),
    CASE("nu"),
    /* numbers */
    CASE("[++1234]"),
    CASE("[+1]"),
    CASE("[+Inf]"),
    CASE("[-01]"),
    CASE("[-1.0.]"),
    CASE("[-2.]"),
    CASE("[-NaN]"),
    CASE("[.-1]"),
    CASE("[.2e-3]"),
    CASE("[0.1.2]"),
    CASE("[0.3e+]"),
    CASE("[0.3e]"),
    CASE("[0.e1]"),
    CASE("[0E+]"),
    CASE("[0E]"),
    CASE("[0e+]"),
    CASE("[0e]"),
    CASE("[1.0e+]"),
    CASE("[1.0e-]"),
    CASE("[1.0e]"),
    CASE("[1 000.0]"),
    CASE("[1eE2]"),
    CASE("[2.e+3]"),
    CASE("[2.e-3]"),
    CASE("[2.e3]"),
    CASE("[9.e+]"),
    CASE("[Inf]"),
    CASE("[NaN]"),
    CASE("[\xef\xbc\x91]"),
    CASE("[1+2]"),
    CASE("[0x1]"),
    CASE("[0x42]"),
    CASE("[Infinity]"),
    CASE("[0e+-1]"),
    CASE("[-123.123foo]"),
    CASE("[123\xe5]"),
    CASE("[1e1\xe5]"),
    CASE("[0\xe5]"),
    CASE("[-Infinity]"),
    CASE("[-foo]"),
    CASE("[- 1]"),
    CASE("[-012]"),
    CASE("[-.123]"),
    CASE("[-1x]"),
    CASE("[1ea]"),
    CASE("[1e\xe5]"),
    CASE("[1.]"),
    CASE("[.123]"),
    CASE("[1.2a-3]"),
    CASE("[1.8011670033376514H-308]"),
    CASE("[012]"),
    CASE("01"),
    CASE("[1\0]"),
    CASE("-"),
    CASE("1."),
    CASE("0x"),
    /* objects */
    CASE("[\"x\", truth]"),
    CASE("{[: \"x\"}\n"),
    CASE("{\"x\", null}"),
    CASE("{\"x\"::\"b\"}"),
    CASE("{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"),
    CASE("{\"a\":\"a\" 123}"),
    CASE("{key: 'value'}"),
    CASE("{\"\xb9\":\"0\",}"),
    CASE("{\"a\" b}"),
    CASE("{:\"b\"}"),
    CASE("{\"a\" \"b\"}"),
    CASE("{\"a\":"),
    CASE("{\"a\""),
    CASE("{1:1}"),
    CASE("{9999E9999:1}"),
    CASE("{null:null,null:null}"),
    CASE("{\"id\":0,,,,,}"),
    CASE("{'a':0}"),
    CASE("{\"id\":0,}"),
    CASE("{\"a\":\"b\"}/**/"),
    CASE("{\"a\":\"b\"}#"),
    CASE("{\"a\":\"b\"}//"),
    CASE("{\"a\":\"b\",,\"c\":\"d\"}"),
    CASE("{a: \"b\"}"),
    CASE("{\"a\":\"a"),
    CASE("{ \"foo\" : \"bar\", \"a\" }"),
    CASE("{\"a\":\"b\"}#{}"),
    CASE("{\"a\":}"),
    CASE("{,}"),
    CASE("{"),
    CASE("{\"a\":1]"),
    CASE("{]"),
    /* strings */
    CASE("[\"\\uD800\\\"]"),
    CASE("[\"\\uD800\\u\"]"),
    CASE("[\"\\uD800\\u1\"]"),
    CASE("[\"\\uD800\\u1x\"]"),
    CASE("[\xc3\xa9]"),
    CASE("[\"\\\0\"]"),
    CASE("[\"\\x00\"]"),
    CASE("[\"\\\\\\\"]"),
    CASE("[\"\\\t\"]"),
    CASE("[\"\\\xf0\x9f\x8c\x80\"]"),
    CASE("[\"\\\"]"),
    CASE("[\"\\u00A\"]"),
    CASE("[\"\\uD834\\uDd\"]"),
    CASE("[\"\\uD800\\uD800\\x\"]"),
    CASE("[\"\\u\xe5\"]"),
    CASE("[\"\\a\"]"),
    CASE("[\"\\uqqqq\"]"),
    CASE("[\"\\\xe5\"]"),
    CASE("[\\u0020\"asd\"]"),
    CASE("[\\n]"),
    CASE("\""),
    CASE("['single quote']"),
    CASE("[\"\\"),
    CASE("[\"a\0a\"]"),
    CASE("[\"new\nline\"]"),
    CASE("[\"\t\"]"),
    CASE("\"\\UA66D\""),
    CASE("\"a\x1f\""),
    CASE("\"\\uD800\""),
    CASE("\"\\uDC00\""),
    CASE("\"\\uDC00\\uD800\""),
    CASE("\"\\uD800 \\uDC00\""),
    CASE("abc"),
    CASE("\"0123456789abcdef\nx\""),
    CASE("\"0123456789abcdef"),
    /* structures */
    CASE(""),
    CASE("<.>"),
    CASE("[<null>]"),
    CASE("[1]x"),
    CASE("[1]]"),
    CASE("[\"asd]"),
    CASE("a\xc3\xa5"),
    CASE("[True]"),
    CASE("1]"),
    CASE("[][]"),
    CASE("]"),
    CASE("[\xe2\x81\xa0]"),
    CASE("\f[]"),
    CASE("\xc2\xa0"),
    CASE("2@"),
    CASE("{}}"),
    CASE("{\"\":"),
    CASE("*"),
    CASE("[1\f]"),
    CASE("\0"),
    CASE("[\0]"),
};

/* y_ files and those of the i_ files that a decoder may take. */
static const struct tt_str good_values[] = {
    CASE("[[]   ]"),
    CASE("[\"\"]"),
    CASE("[]"),
    CASE("[null, 1, \"1\", {}]"),
    CASE("[null]"),
    CASE("[1\n]"),
    CASE(" [1]"),
    CASE("[1,null,null,null,2]"),
    CASE("[2] "),
    CASE("[123e65]"),
    CASE("[0e+1]"),
    CASE("[0e1]"),
    CASE("[ 4]"),
    CASE("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
    CASE("[20e1]"),
    CASE("[-0]"),
    CASE("[-123]"),
    CASE("[-1]"),
    CASE("[1E22]"),
    CASE("[1E-2]"),
    CASE("[1E+2]"),
    CASE("[123e45]"),
    CASE("[123.456e78]"),
    CASE("[1e-2]"),
    CASE("[123]"),
    CASE("[123.456789]"),
    CASE("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
    CASE("{\"asd\":\"sdf\"}"),
    CASE("{\"a\":\"b\",\"a\":\"c\"}"),
    CASE("{}"),
    CASE("{\"\":0}"),
    CASE("{\"foo\\u0000bar\": 42}"),
    CASE("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
    CASE("{\"x\":[{\"id\": \"x\"}], \"id\": \"x\"}"),
    CASE("{\n\"a\": \"b\"\n}"),
    CASE("[\"\\u0060\\u012a\\u12AB\"]"),
    CASE("[\"\\uD801\\udc37\"]"),
    CASE("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    CASE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    CASE("[\"\\\\u0000\"]"),
    CASE("[\"\\\"\"]"),
    CASE("[\"a/*b*/c/*d//e\"]"),
    CASE("[\"\\\\a\"]"),
    CASE("[\"\\u0012\"]"),
    CASE("[\"\\uFFFF\"]"),
    CASE("[\"\\uDBFF\\uDFFF\"]"),
    CASE("[\"\xe2\x80\xa8\"]"),
    CASE("[\"\x7f\"]"),
    CASE("\"\""),
    CASE("false"),
    CASE("42"),
    CASE("-0.1"),
    CASE("null"),
    CASE("\"asd\""),
    CASE("true"),
    CASE("[\"a\"]\n"),
    CASE("[true]"),
    CASE(" [] "),
    CASE("\t\r\n 1"),
    CASE("[1e999]"),
    CASE("[\"\xff\"]"),
    CASE("\"0123456789abcdef0123456789abcdef\""),
    CASE("\"0123456789abcde\\n\""),
};

static enum tt_status read_text(struct tt_str text)
{
    struct tt_buffer out;
    struct tt_error err;
    enum tt_status status;

    tt_buffer_init(&out, 1 << 20);
    status = tt_json_read(TT_TRACES, text, NULL, &out, &err);
    tt_buffer_done(&out);
    return status;
}

/* {"unknown":VALUE}, at the very end of its allocation so that a sanitizer sees an overrun. */
static enum tt_status read_as_member(struct tt_str value)
{
    char *text = malloc(value.len + 12);
    enum tt_status status;

    assert_non_null(text);
    memcpy(text, "{\"unknown\":", 11);
    memcpy(text + 11, value.data, value.len);
    text[11 + value.len] = '}';
    status = read_text(tt_str_of(text, value.len + 12));
    free(text);
    return status;
}

static void refuses_every_malformed_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(bad_values); i++) {
        if (read_as_member(bad_values[i]) == TT_INVALID_DATA)
            continue;
        fail_msg("accepted %.*s", TT_STR_ARG(bad_values[i]));
    }
}

static void takes_every_wellformed_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(good_values); i++)
        if (read_as_member(good_values[i]) != TT_OK)
            fail_msg("refused %.*s", TT_STR_ARG(good_values[i]));
}

static void refuses_what_is_not_one_object(void **state)
{
    static const struct tt_str texts[] = {
        CASE(""),
        CASE(" "),
        CASE("null"),
        CASE("[]"),
        CASE("\"x\""),
        CASE("1"),
        CASE("\xef\xbb\xbf{}"),
        CASE("{}{}"),
        CASE("{} x"),
        CASE("{}\0"),
        CASE("\0{}"),
        CASE("{},"),
        CASE("\xff\xfe{\0}\0"),
        CASE("{}//"),
        CASE("}"),
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++)
        if (read_text(texts[i]) != TT_INVALID_DATA)
            fail_msg("accepted %.*s", TT_STR_ARG(texts[i]));
    assert_status(read_text(TT_STR(" \t\r\n{ \n} \n")), TT_OK);
}

static void names_the_byte_and_what_was_expected(void **state)
{
    struct tt_buffer out;
    struct tt_error err;

    (void)state;
    tt_buffer_init(&out, 1 << 20);
    assert_status(tt_json_read(TT_TRACES, TT_STR("{\"resourceSpans\":7}"), NULL, &out, &err),
                  TT_INVALID_DATA);
    assert_string_equal(err.message, "JSON at byte 17: expected [");
    assert_status(tt_json_read(TT_TRACES, TT_STR("{\"x\":"), NULL, &out, &err), TT_INVALID_DATA);
    assert_string_equal(err.message, "JSON at byte 5: expected a value, found the end");
    tt_buffer_done(&out);
}

static void bounds_the_depth_of_what_it_skips(void **state)
{
    const char *const opens[] = {"[", "{\"a\":"}, *const closes[] = {"]", "}"};
    char text[2048];

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (int depth = TT_JSON_SKIP_DEPTH; depth <= TT_JSON_SKIP_DEPTH + 1; depth++) {
            size_t len = 0;
            for (int i = 0; i < depth; i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", opens[kind]);
            len += (size_t)snprintf(text + len, sizeof(text) - len, "1");
            for (int i = 0; i < depth; i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", closes[kind]);
            assert_status(read_as_member(tt_str_of(text, len)),
                          depth > TT_JSON_SKIP_DEPTH ? TT_INVALID_DATA : TT_OK);
        }
    }
    static char brackets[100000];
    memset(brackets, '[', sizeof(brackets));
    assert_status(read_text(tt_str_of(brackets, sizeof(brackets))), TT_INVALID_DATA);
    assert_status(read_as_member(tt_str_of(brackets, sizeof(brackets))), TT_INVALID_DATA);
}

static void resolves_escapes(void **state)
{
    static const struct {
        struct tt_str raw, expected;
    } cases[] = {
        {CASE("plain\""), CASE("plain")},
        {CASE("\\\"\\\\\\/\\b\\f\\n\\r\\t\""), CASE("\"\\/\b\f\n\r\t")},
        {CASE("\\u0000\\u0041\""), CASE("\0A")},
        {CASE("\\u00e9\\u07FF\\u0800\\uffff\""), CASE("\xc3\xa9\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
        {CASE("\\uD83D\\uDE00!\""), CASE("\xf0\x9f\x98\x80!")},
        {CASE("0123456789abcdef\\n0123456789abcdef\\t\""),
         CASE("0123456789abcdef\n0123456789abcdef\t")},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_str raw = cases[i].raw;
        struct tt_json_lexer lexer = {.at = raw.data, .start = raw.data, .end = raw.data + raw.len};
        struct tt_json_text text;
        char to[64];
        assert_true(tt_json_string_body(&lexer, &text));
        assert_int_equal(text.len, cases[i].expected.len);
        tt_json_unescape(&text, to);
        assert_memory_equal(to, cases[i].expected.data, text.len);
    }
}

static void reads_integers_in_every_form(void **state)
{
    static const struct {
        const char *text;
        bool is_integer;
        uint64_t magnitude;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"0.0", true, 0},
        {"0e99999", true, 0},
        {"1.0", true, 1},
        {"1e3", true, 1000},
        {"1200e-2", true, 12},
        {"18446744073709551615", true, UINT64_MAX},
        {"1.5", false, 0},
        {"1e-1", false, 0},
        {"1e20", false, 0},
        {"18446744073709551616", false, 0},
        {"-12", true, 12},
        {"1e19", true, UINT64_C(10000000000000000000)},
        {"9999999999999999999", true, UINT64_C(9999999999999999999)},
        {"123456789012345678901e-2", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_json_number number;
        uint64_t magnitude = 0;
        assert_true(tt_json_number_of(tt_str(cases[i].text), &number));
        if (tt_json_number_to_magnitude(&number, &magnitude) != cases[i].is_integer)
            fail_msg("%s", cases[i].text);
        if (cases[i].is_integer)
            assert_int_equal(magnitude, cases[i].magnitude);
    }
}

static void reads_doubles_in_range_only(void **state)
{
    static const struct {
        const char *text;
        bool in_range;
        double value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, -0.0},
        {"0.1", true, 0.1},
        {"1e308", true, 1e308},
        {"1e999", false, 0},
        {"-1e309", false, 0},
        {"5e-324", true, 5e-324},
        {"1e-999", true, 0},
        {"123456789.125", true, 123456789.125},
        {"1e23", true, 1e23},
        {"9007199254740993", true, 9007199254740992.0},
        {"2.2250738585072011e-308", true, 2.2250738585072011e-308},
    };
    static char digits[401];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_json_number number;
        double value = 0;
        assert_true(tt_json_number_of(tt_str(cases[i].text), &number));
        assert_int_equal(tt_json_number_to_double(&number, &value), cases[i].in_range);
        if (cases[i].in_range)
            assert_true(memcmp(&value, &cases[i].value, sizeof(value)) == 0);
    }
    memset(digits, '9', 400);
    struct tt_json_number number;
    double value;
    assert_true(tt_json_number_of(tt_str_of(digits, 400), &number));
    assert_false(tt_json_number_to_double(&number, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_malformed_value),
        cmocka_unit_test(takes_every_wellformed_value),
        cmocka_unit_test(refuses_what_is_not_one_object),
        cmocka_unit_test(names_the_byte_and_what_was_expected),
        cmocka_unit_test(bounds_the_depth_of_what_it_skips),
        cmocka_unit_test(resolves_escapes),
        cmocka_unit_test(reads_integers_in_every_form),
        cmocka_unit_test(reads_doubles_in_range_only),
    };

    return cmocka_run_group_tests_name("json_lex", tests, NULL, NULL);
}
