/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "tt_test.h"

#include <math.h>

static void comparison_ignores_case_of_ascii_only(void **state)
{
    (void)state;
    assert_true(tt_str_equal_nocase(TT_STR("X-Anomaly"), TT_STR("x-aNOMALY")));
    assert_true(tt_str_equal_nocase(TT_STR(""), (struct tt_str){NULL, 0}));
    assert_false(tt_str_equal_nocase(TT_STR("a"), TT_STR("ab")));
    assert_false(tt_str_equal_nocase(TT_STR("["), TT_STR("{")));
    assert_false(tt_str_equal_nocase(TT_STR("@"), TT_STR("`")));
    assert_false(tt_str_equal_nocase(TT_STR("\xc3\x84"), TT_STR("\xc3\xa4")));
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void order_is_that_of_bytes(void **state)
{
    static const char *const sorted[] = {"", "A", "AB", "a", "ab", "b", "\xff"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(sorted); i++)
        for (size_t j = 0; j < TT_LENGTH(sorted); j++)
            assert_int_equal(sign(tt_str_compare(tt_str(sorted[i]), tt_str(sorted[j]))),
                             (i > j) - (i < j));
    assert_int_equal(tt_str_compare(tt_str(NULL), TT_STR("")), 0);
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(tt_str_starts_with(TT_STR("abc"), TT_STR("ab")));
    assert_true(tt_str_starts_with(TT_STR("abc"), TT_STR("abc")));
    assert_true(tt_str_starts_with(tt_str(NULL), TT_STR("")));
    assert_false(tt_str_starts_with(TT_STR("ab"), TT_STR("abc")));
    assert_false(tt_str_starts_with(TT_STR("abc"), TT_STR("B")));
    assert_true(tt_str_starts_with_nocase(TT_STR("ABc"), TT_STR("ab")));
    assert_false(tt_str_starts_with_nocase(TT_STR("A"), TT_STR("ab")));
    assert_false(tt_str_starts_with_nocase(TT_STR("Ax"), TT_STR("ab")));
    assert_true(tt_str_ends_with(TT_STR("abc"), TT_STR("bc")));
    assert_true(tt_str_ends_with(tt_str(NULL), tt_str(NULL)));
    assert_false(tt_str_ends_with(TT_STR("c"), TT_STR("bc")));
    assert_false(tt_str_ends_with(TT_STR("abd"), TT_STR("bc")));
}

static void find_and_trim(void **state)
{
    (void)state;
    assert_int_equal(tt_str_find(TT_STR("a,b,c"), ','), 1);
    assert_int_equal(tt_str_find(TT_STR("abc"), ','), 3);
    assert_int_equal(tt_str_find(tt_str(NULL), ','), 0);
    assert_str(tt_str_trim(TT_STR(" \t\r\na b\n ")), "a b");
    assert_str(tt_str_trim(TT_STR(" \n")), "");
    assert_str(tt_str_trim(tt_str(NULL)), "");
    assert_str(tt_str_trim(TT_STR("\va")), "\va");
}

static void cut_walks_a_list(void **state)
{
    static const struct {
        const char *list;
        size_t parts;
        const char *joined;
    } cases[] = {
        {"a,b,c", 3, "a;b;c;"}, {"a", 1, "a;"}, {"", 1, ";"}, {",", 2, ";;"}, {"a,,", 3, "a;;;"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_str rest = tt_str(cases[i].list);
        char joined[32] = "";
        size_t parts = 0, len = 0;
        for (; rest.data != NULL; parts++) {
            struct tt_str part = tt_str_cut(&rest, ',');
            len += (size_t)snprintf(joined + len, sizeof(joined) - len, "%.*s;", TT_STR_ARG(part));
        }
        assert_int_equal(parts, cases[i].parts);
        assert_string_equal(joined, cases[i].joined);
        assert_int_equal(rest.len, 0);
    }
}

static void integers_fit_or_are_refused(void **state)
{
    static const struct {
        const char *text;
        bool is_int64, is_uint64;
        int64_t value; /* of both, as two's complement */
    } cases[] = {
        {"0", true, true, 0},
        {"-0", true, false, 0},
        {"007", true, true, 7},
        {"42", true, true, 42},
        {"-42", true, false, -42},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", false, true, INT64_MIN},
        {"-9223372036854775808", true, false, INT64_MIN},
        {"-9223372036854775809", false, false, 0},
        {"18446744073709551615", false, true, -1},
        {"18446744073709551616", false, false, 0},
        {"18446744073709551620", false, false, 0},
        {"99999999999999999999999", false, false, 0},
        {"", false, false, 0},
        {"-", false, false, 0},
        {"+1", false, false, 0},
        {" 1", false, false, 0},
        {"1 ", false, false, 0},
        {"--1", false, false, 0},
        {"1a", false, false, 0},
        {"1.0", false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        int64_t as_int64 = 0;
        uint64_t as_uint64 = 0;
        print_message("\"%s\"\n", cases[i].text);
        assert_int_equal(tt_str_to_int64(tt_str(cases[i].text), &as_int64), cases[i].is_int64);
        assert_int_equal(tt_str_to_uint64(tt_str(cases[i].text), &as_uint64), cases[i].is_uint64);
        assert_int_equal(as_int64, cases[i].is_int64 ? cases[i].value : 0);
        assert_int_equal(as_uint64, cases[i].is_uint64 ? cases[i].value : 0);
    }
    assert_false(tt_str_to_int64(tt_str_of("1\0", 2), &(int64_t){0}));
}

static void doubles_are_read_to_the_nearest(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"-1.5", -1.5},
        {".5", 0.5},
        {"5.", 5},
        {"+2", 2},
        {"0.1", 0.1},
        {"123456.789", 123456.789},
        {"9007199254740993", 9007199254740992.0},
        {"999999999999999999", 1e18},
        {"9999999999999999999", 1e19},
        {"0.000000000000000001", 1e-18},
        {"1e3", 1000},
        {"1E-3", 0.001},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"2.4e-324", 0},
        {"2.5e-324", 5e-324},
        {"0x1p4", 16},
        {"inf", (double)INFINITY},
        {"-Infinity", -(double)INFINITY},
        {"1e999", (double)INFINITY},
    };
    double value;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        print_message("\"%s\"\n", cases[i].text);
        assert_true(tt_str_to_double(tt_str(cases[i].text), &value));
        assert_true(value == cases[i].value);
    }
    assert_true(tt_str_to_double(TT_STR("nan"), &value) && isnan(value));
    assert_true(tt_str_to_double(TT_STR("-0"), &value) && value == 0 && signbit(value));
}

