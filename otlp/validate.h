/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_VALIDATE_H
#define TT_OTLP_VALIDATE_H

/*
 * Structural validation of protobuf bytes, driven by the schema.
 *
 * Purpose:   after it nothing needs checking: walkers of the same bytes cannot overrun, recurse or loop for ever.
 * Refused:   truncated fields; varints over 10 bytes or over 64 bits; tags and lengths over 5 bytes; field number 0 or over
 *            2^29 - 1; groups and other wire types; a wire type that does not fit a known field; a singular message
 *            or a oneof twice in one message; arrays and maps nested deeper than the limit; more elements than the limit.
 * Allowed:   unknown fields; repeated scalars packed or not; a singular scalar or text twice (the last one counts).
 * Counted:   ids of a wrong length are no structural fault: the last one is left in bad_id for the owner of the row.
 * Threads:   no shared state. Memory: a stack of some 8 KiB (TT_MAX_FRAMES), nothing else. No recursion.
 */

#include "otlp/batch.h"
#include "otlp/wire.h"

struct tt_check {
    const uint8_t *base; /* offsets in messages count from here */
    uint32_t max_depth, max_elements;
    uint32_t elements;
    enum tt_status status;               /* TT_OK until the first fault */
    const char *what;                    /* the fault */
    size_t offset;                       /* where: bytes from base */
    const struct tt_pb_message *message; /* in which message, and in which field when it is known */
    const struct tt_pb_field *field;
    const struct tt_pb_field *bad_id; /* an id of a wrong length; the owner of the row resets it */
};

void tt_check_init(struct tt_check *check, struct tt_str body, const struct tt_limits *limits);

/* One message being read. */
struct tt_check_cursor {
    const uint8_t *at, *end;
    const struct tt_pb_message *message;
    uint32_t seen; /* tt_pb_field.once of what has occurred */
};

static inline struct tt_check_cursor tt_check_begin(const struct tt_pb_message *message,
                                                    struct tt_str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;

    return (struct tt_check_cursor){at, at + bytes.len, message, 0};
}

/* Records the first fault. field may be NULL. */
__attribute__((cold)) void tt_check_record(struct tt_check *check, enum tt_status status,
                                           const struct tt_check_cursor *cursor,
                                           const struct tt_pb_field *field, const char *what);

/* The same, to be returned. */
static inline bool tt_check_fault(struct tt_check *check, enum tt_status status,
                                  const struct tt_check_cursor *cursor,
                                  const struct tt_pb_field *field, const char *what)
{
    tt_check_record(check, status, cursor, field, what);
    return false;
}

/* Fills err from the fault, or returns TT_OK when there was none. what: "decode traces". */
enum tt_status tt_check_result(const struct tt_check *check, const char *what,
                               struct tt_error *err);

/* Slow paths of tt_check_next(). */
const uint8_t *tt_check_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value);
bool tt_check_odd_wire_type(struct tt_check *check, const struct tt_check_cursor *cursor,
                            const struct tt_pb_field *field, const struct tt_wire_field *found);
/* Records that what follows a tag of that wire type is malformed. */
__attribute__((cold)) void tt_check_malformed(struct tt_check *check,
                                              const struct tt_check_cursor *cursor,
                                              const struct tt_pb_field *field, uint32_t wire_type);

/* Returns the byte behind the varint, or NULL when it is cut off or too long. */
static inline const uint8_t *tt_check_varint(const uint8_t *at, const uint8_t *end,
                                             uint64_t *ret_value)
{
    if (TT_LIKELY(at < end && *at < 0x80)) {
        *ret_value = *at;
        return at + 1;
    }
    return tt_check_long_varint(at, end, ret_value);
}

/* The same for a tag or a length: at most 5 bytes and 32 bits. */
static inline const uint8_t *tt_check_varint32(const uint8_t *at, const uint8_t *end,
                                               uint64_t *ret_value)
{
    const uint8_t *behind = tt_check_varint(at, end, ret_value);

    if (TT_UNLIKELY(behind == NULL || behind - at > TT_MAX_TAG_LENGTH || *ret_value > UINT32_MAX))
        return NULL;
    return behind;
}

/* Reads what follows a tag; returns the byte behind, or NULL when it is malformed. */
static inline const uint8_t *tt_check_content(const uint8_t *at, const uint8_t *end,
                                              struct tt_wire_field *field)
{
    switch (field->wire_type) {
    case TT_PB_WIRE_VARINT:
        return tt_check_varint(at, end, &field->value);
    case TT_PB_WIRE_64:
        if (TT_UNLIKELY(end - at < 8))
            return NULL;
        field->value = tt_load64(at);
        return at + 8;
    case TT_PB_WIRE_LENGTH:
        at = tt_check_varint32(at, end, &field->value);
        if (TT_UNLIKELY(at == NULL || field->value > (uint64_t)(end - at)))
            return NULL;
        field->data = at;
        return at + field->value;
    case TT_PB_WIRE_32:
        if (TT_UNLIKELY(end - at < 4))
            return NULL;
        field->value = tt_load32(at);
        return at + 4;
    default:
        return NULL;
    }
}

