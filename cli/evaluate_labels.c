/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/map.h"
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "otlp/json.h"
#include "receivers/otlp_json_file/files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * A row is judged by the type of its label; a trace, whole, by the greatest score of its rows and by the first anomalous type among
 * them. Rows of one trace share their label, so that measures by row make few long traces look like much evidence.
 */

enum { MAX_SCORES = 16, MAX_TYPES = 1000, MAX_FILES = 256, NORMAL = 0, LOOK_EVERY = 4096 };
#define UNKNOWN    UINT32_MAX
#define MAX_ROWS   ((size_t)200000000)
#define MAX_TRACES ((size_t)50000000)

static const char *const signal_choices[] = {"traces", "metrics", "logs", NULL};

/* Rows, or traces: scores by column, and what they are labelled. */
struct units {
    float *scores[MAX_SCORES];
    uint32_t *types;
    size_t count, capacity;
};

struct labels {
    const struct tt_args *args;
    struct tt_arena arena;
    struct tt_map type_ids, trace_ids; /* values: index + 1 */
    struct tt_str type_names[MAX_TYPES];
    size_t n_types;
    struct tt_str score_names[MAX_SCORES];
    uint32_t n_scores;
    struct units rows, traces;
    uint64_t unknown, without_trace, rejected, files;
};

/* ---- units ---- */

static enum tt_status grow(struct units *units, uint32_t n_scores, size_t most,
                           struct tt_error *err)
{
    size_t capacity = units->capacity + units->capacity / 2 + 4096;
    uint32_t *types;

    if (capacity > most)
        return tt_fail(err, TT_TOO_LARGE, "more than %zu rows or traces", most);
    for (uint32_t i = 0; i < n_scores; i++) {
        float *scores = tt_realloc(units->scores[i], capacity, sizeof(*scores));
        if (scores == NULL)
            return tt_fail(err, TT_NO_MEMORY, "keep %zu scores", capacity);
        units->scores[i] = scores;
    }
    types = tt_realloc(units->types, capacity, sizeof(*types));
    if (types == NULL)
        return tt_fail(err, TT_NO_MEMORY, "keep %zu labels", capacity);
    units->types = types;
    units->capacity = capacity;
    return TT_OK;
}

static enum tt_status add_unit(struct labels *labels, struct units *units, size_t most,
                               const float *scores, uint32_t type, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    if (units->count == units->capacity)
        status = grow(units, labels->n_scores, most, err);
    if (status != TT_OK)
        return status;
    for (uint32_t i = 0; i < labels->n_scores; i++)
        units->scores[i][units->count] = scores[i];
    units->types[units->count++] = type;
    return TT_OK;
}

static void units_done(struct units *units)
{
    for (size_t i = 0; i < MAX_SCORES; i++)
        tt_free(units->scores[i]);
    tt_free(units->types);
}

/* ---- rows ---- */

/* The number of a name in a map, from 0; a new one gets the next. */
static enum tt_status number_of(struct labels *labels, struct tt_map *map, struct tt_str name,
                                size_t *ret_number, bool *ret_is_new, struct tt_error *err)
{
    void *found = tt_map_get(map, name);
    struct tt_str key;

    *ret_is_new = found == NULL;
    *ret_number = found == NULL ? map->count : (size_t)(uintptr_t)found - 1;
    if (found != NULL)
        return TT_OK;
    key = tt_arena_copy(&labels->arena, name);
    if (key.data == NULL || tt_map_put(map, key, (void *)(uintptr_t)(map->count + 1)) != TT_OK)
        return tt_fail(err, TT_NO_MEMORY, "more than %zu types or traces", map->count);
    return TT_OK;
}

static enum tt_status type_of(struct labels *labels, struct tt_str cell, uint32_t *ret_type,
                              struct tt_error *err)
{
    size_t number;
    bool is_new;
    enum tt_status status;

    cell = tt_str_trim(cell);
    *ret_type = UNKNOWN;
    if (tt_str_equal(cell, TT_STR("unknown")))
        return TT_OK;
    *ret_type = NORMAL;
    if (cell.len == 0 || tt_str_equal_nocase(cell, TT_STR("none")) ||
        tt_str_equal_nocase(cell, TT_STR("normal")))
        return TT_OK;
    status = number_of(labels, &labels->type_ids, cell, &number, &is_new, err);
    if (status != TT_OK)
        return status;
    if (is_new)
        labels->type_names[labels->n_types++] = tt_arena_copy(&labels->arena, cell);
    *ret_type = (uint32_t)number + 1;
    return TT_OK;
}

