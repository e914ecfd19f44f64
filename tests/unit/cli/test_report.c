/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"
#include "tt_test.h"

#include <math.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        print_error("%.9g, expected %.9g\n", value, expected);
        fail();
    }
}

/* ---- mathematics ---- */

static void quantiles_are_interpolated(void **state)
{
    static const double values[] = {1, 2, 4, 8};
    static const struct {
        size_t n;
        double q, expected; /* as numpy.quantile answers */
    } cases[] = {{4, 0, 1},       {4, 1, 8},   {4, 0.5, 3}, {4, 0.25, 1.75},
                 {4, 0.99, 7.88}, {3, 0.5, 2}, {1, 0.5, 1}};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_near(tt_quantile_sorted(values, cases[i].n, cases[i].q), cases[i].expected, 1e-12);
    assert_true(isnan(tt_quantile_sorted(values, 0, 0.5)));
}

static void superiority_counts_ties_half(void **state)
{
    static const double a[] = {1, 2, 3}, b[] = {2, 2, 5};

    (void)state;
    assert_near(tt_superiority_sorted(a, 3, b, 3), (0 + 1 + 2) / 9.0, 1e-12);
    assert_near(tt_superiority_sorted(b, 3, a, 3), 1 - 3 / 9.0, 1e-12);
    assert_near(tt_superiority_sorted(a, 3, a, 3), 0.5, 1e-12);
    assert_true(isnan(tt_superiority_sorted(a, 0, b, 3)));
}

