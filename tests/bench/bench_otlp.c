/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch on one thread: validator with row index beside protobuf-c's unpack of the same bytes, cursors, encoder,
 * references. Spans of about 690 bytes with 15 varied attributes, 1000 a request. Prints `name value unit` lines; each figure
 * is the best of several rounds.
 *
 *     bench_otlp [ROUNDS]
 */
#include "otlp/clip.h"
#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/overlay.h"

#include <otlp.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SPANS 1000

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

/* ---- the request ---- */

#define MAX_ATTRIBUTES 15

struct span {
    Otlp__Span message;
    Otlp__KeyValue pairs[MAX_ATTRIBUTES], *pair_list[MAX_ATTRIBUTES];
    Otlp__AnyValue values[MAX_ATTRIBUTES];
    Otlp__Status status;
    char texts[MAX_ATTRIBUTES][96];
    uint8_t ids[32];
};

static ProtobufCBinaryData binary(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static Otlp__AnyValue *add_pair(struct span *span, const char *key)
{
    size_t i = span->message.n_attributes++;
    Otlp__KeyValue *pair = &span->pairs[i];

    otlp__key_value__init(pair);
    otlp__any_value__init(&span->values[i]);
    pair->key = binary((char *)(uintptr_t)key);
    pair->value = &span->values[i];
    span->pair_list[i] = pair;
    return pair->value;
}

static void add_int(struct span *span, const char *key, uint64_t value)
{
    Otlp__AnyValue *any = add_pair(span, key);

    any->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    any->int_value = (int64_t)value;
}

static void add_text(struct span *span, const char *key, const char *format, uint64_t n)
{
    char *text = span->texts[span->message.n_attributes];
    Otlp__AnyValue *any = add_pair(span, key);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof(span->texts[0]), format, (unsigned long long)n);
#pragma GCC diagnostic pop
    any->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    any->string_value = binary(text);
}

static void add_attributes(struct span *span, uint64_t r)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    static const char *const routes[] = {"/api/catalogue/{sku}", "/api/cart/{id}/add/{sku}",
                                         "/api/user/login", "/api/shipping/confirm"};

    add_text(span, "http.request.method", methods[r & 3], 0);
    add_text(span, "http.route", routes[r >> 2 & 3], 0);
    add_text(span, "url.path", "/api/catalogue/SKU-%llu/details?page=2&sort=price&order=desc",
             r % 100000);
    add_text(span, "url.scheme", "http", 0);
    add_int(span, "http.response.status_code", r % 10 == 0 ? 500 : 200);
    add_text(span, "server.address", "catalogue.robot-shop.svc.cluster.local", 0);
    add_int(span, "server.port", 8080);
    add_text(span, "client.address", "10.42.7.%llu", r >> 8 & 255);
    add_text(span, "network.protocol.version", "1.1", 0);
    add_text(span, "user_agent.original", "k6/0.4%llu (https://k6.io/)", r % 10);
    add_int(span, "http.response.body.size", r % 65536);
    add_int(span, "thread.id", r % 64);
    add_text(span, "thread.name", "http-nio-8080-exec-%llu", r % 100);
    add_text(span, "http.request.header.x-anomaly-type", "latency_spike", 0);
    add_text(span, "enduser.id", "user-%llu", r % 1000000);
}

static void fill_span(struct span *span, uint64_t *random)
{
    uint64_t r = next_random(random);

    otlp__span__init(&span->message);
    otlp__status__init(&span->status);
    for (size_t i = 0; i < sizeof(span->ids); i++)
        span->ids[i] = (uint8_t)next_random(random);
    span->message.trace_id = (ProtobufCBinaryData){16, span->ids};
    span->message.span_id = (ProtobufCBinaryData){8, span->ids + 16};
    span->message.parent_span_id = (ProtobufCBinaryData){8, span->ids + 24};
    span->message.name = binary((char *)(uintptr_t) "GET /api/catalogue/{sku}");
    span->message.flags = 257;
    span->message.kind = OTLP__SPAN_KIND__SPAN_KIND_SERVER;
    span->message.start_time_unix_nano = UINT64_C(1755770400000000000) + r % 1000000000000;
    span->message.end_time_unix_nano = span->message.start_time_unix_nano + r % 50000000;
    span->message.attributes = span->pair_list;
    span->message.status = &span->status;
    add_attributes(span, r);
}

