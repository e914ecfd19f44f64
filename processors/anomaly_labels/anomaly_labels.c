/* SPDX-License-Identifier: Apache-2.0 */
#include "model/windows.h"
#include "pipeline/component.h"
#include "processors/anomaly_labels/coverage.h"
#include "processors/anomaly_labels/evidence.h"
#include "processors/anomaly_labels/join.h"

/* Verdicts of all pipelines: a log record is labelled by the spans of its trace. */
#define MAX_VERDICTS      ((size_t)262144)
#define MAX_VERDICT_TEXTS ((size_t)8 << 20)

/* ---- options ---- */

enum on_missing { MISSING_NORMAL, MISSING_UNKNOWN, MISSING_DROP };
enum spans_in_windows { WINDOW_MARKS, WINDOW_LABELS };

struct anomaly_labels_config {
    int on_missing;
    bool trace_join;
    struct tt_string_list sources;
    struct tt_string_list windows;
    int spans_in_windows;
};

static const char *const missing_choices[] = {"normal", "unknown", "drop", NULL};
static const char *const window_choices[] = {"mark", "label", NULL};

static const struct tt_field fields[] = {
    {TT_ENUM(struct anomaly_labels_config, on_missing), .def = "normal", .choices = missing_choices,
     .doc =
         "What becomes of rows without evidence: labelled normal, labelled unknown, or dropped."},
    {TT_BOOL(struct anomaly_labels_config, trace_join), .def = "true",
     .doc = "Whether the evidence of one span labels all spans of its trace."},
    {TT_STRINGS(struct anomaly_labels_config, sources),
     .def = "attribute,header,baggage,trace,request,window",
     .doc = "Which kinds of evidence are looked at."},
    {TT_STRINGS(struct anomaly_labels_config, windows), .flags = TT_CONFIG_PATH,
     .doc = "Files of label windows: NAB's combined_windows.json or a list of objects."},
    {TT_ENUM(struct anomaly_labels_config, spans_in_windows), .def = "mark",
     .choices = window_choices,
     .doc =
         "Whether a window only marks spans without evidence (anomaly.active) or labels them too."},
};
static const struct tt_schema schema = TT_SCHEMA(struct anomaly_labels_config, fields);

/* ---- columns and meters ---- */

enum column { TYPE, LABEL, ROOT_CAUSE, MSG, SOURCE, ACTIVE, COLUMN_COUNT };

static const struct tt_column_desc column_descs[COLUMN_COUNT] = {
    {TT_LABEL_COLUMN_TYPE, TT_COLUMN_TEXT, "Kind of anomaly the row was recorded under, or none."},
    {TT_LABEL_COLUMN_LABEL, TT_COLUMN_TEXT, "Class for training, e.g. normal."},
    {TT_LABEL_COLUMN_ROOT_CAUSE, TT_COLUMN_TEXT, "What caused the anomaly, or none."},
    {TT_LABEL_COLUMN_MSG, TT_COLUMN_TEXT, "Free text of whoever labelled."},
    {TT_LABEL_COLUMN_SOURCE, TT_COLUMN_TEXT,
     "Where the label is from: attribute, header, baggage, trace, request, window or none."},
    {TT_LABEL_COLUMN_ACTIVE, TT_COLUMN_TEXT,
     "Type of the label window that was open for the service at the time."},
};
static const struct tt_column_desc *const columns[] = {
    &column_descs[TYPE],
    &column_descs[LABEL],
    &column_descs[ROOT_CAUSE],
    &column_descs[MSG],
    &column_descs[SOURCE],
    &column_descs[ACTIVE],
    NULL,
};

enum meter { METER_EVIDENCE, METER_CONTRADICTIONS, METER_COVERAGE };
static const struct tt_meter_desc meters[] = {
    [METER_EVIDENCE] = {"telltale_label_evidence", "{row}",
                        "Rows by where their label is from; none: without evidence.", TT_COUNTER},
    [METER_CONTRADICTIONS] = {"telltale_label_contradictions", "{row}",
                              "Pieces of evidence that contradict the verdict of their trace.",
                              TT_COUNTER},
    [METER_COVERAGE] = {"telltale_label_coverage_ratio", "1",
                        "Share of a service's spans that have label evidence.", TT_GAUGE},
    {.name = NULL},
};

