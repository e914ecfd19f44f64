/* SPDX-License-Identifier: Apache-2.0 */
#include "model/json_load.h"

static enum tt_status check_bounds(struct tt_str text, struct tt_json_bounds bounds,
                                   struct tt_error *err)
{
    size_t depth = 0, elements = 0;
    bool in_text = false;

    for (size_t i = 0; i < text.len && depth <= bounds.max_depth; i++) {
        char c = text.data[i];
        if (in_text && c == '\\') {
            i++;
        } else if (c == '"') {
            in_text = !in_text;
        } else if (!in_text) {
            depth += c == '{' || c == '[';
            depth -= depth > 0 && (c == '}' || c == ']');
            elements += c == ',' || c == '{' || c == '[';
        }
    }
    if (depth > bounds.max_depth)
        return tt_fail(err, TT_INVALID_DATA, "read JSON: nested deeper than %zu", bounds.max_depth);
    if (elements > bounds.max_elements)
        return tt_fail(err, TT_TOO_LARGE, "read JSON: more than %zu elements", bounds.max_elements);
    return TT_OK;
}

enum tt_status tt_json_load(struct tt_str text, struct tt_json_bounds bounds, json_t **ret_root,
                            struct tt_error *err)
{
    json_error_t problem;
    enum tt_status status = check_bounds(text, bounds, err);

    if (status != TT_OK)
        return status;
    *ret_root =
        json_loadb(text.data == NULL ? "" : text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
    if (*ret_root != NULL)
        return TT_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return tt_fail(err, TT_NO_MEMORY, "read JSON of %zu bytes", text.len);
    return tt_fail(err, TT_INVALID_DATA, "%d:%d: %s", problem.line, problem.column, problem.text);
}
