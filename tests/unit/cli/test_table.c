/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_csv.h"
#include "cli/features.h"
#include "cli/table.h"
#include "cli/training.h"
#include "net/inflate.h"
#include "tt_test.h"

#include <math.h>

/* ---- helpers ---- */

struct file {
    struct tt_temp_dir dir;
    char path[768];
};

static const char *write_file(struct file *file, struct tt_str text)
{
    tt_temp_dir_make(&file->dir);
    tt_test_write_file(tt_temp_path(&file->dir, "t.csv", file->path), text);
    return file->path;
}

static void remove_file(struct file *file)
{
    tt_temp_dir_remove(&file->dir);
}

static struct tt_table *open_table(const char *path, const char *const *names, uint32_t n)
{
    struct tt_table *table;
    uint32_t columns[16];
    struct tt_error err;

    assert_ok(tt_table_open(path, &table, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        assert_true(tt_table_find(table, tt_str(names[i]), &columns[i]));
    assert_ok(tt_table_select(table, columns, n, NULL, 0, &err), &err);
    return table;
}

/* Reads columns a and b of text: "1 2|3 nan|" and then "!" with the message for what is no row. */
static void read_rows(struct tt_str text, char *ret_joined)
{
    static const char *const names[] = {"a", "b"};
    struct file file;
    struct tt_table *table = open_table(write_file(&file, text), names, 2);
    size_t len = 0;
    bool more;
    float row[2];
    struct tt_error err;

    for (;;) {
        enum tt_status status = tt_table_next(table, row, &more, &err);
        if (status == TT_OK && !more)
            break;
        if (status == TT_OK)
            len += (size_t)snprintf(ret_joined + len, 1024 - len, "%g %g|", (double)row[0],
                                    (double)row[1]);
        else
            len += (size_t)snprintf(ret_joined + len, 1024 - len, "!%s|",
                                    err.message + strlen(file.path));
        if (status != TT_OK && status != TT_INVALID_DATA)
            break;
    }
    ret_joined[len] = '\0';
    tt_table_close(table);
    remove_file(&file);
}

/* ---- values ---- */

static void cells_are_numbers_gaps_or_texts(void **state)
{
    static const struct {
        const char *cell;
        float value;
        unsigned missing, texts;
    } cases[] = {
        {"1", 1, 0, 0},
        {"-2.5e3", -2500, 0, 0},
        {" 7\t", 7, 0, 0},
        {"\" 7 \"", 7, 0, 0},
        {"+.5", 0.5F, 0, 0},
        {"1e300", INFINITY, 0, 0},
        {"-1e999", -INFINITY, 0, 0},
        {"1e-60", 0, 0, 0},
        {"inf", INFINITY, 0, 0},
        {"-Infinity", -INFINITY, 0, 0},
        {"true", 1, 0, 0},
        {"FALSE", 0, 0, 0},
        {"", NAN, 1, 0},
        {"  ", NAN, 1, 0},
        {"\"\"", NAN, 1, 0},
        {"NaN", NAN, 1, 0},
        {"NULL", NAN, 1, 0},
        {"None", NAN, 1, 0},
        {"n/a", NAN, 1, 0},
        {"abc", NAN, 0, 1},
        {"12abc", NAN, 0, 1},
        {"0x10", NAN, 0, 1},
        {"1 2", NAN, 0, 1},
        {"1;2", NAN, 0, 1},
        {"2014-04-10", NAN, 0, 1},
        {"1e", NAN, 0, 1},
        {"\"1\"\"2\"", NAN, 0, 1},
    };
    static const char *const names[] = {"a"};
    char text[128];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct file file;
        struct tt_table *table;
        struct tt_error err;
        float value = 7777;
        bool more;
        (void)snprintf(text, sizeof(text), "z,a,y\n9,%s,9\n", cases[i].cell);
        table = open_table(write_file(&file, tt_str(text)), names, 1);
        assert_ok(tt_table_next(table, &value, &more, &err), &err);
        assert_true(more);
        assert_true(value == cases[i].value || (isnan(value) && isnan(cases[i].value)));
        assert_int_equal(tt_table_column(table, 0)->missing, cases[i].missing);
        assert_int_equal(tt_table_column(table, 0)->texts, cases[i].texts);
        tt_table_close(table);
        remove_file(&file);
    }
}

/* ---- rows ---- */

static void rows_are_read_whatever_the_line_ends_and_marks_are(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"a,b\n1,2\n3,4\n", "1 2|3 4|"},
        {"b,x,a\n2,9,1\n4,9,3", "1 2|3 4|"},
        {"\xEF\xBB\xBF"
         "a,b\r\n1,2\r\n\r\n3,4\r\n",
         "1 2|3 4|"},
        {"a,b\n", ""},
        {"a,b", ""},
        {"a,b\n,\n", "nan nan|"},
        {"\"a\",\"b\"\n\"1\",2\n3,\"4\"\n", "1 2|3 4|"},
        {"a,t,b\n1,\"x,\ny\",2\n3,z,4\n", "1 2|3 4|"},
        {"a,b,a2\n1,2,\"\"\n", "1 2|"},
    };
    char joined[1024];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        read_rows(tt_str(cases[i].text), joined);
        assert_string_equal(joined, cases[i].rows);
    }
}

