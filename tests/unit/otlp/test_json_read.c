/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping of OTLP/JSON to wire bytes, each leniency and each refusal. */
#include "test_json_support.h"

#include <otlp.pb-c.h>

#define SPAN(members)    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" members "}]}]}]}"
#define ATTRIBUTE(value) SPAN("\"attributes\":[{\"key\":\"k\",\"value\":{" value "}}]")
#define GAUGE(members)                                                                             \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"gauge\":{\"dataPoints\":[{" members \
    "}]}}]}]}]}"
#define HISTOGRAM(members)                                                                             \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":{\"dataPoints\":[{" members \
    "}]}}]}]}]}"
#define EXP(members)                                                                                              \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"exponentialHistogram\":{\"dataPoints\":[{" members \
    "}]}}]}]}]}"
#define METRIC(members) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{" members "}]}]}]}"
#define LOG(members)    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" members "}]}]}]}"

static enum tt_signal signal_of(const char *json)
{
    return strstr(json, "resourceMetrics") != NULL ? TT_METRICS
           : strstr(json, "resourceLogs") != NULL  ? TT_LOGS
                                                   : TT_TRACES;
}

static void reads_a_span_into_its_fields(void **state)
{
    static const char json[] = SPAN(
        "\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":\"eee19b7ec3c1b174\",\"parentSpanId\":\"\","
        "\"traceState\":\"a=b\",\"flags\":257,\"name\":\"I'm a \\\"server\\\" span\",\"kind\":2,"
        "\"startTimeUnixNano\":\"1544712660000000000\",\"endTimeUnixNano\":1544712661000000000,"
        "\"attributes\":[{\"key\":\"my.span.attr\",\"value\":{\"stringValue\":\"some value\"}}],"
        "\"events\":[{\"timeUnixNano\":\"1\",\"name\":\"e\"}],"
        "\"links\":[{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000002\"}],"
        "\"status\":{\"code\":2,\"message\":\"m\"}");
    static const uint8_t trace_id[] = {0x5B, 0x8E, 0xFF, 0xF7, 0x98, 0x03, 0x81, 0x03,
                                       0xD2, 0x69, 0xB6, 0x33, 0x81, 0x3F, 0xC6, 0x0C};
    struct tt_buffer wire;

    (void)state;
    assert_true(read_json(TT_TRACES, tt_str(json), &wire));
    Otlp__ExportTraceServiceRequest *request =
        otlp__export_trace_service_request__unpack(NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(request);
    const Otlp__Span *span = request->resource_spans[0]->scope_spans[0]->spans[0];
    assert_int_equal(span->trace_id.len, 16);
    assert_memory_equal(span->trace_id.data, trace_id, 16);
    assert_int_equal(span->span_id.len, 8);
    assert_int_equal(span->span_id.data[0], 0xee);
    assert_int_equal(span->parent_span_id.len, 0);
    assert_str(tt_str_of(span->trace_state.data, span->trace_state.len), "a=b");
    assert_int_equal(span->flags, 257);
    assert_str(tt_str_of(span->name.data, span->name.len), "I'm a \"server\" span");
    assert_int_equal(span->kind, 2);
    assert_int_equal(span->start_time_unix_nano, 1544712660000000000);
    assert_int_equal(span->end_time_unix_nano, 1544712661000000000);
    assert_int_equal(span->n_attributes, 1);
    assert_str(tt_str_of(span->attributes[0]->key.data, span->attributes[0]->key.len),
               "my.span.attr");
    assert_str(tt_str_of(span->attributes[0]->value->string_value.data,
                         span->attributes[0]->value->string_value.len),
               "some value");
    assert_int_equal(span->events[0]->time_unix_nano, 1);
    assert_int_equal(span->links[0]->span_id.data[7], 2);
    assert_int_equal(span->status->code, 2);
    otlp__export_trace_service_request__free_unpacked(request, NULL);
    tt_buffer_done(&wire);
}

/* The strict form of what a lenient text means. */
static const struct {
    const char *lenient, *strict;
} same[] = {
    /* names */
    {"{\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"start_time_unix_nano\":\"7\"}]}]}]}",
     SPAN("\"startTimeUnixNano\":\"7\"")},
    {SPAN("\"\\u006eame\":\"x\""), SPAN("\"name\":\"x\"")},
    /* blanks */
    {" {\n\t\"resourceSpans\" : [ { \"scopeSpans\" : [ { \"spans\" : [ { \"name\" : \"x\" } ] } ] } ] } \r\n",
     SPAN("\"name\":\"x\"")},
    /* ids */
    {SPAN("\"spanId\":\"ABCDEF0123456789\""), SPAN("\"spanId\":\"abcdef0123456789\"")},
    {SPAN("\"spanId\":\"\",\"traceId\":\"\""), SPAN("")},
    /* integers */
    {SPAN("\"startTimeUnixNano\":7"), SPAN("\"startTimeUnixNano\":\"7\"")},
    {SPAN("\"startTimeUnixNano\":18446744073709551615"),
     SPAN("\"startTimeUnixNano\":\"18446744073709551615\"")},
    {SPAN("\"flags\":\"257\""), SPAN("\"flags\":257")},
    {SPAN("\"droppedAttributesCount\":\"3\""), SPAN("\"droppedAttributesCount\":3")},
    {SPAN("\"droppedAttributesCount\":3.0"), SPAN("\"droppedAttributesCount\":3")},
    {SPAN("\"droppedAttributesCount\":30e-1"), SPAN("\"droppedAttributesCount\":3")},
    {ATTRIBUTE("\"intValue\":-9223372036854775808"),
     ATTRIBUTE("\"intValue\":\"-9223372036854775808\"")},
    {ATTRIBUTE("\"intValue\":-0"), ATTRIBUTE("\"intValue\":\"0\"")},
    /* enums */
    {SPAN("\"kind\":\"SPAN_KIND_SERVER\""), SPAN("\"kind\":2")},
    {SPAN("\"kind\":\"2\""), SPAN("\"kind\":2")},
    {SPAN("\"status\":{\"code\":\"STATUS_CODE_ERROR\"}"), SPAN("\"status\":{\"code\":2}")},
    {LOG("\"severityNumber\":\"SEVERITY_NUMBER_FATAL4\""), LOG("\"severityNumber\":24")},
    {METRIC("\"sum\":{\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_CUMULATIVE\"}"),
     METRIC("\"sum\":{\"aggregationTemporality\":2}")},
    /* doubles */
    {GAUGE("\"asDouble\":\"1.5\""), GAUGE("\"asDouble\":1.5")},
    {GAUGE("\"asDouble\":15E-1"), GAUGE("\"asDouble\":1.5")},
    {GAUGE("\"asInt\":-5"), GAUGE("\"asInt\":\"-5\"")},
    /* base64: either alphabet, with and without padding, escaped slashes */
    {ATTRIBUTE("\"bytesValue\":\"-_8=\""), ATTRIBUTE("\"bytesValue\":\"+/8=\"")},
    {ATTRIBUTE("\"bytesValue\":\"+\\/8\""), ATTRIBUTE("\"bytesValue\":\"+/8=\"")},
    {ATTRIBUTE("\"bytesValue\":\"AA\""), ATTRIBUTE("\"bytesValue\":\"AA==\"")},
    /* null is the default */
    {SPAN(
         "\"name\":null,\"kind\":null,\"startTimeUnixNano\":null,\"traceId\":null,\"attributes\":null,\"status\":null,"
         "\"flags\":null"),
     SPAN("")},
    {ATTRIBUTE("\"intValue\":null"), ATTRIBUTE("")},
    {"{\"resourceSpans\":null}", "{}"},
    {HISTOGRAM("\"sum\":null,\"bucketCounts\":null"), HISTOGRAM("")},
    /* unknown fields */
    {SPAN("\"x\":{\"name\":[1,{\"y\":\"\\n\"},null]},\"name\":\"n\",\"z\":-1.5e3"),
     SPAN("\"name\":\"n\"")},
    {SPAN("\"key\":1"), SPAN("")},
    /* duplicates: the last scalar, oneof and message; lists grow */
    {SPAN("\"name\":\"a\",\"kind\":1,\"name\":\"b\""), SPAN("\"kind\":1,\"name\":\"b\"")},
    {SPAN("\"name\":\"a\",\"name\":\"\""), SPAN("")},
    {SPAN("\"name\":\"a\",\"name\":null"), SPAN("")},
    {SPAN("\"status\":{\"code\":2,\"message\":\"x\"},\"kind\":1,\"status\":{\"code\":1}"),
     SPAN("\"kind\":1,\"status\":{\"code\":1}")},
    {SPAN("\"status\":{\"code\":2},\"status\":null"), SPAN("")},
    {ATTRIBUTE("\"stringValue\":\"a\",\"intValue\":\"1\""), ATTRIBUTE("\"intValue\":\"1\"")},
    {ATTRIBUTE("\"arrayValue\":{\"values\":[{}]},\"kvlistValue\":{},\"boolValue\":true"),
     ATTRIBUTE("\"boolValue\":true")},
    {ATTRIBUTE("\"stringValue\":\"a\",\"intValue\":null"), ATTRIBUTE("\"stringValue\":\"a\"")},
    {METRIC("\"gauge\":{\"dataPoints\":[{}]},\"name\":\"m\",\"sum\":{\"isMonotonic\":true}"),
     METRIC("\"name\":\"m\",\"sum\":{\"isMonotonic\":true}")},
    {SPAN("\"attributes\":[{\"key\":\"a\"}],\"name\":\"n\",\"attributes\":[{\"key\":\"b\"}]"),
     SPAN("\"attributes\":[{\"key\":\"a\"},{\"key\":\"b\"}],\"name\":\"n\"")},
    {HISTOGRAM("\"bucketCounts\":[1],\"explicitBounds\":[],\"bucketCounts\":[\"2\"]"),
     HISTOGRAM("\"bucketCounts\":[\"1\",\"2\"]")},
    {SPAN(
         "\"name\":\"0123\",\"kind\":3,\"flags\":9,\"name\":\"a\",\"kind\":2,\"flags\":8,\"name\":\"b\""),
     SPAN("\"kind\":2,\"flags\":8,\"name\":\"b\"")},
};

static void reads_each_leniency_as_its_strict_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(same); i++) {
        struct tt_str lenient = read_canonical(signal_of(same[i].strict), tt_str(same[i].lenient));
        struct tt_str strict = read_canonical(signal_of(same[i].strict), tt_str(same[i].strict));
        assert_non_null(strict.data);
        if (lenient.data == NULL || !tt_str_equal(lenient, strict))
            fail_msg("%s is not %s", same[i].lenient, same[i].strict);
        free_bytes(lenient);
        free_bytes(strict);
    }
}

