/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loadgen_run.h"

#include "cli/loadgen_send.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX        ((size_t)256 << 20)
#define PACE            (5 * TT_MILLISECOND)
#define LOG_ONE_IN      20
#define POINTS_A_REPORT 4

/* ---- paced: every service has a queue and a tick ---- */

/* One request to be: spans of one service. */
struct chunk {
    struct tt_buffer items;
    struct lg_parcel parcel;
    struct chunk *next;
};

struct service_queue {
    struct chunk *first, *last;
    struct tt_buffer logs;
    uint64_t n_logs;
    struct lg_service_stats stats;
    tt_dur next_tick;
};

struct paced {
    const struct lg_options *options;
    struct lg_sender sender;
    struct service_queue queues[SHOP_SERVICES];
    struct shop_random random;
    struct shop_trace trace;
    struct tt_buffer body;
    uint64_t spans, wall_begin_ns;
    bool out_of_memory;
};

static struct chunk *new_chunk(struct service_queue *queue)
{
    struct chunk *chunk = tt_calloc(1, sizeof(*chunk));

    if (chunk == NULL)
        return NULL;
    tt_buffer_init(&chunk->items, BODY_MAX);
    if (queue->last != NULL)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
    return chunk;
}

static void queue_span(struct paced *paced, uint32_t index, uint64_t begin_ns)
{
    const struct shop_trace *trace = &paced->trace;
    const struct shop_span *span = &trace->spans[index];
    struct service_queue *queue = &paced->queues[span->service];
    struct chunk *chunk = queue->last;

    if (chunk == NULL || chunk->parcel.items >= (uint64_t)paced->options->spans_per_request)
        chunk = new_chunk(queue);
    if (chunk == NULL) {
        paced->out_of_memory = true;
        return;
    }
    lg_encode_span(trace, index, paced->options->labels, begin_ns, &chunk->items);
    chunk->parcel.items++;
    chunk->parcel.by_scenario[trace->scenario]++;
    paced->spans++;
}

static void queue_log(struct paced *paced, uint32_t index, uint64_t begin_ns)
{
    const struct shop_span *span = &paced->trace.spans[index];
    struct service_queue *queue = &paced->queues[span->service];

    lg_stats_add(&queue->stats, span);
    if (span->error.len == 0 && shop_random_next(&paced->random) % LOG_ONE_IN != 0)
        return;
    lg_encode_log(&paced->trace, index, begin_ns, &queue->logs);
    queue->n_logs++;
}

static enum shop_scenario pick_scenario(const struct lg_options *options,
                                        struct shop_random *random, tt_dur now)
{
    if (options->scenario >= 0)
        return (enum shop_scenario)options->scenario;
    if (options->mixed || options->requests > 0)
        return (enum shop_scenario)(shop_random_next(random) % SHOP_SCENARIOS);
    now = now < options->duration ? now : options->duration - 1;
    return (enum shop_scenario)(now / (options->duration / SHOP_SCENARIOS + 1));
}

/* Plays one trace that ends now. */
static void play_trace(struct paced *paced, tt_dur now)
{
    const struct lg_options *options = paced->options;
    struct shop_trace *trace = &paced->trace;
    uint64_t begin_ns;

    shop_play(&paced->random, pick_scenario(options, &paced->random, now),
              options->labels == LG_LABELS_ROOT_ONLY, trace);
    begin_ns = paced->wall_begin_ns + (uint64_t)now - trace->duration_us * 1000;
    paced->sender.account.traces++;
    paced->sender.account.by_scenario[trace->scenario].traces++;
    for (uint32_t i = 0; i < trace->count; i++) {
        if (trace->spans[i].lost) {
            paced->sender.account.lost_by_design++;
            continue;
        }
        queue_span(paced, i, begin_ns);
        if (options->metrics_and_logs && !trace->spans[i].is_client)
            queue_log(paced, i, begin_ns);
    }
}

static void send_items(struct paced *paced, enum shop_service service, struct lg_parcel *parcel,
                       struct tt_buffer *items)
{
    tt_buffer_clear(&paced->body);
    lg_encode_request(service, tt_buffer_view(items), &paced->body);
    parcel->body = tt_buffer_view(&paced->body);
    lg_send(&paced->sender, parcel);
}

