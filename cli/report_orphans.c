/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans whose parent never arrived, and whose fault that probably is.
 *
 * The service of a missing parent is the one that most parents of such spans are from where they are here: of SERVER and CONSUMER spans
 * (of this service) another one, its usual caller; of all others mostly the service itself. That is a majority vote (R. S. Boyer, J S. Moore, "MJRTY",
 * 1981). Where no caller is ever here and the trace has no root, whoever began it sends no spans.
 */
#include "cli/report.h"

#include <stdlib.h>

#define EDGE_NS  UINT64_C(10000000000)
#define N_CAUSES 4
#define MIN_RUN  6 /* times EDGE_NS: in a shorter run everything is near an end */

struct caller {
    uint32_t service; /* candidate */
    uint32_t votes;
};

struct tally {
    uint64_t children, parents, early, late;
};

struct work {
    struct tt_report *report;
    struct tt_graph_span *spans;
    const struct tt_graph_trace *traces;
    struct caller *callers; /* by service: parents of its entry spans in other services */
    struct caller *parents; /* by service: parents of its other spans */
    struct tally *tallies;  /* [service * N_CAUSES + cause] */
    uint32_t *missing;      /* distinct missing parents, by trace */
};

static bool is_entry(const struct tt_graph_span *span)
{
    return span->kind == TT_CODE_SERVER || span->kind == TT_CODE_CONSUMER;
}

static void vote(struct caller *caller, uint32_t service)
{
    if (caller->votes == 0)
        caller->service = service;
    if (caller->service == service)
        caller->votes++;
    else
        caller->votes--;
}

static void find_callers(struct work *work, size_t n_spans)
{
    for (size_t i = 0; i < n_spans; i++) {
        const struct tt_graph_span *span = &work->spans[i];
        uint32_t service;
        if (span->parent_index == TT_GRAPH_NONE)
            continue;
        service = work->spans[span->parent_index].service;
        if (!is_entry(span))
            vote(&work->parents[span->service], service);
        else if (service != span->service)
            vote(&work->callers[span->service], service);
    }
}

/* ---- causes ---- */

static struct tally *tally_of(const struct work *work, uint32_t service, enum tt_orphan_cause cause)
{
    return &work->tallies[service * N_CAUSES + cause];
}

/* A child that is no entry: its parent is in its own process unless its kind usually has it elsewhere. */
static struct tally *cause_within(const struct work *work, uint32_t service)
{
    const struct caller *parent = &work->parents[service];

    return parent->votes == 0 || parent->service == service
               ? tally_of(work, service, TT_ORPHAN_LOST)
               : tally_of(work, parent->service, TT_ORPHAN_CALLER);
}

/* The children of one missing parent. */
static struct tally *cause_of(const struct work *work, struct tt_graph_span *const *children,
                              size_t n)
{
    const struct tt_graph_span *child = children[0];
    const struct caller *caller = &work->callers[child->service];

    for (size_t i = 0; i < n; i++)
        if (!is_entry(children[i]))
            return cause_within(work, children[i]->service);
    if (caller->votes > 0)
        return tally_of(work, caller->service, TT_ORPHAN_CALLER);
    if (child->trace != TT_GRAPH_NONE && !work->traces[child->trace].has_root &&
        work->missing[child->trace] == 1)
        return tally_of(work, child->service, TT_ORPHAN_ENTRY);
    return tally_of(work, child->service, TT_ORPHAN_STRANGER);
}

static void count_children(const struct work *work, struct tt_graph_span *const *children, size_t n)
{
    struct tally *tally = cause_of(work, children, n);
    const struct tt_stats *stats = work->report->stats;

    tally->parents++;
    tally->children += n;
    for (size_t i = 0; i < n; i++) {
        tally->early += children[i]->start_ns < stats->first_ns + EDGE_NS;
        tally->late += children[i]->start_ns + EDGE_NS > stats->last_ns;
    }
}

static int by_parent(const void *a, const void *b)
{
    const struct tt_graph_span *const *left = a, *const *right = b;

    if ((*left)->trace != (*right)->trace)
        return (*left)->trace < (*right)->trace ? -1 : 1;
    return ((*left)->parent > (*right)->parent) - ((*left)->parent < (*right)->parent);
}

static size_t end_of_family(struct tt_graph_span *const *orphans, size_t n, size_t begin)
{
    size_t end = begin + 1;

    while (end < n && by_parent(&orphans[begin], &orphans[end]) == 0)
        end++;
    return end;
}

static void count_orphans(struct work *work, struct tt_graph_span **orphans, size_t n)
{
    qsort(orphans, n, sizeof(struct tt_graph_span *), by_parent);
    for (size_t i = 0; i < n; i = end_of_family(orphans, n, i))
        if (orphans[i]->trace != TT_GRAPH_NONE)
            work->missing[orphans[i]->trace]++;
    for (size_t i = 0, end; i < n; i = end) {
        end = end_of_family(orphans, n, i);
        count_children(work, orphans + i, end - i);
    }
}

