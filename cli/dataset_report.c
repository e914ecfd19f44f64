/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/report.h"

#include <fcntl.h>
#include <unistd.h>

#define MAX_REPORT ((size_t)64 << 20)

static int write_page(struct tt_report *report, const char *path)
{
    struct tt_buffer page;
    struct tt_error err;
    enum tt_status status;
    int fd;

    tt_buffer_init(&page, MAX_REPORT);
    tt_report_put_html(report, &page);
    status = tt_buffer_check(&page, "write the page", &err);
    if (status == TT_OK) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        status = fd < 0 ? tt_fail_errno(&err, "open %s", path)
                        : tt_write_all(fd, tt_buffer_view(&page), &err);
        if (fd >= 0 && close(fd) != 0 && status == TT_OK)
            status = tt_fail_errno(&err, "write %s", path);
    }
    tt_buffer_done(&page);
    return status == TT_OK ? TT_EXIT_DONE : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
}

static int print(struct tt_report *report, const struct tt_args *args)
{
    const char *page = tt_args_text(args, "html");
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, MAX_REPORT);
    if (tt_args_flag(args, "json"))
        tt_report_put_json(report, &out);
    else
        tt_report_put_text(report, &out);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code == TT_EXIT_DONE && page != NULL ? write_page(report, page) : code;
}

static int dataset_report(const struct tt_args *args)
{
    const char *path = tt_args_operand(args, 0);
    struct tt_stats stats;
    struct tt_report report = {.stats = NULL};
    struct tt_error err;
    enum tt_status status = tt_stats_read(&stats, path, &err);
    int code;

    if (status == TT_OK)
        status = tt_report_make(&report, &stats, path, &err);
    code = status == TT_OK ? print(&report, args) : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_report_done(&report);
    tt_stats_done(&stats);
    return code;
}

static const struct tt_option options[] = {
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object instead of text."},
    {.name = "html",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "Also write a page with charts: one file, without scripts, that loads nothing."},
};

extern const struct tt_command tt_command_dataset_report;
const struct tt_command tt_command_dataset_report = {
    .name = "dataset report",
    .summary = "Say whether a dataset is fit to train on, and why.",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Reads the finished labeled files of DIR (all sets), or one file: what they hold, whether each fault shows in the service it "
        "breaks, which columns give the label away, what a threshold on durations reaches, what is missing and probably why. A run.json in "
        "DIR says what was recorded (docs/datasets.md).",
    .run = dataset_report,
};
