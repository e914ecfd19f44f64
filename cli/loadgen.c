/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/loadgen_run.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *const label_modes[] = {"header", "baggage", "root-only", "none", NULL};
static const char *const encodings[] = {"proto", "json", NULL};
static const char *const compressions[] = {"none", "gzip", "deflate", "zstd", NULL};
static const char *const orders[] = {"timeline", "mixed", NULL};
static const char *const scenario_names[] = {
    "all",        "baseline",    "latency_spike",         "db_exhaustion", "cpu_saturation",
    "cache_miss", "error_spike", "dependency_bottleneck", "timeout",       NULL,
};

static const struct tt_option loadgen_options[] = {
    {.name = "endpoint",
     .argument = "URL",
     .type = TT_OPTION_TEXT,
     .def = "http://127.0.0.1:4318",
     .doc = "Base URL of the OTLP/HTTP receiver."},
    {.name = "wait",
     .argument = "TIME",
     .type = TT_OPTION_DURATION,
     .def = "0s",
     .doc = "Wait so long for somebody to listen there, instead of giving up at once."},
    {.name = "labels",
     .argument = "MODE",
     .type = TT_OPTION_CHOICE,
     .choices = label_modes,
     .def = "header",
     .doc =
         "How labels travel: captured request headers on server spans, baggage on all spans, on the root span "
         "of k6 alone, or not at all."},
    {.name = "rate",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1000",
     .doc = "Spans a second."},
    {.name = "duration",
     .argument = "TIME",
     .type = TT_OPTION_DURATION,
     .def = "30s",
     .doc = "How long to send at that rate."},
    {.name = "seed",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1",
     .doc = "The same seed plays the same journeys."},
    {.name = "scenario",
     .argument = "NAME",
     .type = TT_OPTION_CHOICE,
     .choices = scenario_names,
     .def = "all",
     .doc = "One scenario instead of all eight."},
    {.name = "order",
     .argument = "ORDER",
     .type = TT_OPTION_CHOICE,
     .choices = orders,
     .def = "timeline",
     .doc = "One block of time for each scenario, or a scenario drawn for each trace."},
    {.name = "export-interval",
     .argument = "TIME",
     .type = TT_OPTION_DURATION,
     .def = "5s",
     .doc = "Each service exports on ticks of its own this far apart, as SDKs do."},
    {.name = "spans-per-request",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "512",
     .doc = "Most spans of one request."},
    {.name = "requests",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "0",
     .doc =
         "Instead of rate and duration: this many requests of whole traces, as fast as they are taken."},
    {.name = "connections",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "4",
     .doc = "Connections with --requests."},
    {.name = "encoding",
     .argument = "FORM",
     .type = TT_OPTION_CHOICE,
     .choices = encodings,
     .def = "proto",
     .doc = "OTLP as protobuf or JSON."},
    {.name = "compression",
     .argument = "NAME",
     .type = TT_OPTION_CHOICE,
     .choices = compressions,
     .def = "none",
     .doc = "Content-Encoding of the requests."},
    {.name = "retries",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "10",
     .doc = "How often a request is sent again after 429, 502, 503, 504 or no answer."},
    {.name = "traces-only", .type = TT_OPTION_FLAG, .doc = "Send no metrics and no logs."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "End with the account as one JSON object."},
};

/* ---- options ---- */

static int find_scenario(const char *name)
{
    for (int i = 0; i < SHOP_SCENARIOS; i++)
        if (tt_str_equal(shop_scenarios[i].name, tt_str(name)))
            return i;
    return -1;
}

static void read_options(const struct tt_args *args, struct lg_options *ret)
{
    size_t labels = tt_args_choice(args, "labels"),
           compression = tt_args_choice(args, "compression");

    *ret = (struct lg_options){
        .endpoint = tt_args_text(args, "endpoint"),
        .labels = (enum lg_labels)labels,
        .rate = (int64_t)tt_args_count(args, "rate"),
        .duration = tt_args_duration(args, "duration"),
        .requests = (int64_t)tt_args_count(args, "requests"),
        .spans_per_request = (int64_t)tt_args_count(args, "spans-per-request"),
        .connections = (int64_t)tt_args_count(args, "connections"),
        .export_interval = tt_args_duration(args, "export-interval"),
        .mixed = tt_args_choice(args, "order") == 1,
        .scenario = find_scenario(tt_args_text(args, "scenario")),
        .json = tt_args_choice(args, "encoding") == 1,
        .compression = (enum tt_encoding)compression,
        .metrics_and_logs = !tt_args_flag(args, "traces-only"),
        .max_retries = (int64_t)tt_args_count(args, "retries"),
        .seed = tt_args_count(args, "seed"),
        .wait = tt_args_duration(args, "wait"),
        .progress = isatty(STDERR_FILENO) != 0,
    };
}

