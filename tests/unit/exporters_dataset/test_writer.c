/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/writer.h"
#include "model/label.h"
#include "tt_batch.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#define NOON UINT64_C(1755777600000000000) /* 2025-08-21T12:00:00Z */
#define SET  "20250821_120000"

static const struct tt_column_desc type_column = {TT_LABEL_COLUMN_TYPE, TT_COLUMN_TEXT, ""};
static const struct tt_column_desc source_column = {TT_LABEL_COLUMN_SOURCE, TT_COLUMN_TEXT, ""};

struct fixture {
    struct tt_temp_dir dir;
    struct tt_fake_clock clock;
    struct dataset_writer_options options;
    struct dataset_writer *writer;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tt_fake_clock_init(&f->clock, NOON);
    f->options = (struct dataset_writer_options){
        .directory = f->dir.path, .version = "test", .clock = &f->clock.clock};
    (void)signal(SIGXFSZ, SIG_IGN);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    dataset_writer_free(f->writer);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void open_writer(struct fixture *f)
{
    assert_ok(dataset_writer_new(&f->options, &f->writer, &f->err), &f->err);
    assert_ok(dataset_writer_start(f->writer, &f->err), &f->err);
}

/* As a SIGKILL leaves it: descriptors are closed, nothing is finished. */
static void crash(struct fixture *f)
{
    dataset_writer_free(f->writer);
    f->writer = NULL;
}

static void finish(struct fixture *f)
{
    assert_ok(dataset_writer_finish(f->writer, 0, NULL, &f->err), &f->err);
}

/* `rows` spans, the first `anomalous` of them of that type. */
static struct tt_batch *batch_of(unsigned rows, unsigned anomalous, const char *type)
{
    struct tt_batch *batch = tt_test_spans(1, rows);

