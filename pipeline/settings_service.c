/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/settings_read.h"

#include <stdio.h>

/* ---- option tables ---- */

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_encodings[] = {"console", "json", NULL};
static const char *const metrics_levels[] = {"none", "basic", "normal", "detailed", NULL};

static const struct tt_field log_fields[] = {
    {TT_ENUM(struct tt_log_settings, level), .def = "info", .choices = log_levels,
     .flags = TT_CONFIG_RELOADABLE | TT_CONFIG_ANY_CASE,
     .doc = "Lines below this level are left out."},
    {TT_ENUM(struct tt_log_settings, encoding), .def = "console", .choices = log_encodings,
     .doc = "Text for people, or one JSON object a line."},
};
static const struct tt_schema log_schema = TT_SCHEMA(struct tt_log_settings, log_fields);

static const struct tt_field metrics_fields[] = {
    {TT_ENUM(struct tt_metrics_settings, level), .def = "normal", .choices = metrics_levels,
     .flags = TT_CONFIG_ANY_CASE,
     .doc =
         "How much the program tells about itself: none closes the endpoint, basic leaves out the durations "
         "of processors; normal and detailed are the same."},
    {TT_STRING(struct tt_metrics_settings, address), .def = "localhost:8888",
     .flags = TT_CONFIG_LISTEN, .doc = "Host and port where GET /metrics answers."},
};
static const struct tt_schema metrics_schema =
    TT_SCHEMA(struct tt_metrics_settings, metrics_fields);

static const struct tt_field telemetry_fields[] = {
    {TT_OBJECT(struct tt_telemetry_settings, logs), .sub = &log_schema,
     .doc = "The program's own log, on standard error."},
    {TT_OBJECT(struct tt_telemetry_settings, metrics), .sub = &metrics_schema,
     .doc = "The program's own metrics, in Prometheus' text format."},
    {TT_PAIRS(struct tt_telemetry_settings, resource),
     .doc = "Attributes of target_info among the program's own metrics."},
};
static const struct tt_schema telemetry_schema =
    TT_SCHEMA(struct tt_telemetry_settings, telemetry_fields);

static const struct tt_field service_fields[] = {
    {TT_OBJECT(struct tt_service_settings, telemetry), .sub = &telemetry_schema,
     .doc = "What the program tells about itself."},
    {TT_STRINGS(struct tt_service_settings, extensions),
     .doc = "Ids of the extensions that run, in the order they start."},
    {TT_STRINGS(struct tt_service_settings, pipelines),
     .doc = "A map of pipelines: signal or signal/name to lists of receivers, processors and "
            "exporters."},
    {TT_DURATION(struct tt_service_settings, shutdown_timeout), .def = "10s", .min = 0,
     .max = (double)(3600 * TT_SECOND), .flags = TT_CONFIG_RELOADABLE,
     .doc = "How long a stop may take to write out what is still held."},
    {TT_SIZE(struct tt_service_settings, memory_budget), .def = "256MiB", .min = 1 << 20,
     .max = (double)(UINT64_C(1) << 40),
     .doc = "Bytes that requests being read may take together; over it they are answered 503 "
            "before their bodies are read."},
};
const struct tt_schema tt_service_schema = TT_SCHEMA(struct tt_service_settings, service_fields);

/* ---- what otelcol's files may say besides ---- */

/* A copy of a map whose list of members may be changed; the members' own children are shared. NULL without memory. */
static struct tt_node *copy_map(struct tt_arena *arena, const struct tt_node *map)
{
    struct tt_node *copy = tt_arena_alloc(arena, sizeof(*copy));
    struct tt_node **tail;

    if (copy == NULL)
        return NULL;
    *copy = *map;
    if (map->kind != TT_NODE_MAP)
        return copy;
    tail = &copy->first;
    copy->last = NULL;
    for (const struct tt_node *child = map->first; child != NULL; child = child->next) {
        struct tt_node *member = tt_arena_alloc(arena, sizeof(*member));
        if (member == NULL)
            return NULL;
        *member = *child;
        *tail = copy->last = member;
        tail = &member->next;
    }
    *tail = NULL;
    return copy;
}

/* Takes the member out of a copied map; NULL when it is not there. */
static const struct tt_node *take_member(struct tt_node *map, const char *key)
{
    for (struct tt_node **at = &map->first; *at != NULL; at = &(*at)->next) {
        struct tt_node *found = *at;
        if (!tt_str_equal(found->key, tt_str(key)))
            continue;
        *at = found->next;
        return found;
    }
    return NULL;
}

