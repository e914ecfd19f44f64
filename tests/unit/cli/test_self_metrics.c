/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"
#include "cli/self_metrics.h"
#include "tt_test.h"

static const struct tt_meter_desc sent = {"test_sent", "1", "Items\nsent, a \\ and a \".",
                                          TT_COUNTER};
static const struct tt_meter_desc ratio = {"test_ratio", "1", "A ratio.", TT_GAUGE};

static struct tt_str print(struct tt_meters *meters, const struct tt_pair_list *resource,
                           struct tt_buffer *out)
{
    tt_buffer_init(out, 1 << 16);
    tt_self_metrics_print(meters, resource, out);
    assert_int_equal(out->failed, TT_OK);
    return tt_buffer_view(out);
}

static void families_have_one_header_and_escaped_texts(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_pair_list none = {NULL, 0};
    struct tt_label a = {"exporter", TT_STR("a\"b\\c\nd")}, b = {"exporter", TT_STR("b")};
    struct tt_buffer out;

    (void)state;
    tt_meter_add(tt_meters_get(meters, &sent, &b, 1), 7);
    tt_meter_add(tt_meters_get(meters, &sent, &a, 1), 5);
    tt_meter_set_real(tt_meters_get(meters, &ratio, NULL, 0), 0.25);
    assert_str(print(meters, &none, &out), "# HELP test_ratio A ratio.\n"
                                           "# TYPE test_ratio gauge\n"
                                           "test_ratio 0.25\n"
                                           "# HELP test_sent Items\\nsent, a \\\\ and a \".\n"
                                           "# TYPE test_sent counter\n"
                                           "test_sent{exporter=\"a\\\"b\\\\c\\nd\"} 5\n"
                                           "test_sent{exporter=\"b\"} 7\n"
                                           "# HELP target_info Target metadata\n"
                                           "# TYPE target_info gauge\n"
                                           "target_info{service_version=\""
                                           "0.1.0"
                                           "\",service_name=\"telltale\"} 1\n");
    tt_buffer_done(&out);
    tt_meters_free(meters);
}

static void the_resource_becomes_labels_of_target_info(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_pair pairs[] = {
        {"service.name", "mine"}, {"deployment.environment", "te\"st"}, {"1st", "x"}};
    struct tt_pair_list resource = {pairs, TT_LENGTH(pairs)};
    struct tt_buffer out;

    (void)state;
    assert_str(print(meters, &resource, &out),
               "# HELP target_info Target metadata\n"
               "# TYPE target_info gauge\n"
               "target_info{service_version=\"0.1.0\",service_name=\"mine\","
               "deployment_environment=\"te\\\"st\",_st=\"x\"} 1\n");
    tt_buffer_done(&out);
    tt_meters_free(meters);
}

static void numbers_are_written_as_prometheus_reads_them(void **state)
{
    static const struct {
        double value;
        const char *line;
    } cases[] = {
        {0, "test_ratio 0\n"},
        {1.0 / 0.0, "test_ratio +Inf\n"},
        {-1.0 / 0.0, "test_ratio -Inf\n"},
        {0.1, "test_ratio 0.1\n"},
    };
    struct tt_pair_list none = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_meters *meters = tt_meters_new(100);
        struct tt_buffer out;
        tt_meter_set_real(tt_meters_get(meters, &ratio, NULL, 0), cases[i].value);
        (void)print(meters, &none, &out);
        tt_buffer_append_byte(&out, '\0');
        assert_non_null(strstr(out.data, cases[i].line));
        tt_buffer_done(&out);
        tt_meters_free(meters);
    }
}

static void histograms_have_buckets_sum_and_count(void **state)
{
    static const struct tt_meter_desc took = {"test_took", "s", "How long.", TT_HISTOGRAM};
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_pair_list none = {NULL, 0};
    struct tt_label label = {"processor", TT_STR("a")};
    struct tt_buffer out;

    (void)state;
    tt_histogram_add(tt_meters_get_histogram(meters, &took, &label, 1), 2 * TT_MILLISECOND);
    tt_histogram_add(tt_meters_get_histogram(meters, &took, &label, 1), 20 * TT_SECOND);
    (void)print(meters, &none, &out);
    tt_buffer_append_byte(&out, '\0');
    assert_non_null(strstr(out.data, "# TYPE test_took histogram\n"
                                     "test_took_bucket{processor=\"a\",le=\"1e-05\"} 0\n"));
    assert_non_null(strstr(out.data, "test_took_bucket{processor=\"a\",le=\"0.001\"} 0\n"
                                     "test_took_bucket{processor=\"a\",le=\"0.005\"} 1\n"));
    assert_non_null(strstr(out.data, "test_took_bucket{processor=\"a\",le=\"10\"} 1\n"
                                     "test_took_bucket{processor=\"a\",le=\"+Inf\"} 2\n"
                                     "test_took_sum{processor=\"a\"} 20.002\n"
                                     "test_took_count{processor=\"a\"} 2\n"
                                     "# HELP target_info"));
    tt_buffer_done(&out);
    tt_meters_free(meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_have_buckets_sum_and_count),
        cmocka_unit_test(families_have_one_header_and_escaped_texts),
        cmocka_unit_test(the_resource_becomes_labels_of_target_info),
        cmocka_unit_test(numbers_are_written_as_prometheus_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
