/* SPDX-License-Identifier: Apache-2.0 */
#include "http_test.h"

#define MAX_BODY ((size_t)1 << 20)

static struct reply reply;

static const struct tt_http_route echo_route = {
    .path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = echo};

/* ---- routes ---- */

static void say_hello(void *context, struct tt_http_exchange *exchange)
{
    const struct tt_http_answer answer = {.status = 200, .body = TT_STR("hello")};

    (void)context;
    tt_http_answer(exchange, &answer);
}

static void routes_are_found_by_path_and_method(void **state)
{
    static const struct tt_http_route routes[] = {
        {.path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = echo},
        {.path = "/hello", .methods = "GET,HEAD", .handle = say_hello},
    };
    static const struct {
        const char *request;
        unsigned status;
        const char *body;
    } examples[] = {
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", 200, "ab"},
        {"POST /echo?x=/y HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, ""},
        {"POST /%65cho HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, ""},
        {"POST /echo%00x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, NULL},
        {"POST /echo%zz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, NULL},
        {"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, NULL},
        {"POST //echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, NULL},
        {"POST /%2e%2e/%2e%2e/etc/passwd%00.html HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
         404, NULL},
        {"POST /%c0%ae HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404, NULL},
        {"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello"},
        {"GET /hello HTTP/1.0\r\n\r\n", 200, "hello"},
        {"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL},
        {"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", 405, NULL},
        {"OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: http://evil\r\nAccess-Control-Request-Method: POST\r\n\r\n",
         405, NULL},
        {"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404, NULL},
        {"POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", 411, NULL},
        {"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", 405, NULL},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", 413, NULL},
    };
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = routes, .n_routes = 2});
    char value[256];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        ask(server, examples[i].request, &reply);
        if (reply.status != examples[i].status)
            fail_msg("%s%s", examples[i].request, reply.text);
        if (examples[i].body != NULL)
            assert_string_equal(reply.body, examples[i].body);
        if (reply.status == 405)
            assert_true(strlen(reply_header(&reply, "Allow", value)) >= 3);
        assert_string_equal(reply_header(&reply, "Access-Control-Allow-Origin", value), "");
    }
    stop_server(server);
}

static void head_is_answered_without_body(void **state)
{
    static const struct tt_http_route route = {
        .path = "/hello", .methods = "GET,HEAD", .handle = say_hello};
    struct tt_http_server *server = start_route(&route);
    int fd = connect_to(server);
    char value[256];

    (void)state;
    send_text(fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    read_reply_of(fd, &reply, false);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Content-Length", value), "5");
    close(fd);
    stop_server(server);
}

/* ---- bodies and kept connections ---- */

static void a_connection_serves_many_requests(void **state)
{
    struct tt_http_server *server = start_route(&echo_route);
    int fd = connect_to(server);
    char head[256];

    (void)state;
    for (int i = 0; i < 50; i++) {
        char body[32];
        (void)snprintf(body, sizeof(body), "request %d", i);
        post_header(head, sizeof(head), "/echo", strlen(body));
        send_text(fd, head);
        send_text(fd, body);
        read_reply(fd, &reply);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, body);
    }
    close(fd);
    stop_server(server);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct tt_http_server *server = start_route(&echo_route);
    int fd = connect_to(server);
    struct tt_buffer text;
    static char answers[1 << 20];
    size_t len = 0;
    unsigned seen = 0;

    (void)state;
    tt_buffer_init(&text, 1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        tt_buffer_printf(&text, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%04u",
                         i);
    assert_true(try_send(fd, text.data, text.len));
    const char *at = answers;
    while (seen < 1000) {
        char wanted[16];
        (void)snprintf(wanted, sizeof(wanted), "\r\n\r\n%04u", seen);
        const char *found = strstr(at, wanted);
        if (found == NULL) {
            assert_true(receive_more(fd, answers, sizeof(answers), &len));
            continue;
        }
        at = found + strlen(wanted);
        seen++;
    }
    tt_buffer_done(&text);
    close(fd);
    stop_server(server);
}

static void a_body_may_come_in_chunks(void **state)
{
    struct tt_http_server *server = start_route(&echo_route);
    int fd = connect_to(server);

    (void)state;
    send_text(fd,
              "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    send_text(fd, "5;x=y\r\ndefgh\r\n0\r\n\r\n");
    read_reply(fd, &reply);
    assert_string_equal(reply.body, "abcdefgh");
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    read_reply(fd, &reply);
    assert_string_equal(reply.body, "x");
    close(fd);
    stop_server(server);
}

/* Sends a body of that size, with Content-Length or in chunks of 10,000 bytes; false when the peer closed meanwhile. */
static bool send_body(int fd, const char *path, size_t size, bool chunked)
{
    static char piece[10000];
    char text[256];
    bool ok = true;

    memset(piece, 'x', sizeof(piece));
    if (chunked)
        (void)snprintf(text, sizeof(text),
                       "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path);
    else
        post_header(text, sizeof(text), path, size);
    send_text(fd, text);
    for (size_t sent = 0; ok && sent < size;) {
        size_t n = size - sent < sizeof(piece) ? size - sent : sizeof(piece);
        (void)snprintf(text, sizeof(text), "%zx\r\n", n);
        ok = (!chunked || try_send(fd, text, strlen(text))) && try_send(fd, piece, n) &&
             (!chunked || try_send(fd, "\r\n", 2));
        sent += n;
    }
    return ok && (!chunked || try_send(fd, "0\r\n\r\n", 5));
}

static void count_body(void *context, struct tt_http_exchange *exchange)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%zu", tt_http_body(exchange).len);
    const struct tt_http_answer answer = {.status = 200, .body = tt_str(text)};

    (void)context;
    tt_http_answer(exchange, &answer);
}

static void the_limit_of_a_body_is_exact(void **state)
{
    static const struct tt_http_route route = {
        .path = "/count", .methods = "POST", .max_body = MAX_BODY, .handle = count_body};
    struct tt_http_server *server = start_route(&route);
    static const size_t sizes[] = {
        0, 1, 65535, 65536, 65537, MAX_BODY - 1, MAX_BODY, MAX_BODY + 1, 16 * MAX_BODY};

    (void)state;
    for (size_t i = 0; i < 2 * TT_LENGTH(sizes); i++) {
        size_t size = sizes[i / 2];
        bool chunked = i % 2 == 1;
        char expected[32];
        int fd = connect_to(server);

        /* Beyond the limit the answer comes while we still send; we can send on, so no client gives up before it reads. */
        assert_true(send_body(fd, "/count", size, chunked));
        read_reply(fd, &reply);
        if (reply.status != (size <= MAX_BODY ? 200 : 413))
            fail_msg("%zu bytes, chunked %d: %u", size, chunked, reply.status);
        (void)snprintf(expected, sizeof(expected), "%zu", size);
        if (reply.status == 200)
            assert_string_equal(reply.body, expected);
        close(fd);
    }
    stop_server(server);
}

/* ---- refusals ---- */

static bool refuse_all(void *context, struct tt_http_exchange *exchange, size_t size,
                       struct tt_http_answer *ret_refusal)
{
    (void)context, (void)exchange, (void)size;
    *ret_refusal =
        (struct tt_http_answer){.status = 503, .body = TT_STR("busy"), .retry_after_s = 3};
    return false;
}

static void a_refusal_discards_the_body_and_keeps_the_connection(void **state)
{
    static const struct tt_http_route route = {.path = "/echo",
                                               .methods = "POST",
                                               .max_body = MAX_BODY,
                                               .admit = refuse_all,
                                               .handle = echo};
    struct tt_http_server *server = start_route(&route);
    int fd = connect_to(server);
    char value[256];

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(send_body(fd, "/echo", 700000, i % 2 == 1));
        read_reply(fd, &reply);
        assert_int_equal(reply.status, 503);
        assert_string_equal(reply.body, "busy");
        assert_string_equal(reply_header(&reply, "Retry-After", value), "3");
        assert_string_equal(reply_header(&reply, "Connection", value), "");
    }
    assert_true(send_body(fd, "/nowhere", 700000, false));
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 404);
    close(fd);
    stop_server(server);
}

static void who_asks_before_sending_is_answered_without_100(void **state)
{
    static const struct tt_http_route routes[] = {
        {.path = "/busy",
         .methods = "POST",
         .max_body = MAX_BODY,
         .admit = refuse_all,
         .handle = echo},
        {.path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = echo},
    };
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = routes, .n_routes = 2});

    (void)state;
    ask(server,
        "POST /busy HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 503);
    ask(server,
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 413);
    ask(server,
        "POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 404);

    int fd = connect_to(server);
    send_text(
        fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    read_reply_of(fd, &reply, false);
    assert_int_equal(reply.status, 100);
    send_text(fd, "ab");
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "ab");
    close(fd);
    stop_server(server);
}

static bool grant_less(void *context, struct tt_http_exchange *exchange, size_t total,
                       struct tt_http_answer *ret_refusal)
{
    (void)context, (void)exchange;
    *ret_refusal = (struct tt_http_answer){.status = 503, .body = TT_STR("no memory")};
    return total <= 200000;
}

static void a_body_of_unknown_length_asks_as_it_grows(void **state)
{
    static const struct tt_http_route route = {.path = "/count",
                                               .methods = "POST",
                                               .max_body = MAX_BODY,
                                               .grow = grant_less,
                                               .handle = count_body};
    struct tt_http_server *server = start_route(&route);
    int fd = connect_to(server);

    (void)state;
    assert_true(send_body(fd, "/count", 100000, true));
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(send_body(fd, "/count", 900000, true));
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 503);
    assert_true(send_body(fd, "/count", 1000, true));
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    close(fd);
    stop_server(server);
}

static void malformed_framing_is_refused_and_the_connection_closed(void **state)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nX Y: b\r\nContent-Length: 0\r\n\r\n",
    };
    struct tt_http_server *server = start_route(&echo_route);

    (void)state;
    for (size_t i = 0; i < 2 * TT_LENGTH(requests); i++) {
        int fd = connect_to(server);

        /* The second time as the second request of a connection, where only parsed headers can be judged. */
        if (i % 2 == 1) {
            send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
            read_reply(fd, &reply);
            assert_int_equal(reply.status, 200);
        }
        send_text(fd, requests[i / 2]);
        read_reply(fd, &reply);
        if (reply.status != 400 && reply.status != 413 && reply.status != 501)
            fail_msg("%s: %u", requests[i / 2], reply.status);
        await_close(fd);
        close(fd);
        ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok", &reply);
        assert_int_equal(reply.status, 200);
    }
    stop_server(server);
}

static void browsers_of_allowed_origins_may_send(void **state)
{
    static const char *const origins[] = {"http://shop.example"};
    static const char *const exposed[] = {"X-One", "X-Two"};
    const struct tt_http_server_options options = {.threads = 1,
                                                   .routes = &echo_route,
                                                   .n_routes = 1,
                                                   .cors = {.allowed_origins = origins,
                                                            .n_allowed_origins = 1,
                                                            .max_age_s = 600,
                                                            .exposed_headers = exposed,
                                                            .n_exposed_headers = 2}};
    struct tt_http_server *server = start_server(options);
    char value[256];

    (void)state;
    ask(server,
        "OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: http://shop.example\r\nAccess-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: content-type\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 204);
    assert_string_equal(reply_header(&reply, "Access-Control-Allow-Origin", value),
                        "http://shop.example");
    assert_string_equal(reply_header(&reply, "Access-Control-Allow-Methods", value), "POST");
    assert_string_equal(reply_header(&reply, "Access-Control-Allow-Headers", value),
                        "content-type");
    assert_string_equal(reply_header(&reply, "Access-Control-Max-Age", value), "600");
    ask(server,
        "POST /echo HTTP/1.1\r\nHost: a\r\nOrigin: http://shop.example\r\nContent-Length: 0\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Access-Control-Allow-Origin", value),
                        "http://shop.example");
    assert_string_equal(reply_header(&reply, "Access-Control-Expose-Headers", value),
                        "X-One, X-Two");
    assert_string_equal(reply_header(&reply, "Vary", value), "Origin");
    ask(server,
        "OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: "
        "POST\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 405);
    assert_string_equal(reply_header(&reply, "Access-Control-Allow-Origin", value), "");
    stop_server(server);
}

static void configured_headers_are_in_every_answer(void **state)
{
    static const struct tt_http_header headers[] = {{"X-One", "1"}, {"X-Two", "2"}};
    struct tt_http_server *server =
        start_server((struct tt_http_server_options){.threads = 1,
                                                     .routes = &echo_route,
                                                     .n_routes = 1,
                                                     .response_headers = headers,
                                                     .n_response_headers = 2});
    char value[256];

    (void)state;
    ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &reply);
    assert_string_equal(reply_header(&reply, "X-Two", value), "2");
    ask(server, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", &reply);
    assert_string_equal(reply_header(&reply, "X-One", value), "1");
    stop_server(server);
}

static void shape_json(void *context, struct tt_http_exchange *exchange,
                       struct tt_http_answer *answer)
{
    (void)exchange;
    answer->content_type = "application/json";
    answer->body = tt_str(context);
}

static void the_owner_shapes_refusals(void **state)
{
    static char json[] = "{\"code\":3}";
    const struct tt_http_route route = {.path = "/echo",
                                        .methods = "POST",
                                        .max_body = MAX_BODY,
                                        .handle = echo,
                                        .shape = shape_json,
                                        .context = json};
    static const char *const requests[] = {
        "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
    };
    struct tt_http_server *server = start_server((struct tt_http_server_options){
        .threads = 1, .routes = &route, .n_routes = 1, .fallback = &route});
    char value[256];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(requests); i++) {
        ask(server, requests[i], &reply);
        assert_string_equal(reply_header(&reply, "Content-Type", value), "application/json");
        assert_string_equal(reply.body, json);
    }
    stop_server(server);
}

struct told {
    char protocol[16];
    unsigned count;
};

static void note_foreign(void *context, struct tt_str peer, const char *protocol)
{
    struct told *told = context;

    assert_true(tt_str_starts_with(peer, TT_STR("127.0.0.1:")));
    (void)snprintf(told->protocol, sizeof(told->protocol), "%s", protocol);
    told->count++;
}

static void other_protocols_are_told_apart(void **state)
{
    struct told told = {.count = 0};
    struct tt_http_server *server =
        start_server((struct tt_http_server_options){.threads = 1,
                                                     .routes = &echo_route,
                                                     .n_routes = 1,
                                                     .foreign = note_foreign,
                                                     .foreign_context = &told,
                                                     .foreign_advice = "use HTTP/1.1"});
    char bytes[256];
    size_t len = 0;
    int fd = connect_to(server);

    (void)state;
    assert_true(try_send(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24));
    while (receive_more(fd, bytes, sizeof(bytes), &len))
        ;
    assert_int_equal(len, 9 + 9 + 8 + 12);
    assert_int_equal(bytes[3], 4);  /* SETTINGS */
    assert_int_equal(bytes[12], 7); /* GOAWAY */
    assert_int_equal(bytes[11], 8 + 12);
    assert_string_equal(bytes + 26, "use HTTP/1.1");
    assert_string_equal(told.protocol, "HTTP/2");
    close(fd);

    fd = connect_to(server);
    len = 0;
    assert_true(try_send(fd, "\x16\x03\x01\x00\x05hello", 10));
    while (receive_more(fd, bytes, sizeof(bytes), &len))
        ;
    assert_int_equal(len, 7);
    assert_int_equal(bytes[0], 0x15);
    assert_string_equal(told.protocol, "TLS");
    assert_int_equal(told.count, 2);
    close(fd);
    stop_server(server);
}

static void a_taken_port_is_an_error_that_names_it(void **state)
{
    struct tt_http_server *server = start_route(&echo_route), *second = NULL;
    struct tt_error err = {0};
    char endpoint[32];

    (void)state;
    (void)snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", tt_http_server_port(server));
    const struct tt_http_server_options options = {
        .endpoint = endpoint, .routes = &echo_route, .n_routes = 1};
    assert_true(tt_http_server_start(&options, &second, &err) != TT_OK);
    assert_null(second);
    assert_non_null(strstr(err.message, endpoint));
    stop_server(server);
}

static void bad_endpoints_are_refused(void **state)
{
    static const char *const endpoints[] = {
        "",           "localhost", "localhost:", "localhost:65536", "localhost:-1", "127.0.0.1:x",
        "999.0.0.1:0"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(endpoints); i++) {
        struct tt_http_server *server = NULL;
        const struct tt_http_server_options options = {.endpoint = endpoints[i], .threads = 1};
        if (tt_http_server_start(&options, &server, NULL) == TT_OK)
            fail_msg("%s", endpoints[i]);
    }
}

static void localhost_listens(void **state)
{
    struct tt_http_server *server = start_server((struct tt_http_server_options){
        .endpoint = "localhost:0", .threads = 1, .routes = &echo_route, .n_routes = 1});

    (void)state;
    ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok", &reply);
    assert_int_equal(reply.status, 200);
    stop_server(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found_by_path_and_method),
        cmocka_unit_test(head_is_answered_without_body),
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_body_may_come_in_chunks),
        cmocka_unit_test(the_limit_of_a_body_is_exact),
        cmocka_unit_test(a_refusal_discards_the_body_and_keeps_the_connection),
        cmocka_unit_test(who_asks_before_sending_is_answered_without_100),
        cmocka_unit_test(a_body_of_unknown_length_asks_as_it_grows),
        cmocka_unit_test(malformed_framing_is_refused_and_the_connection_closed),
        cmocka_unit_test(browsers_of_allowed_origins_may_send),
        cmocka_unit_test(configured_headers_are_in_every_answer),
        cmocka_unit_test(the_owner_shapes_refusals),
        cmocka_unit_test(other_protocols_are_told_apart),
        cmocka_unit_test(a_taken_port_is_an_error_that_names_it),
        cmocka_unit_test(bad_endpoints_are_refused),
        cmocka_unit_test(localhost_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
