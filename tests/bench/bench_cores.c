/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does throughput grow with cores? The default trace pipeline, fed in the process by one thread and by two.
 *
 * Each thread takes ready-made requests of 1000 spans (15 attributes, about 730 bytes), gives their traces new ids, and does what
 * the OTLP receiver does with them: parse and consume. No network, so that both cores are the pipeline's alone.
 * usage: bench_cores FOLDER [SECONDS] 2>/dev/null    FOLDER: on a tmpfs; one line a figure; the debug exporter prints to stderr
 */
#include "base/thread.h"
#include "cli/load.h"
#include "cli/loadgen_encode.h"
#include "pipeline/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATES         24
#define SPANS_A_REQUEST   1000
#define TRACES_A_TEMPLATE 400
#define MAX_COMPONENTS    64

/* ---- the receiver that the bench feeds ---- */

static struct tt_consumer *source_next;

struct source_config {
    bool unused;
};
static const struct tt_field source_fields[] = {
    {TT_BOOL(struct source_config, unused), .doc = "Nothing."},
};
static const struct tt_schema source_schema = TT_SCHEMA(struct source_config, source_fields);

static enum tt_status source_create(const struct tt_create_args *args, void **ret_self,
                                    struct tt_error *err)
{
    (void)err;
    source_next = args->next[tt_signal_index(TT_TRACES)];
    *ret_self = &source_next;
    return TT_OK;
}

static void source_destroy(void *self)
{
    (void)self;
}

static const struct tt_component_ops source_ops = {.create = source_create,
                                                   .destroy = source_destroy};
static const struct tt_component source = {
    .type = "source",
    .kind = TT_RECEIVER,
    .signals = TT_TRACES,
    .doc = "What the bench feeds.",
    .schema = &source_schema,
    .ops = &source_ops,
};

/* ---- ready-made requests ---- */

struct template
{
    char *data;
    size_t len;
    uint64_t spans;
    uint32_t ids[SHOP_MAX_SPANS * TRACES_A_TEMPLATE]; /* where trace ids stand */
    uint32_t n_ids;
};

static struct template templates[TEMPLATES];

static void note_ids(struct template *template, const uint8_t *trace_id)
{
    const char *at = template->data, *end = at + template->len;

    while ((at = memmem(at, (size_t)(end - at), trace_id, 16)) != NULL) {
        template->ids[template->n_ids++] = (uint32_t)(at - template->data);
        at += 16;
    }
}

static void make_template(struct template *template, struct shop_random *random)
{
    struct tt_buffer items[SHOP_SERVICES], body;
    static uint8_t seen[TRACES_A_TEMPLATE][16];
    struct shop_trace trace;
    size_t n_traces = 0;

    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_init(&items[i], 1 << 24);
    tt_buffer_init(&body, 1 << 24);
    while (template->spans < SPANS_A_REQUEST && n_traces < TRACES_A_TEMPLATE) {
        shop_play(random, (enum shop_scenario)(shop_random_next(random) % SHOP_SCENARIOS), false,
                  &trace);
        memcpy(seen[n_traces++], trace.trace_id, 16);
        for (uint32_t i = 0; i < trace.count; i++)
            lg_encode_span(&trace, i, LG_LABELS_HEADER, UINT64_C(1790000000000000000),
                           &items[trace.spans[i].service]);
        template->spans += trace.count;
    }
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        if (items[i].len > 0)
            lg_encode_request((enum shop_service)i, tt_buffer_view(&items[i]), &body);
    template->data = tt_buffer_take(&body, &template->len);
    for (size_t i = 0; i < n_traces; i++)
        note_ids(template, seen[i]);
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_done(&items[i]);
}

/* ---- feeding ---- */

struct feeder {
    struct tt_thread thread;
    uint64_t salt, spans, failures;
    tt_dur until;
};

static struct tt_body *fresh_request(const struct template *template, uint64_t salt)
{
    char *data = tt_malloc(template->len);

    if (data == NULL)
        return NULL;
    memcpy(data, template->data, template->len);
    for (uint32_t i = 0; i < template->n_ids; i++) {
        uint64_t half;
        memcpy(&half, data + template->ids[i], sizeof(half));
        half += salt;
        memcpy(data + template->ids[i], &half, sizeof(half));
    }
    return tt_body_take(data, template->len);
}

static void feed(void *context)
{
    struct feeder *feeder = context;

    for (uint64_t i = 0; tt_clock_monotonic(tt_clock_system()) < feeder->until; i++) {
        const struct template *template = &templates[i % TEMPLATES];
        struct tt_body *body =
            fresh_request(template, feeder->salt += UINT64_C(0x9e3779b97f4a7c15));
        struct tt_batch *batch = NULL;
        struct tt_error err;
        uint64_t rejected = 0;
        enum tt_status status = TT_NO_MEMORY;

        if (body != NULL)
            status =
                tt_batch_parse(TT_TRACES, body, &tt_limits_default, NULL, &batch, &rejected, &err);
        tt_body_unref(body);
        if (status == TT_OK)
            status = tt_consume(source_next, &batch, &err);
        feeder->spans += template->spans;
        feeder->failures += status != TT_OK;
    }
}

