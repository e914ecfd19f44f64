/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

/* A stream that unpacks to more than this many times its size is a bomb; real telemetry stays below 50. */
#define MAX_RATIO         200
#define RATIO_FREE_BYTES  ((size_t)1 << 20)
#define MAX_ZSTD_WINDOW   23
#define MAX_MEMBERS       10000
#define FIRST_OUTPUT_SIZE ((size_t)16 << 10)

#define ZLIB_WINDOW 15
#define GZIP_WINDOW (16 + ZLIB_WINDOW)

bool tt_encoding_parse(struct tt_str name, enum tt_encoding *ret_encoding)
{
    static const struct {
        struct tt_str name;
        enum tt_encoding encoding;
    } known[] = {
        {{"", 0}, TT_ENCODING_IDENTITY},       {{"identity", 8}, TT_ENCODING_IDENTITY},
        {{"gzip", 4}, TT_ENCODING_GZIP},       {{"x-gzip", 6}, TT_ENCODING_GZIP},
        {{"deflate", 7}, TT_ENCODING_DEFLATE}, {{"zlib", 4}, TT_ENCODING_DEFLATE},
        {{"zstd", 4}, TT_ENCODING_ZSTD},
    };

    name = tt_str_trim(name);
    for (size_t i = 0; i < TT_LENGTH(known); i++) {
        if (tt_str_equal_nocase(name, known[i].name)) {
            *ret_encoding = known[i].encoding;
            return true;
        }
    }
    return false;
}

/* ---- decompression ---- */

/* One run of a decompressor; `step` writes into the room at the end of out and moves both positions. */
struct inflation {
    struct tt_str in;
    size_t consumed, produced;
    uint32_t members;
    struct tt_buffer *out;
    tt_inflate_grow *grow;
    void *grow_context;
    struct tt_error *err;
};

/* The size that out's memory should have next: at least one more byte, doubling, never over its max. */
static size_t next_capacity(const struct inflation *run)
{
    const struct tt_buffer *out = run->out;
    size_t wanted = out->cap > out->len ? out->cap : out->cap * 2;

    if (wanted < FIRST_OUTPUT_SIZE)
        wanted = FIRST_OUTPUT_SIZE;
    if (out->cap == 0 && run->in.len < SIZE_MAX / 4 && wanted < run->in.len * 4)
        wanted = run->in.len * 4;
    return wanted > out->max ? out->max : wanted;
}

/* Makes room for at least one byte at the end of out. */
static enum tt_status make_room(struct inflation *run)
{
    struct tt_buffer *out = run->out;
    size_t capacity = next_capacity(run);

    if (out->cap > out->len)
        return TT_OK;
    if (capacity <= out->len)
        return tt_fail(run->err, TT_TOO_LARGE, "decompress: over the limit of %zu bytes", out->max);
    if (run->grow != NULL && !run->grow(run->grow_context, capacity))
        return tt_fail(run->err, TT_OVERLOADED, "decompress: no memory budget for %zu bytes",
                       capacity);
    if (tt_buffer_reserve(out, capacity - out->len) == NULL)
        return tt_buffer_check(out, "decompress", run->err);
    return TT_OK;
}

static enum tt_status count_output(struct inflation *run, size_t bytes)
{
    run->out->len += bytes;
    run->produced += bytes;
    if (run->produced > RATIO_FREE_BYTES && run->produced / MAX_RATIO > run->consumed)
        return tt_fail(run->err, TT_TOO_LARGE, "decompress: more than %d times its size",
                       MAX_RATIO);
    return TT_OK;
}

static enum tt_status count_member(struct inflation *run)
{
    if (++run->members > MAX_MEMBERS)
        return tt_fail(run->err, TT_INVALID_DATA, "decompress: more than %d members", MAX_MEMBERS);
    return TT_OK;
}

