/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "model/json_load.h"
#include "tt_test.h"

static const struct tt_json_bounds bounds = {.max_depth = 3, .max_elements = 8};

static const struct {
    const char *name, *text;
    enum tt_status status;
    const char *message; /* what it contains; NULL: taken */
} cases[] = {
    {"at the depth", "{\"a\": [[1]]}", TT_OK, NULL},
    {"over the depth", "{\"a\": [[[1]]]}", TT_INVALID_DATA, "nested deeper than 3"},
    {"side by side is not deep", "[[], [], {}]", TT_OK, NULL},
    {"at the elements", "[1, 2, 3, 4, 5, 6, 7, 8]", TT_OK, NULL},
    {"over the elements", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", TT_TOO_LARGE, "more than 8 elements"},
    {"brackets in a text", "[\"[[[[[[,,,,,,,,,,\"]", TT_OK, NULL},
    {"a quote in a text", "[\"\\\"[[[[[[\"]", TT_OK, NULL},
    {"a backslash at the end of a text", "[\"\\\\\", [[[1]]]]", TT_INVALID_DATA, "nested deeper"},
    {"closed more than opened", "]]]]", TT_INVALID_DATA, "1:1: "},
    {"the place of a fault", "{\n \"a\": tru\n}", TT_INVALID_DATA, "2:9: "},
    {"a key twice", "{\"a\": 1, \"a\": 2}", TT_INVALID_DATA, "duplicate"},
    {"text behind it", "[] []", TT_INVALID_DATA, "1:"},
    {"nothing", "", TT_INVALID_DATA, "1:0: "},
    {"not UTF-8", "[\"\xff\"]", TT_INVALID_DATA, "0xff"},
};

static void documents_are_taken_within_the_bounds_and_told_where_they_are_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_error err = {.status = TT_OK};
        json_t *root = NULL;
        enum tt_status status = tt_json_load(tt_str(cases[i].text), bounds, &root, &err);
        if (status != cases[i].status || (root != NULL) != (status == TT_OK) ||
            (cases[i].message != NULL && strstr(err.message, cases[i].message) == NULL))
            fail_msg("%s: %s %s", cases[i].name, tt_status_text(status), err.message);
        json_decref(root);
    }
}

static void no_text_at_all_is_refused(void **state)
{
    struct tt_error err;
    json_t *root = NULL;

    (void)state;
    assert_status(tt_json_load((struct tt_str){NULL, 0}, bounds, &root, &err), TT_INVALID_DATA);
    assert_null(root);
}

/* Never seen by jansson, whose recursion would need half a megabyte of stack. */
static void depth_is_refused_before_it_costs_stack(void **state)
{
    struct tt_json_bounds deep = {.max_depth = 16, .max_elements = SIZE_MAX};
    struct tt_buffer text;
    struct tt_error err;
    json_t *root = NULL;

    (void)state;
    tt_buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < 100000; i++)
        tt_buffer_append_byte(&text, '[');
    assert_status(tt_json_load(tt_buffer_view(&text), deep, &root, &err), TT_INVALID_DATA);
    tt_buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_taken_within_the_bounds_and_told_where_they_are_wrong),
        cmocka_unit_test(no_text_at_all_is_refused),
        cmocka_unit_test(depth_is_refused_before_it_costs_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
