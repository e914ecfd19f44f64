/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/load.h"
#include "config/print.h"

enum { MAX_TEXT = 16 << 20 };

static const char *const modes[] = {"redacted", "unredacted", NULL};
static const char *const formats[] = {"yaml", "json", NULL};

static void print_components(struct tt_writer *w, const struct tt_settings *settings,
                             enum tt_kind kind, enum tt_print_secrets secrets)
{
    if (settings->n_components[kind] == 0)
        return;
    tt_writer_key(w, tt_str(tt_kind_section(kind)));
    tt_writer_map_begin(w);
    for (size_t i = 0; i < settings->n_components[kind]; i++) {
        const struct tt_component_settings *component = &settings->components[kind][i];
        tt_writer_key(w, tt_str(component->id));
        tt_print_config(w, component->component->schema, component->config, secrets);
    }
    tt_writer_map_end(w);
}

static void print_references(struct tt_writer *w, const char *key,
                             const struct tt_reference_list *list)
{
    tt_writer_key(w, tt_str(key));
    tt_writer_list_begin(w);
    for (size_t i = 0; i < list->count; i++)
        tt_writer_text(w, tt_str(list->items[i].target->id), false);
    tt_writer_list_end(w);
}

/* The service's own options; its lists are printed from what they were resolved to. */
static void print_service_options(struct tt_writer *w, const struct tt_service_settings *service,
                                  enum tt_print_secrets secrets)
{
    const struct tt_field *telemetry = tt_schema_find(&tt_service_schema, TT_STR("telemetry"));
    char text[32];

    tt_writer_key(w, TT_STR("telemetry"));
    tt_print_config(w, telemetry->sub, &service->telemetry, secrets);
    tt_writer_key(w, TT_STR("shutdown_timeout"));
    tt_writer_plain(w, tt_str_of(text, tt_duration_format(service->shutdown_timeout, text)));
    tt_writer_key(w, TT_STR("memory_budget"));
    tt_writer_plain(w, tt_str_of(text, tt_size_format(service->memory_budget, text)));
}

static void print_service(struct tt_writer *w, const struct tt_settings *settings,
                          enum tt_print_secrets secrets)
{
    tt_writer_key(w, TT_STR("service"));
    tt_writer_map_begin(w);
    print_service_options(w, &settings->service, secrets);
    print_references(w, "extensions", &settings->extensions);
    tt_writer_key(w, TT_STR("pipelines"));
    tt_writer_map_begin(w);
    for (size_t i = 0; i < settings->n_pipelines; i++) {
        const struct tt_pipeline_settings *pipeline = &settings->pipelines[i];
        tt_writer_key(w, tt_str(pipeline->id));
        tt_writer_map_begin(w);
        print_references(w, "receivers", &pipeline->receivers);
        print_references(w, "processors", &pipeline->processors);
        print_references(w, "exporters", &pipeline->exporters);
        tt_writer_map_end(w);
    }
    tt_writer_map_end(w);
    tt_writer_map_end(w);
}

static int print_settings(const struct tt_args *args, const struct tt_settings *settings)
{
    enum tt_print_secrets secrets =
        tt_args_choice(args, "mode") == 0 ? TT_PRINT_REDACTED : TT_PRINT_SECRETS;
    struct tt_buffer text;
    struct tt_writer w;
    int code;

    tt_buffer_init(&text, MAX_TEXT);
    tt_writer_init(&w, &text,
                   tt_args_choice(args, "format") == 0 ? TT_FORMAT_YAML : TT_FORMAT_JSON);
    tt_writer_map_begin(&w);
    for (unsigned kind = 0; kind < TT_KIND_COUNT; kind++)
        print_components(&w, settings, (enum tt_kind)kind, secrets);
    print_service(&w, settings, secrets);
    tt_writer_map_end(&w);
    tt_writer_end(&w);
    code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return code;
}

static int print_config(const struct tt_args *args)
{
    struct tt_settings *settings = tt_load_settings(args);
    int code = settings == NULL ? TT_EXIT_USAGE : print_settings(args, settings);

    tt_settings_free(settings);
    return code;
}

static const struct tt_option options[] = {
    TT_CONFIG_OPTION,
    TT_SET_OPTION,
    {.name = "mode",
     .argument = "MODE",
     .type = TT_OPTION_CHOICE,
     .choices = modes,
     .def = "redacted",
     .doc = "Whether secrets are shown."},
    {.name = "format",
     .argument = "FORMAT",
     .type = TT_OPTION_CHOICE,
     .choices = formats,
     .def = "yaml",
     .doc = "How it is written."},
};

extern const struct tt_command tt_command_print_config;
const struct tt_command tt_command_print_config = {
    .name = "print-config",
    .summary = "Print the configuration that would run: merged, expanded, with all defaults.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .run = print_config,
};
