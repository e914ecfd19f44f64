/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

enum { MAX_TEXT = 1 << 20 };

static int help(const struct tt_args *args)
{
    struct tt_buffer text;
    int code;

    tt_buffer_init(&text, MAX_TEXT);
    if (tt_args_flag(args, "man"))
        tt_help_man(&text);
    else
        tt_help_overview(&text);
    code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return code;
}

static const struct tt_option help_options[] = {
    {.name = "man",
     .type = TT_OPTION_FLAG,
     .doc = "Print the manual page: telltale help --man | man -l -"},
};

extern const struct tt_command tt_command_help;
const struct tt_command tt_command_help = {
    .name = "help",
    .summary = "Print what commands there are, or the manual page.",
    .options = help_options,
    .n_options = TT_LENGTH(help_options),
    .run = help,
};

static int completion(const struct tt_args *args)
{
    const char *shell = tt_args_operand(args, 0);
    struct tt_buffer text;
    int code;

    tt_buffer_init(&text, MAX_TEXT);
    code =
        tt_help_completion(shell, &text)
            ? tt_cli_print(&text)
            : tt_cli_fail(TT_EXIT_USAGE, "completion: \"%s\" is none of: bash, zsh, fish", shell);
    tt_buffer_done(&text);
    return code;
}

extern const struct tt_command tt_command_completion;
const struct tt_command tt_command_completion = {
    .name = "completion",
    .summary = "Print a completion script for bash, zsh or fish.",
    .operands = "SHELL",
    .min_operands = 1,
    .max_operands = 1,
    .run = completion,
};