static void what_is_no_row_is_told_with_its_line_and_reading_goes_on(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"a,b\n1\n2,3\n", "!:2: 1 cells, the header has 2|2 3|"},
        {"a,b\n1,2,3\n2,3\n", "!:2: 3 cells, the header has 2|2 3|"},
        {"x,b,a\n1\n2,3\n9,3,2\n",
         "!:2: 1 cells, the header has 3|!:3: 2 cells, the header has 3|2 3|"},
        {"a,b,c\n1,2\n", "!:2: 2 cells, the header has 3|"},
        {"a,b\n\"1\n2\",3,4\n5,6\n", "!:2: 3 cells, the header has 2|5 6|"},
        {"a,b\n\"1\"x,2\n\"3\",4\n", "!:2: not a CSV record|3 4|"},
        {"a,b\n1,2\n\"3,4\n5,6\n", "1 2|!:3: not a CSV record|"},
    };
    char joined[1024];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        read_rows(tt_str(cases[i].text), joined);
        assert_string_equal(joined, cases[i].rows);
    }
}

static void nul_bytes_are_text(void **state)
{
    char joined[1024];

    (void)state;
    read_rows(TT_STR("a,b\n1\0,2\n\0\0\0,\0\n3,4\n"), joined);
    assert_string_equal(joined, "nan 2|nan nan|3 4|");
}

