/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_THREAD_H
#define TT_BASE_THREAD_H

/*
 * Named threads, and a flag that asks one to stop.
 *
 * Threads start with all signals blocked (the main thread takes them) and a 256 KiB stack.
 * Waiting is on a condition with a monotonic deadline, never sleeping.
 */

#include "base/clock.h"
#include "base/error.h"

#include <pthread.h>

struct tt_thread {
    pthread_t id;
    bool running;
};

/* name: at most 15 bytes, shown by ps and debuggers. body(context) runs in the new thread. */
enum tt_status tt_thread_start(struct tt_thread *thread, const char *name, void (*body)(void *),
                               void *context, struct tt_error *err) TT_CHECKED;
/* Waits for its end. A thread that was not started, or was joined, is a no-op. */
void tt_thread_join(struct tt_thread *thread);

/* A stop flag that can be waited for. */
struct tt_stop {
    pthread_mutex_t mu;
    pthread_cond_t cond; /* of the monotonic clock */
    bool requested;      /* guarded by mu */
};
void tt_stop_init(struct tt_stop *stop);
void tt_stop_done(struct tt_stop *stop);
void tt_stop_request(struct tt_stop *stop);
/* Waits until requested or for at most `wait`; true when requested. */
bool tt_stop_wait(struct tt_stop *stop, tt_dur wait);

/* A condition variable of the monotonic clock. */
void tt_cond_init(pthread_cond_t *cond);
/* As pthread_cond_timedwait with a deadline of tt_clock_monotonic(tt_clock_system()); false when it passed. */
bool tt_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mu, tt_dur deadline);

/* Processors this process may run on (affinity mask, at least 1). */
unsigned tt_cpu_count(void);

#endif
