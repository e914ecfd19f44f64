/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chart.h"
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "cli/nab_corpus.h"
#include "cli/save.h"

#include <math.h>
#include <stdio.h>

#define PROFILES  TT_NAB_PROFILE_COUNT
#define MAX_SEEDS 1000
#define MAX_OUT   ((size_t)16 << 20)

/* What one set of scores is worth, by profile. */
struct outcome {
    struct tt_nab_result best[PROFILES];  /* at the best threshold, one for all series */
    struct tt_nab_result fixed[PROFILES]; /* at a threshold given beforehand */
    double across[PROFILES];              /* each category at the best threshold of the others */
};

/* Mean and standard error over the seeds. */
struct mean {
    double sum, squares;
};

struct evaluation {
    const struct tt_args *args;
    struct tt_nab_corpus corpus;
    struct tt_series_options options;
    const char *scores_path; /* NULL: our own */
    uint64_t seed, seeds;
    struct outcome first; /* of the first seed */
    struct mean best[PROFILES], fixed[PROFILES], across[PROFILES];
};

static const char *const precision_names[] = {"light", "full", NULL};

/* ---- judging ---- */

/* The series of one category, or all others. */
static size_t pick(const struct tt_nab_corpus *corpus, size_t category, bool own,
                   struct tt_nab_series *ret_series)
{
    size_t count = 0;

    for (size_t i = 0; i < corpus->count; i++)
        if ((corpus->entries[i].category == category) == own)
            ret_series[count++] = corpus->series[i];
    return count;
}

static enum tt_status judge_across(const struct tt_nab_corpus *corpus,
                                   const struct tt_nab_costs *costs, struct tt_nab_series *some,
                                   double *ret_score, struct tt_error *err)
{
    uint32_t windows = 0, judged = 0;
    double raw = 0.0;

    *ret_score = (double)NAN;
    if (corpus->categories < 2)
        return TT_OK;
    for (size_t category = 0; category < corpus->categories; category++) {
        size_t count = pick(corpus, category, false, some);
        struct tt_nab_result result;
        enum tt_status status = tt_nab_optimise(some, count, costs, &result, err);
        if (status != TT_OK)
            return status;
        count = pick(corpus, category, true, some);
        status = tt_nab_judge(some, count, costs, result.threshold, &result, err);
        if (status != TT_OK)
            return status;
        raw += result.raw;
        windows += result.windows;
        judged += result.windows_judged;
    }
    *ret_score = tt_nab_scale(raw, windows, judged, costs);
    return TT_OK;
}

static enum tt_status judge(const struct tt_nab_corpus *corpus, double threshold,
                            struct outcome *ret_outcome, struct tt_error *err)
{
    struct tt_nab_series *some = tt_calloc(corpus->count, sizeof(*some));
    enum tt_status status =
        some == NULL ? tt_fail(err, TT_NO_MEMORY, "judge %zu series", corpus->count) : TT_OK;

    for (int p = 0; p < PROFILES && status == TT_OK; p++) {
        struct tt_nab_costs costs = tt_nab_profile_costs((enum tt_nab_profile)p);
        status = tt_nab_optimise(corpus->series, corpus->count, &costs, &ret_outcome->best[p], err);
        if (status == TT_OK)
            status = tt_nab_judge(corpus->series, corpus->count, &costs, threshold,
                                  &ret_outcome->fixed[p], err);
        if (status == TT_OK)
            status = judge_across(corpus, &costs, some, &ret_outcome->across[p], err);
    }
    tt_free(some);
    return status;
}

static void add(struct mean *mean, double value)
{
    mean->sum += value;
    mean->squares += value * value;
}

static double average(const struct mean *mean, uint64_t count)
{
    return mean->sum / (double)count;
}

static double standard_error(const struct mean *mean, uint64_t count)
{
    double n = (double)count, variance;

    if (count < 2)
        return (double)NAN;
    variance = (mean->squares - mean->sum * mean->sum / n) / (n - 1.0);
    return sqrt(fmax(variance, 0.0) / n);
}

