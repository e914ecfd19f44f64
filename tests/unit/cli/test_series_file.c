/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nab_labels.h"
#include "cli/series_file.h"
#include "tt_test.h"

#include <math.h>

#define START INT64_C(1397088000000000000) /* 2014-04-10T00:00:00Z */
#define HOUR  INT64_C(3600000000000)

static int make_dir(void **state)
{
    static struct tt_temp_dir dir;

    tt_temp_dir_make(&dir);
    *state = &dir;
    return 0;
}

static int remove_dir(void **state)
{
    tt_temp_dir_remove(*state);
    return 0;
}

static enum tt_status read_text(void **state, struct tt_str text, const char *value_column,
                                struct tt_series_file *ret_series, struct tt_error *err)
{
    char path[768];

    tt_test_write_file(tt_temp_path(*state, "series.csv", path), text);
    return tt_series_file_read(path, NULL, value_column, ret_series, err);
}

static void columns_are_found_by_name_or_place(void **state)
{
    static const struct {
        const char *text, *value_column;
    } cases[] = {
        {"timestamp,value\n2014-04-10 00:00:00,1\n2014-04-10 01:00:00,2.5\n", NULL},
        {"2014-04-10 00:00:00,1\n2014-04-10 01:00:00,2.5\n", NULL},
        {"\xEF\xBB\xBFtimestamp,value\r\n2014-04-10 00:00:00,1\r\n2014-04-10 01:00:00,2.5", NULL},
        {"VALUE,Time\n1,2014-04-10T00:00:00Z\n\n2.5,2014-04-10T03:00:00+02:00\n", NULL},
        {"ds,y,yhat\n1397088000,1,9\n1397091600,2.5,9\n", NULL},
        {"when,cpu\n1397088000000,1\n1397091600000,2.5\n", NULL},
        {"timestamp,a,b\n1397088000.0,9,1\n1397091600.0,9,2.5\n", "b"},
        {"\"timestamp\",\"value\"\n\"2014-04-10 00:00:00\",\"1\"\n2014-04-10 01:00:00,2.5\n", NULL},
        {"timestamp,value\n 2014-04-10 00:00:00 , 1 \n2014-04-10 01:00:00.000000,25e-1\n", NULL},
    };
    struct tt_series_file series;
    struct tt_error err;

    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_ok(read_text(state, tt_str(cases[i].text), cases[i].value_column, &series, &err),
                  &err);
        assert_int_equal(series.count, 2);
        assert_int_equal(series.time_ns[0], START);
        assert_int_equal(series.time_ns[1], START + HOUR);
        assert_true(series.values[0] == 1.0 && series.values[1] == 2.5);
        assert_int_equal(tt_series_file_step(&series), HOUR);
        tt_series_file_done(&series);
    }
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"timestamp,value\n2014-04-10 00:00:00,1\n2014-04-10,2\n",
         "series.csv:3: \"2014-04-10\" is not a time"},
        {"timestamp,value\n2014-13-45 00:00:00,1\n",
         "series.csv:2: \"2014-13-45 00:00:00\" is not a time"},
        {"timestamp,value\n-5,1\n", "series.csv:2: \"-5\" is not a time"},
        {"timestamp,value\n1e300,1\n", "series.csv:2: \"1e300\" is not a time"},
        {"timestamp,value\n0001-01-01 00:00:00,1\n", "is not a time"},
        {"timestamp,value\n9999-01-01 00:00:00,1\n", "is not a time"},
        {"timestamp,value\n\n2014-04-10 00:00:00,x1\n", "series.csv:3: \"x1\" is not a number"},
        {"timestamp,value\n2014-04-10 00:00:00,1,7\n", "series.csv:2: 3 cells, not 2"},
        {"timestamp,value\n2014-04-10 00:00:00\n", "series.csv:2: 1 cells, not 2"},
        {"timestamp;value\n2014-04-10 00:00:00;1\n", "series.csv:1: "},
        {"timestamp,cpu,memory\n2014-04-10 00:00:00,1,7\n", "Name one of: timestamp, cpu, memory"},
        {"a,b,c\n", "series.csv:1: which column is the time?"},
        {"timestamp,value\n2014-04-10 00:00:00,\"1\n", "series.csv:2: "},
    };
    struct tt_series_file series;
    struct tt_error err;

    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_status(read_text(state, tt_str(cases[i].text), NULL, &series, &err),
                      TT_INVALID_DATA);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.message);
        assert_null(series.time_ns);
    }
    assert_status(read_text(state, TT_STR("timestamp,a\n1,2\n"), "b", &series, &err),
                  TT_INVALID_DATA);
    assert_non_null(strstr(err.message, "no column \"b\""));
    assert_status(tt_series_file_read("/nowhere/x.csv", NULL, NULL, &series, &err), TT_NOT_FOUND);
    assert_status(read_text(state, TT_STR("timestamp,value\n1,\0"), NULL, &series, &err),
                  TT_INVALID_DATA);
}

