/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/load.h"

static int validate(const struct tt_args *args)
{
    struct tt_settings *settings = tt_load_settings(args);
    int code = settings == NULL ? TT_EXIT_USAGE : TT_EXIT_DONE;

    tt_settings_free(settings);
    return code;
}

static const struct tt_option options[] = {TT_CONFIG_OPTION, TT_SET_OPTION};

extern const struct tt_command tt_command_validate;
const struct tt_command tt_command_validate = {
    .name = "validate",
    .summary = "Check a configuration and say all that is wrong with it.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Loads, merges and checks everything up to the graph of pipelines. Nothing is started; no port, file or "
        "certificate is touched. Silent when all is well; warnings are printed and do not fail. Exit code 2 when "
        "something is wrong.",
    .run = validate,
};