struct anomaly_labels {
    const struct anomaly_labels_config *config;
    struct tt_host *host;
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    unsigned signals, sources;
    struct tt_label_windows *posted; /* shared by the process */
    struct tt_label_windows *loaded; /* of our files */
    struct tt_verdicts *verdicts;    /* shared by the process */
    struct anomaly_coverage *coverage;
    struct tt_meter *by_source[TT_SOURCE_COUNT];
    struct tt_meter *contradictions;
};

/* ---- one batch ---- */

struct known_evidence { /* of a resource or a request, looked for once */
    enum { NOT_ASKED, NOTHING, FOUND } state;
    struct tt_evidence evidence;
};

#define SEEN_LABELS 32

struct labelling {
    struct anomaly_labels *self;
    struct tt_batch *batch;
    bool had_columns; /* before ours, which have nothing to say about evidence */
    struct tt_column *columns[COLUMN_COUNT];
    struct anomaly_join join;
    uint32_t *trace_of; /* by row; ANOMALY_NO_TRACE */
    uint8_t *source_of; /* by row: enum tt_label_source */
    struct known_evidence *of_resource, *of_metadata;
    struct tt_label_snapshot *posted, *loaded;
    uint64_t by_source[TT_SOURCE_COUNT], contradictions;
    struct tt_anomaly_label seen[SEEN_LABELS];
};

static bool uses(const struct labelling *work, enum tt_label_source source)
{
    return (work->self->sources & TT_SOURCE_BIT(source)) != 0;
}

static void labelling_done(struct labelling *work)
{
    anomaly_join_done(&work->join);
    tt_free(work->trace_of);
    tt_free(work->source_of);
    tt_free(work->of_resource);
    tt_free(work->of_metadata);
    tt_label_snapshot_unref(work->posted);
    tt_label_snapshot_unref(work->loaded);
}

static bool add_columns(struct labelling *work)
{
    for (unsigned i = TYPE; i <= SOURCE; i++)
        if (tt_batch_column(work->batch, &column_descs[i]) == NULL)
            return false;
    if ((work->posted != NULL || work->loaded != NULL) &&
        tt_batch_column(work->batch, &column_descs[ACTIVE]) == NULL)
        return false;
    for (unsigned i = 0; i < work->batch->n_columns; i++) /* adding one may have moved the others */
        for (unsigned j = 0; j < COLUMN_COUNT; j++)
            if (strcmp(work->batch->columns[i].desc->name, column_descs[j].name) == 0)
                work->columns[j] = &work->batch->columns[i];
    return true;
}

static enum tt_status labelling_init(struct labelling *work, struct anomaly_labels *self,
                                     struct tt_batch *batch, struct tt_error *err)
{
    *work = (struct labelling){.self = self, .batch = batch, .had_columns = batch->n_columns > 0};
    work->trace_of = tt_calloc(batch->n_rows, sizeof(*work->trace_of));
    work->source_of = tt_calloc(batch->n_rows, sizeof(*work->source_of));
    work->of_resource = tt_calloc(batch->n_resources, sizeof(*work->of_resource));
    work->of_metadata = tt_calloc(batch->n_metadata, sizeof(*work->of_metadata));
    if (uses(work, TT_SOURCE_WINDOW)) {
        work->posted = tt_label_windows_snapshot(self->posted);
        work->loaded = tt_label_windows_snapshot(self->loaded);
    }
    if (work->trace_of == NULL || work->source_of == NULL || work->of_resource == NULL ||
        work->of_metadata == NULL || !anomaly_join_init(&work->join, batch->n_rows) ||
        !add_columns(work))
        return tt_fail(err, TT_NO_MEMORY, "label %u rows", batch->n_rows);
    return TT_OK;
}

