/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/output.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void file_output_init(struct file_output *output, const struct file_output_options *options)
{
    *output = (struct file_output){.options = options, .fd = -1};
}

/* ---- what a crash left ---- */

/* Appends the bytes from `from` to the end to <path>.torn; best effort, since it is already known not to be data. */
static void keep_torn(const struct file_output *output, int64_t from)
{
    char name[4096], block[16384];
    int len = snprintf(name, sizeof(name), "%s.torn", output->options->path), fd;
    ssize_t n;

    if (len < 0 || (size_t)len >= sizeof(name))
        return;
    fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return;
    while ((n = pread(output->fd, block, sizeof(block), from)) > 0 &&
           tt_write_all(fd, tt_str_of(block, (size_t)n), NULL) == TT_OK)
        from += n;
    close(fd);
}

static enum tt_status repair(struct file_output *output, struct tt_error *err)
{
    struct file_tail tail;
    struct iovec lf = {.iov_base = (char[]){'\n'}, .iov_len = 1};
    enum tt_status status = file_tail_find(output->fd, output->options->layout, &tail, err);

    if (status != TT_OK)
        return status;
    if (tail.missing_lf) {
        output->size++;
        return tt_append(&output->appender, &lf, 1, err);
    }
    if ((uint64_t)tail.whole_end == output->size)
        return TT_OK;
    keep_torn(output, tail.whole_end);
    output->torn_bytes += output->size - (uint64_t)tail.whole_end;
    output->size = (uint64_t)tail.whole_end;
    if (ftruncate(output->fd, tail.whole_end) != 0)
        return tt_fail_errno(err, "cut off an incomplete record");
    return TT_OK;
}

/* ---- opening ---- */

/* When the file began: its birth where the file system knows it, else now. */
static uint64_t birth(int fd, uint64_t wall_ns)
{
    struct statx info;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &info) != 0 ||
        (info.stx_mask & STATX_BTIME) == 0 || info.stx_btime.tv_sec <= 0)
        return wall_ns;
    return (uint64_t)info.stx_btime.tv_sec * TT_SECOND + info.stx_btime.tv_nsec;
}

static enum tt_status examine(struct file_output *output, uint64_t wall_ns, struct tt_error *err)
{
    struct stat info;
    enum tt_status status;

    if (fstat(output->fd, &info) != 0)
        return tt_fail_errno(err, "look at the file");
    tt_appender_init(&output->appender, output->fd);
    output->is_regular = S_ISREG(info.st_mode);
    output->size = output->is_regular ? (uint64_t)info.st_size : 0;
    output->started_ns = output->size > 0 ? birth(output->fd, wall_ns) : wall_ns;
    if (!output->is_regular) /* /dev/stdout, a pipe: nothing to own or to repair */
        return TT_OK;
    status = tt_lock_file(output->fd, output->options->path, err);
    return status != TT_OK ? status : repair(output, err);
}

/* Pipes and terminals cannot be opened for both. */
static int open_path(const char *path)
{
    int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    struct stat info;
    bool is_special = stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
    int fd;

    do
        fd = open(path, flags | (is_special ? O_WRONLY : O_RDWR), 0644);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static enum tt_status open_active(struct file_output *output, uint64_t wall_ns,
                                  struct tt_error *err)
{
    enum tt_status status;

    output->fd = open_path(output->options->path);
    if (output->fd < 0)
        return tt_fail_errno(err, "open %s", output->options->path);
    status = examine(output, wall_ns, err);
    if (status == TT_OK)
        return TT_OK;
    if (status != TT_UNAVAILABLE) /* a lock's message names the file already */
        tt_error_prefix(err, "%s", output->options->path);
    file_output_close(output);
    return status;
}

static enum tt_status rotate(struct file_output *output, uint64_t wall_ns, const char *reason,
                             struct tt_error *err)
{
    const struct file_output_options *options = output->options;
    enum tt_status status =
        file_backup_make(options->path, wall_ns, options->retention.local, reason, err);

    if (status != TT_OK &&
        status != TT_NOT_FOUND) /* not found: somebody moved it away, which is as good */
        return status;
    file_output_close(output);
    output->rotations++;
    output->removed_backups += file_backups_clean(options->path, wall_ns, &options->retention);
    return open_active(output, wall_ns, err);
}

enum tt_status file_output_open(struct file_output *output, uint64_t wall_ns, struct tt_error *err)
{
    enum tt_status status = open_active(output, wall_ns, err);

    if (status == TT_OK && !output->options->append && output->is_regular && output->size > 0)
        status = rotate(output, wall_ns, "start", err);
    return status;
}

/* ---- writing ---- */

static const char *reason_to_rotate(const struct file_output *output, size_t more, uint64_t wall_ns)
{
    const struct file_output_options *options = output->options;

    if (!output->is_regular || output->size == 0)
        return NULL;
    if (options->max_bytes > 0 && output->size + more > options->max_bytes)
        return "size";
    if (options->interval_ns > 0 && wall_ns > output->started_ns &&
        wall_ns - output->started_ns >= (uint64_t)options->interval_ns)
        return "time";
    return NULL;
}

/* Looks once a second whether the path still leads to our file: somebody may have removed it or moved it away. */
static bool was_moved(struct file_output *output, uint64_t wall_ns)
{
    struct stat ours, theirs;

    if (!output->is_regular || wall_ns / TT_SECOND == output->looked_at_s)
        return false;
    output->looked_at_s = wall_ns / TT_SECOND;
    if (fstat(output->fd, &ours) != 0)
        return false;
    return stat(output->options->path, &theirs) != 0 || ours.st_ino != theirs.st_ino ||
           ours.st_dev != theirs.st_dev;
}

enum tt_status file_output_prepare(struct file_output *output, size_t more, uint64_t wall_ns,
                                   struct tt_error *err)
{
    const char *reason;

    if (output->fd >= 0 && was_moved(output, wall_ns))
        file_output_close(output);
    if (output->fd < 0) {
        enum tt_status status = open_active(output, wall_ns, err);
        if (status != TT_OK)
            return status;
    }
    reason = reason_to_rotate(output, more, wall_ns);
    if (reason != NULL)
        return rotate(output, wall_ns, reason, err);
    if (output->size == 0)
        output->started_ns = wall_ns;
    return TT_OK;
}

enum tt_status file_output_append(struct file_output *output, struct tt_str records,
                                  struct tt_error *err)
{
    struct iovec part = {.iov_len = records.len};
    enum tt_status status;

    memcpy(&part.iov_base, &records.data, sizeof(part.iov_base)); /* writev takes no const */
    status = tt_append(&output->appender, &part, 1, err);
    if (status == TT_OK)
        output->size += records.len;
    else
        tt_error_prefix(err, "%s", output->options->path);
    return status;
}

void file_output_undo(struct file_output *output, uint64_t bytes)
{
    (void)tt_append_undo(&output->appender, bytes, NULL); /* the next append tries again */
    output->size -= bytes < output->size ? bytes : output->size;
}

void file_output_close(struct file_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
}
