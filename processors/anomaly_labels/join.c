/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/join.h"

bool anomaly_join_init(struct anomaly_join *join, uint32_t rows)
{
    uint32_t capacity = 16;

    memset(join, 0, sizeof(*join));
    while (capacity < 2 * (uint64_t)rows)
        capacity *= 2;
    join->traces = tt_calloc((size_t)rows + 1, sizeof(*join->traces));
    join->table = tt_calloc(capacity, sizeof(*join->table));
    join->mask = capacity - 1;
    join->seed = tt_hash_seed();
    if (join->traces != NULL && join->table != NULL)
        return true;
    anomaly_join_done(join);
    return false;
}

void anomaly_join_done(struct anomaly_join *join)
{
    tt_free(join->traces);
    tt_free(join->table);
    memset(join, 0, sizeof(*join));
}

uint32_t anomaly_join_find(struct anomaly_join *join, const uint8_t id[16])
{
    uint32_t i;

    /* Rows of one trace and service often follow each other. */
    if (join->count > 0 && memcmp(join->traces[join->count - 1].id, id, 16) == 0)
        return join->count - 1;
    i = (uint32_t)tt_hash(id, 16, join->seed) & join->mask;
    while (join->table[i] != 0) {
        uint32_t trace = join->table[i] - 1;
        if (memcmp(join->traces[trace].id, id, 16) == 0)
            return trace;
        i = (i + 1) & join->mask;
    }
    join->traces[join->count] = (struct anomaly_trace){.id = id};
    join->table[i] = ++join->count;
    return join->count - 1;
}

bool anomaly_join_add(struct anomaly_join *join, uint32_t trace, const struct tt_evidence *evidence)
{
    struct anomaly_trace *of = &join->traces[trace];
    bool contradicts;

    if (!of->known) {
        of->verdict = *evidence;
        of->known = true;
        return false;
    }
    contradicts = tt_evidence_contradicts(evidence, &of->verdict);
    if (tt_evidence_wins(evidence, &of->verdict))
        of->verdict = *evidence;
    return contradicts;
}

uint64_t anomaly_join_settle(struct anomaly_join *join, struct tt_verdicts *verdicts,
                             struct tt_arena *arena)
{
    uint64_t contradictions = 0;

    for (uint32_t i = 0; i < join->count; i++) {
        struct anomaly_trace *trace = &join->traces[i];
        struct tt_evidence own = trace->verdict;
        bool contradicts = false;
        if (tt_verdicts_merge(verdicts, trace->id, trace->known ? &own : NULL, arena,
                              &trace->verdict, &contradicts))
            trace->known = true;
        contradictions += contradicts;
    }
    return contradictions;
}
