/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/evidence.h"

/* ---- keys ---- */

/* ASCII lower case, with - and _ the same. */
static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c == '-' ? '_' : c;
}

/* folded is lower case with _ for -. */
static bool is_folded(struct tt_str text, struct tt_str folded)
{
    if (text.len != folded.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (fold(text.data[i]) != folded.data[i])
            return false;
    return true;
}

static bool cut_prefix(struct tt_str *text, struct tt_str folded)
{
    if (text->len < folded.len || !is_folded(tt_str_of(text->data, folded.len), folded))
        return false;
    *text = tt_str_of(text->data + folded.len, text->len - folded.len);
    return true;
}

static enum tt_label_field field_named(struct tt_str name)
{
    static const struct tt_str names[TT_LABEL_FIELD_NONE] = {
        {"type", 4}, {"label", 5}, {"root_cause", 10}, {"msg", 3}, {"label_source", 12},
    };
    unsigned i = 0;

    while (i < TT_LABEL_FIELD_NONE && !is_folded(name, names[i]))
        i++;
    return (enum tt_label_field)i;
}

/* The four (with anomaly.label_source five) names behind each prefix: msg, type, label, root_cause, label_source. */
#define LETTER(letter) (UINT32_C(1) << ((letter) - 'a' + 1))
const uint32_t tt_label_key_letters[TT_LABEL_KEY_LENGTHS] = {
    [8 + 3] = LETTER('a'),
    [8 + 4] = LETTER('a'),
    [8 + 5] = LETTER('a') | LETTER('x'), /* also x-anomaly-msg */
    [8 + 10] = LETTER('a'),
    [8 + 12] = LETTER('a') | LETTER('x'), /* also x-anomaly-root-cause */
    [10 + 4] = LETTER('x'),
    [10 + 5] = LETTER('x'),
    [18 + 3] = LETTER('b'),
    [18 + 4] = LETTER('b'),
    [18 + 5] = LETTER('b'),
    [18 + 10] = LETTER('b'),
    [27 + 3] = LETTER('m'),
    [27 + 4] = LETTER('m'),
    [27 + 5] = LETTER('m'),
    [27 + 10] = LETTER('m'),
    [30 + 3] = LETTER('h'),
    [30 + 4] = LETTER('h') | LETTER('r'), /* also rpc.request.metadata.x-anomaly-msg */
    [30 + 5] = LETTER('h') | LETTER('r'),
    [30 + 10] = LETTER('h') | LETTER('r'), /* also rpc.grpc.request.metadata.x-anomaly-type */
    [31 + 5] = LETTER('r'),
    [31 + 10] = LETTER('r'),
    [36 + 3] = LETTER('r'),
    [36 + 10] = LETTER('r'),
};

static const struct carrier {
    struct tt_str prefix; /* folded */
    enum tt_label_source source;
} carriers[] = {
    {{"http.request.header.", 20}, TT_SOURCE_HEADER},
    {{"rpc.request.metadata.", 21}, TT_SOURCE_HEADER},
    {{"rpc.grpc.request.metadata.", 26}, TT_SOURCE_HEADER},
    {{"messaging.header.", 17}, TT_SOURCE_HEADER},
    {{"baggage.", 8}, TT_SOURCE_BAGGAGE},
};

struct tt_label_key tt_label_key_parse(struct tt_str key)
{
    struct tt_label_key found = {TT_LABEL_FIELD_NONE, TT_SOURCE_BAGGAGE};

    if (cut_prefix(&key, TT_STR("anomaly."))) {
        found.source = TT_SOURCE_ATTRIBUTE;
        found.field = field_named(key);
        return found;
    }
    for (size_t i = 0; i < TT_LENGTH(carriers); i++) {
        if (cut_prefix(&key, carriers[i].prefix)) {
            found.source = carriers[i].source;
            break;
        }
    }
    if (cut_prefix(&key, TT_STR("x_anomaly_")))
        found.field = field_named(key);
    if (found.field == TT_LABEL_FIELD_SOURCE)
        found.field = TT_LABEL_FIELD_NONE;
    return found;
}

/* ---- what one record says ---- */

#define SOURCES_IN_ATTRIBUTES 3 /* attribute, header, baggage */

struct findings {
    unsigned has[SOURCES_IN_ATTRIBUTES]; /* bits of enum tt_label_field */
    struct tt_str texts[SOURCES_IN_ATTRIBUTES][TT_LABEL_FIELD_NONE];
};

static void add(struct findings *findings, struct tt_label_key key, struct tt_str text)
{
    unsigned bit = 1U << (unsigned)key.field;

    if (findings->has[key.source] & bit) /* readers take the first of two equal keys */
        return;
    findings->has[key.source] |= bit;
    findings->texts[key.source][key.field] =
        tt_label_cut(text, key.field == TT_LABEL_FIELD_MSG ? TT_LABEL_MAX_MSG : TT_LABEL_MAX_TEXT);
}

static struct tt_str text_of(const struct findings *findings, unsigned source,
                             enum tt_label_field field)
{
    if ((findings->has[source] & 1U << (unsigned)field) == 0)
        return (struct tt_str){NULL, 0};
    return findings->texts[source][field];
}

static struct tt_anomaly_label label_of(const struct findings *findings, unsigned source)
{
    struct tt_anomaly_label label = {
        .type = text_of(findings, source, TT_LABEL_FIELD_TYPE),
        .label = text_of(findings, source, TT_LABEL_FIELD_LABEL),
        .root_cause = text_of(findings, source, TT_LABEL_FIELD_ROOT_CAUSE),
        .msg = text_of(findings, source, TT_LABEL_FIELD_MSG),
    };

    tt_label_complete(&label);
    return label;
}

/* The source that an earlier labeller named, when the evidence is its work. */
static enum tt_label_source original_source(const struct findings *findings, unsigned source)
{
    struct tt_str name = text_of(findings, source, TT_LABEL_FIELD_SOURCE);
    enum tt_label_source original = tt_label_source_of(name);

    return original == TT_SOURCE_COUNT ? (enum tt_label_source)source : original;
}

/* A message or root cause alone does not say whether something was wrong. */
#define SAYS_SOMETHING (1U << TT_LABEL_FIELD_TYPE | 1U << TT_LABEL_FIELD_LABEL)

static bool strongest(const struct findings *findings, unsigned sources,
                      struct tt_evidence *ret_evidence)
{
    for (unsigned i = 0; i < SOURCES_IN_ATTRIBUTES; i++) {
        enum tt_label_source source;
        if ((findings->has[i] & SAYS_SOMETHING) == 0 || (sources & TT_SOURCE_BIT(i)) == 0)
            continue;
        source = original_source(findings, i);
        if (source == TT_SOURCE_NONE)
            continue;
        ret_evidence->label = label_of(findings, i);
        ret_evidence->source = source;
        return true;
    }
    return false;
}

/* What has been found so far; `has` is set with the first finding. */
static void note(struct findings *findings, bool *any, struct tt_label_key key,
                 const struct tt_value *value)
{
    struct tt_str text;

    if (key.field == TT_LABEL_FIELD_NONE || !tt_value_first_text(value, &text))
        return;
    if (!*any)
        memset(findings->has, 0, sizeof(findings->has));
    *any = true;
    add(findings, key, text);
}

static void search_plain(struct tt_cursor cursor, struct findings *findings, bool *any)
{
    struct tt_str key, any_value;
    struct tt_value value;

    while (tt_next_key(&cursor, &key, &any_value)) {
        if (TT_LIKELY(!tt_label_key_possible(key)))
            continue;
        value = tt_value_of(any_value);
        note(findings, any, tt_label_key_parse(key), &value);
    }
}

static void search_edited(struct tt_cursor cursor, struct findings *findings, bool *any)
{
    struct tt_attribute attribute;

    while (tt_next_attribute(&cursor, &attribute))
        note(findings, any, tt_label_key_of(attribute.key), &attribute.value);
}

bool tt_evidence_among(struct tt_cursor attributes, unsigned sources,
                       struct tt_evidence *ret_evidence)
{
    struct findings findings;
    bool any = false;

    if (TT_LIKELY(tt_cursor_is_plain(&attributes)))
        search_plain(attributes, &findings, &any);
    else
        search_edited(attributes, &findings, &any);
    return any && strongest(&findings, sources, ret_evidence);
}

bool tt_evidence_of_row(const struct tt_batch *batch, const struct tt_row *row, unsigned sources,
                        struct tt_evidence *ret_evidence)
{
    if (!tt_evidence_among(tt_row_attributes(batch, row), sources, ret_evidence))
        return false;
    ret_evidence->start_ns = tt_evidence_time(batch->signal, row);
    return true;
}

bool tt_evidence_of_resource(const struct tt_batch *batch, uint32_t resource, unsigned sources,
                             struct tt_evidence *ret_evidence)
{
    ret_evidence->start_ns = 0;
    return tt_evidence_among(tt_resource_attributes(batch, resource), sources, ret_evidence);
}

bool tt_evidence_of_request(const struct tt_metadata *metadata, struct tt_evidence *ret_evidence)
{
    struct findings findings;

    memset(findings.has, 0, sizeof(findings.has));
    for (size_t i = 0; i < metadata->n_headers; i++) {
        struct tt_label_key key = tt_label_key_of(metadata->headers[i].name);
        if (key.field != TT_LABEL_FIELD_NONE && key.source == TT_SOURCE_BAGGAGE)
            add(&findings, key, metadata->headers[i].value);
    }
    if (!strongest(&findings, TT_SOURCE_BIT(TT_SOURCE_BAGGAGE), ret_evidence))
        return false;
    ret_evidence->source = TT_SOURCE_REQUEST;
    ret_evidence->start_ns = 0;
    return true;
}

/* ---- rows ---- */

uint64_t tt_evidence_time(enum tt_signal signal, const struct tt_row *row)
{
    if (signal == TT_TRACES)
        return row->span.start_ns;
    if (signal == TT_METRICS)
        return row->point.time_ns;
    return row->log.time_ns != 0 ? row->log.time_ns : row->log.observed_ns;
}

const uint8_t *tt_evidence_trace_id(enum tt_signal signal, const struct tt_row *row)
{
    if (signal == TT_TRACES)
        return row->span.trace_id;
    return signal == TT_LOGS ? row->log.trace_id : NULL;
}

/* ---- order ---- */

static int compare_texts(const struct tt_anomaly_label *a, const struct tt_anomaly_label *b)
{
    int order = tt_str_compare(a->type, b->type);

    if (order == 0)
        order = tt_str_compare(a->label, b->label);
    if (order == 0)
        order = tt_str_compare(a->root_cause, b->root_cause);
    return order != 0 ? order : tt_str_compare(a->msg, b->msg);
}

bool tt_evidence_wins(const struct tt_evidence *a, const struct tt_evidence *b)
{
    bool a_anomalous = tt_label_is_anomalous(a->label.type);

    if (a_anomalous != tt_label_is_anomalous(b->label.type))
        return a_anomalous;
    if (a->source != b->source)
        return a->source < b->source;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns;
    return compare_texts(&a->label, &b->label) < 0;
}

bool tt_evidence_contradicts(const struct tt_evidence *a, const struct tt_evidence *b)
{
    bool a_anomalous = tt_label_is_anomalous(a->label.type);

    if (a_anomalous != tt_label_is_anomalous(b->label.type))
        return true;
    return a_anomalous && !tt_str_equal(a->label.type, b->label.type);
}
