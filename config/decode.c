/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "config/diag.h"
#include "config/scalar.h"
#include "config/tree.h"
#include "config/walk.h"

#include <stdarg.h>
#include <stdio.h>

struct level {
    const struct tt_node *node; /* MAP; NULL: nothing is given */
    struct tt_mark mark;        /* of the object's key, for what is missing in it */
    char *base;                 /* the struct to fill */
    bool is_given;
};

struct decoder {
    struct tt_schema_walk walk; /* stands at the option that is being decoded */
    struct level levels[TT_SCHEMA_MAX_DEPTH + 1];
    const char *prefix;
    struct tt_arena *arena;
    struct tt_diags *diags;
};

static const struct tt_field *field_of(const struct decoder *d)
{
    return d->walk.field;
}

static char *member_of(const struct decoder *d)
{
    return d->levels[d->walk.depth].base + field_of(d)->offset;
}

/* Appends part behind a dot, as far as there is room. */
static void add_part(char path[192], const char *part)
{
    size_t len = strlen(path), room = 191 - len, n;

    if (part == NULL || part[0] == '\0' || room == 0)
        return;
    if (len > 0) {
        path[len++] = '.';
        room--;
    }
    n = strlen(part) < room ? strlen(part) : room;
    memcpy(path + len, part, n);
    path[len + n] = '\0';
}

static void full_path(const struct decoder *d, const char *key, char ret_path[192])
{
    ret_path[0] = '\0';
    add_part(ret_path, d->prefix);
    add_part(ret_path, d->walk.field == NULL ? NULL : d->walk.path);
    add_part(ret_path, key);
}

static void problem(struct decoder *d, struct tt_mark mark, const char *format, ...)
    TT_PRINTF(3, 4);
static void problem(struct decoder *d, struct tt_mark mark, const char *format, ...)
{
    char path[192], text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    full_path(d, NULL, path);
    tt_diags_error(d->diags, mark, path, "%s", text);
}

static void no_memory(struct decoder *d)
{
    problem(d, (struct tt_mark){0}, "out of memory");
}

struct shown {
    char text[80];
};

/* What the user wrote, for a message; never a secret. */
static struct shown show(const struct decoder *d, const struct tt_node *node)
{
    struct shown shown = {"the value"};
    struct tt_str cut = {node->text.data, node->text.len < 60 ? node->text.len : 60};

    if (node->kind == TT_NODE_LIST)
        return (struct shown){"a list"};
    if (node->kind == TT_NODE_MAP)
        return (struct shown){"a map"};
    if (node->kind == TT_NODE_NULL)
        return (struct shown){"null"};
    if ((field_of(d)->flags & TT_CONFIG_SECRET) != 0)
        return shown;
    cut.len = tt_utf8_valid_prefix(cut);
    (void)snprintf(shown.text, sizeof(shown.text), "\"%.*s\"%s", TT_STR_ARG(cut),
                   node->text.len > 60 ? "…" : "");
    return shown;
}

/* How many edits away something may be and still be meant. */
static size_t tolerance(struct tt_str text)
{
    return text.len < 4 ? 1 : text.len < 9 ? 2 : 3;
}

struct nearest {
    const char *name;
    size_t distance;
};

static void consider(struct nearest *nearest, struct tt_str written, const char *name)
{
    size_t distance = tt_str_distance(written, tt_str(name));

    if (distance <= tolerance(written) && (nearest->name == NULL || distance < nearest->distance))
        *nearest = (struct nearest){name, distance};
}

static bool is_in_bounds(struct decoder *d, const struct tt_node *node, double value)
{
    const struct tt_field *field = field_of(d);
    char bounds[96];

    if (field->min == field->max || (value >= field->min && value <= field->max))
        return true;
    tt_field_bounds(field, bounds);
    problem(d, node->mark, "%s is out of range; allowed: %s", show(d, node).text, bounds);
    return false;
}

/* A scalar that is not text by its quotes: only ${…} sees through them. */
static bool is_plain(const struct tt_node *node)
{
    return node->kind == TT_NODE_SCALAR && (!node->quoted || node->expanded);
}

