/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loadgen_encode.h"
#include "otlp/cursor.h"
#include "tt_test.h"

#include <stdlib.h>

#define TRACES 400

static void no_release(void *context)
{
    (void)context;
}

/* The batch that Telltale's own reader makes of a trace as the generator encodes it. */
static struct tt_batch *encode_and_parse(const struct shop_trace *trace, enum lg_labels labels)
{
    struct tt_buffer items, body;
    struct tt_body *wire;
    struct tt_batch *batch = NULL;
    struct tt_error err = {.status = TT_OK};
    uint64_t rejected = 0;
    size_t length;
    char *data;

    tt_buffer_init(&items, 1 << 20);
    tt_buffer_init(&body, 1 << 20);
    for (uint32_t i = 0; i < trace->count; i++)
        lg_encode_span(trace, i, labels, UINT64_C(1790000000000000000), &items);
    lg_encode_request(SHOP_WEB, tt_buffer_view(&items), &body);
    tt_buffer_done(&items);
    data = tt_buffer_take(&body, &length);
    wire = tt_body_take(data, length);
    assert_ok(tt_batch_parse(TT_TRACES, wire, &tt_limits_default, NULL, &batch, &rejected, &err),
              &err);
    assert_int_equal(rejected, 0);
    tt_body_unref(wire);
    return batch;
}

static uint32_t count_attributes(const struct tt_batch *batch, const struct tt_row *row,
                                 bool labels)
{
    struct tt_cursor cursor = tt_row_attributes(batch, row);
    struct tt_attribute attribute;
    uint32_t count = 0;

    while (tt_next_attribute(&cursor, &attribute))
        count += (memmem(attribute.key.data, attribute.key.len, "anomaly", 7) != NULL) == labels;
    return count;
}

static void spans_have_15_attributes_and_600_bytes(void **state)
{
    struct shop_random random = {1};
    struct shop_trace trace;
    size_t bytes = 0, spans = 0;

    (void)state;
    for (int i = 0; i < TRACES; i++) {
        struct tt_batch *batch;
        shop_play(&random, (enum shop_scenario)(i % SHOP_SCENARIOS), false, &trace);
        batch = encode_and_parse(&trace, LG_LABELS_NONE);
        assert_int_equal(batch->n_rows, trace.count);
        for (uint32_t row = 0; row < batch->n_rows; row++) {
            assert_int_equal(count_attributes(batch, &batch->rows[row], false), 15);
            bytes += batch->rows[row].wire_len;
        }
        spans += batch->n_rows;
        tt_batch_unref(batch);
    }
    assert_in_range(bytes / spans, 600, 900);
}

static void a_row_reads_back_as_it_was_played(void **state)
{
    struct shop_random random = {7};
    struct shop_trace trace;
    struct tt_batch *batch;

    (void)state;
    shop_play(&random, SHOP_ERROR_SPIKE, false, &trace);
    batch = encode_and_parse(&trace, LG_LABELS_NONE);
    for (uint32_t i = 0; i < trace.count; i++) {
        const struct shop_span *span = &trace.spans[i];
        const struct tt_span *row = &batch->rows[i].span;
        assert_memory_equal(row->trace_id, trace.trace_id, 16);
        assert_memory_equal(row->span_id, span->span_id, 8);
        assert_int_equal(row->end_ns - row->start_ns, (span->end_us - span->start_us) * 1000);
        assert_int_equal(row->kind, span->is_client ? 3 : 2);
        assert_int_equal(row->status_code, span->error.len > 0 ? 2 : 0);
        assert_int_equal(row->parent_span_id == NULL, span->parent < 0);
    }
    tt_batch_unref(batch);
}

static void the_same_seed_plays_the_same_trace(void **state)
{
    struct shop_random first = {42}, second = {42}, other = {43};
    struct shop_trace a, b, c;

    (void)state;
    shop_play(&first, SHOP_TIMEOUT, true, &a);
    shop_play(&second, SHOP_TIMEOUT, true, &b);
    shop_play(&other, SHOP_TIMEOUT, true, &c);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.trace_id, b.trace_id, 16);
    assert_int_equal(a.duration_us, b.duration_us);
    assert_memory_not_equal(a.trace_id, c.trace_id, 16);
}

/* Spans that carry a label, by the way it travels. */
static void labels_travel_as_asked(void **state)
{
    static const struct {
        enum lg_labels mode;
        bool with_k6;
        bool all, root_only;
    } cases[] = {
        {LG_LABELS_NONE, false, false, false},
        {LG_LABELS_BAGGAGE, false, true, false},
        {LG_LABELS_ROOT_ONLY, true, false, true},
    };
    struct shop_random random = {3};
    struct shop_trace trace;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_batch *batch;
        shop_play(&random, SHOP_LATENCY_SPIKE, cases[i].with_k6, &trace);
        batch = encode_and_parse(&trace, cases[i].mode);
        for (uint32_t row = 0; row < batch->n_rows; row++) {
            bool is_labelled = count_attributes(batch, &batch->rows[row], true) == 4;
            assert_int_equal(is_labelled, cases[i].all || (cases[i].root_only && row == 0));
        }
        tt_batch_unref(batch);
    }
}

