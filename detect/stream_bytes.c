/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"
#include "detect/plain_bytes.h"
#include "detect/stream_internal.h"

#include <math.h>

#define VERSION    1
#define HASH_BYTES 8

static const char magic[8] = {'T', 'T', 'S', 'T', 'R', 'E', 'A', 'M'};

/* ---- writing ---- */

static void put_options(struct tt_buffer *to, const struct tt_stream_forest_options *options,
                        uint32_t columns)
{
    tt_forest_put_options(to, &options->forest);
    tt_put(to, options->recent, 4);
    tt_put(to, options->long_run, 4);
    tt_put(to, (uint64_t)options->half_life, 8);
    tt_put(to, (uint64_t)options->long_half_life, 8);
    tt_put(to, options->first_rows, 8);
    tt_put(to, options->retrain_rows, 8);
    tt_put(to, (uint64_t)options->retrain_after, 8);
    tt_put(to, columns, 4);
}

static void put_reservoir(struct tt_buffer *to, const struct tt_reservoir *reservoir)
{
    tt_put(to, reservoir->count, 4);
    tt_put(to, (uint64_t)reservoir->origin, 8);
    tt_put(to, reservoir->seen, 8);
    tt_put(to, reservoir->random.state, 8);
    for (size_t i = 0; i < (size_t)reservoir->count * reservoir->columns; i++)
        tt_put_float(to, reservoir->rows[i]);
    for (uint32_t i = 0; i < reservoir->count; i++) {
        tt_put_double(to, reservoir->keys[i]);
        tt_put(to, reservoir->heap[i], 4);
    }
}

static void put_state(struct tt_buffer *to, const struct tt_stream_forest *stream)
{
    tt_put(to, stream->seed, 8);
    tt_put(to, stream->generation, 8);
    tt_put(to, stream->learnt, 8);
    tt_put_float(to, stream->threshold);
    tt_put_double(to, stream->alarm_rate);
    tt_put(to, stream->incident, 1);
    tt_put(to, (uint64_t)stream->incident_began, 8);
    tt_put(to, stream->mature, 1);
    tt_put(to, stream->settled, 1);
    tt_put(to, (uint64_t)stream->trained_at, 8);
    tt_put(to, (uint64_t)stream->moved, 8);
    tt_put(to, stream->next_rows, 8);
}

enum tt_status tt_stream_forest_write(const struct tt_stream_forest *stream, struct tt_buffer *to,
                                      struct tt_error *err)
{
    size_t start = to->len;

    tt_buffer_append(to, magic, sizeof(magic));
    tt_put(to, VERSION, 4);
    put_options(to, &stream->options, stream->recent->columns);
    put_state(to, stream);
    put_reservoir(to, stream->recent);
    put_reservoir(to, stream->long_run);
    put_reservoir(to, stream->scores);
    /* The forest comes last: its bytes end where the hash begins. */
    tt_put(to, stream->forest != NULL, 1);
    if (stream->forest != NULL && tt_forest_write(stream->forest, to, err) != TT_OK)
        return tt_buffer_check(to, "write a stream", err);
    if (to->failed == TT_OK)
        tt_put(to, tt_bytes_hash(to->data + start, to->len - start), HASH_BYTES);
    return tt_buffer_check(to, "write a stream", err);
}

/* ---- reading ---- */

/* Whether the next bytes are what these options are written as. */
static enum tt_status check_options(struct tt_byte_reader *reader,
                                    const struct tt_stream_forest_options *options,
                                    uint32_t columns, struct tt_error *err)
{
    struct tt_buffer expected;
    enum tt_status status;

    tt_buffer_init(&expected, 4096);
    put_options(&expected, options, columns);
    status = tt_buffer_check(&expected, "read a stream", err);
    if (status == TT_OK && ((size_t)(reader->end - reader->at) < expected.len ||
                            memcmp(reader->at, expected.data, expected.len) != 0))
        status = tt_fail(err, TT_INVALID_DATA, "read a stream: it was written with other options");
    if (status == TT_OK)
        reader->at += expected.len;
    tt_buffer_done(&expected);
    return status;
}

/* Places once each, and no key above a smaller one's. seen: zeroed, one a place. */
static bool is_heap(const struct tt_reservoir *reservoir, uint8_t *seen)
{
    for (uint32_t i = 0; i < reservoir->count; i++) {
        uint32_t place = reservoir->heap[i];
        if (place >= reservoir->count || seen[place] != 0 || isnan(reservoir->keys[place]))
            return false;
        seen[place] = 1;
        if (i > 0 && reservoir->keys[place] < reservoir->keys[reservoir->heap[(i - 1) / 2]])
            return false;
    }
    return true;
}

static enum tt_status get_reservoir(struct tt_byte_reader *reader, struct tt_reservoir *reservoir,
                                    struct tt_error *err)
{
    size_t row = (size_t)reservoir->columns * sizeof(float) + sizeof(double) + sizeof(uint32_t);
    TT_CLEANUP(tt_freep) uint8_t *seen = tt_calloc(reservoir->capacity, 1);
    uint64_t count = tt_get(reader, 4);