static void set_label(struct labelling *work, uint32_t row, const struct tt_anomaly_label *label,
                      enum tt_label_source source)
{
    tt_column_set_text(work->columns[TYPE], row, label->type);
    tt_column_set_text(work->columns[LABEL], row, label->label);
    tt_column_set_text(work->columns[ROOT_CAUSE], row, label->root_cause);
    tt_column_set_text(work->columns[MSG], row, label->msg);
    tt_column_set_text(work->columns[SOURCE], row, tt_label_source_name(source));
    work->source_of[row] = (uint8_t)source;
}

static struct tt_anomaly_label label_in(const struct labelling *work, uint32_t row)
{
    return (struct tt_anomaly_label){
        .type = work->columns[TYPE]->texts[row],
        .label = work->columns[LABEL]->texts[row],
        .root_cause = work->columns[ROOT_CAUSE]->texts[row],
        .msg = work->columns[MSG]->texts[row],
    };
}

/* ---- first pass: what each row says by itself ---- */

static const struct known_evidence *resource_evidence(struct labelling *work, uint32_t resource)
{
    struct known_evidence *known = &work->of_resource[resource];

    if (known->state == NOT_ASKED)
        known->state =
            tt_evidence_of_resource(work->batch, resource, work->self->sources, &known->evidence)
                ? FOUND
                : NOTHING;
    return known;
}

static const struct known_evidence *request_evidence(struct labelling *work, uint32_t metadata)
{
    static const struct known_evidence nothing = {.state = NOTHING};
    struct known_evidence *known;

    if (metadata >= work->batch->n_metadata)
        return &nothing;
    known = &work->of_metadata[metadata];
    if (known->state == NOT_ASKED)
        known->state = tt_evidence_of_request(&work->batch->metadata[metadata], &known->evidence)
                           ? FOUND
                           : NOTHING;
    return known;
}

static bool find_evidence(struct labelling *work, const struct tt_row *row,
                          struct tt_evidence *found)
{
    struct tt_cursor attributes = work->had_columns ? tt_row_attributes(work->batch, row)
                                                    : tt_row_own_attributes(work->batch, row);
    bool any = tt_evidence_among(attributes, work->self->sources, found);
    const struct known_evidence *known =
        resource_evidence(work, work->batch->scopes[row->scope].resource);

    if (known->state == FOUND && (!any || known->evidence.source < found->source)) {
        *found = known->evidence;
        any = true;
    }
    if (!any && uses(work, TT_SOURCE_REQUEST)) {
        known = request_evidence(work, row->metadata);
        *found = known->evidence;
        any = known->state == FOUND;
    }
    if (any)
        found->start_ns = tt_evidence_time(work->batch->signal, row);
    return any;
}

/* Gives equal labels the same texts: whoever writes rows out sees by their addresses what it has written before. */
static void share_texts(struct labelling *work, struct tt_anomaly_label *label)
{
    size_t place =
        label->type.len * 7 + label->label.len * 3 + label->root_cause.len * 5 + label->msg.len;
    struct tt_anomaly_label *seen = &work->seen[place % SEEN_LABELS];

    if (seen->type.data != NULL && tt_label_equal(seen, label))
        *label = *seen;
    else
        *seen = *label;
}

static void share_texts_of_verdicts(struct labelling *work)
{
    for (uint32_t i = 0; i < work->join.count; i++)
        if (work->join.traces[i].known)
            share_texts(work, &work->join.traces[i].verdict.label);
}

static void collect(struct labelling *work, const struct tt_row *row)
{
    uint32_t i = tt_row_index(work->batch, row);
    const uint8_t *id = tt_evidence_trace_id(work->batch->signal, row);
    struct tt_evidence found;

    work->trace_of[i] = ANOMALY_NO_TRACE;
    work->source_of[i] = TT_SOURCE_NONE;
    if (id != NULL && uses(work, TT_SOURCE_TRACE))
        work->trace_of[i] = anomaly_join_find(&work->join, id);
    if (!find_evidence(work, row, &found))
        return;
    share_texts(work, &found.label);
    set_label(work, i, &found.label, found.source);
    if (work->trace_of[i] != ANOMALY_NO_TRACE && found.source != TT_SOURCE_WINDOW)
        work->contradictions += anomaly_join_add(&work->join, work->trace_of[i], &found);
}

