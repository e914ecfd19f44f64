/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/names.h"
#include "tt_test.h"

static void listed_types_name_their_file(void **state)
{
    static const char *const types[] = {"latency_spike", "cpu-saturation", "a", "0",
                                        "db_exhaustion2"};
    char name[72];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(types); i++) {
        assert_int_equal(dataset_type_name(tt_str(types[i]), name), strlen(types[i]));
        assert_string_equal(name, types[i]);
    }
}

/* What an attacker would send: nothing but [a-z0-9_-] ever reaches a file name, and no name of ours. */
static void every_other_type_is_a_hash(void **state)
{
    static const struct tt_str types[] = {
        {"../../etc/passwd", 16},
        {"..", 2},
        {".", 1},
        {"/", 1},
        {"a/b", 3},
        {"a\\b", 3},
        {"a\0b", 3},
        {"normal", 6},
        {"labeled", 7},
        {"anomalous", 9},
        {"overflow", 8},
        {"type-0123456789abcdef", 21},
        {"UPPER", 5},
        {"caf\xC3\xA9", 5},
        {"a b", 3},
        {"\xFF\xFE", 2},
        {"con.csv", 7},
        {"a\nb", 3},
        {"", 0},
        {"%2e%2e", 6},
        {"traces_labeled.csv.partial", 26},
        {"$(id)", 5},
        {"-rf ", 4},
        {"NUL", 3},
    };
    char names[TT_LENGTH(types)][72];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(types); i++) {
        assert_int_equal(dataset_type_name(types[i], names[i]), 21);
        assert_memory_equal(names[i], "type-", 5);
        assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789-_"), 21);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

static void long_types_are_a_hash(void **state)
{
    char text[100], name[72];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(dataset_type_name(tt_str_of(text, 64), name), 64);
    assert_int_equal(dataset_type_name(tt_str_of(text, 65), name), 21);
}

/* The name is part of what users keep: it must not change between versions. */
static void the_hash_is_sha256(void **state)
{
    char name[72];

    (void)state;
    (void)dataset_type_name(TT_STR("UPPER"), name);
    assert_string_equal(name, "type-9cba1c6593a62cf5");
}

static void names_are_split_into_prefix_and_stamp(void **state)
{
    static const struct {
        const char *name, *prefix; /* NULL: not a name of ours */
    } cases[] = {
        {"traces_labeled_20260821_100000.csv", "traces_labeled"},
        {"traces_a_b_20260821_100000.csv", "traces_a_b"},
        {"traces_20260821_100000_20260821_100000.csv", "traces_20260821_100000"},
        {"_20260821_100000.csv", NULL},
        {"traces_labeled_20260821-100000.csv", NULL},
        {"traces_labeled_2026082_100000.csv", NULL},
        {"traces_labeled20260821_100000.csv", NULL},
        {"traces_labeled_20260821_100000.csv.partial", NULL},
        {"", NULL},
    };
    struct tt_str prefix, stamp;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        bool ours = dataset_name_split(tt_str(cases[i].name), TT_STR(".csv"), &prefix, &stamp);
        assert_int_equal(ours, cases[i].prefix != NULL);
        if (!ours)
            continue;
        assert_str(prefix, cases[i].prefix);
        assert_str(stamp, "20260821_100000");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_types_name_their_file),
        cmocka_unit_test(every_other_type_is_a_hash),
        cmocka_unit_test(long_types_are_a_hash),
        cmocka_unit_test(the_hash_is_sha256),
        cmocka_unit_test(names_are_split_into_prefix_and_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
