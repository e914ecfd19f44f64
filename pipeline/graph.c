/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"

/* ---- standard meters of the edges (names as otelcol users know them) ---- */

static const struct tt_meter_desc incoming_meter = {"otelcol_processor_incoming_items", "1",
                                                    "Items passed to the processor.", TT_COUNTER};
static const struct tt_meter_desc outgoing_meter = {
    "otelcol_processor_outgoing_items", "1", "Items emitted from the processor.", TT_COUNTER};
static const struct tt_meter_desc time_meter = {
    "otelcol_processor_internal_duration", "s",
    "Time that the processor took for a batch, without what is behind it.", TT_HISTOGRAM};
static const struct tt_meter_desc connector_in_meter = {
    "telltale_connector_incoming_items", "1", "Items passed to the connector.", TT_COUNTER};
static const struct tt_meter_desc connector_out_meter = {
    "telltale_connector_outgoing_items", "1", "Items emitted from the connector.", TT_COUNTER};
static const struct tt_meter_desc sent_meters[TT_SIGNAL_COUNT] = {
    {"otelcol_exporter_sent_spans", "1", "Spans that the exporter has delivered.", TT_COUNTER},
    {"otelcol_exporter_sent_metric_points", "1", "Metric points that the exporter has delivered.",
     TT_COUNTER},
    {"otelcol_exporter_sent_log_records", "1", "Log records that the exporter has delivered.",
     TT_COUNTER},
};
static const struct tt_meter_desc failed_meters[TT_SIGNAL_COUNT] = {
    {"otelcol_exporter_send_failed_spans", "1", "Spans that the exporter could not deliver.",
     TT_COUNTER},
    {"otelcol_exporter_send_failed_metric_points", "1",
     "Metric points that the exporter could not deliver.", TT_COUNTER},
    {"otelcol_exporter_send_failed_log_records", "1",
     "Log records that the exporter could not deliver.", TT_COUNTER},
};

static const struct tt_meter_desc enqueue_failed_meters[TT_SIGNAL_COUNT] = {
    {"otelcol_exporter_enqueue_failed_spans", "1",
     "Spans that found no room among those that wait for the exporter.", TT_COUNTER},
    {"otelcol_exporter_enqueue_failed_metric_points", "1",
     "Metric points that found no room among those that wait for the exporter.", TT_COUNTER},
    {"otelcol_exporter_enqueue_failed_log_records", "1",
     "Log records that found no room among those that wait for the exporter.", TT_COUNTER},
};

/* ---- building ---- */

struct builder {
    struct tt_service *service;
    struct tt_graph *graph;
    const struct tt_settings *settings;
    struct tt_consumer *heads[TT_MAX_PIPELINES]; /* where each pipeline takes its data in */
    size_t first_processor[TT_MAX_PIPELINES];    /* index of each pipeline's first instance */
    size_t max_columns;
    bool no_memory; /* set once, checked once: the steps go on with what there is */
};

static void *allocate(struct builder *builder, size_t size)
{
    void *p = tt_arena_calloc(&builder->service->arena, 1, size);

    builder->no_memory |= p == NULL;
    return p;
}

static struct tt_instance *find_instance(const struct tt_graph *graph,
                                         const struct tt_component_settings *settings)
{
    for (size_t i = 0; i < graph->n_instances; i++)
        if (graph->instances[i].settings == settings)
            return &graph->instances[i];
    return NULL;
}

static struct tt_instance *add_instance(struct builder *builder,
                                        struct tt_component_settings *settings)
{
    struct tt_instance *instance = &builder->graph->instances[builder->graph->n_instances++];

    *instance = (struct tt_instance){
        .settings = settings, .component = settings->component, .config = settings->config};
    tt_host_init(&instance->host, builder->service, settings->id);
    return instance;
}

