/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#define GOOD                      \
    "receivers: {source: }\n"     \
    "exporters: {sink: }\n"       \
    "service:\n"                  \
    "  pipelines:\n"              \
    "    traces:\n"               \
    "      receivers: [source]\n" \
    "      exporters: [sink]\n"

static void accepts_the_smallest_configuration(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, GOOD);
    assert_string_equal(f.text.data, "");
    assert_non_null(f.settings);
    assert_int_equal(f.settings->n_pipelines, 1);
    assert_int_equal(f.settings->pipelines[0].signal, TT_TRACES);
    assert_string_equal(f.settings->pipelines[0].exporters.items[0].target->id, "sink");
    assert_true(f.settings->service.shutdown_timeout == 10 * TT_SECOND);
    assert_true(f.settings->service.memory_budget == 256 << 20);
    assert_string_equal(f.settings->service.telemetry.metrics.address, "localhost:8888");
    fixture_done(&f);
}

/* Each text is wrong in one way; the message must be there, with its place. */
static const struct {
    const char *name, *yaml, *message;
} faults[] = {
    {"an empty file", "", "empty configuration file"},
    {"no receivers", "exporters: {sink: }\n",
     "receivers: no receiver configuration specified in config"},
    {"no exporters", "receivers: {source: }\n",
     "exporters: no exporter configuration specified in config"},
    {"an unknown section", GOOD "exporter: {}\n",
     "c.yaml:8:1: exporter: '' has invalid keys: exporter; did you mean \"exporters\"?"},
    {"an unknown key of a component", "receivers:\n  source:\n    txt: a\n",
     "c.yaml:3:5: receivers.source.txt: "},
    {"what a component's validate says", "receivers:\n  source:\n    text: invalid\n",
     "c.yaml:2:3: receivers.source: text must not be \"invalid\""},
    {"a type that is no identifier", "receivers:\n  9source:\n",
     "c.yaml:2:3: receivers.9source: \"9source\" is not an id: the part before"},
    {"a name with a symbol", "receivers:\n  source/a=b:\n",
     "c.yaml:2:3: receivers.source/a=b: \"source/a=b\" is not an id: the part after"},
    {"ids that are equal when trimmed", "receivers:\n  source/a:\n  source / a:\n",
     "c.yaml:3:3: receivers.source / a: duplicate name source/a after trimming"},
    {"a section that is a list", "receivers: [source]\n",
     "c.yaml:1:12: receivers: is not a map of receivers by id"},
    {"no pipelines", "receivers: {source: }\nexporters: {sink: }\nservice: {}\n",
     "c.yaml:3:1: service.pipelines: service must have at least one pipeline"},
    {"no service", "receivers: {source: }\nexporters: {sink: }\n",
     "service.pipelines: service must have at least one pipeline"},
    {"an unknown signal", "service:\n  pipelines:\n    trace:\n      receivers: [source]\n",
     "c.yaml:3:5: service.pipelines.trace: unknown signal \"trace\""},
    {"a pipeline without receivers",
     "service:\n  pipelines:\n    traces:\n      exporters: [sink]\n",
     "c.yaml:3:5: service.pipelines.traces: must have at least one receiver"},
    {"a pipeline without exporters",
     "service:\n  pipelines:\n    traces:\n      receivers: []\n      exporters: []\n",
     "c.yaml:3:5: service.pipelines.traces: must have at least one exporter"},
    {"an unknown key of a pipeline", GOOD "      processor: []\n",
     "c.yaml:8:7: service.pipelines.traces: '' has invalid keys: processor; did you mean "
     "\"processors\"?"},
    {"a reference to a receiver that is not there",
     GOOD "    logs:\n      receivers: [sorce]\n      exporters: [sink]\n",
     "c.yaml:9:19: service.pipelines.logs.receivers: references receiver \"sorce\" which is not "
     "configured; did you mean \"source\"?"},
    {"a reference to a processor that is not there", GOOD "      processors: [pass]\n",
     "c.yaml:8:20: service.pipelines.traces.processors: references processor \"pass\" which is "
     "not configured"},
    {"a reference to an exporter that is not there",
     GOOD "    logs:\n      receivers: [source]\n      exporters: [nope]\n",
     "references exporter \"nope\" which is not configured"},
    {"a reference to an extension that is not there", GOOD "  extensions: [ext]\n",
     "c.yaml:8:16: service.extensions: references extension \"ext\" which is not configured"},
    {"the same processor twice", "processors: {pass: }\n" GOOD "      processors: [pass, pass]\n",
     "service.pipelines.traces.processors: references processor \"pass\" multiple times"},
    {"a component that does not take the signal",
     "receivers: {source: }\nexporters: {logs_only: }\nservice:\n  pipelines:\n    traces:\n"
     "      receivers: [source]\n      exporters: [logs_only]\n",
     "c.yaml:7:19: service.pipelines.traces: exporter \"logs_only\" does not support traces: "
     "telemetry type is not supported (it supports: logs)"},
    {"a connector with one end",
     "connectors: {join: }\n" GOOD "    logs:\n      receivers: [join]\n      exporters: [sink]\n",
     "c.yaml:9:5: service.pipelines.logs: connector \"join\" used as receiver in [logs] pipeline "
     "but not used in any supported exporter pipeline"},
    {"a cycle of pipelines",
     "receivers: {source: }\nexporters: {sink: }\nconnectors: {join/a: , join/b: }\n"
     "service:\n  pipelines:\n"
     "    traces: {receivers: [source], exporters: [join/a]}\n"
     "    traces/2: {receivers: [join/a, join/b], exporters: [join/b, sink]}\n",
     "service.pipelines: cycle detected: traces/2 -> connector \"join/b\" -> traces/2"},
    {"an unknown key of the service", GOOD "  pipelnes: {}\n", "c.yaml:8:3: service.pipelnes: "},
    {"an unknown log level", GOOD "  telemetry: {logs: {level: loud}}\n",
     "service.telemetry.logs.level: "},
};

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(faults); i++) {
        struct fixture f;
        fixture_read(&f, faults[i].yaml);
        if (f.settings != NULL || strstr(f.text.data, faults[i].message) == NULL)
            fail_msg("%s: expected \"%s\", got:\n%s", faults[i].name, faults[i].message,
                     f.text.data);
        fixture_done(&f);
    }
}

