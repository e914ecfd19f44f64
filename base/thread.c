/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include "base/mem.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_SIZE (2048 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_SIZE (2048 * 1024)
#endif
#endif
#ifndef STACK_SIZE
#define STACK_SIZE (256 * 1024)
#endif

/* What the new thread needs; it frees it. */
struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument)
{
    struct start start = *(struct start *)argument;

    tt_free(argument);
    (void)pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

/* The signal mask is inherited, so it is changed around the creation: no signal reaches the new thread
 * between its start and a mask that it would set itself. */
static int create(pthread_t *ret_id, struct start *start)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int code;

    code = pthread_attr_init(&attributes);
    if (code != 0)
        return code;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (code == 0)
        code = pthread_create(ret_id, &attributes, run, start);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return code;
}

enum tt_status tt_thread_start(struct tt_thread *thread, const char *name, void (*body)(void *),
                               void *context, struct tt_error *err)
{
    struct start *start = tt_malloc(sizeof(*start));

    thread->running = false;
    if (start == NULL)
        return tt_fail(err, TT_NO_MEMORY, "start thread %s: out of memory", name);
    *start = (struct start){.body = body, .context = context};
    (void)snprintf(start->name, sizeof(start->name), "%s", name);
    errno = create(&thread->id, start);
    if (errno != 0) {
        tt_free(start);
        return tt_fail_errno(err, "start thread %s", name);
    }
    thread->running = true;
    return TT_OK;
}

void tt_thread_join(struct tt_thread *thread)
{
    if (!thread->running)
        return;
    (void)pthread_join(thread->id, NULL);
    thread->running = false;
}

void tt_stop_init(struct tt_stop *stop)
{
    (void)pthread_mutex_init(&stop->mu, NULL); /* cannot fail on Linux, nor can the condition */
    tt_cond_init(&stop->cond);
    stop->requested = false;
}

void tt_stop_done(struct tt_stop *stop)
{
    (void)pthread_cond_destroy(&stop->cond);
    (void)pthread_mutex_destroy(&stop->mu);
}

void tt_stop_request(struct tt_stop *stop)
{
    pthread_mutex_lock(&stop->mu);
    stop->requested = true;
    pthread_cond_broadcast(&stop->cond);
    pthread_mutex_unlock(&stop->mu);
}

bool tt_stop_wait(struct tt_stop *stop, tt_dur wait)
{
    tt_dur deadline;
    bool requested;

    if (__builtin_add_overflow(tt_clock_monotonic(tt_clock_system()), wait, &deadline))
        deadline = wait < 0 ? 0 : INT64_MAX;
    pthread_mutex_lock(&stop->mu);
    while (!stop->requested && tt_cond_wait_until(&stop->cond, &stop->mu, deadline))
        continue;
    requested = stop->requested;
    pthread_mutex_unlock(&stop->mu);
    return requested;
}

void tt_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

bool tt_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mu, tt_dur deadline)
{
    tt_dur at = deadline < 0 ? 0 : deadline;
    struct timespec until = {.tv_sec = at / TT_SECOND, .tv_nsec = at % TT_SECOND};

    return pthread_cond_timedwait(cond, mu, &until) != ETIMEDOUT;
}

unsigned tt_cpu_count(void)
{
    cpu_set_t set;
    long online;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t can hold */
    return online < 1 ? 1 : (unsigned)online;
}
