/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_RECOVER_H
#define TT_EXPORTERS_DATASET_RECOVER_H

/*
 * Finishing what a process that died had been writing.
 *
 * Each labeled file is cut to its whole records; the other files of its set are cut to the rows that are in the labeled one, which is
 * written last. So a row is in all its files or in none again. Then the set gets its final names and a manifest that says
 * "recovered": true. A crash in between is mended by the next start.
 * Threads: one; the directory is locked.
 */

#include "base/log.h"
#include "exporters/dataset/finish.h"

struct dataset_recovery {
    uint64_t sets, rows, cut_bytes;
    uint64_t failed_sets; /* left for the next start, with a line in the log */
};

/* TT_IO when the directory cannot be read. */
enum tt_status dataset_recover(const struct dataset_set_options *options,
                               const struct dataset_layout *layout,
                               const struct dataset_finish_options *finish,
                               const struct tt_log *log, struct dataset_recovery *ret_recovery,
                               struct tt_error *err) TT_CHECKED;

#endif
