/* SPDX-License-Identifier: Apache-2.0 */
#include "config/writer.h"

#include "config/scalar.h"

enum { LONG_KEY = 128 };

void tt_writer_init(struct tt_writer *w, struct tt_buffer *out, enum tt_format format)
{
    *w = (struct tt_writer){.out = out, .format = format};
}

static void new_line(struct tt_writer *w, size_t depth)
{
    if (w->out->len > 0)
        tt_buffer_append_byte(w->out, '\n');
    for (size_t i = 0; i < depth; i++)
        tt_buffer_append_str(w->out, TT_STR("  "));
}

/* Before a key or an item: what separates it from the one before, and its indentation. */
static void begin_entry(struct tt_writer *w)
{
    bool is_first = !w->levels[w->depth - 1].is_used;

    w->levels[w->depth - 1].is_used = true;
    if (w->format == TT_FORMAT_JSON) {
        if (!is_first)
            tt_buffer_append_byte(w->out, ',');
        new_line(w, w->depth);
    } else if (is_first && w->levels[w->depth - 1].is_inline)
        tt_buffer_append_byte(w->out, ' ');
    else
        new_line(w, w->depth - 1);
}

static bool is_in_list(const struct tt_writer *w)
{
    return w->depth > 0 && w->levels[w->depth - 1].is_list;
}

static void begin_item(struct tt_writer *w)
{
    begin_entry(w);
    if (w->format == TT_FORMAT_YAML)
        tt_buffer_append_byte(w->out, '-');
}

/* Before a scalar or an empty container. */
static void begin_value(struct tt_writer *w)
{
    if (is_in_list(w))
        begin_item(w);
    if (w->depth > 0 && (w->format == TT_FORMAT_YAML || !is_in_list(w)))
        tt_buffer_append_byte(w->out, ' ');
}

static void begin(struct tt_writer *w, bool is_list)
{
    bool in_list = is_in_list(w);

    if (w->depth == TT_WRITER_MAX_DEPTH) {
        w->out->failed = TT_TOO_LARGE;
        return;
    }
    if (w->format == TT_FORMAT_JSON)
        begin_value(w);
    else if (in_list)
        begin_item(w);
    w->levels[w->depth].is_list = is_list;
    w->levels[w->depth].is_used = false;
    w->levels[w->depth].is_inline = in_list;
    w->depth++;
    if (w->format == TT_FORMAT_JSON)
        tt_buffer_append_byte(w->out, is_list ? '[' : '{');
}

static void end(struct tt_writer *w, bool is_list)
{
    bool is_used;

    if (w->depth == 0)
        return;
    is_used = w->levels[--w->depth].is_used;
    if (w->format == TT_FORMAT_JSON) {
        if (is_used)
            new_line(w, w->depth);
        tt_buffer_append_byte(w->out, is_list ? ']' : '}');
    } else if (!is_used) {
        if (w->depth > 0)
            tt_buffer_append_byte(w->out, ' ');
        tt_buffer_append_str(w->out, is_list ? TT_STR("[]") : TT_STR("{}"));
    }
}

void tt_writer_map_begin(struct tt_writer *w)
{
    begin(w, false);
}

void tt_writer_map_end(struct tt_writer *w)
{
    end(w, false);
}

void tt_writer_list_begin(struct tt_writer *w)
{
    begin(w, true);
}

void tt_writer_list_end(struct tt_writer *w)
{
    end(w, true);
}

static unsigned utf8_decode(const unsigned char *s, size_t len, size_t *ret_len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    unsigned code = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));

    if (n > len)
        n = len;
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (s[i] & 0x3fU);
    *ret_len = n;
    return code;
}

/* Everything that YAML does not call printable, and its exotic line breaks (YAML 1.2.2, section 5.1). */
static bool must_escape(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff || code == 0xfffe || code == 0xffff;
}

/* The escapes are those that JSON and YAML share. */
static void append_char(struct tt_buffer *out, struct tt_str c, unsigned code)
{
    if (code == '"' || code == '\\')
        tt_buffer_printf(out, "\\%c", (int)code);
    else if (code == '\n')
        tt_buffer_append_str(out, TT_STR("\\n"));
    else if (code == '\t')
        tt_buffer_append_str(out, TT_STR("\\t"));
    else if (must_escape(code))
        tt_buffer_printf(out, "\\u%04x", code);
    else
        tt_buffer_append_str(out, c);
}

/* Whether reading the text as a configuration would take the $ at i for the beginning of ${…} or $$. */
static bool is_live_dollar(struct tt_str text, size_t i)
{
    return text.data[i] == '$' && i + 1 < text.len &&
           (text.data[i + 1] == '$' || text.data[i + 1] == '{');
}

