/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_JSON_FILE_FILES_H
#define TT_RECEIVERS_OTLP_JSON_FILE_FILES_H

/*
 * Which files a list of patterns means, in the order in which they were written. Also used by `telltale dataset extract`.
 *
 * Patterns are those of glob(7) (* ? [ ]); a pattern without a match gives nothing. Backups of a rotated file come before it, the oldest
 * first: "traces-2026-08-21T10-00-00.000-size.jsonl" by their time, "traces.jsonl.2", "traces.jsonl.1.gz" by falling numbers. Different
 * files come in the order of their names. Ownership: tt_files_done(). Threads: no state. Limits: 100,000 files.
 */

#include "base/arena.h"
#include "base/error.h"

struct tt_files {
    const char **paths; /* in the arena */
    size_t count;
    struct tt_arena arena;
};

struct tt_patterns {
    const char *const *items;
    size_t count;
};

/* TT_NO_MEMORY, TT_TOO_LARGE, TT_IO (a directory that cannot be read). */
enum tt_status tt_files_list(struct tt_patterns include, struct tt_patterns exclude,
                             struct tt_files *ret_files, struct tt_error *err) TT_CHECKED;
/* The files of directory (a name, in which nothing is a wildcard) that match pattern; NULL: directory itself names the one file. */
enum tt_status tt_files_list_in(const char *directory, const char *pattern,
                                struct tt_files *ret_files, struct tt_error *err) TT_CHECKED;
void tt_files_done(struct tt_files *files);

#endif
