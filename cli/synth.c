/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/save.h"
#include "cli/series_file.h"
#include "cli/synth_series.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_FILE   ((size_t)2 << 30)
#define MAX_POINTS ((size_t)10000000)
#define DAY        (24 * 3600 * TT_SECOND)

/* One run of the command: what is made, and the texts of the two label files so far. */
struct corpus {
    const struct tt_args *args;
    const char *directory;
    struct tt_synth_options options;
    int64_t start_ns, step_ns;
    struct tt_series_file given; /* of --baseline-file */
    struct tt_str given_name;
    bool baselines[TT_SYNTH_BASELINE_COUNT], anomalies[TT_SYNTH_ANOMALY_COUNT];
    double *values;
    struct tt_synth_window *windows;
    struct tt_buffer nab, list, summary;
    size_t files;
};

/* ---- texts ---- */

static int64_t time_of(const struct corpus *corpus, size_t i)
{
    if (corpus->options.baseline == TT_SYNTH_given)
        return corpus->given.time_ns[i];
    return corpus->start_ns + (int64_t)i * corpus->step_ns;
}

/* "2024-01-01 00:05:00", with decimals when asked for or needed. */
static void put_time(struct tt_buffer *out, int64_t time_ns, bool decimals)
{
    int digits = decimals || time_ns % TT_SECOND != 0 ? 6 : 0;
    char text[32];
    size_t len = tt_time_format((uint64_t)time_ns, digits, text);

    text[10] = ' ';
    tt_buffer_append(out, text, len - 1);
}

static void put_values(const struct corpus *corpus, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("timestamp,value\n"));
    for (size_t i = 0; i < corpus->options.points; i++) {
        put_time(out, time_of(corpus, i), false);
        tt_buffer_append_byte(out, ',');
        if (isfinite(corpus->values[i]))
            tt_buffer_append_double(out, corpus->values[i]);
        tt_buffer_append_byte(out, '\n');
    }
}

static struct tt_str baseline_name(const struct corpus *corpus)
{
    if (corpus->options.baseline == TT_SYNTH_given)
        return corpus->given_name;
    return tt_str(tt_synth_baseline_name(corpus->options.baseline));
}

/* "daily/daily_cpu-spike", and without the folder. */
static void put_name(const struct corpus *corpus, bool folder, struct tt_buffer *out)
{
    struct tt_str baseline = baseline_name(corpus);

    if (folder) {
        tt_buffer_append_str(out, baseline);
        tt_buffer_append_byte(out, '/');
    }
    tt_buffer_append_str(out, baseline);
    tt_buffer_append_byte(out, '_');
    tt_buffer_append_str(out, tt_str(tt_synth_anomaly_name(corpus->options.anomaly)));
}

/* Appends to both label files. */
static void put_windows(struct corpus *corpus, size_t count)
{
    const char *type = tt_synth_anomaly_name(corpus->options.anomaly);

    tt_buffer_append_str(&corpus->nab, corpus->files > 0 ? TT_STR(",\n  \"") : TT_STR("{\n  \""));
    put_name(corpus, true, &corpus->nab);
    tt_buffer_append_str(&corpus->nab, TT_STR(".csv\": ["));
    for (size_t k = 0; k < count; k++) {
        const struct tt_synth_window *window = &corpus->windows[k];
        tt_buffer_append_str(&corpus->nab, k > 0 ? TT_STR(", [\"") : TT_STR("[\""));
        put_time(&corpus->nab, time_of(corpus, window->first), true);
        tt_buffer_append_str(&corpus->nab, TT_STR("\", \""));
        put_time(&corpus->nab, time_of(corpus, window->last), true);
        tt_buffer_append_str(&corpus->nab, TT_STR("\"]"));
        tt_buffer_append_str(&corpus->list, corpus->list.len > 0 ? TT_STR(",\n  {\"start\": \"")
                                                                 : TT_STR("[\n  {\"start\": \""));
        put_time(&corpus->list, time_of(corpus, window->first), true);
        tt_buffer_append_str(&corpus->list, TT_STR("\", \"end\": \""));
        /* This form's end is outside the window. */
        put_time(&corpus->list, time_of(corpus, window->last) + TT_MICROSECOND, true);
        tt_buffer_printf(&corpus->list, "\", \"type\": \"%s\", \"services\": [\"", type);
        put_name(corpus, false, &corpus->list);
        tt_buffer_append_str(&corpus->list, TT_STR("\"]}"));
    }
    tt_buffer_append_byte(&corpus->nab, ']');
}

