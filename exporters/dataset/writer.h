/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_WRITER_H
#define TT_EXPORTERS_DATASET_WRITER_H

/*
 * A dataset directory that batches are written to: what the exporter and `telltale dataset extract` share.
 *
 * Ownership: options' texts and lists are borrowed for the writer's life.
 * Threads:   write and finish from any thread; new, start and free by one. Rows are formatted outside the lock and written inside it.
 * Limits:    one open set; max_files and max_open of it; 16 idle formatters.
 */

#include "base/log.h"
#include "base/meter.h"
#include "exporters/dataset/recover.h"

struct dataset_writer_options {
    const char *directory;
    struct dataset_layout_options layout;
    bool formula_guard;
    size_t max_files, max_open; /* 0: 1,000 and 100 */
    uint64_t
        max_bytes; /* of the labeled files of a set: then it is finished and a new one begun; 0: no limit */
    tt_dur max_age;      /* of a set; 0: no limit */
    tt_dur finish_after; /* without new rows; 0: never */
    const char *version;
    struct tt_log log;
    const struct tt_clock *clock;
    struct tt_meter *finished, *recovered, *failures; /* sets; may be NULL */
};

struct dataset_writer;

/* No I/O. TT_INVALID_CONFIG (columns), TT_NO_MEMORY. */
enum tt_status dataset_writer_new(const struct dataset_writer_options *options,
                                  struct dataset_writer **ret_writer, struct tt_error *err)
    TT_CHECKED;
/* Makes and locks the directory, and finishes what a crash had left. TT_UNAVAILABLE: another process has it. */
enum tt_status dataset_writer_start(struct dataset_writer *writer, struct tt_error *err) TT_CHECKED;
/* Writes all live rows of the batch or none. TT_NO_SPACE, TT_IO, TT_NO_MEMORY, TT_TOO_LARGE. */
enum tt_status dataset_writer_write(struct dataset_writer *writer, const struct tt_batch *batch,
                                    struct tt_error *err) TT_CHECKED;
/* Finishes the open set and all earlier ones. What fails stays, for a later call or the next start.
 * deadline: monotonic, see dataset_finish(); 0: none. ret_stamp: of the newest finished set; empty when there was none; may be NULL. */
enum tt_status dataset_writer_finish(struct dataset_writer *writer, tt_dur deadline,
                                     char ret_stamp[DATASET_STAMP_LEN + 1], struct tt_error *err);
/* Body of a thread: finishes sets when they are due, until dataset_writer_stop(). */
void dataset_writer_run(void *writer);
void dataset_writer_stop(struct dataset_writer *writer);
/* Finishes nothing. NULL is a no-op. */
void dataset_writer_free(struct dataset_writer *writer);

#endif
