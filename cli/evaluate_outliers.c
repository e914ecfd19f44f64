/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/chart.h"
#include "cli/evaluate.h"
#include "cli/progress.h"
#include "cli/save.h"
#include "cli/training.h"
#include "otlp/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { BINS = 20, MAX_SEEDS = 1000, MAX_FILES = 256 };
#define MEASURE_FOR (20 * TT_MILLISECOND)

struct outliers {
    const struct tt_args *args;
    struct tt_training training;
    struct tt_forest_options options;
    float *scores; /* of the first seed, when all are done */
    void *scratch;
    uint64_t seeds;
    struct tt_judged *judged; /* one a seed */
    double train_ms, ns_per_score;
    struct tt_rank_bin bins[BINS];
};

/* ---- one seed ---- */

static double seconds_since(tt_dur begin)
{
    return (double)(tt_clock_monotonic(tt_clock_system()) - begin) / (double)TT_SECOND;
}

/* The quickest of as many passes as fit into MEASURE_FOR: what disturbs a pass only makes it longer. */
static double time_scoring(const struct tt_forest *forest, const struct tt_rows *rows,
                           float *scores, void *scratch)
{
    tt_dur begin = tt_clock_monotonic(tt_clock_system());
    double best = INFINITY;

    do {
        tt_dur pass = tt_clock_monotonic(tt_clock_system());
        tt_forest_score(forest, rows, scores, scratch);
        best = fmin(best, seconds_since(pass));
    } while (tt_clock_monotonic(tt_clock_system()) - begin < MEASURE_FOR);
    return best / (double)rows->count * 1e9;
}

static enum tt_status judge_seed(struct outliers *outliers, uint64_t i, struct tt_error *err)
{
    TT_CLEANUP(tt_forest_unrefp) struct tt_forest *forest = NULL;
    const struct tt_training *training = &outliers->training;
    uint64_t seed = tt_args_count(outliers->args, "seed") + i;
    tt_dur begin = tt_clock_monotonic(tt_clock_system());
    enum tt_status status =
        tt_forest_train(&outliers->options, &training->rows, NULL, seed, 0, &forest, err);

    if (status != TT_OK)
        return status;
    outliers->train_ms += 1e3 * seconds_since(begin) / (double)outliers->seeds;
    tt_free(outliers->scratch);
    outliers->scratch = tt_malloc(tt_forest_scratch_size(forest));
    if (outliers->scratch == NULL)
        return tt_fail(err, TT_NO_MEMORY, "score %zu rows", training->rows.count);
    outliers->ns_per_score +=
        time_scoring(forest, &training->rows, outliers->scores, outliers->scratch) /
        (double)outliers->seeds;
    return tt_judge(outliers->scores, training->anomalous, training->rows.count,
                    tt_forest_threshold(forest), &outliers->judged[i], err);
}

/* The first seed comes last, so that its scores are those that are left. */
static enum tt_status judge(struct outliers *outliers, struct tt_error *err)
{
    const struct tt_training *training = &outliers->training;
    struct tt_progress progress;
    enum tt_status status = TT_OK;

    outliers->scores = tt_calloc(training->rows.count, sizeof(*outliers->scores));
    outliers->judged = tt_calloc(outliers->seeds, sizeof(*outliers->judged));
    if (outliers->scores == NULL || outliers->judged == NULL) {
        (void)tt_fail(err, TT_NO_MEMORY, "score %zu rows", training->rows.count);
        return TT_NO_MEMORY;
    }
    tt_progress_start(&progress, "evaluate outliers", "seeds");
    for (uint64_t i = outliers->seeds; i-- > 0 && status == TT_OK;) {
        status = judge_seed(outliers, i, err);
        tt_progress_show(&progress, 1 - (double)i / (double)outliers->seeds, outliers->seeds - i);
    }
    tt_progress_end(&progress);
    if (status == TT_OK)
        tt_rank_histogram(outliers->scores, training->anomalous, training->rows.count,
                          outliers->bins, BINS);
    return status;
}

/* ---- what is told ---- */

