/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_MODEL_JSON_LOAD_H
#define TT_MODEL_JSON_LOAD_H

/*
 * A small JSON document as jansson's tree, after a look at what it would cost.
 *
 * Purpose:   jansson recurses as deep as it is told, and a tree takes about 77 bytes for each byte of "{}": depth and elements
 *            are counted before it sees the text. Repeated keys are refused.
 * Ownership: the tree is the caller's: json_decref().
 * Threads:   no state of our own.
 * Limits:    the caller's; the elements counted are objects, arrays and commas.
 * Cost:      one pass over the text, then jansson.
 */

#include "base/error.h"
#include "base/str.h"

#include <jansson.h>

struct tt_json_bounds {
    size_t max_depth, max_elements;
};

/* TT_INVALID_DATA ("line:column: what jansson says", or nested too deep), TT_TOO_LARGE, TT_NO_MEMORY. */
enum tt_status tt_json_load(struct tt_str text, struct tt_json_bounds bounds, json_t **ret_root,
                            struct tt_error *err) TT_CHECKED;

#endif