static void send_spans(struct paced *paced, enum shop_service service)
{
    struct service_queue *queue = &paced->queues[service];
    struct chunk *chunk;

    while ((chunk = queue->first) != NULL) {
        queue->first = chunk->next;
        chunk->parcel.signal = TT_TRACES;
        send_items(paced, service, &chunk->parcel, &chunk->items);
        tt_buffer_done(&chunk->items);
        tt_free(chunk);
    }
    queue->last = NULL;
}

static void send_logs(struct paced *paced, enum shop_service service)
{
    struct service_queue *queue = &paced->queues[service];
    struct lg_parcel parcel = {.signal = TT_LOGS, .items = queue->n_logs};

    if (queue->n_logs == 0)
        return;
    send_items(paced, service, &parcel, &queue->logs);
    tt_buffer_clear(&queue->logs);
    queue->n_logs = 0;
}

static void send_metrics(struct paced *paced, enum shop_service service, tt_dur now)
{
    struct service_queue *queue = &paced->queues[service];
    struct lg_parcel parcel = {.signal = TT_METRICS, .items = POINTS_A_REPORT};

    if (queue->stats.requests == 0)
        return;
    lg_encode_metrics(&queue->stats, paced->wall_begin_ns, paced->wall_begin_ns + (uint64_t)now,
                      (uint64_t)paced->options->export_interval, &queue->logs);
    send_items(paced, service, &parcel, &queue->logs);
    tt_buffer_clear(&queue->logs);
    queue->stats.busy_us = 0;
}

static void export_service(struct paced *paced, enum shop_service service, tt_dur now)
{
    send_spans(paced, service);
    send_logs(paced, service);
    if (paced->options->metrics_and_logs)
        send_metrics(paced, service, now);
}

static void run_ticks(struct paced *paced, tt_dur now)
{
    for (unsigned i = 0; i < SHOP_SERVICES; i++) {
        struct service_queue *queue = &paced->queues[i];
        if (now < queue->next_tick)
            continue;
        export_service(paced, (enum shop_service)i, now);
        while (queue->next_tick <= now)
            queue->next_tick += paced->options->export_interval;
    }
}

static void show_progress(const struct paced *paced, tt_dur now, tt_dur *last)
{
    const struct lg_count *spans = &paced->sender.account.spans;
    const struct lg_options *options = paced->options;

    if (!options->progress || now - *last < TT_SECOND)
        return;
    *last = now;
    fprintf(stderr, "\r%3lld%%  %llu spans sent, %llu accepted, %llu retries, %llds left   ",
            (long long)(now * 100 / options->duration), (unsigned long long)spans->sent,
            (unsigned long long)spans->accepted, (unsigned long long)paced->sender.account.retries,
            (long long)((options->duration - now) / TT_SECOND));
}

static void pace(struct paced *paced, struct tt_stop *stop)
{
    const struct lg_options *options = paced->options;
    tt_dur begin = tt_clock_monotonic(tt_clock_system()), shown = 0, now = 0;

    do {
        now = tt_clock_monotonic(tt_clock_system()) - begin;
        now = now < options->duration ? now : options->duration;
        while ((double)paced->spans < (double)options->rate * (double)now / 1e9 &&
               !paced->out_of_memory)
            play_trace(paced, now);
        run_ticks(paced, now);
        show_progress(paced, now, &shown);
    } while (now < options->duration && !paced->out_of_memory && !tt_stop_wait(stop, PACE));
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        export_service(paced, (enum shop_service)i, now);
    if (options->progress)
        fprintf(stderr, "\r%*s\r", 79, "");
}

static void init_queues(struct paced *paced)
{
    for (unsigned i = 0; i < SHOP_SERVICES; i++) {
        tt_buffer_init(&paced->queues[i].logs, BODY_MAX);
        paced->queues[i].next_tick = paced->options->export_interval * (i + 1) / SHOP_SERVICES;
    }
    tt_buffer_init(&paced->body, BODY_MAX);
}

