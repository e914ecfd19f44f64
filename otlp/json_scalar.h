/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_SCALAR_H
#define TT_OTLP_JSON_SCALAR_H

/*
 * One JSON value of a field that is not a message, and its wire bytes: every leniency in how a scalar may be written.
 *
 * Threads: no shared state. Errors: bool functions have filled lexer->err when they return false; those of the buffer stay in it.
 */

#include "base/buffer.h"
#include "otlp/json_lex.h"
#include "otlp/wire.h"

struct tt_json_scalar {
    bool is_default; /* zero or empty: not written unless it says that the field is there */
    uint64_t bits;   /* numbers: as on the wire (two's complement, zigzag, IEEE 754) */
    uint8_t id[16];  /* TT_PB_ID */
    struct tt_json_text text; /* TT_PB_TEXT, TT_PB_BYTES */
};

/* At the value; null was dealt with before. */
bool tt_json_read_scalar(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                         struct tt_json_scalar *ret_scalar) TT_CHECKED;
/* Appends it as a field of a message. Fails for base64 that is none. */
bool tt_json_put_field(struct tt_json_lexer *lexer, const struct tt_pb_field *field,
                       const struct tt_json_scalar *scalar, struct tt_buffer *out) TT_CHECKED;
/* Appends a number without its tag, as an element of a packed field. */
void tt_json_put_element(const struct tt_pb_field *field, const struct tt_json_scalar *scalar,
                         struct tt_buffer *out);

/* tt_put_varint for text buffers. */
static inline char *tt_json_put_varint(char *to, uint64_t value)
{
    return (char *)tt_put_varint((uint8_t *)to, value);
}

#endif
