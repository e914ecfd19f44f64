/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "config/schema.h"
#include "config/tree.h"
#include "model/windows.h"
#include "otlp/cursor.h"
#include "pipeline/component.h"
#include "pipeline/engine.h"
#include "tt_batch.h"

extern const struct tt_component tt_processor_anomaly_labels;

/* A processor between a test and a sink that keeps the last batch. */
struct fixture {
    struct tt_service service;
    struct tt_host host;
    struct tt_consumer sink;
    struct tt_batch *last;
    _Atomic size_t rows;
    bool count_only;
    struct tt_arena arena;
    struct tt_tree *tree;
    void *config, *self;
};

static const struct tt_component *const component = &tt_processor_anomaly_labels;

static enum tt_status sink_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                   struct tt_error *err)
{
    struct fixture *f = TT_CONTAINER(consumer, struct fixture, sink);

    (void)err;
    f->rows += tt_batch_live_rows(*batch);
    if (f->count_only) {
        tt_batch_unref(TT_TAKE(*batch));
        return TT_OK;
    }
    tt_batch_unref(f->last);
    f->last = TT_TAKE(*batch);
    return TT_OK;
}

static bool create(struct fixture *f, enum tt_signal signal)
{
    struct tt_create_args args = {
        .id = "anomaly_labels", .config = f->config, .host = &f->host, .signals = (unsigned)signal};
    struct tt_error err;

    args.next[tt_signal_index(signal)] = &f->sink;
    return component->ops->create(&args, &f->self, &err) == TT_OK;
}

static void init(struct fixture *f, enum tt_signal signal, const char *yaml)
{
    struct tt_diags diags;

    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->service.shared_mu, NULL);
    f->service.clock = tt_clock_system();
    f->service.meters = tt_meters_new(1000);
    tt_host_init(&f->host, &f->service, "anomaly_labels");
    f->sink = (struct tt_consumer){sink_consume, signal, "sink"};
    tt_arena_init(&f->arena, 0, 0);
    tt_diags_init(&diags);
    f->tree = tt_tree_new();
    assert_true(tt_tree_merge_text(f->tree, "test", tt_str(yaml), tt_env_process, NULL, &diags));
    f->config = tt_arena_calloc(&f->arena, 1, component->schema->size);
    assert_true(tt_config_decode(component->schema, f->tree->root, "anomaly_labels", &f->arena,
                                 f->config, &diags));
    tt_diags_done(&diags);
}

static void done(struct fixture *f)
{
    component->ops->destroy(f->self);
    tt_host_done_shared(&f->service);
    tt_batch_unref(f->last);
    tt_meters_free(f->service.meters);
    pthread_mutex_destroy(&f->service.shared_mu);
    tt_tree_free(f->tree);
    tt_arena_done(&f->arena);
}

static void setup(struct fixture *f, enum tt_signal signal, const char *yaml)
{
    struct tt_error err = {.status = TT_OK};

    init(f, signal, yaml);
    assert_true(create(f, signal));
    assert_ok(component->ops->start(f->self, &err), &err);
}

/* ---- rows: "trace.span key=value,key=value" with ; between them; trace 0: none ---- */

static void append_attributes(struct tt_buffer *json, struct tt_str list)
{
    bool is_first = true;

    tt_buffer_printf(json, "\"attributes\":[");
    while (list.data != NULL && list.len > 0) {
        struct tt_str value = tt_str_cut(&list, ','), key = tt_str_cut(&value, '=');
        tt_buffer_printf(json, "%s{\"key\":\"%.*s\",\"value\":{\"stringValue\":\"%.*s\"}}",
                         is_first ? "" : ",", TT_STR_ARG(key), TT_STR_ARG(value));
        is_first = false;
    }
    tt_buffer_printf(json, "]");
}

static void append_row(struct tt_buffer *json, enum tt_signal signal, struct tt_str row)
{
    struct tt_str ids = tt_str_cut(&row, ' '), trace = tt_str_cut(&ids, '.');
    uint64_t seconds = 0;

    assert_true(tt_str_to_uint64(ids, &seconds));
    tt_buffer_printf(json, "{");
    if (!tt_str_equal(trace, TT_STR("0")))
        tt_buffer_printf(json, "\"traceId\":\"%032d\",", (int)trace.data[0]);
    tt_buffer_printf(json, "\"spanId\":\"00000000000000%.*s\",\"%s\":\"%llu000000000\",",
                     TT_STR_ARG(ids), signal == TT_TRACES ? "startTimeUnixNano" : "timeUnixNano",
                     (unsigned long long)seconds);
    append_attributes(json, row);
    tt_buffer_printf(json, "}");
}

