/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict: what was looked at, what came of it, and what to do. */
#include "cli/report.h"

#define GOOD_COVERAGE   0.99
#define POOR_COVERAGE   0.5
#define MIN_TRACES      30 /* of a type */
#define MIN_BLOCKS      3
#define MUCH            0.01 /* of orphans, skew, bystanders */
#define TOO_MANY_BROKEN 0.5  /* of traces, incomplete for want of more than their root */
#define UNEVEN_TIME     0.75
#define TOO_EASY        0.99

static void add(struct tt_report *report, const char *id, const char *title,
                enum tt_verdict verdict, struct tt_str finding, struct tt_str advice)
{
    if (report->n_checks < TT_REPORT_CHECKS)
        report->checks[report->n_checks++] = (struct tt_report_check){
            .id = id,
            .title = title,
            .verdict = verdict,
            .finding = finding,
            .advice = verdict == TT_CHECK_PASS ? TT_STR("") : advice,
        };
}

static double percent(uint64_t part, uint64_t whole)
{
    return 100 * tt_share(part, whole);
}

static const char *count(struct tt_report *report, uint64_t value)
{
    return tt_report_count(report, value);
}

static void check_labels(struct tt_report *report)
{
    const struct tt_stats *stats = report->stats;
    uint64_t spans = stats->spans.spans;
    const char *called = stats->unknown == 0 ? "normal" : "unknown";
    double coverage = tt_share(stats->labelled, spans);
    enum tt_verdict verdict = coverage >= GOOD_COVERAGE  ? TT_CHECK_PASS
                              : coverage < POOR_COVERAGE ? TT_CHECK_FAIL
                                                         : TT_CHECK_WARN;

    if (stats->labelled == 0)
        add(report, "labels", "Spans have labels", TT_CHECK_FAIL,
            tt_report_text(report,
                           "No span has label evidence: %s are called normal, %s anomalous, %s "
                           "unknown.",
                           count(report, stats->normal), count(report, stats->anomalous),
                           count(report, stats->unknown)),
            TT_STR(
                "Do not train on this. Send the root span of the load test, or let one service capture the "
                "x-anomaly headers."));
    else
        add(report, "labels", "Spans have labels", verdict,
            tt_report_text(report, "%s of %s spans have label evidence (%.2f %%).",
                           count(report, stats->labelled), count(report, spans),
                           percent(stats->labelled, spans)),
            tt_report_text(
                report,
                "The others are called %s without anybody having said so: train on rows whose label_source is not "
                "none, and see the services with little coverage.",
                called));
}

static void check_classes(struct tt_report *report)
{
    const struct tt_stats *stats = report->stats;
    uint64_t least = UINT64_MAX;
    size_t thin = 0;

    if (stats->anomalous == 0 || stats->normal == 0) {
        add(report, "classes", "Both classes are there", TT_CHECK_FAIL,
            tt_report_text(report, "There %s: %s normal, %s anomalous, %s unknown spans.",
                           stats->anomalous + stats->normal == 0 ? "is no class at all"
                                                                 : "is one class only",
                           count(report, stats->normal), count(report, stats->anomalous),
                           count(report, stats->unknown)),
            TT_STR("A classifier needs both: record baseline and faults in one run."));
        return;
    }
    for (size_t i = 0; i < report->n_groups; i++) {
        thin += report->groups[i].traces < MIN_TRACES;
        if (report->groups[i].traces < least)
            least = report->groups[i].traces;
    }
    add(report, "classes", "Both classes are there", thin > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        tt_report_text(
            report,
            "%s normal and %s anomalous spans (%.1f %% anomalous) of %zu types; the rarest has %s traces.",
            count(report, stats->normal), count(report, stats->anomalous),
            percent(stats->anomalous, stats->normal + stats->anomalous),
            report->n_groups - 1 + (report->has_others ? report->other_types - 1 : 0),
            count(report, least)),
        TT_STR(
            "Types of fewer than 30 traces cannot be learnt, nor tested: record longer, or leave them out."));
}

