/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_ACK_H
#define TT_OTLP_ACK_H

/*
 * What a batch owes its sender: one answer, given when the last holder of the data lets go.
 *
 * Purpose:   whoever finishes later (a queue, a journal, a stream) completes the answer later, without a waiting thread.
 * Ownership: reference-counted. Every batch that carries a sender's rows holds one reference; so may anybody else.
 * Threads:   all functions from any thread. on_done runs once, on the thread that drops the last reference.
 */

#include "base/error.h"

struct tt_ack;

struct tt_ack_result {
    enum tt_status status; /* the worst that was reported (tt_status_worse) */
    uint64_t rejected;     /* rows refused one by one; the rest was accepted */
    /* the first failure of the worst status, or the first rejection's text */
    struct tt_error error;
};

typedef void tt_ack_done(void *context, const struct tt_ack_result *result);

/* One reference, TT_OK, nothing rejected. NULL when memory is gone. */
struct tt_ack *tt_ack_new(tt_ack_done *on_done, void *context);
struct tt_ack *tt_ack_ref(struct tt_ack *ack); /* NULL gives NULL */
void tt_ack_unref(struct tt_ack *ack);         /* NULL is a no-op */
/* Records a failure of all the rows behind a reference. err may be NULL. ack may be NULL. */
void tt_ack_fail(struct tt_ack *ack, enum tt_status status, const struct tt_error *err);
/* Records that `rows` rows were refused for good while others were taken. ack may be NULL. */
void tt_ack_reject(struct tt_ack *ack, uint64_t rows, const char *reason);

/* An exporter has, or a processor keeps, some of these rows: from now on sending all of them again would make duplicates,
 * so the engine parks what fails later instead of failing the ack. ack may be NULL. One relaxed atomic. */
void tt_ack_set_delivered(struct tt_ack *ack);
bool tt_ack_is_delivered(const struct tt_ack *ack); /* NULL: false */

#endif
