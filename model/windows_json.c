/* SPDX-License-Identifier: Apache-2.0 */
#include "model/windows_json.h"

#include "base/clock.h"
#include "model/json_load.h"

#define MAX_SERVICES ((size_t)100)
#define MAX_SERVICE  ((size_t)255)
#define MIN_LEASE    TT_SECOND
#define MAX_LEASE    (24 * 3600 * TT_SECOND)

static const struct tt_json_bounds bounds = {.max_depth = 16, .max_elements = 1000000};

enum window_key {
    KEY_ID,
    KEY_LEASE,
    KEY_START, /* from here on slips are told from other people's keys */
    KEY_END,
    KEY_TYPE,
    KEY_LABEL,
    KEY_ROOT_CAUSE,
    KEY_MSG,
    KEY_SERVICES,
    KEY_SERVICE,
    KEY_UNKNOWN,
};

static const struct tt_str key_names[KEY_UNKNOWN] = {
    {"id", 2},    {"lease", 5},       {"start", 5}, {"end", 3},      {"type", 4},
    {"label", 5}, {"root_cause", 10}, {"msg", 3},   {"services", 8}, {"service", 7},
};

struct reader {
    struct tt_arena *arena;
    struct tt_window_post *post; /* the window being read */
    bool strict;                 /* every unknown key is an error */
};

/* ---- values ---- */

/* Nanoseconds in the unit that a Unix time of that size must be in: seconds until the year 5138. */
static uint64_t unit_of_time(double time)
{
    if (time < 1e11)
        return 1000000000;
    if (time < 1e14)
        return 1000000;
    return time < 1e17 ? 1000 : 1;
}

static bool read_time(const json_t *value, uint64_t *ret_ns)
{
    uint64_t unit, number;

    if (json_is_string(value)) {
        struct tt_str text = tt_str_of(json_string_value(value), json_string_length(value));
        if (tt_time_parse(text, ret_ns))
            return true;
        if (!tt_str_to_uint64(text, &number))
            return false;
        unit = unit_of_time((double)number);
    } else if (json_is_integer(value) && json_integer_value(value) >= 0) {
        number = (uint64_t)json_integer_value(value);
        unit = unit_of_time((double)number);
    } else if (json_is_real(value) && json_real_value(value) >= 0 &&
               json_real_value(value) < 1e19) {
        unit = unit_of_time(json_real_value(value));
        *ret_ns = (uint64_t)(json_real_value(value) * (double)unit);
        return true;
    } else {
        return false;
    }
    return !__builtin_mul_overflow(number, unit, ret_ns);
}

static enum tt_status read_text(struct reader *reader, const json_t *value, size_t max,
                                struct tt_str *ret_text, struct tt_error *err)
{
    struct tt_str text;

    if (!json_is_string(value))
        return tt_fail(err, TT_INVALID_DATA, "not a text");
    text = tt_str_of(json_string_value(value), json_string_length(value));
    if (text.len > max)
        return tt_fail(err, TT_TOO_LARGE, "longer than %zu bytes", max);
    *ret_text = tt_arena_copy(reader->arena, text);
    return ret_text->data == NULL ? tt_fail(err, TT_NO_MEMORY, "copy a text") : TT_OK;
}

static enum tt_status read_services(struct reader *reader, const json_t *value,
                                    struct tt_error *err)
{
    struct tt_label_window *window = &reader->post->window;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    struct tt_str *services;

    if (window->services != NULL)
        return tt_fail(err, TT_INVALID_DATA, "\"service\" and \"services\" are the same option");
    if (count > MAX_SERVICES)
        return tt_fail(err, TT_TOO_LARGE, "more than %zu services", MAX_SERVICES);
    services = tt_arena_calloc(reader->arena, count + 1, sizeof(*services));
    if (services == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read services");
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        enum tt_status status = read_text(reader, item, MAX_SERVICE, &services[i], err);
        if (status != TT_OK)
            return status;
        if (services[i].len == 0)
            return tt_fail(err, TT_INVALID_DATA, "an empty service name");
    }
    window->services = services;
    window->n_services = (uint32_t)count;
    return TT_OK;
}