static void set_bool(struct decoder *d, const struct tt_node *node)
{
    bool value;

    if (is_plain(node) && tt_scalar_bool(node->text, &value))
        *(bool *)(void *)member_of(d) = value;
    else if (node->kind == TT_NODE_SCALAR && tt_scalar_bool(node->text, &value))
        problem(d, node->mark, "%s in quotes is text; write it without quotes", show(d, node).text);
    else
        problem(d, node->mark, "%s is not a boolean; write true or false", show(d, node).text);
}

static void set_int(struct decoder *d, const struct tt_node *node)
{
    int64_t value;

    if (!is_plain(node) || !tt_scalar_int(node->text, &value))
        problem(d, node->mark, "%s is not a whole number; write e.g. 10, without quotes",
                show(d, node).text);
    else if (is_in_bounds(d, node, (double)value))
        *(int64_t *)(void *)member_of(d) = value;
}

static void set_double(struct decoder *d, const struct tt_node *node)
{
    double value;

    if (!is_plain(node) || !tt_scalar_double(node->text, &value))
        problem(d, node->mark, "%s is not a number; write e.g. 0.5, without quotes",
                show(d, node).text);
    else if (is_in_bounds(d, node, value))
        *(double *)(void *)member_of(d) = value;
}

/* The text a user meant; data NULL (reported) for lists and maps, and for what looks like another type. */
static struct tt_str text_of(struct decoder *d, const struct tt_node *node)
{
    static const char *const looks[] = {
        [TT_LOOKS_BOOL] = "a boolean", [TT_LOOKS_INT] = "a number", [TT_LOOKS_DOUBLE] = "a number"};
    enum tt_scalar_look look;

    if (node->original.data != NULL)
        return node->original;
    if (node->kind != TT_NODE_SCALAR) {
        problem(d, node->mark, "%s is not text", show(d, node).text);
        return (struct tt_str){NULL, 0};
    }
    look = tt_scalar_look(node->text);
    if (node->quoted || node->expanded || look == TT_LOOKS_TEXT || look == TT_LOOKS_NULL)
        return node->text;
    problem(d, node->mark, "%s without quotes is %s; write it in quotes", show(d, node).text,
            looks[look]);
    return (struct tt_str){NULL, 0};
}

/* ":4318", "localhost:4318", "[::1]:4318". */
static bool is_host_and_port(struct tt_str text)
{
    size_t colon = text.len;
    uint64_t port;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    return colon > 0 && tt_str_to_uint64(tt_str_of(text.data + colon, text.len - colon), &port) &&
           port <= UINT16_MAX;
}

static bool names_variable(struct tt_str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        char lower = (char)(text.data[i + 1] | 0x20);
        if (text.data[i] == '$' && ((lower >= 'a' && lower <= 'z') || text.data[i + 1] == '_'))
            return true;
    }
    return false;
}

/* What a text of this option must be beyond a text. */
static void check_text(struct decoder *d, const struct tt_node *node, struct tt_str text)
{
    const struct tt_field *field = field_of(d);
    char path[192];

    if ((field->flags & TT_CONFIG_LISTEN) != 0 && (text.len > 0 || field->def != NULL) &&
        !is_host_and_port(text))
        problem(d, node->mark, "%s is not host:port; write e.g. localhost:4318",
                show(d, node).text);
    if ((field->flags & TT_CONFIG_PATH) == 0)
        return;
    if (tt_str_starts_with(text, TT_STR("~")))
        problem(d, node->mark, "%s: ~ means nothing here; write e.g. ${env:HOME}/data",
                show(d, node).text);
    if (!names_variable(text))
        return;
    full_path(d, NULL, path);
    tt_diags_warning(d->diags, node->mark, path,
                     "%s is taken as it is; for a variable write e.g. ${env:HOME}",
                     show(d, node).text);
}

