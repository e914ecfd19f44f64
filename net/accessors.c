/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler may ask an exchange. */
#include "net/server.h"

struct tt_str tt_http_method(const struct tt_http_exchange *exchange)
{
    return exchange->method;
}

struct tt_str tt_http_path(const struct tt_http_exchange *exchange)
{
    return exchange->path;
}

struct tt_str tt_http_header(const struct tt_http_exchange *exchange, const char *name)
{
    const char *value = NULL;
    size_t len = 0;

    if (MHD_lookup_connection_value_n(exchange->mhd, MHD_HEADER_KIND, name, strlen(name), &value,
                                      &len) != MHD_YES)
        return (struct tt_str){NULL, 0};
    return value == NULL ? TT_STR("") : tt_str_of(value, len);
}

struct visit {
    void (*visit)(void *context, struct tt_str name, struct tt_str value);
    void *context;
};

static enum MHD_Result visit_one(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct visit *visit = context;

    (void)kind;
    visit->visit(visit->context, tt_str_of(name, name_len),
                 value == NULL ? TT_STR("") : tt_str_of(value, value_len));
    return MHD_YES;
}

void tt_http_each_header(const struct tt_http_exchange *exchange,
                         void (*visit)(void *context, struct tt_str name, struct tt_str value),
                         void *context)
{
    struct visit each = {.visit = visit, .context = context};

    (void)MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, visit_one, &each);
}

struct tt_str tt_http_peer(const struct tt_http_exchange *exchange)
{
    return tt_str(exchange->connection->peer);
}

struct tt_str tt_http_body(const struct tt_http_exchange *exchange)
{
    return exchange->body == NULL ? tt_str_of(NULL, 0)
                                  : tt_str_of(exchange->body->data, exchange->body->len);
}

char *tt_http_take_body(struct tt_http_exchange *exchange, size_t *ret_len)
{
    struct body *body = TT_TAKE(exchange->body);

    *ret_len = body == NULL ? 0 : body->len;
    return body == NULL ? NULL : body_steal(body);
}

struct tt_str tt_http_lease_body(struct tt_http_exchange *exchange, void **ret_lease)
{
    struct tt_str bytes = tt_http_body(exchange);

    *ret_lease = TT_TAKE(exchange->body);
    return bytes;
}

void tt_http_lease_end(void *lease)
{
    body_put(lease);
}

struct tt_buffer *tt_http_scratch(struct tt_http_exchange *exchange)
{
    return &exchange->scratch;
}

void tt_http_set_state(struct tt_http_exchange *exchange, void *state)
{
    exchange->state = state;
}

void *tt_http_state(const struct tt_http_exchange *exchange)
{
    return exchange->state;
}
