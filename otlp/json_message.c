/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_message.h"

/* An open message. */
struct frame {
    const struct tt_pb_message *message;
    const uint8_t *wire, *end;
    const uint8_t *numbers;         /* order of its members, ended by 0 */
    const struct tt_pb_field *list; /* whose elements are being written; NULL: none */
    const uint8_t *next;            /* where the next of them may be */
    uint32_t present;               /* numbers found in the wire bytes, and wanted */
    bool first;                     /* no member, or no element of the list, written yet */
    uint32_t at[TT_PB_MAX_NUMBER +
                1]; /* offset of the last (of a repeated one: first) occurrence of each */
};

/* Where the Collector's order is not that of the numbers. */
static const uint8_t orders[TT_MSG_COUNT][TT_PB_MAX_NUMBER + 1] = {
    [TT_MSG_NUMBER_POINT] = {7, 2, 3, 4, 6, 5, 8},
    [TT_MSG_HISTOGRAM_POINT] = {9, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12},
    [TT_MSG_SUMMARY_POINT] = {7, 2, 3, 4, 5, 6, 8},
    [TT_MSG_EXEMPLAR] = {7, 2, 3, 6, 4, 5},
    [TT_MSG_LOG_RECORD] = {1, 11, 2, 3, 5, 6, 7, 8, 9, 10, 12},
};

/* All others; a number that a message does not have is never present. */
static const uint8_t ascending[TT_PB_MAX_NUMBER + 1] = {1, 2,  3,  4,  5,  6,  7,  8,
                                                        9, 10, 11, 12, 13, 14, 15, 16};

static const uint8_t *order_of(const struct tt_pb_message *message)
{
    const uint8_t *order = orders[message - tt_pb_message((enum tt_pb_id)0)];

    return order[0] != 0 ? order : ascending;
}

/* ---- scalars ---- */

static bool all_zero(const uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0)
        len--;
    return len == 0;
}

/* Whether a scalar that is there is worth a member: not when it is what its absence says. */
static bool says_something(const struct tt_pb_field *field, const struct tt_wire_field *value)
{
    if (field->kind == TT_PB_ID)
        return value->value == field->id_len && !all_zero(value->data, field->id_len);
    return field->oneof != 0 || value->value != 0;
}

static void put_quoted_int64(struct tt_json_out *out, int64_t value)
{
    *out->at++ = '"';
    out->at = tt_json_put_int64(out->at, value);
    *out->at++ = '"';
}

static void put_quoted_uint64(struct tt_json_out *out, uint64_t value)
{
    *out->at++ = '"';
    out->at = tt_json_put_uint64(out->at, value);
    *out->at++ = '"';
}

static void put_number(struct tt_json_out *out, enum tt_pb_kind kind, uint64_t bits)
{
    tt_json_room(out, 24);
    switch ((int)kind) {
    case TT_PB_BOOL:
        if (bits != 0)
            TT_JSON_PUT(out, "true");
        else
            TT_JSON_PUT(out, "false");
        return;
    case TT_PB_ENUM:
    case TT_PB_INT32:
        out->at = tt_json_put_int64(out->at, (int32_t)bits);
        return;
    case TT_PB_SINT32:
        out->at =
            tt_json_put_int64(out->at, (int32_t)((uint32_t)bits >> 1 ^ (0 - ((uint32_t)bits & 1))));
        return;
    case TT_PB_UINT32:
    case TT_PB_FIXED32:
        out->at = tt_json_put_uint64(out->at, (uint32_t)bits);
        return;
    case TT_PB_INT64:
    case TT_PB_SFIXED64:
        put_quoted_int64(out, (int64_t)bits);
        return;
    default:
        put_quoted_uint64(out, bits);
        return;
    }
}

