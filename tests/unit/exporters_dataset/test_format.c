/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/format.h"
#include "model/label.h"
#include "tt_batch.h"

static const struct tt_column_desc type_column = {TT_LABEL_COLUMN_TYPE, TT_COLUMN_TEXT, ""};
static const struct tt_column_desc label_column = {TT_LABEL_COLUMN_LABEL, TT_COLUMN_TEXT, ""};
static const struct tt_column_desc source_column = {TT_LABEL_COLUMN_SOURCE, TT_COLUMN_TEXT, ""};
static const struct tt_column_desc score_column = {"anomaly.score", TT_COLUMN_DOUBLE,
                                                   "How anomalous."};
static const struct tt_column_desc depth_column = {"trace.depth", TT_COLUMN_INT, "How deep."};
static const struct tt_column_desc *const declared[] = {&type_column, &score_column, &depth_column};

struct fixture {
    struct dataset_layout layout;
    struct dataset_formatter *formatter;
    struct tt_error err;
};

static const char *extras[] = {"db.system", "k8s.pod.name"};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct dataset_layout_options options = {.extra_attributes = {extras, 2}};

    assert_non_null(f);
    options.columns[0].items = declared;
    options.columns[0].count = TT_LENGTH(declared);
    assert_ok(dataset_layout_init(&f->layout, &options, &f->err), &f->err);
    f->formatter = dataset_formatter_new(&f->layout, false);
    assert_non_null(f->formatter);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    dataset_formatter_free(f->formatter);
    dataset_layout_done(&f->layout);
    free(f);
    return 0;
}

/* Formats all of the batch; the view lives until the next call. */
static struct tt_str format(struct fixture *f, const struct tt_batch *batch)
{
    bool more;

    dataset_format_begin(f->formatter, batch);
    assert_ok(dataset_format_piece(f->formatter, SIZE_MAX, &more, &f->err), &f->err);
    assert_false(more);
    return tt_buffer_view(&f->formatter->bytes);
}

/* The cell of that column in the first line; no quoted commas before it. */
static struct tt_str cell(const struct fixture *f, enum tt_signal signal, struct tt_str line,
                          const char *column)
{
    const struct dataset_signal_layout *layout = &f->layout.signals[tt_signal_index(signal)];
    struct tt_str rest = tt_str_of(line.data, tt_str_find(line, '\n'));

    for (size_t i = 0; i < layout->n_columns; i++) {
        struct tt_str one = tt_str_cut(&rest, ',');
        if (strcmp(layout->columns[i].name, column) == 0)
            return one;
    }
    fail_msg("no column %s", column);
    return rest;
}

