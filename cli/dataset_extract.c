/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/dataset_input.h"
#include "cli/dataset_label.h"
#include "exporters/dataset/writer.h"
#include "otlp/json.h"
#include "receivers/otlp_json_file/document.h"

#include <stdio.h>

#define MAX_WIRE     ((size_t)256 << 20)
#define MAX_PATTERNS 256
#define MAX_EXTRAS   DATASET_MAX_EXTRAS

enum { SPANS_AUTO, SPANS_MARK, SPANS_LABEL };
static const char *const span_choices[] = {"auto", "mark", "label", NULL};

struct extract {
    const struct tt_args *args;
    unsigned signals; /* whose lines are taken */
    struct tt_input input;
    struct tt_relabel relabel;
    struct dataset_writer *writer;
    struct tt_buffer wire;
    uint64_t rows[TT_SIGNAL_COUNT], rejected;
    char stamp[DATASET_STAMP_LEN + 1];
};

/* ---- lines ---- */

static enum tt_status signal_of(const struct extract *extract, struct tt_str line,
                                enum tt_signal *ret_signal, bool *ret_wanted, struct tt_error *err)
{
    if (!tt_document_signal(line, ret_signal))
        return tt_fail(err, TT_INVALID_DATA,
                       "no resourceSpans, resourceMetrics or resourceLogs in this line");
    *ret_wanted = (extract->signals & (unsigned)*ret_signal) != 0;
    return TT_OK;
}

/* What is wrong with a line is told in the second pass, which reads all of them. */
static enum tt_status learn(void *context, struct tt_str line, struct tt_error *err)
{
    struct extract *extract = context;
    struct tt_batch *batch = NULL;
    enum tt_signal signal;
    bool wanted = false;

    if (!tt_relabel_may_learn(line) || signal_of(extract, line, &signal, &wanted, err) != TT_OK ||
        !wanted)
        return TT_OK;
    if (tt_document_read(signal, line, NULL, &extract->wire, &batch, NULL, err) == TT_OK)
        tt_relabel_learn(&extract->relabel, batch);
    tt_batch_unref(batch);
    return TT_OK;
}

static enum tt_status write_rows(void *context, struct tt_str line, struct tt_error *err)
{
    struct extract *extract = context;
    struct tt_batch *batch = NULL;
    enum tt_signal signal;
    uint64_t rejected = 0;
    bool wanted = false;
    enum tt_status status = signal_of(extract, line, &signal, &wanted, err);

    if (status != TT_OK || !wanted)
        return status;
    status = tt_document_read(signal, line, NULL, &extract->wire, &batch, &rejected, err);
    if (status == TT_OK)
        status = tt_relabel_apply(&extract->relabel, batch, err);
    if (status == TT_OK)
        status = dataset_writer_write(extract->writer, batch, err);
    if (status == TT_OK)
        extract->rows[tt_signal_index(signal)] += tt_batch_live_rows(batch);
    extract->rejected += rejected;
    tt_batch_unref(batch);
    return status;
}

/* ---- options ---- */

static const char *const signal_options[TT_SIGNAL_COUNT] = {"traces", "metrics", "logs"};

/* Files of all options and operands: which signal a line is of is seen in the line. */
static enum tt_status open_input(struct extract *extract, struct tt_error *err)
{
    const char *patterns[MAX_PATTERNS], *value;
    size_t n = 0, position;

    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        position = 0;
        while ((value = tt_args_next(extract->args, signal_options[i], &position)) != NULL) {
            extract->signals |= 1U << i; /* tt_signal_at(i) */
            if (n < MAX_PATTERNS)
                patterns[n++] = value;
        }
    }
    /* A shell turns `--traces *.jsonl` into one value and operands. */
    for (size_t i = 0; i < tt_args_n_operands(extract->args) && n < MAX_PATTERNS; i++)
        patterns[n++] = tt_args_operand(extract->args, i);
    if (n == 0)
        return tt_fail(err, TT_INVALID_CONFIG, "no input: give --traces, --metrics or --logs FILE");
    if (extract->signals == 0)
        extract->signals = TT_ALL_SIGNALS;
    return tt_input_open(&extract->input, (struct tt_patterns){patterns, n}, err);
}

static enum tt_status load_windows(struct extract *extract, struct tt_error *err)
{
    size_t position = 0;
    const char *path;
    enum tt_status status = TT_OK;