static void check_consistent(struct tt_report *report)
{
    uint64_t mixed = report->stats->spans.mixed_traces;

    add(report, "consistent", "A trace has one label", mixed > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        mixed == 0 ? TT_STR("All spans of each trace have the same type.")
                   : tt_report_text(report, "%s traces have spans of several types.",
                                    count(report, mixed)),
        TT_STR(
            "Spans that came after their trace was written miss its label: raise idle of the trace_assembler, or run "
            "dataset extract on the JSONL."));
}

static void check_faults(struct tt_report *report)
{
    size_t shown = 0, weak = 0, missing = 0, compared = 0;
    struct tt_str names = TT_STR("");

    for (size_t i = 1; i < report->n_groups; i++) {
        const struct tt_report_group *group = &report->groups[i];
        compared += group->shows != TT_SHOWS_UNKNOWN;
        shown += group->shows == TT_SHOWS_CLEARLY;
        weak += group->shows == TT_SHOWS_WEAKLY;
        missing += group->shows == TT_SHOWS_NOT;
        if (group->shows == TT_SHOWS_NOT || group->shows == TT_SHOWS_WEAKLY)
            names = tt_report_text(report, "%.*s%s%.*s%s", names.len > 400 ? 0 : (int)names.len,
                                   names.data, names.len == 0 ? "" : ", ",
                                   TT_STR_ARG(tt_report_clean(report, group->name)),
                                   group->shows == TT_SHOWS_WEAKLY ? " (weakly)" : " (not at all)");
    }
    if (compared == 0) {
        add(report, "faults", "Faults show", TT_CHECK_UNKNOWN,
            TT_STR("No type could be compared with baseline: both need 20 spans in one service."),
            TT_STR(""));
        return;
    }
    add(report, "faults", "Faults show",
        missing == compared  ? TT_CHECK_FAIL
        : missing + weak > 0 ? TT_CHECK_WARN
                             : TT_CHECK_PASS,
        tt_report_text(
            report, "%zu of %zu types differ clearly from baseline in durations or errors%s%.*s.",
            shown, compared, names.len == 0 ? "" : "; not so: ", TT_STR_ARG(names)),
        TT_STR(
            "A fault that does not show is labelled noise: make it stronger, or leave the type out."));
}

static void check_repeats(struct tt_report *report)
{
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i < report->n_groups; i++)
        if (report->groups[i].blocks < least && !(report->has_others && i + 1 == report->n_groups))
            least = report->groups[i].blocks;
    if (report->n_groups < 2)
        return;
    if (report->is_mixed)
        add(report, "repeats", "Faults are repeated", TT_CHECK_PASS,
            TT_STR(
                "Types alternate from trace to trace: there are no blocks to confuse with a fault."),
            TT_STR(""));
    else
        add(report, "repeats", "Faults are repeated",
            least >= MIN_BLOCKS ? TT_CHECK_PASS : TT_CHECK_WARN,
            tt_report_text(report, "%zu blocks of time; each type has at least %u.",
                           report->n_blocks, least),
            TT_STR(
                "With fewer than three blocks of a type nobody can tell the fault from what else happened then: repeat each, in "
                "shuffled order, with baseline between."));
}

static void check_time(struct tt_report *report)
{
    if (!isfinite(report->time_auc))
        return;
    add(report, "time", "Time does not tell",
        report->time_auc > UNEVEN_TIME ? TT_CHECK_WARN : TT_CHECK_PASS,
        tt_report_text(
            report,
            "Early against late alone separates normal from anomalous traces with a ROC AUC of %.3f (0.5 is chance).",
            report->time_auc),
        TT_STR(
            "Baseline and faults were recorded at different times. Leave times out of the features; record baseline between the "
            "faults."));
}

