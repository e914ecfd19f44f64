/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/batch.h"
#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/overlay.h"
#include "wire_build.h"

static const struct tt_column_desc score = {"score", TT_COLUMN_DOUBLE, "test"};
static const struct tt_column_desc type = {"anomaly.type", TT_COLUMN_TEXT, "test"};
static const struct tt_column_desc count = {"count", TT_COLUMN_INT, "test"};

/* ---- bodies ---- */

static void note_release(void *context)
{
    ++*(unsigned *)context;
}

static void a_body_is_released_with_its_last_reference(void **state)
{
    unsigned released = 0;
    struct tt_body *body = tt_body_borrow("abc", 3, note_release, &released);

    (void)state;
    assert_str(tt_body_view(body), "abc");
    assert_ptr_equal(tt_body_ref(body), body);
    tt_body_unref(body);
    assert_int_equal(released, 0);
    tt_body_unref(body);
    assert_int_equal(released, 1);
    tt_body_unref(NULL);
    tt_body_unref(tt_body_take(tt_malloc(5), 5)); /* leak checkers see whether it is freed */
}

static void a_body_that_cannot_be_made_frees_what_it_took(void **state)
{
    void *data = tt_malloc(5);

    (void)state;
    tt_mem_fail_after(1);
    assert_null(tt_body_take(data, 5));
    assert_null(tt_body_borrow("abc", 3, NULL, NULL));
    tt_mem_fail_after(0);
}

/* ---- parsing ---- */

static void rows_have_their_fields_and_their_envelope(void **state)
{
    struct tt_batch *batch = two_spans();
    const struct tt_row *row = &batch->rows[1];

    (void)state;
    assert_int_equal(batch->n_rows, 2);
    assert_int_equal(tt_batch_live_rows(batch), 2);
    assert_memory_equal(row->span.trace_id, TRACE_ID, 16);
    assert_memory_equal(row->span.span_id, SPAN_ID, 8);
    assert_null(row->span.parent_span_id);
    assert_str(row->span.name, "second");
    assert_int_equal(row->span.kind, 2);
    assert_int_equal(row->span.start_ns, 1000);
    assert_int_equal(row->span.end_ns, 3000);
    assert_int_equal(row->span.status_code, 2);
    assert_str(row->span.status_message, "broken");
    assert_int_equal(row->span.n_attributes, 2);
    assert_int_equal(row->span.n_events, 1);
    assert_int_equal(row->span.n_links, 1);
    assert_str(tt_row_resource(batch, row)->service_name, "shop");
    assert_str(tt_row_resource(batch, row)->schema_url, "https://resource/1");
    assert_str(tt_row_scope(batch, row)->name, "lib");
    assert_str(tt_row_scope(batch, row)->version, "1.0");
    assert_str(tt_row_scope(batch, row)->schema_url, "https://scope/1");
    assert_int_equal(tt_row_index(batch, row), 1);
    assert_false(batch->edited);
    tt_batch_unref(batch);
}

static void resource_and_scope_may_follow_the_rows(void **state)
{
    struct tt_buffer rows = new_message(), request;
    struct tt_batch *batch;

    (void)state;
    put_span(&rows, 2, "only");
    request = request_of(&rows, "late", true);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_str(tt_row_resource(batch, &batch->rows[0])->service_name, "late");
    assert_str(tt_row_scope(batch, &batch->rows[0])->name, "lib");
    tt_batch_unref(batch);
}

static void a_service_name_that_is_no_text_is_empty(void **state)
{
    struct tt_buffer request = new_message(), block = new_message(), resource = new_message(),
                     scope = new_message();
    struct tt_batch *batch;

    (void)state;
    put_int(&resource, 1, "service.name", 5);
    put_message(&block, 1, &resource);
    put_span(&scope, 2, "x");
    put_message(&block, 2, &scope);
    put_message(&request, 1, &block);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_int_equal(batch->resources[0].service_name.len, 0);
    assert_null(batch->scopes[0].wire.data);
    tt_batch_unref(batch);
}

