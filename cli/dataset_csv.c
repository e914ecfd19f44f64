/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_csv.h"

#include "base/buffer.h"

#include <csv.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOCK      ((size_t)1 << 20)
#define MAX_RECORD ((size_t)64 << 20)

struct tt_csv {
    char *path;
    int fd;
    bool at_end;
    char *bytes;
    size_t begin, end, capacity; /* unread: begin to end */
    uint64_t line, next_line;
    struct csv_parser parser;
    struct tt_buffer texts; /* of a record that libcsv read */
    size_t lengths[TT_CSV_MAX_CELLS];
    struct tt_str cells[TT_CSV_MAX_CELLS];
    size_t n_cells;
};

enum tt_status tt_csv_open(const char *path, struct tt_csv **ret_csv, struct tt_error *err)
{
    struct tt_csv *csv = tt_calloc(1, sizeof(*csv));

    if (csv == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    csv->fd = -1;
    csv->next_line = 1;
    tt_buffer_init(&csv->texts, MAX_RECORD);
    csv->path = tt_strdup(tt_str(path));
    if (csv->path == NULL || csv_init(&csv->parser, CSV_STRICT) != 0) {
        tt_csv_close(csv);
        return tt_fail(err, TT_NO_MEMORY, "open %s", path);
    }
    csv->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (csv->fd < 0) {
        enum tt_status status = tt_fail_errno(err, "open %s", path);
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
    if (csv->fd >= 0)
        close(csv->fd);
    csv_free(&csv->parser);
    tt_buffer_done(&csv->texts);
    tt_free(csv->bytes);
    tt_free(csv->path);
    tt_free(csv);
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

    if (kept > MAX_RECORD)
        return tt_fail(err, TT_INVALID_DATA,
                       "%s:%llu: a record of more than 64 MiB, or a quote that does not close",
                       csv->path, (unsigned long long)csv->next_line);
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
    ssize_t n;

    if (status != TT_OK)
        return status;
    do
        n = read(csv->fd, csv->bytes + csv->end, BLOCK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tt_fail_errno(err, "read %s", csv->path);
    csv->at_end = n == 0;
    csv->end += (size_t)n;
    return TT_OK;
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

static bool cut_at_commas(struct tt_csv *csv, struct tt_str record)
{
    csv->n_cells = 0;
    while (record.data != NULL) {
        if (csv->n_cells == TT_CSV_MAX_CELLS)
            return false;
        csv->cells[csv->n_cells++] = tt_str_cut(&record, ',');
    }
    return true;
}

static void on_cell(void *text, size_t len, void *context)
{
    struct tt_csv *csv = context;

    if (csv->n_cells < TT_CSV_MAX_CELLS)
        csv->lengths[csv->n_cells] = len;
    csv->n_cells++;
    tt_buffer_append(&csv->texts, text, len);
}

static void on_record(int end, void *context)
{
    (void)end, (void)context;
}

/* Cells follow each other in texts; their places are known when all are there. */
static bool parse_quoted(struct tt_csv *csv, struct tt_str record)
{
    size_t at = 0;

    csv->n_cells = 0;
    tt_buffer_clear(&csv->texts);
    if (csv_parse(&csv->parser, record.data, record.len, on_cell, on_record, csv) != record.len ||
        csv_fini(&csv->parser, on_cell, on_record, csv) != 0 || csv->n_cells > TT_CSV_MAX_CELLS ||
        csv->texts.failed != TT_OK)
        return false;
    for (size_t i = 0; i < csv->n_cells; i++) {
        csv->cells[i] = tt_str_of(csv->texts.data + at, csv->lengths[i]);
        at += csv->lengths[i];
    }
    return true;
}

static struct tt_str without_line_end(struct tt_str record)
{
    if (record.len > 0 && record.data[record.len - 1] == '\n')
        record.len--;
    if (record.len > 0 && record.data[record.len - 1] == '\r')
        record.len--;
    return record;
}

enum tt_status tt_csv_next(struct tt_csv *csv, const struct tt_str **ret_cells, size_t *ret_count,
                           struct tt_error *err)
{
    struct scan scan = {.at = 0};
    struct tt_str record;
    size_t len;

    *ret_count = 0;
    while ((len = scan_record(csv, &scan)) == 0 && !csv->at_end) {
        enum tt_status status = fill(csv, err);
        if (status != TT_OK)
            return status;
    }
    if (len == 0)
        len = csv->end - csv->begin; /* a last record without a line end */
    record = without_line_end(tt_str_of(csv->bytes + csv->begin, len));
    csv->begin += len;
    csv->line = csv->next_line;
    csv->next_line += scan.lines;
    if (len == 0)
        return TT_OK;
    if (scan.quoted || !(scan.has_quote ? parse_quoted(csv, record) : cut_at_commas(csv, record)))
        return tt_fail(err, TT_INVALID_DATA, "%s:%llu: not a CSV record", csv->path,
                       (unsigned long long)csv->line);
    *ret_cells = csv->cells;
    *ret_count = csv->n_cells;
    return TT_OK;
}
