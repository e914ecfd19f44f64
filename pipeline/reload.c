/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine.h"
#include "pipeline/service.h"

#include <stdio.h>

/*
 * What differs between the running settings and new ones. The shape of the graph must be the same; a changed option
 * must be marked reloadable, and its component must have a reload function.
 */

struct difference {
    struct tt_diags *diags;
    size_t changed, refused;
};

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && tt_str_equal(tt_str(a), tt_str(b)));
}

static bool lists_equal(const struct tt_string_list *a, const struct tt_string_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!texts_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool pairs_equal(const struct tt_pair_list *a, const struct tt_pair_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!texts_equal(a->items[i].key, b->items[i].key) ||
            !texts_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

static bool bytes_equal(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

/* Whether one member has the same value in both; a and b point at it. Objects are compared by their members. */
static bool values_equal(const struct tt_field *field, const void *a, const void *b)
{
    switch (field->type) {
    case TT_CONFIG_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case TT_CONFIG_INT:
        return bytes_equal(a, b, sizeof(int64_t));
    case TT_CONFIG_DOUBLE:
        return bytes_equal(a, b, sizeof(double));
    case TT_CONFIG_DURATION:
        return bytes_equal(a, b, sizeof(tt_dur));
    case TT_CONFIG_SIZE:
        return bytes_equal(a, b, sizeof(size_t));
    case TT_CONFIG_ENUM:
        return bytes_equal(a, b, sizeof(int));
    case TT_CONFIG_STRING:
        return texts_equal(*(const char *const *)a, *(const char *const *)b);
    case TT_CONFIG_STRINGS:
        return lists_equal(a, b);
    case TT_CONFIG_PAIRS:
        return pairs_equal(a, b);
    case TT_CONFIG_OBJECT:
        return true;
    }
    return false;
}

static void refuse(struct difference *difference, struct tt_mark mark, const char *path,
                   const char *why)
{
    difference->refused++;
    tt_diags_error(difference->diags, mark, path, "%s", why);
}

static const struct tt_node *member_of(const struct tt_node *node, const char *key,
                                       struct tt_mark *mark)
{
    const struct tt_node *child = tt_node_get(node, tt_str(key));

    if (child != NULL)
        *mark = child->mark;
    return child;
}

/* Recursion is bounded by the option tables, not by input. */
// NOLINTNEXTLINE(misc-no-recursion)
static void compare(struct difference *difference, const struct tt_schema *schema,
                    const void *running, const void *next, const struct tt_node *node,
                    struct tt_mark mark, const char *path)
{
    char full_path[192];

    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct tt_field *field = &schema->fields[i];
        const char *a = (const char *)running + field->offset;
        const char *b = (const char *)next + field->offset;
        struct tt_mark at = mark;
        const struct tt_node *child = member_of(node, field->name, &at);
        bool is_present_same =
            field->present_offset == 0 || *((const bool *)running + field->present_offset) ==
                                              *((const bool *)next + field->present_offset);

        (void)snprintf(full_path, sizeof(full_path), "%s.%s", path, field->name);
        if (field->type == TT_CONFIG_OBJECT)
            compare(difference, field->sub, a, b, child, at, full_path);
        if (is_present_same && values_equal(field, a, b))
            continue;
        difference->changed++;
        if ((field->flags & TT_CONFIG_RELOADABLE) == 0)
            refuse(difference, at, full_path, "changed, which needs a restart");
    }
}

/* ---- the shape of the graph ---- */

static bool references_equal(const struct tt_reference_list *a, const struct tt_reference_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!texts_equal(a->items[i].target->id, b->items[i].target->id) ||
            a->items[i].target->component != b->items[i].target->component)
            return false;
    return true;
}

static const struct tt_pipeline_settings *find_pipeline(const struct tt_settings *settings,
                                                        const char *id)
{
    for (size_t i = 0; i < settings->n_pipelines; i++)
        if (texts_equal(settings->pipelines[i].id, id))
            return &settings->pipelines[i];
    return NULL;
}

static void compare_shape(struct difference *difference, const struct tt_settings *running,
                          const struct tt_settings *next)
{
    char path[192];

    if (!references_equal(&running->extensions, &next->extensions))
        refuse(difference, (struct tt_mark){0}, "service.extensions",
               "changed, which needs a restart");
    for (size_t i = 0; i < running->n_pipelines; i++)
        if (find_pipeline(next, running->pipelines[i].id) == NULL) {
            (void)snprintf(path, sizeof(path), "service.pipelines.%s", running->pipelines[i].id);
            refuse(difference, (struct tt_mark){0}, path, "is gone, which needs a restart");
        }
    for (size_t i = 0; i < next->n_pipelines; i++) {
        const struct tt_pipeline_settings *to = &next->pipelines[i];
        const struct tt_pipeline_settings *from = find_pipeline(running, to->id);
        (void)snprintf(path, sizeof(path), "service.pipelines.%s", to->id);
        if (from == NULL)
            refuse(difference, to->mark, path, "is new, which needs a restart");
        else if (!references_equal(&from->receivers, &to->receivers) ||
                 !references_equal(&from->processors, &to->processors) ||
                 !references_equal(&from->exporters, &to->exporters))
            refuse(difference, to->mark, path, "changed, which needs a restart");
    }
}

/* ---- instances ---- */

static struct tt_component_settings *same_in(const struct tt_settings *settings,
                                             const struct tt_instance *instance)
{
    enum tt_kind kind = instance->component->kind;

    for (size_t i = 0; i < settings->n_components[kind]; i++)
        if (texts_equal(settings->components[kind][i].id, instance->settings->id))
            return &settings->components[kind][i];
    return NULL;
}

static size_t compare_instance(struct difference *difference, const struct tt_instance *instance,
                               const struct tt_settings *next)
{
    const struct tt_component_settings *to = same_in(next, instance);
    size_t changed = difference->changed, refused = difference->refused;
    char path[192];

    if (to == NULL || to->component != instance->component)
        return 0; /* the shape differs, which was reported */
    (void)snprintf(path, sizeof(path), "%s.%s", tt_kind_section(instance->component->kind), to->id);
    compare(difference, instance->component->schema, instance->config, to->config, to->node,
            to->node->key_mark, path);
    if (difference->changed > changed && difference->refused == refused &&
        instance->component->ops->reload == NULL)
        refuse(difference, to->node->key_mark, path, "changed, which needs a restart");
    return difference->changed - changed;
}

static size_t all_instances(struct tt_service *service)
{
    return service->graph.n_instances + service->graph.n_extensions;
}

static struct tt_instance *instance_at(struct tt_service *service, size_t index)
{
    struct tt_graph *graph = &service->graph;

    return index < graph->n_instances ? &graph->instances[index]
                                      : &graph->extensions[index - graph->n_instances];
}

static void compare_all(struct difference *difference, struct tt_service *service,
                        const struct tt_settings *next)
{
    const struct tt_settings *running = tt_service_settings(service);
    const struct tt_node *node = tt_node_get(next->tree->root, TT_STR("service"));

    compare_shape(difference, running, next);
    compare(difference, &tt_service_schema, &running->service, &next->service, node,
            node != NULL ? node->key_mark : (struct tt_mark){0}, "service");
    for (size_t i = 0; i < all_instances(service); i++)
        (void)compare_instance(difference, instance_at(service, i), next);
}

/* ---- applying ---- */

static bool is_changed(const struct tt_instance *instance, const struct tt_settings *next)
{
    struct tt_diags none;
    struct difference difference = {.diags = &none};
    size_t changed;

    tt_diags_init(&none);
    changed = compare_instance(&difference, instance, next);
    tt_diags_done(&none);
    return changed > 0;
}

static enum tt_status reload_instance(struct tt_instance *instance, const void *config,
                                      struct tt_error *err)
{
    enum tt_status status = instance->component->ops->reload(instance->self, config, err);

    if (status == TT_OK)
        instance->config = config;
    else
        tt_error_prefix(err, "failed to reload \"%s\" %s", instance->settings->id,
                        tt_kind_name(instance->component->kind));
    return status;
}

/* Gives those of the first n instances that were changed their old configuration back. */
static void roll_back(struct tt_service *service, size_t n, const struct tt_settings *running,
                      const struct tt_settings *next)
{
    while (n-- > 0) {
        struct tt_instance *instance = instance_at(service, n);
        if (instance->config == same_in(next, instance)->config)
            (void)reload_instance(instance, same_in(running, instance)->config, NULL);
    }
}

/* Changes instances one after the other; after a failure those before get their old configuration back. */
static enum tt_status apply(struct tt_service *service, const struct tt_settings *next,
                            struct tt_error *err)
{
    enum tt_status status = TT_OK;
    size_t i = 0;

    for (; status == TT_OK && i < all_instances(service); i++) {
        struct tt_instance *instance = instance_at(service, i);
        if (is_changed(instance, next))
            status = reload_instance(instance, same_in(next, instance)->config, err);
    }
    if (status != TT_OK)
        roll_back(service, i - 1, tt_service_settings(service), next);
    return status;
}

/* Remembers whether a component has its configuration from the settings that run: it may read them until destroy(). */
static void mark_used(struct tt_service *service)
{
    struct tt_reloaded *last;

    if (service->n_reloaded == 0)
        return; /* the first settings stay anyway */
    last = &service->reloaded[service->n_reloaded - 1];
    for (size_t i = 0; i < all_instances(service); i++) {
        const struct tt_instance *instance = instance_at(service, i);
        last->is_used |= instance->config == same_in(last->settings, instance)->config;
    }
}

static bool last_is_used(const struct tt_service *service)
{
    return service->n_reloaded == 0 || service->reloaded[service->n_reloaded - 1].is_used;
}

/* Settings that no component was ever given go when newer ones replace them: a log level may change as often as it likes. */
static void replace_settings(struct tt_service *service, struct tt_settings *next)
{
    if (!last_is_used(service))
        tt_settings_free(service->reloaded[--service->n_reloaded].settings);
    service->reloaded[service->n_reloaded++] = (struct tt_reloaded){.settings = next};
}

enum tt_status tt_service_reload(struct tt_service *service, struct tt_settings *next,
                                 struct tt_diags *diags, size_t *ret_changed, struct tt_error *err)
{
    struct difference difference = {.diags = diags};
    enum tt_status status = TT_OK;

    mark_used(service);
    compare_all(&difference, service, next);
    if (difference.refused > 0)
        status =
            tt_fail(err, TT_UNSUPPORTED, "reload: %zu changes need a restart", difference.refused);
    else if (service->n_reloaded == TT_LENGTH(service->reloaded) && last_is_used(service))
        status = tt_fail(err, TT_OVERLOADED, "reload: %zu reloads were made, restart first",
                         service->n_reloaded);
    else if (difference.changed > 0)
        status = apply(service, next, err);
    *ret_changed = 0;
    if (status != TT_OK || difference.changed == 0)
        return status;
    if (service->sink != NULL)
        service->sink->level = (enum tt_log_level)next->service.telemetry.logs.level;
    replace_settings(service, next);
    *ret_changed = difference.changed;
    return TT_OK;
}