static void ids_of_a_wrong_length_reject_their_row_alone(void **state)
{
    static const struct {
        uint32_t field, inner; /* in the span; in its link, 0: none */
        size_t len;
        bool rejected;
    } cases[] = {{1, 0, 16, false}, {1, 0, 0, false}, {1, 0, 15, true},  {1, 0, 17, true},
                 {2, 0, 8, false},  {2, 0, 0, false}, {2, 0, 16, true},  {4, 0, 8, false},
                 {4, 0, 7, true},   {13, 1, 8, true}, {13, 1, 0, false}, {13, 2, 9, true}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer rows = new_message(), span = new_message(), link = new_message(), request;
        struct tt_str id = tt_str_of("xxxxxxxxxxxxxxxxxxxxx", cases[i].len);
        struct tt_error err = {.status = TT_OK};
        struct tt_batch *batch;
        uint64_t rejected = 77;

        put_span(&rows, 2, "good");
        if (cases[i].inner != 0)
            put_bytes(&link, cases[i].inner, id);
        put_bytes(&span, cases[i].field, cases[i].inner == 0 ? id : tt_buffer_view(&link));
        put_message(&rows, 2, &span);
        put_span(&rows, 2, "also good");
        request = request_of(&rows, "shop", false);
        assert_ok(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, &rejected, &err),
                  &err);
        assert_int_equal(rejected, cases[i].rejected);
        assert_int_equal(batch->n_rows, 3 - cases[i].rejected);
        assert_str(batch->rows[batch->n_rows - 1].span.name, "also good");
        if (cases[i].rejected)
            assert_non_null(strstr(err.message, "id that has not"));
        assert_int_equal(batch->edited, cases[i].rejected);
        tt_batch_unref(batch);
        tt_buffer_done(&link);
    }
}

static void ids_that_are_all_zero_are_absent(void **state)
{
    static const char zero[16] = {0};
    struct tt_buffer rows = new_message(), span = new_message(), request;
    struct tt_batch *batch;

    (void)state;
    put_bytes(&span, 1, tt_str_of(zero, 16));
    put_bytes(&span, 2, tt_str_of(zero, 8));
    put_message(&rows, 2, &span);
    request = request_of(&rows, "shop", false);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_null(batch->rows[0].span.trace_id);
    assert_null(batch->rows[0].span.span_id);
    tt_batch_unref(batch);
}

static void a_request_of_bad_rows_only_is_refused(void **state)
{
    struct tt_buffer rows = new_message(), span = new_message(), request;
    struct tt_error err = {.status = TT_OK};
    struct tt_batch *batch;
    uint64_t rejected = 0;

    (void)state;
    put_bytes(&span, 1, TT_STR("short"));
    put_bytes(&rows, 2, tt_buffer_view(&span));
    put_message(&rows, 2, &span);
    request = request_of(&rows, "shop", false);
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, &rejected, &err),
                  TT_INVALID_DATA);
    assert_int_equal(rejected, 2);
    assert_string_equal(err.message,
                        "spans: 2 rejected, first for a trace_id that has not 16 bytes");
}