static enum tt_status score(struct evaluation *evaluation, uint64_t seed, struct tt_error *err)
{
    char what[64];
    struct tt_progress progress;
    enum tt_status status;

    if (evaluation->scores_path != NULL)
        return tt_nab_corpus_load_scores(&evaluation->corpus, evaluation->scores_path, err);
    (void)snprintf(what, sizeof(what), "scoring with seed %llu", (unsigned long long)seed);
    tt_progress_start(&progress, what, "points");
    status = tt_nab_corpus_score(&evaluation->corpus, &evaluation->options, seed, &progress, err);
    tt_progress_end(&progress);
    return status;
}

static enum tt_status write_results(const struct evaluation *evaluation, struct tt_error *err)
{
    const char *directory = tt_args_text(evaluation->args, "results");

    return directory == NULL ? TT_OK : tt_nab_corpus_write(&evaluation->corpus, directory, err);
}

/* The last seed is the first one given, so that its scores are what is left for tables and pictures. */
static enum tt_status evaluate_seeds(struct evaluation *evaluation, struct tt_error *err)
{
    for (uint64_t i = evaluation->seeds; i-- > 0;) {
        struct outcome *outcome = &evaluation->first;
        enum tt_status status = score(evaluation, evaluation->seed + i, err);
        if (status == TT_OK)
            status =
                judge(&evaluation->corpus, (double)evaluation->options.threshold, outcome, err);
        if (status != TT_OK)
            return status;
        for (int p = 0; p < PROFILES; p++) {
            add(&evaluation->best[p], outcome->best[p].score);
            add(&evaluation->fixed[p], outcome->fixed[p].score);
            add(&evaluation->across[p], outcome->across[p]);
        }
    }
    return write_results(evaluation, err);
}

/* ---- JSON ---- */

static const char *profile_name(int profile)
{
    return tt_nab_profile_name((enum tt_nab_profile)profile);
}

static void put_named(struct tt_buffer *out, int profile, const char *what, double value)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s%s", profile_name(profile), what);
    tt_evaluate_put(out, name, value);
}

static void put_details(const struct outcome *outcome, int profile, struct tt_buffer *out)
{
    const struct tt_nab_result *best = &outcome->best[profile];

    put_named(out, profile, "_threshold", best->threshold);
    tt_buffer_printf(out, ",\"%s_windows\":[%u,%u]", profile_name(profile), best->windows_found,
                     best->windows);
    put_named(out, profile, "_false_positives", best->false_positives);
}

static void put_means(const struct evaluation *evaluation, const char *name,
                      const struct mean *means, struct tt_buffer *out)
{
    tt_buffer_printf(out, ",\"%s\":{", name);
    for (int p = 0; p < PROFILES; p++)
        put_named(out, p, "", average(&means[p], evaluation->seeds));
    tt_buffer_append_byte(out, '}');
}

static void put_json(const struct evaluation *evaluation, struct tt_buffer *out)
{
    const struct tt_nab_corpus *corpus = &evaluation->corpus;

    tt_buffer_append_byte(out, '{');
    for (int p = 0; p < PROFILES; p++)
        put_named(out, p, "", average(&evaluation->best[p], evaluation->seeds));
    if (evaluation->scores_path == NULL) {
        tt_buffer_printf(out, ",\"precision\":\"%s\"",
                         precision_names[evaluation->options.precision]);
        tt_evaluate_put_count(out, "seed", evaluation->seed);
        tt_evaluate_put_count(out, "seeds", evaluation->seeds);
    } else {
        tt_buffer_append_str(out, TT_STR(",\"precision\":null"));
    }
    for (int p = 0; p < PROFILES && evaluation->seeds > 1; p++)
        put_named(out, p, "_standard_error",
                  standard_error(&evaluation->best[p], evaluation->seeds));
    tt_evaluate_put_count(out, "files", corpus->count);
    tt_evaluate_put_count(out, "files_missing", corpus->missing);
    tt_evaluate_put_count(out, "rows", corpus->rows);
    tt_evaluate_put_count(out, "windows", corpus->windows);
    for (int p = 0; p < PROFILES; p++)
        put_details(&evaluation->first, p, out);
    put_means(evaluation, "threshold_of_other_categories", evaluation->across, out);
    put_means(evaluation, "fixed_threshold", evaluation->fixed, out);
    tt_evaluate_put(out, "threshold", (double)evaluation->options.threshold);
    tt_evaluate_put_count(out, "false_positives_at_threshold",
                          evaluation->first.fixed[TT_NAB_STANDARD].false_positives);
    tt_buffer_append_str(out, TT_STR("}\n"));
}

