/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#define TWO_EXPORTERS                                          \
    "receivers: {source: }\nexporters: {sink/a: , sink/b: }\n" \
    "service:\n  pipelines:\n"                                 \
    "    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n"

static void fail_next(const char *id, enum tt_status status, uint32_t calls)
{
    fake_find(id, 0)->fail_with = (int)status;
    fake_find(id, 0)->fail_next = calls;
}

static enum tt_status admission(const char *id, struct tt_error *err)
{
    return tt_host_admission(fake_find(id, 0)->args.host, err);
}

/* What the engine's thread does every second. */
static bool retry(struct fixture *f)
{
    bool is_empty = true;

    for (size_t i = 0; i < f->service->graph.n_instances; i++)
        for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++)
            if (f->service->graph.instances[i].edges[s] != NULL &&
                f->service->graph.instances[i].edges[s]->park != NULL)
                is_empty &= tt_park_retry(f->service->graph.instances[i].edges[s]);
    return is_empty;
}

static void a_first_failure_is_returned_and_no_sibling_sees_the_batch(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/a", TT_NO_SPACE, 1);
    assert_status(fake_send("source", TT_TRACES, 1, &answer, &err), TT_NO_SPACE);
    assert_int_equal(answer.status, TT_NO_SPACE);
    assert_int_equal(fake_find("sink/b", 0)->batches, 0);
    assert_ok(admission("source", &err), &err); /* the next request may try */
    assert_ok(fake_send("source", TT_TRACES, 1, &answer, &err), &err);
    assert_int_equal(fake_find("sink/a", 0)->rows, 1);
    assert_int_equal(fake_find("sink/b", 0)->rows, 1);
    fixture_done(&f);
}

static void after_a_success_a_failure_is_parked_and_admission_closes(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_NO_SPACE, UINT32_MAX);
    assert_ok(fake_send("source", TT_TRACES, 3, &answer, &err), &err);
    assert_int_equal(answer.status, TT_OK); /* given at once: the sender does not send it again */
    assert_int_equal(fake_find("sink/a", 0)->rows, 3);
    assert_status(admission("source", &err), TT_UNAVAILABLE);
    assert_string_equal(err.message, "exporter \"sink/b\" is stuck: told to fail");
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 1);
    assert_true(fake_meter(&f, "telltale_exporter_parked_bytes", "sink/b") > 0);
    assert_int_equal(fake_meter(&f, "telltale_admission_open", NULL), 0);

    assert_false(retry(&f));
    assert_status(admission("source", &err), TT_UNAVAILABLE);
    fail_next("sink/b", TT_OK, 0);
    assert_true(retry(&f));
    assert_ok(admission("source", &err), &err);
    assert_int_equal(fake_meter(&f, "telltale_admission_open", NULL), 1);
    assert_int_equal(fake_find("sink/a", 0)->rows, 3); /* not again */
    assert_int_equal(fake_find("sink/b", 0)->rows, 3);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_sent_spans", "sink/b"), 3);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_send_failed_spans", "sink/b"), 0);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_bytes", "sink/b"), 0);
    fixture_done(&f);
}

static void without_a_sender_a_failure_is_parked_also_without_siblings(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_build(&f, "receivers: {source: }\nexporters: {sink: }\nservice:\n  pipelines:\n"
                      "    logs: {receivers: [source], exporters: [sink]}\n");
    fail_next("sink", TT_IO, 1);
    assert_ok(fake_send("source", TT_LOGS, 2, NULL, &err), &err);
    assert_status(admission("sink", &err), TT_UNAVAILABLE);
    assert_true(retry(&f));
    assert_int_equal(fake_find("sink", 0)->rows, 2);
    fixture_done(&f);
}

static void behind_parked_batches_nothing_is_tried_and_the_order_is_kept(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, NULL, &err), &err);
    assert_ok(fake_send("source", TT_TRACES, 2, NULL, &err), &err);
    assert_int_equal(fake_find("sink/b", 0)->batches, 0);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 2);
    assert_true(retry(&f));
    assert_int_equal(fake_find("sink/b", 0)->rows, 3);
    assert_ok(admission("source", &err), &err);
    fixture_done(&f);
}

