/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/schema.h"
#include "tt_test.h"

#include <otlp.pb-c.h>

static void every_field_of_every_message_has_a_kind_and_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TT_MSG_COUNT; i++) {
        const struct tt_pb_message *message = tt_pb_message((enum tt_pb_id)i);

        assert_non_null(message->name);
        assert_int_equal(message->n_fields, message->descriptor->n_fields);
        for (unsigned f = 0; f < message->n_fields; f++) {
            const struct tt_pb_field *field = tt_pb_field(message, message->numbers[f]);

            assert_int_not_equal(field->kind, TT_PB_UNKNOWN);
            assert_int_equal(field->number, message->numbers[f]);
            assert_true(field->json_name.len > 0);
            assert_true(field->kind != TT_PB_MESSAGE || field->message != NULL);
            assert_ptr_equal(tt_pb_find(message, field->name), field);
            assert_ptr_equal(tt_pb_find(message, field->json_name), field);
        }
        assert_int_equal(tt_pb_field(message, 0)->kind, TT_PB_UNKNOWN);
        assert_int_equal(tt_pb_field(message, 17)->kind, TT_PB_UNKNOWN);
        assert_int_equal(tt_pb_field(message, UINT32_MAX)->kind, TT_PB_UNKNOWN);
    }
}

static void fields_have_the_kind_that_the_protocol_gives_them(void **state)
{
    static const struct {
        enum tt_pb_id message;
        uint32_t number;
        const char *json_name;
        enum tt_pb_kind kind;
        enum tt_pb_wire wire_type;
        uint8_t id_len;
        bool repeated, always;
    } cases[] = {
        {TT_MSG_SPAN, 1, "traceId", TT_PB_ID, TT_PB_WIRE_LENGTH, 16, false, false},
        {TT_MSG_SPAN, 4, "parentSpanId", TT_PB_ID, TT_PB_WIRE_LENGTH, 8, false, false},
        {TT_MSG_SPAN, 3, "traceState", TT_PB_TEXT, TT_PB_WIRE_LENGTH, 0, false, false},
        {TT_MSG_SPAN, 6, "kind", TT_PB_ENUM, TT_PB_WIRE_VARINT, 0, false, false},
        {TT_MSG_SPAN, 7, "startTimeUnixNano", TT_PB_FIXED64, TT_PB_WIRE_64, 0, false, false},
        {TT_MSG_SPAN, 9, "attributes", TT_PB_MESSAGE, TT_PB_WIRE_LENGTH, 0, true, false},
        {TT_MSG_SPAN, 15, "status", TT_PB_MESSAGE, TT_PB_WIRE_LENGTH, 0, false, true},
        {TT_MSG_SPAN, 16, "flags", TT_PB_FIXED32, TT_PB_WIRE_32, 0, false, false},
        {TT_MSG_ANY_VALUE, 7, "bytesValue", TT_PB_BYTES, TT_PB_WIRE_LENGTH, 0, false, false},
        {TT_MSG_ANY_VALUE, 3, "intValue", TT_PB_INT64, TT_PB_WIRE_VARINT, 0, false, false},
        {TT_MSG_KEY_VALUE, 2, "value", TT_PB_MESSAGE, TT_PB_WIRE_LENGTH, 0, false, true},
        {TT_MSG_NUMBER_POINT, 6, "asInt", TT_PB_SFIXED64, TT_PB_WIRE_64, 0, false, false},
        {TT_MSG_HISTOGRAM_POINT, 6, "bucketCounts", TT_PB_FIXED64, TT_PB_WIRE_64, 0, true, false},
        {TT_MSG_EXPONENTIAL_HISTOGRAM_POINT, 6, "scale", TT_PB_SINT32, TT_PB_WIRE_VARINT, 0, false,
         false},
        {TT_MSG_BUCKETS, 2, "bucketCounts", TT_PB_UINT64, TT_PB_WIRE_VARINT, 0, true, false},
        {TT_MSG_ENTITY_REF, 3, "idKeys", TT_PB_TEXT, TT_PB_WIRE_LENGTH, 0, true, false},
        {TT_MSG_LOG_RECORD, 5, "body", TT_PB_MESSAGE, TT_PB_WIRE_LENGTH, 0, false, true},
        {TT_MSG_ANY, 2, "value", TT_PB_BYTES, TT_PB_WIRE_LENGTH, 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        const struct tt_pb_field *field =
            tt_pb_field(tt_pb_message(cases[i].message), cases[i].number);

        assert_true(tt_str_equal(field->json_name, tt_str(cases[i].json_name)));
        assert_int_equal(field->kind, cases[i].kind);
        assert_int_equal(field->wire_type, cases[i].wire_type);
        assert_int_equal(field->id_len, cases[i].id_len);
        assert_int_equal(field->repeated, cases[i].repeated);
        assert_int_equal(field->always, cases[i].always);
    }
}

static void members_of_one_oneof_share_a_bit_and_others_do_not(void **state)
{
    const struct tt_pb_message *point = tt_pb_message(TT_MSG_HISTOGRAM_POINT);
    const struct tt_pb_message *value = tt_pb_message(TT_MSG_ANY_VALUE);
    const struct tt_pb_message *metric = tt_pb_message(TT_MSG_METRIC);

    (void)state;
    for (uint32_t i = 2; i <= 7; i++)
        assert_int_equal(value->fields[i].once, value->fields[1].once);
    assert_int_not_equal(value->fields[1].once, 0);
    assert_int_not_equal(point->fields[5].once, point->fields[11].once);
    assert_int_not_equal(point->fields[11].once, point->fields[12].once);
    assert_int_not_equal(point->fields[11].oneof, point->fields[12].oneof);
    assert_int_equal(metric->fields[5].once, metric->fields[11].once);
    assert_int_equal(metric->fields[12].once, 0);
    assert_int_not_equal(tt_pb_message(TT_MSG_SPAN)->fields[15].once, 0);
    assert_int_equal(tt_pb_message(TT_MSG_SPAN)->fields[5].once, 0);
}

static void only_arrays_and_maps_nest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TT_MSG_COUNT; i++)
        assert_int_equal(tt_pb_message((enum tt_pb_id)i)->nests,
                         i == TT_MSG_ARRAY_VALUE || i == TT_MSG_KEY_VALUE_LIST);
}

static void enumerators_are_found_by_name(void **state)
{
    const struct tt_pb_field *kind = tt_pb_field(tt_pb_message(TT_MSG_SPAN), 6);
    const struct tt_pb_field *name = tt_pb_field(tt_pb_message(TT_MSG_SPAN), 5);
    int32_t value = -1;

    (void)state;
    assert_true(tt_pb_enum_value(kind, TT_STR("SPAN_KIND_SERVER"), &value));
    assert_int_equal(value, 2);
    assert_false(tt_pb_enum_value(kind, TT_STR("SPAN_KIND_SERVE"), &value));
    assert_false(tt_pb_enum_value(kind, TT_STR("STATUS_CODE_OK"), &value));
    assert_false(tt_pb_enum_value(name, TT_STR("SPAN_KIND_SERVER"), &value));
    assert_ptr_equal(tt_pb_request(TT_LOGS), tt_pb_message(TT_MSG_LOGS_REQUEST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_message_has_a_kind_and_a_name),
        cmocka_unit_test(fields_have_the_kind_that_the_protocol_gives_them),
        cmocka_unit_test(members_of_one_oneof_share_a_bit_and_others_do_not),
        cmocka_unit_test(only_arrays_and_maps_nest),
        cmocka_unit_test(enumerators_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
