/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "fakes.h"

/* Run under ThreadSanitizer: senders, an exporter that fails now and then, and a shutdown in the middle. */

enum { SENDERS = 4, BATCHES = 300, ROWS = 3 };

struct sender {
    struct tt_thread thread;
    _Atomic uint64_t *answers;
    uint64_t accepted;
};

static void count_answer(void *context, const struct tt_ack_result *result)
{
    (void)result;
    atomic_fetch_add((_Atomic uint64_t *)context, 1);
}

static void send_batches(void *context)
{
    struct sender *sender = context;
    struct fake *source = fake_find("source", 0);
    struct tt_error err;

    for (int i = 0; i < BATCHES; i++) {
        struct tt_ack *ack = tt_ack_new(count_answer, sender->answers);
        struct tt_batch *batch;
        if (tt_host_admission(source->args.host, &err) != TT_OK) {
            tt_ack_unref(ack);
            continue;
        }
        batch = fake_batch(TT_TRACES, ROWS, ack);
        tt_ack_unref(ack);
        if (tt_consume(source->args.next[0], &batch, &err) == TT_OK)
            sender->accepted++;
        if (i % 50 == 0) {
            fake_find("sink/b", 0)->fail_with = TT_IO;
            fake_find("sink/b", 0)->fail_next = 1;
        }
    }
}

static void what_was_accepted_is_delivered_once_by_each(void **state)
{
    _Atomic uint64_t answers = 0;
    struct sender senders[SENDERS] = {{.accepted = 0}};
    struct fixture f;
    struct tt_error err;
    uint64_t accepted = 0;

    (void)state;
    fixture_start(
        &f, "receivers: {source: }\nprocessors: {pass: , stamp: }\n"
            "exporters: {sink/a: , sink/b: }\nservice:\n  pipelines:\n"
            "    traces/1: {receivers: [source], processors: [pass], exporters: [sink/a]}\n"
            "    traces/2: {receivers: [source], processors: [stamp], exporters: [sink/b]}\n");
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i].answers = &answers;
        assert_ok(tt_thread_start(&senders[i].thread, "sender", send_batches, &senders[i], &err),
                  &err);
    }
    for (size_t i = 0; i < SENDERS; i++)
        tt_thread_join(&senders[i].thread);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(60 * TT_SECOND), &err), &err);
    for (size_t i = 0; i < SENDERS; i++)
        accepted += senders[i].accepted;
    assert_true(accepted > 0);
    assert_int_equal(answers, SENDERS * BATCHES);
    assert_int_equal(fake_find("sink/a", 0)->rows, accepted * ROWS);
    assert_int_equal(fake_find("sink/b", 0)->rows, accepted * ROWS);
    fixture_done(&f);
}

static void shutdown_while_data_flow_loses_nothing_that_was_accepted(void **state)
{
    _Atomic uint64_t answers = 0;
    struct sender senders[SENDERS] = {{.accepted = 0}};
    struct fixture f;
    struct tt_error err;
    uint64_t accepted = 0;

    (void)state;
    fixture_start(&f, "receivers: {source: }\nexporters: {sink/a: , sink/b: }\n"
                      "service:\n  pipelines:\n"
                      "    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n");
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i].answers = &answers;
        assert_ok(tt_thread_start(&senders[i].thread, "sender", send_batches, &senders[i], &err),
                  &err);
    }
    /* The fake receiver does not stop its senders: admission does. What is still under way may be parked while the
     * exporters are closed, so the senders end first and then the rest is drained. */
    atomic_fetch_or(&f.service->closed, TT_CLOSED_STOPPING);
    for (size_t i = 0; i < SENDERS; i++)
        tt_thread_join(&senders[i].thread);
    assert_ok(tt_service_shutdown(f.service, fake_deadline(60 * TT_SECOND), &err), &err);
    for (size_t i = 0; i < SENDERS; i++)
        accepted += senders[i].accepted;
    assert_int_equal(fake_find("sink/a", 0)->rows, accepted * ROWS);
    assert_int_equal(fake_find("sink/b", 0)->rows, accepted * ROWS);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_accepted_is_delivered_once_by_each),
        cmocka_unit_test(shutdown_while_data_flow_loses_nothing_that_was_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
