/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"
#include "tt_test.h"

static void no_data_are_ever_answered_500(void **state)
{
    (void)state;
    for (int i = 0; i < TT_STATUS_COUNT; i++) {
        unsigned http = otlp_http_status((enum tt_status)i);
        bool retried = http == 503;

        assert_true(http == 200 || http == 400 || http == 413 || http == 503);
        /* Clients send again exactly what our own statuses say may be sent again. */
        assert_int_equal(retried, tt_status_may_retry((enum tt_status)i));
    }
    assert_int_equal(otlp_http_status(TT_OK), 200);
    assert_int_equal(otlp_http_status(TT_TOO_LARGE), 413);
    assert_int_equal(otlp_http_status(TT_INVALID_DATA), 400);
}

static void refusals_speak_the_clients_encoding(void **state)
{
    static const struct {
        enum otlp_media media;
        const char *content_type;
        struct tt_str body;
    } examples[] = {
        {OTLP_JSON, "application/json", {"{\"code\":3,\"message\":\"bad\"}", 26}},
        {OTLP_PROTOBUF,
         "application/x-protobuf",
         {"\x08\x03\x12\x03"
          "bad",
          7}},
        {OTLP_OTHER, "text/plain; charset=utf-8", {"bad\n", 4}},
    };
    struct otlp_receiver self = {.id = "otlp"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        struct tt_http_answer answer;
        struct tt_buffer text;

        tt_buffer_init(&text, 1024);
        otlp_refusal(&self, examples[i].media, 400, "bad", 0, &text, &answer);
        assert_int_equal(answer.status, 400);
        assert_int_equal(answer.retry_after_s, 0);
        assert_string_equal(answer.content_type, examples[i].content_type);
        assert_str_equal(answer.body, examples[i].body);
        tt_buffer_done(&text);
    }
}

/* Clients that were refused together must not come back together. */
static void retry_after_is_spread(void **state)
{
    struct otlp_receiver self = {.id = "otlp"};
    unsigned seen[8] = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct tt_http_answer answer;
        struct tt_buffer text;

        tt_buffer_init(&text, 1024);
        otlp_refusal(&self, OTLP_JSON, 503, "busy", 0, &text, &answer);
        assert_in_range(answer.retry_after_s, 1, 5);
        seen[answer.retry_after_s]++;
        otlp_refusal(&self, OTLP_JSON, 503, "busy", 9500, &text, &answer);
        assert_in_range(answer.retry_after_s, 10, 12);
        tt_buffer_done(&text);
    }
    for (unsigned s = 1; s <= 5; s++)
        assert_true(seen[s] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_data_are_ever_answered_500),
        cmocka_unit_test(refusals_speak_the_clients_encoding),
        cmocka_unit_test(retry_after_is_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
