/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PARTS_AT_ONCE 256
#define BLOCKED_LIMIT (10 * TT_SECOND)

/* ---- writing ---- */

/* Where a write of many parts is. */
struct progress {
    const struct iovec *parts;
    size_t n_parts;
    size_t offset; /* of the first part: written already */
};

static size_t gather(const struct progress *at, struct iovec chunk[PARTS_AT_ONCE])
{
    size_t n = at->n_parts < PARTS_AT_ONCE ? at->n_parts : PARTS_AT_ONCE;

    for (size_t i = 0; i < n; i++)
        chunk[i] = at->parts[i];
    chunk[0].iov_base = (char *)chunk[0].iov_base + at->offset;
    chunk[0].iov_len -= at->offset;
    return n;
}

static void advance(struct progress *at, size_t written)
{
    written += at->offset;
    while (at->n_parts > 0 && written >= at->parts[0].iov_len) {
        written -= at->parts[0].iov_len;
        at->parts++;
        at->n_parts--;
    }
    at->offset = written;
}

/* A pipe or terminal that is full: waits for room. */
static bool wait_writable(int fd, tt_dur *left)
{
    tt_dur before = tt_clock_monotonic(tt_clock_system());
    struct pollfd want = {.fd = fd, .events = POLLOUT};
    int ready = poll(&want, 1, (int)(*left / TT_MILLISECOND));

    *left -= tt_clock_monotonic(tt_clock_system()) - before;
    *left -= TT_MILLISECOND; /* a device that is "ready" and refuses cannot keep us here */
    return (ready > 0 || (ready < 0 && errno == EINTR)) && *left > 0;
}