static void an_empty_request_has_no_rows(void **state)
{
    (void)state;
    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        struct tt_buffer request = new_message();
        struct tt_batch *batch;

        assert_status(
            parse_bytes(tt_signal_at(s), &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
        assert_int_equal(batch->n_rows, 0);
        tt_batch_unref(batch);
    }
}

static void points_of_several_metrics_know_theirs(void **state)
{
    struct tt_buffer rows = new_message(), metric = new_message(), data = new_message(),
                     point = new_message(), request;
    struct tt_batch *batch;

    (void)state;
    put_fixed64(&point, 6, 5); /* as_int */
    put_message(&data, 1, &point);
    put_varint_field(&data, 2, 2); /* cumulative */
    put_varint_field(&data, 3, 1); /* monotonic */
    put_message(&metric, 7, &data);
    put_bytes(&metric, 1, TT_STR("requests")); /* after its data */
    put_bytes(&metric, 3, TT_STR("1"));
    put_message(&rows, 2, &metric);
    metric = new_message();
    data = new_message();
    point = new_message();
    put_bytes(&metric, 1, TT_STR("latency"));
    put_fixed64(&point, 4, 7); /* count */
    put_message(&data, 1, &point);
    put_message(&metric, 9, &data);
    put_message(&rows, 2, &metric);
    request = request_of(&rows, "shop", false);
    assert_status(parse_bytes(TT_METRICS, &request, &tt_limits_default, &batch, NULL, NULL), TT_OK);
    assert_int_equal(batch->n_metrics, 2);
    assert_str(batch->metrics[batch->rows[0].point.metric].name, "requests");
    assert_true(batch->metrics[0].monotonic);
    assert_int_equal(batch->metrics[0].temporality, 2);
    assert_int_equal(batch->rows[0].point.value_type, TT_POINT_INT);
    assert_int_equal(batch->rows[0].point.integer, 5);
    assert_str(batch->metrics[batch->rows[1].point.metric].name, "latency");
    assert_int_equal(batch->metrics[1].type, TT_METRIC_HISTOGRAM);
    assert_int_equal(batch->rows[1].point.value_type, TT_POINT_DISTRIBUTION);
    assert_int_equal(batch->rows[1].point.count, 7);
    assert_true(batch->rows[1].point.sum != batch->rows[1].point.sum); /* NaN */
    tt_batch_unref(batch);
}

static void metadata_is_copied(void **state)
{
    char value[] = "latency";
    struct tt_header header = {TT_STR("x-anomaly-type"), tt_str(value)};
    struct tt_metadata metadata = {.receiver = "otlp",
                                   .arrival_ns = 5,
                                   .peer = TT_STR("127.0.0.1:1"),
                                   .headers = &header,
                                   .n_headers = 1};
    struct tt_body *body = tt_body_borrow(NULL, 0, NULL, NULL);
    struct tt_batch *batch = NULL;

    (void)state;
    assert_ok(tt_batch_parse(TT_LOGS, body, &tt_limits_default, &metadata, &batch, NULL, NULL),
              NULL);
    memset(value, 'x', sizeof(value) - 1);
    assert_int_equal(batch->n_metadata, 1);
    assert_str(batch->metadata[0].headers[0].value, "latency");
    assert_str(batch->metadata[0].peer, "127.0.0.1:1");
    assert_int_equal(batch->metadata[0].arrival_ns, 5);
    tt_batch_unref(batch);
    tt_body_unref(body);
}

/* ---- building ---- */

static void rows_can_be_regrouped_from_other_batches(void **state)
{
    struct tt_batch *from = two_spans(), *to = tt_batch_new(TT_TRACES, 0);
    struct tt_buffer out = new_message();
    uint32_t resource, scope, metadata;

    (void)state;
    assert_true(tt_batch_keep_memory(to, from));
    resource = tt_batch_add_resource(to, from->resources[0].wire, from->resources[0].schema_url);
    scope = tt_batch_add_scope(to, resource, from->scopes[0].wire, from->scopes[0].schema_url);
    metadata = tt_batch_add_metadata(to, &from->metadata[0]);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(
            tt_batch_add_row(to, scope, metadata,
                             tt_str_of(from->rows[i % 2].wire, from->rows[i % 2].wire_len)),
            i);
    tt_batch_unref(from);
    assert_int_equal(to->n_rows, 300);
    assert_str(to->rows[299].span.name, "second");
    assert_int_equal(to->rows[299].span.n_attributes, 2);
    assert_str(to->resources[0].service_name, "shop");
    assert_str(to->scopes[0].name, "lib");
    tt_encode_request(to, &out);
    from = NULL;
    assert_status(parse_bytes(TT_TRACES, &out, &tt_limits_default, &from, NULL, NULL), TT_OK);
    assert_int_equal(from->n_rows, 300);
    tt_batch_unref(from);
    tt_batch_unref(to);
}

static void many_resources_and_scopes_interleaved_are_written_grouped(void **state)
{
    struct tt_batch *from = two_spans(), *to = tt_batch_new(TT_TRACES, 0), *again;
    struct tt_buffer out = new_message();
    struct tt_str wire = tt_str_of(from->rows[0].wire, from->rows[0].wire_len);

    (void)state;
    assert_true(tt_batch_keep_memory(to, from));
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(tt_batch_add_resource(to, from->resources[0].wire, TT_STR("")), i);
    for (uint32_t i = 0; i < 120; i++)
        assert_int_equal(tt_batch_add_scope(to, i % 40, from->scopes[0].wire, TT_STR("")), i);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_not_equal(tt_batch_add_row(to, (i * 3) % 119, 0, wire), UINT32_MAX);
    tt_encode_request(to, &out);
    assert_status(parse_bytes(TT_TRACES, &out, &tt_limits_default, &again, NULL, NULL), TT_OK);
    assert_int_equal(again->n_rows, 1000);
    assert_int_equal(again->n_resources, 40);
    assert_int_equal(again->n_scopes, 119); /* the last one has no rows */
    tt_batch_unref(again);
    tt_batch_unref(from);
    tt_batch_unref(to);
}

static void points_can_be_added_to_an_added_metric(void **state)
{
    struct tt_buffer metric = new_message(), data = new_message(), point = new_message(),
                     out = new_message();
    struct tt_batch *batch = tt_batch_new(TT_METRICS, 0), *again;
    uint32_t at;

    (void)state;
    put_varint_field(&data, 2, 1);
    put_varint_field(&data, 3, 1);
    put_bytes(&metric, 1, TT_STR("requests"));
    put_bytes(&metric, 2, TT_STR("described"));
    put_bytes(&metric, 3, TT_STR("{r}"));
    put_message(&metric, 7, &data);
    put_fixed64(&point, 3, 99);
    put_fixed64(&point, 4, 0);
    (void)tt_batch_add_resource(batch, TT_STR(""), TT_STR(""));
    (void)tt_batch_add_scope(batch, 0, TT_STR(""), TT_STR(""));
    at = tt_batch_add_metric(batch, tt_buffer_view(&metric));
    assert_int_equal(at, 0);
    assert_int_equal(batch->metrics[0].type, TT_METRIC_SUM);
    assert_int_equal(batch->metrics[0].temporality, 1);
    assert_true(batch->metrics[0].monotonic);
    assert_str(batch->metrics[0].unit, "{r}");
    assert_str(batch->metrics[0].description, "described");
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(tt_batch_add_point(batch, 0, 0, at, tt_buffer_view(&point)), i);
    assert_int_equal(batch->rows[2].point.time_ns, 99);
    assert_int_equal(batch->rows[2].point.value_type, TT_POINT_DOUBLE);
    tt_encode_request(batch, &out);
    assert_status(parse_bytes(TT_METRICS, &out, &tt_limits_default, &again, NULL, NULL), TT_OK);
    assert_int_equal(again->n_rows, 3);
    assert_int_equal(again->n_metrics, 1);
    assert_int_equal(again->metrics[0].temporality, 1);
    tt_batch_unref(again);
    tt_batch_unref(batch);
    tt_buffer_done(&metric);
    tt_buffer_done(&point);
}

static void dropped_rows_are_passed_over_and_counted_once(void **state)
{
    struct tt_batch *batch = two_spans();
    const struct tt_row *row;
    uint32_t at = 0;

    (void)state;
    tt_row_drop(batch, &batch->rows[0]);
    tt_row_drop(batch, &batch->rows[0]);
    assert_int_equal(tt_batch_live_rows(batch), 1);
    row = tt_batch_next(batch, &at);
    assert_str(row->span.name, "second");
    assert_null(tt_batch_next(batch, &at));
    assert_true(batch->edited);
    tt_batch_unref(batch);
}

/* ---- columns ---- */

static void a_column_is_found_by_name_and_empty_at_first(void **state)
{
    struct tt_batch *batch = two_spans();
    struct tt_column *column = tt_batch_column(batch, &score);

    (void)state;
    assert_non_null(column);
    assert_false(tt_column_has(column, 0));
    assert_false(tt_column_has(column, 1));
    tt_column_set_double(column, 1, 0.5);
    assert_false(tt_column_has(column, 0));
    assert_true(tt_column_has(column, 1));
    assert_ptr_equal(tt_batch_column(batch, &score), column);
    assert_ptr_equal(tt_batch_find_column(batch, TT_STR("score")), column);
    assert_null(tt_batch_find_column(batch, TT_STR("scor")));
    assert_true(batch->edited);
    tt_batch_unref(batch);
}

static void columns_grow_with_the_rows(void **state)
{
    struct tt_batch *batch = tt_batch_new(TT_LOGS, 0);
    const struct tt_column *column;

    (void)state;
    (void)tt_batch_add_resource(batch, TT_STR(""), TT_STR(""));
    (void)tt_batch_add_scope(batch, 0, TT_STR(""), TT_STR(""));
    assert_non_null(tt_batch_column(batch, &count));
    for (uint32_t i = 0; i < 1000; i++) {
        struct tt_column *now;
        assert_int_equal(tt_batch_add_row(batch, 0, 0, TT_STR("")), i);
        now = tt_batch_column(batch, &count);
        if (i % 3 == 0)
            tt_column_set_int(now, i, (int64_t)i * 10);
    }
    column = tt_batch_find_column(batch, TT_STR("count"));
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(tt_column_has(column, i), i % 3 == 0);
        if (i % 3 == 0)
            assert_int_equal(column->integers[i], i * 10);
    }
    tt_batch_unref(batch);
}

