/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_CLIP_H
#define TT_OTLP_CLIP_H

/*
 * Limits for the attributes of rows: those too many are left out, values too long are cut.
 *
 * Purpose: one sender's dump in an attribute fills no disk and no table; what receivers do with a batch they have just decoded.
 * Scope:   attributes of spans, log records and data points, and of their events, links and exemplars. Not cut: names, keys,
 *          a log record's body, attributes of resources and scopes.
 * Limits:  every depth that the validator accepts; no recursion.
 * Source:  the OpenTelemetry specification, "Attribute Limits" (there in characters, here in bytes of UTF-8).
 */

#include "otlp/batch.h"

struct tt_clip_limits {
    /* of one span, event, link, log record, data point or exemplar: the first ones stay; 0: no limit */
    uint32_t max_attributes;
    /* of one text or bytes value, also within arrays and maps; 0: no limit. Text is cut between characters. */
    size_t max_value_bytes;
};
extern const struct tt_clip_limits tt_clip_limits_default; /* 128, 4 KiB */

/* What was taken away. */
struct tt_clipped {
    uint64_t
        attributes; /* left out; where the protocol has a dropped_attributes_count they are added to it */
    uint64_t values; /* cut */
};

/*
 * Holds the rows of a batch without edits and columns, which nobody else has a reference of, against the limits. A row over one
 * gets new bytes in the batch's arena; the others are not touched.
 *
 * ret_clipped  set also on failure, to what was done before it
 *
 * TT_NO_MEMORY: some rows are clipped, all are whole.
 * Cost: two compares for a row of at most 2 x max_attributes bytes, four for a span without events and links that is within the
 * limits and shorter than a value may be; one walk over any other row, one copy of a row that is clipped.
 */
enum tt_status tt_batch_clip(struct tt_batch *batch, const struct tt_clip_limits *limits,
                             struct tt_clipped *ret_clipped, struct tt_error *err) TT_CHECKED;

#endif
