/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/backups.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STAMP_LEN   23 /* 2026-08-21T10-00-00.000 */
#define MAX_BACKUPS 10000
#define NS_PER_DAY  (UINT64_C(86400) * 1000000000)

/* dir + stem + '-' + stamp + '-' + reason + ext */
struct name_parts {
    struct tt_str dir; /* with the last slash; empty: the working directory */
    struct tt_str stem, ext;
};

/* Length of name without its last extension; a dot in front begins none. */
static size_t stem_length(struct tt_str name)
{
    const char *dot = name.len == 0 ? NULL : memrchr(name.data, '.', name.len);

    return dot == NULL || dot == name.data ? name.len : (size_t)(dot - name.data);
}

static struct name_parts split(const char *path)
{
    struct tt_str whole = tt_str(path);
    const char *slash = memrchr(path, '/', whole.len);
    size_t base_at = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    struct tt_str base = {path + base_at, whole.len - base_at};
    size_t stem_len = stem_length(base);

    /* "traces.jsonl.zst": both belong to what follows the stamp. */
    if (tt_str_equal(tt_str_of(base.data + stem_len, base.len - stem_len), TT_STR(".zst")))
        stem_len = stem_length(tt_str_of(base.data, stem_len));
    return (struct name_parts){
        .dir = {path, base_at},
        .stem = {base.data, stem_len},
        .ext = {base.data + stem_len, base.len - stem_len},
    };
}

static void stamp(uint64_t wall_ns, bool local, char ret_text[STAMP_LEN + 1])
{
    char utc[32];
    struct tm parts;
    time_t seconds = (time_t)(wall_ns / TT_SECOND);

    if (local && localtime_r(&seconds, &parts) != NULL &&
        strftime(utc, sizeof(utc), "%Y-%m-%dT%H-%M-%S", &parts) == STAMP_LEN - 4)
        (void)snprintf(utc + STAMP_LEN - 4, 5, ".%03u",
                       (unsigned)(wall_ns / TT_MILLISECOND % 1000));
    else
        (void)tt_time_format(wall_ns, 3, utc);
    memcpy(ret_text, utc, STAMP_LEN);
    ret_text[13] = ret_text[16] = '-';
    ret_text[STAMP_LEN] = '\0';
}

enum tt_status file_backup_make(const char *path, uint64_t wall_ns, bool local, const char *reason,
                                struct tt_error *err)
{
    struct name_parts parts = split(path);

    /* Two rotations in one millisecond, or a clock that jumped back: the next free millisecond. */
    for (unsigned i = 0; i < 1000; i++) {
        char text[STAMP_LEN + 1], name[4096];
        enum tt_status status;
        int len;
        stamp(wall_ns + i * TT_MILLISECOND, local, text);
        len = snprintf(name, sizeof(name), "%.*s%.*s-%s-%s%.*s", TT_STR_ARG(parts.dir),
                       TT_STR_ARG(parts.stem), text, reason, TT_STR_ARG(parts.ext));
        if (len < 0 || (size_t)len >= sizeof(name))
            return tt_fail(err, TT_INVALID_CONFIG, "rotate %s: the name is too long", path);
        status = tt_rename_new(AT_FDCWD, path, name, err);
        if (status != TT_UNSUPPORTED)
            return status;
    }
    return tt_fail(err, TT_IO, "rotate %s: a thousand backups of this second are there", path);
}

/* ---- retention ---- */

struct backup {
    char *name;
    const char *when; /* the stamp inside name */
};

static bool is_stamp(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd-dd-dd.ddd";

    for (size_t i = 0; i < STAMP_LEN; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

/* Where the stamp is in a backup's name; 0: the name is not of a backup. */
static size_t stamp_offset(const struct name_parts *parts, struct tt_str name)
{
    size_t at = parts->stem.len + 1;

    if (name.len < at + STAMP_LEN + parts->ext.len || !tt_str_starts_with(name, parts->stem) ||
        name.data[at - 1] != '-' || !tt_str_ends_with(name, parts->ext))
        return 0;
    return is_stamp(name.data + at) ? at : 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct backup *left = a, *right = b;

    return strncmp(right->when, left->when, STAMP_LEN);
}

static size_t list(const struct name_parts *parts, const char *dir_name, struct backup *backups)
{
    DIR *dir = opendir(dir_name);
    const struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && n < MAX_BACKUPS && (entry = readdir(dir)) != NULL) {
        size_t at = stamp_offset(parts, tt_str(entry->d_name));
        if (at == 0)
            continue;
        backups[n].name = tt_strdup(tt_str(entry->d_name));
        if (backups[n].name == NULL)
            break;
        backups[n].when = backups[n].name + at;
        n++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

static bool remove_backup(const struct name_parts *parts, const char *name)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%.*s%s", TT_STR_ARG(parts->dir), name);

    return len > 0 && (size_t)len < sizeof(path) && unlink(path) == 0;
}

size_t file_backups_clean(const char *path, uint64_t wall_ns,
                          const struct file_retention *retention)
{
    struct name_parts parts = split(path);
    uint64_t age = (uint64_t)retention->max_days * NS_PER_DAY;
    struct backup *backups;
    char oldest[STAMP_LEN + 1], dir[4096];
    size_t n, removed = 0;

    if (retention->max_backups == 0 && retention->max_days == 0)
        return 0;
    backups = tt_calloc(MAX_BACKUPS, sizeof(*backups));
    if (backups == NULL)
        return 0;
    (void)snprintf(dir, sizeof(dir), "%.*s", TT_STR_ARG(parts.dir));
    stamp(wall_ns > age ? wall_ns - age : 0, retention->local, oldest);
    n = list(&parts, parts.dir.len == 0 ? "." : dir, backups);
    qsort(backups, n, sizeof(*backups), newest_first);
    for (size_t i = 0; i < n; i++) {
        bool too_many = retention->max_backups > 0 && i >= (size_t)retention->max_backups;
        bool too_old = retention->max_days > 0 && strncmp(backups[i].when, oldest, STAMP_LEN) < 0;
        if ((too_many || too_old) && remove_backup(&parts, backups[i].name))
            removed++;
        tt_free(backups[i].name);
    }
    tt_free(backups);
    return removed;
}
