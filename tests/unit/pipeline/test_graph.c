/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

static void a_receiver_feeds_all_pipelines_and_each_its_exporters(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nexporters: {sink/a: , sink/b: , sink/c: }\n"
                      "service:\n  pipelines:\n"
                      "    traces/1: {receivers: [source], exporters: [sink/a, sink/b]}\n"
                      "    traces/2: {receivers: [source], exporters: [sink/b, sink/c]}\n"
                      "    logs: {receivers: [source], exporters: [sink/c]}\n");
    assert_ok(fake_send("source", TT_TRACES, 3, &answer, &err), &err);
    assert_int_equal(answer.status, TT_OK);
    assert_int_equal(fake_find("sink/a", 0)->rows, 3);
    assert_int_equal(fake_find("sink/b", 0)->rows, 6); /* by both pipelines, as in the Collector */
    assert_int_equal(fake_find("sink/c", 0)->rows, 3);
    assert_ok(fake_send("source", TT_LOGS, 2, NULL, &err), &err);
    assert_int_equal(fake_find("sink/c", 0)->rows, 5);
    assert_null(fake_find("source", 0)->args.next[tt_signal_index(TT_METRICS)]);
    fixture_done(&f);
}

static void a_processor_is_one_instance_for_each_pipeline(void **state)
{
    struct fixture f;

    (void)state;
    fixture_build(&f, "receivers: {source: }\nprocessors: {pass: }\nexporters: {sink: }\n"
                      "service:\n  pipelines:\n"
                      "    traces: {receivers: [source], processors: [pass], exporters: [sink]}\n"
                      "    logs: {receivers: [source], processors: [pass], exporters: [sink]}\n");
    assert_int_equal(fake_find("pass", 0)->args.signals, TT_LOGS); /* created last to first */
    assert_int_equal(fake_find("pass", 1)->args.signals, TT_TRACES);
    assert_int_equal(fake_find("sink", 0)->args.signals, TT_TRACES | TT_LOGS);
    assert_int_equal(fake_find("source", 0)->args.signals, TT_TRACES | TT_LOGS);
    fixture_done(&f);
}

static void the_branch_that_changes_data_comes_last_and_gets_the_original(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f,
                  "receivers: {source: }\nprocessors: {stamp: , pass: }\n"
                  "exporters: {sink/a: , sink/b: , sink/c: }\n"
                  "service:\n  pipelines:\n"
                  "    traces/1: {receivers: [source], processors: [stamp], exporters: [sink/a]}\n"
                  "    traces/2: {receivers: [source], processors: [pass], exporters: [sink/b]}\n"
                  "    traces/3: {receivers: [source], exporters: [sink/c]}\n");
    assert_ok(fake_send("source", TT_TRACES, 1, NULL, &err), &err);
    assert_true(fake_find("sink/a", 0)->saw_stamp);
    assert_false(fake_find("sink/b", 0)->saw_stamp);
    assert_false(fake_find("sink/c", 0)->saw_stamp);
    assert_false(fake_find("stamp", 0)->had_to_clone);
    assert_true(fake_find("pass", 0)->saw_shared);
    fixture_done(&f);
}

static void a_connector_ends_one_pipeline_and_begins_others(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nconnectors: {join: }\n"
                      "exporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
                      "    traces/2: {receivers: [join], exporters: [sink/a]}\n"
                      "    traces/3: {receivers: [join], exporters: [sink/b]}\n"
                      "    traces/1: {receivers: [source], exporters: [join, sink/b]}\n");
    assert_ok(fake_send("source", TT_TRACES, 4, NULL, &err), &err);
    assert_int_equal(fake_find("join", 0)->rows, 4);
    assert_int_equal(fake_find("sink/a", 0)->rows, 4);
    assert_int_equal(fake_find("sink/b", 0)->rows, 8);
    assert_int_equal(fake_meter(&f, "telltale_connector_incoming_items", "join"), 4);
    assert_int_equal(fake_meter(&f, "telltale_connector_outgoing_items", "join"), 4);
    fixture_done(&f);
}

