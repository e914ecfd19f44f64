/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nab_corpus.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/dataset_csv.h"
#include "cli/save.h"

#include <math.h>
#include <unistd.h>

#define SHOW_EVERY 1024 /* points */
#define MAX_RESULT ((size_t)4 << 30)

/* ---- paths ---- */

/* A NUL-terminated path in a buffer of its own. */
static enum tt_status join(struct tt_buffer *path, struct tt_error *err, const char *directory,
                           struct tt_str name)
{
    tt_buffer_clear(path);
    tt_buffer_append_str(path, tt_str(directory));
    if (name.len > 0)
        tt_buffer_append_byte(path, '/');
    tt_buffer_append_str(path, name);
    tt_buffer_append_byte(path, '\0');
    return tt_buffer_check(path, directory, err);
}

struct tt_str tt_nab_category(const struct tt_nab_entry *entry)
{
    struct tt_str name = tt_str(entry->label->name);
    size_t slash = tt_str_find(name, '/');

    return slash == name.len ? tt_str_of(name.data, 0) : tt_str_of(name.data, slash);
}

/* ---- reading ---- */

static size_t category_of(struct tt_nab_corpus *corpus, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (tt_str_equal(tt_nab_category(&corpus->entries[k]),
                         tt_nab_category(&corpus->entries[i])))
            return corpus->entries[k].category;
    return corpus->categories++;
}

static enum tt_status add_entry(struct tt_nab_corpus *corpus, const char *path,
                                const struct tt_nab_label *label, struct tt_error *err)
{
    struct tt_nab_entry *entry = &corpus->entries[corpus->count];
    enum tt_status status = tt_series_file_read(path, NULL, NULL, &entry->file, err);

    if (status != TT_OK)
        return status;
    entry->label = label;
    entry->category = category_of(corpus, corpus->count);
    entry->scores = tt_calloc(entry->file.count + 1, sizeof(*entry->scores));
    corpus->series[corpus->count++] = (struct tt_nab_series){
        entry->file.time_ns, entry->scores, entry->file.count, label->windows, label->count};
    corpus->rows += entry->file.count;
    corpus->windows += label->count;
    return entry->scores == NULL ? tt_fail(err, TT_NO_MEMORY, "read %s", path) : TT_OK;
}

static enum tt_status read_entries(struct tt_nab_corpus *corpus, const char *data_dir,
                                   struct tt_buffer *path, struct tt_error *err)
{
    for (size_t i = 0; i < corpus->labels.count; i++) {
        const struct tt_nab_label *label = &corpus->labels.items[i];
        enum tt_status status = join(path, err, data_dir, tt_str(label->name));
        if (status != TT_OK)
            return status;
        if (access(path->data, F_OK) != 0) {
            corpus->missing++;
            continue;
        }
        status = add_entry(corpus, path->data, label, err);
        if (status != TT_OK)
            return status;
    }
    return TT_OK;
}

enum tt_status tt_nab_corpus_read(const char *data_dir, const char *labels_path,
                                  struct tt_nab_corpus *ret_corpus, struct tt_error *err)
{
    struct tt_buffer path;
    enum tt_status status;

    *ret_corpus = (struct tt_nab_corpus){0};
    status = tt_nab_labels_read(labels_path, &ret_corpus->labels, err);
    if (status != TT_OK)
        return status;
    ret_corpus->entries = tt_calloc(ret_corpus->labels.count + 1, sizeof(*ret_corpus->entries));
    ret_corpus->series = tt_calloc(ret_corpus->labels.count + 1, sizeof(*ret_corpus->series));
    tt_buffer_init(&path, 8192);
    if (ret_corpus->entries == NULL || ret_corpus->series == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "read %s", data_dir);
    else
        status = read_entries(ret_corpus, data_dir, &path, err);
    tt_buffer_done(&path);
    if (status == TT_OK && ret_corpus->count == 0)
        status = tt_fail(err, TT_NOT_FOUND, "none of the %zu files that %s names is in %s",
                         ret_corpus->labels.count, labels_path, data_dir);
    if (status != TT_OK)
        tt_nab_corpus_done(ret_corpus);
    return status;
}

