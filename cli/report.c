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

struct tt_str tt_report_clean(struct tt_report *report, struct tt_str name)
{
    char text[MAX_NAME + 4];
    size_t n = 0;

    if (name.len == 0)
        return TT_STR("(empty)");
    while (n < name.len && n < MAX_NAME) {
        unsigned char c = (unsigned char)name.data[n];
        text[n++] = c < 0x20 || c == 0x7F ? '?' : (char)c;
    }
    n = tt_utf8_valid_prefix(tt_str_of(text, n)); /* the cut may have split a character */
    if (n < name.len) {
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
    tt_free(report->order);
    tt_ranking_done(&report->trivial_spans.ranking);
    tt_ranking_done(&report->trivial_traces.ranking);
}
