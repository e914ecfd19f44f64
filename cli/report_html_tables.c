/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the report's page. What is beyond their length is told as a number. */
#include "cli/report_html.h"

#define MAX_SERVICES 50
#define MAX_COLUMNS  300
#define MAX_SDK      50
#define HEAT_TYPES   12 /* columns that a page is wide enough for */
#define HEAT_ROWS    20

static void open_table(struct tt_buffer *out, const char *class, const char *head)
{
    tt_buffer_printf(
        out,
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"%s\"><thead><tr>%s</tr></thead>\n<tbody>\n",
        class, head);
}

static void close_table(struct tt_buffer *out)
{
    html_raw(out, "</tbody></table></div>\n");
}

static void put_row_name(struct tt_buffer *out, struct tt_str name)
{
    html_raw(out, "<tr><th scope=\"row\">");
    if (name.len == 0)
        html_raw(out, "<span class=\"s\">(empty)</span>");
    html_breakable(out, name);
    html_raw(out, "</th>");
}

static void put_count_cell(struct tt_buffer *out, uint64_t value)
{
    html_raw(out, "<td class=\"n\">");
    html_count(out, value);
    html_raw(out, "</td>");
}

static void put_share_cell(struct tt_buffer *out, double share)
{
    html_raw(out, "<td class=\"n\">");
    html_percent(out, share);
    html_raw(out, "</td>");
}

static void put_duration_cell(struct tt_buffer *out, double ns)
{
    html_raw(out, "<td class=\"n\">");
    html_duration(out, ns);
    html_raw(out, "</td>");
}

/* "a (b)", b softly */
static void put_duration_pair(struct tt_buffer *out, double ns, double baseline_ns)
{
    html_raw(out, "<td class=\"n\">");
    html_duration(out, ns);
    html_raw(out, " <span class=\"s\">(");
    html_duration(out, baseline_ns);
    html_raw(out, ")</span></td>");
}

static void put_share_pair(struct tt_buffer *out, double share, double baseline)
{
    html_raw(out, "<td class=\"n\">");
    html_percent(out, share);
    html_raw(out, " <span class=\"s\">(");
    html_percent(out, baseline);
    html_raw(out, ")</span></td>");
}

/* ---- types ---- */

void html_table_types(struct tt_report *report, struct tt_buffer *out)
{
    open_table(
        out, "types",
        "<th scope=\"col\">Type</th><th scope=\"col\" class=\"n\">Spans</th><th scope=\"col\" class=\"n\">Traces</th>"
        "<th scope=\"col\" class=\"n\">Services</th><th scope=\"col\" class=\"n\">Blocks</th><th scope=\"col\" class=\"n\">Errors</th>"
        "<th scope=\"col\" class=\"n\">Span, median</th><th scope=\"col\" class=\"n\">Span, p99</th>"
        "<th scope=\"col\" class=\"n\">Trace, median</th><th scope=\"col\" class=\"n\">Trace, p99</th>");
    for (size_t i = 0; i < report->n_groups; i++) {
        const struct tt_report_group *group = &report->groups[i];
        put_row_name(out, group->name);
        put_count_cell(out, group->spans);
        put_count_cell(out, group->traces);
        put_count_cell(out, group->services);
        put_count_cell(out, group->blocks);
        put_share_cell(out, tt_share(group->errors, group->spans));
        put_duration_cell(out, group->durations.median);
        put_duration_cell(out, group->durations.p99);
        put_duration_cell(out, group->trace_durations.median);
        put_duration_cell(out, group->trace_durations.p99);
        html_raw(out, "</tr>\n");
    }
    close_table(out);
    if (report->has_others) {
        html_raw(out, "<p class=\"note\">“(other types)” are ");
        html_count(out, report->other_types);
        html_raw(out, " types of fewer spans.</p>\n");
    }
    if (!report->baseline_is_labelled && report->stats->normal > 0)
        html_raw(
            out,
            "<p class=\"note\">Nobody labelled normal spans: the baseline is what nobody labelled.</p>\n");
}

static void put_effect(struct tt_buffer *out, const struct tt_report_group *group)
{
    html_raw(out, "<td class=\"n\">");
    if (isfinite(group->log_ratio.low))
        tt_buffer_printf(out, "× %.2f <span class=\"s\">%.2f to %.2f, %zu blocks</span>",
                         exp(group->log_ratio.estimate), exp(group->log_ratio.low),
                         exp(group->log_ratio.high), group->log_ratio.n_left);
    else if (group->here_baseline.median > 0)
        tt_buffer_printf(out, "× %.2f <span class=\"s\">no repeats</span>",
                         group->here.median / group->here_baseline.median);
    html_raw(out, "</td>");
}