static void tells_a_zero_from_an_absent_value(void **state)
{
    static const struct {
        const char *json;
        bool differs_from_empty;
        const char *empty;
    } cases[] = {
        {GAUGE("\"asInt\":\"0\""), true, GAUGE("")},
        {GAUGE("\"asDouble\":0"), true, GAUGE("")},
        {HISTOGRAM("\"sum\":0"), true, HISTOGRAM("")},
        {HISTOGRAM("\"min\":0.0"), true, HISTOGRAM("")},
        {HISTOGRAM("\"max\":\"0\""), true, HISTOGRAM("")},
        {ATTRIBUTE("\"stringValue\":\"\""), true, ATTRIBUTE("")},
        {ATTRIBUTE("\"boolValue\":false"), true, ATTRIBUTE("")},
        {ATTRIBUTE("\"intValue\":0"), true, ATTRIBUTE("")},
        {ATTRIBUTE("\"arrayValue\":{}"), true, ATTRIBUTE("")},
        {ATTRIBUTE("\"bytesValue\":\"\""), true, ATTRIBUTE("")},
        {SPAN("\"kind\":0"), false, SPAN("")},
        {SPAN("\"name\":\"\""), false, SPAN("")},
        {HISTOGRAM("\"count\":\"0\""), false, HISTOGRAM("")},
        {EXP("\"zeroThreshold\":-0.0"), true, EXP("")},
        {EXP("\"positive\":{}"), true, EXP("")},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer wire, empty;
        assert_true(read_json(signal_of(cases[i].json), tt_str(cases[i].json), &wire));
        assert_true(read_json(signal_of(cases[i].json), tt_str(cases[i].empty), &empty));
        if (tt_str_equal(tt_buffer_view(&wire), tt_buffer_view(&empty)) ==
            cases[i].differs_from_empty)
            fail_msg("%s", cases[i].json);
        tt_buffer_done(&wire);
        tt_buffer_done(&empty);
    }
}

