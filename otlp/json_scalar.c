/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_scalar.h"

/* Longest text of an enumerator's name, number or id, escapes resolved. */
#define SHORT_TEXT 64

/* The string whose opening quote is next, in scratch when it had escapes. */
static bool read_short_text(struct tt_json_lexer *lexer, char scratch[SHORT_TEXT],
                            struct tt_str *ret)
{
    const char *where = lexer->at++;
    struct tt_json_text text;

    if (!tt_json_string_body(lexer, &text))
        return false;
    *ret = text.raw;
    if (TT_LIKELY(text.len == text.raw.len))
        return true;
    if (text.len > SHORT_TEXT)
        return tt_json_refuse(lexer, where, TT_INVALID_DATA, "string is too long for this field");
    tt_json_unescape(&text, scratch);
    *ret = tt_str_of(scratch, text.len);
    return true;
}

/* ---- integers ---- */

struct range {
    uint64_t most, most_negative; /* largest magnitude without and with a minus */
};

static struct range range_of(enum tt_pb_kind kind)
{
    switch ((int)kind) {
    case TT_PB_ENUM:
    case TT_PB_INT32:
    case TT_PB_SINT32:
        return (struct range){INT32_MAX, UINT64_C(1) << 31};
    case TT_PB_UINT32:
    case TT_PB_FIXED32:
        return (struct range){UINT32_MAX, 0};
    case TT_PB_INT64:
    case TT_PB_SFIXED64:
        return (struct range){INT64_MAX, UINT64_C(1) << 63};
    default:
        return (struct range){UINT64_MAX, 0};
    }
}

static bool set_integer(struct tt_json_lexer *lexer, const char *where,
                        const struct tt_pb_field *field, const struct tt_json_number *number,
                        struct tt_json_scalar *ret)
{
    struct range range = range_of((enum tt_pb_kind)field->kind);
    uint64_t magnitude;

    if (!tt_json_number_to_magnitude(number, &magnitude))
        return tt_json_expected(lexer, where, "an integer");
    if (magnitude > (number->negative ? range.most_negative : range.most))
        return tt_json_refuse(lexer, where, TT_INVALID_DATA, "integer out of range");
    ret->is_default = magnitude == 0;
    ret->bits = number->negative ? 0 - magnitude : magnitude;
    if (field->kind == TT_PB_SINT32)
        ret->bits =
            (uint32_t)(ret->bits << 1) ^ (number->negative && magnitude != 0 ? UINT32_MAX : 0);
    return true;
}

/* A number, a string with one, or for enums the name of a value. */
static bool read_integer(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                         struct tt_json_scalar *ret)
{
    struct tt_json_number number;
    const char *where = lexer->at;
    char scratch[SHORT_TEXT];
    struct tt_str text;
    int32_t value;

    if (where < lexer->end && *where != '"')
        return tt_json_number(lexer, &number) && set_integer(lexer, where, field, &number, ret);
    if (!read_short_text(lexer, scratch, &text))
        return false;
    if (tt_json_number_of(text, &number))
        return set_integer(lexer, where, field, &number, ret);
    if (field->kind != TT_PB_ENUM)
        return tt_json_expected(lexer, where, "an integer");
    if (!tt_pb_enum_value(field, text, &value))
        return tt_json_expected(lexer, where, "the name or number of an enum value");
    ret->bits = (uint64_t)(int64_t)value;
    ret->is_default = value == 0;
    return true;
}

/* ---- other kinds ---- */

static bool set_double(struct tt_json_scalar *ret, double value)
{
    memcpy(&ret->bits, &value, sizeof(value));
    ret->is_default = ret->bits == 0;
    return true;
}

static bool double_from_text(struct tt_str text, double *ret_value)
{
    struct tt_json_number number;

    if (tt_str_equal(text, TT_STR("NaN")))
        *ret_value = __builtin_nan("");
    else if (tt_str_equal(text, TT_STR("Infinity")))
        *ret_value = __builtin_inf();
    else if (tt_str_equal(text, TT_STR("-Infinity")))
        *ret_value = -__builtin_inf();
    else
        return tt_json_number_of(text, &number) && tt_json_number_to_double(&number, ret_value);
    return true;
}

static bool read_double(struct tt_json_lexer *lexer, struct tt_json_scalar *ret)
{
    struct tt_json_number number;
    const char *where = lexer->at;
    char scratch[SHORT_TEXT];
    struct tt_str text;
    double value;

    if (where < lexer->end && *where == '"') {
        if (!read_short_text(lexer, scratch, &text))
            return false;
        if (!double_from_text(text, &value))
            return tt_json_expected(lexer, where, "a number");
        return set_double(ret, value);
    }
    if (!tt_json_number(lexer, &number))
        return false;
    if (!tt_json_number_to_double(&number, &value))
        return tt_json_refuse(lexer, where, TT_INVALID_DATA, "number out of range");
    return set_double(ret, value);
}

static bool read_bool(struct tt_json_lexer *lexer, struct tt_json_scalar *ret)
{
    ret->bits = tt_json_accept_word(lexer, TT_STR("true")) ? 1 : 0;
    ret->is_default = ret->bits == 0;
    if (ret->bits == 0 && !tt_json_accept_word(lexer, TT_STR("false")))
        return tt_json_expected(lexer, lexer->at, "true or false");
    return true;
}