/* It was in flight when admission closed. */
static void who_can_send_again_is_refused_before_any_exporter_sees_it(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, &answer, &err), &err);
    assert_status(fake_send("source", TT_TRACES, 2, &answer, &err), TT_UNAVAILABLE);
    assert_int_equal(answer.status, TT_UNAVAILABLE);
    assert_string_equal(answer.error.message, "exporter \"sink/b\" is stuck: told to fail");
    assert_int_equal(fake_find("sink/a", 0)->rows, 1);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 1);
    fixture_done(&f);
}

static void a_stuck_first_exporter_refuses_a_sender_that_can_retry(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/a", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, NULL, &err), &err); /* parked at a, b has it */
    assert_status(fake_send("source", TT_TRACES, 1, &answer, &err), TT_UNAVAILABLE);
    assert_int_equal(answer.status, TT_UNAVAILABLE);
    assert_int_equal(fake_find("sink/b", 0)->rows, 1);
    assert_true(retry(&f));
    assert_int_equal(fake_find("sink/a", 0)->rows, 1);
    fixture_done(&f);
}

static void another_pipeline_counts_as_a_sibling(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(
        &f, "receivers: {source: }\nprocessors: {pass: , stamp: }\n"
            "exporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
            "    traces/1: {receivers: [source], processors: [pass], exporters: [sink/a]}\n"
            "    traces/2: {receivers: [source], processors: [stamp], exporters: [sink/b]}\n");
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, &answer, &err), &err);
    assert_int_equal(answer.status, TT_OK);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 1);
    assert_true(retry(&f));
    assert_true(fake_find("sink/b", 0)->saw_stamp);
    fixture_done(&f);
}

static void a_processor_that_keeps_the_rows_counts_as_a_sibling(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_build(&f,
                  "receivers: {source: }\nprocessors: {hold: }\n"
                  "exporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
                  "    traces/1: {receivers: [source], processors: [hold], exporters: [sink/a]}\n"
                  "    traces/2: {receivers: [source], exporters: [sink/b]}\n");
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, &answer, &err), &err);
    assert_int_equal(answer.status, TT_OK);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 1);
    fixture_done(&f);
}

static void keep_result(void *context, const struct tt_ack_result *result)
{
    *(struct tt_ack_result *)context = *result;
}

static void after_a_part_of_a_request_the_rest_is_parked(void **state)
{
    struct tt_ack_result answer = {.status = TT_STATUS_COUNT};
    struct tt_ack *ack = tt_ack_new(keep_result, &answer);
    struct fixture f;
    struct tt_error err;
    struct tt_batch *batch;
    struct tt_consumer *next;

    (void)state;
    fixture_build(&f, "receivers: {source: }\nexporters: {sink: }\nservice:\n  pipelines:\n"
                      "    traces: {receivers: [source], exporters: [sink]}\n");
    next = fake_find("source", 0)->args.next[tt_signal_index(TT_TRACES)];
    batch = fake_batch(TT_TRACES, 1, ack);
    assert_ok(tt_consume(next, &batch, &err), &err);
    fail_next("sink", TT_IO, 1);
    batch = fake_batch(TT_TRACES, 2, ack);
    assert_ok(tt_consume(next, &batch, &err), &err);
    tt_ack_unref(ack);
    assert_int_equal(answer.status, TT_OK);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink"), 1);
    assert_true(retry(&f));
    assert_int_equal(fake_find("sink", 0)->rows, 3);
    fixture_done(&f);
}

static void what_is_refused_for_good_on_retry_is_dropped_and_counted(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 4, NULL, &err), &err);
    fail_next("sink/b", TT_INVALID_DATA, 1);
    assert_true(retry(&f));
    assert_ok(admission("source", &err), &err);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "rejected"), 4);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_send_failed_spans", "sink/b"), 4);
    fixture_done(&f);
}

