/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a terminal. Names come from outside: they are cut and their control characters are "?". */
#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_SHOWN  20
#define WIDTH      24
#define FACT_WIDTH 34

static double percent(uint64_t part, uint64_t whole)
{
    return 100 * tt_share(part, whole);
}

/* Cut or filled up to a number of characters, which printf would count as bytes. */
static void put_padded(struct tt_buffer *out, struct tt_str text, size_t width)
{
    size_t characters = 0, cut = 0;

    for (size_t i = 0; i < text.len; i++) {
        characters += ((unsigned char)text.data[i] & 0xC0) != 0x80;
        if (characters == width && cut == 0)
            cut = i;
    }
    if (characters > width) {
        tt_buffer_append(out, text.data, cut);
        tt_buffer_append_str(out, TT_STR("…"));
        return;
    }
    tt_buffer_append_str(out, text);
    for (; characters < width; characters++)
        tt_buffer_append_byte(out, ' ');
}

static void put_name(struct tt_report *report, struct tt_buffer *out, struct tt_str name)
{
    tt_buffer_append_str(out, TT_STR("  "));
    put_padded(out, tt_report_clean(report, name), WIDTH);
}

static void put_ms(struct tt_buffer *out, double ns, int width)
{
    if (isfinite(ns))
        tt_buffer_printf(out, " %*.2f", width, ns / 1e6);
    else
        tt_buffer_printf(out, " %*s", width, "-");
}

static void put_line(struct tt_buffer *out, const char *name, uint64_t value, uint64_t of)
{
    tt_buffer_printf(out, "  %-24s %12" PRIu64, name, value);
    if (of > 0)
        tt_buffer_printf(out, "  %5.1f %%", percent(value, of));
    tt_buffer_append_byte(out, '\n');
}

/* Sentences are broken at 100 characters, later lines indented. */
static void put_wrapped(struct tt_buffer *out, const char *first, const char *later,
                        struct tt_str text)
{
    size_t column = strlen(first);

    tt_buffer_append_str(out, tt_str(first));
    while (text.data != NULL && text.len > 0) {
        struct tt_str word = tt_str_cut(&text, ' ');
        if (column + 1 + word.len > 100 && column > strlen(later)) {
            tt_buffer_printf(out, "\n%s", later);
            column = strlen(later);
        }
        tt_buffer_append_str(out, word);
        tt_buffer_append_byte(out, ' ');
        column += word.len + 1;
    }
    if (out->len > 0 && out->failed == TT_OK && out->data[out->len - 1] == ' ')
        out->len--;
    tt_buffer_append_byte(out, '\n');
}

/* ---- the verdict ---- */

static void put_verdict(const struct tt_report *report, struct tt_buffer *out)
{
    static const char *const verdicts[] = {"fit to train on", "fit to train on, with care",
                                           "not fit to train on"};
    static const char *const marks[] = {"ok   ", "WARN ", "FAIL ", "?    "};

    tt_buffer_printf(out, "verdict: %s\n", verdicts[report->verdict]);
    for (size_t i = 0; i < report->n_checks; i++) {
        const struct tt_report_check *check = &report->checks[i];
        char first[64];
        (void)snprintf(first, sizeof(first), "  %s%s: ", marks[check->verdict], check->title);
        put_wrapped(out, first, "       ", check->finding);
        if (check->advice.len > 0)
            put_wrapped(out, "       > ", "         ", check->advice);
    }
}

/* ---- totals ---- */

static void put_totals(const struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;
    const struct tt_graph_counts *spans = &stats->spans;
    char first[32] = "-", last[32] = "-";

    if (stats->first_ns <= stats->last_ns) {
        (void)tt_time_format(stats->first_ns, 3, first);
        (void)tt_time_format(stats->last_ns, 3, last);
    }
    tt_buffer_printf(out, "\nspans from %s to %s, %zu file%s in %zu set%s (%zu recovered)\n", first,
                     last, stats->files, tt_plural(stats->files), report->sets,
                     tt_plural(report->sets), report->recovered_sets);
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
    put_line(out, "  bystanders", stats->bystander_spans, stats->normal);
    put_line(out, "anomalous", stats->anomalous, spans->spans);
    if (stats->unknown > 0)
        put_line(out, "unknown", stats->unknown, spans->spans);
}

