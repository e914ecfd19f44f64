/* SPDX-License-Identifier: Apache-2.0 */
#include "config/loader.h"
#include "config/scalar.h"

#include <yaml.h>

#include <stdio.h>
#include <stdlib.h>

struct frame {
    struct tt_node *node; /* LIST or MAP */
    size_t n_children;
    bool has_key, has_nested_keys;
    struct tt_str key; /* of the value that comes next; valid when has_key */
    struct tt_mark key_mark;
};

struct builder {
    struct tt_loader *loader;
    const struct tt_origin *origin;
    struct tt_str text;
    struct tt_node *root;
    size_t n_documents, depth;
    struct frame frames[TT_TREE_MAX_DEPTH];
};

static struct tt_mark mark_of(const struct builder *b, yaml_mark_t mark)
{
    if (b->origin->at != NULL)
        return *b->origin->at;
    return (struct tt_mark){b->origin->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* Line and column of a byte of the text, for what is found without libyaml's help. */
static struct tt_mark mark_of_byte(const struct builder *b, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < b->text.len; i++) {
        bool ends_line = b->text.data[i] == '\n';
        bool is_continuation = ((unsigned char)b->text.data[i] & 0xc0) == 0x80;
        mark.line += ends_line;
        mark.column = ends_line ? 0 : mark.column + !is_continuation;
    }
    return mark_of(b, mark);
}

/* "exporters.file.headers[2]": where the builder is. */
static void path_of(const struct builder *b, char ret_path[192])
{
    size_t len = 0, room = 192;

    ret_path[0] = '\0';
    for (size_t i = 0; i < b->depth && len < room; i++) {
        const struct frame *frame = &b->frames[i];
        bool is_top = i + 1 == b->depth;
        struct tt_str key = is_top ? frame->key : b->frames[i + 1].node->key;
        if (frame->node->kind == TT_NODE_LIST)
            len +=
                (size_t)snprintf(ret_path + len, room - len, "[%zu]", frame->n_children - !is_top);
        else if (!is_top || frame->has_key)
            len += (size_t)snprintf(ret_path + len, room - len, "%s%.*s", len == 0 ? "" : ".",
                                    TT_STR_ARG(key));
    }
}

static void report(struct builder *b, struct tt_mark mark, const char *text)
{
    char path[192];

    path_of(b, path);
    tt_diags_error(b->loader->diags, mark, path, "%s", text);
}

/* Gives node its place in the open container, or makes it the root. */
static void attach(struct builder *b, struct tt_node *node)
{
    struct frame *top;

    if (b->depth == 0) {
        b->root = node;
        return;
    }
    top = &b->frames[b->depth - 1];
    node->key = top->key;
    node->key_mark = top->key_mark;
    top->has_key = false;
    top->n_children++;
    tt_node_append(top->node, node);
}

static bool expects_key(const struct builder *b)
{
    const struct frame *top = b->depth == 0 ? NULL : &b->frames[b->depth - 1];

    return top != NULL && top->node->kind == TT_NODE_MAP && !top->has_key;
}

static bool has_colons(struct tt_str key)
{
    return memmem(key.data, key.len, "::", 2) != NULL;
}

static bool take_key(struct builder *b, struct tt_str text, bool quoted, struct tt_mark mark)
{
    struct frame *top = &b->frames[b->depth - 1];

    top->key = tt_arena_copy(b->loader->arena, text);
    top->key_mark = mark;
    if (top->key.data == NULL) {
        tt_loader_no_memory(b->loader, mark);
        return false;
    }
    if (text.len == 0)
        report(b, mark, "an empty key");
    top->has_key = true;
    top->has_nested_keys |= has_colons(top->key);
    if (!quoted && tt_str_equal(text, TT_STR("<<")))
        report(b, mark, "merge keys (<<) are not supported; write the keys out");
    return true;
}

/* Everything that must not be on a value. The value itself is kept. */
static void refuse_properties(struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag,
                              struct tt_mark mark)
{
    if (anchor != NULL)
        report(b, mark, "anchors (&) are not supported; write the value out");
    if (tag != NULL)
        report(b, mark, "tags (!) are not supported; write the plain value");
}

static bool on_scalar(struct builder *b, const yaml_event_t *event)
{
    struct tt_mark mark = mark_of(b, event->start_mark);
    struct tt_str text = tt_str_of(event->data.scalar.value, event->data.scalar.length);
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    struct tt_node *node;

    refuse_properties(b, event->data.scalar.anchor, event->data.scalar.tag, mark);
    if (memchr(text.data, '\0', text.len) != NULL) {
        report(b, mark, "a NUL in text");
        text.len = strlen(text.data);
    }
    if (expects_key(b))
        return take_key(b, text, quoted, mark);
    node = tt_loader_node(b->loader, TT_NODE_SCALAR, mark);
    if (node == NULL)
        return false;
    node->quoted = quoted;
    if (!quoted && tt_scalar_look(text) == TT_LOOKS_NULL)
        node->kind = TT_NODE_NULL;
    node->text = tt_arena_copy(b->loader->arena, text);
    if (node->text.data == NULL) {
        tt_loader_no_memory(b->loader, mark);
        return false;
    }
    attach(b, node);
    return true;
}

static bool on_alias(struct builder *b, struct tt_mark mark)
{
    struct tt_node *node;

    report(b, mark, "aliases (*) are not supported; write the value out");
    if (expects_key(b))
        return false;
    node = tt_loader_node(b->loader, TT_NODE_NULL, mark);
    if (node != NULL)
        attach(b, node);
    return node != NULL;
}

static bool on_begin(struct builder *b, enum tt_node_kind kind, struct tt_mark mark)
{
    struct tt_node *node;

    if (expects_key(b)) {
        report(b, mark, "a key must be text, not a list or a map");
        return false;
    }
    /* libyaml's time grows with the square of the depth, so this ends the parsing. */
    if (b->depth + b->origin->depth >= TT_TREE_MAX_DEPTH) {
        report(b, mark, "nested deeper than 32 levels");
        return false;
    }
    node = tt_loader_node(b->loader, kind, mark);
    if (node == NULL)
        return false;
    attach(b, node);
    b->frames[b->depth++] = (struct frame){.node = node};
    return true;
}

static int by_key(const void *left, const void *right)
{
    const struct tt_node *a = *(struct tt_node *const *)left;
    const struct tt_node *b = *(struct tt_node *const *)right;
    int order = tt_str_compare(a->key, b->key);

    if (order != 0)
        return order;
    if (a->key_mark.line != b->key_mark.line)
        return a->key_mark.line < b->key_mark.line ? -1 : 1;
    return a->key_mark.column < b->key_mark.column ? -1 : a->key_mark.column > b->key_mark.column;
}

static void report_duplicate(struct builder *b, struct frame *top, const struct tt_node *second,
                             const struct tt_node *first)
{
    char text[64];

    top->key = second->key;
    top->has_key = true;
    (void)snprintf(text, sizeof(text), "a duplicate key");
    if (first->key_mark.line != 0)
        (void)snprintf(text, sizeof(text), "a duplicate key; first in line %u",
                       first->key_mark.line);
    report(b, second->key_mark, text);
    top->has_key = false;
}

static bool check_duplicates(struct builder *b, struct frame *top)
{
    struct tt_node **sorted, *child = top->node->first;
    size_t n = top->n_children;

    if (n < 2)
        return true;
    sorted = (struct tt_node **)tt_calloc(n, sizeof(struct tt_node *));
    if (sorted == NULL) {
        tt_loader_no_memory(b->loader, top->node->mark);
        return false;
    }
    for (size_t i = 0; i < n; i++, child = child->next)
        sorted[i] = child;
    qsort(sorted, n, sizeof(struct tt_node *), by_key);
    for (size_t i = 1; i < n; i++)
        if (tt_str_equal(sorted[i - 1]->key, sorted[i]->key))
            report_duplicate(b, top, sorted[i], sorted[i - 1]);
    tt_free(sorted);
    return true;
}

static bool on_end(struct builder *b)
{
    struct frame *top;

    if (b->depth == 0) /* libyaml ends only what it began */
        return false;
    top = &b->frames[b->depth - 1];
    if (top->node->kind == TT_NODE_MAP) {
        if (!check_duplicates(b, top))
            return false;
        if (top->has_nested_keys)
            tt_node_nest_keys(b->loader, top->node);
    }
    b->depth--;
    return !b->loader->stopped;
}

static bool on_document(struct builder *b, struct tt_mark mark)
{
    if (b->n_documents++ == 0)
        return true;
    report(b, mark, "a second document; only one is allowed");
    return false;
}

/* False: stop parsing; the reason has been reported. */
static bool on_event(struct builder *b, const yaml_event_t *event)
{
    struct tt_mark mark = mark_of(b, event->start_mark);

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(b, mark);
    case YAML_ALIAS_EVENT:
        return on_alias(b, mark);
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        refuse_properties(b, event->data.sequence_start.anchor, event->data.sequence_start.tag,
                          mark);
        return on_begin(b, TT_NODE_LIST, mark);
    case YAML_MAPPING_START_EVENT:
        refuse_properties(b, event->data.mapping_start.anchor, event->data.mapping_start.tag, mark);
        return on_begin(b, TT_NODE_MAP, mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(b);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return true;
}

/* Whether the line of a syntax error is indented with a tab: libyaml's own words do not say so. */
static bool is_tab_in_indentation(const struct builder *b, size_t line)
{
    struct tt_str rest = b->text, text = {NULL, 0};

    for (size_t i = 0; i <= line && rest.data != NULL; i++)
        text = tt_str_cut(&rest, '\n');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\t')
            return true;
        if (text.data[i] != ' ')
            break;
    }
    return false;
}

static void report_syntax(struct builder *b, const yaml_parser_t *parser)
{
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    char text[256];

    if (parser->error == YAML_MEMORY_ERROR) {
        tt_loader_no_memory(b->loader, mark_of(b, parser->problem_mark));
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        (void)snprintf(text, sizeof(text), "not valid YAML: %s", problem);
        report(b, mark_of_byte(b, parser->problem_offset), text);
        return;
    }
    if (is_tab_in_indentation(b, parser->problem_mark.line))
        problem = "a tab in the indentation; use blanks";
    (void)snprintf(text, sizeof(text), "not valid YAML: %s%s%s%s", problem,
                   parser->context == NULL ? "" : " (",
                   parser->context == NULL ? "" : parser->context,
                   parser->context == NULL ? "" : ")");
    report(b, mark_of(b, parser->problem_mark), text);
}

static bool parse_events(struct builder *b, yaml_parser_t *parser)
{
    bool goes_on = true, at_end = false;
    yaml_event_t event;

    while (goes_on && !at_end) {
        if (!yaml_parser_parse(parser, &event)) {
            report_syntax(b, parser);
            return false;
        }
        at_end = event.type == YAML_STREAM_END_EVENT;
        goes_on = on_event(b, &event);
        yaml_event_delete(&event);
    }
    return goes_on;
}

static bool starts_with_utf16_mark(struct tt_str text)
{
    return tt_str_starts_with(text, TT_STR("\xff\xfe")) ||
           tt_str_starts_with(text, TT_STR("\xfe\xff"));
}

static bool begins_line(struct tt_str before)
{
    static const char *const breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

    for (size_t i = 0; i < TT_LENGTH(breaks); i++)
        if (tt_str_ends_with(before, tt_str(breaks[i])))
            return true;
    return before.len == 0;
}

/* libyaml takes quadratic time for many directives; a line that begins with % is one, or is inside of text that
 * should be indented. */
static bool find_directive(struct tt_str text, size_t *ret_offset)
{
    for (size_t at = tt_str_find(text, '%'); at < text.len; at++)
        if (text.data[at] == '%' && begins_line(tt_str_of(text.data, at))) {
            *ret_offset = at;
            return true;
        }
    return false;
}

static bool check_text(struct builder *b)
{
    size_t valid = tt_utf8_valid_prefix(b->text), nul = tt_str_find(b->text, '\0'), directive;

    if (b->text.len > TT_TREE_MAX_BYTES) {
        report(b, mark_of_byte(b, 0), "over 1 MiB");
        return false;
    }
    if (starts_with_utf16_mark(b->text)) {
        report(b, mark_of_byte(b, 0), "UTF-16 is not supported; save the file as UTF-8");
        return false;
    }
    if (nul < b->text.len && nul <= valid) {
        report(b, mark_of_byte(b, nul), "a NUL byte: not a text file in UTF-8");
        return false;
    }
    if (valid < b->text.len) {
        report(b, mark_of_byte(b, valid), "not valid UTF-8");
        return false;
    }
    if (find_directive(b->text, &directive)) {
        report(b, mark_of_byte(b, directive), "directives (%) are not supported");
        return false;
    }
    return true;
}

static bool parse_text(struct builder *b)
{
    yaml_parser_t parser;
    bool parsed;

    if (!yaml_parser_initialize(&parser)) {
        tt_loader_no_memory(b->loader, mark_of_byte(b, 0));
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)b->text.data, b->text.len);
    parsed = parse_events(b, &parser);
    yaml_parser_delete(&parser);
    return parsed;
}

struct tt_node *tt_yaml_parse(struct tt_loader *loader, struct tt_str text,
                              const struct tt_origin *origin)
{
    struct builder b = {.loader = loader, .origin = origin, .text = text};

    if (tt_str_starts_with(text, TT_STR("\xef\xbb\xbf")))
        b.text = tt_str_of(text.data + 3, text.len - 3);
    if (!check_text(&b) || !parse_text(&b))
        return NULL;
    if (b.root == NULL)
        b.root = tt_loader_node(loader, TT_NODE_NULL, mark_of_byte(&b, 0));
    else if (loader->n_nested_keys > 0)
        tt_node_check_depth(loader, b.root, origin->depth);
    return loader->stopped ? NULL : b.root;
}