static void add_shared_instances(struct builder *builder, const struct tt_reference_list *list,
                                 enum tt_kind kind)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].target->component->kind == kind &&
            find_instance(builder->graph, list->items[i].target) == NULL)
            add_instance(builder, list->items[i].target);
}

static size_t max_instances(const struct tt_settings *settings)
{
    size_t count = 0;

    for (size_t i = 0; i < settings->n_pipelines; i++)
        count += settings->pipelines[i].receivers.count + settings->pipelines[i].processors.count +
                 settings->pipelines[i].exporters.count;
    return count;
}

/* In the order data flow. The pipelines are sorted, so a connector that stands before the first pipeline it feeds stands
 * behind all that feed it. */
static void add_instances(struct builder *builder)
{
    const struct tt_settings *settings = builder->settings;

    for (size_t p = 0; p < settings->n_pipelines; p++)
        add_shared_instances(builder, &settings->pipelines[p].receivers, TT_RECEIVER);
    for (size_t p = 0; p < settings->n_pipelines; p++) {
        const struct tt_pipeline_settings *pipeline = &settings->pipelines[p];
        add_shared_instances(builder, &pipeline->receivers, TT_CONNECTOR);
        builder->first_processor[p] = builder->graph->n_instances;
        for (size_t i = 0; i < pipeline->processors.count; i++)
            add_instance(builder, pipeline->processors.items[i].target)->pipeline = pipeline->id;
    }
    for (size_t p = 0; p < settings->n_pipelines; p++)
        add_shared_instances(builder, &settings->pipelines[p].exporters, TT_EXPORTER);
}

/* ---- edges ---- */

struct item_labels {
    struct tt_label items[2];
};

static struct item_labels item_labels_of(const struct tt_instance *instance, enum tt_signal signal)
{
    return (struct item_labels){{
        {instance->component->kind == TT_PROCESSOR ? "processor" : "connector",
         tt_str(instance->settings->id)},
        {"otel_signal", tt_str(tt_signal_name(signal))},
    }};
}

static struct tt_meter *item_meter(struct builder *builder, const struct tt_meter_desc *desc,
                                   const struct tt_instance *instance, enum tt_signal signal)
{
    struct item_labels labels = item_labels_of(instance, signal);

    return tt_meters_get(builder->service->meters, desc, labels.items, TT_LENGTH(labels.items));
}

/* NULL when nobody asked for it. */
static struct tt_histogram *time_of(struct builder *builder, const struct tt_instance *instance,
                                    enum tt_signal signal)
{
    struct item_labels labels = item_labels_of(instance, signal);

    if (instance->component->kind != TT_PROCESSOR || !builder->service->has_stopwatch)
        return NULL;
    return tt_meters_get_histogram(builder->service->meters, &time_meter, labels.items,
                                   TT_LENGTH(labels.items));
}

static struct tt_meter *exporter_meter(struct builder *builder, const struct tt_meter_desc *desc,
                                       const struct tt_instance *instance)
{
    struct tt_label label = {"exporter", tt_str(instance->settings->id)};

    return tt_meters_get(builder->service->meters, desc, &label, 1);
}

/* The ledger begins with zeros where the engine itself may drop, so that rate() sees the first loss. */
static void start_ledger(struct builder *builder, const struct tt_instance *instance,
                         enum tt_signal signal)
{
    static const char *const reasons[] = {"exporter_stuck", "rejected", "shutdown"};

    for (size_t i = 0; i < TT_LENGTH(reasons); i++) {
        struct tt_label labels[] = {
            {"component", tt_str(instance->settings->id)},
            {"reason", tt_str(reasons[i])},
            {"signal", tt_str(tt_signal_name(signal))},
        };
        (void)tt_meters_get(builder->service->meters, &tt_dropped_meter, labels, TT_LENGTH(labels));
    }
}

static struct tt_consumer *edge_to(struct builder *builder, struct tt_instance *instance,
                                   enum tt_signal signal)
{
    unsigned index = tt_signal_index(signal);
    struct tt_edge *edge = instance->edges[index];

