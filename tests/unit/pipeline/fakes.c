/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#include "base/thread.h"

static struct {
    struct fake fakes[FAKES_MAX];
    size_t n_fakes;
    char journal[4096];
    pthread_mutex_t mu;
} state = {.mu = PTHREAD_MUTEX_INITIALIZER};

static const struct tt_field fake_fields[] = {
    {TT_STRING(struct fake_config, text), .def = "x", .doc = "Some text."},
    {TT_INT(struct fake_config, number), .def = "1", .min = 0, .max = 10,
     .flags = TT_CONFIG_RELOADABLE, .doc = "Some number."},
    {TT_BOOL(struct fake_config, fails_to_create), .doc = "Whether create fails."},
    {TT_BOOL(struct fake_config, fails_to_start), .doc = "Whether start fails."},
    {TT_BOOL(struct fake_config, fails_to_reload), .flags = TT_CONFIG_RELOADABLE,
     .doc = "Whether reload fails."},
};
static const struct tt_schema fake_schema = TT_SCHEMA(struct fake_config, fake_fields);

static const struct tt_column_desc stamp_column = {"stamp", TT_COLUMN_INT, "A stamp."};
static const struct tt_column_desc *const stamp_columns[] = {&stamp_column, NULL};

static void note(const char *verb, const struct fake *fake)
{
    pthread_mutex_lock(&state.mu);
    size_t len = strlen(state.journal);
    (void)snprintf(state.journal + len, sizeof(state.journal) - len, "%s%s %s", len > 0 ? "|" : "",
                   verb, fake->id);
    pthread_mutex_unlock(&state.mu);
}

const char *fake_journal(void)
{
    return state.journal;
}

struct fake *fake_find(const char *id, size_t n)
{
    for (size_t i = 0; i < state.n_fakes; i++)
        if (strcmp(state.fakes[i].id, id) == 0 && n-- == 0)
            return &state.fakes[i];
    fail_msg("no instance %s", id);
    return NULL;
}

/* ---- operations ---- */

static enum tt_status fake_validate(const void *config, struct tt_error *err)
{
    if (strcmp(((const struct fake_config *)config)->text, "invalid") == 0)
        return tt_fail(err, TT_INVALID_CONFIG, "text must not be \"invalid\"");
    return TT_OK;
}

static enum tt_status fake_create(const struct tt_create_args *args, void **ret_self,
                                  struct tt_error *err)
{
    const struct fake_config *config = args->config;
    struct fake *fake;

    if (config->fails_to_create)
        return tt_fail(err, TT_INTERNAL, "told to fail");
    assert_true(state.n_fakes < FAKES_MAX);
    fake = &state.fakes[state.n_fakes++];
    *fake = (struct fake){.id = args->id, .args = *args, .config = args->config};
    note("create", fake);
    *ret_self = fake;
    return TT_OK;
}

static enum tt_status fake_start(void *self, struct tt_error *err)
{
    struct fake *fake = self;

    if (((const struct fake_config *)fake->args.config)->fails_to_start)
        return tt_fail(err, TT_IO, "listen: address already in use");
    note("start", fake);
    return TT_OK;
}

static bool is_told_to_fail(struct fake *fake)
{
    uint32_t left = atomic_load(&fake->fail_next);

    if (left > 0 && left < UINT32_MAX)
        atomic_fetch_sub(&fake->fail_next, 1);
    return left > 0;
}

static enum tt_status take(struct fake *fake, struct tt_batch **batch, struct tt_error *err)
{
    if (fake->clock != NULL)
        tt_fake_clock_advance(fake->clock, fake->takes);
    if (is_told_to_fail(fake)) {
        enum tt_status status = (enum tt_status)atomic_load(&fake->fail_with);
        struct tt_error local;
        (void)tt_fail(&local, status, "told to fail");
        if (err != NULL)
            *err = local;
        return tt_drop(batch, status, &local);
    }
    atomic_fetch_add(&fake->batches, 1);
    atomic_fetch_add(&fake->rows, tt_batch_live_rows(*batch));
    atomic_store(&fake->saw_shared, atomic_load(&(*batch)->references) > 1);
    atomic_store(&fake->saw_stamp, tt_batch_find_column(*batch, TT_STR("stamp")) != NULL);
    return TT_OK;
}

static enum tt_status sink_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    enum tt_status status = take(self, batch, err);

    return status == TT_OK ? tt_drop(batch, TT_OK, NULL) : status;
}

static enum tt_status pass_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    struct fake *fake = self;
    enum tt_status status = take(fake, batch, err);

    if (status != TT_OK)
        return status;
    return tt_consume(fake->args.next[tt_signal_index((*batch)->signal)], batch, err);
}

static enum tt_status stamp_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    struct fake *fake = self;
    enum tt_status status;

    if (atomic_load(&(*batch)->references) > 1)
        atomic_store(&fake->had_to_clone, true);
    status = tt_batch_make_writable(batch, err);
    if (status != TT_OK)
        return tt_drop(batch, status, err);
    if (tt_batch_column(*batch, &stamp_column) == NULL)
        return tt_drop(batch, TT_NO_MEMORY, NULL);
    return pass_consume(self, batch, err);
}