static const char *const refused[] = {
    /* of another type */
    "{\"resourceSpans\":{}}",
    "{\"resourceSpans\":\"x\"}",
    "{\"resourceSpans\":[null]}",
    "{\"resourceSpans\":[1]}",
    "{\"resourceSpans\":[[]]}",
    "{\"resourceSpans\":[{\"resource\":[]}]}",
    "{\"resourceSpans\":[{\"resource\":\"x\"}]}",
    SPAN("\"name\":1"),
    SPAN("\"name\":true"),
    SPAN("\"name\":{}"),
    SPAN("\"kind\":true"),
    SPAN("\"kind\":[]"),
    SPAN("\"startTimeUnixNano\":{}"),
    SPAN("\"attributes\":[1]"),
    SPAN("\"attributes\":[null]"),
    ATTRIBUTE("\"boolValue\":1"),
    ATTRIBUTE("\"boolValue\":\"true\""),
    ATTRIBUTE("\"stringValue\":1"),
    GAUGE("\"asDouble\":true"),
    GAUGE("\"asDouble\":\"x\""),
    HISTOGRAM("\"bucketCounts\":[null]"),
    HISTOGRAM("\"bucketCounts\":\"1\""),
    HISTOGRAM("\"bucketCounts\":[[1]]"),
    /* ids */
    SPAN("\"traceId\":\"5b8efff798038103d269b633813fc60\""),
    SPAN("\"traceId\":\"5b8efff798038103d269b633813fc60c00\""),
    SPAN("\"traceId\":\"W47/95gDgQPSabYzgT/GDA==\""),
    SPAN("\"spanId\":\"eee19b7ec3c1b17g\""),
    SPAN("\"spanId\":7"),
    SPAN("\"spanId\":\"eee19b7ec3c1b1740000000000000000\""),
    SPAN(
        "\"spanId\":\"0000000000000000000000000000000000000000000000000000000000000000000000000\\n\""),
    /* integers */
    SPAN("\"startTimeUnixNano\":-1"),
    SPAN("\"startTimeUnixNano\":18446744073709551616"),
    SPAN("\"startTimeUnixNano\":\"\""),
    SPAN("\"startTimeUnixNano\":\"1 \""),
    SPAN("\"startTimeUnixNano\":\"+1\""),
    SPAN("\"startTimeUnixNano\":\"0x1\""),
    SPAN("\"startTimeUnixNano\":1.5"),
    SPAN("\"flags\":4294967296"),
    SPAN("\"kind\":2147483648"),
    SPAN("\"kind\":-2147483649"),
    SPAN("\"kind\":\"SPAN_KIND_NONE\""),
    SPAN("\"kind\":\"server\""),
    SPAN("\"flags\":\"SPAN_KIND_SERVER\""),
    ATTRIBUTE("\"intValue\":9223372036854775808"),
    ATTRIBUTE("\"intValue\":-9223372036854775809"),
    ATTRIBUTE("\"intValue\":1e400"),
    GAUGE("\"asInt\":0.5"),
    EXP("\"scale\":2147483648"),
    /* doubles */
    GAUGE("\"asDouble\":1e999"),
    GAUGE("\"asDouble\":-1e999"),
    GAUGE("\"asDouble\":\"1e999\""),
    GAUGE("\"asDouble\":NaN"),
    GAUGE("\"asDouble\":\"nan\""),
    GAUGE("\"asDouble\":\"inf\""),
    GAUGE("\"asDouble\":\"+Infinity\""),
    GAUGE("\"asDouble\":\"\""),
    /* base64 */
    ATTRIBUTE("\"bytesValue\":\"A\""),
    ATTRIBUTE("\"bytesValue\":\"AA=\""),
    ATTRIBUTE("\"bytesValue\":\"A===\""),
    ATTRIBUTE("\"bytesValue\":\"A*A=\""),
    ATTRIBUTE("\"bytesValue\":\"AA==AA==\""),
    ATTRIBUTE("\"bytesValue\":\"====\""),
    /* syntax inside */
    SPAN("\"name\":\"x\",}"),
    SPAN("\"name\":\"x\" \"kind\":1"),
    SPAN("\"name\" \"x\""),
    SPAN("name:\"x\""),
    SPAN("\"name\":\"\\ud800\""),
    SPAN("\"name\":\"\x01\""),
    SPAN("\"attributes\":[{},]"),
    SPAN("\"attributes\":[{} {}]"),
    SPAN("\"attributes\":[,{}]"),
    HISTOGRAM("\"bucketCounts\":[1,]"),
    HISTOGRAM("\"bucketCounts\":[1 2]"),
    SPAN("\"kind\":01"),
    SPAN("\"kind\":nul"),
    SPAN("\"kind\":nulll"),
};

