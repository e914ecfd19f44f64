/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_JSON_FILE_LINES_H
#define TT_RECEIVERS_OTLP_JSON_FILE_LINES_H

/*
 * Lines of a file, plain or compressed, that may still grow. Also used by `telltale dataset extract`.
 *
 * Limits:    a line over max_line bytes is skipped and told once; memory: one line and 256 KiB.
 * Ownership: a line is a view that lives until the next call.
 * Threads:   one at a time.
 */

#include "base/buffer.h"
#include "base/error.h"

struct tt_reader;

struct tt_lines {
    char *path;
    int fd; /* keeps the inode from being used again, also when the reader reads */
    struct tt_reader *reader; /* of a compressed file; NULL: plain */
    uint64_t dev, ino;
    uint64_t offset; /* bytes of the file taken in so far; of a compressed one: of its contents */
    uint64_t line;   /* number of the line last returned, from 1 */
    size_t max_line;
    char *bytes;
    size_t begin, scanned, end,
        capacity;  /* of bytes: unread from begin to end; no LF before scanned */
    bool skipping; /* inside a line that is too long */
};

/* Opens path; gzip and zstd are known by their first bytes. TT_NOT_FOUND, TT_IO, TT_NO_MEMORY. */
enum tt_status tt_lines_open(const char *path, size_t max_line, struct tt_lines **ret_lines,
                             struct tt_error *err) TT_CHECKED;
void tt_lines_close(struct tt_lines *lines); /* NULL is a no-op */

/*
 * The next line without its line end (LF or CR LF).
 *
 * TT_OK with ret_line->data NULL: there is none now; call again when the file has grown.
 * TT_TOO_LARGE: the line was longer than max_line; it is skipped, call again. TT_INVALID_DATA: the compressed data is broken
 * here, nothing follows. TT_IO, TT_NO_MEMORY. Errors begin with path and line.
 */
enum tt_status tt_lines_next(struct tt_lines *lines, struct tt_str *ret_line, struct tt_error *err)
    TT_CHECKED;
/* What is left behind the last line end, when nothing will be appended any more; data NULL: nothing. Call at the end only. */
struct tt_str tt_lines_rest(struct tt_lines *lines);

/* Gives back all but the descriptor: nothing is read any more. */
void tt_lines_finish(struct tt_lines *lines);
/* Whether the file has no name any more. */
bool tt_lines_is_deleted(const struct tt_lines *lines);

/* Goes to the end of a plain file, behind its last line end; a compressed one is read to its end. */
enum tt_status tt_lines_skip_to_end(struct tt_lines *lines, struct tt_error *err) TT_CHECKED;
/* Whether the file is shorter than what was read of it: it was truncated. Compressed files never are. */
bool tt_lines_is_truncated(const struct tt_lines *lines);

#endif
