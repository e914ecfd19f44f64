/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_stats.h"

#include "cli/dataset_csv.h"
#include "model/label.h"
#include "receivers/otlp_json_file/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SAMPLE       250000
#define BYTES_A_ROW  300 /* a guess, to find how sparse a sample may be */
#define MAX_SERVICES 100000
#define MAX_TYPES    200000
#define MAX_SOURCES  1000
#define MAX_COLUMNS  1024 /* described and judged; what is behind is only counted */
#define OTHERS       TT_STR("(others)")

/* ---- names ---- */

static bool grow_names(struct tt_names *names)
{
    size_t capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
    struct tt_stats_name **items;

    if (names->count < names->capacity)
        return true;
    items = tt_realloc(names->items, capacity, sizeof(struct tt_stats_name *));
    if (items == NULL)
        return false;
    names->items = items;
    names->capacity = capacity;
    return true;
}

/* The entry of a name; that of "(others)" when the table is full; NULL when memory is gone. */
static struct tt_stats_name *name_of(struct tt_stats *stats, struct tt_names *names,
                                     struct tt_str text)
{
    struct tt_stats_name *name = tt_map_get(&names->map, text);

    if (name == NULL && names->count >= names->limit) {
        text = OTHERS;
        name = tt_map_get(&names->map, text);
    }
    if (name != NULL)
        return name;
    name = tt_arena_calloc(&stats->arena, 1, sizeof(*name));
    if (name == NULL || !grow_names(names))
        return NULL;
    name->name = tt_arena_copy(&stats->arena, text);
    name->number = (uint32_t)names->count;
    if (name->name.data == NULL || tt_map_put(&names->map, name->name, name) != TT_OK)
        return NULL;
    names->items[names->count++] = name;
    return name;
}

/* A type, judged once: what it says, and which class it is for the columns. */
static struct tt_stats_name *type_of(struct tt_stats *stats, struct tt_str text)
{
    struct tt_stats_name *type = name_of(stats, &stats->types, text);

    if (type == NULL || type->rows > 0)
        return type;
    type->is_anomalous = tt_label_is_anomalous(type->name);
    type->is_unknown = tt_str_equal(type->name, TT_STR("unknown"));
    if (!type->is_anomalous)
        type->class = 0;
    else if (stats->n_classes + 2 < TT_LEAK_CLASSES)
        type->class = (uint32_t)++stats->n_classes;
    else
        type->class = TT_LEAK_CLASSES - 1;
    return type;
}

static int most_rows_first(const void *a, const void *b)
{
    const struct tt_stats_name *const *left = a, *const *right = b;

    if ((*left)->rows != (*right)->rows)
        return (*left)->rows > (*right)->rows ? -1 : 1;
    return tt_str_compare((*left)->name, (*right)->name);
}

const struct tt_stats_name **tt_names_sorted(struct tt_stats *stats, const struct tt_names *names)
{
    const struct tt_stats_name **sorted =
        tt_arena_calloc(&stats->arena, names->count + 1, sizeof(const struct tt_stats_name *));

    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < names->count; i++)
        sorted[i] = names->items[i];
    qsort(sorted, names->count, sizeof(*sorted), most_rows_first);
    return sorted;
}

/* ---- columns ---- */

enum wanted {
    START,
    END,
    SERVICE,
    TRACE,
    SPAN,
    PARENT,
    TYPE,
    SOURCE,
    KIND,
    STATUS,
    HTTP_STATUS,
    ACTIVE,
    METRIC,
    TEMPORALITY,
    VALUE,
    ATTRIBUTES,
    RESOURCE,
    N_WANTED
};
static const char *const wanted_names[N_WANTED] = {
    "start_time_ns",    "end_time_ns",         "service_name", "trace_id",    "span_id",
    "parent_span_id",   "anomaly_type",        "label_source", "span_kind",   "span_status",
    "http_status_code", "anomaly_active",      "metric_name",  "temporality", "value",
    "attributes",       "resource_attributes",
};

/* One file that is being read. */
struct reading {
    struct tt_stats *stats;
    struct tt_csv *csv;
    enum tt_signal signal;
    size_t index[N_WANTED]; /* SIZE_MAX: the file has no such column */
    size_t n_columns;
    uint64_t stride, row;
    bool is_described; /* its columns are those of the first file of spans */
};

