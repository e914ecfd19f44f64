/* SPDX-License-Identifier: Apache-2.0 */
/* The strict form, byte by byte; edits, columns, dropped rows and ranges. */
#include "otlp/overlay.h"
#include "test_json_support.h"

#include <jansson.h>

#define TRACES(scope_spans) \
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[" scope_spans "]}]}"
#define SPANS(spans)     TRACES("{\"scope\":{},\"spans\":[" spans "]}")
#define ATTRIBUTES(list) SPANS("{\"attributes\":[" list "],\"status\":{}}")
#define METRICS(metrics)                                                                           \
    "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{\"scope\":{},\"metrics\":[" metrics \
    "]}]}]}"
#define LOGS(records)                                                                           \
    "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[" records \
    "]}]}]}"
#define KV(key, value)  "{\"key\":\"" key "\",\"value\":{" value "}}"
#define TEXT(key, text) KV(key, "\"stringValue\":\"" text "\"")

/* Longer than what a length of one byte tells. */
#define LONG                                                                 \
    "0123456789012345678901234567890123456789012345678901234567890123456789" \
    "0123456789012345678901234567890123456789012345678901234567890123456789"

#define TRACE_ID "\"traceId\":\"5b8efff798038103d269b633813fc60c\""
#define SPAN_ID  "\"spanId\":\"eee19b7ec3c1b174\""

/* ---- documents that are in the strict form already: what is written is what was read ---- */

