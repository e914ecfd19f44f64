/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/encode.h"
#include "otlp/overlay.h"
#include "wire_build.h"

static const struct tt_value one = {.type = TT_VALUE_INT, .integer = 1};
static const struct tt_value two = {.type = TT_VALUE_INT, .integer = 2};

static int64_t integer_of(const struct tt_batch *batch, struct tt_str key)
{
    struct tt_value value;

    if (!tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), key, &value))
        return -1;
    return value.type == TT_VALUE_INT ? value.integer : -2;
}

static unsigned count(struct tt_cursor cursor, struct tt_str key)
{
    struct tt_attribute attribute;
    unsigned n = 0;

    while (tt_next_attribute(&cursor, &attribute))
        n += tt_str_equal(attribute.key, key);
    return n;
}

static void the_last_edit_of_a_key_counts(void **state)
{
    struct tt_batch *batch = two_spans();
    struct tt_row *row = &batch->rows[0];

    (void)state;
    assert_true(tt_row_set_attribute(batch, row, TT_STR("a"), &one));
    assert_true(tt_row_set_attribute(batch, row, TT_STR("b"), &one));
    assert_true(tt_row_set_attribute(batch, row, TT_STR("c"), &one));
    assert_true(tt_row_set_attribute(batch, row, TT_STR("b"), &two));
    assert_int_equal(integer_of(batch, TT_STR("a")), 1);
    assert_int_equal(integer_of(batch, TT_STR("b")), 2);
    assert_int_equal(integer_of(batch, TT_STR("c")), 1);
    assert_int_equal(count(tt_row_attributes(batch, row), TT_STR("a")), 1);
    assert_int_equal(count(tt_row_attributes(batch, row), TT_STR("b")), 1);
    assert_true(tt_row_delete_attribute(batch, row, TT_STR("a")));
    assert_int_equal(integer_of(batch, TT_STR("a")), -1);
    assert_true(tt_row_set_attribute(batch, row, TT_STR("a"), &two));
    assert_int_equal(integer_of(batch, TT_STR("a")), 2);
    assert_null(batch->rows[1].overlay);
    tt_batch_unref(batch);
}

static void ten_thousand_edits_of_one_key_leave_one(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("k"), &one));
    assert_int_equal(count(tt_row_attributes(batch, &batch->rows[0]), TT_STR("k")), 1);
    tt_batch_unref(batch);
}

static void keys_and_texts_are_copied(void **state)
{
    char key[] = "key", text[] = "text";
    struct tt_batch *batch = two_spans();
    const struct tt_value value = {.type = TT_VALUE_STRING, .text = tt_str(text)};
    struct tt_value found;

    (void)state;
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], tt_str(key), &value));
    memset(key, 'x', 3);
    memset(text, 'x', 4);
    assert_true(
        tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), TT_STR("key"), &found));
    assert_str(found.text, "text");
    tt_batch_unref(batch);
}

static void an_edit_takes_the_place_of_a_column_of_that_name(void **state)
{
    static const struct tt_column_desc desc = {"k", TT_COLUMN_INT, ""};
    struct tt_batch *batch = two_spans();
    struct tt_column *column = tt_batch_column(batch, &desc);

    (void)state;
    tt_column_set_int(column, 0, 5);
    tt_column_set_int(column, 1, 5);
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("k"), &one));
    assert_int_equal(integer_of(batch, TT_STR("k")), 1);
    assert_int_equal(count(tt_row_attributes(batch, &batch->rows[0]), TT_STR("k")), 1);
    tt_column_set_int(column, 0, 6);
    assert_int_equal(integer_of(batch, TT_STR("k")), 6);
    assert_int_equal(count(tt_row_attributes(batch, &batch->rows[0]), TT_STR("k")), 1);
    assert_true(tt_row_delete_attribute(batch, &batch->rows[0], TT_STR("k")));
    assert_int_equal(integer_of(batch, TT_STR("k")), -1);
    assert_true(tt_column_has(column, 1));
    tt_batch_unref(batch);
}

static void the_service_name_follows_the_edits(void **state)
{
    const struct tt_value name = {.type = TT_VALUE_STRING, .text = TT_STR("renamed")};
    struct tt_batch *batch = two_spans();

    (void)state;
    assert_true(tt_resource_set_attribute(batch, 0, TT_STR("service.name"), &name));
    assert_str(batch->resources[0].service_name, "renamed");
    assert_true(tt_resource_set_attribute(batch, 0, TT_STR("service.name"), &one));
    assert_int_equal(batch->resources[0].service_name.len, 0);
    assert_true(tt_resource_set_attribute(batch, 0, TT_STR("service.name"), &name));
    assert_true(tt_resource_delete_attribute(batch, 0, TT_STR("service.name")));
    assert_int_equal(batch->resources[0].service_name.len, 0);
    tt_batch_unref(batch);
}

