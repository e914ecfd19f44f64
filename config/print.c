/* SPDX-License-Identifier: Apache-2.0 */
#include "config/print.h"

#include "base/units.h"
#include "config/loader.h"

static const struct tt_str redacted = {"[REDACTED]", 10};

struct place {
    const struct tt_node *next;     /* the child to print next */
    const struct tt_schema *schema; /* of the children; NULL: none */
    bool hides;                     /* the children's values are secret */
};

struct printer {
    struct tt_writer *w;
    const struct tt_print *print;
    struct tt_str section;
    size_t depth;
    struct place places[TT_TREE_MAX_DEPTH];
};

static void print_scalar(struct printer *p, const struct tt_node *node,
                         const struct tt_field *field, bool hides)
{
    bool is_text = field != NULL && field->type == TT_CONFIG_STRING;

    if (hides && (node->kind != TT_NODE_NULL || node->original.len > 0))
        tt_writer_text(p->w, redacted, true);
    else if (is_text && node->original.data != NULL)
        tt_writer_text(p->w, node->original, true);
    else if (node->kind == TT_NODE_NULL)
        tt_writer_null(p->w);
    else if (node->quoted || (is_text && node->expanded))
        tt_writer_text(p->w, node->text, true);
    else
        tt_writer_plain(p->w, node->text);
}

static void open_place(struct printer *p, const struct tt_node *node, struct place place)
{
    if (node->kind == TT_NODE_MAP)
        tt_writer_map_begin(p->w);
    else
        tt_writer_list_begin(p->w);
    if (p->depth == TT_TREE_MAX_DEPTH) { /* no tree is deeper */
        p->w->out->failed = TT_TOO_LARGE;
        return;
    }
    place.next = node->first;
    p->places[p->depth++] = place;
}

/* The schema of what is below node, which is p->depth levels below the root. */
static const struct tt_schema *schema_below(const struct printer *p, const struct tt_node *node,
                                            const struct tt_field *field)
{
    if (field != NULL)
        return field->type == TT_CONFIG_OBJECT ? field->sub : NULL;
    if (p->print->schema_of == NULL || p->depth != 2)
        return NULL;
    return p->print->schema_of(p->print->context, p->section, node->key);
}

static void print_child(struct printer *p, const struct place *place, const struct tt_node *node)
{
    const struct tt_field *field =
        place->schema == NULL ? NULL : tt_schema_find(place->schema, node->key);
    bool is_unknown = place->schema != NULL && field == NULL;
    bool is_secret = field != NULL && (field->flags & TT_CONFIG_SECRET) != 0;
    bool hides =
        p->print->secrets == TT_PRINT_REDACTED && (place->hides || is_secret || is_unknown);
    bool is_whole = hides && !place->hides && field != NULL && field->type == TT_CONFIG_STRING;

    if (p->depth == 1)
        p->section = node->key;
    if (node->key.data != NULL)
        tt_writer_key(p->w, node->key);
    if (node->kind == TT_NODE_LIST || node->kind == TT_NODE_MAP) {
        /* A secret variable may hold "{x}": its parts are no keys. */
        if (is_whole ||
            (field != NULL && field->type == TT_CONFIG_STRING && node->original.data != NULL))
            print_scalar(p, node, field, hides);
        else
            open_place(p, node,
                       (struct place){.schema = schema_below(p, node, field), .hides = hides});
        return;
    }
    print_scalar(p, node, field, hides);
}

static void print_below(struct printer *p, const struct tt_node *root, struct place first)
{
    if (root->kind != TT_NODE_MAP && root->kind != TT_NODE_LIST) {
        print_scalar(p, root, NULL, first.hides);
        return;
    }
    open_place(p, root, first);
    while (p->depth > 0) {
        struct place *top = &p->places[p->depth - 1];
        const struct tt_node *child = top->next;
        if (child != NULL) {
            top->next = child->next;
            print_child(p, top, child);
            continue;
        }
        p->depth--;
        /* begin and end pair up: the writer knows which of the two it was */
        if (p->w->levels[p->w->depth - 1].is_list)
            tt_writer_list_end(p->w);
        else
            tt_writer_map_end(p->w);
    }
}

void tt_print_tree(struct tt_writer *w, const struct tt_node *root, const struct tt_print *print)
{
    struct printer p = {.w = w, .print = print};

    print_below(&p, root, (struct place){0});
}

void tt_print_node(struct tt_writer *w, const struct tt_node *node, const struct tt_schema *schema,
                   enum tt_print_secrets secrets)
{
    struct tt_print print = {.secrets = secrets};
    struct printer p = {.w = w, .print = &print};

    print_below(&p, node, (struct place){.schema = schema});
}

