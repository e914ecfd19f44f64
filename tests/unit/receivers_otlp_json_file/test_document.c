/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/document.h"
#include "tt_test.h"

static void the_first_key_tells_the_signal(void **state)
{
    static const struct {
        const char *line;
        enum tt_signal signal; /* 0: none */
    } cases[] = {
        {"{\"resourceSpans\":[]}", TT_TRACES},
        {"{\"resourceMetrics\":[]}", TT_METRICS},
        {"{\"resourceLogs\":[]}", TT_LOGS},
        {" { \"resource_spans\" : []}", TT_TRACES},
        {"{\"extra\":1,\"resourceLogs\":[]}", TT_LOGS},
        {"{\"extra\":1,\"resourceLogs\":[],\"resourceSpans\":[]}", TT_LOGS},
        {"{\"resourceLogs\":[{\"a\":\"resourceSpans\"}]}", TT_LOGS},
        {"{\"resourceProfiles\":[]}", 0},
        {"not json", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        enum tt_signal signal = 0;
        bool known = tt_document_signal(tt_str(cases[i].line), &signal);
        assert_int_equal(known, cases[i].signal != 0);
        assert_int_equal(signal, cases[i].signal);
    }
}

static void a_line_becomes_a_batch_with_its_metadata(void **state)
{
    static const char line[] =
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"},{\"name\":\"b\"}]}]}]}";
    struct tt_metadata metadata = {.receiver = "otlp_json_file", .peer = {"in.jsonl", 8}};
    struct tt_buffer wire;
    struct tt_batch *batch;
    struct tt_error err;

    (void)state;
    tt_buffer_init(&wire, 1 << 20);
    assert_ok(tt_document_read(TT_TRACES, tt_str(line), &metadata, &wire, &batch, NULL, &err),
              &err);
    assert_int_equal(batch->n_rows, 2);
    assert_str(batch->rows[1].span.name, "b");
    assert_str(batch->metadata[batch->rows[0].metadata].peer, "in.jsonl");
    tt_batch_unref(batch);
    assert_status(tt_document_read(TT_TRACES, TT_STR("{\"resourceSpans\":7}"), NULL, &wire, &batch,
                                   NULL, &err),
                  TT_INVALID_DATA);
    assert_ok(tt_document_read(TT_TRACES, TT_STR("{}"), NULL, &wire, &batch, NULL, &err), &err);
    assert_int_equal(batch->n_rows, 0);
    tt_batch_unref(batch);
    tt_buffer_done(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_tells_the_signal),
        cmocka_unit_test(a_line_becomes_a_batch_with_its_metadata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