static const struct {
    enum tt_signal signal;
    const char *json;
} strict[] = {
    {TT_TRACES, SPANS("{\"status\":{}}")},
    {TT_TRACES,
     "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
         "service.name",
         "cart") "],\"droppedAttributesCount\":1,"
                 "\"entityRefs\":[{\"schemaUrl\":\"u\",\"type\":\"t\",\"idKeys\":[\"a\",\"b\"],\"descriptionKeys\":[\"c\"]}]},"
                 "\"scopeSpans\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1\",\"attributes\":[" KV(
                     "x",
                     "\"boolValue\":true") "],\"droppedAttributesCount\":2},\"spans\":[{" TRACE_ID
                                           "," SPAN_ID
                                           ",\"traceState\":\"a=b\",\"parentSpanId\":\"eee19b7ec3c1b173\",\"flags\":257,\"name\":\"I\\\"m\",\"kind\":2,"
                                           "\"startTimeUnixNano\":\"1544712660000000000\",\"endTimeUnixNano\":\"18446744073709551615\",\"attributes\":[" TEXT("k", "v") "],\"droppedAttributesCount\":3,\"events\":[{\"timeUnixNano\":\"1\",\"name\":\"e\",\"attributes\":[" KV(
                                               "n",
                                               "\"intValue\":\"-7\"") "],\"droppedAttributesCount\":4},{\"name\":\"f\"}],\"droppedEventsCount\":5,\"links\":[{" TRACE_ID
                                                                      "," SPAN_ID
                                                                      ",\"traceState\":\"c=d\",\"attributes\":[" TEXT(
                                                                          "l",
                                                                          "") "],\"droppedAttributesCount\":6,"
                                                                              "\"flags\":1}],\"droppedLinksCount\":7,\"status\":{\"message\":\"bad\",\"code\":2}}],\"schemaUrl\":\"s1\"}],"
                                                                              "\"schemaUrl\":\"s2\"}]}"},
    /* envelopes */
    {TT_TRACES,
     "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{\"name\":\"a\"},\"spans\":[{\"name\":\"1\","
     "\"status\":{}},{\"name\":\"2\",\"status\":{}}]},{\"scope\":{\"name\":\"b\"},\"spans\":[{\"name\":\"3\","
     "\"status\":{}}],\"schemaUrl\":\"x\"}]},{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"name\":\"4\","
     "\"status\":{}}]}],\"schemaUrl\":\"y\"}]}"},
    /* members around the attributes of a span, with and without them */
    {TT_TRACES, SPANS("{\"droppedLinksCount\":1,\"status\":{\"code\":1}}")},
    {TT_TRACES, SPANS("{\"attributes\":[" TEXT("a", "b") "],\"status\":{\"message\":\"m\"}}")},
    {TT_TRACES, SPANS("{\"events\":[{}],\"links\":[{}],\"status\":{}}")},
    {TT_TRACES,
     SPANS("{\"traceState\":\"a=b\",\"flags\":256,\"attributes\":[" TEXT("long", LONG) "," TEXT(
         LONG, "") "," KV("n",
                          "\"kvlistValue\":{\"values\":[" TEXT(
                              "long", LONG) "]}") "],\"droppedAttributesCount\":1,\"status\":{}}")},
    /* values */
    {TT_TRACES, ATTRIBUTES(TEXT("a", "b") "," TEXT("c", ""))},
    {TT_TRACES, ATTRIBUTES(KV("t", "\"boolValue\":true") "," KV("f", "\"boolValue\":false"))},
    {TT_TRACES,
     ATTRIBUTES(
         KV("a", "\"intValue\":\"0\"") "," KV("b", "\"intValue\":\"-9223372036854775808\"") "," KV(
             "c", "\"intValue\":\"9223372036854775807\""))},
    {TT_TRACES,
     ATTRIBUTES(
         KV("a", "\"doubleValue\":0") "," KV("b", "\"doubleValue\":0.1") "," KV("c", "\"doubleValue\":\"NaN\"") "," KV(
             "d",
             "\"doubleValue\":\"-Infinity\"") "," KV("e",
                                                     "\"doubleValue\":5e-324") "," KV("f",
                                                                                      "\"doubleValue\":-1.5"))},
    {TT_TRACES,
     ATTRIBUTES(KV("a", "\"bytesValue\":\"\"") "," KV("b", "\"bytesValue\":\"AA==\"") "," KV(
         "c", "\"bytesValue\":\"+/8=\"") "," KV("d", "\"bytesValue\":\"AQID\""))},
    {TT_TRACES,
     ATTRIBUTES(KV("none", "") "," KV("a", "\"arrayValue\":{}") "," KV("m", "\"kvlistValue\":{}"))},
    /* arrays of one text, which are written in one go, and what only looks like one */
    {TT_TRACES, ATTRIBUTES(KV("a", "\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"}]}") "," KV(
                    "e", "\"arrayValue\":{\"values\":[{\"stringValue\":\"\"}]}"))},
    {TT_TRACES,
     ATTRIBUTES(
         KV("o", "\"arrayValue\":{\"values\":[{}]}") "," KV("i", "\"arrayValue\":{\"values\":[{\"intValue\":\"7\"}]}") "," KV(
             "b",
             "\"arrayValue\":{\"values\":[{\"bytesValue\":\"eA==\"}]}") "," KV("k",
                                                                               "\"kvlistValue\":{\"values\":[" TEXT(
                                                                                   "x",
                                                                                   "y") "]}"))},
    {TT_TRACES,
     ATTRIBUTES(KV(
         "a", "\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"},{},{\"arrayValue\":{\"values\":["
              "{\"intValue\":\"1\"}]}},{\"boolValue\":false}]}"))},
    {TT_TRACES, ATTRIBUTES(KV("m", "\"kvlistValue\":{\"values\":[" TEXT("x", "y") "," KV(
                                       "n", "\"kvlistValue\":{\"values\":["
                                            "{\"value\":{}}"
                                            "]}") "]}"))},
    {TT_TRACES, ATTRIBUTES("{\"value\":{\"stringValue\":\"no key\"}}")},
    /* metrics */
    {TT_METRICS,
     METRICS(
         "{\"name\":\"m\",\"description\":\"d\",\"unit\":\"By\",\"gauge\":{\"dataPoints\":[{\"attributes\":[" TEXT("a", "b") "],\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"2\",\"asInt\":\"0\",\"exemplars\":[{\"filteredAttributes\":[" TEXT(
             "f", "g") "],\"timeUnixNano\":\"3\",\"asInt\":\"-4\"," SPAN_ID "," TRACE_ID
                       "},{\"asDouble\":0}],\"flags\":1},"
                       "{\"asDouble\":1.5}]},\"metadata\":[" TEXT("meta", "data") "]}")},
    {TT_METRICS,
     METRICS(
         "{\"name\":\"m\",\"sum\":{\"dataPoints\":[{\"asDouble\":\"NaN\"}],\"aggregationTemporality\":2,"
         "\"isMonotonic\":true}},{\"sum\":{\"dataPoints\":[{}],\"aggregationTemporality\":1}}")},
    {TT_METRICS,
     METRICS("{\"histogram\":{\"dataPoints\":[{\"attributes\":[" TEXT(
         "a",
         "b") "],\"startTimeUnixNano\":\"1\","
              "\"timeUnixNano\":\"2\",\"count\":\"3\",\"sum\":0,\"bucketCounts\":[\"0\",\"1\",\"18446744073709551615\"],"
              "\"explicitBounds\":[0,1.5],\"exemplars\":[{}],\"flags\":1,\"min\":0,\"max\":-2}],\"aggregationTemporality\":1}}")},
    {TT_METRICS,
     METRICS("{\"exponentialHistogram\":{\"dataPoints\":[{\"attributes\":[" TEXT(
         "a",
         "b") "],\"startTimeUnixNano\":\"1\","
              "\"timeUnixNano\":\"2\",\"count\":\"3\",\"sum\":4,\"scale\":-2,\"zeroCount\":\"5\",\"positive\":{\"offset\":-1,"
              "\"bucketCounts\":[\"1\",\"300\"]},\"negative\":{},\"flags\":1,\"exemplars\":[{\"asInt\":\"1\"}],\"min\":1,\"max\":2,"
              "\"zeroThreshold\":0.5}],\"aggregationTemporality\":2}}")},
    {TT_METRICS,
     METRICS("{\"summary\":{\"dataPoints\":[{\"attributes\":[" TEXT(
         "a",
         "b") "],\"timeUnixNano\":\"2\",\"count\":\"3\","
              "\"sum\":4,\"quantileValues\":[{\"quantile\":0.99,\"value\":1},{\"value\":2},{}],\"flags\":1}]}}")},
    /* logs */
    {TT_LOGS, LOGS("{\"body\":{}}")},
    {TT_LOGS,
     LOGS(
         "{\"timeUnixNano\":\"1\",\"observedTimeUnixNano\":\"2\",\"severityNumber\":10,\"severityText\":\"Info\","
         "\"body\":{\"stringValue\":\"b\"},\"attributes\":[" TEXT(
             "a", "b") "],\"droppedAttributesCount\":1,\"flags\":1," TRACE_ID "," SPAN_ID
                       ",\"eventName\":\"e\"},{\"body\":{\"kvlistValue\":{\"values\":[" TEXT(
                           "k", "v") "]}}}")},
};

