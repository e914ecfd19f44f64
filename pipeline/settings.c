/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/settings.h"

#include "pipeline/registry.h"
#include "pipeline/settings_read.h"

#include <stdio.h>

enum { TYPE_MAX_LEN = 63, NAME_MAX_LEN = 1024, SETTINGS_MAX_BYTES = 64 * 1024 * 1024 };

void tt_settings_no_memory(struct tt_settings_reader *reader)
{
    tt_diags_error(reader->diags, (struct tt_mark){0}, "", "out of memory");
}

void tt_nearest_offer(struct tt_nearest *nearest, const char *candidate)
{
    size_t distance = tt_str_distance(nearest->wanted, tt_str(candidate));

    if (distance > 1 + nearest->wanted.len / 4)
        return;
    if (nearest->best == NULL || distance < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}

const char *tt_nearest_hint(const struct tt_nearest *nearest, char ret_text[96])
{
    ret_text[0] = '\0';
    if (nearest->best != NULL)
        (void)snprintf(ret_text, 96, "; did you mean \"%s\"?", nearest->best);
    return ret_text;
}

/* ---- ids ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool type_is_valid(struct tt_str type)
{
    if (type.len == 0 || type.len > TYPE_MAX_LEN || !is_letter(type.data[0]))
        return false;
    for (size_t i = 1; i < type.len; i++)
        if (!is_letter(type.data[i]) && !is_digit(type.data[i]) && type.data[i] != '_')
            return false;
    return true;
}

/* Letters, digits, marks and punctuation; no blanks, controls or symbols. Beyond ASCII everything that is UTF-8 passes. */
static bool name_is_valid(struct tt_str name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || tt_utf8_valid_prefix(name) != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c == 0x7f || strchr("+$<=>^|~`", c) != NULL)
            return false;
    }
    return true;
}

const char *tt_settings_id(struct tt_settings_reader *reader, struct tt_str text,
                           struct tt_mark mark, const char *path, struct tt_str *ret_type)
{
    struct tt_arena *arena = &reader->settings->arena;
    size_t slash = tt_str_find(text, '/');
    struct tt_str type = tt_str_trim(tt_str_of(text.data, slash));
    struct tt_str name = {NULL, 0};
    const char *id;

    if (slash < text.len)
        name = tt_str_trim(tt_str_of(text.data + slash + 1, text.len - slash - 1));
    if (!type_is_valid(type)) {
        tt_diags_error(reader->diags, mark, path,
                       "\"%.*s\" is not an id: the part before \"/\" is a letter, then letters, "
                       "digits and \"_\", at most %d characters",
                       TT_STR_ARG(text), TYPE_MAX_LEN);
        return NULL;
    }
    if (slash < text.len && !name_is_valid(name)) {
        tt_diags_error(reader->diags, mark, path,
                       "\"%.*s\" is not an id: the part after \"/\" has 1 to %d letters, digits "
                       "and punctuation such as - _ . / : # @",
                       TT_STR_ARG(text), NAME_MAX_LEN);
        return NULL;
    }
    id = slash < text.len ? tt_arena_printf(arena, "%.*s/%.*s", TT_STR_ARG(type), TT_STR_ARG(name))
                          : tt_arena_printf(arena, "%.*s", TT_STR_ARG(type));
    if (id == NULL)
        tt_settings_no_memory(reader);
    *ret_type = tt_str_of(id, type.len);
    return id;
}

struct tt_component_settings *tt_settings_find(const struct tt_settings *settings,
                                               enum tt_kind kind, const char *id)
{
    for (size_t i = 0; i < settings->n_components[kind]; i++)
        if (tt_str_equal(tt_str(settings->components[kind][i].id), tt_str(id)))
            return &settings->components[kind][i];
    return NULL;
}

/* ---- one component ---- */

static const struct tt_component *find_component(const struct tt_catalog *catalog,
                                                 enum tt_kind kind, struct tt_str type)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (catalog->items[i]->kind == kind && tt_str_equal(tt_str(catalog->items[i]->type), type))
            return catalog->items[i];
    return NULL;
}