/* ---- second pass: what others say of it ---- */

/* A row's own attribute or header is never overruled. */
static void apply_verdict(struct labelling *work, uint32_t row)
{
    const struct anomaly_trace *trace;
    struct tt_anomaly_label own;

    if (work->source_of[row] <= TT_SOURCE_HEADER || work->trace_of[row] == ANOMALY_NO_TRACE)
        return;
    trace = &work->join.traces[work->trace_of[row]];
    if (!trace->known)
        return;
    if (work->source_of[row] != TT_SOURCE_NONE) {
        own = label_in(work, row);
        if (tt_label_equal(&own, &trace->verdict.label))
            return;
    }
    set_label(work, row, &trace->verdict.label, TT_SOURCE_TRACE);
}

static bool keep_text(struct labelling *work, struct tt_str *text)
{
    *text = tt_arena_copy(&work->batch->arena, *text);
    return text->data != NULL;
}

/* Windows may be gone before the batch is: their texts are copied, once for runs of rows in one window. */
static bool keep_label(struct labelling *work, struct tt_anomaly_label *label)
{
    return keep_text(work, &label->type) && keep_text(work, &label->label) &&
           keep_text(work, &label->root_cause) && keep_text(work, &label->msg);
}

static bool may_label(const struct labelling *work, uint32_t row)
{
    return (work->source_of[row] == TT_SOURCE_NONE || work->source_of[row] == TT_SOURCE_WINDOW) &&
           (work->batch->signal != TT_TRACES ||
            work->self->config->spans_in_windows == WINDOW_LABELS);
}

struct window_texts {
    const struct tt_label_window *window;
    struct tt_anomaly_label label;
};

static void apply_window(struct labelling *work, const struct tt_row *row,
                         struct window_texts *last)
{
    uint32_t i = tt_row_index(work->batch, row);
    uint64_t time_ns = tt_evidence_time(work->batch->signal, row);
    struct tt_str service = tt_row_resource(work->batch, row)->service_name;
    const struct tt_label_window *window;

    window = tt_label_snapshot_find(work->loaded, time_ns, service);
    if (window == NULL)
        window = tt_label_snapshot_find(work->posted, time_ns, service);
    if (window == NULL)
        return;
    if (window != last->window) {
        *last = (struct window_texts){window, window->label};
        if (!keep_label(work, &last->label)) {
            last->window = NULL; /* without memory the row stays as it is */
            return;
        }
    }
    tt_column_set_text(work->columns[ACTIVE], i, last->label.type);
    if (may_label(work, i))
        set_label(work, i, &last->label, TT_SOURCE_WINDOW);
}

static void apply_windows(struct labelling *work)
{
    struct window_texts last = {.window = NULL};
    const struct tt_row *row;

    if (work->posted == NULL && work->loaded == NULL)
        return;
    for (uint32_t i = 0; (row = tt_batch_next(work->batch, &i)) != NULL;)
        apply_window(work, row, &last);
}

static void set_missing(struct labelling *work, struct tt_row *row)
{
    static const struct tt_anomaly_label labels[] = {
        [MISSING_NORMAL] = {{"none", 4}, {"normal", 6}, {"none", 4}, {"", 0}},
        [MISSING_UNKNOWN] = {{"unknown", 7}, {"unknown", 7}, {"unknown", 7}, {"", 0}},
    };
    int on_missing = work->self->config->on_missing;

    if (on_missing == MISSING_DROP)
        tt_row_drop(work->batch, row);
    else
        set_label(work, tt_row_index(work->batch, row), &labels[on_missing], TT_SOURCE_NONE);
}

/* ---- the account ---- */