static void append_quoted(struct tt_buffer *out, struct tt_str text, bool escapes_dollars)
{
    tt_buffer_append_byte(out, '"');
    for (size_t i = 0, n; i < text.len; i += n) {
        unsigned code = utf8_decode((const unsigned char *)text.data + i, text.len - i, &n);
        if (escapes_dollars && is_live_dollar(text, i))
            tt_buffer_append_byte(out, '$');
        append_char(out, tt_str_of(text.data + i, n), code);
    }
    tt_buffer_append_byte(out, '"');
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_letter(char c)
{
    return is_alnum(c) && c > '9';
}

/* A subset of what YAML reads as a plain scalar in any place: letters and digits, with signs and blanks inside. */
static bool is_plain_safe(struct tt_str text)
{
    char first = text.len == 0 ? '\0' : text.data[0],
         last = text.len == 0 ? '\0' : text.data[text.len - 1];
    bool is_signed = text.len > 1 && memchr("+-.", first, 3) != NULL && is_alnum(text.data[1]);

    if (!is_alnum(first) && first != '/' && first != '_' && !is_signed)
        return false;
    if (last == ' ' || last == ':')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!is_alnum(c) && memchr("_./+-:@% =;()", c, 13) == NULL)
            return false;
        if (c == ':' && i + 1 < text.len && text.data[i + 1] == ' ')
            return false;
    }
    return true;
}

static bool is_key_safe(struct tt_str key)
{
    bool safe = key.len > 0 && (is_letter(key.data[0]) || key.data[0] == '_');

    for (size_t i = 0; i < key.len; i++)
        safe = safe && (is_alnum(key.data[i]) || memchr("_./-", key.data[i], 4) != NULL);
    return safe;
}

/* libyaml reads "key:" only when it is shorter than 1,024 characters. */
static void append_long_key(struct tt_writer *w, struct tt_str key)
{
    tt_buffer_append_str(w->out, TT_STR("? "));
    append_quoted(w->out, key, false);
    new_line(w, w->depth - 1);
}

void tt_writer_key(struct tt_writer *w, struct tt_str key)
{
    bool is_yaml = w->format == TT_FORMAT_YAML;

    begin_entry(w);
    if (is_yaml && key.len > LONG_KEY)
        append_long_key(w, key);
    else if (is_yaml && is_key_safe(key))
        tt_buffer_append_str(w->out, key);
    else
        append_quoted(w->out, key, false);
    tt_buffer_append_byte(w->out, ':');
}

void tt_writer_text(struct tt_writer *w, struct tt_str text, bool is_quoted)
{
    bool is_yaml = w->format == TT_FORMAT_YAML;

    begin_value(w);
    if (is_yaml && !is_quoted && is_plain_safe(text) && tt_scalar_look(text) == TT_LOOKS_TEXT)
        tt_buffer_append_str(w->out, text);
    else
        append_quoted(w->out, text, is_yaml);
}

/* JSON's grammar (RFC 8259, section 6) is narrower than YAML's. */
static bool is_json_number(struct tt_str text)
{
    size_t at = text.len > 0 && text.data[0] == '-';
    const char *dot = (const char *)memchr(text.data, '.', text.len);
    size_t after = dot == NULL ? 0 : (size_t)(dot - text.data) + 1;

    if (at == text.len || text.data[at] < '0' || text.data[at] > '9')
        return false;
    if (text.data[at] == '0' && at + 1 < text.len && is_alnum(text.data[at + 1]) &&
        text.data[at + 1] != 'e' && text.data[at + 1] != 'E')
        return false;
    return dot == NULL || (after < text.len && text.data[after] >= '0' && text.data[after] <= '9');
}

static void append_json_number(struct tt_writer *w, struct tt_str text)
{
    int64_t integer;
    double number;

    if (is_json_number(text))
        tt_buffer_append_str(w->out, text);
    else if (tt_scalar_int(text, &integer))
        tt_buffer_append_int64(w->out, integer);
    else if (tt_scalar_double(text, &number))
        tt_buffer_append_double(w->out, number);
    else
        append_quoted(w->out, text, false);
}

void tt_writer_plain(struct tt_writer *w, struct tt_str text)
{
    enum tt_scalar_look look = tt_scalar_look(text);
    bool value;

    if (look == TT_LOOKS_TEXT || look == TT_LOOKS_NULL) {
        tt_writer_text(w, text, false);
        return;
    }
    begin_value(w);
    if (w->format == TT_FORMAT_YAML)
        tt_buffer_append_str(w->out, text);
    else if (tt_scalar_bool(text, &value))
        tt_buffer_append_str(w->out, value ? TT_STR("true") : TT_STR("false"));
    else
        append_json_number(w, text);
}

void tt_writer_null(struct tt_writer *w)
{
    begin_value(w);
    tt_buffer_append_str(w->out, TT_STR("null"));
}

void tt_writer_end(struct tt_writer *w)
{
    tt_buffer_append_byte(w->out, '\n');
}
