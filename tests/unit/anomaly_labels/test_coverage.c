/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/anomaly_labels/coverage.h"
#include "tt_batch.h"

struct fixture {
    struct tt_log_sink sink;
    struct tt_log log;
    struct tt_meters *meters;
    struct anomaly_coverage *coverage;
    struct tt_temp_dir dir;
    char path[768], text[65536];
};

static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    tt_temp_dir_make(&f->dir);
    f->sink = (struct tt_log_sink){
        .fd = open(tt_temp_path(&f->dir, "log", f->path), O_CREAT | O_RDWR | O_APPEND, 0600),
        .level = TT_LOG_INFO,
        .encoding = TT_LOG_CONSOLE,
        .clock = tt_clock_system(),
    };
    f->log = (struct tt_log){&f->sink, "anomaly_labels"};
    f->meters = tt_meters_new(5000);
    f->coverage = anomaly_coverage_new(f->meters, &f->log);
    assert_non_null(f->coverage);
}

static void fixture_done(struct fixture *f)
{
    anomaly_coverage_free(f->coverage);
    tt_meters_free(f->meters);
    close(f->sink.fd);
    tt_temp_dir_remove(&f->dir);
}

static struct tt_batch *batch_of(const char *service, const char *language)
{
    char json[1024];

    (void)snprintf(
        json, sizeof(json),
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
        "\"value\":{\"stringValue\":\"%s\"}},{\"key\":\"telemetry.sdk.language\","
        "\"value\":{\"stringValue\":\"%s\"}}]},\"scopeSpans\":[{\"spans\":[{\"name\":\"op\"}]}]}]}",
        service, language);
    return tt_test_batch(TT_TRACES, tt_str(json));
}

static void add(struct fixture *f, const char *service, const char *language, uint64_t rows,
                uint64_t labelled)
{
    struct tt_batch *batch = batch_of(service, language);

    anomaly_coverage_add(f->coverage, batch, 0, rows, labelled);
    tt_batch_unref(batch);
}

static const char *logged(struct fixture *f)
{
    (void)tt_test_read_file(f->path, f->text, sizeof(f->text));
    return f->text;
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

static void warns_once_a_service_with_the_setting_of_its_language(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (unsigned i = 0; i < 10; i++)
        add(&f, "cart", "java", 30, 0);
    assert_int_equal(count_of(logged(&f), "No label evidence"), 1);
    assert_non_null(
        strstr(f.text, "OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=x-anomaly-type"));
    assert_non_null(strstr(f.text, "cart"));
    add(&f, "user", "python", 100, 0);
    assert_int_equal(count_of(logged(&f), "No label evidence"), 2);
    assert_non_null(strstr(f.text, "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"));
    fixture_done(&f);
}

static void is_quiet_about_services_with_evidence(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    add(&f, "cart", "java", 1000, 1);
    add(&f, "cart", "java", 1000, 0);
    anomaly_coverage_finish(f.coverage);
    assert_int_equal(count_of(logged(&f), "evidence"), 0);
    fixture_done(&f);
}

static void the_end_of_a_run_names_small_services_too(void **state)
{
    struct fixture f;
    char name[16];

    (void)state;
    fixture_init(&f);
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof(name), "service-%u", i);
        add(&f, name, "nodejs", 1, 0);
    }
    assert_int_equal(count_of(logged(&f), "evidence"), 0);
    anomaly_coverage_finish(f.coverage);
    anomaly_coverage_finish(f.coverage);
    assert_int_equal(count_of(logged(&f), "No label evidence"), 30);
    assert_int_equal(count_of(f.text, "headersToSpanAttributes"), 30);
    assert_int_equal(count_of(f.text, "NO SPAN OF THIS RUN"), 1);
    fixture_done(&f);
}

struct reading {
    const char *service;
    double value;
    size_t series;
};

static void read_ratio(void *context, const struct tt_reading *reading)
{
    struct reading *wanted = context;

    if (strcmp(reading->desc->name, "telltale_label_coverage_ratio") != 0)
        return;
    wanted->series++;
    if (tt_str_equal(reading->labels[0].value, tt_str(wanted->service)))
        wanted->value = reading->value;
}

static void exposes_the_ratio_of_each_service(void **state)
{
    struct reading wanted = {.service = "cart", .value = -1};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    add(&f, "cart", "java", 30, 10);
    add(&f, "cart", "java", 10, 0);
    add(&f, "web", "java", 10, 10);
    tt_meters_read(f.meters, read_ratio, &wanted);
    assert_true(wanted.value > 0.2499 && wanted.value < 0.2501);
    assert_int_equal(wanted.series, 2);
    fixture_done(&f);
}

static void services_are_bounded(void **state)
{
    struct reading wanted = {.service = "__overflow__", .value = -1};
    struct fixture f;
    char name[16];

    (void)state;
    fixture_init(&f);
    for (unsigned i = 0; i < 1500; i++) {
        (void)snprintf(name, sizeof(name), "service-%u", i);
        add(&f, name, "go", 2, 1);
    }
    tt_meters_read(f.meters, read_ratio, &wanted);
    assert_true(wanted.value > 0.49 && wanted.value < 0.51);
    assert_true(wanted.series <= 1002);
    fixture_done(&f);
}

static void every_language_has_its_advice(void **state)
{
    static const char *const languages[] = {"java",   "python", "nodejs", "go",
                                            "dotnet", "php",    "nginx",  "rust"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(languages); i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(anomaly_coverage_advice(tt_str(languages[i])),
                                    anomaly_coverage_advice(tt_str(languages[j])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warns_once_a_service_with_the_setting_of_its_language),
        cmocka_unit_test(is_quiet_about_services_with_evidence),
        cmocka_unit_test(the_end_of_a_run_names_small_services_too),
        cmocka_unit_test(exposes_the_ratio_of_each_service),
        cmocka_unit_test(services_are_bounded),
        cmocka_unit_test(every_language_has_its_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