static void refuses_what_the_mapping_does_not_know(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(refused); i++) {
        struct tt_buffer wire;
        if (read_json(signal_of(refused[i]), tt_str(refused[i]), &wire))
            fail_msg("accepted %s", refused[i]);
    }
}

static void reads_special_doubles(void **state)
{
    static const char json[] = HISTOGRAM(
        "\"explicitBounds\":[\"NaN\",\"Infinity\",\"-Infinity\",-0.0,5e-324,1.7976931348623157e308]");
    static const uint64_t expected[] = {
        0x7ff8000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x8000000000000000, 1,
        0x7fefffffffffffff};
    struct tt_buffer wire;

    (void)state;
    assert_true(read_json(TT_METRICS, tt_str(json), &wire));
    Otlp__ExportMetricsServiceRequest *request =
        otlp__export_metrics_service_request__unpack(NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(request);
    const Otlp__HistogramDataPoint *point =
        request->resource_metrics[0]->scope_metrics[0]->metrics[0]->histogram->data_points[0];
    assert_int_equal(point->n_explicit_bounds, TT_LENGTH(expected));
    assert_memory_equal(point->explicit_bounds, expected, sizeof(expected));
    otlp__export_metrics_service_request__free_unpacked(request, NULL);
    tt_buffer_done(&wire);
}

static void keeps_any_byte_of_text(void **state)
{
    static const char json[] = SPAN("\"name\":\"a\\u0000\xff\\ud83d\\ude00\"");
    struct tt_buffer wire;

    (void)state;
    assert_true(read_json(TT_TRACES, tt_str(json), &wire));
    assert_non_null(memmem(wire.data, wire.len, "a\0\xff\xf0\x9f\x98\x80", 7));
    tt_buffer_done(&wire);
}

/* ---- limits ---- */

static enum tt_status read_nested(unsigned arrays, const char *open, const char *close)
{
    static const char before[] =
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"value\":{";
    static const char after[] = "}}]}]}]}]}";
    struct tt_buffer text, out;
    enum tt_status status;

    tt_buffer_init(&text, MAX_OUT);
    tt_buffer_init(&out, MAX_OUT);
    tt_buffer_append_str(&text, tt_str(before));
    for (unsigned i = 0; i < arrays; i++)
        tt_buffer_append_str(&text, tt_str(open));
    for (unsigned i = 0; i < arrays; i++)
        tt_buffer_append_str(&text, tt_str(close));
    tt_buffer_append_str(&text, tt_str(after));
    status = tt_json_read(TT_TRACES, tt_buffer_view(&text), NULL, &out, NULL);
    tt_buffer_done(&text);
    tt_buffer_done(&out);
    return status;
}

static void bounds_the_nesting_of_values(void **state)
{
    static const char *const forms[][2] = {{"\"arrayValue\":{\"values\":[{", "}]}"},
                                           {"\"kvlistValue\":{\"values\":[{\"value\":{", "}}]}"}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(forms); i++) {
        assert_status(read_nested(64, forms[i][0], forms[i][1]), TT_OK);
        assert_status(read_nested(65, forms[i][0], forms[i][1]), TT_INVALID_DATA);
        assert_status(read_nested(100000, forms[i][0], forms[i][1]), TT_INVALID_DATA);
    }
}

/* n times `unit`, separated by commas, between before and after. */
static enum tt_status read_repeated(const char *before, const char *unit, const char *after,
                                    size_t n, size_t *ret_used)
{
    struct tt_buffer text, out;
    enum tt_status status;

    tt_buffer_init(&text, MAX_OUT);
    tt_buffer_init(&out, MAX_OUT);
    tt_buffer_append_str(&text, tt_str(before));
    for (size_t i = 0; i < n; i++) {
        tt_buffer_append_str(&text, tt_str(unit));
        tt_buffer_append_str(&text, tt_str(i + 1 < n ? "," : after));
    }
    assert_int_equal(text.failed, TT_OK);
    status = tt_json_read(TT_METRICS, tt_buffer_view(&text), NULL, &out, NULL);
    *ret_used = out.cap;
    tt_buffer_done(&text);
    tt_buffer_done(&out);
    return status;
}

static void does_not_count_siblings_as_nesting(void **state)
{
    size_t used;

    (void)state;
    assert_status(
        read_repeated("{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"metadata\":[",
                      "{\"value\":{\"arrayValue\":{}}}", "]}]}]}]}", 200, &used),
        TT_OK);
}

static void refuses_element_bombs_by_their_count(void **state)
{
    static const char *const bombs[][3] = {
        {"{\"x\":[", "{}", "]}"},
        {"{\"x\":[", "[]", "]}"},
        {"{\"x\":[", "1", "]}"},
        {"{\"resourceMetrics\":[", "{}", "]}"},
        {"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"metadata\":[", "{}",
         "]}]}]}]}"},
        {"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[",
         "1", "]}]}}]}]}]}"},
        {"{\"resourceMetrics\":[{\"resource\":{\"entityRefs\":[{\"idKeys\":[", "\"\"", "]}]}}]}"},
    };
    size_t used;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(bombs); i++) {
        assert_status(read_repeated(bombs[i][0], bombs[i][1], bombs[i][2], 4000001, &used),
                      TT_TOO_LARGE);
        /* Nothing is made of what is skipped or of a list of numbers; a message costs two bytes. */
        assert_true(used <=
                    (bombs[i][1][0] == '1' || bombs[i][0][2] == 'x' ? 4096 : (size_t)16 << 20));
    }
    assert_status(read_repeated(bombs[2][0], bombs[2][1], bombs[2][2], 3000000, &used), TT_OK);
}

