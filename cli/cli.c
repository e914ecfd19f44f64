/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/file.h"
#include "base/units.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_GIVEN = 256 };

struct tt_args {
    const struct tt_command *command;
    struct given {
        const struct tt_option *option;
        const char *value; /* NULL: a flag */
    } given[MAX_GIVEN];
    size_t n_given;
    const char *operands[MAX_GIVEN];
    size_t n_operands;
    bool wants_help;
};

/* ---- the table ---- */

#define TT_COMMAND(symbol) extern const struct tt_command tt_command_##symbol;
#include "cli/commands.def"
#undef TT_COMMAND

static const struct tt_command *const commands[] = {
#define TT_COMMAND(symbol) &tt_command_##symbol,
#include "cli/commands.def"
#undef TT_COMMAND
};

const struct tt_command *const *tt_commands(size_t *ret_count)
{
    *ret_count = TT_LENGTH(commands);
    return commands;
}

static const struct tt_option *find_option(const struct tt_command *command, struct tt_str name)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (tt_str_equal(tt_str(command->options[i].name), name))
            return &command->options[i];
    return NULL;
}

/* ---- output ---- */

int tt_cli_fail(int exit_code, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "telltale: %s\n", text);
    return exit_code;
}

int tt_cli_print(const struct tt_buffer *text)
{
    struct tt_error err;

    if (tt_buffer_check(text, "print", &err) != TT_OK ||
        tt_write_all(STDOUT_FILENO, tt_buffer_view(text), &err) != TT_OK)
        return tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    return TT_EXIT_DONE;
}

/* ---- what was given ---- */

static const struct given *last_given(const struct tt_args *args, const char *name)
{
    for (size_t i = args->n_given; i-- > 0;)
        if (tt_str_equal(tt_str(args->given[i].option->name), tt_str(name)))
            return &args->given[i];
    return NULL;
}

bool tt_args_is_given(const struct tt_args *args, const char *name)
{
    return last_given(args, name) != NULL;
}

bool tt_args_flag(const struct tt_args *args, const char *name)
{
    return tt_args_is_given(args, name);
}

const char *tt_args_text(const struct tt_args *args, const char *name)
{
    const struct given *given = last_given(args, name);
    const struct tt_option *option;

    if (given != NULL)
        return given->value;
    option = find_option(args->command, tt_str(name));
    return option == NULL ? NULL : option->def;
}

const char *tt_args_next(const struct tt_args *args, const char *name, size_t *position)
{
    while (*position < args->n_given) {
        const struct given *given = &args->given[(*position)++];
        if (tt_str_equal(tt_str(given->option->name), tt_str(name)))
            return given->value;
    }
    return NULL;
}

uint64_t tt_args_count(const struct tt_args *args, const char *name)
{
    uint64_t value = 0;

    (void)tt_str_to_uint64(tt_str(tt_args_text(args, name)), &value); /* checked when parsed */
    return value;
}

double tt_args_number(const struct tt_args *args, const char *name)
{
    double value;

    /* Checked when parsed. */
    return tt_str_to_double(tt_str(tt_args_text(args, name)), &value) ? value : (double)NAN;
}

tt_dur tt_args_duration(const struct tt_args *args, const char *name)
{
    tt_dur value = 0;

    (void)tt_duration_parse(tt_str(tt_args_text(args, name)), &value); /* checked when parsed */
    return value;
}

static size_t choice_index(const struct tt_option *option, const char *value)
{
    size_t i = 0;

    while (option->choices[i] != NULL && !tt_str_equal(tt_str(option->choices[i]), tt_str(value)))
        i++;
    return i;
}

size_t tt_args_choice(const struct tt_args *args, const char *name)
{
    return choice_index(find_option(args->command, tt_str(name)), tt_args_text(args, name));
}

size_t tt_args_n_operands(const struct tt_args *args)
{
    return args->n_operands;
}

const char *tt_args_operand(const struct tt_args *args, size_t index)
{
    return index < args->n_operands ? args->operands[index] : NULL;
}

/* ---- parsing ---- */

static void list_choices(const struct tt_option *option, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; option->choices[i] != NULL && len < size; i++)
        len +=
            (size_t)snprintf(text + len, size - len, "%s%s", i > 0 ? ", " : "", option->choices[i]);
}

