/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

/* Everything here is generated from the command tables: the texts cannot differ from what is parsed. */

static const struct tt_option help_option = {
    .name = "help", .type = TT_OPTION_FLAG, .doc = "Print this text."};

/* ---- plain text ---- */

static size_t option_label(const struct tt_option *option, char text[96])
{
    int len = option->argument == NULL
                  ? snprintf(text, 96, "--%s", option->name)
                  : snprintf(text, 96, "--%s %s", option->name, option->argument);

    return (size_t)len;
}

static void append_choices(const struct tt_option *option, struct tt_buffer *out)
{
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
        tt_buffer_printf(out, "%s%s", i == 0 ? " One of: " : ", ", option->choices[i]);
    if (option->choices != NULL)
        tt_buffer_append_byte(out, '.');
    if (option->def != NULL)
        tt_buffer_printf(out, " Default: %s.", option->def);
}

/* Words of text in lines of at most 78 characters, each after the first begun with `indent` blanks. */
static void append_wrapped(struct tt_str text, size_t indent, struct tt_buffer *out)
{
    size_t at = indent;

    while (text.data != NULL) {
        struct tt_str word = tt_str_cut(&text, ' ');
        if (at > indent && at + 1 + word.len > 78) {
            tt_buffer_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            tt_buffer_append_byte(out, ' ');
            at++;
        }
        tt_buffer_append_str(out, word);
        at += word.len;
    }
    tt_buffer_append_byte(out, '\n');
}

static void append_option(const struct tt_option *option, struct tt_buffer *out)
{
    enum { INDENT = 26 };
    char label[96];
    size_t len = option_label(option, label);
    struct tt_buffer text;

    tt_buffer_printf(out, "  %s%*s", label, len + 4 > INDENT ? 0 : (int)(INDENT - 2 - len), "");
    if (len + 4 > INDENT)
        tt_buffer_printf(out, "\n%*s", INDENT, "");
    tt_buffer_init(&text, 4096);
    tt_buffer_append_str(&text, tt_str(option->doc));
    append_choices(option, &text);
    append_wrapped(tt_buffer_view(&text), INDENT, out);
    tt_buffer_done(&text);
}

void tt_help_overview(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(
        out,
        TT_STR(
            "Telltale receives telemetry, labels what was recorded while something was wrong, and "
            "writes\ndatasets to train on.\n\nUsage: telltale [COMMAND] [OPTION]…\n\nCommands:\n"));
    for (size_t i = 0; i < count; i++) {
        tt_buffer_printf(out, "  %-20s", commands[i]->name);
        append_wrapped(tt_str(commands[i]->summary), 22, out);
    }
    tt_buffer_append_str(
        out, TT_STR("\nWithout a command: run. Options of a command: telltale COMMAND --help\n"
                    "Others: --help, --version. Exit codes: 0 done, 1 failed, 2 wrong usage or "
                    "configuration.\n"));
}

void tt_help_command(const struct tt_command *command, struct tt_buffer *out)
{
    tt_buffer_printf(out, "Usage: telltale %s [OPTION]…%s%s\n\n", command->name,
                     command->operands != NULL ? " " : "",
                     command->operands != NULL ? command->operands : "");
    append_wrapped(tt_str(command->summary), 0, out);
    if (command->details != NULL) {
        tt_buffer_append_byte(out, '\n');
        append_wrapped(tt_str(command->details), 0, out);
    }
    tt_buffer_append_str(out, TT_STR("\nOptions:\n"));
    for (size_t i = 0; i < command->n_options; i++)
        append_option(&command->options[i], out);
    append_option(&help_option, out);
}

/* ---- man page (man(7)) ---- */

/* Text for roff: a hyphen must stay one, a line must not begin with a control character, and "…" is one that groff
 * cannot show where the locale has no UTF-8. */
