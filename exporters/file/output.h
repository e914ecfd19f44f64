/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_FILE_OUTPUT_H
#define TT_EXPORTERS_FILE_OUTPUT_H

/*
 * The active file of a file exporter: whole records only, one owner, rotation between records.
 *
 * Invariant: at its path there is never half a record for longer than one write() takes; what a process left behind
 *            when it died is cut off at the next open (and kept in "<path>.torn" when there is room).
 * Ownership: the output owns its descriptor. Options are borrowed.
 * Threads:   one at a time; the exporter has a mutex for it.
 */

#include "base/file.h"
#include "exporters/file/backups.h"
#include "exporters/file/tail.h"

struct file_output_options {
    const char *path;
    enum file_layout layout;
    bool append;         /* false: a file that is there becomes a backup at open */
    uint64_t max_bytes;  /* rotate before a write that would pass it; 0: never */
    int64_t interval_ns; /* rotate what is older; 0: never */
    struct file_retention retention;
};

struct file_output {
    const struct file_output_options *options;
    int fd; /* -1: closed */
    struct tt_appender appender;
    bool is_regular;
    uint64_t size;       /* bytes */
    uint64_t started_ns; /* wall clock: when the active file began */
    uint64_t looked_at_s;
    /* Counts since the output was made; the owner reads them under its mutex. */
    uint64_t rotations, removed_backups, torn_bytes;
};

void file_output_init(struct file_output *output, const struct file_output_options *options);
/* Opens or creates the file, locks it, cuts off half a record. TT_UNAVAILABLE: another process has it. */
enum tt_status file_output_open(struct file_output *output, uint64_t wall_ns, struct tt_error *err)
    TT_CHECKED;
/* Rotates when `more` bytes would pass the limit or the file is old; opens the file when an earlier rotation could not. */
enum tt_status file_output_prepare(struct file_output *output, size_t more, uint64_t wall_ns,
                                   struct tt_error *err) TT_CHECKED;
/* All of it or nothing. */
enum tt_status file_output_append(struct file_output *output, struct tt_str records,
                                  struct tt_error *err) TT_CHECKED;
/* Takes the last `bytes` back. */
void file_output_undo(struct file_output *output, uint64_t bytes);
/* Safe to repeat. */
void file_output_close(struct file_output *output);

#endif
