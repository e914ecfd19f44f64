/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/cursor.h"
#include "otlp/json.h"

static void append_base64(struct tt_str bytes, struct tt_buffer *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = (const uint8_t *)bytes.data;

    for (size_t left = bytes.len; left > 0; left -= left < 3 ? left : 3, from += 3) {
        uint32_t group = (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0) |
                         (left > 2 ? from[2] : 0);
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        tt_buffer_append(out, text, sizeof(text));
    }
}

void tt_value_append_text(const struct tt_value *value, struct tt_buffer *out)
{
    switch (value->type) {
    case TT_VALUE_EMPTY:
        return;
    case TT_VALUE_STRING:
        tt_buffer_append_str(out, value->text);
        return;
    case TT_VALUE_BOOL:
        tt_buffer_append_str(out, value->boolean ? TT_STR("true") : TT_STR("false"));
        return;
    case TT_VALUE_INT:
        tt_buffer_append_int64(out, value->integer);
        return;
    case TT_VALUE_DOUBLE:
        tt_buffer_append_double(out, value->real);
        return;
    case TT_VALUE_BYTES:
        append_base64(value->text, out);
        return;
    case TT_VALUE_ARRAY:
    case TT_VALUE_KVLIST:
        tt_json_write_plain_value(value, out);
        return;
    }
}
