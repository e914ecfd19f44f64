/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_stats.h"

#include "cli/dataset_csv.h"
#include "model/label.h"
#include "receivers/otlp_json_file/files.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SAMPLE      250000
#define BYTES_A_ROW 300 /* a guess, to find how sparse a sample may be */
#define TIME_BINS   64
#define LEAK        0.9

/* ---- counts by name ---- */

static struct tt_stats_count *count_of(struct tt_stats *stats, struct tt_map *map,
                                       struct tt_str name)
{
    struct tt_stats_count *count = tt_map_get(map, name);

    if (count != NULL)
        return count;
    count = tt_arena_calloc(&stats->arena, 1, sizeof(*count));
    if (count == NULL)
        return NULL;
    count->name = tt_arena_copy(&stats->arena, name);
    return count->name.data != NULL && tt_map_put(map, count->name, count) == TT_OK ? count : NULL;
}

static void count_row(struct tt_stats *stats, struct tt_map *map, struct tt_str name, bool labelled)
{
    struct tt_stats_count *count = count_of(stats, map, name);

    if (count == NULL)
        return;
    count->rows++;
    count->labelled += labelled;
}

static int most_rows_first(const void *a, const void *b)
{
    const struct tt_stats_count *const *left = a, *const *right = b;

    if ((*left)->rows != (*right)->rows)
        return (*left)->rows > (*right)->rows ? -1 : 1;
    return tt_str_compare((*left)->name, (*right)->name);
}

const struct tt_stats_count **tt_stats_sorted(struct tt_stats *stats, const struct tt_map *map)
{
    const struct tt_stats_count **sorted =
        tt_arena_calloc(&stats->arena, map->count + 1, sizeof(const struct tt_stats_count *));
    const struct tt_map_slot *slot;
    size_t position = 0, n = 0;

    if (sorted == NULL)
        return NULL;
    while ((slot = tt_map_next(map, &position)) != NULL)
        sorted[n++] = slot->value;
    qsort(sorted, n, sizeof(*sorted), most_rows_first);
    return sorted;
}

/* ---- columns ---- */

enum wanted { START, END, SERVICE, TRACE, SPAN, PARENT, TYPE, SOURCE, N_WANTED };
static const char *const wanted_names[N_WANTED] = {
    "start_time_ns", "end_time_ns",    "service_name", "trace_id",
    "span_id",       "parent_span_id", "anomaly_type", "label_source",
};

/* Not judged as leaks: the label itself, ids, and times, which have a judgement of their own. */
static bool is_judged(struct tt_str name)
{
    static const char *const not_judged[] = {
        "timestamp",      "start_time_ns",  "end_time_ns",   "trace_id",           "span_id",
        "parent_span_id", "anomaly_type",   "anomaly_label", "anomaly_root_cause", "anomaly_msg",
        "label_source",   "anomaly_active",
    };

    for (size_t i = 0; i < TT_LENGTH(not_judged); i++)
        if (tt_str_equal(name, tt_str(not_judged[i])))
            return false;
    return true;
}

/* Starts of sampled spans by class, to see whether time alone tells the classes apart. */
struct times {
    uint64_t *starts;
    bool *anomalous;
    size_t n, max;
};

/* One file that is being read. */
struct reading {
    struct tt_stats *stats;
    struct tt_csv *csv;
    enum tt_signal signal;
    size_t index[N_WANTED]; /* SIZE_MAX: the file has no such column */
    size_t n_columns;
    uint64_t stride, row;
    struct times *times;
};

/* The first file's columns are judged; files with others are left out of that. */
static enum tt_status judge_columns(struct reading *reading, const struct tt_str *cells,
                                    struct tt_error *err)
{
    struct tt_stats *stats = reading->stats;

    if (reading->signal != TT_TRACES || stats->columns != NULL)
        return TT_OK;
    stats->columns = tt_leaks_new(reading->n_columns);
    stats->column_names = tt_arena_calloc(&stats->arena, reading->n_columns, sizeof(struct tt_str));
    if (stats->columns == NULL || stats->column_names == NULL)
        return tt_fail(err, TT_NO_MEMORY, "judge columns");
    for (size_t i = 0; i < reading->n_columns; i++)
        stats->column_names[i] = tt_arena_copy(&stats->arena, cells[i]);
    stats->n_columns = reading->n_columns;
    return TT_OK;
}

