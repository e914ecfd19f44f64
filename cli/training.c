/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/training.h"

#include "base/map.h"
#include "base/number.h"
#include "cli/features.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "detect/reservoir.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LOOK_EVERY = 4096, MIN_TEXTS = 64, TEXTS_A_HUNDRED = 1 };

const char *const tt_training_scores[] = {"combined", "depth", NULL};

/* A column that may become a feature. */
struct candidate {
    struct tt_str name;
    uint64_t missing, texts, text_line;
    const char *text_file; /* of the first text */
    char text[32];
    bool is_text; /* so many texts that its cells are no longer read */
};

struct reading {
    const struct tt_training_request *request;
    struct tt_training *training;
    struct candidate *candidates;
    uint32_t n, *columns; /* of the candidates in the file that is read */
    struct tt_reservoir *reservoir;
    size_t capacity; /* rows, when all are kept */
    float *row;
};

/* ---- options ---- */

enum tt_status tt_training_forest(const struct tt_args *args, struct tt_forest_options *ret_options,
                                  struct tt_error *err)
{
    struct tt_forest_options options = tt_forest_options_default();
    const uint64_t most = UINT32_MAX;
    uint64_t trees = tt_args_count(args, "trees"), sample = tt_args_count(args, "sample"),
             depth = tt_args_count(args, "max-depth");

    options.trees = (uint32_t)(trees < most ? trees : most);
    options.sample = (uint32_t)(sample < most ? sample : most);
    options.max_depth = (uint32_t)(depth < most ? depth : most);
    options.metric = tt_args_choice(args, "score") == 0 ? TT_METRIC_COMBINED : TT_METRIC_DEPTH;
    options.contamination = tt_args_number(args, "contamination");
    if (tt_args_is_given(args, "threshold")) {
        options.threshold = tt_args_number(args, "threshold");
        if (tt_args_is_given(args, "contamination"))
            return tt_fail(err, TT_INVALID_CONFIG, "--threshold and --contamination: give one");
        if (options.threshold <= 0 || options.threshold > 1)
            return tt_fail(err, TT_INVALID_CONFIG, "--threshold: %g is not over 0 and up to 1",
                           options.threshold);
    }
    *ret_options = options;
    return tt_forest_options_check(&options, err) == TT_OK ? TT_OK : TT_INVALID_CONFIG;
}

bool tt_label_is_anomalous(struct tt_str cell)
{
    static const char *const normal[] = {"", "none", "normal", "no", "false", "nan"};
    double number;

    cell = tt_str_trim(cell);
    for (size_t i = 0; i < TT_LENGTH(normal); i++)
        if (tt_str_equal_nocase(cell, tt_str(normal[i])))
            return false;
    if (tt_number_scan(cell.data, cell.data + cell.len, &number) == cell.data + cell.len)
        return number != 0;
    return true;
}

/* ---- which columns ---- */

/* Whether a list option names the column. */
static bool is_listed(const struct tt_args *args, const char *option, struct tt_str name)
{
    size_t position = 0;
    const char *value;

    while ((value = tt_args_next(args, option, &position)) != NULL)
        for (struct tt_str rest = tt_str(value); rest.data != NULL;)
            if (tt_str_equal(tt_str_trim(tt_str_cut(&rest, ',')), name))
                return true;
    return false;
}

/* A name that the option lists and the file does not have is a mistake, not a wish. */
static enum tt_status check_listed(const struct reading *reading, const struct tt_table *table,
                                   const char *option, bool are_features, struct tt_error *err)
{
    const struct tt_training_request *request = reading->request;
    size_t position = 0;
    const char *value;
    uint32_t column;

    while ((value = tt_args_next(request->args, option, &position)) != NULL) {
        for (struct tt_str rest = tt_str(value); rest.data != NULL;) {
            struct tt_str name = tt_str_trim(tt_str_cut(&rest, ','));
            const char *why = are_features ? tt_feature_refusal(name) : NULL;
            if (request->label_column != NULL && are_features &&
                tt_str_equal(name, tt_str(request->label_column)))
                why = "is the label";
            if (why != NULL)
                return tt_fail(err, TT_INVALID_CONFIG, "--%s: \"%.*s\" %s: no feature", option,
                               TT_STR_ARG(name), why);
            if (!tt_table_find(table, name, &column))
                return tt_fail(err, TT_INVALID_CONFIG, "--%s: there is no column \"%.*s\"", option,
                               TT_STR_ARG(name));
        }
    }
    return TT_OK;
}

