/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes of a connection. Byte 0 of the input says where they are cut for the comparison of prefix and whole. */
#include "net/gate.h"

#include <stdlib.h>

#define MAX_HEADER ((size_t)4096)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool has_bare_lf_or_nul(struct tt_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '\0' ||
            (bytes.data[i] == '\n' && (i == 0 || bytes.data[i - 1] != '\r')))
            return true;
    }
    return false;
}

/* A verdict once given does not change when more comes, and what passes has no form that two parsers read differently. */
static void check(struct tt_str whole, size_t cut)
{
    struct gate_verdict verdict = gate_scan(whole, MAX_HEADER);
    struct gate_verdict early = gate_scan(tt_str_of(whole.data, cut), MAX_HEADER);

    if (early.action != GATE_MORE)
        require(early.action == verdict.action); /* of several faults another may be named */
    if (verdict.action == GATE_REFUSE)
        require(verdict.status >= 400 && verdict.status < 600 && verdict.reason != NULL);
    if (verdict.action != GATE_OK)
        return;
    const char *end = memmem(whole.data, whole.len, "\r\n\r\n", 4);
    require(end != NULL);
    struct tt_str head = tt_str_of(whole.data, (size_t)(end - whole.data) + 4);
    require(head.len <= MAX_HEADER && !has_bare_lf_or_nul(head));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    check(tt_str_of(data + 1, size - 1), (size - 1) * data[0] / 255);
    return 0;
}
