/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/file/backups.h"
#include "tt_test.h"

#define NOON UINT64_C(1755777600123000000) /* 2025-08-21T12:00:00.123Z */
#define DAY  (UINT64_C(86400) * 1000000000)

static struct tt_temp_dir dir;

static int make_dir(void **state)
{
    (void)state;
    tt_temp_dir_make(&dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    tt_temp_dir_remove(&dir);
    return 0;
}

static bool is_there(const char *name)
{
    char path[768];

    return access(tt_temp_path(&dir, name, path), F_OK) == 0;
}

static void touch(const char *name)
{
    char path[768];

    tt_test_write_file(tt_temp_path(&dir, name, path), tt_str(name));
}

static void a_backup_is_named_by_time_and_reason(void **state)
{
    static const struct {
        char active[32], backup[64];
    } cases[] = {
        {"traces.jsonl", "traces-2025-08-21T12-00-00.123-size.jsonl"},
        {"noext", "noext-2025-08-21T12-00-00.123-size"},
        {".hidden", ".hidden-2025-08-21T12-00-00.123-size"},
        {"a.b.zst", "a-2025-08-21T12-00-00.123-size.b.zst"},
        {"a.zst", "a-2025-08-21T12-00-00.123-size.zst"},
    };
    struct tt_error err;
    char path[768];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        touch(cases[i].active);
        assert_ok(
            file_backup_make(tt_temp_path(&dir, cases[i].active, path), NOON, false, "size", &err),
            &err);
        assert_true(is_there(cases[i].backup));
        assert_false(is_there(cases[i].active));
    }
}

static void a_taken_name_is_never_replaced(void **state)
{
    char path[768], text[64];
    struct tt_error err;

    (void)state;
    touch("traces-2025-08-21T12-00-00.123-size.jsonl");
    touch("traces-2025-08-21T12-00-00.124-size.jsonl");
    touch("traces.jsonl");
    assert_ok(file_backup_make(tt_temp_path(&dir, "traces.jsonl", path), NOON, false, "size", &err),
              &err);
    assert_true(is_there("traces-2025-08-21T12-00-00.125-size.jsonl"));
    assert_str(
        tt_test_read_file(tt_temp_path(&dir, "traces-2025-08-21T12-00-00.123-size.jsonl", path),
                          text, sizeof(text)),
        "traces-2025-08-21T12-00-00.123-size.jsonl");
}

static void the_newest_backups_are_kept(void **state)
{
    struct file_retention retention = {.max_backups = 2};
    char path[768];

    (void)state;
    touch("t-2025-08-20T12-00-00.000-size.jsonl");
    touch("t-2025-08-21T12-00-00.000-size.jsonl");
    touch("t-2025-08-19T12-00-00.000.jsonl"); /* the older form of the name */
    touch("t-2025-08-18T12-00-00.000-time.jsonl");
    touch("t.jsonl");
    touch("t-2025-08-18.jsonl");                        /* not a backup's name */
    touch("u-2025-08-18T12-00-00.000-size.jsonl");      /* of another file */
    touch("t-2025-08-18T12-00-00.000-size.jsonl.torn"); /* another extension */
    assert_int_equal(file_backups_clean(tt_temp_path(&dir, "t.jsonl", path), NOON, &retention), 2);
    assert_true(is_there("t-2025-08-21T12-00-00.000-size.jsonl"));
    assert_true(is_there("t-2025-08-20T12-00-00.000-size.jsonl"));
    assert_false(is_there("t-2025-08-19T12-00-00.000.jsonl"));
    assert_false(is_there("t-2025-08-18T12-00-00.000-time.jsonl"));
    assert_true(is_there("t.jsonl"));
    assert_true(is_there("t-2025-08-18.jsonl"));
    assert_true(is_there("u-2025-08-18T12-00-00.000-size.jsonl"));
    assert_true(is_there("t-2025-08-18T12-00-00.000-size.jsonl.torn"));
}

static void old_backups_go(void **state)
{
    struct file_retention retention = {.max_days = 2};
    char path[768];

    (void)state;
    touch("t-2025-08-19T12-00-00.122-size.jsonl");
    touch("t-2025-08-19T12-00-00.124-size.jsonl");
    assert_int_equal(file_backups_clean(tt_temp_path(&dir, "t.jsonl", path), NOON, &retention), 1);
    assert_true(is_there("t-2025-08-19T12-00-00.124-size.jsonl"));
    retention.max_days = 0;
    assert_int_equal(file_backups_clean(path, NOON + 1000 * DAY, &retention), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_named_by_time_and_reason, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_taken_name_is_never_replaced, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_newest_backups_are_kept, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(old_backups_go, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
