/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON: reader (beside jansson on the same text) and writer, on one thread.
 *
 *     bench_json [FILE.jsonl]     a traces file instead of generated text for the reader
 */
#include "base/mem.h"
#include "otlp/json.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SPANS  1000
#define ROUNDS 40

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

static void put_text_attribute(struct tt_buffer *text, const char *key, const char *value,
                               bool last)
{
    tt_buffer_printf(text, "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}%s", key, value,
                     last ? "" : ",");
}

static void put_int_attribute(struct tt_buffer *text, const char *key, uint64_t value)
{
    tt_buffer_printf(text, "{\"key\":\"%s\",\"value\":{\"intValue\":\"%llu\"}},", key,
                     (unsigned long long)value);
}

/* A server span of 15 attributes with varied values, as an HTTP instrumentation makes them. */
static void put_span(struct tt_buffer *text, uint64_t *random)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    static const char *const routes[] = {"/api/catalogue/{sku}", "/api/cart/{id}",
                                         "/api/user/login", "/api/shipping/confirm"};
    uint64_t r = next_random(random), start = UINT64_C(1755770400000000000) + r % 1000000000000;
    char path[64], agent[64];

    tt_buffer_printf(
        text,
        "{\"traceId\":\"%016llx%016llx\",\"spanId\":\"%016llx\",\"parentSpanId\":\"%016llx\",\"flags\":257,"
        "\"name\":\"%s %s\",\"kind\":2,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
        (unsigned long long)r, (unsigned long long)next_random(random),
        (unsigned long long)next_random(random), (unsigned long long)next_random(random),
        methods[r & 3], routes[r >> 2 & 3], (unsigned long long)start,
        (unsigned long long)(start + r % 50000000));
    put_text_attribute(text, "http.request.method", methods[r & 3], false);
    put_text_attribute(text, "http.route", routes[r >> 2 & 3], false);
    (void)snprintf(path, sizeof(path), "/api/catalogue/SKU-%llu?page=%llu",
                   (unsigned long long)(r % 100000), (unsigned long long)(r % 17));
    put_text_attribute(text, "url.path", path, false);
    put_text_attribute(text, "url.scheme", "http", false);
    put_int_attribute(text, "http.response.status_code", r % 10 == 0 ? 500 : 200);
    put_text_attribute(text, "server.address", "catalogue.robot-shop.svc.cluster.local", false);
    put_int_attribute(text, "server.port", 8080);
    (void)snprintf(path, sizeof(path), "10.%llu.%llu.%llu", (unsigned long long)(r >> 8 & 255),
                   (unsigned long long)(r >> 16 & 255), (unsigned long long)(r >> 24 & 255));
    put_text_attribute(text, "client.address", path, false);
    put_text_attribute(text, "network.protocol.version", "1.1", false);
    (void)snprintf(agent, sizeof(agent), "k6/0.4%llu (https://k6.io/)",
                   (unsigned long long)(r % 10));
    put_text_attribute(text, "user_agent.original", agent, false);
    put_int_attribute(text, "http.response.body.size", r % 65536);
    put_int_attribute(text, "thread.id", r % 64);
    put_text_attribute(text, "thread.name", "http-nio-8080-exec-7", false);
    put_text_attribute(text, "http.request.header.x-anomaly-type", "latency_spike", false);
    put_text_attribute(text, "enduser.id", "user-4711", true);
    tt_buffer_append_str(text, TT_STR("],\"status\":{}}"));
}

static void put_document(struct tt_buffer *text)
{
    uint64_t random = 42;

    tt_buffer_append_str(text, TT_STR("{\"resourceSpans\":[{\"resource\":{\"attributes\":["));
    put_text_attribute(text, "service.name", "catalogue", false);
    put_text_attribute(text, "service.version", "1.2.3", true);
    tt_buffer_append_str(text,
                         TT_STR("]},\"scopeSpans\":[{\"scope\":{\"name\":\"bench\"},\"spans\":["));
    for (int i = 0; i < SPANS; i++) {
        put_span(text, &random);
        if (i + 1 < SPANS)
            tt_buffer_append_byte(text, ',');
    }
    tt_buffer_append_str(text, TT_STR("]}]}]}"));
}

