/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_UNPACK_H
#define TT_OTLP_UNPACK_H

/*
 * A row as protobuf-c's struct and back, for what is not hot and easier on structs.
 *
 * Threads: as for the batch: reading for unpack, the one writer for replace.
 * Limits:  protobuf-c recurses once a level: rows with arrays and maps nested deeper than 16 are refused.
 * Cost:    about 2 µs a span with 15 attributes, one way.
 */

#include "otlp/batch.h"

#include <protobuf-c/protobuf-c.h>

/*
 * The row's message with overlay and columns folded in.
 *
 * arena        owns the result; never call free_unpacked() on it
 * ret_message  Otlp__Span, Otlp__LogRecord or the metric's data point (see its descriptor)
 *
 * TT_UNSUPPORTED when it is nested too deep, TT_NO_MEMORY.
 */
enum tt_status tt_row_unpack(const struct tt_batch *batch, const struct tt_row *row,
                             struct tt_arena *arena, ProtobufCMessage **ret_message,
                             struct tt_error *err) TT_CHECKED;

/*
 * Packs message, which must be of the row's own type, checks it and makes it the row: fixed fields are decoded anew, edits
 * are forgotten, columns stay (and hide attributes of their names).
 *
 * TT_INVALID_DATA when an id has a wrong length or values are nested too deep; TT_NO_MEMORY. The row is then unchanged.
 */
enum tt_status tt_row_replace(struct tt_batch *batch, struct tt_row *row,
                              const ProtobufCMessage *message, struct tt_error *err) TT_CHECKED;

#endif