static enum tt_status hold_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    struct fake *fake = self;
    struct tt_batch *copy;

    (void)err;
    assert_true(fake->n_held < TT_LENGTH(fake->held));
    copy = fake_batch((*batch)->signal, tt_batch_live_rows(*batch), NULL);
    fake->held[fake->n_held++] = copy;
    return tt_drop(batch, TT_OK, NULL);
}

static enum tt_status fake_shutdown(void *self, tt_dur deadline, struct tt_error *err)
{
    struct fake *fake = self;

    (void)deadline, (void)err;
    note("shutdown", fake);
    for (size_t i = 0; i < fake->n_held; i++)
        (void)tt_consume(fake->args.next[tt_signal_index(fake->held[i]->signal)], &fake->held[i],
                         NULL);
    fake->n_held = 0;
    return TT_OK;
}

static enum tt_status fake_reload(void *self, const void *config, struct tt_error *err)
{
    struct fake *fake = self;

    if (((const struct fake_config *)config)->fails_to_reload)
        return tt_fail(err, TT_INTERNAL, "told to fail");
    fake->config = config;
    return TT_OK;
}

static void fake_ready(void *self, bool ready)
{
    struct fake *fake = self;

    fake->ready = ready;
    note(ready ? "ready" : "unready", fake);
}

static void fake_destroy(void *self)
{
    struct fake *fake = self;

    if (fake == NULL)
        return;
    note("destroy", fake);
    for (size_t i = 0; i < fake->n_held; i++)
        tt_batch_unref(fake->held[i]);
}

#define FAKE_OPS(function)                                                         \
    {                                                                              \
        .validate = fake_validate, .create = fake_create, .start = fake_start,     \
        .consume = (function), .shutdown = fake_shutdown, .destroy = fake_destroy, \
        .ready = fake_ready, .reload = fake_reload                                 \
    }
static const struct tt_component_ops idle_ops = FAKE_OPS(NULL);
static const struct tt_component_ops pass_ops = FAKE_OPS(pass_consume);
static const struct tt_component_ops stamp_ops = FAKE_OPS(stamp_consume);
static const struct tt_component_ops hold_ops = FAKE_OPS(hold_consume);
static const struct tt_component_ops sink_ops = FAKE_OPS(sink_consume);

#define FAKE(kind_, type_, signals_, ops_, ...)                                               \
    {                                                                                         \
        .type = (type_), .kind = (kind_), .stability = TT_DEVELOPMENT, .signals = (signals_), \
        .doc = "A fake.", .schema = &fake_schema, .ops = &(ops_), __VA_ARGS__                 \
    }
static const struct tt_component source =
    FAKE(TT_RECEIVER, "source", TT_ALL_SIGNALS, idle_ops, .emits = 0);
static const struct tt_component pass =
    FAKE(TT_PROCESSOR, "pass", TT_ALL_SIGNALS, pass_ops, .emits = 0);
static const struct tt_component stamp = FAKE(TT_PROCESSOR, "stamp", TT_ALL_SIGNALS, stamp_ops,
                                              .mutates_data = true, .columns = stamp_columns);
static const struct tt_component hold = FAKE(TT_PROCESSOR, "hold", TT_TRACES, hold_ops, .emits = 0);
static const struct tt_component joining =
    FAKE(TT_CONNECTOR, "join", TT_ALL_SIGNALS, pass_ops, .emits = 0);
static const struct tt_component sink =
    FAKE(TT_EXPORTER, "sink", TT_ALL_SIGNALS, sink_ops, .emits = 0);
static const struct tt_component logs_only =
    FAKE(TT_EXPORTER, "logs_only", TT_LOGS, sink_ops, .emits = 0);
static const struct tt_component edit =
    FAKE(TT_EXPORTER, "edit", TT_ALL_SIGNALS, sink_ops, .mutates_data = true);
static const struct tt_component ext = FAKE(TT_EXTENSION, "ext", 0, idle_ops, .emits = 0);

static const struct tt_component *const fakes[] = {
    &source, &pass, &stamp, &hold, &joining, &sink, &logs_only, &edit, &ext,
};
const struct tt_catalog fake_catalog = {.items = fakes, .count = TT_LENGTH(fakes)};

/* ---- fixture ---- */

static struct tt_settings *read_settings(const char *yaml, struct tt_diags *diags)
{
    struct tt_tree *tree = tt_tree_new();
    struct tt_settings *settings = NULL;

    assert_non_null(tree);
    if (tt_tree_merge_text(tree, "c.yaml", tt_str(yaml), tt_env_process, NULL, diags))
        settings = tt_settings_read(tree, &fake_catalog, diags);
    if (settings == NULL)
        tt_tree_free(tree);
    return settings;
}

static void reset(void)
{
    memset(state.fakes, 0, sizeof(state.fakes));
    state.n_fakes = 0;
    state.journal[0] = '\0';
}

