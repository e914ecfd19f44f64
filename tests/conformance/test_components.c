/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "bench.h"
#include "config/walk.h"

/*
 * Every registered component keeps the contract of pipeline/component.h. There is no list of exceptions: a component that
 * cannot pass is not registered.
 */

typedef void check_component(const struct tt_component *component);

/* The type given as an argument, to look at one component while it is written; NULL: all. */
static const char *only;

static void for_each(check_component *check)
{
    size_t count;
    const struct tt_component *const *components = tt_registry(&count);

    for (size_t i = 0; i < count; i++)
        if (only == NULL || strcmp(only, components[i]->type) == 0)
            check(components[i]);
}

/* Fails with the component's name. */
#define require(component, condition)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s %s: %s", (component)->type, tt_kind_name((component)->kind), #condition); \
    } while (0)

/* ---- descriptors ---- */

static bool is_snake_case(const char *name)
{
    size_t i = 0;

    for (; name[i] != '\0'; i++) {
        bool is_lower = name[i] >= 'a' && name[i] <= 'z';
        bool is_digit = name[i] >= '0' && name[i] <= '9';
        if (!is_lower && !(i > 0 && (is_digit || name[i] == '_')))
            return false;
    }
    return i > 0 && i < 64;
}

static bool is_sentence(const char *text)
{
    return text != NULL && strlen(text) > 10 && text[strlen(text) - 1] == '.';
}

static void check_operations(const struct tt_component *component)
{
    const struct tt_component_ops *ops = component->ops;
    bool consumes = component->kind != TT_RECEIVER && component->kind != TT_EXTENSION;

    require(component, ops != NULL && ops->create != NULL && ops->destroy != NULL);
    require(component, (ops->consume != NULL) == consumes);
    require(component, ops->ready == NULL || component->kind == TT_EXTENSION);
    require(component, component->emits == 0 || component->kind == TT_CONNECTOR);
    require(component, (component->signals == 0) == (component->kind == TT_EXTENSION));
    require(component, (component->signals & ~TT_ALL_SIGNALS) == 0);
}

static void check_tables(const struct tt_component *component)
{
    for (const struct tt_meter_desc *meter = component->meters;
         meter != NULL && meter->name != NULL; meter++) {
        require(component, is_snake_case(meter->name));
        require(component, meter->unit != NULL && is_sentence(meter->doc));
    }
    for (size_t i = 0; component->columns != NULL && component->columns[i] != NULL; i++)
        require(component,
                component->columns[i]->name != NULL && component->columns[i]->doc != NULL);
}

static void check_descriptor(const struct tt_component *component)
{
    struct tt_buffer faults;

    require(component, is_snake_case(component->type));
    require(component, is_sentence(component->doc));
    require(component, component->stability <= TT_STABLE);
    require(component, component->schema != NULL);
    check_operations(component);
    check_tables(component);
    tt_buffer_init(&faults, 1 << 16);
    if (!tt_schema_check(component->schema, &faults))
        fail_msg("%s: %.*s", component->type, TT_STR_ARG(tt_buffer_view(&faults)));
    tt_buffer_done(&faults);
}

static void descriptors_are_complete(void **state)
{
    (void)state;
    for_each(check_descriptor);
}

static void the_registry_is_sorted_and_has_no_duplicates(void **state)
{
    size_t count;
    const struct tt_component *const *components = tt_registry(&count);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 1; i < count; i++) {
        const struct tt_component *before = components[i - 1], *after = components[i];
        require(after, before->kind <= after->kind);
        require(after, before->kind < after->kind || strcmp(before->type, after->type) < 0);
        assert_ptr_equal(tt_registry_find(after->kind, tt_str(after->type)), after);
    }
    assert_null(tt_registry_find(TT_RECEIVER, TT_STR("no_such")));
}

/* ---- options ---- */

static void check_defaults(const struct tt_component *component)
{
    struct bench bench;
    struct tt_settings *settings;

    bench_init(&bench, component);
    bench_config(&bench, 1, NULL);
    settings = bench_read(&bench);
    if (settings == NULL)
        fail_msg("%s: its defaults do not decode:\n%s", component->type, bench.text.data);
    tt_settings_free(settings);
    bench_done(&bench);
}

static void defaults_decode(void **state)
{
    (void)state;
    for_each(check_defaults);
}

