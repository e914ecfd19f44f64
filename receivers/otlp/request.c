/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json.h"
#include "receivers/otlp/otlp.h"

#include <stdio.h>

/* ---- the memory budget ---- */

static enum tt_status reserve(struct otlp_request *request, size_t bytes, struct tt_error *err)
{
    enum tt_status status = bytes == 0 ? TT_OK : tt_budget_reserve(request->self->host, bytes, err);

    if (status == TT_OK)
        request->reserved += bytes;
    return status;
}

static void request_free(struct otlp_request *request)
{
    if (request->reserved > 0)
        tt_budget_release(request->self->host, request->reserved);
    tt_free(request);
}

void otlp_done(void *path, struct tt_http_exchange *exchange)
{
    (void)path;
    request_free(tt_http_state(exchange));
}

/* ---- before the body ---- */

static size_t body_limit(const struct otlp_receiver *self, enum otlp_media media)
{
    return media == OTLP_JSON && self->max_body > OTLP_MAX_JSON ? OTLP_MAX_JSON : self->max_body;
}

/* A refusal of our own, before any data were decoded. Returns false, as admit and grow do. */
static bool refuse(struct otlp_receiver *self, struct tt_http_exchange *exchange,
                   unsigned http_status, enum tt_status reason, const struct tt_error *err,
                   struct tt_http_answer *ret_refusal)
{
    otlp_count_refusal(self, reason);
    otlp_refusal(self, otlp_media_of(exchange), http_status, err->message, err->retry_after_ms,
                 tt_http_scratch(exchange), ret_refusal);
    return false;
}

/* Type and encoding: HTTP status 0 when both are taken. */
static unsigned judge_type(const struct otlp_request *request, struct tt_str encoding,
                           struct tt_error *err)
{
    if (request->media == OTLP_OTHER) {
        (void)tt_fail(
            err, TT_UNSUPPORTED,
            "unsupported media type, supported: [application/json, application/x-protobuf]");
        return 415;
    }
    if (!otlp_takes_encoding(&request->self->config->protocols.http, encoding)) {
        (void)tt_fail(err, TT_UNSUPPORTED, "unsupported Content-Encoding: %.*s",
                      encoding.len > 64 ? 64 : (int)encoding.len,
                      encoding.data == NULL ? "" : encoding.data);
        return 415;
    }
    return 0;
}

static unsigned judge(struct otlp_request *request, struct tt_str encoding, size_t size,
                      struct tt_error *err)
{
    struct otlp_receiver *self = request->self;
    unsigned http_status = judge_type(request, encoding, err);
    enum tt_status status = TT_OK;

    if (http_status != 0)
        return http_status;
    (void)tt_encoding_parse(encoding, &request->encoding);
    if (size > body_limit(self, request->media))
        status = tt_fail(err, TT_TOO_LARGE, "the body is over the limit of %zu bytes",
                         body_limit(self, request->media));
    if (status == TT_OK)
        status = tt_host_admission(self->host, err);
    if (status == TT_OK)
        status = reserve(request, size, err);
    return status == TT_OK ? 0 : otlp_http_status(status);
}

bool otlp_admit(void *context, struct tt_http_exchange *exchange, size_t size,
                struct tt_http_answer *ret_refusal)
{
    struct otlp_path *path = context;
    struct otlp_request *request = tt_calloc(1, sizeof(*request));
    struct tt_error err = {0};

    if (request == NULL) {
        (void)tt_fail(&err, TT_NO_MEMORY, "out of memory");
        return refuse(path->self, exchange, 503, TT_NO_MEMORY, &err, ret_refusal);
    }
    *request = (struct otlp_request){.self = path->self,
                                     .exchange = exchange,
                                     .signal = path->signal,
                                     .media = otlp_media_of(exchange)};
    unsigned http_status = judge(request, tt_http_header(exchange, "Content-Encoding"), size, &err);
    if (http_status != 0) {
        request_free(request);
        return refuse(path->self, exchange, http_status, err.status, &err, ret_refusal);
    }
    (void)snprintf(request->peer, sizeof(request->peer), "%.*s",
                   TT_STR_ARG(tt_http_peer(exchange)));
    tt_http_set_state(exchange, request);
    return true;
}

bool otlp_grow(void *context, struct tt_http_exchange *exchange, size_t total,
               struct tt_http_answer *ret_refusal)
{
    struct otlp_path *path = context;
    struct otlp_request *request = tt_http_state(exchange);
    size_t limit = body_limit(path->self, request->media);
    enum tt_status status = TT_OK;
    struct tt_error err = {0};

    if (tt_http_body(exchange).len >= limit)
        status = tt_fail(&err, TT_TOO_LARGE, "the body is over the limit of %zu bytes", limit);
    else if (total > request->reserved)
        status = reserve(request, total - request->reserved, &err);
    return status == TT_OK ||
           refuse(path->self, exchange, otlp_http_status(status), status, &err, ret_refusal);
}

/* ---- from bytes to a batch ---- */

static bool grant(void *context, size_t capacity)
{
    struct otlp_request *request = context;

    return capacity <= request->reserved ||
           reserve(request, capacity - request->reserved, NULL) == TT_OK;
}

/* The bytes become a body; plain ones stay where the server put them. */
static enum tt_status take_plain(struct otlp_request *request, struct tt_body **ret_body,
                                 struct tt_error *err)
{
    void *lease;
    struct tt_str bytes = tt_http_lease_body(request->exchange, &lease);

