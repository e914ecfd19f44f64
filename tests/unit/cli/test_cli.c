/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "tt_test.h"

/* What must hold for every command there is; parsing itself is driven by check_commands.sh. */

static void every_option_has_what_its_type_needs(void **state)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < commands[i]->n_options; j++) {
            const struct tt_option *option = &commands[i]->options[j];
            bool is_flag = option->type == TT_OPTION_FLAG;
            if ((option->argument == NULL) != is_flag ||
                (option->choices != NULL) != (option->type == TT_OPTION_CHOICE) ||
                option->doc == NULL || strlen(option->doc) < 10)
                fail_msg("%s --%s is incomplete", commands[i]->name, option->name);
        }
        assert_non_null(commands[i]->run);
        assert_true((commands[i]->operands != NULL) == (commands[i]->max_operands > 0));
    }
}

static void names_are_unique(void **state)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(commands[i]->name, commands[j]->name);
        for (size_t j = 0; j < commands[i]->n_options; j++)
            for (size_t k = 0; k < j; k++)
                assert_string_not_equal(commands[i]->options[j].name, commands[i]->options[k].name);
    }
    assert_string_equal(commands[0]->name, "run"); /* what happens without a command */
}

static void help_has_no_line_over_80_columns(void **state)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct tt_buffer text;
        struct tt_str rest;
        tt_buffer_init(&text, 1 << 20);
        tt_help_command(commands[i], &text);
        assert_int_equal(text.failed, TT_OK);
        for (rest = tt_buffer_view(&text); rest.data != NULL;) {
            struct tt_str line = tt_str_cut(&rest, '\n');
            assert_true(line.len <= 80);
            assert_true(line.len == 0 || line.data[line.len - 1] != ' ');
        }
        tt_buffer_done(&text);
    }
}

static void every_option_is_in_all_generated_texts(void **state)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);
    struct tt_buffer texts[TT_LENGTH(shells)];

    (void)state;
    for (size_t s = 0; s < TT_LENGTH(shells); s++) {
        tt_buffer_init(&texts[s], 1 << 20);
        assert_true(tt_help_completion(shells[s], &texts[s]));
        tt_buffer_append_byte(&texts[s], '\0');
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < commands[i]->n_options; j++)
                if (strstr(texts[s].data, commands[i]->options[j].name) == NULL)
                    fail_msg("%s: no --%s", shells[s], commands[i]->options[j].name);
        tt_buffer_done(&texts[s]);
    }
    assert_false(tt_help_completion("tcsh", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_what_its_type_needs),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(help_has_no_line_over_80_columns),
        cmocka_unit_test(every_option_is_in_all_generated_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