static void writes_the_strict_form_in_the_collectors_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(strict); i++) {
        struct tt_batch *batch = batch_of_json(strict[i].signal, tt_str(strict[i].json));
        struct tt_buffer out = json_of_batch(batch);
        assert_str(tt_buffer_view(&out), strict[i].json);
        tt_buffer_done(&out);
        tt_batch_unref(batch);
    }
}

static void leaves_zero_values_out_and_restores_the_order(void **state)
{
    static const struct {
        enum tt_signal signal;
        const char *json, *expected;
    } cases[] = {
        {TT_TRACES,
         "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"00000000000000000000000000000000\","
         "\"name\":\"\",\"kind\":0,\"attributes\":[],\"links\":[{\"spanId\":\"0000000000000000\",\"flags\":0}]}]}]}]}",
         SPANS("{\"links\":[{}],\"status\":{}}")},
        {TT_METRICS,
         "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"exponentialHistogram\":{\"dataPoints\":[{}]}}]}]}]}",
         METRICS(
             "{\"exponentialHistogram\":{\"dataPoints\":[{\"positive\":{},\"negative\":{}}]}}")},
        {TT_TRACES,
         "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"key\":\"k\"},{}]}]}]}]}",
         ATTRIBUTES("{\"key\":\"k\",\"value\":{}},{\"value\":{}}")},
        /* members out of order */
        {TT_TRACES,
         SPANS("{\"attributes\":[" TEXT("long",
                                        LONG) "],\"flags\":1,\"name\":\"n\",\"traceState\":\"s\"}"),
         SPANS("{\"traceState\":\"s\",\"flags\":1,\"name\":\"n\",\"attributes\":[" TEXT(
             "long", LONG) "],\"status\":{}}")},
        {TT_TRACES, "{}", "{\"resourceSpans\":[]}"},
        {TT_LOGS, "{\"resourceLogs\":[{\"scopeLogs\":[{}]}]}", "{\"resourceLogs\":[]}"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_batch *batch = batch_of_json(cases[i].signal, tt_str(cases[i].json));
        struct tt_buffer out = json_of_batch(batch);
        assert_str(tt_buffer_view(&out), cases[i].expected);
        tt_buffer_done(&out);
        tt_batch_unref(batch);
    }
}

/* ---- edits, columns, dropped rows ---- */

static struct tt_value text_value(const char *text)
{
    return (struct tt_value){.type = TT_VALUE_STRING, .text = tt_str(text)};
}

static json_t *first_of(json_t *object, const char *name)
{
    return json_array_get(json_object_get(object, name), 0);
}

static json_t *attributes_of_first_span(json_t *document)
{
    json_t *scope = first_of(first_of(document, "resourceSpans"), "scopeSpans");

    return json_object_get(first_of(scope, "spans"), "attributes");
}

static const char *key_at(json_t *attributes, size_t index)
{
    return json_string_value(json_object_get(json_array_get(attributes, index), "key"));
}

/* Insertion sort: there are three. */
static void sort_by_key(json_t *attributes)
{
    for (size_t i = 1; i < json_array_size(attributes); i++) {
        for (size_t k = i; k > 0 && strcmp(key_at(attributes, k), key_at(attributes, k - 1)) < 0;
             k--) {
            json_t *moved = json_incref(json_array_get(attributes, k));
            assert_int_equal(json_array_remove(attributes, k), 0);
            assert_int_equal(json_array_insert_new(attributes, k - 1, moved), 0);
        }
    }
}

static void writes_edits(void **state)
{
    struct tt_value value = text_value("new"), number = {.type = TT_VALUE_INT, .integer = -3};
    struct tt_batch *batch = batch_of_json(
        TT_TRACES,
        TT_STR("{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
            "r",
            "1") "]},\"scopeSpans\":[{\"scope\":{"
                 "\"name\":\"lib\",\"attributes\":[" TEXT("s", "1") "]},\"spans\":[{\"name\":\"old\",\"attributes\":[" TEXT(
                     "a",
                     "1") "," TEXT("b",
                                   "2") "," KV("c",
                                               "\"arrayValue\":{\"values\":[{}]}") "]}]}]}]}"));
    struct tt_row *row = &batch->rows[0];

    (void)state;
    assert_true(tt_row_set_attribute(batch, row, TT_STR("a"), &value));
    assert_true(tt_row_set_attribute(batch, row, TT_STR("d"), &number));
    assert_true(tt_row_delete_attribute(batch, row, TT_STR("b")));
    assert_true(tt_span_set_name(batch, row, TT_STR("n")));
    assert_true(tt_span_set_status(batch, row, 2, TT_STR("m")));
    assert_true(tt_resource_set_attribute(batch, 0, TT_STR("r"), &value));
    assert_true(tt_scope_delete_attribute(batch, 0, TT_STR("s")));
    struct tt_buffer out = json_of_batch(batch);
    json_t *read = json_loadb(out.data, out.len, 0, NULL);
    assert_non_null(read);
    json_t *expected = json_loads(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
            "r",
            "new") "]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\"},"
                   "\"spans\":[{\"name\":\"n\",\"attributes\":[" TEXT("a", "new") "," KV(
                       "c",
                       "\"arrayValue\":{\"values\":[{}]}") "," KV("d",
                                                                  "\"intValue\":\"-3\"") "],\"status\":{\"message\":\"m\",\"code\":2}}]}]}]}",
        0, NULL);
    assert_non_null(expected);
    /* The overlay decides where an edited attribute stands. */
    sort_by_key(attributes_of_first_span(read));
    sort_by_key(attributes_of_first_span(expected));
    if (!json_equal(read, expected))
        fail_msg("%.*s", TT_STR_ARG(tt_buffer_view(&out)));
    json_decref(read);
    json_decref(expected);
    tt_buffer_done(&out);
    tt_batch_unref(batch);
}

