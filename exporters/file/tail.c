/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/tail.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads len bytes at offset, or fails; *ret_whole is false when the file ends before. */
static enum tt_status read_at(int fd, int64_t offset, void *bytes, size_t len, bool *ret_whole,
                              struct tt_error *err)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = pread(fd, (char *)bytes + got, len - got, offset + (int64_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tt_fail_errno(err, "read the end of the file");
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *ret_whole = got == len;
    return TT_OK;
}

/* ---- lines ---- */

/* Follows JSON text just far enough to know whether its outermost object is closed. */
struct json_state {
    uint64_t depth;
    bool in_text, escaped, closed, broken;
};

static void json_feed(struct json_state *state, char c)
{
    if (state->escaped) {
        state->escaped = false;
    } else if (state->in_text) {
        state->escaped = c == '\\';
        state->in_text = c != '"';
    } else if (state->closed || (state->depth == 0 && c != '{')) {
        state->broken = true;
    } else if (c == '{' || c == '[') {
        state->depth++;
    } else if (c == '}' || c == ']') {
        state->depth--;
        state->closed = state->depth == 0;
    } else {
        state->in_text = c == '"';
    }
}

/* Whether the bytes from `start` to the end are one whole JSON object. */
static enum tt_status is_whole_json(int fd, int64_t start, int64_t end, bool *ret_whole,
                                    struct tt_error *err)
{
    struct json_state state = {.depth = 0};
    char block[4096];
    bool there = true;

    while (start < end && !state.broken) {
        size_t len = end - start < (int64_t)sizeof(block) ? (size_t)(end - start) : sizeof(block);
        enum tt_status status = read_at(fd, start, block, len, &there, err);
        if (status != TT_OK)
            return status;
        for (size_t i = 0; i < len && !state.broken; i++)
            json_feed(&state, block[i]);
        start += (int64_t)len;
    }
    *ret_whole = state.closed && !state.broken;
    return TT_OK;
}

static enum tt_status last_newline(int fd, int64_t size, int64_t *ret_end, struct tt_error *err)
{
    char block[4096];
    bool there;

    for (int64_t end = size; end > 0;) {
        int64_t start = end > (int64_t)sizeof(block) ? end - (int64_t)sizeof(block) : 0;
        enum tt_status status = read_at(fd, start, block, (size_t)(end - start), &there, err);
        const char *found;
        if (status != TT_OK)
            return status;
        found = memrchr(block, '\n', (size_t)(end - start));
        if (found != NULL) {
            *ret_end = start + (found - block) + 1;
            return TT_OK;
        }
        end = start;
    }
    *ret_end = 0;
    return TT_OK;
}

static enum tt_status find_line_end(int fd, int64_t size, struct file_tail *tail,
                                    struct tt_error *err)
{
    enum tt_status status = last_newline(fd, size, &tail->whole_end, err);

    if (status != TT_OK || tail->whole_end == size)
        return status;
    status = is_whole_json(fd, tail->whole_end, size, &tail->missing_lf, err);
    if (status == TT_OK && tail->missing_lf)
        tail->whole_end = size;
    return status;
}

/* ---- length prefixes ---- */

static enum tt_status find_prefixed_end(int fd, int64_t size, struct file_tail *tail,
                                        struct tt_error *err)
{
    uint8_t prefix[4] = {0};
    bool there = false;

    while (tail->whole_end + 4 <= size) {
        enum tt_status status = read_at(fd, tail->whole_end, prefix, 4, &there, err);
        int64_t len = (int64_t)prefix[0] << 24 | prefix[1] << 16 | prefix[2] << 8 | prefix[3];
        if (status != TT_OK)
            return status;
        if (!there || tail->whole_end + 4 + len > size)
            break;
        tail->whole_end += 4 + len;
    }
    return TT_OK;
}

/* ---- zstd frames ---- */

static uint32_t little_endian(const uint8_t *bytes, size_t n)
{
    uint32_t value = 0;

    for (size_t i = 0; i < n; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

/* Bytes of the frame header behind the magic number, by its descriptor. Source: RFC 8878, 3.1.1.1. */
static int64_t frame_header_size(uint8_t descriptor)
{
    static const uint8_t dictionary_id[] = {0, 1, 2, 4}, content_size[] = {0, 2, 4, 8};
    bool single_segment = (descriptor & 0x20) != 0;
    unsigned size_code = descriptor >> 6;

    return 1 + (single_segment ? 0 : 1) + dictionary_id[descriptor & 3] +
           (size_code == 0 && single_segment ? 1 : content_size[size_code]);
}

/* Sets *at behind the blocks that begin there; *ret_whole is false when they do not end in the file. */
static enum tt_status skip_blocks(int fd, int64_t *at, bool *ret_whole, struct tt_error *err)
{
    for (;;) {
        uint8_t bytes[3];
        enum tt_status status = read_at(fd, *at, bytes, 3, ret_whole, err);
        uint32_t header = little_endian(bytes, 3), type = header >> 1 & 3;
        if (status != TT_OK || !*ret_whole)
            return status;
        if (type == 3) {
            *ret_whole = false;
            return TT_OK;
        }
        *at += 3 + (type == 1 ? 1 : (int64_t)(header >> 3));
        if ((header & 1) != 0)
            return TT_OK;
    }
}

/* Sets *at behind the frame that begins there. */
static enum tt_status skip_frame(int fd, int64_t *at, bool *ret_whole, struct tt_error *err)
{
    uint8_t start[8];
    enum tt_status status = read_at(fd, *at, start, 5, ret_whole, err);
    uint32_t magic = little_endian(start, 4);

    if (status != TT_OK || !*ret_whole)
        return status;
    if ((magic & 0xFFFFFFF0u) == 0x184D2A50u) { /* skippable */
        status = read_at(fd, *at, start, 8, ret_whole, err);
        *at += 8 + (int64_t)little_endian(start + 4, 4);
        return status;
    }
    *ret_whole = magic == 0xFD2FB528u;
    if (!*ret_whole)
        return TT_OK;
    *at += 4 + frame_header_size(start[4]);
    status = skip_blocks(fd, at, ret_whole, err);
    *at += (start[4] & 4) != 0 ? 4 : 0; /* content checksum */
    return status;
}

static enum tt_status find_frame_end(int fd, int64_t size, struct file_tail *tail,
                                     struct tt_error *err)
{
    while (tail->whole_end < size) {
        int64_t at = tail->whole_end;
        bool whole = false;
        enum tt_status status = skip_frame(fd, &at, &whole, err);
        if (status != TT_OK)
            return status;
        if (!whole || at > size)
            break;
        tail->whole_end = at;
    }
    return TT_OK;
}

enum tt_status file_tail_find(int fd, enum file_layout layout, struct file_tail *ret_tail,
                              struct tt_error *err)
{
    struct stat info;

    *ret_tail = (struct file_tail){.whole_end = 0};
    if (fstat(fd, &info) != 0)
        return tt_fail_errno(err, "find the size of the file");
    if (layout == FILE_PREFIXED)
        return find_prefixed_end(fd, info.st_size, ret_tail, err);
    if (layout == FILE_ZSTD)
        return find_frame_end(fd, info.st_size, ret_tail, err);
    return find_line_end(fd, info.st_size, ret_tail, err);
}