static const char *wrong_option(const struct lg_options *options)
{
    if (!tt_str_starts_with(tt_str(options->endpoint), TT_STR("http://")) &&
        !tt_str_starts_with(tt_str(options->endpoint), TT_STR("https://")))
        return "--endpoint: write a URL such as http://127.0.0.1:4318";
    if (options->rate < 1 || options->rate > 10000000)
        return "--rate: 1 to 10000000 spans a second";
    if (options->duration < TT_MILLISECOND || options->duration > 7 * 24 * 3600 * TT_SECOND)
        return "--duration: 1ms to 7d";
    if (options->wait < 0 || options->wait > 3600 * TT_SECOND)
        return "--wait: 0s to 1h";
    if (options->export_interval < TT_MILLISECOND || options->export_interval > 3600 * TT_SECOND)
        return "--export-interval: 1ms to 1h";
    if (options->spans_per_request < 1 || options->spans_per_request > 100000)
        return "--spans-per-request: 1 to 100000";
    if (options->connections < 1 || options->connections > 256)
        return "--connections: 1 to 256";
    if (options->max_retries > 1000)
        return "--retries: 0 to 1000";
    return NULL;
}

/* ---- the account ---- */

static void json_count(struct tt_buffer *out, const char *name, const struct lg_count *count)
{
    tt_buffer_printf(
        out,
        "\"%s_sent\": %llu, \"%s_accepted\": %llu, \"%s_rejected\": %llu, \"%s_failed\": %llu, ",
        name, (unsigned long long)count->sent, name, (unsigned long long)count->accepted, name,
        (unsigned long long)count->rejected, name, (unsigned long long)count->failed);
}

static void json_by_type(struct tt_buffer *out, const struct lg_account *account)
{
    const char *separator = "";

    tt_buffer_printf(out, "\"by_type\": {");
    for (unsigned i = 0; i < SHOP_SCENARIOS; i++) {
        if (account->by_scenario[i].traces == 0)
            continue;
        tt_buffer_printf(
            out, "%s\"%.*s\": {\"traces\": %llu, \"spans_sent\": %llu, \"spans_accepted\": %llu}",
            separator, TT_STR_ARG(shop_scenarios[i].type),
            (unsigned long long)account->by_scenario[i].traces,
            (unsigned long long)account->by_scenario[i].spans_sent,
            (unsigned long long)account->by_scenario[i].spans_accepted);
        separator = ", ";
    }
    tt_buffer_printf(out, "}");
}

static void write_json(struct tt_buffer *out, const struct lg_account *account)
{
    tt_buffer_printf(out, "{");
    json_count(out, "spans", &account->spans);
    json_count(out, "points", &account->points);
    json_count(out, "records", &account->records);
    tt_buffer_printf(
        out, "\"traces\": %llu, \"lost_by_design\": %llu, \"requests\": %llu, \"retries\": %llu, ",
        (unsigned long long)account->traces, (unsigned long long)account->lost_by_design,
        (unsigned long long)account->requests, (unsigned long long)account->retries);
    tt_buffer_printf(
        out, "\"answers\": {\"2xx\": %llu, \"4xx\": %llu, \"5xx\": %llu, \"none\": %llu}, ",
        (unsigned long long)account->answers[2], (unsigned long long)account->answers[4],
        (unsigned long long)account->answers[5], (unsigned long long)account->answers[0]);
    tt_buffer_printf(
        out,
        "\"bytes\": %llu, \"seconds\": %.3f, \"latency_p50_ms\": %.3f, \"latency_p99_ms\": %.3f, ",
        (unsigned long long)account->bytes, (double)account->elapsed / 1e9,
        (double)account->latency_p50 / 1e6, (double)account->latency_p99 / 1e6);
    json_by_type(out, account);
    tt_buffer_printf(out, "}\n");
}

static void text_count(struct tt_buffer *out, const char *name, const struct lg_count *count)
{
    if (count->sent == 0)
        return;
    tt_buffer_printf(out, "%-14s %12llu sent %12llu accepted", name,
                     (unsigned long long)count->sent, (unsigned long long)count->accepted);
    if (count->rejected > 0)
        tt_buffer_printf(out, " %10llu rejected", (unsigned long long)count->rejected);
    if (count->failed > 0)
        tt_buffer_printf(out, " %10llu NOT DELIVERED", (unsigned long long)count->failed);
    tt_buffer_printf(out, "\n");
}