static bool has_known_columns(const struct reading *reading, const struct tt_str *cells)
{
    const struct tt_columns *columns = reading->stats->columns;

    if (reading->n_columns != reading->stats->n_columns)
        return false;
    for (size_t i = 0; i < tt_columns_count(columns); i++)
        if (!tt_str_equal(cells[i], tt_columns_at(columns, i)->name))
            return false;
    return true;
}

/* Not judged as leaks: the label itself and ids; times and durations have judgements of their own. */
static bool is_judged(struct tt_str name)
{
    static const char *const not_judged[] = {
        "timestamp",          "start_time_ns", "end_time_ns",    "duration_ns",    "duration_ms",
        "trace_id",           "span_id",       "parent_span_id", "anomaly_type",   "anomaly_label",
        "anomaly_root_cause", "anomaly_msg",   "label_source",   "anomaly_active",
    };

    for (size_t i = 0; i < TT_LENGTH(not_judged); i++)
        if (tt_str_equal(name, tt_str(not_judged[i])))
            return false;
    return true;
}

/* The first file's columns are described; files with others are left out of that. */
static enum tt_status describe_columns(struct reading *reading, const struct tt_str *cells,
                                       struct tt_error *err)
{
    struct tt_stats *stats = reading->stats;
    size_t n = reading->n_columns < MAX_COLUMNS ? reading->n_columns : MAX_COLUMNS;

    if (reading->signal != TT_TRACES)
        return TT_OK;
    if (stats->columns == NULL) {
        stats->n_columns = reading->n_columns;
        stats->columns = tt_columns_new(&stats->arena, cells, n);
        stats->leaks = tt_leaks_new(n);
        stats->judged = tt_arena_calloc(&stats->arena, n + 1, sizeof(bool));
        if (stats->columns == NULL || stats->leaks == NULL || stats->judged == NULL)
            return tt_fail(err, TT_NO_MEMORY, "judge columns");
        for (size_t i = 0; i < n; i++)
            stats->judged[i] = is_judged(cells[i]);
    }
    reading->is_described = has_known_columns(reading, cells);
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
    return describe_columns(reading, cells, err);
}

/* ---- rows ---- */

static struct tt_str cell(const struct reading *reading, const struct tt_str *cells,
                          enum wanted which)
{
    return reading->index[which] == SIZE_MAX ? (struct tt_str){NULL, 0}
                                             : cells[reading->index[which]];
}

static uint8_t kind_of(struct tt_str text)
{
    static const struct {
        const char *name;
        enum tt_span_kind_code code;
    } kinds[] = {
        {"SERVER", TT_CODE_SERVER},     {"CLIENT", TT_CODE_CLIENT},
        {"INTERNAL", TT_CODE_INTERNAL}, {"PRODUCER", TT_CODE_PRODUCER},
        {"CONSUMER", TT_CODE_CONSUMER},
    };

    for (size_t i = 0; i < TT_LENGTH(kinds); i++)
        if (tt_str_equal(text, tt_str(kinds[i].name)))
            return (uint8_t)kinds[i].code;
    return TT_CODE_OTHER;
}

static bool is_error(const struct reading *reading, const struct tt_str *cells)
{
    struct tt_str code = cell(reading, cells, HTTP_STATUS);

    return tt_str_equal(cell(reading, cells, STATUS), TT_STR("ERROR")) ||
           (code.len == 3 && code.data[0] == '5');
}

static void count_name(struct tt_stats_name *name, bool labelled, bool has_evidence)
{
    name->rows++;
    name->labelled += labelled;
    name->evidence += has_evidence;
}

static bool judge_cells(const struct reading *reading, const struct tt_str *cells,
                        const struct tt_stats_name *type, const struct tt_graph_span *span)
{
    struct tt_stats *stats = reading->stats;
    size_t n_traces, n = tt_columns_count(stats->columns);
    const struct tt_graph_trace *traces = tt_graph_traces(stats->graph, &n_traces);

    if (!reading->is_described)
        return true;
    for (size_t i = 0; i < n; i++)
        tt_columns_add(stats->columns, i, cells[i]);
    if (reading->row % reading->stride != 0 || type->is_unknown || span->trace == TT_GRAPH_NONE)
        return true;
    stats->sampled++;
    for (size_t i = 0; i < n; i++)
        if (stats->judged[i] &&
            !tt_leaks_add(stats->leaks, i, cells[i], type->class, traces[span->trace].is_held_out))
            return false;
    return true;
}