static void check_leaks(struct tt_report *report)
{
    struct tt_str names = TT_STR("");

    for (size_t i = 0; i < report->n_leaks; i++)
        names = tt_report_text(report, "%.*s%s%.*s", names.len > 600 ? 0 : (int)names.len,
                               names.data, names.len == 0 ? "" : ", ",
                               TT_STR_ARG(tt_report_clean(report, report->leaks[i].column)));
    if (report->n_columns == 0 && report->n_leaks == 0) {
        add(report, "leaks", "No column gives the label away", TT_CHECK_UNKNOWN,
            TT_STR(
                "Too few traces to judge single columns: 50 held-out spans of each class are needed."),
            TT_STR(""));
        return;
    }
    add(report, "leaks", "No column gives the label away",
        report->n_leaks > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        report->n_leaks == 0
            ? tt_report_text(
                  report,
                  "On held-out traces the best single column, %.*s, reaches a ROC AUC of %.3f.",
                  TT_STR_ARG(tt_report_clean(report, report->columns[0].column)),
                  report->columns[0].roc_auc)
            : tt_report_text(
                  report,
                  "On held-out traces these alone tell the label (ROC AUC over 0.99): %.*s.",
                  TT_STR_ARG(names)),
        TT_STR("Leave them out, or the model learns the test, not the fault."));
}

static void check_trivial(struct tt_report *report)
{
    const struct tt_report_trivial *traces = &report->trivial_traces;

    if (!isfinite(traces->roc_auc))
        return;
    add(report, "trivial", "A threshold on duration does not do",
        traces->roc_auc > TOO_EASY ? TT_CHECK_WARN : TT_CHECK_PASS,
        tt_report_text(
            report,
            "On held-out traces the duration alone reaches a ROC AUC of %.3f, its best threshold an F1 of %.3f (calling "
            "everything anomalous: %.3f).",
            traces->roc_auc, traces->f1, traces->always_f1),
        TT_STR(
            "Whatever a model reaches here, this threshold nearly does too: do not compare models on it."));
}

static void check_bystanders(struct tt_report *report)
{
    const struct tt_stats *stats = report->stats;

    add(report, "bystanders", "Normal spans are undisturbed",
        tt_share(stats->bystander_spans, stats->normal) > MUCH ? TT_CHECK_WARN : TT_CHECK_PASS,
        stats->bystander_spans == 0
            ? TT_STR(
                  "No span that is called normal was recorded while a label window was open for its service.")
            : tt_report_text(
                  report,
                  "%s spans that are called normal (%.1f %%) were recorded while a fault was active for their service.",
                  count(report, stats->bystander_spans),
                  percent(stats->bystander_spans, stats->normal)),
        TT_STR(
            "They may have felt the fault: leave normal rows with an anomalous anomaly_active out."));
}

/* Traces that lack nothing but a root nobody sends are whole enough. */
static void check_traces(struct tt_report *report)
{
    const struct tt_graph_counts *spans = &report->stats->spans;
    bool only_roots = true;

    for (size_t i = 0; i < report->n_orphans; i++)
        only_roots = only_roots && report->orphans[i].cause == TT_ORPHAN_ENTRY;
    add(report, "traces", "Traces are whole",
        tt_share(spans->incomplete_traces, spans->traces) <= MUCH ? TT_CHECK_PASS
        : tt_share(spans->incomplete_traces, spans->traces) > TOO_MANY_BROKEN && !only_roots
            ? TT_CHECK_FAIL
            : TT_CHECK_WARN,
        spans->incomplete_traces == 0
            ? tt_report_text(report, "All %s traces have their root and every parent.",
                             count(report, spans->traces))
            : tt_report_text(
                  report, "%s of %s traces lack a root or a parent (%.2f %%); %s orphaned spans.",
                  count(report, spans->incomplete_traces), count(report, spans->traces),
                  percent(spans->incomplete_traces, spans->traces), count(report, spans->orphans)),
        report->n_orphans == 0 ? TT_STR("") : tt_orphans_sentence(report, &report->orphans[0]));
}

static void check_duplicates(struct tt_report *report)
{
    uint64_t duplicates = report->stats->spans.duplicates;

    add(report, "duplicates", "No span is there twice",
        duplicates > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        duplicates == 0 ? TT_STR("Trace and span id of every span are its own.")
                        : tt_report_text(report, "%s spans are there more than once.",
                                         count(report, duplicates)),
        TT_STR(
            "Drop them by trace_id and span_id before splitting, or they leak from train to test."));
}

