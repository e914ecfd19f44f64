/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/lines.h"

#include "net/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10)

/* ---- opening ---- */

static bool is_compressed(int fd)
{
    uint8_t start[4] = {0};
    ssize_t n = pread(fd, start, sizeof(start), 0);

    return (n >= 2 && start[0] == 0x1F && start[1] == 0x8B) ||
           (n >= 4 && memcmp(start, "\x28\xB5\x2F\xFD", 4) == 0);
}

static enum tt_status open_file(struct tt_lines *lines, struct tt_error *err)
{
    struct stat info;

    lines->fd = open(lines->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (lines->fd < 0)
        return tt_fail_errno(err, "open %s", lines->path);
    if (fstat(lines->fd, &info) != 0)
        return tt_fail_errno(err, "look at %s", lines->path);
    if (S_ISDIR(info.st_mode))
        return tt_fail(err, TT_IO, "open %s: it is a directory", lines->path);
    lines->dev = info.st_dev;
    lines->ino = info.st_ino;
    if (!is_compressed(lines->fd))
        return TT_OK;
    return tt_reader_open(lines->path, &lines->reader, err);
}

enum tt_status tt_lines_open(const char *path, size_t max_line, struct tt_lines **ret_lines,
                             struct tt_error *err)
{
    struct tt_lines *lines = tt_calloc(1, sizeof(*lines));
    enum tt_status status;

    if (lines == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    lines->fd = -1;
    lines->max_line = max_line;
    lines->path = tt_strdup(tt_str(path));
    status =
        lines->path == NULL ? tt_fail(err, TT_NO_MEMORY, "open %s", path) : open_file(lines, err);
    if (status == TT_OK)
        *ret_lines = lines;
    else
        tt_lines_close(lines);
    return status;
}

static void free_bytes(struct tt_lines *lines)
{
    tt_free(TT_TAKE(lines->bytes));
    lines->begin = lines->scanned = lines->end = lines->capacity = 0;
}

void tt_lines_finish(struct tt_lines *lines)
{
    tt_reader_close(TT_TAKE(lines->reader));
    free_bytes(lines);
}

void tt_lines_close(struct tt_lines *lines)
{
    if (lines == NULL)
        return;
    tt_lines_finish(lines);
    if (lines->fd >= 0)
        close(lines->fd);
    tt_free(lines->path);
    tt_free(lines);
}

/* ---- filling ---- */

/* Makes room for a block behind end. */
static enum tt_status make_room(struct tt_lines *lines, struct tt_error *err)
{
    size_t kept = lines->end - lines->begin, capacity = lines->capacity;
    char *bytes;

    if (lines->begin > 0) {
        memmove(lines->bytes, lines->bytes + lines->begin, kept);
        lines->scanned -= lines->begin;
        lines->begin = 0;
        lines->end = kept;
    }
    while (capacity - kept < BLOCK)
        capacity = capacity == 0 ? BLOCK : 2 * capacity;
    if (capacity == lines->capacity)
        return TT_OK;
    bytes = tt_realloc(lines->bytes, capacity, 1);
    if (bytes == NULL)
        return tt_fail(err, TT_NO_MEMORY, "%s:%llu: read a line", lines->path,
                       (unsigned long long)lines->line + 1);
    lines->bytes = bytes;
    lines->capacity = capacity;
    return TT_OK;
}

static enum tt_status read_plain(struct tt_lines *lines, size_t *ret_len, struct tt_error *err)
{
    ssize_t n;

    do
        n = read(lines->fd, lines->bytes + lines->end, BLOCK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tt_fail_errno(err, "read %s", lines->path);
    *ret_len = (size_t)n;
    return TT_OK;
}

static enum tt_status fill(struct tt_lines *lines, size_t *ret_len, struct tt_error *err)
{
    enum tt_status status = make_room(lines, err);

    if (status != TT_OK)
        return status;
    if (lines->reader == NULL)
        status = read_plain(lines, ret_len, err);
    else
        status = tt_reader_read(lines->reader, lines->bytes + lines->end, BLOCK, ret_len, err);
    if (status != TT_OK) {
        tt_error_prefix(err, "%s:%llu", lines->path, (unsigned long long)lines->line + 1);
        return status;
    }
    lines->end += *ret_len;
    lines->offset += *ret_len;
    return TT_OK;
}

/* ---- lines ---- */

static struct tt_str without_cr(struct tt_str line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Cuts the line that ends at lf off the buffer. */
static struct tt_str take_line(struct tt_lines *lines, const char *lf)
{
    struct tt_str line = {lines->bytes + lines->begin, (size_t)(lf - lines->bytes) - lines->begin};

    lines->begin = lines->scanned = (size_t)(lf - lines->bytes) + 1;
    lines->line++;
    return without_cr(line);
}

/* Forgets what there is of a line that is too long. Returns whether there was one. */
static bool give_up_line(struct tt_lines *lines)
{
    if (!lines->skipping && lines->end - lines->begin <= lines->max_line)
        return false;
    lines->skipping = true;
    lines->begin = lines->scanned = lines->end = 0;
    return true;
}

static enum tt_status too_long(struct tt_lines *lines, struct tt_error *err)
{
    lines->skipping = false;
    return tt_fail(err, TT_TOO_LARGE, "%s:%llu: a line longer than %zu bytes", lines->path,
                   (unsigned long long)lines->line, lines->max_line);
}

enum tt_status tt_lines_next(struct tt_lines *lines, struct tt_str *ret_line, struct tt_error *err)
{
    *ret_line = (struct tt_str){NULL, 0};
    for (;;) {
        size_t unscanned = lines->end - lines->scanned, len = 0;
        const char *lf =
            unscanned == 0 ? NULL : memchr(lines->bytes + lines->scanned, '\n', unscanned);
        enum tt_status status;
        if (lf != NULL) {
            struct tt_str line = take_line(lines, lf);
            if (lines->skipping || line.len > lines->max_line)
                return too_long(lines, err);
            *ret_line = line;
            return TT_OK;
        }
        lines->scanned = lines->end;
        (void)give_up_line(lines);
        status = fill(lines, &len, err);
        if (status == TT_OK && len == 0 && lines->begin == lines->end)
            free_bytes(lines); /* many files wait at their end, few are read */
        if (status != TT_OK || len == 0)
            return status;
    }
}

struct tt_str tt_lines_rest(struct tt_lines *lines)
{
    struct tt_str rest = {lines->bytes + lines->begin, lines->end - lines->begin};

    if (rest.len == 0 || lines->skipping)
        return (struct tt_str){NULL, 0};
    lines->begin = lines->scanned = lines->end;
    lines->line++;
    return without_cr(rest);
}

enum tt_status tt_lines_skip_to_end(struct tt_lines *lines, struct tt_error *err)
{
    struct tt_str line;
    enum tt_status status;

    do
        status = tt_lines_next(lines, &line, err);
    while (status == TT_TOO_LARGE || (status == TT_OK && line.data != NULL));
    return status;
}

bool tt_lines_is_deleted(const struct tt_lines *lines)
{
    struct stat info;

    return fstat(lines->fd, &info) == 0 && info.st_nlink == 0;
}

bool tt_lines_is_truncated(const struct tt_lines *lines)
{
    struct stat info;

    return lines->reader == NULL && fstat(lines->fd, &info) == 0 &&
           (uint64_t)info.st_size < lines->offset;
}