static void put_summary(struct corpus *corpus, size_t count)
{
    struct tt_buffer *out = &corpus->summary;

    if (tt_args_flag(corpus->args, "json")) {
        tt_buffer_append_str(out, corpus->files > 0 ? TT_STR(",{\"file\":\"data/")
                                                    : TT_STR("{\"files\":[{\"file\":\"data/"));
        put_name(corpus, true, out);
        tt_buffer_printf(out, ".csv\",\"points\":%zu,\"windows\":%zu}", corpus->options.points,
                         count);
        return;
    }
    tt_buffer_append_str(out, TT_STR("  data/"));
    put_name(corpus, true, out);
    tt_buffer_printf(out, ".csv: %zu points, %zu windows\n", corpus->options.points, count);
}

/* ---- files ---- */

static enum tt_status save(const struct corpus *corpus, const char *folder, struct tt_str name,
                           const struct tt_buffer *text, struct tt_error *err)
{
    enum tt_status status;
    struct tt_buffer path;

    tt_buffer_init(&path, 8192);
    tt_buffer_printf(&path, "%s/%s", corpus->directory, folder);
    tt_buffer_append_byte(&path, '\0');
    status = tt_buffer_check(&path, corpus->directory, err);
    if (status == TT_OK)
        status = tt_make_directories(path.data, 0755, err);
    if (status == TT_OK) {
        path.len--;
        tt_buffer_printf(&path, "/%.*s", TT_STR_ARG(name));
        tt_buffer_append_byte(&path, '\0');
        status = tt_buffer_check(&path, corpus->directory, err);
    }
    if (status == TT_OK)
        status = tt_save_file(path.data, text, err);
    tt_buffer_done(&path);
    return status;
}

static enum tt_status save_series(struct corpus *corpus, struct tt_error *err)
{
    struct tt_buffer text, folder, name;
    enum tt_status status;

    tt_buffer_init(&text, MAX_FILE);
    tt_buffer_init(&folder, 4096);
    tt_buffer_init(&name, 4096);
    put_values(corpus, &text);
    tt_buffer_append_str(&folder, TT_STR("data/"));
    tt_buffer_append_str(&folder, baseline_name(corpus));
    tt_buffer_append_byte(&folder, '\0');
    put_name(corpus, false, &name);
    tt_buffer_append_str(&name, TT_STR(".csv"));
    status = tt_buffer_check(&folder, "name a folder", err);
    if (status == TT_OK)
        status = tt_buffer_check(&name, "name a file", err);
    if (status == TT_OK)
        status = save(corpus, folder.data, tt_buffer_view(&name), &text, err);
    tt_buffer_done(&text);
    tt_buffer_done(&folder);
    tt_buffer_done(&name);
    return status;
}

static enum tt_status make_one(struct corpus *corpus, struct tt_error *err)
{
    enum tt_status status;
    size_t count;

    if (corpus->options.baseline == TT_SYNTH_given)
        memcpy(corpus->values, corpus->given.values, corpus->given.count * sizeof(double));
    status = tt_synth_make(&corpus->options, corpus->values, corpus->windows, &count, err);
    if (status == TT_OK)
        status = save_series(corpus, err);
    if (status != TT_OK)
        return status;
    put_windows(corpus, count);
    put_summary(corpus, count);
    corpus->files++;
    return TT_OK;
}

/* Every chosen anomaly on every chosen baseline; what cannot be seen there is left out unless it is all that was asked for. */
static enum tt_status make_all(struct corpus *corpus, bool one_pair, struct tt_error *err)
{
    struct tt_progress progress;
    enum tt_status status = TT_OK;

