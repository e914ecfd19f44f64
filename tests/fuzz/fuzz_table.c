/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a CSV file of numbers. Reading ends, in bounded memory; every fault has a message with the file's name; a row has
 * what its cells say when they are cut by libcsv alone and read by strtod in the C locale; and a number at the head of any text is the
 * one strtod finds there.
 */
#include "base/mem.h"
#include "base/number.h"
#include "cli/dataset_csv.h"
#include "cli/table.h"

#include <csv.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_COLUMNS = 64, MAX_CALLS = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- numbers ---- */

static void check_number(const uint8_t *data, size_t size)
{
    size_t len = size < 100 ? size : 100;
    const char *at = (const char *)data, *stop;
    char text[101], *end;
    double value = 0, expected;

    stop = tt_number_scan(at, at + len, &value);
    if (stop == NULL)
        return;
    require(stop > at && stop <= at + len, "a number ends outside its text");
    memcpy(text, at, (size_t)(stop - at));
    text[stop - at] = '\0';
    expected = strtod(text, &end);
    require(end == text + (stop - at) && memcmp(&expected, &value, sizeof(value)) == 0,
            "not the number of strtod");
}

/* ---- tables ---- */

struct cells {
    struct tt_str cells[MAX_COLUMNS];
    char texts[1 << 16];
    size_t used, count;
};

static void on_cell(void *text, size_t len, void *context)
{
    struct cells *cells = context;

    if (cells->count < MAX_COLUMNS && cells->used + len <= sizeof(cells->texts)) {
        memcpy(cells->texts + cells->used, text, len);
        cells->cells[cells->count] = tt_str_of(cells->texts + cells->used, len);
        cells->used += len;
    }
    cells->count++;
}

static void on_record(int end, void *context)
{
    (void)end, (void)context;
}

/* A plain number, by strtod; NaN for what is not surely one. */
static double number_of(struct tt_str cell)
{
    char text[64], *end;
    double value;

    if (cell.len == 0 || cell.len >= sizeof(text) ||
        strspn(cell.data, "0123456789.eE+-") < cell.len)
        return (double)NAN;
    memcpy(text, cell.data, cell.len);
    text[cell.len] = '\0';
    value = strtod(text, &end);
    return *end == '\0' ? value : (double)NAN;
}

/* The same record by libcsv alone. */
static void check_row(struct tt_str record, const float *row, uint32_t columns)
{
    static struct cells cells;
    struct csv_parser parser;

    cells.used = cells.count = 0;
    if (record.len > sizeof(cells.texts) / 2 || columns > MAX_COLUMNS)
        return;
    /* libcsv takes a CR for a line's end, wherever it stands, and strips blanks around cells. */
    if (memchr(record.data, '\r', record.len) != NULL)
        return;
    require(csv_init(&parser, CSV_STRICT) == 0, "csv_init");
    require(csv_parse(&parser, record.data, record.len, on_cell, on_record, &cells) == record.len &&
                csv_fini(&parser, on_cell, on_record, &cells) == 0,
            "a record that libcsv refuses");
    csv_free(&parser);
    /* Of a record of blanks alone libcsv makes no cell. */
    require(cells.count == columns || columns == 1, "another number of cells");
    for (uint32_t i = 0; i < columns && cells.count == columns; i++) {
        char *nul = memchr(cells.cells[i].data, '\0', cells.cells[i].len);
        double expected = nul != NULL ? (double)NAN : number_of(cells.cells[i]);
        if (!isnan(expected))
            require(row[i] == (float)expected, "another number than strtod's");
    }
}

static void read_table(const char *path)
{
    struct tt_table *table = NULL;
    uint32_t count, columns[MAX_COLUMNS];
    float row[MAX_COLUMNS];
    struct tt_error err = {.status = TT_OK};
    bool more = true;

    if (tt_table_open(path, &table, &err) != TT_OK) {
        require(table == NULL && strncmp(err.message, path, strlen(path)) == 0,
                "a fault without the file");
        return;
    }
    (void)tt_table_names(table, &count);
    count = count < MAX_COLUMNS ? count : MAX_COLUMNS;
    for (uint32_t i = 0; i < count; i++)
        columns[i] = i;
    require(tt_table_select(table, columns, count, columns, count, &err) == TT_OK, err.message);
    for (int calls = 0; more && calls < MAX_CALLS; calls++) { /* a packed file may have many rows */
        uint64_t line = tt_table_line(table);
        enum tt_status status = tt_table_next(table, row, &more, &err);
        if (status == TT_OK && more) {
            uint32_t all;
            (void)tt_table_names(table, &all);
            require(tt_table_line(table) > line, "two rows on one line");
            if (all == count)
                check_row(tt_table_record(table), row, count);
        }
        if (status != TT_OK)
            require(strncmp(err.message, path, strlen(path)) == 0, "a fault without the file");
        if (status != TT_OK && (status != TT_INVALID_DATA || tt_table_line(table) == line))
            break;
    }
    tt_table_close(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("table", MFD_CLOEXEC);

    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "memfd");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    check_number(data, size);
    read_table(path);
    (void)close(fd);
    return 0;
}
