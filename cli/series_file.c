/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/series_file.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "cli/dataset_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_RECORD ((size_t)64 << 10)
#define MAX_SHIFT  (14 * 3600)
#define NOT_FOUND  SIZE_MAX

struct tt_str tt_file_name(struct tt_str path)
{
    struct tt_str last = path;

    while (path.data != NULL)
        last = tt_str_cut(&path, '/');
    return last;
}

/* ---- cells ---- */

/* Seconds until the year 5138 are below 1e11, milliseconds below 1e14, microseconds below 1e17. */
static bool parse_unix(struct tt_str text, int64_t *ret_ns)
{
    double seconds, unit;
    uint64_t whole;

    if (tt_str_to_uint64(text, &whole)) {
        uint64_t by = whole < 100000000000         ? 1000000000
                      : whole < 100000000000000    ? 1000000
                      : whole < 100000000000000000 ? 1000
                                                   : 1;
        return !__builtin_mul_overflow(whole, by, ret_ns);
    }
    if (!tt_str_to_double(text, &seconds) || !(seconds >= 0.0) || seconds >= 9e18)
        return false;
    unit = seconds < 1e11 ? 1e9 : seconds < 1e14 ? 1e6 : seconds < 1e17 ? 1e3 : 1.0;
    if (seconds * unit >= 9.2e18)
        return false;
    *ret_ns = (int64_t)(seconds * unit);
    return true;
}

bool tt_series_time_parse(struct tt_str text, int64_t *ret_ns)
{
    uint64_t wall_ns;

    if (tt_time_parse(text, &wall_ns)) {
        if (wall_ns > INT64_MAX)
            return false;
        *ret_ns = (int64_t)wall_ns;
        return true;
    }
    return parse_unix(text, ret_ns);
}

static bool parse_value(struct tt_str text, double *ret_value)
{
    static const char *const missing[] = {"na", "n/a", "null", "none", "-"};

    *ret_value = (double)NAN;
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < TT_LENGTH(missing); i++)
        if (tt_str_equal_nocase(text, tt_str(missing[i])))
            return true;
    if (!tt_str_to_double(text, ret_value))
        return false;
    if (!isfinite(*ret_value))
        *ret_value = (double)NAN;
    return true;
}

bool tt_zone_offset_parse(struct tt_str text, int32_t *ret_seconds)
{
    int32_t number[2] = {0, 0};
    size_t digits = 0, part = 0;
    bool east;

    if (tt_str_equal_nocase(text, TT_STR("z")) || tt_str_equal_nocase(text, TT_STR("utc"))) {
        *ret_seconds = 0;
        return true;
    }
    if (text.len < 2 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    east = text.data[0] == '+';
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];
        if (c == ':' && part == 0 && digits > 0) {
            digits = 0;
            part = 1;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        if (digits == 2 && part == 0) {
            digits = 0;
            part = 1;
        }
        if (++digits > 2)
            return false;
        number[part] = number[part] * 10 + (c - '0');
    }
    if ((part == 1 && digits != 2) || number[1] > 59)
        return false;
    *ret_seconds = (number[0] * 3600 + number[1] * 60) * (east ? 1 : -1);
    return number[0] * 3600 + number[1] * 60 <= MAX_SHIFT;
}

/* ---- columns ---- */

struct layout {
    size_t time, value, cells;
};

static size_t find_column(const struct tt_str *names, size_t count, struct tt_str name)
{
    for (size_t i = 0; i < count; i++)
        if (tt_str_equal_nocase(tt_str_trim(names[i]), name))
            return i;
    return NOT_FOUND;
}

static size_t find_usual(const struct tt_str *names, size_t count, const char *const *usual,
                         size_t n_usual)
{
    for (size_t i = 0; i < n_usual; i++) {
        size_t found = find_column(names, count, tt_str(usual[i]));
        if (found != NOT_FOUND)
            return found;
    }
    return NOT_FOUND;
}

