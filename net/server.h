/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_SERVER_H
#define TT_NET_SERVER_H

/*
 * Inside of the HTTP server: what its files share.
 *
 * A connection's life: accepted and looked at by the acceptor (guest), dealt to a loop (connection), closed by libmicrohttpd,
 * and, when its peer may still be sending, drained by the acceptor (guest again).
 *
 * Threads and locks: server->mu (guests that leave, counts per peer) and loop->mu (that loop's connections) are never held
 * together, nor while a handler runs. loop->mu is taken before libmicrohttpd's own lock, never the other way round.
 */

#include "base/arena.h"
#include "base/map.h"
#include "base/thread.h"
#include "net/body_pool.h"
#include "net/gate.h"
#include "net/http_server.h"

#include <microhttpd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#define PEER_TEXT_SIZE 64 /* "[" IPv6 "]:65535" */
#define MAX_LISTENERS  2  /* localhost is 127.0.0.1 and ::1 */

enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_HANDLER, PHASE_ANSWER };

/* ---- loops and their connections ---- */

struct loop {
    struct tt_http_server *server;
    struct MHD_Daemon *daemon;
    struct body_pool *bodies;
    pthread_mutex_t mu;
    struct connection *connections; /* guarded by mu */
    bool stopping;                  /* guarded by mu: nothing may be suspended any more */
    _Atomic unsigned n_connections; /* dealt and not yet closed */
    _Atomic unsigned n_exchanges;   /* requests in flight */
};

struct connection {
    struct loop *loop;
    struct connection *previous, *next; /* guarded by loop->mu */
    struct tt_http_exchange *exchange;  /* guarded by loop->mu; set by the loop's thread only */
    int fd;
    bool drain;  /* the peer may still be sending when we close; the loop's thread only */
    bool is_cut; /* the sweep ended it; guarded by loop->mu */
    _Atomic int phase;
    _Atomic int64_t since;     /* monotonic: begin of the phase */
    _Atomic uint64_t received; /* body bytes of this request */
    char peer[PEER_TEXT_SIZE];
};

/* ---- the exchange ---- */

enum turn { TURN_RUNNING, TURN_SUSPENDED, TURN_ANSWERED, TURN_ORPHANED };

struct tt_http_exchange {
    _Atomic int references; /* libmicrohttpd's side, and the handler's while it owes an answer */
    _Atomic int turn;       /* enum turn; changed under loop->mu */
    struct MHD_Connection *mhd;
    struct connection *connection; /* the loop's thread only */
    struct loop *loop;
    struct tt_http_server *server;
    const struct tt_http_route *route; /* NULL: no such path */
    void (*done)(void *context, struct tt_http_exchange *exchange);
    void *context;
    void *state;
    struct tt_str method, path;
    char *decoded_path; /* only when the path has escapes */
    struct tt_buffer scratch;
    char *origin; /* an allowed one, for the CORS headers; else NULL */
    struct gate_facts facts;
    bool admitted; /* done() is owed */
    bool decided;  /* the answer is there before the body: what comes is discarded */
    bool handled;  /* handle() was called */
    struct body *body;
    uint64_t discarded;
    struct MHD_Response
        *response; /* what will be queued; set by who changes turn to ANSWERED or ORPHANED */
    unsigned status;
};

/* ---- guests of the acceptor ---- */

enum guest_kind { GUEST_LISTENER, GUEST_WAKE, GUEST_NEW, GUEST_FULL, GUEST_LEAVING, GUEST_GONE };

struct guest {
    enum guest_kind kind;
    bool in_epoll, is_counted; /* counted: by its peer's address */
    int fd;
    struct guest *previous, *next; /* its list, oldest first */
    tt_dur deadline;
    struct sockaddr_storage address;
    socklen_t address_len;
};

struct guest_list {
    struct guest *first, *last;
    unsigned count;
};

struct tt_http_server {
    _Atomic unsigned references; /* the owner's, and one a suspended exchange */
    struct tt_arena arena;       /* of the options' copies */
    struct tt_http_server_options options;
    struct tt_log log;
    size_t discard_limit; /* the largest body any route takes */
    unsigned n_loops;
    struct loop *loops;
    struct guest listeners[MAX_LISTENERS];
    unsigned n_listeners;
    struct guest wake;
    uint16_t port;
    int epoll_fd;
    struct tt_thread acceptor;
    char *peek;  /* max_header_bytes */
    tt_dur tick; /* how often the deadlines of connections are looked at */
    tt_dur next_tick;
    unsigned next_loop;
    tt_dur paused_until;     /* accepting stops while descriptors are short; 0: it goes on */
    bool listening;          /* the listeners are in the epoll set */
    struct guest_list news;  /* GUEST_NEW: header not whole yet; the acceptor's own */
    struct guest_list fulls; /* GUEST_FULL: to be told 503 at their first bytes */
    struct guest_list gone;  /* GUEST_GONE: freed when no event in hand can name them any more */
    tt_dur quiet_from;       /* until then deadlines and idle memory are looked at */
    pthread_mutex_t mu;
    struct guest_list leaving; /* guarded by mu */
    struct tt_map peers;       /* guarded by mu: connections of each address */
    pthread_cond_t idle;       /* with mu: a loop's n_exchanges reached 0 while draining */
    _Atomic bool draining;     /* no new connections; answers close theirs */
    _Atomic bool stopping;     /* the acceptor ends */
};