/* Spans or log records of one service. Span ids are two digits; a row's time is its span id in seconds. */
static struct tt_batch *rows_of(enum tt_signal signal, const char *service, const char *spec)
{
    struct tt_str rest = tt_str(spec);
    struct tt_buffer json;
    struct tt_batch *batch;
    bool is_first = true, spans = signal == TT_TRACES;

    tt_buffer_init(&json, 1 << 20);
    tt_buffer_printf(&json, "{\"%s\":[{\"resource\":{", spans ? "resourceSpans" : "resourceLogs");
    tt_buffer_printf(&json,
                     "\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"%s\"}}"
                     "]},\"%s\":[{\"%s\":[",
                     service, spans ? "scopeSpans" : "scopeLogs", spans ? "spans" : "logRecords");
    while (rest.data != NULL) {
        tt_buffer_printf(&json, "%s", is_first ? "" : ",");
        append_row(&json, signal, tt_str_cut(&rest, ';'));
        is_first = false;
    }
    tt_buffer_printf(&json, "]}]}]}");
    batch = tt_test_batch(signal, tt_buffer_view(&json));
    tt_buffer_done(&json);
    return batch;
}

static struct tt_str column_text(const struct tt_batch *batch, const char *name, uint32_t row)
{
    const struct tt_column *column = tt_batch_find_column(batch, tt_str(name));

    return column != NULL && tt_column_has(column, row) ? column->texts[row]
                                                        : (struct tt_str){NULL, 0};
}

/* "type/source type/source+active …" of the rows, in order. */
static const char *labels_of(const struct tt_batch *batch, char *text, size_t size)
{
    const struct tt_row *row;
    size_t len = 0;

    text[0] = '\0';
    for (uint32_t i = 0; batch != NULL && (row = tt_batch_next(batch, &i)) != NULL;) {
        uint32_t at = tt_row_index(batch, row);
        struct tt_str active = column_text(batch, "anomaly.active", at);
        len += (size_t)snprintf(text + len, size - len, "%s%.*s/%.*s%s%.*s", len == 0 ? "" : " ",
                                TT_STR_ARG(column_text(batch, "anomaly.type", at)),
                                TT_STR_ARG(column_text(batch, "anomaly.label_source", at)),
                                active.len > 0 ? "+" : "", TT_STR_ARG(active));
    }
    return text;
}

#define assert_labels(f, expected)                                                   \
    do {                                                                             \
        char text_[4096];                                                            \
        assert_string_equal(labels_of((f)->last, text_, sizeof(text_)), (expected)); \
    } while (0)

static void label(struct fixture *f, struct tt_batch *batch)
{
    struct tt_error err = {.status = TT_OK};

    tt_batch_unref(TT_TAKE(f->last));
    assert_ok(component->ops->consume(f->self, &batch, &err), &err);
    assert_null(batch);
}

static void label_rows(struct fixture *f, const char *spec)
{
    label(f, rows_of(f->sink.signal, "cart", spec));
}

struct sum {
    const char *name, *label;
    double value;
};

static void add_up(void *context, const struct tt_reading *reading)
{
    struct sum *sum = context;

    if (strcmp(reading->desc->name, sum->name) != 0)
        return;
    for (size_t i = 0; i < reading->n_labels; i++)
        if (sum->label != NULL && !tt_str_equal(reading->labels[i].value, tt_str(sum->label)))
            return;
    sum->value += reading->value;
}

static int meter(struct fixture *f, const char *name, const char *label)
{
    struct sum sum = {name, label, 0};

    tt_meters_read(f->service.meters, add_up, &sum);
    return (int)sum.value;
}

/* ---- sources ---- */

#define HEADER "http.request.header.x-anomaly-type="

static void each_source_labels_its_row(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label_rows(&f, "1.01 anomaly.type=a;2.02 " HEADER "b;3.03 x-anomaly-type=c;4.04 http.route=x;"
                   "0.05 " HEADER "d;0.06");
    assert_labels(&f, "a/attribute b/header c/baggage none/none d/header none/none");
    assert_int_equal(meter(&f, "telltale_label_evidence", "header"), 2);
    assert_int_equal(meter(&f, "telltale_label_evidence", "baggage"), 1);
    assert_int_equal(meter(&f, "telltale_label_evidence", "none"), 2);
    assert_int_equal(meter(&f, "telltale_label_evidence", "window"), 0);
    done(&f);
}

