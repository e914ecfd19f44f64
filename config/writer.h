/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_WRITER_H
#define TT_CONFIG_WRITER_H

/*
 * Writes a document as YAML or JSON, piece by piece.
 *
 *   tt_writer_map_begin(&w); tt_writer_key(&w, TT_STR("path")); tt_writer_text(&w, TT_STR("x")); tt_writer_map_end(&w);
 *
 * Ownership: the buffer is borrowed; check it once at the end with tt_buffer_check().
 * Limits:    40 levels; a deeper begin sets the buffer's `failed` to TT_TOO_LARGE.
 * Threads:   one at a time.
 */

#include "base/buffer.h"

enum tt_format { TT_FORMAT_YAML, TT_FORMAT_JSON };

enum { TT_WRITER_MAX_DEPTH = 40 };

struct tt_writer {
    struct tt_buffer *out;
    enum tt_format format;
    size_t depth;
    struct {
        bool is_list, is_used,
            is_inline; /* is_inline: YAML, begins in the line of the parent's "-" */
    } levels[TT_WRITER_MAX_DEPTH];
};

void tt_writer_init(struct tt_writer *w, struct tt_buffer *out, enum tt_format format);
void tt_writer_map_begin(struct tt_writer *w);
void tt_writer_map_end(struct tt_writer *w);
void tt_writer_list_begin(struct tt_writer *w);
void tt_writer_list_end(struct tt_writer *w);
/* In a map, before each value. */
void tt_writer_key(struct tt_writer *w, struct tt_str key);
/* Text: in quotes whenever it would read as something else, or is_quoted. In YAML, which is read as a configuration,
 * ${ and $$ are written so that they stay as they are. */
void tt_writer_text(struct tt_writer *w, struct tt_str text, bool is_quoted);
/* A plain YAML scalar: a number or a bool as such, anything else as text. */
void tt_writer_plain(struct tt_writer *w, struct tt_str text);
void tt_writer_null(struct tt_writer *w);
/* After the root: ends the last line. */
void tt_writer_end(struct tt_writer *w);

#endif