static void done_queues(struct paced *paced)
{
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_done(&paced->queues[i].logs);
    tt_buffer_done(&paced->body);
}

/* ---- the account ---- */

static int compare_durations(const void *a, const void *b)
{
    tt_dur x = *(const tt_dur *)a, y = *(const tt_dur *)b;

    return (x > y) - (x < y);
}

static void take_latencies(struct lg_sender *sender, struct lg_account *account)
{
    if (sender->n_latencies == 0)
        return;
    qsort(sender->latencies, sender->n_latencies, sizeof(*sender->latencies), compare_durations);
    account->latency_p50 = sender->latencies[sender->n_latencies / 2];
    account->latency_p99 = sender->latencies[sender->n_latencies * 99 / 100];
}

static void add_count(struct lg_count *sum, const struct lg_count *more)
{
    sum->sent += more->sent;
    sum->accepted += more->accepted;
    sum->rejected += more->rejected;
    sum->failed += more->failed;
}

static void add_account(struct lg_account *sum, const struct lg_account *more)
{
    add_count(&sum->spans, &more->spans);
    add_count(&sum->points, &more->points);
    add_count(&sum->records, &more->records);
    for (unsigned i = 0; i < SHOP_SCENARIOS; i++) {
        sum->by_scenario[i].traces += more->by_scenario[i].traces;
        sum->by_scenario[i].spans_sent += more->by_scenario[i].spans_sent;
        sum->by_scenario[i].spans_accepted += more->by_scenario[i].spans_accepted;
    }
    for (unsigned i = 0; i < TT_LENGTH(sum->answers); i++)
        sum->answers[i] += more->answers[i];
    sum->traces += more->traces;
    sum->lost_by_design += more->lost_by_design;
    sum->requests += more->requests;
    sum->retries += more->retries;
    sum->bytes += more->bytes;
}

static enum tt_status verdict(const struct lg_account *account, const struct tt_error *last,
                              struct tt_error *err)
{
    if (account->answers[2] > 0 || account->requests == 0)
        return TT_OK;
    return tt_fail(err, TT_UNAVAILABLE, "deliver to the endpoint: %s",
                   account->answers[4] + account->answers[5] > 0 ? "every request was refused"
                                                                 : last->message);
}

static enum tt_status run_paced(const struct lg_options *options, struct tt_stop *stop,
                                struct lg_account *ret_account, struct tt_error *err)
{
    struct paced *paced = tt_calloc(1, sizeof(*paced));
    enum tt_status status;

    if (paced == NULL)
        return tt_fail(err, TT_NO_MEMORY, "start the load");
    paced->options = options;
    paced->random.state = options->seed;
    paced->wall_begin_ns = tt_clock_wall(tt_clock_system());
    status = lg_sender_init(&paced->sender, options, stop, options->seed ^ 0x5eed, err);
    if (status == TT_OK) {
        init_queues(paced);
        pace(paced, stop);
        add_account(ret_account, &paced->sender.account);
        take_latencies(&paced->sender, ret_account);
        status = paced->out_of_memory ? tt_fail(err, TT_NO_MEMORY, "queue a span")
                                      : verdict(ret_account, &paced->sender.last_error, err);
        done_queues(paced);
        lg_sender_done(&paced->sender);
    }
    tt_free(paced);
    return status;
}

/* ---- burst: whole traces, as fast as they are taken ---- */

struct burst {
    const struct lg_options *options;
    struct tt_thread thread;
    struct lg_sender sender;
    struct shop_random random;
    struct shop_trace trace;
    struct tt_buffer items[SHOP_SERVICES], body;
    int64_t requests; /* of this connection */
};

static void add_trace(struct burst *burst, struct lg_parcel *parcel)
{
    const struct lg_options *options = burst->options;
    struct shop_trace *trace = &burst->trace;
    uint64_t now_ns = tt_clock_wall(tt_clock_system());

    shop_play(&burst->random, pick_scenario(options, &burst->random, 0),
              options->labels == LG_LABELS_ROOT_ONLY, trace);
    burst->sender.account.traces++;
    burst->sender.account.by_scenario[trace->scenario].traces++;
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct shop_span *span = &trace->spans[i];
        burst->sender.account.lost_by_design += span->lost;
        if (span->lost)
            continue;
        lg_encode_span(trace, i, options->labels, now_ns - trace->duration_us * 1000,
                       &burst->items[span->service]);
        parcel->items++;
        parcel->by_scenario[trace->scenario]++;
    }
}

