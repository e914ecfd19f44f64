/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_FILE_TAIL_H
#define TT_EXPORTERS_FILE_TAIL_H

/*
 * Where the whole records of a file end: what is behind was being written when a process died.
 *
 * Threads: no state.  Cost: lines read backwards from the end; the others walk over the headers of all records.
 * Source:  RFC 8878 section 3.1 (zstd frames); the Collector's file exporter for the length prefix.
 */

#include "base/error.h"

enum file_layout {
    FILE_LINES,    /* records end with LF */
    FILE_PREFIXED, /* 4 bytes of big-endian length, then the record */
    FILE_ZSTD,     /* zstd frames */
};

struct file_tail {
    int64_t whole_end; /* bytes: everything before it is whole records */
    bool missing_lf;   /* LINES: the last record is whole but for its LF */
};

/* fd is open for reading. TT_IO when it cannot be read. */
enum tt_status file_tail_find(int fd, enum file_layout layout, struct file_tail *ret_tail,
                              struct tt_error *err) TT_CHECKED;

#endif
