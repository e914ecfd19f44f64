/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/settings_read.h"

#include <stdio.h>

/* ---- references ---- */

/* Where a list of references may find its targets. */
struct role {
    const char *key;  /* in the pipeline */
    const char *name; /* in messages */
    enum tt_kind kind, other_kind;
};
static const struct role receiver_role = {"receivers", "receiver", TT_RECEIVER, TT_CONNECTOR};
static const struct role processor_role = {"processors", "processor", TT_PROCESSOR, TT_PROCESSOR};
static const struct role exporter_role = {"exporters", "exporter", TT_EXPORTER, TT_CONNECTOR};
static const struct role extension_role = {"extensions", "extension", TT_EXTENSION, TT_EXTENSION};

static void report_missing(struct tt_settings_reader *reader, const struct role *role,
                           const char *id, struct tt_mark mark, const char *path)
{
    const struct tt_settings *settings = reader->settings;
    struct tt_nearest nearest = {.wanted = tt_str(id)};
    char hint[96];

    for (size_t i = 0; i < settings->n_components[role->kind]; i++)
        tt_nearest_offer(&nearest, settings->components[role->kind][i].id);
    for (size_t i = 0; i < settings->n_components[role->other_kind]; i++)
        tt_nearest_offer(&nearest, settings->components[role->other_kind][i].id);
    tt_diags_error(reader->diags, mark, path, "references %s \"%s\" which is not configured%s",
                   role->name, id, tt_nearest_hint(&nearest, hint));
}

static bool is_listed(const struct tt_reference_list *list,
                      const struct tt_component_settings *target)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].target == target)
            return true;
    return false;
}

static void read_reference(struct tt_settings_reader *reader, const struct role *role,
                           struct tt_str text, struct tt_mark mark, const char *path,
                           struct tt_reference_list *list)
{
    struct tt_str type;
    const char *id = tt_settings_id(reader, text, mark, path, &type);
    struct tt_component_settings *target;

    if (id == NULL)
        return;
    target = tt_settings_find(reader->settings, role->kind, id);
    if (target == NULL)
        target = tt_settings_find(reader->settings, role->other_kind, id);
    if (target == NULL)
        report_missing(reader, role, id, mark, path);
    else if (is_listed(list, target))
        tt_diags_error(reader->diags, mark, path, "references %s \"%s\" multiple times", role->name,
                       id);
    else if (target->component != NULL)
        list->items[list->count++] = (struct tt_reference){.target = target, .mark = mark};
}

static bool new_list(struct tt_settings_reader *reader, struct tt_reference_list *list)
{
    list->count = 0;
    list->items =
        tt_arena_calloc(&reader->settings->arena, TT_MAX_REFERENCES, sizeof(*list->items));
    if (list->items == NULL)
        tt_settings_no_memory(reader);
    return list->items != NULL;
}

/* A YAML list of ids, or one scalar with commas. Returns how many were named, also those that were reported. */
static size_t read_references(struct tt_settings_reader *reader, const struct role *role,
                              const struct tt_node *node, const char *path,
                              struct tt_reference_list *list)
{
    size_t named = 0;

    if (!new_list(reader, list) || node == NULL || node->kind == TT_NODE_NULL)
        return 0;
    if (node->kind == TT_NODE_SCALAR) {
        struct tt_str rest = node->text;
        while (rest.data != NULL && rest.len > 0 && named++ < TT_MAX_REFERENCES)
            read_reference(reader, role, tt_str_cut(&rest, ','), node->mark, path, list);
        return named;
    }
    if (node->kind != TT_NODE_LIST) {
        tt_diags_error(reader->diags, node->mark, path, "is not a list of ids");
        return 1;
    }
    for (const struct tt_node *item = node->first; item != NULL; item = item->next) {
        if (named++ == TT_MAX_REFERENCES) {
            tt_diags_error(reader->diags, item->mark, path, "has more than %d entries",
                           TT_MAX_REFERENCES);
            break;
        }
        read_reference(reader, role, item->text, item->mark, path, list);
    }
    return named;
}

/* ---- pipelines ---- */

static bool signal_of(struct tt_str name, enum tt_signal *ret_signal)
{
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (!tt_str_equal(name, tt_str(tt_signal_name(tt_signal_at(i)))))
            continue;
        *ret_signal = tt_signal_at(i);
        return true;
    }
    return false;
}

static void append_signal_names(unsigned signals, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++)
        if (tt_has_signal(signals, i) && len < size)
            len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "",
                                    tt_signal_name(tt_signal_at(i)));
}

static void check_signals(struct tt_settings_reader *reader, const struct role *role,
                          const struct tt_pipeline_settings *pipeline,
                          const struct tt_reference_list *list, const char *path)
{
    char names[64];

    for (size_t i = 0; i < list->count; i++) {
        const struct tt_component *component = list->items[i].target->component;
        unsigned signals =
            role == &receiver_role ? tt_component_emits(component) : component->signals;
        if ((signals & (unsigned)pipeline->signal) != 0)
            continue;
        append_signal_names(signals, names, sizeof(names));
        tt_diags_error(reader->diags, list->items[i].mark, path,
                       "%s \"%s\" does not support %s: telemetry type is not supported (it "
                       "supports: %s)",
                       role->name, list->items[i].target->id, tt_signal_name(pipeline->signal),
                       names);
    }
}

