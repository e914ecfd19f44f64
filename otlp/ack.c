/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/ack.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct tt_ack {
    _Atomic uint32_t references;
    _Atomic bool delivered;
    tt_ack_done *on_done;
    void *context;
    pthread_mutex_t mu;
    struct tt_ack_result result; /* guarded by mu */
};

struct tt_ack *tt_ack_new(tt_ack_done *on_done, void *context)
{
    struct tt_ack *ack = tt_calloc(1, sizeof(*ack));

    if (ack == NULL)
        return NULL;
    ack->references = 1;
    ack->on_done = on_done;
    ack->context = context;
    (void)pthread_mutex_init(&ack->mu, NULL); /* cannot fail for a default mutex */
    return ack;
}

struct tt_ack *tt_ack_ref(struct tt_ack *ack)
{
    if (ack != NULL)
        atomic_fetch_add_explicit(&ack->references, 1, memory_order_relaxed);
    return ack;
}

void tt_ack_unref(struct tt_ack *ack)
{
    /* Acquire and release: the last one sees what all the others have reported. */
    if (ack == NULL || atomic_fetch_sub_explicit(&ack->references, 1, memory_order_acq_rel) != 1)
        return;
    if (ack->on_done != NULL)
        ack->on_done(ack->context, &ack->result);
    (void)pthread_mutex_destroy(&ack->mu);
    tt_free(ack);
}

void tt_ack_fail(struct tt_ack *ack, enum tt_status status, const struct tt_error *err)
{
    struct tt_ack_result *result;

    if (ack == NULL || status == TT_OK)
        return;
    result = &ack->result;
    pthread_mutex_lock(&ack->mu);
    if (result->status != status && tt_status_worse(result->status, status) == status) {
        result->status = status;
        if (err != NULL)
            result->error = *err;
        else
            (void)tt_fail(&result->error, status, "%s", tt_status_text(status));
    }
    pthread_mutex_unlock(&ack->mu);
}

void tt_ack_reject(struct tt_ack *ack, uint64_t rows, const char *reason)
{
    if (ack == NULL || rows == 0)
        return;
    pthread_mutex_lock(&ack->mu);
    if (ack->result.rejected == 0 && ack->result.status == TT_OK)
        (void)tt_fail(&ack->result.error, TT_INVALID_DATA, "%s", reason);
    ack->result.rejected += rows;
    pthread_mutex_unlock(&ack->mu);
}

void tt_ack_set_delivered(struct tt_ack *ack)
{
    if (ack != NULL)
        atomic_store_explicit(&ack->delivered, true, memory_order_relaxed);
}

bool tt_ack_is_delivered(const struct tt_ack *ack)
{
    return ack != NULL && atomic_load_explicit(&ack->delivered, memory_order_relaxed);
}
