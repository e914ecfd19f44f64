/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "model/windows.h"
#include "tt_test.h"

#define SECOND UINT64_C(1000000000)

static struct tt_label_windows *loaded(const char *json, enum tt_status expected, const char *text)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_temp_dir dir;
    struct tt_error err = {.status = TT_OK};
    char path[768];

    tt_temp_dir_make(&dir);
    tt_test_write_file(tt_temp_path(&dir, "w.json", path), tt_str(json));
    assert_status(tt_label_windows_load(windows, path, &err), expected);
    if (expected != TT_OK) {
        assert_non_null(strstr(err.message, "w.json: "));
        if (strstr(err.message, text) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.message, text);
        assert_int_equal(tt_label_windows_count(windows), 0);
    }
    tt_temp_dir_remove(&dir);
    return windows;
}

/* The type of the window at that time, or "-". */
static const char *type_at(struct tt_label_windows *windows, uint64_t time_ns, const char *service,
                           char text[300])
{
    struct tt_label_snapshot *snapshot = tt_label_windows_snapshot(windows);
    const struct tt_label_window *window =
        tt_label_snapshot_find(snapshot, time_ns, tt_str(service));

    (void)snprintf(text, 300, "%.*s", window == NULL ? 1 : (int)window->label.type.len,
                   window == NULL ? "-" : window->label.type.data);
    tt_label_snapshot_unref(snapshot);
    return text;
}

#define assert_type(windows, time_ns, service, expected)                                  \
    do {                                                                                  \
        char text_[300];                                                                  \
        assert_string_equal(type_at((windows), (time_ns), (service), text_), (expected)); \
    } while (0)

static void reads_a_list_with_every_form_of_time(void **state)
{
    struct tt_label_windows *windows = loaded(
        "[{\"start\": 1661140434, \"end\": 1661140554, \"service\": \"frontend\", \"pod\": \"p\", "
        "\"type\": \"cpu\"},"
        " {\"start\": \"2022-08-22T05:00:00Z\", \"end\": \"2022-08-22T05:01:00Z\", \"type\": \"a\", "
        "\"services\": [\"x\", \"y*\"]},"
        " {\"start\": 1661144500000, \"end\": 1661144560000, \"type\": \"ms\"},"
        " {\"start\": 1661144600000000000, \"end\": 1661144660000000000, \"type\": \"ns\"},"
        " {\"start\": 1661144700.5, \"end\": \"1661144760\", \"type\": \"real\"},"
        " {\"start\": 1661144800, \"type\": \"open\", \"label\": \"l\", \"root_cause\": \"r\", "
        "\"msg\": \"m\"}]",
        TT_OK, NULL);

    (void)state;
    assert_int_equal(tt_label_windows_count(windows), 6);
    assert_type(windows, 1661140433 * SECOND, "frontend", "-");
    assert_type(windows, 1661140434 * SECOND, "frontend", "cpu");
    assert_type(windows, 1661140554 * SECOND - 1, "frontend", "cpu");
    assert_type(windows, 1661140554 * SECOND, "frontend", "-");
    assert_type(windows, 1661140434 * SECOND, "cart", "-");
    assert_type(windows, 1661144400 * SECOND, "x", "a");
    assert_type(windows, 1661144400 * SECOND, "yes", "a");
    assert_type(windows, 1661144400 * SECOND, "nay", "-");
    assert_type(windows, 1661144530 * SECOND, "any", "ms");
    assert_type(windows, 1661144630 * SECOND, "any", "ns");
    assert_type(windows, 1661144700 * SECOND, "any", "-");
    assert_type(windows, 1661144701 * SECOND, "any", "real");
    assert_type(windows, 4000000000 * SECOND, "any", "open");
    tt_label_windows_free(windows);
}