static void leave_out(struct tt_training *training, struct tt_str name, const char *why)
{
    training->left_out[training->n_left_out++] =
        (struct tt_left_out){name, why == NULL ? "out of memory" : why};
}

/* Why a column cannot be a feature, whatever is in it; NULL: it may be. */
static const char *refusal(const struct tt_training_request *request, struct tt_str name)
{
    if (request->label_column != NULL && tt_str_equal(name, tt_str(request->label_column)))
        return "is the label";
    if (tt_feature_refusal(name) != NULL)
        return tt_feature_refusal(name);
    if (is_listed(request->args, "exclude", name))
        return "is excluded";
    if (tt_args_is_given(request->args, "columns") && !is_listed(request->args, "columns", name))
        return "is not among --columns";
    return NULL;
}

static enum tt_status choose_candidates(struct reading *reading, const struct tt_table *table,
                                        struct tt_error *err)
{
    struct tt_training *training = reading->training;
    struct tt_arena *arena = &training->arena;
    uint32_t count;
    const struct tt_str *names = tt_table_names(table, &count);
    enum tt_status status = check_listed(reading, table, "columns", true, err);

    if (status == TT_OK)
        status = check_listed(reading, table, "exclude", false, err);
    if (status != TT_OK)
        return status;
    reading->candidates = tt_arena_calloc(arena, count, sizeof(*reading->candidates));
    reading->columns = tt_arena_calloc(arena, count, sizeof(*reading->columns));
    reading->row = tt_arena_calloc(arena, count, sizeof(*reading->row));
    training->left_out = tt_arena_calloc(arena, count, sizeof(*training->left_out));
    if (reading->candidates == NULL || reading->columns == NULL || reading->row == NULL ||
        training->left_out == NULL)
        return tt_fail(err, TT_NO_MEMORY, "choose columns");
    for (uint32_t i = 0; i < count; i++) {
        const char *why = refusal(reading->request, names[i]);
        struct tt_str name = tt_arena_copy(arena, names[i]);
        if (name.data == NULL)
            return tt_fail(err, TT_NO_MEMORY, "choose columns");
        if (why != NULL)
            leave_out(training, name, why);
        else
            reading->candidates[reading->n++].name = name;
    }
    return TT_OK;
}

/* Where the candidates are in this file. */
static enum tt_status find_columns(struct reading *reading, struct tt_table *table,
                                   const char *path, struct tt_error *err)
{
    const char *label = reading->request->label_column;
    uint32_t label_index = 0;

    for (uint32_t i = 0; i < reading->n; i++)
        if (!tt_table_find(table, reading->candidates[i].name, &reading->columns[i]))
            return tt_fail(err, TT_INVALID_DATA,
                           "%s has no column \"%.*s\", which the first file has; use --columns or "
                           "--exclude",
                           path, TT_STR_ARG(reading->candidates[i].name));
    if (label != NULL && !tt_table_find(table, tt_str(label), &label_index))
        return tt_fail(err, TT_INVALID_DATA, "%s has no column \"%s\" for the label", path, label);
    return tt_table_select(table, reading->columns, reading->n, &label_index, label != NULL, err);
}

/* ---- rows ---- */

static enum tt_status make_reservoir(struct reading *reading, struct tt_error *err)
{
    size_t fit = TT_TRAINING_MAX_SAMPLE / (sizeof(float) * (reading->n + 1));
    uint32_t rows = reading->request->max_rows;

