/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/dataset_stats.h"
#include "otlp/json.h"

#include <inttypes.h>

#define MAX_SERVICES_SHOWN 20

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

/* ---- JSON ---- */

static void put_member(struct tt_buffer *out, const char *name, uint64_t value)
{
    tt_buffer_printf(out, ",\"%s\":%" PRIu64, name, value);
}

static void put_ratio(struct tt_buffer *out, const char *name, uint64_t part, uint64_t whole)
{
    tt_buffer_printf(out, ",\"%s\":", name);
    tt_buffer_append_double(out, whole == 0 ? 0.0 : (double)part / (double)whole);
}

static bool is_none(struct tt_str source)
{
    return source.len == 0 || tt_str_equal(source, TT_STR("none"));
}

/* skip_none: label sources without "none", which is no source. */
static void put_counts(struct tt_stats *stats, const struct tt_map *map, const char *name,
                       bool skip_none, struct tt_buffer *out)
{
    const struct tt_stats_count **sorted = tt_stats_sorted(stats, map);
    const char *before = "";

    tt_buffer_printf(out, ",\"%s\":{", name);
    for (size_t i = 0; sorted != NULL && i < map->count; i++) {
        if (skip_none && is_none(sorted[i]->name))
            continue;
        tt_buffer_append_str(out, tt_str(before));
        tt_json_write_text(sorted[i]->name, out);
        tt_buffer_printf(out, ":%" PRIu64, sorted[i]->rows);
        before = ",";
    }
    tt_buffer_append_byte(out, '}');
}

static void put_services(struct tt_stats *stats, struct tt_buffer *out)
{
    const struct tt_stats_count **sorted = tt_stats_sorted(stats, &stats->services);

    tt_buffer_append_str(out, TT_STR(",\"by_service\":{"));
    for (size_t i = 0; sorted != NULL && i < stats->services.count; i++) {
        tt_buffer_append_str(out, i == 0 ? TT_STR("") : TT_STR(","));
        tt_json_write_text(sorted[i]->name, out);
        tt_buffer_printf(out, ":{\"spans\":%" PRIu64 ",\"labelled\":%" PRIu64, sorted[i]->rows,
                         sorted[i]->labelled);
        put_ratio(out, "coverage", sorted[i]->labelled, sorted[i]->rows);
        tt_buffer_append_byte(out, '}');
    }
    tt_buffer_append_byte(out, '}');
}

static void put_leaks(const struct tt_stats *stats, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR(",\"leaks\":["));
    for (size_t i = 0; i < stats->n_leaks; i++) {
        tt_buffer_append_str(out, i == 0 ? TT_STR("{\"column\":") : TT_STR(",{\"column\":"));
        tt_json_write_text(stats->leaks[i].column, out);
        tt_buffer_printf(out, ",\"separation\":%.4f}", stats->leaks[i].distance);
    }
    tt_buffer_append_byte(out, ']');
}

static void put_json(struct tt_stats *stats, struct tt_buffer *out)
{
    const struct tt_graph_counts *spans = &stats->spans;

    tt_buffer_printf(out, "{\"spans\":%" PRIu64, spans->spans);
    put_member(out, "traces", spans->traces);
    put_member(out, "roots", spans->roots);
    put_member(out, "orphans", spans->orphans);
    put_member(out, "services", stats->services.count);
    put_counts(stats, &stats->sources, "labelled_spans", true, out);
    put_member(out, "unlabelled_spans", spans->spans - stats->labelled);
    put_ratio(out, "label_coverage_ratio", stats->labelled, spans->spans);
    put_counts(stats, &stats->types, "by_type", false, out);
    put_member(out, "normal", stats->normal);
    put_member(out, "anomalous", stats->anomalous);
    put_member(out, "unknown", stats->unknown);
    put_member(out, "duplicates", spans->duplicates);
    put_member(out, "clock_skew", spans->skewed);
    put_member(out, "incomplete_traces", spans->incomplete_traces);
    put_member(out, "spans_without_trace", spans->without_trace);
    put_member(out, "negative_durations", stats->negative_durations);
    put_member(out, "metric_points", stats->rows[1]);
    put_member(out, "labelled_metric_points", stats->labelled_rows[1]);
    put_member(out, "log_records", stats->rows[2]);
    put_member(out, "labelled_log_records", stats->labelled_rows[2]);
    put_services(stats, out);
    put_leaks(stats, out);
    put_member(out, "files", stats->files);
    put_member(out, "sets", stats->sets);
    put_member(out, "recovered_sets", stats->recovered_sets);
    put_member(out, "changed_files", stats->changed_files);
    put_member(out, "unfinished_files", stats->unfinished_files);
    tt_buffer_append_str(out, TT_STR("}\n"));
}

