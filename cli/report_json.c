/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one JSON object. Members only ever get added; durations are in nanoseconds, shares and rates 0 to 1, what cannot be
 * computed is null. */
#include "cli/report.h"
#include "otlp/json.h"

#include <inttypes.h>

#define MAX_NAMES 1000 /* of by_type and by_service; the rest is summed up under __overflow__ */

static void put_text(struct tt_buffer *out, const char *name, struct tt_str text)
{
    tt_buffer_printf(out, ",\"%s\":", name);
    tt_json_write_text(text, out);
}

static void put_count(struct tt_buffer *out, const char *name, uint64_t value)
{
    tt_buffer_printf(out, ",\"%s\":%" PRIu64, name, value);
}

static void put_number(struct tt_buffer *out, const char *name, double value)
{
    tt_buffer_printf(out, ",\"%s\":", name);
    if (isfinite(value))
        tt_buffer_append_double(out, value);
    else
        tt_buffer_append_str(out, TT_STR("null"));
}

static void put_bool(struct tt_buffer *out, const char *name, bool value)
{
    tt_buffer_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

/* Begins an object or list that is a member; its first member is to be written with a comma, which is then taken out. */
static size_t open_member(struct tt_buffer *out, const char *name, char bracket)
{
    tt_buffer_printf(out, ",\"%s\":%c", name, bracket);
    return out->len;
}

static size_t open_item(struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR(",{"));
    return out->len;
}

static void close_at(struct tt_buffer *out, size_t begin, char bracket)
{
    if (out->failed == TT_OK && out->len > begin) {
        memmove(out->data + begin, out->data + begin + 1, out->len - begin - 1);
        out->len--;
    }
    tt_buffer_append_byte(out, bracket);
}

/* ---- what has been there from the first version ---- */

static void put_named_count(struct tt_buffer *out, struct tt_str name, uint64_t rows)
{
    tt_buffer_append_byte(out, ',');
    tt_json_write_text(name, out);
    tt_buffer_printf(out, ":%" PRIu64, rows);
}

static bool is_none(struct tt_str source)
{
    return source.len == 0 || tt_str_equal(source, TT_STR("none"));
}

/* skip_none: label sources without "none", which is no source. */
static void put_counts(struct tt_report *report, const struct tt_names *names, const char *member,
                       bool skip_none, struct tt_buffer *out)
{
    const struct tt_stats_name **sorted = tt_names_sorted(report->stats, names);
    size_t begin = open_member(out, member, '{');
    uint64_t rest = 0;

    for (size_t i = 0; sorted != NULL && i < names->count; i++) {
        if (i >= MAX_NAMES)
            rest += sorted[i]->rows;
        else if (!skip_none || !is_none(sorted[i]->name))
            put_named_count(out, sorted[i]->name, sorted[i]->rows);
    }
    if (rest > 0)
        put_named_count(out, TT_STR("__overflow__"), rest);
    close_at(out, begin, '}');
}

static void put_services(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_names *names = &report->stats->services;
    const struct tt_stats_name **sorted = tt_names_sorted(report->stats, names);
    size_t begin = open_member(out, "by_service", '{');

    for (size_t i = 0; sorted != NULL && i < names->count && i < MAX_NAMES; i++) {
        tt_buffer_append_byte(out, ',');
        tt_json_write_text(sorted[i]->name, out);
        tt_buffer_printf(out, ":{\"spans\":%" PRIu64, sorted[i]->rows);
        put_count(out, "labelled", sorted[i]->labelled);
        put_number(out, "coverage", tt_share(sorted[i]->labelled, sorted[i]->rows));
        put_count(out, "evidence", sorted[i]->evidence);
        tt_buffer_append_byte(out, '}');
    }
    close_at(out, begin, '}');
}

static void put_leak(const struct tt_report_leak *leak, struct tt_buffer *out)
{
    size_t begin = open_item(out);

    put_text(out, "column", leak->column);
    put_number(out, "roc_auc", leak->roc_auc);
    if (leak->type.len > 0)
        put_text(out, "type", leak->type);
    close_at(out, begin, '}');
}