/* Returns 0 or an errno; *ret_written counts what went out in either case. */
static int write_parts(int fd, struct progress at, uint64_t *ret_written)
{
    tt_dur patience = BLOCKED_LIMIT;

    advance(&at, 0);
    while (at.n_parts > 0) {
        struct iovec chunk[PARTS_AT_ONCE];
        size_t n = gather(&at, chunk);
        ssize_t written = writev(fd, chunk, (int)n);
        if (written > 0) {
            *ret_written += (uint64_t)written;
            advance(&at, (size_t)written);
        } else if (written == 0) {
            return EIO;
        } else if (errno == EAGAIN && wait_writable(fd, &patience)) {
            continue;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

enum tt_status tt_write_all(int fd, struct tt_str bytes, struct tt_error *err)
{
    struct iovec part = {.iov_len = bytes.len};
    uint64_t written = 0;
    int failed;

    memcpy(&part.iov_base, &bytes.data, sizeof(part.iov_base)); /* writev takes no const */
    failed = write_parts(fd, (struct progress){.parts = &part, .n_parts = 1}, &written);
    if (failed == 0)
        return TT_OK;
    errno = failed;
    return tt_fail_errno(err, "write %zu bytes", bytes.len);
}

/* ---- all or nothing ---- */

void tt_appender_init(struct tt_appender *appender, int fd)
{
    struct stat info;

    *appender = (struct tt_appender){.fd = fd, .cut_to = -1};
    appender->can_cut = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

static int cut(struct tt_appender *appender)
{
    int result;

    if (appender->cut_to < 0)
        return 0;
    do
        result = ftruncate(appender->fd, appender->cut_to);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return errno;
    appender->cut_to = -1;
    return 0;
}

enum tt_status tt_append_undo(struct tt_appender *appender, uint64_t bytes, struct tt_error *err)
{
    struct stat info;

    if (!appender->can_cut || bytes == 0)
        return TT_OK;
    if (appender->cut_to >= 0)
        appender->cut_to -= (int64_t)bytes;
    else if (fstat(appender->fd, &info) != 0)
        return tt_fail_errno(err, "find the end of the file");
    else
        appender->cut_to = info.st_size - (int64_t)bytes;
    if (appender->cut_to < 0) /* somebody else has truncated the file meanwhile */
        appender->cut_to = 0;
    if (cut(appender) != 0)
        return tt_fail_errno(err, "cut off an incomplete record");
    return TT_OK;
}

enum tt_status tt_append(struct tt_appender *appender, const struct iovec *parts, size_t n_parts,
                         struct tt_error *err)
{
    uint64_t written = 0;
    int failed = cut(appender);

    if (failed != 0) {
        errno = failed;
        return tt_fail_errno(err, "cut off an incomplete record");
    }
    failed =
        write_parts(appender->fd, (struct progress){.parts = parts, .n_parts = n_parts}, &written);
    if (failed == 0)
        return TT_OK;
    (void)tt_append_undo(appender, written, NULL); /* the next append tries again */
    errno = failed;
    return tt_fail_errno(err, "write");
}

/* ---- locks ---- */

/* Reads "1: FLOCK  ADVISORY  WRITE 4711 00:2f:1234 0 EOF" lines. Source: proc(5), /proc/locks. */
static bool lock_line_owner(const char *line, const struct stat *info, struct tt_str *ret_pid)
{
    struct tt_str rest = tt_str(line), field[6];
    size_t n = 0;
    char want[64];

    while (rest.data != NULL && n < TT_LENGTH(field)) {
        struct tt_str part = tt_str_cut(&rest, ' ');
        if (part.len > 0)
            field[n++] = part;
    }
    if (n < TT_LENGTH(field) || !tt_str_equal(field[1], TT_STR("FLOCK")))
        return false;
    (void)snprintf(want, sizeof(want), "%02x:%02x:%lu", major(info->st_dev), minor(info->st_dev),
                   (unsigned long)info->st_ino);
    *ret_pid = field[4];
    return tt_str_equal(field[5], tt_str(want));
}

static void name_owner(int fd, char *ret_owner, size_t size)
{
    FILE *locks = fopen("/proc/locks", "re");
    struct stat info;
    char line[256];
    struct tt_str pid;

    (void)snprintf(ret_owner, size, "another process");
    while (locks != NULL && fstat(fd, &info) == 0 && fgets(line, sizeof(line), locks) != NULL) {
        char self[32];
        if (!lock_line_owner(line, &info, &pid))
            continue;
        (void)snprintf(self, sizeof(self), "%ld", (long)getpid());
        if (tt_str_equal(pid, tt_str(self)))
            (void)snprintf(ret_owner, size, "another component of this process (%s)", self);
        else
            (void)snprintf(ret_owner, size, "process %.*s", TT_STR_ARG(pid));
    }
    if (locks != NULL)
        (void)fclose(locks);
}

enum tt_status tt_lock_file(int fd, const char *path, struct tt_error *err)
{
    char owner[96];
    int result;

    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return TT_OK;
    if (errno != EWOULDBLOCK)
        return tt_fail_errno(err, "lock %s", path);
    name_owner(fd, owner, sizeof(owner));
    return tt_fail(err, TT_UNAVAILABLE, "%s is in use by %s", path, owner);
}

/* ---- names ---- */

enum tt_status tt_make_directories(const char *path, mode_t mode, struct tt_error *err)
{
    char part[4096];
    size_t len = strlen(path);
    struct stat info;

    if (len == 0 || len >= sizeof(part))
        return tt_fail(err, TT_INVALID_CONFIG, "create directory: a path of %zu bytes", len);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST && stat(part, &info) != 0)
            return tt_fail_errno(err, "create directory %s", part);
    }
    if (stat(path, &info) != 0)
        return tt_fail_errno(err, "create directory %s", path);
    if (!S_ISDIR(info.st_mode))
        return tt_fail(err, TT_INVALID_CONFIG, "create directory %s: a file is there", path);
    return TT_OK;
}

enum tt_status tt_rename_new(int dir_fd, const char *from, const char *to, struct tt_error *err)
{
    if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
        return TT_OK;
    /* A file system without that flag: a second link fails when the name is taken. */
    if (errno == EINVAL && linkat(dir_fd, from, dir_fd, to, 0) == 0) {
        if (unlinkat(dir_fd, from, 0) == 0)
            return TT_OK;
        return tt_fail_errno(err, "remove %s", from);
    }
    if (errno == EEXIST)
        return tt_fail(err, TT_UNSUPPORTED, "rename %s: %s is already there", from, to);
    return tt_fail_errno(err, "rename %s to %s", from, to);
}

bool tt_mode_parse(struct tt_str text, mode_t *ret_mode)
{
    unsigned mode = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '7')
            return false;
        mode = mode * 8 + (unsigned)(text.data[i] - '0');
    }
    *ret_mode = mode;
    return mode <= 07777;
}
