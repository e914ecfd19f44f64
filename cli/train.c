/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int train(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "train: not built yet");
}

extern const struct tt_command tt_command_train;
const struct tt_command tt_command_train = {
    .name = "train",
    .summary = "Train an isolation forest on CSV files.",
    .run = train,
};