static inline tt_dur now(void)
{
    return tt_clock_monotonic(tt_clock_system());
}

/* ---- http_server.c ---- */

void server_ref(struct tt_http_server *server);
void server_unref(struct tt_http_server *server);

/* ---- listen.c ---- */

/* Fills listeners, n_listeners and port. On failure nothing is left open. */
enum tt_status listen_open(struct tt_http_server *server, struct tt_error *err) TT_CHECKED;
void listen_close(struct tt_http_server *server);
/* "127.0.0.1:51324", "[::1]:51324". */
void peer_text(const struct sockaddr_storage *address, char ret_text[PEER_TEXT_SIZE]);

/* ---- peers.c: connections of each address ---- */

/* Counts one more; false when the address is at its limit. Any thread. */
bool peer_enter(struct tt_http_server *server, const struct sockaddr_storage *address);
void peer_leave(struct tt_http_server *server, const struct sockaddr_storage *address);
void peers_done(struct tt_http_server *server);

/* ---- acceptor.c, guests.c: the acceptor's thread ---- */

void acceptor_run(void *server);
/* Any thread. */
void acceptor_wake(struct tt_http_server *server);

/* A guest with room in its kind's list, not in the epoll set yet; NULL (and fd closed) when memory is gone. */
struct guest *guest_new(struct tt_http_server *server, enum guest_kind kind, int fd,
                        tt_dur deadline);
/* Watches it: at each arrival of bytes (edges). False when the kernel refuses. */
bool guest_watch(struct tt_http_server *server, struct guest *guest);
/* Closes its descriptor (unless that is -1) and forgets it; the memory goes with guests_bury(). */
void guest_close(struct tt_http_server *server, struct guest *guest);
void guests_bury(struct tt_http_server *server);
/* Sends last words, half-closes and drains. */
void guest_dismiss(struct tt_http_server *server, struct guest *guest, struct tt_str last_words);
/* Reads what came and forgets it; closes at the end of the stream. */
void guest_drain(struct tt_http_server *server, struct guest *guest);
/* Takes a descriptor whose peer may still be sending. Any thread. */
void drain_later(struct tt_http_server *server, int fd);
/* Ends what has passed its deadline. Returns the next deadline; INT64_MAX: none. */
tt_dur guests_sweep(struct tt_http_server *server, tt_dur at);
/* At the end: the acceptor's thread is gone. */
void guests_done(struct tt_http_server *server);

/* ---- connection.c: what libmicrohttpd holds ---- */

void connection_notify(void *loop, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code);
struct connection *connection_of(struct MHD_Connection *mhd);
void connection_enter(struct connection *connection, enum phase phase);
/* Ends connections that have passed the deadline of their phase; gives idle memory back. Any thread. */
void connections_sweep(struct tt_http_server *server, tt_dur at);
/* Ends the connection that has been idle longest, if any has been for a second; true when there was one. */
bool connections_evict_idle(struct tt_http_server *server, tt_dur at);
unsigned connections_count(const struct tt_http_server *server);

/* ---- exchange.c: an exchange's life and answer ---- */

/* NULL when memory is gone. */
struct tt_http_exchange *exchange_new(struct connection *connection, struct MHD_Connection *mhd,
                                      const char *method);
void exchange_unref(struct tt_http_exchange *exchange);
void exchange_completed(void *server, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code);
void *exchange_url_seen(void *server, const char *uri, struct MHD_Connection *mhd);
/* Makes the answer now, to be given when the rest of the body has been discarded. */
void exchange_decide(struct tt_http_exchange *exchange, const struct tt_http_answer *answer);
void exchange_refuse(struct tt_http_exchange *exchange, unsigned status, const char *reason);
/* Gives libmicrohttpd the answer that was decided or has come from the handler. */
enum MHD_Result exchange_queue(struct tt_http_exchange *exchange);
/* Answers and ends the connection in the middle of a body: libmicrohttpd takes no answer there. */
enum MHD_Result exchange_break_off(struct tt_http_exchange *exchange, unsigned status,
                                   const char *reason);
/* The handler returned: without an answer the connection waits for it, no thread does. False: the answer is there. */
bool exchange_suspend(struct tt_http_exchange *exchange);
/* Answers for a handler that has not by the end; loop->mu is held. */
void exchange_orphan(struct tt_http_exchange *exchange);

/* ---- request.c: what libmicrohttpd calls, on the loop's thread ---- */

enum MHD_Result exchange_step(void *server, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context);

/* ---- answer.c ---- */

/* The answer as libmicrohttpd wants it, with our standard headers; NULL when memory is gone. */
struct MHD_Response *answer_build(struct tt_http_exchange *exchange,
                                  const struct tt_http_answer *answer);
/* The same as text, written straight to the socket of a connection that will be closed. */
void answer_send_raw(struct tt_http_exchange *exchange, const struct tt_http_answer *answer);
/* A whole answer without an exchange (the request was not understood, or not read), with Connection: close. */
struct tt_str answer_format_plain(unsigned status, const char *reason, char *text, size_t size);
#define PLAIN_ANSWER_SIZE 512
/* Fills *answer with a refusal in plain text and lets the route's owner shape it. */
void answer_refuse(struct tt_http_exchange *exchange, unsigned status, const char *reason,
                   struct tt_http_answer *answer);

#endif