/* ---- one run ---- */

static struct tt_settings *read_settings(const char *text, struct tt_diags *diags)
{
    static const struct tt_component *components[MAX_COMPONENTS];
    struct tt_catalog all = tt_load_catalog(), catalog = {.items = components};
    struct tt_tree *tree = tt_tree_new();

    components[catalog.count++] = &source;
    for (size_t i = 0; i < all.count && catalog.count < MAX_COMPONENTS; i++)
        components[catalog.count++] = all.items[i];
    if (tree == NULL ||
        !tt_tree_merge_text(tree, "bench", tt_str(text), tt_env_process, NULL, diags))
        return NULL;
    return tt_settings_read(tree, &catalog, diags);
}

static struct tt_service *start_service(const char *text)
{
    static struct tt_log_sink sink = {.fd = STDERR_FILENO, .level = TT_LOG_ERROR};
    struct tt_service_options options = {
        .clock = tt_clock_system(), .sink = &sink, .version = "bench"};
    struct tt_service *service = NULL;
    struct tt_settings *settings;
    struct tt_diags diags;
    struct tt_error err = {.message = "wrong configuration"};

    sink.clock = tt_clock_system();
    tt_diags_init(&diags);
    settings = read_settings(text, &diags);
    if (settings == NULL || tt_service_new(&options, settings, &service, &err) != TT_OK ||
        tt_service_start(service, &err) != TT_OK) {
        struct tt_buffer out;
        tt_buffer_init(&out, 65536);
        tt_diags_print(&diags, &out);
        (void)fprintf(stderr, "bench_cores: %s\n%.*s", err.message,
                      TT_STR_ARG(tt_buffer_view(&out)));
        exit(1);
    }
    tt_diags_done(&diags);
    return service;
}

/* Spans a second with that many threads. */
static double run(const char *text, unsigned threads, tt_dur seconds)
{
    struct tt_service *service = start_service(text);
    struct feeder feeders[2] = {{.salt = 1}, {.salt = UINT64_C(1) << 63}};
    tt_dur begin = tt_clock_monotonic(tt_clock_system()), end;
    struct tt_error err;
    uint64_t spans = 0, failures = 0;

    for (unsigned i = 0; i < threads; i++) {
        feeders[i].until = begin + seconds;
        if (tt_thread_start(&feeders[i].thread, "feeder", feed, &feeders[i], &err) != TT_OK)
            exit(1);
    }
    for (unsigned i = 0; i < threads; i++) {
        tt_thread_join(&feeders[i].thread);
        spans += feeders[i].spans;
        failures += feeders[i].failures;
    }
    end = tt_clock_monotonic(tt_clock_system());
    (void)tt_service_shutdown(service, end + 30 * TT_SECOND, &err);
    tt_service_free(service);
    if (failures > 0)
        (void)fprintf(stderr, "bench_cores: %llu requests failed\n", (unsigned long long)failures);
    return (double)spans / ((double)(end - begin) / 1e9);
}

static void empty_folder(const char *folder)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/traces.jsonl", folder);
    (void)unlink(path);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Medians of five runs each, one core and two in turn. */
static void measure(const char *name, const char *folder, const char *exporter,
                    const char *exporter_name, tt_dur seconds)
{
    double rates[2][5];
    char text[2048];

    (void)snprintf(
        text, sizeof(text),
        "receivers: {source: }\nprocessors: {trace_assembler: {idle: 300ms, max_bytes: 4GiB, max_spans: "
        "20000000}, anomaly_labels: }\nexporters: {%s}\nservice: {pipelines: {traces: {receivers: [source], "
        "processors: [trace_assembler, anomaly_labels], exporters: [%s]}}}\n",
        exporter, exporter_name);
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            rates[threads - 1][i] = run(text, threads, seconds);
            empty_folder(folder);
        }
    }
    for (unsigned i = 0; i < 2; i++)
        qsort(rates[i], 5, sizeof(rates[i][0]), compare_numbers);
    printf("%-24s one thread %10.0f spans/s, two %10.0f spans/s, ratio %.2f\n", name, rates[0][2],
           rates[1][2], rates[1][2] / rates[0][2]);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct shop_random random = {.state = 7};
    char jsonl[700];
    tt_dur seconds = (argc > 2 ? atol(argv[2]) : 3) * TT_SECOND;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_cores FOLDER [SECONDS]\n");
        return 2;
    }
    for (unsigned i = 0; i < TEMPLATES; i++)
        make_template(&templates[i], &random);
    (void)snprintf(jsonl, sizeof(jsonl), "file: {path: \"%s/traces.jsonl\"}", argv[1]);
    measure("without_file_exporter", argv[1], "debug: {output: stderr}", "debug", seconds);
    measure("one_jsonl_file", argv[1], jsonl, "file", seconds);
    return 0;
}
