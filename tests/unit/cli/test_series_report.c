/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "cli/series_report.h"
#include "tt_test.h"

#include <math.h>

#define STEP   INT64_C(300000000000)
#define START  INT64_C(1704067200000000000) /* 2024-01-01T00:00:00Z */
#define POINTS 700
#define SPIKE  600

struct fixture {
    int64_t times[POINTS];
    double values[POINTS];
    struct tt_series_file file;
    struct tt_temp_dir dir;
};

/* A noisy level with one spike, and one point that is missing. */
static int make_fixture(void **state)
{
    struct fixture *fixture = tt_calloc(1, sizeof(*fixture));
    uint64_t random = 3;

    assert_non_null(fixture);
    for (size_t i = 0; i < POINTS; i++) {
        fixture->times[i] = START + (int64_t)i * STEP;
        fixture->values[i] = 50.0 + (double)(tt_test_random(&random) % 1000) / 100.0;
    }
    fixture->values[SPIKE] = 500.0;
    fixture->values[10] = (double)NAN;
    fixture->file = (struct tt_series_file){
        .time_ns = fixture->times, .values = fixture->values, .count = POINTS, .missing = 1};
    tt_temp_dir_make(&fixture->dir);
    *state = fixture;
    return 0;
}

static int remove_fixture(void **state)
{
    struct fixture *fixture = *state;

    tt_temp_dir_remove(&fixture->dir);
    tt_free(fixture);
    return 0;
}

static struct tt_series_report report_of(const struct fixture *fixture)
{
    return (struct tt_series_report){.file = &fixture->file,
                                     .name = TT_STR("cpu.csv"),
                                     .options = tt_series_options_default(),
                                     .seed = 1};
}

static bool has(const struct tt_buffer *out, const char *part)
{
    return out->len > 0 && memmem(out->data, out->len, part, strlen(part)) != NULL;
}

static void write_windows(const struct fixture *fixture, char path[768])
{
    tt_test_write_file(
        tt_temp_path(&fixture->dir, "windows.json", path),
        TT_STR(
            "[{\"start\": \"2024-01-03T01:00:00Z\", \"end\": \"2024-01-03T04:00:00Z\", \"type\": \"spike\", \"services\": [\"cpu\"]},"
            "{\"start\": \"2024-01-02T01:00:00Z\", \"end\": \"2024-01-02T02:00:00Z\", \"type\": \"none\", \"services\": [\"cpu\"]},"
            "{\"start\": \"2024-01-01T01:00:00Z\", \"end\": \"2024-01-01T02:00:00Z\", \"type\": \"leak\", \"services\": [\"memory\"]},"
            "{\"start\": \"2024-01-02T10:00:00Z\", \"end\": \"2024-01-02T10:05:00Z\", \"type\": \"blip\"}]"));
}

static void windows_of_this_series_and_of_all_become_spans(void **state)
{
    const struct fixture *fixture = *state;
    struct tt_series_report report = report_of(fixture);
    struct tt_error err;
    char path[768];

    write_windows(fixture, path);
    assert_ok(tt_series_report_make(&report, &err), &err);
    assert_true(report.alarm[SPIKE]);
    assert_ok(tt_series_report_label(&report, path, TT_STR("cpu"), &err), &err);
    assert_int_equal(report.n_spans, 2);
    assert_string_equal(report.spans[0].name, "blip");
    assert_int_equal(report.spans[0].first, report.spans[0].last);
    assert_string_equal(report.spans[1].name, "spike");
    assert_int_equal(report.spans[1].first, 588); /* 49 hours of 12 points */
    assert_int_equal(report.spans[1].last, 623);  /* the end is outside */
    assert_true(report.spans[1].is_found);
    assert_false(report.spans[0].is_found);
    assert_int_equal(report.n_found, 1);
    assert_true(report.alarms_outside < report.alarms);
    tt_series_report_done(&report);
}

static void text_and_picture_show_the_alarm(void **state)
{
    const struct fixture *fixture = *state;
    struct tt_series_report report = report_of(fixture);
    struct tt_buffer out;
    struct tt_error err;

    assert_ok(tt_series_report_make(&report, &err), &err);
    tt_buffer_init(&out, 1 << 22);
    tt_series_report_text(&report, &out);
    assert_true(has(&out, "cpu.csv: 700 points from 2024-01-01T00:00:00Z to 2024-01-03T10:15:00Z"));
    assert_true(has(&out, "  2024-01-03T02:00:00Z          500 "));
    assert_true(has(&out, "1 without a number"));
    tt_buffer_clear(&out);
    assert_ok(tt_series_report_draw(&report, &out, &err), &err);
    assert_true(has(&out, "<title>alarm 2024-01-03 02:00:00: 500</title>"));
    tt_buffer_done(&out);
    tt_series_report_done(&report);
}

static void every_point_is_a_line_of_json(void **state)
{
    const struct fixture *fixture = *state;
    struct tt_series_report report = report_of(fixture);
    struct tt_error err;
    char path[768], *bytes = tt_malloc(1 << 20);
    struct tt_str text;
    size_t lines = 0;
    int fd;

    assert_non_null(bytes);
    assert_ok(tt_series_report_make(&report, &err), &err);
    fd = open(tt_temp_path(&fixture->dir, "out.json", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(tt_series_report_write_json(&report, fd, &err), &err);
    close(fd);
    text = tt_test_read_file(path, bytes, 1 << 20);
    while (text.len > 0) {
        struct tt_str line = tt_str_cut(&text, '\n');
        assert_true(tt_str_starts_with(line, TT_STR("{\"timestamp\":\"2024-01-0")));
        assert_true(tt_str_ends_with(line, TT_STR("\"}")));
        if (lines == 10)
            assert_non_null(memmem(line.data, line.len, "\"value\":null,\"score\":0,", 23));
        lines++;
    }
    assert_int_equal(lines, POINTS);
    assert_status(tt_series_report_write_json(&report, -1, &err), TT_IO);
    tt_free(bytes);
    tt_series_report_done(&report);
}

struct attempt {
    const struct fixture *fixture;
    const char *path;
};

static bool make_and_draw(void *context)
{
    const struct attempt *attempt = context;
    struct tt_series_report report = report_of(attempt->fixture);
    struct tt_buffer out;
    bool ok;

    tt_buffer_init(&out, 1 << 22);
    ok = tt_series_report_make(&report, NULL) == TT_OK &&
         tt_series_report_label(&report, attempt->path, TT_STR("cpu"), NULL) == TT_OK &&
         tt_series_report_draw(&report, &out, NULL) == TT_OK && out.failed == TT_OK;
    tt_buffer_done(&out);
    tt_series_report_done(&report);
    return ok;
}

static void memory_that_is_gone_is_no_leak_and_no_crash(void **state)
{
    char path[768];
    struct attempt attempt = {*state, path};

    write_windows(*state, path);
    tt_test_failing_allocations(make_and_draw, &attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_of_this_series_and_of_all_become_spans),
        cmocka_unit_test(text_and_picture_show_the_alarm),
        cmocka_unit_test(every_point_is_a_line_of_json),
        cmocka_unit_test(memory_that_is_gone_is_no_leak_and_no_crash),
    };

    return cmocka_run_group_tests(tests, make_fixture, remove_fixture);
}