    rows = rows < fit ? rows : (uint32_t)fit;
    reading->reservoir = tt_reservoir_new(reading->n, rows, 0, reading->request->seed);
    return reading->reservoir == NULL ? tt_fail(err, TT_NO_MEMORY, "keep %u rows", rows) : TT_OK;
}

static enum tt_status grow(struct reading *reading, struct tt_error *err)
{
    struct tt_training *training = reading->training;
    size_t capacity = reading->capacity + reading->capacity / 2 + 4096;
    float *x;
    uint8_t *anomalous;

    if (capacity > TT_TRAINING_MAX_VALUES / reading->n)
        return tt_fail(err, TT_TOO_LARGE, "more than %zu values: too many to keep all rows",
                       TT_TRAINING_MAX_VALUES);
    x = tt_realloc(training->x, capacity, reading->n * sizeof(*x));
    training->x = x != NULL ? x : training->x;
    anomalous = tt_realloc(training->anomalous, capacity, sizeof(*anomalous));
    training->anomalous = anomalous != NULL ? anomalous : training->anomalous;
    if (x == NULL || anomalous == NULL)
        return tt_fail(err, TT_NO_MEMORY, "keep %zu rows", capacity);
    reading->capacity = capacity;
    return TT_OK;
}

static enum tt_status keep_row(struct reading *reading, const struct tt_table *table,
                               struct tt_error *err)
{
    struct tt_training *training = reading->training;
    size_t row = training->rows_read++;

    if (reading->reservoir != NULL) {
        tt_reservoir_add(reading->reservoir, reading->row, 0, 1.0);
        return TT_OK;
    }
    if (row == reading->capacity) {
        enum tt_status status = grow(reading, err);
        if (status != TT_OK)
            return status;
    }
    memcpy(training->x + row * reading->n, reading->row, reading->n * sizeof(float));
    training->anomalous[row] =
        reading->request->label_column != NULL && tt_label_is_anomalous(tt_table_texts(table)[0]);
    return TT_OK;
}

/* Cells of a column that is plainly text are not looked at any more. */
static void give_up_texts(struct reading *reading, struct tt_table *table)
{
    for (uint32_t i = 0; i < reading->n; i++) {
        const struct tt_table_column *found = tt_table_column(table, i);
        struct candidate *candidate = &reading->candidates[i];
        if (candidate->is_text || found->texts < MIN_TEXTS ||
            found->texts < (tt_table_rows(table) - found->missing) / 2)
            continue;
        candidate->is_text = true;
        tt_table_ignore(table, i);
    }
}

/* What this file's columns held goes into the candidates' account. */
static void add_counts(struct reading *reading, const struct tt_table *table, const char *path)
{
    for (uint32_t i = 0; i < reading->n; i++) {
        const struct tt_table_column *found = tt_table_column(table, i);
        struct candidate *candidate = &reading->candidates[i];
        if (candidate->texts == 0 && found->texts > 0) {
            candidate->text_file = path;
            candidate->text_line = found->text_line;
            memcpy(candidate->text, found->text, sizeof(candidate->text));
        }
        candidate->missing += found->missing;
        candidate->texts += found->texts;
    }
}

static enum tt_status read_rows(struct reading *reading, struct tt_table *table,
                                struct tt_progress *progress, struct tt_error *err)
{
    enum tt_status status;
    bool more;

    for (uint32_t i = 0; i < reading->n; i++)
        if (reading->candidates[i].is_text)
            tt_table_ignore(table, i);
    for (;;) {
        status = tt_table_read(table, reading->row, &more, err);
        if (status != TT_OK || !more)
            return status;
        status = keep_row(reading, table, err);
        if (status != TT_OK)
            return status;
        if (tt_table_rows(table) % LOOK_EVERY != 0)
            continue;
        give_up_texts(reading, table);
        tt_progress_show(progress, tt_table_part(table), tt_table_rows(table));
    }
}