static void read_role(struct tt_settings_reader *reader, const struct role *role,
                      const struct tt_pipeline_settings *pipeline, const struct tt_node *node,
                      struct tt_reference_list *list)
{
    char path[256];
    size_t named;

    (void)snprintf(path, sizeof(path), "service.pipelines.%s.%s", pipeline->id, role->key);
    named = read_references(reader, role, tt_node_get(node, tt_str(role->key)), path, list);
    (void)snprintf(path, sizeof(path), "service.pipelines.%s", pipeline->id);
    if (named == 0 && role != &processor_role)
        tt_diags_error(reader->diags, pipeline->mark, path, "must have at least one %s",
                       role->name);
    check_signals(reader, role, pipeline, list, path);
}

static void check_pipeline_keys(struct tt_settings_reader *reader, const struct tt_node *node,
                                const char *path)
{
    char hint[96];

    for (const struct tt_node *child = node->first; child != NULL; child = child->next) {
        struct tt_nearest nearest = {.wanted = child->key};
        tt_nearest_offer(&nearest, "receivers");
        tt_nearest_offer(&nearest, "processors");
        tt_nearest_offer(&nearest, "exporters");
        if (nearest.best == NULL || nearest.distance > 0)
            tt_diags_error(reader->diags, child->key_mark, path, "'' has invalid keys: %s%s",
                           child->key.data, tt_nearest_hint(&nearest, hint));
    }
}

static const struct tt_pipeline_settings *find_pipeline(const struct tt_settings *settings,
                                                        const char *id)
{
    for (size_t i = 0; i < settings->n_pipelines; i++)
        if (tt_str_equal(tt_str(settings->pipelines[i].id), tt_str(id)))
            return &settings->pipelines[i];
    return NULL;
}

static void read_pipeline(struct tt_settings_reader *reader, const struct tt_node *node)
{
    struct tt_settings *settings = reader->settings;
    struct tt_pipeline_settings *pipeline = &settings->pipelines[settings->n_pipelines];
    struct tt_str type;
    char path[256];

    (void)snprintf(path, sizeof(path), "service.pipelines.%s", node->key.data);
    *pipeline = (struct tt_pipeline_settings){.mark = node->key_mark};
    pipeline->id = tt_settings_id(reader, node->key, node->key_mark, path, &type);
    if (pipeline->id == NULL)
        return;
    if (!signal_of(type, &pipeline->signal)) {
        tt_diags_error(reader->diags, node->key_mark, path,
                       "unknown signal \"%.*s\"; a pipeline is called traces, metrics or logs, "
                       "with /name if there are several",
                       TT_STR_ARG(type));
        return;
    }
    if (find_pipeline(settings, pipeline->id) != NULL) {
        tt_diags_error(reader->diags, node->key_mark, path, "duplicate name %s after trimming",
                       pipeline->id);
        return;
    }
    if (node->kind == TT_NODE_MAP)
        check_pipeline_keys(reader, node, path);
    read_role(reader, &receiver_role, pipeline, node, &pipeline->receivers);
    read_role(reader, &processor_role, pipeline, node, &pipeline->processors);
    read_role(reader, &exporter_role, pipeline, node, &pipeline->exporters);
    settings->n_pipelines++;
}

static void read_pipelines(struct tt_settings_reader *reader, const struct tt_node *node,
                           struct tt_mark service_mark)
{
    struct tt_settings *settings = reader->settings;
    size_t count = 0;

    if (node == NULL || node->kind != TT_NODE_MAP || node->first == NULL) {
        tt_diags_error(reader->diags, node != NULL ? node->key_mark : service_mark,
                       "service.pipelines", "service must have at least one pipeline");
        return;
    }
    settings->pipelines =
        tt_arena_calloc(&settings->arena, TT_MAX_PIPELINES, sizeof(settings->pipelines[0]));
    if (settings->pipelines == NULL) {
        tt_settings_no_memory(reader);
        return;
    }
    for (const struct tt_node *child = node->first; child != NULL; child = child->next) {
        if (count++ == TT_MAX_PIPELINES) {
            tt_diags_error(reader->diags, child->key_mark, "service.pipelines",
                           "more than %d pipelines", TT_MAX_PIPELINES);
            return;
        }
        read_pipeline(reader, child);
    }
}

void tt_settings_read_references(struct tt_settings_reader *reader, const struct tt_node *service)
{
    struct tt_mark mark = service != NULL ? service->key_mark : reader->settings->tree->root->mark;

    read_references(reader, &extension_role, tt_node_get(service, TT_STR("extensions")),
                    "service.extensions", &reader->settings->extensions);
    read_pipelines(reader, tt_node_get(service, TT_STR("pipelines")), mark);
}

/* ---- order ---- */

