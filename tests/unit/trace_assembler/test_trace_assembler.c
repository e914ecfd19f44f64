/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "otlp/cursor.h"
#include "otlp/overlay.h"

static void holds_a_trace_until_it_is_quiet(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "idle: 10s");
    give(&f, "1.1");
    pass_time(&f, 6 * TT_SECOND);
    give(&f, "1.2");
    pass_time(&f, 9 * TT_SECOND);
    assert_arrived(&f, "");
    pass_time(&f, TT_SECOND + TT_SECOND / 5); /* a tick is 10 s / 64 */
    assert_arrived(&f, "[1.1 1.2]");
    fixture_done(&f);
}

static void sends_a_trace_that_is_never_quiet_at_its_age(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "idle: 10s\nmax_age: 60s");
    for (unsigned i = 0; i < 12; i++) {
        give(&f, "1.1");
        pass_time(&f, 5 * TT_SECOND - TT_MILLISECOND);
        assert_int_equal(f.sink.n_batches, 0);
    }
    pass_time(&f, TT_SECOND / 2);
    assert_int_equal(f.sink.n_batches, 1);
    assert_int_equal(f.sink.n_rows, 12);
    fixture_done(&f);
}

static void joins_rows_of_several_requests_and_services(void **state)
{
    struct fixture f;
    const struct tt_batch *batch;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    assert_status(consume(&f, rows_of(TT_TRACES, "web", "1.1 2.1")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "cart", "1.2")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "web", "1.3")), TT_OK);
    pass_time(&f, 11 * TT_SECOND);
    assert_int_equal(f.sink.n_batches, 1);
    batch = f.sink.batches[0];
    assert_int_equal(batch->n_rows, 4);
    assert_int_equal(batch->n_resources, 2);
    assert_int_equal(batch->n_scopes, 2);
    for (uint32_t i = 0; i < batch->n_rows; i++) {
        const struct tt_row *row = &batch->rows[i];
        assert_str(tt_row_resource(batch, row)->service_name,
                   number_at(row->span.span_id, 8) == 2 ? "cart" : "web");
        assert_str(row->span.name, "op");
    }
    fixture_done(&f);
}

/* Written "service:trace.span", in the batch's order. */
static void order_of_rows(const struct tt_batch *batch, struct tt_buffer *text)
{
    for (uint32_t i = 0; i < batch->n_rows; i++) {
        const struct tt_row *row = &batch->rows[i];
        tt_buffer_printf(text, "%.*s:%u.%u ", TT_STR_ARG(tt_row_resource(batch, row)->service_name),
                         (unsigned)number_at(row->span.trace_id, 16),
                         (unsigned)number_at(row->span.span_id, 8));
    }
}

static void rows_of_a_batch_are_grouped_by_resource_in_order_of_arrival(void **state)
{
    struct fixture f;
    struct tt_buffer text;

    (void)state;
    tt_buffer_init(&text, 4096);
    fixture_open(&f, TT_TRACES, "");
    assert_status(consume(&f, rows_of(TT_TRACES, "web", "1.1 1.2")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "cart", "1.3")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "user", "1.4")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "cart", "1.5 1.6")), TT_OK);
    assert_status(consume(&f, rows_of(TT_TRACES, "web", "1.7")), TT_OK);
    pass_time(&f, 11 * TT_SECOND);
    assert_int_equal(f.sink.n_batches, 1);
    order_of_rows(f.sink.batches[0], &text);
    assert_str(tt_buffer_view(&text),
               "web:1.1 web:1.2 web:1.7 cart:1.3 cart:1.5 cart:1.6 user:1.4 ");
    tt_buffer_done(&text);
    fixture_done(&f);
}

static void passes_rows_without_trace_id_at_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    give(&f, "0.1 1.2 0.3");
    assert_arrived(&f, "[0.1 0.3]");
    give(&f, "0.4 0.5");
    assert_arrived(&f, "[0.1 0.3][0.4 0.5]");
    fixture_done(&f);
}

