/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/document.h"

#include "otlp/json.h"

static const struct tt_str keys[TT_SIGNAL_COUNT][2] = {
    {{"\"resourceSpans\"", 15}, {"\"resource_spans\"", 16}},
    {{"\"resourceMetrics\"", 17}, {"\"resource_metrics\"", 18}},
    {{"\"resourceLogs\"", 14}, {"\"resource_logs\"", 15}},
};

static bool first_key(struct tt_str line, enum tt_signal *ret_signal)
{
    size_t at = 0;

    while (at < line.len && (line.data[at] == '{' || line.data[at] == ' ' || line.data[at] == '\t'))
        at++;
    line = tt_str_of(line.data + at, line.len - at);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++)
        if (tt_str_starts_with(line, keys[i][0]) || tt_str_starts_with(line, keys[i][1])) {
            *ret_signal = tt_signal_at(i);
            return true;
        }
    return false;
}

bool tt_document_signal(struct tt_str line, enum tt_signal *ret_signal)
{
    const char *first = NULL;

    if (first_key(line, ret_signal))
        return true;
    for (unsigned i = 0; i < 2 * TT_SIGNAL_COUNT && line.len > 0; i++) {
        struct tt_str key = keys[i / 2][i % 2];
        const char *found = memmem(line.data, line.len, key.data, key.len);
        if (found == NULL || (first != NULL && found > first))
            continue;
        first = found;
        *ret_signal = tt_signal_at(i / 2);
    }
    return first != NULL;
}

enum tt_status tt_document_read(enum tt_signal signal, struct tt_str line,
                                const struct tt_metadata *metadata, struct tt_buffer *wire,
                                struct tt_batch **ret_batch, uint64_t *ret_rejected,
                                struct tt_error *err)
{
    enum tt_status status;
    struct tt_body *body;
    size_t len;
    char *bytes;

    tt_buffer_clear(wire);
    status = tt_json_read(signal, line, &tt_limits_default, wire, err);
    if (status != TT_OK)
        return status;
    bytes = tt_buffer_take(wire, &len);
    body = tt_body_take(bytes, len);
    if (body == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a line of OTLP/JSON");
    status =
        tt_batch_parse(signal, body, &tt_limits_default, metadata, ret_batch, ret_rejected, err);
    tt_body_unref(body);
    return status;
}