static const struct tt_column_desc columns[] = {{"anomaly.type", TT_COLUMN_TEXT, ""},
                                                {"anomaly.score", TT_COLUMN_DOUBLE, ""},
                                                {"n", TT_COLUMN_INT, ""}};

/* Attributes of the rows, and columns as attributes. */
#define LIST(attributes) "\"attributes\":[" attributes "]"
#define OWN              TEXT("k", "v")
#define OLD_TYPE         TEXT("anomaly.type", "old")
#define TYPE             TEXT("anomaly.type", "t\\\"x")
#define SCORE            KV("anomaly.score", "\"doubleValue\":0.5")
#define NUMBER           KV("n", "\"intValue\":\"-7\"")

static void writes_columns_after_attributes_and_hides_what_they_shadow(void **state)
{
    static const struct {
        enum tt_signal signal;
        const char *json, *expected;
    } cases[] = {
        /* clang-format off */
        {TT_TRACES,
         SPANS("{" LIST(OLD_TYPE "," OWN "," TEXT("anomaly.typf", "x")) ",\"status\":{}},"
               "{\"status\":{}},"
               "{" LIST(TEXT("n", "mine")) ",\"status\":{}},"
               "{" LIST(OLD_TYPE "," TEXT("n", "mine")) ",\"status\":{}}"),
         SPANS("{" LIST(OWN "," TEXT("anomaly.typf", "x") "," TYPE "," SCORE) ",\"status\":{}},"
               "{" LIST(TYPE) ",\"status\":{}},"
               "{" LIST(NUMBER) ",\"status\":{}},"
               "{" LIST(OLD_TYPE "," TEXT("n", "mine")) ",\"status\":{}}")},
        {TT_LOGS,
         LOGS("{\"timeUnixNano\":\"1\",\"body\":{}," LIST(OLD_TYPE) ",\"flags\":1},{\"body\":{}},{\"body\":{}}"),
         LOGS("{\"timeUnixNano\":\"1\",\"body\":{}," LIST(TYPE "," SCORE) ",\"flags\":1},"
              "{\"body\":{}," LIST(TYPE) "},{\"body\":{}," LIST(NUMBER) "}")},
        {TT_METRICS,
         METRICS("{\"summary\":{\"dataPoints\":[{" LIST(OWN) ",\"count\":\"1\"},{},{}]}}"),
         METRICS("{\"summary\":{\"dataPoints\":[{" LIST(OWN "," TYPE "," SCORE) ",\"count\":\"1\"},"
                 "{" LIST(TYPE) "},{" LIST(NUMBER) "}]}}")},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_batch *batch = batch_of_json(cases[i].signal, tt_str(cases[i].json));
        for (size_t c = 0; c < TT_LENGTH(columns); c++)
            assert_non_null(tt_batch_column(batch, &columns[c]));
        tt_column_set_text(&batch->columns[0], 0, TT_STR("t\"x"));
        tt_column_set_text(&batch->columns[0], 1, TT_STR("t\"x"));
        tt_column_set_double(&batch->columns[1], 0, 0.5);
        tt_column_set_int(&batch->columns[2], 2, -7);
        struct tt_buffer out = json_of_batch(batch);
        assert_str(tt_buffer_view(&out), cases[i].expected);
        tt_buffer_done(&out);
        tt_batch_unref(batch);
    }
}