static bool count_bystander(struct tt_stats *stats, struct tt_str active)
{
    struct tt_stats_name *name;

    if (!tt_label_is_anomalous(active))
        return true;
    stats->bystander_spans++;
    name = name_of(stats, &stats->bystanders, active);
    if (name != NULL)
        name->rows++;
    return name != NULL;
}

static void count_class(struct tt_stats *stats, const struct tt_stats_name *type, bool labelled)
{
    bool is_normal = !type->is_anomalous && !type->is_unknown;

    stats->labelled += labelled;
    stats->anomalous += type->is_anomalous;
    stats->unknown += type->is_unknown;
    stats->normal += is_normal;
    stats->labelled_normal += is_normal && labelled;
}

static void count_times(struct tt_stats *stats, uint64_t start_ns)
{
    if (start_ns < stats->first_ns && start_ns > 0)
        stats->first_ns = start_ns;
    if (start_ns > stats->last_ns)
        stats->last_ns = start_ns;
}

static bool has_evidence(struct tt_str source)
{
    return tt_str_equal(source, TT_STR("header")) || tt_str_equal(source, TT_STR("baggage")) ||
           tt_str_equal(source, TT_STR("attribute"));
}

static bool read_span(struct reading *reading, const struct tt_str *cells)
{
    struct tt_stats *stats = reading->stats;
    struct tt_str source_name = cell(reading, cells, SOURCE);
    struct tt_stats_name *source = name_of(stats, &stats->sources, source_name);
    struct tt_stats_name *type = type_of(stats, cell(reading, cells, TYPE));
    struct tt_stats_name *service = name_of(stats, &stats->services, cell(reading, cells, SERVICE));
    bool labelled = source_name.len > 0 && !tt_str_equal(source_name, TT_STR("none"));
    struct tt_graph_span span = {.kind = kind_of(cell(reading, cells, KIND))};
    const struct tt_graph_span *kept;
    uint64_t end_ns = 0;

    if (source == NULL || type == NULL || service == NULL)
        return false;
    (void)tt_str_to_uint64(cell(reading, cells, START), &span.start_ns);
    (void)tt_str_to_uint64(cell(reading, cells, END), &end_ns);
    span.duration_ns = end_ns > span.start_ns ? end_ns - span.start_ns : 0;
    span.service = service->number;
    span.type = type->number;
    span.flags = (uint8_t)((is_error(reading, cells) ? TT_SPAN_ERROR : 0) |
                           (labelled ? TT_SPAN_LABELLED : 0));
    stats->negative_durations += end_ns < span.start_ns;
    stats->errors += (span.flags & TT_SPAN_ERROR) != 0;
    count_times(stats, span.start_ns);
    count_class(stats, type, labelled);
    count_name(service, labelled, has_evidence(source_name));
    count_name(type, labelled, false);
    count_name(source, labelled, false);
    kept = tt_graph_add(stats->graph, cell(reading, cells, TRACE), cell(reading, cells, SPAN),
                        cell(reading, cells, PARENT), &span);
    return kept != NULL && judge_cells(reading, cells, type, kept) &&
           (type->is_anomalous || count_bystander(stats, cell(reading, cells, ACTIVE)));
}

static void read_other(struct reading *reading, const struct tt_str *cells)
{
    struct tt_str source = cell(reading, cells, SOURCE);
    struct tt_sdk_row row = {
        .service = cell(reading, cells, SERVICE),
        .name = cell(reading, cells, METRIC),
        .temporality = cell(reading, cells, TEMPORALITY),
        .start = cell(reading, cells, START),
        .value = cell(reading, cells, VALUE),
        .attributes = cell(reading, cells, ATTRIBUTES),
        .resource = cell(reading, cells, RESOURCE),
    };

    reading->stats->labelled_rows[tt_signal_index(reading->signal)] +=
        source.len > 0 && !tt_str_equal(source, TT_STR("none"));
    if (reading->signal == TT_METRICS)
        tt_sdk_add(&reading->stats->sdk, &row);
}

