/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_OTLP_WIRE_BUILD_H
#define TT_TESTS_UNIT_OTLP_WIRE_BUILD_H

/* Wire bytes by hand, innermost message first: each function appends one field to a buffer. */

#include "otlp/batch.h"
#include "otlp/wire.h"
#include "tt_test.h"

static inline void put_uvarint(struct tt_buffer *out, uint64_t value)
{
    uint8_t bytes[TT_MAX_VARINT];

    tt_buffer_append(out, bytes, (size_t)(tt_put_varint(bytes, value) - bytes));
}

static inline void put_bytes(struct tt_buffer *out, uint32_t number, struct tt_str bytes)
{
    put_uvarint(out, TT_TAG(number, TT_PB_WIRE_LENGTH));
    put_uvarint(out, bytes.len);
    tt_buffer_append_str(out, bytes);
}

static inline void put_varint_field(struct tt_buffer *out, uint32_t number, uint64_t value)
{
    put_uvarint(out, TT_TAG(number, TT_PB_WIRE_VARINT));
    put_uvarint(out, value);
}

static inline void put_fixed64(struct tt_buffer *out, uint32_t number, uint64_t value)
{
    uint8_t bytes[8];

    put_uvarint(out, TT_TAG(number, TT_PB_WIRE_64));
    tt_buffer_append(out, bytes, (size_t)(tt_put64(bytes, value) - bytes));
}

/* Appends inner as a message and gives its memory back. */
static inline void put_message(struct tt_buffer *out, uint32_t number, struct tt_buffer *inner)
{
    put_bytes(out, number, tt_buffer_view(inner));
    tt_buffer_done(inner);
}

static inline struct tt_buffer new_message(void)
{
    struct tt_buffer message;

    tt_buffer_init(&message, (size_t)1 << 28);
    return message;
}

/* KeyValue with the bytes of an AnyValue; any.data NULL: without a value. */
static inline void put_pair(struct tt_buffer *out, uint32_t number, const char *key,
                            struct tt_str any)
{
    struct tt_buffer pair = new_message();

    put_bytes(&pair, 1, tt_str(key));
    if (any.data != NULL)
        put_bytes(&pair, 2, any);
    put_message(out, number, &pair);
}

static inline void put_text(struct tt_buffer *out, uint32_t number, const char *key,
                            const char *text)
{
    struct tt_buffer any = new_message();

    put_bytes(&any, 1, tt_str(text));
    put_pair(out, number, key, tt_buffer_view(&any));
    tt_buffer_done(&any);
}

static inline void put_int(struct tt_buffer *out, uint32_t number, const char *key, int64_t value)
{
    struct tt_buffer any = new_message();

    put_varint_field(&any, 3, (uint64_t)value);
    put_pair(out, number, key, tt_buffer_view(&any));
    tt_buffer_done(&any);
}

#define TRACE_ID "0123456789abcdef"
#define SPAN_ID  "01234567"

/* A span with ids, times, two attributes (a="1", http.method="GET"), one event, one link and a status. */
static inline void put_span(struct tt_buffer *out, uint32_t number, const char *name)
{
    struct tt_buffer span = new_message(), event = new_message(), link = new_message(),
                     status = new_message();

    put_bytes(&span, 1, TT_STR(TRACE_ID));
    put_bytes(&span, 2, TT_STR(SPAN_ID));
    put_bytes(&span, 5, tt_str(name));
    put_varint_field(&span, 6, 2);
    put_fixed64(&span, 7, 1000);
    put_fixed64(&span, 8, 3000);
    put_text(&span, 9, "a", "1");
    put_text(&span, 9, "http.method", "GET");
    put_fixed64(&event, 1, 2000);
    put_bytes(&event, 2, TT_STR("exception"));
    put_text(&event, 3, "exception.type", "Timeout");
    put_message(&span, 11, &event);
    put_bytes(&link, 1, TT_STR(TRACE_ID));
    put_bytes(&link, 2, TT_STR("abcdefgh"));
    put_message(&span, 13, &link);
    put_bytes(&status, 2, TT_STR("broken"));
    put_varint_field(&status, 3, 2);
    put_message(&span, 15, &status);
    put_message(out, number, &span);
}

/* A request of one resource (service.name) and one scope ("lib" "1.0") around rows or metrics, in any order of the wire. */
static inline struct tt_buffer request_of(struct tt_buffer *rows, const char *service,
                                          bool envelope_last)
{
    struct tt_buffer request = new_message(), block = new_message(), scope_block = new_message(),
                     resource = new_message(), scope = new_message();

    put_text(&resource, 1, "service.name", service);
    put_bytes(&scope, 1, TT_STR("lib"));
    put_bytes(&scope, 2, TT_STR("1.0"));
    put_text(&scope, 3, "scope.key", "scope value");
    if (!envelope_last)
        put_bytes(&scope_block, 1, tt_buffer_view(&scope));
    tt_buffer_append_str(&scope_block, tt_buffer_view(rows));
    if (envelope_last)
        put_bytes(&scope_block, 1, tt_buffer_view(&scope));
    put_bytes(&scope_block, 3, TT_STR("https://scope/1"));
    if (!envelope_last)
        put_bytes(&block, 1, tt_buffer_view(&resource));
    put_bytes(&block, 2, tt_buffer_view(&scope_block));
    if (envelope_last)
        put_bytes(&block, 1, tt_buffer_view(&resource));
    put_bytes(&block, 3, TT_STR("https://resource/1"));
    put_message(&request, 1, &block);
    tt_buffer_done(&scope_block);
    tt_buffer_done(&resource);
    tt_buffer_done(&scope);
    tt_buffer_done(rows);
    return request;
}

/* Takes the bytes. */
static inline enum tt_status parse_bytes(enum tt_signal signal, struct tt_buffer *bytes,
                                         const struct tt_limits *limits,
                                         struct tt_batch **ret_batch, uint64_t *ret_rejected,
                                         struct tt_error *err)
{
    size_t len = 0;
    char *data = tt_buffer_take(bytes, &len);
    struct tt_body *body = tt_body_take(data, len);
    enum tt_status status;

    *ret_batch = NULL;
    if (body == NULL)
        return tt_fail(err, TT_NO_MEMORY, "body");
    status = tt_batch_parse(signal, body, limits, NULL, ret_batch, ret_rejected, err);
    tt_body_unref(body);
    return status;
}

/* Two spans, "first" and "second", of the service "shop". */
static inline struct tt_batch *two_spans(void)
{
    struct tt_buffer rows = new_message(), request;
    struct tt_error err = {.status = TT_OK};
    struct tt_batch *batch;

    put_span(&rows, 2, "first");
    put_span(&rows, 2, "second");
    request = request_of(&rows, "shop", false);
    assert_ok(parse_bytes(TT_TRACES, &request, &tt_limits_default, &batch, NULL, &err), &err);
    return batch;
}

#endif
