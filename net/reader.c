/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT_SIZE ((size_t)64 << 10)
#define MAX_ZSTD_WINDOW \
    27 /* what the zstd tool reads without being asked; a file is read by the one who named it */
#define GZIP_WINDOW (16 + 15)

enum kind { KIND_UNKNOWN, KIND_PLAIN, KIND_GZIP, KIND_ZSTD };

struct tt_reader {
    int fd;
    enum kind kind;
    bool in_member; /* compressed: a member or frame has begun and not ended */
    bool at_end;    /* the file gave 0 bytes at the last read */
    uint64_t read;  /* bytes of the file */
    size_t at, filled;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    uint8_t input[INPUT_SIZE];
};

enum tt_status tt_reader_open(const char *path, struct tt_reader **ret_reader, struct tt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return tt_fail_errno(err, "open %s", path);
    struct tt_reader *reader = tt_calloc(1, sizeof(*reader));
    if (reader == NULL) {
        (void)close(fd);
        return tt_fail(err, TT_NO_MEMORY, "open %s: out of memory", path);
    }
    reader->fd = fd;
    *ret_reader = reader;
    return TT_OK;
}

void tt_reader_close(struct tt_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->kind == KIND_GZIP)
        (void)inflateEnd(&reader->gzip);
    if (reader->zstd != NULL)
        (void)ZSTD_freeDCtx(reader->zstd);
    (void)close(reader->fd);
    tt_free(reader);
}

uint64_t tt_reader_position(const struct tt_reader *reader)
{
    return reader->read - (reader->filled - reader->at);
}

/* Reads behind what is in the input buffer. */
static enum tt_status fill(struct tt_reader *reader, struct tt_error *err)
{
    ssize_t n;

    if (reader->at > 0) {
        memmove(reader->input, reader->input + reader->at, reader->filled - reader->at);
        reader->filled -= reader->at;
        reader->at = 0;
    }
    do
        n = read(reader->fd, reader->input + reader->filled, INPUT_SIZE - reader->filled);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tt_fail_errno(err, "read");
    reader->at_end = n == 0;
    reader->filled += (size_t)n;
    reader->read += (uint64_t)n;
    return TT_OK;
}

static bool begins_with(const struct tt_reader *reader, const char *magic, size_t len)
{
    return reader->filled - reader->at >= len &&
           memcmp(reader->input + reader->at, magic, len) == 0;
}

static enum tt_status begin_gzip(struct tt_reader *reader, struct tt_error *err)
{
    if (inflateInit2(&reader->gzip, GZIP_WINDOW) != Z_OK)
        return tt_fail(err, TT_NO_MEMORY, "read gzip: out of memory");
    reader->kind = KIND_GZIP;
    return TT_OK;
}

static enum tt_status begin_zstd(struct tt_reader *reader, struct tt_error *err)
{
    reader->zstd = ZSTD_createDCtx();
    if (reader->zstd == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read zstd: out of memory");
    if (ZSTD_isError(ZSTD_DCtx_setParameter(reader->zstd, ZSTD_d_windowLogMax, MAX_ZSTD_WINDOW)))
        return tt_fail(err, TT_INTERNAL, "read zstd: cannot bound the window");
    reader->kind = KIND_ZSTD;
    return TT_OK;
}

/* Decides once there are 4 bytes, or the file is shorter and has ended (which may grow: then it decides later). */
static enum tt_status decide(struct tt_reader *reader, struct tt_error *err)
{
    while (reader->filled < 4) {
        enum tt_status status = fill(reader, err);
        if (status != TT_OK)
            return status;
        if (reader->at_end)
            break;
    }
    if (begins_with(reader, "\x1f\x8b", 2))
        return begin_gzip(reader, err);
    if (begins_with(reader, "\x28\xb5\x2f\xfd", 4))
        return begin_zstd(reader, err);
    if (reader->filled > 0)
        reader->kind = KIND_PLAIN;
    return TT_OK;
}

static enum tt_status read_plain(struct tt_reader *reader, uint8_t *to, size_t len, size_t *ret_len,
                                 struct tt_error *err)
{
    size_t n;

    if (reader->at == reader->filled) {
        enum tt_status status = fill(reader, err);
        if (status != TT_OK)
            return status;
    }
    n = reader->filled - reader->at < len ? reader->filled - reader->at : len;
    memcpy(to, reader->input + reader->at, n);
    reader->at += n;
    *ret_len = n;
    return TT_OK;
}

/* One step over what is in the input buffer; *ret_len bytes came out. */
static enum tt_status gzip_step(struct tt_reader *reader, uint8_t *to, size_t len, size_t *ret_len,
                                struct tt_error *err)
{
    z_stream *z = &reader->gzip;
    uInt room = len > UINT32_MAX ? UINT32_MAX : (uInt)len;

    z->next_in = reader->input + reader->at;
    z->avail_in = (uInt)(reader->filled - reader->at);
    z->next_out = to;
    z->avail_out = room;
    int code = inflate(z, Z_NO_FLUSH);
    reader->at = reader->filled - z->avail_in;
    *ret_len = room - z->avail_out;
    reader->in_member = code != Z_STREAM_END;
    if (code == Z_STREAM_END && inflateReset(z) != Z_OK)
        return tt_fail(err, TT_INTERNAL, "read gzip: reset failed");
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return TT_OK;
    return tt_fail(err, code == Z_MEM_ERROR ? TT_NO_MEMORY : TT_INVALID_DATA, "read gzip: %s",
                   z->msg != NULL ? z->msg : "corrupt data");
}

static enum tt_status zstd_step(struct tt_reader *reader, uint8_t *to, size_t len, size_t *ret_len,
                                struct tt_error *err)
{
    ZSTD_inBuffer in = {reader->input, reader->filled, reader->at};
    ZSTD_outBuffer out = {to, len, 0};
    size_t pending = ZSTD_decompressStream(reader->zstd, &out, &in);

    if (ZSTD_isError(pending))
        return tt_fail(err, TT_INVALID_DATA, "read zstd: %s", ZSTD_getErrorName(pending));
    reader->at = in.pos;
    *ret_len = out.pos;
    reader->in_member = pending != 0;
    return TT_OK;
}

static enum tt_status read_compressed(struct tt_reader *reader, uint8_t *to, size_t len,
                                      size_t *ret_len, struct tt_error *err)
{
    for (;;) {
        bool had_input = reader->at < reader->filled;
        enum tt_status status = TT_OK;

        if (had_input || reader->in_member)
            status = reader->kind == KIND_GZIP ? gzip_step(reader, to, len, ret_len, err)
                                               : zstd_step(reader, to, len, ret_len, err);
        if (status != TT_OK || *ret_len > 0)
            return status;
        if (reader->at < reader->filled)
            continue;
        status = fill(reader, err);
        if (status != TT_OK)
            return status;
        if (reader->at < reader->filled)
            continue;
        if (reader->in_member)
            return tt_fail(err, TT_INVALID_DATA, "read: the compressed data end too early");
        return TT_OK;
    }
}

enum tt_status tt_reader_read(struct tt_reader *reader, void *bytes, size_t len, size_t *ret_len,
                              struct tt_error *err)
{
    enum tt_status status = TT_OK;

    *ret_len = 0;
    if (len == 0)
        return TT_OK;
    if (reader->kind == KIND_UNKNOWN)
        status = decide(reader, err);
    if (status != TT_OK || reader->kind == KIND_UNKNOWN)
        return status;
    if (reader->kind == KIND_PLAIN)
        return read_plain(reader, bytes, len, ret_len, err);
    return read_compressed(reader, bytes, len, ret_len, err);
}
