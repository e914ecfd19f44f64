/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_DATASET_INPUT_H
#define TT_CLI_DATASET_INPUT_H

/*
 * The JSONL files a command was given, read line by line as often as it needs, with progress on a terminal.
 *
 * Ownership: tt_input_done().  Threads: one.
 */

#include "base/clock.h"
#include "receivers/otlp_json_file/files.h"
#include "receivers/otlp_json_file/lines.h"

struct tt_input {
    struct tt_files files;
    uint64_t total_bytes;      /* of all files, as they are on disk */
    bool progress;             /* standard error is a terminal */
    uint64_t lines, bad_lines; /* of the last pass */
    tt_dur started_at, shown_at;
    uint64_t done_bytes;
};

/* TT_NOT_FOUND names the first pattern without a match. */
enum tt_status tt_input_open(struct tt_input *input, struct tt_patterns patterns,
                             struct tt_error *err) TT_CHECKED;
void tt_input_done(struct tt_input *input);

/* What becomes of a line: TT_OK; TT_INVALID_DATA and other permanent failures make it a bad line, told on standard error with file and line (20
 * of them) and skipped; what may be tried again (a full disk) ends the pass. */
typedef enum tt_status tt_input_visit(void *context, struct tt_str line, struct tt_error *err);

/* Reads all lines of all files. what: shown with the progress ("reading labels"). */
enum tt_status tt_input_pass(struct tt_input *input, const char *what, tt_input_visit *visit,
                             void *context, struct tt_error *err) TT_CHECKED;

#endif