static void append_roff(struct tt_str text, struct tt_buffer *out)
{
    const struct tt_str ellipsis = TT_STR("…");

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (tt_str_starts_with(tt_str_of(text.data + i, text.len - i), ellipsis)) {
            tt_buffer_append_str(out, TT_STR("..."));
            i += ellipsis.len - 1;
            continue;
        }
        if (c == '-' || c == '\\')
            tt_buffer_append_byte(out, '\\');
        if ((c == '.' || c == '\'') && (i == 0 || text.data[i - 1] == '\n'))
            tt_buffer_append_str(out, TT_STR("\\&"));
        tt_buffer_append_byte(out, c);
    }
}

static void man_option(const struct tt_option *option, struct tt_buffer *out)
{
    char label[96];
    struct tt_buffer text;

    tt_buffer_append_str(out, TT_STR(".TP\n.B "));
    append_roff(tt_str_of(label, option_label(option, label)), out);
    tt_buffer_append_byte(out, '\n');
    tt_buffer_init(&text, 4096);
    tt_buffer_append_str(&text, tt_str(option->doc));
    append_choices(option, &text);
    append_roff(tt_buffer_view(&text), out);
    tt_buffer_append_byte(out, '\n');
    tt_buffer_done(&text);
}

static void man_command(const struct tt_command *command, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR(".SS \"telltale "));
    append_roff(tt_str(command->name), out);
    tt_buffer_append_str(out, TT_STR(" [OPTION]..."));
    if (command->operands != NULL) {
        tt_buffer_append_byte(out, ' ');
        append_roff(tt_str(command->operands), out);
    }
    tt_buffer_append_str(out, TT_STR("\"\n"));
    append_roff(tt_str(command->summary), out);
    tt_buffer_append_byte(out, '\n');
    if (command->details != NULL) {
        tt_buffer_append_str(out, TT_STR(".PP\n"));
        append_roff(tt_str(command->details), out);
        tt_buffer_append_byte(out, '\n');
    }
    for (size_t i = 0; i < command->n_options; i++)
        man_option(&command->options[i], out);
}