static void reads_nab_windows_with_their_end(void **state)
{
    static const char json[] =
        "{\"cloud/none.csv\": [], \"cloud/cpu.csv\": [[\"2014-04-10 07:15:00.000000\", "
        "\"2014-04-11 16:45:00.000000\"], [\"2014-05-01 00:00:00.000000\", \"2014-05-01 "
        "00:05:00.000000\"]]}";
    struct tt_label_windows *windows = loaded(json, TT_OK, NULL);
    uint64_t end = 0;

    (void)state;
    assert_true(tt_time_parse(TT_STR("2014-04-11 16:45:00.000000"), &end));
    assert_int_equal(tt_label_windows_count(windows), 2);
    assert_type(windows, end, "cpu", "anomaly");
    assert_type(windows, end, "cloud/cpu", "anomaly");
    assert_type(windows, end, "cloud/cpu.csv", "anomaly");
    assert_type(windows, end + 1, "cpu", "-");
    assert_type(windows, end, "none", "-");
    tt_label_windows_free(windows);
}

static void refuses_bad_files(void **state)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"", "1:0"},
        {"[", "1:1"},
        {"[1]", "[0]: not an object"},
        {"7", "w.json"},
        {"{\"a\": 1}", "\"a\": not a list"},
        {"{\"a\": [[1, 2, 3]]}", "[0]: not a pair"},
        {"{\"a\": [[\"2014-04-10 07:15:00\", \"2014-04-09 07:15:00\"]]}", "end: before start"},
        {"{\"a\": [], \"a\": []}", "duplicate"},
        {"[{\"start\": 2, \"end\": 1, \"type\": \"t\"}]", "[0]: end: not after start"},
        {"[{\"start\": 2, \"end\": 2, \"type\": \"t\"}]", "[0]: end: not after start"},
        {"[{\"end\": 2, \"type\": \"t\"}]", "[0]: start: missing"},
        {"[{\"start\": 1, \"end\": 2}]", "[0]: type: missing"},
        {"[{\"start\": \"yesterday\", \"type\": \"t\"}]", "start: not a time"},
        {"[{\"start\": -1, \"type\": \"t\"}]", "start: not a time"},
        {"[{\"start\": 1, \"type\": 5}]", "type: not a text"},
        {"[{\"start\": 1, \"type\": \"t\", \"servces\": [\"x\"]}]", "did you mean \"services\""},
        {"[{\"start\": 1, \"type\": \"t\", \"services\": [\"\"]}]", "services: an empty"},
        {"[{\"start\": 1, \"type\": \"t\", \"service\": \"a\", \"services\": [\"b\"]}]", "same"},
        {"[{\"start\": 1, \"end\": 9, \"type\": \"t\"}, {\"start\": 8, \"type\": \"u\"}]",
         "window 2: overlaps"},
        {"[{\"start\": 1, \"end\": 9, \"type\": \"t\", \"services\": [\"a\", \"b\"]}, "
         "{\"start\": 8, \"type\": \"u\", \"service\": \"b\"}]",
         "window 2: overlaps"},
        {"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "deeper"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        enum tt_status expected = TT_INVALID_DATA;
        struct tt_label_windows *windows = loaded(cases[i].json, expected, cases[i].says);
        tt_label_windows_free(windows);
    }
}

static void refuses_files_over_the_limits(void **state)
{
    struct tt_buffer json;

    (void)state;
    tt_buffer_init(&json, 1 << 24);
    for (unsigned i = 0; i <= TT_LABEL_WINDOWS_MAX; i++)
        tt_buffer_printf(&json, "%s{\"start\":%u,\"end\":%u,\"type\":\"t\"}", i == 0 ? "[" : ",",
                         i + 1, i + 2);
    tt_buffer_printf(&json, "]");
    tt_buffer_append_byte(&json, '\0');
    tt_label_windows_free(loaded(json.data, TT_TOO_LARGE, "10001 windows"));
    tt_buffer_done(&json);
}

