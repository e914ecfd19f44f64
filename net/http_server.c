/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTION_MEMORY ((size_t)64 << 10)
#define LOOP_STACK        ((size_t)1 << 20) /* processors and exporters run on it */
#define MAX_LOOPS         256
#define MAX_PEERS         65536
#define RESERVED_FDS      64
#define MIN_TICK          (10 * TT_MILLISECOND)
#define ORPHAN_TIME \
    (500 * TT_MILLISECOND) /* for the last answers of a stop to reach their clients */

/* ---- options ---- */

static const char *copy_text(struct tt_arena *arena, const char *text)
{
    return text == NULL ? NULL : tt_arena_copy(arena, tt_str(text)).data;
}

static const char *const *copy_texts(struct tt_arena *arena, const char *const *items, size_t count)
{
    const char **copies = count == 0 ? NULL : tt_arena_calloc(arena, count, sizeof(*copies));

    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = copy_text(arena, items[i]);
        if (copies[i] == NULL)
            return NULL;
    }
    return copies;
}

static bool copy_cors(struct tt_arena *arena, struct tt_cors *cors)
{
    cors->allowed_origins = copy_texts(arena, cors->allowed_origins, cors->n_allowed_origins);
    cors->allowed_headers = copy_texts(arena, cors->allowed_headers, cors->n_allowed_headers);
    cors->exposed_headers = copy_texts(arena, cors->exposed_headers, cors->n_exposed_headers);
    return (cors->n_allowed_origins == 0 || cors->allowed_origins != NULL) &&
           (cors->n_allowed_headers == 0 || cors->allowed_headers != NULL) &&
           (cors->n_exposed_headers == 0 || cors->exposed_headers != NULL);
}

static bool copy_routes(struct tt_arena *arena, struct tt_http_server_options *options)
{
    struct tt_http_route *routes = tt_arena_calloc(arena, options->n_routes + 1, sizeof(*routes));

    if (routes == NULL)
        return false;
    for (size_t i = 0; i < options->n_routes; i++) {
        routes[i] = options->routes[i];
        routes[i].path = copy_text(arena, routes[i].path);
        routes[i].methods = copy_text(arena, routes[i].methods);
        if (routes[i].path == NULL || routes[i].methods == NULL)
            return false;
    }
    if (options->fallback != NULL) {
        routes[options->n_routes] = *options->fallback;
        options->fallback = &routes[options->n_routes];
    }
    options->routes = routes;
    return true;
}

static bool copy_headers(struct tt_arena *arena, struct tt_http_server_options *options)
{
    struct tt_http_header *headers = NULL;

    if (options->n_response_headers > 0)
        headers = tt_arena_calloc(arena, options->n_response_headers, sizeof(*headers));
    for (size_t i = 0; headers != NULL && i < options->n_response_headers; i++) {
        headers[i].name = copy_text(arena, options->response_headers[i].name);
        headers[i].value = copy_text(arena, options->response_headers[i].value);
        if (headers[i].name == NULL || headers[i].value == NULL)
            return false;
    }
    options->response_headers = headers;
    return headers != NULL || options->n_response_headers == 0;
}

static tt_dur or_default(tt_dur given, tt_dur fallback)
{
    return given > 0 ? given : fallback;
}

/* Some descriptors stay free for files and peers of our own. */
static unsigned bounded_by_descriptors(unsigned wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    rlim_t usable =
        limit.rlim_cur > 2 * RESERVED_FDS ? limit.rlim_cur - RESERVED_FDS : limit.rlim_cur / 2;
    return usable < wanted ? (unsigned)usable : wanted;
}

