/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"

#define MAX_REPLY ((size_t)4 << 10)

/* application/json only: a browser's page cannot send that to another origin without being asked (CORS). */
bool otlp_labels_admit(void *receiver, struct tt_http_exchange *exchange, size_t size,
                       struct tt_http_answer *ret_refusal)
{
    (void)size;
    if (otlp_media_of(exchange) == OTLP_JSON)
        return true;
    otlp_refusal(receiver, OTLP_OTHER, 415, "unsupported media type, supported: [application/json]",
                 0, tt_http_scratch(exchange), ret_refusal);
    return false;
}

void otlp_labels_handle(void *receiver, struct tt_http_exchange *exchange)
{
    struct otlp_receiver *self = receiver;
    struct tt_http_answer answer = {.status = 200, .content_type = "application/json"};
    struct tt_error err = {0};
    struct tt_buffer reply;

    tt_buffer_init(&reply, MAX_REPLY);
    enum tt_status status = tt_label_windows_post(self->windows, tt_http_body(exchange),
                                                  tt_clock_wall(self->host->clock), &reply, &err);
    answer.body = tt_buffer_view(&reply);
    if (status != TT_OK) {
        tt_buffer_clear(&reply);
        otlp_refusal(self, OTLP_JSON, status == TT_NOT_FOUND ? 404 : otlp_http_status(status),
                     err.message, err.retry_after_ms, &reply, &answer);
    }
    tt_http_answer(exchange, &answer);
    tt_buffer_done(&reply);
}
