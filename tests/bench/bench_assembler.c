/* SPDX-License-Identifier: Apache-2.0 */

/*
 * trace_assembler: spans/s through it with a million open spans, and bytes held for each open span.
 *
 *   bench_assembler [requests]      1,000 spans each; default 3000
 *
 * Time is a clock of ours, so that 10 s of idle pass in one run: each request is 10 ms after the one before, a trace's seven spans are
 * spread over 5 s, and so 1.2 million spans are open at any moment. Parsing is not timed. "skewed": one trace in a hundred stays
 * open 30 times as long as the others.
 */

#include "config/schema.h"
#include "config/tree.h"
#include "pipeline/component.h"
#include "pipeline/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

extern const struct tt_component tt_processor_trace_assembler;

enum { SPANS = 1000, SPREAD = 500, MAX_WIRE = 2 << 20 };

struct bench {
    struct tt_fake_clock clock;
    struct tt_service service;
    struct tt_host host;
    struct tt_consumer sink;
    struct tt_tree *tree;
    struct tt_arena arena;
    void *config, *self;
    uint8_t *request; /* template */
    size_t request_len;
    size_t id_at[SPANS]; /* of trace ids in it */
    size_t span_bytes;
    uint64_t random, n_out;
    double in_ns;
    bool skewed;
};

static uint64_t next_random(struct bench *b)
{
    uint64_t z = (b->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

static enum tt_status sink_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                   struct tt_error *err)
{
    struct bench *b = TT_CONTAINER(consumer, struct bench, sink);

    (void)err;
    b->n_out += tt_batch_live_rows(*batch);
    tt_batch_unref(TT_TAKE(*batch));
    return TT_OK;
}

/* ---- a request ---- */

static void put_varint(struct tt_buffer *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        tt_buffer_append_byte(out, (char)(value | 0x80));
    tt_buffer_append_byte(out, (char)value);
}

static void put_bytes(struct tt_buffer *out, unsigned field, const void *bytes, size_t len)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, len);
    tt_buffer_append(out, bytes, len);
}

static void put_nested(struct tt_buffer *out, unsigned field, const struct tt_buffer *message)
{
    put_bytes(out, field, message->data, message->len);
}

static void put_attribute(struct tt_buffer *out, unsigned field, const char *key, const char *value)
{
    struct tt_buffer pair, any;

    tt_buffer_init(&pair, MAX_WIRE);
    tt_buffer_init(&any, MAX_WIRE);
    put_bytes(&any, 1, value, strlen(value));
    put_bytes(&pair, 1, key, strlen(key));
    put_nested(&pair, 2, &any);
    put_nested(out, field, &pair);
    tt_buffer_done(&pair);
    tt_buffer_done(&any);
}

static void put_span(struct bench *b, struct tt_buffer *out, unsigned n)
{
    static const char *const keys[] = {"http.request.method",
                                       "http.route",
                                       "http.response.status_code",
                                       "url.path",
                                       "url.scheme",
                                       "server.address",
                                       "server.port",
                                       "client.address",
                                       "user_agent.original",
                                       "network.protocol.version",
                                       "http.request.header.x-request-id",
                                       "thread.name",
                                       "db.system",
                                       "db.statement",
                                       "net.peer.name"};
    uint8_t ids[16] = {1};
    struct tt_buffer span;
    char value[64];

    tt_buffer_init(&span, MAX_WIRE);
    put_bytes(&span, 1, ids, 16);
    put_bytes(&span, 2, ids, 8);
    put_bytes(&span, 5, "GET /catalogue/{id}", 19);
    for (unsigned i = 0; i < TT_LENGTH(keys); i++) {
        int len = snprintf(value, sizeof(value), "%llx-%u",
                           (unsigned long long)next_random(b) >> (n % 13), n * i);
        value[len < 4 ? 4 : len] = '\0';
        put_attribute(&span, 9, keys[i], value);
    }
    b->span_bytes += span.len;
    put_varint(out, 2 << 3 | 2);
    put_varint(out, span.len);
    b->id_at[n] = out->len + 2;
    tt_buffer_append(out, span.data, span.len);
    tt_buffer_done(&span);
}

static void make_request(struct bench *b)
{
    struct tt_buffer spans, scope, resource, request;
    size_t before = 0;

    tt_buffer_init(&spans, MAX_WIRE);
    tt_buffer_init(&scope, MAX_WIRE);
    tt_buffer_init(&resource, MAX_WIRE);
    tt_buffer_init(&request, MAX_WIRE);
    put_attribute(&resource, 1, "service.name", "catalogue");
    put_attribute(&resource, 1, "telemetry.sdk.language", "java");
    for (unsigned i = 0; i < SPANS; i++)
        put_span(b, &spans, i);
    put_nested(&scope, 1, &resource);
    put_nested(&scope, 2, &spans);
    before = scope.len - spans.len;
    put_nested(&request, 1, &scope);
    before += request.len - scope.len;
    for (unsigned i = 0; i < SPANS; i++)
        b->id_at[i] += before;
    b->request = (uint8_t *)tt_buffer_take(&request, &b->request_len);
    b->span_bytes /= SPANS;
    tt_buffer_done(&spans);
    tt_buffer_done(&scope);
    tt_buffer_done(&resource);
}