static void count_coverage(struct labelling *work, const uint64_t *rows, const uint64_t *labelled)
{
    for (uint32_t i = 0; i < work->batch->n_resources; i++)
        if (rows[i] > 0)
            anomaly_coverage_add(work->self->coverage, work->batch, i, rows[i], labelled[i]);
}

/* Before rows are dropped. Without memory for the counts coverage misses this batch. */
static void count(struct labelling *work)
{
    uint32_t n = work->batch->n_resources;
    bool spans = work->batch->signal == TT_TRACES;
    uint64_t *counts = spans ? tt_calloc(2 * (size_t)n, sizeof(*counts)) : NULL;
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(work->batch, &i)) != NULL;) {
        uint8_t source = work->source_of[tt_row_index(work->batch, row)];
        uint32_t resource = work->batch->scopes[row->scope].resource;
        work->by_source[source]++;
        if (counts != NULL) {
            counts[resource]++;
            counts[n + resource] += source != TT_SOURCE_NONE;
        }
    }
    if (counts != NULL)
        count_coverage(work, counts, counts + n);
    tt_free(counts);
}

static void add_meters(const struct labelling *work)
{
    for (unsigned i = 0; i < TT_SOURCE_COUNT; i++)
        if (work->by_source[i] > 0)
            tt_meter_add(work->self->by_source[i], (int64_t)work->by_source[i]);
    if (work->contradictions > 0)
        tt_meter_add(work->self->contradictions, (int64_t)work->contradictions);
    if (work->self->config->on_missing == MISSING_DROP && work->by_source[TT_SOURCE_NONE] > 0)
        tt_host_dropped(work->self->host, work->batch->signal, "unlabelled",
                        work->by_source[TT_SOURCE_NONE]);
}

static void label_rows(struct labelling *work)
{
    struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(work->batch, &i)) != NULL;)
        collect(work, row);
    work->contradictions +=
        anomaly_join_settle(&work->join, work->self->verdicts, &work->batch->arena);
    share_texts_of_verdicts(work);
    for (uint32_t i = 0; (row = tt_batch_next(work->batch, &i)) != NULL;)
        apply_verdict(work, tt_row_index(work->batch, row));
    apply_windows(work);
    count(work);
    for (uint32_t i = 0; (row = tt_batch_next(work->batch, &i)) != NULL;)
        if (work->source_of[tt_row_index(work->batch, row)] == TT_SOURCE_NONE)
            set_missing(work, row);
    add_meters(work);
}

static enum tt_status label_batch(struct anomaly_labels *self, struct tt_batch *batch,
                                  struct tt_error *err)
{
    struct labelling work;
    enum tt_status status;

    status = labelling_init(&work, self, batch, err);
    if (status == TT_OK)
        label_rows(&work);
    labelling_done(&work);
    return status;
}

static enum tt_status anomaly_labels_consume(void *context, struct tt_batch **batch,
                                             struct tt_error *err)
{
    struct anomaly_labels *self = context;
    enum tt_status status = tt_batch_make_writable(batch, err);

    if (status == TT_OK)
        status = label_batch(self, *batch, err);
    if (status != TT_OK)
        return tt_drop(batch, status, err);
    if (tt_batch_live_rows(*batch) == 0) {
        tt_batch_unref(TT_TAKE(*batch));
        return TT_OK;
    }
    return tt_consume(self->next[tt_signal_index((*batch)->signal)], batch, err);
}

/* ---- life ---- */

static enum tt_status sources_of(const struct anomaly_labels_config *config, unsigned *ret_sources,
                                 struct tt_error *err)
{
    *ret_sources = 0;
    for (size_t i = 0; i < config->sources.count; i++) {
        enum tt_label_source source = tt_label_source_of(tt_str(config->sources.items[i]));
        if (source >= TT_SOURCE_NONE)
            return tt_fail(err, TT_INVALID_CONFIG,
                           "sources: \"%.64s\" is not one of attribute, header, baggage, trace, "
                           "request, window",
                           config->sources.items[i]);
        *ret_sources |= TT_SOURCE_BIT(source);
    }
    if (!config->trace_join)
        *ret_sources &= ~TT_SOURCE_BIT(TT_SOURCE_TRACE);
    return TT_OK;
}

