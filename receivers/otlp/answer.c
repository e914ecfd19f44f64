/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/encode.h"
#include "otlp/json.h"
#include "receivers/otlp/otlp.h"

#define MAX_ANSWER ((size_t)4 << 10)

/* ---- classes of answers ---- */

static struct tt_str media_type(const struct tt_http_exchange *exchange)
{
    struct tt_str value = tt_http_header(exchange, "Content-Type");

    return value.data == NULL ? value : tt_str_trim(tt_str_cut(&value, ';'));
}

enum otlp_media otlp_media_of(const struct tt_http_exchange *exchange)
{
    struct tt_str type = media_type(exchange);

    if (tt_str_equal_nocase(type, TT_STR("application/x-protobuf")))
        return OTLP_PROTOBUF;
    return tt_str_equal_nocase(type, TT_STR("application/json")) ? OTLP_JSON : OTLP_OTHER;
}

unsigned otlp_http_status(enum tt_status status)
{
    if (status == TT_OK)
        return 200;
    if (status == TT_TOO_LARGE)
        return 413;
    return tt_status_may_retry(status) ? 503 : 400;
}

/* google.rpc.Code for a HTTP status (contract 1.3). */
static int32_t rpc_code(unsigned http_status)
{
    switch (http_status) {
    case 400:
        return 3;
    case 401:
        return 16;
    case 403:
        return 7;
    case 404:
        return 12;
    case 429:
        return 8;
    case 502:
    case 503:
    case 504:
        return 14;
    default:
        return 2;
    }
}

/* Seconds: what was asked for and a little more, so that clients come back one after another. */
static uint32_t retry_after(struct otlp_receiver *self, uint32_t hint_ms)
{
    uint64_t n = atomic_fetch_add_explicit(&self->n_answers, 1, memory_order_relaxed);
    uint32_t jitter = (uint32_t)(tt_hash(&n, sizeof(n), tt_hash_seed()) % 5);

    return hint_ms == 0 ? 1 + jitter : (hint_ms + 999) / 1000 + jitter % 3;
}

void otlp_refusal(struct otlp_receiver *self, enum otlp_media media, unsigned http_status,
                  const char *message, uint32_t retry_after_ms, struct tt_buffer *text,
                  struct tt_http_answer *ret_answer)
{
    size_t before = text->len;

    *ret_answer = (struct tt_http_answer){.status = http_status};
    if (http_status == 503)
        ret_answer->retry_after_s = retry_after(self, retry_after_ms);
    if (media == OTLP_PROTOBUF) {
        tt_encode_status(rpc_code(http_status), tt_str(message), text);
        ret_answer->content_type = "application/x-protobuf";
    } else if (media == OTLP_JSON) {
        tt_json_write_status(rpc_code(http_status), tt_str(message), text);
        ret_answer->content_type = "application/json";
    } else {
        tt_buffer_printf(text, "%s\n", message);
        ret_answer->content_type = "text/plain; charset=utf-8";
    }
    if (text->failed == TT_OK)
        ret_answer->body = tt_str_of(text->data + before, text->len - before);
}

/* ---- refusals of the server itself ---- */

static void append_paths(const struct otlp_receiver *self, struct tt_buffer *out)
{
    const struct otlp_http_config *http = &self->config->protocols.http;
    const char *const paths[] = {http->traces_url_path, http->metrics_url_path,
                                 http->logs_url_path};

    tt_buffer_append_str(out, TT_STR("no such path; OTLP paths are"));
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (self->next[i] != NULL)
            tt_buffer_printf(out, " %s", paths[i]);
    }
}

void otlp_shape(void *receiver, struct tt_http_exchange *exchange, struct tt_http_answer *answer)
{
    struct otlp_receiver *self = receiver;
    struct tt_http_answer shaped;
    struct tt_buffer message;
    char text[512];

    tt_buffer_init(&message, sizeof(text) - 1);
    if (answer->status == 404)
        append_paths(self, &message);
    else
        tt_buffer_append_str(&message, answer->body);
    size_t len = message.len;
    memcpy(text, message.data == NULL ? "" : message.data, len);
    text[len] = '\0';
    tt_buffer_done(&message);
    otlp_refusal(self, otlp_media_of(exchange), answer->status, text, 0, tt_http_scratch(exchange),
                 &shaped);
    answer->content_type = shaped.content_type;
    answer->body = shaped.body;
    answer->retry_after_s = shaped.retry_after_s;
    otlp_count_refusal(self, answer->status == 413 ? TT_TOO_LARGE : TT_INVALID_DATA);
}

