/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two file writers alone, on one thread: batches of 1000 spans of about 690 bytes on the wire with 15 varied attributes and labels on
 * every row, through the exporters' consume() to files on tmpfs; `_finished` is with shutdown(), so that a dataset has its checksums and its
 * manifest. And the dataset's rows and checksums alone. Prints `name value unit` lines; each figure is the best of several rounds.
 *
 *     bench_writers [ROUNDS [DIRECTORY [NAME]]]     default: 5 /dev/shm, all; NAME: csv_writer, csv_format, digest …
 */
#include "config/tree.h"
#include "exporters/dataset/digest.h"
#include "exporters/dataset/format.h"
#include "model/label.h"
#include "otlp/json.h"
#include "pipeline/component.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SPANS   1000
#define BATCHES 200 /* a round: 200,000 spans */
#define VARIED  16  /* different batches */

extern const struct tt_component tt_exporter_file;
extern const struct tt_component tt_exporter_dataset;

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "bench_writers: %s\n", what);
    exit(1);
}

/* ---- batches ---- */

static void put_text(struct tt_buffer *out, const char *key, const char *format, uint64_t n)
{
    char text[128];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof(text), format, (unsigned long long)n);
#pragma GCC diagnostic pop
    tt_buffer_printf(out, "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}},", key, text);
}

static void put_int(struct tt_buffer *out, const char *key, uint64_t n)
{
    tt_buffer_printf(out, "{\"key\":\"%s\",\"value\":{\"intValue\":\"%llu\"}},", key,
                     (unsigned long long)n);
}

static void put_attributes(struct tt_buffer *out, uint64_t r)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};

    put_text(out, "http.request.method", methods[r & 3], 0);
    put_text(out, "http.route", "/api/catalogue/{sku}", 0);
    put_text(out, "url.path", "/api/catalogue/SKU-%llu/details?page=2&sort=price&order=desc",
             r % 100000);
    put_text(out, "url.scheme", "http", 0);
    put_int(out, "http.response.status_code", r % 10 == 0 ? 500 : 200);
    put_text(out, "server.address", "catalogue.robot-shop.svc.cluster.local", 0);
    put_int(out, "server.port", 8080);
    put_text(out, "client.address", "10.42.7.%llu", r >> 8 & 255);
    put_text(out, "network.protocol.version", "1.1", 0);
    put_text(out, "user_agent.original", "k6/0.4%llu (https://k6.io/)", r % 10);
    put_int(out, "http.response.body.size", r % 65536);
    put_int(out, "thread.id", r % 64);
    put_text(out, "thread.name", "http-nio-8080-exec-%llu", r % 100);
    put_text(out, "http.request.header.x-anomaly-type", "latency_spike", 0);
    put_text(out, "enduser.id", "user-%llu", r % 1000000);
    out->len--; /* the last comma */
}

static void put_span(struct tt_buffer *out, uint64_t *random, uint64_t i)
{
    uint64_t r = next_random(random), trace = i / 5,
             start = UINT64_C(1755770400000000000) + i * 1000000;

    tt_buffer_printf(
        out,
        "{\"traceId\":\"%032llx\",\"spanId\":\"%016llx\",\"parentSpanId\":\"%016llx\",\"name\":"
        "\"GET /api/catalogue/{sku}\",\"kind\":2,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\","
        "\"status\":{\"code\":%u},\"attributes\":[",
        (unsigned long long)(trace + 1) * 0x9e3779b97f4a7c15ULL, (unsigned long long)r | 1,
        (unsigned long long)(r >> 3) | 1, (unsigned long long)start,
        (unsigned long long)(start + r % 100000000), (unsigned)(r % 10 == 0) * 2);
    put_attributes(out, r);
    tt_buffer_append_str(out, TT_STR("]},"));
}

/* Every trace of five spans has one label of three: none, latency_spike, db_exhaustion. */
static void add_labels(struct tt_batch *batch)
{
    static const struct tt_column_desc descs[] = {
        {TT_LABEL_COLUMN_TYPE, TT_COLUMN_TEXT, ""},
        {TT_LABEL_COLUMN_LABEL, TT_COLUMN_TEXT, ""},
        {TT_LABEL_COLUMN_ROOT_CAUSE, TT_COLUMN_TEXT, ""},
        {TT_LABEL_COLUMN_MSG, TT_COLUMN_TEXT, ""},
        {TT_LABEL_COLUMN_SOURCE, TT_COLUMN_TEXT, ""},
    };
    static const struct tt_str values[3][5] = {
        {{"none", 4}, {"normal", 6}, {"none", 4}, {"", 0}, {"none", 4}},
        {{"latency_spike", 13},
         {"anomalous", 9},
         {"network", 7},
         {"200 ms added", 12},
         {"trace", 5}},
        {{"db_exhaustion", 13}, {"anomalous", 9}, {"mysql", 5}, {"pool of 1", 9}, {"header", 6}},
    };

    for (size_t c = 0; c < TT_LENGTH(descs); c++) {
        struct tt_column *column = tt_batch_column(batch, &descs[c]);
        must(column != NULL, "no memory for a column");
        for (uint32_t row = 0; row < batch->n_rows; row++)
            tt_column_set_text(column, row, values[row / 5 % 3][c]);
    }
}

