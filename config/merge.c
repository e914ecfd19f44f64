/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "config/loader.h"

enum {
    /* From here on a hash table is faster than a walk, and a walk would make merging quadratic. */
    INDEX_FROM = 16,
};

void tt_node_append(struct tt_node *parent, struct tt_node *child)
{
    child->next = NULL;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

void tt_node_replace(struct tt_node *node, const struct tt_node *from)
{
    node->kind = from->kind;
    node->quoted = from->quoted;
    node->expanded = from->expanded;
    node->mark = from->mark;
    node->text = from->text;
    node->original = from->original;
    node->first = from->first;
    node->last = from->last;
}

static struct tt_node *find_child(const struct tt_node *map, struct tt_str key)
{
    struct tt_node *child = map->first;

    while (child != NULL && !tt_str_equal(child->key, key))
        child = child->next;
    return child;
}

struct frame {
    struct tt_node *base, *over; /* over: the next member to merge */
    struct tt_map index;         /* of base's members, when there are many */
    bool is_indexed;
};

struct merge {
    struct tt_loader *loader;
    enum tt_merge_mode mode;
    size_t depth;
    struct frame frames[TT_TREE_MAX_DEPTH];
};

static size_t count_up_to_index(const struct tt_node *child)
{
    size_t n = 0;

    for (; child != NULL && n < INDEX_FROM; child = child->next)
        n++;
    return n;
}

/* Both sides count: an empty map grows to all of the other's members. */
static bool build_index(struct frame *frame)
{
    if (count_up_to_index(frame->base->first) + count_up_to_index(frame->over) < INDEX_FROM)
        return true;
    frame->is_indexed = true;
    for (struct tt_node *child = frame->base->first; child != NULL; child = child->next)
        if (tt_map_put(&frame->index, child->key, child) != TT_OK)
            return false;
    return true;
}

static void push(struct merge *m, struct tt_node *base, struct tt_node *over)
{
    struct frame *frame = &m->frames[m->depth];

    if (m->depth == TT_TREE_MAX_DEPTH) {
        tt_diags_error(m->loader->diags, over->mark, NULL, "nested deeper than 32 levels");
        m->loader->stopped = true;
        return;
    }
    m->depth++;
    *frame = (struct frame){.base = base, .over = over->first};
    tt_map_init(&frame->index, (size_t)2 * TT_TREE_MAX_NODES);
    if (!build_index(frame))
        tt_loader_no_memory(m->loader, over->mark);
}

static void add_member(struct merge *m, struct frame *frame, struct tt_node *child)
{
    tt_node_append(frame->base, child);
    if (frame->is_indexed && tt_map_put(&frame->index, child->key, child) != TT_OK)
        tt_loader_no_memory(m->loader, child->key_mark);
}

static void merge_member(struct merge *m, struct frame *frame, struct tt_node *child)
{
    struct tt_node *old = frame->is_indexed
                              ? (struct tt_node *)tt_map_get(&frame->index, child->key)
                              : find_child(frame->base, child->key);

    if (old == NULL)
        add_member(m, frame, child);
    else if (old->kind == TT_NODE_MAP && child->kind == TT_NODE_MAP)
        push(m, old, child);
    else if (m->mode == TT_MERGE_DISTINCT)
        tt_diags_error(m->loader->diags, child->key_mark, old->key.data,
                       "a duplicate key; first in line %u", old->key_mark.line);
    else {
        old->key_mark = child->key_mark;
        tt_node_replace(old, child);
    }
}

void tt_node_merge(struct tt_loader *loader, struct tt_node *base, struct tt_node *over,
                   enum tt_merge_mode mode)
{
    struct merge m = {.loader = loader, .mode = mode};

    push(&m, base, over);
    while (m.depth > 0) {
        struct frame *top = &m.frames[m.depth - 1];
        struct tt_node *child = loader->stopped ? NULL : top->over;
        if (child == NULL) {
            tt_map_done(&top->index);
            m.depth--;
            continue;
        }
        top->over = child->next;
        merge_member(&m, top, child);
    }
}

/* "a::b::c" with value node to a map of a map of node, as a member "a"; NULL (reported) when it cannot be. */
static struct tt_node *nest(struct tt_loader *loader, struct tt_node *node)
{
    struct tt_str key = node->key;
    const char *colons;

    for (size_t rest = key.len; (colons = (const char *)memrchr(key.data, ':', rest)) != NULL;) {
        struct tt_node *outer;
        rest = (size_t)(colons - key.data);
        if (rest == 0 || key.data[rest - 1] != ':')
            continue;
        outer = tt_loader_node(loader, TT_NODE_MAP, node->key_mark);
        if (outer == NULL)
            return NULL;
        node->key = tt_arena_copy(loader->arena, tt_str_of(colons + 1, key.len - rest - 1));
        if (node->key.data == NULL) {
            tt_loader_no_memory(loader, node->key_mark);
            return NULL;
        }
        outer->key_mark = node->key_mark;
        tt_node_append(outer, node);
        node = outer;
        rest--;
        key.len = rest;
    }
    node->key = tt_arena_copy(loader->arena, key);
    if (node->key.data == NULL)
        tt_loader_no_memory(loader, node->key_mark);
    return node->key.data == NULL ? NULL : node;
}

static bool has_empty_part(struct tt_str key)
{
    return tt_str_starts_with(key, TT_STR("::")) || tt_str_ends_with(key, TT_STR("::")) ||
           memmem(key.data, key.len, "::::", 4) != NULL;
}

static void nest_member(struct tt_loader *loader, struct tt_node *map, struct tt_node *child)
{
    struct tt_node over = {.kind = TT_NODE_MAP, .mark = map->mark}, *nested;

    if (has_empty_part(child->key)) {
        tt_diags_error(loader->diags, child->key_mark, child->key.data, "an empty part in the key");
        return;
    }
    if (loader->n_nested_keys++ == TT_TREE_MAX_NESTED_KEYS) {
        tt_diags_error(loader->diags, child->key_mark, NULL, "over 1,000 keys of the form a::b");
        loader->stopped = true;
        return;
    }
    nested = nest(loader, child);
    if (nested == NULL)
        return;
    tt_node_append(&over, nested);
    tt_node_merge(loader, map, &over, TT_MERGE_DISTINCT);
}

void tt_node_nest_keys(struct tt_loader *loader, struct tt_node *map)
{
    struct tt_node nested = {.kind = TT_NODE_MAP}, *child = map->first, *next;

    map->first = map->last = NULL;
    for (; child != NULL; child = next) {
        bool is_nested = memmem(child->key.data, child->key.len, "::", 2) != NULL;
        next = child->next;
        tt_node_append(is_nested ? &nested : map, child);
    }
    for (child = nested.first; child != NULL && !loader->stopped; child = next) {
        next = child->next;
        nest_member(loader, map, child);
    }
}

void tt_node_check_depth(struct tt_loader *loader, const struct tt_node *root, size_t above)
{
    const struct tt_node *open[TT_TREE_MAX_DEPTH], *node = root;
    size_t depth = 0;

    for (;;) {
        if (node->first != NULL && depth + above >= TT_TREE_MAX_DEPTH) {
            tt_diags_error(loader->diags, node->mark, NULL, "nested deeper than 32 levels");
            loader->stopped = true;
            return;
        }
        if (node->first != NULL) {
            open[depth++] = node;
            node = node->first;
            continue;
        }
        while (node->next == NULL && depth > 0)
            node = open[--depth];
        if (depth == 0)
            return;
        node = node->next;
    }
}
