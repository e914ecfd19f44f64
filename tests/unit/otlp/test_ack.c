/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/ack.h"
#include "otlp/batch.h"
#include "tt_test.h"

#include <pthread.h>
#include <stdatomic.h>

struct answer {
    _Atomic unsigned times;
    struct tt_ack_result result;
};

static void on_done(void *context, const struct tt_ack_result *result)
{
    struct answer *answer = context;

    answer->result = *result;
    atomic_fetch_add(&answer->times, 1);
}

static void the_answer_is_given_once_when_the_last_reference_goes(void **state)
{
    struct answer answer = {0};
    struct tt_ack *ack = tt_ack_new(on_done, &answer);

    (void)state;
    assert_ptr_equal(tt_ack_ref(ack), ack);
    tt_ack_unref(ack);
    assert_int_equal(answer.times, 0);
    tt_ack_unref(ack);
    assert_int_equal(answer.times, 1);
    assert_status(answer.result.status, TT_OK);
    assert_int_equal(answer.result.rejected, 0);
}

static void nobody_waiting_is_allowed(void **state)
{
    (void)state;
    tt_ack_unref(tt_ack_new(NULL, NULL));
    assert_null(tt_ack_ref(NULL));
    tt_ack_unref(NULL);
    tt_ack_fail(NULL, TT_IO, NULL);
    tt_ack_reject(NULL, 3, "x");
    tt_ack_set_delivered(NULL);
    assert_false(tt_ack_is_delivered(NULL));
}

static void the_worst_status_wins_and_keeps_its_first_error(void **state)
{
    static const struct {
        enum tt_status reports[3];
        enum tt_status expected;
        unsigned first; /* the report whose error is told */
    } cases[] = {
        {{TT_OK, TT_OK, TT_OK}, TT_OK, 0},
        {{TT_OK, TT_INVALID_DATA, TT_OK}, TT_INVALID_DATA, 1},
        {{TT_INVALID_DATA, TT_UNAVAILABLE, TT_OK}, TT_UNAVAILABLE, 1},
        {{TT_UNAVAILABLE, TT_INVALID_DATA, TT_UNAVAILABLE}, TT_UNAVAILABLE, 0},
        {{TT_INVALID_DATA, TT_INVALID_DATA, TT_OK}, TT_INVALID_DATA, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct answer answer = {0};
        struct tt_ack *ack = tt_ack_new(on_done, &answer);
        char expected[32];

        for (unsigned r = 0; r < 3; r++) {
            struct tt_error err;
            (void)tt_fail(&err, cases[i].reports[r], "report %u", r);
            tt_ack_fail(ack, cases[i].reports[r], &err);
        }
        tt_ack_unref(ack);
        (void)snprintf(expected, sizeof(expected), "report %u", cases[i].first);
        assert_status(answer.result.status, cases[i].expected);
        if (cases[i].expected != TT_OK)
            assert_string_equal(answer.result.error.message, expected);
    }
}

static void a_failure_without_an_error_is_told_by_its_status(void **state)
{
    struct answer answer = {0};
    struct tt_ack *ack = tt_ack_new(on_done, &answer);

    (void)state;
    tt_ack_fail(ack, TT_TIMEOUT, NULL);
    tt_ack_unref(ack);
    assert_status(answer.result.status, TT_TIMEOUT);
    assert_string_equal(answer.result.error.message, tt_status_text(TT_TIMEOUT));
}

static void rejections_add_up_and_the_first_reason_is_told(void **state)
{
    struct answer answer = {0};
    struct tt_ack *ack = tt_ack_new(on_done, &answer);

    (void)state;
    tt_ack_reject(ack, 0, "none");
    tt_ack_reject(ack, 2, "first");
    tt_ack_reject(ack, 3, "second");
    tt_ack_unref(ack);
    assert_status(answer.result.status, TT_OK);
    assert_int_equal(answer.result.rejected, 5);
    assert_string_equal(answer.result.error.message, "first");
}

static void a_failure_is_told_before_a_rejection(void **state)
{
    struct answer answer = {0};
    struct tt_ack *ack = tt_ack_new(on_done, &answer);
    struct tt_error err;

    (void)state;
    tt_ack_reject(ack, 1, "rejected");
    (void)tt_fail(&err, TT_NO_SPACE, "disk full");
    tt_ack_fail(ack, TT_NO_SPACE, &err);
    tt_ack_reject(ack, 1, "again");
    tt_ack_unref(ack);
    assert_status(answer.result.status, TT_NO_SPACE);
    assert_string_equal(answer.result.error.message, "disk full");
    assert_int_equal(answer.result.rejected, 2);
}

static void delivered_is_remembered(void **state)
{
    struct tt_ack *ack = tt_ack_new(NULL, NULL);

    (void)state;
    assert_false(tt_ack_is_delivered(ack));
    tt_ack_set_delivered(ack);
    assert_true(tt_ack_is_delivered(ack));
    tt_ack_unref(ack);
}

static void no_memory_gives_no_ack(void **state)
{
    (void)state;
    tt_mem_fail_after(1);
    assert_null(tt_ack_new(NULL, NULL));
    tt_mem_fail_after(0);
}

/* ---- threads: for ThreadSanitizer, and for counts that must come out even without it ---- */

#define THREADS 4
#define ROUNDS  2000

struct shared {
    struct tt_ack *ack;
    struct tt_batch *batch;
    struct tt_body *body;
};

static void *report_and_let_go(void *context)
{
    struct shared *shared = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct tt_ack *ack = tt_ack_ref(shared->ack);
        tt_ack_reject(ack, 1, "one");
        if (i == ROUNDS / 2)
            tt_ack_fail(ack, TT_UNAVAILABLE, NULL);
        tt_ack_set_delivered(ack);
        tt_ack_unref(ack);
    }
    tt_ack_unref(shared->ack);
    return NULL;
}