static void headers_that_are_none_are_refused_with_a_reason(void **state)
{
    static const struct {
        struct tt_str text;
        const char *reason;
    } cases[] = {
        {{"", 0}, ":1: no header: the file is empty"},
        {{"\n", 1}, ":1: no header: the file is empty"},
        {{"\xEF\xBB\xBF", 3}, ":1: no header: the file is empty"},
        {{"a,b,a\n", 6}, ":1: two columns are called \"a\""},
        {{"1.5,2\n3,4\n", 10}, ":1: numbers where the names of the columns should be"},
        {{"a;b\n1;2\n", 8}, ":1: separated by ';' or TAB; only commas are read"},
        {{"a\tb\n1\t2\n", 8}, ":1: separated by ';' or TAB; only commas are read"},
        {{"a,b\r1,2\r", 8}, ":1: lines end with CR alone; use LF or CRLF"},
        {{"\xFF\xFE"
          "a\0,\0b\0\n\0",
          10},
         ":1: UTF-16; convert it to UTF-8"},
        {{"a\0,b\n", 5}, ":1: column 1: a NUL byte in a name"},
        {{"\"a,b\n", 5}, ":1: not a CSV record"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct file file;
        struct tt_table *table;
        struct tt_error err;
        enum tt_status status = tt_table_open(write_file(&file, cases[i].text), &table, &err);
        assert_true(status == TT_INVALID_DATA || status == TT_UNSUPPORTED);
        assert_null(table);
        assert_string_equal(err.message + strlen(file.path), cases[i].reason);
        remove_file(&file);
    }
}

static void columns_without_names_and_pandas_numbers_are_fine(void **state)
{
    static const char *const texts[] = {",a,\n1,2,3\n", "0,1,2\n1,2,3\n"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        struct file file;
        struct tt_table *table;
        struct tt_error err;
        uint32_t count;
        assert_ok(tt_table_open(write_file(&file, tt_str(texts[i])), &table, &err), &err);
        (void)tt_table_names(table, &count);
        assert_int_equal(count, 3);
        tt_table_close(table);
        remove_file(&file);
    }
}

static void a_quote_that_never_closes_ends_in_bounded_memory(void **state)
{
    struct file file;
    struct tt_table *table;
    struct tt_error err;
    bool more;
    float row;
    FILE *out;

    (void)state;
    (void)write_file(&file, TT_STR("a\n1\n\""));
    out = fopen(file.path, "a");
    assert_non_null(out);
    for (int i = 0; i < 6 << 10; i++)
        assert_int_equal(fprintf(out, "%01023d\n", 0), 1024);
    assert_int_equal(fclose(out), 0);
    table = open_table(file.path, (const char *const[]){"a"}, 1);
    assert_ok(tt_table_read(table, &row, &more, &err), &err);
    assert_status(tt_table_read(table, &row, &more, &err), TT_TOO_LARGE);
    assert_non_null(strstr(err.message, "t.csv:3: a record of more than 4194304 bytes"));
    tt_table_close(table);
    remove_file(&file);
}

static void ten_thousand_columns_are_read(void **state)
{
    enum { N = 10000 };
    struct file file;
    struct tt_table *table;
    struct tt_error err;
    struct tt_buffer text;
    static uint32_t columns[N];
    static float row[N];
    bool more;

    (void)state;
    tt_buffer_init(&text, 1 << 20);
    for (int i = 0; i < N; i++)
        tt_buffer_printf(&text, "c%d%c", i, i + 1 < N ? ',' : '\n');
    for (int i = 0; i < N; i++)
        tt_buffer_printf(&text, "%d%c", i, i + 1 < N ? ',' : '\n');
    for (uint32_t i = 0; i < N; i++)
        columns[i] = N - 1 - i;
    assert_ok(tt_table_open(write_file(&file, tt_buffer_view(&text)), &table, &err), &err);
    assert_ok(tt_table_select(table, columns, N, NULL, 0, &err), &err);
    assert_ok(tt_table_read(table, row, &more, &err), &err);
    for (int i = 0; i < N; i++)
        assert_true(row[i] == (float)(N - 1 - i));
    tt_table_close(table);
    tt_buffer_done(&text);
    remove_file(&file);
}

static void texts_and_numbers_may_be_of_the_same_column(void **state)
{
    static const struct {
        const char *text, *a, *b;
        float number;
    } cases[] = {
        {"a,b\n1.5,x y\n", "1.5", "x y", 1.5F},
        {"a,b\n\"1.5\",\"x,\"\"y\"\n", "1.5", "x,\"y", 1.5F},
    };
    const uint32_t numbers[] = {0}, texts[] = {1, 0};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct file file;
        struct tt_table *table;
        struct tt_error err;
        float row;
        bool more;
        assert_ok(tt_table_open(write_file(&file, tt_str(cases[i].text)), &table, &err), &err);
        assert_ok(tt_table_select(table, numbers, 1, texts, 2, &err), &err);
        assert_ok(tt_table_read(table, &row, &more, &err), &err);
        assert_true(row == cases[i].number);
        assert_true(tt_str_equal(tt_table_texts(table)[0], tt_str(cases[i].b)));
        assert_true(tt_str_equal(tt_table_texts(table)[1], tt_str(cases[i].a)));
        assert_true(tt_str_equal(tt_table_record(table),
                                 tt_str_of(cases[i].text + 4, strlen(cases[i].text) - 5)));
        tt_table_close(table);
        remove_file(&file);
    }
}

