/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does throughput grow with cores? The default trace pipeline, fed in the process: on one core, on two, and as two processes on
 * a core each, which share nothing: that is what the machine allows.
 *
 * Each feeder is bound to a core, takes ready-made requests of 1000 spans (15 attributes, about 730 bytes), gives their traces
 * new ids, and does what the OTLP receiver does with them: parse and consume. No network, so that the cores are the pipeline's
 * alone. Each run is a process of its own; what is held when it ends, and the first second, are not counted.
 * usage: bench_cores FOLDER [SECONDS] 2>/dev/null    FOLDER: on a tmpfs; one line a figure; the debug exporter prints to stderr
 */
#include "base/thread.h"
#include "cli/load.h"
#include "cli/loadgen_encode.h"
#include "pipeline/service.h"

#include <dirent.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEMPLATES         24
#define SPANS_A_REQUEST   1000
#define TRACES_A_TEMPLATE 400
#define MAX_COMPONENTS    64
#define IDLE              (300 * TT_MILLISECOND) /* of the configuration below */

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
    int core;
    uint64_t salt, failures;
    _Atomic uint64_t spans;
    _Atomic tt_dur until;
} __attribute__((aligned(128)));

static void bind_to(const cpu_set_t *cores)
{
    if (sched_setaffinity(0, sizeof(*cores), cores) != 0)
        perror("bench_cores: sched_setaffinity");
}

static void bind_to_core(int core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET((size_t)core, &cores);
    bind_to(&cores);
}

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

static void sleep_for(tt_dur time)
{
    struct timespec t = {.tv_sec = time / TT_SECOND, .tv_nsec = time % TT_SECOND};

    (void)nanosleep(&t, NULL);
}

