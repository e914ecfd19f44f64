/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading numbers from CSV files as train and score do, on one core, beside libcsv alone and libcsv with strtod in the same run.
 *
 *     bench_table [FILE.csv …]     without files: generated ones in /dev/shm, 16 columns, about 200 MB each
 */
#include "base/mem.h"
#include "cli/table.h"
#include "detect/forest_math.h"

#include <csv.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { COLUMNS = 16, MEGABYTES = 200, ROUNDS = 3 };

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_table: %s\n", what);
    exit(1);
}

/* ---- files ---- */

static void put_row(FILE *file, struct tt_random *random, int kind)
{
    if (kind == 3)
        (void)fprintf(file, "2026-08-21T10:00:00.%06u,checkout,%08x%08x,\"GET /cart?a=1,2\",",
                      tt_random_below(random, 1000000), tt_random_below(random, UINT32_MAX),
                      tt_random_below(random, UINT32_MAX));
    for (int i = 0; i < COLUMNS; i++) {
        double value = tt_random_unit(random) * (kind == 2 ? 100000 : 100);
        if (kind == 1)
            (void)fprintf(file, "%.17g", value);
        else
            (void)fprintf(file, "%.*f", kind == 2 ? 0 : 6, value);
        (void)fputc(i + 1 < COLUMNS ? ',' : '\n', file);
    }
}

static void make_file(const char *path, int kind)
{
    struct tt_random random = tt_random_stream(1, 2, 3);
    FILE *file = fopen(path, "w");

    if (file == NULL)
        die(path);
    if (kind == 3)
        (void)fputs("timestamp,service,trace_id,target,", file);
    for (int i = 0; i < COLUMNS; i++)
        (void)fprintf(file, "f%d%c", i, i + 1 < COLUMNS ? ',' : '\n');
    while (ftell(file) < (long)MEGABYTES * 1000000)
        put_row(file, &random, kind);
    if (fclose(file) != 0)
        die("disk full");
}

/* ---- readers: seconds ---- */

static double read_table(const char *path)
{
    struct tt_table *table;
    struct tt_error err;
    uint32_t count, columns[COLUMNS * 4], n = 0;
    float row[COLUMNS * 4];
    double begin = seconds();
    bool more = true;

    if (tt_table_open(path, &table, &err) != TT_OK)
        die(err.message);
    (void)tt_table_names(table, &count);
    /* The numbers are the last columns. */
    for (uint32_t i = count > COLUMNS ? count - COLUMNS : 0; i < count; i++)
        columns[n++] = i;
    if (tt_table_select(table, columns, n, NULL, 0, &err) != TT_OK)
        die(err.message);
    while (more)
        if (tt_table_read(table, row, &more, &err) != TT_OK)
            die(err.message);
    tt_table_close(table);
    return seconds() - begin;
}

static void on_record(int end, void *context)
{
    (void)end, (void)context;
}

static void on_cell(void *text, size_t len, void *context)
{
    *(size_t *)context += len + (text != NULL);
}

static void on_number(void *text, size_t len, void *context)
{
    char number[64];

    if (len >= sizeof(number))
        return;
    memcpy(number, text, len);
    number[len] = '\0';
    *(double *)context += strtod(number, NULL);
}

static double read_libcsv(const char *path, void (*visit)(void *, size_t, void *), void *context)
{
    static char block[1 << 16];
    double begin = seconds();
    struct csv_parser parser;
    int fd = open(path, O_RDONLY);
    ssize_t n;

    if (fd < 0 || csv_init(&parser, CSV_STRICT) != 0)
        die(path);
    while ((n = read(fd, block, sizeof(block))) > 0)
        if (csv_parse(&parser, block, (size_t)n, visit, on_record, context) != (size_t)n)
            die("not CSV");
    csv_free(&parser);
    (void)close(fd);
    return seconds() - begin;
}

static void measure(const char *path, const char *what)
{
    double best[3] = {1e9, 1e9, 1e9}, sum = 0, megabytes;
    struct stat info;
    size_t bytes = 0;

    if (stat(path, &info) != 0)
        die(path);
    megabytes = (double)info.st_size / 1e6;
    for (int i = 0; i < ROUNDS; i++) {
        double took[3] = {read_table(path), read_libcsv(path, on_cell, &bytes),
                          read_libcsv(path, on_number, &sum)};
        for (int k = 0; k < 3; k++)
            best[k] = took[k] < best[k] ? took[k] : best[k];
    }
    printf("%-28s %6.0f MB: table %5.0f MB/s   libcsv alone %5.0f MB/s   libcsv and strtod %5.0f "
           "MB/s\n",
           what, megabytes, megabytes / best[0], megabytes / best[1], megabytes / best[2]);
}

int main(int count, char **arguments)
{
    static const char *const kinds[] = {"16 numbers, 6 decimals", "16 numbers, 17 digits",
                                        "16 whole numbers", "4 texts (one quoted), 16 numbers"};
    char path[64];

    for (int i = 1; i < count; i++)
        measure(arguments[i], arguments[i]);
    for (int kind = 0; count < 2 && kind < 4; kind++) {
        (void)snprintf(path, sizeof(path), "/dev/shm/bench_table_%ld.csv", (long)getpid());
        make_file(path, kind);
        measure(path, kinds[kind]);
        (void)unlink(path);
    }
    return 0;
}
