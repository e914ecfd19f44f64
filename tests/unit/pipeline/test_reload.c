/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

/* A configuration with the bodies of both exporters and more text for the service. */
static const char *config(const char *a, const char *b, const char *more)
{
    static char text[1024];

    (void)snprintf(text, sizeof(text),
                   "receivers: {source: }\nexporters: {sink/a: {%s}, sink/b: {%s}}\n"
                   "service:\n  pipelines:\n"
                   "    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n%s",
                   a, b, more);
    return text;
}

static enum tt_status reload(struct fixture *f, const char *yaml, size_t *ret_changed)
{
    struct tt_settings *next = fixture_settings(yaml);
    struct tt_error err;
    enum tt_status status;

    *ret_changed = 77;
    status = tt_service_reload(f->service, next, &f->diags, ret_changed, &err);
    tt_buffer_clear(&f->text);
    tt_diags_print(&f->diags, &f->text);
    tt_buffer_append_byte(&f->text, '\0');
    tt_diags_done(&f->diags);
    tt_diags_init(&f->diags);
    if (*ret_changed == 0)
        tt_settings_free(next);
    return status;
}

static int64_t number_of(const char *id)
{
    return ((const struct fake_config *)fake_find(id, 0)->config)->number;
}

static void reloadable_options_are_applied(void **state)
{
    struct fixture f;
    size_t changed;

    (void)state;
    fixture_start(&f, config("", "", ""));
    assert_status(reload(&f, config("number: 3", "", "  shutdown_timeout: 5s\n"), &changed), TT_OK);
    assert_int_equal(changed, 2);
    assert_int_equal(number_of("sink/a"), 3);
    assert_int_equal(number_of("sink/b"), 1);
    assert_true(tt_service_settings(f.service)->service.shutdown_timeout == 5 * TT_SECOND);
    /* Again: what counts is what runs now. */
    assert_status(reload(&f, config("number: 3", "", "  shutdown_timeout: 5s\n"), &changed), TT_OK);
    assert_int_equal(changed, 0);
    assert_status(reload(&f, config("number: 4", "", "  shutdown_timeout: 5s\n"), &changed), TT_OK);
    assert_int_equal(changed, 1);
    assert_int_equal(number_of("sink/a"), 4);
    fixture_done(&f);
}

static void other_changes_are_named_and_nothing_is_applied(void **state)
{
    struct fixture f;
    size_t changed;

    (void)state;
    fixture_start(&f, config("", "", ""));
    assert_status(reload(&f, config("number: 3", "text: other", ""), &changed), TT_UNSUPPORTED);
    assert_int_equal(changed, 0);
    assert_non_null(
        strstr(f.text.data, "c.yaml:2:49: exporters.sink/b.text: changed, which needs a restart"));
    assert_null(strstr(f.text.data, "number"));
    assert_int_equal(number_of("sink/a"), 1);
    fixture_done(&f);
}

static const struct {
    const char *name, *yaml, *message;
} shapes[] = {
    {"a new pipeline",
     "receivers: {source: }\nexporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
     "    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n"
     "    logs: {receivers: [source], exporters: [sink/a]}\n",
     "c.yaml:6:5: service.pipelines.logs: is new, which needs a restart"},
    {"a pipeline less",
     "receivers: {source: }\nexporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
     "    traces/2: {receivers: [source], exporters: [sink/a, sink/b]}\n",
     "service.pipelines.traces: is gone, which needs a restart"},
    {"another exporter",
     "receivers: {source: }\nexporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
     "    traces: {receivers: [source], exporters: [sink/a]}\n",
     "c.yaml:5:5: service.pipelines.traces: changed, which needs a restart"},
    {"an extension",
     "receivers: {source: }\nexporters: {sink/a: , sink/b: }\nextensions: {ext: }\n"
     "service:\n  extensions: [ext]\n  pipelines:\n"
     "    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n",
     "service.extensions: changed, which needs a restart"},
    {"an option of the service",
     "receivers: {source: }\nexporters: {sink/a: , sink/b: }\nservice:\n  memory_budget: 2MiB\n"
     "  pipelines:\n    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n",
     "c.yaml:4:18: service.memory_budget: changed, which needs a restart"},
};