static void captured_headers_are_arrays_on_http_servers(void **state)
{
    struct shop_random random = {5};
    struct shop_trace trace;
    struct tt_batch *batch;
    struct tt_value value;
    struct tt_str text;

    (void)state;
    shop_play(&random, SHOP_CACHE_MISS, false, &trace);
    batch = encode_and_parse(&trace, LG_LABELS_HEADER);
    assert_true(tt_find_attribute(tt_row_attributes(batch, &batch->rows[0]),
                                  TT_STR("http.request.header.x-anomaly-type"), &value));
    assert_int_equal(value.type, TT_VALUE_ARRAY);
    assert_true(tt_value_first_text(&value, &text));
    assert_str(text, "cache_miss");
    tt_batch_unref(batch);
}

/* What a scenario does to its traces, as totals over many of them. */
struct marks {
    uint64_t duration_us, spans, errors, lost;
};

static struct marks marks_of(enum shop_scenario scenario)
{
    struct shop_random random = {11};
    struct shop_trace trace;
    struct marks marks = {0};

    for (int i = 0; i < TRACES; i++) {
        shop_play(&random, scenario, false, &trace);
        marks.duration_us += trace.duration_us;
        for (uint32_t span = 0; span < trace.count; span++) {
            marks.spans++;
            marks.errors += trace.spans[span].error.len > 0;
            marks.lost += trace.spans[span].lost;
        }
    }
    return marks;
}

static void every_fault_leaves_its_marks(void **state)
{
    struct marks healthy = marks_of(SHOP_BASELINE);

    (void)state;
    assert_int_equal(healthy.errors, 0);
    assert_int_equal(healthy.lost, 0);
    assert_true(marks_of(SHOP_LATENCY_SPIKE).duration_us > 2 * healthy.duration_us);
    assert_true(marks_of(SHOP_CPU_SATURATION).duration_us > 3 * healthy.duration_us / 2);
    assert_true(marks_of(SHOP_DEPENDENCY_BOTTLENECK).duration_us > 3 * healthy.duration_us);
    assert_true(marks_of(SHOP_CACHE_MISS).spans > 5 * healthy.spans / 4);
    assert_true(marks_of(SHOP_DB_EXHAUSTION).errors > 100);
    assert_true(marks_of(SHOP_ERROR_SPIKE).errors > 100);
    assert_true(marks_of(SHOP_TIMEOUT).errors > 100);
    assert_true(marks_of(SHOP_TIMEOUT).lost > 50);
}

static void traces_reach_two_to_seven_services(void **state)
{
    struct shop_random random = {13};
    struct shop_trace trace;
    unsigned least = SHOP_SERVICES, most = 0;

    (void)state;
    for (int i = 0; i < TRACES; i++) {
        unsigned seen = 0, count;
        shop_play(&random, SHOP_BASELINE, false, &trace);
        for (uint32_t span = 0; span < trace.count; span++)
            seen |= 1U << trace.spans[span].service;
        count = (unsigned)__builtin_popcount(seen);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    assert_int_equal(least, 2);
    assert_int_equal(most, 7);
}

static void metrics_and_logs_are_valid_otlp(void **state)
{
    struct shop_random random = {17};
    struct shop_trace trace;
    struct lg_service_stats stats = {0};
    struct tt_buffer items, body;
    struct tt_error err = {.status = TT_OK};
    uint64_t rejected = 0;

    (void)state;
    shop_play(&random, SHOP_BASELINE, false, &trace);
    for (int i = 0; i < 2; i++) {
        struct tt_batch *batch = NULL;
        struct tt_body *wire;
        tt_buffer_init(&items, 1 << 20);
        tt_buffer_init(&body, 1 << 20);
        lg_stats_add(&stats, &trace.spans[0]);
        if (i == 0)
            lg_encode_metrics(&stats, 1, 2, 1000, &items);
        else
            lg_encode_log(&trace, 0, 1, &items);
        lg_encode_request(SHOP_WEB, tt_buffer_view(&items), &body);
        wire = tt_body_borrow(body.data, body.len, no_release, NULL);
        assert_ok(tt_batch_parse(i == 0 ? TT_METRICS : TT_LOGS, wire, &tt_limits_default, NULL,
                                 &batch, &rejected, &err),
                  &err);
        assert_int_equal(batch->n_rows, i == 0 ? 4 : 1);
        tt_batch_unref(batch);
        tt_body_unref(wire);
        tt_buffer_done(&items);
        tt_buffer_done(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_have_15_attributes_and_600_bytes),
        cmocka_unit_test(a_row_reads_back_as_it_was_played),
        cmocka_unit_test(the_same_seed_plays_the_same_trace),
        cmocka_unit_test(labels_travel_as_asked),
        cmocka_unit_test(captured_headers_are_arrays_on_http_servers),
        cmocka_unit_test(every_fault_leaves_its_marks),
        cmocka_unit_test(traces_reach_two_to_seven_services),
        cmocka_unit_test(metrics_and_logs_are_valid_otlp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
