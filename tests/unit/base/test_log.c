/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/thread.h"
#include "tt_test.h"

#include <errno.h>
#include <math.h>

/* A log to a pipe at a time that stands still: 2026-08-21T10:00:00.123Z. */
struct fixture {
    struct tt_fake_clock clock;
    struct tt_log_sink sink;
    struct tt_log log;
    int out;
    char text[65536];
};

static void set_up(struct fixture *f, enum tt_log_encoding encoding)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    f->out = ends[0];
    tt_fake_clock_init(&f->clock, UINT64_C(1787306400123456789));
    f->sink = (struct tt_log_sink){ends[1], TT_LOG_INFO, encoding, &f->clock.clock};
    f->log = (struct tt_log){&f->sink, "otlp"};
}

/* What was written since the last call. */
static const char *output(struct fixture *f)
{
    ssize_t len;

    assert_int_equal(fcntl(f->out, F_SETFL, O_NONBLOCK), 0);
    len = read(f->out, f->text, sizeof(f->text) - 1);
    f->text[len < 0 ? 0 : len] = '\0';
    return f->text;
}

static void tear_down(struct fixture *f)
{
    close(f->out);
    close(f->sink.fd);
}

#define STAMP "2026-08-21T10:00:00.123Z"

static void console_lines_have_five_columns(void **state)
{
    static struct fixture f;

    (void)state;
    set_up(&f, TT_LOG_CONSOLE);
    tt_log_info(&f.log, "ready");
    assert_string_equal(output(&f), STAMP "\tinfo\totlp\tready\n");
    tt_log_error(&f.log, "send failed", TT_FIELD_TEXT("endpoint", "http://h"),
                 TT_FIELD_STR("part", tt_str_of("abcdef", 3)), TT_FIELD_INT("status", -503),
                 TT_FIELD_DOUBLE("ratio", 0.1), TT_FIELD_DURATION("after", 90 * TT_SECOND));
    assert_string_equal(output(&f),
                        STAMP "\terror\totlp\tsend failed\t{\"endpoint\": \"http://h\", \"part\": "
                              "\"abc\", \"status\": -503, \"ratio\": 0.1, \"after\": \"1m30s\"}\n");
    f.log.component = NULL;
    tt_log_warn(&f.log, "bye");
    assert_string_equal(output(&f), STAMP "\twarn\tservice\tbye\n");
    tear_down(&f);
}

static void json_lines_are_objects(void **state)
{
    static struct fixture f;

    (void)state;
    set_up(&f, TT_LOG_JSON);
    tt_log_info(&f.log, "ready", TT_FIELD_INT("n", 1), TT_FIELD_DOUBLE("nan", (double)NAN),
                TT_FIELD_TEXT("none", NULL));
    assert_string_equal(output(&f), "{\"level\":\"info\",\"ts\":\"" STAMP
                                    "\",\"msg\":\"ready\",\"otelcol.component.id\":\"otlp\","
                                    "\"n\":1,\"nan\":\"NaN\",\"none\":\"\"}\n");
    f.log.component = NULL;
    tt_log_info(&f.log, "bye");
    assert_string_equal(output(&f), "{\"level\":\"info\",\"ts\":\"" STAMP "\",\"msg\":\"bye\"}\n");
    tear_down(&f);
}

static void errors_show_where_they_come_from(void **state)
{
    static struct fixture f;
    struct tt_error err;

    (void)state;
    set_up(&f, TT_LOG_JSON);
    f.log.component = NULL;
    (void)tt_fail(&err, TT_IO, "open f");
    (void)snprintf(err.path, sizeof(err.path), "exporters.file");
    err.mark = (struct tt_mark){"c.yaml", 3, 4};
    tt_log_info(&f.log, "x", TT_FIELD_ERROR(&err), TT_FIELD_ERROR(NULL));
    assert_non_null(strstr(output(&f), "\"error\":\"c.yaml:3:4: exporters.file: open f\","
                                       "\"error\":null}\n"));
    tear_down(&f);
}

static void control_characters_and_bad_utf8_are_escaped(void **state)
{
    static const struct {
        const char *text, *escaped;
    } cases[] = {
        {"a\nb\r\t", "a\\nb\\r\\t"},
        {"\b\f", "\\b\\f"},
        {"\x1b[31m", "\\u001b[31m"},
        {"\x01\x7f", "\\u0001\\u007f"},
        {"\"\\/", "\\\"\\\\/"},
        {"\xc2\x9b"
         "31m\xc2\xa0",
         "\\u009b31m\xc2\xa0"}, /* C1: CSI in one character; a no-break space is none */
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xe2\x82\xac\xf0\x9f\x99\x82", "\xe2\x82\xac\xf0\x9f\x99\x82"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    static struct fixture f;
    char expected[256];

    (void)state;
    set_up(&f, TT_LOG_CONSOLE);
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        tt_log_write(&f.log, NULL, TT_LOG_INFO, cases[i].text,
                     (const struct tt_log_field[]){TT_FIELD_TEXT("k", cases[i].text)}, 1);
        (void)snprintf(expected, sizeof(expected), STAMP "\tinfo\totlp\t%s\t{\"k\": \"%s\"}\n",
                       cases[i].escaped, cases[i].escaped);
        assert_string_equal(output(&f), expected);
    }
    tt_log_write(&f.log, NULL, TT_LOG_INFO, "m",
                 (const struct tt_log_field[]){TT_FIELD_STR("k", tt_str_of("a\0b", 3))}, 1);
    assert_string_equal(output(&f), STAMP "\tinfo\totlp\tm\t{\"k\": \"a\\u0000b\"}\n");
    tear_down(&f);
}

