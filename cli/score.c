/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int score(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "score: not built yet");
}

extern const struct tt_command tt_command_score;
const struct tt_command tt_command_score = {
    .name = "score",
    .summary = "Score the rows of a CSV file with a trained model.",
    .run = score,
};
