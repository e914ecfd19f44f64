/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cors.h"
#include "net/server.h"

#define FIRST_CHUNKED_SIZE ((size_t)64 << 10)

/* ---- before the body ---- */

static void take_path(struct tt_http_exchange *exchange, const char *url)
{
    exchange->path = tt_str(url);
    if (strchr(url, '%') == NULL)
        return;
    char *decoded = tt_strdup(exchange->path);
    if (decoded == NULL)
        return;
    /* A path with a malformed escape or an escaped NUL stays as it came, and so matches no route. */
    size_t len = 0;
    for (const char *at = url; *at != '\0'; len++) {
        uint8_t byte = (uint8_t)*at;
        if (*at != '%') {
            at++;
        } else if (strlen(at) >= 3 && tt_hex_decode(tt_str_of(at + 1, 2), &byte, 1) && byte != 0) {
            at += 3;
        } else {
            tt_free(decoded);
            return;
        }
        decoded[len] = (char)byte;
    }
    exchange->decoded_path = decoded;
    exchange->path = tt_str_of(decoded, len);
}

static const struct tt_http_route *find_route(const struct tt_http_server *server,
                                              struct tt_str path)
{
    for (size_t i = 0; i < server->options.n_routes; i++) {
        if (tt_str_equal(tt_str(server->options.routes[i].path), path))
            return &server->options.routes[i];
    }
    return NULL;
}

static bool has_method(const char *methods, struct tt_str method)
{
    struct tt_str rest = tt_str(methods);

    while (rest.data != NULL) {
        if (tt_str_equal(tt_str_trim(tt_str_cut(&rest, ',')), method))
            return true;
    }
    return false;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    gate_header(context, tt_str_of(name, name_len),
                tt_str_of(value, value == NULL ? 0 : value_len));
    return MHD_YES;
}

static struct gate_verdict judge(struct tt_http_exchange *exchange, const char *url,
                                 const char *version)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    gate_facts_init(&exchange->facts);
    (void)MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, add_header, &exchange->facts);
    if (strlen(url) > GATE_MAX_TARGET)
        return (struct gate_verdict){GATE_REFUSE, 414, "the URL is longer than 8 KiB"};
    if (size != NULL && size->header_size > exchange->server->options.max_header_bytes)
        return (struct gate_verdict){GATE_REFUSE, 431, "the headers are over the limit"};
    return gate_finish(&exchange->facts, strcmp(version, "HTTP/1.1") == 0);
}

/* A browser's page of an allowed origin asks whether it may send; true when this was such a question, now answered. */
static bool answer_preflight(struct tt_http_exchange *exchange)
{
    const struct tt_cors *cors = &exchange->server->options.cors;
    struct tt_str method = tt_http_header(exchange, "Access-Control-Request-Method");
    struct tt_str names = tt_http_header(exchange, "Access-Control-Request-Headers");
    char max_age[24] = "";
    char allowed[512];

    if (exchange->origin == NULL || exchange->route == NULL || method.data == NULL ||
        !tt_str_equal(exchange->method, TT_STR("OPTIONS")))
        return false;
    if (!has_method(exchange->route->methods, method) || !cors_allows_headers(cors, names) ||
        names.len >= sizeof(allowed))
        return false;
    memcpy(allowed, names.len == 0 ? "" : names.data, names.len);
    allowed[names.len] = '\0';
    const struct tt_http_header headers[] = {
        {"Access-Control-Allow-Methods", exchange->route->methods},
        {"Access-Control-Allow-Headers", allowed},
        {"Access-Control-Max-Age", max_age}};
    struct tt_buffer digits = {
        .data = max_age, .cap = sizeof(max_age) - 1, .max = sizeof(max_age) - 1};
    if (cors->max_age_s > 0)
        tt_buffer_append_int64(&digits, cors->max_age_s);
    struct tt_http_answer answer = {
        .status = 204, .headers = headers, .n_headers = cors->max_age_s > 0 ? 3 : 2};
    exchange_decide(exchange, &answer);
    return true;
}

static void take_origin(struct tt_http_exchange *exchange)
{
    struct tt_str origin = tt_http_header(exchange, "Origin");

    if (origin.len > 0 && cors_allows_origin(&exchange->server->options.cors, origin))
        exchange->origin = tt_strdup(origin);
}

static void refuse_method(struct tt_http_exchange *exchange)
{
    const struct tt_http_header allow = {"Allow", exchange->route->methods};
    struct tt_http_answer answer;

    answer_refuse(exchange, 405, "this method is not allowed here", &answer);
    answer.headers = &allow;
    answer.n_headers = 1;
    exchange_decide(exchange, &answer);
}

static void admit(struct tt_http_exchange *exchange)
{
    const struct tt_http_route *route = exchange->route;
    struct tt_http_answer answer = {.status = 503};

    if (route->admit != NULL &&
        !route->admit(route->context, exchange, (size_t)exchange->facts.content_length, &answer)) {
        exchange_decide(exchange, &answer);
        return;
    }
    exchange->admitted = true;
    exchange->done = route->done;
    exchange->context = route->context;
}

static bool takes_body(struct tt_str method)
{
    return tt_str_equal(method, TT_STR("POST")) || tt_str_equal(method, TT_STR("PUT"));
}

static const char *over_limit(struct tt_http_exchange *exchange)
{
    struct tt_buffer *text = tt_http_scratch(exchange);
    size_t at = text->len;

    tt_buffer_printf(text, "the body is over the limit of %zu bytes", exchange->route->max_body);
    tt_buffer_append_byte(text, '\0');
    return text->failed == TT_OK ? text->data + at : "the body is over the limit";
}

