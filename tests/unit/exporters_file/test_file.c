/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tree.h"
#include "net/inflate.h"
#include "pipeline/component.h"
#include "tt_batch.h"

extern const struct tt_component tt_exporter_file;

struct fixture {
    struct tt_temp_dir dir;
    struct tt_host host;
    struct tt_tree *tree;
    struct tt_arena arena;
    void *config, *self;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tt_test_host(&f->host, tt_clock_system());
    tt_arena_init(&f->arena, 0, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->self != NULL)
        assert_ok(tt_exporter_file.ops->shutdown(f->self, INT64_MAX, &f->err), &f->err);
    tt_exporter_file.ops->destroy(f->self);
    tt_meters_free(f->host.meters);
    tt_arena_done(&f->arena);
    tt_tree_free(f->tree);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

/* Creates and starts the exporter with `path: <dir>/<name>` and more YAML lines. */
static enum tt_status start(struct fixture *f, const char *name, const char *more)
{
    struct tt_create_args args = {.id = "file", .host = &f->host, .signals = TT_ALL_SIGNALS};
    struct tt_diags diags;
    char yaml[2048];
    enum tt_status status;

    (void)snprintf(yaml, sizeof(yaml), "path: %s/%s\n%s", f->dir.path, name, more);
    tt_diags_init(&diags);
    f->tree = tt_tree_new();
    assert_non_null(f->tree);
    assert_true(
        tt_tree_merge_text(f->tree, "test.yaml", tt_str(yaml), tt_env_process, NULL, &diags));
    f->config = tt_arena_calloc(&f->arena, 1, tt_exporter_file.schema->size);
    assert_true(tt_config_decode(tt_exporter_file.schema, f->tree->root, "exporters.file",
                                 &f->arena, f->config, &diags));
    tt_diags_done(&diags);
    args.config = f->config;
    status = tt_exporter_file.ops->validate(f->config, &f->err);
    if (status == TT_OK)
        status = tt_exporter_file.ops->create(&args, &f->self, &f->err);
    if (status == TT_OK)
        status = tt_exporter_file.ops->start(f->self, &f->err);
    return status;
}

static void consume(struct fixture *f, struct tt_batch *batch)
{
    assert_ok(tt_exporter_file.ops->consume(f->self, &batch, &f->err), &f->err);
    assert_null(batch);
}

static char *slurp(const struct fixture *f, const char *name, size_t *ret_len)
{
    char path[768], *bytes = malloc((size_t)16 << 20);

    assert_non_null(bytes);
    *ret_len = tt_test_read_file(tt_temp_path(&f->dir, name, path), bytes, (size_t)16 << 20).len;
    return bytes;
}

/* Reads lines back; returns rows and the longest line. */
static uint32_t rows_in(struct tt_str text, size_t *ret_lines, size_t *ret_longest)
{
    uint32_t rows = 0;

    *ret_lines = *ret_longest = 0;
    assert_true(text.len > 0 && text.data[text.len - 1] == '\n');
    while (text.len > 0) {
        struct tt_str line = tt_str_cut(&text, '\n');
        struct tt_batch *batch = tt_test_batch(TT_TRACES, line);
        rows += tt_batch_live_rows(batch);
        tt_batch_unref(batch);
        ++*ret_lines;
        if (line.len > *ret_longest)
            *ret_longest = line.len;
    }
    return rows;
}

static void a_batch_is_one_line_that_reads_back(void **state)
{
    struct fixture *f = *state;
    size_t len, lines, longest;
    char *bytes;

    assert_ok(start(f, "t.jsonl", ""), &f->err);
    consume(f, tt_test_spans(3, 4));
    consume(f, tt_test_spans(1, 1));
    bytes = slurp(f, "t.jsonl", &len);
    assert_int_equal(rows_in(tt_str_of(bytes, len), &lines, &longest), 13);
    assert_int_equal(lines, 2);
    free(bytes);
}

static void a_long_batch_is_split_below_the_limit(void **state)
{
    struct fixture *f = *state;
    size_t len, lines, longest;
    char *bytes;

    assert_ok(start(f, "t.jsonl", "max_line_bytes: 8KiB\n"), &f->err);
    consume(f, tt_test_spans(100, 10));
    bytes = slurp(f, "t.jsonl", &len);
    assert_int_equal(rows_in(tt_str_of(bytes, len), &lines, &longest), 1000);
    assert_true(lines > 10);
    assert_true(longest <= 8192);
    free(bytes);
}

static void a_batch_larger_than_the_buffer_is_written_in_pieces(void **state)
{
    struct fixture *f = *state;
    size_t len, lines, longest;
    char *bytes;

    assert_ok(start(f, "t.jsonl", ""), &f->err);
    consume(f, tt_test_spans(6000, 10)); /* 11 MB: more than is formatted ahead */
    bytes = slurp(f, "t.jsonl", &len);
    assert_true(len > ((size_t)8 << 20));
    assert_int_equal(rows_in(tt_str_of(bytes, len), &lines, &longest), 60000);
    assert_true(longest < (size_t)900 << 10);
    free(bytes);
}

static void dropped_rows_leave_no_empty_line(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_spans(1, 3);
    size_t len, lines, longest;
    char *bytes;

    assert_ok(start(f, "t.jsonl", ""), &f->err);
    tt_row_drop(batch, &batch->rows[2]);
    consume(f, batch);
    batch = tt_test_spans(1, 1);
    tt_row_drop(batch, &batch->rows[0]);
    consume(f, batch);
    bytes = slurp(f, "t.jsonl", &len);
    assert_int_equal(rows_in(tt_str_of(bytes, len), &lines, &longest), 2);
    assert_int_equal(lines, 1);
    free(bytes);
}

static void proto_records_have_a_length_in_front(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = tt_test_spans(2, 2);
    struct tt_body *body;
    struct tt_batch *back;
    size_t len;
    char *bytes, *copy;
    const uint8_t *at;
    uint32_t prefix;

    assert_ok(start(f, "t.bin", "format: proto\n"), &f->err);
    consume(f, batch);
    bytes = slurp(f, "t.bin", &len);
    at = (const uint8_t *)bytes;
    prefix = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    assert_int_equal(prefix, len - 4);
    copy = tt_malloc(prefix);
    assert_non_null(copy);
    memcpy(copy, bytes + 4, prefix);
    body = tt_body_take(copy, prefix);
    assert_ok(tt_batch_parse(TT_TRACES, body, &tt_limits_default, NULL, &back, NULL, &f->err),
              &f->err);
    assert_int_equal(back->n_rows, 4);
    tt_batch_unref(back);
    tt_body_unref(body);
    free(bytes);
}

static void zstd_frames_read_as_one_file(void **state)
{
    struct fixture *f = *state;
    struct tt_buffer plain;
    size_t len, lines, longest;
    char *bytes;

    assert_ok(start(f, "t.jsonl.zst", "compression: zstd\n"), &f->err);
    consume(f, tt_test_spans(3, 4));
    consume(f, tt_test_spans(2, 2));
    bytes = slurp(f, "t.jsonl.zst", &len);
    tt_buffer_init(&plain, 1 << 20);
    assert_ok(tt_decompress(TT_ENCODING_ZSTD, tt_str_of(bytes, len), &plain, &f->err), &f->err);
    assert_int_equal(rows_in(tt_buffer_view(&plain), &lines, &longest), 16);
    assert_int_equal(lines, 2);
    tt_buffer_done(&plain);
    free(bytes);
}

static void a_directory_is_made_when_asked(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    char path[768];

    assert_ok(start(f, "a/b/t.jsonl", "create_directory: true\ndirectory_permissions: \"0750\"\n"),
              &f->err);
    assert_int_equal(stat(tt_temp_path(&f->dir, "a/b", path), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0750);
}

static void bad_permissions_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_status(start(f, "t.jsonl", "directory_permissions: \"rwx\"\n"), TT_INVALID_CONFIG);
    assert_non_null(strstr(f->err.message, "rwx"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_one_line_that_reads_back),
        TEST(a_long_batch_is_split_below_the_limit),
        TEST(a_batch_larger_than_the_buffer_is_written_in_pieces),
        TEST(dropped_rows_leave_no_empty_line),
        TEST(proto_records_have_a_length_in_front),
        TEST(zstd_frames_read_as_one_file),
        TEST(a_directory_is_made_when_asked),
        TEST(bad_permissions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
