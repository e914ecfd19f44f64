/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "tt_test.h"

#include <sched.h>
#include <signal.h>

struct report {
    char name[16];
    size_t stack_size;
    bool signals_blocked;
};

static void report_self(void *context)
{
    struct report *report = context;
    pthread_attr_t attributes;
    sigset_t mask;

    (void)pthread_getname_np(pthread_self(), report->name, sizeof(report->name));
    (void)pthread_getattr_np(pthread_self(), &attributes);
    (void)pthread_attr_getstacksize(&attributes, &report->stack_size);
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    report->signals_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
}

static void a_thread_has_name_stack_and_no_signals(void **state)
{
    struct report report = {.stack_size = 0};
    struct tt_thread thread;
    struct tt_error err;
    sigset_t mask;

    (void)state;
    assert_ok(tt_thread_start(&thread, "a-name-far-too-long", report_self, &report, &err), &err);
    assert_true(thread.running);
    tt_thread_join(&thread);
    assert_false(thread.running);
    tt_thread_join(&thread);
    assert_string_equal(report.name, "a-name-far-too-");
    assert_true(report.stack_size >= 256 * 1024);
    assert_true(report.stack_size <= 4096 * 1024);
    assert_true(report.signals_blocked);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void a_thread_that_cannot_start_is_not_joined(void **state)
{
    struct tt_thread thread;
    struct tt_error err;

    (void)state;
    tt_mem_fail_after(1);
    assert_status(tt_thread_start(&thread, "t", report_self, NULL, &err), TT_NO_MEMORY);
    tt_mem_fail_after(0);
    assert_string_equal(err.message, "start thread t: out of memory");
    assert_false(thread.running);
    tt_thread_join(&thread);
}

static void a_wait_ends_when_its_time_is_over(void **state)
{
    struct tt_stop stop;
    tt_dur before;

    (void)state;
    tt_stop_init(&stop);
    before = tt_clock_monotonic(tt_clock_system());
    assert_false(tt_stop_wait(&stop, 20 * TT_MILLISECOND));
    assert_true(tt_clock_monotonic(tt_clock_system()) - before >= 20 * TT_MILLISECOND);
    assert_false(tt_stop_wait(&stop, 0));
    assert_false(tt_stop_wait(&stop, -1));
    assert_false(tt_stop_wait(&stop, INT64_MIN));
    tt_stop_request(&stop);
    tt_stop_request(&stop);
    assert_true(tt_stop_wait(&stop, 0));
    assert_true(tt_stop_wait(&stop, INT64_MAX));
    tt_stop_done(&stop);
}

struct waiter {
    struct tt_stop stop;
    _Atomic int waiting;
    bool requested;
};

static void wait_forever(void *context)
{
    struct waiter *waiter = context;

    atomic_store(&waiter->waiting, 1);
    waiter->requested = tt_stop_wait(&waiter->stop, INT64_MAX);
}

static void a_request_wakes_who_waits(void **state)
{
    struct waiter waiter = {.requested = false};
    struct tt_thread thread;
    struct tt_error err;

    (void)state;
    tt_stop_init(&waiter.stop);
    assert_ok(tt_thread_start(&thread, "waiter", wait_forever, &waiter, &err), &err);
    while (!atomic_load(&waiter.waiting))
        sched_yield();
    tt_stop_request(&waiter.stop);
    tt_thread_join(&thread);
    assert_true(waiter.requested);
    tt_stop_done(&waiter.stop);
}

static void a_condition_waits_until_its_deadline(void **state)
{
    pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    tt_dur deadline = tt_clock_monotonic(tt_clock_system()) + 10 * TT_MILLISECOND;

    (void)state;
    tt_cond_init(&cond);
    pthread_mutex_lock(&mu);
    while (tt_cond_wait_until(&cond, &mu, deadline))
        continue;
    assert_true(tt_clock_monotonic(tt_clock_system()) >= deadline);
    assert_false(tt_cond_wait_until(&cond, &mu, INT64_MIN));
    pthread_mutex_unlock(&mu);
    pthread_cond_destroy(&cond);
}

static void processors_are_those_allowed(void **state)
{
    cpu_set_t before, one;
    size_t first = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    assert_int_equal(tt_cpu_count(), CPU_COUNT(&before));
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(tt_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_name_stack_and_no_signals),
        cmocka_unit_test(a_thread_that_cannot_start_is_not_joined),
        cmocka_unit_test(a_wait_ends_when_its_time_is_over),
        cmocka_unit_test(a_request_wakes_who_waits),
        cmocka_unit_test(a_condition_waits_until_its_deadline),
        cmocka_unit_test(processors_are_those_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