static void texts_that_are_no_double_are_refused(void **state)
{
    static const char *const texts[] = {
        "",   "-",  ".",   "-.", " 1",  "\n1", "\v1", "\f1", "1 ",    "1,5",   "1..2",  "1.2.3",
        "1e", "e5", "abc", "1x", "--1", "+-1", "0x",  "1_0", "infin", "nanny", "1e5.5", "\xd9\xa1",
    };
    char digits[402];
    double value = 7;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        print_message("\"%s\"\n", texts[i]);
        assert_false(tt_str_to_double(tt_str(texts[i]), &value));
    }
    assert_false(tt_str_to_double(tt_str_of("1\0", 2), &value));
    assert_true(value == 7);
    memset(digits, '1', sizeof(digits));
    assert_true(tt_str_to_double(tt_str_of(digits, 400), &value));
    assert_false(tt_str_to_double(tt_str_of(digits, 401), &value));
}

static void random_decimals_are_read_as_strtod_does(void **state)
{
    uint64_t random = 17;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = tt_test_random(&random);
        char text[64];
        double value;
        (void)snprintf(text, sizeof(text), "%s%llu.%0*llu", bits % 2 == 0 ? "" : "-",
                       (unsigned long long)(bits >> (20 + i % 44)), i % 12 + 1,
                       (unsigned long long)(bits % 100000));
        assert_true(tt_str_to_double(tt_str(text), &value));
        assert_true(value == strtod(text, NULL));
    }
}