/* Decides what can be decided before the body. */
static void route_request(struct tt_http_exchange *exchange)
{
    const struct gate_facts *facts = &exchange->facts;

    if (answer_preflight(exchange))
        return;
    if (exchange->route == NULL)
        exchange_refuse(exchange, 404, "no such path");
    else if (!has_method(exchange->route->methods, exchange->method))
        refuse_method(exchange);
    else if (takes_body(exchange->method) && facts->n_lengths == 0 && !facts->chunked)
        exchange_refuse(exchange, 411, "Content-Length or chunked transfer is needed");
    else if (facts->content_length > exchange->route->max_body)
        exchange_refuse(exchange, 413, over_limit(exchange));
    else
        admit(exchange);
}

/* Whether the refusal must not wait for the body: the client asked first, or would send more than we discard. */
static bool must_answer_early(const struct tt_http_exchange *exchange)
{
    const struct gate_facts *facts = &exchange->facts;
    bool has_body = facts->chunked || facts->content_length > 0;

    if (!exchange->decided || !has_body)
        return false;
    return facts->expects_continue || facts->content_length > exchange->server->discard_limit;
}

/* libmicrohttpd closes the connection after an answer that is queued before the body. */
static enum MHD_Result queue_early(struct tt_http_exchange *exchange)
{
    exchange->connection->drain = true;
    return exchange_queue(exchange);
}

static enum MHD_Result begin(struct MHD_Connection *mhd, const char *url, const char *method,
                             const char *version, void **context)
{
    struct connection *connection = connection_of(mhd);

    if (connection == NULL)
        return MHD_NO;
    struct tt_http_exchange *exchange = exchange_new(connection, mhd, method);
    if (exchange == NULL)
        return MHD_NO;
    *context = exchange;
    connection_enter(connection, PHASE_BODY);
    struct gate_verdict verdict = judge(exchange, url, version);
    if (verdict.action != GATE_OK) {
        exchange_refuse(exchange, verdict.status, verdict.reason);
        return queue_early(exchange);
    }
    take_path(exchange, url);
    take_origin(exchange);
    exchange->route = find_route(exchange->server, exchange->path);
    route_request(exchange);
    return must_answer_early(exchange) ? queue_early(exchange) : MHD_YES;
}

/* ---- the body ---- */

/* Room for `more` bytes of a body whose length is not known: doubling, each step granted by the route's owner. */
static bool make_room(struct tt_http_exchange *exchange, size_t more)
{
    const struct tt_http_route *route = exchange->route;
    struct body *body = exchange->body;
    size_t needed = (body == NULL ? 0 : body->len) + more;
    size_t capacity = body == NULL ? FIRST_CHUNKED_SIZE : body->capacity * 2;
    struct tt_http_answer answer = {.status = 503};

    if (body != NULL && needed <= body->capacity)
        return true;
    capacity = capacity < needed ? needed : capacity;
    capacity = capacity > route->max_body ? route->max_body : capacity;
    if (route->grow != NULL && !route->grow(route->context, exchange, capacity, &answer)) {
        exchange_decide(exchange, &answer);
        return false;
    }
    if (body == NULL)
        exchange->body = body_get(exchange->connection->loop->bodies, capacity);
    else if (!body_grow(body, capacity))
        body_put(TT_TAKE(exchange->body));
    if (exchange->body != NULL)
        return true;
    exchange_refuse(exchange, 503, "out of memory");
    return false;
}

static bool have_room(struct tt_http_exchange *exchange, size_t more)
{
    if (exchange->facts.chunked)
        return make_room(exchange, more);
    if (exchange->body == NULL)
        exchange->body =
            body_get(exchange->connection->loop->bodies, (size_t)exchange->facts.content_length);
    if (exchange->body != NULL)
        return true;
    exchange_refuse(exchange, 503, "out of memory");
    return false;
}

static enum MHD_Result discard(struct tt_http_exchange *exchange, size_t len)
{
    exchange->discarded += len;
    if (exchange->facts.chunked && exchange->discarded > exchange->server->discard_limit)
        return exchange_break_off(exchange, 413, "the body is over the limit");
    return MHD_YES;
}

static enum MHD_Result take_upload(struct tt_http_exchange *exchange, const char *bytes, size_t len)
{
    size_t had = exchange->body == NULL ? 0 : exchange->body->len;

    (void)atomic_fetch_add_explicit(&exchange->connection->received, len, memory_order_relaxed);
    if (exchange->decided)
        return discard(exchange, len);
    if (len > exchange->route->max_body - had)
        return exchange_break_off(exchange, 413, over_limit(exchange));
    if (!have_room(exchange, len))
        return discard(exchange, len);
    memcpy(exchange->body->data + had, bytes, len);
    exchange->body->len += len;
    return MHD_YES;
}

/* ---- the handler ---- */

static enum MHD_Result finish(struct tt_http_exchange *exchange)
{
    if (exchange->decided)
        return exchange_queue(exchange);
    if (!exchange->handled) {
        exchange->handled = true;
        connection_enter(exchange->connection, PHASE_HANDLER);
        (void)atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
        exchange->route->handle(exchange->route->context, exchange);
        if (exchange_suspend(exchange))
            return MHD_YES;
    }
    return exchange_queue(exchange);
}

enum MHD_Result exchange_step(void *server, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    struct tt_http_exchange *exchange = *context;
    size_t len = *upload_size;

    (void)server;
    if (exchange == NULL)
        return begin(mhd, url, method, version, context);
    if (len == 0)
        return finish(exchange);
    *upload_size = 0;
    return take_upload(exchange, upload, len);
}
