/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "http_test.h"

#include <pthread.h>

#define MAX_BODY ((size_t)1 << 20)

static struct reply reply;

static const struct tt_http_route echo_route = {
    .path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = echo};

/* ---- late answers ---- */

struct late {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    struct tt_http_exchange *exchange; /* guarded by mu */
    unsigned done;                     /* guarded by mu */
};

static void keep_for_later(void *context, struct tt_http_exchange *exchange)
{
    struct late *late = context;

    (void)pthread_mutex_lock(&late->mu);
    late->exchange = exchange;
    (void)pthread_cond_broadcast(&late->cond);
    (void)pthread_mutex_unlock(&late->mu);
}

static void count_done(void *context, struct tt_http_exchange *exchange)
{
    struct late *late = context;

    (void)exchange;
    (void)pthread_mutex_lock(&late->mu);
    late->done++;
    (void)pthread_cond_broadcast(&late->cond);
    (void)pthread_mutex_unlock(&late->mu);
}

static struct tt_http_exchange *await_exchange(struct late *late)
{
    (void)pthread_mutex_lock(&late->mu);
    while (late->exchange == NULL)
        assert_true(tt_cond_wait_until(&late->cond, &late->mu, test_now() + 10 * TT_SECOND));
    struct tt_http_exchange *exchange = TT_TAKE(late->exchange);
    (void)pthread_mutex_unlock(&late->mu);
    return exchange;
}

static void await_done(struct late *late, unsigned count)
{
    (void)pthread_mutex_lock(&late->mu);
    while (late->done < count)
        assert_true(tt_cond_wait_until(&late->cond, &late->mu, test_now() + 10 * TT_SECOND));
    (void)pthread_mutex_unlock(&late->mu);
}

static void late_init(struct late *late)
{
    *late = (struct late){.mu = PTHREAD_MUTEX_INITIALIZER};
    tt_cond_init(&late->cond);
}

static struct tt_http_server *start_late(struct late *late)
{
    const struct tt_http_route route = {.path = "/late",
                                        .methods = "POST",
                                        .max_body = MAX_BODY,
                                        .handle = keep_for_later,
                                        .done = count_done,
                                        .context = late};

    late_init(late);
    return start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
}

static const struct tt_http_answer late_answer = {.status = 200, .body = {"late", 4}};

static void an_answer_may_come_later_from_another_thread(void **state)
{
    struct late late;
    struct tt_http_server *server = start_late(&late);
    int fd = connect_to(server);

    (void)state;
    for (unsigned i = 1; i <= 20; i++) {
        send_text(fd, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
        tt_http_answer(await_exchange(&late), &late_answer);
        read_reply(fd, &reply);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, "late");
        await_done(&late, i);
    }
    close(fd);
    stop_server(server);
}