static bool take_options(struct tt_http_server *server, const struct tt_http_server_options *given)
{
    struct tt_http_server_options *options = &server->options;
    struct tt_arena *arena = &server->arena;

    *options = *given;
    server->log = given->log != NULL ? *given->log : (struct tt_log){0};
    options->endpoint = copy_text(arena, given->endpoint);
    options->foreign_advice = copy_text(arena, given->foreign_advice);
    options->max_connections =
        bounded_by_descriptors(given->max_connections > 0 ? given->max_connections : 1024);
    options->max_header_bytes =
        given->max_header_bytes > 0 ? given->max_header_bytes : (size_t)32 << 10;
    options->header_timeout = or_default(given->header_timeout, 5 * TT_SECOND);
    options->body_timeout = or_default(given->body_timeout, 30 * TT_SECOND);
    options->idle_timeout = or_default(given->idle_timeout, 60 * TT_SECOND);
    options->write_timeout = or_default(given->write_timeout, 30 * TT_SECOND);
    for (size_t i = 0; i < given->n_routes; i++) {
        if (given->routes[i].max_body > server->discard_limit)
            server->discard_limit = given->routes[i].max_body;
    }
    return options->endpoint != NULL && copy_routes(arena, options) &&
           copy_headers(arena, options) && copy_cors(arena, &options->cors);
}

/* A quarter of the shortest deadline, so that none is late by more. */
static tt_dur tick_of(const struct tt_http_server_options *options)
{
    const tt_dur times[] = {options->header_timeout, options->body_timeout, options->idle_timeout,
                            options->write_timeout};
    tt_dur tick = 4 * TT_SECOND;

    for (size_t i = 0; i < TT_LENGTH(times); i++)
        tick = times[i] < tick ? times[i] : tick;
    tick /= 4;
    return tick < MIN_TICK ? MIN_TICK : tick;
}

/* ---- life ---- */

void server_ref(struct tt_http_server *server)
{
    (void)atomic_fetch_add_explicit(&server->references, 1, memory_order_relaxed);
}