static void components_know_the_columns_from_upstream(void **state)
{
    static const char yaml[] =
        "receivers: {source: }\nprocessors: {pass: , stamp: }\nexporters: {sink: }\n"
        "service:\n  pipelines:\n"
        "    traces: {receivers: [source], processors: [pass, stamp], exporters: [sink]}\n"
        "    traces/2: {receivers: [source], processors: [stamp], exporters: [sink]}\n"
        "    logs: {receivers: [source], exporters: [sink]}\n";
    unsigned traces = tt_signal_index(TT_TRACES), logs = tt_signal_index(TT_LOGS);
    struct fixture f;

    (void)state;
    fixture_build(&f, yaml);
    assert_int_equal(fake_find("sink", 0)->args.columns[traces].count, 1);
    assert_string_equal(fake_find("sink", 0)->args.columns[traces].items[0]->name, "stamp");
    assert_int_equal(fake_find("sink", 0)->args.columns[logs].count, 0);
    assert_int_equal(fake_find("pass", 0)->args.columns[traces].count, 0);
    assert_int_equal(fake_find("stamp", 0)->args.columns[traces].count, 0);
    fixture_done(&f);
}

static void standard_counters_begin_with_zero_and_count_items(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nprocessors: {pass: }\nexporters: {sink: }\n"
                      "service:\n  pipelines:\n"
                      "    traces: {receivers: [source], processors: [pass], exporters: [sink]}\n");
    assert_int_equal(fake_meter(&f, "otelcol_processor_incoming_items", "pass"), 0);
    assert_int_equal(fake_meter(&f, "otelcol_processor_outgoing_items", "pass"), 0);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_sent_spans", "sink"), 0);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_send_failed_spans", "sink"), 0);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_sent_log_records", "sink"), -1);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "sink"), 0);
    assert_ok(fake_send("source", TT_TRACES, 5, NULL, &err), &err);
    assert_int_equal(fake_meter(&f, "otelcol_processor_incoming_items", "pass"), 5);
    assert_int_equal(fake_meter(&f, "otelcol_processor_outgoing_items", "pass"), 5);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_sent_spans", "sink"), 5);
    fixture_done(&f);
}

static void an_edge_refuses_another_signal(void **state)
{
    struct fixture f;
    struct tt_batch *batch;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nexporters: {sink: }\nservice:\n  pipelines:\n"
                      "    traces: {receivers: [source], exporters: [sink]}\n");
    batch = fake_batch(TT_LOGS, 1, NULL);
    assert_status(
        tt_consume(fake_find("source", 0)->args.next[tt_signal_index(TT_TRACES)], &batch, &err),
        TT_UNSUPPORTED);
    assert_null(batch);
    assert_string_equal(err.message, "sink does not take logs");
    batch = fake_batch(TT_LOGS, 1, NULL);
    assert_status(tt_consume(NULL, &batch, &err), TT_UNSUPPORTED);
    assert_null(batch);
    assert_int_equal(fake_find("sink", 0)->batches, 0);
    fixture_done(&f);
}

static void a_permanent_failure_reaches_the_sender_and_not_the_siblings(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_start(&f,
                  "receivers: {source: }\nprocessors: {pass: }\nexporters: {sink/a: , sink/b: }\n"
                  "service:\n  pipelines:\n    traces:\n      receivers: [source]\n"
                  "      processors: [pass]\n      exporters: [sink/a, sink/b]\n");
    fake_find("sink/a", 0)->fail_with = TT_INVALID_DATA;
    fake_find("sink/a", 0)->fail_next = 1;
    assert_status(fake_send("source", TT_TRACES, 2, &answer, &err), TT_INVALID_DATA);
    assert_int_equal(answer.status, TT_INVALID_DATA);
    assert_string_equal(answer.error.message, "told to fail");
    assert_int_equal(fake_find("sink/b", 0)->rows, 2);
    assert_int_equal(fake_meter(&f, "otelcol_exporter_send_failed_spans", "sink/a"), 2);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "sink/a"), 0); /* the sender knows */
    fixture_done(&f);
}

