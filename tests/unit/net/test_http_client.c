/* SPDX-License-Identifier: Apache-2.0 */
#include "http_test.h"
#include "net/http_client.h"

static void reply_with_headers(void *context, struct tt_http_exchange *exchange)
{
    struct tt_str wanted = tt_http_header(exchange, "X-Wanted");
    static const struct tt_http_header headers[] = {{"X-One", "1"}};
    const struct tt_http_answer answer = {.status = 503,
                                          .content_type = "text/plain",
                                          .body = wanted,
                                          .retry_after_s = 7,
                                          .headers = headers,
                                          .n_headers = 1};

    (void)context;
    tt_http_answer(exchange, &answer);
}

static void never_answer(void *context, struct tt_http_exchange *exchange)
{
    *(struct tt_http_exchange **)context = exchange;
}

static void reply_init(struct tt_http_reply *reply)
{
    *reply = (struct tt_http_reply){.status = 0};
    tt_buffer_init(&reply->body, 1 << 20);
}

static const char *url_of(const struct tt_http_server *server, const char *path, char ret_url[128])
{
    (void)snprintf(ret_url, 128, "http://127.0.0.1:%u%s", tt_http_server_port(server), path);
    return ret_url;
}

static void a_body_is_sent_and_the_answer_read(void **state)
{
    static const struct tt_http_route route = {
        .path = "/echo", .methods = "POST,GET", .max_body = 8 << 20, .handle = echo};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    struct tt_http_client *client = tt_http_client_new(10 * TT_SECOND, 1 << 20);
    struct tt_http_reply reply;
    struct tt_error err = {0};
    static char body[3 << 20];
    char url[128];

    (void)state;
    reply_init(&reply);
    for (size_t len = 0; len <= sizeof(body); len = len * 3 + 1) {
        memset(body, 'b', len);
        assert_ok(tt_http_request(client, "POST", url_of(server, "/echo", url), NULL, 0,
                                  tt_str_of(body, len), &reply, &err),
                  &err);
        assert_int_equal(reply.status, 200);
        assert_int_equal(reply.body.len,
                         len < 1 << 20 ? len : 1 << 20); /* over max_answer it is cut */
    }
    assert_ok(tt_http_request(client, "GET", url, NULL, 0, tt_str_of(NULL, 0), &reply, &err), &err);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, 0);
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
    stop_server(server);
}

static void headers_go_and_retry_after_comes(void **state)
{
    static const struct tt_http_route route = {
        .path = "/busy", .methods = "POST", .max_body = 1024, .handle = reply_with_headers};
    static const struct tt_http_header headers[] = {{"X-Wanted", "this"}, {"X-Empty", ""}};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    struct tt_http_client *client = tt_http_client_new(10 * TT_SECOND, 1 << 20);
    struct tt_http_reply reply;
    char url[128];

    (void)state;
    reply_init(&reply);
    assert_ok(tt_http_request(client, "POST", url_of(server, "/busy", url), headers, 2, TT_STR("x"),
                              &reply, NULL),
              NULL);
    assert_int_equal(reply.status, 503);
    assert_int_equal(reply.retry_after_ms, 7000);
    assert_str(tt_buffer_view(&reply.body), "this");
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
    stop_server(server);
}

static void a_connection_is_made_without_a_request(void **state)
{
    static const struct tt_http_route route = {.path = "/echo", .methods = "GET", .handle = echo};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    struct tt_http_client *client = tt_http_client_new(10 * TT_SECOND, 100);
    struct tt_http_reply reply;
    struct tt_error err = {0};
    char url[128];

    (void)state;
    reply_init(&reply);
    assert_ok(tt_http_connect(client, url_of(server, "", url), &err), &err);
    url_of(server, "/echo", url);
    assert_ok(tt_http_request(client, "GET", url, NULL, 0, TT_STR(""), &reply, &err), &err);
    assert_int_equal(reply.status, 200);
    stop_server(server);
    assert_status(tt_http_connect(client, url, &err), TT_UNAVAILABLE);
    assert_non_null(strstr(err.message, url));
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
}

static void nobody_there_is_unavailable(void **state)
{
    struct tt_http_client *client = tt_http_client_new(10 * TT_SECOND, 1024);
    struct tt_http_reply reply;
    struct tt_error err = {0};
    char url[64];

    (void)state;
    reply_init(&reply);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", tt_test_free_port());
    assert_status(tt_http_request(client, "GET", url, NULL, 0, tt_str_of(NULL, 0), &reply, &err),
                  TT_UNAVAILABLE);
    assert_int_equal(reply.status, 0);
    assert_non_null(strstr(err.message, url));
    assert_status(tt_http_request(client, "GET", "file:///etc/passwd", NULL, 0, tt_str_of(NULL, 0),
                                  &reply, &err),
                  TT_UNAVAILABLE);
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
}

static void a_silent_server_is_a_timeout(void **state)
{
    struct tt_http_exchange *waiting = NULL;
    const struct tt_http_route route = {
        .path = "/", .methods = "GET", .handle = never_answer, .context = &waiting};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    struct tt_http_client *client = tt_http_client_new(100 * TT_MILLISECOND, 1024);
    const struct tt_http_answer answer = {.status = 200};
    struct tt_http_reply reply;
    char url[128];

    (void)state;
    reply_init(&reply);
    assert_status(tt_http_request(client, "GET", url_of(server, "/", url), NULL, 0,
                                  tt_str_of(NULL, 0), &reply, NULL),
                  TT_TIMEOUT);
    tt_http_server_stop(server, test_now());
    assert_non_null(waiting);
    tt_http_answer(waiting, &answer);
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
}

static void loopback_never_goes_through_a_proxy(void **state)
{
    static const struct tt_http_route route = {
        .path = "/echo", .methods = "POST", .max_body = 1024, .handle = echo};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    struct tt_http_reply reply;
    char url[128];

    (void)state;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    struct tt_http_client *client = tt_http_client_new(10 * TT_SECOND, 1024);
    reply_init(&reply);
    assert_ok(tt_http_request(client, "POST", url_of(server, "/echo", url), NULL, 0, TT_STR("x"),
                              &reply, NULL),
              NULL);
    assert_int_equal(reply.status, 200);
    assert_int_equal(unsetenv("http_proxy"), 0);
    tt_buffer_done(&reply.body);
    tt_http_client_free(client);
    stop_server(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_sent_and_the_answer_read),
        cmocka_unit_test(headers_go_and_retry_after_comes),
        cmocka_unit_test(a_connection_is_made_without_a_request),
        cmocka_unit_test(nobody_there_is_unavailable),
        cmocka_unit_test(a_silent_server_is_a_timeout),
        cmocka_unit_test(loopback_never_goes_through_a_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
