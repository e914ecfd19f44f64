/* SPDX-License-Identifier: Apache-2.0 */
#include "config/docgen.h"

#include "config/walk.h"

/* Text for a cell of a table: a bar would end it. */
static void append_cell(struct tt_buffer *out, struct tt_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|')
            tt_buffer_append_byte(out, '\\');
        tt_buffer_append_byte(out, text.data[i] == '\n' ? ' ' : text.data[i]);
    }
}

static void append_code(struct tt_buffer *out, struct tt_str text)
{
    tt_buffer_append_byte(out, '`');
    append_cell(out, text);
    tt_buffer_append_byte(out, '`');
}

static void append_type(struct tt_buffer *out, const struct tt_field *field)
{
    if (field->type != TT_CONFIG_ENUM) {
        append_cell(out, tt_str(tt_config_type_name(field->type)));
        return;
    }
    for (size_t i = 0; field->choices[i] != NULL; i++) {
        if (i > 0)
            tt_buffer_append_str(out, TT_STR(", "));
        append_code(out, tt_str(field->choices[i]));
    }
}

static void append_default(struct tt_buffer *out, const struct tt_field *field)
{
    if (field->def == NULL)
        return;
    append_code(out, field->def[0] == '\0' ? TT_STR("\"\"") : tt_str(field->def));
}

static void append_flags(struct tt_buffer *out, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {TT_CONFIG_REQUIRED, "required"},
        {TT_CONFIG_SECRET, "secret"},
        {TT_CONFIG_RELOADABLE, "reloadable"},
        {TT_CONFIG_DEPRECATED, "deprecated"},
    };
    const char *separator = "";

    for (size_t i = 0; i < TT_LENGTH(names); i++)
        if ((flags & names[i].flag) != 0) {
            tt_buffer_printf(out, "%s%s", separator, names[i].name);
            separator = ", ";
        }
}

static void append_row(struct tt_buffer *out, const struct tt_schema_walk *walk)
{
    const struct tt_field *field = walk->field;
    char bounds[96];

    tt_field_bounds(field, bounds);
    tt_buffer_append_str(out, TT_STR("| "));
    append_code(out, tt_str(walk->path));
    tt_buffer_append_str(out, TT_STR(" | "));
    append_type(out, field);
    tt_buffer_append_str(out, TT_STR(" | "));
    append_default(out, field);
    tt_buffer_append_str(out, TT_STR(" | "));
    append_cell(out, tt_str(bounds));
    tt_buffer_append_str(out, TT_STR(" | "));
    append_flags(out, field->flags);
    tt_buffer_append_str(out, TT_STR(" | "));
    append_cell(out, tt_str(field->doc));
    tt_buffer_append_str(out, TT_STR(" |\n"));
}

void tt_docgen_markdown(const struct tt_schema *schema, struct tt_buffer *out)
{
    struct tt_schema_walk walk;

    if (schema->n_fields == 0) {
        tt_buffer_append_str(out, TT_STR("There are no options.\n"));
        return;
    }
    tt_buffer_append_str(out, TT_STR("| option | type | default | allowed | flags | meaning |\n"
                                     "| --- | --- | --- | --- | --- | --- |\n"));
    tt_schema_walk_init(&walk, schema);
    while (tt_schema_walk_next(&walk))
        append_row(out, &walk);
}