static void passes_metrics_at_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_METRICS, "");
    assert_status(
        consume(&f, tt_test_batch(TT_METRICS,
                                  TT_STR("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{"
                                         "\"name\":\"m\",\"gauge\":{\"dataPoints\":[{\"asInt\":"
                                         "\"1\"}]}}]}]}]}"))),
        TT_OK);
    assert_int_equal(f.sink.n_rows, 1);
    fixture_done(&f);
}

static void holds_log_records_by_trace(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_LOGS, "");
    give(&f, "1.1 0.2");
    give(&f, "1.3");
    assert_arrived(&f, "[0.2]");
    pass_time(&f, 11 * TT_SECOND);
    assert_arrived(&f, "[0.2][1.1 1.3]");
    fixture_done(&f);
}

static void marks_and_counts_late_rows(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    give(&f, "1.1");
    pass_time(&f, 11 * TT_SECOND);
    give(&f, "1.2 1.3 2.1");
    assert_arrived(&f, "[1.1]");
    pass_time(&f, 5 * TT_SECOND);
    assert_arrived(&f, "[1.1]"); /* they wait for others that are late too */
    give(&f, "2.2");
    pass_time(&f, 6 * TT_SECOND);
    assert_arrived(&f, "[1.1][1.2L 1.3L]");
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_late_spans", NULL), 2);
    pass_time(&f, 6 * TT_SECOND);
    assert_arrived(&f, "[1.1][1.2L 1.3L][2.1 2.2]");
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_flushed_traces", NULL), 3);
    fixture_done(&f);
}

static void sends_the_oldest_traces_incomplete_over_the_row_limit(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "max_spans: 4");
    give(&f, "1.1");
    pass_time(&f, TT_SECOND);
    give(&f, "2.1 2.2");
    pass_time(&f, TT_SECOND);
    give(&f, "1.2 3.1");
    /* Eviction takes from all shards at once, so that more than one row may go, but whole traces, marked. */
    assert_true(f.sink.n_rows >= 1);
    for (size_t i = 0; i < f.sink.n_batches; i++)
        for (uint32_t j = 0; j < f.sink.batches[i]->n_rows; j++)
            assert_true(f.sink.batches[i]->rows[j].flags & TT_ROW_INCOMPLETE);
    assert_true(meter_value(&f, "telltale_trace_assembler_evicted_traces", NULL) >= 1);
    assert_true(meter_value(&f, "telltale_trace_assembler_open_spans", NULL) <= 4);
    fixture_done(&f);
}

static void keeps_within_its_bytes(void **state)
{
    struct fixture f;
    char spec[32];

    (void)state;
    fixture_open(&f, TT_TRACES, "max_bytes: 128KiB");
    for (unsigned i = 1; i <= 3000; i++) {
        (void)snprintf(spec, sizeof(spec), "%u.1", i);
        give(&f, spec);
    }
    /* Nothing is lost: what is not held has been sent on. */
    assert_int_equal(
        (size_t)meter_value(&f, "telltale_trace_assembler_open_spans", NULL) + f.sink.n_rows, 3000);
    assert_true(meter_value(&f, "telltale_trace_assembler_open_spans", NULL) < 1200);
    assert_true(meter_value(&f, "telltale_trace_assembler_open_spans", NULL) > 100);
    fixture_done(&f);
}

static void splits_a_trace_of_too_many_rows(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "max_spans_per_trace: 3");
    give(&f, "1.1 1.2 1.3 1.4");
    assert_arrived(&f, "[1.1I 1.2I 1.3I]");
    pass_time(&f, 11 * TT_SECOND);
    assert_arrived(&f, "[1.1I 1.2I 1.3I][1.4I]");
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_open_spans", NULL), 0);
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_open_traces", NULL), 0);
    fixture_done(&f);
}