static void print_strings(struct tt_writer *w, const struct tt_string_list *list, bool hides)
{
    tt_writer_list_begin(w);
    for (size_t i = 0; i < list->count; i++)
        tt_writer_text(w, hides ? redacted : tt_str(list->items[i]), hides);
    tt_writer_list_end(w);
}

static void print_pairs(struct tt_writer *w, const struct tt_pair_list *list, bool hides)
{
    tt_writer_map_begin(w);
    for (size_t i = 0; i < list->count; i++) {
        tt_writer_key(w, tt_str(list->items[i].key));
        tt_writer_text(w, hides ? redacted : tt_str(list->items[i].value), hides);
    }
    tt_writer_map_end(w);
}

static void print_string(struct tt_writer *w, const char *text, bool hides)
{
    if (text == NULL)
        tt_writer_null(w);
    else
        tt_writer_text(w, hides ? redacted : tt_str(text), hides);
}

static void print_number(struct tt_writer *w, const struct tt_field *field, const void *member)
{
    struct tt_buffer text;

    tt_buffer_init(&text, 64);
    if (field->type == TT_CONFIG_INT)
        tt_buffer_append_int64(&text, *(const int64_t *)member);
    else
        tt_buffer_append_double(&text, *(const double *)member);
    tt_writer_plain(w, tt_buffer_view(&text));
    if (text.failed != TT_OK)
        w->out->failed = text.failed;
    tt_buffer_done(&text);
}

/* A secret of these types shows nothing of itself; those of the others show whether they are given. */
static bool is_opaque(enum tt_config_type type)
{
    return type != TT_CONFIG_STRING && type != TT_CONFIG_STRINGS && type != TT_CONFIG_PAIRS &&
           type != TT_CONFIG_OBJECT;
}

static void print_member(struct tt_writer *w, const struct tt_field *field, const void *member,
                         bool hides)
{
    char text[32];

    if (hides && is_opaque(field->type)) {
        tt_writer_text(w, redacted, true);
        return;
    }
    switch (field->type) {
    case TT_CONFIG_BOOL:
        tt_writer_plain(w, *(const bool *)member ? TT_STR("true") : TT_STR("false"));
        return;
    case TT_CONFIG_INT:
    case TT_CONFIG_DOUBLE:
        print_number(w, field, member);
        return;
    case TT_CONFIG_STRING:
        print_string(w, *(const char *const *)member, hides);
        return;
    case TT_CONFIG_DURATION:
        (void)tt_duration_format(*(const tt_dur *)member, text);
        tt_writer_text(w, tt_str(text), false);
        return;
    case TT_CONFIG_SIZE:
        (void)tt_size_format(*(const size_t *)member, text);
        tt_writer_plain(w, tt_str(text));
        return;
    case TT_CONFIG_ENUM:
        tt_writer_text(w, tt_str(field->choices[*(const int *)member]), false);
        return;
    case TT_CONFIG_STRINGS:
        print_strings(w, (const struct tt_string_list *)member, hides);
        return;
    case TT_CONFIG_PAIRS:
        print_pairs(w, (const struct tt_pair_list *)member, hides);
        return;
    case TT_CONFIG_OBJECT:
        tt_writer_map_begin(w);
        return;
    }
}

struct struct_printer {
    struct tt_writer *w;
    enum tt_print_secrets secrets;
    struct tt_schema_walk walk;
    const char *bases[TT_SCHEMA_MAX_DEPTH + 1]; /* NULL: an object that is not present */
    size_t n_open;
};

static void close_down_to(struct struct_printer *p, size_t depth)
{
    for (; p->n_open > depth; p->n_open--)
        tt_writer_map_end(p->w);
}

static void print_option(struct struct_printer *p)
{
    const struct tt_field *field = p->walk.field;
    const char *base = p->bases[p->walk.depth];
    bool hides = p->secrets == TT_PRINT_REDACTED && (field->flags & TT_CONFIG_SECRET) != 0;
    bool is_object = field->type == TT_CONFIG_OBJECT;

    if (is_object)
        p->bases[p->walk.depth + 1] = NULL;
    if (base == NULL)
        return;
    close_down_to(p, p->walk.depth);
    if (field->present_offset != 0 && !*(const bool *)(const void *)(base + field->present_offset))
        return;
    tt_writer_key(p->w, tt_str(field->name));
    print_member(p->w, field, base + field->offset, hides);
    if (is_object) {
        p->bases[p->walk.depth + 1] = base + field->offset;
        p->n_open++;
    }
}

void tt_print_config(struct tt_writer *w, const struct tt_schema *schema, const void *config,
                     enum tt_print_secrets secrets)
{
    struct struct_printer p = {.w = w, .secrets = secrets, .bases = {(const char *)config}};

    tt_writer_map_begin(w);
    tt_schema_walk_init(&p.walk, schema);
    while (tt_schema_walk_next(&p.walk))
        print_option(&p);
    close_down_to(&p, 0);
    tt_writer_map_end(w);
}
