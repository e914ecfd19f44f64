/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

static void starts_downstream_first_and_stops_upstream_first(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f,
                  "receivers: {source: }\nprocessors: {pass: , stamp: }\nconnectors: {join: }\n"
                  "exporters: {sink: }\nextensions: {ext/a: , ext/b: }\n"
                  "service:\n  extensions: [ext/b, ext/a]\n  pipelines:\n"
                  "    traces/2: {receivers: [join], processors: [stamp], exporters: [sink]}\n"
                  "    traces/1: {receivers: [source], processors: [pass], exporters: [join]}\n");
    assert_string_equal(fake_journal(),
                        "create ext/b|create ext/a|create sink|create stamp|create join|"
                        "create pass|create source|start ext/b|start ext/a|start sink|start stamp|"
                        "start join|start pass|start source|ready ext/b|ready ext/a");
    assert_ok(tt_service_shutdown(f.service, fake_deadline(TT_SECOND), &err), &err);
    assert_non_null(strstr(fake_journal(),
                           "|unready ext/b|unready ext/a|shutdown source|shutdown pass|"
                           "shutdown join|shutdown stamp|shutdown sink|shutdown ext/a|"
                           "shutdown ext/b"));
    assert_ok(tt_service_shutdown(f.service, fake_deadline(TT_SECOND), &err), &err);
    fixture_done(&f);
    assert_non_null(strstr(fake_journal(), "destroy source|destroy pass|destroy join|destroy stamp|"
                                           "destroy sink|destroy ext/a|destroy ext/b"));
}

static void a_failed_start_stops_what_was_started(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_build(&f, "receivers: {source: }\nprocessors: {pass: {fails_to_start: true}}\n"
                      "exporters: {sink: }\nextensions: {ext: }\n"
                      "service:\n  extensions: [ext]\n  pipelines:\n"
                      "    traces: {receivers: [source], processors: [pass], exporters: [sink]}\n");
    assert_status(tt_service_start(f.service, &err), TT_IO);
    assert_string_equal(err.message,
                        "failed to start \"pass\" processor: listen: address already in use");
    assert_string_equal(fake_journal(),
                        "create ext|create sink|create pass|create source|"
                        "start ext|start sink|shutdown pass|shutdown sink|shutdown ext");
    fixture_done(&f);
}

static void a_failed_create_destroys_what_was_created(void **state)
{
    struct tt_service_options options = {.clock = tt_clock_system(), .version = "test"};
    struct tt_log_sink sink = {.fd = -1, .level = TT_LOG_ERROR, .clock = tt_clock_system()};
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_read(&f, "receivers: {source: {fails_to_create: true}}\nexporters: {sink: }\n"
                     "service:\n  pipelines:\n"
                     "    traces: {receivers: [source], exporters: [sink]}\n");
    assert_non_null(f.settings);
    options.sink = &sink;
    assert_status(tt_service_new(&options, TT_TAKE(f.settings), &f.service, &err), TT_INTERNAL);
    assert_null(f.service);
    assert_string_equal(err.message, "failed to create \"source\" receiver: told to fail");
    assert_string_equal(fake_journal(), "create sink|destroy sink");
    fixture_done(&f);
}

static void what_is_not_referenced_is_not_created(void **state)
{
    struct fixture f;

    (void)state;
    fixture_build(&f, "receivers: {source: , source/2: }\nprocessors: {pass: }\n"
                      "exporters: {sink: }\nextensions: {ext: }\nservice:\n  pipelines:\n"
                      "    traces: {receivers: [source], exporters: [sink]}\n");
    assert_string_equal(fake_journal(), "create sink|create source");
    fixture_done(&f);
}

#define SMALL                                                \
    "receivers: {source: }\nexporters: {sink: }\nservice:\n" \
    "  memory_budget: 1MiB\n  pipelines:\n"                  \
    "    traces: {receivers: [source], exporters: [sink]}\n"

static void no_data_are_admitted_once_it_stops(void **state)
{
    struct fixture f;
    struct tt_error err;

    (void)state;
    fixture_start(&f, SMALL);
    assert_ok(tt_host_admission(fake_find("source", 0)->args.host, &err), &err);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(TT_SECOND), &err), &err);
    assert_status(tt_host_admission(fake_find("source", 0)->args.host, &err), TT_SHUTTING_DOWN);
    assert_true(err.retry_after_ms > 0);
    fixture_done(&f);
}

static void the_memory_budget_is_never_overspent(void **state)
{
    struct fixture f;
    struct tt_error err;
    struct tt_host *host;

    (void)state;
    fixture_start(&f, SMALL);
    host = fake_find("source", 0)->args.host;
    assert_ok(tt_budget_reserve(host, 1 << 19, &err), &err);
    assert_ok(tt_budget_reserve(host, 1 << 19, &err), &err);
    assert_status(tt_budget_reserve(host, 1, &err), TT_OVERLOADED);
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(fake_meter(&f, "telltale_memory_budget_used_bytes", NULL), 1 << 20);
    tt_budget_release(host, 1 << 19);
    assert_status(tt_budget_reserve(host, SIZE_MAX, &err), TT_OVERLOADED);
    assert_ok(tt_budget_reserve(host, 1 << 19, &err), &err);
    tt_budget_release(host, 1 << 20);
    assert_int_equal(fake_meter(&f, "telltale_memory_budget_used_bytes", NULL), 0);
    fixture_done(&f);
}

