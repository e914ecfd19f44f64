/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_FILE_H
#define TT_BASE_FILE_H

/*
 * Output files that hold whole records only, and locks that say who holds them.
 *
 * Purpose:   what an exporter needs so that nobody ever reads half a record.
 * Invariant: after a failed append a regular file ends where it ended before; when even cutting it back fails, nothing is
 *            appended until a later attempt to cut it succeeds.
 * Threads:   one at a time for each appender; the other functions have no state.
 */

#include "base/error.h"
#include "base/str.h"

#include <sys/types.h>
#include <sys/uio.h>

struct tt_appender {
    int fd;         /* borrowed; opened with O_APPEND when others may truncate the file */
    bool can_cut;   /* a regular file */
    int64_t cut_to; /* bytes; -1: nothing has to be cut off before the next append */
};

/* fd stays the caller's. */
void tt_appender_init(struct tt_appender *appender, int fd);
/* Writes all parts, in order, or nothing. Goes on after EINTR, short writes and EAGAIN (10 s at most). TT_NO_SPACE, TT_IO. */
enum tt_status tt_append(struct tt_appender *appender, const struct iovec *parts, size_t n_parts,
                         struct tt_error *err) TT_CHECKED;
/* Takes the last `bytes` that were appended back. A failure is repaired by the next append. */
enum tt_status tt_append_undo(struct tt_appender *appender, uint64_t bytes, struct tt_error *err);

/* Writes everything, or fails having written some of it. */
enum tt_status tt_write_all(int fd, struct tt_str bytes, struct tt_error *err) TT_CHECKED;

/* Takes the exclusive advisory lock of an open file or directory, without waiting. TT_UNAVAILABLE names the process that
 * has it ("traces.jsonl is in use by process 4711"). Released when fd is closed. */
enum tt_status tt_lock_file(int fd, const char *path, struct tt_error *err) TT_CHECKED;

/* Makes path and what is missing above it. An existing directory is fine. */
enum tt_status tt_make_directories(const char *path, mode_t mode, struct tt_error *err) TT_CHECKED;

/* Renames within one directory (dir_fd, or AT_FDCWD) and never replaces: TT_UNSUPPORTED when `to` is there. */
enum tt_status tt_rename_new(int dir_fd, const char *from, const char *to, struct tt_error *err)
    TT_CHECKED;

/* Permission bits in octal: "0755", "755". False for anything else and over 07777. */
bool tt_mode_parse(struct tt_str text, mode_t *ret_mode);

#endif
