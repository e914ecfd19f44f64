/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/files.h"

#include "base/buffer.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>

#define MAX_FILES   100000
#define MAX_PATTERN 65536
#define STAMP_LEN   23 /* 2026-08-21T10-00-00.000 */

/* Where a file stands among the backups of one name. */
struct place {
    const char *path;
    struct tt_str head, tail; /* the name it was written under is head + tail */
    enum { PLACE_NUMBERED, PLACE_STAMPED, PLACE_ACTIVE } kind;
    uint64_t number;     /* NUMBERED: the higher the older */
    struct tt_str stamp; /* STAMPED */
};

/* ---- what a name says ---- */

static bool is_stamp(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd-dd-dd.ddd";

    for (size_t i = 0; i < STAMP_LEN; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static struct tt_str without_suffix(struct tt_str name, struct tt_str suffix)
{
    if (tt_str_ends_with(name, suffix) && name.len > suffix.len)
        name.len -= suffix.len;
    return name;
}

/* "head-<stamp>[-reason]tail" */
static bool place_by_stamp(struct tt_str name, struct place *place)
{
    for (size_t i = 1; i + STAMP_LEN <= name.len; i++) {
        size_t at = i + STAMP_LEN;
        if (name.data[i - 1] != '-' || !is_stamp(name.data + i))
            continue;
        if (at < name.len && name.data[at] == '-')
            while (at < name.len && name.data[at] != '.')
                at++;
        place->kind = PLACE_STAMPED;
        place->stamp = tt_str_of(name.data + i, STAMP_LEN);
        place->head = tt_str_of(name.data, i - 1);
        place->tail = tt_str_of(name.data + at, name.len - at);
        return true;
    }
    return false;
}

/* "head.<number>" */
static bool place_by_number(struct tt_str name, struct place *place)
{
    const char *dot = name.len == 0 ? NULL : memrchr(name.data, '.', name.len);
    struct tt_str digits;

    if (dot == NULL)
        return false;
    digits = tt_str_of(dot + 1, name.len - (size_t)(dot + 1 - name.data));
    if (!tt_str_to_uint64(digits, &place->number))
        return false;
    place->kind = PLACE_NUMBERED;
    place->head = tt_str_of(name.data, (size_t)(dot - name.data));
    return true;
}

static struct place place_of(const char *path)
{
    struct place place = {.path = path, .kind = PLACE_ACTIVE};
    struct tt_str name =
        without_suffix(without_suffix(tt_str(path), TT_STR(".gz")), TT_STR(".zst"));

    if (!place_by_stamp(name, &place) && !place_by_number(name, &place))
        place.head = name;
    return place;
}

/* ---- order ---- */

/* Compares a1 + a2 with b1 + b2. */
static int compare_joined(const struct place *a, const struct place *b)
{
    size_t len_a = a->head.len + a->tail.len, len_b = b->head.len + b->tail.len;

    for (size_t i = 0; i < len_a && i < len_b; i++) {
        unsigned char x =
            (unsigned char)(i < a->head.len ? a->head.data[i] : a->tail.data[i - a->head.len]);
        unsigned char y =
            (unsigned char)(i < b->head.len ? b->head.data[i] : b->tail.data[i - b->head.len]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return len_a < len_b ? -1 : len_a > len_b;
}

static int by_age(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = compare_joined(a, b);

    if (order == 0 && a->kind != b->kind)
        order = a->kind < b->kind ? -1 : 1;
    if (order == 0 && a->kind == PLACE_NUMBERED && a->number != b->number)
        order = a->number > b->number ? -1 : 1;
    if (order == 0 && a->kind == PLACE_STAMPED)
        order = tt_str_compare(a->stamp, b->stamp);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* ---- listing ---- */

static bool is_excluded(const char *path, struct tt_patterns exclude)
{
    for (size_t i = 0; i < exclude.count; i++)
        if (fnmatch(exclude.items[i], path, FNM_PATHNAME) == 0)
            return true;
    return false;
}

static enum tt_status keep(const glob_t *found, struct tt_patterns exclude, struct tt_files *files,
                           struct tt_error *err)
{
    struct place *places = tt_calloc(found->gl_pathc + 1, sizeof(*places));
    size_t n = 0;

    files->paths = tt_arena_calloc(&files->arena, found->gl_pathc + 1, sizeof(*files->paths));
    if (places == NULL || files->paths == NULL) {
        tt_free(places);
        return tt_fail(err, TT_NO_MEMORY, "list files");
    }
    for (size_t i = 0; i < found->gl_pathc; i++) {
        struct tt_str path = {NULL, 0};
        if (is_excluded(found->gl_pathv[i], exclude))
            continue;
        path = tt_arena_copy(&files->arena, tt_str(found->gl_pathv[i]));
        if (path.data != NULL)
            places[n++] = place_of(path.data);
    }
    qsort(places, n, sizeof(*places), by_age);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(places[i].path, places[i - 1].path) != 0) /* two patterns, one file */
            files->paths[files->count++] = places[i].path;
    tt_free(places);
    return TT_OK;
}

enum tt_status tt_files_list(struct tt_patterns include, struct tt_patterns exclude,
                             struct tt_files *ret_files, struct tt_error *err)
{
    glob_t found = {.gl_pathc = 0};
    enum tt_status status = TT_OK;

    *ret_files = (struct tt_files){.count = 0};
    tt_arena_init(&ret_files->arena, 0, (size_t)64 << 20);
    for (size_t i = 0; i < include.count && status == TT_OK; i++) {
        int result = glob(include.items[i], i == 0 ? 0 : GLOB_APPEND, NULL, &found);
        if (result == GLOB_NOSPACE)
            status = tt_fail(err, TT_NO_MEMORY, "list %s", include.items[i]);
        else if (result != 0 && result != GLOB_NOMATCH)
            status = tt_fail_errno(err, "list %s", include.items[i]);
    }
    if (status == TT_OK && found.gl_pathc > MAX_FILES)
        status = tt_fail(err, TT_TOO_LARGE, "list files: %zu match, more than %d", found.gl_pathc,
                         MAX_FILES);
    if (status == TT_OK && found.gl_pathc > 0)
        status = keep(&found, exclude, ret_files, err);
    globfree(&found);
    if (status != TT_OK)
        tt_files_done(ret_files);
    return status;
}

enum tt_status tt_files_list_in(const char *directory, const char *pattern,
                                struct tt_files *ret_files, struct tt_error *err)
{
    struct tt_buffer text;
    const char *items[1];
    enum tt_status status;

    *ret_files = (struct tt_files){.count = 0};
    tt_buffer_init(&text, MAX_PATTERN);
    for (const char *at = directory; *at != '\0'; at++) {
        if (strchr("*?[]\\", *at) != NULL)
            tt_buffer_append_byte(&text, '\\');
        tt_buffer_append_byte(&text, *at);
    }
    if (pattern != NULL)
        tt_buffer_printf(&text, "/%s", pattern);
    tt_buffer_append_byte(&text, '\0');
    status = tt_buffer_check(&text, "list files", err);
    items[0] = text.data;
    if (status == TT_OK)
        status = tt_files_list((struct tt_patterns){items, 1}, (struct tt_patterns){NULL, 0},
                               ret_files, err);
    tt_buffer_done(&text);
    return status;
}

void tt_files_done(struct tt_files *files)
{
    tt_arena_done(&files->arena);
    files->paths = NULL;
    files->count = 0;
}