/* The key written in a::b form and one value must be refused at that place, under that path. */
static void check_refused(const struct tt_component *component, const char *path, const char *value)
{
    struct bench bench;
    struct tt_settings *settings;
    char extra[512], expected[512], key[256];
    size_t len = 0;

    for (const char *c = path; *c != '\0' && len + 3 < sizeof(key); c++) {
        key[len++] = *c == '.' ? ':' : *c;
        if (*c == '.')
            key[len++] = ':';
    }
    key[len] = '\0';
    (void)snprintf(extra, sizeof(extra), "%s: %s", key, value);
    (void)snprintf(expected, sizeof(expected), "%s.%s.%s", tt_kind_section(component->kind),
                   component->type, path);
    bench_init(&bench, component);
    bench_config(&bench, 1, extra);
    settings = bench_read(&bench);
    if (settings != NULL || strstr(bench.text.data, "c.yaml:3:") == NULL ||
        strstr(bench.text.data, expected) == NULL)
        fail_msg("%s: \"%s\" must be refused at c.yaml:3 as %s, got:\n%s", component->type, extra,
                 expected, bench.text.data);
    tt_settings_free(settings);
    bench_done(&bench);
}

static bool is_overridden(const struct tt_component *component, const char *name)
{
    static const char *const names[] = {"endpoint", "address", "path", "directory", "include"};

    for (size_t i = 0; i < TT_LENGTH(names); i++)
        if (strcmp(names[i], name) == 0)
            return strcmp(component->type, "health_check") != 0 || strcmp(name, "path") != 0;
    return false;
}

static const char *wrong_type(const struct tt_field *field)
{
    switch (field->type) {
    case TT_CONFIG_STRINGS:
        return "{a: b}";
    case TT_CONFIG_PAIRS:
        return "[a]";
    case TT_CONFIG_OBJECT:
        return "5";
    case TT_CONFIG_ENUM:
        return "no-such-choice";
    case TT_CONFIG_BOOL:
        return "maybe";
    case TT_CONFIG_INT:
    case TT_CONFIG_DOUBLE:
    case TT_CONFIG_DURATION:
    case TT_CONFIG_SIZE:
        return "10 bananas";
    case TT_CONFIG_STRING:
        return "[a]";
    }
    return NULL;
}

static void check_bounds(const struct tt_component *component, const struct tt_field *field,
                         const char *path)
{
    char value[64];
    double step = field->type == TT_CONFIG_DOUBLE ? 0.5 : 1;

    if (field->min >= field->max || field->type == TT_CONFIG_ENUM)
        return;
    if (field->min >= 1 || field->type != TT_CONFIG_SIZE) {
        (void)snprintf(value, sizeof(value), "%.17g", field->min - step);
        check_refused(component, path, value);
    }
    if (field->max < 9e15) { /* beyond, the next double is further than a step */
        (void)snprintf(value, sizeof(value), "%.17g", field->max + step);
        check_refused(component, path, value);
    }
}

static void check_fields(const struct tt_component *component)
{
    struct tt_schema_walk walk;

    tt_schema_walk_init(&walk, component->schema);
    while (tt_schema_walk_next(&walk)) {
        /* The bench writes these itself, and a key may be there once only. */
        if (is_overridden(component, walk.field->name) || walk.field->type == TT_CONFIG_OBJECT)
            continue;
        check_refused(component, walk.path, wrong_type(walk.field));
        check_bounds(component, walk.field, walk.path);
    }
    check_refused(component, "no_such_option", "1");
}

static void options_are_refused_out_of_bounds_and_of_wrong_type(void **state)
{
    (void)state;
    for_each(check_fields);
}

/* ---- life ---- */

static tt_dur deadline_in(tt_dur time)
{
    return tt_clock_monotonic(tt_clock_system()) + time;
}

static tt_dur deadline(void)
{
    return deadline_in(10 * TT_SECOND);
}

static void build(struct bench *bench, const struct tt_component *component, size_t n_instances)
{
    struct tt_error err;

    bench_init(bench, component);
    bench_config(bench, n_instances, NULL);
    if (bench_build(bench, &err) != TT_OK)
        fail_msg("%s: %s\n%s", component->type, err.message, bench->yaml.data);
}

static enum tt_status shut_down(struct bench *bench, size_t n)
{
    struct tt_instance *instance = bench_instance(bench, n);
    struct tt_error err;

    return instance->component->ops->shutdown == NULL
               ? TT_OK
               : instance->component->ops->shutdown(instance->self, deadline(), &err);
}