/* ---- text ---- */

static void put_line(struct tt_buffer *out, const char *name, uint64_t value, uint64_t of)
{
    if (of > 0)
        tt_buffer_printf(out, "  %-24s %12" PRIu64 "  %5.1f %%\n", name, value, percent(value, of));
    else
        tt_buffer_printf(out, "  %-24s %12" PRIu64 "\n", name, value);
}

/* Names come from outside: control characters become '?'. */
static void put_name(struct tt_buffer *out, struct tt_str name)
{
    size_t len = name.len > 40 ? 40 : name.len;

    if (len == 0)
        tt_buffer_append_str(out, TT_STR("(empty)"));
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        tt_buffer_append_byte(out, c < 0x20 || c == 0x7F ? '?' : name.data[i]);
    }
    for (size_t i = len == 0 ? 7 : len; i < 24; i++)
        tt_buffer_append_byte(out, ' ');
}

static void put_table(struct tt_stats *stats, const struct tt_map *map, const char *title,
                      uint64_t of, bool coverage, struct tt_buffer *out)
{
    const struct tt_stats_count **sorted = tt_stats_sorted(stats, map);

    tt_buffer_printf(out, "\n%s\n", title);
    for (size_t i = 0; sorted != NULL && i < map->count; i++) {
        if (i == MAX_SERVICES_SHOWN) {
            tt_buffer_printf(out, "  … and %zu more\n", map->count - i);
            break;
        }
        tt_buffer_append_str(out, TT_STR("  "));
        put_name(out, sorted[i]->name);
        tt_buffer_printf(out, " %12" PRIu64 "  %5.1f %%", sorted[i]->rows,
                         percent(sorted[i]->rows, of));
        if (coverage)
            tt_buffer_printf(out, "  %5.1f %% labelled",
                             percent(sorted[i]->labelled, sorted[i]->rows));
        tt_buffer_append_byte(out, '\n');
    }
}

static void put_advice(const struct tt_stats *stats, struct tt_buffer *out)
{
    const struct tt_graph_counts *spans = &stats->spans;

    tt_buffer_append_str(out, TT_STR("\nadvice\n"));
    if (spans->spans > 0 && stats->labelled == 0)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - No span has label evidence: every row is called normal. Do not train on this. Send the root "
                "span of the load test, or let one service capture the x-anomaly headers.\n"));
    else if (percent(stats->labelled, spans->spans) < 50)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Less than half of the spans have label evidence; the others are called normal without "
                "anybody having said so. See the services with little coverage.\n"));
    if (stats->labelled > 0 && (stats->anomalous == 0 || stats->normal == 0))
        tt_buffer_append_str(out,
                             TT_STR("  - There is one class only; a classifier needs both.\n"));
    if (percent(spans->orphans, spans->spans) > 1)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Orphans: spans whose parent never came. A service that exports to another place, or sampling, "
                "cuts traces; features of the tree are wrong there.\n"));
    if (spans->duplicates > 0)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Duplicated spans: drop them by trace_id and span_id before splitting, or they leak from train to "
                "test.\n"));
    if (percent(spans->skewed, spans->spans) > 1)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Clocks disagree: spans begin before their parents. Do not use differences of start times across "
                "services.\n"));
    for (size_t i = 0; i < stats->n_leaks; i++)
        tt_buffer_printf(
            out,
            "  - Column %.*s alone tells the classes apart (%.0f %%): leave it out, or the model learns the test, not "
            "the fault.\n",
            TT_STR_ARG(stats->leaks[i].column), 100 * stats->leaks[i].distance);
    if (stats->changed_files > 0)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Files are not as their manifest says: they were changed or removed since.\n"));
    if (stats->unfinished_files > 0)
        tt_buffer_append_str(
            out,
            TT_STR(
                "  - Files are still being written (*.csv.partial); their rows are not counted here.\n"));
    tt_buffer_append_str(
        out,
        TT_STR(
            "  - Split by trace_id (or by time), never by row: spans of one trace share their label.\n"));
}