    if (seen == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a sample");
    reservoir->origin = (int64_t)tt_get(reader, 8);
    reservoir->seen = tt_get(reader, 8);
    reservoir->random.state = tt_get(reader, 8);
    if (count > reservoir->capacity || count > reservoir->seen ||
        (size_t)(reader->end - reader->at) / row < count)
        return tt_fail(err, TT_INVALID_DATA, "read a sample: %u rows of at most %u",
                       (unsigned)count, reservoir->capacity);
    reservoir->count = (uint32_t)count;
    for (size_t i = 0; i < count * reservoir->columns; i++)
        reservoir->rows[i] = tt_get_float(reader);
    for (size_t i = 0; i < count; i++) {
        reservoir->keys[i] = tt_get_double(reader);
        reservoir->heap[i] = (uint32_t)tt_get(reader, 4);
    }
    if (!is_heap(reservoir, seen))
        return tt_fail(err, TT_INVALID_DATA, "read a sample: its rows are in no order");
    return TT_OK;
}

static enum tt_status get_state(struct tt_byte_reader *reader, struct tt_stream_forest *stream,
                                struct tt_error *err)
{
    stream->seed = tt_get(reader, 8);
    stream->generation = tt_get(reader, 8);
    stream->learnt = tt_get(reader, 8);
    stream->threshold = tt_get_float(reader);
    stream->alarm_rate = tt_get_double(reader);
    stream->incident = tt_get(reader, 1) != 0;
    stream->incident_began = (int64_t)tt_get(reader, 8);
    stream->mature = tt_get(reader, 1) != 0;
    stream->settled = tt_get(reader, 1) != 0;
    stream->trained_at = (int64_t)tt_get(reader, 8);
    stream->moved = (int64_t)tt_get(reader, 8);
    stream->next_rows = tt_get(reader, 8);
    if (!(stream->threshold >= 0.0F && stream->threshold <= 1.0F) ||
        !(stream->alarm_rate >= 0.0 && stream->alarm_rate <= 1.0))
        return tt_fail(err, TT_INVALID_DATA, "read a stream: a threshold or rate out of range");
    return TT_OK;
}

static enum tt_status get_forest(struct tt_byte_reader *reader, struct tt_stream_forest *stream,
                                 struct tt_error *err)
{
    bool has_forest = tt_get(reader, 1) != 0;
    size_t size = (size_t)(reader->end - reader->at);
    enum tt_status status;

    if (reader->ended || (!has_forest && size > 0))
        return tt_fail(err, TT_INVALID_DATA, "read a stream: cut");
    if (!has_forest)
        return TT_OK;
    status = tt_forest_read(reader->at, size, &stream->forest, err);
    if (status != TT_OK)
        return status;
    if (tt_forest_columns(stream->forest) != stream->recent->columns)
        return tt_fail(err, TT_INVALID_DATA, "read a stream: a forest of %u columns on %u",
                       tt_forest_columns(stream->forest), stream->recent->columns);
    stream->scratch = tt_malloc(tt_forest_scratch_size(stream->forest));
    return stream->scratch != NULL ? TT_OK : tt_fail(err, TT_NO_MEMORY, "score a stream");
}

static enum tt_status get_parts(struct tt_byte_reader *reader, struct tt_stream_forest *stream,
                                struct tt_error *err)
{
    enum tt_status status = get_state(reader, stream, err);

    if (status == TT_OK)
        status = get_reservoir(reader, stream->recent, err);
    if (status == TT_OK)
        status = get_reservoir(reader, stream->long_run, err);
    if (status == TT_OK)
        status = get_reservoir(reader, stream->scores, err);
    return status == TT_OK ? get_forest(reader, stream, err) : status;
}

static enum tt_status check_frame(const void *bytes, size_t size, struct tt_byte_reader *ret_reader,
                                  struct tt_error *err)
{
    const uint8_t *start = bytes;
    struct tt_byte_reader hash;
    uint64_t version;

    if (size < sizeof(magic) + 4 + HASH_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
        return tt_fail(err, TT_INVALID_DATA, "read a stream: %zu bytes that are none", size);
    *ret_reader = (struct tt_byte_reader){start + sizeof(magic), start + size - HASH_BYTES, false};
    hash = (struct tt_byte_reader){start + size - HASH_BYTES, start + size, false};
    version = tt_get(ret_reader, 4);
    if (version != VERSION)
        return tt_fail(err, TT_UNSUPPORTED, "read a stream: version %u, this program reads %d",
                       (unsigned)version, VERSION);
    if (tt_get(&hash, HASH_BYTES) != tt_bytes_hash(bytes, size - HASH_BYTES))
        return tt_fail(err, TT_INVALID_DATA, "read a stream: cut or changed");
    return TT_OK;
}

enum tt_status tt_stream_forest_read(const void *bytes, size_t size,
                                     const struct tt_stream_forest_options *options,
                                     uint32_t columns, struct tt_stream_forest **ret_stream,
                                     struct tt_error *err)
{
    struct tt_stream_forest *stream = NULL;
    struct tt_byte_reader reader = {0};
    enum tt_status status = check_frame(bytes, size, &reader, err);

    *ret_stream = NULL;
    if (status == TT_OK)
        status = check_options(&reader, options, columns, err);
    if (status == TT_OK)
        status = tt_stream_forest_new(options, columns, 0, &stream, err);
    if (status == TT_OK)
        status = get_parts(&reader, stream, err);
    if (status == TT_OK)
        *ret_stream = stream;
    else
        tt_stream_forest_free(stream);
    return status;
}