static void batches_hold_whole_traces_of_at_most_1000_rows(void **state)
{
    struct fixture f;
    struct tt_buffer spec;
    size_t last_of[600];

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    for (unsigned part = 0; part < 7; part++) {
        tt_buffer_init(&spec, 1 << 20);
        for (unsigned t = 1; t < 600; t++)
            tt_buffer_printf(&spec, "%s%u.%u", t == 1 ? "" : " ", t, part + 1);
        tt_buffer_append_byte(&spec, '\0');
        give(&f, spec.data);
        tt_buffer_done(&spec);
    }
    pass_time(&f, 11 * TT_SECOND);
    pass_time(&f, 1);
    pass_time(&f, 1);
    pass_time(&f, 1);
    pass_time(&f, 1);
    assert_int_equal(f.sink.n_rows, 7 * 599);
    memset(last_of, 0xff, sizeof(last_of));
    for (size_t i = 0; i < f.sink.n_batches; i++) {
        const struct tt_batch *batch = f.sink.batches[i];
        assert_in_range(batch->n_rows, 1, 1000);
        for (uint32_t j = 0; j < batch->n_rows; j++) {
            size_t *last = &last_of[number_at(batch->rows[j].span.trace_id, 16)];
            assert_true(*last == SIZE_MAX || *last == i);
            *last = i;
        }
    }
    assert_int_equal(f.sink.n_batches, 5);
    fixture_done(&f);
}

static void folds_edits_and_columns_into_the_bytes(void **state)
{
    static const struct tt_column_desc score = {"score", TT_COLUMN_INT, "."};
    struct tt_value text = {.type = TT_VALUE_STRING, .text = TT_STR("v")}, found;
    struct tt_batch *batch = rows_of(TT_TRACES, NULL, "1.1 1.2");
    const struct tt_batch *sent;
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    assert_true(tt_row_set_attribute(batch, &batch->rows[0], TT_STR("k"), &text));
    assert_true(tt_resource_set_attribute(batch, 0, TT_STR("zone"), &text));
    tt_column_set_int(tt_batch_column(batch, &score), 1, 42);
    assert_status(consume(&f, batch), TT_OK);
    pass_time(&f, 11 * TT_SECOND);
    sent = f.sink.batches[0];
    assert_true(tt_find_attribute(tt_row_attributes(sent, &sent->rows[0]), TT_STR("k"), &found));
    assert_str(found.text, "v");
    assert_true(
        tt_find_attribute(tt_row_attributes(sent, &sent->rows[1]), TT_STR("score"), &found));
    assert_int_equal(found.integer, 42);
    assert_true(tt_find_attribute(tt_resource_attributes(sent, 0), TT_STR("zone"), &found));
    fixture_done(&f);
}

static void keeps_the_request_of_each_row(void **state)
{
    struct tt_header header = {TT_STR("x-anomaly-type"), TT_STR("latency")};
    struct tt_metadata metadata = {.receiver = "otlp",
                                   .arrival_ns = 77,
                                   .peer = TT_STR("127.0.0.1:1"),
                                   .headers = &header,
                                   .n_headers = 1};
    struct tt_batch *labelled = rows_of(TT_TRACES, NULL, "1.1");
    const struct tt_batch *sent;
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    labelled->rows[0].metadata = tt_batch_add_metadata(labelled, &metadata);
    assert_status(consume(&f, labelled), TT_OK);
    give(&f, "1.2");
    pass_time(&f, 11 * TT_SECOND);
    sent = f.sink.batches[0];
    assert_int_equal(sent->n_rows, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct tt_metadata *of = &sent->metadata[sent->rows[i].metadata];
        bool is_labelled = number_at(sent->rows[i].span.span_id, 8) == 1;
        assert_int_equal(of->n_headers, is_labelled ? 1 : 0);
        if (!is_labelled)
            continue;
        assert_str(of->headers[0].value, "latency");
        assert_str(of->peer, "127.0.0.1:1");
        assert_string_equal(of->receiver, "otlp");
        assert_int_equal(of->arrival_ns, 77);
    }
    fixture_done(&f);
}

static void on_done(void *context, const struct tt_ack_result *result)
{
    *(int *)context = (int)result->status;
}

static void answers_the_sender_when_the_rows_are_held(void **state)
{
    struct tt_batch *batch = rows_of(TT_TRACES, NULL, "1.1");
    struct fixture f;
    int answer = -1;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    batch->ack = tt_ack_new(on_done, &answer);
    assert_status(consume(&f, batch), TT_OK);
    assert_int_equal(answer, TT_OK);
    assert_int_equal(f.sink.n_rows, 0);
    fixture_done(&f);
}

