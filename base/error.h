/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_ERROR_H
#define TT_BASE_ERROR_H

/*
 * Status codes and the error that explains one.
 *
 * A function that can fail returns enum tt_status and takes `struct tt_error *err` last. err may be
 * NULL, is written only on failure, belongs to the caller and never allocates, so that it can report
 * TT_NO_MEMORY. Library code returns errors; only the edge (receiver, exporter, main) logs them.
 * Threads: no shared state.
 */

#include "base/util.h"

/* name, may the same data be sent again later, text */
#define TT_STATUS_MAP(X)                                  \
    X(OK, false, "ok")                                    \
    X(INVALID_CONFIG, false, "invalid configuration")     \
    X(INVALID_DATA, false, "data can never be processed") \
    X(TOO_LARGE, false, "over a size limit")              \
    X(UNSUPPORTED, false, "not supported")                \
    X(NOT_FOUND, true, "not found")                       \
    X(INTERNAL, true, "internal error")                   \
    X(IO, true, "input/output error")                     \
    X(NO_MEMORY, true, "out of memory")                   \
    X(NO_SPACE, true, "no space left on the device")      \
    X(OVERLOADED, true, "over a configured limit")        \
    X(UNAVAILABLE, true, "destination unavailable")       \
    X(TIMEOUT, true, "deadline passed")                   \
    X(SHUTTING_DOWN, true, "shutting down")

#define TT_STATUS_ENUM(name, retry, text) TT_##name,
enum tt_status { TT_STATUS_MAP(TT_STATUS_ENUM) TT_STATUS_COUNT };

/* Where a user wrote something. line and column are 1-based; line 0: not from a file. */
struct tt_mark {
    const char *file; /* borrowed from the configuration tree */
    uint32_t line, column;
};

struct tt_error {
    enum tt_status status;
    int sys_errno;           /* 0: no system call failed */
    uint32_t retry_after_ms; /* 0: no hint */
    const char *source_file; /* where it was raised */
    int source_line;
    struct tt_mark mark; /* where the user wrote the offending option */
    char path[128];      /* "exporters.file/metrics.rotation" */
    char message[384];   /* one line, no trailing full stop, begins with what was attempted */
};

/* Fills *err (may be NULL) and returns status: `return tt_fail(err, TT_TIMEOUT, "connect %s", host);` */
#define tt_fail(err, status, ...) tt_fail_at((err), __FILE__, __LINE__, (status), __VA_ARGS__)
enum tt_status tt_fail_at(struct tt_error *err, const char *file, int line, enum tt_status status,
                          const char *format, ...) TT_PRINTF(5, 6);

/* The same for a failed system call: appends ": <strerror(errno)>" and keeps errno in sys_errno. ENOSPC
 * and EDQUOT become TT_NO_SPACE, ENOMEM TT_NO_MEMORY, ENOENT TT_NOT_FOUND, all others TT_IO. */
#define tt_fail_errno(err, ...) tt_fail_errno_at((err), __FILE__, __LINE__, __VA_ARGS__)
enum tt_status tt_fail_errno_at(struct tt_error *err, const char *file, int line,
                                const char *format, ...) TT_PRINTF(4, 5);

/* Puts context before the message on the way up ("reload config.yaml: …"). err may be NULL. */
void tt_error_prefix(struct tt_error *err, const char *format, ...) TT_PRINTF(2, 3);

/* "config.yaml:41:14: exporters.file.path: message", as far as err knows them. Writes at most size bytes (size >= 1)
 * with the NUL, cut at a whole character; returns the length. */
size_t tt_error_format(const struct tt_error *err, char *ret_text, size_t size);

/* The table's text for a status ("deadline passed"); never NULL. */
const char *tt_status_text(enum tt_status status);
/* Whether the same data may be sent again (503 rather than 400). */
bool tt_status_may_retry(enum tt_status status);
/* The worse of two: any failure over OK, a retryable one over a permanent one (nothing is lost by a retry). */
enum tt_status tt_status_worse(enum tt_status a, enum tt_status b);

#endif