static uInt clamp_uint(size_t n)
{
    return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

/* zlib's next_in is not const in every build, though it never writes there. */
static Bytef *zlib_input(const char *data)
{
    return (Bytef *)(uintptr_t)data;
}

static enum tt_status zlib_failure(const z_stream *z, int code, struct tt_error *err)
{
    if (code == Z_MEM_ERROR)
        return tt_fail(err, TT_NO_MEMORY, "decompress: out of memory");
    if (code == Z_BUF_ERROR)
        return tt_fail(err, TT_INVALID_DATA, "decompress: the data end too early");
    return tt_fail(err, TT_INVALID_DATA, "decompress: %s",
                   z->msg != NULL ? z->msg : "corrupt data");
}

/* One call of inflate(); *ret_code is Z_OK or Z_STREAM_END when TT_OK is returned. */
static enum tt_status zlib_step(struct inflation *run, z_stream *z, int *ret_code)
{
    enum tt_status status = make_room(run);

    if (status != TT_OK)
        return status;
    uInt room = clamp_uint(run->out->cap - run->out->len);
    uInt left = clamp_uint(run->in.len - run->consumed);
    z->next_in = zlib_input(run->in.data + run->consumed);
    z->avail_in = left;
    z->next_out = (Bytef *)run->out->data + run->out->len;
    z->avail_out = room;
    *ret_code = inflate(z, Z_NO_FLUSH);
    run->consumed += left - z->avail_in;
    status = count_output(run, room - z->avail_out);
    if (status != TT_OK)
        return status;
    /* Z_BUF_ERROR with room left means that input is missing; with the room used up it asks for more of it. */
    if (*ret_code == Z_BUF_ERROR && z->avail_out == 0)
        *ret_code = Z_OK;
    if (*ret_code != Z_OK && *ret_code != Z_STREAM_END)
        return zlib_failure(z, *ret_code, run->err);
    return TT_OK;
}

static enum tt_status zlib_run(struct inflation *run, z_stream *z, bool members_may_follow)
{
    for (;;) {
        int code;
        enum tt_status status = zlib_step(run, z, &code);

        if (status != TT_OK)
            return status;
        if (code != Z_STREAM_END)
            continue;
        if (run->consumed == run->in.len)
            return TT_OK;
        if (!members_may_follow)
            return tt_fail(run->err, TT_INVALID_DATA,
                           "decompress: bytes after the end of the stream");
        status = count_member(run);
        if (status != TT_OK)
            return status;
        if (inflateReset(z) != Z_OK)
            return tt_fail(run->err, TT_INTERNAL, "decompress: reset failed");
    }
}

static enum tt_status inflate_zlib(struct inflation *run, bool is_gzip)
{
    z_stream z = {0};

    if (inflateInit2(&z, is_gzip ? GZIP_WINDOW : ZLIB_WINDOW) != Z_OK)
        return tt_fail(run->err, TT_NO_MEMORY, "decompress: out of memory");
    enum tt_status status = zlib_run(run, &z, is_gzip);
    (void)inflateEnd(&z);
    return status;
}

static enum tt_status zstd_failure(size_t code, struct tt_error *err)
{
    enum tt_status status = TT_INVALID_DATA;

    /* The library's message tells a window that is too large from corrupt data; the numbers are not stable. */
    if (strstr(ZSTD_getErrorName(code), "memory") != NULL)
        status = TT_TOO_LARGE;
    return tt_fail(err, status, "decompress: %s", ZSTD_getErrorName(code));
}

static enum tt_status zstd_run(struct inflation *run, ZSTD_DCtx *context)
{
    ZSTD_inBuffer in = {run->in.data, run->in.len, 0};
    size_t pending = 1; /* what the library still wants; 0 at the end of a frame */

    if (in.size == 0)
        return tt_fail(run->err, TT_INVALID_DATA, "decompress: the data end too early");
    while (in.pos < in.size || pending != 0) {
        enum tt_status status = make_room(run);
        if (status != TT_OK)
            return status;
        ZSTD_outBuffer out = {run->out->data + run->out->len, run->out->cap - run->out->len, 0};
        size_t before = in.pos;
        pending = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(pending))
            return zstd_failure(pending, run->err);
        run->consumed = in.pos;
        status = count_output(run, out.pos);
        if (status == TT_OK && pending == 0)
            status = count_member(run);
        if (status != TT_OK)
            return status;
        if (pending != 0 && in.pos == before && out.pos == 0)
            return tt_fail(run->err, TT_INVALID_DATA, "decompress: the data end too early");
    }
    return TT_OK;
}

