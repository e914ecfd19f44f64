/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "tt_test.h"

#include <errno.h>

static void every_status_has_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TT_STATUS_COUNT; i++)
        assert_true(strlen(tt_status_text((enum tt_status)i)) >= 2);
    assert_string_equal(tt_status_text(TT_TIMEOUT), "deadline passed");
    assert_string_equal(tt_status_text((enum tt_status)99), "unknown status");
}

static void refusals_are_permanent_and_troubles_are_not(void **state)
{
    (void)state;
    assert_false(tt_status_may_retry(TT_OK));
    assert_false(tt_status_may_retry(TT_INVALID_DATA));
    assert_false(tt_status_may_retry(TT_TOO_LARGE));
    assert_true(tt_status_may_retry(TT_INTERNAL));
    assert_true(tt_status_may_retry(TT_NO_SPACE));
    assert_true(tt_status_may_retry(TT_SHUTTING_DOWN));
    assert_false(tt_status_may_retry((enum tt_status)99));
}

static void the_worse_status_loses_no_data(void **state)
{
    static const struct {
        enum tt_status a, b, worse;
    } cases[] = {
        {TT_OK, TT_OK, TT_OK},
        {TT_OK, TT_INVALID_DATA, TT_INVALID_DATA},
        {TT_TIMEOUT, TT_OK, TT_TIMEOUT},
        {TT_INVALID_DATA, TT_TIMEOUT, TT_TIMEOUT},
        {TT_TIMEOUT, TT_INVALID_DATA, TT_TIMEOUT},
        {TT_TIMEOUT, TT_NO_SPACE, TT_TIMEOUT},
        {TT_TOO_LARGE, TT_INVALID_DATA, TT_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_status(tt_status_worse(cases[i].a, cases[i].b), cases[i].worse);
}

static void fail_fills_every_field(void **state)
{
    struct tt_error err;

    (void)state;
    memset(&err, 0xff, sizeof(err));
    assert_status(tt_fail(&err, TT_TIMEOUT, "connect %s", "host"), TT_TIMEOUT);
    assert_int_equal(err.status, TT_TIMEOUT);
    assert_string_equal(err.message, "connect host");
    assert_int_equal(err.sys_errno, 0);
    assert_int_equal(err.retry_after_ms, 0);
    assert_null(err.mark.file);
    assert_int_equal(err.mark.line, 0);
    assert_string_equal(err.path, "");
    assert_non_null(strstr(err.source_file, "test_error.c"));
    assert_true(err.source_line > 0);
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    errno = EIO;
    assert_status(tt_fail(NULL, TT_IO, "x"), TT_IO);
    assert_status(tt_fail_errno(NULL, "x"), TT_IO);
    tt_error_prefix(NULL, "x");
}

static void a_message_may_quote_itself(void **state)
{
    struct tt_error err;

    (void)state;
    (void)tt_fail(&err, TT_IO, "inner");
    (void)tt_fail(&err, TT_INTERNAL, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void errno_decides_the_status(void **state)
{
    static const struct {
        int code;
        enum tt_status status;
        const char *message;
    } cases[] = {
        {ENOSPC, TT_NO_SPACE, "write f: No space left on device"},
        {EDQUOT, TT_NO_SPACE, "write f: Disk quota exceeded"},
        {ENOMEM, TT_NO_MEMORY, "write f: Cannot allocate memory"},
        {ENOENT, TT_NOT_FOUND, "write f: No such file or directory"},
        {EACCES, TT_IO, "write f: Permission denied"},
        {99999, TT_IO, "write f: unknown error"},
    };
    struct tt_error err;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        errno = cases[i].code;
        assert_status(tt_fail_errno(&err, "write %s", "f"), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.sys_errno, cases[i].code);
        assert_int_equal(err.status, cases[i].status);
        assert_int_equal(errno, cases[i].code);
    }
}

static void messages_are_one_line_of_whole_characters(void **state)
{
    struct tt_error err;
    char text[600];

    (void)state;
    (void)tt_fail(&err, TT_IO, "a\nb\tc\x1b[31m\x7f");
    assert_string_equal(err.message, "a?b?c?[31m?");

    for (size_t lead = 0; lead < 5; lead++) {
        memset(text, 'x', lead);
        for (size_t i = lead; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xf0\x9f\x99\x82", 5);
        (void)tt_fail(&err, TT_IO, "%s", text);
        assert_in_range(strlen(err.message), sizeof(err.message) - 5, sizeof(err.message) - 1);
        assert_int_equal(tt_utf8_valid_prefix(tt_str(err.message)), strlen(err.message));
        assert_int_equal((strlen(err.message) - lead) % 4, 0);
    }
}

static void a_long_name_does_not_push_the_reason_out(void **state)
{
    struct tt_error err;
    char name[1000];

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    errno = ENOSPC;
    (void)tt_fail_errno(&err, "write %s", name);
    assert_true(tt_str_ends_with(tt_str(err.message), TT_STR(": No space left on device")));
}

static void prefix_puts_context_first_and_keeps_the_rest(void **state)
{
    struct tt_error err;
    char name[1000];

    (void)state;
    (void)tt_fail(&err, TT_TIMEOUT, "connect");
    err.retry_after_ms = 7;
    tt_error_prefix(&err, "reload %s", "config.yaml");
    assert_string_equal(err.message, "reload config.yaml: connect");
    assert_int_equal(err.status, TT_TIMEOUT);
    assert_int_equal(err.retry_after_ms, 7);

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    tt_error_prefix(&err, "%s", name);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void format_shows_where_as_far_as_it_is_known(void **state)
{
    struct tt_error err;
    char text[1024];
    size_t len;

    (void)state;
    (void)tt_fail(&err, TT_INVALID_CONFIG, "\"10x\" is not a size");
    len = tt_error_format(&err, text, sizeof(text));
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "\"10x\" is not a size");
    (void)snprintf(err.path, sizeof(err.path), "exporters.file");
    (void)tt_error_format(&err, text, sizeof(text));
    assert_string_equal(text, "exporters.file: \"10x\" is not a size");
    err.mark = (struct tt_mark){"config.yaml", 41, 14};
    (void)tt_error_format(&err, text, sizeof(text));
    assert_string_equal(text, "config.yaml:41:14: exporters.file: \"10x\" is not a size");
    assert_int_equal(tt_error_format(&err, text, 7), 6);
    assert_string_equal(text, "config");
    assert_int_equal(tt_error_format(&err, text, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(refusals_are_permanent_and_troubles_are_not),
        cmocka_unit_test(the_worse_status_loses_no_data),
        cmocka_unit_test(fail_fills_every_field),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(a_message_may_quote_itself),
        cmocka_unit_test(errno_decides_the_status),
        cmocka_unit_test(messages_are_one_line_of_whole_characters),
        cmocka_unit_test(a_long_name_does_not_push_the_reason_out),
        cmocka_unit_test(prefix_puts_context_first_and_keeps_the_rest),
        cmocka_unit_test(format_shows_where_as_far_as_it_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
