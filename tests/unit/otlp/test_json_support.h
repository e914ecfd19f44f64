/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_OTLP_TEST_JSON_SUPPORT_H
#define TT_TESTS_UNIT_OTLP_TEST_JSON_SUPPORT_H

/* What the tests of the JSON codec share. protobuf-c is the judge of wire bytes: nothing here walks them by itself. */

#include "otlp/json.h"
#include "otlp/schema.h"
#include "tt_test.h"

#include <protobuf-c/protobuf-c.h>

#define MAX_OUT ((size_t)256 << 20)

/* Wire bytes in protobuf-c's own form, so that equal messages are equal bytes; freed by the caller (free). An unpack that
 * fails fails the test. */
static inline struct tt_str canonical_bytes(const ProtobufCMessageDescriptor *descriptor,
                                            struct tt_str wire)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(message);
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    assert_int_equal(protobuf_c_message_pack(message, bytes), len);
    protobuf_c_message_free_unpacked(message, NULL);
    return tt_str_of(bytes, len);
}

/* Reads a document; false when it is refused as invalid. */
static inline bool read_json(enum tt_signal signal, struct tt_str text, struct tt_buffer *out)
{
    struct tt_error err;
    enum tt_status status;

    tt_buffer_init(out, MAX_OUT);
    status = tt_json_read(signal, text, NULL, out, &err);
    if (status != TT_OK)
        tt_buffer_done(out);
    assert_true(status == TT_OK || status == TT_INVALID_DATA);
    return status == TT_OK;
}

/* The same in canonical form, {NULL, 0} when it is refused. */
static inline struct tt_str read_canonical(enum tt_signal signal, struct tt_str text)
{
    struct tt_buffer out;
    struct tt_str bytes;

    if (!read_json(signal, text, &out))
        return (struct tt_str){NULL, 0};
    bytes = canonical_bytes(tt_pb_request(signal)->descriptor, tt_buffer_view(&out));
    tt_buffer_done(&out);
    return bytes;
}

static inline void free_bytes(struct tt_str bytes)
{
    union {
        const char *in;
        void *out;
    } pointer = {bytes.data};

    free(pointer.out);
}

/* A batch of a JSON document, which must be a good one. */
static inline struct tt_batch *batch_of_json(enum tt_signal signal, struct tt_str text)
{
    struct tt_buffer out;
    struct tt_batch *batch = NULL;
    struct tt_error err = {.message = ""};
    size_t len;

    tt_buffer_init(&out, MAX_OUT);
    assert_ok(tt_json_read(signal, text, NULL, &out, &err), &err);
    char *data = tt_buffer_take(&out, &len);
    struct tt_body *body = tt_body_take(data, len);
    assert_non_null(body);
    assert_ok(tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, NULL, &err), &err);
    tt_body_unref(body);
    return batch;
}

/* The whole batch as one document; freed by the caller (tt_buffer_done). */
static inline struct tt_buffer json_of_batch(const struct tt_batch *batch)
{
    struct tt_buffer out;

    tt_buffer_init(&out, MAX_OUT);
    tt_json_write(batch, NULL, &out);
    assert_int_equal(out.failed, TT_OK);
    return out;
}

#endif