static void hex_takes_exactly_the_length(void **state)
{
    uint8_t bytes[4] = {0};
    char hex[8];

    (void)state;
    assert_true(tt_hex_decode(TT_STR("00ffA9b8"), bytes, 4));
    assert_memory_equal(bytes, "\x00\xff\xa9\xb8", 4);
    tt_hex_encode(bytes, 4, hex);
    assert_memory_equal(hex, "00ffa9b8", 8);
    assert_true(tt_hex_decode(TT_STR(""), bytes, 0));
    assert_false(tt_hex_decode(TT_STR("00ffa9"), bytes, 4));
    assert_false(tt_hex_decode(TT_STR("00ffa9b"), bytes, 3));
    assert_false(tt_hex_decode(TT_STR("00ffa9b8c"), bytes, 4));
    for (int c = 0; c < 256; c++) {
        char text[2] = {'0', (char)c};
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(tt_hex_decode(tt_str_of(text, 2), bytes, 1), is_hex);
    }
}

static size_t valid(const char *text)
{
    return tt_utf8_valid_prefix(tt_str(text));
}

static void utf8_limits_are_those_of_rfc_3629(void **state)
{
    static const struct {
        const char *bytes;
        size_t valid;
    } cases[] = {
        {"\x7f", 1},
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xc2\x80", 2},
        {"\xc2\x7f", 0},
        {"\xc2\xc0", 0},
        {"\xc2", 0},
        {"\xdf\xbf", 2},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xe1\x80\x7f", 0},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xef\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf0\x90\x80\xc0", 0},
        {"\xf0\x90\x80", 0},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"abcdefgh\xff", 8},
        {"abcdefghi\xff", 9},
        {"\xc3\xa4x\xc3\xa4\xc3", 5},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_int_equal(valid(cases[i].bytes), cases[i].valid);
    assert_int_equal(tt_utf8_valid_prefix(tt_str_of("a\0b", 3)), 3);
    assert_int_equal(tt_utf8_valid_prefix(tt_str(NULL)), 0);
}

/* Decodes one character the slow way, by value; 0: not valid. */
static size_t model_character(const uint8_t *p, size_t len)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (size_t n = 1; n <= 4 && n <= len; n++) {
        uint32_t code = p[0] & (uint8_t)~forms[n - 1].mask;
        if ((p[0] & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        for (size_t i = 1; i < n; i++) {
            if (p[i] >> 6 != 2)
                return 0;
            code = code << 6 | (p[i] & 0x3f);
        }
        return code < forms[n - 1].least || code > 0x10ffff || code >> 11 == 27 ? 0 : n;
    }
    return 0;
}

static void random_bytes_agree_with_a_decoder(void **state)
{
    static const uint8_t interesting[] = {0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1,
                                          0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5};
    uint64_t random = 23;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        uint8_t bytes[24];
        size_t len = tt_test_random(&random) % sizeof(bytes), expected = 0, n;
        for (size_t i = 0; i < len; i++) {
            uint64_t r = tt_test_random(&random);
            bytes[i] = r % 3 == 0 ? 'a' : interesting[r / 3 % TT_LENGTH(interesting)];
        }
        while (expected < len && (n = model_character(bytes + expected, len - expected)) > 0)
            expected += n;
        assert_int_equal(tt_utf8_valid_prefix(tt_str_of(bytes, len)), expected);
    }
}