static void write_text(struct tt_buffer *out, const struct lg_account *account)
{
    double seconds = (double)account->elapsed / 1e9;

    text_count(out, "spans", &account->spans);
    text_count(out, "metric points", &account->points);
    text_count(out, "log records", &account->records);
    tt_buffer_printf(out, "%-14s %12llu (%llu spans that the faults keep back on purpose)\n",
                     "traces", (unsigned long long)account->traces,
                     (unsigned long long)account->lost_by_design);
    tt_buffer_printf(out, "%-14s %12llu, %llu retries, p50 %.1f ms, p99 %.1f ms\n", "requests",
                     (unsigned long long)account->requests, (unsigned long long)account->retries,
                     (double)account->latency_p50 / 1e6, (double)account->latency_p99 / 1e6);
    tt_buffer_printf(out, "%-14s %12.1f s, %.0f spans/s\n", "time", seconds,
                     (double)account->spans.accepted / (seconds > 0 ? seconds : 1));
    for (unsigned i = 0; i < SHOP_SCENARIOS; i++)
        if (account->by_scenario[i].traces > 0)
            tt_buffer_printf(out, "  %-24.*s %10llu traces %10llu spans\n",
                             TT_STR_ARG(shop_scenarios[i].type),
                             (unsigned long long)account->by_scenario[i].traces,
                             (unsigned long long)account->by_scenario[i].spans_sent);
}

/* ---- the command ---- */

/* Ends the run on SIGINT or SIGTERM: what is queued is still sent, and accounted for. */
struct interrupt {
    sigset_t signals;
    struct tt_stop stop;
    struct tt_thread thread;
    _Atomic bool over;
};

static void wait_for_signal(void *context)
{
    struct interrupt *interrupt = context;
    const struct timespec step = {.tv_nsec = 100 * TT_MILLISECOND};

    while (!interrupt->over) {
        if (sigtimedwait(&interrupt->signals, NULL, &step) > 0) {
            tt_stop_request(&interrupt->stop);
            return;
        }
    }
}

static enum tt_status run_until_interrupted(const struct lg_options *load,
                                            struct lg_account *account, struct tt_error *err)
{
    struct interrupt interrupt = {.over = false};
    enum tt_status status;

    sigemptyset(&interrupt.signals);
    sigaddset(&interrupt.signals, SIGINT);
    sigaddset(&interrupt.signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &interrupt.signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    tt_stop_init(&interrupt.stop);
    status = tt_thread_start(&interrupt.thread, "signals", wait_for_signal, &interrupt, err);
    if (status == TT_OK)
        status = lg_run(load, &interrupt.stop, account, err);
    interrupt.over = true;
    tt_thread_join(&interrupt.thread);
    tt_stop_done(&interrupt.stop);
    return status;
}

static int loadgen(const struct tt_args *args)
{
    struct lg_options load;
    struct lg_account account = {0};
    struct tt_error err = {.status = TT_OK};
    struct tt_buffer out;
    const char *wrong;
    enum tt_status status;
    int code;

    read_options(args, &load);
    wrong = wrong_option(&load);
    if (wrong != NULL)
        return tt_cli_fail(TT_EXIT_USAGE, "loadgen: %s", wrong);
    status = run_until_interrupted(&load, &account, &err);
    tt_buffer_init(&out, 65536);
    if (tt_args_flag(args, "json"))
        write_json(&out, &account);
    else if (status == TT_OK || account.requests > 0)
        write_text(&out, &account);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    if (status != TT_OK)
        return tt_cli_fail(TT_EXIT_FAILED, "loadgen: %s", err.message);
    return account.spans.failed > 0 ? TT_EXIT_FAILED : code;
}

extern const struct tt_command tt_command_loadgen;
const struct tt_command tt_command_loadgen = {
    .name = "loadgen",
    .summary = "Play a small robot shop against an OTLP/HTTP receiver, with an exact account.",
    .options = loadgen_options,
    .n_options = TT_LENGTH(loadgen_options),
    .details =
        "The shop is web, catalogue, cart, user, shipping and payment in front of mongodb, redis and mysql. Its traces reach 2 "
        "to 7 services; a fault leaves its marks in durations, errors, retries and missing spans. Ends with exit code 1 "
        "when spans could not be delivered, at once when nobody listens at the endpoint (see --wait).",
    .run = loadgen,
};