/* Whether data of `from` flow straight into `to`; *ret_connector is what joins them. */
static bool feeds(const struct tt_pipeline_settings *from, const struct tt_pipeline_settings *to,
                  const struct tt_component_settings **ret_connector)
{
    for (size_t i = 0; i < from->exporters.count; i++) {
        const struct tt_component_settings *target = from->exporters.items[i].target;
        if (target->component->kind != TT_CONNECTOR || !is_listed(&to->receivers, target))
            continue;
        *ret_connector = target;
        return true;
    }
    return false;
}

static bool is_fed(const struct tt_pipeline_settings *pipelines, size_t count, const bool *placed,
                   size_t index)
{
    const struct tt_component_settings *connector;

    for (size_t i = 0; i < count; i++)
        if (!placed[i] && feeds(&pipelines[i], &pipelines[index], &connector))
            return true;
    return false;
}

/* All pipelines not placed are fed by one of them: walking upstream must come back to where it was. */
static void report_cycle(struct tt_settings_reader *reader, const bool *placed)
{
    const struct tt_settings *settings = reader->settings;
    const struct tt_component_settings *connector = NULL;
    bool seen[TT_MAX_PIPELINES] = {false};
    size_t at = 0, first;
    char text[400] = "", step[200], rest[400];

    while (placed[at])
        at++;
    for (bool closing = false;;) {
        if (seen[at] && closing)
            break;
        if (seen[at]) { /* the way so far led into the cycle; now go round it once */
            closing = true;
            text[0] = '\0';
            memset(seen, 0, sizeof(seen));
        }
        seen[at] = true;
        for (first = 0; placed[first] ||
                        !feeds(&settings->pipelines[first], &settings->pipelines[at], &connector);)
            first++;
        (void)snprintf(step, sizeof(step), " -> connector \"%s\" -> %s", connector->id,
                       settings->pipelines[at].id);
        (void)snprintf(rest, sizeof(rest), "%s", text);
        (void)snprintf(text, sizeof(text), "%.190s%.200s", step, rest);
        at = first;
    }
    tt_diags_error(reader->diags, settings->pipelines[at].mark, "service.pipelines",
                   "cycle detected: %s%s", settings->pipelines[at].id, text);
}

/* Of those that nobody feeds any more: traces first, since what they hold at a stop (whose label a trace has) is of use to the logs
 * behind them; else in the order of the file. count: none. */
static size_t next_pipeline(const struct tt_pipeline_settings *pipelines, size_t count,
                            const bool *placed)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (!placed[i] && (best == count || pipelines[i].signal < pipelines[best].signal) &&
            !is_fed(pipelines, count, placed, i))
            best = i;
    return best;
}

static void sort_pipelines(struct tt_settings_reader *reader)
{
    struct tt_settings *settings = reader->settings;
    size_t n = settings->n_pipelines, n_placed = 0;
    bool placed[TT_MAX_PIPELINES] = {false};
    struct tt_pipeline_settings *sorted =
        tt_arena_calloc(&settings->arena, n + 1, sizeof(sorted[0]));

    if (sorted == NULL) {
        tt_settings_no_memory(reader);
        return;
    }
    while (n_placed < n) {
        size_t i = next_pipeline(settings->pipelines, n, placed);
        if (i == n) {
            report_cycle(reader, placed);
            return;
        }
        placed[i] = true;
        sorted[n_placed++] = settings->pipelines[i];
    }
    settings->pipelines = sorted;
}

/* Where one end of a connector is named, or NULL. */
static const struct tt_pipeline_settings *pipeline_with(const struct tt_settings *settings,
                                                        const struct tt_component_settings *item,
                                                        bool as_exporter)
{
    for (size_t i = 0; i < settings->n_pipelines; i++)
        if (is_listed(as_exporter ? &settings->pipelines[i].exporters
                                  : &settings->pipelines[i].receivers,
                      item))
            return &settings->pipelines[i];
    return NULL;
}

static void check_connector_ends(struct tt_settings_reader *reader)
{
    const struct tt_settings *settings = reader->settings;

    for (size_t i = 0; i < settings->n_components[TT_CONNECTOR]; i++) {
        const struct tt_component_settings *connector = &settings->components[TT_CONNECTOR][i];
        const struct tt_pipeline_settings *from = pipeline_with(settings, connector, true);
        const struct tt_pipeline_settings *to = pipeline_with(settings, connector, false);
        char path[256];

        if ((from == NULL) == (to == NULL))
            continue;
        (void)snprintf(path, sizeof(path), "service.pipelines.%s", (from ? from : to)->id);
        tt_diags_error(reader->diags, (from ? from : to)->mark, path,
                       "connector \"%s\" used as %s in [%s] pipeline but not used in any supported "
                       "%s pipeline",
                       connector->id, from ? "exporter" : "receiver", (from ? from : to)->id,
                       from ? "receiver" : "exporter");
    }
}

void tt_settings_order_pipelines(struct tt_settings_reader *reader)
{
    if (reader->settings->n_pipelines == 0)
        return;
    check_connector_ends(reader);
    sort_pipelines(reader);
}