static void put_shows(struct tt_buffer *out, enum tt_shows shows)
{
    static const char *const badges[] = {"<span class=\"badge unknown\">? too few</span>",
                                         "<span class=\"badge fail\">✗ no</span>",
                                         "<span class=\"badge warn\">! weakly</span>",
                                         "<span class=\"badge pass\">✓ clearly</span>"};

    tt_buffer_printf(out, "<td>%s</td>", badges[shows]);
}

static void put_fault(struct tt_report *report, const struct tt_report_group *group,
                      struct tt_buffer *out)
{
    put_row_name(out, group->name);
    if (group->service == TT_REPORT_NO_GROUP) {
        html_raw(out, "<td colspan=\"6\">no service has enough spans to compare</td></tr>\n");
        return;
    }
    html_raw(out, "<td class=\"name\">");
    html_breakable(out, report->services[group->service].name->name);
    tt_buffer_printf(out, "%s</td>", group->is_guessed ? " <span class=\"s\">guess</span>" : "");
    put_duration_pair(out, group->here.median, group->here_baseline.median);
    put_duration_pair(out, group->here.p99, group->here_baseline.p99);
    put_share_pair(out, tt_share(group->here_errors, group->here.count),
                   tt_share(group->here_baseline_errors, group->here_baseline.count));
    put_effect(out, group);
    put_shows(out, group->shows);
    html_raw(out, "</tr>\n");
}

void html_table_faults(struct tt_report *report, struct tt_buffer *out)
{
    bool guessed = false;

    if (report->n_groups < 2)
        return;
    open_table(
        out, "faults",
        "<th scope=\"col\">Type</th><th scope=\"col\">Service</th><th scope=\"col\" class=\"n\">Median (baseline)</th>"
        "<th scope=\"col\" class=\"n\">p99 (baseline)</th><th scope=\"col\" class=\"n\">Errors (baseline)</th>"
        "<th scope=\"col\" class=\"n\">Median, ratio over blocks</th><th scope=\"col\">Shows</th>");
    for (size_t i = 1; i < report->n_groups; i++) {
        put_fault(report, &report->groups[i], out);
        guessed = guessed || report->groups[i].is_guessed;
    }
    close_table(out);
    if (guessed)
        html_raw(
            out,
            "<p class=\"note\">“guess”: the service in which most of the additional time is spent, or where errors begin. A "
            "run.json beside the files can say which service was broken.</p>\n");
}

/* ---- services by type ---- */

/* From no colour at no change to the full one at ten times as much or as little. */
static double shade(double ratio)
{
    return ratio > 0 ? fmin(fabs(log(ratio)) / log(10), 1) : 1;
}

static void put_heat_cell(const struct tt_report *report, size_t service, size_t group,
                          struct tt_buffer *out)
{
    const struct tt_report_cell *cells = report->services[service].cells, *cell = &cells[group];
    double now = tt_report_own_time(report, service, group);
    double baseline = tt_report_own_time(report, service, 0), ratio = now / baseline;
    bool is_here = report->groups[group].service == service;

    if (cell->spans < TT_REPORT_MIN_SPANS || cells[0].spans < TT_REPORT_MIN_SPANS ||
        !(baseline > 0)) {
        html_raw(out, "<td><span class=\"s\">–</span></td>");
        return;
    }
    tt_buffer_printf(
        out, "<td%s style=\"background:rgba(var(--%s),%.2f)\">×&nbsp;%.*f<span class=\"s\">%s",
        is_here ? " class=\"here\"" : "", ratio < 1 ? "cold" : "hot", 0.7 * shade(ratio),
        ratio < 9.95 ? 2 : 0, ratio, now < baseline ? "" : "+");
    html_duration(out, now - baseline);
    html_raw(out, "</span>");
    if (cell->errors > 0) {
        html_raw(out, "<span class=\"s\">");
        html_percent(out, tt_share(cell->errors, cell->spans));
        html_raw(out, " errors</span>");
    }
    html_raw(out, "</td>");
}