/* ---- sharing ---- */

static void the_only_holder_keeps_its_batch(void **state)
{
    struct tt_batch *batch = two_spans(), *before = batch;

    (void)state;
    assert_ok(tt_batch_make_writable(&batch, NULL), NULL);
    assert_ptr_equal(batch, before);
    tt_batch_unref(batch);
}

static void a_clone_and_its_original_do_not_see_each_others_changes(void **state)
{
    const struct tt_value value = {.type = TT_VALUE_STRING, .text = TT_STR("set")};
    struct tt_batch *original = two_spans(), *copy;
    struct tt_value found;
    struct tt_column *column = tt_batch_column(original, &type);

    (void)state;
    tt_column_set_text(column, 0, tt_arena_copy(&original->arena, TT_STR("latency")));
    assert_true(tt_span_set_name(original, &original->rows[0], TT_STR("renamed")));
    copy = tt_batch_ref(original);
    assert_ok(tt_batch_make_writable(&copy, NULL), NULL);
    assert_ptr_not_equal(copy, original);

    assert_true(tt_row_set_attribute(copy, &copy->rows[1], TT_STR("new"), &value));
    assert_true(tt_resource_set_attribute(copy, 0, TT_STR("service.name"), &value));
    tt_column_set_text(tt_batch_column(copy, &type), 1, TT_STR("copy's"));
    tt_row_drop(copy, &copy->rows[0]);
    assert_true(tt_row_set_attribute(original, &original->rows[1], TT_STR("other"), &value));
    assert_true(tt_span_set_name(original, &original->rows[0], TT_STR("renamed again")));

    assert_false(
        tt_find_attribute(tt_row_attributes(original, &original->rows[1]), TT_STR("new"), &found));
    assert_false(
        tt_find_attribute(tt_row_attributes(copy, &copy->rows[1]), TT_STR("other"), &found));
    assert_str(original->resources[0].service_name, "shop");
    assert_int_equal(tt_batch_live_rows(original), 2);
    assert_false(tt_column_has(tt_batch_find_column(original, TT_STR("anomaly.type")), 1));
    tt_batch_unref(original);

    /* What the copy shares outlives the original. */
    assert_str(copy->rows[0].span.name, "renamed");
    assert_str(tt_batch_find_column(copy, TT_STR("anomaly.type"))->texts[0], "latency");
    assert_str(tt_batch_find_column(copy, TT_STR("anomaly.type"))->texts[1], "copy's");
    assert_str(copy->resources[0].service_name, "set");
    assert_str(copy->rows[1].span.name, "second");
    tt_batch_unref(copy);
}

