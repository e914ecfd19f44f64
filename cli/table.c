/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/number.h"
#include "cli/cli.h"
#include "cli/dataset_csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MAX_TOLD = 20 };

/* What is done with one column of a record. */
struct step {
    uint32_t column, target; /* target: index in the row or the texts */
    bool is_text, ignored;
};

struct tt_table {
    const char *path;
    struct tt_csv *csv;
    struct tt_arena arena;
    struct tt_map index; /* name to &names[i] */
    struct tt_str *names;
    uint32_t n_columns, n_steps;
    struct step *steps; /* by column */
    struct tt_table_column *columns;
    struct tt_str record, *texts;
    uint64_t rows, rejected, file_bytes;
};

/* ---- the header ---- */

static bool is_number(struct tt_str cell)
{
    double value;

    return tt_str_to_double(tt_str_trim(cell), &value);
}

/* Whether these are values and not names. A header 0, 1, 2, … is what pandas gives columns without names. */
static bool looks_like_values(const struct tt_str *cells, size_t count)
{
    bool counts_up = true;

    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        if (cells[i].len > 0 && !is_number(cells[i]))
            return false;
        counts_up &= tt_str_to_uint64(cells[i], &number) && number == i;
    }
    return !counts_up;
}

static enum tt_status check_header(const struct tt_table *table, const struct tt_str *cells,
                                   size_t count, struct tt_error *err)
{
    const char *path = table->path;

    if (count == 0 || (count == 1 && cells[0].len == 0))
        return tt_fail(err, TT_INVALID_DATA, "%s:1: no header: the file is empty", path);
    for (size_t i = 0; i < count; i++) {
        if (cells[i].len == 0) /* its data may be NULL */
            continue;
        if (memchr(cells[i].data, '\0', cells[i].len) != NULL)
            return tt_fail(err, TT_INVALID_DATA, "%s:1: column %zu: a NUL byte in a name", path,
                           i + 1);
        if (memchr(cells[i].data, '\r', cells[i].len) != NULL)
            return tt_fail(err, TT_INVALID_DATA, "%s:1: lines end with CR alone; use LF or CRLF",
                           path);
    }
    if (count == 1 &&
        (tt_str_find(cells[0], ';') < cells[0].len || tt_str_find(cells[0], '\t') < cells[0].len))
        return tt_fail(err, TT_INVALID_DATA, "%s:1: separated by ';' or TAB; only commas are read",
                       path);
    if (looks_like_values(cells, count))
        return tt_fail(err, TT_INVALID_DATA,
                       "%s:1: numbers where the names of the columns should be", path);
    return TT_OK;
}

static enum tt_status add_name(struct tt_table *table, uint32_t i, struct tt_str cell,
                               struct tt_error *err)
{
    struct tt_str *name = &table->names[i];

    *name = tt_arena_copy(&table->arena, cell);
    if (name->data == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read the header of %s", table->path);
    if (name->len == 0) /* an index that was written without a name: nobody asks for it */
        return TT_OK;
    if (tt_map_get(&table->index, *name) != NULL)
        return tt_fail(err, TT_INVALID_DATA, "%s:1: two columns are called \"%.*s\"", table->path,
                       (int)(name->len < 80 ? name->len : 80), name->data);
    if (tt_map_put(&table->index, *name, name) != TT_OK)
        return tt_fail(err, TT_NO_MEMORY, "read the header of %s", table->path);
    return TT_OK;
}

static enum tt_status read_header(struct tt_table *table, struct tt_error *err)
{
    const struct tt_str *cells;
    size_t count;
    enum tt_status status = tt_csv_next(table->csv, &cells, &count, err);

    if (status == TT_OK)
        status = check_header(table, cells, count, err);
    if (status != TT_OK)
        return status;
    table->n_columns = (uint32_t)count;
    table->names = tt_arena_calloc(&table->arena, count, sizeof(*table->names));
    if (table->names == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read the header of %s", table->path);
    for (uint32_t i = 0; i < table->n_columns && status == TT_OK; i++)
        status = add_name(table, i, cells[i], err);
    return status;
}

enum tt_status tt_table_open(const char *path, struct tt_table **ret_table, struct tt_error *err)
{
    struct tt_table *table = tt_calloc(1, sizeof(*table));
    enum tt_status status;
    struct stat info;