static void leaves_dropped_rows_and_their_envelopes_out(void **state)
{
    struct tt_batch *batch = batch_of_json(
        TT_TRACES,
        TT_STR(TRACES(
            "{\"scope\":{\"name\":\"a\"},\"spans\":[{\"name\":\"1\"},{\"name\":\"2\"}]},{\"scope\":{\"name\":\"b\"},"
            "\"spans\":[{\"name\":\"3\"}]},{\"scope\":{\"name\":\"c\"},\"spans\":[{\"name\":\"4\"}]}")));

    (void)state;
    tt_row_drop(batch, &batch->rows[0]);
    tt_row_drop(batch, &batch->rows[2]);
    struct tt_buffer out = json_of_batch(batch);
    assert_str(
        tt_buffer_view(&out),
        TRACES(
            "{\"scope\":{\"name\":\"a\"},\"spans\":[{\"name\":\"2\",\"status\":{}}]},{\"scope\":{\"name\":\"c\"},\"spans\":[{"
            "\"name\":\"4\",\"status\":{}}]}"));
    tt_buffer_done(&out);
    tt_row_drop(batch, &batch->rows[1]);
    tt_row_drop(batch, &batch->rows[3]);
    out = json_of_batch(batch);
    assert_str(tt_buffer_view(&out), "{\"resourceSpans\":[]}");
    tt_buffer_done(&out);
    tt_batch_unref(batch);
}

