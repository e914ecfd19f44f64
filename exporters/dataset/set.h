/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_SET_H
#define TT_EXPORTERS_DATASET_SET_H

/*
 * One set of files that are being written: the CSV files of one UTC stamp.
 *
 * Files:     traces_labeled, metrics_labeled, logs_labeled hold every row of their signal; traces_normal, traces_anomalous
 *            and traces_<type> hold the rows of their kind again. While they are written they are called "<name>.csv.partial".
 * Invariant: a row is in all its files or in none. A batch is a transaction: begin, any number of appends, commit or rollback.
 *            The labeled file is written last, so that after a crash it has no row that another file lacks.
 * Ownership: a set owns its files; the directory's descriptor is borrowed.
 * Threads:   one at a time; the writer has a mutex for it.
 * Limits:    max_files files (types beyond share traces_overflow), max_open descriptors (least recently used ones are closed).
 */

#include "base/file.h"
#include "base/map.h"
#include "exporters/dataset/counts.h"
#include "exporters/dataset/digest.h"
#include "exporters/dataset/format.h"
#include "exporters/dataset/names.h"

struct dataset_file {
    char prefix[96]; /* "traces_normal" */
    unsigned signal; /* index */
    int fd;          /* -1: closed */
    bool exists;     /* its header was written */
    bool renamed;    /* it has its final name */
    char final_name[144];
    struct tt_appender appender;
    uint64_t size, rows;           /* committed and of the open transaction */
    uint64_t mark_size, mark_rows; /* before the transaction */
    uint64_t transaction, last_used;
    /* Of its first `size` bytes, and of mark_size. False for files that a recovery has found: their bytes were not seen. */
    struct dataset_digest digest, mark_digest;
    bool has_digest;
    /* What it gets of the current piece: a list through the set's entries, then the set's parts. */
    uint64_t piece, piece_rows;
    size_t first_entry, last_entry, first_part, n_parts;
    struct dataset_file *next_touched;
};

struct dataset_set_options {
    int dir_fd;
    size_t max_files, max_open;
};

struct dataset_set {
    const struct dataset_set_options *options;
    const struct dataset_layout *layout;
    char stamp[DATASET_STAMP_LEN + 1];
    uint64_t opened_ns; /* wall clock */
    bool recovered;
    bool other_columns[TT_SIGNAL_COUNT]; /* recovered files whose header is not this layout's */
    struct dataset_file **files;
    size_t n_files, n_open;
    struct tt_map by_prefix; /* prefix -> file */
    uint64_t transaction, used;
    uint64_t piece;
    struct tt_buffer entries; /* which bytes of the piece go to which file */
    struct tt_buffer parts;   /* of struct iovec: the same by file */
    struct tt_buffer jobs;    /* of struct dataset_digest_job */
    struct tt_buffer routes;  /* which files the batch's classes go to */
    bool in_step;             /* see dataset_digest_in_step() */
    struct dataset_counts types, sources;
    uint64_t rows[TT_SIGNAL_COUNT], min_ns[TT_SIGNAL_COUNT], max_ns[TT_SIGNAL_COUNT];
    uint64_t overflow_rows;
    struct dataset_set *next; /* in the writer's list of sets to finish */
};

/* Takes a stamp that no set of the directory has: the time, or the first free second after it. */
enum tt_status dataset_set_open(const struct dataset_set_options *options,
                                const struct dataset_layout *layout, uint64_t wall_ns,
                                struct dataset_set **ret_set, struct tt_error *err) TT_CHECKED;
/* The same for a stamp whose files are there (recovery). */
enum tt_status dataset_set_adopt(const struct dataset_set_options *options,
                                 const struct dataset_layout *layout, struct tt_str stamp,
                                 struct dataset_set **ret_set, struct tt_error *err) TT_CHECKED;
/* Closes all files and forgets them; they stay where they are. NULL is a no-op. */
void dataset_set_free(struct dataset_set *set);

void dataset_set_begin(struct dataset_set *set);
/* Appends the piece that the formatter holds to all files its rows belong to. */
enum tt_status dataset_set_append(struct dataset_set *set, struct dataset_formatter *formatter,
                                  struct tt_error *err) TT_CHECKED;
/* Counts the batch. */
void dataset_set_commit(struct dataset_set *set, const struct dataset_formatter *formatter);
void dataset_set_rollback(struct dataset_set *set);

/* Bytes of the signals' labeled files together. */
uint64_t dataset_set_size(const struct dataset_set *set);
uint64_t dataset_set_rows(const struct dataset_set *set);

/* The file of that prefix, added to the set without touching the disk; NULL when memory or the limit is reached. */
struct dataset_file *dataset_set_file(struct dataset_set *set, unsigned signal,
                                      struct tt_str prefix);
/* Which files a span of that type goes to beside traces_labeled: up to two prefixes. Returns how many. */
size_t dataset_prefixes(struct tt_str type, char ret_prefixes[2][96]);
/* "<prefix>_<stamp>.csv.partial" */
void dataset_partial_name(const struct dataset_set *set, const struct dataset_file *file,
                          char ret_name[144]);

#endif