static enum tt_status unknown_column(const char *path, const char *what, const char *wanted,
                                     const struct tt_str *names, size_t count, struct tt_error *err)
{
    char text[200];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count && len + 1 < sizeof(text); i++) {
        struct tt_str name = tt_str_trim(names[i]);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i > 0 ? ", " : "",
                                (int)(name.len > 40 ? 40 : name.len), name.data);
    }
    if (wanted != NULL)
        return tt_fail(err, TT_INVALID_DATA, "%s:1: no column \"%s\" for the %s among: %s", path,
                       wanted, what, text);
    return tt_fail(err, TT_INVALID_DATA, "%s:1: which column is the %s? Name one of: %s", path,
                   what, text);
}

static bool is_data(const struct tt_str *cells, size_t count)
{
    int64_t time_ns;
    double value;

    return count == 2 && tt_series_time_parse(tt_str_trim(cells[0]), &time_ns) &&
           parse_value(tt_str_trim(cells[1]), &value);
}

static enum tt_status find_time(const char *path, const char *wanted, const struct tt_str *names,
                                struct layout *layout, struct tt_error *err)
{
    static const char *const usual[] = {"timestamp", "time", "ts", "ds", "date", "datetime"};

    if (wanted != NULL)
        layout->time = find_column(names, layout->cells, tt_str(wanted));
    else
        layout->time = find_usual(names, layout->cells, usual, TT_LENGTH(usual));
    if (layout->time == NOT_FOUND && wanted == NULL && layout->cells == 2)
        layout->time = 0;
    if (layout->time == NOT_FOUND)
        return unknown_column(path, "time", wanted, names, layout->cells, err);
    return TT_OK;
}

static enum tt_status find_value(const char *path, const char *wanted, const struct tt_str *names,
                                 struct layout *layout, struct tt_error *err)
{
    static const char *const usual[] = {"value", "y", "values"};

    if (wanted != NULL)
        layout->value = find_column(names, layout->cells, tt_str(wanted));
    else
        layout->value = find_usual(names, layout->cells, usual, TT_LENGTH(usual));
    if (layout->value == NOT_FOUND && wanted == NULL && layout->cells == 2)
        layout->value = 1 - layout->time;
    if (layout->value == NOT_FOUND || layout->value == layout->time)
        return unknown_column(path, "value", wanted, names, layout->cells, err);
    return TT_OK;
}

/* ---- rows ---- */

struct reader {
    const char *path;
    struct tt_csv *csv;
    struct tt_series_file *series;
    struct layout layout;
    size_t capacity;
    int64_t newest_ns;
};

static enum tt_status make_room(struct reader *reader, struct tt_error *err)
{
    struct tt_series_file *series = reader->series;
    size_t capacity = reader->capacity == 0 ? 4096 : 2 * reader->capacity;
    int64_t *times;
    double *values;

    if (series->count < reader->capacity)
        return TT_OK;
    if (series->count >= TT_SERIES_FILE_MAX_POINTS)
        return tt_fail(err, TT_TOO_LARGE, "%s: more than %zu points", reader->path,
                       TT_SERIES_FILE_MAX_POINTS);
    times = tt_realloc(series->time_ns, capacity, sizeof(*times));
    if (times != NULL)
        series->time_ns = times;
    values = tt_realloc(series->values, capacity, sizeof(*values));
    if (values != NULL)
        series->values = values;
    if (times == NULL || values == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read %s", reader->path);
    reader->capacity = capacity;
    return TT_OK;
}

static void add_point(struct reader *reader, int64_t time_ns, double value)
{
    struct tt_series_file *series = reader->series;

    if (series->count > 0 && time_ns < reader->newest_ns)
        series->late++;
    if (series->count > 0 && time_ns == reader->newest_ns)
        series->equal++;
    if (series->count == 0 || time_ns > reader->newest_ns)
        reader->newest_ns = time_ns;
    series->missing += isnan(value) ? 1 : 0;
    series->time_ns[series->count] = time_ns;
    series->values[series->count++] = value;
}

static enum tt_status read_row(struct reader *reader, const struct tt_str *cells, size_t count,
                               struct tt_error *err)
{
    unsigned long long line = tt_csv_line(reader->csv);
    enum tt_status status = make_room(reader, err);
    struct tt_str text;
    int64_t time_ns;
    double value;