static bool load_file(const char *path, struct tt_buffer *text)
{
    FILE *file = fopen(path, "rb");
    char block[65536];
    size_t n;

    if (file == NULL)
        return false;
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        tt_buffer_append(text, block, n);
    (void)fclose(file);
    return text->failed == TT_OK;
}

/* Every line once. Returns the bytes of wire, 0 when a line was refused. */
static size_t read_lines(struct tt_str text, struct tt_buffer *wire)
{
    struct tt_error err;
    size_t total = 0;

    while (text.data != NULL && text.len > 0) {
        struct tt_str line = tt_str_cut(&text, '\n');
        tt_buffer_clear(wire);
        if (line.len == 0)
            continue;
        if (tt_json_read(TT_TRACES, line, NULL, wire, &err) != TT_OK) {
            (void)fprintf(stderr, "%s\n", err.message);
            return 0;
        }
        total += wire->len;
    }
    return total;
}

static void jansson_lines(struct tt_str text)
{
    while (text.data != NULL && text.len > 0) {
        struct tt_str line = tt_str_cut(&text, '\n');
        json_decref(json_loadb(line.data, line.len, 0, NULL));
    }
}

/* Best of the rounds, which is what the code costs when nobody else runs. */
static void bench_reader(const struct tt_buffer *text, int rounds)
{
    struct tt_buffer wire;
    double best = 1e9, best_jansson = 1e9;
    size_t total = 0;

    tt_buffer_init(&wire, (size_t)1 << 30);
    for (int i = 0; i < rounds; i++) {
        double start = seconds();
        total = read_lines(tt_buffer_view(text), &wire);
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    for (int i = 0; i < (rounds + 7) / 8; i++) {
        double start = seconds();
        jansson_lines(tt_buffer_view(text));
        double took = seconds() - start;
        best_jansson = took < best_jansson ? took : best_jansson;
    }
    printf("reader   %8.1f MB/s of text (%zu bytes to %zu of wire); jansson alone %.1f MB/s\n",
           (double)text->len / best / 1e6, text->len, total,
           (double)text->len / best_jansson / 1e6);
    tt_buffer_done(&wire);
}

static const struct tt_column_desc label_columns[] = {{"anomaly.type", TT_COLUMN_TEXT, ""},
                                                      {"anomaly.label", TT_COLUMN_TEXT, ""},
                                                      {"anomaly.root_cause", TT_COLUMN_TEXT, ""},
                                                      {"anomaly.msg", TT_COLUMN_TEXT, ""},
                                                      {"anomaly.label_source", TT_COLUMN_TEXT, ""}};

static bool add_labels(struct tt_batch *batch)
{
    static const struct tt_str values[] = {{"latency_spike", 13},
                                           {"anomalous", 9},
                                           {"catalogue-db", 12},
                                           {"injected 500 ms", 15},
                                           {"trace", 5}};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct tt_column *column = tt_batch_column(batch, &label_columns[i]);
        if (column == NULL)
            return false;
        for (uint32_t row = 0; row < batch->n_rows; row++)
            tt_column_set_text(column, row, values[i]);
    }
    batch->edited = true;
    return true;
}