static const char full_span[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"cart\"}},"
    "{\"key\":\"k8s.pod.name\",\"value\":{\"stringValue\":\"cart-7\"}}]},\"scopeSpans\":[{\"spans\":[{"
    "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"a1a2a3a4a5a6a7a8\","
    "\"parentSpanId\":\"b1b2b3b4b5b6b7b8\",\"name\":\"GET /cart/{id}\",\"kind\":2,"
    "\"startTimeUnixNano\":\"1755770400123456789\",\"endTimeUnixNano\":\"1755770400124956789\","
    "\"status\":{\"code\":2},\"attributes\":["
    "{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
    "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"503\"}},"
    "{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/cart/7\"}},"
    "{\"key\":\"url.query\",\"value\":{\"stringValue\":\"a=1\"}},"
    "{\"key\":\"server.address\",\"value\":{\"stringValue\":\"cart.local\"}},"
    "{\"key\":\"server.port\",\"value\":{\"intValue\":\"8080\"}},"
    "{\"key\":\"db.system\",\"value\":{\"stringValue\":\"redis\"}}]}]}]}]}";

static void a_span_has_all_its_columns_in_the_documented_order(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_batch(TT_TRACES, tt_str(full_span));

    assert_str(
        f->layout.signals[0].header,
        "timestamp,start_time_ns,end_time_ns,duration_ns,duration_ms,service_name,trace_id,span_id,"
        "parent_span_id,span_name,span_kind,span_status,http_method,http_status_code,http_target,"
        "anomaly_type,anomaly_label,anomaly_root_cause,anomaly_msg,label_source,server_address,"
        "server_port,client_address,network_peer_address,network_peer_port,network_protocol,"
        "network_transport,db_system,k8s_pod_name,anomaly_score,trace_depth\n");
    assert_str(
        format(f, batch),
        "2025-08-21T10:00:00.123456789Z,1755770400123456789,1755770400124956789,1500000,1.5,cart,"
        "0102030405060708090a0b0c0d0e0f10,a1a2a3a4a5a6a7a8,b1b2b3b4b5b6b7b8,GET /cart/{id},SERVER,"
        "ERROR,GET,503,/cart/7?a=1,none,normal,none,,none,cart.local,8080,,,,,,redis,cart-7,,\n");
    tt_batch_unref(batch);
}

/* One span with these attributes (JSON list items). */
static struct tt_batch *span_with(const char *attributes)
{
    char text[4096];

    (void)snprintf(
        text, sizeof(text),
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"x\",\"attributes\":[%s]}]}]}]}",
        attributes);
    return tt_test_batch(TT_TRACES, tt_str(text));
}

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define INT(key, value)  "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"

static void both_generations_of_conventions_fill_the_columns(void **state)
{
    static const struct {
        const char *attributes, *column, *expected;
    } cases[] = {
        {TEXT("anomaly.type", "cpu"), "anomaly_type", "cpu"},
        {TEXT("http.method", "PUT"), "http_method", "PUT"},
        {TEXT("http.request.method", "PUT"), "http_method", "PUT"},
        {TEXT("http.method", "old") "," TEXT("http.request.method", "new"), "http_method", "new"},
        {TEXT("http.request.method", "new") "," TEXT("http.method", "old"), "http_method", "new"},
        {INT("http.status_code", "404"), "http_status_code", "404"},
        {TEXT("http.status_code", "404"), "http_status_code", "404"},
        {INT("http.status_code", "0"), "http_status_code", "0"},
        {INT("http.status_code", "127"), "http_status_code", "127"},
        {INT("http.status_code", "128"), "http_status_code", "128"},
        {INT("http.status_code", "16383"), "http_status_code", "16383"},
        {INT("http.status_code", "16384"), "http_status_code", "16384"},
        {INT("http.status_code", "-9223372036854775808"), "http_status_code",
         "-9223372036854775808"},
        {TEXT("http.target", "/a?b"), "http_target", "/a?b"},
        {TEXT("url.path", "/a"), "http_target", "/a"},
        {TEXT("url.path", "/a") "," TEXT("url.query", "b=1"), "http_target", "/a?b=1"},
        {TEXT("url.path", "/a") "," TEXT("url.query", ""), "http_target", "/a"},
        {TEXT("url.full", "https://h:1/p/q?r=s"), "http_target", "/p/q?r=s"},
        {TEXT("http.url", "http://h/"), "http_target", "/"},
        {TEXT("http.url", "http://h"), "http_target", ""},
        {TEXT("http.url", "nonsense"), "http_target", ""},
        {TEXT("url.full", "/relative"), "http_target", "/relative"},
        {TEXT("net.peer.name", "redis") "," INT("net.peer.port", "6379"), "server_address",
         "redis"},
        {TEXT("net.peer.name", "redis") "," INT("net.peer.port", "6379"), "server_port", "6379"},
        {TEXT("net.peer.name", "client") "," TEXT("net.host.name", "me"), "server_address", "me"},
        {TEXT("net.sock.peer.addr", "10.0.0.1"), "network_peer_address", "10.0.0.1"},
        {TEXT("network.transport", "tcp"), "network_transport", "tcp"},
        {TEXT("anomaly.label_source", "header"), "label_source", "header"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_batch *batch = span_with(cases[i].attributes);
        struct tt_str got = cell(f, TT_TRACES, format(f, batch), cases[i].column);
        if (!tt_str_equal(got, tt_str(cases[i].expected)))
            print_error("case %s\n", cases[i].attributes);
        assert_str(got, cases[i].expected);
        tt_batch_unref(batch);
    }
}

/* A row is written into room that was reserved for it: long texts, texts that need quotes before them, texts out of arrays. */
static void texts_of_any_length_fit_into_any_cell(void **state)
{
    static const struct {
        const char *before, *after, *column;
    } places[] = {
        {"{\"key\":\"http.method\",\"value\":{\"stringValue\":\"", "\"}}", "http_method"},
        {"{\"key\":\"http.target\",\"value\":{\"stringValue\":\"", "\"}}", "http_target"},
        {"{\"key\":\"url.full\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"http://h",
         "\"}]}}}", "http_target"},
        {TEXT("url.path", "/p") ",{\"key\":\"url.query\",\"value\":{\"stringValue\":\"", "\"}}",
         "http_target"},
        {TEXT("http.method",
              "in quotes ") ",{\"key\":\"network.transport\",\"value\":{\"stringValue\":\"",
         "\"}}", "network_transport"},
        {TEXT("network.transport",
              "in quotes ") ",{\"key\":\"anomaly.msg\",\"value\":{\"stringValue\":\"",
         "\"}}", "anomaly_msg"},
    };
    static const size_t lengths[] = {2, 15, 16, 17, 511, 513, 3000};
    struct fixture *f = *state;

    for (size_t i = 0; i < TT_LENGTH(places); i++)
        for (size_t k = 0; k < 2 * TT_LENGTH(lengths); k++) {
            char text[3002] = "", attributes[4000];
            struct tt_batch *batch;
            struct tt_str got;
            memset(text, '/', lengths[k / 2]);
            if (k % 2 == 1)
                text[lengths[k / 2] - 1] = ' ';
            (void)snprintf(attributes, sizeof(attributes), "%s%s%s", places[i].before, text,
                           places[i].after);
            batch = span_with(attributes);
            tt_buffer_done(&f->formatter->bytes); /* no room left over from other rows */
            got = cell(f, TT_TRACES, format(f, batch), places[i].column);
            if (k % 2 == 1)
                text[lengths[k / 2]] = '"';
            assert_true(tt_str_ends_with(got, tt_str(text)));
            assert_true(got.len <= strlen(text) + 4);
            tt_batch_unref(batch);
        }
}

static void columns_of_a_batch_fill_labels_and_declared_columns(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = span_with(TEXT("anomaly.type", "shadowed"));
    struct tt_column *score = tt_batch_column(batch, &score_column);
    struct tt_column *depth = tt_batch_column(batch, &depth_column);
    struct tt_str line;

    tt_test_set_text(batch, 0, &type_column, TT_STR("cpu"));
    tt_test_set_text(batch, 0, &label_column, TT_STR("high"));
    tt_test_set_text(batch, 0, &source_column, TT_STR("trace"));
    tt_column_set_double(score, 0, 0.25);
    tt_column_set_int(depth, 0, -3);
    line = format(f, batch);
    assert_str(cell(f, TT_TRACES, line, "anomaly_type"), "cpu");
    assert_str(cell(f, TT_TRACES, line, "anomaly_label"), "high");
    assert_str(cell(f, TT_TRACES, line, "label_source"), "trace");
    assert_str(cell(f, TT_TRACES, line, "anomaly_score"), "0.25");
    assert_str(cell(f, TT_TRACES, line, "trace_depth"), "-3");
    tt_batch_unref(batch);
}

static void ends_before_starts_have_no_duration(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_batch(
        TT_TRACES,
        TT_STR("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"startTimeUnixNano\":\"2000\","
               "\"endTimeUnixNano\":\"1000\",\"kind\":9,\"status\":{\"code\":7}}]}]}]}"));
    struct tt_str line = format(f, batch);

    assert_str(cell(f, TT_TRACES, line, "duration_ns"), "0");
    assert_str(cell(f, TT_TRACES, line, "start_time_ns"), "2000");
    assert_str(cell(f, TT_TRACES, line, "end_time_ns"), "1000");
    assert_str(cell(f, TT_TRACES, line, "span_kind"), "9");
    assert_str(cell(f, TT_TRACES, line, "span_status"), "7");
    assert_str(cell(f, TT_TRACES, line, "trace_id"), "");
    tt_batch_unref(batch);
}

static void runs_join_rows_of_one_label(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_spans(1, 5);
    const struct dataset_class *classes;
    const struct dataset_run *runs;
    struct tt_str bytes;
    size_t n;

    tt_test_set_text(batch, 1, &type_column, TT_STR("cpu"));
    tt_test_set_text(batch, 2, &type_column, TT_STR("cpu"));
    tt_row_drop(batch, &batch->rows[3]);
    bytes = format(f, batch);
    runs = dataset_runs(f->formatter, &n);
    assert_int_equal(n, 3);
    assert_int_equal(runs[0].rows, 1);
    assert_int_equal(runs[1].rows, 2);
    assert_int_equal(runs[2].rows, 1);
    classes = dataset_classes(f->formatter, &n);
    assert_int_equal(n, 2);
    assert_str(classes[runs[0].class_at].labels[SLOT_TYPE], "none");
    assert_str(classes[runs[1].class_at].labels[SLOT_TYPE], "cpu");
    assert_int_equal(classes[runs[1].class_at].rows, 2);
    assert_int_equal(runs[0].begin, 0);
    assert_int_equal(runs[1].begin, runs[0].end);
    assert_int_equal(runs[2].begin, runs[1].end);
    assert_int_equal(runs[2].end, bytes.len);
    tt_batch_unref(batch);
}

static void pieces_hold_the_same_bytes_as_the_whole(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_spans(20, 3);
    struct tt_buffer pieces;
    struct tt_str whole;
    bool more = true;
    unsigned n = 0;

    tt_buffer_init(&pieces, 1 << 20);
    dataset_format_begin(f->formatter, batch);
    for (; more; n++) {
        assert_ok(dataset_format_piece(f->formatter, 1000, &more, &f->err), &f->err);
        tt_buffer_append_str(&pieces, tt_buffer_view(&f->formatter->bytes));
    }
    assert_true(n > 5);
    whole = format(f, batch);
    assert_str_equal(tt_buffer_view(&pieces), whole);
    assert_int_equal(f->formatter->rows, 60);
    assert_int_equal(f->formatter->min_ns, 1755770400000000000);
    tt_buffer_done(&pieces);
    tt_batch_unref(batch);
}

static void metric_points_are_rows(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_batch(
        TT_METRICS,
        TT_STR("{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" TEXT(
            "service.name",
            "db") "]},"
                  "\"scopeMetrics\":[{\"metrics\":["
                  "{\"name\":\"cpu\",\"unit\":\"1\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":\"1755770400000000000\","
                  "\"asDouble\":0.5,\"attributes\":[" TEXT(
                      "core",
                      "0") "]}]}},"
                           "{\"name\":\"hits\",\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":"
                           "[{\"timeUnixNano\":\"1755770400000000000\",\"asInt\":\"7\"}]}},"
                           "{\"name\":\"lat\",\"unit\":\"ms\",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":"
                           "[{\"timeUnixNano\":\"1755770400000000000\",\"count\":\"3\",\"sum\":4.5}]}}]}]}]}"));

    assert_str(
        format(f, batch),
        "2025-08-21T10:00:00.000000000Z,0,1755770400000000000,db,cpu,gauge,1,,,0.5,,,\"{\"\"core\"\":\"\"0\"\"}\","
        "\"{\"\"service.name\"\":\"\"db\"\"}\",none,normal,none,,none,,\n"
        "2025-08-21T10:00:00.000000000Z,0,1755770400000000000,db,hits,sum,,cumulative,true,7,,,{},"
        "\"{\"\"service.name\"\":\"\"db\"\"}\",none,normal,none,,none,,\n"
        "2025-08-21T10:00:00.000000000Z,0,1755770400000000000,db,lat,histogram,ms,delta,,,3,4.5,{},"
        "\"{\"\"service.name\"\":\"\"db\"\"}\",none,normal,none,,none,,\n");
    tt_batch_unref(batch);
}

static void log_records_are_rows(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_batch(
        TT_LOGS,
        TT_STR("{\"resourceLogs\":[{\"resource\":{\"attributes\":[" TEXT(
            "service.name",
            "web") "]},"
                   "\"scopeLogs\":[{\"logRecords\":[{\"observedTimeUnixNano\":\"1755770400000000000\","
                   "\"severityNumber\":17,\"severityText\":\"ERROR\",\"body\":{\"stringValue\":\"oh, no\"},"
                   "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"a1a2a3a4a5a6a7a8\"}]}]}]}"));

    assert_str(
        format(f, batch),
        "2025-08-21T10:00:00.000000000Z,0,1755770400000000000,web,17,ERROR,\"oh, no\",,"
        "0102030405060708090a0b0c0d0e0f10,a1a2a3a4a5a6a7a8,{},\"{\"\"service.name\"\":\"\"web\"\"}\","
        "none,normal,none,,none,,\n");
    tt_batch_unref(batch);
}

static void two_columns_of_one_name_are_refused(void **state)
{
    static const char *twice[] = {"a.b", "a_b"}, *known[] = {"http.method"}, *same[] = {"x", "x"};
    static const struct {
        const char **items;
        size_t count;
    } lists[] = {{twice, 2}, {known, 1}, {same, 2}};
    struct dataset_layout *layout = malloc(sizeof(*layout));
    struct tt_error err;

    (void)state;
    assert_non_null(layout);
    for (size_t i = 0; i < TT_LENGTH(lists); i++) {
        struct dataset_layout_options options = {
            .extra_attributes = {lists[i].items, lists[i].count}};
        assert_status(dataset_layout_init(layout, &options, &err), TT_INVALID_CONFIG);
        assert_non_null(strstr(err.message, lists[i].items[lists[i].count - 1]));
    }
    free(layout);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_span_has_all_its_columns_in_the_documented_order),
        TEST(both_generations_of_conventions_fill_the_columns),
        TEST(texts_of_any_length_fit_into_any_cell),
        TEST(columns_of_a_batch_fill_labels_and_declared_columns),
        TEST(ends_before_starts_have_no_duration),
        TEST(runs_join_rows_of_one_label),
        TEST(pieces_hold_the_same_bytes_as_the_whole),
        TEST(metric_points_are_rows),
        TEST(log_records_are_rows),
        cmocka_unit_test(two_columns_of_one_name_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
