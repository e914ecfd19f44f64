/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks: the stretches of time in which traces of one type began. They are the repeats of an experiment.
 *
 * The traces of a type, in the order of their start, are cut where none began for a while (30 times their median distance, at least 3 s);
 * stretches of fewer than 10 traces are forgotten. Blocks of different types may overlap: a request that takes long began before the
 * fault that it met. Where baseline and all types each fill most of the run (80 %) they alternate from trace to trace; there are
 * no blocks then, and the run is cut into eighths.
 */
#include "cli/report.h"

#include <stdlib.h>

#define MIN_TRACES  10
#define MIN_GAP_NS  3e9
#define GAP_MEDIANS 30
#define MOST        0.8
#define SLICES      8

struct start {
    uint64_t ns;
    uint32_t trace, group;
};

static int by_group(const void *a, const void *b)
{
    const struct start *left = a, *right = b;

    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    if (left->ns != right->ns)
        return left->ns < right->ns ? -1 : 1;
    return (left->trace > right->trace) - (left->trace < right->trace);
}

static size_t list_starts(const struct tt_report *report, struct start *starts)
{
    size_t n_traces, n = 0;
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n_traces);

    for (size_t i = 0; i < n_traces; i++) {
        uint32_t group = tt_report_group_of(report, traces[i].type, traces[i].is_labelled);
        if (group != TT_REPORT_NO_GROUP && traces[i].start_ns > 0)
            starts[n++] = (struct start){traces[i].start_ns, (uint32_t)i, group};
    }
    qsort(starts, n, sizeof(*starts), by_group);
    return n;
}

/* gaps: room for n numbers. */
static double longest_gap(const struct start *starts, size_t n, double *gaps)
{
    if (n < 2)
        return MIN_GAP_NS;
    for (size_t i = 1; i < n; i++)
        gaps[i - 1] = (double)(starts[i].ns - starts[i - 1].ns);
    tt_sort_doubles(gaps, n - 1);
    return fmax(MIN_GAP_NS, GAP_MEDIANS * tt_quantile_sorted(gaps, n - 1, 0.5));
}

/* False when there are too many. */
static bool add_block(struct tt_report *report, const struct start *starts, size_t n)
{
    size_t n_traces;
    struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n_traces);

    if (n < MIN_TRACES)
        return true;
    if (report->n_blocks == TT_REPORT_BLOCKS)
        return false;
    for (size_t i = 0; i < n; i++)
        traces[starts[i].trace].block = (uint32_t)report->n_blocks;
    report->blocks[report->n_blocks++] = (struct tt_report_block){
        .group = starts[0].group,
        .first_ns = starts[0].ns,
        .last_ns = starts[n - 1].ns,
        .traces = (uint32_t)n,
    };
    return true;
}

/* The traces of one type. */
static bool cut_type(struct tt_report *report, const struct start *starts, size_t n, double *gaps)
{
    double gap_ns = longest_gap(starts, n, gaps);

    for (size_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && (double)(starts[end].ns - starts[end - 1].ns) <= gap_ns)
            end++;
        if (!add_block(report, starts + begin, end - begin))
            return false;
    }
    return true;
}

static bool cut_types(struct tt_report *report, const struct start *starts, size_t n, double *gaps)
{
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && starts[end].group == starts[begin].group;)
            end++;
        if (!cut_type(report, starts + begin, end - begin, gaps))
            return false;
    }
    return true;
}

struct range {
    uint64_t first_ns, last_ns;
};

static struct range range_of(const struct start *starts, size_t n)
{
    struct range range = {UINT64_MAX, 0};

    for (size_t i = 0; i < n; i++) {
        if (starts[i].ns < range.first_ns)
            range.first_ns = starts[i].ns;
        if (starts[i].ns > range.last_ns)
            range.last_ns = starts[i].ns;
    }
    return range;
}

static bool is_mixed(const struct tt_report *report, struct range range)
{
    double most[TT_REPORT_GROUPS] = {0}, run = (double)(range.last_ns - range.first_ns);

    for (size_t i = 0; i < report->n_blocks; i++) {
        const struct tt_report_block *block = &report->blocks[i];
        most[block->group] = fmax(most[block->group], (double)(block->last_ns - block->first_ns));
    }
    for (size_t i = 0; i + report->has_others < report->n_groups; i++)
        if (!(most[i] > MOST * run))
            return false;
    return report->n_groups > 1;
}

/* Block of group g in eighth s is number s * n_groups + g; those without traces stay empty. */
static void cut_eighths(struct tt_report *report, const struct start *starts, size_t n,
                        struct range range)
{
    size_t n_traces;
    struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n_traces);
    uint64_t width = (range.last_ns - range.first_ns) / SLICES + 1;

    report->n_blocks = SLICES * report->n_groups;
    for (size_t i = 0; i < report->n_blocks; i++)
        report->blocks[i] = (struct tt_report_block){.group = (uint32_t)(i % report->n_groups)};
    for (size_t i = 0; i < n; i++) {
        size_t slice = (starts[i].ns - range.first_ns) / width;
        size_t number = slice * report->n_groups + starts[i].group;
        struct tt_report_block *block = &report->blocks[number];
        if (block->traces++ == 0)
            block->first_ns = starts[i].ns; /* a type's starts ascend */
        block->last_ns = starts[i].ns;
        traces[starts[i].trace].block = (uint32_t)number;
    }
}

static void find_blocks(struct tt_report *report, const struct start *starts, size_t n,
                        double *gaps)
{
    struct range range = range_of(starts, n);
    bool fits = cut_types(report, starts, n, gaps);

    report->is_mixed = !fits || (n > 0 && is_mixed(report, range));
    if (report->is_mixed)
        cut_eighths(report, starts, n, range);
    for (size_t i = 0; i < report->n_blocks; i++)
        report->groups[report->blocks[i].group].blocks += report->blocks[i].traces > 0;
}

enum tt_status tt_report_find_blocks(struct tt_report *report, struct tt_error *err)
{
    struct start *starts;
    size_t n_traces;
    double *gaps;
    bool ok;

    (void)tt_graph_traces(report->stats->graph, &n_traces);
    starts = tt_calloc(n_traces + 1, sizeof(*starts));
    gaps = tt_calloc(n_traces + 1, sizeof(*gaps));
    report->blocks =
        tt_arena_calloc(report->arena, TT_REPORT_BLOCKS, sizeof(struct tt_report_block));
    ok = starts != NULL && gaps != NULL && report->blocks != NULL;
    if (ok)
        find_blocks(report, starts, list_starts(report, starts), gaps);
    tt_free(starts);
    tt_free(gaps);
    return ok ? TT_OK : tt_fail(err, TT_NO_MEMORY, "find blocks");
}
