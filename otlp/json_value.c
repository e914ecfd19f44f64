/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json.h"
#include "otlp/json_message.h"

void tt_json_write_text(struct tt_str text, struct tt_buffer *buffer)
{
    struct tt_json_out out;

    tt_json_out_begin(&out, buffer);
    tt_json_string(&out, text, text.data + text.len);
    tt_json_out_done(&out);
}

/* ---- values in plain form ---- */

static void put_plain_scalar(struct tt_json_out *out, const struct tt_value *value)
{
    switch (value->type) {
    case TT_VALUE_STRING:
        tt_json_string(out, value->text, value->text.data + value->text.len);
        return;
    case TT_VALUE_BYTES:
        tt_json_base64(out, value->text);
        return;
    case TT_VALUE_DOUBLE:
        tt_json_double(out, value->real);
        return;
    case TT_VALUE_INT:
        tt_json_room(out, 20);
        out->at = tt_json_put_int64(out->at, value->integer);
        return;
    case TT_VALUE_BOOL:
        tt_json_raw(out, value->boolean ? TT_STR("true") : TT_STR("false"));
        return;
    case TT_VALUE_EMPTY:
    case TT_VALUE_ARRAY:
    case TT_VALUE_KVLIST:
        break;
    }
    tt_json_raw(out, TT_STR("null"));
}

/* An array or map whose members are being written. */
struct level {
    struct tt_cursor members;
    bool is_map, first;
};

void tt_json_write_plain_value(const struct tt_value *value, struct tt_buffer *buffer)
{
    struct level levels[TT_MAX_NESTING];
    struct tt_json_out out;
    struct tt_attribute member = {.value = *value};
    size_t depth = 0;

    tt_json_out_begin(&out, buffer);
    for (;;) {
        bool is_map = member.value.type == TT_VALUE_KVLIST;
        if ((is_map || member.value.type == TT_VALUE_ARRAY) && depth < TT_MAX_NESTING) {
            levels[depth++] = (struct level){tt_value_members(&member.value), is_map, true};
            tt_json_raw(&out, is_map ? TT_STR("{") : TT_STR("["));
        } else {
            put_plain_scalar(&out, &member.value);
        }
        while (depth > 0 && !tt_next_attribute(&levels[depth - 1].members, &member)) {
            depth--;
            tt_json_raw(&out, levels[depth].is_map ? TT_STR("}") : TT_STR("]"));
        }
        if (depth == 0)
            break;
        tt_json_room(&out, 1);
        tt_json_comma(&out, &levels[depth - 1].first);
        if (levels[depth - 1].is_map) {
            tt_json_string(&out, member.key, member.key.data + member.key.len);
            tt_json_raw(&out, TT_STR(":"));
        }
    }
    tt_json_out_done(&out);
}

/* ---- answers ---- */

void tt_json_write_response(enum tt_signal signal, uint64_t rejected, struct tt_str message,
                            struct tt_buffer *buffer)
{
    static const char *const names[TT_SIGNAL_COUNT] = {"rejectedSpans", "rejectedDataPoints",
                                                       "rejectedLogRecords"};

    if (rejected == 0 && message.len == 0) {
        tt_buffer_append_str(buffer, TT_STR("{}"));
        return;
    }
    tt_buffer_append_str(buffer, TT_STR("{\"partialSuccess\":{"));
    if (rejected > 0) {
        tt_buffer_append_byte(buffer, '"');
        tt_buffer_append_str(buffer, tt_str(names[tt_signal_index(signal)]));
        tt_buffer_append_str(buffer, TT_STR("\":\""));
        tt_buffer_append_uint64(buffer, rejected);
        tt_buffer_append_byte(buffer, '"');
    }
    if (message.len > 0) {
        tt_buffer_append_str(buffer, rejected > 0 ? TT_STR(",\"errorMessage\":")
                                                  : TT_STR("\"errorMessage\":"));
        tt_json_write_text(message, buffer);
    }
    tt_buffer_append_str(buffer, TT_STR("}}"));
}

void tt_json_write_status(int32_t code, struct tt_str message, struct tt_buffer *buffer)
{
    bool separator = code != 0 && message.len > 0;

    tt_buffer_append_byte(buffer, '{');
    if (code != 0) {
        tt_buffer_append_str(buffer, TT_STR("\"code\":"));
        tt_buffer_append_int64(buffer, code);
    }
    if (message.len > 0) {
        tt_buffer_append_str(buffer, separator ? TT_STR(",\"message\":") : TT_STR("\"message\":"));
        tt_json_write_text(message, buffer);
    }
    tt_buffer_append_byte(buffer, '}');
}
