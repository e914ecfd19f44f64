/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_SERIES_FILE_H
#define TT_CLI_SERIES_FILE_H

/*
 * One series from a CSV file: a column of times, a column of values. Plain, gzip or zstd.
 *
 * Columns.  By the names given; else times are "timestamp", "time", "ts", "ds" or "date" (any case), or the first column, and values
 *           "value", "y" or "values", or the only other column. A file without a header (its first row is a time and a number) is read as
 *           such. What is ambiguous is refused with the names to choose from.
 * Times.    RFC 3339, NAB's "2014-04-10 07:15:00" (no zone: UTC), or a Unix time whose unit is told by its size.
 * Values.   A number. An empty cell, "NaN", "NA", "null" and "inf" are missing measurements: NaN.
 * Order.    As in the file: rows whose time is not later than that of an earlier one are kept and counted.
 * Refused.  Any other row, with file and line: a wrong number of cells, a time or a value that is none. Blank lines are skipped. A file
 *           without any row is a series of no points.
 * Limits:   50 million points, records of 64 KiB.
 * Ownership: the series owns its arrays. Threads: one. Cost: 16 bytes a point.
 */

#include "base/error.h"
#include "base/str.h"

#define TT_SERIES_FILE_MAX_POINTS ((size_t)50000000)

/* The options that say which series: for the option table of a command (cli/cli.h). */
#define TT_SERIES_FILE_OPTIONS                                                                \
    {.name = "data",                                                                          \
     .argument = "FILE",                                                                      \
     .type = TT_OPTION_FILE,                                                                  \
     .doc = "The series: CSV, may be compressed, with a column of times and one of values."}, \
        {.name = "time-column",                                                               \
         .argument = "NAME",                                                                  \
         .type = TT_OPTION_TEXT,                                                              \
         .doc = "The column of times; else timestamp, time, ts, ds or date, or the first."},  \
    {                                                                                         \
        .name = "value-column", .argument = "NAME", .type = TT_OPTION_TEXT,                   \
        .doc = "The column of values; else value or y, or the only other one."                \
    }

struct tt_series_file {
    int64_t *time_ns;
    double *values;
    size_t count;
    size_t late, equal,
        missing; /* points earlier than one before; at the newest time; without a number */
};

/* time_column, value_column: NULL: found as said above. TT_INVALID_DATA with path and line; TT_TOO_LARGE, TT_NOT_FOUND, TT_IO,
 * TT_NO_MEMORY. */
enum tt_status tt_series_file_read(const char *path, const char *time_column,
                                   const char *value_column, struct tt_series_file *ret_series,
                                   struct tt_error *err) TT_CHECKED;
void tt_series_file_done(struct tt_series_file *series); /* twice is fine */

/* "speed_6005.csv" of a path. */
struct tt_str tt_file_name(struct tt_str path);
/* A time as above; false for anything else. */
bool tt_series_time_parse(struct tt_str text, int64_t *ret_ns);
/* "+02:00", "-0530", "+2", "Z", "UTC": seconds east of UTC, at most 14 hours. False for anything else. */
bool tt_zone_offset_parse(struct tt_str text, int32_t *ret_seconds);
/* The difference that most neighbours have (their median); 0 with fewer than two later points. */
int64_t tt_series_file_step(const struct tt_series_file *series);

#endif