    for (uint32_t i = 0; i < anomalous; i++) {
        tt_test_set_text(batch, i, &type_column, tt_str(type));
        tt_test_set_text(batch, i, &source_column, TT_STR("header"));
    }
    return batch;
}

static void put(struct fixture *f, unsigned rows, unsigned anomalous, const char *type)
{
    struct tt_batch *batch = batch_of(rows, anomalous, type);

    assert_ok(dataset_writer_write(f->writer, batch, &f->err), &f->err);
    tt_batch_unref(batch);
}

static char *slurp(const struct fixture *f, const char *name)
{
    char path[768], *text = malloc(1 << 20);

    assert_non_null(text);
    (void)tt_test_read_file(tt_temp_path(&f->dir, name, path), text, 1 << 20);
    return text;
}

/* Lines behind the header; -1: no such file. */
static int rows_of(const struct fixture *f, const char *name)
{
    char path[768], *text;
    int rows = -1;

    if (access(tt_temp_path(&f->dir, name, path), F_OK) != 0)
        return -1;
    text = slurp(f, name);
    for (const char *c = text; *c != '\0'; c++)
        rows += *c == '\n';
    free(text);
    return rows;
}

static bool ends_with(const char *text, const char *suffix)
{
    return tt_str_ends_with(tt_str(text), tt_str(suffix));
}

static unsigned files_ending(const struct fixture *f, const char *suffix)
{
    DIR *dir = opendir(f->dir.path);
    unsigned n = 0;

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += ends_with(entry->d_name, suffix);
    closedir(dir);
    return n;
}

/* Every CSV file of the manifest has the SHA-256 that is said there, and there are n of them. */
static void assert_digests(const struct fixture *f, const char *manifest_name, unsigned n)
{
    char *manifest = slurp(f, manifest_name), *at = manifest;

    while ((at = strstr(at, "{\"name\": \"traces_")) != NULL) {
        char name[128] = "", path[768], digest[65], *said = strstr(at, "\"sha256\": \"");
        struct tt_error err;
        int fd;
        at += strlen("{\"name\": \"");
        memcpy(name, at, strcspn(at, "\""));
        fd = open(tt_temp_path(&f->dir, name, path), O_RDONLY);
        assert_true(fd >= 0);
        assert_ok(dataset_digest_file(fd, digest, &err), &err);
        close(fd);
        assert_non_null(said);
        assert_memory_equal(said + strlen("\"sha256\": \""), digest, 64);
        n--;
    }
    assert_int_equal(n, 0);
    free(manifest);
}

static void rows_go_to_the_files_of_their_kind(void **state)
{
    struct fixture *f = *state;

    open_writer(f);
    put(f, 5, 2, "cpu_saturation");
    put(f, 3, 3, "Odd/Type");
    put(f, 2, 2, "unknown");
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv.partial"), 10);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), -1);
    finish(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 10);
    assert_int_equal(rows_of(f, "traces_normal_" SET ".csv"), 3);
    assert_int_equal(rows_of(f, "traces_anomalous_" SET ".csv"), 5);
    assert_int_equal(rows_of(f, "traces_cpu_saturation_" SET ".csv"), 2);
    assert_int_equal(rows_of(f, "traces_unknown_" SET ".csv"), 2);
    assert_int_equal(rows_of(f, "latest/traces_labeled.csv"), 10);
    assert_int_equal(files_ending(f, ".csv"), 6);
    assert_int_equal(files_ending(f, ".partial"), 0);
}

static void the_manifest_counts_what_was_written(void **state)
{
    struct fixture *f = *state;
    char *manifest;

    open_writer(f);
    put(f, 5, 2, "cpu");
    put(f, 1, 0, "");
    finish(f);
    manifest = slurp(f, "manifest_" SET ".json");
    assert_non_null(strstr(manifest, "\"rows\": 6"));
    assert_non_null(strstr(manifest, "\"by_source\": {\"header\": 2, \"none\": 4}"));
    assert_non_null(strstr(manifest, "\"by_type\": {\"cpu\": 2, \"none\": 4}"));
    assert_non_null(strstr(manifest, "\"normal\": 4"));
    assert_non_null(strstr(manifest, "\"recovered\": false"));
    assert_non_null(strstr(manifest, "\"name\": \"traces_cpu_" SET
                                     ".csv\", \"signal\": \"traces\", \"rows\": 2"));
    free(manifest);
}

static void checksums_are_those_of_the_files(void **state)
{
    struct fixture *f = *state;

    f->options.max_open = 8; /* so that files are closed and opened again */
    open_writer(f);
    for (unsigned i = 0; i < 12; i++) {
        put(f, 40, i, "cpu");
        put(f, 7, 7, i % 2 == 0 ? "disk" : "net");
        put(f, 1, 1, i % 2 == 0 ? "a" : "b");
        put(f, 9, 3, i % 2 == 0 ? "c" : "d");
    }
    finish(f);
    assert_digests(f, "manifest_" SET ".json", 10);
}

static void a_file_that_somebody_cut_is_read_for_its_checksum(void **state)
{
    struct fixture *f = *state;
    char path[768];

    open_writer(f);
    put(f, 40, 3, "cpu");
    assert_int_equal(truncate(tt_temp_path(&f->dir, "traces_cpu_" SET ".csv.partial", path), 900),
                     0);
    finish(f);
    assert_digests(f, "manifest_" SET ".json", 4);
}

static void nothing_is_written_without_rows(void **state)
{
    struct fixture *f = *state;

    open_writer(f);
    finish(f);
    assert_int_equal(files_ending(f, ".json"), 0);
    assert_int_equal(files_ending(f, ".partial"), 0);
}

static void sets_of_one_second_get_names_of_their_own(void **state)
{
    struct fixture *f = *state;

    open_writer(f);
    for (unsigned i = 1; i <= 3; i++) {
        put(f, i, 0, "");
        finish(f);
    }
    assert_int_equal(rows_of(f, "traces_labeled_20250821_120000.csv"), 1);
    assert_int_equal(rows_of(f, "traces_labeled_20250821_120001.csv"), 2);
    assert_int_equal(rows_of(f, "traces_labeled_20250821_120002.csv"), 3);
    assert_int_equal(rows_of(f, "latest/traces_labeled.csv"), 3);
}

static void a_final_name_that_is_taken_is_not_replaced(void **state)
{
    struct fixture *f = *state;
    char path[768], *text;

    tt_test_write_file(tt_temp_path(&f->dir, "traces_labeled_" SET ".csv", path), TT_STR("mine\n"));
    open_writer(f);
    put(f, 2, 0, "");
    finish(f);
    text = slurp(f, "traces_labeled_" SET ".csv");
    assert_string_equal(text, "mine\n");
    assert_int_equal(rows_of(f, "traces_labeled_" SET "_1.csv"), 2);
    free(text);
}

static void a_set_that_is_large_enough_is_closed(void **state)
{
    struct fixture *f = *state;

    f->options.max_bytes = 2000;
    open_writer(f);
    for (unsigned i = 0; i < 6; i++)
        put(f, 5, 1, "cpu");
    finish(f);
    assert_true(files_ending(f, ".json") >= 3); /* two sets and the link */
    assert_int_equal(files_ending(f, ".partial"), 0);
}

static void a_second_writer_of_a_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct dataset_writer *second;

    open_writer(f);
    assert_ok(dataset_writer_new(&f->options, &second, &f->err), &f->err);
    assert_status(dataset_writer_start(second, &f->err), TT_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, f->dir.path));
    dataset_writer_free(second);
}

