/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_FILE_BACKUPS_H
#define TT_EXPORTERS_FILE_BACKUPS_H

/*
 * Names of rotated files, and which of them are to go.
 *
 * "dir/traces.jsonl" is kept as "dir/traces-2026-08-21T10-00-00.000-size.jsonl": when it was closed and why ("size",
 * "time", "start"). Names sort by time. A name that is taken is never used again.
 * Threads: one at a time for each path.
 * Source:  the names of the Collector's file exporter (lumberjack's, and timberjack's with the reason).
 */

#include "base/error.h"

/* Renames path to a backup that did not exist. local: the stamp is local time. */
enum tt_status file_backup_make(const char *path, uint64_t wall_ns, bool local, const char *reason,
                                struct tt_error *err) TT_CHECKED;

struct file_retention {
    int64_t max_backups; /* 0: all */
    int64_t max_days;    /* 0: for ever */
    bool local;
};
/* Removes backups of path that are too many or too old; at most 10,000 are looked at. Returns how many were removed. Files it
 * cannot remove stay. */
size_t file_backups_clean(const char *path, uint64_t wall_ns,
                          const struct file_retention *retention);

#endif
