/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/clip.h"
#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/unpack.h"
#include "wire_build.h"

#include <otlp.pb-c.h>

static const struct tt_clip_limits four_of_eight = {.max_attributes = 4, .max_value_bytes = 8};
/* Nothing is looked at for its values' sake. */
static const struct tt_clip_limits four = {.max_attributes = 4};

static struct tt_batch *parse(enum tt_signal signal, struct tt_buffer *rows)
{
    struct tt_buffer request = request_of(rows, "shop", false);
    struct tt_error err = {.status = TT_OK};
    struct tt_batch *batch;

    assert_ok(parse_bytes(signal, &request, &tt_limits_default, &batch, NULL, &err), &err);
    return batch;
}

/* One row of the fields in message (a Span or LogRecord). */
static struct tt_batch *one_row(enum tt_signal signal, struct tt_buffer *message)
{
    struct tt_buffer rows = new_message();

    put_message(&rows, 2, message);
    return parse(signal, &rows);
}

static struct tt_clipped clip(struct tt_batch *batch, const struct tt_clip_limits *limits)
{
    struct tt_error err = {.status = TT_OK};
    struct tt_clipped clipped;

    assert_ok(tt_batch_clip(batch, limits, &clipped, &err), &err);
    return clipped;
}

static void assert_clipped(struct tt_clipped clipped, uint64_t attributes, uint64_t values)
{
    assert_int_equal(clipped.attributes, attributes);
    assert_int_equal(clipped.values, values);
}

/* Encodes the batch, reads it back with all checks, and returns that: what another program would see. */
static struct tt_batch *through_the_wire(struct tt_batch *batch)
{
    struct tt_buffer out = new_message();
    struct tt_error err = {.status = TT_OK};
    struct tt_batch *again;

    tt_encode_request(batch, &out);
    assert_ok(parse_bytes(batch->signal, &out, &tt_limits_default, &again, NULL, &err), &err);
    tt_batch_unref(batch);
    return again;
}

static struct tt_str text_of(const struct tt_batch *batch, const char *key)
{
    struct tt_value value;

    assert_true(tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), tt_str(key), &value));
    return value.text;
}

static void put_numbered(struct tt_buffer *out, uint32_t number, unsigned count)
{
    char key[16];

    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        put_int(out, number, key, i);
    }
}

static uint64_t dropped_of(const struct tt_batch *batch, uint32_t number)
{
    const uint8_t *at = batch->rows[0].wire, *end = at + batch->rows[0].wire_len;
    struct tt_wire_field field;
    uint64_t count = 0, times = 0;

    while (tt_wire_next(&at, end, &field)) {
        if (field.number != number || field.wire_type != TT_PB_WIRE_VARINT)
            continue;
        count = field.value;
        times++;
    }
    assert_true(times <= 1);
    return count;
}

/* ---- the number of attributes ---- */

static void the_first_attributes_stay_and_the_rest_is_counted(void **state)
{
    (void)state;
    for (unsigned n = 3; n <= 6; n++) {
        struct tt_buffer span = new_message();
        struct tt_batch *batch;
        unsigned over = n > 4 ? n - 4 : 0;

        put_varint_field(&span, 10, 7); /* its sender has dropped 7 */
        put_numbered(&span, 9, n);
        batch = one_row(TT_TRACES, &span);
        assert_clipped(clip(batch, &four_of_eight), over, 0);
        assert_int_equal(batch->edited, over > 0);
        assert_int_equal(batch->rows[0].span.n_attributes, n - over);
        batch = through_the_wire(batch);
        assert_int_equal(batch->rows[0].span.n_attributes, n - over);
        assert_int_equal(dropped_of(batch, 10), 7 + over);
        for (unsigned i = 0; i < n - over; i++) {
            char key[16];
            struct tt_value value;
            (void)snprintf(key, sizeof(key), "k%u", i);
            assert_true(
                tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), tt_str(key), &value));
            assert_int_equal(value.integer, i);
        }
        tt_batch_unref(batch);
    }
}

static void a_count_that_would_overflow_stays_at_its_most(void **state)
{
    struct tt_buffer span = new_message();
    struct tt_batch *batch;

    (void)state;
    put_varint_field(&span, 10, UINT32_MAX);
    put_numbered(&span, 9, 9);
    batch = one_row(TT_TRACES, &span);
    assert_clipped(clip(batch, &four_of_eight), 5, 0);
    assert_int_equal(dropped_of(batch, 10), UINT32_MAX);
    tt_batch_unref(batch);
}

