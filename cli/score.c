/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "exporters/dataset/cells.h"
#include "model/forest_model.h"
#include "otlp/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Rows scored at once, and bytes of their records after which no more are gathered. */
enum { BATCH = 1024, MAX_REASONS = 3 };
#define BATCH_BYTES  ((size_t)1 << 20)
#define MIN_SHIFT    0.005F /* a reason that moves the score's exponent by less is none */
#define TEXT_ROWS    1000   /* after so many rows a feature without one number is a mistake */
#define SCORE_DIGITS 9
#define SCORE_SCALE  1000000000U

enum explain { EXPLAIN_ALARMS, EXPLAIN_ALL, EXPLAIN_NONE };
static const char *const explain_choices[] = {"alarms", "all", "none", NULL};

struct scoring {
    const struct tt_forest_model *model;
    struct tt_table *table;
    const char *data_path;
    enum explain explain;
    float threshold;
    uint32_t columns;
    uint32_t *indices; /* of the features in the data */
    float *x, *scores, *credit;
    void *scratch;
    size_t ends[BATCH]; /* of the records in texts */
    size_t count;       /* rows gathered */
    struct tt_buffer texts, out;
    int fd;
    uint64_t rows, alarms;
};

/* ---- columns ---- */

static const char *const added[] = {"anomaly_score", "anomaly_is_anomaly", "anomaly_top_feature",
                                    "anomaly_reasons"};

static enum tt_status find_features(struct scoring *scoring, struct tt_error *err)
{
    uint32_t missing = 0, first = 0, column;

    for (uint32_t i = 0; i < scoring->columns; i++) {
        if (tt_table_find(scoring->table, scoring->model->features[i], &scoring->indices[i]))
            continue;
        first = missing++ == 0 ? i : first;
    }
    if (missing > 0)
        return tt_fail(err, TT_INVALID_DATA,
                       "%s has not the columns that the model was trained on: \"%.*s\" is missing "
                       "(%u of %u are)",
                       scoring->data_path, TT_STR_ARG(scoring->model->features[first]), missing,
                       scoring->columns);
    for (size_t i = 0; i < TT_LENGTH(added); i++)
        if (tt_table_find(scoring->table, tt_str(added[i]), &column))
            return tt_fail(err, TT_INVALID_DATA,
                           "%s has a column %s already; score data without it", scoring->data_path,
                           added[i]);
    return tt_table_select(scoring->table, scoring->indices, scoring->columns, NULL, 0, err);
}

static void put_header(struct scoring *scoring)
{
    uint32_t count;
    const struct tt_str *names = tt_table_names(scoring->table, &count);

    for (uint32_t i = 0; i < count; i++) {
        dataset_cell_text(&scoring->out, names[i], false);
        tt_buffer_append_byte(&scoring->out, ',');
    }
    for (size_t i = 0; i < TT_LENGTH(added); i++)
        tt_buffer_printf(&scoring->out, "%s%s", i > 0 ? "," : "", added[i]);
    tt_buffer_append_byte(&scoring->out, '\n');
}

/* A feature that is text from its first number to the thousandth row is another feature. */
static enum tt_status check_texts(const struct scoring *scoring, struct tt_error *err)
{
    uint64_t rows = tt_table_rows(scoring->table);

    for (uint32_t i = 0; i < scoring->columns; i++) {
        const struct tt_table_column *column = tt_table_column(scoring->table, i);
        if (column->texts > 0 && column->texts + column->missing >= rows)
            return tt_fail(err, TT_INVALID_DATA,
                           "%s:%" PRIu64 ": \"%s\" in column \"%.*s\": the model was trained on "
                           "numbers there",
                           scoring->data_path, column->text_line, column->text,
                           TT_STR_ARG(scoring->model->features[i]));
    }
    return TT_OK;
}

static void tell_texts(const struct scoring *scoring)
{
    for (uint32_t i = 0; i < scoring->columns; i++) {
        const struct tt_table_column *column = tt_table_column(scoring->table, i);
        if (column->texts > 0)
            (void)tt_cli_fail(TT_EXIT_DONE,
                              "%s:%" PRIu64 ": \"%s\" in column \"%.*s\" is no number; %" PRIu64
                              " such cells count as missing",
                              scoring->data_path, column->text_line, column->text,
                              TT_STR_ARG(scoring->model->features[i]), column->texts);
    }
}

/* ---- rows out ---- */