    *ret_body = tt_body_borrow(bytes.data, bytes.len, tt_http_lease_end, lease);
    if (*ret_body != NULL)
        return TT_OK;
    tt_http_lease_end(lease);
    return tt_fail(err, TT_NO_MEMORY, "out of memory");
}

static enum tt_status take_buffer(struct tt_buffer *buffer, struct tt_body **ret_body,
                                  struct tt_error *err)
{
    size_t len;
    char *bytes = tt_buffer_take(buffer, &len);

    *ret_body = tt_body_take(bytes, len);
    return *ret_body != NULL ? TT_OK : tt_fail(err, TT_NO_MEMORY, "out of memory");
}

static enum tt_status decompress(struct otlp_request *request, struct tt_body **ret_body,
                                 struct tt_error *err)
{
    struct tt_buffer out;

    tt_buffer_init(&out, body_limit(request->self, request->media));
    enum tt_status status = tt_decompress_metered(
        request->encoding, tt_http_body(request->exchange), &out, grant, request, err);
    if (status == TT_OK)
        status = take_buffer(&out, ret_body, err);
    tt_buffer_done(&out);
    return status;
}

/* JSON to wire bytes; *body is replaced. */
static enum tt_status transcode(struct otlp_request *request, struct tt_body **body,
                                struct tt_error *err)
{
    struct tt_str text = tt_body_view(*body);
    struct tt_body *wire = NULL;
    struct tt_buffer out;

    tt_buffer_init(&out, OTLP_MAX_BODY);
    enum tt_status status = reserve(request, text.len, err);
    if (status == TT_OK)
        status = tt_json_read(request->signal, text, &tt_limits_default, &out, err);
    if (status == TT_OK)
        status = take_buffer(&out, &wire, err);
    tt_buffer_done(&out);
    if (status != TT_OK)
        return status;
    tt_body_unref(*body);
    *body = wire;
    return TT_OK;
}

static enum tt_status clip(struct otlp_request *request, struct tt_batch *batch,
                           struct tt_error *err)
{
    struct tt_clipped clipped;
    enum tt_status status = tt_batch_clip(batch, &request->self->clip, &clipped, err);

    otlp_count_clipped(request->self, request->peer, &clipped);
    return status;
}

static enum tt_status parse(struct otlp_request *request, struct tt_body *body,
                            struct tt_batch **ret_batch, struct tt_error *err)
{
    struct otlp_receiver *self = request->self;
    struct otlp_kept_headers kept;

    otlp_keep_headers(&self->config->protocols.http, request->exchange, &kept);
    const struct tt_metadata metadata = {.receiver = self->id,
                                         .arrival_ns = tt_clock_wall(self->host->clock),
                                         .peer = tt_http_peer(request->exchange),
                                         .headers = kept.items,
                                         .n_headers = kept.count};
    enum tt_status status = tt_batch_parse(request->signal, body, &tt_limits_default, &metadata,
                                           ret_batch, &request->bad, err);
    otlp_kept_headers_done(&kept);
    if (status != TT_OK)
        return status;
    request->rows = request->bad + tt_batch_live_rows(*ret_batch);
    status = clip(request, *ret_batch, err);
    if (status == TT_OK)
        status = reserve(request, (*ret_batch)->arena.reserved, err);
    if (status != TT_OK)
        tt_batch_unref(TT_TAKE(*ret_batch));
    return status;
}

static enum tt_status decode(struct otlp_request *request, struct tt_batch **ret_batch,
                             struct tt_error *err)
{
    struct tt_body *body = NULL;
    enum tt_status status = request->encoding == TT_ENCODING_IDENTITY
                                ? take_plain(request, &body, err)
                                : decompress(request, &body, err);

    if (status == TT_OK && request->media == OTLP_JSON)
        status = transcode(request, &body, err);
    if (status == TT_OK)
        status = parse(request, body, ret_batch, err);
    tt_body_unref(body);
    return status;
}

/* ---- with the body ---- */

/* Answers without a pipeline: nothing came in, or it could not be read. */
static void answer_now(struct otlp_request *request, enum tt_status status,
                       const struct tt_error *err)
{
    struct tt_ack_result result = {.status = status};

    if (status != TT_OK)
        result.error = *err;
    request->rows = request->bad;
    otlp_answer(request, &result);
}

static void send_on(struct otlp_request *request, struct tt_batch *batch,
                    const struct tt_error *rejection)
{
    struct otlp_receiver *self = request->self;
    struct tt_error err;

    batch->ack = tt_ack_new(otlp_answer, request);
    if (batch->ack == NULL) {
        tt_batch_unref(batch);
        (void)tt_fail(&err, TT_NO_MEMORY, "out of memory");
        answer_now(request, TT_NO_MEMORY, &err);
        return;
    }
    if (request->bad > 0)
        tt_ack_reject(batch->ack, request->bad, rejection->message);
    /* A failure is in the ack as well, and the ack answers, perhaps before this returns: request is not ours any more. */
    (void)tt_consume(self->next[tt_signal_index(batch->signal)], &batch, &err);
}

void otlp_handle(void *path, struct tt_http_exchange *exchange)
{
    struct otlp_request *request = tt_http_state(exchange);
    struct tt_batch *batch = NULL;
    struct tt_error err = {0};

    (void)path;
    enum tt_status status = decode(request, &batch, &err);
    if (status != TT_OK) {
        answer_now(request, status, &err);
    } else if (request->rows == 0) {
        tt_batch_unref(batch);
        answer_now(request, TT_OK, NULL);
    } else {
        send_on(request, batch, &err);
    }
}
