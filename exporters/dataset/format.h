/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_FORMAT_H
#define TT_EXPORTERS_DATASET_FORMAT_H

/*
 * Rows of a batch as CSV lines, once: the same bytes go to every file that a row belongs to.
 *
 * A formatter works on one batch at a time, in pieces, so that a huge batch needs no huge buffer. Beside the lines it makes a
 * list of runs: consecutive rows with the same labels, which are a class. A batch has few classes; two may have the same labels.
 * Ownership: the batch is borrowed between begin and the last use of runs.
 * Threads:   one at a time for each formatter.
 */

#include "base/buffer.h"
#include "exporters/dataset/cells.h"
#include "exporters/dataset/layout.h"
#include "otlp/cursor.h"

/* Rows with the same five labels. */
struct dataset_class {
    struct tt_str labels[DATASET_LABELS]; /* "none" … when the row says nothing */
    size_t text_at, text_len; /* their five cells with the commas before, in label_texts */
    uint64_t rows;            /* of the batch so far */
};

struct dataset_run {
    size_t begin, end; /* in the bytes of the piece it was formatted in */
    uint64_t rows;
    size_t class_at; /* index */
};

/* Text of one cell, kept while it does not change. */
struct dataset_cache {
    struct tt_str input;
    struct tt_buffer text;
    bool valid;
};

enum { DATASET_RECENT = 64 };

struct dataset_formatter {
    const struct dataset_layout *layout;
    bool guard; /* formula guard */
    const struct tt_batch *batch;
    uint32_t next_row;
    struct tt_buffer bytes;
    struct tt_buffer runs;    /* of struct dataset_run, all pieces of the batch */
    size_t first_run;         /* of the current piece */
    struct tt_buffer classes; /* of struct dataset_class */
    struct tt_buffer label_texts;
    size_t last_class;                       /* index; SIZE_MAX: none */
    uint32_t recent_classes[DATASET_RECENT]; /* index + 1, by a hash of the labels; 0: none */
    uint64_t rows, min_ns, max_ns;           /* of the batch so far */
    struct tt_buffer scratch, json;
    struct dataset_cache service, resource;
    uint32_t resource_of; /* whose attributes are in resource.text; UINT32_MAX: none */
    struct dataset_day day;
    const struct tt_column *label_columns[DATASET_LABELS]; /* NULL: the batch has none */
    const struct tt_column *declared[DATASET_MAX_DECLARED];
    uint32_t extras_of; /* resource whose attributes are in resource_values; UINT32_MAX: none */
    struct tt_value resource_values[DATASET_MAX_EXTRAS];
    bool has_resource_value[DATASET_MAX_EXTRAS];
    struct tt_value values[DATASET_MAX_SLOTS];
    uint8_t ranks[DATASET_MAX_SLOTS]; /* 0: values[i] is not of this row */
};

struct dataset_formatter *dataset_formatter_new(const struct dataset_layout *layout, bool guard);
void dataset_formatter_free(struct dataset_formatter *formatter); /* NULL is a no-op */

void dataset_format_begin(struct dataset_formatter *formatter, const struct tt_batch *batch);
/* Formats rows into `bytes` (emptied first) until there are `enough` bytes or rows end; *ret_more tells whether rows are left. */
enum tt_status dataset_format_piece(struct dataset_formatter *formatter, size_t enough,
                                    bool *ret_more, struct tt_error *err) TT_CHECKED;
/* The batch is forgotten and memory over a few MiB given back. */
void dataset_format_end(struct dataset_formatter *formatter);

/* ---- private to format.c and format_span.c ---- */

/* The cells of a span that every layout has, up to the last network attribute. Its attributes are in values, its labels are those of last_class,
 * its service's cell is in `service`. */
void dataset_format_span(struct dataset_formatter *formatter, const struct tt_span *span);

static inline struct dataset_run *dataset_runs(const struct dataset_formatter *formatter,
                                               size_t *ret_count)
{
    *ret_count = formatter->runs.len / sizeof(struct dataset_run);
    return (struct dataset_run *)(void *)formatter->runs.data;
}

static inline struct dataset_class *dataset_classes(const struct dataset_formatter *formatter,
                                                    size_t *ret_count)
{
    *ret_count = formatter->classes.len / sizeof(struct dataset_class);
    return (struct dataset_class *)(void *)formatter->classes.data;
}

#endif