/* 0.123456789: nine decimals tell all scores from 1/16 to 1 apart. */
static void put_score(struct tt_buffer *out, float score)
{
    char text[SCORE_DIGITS + 3];
    uint64_t units = (uint64_t)((double)score * SCORE_SCALE + 0.5);

    for (size_t i = SCORE_DIGITS + 1; i > 1; i--, units /= 10)
        text[i] = (char)('0' + units % 10);
    text[1] = '.';
    text[0] = (char)('0' + units);
    tt_buffer_append(out, text, SCORE_DIGITS + 2);
}

/* The features that made the row most anomalous, most first. Returns how many. */
static uint32_t find_reasons(struct scoring *scoring, const float *row, uint32_t *ret_features)
{
    const float *credit = scoring->credit;
    uint32_t n = 0;

    (void)tt_forest_explain(scoring->model->forest, row, scoring->credit, scoring->scratch);
    for (uint32_t i = 0; i < scoring->columns; i++) {
        uint32_t at;
        if (!(credit[i] >= MIN_SHIFT))
            continue;
        at = n < MAX_REASONS ? n++ : n;
        for (; at > 0 && credit[ret_features[at - 1]] < credit[i]; at--)
            if (at < MAX_REASONS)
                ret_features[at] = ret_features[at - 1];
        if (at < MAX_REASONS)
            ret_features[at] = i;
    }
    return n;
}

/* "duration_ms +2.31; http_status_code +0.80" */
static void put_reasons(struct scoring *scoring, const float *row)
{
    const struct tt_str *names = scoring->model->features;
    uint32_t features[MAX_REASONS], n = find_reasons(scoring, row, features);
    struct tt_buffer text;

    if (n > 0)
        dataset_cell_text(&scoring->out, names[features[0]], false);
    tt_buffer_append_byte(&scoring->out, ',');
    tt_buffer_init(&text, 4096);
    for (uint32_t i = 0; i < n; i++)
        tt_buffer_printf(&text, "%s%.*s %+.2f", i > 0 ? "; " : "", TT_STR_ARG(names[features[i]]),
                         (double)scoring->credit[features[i]]);
    dataset_cell_text(&scoring->out, tt_buffer_view(&text), false);
    tt_buffer_done(&text);
}

static void put_row(struct scoring *scoring, size_t i)
{
    size_t begin = i == 0 ? 0 : scoring->ends[i - 1];
    bool alarm = scoring->scores[i] >= scoring->threshold;
    bool wanted = scoring->explain == EXPLAIN_ALL || (scoring->explain == EXPLAIN_ALARMS && alarm);

    tt_buffer_append(&scoring->out, scoring->texts.data + begin, scoring->ends[i] - begin);
    tt_buffer_append_byte(&scoring->out, ',');
    put_score(&scoring->out, scoring->scores[i]);
    tt_buffer_append_str(&scoring->out, alarm ? TT_STR(",true,") : TT_STR(",false,"));
    if (wanted)
        put_reasons(scoring, scoring->x + i * scoring->columns);
    else
        tt_buffer_append_byte(&scoring->out, ',');
    tt_buffer_append_byte(&scoring->out, '\n');
    scoring->alarms += alarm;
}

static enum tt_status flush(struct scoring *scoring, struct tt_error *err)
{
    struct tt_rows rows = {scoring->x, scoring->count, scoring->columns, scoring->columns};
    enum tt_status status;

    tt_forest_score(scoring->model->forest, &rows, scoring->scores, scoring->scratch);
    for (size_t i = 0; i < scoring->count; i++)
        put_row(scoring, i);
    scoring->rows += scoring->count;
    scoring->count = 0;
    tt_buffer_clear(&scoring->texts);
    status = tt_buffer_check(&scoring->out, "write scores", err);
    if (status == TT_OK)
        status = tt_write_all(scoring->fd, tt_buffer_view(&scoring->out), err);
    tt_buffer_clear(&scoring->out);
    return status;
}

/* ---- rows in ---- */

static enum tt_status gather(struct scoring *scoring, struct tt_error *err)
{
    struct tt_str record = tt_table_record(scoring->table);

    tt_buffer_append_str(&scoring->texts, record);
    scoring->ends[scoring->count++] = scoring->texts.len;
    if (scoring->count < BATCH && scoring->texts.len < BATCH_BYTES)
        return tt_buffer_check(&scoring->texts, "keep records", err);
    if (tt_buffer_check(&scoring->texts, "keep records", err) != TT_OK)
        return TT_NO_MEMORY;
    return flush(scoring, err);
}