static enum tt_status add_to_trace(struct labels *labels, struct tt_str id, const float *scores,
                                   uint32_t type, struct tt_error *err)
{
    struct units *traces = &labels->traces;
    enum tt_status status;
    size_t trace;
    bool is_new;

    labels->without_trace += id.len == 0;
    if (id.len == 0)
        return TT_OK;
    status = number_of(labels, &labels->trace_ids, id, &trace, &is_new, err);
    if (status != TT_OK)
        return status;
    if (is_new)
        return add_unit(labels, traces, MAX_TRACES, scores, type, err);
    for (uint32_t i = 0; i < labels->n_scores; i++)
        traces->scores[i][trace] = fmaxf(traces->scores[i][trace], scores[i]);
    if (traces->types[trace] == NORMAL)
        traces->types[trace] = type;
    return TT_OK;
}

static enum tt_status add_row(struct labels *labels, const struct tt_table *table, bool has_trace,
                              const float *scores, struct tt_error *err)
{
    const struct tt_str *texts = tt_table_texts(table);
    uint32_t type;
    enum tt_status status = type_of(labels, texts[0], &type, err);

    if (status != TT_OK)
        return status;
    if (type == UNKNOWN) {
        labels->unknown++;
        return TT_OK;
    }
    status = add_unit(labels, &labels->rows, MAX_ROWS, scores, type, err);
    if (status == TT_OK && has_trace)
        status = add_to_trace(labels, tt_str_trim(texts[1]), scores, type, err);
    return status;
}

/* ---- files ---- */

/* Without --score: what Telltale calls its scores. */
static enum tt_status choose_scores(struct labels *labels, const struct tt_table *table,
                                    const char *path, struct tt_error *err)
{
    const struct tt_str *names;
    size_t position = 0;
    const char *given;
    uint32_t count;

    while ((given = tt_args_next(labels->args, "score", &position)) != NULL) {
        if (labels->n_scores == MAX_SCORES)
            return tt_fail(err, TT_INVALID_CONFIG, "--score: more than %d", MAX_SCORES);
        labels->score_names[labels->n_scores++] = tt_str(given);
    }
    if (labels->n_scores > 0)
        return TT_OK;
    names = tt_table_names(table, &count);
    for (uint32_t i = 0; i < count && labels->n_scores < MAX_SCORES; i++)
        if (tt_str_ends_with(names[i], TT_STR("anomaly_score")))
            labels->score_names[labels->n_scores++] = tt_arena_copy(&labels->arena, names[i]);
    if (labels->n_scores == 0)
        return tt_fail(err, TT_INVALID_DATA,
                       "%s has no column that ends with anomaly_score; name one with --score",
                       path);
    return TT_OK;
}

static enum tt_status select_columns(struct labels *labels, struct tt_table *table,
                                     const char *path, bool *ret_has_trace, struct tt_error *err)
{
    const char *type = tt_args_text(labels->args, "type-column");
    const char *trace = tt_args_text(labels->args, "trace-column");
    uint32_t scores[MAX_SCORES], texts[2];

    for (uint32_t i = 0; i < labels->n_scores; i++)
        if (!tt_table_find(table, labels->score_names[i], &scores[i]))
            return tt_fail(err, TT_INVALID_DATA, "%s has no column \"%.*s\"", path,
                           TT_STR_ARG(labels->score_names[i]));
    if (!tt_table_find(table, tt_str(type), &texts[0]))
        return tt_fail(err, TT_INVALID_DATA, "%s has no column \"%s\" with the label", path, type);
    *ret_has_trace = tt_table_find(table, tt_str(trace), &texts[1]);
    if (!*ret_has_trace && tt_args_is_given(labels->args, "trace-column"))
        return tt_fail(err, TT_INVALID_DATA, "%s has no column \"%s\" with the trace", path, trace);
    return tt_table_select(table, scores, labels->n_scores, texts, *ret_has_trace ? 2 : 1, err);
}

/* A score that is text is no score; said once a column and file. */
static void tell_texts(const struct labels *labels, const struct tt_table *table, const char *path)
{
    for (uint32_t i = 0; i < labels->n_scores; i++) {
        const struct tt_table_column *column = tt_table_column(table, i);
        if (column->texts > 0)
            (void)tt_cli_fail(TT_EXIT_DONE,
                              "%s:%" PRIu64 ": \"%s\" in column \"%.*s\" is no number; %" PRIu64
                              " such rows have no score",
                              path, column->text_line, column->text,
                              TT_STR_ARG(labels->score_names[i]), column->texts);
    }
}

