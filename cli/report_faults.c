/* SPDX-License-Identifier: Apache-2.0 */
/* Did the fault show? Each type in the service that it breaks, against baseline, over the blocks of the run. */
#include "cli/report.h"

#define MIN_IN_BLOCK 10 /* spans, for a block to count */
#define CLEAR_RATIO  1.5
#define CLEAR_ERRORS 0.1
#define CLEAR_CHANCE 0.75
#define WEAK_RATIO   1.1
#define WEAK_ERRORS  0.02
#define WEAK_CHANCE  0.6
#define MUCH_TIME    0.2 /* of what a trace takes at baseline */
#define WEAK_TAIL    2.0

/* ---- which service ---- */

static uint32_t named_service(const struct tt_report *report, const struct tt_report_group *group)
{
    const char *name = tt_map_get(&report->faults, group->name);

    for (size_t i = 0; name != NULL && i < report->n_services; i++)
        if (tt_str_equal(report->services[i].name->name, tt_str(name)))
            return (uint32_t)i;
    return TT_REPORT_NO_GROUP;
}

static bool can_compare(const struct tt_report_cell *cells, size_t group)
{
    return cells[group].spans >= TT_REPORT_MIN_SPANS && cells[0].spans >= TT_REPORT_MIN_SPANS;
}

/* By how much a trace takes longer in the service itself, in ns: callers that only wait have nothing of it. */
static double more_time(const struct tt_report *report, size_t service, size_t group)
{
    return tt_report_own_time(report, service, group) - tt_report_own_time(report, service, 0);
}

/* How much more often a span of the service is in error without having called one that is. */
static double more_errors(const struct tt_report *report, size_t service, size_t group)
{
    const struct tt_report_cell *cells = report->services[service].cells;

    return tt_share(cells[group].own_errors, cells[group].spans) -
           tt_share(cells[0].own_errors, cells[0].spans);
}

typedef double change(const struct tt_report *report, size_t service, size_t group);

static uint32_t most_changed(const struct tt_report *report, size_t group, change *change_of,
                             double *ret_change)
{
    uint32_t best = TT_REPORT_NO_GROUP;

    *ret_change = -(double)INFINITY;
    for (uint32_t i = 0; i < report->n_services; i++) {
        if (!can_compare(report->services[i].cells, group) ||
            !(change_of(report, i, group) > *ret_change))
            continue;
        *ret_change = change_of(report, i, group);
        best = i;
    }
    return best;
}

/* How much surer its spans take longer: what a caller feels that has to call others more often. */
static double felt(const struct tt_report *report, size_t service, size_t group)
{
    return report->services[service].cells[group].superiority;
}

#define CANDIDATES 3

/* Where most of the additional time is; where errors begin; where it is felt most. Without additional time worth mentioning
 * errors come first. */
static void list_candidates(const struct tt_report *report, size_t group,
                            uint32_t ret_services[CANDIDATES])
{
    double time, errors, ignored, usual = 0;
    uint32_t by_time = most_changed(report, group, more_time, &time);
    uint32_t by_errors = most_changed(report, group, more_errors, &errors);
    bool errors_first;

    for (size_t i = 0; i < report->n_services; i++)
        usual += tt_report_own_time(report, i, 0);
    errors_first = time < MUCH_TIME * usual && errors >= WEAK_ERRORS;
    ret_services[0] = errors_first ? by_errors : by_time;
    ret_services[1] = errors_first ? by_time : by_errors;
    ret_services[2] = most_changed(report, group, felt, &ignored);
}

/* ---- its spans ---- */

struct sample {
    double *durations; /* by span */
    uint32_t *blocks;
    size_t n;
    uint64_t errors;
    bool *is_error;
};

static void sample_done(struct sample *sample)
{
    tt_free(sample->durations);
    tt_free(sample->blocks);
    tt_free(sample->is_error);
}

static bool is_entry(const struct tt_graph_span *span)
{
    return span->kind == TT_CODE_SERVER || span->kind == TT_CODE_CONSUMER;
}

static size_t count_entries(const struct tt_report *report, size_t service, size_t group)
{
    size_t n, n_spans, entries = 0;
    const uint32_t *slice = tt_report_slice(report, service, group, &n);
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n_spans);

    for (size_t i = 0; i < n; i++)
        entries += is_entry(&spans[slice[i]]);
    return entries;
}