static void keeps_traces_that_cannot_be_sent_on(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    give(&f, "1.1 1.2");
    f.sink.fail = TT_UNAVAILABLE;
    tt_fake_clock_advance(&f.clock, 11 * TT_SECOND);
    give(&f, "2.1");
    assert_int_equal(f.sink.n_rows, 0);
    give(&f, "1.3"); /* joins the rest again: it is not late */
    f.sink.fail = TT_OK;
    pass_time(&f, TT_SECOND / 2);
    assert_arrived(&f, ""); /* not before a second is over */
    pass_time(&f, 11 * TT_SECOND);
    pass_time(&f, 1);
    assert_int_equal(f.sink.n_rows, 4);
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_open_spans", NULL), 0);
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_late_spans", NULL), 0);
    fixture_done(&f);
}

static void refuses_rows_when_full_and_stuck(void **state)
{
    struct tt_batch *batch;
    struct fixture f;
    int answer = -1;

    (void)state;
    fixture_open(&f, TT_TRACES, "max_spans: 2");
    f.sink.fail = TT_UNAVAILABLE;
    give(&f, "1.1 2.1 3.1"); /* over the limit: the first try to evict fails */
    batch = rows_of(TT_TRACES, NULL, "4.1");
    batch->ack = tt_ack_new(on_done, &answer);
    assert_status(consume(&f, batch), TT_UNAVAILABLE);
    assert_int_equal(answer, TT_UNAVAILABLE);
    f.sink.fail = TT_OK;
    tt_fake_clock_advance(&f.clock, 2 * TT_SECOND);
    give(&f, "4.1");
    assert_int_equal(
        f.component->ops->shutdown(f.self, tt_clock_monotonic(tt_clock_system()) + TT_SECOND, NULL),
        TT_OK);
    assert_int_equal(f.sink.n_rows, 4);
    fixture_done(&f);
}

static void counts_rows_that_are_refused_for_good(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    give(&f, "1.1 1.2");
    f.sink.fail = TT_INVALID_DATA;
    tt_fake_clock_advance(&f.clock, 11 * TT_SECOND);
    give(&f, "2.1");
    assert_int_equal(meter_value(&f, "telltale_dropped_items", "rejected"), 2);
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_open_spans", NULL), 1);
    f.sink.fail = TT_OK;
    fixture_done(&f);
}

static void shutdown_sends_everything(void **state)
{
    struct fixture f;
    struct tt_buffer spec;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    tt_buffer_init(&spec, 1 << 20);
    for (unsigned t = 1; t < 2000; t++)
        tt_buffer_printf(&spec, "%s%u.1", t == 1 ? "" : " ", t);
    tt_buffer_append_byte(&spec, '\0');
    give(&f, spec.data);
    tt_buffer_done(&spec);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(f.component->ops->shutdown(
                             f.self, tt_clock_monotonic(tt_clock_system()) + TT_SECOND, NULL),
                         TT_OK);
    assert_int_equal(f.sink.n_rows, 1999);
    for (size_t i = 0; i < f.sink.n_batches; i++)
        assert_int_equal(f.sink.batches[i]->rows[0].flags, 0);
    fixture_done(&f);
}

static void shutdown_counts_what_it_cannot_send(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "");
    give(&f, "1.1 2.1");
    f.sink.fail = TT_UNAVAILABLE;
    assert_int_equal(f.component->ops->shutdown(
                         f.self, tt_clock_monotonic(tt_clock_system()) + TT_SECOND / 10, NULL),
                     TT_OK);
    assert_int_equal(meter_value(&f, "telltale_dropped_items", "shutdown"), 2);
    f.sink.fail = TT_OK;
    fixture_done(&f);
}

