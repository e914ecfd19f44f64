/* SPDX-License-Identifier: Apache-2.0 */
/* Spans by anomaly type and by service: how many, how long, how often in error. */
#include "cli/report.h"

#include <stdlib.h>

static bool is_baseline(const struct tt_stats_name *type)
{
    return !type->is_anomalous && !type->is_unknown;
}

uint32_t tt_report_group_of(const struct tt_report *report, uint32_t type, bool labelled)
{
    uint32_t group = report->group_of[type];

    return group == 0 && !labelled && report->baseline_is_labelled ? TT_REPORT_NO_GROUP : group;
}

static uint32_t group_of_span(const struct tt_report *report, const struct tt_graph_span *span)
{
    return tt_report_group_of(report, span->type, (span->flags & TT_SPAN_LABELLED) != 0);
}

/* ---- which groups there are ---- */

static void add_type(struct tt_report *report, const struct tt_stats_name *type)
{
    uint32_t last = TT_REPORT_TYPES + 1;

    if (report->n_groups < last) {
        report->groups[report->n_groups].name = type->name;
        report->group_of[type->number] = (uint32_t)report->n_groups++;
        return;
    }
    report->has_others = true;
    report->other_types++;
    report->group_of[type->number] = last;
}

static void find_types(struct tt_report *report, const struct tt_stats_name **sorted)
{
    report->groups[0].name = TT_STR("baseline");
    report->n_groups = 1;
    for (size_t i = 0; i < report->stats->types.count; i++) {
        if (is_baseline(sorted[i]))
            report->group_of[sorted[i]->number] = 0;
        else if (sorted[i]->is_unknown)
            report->group_of[sorted[i]->number] = TT_REPORT_NO_GROUP;
        else
            add_type(report, sorted[i]);
    }
    if (report->has_others)
        report->groups[report->n_groups++].name = TT_STR("(other types)");
}

static void find_services(struct tt_report *report, const struct tt_stats_name **sorted)
{
    for (size_t i = 0; i < report->stats->services.count; i++) {
        report->service_of[sorted[i]->number] = TT_REPORT_NO_GROUP;
        report->silent_services += sorted[i]->evidence == 0;
        if (report->n_services == TT_REPORT_SERVICES)
            continue;
        report->service_of[sorted[i]->number] = (uint32_t)report->n_services;
        report->services[report->n_services++].name = sorted[i];
    }
}

enum tt_status tt_report_find_groups(struct tt_report *report, struct tt_error *err)
{
    struct tt_stats *stats = report->stats;
    const struct tt_stats_name **types = tt_names_sorted(stats, &stats->types);
    const struct tt_stats_name **services = tt_names_sorted(stats, &stats->services);

    report->group_of = tt_arena_calloc(report->arena, stats->types.count + 1, sizeof(uint32_t));
    report->service_of =
        tt_arena_calloc(report->arena, stats->services.count + 1, sizeof(uint32_t));
    if (types == NULL || services == NULL || report->group_of == NULL || report->service_of == NULL)
        return tt_fail(err, TT_NO_MEMORY, "sort types and services");
    report->baseline_is_labelled = stats->labelled_normal > 0;
    find_types(report, types);
    find_services(report, services);
    return TT_OK;
}

/* ---- distributions ---- */

struct tt_dist tt_dist_of(double *values, size_t n)
{
    tt_sort_doubles(values, n);
    return (struct tt_dist){
        .count = n,
        .min = tt_quantile_sorted(values, n, 0),
        .p10 = tt_quantile_sorted(values, n, 0.1),
        .q1 = tt_quantile_sorted(values, n, 0.25),
        .median = tt_quantile_sorted(values, n, 0.5),
        .q3 = tt_quantile_sorted(values, n, 0.75),
        .p90 = tt_quantile_sorted(values, n, 0.9),
        .p99 = tt_quantile_sorted(values, n, 0.99),
        .max = tt_quantile_sorted(values, n, 1),
    };
}