    if (!tt_args_is_given(extract->args, "windows"))
        return TT_OK;
    extract->relabel.windows = tt_label_windows_new();
    if (extract->relabel.windows == NULL)
        return tt_fail(err, TT_NO_MEMORY, "keep label windows");
    while (status == TT_OK && (path = tt_args_next(extract->args, "windows", &position)) != NULL)
        status = tt_label_windows_load(extract->relabel.windows, path, err);
    return status;
}

static size_t list_extras(const struct tt_args *args, const char **extras)
{
    size_t n = 0, position = 0;
    const char *value;

    while (n < MAX_EXTRAS && (value = tt_args_next(args, "attribute", &position)) != NULL)
        extras[n++] = value;
    return n;
}

static enum tt_status open_writer(struct extract *extract, const char **extras,
                                  struct tt_error *err)
{
    struct dataset_writer_options options = {
        .directory = tt_args_text(extract->args, "output"),
        .layout.extra_attributes = {extras, list_extras(extract->args, extras)},
        .formula_guard = tt_args_flag(extract->args, "formula-guard"),
        .version = TT_VERSION,
        .clock = tt_clock_system(),
    };
    size_t n_columns = 0;
    enum tt_status status;

    while (tt_relabel_columns[n_columns] != NULL)
        n_columns++;
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        options.layout.columns[i].items = tt_relabel_columns;
        options.layout.columns[i].count = n_columns;
    }
    status = dataset_writer_new(&options, &extract->writer, err);
    return status != TT_OK ? status : dataset_writer_start(extract->writer, err);
}

/* ---- the two passes ---- */

static enum tt_status passes(struct extract *extract, struct tt_error *err)
{
    size_t spans = tt_args_choice(extract->args, "spans-in-windows");
    enum tt_status status = tt_input_pass(&extract->input, "reading labels", learn, extract, err);

    if (status != TT_OK)
        return status;
    extract->relabel.label_spans_by_window =
        spans == SPANS_LABEL || (spans == SPANS_AUTO && extract->relabel.evidence == 0);
    status = tt_input_pass(&extract->input, "writing rows", write_rows, extract, err);
    if (status != TT_OK)
        return status;
    return dataset_writer_finish(extract->writer, 0, extract->stamp, err);
}

static enum tt_status work(struct extract *extract, struct tt_error *err)
{
    const char *extras[MAX_EXTRAS];
    enum tt_status status;

    if (tt_args_text(extract->args, "output") == NULL)
        return tt_fail(err, TT_INVALID_CONFIG, "no output: give --output DIR");
    status = open_input(extract, err);
    if (status == TT_OK)
        status = tt_relabel_init(&extract->relabel, err);
    if (status == TT_OK)
        status = load_windows(extract, err);
    if (status == TT_OK)
        status = open_writer(extract, extras, err);
    return status != TT_OK ? status : passes(extract, err);
}

/* ---- the account ---- */

static void put_sources(const struct extract *extract, struct tt_buffer *out)
{
    const uint64_t *by_source = extract->relabel.by_source[tt_signal_index(TT_TRACES)];
    const char *before = "";

    tt_buffer_append_str(out, TT_STR(",\"labelled_spans\":{"));
    for (unsigned i = 0; i < TT_SOURCE_NONE; i++) {
        if (by_source[i] == 0)
            continue;
        tt_buffer_printf(out, "%s\"%.*s\":%llu", before,
                         TT_STR_ARG(tt_label_source_name((enum tt_label_source)i)),
                         (unsigned long long)by_source[i]);
        before = ",";
    }
    tt_buffer_append_byte(out, '}');
}

static void put_json(const struct extract *extract, struct tt_buffer *out)
{
    tt_buffer_printf(
        out,
        "{\"lines\":%llu,\"bad_lines\":%llu,\"spans\":%llu,\"metric_points\":%llu,"
        "\"log_records\":%llu,\"rejected_rows\":%llu,\"labelled_traces\":%zu,\"contradictions\":%llu",
        (unsigned long long)extract->input.lines, (unsigned long long)extract->input.bad_lines,
        (unsigned long long)extract->rows[0], (unsigned long long)extract->rows[1],
        (unsigned long long)extract->rows[2], (unsigned long long)extract->rejected,
        tt_verdicts_count(extract->relabel.verdicts),
        (unsigned long long)extract->relabel.contradictions);
    put_sources(extract, out);
    tt_buffer_append_str(out, TT_STR(",\"directory\":"));
    tt_json_write_text(tt_str(tt_args_text(extract->args, "output")), out);
    tt_buffer_printf(out, ",\"stamp\":\"%s\"}\n", extract->stamp);
}

