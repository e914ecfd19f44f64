/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_csv.h"

#include "base/buffer.h"
#include "net/inflate.h"

#include <csv.h>

#define BLOCK      ((size_t)64 << 10)
#define MAX_RECORD ((size_t)64 << 20)
#define BOM        TT_STR("\xEF\xBB\xBF")

struct tt_csv {
    char *path;
    struct tt_reader *reader;
    bool at_end;
    char *bytes;
    size_t begin, end, capacity, max_record; /* unread: begin to end */
    uint64_t line, next_line;
    struct tt_str record;
    bool quoted;
    struct csv_parser parser;
    struct tt_buffer texts; /* of a record that libcsv read */
    struct tt_str *cells;
    size_t n_cells, max_cells;
};

enum tt_status tt_csv_open(const char *path, struct tt_csv **ret_csv, struct tt_error *err)
{
    struct tt_csv *csv = tt_calloc(1, sizeof(*csv));
    enum tt_status status;

    if (csv == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    csv->next_line = 1;
    csv->max_record = MAX_RECORD;
    tt_buffer_init(&csv->texts, MAX_RECORD);
    csv->path = tt_strdup(tt_str(path));
    if (csv->path == NULL || csv_init(&csv->parser, CSV_STRICT) != 0) {
        tt_csv_close(csv);
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    }
    status = tt_reader_open(path, &csv->reader, err);
    if (status != TT_OK) {
        tt_csv_close(csv);
        return status;
    }
    *ret_csv = csv;
    return TT_OK;
}

void tt_csv_close(struct tt_csv *csv)
{
    if (csv == NULL)
        return;
    tt_reader_close(csv->reader);
    csv_free(&csv->parser);
    tt_buffer_done(&csv->texts);
    tt_free(csv->cells);
    tt_free(csv->bytes);
    tt_free(csv->path);
    tt_free(csv);
}

void tt_csv_limit(struct tt_csv *csv, size_t max_record)
{
    csv->max_record = max_record < MAX_RECORD ? max_record : MAX_RECORD;
}

uint64_t tt_csv_position(const struct tt_csv *csv)
{
    return tt_reader_position(csv->reader);
}

bool tt_csv_is_quoted(const struct tt_csv *csv)
{
    return csv->quoted;
}

uint64_t tt_csv_line(const struct tt_csv *csv)
{
    return csv->line;
}

/* ---- records ---- */

static enum tt_status make_room(struct tt_csv *csv, struct tt_error *err)
{
    size_t kept = csv->end - csv->begin, capacity = csv->capacity;
    char *bytes;

    if (kept > csv->max_record)
        return tt_fail(err, TT_TOO_LARGE,
                       "%s:%llu: a record of more than %zu bytes, or a quote that does not close",
                       csv->path, (unsigned long long)csv->next_line, csv->max_record);
    if (csv->begin > 0)
        memmove(csv->bytes, csv->bytes + csv->begin, kept);
    csv->begin = 0;
    csv->end = kept;
    while (capacity - kept < BLOCK)
        capacity = capacity == 0 ? 2 * BLOCK : 2 * capacity;
    if (capacity == csv->capacity)
        return TT_OK;
    bytes = tt_realloc(csv->bytes, capacity, 1);
    if (bytes == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read %s", csv->path);
    csv->bytes = bytes;
    csv->capacity = capacity;
    return TT_OK;
}

static enum tt_status fill(struct tt_csv *csv, struct tt_error *err)
{
    enum tt_status status = make_room(csv, err);
    size_t n;

    if (status != TT_OK)
        return status;
    status = tt_reader_read(csv->reader, csv->bytes + csv->end, BLOCK, &n, err);
    if (status != TT_OK) {
        tt_error_prefix(err, "%s", csv->path);
        return status;
    }
    csv->at_end = n == 0;
    csv->end += n;
    return TT_OK;
}

/* Looks at the first bytes of the file. */
static enum tt_status skip_mark(struct tt_csv *csv, struct tt_error *err)
{
    enum tt_status status = TT_OK;
    struct tt_str start;

    while (status == TT_OK && csv->end < BOM.len && !csv->at_end)
        status = fill(csv, err);
    start = tt_str_of(csv->bytes, csv->end);
    if (tt_str_starts_with(start, BOM))
        csv->begin = BOM.len;
    if (tt_str_starts_with(start, TT_STR("\xFF\xFE")) ||
        tt_str_starts_with(start, TT_STR("\xFE\xFF")))
        return tt_fail(err, TT_UNSUPPORTED, "%s:1: UTF-16; convert it to UTF-8", csv->path);
    return status;
}

/* Where a record's scan is: it may need several fills. */
struct scan {
    size_t at; /* behind begin */
    bool quoted, has_quote;
    uint64_t lines;
};

/* Returns the length of the record with its LF, or 0 when it does not end in what was read. */
static size_t scan_record(const struct tt_csv *csv, struct scan *scan)
{
    const char *bytes = csv->bytes + csv->begin;
    size_t len = csv->end - csv->begin;

    while (scan->at < len) {
        const char *lf = memchr(bytes + scan->at, '\n', len - scan->at);
        size_t stop = lf == NULL ? len : (size_t)(lf - bytes) + 1;
        for (const char *quote = bytes + scan->at;
             (quote = memchr(quote, '"', (size_t)(bytes + stop - quote))) != NULL; quote++) {
            scan->quoted = !scan->quoted;
            scan->has_quote = true;
        }
        scan->at = stop;
        scan->lines += lf != NULL;
        if (lf != NULL && !scan->quoted)
            return stop;
    }
    return 0;
}

static enum tt_status add_cell(struct tt_csv *csv, struct tt_str cell)
{
    if (csv->n_cells == csv->max_cells) {
        size_t more = csv->max_cells == 0 ? 64 : 2 * csv->max_cells;
        struct tt_str *cells;
        if (more > TT_CSV_MAX_CELLS)
            return TT_TOO_LARGE;
        cells = tt_realloc(csv->cells, more, sizeof(*cells));
        if (cells == NULL)
            return TT_NO_MEMORY;
        csv->cells = cells;
        csv->max_cells = more;
    }
    csv->cells[csv->n_cells++] = cell;
    return TT_OK;
}

static enum tt_status cut_at_commas(struct tt_csv *csv)
{
    struct tt_str rest = csv->record;
    enum tt_status status = TT_OK;