    tt_progress_start(&progress, "making series", "files");
    for (unsigned b = 0; b < TT_SYNTH_BASELINE_COUNT && status == TT_OK; b++) {
        for (unsigned a = 0; a < TT_SYNTH_ANOMALY_COUNT && status == TT_OK; a++) {
            corpus->options.baseline = (enum tt_synth_baseline)b;
            corpus->options.anomaly = (enum tt_synth_anomaly)a;
            if (!corpus->baselines[b] || !corpus->anomalies[a] ||
                (!one_pair &&
                 !tt_synth_goes_with(corpus->options.baseline, corpus->options.anomaly)))
                continue;
            status = make_one(corpus, err);
            tt_progress_show(&progress, -1.0, corpus->files);
        }
    }
    tt_progress_end(&progress);
    return status;
}

static enum tt_status save_labels(struct corpus *corpus, struct tt_error *err)
{
    enum tt_status status;

    tt_buffer_append_str(&corpus->nab, corpus->nab.len > 0 ? TT_STR("\n}\n") : TT_STR("{}\n"));
    tt_buffer_append_str(&corpus->list, corpus->list.len > 0 ? TT_STR("\n]\n") : TT_STR("[]\n"));
    status = save(corpus, "labels", TT_STR("combined_windows.json"), &corpus->nab, err);
    return status == TT_OK ? save(corpus, "labels", TT_STR("windows.json"), &corpus->list, err)
                           : status;
}

static int print_summary(struct corpus *corpus)
{
    struct tt_buffer *out = &corpus->summary;

    if (tt_args_flag(corpus->args, "json")) {
        tt_buffer_append_str(out, corpus->files > 0 ? TT_STR("]}\n") : TT_STR("{\"files\":[]}\n"));
        return tt_cli_print(out);
    }
    tt_buffer_printf(
        out,
        "%zu series below %s; judge them:\n  telltale evaluate nab --data %s/data --labels %s/labels/combined_windows.json\n",
        corpus->files, corpus->directory, corpus->directory, corpus->directory);
    return tt_cli_print(out);
}

/* ---- options ---- */

static int choose_anomalies(const struct tt_args *args, struct corpus *corpus, size_t *ret_count)
{
    size_t position = 0;
    const char *name;

    *ret_count = 0;
    while ((name = tt_args_next(args, "anomaly", &position)) != NULL) {
        enum tt_synth_anomaly anomaly = tt_synth_anomaly_of(tt_str(name));
        if (anomaly == TT_SYNTH_ANOMALY_COUNT)
            return tt_cli_fail(TT_EXIT_USAGE,
                               "--anomaly: there is no \"%s\"; see: telltale synth --list", name);
        corpus->anomalies[anomaly] = true;
        (*ret_count)++;
    }
    for (size_t i = 0; *ret_count == 0 && i < TT_SYNTH_ANOMALY_COUNT; i++)
        corpus->anomalies[i] = true;
    return TT_EXIT_DONE;
}

static int choose_baselines(const struct tt_args *args, struct corpus *corpus, size_t *ret_count)
{
    bool has_file = tt_args_is_given(args, "baseline-file");
    size_t position = 0;
    const char *name;

    *ret_count = has_file ? 1 : 0;
    corpus->baselines[TT_SYNTH_given] = has_file;
    while ((name = tt_args_next(args, "baseline", &position)) != NULL) {
        enum tt_synth_baseline baseline = tt_synth_baseline_of(tt_str(name));
        if (baseline == TT_SYNTH_BASELINE_COUNT || baseline == TT_SYNTH_given)
            return tt_cli_fail(TT_EXIT_USAGE,
                               "--baseline: there is no \"%s\"; see: telltale synth --list", name);
        corpus->baselines[baseline] = true;
        (*ret_count)++;
    }
    if (*ret_count == 0)
        corpus->baselines[TT_SYNTH_daily] = true;
    return TT_EXIT_DONE;
}

/* Letters, digits, '-' and '_' of a file's name: it becomes a folder's. */
static enum tt_status name_given(struct corpus *corpus, const char *path, char *ret_name,
                                 size_t size, struct tt_error *err)
{
    struct tt_str last = tt_file_name(tt_str(path));
    size_t len = 0;

    last.len = tt_str_find(last, '.');
    for (size_t i = 0; i < last.len && len < size; i++) {
        char c = last.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        ret_name[len++] = plain || c == '-' ? c : '_';
    }
    corpus->given_name = len == 0 ? TT_STR("given") : tt_str_of(ret_name, len);
    return tt_series_file_read(path, NULL, NULL, &corpus->given, err);
}

