/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/validate.h"
#include "wire_build.h"

/* ---- one message at a time ---- */

static enum tt_status check_bytes(enum tt_pb_id message, struct tt_str bytes, struct tt_error *err)
{
    struct tt_check check;

    tt_check_init(&check, bytes, &tt_limits_default);
    (void)tt_check_message(&check, tt_pb_message(message), bytes);
    return tt_check_result(&check, "check", err);
}

static void structural_faults_are_refused_by_name(void **state)
{
    const struct {
        const char *name;
        enum tt_pb_id message;
        struct tt_str bytes;
        const char *what; /* in the message; NULL: accepted */
    } cases[] = {
        {"empty", TT_MSG_SPAN, TT_STR(""), NULL},
        {"field number 0", TT_MSG_SPAN, TT_STR("\x00\x01"), "not a field tag"},
        {"field number 0, length", TT_MSG_SPAN, TT_STR("\x02\x01x"), "not a field tag"},
        {"largest field number", TT_MSG_SPAN, TT_STR("\xf8\xff\xff\xff\x0f\x01"), NULL},
        {"field number 2^29", TT_MSG_SPAN, TT_STR("\x80\x80\x80\x80\x10\x01"), "not a field tag"},
        {"tag of 5 bytes", TT_MSG_SPAN, TT_STR("\xaa\x80\x80\x80\x00\x01x"), NULL},
        {"tag of 6 bytes", TT_MSG_SPAN, TT_STR("\xaa\x80\x80\x80\x80\x00\x01x"), "not a field tag"},
        {"tag cut off", TT_MSG_SPAN, TT_STR("\xaa"), "not a field tag"},
        {"length of 5 bytes", TT_MSG_SPAN, TT_STR("\x2a\x81\x80\x80\x80\x00x"), NULL},
        {"length of 6 bytes", TT_MSG_SPAN, TT_STR("\x2a\x81\x80\x80\x80\x80\x00x"), "longer than"},
        {"length past the end", TT_MSG_SPAN, TT_STR("\x2a\x02x"), "longer than"},
        {"length of 4 GiB", TT_MSG_SPAN, TT_STR("\x2a\xff\xff\xff\xff\x0fx"), "longer than"},
        {"length missing", TT_MSG_SPAN, TT_STR("\x2a"), "longer than"},
        {"length past its message", TT_MSG_SPAN, TT_STR("\x4a\x02\x0a\x05xxxxxx"), "longer than"},
        {"varint of 10 bytes", TT_MSG_ANY_VALUE,
         TT_STR("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
        {"varint of 65 bits", TT_MSG_ANY_VALUE,
         TT_STR("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "not a varint"},
        {"varint of 11 bytes", TT_MSG_ANY_VALUE,
         TT_STR("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"), "not a varint"},
        {"varint cut off", TT_MSG_ANY_VALUE, TT_STR("\x18\xff"), "not a varint"},
        {"fixed64 cut off", TT_MSG_SPAN, TT_STR("\x39\x01\x02\x03\x04\x05\x06\x07"), "cut off"},
        {"fixed32 cut off", TT_MSG_SPAN, TT_STR("\x85\x01\x01\x02\x03"), "cut off"},
        {"start group", TT_MSG_SPAN, TT_STR("\x2b\x2c"), "a group"},
        {"end group", TT_MSG_SPAN, TT_STR("\x2c"), "a group"},
        {"unknown group", TT_MSG_SPAN, TT_STR("\xa3\x06\xa4\x06"), "a group"},
        {"wire type 6", TT_MSG_SPAN, TT_STR("\x2e\x00"), "a group"},
        {"wire type 7", TT_MSG_SPAN, TT_STR("\x2f\x00"), "a group"},
        {"text as varint", TT_MSG_SPAN, TT_STR("\x28\x01"), "wrong wire type"},
        {"message as varint", TT_MSG_SPAN, TT_STR("\x48\x01"), "wrong wire type"},
        {"fixed64 as varint", TT_MSG_SPAN, TT_STR("\x38\x01"), "wrong wire type"},
        {"fixed64 as fixed32", TT_MSG_SPAN, TT_STR("\x3d\x01\x02\x03\x04"), "wrong wire type"},
        {"enum as text", TT_MSG_SPAN, TT_STR("\x32\x01\x01"), "wrong wire type"},
        {"bool as text", TT_MSG_ANY_VALUE, TT_STR("\x12\x01\x01"), "wrong wire type"},
        {"unknown, any wire type", TT_MSG_SPAN,
         TT_STR(
             "\xa0\x06\x01\xa1\x06\x01\x02\x03\x04\x05\x06\x07\x08\xa2\x06\x01x\xa5\x06\x01\x02\x03"
             "\x04"),
         NULL},
        {"unknown inside a known number", TT_MSG_GAUGE, TT_STR("\x12\x01x"), NULL},
        {"status twice", TT_MSG_SPAN, TT_STR("\x7a\x00\x7a\x00"), "given twice"},
        {"value twice", TT_MSG_KEY_VALUE, TT_STR("\x12\x00\x12\x00"), "given twice"},
        {"oneof twice, same member", TT_MSG_ANY_VALUE, TT_STR("\x0a\x00\x0a\x00"), "given twice"},
        {"oneof twice, two members", TT_MSG_ANY_VALUE, TT_STR("\x0a\x00\x18\x01"), "given twice"},
        {"oneof twice in an attribute", TT_MSG_SPAN,
         TT_STR("\x4a\x0a\x0a\x01k\x12\x05\x0a\x01v\x18\x01"), "given twice"},
        {"optional scalar twice", TT_MSG_HISTOGRAM_POINT,
         TT_STR("\x29\1\1\1\1\1\1\1\1\x29\1\1\1\1\1\1\1\1"), "given twice"},
        {"text twice", TT_MSG_SPAN, TT_STR("\x2a\x01x\x2a\x01y"), NULL},
        {"number twice", TT_MSG_SPAN, TT_STR("\x30\x01\x30\x02"), NULL},
        {"packed fixed64", TT_MSG_HISTOGRAM_POINT, TT_STR("\x32\x08\1\1\1\1\1\1\1\1"), NULL},
        {"packed fixed64, 9 bytes", TT_MSG_HISTOGRAM_POINT, TT_STR("\x32\x09\1\1\1\1\1\1\1\1\1"),
         "not a packed list"},
        {"unpacked fixed64", TT_MSG_HISTOGRAM_POINT, TT_STR("\x31\1\1\1\1\1\1\1\1"), NULL},
        {"packed varints", TT_MSG_BUCKETS, TT_STR("\x12\x03\x01\x80\x01"), NULL},
        {"packed varints, cut off", TT_MSG_BUCKETS, TT_STR("\x12\x02\x01\x80"),
         "not a packed list"},
        {"unpacked varints", TT_MSG_BUCKETS, TT_STR("\x10\x01\x10\x02"), NULL},
        {"packed list as fixed64", TT_MSG_BUCKETS, TT_STR("\x11\1\1\1\1\1\1\1\1"),
         "wrong wire type"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_error err = {.status = TT_OK};
        enum tt_status status = check_bytes(cases[i].message, cases[i].bytes, &err);
        bool as_expected = cases[i].what == NULL ? status == TT_OK
                                                 : status == TT_INVALID_DATA &&
                                                       strstr(err.message, cases[i].what) != NULL;
        if (!as_expected)
            print_error("%s: %s\n", cases[i].name, err.message);
        assert_true(as_expected);
    }
}

static void a_fault_names_the_byte_and_the_field(void **state)
{
    struct tt_error err;

    (void)state;
    assert_status(check_bytes(TT_MSG_SPAN, TT_STR("\x2a\x01x\x7a\x04\x18\x01\x10\x00"), &err),
                  TT_INVALID_DATA);
    assert_non_null(strstr(err.message, "byte 7, Status.message: wrong wire type"));
}

/* Every wrong wire type of every field of every message. */
static void no_field_takes_a_wire_type_that_is_not_its_own(void **state)
{
    static const uint32_t wire_types[] = {0, 1, 2, 5};
    static const char zeros[10] = {0};
    unsigned refused = 0;

    (void)state;
    for (unsigned m = 0; m < TT_MSG_COUNT; m++) {
        const struct tt_pb_message *message = tt_pb_message((enum tt_pb_id)m);
        for (unsigned f = 0; f < message->n_fields; f++) {
            const struct tt_pb_field *field = tt_pb_field(message, message->numbers[f]);
            for (size_t w = 0; w < TT_LENGTH(wire_types); w++) {
                bool fits = wire_types[w] == field->wire_type ||
                            (field->packable && wire_types[w] == TT_PB_WIRE_LENGTH);
                size_t size = wire_types[w] == TT_PB_WIRE_64   ? 8
                              : wire_types[w] == TT_PB_WIRE_32 ? 4
                                                               : 1;
                struct tt_buffer bytes = new_message();

                put_uvarint(&bytes, TT_TAG(field->number, wire_types[w]));
                tt_buffer_append(&bytes, zeros, size);
                assert_status(check_bytes((enum tt_pb_id)m, tt_buffer_view(&bytes), NULL),
                              fits ? TT_OK : TT_INVALID_DATA);
                refused += !fits;
                tt_buffer_done(&bytes);
            }
        }
    }
    assert_true(refused > 300);
}

/* ---- requests ---- */

static enum tt_status parse_view(enum tt_signal signal, struct tt_str bytes, struct tt_error *err)
{
    struct tt_body *body = tt_body_borrow(bytes.data, bytes.len, NULL, NULL);
    struct tt_batch *batch = NULL;
    enum tt_status status =
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, NULL, err);

    assert_true((status == TT_OK) == (batch != NULL));
    tt_batch_unref(batch);
    tt_body_unref(body);
    return status;
}

static struct tt_buffer sample_request(void)
{
    struct tt_buffer rows = new_message();

    put_span(&rows, 2, "one");
    put_span(&rows, 2, "two");
    put_span(&rows, 2, "three");
    return request_of(&rows, "shop", false);
}

static void random_bytes_never_crash_and_are_refused_but_for_a_few(void **state)
{
    uint64_t random = 1;
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        char bytes[500];

        for (size_t b = 0; b < sizeof(bytes); b++)
            bytes[b] = (char)tt_test_random(&random);
        accepted += parse_view(tt_signal_at(i % 3), tt_str_of(bytes, sizeof(bytes)), NULL) == TT_OK;
    }
    assert_int_equal(accepted, 0);
}

static void a_truncated_request_is_refused_or_empty(void **state)
{
    struct tt_buffer request = sample_request();

    (void)state;
    for (size_t len = 0; len < request.len; len++) {
        char *copy = tt_malloc(len); /* of just that size, for the sanitizer */
        memcpy(copy, request.data, len);
        assert_status(parse_view(TT_TRACES, tt_str_of(copy, len), NULL),
                      len == 0 ? TT_OK : TT_INVALID_DATA);
        tt_free(copy);
    }
    assert_status(parse_view(TT_TRACES, tt_buffer_view(&request), NULL), TT_OK);
    tt_buffer_done(&request);
}

static void every_flipped_bit_is_taken_or_refused(void **state)
{
    struct tt_buffer request = sample_request();
    unsigned accepted = 0, refused = 0;

    (void)state;
    for (size_t bit = 0; bit < request.len * 8; bit++) {
        enum tt_status status;

        request.data[bit / 8] = (char)(request.data[bit / 8] ^ (1 << bit % 8));
        status = parse_view(TT_TRACES, tt_buffer_view(&request), NULL);
        assert_true(status == TT_OK || status == TT_INVALID_DATA);
        status == TT_OK ? accepted++ : refused++;
        request.data[bit / 8] = (char)(request.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(accepted > 100 && refused > 100);
    tt_buffer_done(&request);
}

enum nest { NEST_ARRAYS, NEST_MAPS, NEST_BOTH };

/* A span whose one attribute has `levels` arrays or maps within each other around a number. Built from the inside: each level
 * puts its few bytes before what is there, so the bytes are written backwards. */
static struct tt_buffer nested_request(size_t levels, enum nest nest)
{
    size_t size = 64 + levels * 40, at = size, len;
    uint8_t *bytes = tt_malloc(size), head[TT_MAX_VARINT];
    struct tt_buffer request = new_message();

#define PREPEND_LENGTH(tag)                                    \
    do {                                                       \
        len = (size_t)(tt_put_varint(head, size - at) - head); \
        at -= len;                                             \
        memcpy(bytes + at, head, len);                         \
        bytes[--at] = (tag);                                   \
    } while (0)
    bytes[--at] = 1;
    bytes[--at] = 0x18; /* AnyValue.int_value */
    for (size_t i = 0; i < levels; i++) {
        if (nest == NEST_MAPS || (nest == NEST_BOTH && i % 2 == 0)) {
            PREPEND_LENGTH(0x12); /* KeyValue.value */
            PREPEND_LENGTH(0x0a); /* KeyValueList.values */
            PREPEND_LENGTH(0x32); /* AnyValue.kvlist_value */
        } else {
            PREPEND_LENGTH(0x0a); /* ArrayValue.values */
            PREPEND_LENGTH(0x2a); /* AnyValue.array_value */
        }
    }
    PREPEND_LENGTH(0x12); /* KeyValue.value */
    PREPEND_LENGTH(0x4a); /* Span.attributes */
    PREPEND_LENGTH(0x12); /* ScopeSpans.spans */
    PREPEND_LENGTH(0x12); /* ResourceSpans.scope_spans */
    PREPEND_LENGTH(0x0a);
    tt_buffer_append(&request, bytes + at, size - at);
    tt_free(bytes);
    return request;
}

static void nesting_is_allowed_to_64_levels_and_refused_quickly_beyond(void **state)
{
    static const struct {
        size_t levels;
        enum tt_status expected;
    } cases[] = {{0, TT_OK},
                 {1, TT_OK},
                 {63, TT_OK},
                 {64, TT_OK},
                 {65, TT_INVALID_DATA},
                 {1000, TT_INVALID_DATA},
                 {5000, TT_INVALID_DATA},
                 {100000, TT_INVALID_DATA}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        for (int nest = NEST_ARRAYS; nest <= NEST_BOTH; nest++) {
            struct tt_buffer request = nested_request(cases[i].levels, (enum nest)nest);
            struct tt_error err = {.status = TT_OK};

            assert_status(parse_view(TT_TRACES, tt_buffer_view(&request), &err), cases[i].expected);
            if (cases[i].expected != TT_OK)
                assert_non_null(strstr(err.message, "depth"));
            tt_buffer_done(&request);
        }
    }
}

static void a_lower_limit_of_depth_holds_exactly(void **state)
{
    const struct tt_limits limits = {.max_depth = 3, .max_elements = 1000, .max_rows = 10};

    (void)state;
    for (size_t levels = 2; levels <= 4; levels++) {
        struct tt_buffer request = nested_request(levels, NEST_BOTH);
        struct tt_batch *batch;

        assert_status(parse_bytes(TT_TRACES, &request, &limits, &batch, NULL, NULL),
                      levels <= 3 ? TT_OK : TT_INVALID_DATA);
        tt_batch_unref(batch);
    }
}

/* Two bytes an element, as many as fit into mebibytes. number: which field of a span, 0: empty spans. */
static struct tt_buffer element_bomb(uint32_t number, size_t mebibytes)
{
    struct tt_buffer rows = new_message(), span = new_message();
    struct tt_buffer *into = number == 0 ? &rows : &span;

    for (size_t i = 0; i < mebibytes << 19; i++)
        put_bytes(into, number == 0 ? 2 : number, (struct tt_str){NULL, 0});
    if (number != 0)
        put_message(&rows, 2, &span);
    return request_of(&rows, "bomb", false);
}

static void element_bombs_are_refused_over_the_limits(void **state)
{
    static const struct {
        uint32_t number; /* 0: empty spans, 9: attributes, 11: events, 13: links */
        size_t mebibytes;
        enum tt_status expected;
    } cases[] = {{0, 4, TT_TOO_LARGE},  {0, 20, TT_TOO_LARGE},  {9, 4, TT_OK},
                 {9, 20, TT_TOO_LARGE}, {11, 20, TT_TOO_LARGE}, {13, 64, TT_TOO_LARGE}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer request = element_bomb(cases[i].number, cases[i].mebibytes);
        struct tt_error err = {.status = TT_OK};
        struct tt_batch *batch;

        assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, &err),
                      cases[i].expected);
        if (batch != NULL)
            assert_true(tt_batch_memory(batch) < 64 * 1024);
        tt_batch_unref(batch);
    }
}

static void empty_resources_scopes_and_metrics_cost_no_memory(void **state)
{
    struct tt_buffer request = new_message(), block = new_message();
    struct tt_batch *batch;

    (void)state;
    for (int i = 0; i < 300000; i++)
        put_bytes(&block, 2, (struct tt_str){NULL, 0});
    for (int i = 0; i < 300000; i++)
        put_bytes(&request, 1, (struct tt_str){NULL, 0});
    put_message(&request, 1, &block);
    assert_status(parse_bytes(TT_METRICS, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_int_equal(batch->n_rows, 0);
    assert_true(tt_batch_memory(batch) < 64 * 1024);
    tt_batch_unref(batch);
}

static void limits_of_rows_and_elements_hold_exactly(void **state)
{
    (void)state;
    for (uint32_t more = 0; more <= 1; more++) {
        struct tt_limits rows_limit = tt_limits_default, elements_limit = tt_limits_default;
        struct tt_buffer request = sample_request();
        struct tt_batch *batch;

        rows_limit.max_rows = 3 - more;
        assert_status(parse_bytes(TT_TRACES, &request, &rows_limit, &batch, NULL, NULL),
                      more == 0 ? TT_OK : TT_TOO_LARGE);
        tt_batch_unref(batch);
        /* 2 blocks, resource and scope with one attribute each (3 and 3), 3 spans of 1 + 2 * 2 + event 3 + link + status. */
        elements_limit.max_elements = 2 + 3 + 3 + 3 * 10 - more;
        request = sample_request();
        assert_status(parse_bytes(TT_TRACES, &request, &elements_limit, &batch, NULL, NULL),
                      more == 0 ? TT_OK : TT_TOO_LARGE);
        tt_batch_unref(batch);
    }
}

static void packed_lists_count_as_elements(void **state)
{
    const struct tt_limits limits = {.max_depth = 64, .max_elements = 1000, .max_rows = 10};

    (void)state;
    for (size_t count = 450; count <= 550; count += 100) {
        struct tt_buffer buckets = new_message(), point = new_message(), data = new_message(),
                         metric = new_message(), rows = new_message(), request;
        struct tt_batch *batch;

        for (size_t i = 0; i < count; i++)
            put_uvarint(&buckets, 1);
        put_bytes(&data, 2, tt_buffer_view(&buckets));
        put_bytes(&data, 2, tt_buffer_view(&buckets)); /* lists of one field add up */
        put_message(&point, 8, &data);
        data = new_message();
        put_message(&data, 1, &point);
        put_message(&metric, 10, &data);
        put_message(&rows, 2, &metric);
        request = request_of(&rows, "shop", false);
        assert_status(parse_bytes(TT_METRICS, &request, &limits, &batch, NULL, NULL),
                      count < 500 ? TT_OK : TT_TOO_LARGE);
        tt_batch_unref(batch);
        tt_buffer_done(&buckets);
    }
}

static void a_million_unknown_fields_are_skipped(void **state)
{
    struct tt_buffer rows = new_message(), request;
    struct tt_batch *batch;

    (void)state;
    put_span(&rows, 2, "one");
    for (int i = 0; i < 1000000; i++)
        put_varint_field(&rows, 1000, 1);
    request = request_of(&rows, "shop", false);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_int_equal(batch->n_rows, 1);
    tt_batch_unref(batch);
}

/* ---- what may be absent, and extremes ---- */

/* A message with every field but one, down to a depth: bytes that say "present and zero". */
static void put_all_fields(const struct tt_pb_message *message, unsigned depth,
                           const struct tt_pb_field *left_out, struct tt_buffer *out)
{
    static const char zeros[16] = {0};
    uint32_t seen = 0;

    for (unsigned f = 0; f < message->n_fields; f++) {
        const struct tt_pb_field *field = tt_pb_field(message, message->numbers[f]);
        struct tt_buffer inner = new_message();

        if (field == left_out || (seen & field->once) != 0)
            continue;
        seen |= field->once;
        if (field->kind == TT_PB_MESSAGE && depth < 10)
            put_all_fields(field->message, depth + 1, left_out, &inner);
        if (field->kind == TT_PB_ID)
            tt_buffer_append(&inner, zeros, field->id_len);
        if (field->wire_type == TT_PB_WIRE_LENGTH) {
            put_message(out, field->number, &inner);
            continue;
        }
        put_uvarint(out, TT_TAG(field->number, field->wire_type));
        tt_buffer_append(out, zeros,
                         field->wire_type == TT_PB_WIRE_64   ? 8
                         : field->wire_type == TT_PB_WIRE_32 ? 4
                                                             : 1);
    }
}

static void each_field_may_be_absent(void **state)
{
    unsigned cases = 0;

    (void)state;
    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        for (unsigned m = 0; m < TT_MSG_COUNT; m++) {
            const struct tt_pb_message *message = tt_pb_message((enum tt_pb_id)m);
            for (unsigned f = 0; f < message->n_fields; f++, cases++) {
                struct tt_buffer request = new_message();

                put_all_fields(tt_pb_request(tt_signal_at(s)), 0,
                               tt_pb_field(message, message->numbers[f]), &request);
                assert_status(parse_view(tt_signal_at(s), tt_buffer_view(&request), NULL), TT_OK);
                tt_buffer_done(&request);
            }
        }
    }
    assert_true(cases > 300);
}

static void times_are_kept_as_they_came(void **state)
{
    static const uint64_t times[] = {0, 1, UINT64_C(1) << 63, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(times) * TT_LENGTH(times); i++) {
        struct tt_buffer rows = new_message(), span = new_message(), request;
        struct tt_batch *batch;

        put_fixed64(&span, 7, times[i % TT_LENGTH(times)]);
        put_fixed64(&span, 8, times[i / TT_LENGTH(times)]);
        put_message(&rows, 2, &span);
        request = request_of(&rows, "shop", false);
        assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL),
                      TT_OK);
        assert_true(batch->rows[0].span.start_ns == times[i % TT_LENGTH(times)]);
        assert_true(batch->rows[0].span.end_ns == times[i / TT_LENGTH(times)]);
        tt_batch_unref(batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structural_faults_are_refused_by_name),
        cmocka_unit_test(a_fault_names_the_byte_and_the_field),
        cmocka_unit_test(no_field_takes_a_wire_type_that_is_not_its_own),
        cmocka_unit_test(random_bytes_never_crash_and_are_refused_but_for_a_few),
        cmocka_unit_test(a_truncated_request_is_refused_or_empty),
        cmocka_unit_test(every_flipped_bit_is_taken_or_refused),
        cmocka_unit_test(nesting_is_allowed_to_64_levels_and_refused_quickly_beyond),
        cmocka_unit_test(a_lower_limit_of_depth_holds_exactly),
        cmocka_unit_test(element_bombs_are_refused_over_the_limits),
        cmocka_unit_test(empty_resources_scopes_and_metrics_cost_no_memory),
        cmocka_unit_test(limits_of_rows_and_elements_hold_exactly),
        cmocka_unit_test(packed_lists_count_as_elements),
        cmocka_unit_test(a_million_unknown_fields_are_skipped),
        cmocka_unit_test(each_field_may_be_absent),
        cmocka_unit_test(times_are_kept_as_they_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