void tt_nab_corpus_done(struct tt_nab_corpus *corpus)
{
    /* An entry that failed half way is not counted yet. */
    for (size_t i = 0; corpus->entries != NULL && i < corpus->labels.count; i++) {
        tt_series_file_done(&corpus->entries[i].file);
        tt_free(corpus->entries[i].scores);
    }
    tt_free(corpus->entries);
    tt_free(corpus->series);
    tt_nab_labels_done(&corpus->labels);
    *corpus = (struct tt_nab_corpus){0};
}

/* ---- our scores ---- */

enum tt_status tt_nab_corpus_score(struct tt_nab_corpus *corpus,
                                   const struct tt_series_options *options, uint64_t seed,
                                   struct tt_progress *progress, struct tt_error *err)
{
    void *memory = tt_malloc(tt_series_size(options->precision));
    struct tt_series_verdict verdict;
    uint64_t done = 0;

    if (memory == NULL)
        return tt_fail(err, TT_NO_MEMORY, "score");
    for (size_t i = 0; i < corpus->count; i++) {
        struct tt_series *series = tt_series_init(memory, options, seed);
        const struct tt_series_file *file = &corpus->entries[i].file;
        for (size_t row = 0; row < file->count; row++) {
            tt_series_push(series, file->time_ns[row], file->values[row], &verdict);
            corpus->entries[i].scores[row] = (double)verdict.alarm_score;
            if (++done % SHOW_EVERY == 0)
                tt_progress_show(progress, (double)done / (double)corpus->rows, done);
        }
    }
    tt_free(memory);
    return TT_OK;
}

/* ---- scores of others ---- */

struct given {
    struct tt_nab_corpus *corpus;
    const char *path;
    size_t columns, file, row, score;
    struct tt_nab_entry *last; /* rows of one file stand together */
};

static struct tt_nab_entry *find_entry(struct given *given, struct tt_str name)
{
    if (given->last != NULL && tt_str_equal(tt_str(given->last->label->name), name))
        return given->last;
    for (size_t i = 0; i < given->corpus->count; i++)
        if (tt_str_equal(tt_str(given->corpus->entries[i].label->name), name))
            return given->last = &given->corpus->entries[i];
    return NULL;
}

static enum tt_status read_names(struct given *given, const struct tt_str *cells, size_t count,
                                 struct tt_error *err)
{
    given->columns = count;
    given->file = given->row = given->score = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct tt_str name = tt_str_trim(cells[i]);
        if (tt_str_equal(name, TT_STR("file")))
            given->file = i;
        else if (tt_str_equal(name, TT_STR("row")))
            given->row = i;
        else if (tt_str_equal(name, TT_STR("score")) || tt_str_equal(name, TT_STR("anomaly_score")))
            given->score = i;
    }
    if (given->file == SIZE_MAX || given->row == SIZE_MAX || given->score == SIZE_MAX)
        return tt_fail(err, TT_INVALID_DATA, "%s:1: needs the columns file, row and score",
                       given->path);
    return TT_OK;
}

static enum tt_status read_score(struct given *given, const struct tt_str *cells, size_t count,
                                 unsigned long long line, struct tt_error *err)
{
    struct tt_nab_entry *entry;
    uint64_t row = 0;
    double score = 0.0;

    if (count != given->columns)
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: %zu cells, not %zu", given->path, line,
                       count, given->columns);
    entry = find_entry(given, tt_str_trim(cells[given->file]));
    if (entry == NULL)
        return TT_OK;
    if (!tt_str_to_uint64(tt_str_trim(cells[given->row]), &row) || row >= entry->file.count)
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: not a row of %s, which has %zu", given->path,
                       line, entry->label->name, entry->file.count);
    if (!tt_str_to_double(tt_str_trim(cells[given->score]), &score) || isnan(score))
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: not a score", given->path, line);
    if (!isnan(entry->scores[row]))
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: row %llu of %s occurs twice", given->path,
                       line, (unsigned long long)row, entry->label->name);
    entry->scores[row] = score;
    return TT_OK;
}

static enum tt_status read_scores(struct given *given, struct tt_csv *csv, struct tt_error *err)
{
    const struct tt_str *cells;
    bool is_first = true;
    size_t count;

    for (;;) {
        enum tt_status status = tt_csv_next(csv, &cells, &count, err);
        if (status != TT_OK || count == 0)
            return status;
        status = is_first ? read_names(given, cells, count, err)
                          : read_score(given, cells, count, tt_csv_line(csv), err);
        if (status != TT_OK)
            return status;
        is_first = false;
    }
}