static int read_times(const struct tt_args *args, struct corpus *corpus)
{
    tt_dur step = tt_args_duration(args, "step");
    uint64_t points = tt_args_count(args, "points");

    if (!tt_series_time_parse(tt_str(tt_args_text(args, "start")), &corpus->start_ns) ||
        corpus->start_ns > (INT64_C(7) << 60))
        return tt_cli_fail(TT_EXIT_USAGE,
                           "--start: \"%s\" is not a time; write 2024-01-01T00:00:00Z",
                           tt_args_text(args, "start"));
    if (step < TT_MILLISECOND || step > DAY / 4)
        return tt_cli_fail(TT_EXIT_USAGE, "--step: 1ms to 6h");
    if (points < TT_SYNTH_MIN_POINTS || points > MAX_POINTS)
        return tt_cli_fail(TT_EXIT_USAGE, "--points: %d to %zu", TT_SYNTH_MIN_POINTS, MAX_POINTS);
    corpus->step_ns = step;
    corpus->options.points = points;
    corpus->options.points_a_day = (uint32_t)(DAY / step);
    return TT_EXIT_DONE;
}

/* A given series has its own times and number of points. */
static enum tt_status use_given(struct corpus *corpus, const char *path, struct tt_error *err)
{
    int64_t step = tt_series_file_step(&corpus->given);

    if (corpus->given.count < TT_SYNTH_MIN_POINTS || corpus->given.late + corpus->given.equal > 0 ||
        step <= 0)
        return tt_fail(err, TT_INVALID_DATA,
                       "%s: a baseline needs at least %d points in ascending order of time", path,
                       TT_SYNTH_MIN_POINTS);
    corpus->options.points = corpus->given.count;
    corpus->options.points_a_day = step < DAY / 4 ? (uint32_t)(DAY / step) : 4;
    return TT_OK;
}

static enum tt_status prepare(struct corpus *corpus, char *name, size_t size, struct tt_error *err)
{
    const char *path = tt_args_text(corpus->args, "baseline-file");
    enum tt_status status = TT_OK;
    struct tt_buffer labels;

    if (path != NULL)
        status = name_given(corpus, path, name, size, err);
    if (status == TT_OK && path != NULL)
        status = use_given(corpus, path, err);
    if (status != TT_OK)
        return status;
    corpus->values = tt_calloc(corpus->options.points, sizeof(*corpus->values));
    corpus->windows = tt_calloc(corpus->options.events + 1, sizeof(*corpus->windows));
    if (corpus->values == NULL || corpus->windows == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make %zu points", corpus->options.points);
    tt_buffer_init(&labels, 8192);
    tt_buffer_printf(&labels, "%s/labels/combined_windows.json", corpus->directory);
    tt_buffer_append_byte(&labels, '\0');
    status = tt_buffer_check(&labels, corpus->directory, err);
    if (status == TT_OK && access(labels.data, F_OK) == 0)
        status = tt_fail(err, TT_UNSUPPORTED, "%s is there already; choose another --output",
                         labels.data);
    tt_buffer_done(&labels);
    return status;
}

static int run(struct corpus *corpus, bool one_pair)
{
    struct tt_error err;
    char name[64];
    enum tt_status status;
    int code;

    tt_buffer_init(&corpus->nab, MAX_FILE);
    tt_buffer_init(&corpus->list, MAX_FILE);
    tt_buffer_init(&corpus->summary, MAX_FILE);
    status = prepare(corpus, name, sizeof(name), &err);
    if (status == TT_OK)
        status = make_all(corpus, one_pair, &err);
    if (status == TT_OK)
        status = save_labels(corpus, &err);
    code = status == TT_OK ? print_summary(corpus) : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_buffer_done(&corpus->nab);
    tt_buffer_done(&corpus->list);
    tt_buffer_done(&corpus->summary);
    tt_series_file_done(&corpus->given);
    tt_free(corpus->values);
    tt_free(corpus->windows);
    return code;
}

static int print_list(void)
{
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, 1 << 16);
    tt_buffer_append_str(&out, TT_STR("baselines\n"));
    for (unsigned i = 0; i < TT_SYNTH_given; i++)
        tt_buffer_printf(&out, "  %-14s %s\n", tt_synth_baseline_name((enum tt_synth_baseline)i),
                         tt_synth_baseline_doc((enum tt_synth_baseline)i));
    tt_buffer_append_str(&out, TT_STR("anomalies\n"));
    for (unsigned i = 0; i < TT_SYNTH_ANOMALY_COUNT; i++)
        tt_buffer_printf(&out, "  %-14s %s\n", tt_synth_anomaly_name((enum tt_synth_anomaly)i),
                         tt_synth_anomaly_doc((enum tt_synth_anomaly)i));
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code;
}