static void a_file_without_points_is_an_empty_series(void **state)
{
    static const char *const texts[] = {"", "\n", "timestamp,value", "timestamp,value\n\n"};
    struct tt_series_file series;
    struct tt_error err;

    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        assert_ok(read_text(state, tt_str(texts[i]), NULL, &series, &err), &err);
        assert_int_equal(series.count, 0);
        assert_int_equal(tt_series_file_step(&series), 0);
        tt_series_file_done(&series);
    }
}

static void a_quote_that_does_not_close_is_not_read_to_the_end_of_the_world(void **state)
{
    size_t len = (size_t)1 << 20;
    char *text = tt_malloc(len);
    struct tt_series_file series;
    struct tt_error err;

    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text, "timestamp,value\n\"", 17);
    assert_status(read_text(state, tt_str_of(text, len), NULL, &series, &err), TT_TOO_LARGE);
    assert_non_null(strstr(err.message, "series.csv:2: "));
    tt_free(text);
}

static void missing_late_and_equal_points_are_kept_and_counted(void **state)
{
    static const char text[] = "timestamp,value\n"
                               "100,1\n200,\n300,NaN\n400,inf\n500,null\n"
                               "450,2\n500,3\n500,4\n499,5\n600,-0\n31536600,6\n";
    struct tt_series_file series;
    struct tt_error err;

    assert_ok(read_text(state, tt_str(text), NULL, &series, &err), &err);
    assert_int_equal(series.count, 11);
    assert_int_equal(series.missing, 4);
    assert_int_equal(series.late, 2);
    assert_int_equal(series.equal, 2);
    assert_true(isnan(series.values[3]) && series.values[10] == 6.0);
    tt_series_file_done(&series);
}

static void zone_offsets_are_read_in_their_usual_forms(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int32_t seconds;
    } cases[] = {
        {"Z", true, 0},          {"utc", true, 0},         {"+2", true, 7200},
        {"+02", true, 7200},     {"-05:30", true, -19800}, {"+0545", true, 20700},
        {"+14:00", true, 50400}, {"-1:15", true, -4500},   {"", false, 0},
        {"2", false, 0},         {"+", false, 0},          {"+15", false, 0},
        {"+1:5", false, 0},      {"+01:60", false, 0},     {"+1:2:3", false, 0},
        {"+01:000", false, 0},   {"+:30", false, 0},       {"CET", false, 0},
        {"+02:", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        int32_t seconds = -1;
        if (tt_zone_offset_parse(tt_str(cases[i].text), &seconds) != cases[i].ok)
            fail_msg("\"%s\"", cases[i].text);
        if (cases[i].ok)
            assert_int_equal(seconds, cases[i].seconds);
    }
}

/* ---- labels ---- */

static enum tt_status read_labels(void **state, const char *text, struct tt_nab_labels *ret_labels,
                                  struct tt_error *err)
{
    char path[768];

    tt_test_write_file(tt_temp_path(*state, "labels.json", path), tt_str(text));
    return tt_nab_labels_read(path, ret_labels, err);
}

