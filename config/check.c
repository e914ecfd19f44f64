/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"
#include "config/walk.h"

static bool is_snake_case(const char *name)
{
    if (name == NULL || name[0] < 'a' || name[0] > 'z')
        return false;
    for (; *name != '\0'; name++)
        if (*name != '_' && (*name < '0' || *name > '9') && (*name < 'a' || *name > 'z'))
            return false;
    return true;
}

static const char *fault_of(const struct tt_field *field)
{
    if (!is_snake_case(field->name))
        return "the name is not in lower_snake_case";
    if (field->doc == NULL || field->doc[0] == '\0' ||
        !tt_str_ends_with(tt_str(field->doc), TT_STR(".")))
        return "doc is not a sentence with a full stop";
    if (field->type == TT_CONFIG_ENUM && (field->choices == NULL || field->choices[0] == NULL))
        return "a choice without choices";
    if (field->type == TT_CONFIG_OBJECT && field->sub == NULL)
        return "an object without a schema";
    if (field->type == TT_CONFIG_OBJECT && (field->flags & TT_CONFIG_SECRET) != 0)
        return "a secret object; its members are what is secret";
    if (field->def != NULL && (field->flags & TT_CONFIG_REQUIRED) != 0)
        return "required, and has a default";
    if (field->def != NULL && (field->type == TT_CONFIG_OBJECT || field->type == TT_CONFIG_PAIRS))
        return "a default for a type that has none";
    if (field->min > field->max)
        return "min is greater than max";
    return NULL;
}

static bool check_fields(const struct tt_schema *schema, struct tt_buffer *out)
{
    struct tt_schema_walk walk;
    bool good = true;

    tt_schema_walk_init(&walk, schema);
    while (tt_schema_walk_next(&walk)) {
        const struct tt_schema *parent = walk.levels[walk.depth].schema;
        const char *fault = fault_of(walk.field);
        if (fault == NULL && tt_schema_find(parent, tt_str(walk.field->name)) != walk.field)
            fault = "a second option of this name";
        if (fault == NULL && walk.field->type == TT_CONFIG_OBJECT &&
            walk.depth + 1 == TT_SCHEMA_MAX_DEPTH)
            fault = "over 8 levels";
        if (fault == NULL)
            continue;
        tt_buffer_printf(out, "%s: %s\n", walk.path, fault);
        good = false;
    }
    return good;
}

bool tt_schema_check(const struct tt_schema *schema, struct tt_buffer *out)
{
    struct tt_arena arena;
    struct tt_diags diags;
    void *config;
    bool good = check_fields(schema, out);

    if (!good)
        return false;
    tt_arena_init(&arena, 0, 0);
    tt_diags_init(&diags);
    config = tt_arena_calloc(&arena, 1, schema->size);
    if (config == NULL || !tt_config_defaults(schema, &arena, config, &diags) ||
        diags.warnings > 0) {
        tt_buffer_append_str(out, TT_STR("a default is not valid:\n"));
        tt_diags_print(&diags, out);
        good = false;
    }
    tt_diags_done(&diags);
    tt_arena_done(&arena);
    return good;
}