static void bench_writer(const char *name, const struct tt_batch *batch)
{
    struct tt_buffer out;
    double best = 1e9;

    tt_buffer_init(&out, (size_t)1 << 30);
    for (int i = 0; i < ROUNDS * 5; i++) {
        double start = seconds();
        tt_buffer_clear(&out);
        tt_json_write(batch, NULL, &out);
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    printf("writer   %8.0f ns a row, %.2f M rows/s, %.2f GB/s, %zu bytes a row: %s\n",
           best / batch->n_rows * 1e9, batch->n_rows / best / 1e6, (double)out.len / best / 1e9,
           out.len / batch->n_rows, name);
    tt_buffer_done(&out);
}

static struct tt_batch *make_batch(enum tt_signal signal, const struct tt_buffer *text)
{
    struct tt_buffer wire;
    struct tt_batch *batch = NULL;
    size_t len;

    tt_buffer_init(&wire, (size_t)1 << 30);
    if (tt_json_read(signal, tt_buffer_view(text), NULL, &wire, NULL) != TT_OK)
        return NULL;
    char *data = tt_buffer_take(&wire, &len);
    struct tt_body *body = tt_body_take(data, len);
    if (body == NULL ||
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, NULL, NULL) != TT_OK)
        return NULL;
    tt_body_unref(body);
    printf("batch    %8zu bytes of wire a row: %s\n", len / batch->n_rows, tt_signal_name(signal));
    return batch;
}

/* The same small record many times. */
static bool bench_records(enum tt_signal signal, const char *name, const char *before,
                          const char *record, const char *after)
{
    struct tt_buffer text;

    tt_buffer_init(&text, (size_t)1 << 30);
    tt_buffer_append_str(&text, tt_str(before));
    for (int i = 0; i < SPANS; i++) {
        tt_buffer_append_str(&text, tt_str(record));
        tt_buffer_append_str(&text, tt_str(i + 1 < SPANS ? "," : after));
    }
    struct tt_batch *batch = make_batch(signal, &text);
    tt_buffer_done(&text);
    if (batch == NULL)
        return false;
    bench_writer(name, batch);
    bool is_labelled = add_labels(batch);
    if (is_labelled)
        bench_writer("the same with 5 label columns", batch);
    tt_batch_unref(batch);
    return is_labelled;
}

#define SHOP_ATTRIBUTES                                                                            \
    "\"attributes\":[{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"cart-7d9f\"}}," \
    "{\"key\":\"http.route\",\"value\":{\"stringValue\":\"/api/cart/{id}\"}},"                     \
    "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}},"                    \
    "{\"key\":\"cpu.ratio\",\"value\":{\"doubleValue\":0.25}}]"

static bool bench_other_signals(void)
{
    return bench_records(
               TT_LOGS, "log records",
               "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[",
               "{\"timeUnixNano\":\"1755770400123456789\",\"observedTimeUnixNano\":\"1755770400123456999\","
               "\"severityNumber\":9,\"severityText\":\"INFO\",\"body\":{\"stringValue\":\"cart updated for "
               "user-4711: 3 items, 42.50 EUR\"}," SHOP_ATTRIBUTES
               ",\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\"}",
               "]}]}]}") &&
           bench_records(
               TT_METRICS, "gauge points",
               "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{\"scope\":{},\"metrics\":[{\"name\":\"m\","
               "\"gauge\":{\"dataPoints\":[",
               "{" SHOP_ATTRIBUTES ",\"timeUnixNano\":\"1755770400123456789\",\"asDouble\":12.75}",
               "]}}]}]}]}");
}

int main(int argc, char **argv)
{
    struct tt_buffer text;

    tt_buffer_init(&text, (size_t)1 << 30);
    put_document(&text);
    struct tt_batch *batch = make_batch(TT_TRACES, &text);
    if (batch == NULL)
        return EXIT_FAILURE;
    bench_writer("spans", batch);
    if (!add_labels(batch))
        return EXIT_FAILURE;
    bench_writer("the same with 5 label columns", batch);
    tt_batch_unref(batch);
    if (!bench_other_signals())
        return EXIT_FAILURE;
    if (argc > 1) {
        tt_buffer_clear(&text);
        if (!load_file(argv[1], &text))
            return EXIT_FAILURE;
    }
    bench_reader(&text, argc > 1 ? 3 : ROUNDS);
    tt_buffer_done(&text);
    return EXIT_SUCCESS;
}