static void check_unstarted(const struct tt_component *component)
{
    struct bench bench;

    component->ops->destroy(NULL);
    build(&bench, component, 1);
    bench_done(&bench);

    build(&bench, component, 1);
    require(component, shut_down(&bench, 0) == TT_OK);
    bench_done(&bench);
}

static void create_destroy_and_shutdown_without_start(void **state)
{
    (void)state;
    for_each(check_unstarted);
}

static void check_life(const struct tt_component *component)
{
    struct bench bench;
    struct tt_error err;

    build(&bench, component, 2);
    if (tt_service_start(bench.service, &err) != TT_OK)
        fail_msg("%s: %s", component->type, err.message);
    if (tt_service_shutdown(bench.service, deadline(), &err) != TT_OK)
        fail_msg("%s: %s", component->type, err.message);
    require(component, shut_down(&bench, 0) == TT_OK);
    require(component, shut_down(&bench, 1) == TT_OK);
    bench_done(&bench);
}

static void two_instances_start_and_shut_down_twice(void **state)
{
    (void)state;
    for_each(check_life);
}

static void check_data(const struct tt_component *component)
{
    struct bench bench;
    struct tt_error err;
    uint64_t sent = 0;

    build(&bench, component, 1);
    assert_ok(tt_service_start(bench.service, &err), &err);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (!tt_has_signal(component->signals, i))
            continue;
        if (bench_send(&bench, tt_signal_at(i), &err) != TT_OK)
            fail_msg("%s: %s: %s", component->type, tt_signal_name(tt_signal_at(i)), err.message);
        sent += 2;
    }
    assert_ok(tt_service_shutdown(bench.service, deadline(), &err), &err);
    if (component->kind == TT_PROCESSOR)
        require(component, bench_received() <= sent && bench_received() > 0);
    bench_done(&bench);
}

static void takes_a_batch_of_each_declared_signal(void **state)
{
    (void)state;
    for_each(check_data);
}

static void check_undeclared(const struct tt_component *component)
{
    struct bench bench;
    struct tt_instance *instance;
    struct tt_error err;

    build(&bench, component, 1);
    instance = bench_instance(&bench, 0);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        struct tt_batch *batch;
        if (instance->edges[i] == NULL)
            continue;
        batch = bench_batch(tt_signal_at((i + 1) % TT_SIGNAL_COUNT));
        assert_status(tt_consume(&instance->edges[i]->consumer, &batch, &err), TT_UNSUPPORTED);
        assert_null(batch);
    }
    bench_done(&bench);
}

static void an_undeclared_signal_is_refused_by_the_edge(void **state)
{
    (void)state;
    for_each(check_undeclared);
}

/* ---- a destination that takes nothing ---- */

enum { BLOCKED_ROUNDS = 3 };

static bool has_destination(const struct tt_component *component)
{
    return component->kind != TT_RECEIVER && component->kind != TT_EXTENSION;
}

/* Sends a few batches of each signal; returns the rows sent, and in *ret_refused those that the sender was told to keep. */
static uint64_t send_rounds(struct bench *bench, uint64_t *ret_refused)
{
    uint64_t sent = 0;
    struct tt_error err;

    for (unsigned i = 0; i < BLOCKED_ROUNDS * TT_SIGNAL_COUNT; i++) {
        enum tt_signal signal = tt_signal_at(i % TT_SIGNAL_COUNT);
        enum tt_status status;
        if (!tt_has_signal(bench->component->signals, i % TT_SIGNAL_COUNT))
            continue;
        status = bench_send(bench, signal, &err);
        sent += 2;
        *ret_refused += status == TT_OK ? 0 : 2;
        if (status != TT_OK && !tt_status_may_retry(status))
            fail_msg(
                "%s: a blocked destination must not be told as \"%s\", which makes senders drop data",
                bench->component->type, err.message);
    }
    return sent;
}

static uint64_t delivered(struct bench *bench)
{
    return bench->component->kind == TT_EXPORTER
               ? bench_count(bench, "otelcol_exporter_sent_spans") +
                     bench_count(bench, "otelcol_exporter_sent_metric_points") +
                     bench_count(bench, "otelcol_exporter_sent_log_records")
               : bench_received();
}

