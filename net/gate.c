/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gate.h"

#define MAX_METHOD 32

static const struct gate_verdict verdict_ok = {.action = GATE_OK};
static const struct gate_verdict verdict_more = {.action = GATE_MORE};

static struct gate_verdict refuse(unsigned status, const char *reason)
{
    return (struct gate_verdict){.action = GATE_REFUSE, .status = status, .reason = reason};
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct tt_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_token_char((unsigned char)s.data[i]))
            return false;
    }
    return s.len > 0;
}

/* Field content: no control characters but the tab. Bytes over 127 are opaque and pass. */
static bool is_field_value(struct tt_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* ---- headers ---- */

void gate_facts_init(struct gate_facts *facts)
{
    *facts = (struct gate_facts){.bad = verdict_ok};
}

static struct gate_verdict see_length(struct gate_facts *facts, struct tt_str value)
{
    bool only_digits = value.len > 0;

    if (++facts->n_lengths > 1)
        return refuse(400, "more than one Content-Length");
    for (size_t i = 0; i < value.len; i++)
        only_digits &= value.data[i] >= '0' && value.data[i] <= '9';
    if (!only_digits)
        return refuse(400, "Content-Length is not a decimal number");
    facts->length_overflow = !tt_str_to_uint64(value, &facts->content_length);
    return verdict_ok;
}

static struct gate_verdict see_coding(struct gate_facts *facts, struct tt_str value)
{
    if (++facts->n_codings > 1)
        return refuse(400, "more than one Transfer-Encoding");
    if (!tt_str_equal_nocase(value, TT_STR("chunked")))
        return refuse(501, "Transfer-Encoding must be chunked");
    facts->chunked = true;
    return verdict_ok;
}

static struct gate_verdict judge_header(struct gate_facts *facts, struct tt_str name,
                                        struct tt_str value)
{
    if (++facts->n_headers > GATE_MAX_HEADERS)
        return refuse(431, "more than 100 headers");
    if (!is_token(name))
        return refuse(400, "a header name has a character that is not allowed");
    if (!is_field_value(value))
        return refuse(400, "a header value has a control character");
    if (tt_str_equal_nocase(name, TT_STR("Host")))
        facts->n_hosts++;
    if (tt_str_equal_nocase(name, TT_STR("Content-Length")))
        return see_length(facts, value);
    if (tt_str_equal_nocase(name, TT_STR("Transfer-Encoding")))
        return see_coding(facts, value);
    if (tt_str_equal_nocase(name, TT_STR("Expect"))) {
        facts->expects_continue = tt_str_equal_nocase(value, TT_STR("100-continue"));
        if (!facts->expects_continue)
            return refuse(417, "Expect must be 100-continue");
    }
    return verdict_ok;
}

void gate_header(struct gate_facts *facts, struct tt_str name, struct tt_str value)
{
    struct gate_verdict verdict = judge_header(facts, name, value);

    if (facts->bad.action == GATE_OK)
        facts->bad = verdict;
}

struct gate_verdict gate_finish(const struct gate_facts *facts, bool is_http_1_1)
{
    if (facts->bad.action != GATE_OK)
        return facts->bad;
    if (facts->n_hosts > 1)
        return refuse(400, "more than one Host");
    if (is_http_1_1 && facts->n_hosts == 0)
        return refuse(400, "no Host");
    if (facts->chunked && facts->n_lengths > 0)
        return refuse(400, "both Content-Length and Transfer-Encoding");
    if (facts->chunked && !is_http_1_1)
        return refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (facts->length_overflow)
        return refuse(413, "Content-Length is over every limit");
    return verdict_ok;
}

/* ---- raw bytes ---- */

/* Cuts the next line (without its CRLF) from rest; false when there is no whole line. */
static bool cut_line(struct tt_str *rest, struct tt_str *ret_line)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);

    if (end == NULL)
        return false;
    size_t len = (size_t)(end - rest->data);
    *ret_line = tt_str_of(rest->data, len > 0 ? len - 1 : 0);
    *rest = tt_str_of(end + 1, rest->len - len - 1);
    return true;
}

/* Line ends are CRLF and nothing else, and no NUL is anywhere. A CR at the very end may still get its LF. */
static bool lines_are_clean(struct tt_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.data[i];
        if (c == '\0')
            return false;
        if (c == '\n' && (i == 0 || bytes.data[i - 1] != '\r'))
            return false;
        if (c == '\r' && i + 1 < bytes.len && bytes.data[i + 1] != '\n')
            return false;
    }
    return true;
}

static struct gate_verdict judge_version(struct tt_str version, bool *ret_is_1_1)
{
    *ret_is_1_1 = tt_str_equal(version, TT_STR("HTTP/1.1"));
    if (*ret_is_1_1 || tt_str_equal(version, TT_STR("HTTP/1.0")))
        return verdict_ok;
    if (tt_str_starts_with(version, TT_STR("HTTP/")))
        return refuse(505, "the HTTP version must be 1.0 or 1.1");
    return refuse(400, "the request line does not end with an HTTP version");
}