static void empty_attributes_count_too(void **state)
{
    struct tt_buffer log = new_message();
    struct tt_batch *batch;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        put_bytes(&log, 6, TT_STR(""));
    batch = one_row(TT_LOGS, &log);
    assert_clipped(clip(batch, &four), 1, 0);
    tt_batch_unref(batch);
}

static void ten_thousand_attributes_are_cut_in_one_walk(void **state)
{
    struct tt_buffer span = new_message();
    struct tt_batch *batch;

    (void)state;
    put_numbered(&span, 9, 10000);
    batch = one_row(TT_TRACES, &span);
    assert_clipped(clip(batch, &tt_clip_limits_default), 10000 - 128, 0);
    assert_true(batch->rows[0].wire_len < 128 * 16);
    batch = through_the_wire(batch);
    assert_int_equal(batch->rows[0].span.n_attributes, 128);
    assert_int_equal(dropped_of(batch, 10), 10000 - 128);
    tt_batch_unref(batch);
}

/* ---- values ---- */

static void texts_are_cut_between_characters(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {{"12345678", "12345678"},
                 {"123456789", "12345678"},
                 {"1234567é", "1234567"}, /* 2 bytes, the second behind the limit */
                 {"123456é9", "123456é"}, /* they end at the limit */
                 {"123456✓", "123456"},   /* 3 bytes */
                 {"12345✓9", "12345✓"},
                 {"12345🎉", "12345"}, /* 4 bytes, one behind the limit */
                 {"1234🎉9", "1234🎉"},
                 {"1234567\xff\xff", "1234567\xff"}, /* no UTF-8 */
                 {"\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80\x80\x80\x80"}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer span = new_message();
        struct tt_batch *batch;

        put_text(&span, 9, "note", cases[i].text);
        batch = one_row(TT_TRACES, &span);
        assert_clipped(clip(batch, &four_of_eight), 0,
                       strcmp(cases[i].text, cases[i].expected) != 0);
        batch = through_the_wire(batch);
        assert_str(text_of(batch, "note"), cases[i].expected);
        tt_batch_unref(batch);
    }
}

static void the_default_is_four_kibibytes(void **state)
{
    static const size_t lengths[] = {4096, 4097, 70000};
    static char text[70001];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(lengths); i++) {
        size_t len = lengths[i];
        struct tt_buffer span = new_message();
        struct tt_batch *batch;

        memset(text, 'a', len);
        text[len] = '\0';
        put_text(&span, 9, "note", text);
        put_text(&span, 9, "after", "it");
        batch = one_row(TT_TRACES, &span);
        assert_clipped(clip(batch, &tt_clip_limits_default), 0, len > 4096);
        batch = through_the_wire(batch);
        assert_int_equal(text_of(batch, "note").len, 4096);
        assert_str(text_of(batch, "after"), "it");
        tt_batch_unref(batch);
    }
}

static void bytes_are_cut_anywhere(void **state)
{
    struct tt_buffer span = new_message(), any = new_message();
    struct tt_batch *batch;

    (void)state;
    put_bytes(&any, 7, TT_STR("1234567\xc3\xa9"));
    put_pair(&span, 9, "blob", tt_buffer_view(&any));
    tt_buffer_done(&any);
    batch = one_row(TT_TRACES, &span);
    assert_clipped(clip(batch, &four_of_eight), 0, 1);
    batch = through_the_wire(batch);
    assert_str(text_of(batch, "blob"), "1234567\xc3");
    tt_batch_unref(batch);
}

/* `levels` arrays and maps in turn around a text. */
static struct tt_buffer nested(int levels, const char *text)
{
    struct tt_buffer value = new_message();

    put_bytes(&value, 1, tt_str(text));
    for (int i = 0; i < levels; i++) {
        struct tt_buffer inside = new_message(), around = new_message();
        if (i % 2 == 0)
            put_message(&inside, 1, &value);
        else
            put_pair(&inside, 1, "key", tt_buffer_view(&value));
        put_message(&around, i % 2 == 0 ? 5 : 6, &inside);
        tt_buffer_done(&value);
        value = around;
    }
    return value;
}