static enum tt_status read_header(struct reading *reading, struct tt_error *err)
{
    const struct tt_str *cells;
    enum tt_status status = tt_csv_next(reading->csv, &cells, &reading->n_columns, err);

    if (status != TT_OK)
        return status;
    memset(reading->index, 0xFF, sizeof(reading->index));
    for (size_t i = 0; i < reading->n_columns; i++)
        for (size_t k = 0; k < N_WANTED; k++)
            if (tt_str_equal(cells[i], tt_str(wanted_names[k])))
                reading->index[k] = i;
    if (reading->index[TYPE] == SIZE_MAX || reading->index[SOURCE] == SIZE_MAX)
        return tt_fail(err, TT_INVALID_DATA,
                       "no columns anomaly_type and label_source: not a labeled dataset file");
    return judge_columns(reading, cells, err);
}

/* ---- rows ---- */

static struct tt_str cell(const struct reading *reading, const struct tt_str *cells,
                          enum wanted which)
{
    return reading->index[which] == SIZE_MAX ? (struct tt_str){NULL, 0}
                                             : cells[reading->index[which]];
}

static void sample(struct reading *reading, const struct tt_str *cells, uint64_t start_ns,
                   bool anomalous)
{
    struct tt_stats *stats = reading->stats;
    struct times *times = reading->times;

    for (size_t i = 0; i < reading->n_columns && reading->n_columns == stats->n_columns; i++)
        if (is_judged(stats->column_names[i]))
            tt_leaks_add(stats->columns, i, cells[i], anomalous);
    if (times->n < times->max) {
        times->starts[times->n] = start_ns;
        times->anomalous[times->n++] = anomalous;
    }
}

static enum tt_status read_span(struct reading *reading, const struct tt_str *cells,
                                struct tt_error *err)
{
    struct tt_stats *stats = reading->stats;
    struct tt_str type = cell(reading, cells, TYPE), source = cell(reading, cells, SOURCE);
    bool labelled = source.len > 0 && !tt_str_equal(source, TT_STR("none"));
    bool anomalous = tt_label_is_anomalous(type), unknown = tt_str_equal(type, TT_STR("unknown"));
    uint64_t start_ns = 0, end_ns = 0;

    (void)tt_str_to_uint64(cell(reading, cells, START), &start_ns);
    (void)tt_str_to_uint64(cell(reading, cells, END), &end_ns);
    stats->negative_durations += end_ns < start_ns;
    stats->labelled += labelled;
    stats->anomalous += anomalous;
    stats->unknown += unknown;
    stats->normal += !anomalous && !unknown;
    if (start_ns < stats->first_ns && start_ns > 0)
        stats->first_ns = start_ns;
    if (start_ns > stats->last_ns)
        stats->last_ns = start_ns;
    count_row(stats, &stats->services, cell(reading, cells, SERVICE), labelled);
    count_row(stats, &stats->types, type, labelled);
    count_row(stats, &stats->sources, source, labelled);
    if (reading->row % reading->stride == 0 && !unknown)
        sample(reading, cells, start_ns, anomalous);
    if (!tt_graph_add(stats->graph, cell(reading, cells, TRACE), cell(reading, cells, SPAN),
                      cell(reading, cells, PARENT), start_ns))
        return tt_fail(err, TT_NO_MEMORY, "keep %llu spans", (unsigned long long)stats->rows[0]);
    return TT_OK;
}

static enum tt_status read_rows(struct reading *reading, const char *path, struct tt_error *err)
{
    struct tt_stats *stats = reading->stats;
    unsigned signal = tt_signal_index(reading->signal);
    const struct tt_str *cells;
    size_t n;
    enum tt_status status;

