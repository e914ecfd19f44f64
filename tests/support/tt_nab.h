/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_SUPPORT_TT_NAB_H
#define TT_TESTS_SUPPORT_TT_NAB_H

/*
 * The labelled part of a Numenta Anomaly Benchmark folder in memory: data/<category>/<file>.csv, labels/combined_windows.json and,
 * if there, published/<detector>.csv.gz with point scores ("file,row,score").
 *
 * For benchmarks: trusts the files' layout and exits with a message when one cannot be read. Link with jansson and zlib.
 */

#include "base/clock.h"
#include "base/mem.h"
#include "detect/nab_score.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define TT_NAB_FILES      128
#define TT_NAB_CATEGORIES 16

struct tt_nab_corpus {
    size_t files, rows, categories;
    char name[TT_NAB_FILES][128];
    size_t category[TT_NAB_FILES];
    double *values[TT_NAB_FILES];
    double *scores[TT_NAB_FILES]; /* zero; what tt_nab_series.scores points to */
    struct tt_nab_series series[TT_NAB_FILES];
};

static inline void tt_nab_quit(const char *what, const char *path)
{
    fprintf(stderr, "%s %s\n", what, path);
    exit(1);
}

/* The time that a line begins with, up to its first comma. */
static inline int64_t tt_nab_time(const char *text)
{
    struct tt_str rest = tt_str(text);
    uint64_t time_ns = 0;

    if (!tt_time_parse(tt_str_cut(&rest, ','), &time_ns))
        tt_nab_quit("not a time:", text);
    return (int64_t)time_ns;
}

/* The number after the last comma of a line. */
static inline double tt_nab_last_number(char *line)
{
    char *comma = strrchr(line, ',');
    double value = 0.0;

    if (comma == NULL || !tt_str_to_double(tt_str_trim(tt_str(comma + 1)), &value))
        tt_nab_quit("not a number:", line);
    return value;
}

static inline void tt_nab_load_series(struct tt_nab_corpus *corpus, const char *folder, size_t i)
{
    char path[512], line[256];
    size_t count = 0, room = 32768;
    int64_t *times = tt_calloc(room, sizeof(*times));
    gzFile file;

    snprintf(path, sizeof(path), "%s/data/%s", folder, corpus->name[i]);
    file = gzopen(path, "rb");
    if (file == NULL || gzgets(file, line, sizeof(line)) == NULL)
        tt_nab_quit("cannot read", path);
    corpus->values[i] = tt_calloc(room, sizeof(double));
    while (count < room && gzgets(file, line, sizeof(line)) != NULL) {
        times[count] = tt_nab_time(line);
        corpus->values[i][count++] = tt_nab_last_number(line);
    }
    gzclose(file);
    corpus->scores[i] = tt_calloc(count, sizeof(double));
    corpus->series[i] = (struct tt_nab_series){times, corpus->scores[i], count, NULL, 0};
    corpus->rows += count;
}

static inline void tt_nab_load_windows(struct tt_nab_series *series, const json_t *list)
{
    size_t count = json_array_size(list);
    struct tt_nab_window *windows = tt_calloc(count + 1, sizeof(*windows));

    for (size_t i = 0; i < count; i++) {
        json_t *pair = json_array_get(list, i);

        windows[i].first_ns = tt_nab_time(json_string_value(json_array_get(pair, 0)));
        windows[i].last_ns = tt_nab_time(json_string_value(json_array_get(pair, 1)));
    }
    series->windows = windows;
    series->window_count = count;
}

/* A number for the folder part of a name; consecutive files of one folder get the same. */
static inline size_t tt_nab_category(struct tt_nab_corpus *corpus, size_t i)
{
    size_t len = strcspn(corpus->name[i], "/") + 1;

    if (i > 0 && strncmp(corpus->name[i], corpus->name[i - 1], len) == 0)
        return corpus->category[i - 1];
    return corpus->categories++;
}

/* The files that the labels name and that exist. NULL when the folder is not there. */
static inline struct tt_nab_corpus *tt_nab_load(const char *folder)
{
    struct tt_nab_corpus *corpus = tt_calloc(1, sizeof(*corpus));
    char path[512];
    const char *name;
    json_t *labels, *list;

    snprintf(path, sizeof(path), "%s/labels/combined_windows.json", folder);
    labels = json_load_file(path, 0, NULL);
    if (labels == NULL || corpus == NULL)
        return NULL;
    json_object_foreach(labels, name, list)
    {
        if (corpus->files == TT_NAB_FILES)
            tt_nab_quit("too many files in", path);
        snprintf(corpus->name[corpus->files], sizeof(corpus->name[0]), "%s", name);
        corpus->category[corpus->files] = tt_nab_category(corpus, corpus->files);
        tt_nab_load_series(corpus, folder, corpus->files);
        tt_nab_load_windows(&corpus->series[corpus->files], list);
        corpus->files++;
    }
    json_decref(labels);
    return corpus;
}

/* Scores that a detector published, into corpus->scores. False when there are none. */
static inline bool tt_nab_load_published(struct tt_nab_corpus *corpus, const char *folder,
                                         const char *detector)
{
    char path[512], line[256];
    size_t i = 0, row = 0;
    gzFile file;

    snprintf(path, sizeof(path), "%s/published/%s.csv.gz", folder, detector);
    file = gzopen(path, "rb");
    if (file == NULL || gzgets(file, line, sizeof(line)) == NULL)
        return false;
    while (i < corpus->files && gzgets(file, line, sizeof(line)) != NULL) {
        corpus->scores[i][row++] = tt_nab_last_number(line);
        if (row == corpus->series[i].count) {
            i++;
            row = 0;
        }
    }
    gzclose(file);
    return i == corpus->files;
}

#endif
