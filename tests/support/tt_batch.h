/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_SUPPORT_TT_BATCH_H
#define TT_TESTS_SUPPORT_TT_BATCH_H

/*
 * Batches written as OTLP/JSON in a test, label columns to put on them, and a host for a component that is tested alone.
 *
 * Everything is inline, as in tt_test.h. Link with the otlp layer (and base); the host needs no pipeline.
 */

#include "otlp/batch.h"
#include "otlp/json.h"
#include "pipeline/host.h"
#include "tt_test.h"

/* Fails the test when the text is not a valid document. The caller unrefs the batch. */
static inline struct tt_batch *tt_test_batch(enum tt_signal signal, struct tt_str json)
{
    struct tt_error err = {.status = TT_OK};
    struct tt_buffer wire;
    struct tt_batch *batch = NULL;
    struct tt_body *body;
    size_t len;
    char *bytes;

    tt_buffer_init(&wire, (size_t)1 << 30);
    assert_ok(tt_json_read(signal, json, &tt_limits_default, &wire, &err), &err);
    bytes = tt_buffer_take(&wire, &len);
    body = tt_body_take(bytes, len);
    assert_non_null(body);
    assert_ok(tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, NULL, &err), &err);
    tt_body_unref(body);
    return batch;
}

static inline struct tt_str tt_test_span_json(char *text, size_t size, unsigned traces,
                                              unsigned spans)
{
    size_t len = 0;

    len += (size_t)snprintf(
        text + len, size - len,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
        "{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"spans\":[");
    for (unsigned t = 0; t < traces; t++)
        for (unsigned s = 0; s < spans; s++) {
            len += (size_t)snprintf(
                text + len, size - len,
                "%s{\"traceId\":\"%032x\",\"spanId\":\"%08x%08x\",\"name\":\"op %u\",\"kind\":2,"
                "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\"}",
                t + s == 0 ? "" : ",", t + 1, t + 1, s + 1, s,
                1755770400000000000ULL + t * 1000000ULL + s,
                1755770400000000000ULL + t * 1000000ULL + s + 1500000ULL);
            assert_true(len < size);
        }
    len += (size_t)snprintf(text + len, size - len, "]}]}]}");
    assert_true(len < size);
    return tt_str_of(text, len);
}

/* traces x spans rows of service "cart", each with its own ids. */
static inline struct tt_batch *tt_test_spans(unsigned traces, unsigned spans)
{
    size_t size = 1024 + (size_t)traces * spans * 256;
    char *text = malloc(size);
    struct tt_batch *batch;

    assert_non_null(text);
    batch = tt_test_batch(TT_TRACES, tt_test_span_json(text, size, traces, spans));
    free(text);
    return batch;
}

/* Sets a text column on one row; the text is borrowed. */
static inline void tt_test_set_text(struct tt_batch *batch, uint32_t row,
                                    const struct tt_column_desc *desc, struct tt_str text)
{
    struct tt_column *column = tt_batch_column(batch, desc);

    assert_non_null(column);
    tt_column_set_text(column, row, text);
}

/* A silent host; the caller frees host->meters with tt_meters_free(). */
static inline void tt_test_host(struct tt_host *host, const struct tt_clock *clock)
{
    memset(host, 0, sizeof(*host));
    host->clock = clock;
    host->meters = tt_meters_new(1000);
    host->version = "test";
    assert_non_null(host->meters);
}

#endif