    for (;; reading->row++) {
        status = tt_csv_next(reading->csv, &cells, &n, err);
        if (status != TT_OK || n == 0)
            return status;
        if (n != reading->n_columns)
            return tt_fail(err, TT_INVALID_DATA, "%s:%llu: %zu cells, but the header has %zu", path,
                           (unsigned long long)tt_csv_line(reading->csv), n, reading->n_columns);
        stats->rows[signal]++;
        if (reading->signal == TT_TRACES) {
            status = read_span(reading, cells, err);
        } else {
            struct tt_str source = cell(reading, cells, SOURCE);
            stats->labelled_rows[signal] += source.len > 0 && !tt_str_equal(source, TT_STR("none"));
        }
        if (status != TT_OK)
            return status;
    }
}

static enum tt_status read_file(struct tt_stats *stats, const char *path, enum tt_signal signal,
                                uint64_t stride, struct times *times, struct tt_error *err)
{
    struct reading reading = {.stats = stats, .signal = signal, .stride = stride, .times = times};
    enum tt_status status = tt_csv_open(path, &reading.csv, err);

    if (status != TT_OK)
        return status;
    status = read_header(&reading, err);
    if (status != TT_OK)
        tt_error_prefix(err, "%s", path);
    else
        status = read_rows(&reading, path, err);
    tt_csv_close(reading.csv);
    return status;
}

/* ---- leaks ---- */

static void add_leak(struct tt_stats *stats, struct tt_str column, double distance)
{
    size_t at = stats->n_leaks;

    if (distance < LEAK || at == TT_LENGTH(stats->leaks))
        return;
    while (at > 0 && stats->leaks[at - 1].distance < distance) {
        stats->leaks[at] = stats->leaks[at - 1];
        at--;
    }
    stats->leaks[at] = (struct tt_stats_leak){column, distance};
    stats->n_leaks++;
}

/* Total variation of the starts of both classes over equal pieces of the run. */
static double time_distance(const struct tt_stats *stats, const struct times *times)
{
    double bins[2][TIME_BINS] = {{0}}, total[2] = {0, 0}, shared = 0;
    uint64_t width = (stats->last_ns - stats->first_ns) / TIME_BINS + 1;

    for (size_t i = 0; i < times->n; i++) {
        uint64_t bin =
            times->starts[i] < stats->first_ns ? 0 : (times->starts[i] - stats->first_ns) / width;
        bins[times->anomalous[i]][bin] += 1;
        total[times->anomalous[i]] += 1;
    }
    if (total[0] < 100 || total[1] < 100)
        return -1;
    for (size_t i = 0; i < TIME_BINS; i++)
        shared += fmin(bins[0][i] / total[0], bins[1][i] / total[1]);
    return 1 - shared;
}

static void find_leaks(struct tt_stats *stats, const struct times *times)
{
    for (size_t i = 0; i < stats->n_columns; i++)
        if (is_judged(stats->column_names[i]))
            add_leak(stats, stats->column_names[i], tt_leaks_distance(stats->columns, i));
    if (stats->first_ns <= stats->last_ns)
        add_leak(stats, TT_STR("timestamp"), time_distance(stats, times));
}

/* ---- manifests ---- */

static void check_file(struct tt_stats *stats, const char *directory, const json_t *file)
{
    const char *name = json_string_value(json_object_get(file, "name"));
    char path[4096];
    struct stat info;

    if (name == NULL || strchr(name, '/') != NULL)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (stat(path, &info) != 0 ||
        info.st_size != json_integer_value(json_object_get(file, "bytes")))
        stats->changed_files++;
}

static void read_manifest(struct tt_stats *stats, const char *directory, const char *path)
{
    json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, NULL), *file;
    size_t i;

    if (manifest == NULL)
        return;
    stats->sets++;
    stats->recovered_sets += json_is_true(json_object_get(manifest, "recovered"));
    json_array_foreach(json_object_get(manifest, "files"), i, file)
        check_file(stats, directory, file);
    json_decref(manifest);
}

static enum tt_status list(const char *directory, const char *pattern, struct tt_files *files,
                           struct tt_error *err)
{
    char path[4096];
    const char *items[1] = {path};

