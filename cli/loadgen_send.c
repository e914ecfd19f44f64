/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loadgen_send.h"

#include "otlp/json.h"

#include <stdio.h>

#define REQUEST_TIMEOUT (30 * TT_SECOND)
#define CONNECT_TIMEOUT (5 * TT_SECOND)
#define CONNECT_PAUSE   (100 * TT_MILLISECOND)
#define BODY_MAX        ((size_t)256 << 20)

enum tt_status lg_sender_init(struct lg_sender *sender, const struct lg_options *options,
                              struct tt_stop *stop, uint64_t seed, struct tt_error *err)
{
    *sender = (struct lg_sender){.options = options, .stop = stop, .random = {seed}};
    tt_buffer_init(&sender->encoded, BODY_MAX);
    tt_buffer_init(&sender->compressed, BODY_MAX);
    tt_buffer_init(&sender->reply.body, 65536);
    sender->latencies = tt_calloc(LG_LATENCIES, sizeof(*sender->latencies));
    sender->client = tt_http_client_new(REQUEST_TIMEOUT, 65536);
    if (sender->client != NULL && sender->latencies != NULL)
        return TT_OK;
    lg_sender_done(sender);
    return tt_fail(err, TT_NO_MEMORY, "make an HTTP client");
}

void lg_sender_done(struct lg_sender *sender)
{
    tt_http_client_free(sender->client);
    tt_free(sender->latencies);
    tt_buffer_done(&sender->encoded);
    tt_buffer_done(&sender->compressed);
    tt_buffer_done(&sender->reply.body);
}

enum tt_status lg_find_endpoint(const struct lg_options *options, struct tt_stop *stop,
                                struct tt_error *err)
{
    tt_dur end = tt_clock_monotonic(tt_clock_system()) + options->wait;
    struct tt_http_client *client = tt_http_client_new(CONNECT_TIMEOUT, 65536);
    struct tt_error why;
    enum tt_status status;

    if (client == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make an HTTP client");
    do
        status = tt_http_connect(client, options->endpoint, &why);
    while (status != TT_OK && tt_clock_monotonic(tt_clock_system()) < end &&
           !tt_stop_wait(stop, CONNECT_PAUSE));
    tt_http_client_free(client);
    if (status == TT_OK)
        return TT_OK;
    return tt_fail(err, TT_UNAVAILABLE, "%s%s", why.message,
                   options->wait > 0 ? "" : " (is it running? --wait 30s gives it time to start)");
}

/* ---- the body in the encoding asked for ---- */

static void no_release(void *context)
{
    (void)context;
}

static enum tt_status encode_json(struct lg_sender *sender, const struct lg_parcel *parcel,
                                  struct tt_str *body, struct tt_error *err)
{
    struct tt_body *wire = tt_body_borrow(body->data, body->len, no_release, NULL);
    struct tt_batch *batch = NULL;
    uint64_t rejected = 0;
    enum tt_status status;

    if (wire == NULL)
        return tt_fail(err, TT_NO_MEMORY, "encode a request as JSON");
    status = tt_batch_parse(parcel->signal, wire, &tt_limits_default, NULL, &batch, &rejected, err);
    tt_body_unref(wire);
    if (status != TT_OK)
        return status;
    tt_buffer_clear(&sender->encoded);
    tt_json_write(batch, NULL, &sender->encoded);
    tt_batch_unref(batch);
    *body = tt_buffer_view(&sender->encoded);
    return tt_buffer_check(&sender->encoded, "encode a request as JSON", err);
}

static enum tt_status encode(struct lg_sender *sender, const struct lg_parcel *parcel,
                             struct tt_str *ret_body, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    *ret_body = parcel->body;
    if (sender->options->json)
        status = encode_json(sender, parcel, ret_body, err);
    if (status != TT_OK || sender->options->compression == TT_ENCODING_IDENTITY)
        return status;
    tt_buffer_clear(&sender->compressed);
    status = tt_compress(sender->options->compression, 0, *ret_body, &sender->compressed, err);
    *ret_body = tt_buffer_view(&sender->compressed);
    return status;
}

/* ---- the answer ---- */

/* One varint field of a protobuf message, 0 when it is not there; for the two small messages of an answer. */
static bool find_field(struct tt_str message, unsigned wanted, uint64_t *ret_number,
                       struct tt_str *ret_bytes)
{
    const uint8_t *at = (const uint8_t *)message.data, *end = at + message.len;