static enum tt_status read_rows(struct reading *reading, const char *path, struct tt_error *err)
{
    struct tt_stats *stats = reading->stats;
    const struct tt_str *cells;
    size_t n;

    for (;; reading->row++) {
        enum tt_status status = tt_csv_next(reading->csv, &cells, &n, err);
        if (status != TT_OK || n == 0)
            return status;
        if (n != reading->n_columns)
            return tt_fail(err, TT_INVALID_DATA, "%s:%llu: %zu cells, but the header has %zu", path,
                           (unsigned long long)tt_csv_line(reading->csv), n, reading->n_columns);
        stats->rows[tt_signal_index(reading->signal)]++;
        if (reading->signal != TT_TRACES)
            read_other(reading, cells);
        else if (!read_span(reading, cells))
            return tt_fail(err, TT_NO_MEMORY, "keep %llu spans",
                           (unsigned long long)stats->rows[0]);
    }
}

static enum tt_status read_file(struct tt_stats *stats, const char *path, enum tt_signal signal,
                                uint64_t stride, struct tt_error *err)
{
    struct reading reading = {.stats = stats, .signal = signal, .stride = stride};
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

static enum tt_status list_files(const char *path, bool is_dir, enum tt_signal signal,
                                 struct tt_files *files, struct tt_error *err)
{
    char pattern[32];

    (void)snprintf(pattern, sizeof(pattern), "%s_labeled*.csv", tt_signal_name(signal));
    return tt_files_list_in(path, is_dir ? pattern : NULL, files, err);
}

static enum tt_status read_signal(struct tt_stats *stats, const char *path, bool is_dir,
                                  enum tt_signal signal, struct tt_error *err)
{
    struct tt_files files;
    enum tt_status status;

    if (!is_dir && signal != TT_TRACES)
        return TT_OK;
    status = list_files(path, is_dir, signal, &files, err);
    if (status != TT_OK)
        return status;
    for (size_t i = 0; i < files.count && status == TT_OK; i++)
        status = read_file(stats, files.paths[i], signal, stride_of(&files), err);
    stats->files += files.count;
    tt_files_done(&files);
    return status;
}

static void init_names(struct tt_names *names, size_t limit)
{
    *names = (struct tt_names){.limit = limit};
    tt_map_init(&names->map, limit + 1);
}

enum tt_status tt_stats_read(struct tt_stats *stats, const char *path, struct tt_error *err)
{
    struct stat info;
    enum tt_status status = TT_OK;

    *stats = (struct tt_stats){.first_ns = UINT64_MAX};
    tt_arena_init(&stats->arena, 0, (size_t)256 << 20);
    init_names(&stats->services, MAX_SERVICES);
    init_names(&stats->types, MAX_TYPES);
    init_names(&stats->sources, MAX_SOURCES);
    init_names(&stats->bystanders, MAX_SOURCES);
    tt_sdk_init(&stats->sdk, &stats->arena);
    if (stat(path, &info) != 0)
        return tt_fail_errno(err, "%s", path);
    stats->graph = tt_graph_new();
    if (stats->graph == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read %s", path);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT && status == TT_OK; i++)
        status = read_signal(stats, path, S_ISDIR(info.st_mode), tt_signal_at(i), err);
    if (status != TT_OK)
        return status;
    tt_graph_link(stats->graph, &stats->spans);
    tt_sdk_finish(&stats->sdk);
    return TT_OK;
}

static void names_done(struct tt_names *names)
{
    tt_map_done(&names->map);
    tt_free(names->items);
}

void tt_stats_done(struct tt_stats *stats)
{
    names_done(&stats->services);
    names_done(&stats->types);
    names_done(&stats->sources);
    names_done(&stats->bystanders);
    tt_sdk_done(&stats->sdk);
    tt_graph_free(stats->graph);
    tt_columns_free(stats->columns);
    tt_leaks_free(stats->leaks);
    tt_arena_done(&stats->arena);
}