static void count_span(struct tt_report *report, const struct tt_graph_span *span, uint32_t *seen)
{
    uint32_t group = group_of_span(report, span), service = report->service_of[span->service];
    bool is_error = (span->flags & TT_SPAN_ERROR) != 0;
    struct tt_report_cell *cell;

    if (group == TT_REPORT_NO_GROUP)
        return;
    report->groups[group].spans++;
    report->groups[group].errors += is_error;
    report->groups[group].labelled += (span->flags & TT_SPAN_LABELLED) != 0;
    report->groups[group].services += (seen[span->service] >> group & 1) == 0;
    seen[span->service] |= UINT32_C(1) << group;
    if (service == TT_REPORT_NO_GROUP)
        return;
    cell = &report->services[service].cells[group];
    cell->spans++;
    cell->errors += is_error;
    cell->own_errors += is_error && (span->flags & TT_SPAN_BELOW_ERROR) == 0;
    cell->own_ns += tt_span_self_ns(span);
}

static enum tt_status count_spans(struct tt_report *report, struct tt_error *err)
{
    uint32_t *seen = tt_calloc(report->stats->services.count + 1, sizeof(*seen));
    size_t n;
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n);

    _Static_assert(TT_REPORT_GROUPS <= 32, "a bit for each group");
    if (seen == NULL)
        return tt_fail(err, TT_NO_MEMORY, "count services");
    for (size_t i = 0; i < n; i++)
        count_span(report, &spans[i], seen);
    tt_free(seen);
    return TT_OK;
}

/* ---- values in the order of their groups ---- */

struct sorter {
    double *values;
    size_t ends[TT_REPORT_GROUPS]; /* behind the last value of each group so far */
    size_t begins[TT_REPORT_GROUPS];
};

static void put_value(struct sorter *sorter, uint32_t group, double value)
{
    sorter->values[sorter->ends[group]++] = value;
}

static bool sorter_init(struct sorter *sorter, const uint64_t counts[TT_REPORT_GROUPS])
{
    size_t total = 0;

    for (size_t i = 0; i < TT_REPORT_GROUPS; i++) {
        sorter->begins[i] = sorter->ends[i] = total;
        total += counts[i];
    }
    sorter->values = tt_calloc(total + 1, sizeof(*sorter->values));
    return sorter->values != NULL;
}

static struct tt_dist dist_of_group(const struct sorter *sorter, size_t group)
{
    return tt_dist_of(sorter->values + sorter->begins[group],
                      sorter->ends[group] - sorter->begins[group]);
}

static enum tt_status measure_spans(struct tt_report *report, struct tt_error *err)
{
    uint64_t counts[TT_REPORT_GROUPS];
    struct sorter sorter;
    size_t n;
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n);

    for (size_t i = 0; i < TT_REPORT_GROUPS; i++)
        counts[i] = report->groups[i].spans;
    if (!sorter_init(&sorter, counts))
        return tt_fail(err, TT_NO_MEMORY, "sort durations");
    for (size_t i = 0; i < n; i++) {
        uint32_t group = group_of_span(report, &spans[i]);
        if (group != TT_REPORT_NO_GROUP)
            put_value(&sorter, group, (double)spans[i].duration_ns);
    }
    for (size_t i = 0; i < TT_REPORT_GROUPS; i++)
        report->groups[i].durations = dist_of_group(&sorter, i);
    tt_free(sorter.values);
    return TT_OK;
}

static enum tt_status measure_traces(struct tt_report *report, struct tt_error *err)
{
    uint64_t counts[TT_REPORT_GROUPS] = {0};
    struct sorter sorter;
    size_t n;
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n);

    for (size_t i = 0; i < n; i++) {
        uint32_t group = tt_report_group_of(report, traces[i].type, traces[i].is_labelled);
        if (group != TT_REPORT_NO_GROUP)
            counts[group]++;
        report->stats->held_out += traces[i].is_held_out;
    }
    if (!sorter_init(&sorter, counts))
        return tt_fail(err, TT_NO_MEMORY, "sort durations of traces");
    for (size_t i = 0; i < n; i++) {
        uint32_t group = tt_report_group_of(report, traces[i].type, traces[i].is_labelled);
        if (group != TT_REPORT_NO_GROUP)
            put_value(&sorter, group, (double)traces[i].duration_ns);
    }
    for (size_t i = 0; i < TT_REPORT_GROUPS; i++) {
        struct tt_report_group *group = &report->groups[i];
        group->traces = counts[i];
        group->trace_durations = dist_of_group(&sorter, i);
        group->superiority = tt_superiority_sorted(sorter.values + sorter.begins[i], counts[i],
                                                   sorter.values, counts[0]);
    }
    tt_free(sorter.values);
    return TT_OK;
}