static void all_four_values_come_along(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label_rows(&f, "1.01 " HEADER "cpu,http.request.header.x-anomaly-label=l,http.request.header.x-"
                   "anomaly-root-cause=r,http.request.header.x-anomaly-msg=m;1.02;2.03");
    assert_labels(&f, "cpu/header cpu/trace none/none");
    for (uint32_t i = 0; i < 2; i++) {
        assert_str(column_text(f.last, "anomaly.label", i), "l");
        assert_str(column_text(f.last, "anomaly.root_cause", i), "r");
        assert_str(column_text(f.last, "anomaly.msg", i), "m");
    }
    assert_str(column_text(f.last, "anomaly.label", 2), "normal");
    assert_str(column_text(f.last, "anomaly.root_cause", 2), "none");
    assert_str(column_text(f.last, "anomaly.msg", 2), "");
    done(&f);
}

static void one_span_labels_its_trace_before_and_after_it(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label_rows(&f, "1.01;2.02;1.03 x-anomaly-type=cpu;1.04;2.05;0.06");
    assert_labels(&f, "cpu/trace none/none cpu/baggage cpu/trace none/none none/none");
    done(&f);
}

static void late_spans_are_labelled_by_the_remembered_verdict(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label_rows(&f, "1.01 " HEADER "cpu");
    label_rows(&f, "1.02;2.03");
    assert_labels(&f, "cpu/trace none/none");
    done(&f);
}

static void logs_are_labelled_by_the_spans_of_their_trace(void **state)
{
    struct fixture spans, logs;
    void *shared;

    (void)state;
    setup(&spans, TT_TRACES, "");
    label_rows(&spans, "1.01 " HEADER "cpu");
    setup(&logs, TT_LOGS, "");
    /* Both pipelines are of one process. */
    component->ops->destroy(logs.self);
    shared = logs.host.service;
    logs.host.service = &spans.service;
    assert_true(create(&logs, TT_LOGS));
    label_rows(&logs, "1.02;2.03");
    assert_labels(&logs, "cpu/trace none/none");
    component->ops->destroy(TT_TAKE(logs.self));
    logs.host.service = shared;
    done(&logs);
    done(&spans);
}

static void own_evidence_stays_and_contradictions_are_ordered(void **state)
{
    static const struct {
        const char *rows, *expected;
        int contradictions;
    } cases[] = {
        /* anomalous before normal, although the header says normal */
        {"1.01 " HEADER "none;1.02 x-anomaly-type=cpu;1.03", "none/header cpu/baggage cpu/trace",
         1},
        /* the stronger source, although it is later */
        {"1.01 x-anomaly-type=a;1.02 " HEADER "b;1.03", "b/trace b/header b/trace", 1},
        /* the earlier start */
        {"1.05 " HEADER "a;1.04 " HEADER "b;1.03", "a/header b/header b/trace", 1},
        /* the type's bytes */
        {"1.04 " HEADER "b;1.04 " HEADER "a;1.03", "b/header a/header a/trace", 1},
        /* the same twice is none */
        {"1.04 " HEADER "a;1.05 x-anomaly-type=a", "a/header a/baggage", 0},
        {"1.04 anomaly.type=x;1.05 " HEADER "y", "x/attribute y/header", 1},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct fixture f;
        setup(&f, TT_TRACES, "");
        label_rows(&f, cases[i].rows);
        assert_labels(&f, cases[i].expected);
        assert_int_equal(meter(&f, "telltale_label_contradictions", NULL), cases[i].contradictions);
        done(&f);
    }
}

static struct tt_batch *with_request(struct tt_batch *batch, const char *type)
{
    struct tt_header header = {TT_STR("x-anomaly-type"), tt_str(type)};
    struct tt_metadata metadata = {.receiver = "otlp", .headers = &header, .n_headers = 1};

    batch->rows[0].metadata = tt_batch_add_metadata(batch, &metadata);
    return batch;
}

static void request_headers_label_rows_without_other_evidence(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label(&f, with_request(rows_of(TT_TRACES, "cart", "0.01;0.02"), "req"));
    assert_labels(&f, "req/request none/none");
    label(&f, with_request(rows_of(TT_TRACES, "cart", "1.01;1.02 " HEADER "h;1.03"), "req"));
    assert_labels(&f, "h/trace h/header h/trace");
    label(&f, with_request(rows_of(TT_TRACES, "cart", "2.01;2.02"), "req"));
    assert_labels(&f, "req/request req/trace");
    done(&f);
}