static void names_a_file_that_is_not_there(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err;

    (void)state;
    assert_status(tt_label_windows_load(windows, "/nowhere/w.json", &err), TT_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/w.json"));
    tt_label_windows_free(windows);
}

static void the_more_exact_window_wins(void **state)
{
    struct tt_label_windows *windows =
        loaded("[{\"start\": 1, \"end\": 99, \"type\": \"all\"},"
               " {\"start\": 2, \"end\": 98, \"type\": \"glob\", \"service\": \"ca*\"},"
               " {\"start\": 3, \"end\": 97, \"type\": \"exact\", \"service\": \"cart\"},"
               " {\"start\": 1, \"end\": 99, \"type\": \"none\", \"service\": \"c*t\"},"
               " {\"start\": 1, \"end\": 99, \"type\": \"early\", \"service\": \"*talogue\"}]",
               TT_OK, NULL);

    (void)state;
    assert_type(windows, 50 * SECOND, "cart", "exact");
    assert_type(windows, 50 * SECOND, "cast", "glob"); /* anomalous before normal */
    assert_type(windows, 50 * SECOND, "catalogue", "early");
    assert_type(windows, 50 * SECOND, "web", "all");
    assert_type(windows, 50 * SECOND, "", "all");
    tt_label_windows_free(windows);
}

/* Many windows, compared with a plain search. */
static void finds_what_a_plain_search_finds(void **state)
{
    struct tt_label_windows *windows;
    struct tt_buffer json;
    uint64_t seed = 7, starts[300], ends[300];

    (void)state;
    tt_buffer_init(&json, 1 << 20);
    for (unsigned i = 0; i < 300; i++) {
        starts[i] = 1 + tt_test_random(&seed) % 1000;
        ends[i] = starts[i] + 1 + tt_test_random(&seed) % (i % 10 == 0 ? 800 : 20);
        tt_buffer_printf(
            &json, "%s{\"start\":%llu,\"end\":%llu,\"type\":\"t\",\"service\":\"s%u\"}",
            i == 0 ? "[" : ",", (unsigned long long)starts[i], (unsigned long long)ends[i], i);
    }
    tt_buffer_printf(&json, "]");
    tt_buffer_append_byte(&json, '\0');
    windows = loaded(json.data, TT_OK, NULL);
    for (unsigned i = 0; i < 300; i++) {
        char service[16];
        (void)snprintf(service, sizeof(service), "s%u", i);
        for (uint64_t t = 0; t < 1900; t += 7)
            assert_type(windows, t * SECOND, service, t >= starts[i] && t < ends[i] ? "t" : "-");
    }
    tt_label_windows_free(windows);
    tt_buffer_done(&json);
}

/* ---- posts ---- */

static enum tt_status post(struct tt_label_windows *windows, const char *body, uint64_t now_s,
                           char *reply, struct tt_error *err)
{
    struct tt_buffer text;
    enum tt_status status;

    tt_buffer_init(&text, 1024);
    status = tt_label_windows_post(windows, tt_str(body), now_s * SECOND, &text, err);
    (void)snprintf(reply, 256, "%.*s", (int)text.len, text.len > 0 ? text.data : "");
    tt_buffer_done(&text);
    return status;
}

static void a_post_opens_and_closes_a_window(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err = {.status = TT_OK};
    struct tt_label_snapshot *before;
    char reply[256];

    (void)state;
    assert_ok(post(windows, "{\"type\": \"cpu\", \"services\": [\"cart\"]}", 100, reply, &err),
              &err);
    assert_string_equal(reply,
                        "{\"id\":1,\"start\":\"1970-01-01T00:01:40.000000000Z\",\"end\":null}");
    assert_type(windows, 5000 * SECOND, "cart", "cpu");
    assert_type(windows, 99 * SECOND, "cart", "-");
    before = tt_label_windows_snapshot(windows);
    assert_ok(post(windows, "{\"id\": 1}", 200, reply, &err), &err);
    assert_string_equal(reply, "{\"id\":1,\"start\":\"1970-01-01T00:01:40.000000000Z\",\"end\":"
                               "\"1970-01-01T00:03:20.000000000Z\"}");
    assert_type(windows, 199 * SECOND, "cart", "cpu");
    assert_type(windows, 200 * SECOND, "cart", "-");
    /* Who reads an older snapshot still sees it open. */
    assert_non_null(tt_label_snapshot_find(before, 5000 * SECOND, TT_STR("cart")));
    tt_label_snapshot_unref(before);
    assert_ok(post(windows, "{\"type\": \"mem\", \"start\": 300, \"end\": 400, \"msg\": \"m\"}", 1,
                   reply, &err),
              &err);
    assert_type(windows, 350 * SECOND, "web", "mem");
    assert_ok(
        post(windows, "{\"type\": \"io\", \"start\": \"1970-01-01T00:10:00Z\"}", 1, reply, &err),
        &err);
    assert_ok(post(windows, "{\"id\": 3, \"end\": 700}", 1, reply, &err), &err);
    assert_type(windows, 699 * SECOND, "web", "io");
    assert_type(windows, 700 * SECOND, "web", "-");
    tt_label_windows_free(windows);
}

static void bad_posts_change_nothing(void **state)
{
    static const struct {
        const char *body, *says;
        enum tt_status status;
    } cases[] = {
        {"", "1:", TT_INVALID_DATA},
        {"[]", "not an object", TT_INVALID_DATA},
        {"{}", "type: missing", TT_INVALID_DATA},
        {"{\"type\": \"\"}", "type: missing", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"colour\": 1}", "colour: unknown", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"serivce\": \"x\"}", "did you mean \"service\"", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"start\": 5, \"end\": 4}", "not after start", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"end\": 4}", "not after start", TT_INVALID_DATA},
        {"{\"type\": \"other\"}", "overlaps", TT_INVALID_DATA},
        {"{\"id\": 7}", "no such window", TT_NOT_FOUND},
        {"{\"id\": 0}", "not the id", TT_INVALID_DATA},
        {"{\"id\": \"1\"}", "not the id", TT_INVALID_DATA},
        {"{\"id\": 1, \"type\": \"t\"}", "keeps its label", TT_INVALID_DATA},
        {"{\"id\": 1, \"end\": 3}", "not after start", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"lease\": 10}", "lease: not a duration", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"lease\": \"10\"}", "lease: not a duration", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"lease\": \"10ms\"}", "lease: not from 1s", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"lease\": \"25h\"}", "lease: not from 1s", TT_INVALID_DATA},
        {"{\"type\": \"t\", \"lease\": \"9s\", \"end\": 300}", "not together", TT_INVALID_DATA},
        {"{\"id\": 1, \"lease\": \"9s\", \"end\": 300}", "not together", TT_INVALID_DATA},
        {"{\"type\": \"other\", \"start\": 100}", "close it with {\"id\": 1}", TT_INVALID_DATA},
        {"{\"type\": \"a\\u0000b\"}", "1:", TT_INVALID_DATA},
    };
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err;
    char reply[256], long_type[400];

    (void)state;
    assert_status(post(windows, "{\"type\": \"first\"}", 100, reply, &err), TT_OK);
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_status(post(windows, cases[i].body, 200, reply, &err), cases[i].status);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.message, cases[i].says);
        assert_string_equal(reply, "");
        assert_int_equal(tt_label_windows_count(windows), 1);
        assert_type(windows, 150 * SECOND, "x", "first");
    }
    (void)snprintf(long_type, sizeof(long_type), "{\"type\": \"%0300d\"}", 1);
    assert_status(post(windows, long_type, 200, reply, &err), TT_TOO_LARGE);
    tt_label_windows_free(windows);
}

