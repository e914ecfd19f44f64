/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and numbers of every length as JSON: escapes and repairs at every place. */
#include "test_json_support.h"

#include <jansson.h>

/* A view that a static table can hold. */
#define BYTES(literal)                  \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

static void escapes_and_repairs_text(void **state)
{
    static const struct {
        struct tt_str text;
        const char *expected;
    } cases[] = {
        {BYTES(""), "\"\""},
        {BYTES("\"\\/"), "\"\\\"\\\\/\""},
        {BYTES("\b\t\n\f\r\x01\x1f\x7f"), "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\""},
        {BYTES("a\0b"), "\"a\\u0000b\""},
        {BYTES("0123456789abcde\""), "\"0123456789abcde\\\"\""},
        {BYTES("0123456789abcdef0123456789abcdef\n0123456789abcdef"),
         "\"0123456789abcdef0123456789abcdef\\n0123456789abcdef\""},
        {BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        /* stray continuation, cut off, overlong, surrogate, too high, never a lead */
        {BYTES("\x80|"), "\"\xef\xbf\xbd|\""},
        {BYTES("\xc3"), "\"\xef\xbf\xbd\""},
        {BYTES("\xc3|"), "\"\xef\xbf\xbd|\""},
        {BYTES("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {BYTES("\xe0\x80\x80|"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\""},
        {BYTES("\xed\xa0\x80|"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\""},
        {BYTES("\xf4\x90\x80\x80|"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\""},
        {BYTES("\xf5\xff|"), "\"\xef\xbf\xbd\xef\xbf\xbd|\""},
        {BYTES("\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf"),
         "\"\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf\""},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        /* At the very end of its allocation, so that a sanitizer sees an overrun. */
        char *copy = malloc(cases[i].text.len + 1);
        struct tt_buffer out;
        assert_non_null(copy);
        memcpy(copy + 1, cases[i].text.data, cases[i].text.len);
        tt_buffer_init(&out, MAX_OUT);
        tt_json_write_text(tt_str_of(copy + 1, cases[i].text.len), &out);
        assert_str(tt_buffer_view(&out), cases[i].expected);
        tt_buffer_done(&out);
        free(copy);
    }
}

/* Every length around the block and chunk sizes, ASCII, escapes and long characters at every place. */
static void writes_text_of_any_length(void **state)
{
    static const char *const inserts[] = {"", "\n", "\xf0\x9f\x98\x80", "\xe2\x82\xac"};
    static const size_t lengths[] = {0,   1,   15,  16,  17,   31,   33,   127,  128,
                                     500, 511, 512, 513, 1023, 1024, 1025, 1536, 5000};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(lengths) * TT_LENGTH(inserts); i++) {
        size_t len = lengths[i / TT_LENGTH(inserts)],
               extra = strlen(inserts[i % TT_LENGTH(inserts)]);
        for (size_t at = len < 24 ? 0 : len - 24; at <= len; at++) {
            char *text = malloc(len + extra + 1);
            assert_non_null(text);
            memset(text, 'x', len + extra);
            memcpy(text + at, inserts[i % TT_LENGTH(inserts)], extra);
            struct tt_buffer out;
            tt_buffer_init(&out, MAX_OUT);
            tt_json_write_text(tt_str_of(text, len + extra), &out);
            json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
            assert_non_null(read);
            assert_str_equal(tt_str_of(json_string_value(read), json_string_length(read)),
                             tt_str_of(text, len + extra));
            json_decref(read);
            tt_buffer_done(&out);
            free(text);
        }
    }
}

/* A text of n letters with `special` in the place `at` (none: at == n). */
static void put_letters(struct tt_buffer *out, size_t n, size_t at, const char *special)
{
    for (size_t i = 0; i < n; i++)
        if (i == at)
            tt_buffer_append_str(out, tt_str(special));
        else
            tt_buffer_append_byte(out, (char)('a' + i % 26));
}

/* The text is in a block of its own size: a read behind it would be seen. */
static void escapes_texts_of_every_length_at_every_place(void **state)
{
    static const char *const specials[][2] = {{"\"", "\\\""}, {"\x01", "\\u0001"}};

    (void)state;
    for (size_t n = 0; n < 80; n++) {
        for (size_t at = 0; at <= n; at++) {
            struct tt_buffer text, expected, out;
            const char *const *special = specials[at % 2];
            tt_buffer_init(&text, MAX_OUT);
            tt_buffer_init(&expected, MAX_OUT);
            tt_buffer_init(&out, MAX_OUT);
            put_letters(&text, n, at, special[0]);
            tt_buffer_append_byte(&expected, '"');
            put_letters(&expected, n, at, special[1]);
            tt_buffer_append_byte(&expected, '"');
            char *exact = tt_malloc(n);
            memcpy(exact, text.len == 0 ? "" : text.data, n);
            tt_json_write_text(tt_str_of(exact, n), &out);
            assert_str_equal(tt_buffer_view(&out), tt_buffer_view(&expected));
            tt_free(exact);
            tt_buffer_done(&text);
            tt_buffer_done(&expected);
            tt_buffer_done(&out);
        }
    }
}

/* What is written is what was read: keys and values of every length, an escape at every place, with other attributes around. */
static void writes_attributes_of_every_length(void **state)
{
    (void)state;
    for (size_t n = 1; n < 140; n++) {
        struct tt_buffer json;
        tt_buffer_init(&json, MAX_OUT);
        tt_buffer_printf(&json, "%s",
                         "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},"
                         "\"spans\":[");
        for (size_t at = 0; at <= n; at++) {
            tt_buffer_printf(&json, "%s{\"attributes\":[{\"key\":\"", at == 0 ? "" : ",");
            put_letters(&json, n, n - at, "\\t");
            tt_buffer_printf(&json, "\",\"value\":{\"stringValue\":\"");
            put_letters(&json, n, at, "\\\\");
            tt_buffer_printf(
                &json,
                "\"}},{\"key\":\"h\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"");
            put_letters(&json, n, at, "\\n");
            tt_buffer_printf(&json, "\"}]}}}],\"status\":{}}");
        }
        tt_buffer_printf(&json, "]}]}]}");
        struct tt_batch *batch = batch_of_json(TT_TRACES, tt_buffer_view(&json));
        struct tt_buffer out = json_of_batch(batch);
        assert_str_equal(tt_buffer_view(&out), tt_buffer_view(&json));
        tt_buffer_done(&out);
        tt_buffer_done(&json);
        tt_batch_unref(batch);
    }
}

static void writes_integers_of_every_length(void **state)
{
    (void)state;
    for (uint64_t power = 1; power <= UINT64_C(1000000000000000000); power *= 10) {
        const int64_t values[] = {(int64_t)power - 1, (int64_t)power, (int64_t)(power / 7 * 5),
                                  -(int64_t)power, 1 - (int64_t)power};
        for (size_t i = 0; i < TT_LENGTH(values); i++) {
            char json[256];
            (void)snprintf(
                json, sizeof(json),
                "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"body\":{\"intValue\":\"%lld\"}}]}]}]}",
                (long long)values[i]);
            struct tt_batch *batch = batch_of_json(TT_LOGS, tt_str(json));
            struct tt_buffer out = json_of_batch(batch);
            assert_str(tt_buffer_view(&out), json);
            tt_buffer_done(&out);
            tt_batch_unref(batch);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_and_repairs_text),
        cmocka_unit_test(writes_text_of_any_length),
        cmocka_unit_test(escapes_texts_of_every_length_at_every_place),
        cmocka_unit_test(writes_attributes_of_every_length),
        cmocka_unit_test(writes_integers_of_every_length),
    };

    return cmocka_run_group_tests_name("json_texts", tests, NULL, NULL);
}
