/* SPDX-License-Identifier: Apache-2.0 */
#include "config/loader.h"
#include "config/scalar.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * ${…} in values, in one pass over the text and over what it becomes.
 *
 * A stack of inputs holds what is left of the text and of the contents that are being read in its place; a stack of
 * openings holds where in the output each unclosed "${" stands. A "}" closes the newest: the name is cut from the
 * output and its content becomes the newest input. So the innermost comes first and contents are expanded, too; an
 * input that ends leaves the stack before the next content enters, and the budgets of struct tt_loader bound the rest.
 */

enum { MAX_INPUTS = 64, MAX_OPENINGS = 32 };

struct walk {
    struct tt_loader *loader;
    struct tt_node *open[TT_TREE_MAX_DEPTH];
    size_t depth;
};

struct expansion {
    struct walk *walk;
    const struct tt_node *node;
    struct tt_buffer *out;
    bool is_silent; /* a second look at what has been reported */
    bool may_be_whole;
    bool has_expanded;
    bool failed;
    bool is_whole; /* the text was one ${…}; then content, which is not read, and out is empty */
    struct tt_str content;
    struct tt_str inputs[MAX_INPUTS];
    size_t n_inputs;
    size_t openings[MAX_OPENINGS];
    size_t n_openings;
};

const char *tt_env_process(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static size_t list_index(const struct tt_node *list, const struct tt_node *item)
{
    size_t index = 0;

    for (const struct tt_node *at = list->first; at != NULL && at != item; at = at->next)
        index++;
    return index;
}

static void path_of(const struct walk *walk, const struct tt_node *node, char ret_path[192])
{
    size_t len = 0, room = 192;

    ret_path[0] = '\0';
    if (walk->loader->diags->count >= TT_DIAGS_MAX)
        return; /* nobody will see it, and list_index() takes its time */
    for (size_t i = 0; i < walk->depth && len < room; i++) {
        const struct tt_node *child = i + 1 < walk->depth ? walk->open[i + 1] : node;
        if (walk->open[i]->kind == TT_NODE_LIST)
            len += (size_t)snprintf(ret_path + len, room - len, "[%zu]",
                                    list_index(walk->open[i], child));
        else
            len += (size_t)snprintf(ret_path + len, room - len, "%s%.*s", len == 0 ? "" : ".",
                                    TT_STR_ARG(child->key));
    }
}

/* text holds nothing of the value, which may be a secret. */
static void fail(struct expansion *e, const char *text)
{
    char path[192];

    e->failed = true;
    if (e->is_silent)
        return;
    path_of(e->walk, e->node, path);
    tt_diags_error(e->walk->loader->diags, e->node->mark, path, "%s", text);
}

static void stop(struct expansion *e, const char *text)
{
    if (!e->walk->loader->stopped) {
        e->is_silent = false;
        fail(e, text);
    }
    e->failed = true;
    e->walk->loader->stopped = true;
}

static bool is_name(struct tt_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

/* "${1}" is a group of a regular expression that was not escaped; any other bad name may be part of a secret. */
static void fail_name(struct expansion *e, struct tt_str name)
{
    bool is_group = name.len <= 3 && tt_scalar_look(name) == TT_LOOKS_INT;
    char text[192];

    (void)snprintf(
        text, sizeof(text),
        "environment variable%s%.*s%s has invalid name: letters, digits and _ are allowed; "
        "write $${ for a literal ${",
        is_group ? " \"" : "", is_group ? (int)name.len : 0, name.data, is_group ? "\"" : "");
    fail(e, text);
}

/* Reads the variable. A data of NULL: unset. */
static struct tt_str look_up(struct expansion *e, struct tt_str name)
{
    struct tt_loader *loader = e->walk->loader;
    const char *value = NULL;
    char text[256];

    if (name.len >= sizeof(text))
        return (struct tt_str){NULL, 0};
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    if (loader->env != NULL)
        value = loader->env(loader->env_context, text);
    return tt_str(value);
}

static void warn_unset(struct expansion *e, struct tt_str name)
{
    char path[192];

    if (e->is_silent)
        return;
    path_of(e->walk, e->node, path);
    tt_diags_warning(e->walk->loader->diags, e->node->mark, path,
                     "environment variable \"%.*s\" is not set; write ${env:%.*s:-…} for a default",
                     TT_STR_ARG(name), TT_STR_ARG(name));
}

/* Splits "env:NAME:-default" or "NAME"; a default of NULL data: none. */
static bool split_reference(struct expansion *e, struct tt_str reference, struct tt_str *ret_name,
                            struct tt_str *ret_default)
{
    size_t colon = tt_str_find(reference, ':');
    const char *dash;

    *ret_name = reference;
    *ret_default = (struct tt_str){NULL, 0};
    if (tt_str_find(reference, '$') < reference.len) {
        fail(e, "unsupported characters ('$') inside of ${…}");
        return false;
    }
    if (colon < reference.len && !tt_str_starts_with(reference, TT_STR("env:"))) {
        fail(
            e,
            "only ${env:NAME}, ${env:NAME:-default} and ${NAME} are supported; write $${ for a literal ${");
        return false;
    }
    if (colon < reference.len)
        *ret_name = tt_str_of(reference.data + 4, reference.len - 4);
    dash = (const char *)memmem(ret_name->data, ret_name->len, ":-", 2);
    if (dash != NULL) {
        *ret_default = tt_str_of(dash + 2, (size_t)(ret_name->data + ret_name->len - dash) - 2);
        ret_name->len = (size_t)(dash - ret_name->data);
    }
    if (is_name(*ret_name))
        return true;
    fail_name(e, *ret_name);
    return false;
}

/* The content of ${reference}; false when it is in error. Data of NULL: unset. */
static bool resolve(struct expansion *e, struct tt_str reference, struct tt_str *ret_content)
{
    struct tt_str name, fallback;

    if (!split_reference(e, reference, &name, &fallback))
        return false;
    *ret_content = look_up(e, name);
    if (ret_content->data != NULL)
        return true;
    if (fallback.data == NULL) {
        warn_unset(e, name);
        return true;
    }
    /* It stands in the output, which changes now. */
    *ret_content = tt_arena_copy(e->walk->loader->arena, fallback);
    if (ret_content->data == NULL)
        stop(e, "out of memory");
    return !e->failed;
}

static bool spend(struct expansion *e, size_t bytes)
{
    struct tt_loader *loader = e->walk->loader;

    loader->n_expansions++;
    loader->expanded_bytes += bytes;
    if (loader->n_expansions > TT_TREE_MAX_EXPANSIONS)
        stop(e, "too many recursive expansions: over 10,000 of ${…}");
    else if (loader->expanded_bytes > TT_TREE_MAX_EXPANDED_BYTES)
        stop(e, "${…} expands to over 4 MiB");
    return !e->failed;
}

static void drop_ended_inputs(struct expansion *e)
{
    while (e->n_inputs > 0 && e->inputs[e->n_inputs - 1].len == 0)
        e->n_inputs--;
}

/* At "}": replaces the newest "${name" of the output. */
static void close_reference(struct expansion *e)
{
    size_t at = e->openings[--e->n_openings];
    struct tt_str reference = tt_str_of(e->out->data + at + 2, e->out->len - at - 2), content;

    if (!resolve(e, reference, &content) || !spend(e, content.len))
        return;
    e->out->len = at;
    e->has_expanded = true;
    drop_ended_inputs(e);
    if (e->may_be_whole && at == 0 && e->n_inputs == 0) {
        e->is_whole = true;
        e->content = content;
        return;
    }
    if (e->n_inputs == MAX_INPUTS)
        stop(e,
             "too many recursive expansions: contents of variables that name variables, 64 deep");
    else if (content.len > 0)
        e->inputs[e->n_inputs++] = content;
}

static void open_reference(struct expansion *e)
{
    if (e->n_openings == MAX_OPENINGS) {
        fail(e, "over 32 ${ inside of each other");
        return;
    }
    e->openings[e->n_openings++] = e->out->len;
    tt_buffer_append_str(e->out, TT_STR("${"));
}

static void advance(struct tt_str *input, size_t by)
{
    input->data += by;
    input->len -= by;
}

/* Takes the next piece of the newest input. */
static void step(struct expansion *e)
{
    struct tt_str *input = &e->inputs[e->n_inputs - 1];
    size_t plain = 0;

    if (tt_str_starts_with(*input, TT_STR("$$"))) {
        tt_buffer_append_byte(e->out, '$');
        advance(input, 2);
        return;
    }
    if (tt_str_starts_with(*input, TT_STR("${"))) {
        advance(input, 2);
        open_reference(e);
        return;
    }
    if (input->data[0] == '}' && e->n_openings > 0) {
        advance(input, 1);
        close_reference(e);
        return;
    }
    do
        plain++;
    while (plain < input->len && input->data[plain] != '$' && input->data[plain] != '}');
    tt_buffer_append(e->out, input->data, plain);
    advance(input, plain);
}

/* Runs e over text; false when there was an error. */
static bool run(struct expansion *e, struct tt_str text)
{
    e->inputs[e->n_inputs++] = text;
    while (!e->failed && !e->is_whole) {
        drop_ended_inputs(e);
        if (e->n_inputs == 0)
            break;
        step(e);
        if (e->out->failed == TT_TOO_LARGE)
            stop(e, "a value expands to over 1 MiB");
        else if (e->out->failed != TT_OK)
            stop(e, "out of memory");
    }
    return !e->failed;
}

static struct tt_str copy_out(struct expansion *e)
{
    struct tt_str copy = tt_arena_copy(e->walk->loader->arena, tt_buffer_view(e->out));

    if (copy.data == NULL)
        stop(e, "out of memory");
    return copy;
}

/* The content of a variable with everything in it expanded, as text. */
static struct tt_str text_of_content(struct walk *walk, struct tt_node *node, struct tt_buffer *out,
                                     struct tt_str content)
{
    struct expansion e = {.walk = walk, .node = node, .out = out, .is_silent = true};

    tt_buffer_clear(out);
    if (!run(&e, content))
        return (struct tt_str){NULL, 0};
    return copy_out(&e);
}

/* Reads content as YAML, and as it stands when it is not YAML. NULL: stopped. */
static struct tt_node *read_content(struct walk *walk, const struct tt_node *node,
                                    struct tt_str content)
{
    struct tt_loader *loader = walk->loader;
    struct tt_diags *diags = loader->diags, ignored;
    struct tt_origin origin = {.at = &node->mark, .depth = walk->depth};
    struct tt_node *parsed;

    tt_diags_init(&ignored);
    loader->diags = &ignored;
    parsed = tt_yaml_parse(loader, content, &origin);
    loader->diags = diags;
    if (loader->stopped)
        tt_diags_error(diags, node->mark, NULL, "%s",
                       ignored.count > 0 ? ignored.items[ignored.count - 1].text : "out of memory");
    else if (ignored.errors > 0) {
        parsed = tt_loader_node(loader, TT_NODE_SCALAR, node->mark);
        if (parsed != NULL)
            parsed->text = tt_arena_copy(loader->arena, content);
        if (parsed != NULL && parsed->text.data == NULL)
            tt_loader_no_memory(loader, node->mark);
    }
    tt_diags_done(&ignored);
    return loader->stopped ? NULL : parsed;
}

/* The whole value was one ${…}. Returns whether the new text has to be looked at again. */
static bool take_content(struct walk *walk, struct tt_node *node, struct tt_buffer *out,
                         struct tt_str content)
{
    struct tt_node *parsed;

    node->kind = TT_NODE_NULL;
    node->expanded = true;
    node->original = (struct tt_str){NULL, 0};
    if (content.data == NULL)
        return false;
    node->original = text_of_content(walk, node, out, content);
    parsed = walk->loader->stopped ? NULL : read_content(walk, node, content);
    if (parsed == NULL)
        return false;
    node->kind = parsed->kind;
    node->quoted = parsed->quoted;
    node->text = parsed->text;
    node->first = parsed->first;
    node->last = parsed->last;
    return node->kind == TT_NODE_SCALAR && tt_str_find(node->text, '$') < node->text.len;
}

/* One round; true: again. */
static bool expand_once(struct walk *walk, struct tt_node *node, struct tt_buffer *out)
{
    struct expansion e = {.walk = walk, .node = node, .out = out, .may_be_whole = true};
    bool was_whole = node->original.data != NULL;

    tt_buffer_clear(out);
    if (!run(&e, node->text))
        return false;
    if (e.is_whole)
        return take_content(walk, node, out, e.content);
    if (e.has_expanded && !was_whole) {
        node->expanded = true;
        node->quoted = false;
    }
    node->text = copy_out(&e);
    return false;
}

static void expand_value(struct walk *walk, struct tt_node *node)
{
    struct tt_buffer out;

    if (node->kind != TT_NODE_SCALAR || tt_str_find(node->text, '$') == node->text.len)
        return;
    tt_buffer_init(&out, TT_TREE_MAX_BYTES);
    while (expand_once(walk, node, &out))
        ;
    tt_buffer_done(&out);
}

void tt_tree_expand(struct tt_loader *loader, struct tt_node *root)
{
    struct walk walk = {.loader = loader};
    struct tt_node *node = root;

    while (!loader->stopped) {
        expand_value(&walk, node);
        if (node->first != NULL) {
            walk.open[walk.depth++] = node;
            node = node->first;
            continue;
        }
        while (node->next == NULL && walk.depth > 0)
            node = walk.open[--walk.depth];
        if (walk.depth == 0)
            return;
        node = node->next;
    }
}