/* ---- text ---- */

static void put_score(struct tt_buffer *out, double score, double error)
{
    if (isnan(score))
        tt_buffer_append_str(out, TT_STR("              –"));
    else if (isnan(error))
        tt_buffer_printf(out, " %14.2f", score);
    else
        tt_buffer_printf(out, " %7.2f ±%6.2f", score, error);
}

static void put_line(const struct evaluation *evaluation, const char *name,
                     const struct mean *means, struct tt_buffer *out)
{
    tt_buffer_printf(out, "  %-38s", name);
    for (int p = 0; p < PROFILES; p++)
        put_score(out, average(&means[p], evaluation->seeds),
                  standard_error(&means[p], evaluation->seeds));
    tt_buffer_append_byte(out, '\n');
}

static enum tt_status put_file(const struct evaluation *evaluation, size_t i, struct tt_buffer *out,
                               struct tt_error *err)
{
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_STANDARD);
    struct tt_nab_result result;
    enum tt_status status =
        tt_nab_judge(&evaluation->corpus.series[i], 1, &costs,
                     evaluation->first.best[TT_NAB_STANDARD].threshold, &result, err);

    if (status != TT_OK)
        return status;
    tt_buffer_printf(out, "  %-58s %7zu %5u of %-3u %7u ",
                     evaluation->corpus.entries[i].label->name, evaluation->corpus.series[i].count,
                     result.windows_found, result.windows, result.false_positives);
    if (isnan(result.score))
        tt_buffer_append_str(out, TT_STR("       –\n"));
    else
        tt_buffer_printf(out, "%8.1f\n", result.score);
    return TT_OK;
}

static enum tt_status put_text(const struct evaluation *evaluation, struct tt_buffer *out,
                               struct tt_error *err)
{
    const struct tt_nab_corpus *corpus = &evaluation->corpus;
    enum tt_status status = TT_OK;

    tt_buffer_printf(out, "  %-58s %7s  %9s %7s  %7s\n", "file", "rows", "found", "false", "score");
    for (size_t i = 0; i < corpus->count && status == TT_OK; i++)
        status = put_file(evaluation, i, out, err);
    tt_buffer_printf(out, "\n%zu files (%zu of the labels have none), %zu points, %zu windows; ",
                     corpus->count, corpus->missing, corpus->rows, corpus->windows);
    if (evaluation->scores_path != NULL)
        tt_buffer_printf(out, "scores of %s\n", evaluation->scores_path);
    else
        tt_buffer_printf(out, "%s tier, %llu seed%s from %llu\n",
                         precision_names[evaluation->options.precision],
                         (unsigned long long)evaluation->seeds, tt_plural(evaluation->seeds),
                         (unsigned long long)evaluation->seed);
    tt_buffer_printf(out, "  %-38s %14s %14s %14s\n", "", "standard", "low FP rate", "low FN rate");
    put_line(evaluation, "best threshold, one for all", evaluation->best, out);
    put_line(evaluation, "threshold of the other categories", evaluation->across, out);
    put_line(evaluation, "fixed threshold", evaluation->fixed, out);
    tt_buffer_printf(out, "  fixed at %.3g: %u of %u windows found, %u false alarms\n",
                     (double)evaluation->options.threshold,
                     evaluation->first.fixed[TT_NAB_STANDARD].windows_found,
                     evaluation->first.fixed[TT_NAB_STANDARD].windows,
                     evaluation->first.fixed[TT_NAB_STANDARD].false_positives);
    return status;
}