static void put_scalar(struct tt_json_out *out, const struct tt_pb_field *field,
                       const struct tt_wire_field *value)
{
    switch ((int)field->kind) {
    case TT_PB_TEXT:
        tt_json_string(out, tt_wire_bytes(value), (const char *)value->data + value->value);
        return;
    case TT_PB_BYTES:
        tt_json_base64(out, tt_wire_bytes(value));
        return;
    case TT_PB_ID:
        tt_json_room(out, 2 * 16 + 2);
        *out->at++ = '"';
        out->at = tt_json_put_hex(out->at, value->data, value->value);
        *out->at++ = '"';
        return;
    case TT_PB_DOUBLE:
        tt_json_double(out, tt_double_of_bits(value->value));
        return;
    default:
        put_number(out, (enum tt_pb_kind)field->kind, value->value);
        return;
    }
}

/* One value of a packed field; returns the byte behind it. */
static const uint8_t *put_packed(struct tt_json_out *out, const struct tt_pb_field *field,
                                 const uint8_t *at)
{
    struct tt_wire_field value = {.wire_type = field->wire_type};

    if (field->wire_type == TT_PB_WIRE_64) {
        value.value = tt_load64(at);
        at += 8;
    } else if (field->wire_type == TT_PB_WIRE_32) {
        value.value = tt_load32(at);
        at += 4;
    } else {
        at = tt_wire_varint(at, &value.value);
    }
    put_scalar(out, field, &value);
    return at;
}

/* [ and ] and all values of a repeated scalar, packed or not, from its first occurrence on. */
static void put_scalars(struct tt_json_out *out, const struct tt_pb_field *field, const uint8_t *at,
                        const uint8_t *end)
{
    struct tt_wire_field value;
    bool first = true;

    tt_json_room(out, 1);
    *out->at++ = '[';
    while (tt_wire_next(&at, end, &value)) {
        if (value.number != field->number)
            continue;
        if (value.wire_type == field->wire_type) {
            tt_json_room(out, 1);
            tt_json_comma(out, &first);
            put_scalar(out, field, &value);
            continue;
        }
        for (const uint8_t *p = value.data; p < value.data + value.value;) {
            tt_json_room(out, 1);
            tt_json_comma(out, &first);
            p = put_packed(out, field, p);
        }
    }
    tt_json_room(out, 1);
    *out->at++ = ']';
}

/* ---- messages ---- */

static void open_frame(struct frame *frame, const struct tt_pb_message *message,
                       const uint8_t *wire, const uint8_t *end, uint32_t wanted)
{
    struct tt_wire_field field;

    frame->message = message;
    frame->wire = wire;
    frame->end = end;
    frame->numbers = order_of(message);
    frame->list = NULL;
    frame->present = 0;
    frame->first = true;
    for (const uint8_t *at = wire; tt_wire_next(&at, end, &field);) {
        const struct tt_pb_field *known = tt_pb_field(message, field.number);
        uint32_t bit = UINT32_C(1) << known->number;
        if (known->kind == TT_PB_UNKNOWN || (known->repeated && (frame->present & bit) != 0))
            continue;
        frame->present |= bit & wanted;
        frame->at[known->number] = (uint32_t)(field.start - wire);
    }
}

static void put_name(struct tt_json_out *out, struct frame *frame, const struct tt_pb_field *field)
{
    tt_json_room(out, field->json_name.len + 4);
    tt_json_comma(out, &frame->first);
    *out->at++ = '"';
    memcpy(out->at, field->json_name.data, field->json_name.len);
    out->at += field->json_name.len;
    TT_JSON_PUT(out, "\":");
}

/* Goes on with the list of the innermost frame. True: a frame was opened for an element. */
static bool put_elements(struct tt_json_out *out, struct frame *frame)
{
    const struct tt_pb_field *list = frame->list;
    struct tt_wire_field element;

    while (tt_wire_next(&frame->next, frame->end, &element)) {
        if (element.number != list->number)
            continue;
        tt_json_room(out, 2);
        tt_json_comma(out, &frame->first);
        if (list->message == tt_pb_message(TT_MSG_KEY_VALUE) &&
            tt_json_simple_key_value(out, tt_wire_bytes(&element), (const char *)frame->end))
            continue;
        tt_json_room(out, 1);
        *out->at++ = '{';
        open_frame(frame + 1, list->message, element.data, element.data + element.value,
                   UINT32_MAX);
        return true;
    }
    tt_json_room(out, 1);
    *out->at++ = ']';
    frame->list = NULL;
    frame->first = false;
    return false;
}