static struct tt_batch *make_batch(uint64_t *random)
{
    struct tt_buffer text, wire;
    struct tt_batch *batch = NULL;
    struct tt_body *body;
    size_t len;
    char *bytes;

    tt_buffer_init(&text, (size_t)64 << 20);
    tt_buffer_init(&wire, (size_t)64 << 20);
    tt_buffer_append_str(
        &text,
        TT_STR("{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
               "\"value\":{\"stringValue\":\"catalogue\"}}]},\"scopeSpans\":[{\"spans\":["));
    for (uint64_t i = 0; i < SPANS; i++)
        put_span(&text, random, i);
    text.len--;
    tt_buffer_append_str(&text, TT_STR("]}]}]}"));
    must(tt_json_read(TT_TRACES, tt_buffer_view(&text), &tt_limits_default, &wire, NULL) == TT_OK,
         "cannot read JSON");
    bytes = tt_buffer_take(&wire, &len);
    body = tt_body_take(bytes, len);
    must(tt_batch_parse(TT_TRACES, body, &tt_limits_default, NULL, &batch, NULL, NULL) == TT_OK,
         "cannot parse");
    tt_body_unref(body);
    tt_buffer_done(&text);
    add_labels(batch);
    return batch;
}

/* ---- files ---- */

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info, (void)flag, (void)where;
    return remove(path);
}

static uint64_t total_bytes; /* of the files below one directory: nftw has no context */
static int add_size(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)path, (void)where;
    if (flag == FTW_F)
        total_bytes += (uint64_t)info->st_size;
    return 0;
}

/* ---- one exporter ---- */

struct result {
    double seconds, finished; /* finished: with shutdown */
    uint64_t bytes;
};

static void *start(const struct tt_component *component, const char *yaml, struct tt_host *host,
                   struct tt_arena *arena)
{
    struct tt_create_args args = {.id = component->type, .host = host, .signals = TT_ALL_SIGNALS};
    struct tt_tree *tree = tt_tree_new();
    struct tt_diags diags;
    struct tt_error err;
    void *config = tt_arena_calloc(arena, 1, component->schema->size), *self = NULL;

    tt_diags_init(&diags);
    must(
        tt_tree_merge_text(tree, "bench", tt_str(yaml), tt_env_process, NULL, &diags) &&
            tt_config_decode(component->schema, tree->root, component->type, arena, config, &diags),
        "bad configuration");
    args.config = config;
    must(component->ops->create(&args, &self, &err) == TT_OK &&
             component->ops->start(self, &err) == TT_OK,
         err.message);
    tt_diags_done(&diags);
    tt_tree_free(tree);
    return self;
}

static struct result run(const struct tt_component *component, const char *yaml,
                         const char *directory, struct tt_batch **batches)
{
    struct tt_host host = {
        .clock = tt_clock_system(), .meters = tt_meters_new(100), .version = "bench"};
    struct tt_arena arena;
    struct tt_error err;
    struct result result;
    double before;
    void *self;

    tt_arena_init(&arena, 0, 0);
    must(mkdir(directory, 0755) == 0, "cannot make the directory");
    self = start(component, yaml, &host, &arena);
    before = seconds();
    for (unsigned i = 0; i < BATCHES; i++) {
        struct tt_batch *batch = tt_batch_ref(batches[i % VARIED]);
        must(component->ops->consume(self, &batch, &err) == TT_OK, err.message);
    }
    result.seconds = seconds() - before;
    (void)component->ops->shutdown(self, INT64_MAX, &err);
    result.finished = seconds() - before;
    total_bytes = 0;
    (void)nftw(directory, add_size, 8, FTW_PHYS);
    result.bytes = total_bytes;
    component->ops->destroy(self);
    tt_meters_free(host.meters);
    tt_arena_done(&arena);
    (void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return result;
}

struct choice {
    unsigned rounds;
    const char *parent, *only; /* only: NULL for all */
};

static bool is_chosen(const struct choice *choice, const char *name)
{
    return choice->only == NULL || strcmp(choice->only, name) == 0;
}

static void measure(const char *name, const struct tt_component *component,
                    const struct choice *choice, const char *yaml, struct tt_batch **batches)
{
    struct result best = {.seconds = 1e9, .finished = 1e9};
    char directory[512], text[1024];
    double spans = (double)SPANS * BATCHES;

    if (!is_chosen(choice, name))
        return;
    (void)snprintf(directory, sizeof(directory), "%s/tt-bench-%ld", choice->parent, (long)getpid());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof(text), yaml, directory);
#pragma GCC diagnostic pop
    for (unsigned i = 0; i < choice->rounds; i++) {
        struct result result = run(component, text, directory, batches);
        if (result.finished < best.finished)
            best = result;
    }
    (void)printf("%s %.0f spans/s\n", name, spans / best.seconds);
    (void)printf("%s_finished %.0f spans/s\n", name, spans / best.finished);
    (void)printf("%s_bytes %.0f MB/s\n", name, (double)best.bytes / best.seconds / 1e6);
    (void)printf("%s_line %.0f bytes/span\n", name, (double)best.bytes / spans);
}

