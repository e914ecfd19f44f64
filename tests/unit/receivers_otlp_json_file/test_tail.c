/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/tail.h"
#include "tt_test.h"

struct fixture {
    struct tt_temp_dir dir;
    struct tail tail;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tail_init(&f->tail, 10, 1000);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tail_done(&f->tail);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[768];

    tt_test_write_file(tt_temp_path(&f->dir, name, path), tt_str(text));
}

static void rename_file(const struct fixture *f, const char *from, const char *to)
{
    char a[768], b[768];

    assert_int_equal(rename(tt_temp_path(&f->dir, from, a), tt_temp_path(&f->dir, to, b)), 0);
}

/* Finds it and tells whether it was new. */
static bool find(struct fixture *f, const char *name, struct tail_file **ret_file)
{
    char path[768];
    bool is_new = false;

    assert_ok(tail_find(&f->tail, tt_temp_path(&f->dir, name, path), ret_file, &is_new, &f->err),
              &f->err);
    return is_new;
}

static void a_renamed_file_is_known_under_its_new_name(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;

    write_file(f, "in", "one\n");
    tail_begin(&f->tail);
    assert_true(find(f, "in", &file));
    rename_file(f, "in", "in.1");
    write_file(f, "in", "two\n");
    tail_begin(&f->tail);
    assert_false(find(f, "in.1", &file));
    assert_true(find(f, "in", &file));
    assert_int_equal(f->tail.count, 2);
}

/* A rename between listing and looking hides a file for a round. */
static void a_file_that_a_listing_missed_is_not_forgotten(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;
    char path[768];
    bool is_new;

    write_file(f, "in", "one\n");
    tail_begin(&f->tail);
    assert_true(find(f, "in", &file));
    rename_file(f, "in", "in.1");
    tail_begin(&f->tail);
    assert_status(tail_find(&f->tail, tt_temp_path(&f->dir, "in", path), &file, &is_new, &f->err),
                  TT_NOT_FOUND);
    tail_forget_gone(&f->tail);
    tail_begin(&f->tail);
    assert_false(find(f, "in.1", &file));
}

static void deleted_files_and_those_unseen_for_long_are_forgotten(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;
    char path[768];

    write_file(f, "gone", "one\n");
    write_file(f, "moved", "one\n");
    tail_begin(&f->tail);
    assert_true(find(f, "gone", &file));
    assert_true(find(f, "moved", &file));
    assert_int_equal(unlink(tt_temp_path(&f->dir, "gone", path)), 0);
    tail_begin(&f->tail);
    tail_forget_gone(&f->tail);
    assert_int_equal(f->tail.count, 1);
    for (unsigned i = 0; i < 100; i++)
        tail_begin(&f->tail);
    tail_forget_gone(&f->tail);
    assert_int_equal(f->tail.count, 0);
}

static void an_empty_file_is_not_known_yet(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;
    char path[768];
    bool is_new;

    write_file(f, "in", "");
    assert_status(tail_find(&f->tail, tt_temp_path(&f->dir, "in", path), &file, &is_new, &f->err),
                  TT_NOT_FOUND);
    write_file(f, "in", "one\n");
    assert_true(find(f, "in", &file));
}

static void too_many_files_are_refused(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;
    char name[32], path[768];
    bool is_new;

    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "in%u", i);
        write_file(f, name, "x\n");
        assert_true(find(f, name, &file));
    }
    write_file(f, "one more", "x\n");
    assert_status(
        tail_find(&f->tail, tt_temp_path(&f->dir, "one more", path), &file, &is_new, &f->err),
        TT_OVERLOADED);
    assert_false(find(f, "in3", &file));
}

static void a_truncated_file_begins_again(void **state)
{
    struct fixture *f = *state;
    struct tail_file *file;
    struct tt_str line;

    write_file(f, "in", "a long line\n");
    assert_true(find(f, "in", &file));
    assert_ok(tt_lines_skip_to_end(file->lines, &f->err), &f->err);
    assert_false(tail_restart_truncated(file, 1000));
    write_file(f, "in", "short\n");
    assert_true(tail_restart_truncated(file, 1000));
    assert_ok(tt_lines_next(file->lines, &line, &f->err), &f->err);
    assert_str(line, "short");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_renamed_file_is_known_under_its_new_name),
        TEST(a_file_that_a_listing_missed_is_not_forgotten),
        TEST(deleted_files_and_those_unseen_for_long_are_forgotten),
        TEST(an_empty_file_is_not_known_yet),
        TEST(too_many_files_are_refused),
        TEST(a_truncated_file_begins_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