static void names_the_valid_types_of_an_unknown_one(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, "receivers: {sourc/1: }\n");
    assert_non_null(strstr(f.text.data,
                           "c.yaml:1:13: receivers.sourc/1: unknown type: \"sourc\" for id: "
                           "\"sourc/1\" (valid values: [source]); did you mean \"source\"?"));
    fixture_done(&f);
}

static void an_id_may_not_be_a_connector_and_an_exporter(void **state)
{
    static const struct tt_component_ops no_ops = {.create = NULL};
    static const struct tt_component both[] = {
        {.type = "x", .kind = TT_CONNECTOR, .ops = &no_ops},
        {.type = "x", .kind = TT_EXPORTER, .ops = &no_ops},
    };
    static const struct tt_schema empty = {.size = 1};
    struct tt_component copies[2] = {both[0], both[1]};
    const struct tt_component *items[] = {&copies[0], &copies[1]};
    struct tt_catalog catalog = {items, 2};
    struct fixture f;
    struct tt_tree *tree = tt_tree_new();

    (void)state;
    copies[0].schema = copies[1].schema = &empty;
    fixture_read(&f, "");
    assert_true(tt_tree_merge_text(tree, "c.yaml", TT_STR("connectors: {x: }\nexporters: {x: }\n"),
                                   tt_env_process, NULL, &f.diags));
    assert_null(tt_settings_read(tree, &catalog, &f.diags));
    tt_buffer_clear(&f.text);
    tt_diags_print(&f.diags, &f.text);
    tt_buffer_append_byte(&f.text, '\0');
    assert_non_null(strstr(f.text.data, "c.yaml:1:14: connectors.x: ambiguous ID: Found both \"x\" "
                                        "exporter and \"x\" connector"));
    tt_tree_free(tree);
    fixture_done(&f);
}

static void reports_all_problems_in_one_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f,
                 "receivers: {source: {number: 11}}\nexporters: {zink: }\nservce: {}\n"
                 "service:\n  pipelines:\n    traces: {receivers: [nope], exporters: [zink]}\n");
    assert_non_null(strstr(f.text.data, "receivers.source.number"));
    assert_non_null(strstr(f.text.data, "exporters.zink: unknown type"));
    assert_non_null(strstr(f.text.data, "servce: '' has invalid keys"));
    assert_non_null(strstr(f.text.data, "references receiver \"nope\""));
    /* The exporter's type is what is wrong, not the reference to it. */
    assert_null(strstr(f.text.data, "references exporter"));
    fixture_done(&f);
}

static void unused_components_are_checked_too(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, "processors: {pass: {number: many}}\n" GOOD);
    assert_null(f.settings);
    assert_non_null(strstr(f.text.data, "processors.pass.number"));
    fixture_done(&f);
}

