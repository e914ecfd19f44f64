/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int evaluate_outliers(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "evaluate outliers: not built yet");
}

extern const struct tt_command tt_command_evaluate_outliers;
const struct tt_command tt_command_evaluate_outliers = {
    .name = "evaluate outliers",
    .summary = "Measure how well the isolation forest finds the rows that a label column marks.",
    .run = evaluate_outliers,
};
