/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/tail.h"
#include "net/inflate.h"
#include "tt_test.h"

static struct file_tail find(struct tt_str bytes, enum file_layout layout)
{
    char path[] = "/tmp/tt-tail-XXXXXX";
    int fd = mkstemp(path);
    struct file_tail tail;
    struct tt_error err;

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    assert_ok(file_tail_find(fd, layout, &tail, &err), &err);
    close(fd);
    return tail;
}

static void lines_end_at_their_last_whole_record(void **state)
{
    static const struct {
        const char *name, *text;
        int64_t whole_end;
        bool missing_lf;
    } cases[] = {
        {"empty file", "", 0, false},
        {"whole lines", "{}\n{}\n", 6, false},
        {"half a record", "{}\n{\"a\":[1,2", 3, false},
        {"only half a record", "{\"a\"", 0, false},
        {"whole record without its LF", "{}\n{\"a\":[{}]}", 13, true},
        {"a brace inside text closes nothing", "{}\n{\"a\":\"}", 3, false},
        {"an escaped quote does not end text", "{}\n{\"a\":\"\\\"}", 3, false},
        {"an escaped backslash does not escape the quote", "{}\n{\"a\":\"\\\\\"}", 13, true},
        {"something behind the object", "{}\n{}x", 3, false},
        {"not an object", "{}\n12", 3, false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct file_tail tail = find(tt_str(cases[i].text), FILE_LINES);
        if (tail.whole_end != cases[i].whole_end || tail.missing_lf != cases[i].missing_lf)
            print_error("case: %s\n", cases[i].name);
        assert_int_equal(tail.whole_end, cases[i].whole_end);
        assert_int_equal(tail.missing_lf, cases[i].missing_lf);
    }
}

static void a_long_half_line_is_found(void **state)
{
    char *text = malloc(100000);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 100000);
    memcpy(text, "{}\n", 3);
    assert_int_equal(find(tt_str_of(text, 100000), FILE_LINES).whole_end, 3);
    free(text);
}

static void prefixed_records_end_where_the_last_whole_one_does(void **state)
{
    static const char bytes[] = "\0\0\0\3abc\0\0\0\2de\0\0\0\4fg";
    static const int64_t ends[] = {0, 0, 0, 0,  0,  0,  0,  7,  7,  7,
                                   7, 7, 7, 13, 13, 13, 13, 13, 13, 13};

    (void)state;
    for (size_t len = 0; len < sizeof(bytes); len++)
        assert_int_equal(find(tt_str_of(bytes, len), FILE_PREFIXED).whole_end, ends[len]);
}

/* Every truncation of two frames of different shape: empty, incompressible, repetitive. */
static void zstd_frames_end_where_the_last_whole_one_does(void **state)
{
    struct tt_buffer plain, file;
    struct tt_error err;
    uint64_t seed = 1;
    size_t first, second;

    (void)state;
    tt_buffer_init(&plain, 1 << 20);
    tt_buffer_init(&file, 1 << 20);
    for (size_t i = 0; i < 500; i++)
        tt_buffer_append_byte(&plain, (char)tt_test_random(&seed));
    assert_ok(tt_compress(TT_ENCODING_ZSTD, 0, tt_buffer_view(&plain), &file, &err), &err);
    first = file.len;
    tt_buffer_clear(&plain);
    for (size_t i = 0; i < 200000; i++)
        tt_buffer_append_byte(&plain, i % 100 == 0 ? (char)tt_test_random(&seed) : 'a');
    assert_ok(tt_compress(TT_ENCODING_ZSTD, 0, tt_buffer_view(&plain), &file, &err), &err);
    second = file.len;
    for (size_t len = 0; len <= second; len++) {
        int64_t end = find(tt_str_of(file.data, len), FILE_ZSTD).whole_end;
        assert_int_equal(end, len == second ? second : len >= first ? first : 0);
    }
    tt_buffer_done(&plain);
    tt_buffer_done(&file);
}

static void skippable_frames_and_garbage_are_told_apart(void **state)
{
    static const char skippable[] = "\x50\x2A\x4D\x18\3\0\0\0abcrest";

    (void)state;
    assert_int_equal(find(tt_str_of(skippable, 11), FILE_ZSTD).whole_end, 11);
    assert_int_equal(find(tt_str_of(skippable, 10), FILE_ZSTD).whole_end, 0);
    assert_int_equal(find(tt_str_of(skippable, 15), FILE_ZSTD).whole_end, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_their_last_whole_record),
        cmocka_unit_test(a_long_half_line_is_found),
        cmocka_unit_test(prefixed_records_end_where_the_last_whole_one_does),
        cmocka_unit_test(zstd_frames_end_where_the_last_whole_one_does),
        cmocka_unit_test(skippable_frames_and_garbage_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
