/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/evidence.h"
#include "tt_batch.h"

static void knows_the_keys_that_carry_labels(void **state)
{
    static const struct {
        const char *key;
        enum tt_label_field field;
        enum tt_label_source source;
    } cases[] = {
        {"anomaly.type", TT_LABEL_FIELD_TYPE, TT_SOURCE_ATTRIBUTE},
        {"anomaly.label", TT_LABEL_FIELD_LABEL, TT_SOURCE_ATTRIBUTE},
        {"anomaly.root_cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_ATTRIBUTE},
        {"anomaly.msg", TT_LABEL_FIELD_MSG, TT_SOURCE_ATTRIBUTE},
        {"anomaly.label_source", TT_LABEL_FIELD_SOURCE, TT_SOURCE_ATTRIBUTE},
        {"http.request.header.x-anomaly-type", TT_LABEL_FIELD_TYPE, TT_SOURCE_HEADER},
        {"http.request.header.x_anomaly_type", TT_LABEL_FIELD_TYPE, TT_SOURCE_HEADER},
        {"http.request.header.X-Anomaly-Root-Cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_HEADER},
        {"http.request.header.x_anomaly_root_cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_HEADER},
        {"HTTP.REQUEST.HEADER.X-ANOMALY-MSG", TT_LABEL_FIELD_MSG, TT_SOURCE_HEADER},
        {"rpc.request.metadata.x-anomaly-label", TT_LABEL_FIELD_LABEL, TT_SOURCE_HEADER},
        {"rpc.request.metadata.x-anomaly-msg", TT_LABEL_FIELD_MSG, TT_SOURCE_HEADER},
        {"rpc.grpc.request.metadata.x-anomaly-root-cause", TT_LABEL_FIELD_ROOT_CAUSE,
         TT_SOURCE_HEADER},
        {"messaging.header.x-anomaly-msg", TT_LABEL_FIELD_MSG, TT_SOURCE_HEADER},
        {"messaging.header.x-anomaly-root-cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_HEADER},
        {"x-anomaly-type", TT_LABEL_FIELD_TYPE, TT_SOURCE_BAGGAGE},
        {"X-Anomaly-Msg", TT_LABEL_FIELD_MSG, TT_SOURCE_BAGGAGE},
        {"x-anomaly-root-cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_BAGGAGE},
        {"baggage.x-anomaly-msg", TT_LABEL_FIELD_MSG, TT_SOURCE_BAGGAGE},
        {"baggage.x-anomaly-root-cause", TT_LABEL_FIELD_ROOT_CAUSE, TT_SOURCE_BAGGAGE},
        {"", TT_LABEL_FIELD_NONE, 0},
        {"anomaly.typ", TT_LABEL_FIELD_NONE, 0},
        {"anomaly.types", TT_LABEL_FIELD_NONE, 0},
        {"anomaly.score", TT_LABEL_FIELD_NONE, 0},
        {"anomaly.active", TT_LABEL_FIELD_NONE, 0},
        {"anomalytype", TT_LABEL_FIELD_NONE, 0},
        {"x-anomaly-label-source", TT_LABEL_FIELD_NONE, 0},
        {"x-anomaly-other", TT_LABEL_FIELD_NONE, 0},
        {"http.request.header.x-request-id", TT_LABEL_FIELD_NONE, 0},
        {"http.request.header.anomaly.type", TT_LABEL_FIELD_NONE, 0},
        {"http.response.header.x-anomaly-type", TT_LABEL_FIELD_NONE, 0},
        {"http.request.method", TT_LABEL_FIELD_NONE, 0},
        {"xhttp.request.header.x-anomaly-type", TT_LABEL_FIELD_NONE, 0},
        {"messaging.destination.name", TT_LABEL_FIELD_NONE, 0},
        {"http.request.header.x-anomaly-type-and-something-else", TT_LABEL_FIELD_NONE, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_label_key key = tt_label_key_of(tt_str(cases[i].key));
        if (key.field != cases[i].field ||
            (key.field != TT_LABEL_FIELD_NONE && key.source != cases[i].source))
            fail_msg("%s: field %d, source %d", cases[i].key, key.field, key.source);
    }
}

/* The quick test must not reject what the whole comparison would take. */
static void the_quick_test_agrees_with_the_whole_one(void **state)
{
    static const char *const prefixes[] = {"anomaly.",
                                           "x-anomaly-",
                                           "baggage.x_anomaly_",
                                           "messaging.header.X-ANOMALY-",
                                           "http.request.header.x-anomaly-",
                                           "rpc.request.metadata.x-anomaly-",
                                           "rpc.grpc.request.metadata.x-anomaly-"};
    static const char *const names[] = {"type", "label", "root_cause", "root-cause", "msg"};
    char key[100];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(prefixes); i++) {
        for (size_t j = 0; j < TT_LENGTH(names); j++) {
            (void)snprintf(key, sizeof(key), "%s%s", prefixes[i], names[j]);
            assert_int_not_equal(tt_label_key_parse(tt_str(key)).field, TT_LABEL_FIELD_NONE);
            assert_int_not_equal(tt_label_key_of(tt_str(key)).field, TT_LABEL_FIELD_NONE);
        }
    }
}

/* ---- rows ---- */

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define LIST(key, value)                                                                    \
    "{\"key\":\"" key "\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"" value \
    "\"},{\"stringValue\":\"second\"}]}}}"

static struct tt_batch *span_with(const char *attributes, const char *resource)
{
    char json[4096];

    (void)snprintf(json, sizeof(json),
                   "{\"resourceSpans\":[{\"resource\":{\"attributes\":[%s]},\"scopeSpans\":[{"
                   "\"spans\":[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":"
                   "\"0102030405060708\",\"startTimeUnixNano\":\"77\",\"attributes\":[%s]}]}]}]}",
                   resource, attributes);
    return tt_test_batch(TT_TRACES, tt_str(json));
}

static void reads_evidence_from_attributes(void **state)
{
    static const struct {
        const char *attributes;
        const char *expected; /* "source type label root_cause msg", or "-" */
    } cases[] = {
        {"", "-"},
        {TEXT("http.request.method", "GET"), "-"},
        {TEXT("anomaly.type", "cpu"), "attribute cpu anomalous unknown "},
        {TEXT("anomaly.type", "none"), "attribute none normal none "},
        {TEXT("anomaly.type", ""), "attribute none normal none "},
        {TEXT("anomaly.label", "odd"), "attribute none odd none "},
        {TEXT("anomaly.msg", "only a message"), "-"},
        {TEXT("x-anomaly-root-cause", "disk"), "-"},
        {LIST("http.request.header.x-anomaly-type", "latency"),
         "header latency anomalous unknown "},
        {LIST("http.request.header.x_anomaly_type", "latency") "," LIST(
             "http.request.header.x_anomaly_label",
             "l") "," LIST("http.request.header.x_anomaly_root_cause",
                           "db") "," LIST("http.request.header.x_anomaly_msg", "slow"),
         "header latency l db slow"},
        /* all four come from the strongest source, none is mixed in */
        {TEXT("x-anomaly-type", "b") "," TEXT("x-anomaly-msg", "from baggage") "," TEXT(
             "http.request.header.x-anomaly-type", "h"),
         "header h anomalous unknown "},
        {TEXT("http.request.header.x-anomaly-type", "h") "," TEXT("anomaly.type", "a"),
         "attribute a anomalous unknown "},
        {TEXT("x-anomaly-type", "first") "," TEXT("x-anomaly-type", "second"),
         "baggage first anomalous unknown "},
        /* what an earlier labeller wrote keeps its source; its "none" is no evidence */
        {TEXT("anomaly.type", "cpu") "," TEXT("anomaly.label_source", "header"),
         "header cpu anomalous unknown "},
        {TEXT("anomaly.type", "cpu") "," TEXT("anomaly.label_source", "trace"),
         "trace cpu anomalous unknown "},
        {TEXT("anomaly.type", "none") "," TEXT("anomaly.label_source", "none"), "-"},
        {TEXT("anomaly.type", "none") "," TEXT("anomaly.label_source",
                                               "none") "," TEXT("x-anomaly-type", "b"),
         "baggage b anomalous unknown "},
        {TEXT("anomaly.type", "cpu") "," TEXT("anomaly.label_source", "me"),
         "attribute cpu anomalous unknown "},
        {"{\"key\":\"anomaly.type\",\"value\":{\"intValue\":\"5\"}}", "-"},
        {"{\"key\":\"anomaly.type\",\"value\":{\"arrayValue\":{}}}", "-"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_batch *batch = span_with(cases[i].attributes, "");
        struct tt_evidence found;
        char text[300] = "-";
        if (tt_evidence_of_row(batch, &batch->rows[0], TT_SOURCE_ALL, &found)) {
            (void)snprintf(text, sizeof(text), "%.*s %.*s %.*s %.*s %.*s",
                           TT_STR_ARG(tt_label_source_name(found.source)),
                           TT_STR_ARG(found.label.type), TT_STR_ARG(found.label.label),
                           TT_STR_ARG(found.label.root_cause), TT_STR_ARG(found.label.msg));
            assert_int_equal(found.start_ns, 77);
        }
        assert_string_equal(text, cases[i].expected);
        tt_batch_unref(batch);
    }
}

static void looks_only_at_the_sources_it_is_asked_for(void **state)
{
    struct tt_batch *batch =
        span_with(TEXT("anomaly.type", "a") "," TEXT("x-anomaly-type", "b"), "");
    struct tt_evidence found;

    (void)state;
    assert_true(
        tt_evidence_of_row(batch, &batch->rows[0], TT_SOURCE_BIT(TT_SOURCE_BAGGAGE), &found));
    assert_str(found.label.type, "b");
    assert_false(
        tt_evidence_of_row(batch, &batch->rows[0], TT_SOURCE_BIT(TT_SOURCE_HEADER), &found));
    tt_batch_unref(batch);
}

static void reads_evidence_of_resource_and_request(void **state)
{
    struct tt_batch *batch = span_with("", TEXT("anomaly.type", "canary"));
    struct tt_header headers[] = {{TT_STR("user-agent"), TT_STR("k6")},
                                  {TT_STR("x-anomaly-type"), TT_STR("timeout")},
                                  {TT_STR("x-anomaly-msg"), TT_STR("m")}};
    struct tt_metadata request = {.headers = headers, .n_headers = 3};
    struct tt_evidence found;

    (void)state;
    assert_true(tt_evidence_of_resource(batch, 0, TT_SOURCE_ALL, &found));
    assert_str(found.label.type, "canary");
    assert_int_equal(found.source, TT_SOURCE_ATTRIBUTE);
    assert_true(tt_evidence_of_request(&request, &found));
    assert_int_equal(found.source, TT_SOURCE_REQUEST);
    assert_str(found.label.type, "timeout");
    assert_str(found.label.msg, "m");
    request.n_headers = 1;
    assert_false(tt_evidence_of_request(&request, &found));
    tt_batch_unref(batch);
}

static void cuts_long_texts_at_a_character(void **state)
{
    char attributes[2048], type[600];
    struct tt_evidence found;
    struct tt_batch *batch;

    (void)state;
    memset(type, 'x', 255);
    (void)snprintf(type + 255, sizeof(type) - 255, "\xc3\xa9tail");
    (void)snprintf(attributes, sizeof(attributes), TEXT("anomaly.type", "%s"), type);
    batch = span_with(attributes, "");
    assert_true(tt_evidence_of_row(batch, &batch->rows[0], TT_SOURCE_ALL, &found));
    assert_int_equal(found.label.type.len, 255);
    tt_batch_unref(batch);
}

/* ---- order ---- */

static struct tt_evidence evidence(enum tt_label_source source, const char *type, uint64_t start)
{
    struct tt_evidence of = {.label.type = tt_str(type), .source = source, .start_ns = start};

    tt_label_complete(&of.label);
    return of;
}

static void evidence_has_one_order(void **state)
{
    /* each wins over all that follow */
    const struct tt_evidence order[] = {
        evidence(TT_SOURCE_ATTRIBUTE, "b", 5), evidence(TT_SOURCE_HEADER, "b", 1),
        evidence(TT_SOURCE_HEADER, "a", 2),    evidence(TT_SOURCE_HEADER, "b", 2),
        evidence(TT_SOURCE_BAGGAGE, "a", 0),   evidence(TT_SOURCE_REQUEST, "a", 0),
        evidence(TT_SOURCE_ATTRIBUTE, "", 0),  evidence(TT_SOURCE_HEADER, "none", 0),
        evidence(TT_SOURCE_HEADER, "none", 1), evidence(TT_SOURCE_HEADER, "normal", 1),
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(order); i++)
        for (size_t j = 0; j < TT_LENGTH(order); j++)
            assert_int_equal(tt_evidence_wins(&order[i], &order[j]), i < j);
}

static void contradiction_is_another_type(void **state)
{
    const struct tt_evidence a = evidence(TT_SOURCE_HEADER, "a", 1);
    const struct tt_evidence also_a = evidence(TT_SOURCE_BAGGAGE, "a", 2);
    const struct tt_evidence b = evidence(TT_SOURCE_HEADER, "b", 1);
    const struct tt_evidence none = evidence(TT_SOURCE_HEADER, "none", 1);
    const struct tt_evidence normal = evidence(TT_SOURCE_HEADER, "normal", 1);

    (void)state;
    assert_false(tt_evidence_contradicts(&a, &also_a));
    assert_true(tt_evidence_contradicts(&a, &b));
    assert_true(tt_evidence_contradicts(&none, &b));
    assert_false(tt_evidence_contradicts(&none, &normal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_keys_that_carry_labels),
        cmocka_unit_test(the_quick_test_agrees_with_the_whole_one),
        cmocka_unit_test(reads_evidence_from_attributes),
        cmocka_unit_test(looks_only_at_the_sources_it_is_asked_for),
        cmocka_unit_test(reads_evidence_of_resource_and_request),
        cmocka_unit_test(cuts_long_texts_at_a_character),
        cmocka_unit_test(evidence_has_one_order),
        cmocka_unit_test(contradiction_is_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
