/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/output.h"
#include "tt_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NOON UINT64_C(1755777600123000000)

struct fixture {
    struct tt_temp_dir dir;
    char path[768];
    struct file_output_options options;
    struct file_output output;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tt_temp_path(&f->dir, "out.jsonl", f->path);
    f->options = (struct file_output_options){.path = f->path, .append = true};
    file_output_init(&f->output, &f->options);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    file_output_close(&f->output);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void expect_file(const struct fixture *f, const char *name, const char *expected)
{
    char path[768], text[4096];

    assert_str(tt_test_read_file(tt_temp_path(&f->dir, name, path), text, sizeof(text)), expected);
}

static size_t files_in(const struct fixture *f)
{
    DIR *dir = opendir(f->dir.path);
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void put(struct fixture *f, const char *text, uint64_t wall_ns)
{
    assert_ok(file_output_prepare(&f->output, strlen(text), wall_ns, &f->err), &f->err);
    assert_ok(file_output_append(&f->output, tt_str(text), &f->err), &f->err);
}

static void a_file_that_is_there_is_continued(void **state)
{
    struct fixture *f = *state;

    tt_test_write_file(f->path, TT_STR("{\"old\":1}\n"));
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "{}\n", NOON);
    expect_file(f, "out.jsonl", "{\"old\":1}\n{}\n");
}

static void without_append_the_old_file_becomes_a_backup(void **state)
{
    struct fixture *f = *state;

    f->options.append = false;
    tt_test_write_file(f->path, TT_STR("{\"old\":1}\n"));
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "{}\n", NOON);
    expect_file(f, "out.jsonl", "{}\n");
    expect_file(f, "out-2025-08-21T12-00-00.123-start.jsonl", "{\"old\":1}\n");
}

static void half_a_record_is_moved_to_torn_at_open(void **state)
{
    struct fixture *f = *state;

    tt_test_write_file(f->path, TT_STR("{}\n{\"half\":"));
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    assert_int_equal(f->output.torn_bytes, 8);
    put(f, "{\"new\":1}\n", NOON);
    expect_file(f, "out.jsonl", "{}\n{\"new\":1}\n");
    expect_file(f, "out.jsonl.torn", "{\"half\":");
}

static void a_whole_record_without_its_line_end_gets_one(void **state)
{
    struct fixture *f = *state;

    tt_test_write_file(f->path, TT_STR("{}"));
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "{\"new\":1}\n", NOON);
    expect_file(f, "out.jsonl", "{}\n{\"new\":1}\n");
    assert_int_equal(f->output.torn_bytes, 0);
}

static void a_second_owner_is_refused_and_told_who_has_the_file(void **state)
{
    struct fixture *f = *state;
    struct file_output second;
    char pid[32];

    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    file_output_init(&second, &f->options);
    assert_status(file_output_open(&second, NOON, &f->err), TT_UNAVAILABLE);
    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    assert_non_null(strstr(f->err.message, f->path));
    assert_non_null(strstr(f->err.message, pid));
    file_output_close(&second);
    file_output_close(&f->output);
    assert_ok(file_output_open(&second, NOON, &f->err), &f->err);
    file_output_close(&second);
}

static void rotation_is_before_the_write_that_would_pass_the_limit(void **state)
{
    struct fixture *f = *state;

    f->options.max_bytes = 10;
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "12345\n", NOON);
    put(f, "789\n", NOON); /* ten bytes exactly */
    put(f, "next\n", NOON);
    put(f, "much too long for the limit\n", NOON);
    put(f, "x\n", NOON);
    expect_file(f, "out-2025-08-21T12-00-00.123-size.jsonl", "12345\n789\n");
    expect_file(f, "out-2025-08-21T12-00-00.124-size.jsonl", "next\n");
    expect_file(f, "out-2025-08-21T12-00-00.125-size.jsonl", "much too long for the limit\n");
    expect_file(f, "out.jsonl", "x\n");
    assert_int_equal(f->output.rotations, 3);
}

static void rotation_by_age_counts_from_the_first_write(void **state)
{
    struct fixture *f = *state;

    f->options.interval_ns = 3600 * INT64_C(1000000000);
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "a\n", NOON);
    put(f, "b\n", NOON + 3599 * UINT64_C(1000000000));
    put(f, "c\n", NOON + 3600 * UINT64_C(1000000000));
    expect_file(f, "out-2025-08-21T13-00-00.123-time.jsonl", "a\nb\n");
    expect_file(f, "out.jsonl", "c\n");
}

static void backups_over_the_limit_are_removed(void **state)
{
    struct fixture *f = *state;

    f->options.max_bytes = 2;
    f->options.retention.max_backups = 3;
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    for (unsigned i = 0; i < 10; i++)
        put(f, "a\n", NOON + i * UINT64_C(1000000000));
    assert_int_equal(files_in(f), 4);
    assert_int_equal(f->output.removed_backups, 6);
}

static void a_file_moved_away_is_opened_again(void **state)
{
    struct fixture *f = *state;
    char moved[768];

    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "a\n", NOON);
    assert_int_equal(rename(f->path, tt_temp_path(&f->dir, "moved", moved)), 0);
    put(f, "b\n", NOON + UINT64_C(2000000000));
    expect_file(f, "moved", "a\n");
    expect_file(f, "out.jsonl", "b\n");
}

static void appended_records_can_be_taken_back(void **state)
{
    struct fixture *f = *state;

    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "keep\n", NOON);
    put(f, "drop\n", NOON);
    file_output_undo(&f->output, 5);
    put(f, "more\n", NOON);
    expect_file(f, "out.jsonl", "keep\nmore\n");
}

/* A file size limit makes the kernel write what fits and fail then, as a full disk does. */
static void a_failed_write_leaves_no_half_record(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, small;

    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "first record\n", NOON);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_status(file_output_append(&f->output, TT_STR("second record\n"), &f->err), TT_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    expect_file(f, "out.jsonl", "first record\n");
    put(f, "third record\n", NOON);
    expect_file(f, "out.jsonl", "first record\nthird record\n");
    assert_int_equal(f->output.size, 26);
}

static void a_device_is_written_without_lock_or_rotation(void **state)
{
    struct fixture *f = *state;

    f->options.path = "/dev/null";
    f->options.max_bytes = 1;
    assert_ok(file_output_open(&f->output, NOON, &f->err), &f->err);
    put(f, "a\n", NOON);
    put(f, "b\n", NOON);
    assert_int_equal(f->output.rotations, 0);
}

static void a_missing_directory_is_named(void **state)
{
    struct fixture *f = *state;

    f->options.path = "/nonexistent-dir/out.jsonl";
    assert_status(file_output_open(&f->output, NOON, &f->err), TT_NOT_FOUND);
    assert_non_null(strstr(f->err.message, "/nonexistent-dir/out.jsonl"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_there_is_continued),
        TEST(without_append_the_old_file_becomes_a_backup),
        TEST(half_a_record_is_moved_to_torn_at_open),
        TEST(a_whole_record_without_its_line_end_gets_one),
        TEST(a_second_owner_is_refused_and_told_who_has_the_file),
        TEST(rotation_is_before_the_write_that_would_pass_the_limit),
        TEST(rotation_by_age_counts_from_the_first_write),
        TEST(backups_over_the_limit_are_removed),
        TEST(a_file_moved_away_is_opened_again),
        TEST(appended_records_can_be_taken_back),
        TEST(a_failed_write_leaves_no_half_record),
        TEST(a_device_is_written_without_lock_or_rotation),
        TEST(a_missing_directory_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