static void windows_are_read_in_the_order_of_time(void **state)
{
    struct tt_nab_labels labels;
    struct tt_error err;

    assert_ok(
        read_labels(state,
                    "{\"a/x.csv\": [[\"2014-04-10 02:00:00.000000\", \"2014-04-10 03:00:00\"],"
                    "[\"2014-04-10 00:00:00\", \"2014-04-10T01:00:00Z\"]], \"b/y.csv\": []}",
                    &labels, &err),
        &err);
    assert_int_equal(labels.count, 2);
    assert_string_equal(labels.items[0].name, "a/x.csv");
    assert_int_equal(labels.items[0].count, 2);
    assert_int_equal(labels.items[0].windows[0].first_ns, START);
    assert_int_equal(labels.items[0].windows[1].last_ns, START + 3 * HOUR);
    assert_int_equal(labels.items[1].count, 0);
    assert_ptr_equal(tt_nab_labels_find(&labels, "/data/b/y.csv"), &labels.items[1]);
    assert_ptr_equal(tt_nab_labels_find(&labels, "x.csv"), &labels.items[0]);
    assert_null(tt_nab_labels_find(&labels, "/data/xx.csv"));
    tt_nab_labels_done(&labels);
}

static void wrong_labels_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "labels.json: 1:0: "},
        {"{\"a.csv\": [}", "labels.json: 1:"},
        {"[]", "not an object"},
        {"{\"a.csv\": 3}", "\"a.csv\": not a list"},
        {"{\"a.csv\": [[\"2014-04-10 00:00:00\"]]}", "\"a.csv\", window 1: not a pair"},
        {"{\"a.csv\": [[1, 2]]}", "\"a.csv\", window 1: not a time"},
        {"{\"a.csv\": [[\"2014-04-10 01:00:00\", \"2014-04-10 00:00:00\"]]}",
         "ends before it begins"},
        {"{\"a.csv\": [[\"2014-04-10 01:00:00\", \"2014-04-10 03:00:00\"],"
         "[\"2014-04-10 03:00:00\", \"2014-04-10 04:00:00\"]]}",
         "windows 1 and 2 in time overlap"},
        {"{\"../a.csv\": []}", "not a path below"},
        {"{\"/etc/passwd\": []}", "not a path below"},
        {"{\"a/../../b\": []}", "not a path below"},
        {"{\"\": []}", "not a path below"},
        {"{\"a.csv\": [], \"a.csv\": []}", "duplicate"},
    };
    struct tt_nab_labels labels;
    struct tt_error err;

    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_status(read_labels(state, cases[i].text, &labels, &err), TT_INVALID_DATA);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.message);
        assert_null(labels.items);
    }
}

struct files {
    char series[768], labels[768];
};

static bool read_both(void *context)
{
    const struct files *files = context;
    struct tt_series_file series;
    struct tt_nab_labels labels;
    bool ok;

    if (tt_series_file_read(files->series, NULL, NULL, &series, NULL) != TT_OK)
        return false;
    ok = tt_nab_labels_read(files->labels, &labels, NULL) == TT_OK;
    tt_series_file_done(&series);
    if (ok)
        tt_nab_labels_done(&labels);
    return ok;
}

static void memory_that_is_gone_is_no_leak_and_no_crash(void **state)
{
    struct files files;

    tt_test_write_file(tt_temp_path(*state, "s.csv", files.series),
                       TT_STR("timestamp,value\n100,1\n\"200\",2\n"));
    tt_test_write_file(tt_temp_path(*state, "l.json", files.labels),
                       TT_STR("{\"a.csv\": [[\"2014-04-10 01:00:00\", \"2014-04-10 03:00:00\"]]}"));
    tt_test_failing_allocations(read_both, &files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_or_place),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(a_file_without_points_is_an_empty_series),
        cmocka_unit_test(a_quote_that_does_not_close_is_not_read_to_the_end_of_the_world),
        cmocka_unit_test(missing_late_and_equal_points_are_kept_and_counted),
        cmocka_unit_test(zone_offsets_are_read_in_their_usual_forms),
        cmocka_unit_test(windows_are_read_in_the_order_of_time),
        cmocka_unit_test(wrong_labels_are_refused_with_their_place),
        cmocka_unit_test(memory_that_is_gone_is_no_leak_and_no_crash),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