    instance->args.signals |= (unsigned)signal;
    if (edge != NULL)
        return &edge->consumer;
    edge = allocate(builder, sizeof(*edge));
    if (edge == NULL)
        return NULL;
    *edge = (struct tt_edge){.consumer = {tt_edge_consume, signal, instance->settings->id},
                             .instance = instance};
    instance->edges[index] = edge;
    if (instance->component->kind != TT_EXPORTER) {
        edge->taken = item_meter(builder,
                                 instance->component->kind == TT_PROCESSOR ? &incoming_meter
                                                                           : &connector_in_meter,
                                 instance, signal);
        edge->time = time_of(builder, instance, signal);
        return &edge->consumer;
    }
    edge->taken = exporter_meter(builder, &sent_meters[index], instance);
    edge->failed = exporter_meter(builder, &failed_meters[index], instance);
    edge->enqueue_failed = exporter_meter(builder, &enqueue_failed_meters[index], instance);
    edge->park = tt_park_new(&builder->service->arena);
    builder->no_memory |= edge->park == NULL;
    start_ledger(builder, instance, signal);
    return &edge->consumer;
}

static struct tt_consumer *outlet_of(struct builder *builder, struct tt_instance *instance,
                                     enum tt_signal signal, struct tt_consumer *next)
{
    struct tt_outlet *outlet = allocate(builder, sizeof(*outlet));

    if (outlet == NULL)
        return NULL;
    *outlet = (struct tt_outlet){
        .consumer = {tt_outlet_consume, signal, instance->settings->id},
        .next = next,
        .sent = item_meter(builder,
                           instance->component->kind == TT_PROCESSOR ? &outgoing_meter
                                                                     : &connector_out_meter,
                           instance, signal),
        .service = builder->service->has_stopwatch ? builder->service : NULL,
    };
    return &outlet->consumer;
}

/* Branches of one fan-out while it is put together. */
struct branches {
    struct tt_consumer *readers[TT_MAX_BRANCHES], *mutators[TT_MAX_BRANCHES];
    size_t n_readers, n_mutators;
};

static void add_branch(struct branches *branches, struct tt_consumer *branch, bool mutates)
{
    if (mutates)
        branches->mutators[branches->n_mutators++] = branch;
    else
        branches->readers[branches->n_readers++] = branch;
}

/* Joins branches; a single one needs no fan-out. NULL when there is none. */
static struct tt_consumer *join(struct builder *builder, enum tt_signal signal,
                                const struct branches *branches)
{
    size_t count = branches->n_readers + branches->n_mutators;
    struct tt_fanout *fanout;

    if (count == 0)
        return NULL;
    if (count == 1)
        return branches->n_readers == 1 ? branches->readers[0] : branches->mutators[0];
    fanout = allocate(builder, sizeof(*fanout) + count * sizeof(struct tt_consumer *));
    if (fanout == NULL)
        return NULL;
    fanout->consumer = (struct tt_consumer){tt_fanout_consume, signal, "the fan-out"};
    fanout->service = builder->service;
    for (size_t i = 0; i < branches->n_readers; i++)
        fanout->branches[fanout->count++] = branches->readers[i];
    for (size_t i = 0; i < branches->n_mutators; i++)
        fanout->branches[fanout->count++] = branches->mutators[i];
    return &fanout->consumer;
}

static bool any_mutates(const struct tt_reference_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].target->component->mutates_data)
            return true;
    return false;
}