void tt_help_man(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(
        out, TT_STR(".TH TELLTALE 1 \"\" \"telltale " TT_VERSION "\" \"User Commands\"\n"
                    ".SH NAME\ntelltale \\- telemetry in, labelled datasets out\n"
                    ".SH SYNOPSIS\n.B telltale\n[COMMAND] [OPTION]...\n"
                    ".SH DESCRIPTION\n"
                    "Telltale takes OTLP in, finds out which of it was recorded while something "
                    "was wrong, and writes labelled datasets. A YAML file wires receivers, "
                    "processors and exporters, as in the OpenTelemetry Collector.\n"
                    ".SH COMMANDS\n"));
    for (size_t i = 0; i < count; i++)
        man_command(commands[i], out);
    tt_buffer_append_str(
        out,
        TT_STR(".SH SIGNALS\n"
               ".TP\n.B SIGTERM, SIGINT\nStop in order, within service.shutdown_timeout; a second "
               "one ends the program at once.\n"
               ".TP\n.B SIGHUP\nRead the configuration again and apply what may change while "
               "running.\n"
               ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage or configuration.\n"));
}

/* ---- shell completions ---- */

static void append_words(const char *const *words, struct tt_buffer *out)
{
    for (size_t i = 0; words[i] != NULL; i++)
        tt_buffer_printf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

/* "dataset extract" is matched as two words: the first of the command line, then the second. */
static void bash_command(const struct tt_command *command, struct tt_buffer *out)
{
    tt_buffer_printf(out, "    '%s')\n        case $previous in\n", command->name);
    for (size_t i = 0; i < command->n_options; i++) {
        const struct tt_option *option = &command->options[i];
        if (option->type == TT_OPTION_FLAG)
            continue;
        tt_buffer_printf(out, "        --%s) COMPREPLY=(", option->name);
        if (option->type == TT_OPTION_FILE)
            tt_buffer_append_str(out, TT_STR("$(compgen -f -- \"$current\")"));
        if (option->type == TT_OPTION_CHOICE) {
            tt_buffer_append_str(out, TT_STR("$(compgen -W '"));
            append_words(option->choices, out);
            tt_buffer_append_str(out, TT_STR("' -- \"$current\")"));
        }
        tt_buffer_append_str(out, TT_STR("); return ;;\n"));
    }
    tt_buffer_append_str(out, TT_STR("        esac\n        words='--help"));
    for (size_t i = 0; i < command->n_options; i++)
        tt_buffer_printf(out, " --%s", command->options[i].name);
    tt_buffer_append_str(out, TT_STR("' ;;\n"));
}

static void append_first_words(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);
    struct tt_str last = {NULL, 0};

    for (size_t i = 0; i < count; i++) {
        struct tt_str name = tt_str(commands[i]->name);
        struct tt_str first = tt_str_cut(&name, ' ');
        if (!tt_str_equal(first, last))
            tt_buffer_printf(out, " %.*s", TT_STR_ARG(first));
        last = first;
    }
}

static void bash_second_words(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    for (size_t i = 0; i < count; i++) {
        struct tt_str second = tt_str(commands[i]->name);
        struct tt_str first = tt_str_cut(&second, ' ');
        if (second.data != NULL)
            tt_buffer_printf(out, "    %.*s) words+=' %.*s' ;;&\n", TT_STR_ARG(first),
                             TT_STR_ARG(second));
    }
}

static void complete_bash(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(
        out,
        TT_STR(
            "# bash completion for telltale; source it, or put it into\n"
            "# /usr/share/bash-completion/completions/telltale\n"
            "_telltale() {\n"
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
            "    local command=${COMP_WORDS[1]}\n"
            "    COMPREPLY=()\n"
            "    case $command in -*|'') command=run ;; esac\n"
            "    case \"$command ${COMP_WORDS[2]}\" in\n"));
    for (size_t i = 0; i < count; i++)
        if (tt_str_find(tt_str(commands[i]->name), ' ') < strlen(commands[i]->name))
            tt_buffer_printf(out, "    '%s') command='%s' ;;\n", commands[i]->name,
                             commands[i]->name);
    tt_buffer_append_str(out, TT_STR("    esac\n    case $command in\n"));
    for (size_t i = 0; i < count; i++)
        bash_command(commands[i], out);
    bash_second_words(out);
    tt_buffer_append_str(out,
                         TT_STR("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"$words"));
    append_first_words(out);
    tt_buffer_append_str(out, TT_STR(" --version\"; fi\n"
                                     "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                                     "}\ncomplete -F _telltale telltale\n"));
}

/* Quotes for zsh and fish: inside '…', with ' and the brackets of zsh's specs taken out of the way. */
static void append_quoted(const char *text, struct tt_buffer *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            tt_buffer_append_str(out, TT_STR("'\\''"));
        else if (*text == '[' || *text == ']' || *text == ':')
            tt_buffer_printf(out, "\\%c", *text);
        else
            tt_buffer_append_byte(out, *text);
    }
}

static void zsh_option(const struct tt_option *option, struct tt_buffer *out)
{
    tt_buffer_printf(out, " \\\n            '*--%s[", option->name);
    append_quoted(option->doc, out);
    tt_buffer_append_byte(out, ']');
    if (option->type != TT_OPTION_FLAG) {
        tt_buffer_append_byte(out, ':');
        append_quoted(option->argument, out);
        tt_buffer_append_byte(out, ':');
    }
    if (option->type == TT_OPTION_FILE)
        tt_buffer_append_str(out, TT_STR("_files"));
    if (option->type == TT_OPTION_CHOICE) {
        tt_buffer_append_byte(out, '(');
        append_words(option->choices, out);
        tt_buffer_append_byte(out, ')');
    }
    tt_buffer_append_byte(out, '\'');
}

static void complete_zsh(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(out, TT_STR("#compdef telltale\n"
                                     "_telltale() {\n"
                                     "    local -a commands=(\n"));
    for (size_t i = 0; i < count; i++) {
        tt_buffer_printf(out, "        '%s:", commands[i]->name);
        append_quoted(commands[i]->summary, out);
        tt_buffer_append_str(out, TT_STR("'\n"));
    }
    tt_buffer_append_str(out, TT_STR("    )\n    local command=\"${words[2]}\"\n"
                                     "    [[ $command == -* ]] && command=run\n"
                                     "    case \"$command ${words[3]}\" in\n"));
    for (size_t i = 0; i < count; i++)
        if (tt_str_find(tt_str(commands[i]->name), ' ') < strlen(commands[i]->name))
            tt_buffer_printf(out, "        '%s') command='%s' ;;\n", commands[i]->name,
                             commands[i]->name);
    tt_buffer_append_str(out, TT_STR("    esac\n"
                                     "    if (( CURRENT == 2 )) && [[ ${words[2]} != -* ]]; then\n"
                                     "        _describe command commands\n        return\n    fi\n"
                                     "    case $command in\n"));
    for (size_t i = 0; i < count; i++) {
        tt_buffer_printf(out, "        '%s') _arguments", commands[i]->name);
        for (size_t j = 0; j < commands[i]->n_options; j++)
            zsh_option(&commands[i]->options[j], out);
        tt_buffer_append_str(out,
                             TT_STR(" \\\n            '--help[Print help.]' '*:file:_files' ;;\n"));
    }
    tt_buffer_append_str(out, TT_STR("    esac\n}\n_telltale \"$@\"\n"));
}

static void append_fish_quoted(const char *text, struct tt_buffer *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            tt_buffer_append_byte(out, '\\');
        tt_buffer_append_byte(out, *text);
    }
}

static void fish_option(const struct tt_command *command, const struct tt_option *option,
                        struct tt_buffer *out)
{
    struct tt_str rest = tt_str(command->name);

    tt_buffer_append_str(out, TT_STR("complete -c telltale -n '"));
    for (const char *separator = ""; rest.data != NULL; separator = "; and ") {
        struct tt_str word = tt_str_cut(&rest, ' ');
        tt_buffer_printf(out, "%s__fish_seen_subcommand_from %.*s", separator, TT_STR_ARG(word));
    }
    tt_buffer_printf(out, "' -l %s", option->name);
    if (option->type != TT_OPTION_FLAG)
        tt_buffer_append_str(out,
                             option->type == TT_OPTION_FILE ? TT_STR(" -r -F") : TT_STR(" -x"));
    if (option->type == TT_OPTION_CHOICE) {
        tt_buffer_append_str(out, TT_STR(" -a '"));
        append_words(option->choices, out);
        tt_buffer_append_byte(out, '\'');
    }
    tt_buffer_append_str(out, TT_STR(" -d '"));
    append_fish_quoted(option->doc, out);
    tt_buffer_append_str(out, TT_STR("'\n"));
}

static void complete_fish(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(out, TT_STR("# fish completion for telltale\n"));
    for (size_t i = 0; i < count; i++) {
        struct tt_str second = tt_str(commands[i]->name);
        struct tt_str first = tt_str_cut(&second, ' ');
        if (second.data == NULL) {
            tt_buffer_printf(out, "complete -c telltale -f -n __fish_use_subcommand -a %.*s -d '",
                             TT_STR_ARG(first));
        } else {
            tt_buffer_printf(out, "complete -c telltale -f -n __fish_use_subcommand -a %.*s\n",
                             TT_STR_ARG(first));
            tt_buffer_printf(
                out, "complete -c telltale -f -n '__fish_seen_subcommand_from %.*s' -a %.*s -d '",
                TT_STR_ARG(first), TT_STR_ARG(second));
        }
        append_fish_quoted(commands[i]->summary, out);
        tt_buffer_append_str(out, TT_STR("'\n"));
        for (size_t j = 0; j < commands[i]->n_options; j++)
            fish_option(commands[i], &commands[i]->options[j], out);
    }
}

bool tt_help_completion(const char *shell, struct tt_buffer *out)
{
    static const struct {
        const char *shell;
        void (*complete)(struct tt_buffer *);
    } shells[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};

    for (size_t i = 0; i < TT_LENGTH(shells); i++) {
        if (!tt_str_equal(tt_str(shells[i].shell), tt_str(shell)))
            continue;
        shells[i].complete(out);
        return true;
    }
    return false;
}