/* ---- services by group ---- */

static size_t cell_of(const struct tt_report *report, const struct tt_graph_span *span)
{
    uint32_t group = group_of_span(report, span), service = report->service_of[span->service];

    return group == TT_REPORT_NO_GROUP || service == TT_REPORT_NO_GROUP
               ? SIZE_MAX
               : service * TT_REPORT_GROUPS + group;
}

static enum tt_status order_spans(struct tt_report *report, struct tt_error *err)
{
    size_t n, at[TT_REPORT_SERVICES * TT_REPORT_GROUPS], total = 0;
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n);

    for (size_t i = 0; i < TT_LENGTH(at); i++) {
        at[i] = report->offsets[i] = total;
        total += report->services[i / TT_REPORT_GROUPS].cells[i % TT_REPORT_GROUPS].spans;
    }
    report->offsets[TT_LENGTH(at)] = total;
    report->order = tt_calloc(total + 1, sizeof(*report->order));
    if (report->order == NULL)
        return tt_fail(err, TT_NO_MEMORY, "sort %zu spans", n);
    for (size_t i = 0; i < n; i++) {
        size_t cell = cell_of(report, &spans[i]);
        if (cell != SIZE_MAX)
            report->order[at[cell]++] = (uint32_t)i;
    }
    return TT_OK;
}

/* Durations of a slice, sorted. */
static size_t slice_durations(const struct tt_report *report, size_t service, size_t group,
                              double *values)
{
    size_t n, n_spans;
    const uint32_t *slice = tt_report_slice(report, service, group, &n);
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n_spans);

    for (size_t i = 0; i < n; i++)
        values[i] = (double)spans[slice[i]].duration_ns;
    tt_sort_doubles(values, n);
    return n;
}

/* The baseline's values stay at the front. */
static void measure_cells(struct tt_report *report, size_t service, double *values)
{
    struct tt_report_cell *cells = report->services[service].cells;
    size_t n_baseline = slice_durations(report, service, 0, values);
    double *those = values + n_baseline;

    for (size_t i = 0; i < report->n_groups; i++) {
        size_t n = slice_durations(report, service, i, those);
        cells[i].median = tt_quantile_sorted(those, n, 0.5);
        cells[i].superiority = n < TT_REPORT_MIN_SPANS || n_baseline < TT_REPORT_MIN_SPANS
                                   ? (double)NAN
                                   : tt_superiority_sorted(those, n, values, n_baseline);
    }
}

static enum tt_status measure_services(struct tt_report *report, struct tt_error *err)
{
    size_t most = 0;
    double *values;

    for (size_t i = 0; i < report->n_services; i++)
        if (report->services[i].name->rows > most)
            most = report->services[i].name->rows;
    values = tt_calloc(2 * most + 1, sizeof(*values));
    if (values == NULL)
        return tt_fail(err, TT_NO_MEMORY, "sort durations of services");
    for (size_t i = 0; i < report->n_services; i++)
        measure_cells(report, i, values);
    tt_free(values);
    return TT_OK;
}

enum tt_status tt_report_measure_groups(struct tt_report *report, struct tt_error *err)
{
    enum tt_status status = count_spans(report, err);

    if (status == TT_OK)
        status = measure_spans(report, err);
    if (status == TT_OK)
        status = measure_traces(report, err);
    if (status == TT_OK)
        status = order_spans(report, err);
    return status == TT_OK ? measure_services(report, err) : status;
}
