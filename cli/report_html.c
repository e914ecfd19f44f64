/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_html.h"

#include "base/units.h"
#include "cli/cli.h"

#include <inttypes.h>

/* ---- what the parts share ---- */

void html_count(struct tt_buffer *out, uint64_t value)
{
    char text[32];
    size_t n = 0;

    do {
        if (n % 4 == 3)
            text[n++] = ',';
        text[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (n > 0)
        tt_buffer_append_byte(out, text[--n]);
}

/* Three digits are enough for a person. */
void html_duration(struct tt_buffer *out, double ns)
{
    double unit = ns == 0 ? 1 : pow(10, floor(log10(fabs(ns))) - 2);

    if (isfinite(ns))
        tt_chart_put_value(out, TT_CHART_DURATION_NS, round(ns / unit) * unit);
    else
        html_raw(out, "–");
}

void html_length(struct tt_buffer *out, double ns)
{
    double whole = ns >= 1e10 ? 1e9 : 1e6;
    char text[32];

    (void)tt_duration_format((tt_dur)(round(ns / whole) * whole), text);
    tt_buffer_append_str(out, tt_str(text));
}

void html_breakable(struct tt_buffer *out, struct tt_str name)
{
    name.len = name.len > 60 ? 60 : name.len;
    name.len = tt_utf8_valid_prefix(name);
    while (name.data != NULL) {
        html_text(out, tt_str_cut(&name, '_'));
        if (name.data != NULL)
            html_raw(out, "_<wbr>");
    }
}

void html_percent(struct tt_buffer *out, double share)
{
    double percent = 100 * share;
    bool is_edge = !(percent > 0 && percent < 100);

    if (!isfinite(share))
        html_raw(out, "–");
    else if (!is_edge && (percent < 0.1 || percent > 99.9))
        tt_buffer_printf(out, "%s %%", percent < 50 ? "&lt; 0.1" : "&gt; 99.9");
    else
        tt_buffer_printf(out, is_edge ? "%.0f %%" : "%.1f %%", percent);
}

void html_open_section(struct tt_buffer *out, const char *id, const char *title)
{
    tt_buffer_printf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id,
                     title);
}

void html_close_section(struct tt_buffer *out)
{
    html_raw(out, "</section>\n");
}

/* ---- the head ---- */

static void put_head(const struct tt_report *report, struct tt_buffer *out)
{
    html_raw(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"generator\" content=\"telltale " TT_VERSION "\">\n<title>Dataset report: ");
    html_text(out, report->path);
    html_raw(out, "</title>\n<style>\n");
    html_style(out);
    tt_chart_css(out);
    html_raw(out, "</style>\n</head>\n<body>\n");
}

static void put_verdict(const struct tt_report *report, struct tt_buffer *out)
{
    static const char *const verdicts[] = {"Fit to train on", "Fit to train on, with care",
                                           "Not fit to train on"};
    const char *before = "";
    size_t worst = 0;

    for (size_t i = 0; i < report->n_checks; i++)
        worst += report->checks[i].verdict == report->verdict;
    tt_buffer_printf(out, "<div class=\"verdict %s\" role=\"status\"><strong>%s</strong><p>",
                     tt_verdict_name(report->verdict), verdicts[report->verdict]);
    if (report->verdict == TT_CHECK_PASS) {
        tt_buffer_printf(out, "All %zu checks that could be made passed.</p></div>\n", worst);
        return;
    }
    tt_buffer_printf(out, "%zu of %zu checks %s: ", worst, report->n_checks,
                     report->verdict == TT_CHECK_FAIL ? "failed" : "ask for care");
    for (size_t i = 0; i < report->n_checks; i++)
        if (report->checks[i].verdict == report->verdict) {
            tt_buffer_printf(out, "%s<a href=\"#check-%s\">%s</a>", before, report->checks[i].id,
                             report->checks[i].title);
            before = ", ";
        }
    html_raw(out, ".</p></div>\n");
}

static void put_header(const struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;
    char first[32], last[32];

    html_raw(out, "<header>\n<p class=\"sub\">Dataset report</p>\n<h1>");
    html_text(out, report->path);
    html_raw(out, "</h1>\n");
    if (stats->first_ns <= stats->last_ns) {
        (void)tt_time_format(stats->first_ns, 0, first);
        (void)tt_time_format(stats->last_ns, 0, last);
        tt_buffer_printf(out, "<p class=\"sub\">Recorded from %s to %s, ", first, last);
        html_length(out, (double)(stats->last_ns - stats->first_ns));
        html_raw(out, "</p>\n");
    }
    put_verdict(report, out);
    html_raw(
        out,
        "<nav aria-label=\"Contents\"><a href=\"#checks\">Checks</a><a href=\"#types\">Types</a>"
        "<a href=\"#faults\">Faults</a><a href=\"#services\">Services</a><a href=\"#without-model\">Without a model</a>"
        "<a href=\"#missing\">What is missing</a><a href=\"#columns\">Columns</a><a href=\"#datasheet\">Datasheet</a>"
        "<a href=\"#sources\">Where it is from</a></nav>\n</header>\n");
}

/* ---- at a glance ---- */

static void open_tile(struct tt_buffer *out)
{
    html_raw(out, "<div class=\"tile\"><b>");
}

static void close_tile(struct tt_buffer *out, const char *name)
{
    tt_buffer_printf(out, "</b><span>%s</span></div>\n", name);
}

static void put_count_tile(struct tt_buffer *out, const char *name, uint64_t value)
{
    open_tile(out);
    html_count(out, value);
    close_tile(out, name);
}

static void put_share_tile(struct tt_buffer *out, const char *name, uint64_t part, uint64_t whole)
{
    open_tile(out);
    html_percent(out, tt_share(part, whole));
    close_tile(out, name);
}

static void put_tiles(const struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;
    const struct tt_graph_counts *spans = &stats->spans;

    html_raw(out, "<div class=\"tiles\">\n");
    put_count_tile(out, "spans", spans->spans);
    put_count_tile(out, "traces", spans->traces);
    put_count_tile(out, "services", stats->services.count);
    put_share_tile(out, "of spans labelled", stats->labelled, spans->spans);
    put_share_tile(out, "of spans anomalous", stats->anomalous, spans->spans);
    put_share_tile(out, "of traces whole", spans->traces - spans->incomplete_traces, spans->traces);
    if (stats->rows[1] > 0)
        put_count_tile(out, "metric points", stats->rows[1]);
    if (stats->rows[2] > 0)
        put_count_tile(out, "log records", stats->rows[2]);
    html_raw(out, "</div>\n");
}

static void put_checks(const struct tt_report *report, struct tt_buffer *out)
{
    static const char *const badges[] = {"✓ pass", "! warning", "✗ fail", "? unknown"};

    html_open_section(out, "checks", "What was checked");
    html_raw(out, "<ul class=\"checks\">\n");
    for (size_t i = 0; i < report->n_checks; i++) {
        const struct tt_report_check *check = &report->checks[i];
        tt_buffer_printf(
            out, "<li id=\"check-%s\"><span class=\"badge %s\">%s</span><div><b>%s</b><p>",
            check->id, tt_verdict_name(check->verdict), badges[check->verdict], check->title);
        html_sentence(out, check->finding);
        html_raw(out, "</p>");
        if (check->advice.len > 0) {
            html_raw(out, "<p class=\"advice\">");
            html_sentence(out, check->advice);
            html_raw(out, "</p>");
        }
        html_raw(out, "</div></li>\n");
    }
    html_raw(out, "</ul>\n");
    html_close_section(out);
}

/* ---- sections ---- */

static void put_types(struct tt_report *report, struct tt_buffer *out)
{
    html_open_section(out, "types", "What was recorded");
    html_chart_timeline(report, out);
    html_chart_classes(report, out);
    html_table_types(report, out);
    html_close_section(out);
}

static void put_faults(struct tt_report *report, struct tt_buffer *out)
{
    html_open_section(out, "faults", "Did the faults show?");
    html_raw(
        out,
        "<p>Each type in the service that it breaks, against baseline in the same service. A type that cannot be told "
        "from baseline there is noise to a model. Intervals hold with 95 % confidence over the blocks of the run, which are its "
        "repeats.</p>\n");
    html_chart_durations(report, out);
    html_chart_effects(report, out);
    html_chart_errors(report, out);
    html_table_faults(report, out);
    html_close_section(out);
}

static void put_services(struct tt_report *report, struct tt_buffer *out)
{
    html_open_section(out, "services", "Services");
    html_table_heat(report, out);
    html_table_services(report, out);
    html_close_section(out);
}

static void put_without_model(struct tt_report *report, struct tt_buffer *out)
{
    html_open_section(out, "without-model", "What tells the label without a model");
    html_raw(
        out,
        "<p>Learnt on seven tenths of the traces, judged on the others; no trace is on both sides. What a single column "
        "reaches, every model must beat; what reaches 1 gives the label away.</p>\n");
    html_chart_columns(report, out);
    html_raw(out, "<div class=\"pair\">\n");
    html_chart_histogram(report, out);
    html_chart_roc(report, out);
    html_raw(out, "</div>\n");
    html_close_section(out);
}

static void put_missing(struct tt_report *report, struct tt_buffer *out)
{
    html_open_section(out, "missing", "What is missing, and probably why");
    if (report->n_orphans == 0)
        html_raw(out, "<p>Every span that names a parent has it here.</p>\n");
    else
        html_raw(out, "<ul>\n");
    for (size_t i = 0; i < report->n_orphans; i++) {
        html_raw(out, "<li>");
        html_sentence(out, tt_orphans_sentence(report, &report->orphans[i]));
        html_raw(out, "</li>\n");
    }
    if (report->n_orphans > 0)
        html_raw(out, "</ul>\n");
    html_table_sdk(report, out);
    html_close_section(out);
}

static void put_footer(struct tt_buffer *out)
{
    html_raw(
        out,
        "</main>\n<footer>\n<p>Written by telltale " TT_VERSION
        ".</p>\n<p>Quantiles interpolate between neighbours, as pandas does. "
        "Intervals are Welch’s t intervals over blocks: stretches of time in which traces of one type began. “Own time” of a span is "
        "its duration less that of its children. A trace is held out by a hash of its id, the same for everybody. How each figure is "
        "made is in docs/datasets.md.</p>\n</footer>\n</body>\n</html>\n");
}

void tt_report_put_html(struct tt_report *report, struct tt_buffer *out)
{
    put_head(report, out);
    put_header(report, out);
    html_raw(out, "<main>\n");
    put_tiles(report, out);
    put_checks(report, out);
    if (report->stats->spans.spans > 0) {
        put_types(report, out);
        put_faults(report, out);
        put_services(report, out);
        put_without_model(report, out);
    }
    put_missing(report, out);
    html_open_section(out, "columns", "Data dictionary");
    html_table_columns(report, out);
    html_close_section(out);
    html_open_section(out, "datasheet", "Datasheet");
    html_datasheet(report, out);
    html_close_section(out);
    html_open_section(out, "sources", "Where it is from");
    html_table_facts(report, out);
    html_close_section(out);
    put_footer(out);
}