static void append_message(struct tt_buffer *to, uint8_t tag, struct tt_str bytes)
{
    size_t len = bytes.len;

    tt_buffer_append_byte(to, (char)tag);
    for (; len >= 0x80; len >>= 7)
        tt_buffer_append_byte(to, (char)(len | 0x80));
    tt_buffer_append_byte(to, (char)len);
    tt_buffer_append_str(to, bytes);
}

static struct tt_str make_request(struct tt_buffer *request)
{
    static uint8_t packed[4096];
    struct tt_buffer scope, resource;
    struct span span;
    uint64_t random = 42;
    static const char service[] = "\x0a\x1b\x0a\x0cservice.name\x12\x0b\x0a\x09"
                                  "catalogue";

    tt_buffer_init(&scope, 1 << 24);
    tt_buffer_init(&resource, 1 << 24);
    tt_buffer_init(request, 1 << 24);
    append_message(&scope, 0x0a,
                   TT_STR("\x0a\x05"
                          "bench"));
    for (int i = 0; i < SPANS; i++) {
        fill_span(&span, &random);
        append_message(&scope, 0x12, tt_str_of(packed, otlp__span__pack(&span.message, packed)));
    }
    append_message(&resource, 0x0a, tt_str_of(service, sizeof(service) - 1));
    append_message(&resource, 0x12, tt_buffer_view(&scope));
    append_message(request, 0x0a, tt_buffer_view(&resource));
    tt_buffer_done(&scope);
    tt_buffer_done(&resource);
    return tt_buffer_view(request);
}

/* ---- what is measured: each returns something that depends on all of the work ---- */

struct bench {
    struct tt_str request;
    struct tt_body *body;
    struct tt_batch *parsed, *labelled;
    struct tt_buffer out;
};

static struct tt_batch *parse(const struct bench *bench)
{
    struct tt_batch *batch = NULL;
    struct tt_error err;

    if (tt_batch_parse(TT_TRACES, bench->body, &tt_limits_default, NULL, &batch, NULL, &err) ==
        TT_OK)
        return batch;
    (void)fprintf(stderr, "%s\n", err.message);
    exit(1);
}

/* Of rows within the limits: nothing is changed. */
static uint64_t run_clip(struct bench *bench)
{
    struct tt_clipped clipped;

    if (tt_batch_clip(bench->parsed, &tt_clip_limits_default, &clipped, NULL) != TT_OK)
        exit(1);
    return clipped.attributes + clipped.values + bench->parsed->n_rows;
}

static uint64_t run_parse(struct bench *bench)
{
    struct tt_batch *batch = parse(bench);
    uint64_t n = batch->n_rows;

    tt_batch_unref(batch);
    return n;
}

static uint64_t run_protobuf_c(struct bench *bench)
{
    Otlp__ExportTraceServiceRequest *request = otlp__export_trace_service_request__unpack(
        NULL, bench->request.len, (const uint8_t *)bench->request.data);
    uint64_t n = request->resource_spans[0]->scope_spans[0]->n_spans;

    otlp__export_trace_service_request__free_unpacked(request, NULL);
    return n;
}

static uint64_t walk(const struct tt_batch *batch)
{
    const struct tt_row *row;
    struct tt_attribute attribute;
    uint64_t n = 0;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        struct tt_cursor cursor = tt_row_attributes(batch, row);
        while (tt_next_attribute(&cursor, &attribute))
            n += attribute.key.len + (uint64_t)attribute.value.type;
    }
    return n;
}

static uint64_t run_cursor(struct bench *bench)
{
    return walk(bench->parsed);
}

static uint64_t run_cursor_columns(struct bench *bench)
{
    return walk(bench->labelled);
}

static uint64_t run_find(struct bench *bench)
{
    const struct tt_batch *batch = bench->parsed;
    const struct tt_row *row;
    struct tt_value value;
    uint64_t n = 0;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        n += tt_find_attribute(tt_row_attributes(batch, row), TT_STR("thread.name"), &value);
    return n;
}

static uint64_t run_encode_rows(struct bench *bench)
{
    const struct tt_batch *batch = bench->labelled;
    const struct tt_row *row;

    tt_buffer_clear(&bench->out);
    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        tt_encode_row(batch, row, &bench->out);
    return bench->out.len;
}

static uint64_t run_encode_request(struct bench *bench)
{
    tt_buffer_clear(&bench->out);
    tt_encode_request(bench->labelled, &bench->out);
    return bench->out.len;
}