static enum tt_status read_end(struct reader *reader, const json_t *value, struct tt_error *err)
{
    if (json_is_null(value))
        return TT_OK;
    if (!read_time(value, &reader->post->window.end_ns))
        return tt_fail(err, TT_INVALID_DATA, "not a time: write RFC 3339 or a Unix time");
    reader->post->has_end = true;
    return TT_OK;
}

static enum tt_status read_start(struct reader *reader, const json_t *value, struct tt_error *err)
{
    if (!read_time(value, &reader->post->window.start_ns))
        return tt_fail(err, TT_INVALID_DATA, "not a time: write RFC 3339 or a Unix time");
    reader->post->has_start = true;
    return TT_OK;
}

static enum tt_status read_id(struct reader *reader, const json_t *value, struct tt_error *err)
{
    if (!reader->strict) /* a file may number its windows as it likes */
        return TT_OK;
    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return tt_fail(err, TT_INVALID_DATA, "not the id of a window");
    reader->post->window.id = (uint64_t)json_integer_value(value);
    return TT_OK;
}

static enum tt_status read_lease(struct reader *reader, const json_t *value, struct tt_error *err)
{
    tt_dur *lease = &reader->post->lease;

    if (!reader->strict) /* nobody is there to renew what is in a file */
        return TT_OK;
    if (!json_is_string(value) || !tt_duration_parse(tt_str(json_string_value(value)), lease))
        return tt_fail(err, TT_INVALID_DATA, "not a duration: write \"10s\"");
    if (*lease < MIN_LEASE || *lease > MAX_LEASE)
        return tt_fail(err, TT_INVALID_DATA, "not from 1s to 24h");
    return TT_OK;
}

/* ---- one window ---- */

/* A key that is one slip away from a known one: ignoring it would label other rows than were meant. */
static enum window_key nearest_key(struct tt_str key)
{
    enum window_key nearest = KEY_UNKNOWN;
    size_t least = SIZE_MAX;

    for (unsigned i = KEY_START; i < KEY_UNKNOWN; i++) {
        size_t distance = tt_str_distance(key, key_names[i]);
        if (distance > (key_names[i].len > 4 ? 2U : 1U) || distance >= least)
            continue;
        least = distance;
        nearest = (enum window_key)i;
    }
    return nearest;
}

static enum tt_status unknown_key(const struct reader *reader, struct tt_str key,
                                  struct tt_error *err)
{
    enum window_key nearest = nearest_key(key);

    if (nearest != KEY_UNKNOWN)
        return tt_fail(err, TT_INVALID_DATA, "unknown; did you mean \"%s\"?",
                       key_names[nearest].data);
    if (reader->strict)
        return tt_fail(err, TT_INVALID_DATA, "unknown");
    return TT_OK;
}

static enum tt_status read_member(struct reader *reader, struct tt_str key, const json_t *value,
                                  struct tt_error *err)
{
    struct tt_anomaly_label *label = &reader->post->window.label;
    unsigned i = 0;

    while (i < KEY_UNKNOWN && !tt_str_equal(key, key_names[i]))
        i++;
    switch ((enum window_key)i) {
    case KEY_ID:
        return read_id(reader, value, err);
    case KEY_LEASE:
        return read_lease(reader, value, err);
    case KEY_START:
        return read_start(reader, value, err);
    case KEY_END:
        return read_end(reader, value, err);
    case KEY_TYPE:
        return read_text(reader, value, TT_LABEL_MAX_TEXT, &label->type, err);
    case KEY_LABEL:
        return read_text(reader, value, TT_LABEL_MAX_TEXT, &label->label, err);
    case KEY_ROOT_CAUSE:
        return read_text(reader, value, TT_LABEL_MAX_TEXT, &label->root_cause, err);
    case KEY_MSG:
        return read_text(reader, value, TT_LABEL_MAX_MSG, &label->msg, err);
    case KEY_SERVICES:
    case KEY_SERVICE:
        return read_services(reader, value, err);
    case KEY_UNKNOWN:
        break;
    }
    return unknown_key(reader, key, err);
}