/* ---- failures ---- */

static uint64_t bytes_of(const struct fixture *f, const char *name)
{
    struct stat info;
    char path[768];

    return stat(tt_temp_path(&f->dir, name, path), &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* A limit on the size of files fails each file in turn, half-way through a write: whatever it was, nothing of the batch stays. */
static void a_batch_that_fails_in_one_file_is_in_none(void **state)
{
    static const char *const names[] = {
        "traces_labeled_" SET ".csv.partial", "traces_normal_" SET ".csv.partial",
        "traces_anomalous_" SET ".csv.partial", "traces_cpu_" SET ".csv.partial"};
    struct fixture *f = *state;
    struct tt_batch *batch = batch_of(20, 7, "cpu");
    struct rlimit old, small;
    uint64_t before[TT_LENGTH(names)];
    unsigned failures = 0;

    open_writer(f);
    put(f, 20, 7, "cpu");
    for (size_t i = 0; i < TT_LENGTH(names); i++)
        before[i] = bytes_of(f, names[i]);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t limit = 1700; limit < 20000; limit += 97) {
        enum tt_status status;
        small = (struct rlimit){.rlim_cur = limit, .rlim_max = old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        status = dataset_writer_write(f->writer, batch, &f->err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        if (status == TT_OK)
            break;
        failures++;
        for (size_t i = 0; i < TT_LENGTH(names); i++)
            assert_int_equal(bytes_of(f, names[i]), before[i]);
    }
    assert_true(failures > 10);
    finish(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 40);
    assert_int_equal(rows_of(f, "traces_normal_" SET ".csv"), 26);
    assert_int_equal(rows_of(f, "traces_anomalous_" SET ".csv"), 14);
    assert_int_equal(rows_of(f, "traces_cpu_" SET ".csv"), 14);
    assert_digests(f, "manifest_" SET ".json", 4);
    tt_batch_unref(batch);
}

/* A batch of several pieces, the second of which does not fit: the first had reached the files and their checksums. */
static void a_batch_that_fails_in_its_second_piece_is_in_none(void **state)
{
    static const struct tt_column_desc msg_column = {TT_LABEL_COLUMN_MSG, TT_COLUMN_TEXT, ""};
    static char long_text[400000];
    struct fixture *f = *state;
    struct tt_batch *batch = batch_of(60, 30, "cpu");
    struct rlimit old, small;
    enum tt_status status;

    memset(long_text, 'x', sizeof(long_text));
    for (uint32_t i = 0; i < 60; i++)
        tt_test_set_text(batch, i, &msg_column, tt_str_of(long_text, sizeof(long_text)));
    open_writer(f);
    put(f, 20, 7, "cpu");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 10 << 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = dataset_writer_write(f->writer, batch, &f->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_not_equal(status, TT_OK);
    put(f, 20, 7, "cpu");
    finish(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 40);
    assert_int_equal(rows_of(f, "traces_cpu_" SET ".csv"), 14);
    assert_digests(f, "manifest_" SET ".json", 4);
    tt_batch_unref(batch);
}

static void many_types_share_a_file_and_few_descriptors(void **state)
{
    struct fixture *f = *state;
    char type[32];

    f->options.max_files = 20;
    f->options.max_open = 8;
    open_writer(f);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 100; i++) {
            (void)snprintf(type, sizeof(type), "kind%u", i);
            put(f, 1, 1, type);
        }
    finish(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 300);
    assert_int_equal(rows_of(f, "traces_anomalous_" SET ".csv"), 300);
    assert_int_equal(rows_of(f, "traces_kind0_" SET ".csv"), 3);
    assert_true(rows_of(f, "traces_overflow_" SET ".csv") > 200);
    assert_true(files_ending(f, ".csv") <= 20);
    assert_digests(f, "manifest_" SET ".json", files_ending(f, ".csv"));
}

/* ---- crashes ---- */

static void leftovers_are_finished_as_recovered(void **state)
{
    struct fixture *f = *state;
    char *manifest;

    open_writer(f);
    put(f, 5, 2, "cpu");
    crash(f);
    open_writer(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 5);
    assert_int_equal(rows_of(f, "traces_normal_" SET ".csv"), 3);
    assert_int_equal(rows_of(f, "traces_cpu_" SET ".csv"), 2);
    assert_int_equal(files_ending(f, ".partial"), 0);
    manifest = slurp(f, "manifest_" SET ".json");
    assert_non_null(strstr(manifest, "\"recovered\": true"));
    assert_non_null(strstr(manifest, "\"by_source\": {\"header\": 2, \"none\": 3}"));
    assert_non_null(strstr(manifest, "\"first\": \"2025-08-21T10:00:00"));
    free(manifest);
}

static void append_text(const struct fixture *f, const char *name, const char *text)
{
    char path[768];
    FILE *file = fopen(tt_temp_path(&f->dir, name, path), "ab");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void half_rows_and_rows_of_half_a_batch_are_cut(void **state)
{
    struct fixture *f = *state;
    char *text, *line;

    open_writer(f);
    put(f, 4, 2, "cpu");
    text = slurp(f, "traces_cpu_" SET ".csv.partial");
    line = strchr(text, '\n') + 1;
    crash(f);
    append_text(f, "traces_cpu_" SET ".csv.partial", line); /* rows the labeled file never got */
    append_text(f, "traces_anomalous_" SET ".csv.partial",
                line); /* the same, and half of the next */
    append_text(f, "traces_anomalous_" SET ".csv.partial", "2025-08-21T10:00:0");
    append_text(f, "traces_labeled_" SET ".csv.partial",
                "2025-08-21T10:00:00,\"text with\na line end");
    open_writer(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 4);
    assert_int_equal(rows_of(f, "traces_anomalous_" SET ".csv"), 2);
    assert_int_equal(rows_of(f, "traces_cpu_" SET ".csv"), 2);
    assert_digests(f, "manifest_" SET ".json", 4);
    free(text);
}

static void a_crash_before_the_labeled_file_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    char path[768];

    open_writer(f);
    put(f, 4, 2, "cpu");
    crash(f);
    assert_int_equal(unlink(tt_temp_path(&f->dir, "traces_labeled_" SET ".csv.partial", path)), 0);
    open_writer(f);
    assert_int_equal(files_ending(f, ".csv"), 0);
    assert_int_equal(files_ending(f, ".partial"), 0);
}

static void a_crash_while_finishing_is_finished(void **state)
{
    struct fixture *f = *state;
    char from[768], to[768];

    open_writer(f);
    put(f, 4, 2, "cpu");
    crash(f);
    assert_int_equal(rename(tt_temp_path(&f->dir, "traces_cpu_" SET ".csv.partial", from),
                            tt_temp_path(&f->dir, "traces_cpu_" SET ".csv", to)),
                     0);
    open_writer(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 4);
    assert_int_equal(rows_of(f, "traces_cpu_" SET ".csv"), 2);
    assert_int_equal(rows_of(f, "manifest.json") > 0, 1);
    assert_int_equal(files_ending(f, ".partial"), 0);
}

static void allocation_failures_lose_nothing(void **state)
{
    struct fixture *f = *state;
    struct tt_batch *batch = batch_of(10, 4, "cpu");
    unsigned failures = 0;

    open_writer(f);
    put(f, 10, 4, "cpu");
    for (uint64_t n = 1;; n++) {
        enum tt_status status;
        bool hit;
        tt_mem_fail_after(n);
        status = dataset_writer_write(f->writer, batch, &f->err);
        hit = tt_mem_count() >= n;
        tt_mem_fail_after(0);
        if (status == TT_OK && !hit)
            break;
        failures += status != TT_OK;
        if (status == TT_OK) /* an allocation that was not needed failed */
            break;
        assert_true(n < 1000);
    }
    finish(f);
    assert_int_equal(rows_of(f, "traces_labeled_" SET ".csv"), 20);
    assert_int_equal(rows_of(f, "traces_normal_" SET ".csv"), 12);
    assert_digests(f, "manifest_" SET ".json", 4);
    (void)failures;
    tt_batch_unref(batch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_go_to_the_files_of_their_kind),
        TEST(the_manifest_counts_what_was_written),
        TEST(checksums_are_those_of_the_files),
        TEST(a_file_that_somebody_cut_is_read_for_its_checksum),
        TEST(nothing_is_written_without_rows),
        TEST(sets_of_one_second_get_names_of_their_own),
        TEST(a_final_name_that_is_taken_is_not_replaced),
        TEST(a_set_that_is_large_enough_is_closed),
        TEST(a_second_writer_of_a_directory_is_refused),
        TEST(a_batch_that_fails_in_one_file_is_in_none),
        TEST(a_batch_that_fails_in_its_second_piece_is_in_none),
        TEST(many_types_share_a_file_and_few_descriptors),
        TEST(leftovers_are_finished_as_recovered),
        TEST(half_rows_and_rows_of_half_a_batch_are_cut),
        TEST(a_crash_before_the_labeled_file_leaves_nothing),
        TEST(a_crash_while_finishing_is_finished),
        TEST(allocation_failures_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
