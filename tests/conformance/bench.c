/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "config/walk.h"
#include "otlp/json.h"

#include <signal.h>
#include <sys/resource.h>

enum { MAX_COMPONENTS = 128 };

/* ---- source and sink ---- */

static struct {
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    _Atomic uint64_t received;
    _Atomic bool is_blocked;
} ends;

static char nothing;

static enum tt_status source_create(const struct tt_create_args *args, void **ret_self,
                                    struct tt_error *err)
{
    (void)err;
    memcpy(ends.next, args->next, sizeof(ends.next));
    *ret_self = &nothing;
    return TT_OK;
}

static enum tt_status sink_create(const struct tt_create_args *args, void **ret_self,
                                  struct tt_error *err)
{
    (void)args, (void)err;
    *ret_self = &nothing;
    return TT_OK;
}

static enum tt_status sink_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    (void)self;
    if (atomic_load(&ends.is_blocked))
        return tt_drop(batch, tt_fail(err, TT_UNAVAILABLE, "the bench blocks"), err);
    atomic_fetch_add(&ends.received, tt_batch_live_rows(*batch));
    return tt_drop(batch, TT_OK, NULL);
}

static void no_destroy(void *self)
{
    (void)self;
}

static const struct tt_component_ops source_ops = {.create = source_create, .destroy = no_destroy};
static const struct tt_component_ops sink_ops = {
    .create = sink_create, .consume = sink_consume, .destroy = no_destroy};
static const struct tt_schema no_options = {.size = 1};
static const struct tt_component source = {.type = "bench_source",
                                           .kind = TT_RECEIVER,
                                           .signals = TT_ALL_SIGNALS,
                                           .doc = "Sends.",
                                           .schema = &no_options,
                                           .ops = &source_ops};
static const struct tt_component sink = {.type = "bench_sink",
                                         .kind = TT_EXPORTER,
                                         .signals = TT_ALL_SIGNALS,
                                         .doc = "Takes.",
                                         .schema = &no_options,
                                         .ops = &sink_ops};

uint64_t bench_received(void)
{
    return atomic_load(&ends.received);
}