static enum tt_status check_complete(const struct given *given, struct tt_error *err)
{
    for (size_t i = 0; i < given->corpus->count; i++) {
        const struct tt_nab_entry *entry = &given->corpus->entries[i];
        for (size_t row = 0; row < entry->file.count; row++)
            if (isnan(entry->scores[row]))
                return tt_fail(err, TT_INVALID_DATA, "%s: no score for row %zu of %s", given->path,
                               row, entry->label->name);
    }
    return TT_OK;
}

enum tt_status tt_nab_corpus_load_scores(struct tt_nab_corpus *corpus, const char *path,
                                         struct tt_error *err)
{
    struct given given = {.corpus = corpus, .path = path};
    enum tt_status status;
    struct tt_csv *csv;

    /* NaN: not given yet. */
    for (size_t i = 0; i < corpus->count; i++)
        for (size_t row = 0; row < corpus->entries[i].file.count; row++)
            corpus->entries[i].scores[row] = (double)NAN;
    status = tt_csv_open(path, &csv, err);
    if (status != TT_OK)
        return status;
    status = read_scores(&given, csv, err);
    tt_csv_close(csv);
    return status == TT_OK ? check_complete(&given, err) : status;
}

/* ---- results ---- */

static bool is_labelled(const struct tt_nab_label *label, int64_t time_ns)
{
    for (size_t i = 0; i < label->count; i++)
        if (time_ns >= label->windows[i].first_ns && time_ns <= label->windows[i].last_ns)
            return true;
    return false;
}

/* "2014-04-10 07:15:00", with decimals only when there are some. */
static void put_time(struct tt_buffer *out, int64_t time_ns)
{
    char text[32];
    size_t len = tt_time_format((uint64_t)time_ns, time_ns % TT_SECOND == 0 ? 0 : 6, text);

    text[10] = ' ';
    tt_buffer_append(out, text, len - 1);
}

static void put_results(const struct tt_nab_entry *entry, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("timestamp,value,anomaly_score,label\n"));
    for (size_t row = 0; row < entry->file.count; row++) {
        put_time(out, entry->file.time_ns[row]);
        tt_buffer_append_byte(out, ',');
        if (!isnan(entry->file.values[row]))
            tt_buffer_append_double(out, entry->file.values[row]);
        tt_buffer_append_byte(out, ',');
        tt_buffer_append_double(out, entry->scores[row]);
        tt_buffer_append_str(out, is_labelled(entry->label, entry->file.time_ns[row])
                                      ? TT_STR(",1\n")
                                      : TT_STR(",0\n"));
    }
}

/* The folder and then the file's name: everything before the last slash, and "telltale_" before what follows it. */
static enum tt_status write_entry(const struct tt_nab_entry *entry, const char *directory,
                                  struct tt_buffer *path, struct tt_error *err)
{
    struct tt_str name = tt_str(entry->label->name), folder;
    size_t slash = name.len;
    struct tt_buffer text;
    enum tt_status status;

    while (slash > 0 && name.data[slash - 1] != '/')
        slash--;
    folder = tt_str_of(name.data, slash == 0 ? 0 : slash - 1);
    status = join(path, err, directory, folder);
    if (status == TT_OK)
        status = tt_make_directories(path->data, 0755, err);
    if (status != TT_OK)
        return status;
    path->len--;
    tt_buffer_append_str(path, TT_STR("/telltale_"));
    tt_buffer_append_str(path, tt_str_of(name.data + slash, name.len - slash));
    tt_buffer_append_byte(path, '\0');
    status = tt_buffer_check(path, directory, err);
    tt_buffer_init(&text, MAX_RESULT);
    if (status == TT_OK) {
        put_results(entry, &text);
        status = tt_save_file(path->data, &text, err);
    }
    tt_buffer_done(&text);
    return status;
}

enum tt_status tt_nab_corpus_write(const struct tt_nab_corpus *corpus, const char *directory,
                                   struct tt_error *err)
{
    enum tt_status status = TT_OK;
    struct tt_buffer path;

    tt_buffer_init(&path, 8192);
    for (size_t i = 0; i < corpus->count && status == TT_OK; i++)
        status = write_entry(&corpus->entries[i], directory, &path, err);
    tt_buffer_done(&path);
    return status;
}