static void set_string(struct decoder *d, const struct tt_node *node)
{
    struct tt_str text = text_of(d, node);

    *(const char **)(void *)member_of(d) = text.data;
    if (text.data != NULL)
        check_text(d, node, text);
}

static bool is_bare_integer(const struct tt_node *node, int64_t *ret_value)
{
    return is_plain(node) && tt_scalar_int(node->text, ret_value);
}

static void set_duration(struct decoder *d, const struct tt_node *node)
{
    char path[192];
    tt_dur value = 0;

    if (is_bare_integer(node, &value)) {
        full_path(d, NULL, path);
        if (value != 0)
            tt_diags_warning(d->diags, node->mark, path,
                             "%s without a unit is nanoseconds; write e.g. 500ms, 10s, 1m30s",
                             show(d, node).text);
    } else if (node->kind != TT_NODE_SCALAR || !tt_duration_parse(node->text, &value)) {
        problem(d, node->mark, "%s is not a duration; write e.g. 500ms, 10s, 1m30s",
                show(d, node).text);
        return;
    }
    if (is_in_bounds(d, node, (double)value))
        *(tt_dur *)(void *)member_of(d) = value;
}

static void set_size(struct decoder *d, const struct tt_node *node)
{
    uint64_t value;

    if (node->kind != TT_NODE_SCALAR || !tt_size_parse(node->text, &value))
        problem(d, node->mark, "%s is not a size; write e.g. 64KiB, 64MiB", show(d, node).text);
    else if (is_in_bounds(d, node, (double)value))
        *(size_t *)(void *)member_of(d) = value;
}

static void refuse_choice(struct decoder *d, const struct tt_node *node)
{
    const char *const *choices = field_of(d)->choices;
    struct nearest nearest = {0};
    char known[256] = "";

    for (size_t i = 0, len = 0; choices[i] != NULL && len < sizeof(known); i++) {
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i == 0 ? "" : ", ",
                                choices[i]);
        if (node->kind == TT_NODE_SCALAR)
            consider(&nearest, node->text, choices[i]);
    }
    if (nearest.name != NULL)
        problem(d, node->mark, "%s is not one of: %s; did you mean \"%s\"?", show(d, node).text,
                known, nearest.name);
    else
        problem(d, node->mark, "%s is not one of: %s", show(d, node).text, known);
}

static void set_enum(struct decoder *d, const struct tt_node *node)
{
    const char *const *choices = field_of(d)->choices;

    bool any_case = (field_of(d)->flags & TT_CONFIG_ANY_CASE) != 0;

    for (int i = 0; node->kind == TT_NODE_SCALAR && choices[i] != NULL; i++) {
        struct tt_str choice = tt_str(choices[i]);
        if (any_case ? tt_str_equal_nocase(node->text, choice) : tt_str_equal(node->text, choice)) {
            *(int *)(void *)member_of(d) = i;
            return;
        }
    }
    refuse_choice(d, node);
}

/* The text of an item of a list or map, whatever it looks like; NULL (reported) when it is none. */
static const char *item_text(struct decoder *d, const struct tt_node *item)
{
    if (item->original.data != NULL)
        return item->original.data;
    if (item->kind == TT_NODE_SCALAR)
        return item->text.data;
    problem(d, item->mark, "%s is not text%s", show(d, item).text,
            item->kind == TT_NODE_NULL ? "; write \"\" for an empty one" : "");
    return NULL;
}

static size_t count_children(const struct tt_node *node)
{
    size_t n = 0;

    for (const struct tt_node *child = node->first; child != NULL; child = child->next)
        n++;
    return n;
}

/* "a, b" to the items a and b. */
static void split_list(struct decoder *d, const struct tt_node *node, struct tt_string_list *list)
{
    struct tt_str rest = node->text;
    size_t n = 1;

    for (size_t i = 0; i < rest.len; i++)
        n += rest.data[i] == ',';
    list->items = (const char **)tt_arena_calloc(d->arena, n, sizeof(list->items[0]));
    if (list->items == NULL) {
        no_memory(d);
        return;
    }
    while (rest.data != NULL && tt_str_trim(node->text).len > 0) {
        struct tt_str part = tt_str_trim(tt_str_cut(&rest, ','));
        if (part.len == 0) {
            problem(d, node->mark, "%s has an empty item", show(d, node).text);
            return;
        }
        check_text(d, node, part);
        list->items[list->count] = tt_arena_copy(d->arena, part).data;
        if (list->items[list->count++] == NULL) {
            no_memory(d);
            return;
        }
    }
}