static enum tt_status score_rows(struct scoring *scoring, struct tt_progress *progress,
                                 struct tt_error *err)
{
    enum tt_status status;
    bool more;

    for (;;) {
        status = tt_table_read(scoring->table, scoring->x + scoring->count * scoring->columns,
                               &more, err);
        if (status != TT_OK || !more)
            break;
        status = gather(scoring, err);
        if (status == TT_OK && tt_table_rows(scoring->table) == TEXT_ROWS)
            status = check_texts(scoring, err);
        if (status != TT_OK)
            return status;
        if (scoring->count == 0)
            tt_progress_show(progress, tt_table_part(scoring->table), scoring->rows);
    }
    if (status == TT_OK && tt_table_rows(scoring->table) < TEXT_ROWS)
        status = check_texts(scoring, err);
    return status == TT_OK ? flush(scoring, err) : status;
}

/* ---- the whole ---- */

static enum tt_status prepare(struct scoring *scoring, const struct tt_args *args,
                              struct tt_error *err)
{
    const struct tt_forest *forest = scoring->model->forest;
    enum tt_status status;

    scoring->columns = tt_forest_columns(forest);
    scoring->threshold = tt_forest_threshold(forest);
    if (tt_args_is_given(args, "threshold"))
        scoring->threshold = (float)tt_args_number(args, "threshold");
    if (!(scoring->threshold > 0.0F && scoring->threshold <= 1.0F))
        return tt_fail(err, TT_INVALID_CONFIG, "--threshold: %g is not over 0 and up to 1",
                       (double)scoring->threshold);
    scoring->explain = (enum explain)(int)tt_args_choice(args, "explain");
    scoring->indices = tt_calloc(scoring->columns, sizeof(*scoring->indices));
    scoring->x = tt_calloc((size_t)BATCH * scoring->columns, sizeof(*scoring->x));
    scoring->scores = tt_calloc(BATCH, sizeof(*scoring->scores));
    scoring->credit = tt_calloc(scoring->columns, sizeof(*scoring->credit));
    scoring->scratch = tt_malloc(tt_forest_scratch_size(forest));
    if (scoring->indices == NULL || scoring->x == NULL || scoring->scores == NULL ||
        scoring->credit == NULL || scoring->scratch == NULL)
        return tt_fail(err, TT_NO_MEMORY, "score %u columns", scoring->columns);
    status = tt_table_open(scoring->data_path, &scoring->table, err);
    if (status == TT_OK)
        status = find_features(scoring, err);
    if (status == TT_OK)
        put_header(scoring);
    return status;
}

static enum tt_status score_file(struct scoring *scoring, struct tt_error *err)
{
    struct tt_progress progress;
    enum tt_status status;

    tt_progress_start(&progress, scoring->data_path, "rows");
    status = score_rows(scoring, &progress, err);
    tt_progress_end(&progress);
    return status;
}

/* Nobody sees half a file: what is written has another name until it is complete. */
static enum tt_status score_to_file(struct scoring *scoring, const char *path, struct tt_error *err)
{
    TT_CLEANUP(tt_freep) char *temporary = tt_malloc(strlen(path) + 32);
    enum tt_status status;

    if (temporary == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create %s", path);
    (void)snprintf(temporary, strlen(path) + 32, "%s.%ld.partial", path, (long)getpid());
    scoring->fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (scoring->fd < 0)
        return tt_fail_errno(err, "create %s", temporary);
    status = score_file(scoring, err);
    if (close(scoring->fd) != 0 && status == TT_OK)
        status = tt_fail_errno(err, "close %s", temporary);
    if (status == TT_OK && rename(temporary, path) != 0)
        status = tt_fail_errno(err, "rename %s to %s", temporary, path);
    if (status != TT_OK)
        (void)unlink(temporary);
    return status;
}

static int report(const struct scoring *scoring, const struct tt_args *args)
{
    const char *path = tt_args_text(args, "out");
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, 1 << 20);
    if (tt_args_flag(args, "json")) {
        tt_buffer_append_str(&out, TT_STR("{\"out\":"));
        tt_json_write_text(tt_str(path), &out);
        tt_evaluate_put_count(&out, "rows", scoring->rows);
        tt_evaluate_put_count(&out, "rejected_rows", tt_table_rejected(scoring->table));
        tt_evaluate_put_count(&out, "anomalies", scoring->alarms);
        tt_evaluate_put(&out, "threshold", (double)scoring->threshold);
        tt_buffer_append_str(&out, TT_STR("}\n"));
    } else {
        tt_buffer_printf(&out,
                         "%s: %" PRIu64 " row%s, %" PRIu64
                         " at or over the threshold %.4f; %" PRIu64 " bad record%s left out\n",
                         path, scoring->rows, tt_plural(scoring->rows), scoring->alarms,
                         (double)scoring->threshold, tt_table_rejected(scoring->table),
                         tt_plural(tt_table_rejected(scoring->table)));
    }
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code;
}

