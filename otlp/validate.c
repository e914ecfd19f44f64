/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/validate.h"

const struct tt_limits tt_limits_default = {
    .max_depth = TT_MAX_NESTING, .max_elements = 4000000, .max_rows = 200000};

void tt_check_init(struct tt_check *check, struct tt_str body, const struct tt_limits *limits)
{
    *check = (struct tt_check){
        .base = (const uint8_t *)body.data,
        .max_depth = limits->max_depth < TT_MAX_NESTING ? limits->max_depth : TT_MAX_NESTING,
        .max_elements = limits->max_elements,
    };
}

void tt_check_record(struct tt_check *check, enum tt_status status,
                     const struct tt_check_cursor *cursor, const struct tt_pb_field *field,
                     const char *what)
{
    if (check->status != TT_OK)
        return;
    check->status = status;
    check->what = what;
    check->offset = (size_t)(cursor->at - check->base);
    check->message = cursor->message;
    check->field = field == NULL || field->kind == TT_PB_UNKNOWN ? NULL : field;
}

enum tt_status tt_check_result(const struct tt_check *check, const char *what, struct tt_error *err)
{
    struct tt_str name = check->field == NULL ? TT_STR("?") : check->field->name;

    if (check->status == TT_OK)
        return TT_OK;
    return tt_fail(err, check->status, "%s: byte %zu, %s.%.*s: %s", what, check->offset,
                   check->message->name, TT_STR_ARG(name), check->what);
}

const uint8_t *tt_check_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; at < end && shift < 7 * TT_MAX_VARINT; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        if (shift == 63 && byte > 1)
            return NULL; /* over 64 bits: some readers cut it, some refuse it */
        *ret_value = value;
        return at;
    }
    return NULL;
}

void tt_check_malformed(struct tt_check *check, const struct tt_check_cursor *cursor,
                        const struct tt_pb_field *field, uint32_t wire_type)
{
    static const char *const what[8] = {
        [TT_PB_WIRE_VARINT] = "not a varint",
        [TT_PB_WIRE_64] = "cut off",
        [TT_PB_WIRE_LENGTH] = "longer than what is around it",
        [TT_PB_WIRE_32] = "cut off",
    };
    const char *text = what[wire_type & 7];

    tt_check_record(check, TT_INVALID_DATA, cursor, field,
                    text == NULL ? "a group or no wire type" : text);
}

/* Counts the varints that fill bytes exactly; false when they do not. */
static bool count_varints(struct tt_str bytes, uint64_t *ret_count)
{
    const uint8_t *at = (const uint8_t *)bytes.data, *end = at + bytes.len;
    uint64_t count = 0, value;

    for (; at < end; count++) {
        at = tt_check_varint(at, end, &value);
        if (at == NULL)
            return false;
    }
    *ret_count = count;
    return true;
}

static bool count_packed(const struct tt_pb_field *field, struct tt_str bytes, uint64_t *ret_count)
{
    size_t size = field->wire_type == TT_PB_WIRE_64 ? 8 : 4;

    if (field->wire_type == TT_PB_WIRE_VARINT)
        return count_varints(bytes, ret_count);
    *ret_count = bytes.len / size;
    return bytes.len % size == 0;
}

/* A wire type other than the schema's is right for an unknown field, and for a packed one. */
bool tt_check_odd_wire_type(struct tt_check *check, const struct tt_check_cursor *cursor,
                            const struct tt_pb_field *field, const struct tt_wire_field *found)
{
    uint64_t count;

    if (field->kind == TT_PB_UNKNOWN)
        return true;
    if (!field->packable || found->wire_type != TT_PB_WIRE_LENGTH)
        return tt_check_fault(check, TT_INVALID_DATA, cursor, field, "wrong wire type");
    if (!count_packed(field, tt_wire_bytes(found), &count))
        return tt_check_fault(check, TT_INVALID_DATA, cursor, field, "not a packed list");
    if (count > check->max_elements - check->elements)
        return tt_check_fault(check, TT_TOO_LARGE, cursor, field, "more elements than allowed");
    check->elements += (uint32_t)count;
    return true;
}

struct frame {
    struct tt_check_cursor cursor;
    uint32_t nesting;
};

bool tt_check_message(struct tt_check *check, const struct tt_pb_message *message,
                      struct tt_str bytes)
{
    const struct tt_pb_message *key_value = tt_pb_message(TT_MSG_KEY_VALUE);
    struct tt_check_cursor cursor = tt_check_begin(message, bytes);
    struct frame stack[TT_MAX_FRAMES]; /* the messages around the cursor's */
    uint32_t depth = 0, nesting = 0;
    struct tt_wire_field field;
    const struct tt_pb_field *known;

    for (;;) {
        while (tt_check_next(check, &cursor, &field, &known)) {
            if (known->kind != TT_PB_MESSAGE)
                continue;
            if (known->message == key_value && tt_check_plain_attribute(tt_wire_bytes(&field))) {
                check->elements++;
                continue;
            }
            if (depth == TT_MAX_FRAMES || (known->message->nests && nesting == check->max_depth))
                return tt_check_fault(check, TT_INVALID_DATA, &cursor, known,
                                      "over the allowed depth of arrays and maps");
            stack[depth++] = (struct frame){cursor, nesting};
            nesting += known->message->nests;
            cursor = tt_check_begin(known->message, tt_wire_bytes(&field));
        }
        if (check->status != TT_OK)
            return false;
        if (depth == 0)
            return true;
        cursor = stack[--depth].cursor;
        nesting = stack[depth].nesting;
    }
}
