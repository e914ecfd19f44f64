/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"
#include "receivers/otlp_json_file/lines.h"
#include "tt_test.h"

struct fixture {
    struct tt_temp_dir dir;
    char path[768];
    struct tt_lines *lines;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tt_temp_path(&f->dir, "in", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_lines_close(f->lines);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void open_with(struct fixture *f, struct tt_str bytes, size_t max_line)
{
    tt_test_write_file(f->path, bytes);
    assert_ok(tt_lines_open(f->path, max_line, &f->lines, &f->err), &f->err);
}

static void append(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "ab");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_line(struct fixture *f, const char *text)
{
    struct tt_str line;

    assert_ok(tt_lines_next(f->lines, &line, &f->err), &f->err);
    assert_non_null(line.data);
    assert_str(line, text);
}

static void expect_none(struct fixture *f)
{
    struct tt_str line;

    assert_ok(tt_lines_next(f->lines, &line, &f->err), &f->err);
    assert_null(line.data);
}

static void lines_come_with_their_numbers(void **state)
{
    struct fixture *f = *state;

    open_with(f, TT_STR("one\ntwo\r\n\nfour\nrest"), 100);
    expect_line(f, "one");
    assert_int_equal(f->lines->line, 1);
    expect_line(f, "two");
    expect_line(f, "");
    expect_line(f, "four");
    assert_int_equal(f->lines->line, 4);
    expect_none(f);
    assert_str(tt_lines_rest(f->lines), "rest");
    assert_int_equal(f->lines->line, 5);
    assert_null(tt_lines_rest(f->lines).data);
}

static void a_half_line_waits_for_its_end(void **state)
{
    struct fixture *f = *state;

    open_with(f, TT_STR("one\nhal"), 100);
    expect_line(f, "one");
    expect_none(f);
    append(f, "f");
    expect_none(f);
    append(f, " done\nnext\n");
    expect_line(f, "half done");
    expect_line(f, "next");
    expect_none(f);
}

static void a_line_over_the_limit_is_skipped_and_told_once(void **state)
{
    struct fixture *f = *state;
    struct tt_str line;
    char *text = malloc(1000000);

    assert_non_null(text);
    memset(text, 'x', 1000000);
    memcpy(text, "ok\n", 3);
    memcpy(text + 999991, "\nlast one", 9);
    open_with(f, tt_str_of(text, 1000000), 1000);
    append(f, "\n");
    expect_line(f, "ok");
    assert_status(tt_lines_next(f->lines, &line, &f->err), TT_TOO_LARGE);
    assert_non_null(strstr(f->err.message, ":2:"));
    expect_line(f, "last one");
    assert_int_equal(f->lines->line, 3);
    assert_true(f->lines->capacity < 600000); /* memory follows the limit, not the line */
    free(text);
}

static void a_line_of_exactly_the_limit_is_read(void **state)
{
    struct fixture *f = *state;
    struct tt_str line;

    open_with(f, TT_STR("12345\n123456\n"), 5);
    expect_line(f, "12345");
    assert_status(tt_lines_next(f->lines, &line, &f->err), TT_TOO_LARGE);
}

static void compressed_files_read_like_plain_ones(void **state)
{
    static const enum tt_encoding encodings[] = {TT_ENCODING_GZIP, TT_ENCODING_ZSTD};
    struct fixture *f = *state;
    struct tt_buffer plain, packed;

    tt_buffer_init(&plain, 1 << 24);
    tt_buffer_init(&packed, 1 << 24);
    for (unsigned i = 0; i < 100000; i++)
        tt_buffer_printf(&plain, "line %u\n", i);
    for (size_t e = 0; e < TT_LENGTH(encodings); e++) {
        tt_buffer_clear(&packed);
        assert_ok(tt_compress(encodings[e], 0, tt_buffer_view(&plain), &packed, &f->err), &f->err);
        open_with(f, tt_buffer_view(&packed), 100);
        assert_non_null(f->lines->reader);
        for (unsigned i = 0; i < 100000; i++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "line %u", i);
            expect_line(f, text);
        }
        expect_none(f);
        tt_lines_close(TT_TAKE(f->lines));
        open_with(f, tt_str_of(packed.data, packed.len / 2), 100); /* broken off */
        assert_true(tt_lines_skip_to_end(f->lines, &f->err) == TT_INVALID_DATA ||
                    f->lines->line < 100000);
        tt_lines_close(TT_TAKE(f->lines));
    }
    tt_buffer_done(&plain);
    tt_buffer_done(&packed);
}

static void skipping_to_the_end_leaves_what_comes_later(void **state)
{
    struct fixture *f = *state;

    open_with(f, TT_STR("old\nolder\nhal"), 100);
    assert_ok(tt_lines_skip_to_end(f->lines, &f->err), &f->err);
    append(f, "f\nnew\n");
    expect_line(f, "half");
    expect_line(f, "new");
}

static void truncation_is_seen(void **state)
{
    struct fixture *f = *state;

    open_with(f, TT_STR("a long enough line\n"), 100);
    expect_line(f, "a long enough line");
    assert_false(tt_lines_is_truncated(f->lines));
    tt_test_write_file(f->path, TT_STR("x\n"));
    assert_true(tt_lines_is_truncated(f->lines));
}

static void what_cannot_be_read_is_named(void **state)
{
    struct fixture *f = *state;

    assert_status(tt_lines_open(f->path, 10, &f->lines, &f->err), TT_NOT_FOUND);
    assert_non_null(strstr(f->err.message, f->path));
    assert_status(tt_lines_open(f->dir.path, 10, &f->lines, &f->err), TT_IO);
    assert_non_null(strstr(f->err.message, "directory"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_come_with_their_numbers),
        TEST(a_half_line_waits_for_its_end),
        TEST(a_line_over_the_limit_is_skipped_and_told_once),
        TEST(a_line_of_exactly_the_limit_is_read),
        TEST(compressed_files_read_like_plain_ones),
        TEST(skipping_to_the_end_leaves_what_comes_later),
        TEST(truncation_is_seen),
        TEST(what_cannot_be_read_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