/*
 * Reads and checks the next field but not what is inside a message. False at the end or on a fault (see check->status).
 * Fields that the schema does not know have their number replaced by 0.
 */
static inline bool tt_check_next(struct tt_check *check, struct tt_check_cursor *cursor,
                                 struct tt_wire_field *ret_field,
                                 const struct tt_pb_field **ret_known)
{
    const uint8_t *at = cursor->at;
    const struct tt_pb_field *known;
    uint64_t tag;

    if (at >= cursor->end)
        return false;
    *ret_field = (struct tt_wire_field){.start = at};
    at = tt_check_varint32(at, cursor->end, &tag);
    if (TT_UNLIKELY(at == NULL || tag < 8))
        return tt_check_fault(check, TT_INVALID_DATA, cursor, NULL, "not a field tag");
    known = tt_pb_field(cursor->message, (uint32_t)(tag >> 3));
    ret_field->number = known->number;
    ret_field->wire_type = tag & 7;
    at = tt_check_content(at, cursor->end, ret_field);
    if (TT_UNLIKELY(at == NULL)) {
        tt_check_malformed(check, cursor, known, ret_field->wire_type);
        return false;
    }
    if (TT_UNLIKELY(ret_field->wire_type != known->wire_type) &&
        !tt_check_odd_wire_type(check, cursor, known, ret_field))
        return false;
    if (TT_UNLIKELY((cursor->seen & known->once) != 0))
        return tt_check_fault(check, TT_INVALID_DATA, cursor, known, "given twice");
    cursor->seen |= known->once;
    check->elements += known->is_element;
    if (TT_UNLIKELY(check->elements > check->max_elements))
        return tt_check_fault(check, TT_TOO_LARGE, cursor, known, "more elements than allowed");
    if (TT_UNLIKELY(known->id_len != 0 && ret_field->value != known->id_len &&
                    ret_field->value != 0))
        check->bad_id = known;
    *ret_known = known;
    cursor->at = at;
    return true;
}

/* Checks a whole message with all that is inside it. False on a fault. */
bool tt_check_message(struct tt_check *check, const struct tt_pb_message *message,
                      struct tt_str bytes);

/* Whether bytes are a KeyValue in its commonest form: key, then a value that is a text, an integer, a boolean or a double,
 * lengths of one byte. Such a one needs no further check. */
static inline bool tt_check_plain_attribute(struct tt_str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    size_t key_len, value_len;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what has a length has data */
    if (TT_UNLIKELY(bytes.len < 6 || at[0] != TT_TAG(1, TT_PB_WIRE_LENGTH)))
        return false;
    key_len = at[1];
    if (TT_UNLIKELY(key_len >= 0x80 || key_len + 6 > bytes.len))
        return false;
    at += 2 + key_len;
    value_len = at[1];
    if (TT_UNLIKELY(at[0] != TT_TAG(2, TT_PB_WIRE_LENGTH) || value_len >= 0x80 ||
                    key_len + 4 + value_len != bytes.len))
        return false;
    at += 2;
    /* From here on the value has at least two bytes. */
    switch (at[0]) {
    case TT_TAG(1, TT_PB_WIRE_LENGTH):
        return at[1] + 2U == value_len;
    case TT_TAG(2, TT_PB_WIRE_VARINT):
    case TT_TAG(3, TT_PB_WIRE_VARINT):
        return (value_len == 2 && at[1] < 0x80) ||
               (value_len == 3 && at[1] >= 0x80 && at[2] < 0x80);
    case TT_TAG(4, TT_PB_WIRE_64):
        return value_len == 9;
    default:
        return false;
    }
}

/* Whether bytes are a KeyValue whose value is an array of one text, as captured headers come; lengths of one byte. */
static inline bool tt_check_header_attribute(struct tt_str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    size_t key_len, left;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what has a length has data */
    if (bytes.len < 10 || bytes.len >= 0x80 || at[0] != TT_TAG(1, TT_PB_WIRE_LENGTH))
        return false;
    key_len = at[1];
    if (key_len + 10 > bytes.len)
        return false;
    at += 2 + key_len;
    left = bytes.len - 2 -
           key_len; /* of the value, the array, the element, and the text, each in the one before */
    return at[0] == TT_TAG(2, TT_PB_WIRE_LENGTH) && at[1] == left - 2 &&
           at[2] == TT_TAG(5, TT_PB_WIRE_LENGTH) && at[3] == left - 4 &&
           at[4] == TT_TAG(1, TT_PB_WIRE_LENGTH) && at[5] == left - 6 &&
           at[6] == TT_TAG(1, TT_PB_WIRE_LENGTH) && at[7] == left - 8;
}

/* The attributes, commonest of all messages. */
static inline bool tt_check_attribute(struct tt_check *check, const struct tt_pb_message *key_value,
                                      struct tt_str bytes)
{
    if (TT_LIKELY(tt_check_plain_attribute(bytes))) {
        check->elements++; /* the value */
        return true;
    }
    if (check->max_depth > 0 && tt_check_header_attribute(bytes)) {
        check->elements += 3; /* value, array, element */
        return true;
    }
    return tt_check_message(check, key_value, bytes);
}

#endif
