/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as OTLP/JSON of each signal. What the reader takes, the validator takes too (or it is over a limit); what the
 * writer makes of it is read again, and written again it is the same.
 */
#include "base/mem.h"
#include "otlp/json.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_OUT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* NULL when it was refused, by the reader or for a limit or for bad rows. */
static struct tt_batch *read_batch(enum tt_signal signal, struct tt_str text)
{
    struct tt_buffer wire;
    struct tt_batch *batch = NULL;
    struct tt_error err;
    uint64_t rejected = 0;
    size_t len;

    tt_buffer_init(&wire, MAX_OUT);
    if (tt_json_read(signal, text, NULL, &wire, &err) != TT_OK) {
        tt_buffer_done(&wire);
        return NULL;
    }
    char *bytes = tt_buffer_take(&wire, &len);
    struct tt_body *body = tt_body_take(bytes, len);
    require(body != NULL, "out of memory");
    enum tt_status status =
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, &rejected, &err);
    require(status == TT_OK || status == TT_TOO_LARGE,
            "the validator refuses what the reader wrote");
    require(status != TT_OK || rejected == 0, "rows are rejected that the reader wrote");
    tt_body_unref(body);
    return batch;
}

static void write_batch(const struct tt_batch *batch, struct tt_buffer *text)
{
    tt_buffer_init(text, MAX_OUT);
    tt_json_write(batch, NULL, text);
    require(text->failed == TT_OK, "the writer failed");
}

static void check(enum tt_signal signal, struct tt_str input)
{
    struct tt_batch *batch = read_batch(signal, input), *again;
    struct tt_buffer text, twice;

    if (batch == NULL)
        return;
    write_batch(batch, &text);
    again = read_batch(signal, tt_buffer_view(&text));
    require(again != NULL, "what was written is not read");
    write_batch(again, &twice);
    require(again->n_rows == batch->n_rows, "another number of rows");
    require(tt_str_equal(tt_buffer_view(&text), tt_buffer_view(&twice)),
            "written again it differs");
    tt_buffer_done(&text);
    tt_buffer_done(&twice);
    tt_batch_unref(batch);
    tt_batch_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++)
        check(tt_signal_at(i), tt_str_of(data, size));
    return 0;
}