static void an_unedited_clone_is_written_as_it_came(void **state)
{
    struct tt_buffer rows = new_message(), request, out = new_message();
    struct tt_batch *original, *copy;

    (void)state;
    put_span(&rows, 2, "only");
    request = request_of(&rows, "shop", false);
    put_varint_field(&request, 99, 1); /* what an encoder of ours would not write */
    assert_status(parse_bytes(TT_TRACES, &request, &tt_limits_default, &original, NULL, NULL),
                  TT_OK);
    copy = tt_batch_ref(original);
    assert_ok(tt_batch_make_writable(&copy, NULL), NULL);
    tt_encode_request(copy, &out);
    assert_str_equal(tt_buffer_view(&out), original->whole);
    tt_buffer_done(&out);
    tt_batch_unref(original);
    tt_batch_unref(copy);
}

static void columns_of_a_clone_still_hide_attributes(void **state)
{
    static const struct tt_column_desc a = {"a", TT_COLUMN_TEXT, "test"};
    struct tt_batch *original = two_spans(), *copy;
    struct tt_attribute attribute;
    struct tt_cursor cursor;
    unsigned n = 0;

    (void)state;
    tt_column_set_text(tt_batch_column(original, &a), 0, TT_STR("column's"));
    copy = tt_batch_ref(original);
    assert_ok(tt_batch_make_writable(&copy, NULL), NULL);
    tt_batch_unref(original);
    cursor = tt_row_attributes(copy, &copy->rows[0]);
    while (tt_next_attribute(&cursor, &attribute))
        n += tt_str_equal(attribute.key, TT_STR("a"));
    assert_int_equal(n, 1);
    tt_batch_unref(copy);
}

