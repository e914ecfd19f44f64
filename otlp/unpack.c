/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/unpack.h"

#include "otlp/encode.h"
#include "otlp/index.h"

#include <assert.h>

#define MAX_UNPACK_DEPTH 16
/* A row is never larger than the body it came in; edits and columns add to it. */
#define MAX_ROW_BYTES ((size_t)1 << 30)

static void *arena_alloc(void *arena, size_t size)
{
    return tt_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *p)
{
    (void)arena, (void)p;
}

static enum tt_status check_depth(const struct tt_pb_message *schema, struct tt_str wire,
                                  struct tt_error *err)
{
    const struct tt_limits limits = {.max_depth = MAX_UNPACK_DEPTH, .max_elements = UINT32_MAX};
    struct tt_check check;

    tt_check_init(&check, wire, &limits);
    if (tt_check_message(&check, schema, wire))
        return TT_OK;
    return tt_fail(err, TT_UNSUPPORTED, "unpack a row: nested deeper than %d", MAX_UNPACK_DEPTH);
}

static enum tt_status unpack(const struct tt_pb_message *schema, struct tt_str wire,
                             struct tt_arena *arena, ProtobufCMessage **ret_message,
                             struct tt_error *err)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
    enum tt_status status = check_depth(schema, wire, err);
    ProtobufCMessage *message;

    if (status != TT_OK)
        return status;
    message = protobuf_c_message_unpack(schema->descriptor, &allocator, wire.len,
                                        (const uint8_t *)wire.data);
    if (message == NULL)
        return tt_fail(err, TT_NO_MEMORY, "unpack a row");
    *ret_message = message;
    return TT_OK;
}

enum tt_status tt_row_unpack(const struct tt_batch *batch, const struct tt_row *row,
                             struct tt_arena *arena, ProtobufCMessage **ret_message,
                             struct tt_error *err)
{
    TT_CLEANUP(tt_buffer_done) struct tt_buffer wire;
    enum tt_status status;

    tt_buffer_init(&wire, MAX_ROW_BYTES);
    tt_encode_row(batch, row, &wire);
    status = tt_buffer_check(&wire, "unpack a row", err);
    if (status != TT_OK)
        return status;
    return unpack(tt_row_schema(batch, row), tt_buffer_view(&wire), arena, ret_message, err);
}

enum tt_status tt_row_replace(struct tt_batch *batch, struct tt_row *row,
                              const ProtobufCMessage *message, struct tt_error *err)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = tt_arena_alloc(&batch->arena, len + 1);
    struct tt_row replaced = *row;
    struct tt_check check;

    assert(batch->references == 1);
    assert(message->descriptor == tt_row_schema(batch, row)->descriptor);
    if (bytes == NULL)
        return tt_fail(err, TT_NO_MEMORY, "pack a row of %zu bytes", len);
    (void)protobuf_c_message_pack(message, bytes);
    tt_check_init(&check, tt_str_of(bytes, len), &tt_limits_default);
    if (!tt_index_row(&check, batch, tt_str_of(bytes, len), TT_INDEX_CHECK, &replaced))
        return tt_check_result(&check, "pack a row", err);
    if (check.bad_id != NULL)
        return tt_fail(err, TT_INVALID_DATA, "pack a row: a %.*s that has not %u bytes",
                       TT_STR_ARG(check.bad_id->name), check.bad_id->id_len);
    replaced.overlay = NULL;
    *row = replaced;
    batch->edited = true;
    return TT_OK;
}
