/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int evaluate_series(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "evaluate series: not built yet");
}

extern const struct tt_command tt_command_evaluate_series;
const struct tt_command tt_command_evaluate_series = {
    .name = "evaluate series",
    .summary = "Run the series detector over one series and print what it saw.",
    .run = evaluate_series,
};