    csv->n_cells = 0;
    while (rest.data != NULL && status == TT_OK)
        status = add_cell(csv, tt_str_cut(&rest, ','));
    return status;
}

static void on_cell(void *text, size_t len, void *context)
{
    struct tt_csv *csv = context;
    enum tt_status status = add_cell(csv, tt_str_of(NULL, len));

    tt_buffer_append(&csv->texts, text, len);
    if (status != TT_OK && csv->texts.failed == TT_OK)
        csv->texts.failed = status;
}

static void on_record(int end, void *context)
{
    (void)end, (void)context;
}

static enum tt_status run_parser(struct tt_csv *csv)
{
    struct tt_str record = csv->record;

    if (csv_parse(&csv->parser, record.data, record.len, on_cell, on_record, csv) != record.len ||
        csv_fini(&csv->parser, on_cell, on_record, csv) != 0)
        return csv_error(&csv->parser) == CSV_ENOMEM ? TT_NO_MEMORY : TT_INVALID_DATA;
    return csv->texts.failed;
}

/* Cells follow each other in texts; their places are known when all are there. */
static enum tt_status parse_quoted(struct tt_csv *csv)
{
    enum tt_status status;
    size_t at = 0;

    csv->n_cells = 0;
    tt_buffer_clear(&csv->texts);
    status = run_parser(csv);
    if (status != TT_OK) {
        csv_free(&csv->parser); /* it is in the middle of a cell */
        (void)csv_init(&csv->parser, CSV_STRICT);
        return status;
    }
    for (size_t i = 0; i < csv->n_cells; i++) {
        csv->cells[i].data = csv->texts.data + at;
        at += csv->cells[i].len;
    }
    return TT_OK;
}

static struct tt_str without_line_end(struct tt_str record)
{
    if (record.len > 0 && record.data[record.len - 1] == '\n')
        record.len--;
    if (record.len > 0 && record.data[record.len - 1] == '\r')
        record.len--;
    return record;
}

/* Why a record has no cells. */
static enum tt_status fail_record(const struct tt_csv *csv, enum tt_status why,
                                  struct tt_error *err)
{
    if (why == TT_NO_MEMORY)
        return tt_fail(err, TT_NO_MEMORY, "%s:%llu: read a record", csv->path,
                       (unsigned long long)csv->line);
    return tt_fail(err, TT_INVALID_DATA, "%s:%llu: %s", csv->path, (unsigned long long)csv->line,
                   why == TT_TOO_LARGE ? "more than 65536 cells" : "not a CSV record");
}

enum tt_status tt_csv_next_record(struct tt_csv *csv, struct tt_str *ret_record,
                                  struct tt_error *err)
{
    struct scan scan = {.at = 0};
    enum tt_status status = TT_OK;
    size_t len = 0;

    csv->record = *ret_record = (struct tt_str){NULL, 0};
    csv->n_cells = 0;
    if (csv->capacity == 0)
        status = skip_mark(csv, err);
    while (status == TT_OK && (len = scan_record(csv, &scan)) == 0 && !csv->at_end)
        status = fill(csv, err);
    if (status != TT_OK)
        return status;
    if (len == 0)
        len = csv->end - csv->begin; /* a last record without a line end */
    if (len == 0)
        return TT_OK;
    csv->record = without_line_end(tt_str_of(csv->bytes + csv->begin, len));
    csv->quoted = scan.has_quote;
    csv->begin += len;
    csv->line = csv->next_line;
    csv->next_line += scan.lines;
    *ret_record = csv->record;
    return scan.quoted ? fail_record(csv, TT_INVALID_DATA, err) : TT_OK;
}

enum tt_status tt_csv_cells(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                            struct tt_error *err)
{
    enum tt_status status = csv->quoted ? parse_quoted(csv) : cut_at_commas(csv);

    *ret_cells = csv->cells;
    *ret_count = status == TT_OK ? csv->n_cells : 0;
    return status == TT_OK ? TT_OK : fail_record(csv, status, err);
}

enum tt_status tt_csv_next(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                           struct tt_error *err)
{
    struct tt_str record;
    enum tt_status status = tt_csv_next_record(csv, &record, err);

    *ret_count = 0;
    if (status != TT_OK || record.data == NULL)
        return status;
    return tt_csv_cells(csv, ret_cells, ret_count, err);
}