static void another_shape_needs_a_restart(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(shapes); i++) {
        struct fixture f;
        size_t changed;
        fixture_start(&f, config("", "", ""));
        assert_status(reload(&f, shapes[i].yaml, &changed), TT_UNSUPPORTED);
        if (strstr(f.text.data, shapes[i].message) == NULL)
            fail_msg("%s: expected \"%s\", got:\n%s", shapes[i].name, shapes[i].message,
                     f.text.data);
        fixture_done(&f);
    }
}

static void after_a_failure_all_keep_their_old_configuration(void **state)
{
    struct fixture f;
    size_t changed;

    (void)state;
    fixture_start(&f, config("", "", ""));
    assert_status(reload(&f, config("number: 3", "fails_to_reload: true", ""), &changed),
                  TT_INTERNAL);
    assert_int_equal(changed, 0);
    assert_int_equal(number_of("sink/a"), 1);
    assert_int_equal(number_of("sink/b"), 1);
    assert_status(reload(&f, config("number: 3", "", ""), &changed), TT_OK);
    assert_int_equal(number_of("sink/a"), 3);
    fixture_done(&f);
}

/* A rollback must not reload what was not changed: its component may have no reload at all. */
static void a_failure_behind_other_settings_rolls_back_what_changed_only(void **state)
{
    struct fixture f;
    size_t changed;
    const void *config_of_source;

    (void)state;
    fixture_start(&f, config("", "", ""));
    assert_status(reload(&f, config("", "", "  shutdown_timeout: 5s\n"), &changed), TT_OK);
    config_of_source = fake_find("source", 0)->config;
    assert_status(
        reload(&f, config("fails_to_reload: true", "", "  shutdown_timeout: 5s\n"), &changed),
        TT_INTERNAL);
    assert_status(reload(&f,
                         config("number: 3", "fails_to_reload: true", "  shutdown_timeout: 5s\n"),
                         &changed),
                  TT_INTERNAL);
    assert_int_equal(number_of("sink/a"), 1);
    assert_ptr_equal(fake_find("source", 0)->config, config_of_source);
    assert_status(reload(&f, config("number: 7", "", "  shutdown_timeout: 4s\n"), &changed), TT_OK);
    assert_int_equal(number_of("sink/a"), 7);
    fixture_done(&f);
}

static void the_log_level_changes_as_often_as_one_likes(void **state)
{
    static const struct {
        const char *text;
        enum tt_log_level level;
    } levels[] = {{"  telemetry: {logs: {level: debug}}\n", TT_LOG_DEBUG},
                  {"  telemetry: {logs: {level: warn}}\n", TT_LOG_WARN}};
    struct fixture f;
    size_t changed;

    (void)state;
    fixture_start(&f, config("", "", ""));
    for (size_t i = 0; i < 1000; i++) {
        assert_status(reload(&f, config("", "", levels[i % 2].text), &changed), TT_OK);
        assert_int_equal(changed, 1);
        assert_int_equal(f.sink.level, levels[i % 2].level);
    }
    assert_int_equal(f.service->n_reloaded, 1);
    /* What a component was given is kept, though, and there is an end to that. */
    for (size_t i = 0; i < 100; i++) {
        char body[32];
        (void)snprintf(body, sizeof(body), "number: %zu", 2 + i % 8);
        if (reload(&f, config(body, "", ""), &changed) != TT_OK)
            break;
    }
    assert_int_equal(f.service->n_reloaded, TT_LENGTH(f.service->reloaded));
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reloadable_options_are_applied),
        cmocka_unit_test(a_failure_behind_other_settings_rolls_back_what_changed_only),
        cmocka_unit_test(the_log_level_changes_as_often_as_one_likes),
        cmocka_unit_test(other_changes_are_named_and_nothing_is_applied),
        cmocka_unit_test(another_shape_needs_a_restart),
        cmocka_unit_test(after_a_failure_all_keep_their_old_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