/* The same limit refuses a document and its wire form. */
static void counts_elements_as_the_validator_does(void **state)
{
    static const char *const documents[] = {
        HISTOGRAM("\"bucketCounts\":[1,2,3],\"explicitBounds\":[],\"exemplars\":[{}]"),
        SPAN("\"name\":\"n\",\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}},{}],"
             "\"events\":[{\"name\":\"e\"}],\"status\":{}"),
        LOG("\"body\":{\"arrayValue\":{\"values\":[{\"intValue\":1},{\"stringValue\":\"x\"}]}},\"severityText\":\"x\""),
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(documents); i++) {
        enum tt_signal signal = signal_of(documents[i]);
        struct tt_buffer wire, out;
        assert_true(read_json(signal, tt_str(documents[i]), &wire));
        struct tt_body *body = tt_body_borrow(wire.data, wire.len, NULL, NULL);
        for (uint32_t max = 1; max < 20; max++) {
            struct tt_limits limits = {.max_depth = 64, .max_elements = max, .max_rows = 100};
            struct tt_batch *batch = NULL;
            tt_buffer_init(&out, MAX_OUT);
            enum tt_status status = tt_json_read(signal, tt_str(documents[i]), &limits, &out, NULL);
            assert_status(tt_batch_parse(signal, body, &limits, NULL, &batch, NULL, NULL), status);
            assert_true(status == (max < 7 ? TT_TOO_LARGE : status));
            tt_batch_unref(batch);
            tt_buffer_done(&out);
        }
        tt_body_unref(body);
        tt_buffer_done(&wire);
    }
}