static int check_value(const struct tt_option *option, const char *value)
{
    uint64_t count;
    double number;
    tt_dur duration;
    char choices[256];

    switch (option->type) {
    case TT_OPTION_COUNT:
        if (!tt_str_to_uint64(tt_str(value), &count))
            return tt_cli_fail(TT_EXIT_USAGE, "--%s: \"%s\" is not a count", option->name, value);
        break;
    case TT_OPTION_NUMBER:
        if (!tt_str_to_double(tt_str(value), &number) || !isfinite(number))
            return tt_cli_fail(TT_EXIT_USAGE, "--%s: \"%s\" is not a number", option->name, value);
        break;
    case TT_OPTION_DURATION:
        if (!tt_duration_parse(tt_str(value), &duration) || duration < 0)
            return tt_cli_fail(TT_EXIT_USAGE,
                               "--%s: \"%s\" is not a duration; write e.g. 500ms or 10s",
                               option->name, value);
        break;
    case TT_OPTION_CHOICE:
        if (option->choices[choice_index(option, value)] != NULL)
            break;
        list_choices(option, choices, sizeof(choices));
        return tt_cli_fail(TT_EXIT_USAGE, "--%s: \"%s\" is none of: %s", option->name, value,
                           choices);
    case TT_OPTION_FLAG:
    case TT_OPTION_TEXT:
    case TT_OPTION_FILE:
        break;
    }
    return TT_EXIT_DONE;
}

static int unknown_option(const struct tt_command *command, struct tt_str name)
{
    const char *best = NULL;
    size_t best_distance = 1 + name.len / 3;

    for (size_t i = 0; i < command->n_options; i++) {
        size_t distance = tt_str_distance(name, tt_str(command->options[i].name));
        if (distance > best_distance)
            continue;
        best = command->options[i].name;
        best_distance = distance;
    }
    if (best != NULL)
        return tt_cli_fail(TT_EXIT_USAGE, "%s: unknown option --%.*s; did you mean --%s?",
                           command->name, TT_STR_ARG(name), best);
    return tt_cli_fail(TT_EXIT_USAGE, "%s: unknown option --%.*s; see: telltale %s --help",
                       command->name, TT_STR_ARG(name), command->name);
}

static int add_given(struct tt_args *args, const struct tt_option *option, const char *value)
{
    int code = check_value(option, value);

    if (code != TT_EXIT_DONE)
        return code;
    if (args->n_given == MAX_GIVEN)
        return tt_cli_fail(TT_EXIT_USAGE, "more than %d options", MAX_GIVEN);
    args->given[args->n_given++] = (struct given){.option = option, .value = value};
    return TT_EXIT_DONE;
}

/* argv[*at] is "--name", "--name=value", or "--name" with the value in the next argument. */
static int parse_option(struct tt_args *args, char **argv, int argc, int *at)
{
    struct tt_str text = tt_str(argv[*at] + 2);
    size_t equal = tt_str_find(text, '=');
    struct tt_str name = tt_str_of(text.data, equal);
    const struct tt_option *option = find_option(args->command, name);
    bool has_value = equal < text.len;

    if (option == NULL)
        return unknown_option(args->command, name);
    if (option->type == TT_OPTION_FLAG) {
        if (has_value)
            return tt_cli_fail(TT_EXIT_USAGE, "--%s takes no value", option->name);
        return add_given(args, option, "");
    }
    if (has_value)
        return add_given(args, option, text.data + equal + 1);
    if (*at + 1 >= argc)
        return tt_cli_fail(TT_EXIT_USAGE, "--%s needs a value: %s", option->name, option->argument);
    return add_given(args, option, argv[++*at]);
}

static int check_operands(const struct tt_args *args)
{
    const struct tt_command *command = args->command;

    if (args->n_operands < command->min_operands)
        return tt_cli_fail(TT_EXIT_USAGE, "%s needs %s; see: telltale %s --help", command->name,
                           command->operands, command->name);
    if (args->n_operands > command->max_operands)
        return tt_cli_fail(TT_EXIT_USAGE, "%s: unexpected argument \"%s\"", command->name,
                           args->operands[command->max_operands]);
    return TT_EXIT_DONE;
}

static int parse(struct tt_args *args, int argc, char **argv, int at)
{
    bool only_operands = false;

    for (; at < argc; at++) {
        struct tt_str text = tt_str(argv[at]);
        int code = TT_EXIT_DONE;
        if (!only_operands &&
            (tt_str_equal(text, TT_STR("--help")) || tt_str_equal(text, TT_STR("-h"))))
            args->wants_help = true;
        else if (!only_operands && tt_str_equal(text, TT_STR("--")))
            only_operands = true;
        else if (!only_operands && tt_str_starts_with(text, TT_STR("--")))
            code = parse_option(args, argv, argc, &at);
        else if (args->n_operands == MAX_GIVEN)
            code = tt_cli_fail(TT_EXIT_USAGE, "more than %d arguments", MAX_GIVEN);
        else
            args->operands[args->n_operands++] = argv[at];
        if (code != TT_EXIT_DONE)
            return code;
    }
    return args->wants_help ? TT_EXIT_DONE : check_operands(args);
}

