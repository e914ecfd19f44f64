/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines, connection limits and descriptors that run out. Times decide only that something happens at all. */
#include "http_test.h"

#include <sys/resource.h>

#define SHORT (100 * TT_MILLISECOND)
#define LONG  (60 * TT_SECOND)

static struct reply reply;

static const struct tt_http_route echo_route = {
    .path = "/echo", .methods = "POST", .max_body = 1 << 20, .handle = echo};
#define GOOD "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"

static struct tt_http_server_options base(void)
{
    return (struct tt_http_server_options){.threads = 1,
                                           .routes = &echo_route,
                                           .n_routes = 1,
                                           .header_timeout = LONG,
                                           .body_timeout = LONG,
                                           .idle_timeout = LONG,
                                           .write_timeout = LONG};
}

static void expect_good(struct tt_http_server *server)
{
    ask(server, GOOD, &reply);
    assert_int_equal(reply.status, 200);
}

/* ---- deadlines ---- */

static void a_silent_connection_is_closed(void **state)
{
    struct tt_http_server_options options = base();

    (void)state;
    options.header_timeout = SHORT;
    struct tt_http_server *server = start_server(options);
    int silent = connect_to(server), slow = connect_to(server);
    send_text(slow, "POST /echo HT");
    await_close(silent);
    await_close(slow);
    close(silent);
    close(slow);
    expect_good(server);
    stop_server(server);
}

static void headers_of_a_later_request_have_a_deadline_too(void **state)
{
    struct tt_http_server_options options = base();

    (void)state;
    options.header_timeout = SHORT;
    struct tt_http_server *server = start_server(options);
    int fd = connect_to(server);
    send_text(fd, GOOD);
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nX: ");
    await_close(fd);
    close(fd);
    expect_good(server);
    stop_server(server);
}

static void a_slow_body_is_told_and_closed(void **state)
{
    struct tt_http_server_options options = base();

    (void)state;
    options.body_timeout = SHORT;
    struct tt_http_server *server = start_server(options);
    int fd = connect_to(server);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabc");
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 408);
    await_close(fd);
    close(fd);
    expect_good(server);
    stop_server(server);
}

static void an_idle_connection_is_closed(void **state)
{
    struct tt_http_server_options options = base();

    (void)state;
    options.idle_timeout = SHORT;
    struct tt_http_server *server = start_server(options);
    int fd = connect_to(server);
    send_text(fd, GOOD);
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    await_close(fd);
    close(fd);
    expect_good(server);
    stop_server(server);
}

static void large_answer(void *context, struct tt_http_exchange *exchange)
{
    static char bytes[16 << 20];
    const struct tt_http_answer answer = {.status = 200, .body = {bytes, sizeof(bytes)}};

    (void)context;
    tt_http_answer(exchange, &answer);
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
    const struct tt_http_route route = {.path = "/large", .methods = "GET", .handle = large_answer};
    struct tt_http_server_options options = base();
    struct pollfd hang_up;

    (void)state;
    options.routes = &route;
    options.write_timeout = SHORT;
    struct tt_http_server *server = start_server(options);
    int fd = connect_to(server);
    send_text(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    /* Without reading: what is seen is the reset. */
    hang_up = (struct pollfd){.fd = fd, .events = POLLRDHUP};
    assert_int_equal(poll(&hang_up, 1, WAIT_MS), 1);
    close(fd);
    stop_server(server);
}

/* ---- limits ---- */

static void unfinished_connections_give_way_at_the_limit(void **state)
{
    struct tt_http_server_options options = base();
    int fds[20];

    (void)state;
    options.max_connections = 4;
    struct tt_http_server *server = start_server(options);
    for (size_t i = 0; i < TT_LENGTH(fds); i++) {
        fds[i] = connect_to(server);
        send_text(fds[i], "POST /echo HT");
    }
    expect_good(server);
    /* The oldest has gone; it was told nothing. */
    await_close(fds[0]);
    for (size_t i = 0; i < TT_LENGTH(fds); i++)
        close(fds[i]);
    expect_good(server);
    stop_server(server);
}

static void busy_connections_make_others_hear_503(void **state)
{
    struct tt_http_server_options options = base();
    int busy[2];
    char value[256];

    (void)state;
    options.max_connections = 2;
    struct tt_http_server *server = start_server(options);
    for (size_t i = 0; i < 2; i++) {
        busy[i] = connect_to(server);
        send_text(
            busy[i],
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        read_reply_of(busy[i], &reply, false);
        assert_int_equal(reply.status, 100);
    }
    ask(server, GOOD, &reply);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply_header(&reply, "Retry-After", value), "1");
    for (size_t i = 0; i < 2; i++) {
        send_text(busy[i], "ok");
        read_reply(busy[i], &reply);
        assert_int_equal(reply.status, 200);
        close(busy[i]);
    }
    stop_server(server);
}

static void a_connection_idle_for_a_second_gives_way(void **state)
{
    struct tt_http_server_options options = base();

    (void)state;
    options.max_connections = 1;
    struct tt_http_server *server = start_server(options);
    int fd = connect_to(server);
    send_text(fd, GOOD);
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    tt_dur end = test_now() + 10 * TT_SECOND;
    do
        ask(server, GOOD, &reply);
    while (reply.status == 503 && test_now() < end);
    assert_int_equal(reply.status, 200);
    await_close(fd);
    close(fd);
    stop_server(server);
}

/* Connections beyond what the process may open wait in the kernel and are served when descriptors are free again. */
static void accepting_goes_on_when_descriptors_are_back(void **state)
{
    struct tt_http_server *server = start_server(base());
    struct rlimit before, tight;
    int fds[8];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)fds[TT_LENGTH(fds) - 1] + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(tt_http_server_port(server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(
        connect(fds[0], (const struct sockaddr *)(const void *)&address, sizeof(address)), 0);
    send_text(fds[0], GOOD);
    struct pollfd wait = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 300), 0); /* nobody could accept it */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    read_reply(fds[0], &reply);
    assert_int_equal(reply.status, 200);
    for (size_t i = 0; i < TT_LENGTH(fds); i++)
        close(fds[i]);
    stop_server(server);
}

static void clients_that_vanish_midway_leave_nothing(void **state)
{
    struct tt_http_server *server = start_server(base());

    (void)state;
    for (int i = 0; i < 200; i++) {
        static const char *const beginnings[] = {
            "", "PO", "POST /echo HTTP/1.1\r\nHost: a\r\n",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab", GOOD};
        int fd = connect_to(server);
        struct linger abort_on_close = {.l_onoff = 1, .l_linger = 0};
        send_text(fd, beginnings[i % 5]);
        if (i % 2 == 0)
            assert_int_equal(
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close)), 0);
        close(fd);
    }
    expect_good(server);
    stop_server(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_connection_is_closed),
        cmocka_unit_test(headers_of_a_later_request_have_a_deadline_too),
        cmocka_unit_test(a_slow_body_is_told_and_closed),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
        cmocka_unit_test(unfinished_connections_give_way_at_the_limit),
        cmocka_unit_test(busy_connections_make_others_hear_503),
        cmocka_unit_test(a_connection_idle_for_a_second_gives_way),
        cmocka_unit_test(accepting_goes_on_when_descriptors_are_back),
        cmocka_unit_test(clients_that_vanish_midway_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