    *ret_table = NULL;
    if (table == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    tt_arena_init(&table->arena, 0, 0);
    tt_map_init(&table->index, TT_CSV_MAX_CELLS);
    table->path = tt_arena_copy(&table->arena, tt_str(path)).data;
    status = table->path == NULL ? tt_fail(err, TT_NO_MEMORY, "open %s", path)
                                 : tt_csv_open(path, &table->csv, err);
    if (status == TT_OK) {
        table->file_bytes = stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
        tt_csv_limit(table->csv, TT_TABLE_MAX_RECORD);
        status = read_header(table, err);
    }
    if (status == TT_OK)
        *ret_table = table;
    else
        tt_table_close(table);
    return status;
}

void tt_table_close(struct tt_table *table)
{
    if (table == NULL)
        return;
    tt_csv_close(table->csv);
    tt_map_done(&table->index);
    tt_arena_done(&table->arena);
    tt_free(table);
}

const struct tt_str *tt_table_names(const struct tt_table *table, uint32_t *ret_count)
{
    *ret_count = table->n_columns;
    return table->names;
}

bool tt_table_find(const struct tt_table *table, struct tt_str name, uint32_t *ret_index)
{
    const struct tt_str *found = name.len == 0 ? NULL : tt_map_get(&table->index, name);

    if (found != NULL)
        *ret_index = (uint32_t)(found - table->names);
    return found != NULL;
}

/* ---- which columns ---- */

static int by_column(const void *a, const void *b)
{
    const struct step *x = a, *y = b;

    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return (x->is_text > y->is_text) - (x->is_text < y->is_text);
}

static enum tt_status check_steps(const struct tt_table *table, struct tt_error *err)
{
    for (uint32_t i = 0; i < table->n_steps; i++) {
        if (table->steps[i].column >= table->n_columns)
            return tt_fail(err, TT_INVALID_DATA, "%s has no column %u", table->path,
                           table->steps[i].column + 1);
        if (i > 0 && by_column(&table->steps[i - 1], &table->steps[i]) == 0)
            return tt_fail(err, TT_INVALID_DATA, "%s: column %u is selected twice", table->path,
                           table->steps[i].column + 1);
    }
    return TT_OK;
}

enum tt_status tt_table_select(struct tt_table *table, const uint32_t *numbers, uint32_t n_numbers,
                               const uint32_t *texts, uint32_t n_texts, struct tt_error *err)
{
    uint32_t count = n_numbers + n_texts;

    /* One more of each: an empty selection is no lack of memory. */
    table->steps = tt_arena_calloc(&table->arena, (size_t)count + 1, sizeof(*table->steps));
    table->columns = tt_arena_calloc(&table->arena, (size_t)n_numbers + 1, sizeof(*table->columns));
    table->texts = tt_arena_calloc(&table->arena, (size_t)n_texts + 1, sizeof(*table->texts));
    if (table->steps == NULL || table->columns == NULL || table->texts == NULL)
        return tt_fail(err, TT_NO_MEMORY, "select columns of %s", table->path);
    for (uint32_t i = 0; i < n_numbers; i++)
        table->steps[i] = (struct step){.column = numbers[i], .target = i};
    for (uint32_t i = 0; i < n_texts; i++)
        table->steps[n_numbers + i] =
            (struct step){.column = texts[i], .target = i, .is_text = true};
    table->n_steps = count;
    if (count > 0)
        qsort(table->steps, count, sizeof(*table->steps), by_column);
    return check_steps(table, err);
}

void tt_table_ignore(struct tt_table *table, uint32_t target)
{
    for (uint32_t i = 0; i < table->n_steps; i++)
        if (!table->steps[i].is_text && table->steps[i].target == target)
            table->steps[i].ignored = true;
}

/* ---- cells ---- */

struct word {
    const char *text;
    float value;
};

static bool find_word(struct tt_str cell, float *ret_value)
{
    static const struct word words[] = {
        {"nan", NAN},
        {"-nan", NAN},
        {"na", NAN},
        {"n/a", NAN},
        {"null", NAN},
        {"none", NAN},
        {"true", 1},
        {"false", 0},
        {"inf", INFINITY},
        {"+inf", INFINITY},
        {"-inf", -INFINITY},
        {"infinity", INFINITY},
        {"+infinity", INFINITY},
        {"-infinity", -INFINITY},
    };

    for (size_t i = 0; i < TT_LENGTH(words); i++) {
        if (!tt_str_equal_nocase(cell, tt_str(words[i].text)))
            continue;
        *ret_value = words[i].value;
        return true;
    }
    return false;
}

static void note_text(struct tt_table *table, struct tt_table_column *column, struct tt_str cell)
{
    if (column->texts++ > 0)
        return;
    column->text_line = tt_csv_line(table->csv);
    for (size_t i = 0; i < cell.len && i + 1 < sizeof(column->text); i++) {
        char c = cell.data[i];
        column->text[i] = c >= 0x20 && c < 0x7F ? c : '?';
    }
}

static float read_cell(struct tt_table *table, uint32_t target, struct tt_str cell)
{
    struct tt_table_column *column = &table->columns[target];
    double number;
    float value = NAN;

    cell = tt_str_trim(cell);
    if (cell.len > 0 &&
        tt_number_scan(cell.data, cell.data + cell.len, &number) == cell.data + cell.len)
        return (float)number;
    if (cell.len == 0) {
        column->missing++;
        return NAN;
    }
    if (find_word(cell, &value)) {
        column->missing += isnan(value) != 0;
        return value;
    }
    note_text(table, column, cell);
    return NAN;
}

/* ---- rows ---- */

static inline const char *cell_end(const char *at, const char *end)
{
    const char *comma = memchr(at, ',', (size_t)(end - at));

    return comma == NULL ? end : comma;
}

/* One cell that begins at `at`; returns where it ends: at a comma or the record's end. */
static const char *take_cell(struct tt_table *table, const struct step *step, const char *at,
                             const char *end, float *row)
{
    const char *stop;
    double number;

    if (!step->is_text && !step->ignored) {
        stop = tt_number_scan(at, end, &number);
        if (TT_LIKELY(stop != NULL && (stop == end || *stop == ','))) {
            row[step->target] = (float)number;
            return stop;
        }
    }
    stop = cell_end(at, end);
    if (step->is_text)
        table->texts[step->target] = tt_str_of(at, (size_t)(stop - at));
    else if (step->ignored)
        row[step->target] = NAN;
    else
        row[step->target] = read_cell(table, step->target, tt_str_of(at, (size_t)(stop - at)));
    return stop;
}

static size_t count_commas(const char *at, const char *end)
{
    size_t n = 0;

    while (at < end)
        n += *at++ == ',';
    return n;
}

/* A record without quotes, in one pass over its bytes. Returns how many cells it has; fewer than there are steps to the
 * last selected column leaves the rest of the row as it was. */
static size_t take_plain(struct tt_table *table, float *row)
{
    const char *at = table->record.data, *end = at + table->record.len, *cell = at;
    uint32_t column = 0;

    for (uint32_t i = 0; i < table->n_steps; i++) {
        const struct step *step = &table->steps[i];
        for (; column < step->column; column++) {
            at = cell_end(at, end);
            if (at == end)
                return (size_t)column + 1;
            cell = ++at;
        }
        at = take_cell(table, step, cell, end, row);
    }
    return (size_t)column + 1 + count_commas(at, end);
}

static enum tt_status take_quoted(struct tt_table *table, float *row, size_t *ret_count,
                                  struct tt_error *err)
{
    const struct tt_str *cells;
    enum tt_status status = tt_csv_cells(table->csv, &cells, ret_count, err);

