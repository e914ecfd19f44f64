/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_SAVE_H
#define TT_CLI_SAVE_H

/*
 * Files that a command writes in one go: a reader sees the old file or the new one, never a part.
 *
 * Threads: no state.
 */

#include "base/buffer.h"

/* Writes text (its failure is reported too) under a temporary name beside path and renames it. TT_IO, TT_NO_SPACE, TT_NOT_FOUND (the
 * directory), TT_NO_MEMORY. */
enum tt_status tt_save_file(const char *path, const struct tt_buffer *text, struct tt_error *err)
    TT_CHECKED;

/* The whole file into text. TT_TOO_LARGE over the buffer's maximum, TT_NOT_FOUND, TT_IO, TT_NO_MEMORY; messages begin with the path. */
enum tt_status tt_load_file(const char *path, struct tt_buffer *text, struct tt_error *err)
    TT_CHECKED;

#endif