static void distance_counts_edits_and_swaps(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"a", "", 1},
        {"abc", "abc", 0},
        {"abc", "abd", 1},
        {"abc", "ab", 1},
        {"abc", "xabc", 1},
        {"abcd", "abdc", 1},
        {"ab", "ba", 1},
        {"ca", "abc", 3},
        {"kitten", "sitting", 3},
        {"endpiont", "endpoint", 1},
        {"exporter", "exporters", 1},
        {"abcdef", "badcfe", 3},
    };
    char text[65];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_int_equal(tt_str_distance(tt_str(cases[i].a), tt_str(cases[i].b)),
                         cases[i].distance);
        assert_int_equal(tt_str_distance(tt_str(cases[i].b), tt_str(cases[i].a)),
                         cases[i].distance);
    }
    memset(text, 'x', sizeof(text));
    assert_int_equal(tt_str_distance(tt_str_of(text, 64), TT_STR("")), 64);
    assert_int_equal(tt_str_distance(tt_str_of(text, 65), tt_str_of(text, 65)), SIZE_MAX);
    assert_int_equal(tt_str_distance(TT_STR(""), tt_str_of(text, 65)), SIZE_MAX);
}

static void hashes_depend_on_every_bit_and_the_seed(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 70; len++) {
        uint8_t bytes[70];
        uint64_t before;
        memset(bytes, 0x5a, sizeof(bytes));
        before = tt_hash(bytes, len, 1);
        assert_true(before == tt_hash(bytes, len, 1));
        assert_true(before != tt_hash(bytes, len, 2));
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            /* A 64-bit hash of which fewer than 8 bits change is a sign of weak mixing. */
            assert_in_range(__builtin_popcountll(before ^ tt_hash(bytes, len, 1)), 8, 56);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void hashes_tell_lengths_of_equal_bytes_apart(void **state)
{
    static const uint8_t zeros[64];

    (void)state;
    for (size_t a = 0; a <= sizeof(zeros); a++)
        for (size_t b = 0; b < a; b++)
            assert_true(tt_hash(zeros, a, 9) != tt_hash(zeros, b, 9));
}

static int compare_counts(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Ids that count up, in the first or the last byte, fill the low and the high bits of the hash evenly. */
static void hashes_of_16_byte_ids_are_spread(void **state)
{
    static uint16_t buckets[4][4096];
    enum { IDS = 65536 };

    (void)state;
    memset(buckets, 0, sizeof(buckets));
    for (uint32_t i = 0; i < IDS; i++) {
        uint8_t first[16] = {0}, last[16] = {0};
        memcpy(first, &i, 4);
        memcpy(last + 12, &i, 4);
        buckets[0][tt_hash(first, 16, 77) % 4096]++;
        buckets[1][tt_hash(first, 16, 77) >> 52]++;
        buckets[2][tt_hash(last, 16, 77) % 4096]++;
        buckets[3][tt_hash(last, 16, 77) >> 52]++;
    }
    for (size_t i = 0; i < TT_LENGTH(buckets); i++) {
        qsort(buckets[i], 4096, sizeof(buckets[i][0]), compare_counts);
        /* 16 on average: a Poisson count is in 1 to 40 with certainty for practical purposes. */
        assert_true(buckets[i][0] >= 1);
        assert_true(buckets[i][4095] <= 40);
    }
}

static void the_seed_is_drawn_once(void **state)
{
    (void)state;
    assert_true(tt_hash_seed() != 0);
    assert_true(tt_hash_seed() == tt_hash_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_ignores_case_of_ascii_only),
        cmocka_unit_test(order_is_that_of_bytes),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(find_and_trim),
        cmocka_unit_test(cut_walks_a_list),
        cmocka_unit_test(integers_fit_or_are_refused),
        cmocka_unit_test(doubles_are_read_to_the_nearest),
        cmocka_unit_test(texts_that_are_no_double_are_refused),
        cmocka_unit_test(random_decimals_are_read_as_strtod_does),
        cmocka_unit_test(hex_takes_exactly_the_length),
        cmocka_unit_test(utf8_limits_are_those_of_rfc_3629),
        cmocka_unit_test(random_bytes_agree_with_a_decoder),
        cmocka_unit_test(distance_counts_edits_and_swaps),
        cmocka_unit_test(hashes_depend_on_every_bit_and_the_seed),
        cmocka_unit_test(hashes_tell_lengths_of_equal_bytes_apart),
        cmocka_unit_test(hashes_of_16_byte_ids_are_spread),
        cmocka_unit_test(the_seed_is_drawn_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
