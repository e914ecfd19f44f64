/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_label.h"

enum column { TYPE, LABEL, ROOT_CAUSE, MSG, SOURCE, ACTIVE, COLUMN_COUNT };

static const struct tt_column_desc descs[COLUMN_COUNT] = {
    {TT_LABEL_COLUMN_TYPE, TT_COLUMN_TEXT, "Kind of anomaly the row was recorded under, or none."},
    {TT_LABEL_COLUMN_LABEL, TT_COLUMN_TEXT, "Class for training, e.g. normal."},
    {TT_LABEL_COLUMN_ROOT_CAUSE, TT_COLUMN_TEXT, "What caused the anomaly, or none."},
    {TT_LABEL_COLUMN_MSG, TT_COLUMN_TEXT, "Free text of whoever labelled."},
    {TT_LABEL_COLUMN_SOURCE, TT_COLUMN_TEXT, "Where the label is from."},
    {TT_LABEL_COLUMN_ACTIVE, TT_COLUMN_TEXT,
     "Type of the label window that was open for the service at the time."},
};
const struct tt_column_desc *const tt_relabel_columns[] = {
    &descs[TYPE],   &descs[LABEL], &descs[ROOT_CAUSE], &descs[MSG], &descs[SOURCE],
    &descs[ACTIVE], NULL,
};

enum tt_status tt_relabel_init(struct tt_relabel *relabel, struct tt_error *err)
{
    *relabel = (struct tt_relabel){.verdicts = tt_verdicts_new(SIZE_MAX, SIZE_MAX)};
    if (relabel->verdicts == NULL)
        return tt_fail(err, TT_NO_MEMORY, "keep the labels of traces");
    return TT_OK;
}

void tt_relabel_done(struct tt_relabel *relabel)
{
    tt_verdicts_free(relabel->verdicts);
    tt_label_windows_free(relabel->windows);
}

/* ---- evidence ---- */

/* What a row says by itself, or its resource for it. */
static bool find_evidence(const struct tt_batch *batch, const struct tt_row *row,
                          struct tt_evidence *found)
{
    struct tt_evidence of_resource;
    uint32_t resource = tt_row_scope(batch, row)->resource;
    bool any = tt_evidence_of_row(batch, row, TT_SOURCE_ALL, found);

    if (tt_evidence_of_resource(batch, resource, TT_SOURCE_ALL, &of_resource) &&
        (!any || of_resource.source < found->source)) {
        *found = of_resource;
        any = true;
    }
    if (any)
        found->start_ns = tt_evidence_time(batch->signal, row);
    return any;
}

void tt_relabel_learn(struct tt_relabel *relabel, struct tt_batch *batch)
{
    struct tt_evidence found, verdict;
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        const uint8_t *id = tt_evidence_trace_id(batch->signal, row);
        bool contradicts = false;
        if (!find_evidence(batch, row, &found))
            continue;
        relabel->evidence++;
        if (id == NULL || found.source == TT_SOURCE_WINDOW)
            continue;
        (void)tt_verdicts_merge(relabel->verdicts, id, &found, &batch->arena, &verdict,
                                &contradicts);
        relabel->contradictions += contradicts;
    }
}

bool tt_relabel_may_learn(struct tt_str line)
{
    static const struct tt_str signs[] = {{"nomaly", 6}, {"NOMALY", 6}, {"\\u", 2}};

    for (size_t i = 0; i < TT_LENGTH(signs); i++)
        if (line.len > 0 && memmem(line.data, line.len, signs[i].data, signs[i].len) != NULL)
            return true;
    return false;
}

/* ---- labels ---- */

struct labelling {
    struct tt_relabel *relabel;
    struct tt_batch *batch;
    struct tt_column *columns[COLUMN_COUNT];
    struct tt_label_snapshot *snapshot;
    /* The verdict of the last trace: rows of one trace follow each other. */
    const uint8_t *trace_id;
    bool has_verdict;
    struct tt_evidence verdict;
};