static enum tt_status read_members(struct reader *reader, json_t *object, struct tt_error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return tt_fail(err, TT_INVALID_DATA, "not an object");
    json_object_foreach(object, key, value)
    {
        enum tt_status status = read_member(reader, tt_str(key), value, err);
        if (status != TT_OK) {
            tt_error_prefix(err, "%.64s", key);
            return status;
        }
    }
    return TT_OK;
}

/* What must hold of a window that is opened or complete. */
static enum tt_status check_window(const struct tt_label_window *window, struct tt_error *err)
{
    if (window->label.type.len == 0)
        return tt_fail(err, TT_INVALID_DATA, "type: missing");
    if (window->end_ns <= window->start_ns)
        return tt_fail(err, TT_INVALID_DATA, "end: not after start");
    return TT_OK;
}

/* ---- files ---- */

static enum tt_status allocate(struct tt_arena *arena, size_t count, struct tt_window_file *file,
                               struct tt_error *err)
{
    if (count > TT_LABEL_WINDOWS_MAX)
        return tt_fail(err, TT_TOO_LARGE, "%zu windows, at most %zu", count, TT_LABEL_WINDOWS_MAX);
    file->count = 0;
    file->items = tt_arena_calloc(arena, count + 1, sizeof(*file->items));
    return file->items == NULL ? tt_fail(err, TT_NO_MEMORY, "read %zu windows", count) : TT_OK;
}

static enum tt_status read_listed(struct reader *reader, json_t *object,
                                  struct tt_label_window *ret_window, struct tt_error *err)
{
    struct tt_window_post post = {.window.end_ns = TT_LABEL_OPEN_END};
    enum tt_status status;

    reader->post = &post;
    status = read_members(reader, object, err);
    if (status != TT_OK)
        return status;
    if (!post.has_start)
        return tt_fail(err, TT_INVALID_DATA, "start: missing");
    status = check_window(&post.window, err);
    tt_label_complete(&post.window.label);
    *ret_window = post.window;
    return status;
}

static enum tt_status read_list(struct reader *reader, json_t *list, struct tt_window_file *file,
                                struct tt_error *err)
{
    enum tt_status status = allocate(reader->arena, json_array_size(list), file, err);

    for (size_t i = 0; status == TT_OK && i < json_array_size(list); i++) {
        status = read_listed(reader, json_array_get(list, i), &file->items[file->count], err);
        if (status == TT_OK)
            file->count++;
        else
            tt_error_prefix(err, "[%zu]", i);
    }
    return status;
}

/* The names a service may have that sends this series: "a/b.csv" gives "a/b.csv", "a/b" and "b". */
static enum tt_status series_services(struct tt_arena *arena, const char *series,
                                      struct tt_label_window *window, struct tt_error *err)
{
    struct tt_str *names = tt_arena_calloc(arena, 3, sizeof(*names));
    struct tt_str path = tt_arena_copy(arena, tt_str(series)), stem, base;
    uint32_t count = 0;

    if (names == NULL || path.data == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a series");
    if (path.len == 0 || path.len > MAX_SERVICE)
        return tt_fail(err, TT_INVALID_DATA, "a series name of %zu bytes", path.len);
    stem = path;
    if (tt_str_ends_with(path, TT_STR(".csv")))
        stem.len -= 4;
    base = stem;
    for (size_t at = tt_str_find(base, '/'); at < base.len; at = tt_str_find(base, '/'))
        base = tt_str_of(base.data + at + 1, base.len - at - 1);
    names[count++] = path;
    if (stem.len > 0 && stem.len < path.len)
        names[count++] = stem;
    if (base.len > 0 && base.len < stem.len)
        names[count++] = base;
    window->services = names;
    window->n_services = count;
    return TT_OK;
}

static enum tt_status read_pair(const json_t *pair, struct tt_label_window *window,
                                struct tt_error *err)
{
    if (json_array_size(pair) != 2 || !read_time(json_array_get(pair, 0), &window->start_ns) ||
        !read_time(json_array_get(pair, 1), &window->end_ns))
        return tt_fail(err, TT_INVALID_DATA, "not a pair of times");
    if (window->end_ns < window->start_ns)
        return tt_fail(err, TT_INVALID_DATA, "end: before start");
    window->end_ns++; /* NAB's windows include their last point */
    return TT_OK;
}

static enum tt_status read_series(struct reader *reader, const char *series, const json_t *pairs,
                                  struct tt_window_file *file, struct tt_error *err)
{
    struct tt_label_window window = {.label.type = TT_STR("anomaly")};
    enum tt_status status;

