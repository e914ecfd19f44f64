/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer_pool.h"
#include "base/file.h"
#include "tt_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct fixture {
    struct tt_temp_dir dir;
    char path[768];
    int fd;
    struct tt_appender appender;
    struct tt_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_temp_dir_make(&f->dir);
    tt_temp_path(&f->dir, "file", f->path);
    f->fd = open(f->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(f->fd >= 0);
    tt_appender_init(&f->appender, f->fd);
    (void)signal(SIGXFSZ, SIG_IGN);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close(f->fd);
    tt_temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static enum tt_status append(struct fixture *f, const char *text)
{
    char copy[256];
    struct iovec part = {.iov_base = copy, .iov_len = strlen(text)};

    memcpy(copy, text, part.iov_len);
    return tt_append(&f->appender, &part, 1, &f->err);
}

static void expect(const struct fixture *f, const char *text)
{
    char bytes[4096];

    assert_str(tt_test_read_file(f->path, bytes, sizeof(bytes)), text);
}

static rlim_t limit_size(rlim_t size)
{
    struct rlimit old, now;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    now = (struct rlimit){.rlim_cur = size, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    return old.rlim_cur;
}

static void many_parts_arrive_in_order(void **state)
{
    struct fixture *f = *state;
    static char bytes[100000];
    struct iovec parts[1000];
    char *back = malloc(sizeof(bytes) + 1);

    assert_non_null(back);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < TT_LENGTH(parts); i++)
        parts[i] = (struct iovec){bytes + 100 * i, i % 7 == 3 ? 0 : 100}; /* some are empty */
    for (size_t i = 3; i < TT_LENGTH(parts); i += 7)
        memset(bytes + 100 * i, 'X', 100);
    assert_ok(tt_append(&f->appender, parts, TT_LENGTH(parts), &f->err), &f->err);
    assert_int_equal(tt_test_read_file(f->path, back, sizeof(bytes) + 1).len, 100 * (1000 - 143));
    assert_null(strchr(back, 'X'));
    free(back);
}

static void what_fails_half_way_is_cut_off(void **state)
{
    struct fixture *f = *state;
    rlim_t old;

    assert_ok(append(f, "first "), &f->err);
    old = limit_size(10);
    assert_status(append(f, "second"), TT_IO);
    (void)limit_size(old);
    expect(f, "first ");
    assert_ok(append(f, "third"), &f->err);
    expect(f, "first third");
}

/* An end that could not be cut off at once is cut off before anything else is written. */
static void a_cut_that_fails_is_made_up_for(void **state)
{
    struct fixture *f = *state;
    int real = f->appender.fd;

    assert_ok(append(f, "keep "), &f->err);
    assert_ok(append(f, "undo me"), &f->err);
    f->appender.cut_to = 5; /* as after an ftruncate that failed */
    f->appender.fd = -1;
    assert_status(append(f, "x"), TT_IO);
    expect(f, "keep undo me");
    f->appender.fd = real;
    assert_ok(append(f, "more"), &f->err);
    expect(f, "keep more");
}

static void the_end_is_found_again_after_somebody_truncated_the_file(void **state)
{
    struct fixture *f = *state;

    assert_ok(append(f, "long gone "), &f->err);
    assert_int_equal(ftruncate(f->fd, 0), 0);
    assert_ok(append(f, "ab"), &f->err);
    assert_ok(append(f, "cd"), &f->err);
    assert_ok(tt_append_undo(&f->appender, 2, &f->err), &f->err);
    expect(f, "ab");
}

static void a_full_pipe_is_waited_for(void **state)
{
    struct fixture *f = *state;
    char *bytes = calloc(1, 1 << 20);
    struct iovec part = {bytes, 1 << 20};
    struct tt_appender appender;
    size_t got = 0;
    int ends[2];
    pid_t child;

    (void)f;
    assert_non_null(bytes);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    tt_appender_init(&appender, ends[1]);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* the reader */
        ssize_t n;
        close(ends[1]);
        while ((n = read(ends[0], bytes, 1 << 20)) > 0)
            got += (size_t)n;
        _exit(got == 1 << 20 ? 0 : 1);
    }
    assert_ok(tt_append(&appender, &part, 1, &f->err), &f->err);
    close(ends[1]);
    close(ends[0]);
    {
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    free(bytes);
}

static void a_lock_names_its_owner(void **state)
{
    struct fixture *f = *state;
    int ready[2], second;
    char pid[32], byte = 0;
    pid_t child;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || tt_lock_file(fd, f->path, NULL) != TT_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    second = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_status(tt_lock_file(second, f->path, &f->err), TT_UNAVAILABLE);
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)child);
    assert_non_null(strstr(f->err.message, pid));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(tt_lock_file(second, f->path, &f->err),
              &f->err); /* it is free when its owner is dead */
    close(second);
    close(ready[0]);
    close(ready[1]);
}