static bool add_columns(struct labelling *work)
{
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        if (tt_batch_column(work->batch, &descs[i]) == NULL)
            return false;
    for (unsigned i = 0; i < COLUMN_COUNT; i++) /* adding one may have moved the others */
        work->columns[i] = tt_batch_column(work->batch, &descs[i]);
    return true;
}

static void set_label(struct labelling *work, uint32_t row, const struct tt_anomaly_label *label,
                      enum tt_label_source source)
{
    tt_column_set_text(work->columns[TYPE], row, label->type);
    tt_column_set_text(work->columns[LABEL], row, label->label);
    tt_column_set_text(work->columns[ROOT_CAUSE], row, label->root_cause);
    tt_column_set_text(work->columns[MSG], row, label->msg);
    tt_column_set_text(work->columns[SOURCE], row, tt_label_source_name(source));
}

static bool trace_verdict(struct labelling *work, const uint8_t *id)
{
    if (id == NULL)
        return false;
    if (work->trace_id == NULL || memcmp(work->trace_id, id, 16) != 0) {
        work->has_verdict = tt_verdicts_merge(work->relabel->verdicts, id, NULL,
                                              &work->batch->arena, &work->verdict, NULL);
        work->trace_id = id;
    }
    return work->has_verdict;
}

/* A row's own attribute or header is never overruled; weaker evidence is, by a trace that says something else. */
static bool label_by_evidence(struct labelling *work, const struct tt_row *row, uint32_t i,
                              enum tt_label_source *ret_source)
{
    struct tt_evidence own;
    bool any = find_evidence(work->batch, row, &own);

    if (any && (own.source <= TT_SOURCE_HEADER ||
                !trace_verdict(work, tt_evidence_trace_id(work->batch->signal, row)) ||
                tt_label_equal(&own.label, &work->verdict.label))) {
        set_label(work, i, &own.label, own.source);
        *ret_source = own.source;
        return true;
    }
    if (!any && !trace_verdict(work, tt_evidence_trace_id(work->batch->signal, row)))
        return false;
    set_label(work, i, &work->verdict.label, TT_SOURCE_TRACE);
    *ret_source = TT_SOURCE_TRACE;
    return true;
}

/* Windows outlive the batch: their texts need no copy. */
static void apply_window(struct labelling *work, const struct tt_row *row, uint32_t i,
                         enum tt_label_source *source)
{
    const struct tt_label_window *window =
        tt_label_snapshot_find(work->snapshot, tt_evidence_time(work->batch->signal, row),
                               tt_row_resource(work->batch, row)->service_name);
    bool may_label = work->batch->signal != TT_TRACES || work->relabel->label_spans_by_window;

    if (window == NULL)
        return;
    tt_column_set_text(work->columns[ACTIVE], i, window->label.type);
    if (may_label && (*source == TT_SOURCE_NONE || *source == TT_SOURCE_WINDOW)) {
        set_label(work, i, &window->label, TT_SOURCE_WINDOW);
        *source = TT_SOURCE_WINDOW;
    }
}

static void label_row(struct labelling *work, const struct tt_row *row)
{
    static const struct tt_anomaly_label missing = {
        {"none", 4}, {"normal", 6}, {"none", 4}, {"", 0}};
    uint32_t i = tt_row_index(work->batch, row);
    enum tt_label_source source = TT_SOURCE_NONE;

    if (!label_by_evidence(work, row, i, &source))
        set_label(work, i, &missing, TT_SOURCE_NONE);
    if (work->snapshot != NULL)
        apply_window(work, row, i, &source);
    work->relabel->by_source[tt_signal_index(work->batch->signal)][source]++;
}

enum tt_status tt_relabel_apply(struct tt_relabel *relabel, struct tt_batch *batch,
                                struct tt_error *err)
{
    struct labelling work = {.relabel = relabel, .batch = batch};
    const struct tt_row *row;

    if (!add_columns(&work))
        return tt_fail(err, TT_NO_MEMORY, "label %u rows", batch->n_rows);
    if (relabel->windows != NULL)
        work.snapshot = tt_label_windows_snapshot(relabel->windows);
    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        label_row(&work, row);
    tt_label_snapshot_unref(work.snapshot);
    return TT_OK;
}