static void keeps_the_output_within_its_maximum(void **state)
{
    static const char json[] = SPAN("\"name\":\"0123456789012345678901234567890123456789\"");
    struct tt_buffer wire, out;

    (void)state;
    assert_true(read_json(TT_TRACES, tt_str(json), &wire));
    for (size_t max = 1; max < wire.len; max++) {
        tt_buffer_init(&out, max);
        assert_status(tt_json_read(TT_TRACES, tt_str(json), NULL, &out, NULL), TT_TOO_LARGE);
        assert_int_equal(out.len, 0);
        tt_buffer_done(&out);
    }
    tt_buffer_done(&wire);
}

static void appends_and_takes_back_on_failure(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1000);
    tt_buffer_append_str(&out, TT_STR("before"));
    assert_status(
        tt_json_read(TT_TRACES, TT_STR(SPAN("\"name\":\"n\",\"kind\":x")), NULL, &out, NULL),
        TT_INVALID_DATA);
    assert_str(tt_buffer_view(&out), "before");
    assert_status(tt_json_read(TT_TRACES, TT_STR("{\"resourceSpans\":[{}]}"), NULL, &out, NULL),
                  TT_OK);
    assert_str_equal(tt_buffer_view(&out), TT_STR("before\x0a\x00"));
    tt_buffer_done(&out);
}

