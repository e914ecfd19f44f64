/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_MODEL_LABEL_H
#define TT_MODEL_LABEL_H

/*
 * What a row was recorded under: the four values of a label, and the names of the columns that carry it.
 *
 * Purpose:   processors write these columns, exporters and commands read them; all use one spelling.
 * Ownership: texts are views; who keeps a label copies them.
 * Threads:   no state.
 * Source:    DESIGN.md section 6.
 */

#include "base/str.h"

#define TT_LABEL_COLUMN_TYPE       "anomaly.type"
#define TT_LABEL_COLUMN_LABEL      "anomaly.label"
#define TT_LABEL_COLUMN_ROOT_CAUSE "anomaly.root_cause"
#define TT_LABEL_COLUMN_MSG        "anomaly.msg"
#define TT_LABEL_COLUMN_SOURCE     "anomaly.label_source"
#define TT_LABEL_COLUMN_ACTIVE     "anomaly.active"

/* All four always come from one piece of evidence. */
struct tt_anomaly_label {
    struct tt_str type, label, root_cause, msg;
};

/* Most bytes of type, label and root cause, and of the message; longer texts are cut at a character. */
#define TT_LABEL_MAX_TEXT ((size_t)256)
#define TT_LABEL_MAX_MSG  ((size_t)1024)

/* Where a label came from, strongest first: the order decides between contradicting evidence. */
enum tt_label_source {
    TT_SOURCE_ATTRIBUTE,
    TT_SOURCE_HEADER,
    TT_SOURCE_BAGGAGE,
    TT_SOURCE_TRACE,
    TT_SOURCE_REQUEST,
    TT_SOURCE_WINDOW,
    TT_SOURCE_NONE, /* no evidence */
    TT_SOURCE_COUNT,
};

static inline struct tt_str tt_label_source_name(enum tt_label_source source)
{
    static const struct tt_str names[TT_SOURCE_COUNT] = {
        {"attribute", 9}, {"header", 6}, {"baggage", 7}, {"trace", 5},
        {"request", 7},   {"window", 6}, {"none", 4},
    };

    return names[source];
}

/* The source of that name; TT_SOURCE_COUNT when there is none. */
static inline enum tt_label_source tt_label_source_of(struct tt_str name)
{
    unsigned i = 0;

    while (i < TT_SOURCE_COUNT &&
           !tt_str_equal(name, tt_label_source_name((enum tt_label_source)i)))
        i++;
    return (enum tt_label_source)i;
}

/* "none", "normal" and empty say that all was well; "unknown" says nothing (on_missing: unknown). */
static inline bool tt_label_is_anomalous(struct tt_str type)
{
    return type.len > 0 && !tt_str_equal(type, TT_STR("none")) &&
           !tt_str_equal(type, TT_STR("normal")) && !tt_str_equal(type, TT_STR("unknown"));
}

static inline bool tt_label_equal(const struct tt_anomaly_label *a,
                                  const struct tt_anomaly_label *b)
{
    return tt_str_equal(a->type, b->type) && tt_str_equal(a->label, b->label) &&
           tt_str_equal(a->root_cause, b->root_cause) && tt_str_equal(a->msg, b->msg);
}

/* s, or its longest beginning of at most max bytes that does not end inside a UTF-8 character. */
static inline struct tt_str tt_label_cut(struct tt_str s, size_t max)
{
    if (s.len <= max)
        return s;
    s.len = max;
    while (s.len > 0 && ((unsigned char)s.data[s.len] & 0xC0) == 0x80)
        s.len--;
    return s;
}

/* Gives the values that the evidence left out their default: type "none", label "anomalous" or "normal", root cause
 * "unknown" or "none"; msg stays empty. */
static inline void tt_label_complete(struct tt_anomaly_label *label)
{
    bool anomalous = tt_label_is_anomalous(label->type);

    if (label->type.len == 0)
        label->type = TT_STR("none");
    if (label->label.len == 0)
        label->label = anomalous ? TT_STR("anomalous") : TT_STR("normal");
    if (label->root_cause.len == 0)
        label->root_cause = anomalous ? TT_STR("unknown") : TT_STR("none");
}

#endif