/* To its end: nothing is waited for beyond the deadline, and each row was refused, delivered or counted as dropped. */
static void check_blocked(const struct tt_component *component)
{
    struct bench bench;
    struct tt_error err;
    uint64_t sent, refused = 0, dropped;
    tt_dur late = deadline();

    if (!has_destination(component))
        return;
    build(&bench, component, 1);
    assert_ok(tt_service_start(bench.service, &err), &err);
    bench_block(true);
    sent = send_rounds(&bench, &refused);
    (void)tt_service_shutdown(bench.service, deadline_in(200 * TT_MILLISECOND), &err);
    bench_block(false);
    require(component, tt_clock_monotonic(tt_clock_system()) < late);
    dropped = bench_count(&bench, "telltale_dropped_items");
    if (component->kind != TT_CONNECTOR && refused + delivered(&bench) + dropped != sent)
        fail_msg("%s: %llu rows sent, %llu refused, %llu delivered, %llu dropped", component->type,
                 (unsigned long long)sent, (unsigned long long)refused,
                 (unsigned long long)delivered(&bench), (unsigned long long)dropped);
    bench_done(&bench);
}

static void a_blocked_destination_does_not_hold_up_the_stop(void **state)
{
    (void)state;
    for_each(check_blocked);
}

/* For a while: what was not refused is delivered, once. */
static void check_unblocked(const struct tt_component *component)
{
    struct bench bench;
    struct tt_error err;
    uint64_t sent, refused = 0, ignored = 0;

    if (!has_destination(component))
        return;
    build(&bench, component, 1);
    assert_ok(tt_service_start(bench.service, &err), &err);
    bench_block(true);
    sent = send_rounds(&bench, &refused);
    bench_block(false);
    sent += send_rounds(&bench, &ignored);
    require(component, ignored == 0);
    assert_ok(tt_service_shutdown(bench.service, deadline(), &err), &err);
    if (component->kind != TT_CONNECTOR && refused + delivered(&bench) != sent)
        fail_msg("%s: %llu rows sent, %llu refused, %llu delivered", component->type,
                 (unsigned long long)sent, (unsigned long long)refused,
                 (unsigned long long)delivered(&bench));
    bench_done(&bench);
}

static void what_was_not_refused_is_delivered_when_the_destination_is_back(void **state)
{
    (void)state;
    for_each(check_unblocked);
}

/* ---- memory ---- */

/* The whole life with the n-th allocation, and all after it, failing. Whether it got through. */
static bool live(struct bench *bench)
{
    struct tt_error err;
    bool ok;

    if (bench_build(bench, &err) != TT_OK)
        return false;
    ok = tt_service_start(bench->service, &err) == TT_OK;
    for (unsigned i = 0; ok && i < TT_SIGNAL_COUNT; i++)
        if (tt_has_signal(bench->component->signals, i))
            ok = bench_send(bench, tt_signal_at(i), &err) == TT_OK;
    /* What could not be delivered for want of memory is sent again until the deadline. */
    return tt_service_shutdown(bench->service, deadline_in(50 * TT_MILLISECOND), &err) == TT_OK &&
           ok;
}

static void check_memory(const struct tt_component *component)
{
    bool was_hit = true;

    for (uint64_t n = 1; was_hit; n++) {
        struct bench bench;
        bool ok;
        bench_init(&bench, component);
        bench_config(&bench, 1, NULL);
        tt_mem_fail_after(n);
        ok = live(&bench);
        was_hit = tt_mem_count() >= n;
        tt_mem_fail_after(0);
        if (!was_hit && !ok)
            fail_msg("%s does not live without a failing allocation", component->type);
        bench_done(&bench);
    }
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    for_each(check_memory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_complete),
        cmocka_unit_test(the_registry_is_sorted_and_has_no_duplicates),
        cmocka_unit_test(defaults_decode),
        cmocka_unit_test(options_are_refused_out_of_bounds_and_of_wrong_type),
        cmocka_unit_test(create_destroy_and_shutdown_without_start),
        cmocka_unit_test(two_instances_start_and_shut_down_twice),
        cmocka_unit_test(takes_a_batch_of_each_declared_signal),
        cmocka_unit_test(an_undeclared_signal_is_refused_by_the_edge),
        cmocka_unit_test(a_blocked_destination_does_not_hold_up_the_stop),
        cmocka_unit_test(what_was_not_refused_is_delivered_when_the_destination_is_back),
        cmocka_unit_test(survives_every_failing_allocation),
    };

    if (argc > 1)
        only = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
