/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_HTTP_TEST_H
#define TT_TESTS_HTTP_TEST_H

/* A server on an ephemeral port of 127.0.0.1, and a client that speaks in raw bytes and waits at most 10 s. */

#include "base/clock.h"
#include "net/http_server.h"
#include "tt_test.h"

#include <poll.h>

#define WAIT_MS 10000

static inline tt_dur test_now(void)
{
    return tt_clock_monotonic(tt_clock_system());
}

static inline struct tt_http_server *start_server(struct tt_http_server_options options)
{
    struct tt_http_server *server = NULL;
    struct tt_error err = {0};

    if (options.endpoint == NULL)
        options.endpoint = "127.0.0.1:0";
    assert_ok(tt_http_server_start(&options, &server, &err), &err);
    assert_true(tt_http_server_port(server) != 0);
    return server;
}

static inline void stop_server(struct tt_http_server *server)
{
    tt_http_server_stop(server, test_now() + 5 * TT_SECOND);
}

static inline int connect_to(const struct tt_http_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(tt_http_server_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)),
                     0);
    return fd;
}

/* Sends all of it; false when the peer has closed. */
static inline bool try_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void send_text(int fd, const char *text)
{
    assert_true(try_send(fd, text, strlen(text)));
}

/* More bytes behind *len; false at the end of the stream. Fails the test when nothing comes in time. */
static inline bool receive_more(int fd, char *bytes, size_t size, size_t *len)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    if (poll(&wait, 1, WAIT_MS) != 1)
        fail_msg("no answer; so far: %.*s", (int)*len, bytes);
    ssize_t n = recv(fd, bytes + *len, size - 1 - *len, 0);
    if (n <= 0)
        return false;
    *len += (size_t)n;
    bytes[*len] = '\0';
    return true;
}

struct reply {
    unsigned status;  /* 0: the stream ended without an answer */
    char text[65536]; /* head and body */
    const char *body;
};

/* Value of a header, copied; "" when absent. */
static inline const char *reply_header(const struct reply *reply, const char *name,
                                       char ret_value[256])
{
    char wanted[128];
    const char *at;

    (void)snprintf(wanted, sizeof(wanted), "\r\n%s:", name);
    at = strcasestr(reply->text, wanted);
    ret_value[0] = '\0';
    if (at == NULL || (reply->body != NULL && at > reply->body))
        return ret_value;
    at += strlen(wanted);
    while (*at == ' ')
        at++;
    (void)snprintf(ret_value, 256, "%.*s", (int)strcspn(at, "\r"), at);
    return ret_value;
}

static inline void read_reply_of(int fd, struct reply *reply, bool has_body)
{
    size_t len = 0;
    char value[256];

    reply->status = 0;
    reply->body = NULL;
    reply->text[0] = '\0';
    for (;;) {
        char *end = strstr(reply->text, "\r\n\r\n");
        if (end != NULL) {
            reply->body = end + 4;
            size_t body =
                has_body ? strtoul(reply_header(reply, "Content-Length", value), NULL, 10) : 0;
            if (len >= (size_t)(reply->body - reply->text) + body)
                break;
        }
        if (!receive_more(fd, reply->text, sizeof(reply->text), &len))
            return;
    }
    assert_memory_equal(reply->text, "HTTP/1.1 ", 9);
    reply->status = (unsigned)strtoul(reply->text + 9, NULL, 10);
}

static inline void read_reply(int fd, struct reply *reply)
{
    read_reply_of(fd, reply, true);
}

/* Reads until the peer closes; what comes is discarded. */
static inline void await_close(int fd)
{
    char bytes[4096];
    size_t len = 0;

    while (receive_more(fd, bytes, sizeof(bytes), &len))
        len = 0;
}

/* One request on a connection of its own. */
static inline void ask(const struct tt_http_server *server, const char *request,
                       struct reply *reply)
{
    int fd = connect_to(server);

    send_text(fd, request);
    read_reply(fd, reply);
    close(fd);
}

static inline void post_header(char *text, size_t size, const char *path, size_t body)
{
    (void)snprintf(text, size, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n",
                   path, body);
}

/* A handler that answers 200 with the body it got. */
static inline void echo(void *context, struct tt_http_exchange *exchange)
{
    const struct tt_http_answer answer = {
        .status = 200, .content_type = "text/plain", .body = tt_http_body(exchange)};

    (void)context;
    tt_http_answer(exchange, &answer);
}

static inline struct tt_http_server *start_route(const struct tt_http_route *route)
{
    return start_server(
        (struct tt_http_server_options){.threads = 2, .routes = route, .n_routes = 1});
}

#endif