/* ---- ranges ---- */

static struct tt_batch *batch_of_metrics(void)
{
    return batch_of_json(
        TT_METRICS,
        TT_STR("{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" TEXT(
            "r",
            "1") "]},\"scopeMetrics\":[{\"scope\":{\"name\":\"s\"},"
                 "\"metrics\":[{\"name\":\"m\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"0\"},{\"asInt\":\"1\"},{\"asInt\":\"2\"}]}},"
                 "{\"name\":\"n\",\"sum\":{\"dataPoints\":[{\"asInt\":\"3\"},{\"asInt\":\"4\"}],\"isMonotonic\":true}}],"
                 "\"schemaUrl\":\"http://x/y\"}]},{\"resource\":{},\"scopeMetrics\":[{\"scope\":{},\"metrics\":[{\"gauge\":{"
                 "\"dataPoints\":[{\"asInt\":\"5\"}]}}]}],\"schemaUrl\":\"u\"}]}"));
}

static void assert_same_envelope(const struct tt_batch *part, const struct tt_row *in_part,
                                 const struct tt_batch *whole, const struct tt_row *row)
{
    const struct tt_metric *metric = &part->metrics[in_part->point.metric];

    assert_str_equal(tt_row_scope(part, in_part)->schema_url, tt_row_scope(whole, row)->schema_url);
    assert_str_equal(tt_row_resource(part, in_part)->schema_url,
                     tt_row_resource(whole, row)->schema_url);
    assert_str_equal(metric->name, whole->metrics[row->point.metric].name);
    assert_int_equal(metric->type, whole->metrics[row->point.metric].type);
    assert_int_equal(metric->monotonic, whole->metrics[row->point.metric].monotonic);
}

static void splits_documents_at_the_soft_limit(void **state)
{
    struct tt_batch *batch = batch_of_metrics();
    struct tt_buffer whole = json_of_batch(batch);

    (void)state;
    assert_int_equal(batch->n_rows, 6);
    for (size_t limit = 1; limit <= whole.len + 200; limit++) {
        struct tt_json_range range = {.first = 0, .soft_limit = limit};
        int64_t next_value = 0;
        while (range.first < batch->n_rows) {
            struct tt_buffer out;
            tt_buffer_init(&out, MAX_OUT);
            tt_buffer_append_str(&out, TT_STR("before"));
            tt_json_write(batch, &range, &out);
            assert_true(range.next > range.first);
            assert_true(out.len - 6 <= limit || range.next == range.first + 1);
            struct tt_batch *part = batch_of_json(TT_METRICS, tt_str_of(out.data + 6, out.len - 6));
            assert_int_equal(part->n_rows, range.next - range.first);
            for (uint32_t i = 0; i < part->n_rows; i++) {
                assert_int_equal(part->rows[i].point.integer, next_value++);
                assert_same_envelope(part, &part->rows[i], batch, &batch->rows[range.first + i]);
            }
            tt_batch_unref(part);
            tt_buffer_done(&out);
            range.first = range.next;
        }
        assert_int_equal(next_value, 6);
        assert_true(limit <= whole.len + 100 || range.next == batch->n_rows);
    }
    tt_buffer_done(&whole);
    tt_batch_unref(batch);
}

static void begins_a_range_in_the_middle_and_ends_behind_dropped_rows(void **state)
{
    struct tt_batch *batch = batch_of_metrics();
    struct tt_json_range range = {.first = 3};
    struct tt_buffer out;

    (void)state;
    tt_row_drop(batch, &batch->rows[4]);
    tt_row_drop(batch, &batch->rows[5]);
    tt_buffer_init(&out, MAX_OUT);
    tt_json_write(batch, &range, &out);
    assert_int_equal(range.next, 6);
    assert_str(
        tt_buffer_view(&out),
        "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" TEXT(
            "r",
            "1") "]},\"scopeMetrics\":[{\"scope\":{\"name\":\"s\"},\"metrics\":[{\"name\":\"n\",\"sum\":{\"dataPoints\":[{"
                 "\"asInt\":\"3\"}],\"isMonotonic\":true}}],\"schemaUrl\":\"http://x/y\"}]}]}");
    tt_buffer_done(&out);
    tt_batch_unref(batch);
}

