/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Applies edits to one request and writes what both encoders make of it, for test_encoders.py to compare.
 *
 * usage: encode_cases traces|metrics|logs REQUEST.pb EDITS OUT.pb OUT.json
 *
 * EDITS has one edit a line, its words parted by tabs, numbers counting from 0 in wire order:
 *     row|resource|scope N set KEY TYPE VALUE
 *     row|resource|scope N delete KEY
 *     row N drop
 *     row N name TEXT
 *     row N status CODE TEXT
 *     row N column KEY TYPE VALUE        TYPE text, int or double
 * TYPE is text, int, double, bool, or bytes, array, kvlist with the wire bytes in hexadecimal digits.
 */

#include "otlp/encode.h"
#include "otlp/json.h"
#include "otlp/overlay.h"

#include <stdio.h>

enum { MAX_FILE = 1 << 20, MAX_WORDS = 6 };

struct line {
    struct tt_str words[MAX_WORDS]; /* empty when absent */
    int64_t index;
};

static bool is_word(struct tt_str word, const char *wanted)
{
    return tt_str_equal(word, tt_str(wanted));
}

static bool read_file(const char *path, struct tt_buffer *out)
{
    FILE *file = fopen(path, "rbe");
    char *to = tt_buffer_reserve(out, MAX_FILE);

    if (file == NULL || to == NULL)
        return false;
    out->len += fread(to, 1, MAX_FILE, file);
    return fclose(file) == 0;
}

static bool write_file(const char *path, const struct tt_buffer *bytes)
{
    FILE *file = fopen(path, "wbe");

    if (file == NULL || bytes->failed != TT_OK)
        return false;
    if (bytes->len > 0 && fwrite(bytes->data, 1, bytes->len, file) != bytes->len)
        return false;
    return fclose(file) == 0;
}

/* ---- one edit ---- */

static bool wire_value(struct tt_batch *batch, struct tt_str digits, struct tt_value *ret_value)
{
    uint8_t *bytes = tt_arena_alloc(&batch->arena, digits.len / 2 + 1);

    if (bytes == NULL || !tt_hex_decode(digits, bytes, digits.len / 2))
        return false;
    ret_value->text = tt_str_of(bytes, digits.len / 2);
    return true;
}

static bool read_value(struct tt_batch *batch, struct tt_str type, struct tt_str text,
                       struct tt_value *ret_value)
{
    static const struct {
        const char *name;
        enum tt_value_type type;
    } wire_types[] = {
        {"bytes", TT_VALUE_BYTES}, {"array", TT_VALUE_ARRAY}, {"kvlist", TT_VALUE_KVLIST}};

    *ret_value = (struct tt_value){.type = TT_VALUE_STRING, .text = text};
    if (is_word(type, "text"))
        return true;
    if (is_word(type, "int")) {
        ret_value->type = TT_VALUE_INT;
        return tt_str_to_int64(text, &ret_value->integer);
    }
    if (is_word(type, "double")) {
        ret_value->type = TT_VALUE_DOUBLE;
        return tt_str_to_double(text, &ret_value->real);
    }
    if (is_word(type, "bool")) {
        *ret_value = (struct tt_value){.type = TT_VALUE_BOOL, .boolean = is_word(text, "true")};
        return true;
    }
    for (size_t i = 0; i < TT_LENGTH(wire_types); i++)
        if (is_word(type, wire_types[i].name)) {
            ret_value->type = wire_types[i].type;
            return wire_value(batch, text, ret_value);
        }
    return false;
}

static bool edit_attribute(struct tt_batch *batch, const struct line *line,
                           const struct tt_value *value)
{
    struct tt_str key = line->words[3];
    uint32_t index = (uint32_t)line->index;

    if (is_word(line->words[0], "resource"))
        return index < batch->n_resources &&
               (value == NULL ? tt_resource_delete_attribute(batch, index, key)
                              : tt_resource_set_attribute(batch, index, key, value));
    if (is_word(line->words[0], "scope"))
        return index < batch->n_scopes &&
               (value == NULL ? tt_scope_delete_attribute(batch, index, key)
                              : tt_scope_set_attribute(batch, index, key, value));
    return index < batch->n_rows &&
           (value == NULL ? tt_row_delete_attribute(batch, &batch->rows[index], key)
                          : tt_row_set_attribute(batch, &batch->rows[index], key, value));
}