    while (at < end) {
        unsigned tag = *at++, shift = 0;
        uint64_t number = 0;
        do {
            if (at == end || shift > 63)
                return false;
            number |= (uint64_t)(*at & 0x7f) << shift;
            shift += 7;
        } while (*at++ & 0x80);
        if ((tag & 7) == 2 && number > (uint64_t)(end - at))
            return false;
        if (tag >> 3 == wanted) {
            *ret_number = number;
            *ret_bytes = tt_str_of(at, (tag & 7) == 2 ? (size_t)number : 0);
            return true;
        }
        if ((tag & 7) == 2)
            at += number;
    }
    return false;
}

/* partialSuccess.rejected… of an answer in either encoding. */
static uint64_t rejected_items(const struct lg_sender *sender)
{
    struct tt_str body = tt_buffer_view(&sender->reply.body), inner, unused;
    uint64_t rejected = 0, length;

    if (!sender->options->json)
        return find_field(body, 1, &length, &inner) && find_field(inner, 1, &rejected, &unused)
                   ? rejected
                   : 0;
    for (size_t i = 0; i + 12 < body.len; i++) {
        if (!tt_str_starts_with(tt_str_of(body.data + i, body.len - i), TT_STR("\"rejected")))
            continue;
        while (i < body.len && (body.data[i] < '0' || body.data[i] > '9'))
            i++;
        while (i < body.len && body.data[i] >= '0' && body.data[i] <= '9')
            rejected = rejected * 10 + (uint64_t)(body.data[i++] - '0');
        return rejected;
    }
    return 0;
}

static struct lg_count *count_of(struct lg_account *account, enum tt_signal signal)
{
    return signal == TT_TRACES    ? &account->spans
           : signal == TT_METRICS ? &account->points
                                  : &account->records;
}

static void settle(struct lg_sender *sender, const struct lg_parcel *parcel, bool delivered)
{
    struct lg_count *count = count_of(&sender->account, parcel->signal);
    uint64_t rejected = delivered ? rejected_items(sender) : 0;

    count->sent += parcel->items;
    count->rejected += rejected;
    count->accepted += delivered ? parcel->items - rejected : 0;
    count->failed += delivered ? 0 : parcel->items;
    for (unsigned i = 0; i < SHOP_SCENARIOS; i++) {
        sender->account.by_scenario[i].spans_sent += parcel->by_scenario[i];
        sender->account.by_scenario[i].spans_accepted +=
            delivered && rejected == 0 ? parcel->by_scenario[i] : 0;
    }
}

/* ---- sending ---- */

static void note_latency(struct lg_sender *sender, tt_dur latency)
{
    uint64_t slot = sender->n_latencies;

    sender->latencies_seen++;
    if (slot == LG_LATENCIES)
        slot = shop_random_next(&sender->random) % sender->latencies_seen;
    else
        sender->n_latencies++;
    if (slot < LG_LATENCIES)
        sender->latencies[slot] = latency;
}

static unsigned post_once(struct lg_sender *sender, const char *url, struct tt_str body)
{
    static const char *const encodings[] = {"identity", "gzip", "deflate", "zstd"};
    const struct lg_options *options = sender->options;
    struct tt_http_header headers[] = {
        {"Content-Type", options->json ? "application/json" : "application/x-protobuf"},
        {"Content-Encoding", encodings[options->compression]},
    };
    size_t n_headers = options->compression == TT_ENCODING_IDENTITY ? 1 : 2;
    tt_dur begin = tt_clock_monotonic(tt_clock_system());
    enum tt_status status = tt_http_request(sender->client, "POST", url, headers, n_headers, body,
                                            &sender->reply, &sender->last_error);
    unsigned answer = status == TT_OK ? sender->reply.status : 0;

    note_latency(sender, tt_clock_monotonic(tt_clock_system()) - begin);
    sender->account.requests++;
    sender->account.bytes += body.len;
    sender->account.answers[answer / 100 % 6]++;
    return answer;
}

/* The answers after which the same request may be sent again (OTLP specification, "Failures"). */
static bool may_retry(unsigned answer)
{
    return answer == 0 || answer == 429 || (answer >= 502 && answer <= 504);
}

static tt_dur back_off(struct lg_sender *sender, int64_t attempt)
{
    tt_dur wait = (100 * TT_MILLISECOND) << (attempt < 6 ? attempt : 6);

    if (sender->reply.retry_after_ms > 0)
        wait = sender->reply.retry_after_ms * TT_MILLISECOND;
    wait = wait < 5 * TT_SECOND ? wait : 5 * TT_SECOND;
    return wait / 2 + (tt_dur)(shop_random_next(&sender->random) % (uint64_t)(wait / 2 + 1));
}

void lg_send(struct lg_sender *sender, const struct lg_parcel *parcel)
{
    char url[512];
    struct tt_str body;
    unsigned answer = 0;
    int written = snprintf(url, sizeof(url), "%s/v1/%s", sender->options->endpoint,
                           tt_signal_name(parcel->signal));

    if (written < 0 || (size_t)written >= sizeof(url) ||
        encode(sender, parcel, &body, &sender->last_error) != TT_OK) {
        settle(sender, parcel, false);
        return;
    }
    for (int64_t attempt = 0; attempt <= sender->options->max_retries; attempt++) {
        sender->account.retries += attempt > 0;
        answer = post_once(sender, url, body);
        if (!may_retry(answer) || tt_stop_wait(sender->stop, back_off(sender, attempt)))
            break;
    }
    settle(sender, parcel, answer == 200);
}