void html_table_heat(struct tt_report *report, struct tt_buffer *out)
{
    size_t n_types = report->n_groups > HEAT_TYPES + 1 ? HEAT_TYPES + 1 : report->n_groups;
    size_t n_services = report->n_services > HEAT_ROWS ? HEAT_ROWS : report->n_services;

    if (report->n_groups < 2)
        return;
    html_raw(
        out,
        "<h3>Where each type is felt</h3>\n<p class=\"note\">Time that a service spends by itself in an average trace (without that of "
        "the spans it called), as a multiple of baseline and as what is added, and the share of its spans in error. Warm: longer, "
        "cool: shorter. The outline is the service in which the type is measured. A good fault is warm in one row.</p>\n");
    html_raw(
        out,
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"heat\"><thead><tr><th scope=\"col\"></th><th scope=\"col\">baseline</th>");
    for (size_t i = 1; i < n_types; i++) {
        html_raw(out, "<th scope=\"col\">");
        html_breakable(out, report->groups[i].name);
        html_raw(out, "</th>");
    }
    html_raw(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n_services; i++) {
        put_row_name(out, report->services[i].name->name);
        put_duration_cell(out, tt_report_own_time(report, i, 0));
        for (size_t k = 1; k < n_types; k++)
            put_heat_cell(report, i, k, out);
        html_raw(out, "</tr>\n");
    }
    close_table(out);
}

static void put_bar_cell(struct tt_buffer *out, double share)
{
    tt_buffer_printf(out, "<td class=\"n\"><span class=\"bar\" style=\"width:%.0fpx\"></span> ",
                     90 * share);
    html_percent(out, share);
    html_raw(out, "</td>");
}

void html_table_services(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_names *names = &report->stats->services;
    const struct tt_stats_name **sorted = tt_names_sorted(report->stats, names);

    html_raw(out, "<h3>Labels by service</h3>\n");
    open_table(
        out, "services",
        "<th scope=\"col\">Service</th><th scope=\"col\" class=\"n\">Spans</th><th scope=\"col\" class=\"n\">Labelled</th>"
        "<th scope=\"col\" class=\"n\">Brought a label of their own</th>");
    for (size_t i = 0; sorted != NULL && i < names->count && i < MAX_SERVICES; i++) {
        put_row_name(out, sorted[i]->name);
        put_count_cell(out, sorted[i]->rows);
        put_bar_cell(out, tt_share(sorted[i]->labelled, sorted[i]->rows));
        if (sorted[i]->evidence == 0)
            html_raw(out, "<td class=\"n\"><span class=\"s\">never</span></td>");
        else
            put_bar_cell(out, tt_share(sorted[i]->evidence, sorted[i]->rows));
        html_raw(out, "</tr>\n");
    }
    close_table(out);
    if (names->count > MAX_SERVICES)
        tt_buffer_printf(out, "<p class=\"note\">… and %zu more services.</p>\n",
                         names->count - MAX_SERVICES);
    if (report->silent_services > 0)
        tt_buffer_printf(
            out,
            "<p class=\"note\">%llu services never sent a label: their spans have that of their trace. That is enough where "
            "another span of each trace, the root of the load test say, brings one.</p>\n",
            (unsigned long long)report->silent_services);
}

/* ---- SDKs ---- */

static void put_sum_cell(struct tt_buffer *out, double value)
{
    put_count_cell(out, value < 1e18 ? (uint64_t)value : UINT64_MAX);
}

void html_table_sdk(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_map *services = &report->stats->sdk.services;
    const struct tt_map_slot *slot;
    size_t position = 0, shown = 0;

    html_raw(out, "<h3>What SDKs say of their own losses</h3>\n");
    if (services->count == 0) {
        html_raw(
            out,
            "<p class=\"note\">No SDK reports them here: there are no otel.sdk.* metrics, nor processedSpans of Java.</p>\n");
        return;
    }
    open_table(
        out, "sdk",
        "<th scope=\"col\">Service</th><th scope=\"col\" class=\"n\">Spans passed</th><th scope=\"col\" class=\"n\">dropped</th>"
        "<th scope=\"col\" class=\"n\">failed</th><th scope=\"col\" class=\"n\">Logs dropped</th><th scope=\"col\" class=\"n\">failed</th>"
        "<th scope=\"col\" class=\"n\">Points failed</th>");
    while ((slot = tt_map_next(services, &position)) != NULL && shown++ < MAX_SDK) {
        const struct tt_sdk_service *service = slot->value;
        put_row_name(out, service->name);
        put_sum_cell(out, service->passed[TT_SDK_SPANS]);
        put_sum_cell(out, service->dropped[TT_SDK_SPANS]);
        put_sum_cell(out, service->failed[TT_SDK_SPANS]);
        put_sum_cell(out, service->dropped[TT_SDK_LOGS]);
        put_sum_cell(out, service->failed[TT_SDK_LOGS]);
        put_sum_cell(out, service->failed[TT_SDK_POINTS]);
        html_raw(out, "</tr>\n");
    }
    close_table(out);
}

/* ---- columns ---- */