static enum tt_status read_file(struct reading *reading, const char *path, struct tt_error *err)
{
    struct tt_progress progress;
    struct tt_table *table;
    enum tt_status status = tt_table_open(path, &table, err);

    if (status != TT_OK)
        return status;
    if (reading->candidates == NULL)
        status = choose_candidates(reading, table, err);
    if (status == TT_OK)
        status = find_columns(reading, table, path, err);
    if (status == TT_OK && reading->n == 0)
        status = tt_fail(err, TT_INVALID_DATA,
                         "%s: no column is left to learn from: all are labels, scores, ids, times "
                         "or excluded",
                         path);
    if (status == TT_OK && reading->n > TT_FOREST_MAX_COLUMNS)
        status = tt_fail(err, TT_TOO_LARGE,
                         "%s: %u columns to learn from, more than %d; use "
                         "--columns or --exclude",
                         path, reading->n, TT_FOREST_MAX_COLUMNS);
    if (status == TT_OK && reading->request->max_rows > 0 && reading->reservoir == NULL)
        status = make_reservoir(reading, err);
    if (status == TT_OK) {
        tt_progress_start(&progress, path, "rows");
        status = read_rows(reading, table, &progress, err);
        tt_progress_end(&progress);
        add_counts(reading, table, path);
        reading->training->rows_rejected += tt_table_rejected(table);
    }
    tt_table_close(table);
    return status;
}

static enum tt_status read_files(struct reading *reading, struct tt_error *err)
{
    const struct tt_args *args = reading->request->args;
    enum tt_status status = TT_OK;
    size_t position = 0;
    const char *path;

    while (status == TT_OK && (path = tt_args_next(args, "data", &position)) != NULL)
        status = read_file(reading, path, err);
    for (size_t i = 0; status == TT_OK && i < tt_args_n_operands(args); i++)
        status = read_file(reading, tt_args_operand(args, i), err);
    if (status == TT_OK && reading->training->rows_read == 0)
        status = tt_fail(err, TT_INVALID_DATA, "no row in the data (%" PRIu64 " left out)",
                         reading->training->rows_rejected);
    return status;
}

/* ---- features ---- */

/* Why a candidate is no feature after its values were seen; NULL: it is one. */
static const char *judge(struct reading *reading, const struct candidate *candidate)
{
    uint64_t rows = reading->training->rows_read;
    uint64_t filled = rows > candidate->missing ? rows - candidate->missing : 0;

    if (candidate->is_text ||
        (candidate->texts > 0 && candidate->texts * 100 > filled * TEXTS_A_HUNDRED)) {
        const char *why =
            tt_arena_printf(&reading->training->arena, "is text (\"%s\")", candidate->text);
        return why == NULL ? "is text" : why;
    }
    return filled == 0 ? "has no value" : NULL;
}

/* Why a candidate with numbers is none: an earlier feature is the same in another unit. Columns that were asked for by name stay. */
static enum tt_status judge_unit(struct reading *reading, const struct candidate *candidate,
                                 struct tt_map *quantities, const char **ret_why,
                                 struct tt_error *err)
{
    char text[TT_FEATURE_MAX_NAME];
    struct tt_str quantity = tt_feature_quantity(candidate->name, text);
    struct tt_arena *arena = &reading->training->arena;
    const struct candidate *earlier;

    *ret_why = NULL;
    if (quantity.len == 0 || tt_args_is_given(reading->request->args, "columns"))
        return TT_OK;
    earlier = tt_map_get(quantities, quantity);
    if (earlier == NULL) {
        quantity = tt_arena_copy(arena, quantity);
        if (quantity.data == NULL ||
            tt_map_put(quantities, quantity, (void *)(uintptr_t)candidate) != TT_OK)
            return tt_fail(err, TT_NO_MEMORY, "choose features");
        return TT_OK;
    }
    *ret_why = tt_arena_printf(arena, "is %.*s in another unit", TT_STR_ARG(earlier->name));
    return *ret_why == NULL ? tt_fail(err, TT_NO_MEMORY, "choose features") : TT_OK;
}

