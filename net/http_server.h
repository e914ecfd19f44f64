/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_HTTP_SERVER_H
#define TT_NET_HTTP_SERVER_H

/*
 * HTTP/1.1 server over libmicrohttpd, with an acceptor of our own.
 *
 * Purpose:   routes, limits, deadlines, whole bodies, answers that arrive. The only file that includes microhttpd.h is behind this.
 * Design:    DESIGN.md 4.4 and 5: an acceptor thread looks at the first bytes of a connection and deals it to the event loops in
 *            turn; refusals discard the rest of the body up to the limit and are answered on the same connection.
 * Ownership: the server owns its connections; a handler gets an exchange and must answer it exactly once, now or later, from any
 *            thread (the connection is suspended meanwhile, no thread waits).
 * Threads:   handlers run on the event-loop threads, concurrently. An exchange may be answered by any thread.
 * Limits:    connections, header bytes (and 100 headers, 8 KiB of URL), body, and a deadline for each phase of a connection. At the
 *            connection limit those that have not sent a whole header, then those idle longest, give way to new ones; if there are
 *            none, new ones are told 503.
 * Cost:      a connection 64 KiB of address space (touched as used), an exchange one small allocation and its body one of
 *            Content-Length bytes, reused between requests.
 */

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

struct tt_http_server;
struct tt_http_exchange;

struct tt_http_header {
    const char *name;
    const char *value;
};

/* ---- the exchange: one request and its answer ----
 *
 * Views of an exchange may be used in admit, grow, handle and shape. After handle has returned unanswered, only tt_http_state() and
 * tt_http_answer() may be called, and nothing after the answer. */

struct tt_str tt_http_method(const struct tt_http_exchange *exchange);
struct tt_str tt_http_path(
    const struct tt_http_exchange *exchange); /* decoded, without the query */
struct tt_str tt_http_header(const struct tt_http_exchange *exchange,
                             const char *name); /* first value; {NULL,0}: absent */
/* Calls visit for each request header; views live as long as the exchange. */
void tt_http_each_header(const struct tt_http_exchange *exchange,
                         void (*visit)(void *context, struct tt_str name, struct tt_str value),
                         void *context);
struct tt_str tt_http_peer(const struct tt_http_exchange *exchange); /* "127.0.0.1:51324" */
/* The whole body as it came (not decompressed). */
struct tt_str tt_http_body(const struct tt_http_exchange *exchange);
/* Makes the body the caller's (tt_free) and leaves it empty in the exchange. */
char *tt_http_take_body(struct tt_http_exchange *exchange, size_t *ret_len);
/* The same on loan: the bytes stay valid, also after the exchange and the server are gone, until tt_http_lease_end(lease), from any
 * thread; the memory then serves another request. With an empty body *ret_lease is NULL. */
struct tt_str tt_http_lease_body(struct tt_http_exchange *exchange, void **ret_lease);
void tt_http_lease_end(void *lease); /* NULL is a no-op */
/* A pointer of the route's owner, NULL at first; `done` is where to free it. */
void tt_http_set_state(struct tt_http_exchange *exchange, void *state);
void *tt_http_state(const struct tt_http_exchange *exchange);

/* Memory for the texts of a refusal (admit, grow, shape): it lives as long as the exchange. At most 64 KiB. */
struct tt_buffer *tt_http_scratch(struct tt_http_exchange *exchange);

struct tt_http_answer {
    unsigned status;
    const char *content_type;             /* copied; NULL: none */
    struct tt_str body;                   /* copied */
    uint32_t retry_after_s;               /* 0: no Retry-After */
    const struct tt_http_header *headers; /* more headers, copied */
    size_t n_headers;
    bool close; /* end the connection after it */
};
void tt_http_answer(struct tt_http_exchange *exchange, const struct tt_http_answer *answer);

/* ---- routes ---- */

struct tt_http_route {
    const char *path;    /* exact */
    const char *methods; /* "POST", "GET,HEAD": others get 405 with Allow */
    size_t max_body;     /* bytes on the wire; over it: 413. 0: no body is taken */
    /* Before the body is read (after the headers): false refuses, with the answer filled in. size is Content-Length, or 0 when it is
     * not known. What it granted is given back by `done`, which runs once for each admitted exchange, when it has been answered and
     * the answer is sent or lost; on any thread. Texts of a refusal are
     * read after admit has returned: constant, or in tt_http_scratch(). Optional. */
    bool (*admit)(void *context, struct tt_http_exchange *exchange, size_t size,
                  struct tt_http_answer *ret_refusal);
    /* The body grew beyond what was announced (chunked): asks for more in steps. Optional. */
    bool (*grow)(void *context, struct tt_http_exchange *exchange, size_t total,
                 struct tt_http_answer *ret_refusal);
    void (*handle)(void *context, struct tt_http_exchange *exchange);
    void (*done)(void *context, struct tt_http_exchange *exchange);
    /* Lets the owner shape refusals that the server makes itself (404, 405, 413, 400) in the client's encoding. Optional. */
    void (*shape)(void *context, struct tt_http_exchange *exchange, struct tt_http_answer *answer);
    void *context;
};

struct tt_cors {
    const char *const *allowed_origins; /* with * wildcards; none: no CORS */
    size_t n_allowed_origins;
    const char *const *allowed_headers;
    size_t n_allowed_headers;
    int64_t max_age_s;
    const char *const *exposed_headers;
    size_t n_exposed_headers;
};

struct tt_http_server_options {
    const char *endpoint; /* "127.0.0.1:4318", "localhost:0", "[::1]:4318", "0.0.0.0:4318" */
    unsigned threads;     /* event loops; 0: one a core */
    unsigned max_connections,
        max_connections_per_ip; /* 0: 1024, 0: no limit of its own; loopback peers have none */
    size_t max_header_bytes;    /* 0: 32 KiB */
    tt_dur header_timeout, body_timeout, idle_timeout, write_timeout; /* 0: 5 s, 30 s, 60 s, 30 s */
    const struct tt_http_route *routes;                               /* copied */
    size_t n_routes;
    const struct tt_http_route *fallback; /* shapes 404s; may be NULL */
    struct tt_cors cors;
    const struct tt_http_header *response_headers; /* added to every answer */
    size_t n_response_headers;
    /* A connection began with the HTTP/2 preface ("HTTP/2") or a TLS hello ("TLS"): told once a connection, on the acceptor's
     * thread, then it is closed. foreign_advice: sent to HTTP/2 clients as the reason (GOAWAY). Both optional. */
    void (*foreign)(void *context, struct tt_str peer, const char *protocol);
    void *foreign_context;
    const char *foreign_advice;
    const struct tt_log *log;
};

/* Binds and starts to listen. Errors name the endpoint ("listen on 127.0.0.1:4318: address already in use"). */
enum tt_status tt_http_server_start(const struct tt_http_server_options *options,
                                    struct tt_http_server **ret_server, struct tt_error *err)
    TT_CHECKED;
/* The port it listens on (for endpoint ":0"). */
uint16_t tt_http_server_port(const struct tt_http_server *server);
/* Stops accepting; requests that are there are still answered, with Connection: close. */
void tt_http_server_quiesce(struct tt_http_server *server);
/* Waits for requests in flight until the deadline (monotonic), then closes all connections and frees. NULL is a no-op. */
void tt_http_server_stop(struct tt_http_server *server, tt_dur deadline);

#endif