static void a_waiting_connection_holds_no_other_up(void **state)
{
    struct late late;
    struct tt_http_server *server = start_late(&late);
    int first = connect_to(server), second = connect_to(server);

    (void)state;
    send_text(first, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct tt_http_exchange *waiting = await_exchange(&late);
    send_text(second, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    tt_http_answer(await_exchange(&late), &late_answer);
    read_reply(second, &reply);
    assert_int_equal(reply.status, 200);
    tt_http_answer(waiting, &late_answer);
    read_reply(first, &reply);
    assert_int_equal(reply.status, 200);
    close(first);
    close(second);
    stop_server(server);
}

static void an_answer_to_a_client_that_left_is_harmless(void **state)
{
    struct late late;
    struct tt_http_server *server = start_late(&late);
    int fd = connect_to(server);

    (void)state;
    send_text(fd, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct tt_http_exchange *exchange = await_exchange(&late);
    close(fd);
    tt_http_answer(exchange, &late_answer);
    await_done(&late, 1);
    stop_server(server);
}

static void a_stop_answers_for_handlers_that_do_not(void **state)
{
    struct late late;
    struct tt_http_server *server = start_late(&late);
    int fd = connect_to(server);

    (void)state;
    send_text(fd, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct tt_http_exchange *exchange = await_exchange(&late);
    tt_http_server_stop(server, test_now() + 50 * TT_MILLISECOND);
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 503);
    assert_int_equal(late.done, 0);
    tt_http_answer(exchange, &late_answer); /* after the server is gone */
    assert_int_equal(late.done, 1);
    close(fd);
}

/* Longer than a stop waits for answers; a shorter time would only make the test say less. */
static void keep_after_the_stop_began(void *context, struct tt_http_exchange *exchange)
{
    struct late *late = context;

    keep_for_later(late, exchange);
    (void)usleep(800 * 1000);
}

static void a_handler_that_returns_during_the_stop_is_answered_for(void **state)
{
    struct late late;
    const struct tt_http_route route = {.path = "/late",
                                        .methods = "POST",
                                        .handle = keep_after_the_stop_began,
                                        .done = count_done,
                                        .context = &late};

    (void)state;
    late_init(&late);
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 1, .routes = &route, .n_routes = 1});
    int fd = connect_to(server);
    send_text(fd, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct tt_http_exchange *exchange = await_exchange(&late);
    tt_http_server_stop(server, 0);
    tt_http_answer(exchange, &late_answer);
    assert_int_equal(late.done, 1);
    close(fd);
}

static void a_stop_waits_for_answers_until_its_deadline(void **state)
{
    struct late late;
    struct tt_http_server *server = start_late(&late);
    int fd = connect_to(server);

    (void)state;
    send_text(fd, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct tt_http_exchange *exchange = await_exchange(&late);
    tt_http_server_quiesce(server);
    tt_http_answer(exchange, &late_answer);
    tt_http_server_stop(server, test_now() + 10 * TT_SECOND);
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    close(fd);
}

static void answers_close_their_connection_while_draining(void **state)
{
    struct tt_http_server *server = start_route(&echo_route);
    int fd = connect_to(server);
    char value[256];

    (void)state;
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    read_reply(fd, &reply);
    assert_string_equal(reply_header(&reply, "Connection", value), "");
    tt_http_server_quiesce(server);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    read_reply(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Connection", value), "close");
    await_close(fd);
    close(fd);
    stop_server(server);
}

/* ---- other ---- */

struct threads {
    pthread_mutex_t mu;
    pthread_t ids[64]; /* guarded by mu */
    unsigned count;    /* guarded by mu */
};

static void note_thread(void *context, struct tt_http_exchange *exchange)
{
    struct threads *threads = context;

    (void)pthread_mutex_lock(&threads->mu);
    threads->ids[threads->count++] = pthread_self();
    (void)pthread_mutex_unlock(&threads->mu);
    echo(NULL, exchange);
}

static void connections_are_dealt_evenly(void **state)
{
    struct threads threads = {.mu = PTHREAD_MUTEX_INITIALIZER};
    const struct tt_http_route route = {.path = "/echo",
                                        .methods = "POST",
                                        .max_body = MAX_BODY,
                                        .handle = note_thread,
                                        .context = &threads};
    struct tt_http_server *server = start_server(
        (struct tt_http_server_options){.threads = 2, .routes = &route, .n_routes = 1});
    int fds[4];
    unsigned same = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        fds[i] = connect_to(server);
        send_text(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        read_reply(fds[i], &reply);
    }
    assert_int_equal(threads.count, 4);
    for (int i = 0; i < 4; i++)
        same += pthread_equal(threads.ids[0], threads.ids[i]) != 0;
    assert_int_equal(same, 2);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    stop_server(server);
}

static void *lease_kept;
static struct tt_str lease_bytes;

static void keep_lease(void *context, struct tt_http_exchange *exchange)
{
    const struct tt_http_answer answer = {.status = 200};

    (void)context;
    lease_bytes = tt_http_lease_body(exchange, &lease_kept);
    tt_http_answer(exchange, &answer);
}

static void a_leased_body_outlives_the_server(void **state)
{
    static const struct tt_http_route route = {
        .path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = keep_lease};
    struct tt_http_server *server = start_route(&route);

    (void)state;
    ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nlease", &reply);
    stop_server(server);
    assert_str(lease_bytes, "lease");
    tt_http_lease_end(lease_kept);
}

static void take_and_echo(void *context, struct tt_http_exchange *exchange)
{
    size_t len;
    char *bytes = tt_http_take_body(exchange, &len);
    const struct tt_http_answer answer = {.status = 200, .body = tt_str_of(bytes, len)};

    (void)context;
    assert_int_equal(tt_http_body(exchange).len, 0);
    tt_http_answer(exchange, &answer);
    tt_free(bytes);
}

static void a_body_can_be_taken(void **state)
{
    static const struct tt_http_route route = {
        .path = "/echo", .methods = "POST", .max_body = MAX_BODY, .handle = take_and_echo};
    struct tt_http_server *server = start_route(&route);

    (void)state;
    ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\ntaken", &reply);
    assert_string_equal(reply.body, "taken");
    ask(server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &reply);
    assert_string_equal(reply.body, "");
    stop_server(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_may_come_later_from_another_thread),
        cmocka_unit_test(a_waiting_connection_holds_no_other_up),
        cmocka_unit_test(an_answer_to_a_client_that_left_is_harmless),
        cmocka_unit_test(a_stop_answers_for_handlers_that_do_not),
        cmocka_unit_test(a_handler_that_returns_during_the_stop_is_answered_for),
        cmocka_unit_test(a_stop_waits_for_answers_until_its_deadline),
        cmocka_unit_test(answers_close_their_connection_while_draining),
        cmocka_unit_test(connections_are_dealt_evenly),
        cmocka_unit_test(a_leased_body_outlives_the_server),
        cmocka_unit_test(a_body_can_be_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
