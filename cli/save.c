/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/save.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READ_BLOCK ((size_t)1 << 16)

static enum tt_status write_file(const char *path, struct tt_str text, struct tt_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    enum tt_status status;

    if (fd < 0)
        return tt_fail_errno(err, "create %s", path);
    status = tt_write_all(fd, text, err);
    if (close(fd) != 0 && status == TT_OK)
        status = tt_fail_errno(err, "close %s", path);
    return status;
}

enum tt_status tt_save_file(const char *path, const struct tt_buffer *text, struct tt_error *err)
{
    enum tt_status status = tt_buffer_check(text, path, err);
    struct tt_buffer temporary;

    if (status != TT_OK)
        return status;
    tt_buffer_init(&temporary, 8192);
    tt_buffer_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    tt_buffer_append_byte(&temporary, '\0');
    status = tt_buffer_check(&temporary, "name a temporary file", err);
    if (status == TT_OK) {
        status = write_file(temporary.data, tt_buffer_view(text), err);
        if (status == TT_OK && rename(temporary.data, path) != 0)
            status = tt_fail_errno(err, "rename %s to %s", temporary.data, path);
        if (status != TT_OK)
            (void)unlink(temporary.data);
    }
    tt_buffer_done(&temporary);
    return status;
}

static enum tt_status read_all(int fd, const char *path, struct tt_buffer *text,
                               struct tt_error *err)
{
    for (;;) {
        char *to = tt_buffer_reserve(text, READ_BLOCK);
        ssize_t n;
        if (to == NULL)
            return tt_buffer_check(text, path, err);
        n = read(fd, to, READ_BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tt_fail_errno(err, "read %s", path);
        if (n == 0)
            return TT_OK;
        text->len += (size_t)n;
    }
}

enum tt_status tt_load_file(const char *path, struct tt_buffer *text, struct tt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum tt_status status;

    if (fd < 0)
        return tt_fail_errno(err, "open %s", path);
    status = read_all(fd, path, text, err);
    close(fd);
    return status;
}