static void texts_in_arrays_and_maps_are_cut_at_any_depth(void **state)
{
    static char text[20001];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    for (int levels = 1; levels <= TT_MAX_NESTING; levels++) {
        struct tt_buffer span = new_message(), any = nested(levels, text);
        struct tt_batch *batch;
        struct tt_value value;

        put_pair(&span, 9, "deep", tt_buffer_view(&any));
        put_text(&span, 9, "after", "it");
        tt_buffer_done(&any);
        batch = one_row(TT_TRACES, &span);
        assert_clipped(clip(batch, &four_of_eight), 0, 1);
        batch = through_the_wire(batch);
        assert_str(text_of(batch, "after"), "it");
        assert_true(
            tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), TT_STR("deep"), &value));
        while (value.type == TT_VALUE_ARRAY || value.type == TT_VALUE_KVLIST) {
            struct tt_cursor members = tt_value_members(&value);
            struct tt_attribute member;
            assert_true(tt_next_attribute(&members, &member));
            value = member.value;
        }
        assert_str(value.text, "aaaaaaaa");
        tt_batch_unref(batch);
    }
}

static void only_the_long_element_of_an_array_is_cut(void **state)
{
    struct tt_buffer span = new_message(), array = new_message(), any = new_message();
    static const char *const texts[] = {"short", "much too long", "12345678"};
    static const char *const expected[] = {"short", "much too", "12345678"};
    struct tt_batch *batch;
    struct tt_attribute member;
    struct tt_cursor members;
    struct tt_value value;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        struct tt_buffer element = new_message();
        put_bytes(&element, 1, tt_str(texts[i]));
        put_message(&array, 1, &element);
    }
    put_message(&any, 5, &array);
    put_pair(&span, 9, "list", tt_buffer_view(&any));
    tt_buffer_done(&any);
    batch = one_row(TT_TRACES, &span);
    assert_clipped(clip(batch, &four_of_eight), 0, 1);
    batch = through_the_wire(batch);
    assert_true(
        tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), TT_STR("list"), &value));
    members = tt_value_members(&value);
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        assert_true(tt_next_attribute(&members, &member));
        assert_str(member.value.text, expected[i]);
    }
    assert_false(tt_next_attribute(&members, &member));
    tt_batch_unref(batch);
}

static void members_of_a_map_are_no_attributes(void **state)
{
    struct tt_buffer span = new_message(), map = new_message(), any = new_message();
    struct tt_batch *batch;
    struct tt_attribute member;
    struct tt_cursor members;
    struct tt_value value;
    unsigned n = 0;

    (void)state;
    put_numbered(&map, 1, 9);
    put_text(&map, 1, "note", "much too long");
    put_message(&any, 6, &map);
    put_pair(&span, 9, "map", tt_buffer_view(&any));
    tt_buffer_done(&any);
    batch = one_row(TT_TRACES, &span);
    assert_clipped(clip(batch, &four_of_eight), 0, 1);
    batch = through_the_wire(batch);
    assert_true(
        tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]), TT_STR("map"), &value));
    for (members = tt_value_members(&value); tt_next_attribute(&members, &member);)
        n++;
    assert_int_equal(n, 10);
    assert_str(member.value.text, "much too");
    tt_batch_unref(batch);
}

/* ---- what else is in a row ---- */

static void the_rest_of_a_span_stays(void **state)
{
    struct tt_batch *batch = two_spans();
    const struct tt_clip_limits one_of_two = {.max_attributes = 1, .max_value_bytes = 2};
    const struct tt_span *span = &batch->rows[1].span;
    struct tt_span_event event;
    struct tt_attribute attribute;
    struct tt_cursor cursor;

    (void)state;
    /* In each: http.method left out, exception.type cut. */
    assert_clipped(clip(batch, &one_of_two), 2, 2);
    for (int pass = 0; pass < 2; pass++, span = &batch->rows[1].span) {
        assert_memory_equal(span->trace_id, TRACE_ID, 16);
        assert_memory_equal(span->span_id, SPAN_ID, 8);
        assert_null(span->parent_span_id);
        assert_str(span->name, "second");
        assert_str(span->status_message, "broken");
        assert_int_equal(span->status_code, 2);
        assert_int_equal(span->kind, 2);
        assert_int_equal(span->start_ns, 1000);
        assert_int_equal(span->end_ns, 3000);
        assert_int_equal(span->n_attributes, 1);
        assert_int_equal(span->n_events, 1);
        assert_int_equal(span->n_links, 1);
        assert_str(batch->resources[0].service_name, "shop");
        cursor = tt_span_events(&batch->rows[1]);
        assert_true(tt_next_event(&cursor, &event));
        assert_str(event.name, "exception");
        cursor = tt_event_attributes(&event);
        assert_true(tt_next_attribute(&cursor, &attribute));
        assert_str(attribute.value.text, "Ti");
        if (pass == 0)
            batch = through_the_wire(batch);
    }
    tt_batch_unref(batch);
}