static void over_the_bound_data_are_dropped_and_counted(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_build(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, UINT32_MAX);
    for (int i = 0; i < TT_PARK_MAX_BATCHES + 3; i++)
        assert_ok(fake_send("source", TT_TRACES, 1, NULL, &err), &err);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"),
                     TT_PARK_MAX_BATCHES);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "exporter_stuck"), 3);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_enqueue_failed_spans", "sink/b"), 3);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_queue_size", "sink/b"), TT_PARK_MAX_BATCHES);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_queue_capacity", "sink/b"),
                     TT_PARK_MAX_BATCHES);
    fail_next("sink/b", TT_OK, 0);
    assert_true(retry(&f));
    assert_ok(admission("source", &err), &err);
    assert_int_equal(fake_find("sink/a", 0)->rows, TT_PARK_MAX_BATCHES + 3);
    assert_int_equal(fake_find("sink/b", 0)->rows, TT_PARK_MAX_BATCHES);
    fixture_done(&f);
}

static void the_engine_retries_by_itself(void **state)
{
    struct fixture f;
    struct tt_error err;
    tt_dur deadline = fake_deadline(30 * TT_SECOND);

    (void)state;
    fixture_start(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 1, NULL, &err), &err);
    while (atomic_load(&fake_find("sink/b", 0)->rows) == 0 && fake_deadline(0) < deadline)
        assert_int_equal(usleep(10000), 0);
    assert_int_equal(fake_find("sink/b", 0)->rows, 1);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(TT_SECOND), &err), &err);
    fixture_done(&f);
}

static void shutdown_delivers_what_is_parked(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, 3);
    assert_ok(fake_send("source", TT_TRACES, 7, NULL, &err), &err);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(30 * TT_SECOND), &err), &err);
    assert_int_equal(fake_find("sink/b", 0)->rows, 7);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "shutdown"), 0);
    fixture_done(&f);
}

static void at_the_deadline_what_is_parked_is_dropped_and_counted(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, TWO_EXPORTERS);
    fail_next("sink/b", TT_IO, UINT32_MAX);
    assert_ok(fake_send("source", TT_TRACES, 7, NULL, &err), &err);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(300 * TT_MILLISECOND), &err), &err);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "shutdown"), 7);
    assert_int_equal(fake_meter(&f, "telltale_exporter_parked_batches", "sink/b"), 0);
    assert_non_null(strstr(fake_journal(), "shutdown sink/a|shutdown sink/b"));
    fixture_done(&f);
}

static void rows_that_a_processor_flushes_at_shutdown_are_delivered(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nprocessors: {hold: }\nexporters: {sink: }\n"
                      "service:\n  pipelines:\n"
                      "    traces: {receivers: [source], processors: [hold], exporters: [sink]}\n");
    fail_next("sink", TT_IO, 1);
    assert_ok(fake_send("source", TT_TRACES, 5, NULL, &err), &err);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(30 * TT_SECOND), &err), &err);
    assert_int_equal(fake_find("sink", 0)->rows, 5);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_failure_is_returned_and_no_sibling_sees_the_batch),
        cmocka_unit_test(after_a_success_a_failure_is_parked_and_admission_closes),
        cmocka_unit_test(without_a_sender_a_failure_is_parked_also_without_siblings),
        cmocka_unit_test(behind_parked_batches_nothing_is_tried_and_the_order_is_kept),
        cmocka_unit_test(who_can_send_again_is_refused_before_any_exporter_sees_it),
        cmocka_unit_test(a_stuck_first_exporter_refuses_a_sender_that_can_retry),
        cmocka_unit_test(another_pipeline_counts_as_a_sibling),
        cmocka_unit_test(a_processor_that_keeps_the_rows_counts_as_a_sibling),
        cmocka_unit_test(after_a_part_of_a_request_the_rest_is_parked),
        cmocka_unit_test(what_is_refused_for_good_on_retry_is_dropped_and_counted),
        cmocka_unit_test(over_the_bound_data_are_dropped_and_counted),
        cmocka_unit_test(the_engine_retries_by_itself),
        cmocka_unit_test(shutdown_delivers_what_is_parked),
        cmocka_unit_test(at_the_deadline_what_is_parked_is_dropped_and_counted),
        cmocka_unit_test(rows_that_a_processor_flushes_at_shutdown_are_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