void otlp_shape_path(void *path, struct tt_http_exchange *exchange, struct tt_http_answer *answer)
{
    otlp_shape(((struct otlp_path *)path)->self, exchange, answer);
}

/* ---- counting ---- */

static void count_request(struct otlp_receiver *self, enum otlp_outcome outcome)
{
    tt_meter_add(self->requests[outcome], 1);
}

void otlp_count_refusal(struct otlp_receiver *self, enum tt_status status)
{
    count_request(self, OTLP_FAILURE);
    tt_meter_add(self->refusals[status], 1);
}

void otlp_count_clipped(struct otlp_receiver *self, const char *peer,
                        const struct tt_clipped *clipped)
{
    if (clipped->attributes + clipped->values == 0)
        return;
    tt_meter_add(self->clipped_attributes, (int64_t)clipped->attributes);
    tt_meter_add(self->clipped_values, (int64_t)clipped->values);
    tt_log_warn(
        &self->host->log,
        "attributes were over the limits max_attributes or max_value_bytes; they were clipped",
        TT_FIELD_TEXT("peer", peer), TT_FIELD_INT("left_out", clipped->attributes),
        TT_FIELD_INT("values_cut", clipped->values));
}

/* refused is what the pipeline did not take, failed what we did not. */
static void count_result(const struct otlp_request *request, const struct tt_ack_result *result)
{
    struct otlp_receiver *self = request->self;
    unsigned index = tt_signal_index(request->signal);
    uint64_t given = request->rows - request->bad;
    uint64_t rejected = result->rejected > request->bad ? result->rejected - request->bad : 0;

    tt_meter_add(self->failed[index], (int64_t)request->bad);
    if (result->status == TT_OK && request->bad > 0)
        tt_host_dropped(self->host, request->signal, "invalid", request->bad);
    if (result->status != TT_OK || rejected > given)
        rejected = given;
    tt_meter_add(self->refused[index], (int64_t)rejected);
    tt_meter_add(self->accepted[index], (int64_t)(given - rejected));
    count_request(self, result->status == TT_OK ? OTLP_SUCCESS
                        : given > 0             ? OTLP_REFUSED
                                                : OTLP_FAILURE);
    if (result->status != TT_OK)
        tt_meter_add(self->refusals[result->status], 1);
}

/* ---- the answer of a request ---- */

static void answer_success(struct otlp_request *request, const struct tt_ack_result *result,
                           struct tt_buffer *text, struct tt_http_answer *answer)
{
    struct tt_str message = result->rejected > 0 ? tt_str(result->error.message) : TT_STR("");

    answer->status = 200;
    if (request->media == OTLP_JSON) {
        tt_json_write_response(request->signal, result->rejected, message, text);
        answer->content_type = "application/json";
    } else {
        tt_encode_response(result->rejected, message, text);
        answer->content_type = "application/x-protobuf";
    }
    answer->body = tt_buffer_view(text);
}

static void log_refusal(const struct otlp_request *request, const struct tt_ack_result *result)
{
    tt_log_warn(&request->self->host->log, "refused data", TT_FIELD_TEXT("peer", request->peer),
                TT_FIELD_TEXT("signal", tt_signal_name(request->signal)),
                TT_FIELD_INT("status", otlp_http_status(result->status)),
                TT_FIELD_ERROR(&result->error));
}

void otlp_answer(void *context, const struct tt_ack_result *result)
{
    struct otlp_request *request = context;
    struct tt_http_answer answer = {0};
    struct tt_buffer text;

    count_result(request, result);
    tt_buffer_init(&text, MAX_ANSWER);
    if (result->status == TT_OK) {
        answer_success(request, result, &text, &answer);
    } else {
        log_refusal(request, result);
        otlp_refusal(request->self, request->media, otlp_http_status(result->status),
                     result->error.message, result->error.retry_after_ms, &text, &answer);
    }
    answer.close = !request->self->config->protocols.http.keep_alives_enabled;
    tt_http_answer(request->exchange, &answer);
    tt_buffer_done(&text);
}