static void lines_below_the_level_cost_nothing(void **state)
{
    static struct fixture f;
    int evaluated = 0;
    struct tt_log silent = {NULL, "otlp"};

    (void)state;
    set_up(&f, TT_LOG_CONSOLE);
    tt_log_debug(&f.log, "hidden", TT_FIELD_INT("n", ++evaluated));
    tt_log_error(&silent, "hidden", TT_FIELD_INT("n", ++evaluated));
    tt_log_write(&f.log, NULL, TT_LOG_DEBUG, "hidden", NULL, 0);
    tt_log_write(&silent, NULL, TT_LOG_ERROR, "hidden", NULL, 0);
    assert_int_equal(evaluated, 0);
    assert_string_equal(output(&f), "");
    f.sink.level = TT_LOG_DEBUG;
    tt_log_debug(&f.log, "shown", TT_FIELD_INT("n", ++evaluated));
    assert_string_equal(output(&f), STAMP "\tdebug\totlp\tshown\t{\"n\": 1}\n");
    tear_down(&f);
}

static void check_cut(struct fixture *f, const char *value, size_t len)
{
    const struct tt_log_field fields[] = {
        TT_FIELD_INT("first", 1),
        TT_FIELD_STR("long", tt_str_of(value, len)),
        TT_FIELD_INT("last", 2),
    };
    struct tt_str line;

    tt_log_write(&f->log, NULL, TT_LOG_INFO, "m", fields, 3);
    line = tt_str(output(f));
    assert_true(line.len <= 4096);
    assert_int_equal(tt_utf8_valid_prefix(line), line.len);
    assert_non_null(strstr(line.data, "first"));
    assert_true(tt_str_ends_with(line, TT_STR("}\n")));
    if (line.len > 4000 && !tt_str_ends_with(line, TT_STR("2}\n")))
        assert_true(tt_str_ends_with(line, TT_STR("\xe2\x80\xa6\"}\n")) ||
                    tt_str_ends_with(line, TT_STR("\"}\n")));
}

static void long_lines_are_cut_but_stay_whole(void **state)
{
    static struct fixture f;
    static char ascii[5000], wide[5000], control[5000];

    (void)state;
    memset(ascii, 'a', sizeof(ascii));
    for (size_t i = 0; i < sizeof(wide); i++)
        wide[i] = "\xf0\x9f\x99\x82"[i % 4];
    set_up(&f, TT_LOG_JSON);
    for (int encoding = 0; encoding < 2; encoding++) {
        f.sink.encoding = encoding == 0 ? TT_LOG_JSON : TT_LOG_CONSOLE;
        for (size_t len = 3880; len < 4100; len++) {
            check_cut(&f, ascii, len);
            check_cut(&f, wide, len);
        }
        check_cut(&f, control, sizeof(control));
    }
    tear_down(&f);
}

static void a_long_message_or_key_is_cut(void **state)
{
    static struct fixture f;
    static char text[9000];
    const struct tt_log_field fields[] = {TT_FIELD_INT("first", 1), TT_FIELD_INT(text, 1),
                                          TT_FIELD_INT("last", 1)};

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    set_up(&f, TT_LOG_CONSOLE);
    tt_log_write(&f.log, NULL, TT_LOG_INFO, text, fields, 1);
    assert_true(tt_str_ends_with(tt_str(output(&f)), TT_STR("aaa\xe2\x80\xa6\n")));
    tt_log_write(&f.log, NULL, TT_LOG_INFO, "m", fields, 3);
    assert_string_equal(output(&f), STAMP "\tinfo\totlp\tm\t{\"first\": 1}\n");
    f.sink.encoding = TT_LOG_JSON;
    tt_log_write(&f.log, NULL, TT_LOG_INFO, text, fields, 1);
    assert_true(tt_str_ends_with(tt_str(output(&f)), TT_STR("aaa\xe2\x80\xa6\"}\n")));
    tear_down(&f);
}

