/* SPDX-License-Identifier: Apache-2.0 */
/* What tells the label without a model: single columns, the time, the duration. */
#include "cli/report.h"

static void insert(struct tt_report_leak *list, size_t *n, const struct tt_report_leak *leak)
{
    size_t at = *n;

    if (at == TT_REPORT_LEAKS && list[at - 1].roc_auc >= leak->roc_auc)
        return;
    if (at == TT_REPORT_LEAKS)
        at--;
    else
        ++*n;
    for (; at > 0 && list[at - 1].roc_auc < leak->roc_auc; at--)
        list[at] = list[at - 1];
    list[at] = *leak;
}

static struct tt_str class_name(const struct tt_stats *stats, size_t class)
{
    for (size_t i = 0; i < stats->types.count; i++)
        if (stats->types.items[i]->class == class && class + 1 < TT_LEAK_CLASSES)
            return stats->types.items[i]->name;
    return TT_STR("(other types)");
}

static bool judge_column(struct tt_report *report, size_t index)
{
    struct tt_stats *stats = report->stats;
    struct tt_report_leak found = {.column = tt_columns_at(stats->columns, index)->name};
    struct tt_leak leak;

    if (!tt_leaks_judge(stats->leaks, index, &leak))
        return false;
    found.roc_auc = leak.roc_auc;
    found.by_number = leak.way == TT_LEAK_BY_NUMBER;
    if (isfinite(found.roc_auc))
        insert(report->columns, &report->n_columns, &found);
    for (size_t i = 1; i < TT_LEAK_CLASSES && !(leak.roc_auc > TT_REPORT_LEAK_AUC); i++)
        if (leak.class_auc[i] > TT_REPORT_LEAK_AUC && !(found.roc_auc >= leak.class_auc[i])) {
            found.roc_auc = leak.class_auc[i];
            found.type = class_name(stats, i);
        }
    if (found.roc_auc > TT_REPORT_LEAK_AUC)
        insert(report->leaks, &report->n_leaks, &found);
    return true;
}

/* ---- rankings ---- */

struct rows {
    float *scores;
    uint8_t *anomalous;
    size_t n;
};

static bool rows_make(struct rows *rows, size_t n)
{
    *rows = (struct rows){
        .scores = tt_calloc(n + 1, sizeof(float)),
        .anomalous = tt_calloc(n + 1, sizeof(uint8_t)),
    };
    return rows->scores != NULL && rows->anomalous != NULL;
}

static void rows_done(struct rows *rows)
{
    tt_free(rows->scores);
    tt_free(rows->anomalous);
}

static void rows_add(struct rows *rows, double score, bool anomalous)
{
    rows->scores[rows->n] = (float)score;
    rows->anomalous[rows->n++] = anomalous;
}

enum part { PART_TRAINING, PART_HELD_OUT, PART_ALL };
enum value { VALUE_DURATION, VALUE_START };

static void add_traces(const struct tt_report *report, enum part part, enum value value,
                       struct rows *rows)
{
    size_t n;
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n);

    for (size_t i = 0; i < n; i++) {
        uint32_t group = tt_report_group_of(report, traces[i].type, traces[i].is_labelled);
        if (group == TT_REPORT_NO_GROUP ||
            (part != PART_ALL && traces[i].is_held_out != (part == PART_HELD_OUT)))
            continue;
        rows_add(rows,
                 value == VALUE_DURATION ? (double)traces[i].duration_ns
                                         : (double)(traces[i].start_ns - report->stats->first_ns),
                 group != 0);
    }
}

static void add_spans(const struct tt_report *report, enum part part, struct rows *rows)
{
    size_t n, n_traces;
    const struct tt_graph_span *spans = tt_graph_spans(report->stats->graph, &n);
    const struct tt_graph_trace *traces = tt_graph_traces(report->stats->graph, &n_traces);

    for (size_t i = 0; i < n; i++) {
        uint32_t group =
            tt_report_group_of(report, spans[i].type, (spans[i].flags & TT_SPAN_LABELLED) != 0);
        if (group == TT_REPORT_NO_GROUP || spans[i].trace == TT_GRAPH_NONE ||
            traces[spans[i].trace].is_held_out != (part == PART_HELD_OUT))
            continue;
        rows_add(rows, (double)spans[i].duration_ns, group != 0);
    }
}