void server_unref(struct tt_http_server *server)
{
    if (atomic_fetch_sub_explicit(&server->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < server->n_loops; i++)
        (void)pthread_mutex_destroy(&server->loops[i].mu);
    (void)pthread_mutex_destroy(&server->mu);
    (void)pthread_cond_destroy(&server->idle);
    tt_arena_done(&server->arena);
    tt_free(server->peek);
    tt_free(server->loops);
    tt_free(server);
}

/* Paths are compared as they came and decoded by us: libmicrohttpd would cut them at an escaped NUL. */
static size_t keep_escapes(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct loop *loop)
{
    struct tt_http_server *server = loop->server;
    unsigned flags = (unsigned)MHD_USE_EPOLL_INTERNAL_THREAD | (unsigned)MHD_USE_NO_LISTEN_SOCKET |
                     (unsigned)MHD_USE_ITC | (unsigned)MHD_ALLOW_SUSPEND_RESUME |
                     (unsigned)MHD_USE_TURBO;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_step, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
        2 * server->options.max_connections + MAX_LOOPS, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
        MHD_OPTION_THREAD_STACK_SIZE, LOOP_STACK, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        connection_notify, loop, MHD_OPTION_URI_LOG_CALLBACK, exchange_url_seen, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
}

/* Signals are for the main thread: the loops inherit a full mask. */
static enum tt_status start_loops(struct tt_http_server *server, struct tt_error *err)
{
    enum tt_status status = TT_OK;
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < server->n_loops && status == TT_OK; i++) {
        struct loop *loop = &server->loops[i];
        loop->daemon = start_daemon(loop);
        if (loop->daemon == NULL)
            status =
                tt_fail(err, TT_INTERNAL, "start an event loop for %s", server->options.endpoint);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static bool make_loops(struct tt_http_server *server, unsigned wanted)
{
    unsigned count = wanted > 0 ? wanted : tt_cpu_count();
    bool complete = true;

    count = count > MAX_LOOPS ? MAX_LOOPS : count;
    server->loops = tt_calloc(count, sizeof(*server->loops));
    if (server->loops == NULL)
        return false;
    server->n_loops = count;
    for (unsigned i = 0; i < count; i++) {
        struct loop *loop = &server->loops[i];
        loop->server = server;
        (void)pthread_mutex_init(&loop->mu, NULL);
        loop->bodies = body_pool_new();
        complete &= loop->bodies != NULL;
    }
    return complete;
}

static enum tt_status make_epoll(struct tt_http_server *server, struct tt_error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->wake};

    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake = (struct guest){.kind = GUEST_WAKE, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (server->epoll_fd < 0 || server->wake.fd < 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->wake.fd, &event) != 0)
        return tt_fail_errno(err, "listen on %s", server->options.endpoint);
    return TT_OK;
}

/* Allocates, no threads and no sockets. */
static struct tt_http_server *server_new(const struct tt_http_server_options *options)
{
    struct tt_http_server *server = tt_calloc(1, sizeof(*server));

    if (server == NULL)
        return NULL;
    server->references = 1;
    server->epoll_fd = -1;
    server->wake.fd = -1;
    tt_arena_init(&server->arena, 0, 0);
    tt_map_init(&server->peers, MAX_PEERS);
    (void)pthread_mutex_init(&server->mu, NULL);
    tt_cond_init(&server->idle);
    if (!take_options(server, options) || !make_loops(server, options->threads))
        return server;
    server->tick = tick_of(&server->options);
    server->peek = tt_malloc(server->options.max_header_bytes);
    return server;
}

enum tt_status tt_http_server_start(const struct tt_http_server_options *options,
                                    struct tt_http_server **ret_server, struct tt_error *err)
{
    struct tt_http_server *server = server_new(options);

    if (server == NULL)
        return tt_fail(err, TT_NO_MEMORY, "listen on %s: out of memory", options->endpoint);
    enum tt_status status = TT_OK;
    if (server->peek == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "listen on %s: out of memory", options->endpoint);
    if (status == TT_OK)
        status = make_epoll(server, err);
    if (status == TT_OK)
        status = listen_open(server, err);
    if (status == TT_OK)
        status = start_loops(server, err);
    if (status == TT_OK)
        status = tt_thread_start(&server->acceptor, "http-accept", acceptor_run, server, err);
    if (status != TT_OK) {
        tt_http_server_stop(server, 0);
        return status;
    }
    *ret_server = server;
    return TT_OK;
}

uint16_t tt_http_server_port(const struct tt_http_server *server)
{
    return server->port;
}

void tt_http_server_quiesce(struct tt_http_server *server)
{
    atomic_store_explicit(&server->draining, true, memory_order_release);
    acceptor_wake(server);
}

/* ---- stop ---- */

static unsigned exchanges_in_flight(const struct tt_http_server *server)
{
    unsigned count = 0;

    for (unsigned i = 0; i < server->n_loops; i++)
        count += atomic_load_explicit(&server->loops[i].n_exchanges, memory_order_acquire);
    return count;
}

static void wait_until_idle(struct tt_http_server *server, tt_dur deadline)
{
    (void)pthread_mutex_lock(&server->mu);
    while (exchanges_in_flight(server) > 0 &&
           tt_cond_wait_until(&server->idle, &server->mu, deadline))
        ;
    (void)pthread_mutex_unlock(&server->mu);
}

/* Answers for handlers that have not: libmicrohttpd must not be stopped while a connection is suspended. */
static void orphan_all(struct tt_http_server *server)
{
    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = &server->loops[i];
        (void)pthread_mutex_lock(&loop->mu);
        loop->stopping = true;
        for (struct connection *c = loop->connections; c != NULL; c = c->next) {
            if (c->exchange != NULL)
                exchange_orphan(c->exchange);
        }
        (void)pthread_mutex_unlock(&loop->mu);
    }
}

static void stop_loops(struct tt_http_server *server)
{
    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = &server->loops[i];
        if (loop->daemon != NULL)
            MHD_stop_daemon(loop->daemon);
        body_pool_unref(loop->bodies);
    }
}

static void stop_acceptor(struct tt_http_server *server)
{
    atomic_store_explicit(&server->stopping, true, memory_order_release);
    if (server->wake.fd >= 0)
        acceptor_wake(server);
    tt_thread_join(&server->acceptor);
}

void tt_http_server_stop(struct tt_http_server *server, tt_dur deadline)
{
    if (server == NULL)
        return;
    tt_http_server_quiesce(server);
    wait_until_idle(server, deadline);
    orphan_all(server);
    wait_until_idle(server, now() + ORPHAN_TIME);
    stop_acceptor(server);
    stop_loops(server);
    listen_close(server);
    guests_done(server);
    peers_done(server);
    if (server->wake.fd >= 0)
        (void)close(server->wake.fd);
    if (server->epoll_fd >= 0)
        (void)close(server->epoll_fd);
    server_unref(server);
}
