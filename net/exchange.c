/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#define MAX_SCRATCH ((size_t)64 << 10)

/* ---- life ---- */

void exchange_unref(struct tt_http_exchange *exchange)
{
    if (atomic_fetch_sub_explicit(&exchange->references, 1, memory_order_acq_rel) != 1)
        return;
    body_put(exchange->body);
    exchange->body = NULL;
    if (exchange->admitted && exchange->done != NULL)
        exchange->done(exchange->context, exchange);
    if (exchange->response != NULL)
        MHD_destroy_response(exchange->response);
    tt_buffer_done(&exchange->scratch);
    tt_free(exchange->decoded_path);
    tt_free(exchange->origin);
    tt_free(exchange);
}

void *exchange_url_seen(void *server, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *connection = connection_of(mhd);

    (void)server;
    (void)uri;
    if (connection != NULL)
        connection_enter(connection, PHASE_HEADERS);
    return NULL;
}

static void leave(struct tt_http_exchange *exchange)
{
    struct connection *connection = exchange->connection;
    struct loop *loop = connection->loop;
    struct tt_http_server *server = loop->server;

    (void)pthread_mutex_lock(&loop->mu);
    connection->exchange = NULL;
    (void)pthread_mutex_unlock(&loop->mu);
    connection_enter(connection, PHASE_IDLE);
    if (atomic_fetch_sub_explicit(&loop->n_exchanges, 1, memory_order_acq_rel) == 1 &&
        atomic_load_explicit(&server->draining, memory_order_acquire)) {
        (void)pthread_mutex_lock(&server->mu);
        (void)pthread_cond_broadcast(&server->idle);
        (void)pthread_mutex_unlock(&server->mu);
    }
}

void exchange_completed(void *server, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct tt_http_exchange *exchange = *context;
    struct connection *connection = connection_of(mhd);

    (void)server;
    *context = NULL;
    if (connection == NULL) /* then there was no exchange either */
        return;
    /* libmicrohttpd ended it, perhaps with an answer of its own to a malformed body: the peer may be sending. */
    connection->drain |= code == MHD_REQUEST_TERMINATED_WITH_ERROR;
    if (exchange == NULL) {
        connection_enter(connection, PHASE_IDLE);
        return;
    }
    connection->drain |= !exchange->decided && !exchange->handled;
    leave(exchange);
    exchange_unref(exchange);
}

struct tt_http_exchange *exchange_new(struct connection *connection, struct MHD_Connection *mhd,
                                      const char *method)
{
    struct tt_http_exchange *exchange = tt_calloc(1, sizeof(*exchange));
    struct loop *loop = connection->loop;

    if (exchange == NULL)
        return NULL;
    exchange->references = 1;
    tt_buffer_init(&exchange->scratch, MAX_SCRATCH);
    exchange->mhd = mhd;
    exchange->connection = connection;
    exchange->loop = loop;
    exchange->server = loop->server;
    exchange->method = tt_str(method);
    atomic_store_explicit(&connection->received, 0, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&loop->n_exchanges, 1, memory_order_acq_rel);
    (void)pthread_mutex_lock(&loop->mu);
    connection->exchange = exchange;
    (void)pthread_mutex_unlock(&loop->mu);
    return exchange;
}

/* ---- answers ---- */

/* Makes the answer now, to be given when the body has been discarded. */
void exchange_decide(struct tt_http_exchange *exchange, const struct tt_http_answer *answer)
{
    exchange->decided = true;
    exchange->status = answer->status;
    exchange->response = answer_build(exchange, answer);
    body_put(TT_TAKE(exchange->body));
}

void exchange_refuse(struct tt_http_exchange *exchange, unsigned status, const char *reason)
{
    struct tt_http_answer answer;

    answer_refuse(exchange, status, reason, &answer);
    exchange_decide(exchange, &answer);
}

enum MHD_Result exchange_queue(struct tt_http_exchange *exchange)
{
    struct MHD_Response *response = TT_TAKE(exchange->response);

    /* Without memory for an answer the client sees the connection close, and may retry. */
    if (response == NULL)
        return MHD_NO;
    connection_enter(exchange->connection, PHASE_ANSWER);
    enum MHD_Result result = MHD_queue_response(exchange->mhd, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Ends the connection in the middle of a body that is over the limit: libmicrohttpd takes no answer there. */
enum MHD_Result exchange_break_off(struct tt_http_exchange *exchange, unsigned status,
                                   const char *reason)
{
    struct tt_http_answer answer;

    answer_refuse(exchange, status, reason, &answer);
    answer_send_raw(exchange, &answer);
    exchange->connection->drain = true;
    return MHD_NO;
}

/* Under loop->mu, where turns change: libmicrohttpd must not be stopped between a change and its resume. */
static void set_turn(struct tt_http_exchange *exchange, enum turn turn)
{
    atomic_store_explicit(&exchange->turn, turn, memory_order_release);
}

static enum turn turn_of(struct tt_http_exchange *exchange)
{
    return (enum turn)atomic_load_explicit(&exchange->turn, memory_order_acquire);
}

void exchange_orphan(struct tt_http_exchange *exchange)
{
    struct tt_http_answer answer;

    if (turn_of(exchange) != TURN_SUSPENDED)
        return;
    answer_refuse(exchange, 503, "shutting down before the data were stored", &answer);
    answer.retry_after_s = answer.retry_after_s == 0 ? 1 : answer.retry_after_s;
    exchange->status = answer.status;
    exchange->response = answer_build(exchange, &answer);
    set_turn(exchange, TURN_ORPHANED);
    MHD_resume_connection(exchange->mhd);
}

void tt_http_answer(struct tt_http_exchange *exchange, const struct tt_http_answer *answer)
{
    struct tt_http_server *server = exchange->server;
    struct loop *loop = exchange->loop;
    struct MHD_Response *response = answer_build(exchange, answer);

    (void)pthread_mutex_lock(&loop->mu);
    enum turn turn = turn_of(exchange);
    if (turn != TURN_ORPHANED) {
        exchange->response = TT_TAKE(response);
        exchange->status = answer->status;
        set_turn(exchange, TURN_ANSWERED);
    }
    if (turn == TURN_SUSPENDED)
        MHD_resume_connection(exchange->mhd);
    (void)pthread_mutex_unlock(&loop->mu);
    if (response != NULL)
        MHD_destroy_response(response);
    exchange_unref(exchange);
    if (turn != TURN_RUNNING)
        server_unref(server);
}

bool exchange_suspend(struct tt_http_exchange *exchange)
{
    struct loop *loop = exchange->loop;

    (void)pthread_mutex_lock(&loop->mu);
    bool waits = turn_of(exchange) == TURN_RUNNING;
    if (waits) {
        server_ref(loop->server); /* for the one who will answer */
        MHD_suspend_connection(exchange->mhd);
        set_turn(exchange, TURN_SUSPENDED);
        if (loop->stopping)
            exchange_orphan(exchange);
    }
    (void)pthread_mutex_unlock(&loop->mu);
    return waits;
}