/* Mean over the seeds, and the standard error of that mean. */
static double mean(const struct outliers *outliers, double (*measure)(const struct tt_judged *),
                   double *ret_error)
{
    double sum = 0, squares = 0, n = (double)outliers->seeds, m;

    for (uint64_t i = 0; i < outliers->seeds; i++)
        sum += measure(&outliers->judged[i]);
    m = sum / n;
    for (uint64_t i = 0; i < outliers->seeds; i++)
        squares += pow(measure(&outliers->judged[i]) - m, 2);
    *ret_error = n > 1 ? sqrt(squares / (n - 1) / n) : (double)NAN;
    return m;
}

static double roc_auc(const struct tt_judged *judged)
{
    return judged->roc_auc;
}

static double average_precision(const struct tt_judged *judged)
{
    return judged->average_precision;
}

static void put_bins_json(const struct outliers *outliers, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR(",\"histogram\":["));
    for (size_t i = 0; i < BINS; i++) {
        tt_buffer_append_str(out, i > 0 ? TT_STR(",{") : TT_STR("{"));
        tt_evaluate_put(out, "from", (double)i / BINS);
        tt_evaluate_put_count(out, "normal", outliers->bins[i].normal);
        tt_evaluate_put_count(out, "anomalous", outliers->bins[i].anomalous);
        tt_evaluate_put(out, "calibrated", outliers->bins[i].calibrated);
        tt_buffer_append_byte(out, '}');
    }
    tt_buffer_append_byte(out, ']');
}

static void put_json(const struct outliers *outliers, struct tt_buffer *out)
{
    double auc_error, precision_error;

    tt_buffer_append_byte(out, '{');
    tt_evaluate_put_count(out, "rows", outliers->training.rows.count);
    tt_evaluate_put_count(out, "rejected_rows", outliers->training.rows_rejected);
    tt_evaluate_put_count(out, "features", outliers->training.rows.columns);
    tt_evaluate_put_count(out, "seeds", outliers->seeds);
    tt_evaluate_put(out, "roc_auc", mean(outliers, roc_auc, &auc_error));
    tt_evaluate_put(out, "roc_auc_standard_error", auc_error);
    tt_evaluate_put(out, "average_precision", mean(outliers, average_precision, &precision_error));
    tt_evaluate_put(out, "average_precision_standard_error", precision_error);
    tt_evaluate_put(out, "ns_per_score", outliers->ns_per_score);
    tt_evaluate_put(out, "train_ms", outliers->train_ms);
    tt_buffer_append_str(out, TT_STR(",\"first_seed\":{"));
    tt_judged_put(out, &outliers->judged[0]);
    tt_buffer_append_byte(out, '}');
    put_bins_json(outliers, out);
    tt_buffer_append_str(out, TT_STR("}\n"));
}

static void put_bins(const struct outliers *outliers, struct tt_buffer *out)
{
    tt_buffer_append_str(
        out, TT_STR("\nscore            normal  anomalous  share   calibrated (first seed)\n"));
    for (size_t i = 0; i < BINS; i++) {
        const struct tt_rank_bin *bin = &outliers->bins[i];
        if (bin->normal + bin->anomalous == 0)
            continue;
        tt_buffer_printf(out, "%.2f to %.2f %10" PRIu64 " %10" PRIu64 "  %.3f   %.3f\n",
                         (double)i / BINS, (double)(i + 1) / BINS, bin->normal, bin->anomalous,
                         bin->share, bin->calibrated);
    }
}

static void put_text(const struct outliers *outliers, struct tt_buffer *out)
{
    const struct tt_judged *first = &outliers->judged[0];
    double error, value;

    tt_buffer_printf(out, "%zu rows, %" PRIu64 " of them anomalous, %u features",
                     outliers->training.rows.count, first->anomalous,
                     outliers->training.rows.columns);
    if (outliers->training.rows_rejected > 0)
        tt_buffer_printf(out, "; %" PRIu64 " bad records left out",
                         outliers->training.rows_rejected);
    value = mean(outliers, roc_auc, &error);
    tt_buffer_printf(out, "\n%-20s %.4f  (standard error %.4f over %" PRIu64 " seeds)\n", "ROC AUC",
                     value, error, outliers->seeds);
    value = mean(outliers, average_precision, &error);
    tt_buffer_printf(out, "%-20s %.4f  (standard error %.4f)\n", "average precision", value, error);
    tt_buffer_printf(out, "%-20s %.1f ns a row; training %.1f ms\n\n", "scoring",
                     outliers->ns_per_score, outliers->train_ms);
    tt_buffer_printf(out, "%-22s %9s %9s %9s %9s %9s %9s %9s\n", "first seed", "TP", "FP", "FN",
                     "TN", "precision", "recall", "F1");
    for (int i = 0; i < 2; i++) {
        const struct tt_rank_point *at = i == 0 ? &first->at : &first->best;
        tt_buffer_printf(out,
                         "%-13s %8.6f %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
                         " %9.4f %9.4f %9.4f\n",
                         i == 0 ? "threshold" : "greatest F1", (double)at->threshold,
                         at->true_positives, at->false_positives, at->false_negatives,
                         at->true_negatives, at->precision, at->recall, at->f1);
    }
    put_bins(outliers, out);
}

