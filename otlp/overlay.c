/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/overlay.h"

#include "otlp/index.h"
#include "otlp/overlay_list.h"

#include <assert.h>

static bool same_target(const struct tt_overlay *a, const struct tt_overlay *b)
{
    if (a->kind <= TT_EDIT_DELETE && b->kind <= TT_EDIT_DELETE)
        return tt_str_equal(a->key, b->key);
    return a->kind == b->kind;
}

/* The list without what `edit` replaces. The edits before that one are copied, the ones after it shared. False when memory
 * is gone. */
static bool without(struct tt_arena *arena, struct tt_overlay *list, const struct tt_overlay *edit,
                    struct tt_overlay **ret_list)
{
    struct tt_overlay **link = ret_list, *replaced = list;

    while (replaced != NULL && !same_target(replaced, edit))
        replaced = replaced->older;
    *ret_list = list;
    if (replaced == NULL)
        return true;
    for (const struct tt_overlay *from = list; from != replaced; from = from->older) {
        struct tt_overlay *copy = tt_arena_alloc(arena, sizeof(*copy));
        if (copy == NULL)
            return false;
        *copy = *from;
        *link = copy;
        link = &copy->older;
    }
    *link = replaced->older;
    return true;
}

static bool copy_text(struct tt_arena *arena, struct tt_str *text)
{
    *text = tt_arena_copy(arena, *text);
    return text->data != NULL;
}

/* Links a copy of edit before the list; false when memory is gone, *list is then as it was. */
static bool apply(struct tt_batch *batch, struct tt_overlay **list, const struct tt_overlay *edit)
{
    struct tt_overlay *copy = tt_arena_alloc(&batch->arena, sizeof(*copy)), *rest;

    assert(batch->references == 1);
    if (copy == NULL)
        return false;
    *copy = *edit;
    if (!copy_text(&batch->arena, &copy->key))
        return false;
    if (edit->kind == TT_EDIT_SET && edit->value.type != TT_VALUE_EMPTY &&
        edit->value.type != TT_VALUE_BOOL && edit->value.type != TT_VALUE_INT &&
        edit->value.type != TT_VALUE_DOUBLE && !copy_text(&batch->arena, &copy->value.text))
        return false;
    if (!without(&batch->arena, *list, edit, &rest))
        return false;
    copy->older = rest;
    *list = copy;
    batch->edited = true;
    return true;
}

/* A column would hide what was just set, and show what was just deleted. */
static void clear_column(struct tt_batch *batch, const struct tt_row *row, struct tt_str key)
{
    for (uint32_t i = 0; i < batch->n_columns; i++) {
        struct tt_column *column = &batch->columns[i];
        uint32_t at = tt_row_index(batch, row);
        if (tt_str_equal(tt_str(column->desc->name), key))
            column->valid[at >> 6] &= ~(UINT64_C(1) << (at & 63));
    }
}

static bool edit_row(struct tt_batch *batch, struct tt_row *row, const struct tt_overlay *edit)
{
    if (!apply(batch, &row->overlay, edit))
        return false;
    clear_column(batch, row, edit->key);
    return true;
}

bool tt_row_set_attribute(struct tt_batch *batch, struct tt_row *row, struct tt_str key,
                          const struct tt_value *value)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_SET, .key = key, .value = *value};

    return edit_row(batch, row, &edit);
}

bool tt_row_delete_attribute(struct tt_batch *batch, struct tt_row *row, struct tt_str key)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_DELETE, .key = key};

    return edit_row(batch, row, &edit);
}

static bool edit_resource(struct tt_batch *batch, uint32_t at, const struct tt_overlay *edit)
{
    struct tt_resource *resource = &batch->resources[at];

    if (!apply(batch, &resource->overlay, edit))
        return false;
    tt_resource_refresh(batch, resource);
    return true;
}

bool tt_resource_set_attribute(struct tt_batch *batch, uint32_t resource, struct tt_str key,
                               const struct tt_value *value)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_SET, .key = key, .value = *value};

    return edit_resource(batch, resource, &edit);
}

bool tt_resource_delete_attribute(struct tt_batch *batch, uint32_t resource, struct tt_str key)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_DELETE, .key = key};

    return edit_resource(batch, resource, &edit);
}

bool tt_scope_set_attribute(struct tt_batch *batch, uint32_t scope, struct tt_str key,
                            const struct tt_value *value)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_SET, .key = key, .value = *value};

    return apply(batch, &batch->scopes[scope].overlay, &edit);
}

bool tt_scope_delete_attribute(struct tt_batch *batch, uint32_t scope, struct tt_str key)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_DELETE, .key = key};

    return apply(batch, &batch->scopes[scope].overlay, &edit);
}

bool tt_span_set_name(struct tt_batch *batch, struct tt_row *row, struct tt_str name)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_NAME, .key = name};

    if (!apply(batch, &row->overlay, &edit))
        return false;
    row->span.name = row->overlay->key;
    return true;
}

bool tt_span_set_status(struct tt_batch *batch, struct tt_row *row, int32_t code,
                        struct tt_str message)
{
    const struct tt_overlay edit = {.kind = TT_EDIT_STATUS, .code = code, .key = message};

    if (!apply(batch, &row->overlay, &edit))
        return false;
    row->span.status_code = code;
    row->span.status_message = row->overlay->key;
    return true;
}