static void a_column_is_selected_once_and_exists(void **state)
{
    const uint32_t twice[] = {1, 0, 1}, beyond[] = {0, 2};
    struct file file;
    struct tt_table *table;
    struct tt_error err;

    (void)state;
    assert_ok(tt_table_open(write_file(&file, TT_STR("a,b\n1,2\n")), &table, &err), &err);
    assert_status(tt_table_select(table, twice, 3, NULL, 0, &err), TT_INVALID_DATA);
    assert_status(tt_table_select(table, beyond, 2, NULL, 0, &err), TT_INVALID_DATA);
    tt_table_close(table);
    remove_file(&file);
}

static void ignored_columns_are_nan(void **state)
{
    struct file file;
    struct tt_table *table = open_table(write_file(&file, TT_STR("a,b\n1,2\n\"3\",4\n")),
                                        (const char *const[]){"a", "b"}, 2);
    struct tt_error err;
    float row[2];
    bool more;

    (void)state;
    tt_table_ignore(table, 0);
    for (int i = 0; i < 2; i++) {
        row[0] = 5;
        assert_ok(tt_table_read(table, row, &more, &err), &err);
        assert_true(isnan(row[0]) && row[1] == (float)(2 + 2 * i));
    }
    tt_table_close(table);
    remove_file(&file);
}

static void compressed_files_are_read_and_cut_ones_named(void **state)
{
    struct tt_buffer packed;
    enum tt_status status;
    struct tt_error err;
    struct file file;
    struct tt_table *table;
    bool more = true;
    float row;

    (void)state;
    tt_buffer_init(&packed, 1 << 16);
    assert_ok(tt_compress(TT_ENCODING_GZIP, 0, TT_STR("a\n1\n2\n"), &packed, &err), &err);
    table = open_table(write_file(&file, tt_buffer_view(&packed)), (const char *const[]){"a"}, 1);
    assert_ok(tt_table_read(table, &row, &more, &err), &err);
    assert_true(more && row == 1);
    tt_table_close(table);
    remove_file(&file);
    /* Cut off: what came before may be read, but the end is never a quiet one. */
    table = open_table(write_file(&file, tt_str_of(packed.data, packed.len - 4)),
                       (const char *const[]){"a"}, 1);
    do
        status = tt_table_read(table, &row, &more, &err);
    while (status == TT_OK && more);
    assert_status(status, TT_INVALID_DATA);
    assert_non_null(strstr(err.message, "t.csv: read: the compressed data end too early"));
    assert_int_equal(tt_table_rejected(table), 0);
    tt_table_close(table);
    remove_file(&file);
    tt_buffer_done(&packed);
}

/* ---- features ---- */

static void labels_headers_ids_times_and_files_are_no_features(void **state)
{
    static const char *const refused[] = {
        "anomaly_type",
        "anomaly_score",
        "Anomaly.Label",
        "anomaly",
        "label",
        "label_source",
        "Labels",
        "is_anomaly",
        "x-anomaly-type",
        "http.request.header.x-anomaly-label",
        "http_request_header_user_agent",
        "http.response.header.content-length",
        "rpc.request.metadata.x",
        "messaging.header.priority",
        "baggage",
        "baggage.session",
        "id",
        "trace_id",
        "span.id",
        "parent_span_id",
        "traceId",
        "userID",
        "TraceID",
        "request-id",
        "host_uuid",
        "timestamp",
        "@timestamp",
        "time",
        "ts",
        "start_time_ns",
        "endTimeUnixNano_timestamp",
        "end_time_ns",
        "observed_time_ns",
        "date",
        "startTimeUnixNano",
        "filename",
        "file",
        "log.file.path",
        "",
        "  ",
    };
    static const char *const allowed[] = {
        "duration_ms",
        "f0",
        "http_status_code",
        "response_time",
        "valid",
        "grid",
        "self_time",
        "hour",
        "error_count",
        "timeout",
        "width",
        "paid",
        "profile",
        "dataset",
        "filesystem_used",
        "V1",
        "identity",
        "unlabelled_x",
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(refused); i++)
        if (tt_feature_refusal(tt_str(refused[i])) == NULL)
            fail_msg("\"%s\" is taken for a feature", refused[i]);
    for (size_t i = 0; i < TT_LENGTH(allowed); i++)
        if (tt_feature_refusal(tt_str(allowed[i])) != NULL)
            fail_msg("\"%s\" is refused: %s", allowed[i], tt_feature_refusal(tt_str(allowed[i])));
}