static void attributes_of_events_and_links_are_limited_each(void **state)
{
    static const struct {
        uint32_t item, attributes, dropped;
    } cases[] = {{11, 3, 4}, {13, 4, 5}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer span = new_message(), item = new_message();
        struct tt_batch *batch;
        const uint8_t *at;
        struct tt_wire_field field;
        uint64_t n = 0, dropped = 0;

        put_numbered(&span, 9, 4);
        put_numbered(&item, cases[i].attributes, 10);
        put_message(&span, cases[i].item, &item);
        batch = one_row(TT_TRACES, &span);
        assert_clipped(clip(batch, &four), 6, 0);
        batch = through_the_wire(batch);
        assert_int_equal(batch->rows[0].span.n_attributes, 4);
        assert_int_equal(dropped_of(batch, 10), 0);
        for (at = batch->rows[0].wire;
             tt_wire_next(&at, batch->rows[0].wire + batch->rows[0].wire_len, &field);)
            if (field.number == cases[i].item)
                at = field.data; /* into it; it is the last field */
            else if (field.number == cases[i].attributes)
                n++;
            else if (field.number == cases[i].dropped)
                dropped = field.value;
        assert_int_equal(n, 4);
        assert_int_equal(dropped, 6);
        tt_batch_unref(batch);
    }
}

static void the_body_of_a_log_record_is_not_cut(void **state)
{
    struct tt_buffer log = new_message(), body = new_message();
    struct tt_batch *batch;

    (void)state;
    put_fixed64(&log, 1, 42);
    put_bytes(&body, 1, TT_STR("a message that is long"));
    put_message(&log, 5, &body);
    put_text(&log, 6, "note", "long as well");
    put_numbered(&log, 6, 5);
    batch = one_row(TT_LOGS, &log);
    assert_clipped(clip(batch, &four_of_eight), 2, 1);
    batch = through_the_wire(batch);
    assert_int_equal(batch->rows[0].log.time_ns, 42);
    assert_str(tt_value_of(batch->rows[0].log.body).text, "a message that is long");
    assert_str(text_of(batch, "note"), "long as ");
    assert_int_equal(dropped_of(batch, 7), 2);
    tt_batch_unref(batch);
}

static void points_of_every_type_are_clipped(void **state)
{
    static const struct {
        uint32_t data, attributes;
    } cases[] = {{5, 7}, {7, 7}, {9, 9}, {10, 1}, {11, 7}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer point = new_message(), data = new_message(), metric = new_message(),
                         rows = new_message();
        struct tt_batch *batch;

        put_fixed64(&point, 3, 42);
        put_text(&point, cases[i].attributes, "note", "much too long");
        put_numbered(&point, cases[i].attributes, 5);
        put_message(&data, 1, &point);
        put_bytes(&metric, 1, TT_STR("a metric of a long name"));
        put_message(&metric, cases[i].data, &data);
        put_message(&rows, 2, &metric);
        batch = parse(TT_METRICS, &rows);
        assert_clipped(clip(batch, &four_of_eight), 2, 1);
        assert_int_equal(batch->rows[0].point.metric, 0);
        batch = through_the_wire(batch);
        assert_int_equal(batch->rows[0].point.time_ns, 42);
        assert_str(batch->metrics[0].name, "a metric of a long name");
        assert_str(text_of(batch, "note"), "much too");
        tt_batch_unref(batch);
    }
}

static void attributes_of_exemplars_are_limited(void **state)
{
    struct tt_buffer point = new_message(), data = new_message(), metric = new_message(),
                     rows = new_message(), exemplar = new_message();
    struct tt_batch *batch;

    (void)state;
    put_fixed64(&exemplar, 2, 42);
    put_numbered(&exemplar, 7, 6);
    put_text(&exemplar, 7, "note", "much too long, but not there");
    put_message(&point, 5, &exemplar);
    put_message(&data, 1, &point);
    put_message(&metric, 5, &data);
    put_message(&rows, 2, &metric);
    batch = parse(TT_METRICS, &rows);
    assert_clipped(clip(batch, &four_of_eight), 3, 0);
    batch = through_the_wire(batch);
    assert_clipped(clip(batch, &four_of_eight), 0, 0);
    tt_batch_unref(batch);
}