static void tell_texts(const struct candidate *candidate)
{
    if (candidate->texts > 0)
        (void)tt_cli_fail(TT_EXIT_DONE,
                          "%s:%" PRIu64 ": \"%s\" in column \"%.*s\" is no number; %" PRIu64
                          " such cells count as missing",
                          candidate->text_file, candidate->text_line, candidate->text,
                          TT_STR_ARG(candidate->name), candidate->texts);
}

/* Moves the values of the features together. */
static void compact(float *x, size_t rows, uint32_t from, const uint32_t *kept, uint32_t to)
{
    for (size_t row = 0; row < rows; row++)
        for (uint32_t i = 0; i < to; i++)
            x[row * to + i] = x[row * from + kept[i]];
}

/* Fills kept with the candidates that are features. */
static enum tt_status keep_features(struct reading *reading, struct tt_map *quantities,
                                    uint32_t *kept, uint32_t *ret_count, struct tt_error *err)
{
    struct tt_training *training = reading->training;
    enum tt_status status = TT_OK;
    uint32_t n = 0;

    for (uint32_t i = 0; i < reading->n; i++) {
        const struct candidate *candidate = &reading->candidates[i];
        const char *why = judge(reading, candidate);
        if (why != NULL && tt_args_is_given(reading->request->args, "columns"))
            return tt_fail(err, TT_INVALID_DATA, "--columns: \"%.*s\" %s",
                           TT_STR_ARG(candidate->name), why);
        if (why == NULL)
            status = judge_unit(reading, candidate, quantities, &why, err);
        if (status != TT_OK)
            return status;
        if (why != NULL) {
            leave_out(training, candidate->name, why);
            continue;
        }
        tell_texts(candidate);
        training->names[n] = candidate->name;
        kept[n++] = i;
    }
    *ret_count = n;
    return TT_OK;
}

static enum tt_status choose_features(struct reading *reading, struct tt_error *err)
{
    struct tt_training *training = reading->training;
    uint32_t *kept = reading->columns, n = 0; /* of the files no more needed */
    size_t rows = (size_t)training->rows_read;
    struct tt_map quantities;
    enum tt_status status;

    training->names = tt_arena_calloc(&training->arena, reading->n, sizeof(*training->names));
    if (training->names == NULL)
        return tt_fail(err, TT_NO_MEMORY, "choose features");
    tt_map_init(&quantities, reading->n);
    status = keep_features(reading, &quantities, kept, &n, err);
    tt_map_done(&quantities);
    if (status != TT_OK)
        return status;
    if (n == 0)
        return tt_fail(err, TT_INVALID_DATA, "no column has numbers to learn from");
    if (reading->reservoir != NULL) {
        rows = reading->reservoir->count;
        training->x = TT_TAKE(reading->reservoir->rows);
    }
    compact(training->x, rows, reading->n, kept, n);
    training->rows = (struct tt_rows){training->x, rows, n, n};
    return TT_OK;
}

enum tt_status tt_training_read(const struct tt_training_request *request,
                                struct tt_training *ret_training, struct tt_error *err)
{
    struct reading reading = {.request = request, .training = ret_training};
    enum tt_status status;

    *ret_training = (struct tt_training){0};
    tt_arena_init(&ret_training->arena, 0, 0);
    status = read_files(&reading, err);
    if (status == TT_OK)
        status = choose_features(&reading, err);
    tt_reservoir_free(reading.reservoir);
    if (status != TT_OK)
        tt_training_done(ret_training);
    return status;
}

void tt_training_done(struct tt_training *training)
{
    tt_free(training->x);
    tt_free(training->anomalous);
    tt_arena_done(&training->arena);
    *training = (struct tt_training){0};
}