void bench_block(bool blocked)
{
    struct rlimit limit;

    atomic_store(&ends.is_blocked, blocked);
    (void)signal(SIGXFSZ, SIG_IGN); /* so that the write fails */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = blocked ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

struct sum {
    const char *name;
    double value;
};

static void add_reading(void *context, const struct tt_reading *reading)
{
    struct sum *sum = context;

    if (strcmp(reading->desc->name, sum->name) == 0)
        sum->value += reading->value;
}

uint64_t bench_count(struct bench *bench, const char *name)
{
    struct sum sum = {.name = name};

    tt_meters_read(tt_service_meters(bench->service), add_reading, &sum);
    return (uint64_t)sum.value;
}

static struct tt_catalog catalog(void)
{
    static const struct tt_component *items[MAX_COMPONENTS];
    size_t count;
    const struct tt_component *const *registered = tt_registry(&count);

    assert_true(count + 2 <= MAX_COMPONENTS);
    memcpy(items, registered, count * sizeof(items[0]));
    items[count++] = &source;
    items[count++] = &sink;
    return (struct tt_catalog){.items = items, .count = count};
}

/* ---- options that open something ---- */

static const struct {
    const char *type, *option; /* type NULL: of any component */
    const char *value;         /* %s: the directory; NULL: leave the default */
} overrides[] = {
    {"health_check", "path", NULL}, /* of the URL */
    {NULL, "endpoint", "127.0.0.1:0"}, {NULL, "address", "127.0.0.1:0"}, {NULL, "path", "%s"},
    {NULL, "directory", "%s"},         {NULL, "include", "%s/*"},
};

static bool override_of(const struct tt_component *component, const char *option, size_t *ret_index)
{
    for (size_t i = 0; i < TT_LENGTH(overrides); i++) {
        if (overrides[i].type != NULL && strcmp(overrides[i].type, component->type) != 0)
            continue;
        if (strcmp(overrides[i].option, option) != 0)
            continue;
        *ret_index = i;
        return overrides[i].value != NULL;
    }
    return false;
}

/* "protocols.http.endpoint" is the YAML key "protocols::http::endpoint". */
static void append_key(struct tt_buffer *out, const char *path)
{
    struct tt_str rest = tt_str(path);

    for (const char *separator = ""; rest.data != NULL; separator = "::") {
        struct tt_str part = tt_str_cut(&rest, '.');
        tt_buffer_printf(out, "%s%.*s", separator, TT_STR_ARG(part));
    }
}

static void append_overrides(struct bench *bench, size_t n)
{
    struct tt_schema_walk walk;
    size_t index;
    char place[640];

    (void)snprintf(place, sizeof(place), "%s/%zu", bench->dir.path, n);
    tt_schema_walk_init(&walk, bench->component->schema);
    while (tt_schema_walk_next(&walk)) {
        bool is_text =
            walk.field->type == TT_CONFIG_STRING || walk.field->type == TT_CONFIG_STRINGS;
        if (!is_text || !override_of(bench->component, walk.field->name, &index))
            continue;
        tt_buffer_append_str(&bench->yaml, TT_STR("    "));
        append_key(&bench->yaml, walk.path);
        tt_buffer_append_str(&bench->yaml, TT_STR(": \""));
        if (strstr(overrides[index].value, "%s") != NULL) {
            tt_buffer_append_str(&bench->yaml, tt_str(place));
            tt_buffer_append_str(&bench->yaml, tt_str(overrides[index].value + 2));
        } else {
            tt_buffer_append_str(&bench->yaml, tt_str(overrides[index].value));
        }
        tt_buffer_append_str(&bench->yaml, TT_STR("\"\n"));
    }
}

/* ---- the configuration ---- */

const char *bench_id(const struct bench *bench, size_t n, char ret_id[96])
{
    if (n == 0)
        (void)snprintf(ret_id, 96, "%s", bench->component->type);
    else
        (void)snprintf(ret_id, 96, "%s/%zu", bench->component->type, n + 1);
    return ret_id;
}

static void append_instances(struct bench *bench, size_t n_instances, const char *extra)
{
    char id[96];

    for (size_t i = 0; i < n_instances; i++) {
        tt_buffer_printf(&bench->yaml, "  %s:\n", bench_id(bench, i, id));
        if (i == 0 && extra != NULL)
            tt_buffer_printf(&bench->yaml, "    %s\n", extra);
        append_overrides(bench, i);
    }
}

static void append_ids(struct bench *bench, size_t n_instances)
{
    char id[96];

    tt_buffer_append_byte(&bench->yaml, '[');
    for (size_t i = 0; i < n_instances; i++)
        tt_buffer_printf(&bench->yaml, "%s%s", i > 0 ? ", " : "", bench_id(bench, i, id));
    tt_buffer_append_str(&bench->yaml, TT_STR("]"));
}

/* One pipeline: "key" lists the component, the others source and sink. */
static void append_pipeline(struct bench *bench, const char *name, unsigned index, const char *key,
                            size_t n_instances)
{
    static const char *const keys[] = {"receivers", "processors", "exporters"};
    static const char *const others[] = {"[bench_source]", "[]", "[bench_sink]"};

    tt_buffer_printf(&bench->yaml, "    %s%s:\n", tt_signal_name(tt_signal_at(index)), name);
    for (size_t i = 0; i < TT_LENGTH(keys); i++) {
        tt_buffer_printf(&bench->yaml, "      %s: ", keys[i]);
        if (key != NULL && strcmp(keys[i], key) == 0)
            append_ids(bench, n_instances);
        else
            tt_buffer_append_str(&bench->yaml, tt_str(others[i]));
        tt_buffer_append_byte(&bench->yaml, '\n');
    }
}

static void append_pipelines(struct bench *bench, size_t n_instances)
{
    const struct tt_component *component = bench->component;

    tt_buffer_append_str(&bench->yaml, TT_STR("  pipelines:\n"));
    if (component->kind == TT_EXTENSION) {
        append_pipeline(bench, "", 0, NULL, 0);
        return;
    }
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (component->kind == TT_CONNECTOR) {
            if (tt_has_signal(component->signals, i))
                append_pipeline(bench, "/in", i, "exporters", n_instances);
            if (tt_has_signal(tt_component_emits(component), i))
                append_pipeline(bench, "/out", i, "receivers", n_instances);
        } else if (tt_has_signal(component->signals, i)) {
            append_pipeline(bench, "", i, tt_kind_section(component->kind), n_instances);
        }
    }
}

void bench_config(struct bench *bench, size_t n_instances, const char *extra)
{
    enum tt_kind kind = bench->component->kind;

    tt_buffer_clear(&bench->yaml);
    tt_buffer_printf(&bench->yaml, "%s:\n", tt_kind_section(kind));
    append_instances(bench, n_instances, extra);
    tt_buffer_append_str(&bench->yaml, kind == TT_RECEIVER
                                           ? TT_STR("  bench_source:\n")
                                           : TT_STR("receivers: {bench_source: }\n"));
    if (kind != TT_EXPORTER)
        tt_buffer_append_str(&bench->yaml, TT_STR("exporters: {bench_sink: }\n"));
    tt_buffer_append_str(&bench->yaml, TT_STR("service:\n"));
    if (kind == TT_EXTENSION) {
        tt_buffer_append_str(&bench->yaml, TT_STR("  extensions: "));
        append_ids(bench, n_instances);
        tt_buffer_append_byte(&bench->yaml, '\n');
    }
    append_pipelines(bench, n_instances);
}

struct tt_settings *bench_read(struct bench *bench)
{
    struct tt_catalog all = catalog();
    struct tt_tree *tree = tt_tree_new();
    struct tt_settings *settings = NULL;