static void what_otelcol_has_and_we_do_not_is_a_warning(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f,
                 GOOD "  telemetry:\n"
                      "    logs: {level: warn, sampling: {enabled: true}}\n"
                      "    traces: {level: none}\n"
                      "    metrics:\n"
                      "      level: detailed\n"
                      "      readers:\n"
                      "        - pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9000}}}\n");
    assert_non_null(f.settings);
    assert_non_null(strstr(f.text.data, "service.telemetry.logs.sampling: is known from otelcol"));
    assert_non_null(strstr(f.text.data, "service.telemetry.traces: is known from otelcol"));
    assert_int_equal(f.settings->service.telemetry.logs.level, TT_LOG_WARN);
    assert_string_equal(f.settings->service.telemetry.metrics.address, "0.0.0.0:9000");
    fixture_done(&f);
}

static void levels_may_be_in_capitals(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, GOOD "  telemetry: {logs: {level: WARN}, metrics: {level: Detailed}}\n");
    assert_string_equal(f.text.data, "");
    assert_non_null(f.settings);
    assert_int_equal(f.settings->service.telemetry.logs.level, TT_LOG_WARN);
    fixture_done(&f);
    fixture_read(&f, GOOD "  telemetry: {logs: {encoding: JSON}}\n"); /* as in otelcol */
    assert_null(f.settings);
    fixture_done(&f);
}

static void ids_are_trimmed_and_lists_may_be_one_scalar(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, "receivers: {source / a : }\nexporters: {sink: , edit: }\nservice:\n"
                     "  pipelines:\n    traces:\n      receivers: source/a\n"
                     "      exporters: sink, edit\n");
    assert_string_equal(f.text.data, "");
    assert_string_equal(f.settings->components[TT_RECEIVER][0].id, "source/a");
    assert_int_equal(f.settings->pipelines[0].exporters.count, 2);
    fixture_done(&f);
}

static void pipelines_are_in_the_order_data_flow(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f,
                 "receivers: {source: }\nexporters: {sink: }\nconnectors: {join/a: , join/b: }\n"
                 "service:\n  pipelines:\n"
                 "    traces/3: {receivers: [join/b], exporters: [sink]}\n"
                 "    traces/2: {receivers: [join/a], exporters: [join/b]}\n"
                 "    traces/1: {receivers: [source], exporters: [join/a]}\n");
    assert_string_equal(f.text.data, "");
    assert_string_equal(f.settings->pipelines[0].id, "traces/1");
    assert_string_equal(f.settings->pipelines[1].id, "traces/2");
    assert_string_equal(f.settings->pipelines[2].id, "traces/3");
    fixture_done(&f);
}

static void traces_stand_before_metrics_and_logs(void **state)
{
    struct fixture f;

    (void)state;
    fixture_read(&f, "receivers: {source: }\nexporters: {sink: }\nservice:\n  pipelines:\n"
                     "    logs: {receivers: [source], exporters: [sink]}\n"
                     "    traces/2: {receivers: [source], exporters: [sink]}\n"
                     "    metrics: {receivers: [source], exporters: [sink]}\n"
                     "    traces/1: {receivers: [source], exporters: [sink]}\n");
    assert_string_equal(f.text.data, "");
    assert_string_equal(f.settings->pipelines[0].id, "traces/2");
    assert_string_equal(f.settings->pipelines[1].id, "traces/1");
    assert_string_equal(f.settings->pipelines[2].id, "metrics");
    assert_string_equal(f.settings->pipelines[3].id, "logs");
    fixture_done(&f);
}

static bool read_with_failing_memory(void *context)
{
    struct tt_tree *tree = tt_tree_new();
    struct tt_settings *settings = NULL;
    struct tt_diags diags;

    (void)context;
    if (tree == NULL)
        return false;
    tt_diags_init(&diags);
    if (tt_tree_merge_text(tree, "c.yaml", TT_STR(GOOD), tt_env_process, NULL, &diags))
        settings = tt_settings_read(tree, &fake_catalog, &diags);
    if (settings == NULL) {
        assert_true(diags.errors > 0);
        tt_tree_free(tree);
    }
    tt_settings_free(settings);
    tt_diags_done(&diags);
    return settings != NULL;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    tt_test_failing_allocations(read_with_failing_memory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_the_smallest_configuration),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(names_the_valid_types_of_an_unknown_one),
        cmocka_unit_test(an_id_may_not_be_a_connector_and_an_exporter),
        cmocka_unit_test(reports_all_problems_in_one_run),
        cmocka_unit_test(unused_components_are_checked_too),
        cmocka_unit_test(what_otelcol_has_and_we_do_not_is_a_warning),
        cmocka_unit_test(levels_may_be_in_capitals),
        cmocka_unit_test(ids_are_trimmed_and_lists_may_be_one_scalar),
        cmocka_unit_test(pipelines_are_in_the_order_data_flow),
        cmocka_unit_test(traces_stand_before_metrics_and_logs),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