/* ---- the picture ---- */

#define PANEL(text, drawn)                                                 \
    {                                                                      \
        .y = {.label = TT_STR(text), .has_zero = true}, .layers = (drawn), \
        .n_layers = TT_LENGTH(drawn)                                       \
    }

struct histogram {
    double edges[BINS + 1], normal[BINS], anomalous[BINS]; /* shares of their class */
};

static void fill_histogram(const struct outliers *outliers, const struct tt_ranking *ranking,
                           struct histogram *histogram)
{
    for (size_t i = 0; i <= BINS; i++)
        histogram->edges[i] = (double)i / BINS;
    for (size_t i = 0; i < BINS; i++) {
        const struct tt_rank_bin *bin = &outliers->bins[i];
        histogram->normal[i] = (double)bin->normal / fmax(1, (double)ranking->normal);
        histogram->anomalous[i] = (double)bin->anomalous / fmax(1, (double)ranking->anomalous);
    }
}

static struct tt_chart_layer layer(enum tt_chart_mark mark, const char *name,
                                   enum tt_chart_color color, const double *x, const double *y,
                                   size_t count)
{
    return (struct tt_chart_layer){
        .mark = mark, .name = tt_str(name), .color = color, .x = x, .y = y, .count = count};
}

/* curves: room for 4 of ranking->count + 1 values. */
static void draw(const struct outliers *outliers, const struct tt_ranking *ranking, double *curves,
                 struct tt_buffer *out)
{
    static const double corners[] = {0, 1};
    size_t room = ranking->count + 1;
    double *x = curves, *y = curves + room, *recall = y + room, *precision = recall + room;
    struct histogram histogram;
    struct tt_chart_layer roc[] = {
        layer(TT_CHART_LINE, "", TT_CHART_GREY, corners, corners, 2),
        layer(TT_CHART_LINE, "ROC", TT_CHART_BLUE, x, y, tt_chart_roc(ranking, x, y))};
    const struct tt_chart_layer precisions[] = {
        layer(TT_CHART_STEP, "precision", TT_CHART_GREEN, recall, precision,
              tt_chart_precision_recall(ranking, recall, precision))};
    const struct tt_chart_layer bins[] = {
        layer(TT_CHART_BINS, "normal", TT_CHART_SKY, histogram.edges, histogram.normal, BINS),
        layer(TT_CHART_BINS, "anomalous", TT_CHART_VERMILLION, histogram.edges, histogram.anomalous,
              BINS)};
    const struct tt_chart_panel panels[] = {
        PANEL("true positive rate, over the false positive rate", roc),
        PANEL("precision, over the recall", precisions),
        PANEL("share of the class, over the score", bins)};
    struct tt_chart chart = {
        .frame = {.title = TT_STR("What the isolation forest finds")},
        .x = {.label = TT_STR("false positive rate, recall, score"), .min = 0, .max = 1},
        .panels = panels,
        .n_panels = TT_LENGTH(panels)};
    char subtitle[160];
    int len = snprintf(subtitle, sizeof(subtitle),
                       "ROC AUC %.4f, average precision %.4f, %" PRIu64 " anomalous and %" PRIu64
                       " normal rows",
                       outliers->judged[0].roc_auc, outliers->judged[0].average_precision,
                       ranking->anomalous, ranking->normal);

    roc[0].is_faint = true; /* chance */
    chart.frame.subtitle = tt_str_of(subtitle, (size_t)len);
    fill_histogram(outliers, ranking, &histogram);
    tt_chart_svg(&chart, out);
}