static enum tt_status anomaly_labels_validate(const void *config, struct tt_error *err)
{
    unsigned sources;

    return sources_of(config, &sources, err);
}

static void *verdicts_create(struct tt_host *host)
{
    (void)host;
    return tt_verdicts_new(MAX_VERDICTS, MAX_VERDICT_TEXTS);
}

static void verdicts_destroy(void *verdicts)
{
    tt_verdicts_free(verdicts);
}

static void anomaly_labels_destroy(void *context)
{
    struct anomaly_labels *self = context;

    if (self == NULL)
        return;
    tt_label_windows_free(self->loaded);
    anomaly_coverage_free(self->coverage);
    tt_free(self);
}

static void get_meters(struct anomaly_labels *self)
{
    for (unsigned i = 0; i < TT_SOURCE_COUNT; i++) {
        struct tt_label label = {"source", tt_label_source_name((enum tt_label_source)i)};
        self->by_source[i] = tt_meters_get(self->host->meters, &meters[METER_EVIDENCE], &label, 1);
    }
    self->contradictions =
        tt_meters_get(self->host->meters, &meters[METER_CONTRADICTIONS], NULL, 0);
}

static enum tt_status anomaly_labels_create(const struct tt_create_args *args, void **ret_self,
                                            struct tt_error *err)
{
    static const struct tt_shared_type windows_type = TT_LABEL_WINDOWS_TYPE;
    static const struct tt_shared_type verdicts_type = {
        .name = "label_verdicts", .create = verdicts_create, .destroy = verdicts_destroy};
    struct anomaly_labels *self = tt_calloc(1, sizeof(*self));

    if (self == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create %s", args->id);
    self->config = args->config;
    self->host = args->host;
    self->signals = args->signals;
    memcpy(self->next, args->next, sizeof(self->next));
    self->loaded = tt_label_windows_new();
    self->posted = tt_host_share(args->host, &windows_type);
    self->verdicts = tt_host_share(args->host, &verdicts_type);
    self->coverage = anomaly_coverage_new(args->host->meters, &args->host->log);
    if (self->loaded == NULL || self->posted == NULL || self->verdicts == NULL ||
        self->coverage == NULL || sources_of(self->config, &self->sources, err) != TT_OK) {
        anomaly_labels_destroy(self);
        return tt_fail(err, TT_NO_MEMORY, "create %s", args->id);
    }
    get_meters(self);
    *ret_self = self;
    return TT_OK;
}

static enum tt_status anomaly_labels_start(void *context, struct tt_error *err)
{
    struct anomaly_labels *self = context;

    for (size_t i = 0; i < self->config->windows.count; i++) {
        enum tt_status status =
            tt_label_windows_load(self->loaded, self->config->windows.items[i], err);
        if (status != TT_OK) {
            tt_error_prefix(err, "windows");
            return status;
        }
    }
    return TT_OK;
}

static enum tt_status anomaly_labels_shutdown(void *context, tt_dur deadline, struct tt_error *err)
{
    struct anomaly_labels *self = context;

    (void)deadline;
    (void)err;
    anomaly_coverage_finish(self->coverage);
    return TT_OK;
}

static const struct tt_component_ops ops = {
    .validate = anomaly_labels_validate,
    .create = anomaly_labels_create,
    .start = anomaly_labels_start,
    .consume = anomaly_labels_consume,
    .shutdown = anomaly_labels_shutdown,
    .destroy = anomaly_labels_destroy,
};

extern const struct tt_component tt_processor_anomaly_labels;
const struct tt_component tt_processor_anomaly_labels = {
    .type = "anomaly_labels",
    .kind = TT_PROCESSOR,
    .stability = TT_BETA,
    .signals = TT_ALL_SIGNALS,
    .mutates_data = true,
    .doc = "Finds out under which anomaly each row was recorded and adds that as columns.",
    .schema = &schema,
    .meters = meters,
    .columns = columns,
    .ops = &ops,
};