static void note_done(void *context, const struct tt_ack_result *result)
{
    (void)result;
    ++*(unsigned *)context;
}

static void the_answer_waits_for_all_clones(void **state)
{
    struct tt_batch *original = two_spans(), *copy = tt_batch_ref(original);
    unsigned done = 0;

    (void)state;
    original->ack = tt_ack_new(note_done, &done);
    assert_ok(tt_batch_make_writable(&copy, NULL), NULL);
    tt_batch_unref(original);
    assert_int_equal(done, 0);
    tt_batch_unref(copy);
    assert_int_equal(done, 1);
    tt_batch_unref(NULL);
}

static void keeping_memory_does_not_keep_the_answer(void **state)
{
    struct tt_batch *original = two_spans(), *other = tt_batch_new(TT_TRACES, 0);
    struct tt_str name;
    unsigned done = 0;

    (void)state;
    original->ack = tt_ack_new(note_done, &done);
    assert_true(tt_span_set_name(original, &original->rows[0], TT_STR("in the arena")));
    name = original->rows[0].span.name;
    assert_true(tt_batch_keep_memory(other, original));
    tt_batch_unref(original);
    assert_int_equal(done, 1);
    assert_str(name, "in the arena");
    tt_batch_unref(other);
}

static void a_chain_of_kept_batches_lives_until_its_end_and_is_given_back(void **state)
{
    struct tt_batch *last = two_spans(), *next;
    struct tt_str name;

    (void)state;
    assert_true(tt_span_set_name(last, &last->rows[0], TT_STR("of the first")));
    name = last->rows[0].span.name;
    for (int i = 0; i < 100; i++) {
        next = tt_batch_new(TT_TRACES, 0);
        assert_non_null(next);
        assert_true(tt_batch_keep_memory(next, last));
        tt_batch_unref(last);
        last = next;
    }
    assert_str(name, "of the first");
    tt_batch_unref(last); /* AddressSanitizer counts what is left */
}

/* ---- without memory ---- */

static bool parse_edit_clone_and_encode(void *context)
{
    struct tt_body *body = tt_body_borrow(((struct tt_str *)context)->data,
                                          ((struct tt_str *)context)->len, NULL, NULL);
    const struct tt_value value = {.type = TT_VALUE_STRING, .text = TT_STR("v")};
    struct tt_header header = {TT_STR("x-anomaly-type"), TT_STR("latency")};
    struct tt_metadata metadata = {.receiver = "otlp", .headers = &header, .n_headers = 1};
    struct tt_batch *batch = NULL, *copy = NULL;
    struct tt_buffer out = new_message();
    bool ok = body != NULL && tt_batch_parse(TT_TRACES, body, &tt_limits_default, &metadata, &batch,
                                             NULL, NULL) == TT_OK;

    if (ok) {
        struct tt_row *row = &batch->rows[0];
        struct tt_column *column = tt_batch_column(batch, &type);

        ok = column != NULL && tt_row_set_attribute(batch, row, TT_STR("k"), &value) &&
             tt_row_set_attribute(batch, row, TT_STR("l"), &value) &&
             tt_row_set_attribute(batch, row, TT_STR("k"), &value) &&
             tt_row_delete_attribute(batch, row, TT_STR("a")) &&
             tt_span_set_status(batch, row, 1, TT_STR("m")) &&
             tt_resource_set_attribute(batch, 0, TT_STR("r"), &value);
        copy = tt_batch_ref(batch);
        ok = tt_batch_make_writable(&copy, NULL) == TT_OK && ok;
        for (int i = 0; i < 40; i++)
            ok = (copy == batch || tt_batch_add_row(copy, 0, 0, TT_STR("")) != UINT32_MAX) && ok;
        tt_encode_request(copy, &out);
        ok = out.failed == TT_OK && ok;
    }
    tt_buffer_done(&out);
    tt_batch_unref(copy);
    tt_batch_unref(batch);
    tt_body_unref(body);
    return ok;
}

