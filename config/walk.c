/* SPDX-License-Identifier: Apache-2.0 */
#include "config/walk.h"

#include "base/units.h"
#include "config/diag.h"

#include <stdio.h>

void tt_schema_walk_init(struct tt_schema_walk *walk, const struct tt_schema *schema)
{
    *walk = (struct tt_schema_walk){.n_levels = 1};
    walk->levels[0].schema = schema;
}

static void enter_object(struct tt_schema_walk *walk)
{
    const struct tt_field *field = walk->field;

    if (field == NULL || field->type != TT_CONFIG_OBJECT || field->sub == NULL ||
        walk->n_levels == TT_SCHEMA_MAX_DEPTH)
        return;
    walk->levels[walk->n_levels].schema = field->sub;
    walk->levels[walk->n_levels].next = 0;
    walk->levels[walk->n_levels].path_len = strlen(walk->path);
    walk->n_levels++;
}

bool tt_schema_walk_next(struct tt_schema_walk *walk)
{
    size_t top, len;

    enter_object(walk);
    walk->field = NULL;
    while (walk->n_levels > 0 && walk->levels[walk->n_levels - 1].next ==
                                     walk->levels[walk->n_levels - 1].schema->n_fields)
        walk->n_levels--;
    if (walk->n_levels == 0)
        return false;
    top = walk->depth = walk->n_levels - 1;
    walk->field = &walk->levels[top].schema->fields[walk->levels[top].next++];
    len = walk->levels[top].path_len;
    (void)snprintf(walk->path + len, sizeof(walk->path) - len, "%s%s", len == 0 ? "" : ".",
                   walk->field->name);
    return true;
}

const struct tt_field *tt_schema_find(const struct tt_schema *schema, struct tt_str name)
{
    for (size_t i = 0; i < schema->n_fields; i++)
        if (tt_str_equal(tt_str(schema->fields[i].name), name))
            return &schema->fields[i];
    return NULL;
}

const char *tt_config_type_name(enum tt_config_type type)
{
    static const char *const names[] = {
        [TT_CONFIG_BOOL] = "boolean",      [TT_CONFIG_INT] = "integer",
        [TT_CONFIG_DOUBLE] = "number",     [TT_CONFIG_STRING] = "text",
        [TT_CONFIG_DURATION] = "duration", [TT_CONFIG_SIZE] = "size",
        [TT_CONFIG_ENUM] = "choice",       [TT_CONFIG_STRINGS] = "list of text",
        [TT_CONFIG_PAIRS] = "map of text", [TT_CONFIG_OBJECT] = "section",
    };

    return names[type];
}

static void format_bound(const struct tt_field *field, double bound, char ret_text[40])
{
    struct tt_buffer number;

    if (field->type == TT_CONFIG_DURATION) {
        (void)tt_duration_format((tt_dur)bound, ret_text);
        return;
    }
    if (field->type == TT_CONFIG_SIZE) {
        (void)tt_size_format((uint64_t)bound, ret_text);
        return;
    }
    tt_buffer_init(&number, 40);
    tt_buffer_append_double(&number, bound);
    (void)snprintf(ret_text, 40, "%.*s", TT_STR_ARG(tt_buffer_view(&number)));
    tt_buffer_done(&number);
}

void tt_field_bounds(const struct tt_field *field, char ret_text[96])
{
    /* 2^63 and more stand for "no limit" in a table; a duration of it would not fit. */
    bool has_min = field->min > -0x1p63, has_max = field->max < 0x1p63;
    char min[40] = "", max[40] = "";

    ret_text[0] = '\0';
    if (field->min == field->max) /* 0 and 0 when a table says nothing */
        return;
    if (has_min)
        format_bound(field, field->min, min);
    if (has_max)
        format_bound(field, field->max, max);
    if (has_min && has_max)
        (void)snprintf(ret_text, 96, "%s to %s", min, max);
    else if (has_min || has_max)
        (void)snprintf(ret_text, 96, "%s %s", has_min ? "at least" : "at most",
                       has_min ? min : max);
}
