/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cors.h"
#include "net/server.h"

#include <stdio.h>

#define MAX_JOINED 1024

/* Where the headers of an answer go: into libmicrohttpd's response, or into text. */
struct head {
    struct MHD_Response *response;
    struct tt_buffer *text;
};

static void put(struct head *head, const char *name, const char *value)
{
    if (head->response != NULL)
        (void)MHD_add_response_header(head->response, name, value);
    else
        tt_buffer_printf(head->text, "%s: %s\r\n", name, value);
}

static void put_joined(struct head *head, const char *name, const char *const *items, size_t count)
{
    char joined[MAX_JOINED];
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        int n = snprintf(joined + len, sizeof(joined) - len, "%s%s", i == 0 ? "" : ", ", items[i]);
        if (n < 0 || (size_t)n >= sizeof(joined) - len)
            break;
        len += (size_t)n;
    }
    joined[len] = '\0';
    if (len > 0)
        put(head, name, joined);
}

/* The origin was allowed when the request came; "*" goes without credentials, as browsers demand. */
static void put_cors(struct head *head, const struct tt_http_exchange *exchange)
{
    const struct tt_cors *cors = &exchange->server->options.cors;
    bool open = cors_is_open(cors);

    if (cors->n_allowed_origins > 0 && !open)
        put(head, "Vary", "Origin");
    if (exchange->origin == NULL)
        return;
    put(head, "Access-Control-Allow-Origin", open ? "*" : exchange->origin);
    if (!open)
        put(head, "Access-Control-Allow-Credentials", "true");
    put_joined(head, "Access-Control-Expose-Headers", cors->exposed_headers,
               cors->n_exposed_headers);
}

static void put_all(struct head *head, const struct tt_http_exchange *exchange,
                    const struct tt_http_answer *answer)
{
    const struct tt_http_server_options *options = &exchange->server->options;
    char seconds[16];

    if (answer->content_type != NULL)
        put(head, "Content-Type", answer->content_type);
    if (answer->retry_after_s > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%u", answer->retry_after_s);
        put(head, "Retry-After", seconds);
    }
    if (answer->close || atomic_load_explicit(&exchange->server->draining, memory_order_relaxed))
        put(head, "Connection", "close");
    put_cors(head, exchange);
    for (size_t i = 0; i < answer->n_headers; i++)
        put(head, answer->headers[i].name, answer->headers[i].value);
    for (size_t i = 0; i < options->n_response_headers; i++)
        put(head, options->response_headers[i].name, options->response_headers[i].value);
}

struct MHD_Response *answer_build(struct tt_http_exchange *exchange,
                                  const struct tt_http_answer *answer)
{
    /* libmicrohttpd copies the bytes and takes a pointer to mutable ones for all of its modes. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.len, answer->body.len == 0 ? NULL : (void *)(uintptr_t)answer->body.data,
        MHD_RESPMEM_MUST_COPY);
    struct head head = {.response = response};

    if (response != NULL)
        put_all(&head, exchange, answer);
    return response;
}

void answer_send_raw(struct tt_http_exchange *exchange, const struct tt_http_answer *answer)
{
    struct tt_http_answer closing = *answer;
    struct tt_buffer text;
    struct head head = {.text = &text};

    closing.close = true;
    tt_buffer_init(&text, (size_t)64 << 10);
    tt_buffer_printf(&text, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n", closing.status,
                     MHD_get_reason_phrase_for(closing.status), closing.body.len);
    put_all(&head, exchange, &closing);
    tt_buffer_append(&text, "\r\n", 2);
    tt_buffer_append_str(&text, closing.body);
    if (text.failed == TT_OK)
        (void)!send(exchange->connection->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    tt_buffer_done(&text);
}

struct tt_str answer_format_plain(unsigned status, const char *reason, char *text, size_t size)
{
    int n = snprintf(
        text, size,
        "HTTP/1.1 %u %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n%s"
        "Connection: close\r\n\r\n%s\n",
        status, MHD_get_reason_phrase_for(status), strlen(reason) + 1,
        status == 503 ? "Retry-After: 1\r\n" : "", reason);

    return tt_str_of(text, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1);
}

void answer_refuse(struct tt_http_exchange *exchange, unsigned status, const char *reason,
                   struct tt_http_answer *answer)
{
    const struct tt_http_route *owner =
        exchange->route != NULL ? exchange->route : exchange->server->options.fallback;

    *answer = (struct tt_http_answer){
        .status = status, .content_type = "text/plain; charset=utf-8", .body = tt_str(reason)};
    if (owner != NULL && owner->shape != NULL)
        owner->shape(owner->context, exchange, answer);
}