static void sources_can_be_switched_off(void **state)
{
    static const struct {
        const char *yaml, *expected;
    } cases[] = {
        {"sources: [header]", "none/none h/header none/none"},
        {"sources: [baggage, trace]", "b/baggage b/trace b/trace"},
        {"trace_join: false", "b/baggage h/header none/none"},
        {"sources: []", "none/none none/none none/none"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct fixture f;
        setup(&f, TT_TRACES, cases[i].yaml);
        label_rows(&f, "1.01 x-anomaly-type=b;1.02 " HEADER "h;1.03");
        assert_labels(&f, cases[i].expected);
        done(&f);
    }
}

static void unknown_sources_are_refused(void **state)
{
    struct tt_error err;
    struct fixture f;

    (void)state;
    init(&f, TT_TRACES, "sources: [header, headers]");
    assert_status(component->ops->validate(f.config, &err), TT_INVALID_CONFIG);
    assert_non_null(strstr(err.message, "\"headers\""));
    done(&f);
}

static void rows_without_evidence_are_treated_as_told(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "on_missing: unknown");
    label_rows(&f, "1.01;2.02 " HEADER "x");
    assert_labels(&f, "unknown/none x/header");
    done(&f);
    setup(&f, TT_TRACES, "on_missing: drop");
    label_rows(&f, "1.01;2.02 " HEADER "x");
    assert_labels(&f, "x/header");
    label_rows(&f, "3.01");
    assert_labels(&f, "");
    assert_int_equal(meter(&f, "telltale_dropped_items", NULL), 2);
    done(&f);
}

/* ---- windows ---- */

static void post(struct fixture *f, const char *body)
{
    static const struct tt_shared_type type = TT_LABEL_WINDOWS_TYPE;
    struct tt_error err = {.status = TT_OK};
    struct tt_buffer reply;

    tt_buffer_init(&reply, 1024);
    assert_ok(tt_label_windows_post(tt_host_share(&f->host, &type), tt_str(body), 1, &reply, &err),
              &err);
    tt_buffer_done(&reply);
}

static void posted_windows_label_logs_and_mark_spans(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, TT_LOGS, "");
    post(&f, "{\"type\": \"cpu\", \"start\": 10, \"end\": 20, \"services\": [\"cart\"], \"msg\": "
             "\"chaos\"}");
    label_rows(&f, "0.09;0.10;1.19 " HEADER "h;0.20");
    assert_labels(&f, "none/none cpu/window+cpu h/header+cpu none/none");
    assert_str(column_text(f.last, "anomaly.msg", 1), "chaos");
    label(&f, rows_of(TT_LOGS, "web", "0.15"));
    assert_labels(&f, "none/none");
    done(&f);
    setup(&f, TT_TRACES, "");
    post(&f, "{\"type\": \"cpu\", \"start\": 10, \"end\": 20}");
    label_rows(&f, "0.09;1.10;2.19 " HEADER "h;0.20");
    assert_labels(&f, "none/none none/none+cpu h/header+cpu none/none");
    done(&f);
}

static void windows_label_metric_points(void **state)
{
    static const char json[] =
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
        "\"stringValue\":\"cart\"}}]},\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"
        "\"dataPoints\":[{\"asInt\":\"1\",\"timeUnixNano\":\"9000000000\"},{\"asInt\":\"2\","
        "\"timeUnixNano\":\"11000000000\"}]}}]}]}]}";
    struct fixture f;

    (void)state;
    setup(&f, TT_METRICS, "");
    post(&f, "{\"type\": \"cpu\", \"start\": 10}");
    label(&f, tt_test_batch(TT_METRICS, tt_str(json)));
    assert_labels(&f, "none/none cpu/window+cpu");
    done(&f);
}

static void windows_of_files_label_spans_when_told(void **state)
{
    struct tt_temp_dir dir;
    struct fixture f;
    char path[768], yaml[900];

    (void)state;
    tt_temp_dir_make(&dir);
    tt_test_write_file(
        tt_temp_path(&dir, "w.json", path),
        TT_STR("[{\"start\": 10, \"end\": 20, \"type\": \"cpu\", \"service\": \"cart\"}]"));
    (void)snprintf(yaml, sizeof(yaml), "windows: [%s]\nspans_in_windows: label", path);
    setup(&f, TT_TRACES, yaml);
    label_rows(&f, "1.09;1.10;2.15 " HEADER "none");
    assert_labels(&f, "none/none cpu/window+cpu none/header+cpu");
    /* Only that moment and service: a window says nothing of the rest of the trace. */
    label_rows(&f, "1.21");
    assert_labels(&f, "none/none");
    done(&f);
    tt_temp_dir_remove(&dir);
}

