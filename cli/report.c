/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_NAME        48 /* bytes shown of a name from outside */
#define MAX_DEFINITIONS 10000
#define MAX_TEXT        2048

struct tt_str tt_report_text(struct tt_report *report, const char *format, ...)
{
    char text[MAX_TEXT];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0)
        len = 0;
    return tt_arena_copy(
        report->arena,
        tt_str_of(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1));
}

const char *tt_report_count(struct tt_report *report, uint64_t value)
{
    char text[32];
    size_t at = sizeof(text), digits = 0;
    struct tt_str kept;

    do {
        if (digits++ % 3 == 0 && digits > 1)
            text[--at] = ',';
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    kept = tt_arena_copy(report->arena, tt_str_of(text + at, sizeof(text) - at));
    return kept.data == NULL ? "" : kept.data;
}

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: what turns the text around it. */
static bool is_direction_mark(struct tt_str rest)
{
    const unsigned char *c = (const unsigned char *)rest.data;

    return rest.len >= 3 && c[0] == 0xE2 &&
           ((c[1] == 0x80 && (c[2] == 0x8E || c[2] == 0x8F || (c[2] >= 0xAA && c[2] <= 0xAE))) ||
            (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9));
}

struct tt_str tt_report_clean(struct tt_report *report, struct tt_str name)
{
    char text[MAX_NAME + 4];
    size_t n = 0, read = 0;

    if (name.len == 0)
        return TT_STR("(empty)");
    while (read < name.len && n < MAX_NAME) {
        struct tt_str rest = tt_str_of(name.data + read, name.len - read);
        unsigned char c = (unsigned char)name.data[read];
        bool turns = is_direction_mark(rest);
        text[n++] = turns || c < 0x20 || c == 0x7F ? '?' : (char)c;
        read += turns ? 3 : 1;
    }
    if (read < name.len) {
        n = tt_utf8_valid_prefix(tt_str_of(text, n)); /* the cut may have split a character */
        memcpy(text + n, "…", sizeof("…") - 1);
        n += sizeof("…") - 1;
    }
    return tt_arena_copy(report->arena, tt_str_of(text, n));
}

const char *tt_verdict_name(enum tt_verdict verdict)
{
    static const char *const names[] = {"pass", "warn", "fail", "unknown"};

    return names[verdict];
}

enum tt_status tt_report_make(struct tt_report *report, struct tt_stats *stats, const char *path,
                              struct tt_error *err)
{
    enum tt_status status;

    *report = (struct tt_report){
        .stats = stats,
        .arena = &stats->arena,
        .path = tt_arena_copy(&stats->arena, tt_str(path)),
    };
    tt_map_init(&report->definitions, MAX_DEFINITIONS);
    tt_map_init(&report->faults, MAX_DEFINITIONS);
    tt_map_init(&report->counted, MAX_DEFINITIONS);
    if (report->path.data == NULL)
        return tt_fail(err, TT_NO_MEMORY, "report on %s", path);
    tt_report_read_sources(report);
    if (stats->files == 0)
        return tt_fail(
            err, TT_NOT_FOUND, "%s: no *_labeled_*.csv here%s", path,
            report->unfinished_files > 0 ? "; files are still being written (*.csv.partial)" : "");
    status = tt_report_find_groups(report, err);
    if (status == TT_OK)
        status = tt_report_find_blocks(report, err);
    if (status == TT_OK)
        status = tt_report_measure_groups(report, err);
    if (status == TT_OK)
        status = tt_report_measure_faults(report, err);
    if (status == TT_OK)
        status = tt_report_find_orphans(report, err);
    if (status == TT_OK)
        status = tt_report_find_leaks(report, err);
    if (status == TT_OK)
        tt_report_check(report);
    return status;
}

void tt_report_done(struct tt_report *report)
{
    tt_map_done(&report->definitions);
    tt_map_done(&report->faults);
    tt_map_done(&report->counted);
    tt_free(report->order);
    tt_ranking_done(&report->trivial_spans.ranking);
    tt_ranking_done(&report->trivial_traces.ranking);
}
