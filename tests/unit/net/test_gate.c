/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gate.h"
#include "tt_test.h"

#define MAX_HEADER ((size_t)32 << 10)
#define HOST       "Host: localhost\r\n"

struct example {
    const char *name;
    struct tt_str bytes;
    enum gate_action action;
    unsigned status;
};
#define EXAMPLE(name, text, action, status)            \
    {                                                  \
        name, {text, sizeof(text) - 1}, action, status \
    }

static const struct example examples[] = {
    EXAMPLE("a plain request", "POST /v1/traces HTTP/1.1\r\n" HOST "\r\n", GATE_OK, 0),
    EXAMPLE("HTTP/1.0 needs no host", "GET / HTTP/1.0\r\n\r\n", GATE_OK, 0),
    EXAMPLE("a body may hold any byte",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n\0\n\r\n", GATE_OK, 0),
    EXAMPLE("chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", GATE_OK, 0),
    EXAMPLE("expect", "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", GATE_OK, 0),
    EXAMPLE("a tab in a value", "GET / HTTP/1.1\r\n" HOST "X: a\tb\r\n\r\n", GATE_OK, 0),
    EXAMPLE("nothing yet", "", GATE_MORE, 0),
    EXAMPLE("half a line", "POST /v1/tra", GATE_MORE, 0),
    EXAMPLE("half the headers", "POST / HTTP/1.1\r\nHost: loc", GATE_MORE, 0),
    EXAMPLE("a CR that may get its LF", "POST / HTTP/1.1\r\nHost: a\r\n\r", GATE_MORE, 0),
    EXAMPLE("half a preface", "PRI * HT", GATE_MORE, 0),
    EXAMPLE("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", GATE_HTTP2, 0),
    EXAMPLE("one byte of TLS", "\x16", GATE_MORE, 0),
    EXAMPLE("a TLS hello", "\x16\x03\x01\x02", GATE_TLS, 0),
    EXAMPLE("a method that begins like the preface", "PRINT / HTTP/1.1\r\n" HOST "\r\n", GATE_OK,
            0),
    EXAMPLE("not HTTP at all", "\x00\x01\x02", GATE_REFUSE, 400),
    EXAMPLE("a leading blank line", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("CL and TE",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("TE and CL",
            "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("two equal lengths",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("two lengths in one", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("a negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n", GATE_REFUSE,
            400),
    EXAMPLE("a hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("a length with a blank", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3 \r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", GATE_REFUSE,
            400),
    EXAMPLE("20 digits", "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
            GATE_REFUSE, 413),
    EXAMPLE("2^64 - 1 is left to the limit",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n\r\n", GATE_OK, 0),
    EXAMPLE("xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
            GATE_REFUSE, 501),
    EXAMPLE("chunked, identity",
            "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", GATE_REFUSE,
            501),
    EXAMPLE("gzip, chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
            GATE_REFUSE, 501),
    EXAMPLE("two codings",
            "POST / HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", GATE_REFUSE,
            400),
    EXAMPLE("a blank before the colon", "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\n",
            GATE_REFUSE, 400),
    EXAMPLE("a continued header", "POST / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", GATE_REFUSE,
            400),
    EXAMPLE("bare LF", "POST / HTTP/1.1\nHost: a\n\n", GATE_REFUSE, 400),
    EXAMPLE("one bare LF", "POST / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("bare CR", "POST / HTTP/1.1\rHost: a\r\r", GATE_REFUSE, 400),
    EXAMPLE("NUL in a value", "POST / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("NUL in a name", "POST / HTTP/1.1\r\n" HOST "X\0: ab\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("a control character", "POST / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("a blank in a name", "POST / HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("8 bits in a name", "POST / HTTP/1.1\r\n" HOST "X\xe9: a\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("a header without colon", "POST / HTTP/1.1\r\n" HOST "X\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("an empty name", "POST / HTTP/1.1\r\n" HOST ": a\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("no host", "POST / HTTP/1.1\r\n\r\n", GATE_REFUSE, 400),
    EXAMPLE("two hosts", "POST / HTTP/1.1\r\n" HOST HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("absolute form", "POST http://localhost/ HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("HTTP/0.9", "GET /\r\n", GATE_REFUSE, 400),
    EXAMPLE("HTTP/9.9", "GET / HTTP/9.9\r\n" HOST "\r\n", GATE_REFUSE, 505),
    EXAMPLE("two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("a blank in the URL", "GET /a b HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("8 bits in the URL", "GET /\xff HTTP/1.1\r\n" HOST "\r\n", GATE_REFUSE, 400),
    EXAMPLE("another expectation", "POST / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", GATE_REFUSE,
            417),
};

static void judges_the_first_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        struct gate_verdict verdict = gate_scan(examples[i].bytes, MAX_HEADER);

        if (verdict.action != examples[i].action || verdict.status != examples[i].status)
            fail_msg("%s: action %d status %u (%s)", examples[i].name, verdict.action,
                     verdict.status, verdict.reason == NULL ? "" : verdict.reason);
        if (verdict.action == GATE_REFUSE)
            assert_non_null(verdict.reason);
    }
}

/* A verdict other than MORE on a prefix must not be lifted by what follows. */
static void a_prefix_of_a_good_request_is_never_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        if (examples[i].action != GATE_OK)
            continue;
        const char *end = memmem(examples[i].bytes.data, examples[i].bytes.len, "\r\n\r\n", 4);
        for (size_t len = 0; len < (size_t)(end - examples[i].bytes.data) + 4; len++) {
            struct gate_verdict verdict =
                gate_scan(tt_str_of(examples[i].bytes.data, len), MAX_HEADER);
            if (verdict.action != GATE_MORE)
                fail_msg("%s: %zu bytes: action %d", examples[i].name, len, verdict.action);
        }
    }
}

static struct gate_verdict scan_padded(const char *before, size_t padding, const char *after)
{
    size_t len = strlen(before) + padding + strlen(after);
    char *text = tt_malloc(len);

    assert_non_null(text);
    memcpy(text, before, strlen(before));
    memset(text + strlen(before), 'a', padding);
    memcpy(text + strlen(before) + padding, after, strlen(after));
    struct gate_verdict verdict = gate_scan(tt_str_of(text, len), MAX_HEADER);
    tt_free(text);
    return verdict;
}

static void bounds_the_url_and_the_headers(void **state)
{
    (void)state;
    const char *tail = " HTTP/1.1\r\n" HOST "\r\n";

    assert_int_equal(scan_padded("GET /", GATE_MAX_TARGET - 1, tail).action, GATE_OK);
    assert_int_equal(scan_padded("GET /", GATE_MAX_TARGET, tail).status, 414);
    assert_int_equal(scan_padded("GET /", (size_t)40 << 10, "").status, 414);
    assert_int_equal(
        scan_padded("GET / HTTP/1.1\r\n" HOST "X: ", (size_t)30 << 10, "\r\n\r\n").action, GATE_OK);
    assert_int_equal(
        scan_padded("GET / HTTP/1.1\r\n" HOST "X: ", (size_t)33 << 10, "\r\n\r\n").status, 431);
    assert_int_equal(scan_padded("GET / HTTP/1.1\r\n" HOST "X: ", (size_t)64 << 10, "").status,
                     431);
}

static void bounds_the_number_of_headers(void **state)
{
    struct gate_facts facts;

    (void)state;
    gate_facts_init(&facts);
    gate_header(&facts, TT_STR("Host"), TT_STR("a"));
    for (int i = 1; i < GATE_MAX_HEADERS; i++)
        gate_header(&facts, TT_STR("X"), TT_STR("y"));
    assert_int_equal(gate_finish(&facts, true).action, GATE_OK);
    gate_header(&facts, TT_STR("X"), TT_STR("y"));
    assert_int_equal(gate_finish(&facts, true).status, 431);
}

static void tells_the_length(void **state)
{
    struct gate_facts facts;

    (void)state;
    gate_facts_init(&facts);
    gate_header(&facts, TT_STR("content-length"), TT_STR("690000"));
    assert_int_equal(gate_finish(&facts, false).action, GATE_OK);
    assert_int_equal(facts.content_length, 690000);
    assert_false(facts.chunked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_the_first_bytes),
        cmocka_unit_test(a_prefix_of_a_good_request_is_never_refused),
        cmocka_unit_test(bounds_the_url_and_the_headers),
        cmocka_unit_test(bounds_the_number_of_headers),
        cmocka_unit_test(tells_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