/* ---- picture: the score of each category at the thresholds that are best for all ---- */

struct picture {
    struct tt_str rows[TT_CHART_MAX_ROWS];
    double values[TT_CHART_MAX_ROWS * PROFILES];
    size_t n_rows;
};

static enum tt_status add_row(const struct evaluation *evaluation, struct tt_str name,
                              const struct tt_nab_series *series, size_t count,
                              struct picture *picture, struct tt_error *err)
{
    if (picture->n_rows == TT_CHART_MAX_ROWS)
        return TT_OK;
    for (int p = 0; p < PROFILES; p++) {
        struct tt_nab_costs costs = tt_nab_profile_costs((enum tt_nab_profile)p);
        struct tt_nab_result result;
        enum tt_status status =
            tt_nab_judge(series, count, &costs, evaluation->first.best[p].threshold, &result, err);
        if (status != TT_OK)
            return status;
        picture->values[picture->n_rows * PROFILES + (size_t)p] = result.score;
    }
    picture->rows[picture->n_rows++] = name;
    return TT_OK;
}

static enum tt_status fill_picture(const struct evaluation *evaluation, struct picture *picture,
                                   struct tt_nab_series *some, struct tt_error *err)
{
    const struct tt_nab_corpus *corpus = &evaluation->corpus;
    enum tt_status status =
        add_row(evaluation, TT_STR("all files"), corpus->series, corpus->count, picture, err);

    for (size_t i = 0, next = 0; i < corpus->count && status == TT_OK; i++) {
        if (corpus->entries[i].category != next)
            continue;
        status = add_row(evaluation, tt_nab_category(&corpus->entries[i]), some,
                         pick(corpus, next, true, some), picture, err);
        next++;
    }
    return status;
}

static void put_picture(const struct picture *picture, struct tt_buffer *out)
{
    struct tt_str profiles[PROFILES];
    struct tt_chart_bars bars = {
        .frame = {.title = TT_STR("Score by category"),
                  .subtitle = TT_STR(
                      "rated as the Numenta Anomaly Benchmark does, one threshold for all series")},
        .axis = {.label = TT_STR("score (100: every window found at once, no false alarm)")},
        .rows = picture->rows,
        .n_rows = picture->n_rows,
        .series = profiles,
        .n_series = PROFILES,
        .values = picture->values,
    };

    for (int p = 0; p < PROFILES; p++)
        profiles[p] = tt_str(profile_name(p));
    tt_chart_bars_svg(&bars, out);
}

static enum tt_status save_picture(const struct picture *picture, const char *path,
                                   struct tt_error *err)
{
    enum tt_status status;
    struct tt_buffer out;

    tt_buffer_init(&out, MAX_OUT);
    put_picture(picture, &out);
    status = tt_save_file(path, &out, err);
    tt_buffer_done(&out);
    return status;
}

static enum tt_status draw(const struct evaluation *evaluation, const char *path,
                           struct tt_error *err)
{
    struct tt_nab_series *some = tt_calloc(evaluation->corpus.count, sizeof(*some));
    struct picture *picture = tt_calloc(1, sizeof(*picture));
    enum tt_status status;

    if (some == NULL || picture == NULL)
        status = tt_fail(err, TT_NO_MEMORY, "draw %s", path);
    else
        status = fill_picture(evaluation, picture, some, err);
    if (status == TT_OK && picture != NULL)
        status = save_picture(picture, path, err);
    tt_free(some);
    tt_free(picture);
    return status;
}

/* ---- the command ---- */

static enum tt_status report(const struct evaluation *evaluation, struct tt_buffer *out,
                             struct tt_error *err)
{
    const char *plot = tt_args_text(evaluation->args, "plot");
    enum tt_status status = TT_OK;

    if (tt_args_flag(evaluation->args, "json"))
        put_json(evaluation, out);
    else
        status = put_text(evaluation, out, err);
    return status == TT_OK && plot != NULL ? draw(evaluation, plot, err) : status;
}

