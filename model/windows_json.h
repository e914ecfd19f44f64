/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_MODEL_WINDOWS_JSON_H
#define TT_MODEL_WINDOWS_JSON_H

/*
 * The JSON forms of label windows, read into plain structs. Private to model/.
 *
 * Ownership: everything returned lives in the arena given.
 * Limits:    those of model/windows.h; depth and elements are counted before jansson sees the text.
 */

#include "base/arena.h"
#include "base/units.h"
#include "model/windows.h"

struct tt_window_file {
    struct tt_label_window *items;
    size_t count;
};

/* A body of POST /v1/labels. */
struct tt_window_post {
    struct tt_label_window
        window; /* start_ns 0: not given; id 0: opens one, else closes or renews that one */
    bool has_start, has_end;
    tt_dur lease; /* 0: none */
    bool repeats; /* never set here: what it opens is open already (model/windows.c) */
};

enum tt_status tt_window_file_parse(struct tt_str text, struct tt_arena *arena,
                                    struct tt_window_file *ret_file, struct tt_error *err)
    TT_CHECKED;
enum tt_status tt_window_post_parse(struct tt_str text, struct tt_arena *arena,
                                    struct tt_window_post *ret_post, struct tt_error *err)
    TT_CHECKED;

#endif
