/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/cursor.h"
#include "otlp/overlay.h"
#include "wire_build.h"

static const struct tt_column_desc a_column = {"a", TT_COLUMN_TEXT, ""};
static const struct tt_column_desc score = {"score", TT_COLUMN_DOUBLE, ""};
static const struct tt_column_desc number = {"number", TT_COLUMN_INT, ""};

/* "key=value key=value …" in the cursor's order. */
static void assert_attributes(struct tt_cursor cursor, const char *expected)
{
    struct tt_attribute attribute;
    struct tt_buffer text;

    tt_buffer_init(&text, 1 << 16);
    while (tt_next_attribute(&cursor, &attribute)) {
        if (text.len > 0)
            tt_buffer_append_byte(&text, ' ');
        tt_buffer_append_str(&text, attribute.key);
        tt_buffer_append_byte(&text, '=');
        tt_value_append_text(&attribute.value, &text);
    }
    assert_false(tt_next_attribute(&cursor, &attribute));
    assert_str(tt_buffer_view(&text), expected);
    tt_buffer_done(&text);
}

static void attributes_come_in_the_order_of_the_wire(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    assert_attributes(tt_row_attributes(batch, &batch->rows[0]), "a=1 http.method=GET");
    assert_attributes(tt_resource_attributes(batch, 0), "service.name=shop");
    assert_attributes(tt_scope_attributes(batch, 0), "scope.key=scope value");
    tt_batch_unref(batch);
}

static void columns_follow_and_hide_attributes_of_their_name(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    tt_column_set_text(tt_batch_column(batch, &a_column), 0, TT_STR("column's"));
    tt_column_set_double(tt_batch_column(batch, &score), 0, 0.5);
    tt_column_set_int(tt_batch_column(batch, &number), 1, -7);
    assert_attributes(tt_row_attributes(batch, &batch->rows[0]),
                      "http.method=GET a=column's score=0.5");
    assert_attributes(tt_row_attributes(batch, &batch->rows[1]), "a=1 http.method=GET number=-7");
    assert_attributes(tt_row_own_attributes(batch, &batch->rows[0]), "a=1 http.method=GET");
    tt_batch_unref(batch);
}

static void an_attribute_is_found_wherever_it_is(void **state)
{
    const struct tt_value set = {.type = TT_VALUE_STRING, .text = TT_STR("set")};
    struct tt_batch *batch = two_spans();
    const struct tt_row *row = &batch->rows[0];
    struct tt_value value;

    (void)state;
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("edited"), &set));
    assert_true(tt_row_delete_attribute(batch, &batch->rows[0], TT_STR("http.method")));
    tt_column_set_double(tt_batch_column(batch, &score), 0, 0.5);
    assert_true(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("a"), &value));
    assert_str(value.text, "1");
    assert_true(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("edited"), &value));
    assert_str(value.text, "set");
    assert_true(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("score"), &value));
    assert_int_equal(value.type, TT_VALUE_DOUBLE);
    assert_false(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("http.method"), &value));
    assert_false(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("absent"), &value));
    tt_column_set_text(tt_batch_column(batch, &a_column), 0, TT_STR("column's"));
    assert_true(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("a"), &value));
    assert_str(value.text, "column's");
    tt_batch_unref(batch);
}

