/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluate.h"

#include <inttypes.h>
#include <math.h>

static void put_name(struct tt_buffer *out, const char *name)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        tt_buffer_append_byte(out, ',');
    tt_buffer_printf(out, "\"%s\":", name);
}

void tt_evaluate_put(struct tt_buffer *out, const char *name, double value)
{
    put_name(out, name);
    if (isfinite(value))
        tt_buffer_append_double(out, value);
    else
        tt_buffer_append_str(out, TT_STR("null"));
}

void tt_evaluate_put_count(struct tt_buffer *out, const char *name, uint64_t value)
{
    put_name(out, name);
    tt_buffer_append_uint64(out, value);
}

/* ---- verdicts ---- */

enum tt_status tt_judge(const float *scores, const uint8_t *anomalous, size_t count,
                        float threshold, struct tt_judged *ret_judged, struct tt_error *err)
{
    struct tt_ranking ranking;
    enum tt_status status = tt_ranking_make(scores, anomalous, count, &ranking, err);

    *ret_judged = (struct tt_judged){0};
    if (status != TT_OK)
        return status;
    *ret_judged = (struct tt_judged){.anomalous = ranking.anomalous,
                                     .normal = ranking.normal,
                                     .roc_auc = tt_rank_roc_auc(&ranking),
                                     .average_precision = tt_rank_average_precision(&ranking),
                                     .at = tt_rank_at(&ranking, threshold),
                                     .best = tt_rank_best_f1(&ranking)};
    tt_ranking_done(&ranking);
    return TT_OK;
}

void tt_judged_put(struct tt_buffer *out, const struct tt_judged *judged)
{
    tt_evaluate_put_count(out, "anomalous", judged->anomalous);
    tt_evaluate_put_count(out, "normal", judged->normal);
    tt_evaluate_put(out, "roc_auc", judged->roc_auc);
    tt_evaluate_put(out, "average_precision", judged->average_precision);
    tt_evaluate_put(out, "threshold", (double)judged->at.threshold);
    tt_evaluate_put_count(out, "true_positives", judged->at.true_positives);
    tt_evaluate_put_count(out, "false_positives", judged->at.false_positives);
    tt_evaluate_put_count(out, "false_negatives", judged->at.false_negatives);
    tt_evaluate_put_count(out, "true_negatives", judged->at.true_negatives);
    tt_evaluate_put(out, "precision", judged->at.precision);
    tt_evaluate_put(out, "recall", judged->at.recall);
    tt_evaluate_put(out, "f1", judged->at.f1);
    tt_evaluate_put(out, "best_f1", judged->best.f1);
    tt_evaluate_put(out, "best_threshold", (double)judged->best.threshold);
}

static void put_measure(struct tt_buffer *out, double value)
{
    if (isfinite(value))
        tt_buffer_printf(out, " %9.4f", value);
    else
        tt_buffer_append_str(out, TT_STR("         -"));
}

void tt_judged_put_title(struct tt_buffer *out, const char *what)
{
    tt_buffer_printf(out, "%-24s %10s %10s %9s %9s %9s %9s %9s %9s\n", what, "rows", "anomalous",
                     "ROC AUC", "avg prec", "precision", "recall", "F1", "best F1");
}

void tt_judged_put_line(struct tt_buffer *out, struct tt_str name, const struct tt_judged *judged)
{
    const double measures[] = {judged->roc_auc,      judged->average_precision,
                               judged->at.precision, judged->at.recall,
                               judged->at.f1,        judged->best.f1};

    tt_buffer_printf(out, "%-24.*s %10" PRIu64 " %10" PRIu64, name.len < 64 ? (int)name.len : 64,
                     name.data, judged->anomalous + judged->normal, judged->anomalous);
    for (size_t i = 0; i < TT_LENGTH(measures); i++)
        put_measure(out, measures[i]);
    tt_buffer_append_byte(out, '\n');
}