void fixture_read(struct fixture *f, const char *yaml)
{
    memset(f, 0, sizeof(*f));
    reset();
    tt_diags_init(&f->diags);
    tt_buffer_init(&f->text, 1 << 20);
    f->settings = read_settings(yaml, &f->diags);
    tt_diags_print(&f->diags, &f->text);
    tt_buffer_append_byte(&f->text, '\0');
}

struct tt_settings *fixture_settings(const char *yaml)
{
    struct tt_diags diags;
    struct tt_settings *settings;

    tt_diags_init(&diags);
    settings = read_settings(yaml, &diags);
    assert_non_null(settings);
    tt_diags_done(&diags);
    return settings;
}

void fixture_build(struct fixture *f, const char *yaml)
{
    struct tt_service_options options = {.clock = tt_clock_system(), .version = "test"};
    struct tt_error err;

    fixture_read(f, yaml);
    if (f->settings == NULL)
        fail_msg("%s", f->text.data);
    f->sink = (struct tt_log_sink){.fd = -1, .level = TT_LOG_ERROR, .clock = tt_clock_system()};
    options.sink = &f->sink;
    assert_ok(tt_service_new(&options, TT_TAKE(f->settings), &f->service, &err), &err);
}

void fixture_start(struct fixture *f, const char *yaml)
{
    struct tt_error err;

    fixture_build(f, yaml);
    assert_ok(tt_service_start(f->service, &err), &err);
}

void fixture_done(struct fixture *f)
{
    tt_service_free(f->service);
    tt_settings_free(f->settings);
    tt_diags_done(&f->diags);
    tt_buffer_done(&f->text);
}

/* ---- data ---- */

static void append_rows(struct tt_buffer *out, enum tt_signal signal, unsigned rows)
{
    static const char *const heads[] = {
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[",
        ("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"
         "\"dataPoints\":["),
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[",
    };
    static const char *const items[] = {"{\"name\":\"s\"}", "{\"asInt\":\"1\"}",
                                        "{\"severityNumber\":9}"};
    static const char *const tails[] = {"]}]}]}", "]}}]}]}]}", "]}]}]}"};
    unsigned index = tt_signal_index(signal);

    tt_buffer_append_str(out, tt_str(heads[index]));
    for (unsigned i = 0; i < rows; i++)
        tt_buffer_printf(out, "%s%s", i > 0 ? "," : "", items[index]);
    tt_buffer_append_str(out, tt_str(tails[index]));
}

struct tt_batch *fake_batch(enum tt_signal signal, unsigned rows, struct tt_ack *ack)
{
    struct tt_buffer json, wire;
    struct tt_error err;
    struct tt_body *body;
    struct tt_batch *batch = NULL;
    uint64_t rejected;
    size_t len;
    char *data;

    tt_buffer_init(&json, 1 << 20);
    tt_buffer_init(&wire, 1 << 20);
    append_rows(&json, signal, rows);
    assert_ok(tt_json_read(signal, tt_buffer_view(&json), &tt_limits_default, &wire, &err), &err);
    data = tt_buffer_take(&wire, &len);
    body = tt_body_take(data, len);
    assert_non_null(body);
    assert_ok(tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, &rejected, &err),
              &err);
    tt_body_unref(body);
    tt_buffer_done(&json);
    batch->ack = tt_ack_ref(ack);
    assert_int_equal(tt_batch_live_rows(batch), rows);
    return batch;
}

static void keep_answer(void *context, const struct tt_ack_result *result)
{
    *(struct tt_ack_result *)context = *result;
}

enum tt_status fake_send(const char *source_id, enum tt_signal signal, unsigned rows,
                         struct tt_ack_result *ret_answer, struct tt_error *err)
{
    struct tt_consumer *next = fake_find(source_id, 0)->args.next[tt_signal_index(signal)];
    struct tt_ack *ack = ret_answer == NULL ? NULL : tt_ack_new(keep_answer, ret_answer);
    struct tt_batch *batch = fake_batch(signal, rows, ack);
    enum tt_status status;

    if (ret_answer != NULL)
        ret_answer->status = TT_STATUS_COUNT; /* until it is given */
    tt_ack_unref(ack);
    status = tt_consume(next, &batch, err);
    assert_null(batch);
    return status;
}

struct looked_for {
    const char *name, *label_value;
    int64_t value;
};

static void look(void *context, const struct tt_reading *reading)
{
    struct looked_for *wanted = context;
    bool matches = wanted->label_value == NULL;

    if (strcmp(reading->desc->name, wanted->name) != 0)
        return;
    for (size_t i = 0; i < reading->n_labels; i++)
        matches |= wanted->label_value != NULL &&
                   tt_str_equal(reading->labels[i].value, tt_str(wanted->label_value));
    if (matches)
        wanted->value = (wanted->value < 0 ? 0 : wanted->value) + (int64_t)reading->value;
}

int64_t fake_meter(struct fixture *f, const char *name, const char *label_value)
{
    struct looked_for wanted = {.name = name, .label_value = label_value, .value = -1};

    tt_service_update_meters(f->service);
    tt_meters_read(tt_service_meters(f->service), look, &wanted);
    return wanted.value;
}

tt_dur fake_deadline(tt_dur from_now)
{
    return tt_clock_monotonic(tt_clock_system()) + from_now;
}