/* method SP target SP version, with exactly one blank each. */
static struct gate_verdict judge_request_line(struct tt_str line, bool *ret_is_1_1)
{
    struct tt_str method = tt_str_cut(&line, ' ');
    struct tt_str target = tt_str_cut(&line, ' ');

    if (!is_token(method) || method.len > MAX_METHOD)
        return refuse(400, "the request does not begin with an HTTP method");
    if (target.len > GATE_MAX_TARGET)
        return refuse(414, "the URL is longer than 8 KiB");
    if (target.len == 0 || target.data[0] != '/')
        return refuse(400, "the URL must be a path that begins with /");
    for (size_t i = 0; i < target.len; i++) {
        if ((unsigned char)target.data[i] <= 0x20 || (unsigned char)target.data[i] >= 0x7f)
            return refuse(400, "the URL has a character that is not allowed");
    }
    return judge_version(line, ret_is_1_1);
}

static void judge_line(struct gate_facts *facts, struct tt_str line)
{
    size_t colon = tt_str_find(line, ':');
    struct gate_verdict verdict = verdict_ok;

    if (line.data[0] == ' ' || line.data[0] == '\t')
        verdict = refuse(400, "a header is continued on the next line");
    else if (colon == line.len)
        verdict = refuse(400, "a header has no colon");
    if (verdict.action != GATE_OK) {
        if (facts->bad.action == GATE_OK)
            facts->bad = verdict;
        return;
    }
    struct tt_str value = tt_str_of(line.data + colon + 1, line.len - colon - 1);
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = tt_str_of(value.data + 1, value.len - 1);
    gate_header(facts, tt_str_of(line.data, colon), value);
}

/* Something other than HTTP/1 is known by its first bytes; MORE while a prefix of it could still become it. */
static struct gate_verdict judge_protocol(struct tt_str bytes)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n";
    size_t n = bytes.len < sizeof(preface) - 1 ? bytes.len : sizeof(preface) - 1;

    if (bytes.data[0] == 0x16 && (bytes.len == 1 || bytes.data[1] == 0x03))
        return bytes.len == 1 ? verdict_more : (struct gate_verdict){.action = GATE_TLS};
    if (memcmp(bytes.data, preface, n) == 0)
        return n < sizeof(preface) - 1 ? verdict_more : (struct gate_verdict){.action = GATE_HTTP2};
    if (bytes.data[0] != '\r' && !is_token_char((unsigned char)bytes.data[0]))
        return refuse(400, "the request does not begin with an HTTP method");
    return verdict_ok;
}

static struct gate_verdict not_whole_yet(struct tt_str bytes, size_t max_header_bytes)
{
    if (tt_str_find(bytes, '\n') == bytes.len && bytes.len > GATE_MAX_TARGET + MAX_METHOD)
        return refuse(414, "the URL is longer than 8 KiB");
    return bytes.len >= max_header_bytes ? refuse(431, "the headers are over the limit")
                                         : verdict_more;
}

struct gate_verdict gate_scan(struct tt_str bytes, size_t max_header_bytes)
{
    struct tt_str line, rest;
    bool is_1_1 = false;
    struct gate_facts facts;

    if (bytes.len == 0)
        return verdict_more;
    struct gate_verdict verdict = judge_protocol(bytes);
    if (verdict.action != GATE_OK)
        return verdict;
    /* Only what belongs to this request is judged: a body may hold any byte. */
    const char *end = memmem(bytes.data, bytes.len, "\r\n\r\n", 4);
    rest = end == NULL ? bytes : tt_str_of(bytes.data, (size_t)(end - bytes.data) + 4);
    if (rest.len > max_header_bytes)
        rest = tt_str_of(bytes.data, max_header_bytes);
    bool is_cut = end == NULL || rest.len < (size_t)(end - bytes.data) + 4;
    if (!lines_are_clean(rest))
        return refuse(400, "lines must end with CRLF and hold no NUL");
    struct tt_str whole = rest;
    if (!cut_line(&rest, &line))
        return not_whole_yet(whole, max_header_bytes);
    if (line.len == 0)
        return refuse(400, "the request begins with an empty line");
    verdict = judge_request_line(line, &is_1_1);
    if (verdict.action != GATE_OK)
        return verdict;
    gate_facts_init(&facts);
    while (cut_line(&rest, &line)) {
        if (line.len == 0)
            return gate_finish(&facts, is_1_1);
        judge_line(&facts, line);
        if (facts.bad.action != GATE_OK)
            return facts.bad;
    }
    return is_cut ? not_whole_yet(whole, max_header_bytes) : refuse(400, "malformed request");
}
