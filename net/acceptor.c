/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS   64
#define ACCEPT_SLICE 64 /* connections taken before others have their turn */
#define ACCEPT_PAUSE (100 * TT_MILLISECOND)
#define FULL_TIME    TT_SECOND
#define QUIET_AFTER  (15 * TT_SECOND)

/* ---- handing a connection on ---- */

/* The loop with the fewest connections; of equal ones the next in turn. */
static struct loop *next_loop(struct tt_http_server *server)
{
    struct loop *best = &server->loops[0];
    unsigned fewest = UINT32_MAX;

    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = &server->loops[(server->next_loop + i) % server->n_loops];
        unsigned count = atomic_load_explicit(&loop->n_connections, memory_order_relaxed);
        if (count < fewest) {
            fewest = count;
            best = loop;
        }
    }
    server->next_loop = (unsigned)(best - server->loops) + 1;
    return best;
}

static void deal(struct tt_http_server *server, struct guest *guest)
{
    struct loop *loop = next_loop(server);
    int fd = guest->fd;

    if (guest->in_epoll)
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    (void)atomic_fetch_add_explicit(&loop->n_connections, 1, memory_order_relaxed);
    /* libmicrohttpd owns the descriptor from here on, also when it refuses; the loop counts the peer's address. */
    if (MHD_add_connection(loop->daemon, fd, (const struct sockaddr *)&guest->address,
                           guest->address_len) == MHD_YES)
        guest->is_counted = false;
    else
        (void)atomic_fetch_sub_explicit(&loop->n_connections, 1, memory_order_relaxed);
    guest->fd = -1;
    guest_close(server, guest);
}

/* ---- looking at the first bytes ---- */

static void tell_foreign(struct tt_http_server *server, const struct guest *guest,
                         const char *protocol)
{
    char peer[PEER_TEXT_SIZE];

    peer_text(&guest->address, peer);
    if (server->options.foreign != NULL)
        server->options.foreign(server->options.foreign_context, tt_str(peer), protocol);
}

/* SETTINGS (empty), then GOAWAY: last stream 0, HTTP_1_1_REQUIRED, the advice as debug data (RFC 9113 6.5, 6.8). */
static void dismiss_http2(struct tt_http_server *server, struct guest *guest)
{
    static const uint8_t frames[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7,
                                     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13};
    struct tt_str advice = tt_str(server->options.foreign_advice);
    char words[sizeof(frames) + 255];

    tell_foreign(server, guest, "HTTP/2");
    if (advice.len > sizeof(words) - sizeof(frames) - 8)
        advice.len = sizeof(words) - sizeof(frames) - 8;
    memcpy(words, frames, sizeof(frames));
    words[11] = (char)(8 + advice.len);
    if (advice.len > 0)
        memcpy(words + sizeof(frames), advice.data, advice.len);
    guest_dismiss(server, guest, tt_str_of(words, sizeof(frames) + advice.len));
}

/* A fatal alert, protocol_version (RFC 8446 6.2), so that the client can say more than "connection closed". */
static void dismiss_tls(struct tt_http_server *server, struct guest *guest)
{
    static const char alert[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46};

    tell_foreign(server, guest, "TLS");
    guest_dismiss(server, guest, tt_str_of(alert, sizeof(alert)));
}

static void dismiss(struct tt_http_server *server, struct guest *guest, unsigned status,
                    const char *reason)
{
    char text[PLAIN_ANSWER_SIZE];

    guest_dismiss(server, guest, answer_format_plain(status, reason, text, sizeof(text)));
}

static void look(struct tt_http_server *server, struct guest *guest)
{
    size_t max = server->options.max_header_bytes;
    ssize_t n = recv(guest->fd, server->peek, max, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        guest_close(server, guest);
        return;
    }
    struct gate_verdict verdict = gate_scan(tt_str_of(server->peek, (size_t)n), max);
    switch (verdict.action) {
    case GATE_MORE:
        return;
    case GATE_OK:
        deal(server, guest);
        return;
    case GATE_HTTP2:
        dismiss_http2(server, guest);
        return;
    case GATE_TLS:
        dismiss_tls(server, guest);
        return;
    case GATE_REFUSE:
    default:
        dismiss(server, guest, verdict.status, verdict.reason);
        return;
    }
}

/* ---- accepting ---- */

