/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_LOG_H
#define TT_BASE_LOG_H

/*
 * Levelled key-value log: one line a message to a file descriptor, as console text or JSON.
 *
 * Console: 2026-08-21T10:00:00.000Z<TAB>info<TAB>otlp<TAB>message<TAB>{"key": "value"}
 * JSON:    {"level":"info","ts":"…","msg":"…","otelcol.component.id":"otlp",…}
 * Rate:    a call site writes at most 10 lines in 10 s, then, before its next line after those
 *          10 s, one that says how many were left out.
 * Secrets: never given to a log; configuration marks them and has no formatter for them.
 * Text from outside (attribute values, header values) is escaped: control characters never reach a terminal.
 * Threads: all functions from any thread; one line is one write().
 */

#include "base/clock.h"
#include "base/error.h"

enum tt_log_level { TT_LOG_DEBUG, TT_LOG_INFO, TT_LOG_WARN, TT_LOG_ERROR };
enum tt_log_encoding { TT_LOG_CONSOLE, TT_LOG_JSON };

struct tt_log_sink {
    int fd;
    _Atomic enum tt_log_level level; /* lines below it are left out; may change while it is used */
    enum tt_log_encoding encoding;
    const struct tt_clock *clock;
};

/* A named writer to a sink; copied freely, both pointers borrowed. */
struct tt_log {
    const struct tt_log_sink *sink; /* NULL: silent */
    const char *component;          /* "otlp", "file/metrics"; NULL: the service itself */
};

struct tt_log_field {
    const char *key;
    enum {
        TT_LOG_FIELD_STR,
        TT_LOG_FIELD_INT,
        TT_LOG_FIELD_DOUBLE,
        TT_LOG_FIELD_DURATION,
        TT_LOG_FIELD_ERROR,
    } type;
    struct tt_str text;
    int64_t integer;
    double number;
    const struct tt_error *error;
};
#define TT_FIELD_STR(k, v) \
    ((struct tt_log_field){.key = (k), .type = TT_LOG_FIELD_STR, .text = (v)})
#define TT_FIELD_TEXT(k, v) \
    ((struct tt_log_field){.key = (k), .type = TT_LOG_FIELD_STR, .text = tt_str(v)})
#define TT_FIELD_INT(k, v) \
    ((struct tt_log_field){.key = (k), .type = TT_LOG_FIELD_INT, .integer = (int64_t)(v)})
#define TT_FIELD_DOUBLE(k, v) \
    ((struct tt_log_field){.key = (k), .type = TT_LOG_FIELD_DOUBLE, .number = (v)})
#define TT_FIELD_DURATION(k, v) \
    ((struct tt_log_field){.key = (k), .type = TT_LOG_FIELD_DURATION, .integer = (v)})
/* The error's message (with its path and mark when it has them). */
#define TT_FIELD_ERROR(e) \
    ((struct tt_log_field){.key = "error", .type = TT_LOG_FIELD_ERROR, .error = (e)})

/* State of one call site's rate limit; static zero at each site. */
struct tt_log_site {
    _Atomic uint64_t window; /* its start in milliseconds << 8 | lines written in it */
    _Atomic uint32_t left_out;
};

/* tt_log_warn(&self->log, "send failed", TT_FIELD_TEXT("endpoint", url)); message is constant text. The fields are
 * evaluated only if the line's level is on. */
#define tt_log_at(log, lvl, ...) tt_log_fields_(log, lvl, __VA_ARGS__, TT_FIELD_INT(NULL, 0))
/* The last field only ends the list, as ISO C knows no empty one. */
#define tt_log_fields_(log, lvl, message, ...)                                              \
    do {                                                                                    \
        if ((log)->sink != NULL && (log)->sink->level <= (lvl)) {                           \
            static struct tt_log_site site_;                                                \
            const struct tt_log_field fields_[] = {__VA_ARGS__};                            \
            tt_log_write((log), &site_, (lvl), (message), fields_, TT_LENGTH(fields_) - 1); \
        }                                                                                   \
    } while (0)
#define tt_log_debug(log, ...) tt_log_at(log, TT_LOG_DEBUG, __VA_ARGS__)
#define tt_log_info(log, ...)  tt_log_at(log, TT_LOG_INFO, __VA_ARGS__)
#define tt_log_warn(log, ...)  tt_log_at(log, TT_LOG_WARN, __VA_ARGS__)
#define tt_log_error(log, ...) tt_log_at(log, TT_LOG_ERROR, __VA_ARGS__)

/* Behind the macros. site may be NULL: no rate limit. A line is cut at 4 KiB: the value that does not fit ends with
 * "…", the fields after it are left out. errno is kept. */
void tt_log_write(const struct tt_log *log, struct tt_log_site *site, enum tt_log_level level,
                  const char *message, const struct tt_log_field *fields, size_t n_fields);

#endif
