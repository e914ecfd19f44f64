/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOAD_H
#define TT_CLI_LOAD_H

/* From --config and --set to checked settings; shared by the commands that take them. One thread. */

#include "cli/cli.h"
#include "pipeline/settings.h"

#define TT_CONFIG_OPTION                                                                   \
    {                                                                                      \
        .name = "config", .argument = "FILE", .type = TT_OPTION_FILE,                      \
        .doc = "Read the configuration from FILE; repeated, later files are merged over "  \
               "earlier ones. FILE may be env:VARIABLE or yaml:TEXT, too. Without it the " \
               "built-in configuration is used (print-config)."                            \
    }
#define TT_SET_OPTION                                                                           \
    {                                                                                           \
        .name = "set", .argument = "KEY=VALUE", .type = TT_OPTION_TEXT,                         \
        .doc = "Set one key, exporters.file.path=/tmp/x say, after all files; may be repeated." \
    }

/* The components that are compiled in. */
struct tt_catalog tt_load_catalog(void);
/* The built-in configuration, YAML. */
const char *tt_default_config(void);
/* Checked settings; NULL when something is wrong. Problems and warnings are printed to standard error. */
struct tt_settings *tt_load_settings(const struct tt_args *args) TT_CHECKED;
/* Prints all problems to standard error, while the trees they point into are alive. */
void tt_load_report(const struct tt_diags *diags);

#endif