    (void)snprintf(path, sizeof(path), "%s/%s", directory, pattern);
    return tt_files_list((struct tt_patterns){items, 1}, (struct tt_patterns){NULL, 0}, files, err);
}

static void read_manifests(struct tt_stats *stats, const char *directory)
{
    struct tt_files files;

    if (list(directory, "manifest_*.json", &files, NULL) == TT_OK) {
        for (size_t i = 0; i < files.count; i++)
            read_manifest(stats, directory, files.paths[i]);
        tt_files_done(&files);
    }
    if (list(directory, "*.csv.partial", &files, NULL) == TT_OK) {
        stats->unfinished_files = files.count;
        tt_files_done(&files);
    }
}

/* ---- the whole ---- */

static uint64_t stride_of(const struct tt_files *files)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < files->count; i++) {
        struct stat info;
        if (stat(files->paths[i], &info) == 0)
            bytes += (uint64_t)info.st_size;
    }
    return bytes / BYTES_A_ROW / SAMPLE + 1;
}

static enum tt_status read_signal(struct tt_stats *stats, const char *path, bool is_dir,
                                  enum tt_signal signal, struct times *times, struct tt_error *err)
{
    char pattern[32];
    const char *items[1] = {path};
    struct tt_files files;
    enum tt_status status;

    (void)snprintf(pattern, sizeof(pattern), "%s_labeled*.csv", tt_signal_name(signal));
    if (!is_dir && signal != TT_TRACES)
        return TT_OK;
    if (is_dir)
        status = list(path, pattern, &files, err);
    else
        status = tt_files_list((struct tt_patterns){items, 1}, (struct tt_patterns){NULL, 0},
                               &files, err);
    if (status != TT_OK)
        return status;
    for (size_t i = 0; i < files.count && status == TT_OK; i++)
        status = read_file(stats, files.paths[i], signal, stride_of(&files), times, err);
    stats->files += files.count;
    tt_files_done(&files);
    return status;
}

static enum tt_status read_all(struct tt_stats *stats, const char *path, bool is_dir,
                               struct times *times, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    for (unsigned i = 0; i < TT_SIGNAL_COUNT && status == TT_OK; i++)
        status = read_signal(stats, path, is_dir, tt_signal_at(i), times, err);
    if (status != TT_OK)
        return status;
    if (is_dir)
        read_manifests(stats, path);
    if (stats->files == 0)
        return tt_fail(
            err, TT_NOT_FOUND, "%s: no *_labeled_*.csv here%s", path,
            stats->unfinished_files > 0 ? "; files are still being written (*.csv.partial)" : "");
    tt_graph_count(stats->graph, &stats->spans);
    if (stats->columns != NULL)
        find_leaks(stats, times);
    return TT_OK;
}

enum tt_status tt_stats_read(struct tt_stats *stats, const char *path, struct tt_error *err)
{
    struct times times = {.max = 2 * SAMPLE};
    struct stat info;
    enum tt_status status;

    *stats = (struct tt_stats){.first_ns = UINT64_MAX};
    tt_arena_init(&stats->arena, 0, (size_t)64 << 20);
    tt_map_init(&stats->services, 100000);
    tt_map_init(&stats->types, 10000);
    tt_map_init(&stats->sources, 10000);
    if (stat(path, &info) != 0)
        return tt_fail_errno(err, "%s", path);
    stats->graph = tt_graph_new();
    times.starts = tt_calloc(times.max, sizeof(*times.starts));
    times.anomalous = tt_calloc(times.max, sizeof(*times.anomalous));
    if (stats->graph == NULL || times.starts == NULL || times.anomalous == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "read %s", path);
    else
        status = read_all(stats, path, S_ISDIR(info.st_mode), &times, err);
    tt_free(times.starts);
    tt_free(times.anomalous);
    return status;
}

void tt_stats_done(struct tt_stats *stats)
{
    tt_map_done(&stats->services);
    tt_map_done(&stats->types);
    tt_map_done(&stats->sources);
    tt_graph_free(stats->graph);
    tt_leaks_free(stats->columns);
    tt_arena_done(&stats->arena);
}