static void fails_in_the_buffer_when_it_is_full(void **state)
{
    struct tt_batch *batch = batch_of_metrics();
    struct tt_buffer whole = json_of_batch(batch), out;

    (void)state;
    for (size_t max = 1; max < whole.len; max++) {
        tt_buffer_init(&out, max);
        tt_json_write(batch, NULL, &out);
        assert_int_equal(out.failed, TT_TOO_LARGE);
        assert_true(out.len <= max);
        tt_buffer_done(&out);
    }
    /* The longest form of a text is asked room for. */
    tt_buffer_init(&out, whole.len + 4096);
    tt_json_write(batch, NULL, &out);
    assert_str_equal(tt_buffer_view(&out), tt_buffer_view(&whole));
    tt_buffer_done(&out);
    tt_buffer_done(&whole);
    tt_batch_unref(batch);
}

/* ---- columns that rows have in common ---- */

static const struct tt_column_desc shared_descs[] = {
    {"c.one", TT_COLUMN_TEXT, ""}, {"c.two", TT_COLUMN_TEXT, ""}, {"c.n", TT_COLUMN_INT, ""}};

/* Texts by turns: the same as before, others, equal ones elsewhere in memory, a long one, none. */
static void set_shared_texts(struct tt_batch *batch, char long_text[600])
{
    static const struct tt_str texts[] = {{"alpha", 5}, {"beta", 4}, {"alphabet", 5}, {"", 0}};
    static const uint8_t turns[] = {0, 6, 0, 0, 1, 0, 2, 2, 3, 4, 4, 5, 0, 5, 5, 1};

    memset(long_text, 'x', 600);
    for (uint32_t i = 0; i < batch->n_rows; i++) {
        uint8_t turn = turns[i % TT_LENGTH(turns)];
        if (turn == 5)
            continue;
        tt_column_set_text(tt_batch_column(batch, &shared_descs[0]), i,
                           turn == 4   ? tt_str_of(long_text, 600)
                           : turn == 6 ? tt_str_of(texts[0].data, 3)
                                       : texts[turn]);
        if (i % 5 != 4)
            tt_column_set_text(tt_batch_column(batch, &shared_descs[1]), i, texts[i / 7 % 2]);
        tt_column_set_int(tt_batch_column(batch, &shared_descs[2]), i, (int64_t)i);
    }
}

