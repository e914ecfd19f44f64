/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

static int evaluate_nab(const struct tt_args *args)
{
    (void)args;
    return tt_cli_fail(TT_EXIT_FAILED, "evaluate nab: not built yet");
}

extern const struct tt_command tt_command_evaluate_nab;
const struct tt_command tt_command_evaluate_nab = {
    .name = "evaluate nab",
    .summary = "Judge the series detector by the Numenta Anomaly Benchmark.",
    .run = evaluate_nab,
};