static void a_window_ends_with_its_lease_unless_it_is_renewed(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err = {.status = TT_OK};
    char reply[256];

    (void)state;
    assert_ok(post(windows, "{\"type\": \"cpu\", \"lease\": \"10s\"}", 100, reply, &err), &err);
    assert_string_equal(reply, "{\"id\":1,\"start\":\"1970-01-01T00:01:40.000000000Z\",\"end\":"
                               "\"1970-01-01T00:01:50.000000000Z\"}");
    assert_type(windows, 109 * SECOND, "x", "cpu");
    assert_type(windows, 110 * SECOND, "x", "-");
    assert_ok(post(windows, "{\"id\": 1, \"lease\": \"10s\"}", 108, reply, &err), &err);
    assert_non_null(strstr(reply, "00:01:58"));
    assert_type(windows, 100 * SECOND, "x", "cpu");
    assert_type(windows, 117 * SECOND, "x", "cpu");
    assert_status(post(windows, "{\"id\": 1, \"lease\": \"10s\"}", 118, reply, &err), TT_NOT_FOUND);
    assert_non_null(strstr(err.message, "its lease ran out at 1970-01-01T00:01:58"));
    assert_status(post(windows, "{\"id\": 1}", 119, reply, &err), TT_NOT_FOUND);
    assert_type(windows, 117 * SECOND, "x", "cpu");
    assert_type(windows, 118 * SECOND, "x", "-");
    assert_ok(post(windows, "{\"type\": \"mem\", \"start\": 118}", 118, reply, &err), &err);
    tt_label_windows_free(windows);
}