static int synth(const struct tt_args *args)
{
    struct corpus corpus = {.args = args, .directory = tt_args_text(args, "output")};
    uint64_t events = tt_args_count(args, "events");
    size_t n_anomalies = 0, n_baselines = 0;
    int code;

    if (tt_args_flag(args, "list"))
        return print_list();
    if (corpus.directory == NULL)
        return tt_cli_fail(TT_EXIT_USAGE, "synth needs --output DIR (or --list)");
    if (events < 1 || events > TT_SYNTH_MAX_EVENTS)
        return tt_cli_fail(TT_EXIT_USAGE, "--events: 1 to %d", TT_SYNTH_MAX_EVENTS);
    corpus.options.events = (uint32_t)events;
    corpus.options.seed = tt_args_count(args, "seed");
    corpus.options.strength = tt_args_number(args, "strength");
    if (!(corpus.options.strength > 0.0) || corpus.options.strength > 100.0)
        return tt_cli_fail(TT_EXIT_USAGE, "--strength: above 0, at most 100");
    code = choose_anomalies(args, &corpus, &n_anomalies);
    if (code == TT_EXIT_DONE)
        code = choose_baselines(args, &corpus, &n_baselines);
    if (code == TT_EXIT_DONE)
        code = read_times(args, &corpus);
    if (code != TT_EXIT_DONE)
        return code;
    if (n_baselines > 1 && corpus.baselines[TT_SYNTH_given])
        return tt_cli_fail(TT_EXIT_USAGE, "--baseline-file and --baseline exclude each other");
    return run(&corpus, n_anomalies == 1 && n_baselines <= 1);
}

static const struct tt_option options[] = {
    {.name = "output",
     .argument = "DIR",
     .type = TT_OPTION_FILE,
     .doc = "Where data/<baseline>/<baseline>_<anomaly>.csv and labels/ go."},
    {.name = "baseline",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .doc = "flat, daily, weekly, trend or bursty; may be repeated; daily when none is given."},
    {.name = "baseline-file",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "Take a healthy series from a CSV file instead, with its times."},
    {.name = "anomaly",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .doc =
         "cpu-spike, memory-leak, crash-loop, …; may be repeated; every one when none is given."},
    {.name = "events",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "3",
     .doc = "How often the fault comes back in each series."},
    {.name = "strength",
     .argument = "X",
     .type = TT_OPTION_NUMBER,
     .def = "1",
     .doc = "How clear it is: 0.5 is half as large."},
    {.name = "points",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "4032",
     .doc = "Points a series."},
    {.name = "step",
     .argument = "DURATION",
     .type = TT_OPTION_DURATION,
     .def = "5m",
     .doc = "Time from one point to the next."},
    {.name = "start",
     .argument = "TIME",
     .type = TT_OPTION_TEXT,
     .def = "2024-01-01T00:00:00Z",
     .doc = "Time of the first point (a Monday, for the weekends of weekly)."},
    {.name = "seed",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1",
     .doc = "The same seed and options give the same bytes on every machine."},
    {.name = "list",
     .type = TT_OPTION_FLAG,
     .doc = "Print the baselines and anomalies, and do nothing."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Print what was written as one JSON object."},
};

extern const struct tt_command tt_command_synth;
const struct tt_command tt_command_synth = {
    .name = "synth",
    .summary =
        "Make series with labelled faults in them: CPU spikes, memory leaks, crash loops and more.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Writes CSV files with timestamp and value, labels/combined_windows.json in NAB's form, and labels/windows.json as a list with the type of each window. "
        "Both are read by evaluate series --windows; the first by evaluate nab. The first 15 % of a series are healthy. Existing labels are never replaced.",
    .run = synth,
};