static void values_of_every_type_are_read(void **state)
{
    const struct {
        struct tt_str any;
        enum tt_value_type type;
        const char *text;
    } cases[] = {
        {TT_STR(""), TT_VALUE_EMPTY, ""},
        {TT_STR("\x0a\x02hi"), TT_VALUE_STRING, "hi"},
        {TT_STR("\x0a\x82\x00hi"), TT_VALUE_STRING, "hi"},
        {TT_STR("\x0a\x00"), TT_VALUE_STRING, ""},
        {TT_STR("\x10\x01"), TT_VALUE_BOOL, "true"},
        {TT_STR("\x10\x00"), TT_VALUE_BOOL, "false"},
        {TT_STR("\x18\x07"), TT_VALUE_INT, "7"},
        {TT_STR("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), TT_VALUE_INT, "-1"},
        {TT_STR("\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), TT_VALUE_INT,
         "-9223372036854775808"},
        {TT_STR("\x21\0\0\0\0\0\0\xe0\x3f"), TT_VALUE_DOUBLE, "0.5"},
        {TT_STR("\x3a\x01\xff"), TT_VALUE_BYTES, "/w=="},
        {TT_STR("\x3a\x02\xff\xfe"), TT_VALUE_BYTES, "//4="},
        {TT_STR("\x3a\x03\x00\x01\x02"), TT_VALUE_BYTES, "AAEC"},
        {TT_STR("\x3a\x06\x00\x01\x02\xfd\xfe\xff"), TT_VALUE_BYTES, "AAEC/f7/"},
        {TT_STR("\x2a\x08\x0a\x02\x18\x01\x0a\x02\x18\x02"), TT_VALUE_ARRAY, "[1,2]"},
        {TT_STR("\x32\x09\x0a\x07\x0a\x01k\x12\x02\x18\x05"), TT_VALUE_KVLIST, "{\"k\":5}"},
        {TT_STR("\xa0\x06\x01\x18\x07"), TT_VALUE_INT, "7"}, /* behind an unknown field */
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_value value = tt_value_of(cases[i].any);
        struct tt_buffer text;

        tt_buffer_init(&text, 1000);
        assert_int_equal(value.type, cases[i].type);
        tt_value_append_text(&value, &text);
        assert_str(tt_buffer_view(&text), cases[i].text);
        tt_buffer_done(&text);
    }
}

static void the_first_text_is_that_of_a_string_or_of_an_array_of_strings(void **state)
{
    const struct {
        struct tt_str any;
        const char *text; /* NULL: none */
    } cases[] = {
        {TT_STR("\x0a\x02hi"), "hi"},
        {TT_STR("\x2a\x08\x0a\x06\x0a\x04only"), "only"},
        {TT_STR("\x2a\x0a\x0a\x03\x0a\x01x\x0a\x03\x0a\x01y"), "x"},
        {TT_STR("\x2a\x04\x0a\x02\x18\x01"), NULL},
        {TT_STR("\x2a\x00"), NULL},
        {TT_STR("\x18\x01"), NULL},
        {TT_STR("\x32\x00"), NULL},
        {TT_STR(""), NULL},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_value value = tt_value_of(cases[i].any);
        struct tt_str text;

        assert_int_equal(tt_value_first_text(&value, &text), cases[i].text != NULL);
        if (cases[i].text != NULL)
            assert_str(text, cases[i].text);
    }
}

static void members_of_other_values_are_none(void **state)
{
    const struct tt_value integer = {.type = TT_VALUE_INT, .integer = 5};

    (void)state;
    assert_attributes(tt_value_members(&integer), "");
}

static void attributes_in_unusual_forms_are_read(void **state)
{
    struct tt_buffer rows = new_message(), span = new_message(), pair = new_message(), request;
    struct tt_batch *batch;

    (void)state;
    put_bytes(&pair, 2, TT_STR("\x18\x05")); /* the value before the key */
    put_bytes(&pair, 1, TT_STR("reversed"));
    put_message(&span, 9, &pair);
    put_pair(&span, 9, "valueless", (struct tt_str){NULL, 0});
    pair = new_message();
    put_message(&span, 9, &pair); /* neither */
    pair = new_message();
    put_bytes(&pair, 1, TT_STR("one"));
    put_bytes(&pair, 1, TT_STR("two")); /* the last one counts */
    put_bytes(&pair, 9, TT_STR("unknown"));
    put_message(&span, 9, &pair);
    put_message(&rows, 2, &span);
    request = request_of(&rows, "shop", false);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_attributes(tt_row_attributes(batch, &batch->rows[0]), "reversed=5 valueless= = two=");
    tt_batch_unref(batch);
}

static void events_and_links_are_read(void **state)
{
    struct tt_batch *batch = two_spans();
    struct tt_cursor events = tt_span_events(&batch->rows[0]);
    struct tt_cursor links = tt_span_links(&batch->rows[0]);
    struct tt_span_event event;
    struct tt_span_link link;

    (void)state;
    assert_true(tt_next_event(&events, &event));
    assert_int_equal(event.time_ns, 2000);
    assert_str(event.name, "exception");
    assert_attributes(tt_event_attributes(&event), "exception.type=Timeout");
    assert_false(tt_next_event(&events, &event));
    assert_true(tt_next_link(&links, &link));
    assert_memory_equal(link.trace_id, TRACE_ID, 16);
    assert_memory_equal(link.span_id, "abcdefgh", 8);
    assert_false(tt_next_link(&links, &link));
    tt_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_come_in_the_order_of_the_wire),
        cmocka_unit_test(columns_follow_and_hide_attributes_of_their_name),
        cmocka_unit_test(an_attribute_is_found_wherever_it_is),
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(the_first_text_is_that_of_a_string_or_of_an_array_of_strings),
        cmocka_unit_test(members_of_other_values_are_none),
        cmocka_unit_test(attributes_in_unusual_forms_are_read),
        cmocka_unit_test(events_and_links_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
