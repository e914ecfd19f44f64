/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "fixture.h"

/*
 * Four senders, the timer, evictions, late rows and a sink that fails now and then: every row comes out exactly once.
 * For ThreadSanitizer.
 */

enum { SENDERS = 4, REQUESTS = 250, ROWS = 24 };

struct sender {
    struct fixture *fixture;
    unsigned number;
    struct tt_thread thread;
    uint64_t refused;
};

static _Atomic uint8_t seen[SENDERS * REQUESTS * ROWS];

static enum tt_status checking_sink(struct tt_consumer *consumer, struct tt_batch **batch,
                                    struct tt_error *err)
{
    struct sink *sink = TT_CONTAINER(consumer, struct sink, consumer);
    struct tt_batch *taken = TT_TAKE(*batch);
    const struct tt_row *row;
    bool fails;

    pthread_mutex_lock(&sink->mu);
    fails = ++sink->n_batches % 7 == 0 && sink->fail != TT_OK;
    if (!fails)
        sink->n_rows += tt_batch_live_rows(taken);
    pthread_mutex_unlock(&sink->mu);
    for (uint32_t i = 0; !fails && (row = tt_batch_next(taken, &i)) != NULL;) {
        uint64_t number = 0;
        for (unsigned k = 0; k < 8; k++)
            number = number << 8 | row->span.span_id[k];
        assert_true(number > 0 && number <= TT_LENGTH(seen));
        assert_int_equal(seen[number - 1]++, 0);
    }
    if (!fails)
        tt_ack_set_delivered(taken->ack);
    tt_batch_unref(taken);
    return fails ? tt_fail(err, TT_UNAVAILABLE, "sink fails") : TT_OK;
}

static void send_all(void *context)
{
    struct sender *sender = context;
    char spec[ROWS * 24];

    for (unsigned i = 0; i < REQUESTS; i++) {
        size_t len = 0;
        for (unsigned k = 0; k < ROWS; k++) {
            unsigned number = (sender->number * REQUESTS + i) * ROWS + k + 1;
            unsigned trace = k % 8 == 0 ? 0 : 1 + (i * 3 + k) % 500; /* shared by the senders */
            if (trace == 0 && sender->fixture->sink.fail != TT_OK)
                trace = 501; /* what passes at once could be refused */
            len += (size_t)snprintf(spec + len, sizeof(spec) - len, "%s%u.%u", k == 0 ? "" : " ",
                                    trace, number);
        }
        if (consume(sender->fixture, rows_of(TT_TRACES, i % 2 ? "web" : "cart", spec)) != TT_OK)
            sender->refused += ROWS;
    }
}

static void every_row_comes_out_once(const char *yaml, enum tt_status fail)
{
    struct sender senders[SENDERS];
    struct fixture f;
    uint64_t refused = 0;

    for (size_t i = 0; i < TT_LENGTH(seen); i++)
        seen[i] = 0;
    fixture_init(&f, TT_TRACES, yaml);
    f.sink.forget = true;
    f.sink.fail = fail;
    f.sink.consumer.consume = checking_sink;
    f.host.clock = tt_clock_system();
    assert_true(fixture_create(&f, TT_TRACES));
    assert_int_equal(f.component->ops->start(f.self, NULL), TT_OK);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.fixture = &f, .number = i};
        assert_ok(tt_thread_start(&senders[i].thread, "sender", send_all, &senders[i], NULL), NULL);
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        tt_thread_join(&senders[i].thread);
        refused += senders[i].refused;
    }
    assert_int_equal(f.component->ops->shutdown(
                         f.self, tt_clock_monotonic(tt_clock_system()) + 60 * TT_SECOND, NULL),
                     TT_OK);
    assert_int_equal(f.sink.n_rows + refused, SENDERS * REQUESTS * ROWS);
    assert_int_equal(meter_value(&f, "telltale_dropped_items", NULL), 0);
    assert_int_equal(meter_value(&f, "telltale_trace_assembler_open_spans", NULL), 0);
    fixture_done(&f);
}

static void when_all_goes_well(void **state)
{
    (void)state;
    every_row_comes_out_once("idle: 5ms\nmax_age: 20ms", TT_OK);
}

static void when_traces_are_evicted(void **state)
{
    (void)state;
    every_row_comes_out_once("idle: 20ms\nmax_spans: 500\nmax_spans_per_trace: 5", TT_OK);
}

static void when_the_sink_fails_now_and_then(void **state)
{
    (void)state;
    every_row_comes_out_once("idle: 5ms\nmax_age: 20ms", TT_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_all_goes_well),
        cmocka_unit_test(when_traces_are_evicted),
        cmocka_unit_test(when_the_sink_fails_now_and_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