static enum tt_status read_rows(struct labels *labels, struct tt_table *table, const char *path,
                                bool has_trace, struct tt_error *err)
{
    float scores[MAX_SCORES];
    struct tt_progress progress;
    enum tt_status status;
    bool more;

    tt_progress_start(&progress, path, "rows");
    for (;;) {
        status = tt_table_read(table, scores, &more, err);
        if (status == TT_OK && more)
            status = add_row(labels, table, has_trace, scores, err);
        if (status != TT_OK || !more)
            break;
        if (tt_table_rows(table) % LOOK_EVERY == 0)
            tt_progress_show(&progress, tt_table_part(table), tt_table_rows(table));
    }
    tt_progress_end(&progress);
    labels->rejected += tt_table_rejected(table);
    if (status == TT_OK)
        tell_texts(labels, table, path);
    return status;
}

static enum tt_status read_file(struct labels *labels, const char *path, struct tt_error *err)
{
    bool has_trace = false;
    struct tt_table *table;
    enum tt_status status = tt_table_open(path, &table, err);

    if (status != TT_OK)
        return status;
    if (labels->n_scores == 0)
        status = choose_scores(labels, table, path, err);
    if (status == TT_OK)
        status = select_columns(labels, table, path, &has_trace, err);
    if (status == TT_OK)
        status = read_rows(labels, table, path, has_trace, err);
    labels->files++;
    tt_table_close(table);
    return status;
}

/* A directory stands for the finished files of all its sets. */
static enum tt_status read_directory(struct labels *labels, const char *path, struct tt_error *err)
{
    const char *signal = signal_choices[tt_args_choice(labels->args, "signal")];
    struct tt_files files;
    enum tt_status status;
    char pattern[64];

    (void)snprintf(pattern, sizeof(pattern), "%s_labeled*.csv", signal);
    status = tt_files_list_in(path, pattern, &files, err);
    if (status != TT_OK)
        return status;
    if (files.count == 0)
        status = tt_fail(err, TT_NOT_FOUND, "%s: no %s_labeled_*.csv here", path, signal);
    for (size_t i = 0; i < files.count && status == TT_OK; i++)
        status = read_file(labels, files.paths[i], err);
    tt_files_done(&files);
    return status;
}

static enum tt_status read_path(struct labels *labels, const char *path, struct tt_error *err)
{
    struct stat info;

    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return read_directory(labels, path, err);
    return read_file(labels, path, err);
}

static enum tt_status read_all(struct labels *labels, struct tt_error *err)
{
    const struct tt_args *args = labels->args;
    enum tt_status status = TT_OK;
    const char *path;

    if (!tt_args_is_given(args, "data") && tt_args_n_operands(args) == 0)
        return tt_fail(err, TT_INVALID_CONFIG, "evaluate labels needs --data DIR|FILE");
    for (size_t i = 0; status == TT_OK && (path = tt_args_next(args, "data", &i)) != NULL;)
        status = read_path(labels, path, err);
    for (size_t i = 0; i < tt_args_n_operands(args) && status == TT_OK; i++)
        status = read_path(labels, tt_args_operand(args, i), err);
    if (status == TT_OK && labels->rows.count == 0)
        status = tt_fail(err, TT_INVALID_DATA, "no labelled row");
    return status;
}

/* ---- judging ---- */

/* What one score makes of rows or traces: all, then by type those of the type against the normal ones. */
struct report {
    struct tt_judged all, *types;
};

static enum tt_status judge_type(const struct units *units, const float *scores, uint32_t type,
                                 float threshold, float *kept, uint8_t *anomalous,
                                 struct tt_judged *ret_judged, struct tt_error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < units->count; i++) {
        if (units->types[i] != NORMAL && type != NORMAL && units->types[i] != type)
            continue;
        kept[count] = scores[i];
        anomalous[count++] = units->types[i] != NORMAL;
    }
    return tt_judge(kept, anomalous, count, threshold, ret_judged, err);
}