static void a_leased_window_is_closed_at_the_time_given(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err = {.status = TT_OK};
    char reply[256];

    (void)state;
    assert_ok(
        post(windows, "{\"type\": \"cpu\", \"start\": 200, \"lease\": \"10s\"}", 100, reply, &err),
        &err);
    assert_type(windows, 209 * SECOND, "x", "cpu");
    assert_ok(post(windows, "{\"id\": 1, \"end\": 205}", 207, reply, &err), &err);
    assert_type(windows, 204 * SECOND, "x", "cpu");
    assert_type(windows, 205 * SECOND, "x", "-");
    assert_status(post(windows, "{\"id\": 1, \"lease\": \"10s\"}", 208, reply, &err), TT_NOT_FOUND);
    assert_non_null(strstr(err.message, "no such window is open"));
    tt_label_windows_free(windows);
}

static void a_client_that_asks_again_gets_its_window(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err = {.status = TT_OK};
    char first[256], again[256];

    (void)state;
    assert_ok(
        post(windows, "{\"type\": \"cpu\", \"start\": 100, \"service\": \"a\"}", 100, first, &err),
        &err);
    assert_ok(
        post(windows, "{\"type\": \"cpu\", \"start\": 100, \"service\": \"a\"}", 101, again, &err),
        &err);
    assert_string_equal(again, first);
    assert_ok(post(windows,
                   "{\"type\": \"cpu\", \"start\": 100, \"service\": \"a\", \"lease\": \"5s\"}",
                   110, again, &err),
              &err);
    assert_non_null(strstr(again, "{\"id\":1,"));
    assert_non_null(strstr(again, "00:01:55"));
    assert_int_equal(tt_label_windows_count(windows), 1);
    assert_status(
        post(windows, "{\"type\": \"mem\", \"start\": 100, \"service\": \"a\"}", 111, again, &err),
        TT_INVALID_DATA);
    assert_ok(
        post(windows, "{\"type\": \"cpu\", \"start\": 100, \"service\": \"b\"}", 111, again, &err),
        &err);
    assert_non_null(strstr(again, "{\"id\":2,"));
    tt_label_windows_free(windows);
}

static void a_full_set_forgets_the_oldest_closed_window(void **state)
{
    struct tt_label_windows *windows;
    struct tt_buffer json;
    struct tt_error err = {.status = TT_OK};
    char reply[256];

    (void)state;
    tt_buffer_init(&json, 1 << 24);
    for (unsigned i = 0; i < TT_LABEL_WINDOWS_MAX - 2; i++)
        tt_buffer_printf(&json, "%s{\"start\":%u,\"end\":%u,\"type\":\"t\",\"service\":\"file\"}",
                         i == 0 ? "[" : ",", i + 1, i + 2);
    tt_buffer_printf(&json, "]");
    tt_buffer_append_byte(&json, '\0');
    windows = loaded(json.data, TT_OK, NULL);
    tt_buffer_done(&json);
    assert_ok(post(windows, "{\"type\": \"a\", \"start\": 10, \"end\": 20}", 1, reply, &err), &err);
    assert_ok(post(windows, "{\"type\": \"b\", \"start\": 20, \"end\": 30}", 1, reply, &err), &err);
    assert_ok(post(windows, "{\"type\": \"c\", \"start\": 30}", 1, reply, &err), &err);
    assert_int_equal(tt_label_windows_count(windows), TT_LABEL_WINDOWS_MAX);
    assert_type(windows, 15 * SECOND, "x", "-");
    assert_type(windows, 25 * SECOND, "x", "b");
    assert_type(windows, 35 * SECOND, "x", "c");
    assert_ok(post(windows, "{\"type\": \"d\", \"start\": 5, \"end\": 6}", 1, reply, &err), &err);
    assert_ok(post(windows, "{\"type\": \"e\", \"start\": 6, \"service\": \"e\"}", 1, reply, &err),
              &err);
    assert_status(
        post(windows, "{\"type\": \"f\", \"start\": 6, \"service\": \"f\"}", 1, reply, &err),
        TT_OVERLOADED);
    tt_label_windows_free(windows);
}