static void a_failing_processor_fails_the_answer(void **state)
{
    struct fixture f;
    struct tt_ack_result answer;
    struct tt_error err;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nprocessors: {pass: }\nexporters: {sink: }\n"
                      "service:\n  pipelines:\n"
                      "    logs: {receivers: [source], processors: [pass], exporters: [sink]}\n");
    fake_find("pass", 0)->fail_with = TT_NO_MEMORY;
    fake_find("pass", 0)->fail_next = 1;
    assert_status(fake_send("source", TT_LOGS, 2, &answer, &err), TT_NO_MEMORY);
    assert_int_equal(answer.status, TT_NO_MEMORY);
    assert_int_equal(fake_find("sink", 0)->batches, 0);
    fixture_done(&f);
}

/* ---- how long processors take ---- */

static struct tt_reading duration_of; /* the last that was looked for */

static void look_for_duration(void *context, const struct tt_reading *reading)
{
    if (strcmp(reading->desc->name, "otelcol_processor_internal_duration") == 0 &&
        tt_str_equal(reading->labels[1].value, tt_str(context)))
        duration_of = *reading;
}

/* Its count; its sum in duration_of. */
static double count_durations(struct fixture *f, const char *processor)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%s", processor);
    duration_of = (struct tt_reading){.value = 0};
    tt_meters_read(tt_service_meters(f->service), look_for_duration, name);
    return duration_of.value;
}

static void measure(struct fixture *f, const char *yaml)
{
    struct tt_fake_clock clock;
    const struct {
        const char *id;
        tt_dur takes;
    } fakes[] = {
        {"pass/a", 3 * TT_MILLISECOND}, {"pass/b", 20 * TT_MILLISECOND}, {"sink", TT_SECOND}};

    tt_fake_clock_init(&clock, 0);
    fixture_build(f, yaml);
    f->service->clock = &clock.clock;
    for (size_t i = 0; i < TT_LENGTH(fakes); i++) {
        fake_find(fakes[i].id, 0)->takes = fakes[i].takes;
        fake_find(fakes[i].id, 0)->clock = &clock;
    }
    for (int i = 0; i < 4; i++)
        assert_status(fake_send("source", TT_TRACES, 5, NULL, NULL), TT_OK);
    f->service->clock = tt_clock_system();
}

static const char timed[] = "receivers: {source: }\nprocessors: {pass/a: , pass/b: }\n"
                            "exporters: {sink: }\nservice:\n  pipelines:\n"
                            "    traces: {receivers: [source], processors: [pass/a, pass/b], "
                            "exporters: [sink]}\n  telemetry: {metrics: {level: %s}}\n";

static void a_processors_time_is_without_what_is_behind_it(void **state)
{
    struct fixture f;
    char yaml[512];

    (void)state;
    (void)snprintf(yaml, sizeof(yaml), timed, "normal");
    measure(&f, yaml);
    assert_true(count_durations(&f, "pass/a") == 4);
    assert_true(duration_of.sum > 0.0119 && duration_of.sum < 0.0121);
    assert_int_equal(duration_of.up_to[4], 0); /* up to 1 ms */
    assert_int_equal(duration_of.up_to[5], 4); /* up to 5 ms */
    assert_true(count_durations(&f, "pass/b") == 4);
    assert_true(duration_of.sum > 0.0799 && duration_of.sum < 0.0801);
    fixture_done(&f);
}

static void nobody_measures_where_nobody_asked(void **state)
{
    static const char *const levels[] = {"none", "basic"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(levels); i++) {
        struct fixture f;
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), timed, levels[i]);
        measure(&f, yaml);
        assert_true(count_durations(&f, "pass/a") == 0);
        assert_null(duration_of.desc);
        fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processors_time_is_without_what_is_behind_it),
        cmocka_unit_test(nobody_measures_where_nobody_asked),
        cmocka_unit_test(a_receiver_feeds_all_pipelines_and_each_its_exporters),
        cmocka_unit_test(a_processor_is_one_instance_for_each_pipeline),
        cmocka_unit_test(the_branch_that_changes_data_comes_last_and_gets_the_original),
        cmocka_unit_test(a_connector_ends_one_pipeline_and_begins_others),
        cmocka_unit_test(components_know_the_columns_from_upstream),
        cmocka_unit_test(standard_counters_begin_with_zero_and_count_items),
        cmocka_unit_test(an_edge_refuses_another_signal),
        cmocka_unit_test(a_permanent_failure_reaches_the_sender_and_not_the_siblings),
        cmocka_unit_test(a_failing_processor_fails_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