static void watch_listeners(struct tt_http_server *server, bool on)
{
    for (unsigned i = 0; i < server->n_listeners; i++) {
        struct guest *listener = &server->listeners[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
        (void)epoll_ctl(server->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener->fd, &event);
    }
    server->listening = on;
}

static void pause_accepting(struct tt_http_server *server, int code)
{
    tt_log_warn(&server->log, "cannot accept connections; trying again in 100 ms",
                TT_FIELD_TEXT("endpoint", server->options.endpoint),
                TT_FIELD_TEXT("error", strerrordesc_np(code)));
    watch_listeners(server, false);
    server->paused_until = now() + ACCEPT_PAUSE;
}

/* Those that have not shown a whole header give way first, the oldest of them; then who idles longest. */
static bool make_room(struct tt_http_server *server)
{
    if (server->news.count + connections_count(server) < server->options.max_connections)
        return true;
    if (server->news.first != NULL) {
        guest_close(server, server->news.first);
        return true;
    }
    return connections_evict_idle(server, now());
}

/* It will be told 503 when its request comes: an answer before the request is lost on some clients. */
static void take_full(struct tt_http_server *server, int fd)
{
    struct guest *guest = guest_new(server, GUEST_FULL, fd, now() + FULL_TIME);
    if (guest != NULL && !guest_watch(server, guest))
        guest_close(server, guest);
}

static void take(struct tt_http_server *server, int fd, const struct sockaddr_storage *address,
                 socklen_t len)
{
    if (!make_room(server) || !peer_enter(server, address)) {
        take_full(server, fd);
        return;
    }
    struct guest *guest = guest_new(server, GUEST_NEW, fd, now() + server->options.header_timeout);
    if (guest == NULL) {
        peer_leave(server, address);
        return;
    }
    guest->is_counted = true;
    guest->address = *address;
    guest->address_len = len;
    look(server, guest);
    if (guest->kind == GUEST_NEW && !guest_watch(server, guest))
        guest_close(server, guest);
}

static bool is_shortage(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static void accept_some(struct tt_http_server *server, int listener)
{
    for (int i = 0; i < ACCEPT_SLICE; i++) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof(address);
        int fd = accept4(listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            take(server, fd, &address, len);
            continue;
        }
        if (is_shortage(errno))
            pause_accepting(server, errno);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* ---- the thread ---- */

static void handle(struct tt_http_server *server, struct guest *guest)
{
    uint64_t count;

    switch (guest->kind) {
    case GUEST_LISTENER:
        if (server->listening)
            accept_some(server, guest->fd);
        return;
    case GUEST_WAKE:
        (void)!read(guest->fd, &count, sizeof(count));
        return;
    case GUEST_NEW:
        look(server, guest);
        return;
    case GUEST_FULL:
        dismiss(server, guest, 503, "too many connections");
        return;
    case GUEST_LEAVING:
        guest_drain(server, guest);
        return;
    case GUEST_GONE: /* closed by an event before this one */
    default:
        return;
    }
}

/* Accepting begins again when its pause is over, and ends for good when the server drains. */
static void mind_listeners(struct tt_http_server *server, tt_dur at)
{
    if (atomic_load_explicit(&server->draining, memory_order_acquire)) {
        if (server->listening)
            watch_listeners(server, false);
        listen_close(server);
        server->paused_until = 0;
    } else if (!server->listening && server->paused_until <= at) {
        server->paused_until = 0;
        watch_listeners(server, true);
    }
}

/* Connections are looked at once a tick while there are some, and for a while after, so that idle memory is given back. */
static tt_dur mind_connections(struct tt_http_server *server, tt_dur at)
{
    if (connections_count(server) > 0)
        server->quiet_from = at + QUIET_AFTER;
    if (at >= server->quiet_from)
        return INT64_MAX;
    if (at >= server->next_tick) {
        connections_sweep(server, at);
        server->next_tick = at + server->tick;
    }
    return server->next_tick;
}

/* How long to wait for events, in milliseconds; -1: until one comes. */
static int wait_time(struct tt_http_server *server)
{
    tt_dur at = now();
    tt_dur next = guests_sweep(server, at);
    tt_dur tick = mind_connections(server, at);

    mind_listeners(server, at);
    if (tick < next)
        next = tick;
    if (server->paused_until != 0 && server->paused_until < next)
        next = server->paused_until;
    if (next == INT64_MAX)
        return -1;
    return next <= at ? 0 : (int)((next - at) / TT_MILLISECOND) + 1;
}

void acceptor_run(void *context)
{
    struct tt_http_server *server = context;
    struct epoll_event events[MAX_EVENTS];

    while (!atomic_load_explicit(&server->stopping, memory_order_acquire)) {
        int timeout = wait_time(server);
        guests_bury(server);
        int n = epoll_wait(server->epoll_fd, events, MAX_EVENTS, timeout);
        for (int i = 0; i < n; i++)
            handle(server, events[i].data.ptr);
    }
}

void acceptor_wake(struct tt_http_server *server)
{
    uint64_t one = 1;

    (void)!write(server->wake.fd, &one, sizeof(one));
}