static enum tt_status work(struct scoring *scoring, const struct tt_args *args,
                           struct tt_forest_model **ret_model, struct tt_error *err)
{
    static const char *const needed[] = {"model", "data", "out"};
    const char *path = tt_args_text(args, "out");
    enum tt_status status;

    for (size_t i = 0; i < TT_LENGTH(needed); i++)
        if (!tt_args_is_given(args, needed[i]))
            return tt_fail(err, TT_INVALID_CONFIG, "score needs --%s FILE", needed[i]);
    status = tt_forest_model_load(tt_args_text(args, "model"), ret_model, err);
    if (status != TT_OK)
        return status;
    scoring->model = *ret_model;
    scoring->data_path = tt_args_text(args, "data");
    status = prepare(scoring, args, err);
    if (status != TT_OK)
        return status;
    if (!tt_str_equal(tt_str(path), TT_STR("-")))
        return score_to_file(scoring, path, err);
    scoring->fd = STDOUT_FILENO;
    return score_file(scoring, err);
}

static void done(struct scoring *scoring)
{
    tt_table_close(scoring->table);
    tt_buffer_done(&scoring->texts);
    tt_buffer_done(&scoring->out);
    tt_free(scoring->indices);
    tt_free(scoring->x);
    tt_free(scoring->scores);
    tt_free(scoring->credit);
    tt_free(scoring->scratch);
    tt_free(scoring);
}

static int score(const struct tt_args *args)
{
    TT_CLEANUP(tt_forest_model_freep) struct tt_forest_model *model = NULL;
    struct scoring *scoring = tt_calloc(1, sizeof(*scoring));
    struct tt_error err;
    enum tt_status status;
    int code = TT_EXIT_DONE;

    if (scoring == NULL)
        return tt_cli_fail(TT_EXIT_FAILED, "out of memory");
    tt_buffer_init(&scoring->texts, 2 * TT_TABLE_MAX_RECORD + BATCH_BYTES);
    tt_buffer_init(&scoring->out, (size_t)64 << 20);
    status = work(scoring, args, &model, &err);
    if (status != TT_OK) {
        code = tt_cli_fail(status == TT_INVALID_CONFIG ? TT_EXIT_USAGE : TT_EXIT_FAILED, "%s",
                           err.message);
    } else {
        tell_texts(scoring);
        if (scoring->fd != STDOUT_FILENO)
            code = report(scoring, args);
    }
    done(scoring);
    return code;
}

static const struct tt_option options[] = {
    {.name = "model", .argument = "FILE", .type = TT_OPTION_FILE, .doc = "What train wrote."},
    {.name = "data",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "CSV with a header line: plain, gzip or zstd."},
    {.name = "out",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "The same rows with their scores, CSV; - for standard output."},
    {.name = "threshold",
     .argument = "SCORE",
     .type = TT_OPTION_NUMBER,
     .doc = "Instead of the model's: rows that score as much are anomalous."},
    {.name = "explain",
     .argument = "ROWS",
     .type = TT_OPTION_CHOICE,
     .choices = explain_choices,
     .def = "alarms",
     .doc = "Which rows get reasons; each costs some microseconds."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "End with one JSON object instead of text."},
};

extern const struct tt_command tt_command_score;
const struct tt_command tt_command_score = {
    .name = "score",
    .summary = "Score the rows of a CSV file with a trained model.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Writes every row as it was, in order, and behind it anomaly_score (0 to 1), "
        "anomaly_is_anomaly, anomaly_top_feature and anomaly_reasons: the features that made the "
        "score, each with the doublings of the odds (of the score, for models of depth) that it "
        "added. Columns are found by their names; data without one of the model's columns are "
        "refused. Records that do not fit the header are left out and told.",
    .run = score,
};