static void check_clocks(struct tt_report *report)
{
    const struct tt_graph_counts *spans = &report->stats->spans;
    uint64_t negative = report->stats->negative_durations;
    bool disagree = tt_share(spans->skewed, spans->spans) > MUCH || negative > 0 ||
                    tt_share(spans->calls_out_of_time, spans->calls) > MUCH;

    add(report, "clocks", "Clocks agree", disagree ? TT_CHECK_WARN : TT_CHECK_PASS,
        tt_report_text(
            report,
            "%s spans begin before their parent (%.2f %%), %s end before they begin; %s of %s calls begin when their caller does not wait for them.",
            count(report, spans->skewed), percent(spans->skewed, spans->spans),
            count(report, negative), count(report, spans->calls_out_of_time),
            count(report, spans->calls)),
        TT_STR(
            "Do not use differences of start times across services; durations are right, for each is by one clock."));
}

/* Files that no manifest names: nobody can tell whether they are whole. */
static bool check_manifests(struct tt_report *report)
{
    size_t files = report->stats->files, listed = report->listed_files;

    if (!report->is_directory)
        add(report, "files", "Files are as they were written", TT_CHECK_UNKNOWN,
            TT_STR("One file was read by itself, without its manifest."),
            TT_STR("Give the directory to have its files compared with their manifests."));
    else if (listed < files && report->changed_files == 0)
        add(report, "files", "Files are as they were written", TT_CHECK_WARN,
            tt_report_text(
                report,
                "%zu of %zu file%s %s in no manifest: whether rows are missing cannot be told.",
                files - listed, files, tt_plural(files), files - listed == 1 ? "is" : "are"),
            TT_STR(
                "Copy manifest_<stamp>.json from where the set was recorded; without it compare the files' sizes and rows with "
                "their source by hand."));
    else
        return false;
    return true;
}

static void check_files(struct tt_report *report)
{
    bool odd = report->unfinished_files > 0 || report->recovered_sets > 0;

    if (check_manifests(report))
        return;
    add(report, "files", "Files are as they were written",
        report->changed_files > 0 ? TT_CHECK_FAIL
        : odd                     ? TT_CHECK_WARN
                                  : TT_CHECK_PASS,
        tt_report_text(
            report,
            "%zu file%s in %zu set%s: %zu changed or removed since, %zu still being written, %zu set%s recovered after a crash.",
            report->stats->files, tt_plural(report->stats->files), report->sets,
            tt_plural(report->sets), report->changed_files, report->unfinished_files,
            report->recovered_sets, tt_plural(report->recovered_sets)),
        report->changed_files > 0
            ? TT_STR(
                  "Files are not as their manifest says: get them again from where they were recorded.")
            : TT_STR(
                  "Rows of unfinished files are not counted here; a recovered set may lack its last seconds."));
}

static uint64_t spans_of(const struct tt_report *report, struct tt_str service)
{
    const struct tt_stats_name *name = tt_map_get(&report->stats->services.map, service);

    return name == NULL ? 0 : name->rows;
}

/* What services counted themselves, as run.json has it, against what is here. */
static void check_counted(struct tt_report *report)
{
    const struct tt_map_slot *slot;
    size_t position = 0, wrong = 0;
    struct tt_str names = TT_STR("");

    if (report->counted.count == 0)
        return;
    while ((slot = tt_map_next(&report->counted, &position)) != NULL) {
        uint64_t here = spans_of(report, slot->key), there = *(const uint64_t *)slot->value;
        if (here == there || ++wrong > 8)
            continue;
        names = tt_report_text(report, "%.*s%s%.*s ended %s and has %s here", TT_STR_ARG(names),
                               names.len == 0 ? "" : "; ",
                               TT_STR_ARG(tt_report_clean(report, slot->key)), count(report, there),
                               count(report, here));
    }
    add(report, "counted", "No span was lost on the way", wrong > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        wrong == 0
            ? tt_report_text(report, "%zu services counted the spans they ended; all are here.",
                             report->counted.count)
            : tt_report_text(report, "Services that counted other spans than are here: %.*s.",
                             TT_STR_ARG(names)),
        TT_STR(
            "See what is missing below; a service that was killed may have counted what it never sent, or sent what it never "
            "counted."));
}