    if (status != TT_OK || *ret_count != table->n_columns)
        return status;
    for (uint32_t i = 0; i < table->n_steps; i++) {
        const struct step *step = &table->steps[i];
        if (step->is_text)
            table->texts[step->target] = cells[step->column];
        else
            row[step->target] =
                step->ignored ? NAN : read_cell(table, step->target, cells[step->column]);
    }
    return TT_OK;
}

static enum tt_status next_record(struct tt_table *table, struct tt_error *err)
{
    enum tt_status status;

    do
        status = tt_csv_next_record(table->csv, &table->record, err);
    while (status == TT_OK && table->record.data != NULL && table->record.len == 0);
    return status;
}

enum tt_status tt_table_next(struct tt_table *table, float *ret_row, bool *ret_more,
                             struct tt_error *err)
{
    enum tt_status status = next_record(table, err);
    size_t count;

    *ret_more = status == TT_OK && table->record.data != NULL;
    if (!*ret_more)
        return status;
    if (!tt_csv_is_quoted(table->csv))
        count = take_plain(table, ret_row);
    else
        status = take_quoted(table, ret_row, &count, err);
    if (status == TT_OK && count != table->n_columns)
        status = tt_fail(err, TT_INVALID_DATA, "%s:%" PRIu64 ": %zu cells, the header has %u",
                         table->path, tt_csv_line(table->csv), count, table->n_columns);
    table->rows += status == TT_OK;
    return status;
}

static void tell(struct tt_table *table, const struct tt_error *err)
{
    table->rejected++;
    if (table->rejected <= MAX_TOLD)
        (void)tt_cli_fail(TT_EXIT_FAILED, "%s; left out", err->message);
    if (table->rejected == MAX_TOLD)
        (void)tt_cli_fail(TT_EXIT_FAILED, "%s: more bad records are counted and not shown",
                          table->path);
}

enum tt_status tt_table_read(struct tt_table *table, float *ret_row, bool *ret_more,
                             struct tt_error *err)
{
    enum tt_status status;
    struct tt_error problem;

    for (;;) {
        uint64_t line = tt_csv_line(table->csv);
        status = tt_table_next(table, ret_row, ret_more, &problem);
        /* A fault that comes back without a new record is not one of a record: a file that is cut off. */
        if (status != TT_INVALID_DATA || tt_csv_line(table->csv) == line)
            break;
        tell(table, &problem);
    }
    if (status != TT_OK && err != NULL)
        *err = problem;
    return status;
}

/* ---- what was read ---- */

struct tt_str tt_table_record(const struct tt_table *table)
{
    return table->record;
}

const struct tt_str *tt_table_texts(const struct tt_table *table)
{
    return table->texts;
}

uint64_t tt_table_line(const struct tt_table *table)
{
    return tt_csv_line(table->csv);
}

uint64_t tt_table_rows(const struct tt_table *table)
{
    return table->rows;
}

uint64_t tt_table_rejected(const struct tt_table *table)
{
    return table->rejected;
}

const struct tt_table_column *tt_table_column(const struct tt_table *table, uint32_t i)
{
    return &table->columns[i];
}

double tt_table_part(const struct tt_table *table)
{
    uint64_t at = tt_csv_position(table->csv);

    return table->file_bytes == 0 || at > table->file_bytes
               ? 1.0
               : (double)at / (double)table->file_bytes;
}
