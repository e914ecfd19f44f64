/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"
#include "tt_test.h"

#define LIMIT ((size_t)64 << 20)

static struct tt_temp_dir dir;
static char path[768];

static int make_dir(void **state)
{
    (void)state;
    tt_temp_dir_make(&dir);
    (void)tt_temp_path(&dir, "file", path);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    tt_temp_dir_remove(&dir);
    return 0;
}

/* Reads to the end in pieces of `piece` bytes. */
static enum tt_status read_all(size_t piece, struct tt_buffer *out)
{
    struct tt_reader *reader = NULL;
    enum tt_status status = tt_reader_open(path, &reader, NULL);

    while (status == TT_OK) {
        size_t len = 0;
        char *to = tt_buffer_reserve(out, piece);
        assert_non_null(to);
        status = tt_reader_read(reader, to, piece, &len, NULL);
        if (len == 0)
            break;
        out->len += len;
    }
    tt_reader_close(reader);
    return status;
}

static void fill(struct tt_buffer *plain)
{
    uint64_t seed = 1;

    for (int i = 0; i < 20000; i++)
        tt_buffer_printf(plain, "line %llu\n", (unsigned long long)tt_test_random(&seed));
}

static void kinds_are_told_by_their_first_bytes(void **state)
{
    static const enum tt_encoding kinds[] = {TT_ENCODING_IDENTITY, TT_ENCODING_GZIP,
                                             TT_ENCODING_ZSTD};
    struct tt_buffer plain, packed, out;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    fill(&plain);
    for (size_t i = 0; i < TT_LENGTH(kinds); i++) {
        for (int members = 1; members <= 2; members++) {
            tt_buffer_init(&packed, LIMIT);
            tt_buffer_init(&out, LIMIT);
            for (int m = 0; m < members; m++)
                assert_ok(tt_compress(kinds[i], 0, tt_buffer_view(&plain), &packed, NULL), NULL);
            tt_test_write_file(path, tt_buffer_view(&packed));
            assert_ok(read_all(1000 + 7 * i, &out), NULL);
            assert_int_equal(out.len, plain.len * (size_t)members);
            assert_memory_equal(out.data, plain.data, plain.len);
            tt_buffer_done(&packed);
            tt_buffer_done(&out);
        }
    }
    tt_buffer_done(&plain);
}

static void a_plain_file_may_grow(void **state)
{
    struct tt_reader *reader = NULL;
    char bytes[64];
    size_t len = 0;

    (void)state;
    tt_test_write_file(path, TT_STR(""));
    assert_ok(tt_reader_open(path, &reader, NULL), NULL);
    assert_ok(tt_reader_read(reader, bytes, sizeof(bytes), &len, NULL), NULL);
    assert_int_equal(len, 0);
    tt_test_write_file(path, TT_STR("ab"));
    assert_ok(tt_reader_read(reader, bytes, sizeof(bytes), &len, NULL), NULL);
    assert_str_equal(tt_str_of(bytes, len), TT_STR("ab"));
    tt_test_write_file(path, TT_STR("abcd"));
    assert_ok(tt_reader_read(reader, bytes, sizeof(bytes), &len, NULL), NULL);
    assert_str_equal(tt_str_of(bytes, len), TT_STR("cd"));
    tt_reader_close(reader);
}

static void a_cut_compressed_file_is_an_error(void **state)
{
    static const enum tt_encoding kinds[] = {TT_ENCODING_GZIP, TT_ENCODING_ZSTD};
    struct tt_buffer plain, packed, out;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    fill(&plain);
    for (size_t i = 0; i < TT_LENGTH(kinds); i++) {
        tt_buffer_init(&packed, LIMIT);
        tt_buffer_init(&out, LIMIT);
        assert_ok(tt_compress(kinds[i], 0, tt_buffer_view(&plain), &packed, NULL), NULL);
        tt_test_write_file(path, tt_str_of(packed.data, packed.len - 3));
        assert_status(read_all(4096, &out), TT_INVALID_DATA);
        tt_buffer_done(&packed);
        tt_buffer_done(&out);
    }
    tt_buffer_done(&plain);
}

static void missing_files_and_folders_are_errors(void **state)
{
    struct tt_reader *reader = NULL;
    struct tt_error err = {0};
    char byte;
    size_t len;

    (void)state;
    assert_status(tt_reader_open("/nonexistent/file", &reader, &err), TT_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/file"));
    assert_ok(tt_reader_open(dir.path, &reader, NULL), NULL);
    assert_status(tt_reader_read(reader, &byte, 1, &len, NULL), TT_IO);
    tt_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_are_told_by_their_first_bytes, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_plain_file_may_grow, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_cut_compressed_file_is_an_error, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(missing_files_and_folders_are_errors, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