static void wire_pipeline(struct builder *builder, size_t index)
{
    const struct tt_pipeline_settings *pipeline = &builder->settings->pipelines[index];
    struct branches branches = {.n_readers = 0};
    struct tt_consumer *next;

    for (size_t i = 0; i < pipeline->exporters.count; i++) {
        struct tt_component_settings *target = pipeline->exporters.items[i].target;
        struct tt_instance *instance = find_instance(builder->graph, target);
        add_branch(&branches, edge_to(builder, instance, pipeline->signal),
                   target->component->mutates_data);
    }
    next = join(builder, pipeline->signal, &branches);
    for (size_t i = pipeline->processors.count; i-- > 0;) {
        struct tt_instance *instance =
            &builder->graph->instances[builder->first_processor[index] + i];
        instance->args.next[tt_signal_index(pipeline->signal)] =
            outlet_of(builder, instance, pipeline->signal, next);
        next = edge_to(builder, instance, pipeline->signal);
    }
    builder->heads[index] = next;
}

/* What a receiver or connector sends on to: all pipelines of a signal that name it. */
static void wire_source(struct builder *builder, struct tt_instance *instance,
                        enum tt_signal signal)
{
    const struct tt_settings *settings = builder->settings;
    struct branches branches = {.n_readers = 0};
    struct tt_consumer *next;

    for (size_t p = 0; p < settings->n_pipelines; p++) {
        const struct tt_pipeline_settings *pipeline = &settings->pipelines[p];
        if (pipeline->signal != signal)
            continue;
        for (size_t i = 0; i < pipeline->receivers.count; i++)
            if (pipeline->receivers.items[i].target == instance->settings)
                add_branch(&branches, builder->heads[p],
                           any_mutates(&pipeline->processors) || any_mutates(&pipeline->exporters));
    }
    next = join(builder, signal, &branches);
    if (next == NULL)
        return;
    if (instance->component->kind == TT_CONNECTOR)
        next = outlet_of(builder, instance, signal, next);
    else
        instance->args.signals |= (unsigned)signal;
    instance->args.next[tt_signal_index(signal)] = next;
}

static void wire(struct builder *builder)
{
    for (size_t p = 0; p < builder->settings->n_pipelines; p++)
        wire_pipeline(builder, p);
    for (size_t i = 0; i < builder->graph->n_instances; i++) {
        struct tt_instance *instance = &builder->graph->instances[i];
        if (instance->component->kind != TT_RECEIVER && instance->component->kind != TT_CONNECTOR)
            continue;
        for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++)
            wire_source(builder, instance, tt_signal_at(s));
    }
}

/* ---- columns ---- */

struct columns {
    const struct tt_column_desc **items;
    size_t count;
};

static bool has_column(const struct columns *columns, const struct tt_column_desc *desc)
{
    for (size_t i = 0; i < columns->count; i++)
        if (tt_str_equal(tt_str(columns->items[i]->name), tt_str(desc->name)))
            return true;
    return false;
}

static void add_columns(struct columns *columns, const struct tt_column_desc *const *more,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!has_column(columns, more[i]))
            columns->items[columns->count++] = more[i];
}

static size_t count_columns(const struct tt_component *component)
{
    size_t count = 0;

    while (component->columns != NULL && component->columns[count] != NULL)
        count++;
    return count;
}

/* Adds to what the instance sees already (an exporter of several pipelines). */
static void see_columns(struct builder *builder, struct tt_instance *instance,
                        enum tt_signal signal, const struct columns *columns)
{
    struct tt_column_list *seen = &instance->args.columns[tt_signal_index(signal)];
    struct columns all = {
        .items = allocate(builder, (builder->max_columns + 1) * sizeof(struct tt_column_desc *))};

    if (all.items == NULL)
        return;
    add_columns(&all, seen->items, seen->count);
    add_columns(&all, columns->items, columns->count);
    *seen = (struct tt_column_list){.items = all.items, .count = all.count};
}