static void scopes_are_edited(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    assert_true(tt_scope_set_attribute(batch, 0, TT_STR("k"), &one));
    assert_true(tt_scope_delete_attribute(batch, 0, TT_STR("scope.key")));
    assert_int_equal(count(tt_scope_attributes(batch, 0), TT_STR("k")), 1);
    assert_int_equal(count(tt_scope_attributes(batch, 0), TT_STR("scope.key")), 0);
    tt_batch_unref(batch);
}

static unsigned fields_of(struct tt_str wire, uint32_t number)
{
    const uint8_t *at = (const uint8_t *)wire.data, *end = at + wire.len;
    struct tt_wire_field field;
    unsigned n = 0;

    while (tt_wire_next(&at, end, &field))
        n += field.number == number;
    return n;
}

static void fixed_fields_are_replaced_not_repeated(void **state)
{
    struct tt_batch *batch = two_spans();
    struct tt_buffer out = new_message();

    (void)state;
    assert_true(tt_span_set_name(batch, &batch->rows[0], TT_STR("one")));
    assert_true(tt_span_set_name(batch, &batch->rows[0], TT_STR("new")));
    assert_true(tt_span_set_status(batch, &batch->rows[0], 1, TT_STR("")));
    assert_str(batch->rows[0].span.name, "new");
    assert_int_equal(batch->rows[0].span.status_code, 1);
    assert_int_equal(batch->rows[0].span.status_message.len, 0);
    tt_encode_row(batch, &batch->rows[0], &out);
    assert_int_equal(fields_of(tt_buffer_view(&out), 5), 1);
    assert_int_equal(fields_of(tt_buffer_view(&out), 15), 1);
    assert_int_equal(fields_of(tt_buffer_view(&out), 9), 2);
    tt_buffer_done(&out);
    tt_batch_unref(batch);
}

static void without_memory_a_row_stays_as_it_was(void **state)
{
    const struct tt_value big = {.type = TT_VALUE_STRING,
                                 .text = tt_str_of(tt_calloc(1, 100000), 100000)};
    struct tt_batch *batch = two_spans();
    struct tt_row *row = &batch->rows[0];

    (void)state;
    assert_true(tt_row_set_attribute(batch, row, TT_STR("k"), &one));
    tt_mem_fail_after(1);
    assert_false(tt_row_set_attribute(batch, row, TT_STR("k"), &big));
    assert_false(tt_span_set_name(batch, row, big.text));
    assert_false(tt_span_set_status(batch, row, 1, big.text));
    assert_false(tt_resource_set_attribute(batch, 0, TT_STR("service.name"), &big));
    tt_mem_fail_after(0);
    assert_int_equal(integer_of(batch, TT_STR("k")), 1);
    assert_str(row->span.name, "first");
    assert_int_equal(row->span.status_code, 2);
    assert_str(batch->resources[0].service_name, "shop");
    tt_batch_unref(batch);
    tt_free((void *)(uintptr_t)big.text.data);
}

/* ---- answers: small encoders that have no edits ---- */

static void answers_are_written_byte_by_byte(void **state)
{
    struct tt_buffer out = new_message();

    (void)state;
    tt_encode_response(0, TT_STR(""), &out);
    assert_int_equal(out.len, 0);
    tt_encode_response(3, TT_STR("why"), &out);
    assert_str_equal(tt_buffer_view(&out), TT_STR("\x0a\x07\x08\x03\x12\x03why"));
    tt_buffer_clear(&out);
    tt_encode_response(0, TT_STR("warning"), &out);
    assert_str_equal(tt_buffer_view(&out), TT_STR("\x0a\x09\x12\x07warning"));
    tt_buffer_clear(&out);
    tt_encode_status(3, TT_STR("bad"), &out);
    assert_str_equal(tt_buffer_view(&out), TT_STR("\x08\x03\x12\x03"
                                                  "bad"));
    tt_buffer_clear(&out);
    tt_encode_status(0, TT_STR(""), &out);
    assert_int_equal(out.len, 0);
    tt_buffer_done(&out);
}

static void a_full_buffer_is_told_not_overrun(void **state)
{
    struct tt_batch *batch = two_spans();
    size_t needed;
    struct tt_buffer out = new_message();

    (void)state;
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("k"), &one));
    tt_encode_request(batch, &out);
    needed = out.len;
    tt_buffer_done(&out);
    for (size_t max = 1; max < needed; max++) {
        tt_buffer_init(&out, max);
        tt_encode_request(batch, &out);
        assert_status(out.failed, TT_TOO_LARGE);
        tt_buffer_done(&out);
    }
    tt_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_edit_of_a_key_counts),
        cmocka_unit_test(ten_thousand_edits_of_one_key_leave_one),
        cmocka_unit_test(keys_and_texts_are_copied),
        cmocka_unit_test(an_edit_takes_the_place_of_a_column_of_that_name),
        cmocka_unit_test(the_service_name_follows_the_edits),
        cmocka_unit_test(scopes_are_edited),
        cmocka_unit_test(fixed_fields_are_replaced_not_repeated),
        cmocka_unit_test(without_memory_a_row_stays_as_it_was),
        cmocka_unit_test(answers_are_written_byte_by_byte),
        cmocka_unit_test(a_full_buffer_is_told_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
