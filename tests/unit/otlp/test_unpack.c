/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/overlay.h"
#include "otlp/unpack.h"
#include "wire_build.h"

#include <otlp.pb-c.h>

static ProtobufCBinaryData binary(struct tt_str text)
{
    return (ProtobufCBinaryData){text.len, (uint8_t *)(uintptr_t)text.data};
}

static void a_row_is_unpacked_with_its_edits_and_columns(void **state)
{
    const struct tt_value edited = {.type = TT_VALUE_STRING, .text = TT_STR("edited")};
    static const struct tt_column_desc score = {"score", TT_COLUMN_DOUBLE, ""};
    struct tt_batch *batch = two_spans();
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;
    const Otlp__Span *span;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("a"), &edited));
    tt_column_set_double(tt_batch_column(batch, &score), 0, 0.5);
    assert_ok(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL), NULL);
    assert_ptr_equal(message->descriptor, &otlp__span__descriptor);
    span = (const void *)message;
    assert_str(tt_str_of(span->name.data, span->name.len), "first");
    assert_int_equal(span->n_attributes, 3);
    assert_int_equal(span->n_events, 1);
    tt_arena_done(&arena);
    tt_batch_unref(batch);
}

static void a_changed_struct_becomes_the_row(void **state)
{
    const struct tt_value edited = {.type = TT_VALUE_STRING, .text = TT_STR("edited")};
    struct tt_batch *batch = two_spans();
    ProtobufCMessage *message = NULL;
    struct tt_row *row = &batch->rows[0];
    struct tt_buffer out = new_message();
    struct tt_arena arena;
    struct tt_batch *again;
    struct tt_value value;
    Otlp__Span *span;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_true(tt_row_set_attribute(batch, row, TT_STR("a"), &edited));
    assert_ok(tt_row_unpack(batch, row, &arena, &message, NULL), NULL);
    span = (void *)message;
    span->name = binary(TT_STR("changed"));
    span->start_time_unix_nano = 77;
    span->n_events = 0;
    assert_ok(tt_row_replace(batch, row, message, NULL), NULL);
    tt_arena_done(&arena);
    assert_str(row->span.name, "changed");
    assert_int_equal(row->span.start_ns, 77);
    assert_int_equal(row->span.n_events, 0);
    assert_null(row->overlay);
    assert_true(tt_find_attribute(tt_row_attributes(batch, row), TT_STR("a"), &value));
    assert_str(value.text, "edited");
    tt_encode_request(batch, &out);
    assert_status(parse_bytes(TT_TRACES, &out, &tt_limits_default, &again, NULL, NULL), TT_OK);
    assert_str(again->rows[0].span.name, "changed");
    assert_str(again->rows[1].span.name, "second");
    tt_batch_unref(again);
    tt_batch_unref(batch);
}

static void a_replaced_row_alone_makes_the_batch_edited(void **state)
{
    struct tt_batch *batch = two_spans();
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_ok(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL), NULL);
    assert_false(batch->edited);
    assert_ok(tt_row_replace(batch, &batch->rows[0], message, NULL), NULL);
    assert_true(batch->edited);
    tt_arena_done(&arena);
    tt_batch_unref(batch);
}

static void a_struct_with_a_bad_id_is_refused(void **state)
{
    struct tt_batch *batch = two_spans();
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;
    struct tt_error err;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_ok(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL), NULL);
    ((Otlp__Span *)(void *)message)->span_id.len = 7;
    assert_status(tt_row_replace(batch, &batch->rows[0], message, &err), TT_INVALID_DATA);
    assert_string_equal(err.message, "pack a row: a span_id that has not 8 bytes");
    assert_str(batch->rows[0].span.name, "first");
    tt_arena_done(&arena);
    tt_batch_unref(batch);
}

static void points_and_logs_are_unpacked_as_what_they_are(void **state)
{
    static const struct {
        uint32_t data_number;
        const ProtobufCMessageDescriptor *descriptor;
    } cases[] = {{5, &otlp__number_data_point__descriptor},
                 {7, &otlp__number_data_point__descriptor},
                 {9, &otlp__histogram_data_point__descriptor},
                 {10, &otlp__exponential_histogram_data_point__descriptor},
                 {11, &otlp__summary_data_point__descriptor},
                 {0, &otlp__log_record__descriptor}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer rows = new_message(), metric = new_message(), data = new_message(),
                         point = new_message(), request;
        enum tt_signal signal = cases[i].data_number == 0 ? TT_LOGS : TT_METRICS;
        ProtobufCMessage *message = NULL;
        struct tt_arena arena;
        struct tt_batch *batch;

        put_fixed64(&point, signal == TT_LOGS ? 1 : 3, 42);
        if (signal == TT_LOGS) {
            put_message(&rows, 2, &point);
        } else {
            put_message(&data, 1, &point);
            put_message(&metric, cases[i].data_number, &data);
            put_message(&rows, 2, &metric);
        }
        request = request_of(&rows, "shop", false);
        assert_status(parse_bytes(signal, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
        tt_arena_init(&arena, 0, 0);
        assert_ok(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL), NULL);
        assert_ptr_equal(message->descriptor, cases[i].descriptor);
        batch->rows[0].log.time_ns = 0;
        assert_ok(tt_row_replace(batch, &batch->rows[0], message, NULL), NULL);
        assert_int_equal(
            signal == TT_LOGS ? batch->rows[0].log.time_ns : batch->rows[0].point.time_ns, 42);
        tt_arena_done(&arena);
        tt_batch_unref(batch);
    }
}

static void a_row_nested_too_deep_for_recursion_is_not_unpacked(void **state)
{
    (void)state;
    for (int levels = 16; levels <= 17; levels++) {
        struct tt_buffer value = new_message(), span = new_message(), rows = new_message(), request;
        ProtobufCMessage *message = NULL;
        struct tt_arena arena;
        struct tt_batch *batch;

        for (int i = 0; i < levels; i++) {
            struct tt_buffer array = new_message(), around = new_message();
            put_message(&array, 1, &value);
            put_message(&around, 5, &array);
            value = around;
        }
        put_pair(&span, 9, "deep", tt_buffer_view(&value));
        put_message(&rows, 2, &span);
        request = request_of(&rows, "shop", false);
        assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL),
                      TT_OK);
        tt_arena_init(&arena, 0, 0);
        assert_status(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL),
                      levels <= 16 ? TT_OK : TT_UNSUPPORTED);
        tt_arena_done(&arena);
        tt_batch_unref(batch);
        tt_buffer_done(&value);
    }
}

static bool unpack_and_replace(void *context)
{
    struct tt_batch *batch = context;
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;
    bool ok;

    tt_arena_init(&arena, 1000, 0);
    ok = tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL) == TT_OK &&
         tt_row_replace(batch, &batch->rows[0], message, NULL) == TT_OK;
    tt_arena_done(&arena);
    return ok;
}

static void any_allocation_may_fail(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    tt_test_failing_allocations(unpack_and_replace, batch);
    assert_str(batch->rows[0].span.name, "first");
    tt_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_unpacked_with_its_edits_and_columns),
        cmocka_unit_test(a_changed_struct_becomes_the_row),
        cmocka_unit_test(a_replaced_row_alone_makes_the_batch_edited),
        cmocka_unit_test(a_struct_with_a_bad_id_is_refused),
        cmocka_unit_test(points_and_logs_are_unpacked_as_what_they_are),
        cmocka_unit_test(a_row_nested_too_deep_for_recursion_is_not_unpacked),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