static void put_text(const struct extract *extract, struct tt_buffer *out)
{
    const uint64_t *by_source = extract->relabel.by_source[tt_signal_index(TT_TRACES)];
    uint64_t spans = extract->rows[0], labelled = spans - by_source[TT_SOURCE_NONE];

    tt_buffer_printf(
        out,
        "%llu spans, %llu metric points, %llu log records of %llu lines (%llu bad) in %zu file%s\n",
        (unsigned long long)spans, (unsigned long long)extract->rows[1],
        (unsigned long long)extract->rows[2], (unsigned long long)extract->input.lines,
        (unsigned long long)extract->input.bad_lines, extract->input.files.count,
        tt_plural(extract->input.files.count));
    if (spans > 0)
        tt_buffer_printf(
            out, "%llu spans labelled (%.1f %%), %zu traces with a label, %llu contradictions\n",
            (unsigned long long)labelled, 100.0 * (double)labelled / (double)spans,
            tt_verdicts_count(extract->relabel.verdicts),
            (unsigned long long)extract->relabel.contradictions);
    tt_buffer_printf(out, "written to %s, set %s; read it with `telltale dataset report %s`\n",
                     tt_args_text(extract->args, "output"), extract->stamp,
                     tt_args_text(extract->args, "output"));
}

static int report(const struct extract *extract)
{
    struct tt_buffer out;
    int code;

    if (extract->stamp[0] == '\0')
        return tt_cli_fail(TT_EXIT_FAILED, "no row in %llu lines (%llu bad): nothing was written",
                           (unsigned long long)extract->input.lines,
                           (unsigned long long)extract->input.bad_lines);
    tt_buffer_init(&out, (size_t)1 << 20);
    if (tt_args_flag(extract->args, "json"))
        put_json(extract, &out);
    else
        put_text(extract, &out);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code;
}

static int dataset_extract(const struct tt_args *args)
{
    struct extract extract = {.args = args};
    struct tt_error err = {.status = TT_OK};
    enum tt_status status;
    int code;

    tt_buffer_init(&extract.wire, MAX_WIRE);
    status = work(&extract, &err);
    if (status != TT_OK)
        code = tt_cli_fail(status == TT_INVALID_CONFIG ? TT_EXIT_USAGE : TT_EXIT_FAILED, "%s",
                           err.message);
    else
        code = report(&extract);
    dataset_writer_free(extract.writer);
    tt_relabel_done(&extract.relabel);
    tt_input_done(&extract.input);
    tt_buffer_done(&extract.wire);
    return code;
}

static const struct tt_option options[] = {
    {.name = "traces",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "OTLP/JSON lines with spans: a path or a pattern; plain, gzip or zstd."},
    {.name = "metrics",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "The same with metrics."},
    {.name = "logs",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "The same with log records."},
    {.name = "output",
     .argument = "DIR",
     .type = TT_OPTION_FILE,
     .doc = "Directory for the CSV files."},
    {.name = "windows",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "Label windows: NAB's combined_windows.json or a list of objects."},
    {.name = "spans-in-windows",
     .argument = "MODE",
     .type = TT_OPTION_CHOICE,
     .choices = span_choices,
     .def = "auto",
     .doc =
         "Whether windows label spans without evidence or only mark them; auto: they label when the input has no "
         "evidence at all."},
    {.name = "attribute",
     .argument = "KEY",
     .type = TT_OPTION_TEXT,
     .doc = "An attribute that gets a column of its own."},
    {.name = "formula-guard",
     .type = TT_OPTION_FLAG,
     .doc = "Put a ' before text that a spreadsheet would run as a formula."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "End with one JSON object."},
};

extern const struct tt_command tt_command_dataset_extract;
const struct tt_command tt_command_dataset_extract = {
    .name = "dataset extract",
    .summary = "Make labelled CSV files of OTLP/JSON lines that any Collector wrote.",
    .operands = "[FILE]…",
    .max_operands = MAX_PATTERNS,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Reads the input twice: first which label each trace has, then all rows; memory grows with labelled traces, not with "
        "spans. Operands are more input files. Lines that are no OTLP/JSON are told with file and line, counted and "
        "skipped.",
    .run = dataset_extract,
};