/* Whether early or late traces are the anomalous ones: as a score, whichever way round. */
static enum tt_status judge_time(struct tt_report *report, struct tt_error *err)
{
    struct tt_report_leak leak = {.column = TT_STR("timestamp"), .by_number = true};
    struct tt_ranking ranking = {.count = 0};
    struct rows rows;
    enum tt_status status = TT_NO_MEMORY;

    if (rows_make(&rows, report->stats->spans.traces)) {
        add_traces(report, PART_ALL, VALUE_START, &rows);
        status = tt_ranking_make(rows.scores, rows.anomalous, rows.n, &ranking, err);
    }
    rows_done(&rows);
    if (status != TT_OK)
        return tt_fail(err, TT_NO_MEMORY, "rank traces");
    report->time_auc = tt_rank_roc_auc(&ranking);
    report->time_auc = fmax(report->time_auc, 1 - report->time_auc);
    tt_ranking_done(&ranking);
    leak.roc_auc = report->time_auc;
    if (leak.roc_auc > TT_REPORT_LEAK_AUC)
        insert(report->leaks, &report->n_leaks, &leak);
    return TT_OK;
}

/* ---- a threshold on durations ---- */

static void rows_of(const struct tt_report *report, bool of_traces, enum part part,
                    struct rows *rows)
{
    rows->n = 0;
    if (of_traces)
        add_traces(report, part, VALUE_DURATION, rows);
    else
        add_spans(report, part, rows);
}

static enum tt_status rank(const struct rows *rows, struct tt_report_trivial *trivial,
                           struct tt_error *err)
{
    struct tt_rank_point point;
    enum tt_status status =
        tt_ranking_make(rows->scores, rows->anomalous, rows->n, &trivial->ranking, err);

    if (status != TT_OK)
        return status;
    trivial->held_out = rows->n;
    trivial->roc_auc = tt_rank_roc_auc(&trivial->ranking);
    point = tt_rank_at(&trivial->ranking, (float)trivial->threshold_ns);
    trivial->precision = point.precision;
    trivial->recall = point.recall;
    trivial->f1 = point.f1;
    point = tt_rank_at(&trivial->ranking, 0);
    trivial->always_f1 = point.f1;
    return TT_OK;
}

static enum tt_status judge_durations(const struct tt_report *report, bool of_traces,
                                      struct tt_report_trivial *trivial, struct tt_error *err)
{
    size_t most = of_traces ? report->stats->spans.traces : report->stats->spans.spans;
    struct tt_ranking training = {.count = 0};
    struct rows rows;
    enum tt_status status = TT_NO_MEMORY;

    if (rows_make(&rows, most)) {
        rows_of(report, of_traces, PART_TRAINING, &rows);
        trivial->train = rows.n;
        status = tt_ranking_make(rows.scores, rows.anomalous, rows.n, &training, err);
    }
    if (status == TT_OK) {
        trivial->threshold_ns = (double)tt_rank_best_f1(&training).threshold;
        tt_ranking_done(&training);
        rows_of(report, of_traces, PART_HELD_OUT, &rows);
        status = rank(&rows, trivial, err);
    }
    rows_done(&rows);
    return status == TT_OK ? TT_OK : tt_fail(err, TT_NO_MEMORY, "rank durations");
}

enum tt_status tt_report_find_leaks(struct tt_report *report, struct tt_error *err)
{
    struct tt_stats *stats = report->stats;
    enum tt_status status;

    for (size_t i = 0; i < tt_columns_count(stats->columns); i++)
        if (stats->judged[i] && !judge_column(report, i))
            return tt_fail(err, TT_NO_MEMORY, "judge columns");
    status = judge_time(report, err);
    if (status == TT_OK)
        status = judge_durations(report, true, &report->trivial_traces, err);
    if (status == TT_OK)
        status = judge_durations(report, false, &report->trivial_spans, err);
    return status;
}
