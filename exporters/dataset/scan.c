/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/scan.h"

#include "base/buffer.h"

#include <csv.h>

#include <errno.h>
#include <unistd.h>

#define BLOCK 65536

static enum tt_status read_block(int fd, char *block, off_t at, size_t *ret_len,
                                 struct tt_error *err)
{
    ssize_t n;

    do
        n = pread(fd, block, BLOCK, at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tt_fail_errno(err, "read a dataset file");
    *ret_len = (size_t)n;
    return TT_OK;
}

enum tt_status dataset_scan_ends(int fd, uint64_t max_records, struct dataset_ends *ret_ends,
                                 struct tt_error *err)
{
    char block[BLOCK];
    bool quoted = false;
    size_t len = 0;

    *ret_ends = (struct dataset_ends){.records = 0};
    for (off_t at = 0;; at += (off_t)len) {
        enum tt_status status = read_block(fd, block, at, &len, err);
        if (status != TT_OK || len == 0)
            return status;
        for (size_t i = 0; i < len; i++) {
            quoted ^= block[i] == '"';
            if (block[i] != '\n' || quoted)
                continue;
            if (ret_ends->records == max_records)
                return TT_OK;
            ret_ends->records++;
            ret_ends->bytes = (uint64_t)at + i + 1;
        }
    }
}

/* ---- cells ---- */

struct cell {
    size_t at, len; /* in texts */
};

struct reader {
    const char *const *wanted;
    size_t n_wanted;
    size_t columns[DATASET_MAX_WANTED]; /* SIZE_MAX: not in the file */
    struct cell cells[DATASET_MAX_WANTED];
    struct tt_buffer texts;
    size_t column;
    uint64_t record;
    void (*visit)(void *context, const struct tt_str *cells);
    void *context;
};

static void on_cell(void *text, size_t len, void *context)
{
    struct reader *reader = context;

    for (size_t i = 0; i < reader->n_wanted; i++) {
        if (reader->record == 0) {
            if (tt_str_equal(tt_str_of(text, len), tt_str(reader->wanted[i])))
                reader->columns[i] = reader->column;
        } else if (reader->columns[i] == reader->column) {
            reader->cells[i] = (struct cell){reader->texts.len, len};
            tt_buffer_append(&reader->texts, text, len);
        }
    }
    reader->column++;
}

static void on_record(int end, void *context)
{
    struct reader *reader = context;
    struct tt_str cells[DATASET_MAX_WANTED];

    (void)end;
    for (size_t i = 0; i < reader->n_wanted; i++)
        cells[i] = tt_str_of(reader->texts.data + reader->cells[i].at, reader->cells[i].len);
    if (reader->record++ > 0 && reader->texts.failed == TT_OK)
        reader->visit(reader->context, cells);
    memset(reader->cells, 0, sizeof(reader->cells));
    reader->column = 0;
    tt_buffer_clear(&reader->texts);
}

static enum tt_status parse_blocks(int fd, struct csv_parser *parser, struct reader *reader,
                                   struct tt_error *err)
{
    char block[BLOCK];
    size_t len = 0;

    for (off_t at = 0;; at += (off_t)len) {
        enum tt_status status = read_block(fd, block, at, &len, err);
        if (status != TT_OK || len == 0)
            return status;
        if (csv_parse(parser, block, len, on_cell, on_record, reader) != len)
            return tt_fail(err, TT_INVALID_DATA, "record %llu: %s",
                           (unsigned long long)reader->record, csv_strerror(csv_error(parser)));
    }
}

enum tt_status dataset_scan_cells(int fd, const char *const *wanted, size_t n_wanted,
                                  void (*visit)(void *context, const struct tt_str *cells),
                                  void *context, struct tt_error *err)
{
    struct csv_parser parser;
    struct reader reader = {
        .wanted = wanted, .n_wanted = n_wanted, .visit = visit, .context = context};
    enum tt_status status;

    memset(reader.columns, 0xFF, sizeof(reader.columns));
    tt_buffer_init(&reader.texts, (size_t)512 << 20);
    tt_buffer_append(&reader.texts, "", 1); /* so that views of empty cells have an address */
    if (csv_init(&parser, CSV_STRICT) != 0)
        return tt_fail(err, TT_NO_MEMORY, "read a dataset file");
    status = parse_blocks(fd, &parser, &reader, err);
    csv_free(&parser);
    tt_buffer_done(&reader.texts);
    return status;
}