/* ---- nothing to do ---- */

static void zero_is_no_limit(void **state)
{
    static const struct tt_clip_limits none = {0, 0}, only_values = {0, 8}, only_number = {4, 0};
    struct tt_buffer span = new_message();
    struct tt_batch *batch;
    const uint8_t *wire;

    (void)state;
    put_text(&span, 9, "note", "much too long");
    put_numbered(&span, 9, 9);
    batch = one_row(TT_TRACES, &span);
    wire = batch->rows[0].wire;
    assert_clipped(clip(batch, &none), 0, 0);
    assert_ptr_equal(batch->rows[0].wire, wire);
    assert_false(batch->edited);
    assert_clipped(clip(batch, &only_values), 0, 1);
    assert_int_equal(batch->rows[0].span.n_attributes, 10);
    assert_clipped(clip(batch, &only_number), 6, 0);
    assert_int_equal(batch->rows[0].span.n_attributes, 4);
    tt_batch_unref(batch);
}

static void rows_within_the_limits_are_not_touched(void **state)
{
    struct tt_buffer rows = new_message(), out = new_message();
    struct tt_batch *batch;
    struct tt_str before;

    (void)state;
    put_span(&rows, 2, "a name that is longer than a value may be");
    put_span(&rows, 2, "second");
    batch = parse(TT_TRACES, &rows);
    before = batch->whole;
    assert_clipped(clip(batch, &tt_clip_limits_default), 0, 0);
    assert_false(batch->edited);
    tt_encode_request(batch, &out);
    assert_true(tt_str_equal(tt_buffer_view(&out), before));
    tt_buffer_done(&out);
    tt_batch_unref(batch);
}

static void a_clipped_row_is_what_protobuf_reads(void **state)
{
    struct tt_batch *batch = two_spans();
    const struct tt_clip_limits one_of_two = {.max_attributes = 1, .max_value_bytes = 2};
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;
    const Otlp__Span *span;

    (void)state;
    assert_clipped(clip(batch, &one_of_two), 2, 2);
    tt_arena_init(&arena, 0, 0);
    assert_ok(tt_row_unpack(batch, &batch->rows[0], &arena, &message, NULL), NULL);
    span = (const void *)message;
    assert_int_equal(span->n_attributes, 1);
    assert_int_equal(span->dropped_attributes_count, 1);
    assert_int_equal(span->events[0]->n_attributes, 1);
    assert_int_equal(span->events[0]->attributes[0]->value->string_value.len, 2);
    tt_arena_done(&arena);
    tt_batch_unref(batch);
}

static bool clip_a_new_batch(void *context)
{
    const struct tt_clip_limits one_of_two = {.max_attributes = 1, .max_value_bytes = 2};
    struct tt_batch *batch = context;
    struct tt_clipped clipped;

    return tt_batch_clip(batch, &one_of_two, &clipped, NULL) == TT_OK;
}

static void any_allocation_may_fail(void **state)
{
    struct tt_batch *batch = two_spans();

    (void)state;
    tt_test_failing_allocations(clip_a_new_batch, batch);
    assert_int_equal(batch->rows[0].span.n_attributes, 1);
    assert_int_equal(batch->rows[1].span.n_attributes, 1);
    tt_batch_unref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_attributes_stay_and_the_rest_is_counted),
        cmocka_unit_test(a_count_that_would_overflow_stays_at_its_most),
        cmocka_unit_test(empty_attributes_count_too),
        cmocka_unit_test(ten_thousand_attributes_are_cut_in_one_walk),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(the_default_is_four_kibibytes),
        cmocka_unit_test(bytes_are_cut_anywhere),
        cmocka_unit_test(texts_in_arrays_and_maps_are_cut_at_any_depth),
        cmocka_unit_test(only_the_long_element_of_an_array_is_cut),
        cmocka_unit_test(members_of_a_map_are_no_attributes),
        cmocka_unit_test(the_rest_of_a_span_stays),
        cmocka_unit_test(attributes_of_events_and_links_are_limited_each),
        cmocka_unit_test(the_body_of_a_log_record_is_not_cut),
        cmocka_unit_test(points_of_every_type_are_clipped),
        cmocka_unit_test(attributes_of_exemplars_are_limited),
        cmocka_unit_test(zero_is_no_limit),
        cmocka_unit_test(rows_within_the_limits_are_not_touched),
        cmocka_unit_test(a_clipped_row_is_what_protobuf_reads),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