static bool read_id(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                    struct tt_json_scalar *ret)
{
    const char *where = lexer->at;
    char scratch[SHORT_TEXT];
    struct tt_str text;

    if (!read_short_text(lexer, scratch, &text))
        return false;
    ret->is_default = text.len == 0;
    if (text.len == 0 || tt_hex_decode(text, ret->id, field->id_len))
        return true;
    return tt_json_expected(lexer, where,
                            field->id_len == 16 ? "an id of 32 hexadecimal digits"
                                                : "an id of 16 hexadecimal digits");
}

static bool read_text(struct tt_json_lexer *lexer, struct tt_json_scalar *ret)
{
    lexer->at++;
    if (!tt_json_string_body(lexer, &ret->text))
        return false;
    ret->is_default = ret->text.len == 0;
    return true;
}

bool tt_json_read_scalar(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                         struct tt_json_scalar *ret_scalar)
{
    bool quoted = tt_json_peek(lexer) == '"';

    switch ((int)field->kind) {
    case TT_PB_TEXT:
    case TT_PB_BYTES:
    case TT_PB_ID:
        if (!quoted)
            return tt_json_expected(lexer, lexer->at, "a string");
        return field->kind == TT_PB_ID ? read_id(lexer, field, ret_scalar)
                                       : read_text(lexer, ret_scalar);
    case TT_PB_BOOL:
        return read_bool(lexer, ret_scalar);
    case TT_PB_DOUBLE:
        return read_double(lexer, ret_scalar);
    default:
        return read_integer(lexer, field, ret_scalar);
    }
}

/* ---- base64 ---- */

/* The six bits of a digit of either alphabet; 64 for what is none. */
static uint32_t base64_bits(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0' + 52);
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : 64;
}

/* Digits with or without padding, decoded in place (what is written never passes what is read); SIZE_MAX when it is not base64. */
static size_t decode_base64(char *bytes, size_t len)
{
    uint32_t group = 0;
    size_t n = 0, written = 0;

    if (len >= 4 && len % 4 == 0)
        len -= bytes[len - 1] != '=' ? 0 : bytes[len - 2] != '=' ? 1 : 2;
    if (len % 4 == 1)
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        uint32_t bits = base64_bits(bytes[i]);
        if (bits > 63)
            return SIZE_MAX;
        group = group << 6 | bits;
        if (++n % 4 != 0 && i + 1 < len)
            continue;
        /* 4 digits are 3 bytes; the last 2 or 3 are 1 or 2. */
        size_t digits = (n - 1) % 4 + 1;
        group <<= 6 * (4 - digits);
        for (size_t k = 0; k + 1 < digits; k++)
            bytes[written++] = (char)(group >> (16 - 8 * k));
        group = 0;
    }
    return written;
}

/* ---- wire ---- */

static void put_tag(struct tt_buffer *out, const struct tt_pb_field *field)
{
    char *to = tt_buffer_reserve(out, TT_MAX_TAG_LENGTH);

    if (to != NULL)
        out->len =
            (size_t)(tt_json_put_varint(to, TT_TAG(field->number, field->wire_type)) - out->data);
}

static void put_bytes(struct tt_buffer *out, const void *bytes, size_t len)
{
    char *to = tt_buffer_reserve(out, 10);

    if (to == NULL)
        return;
    out->len = (size_t)(tt_json_put_varint(to, len) - out->data);
    tt_buffer_append(out, bytes, len);
}

static void put_text(struct tt_buffer *out, const struct tt_json_text *text)
{
    char *to = tt_buffer_reserve(out, text->len + 10);

    if (to == NULL)
        return;
    to = tt_json_put_varint(to, text->len);
    if (text->len == text->raw.len)
        memcpy(to, text->raw.data, text->len);
    else
        tt_json_unescape(text, to);
    out->len = (size_t)(to - out->data) + text->len;
}

static bool put_base64(struct tt_json_lexer *lexer, struct tt_buffer *out,
                       const struct tt_json_text *text)
{
    char *bytes = tt_buffer_reserve(out, text->len + 10);
    size_t len, prefix;

    if (bytes == NULL)
        return true;
    tt_json_unescape(text, bytes);
    len = decode_base64(bytes, text->len);
    if (len == SIZE_MAX)
        return tt_json_expected(lexer, text->raw.data, "base64");
    prefix = tt_varint_size(len);
    memmove(bytes + prefix, bytes, len);
    tt_json_put_varint(bytes, len);
    out->len += prefix + len;
    return true;
}

void tt_json_put_element(const struct tt_pb_field *field, const struct tt_json_scalar *scalar,
                         struct tt_buffer *out)
{
    char *to = tt_buffer_reserve(out, 10);

    if (to == NULL)
        return;
    if (field->wire_type == TT_PB_WIRE_64) {
        tt_put64((uint8_t *)to, scalar->bits);
        out->len += sizeof(scalar->bits);
    } else if (field->wire_type == TT_PB_WIRE_32) {
        /* The upper half goes into room that is not kept. */
        tt_put64((uint8_t *)to, scalar->bits);
        out->len += sizeof(uint32_t);
    } else {
        out->len = (size_t)(tt_json_put_varint(to, scalar->bits) - out->data);
    }
}

bool tt_json_put_field(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                       const struct tt_json_scalar *scalar, struct tt_buffer *out)
{
    put_tag(out, field);
    switch ((int)field->kind) {
    case TT_PB_TEXT:
        put_text(out, &scalar->text);
        return true;
    case TT_PB_BYTES:
        return put_base64(lexer, out, &scalar->text);
    case TT_PB_ID:
        put_bytes(out, scalar->id, field->id_len);
        return true;
    default:
        tt_json_put_element(field, scalar, out);
        return true;
    }
}