    tt_diags_done(&bench->diags);
    tt_diags_init(&bench->diags);
    if (tree != NULL && tt_tree_merge_text(tree, "c.yaml", tt_buffer_view(&bench->yaml),
                                           tt_env_process, NULL, &bench->diags))
        settings = tt_settings_read(tree, &all, &bench->diags);
    if (settings == NULL)
        tt_tree_free(tree);
    tt_buffer_clear(&bench->text);
    tt_diags_print(&bench->diags, &bench->text);
    tt_buffer_append_byte(&bench->text, '\0');
    return settings;
}

enum tt_status bench_build(struct bench *bench, struct tt_error *err)
{
    struct tt_service_options options = {
        .clock = tt_clock_system(), .sink = &bench->sink, .version = "test"};
    struct tt_settings *settings = bench_read(bench);

    if (settings == NULL)
        return tt_fail(err, TT_INVALID_CONFIG, "%.300s",
                       bench->text.failed == TT_OK ? bench->text.data : "out of memory");
    return tt_service_new(&options, settings, &bench->service, err);
}

struct tt_instance *bench_instance(struct bench *bench, size_t n)
{
    struct tt_graph *graph = &bench->service->graph;
    char id[96];

    bench_id(bench, n, id);
    for (size_t i = 0; i < graph->n_instances; i++)
        if (strcmp(graph->instances[i].settings->id, id) == 0)
            return &graph->instances[i];
    for (size_t i = 0; i < graph->n_extensions; i++)
        if (strcmp(graph->extensions[i].settings->id, id) == 0)
            return &graph->extensions[i];
    fail_msg("no instance %s", id);
    return NULL;
}

void bench_init(struct bench *bench, const struct tt_component *component)
{
    *bench = (struct bench){.component = component};
    tt_temp_dir_make(&bench->dir);
    tt_diags_init(&bench->diags);
    tt_buffer_init(&bench->yaml, 1 << 20);
    tt_buffer_init(&bench->text, 1 << 20);
    bench->sink = (struct tt_log_sink){.fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
                                       .level = TT_LOG_DEBUG,
                                       .clock = tt_clock_system()};
    atomic_store(&ends.received, 0);
    memset(ends.next, 0, sizeof(ends.next));
}

void bench_done(struct bench *bench)
{
    tt_service_free(bench->service);
    tt_buffer_done(&bench->text);
    tt_buffer_done(&bench->yaml);
    tt_diags_done(&bench->diags);
    tt_temp_dir_remove(&bench->dir);
    (void)close(bench->sink.fd);
}

/* ---- data ---- */

struct tt_batch *bench_batch(enum tt_signal signal)
{
    static const char *const documents[] = {
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
        "{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"spans\":["
        "{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\","
        "\"name\":\"GET /cart\",\"kind\":2,\"startTimeUnixNano\":\"1700000000000000000\","
        "\"endTimeUnixNano\":\"1700000000001000000\",\"attributes\":[{\"key\":"
        "\"http.request.header.x-anomaly-type\",\"value\":{\"stringValue\":\"latency_spike\"}}]},"
        "{\"name\":\"no ids\"}]}]}]}",
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":"
        "{\"dataPoints\":[{\"timeUnixNano\":\"1700000000000000000\",\"asInt\":\"1\"},"
        "{\"timeUnixNano\":\"1700000001000000000\",\"asDouble\":1.5}]}}]}]}]}",
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":"
        "\"1700000000000000000\",\"severityNumber\":9,\"body\":{\"stringValue\":\"hello\"}},"
        "{\"body\":{\"stringValue\":\"again\"}}]}]}]}",
    };
    struct tt_batch *batch = NULL;
    struct tt_buffer wire;
    struct tt_body *body = NULL;
    uint64_t rejected;
    size_t len;
    char *data;

    tt_buffer_init(&wire, 1 << 20);
    if (tt_json_read(signal, tt_str(documents[tt_signal_index(signal)]), &tt_limits_default, &wire,
                     NULL) == TT_OK) {
        data = tt_buffer_take(&wire, &len);
        body = tt_body_take(data, len);
    }
    if (body != NULL &&
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, &rejected, NULL) != TT_OK)
        batch = NULL;
    tt_body_unref(body);
    tt_buffer_done(&wire);
    return batch;
}

enum tt_status bench_send(struct bench *bench, enum tt_signal signal, struct tt_error *err)
{
    struct tt_consumer *next = ends.next[tt_signal_index(signal)];
    struct tt_batch *batch;
    enum tt_status status;

    if (bench->component->kind == TT_RECEIVER || bench->component->kind == TT_EXTENSION)
        return TT_OK;
    batch = bench_batch(signal);
    if (batch == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make a batch: out of memory");
    batch->ack = tt_ack_new(NULL, NULL);
    if (batch->ack == NULL)
        return tt_drop(&batch, tt_fail(err, TT_NO_MEMORY, "make an ack: out of memory"), err);
    status = tt_consume(next, &batch, err);
    assert_null(batch);
    return status;
}
