/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

/*
 * Branches are called one after the other; those that change data come last, so that at most they work on the original.
 *
 * While an exporter is stuck, who can send again is refused before any branch sees the batch.
 * A first failure that may be retried ends it: nobody has the data, and the sender will send them again. After a success
 * the batch counts as delivered, and an exporter's edge parks what it cannot deliver instead of failing (edge.c).
 */
static enum tt_status call_branches(struct tt_fanout *fanout, struct tt_batch *original,
                                    struct tt_ack *ack, struct tt_error *err)
{
    enum tt_status worst = TT_OK;

    for (size_t i = 0; i < fanout->count; i++) {
        bool is_last = i + 1 == fanout->count;
        struct tt_batch *branch = is_last ? TT_TAKE(original) : tt_batch_ref(original);
        struct tt_error failure = {.status = TT_OK};
        enum tt_status status = tt_consume(fanout->branches[i], &branch, &failure);

        if (status == TT_OK) {
            tt_ack_set_delivered(ack);
            continue;
        }
        if (tt_status_worse(worst, status) != worst) {
            worst = status;
            if (err != NULL)
                *err = failure;
        }
        if (tt_status_may_retry(status) && ack != NULL && !tt_ack_is_delivered(ack))
            break;
    }
    tt_batch_unref(original);
    return worst;
}

enum tt_status tt_fanout_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                 struct tt_error *err)
{
    struct tt_fanout *fanout = TT_CONTAINER(consumer, struct tt_fanout, consumer);
    struct tt_ack *ack = tt_ack_ref((*batch)->ack);
    struct tt_error refusal = {.status = TT_OK};
    enum tt_status status = TT_OK;

    if (ack != NULL && !tt_ack_is_delivered(ack))
        status = tt_service_check_parked(fanout->service, &refusal);
    if (TT_LIKELY(status == TT_OK)) {
        status = call_branches(fanout, TT_TAKE(*batch), ack, err);
    } else {
        if (err != NULL)
            *err = refusal;
        (void)tt_drop(batch, status, &refusal);
    }
    tt_ack_unref(ack);
    return status;
}