static void any_allocation_may_fail(void **state)
{
    struct tt_buffer rows = new_message(), request;
    struct tt_str view;

    (void)state;
    for (int i = 0; i < 100; i++)
        put_span(&rows, 2, "one of many");
    request = request_of(&rows, "shop", false);
    view = tt_buffer_view(&request);
    tt_test_failing_allocations(parse_edit_clone_and_encode, &view);
    tt_buffer_done(&request);
}

static bool parse_points(void *context)
{
    struct tt_body *body = tt_body_borrow(((struct tt_str *)context)->data,
                                          ((struct tt_str *)context)->len, NULL, NULL);
    struct tt_batch *batch = NULL;
    enum tt_status status = body == NULL ? TT_NO_MEMORY
                                         : tt_batch_parse(TT_METRICS, body, &tt_limits_default,
                                                          NULL, &batch, NULL, NULL);

    assert_true(status == TT_OK || status == TT_NO_MEMORY);
    tt_batch_unref(batch);
    tt_body_unref(body);
    return status == TT_OK;
}

static void any_allocation_may_fail_for_points(void **state)
{
    struct tt_buffer rows = new_message(), request;
    struct tt_str view;

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct tt_buffer metric = new_message(), data = new_message();
        put_bytes(&data, 1, TT_STR(""));
        put_message(&metric, 5, &data);
        put_message(&rows, 2, &metric);
    }
    request = request_of(&rows, "shop", false);
    view = tt_buffer_view(&request);
    tt_test_failing_allocations(parse_points, &view);
    tt_buffer_done(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_released_with_its_last_reference),
        cmocka_unit_test(a_body_that_cannot_be_made_frees_what_it_took),
        cmocka_unit_test(rows_have_their_fields_and_their_envelope),
        cmocka_unit_test(resource_and_scope_may_follow_the_rows),
        cmocka_unit_test(a_service_name_that_is_no_text_is_empty),
        cmocka_unit_test(ids_of_a_wrong_length_reject_their_row_alone),
        cmocka_unit_test(ids_that_are_all_zero_are_absent),
        cmocka_unit_test(a_request_of_bad_rows_only_is_refused),
        cmocka_unit_test(an_empty_request_has_no_rows),
        cmocka_unit_test(points_of_several_metrics_know_theirs),
        cmocka_unit_test(metadata_is_copied),
        cmocka_unit_test(rows_can_be_regrouped_from_other_batches),
        cmocka_unit_test(many_resources_and_scopes_interleaved_are_written_grouped),
        cmocka_unit_test(points_can_be_added_to_an_added_metric),
        cmocka_unit_test(dropped_rows_are_passed_over_and_counted_once),
        cmocka_unit_test(a_column_is_found_by_name_and_empty_at_first),
        cmocka_unit_test(columns_grow_with_the_rows),
        cmocka_unit_test(the_only_holder_keeps_its_batch),
        cmocka_unit_test(a_clone_and_its_original_do_not_see_each_others_changes),
        cmocka_unit_test(an_unedited_clone_is_written_as_it_came),
        cmocka_unit_test(columns_of_a_clone_still_hide_attributes),
        cmocka_unit_test(the_answer_waits_for_all_clones),
        cmocka_unit_test(keeping_memory_does_not_keep_the_answer),
        cmocka_unit_test(a_chain_of_kept_batches_lives_until_its_end_and_is_given_back),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(any_allocation_may_fail_for_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