static void directories_are_made_as_deep_as_needed(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    char deep[768];

    tt_temp_path(&f->dir, "a//b/c/", deep);
    assert_ok(tt_make_directories(deep, 0750, &f->err), &f->err);
    assert_ok(tt_make_directories(deep, 0750, &f->err), &f->err);
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0750);
    assert_status(tt_make_directories(f->path, 0755, &f->err), TT_INVALID_CONFIG);
    tt_temp_path(&f->dir, "file/below", deep);
    assert_true(tt_make_directories(deep, 0755, &f->err) != TT_OK);
    assert_status(tt_make_directories("", 0755, &f->err), TT_INVALID_CONFIG);
}

static void a_rename_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    char to[768];

    assert_ok(append(f, "new"), &f->err);
    tt_test_write_file(tt_temp_path(&f->dir, "taken", to), TT_STR("old"));
    assert_status(tt_rename_new(AT_FDCWD, f->path, to, &f->err), TT_UNSUPPORTED);
    expect(f, "new");
    assert_ok(tt_rename_new(AT_FDCWD, f->path, tt_temp_path(&f->dir, "free", to), &f->err),
              &f->err);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_status(tt_rename_new(AT_FDCWD, f->path, to, &f->err), TT_NOT_FOUND);
}

static void modes_are_octal(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        mode_t mode;
    } cases[] = {
        {"0755", true, 0755},   {"755", true, 0755}, {"0", true, 0},  {"7777", true, 07777},
        {"07777", true, 07777}, {"17777", false, 0}, {"8", false, 0}, {"rwx", false, 0},
        {"", false, 0},         {"0o755", false, 0},
    };
    mode_t mode;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_int_equal(tt_mode_parse(tt_str(cases[i].text), &mode), cases[i].ok);
        if (cases[i].ok)
            assert_int_equal(mode, cases[i].mode);
    }
}

static void a_pool_keeps_small_buffers_and_frees_large_ones(void **state)
{
    struct tt_buffer_pool pool;
    struct tt_buffer buffers[20];

    (void)state;
    tt_buffer_pool_init(&pool, 1 << 20, 4096);
    for (size_t i = 0; i < TT_LENGTH(buffers); i++) {
        buffers[i] = tt_buffer_pool_get(&pool);
        assert_int_equal(buffers[i].len, 0);
        tt_buffer_append(&buffers[i], "x", 1);
    }
    assert_non_null(tt_buffer_reserve(&buffers[0], 8192));
    for (size_t i = 0; i < TT_LENGTH(buffers); i++)
        tt_buffer_pool_put(&pool, &buffers[i]);
    assert_int_equal(pool.n_idle, TT_LENGTH(pool.idle));
    buffers[0] = tt_buffer_pool_get(&pool);
    assert_int_equal(buffers[0].len, 0);
    assert_in_range(buffers[0].cap, 1, 4096);
    tt_buffer_pool_put(&pool, &buffers[0]);
    tt_buffer_pool_done(&pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_parts_arrive_in_order),
        TEST(what_fails_half_way_is_cut_off),
        TEST(a_cut_that_fails_is_made_up_for),
        TEST(the_end_is_found_again_after_somebody_truncated_the_file),
        TEST(a_full_pipe_is_waited_for),
        TEST(a_lock_names_its_owner),
        TEST(directories_are_made_as_deep_as_needed),
        TEST(a_rename_replaces_nothing),
        cmocka_unit_test(modes_are_octal),
        cmocka_unit_test(a_pool_keeps_small_buffers_and_frees_large_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