/* Which trace a span belongs to: one of those that began in the last 5 s; or one that stays open. */
static uint64_t pick_trace(struct bench *b, uint64_t request)
{
    uint64_t per_request = SPANS / 7, long_lived = SPREAD * per_request * 30 / 100;

    if (b->skewed &&
        next_random(b) % 100 < 23) /* what 1 % of the traces that live 30 times as long send */
        return UINT64_C(1) << 40 | (request * per_request / 100 + next_random(b) % long_lived);
    return request * per_request + next_random(b) % (SPREAD * per_request);
}

/* Processor time of this thread: other work on the machine does not count. */
static double thread_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static void send_request(struct bench *b, uint64_t request)
{
    uint8_t *bytes = tt_malloc(b->request_len);
    struct tt_batch *batch = NULL;
    struct tt_body *body;
    struct tt_error err;
    double began;

    memcpy(bytes, b->request, b->request_len);
    for (unsigned i = 0; i < SPANS; i++) {
        uint64_t trace = pick_trace(b, request), id[2];
        id[0] = trace * UINT64_C(0x9e3779b97f4a7c15) + 1;
        id[1] = trace + 1;
        memcpy(bytes + b->id_at[i], id, 16);
    }
    body = tt_body_take(bytes, b->request_len);
    if (tt_batch_parse(TT_TRACES, body, &tt_limits_default, NULL, &batch, NULL, &err) != TT_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    tt_body_unref(body);
    tt_fake_clock_advance(&b->clock, 10 * TT_MILLISECOND);
    began = thread_ns();
    (void)tt_processor_trace_assembler.ops->consume(b->self, &batch, &err);
    b->in_ns += thread_ns() - began;
}

/* ---- the component ---- */

static void open_component(struct bench *b)
{
    struct tt_create_args args = {.id = "trace_assembler", .host = &b->host, .signals = TT_TRACES};
    const struct tt_schema *schema = tt_processor_trace_assembler.schema;
    struct tt_diags diags;
    struct tt_error err;

    tt_fake_clock_init(&b->clock, 1);
    pthread_mutex_init(&b->service.shared_mu, NULL);
    b->service.clock = &b->clock.clock;
    b->service.meters = tt_meters_new(1000);
    tt_host_init(&b->host, &b->service, "trace_assembler");
    b->sink = (struct tt_consumer){sink_consume, TT_TRACES, "sink"};
    args.next[0] = &b->sink;
    tt_arena_init(&b->arena, 0, 0);
    tt_diags_init(&diags);
    b->tree = tt_tree_new();
    b->config = tt_arena_calloc(&b->arena, 1, schema->size);
    if (!tt_tree_merge_text(b->tree, "bench", TT_STR("max_bytes: 8GiB\nmax_age: 10m"),
                            tt_env_process, NULL, &diags) ||
        !tt_config_decode(schema, b->tree->root, "bench", &b->arena, b->config, &diags))
        exit(1);
    args.config = b->config;
    if (tt_processor_trace_assembler.ops->create(&args, &b->self, &err) != TT_OK)
        exit(1);
}

static void read_meter(void *context, const struct tt_reading *reading)
{
    double *values = context;
    static const char *const names[] = {"telltale_trace_assembler_open_spans",
                                        "telltale_trace_assembler_held_bytes"};

    for (unsigned i = 0; i < TT_LENGTH(names); i++)
        if (strcmp(reading->desc->name, names[i]) == 0)
            values[i] = reading->value;
}

static double resident(void)
{
    long pages = 0, resident_pages = 0, page;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident_pages) != 2)
        resident_pages = 0;
    if (file != NULL)
        fclose(file);
    page = sysconf(_SC_PAGESIZE);
    return (double)resident_pages * (double)page;
}

static void run(const char *name, bool skewed, uint64_t requests)
{
    struct bench b = {.skewed = skewed, .random = 42};
    double values[2] = {0}, before;
    uint64_t warm = requests / 2;

    make_request(&b);
    open_component(&b);
    before = resident();
    for (uint64_t i = 0; i < requests; i++) {
        if (i == warm)
            b.in_ns = 0;
        send_request(&b, i);
    }
    tt_meters_read(b.service.meters, read_meter, values);
    printf(
        "%-8s %zu B a span, %.0f open spans: %.0f ns a span (%.2f M spans/s); held %.0f B a span "
        "(%.2f x wire; bound %.0f), resident %.0f B a span; out %llu\n",
        name, b.span_bytes, values[0], b.in_ns / (double)((requests - warm) * SPANS),
        1e3 * (double)((requests - warm) * SPANS) / b.in_ns, values[1] / values[0],
        values[1] / values[0] / (double)b.span_bytes, 1.3 * (double)b.span_bytes + 100,
        (resident() - before) / values[0], (unsigned long long)b.n_out);
    (void)tt_processor_trace_assembler.ops->shutdown(
        b.self, tt_clock_monotonic(tt_clock_system()) + 60 * TT_SECOND, NULL);
    if (b.n_out != requests * SPANS)
        printf("LOST: %llu of %llu\n", (unsigned long long)(requests * SPANS - b.n_out),
               (unsigned long long)(requests * SPANS));
    tt_processor_trace_assembler.ops->destroy(b.self);
    tt_mem_trim();
    printf("         after shutdown: %.1f MB more than before\n", (resident() - before) / 1e6);
    tt_meters_free(b.service.meters);
    tt_tree_free(b.tree);
    tt_arena_done(&b.arena);
    tt_free(b.request);
}

int main(int argc, char **argv)
{
    uint64_t requests = 3000;

    if (argc > 1 && !tt_str_to_uint64(tt_str(argv[1]), &requests))
        return 2;
    run("uniform", false, requests);
    if (argc < 3)
        run("skewed", true, requests);
    return 0;
}