static void a_bad_windows_file_stops_the_start(void **state)
{
    struct tt_error err;
    struct fixture f;

    (void)state;
    init(&f, TT_TRACES, "windows: [/nowhere/w.json]");
    assert_true(create(&f, TT_TRACES));
    assert_status(component->ops->start(f.self, &err), TT_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/w.json"));
    done(&f);
}

/* ---- sharing, memory, threads ---- */

static void a_shared_batch_is_not_changed(void **state)
{
    struct tt_batch *batch = rows_of(TT_TRACES, "cart", "1.01");
    struct tt_batch *other = tt_batch_ref(batch);
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    label(&f, batch);
    assert_labels(&f, "none/none");
    assert_int_equal(other->n_columns, 0);
    tt_batch_unref(other);
    done(&f);
}

static bool label_once(void *context)
{
    struct fixture *f = context;
    struct tt_batch *batch;
    struct tt_error err;
    bool ok;

    tt_batch_unref(TT_TAKE(f->last));
    batch = tt_batch_ref(f->service.shared[TT_MAX_SHARED_OBJECTS - 1].object);
    ok = component->ops->consume(f->self, &batch, &err) == TT_OK;
    assert_null(batch);
    return ok;
}

static void survives_failing_allocations(void **state)
{
    struct fixture f;
    struct tt_batch *batch =
        rows_of(TT_TRACES, "cart", "1.01 x-anomaly-type=cpu;1.02;2.03 " HEADER "b;3.12;0.13");

    (void)state;
    setup(&f, TT_TRACES, "spans_in_windows: label");
    post(&f, "{\"type\": \"cpu\", \"start\": 10}");
    f.service.shared[TT_MAX_SHARED_OBJECTS - 1].object = batch; /* where label_once() finds it */
    tt_test_failing_allocations(label_once, &f);
    assert_labels(&f, "cpu/baggage cpu/trace b/header cpu/window+cpu cpu/window+cpu");
    tt_batch_unref(batch);
    done(&f);
}

static void label_many(void *context)
{
    struct fixture *f = context;

    for (unsigned i = 0; i < 300; i++) {
        struct tt_batch *batch =
            rows_of(TT_TRACES, "cart", "1.01 x-anomaly-type=cpu;1.02;2.03;3.12");
        struct tt_error err;
        assert_int_equal(component->ops->consume(f->self, &batch, &err), TT_OK);
    }
}

static void threads_may_label_at_once(void **state)
{
    struct tt_thread threads[4] = {{.running = false}};
    struct fixture f;

    (void)state;
    setup(&f, TT_TRACES, "");
    f.count_only = true;
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        assert_ok(tt_thread_start(&threads[i], "label", label_many, &f, NULL), NULL);
    for (unsigned i = 0; i < 50; i++) {
        char body[100];
        (void)snprintf(body, sizeof(body), "{\"type\": \"w\", \"start\": %u, \"end\": %u}", i + 1,
                       i + 2);
        post(&f, body);
    }
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        tt_thread_join(&threads[i]);
    assert_int_equal(f.rows, 4 * 300 * 4);
    assert_int_equal(meter(&f, "telltale_label_evidence", "trace"), 4 * 300);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_source_labels_its_row),
        cmocka_unit_test(all_four_values_come_along),
        cmocka_unit_test(one_span_labels_its_trace_before_and_after_it),
        cmocka_unit_test(late_spans_are_labelled_by_the_remembered_verdict),
        cmocka_unit_test(logs_are_labelled_by_the_spans_of_their_trace),
        cmocka_unit_test(own_evidence_stays_and_contradictions_are_ordered),
        cmocka_unit_test(request_headers_label_rows_without_other_evidence),
        cmocka_unit_test(sources_can_be_switched_off),
        cmocka_unit_test(unknown_sources_are_refused),
        cmocka_unit_test(rows_without_evidence_are_treated_as_told),
        cmocka_unit_test(posted_windows_label_logs_and_mark_spans),
        cmocka_unit_test(windows_label_metric_points),
        cmocka_unit_test(windows_of_files_label_spans_when_told),
        cmocka_unit_test(a_bad_windows_file_stops_the_start),
        cmocka_unit_test(a_shared_batch_is_not_changed),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(threads_may_label_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