static void report_unknown_type(struct tt_settings_reader *reader, enum tt_kind kind,
                                const struct tt_node *node, const char *id, struct tt_str type,
                                const char *path)
{
    char valid[256] = "", hint[96];
    size_t len = 0;
    struct tt_nearest nearest = {.wanted = type};

    for (size_t i = 0; i < reader->catalog->count; i++) {
        const struct tt_component *component = reader->catalog->items[i];
        if (component->kind != kind)
            continue;
        tt_nearest_offer(&nearest, component->type);
        if (len + strlen(component->type) + 2 < sizeof(valid))
            len += (size_t)snprintf(valid + len, sizeof(valid) - len, "%s%s", len > 0 ? " " : "",
                                    component->type);
    }
    tt_diags_error(reader->diags, node->key_mark, path,
                   "unknown type: \"%.*s\" for id: \"%s\" (valid values: [%s])%s", TT_STR_ARG(type),
                   id, valid, tt_nearest_hint(&nearest, hint));
}

/* Checks between fields, which need all fields to be right. */
static void check_config(struct tt_settings_reader *reader,
                         const struct tt_component_settings *component, const char *path)
{
    const struct tt_component_ops *ops = component->component->ops;
    struct tt_error err = {0};
    char full_path[256];

    if (ops->validate == NULL || ops->validate(component->config, &err) == TT_OK)
        return;
    (void)snprintf(full_path, sizeof(full_path), "%s%s%s", path, err.path[0] == '\0' ? "" : ".",
                   err.path);
    tt_diags_error(reader->diags, err.mark.line > 0 ? err.mark : component->node->key_mark,
                   full_path, "%s", err.message);
}

static void decode_config(struct tt_settings_reader *reader,
                          struct tt_component_settings *component, const char *path)
{
    struct tt_arena *arena = &reader->settings->arena;

    component->config = tt_arena_calloc(arena, 1, component->component->schema->size);
    if (component->config == NULL)
        tt_settings_no_memory(reader);
    else if (tt_config_decode(component->component->schema, component->node, path, arena,
                              component->config, reader->diags))
        check_config(reader, component, path);
}

static bool read_component(struct tt_settings_reader *reader, enum tt_kind kind,
                           const struct tt_node *node, struct tt_component_settings *ret_component)
{
    struct tt_str type;
    const char *path = tt_arena_printf(&reader->settings->arena, "%s.%.*s", tt_kind_section(kind),
                                       TT_STR_ARG(node->key));
    const char *id;

    if (path == NULL) {
        tt_settings_no_memory(reader);
        return false;
    }
    id = tt_settings_id(reader, node->key, node->key_mark, path, &type);
    if (id == NULL)
        return false;
    if (tt_settings_find(reader->settings, kind, id) != NULL) {
        tt_diags_error(reader->diags, node->key_mark, path, "duplicate name %s after trimming", id);
        return false;
    }
    *ret_component = (struct tt_component_settings){
        .id = id, .component = find_component(reader->catalog, kind, type), .node = node};
    if (ret_component->component == NULL)
        report_unknown_type(reader, kind, node, id, type, path);
    else
        decode_config(reader, ret_component, path);
    /* One of an unknown type is kept too, so that what refers to it is not reported again. */
    return true;
}

static size_t count_children(const struct tt_node *node)
{
    size_t count = 0;

    for (const struct tt_node *child = node->first; child != NULL; child = child->next)
        count++;
    return count;
}

static void read_section(struct tt_settings_reader *reader, enum tt_kind kind)
{
    struct tt_settings *settings = reader->settings;
    const char *section = tt_kind_section(kind);
    const struct tt_node *node = tt_node_get(settings->tree->root, tt_str(section));
    struct tt_component_settings *components;

    if (node == NULL || node->kind == TT_NODE_NULL)
        return;
    if (node->kind != TT_NODE_MAP) {
        tt_diags_error(reader->diags, node->mark, section, "is not a map of %s by id", section);
        return;
    }
    if (count_children(node) > TT_MAX_COMPONENTS) {
        tt_diags_error(reader->diags, node->mark, section, "has more than %d entries",
                       TT_MAX_COMPONENTS);
        return;
    }
    components = tt_arena_calloc(&settings->arena, count_children(node) + 1, sizeof(components[0]));
    if (components == NULL) {
        tt_settings_no_memory(reader);
        return;
    }
    settings->components[kind] = components;
    for (const struct tt_node *child = node->first; child != NULL; child = child->next)
        if (read_component(reader, kind, child, &components[settings->n_components[kind]]))
            settings->n_components[kind]++;
}

