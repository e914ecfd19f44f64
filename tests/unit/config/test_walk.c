/* SPDX-License-Identifier: Apache-2.0 */
#include "config/walk.h"
#include "sample.h"
#include "tt_test.h"

static void walk_visits_objects_before_their_members(void **state)
{
    struct tt_schema_walk walk;
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    tt_schema_walk_init(&walk, &sample_schema);
    while (tt_schema_walk_next(&walk))
        if (walk.depth > 0 || walk.field->type == TT_CONFIG_OBJECT)
            tt_buffer_printf(&out, "%zu %s\n", walk.depth, walk.path);
    assert_str(tt_buffer_view(&out), "0 rotation\n"
                                     "1 rotation.max_backups\n"
                                     "1 rotation.max_age\n"
                                     "1 rotation.tags\n"
                                     "0 limits\n"
                                     "1 limits.memory\n"
                                     "1 limits.ratio\n");
    assert_false(tt_schema_walk_next(&walk));
    tt_buffer_done(&out);
}

static void walk_of_no_options_ends_at_once(void **state)
{
    static const struct tt_schema nothing = {0};
    struct tt_schema_walk walk;

    (void)state;
    tt_schema_walk_init(&walk, &nothing);
    assert_false(tt_schema_walk_next(&walk));
}

static void check_accepts_a_good_table(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    if (!tt_schema_check(&sample_schema, &out))
        fail_msg("%.*s", TT_STR_ARG(tt_buffer_view(&out)));
    tt_buffer_done(&out);
}

struct small {
    int64_t a, b;
    const char *text;
    int choice;
    tt_dur wait;
    struct tt_pair_list pairs;
    int64_t Upper;
};

static void check_names_what_is_wrong(void **state)
{
    static const char *const none[] = {NULL};
    static const struct {
        struct tt_field field;
        const char *fault;
    } cases[] = {
        {{TT_INT(struct small, a)}, "a: doc is not a sentence with a full stop\n"},
        {{TT_INT(struct small, a), .doc = "No stop"},
         "a: doc is not a sentence with a full stop\n"},
        {{TT_INT(struct small, Upper), .doc = "D."},
         "Upper: the name is not in lower_snake_case\n"},
        {{TT_INT(struct small, a), .doc = "D.", .def = "1", .flags = TT_CONFIG_REQUIRED},
         "a: required, and has a default\n"},
        {{TT_INT(struct small, a), .doc = "D.", .min = 2, .max = 1},
         "a: min is greater than max\n"},
        {{TT_ENUM(struct small, choice), .doc = "D."}, "choice: a choice without choices\n"},
        {{TT_ENUM(struct small, choice), .doc = "D.", .choices = none},
         "choice: a choice without choices\n"},
        {{TT_PAIRS(struct small, pairs), .doc = "D.", .def = "a=b"},
         "pairs: a default for a type that has none\n"},
        {{TT_OBJECT(struct small, a), .doc = "D."}, "a: an object without a schema\n"},
        {{TT_OBJECT(struct small, a), .doc = "D.", .sub = &sample_schema,
          .flags = TT_CONFIG_SECRET},
         "a: a secret object; its members are what is secret\n"},
        {{TT_INT(struct small, a), .doc = "D.", .def = "x"},
         "a default is not valid:\na: \"x\" is not a whole number; write e.g. 10, without quotes\n"},
        {{TT_INT(struct small, a), .doc = "D.", .def = "5", .min = 1, .max = 4},
         "a default is not valid:\na: \"5\" is out of range; allowed: 1 to 4\n"},
        {{TT_DURATION(struct small, wait), .doc = "D.", .def = "10"},
         "a default is not valid:\nwarning: wait: \"10\" without a unit is nanoseconds; write e.g. "
         "500ms, 10s, 1m30s\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_schema schema = {&cases[i].field, 1, sizeof(struct small)};
        struct tt_buffer out;
        tt_buffer_init(&out, 65536);
        assert_false(tt_schema_check(&schema, &out));
        assert_str(tt_buffer_view(&out), cases[i].fault);
        tt_buffer_done(&out);
    }
}

static const struct tt_schema endless;
static const struct tt_field endless_fields[] = {
    {TT_OBJECT(struct small, a), .sub = &endless, .doc = "D."},
};
static const struct tt_schema endless = TT_SCHEMA(struct small, endless_fields);

/* A schema that holds itself cannot be laid out in memory, but a table can say so. */
static void check_finds_too_many_levels(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    assert_false(tt_schema_check(&endless, &out));
    assert_str(tt_buffer_view(&out), "a.a.a.a.a.a.a.a: over 8 levels\n");
    tt_buffer_done(&out);
}

static void check_finds_two_options_of_one_name(void **state)
{
    static const struct tt_field fields[] = {
        {TT_INT(struct small, a), .doc = "D."},
        {TT_INT(struct small, b), .doc = "D."},
        {TT_INT(struct small, a), .doc = "D."},
    };
    static const struct tt_schema schema = TT_SCHEMA(struct small, fields);
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 65536);
    assert_false(tt_schema_check(&schema, &out));
    assert_str(tt_buffer_view(&out), "a: a second option of this name\n");
    tt_buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_visits_objects_before_their_members),
        cmocka_unit_test(walk_of_no_options_ends_at_once),
        cmocka_unit_test(check_accepts_a_good_table),
        cmocka_unit_test(check_names_what_is_wrong),
        cmocka_unit_test(check_finds_too_many_levels),
        cmocka_unit_test(check_finds_two_options_of_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
