/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/tail.h"

#include <sys/stat.h>

#define ROUNDS_UNSEEN 100

void tail_init(struct tail *tail, size_t max_files, size_t max_line)
{
    *tail = (struct tail){.max_files = max_files, .max_line = max_line};
}

void tail_done(struct tail *tail)
{
    for (size_t i = 0; i < tail->count; i++)
        tt_lines_close(tail->files[i].lines);
    tt_free(tail->files);
    *tail = (struct tail){.max_files = tail->max_files, .max_line = tail->max_line};
}

static struct tail_file *find_known(const struct tail *tail, uint64_t dev, uint64_t ino)
{
    for (size_t i = 0; i < tail->count; i++)
        if (tail->files[i].ino == ino && tail->files[i].dev == dev)
            return &tail->files[i];
    return NULL;
}

static enum tt_status add(struct tail *tail, const char *path, struct tail_file **ret_file,
                          bool *ret_new, struct tt_error *err)
{
    struct tail_file *files;
    struct tt_lines *lines;
    enum tt_status status;

    if (tail->count == tail->max_files)
        return tt_fail(err, TT_OVERLOADED, "follow %s: %zu files are followed already", path,
                       tail->count);
    files = tt_realloc(tail->files, tail->count + 1, sizeof(*files));
    if (files == NULL)
        return tt_fail(err, TT_NO_MEMORY, "follow %s", path);
    tail->files = files;
    status = tt_lines_open(path, tail->max_line, &lines, err);
    if (status != TT_OK)
        return status;
    *ret_file = find_known(tail, lines->dev, lines->ino);
    *ret_new = *ret_file == NULL;
    if (!*ret_new) { /* it was renamed to this path between looking and opening */
        tt_lines_close(lines);
        (*ret_file)->seen = tail->round;
        return TT_OK;
    }
    *ret_file = &files[tail->count++];
    **ret_file = (struct tail_file){
        .dev = lines->dev, .ino = lines->ino, .lines = lines, .seen = tail->round};
    return TT_OK;
}

enum tt_status tail_find(struct tail *tail, const char *path, struct tail_file **ret_file,
                         bool *ret_new, struct tt_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return tt_fail_errno(err, "look at %s", path);
    *ret_file = find_known(tail, info.st_dev, info.st_ino);
    *ret_new = *ret_file == NULL;
    if (*ret_new && S_ISREG(info.st_mode) && info.st_size == 0)
        return tt_fail(err, TT_NOT_FOUND, "%s is empty",
                       path); /* plain or compressed: not known yet */
    if (*ret_new)
        return add(tail, path, ret_file, ret_new, err);
    (*ret_file)->seen = tail->round;
    return TT_OK;
}

bool tail_restart_truncated(struct tail_file *file, size_t max_line)
{
    struct tt_lines *fresh;

    if (file->done || !tt_lines_is_truncated(file->lines) ||
        tt_lines_open(file->lines->path, max_line, &fresh, NULL) != TT_OK)
        return false;
    tt_lines_close(file->lines);
    file->lines = fresh;
    file->dev = fresh->dev;
    file->ino = fresh->ino;
    return true;
}

void tail_begin(struct tail *tail)
{
    tail->round++;
}

void tail_forget_gone(struct tail *tail)
{
    for (size_t i = tail->count; i > 0; i--) {
        const struct tail_file *file = &tail->files[i - 1];
        if (file->seen == tail->round ||
            (file->seen + ROUNDS_UNSEEN > tail->round && !tt_lines_is_deleted(file->lines)))
            continue;
        tt_lines_close(tail->files[i - 1].lines);
        tail->files[i - 1] = tail->files[--tail->count];
    }
}