/* ---- the worst ---- */

static void add_entry(struct tt_report *report, const struct tt_report_orphans *entry)
{
    size_t at = report->n_orphans;

    if (at == TT_REPORT_ORPHANS && report->orphans[at - 1].children >= entry->children)
        return;
    if (at == TT_REPORT_ORPHANS)
        at--;
    else
        report->n_orphans++;
    for (; at > 0 && report->orphans[at - 1].children < entry->children; at--)
        report->orphans[at] = report->orphans[at - 1];
    report->orphans[at] = *entry;
}

static void list_worst(struct work *work)
{
    const struct tt_stats *stats = work->report->stats;
    bool is_long = stats->last_ns > stats->first_ns + MIN_RUN * EDGE_NS;

    for (size_t i = 0; i < stats->services.count * N_CAUSES; i++) {
        const struct tally *tally = &work->tallies[i];
        const struct tt_stats_name *service = stats->services.items[i / N_CAUSES];
        struct tt_report_orphans entry = {
            .cause = (enum tt_orphan_cause)(i % N_CAUSES),
            .service = service->name,
            .children = tally->children,
            .parents = tally->parents,
            .present = service->rows,
            .at_begin = is_long && 10 * tally->early >= 9 * tally->children,
            .at_end = is_long && 10 * tally->late >= 9 * tally->children,
        };
        if (tally->children > 0)
            add_entry(work->report, &entry);
    }
}

static enum tt_status work_on(struct work *work, size_t n_spans, struct tt_error *err)
{
    struct tt_graph_span **orphans =
        tt_calloc(work->report->stats->spans.orphans + 1, sizeof(struct tt_graph_span *));
    size_t n = 0;

    if (orphans == NULL || work->callers == NULL || work->parents == NULL ||
        work->tallies == NULL || work->missing == NULL) {
        tt_free(orphans);
        return tt_fail(err, TT_NO_MEMORY, "explain orphans");
    }
    find_callers(work, n_spans);
    for (size_t i = 0; i < n_spans; i++)
        if ((work->spans[i].flags & TT_SPAN_ORPHAN) != 0)
            orphans[n++] = &work->spans[i];
    count_orphans(work, orphans, n);
    list_worst(work);
    tt_free(orphans);
    return TT_OK;
}

enum tt_status tt_report_find_orphans(struct tt_report *report, struct tt_error *err)
{
    size_t n_spans, n_traces, n_services = report->stats->services.count;
    struct work work = {.report = report};
    enum tt_status status;

    work.spans = tt_graph_spans(report->stats->graph, &n_spans);
    work.traces = tt_graph_traces(report->stats->graph, &n_traces);
    if (report->stats->spans.orphans == 0)
        return TT_OK;
    work.callers = tt_calloc(n_services + 1, sizeof(*work.callers));
    work.parents = tt_calloc(n_services + 1, sizeof(*work.parents));
    work.tallies = tt_calloc(n_services * N_CAUSES + 1, sizeof(*work.tallies));
    work.missing = tt_calloc(n_traces + 1, sizeof(*work.missing));
    status = work_on(&work, n_spans, err);
    tt_free(work.callers);
    tt_free(work.parents);
    tt_free(work.tallies);
    tt_free(work.missing);
    return status;
}

/* ---- in words ---- */

struct tt_str tt_orphans_sentence(struct tt_report *report, const struct tt_report_orphans *orphans)
{
    struct tt_str name = tt_report_clean(report, orphans->service);
    const char *children = tt_report_count(report, orphans->children);
    const char *parents = tt_report_count(report, orphans->parents);
    const char *when =
        orphans->at_begin && !orphans->at_end
            ? "; most in the first 10 s, so the recording began in the middle of these traces"
        : orphans->at_end && !orphans->at_begin
            ? "; most in the last 10 s, so it was probably stopped before its last export"
            : "";

    switch (orphans->cause) {
    case TT_ORPHAN_LOST:
    case TT_ORPHAN_CALLER:
        return tt_report_text(
            report,
            "Spans of `%.*s` never arrived: %s children name a parent that is not here (%s spans; %s others of it are "
            "here)%s. Its exporter dropped them (a full queue), it samples, or it exports somewhere else too.",
            TT_STR_ARG(name), children, parents, tt_report_count(report, orphans->present), when);
    case TT_ORPHAN_ENTRY:
        return tt_report_text(
            report,
            "Who calls `%.*s` sends a traceparent but no spans: %s children in %s traces begin below a root that is not "
            "here%s. A load test, a browser or a proxy without an exporter; the traces lack their root and nothing else.",
            TT_STR_ARG(name), children, parents, when);
    case TT_ORPHAN_STRANGER:
        break;
    }
    return tt_report_text(
        report,
        "Spans of a caller of `%.*s` never arrived: %s children name a parent that is not here (%s spans), and no caller of it "
        "ever is%s. That service is not instrumented to export here.",
        TT_STR_ARG(name), children, parents, when);
}
