/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct status_info {
    bool may_retry;
    const char *text;
};

#define STATUS_INFO(name, retry, text) [TT_##name] = {retry, text},
static const struct status_info infos[TT_STATUS_COUNT] = {TT_STATUS_MAP(STATUS_INFO)};

static bool is_status(enum tt_status status)
{
    return (unsigned)status < TT_STATUS_COUNT;
}

const char *tt_status_text(enum tt_status status)
{
    return is_status(status) ? infos[status].text : "unknown status";
}

bool tt_status_may_retry(enum tt_status status)
{
    return is_status(status) && infos[status].may_retry;
}

enum tt_status tt_status_worse(enum tt_status a, enum tt_status b)
{
    if (a == TT_OK || b == TT_OK)
        return a == TT_OK ? b : a;
    return tt_status_may_retry(b) && !tt_status_may_retry(a) ? b : a;
}

/* Keeps a message one line of whole characters, whatever a client put into it and wherever it was cut. */
static void tidy(char *text, size_t len, bool was_cut)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    if (!was_cut)
        return;
    for (size_t back = 0; back < 3 && len > 0 && (text[len - 1] & 0xc0) == 0x80; back++)
        len--;
    if (len > 0 && (text[len - 1] & 0x80) != 0)
        len--;
    text[len] = '\0';
}

/* Ends `text` (of `size` bytes, with what printf said it would need) as one tidy line. */
static void end_line(char *text, size_t size, int needed)
{
    bool was_cut = needed >= 0 && (size_t)needed >= size;

    if (needed < 0)
        text[0] = '\0';
    tidy(text, strlen(text), was_cut);
}

static void fill(struct tt_error *err, const char *file, int line, enum tt_status status,
                 const char *message)
{
    err->status = status;
    err->sys_errno = 0;
    err->retry_after_ms = 0;
    err->source_file = file;
    err->source_line = line;
    err->mark = (struct tt_mark){NULL, 0, 0};
    err->path[0] = '\0';
    memcpy(err->message, message, strlen(message) + 1);
}

/* The text is made aside first, since an argument may be err->message itself. */
enum tt_status tt_fail_at(struct tt_error *err, const char *file, int line, enum tt_status status,
                          const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, format);
    end_line(message, sizeof(message), vsnprintf(message, sizeof(message), format, args));
    va_end(args);
    fill(err, file, line, status, message);
    return status;
}

static enum tt_status errno_status(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return TT_NO_SPACE;
    case ENOMEM:
        return TT_NO_MEMORY;
    case ENOENT:
        return TT_NOT_FOUND;
    default:
        return TT_IO;
    }
}

enum tt_status tt_fail_errno_at(struct tt_error *err, const char *file, int line,
                                const char *format, ...)
{
    int code = errno;
    enum tt_status status = errno_status(code);
    const char *reason = strerrordesc_np(code);
    char what[sizeof(err->message)], message[sizeof(err->message)];
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, format);
    end_line(what, sizeof(what), vsnprintf(what, sizeof(what), format, args));
    va_end(args);
    /* The reason is what must not be cut off: long paths come before it. */
    end_line(message, sizeof(message),
             snprintf(message, sizeof(message), "%.300s: %s", what,
                      reason == NULL ? "unknown error" : reason));
    fill(err, file, line, status, message);
    err->sys_errno = code;
    errno = code;
    return status;
}

void tt_error_prefix(struct tt_error *err, const char *format, ...)
{
    char prefix[sizeof(err->message)], message[2 * sizeof(err->message)];
    va_list args;
    int len;

    if (err == NULL)
        return;
    va_start(args, format);
    end_line(prefix, sizeof(prefix), vsnprintf(prefix, sizeof(prefix), format, args));
    va_end(args);
    len = snprintf(message, sizeof(message), "%s: %s", prefix, err->message);
    message[sizeof(err->message) - 1] = '\0';
    end_line(message, sizeof(err->message), len);
    memcpy(err->message, message, strlen(message) + 1);
}

size_t tt_error_format(const struct tt_error *err, char *ret_text, size_t size)
{
    char where[256] = "";
    int len;

    if (err->mark.file != NULL && err->mark.line > 0)
        (void)snprintf(where, sizeof(where), "%.200s:%u:%u: ", err->mark.file, err->mark.line,
                       err->mark.column);
    len = snprintf(ret_text, size, "%s%s%s%s", where, err->path, err->path[0] == '\0' ? "" : ": ",
                   err->message);
    end_line(ret_text, size, len);
    return strlen(ret_text);
}