static void take(struct sample *sample, const struct tt_graph_span *span,
                 const struct tt_graph_trace *traces)
{
    sample->durations[sample->n] = (double)span->duration_ns;
    sample->blocks[sample->n] =
        span->trace == TT_GRAPH_NONE ? TT_GRAPH_NONE : traces[span->trace].block;
    sample->is_error[sample->n] = (span->flags & TT_SPAN_ERROR) != 0;
    sample->errors += sample->is_error[sample->n++];
}

static bool sample_make(const struct tt_report *report, size_t service, size_t group, bool by_entry,
                        struct sample *sample)
{
    size_t n, n_spans, n_traces;
    const uint32_t *slice = tt_report_slice(report, service, group, &n);
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n_spans);
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n_traces);

    *sample = (struct sample){
        .durations = tt_calloc(n + 1, sizeof(double)),
        .blocks = tt_calloc(n + 1, sizeof(uint32_t)),
        .is_error = tt_calloc(n + 1, sizeof(bool)),
    };
    if (sample->durations == NULL || sample->blocks == NULL || sample->is_error == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!by_entry || is_entry(&spans[slice[i]]))
            take(sample, &spans[slice[i]], traces);
    return true;
}

/* ---- its blocks ---- */

/* One value a block with enough spans. */
struct repeats {
    double log_medians[TT_REPORT_BLOCKS], error_rates[TT_REPORT_BLOCKS];
    size_t n_medians, n_rates;
};

static void add_block(struct repeats *repeats, double *durations, size_t n, uint64_t errors)
{
    double median;

    if (n < MIN_IN_BLOCK)
        return;
    tt_sort_doubles(durations, n);
    median = tt_quantile_sorted(durations, n, 0.5);
    if (median > 0)
        repeats->log_medians[repeats->n_medians++] = log(median);
    repeats->error_rates[repeats->n_rates++] = tt_share(errors, n);
}

/* Durations in the order of their blocks; ret_ends[i]: behind the last one of block i. */
static void sort_by_block(const struct sample *sample, size_t n_blocks, double *values,
                          size_t *ret_ends)
{
    size_t total = 0;

    for (size_t i = 0; i < sample->n; i++)
        if (sample->blocks[i] != TT_GRAPH_NONE)
            ret_ends[sample->blocks[i]]++;
    for (size_t i = 0; i < n_blocks; i++) {
        size_t count = ret_ends[i];
        ret_ends[i] = total;
        total += count;
    }
    for (size_t i = 0; i < sample->n; i++)
        if (sample->blocks[i] != TT_GRAPH_NONE)
            values[ret_ends[sample->blocks[i]]++] = sample->durations[i];
}

static bool repeats_make(const struct tt_report *report, const struct sample *sample,
                         struct repeats *repeats)
{
    double *values = tt_calloc(sample->n + 1, sizeof(*values));
    size_t *ends = tt_calloc(report->n_blocks + 1, sizeof(*ends));
    uint64_t *errors = tt_calloc(report->n_blocks + 1, sizeof(*errors));
    bool ok = values != NULL && ends != NULL && errors != NULL;

    repeats->n_medians = repeats->n_rates = 0;
    if (ok)
        sort_by_block(sample, report->n_blocks, values, ends);
    for (size_t i = 0; ok && i < sample->n; i++)
        if (sample->blocks[i] != TT_GRAPH_NONE)
            errors[sample->blocks[i]] += sample->is_error[i];
    for (size_t i = 0, begin = 0; ok && i < report->n_blocks; begin = ends[i++])
        add_block(repeats, values + begin, ends[i] - begin, errors[i]);
    tt_free(values);
    tt_free(ends);
    tt_free(errors);
    return ok;
}

/* ---- the verdict ---- */

static enum tt_shows shows_how(const struct tt_report_group *group)
{
    double ratio = group->here.median / group->here_baseline.median;
    double tail = group->here.p99 / group->here_baseline.p99;
    double errors = tt_share(group->here_errors, group->here.count) -
                    tt_share(group->here_baseline_errors, group->here_baseline.count);
    bool may_be_chance = group->log_ratio.low <= 0; /* without an interval nobody knows */