/* Writes a member that is there, or begins it. True: a frame was opened for it. */
static bool put_member(struct tt_json_out *out, struct frame *frame,
                       const struct tt_pb_field *field)
{
    const uint8_t *at = frame->wire + frame->at[field->number];
    struct tt_wire_field value = {.start = at};

    if (field->repeated) {
        put_name(out, frame, field);
        if (field->kind != TT_PB_MESSAGE) {
            put_scalars(out, field, at, frame->end);
            return false;
        }
        tt_json_room(out, 1);
        *out->at++ = '[';
        frame->list = field;
        frame->next = at;
        frame->first = true;
        return false;
    }
    (void)tt_wire_next(&at, frame->end, &value);
    if (field->kind != TT_PB_MESSAGE) {
        if (says_something(field, &value)) {
            put_name(out, frame, field);
            put_scalar(out, field, &value);
        }
        return false;
    }
    put_name(out, frame, field);
    tt_json_room(out, 1);
    *out->at++ = '{';
    open_frame(frame + 1, field->message, value.data, value.data + value.value, UINT32_MAX);
    return true;
}

static void put_empty(struct tt_json_out *out, struct frame *frame, const struct tt_pb_field *field)
{
    put_name(out, frame, field);
    tt_json_room(out, 2);
    TT_JSON_PUT(out, "{}");
}

/* The next member of the innermost frame, *is_open left false when it has no more. True: a frame was opened. */
static bool put_next_member(struct tt_json_out *out, struct frame *frame, uint32_t wanted,
                            const struct tt_json_owner *owner, bool *is_open)
{
    uint8_t number = *frame->numbers;
    const struct tt_pb_field *field = tt_pb_field(frame->message, number);

    *is_open = number != 0;
    if (number == 0)
        return false;
    frame->numbers++;
    if (owner != NULL && number == owner->attributes_number) {
        tt_json_attributes(out, owner, &frame->first);
        return false;
    }
    if ((frame->present >> number & 1) != 0)
        return put_member(out, frame, field);
    if (field->always && (wanted >> number & 1) != 0)
        put_empty(out, frame, field);
    return false;
}

static void put_members(struct tt_json_out *out, const struct tt_pb_message *message,
                        struct tt_str wire, uint32_t wanted, const struct tt_json_owner *owner,
                        bool *first)
{
    struct frame frames[TT_MAX_FRAMES], *top = frames;
    bool is_open = true;

    open_frame(top, message, (const uint8_t *)wire.data, (const uint8_t *)wire.data + wire.len,
               wanted);
    top->first = *first;
    for (;;) {
        if (top->list != NULL) {
            if (put_elements(out, top))
                top++;
            continue;
        }
        if (put_next_member(out, top, top == frames ? wanted : UINT32_MAX,
                            top == frames ? owner : NULL, &is_open))
            top++;
        if (is_open)
            continue;
        if (top == frames)
            break;
        tt_json_room(out, 1);
        *out->at++ = '}';
        top--;
    }
    *first = top->first;
}

void tt_json_members(struct tt_json_out *out, const struct tt_pb_message *message,
                     struct tt_str wire, uint32_t numbers, bool *first)
{
    put_members(out, message, wire, numbers, NULL, first);
}

void tt_json_message(struct tt_json_out *out, const struct tt_pb_message *message,
                     struct tt_str wire, const struct tt_json_owner *owner)
{
    bool first = true;

    tt_json_room(out, 1);
    *out->at++ = '{';
    put_members(out, message, wire, UINT32_MAX, owner, &first);
    tt_json_room(out, 1);
    *out->at++ = '}';
}