static void put_text(struct tt_stats *stats, struct tt_buffer *out)
{
    const struct tt_graph_counts *spans = &stats->spans;
    char first[32] = "-", last[32] = "-";

    if (stats->first_ns <= stats->last_ns) {
        (void)tt_time_format(stats->first_ns, 3, first);
        (void)tt_time_format(stats->last_ns, 3, last);
    }
    tt_buffer_printf(out, "spans from %s to %s, %zu files in %zu sets (%zu recovered)\n", first,
                     last, stats->files, stats->sets, stats->recovered_sets);
    put_line(out, "spans", spans->spans, 0);
    put_line(out, "traces", spans->traces, 0);
    put_line(out, "incomplete traces", spans->incomplete_traces, spans->traces);
    put_line(out, "roots", spans->roots, spans->spans);
    put_line(out, "orphans", spans->orphans, spans->spans);
    put_line(out, "duplicated spans", spans->duplicates, spans->spans);
    put_line(out, "child before parent", spans->skewed, spans->spans);
    put_line(out, "end before start", stats->negative_durations, spans->spans);
    put_line(out, "without trace id", spans->without_trace, spans->spans);
    put_line(out, "services", stats->services.count, 0);
    put_line(out, "metric points", stats->rows[1], 0);
    put_line(out, "  of them labelled", stats->labelled_rows[1], stats->rows[1]);
    put_line(out, "log records", stats->rows[2], 0);
    put_line(out, "  of them labelled", stats->labelled_rows[2], stats->rows[2]);
    put_line(out, "labelled spans", stats->labelled, spans->spans);
    put_line(out, "normal", stats->normal, spans->spans);
    put_line(out, "anomalous", stats->anomalous, spans->spans);
    if (stats->unknown > 0)
        put_line(out, "unknown", stats->unknown, spans->spans);
    put_table(stats, &stats->sources, "where labels are from", spans->spans, false, out);
    put_table(stats, &stats->types, "types", spans->spans, false, out);
    put_table(stats, &stats->services, "services", spans->spans, true, out);
    put_advice(stats, out);
}

static int dataset_report(const struct tt_args *args)
{
    struct tt_stats stats;
    struct tt_error err;
    struct tt_buffer out;
    int code;

    if (tt_stats_read(&stats, tt_args_operand(args, 0), &err) != TT_OK) {
        tt_stats_done(&stats);
        return tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    }
    tt_buffer_init(&out, (size_t)64 << 20);
    if (tt_args_flag(args, "json"))
        put_json(&stats, &out);
    else
        put_text(&stats, &out);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    tt_stats_done(&stats);
    return code;
}

static const struct tt_option options[] = {
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object instead of text."},
};

extern const struct tt_command tt_command_dataset_report;
const struct tt_command tt_command_dataset_report = {
    .name = "dataset report",
    .summary = "Say what a researcher must know of a dataset before training on it.",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Reads the finished labeled files of DIR (all sets), or one file: spans, traces, roots, orphans, services, where labels are "
        "from, class balance, duplicates, clocks that disagree, and columns that give the label away.",
    .run = dataset_report,
};