static int objects;

static void *make_object(struct tt_host *host)
{
    (void)host;
    objects++;
    return &objects;
}

static void destroy_object(void *object)
{
    assert_ptr_equal(object, &objects);
    objects--;
}

static void instances_share_one_object_of_a_type(void **state)
{
    static const struct tt_shared_type type = {"windows", make_object, destroy_object};
    struct fixture f;

    (void)state;
    objects = 0;
    fixture_build(&f, SMALL);
    assert_ptr_equal(tt_host_share(fake_find("source", 0)->args.host, &type), &objects);
    assert_ptr_equal(tt_host_share(fake_find("sink", 0)->args.host, &type), &objects);
    assert_int_equal(objects, 1);
    fixture_done(&f);
    assert_int_equal(objects, 0);
}

static void the_ledger_counts_by_component_and_reason(void **state)
{
    struct fixture f;

    (void)state;
    fixture_build(&f, SMALL);
    tt_host_dropped(fake_find("source", 0)->args.host, TT_TRACES, "evicted", 3);
    tt_host_dropped(fake_find("source", 0)->args.host, TT_TRACES, "evicted", 4);
    tt_host_dropped(fake_find("source", 0)->args.host, TT_LOGS, "other", 0);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "evicted"), 7);
    assert_int_equal(fake_meter(&f, "telltale_dropped_items", "other"), -1);
    fixture_done(&f);
}

static void count_fatal(void *context)
{
    (*(int *)context)++;
}

static void the_first_fatal_error_ends_the_run(void **state)
{
    int calls = 0;
    struct tt_service_options options = {.clock = tt_clock_system(),
                                         .version = "test",
                                         .on_fatal = count_fatal,
                                         .on_fatal_context = &calls};
    struct tt_log_sink sink = {.fd = -1, .level = TT_LOG_ERROR, .clock = tt_clock_system()};
    struct fixture f;
    struct tt_error err, first;

    (void)state;
    fixture_read(&f, SMALL);
    options.sink = &sink;
    assert_ok(tt_service_new(&options, TT_TAKE(f.settings), &f.service, &err), &err);
    assert_false(tt_service_has_failed(f.service, &first));
    (void)tt_fail(&err, TT_IO, "the listener died");
    tt_host_fatal(fake_find("source", 0)->args.host, &err);
    (void)tt_fail(&err, TT_IO, "and something else");
    tt_host_fatal(fake_find("source", 0)->args.host, &err);
    assert_int_equal(calls, 1);
    assert_true(tt_service_has_failed(f.service, &first));
    assert_string_equal(first.message, "the listener died");
    fixture_done(&f);
}

static bool build_with_failing_memory(void *context)
{
    static const char yaml[] =
        "receivers: {source: }\nprocessors: {stamp: }\nexporters: {sink/a: , sink/b: }\n"
        "service:\n  pipelines:\n    traces:\n      receivers: [source]\n"
        "      processors: [stamp]\n      exporters: [sink/a, sink/b]\n";
    struct tt_service_options options = {.clock = tt_clock_system(), .version = "test"};
    struct tt_log_sink sink = {.fd = -1, .level = TT_LOG_ERROR, .clock = tt_clock_system()};
    struct tt_service *service = NULL;
    uint64_t n = *(uint64_t *)context;
    struct fixture f;
    struct tt_error err;
    enum tt_status status;

    tt_mem_fail_after(0);
    fixture_read(&f, yaml);
    assert_non_null(f.settings);
    options.sink = &sink;
    tt_mem_fail_after(n);
    status = tt_service_new(&options, TT_TAKE(f.settings), &service, &err);
    if (status == TT_OK)
        tt_service_free(service);
    else
        assert_status(status, TT_NO_MEMORY);
    fixture_done(&f);
    return status == TT_OK;
}

static void every_failing_allocation_unwinds(void **state)
{
    bool ok = false;

    (void)state;
    for (uint64_t n = 1; !ok; n++) {
        assert_true(n < 1000);
        ok = build_with_failing_memory(&n) && tt_mem_count() < n;
        tt_mem_fail_after(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_downstream_first_and_stops_upstream_first),
        cmocka_unit_test(a_failed_start_stops_what_was_started),
        cmocka_unit_test(a_failed_create_destroys_what_was_created),
        cmocka_unit_test(what_is_not_referenced_is_not_created),
        cmocka_unit_test(no_data_are_admitted_once_it_stops),
        cmocka_unit_test(the_memory_budget_is_never_overspent),
        cmocka_unit_test(instances_share_one_object_of_a_type),
        cmocka_unit_test(the_ledger_counts_by_component_and_reason),
        cmocka_unit_test(the_first_fatal_error_ends_the_run),
        cmocka_unit_test(every_failing_allocation_unwinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