/* ---- formatting alone ---- */

static void measure_format(const struct choice *choice, struct tt_batch **batches)
{
    struct dataset_layout_options options = {.extra_attributes = {NULL, 0}};
    static struct dataset_layout layout;
    struct dataset_formatter *formatter;
    struct tt_error err;
    double best = 1e9;

    if (!is_chosen(choice, "csv_format"))
        return;
    must(dataset_layout_init(&layout, &options, &err) == TT_OK, err.message);
    formatter = dataset_formatter_new(&layout, false);
    must(formatter != NULL, "no memory for a formatter");
    for (unsigned i = 0; i < choice->rounds; i++) {
        double before = seconds(), taken;
        bool more;
        for (unsigned k = 0; k < BATCHES; k++) {
            dataset_format_begin(formatter, batches[k % VARIED]);
            must(dataset_format_piece(formatter, SIZE_MAX, &more, &err) == TT_OK, err.message);
            dataset_format_end(formatter);
        }
        taken = seconds() - before;
        best = taken < best ? taken : best;
    }
    (void)printf("csv_format %.0f ns/span\n", best * 1e9 / SPANS / BATCHES);
    dataset_formatter_free(formatter);
    dataset_layout_done(&layout);
}

/* ---- checksums ---- */

static double digest_seconds(unsigned n, bool in_step, uint8_t *bytes, size_t len)
{
    struct dataset_digest digests[DATASET_DIGEST_LANES];
    struct dataset_digest_job jobs[DATASET_DIGEST_LANES];
    struct iovec part = {bytes, len};
    double before = seconds();

    for (unsigned i = 0; i < n; i++) {
        dataset_digest_init(&digests[i]);
        jobs[i] = (struct dataset_digest_job){&digests[i], &part, 1};
    }
    for (unsigned i = 0; i < 200; i++)
        dataset_digest_add(jobs, n, in_step);
    return seconds() - before;
}

static void measure_digests(const struct choice *choice)
{
    static uint8_t bytes[350000]; /* a batch of rows */

    if (!is_chosen(choice, "digest"))
        return;
    for (unsigned n = 1; n <= DATASET_DIGEST_LANES; n++)
        for (unsigned in_step = 0; in_step <= dataset_digest_in_step(); in_step++) {
            double best = 1e9;
            for (unsigned i = 0; i < choice->rounds; i++) {
                double taken = digest_seconds(n, in_step == 1, bytes, sizeof(bytes));
                best = taken < best ? taken : best;
            }
            (void)printf("digest_%u_%s %.0f MB/s\n", n, in_step == 1 ? "in_step" : "by_nettle",
                         200.0 * n * sizeof(bytes) / best / 1e6);
        }
}

int main(int argc, char **argv)
{
    struct choice choice = {
        .rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5,
        .parent = argc > 2 ? argv[2] : "/dev/shm",
        .only = argc > 3 ? argv[3] : NULL,
    };
    struct tt_batch *batches[VARIED];
    uint64_t random = 1;

    for (unsigned i = 0; i < VARIED; i++)
        batches[i] = make_batch(&random);
    (void)printf("wire %.0f bytes/span\n", (double)batches[0]->whole.len / SPANS);
    measure("jsonl_writer", &tt_exporter_file, &choice, "path: %s/traces.jsonl\n", batches);
    measure("jsonl_zstd_writer", &tt_exporter_file, &choice,
            "path: %s/traces.jsonl.zst\ncompression: zstd\n", batches);
    measure("csv_writer", &tt_exporter_dataset, &choice,
            "directory: %s\nrotation: {max_megabytes: 0}\n", batches);
    measure_format(&choice, batches);
    measure_digests(&choice);
    for (unsigned i = 0; i < VARIED; i++)
        tt_batch_unref(batches[i]);
    return 0;
}