static void set_strings(struct decoder *d, const struct tt_node *node)
{
    struct tt_string_list *list = (struct tt_string_list *)(void *)member_of(d);

    *list = (struct tt_string_list){0};
    if (node->kind == TT_NODE_SCALAR) {
        split_list(d, node, list);
        return;
    }
    if (node->kind != TT_NODE_LIST) {
        problem(d, node->mark, "%s is not a list; write [a, b]", show(d, node).text);
        return;
    }
    list->items =
        (const char **)tt_arena_calloc(d->arena, count_children(node) + 1, sizeof(list->items[0]));
    if (list->items == NULL) {
        no_memory(d);
        return;
    }
    for (const struct tt_node *item = node->first; item != NULL; item = item->next) {
        const char *text = item_text(d, item);
        if (text == NULL)
            continue;
        check_text(d, item, tt_str(text));
        list->items[list->count++] = text;
    }
}

static void set_pairs(struct decoder *d, const struct tt_node *node)
{
    struct tt_pair_list *list = (struct tt_pair_list *)(void *)member_of(d);

    *list = (struct tt_pair_list){0};
    if (node->kind != TT_NODE_MAP) {
        problem(d, node->mark, "%s is not a map; write key: value lines", show(d, node).text);
        return;
    }
    list->items = (struct tt_pair *)tt_arena_calloc(d->arena, count_children(node) + 1,
                                                    sizeof(list->items[0]));
    if (list->items == NULL) {
        no_memory(d);
        return;
    }
    for (const struct tt_node *item = node->first; item != NULL; item = item->next) {
        const char *text = item_text(d, item);
        if (text != NULL)
            list->items[list->count++] = (struct tt_pair){item->key.data, text};
    }
}

static void set_value(struct decoder *d, const struct tt_node *node)
{
    static void (*const setters[])(struct decoder *, const struct tt_node *) = {
        [TT_CONFIG_BOOL] = set_bool,         [TT_CONFIG_INT] = set_int,
        [TT_CONFIG_DOUBLE] = set_double,     [TT_CONFIG_STRING] = set_string,
        [TT_CONFIG_DURATION] = set_duration, [TT_CONFIG_SIZE] = set_size,
        [TT_CONFIG_ENUM] = set_enum,         [TT_CONFIG_STRINGS] = set_strings,
        [TT_CONFIG_PAIRS] = set_pairs,
    };

    setters[field_of(d)->type](d, node);
}

static void set_default(struct decoder *d)
{
    const struct tt_field *field = field_of(d);
    struct tt_node node = {.kind = TT_NODE_SCALAR, .expanded = true};

    if (field->def == NULL)
        return;
    node.text = tt_str(field->def);
    set_value(d, &node);
}

static void report_unknown(struct decoder *d, const struct tt_schema *schema,
                           const struct tt_node *child)
{
    struct nearest nearest = {0};
    char path[192], known[384] = "";

    if (d->diags->count < TT_DIAGS_MAX)
        for (size_t i = 0, len = 0; i < schema->n_fields; i++) {
            consider(&nearest, child->key, schema->fields[i].name);
            if (len < sizeof(known))
                len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
                                        i == 0 ? "" : ", ", schema->fields[i].name);
        }
    full_path(d, child->key.data, path);
    if (nearest.name != NULL)
        tt_diags_error(d->diags, child->key_mark, path, "unknown key; did you mean \"%s\"?",
                       nearest.name);
    else
        tt_diags_error(d->diags, child->key_mark, path, "unknown key; known here: %s",
                       schema->n_fields == 0 ? "none" : known);
}