static enum tt_status plot(const struct outliers *outliers, const char *path, struct tt_error *err)
{
    const struct tt_training *training = &outliers->training;
    struct tt_ranking ranking;
    struct tt_buffer svg;
    double *curves;
    enum tt_status status =
        tt_ranking_make(outliers->scores, training->anomalous, training->rows.count, &ranking, err);

    if (status != TT_OK)
        return status;
    tt_buffer_init(&svg, (size_t)64 << 20);
    curves = tt_calloc(ranking.count + 1, 4 * sizeof(*curves));
    if (curves == NULL) {
        status = tt_fail(err, TT_NO_MEMORY, "draw %s", path);
    } else {
        draw(outliers, &ranking, curves, &svg);
        status = tt_save_file(path, &svg, err);
    }
    tt_free(curves);
    tt_buffer_done(&svg);
    tt_ranking_done(&ranking);
    return status;
}

/* ---- the whole ---- */

static enum tt_status work(struct outliers *outliers, struct tt_error *err)
{
    const struct tt_args *args = outliers->args;
    struct tt_training_request request = {.args = args,
                                          .label_column = tt_args_text(args, "label-column")};
    enum tt_status status;

    outliers->seeds = tt_args_count(args, "seeds");
    if (!tt_args_is_given(args, "data"))
        return tt_fail(err, TT_INVALID_CONFIG, "evaluate outliers needs --data FILE…");
    if (outliers->seeds < 1 || outliers->seeds > MAX_SEEDS)
        return tt_fail(err, TT_INVALID_CONFIG, "--seeds: %" PRIu64 " is not 1 to %d",
                       outliers->seeds, MAX_SEEDS);
    status = tt_training_forest(args, &outliers->options, err);
    if (status == TT_OK)
        status = tt_training_read(&request, &outliers->training, err);
    if (status == TT_OK)
        status = judge(outliers, err);
    if (status == TT_OK && tt_args_is_given(args, "plot"))
        status = plot(outliers, tt_args_text(args, "plot"), err);
    return status;
}

static int evaluate_outliers(const struct tt_args *args)
{
    struct outliers outliers = {.args = args};
    struct tt_error err;
    enum tt_status status = work(&outliers, &err);
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, (size_t)1 << 20);
    if (status != TT_OK || outliers.judged == NULL) {
        code = tt_cli_fail(status == TT_INVALID_CONFIG ? TT_EXIT_USAGE : TT_EXIT_FAILED, "%s",
                           err.message);
    } else {
        if (tt_args_flag(args, "json"))
            put_json(&outliers, &out);
        else
            put_text(&outliers, &out);
        code = tt_cli_print(&out);
    }
    tt_buffer_done(&out);
    tt_free(outliers.scores);
    tt_free(outliers.scratch);
    tt_free(outliers.judged);
    tt_training_done(&outliers.training);
    return code;
}

static const struct tt_option options[] = {
    {.name = "data",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "CSV with a header line: plain, gzip or zstd. May be repeated; operands are more "
            "files."},
    {.name = "label-column",
     .argument = "NAME",
     .type = TT_OPTION_TEXT,
     .def = "label",
     .doc = "Says which rows are anomalous: a number other than 0, or a word other than none, "
            "normal, no and false. Never a feature."},
    {.name = "seeds",
     .argument = "COUNT",
     .type = TT_OPTION_COUNT,
     .def = "3",
     .doc = "Forests to train, with seeds from --seed on; measures are their means."},
    TT_TRAINING_OPTIONS,
    {.name = "plot",
     .argument = "FILE.svg",
     .type = TT_OPTION_FILE,
     .doc = "Draw ROC curve, precision over recall and the scores of both classes."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object instead of text."},
};

extern const struct tt_command tt_command_evaluate_outliers;
const struct tt_command tt_command_evaluate_outliers = {
    .name = "evaluate outliers",
    .summary = "Measure how well the isolation forest finds the rows that a label column marks.",
    .operands = "[FILE]…",
    .max_operands = MAX_FILES,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Trains on all rows without their labels, scores the same rows, and compares: ROC AUC and "
        "average precision (definitions: detect/rank.h), confusion at the threshold and where F1 "
        "is greatest, and what a score is worth. All rows are held in memory. A file with one "
        "class has no measures (null).",
    .run = evaluate_outliers,
};
