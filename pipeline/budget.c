/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

enum tt_status tt_budget_reserve(struct tt_host *host, size_t bytes, struct tt_error *err)
{
    struct tt_budget *budget = &host->service->budget;
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);

    do {
        if (bytes > budget->limit - used) {
            enum tt_status status = tt_fail(err, TT_OVERLOADED,
                                            "reserve %zu bytes: data refused due to high memory "
                                            "usage (%zu of %zu bytes in use)",
                                            bytes, used, budget->limit);
            if (err != NULL)
                err->retry_after_ms = TT_RETRY_AFTER_MS;
            return status;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return TT_OK;
}

void tt_budget_release(struct tt_host *host, size_t bytes)
{
    atomic_fetch_sub_explicit(&host->service->budget.used, bytes, memory_order_relaxed);
}
