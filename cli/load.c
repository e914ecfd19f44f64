/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/load.h"

#include "base/file.h"
#include "pipeline/registry.h"

#include <unistd.h>

enum { MAX_REPORT = 1 << 20 };

struct tt_catalog tt_load_catalog(void)
{
    struct tt_catalog catalog;

    catalog.items = tt_registry(&catalog.count);
    return catalog;
}

static bool merge_variable(struct tt_tree *tree, const char *config, const char *name,
                           struct tt_diags *diags)
{
    const char *text = tt_env_process(NULL, name);

    if (text != NULL)
        return tt_tree_merge_text(tree, config, tt_str(text), tt_env_process, NULL, diags);
    tt_diags_error(diags, (struct tt_mark){.file = config}, "", "the variable is not set");
    return false;
}

/* A path, or one of otelcol's forms: file:PATH, env:VARIABLE (a whole document in it), yaml:TEXT. */
static bool merge_config(struct tt_tree *tree, const char *config, struct tt_diags *diags)
{
    static const struct tt_str file = {"file:", 5}, env = {"env:", 4}, yaml = {"yaml:", 5};
    struct tt_str text = tt_str(config);

    if (tt_str_starts_with(text, env))
        return merge_variable(tree, config, config + env.len, diags);
    if (tt_str_starts_with(text, yaml))
        return tt_tree_merge_text(tree, "--config yaml",
                                  tt_str_of(config + yaml.len, text.len - yaml.len), tt_env_process,
                                  NULL, diags);
    if (tt_str_starts_with(text, TT_STR("http:")) || tt_str_starts_with(text, TT_STR("https:"))) {
        tt_diags_error(diags, (struct tt_mark){.file = config}, "",
                       "is not fetched; fetch it to a file first");
        return false;
    }
    return tt_tree_merge_file(tree, tt_str_starts_with(text, file) ? config + file.len : config,
                              tt_env_process, NULL, diags);
}

static bool merge_files(const struct tt_args *args, struct tt_tree *tree, struct tt_diags *diags)
{
    size_t position = 0;
    const char *value;
    bool is_good = true;

    if (!tt_args_is_given(args, "config"))
        return tt_tree_merge_text(tree, "built-in configuration", tt_str(tt_default_config()),
                                  tt_env_process, NULL, diags);
    while ((value = tt_args_next(args, "config", &position)) != NULL)
        is_good &= merge_config(tree, value, diags);
    return is_good;
}

static bool merge_settings(const struct tt_args *args, struct tt_tree *tree, struct tt_diags *diags)
{
    size_t position = 0;
    const char *value;
    bool is_good = true;

    while ((value = tt_args_next(args, "set", &position)) != NULL)
        is_good &= tt_tree_merge_setting(tree, value, tt_env_process, NULL, diags);
    return is_good;
}

void tt_load_report(const struct tt_diags *diags)
{
    struct tt_buffer text;
    struct tt_error err;

    tt_buffer_init(&text, MAX_REPORT);
    tt_diags_print(diags, &text);
    if (tt_write_all(STDERR_FILENO, tt_buffer_view(&text), &err) != TT_OK)
        (void)tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_buffer_done(&text);
}

struct tt_settings *tt_load_settings(const struct tt_args *args)
{
    struct tt_catalog catalog = tt_load_catalog();
    struct tt_tree *tree = tt_tree_new();
    struct tt_settings *settings = NULL;
    struct tt_diags diags;
    bool is_good = tree != NULL;

    tt_diags_init(&diags);
    if (is_good) {
        is_good = merge_files(args, tree, &diags);
        is_good &= merge_settings(args, tree, &diags);
    } else {
        tt_diags_error(&diags, (struct tt_mark){0}, "", "out of memory");
    }
    if (is_good)
        settings = tt_settings_read(tree, &catalog, &diags);
    tt_load_report(&diags);
    tt_diags_done(&diags);
    if (settings == NULL)
        tt_tree_free(tree);
    return settings;
}
