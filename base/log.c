/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buffer.h"
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LINE_SIZE = 4096,
    TAIL_SIZE = 8, /* kept free for what closes a line that was cut: `…"}` and the newline */
    LINES_PER_WINDOW = 10,
    WINDOW_MS = 10000,
    COUNT_BITS = 8,
};

static const char *const level_names[] = {
    [TT_LOG_DEBUG] = "debug",
    [TT_LOG_INFO] = "info",
    [TT_LOG_WARN] = "warn",
    [TT_LOG_ERROR] = "error",
};

/* ---- one line ---- */

struct line {
    size_t len;
    bool cut; /* something did not fit: nothing but closing characters follows */
    char text[LINE_SIZE];
};

/* All or nothing. */
static bool put(struct line *line, const char *bytes, size_t len)
{
    if (line->cut || line->len + len > LINE_SIZE - TAIL_SIZE) {
        line->cut = true;
        return false;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    return true;
}

static bool put_text(struct line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Into the tail: also after a cut. */
static void close_with(struct line *line, const char *text)
{
    size_t len = strlen(text);

    memcpy(line->text + line->len, text, len);
    line->len += len;
}

/* How the control character at p is written in JSON and on a terminal; 0 when it is none. C1 controls are two
 * bytes in UTF-8 and some terminals obey them. Sets *ret_used to the bytes read. */
static size_t escape(const uint8_t *p, char ret_text[8], size_t *ret_used)
{
    static const char shorthand[] = "\"\"\\\\\nn\rr\tt\bb\ff";
    const char *known = *p == '\0' ? NULL : strchr(shorthand, (char)*p);
    bool c1 = p[0] == 0xc2 && p[1] < 0xa0;

    for (size_t i = 0; known != NULL && i < sizeof(shorthand) - 1; i += 2) {
        if (shorthand[i] != (char)*p)
            continue;
        *ret_used = 1;
        return (size_t)snprintf(ret_text, 8, "\\%c", shorthand[i + 1]);
    }
    if (*p >= 0x20 && *p != 0x7f && !c1)
        return 0;
    *ret_used = c1 ? 2 : 1;
    return (size_t)snprintf(ret_text, 8, "\\u%04x", c1 ? p[1] : p[0]);
}

static size_t character_len(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* s is valid UTF-8. */
static bool put_escaped_valid(struct line *line, struct tt_str s)
{
    for (size_t at = 0, used; at < s.len; at += used) {
        const uint8_t *p = (const uint8_t *)s.data + at;
        char text[8];
        size_t len = escape(p, text, &used);

        if (len == 0)
            used = character_len(*p);
        if (len == 0 ? !put(line, s.data + at, used) : !put(line, text, len))
            return false;
    }
    return true;
}

/* The inside of a JSON string; bytes that are not UTF-8 become U+FFFD. */
static bool put_escaped(struct line *line, struct tt_str s)
{
    while (s.len > 0) {
        size_t valid = tt_utf8_valid_prefix(s);
        if (!put_escaped_valid(line, tt_str_of(s.data, valid)))
            return false;
        if (valid == s.len)
            return true;
        if (!put(line, "\xef\xbf\xbd", 3))
            return false;
        s = tt_str_of(s.data + valid + 1, s.len - valid - 1);
    }
    return true;
}

/* A whole JSON string; one that does not fit ends with an ellipsis. False when not even its beginning fits. */
static bool put_string(struct line *line, struct tt_str s)
{
    if (!put(line, "\"", 1))
        return false;
    close_with(line, put_escaped(line, s) ? "\"" : "\xe2\x80\xa6\"");
    return true;
}

static bool put_double(struct line *line, double number)
{
    char text[32];
    struct tt_str digits = {text, tt_double_format(number, text)};

    return isfinite(number) ? put(line, digits.data, digits.len) : put_string(line, digits);
}

static bool put_error(struct line *line, const struct tt_error *error)
{
    char text[1024];

    if (error == NULL)
        return put_text(line, "null");
    return put_string(line, tt_str_of(text, tt_error_format(error, text, sizeof(text))));
}

static bool put_value(struct line *line, const struct tt_log_field *field)
{
    char text[32];

    switch (field->type) {
    case TT_LOG_FIELD_INT:
        return put(line, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, field->integer));
    case TT_LOG_FIELD_DOUBLE:
        return put_double(line, field->number);
    case TT_LOG_FIELD_DURATION:
        return put_string(line, tt_str_of(text, tt_duration_format(field->integer, text)));
    case TT_LOG_FIELD_ERROR:
        return put_error(line, field->error);
    case TT_LOG_FIELD_STR:
        break;
    }
    return put_string(line, field->text);
}

/* before "key" colon value; a field of which no part of the value fits leaves no trace. */
static void put_field(struct line *line, const char *before, const char *colon,
                      const struct tt_log_field *field)
{
    size_t begin = line->len;

    if (put_text(line, before) && put(line, "\"", 1) && put_escaped(line, tt_str(field->key)) &&
        put(line, "\"", 1) && put_text(line, colon) && put_value(line, field))
        return;
    line->len = begin;
}

/* ---- the two encodings ---- */

struct entry {
    enum tt_log_level level;
    const char *component, *message;
    const struct tt_log_field *fields;
    size_t n_fields;
    uint64_t wall_ns;
};

static void encode_console(struct line *line, const struct entry *entry)
{
    char time[32];
    const char *component = entry->component == NULL ? "service" : entry->component;

    (void)put(line, time, tt_time_format(entry->wall_ns, 3, time));
    (void)put_text(line, "\t");
    (void)put_text(line, level_names[entry->level]);
    (void)put_text(line, "\t");
    (void)put_escaped(line, tt_str(component));
    (void)put_text(line, "\t");
    if (!put_escaped(line, tt_str(entry->message)))
        close_with(line, "\xe2\x80\xa6");
    if (entry->n_fields == 0 || !put_text(line, "\t{"))
        return;
    for (size_t i = 0; i < entry->n_fields; i++)
        put_field(line, i == 0 ? "" : ", ", ": ", &entry->fields[i]);
    close_with(line, "}");
}

static void encode_json(struct line *line, const struct entry *entry)
{
    char time[32];
    const struct tt_log_field head[] = {
        TT_FIELD_TEXT("level", level_names[entry->level]),
        TT_FIELD_STR("ts", tt_str_of(time, tt_time_format(entry->wall_ns, 3, time))),
        TT_FIELD_TEXT("msg", entry->message),
        TT_FIELD_TEXT("otelcol.component.id", entry->component),
    };
    size_t n_head = TT_LENGTH(head) - (entry->component == NULL);

    for (size_t i = 0; i < n_head; i++)
        put_field(line, i == 0 ? "{" : ",", ":", &head[i]);
    for (size_t i = 0; i < entry->n_fields; i++)
        put_field(line, ",", ":", &entry->fields[i]);
    close_with(line, "}");
}

static void write_entry(const struct tt_log_sink *sink, const struct entry *entry)
{
    struct line line;

    line.len = 0;
    line.cut = false;
    if (sink->encoding == TT_LOG_JSON)
        encode_json(&line, entry);
    else
        encode_console(&line, entry);
    close_with(&line, "\n");
    /* A log that cannot be written has nobody to tell. */
    while (write(sink->fd, line.text, line.len) < 0 && errno == EINTR)
        continue;
}

/* ---- the rate limit ---- */

/* Whether the site may write a line now. Start and count of a window are one word, so that the limit is exact
 * with any number of threads. *ret_left_out: lines to report, when a new window begins. */
static bool admit(struct tt_log_site *site, tt_dur now, uint32_t *ret_left_out)
{
    uint64_t now_ms = (uint64_t)(now / TT_MILLISECOND), old = atomic_load(&site->window), next;
    bool fresh;

    do {
        uint64_t start_ms = old >> COUNT_BITS, lines = old & ((1u << COUNT_BITS) - 1);
        /* Another thread may have opened a window a moment after our `now`. */
        fresh = lines == 0 || now_ms >= start_ms + WINDOW_MS;
        if (!fresh && lines >= LINES_PER_WINDOW) {
            atomic_fetch_add(&site->left_out, 1);
            return false;
        }
        next = fresh ? now_ms << COUNT_BITS | 1 : old + 1;
    } while (!atomic_compare_exchange_weak(&site->window, &old, next));
    *ret_left_out = fresh ? atomic_exchange(&site->left_out, 0) : 0;
    return true;
}

void tt_log_write(const struct tt_log *log, struct tt_log_site *site, enum tt_log_level level,
                  const char *message, const struct tt_log_field *fields, size_t n_fields)
{
    const struct tt_log_sink *sink = log->sink;
    int saved_errno = errno;
    uint32_t left_out = 0;

    if (sink == NULL || level < sink->level)
        return;
    if (site == NULL || admit(site, tt_clock_monotonic(sink->clock), &left_out)) {
        const struct tt_log_field summary[] = {TT_FIELD_TEXT("message", message),
                                               TT_FIELD_INT("left_out", left_out)};
        struct entry entry = {level,   log->component,     "similar lines were left out",
                              summary, TT_LENGTH(summary), tt_clock_wall(sink->clock)};
        if (left_out > 0)
            write_entry(sink, &entry);
        entry.message = message;
        entry.fields = fields;
        entry.n_fields = n_fields;
        write_entry(sink, &entry);
    }
    errno = saved_errno;
}