/* ---- choosing the command ---- */

/* Whether the arguments at `at` are the words of name; *ret_words is how many there are. */
static bool words_match(const char *name, int argc, char **argv, int at, int *ret_words)
{
    struct tt_str rest = tt_str(name);
    int words = 0;

    while (rest.data != NULL) {
        struct tt_str word = tt_str_cut(&rest, ' ');
        if (at + words >= argc || !tt_str_equal(word, tt_str(argv[at + words])))
            return false;
        words++;
    }
    *ret_words = words;
    return true;
}

/* False when there is no such command. */
static bool choose(int argc, char **argv, int *at, const struct tt_command **ret_command)
{
    int words = 0;

    *ret_command = commands[0]; /* run */
    if (argc < 2 || argv[1][0] == '-')
        return true;
    for (size_t i = 0; i < TT_LENGTH(commands); i++) {
        if (!words_match(commands[i]->name, argc, argv, 1, &words))
            continue;
        *at += words;
        *ret_command = commands[i];
        return true;
    }
    return false;
}

static int unknown_command(const char *word)
{
    const char *best = NULL;
    size_t best_distance = 1 + strlen(word) / 3;

    for (size_t i = 0; i < TT_LENGTH(commands); i++) {
        size_t distance = tt_str_distance(tt_str(word), tt_str(commands[i]->name));
        struct tt_str first = tt_str(commands[i]->name);
        if (tt_str_equal(tt_str_cut(&first, ' '), tt_str(word)))
            return tt_cli_fail(
                TT_EXIT_USAGE,
                "\"%s\" needs another word, such as telltale %s; see: telltale %s --help", word,
                commands[i]->name, word);
        if (distance > best_distance)
            continue;
        best = commands[i]->name;
        best_distance = distance;
    }
    if (best != NULL)
        return tt_cli_fail(TT_EXIT_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", word,
                           best);
    return tt_cli_fail(TT_EXIT_USAGE, "unknown command \"%s\"; see: telltale --help", word);
}

static int print_help(const struct tt_command *command)
{
    struct tt_buffer text;
    int code;

    tt_buffer_init(&text, 1 << 20);
    if (command == NULL)
        tt_help_overview(&text);
    else
        tt_help_command(command, &text);
    code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return code;
}

static bool in_group(const struct tt_command *command, const char *word)
{
    struct tt_str name = tt_str(command->name);

    return tt_str_equal(tt_str_cut(&name, ' '), tt_str(word)) && name.data != NULL;
}

/* "telltale dataset --help": the commands that begin with that word. False when there are none. */
static bool print_group_help(const char *word, int *ret_code)
{
    struct tt_buffer text;
    bool is_group;

    tt_buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < TT_LENGTH(commands); i++) {
        if (!in_group(commands[i], word))
            continue;
        if (text.len > 0)
            tt_buffer_append_byte(&text, '\n');
        tt_help_command(commands[i], &text);
    }
    is_group = text.len > 0;
    if (is_group)
        *ret_code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return is_group;
}

static int print_version(void)
{
    struct tt_buffer text;
    int code;

    tt_buffer_init(&text, 128);
    tt_buffer_append_str(&text, TT_STR("telltale version " TT_VERSION "\n"));
    code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return code;
}

int tt_cli_main(int argc, char **argv)
{
    struct tt_args *args;
    const struct tt_command *command;
    int at = 1, code;

    if (argc == 2 && (tt_str_equal(tt_str(argv[1]), TT_STR("--version"))))
        return print_version();
    if (argc == 2 && (tt_str_equal(tt_str(argv[1]), TT_STR("--help")) ||
                      tt_str_equal(tt_str(argv[1]), TT_STR("-h"))))
        return print_help(NULL);
    if (!choose(argc, argv, &at, &command)) {
        if (argc == 3 && tt_str_equal(tt_str(argv[2]), TT_STR("--help")) &&
            print_group_help(argv[1], &code))
            return code;
        return unknown_command(argv[1]);
    }
    args = tt_calloc(1, sizeof(*args));
    if (args == NULL)
        return tt_cli_fail(TT_EXIT_FAILED, "out of memory");
    args->command = command;
    code = parse(args, argc, argv, at);
    if (code == TT_EXIT_DONE)
        code = args->wants_help ? print_help(command) : command->run(args);
    tt_free(args);
    return code;
}
