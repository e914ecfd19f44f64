/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scalar.h"
#include "tt_test.h"

static void scalar_look_follows_the_core_schema(void **state)
{
    static const struct {
        const char *text;
        enum tt_scalar_look look;
    } cases[] = {
        {"", TT_LOOKS_NULL},      {"~", TT_LOOKS_NULL},       {"null", TT_LOOKS_NULL},
        {"NULL", TT_LOOKS_NULL},  {"nUll", TT_LOOKS_TEXT},    {"true", TT_LOOKS_BOOL},
        {"FALSE", TT_LOOKS_BOOL}, {"tRue", TT_LOOKS_TEXT},    {"yes", TT_LOOKS_TEXT},
        {"on", TT_LOOKS_TEXT},    {"0", TT_LOOKS_INT},        {"-12", TT_LOOKS_INT},
        {"+7", TT_LOOKS_INT},     {"0123", TT_LOOKS_INT},     {"0x1F", TT_LOOKS_INT},
        {"0o17", TT_LOOKS_INT},   {"0o18", TT_LOOKS_TEXT},    {"0x", TT_LOOKS_TEXT},
        {"-", TT_LOOKS_TEXT},     {"1.5", TT_LOOKS_DOUBLE},   {".5", TT_LOOKS_DOUBLE},
        {"5.", TT_LOOKS_DOUBLE},  {"1e9", TT_LOOKS_DOUBLE},   {"1e", TT_LOOKS_TEXT},
        {".", TT_LOOKS_TEXT},     {"-.inf", TT_LOOKS_DOUBLE}, {".nan", TT_LOOKS_DOUBLE},
        {"inf", TT_LOOKS_TEXT},   {"1.2.3", TT_LOOKS_TEXT},   {"10s", TT_LOOKS_TEXT},
        {"64MiB", TT_LOOKS_TEXT}, {"1-2", TT_LOOKS_TEXT},     {"2026-08-21", TT_LOOKS_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        if (tt_scalar_look(tt_str(cases[i].text)) != cases[i].look)
            fail_msg("\"%s\"", cases[i].text);
}

static void scalar_int_reads_what_fits(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"+7", true, 7},
        {"0x1F", true, 31},
        {"0o17", true, 15},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"0xffffffffffffffff", false, 0},
        {"0123", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"", false, 0},
        {"+", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        int64_t value = 0;
        if (tt_scalar_int(tt_str(cases[i].text), &value) != cases[i].good ||
            (cases[i].good && value != cases[i].value))
            fail_msg("\"%s\" gave %ld", cases[i].text, (long)value);
    }
}

static void scalar_double_is_finite(void **state)
{
    static const struct {
        const char *text;
        bool good;
        double value;
    } cases[] = {
        {"1", true, 1},     {"0.5", true, 0.5}, {"+.5", true, 0.5},   {"-1e3", true, -1000},
        {"5.", true, 5},    {"0x10", true, 16}, {"1e99", true, 1e99}, {"1e999", false, 0},
        {".inf", false, 0}, {".nan", false, 0}, {"inf", false, 0},    {"x", false, 0},
        {"-0", true, 0},    {"-0.", true, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        double value = 0;
        if (tt_scalar_double(tt_str(cases[i].text), &value) != cases[i].good)
            fail_msg("\"%s\"", cases[i].text);
        if (cases[i].good)
            assert_memory_equal(&value, &cases[i].value, sizeof(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_look_follows_the_core_schema),
        cmocka_unit_test(scalar_int_reads_what_fits),
        cmocka_unit_test(scalar_double_is_finite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