/* Replaces the member of a copied map by a copy of its own; NULL when it is not there. */
static struct tt_node *open_member(struct tt_settings_reader *reader, struct tt_node *map,
                                   const char *key)
{
    for (struct tt_node **at = &map->first; *at != NULL; at = &(*at)->next) {
        struct tt_node *copy;
        if (!tt_str_equal((*at)->key, tt_str(key)))
            continue;
        copy = copy_map(&reader->settings->arena, *at);
        if (copy == NULL) {
            tt_settings_no_memory(reader);
            return NULL;
        }
        return *at = copy;
    }
    return NULL;
}

static void ignore_members(struct tt_settings_reader *reader, struct tt_node *map, const char *path,
                           const char *const *keys)
{
    char full_path[128];

    for (; map != NULL && *keys != NULL; keys++) {
        const struct tt_node *taken = take_member(map, *keys);
        if (taken == NULL)
            continue;
        (void)snprintf(full_path, sizeof(full_path), "%s.%s", path, *keys);
        tt_diags_warning(reader->diags, taken->key_mark, full_path,
                         "is known from otelcol and has no effect here");
    }
}

static const struct tt_node *node_at(const struct tt_node *node, const char *dotted)
{
    struct tt_str rest = tt_str(dotted);

    while (node != NULL && rest.data != NULL)
        node = tt_node_get(node, tt_str_cut(&rest, '.'));
    return node;
}

/* readers: [{pull: {exporter: {prometheus: {host, port}}}}] is how otelcol writes an address. */
static void read_readers(struct tt_settings_reader *reader, const struct tt_node *readers)
{
    static const char path[] = "service.telemetry.metrics.readers";
    struct tt_metrics_settings *metrics = &reader->settings->service.telemetry.metrics;
    const struct tt_node *pull = NULL;

    for (const struct tt_node *item = readers->first; item != NULL; item = item->next) {
        const struct tt_node *found = node_at(item, "pull.exporter.prometheus");
        if (found == NULL || pull != NULL)
            tt_diags_warning(reader->diags, item->mark, path,
                             "only one reader, pull.exporter.prometheus, has an effect here");
        else
            pull = found;
    }
    if (pull == NULL) {
        metrics->level = TT_METRICS_NONE;
        return;
    }
    const struct tt_node *host = tt_node_get(pull, TT_STR("host"));
    const struct tt_node *port = tt_node_get(pull, TT_STR("port"));
    metrics->address =
        tt_arena_printf(&reader->settings->arena, "%s:%s",
                        host != NULL && host->text.len > 0 ? host->text.data : "localhost",
                        port != NULL && port->text.len > 0 ? port->text.data : "8888");
    if (metrics->address == NULL)
        tt_settings_no_memory(reader);
}

/* Leaves in the copy only what the option table knows; returns the readers. */
static const struct tt_node *strip_service(struct tt_settings_reader *reader,
                                           struct tt_node *service)
{
    static const char *const telemetry_keys[] = {"traces", NULL};
    static const char *const log_keys[] = {
        "development",        "sampling",       "output_paths",
        "error_output_paths", "disable_caller", "disable_stacktrace",
        "initial_fields",     "processors",     NULL};
    static const char *const metrics_keys[] = {"views", NULL};
    struct tt_node *telemetry, *metrics;

    (void)take_member(service, "pipelines");
    telemetry = open_member(reader, service, "telemetry");
    if (telemetry == NULL)
        return NULL;
    ignore_members(reader, telemetry, "service.telemetry", telemetry_keys);
    ignore_members(reader, open_member(reader, telemetry, "logs"), "service.telemetry.logs",
                   log_keys);
    metrics = open_member(reader, telemetry, "metrics");
    ignore_members(reader, metrics, "service.telemetry.metrics", metrics_keys);
    return metrics == NULL ? NULL : take_member(metrics, "readers");
}

void tt_settings_read_service(struct tt_settings_reader *reader, const struct tt_node *service)
{
    struct tt_settings *settings = reader->settings;
    struct tt_node *known = NULL;
    const struct tt_node *readers = NULL;

    if (service != NULL) {
        known = copy_map(&settings->arena, service);
        if (known == NULL) {
            tt_settings_no_memory(reader);
            return;
        }
        readers = strip_service(reader, known);
    }
    if (tt_config_decode(&tt_service_schema, known, "service", &settings->arena, &settings->service,
                         reader->diags) &&
        readers != NULL)
        read_readers(reader, readers);
}