/* threshold: NaN: that of the greatest F1. */
static enum tt_status judge_units(struct labels *labels, const struct units *units, uint32_t score,
                                  float threshold, struct report *ret_report, struct tt_error *err)
{
    TT_CLEANUP(tt_freep) float *kept = tt_calloc(units->count + 1, sizeof(*kept));
    TT_CLEANUP(tt_freep) uint8_t *anomalous = tt_calloc(units->count + 1, sizeof(*anomalous));
    const float *scores = units->scores[score];
    enum tt_status status;

    ret_report->types =
        tt_arena_calloc(&labels->arena, labels->n_types + 1, sizeof(*ret_report->types));
    if (kept == NULL || anomalous == NULL || ret_report->types == NULL)
        return tt_fail(err, TT_NO_MEMORY, "judge %zu rows", units->count);
    status = judge_type(units, scores, NORMAL, threshold, kept, anomalous, &ret_report->all, err);
    if (status == TT_OK && isnan(threshold)) {
        threshold = ret_report->all.best.threshold;
        status =
            judge_type(units, scores, NORMAL, threshold, kept, anomalous, &ret_report->all, err);
    }
    for (uint32_t i = 0; i < labels->n_types && status == TT_OK; i++)
        status = judge_type(units, scores, i + 1, threshold, kept, anomalous, &ret_report->types[i],
                            err);
    return status;
}

/* ---- what is told ---- */

static uint64_t count_unscored(const struct units *units, uint32_t score)
{
    uint64_t n = 0;

    for (size_t i = 0; i < units->count; i++)
        n += isnan(units->scores[score][i]) != 0;
    return n;
}

static void put_report_json(const struct labels *labels, const char *name,
                            const struct report *report, struct tt_buffer *out)
{
    tt_buffer_printf(out, ",\"%s\":{", name);
    tt_judged_put(out, &report->all);
    tt_buffer_append_str(out, TT_STR(",\"by_type\":{"));
    for (size_t i = 0; i < labels->n_types; i++) {
        tt_buffer_append_str(out, i > 0 ? TT_STR(",") : TT_STR(""));
        tt_json_write_text(labels->type_names[i], out);
        tt_buffer_append_str(out, TT_STR(":{"));
        tt_judged_put(out, &report->types[i]);
        tt_buffer_append_byte(out, '}');
    }
    tt_buffer_append_str(out, TT_STR("}}"));
}

static void put_json(const struct labels *labels, uint32_t score, const struct report *rows,
                     const struct report *traces, struct tt_buffer *out)
{
    tt_buffer_append_str(out, score > 0 ? TT_STR(",{\"column\":") : TT_STR("{\"column\":"));
    tt_json_write_text(labels->score_names[score], out);
    tt_evaluate_put_count(out, "unscored_rows", count_unscored(&labels->rows, score));
    put_report_json(labels, "rows", rows, out);
    if (labels->traces.count > 0)
        put_report_json(labels, "traces", traces, out);
    tt_buffer_append_byte(out, '}');
}

static void put_report(const struct labels *labels, const char *what, const struct report *report,
                       struct tt_buffer *out)
{
    tt_buffer_append_byte(out, '\n');
    tt_judged_put_title(out, what);
    tt_judged_put_line(out, TT_STR("all"), &report->all);
    for (size_t i = 0; i < labels->n_types; i++)
        tt_judged_put_line(out, labels->type_names[i], &report->types[i]);
}

static void put_text(const struct labels *labels, uint32_t score, const struct report *rows,
                     const struct report *traces, struct tt_buffer *out)
{
    uint64_t unscored = count_unscored(&labels->rows, score);

    tt_buffer_printf(out, "\n%.*s", TT_STR_ARG(labels->score_names[score]));
    if (unscored > 0)
        tt_buffer_printf(out, ": %" PRIu64 " rows have no score and are never alarms", unscored);
    tt_buffer_append_byte(out, '\n');
    put_report(labels, "by row", rows, out);
    tt_buffer_printf(out, "threshold %.6f\n", (double)rows->all.at.threshold);
    if (labels->traces.count == 0)
        return;
    put_report(labels, "by trace", traces, out);
    tt_buffer_printf(out, "threshold %.6f\n", (double)traces->all.at.threshold);
}

static enum tt_status put_scores(struct labels *labels, struct tt_buffer *out, struct tt_error *err)
{
    float threshold = (float)tt_args_number(labels->args, "threshold");
    bool is_json = tt_args_flag(labels->args, "json");
    enum tt_status status = TT_OK;

    for (uint32_t i = 0; i < labels->n_scores && status == TT_OK; i++) {
        struct report rows = {.types = NULL}, traces = {.types = NULL};
        status = judge_units(labels, &labels->rows, i, threshold, &rows, err);
        if (status == TT_OK)
            status = judge_units(labels, &labels->traces, i, threshold, &traces, err);
        if (status == TT_OK)
            (is_json ? put_json : put_text)(labels, i, &rows, &traces, out);
    }
    return status;
}

