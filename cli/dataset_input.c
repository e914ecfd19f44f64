/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_input.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINE   ((size_t)64 << 20)
#define MAX_TOLD   20
#define SHOW_EVERY (200 * TT_MILLISECOND)

enum tt_status tt_input_open(struct tt_input *input, struct tt_patterns patterns,
                             struct tt_error *err)
{
    struct tt_patterns none = {NULL, 0};
    enum tt_status status = TT_OK;

    *input = (struct tt_input){.progress = isatty(STDERR_FILENO) != 0};
    for (size_t i = 0; i < patterns.count && status == TT_OK; i++) {
        struct tt_patterns one = {patterns.items + i, 1};
        status = tt_files_list(one, none, &input->files, err);
        if (status == TT_OK && input->files.count == 0)
            status = tt_fail(err, TT_NOT_FOUND, "%s: no such file", patterns.items[i]);
        tt_files_done(&input->files);
    }
    if (status == TT_OK)
        status = tt_files_list(patterns, none, &input->files, err);
    for (size_t i = 0; i < input->files.count; i++) {
        struct stat info;
        if (stat(input->files.paths[i], &info) == 0)
            input->total_bytes += (uint64_t)info.st_size;
    }
    return status;
}

void tt_input_done(struct tt_input *input)
{
    tt_files_done(&input->files);
}

/* ---- progress ---- */

static void show(struct tt_input *input, const char *what, const struct tt_lines *lines)
{
    tt_dur now;
    double seconds, part;

    if (!input->progress || (input->lines & 15) != 0)
        return;
    now = tt_clock_monotonic(tt_clock_system());
    if (now - input->shown_at < SHOW_EVERY)
        return;
    input->shown_at = now;
    seconds = (double)(now - input->started_at) / (double)TT_SECOND;
    part = (double)(input->done_bytes + (lines->reader == NULL ? lines->offset : 0)) /
           (double)(input->total_bytes + 1);
    (void)fprintf(stderr, "\r%s: %3.0f %%, %llu lines, %.0f s left   ", what, 100 * part,
                  (unsigned long long)input->lines, part > 0 ? seconds / part - seconds : 0.0);
}

static void clear_progress(const struct tt_input *input)
{
    if (input->progress && input->shown_at != 0)
        (void)fprintf(stderr, "\r%70s\r", "");
}

/* ---- lines ---- */

static void tell_bad(struct tt_input *input, const struct tt_lines *lines,
                     const struct tt_error *err)
{
    if (++input->bad_lines > MAX_TOLD)
        return;
    clear_progress(input);
    (void)fprintf(stderr, "telltale: %s:%llu: %s\n", lines->path, (unsigned long long)lines->line,
                  err->message);
    if (input->bad_lines == MAX_TOLD)
        (void)fprintf(stderr, "telltale: more bad lines are counted and not shown\n");
}

/* Gives a line to visit. False: the pass ends with *status. */
static bool take(struct tt_input *input, const struct tt_lines *lines, struct tt_str line,
                 tt_input_visit *visit, void *context, enum tt_status *status, struct tt_error *err)
{
    if (tt_str_trim(line).len == 0)
        return true;
    input->lines++;
    *status = visit(context, line, err);
    if (*status == TT_OK)
        return true;
    if (tt_status_may_retry(*status))
        return false;
    tell_bad(input, lines, err);
    *status = TT_OK;
    return true;
}

static enum tt_status read_lines(struct tt_input *input, struct tt_lines *lines, const char *what,
                                 tt_input_visit *visit, void *context, struct tt_error *err)
{
    struct tt_str line;
    enum tt_status status;

    for (;;) {
        status = tt_lines_next(lines, &line, err);
        if (status == TT_TOO_LARGE) {
            tell_bad(input, lines, err);
            continue;
        }
        if (status == TT_INVALID_DATA) { /* a broken archive: what was before it counts */
            tell_bad(input, lines, err);
            return TT_OK;
        }
        if (status != TT_OK)
            return status;
        if (line.data == NULL)
            line = tt_lines_rest(lines);
        if (line.data == NULL)
            return TT_OK;
        if (!take(input, lines, line, visit, context, &status, err))
            return status;
        show(input, what, lines);
    }
}

enum tt_status tt_input_pass(struct tt_input *input, const char *what, tt_input_visit *visit,
                             void *context, struct tt_error *err)
{
    enum tt_status status = TT_OK;

    input->lines = input->bad_lines = input->done_bytes = 0;
    input->started_at = tt_clock_monotonic(tt_clock_system());
    input->shown_at = 0;
    for (size_t i = 0; i < input->files.count && status == TT_OK; i++) {
        struct tt_lines *lines;
        struct stat info;
        status = tt_lines_open(input->files.paths[i], MAX_LINE, &lines, err);
        if (status != TT_OK)
            break;
        status = read_lines(input, lines, what, visit, context, err);
        if (stat(input->files.paths[i], &info) == 0)
            input->done_bytes += (uint64_t)info.st_size;
        tt_lines_close(lines);
    }
    clear_progress(input);
    return status;
}