static void only_units_make_two_names_one_quantity(void **state)
{
    static const struct {
        const char *left, *right;
        bool same;
    } cases[] = {
        {"duration_ns", "Duration.ms", true},
        {"x_bytes", "x_KiB", true},
        {"cpu_ratio", "cpu_percent", true},
        {"latency_min", "latency_ms", false},
        {"x_bytes", "x_ms", false},
        {"duration_ns", "durations_ms", false},
        {"_ms", "_ns", false},
        {"f1", "f2", false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        char a[TT_FEATURE_MAX_NAME], b[TT_FEATURE_MAX_NAME];
        struct tt_str left = tt_feature_quantity(tt_str(cases[i].left), a);
        struct tt_str right = tt_feature_quantity(tt_str(cases[i].right), b);
        if ((left.len > 0 && tt_str_equal(left, right)) != cases[i].same)
            fail_msg("\"%s\" and \"%s\"", cases[i].left, cases[i].right);
    }
}

static void labels_are_words_or_numbers(void **state)
{
    static const char *const anomalous[] = {"1", "-1", "0.5", "cpu", "yes", "true", " 1 "};
    static const char *const normal[] = {"",   "0",     "0.0", "none", "Normal",
                                         "no", "false", "nan", " 0 ",  "-0"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(anomalous); i++)
        assert_true(tt_label_is_anomalous(tt_str(anomalous[i])));
    for (size_t i = 0; i < TT_LENGTH(normal); i++)
        assert_false(tt_label_is_anomalous(tt_str(normal[i])));
}

/* ---- memory ---- */

static bool open_and_read(const char *path)
{
    struct tt_table *table = NULL;
    const uint32_t numbers[] = {0};
    struct tt_error err;
    bool more, done;
    float row;

    done = tt_table_open(path, &table, &err) == TT_OK &&
           tt_table_select(table, numbers, 1, NULL, 0, &err) == TT_OK &&
           tt_table_next(table, &row, &more, &err) == TT_OK && more && row == 1;
    tt_table_close(table);
    return done;
}

static void any_allocation_may_fail(void **state)
{
    struct file file;
    const char *path = write_file(&file, TT_STR("a,b\n\"1\",2\n"));
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        bool done;
        tt_mem_fail_after(n);
        done = open_and_read(path);
        tt_mem_fail_after(0);
        if (done)
            break;
        assert_true(n < 100);
    }
    assert_true(n > 5);
    remove_file(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_numbers_gaps_or_texts),
        cmocka_unit_test(rows_are_read_whatever_the_line_ends_and_marks_are),
        cmocka_unit_test(what_is_no_row_is_told_with_its_line_and_reading_goes_on),
        cmocka_unit_test(nul_bytes_are_text),
        cmocka_unit_test(headers_that_are_none_are_refused_with_a_reason),
        cmocka_unit_test(columns_without_names_and_pandas_numbers_are_fine),
        cmocka_unit_test(a_quote_that_never_closes_ends_in_bounded_memory),
        cmocka_unit_test(ten_thousand_columns_are_read),
        cmocka_unit_test(texts_and_numbers_may_be_of_the_same_column),
        cmocka_unit_test(a_column_is_selected_once_and_exists),
        cmocka_unit_test(ignored_columns_are_nan),
        cmocka_unit_test(compressed_files_are_read_and_cut_ones_named),
        cmocka_unit_test(labels_headers_ids_times_and_files_are_no_features),
        cmocka_unit_test(only_units_make_two_names_one_quantity),
        cmocka_unit_test(labels_are_words_or_numbers),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
