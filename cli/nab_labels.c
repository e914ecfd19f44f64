/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nab_labels.h"

#include "cli/save.h"
#include "cli/series_file.h"

#include <jansson.h>

#include <stdlib.h>

#define MAX_BYTES  ((size_t)4 << 20)
#define MAX_SERIES 10000

/* ---- windows ---- */

static enum tt_status read_end(const json_t *value, int64_t *ret_ns, struct tt_error *err)
{
    if (!json_is_string(value) || !tt_series_time_parse(tt_str(json_string_value(value)), ret_ns))
        return tt_fail(err, TT_INVALID_DATA, "not a time; write \"2014-04-10 07:15:00\"");
    return TT_OK;
}

static enum tt_status read_window(const json_t *pair, struct tt_nab_window *ret_window,
                                  struct tt_error *err)
{
    enum tt_status status;

    if (json_array_size(pair) != 2)
        return tt_fail(err, TT_INVALID_DATA, "not a pair of times");
    status = read_end(json_array_get(pair, 0), &ret_window->first_ns, err);
    if (status == TT_OK)
        status = read_end(json_array_get(pair, 1), &ret_window->last_ns, err);
    if (status == TT_OK && ret_window->last_ns < ret_window->first_ns)
        return tt_fail(err, TT_INVALID_DATA, "ends before it begins");
    return status;
}

static int compare_windows(const void *a, const void *b)
{
    const struct tt_nab_window *x = a, *y = b;

    return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static enum tt_status read_windows(const json_t *list, struct tt_nab_label *label,
                                   struct tt_error *err)
{
    if (!json_is_array(list))
        return tt_fail(err, TT_INVALID_DATA, "\"%s\": not a list of windows", label->name);
    label->count = json_array_size(list);
    label->windows = tt_calloc(label->count + 1, sizeof(*label->windows));
    if (label->windows == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read windows");
    for (size_t i = 0; i < label->count; i++) {
        enum tt_status status = read_window(json_array_get(list, i), &label->windows[i], err);
        if (status != TT_OK) {
            tt_error_prefix(err, "\"%s\", window %zu", label->name, i + 1);
            return status;
        }
    }
    qsort(label->windows, label->count, sizeof(*label->windows), compare_windows);
    for (size_t i = 1; i < label->count; i++)
        if (label->windows[i].first_ns <= label->windows[i - 1].last_ns)
            return tt_fail(err, TT_INVALID_DATA, "\"%s\": windows %zu and %zu in time overlap",
                           label->name, i, i + 1);
    return TT_OK;
}

/* ---- names ---- */

/* Whether a name stays below the folder that it is joined to. */
static bool is_below(struct tt_str name)
{
    if (name.len == 0 || name.len > 1024)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.data[i] < 0x20)
            return false;
    while (name.data != NULL) {
        struct tt_str part = tt_str_cut(&name, '/');
        if (part.len == 0 || tt_str_equal(part, TT_STR(".")) || tt_str_equal(part, TT_STR("..")))
            return false;
    }
    return true;
}

static enum tt_status read_label(const char *name, const json_t *list, struct tt_nab_label *label,
                                 struct tt_error *err)
{
    if (!is_below(tt_str(name)))
        return tt_fail(err, TT_INVALID_DATA, "\"%.100s\" is not a path below the data folder",
                       name);
    label->name = tt_strdup(tt_str(name));
    if (label->name == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read labels");
    return read_windows(list, label, err);
}

static enum tt_status read_labels(json_t *root, struct tt_nab_labels *labels, struct tt_error *err)
{
    const char *name;
    json_t *list;

    if (!json_is_object(root))
        return tt_fail(err, TT_INVALID_DATA, "not an object of series and their windows");
    if (json_object_size(root) > MAX_SERIES)
        return tt_fail(err, TT_TOO_LARGE, "more than %d series", MAX_SERIES);
    labels->items = tt_calloc(json_object_size(root) + 1, sizeof(*labels->items));
    if (labels->items == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read labels");
    json_object_foreach(root, name, list)
    {
        enum tt_status status = read_label(name, list, &labels->items[labels->count++], err);
        if (status != TT_OK)
            return status;
    }
    return TT_OK;
}

static enum tt_status parse(struct tt_str text, struct tt_nab_labels *labels, struct tt_error *err)
{
    json_error_t problem;
    json_t *root =
        json_loadb(text.data == NULL ? "" : text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
    enum tt_status status;

    if (root == NULL)
        return tt_fail(err, TT_INVALID_DATA, "%d:%d: %s", problem.line, problem.column,
                       problem.text);
    status = read_labels(root, labels, err);
    json_decref(root);
    return status;
}

enum tt_status tt_nab_labels_read(const char *path, struct tt_nab_labels *ret_labels,
                                  struct tt_error *err)
{
    struct tt_buffer text;
    enum tt_status status;

    *ret_labels = (struct tt_nab_labels){0};
    tt_buffer_init(&text, MAX_BYTES);
    status = tt_load_file(path, &text, err);
    if (status == TT_OK) {
        status = parse(tt_buffer_view(&text), ret_labels, err);
        if (status != TT_OK)
            tt_error_prefix(err, "%s", path);
    }
    tt_buffer_done(&text);
    if (status != TT_OK)
        tt_nab_labels_done(ret_labels);
    return status;
}

void tt_nab_labels_done(struct tt_nab_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        tt_free(labels->items[i].name);
        tt_free(labels->items[i].windows);
    }
    tt_free(labels->items);
    *labels = (struct tt_nab_labels){0};
}

/* ---- which label a file has ---- */

static bool ends_at_slash(struct tt_str path, struct tt_str name)
{
    return tt_str_ends_with(path, name) &&
           (path.len == name.len || path.data[path.len - name.len - 1] == '/');
}

const struct tt_nab_label *tt_nab_labels_find(const struct tt_nab_labels *labels,
                                              const char *data_path)
{
    struct tt_str path = tt_str(data_path), base = tt_file_name(path);
    const struct tt_nab_label *longest = NULL, *same_name = NULL;
    size_t n_same = 0;

    if (labels->count == 1)
        return labels->items;
    for (size_t i = 0; i < labels->count; i++) {
        struct tt_str name = tt_str(labels->items[i].name);
        if (ends_at_slash(path, name) && (longest == NULL || name.len > strlen(longest->name)))
            longest = &labels->items[i];
        if (tt_str_equal(tt_file_name(name), base)) {
            same_name = &labels->items[i];
            n_same++;
        }
    }
    return longest != NULL ? longest : n_same == 1 ? same_name : NULL;
}