static void put_leaks(const struct tt_report_leak *leaks, size_t n, const char *name,
                      struct tt_buffer *out)
{
    size_t begin = open_member(out, name, '[');

    for (size_t i = 0; i < n; i++)
        put_leak(&leaks[i], out);
    close_at(out, begin, ']');
}

static void put_totals(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;
    const struct tt_graph_counts *spans = &stats->spans;

    tt_buffer_printf(out, "{\"spans\":%" PRIu64, spans->spans);
    put_count(out, "traces", spans->traces);
    put_count(out, "roots", spans->roots);
    put_count(out, "orphans", spans->orphans);
    put_count(out, "services", stats->services.count);
    put_counts(report, &stats->sources, "labelled_spans", true, out);
    put_count(out, "unlabelled_spans", spans->spans - stats->labelled);
    put_number(out, "label_coverage_ratio", tt_share(stats->labelled, spans->spans));
    put_counts(report, &stats->types, "by_type", false, out);
    put_count(out, "normal", stats->normal);
    put_count(out, "anomalous", stats->anomalous);
    put_count(out, "unknown", stats->unknown);
    put_count(out, "errors", stats->errors);
    put_count(out, "duplicates", spans->duplicates);
    put_count(out, "clock_skew", spans->skewed);
    put_count(out, "calls", spans->calls);
    put_count(out, "calls_out_of_time", spans->calls_out_of_time);
    put_count(out, "incomplete_traces", spans->incomplete_traces);
    put_count(out, "mixed_traces", spans->mixed_traces);
    put_count(out, "held_out_traces", stats->held_out);
    put_count(out, "spans_without_trace", spans->without_trace);
    put_count(out, "negative_durations", stats->negative_durations);
    put_count(out, "metric_points", stats->rows[1]);
    put_count(out, "labelled_metric_points", stats->labelled_rows[1]);
    put_count(out, "log_records", stats->rows[2]);
    put_count(out, "labelled_log_records", stats->labelled_rows[2]);
    put_services(report, out);
    put_leaks(report->leaks, report->n_leaks, "leaks", out);
    put_count(out, "files", stats->files);
    put_count(out, "sets", report->sets);
    put_count(out, "recovered_sets", report->recovered_sets);
    put_count(out, "changed_files", report->changed_files);
    put_count(out, "unfinished_files", report->unfinished_files);
}

/* ---- the verdict ---- */

