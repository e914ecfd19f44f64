/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_SUPPORT_TT_TEST_H
#define TT_TESTS_SUPPORT_TT_TEST_H

/*
 * What unit tests share: cmocka with the headers it needs, assertions for our types, temporary directories,
 * ephemeral ports, random numbers with a seed, and the walk over failing allocations.
 *
 * Everything is inline, so that a test links its own layer and nothing else. Threads: call from the test's
 * own thread only (a failed assertion jumps back into cmocka).
 */

/* cmocka.h needs these first. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/error.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka's assertions cast what they are given, also a call that returns bool or an enum. */
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wbad-function-cast"
#endif

/* Fails with the message of err (struct tt_error *, may be NULL) unless status is TT_OK. */
#define assert_ok(status, err) tt_assert_ok((status), (err), #status, __FILE__, __LINE__)
static inline void tt_assert_ok(enum tt_status status, const struct tt_error *err, const char *text,
                                const char *file, int line)
{
    if (status == TT_OK)
        return;
    print_error("%s: %s%s%s\n", text, tt_status_text(status), err == NULL ? "" : ": ",
                err == NULL ? "" : err->message);
    _fail(file, line);
}

/* Fails unless status is the expected one; prints both by their text. */
#define assert_status(status, expected) \
    tt_assert_status((status), (expected), #status, __FILE__, __LINE__)
static inline void tt_assert_status(enum tt_status status, enum tt_status expected,
                                    const char *text, const char *file, int line)
{
    if (status == expected)
        return;
    print_error("%s: \"%s\", expected \"%s\"\n", text, tt_status_text(status),
                tt_status_text(expected));
    _fail(file, line);
}

/* Fails unless the bytes of s (struct tt_str) are those of the NUL-terminated text. */
#define assert_str(s, expected) tt_assert_str((s), tt_str(expected), #s, __FILE__, __LINE__)
/* The same for two views, which may hold NUL bytes. */
#define assert_str_equal(s, expected) tt_assert_str((s), (expected), #s, __FILE__, __LINE__)
static inline void tt_assert_str(struct tt_str s, struct tt_str expected, const char *text,
                                 const char *file, int line)
{
    if (tt_str_equal(s, expected))
        return;
    print_error("%s: \"%.*s\" (%zu bytes), expected \"%.*s\" (%zu bytes)\n", text, TT_STR_ARG(s),
                s.len, TT_STR_ARG(expected), expected.len);
    _fail(file, line);
}

/* A directory of the test's own, under $TMPDIR or /tmp. */
struct tt_temp_dir {
    char path[512];
};

static inline void tt_temp_dir_make(struct tt_temp_dir *dir)
{
    const char *parent = getenv("TMPDIR");
    int len = snprintf(dir->path, sizeof(dir->path), "%s/tt-test-XXXXXX",
                       parent == NULL || parent[0] == '\0' ? "/tmp" : parent);

    assert_in_range(len, 1, sizeof(dir->path) - 1);
    assert_non_null(mkdtemp(dir->path));
}

static inline int tt_temp_dir_visit(const char *path, const struct stat *info, int flag,
                                    struct FTW *where)
{
    (void)info, (void)flag, (void)where;
    return remove(path);
}

/* Removes the directory and all that is in it; links are not followed. Safe to repeat. */
static inline void tt_temp_dir_remove(struct tt_temp_dir *dir)
{
    if (dir->path[0] != '\0')
        (void)nftw(dir->path, tt_temp_dir_visit, 16, FTW_DEPTH | FTW_PHYS);
    dir->path[0] = '\0';
}

/* "<dir>/<name>" into ret_path. */
static inline const char *tt_temp_path(const struct tt_temp_dir *dir, const char *name,
                                       char ret_path[768])
{
    int len = snprintf(ret_path, 768, "%s/%s", dir->path, name);

    assert_in_range(len, 1, 767);
    return ret_path;
}

static inline void tt_test_write_file(const char *path, struct tt_str bytes)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

/* The file's bytes (at most size - 1) and a NUL; the view points into ret_bytes. */
static inline struct tt_str tt_test_read_file(const char *path, char *ret_bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    assert_non_null(file);
    len = fread(ret_bytes, 1, size - 1, file);
    assert_int_equal(fclose(file), 0);
    ret_bytes[len] = '\0';
    return tt_str_of(ret_bytes, len);
}

/* A socket that listens on 127.0.0.1 at a port of the system's choice; the caller closes it. */
static inline int tt_test_listen(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A port of 127.0.0.1 that nobody listens on now. Somebody may take it before you do: where the code under
 * test can listen on port 0 and tell the port, do that. */
static inline uint16_t tt_test_free_port(void)
{
    uint16_t port = 0;

    close(tt_test_listen(&port));
    return port;
}

/* Pseudo-random numbers, the same in every run: start with *state = any seed. */
static inline uint64_t tt_test_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Runs body with its n-th allocation failing, for n = 1, 2, … until none is hit any more; that last run must
 * succeed. body returns whether it succeeded, and must clean up in either case. */
static inline void tt_test_failing_allocations(bool (*body)(void *context), void *context)
{
    for (uint64_t n = 1;; n++) {
        bool ok, hit;

        assert_true(n < 100000);
        tt_mem_fail_after(n);
        ok = body(context);
        hit = tt_mem_count() >= n;
        tt_mem_fail_after(0);
        if (hit)
            continue;
        assert_true(ok);
        return;
    }
}

#endif