static void put_meaning(struct tt_report *report, struct tt_str name, struct tt_buffer *out)
{
    const struct tt_column_meaning *known = tt_column_meaning(name);
    const char *defined = tt_map_get(&report->definitions, name);

    html_raw(out, "<td>");
    if (known != NULL)
        tt_buffer_append_str(out, tt_str(known->meaning));
    else if (defined != NULL)
        html_sentence(out, tt_str(defined));
    else
        html_raw(out, "<span class=\"s\">an attribute of the span or its resource</span>");
    html_raw(out, "</td>");
}

static void put_type(const struct tt_column_stats *column, struct tt_buffer *out)
{
    const struct tt_column_meaning *known = tt_column_meaning(column->name);
    const char *seen = column->filled == 0  ? "empty"
                       : !column->is_number ? "text"
                       : column->is_integer ? "integer"
                                            : "number";

    tt_buffer_printf(out, "<td>%s", known == NULL ? seen : known->type);
    if (known != NULL && known->unit[0] != '\0')
        tt_buffer_printf(out, " <span class=\"s\">%s</span>", known->unit);
    html_raw(out, "</td>");
}

/* As many as fit a line or two. */
static void put_examples(const struct tt_column_stats *column, uint64_t distinct,
                         struct tt_buffer *out)
{
    size_t shown = 0, bytes = 0;

    for (; shown < column->n_examples && bytes < 40; shown++) {
        tt_buffer_append_str(out, shown == 0 ? TT_STR("<code>") : TT_STR(", <code>"));
        tt_chart_put_escaped(out, column->examples[shown], 40);
        html_raw(out, "</code>");
        bytes += column->examples[shown].len + 2;
    }
    if (distinct > shown)
        html_raw(out, ", …");
}

static void put_bound(const struct tt_column_stats *column, double value, struct tt_buffer *out)
{
    if (column->is_integer && fabs(value) < 1e19)
        tt_buffer_printf(out, "%.0f", value);
    else
        tt_buffer_append_double(out, value);
}

static void put_values(const struct tt_column_stats *column, uint64_t distinct,
                       struct tt_buffer *out)
{
    html_raw(out, "<td>");
    if (column->filled > 0 && column->is_number && distinct > TT_COLUMN_EXAMPLES) {
        put_bound(column, column->min, out);
        html_raw(out, " to ");
        put_bound(column, column->max, out);
    } else {
        put_examples(column, distinct, out);
    }
    html_raw(out, "</td>");
}

void html_table_columns(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_columns *columns = report->stats->columns;
    size_t n = tt_columns_count(columns);

    html_raw(
        out,
        "<p class=\"note\">The columns of the files of spans. Distinct values over 256 are estimates within some per cent.</p>\n");
    open_table(
        out, "columns",
        "<th scope=\"col\">Column</th><th scope=\"col\">Meaning</th><th scope=\"col\">Type, unit</th><th scope=\"col\" class=\"n\">Filled"
        "</th><th scope=\"col\" class=\"n\">Distinct</th><th scope=\"col\">Range or first values</th>");
    for (size_t i = 0; i < n && i < MAX_COLUMNS; i++) {
        const struct tt_column_stats *column = tt_columns_at(columns, i);
        bool is_exact;
        uint64_t distinct = tt_columns_distinct(columns, i, &is_exact);
        put_row_name(out, column->name);
        put_meaning(report, column->name, out);
        put_type(column, out);
        put_share_cell(out, tt_share(column->filled, column->rows));
        tt_buffer_append_str(out,
                             is_exact ? TT_STR("<td class=\"n\">") : TT_STR("<td class=\"n\">≈ "));
        html_count(out, distinct);
        html_raw(out, "</td>");
        put_values(column, distinct, out);
        html_raw(out, "</tr>\n");
    }
    close_table(out);
    if (n > MAX_COLUMNS)
        tt_buffer_printf(out, "<p class=\"note\">… and %zu more columns.</p>\n", n - MAX_COLUMNS);
}

/* ---- where it is from ---- */

void html_table_facts(struct tt_report *report, struct tt_buffer *out)
{
    open_table(out, "facts", "<th scope=\"col\">What</th><th scope=\"col\">Value</th>");
    for (size_t i = 0; i < report->n_facts; i++) {
        put_row_name(out, report->facts[i].name);
        html_raw(out, "<td>");
        tt_chart_put_escaped(out, report->facts[i].value, 300);
        html_raw(out, "</td></tr>\n");
    }
    close_table(out);
    if (report->bad_run)
        html_raw(
            out,
            "<p class=\"note\">run.json is no JSON object of up to 1 MiB, and was not read.</p>\n");
    else if (!report->has_run)
        html_raw(
            out,
            "<p class=\"note\">There is no run.json beside the files that would name the load test, its seed, the versions and the "
            "machine.</p>\n");
}
