/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_ANOMALY_LABELS_EVIDENCE_H
#define TT_ANOMALY_LABELS_EVIDENCE_H

/*
 * Label evidence in a row, its resource and its request, and which of two pieces wins.
 *
 * Purpose:   the one place that knows under which keys labels travel; used live and by `telltale dataset extract`.
 * Ownership: labels are views into the batch (or static text) and live as long as it.
 * Threads:   no state.
 * Limits:    texts are cut as model/label.h says.
 * Cost:      one pass over the attributes; most keys are rejected by their length and first letter.
 * Source:    DESIGN.md section 6; OpenTelemetry semantic conventions, HTTP, RPC and messaging attributes.
 */

#include "model/label.h"
#include "otlp/cursor.h"

enum tt_label_field {
    TT_LABEL_FIELD_TYPE,
    TT_LABEL_FIELD_LABEL,
    TT_LABEL_FIELD_ROOT_CAUSE,
    TT_LABEL_FIELD_MSG,
    TT_LABEL_FIELD_SOURCE, /* anomaly.label_source: where an earlier labeller had it from */
    TT_LABEL_FIELD_NONE,
};

struct tt_label_key {
    enum tt_label_field field;
    enum tt_label_source source; /* ATTRIBUTE, HEADER or BAGGAGE; undefined for FIELD_NONE */
};

/* One piece of evidence; the label is complete. */
struct tt_evidence {
    struct tt_anomaly_label label;
    enum tt_label_source source;
    uint64_t start_ns; /* of the row that carried it */
};

/* Sets of sources: TT_SOURCE_BIT(TT_SOURCE_HEADER) | … */
#define TT_SOURCE_BIT(source) (1U << (unsigned)(source))
#define TT_SOURCE_ALL         (TT_SOURCE_BIT(TT_SOURCE_NONE) - 1U)

/* Behind tt_label_key_of(): the whole comparison. */
struct tt_label_key tt_label_key_parse(struct tt_str key);

/* Bits of the letters with which a label key of each length may begin (bit 1 is A and a). Shortest "anomaly.msg", longest
 * "rpc.grpc.request.metadata.x-anomaly-root-cause". */
#define TT_LABEL_KEY_SHORTEST 11
#define TT_LABEL_KEY_LENGTHS  47
extern const uint32_t tt_label_key_letters[TT_LABEL_KEY_LENGTHS];

static inline bool tt_label_key_possible(struct tt_str key)
{
    return key.len - TT_LABEL_KEY_SHORTEST < TT_LABEL_KEY_LENGTHS - TT_LABEL_KEY_SHORTEST &&
           (tt_label_key_letters[key.len] >> ((unsigned char)key.data[0] & 31) & 1) != 0;
}

/* Which value of a label an attribute of that key holds:
 *   attribute  anomaly.type, .label, .root_cause, .msg, .label_source
 *   header     http.request.header.x-anomaly-*, rpc.request.metadata.…, rpc.grpc.request.metadata.…, messaging.header.…
 *   baggage    x-anomaly-*, baggage.x-anomaly-*
 * in any case, with - or _ between words. */
static inline struct tt_label_key tt_label_key_of(struct tt_str key)
{
    if (TT_LIKELY(!tt_label_key_possible(key)))
        return (struct tt_label_key){TT_LABEL_FIELD_NONE, TT_SOURCE_NONE};
    return tt_label_key_parse(key);
}

/* The strongest evidence among attributes; start_ns is left alone. */
bool tt_evidence_among(struct tt_cursor attributes, unsigned sources,
                       struct tt_evidence *ret_evidence);
/* The strongest evidence among the attributes of a row (not of its resource); sources: which to look at. A label that an earlier
 * labeller wrote keeps its anomaly.label_source; one with source "none" is no evidence. start_ns is the row's time. */
bool tt_evidence_of_row(const struct tt_batch *batch, const struct tt_row *row, unsigned sources,
                        struct tt_evidence *ret_evidence);
/* The same of a resource; start_ns 0. */
bool tt_evidence_of_resource(const struct tt_batch *batch, uint32_t resource, unsigned sources,
                             struct tt_evidence *ret_evidence);
/* x-anomaly-* among the headers of a request (TT_SOURCE_REQUEST); start_ns 0. */
bool tt_evidence_of_request(const struct tt_metadata *metadata, struct tt_evidence *ret_evidence);

/* A span's start, a point's time, a log record's time (observed time when it has none). */
uint64_t tt_evidence_time(enum tt_signal signal, const struct tt_row *row);
/* 16 bytes, or NULL. */
const uint8_t *tt_evidence_trace_id(enum tt_signal signal, const struct tt_row *row);

/* Whether a decides over b for a trace: anomalous before normal, then the source, then the earliest start, then the bytes of type,
 * label, root cause and message. A strict order. */
bool tt_evidence_wins(const struct tt_evidence *a, const struct tt_evidence *b);
/* Whether two pieces of one trace say different things: another type. */
bool tt_evidence_contradicts(const struct tt_evidence *a, const struct tt_evidence *b);

#endif