static uint64_t run_add_rows(struct bench *bench)
{
    struct tt_batch *from = bench->parsed, *to = tt_batch_new(TT_TRACES, 0);
    const struct tt_row *row;
    uint64_t n = tt_batch_add_resource(to, from->resources[0].wire, from->resources[0].schema_url);

    (void)tt_batch_add_scope(to, 0, from->scopes[0].wire, from->scopes[0].schema_url);
    for (uint32_t i = 0; (row = tt_batch_next(from, &i)) != NULL;)
        n += tt_batch_add_row(to, 0, 0, tt_str_of(row->wire, row->wire_len));
    tt_batch_unref(to);
    return n;
}

static uint64_t run_clone(struct bench *bench)
{
    struct tt_batch *batch = tt_batch_ref(bench->labelled);
    uint64_t n;

    if (tt_batch_make_writable(&batch, NULL) != TT_OK)
        exit(1);
    n = batch->n_rows;
    tt_batch_unref(batch);
    return n;
}

static uint64_t run_references(struct bench *bench)
{
    for (int i = 0; i < SPANS; i++)
        tt_batch_unref(tt_batch_ref(bench->parsed));
    return bench->parsed->n_rows;
}

/* Five label columns, as anomaly_labels adds them; one of them stands for an attribute of every tenth span. */
static void add_labels(struct tt_batch *batch)
{
    static const struct tt_column_desc descs[] = {
        {"anomaly.type", TT_COLUMN_TEXT, ""},         {"anomaly.label", TT_COLUMN_TEXT, ""},
        {"anomaly.root_cause", TT_COLUMN_TEXT, ""},   {"anomaly.msg", TT_COLUMN_TEXT, ""},
        {"anomaly.label_source", TT_COLUMN_TEXT, ""},
    };

    for (size_t c = 0; c < TT_LENGTH(descs); c++) {
        struct tt_column *column = tt_batch_column(batch, &descs[c]);
        for (uint32_t i = 0; column != NULL && i < batch->n_rows; i++)
            tt_column_set_text(column, i, TT_STR("latency_spike"));
    }
}

static void measure(struct bench *bench, const char *name, uint64_t (*run)(struct bench *),
                    int rounds)
{
    double best = 1e9;
    uint64_t sum = 0;

    for (int i = 0; i < rounds; i++) {
        double start = seconds(), took;
        sum += run(bench);
        took = seconds() - start;
        if (took < best)
            best = took;
    }
    printf("%s %.1f ns/span\n", name, best / SPANS * 1e9);
    if (sum == 0)
        puts("nothing was done");
}

int main(int argc, char **argv)
{
    int64_t rounds = 300;
    struct tt_buffer request;
    struct bench bench;

    if (argc > 1 && !tt_str_to_int64(tt_str(argv[1]), &rounds))
        return 2;
    bench.request = make_request(&request);
    bench.body = tt_body_borrow(bench.request.data, bench.request.len, NULL, NULL);
    bench.parsed = parse(&bench);
    bench.labelled = parse(&bench);
    add_labels(bench.labelled);
    tt_buffer_init(&bench.out, 1 << 24);
    printf("span_size %.1f bytes\n", (double)bench.request.len / SPANS);
    printf("row_size %zu bytes\n", tt_batch_memory(bench.parsed) / SPANS);
    measure(&bench, "parse", run_parse, (int)rounds);
    measure(&bench, "clip", run_clip, (int)rounds);
    measure(&bench, "protobuf_c_unpack", run_protobuf_c, (int)rounds / 10 + 1);
    measure(&bench, "cursor_all_attributes", run_cursor, (int)rounds);
    measure(&bench, "cursor_with_five_columns", run_cursor_columns, (int)rounds);
    measure(&bench, "find_attribute", run_find, (int)rounds);
    measure(&bench, "encode_row_with_five_columns", run_encode_rows, (int)rounds);
    measure(&bench, "encode_request_with_five_columns", run_encode_request, (int)rounds);
    measure(&bench, "add_row", run_add_rows, (int)rounds);
    measure(&bench, "clone_with_five_columns", run_clone, (int)rounds);
    measure(&bench, "reference_and_back", run_references, (int)rounds);
    tt_buffer_done(&bench.out);
    tt_batch_unref(bench.parsed);
    tt_batch_unref(bench.labelled);
    tt_body_unref(bench.body);
    tt_buffer_done(&request);
    return 0;
}