static enum tt_status inflate_zstd(struct inflation *run)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();

    if (context == NULL)
        return tt_fail(run->err, TT_NO_MEMORY, "decompress: out of memory");
    enum tt_status status = TT_OK;
    if (ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, MAX_ZSTD_WINDOW)))
        status = tt_fail(run->err, TT_INTERNAL, "decompress: cannot bound the window");
    if (status == TT_OK)
        status = zstd_run(run, context);
    (void)ZSTD_freeDCtx(context);
    return status;
}

enum tt_status tt_decompress_metered(enum tt_encoding encoding, struct tt_str compressed,
                                     struct tt_buffer *out, tt_inflate_grow *grow, void *context,
                                     struct tt_error *err)
{
    struct inflation run = {
        .in = compressed, .out = out, .grow = grow, .grow_context = context, .err = err};

    switch (encoding) {
    case TT_ENCODING_IDENTITY:
        tt_buffer_append_str(out, compressed);
        return tt_buffer_check(out, "copy", err);
    case TT_ENCODING_GZIP:
        return inflate_zlib(&run, true);
    case TT_ENCODING_DEFLATE:
        return inflate_zlib(&run, false);
    case TT_ENCODING_ZSTD:
        return inflate_zstd(&run);
    default:
        return tt_fail(err, TT_UNSUPPORTED, "decompress: unknown encoding");
    }
}

enum tt_status tt_decompress(enum tt_encoding encoding, struct tt_str compressed,
                             struct tt_buffer *out, struct tt_error *err)
{
    return tt_decompress_metered(encoding, compressed, out, NULL, NULL, err);
}

/* ---- compression ---- */

static enum tt_status deflate_zlib(bool is_gzip, int level, struct tt_str plain,
                                   struct tt_buffer *out, struct tt_error *err)
{
    z_stream z = {0};

    if (plain.len > UINT_MAX)
        return tt_fail(err, TT_TOO_LARGE, "compress %zu bytes", plain.len);
    if (deflateInit2(&z, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED,
                     is_gzip ? GZIP_WINDOW : ZLIB_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return tt_fail(err, TT_NO_MEMORY, "compress: out of memory or bad level %d", level);
    size_t bound = deflateBound(&z, plain.len);
    char *to = tt_buffer_reserve(out, bound);
    int code = Z_MEM_ERROR;
    if (to != NULL) {
        z.next_in = zlib_input(plain.data);
        z.avail_in = (uInt)plain.len;
        z.next_out = (Bytef *)to;
        z.avail_out = clamp_uint(bound);
        code = deflate(&z, Z_FINISH);
        out->len += bound - z.avail_out;
    }
    (void)deflateEnd(&z);
    if (to == NULL)
        return tt_buffer_check(out, "compress", err);
    return code == Z_STREAM_END ? TT_OK
                                : tt_fail(err, TT_INTERNAL, "compress: zlib error %d", code);
}

static enum tt_status deflate_zstd(int level, struct tt_str plain, struct tt_buffer *out,
                                   struct tt_error *err)
{
    size_t bound = ZSTD_compressBound(plain.len);
    char *to = tt_buffer_reserve(out, bound);

    if (to == NULL)
        return tt_buffer_check(out, "compress", err);
    size_t n =
        ZSTD_compress(to, bound, plain.data, plain.len, level == 0 ? ZSTD_CLEVEL_DEFAULT : level);
    if (ZSTD_isError(n))
        return tt_fail(err, TT_INTERNAL, "compress: %s", ZSTD_getErrorName(n));
    out->len += n;
    return TT_OK;
}

enum tt_status tt_compress(enum tt_encoding encoding, int level, struct tt_str plain,
                           struct tt_buffer *out, struct tt_error *err)
{
    switch (encoding) {
    case TT_ENCODING_IDENTITY:
        tt_buffer_append_str(out, plain);
        return tt_buffer_check(out, "copy", err);
    case TT_ENCODING_GZIP:
        return deflate_zlib(true, level, plain, out, err);
    case TT_ENCODING_DEFLATE:
        return deflate_zlib(false, level, plain, out, err);
    case TT_ENCODING_ZSTD:
        return deflate_zstd(level, plain, out, err);
    default:
        return tt_fail(err, TT_UNSUPPORTED, "compress: unknown encoding");
    }
}
