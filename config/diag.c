/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 8 };

void tt_diags_init(struct tt_diags *diags)
{
    *diags = (struct tt_diags){0};
}

void tt_diags_done(struct tt_diags *diags)
{
    tt_free(diags->items);
    tt_diags_init(diags);
}

/* Keys and values come from a file that anybody may have written: nothing of it may steer a terminal. */
static void make_printable(char *text)
{
    struct tt_str all = tt_str(text);

    text[tt_utf8_valid_prefix(all)] = '\0';
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
}

/* The capacity is not stored: it doubles at each power of two from FIRST_CAPACITY on. */
static bool make_room(struct tt_diags *diags)
{
    size_t n = diags->count, capacity = n == 0 ? FIRST_CAPACITY : 2 * n;
    struct tt_diag *items;

    if (n >= TT_DIAGS_MAX)
        return false;
    if (n != 0 && (n < FIRST_CAPACITY || (n & (n - 1)) != 0))
        return true;
    items = (struct tt_diag *)tt_realloc(diags->items, capacity, sizeof(*items));
    if (items == NULL)
        return false;
    diags->items = items;
    return true;
}

TT_PRINTF(5, 0)
static void add(struct tt_diags *diags, struct tt_mark mark, bool is_warning, const char *path,
                const char *format, va_list arguments)
{
    struct tt_diag *diag;

    *(is_warning ? &diags->warnings : &diags->errors) += 1;
    if (!make_room(diags))
        return;
    diag = &diags->items[diags->count++];
    *diag = (struct tt_diag){.line = mark.line, .column = mark.column, .is_warning = is_warning};
    (void)snprintf(diag->file, sizeof(diag->file), "%s", mark.file == NULL ? "" : mark.file);
    make_printable(diag->file);
    (void)snprintf(diag->path, sizeof(diag->path), "%s", path == NULL ? "" : path);
    (void)vsnprintf(diag->text, sizeof(diag->text), format, arguments);
    make_printable(diag->path);
    make_printable(diag->text);
}

void tt_diags_error(struct tt_diags *diags, struct tt_mark mark, const char *path,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diags, mark, false, path, format, arguments);
    va_end(arguments);
}

void tt_diags_warning(struct tt_diags *diags, struct tt_mark mark, const char *path,
                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diags, mark, true, path, format, arguments);
    va_end(arguments);
}

static int compare(const void *left, const void *right)
{
    const struct tt_diag *a = *(const struct tt_diag *const *)left;
    const struct tt_diag *b = *(const struct tt_diag *const *)right;
    int by_file = tt_str_compare(tt_str(a->file), tt_str(b->file));

    if (by_file != 0)
        return by_file;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a < b ? -1 : a > b; /* same place: in the order found */
}

static void print_place(const struct tt_diag *diag, struct tt_buffer *out)
{
    if (diag->file[0] == '\0')
        return;
    tt_buffer_append_str(out, tt_str(diag->file));
    if (diag->line != 0)
        tt_buffer_printf(out, ":%u:%u", diag->line, diag->column);
    tt_buffer_append_str(out, TT_STR(": "));
}

void tt_diags_print(const struct tt_diags *diags, struct tt_buffer *out)
{
    const struct tt_diag *sorted[TT_DIAGS_MAX];
    size_t all = diags->errors + diags->warnings;

    for (size_t i = 0; i < diags->count; i++)
        sorted[i] = &diags->items[i];
    qsort(sorted, diags->count, sizeof(sorted[0]), compare);
    for (size_t i = 0; i < diags->count; i++) {
        print_place(sorted[i], out);
        tt_buffer_printf(out, "%s%s%s%s\n", sorted[i]->is_warning ? "warning: " : "",
                         sorted[i]->path, sorted[i]->path[0] == '\0' ? "" : ": ", sorted[i]->text);
    }
    if (all > diags->count)
        tt_buffer_printf(out, "%zu more problems are not shown\n", all - diags->count);
}