static void put_table(struct tt_report *report, const struct tt_names *names, const char *title,
                      bool coverage, struct tt_buffer *out)
{
    const struct tt_stats_name **sorted = tt_names_sorted(report->stats, names);
    uint64_t of = report->stats->spans.spans;

    tt_buffer_printf(out, "\n%s\n", title);
    for (size_t i = 0; sorted != NULL && i < names->count; i++) {
        if (i == MAX_SHOWN) {
            tt_buffer_printf(out, "  … and %zu more\n", names->count - i);
            break;
        }
        put_name(report, out, sorted[i]->name);
        tt_buffer_printf(out, " %12" PRIu64 "  %5.1f %%", sorted[i]->rows,
                         percent(sorted[i]->rows, of));
        if (coverage)
            tt_buffer_printf(out, "  %5.1f %% labelled%s",
                             percent(sorted[i]->labelled, sorted[i]->rows),
                             sorted[i]->evidence == 0 ? ", never by itself" : "");
        tt_buffer_append_byte(out, '\n');
    }
}

/* ---- types ---- */

static void put_types(struct tt_report *report, struct tt_buffer *out)
{
    tt_buffer_append_str(
        out,
        TT_STR(
            "\ntypes                        spans   traces  serv  blocks  errors   median ms      "
            "p99 ms  trace median\n"));
    for (size_t i = 0; i < report->n_groups; i++) {
        const struct tt_report_group *group = &report->groups[i];
        put_name(report, out, group->name);
        tt_buffer_printf(out, " %9" PRIu64 " %8" PRIu64 " %5" PRIu32 " %7" PRIu32 " %6.1f%%",
                         group->spans, group->traces, group->services, group->blocks,
                         percent(group->errors, group->spans));
        put_ms(out, group->durations.median, 11);
        put_ms(out, group->durations.p99, 11);
        put_ms(out, group->trace_durations.median, 13);
        tt_buffer_append_byte(out, '\n');
    }
    if (report->is_mixed)
        tt_buffer_append_str(
            out, TT_STR("  types alternate from trace to trace; blocks are eighths of the run\n"));
    if (!report->baseline_is_labelled && report->stats->normal > 0)
        tt_buffer_append_str(
            out, TT_STR("  nobody labelled normal spans: the baseline is what nobody labelled\n"));
}

static void put_fault(struct tt_report *report, const struct tt_report_group *group,
                      struct tt_buffer *out)
{
    put_name(report, out, group->name);
    if (group->service == TT_REPORT_NO_GROUP) {
        tt_buffer_append_str(out, TT_STR(" no service has enough spans to compare\n"));
        return;
    }
    tt_buffer_append_byte(out, ' ');
    put_padded(out, tt_report_clean(report, report->services[group->service].name->name), 14);
    tt_buffer_printf(out, "%c %9.2f (%7.2f) %9.2f (%7.2f) %5.1f%% (%5.1f%%)  ",
                     group->is_guessed ? '*' : ' ', group->here.median / 1e6,
                     group->here_baseline.median / 1e6, group->here.p99 / 1e6,
                     group->here_baseline.p99 / 1e6, percent(group->here_errors, group->here.count),
                     percent(group->here_baseline_errors, group->here_baseline.count));
    if (isfinite(group->log_ratio.low))
        tt_buffer_printf(out, "%7.2f [%.2f, %.2f] over %zu", exp(group->log_ratio.estimate),
                         exp(group->log_ratio.low), exp(group->log_ratio.high),
                         group->log_ratio.n_left);
    else
        tt_buffer_printf(out, "%7.2f, no interval",
                         group->here.median / group->here_baseline.median);
    tt_buffer_printf(out, "  %s\n", tt_shows_name(group->shows));
}