static bool set_cell(struct tt_batch *batch, const struct line *line, const struct tt_value *value)
{
    /* Descriptors outlive the batch, as components' do. */
    struct tt_column_desc *desc = tt_arena_alloc(&batch->arena, sizeof(*desc));
    char *name = tt_arena_alloc(&batch->arena, line->words[3].len + 1);
    struct tt_column *column;
    uint32_t row = (uint32_t)line->index;

    if (desc == NULL || name == NULL || row >= batch->n_rows)
        return false;
    memcpy(name, line->words[3].data, line->words[3].len);
    name[line->words[3].len] = '\0';
    *desc = (struct tt_column_desc){.name = name, .type = TT_COLUMN_TEXT, .doc = "of a test"};
    if (value->type == TT_VALUE_INT)
        desc->type = TT_COLUMN_INT;
    if (value->type == TT_VALUE_DOUBLE)
        desc->type = TT_COLUMN_DOUBLE;
    column = tt_batch_column(batch, desc);
    if (column == NULL)
        return false;
    if (value->type == TT_VALUE_INT)
        tt_column_set_int(column, row, value->integer);
    else if (value->type == TT_VALUE_DOUBLE)
        tt_column_set_double(column, row, value->real);
    else
        tt_column_set_text(column, row, value->text);
    return true;
}

static bool edit_row(struct tt_batch *batch, const struct line *line)
{
    struct tt_row *row = line->index < batch->n_rows ? &batch->rows[line->index] : NULL;
    int64_t code = 0;

    if (row == NULL)
        return false;
    if (is_word(line->words[2], "drop")) {
        tt_row_drop(batch, row);
        return true;
    }
    if (is_word(line->words[2], "name"))
        return tt_span_set_name(batch, row, line->words[3]);
    return is_word(line->words[2], "status") && tt_str_to_int64(line->words[3], &code) &&
           tt_span_set_status(batch, row, (int32_t)code, line->words[4]);
}

static bool apply(struct tt_batch *batch, struct tt_str text)
{
    struct line line = {.index = -1};
    struct tt_value value;

    for (size_t i = 0; i < MAX_WORDS && text.data != NULL; i++)
        line.words[i] = tt_str_cut(&text, '\t');
    if (!tt_str_to_int64(line.words[1], &line.index) || line.index < 0)
        return false;
    if (is_word(line.words[2], "delete"))
        return edit_attribute(batch, &line, NULL);
    if (is_word(line.words[2], "set"))
        return read_value(batch, line.words[4], line.words[5], &value) &&
               edit_attribute(batch, &line, &value);
    if (is_word(line.words[2], "column"))
        return read_value(batch, line.words[4], line.words[5], &value) &&
               set_cell(batch, &line, &value);
    return edit_row(batch, &line);
}

/* ---- the whole ---- */

static bool apply_all(struct tt_batch *batch, struct tt_str edits)
{
    while (edits.len > 0) {
        struct tt_str line = tt_str_cut(&edits, '\n');
        if (line.len > 0 && !apply(batch, line)) {
            fprintf(stderr, "encode_cases: cannot apply \"%.*s\"\n", TT_STR_ARG(line));
            return false;
        }
    }
    return true;
}

static bool write_both(const struct tt_batch *batch, char **paths)
{
    struct tt_buffer wire, json;
    bool written;

    tt_buffer_init(&wire, 2 * MAX_FILE);
    tt_buffer_init(&json, 4 * MAX_FILE);
    tt_encode_request(batch, &wire);
    tt_json_write(batch, NULL, &json);
    written = write_file(paths[0], &wire) && write_file(paths[1], &json);
    tt_buffer_done(&wire);
    tt_buffer_done(&json);
    return written;
}

static bool parse(const char *signal, struct tt_buffer *request, struct tt_batch **ret_batch)
{
    struct tt_error err = {0};
    size_t len = 0;
    enum tt_signal which = TT_TRACES;
    char *bytes = tt_buffer_take(request, &len);
    struct tt_body *body = tt_body_take(bytes, len);

    if (is_word(tt_str(signal), "metrics"))
        which = TT_METRICS;
    if (is_word(tt_str(signal), "logs"))
        which = TT_LOGS;
    if (body == NULL)
        return false;
    if (tt_batch_parse(which, body, NULL, NULL, ret_batch, NULL, &err) != TT_OK)
        fprintf(stderr, "encode_cases: %s\n", err.message);
    tt_body_unref(body);
    return *ret_batch != NULL;
}

int main(int argc, char **argv)
{
    struct tt_batch *batch = NULL;
    struct tt_buffer request, edits;
    bool done;

    if (argc != 6) {
        fprintf(stderr, "usage: encode_cases SIGNAL REQUEST.pb EDITS OUT.pb OUT.json\n");
        return 2;
    }
    tt_buffer_init(&request, MAX_FILE);
    tt_buffer_init(&edits, MAX_FILE);
    done = read_file(argv[2], &request) && read_file(argv[3], &edits) &&
           parse(argv[1], &request, &batch) && apply_all(batch, tt_buffer_view(&edits)) &&
           write_both(batch, argv + 4);
    tt_batch_unref(batch);
    tt_buffer_done(&request);
    tt_buffer_done(&edits);
    return done ? 0 : 1;
}