static int count_lines(const char *text)
{
    int lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void log_once(struct fixture *f)
{
    tt_log_warn(&f->log, "again");
}

static void a_site_writes_ten_lines_then_says_how_many_were_left_out(void **state)
{
    static struct fixture f;

    (void)state;
    set_up(&f, TT_LOG_CONSOLE);
    for (int i = 0; i < 25; i++)
        log_once(&f);
    assert_int_equal(count_lines(output(&f)), 10);
    tt_log_warn(&f.log, "another site");
    assert_int_equal(count_lines(output(&f)), 1);
    tt_fake_clock_advance(&f.clock, 10 * TT_SECOND - TT_MILLISECOND);
    log_once(&f);
    assert_string_equal(output(&f), "");
    tt_fake_clock_advance(&f.clock, TT_MILLISECOND);
    log_once(&f);
    assert_string_equal(output(&f), "2026-08-21T10:00:10.123Z\twarn\totlp\tsimilar lines were left "
                                    "out\t{\"message\": \"again\", \"left_out\": 16}\n"
                                    "2026-08-21T10:00:10.123Z\twarn\totlp\tagain\n");
    for (int i = 0; i < 25; i++)
        log_once(&f);
    assert_int_equal(count_lines(output(&f)), 9);
    tear_down(&f);
}

static void errno_survives(void **state)
{
    struct tt_log_sink sink = {-1, TT_LOG_INFO, TT_LOG_JSON, tt_clock_system()};
    struct tt_log log = {&sink, NULL};

    (void)state;
    errno = EXDEV;
    tt_log_info(&log, "nobody can read this");
    assert_int_equal(errno, EXDEV);
}

enum { THREADS = 4, LINES_EACH = 2000 };

static void write_lines(void *context)
{
    const struct fixture *f = context;

    for (int i = 0; i < LINES_EACH; i++)
        tt_log_write(&f->log, NULL, TT_LOG_INFO, "from a thread", NULL, 0);
}

enum { SITES = 300, LINES_A_SITE = 15 };

struct race {
    struct tt_log log;
    struct tt_log_site sites[SITES];
    pthread_barrier_t together;
};

static void race_for_each_site(void *context)
{
    struct race *race = context;

    for (size_t site = 0; site < SITES; site++) {
        (void)pthread_barrier_wait(&race->together);
        for (int i = 0; i < LINES_A_SITE; i++)
            tt_log_write(&race->log, &race->sites[site], TT_LOG_INFO, "from a thread", NULL, 0);
    }
}

static void the_rate_limit_is_exact_with_many_threads(void **state)
{
    static struct fixture f;
    static struct race race;
    struct tt_log_sink nowhere;
    struct tt_thread threads[THREADS];
    struct tt_error err;

    (void)state;
    set_up(&f, TT_LOG_CONSOLE);
    nowhere = f.sink;
    nowhere.fd = -1; /* the count is what matters */
    race.log = (struct tt_log){&nowhere, "otlp"};
    assert_int_equal(pthread_barrier_init(&race.together, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        assert_ok(tt_thread_start(&threads[i], "racer", race_for_each_site, &race, &err), &err);
    for (int i = 0; i < THREADS; i++)
        tt_thread_join(&threads[i]);
    for (size_t site = 0; site < SITES; site++)
        assert_int_equal(race.sites[site].left_out, THREADS * LINES_A_SITE - 10);
    pthread_barrier_destroy(&race.together);
    tear_down(&f);
}

/* Lines go to a file that is opened to append: none may be torn or lost. */
static void lines_of_many_threads_stay_whole(void **state)
{
    static struct fixture f;
    static char text[THREADS * LINES_EACH * 64];
    struct tt_thread threads[THREADS];
    struct tt_temp_dir dir;
    struct tt_error err;
    char path[768];
    struct tt_str rest;
    int lines = 0;

    (void)state;
    tt_temp_dir_make(&dir);
    set_up(&f, TT_LOG_CONSOLE);
    close(f.sink.fd);
    f.sink.fd = open(tt_temp_path(&dir, "log", path), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(f.sink.fd >= 0);
    for (int i = 0; i < THREADS; i++)
        assert_ok(tt_thread_start(&threads[i], "writer", write_lines, &f, &err), &err);
    for (int i = 0; i < THREADS; i++)
        tt_thread_join(&threads[i]);
    rest = tt_test_read_file(path, text, sizeof(text));
    for (; rest.len > 0; lines++)
        assert_str(tt_str_cut(&rest, '\n'), STAMP "\tinfo\totlp\tfrom a thread");
    assert_int_equal(lines, THREADS * LINES_EACH);
    tear_down(&f);
    tt_temp_dir_remove(&dir);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(console_lines_have_five_columns),
        cmocka_unit_test(json_lines_are_objects),
        cmocka_unit_test(errors_show_where_they_come_from),
        cmocka_unit_test(control_characters_and_bad_utf8_are_escaped),
        cmocka_unit_test(lines_below_the_level_cost_nothing),
        cmocka_unit_test(long_lines_are_cut_but_stay_whole),
        cmocka_unit_test(a_long_message_or_key_is_cut),
        cmocka_unit_test(a_site_writes_ten_lines_then_says_how_many_were_left_out),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(the_rate_limit_is_exact_with_many_threads),
        cmocka_unit_test(lines_of_many_threads_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