static void the_timer_sends_when_input_is_quiet(void **state)
{
    struct fixture f;
    tt_dur deadline = tt_clock_monotonic(tt_clock_system()) + 20 * TT_SECOND;
    size_t rows = 0;

    (void)state;
    fixture_init(&f, TT_TRACES, "idle: 50ms");
    f.host.clock = tt_clock_system();
    assert_true(fixture_create(&f, TT_TRACES));
    assert_int_equal(f.component->ops->start(f.self, NULL), TT_OK);
    give(&f, "1.1 1.2");
    while (rows < 2 && tt_clock_monotonic(tt_clock_system()) < deadline) {
        pthread_mutex_lock(&f.sink.mu);
        rows = f.sink.n_rows;
        pthread_mutex_unlock(&f.sink.mu);
        usleep(2000);
    }
    assert_int_equal(rows, 2);
    assert_int_equal(f.component->ops->shutdown(f.self, deadline, NULL), TT_OK);
    fixture_done(&f);
}

static void max_age_is_not_shorter_than_idle(void **state)
{
    struct tt_error err;
    struct fixture f;

    (void)state;
    fixture_open(&f, TT_TRACES, "idle: 10s\nmax_age: 9s");
    assert_status(f.component->ops->validate(f.config, &err), TT_INVALID_CONFIG);
    fixture_done(&f);
}

/* ---- failing allocations ---- */

static bool run_once(void *context)
{
    struct fixture *f = context;
    struct tt_batch *batches[3];
    tt_dur present;
    bool ok = true;

    f->self = NULL;
    f->sink.fail = TT_OK;
    if (!fixture_create(f, TT_TRACES)) {
        return false;
    }
    /* The inputs exist: memory fails inside the assembler only. */
    for (size_t i = 0; i < TT_LENGTH(batches); i++)
        batches[i] = tt_batch_ref(f->sink.batches[i]);
    for (size_t i = 0; i < TT_LENGTH(batches); i++) {
        struct tt_error err;
        struct tt_batch *batch = batches[i];
        ok &= f->component->ops->consume(f->self, &batch, &err) == TT_OK;
        tt_fake_clock_advance(&f->clock, 11 * TT_SECOND);
    }
    present = tt_clock_monotonic(tt_clock_system());
    ok &= f->component->ops->shutdown(f->self, present, NULL) == TT_OK;
    f->component->ops->destroy(TT_TAKE(f->self));
    return ok;
}

static void survives_failing_allocations(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, TT_TRACES, "");
    for (size_t i = 0; i < 3; i++)
        f.sink.batches[f.sink.n_batches++] = rows_of(TT_TRACES, i == 1 ? "cart" : NULL,
                                                     i == 2   ? "1.1 2.2"
                                                     : i == 1 ? "1.2 3.3"
                                                              : "1.3 0.1");
    f.sink.forget = true;
    tt_test_failing_allocations(run_once, &f);
    f.sink.forget = false;
    f.sink.n_batches = 3;
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_trace_until_it_is_quiet),
        cmocka_unit_test(sends_a_trace_that_is_never_quiet_at_its_age),
        cmocka_unit_test(joins_rows_of_several_requests_and_services),
        cmocka_unit_test(rows_of_a_batch_are_grouped_by_resource_in_order_of_arrival),
        cmocka_unit_test(passes_rows_without_trace_id_at_once),
        cmocka_unit_test(passes_metrics_at_once),
        cmocka_unit_test(holds_log_records_by_trace),
        cmocka_unit_test(marks_and_counts_late_rows),
        cmocka_unit_test(sends_the_oldest_traces_incomplete_over_the_row_limit),
        cmocka_unit_test(keeps_within_its_bytes),
        cmocka_unit_test(splits_a_trace_of_too_many_rows),
        cmocka_unit_test(batches_hold_whole_traces_of_at_most_1000_rows),
        cmocka_unit_test(folds_edits_and_columns_into_the_bytes),
        cmocka_unit_test(keeps_the_request_of_each_row),
        cmocka_unit_test(answers_the_sender_when_the_rows_are_held),
        cmocka_unit_test(keeps_traces_that_cannot_be_sent_on),
        cmocka_unit_test(refuses_rows_when_full_and_stuck),
        cmocka_unit_test(counts_rows_that_are_refused_for_good),
        cmocka_unit_test(shutdown_sends_everything),
        cmocka_unit_test(shutdown_counts_what_it_cannot_send),
        cmocka_unit_test(the_timer_sends_when_input_is_quiet),
        cmocka_unit_test(max_age_is_not_shorter_than_idle),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