/* ---- the whole ---- */

static void check_top_level(struct tt_settings_reader *reader)
{
    static const char *const sections[] = {"receivers", "processors", "connectors",
                                           "exporters", "extensions", "service"};
    char hint[96];

    for (const struct tt_node *node = reader->settings->tree->root->first; node != NULL;
         node = node->next) {
        struct tt_nearest nearest = {.wanted = node->key};
        for (size_t i = 0; i < TT_LENGTH(sections); i++)
            tt_nearest_offer(&nearest, sections[i]);
        if (nearest.best == NULL || nearest.distance > 0)
            tt_diags_error(reader->diags, node->key_mark, node->key.data,
                           "'' has invalid keys: %s%s", node->key.data,
                           tt_nearest_hint(&nearest, hint));
    }
}

/* A connector is an exporter of one pipeline and a receiver of another: its id must not be one of theirs. */
static void check_ambiguous_ids(struct tt_settings_reader *reader)
{
    const struct tt_settings *settings = reader->settings;
    char path[160];

    for (size_t i = 0; i < settings->n_components[TT_CONNECTOR]; i++) {
        const struct tt_component_settings *connector = &settings->components[TT_CONNECTOR][i];
        enum tt_kind kind = TT_EXPORTER;
        if (tt_settings_find(settings, TT_EXPORTER, connector->id) == NULL)
            kind = TT_RECEIVER;
        if (tt_settings_find(settings, kind, connector->id) == NULL)
            continue;
        (void)snprintf(path, sizeof(path), "connectors.%s", connector->id);
        tt_diags_error(reader->diags, connector->node->key_mark, path,
                       "ambiguous ID: Found both \"%s\" %s and \"%s\" connector; rename one, "
                       "\"%s/connector\" say",
                       connector->id, tt_kind_name(kind), connector->id, connector->id);
    }
}

static void check_sections_present(struct tt_settings_reader *reader)
{
    const struct tt_settings *settings = reader->settings;
    struct tt_mark top = settings->tree->root->mark;

    if (settings->tree->root->first == NULL) {
        tt_diags_error(reader->diags, top, "", "empty configuration file");
        return;
    }
    if (settings->n_components[TT_RECEIVER] + settings->n_components[TT_CONNECTOR] == 0)
        tt_diags_error(reader->diags, top, "receivers",
                       "no receiver configuration specified in config");
    if (settings->n_components[TT_EXPORTER] + settings->n_components[TT_CONNECTOR] == 0)
        tt_diags_error(reader->diags, top, "exporters",
                       "no exporter configuration specified in config");
}

static void read_all(struct tt_settings_reader *reader)
{
    const struct tt_node *service = tt_node_get(reader->settings->tree->root, TT_STR("service"));

    check_top_level(reader);
    for (unsigned kind = 0; kind < TT_KIND_COUNT; kind++)
        read_section(reader, (enum tt_kind)kind);
    check_sections_present(reader);
    check_ambiguous_ids(reader);
    if (reader->settings->tree->root->first == NULL)
        return;
    tt_settings_read_service(reader, service);
    tt_settings_read_references(reader, service);
    tt_settings_order_pipelines(reader);
}

struct tt_settings *tt_settings_read(struct tt_tree *tree, const struct tt_catalog *catalog,
                                     struct tt_diags *diags)
{
    struct tt_settings *settings = tt_calloc(1, sizeof(*settings));
    struct tt_settings_reader reader = {.settings = settings, .catalog = catalog, .diags = diags};
    size_t errors = diags->errors;

    if (settings == NULL) {
        tt_settings_no_memory(&reader);
        return NULL;
    }
    tt_arena_init(&settings->arena, 4096, SETTINGS_MAX_BYTES);
    settings->tree = tree;
    read_all(&reader);
    if (diags->errors == errors)
        return settings;
    settings->tree = NULL;
    tt_settings_free(settings);
    return NULL;
}

void tt_settings_free(struct tt_settings *settings)
{
    if (settings == NULL)
        return;
    tt_tree_free(settings->tree);
    tt_arena_done(&settings->arena);
    tt_free(settings);
}