static void pass_columns(struct builder *builder, size_t index)
{
    const struct tt_pipeline_settings *pipeline = &builder->settings->pipelines[index];
    struct columns columns = {
        .items = allocate(builder, (builder->max_columns + 1) * sizeof(struct tt_column_desc *))};

    if (columns.items == NULL)
        return;
    for (size_t i = 0; i < pipeline->receivers.count; i++) {
        const struct tt_component *component = pipeline->receivers.items[i].target->component;
        add_columns(&columns, component->columns, count_columns(component));
    }
    for (size_t i = 0; i < pipeline->processors.count; i++) {
        struct tt_instance *instance =
            &builder->graph->instances[builder->first_processor[index] + i];
        see_columns(builder, instance, pipeline->signal, &columns);
        add_columns(&columns, instance->component->columns, count_columns(instance->component));
    }
    for (size_t i = 0; i < pipeline->exporters.count; i++)
        see_columns(builder, find_instance(builder->graph, pipeline->exporters.items[i].target),
                    pipeline->signal, &columns);
}

static void pass_all_columns(struct builder *builder)
{
    for (size_t i = 0; i < builder->graph->n_instances; i++)
        builder->max_columns += count_columns(builder->graph->instances[i].component);
    for (size_t p = 0; p < builder->settings->n_pipelines; p++)
        pass_columns(builder, p);
}

/* ---- creating ---- */

static enum tt_status create(struct tt_instance *instance, struct tt_error *err)
{
    enum tt_status status;

    instance->args.id = instance->settings->id;
    instance->args.config = instance->config;
    instance->args.host = &instance->host;
    status = instance->component->ops->create(&instance->args, &instance->self, err);
    if (status != TT_OK)
        tt_error_prefix(err, "failed to create \"%s\" %s", instance->settings->id,
                        tt_kind_name(instance->component->kind));
    return status;
}

static void add_extensions(struct builder *builder)
{
    const struct tt_reference_list *list = &builder->settings->extensions;
    struct tt_graph *graph = builder->graph;

    graph->extensions = allocate(builder, (list->count + 1) * sizeof(graph->extensions[0]));
    if (graph->extensions == NULL)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct tt_component_settings *settings = list->items[i].target;
        struct tt_instance *instance = &graph->extensions[graph->n_extensions++];
        *instance = (struct tt_instance){
            .settings = settings, .component = settings->component, .config = settings->config};
        tt_host_init(&instance->host, builder->service, settings->id);
    }
}

enum tt_status tt_graph_build(struct tt_service *service, struct tt_error *err)
{
    struct tt_graph *graph = &service->graph;
    struct builder builder = {.service = service, .graph = graph, .settings = service->settings};
    enum tt_status status = TT_OK;

    graph->instances =
        allocate(&builder, (max_instances(service->settings) + 1) * sizeof(graph->instances[0]));
    if (graph->instances != NULL) {
        add_instances(&builder);
        wire(&builder);
        pass_all_columns(&builder);
        add_extensions(&builder);
    }
    if (builder.no_memory)
        return tt_fail(err, TT_NO_MEMORY, "build the pipelines: out of memory");
    for (size_t i = 0; status == TT_OK && i < graph->n_extensions; i++)
        status = create(&graph->extensions[i], err);
    for (size_t i = graph->n_instances; status == TT_OK && i-- > 0;)
        status = create(&graph->instances[i], err);
    return status;
}

static void destroy(struct tt_instance *instance)
{
    if (instance->self != NULL)
        instance->component->ops->destroy(TT_TAKE(instance->self));
    for (unsigned s = 0; s < TT_SIGNAL_COUNT; s++) {
        struct tt_edge *edge = instance->edges[s];
        if (edge == NULL || edge->park == NULL)
            continue;
        tt_park_done(edge, "shutdown");
        pthread_mutex_destroy(&edge->park->mu);
    }
}

void tt_graph_destroy(struct tt_service *service)
{
    struct tt_graph *graph = &service->graph;

    for (size_t i = 0; i < graph->n_instances; i++)
        destroy(&graph->instances[i]);
    for (size_t i = graph->n_extensions; i-- > 0;)
        destroy(&graph->extensions[i]);
}