    if (!json_is_array(pairs))
        return tt_fail(err, TT_INVALID_DATA, "not a list of pairs");
    if (json_array_size(pairs) == 0)
        return TT_OK;
    tt_label_complete(&window.label);
    status = series_services(reader->arena, series, &window, err);
    for (size_t i = 0; status == TT_OK && i < json_array_size(pairs); i++) {
        status = read_pair(json_array_get(pairs, i), &window, err);
        file->items[file->count] = window;
        if (status == TT_OK)
            file->count++;
        else
            tt_error_prefix(err, "[%zu]", i);
    }
    return status;
}

static enum tt_status read_nab(struct reader *reader, json_t *root, struct tt_window_file *file,
                               struct tt_error *err)
{
    const char *series;
    json_t *pairs;
    size_t count = 0;
    enum tt_status status;

    json_object_foreach(root, series, pairs) count += json_array_size(pairs);
    status = allocate(reader->arena, count, file, err);
    if (status != TT_OK)
        return status;
    json_object_foreach(root, series, pairs)
    {
        status = read_series(reader, series, pairs, file, err);
        if (status != TT_OK) {
            tt_error_prefix(err, "\"%.64s\"", series);
            return status;
        }
    }
    return TT_OK;
}

enum tt_status tt_window_file_parse(struct tt_str text, struct tt_arena *arena,
                                    struct tt_window_file *ret_file, struct tt_error *err)
{
    TT_CLEANUP(json_decrefp) json_t *root = NULL;
    struct reader reader = {.arena = arena};
    enum tt_status status = tt_json_load(text, bounds, &root, err);

    if (status != TT_OK)
        return status;
    if (json_is_array(root))
        return read_list(&reader, root, ret_file, err);
    return read_nab(&reader, root, ret_file, err);
}

/* ---- posts ---- */

static enum tt_status check_close(const struct tt_window_post *post, struct tt_error *err)
{
    const struct tt_anomaly_label *label = &post->window.label;

    if (post->has_start || post->window.services != NULL || label->type.data != NULL ||
        label->label.data != NULL || label->root_cause.data != NULL || label->msg.data != NULL)
        return tt_fail(err, TT_INVALID_DATA,
                       "id: a window that is closed keeps its label and start");
    return TT_OK;
}

enum tt_status tt_window_post_parse(struct tt_str text, struct tt_arena *arena,
                                    struct tt_window_post *ret_post, struct tt_error *err)
{
    TT_CLEANUP(json_decrefp) json_t *root = NULL;
    struct reader reader = {.arena = arena, .post = ret_post, .strict = true};
    enum tt_status status = tt_json_load(text, bounds, &root, err);

    *ret_post = (struct tt_window_post){.window.end_ns = TT_LABEL_OPEN_END};
    if (status == TT_OK)
        status = read_members(&reader, root, err);
    if (status != TT_OK)
        return status;
    if (ret_post->lease != 0 && ret_post->has_end)
        return tt_fail(err, TT_INVALID_DATA, "lease: not together with \"end\"");
    if (ret_post->window.id != 0)
        return check_close(ret_post, err);
    if (ret_post->window.label.type.len == 0)
        return tt_fail(err, TT_INVALID_DATA, "type: missing");
    return TT_OK;
}
