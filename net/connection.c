/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MIN_BODY_RATE  1024 /* bytes a second beyond the body's own time */
#define MIN_EVICT_IDLE TT_SECOND
#define POOL_IDLE_TIME (10 * TT_SECOND)

static const union MHD_ConnectionInfo *info(struct MHD_Connection *mhd,
                                            enum MHD_ConnectionInfoType type)
{
    return MHD_get_connection_info(mhd, type);
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *context = info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return context == NULL ? NULL : context->socket_context;
}

void connection_enter(struct connection *connection, enum phase phase)
{
    atomic_store_explicit(&connection->since, now(), memory_order_relaxed);
    atomic_store_explicit(&connection->phase, phase, memory_order_relaxed);
}

static void link_in(struct connection *connection)
{
    struct loop *loop = connection->loop;

    (void)pthread_mutex_lock(&loop->mu);
    connection->next = loop->connections;
    if (loop->connections != NULL)
        loop->connections->previous = connection;
    loop->connections = connection;
    (void)pthread_mutex_unlock(&loop->mu);
}

static void unlink_from(struct connection *connection)
{
    struct loop *loop = connection->loop;

    (void)pthread_mutex_lock(&loop->mu);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        loop->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    (void)pthread_mutex_unlock(&loop->mu);
}

static bool address_of(struct MHD_Connection *mhd, struct sockaddr_storage *ret_address)
{
    const union MHD_ConnectionInfo *address = info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (address == NULL || address->client_addr == NULL)
        return false;
    memset(ret_address, 0, sizeof(*ret_address));
    memcpy(ret_address, address->client_addr,
           address->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                       : sizeof(struct sockaddr_in));
    return true;
}

static struct connection *open_connection(struct loop *loop, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *fd = info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_storage address;
    struct connection *connection = tt_calloc(1, sizeof(*connection));

    if (connection == NULL || fd == NULL || !address_of(mhd, &address)) {
        tt_free(connection);
        return NULL;
    }
    connection->loop = loop;
    connection->fd = fd->connect_fd;
    peer_text(&address, connection->peer);
    connection_enter(connection, PHASE_IDLE);
    link_in(connection);
    return connection;
}

/* Whether closing now could make the kernel answer data of the peer with a reset, which destroys our last answer. */
static bool peer_may_be_sending(const struct connection *connection)
{
    int unread = 0;

    if (connection->is_cut)
        return false;
    if (connection->drain)
        return true;
    return ioctl(connection->fd, FIONREAD, &unread) == 0 && unread > 0;
}

static void close_connection(struct connection *connection)
{
    struct tt_http_server *server = connection->loop->server;

    unlink_from(connection);
    if (peer_may_be_sending(connection)) {
        /* libmicrohttpd closes its descriptor right after this; the connection lives on in the copy. */
        int copy = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
        (void)shutdown(connection->fd, SHUT_WR);
        if (copy >= 0)
            drain_later(server, copy);
    }
    tt_free(connection);
}

void connection_notify(void *context_of_loop, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code)
{
    struct loop *loop = context_of_loop;
    struct sockaddr_storage address;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(loop, mhd);
        return;
    }
    if (*context != NULL)
        close_connection(*context);
    *context = NULL;
    if (address_of(mhd, &address))
        peer_leave(loop->server, &address);
    (void)atomic_fetch_sub_explicit(&loop->n_connections, 1, memory_order_relaxed);
}

unsigned connections_count(const struct tt_http_server *server)
{
    unsigned count = 0;

    for (unsigned i = 0; i < server->n_loops; i++)
        count += atomic_load_explicit(&server->loops[i].n_connections, memory_order_relaxed);
    return count;
}

/* ---- deadlines ---- */

static tt_dur deadline_of(const struct connection *connection,
                          const struct tt_http_server_options *options)
{
    tt_dur since = atomic_load_explicit(&connection->since, memory_order_relaxed);
    uint64_t received = atomic_load_explicit(&connection->received, memory_order_relaxed);

    switch ((enum phase)atomic_load_explicit(&connection->phase, memory_order_relaxed)) {
    case PHASE_IDLE:
        return since + options->idle_timeout;
    case PHASE_HEADERS:
        return since + options->header_timeout;
    case PHASE_BODY:
        return since + options->body_timeout + (tt_dur)(received / MIN_BODY_RATE) * TT_SECOND;
    case PHASE_ANSWER:
        return since + options->write_timeout;
    case PHASE_HANDLER: /* the pipeline has deadlines of its own */
    default:
        return INT64_MAX;
    }
}

static void send_timeout(int fd)
{
    char text[PLAIN_ANSWER_SIZE];
    struct tt_str words = answer_format_plain(408, "the request took too long", text, sizeof(text));

    (void)!send(fd, words.data, words.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* libmicrohttpd sees the end of the stream and closes the connection on its own thread. loop->mu is held, so the
 * descriptor is still this connection's. */
static void cut(struct connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int phase = atomic_load_explicit(&connection->phase, memory_order_relaxed);

    if (connection->is_cut)
        return;
    connection->is_cut = true;
    if (phase == PHASE_BODY)
        send_timeout(connection->fd);
    /* What a client does not take would stay in the kernel's memory after the close. */
    if (phase == PHASE_ANSWER)
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)shutdown(connection->fd, SHUT_RDWR);
}

static void sweep_loop(struct loop *loop, tt_dur at)
{
    (void)pthread_mutex_lock(&loop->mu);
    for (struct connection *c = loop->connections; c != NULL; c = c->next) {
        if (deadline_of(c, &loop->server->options) <= at)
            cut(c);
    }
    (void)pthread_mutex_unlock(&loop->mu);
    body_pool_trim(loop->bodies, at - POOL_IDLE_TIME);
}

void connections_sweep(struct tt_http_server *server, tt_dur at)
{
    for (unsigned i = 0; i < server->n_loops; i++)
        sweep_loop(&server->loops[i], at);
}

static tt_dur idle_since(const struct connection *connection)
{
    if (connection->is_cut ||
        atomic_load_explicit(&connection->phase, memory_order_relaxed) != PHASE_IDLE)
        return INT64_MAX;
    return atomic_load_explicit(&connection->since, memory_order_relaxed);
}

bool connections_evict_idle(struct tt_http_server *server, tt_dur at)
{
    struct loop *best_loop = NULL;
    tt_dur best = at - MIN_EVICT_IDLE;

    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = &server->loops[i];
        (void)pthread_mutex_lock(&loop->mu);
        for (const struct connection *c = loop->connections; c != NULL; c = c->next) {
            if (idle_since(c) < best) {
                best = idle_since(c);
                best_loop = loop;
            }
        }
        (void)pthread_mutex_unlock(&loop->mu);
    }
    if (best_loop == NULL)
        return false;
    (void)pthread_mutex_lock(&best_loop->mu);
    for (struct connection *c = best_loop->connections; c != NULL; c = c->next) {
        if (idle_since(c) == best) {
            cut(c);
            break;
        }
    }
    (void)pthread_mutex_unlock(&best_loop->mu);
    return true;
}