/* Values of printed tables of the t distribution. */
static void quantiles_of_student_are_those_of_the_tables(void **state)
{
    static const struct {
        double p, df, expected;
    } cases[] = {
        {0.975, 1, 12.7062}, {0.975, 2, 4.30265}, {0.975, 5, 2.57058},   {0.975, 30, 2.04227},
        {0.95, 10, 1.81246}, {0.995, 3, 5.84091}, {0.975, 1e6, 1.95997},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_near(tt_student_quantile(cases[i].p, cases[i].df), cases[i].expected, 6e-5);
}

static void effects_have_the_interval_of_welch(void **state)
{
    static const double a[] = {3, 5, 4}, b[] = {1, 2, 1, 2}, c[] = {1};
    /* v1/n1 = 1/3, v2/n2 = (1/3)/4; df = (5/12)^2 / ((1/3)^2/2 + (1/12)^2/3) = 3.0000 */
    struct tt_effect effect = tt_effect_of(a, 3, b, 4);
    double df = (5.0 / 12) * (5.0 / 12) / (1.0 / 18 + 1.0 / 432);

    (void)state;
    assert_near(effect.estimate, 2.5, 1e-12);
    assert_near(effect.high - effect.low, 2 * tt_student_quantile(0.975, df) * sqrt(5.0 / 12),
                1e-9);
    effect = tt_effect_of(a, 3, c, 1); /* the one block is taken as fixed */
    assert_near(effect.estimate, 3, 1e-12);
    assert_near(effect.high, 3 + 4.30265 / sqrt(3), 1e-4);
    effect = tt_effect_of(c, 1, a, 3);
    assert_near(effect.estimate, -3, 1e-12);
    assert_true(isnan(effect.low) && isnan(effect.high));
    assert_true(isnan(tt_effect_of(a, 0, b, 4).estimate));
}

/* ---- columns ---- */

static void columns_are_described(void **state)
{
    static const struct tt_str names[] = {{"number", 6}, {"text", 4}, {"empty", 5}, {"many", 4}};
    struct tt_arena arena;
    struct tt_columns *columns;
    const struct tt_column_stats *stats;
    char text[32];
    bool is_exact;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    columns = tt_columns_new(&arena, names, TT_LENGTH(names));
    assert_non_null(columns);
    for (int i = 0; i < 30000; i++) {
        (void)snprintf(text, sizeof(text), "%d.5", i % 200 - 100);
        tt_columns_add(columns, 0, tt_str(text));
        tt_columns_add(columns, 1,
                       i % 3 == 0   ? TT_STR("")
                       : i % 3 == 1 ? TT_STR("a")
                                    : TT_STR("12"));
        tt_columns_add(columns, 2, TT_STR(""));
        (void)snprintf(text, sizeof(text), "%d", i);
        tt_columns_add(columns, 3, tt_str(text));
    }
    stats = tt_columns_at(columns, 0);
    assert_true(stats->is_number && !stats->is_integer);
    assert_near(stats->min, -100.5, 1e-12);
    assert_near(stats->max, 99.5, 1e-12);
    assert_int_equal(tt_columns_distinct(columns, 0, &is_exact), 200);
    assert_true(is_exact);
    stats = tt_columns_at(columns, 1);
    assert_true(!stats->is_number && stats->filled == 20000 && stats->n_examples == 2);
    assert_int_equal(tt_columns_distinct(columns, 1, &is_exact), 2);
    assert_int_equal(tt_columns_at(columns, 2)->filled, 0);
    assert_true(tt_columns_at(columns, 3)->is_integer);
    assert_near((double)tt_columns_distinct(columns, 3, &is_exact), 30000, 30000 * 0.07);
    assert_false(is_exact);
    tt_columns_free(columns);
    tt_arena_done(&arena);
}

/* ---- SDKs ---- */

#define ROW(s, n, t, b, v, a)                                                                 \
    {                                                                                         \
        .service = {s, sizeof(s) - 1}, .name = {n, sizeof(n) - 1},                            \
        .temporality = {t, sizeof(t) - 1}, .start = {b, sizeof(b) - 1},                       \
        .value = {v, sizeof(v) - 1}, .attributes = {a, sizeof(a) - 1}, .resource = {"{}", 2}, \
    }

static void losses_of_sdks_are_summed_by_service(void **state)
{
    static const struct tt_sdk_row rows[] = {
        ROW("js", "otel.sdk.processor.span.processed", "cumulative", "1", "10",
            "{\"error.type\":\"queue_full\"}"),
        ROW("js", "otel.sdk.processor.span.processed", "cumulative", "1", "25",
            "{\"error.type\":\"queue_full\"}"),
        ROW("js", "otel.sdk.processor.span.processed", "cumulative", "9", "5", /* restarted */
            "{\"error.type\":\"queue_full\"}"),
        ROW("js", "otel.sdk.processor.span.processed", "cumulative", "1", "1000", "{}"),
        ROW("go", "otel.sdk.exporter.span.exported.count", "delta", "1", "3",
            "{\"error.type\":\"timeout\"}"),
        ROW("go", "otel.sdk.exporter.span.exported.count", "delta", "2", "4",
            "{\"error.type\":\"timeout\"}"),
        ROW("java", "processedSpans", "cumulative", "1", "7", "{\"dropped\":true}"),
        ROW("java", "processedSpans", "cumulative", "1", "90", "{\"dropped\":false}"),
        ROW("java", "otlp.exporter.exported", "cumulative", "1", "8",
            "{\"success\":\"false\",\"type\":\"log\"}"),
        ROW("java", "http.server.request.duration", "cumulative", "1", "8", "{}"),
        ROW("java", "processedSpans", "cumulative", "1", "x", "{\"dropped\":true}"),
        ROW("java", "processedSpans", "cumulative", "1", "-5", "not json"),
    };
    struct tt_arena arena;
    struct tt_sdk sdk;
    const struct tt_sdk_service *service;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    tt_sdk_init(&sdk, &arena);
    for (size_t i = 0; i < TT_LENGTH(rows); i++)
        tt_sdk_add(&sdk, &rows[i]);
    tt_sdk_finish(&sdk);
    assert_int_equal(sdk.services.count, 3);
    assert_int_equal(sdk.rows, 9);
    service = tt_map_get(&sdk.services, TT_STR("js"));
    assert_near(service->dropped[TT_SDK_SPANS], 30, 0);
    assert_near(service->passed[TT_SDK_SPANS], 1000, 0);
    service = tt_map_get(&sdk.services, TT_STR("go"));
    assert_near(service->failed[TT_SDK_SPANS], 7, 0);
    service = tt_map_get(&sdk.services, TT_STR("java"));
    assert_near(service->dropped[TT_SDK_SPANS], 7, 0);
    assert_near(service->failed[TT_SDK_LOGS], 8, 0);
    tt_sdk_done(&sdk);
    tt_arena_done(&arena);
}

/* ---- the whole ---- */

/* Sixty traces of two spans; some parents are missing, half of the traces are anomalous. */
static void write_dataset(const struct tt_temp_dir *dir)
{
    char path[768];
    struct tt_buffer csv;

    tt_buffer_init(&csv, 1 << 20);
    tt_buffer_append_str(
        &csv,
        TT_STR(
            "start_time_ns,end_time_ns,service_name,trace_id,span_id,parent_span_id,span_kind,span_status,"
            "anomaly_type,label_source,anomaly_active\n"));
    for (unsigned i = 0; i < 60; i++) {
        const char *type = i % 2 ? "slow" : "none";
        tt_buffer_printf(&csv, "%u000000,%u500000,web,%032x,%016x,,SERVER,OK,%s,header,slow\n",
                         i + 1, i + 1, i + 1, 1, type);
        tt_buffer_printf(&csv, "%u000000,%u%u00000,cart,%032x,%016x,%016x,SERVER,ERROR,%s,trace,\n",
                         i + 1, i + 1, i % 2 ? 4 : 1, i + 1, 2, i % 10 ? 1 : 7, type);
    }
    tt_test_write_file(tt_temp_path(dir, "traces_labeled_1.csv", path), tt_buffer_view(&csv));
    tt_test_write_file(
        tt_temp_path(dir, "run.json", path),
        TT_STR(
            "{\"seed\":1,\"result\":\"done\",\"spans\":{\"web\":61},\"faults\":{\"slow\":\"cart\"}}"));
    tt_test_write_file(
        tt_temp_path(dir, "metrics_labeled_1.csv", path),
        TT_STR(
            "service_name,metric_name,temporality,start_time_ns,value,attributes,resource_attributes,anomaly_type,"
            "label_source\nweb,processedSpans,delta,1,2,\"{\"\"dropped\"\":true}\",{},none,none\n"));
    tt_buffer_done(&csv);
}

/* Returns the bytes written; 0 when it failed. */
static size_t make_report(const char *directory)
{
    struct tt_stats stats;
    struct tt_report report = {.stats = NULL};
    struct tt_error err;
    struct tt_buffer out;
    enum tt_status status = tt_stats_read(&stats, directory, &err);
    size_t len;

    tt_buffer_init(&out, (size_t)16 << 20);
    if (status == TT_OK)
        status = tt_report_make(&report, &stats, directory, &err);
    if (status == TT_OK) {
        tt_report_put_text(&report, &out);
        tt_report_put_json(&report, &out);
        tt_report_put_html(&report, &out);
        status = out.failed;
    }
    len = status == TT_OK ? out.len : 0;
    tt_buffer_done(&out);
    tt_report_done(&report);
    tt_stats_done(&stats);
    return len;
}

static void any_allocation_may_fail(void **state)
{
    struct tt_temp_dir dir;
    size_t whole, len = 0;
    uint64_t n = 0;

    (void)state;
    tt_temp_dir_make(&dir);
    write_dataset(&dir);
    tt_mem_fail_after(0);
    whole = make_report(dir.path);
    assert_true(whole > 10000);
    while (len != whole) { /* a report for which nothing failed */
        tt_mem_fail_after(++n);
        len = make_report(dir.path);
        tt_mem_fail_after(0);
        assert_in_range(n, 1, 5000);
    }
    assert_true(n > 50);
    tt_temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_interpolated),
        cmocka_unit_test(superiority_counts_ties_half),
        cmocka_unit_test(quantiles_of_student_are_those_of_the_tables),
        cmocka_unit_test(effects_have_the_interval_of_welch),
        cmocka_unit_test(columns_are_described),
        cmocka_unit_test(losses_of_sdks_are_summed_by_service),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