static void fill_request(struct burst *burst, struct lg_parcel *parcel)
{
    *parcel = (struct lg_parcel){.signal = TT_TRACES};
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_clear(&burst->items[i]);
    tt_buffer_clear(&burst->body);
    while (parcel->items < (uint64_t)burst->options->spans_per_request)
        add_trace(burst, parcel);
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        if (burst->items[i].len > 0)
            lg_encode_request((enum shop_service)i, tt_buffer_view(&burst->items[i]), &burst->body);
    parcel->body = tt_buffer_view(&burst->body);
}

static void burst_body(void *context)
{
    struct burst *burst = context;
    struct lg_parcel parcel;

    for (int64_t i = 0; i < burst->requests && !tt_stop_wait(burst->sender.stop, 0); i++) {
        fill_request(burst, &parcel);
        lg_send(&burst->sender, &parcel);
    }
}

static enum tt_status start_burst(struct burst *burst, const struct lg_options *options,
                                  struct tt_stop *stop, int64_t index, struct tt_error *err)
{
    enum tt_status status;

    burst->options = options;
    burst->random.state = options->seed + (uint64_t)index * UINT64_C(0x1000003);
    burst->requests = options->requests / options->connections +
                      (index < options->requests % options->connections);
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_init(&burst->items[i], BODY_MAX);
    tt_buffer_init(&burst->body, BODY_MAX);
    status = lg_sender_init(&burst->sender, options, stop, burst->random.state ^ 0x5eed, err);
    return status == TT_OK ? tt_thread_start(&burst->thread, "loadgen", burst_body, burst, err)
                           : status;
}

static void end_burst(struct burst *burst, struct lg_account *account)
{
    tt_thread_join(&burst->thread);
    add_account(account, &burst->sender.account);
    if (account->latency_p50 == 0)
        take_latencies(&burst->sender, account);
    for (unsigned i = 0; i < SHOP_SERVICES; i++)
        tt_buffer_done(&burst->items[i]);
    tt_buffer_done(&burst->body);
    lg_sender_done(&burst->sender);
}

static enum tt_status run_burst(const struct lg_options *options, struct tt_stop *stop,
                                struct lg_account *ret_account, struct tt_error *err)
{
    struct burst *bursts = tt_calloc((size_t)options->connections, sizeof(*bursts));
    struct tt_error last = {.message = "no answer"};
    enum tt_status status = TT_OK;

    if (bursts == NULL)
        return tt_fail(err, TT_NO_MEMORY, "start %lld connections",
                       (long long)options->connections);
    for (int64_t i = 0; i < options->connections && status == TT_OK; i++)
        status = start_burst(&bursts[i], options, stop, i, err);
    for (int64_t i = 0; i < options->connections; i++) {
        if (bursts[i].options == NULL)
            continue;
        end_burst(&bursts[i], ret_account);
        if (bursts[i].sender.account.answers[0] > 0)
            last = bursts[i].sender.last_error;
    }
    tt_free(bursts);
    return status == TT_OK ? verdict(ret_account, &last, err) : status;
}

enum tt_status lg_run(const struct lg_options *options, struct tt_stop *stop,
                      struct lg_account *ret_account, struct tt_error *err)
{
    enum tt_status status;
    tt_dur begin;

    *ret_account = (struct lg_account){0};
    status = lg_find_endpoint(options, stop, err);
    if (status != TT_OK)
        return status;
    begin = tt_clock_monotonic(tt_clock_system());
    status = options->requests > 0 ? run_burst(options, stop, ret_account, err)
                                   : run_paced(options, stop, ret_account, err);
    ret_account->elapsed = tt_clock_monotonic(tt_clock_system()) - begin;
    return status;
}
