/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/batch.h"

#include <stdatomic.h>

struct tt_body {
    _Atomic uint32_t references;
    struct tt_str view;
    void (*release)(void *context);
    void *context;
};

struct tt_body *tt_body_borrow(const void *data, size_t len, void (*release)(void *context),
                               void *context)
{
    struct tt_body *body = tt_malloc(sizeof(*body));

    if (body == NULL)
        return NULL;
    body->references = 1;
    body->view = tt_str_of(data, len);
    body->release = release;
    body->context = context;
    return body;
}

struct tt_body *tt_body_take(void *data, size_t len)
{
    struct tt_body *body = tt_body_borrow(data, len, tt_free, data);

    if (body == NULL)
        tt_free(data);
    return body;
}

struct tt_body *tt_body_ref(struct tt_body *body)
{
    atomic_fetch_add_explicit(&body->references, 1, memory_order_relaxed);
    return body;
}

void tt_body_unref(struct tt_body *body)
{
    if (body == NULL || atomic_fetch_sub_explicit(&body->references, 1, memory_order_acq_rel) != 1)
        return;
    if (body->release != NULL)
        body->release(body->context);
    tt_free(body);
}

struct tt_str tt_body_view(const struct tt_body *body)
{
    return body->view;
}