/* ---- memory and threads ---- */

static bool load_and_post(void *context)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_error err;
    char reply[256];
    bool ok;

    if (windows == NULL)
        return false;
    ok = tt_label_windows_load(windows, context, &err) == TT_OK;
    ok = ok && post(windows, "{\"type\": \"p\", \"services\": [\"z\"]}", 9, reply, &err) == TT_OK;
    ok = ok && post(windows, "{\"id\": 1}", 10, reply, &err) == TT_OK;
    tt_label_windows_free(windows);
    return ok;
}

static void survives_failing_allocations(void **state)
{
    struct tt_temp_dir dir;
    char path[768];

    (void)state;
    tt_temp_dir_make(&dir);
    tt_test_write_file(tt_temp_path(&dir, "w.json", path),
                       TT_STR("[{\"start\": 1, \"end\": 2, \"type\": \"t\"}]"));
    tt_test_failing_allocations(load_and_post, path);
    tt_temp_dir_remove(&dir);
}

static void post_many(void *context)
{
    struct tt_error err;
    char reply[256];

    for (unsigned i = 1; i <= 200; i++) {
        if (post(context, "{\"type\": \"x\", \"service\": \"s\"}", i, reply, &err) == TT_OK)
            (void)snprintf(reply, sizeof(reply), "{\"id\": %u}", i);
        (void)post(context, reply, i + 1, reply, &err);
    }
}

static void readers_see_whole_snapshots_while_windows_are_posted(void **state)
{
    struct tt_label_windows *windows = tt_label_windows_new();
    struct tt_thread writer = {.running = false};
    struct tt_error err = {.status = TT_OK};

    (void)state;
    assert_ok(tt_thread_start(&writer, "writer", post_many, windows, &err), &err);
    for (unsigned i = 0; i < 2000; i++) {
        struct tt_label_snapshot *snapshot = tt_label_windows_snapshot(windows);
        const struct tt_label_window *window =
            tt_label_snapshot_find(snapshot, i % 200 * SECOND, TT_STR("s"));
        if (window != NULL)
            assert_str(window->label.type, "x");
        tt_label_snapshot_unref(snapshot);
    }
    tt_thread_join(&writer);
    assert_int_equal(tt_label_windows_count(windows), 200);
    tt_label_windows_free(windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_list_with_every_form_of_time),
        cmocka_unit_test(reads_nab_windows_with_their_end),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(refuses_files_over_the_limits),
        cmocka_unit_test(names_a_file_that_is_not_there),
        cmocka_unit_test(the_more_exact_window_wins),
        cmocka_unit_test(finds_what_a_plain_search_finds),
        cmocka_unit_test(a_post_opens_and_closes_a_window),
        cmocka_unit_test(bad_posts_change_nothing),
        cmocka_unit_test(a_window_ends_with_its_lease_unless_it_is_renewed),
        cmocka_unit_test(a_leased_window_is_closed_at_the_time_given),
        cmocka_unit_test(a_client_that_asks_again_gets_its_window),
        cmocka_unit_test(a_full_set_forgets_the_oldest_closed_window),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(readers_see_whole_snapshots_while_windows_are_posted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