    if (status != TT_OK)
        return status;
    if (count != reader->layout.cells)
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: %zu cells, not %zu", reader->path, line,
                       count, reader->layout.cells);
    text = tt_str_trim(cells[reader->layout.time]);
    if (!tt_series_time_parse(text, &time_ns))
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: \"%.*s\" is not a time", reader->path, line,
                       (int)(text.len > 60 ? 60 : text.len), text.data);
    text = tt_str_trim(cells[reader->layout.value]);
    if (!parse_value(text, &value))
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: \"%.*s\" is not a number", reader->path,
                       line, (int)(text.len > 60 ? 60 : text.len), text.data);
    add_point(reader, time_ns, value);
    return TT_OK;
}

/* The first record: names, or already a point. */
static enum tt_status read_header(struct reader *reader, const char *time_column,
                                  const char *value_column, const struct tt_str *cells,
                                  size_t count, struct tt_error *err)
{
    enum tt_status status;

    reader->layout = (struct layout){0, 1, count};
    if (time_column == NULL && value_column == NULL && is_data(cells, count))
        return read_row(reader, cells, count, err);
    status = find_time(reader->path, time_column, cells, &reader->layout, err);
    if (status == TT_OK)
        status = find_value(reader->path, value_column, cells, &reader->layout, err);
    return status;
}

static bool is_blank(const struct tt_str *cells, size_t count)
{
    return count == 1 && tt_str_trim(cells[0]).len == 0;
}

static enum tt_status read_rows(struct reader *reader, const char *time_column,
                                const char *value_column, struct tt_error *err)
{
    const struct tt_str *cells;
    bool is_first = true;
    size_t count;

    for (;;) {
        enum tt_status status = tt_csv_next(reader->csv, &cells, &count, err);
        if (status != TT_OK || count == 0)
            return status;
        if (is_blank(cells, count))
            continue;
        status = is_first ? read_header(reader, time_column, value_column, cells, count, err)
                          : read_row(reader, cells, count, err);
        if (status != TT_OK)
            return status;
        is_first = false;
    }
}

enum tt_status tt_series_file_read(const char *path, const char *time_column,
                                   const char *value_column, struct tt_series_file *ret_series,
                                   struct tt_error *err)
{
    struct reader reader = {.path = path, .series = ret_series};
    enum tt_status status;

    *ret_series = (struct tt_series_file){0};
    status = tt_csv_open(path, &reader.csv, err);
    if (status != TT_OK)
        return status;
    tt_csv_limit(reader.csv, MAX_RECORD);
    status = read_rows(&reader, time_column, value_column, err);
    tt_csv_close(reader.csv);
    if (status != TT_OK)
        tt_series_file_done(ret_series);
    return status;
}

void tt_series_file_done(struct tt_series_file *series)
{
    tt_free(series->time_ns);
    tt_free(series->values);
    *series = (struct tt_series_file){0};
}

/* ---- the usual step ---- */

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t tt_series_file_step(const struct tt_series_file *series)
{
    size_t count = 0, looked_at = series->count < 10001 ? series->count : 10001;
    int64_t *steps = tt_calloc(looked_at + 1, sizeof(*steps)), step = 0;

    if (steps == NULL)
        return 0;
    for (size_t i = 1; i < looked_at; i++)
        if (series->time_ns[i] > series->time_ns[i - 1])
            steps[count++] = series->time_ns[i] - series->time_ns[i - 1];
    qsort(steps, count, sizeof(*steps), compare_steps);
    if (count > 0)
        step = steps[count / 2];
    tt_free(steps);
    return step;
}
