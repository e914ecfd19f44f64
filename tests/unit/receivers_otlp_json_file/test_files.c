/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp_json_file/files.h"
#include "tt_test.h"

static void backups_come_before_what_they_were_rotated_from(void **state)
{
    /* In the order in which they must come out. */
    static const char *const names[] = {
        "logs-2026-01-01T00-00-00.000-size.jsonl",
        "logs.jsonl",
        "traces.jsonl.10.gz",
        "traces.jsonl.2",
        "traces.jsonl.1.zst",
        "traces-2025-12-31T23-59-59.999.jsonl",
        "traces-2026-01-01T00-00-00.000-time.jsonl.zst",
        "traces-2026-01-01T00-00-00.001-size.jsonl",
        "traces.jsonl",
        "traces2.jsonl",
    };
    struct tt_temp_dir dir;
    struct tt_files files;
    struct tt_error err;
    char path[768], pattern[768];
    const char *items[] = {pattern, pattern}; /* twice: each file comes once */

    (void)state;
    tt_temp_dir_make(&dir);
    for (size_t i = TT_LENGTH(names); i-- > 0;)
        tt_test_write_file(tt_temp_path(&dir, names[i], path), TT_STR(""));
    tt_temp_path(&dir, "*", pattern);
    assert_ok(
        tt_files_list((struct tt_patterns){items, 2}, (struct tt_patterns){NULL, 0}, &files, &err),
        &err);
    assert_int_equal(files.count, TT_LENGTH(names));
    for (size_t i = 0; i < TT_LENGTH(names); i++)
        assert_string_equal(files.paths[i], tt_temp_path(&dir, names[i], path));
    tt_files_done(&files);
    tt_temp_dir_remove(&dir);
}

static void excluded_files_are_left_out(void **state)
{
    struct tt_temp_dir dir;
    struct tt_files files;
    struct tt_error err;
    char a[768], b[768], all[768], no[768], none[768];
    const char *include[] = {all, none}, *exclude[] = {no};

    (void)state;
    tt_temp_dir_make(&dir);
    tt_test_write_file(tt_temp_path(&dir, "a.jsonl", a), TT_STR(""));
    tt_test_write_file(tt_temp_path(&dir, "a.jsonl.torn", b), TT_STR(""));
    tt_temp_path(&dir, "a*", all);
    tt_temp_path(&dir, "*.torn", no);
    tt_temp_path(&dir, "nothing*", none);
    assert_ok(tt_files_list((struct tt_patterns){include, 2}, (struct tt_patterns){exclude, 1},
                            &files, &err),
              &err);
    assert_int_equal(files.count, 1);
    assert_string_equal(files.paths[0], a);
    tt_files_done(&files);
    assert_ok(tt_files_list((struct tt_patterns){include + 1, 1}, (struct tt_patterns){NULL, 0},
                            &files, &err),
              &err);
    assert_int_equal(files.count, 0);
    tt_files_done(&files);
    tt_temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backups_come_before_what_they_were_rotated_from),
        cmocka_unit_test(excluded_files_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