static void put_head(const struct labels *labels, struct tt_buffer *out)
{
    if (!tt_args_flag(labels->args, "json")) {
        tt_buffer_printf(out, "%" PRIu64 " file%s, %zu rows, %zu traces\n", labels->files,
                         tt_plural(labels->files), labels->rows.count, labels->traces.count);
        if (labels->unknown + labels->rejected > 0)
            tt_buffer_printf(
                out, "left out: %" PRIu64 " rows of type unknown, %" PRIu64 " bad records\n",
                labels->unknown, labels->rejected);
        return;
    }
    tt_buffer_append_byte(out, '{');
    tt_evaluate_put_count(out, "files", labels->files);
    tt_evaluate_put_count(out, "rows", labels->rows.count);
    tt_evaluate_put_count(out, "traces", labels->traces.count);
    tt_evaluate_put_count(out, "rows_without_trace", labels->without_trace);
    tt_evaluate_put_count(out, "unknown_rows", labels->unknown);
    tt_evaluate_put_count(out, "rejected_rows", labels->rejected);
    tt_buffer_append_str(out, TT_STR(",\"scores\":["));
}

/* ---- the whole ---- */

static enum tt_status work(struct labels *labels, struct tt_buffer *out, struct tt_error *err)
{
    enum tt_status status = read_all(labels, err);

    if (status != TT_OK)
        return status;
    put_head(labels, out);
    status = put_scores(labels, out, err);
    if (tt_args_flag(labels->args, "json"))
        tt_buffer_append_str(out, TT_STR("]}\n"));
    return status;
}

static int evaluate_labels(const struct tt_args *args)
{
    struct labels *labels = tt_calloc(1, sizeof(*labels));
    struct tt_buffer out;
    struct tt_error err;
    enum tt_status status;
    int code;

    if (labels == NULL)
        return tt_cli_fail(TT_EXIT_FAILED, "out of memory");
    labels->args = args;
    tt_arena_init(&labels->arena, (size_t)1 << 20, 0);
    tt_map_init(&labels->type_ids, MAX_TYPES);
    tt_map_init(&labels->trace_ids, MAX_TRACES);
    tt_buffer_init(&out, (size_t)64 << 20);
    status = work(labels, &out, &err);
    if (status == TT_OK)
        code = tt_cli_print(&out);
    else
        code = tt_cli_fail(status == TT_INVALID_CONFIG ? TT_EXIT_USAGE : TT_EXIT_FAILED, "%s",
                           err.message);
    tt_buffer_done(&out);
    units_done(&labels->rows);
    units_done(&labels->traces);
    tt_map_done(&labels->type_ids);
    tt_map_done(&labels->trace_ids);
    tt_arena_done(&labels->arena);
    tt_free(labels);
    return code;
}

static const struct tt_option options[] = {
    {.name = "data",
     .argument = "DIR|FILE",
     .type = TT_OPTION_FILE,
     .doc = "A dataset, or a CSV file: plain, gzip or zstd. May be repeated; operands are more."},
    {.name = "score",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .doc = "A column with scores; may be repeated. Without it all that end with anomaly_score."},
    {.name = "type-column",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .def = "anomaly_type",
     .doc = "The label: none, normal and empty are normal, unknown is left out, all others are "
            "anomalous."},
    {.name = "trace-column",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .def = "trace_id",
     .doc = "Rows of one trace are judged as one, too."},
    {.name = "signal",
     .argument = "SIGNAL",
     .type = TT_OPTION_CHOICE,
     .choices = signal_choices,
     .def = "traces",
     .doc = "Which files of a directory are read."},
    {.name = "threshold",
     .argument = "SCORE",
     .type = TT_OPTION_NUMBER,
     .doc = "For precision and recall; without it that of the greatest F1."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object instead of text."},
};

extern const struct tt_command tt_command_evaluate_labels;
const struct tt_command tt_command_evaluate_labels = {
    .name = "evaluate labels",
    .summary = "Judge the score columns of a dataset against its label columns.",
    .operands = "[DIR|FILE]…",
    .max_operands = MAX_FILES,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Reads the finished labeled files of a dataset, or CSV files that score wrote, and prints ROC "
        "AUC, average precision, precision, recall and F1: of all rows, of each anomaly type "
        "against the normal rows, and the same by trace, where a trace, whole and across files, "
        "has the greatest score of its rows. Believe the figures by trace: rows of one trace "
        "share their label.",
    .run = evaluate_labels,
};