static void check_run(struct tt_report *report)
{
    bool is_done = tt_str_equal(report->run_result, TT_STR("done"));

    if (report->run_result.len == 0)
        return;
    add(report, "run", "The run went to its end",
        is_done && report->died == 0 ? TT_CHECK_PASS : TT_CHECK_WARN,
        tt_report_text(report, "run.json says \"%.*s\"; %zu service%s ended in the middle of it.",
                       TT_STR_ARG(tt_report_clean(report, report->run_result)), report->died,
                       report->died == 1 ? "" : "s"),
        TT_STR(
            "Blocks that were cut short, or that lack a service, are not repeats of the others."));
}

static void check_sdk(struct tt_report *report)
{
    const struct tt_sdk *sdk = &report->stats->sdk;
    const struct tt_map_slot *slot;
    double dropped = 0, failed = 0;
    size_t position = 0;

    while ((slot = tt_map_next(&sdk->services, &position)) != NULL) {
        const struct tt_sdk_service *service = slot->value;
        dropped += service->dropped[TT_SDK_SPANS];
        failed += service->failed[TT_SDK_SPANS];
    }
    if (sdk->rows == 0) {
        add(report, "sdk", "SDKs dropped nothing", TT_CHECK_UNKNOWN,
            TT_STR(
                "No SDK reports its own losses here (otel.sdk.* metrics, or processedSpans of Java)."),
            TT_STR("See the orphans instead."));
        return;
    }
    add(report, "sdk", "SDKs dropped nothing", dropped + failed > 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        tt_report_text(
            report,
            "%zu service%s report%s: %.0f spans dropped before the exporter, %.0f failed in it.",
            sdk->services.count, sdk->services.count == 1 ? "" : "s",
            sdk->services.count == 1 ? "s" : "", dropped, failed),
        TT_STR("These spans are in no file. Raise OTEL_BSP_MAX_QUEUE_SIZE, or lower the load."));
}

/* Where spans have labels, log records of the same traces can have them. */
static void check_logs(struct tt_report *report)
{
    const struct tt_stats *stats = report->stats;
    uint64_t records = stats->rows[tt_signal_index(TT_LOGS)];
    uint64_t labelled = stats->labelled_rows[tt_signal_index(TT_LOGS)];

    if (records == 0 || (labelled == 0 && stats->labelled == 0))
        return;
    add(report, "logs", "Log records have labels", labelled == 0 ? TT_CHECK_WARN : TT_CHECK_PASS,
        labelled == 0
            ? tt_report_text(report,
                             "None of %s log records has label evidence, while spans have it.",
                             count(report, records))
            : tt_report_text(report, "%s of %s log records have label evidence (%.2f %%).",
                             count(report, labelled), count(report, records),
                             percent(labelled, records)),
        TT_STR(
            "Run dataset extract on the JSONL of traces and logs together, or put a trace_assembler in front of anomaly_labels in "
            "the logs pipeline; records without a trace id get labels from windows only."));
}

void tt_report_check(struct tt_report *report)
{
    if (report->stats->spans.spans > 0) {
        check_labels(report);
        check_classes(report);
        check_consistent(report);
        check_faults(report);
        check_repeats(report);
        check_time(report);
        check_leaks(report);
        check_trivial(report);
        check_bystanders(report);
        check_traces(report);
        check_duplicates(report);
        check_clocks(report);
    }
    check_logs(report);
    check_files(report);
    check_run(report);
    check_counted(report);
    check_sdk(report);
    for (size_t i = 0; i < report->n_checks; i++)
        if (report->checks[i].verdict != TT_CHECK_UNKNOWN &&
            report->checks[i].verdict > report->verdict)
            report->verdict = report->checks[i].verdict;
}