static void put_faults(struct tt_report *report, struct tt_buffer *out)
{
    if (report->n_groups < 2)
        return;
    tt_buffer_append_str(
        out,
        TT_STR(
            "\neach fault in its service, against (baseline)\n"
            "                             service            median ms             p99 ms           errors  "
            "         ratio of medians, 95 % over blocks, shows\n"));
    for (size_t i = 1; i < report->n_groups; i++)
        put_fault(report, &report->groups[i], out);
    for (size_t i = 1; i < report->n_groups; i++)
        if (report->groups[i].is_guessed) {
            tt_buffer_append_str(
                out,
                TT_STR(
                    "  * a guess: where the additional time is spent, or errors begin; run.json can say which service was broken\n"));
            break;
        }
}

/* ---- the rest ---- */

static void put_orphans(struct tt_report *report, struct tt_buffer *out)
{
    if (report->n_orphans == 0)
        return;
    tt_buffer_append_str(out, TT_STR("\norphans\n"));
    for (size_t i = 0; i < report->n_orphans; i++)
        put_wrapped(out, "  - ", "    ", tt_orphans_sentence(report, &report->orphans[i]));
}

static void put_trivial(const char *name, const struct tt_report_trivial *trivial,
                        struct tt_buffer *out)
{
    if (isfinite(trivial->roc_auc))
        tt_buffer_printf(out, "  %-24s ROC AUC %.3f; over %.2f ms: F1 %.3f (everything: %.3f)\n",
                         name, trivial->roc_auc, trivial->threshold_ns / 1e6, trivial->f1,
                         trivial->always_f1);
}

static void put_without_model(struct tt_report *report, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("\nwithout a model, on held-out traces\n"));
    put_trivial("duration of the trace", &report->trivial_traces, out);
    put_trivial("duration of the span", &report->trivial_spans, out);
    for (size_t i = 0; i < report->n_columns && i < 5; i++) {
        put_name(report, out, report->columns[i].column);
        tt_buffer_printf(out, " ROC AUC %.3f\n", report->columns[i].roc_auc);
    }
    for (size_t i = 0; i < report->n_leaks; i++)
        if (report->leaks[i].type.len > 0) {
            put_name(report, out, report->leaks[i].column);
            tt_buffer_printf(out, " ROC AUC %.3f for %.*s alone\n", report->leaks[i].roc_auc,
                             TT_STR_ARG(tt_report_clean(report, report->leaks[i].type)));
        }
}

static void put_sdk(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_map_slot *slot;
    size_t position = 0, shown = 0;

    while ((slot = tt_map_next(&report->stats->sdk.services, &position)) != NULL &&
           shown++ < MAX_SHOWN) {
        const struct tt_sdk_service *service = slot->value;
        if (shown == 1)
            tt_buffer_append_str(out, TT_STR("\nwhat SDKs say of their spans\n"));
        put_name(report, out, service->name);
        tt_buffer_printf(out, " %12.0f passed %9.0f dropped %9.0f failed\n",
                         service->passed[TT_SDK_SPANS], service->dropped[TT_SDK_SPANS],
                         service->failed[TT_SDK_SPANS]);
    }
}

static void put_facts(struct tt_report *report, struct tt_buffer *out)
{
    if (report->n_facts > 0)
        tt_buffer_append_str(out, TT_STR("\nwhere it is from\n"));
    for (size_t i = 0; i < report->n_facts; i++) {
        tt_buffer_append_str(out, TT_STR("  "));
        put_padded(out, tt_report_clean(report, report->facts[i].name), FACT_WIDTH);
        tt_buffer_printf(out, " %.*s\n",
                         TT_STR_ARG(tt_report_clean(report, report->facts[i].value)));
    }
    if (report->bad_run)
        tt_buffer_append_str(
            out, TT_STR("\nrun.json is no JSON object of up to 1 MiB, and was not read\n"));
}

void tt_report_put_text(struct tt_report *report, struct tt_buffer *out)
{
    put_verdict(report, out);
    put_totals(report, out);
    put_table(report, &report->stats->sources, "where labels are from", false, out);
    put_table(report, &report->stats->services, "services", true, out);
    put_types(report, out);
    put_faults(report, out);
    put_without_model(report, out);
    put_orphans(report, out);
    put_sdk(report, out);
    put_facts(report, out);
    tt_buffer_append_str(
        out,
        TT_STR(
            "\nSplit by trace_id (or by time), never by row: spans of one trace share their label.\n"));
}