/* Lengths that need more or fewer bytes than guessed, in every order. */
static void writes_minimal_lengths(void **state)
{
    static const size_t lengths[] = {1, 127, 128, 3, 20000, 90, 16383, 16384, 0, 2100000, 5};
    struct tt_buffer text, wire;

    (void)state;
    tt_buffer_init(&text, MAX_OUT);
    tt_buffer_append_str(&text, TT_STR("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["));
    for (size_t i = 0; i < TT_LENGTH(lengths); i++) {
        tt_buffer_append_str(&text,
                             i == 0 ? TT_STR("{\"attributes\":[{\"value\":{\"stringValue\":\"")
                                    : TT_STR(",{\"attributes\":[{\"value\":{\"stringValue\":\""));
        for (size_t k = 0; k < lengths[i]; k++)
            tt_buffer_append_byte(&text, 'x');
        tt_buffer_append_str(&text, TT_STR("\"}}]}"));
    }
    tt_buffer_append_str(&text, TT_STR("]}]}]}"));
    assert_true(read_json(TT_TRACES, tt_buffer_view(&text), &wire));
    struct tt_str canonical =
        canonical_bytes(tt_pb_request(TT_TRACES)->descriptor, tt_buffer_view(&wire));
    assert_true(tt_str_equal(canonical, tt_buffer_view(&wire)));
    free_bytes(canonical);
    tt_buffer_done(&text);
    tt_buffer_done(&wire);
}

static void says_when_memory_is_gone(void **state)
{
    struct tt_buffer out;

    (void)state;
    tt_buffer_init(&out, 1000);
    tt_mem_fail_after(1);
    assert_status(tt_json_read(TT_TRACES, TT_STR(SPAN("\"name\":\"n\"")), NULL, &out, NULL),
                  TT_NO_MEMORY);
    tt_mem_fail_after(0);
    tt_buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_span_into_its_fields),
        cmocka_unit_test(reads_each_leniency_as_its_strict_form),
        cmocka_unit_test(tells_a_zero_from_an_absent_value),
        cmocka_unit_test(refuses_what_the_mapping_does_not_know),
        cmocka_unit_test(reads_special_doubles),
        cmocka_unit_test(keeps_any_byte_of_text),
        cmocka_unit_test(bounds_the_nesting_of_values),
        cmocka_unit_test(does_not_count_siblings_as_nesting),
        cmocka_unit_test(refuses_element_bombs_by_their_count),
        cmocka_unit_test(counts_elements_as_the_validator_does),
        cmocka_unit_test(keeps_the_output_within_its_maximum),
        cmocka_unit_test(appends_and_takes_back_on_failure),
        cmocka_unit_test(writes_minimal_lengths),
        cmocka_unit_test(says_when_memory_is_gone),
    };

    return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