static void put_checks(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin;

    put_text(out, "verdict", tt_str(tt_verdict_name(report->verdict)));
    begin = open_member(out, "checks", '[');
    for (size_t i = 0; i < report->n_checks; i++) {
        const struct tt_report_check *check = &report->checks[i];
        size_t item = open_item(out);
        put_text(out, "id", tt_str(check->id));
        put_text(out, "title", tt_str(check->title));
        put_text(out, "verdict", tt_str(tt_verdict_name(check->verdict)));
        put_text(out, "finding", check->finding);
        if (check->advice.len > 0)
            put_text(out, "advice", check->advice);
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
}

/* ---- types ---- */

static void put_dist(struct tt_buffer *out, const char *name, const struct tt_dist *dist)
{
    size_t begin = open_member(out, name, '{');

    put_count(out, "count", dist->count);
    put_number(out, "min", dist->min);
    put_number(out, "p10", dist->p10);
    put_number(out, "q1", dist->q1);
    put_number(out, "median", dist->median);
    put_number(out, "q3", dist->q3);
    put_number(out, "p90", dist->p90);
    put_number(out, "p99", dist->p99);
    put_number(out, "max", dist->max);
    close_at(out, begin, '}');
}

static void put_effect(struct tt_buffer *out, const char *name, const struct tt_effect *effect)
{
    size_t begin = open_member(out, name, '{');

    put_number(out, "estimate", effect->estimate);
    put_number(out, "low", effect->low);
    put_number(out, "high", effect->high);
    put_count(out, "blocks", effect->n_left);
    put_count(out, "baseline_blocks", effect->n_right);
    close_at(out, begin, '}');
}

static void put_fault(const struct tt_report *report, const struct tt_report_group *group,
                      struct tt_buffer *out)
{
    size_t begin = open_member(out, "fault", '{');

    put_text(out, "service", report->services[group->service].name->name);
    put_bool(out, "guessed", group->is_guessed);
    put_text(out, "spans_of", group->by_entry ? TT_STR("entry") : TT_STR("all"));
    put_text(out, "shows", tt_str(tt_shows_name(group->shows)));
    put_dist(out, "durations", &group->here);
    put_dist(out, "baseline_durations", &group->here_baseline);
    put_number(out, "error_rate", tt_share(group->here_errors, group->here.count));
    put_number(out, "baseline_error_rate",
               tt_share(group->here_baseline_errors, group->here_baseline.count));
    put_number(out, "superiority", group->here_superiority);
    put_effect(out, "log_ratio_of_medians", &group->log_ratio);
    put_effect(out, "error_rate_difference", &group->error_rate);
    close_at(out, begin, '}');
}

static void put_types(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin = open_member(out, "types", '[');

    for (size_t i = 0; i < report->n_groups; i++) {
        const struct tt_report_group *group = &report->groups[i];
        size_t item = open_item(out);
        put_text(out, "type", group->name);
        put_bool(out, "is_baseline", i == 0);
        put_count(out, "spans", group->spans);
        put_count(out, "traces", group->traces);
        put_count(out, "services", group->services);
        put_count(out, "blocks", group->blocks);
        put_number(out, "error_rate", tt_share(group->errors, group->spans));
        put_dist(out, "durations", &group->durations);
        put_dist(out, "trace_durations", &group->trace_durations);
        put_number(out, "trace_superiority", group->superiority);
        if (i > 0 && group->service != TT_REPORT_NO_GROUP)
            put_fault(report, group, out);
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
    put_count(out, "types_beyond", report->other_types);
}

static void put_cell(const struct tt_report *report, const struct tt_report_service *service,
                     size_t group, struct tt_buffer *out)
{
    const struct tt_report_cell *cell = &service->cells[group];
    size_t item = open_item(out);

    put_text(out, "service", service->name->name);
    put_text(out, "type", report->groups[group].name);
    put_count(out, "spans", cell->spans);
    put_count(out, "errors", cell->errors);
    put_count(out, "own_errors", cell->own_errors);
    put_number(out, "median", cell->median);
    put_number(out, "superiority", cell->superiority);
    put_number(out, "own_time_per_trace",
               tt_report_own_time(report, (size_t)(service - report->services), group));
    close_at(out, item, '}');
}

static void put_cells(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin = open_member(out, "services_by_type", '[');

    for (size_t i = 0; i < report->n_services; i++)
        for (size_t k = 0; k < report->n_groups; k++)
            if (report->services[i].cells[k].spans > 0)
                put_cell(report, &report->services[i], k, out);
    close_at(out, begin, ']');
}

static void put_blocks(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin;

    put_bool(out, "types_alternate", report->is_mixed);
    begin = open_member(out, "blocks", '[');
    for (size_t i = 0; i < report->n_blocks; i++) {
        const struct tt_report_block *block = &report->blocks[i];
        size_t item;
        if (block->traces == 0)
            continue;
        item = open_item(out);
        put_text(out, "type", report->groups[block->group].name);
        put_count(out, "first_ns", block->first_ns);
        put_count(out, "last_ns", block->last_ns);
        put_count(out, "traces", block->traces);
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
}

/* ---- the rest ---- */

static void put_orphans(struct tt_report *report, struct tt_buffer *out)
{
    static const char *const causes[] = {"lost", "caller", "entry", "stranger"};
    size_t begin = open_member(out, "orphans_by_service", '[');

    for (size_t i = 0; i < report->n_orphans; i++) {
        const struct tt_report_orphans *orphans = &report->orphans[i];
        size_t item = open_item(out);
        put_text(out, "service", orphans->service);
        put_text(out, "cause", tt_str(causes[orphans->cause]));
        put_count(out, "children", orphans->children);
        put_count(out, "missing_parents", orphans->parents);
        put_text(out, "reason", tt_orphans_sentence(report, orphans));
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
}

static void put_silent(const struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_names *services = &report->stats->services;
    size_t begin = open_member(out, "services_without_evidence", '['), n = 0;

    for (size_t i = 0; i < services->count && n < MAX_NAMES; i++) {
        if (services->items[i]->evidence > 0)
            continue;
        tt_buffer_append_byte(out, ',');
        tt_json_write_text(services->items[i]->name, out);
        n++;
    }
    close_at(out, begin, ']');
}

static void put_trivial(const char *name, const struct tt_report_trivial *trivial,
                        struct tt_buffer *out)
{
    size_t begin = open_member(out, name, '{');

    put_count(out, "training", trivial->train);
    put_count(out, "held_out", trivial->held_out);
    put_number(out, "roc_auc", trivial->roc_auc);
    put_number(out, "threshold_ns", trivial->threshold_ns);
    put_number(out, "precision", trivial->precision);
    put_number(out, "recall", trivial->recall);
    put_number(out, "f1", trivial->f1);
    put_number(out, "always_f1", trivial->always_f1);
    close_at(out, begin, '}');
}

static void put_sdk(const struct tt_report *report, struct tt_buffer *out)
{
    static const char *const items[] = {"spans", "logs", "points"};
    const struct tt_map_slot *slot;
    size_t position = 0, begin = open_member(out, "sdk_losses", '[');

    while ((slot = tt_map_next(&report->stats->sdk.services, &position)) != NULL) {
        const struct tt_sdk_service *service = slot->value;
        size_t item = open_item(out), inner;
        put_text(out, "service", service->name);
        for (size_t i = 0; i < TT_SDK_ITEMS; i++) {
            inner = open_member(out, items[i], '{');
            put_number(out, "passed", service->passed[i]);
            put_number(out, "dropped", service->dropped[i]);
            put_number(out, "failed", service->failed[i]);
            close_at(out, inner, '}');
        }
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
}

static void put_column(const struct tt_report *report, size_t index, struct tt_buffer *out)
{
    const struct tt_column_stats *column = tt_columns_at(report->stats->columns, index);
    bool is_exact;
    uint64_t distinct = tt_columns_distinct(report->stats->columns, index, &is_exact);
    size_t item = open_item(out);

    put_text(out, "name", column->name);
    put_number(out, "filled", tt_share(column->filled, column->rows));
    put_count(out, "distinct", distinct);
    put_bool(out, "distinct_is_exact", is_exact);
    if (column->filled > 0 && column->is_number) {
        put_number(out, "min", column->min);
        put_number(out, "max", column->max);
    }
    close_at(out, item, '}');
}

static void put_columns(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin = open_member(out, "columns", '[');

    for (size_t i = 0; i < tt_columns_count(report->stats->columns); i++)
        put_column(report, i, out);
    close_at(out, begin, ']');
}

static void put_facts(const struct tt_report *report, struct tt_buffer *out)
{
    size_t begin = open_member(out, "sources", '[');

    for (size_t i = 0; i < report->n_facts; i++) {
        size_t item = open_item(out);
        put_text(out, "name", report->facts[i].name);
        put_text(out, "value", report->facts[i].value);
        close_at(out, item, '}');
    }
    close_at(out, begin, ']');
}

void tt_report_put_json(struct tt_report *report, struct tt_buffer *out)
{
    put_totals(report, out);
    put_checks(report, out);
    put_bool(out, "baseline_is_labelled", report->baseline_is_labelled);
    put_types(report, out);
    put_cells(report, out);
    put_blocks(report, out);
    put_orphans(report, out);
    put_silent(report, out);
    put_leaks(report->columns, report->n_columns, "single_columns", out);
    put_number(out, "time_roc_auc", report->time_auc);
    put_trivial("threshold_on_trace_duration", &report->trivial_traces, out);
    put_trivial("threshold_on_span_duration", &report->trivial_spans, out);
    put_count(out, "bystanders", report->stats->bystander_spans);
    put_counts(report, &report->stats->bystanders, "bystanders_by_active_type", false, out);
    put_sdk(report, out);
    put_columns(report, out);
    put_facts(report, out);
    tt_buffer_append_str(out, TT_STR("}\n"));
}