/* One document a row remembers nothing of the row before. */
static void rows_with_the_same_texts_are_written_as_each_by_itself(void **state)
{
    struct tt_buffer json, whole, one;
    char long_text[600];

    (void)state;
    tt_buffer_init(&json, MAX_OUT);
    tt_buffer_printf(&json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
    for (unsigned i = 0; i < 60; i++)
        tt_buffer_printf(&json, "%s{\"name\":\"%u\"}", i == 0 ? "" : ",", i);
    tt_buffer_printf(&json, "]}]}]}");
    struct tt_batch *batch = batch_of_json(TT_TRACES, tt_buffer_view(&json));
    for (size_t i = 0; i < TT_LENGTH(shared_descs); i++)
        assert_non_null(tt_batch_column(batch, &shared_descs[i]));
    set_shared_texts(batch, long_text);
    whole = json_of_batch(batch);
    const size_t before =
        sizeof("{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[") -
        1;
    size_t at = before;
    for (uint32_t i = 0; i < batch->n_rows; i++, at++) {
        struct tt_json_range range = {.first = i, .soft_limit = 1};
        tt_buffer_init(&one, MAX_OUT);
        tt_json_write(batch, &range, &one);
        struct tt_str row = tt_str_of(one.data + before, one.len - before - (sizeof("]}]}]}") - 1));
        assert_true(at + row.len <= whole.len);
        assert_str_equal(tt_str_of(whole.data + at, row.len), row);
        at += row.len;
        tt_buffer_done(&one);
    }
    tt_buffer_done(&whole);
    tt_buffer_done(&json);
    tt_batch_unref(batch);
}

/* ---- small documents ---- */

static void writes_plain_values(void **state)
{
    static const char *const cases[][2] = {
        {"\"stringValue\":\"a\\n\"", "\"a\\n\""},
        {"\"intValue\":\"-5\"", "-5"},
        {"\"doubleValue\":1.5", "1.5"},
        {"\"doubleValue\":\"NaN\"", "\"NaN\""},
        {"\"boolValue\":true", "true"},
        {"\"boolValue\":false", "false"},
        {"\"bytesValue\":\"AQI=\"", "\"AQI=\""},
        {"", "null"},
        {"\"arrayValue\":{}", "[]"},
        {"\"kvlistValue\":{}", "{}"},
        {"\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{\"arrayValue\":{\"values\":[{}]}},{\"stringValue\":\"x\"}]}",
         "[1,[null],\"x\"]"},
        {"\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}},{\"key\":\"b\\\"\",\"value\":{\"kvlistValue\":{"
         "\"values\":[{\"key\":\"c\"}]}}}]}",
         "{\"a\":1,\"b\\\"\":{\"c\":null}}"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        char json[512];
        (void)snprintf(json, sizeof(json), LOGS("{\"body\":{%s}}"), cases[i][0]);
        struct tt_batch *batch = batch_of_json(TT_LOGS, tt_str(json));
        struct tt_value value = tt_value_of(batch->rows[0].log.body);
        struct tt_buffer out;
        tt_buffer_init(&out, MAX_OUT);
        tt_json_write_plain_value(&value, &out);
        assert_str(tt_buffer_view(&out), cases[i][1]);
        tt_buffer_done(&out);
        tt_batch_unref(batch);
    }
}

static void writes_answers(void **state)
{
    static const struct {
        enum tt_signal signal;
        uint64_t rejected;
        const char *message, *expected;
    } responses[] = {
        {TT_TRACES, 0, "", "{}"},
        {TT_TRACES, 3, "bad id",
         "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"bad id\"}}"},
        {TT_METRICS, 1, "", "{\"partialSuccess\":{\"rejectedDataPoints\":\"1\"}}"},
        {TT_LOGS, UINT64_MAX, "\"",
         "{\"partialSuccess\":{\"rejectedLogRecords\":\"18446744073709551615\",\"errorMessage\":\"\\\"\"}}"},
        {TT_LOGS, 0, "warning", "{\"partialSuccess\":{\"errorMessage\":\"warning\"}}"},
    };
    static const struct {
        int32_t code;
        const char *message, *expected;
    } statuses[] = {{3, "JSON at byte 5", "{\"code\":3,\"message\":\"JSON at byte 5\"}"},
                    {0, "", "{}"},
                    {14, "", "{\"code\":14}"},
                    {0, "\x80", "{\"message\":\"\xef\xbf\xbd\"}"}};
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, MAX_OUT);
    for (size_t i = 0; i < TT_LENGTH(responses); i++) {
        tt_buffer_clear(&out);
        tt_json_write_response(responses[i].signal, responses[i].rejected,
                               tt_str(responses[i].message), &out);
        assert_str(tt_buffer_view(&out), responses[i].expected);
    }
    for (size_t i = 0; i < TT_LENGTH(statuses); i++) {
        tt_buffer_clear(&out);
        tt_json_write_status(statuses[i].code, tt_str(statuses[i].message), &out);
        assert_str(tt_buffer_view(&out), statuses[i].expected);
    }
    tt_buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_strict_form_in_the_collectors_order),
        cmocka_unit_test(leaves_zero_values_out_and_restores_the_order),
        cmocka_unit_test(writes_edits),
        cmocka_unit_test(writes_columns_after_attributes_and_hides_what_they_shadow),
        cmocka_unit_test(leaves_dropped_rows_and_their_envelopes_out),
        cmocka_unit_test(splits_documents_at_the_soft_limit),
        cmocka_unit_test(begins_a_range_in_the_middle_and_ends_behind_dropped_rows),
        cmocka_unit_test(fails_in_the_buffer_when_it_is_full),
        cmocka_unit_test(rows_with_the_same_texts_are_written_as_each_by_itself),
        cmocka_unit_test(writes_plain_values),
        cmocka_unit_test(writes_answers),
    };

    return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