static void feed(void *context)
{
    struct feeder *feeder = context;

    bind_to_core(feeder->core);
    /* Until the first traces are due nothing is sent on: as fast as possible would pile up work for seconds. */
    tt_dur steady = tt_clock_monotonic(tt_clock_system()) + IDLE;
    for (uint64_t i = 0; tt_clock_monotonic(tt_clock_system()) < atomic_load(&feeder->until); i++) {
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
        atomic_fetch_add_explicit(&feeder->spans, template->spans, memory_order_relaxed);
        feeder->failures += status != TT_OK;
        if (tt_clock_monotonic(tt_clock_system()) < steady)
            sleep_for(2 * TT_MILLISECOND);
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

#define MAX_CORES 2
#define WARM_UP   TT_SECOND

struct outcome {
    double spans_a_second, spans_a_cpu_second;
};

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t spans_of(struct feeder *feeders, unsigned n)
{
    uint64_t spans = 0;

    for (unsigned i = 0; i < n; i++)
        spans += atomic_load_explicit(&feeders[i].spans, memory_order_relaxed);
    return spans;
}

static void start_feeders(struct feeder *feeders, const int *cores, unsigned n)
{
    struct tt_error err;

    for (unsigned i = 0; i < n; i++) {
        feeders[i].core = cores[i];
        feeders[i].salt = (uint64_t)(i + 1) << 62 | (uint64_t)getpid() << 32;
        atomic_store(&feeders[i].until, INT64_MAX);
        if (tt_thread_start(&feeders[i].thread, "feeder", feed, &feeders[i], &err) != TT_OK)
            exit(1);
    }
}

/* One process: a service with a feeder on each of its cores. */
static struct outcome run(const char *text, const int *cores, unsigned n, tt_dur seconds)
{
    static struct feeder feeders[MAX_CORES];
    struct tt_service *service;
    struct tt_error err;
    cpu_set_t all;

    CPU_ZERO(&all);
    for (unsigned i = 0; i < n; i++)
        CPU_SET((size_t)cores[i], &all);
    bind_to(&all);
    service = start_service(text);
    start_feeders(feeders, cores, n);
    sleep_for(WARM_UP);
    uint64_t spans = spans_of(feeders, n);
    double cpu = cpu_seconds();
    tt_dur begin = tt_clock_monotonic(tt_clock_system());
    sleep_for(seconds);
    spans = spans_of(feeders, n) - spans;
    cpu = cpu_seconds() - cpu;
    tt_dur end = tt_clock_monotonic(tt_clock_system());
    for (unsigned i = 0; i < n; i++) {
        atomic_store(&feeders[i].until, 0);
        tt_thread_join(&feeders[i].thread);
        if (feeders[i].failures > 0)
            (void)fprintf(stderr, "bench_cores: %llu requests failed\n",
                          (unsigned long long)feeders[i].failures);
    }
    (void)tt_service_shutdown(service, tt_clock_monotonic(tt_clock_system()) + 30 * TT_SECOND,
                              &err);
    tt_service_free(service);
    return (struct outcome){.spans_a_second = (double)spans * 1e9 / (double)(end - begin),
                            .spans_a_cpu_second = (double)spans / cpu};
}

/* ---- processes ---- */

struct pipeline {
    const char *folder;
    bool writes;
};

static void folder_of_files(const struct pipeline *pipeline, char path[700])
{
    (void)snprintf(path, 700, "%s/bench_cores.%d", pipeline->folder, (int)getpid());
}

/* Files are rotated away: the bench is about the pipeline, not about how much memory the tmpfs can take. */
static void make_config(const struct pipeline *pipeline, char text[2048])
{
    char folder[700], exporter[1000];

    folder_of_files(pipeline, folder);
    (void)snprintf(exporter, sizeof(exporter),
                   "file: {path: \"%s/traces.jsonl\", create_directory: true, rotation: "
                   "{max_megabytes: 128, max_backups: 1}}",
                   folder);
    (void)snprintf(
        text, 2048,
        "receivers: {source: }\nprocessors: {trace_assembler: {idle: 300ms, max_bytes: 4GiB, max_spans: "
        "20000000}, anomaly_labels: }\nexporters: {%s}\nservice: {pipelines: {traces: {receivers: [source], "
        "processors: [trace_assembler, anomaly_labels], exporters: [%s]}}}\n",
        pipeline->writes ? exporter : "debug: {output: stderr}",
        pipeline->writes ? "file" : "debug");
}

static void remove_files(const struct pipeline *pipeline)
{
    char folder[700], path[1000];
    const struct dirent *entry;

    folder_of_files(pipeline, folder);
    DIR *files = opendir(folder);
    if (files == NULL)
        return;
    while ((entry = readdir(files)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(files);
    (void)rmdir(folder);
}

static struct outcome run_here(const struct pipeline *pipeline, const int *cores, unsigned n,
                               tt_dur seconds)
{
    char text[2048];
    struct outcome outcome;

    make_config(pipeline, text);
    outcome = run(text, cores, n, seconds);
    remove_files(pipeline);
    return outcome;
}

/* A child that writes its outcome into a pipe; returns the reading end. */
static int start_child(const struct pipeline *pipeline, const int *cores, unsigned n,
                       tt_dur seconds)
{
    int ends[2];
    struct outcome outcome;

    if (pipe(ends) != 0)
        exit(1);
    switch (fork()) {
    case -1:
        exit(1);
    case 0:
        outcome = run_here(pipeline, cores, n, seconds);
        _exit(write(ends[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
    default:
        (void)close(ends[1]);
        return ends[0];
    }
}

static struct outcome outcome_of(int child)
{
    struct outcome outcome = {.spans_a_second = 0};

    if (read(child, &outcome, sizeof(outcome)) != sizeof(outcome))
        (void)fprintf(stderr, "bench_cores: a run failed\n");
    (void)close(child);
    (void)wait(NULL);
    return outcome;
}

static struct outcome two_processes(const struct pipeline *pipeline, const int *cores,
                                    tt_dur seconds)
{
    int first = start_child(pipeline, &cores[0], 1, seconds);
    int second = start_child(pipeline, &cores[1], 1, seconds);
    struct outcome a = outcome_of(first), b = outcome_of(second);

    return (struct outcome){.spans_a_second = a.spans_a_second + b.spans_a_second,
                            .spans_a_cpu_second =
                                (a.spans_a_cpu_second + b.spans_a_cpu_second) / 2};
}

/* ---- figures ---- */

#define ROUNDS 3

enum way { ONE_CORE, TWO_CORES, TWO_PROCESSES, WAYS };

static int compare_outcomes(const void *a, const void *b)
{
    double x = ((const struct outcome *)a)->spans_a_second;
    double y = ((const struct outcome *)b)->spans_a_second;

    return (x > y) - (x < y);
}

/* Medians; the three ways in turn, so that what else the machine does hits all. */
static void measure(const char *name, const struct pipeline *pipeline, const int *cores,
                    tt_dur seconds)
{
    struct outcome all[WAYS][ROUNDS], median[WAYS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        all[ONE_CORE][i] = outcome_of(start_child(pipeline, cores, 1, seconds));
        all[TWO_CORES][i] = outcome_of(start_child(pipeline, cores, 2, seconds));
        all[TWO_PROCESSES][i] = two_processes(pipeline, cores, seconds);
    }
    for (unsigned i = 0; i < WAYS; i++) {
        qsort(all[i], ROUNDS, sizeof(all[i][0]), compare_outcomes);
        median[i] = all[i][ROUNDS / 2];
    }
    printf(
        "%s: one core %.0f spans/s, two cores %.0f (ratio %.2f), two processes %.0f (ratio %.2f: the machine's "
        "ceiling); spans a CPU-second %.0f, %.0f, %.0f\n",
        name, median[ONE_CORE].spans_a_second, median[TWO_CORES].spans_a_second,
        median[TWO_CORES].spans_a_second / median[ONE_CORE].spans_a_second,
        median[TWO_PROCESSES].spans_a_second,
        median[TWO_PROCESSES].spans_a_second / median[ONE_CORE].spans_a_second,
        median[ONE_CORE].spans_a_cpu_second, median[TWO_CORES].spans_a_cpu_second,
        median[TWO_PROCESSES].spans_a_cpu_second);
    (void)fflush(stdout);
}

/* The first two cores that we may use. */
static bool find_cores(int cores[MAX_CORES])
{
    cpu_set_t ours;
    unsigned n = 0;

    if (sched_getaffinity(0, sizeof(ours), &ours) != 0)
        return false;
    for (size_t i = 0; i < CPU_SETSIZE && n < MAX_CORES; i++)
        if (CPU_ISSET(i, &ours))
            cores[n++] = (int)i;
    return n == MAX_CORES;
}

int main(int argc, char **argv)
{
    struct shop_random random = {.state = 7};
    tt_dur seconds = (argc > 2 ? atol(argv[2]) : 2) * TT_SECOND;
    int cores[MAX_CORES];

    if (argc < 2 || !find_cores(cores)) {
        (void)fprintf(stderr, "usage: bench_cores FOLDER [SECONDS], with two cores\n");
        return 2;
    }
    for (unsigned i = 0; i < TEMPLATES; i++)
        make_template(&templates[i], &random);
    const struct pipeline none = {.folder = argv[1]};
    const struct pipeline file = {.folder = argv[1], .writes = true};
    measure("without_file_exporter", &none, cores, seconds);
    measure("one_jsonl_file", &file, cores, seconds);
    return 0;
}