static int run(struct evaluation *evaluation)
{
    struct tt_buffer out;
    struct tt_error err;
    enum tt_status status =
        tt_nab_corpus_read(tt_args_text(evaluation->args, "data"),
                           tt_args_text(evaluation->args, "labels"), &evaluation->corpus, &err);
    int code;

    if (status != TT_OK)
        return tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_buffer_init(&out, MAX_OUT);
    status = evaluate_seeds(evaluation, &err);
    if (status == TT_OK)
        status = report(evaluation, &out, &err);
    code = status == TT_OK ? tt_cli_print(&out) : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_buffer_done(&out);
    tt_nab_corpus_done(&evaluation->corpus);
    return code;
}

static int evaluate_nab(const struct tt_args *args)
{
    struct evaluation evaluation = {.args = args};
    size_t precision = tt_args_choice(args, "precision");
    struct tt_error err;

    if (!tt_args_is_given(args, "data") || !tt_args_is_given(args, "labels"))
        return tt_cli_fail(TT_EXIT_USAGE, "evaluate nab needs --data DIR and --labels FILE");
    evaluation.scores_path = tt_args_text(args, "scores");
    evaluation.seed = tt_args_count(args, "seed");
    evaluation.seeds = evaluation.scores_path == NULL ? tt_args_count(args, "seeds") : 1;
    if (evaluation.seeds < 1 || evaluation.seeds > MAX_SEEDS)
        return tt_cli_fail(TT_EXIT_USAGE, "--seeds: 1 to %d", MAX_SEEDS);
    evaluation.options = tt_series_options_default();
    evaluation.options.precision = (enum tt_series_precision)precision;
    evaluation.options.threshold = (float)tt_args_number(args, "threshold");
    if (tt_series_options_check(&evaluation.options, &err) != TT_OK)
        return tt_cli_fail(TT_EXIT_USAGE, "%s", err.message);
    return run(&evaluation);
}

static const struct tt_option options[] = {
    {.name = "data",
     .argument = "DIR",
     .type = TT_OPTION_FILE,
     .doc = "Folder with the series: CSV files with timestamp and value, in folders by category."},
    {.name = "labels",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc =
         "The windows that are anomalous, as NAB's combined_windows.json; the files that it names and that exist are judged."},
    {.name = "precision",
     .argument = "TIER",
     .type = TT_OPTION_CHOICE,
     .choices = precision_names,
     .def = "full",
     .doc = "full: a forest for each series; light: 4 KB and a third of a microsecond."},
    {.name = "seed",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1",
     .doc = "Where chance begins; the same seed gives the same scores everywhere."},
    {.name = "seeds",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1",
     .doc = "Judge so many seeds from --seed on, and print means and standard errors."},
    {.name = "threshold",
     .argument = "SCORE",
     .type = TT_OPTION_NUMBER,
     .def = "0.5",
     .doc = "The fixed threshold, judged beside the best one."},
    {.name = "scores",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "Judge these scores instead: CSV with file, row (from 0) and score."},
    {.name = "results",
     .argument = "DIR",
     .type = TT_OPTION_FILE,
     .doc =
         "Write DIR/<category>/telltale_<file>.csv with timestamp, value, anomaly_score and label."},
    {.name = "plot",
     .argument = "FILE.svg",
     .type = TT_OPTION_FILE,
     .doc = "Draw the scores by category."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object instead of text."},
};

extern const struct tt_command tt_command_evaluate_nab;
const struct tt_command tt_command_evaluate_nab = {
    .name = "evaluate nab",
    .summary = "Judge the series detector by the Numenta Anomaly Benchmark.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Scores every series with a detector that begins empty, point by point, and rates the scores as NAB does: windows found early count, alarms outside cost, for its three profiles. "
        "The threshold is one for all series: the best one (NAB's own rule, which knows the labels); for each category the one that is best for the others; and a fixed one.",
    .run = evaluate_nab,
};