static void check_keys(struct decoder *d, const struct tt_schema *schema,
                       const struct tt_node *node)
{
    for (const struct tt_node *child = node->first; child != NULL; child = child->next)
        if (tt_schema_find(schema, child->key) == NULL)
            report_unknown(d, schema, child);
}

/* Makes node the object that the options of the next level are read from. */
static void open_level(struct decoder *d, const struct tt_schema *schema,
                       const struct tt_node *node, struct level *level)
{
    if (node == NULL)
        return;
    level->mark = node->key.data != NULL ? node->key_mark : node->mark;
    if (node->kind == TT_NODE_NULL)
        return;
    if (node->kind != TT_NODE_MAP) {
        problem(d, node->mark, "%s is not a map of keys",
                node->kind == TT_NODE_LIST ? "a list" : "text");
        level->is_given = false;
        return;
    }
    level->node = node;
    check_keys(d, schema, node);
}

static void report_missing(struct decoder *d)
{
    problem(d, d->levels[d->walk.depth].mark, "is required and missing (%s)",
            tt_config_type_name(field_of(d)->type));
}

static void decode_object(struct decoder *d, const struct tt_node *node)
{
    const struct tt_field *field = field_of(d);
    struct level *level = &d->levels[d->walk.depth], *inner = level + 1;

    *inner = (struct level){
        .mark = level->mark, .base = level->base + field->offset, .is_given = node != NULL};
    if (node == NULL && level->is_given && (field->flags & TT_CONFIG_REQUIRED) != 0)
        report_missing(d);
    if (field->present_offset != 0)
        *(bool *)(void *)(level->base + field->present_offset) = node != NULL;
    if (field->sub != NULL)
        open_level(d, field->sub, node, inner);
}

/* An empty variable is a null for most options and an empty text for a text. */
static bool is_value(const struct tt_field *field, const struct tt_node *node)
{
    if (node == NULL)
        return false;
    return node->kind != TT_NODE_NULL ||
           (field->type == TT_CONFIG_STRING && node->original.data != NULL);
}

static void decode_option(struct decoder *d)
{
    const struct tt_field *field = field_of(d);
    const struct level *level = &d->levels[d->walk.depth];
    const struct tt_node *node = tt_node_get(level->node, tt_str(field->name));
    char path[192];

    if (node != NULL && (field->flags & TT_CONFIG_DEPRECATED) != 0) {
        full_path(d, NULL, path);
        tt_diags_warning(d->diags, node->key_mark, path, "is deprecated: %s", field->doc);
    }
    if (field->type == TT_CONFIG_OBJECT) {
        decode_object(d, node);
        return;
    }
    set_default(d);
    if (is_value(field, node))
        set_value(d, node);
    else if ((field->flags & TT_CONFIG_REQUIRED) != 0 && level->is_given)
        report_missing(d);
}

static bool decode(const struct tt_schema *schema, const struct tt_node *node, struct decoder *d,
                   void *ret_config, bool is_given)
{
    size_t errors_before = d->diags->errors;

    memset(ret_config, 0, schema->size);
    d->levels[0] = (struct level){.base = (char *)ret_config, .is_given = is_given};
    open_level(d, schema, node, &d->levels[0]);
    tt_schema_walk_init(&d->walk, schema);
    while (tt_schema_walk_next(&d->walk))
        decode_option(d);
    return d->diags->errors == errors_before;
}

bool tt_config_decode(const struct tt_schema *schema, const struct tt_node *node, const char *path,
                      struct tt_arena *arena, void *ret_config, struct tt_diags *diags)
{
    struct decoder d = {.prefix = path, .arena = arena, .diags = diags};

    return decode(schema, node, &d, ret_config, true);
}

bool tt_config_defaults(const struct tt_schema *schema, struct tt_arena *arena, void *ret_config,
                        struct tt_diags *diags)
{
    struct decoder d = {.arena = arena, .diags = diags};

    return decode(schema, NULL, &d, ret_config, false);
}