static void threads_share_an_ack(void **state)
{
    struct answer answer = {0};
    struct shared shared = {.ack = tt_ack_new(on_done, &answer)};
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        (void)tt_ack_ref(shared.ack);
        assert_int_equal(pthread_create(&threads[i], NULL, report_and_let_go, &shared), 0);
    }
    tt_ack_unref(shared.ack);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(answer.times, 1);
    assert_int_equal(answer.result.rejected, THREADS * ROUNDS);
    assert_status(answer.result.status, TT_UNAVAILABLE);
}

static void released(void *context)
{
    atomic_fetch_add((_Atomic unsigned *)context, 1);
}

/* Each thread makes the batch its own, changes it, and lets go; some keep the memory of their clone a little longer. */
static void *clone_and_change(void *context)
{
    struct shared *shared = context;
    static const struct tt_column_desc desc = {"a", TT_COLUMN_INT, ""};

    for (int i = 0; i < ROUNDS / 10; i++) {
        struct tt_batch *batch = tt_batch_ref(shared->batch), *second;
        struct tt_column *column;

        assert_ok(tt_batch_make_writable(&batch, NULL), NULL);
        assert_ptr_not_equal(batch, shared->batch);
        column = tt_batch_column(batch, &desc);
        tt_column_set_int(column, 0, i);
        tt_row_drop(batch, &batch->rows[1]);
        second = tt_batch_ref(batch);
        assert_ok(tt_batch_make_writable(&second, NULL), NULL);
        tt_batch_unref(batch);
        assert_int_equal(tt_batch_live_rows(second), 1);
        assert_str(second->rows[0].span.name, "name");
        tt_batch_unref(second);
        tt_body_unref(tt_body_ref(shared->body));
    }
    tt_batch_unref(shared->batch);
    return NULL;
}

static void threads_share_a_batch_and_its_body(void **state)
{
    static const char wire[] = "\x2a\x04name"; /* Span.name */
    struct answer answer = {0};
    _Atomic unsigned times = 0;
    struct shared shared = {.batch = tt_batch_new(TT_TRACES, 0)};
    pthread_t threads[THREADS];

    (void)state;
    shared.body = tt_body_borrow(wire, sizeof(wire) - 1, released, &times);
    assert_true(tt_batch_keep_body(shared.batch, shared.body));
    shared.batch->ack = tt_ack_new(on_done, &answer);
    (void)tt_batch_add_resource(shared.batch, (struct tt_str){NULL, 0}, (struct tt_str){NULL, 0});
    (void)tt_batch_add_scope(shared.batch, 0, (struct tt_str){NULL, 0}, (struct tt_str){NULL, 0});
    for (int i = 0; i < 2; i++)
        (void)tt_batch_add_row(shared.batch, 0, 0, tt_body_view(shared.body));
    for (int i = 0; i < THREADS; i++)
        (void)tt_batch_ref(shared.batch);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, clone_and_change, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(answer.times, 0);
    assert_int_equal(shared.batch->n_dropped, 0);
    tt_batch_unref(shared.batch);
    assert_int_equal(answer.times, 1);
    assert_int_equal(times, 0);
    tt_body_unref(shared.body);
    assert_int_equal(times, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_given_once_when_the_last_reference_goes),
        cmocka_unit_test(nobody_waiting_is_allowed),
        cmocka_unit_test(the_worst_status_wins_and_keeps_its_first_error),
        cmocka_unit_test(a_failure_without_an_error_is_told_by_its_status),
        cmocka_unit_test(rejections_add_up_and_the_first_reason_is_told),
        cmocka_unit_test(a_failure_is_told_before_a_rejection),
        cmocka_unit_test(delivered_is_remembered),
        cmocka_unit_test(no_memory_gives_no_ack),
        cmocka_unit_test(threads_share_an_ack),
        cmocka_unit_test(threads_share_a_batch_and_its_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