    if (group->here.count < TT_REPORT_MIN_SPANS || group->here_baseline.count < TT_REPORT_MIN_SPANS)
        return TT_SHOWS_UNKNOWN;
    if (errors >= CLEAR_ERRORS || group->here_superiority >= CLEAR_CHANCE ||
        (ratio >= CLEAR_RATIO && !may_be_chance))
        return TT_SHOWS_CLEARLY;
    if (errors >= WEAK_ERRORS || group->here_superiority >= WEAK_CHANCE || tail >= WEAK_TAIL ||
        ratio >= CLEAR_RATIO || (ratio >= WEAK_RATIO && group->log_ratio.low > 0))
        return TT_SHOWS_WEAKLY;
    return TT_SHOWS_NOT;
}

const char *tt_shows_name(enum tt_shows shows)
{
    static const char *const names[] = {"unknown", "no", "weakly", "clearly"};

    return names[shows];
}

static bool compare(struct tt_report *report, struct tt_report_group *group, struct sample *fault,
                    struct sample *baseline)
{
    struct repeats *left = tt_calloc(2, sizeof(*left)), *right = left + 1;
    bool ok =
        left != NULL && repeats_make(report, fault, left) && repeats_make(report, baseline, right);

    if (ok) {
        group->log_ratio =
            tt_effect_of(left->log_medians, left->n_medians, right->log_medians, right->n_medians);
        group->error_rate =
            tt_effect_of(left->error_rates, left->n_rates, right->error_rates, right->n_rates);
    }
    tt_free(left);
    group->here = tt_dist_of(fault->durations, fault->n);
    group->here_baseline = tt_dist_of(baseline->durations, baseline->n);
    group->here_errors = fault->errors;
    group->here_baseline_errors = baseline->errors;
    group->here_superiority =
        tt_superiority_sorted(fault->durations, fault->n, baseline->durations, baseline->n);
    group->shows = shows_how(group);
    return ok;
}

static bool measure_in(struct tt_report *report, size_t number, uint32_t service)
{
    struct tt_report_group *group = &report->groups[number];
    struct sample fault, baseline = {.n = 0};
    bool ok;

    group->service = service;
    group->by_entry = count_entries(report, service, number) >= TT_REPORT_MIN_SPANS &&
                      count_entries(report, service, 0) >= TT_REPORT_MIN_SPANS;
    ok = sample_make(report, service, number, group->by_entry, &fault) &&
         sample_make(report, service, 0, group->by_entry, &baseline) &&
         compare(report, group, &fault, &baseline);
    sample_done(&fault);
    sample_done(&baseline);
    return ok;
}

/* The first candidate in which it shows clearly, else the first in which it shows most. */
static bool measure_best(struct tt_report *report, size_t number)
{
    struct tt_report_group *group = &report->groups[number];
    uint32_t services[CANDIDATES], best;
    enum tt_shows most = TT_SHOWS_UNKNOWN;

    list_candidates(report, number, services);
    best = services[0];
    for (size_t i = 0; i < CANDIDATES && most < TT_SHOWS_CLEARLY; i++) {
        if (services[i] == TT_REPORT_NO_GROUP)
            continue;
        if (!measure_in(report, number, services[i]))
            return false;
        if (group->shows > most) {
            most = group->shows;
            best = services[i];
        }
    }
    return best == TT_REPORT_NO_GROUP || group->service == best || measure_in(report, number, best);
}

static bool measure(struct tt_report *report, size_t number)
{
    struct tt_report_group *group = &report->groups[number];
    uint32_t named = named_service(report, group);

    group->service = TT_REPORT_NO_GROUP;
    group->is_guessed = named == TT_REPORT_NO_GROUP;
    return group->is_guessed ? measure_best(report, number) : measure_in(report, number, named);
}

enum tt_status tt_report_measure_faults(struct tt_report *report, struct tt_error *err)
{
    report->groups[0].service = TT_REPORT_NO_GROUP;
    for (size_t i = 1; i < report->n_groups; i++)
        if (!measure(report, i))
            return tt_fail(err, TT_NO_MEMORY, "compare with baseline");
    return TT_OK;
}
