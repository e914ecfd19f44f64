/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_CLI_H
#define TT_CLI_CLI_H

/*
 * The command line, declared once: parsing, --help, the man page and shell completions read the same tables.
 *
 * A command is a const descriptor `tt_command_<symbol>`, listed in cli/commands.def.
 * Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
 * Threads:    main only.
 */

#include "base/buffer.h"
#include "base/clock.h"

enum { TT_EXIT_DONE = 0, TT_EXIT_FAILED = 1, TT_EXIT_USAGE = 2 };

enum tt_option_type {
    TT_OPTION_FLAG,     /* takes no value */
    TT_OPTION_TEXT,     /* may be given repeatedly */
    TT_OPTION_FILE,     /* the same; shells complete file names */
    TT_OPTION_COUNT,    /* 0 and more */
    TT_OPTION_NUMBER,   /* with decimals, finite */
    TT_OPTION_DURATION, /* "10s" */
    TT_OPTION_CHOICE,
};

struct tt_option {
    const char *name;     /* "config": written --config VALUE or --config=VALUE */
    const char *argument; /* "FILE"; NULL for a flag */
    enum tt_option_type type;
    const char *const *choices; /* CHOICE: NULL-ended */
    const char *def;            /* what holds when it is not given; NULL: none */
    const char *doc;            /* one sentence */
};

struct tt_args;

struct tt_command {
    const char *name;     /* "run", "dataset extract" */
    const char *summary;  /* one sentence */
    const char *operands; /* "DIR", "[FILE]…"; NULL: takes none */
    size_t min_operands, max_operands;
    const struct tt_option *options;
    size_t n_options;
    const char *details;                    /* more text for --help and the man page; may be NULL */
    int (*run)(const struct tt_args *args); /* returns the exit code */
};

/* ---- what was given; the name must be in the command's table ---- */

bool tt_args_flag(const struct tt_args *args, const char *name);
/* The last value given, else the default, else NULL. */
const char *tt_args_text(const struct tt_args *args, const char *name);
/* All values of a repeated option: start with *position = 0; NULL at the end. No default. */
const char *tt_args_next(const struct tt_args *args, const char *name, size_t *position);
uint64_t tt_args_count(const struct tt_args *args, const char *name);
/* NaN when it was not given and has no default. */
double tt_args_number(const struct tt_args *args, const char *name);
tt_dur tt_args_duration(const struct tt_args *args, const char *name);
/* Index into choices. */
size_t tt_args_choice(const struct tt_args *args, const char *name);
bool tt_args_is_given(const struct tt_args *args, const char *name);
size_t tt_args_n_operands(const struct tt_args *args);
const char *tt_args_operand(const struct tt_args *args, size_t index);

/* "telltale: message" on standard error; returns exit_code. */
int tt_cli_fail(int exit_code, const char *format, ...) TT_PRINTF(2, 3);
/* Writes to standard output; returns TT_EXIT_DONE, or reports and returns TT_EXIT_FAILED. */
int tt_cli_print(const struct tt_buffer *text);

/* ---- the whole ---- */

const struct tt_command *const *tt_commands(size_t *ret_count);
/* Parses, runs, returns the exit code. */
int tt_cli_main(int argc, char **argv);

/* ---- generated from the tables (help.c) ---- */

void tt_help_overview(struct tt_buffer *out);
void tt_help_command(const struct tt_command *command, struct tt_buffer *out);
void tt_help_man(struct tt_buffer *out);
/* shell: "bash", "zsh", "fish"; false for another. */
bool tt_help_completion(const char *shell, struct tt_buffer *out);

#define TT_VERSION "0.1.0"

#endif
