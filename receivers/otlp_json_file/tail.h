/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_JSON_FILE_TAIL_H
#define TT_RECEIVERS_OTLP_JSON_FILE_TAIL_H

/*
 * The files that are being followed: which are known, which are new, which were renamed, truncated or have gone.
 *
 * A file is known by device and inode, so that a rotated one goes on under its new name and is not read twice.
 * Threads: one.
 */

#include "base/error.h"
#include "receivers/otlp_json_file/lines.h"

struct tail_file {
    uint64_t dev, ino;
    struct tt_lines *lines;
    bool done;     /* read to its end for good (compressed) or given up */
    uint64_t seen; /* the round it was last listed in */
};

struct tail {
    struct tail_file *files;
    size_t count, max_files;
    uint64_t round;
    size_t max_line;
};

void tail_init(struct tail *tail, size_t max_files, size_t max_line);
void tail_done(struct tail *tail);

/* The file at path: known, or opened and added; *ret_new tells which. TT_OVERLOADED: max_files are open. TT_NOT_FOUND: gone meanwhile, or
 * still empty. */
enum tt_status tail_find(struct tail *tail, const char *path, struct tail_file **ret_file,
                         bool *ret_new, struct tt_error *err) TT_CHECKED;
/* Reads a truncated file from its beginning again; false: it was not truncated. */
bool tail_restart_truncated(struct tail_file *file, size_t max_line);
/* Begins a round: what is found in it has been seen. */
void tail_begin(struct tail *tail);
/* Forgets files that are deleted, and files that were not listed for 100 rounds: a listing misses a file that is renamed meanwhile, and who
 * is forgotten too early is read again under the new name. Their last lines must have been read. */
void tail_forget_gone(struct tail *tail);

#endif
