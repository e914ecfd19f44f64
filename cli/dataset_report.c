/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/report.h"

#define MAX_REPORT ((size_t)64 << 20)

static int print(struct tt_report *report, const struct tt_args *args)
{
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, MAX_REPORT);
    if (tt_args_flag(args, "json"))
        tt_report_put_json(report, &out);
    else
        tt_report_put_text(report, &out);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code;
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
