/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int evaluate_labels(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "evaluate labels: not built yet");
}

extern const struct tt_command tt_command_evaluate_labels;
const struct tt_command tt_command_evaluate_labels = {
    .name = "evaluate labels",
    .summary = "Judge the score columns of a dataset against its label columns.",
    .run = evaluate_labels,
};
