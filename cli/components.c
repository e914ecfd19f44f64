/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "cli/load.h"
#include "config/docgen.h"
#include "config/writer.h"
#include "pipeline/registry.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_TEXT = 1 << 20 };

static const char *const stabilities[] = {"development", "alpha", "beta", "stable"};

/* ---- list ---- */

static void print_signals(struct tt_writer *w, const struct tt_component *component)
{
    tt_writer_key(w, TT_STR("stability"));
    tt_writer_map_begin(w);
    if (component->signals == 0) {
        tt_writer_key(w, TT_STR("extension"));
        tt_writer_text(w, tt_str(stabilities[component->stability]), false);
    }
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (!tt_has_signal(component->signals, i))
            continue;
        tt_writer_key(w, tt_str(tt_signal_name(tt_signal_at(i))));
        tt_writer_text(w, tt_str(stabilities[component->stability]), false);
    }
    tt_writer_map_end(w);
}

static void print_component(struct tt_writer *w, const struct tt_component *component)
{
    tt_writer_map_begin(w);
    tt_writer_key(w, TT_STR("name"));
    tt_writer_text(w, tt_str(component->type), false);
    tt_writer_key(w, TT_STR("description"));
    tt_writer_text(w, tt_str(component->doc), false);
    print_signals(w, component);
    tt_writer_map_end(w);
}

static void print_kind(struct tt_writer *w, enum tt_kind kind)
{
    struct tt_catalog catalog = tt_load_catalog();

    tt_writer_key(w, tt_str(tt_kind_section(kind)));
    tt_writer_list_begin(w);
    for (size_t i = 0; i < catalog.count; i++)
        if (catalog.items[i]->kind == kind)
            print_component(w, catalog.items[i]);
    tt_writer_list_end(w);
}

static void print_build(struct tt_writer *w)
{
    tt_writer_key(w, TT_STR("buildinfo"));
    tt_writer_map_begin(w);
    tt_writer_key(w, TT_STR("command"));
    tt_writer_text(w, TT_STR("telltale"), false);
    tt_writer_key(w, TT_STR("version"));
    tt_writer_text(w, TT_STR(TT_VERSION), false);
    tt_writer_map_end(w);
}

static int list_components(bool as_json)
{
    struct tt_buffer text;
    struct tt_writer w;
    int code;

    tt_buffer_init(&text, MAX_TEXT);
    tt_writer_init(&w, &text, as_json ? TT_FORMAT_JSON : TT_FORMAT_YAML);
    tt_writer_map_begin(&w);
    print_build(&w);
    for (unsigned kind = 0; kind < TT_KIND_COUNT; kind++)
        print_kind(&w, (enum tt_kind)kind);
    tt_writer_map_end(&w);
    tt_writer_end(&w);
    code = tt_cli_print(&text);
    tt_buffer_done(&text);
    return code;
}

/* ---- reference documentation ---- */

static void doc_signals(const struct tt_component *component, struct tt_buffer *out)
{
    const char *separator = " · signals: ";

    tt_buffer_printf(out, "Stability: %s", stabilities[component->stability]);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (!tt_has_signal(component->signals, i))
            continue;
        tt_buffer_printf(out, "%s%s", separator, tt_signal_name(tt_signal_at(i)));
        separator = ", ";
    }
    tt_buffer_append_str(out, TT_STR("\n\n"));
}

static void doc_columns(const struct tt_component *component, struct tt_buffer *out)
{
    static const char *const types[] = {"number", "integer", "text"};

    if (component->columns == NULL || component->columns[0] == NULL)
        return;
    tt_buffer_append_str(
        out, TT_STR("\n## Columns it adds\n\n| column | type | meaning |\n|---|---|---|\n"));
    for (size_t i = 0; component->columns[i] != NULL; i++)
        tt_buffer_printf(out, "| `%s` | %s | %s |\n", component->columns[i]->name,
                         types[component->columns[i]->type], component->columns[i]->doc);
}

static void doc_meters(const struct tt_component *component, struct tt_buffer *out)
{
    static const char *const kinds[] = {"counter", "gauge"};

    if (component->meters == NULL || component->meters[0].name == NULL)
        return;
    tt_buffer_append_str(
        out,
        TT_STR(
            "\n## Metrics of its own\n\n| metric | kind | unit | meaning |\n|---|---|---|---|\n"));
    for (const struct tt_meter_desc *meter = component->meters; meter->name != NULL; meter++)
        tt_buffer_printf(out, "| `%s` | %s | %s | %s |\n", meter->name, kinds[meter->kind],
                         meter->unit, meter->doc);
}

static void doc_component(const struct tt_component *component, struct tt_buffer *out)
{
    tt_buffer_printf(out, "# %s %s\n\n%s\n\n", component->type, tt_kind_name(component->kind),
                     component->doc);
    doc_signals(component, out);
    tt_buffer_printf(out, "More: [%s/%s/README.md](../../%s/%s/README.md)\n\n## Options\n\n",
                     tt_kind_section(component->kind), component->type,
                     tt_kind_section(component->kind), component->type);
    tt_docgen_markdown(component->schema, out);
    doc_columns(component, out);
    doc_meters(component, out);
}

static void doc_index(struct tt_buffer *out)
{
    struct tt_catalog catalog = tt_load_catalog();

    tt_buffer_append_str(
        out,
        TT_STR(
            "# Reference\n\nGenerated by `telltale components --docs docs/reference` from the option "
            "tables; a test fails when it is stale.\n\n"
            "- [service](service.md): the `service` section\n"
            "- [command line](command-line.md)\n"));
    for (size_t i = 0; i < catalog.count; i++)
        tt_buffer_printf(out, "- [%s %s](%s_%s.md): %s\n", catalog.items[i]->type,
                         tt_kind_name(catalog.items[i]->kind), tt_kind_name(catalog.items[i]->kind),
                         catalog.items[i]->type, catalog.items[i]->doc);
}

static void doc_service(struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("# The service section\n\n## Options\n\n"));
    tt_docgen_markdown(&tt_service_schema, out);
}

static void doc_command_line(struct tt_buffer *out)
{
    size_t count;
    const struct tt_command *const *commands = tt_commands(&count);

    tt_buffer_append_str(out, TT_STR("# Command line\n"));
    for (size_t i = 0; i < count; i++) {
        tt_buffer_printf(out, "\n## telltale %s\n\n```\n", commands[i]->name);
        tt_help_command(commands[i], out);
        tt_buffer_append_str(out, TT_STR("```\n"));
    }
}

static enum tt_status write_page(const char *directory, const char *name,
                                 const struct tt_buffer *text, struct tt_error *err)
{
    char path[4096];
    enum tt_status status = tt_buffer_check(text, "write documentation", err);
    int fd;

    if (status != TT_OK)
        return status;
    (void)snprintf(path, sizeof(path), "%s/%s.md", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return tt_fail_errno(err, "open %s", path);
    status = tt_write_all(fd, tt_buffer_view(text), err);
    if (close(fd) != 0 && status == TT_OK)
        status = tt_fail_errno(err, "close %s", path);
    return status;
}

static enum tt_status write_fixed_page(const char *directory, const char *name,
                                       void (*print)(struct tt_buffer *), struct tt_buffer *text,
                                       struct tt_error *err)
{
    tt_buffer_clear(text);
    print(text);
    return write_page(directory, name, text, err);
}

static enum tt_status write_docs(const char *directory, struct tt_buffer *text,
                                 struct tt_error *err)
{
    struct tt_catalog catalog = tt_load_catalog();
    char name[128];
    enum tt_status status = tt_make_directories(directory, 0755, err);

    if (status == TT_OK)
        status = write_fixed_page(directory, "README", doc_index, text, err);
    if (status == TT_OK)
        status = write_fixed_page(directory, "service", doc_service, text, err);
    if (status == TT_OK)
        status = write_fixed_page(directory, "command-line", doc_command_line, text, err);
    for (size_t i = 0; status == TT_OK && i < catalog.count; i++) {
        tt_buffer_clear(text);
        doc_component(catalog.items[i], text);
        (void)snprintf(name, sizeof(name), "%s_%s", tt_kind_name(catalog.items[i]->kind),
                       catalog.items[i]->type);
        status = write_page(directory, name, text, err);
    }
    return status;
}

static int components(const struct tt_args *args)
{
    const char *directory = tt_args_text(args, "docs");
    struct tt_buffer text;
    struct tt_error err;
    enum tt_status status;

    if (directory == NULL)
        return list_components(tt_args_flag(args, "json"));
    tt_buffer_init(&text, MAX_TEXT);
    status = write_docs(directory, &text, &err);
    tt_buffer_done(&text);
    return status == TT_OK ? TT_EXIT_DONE : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
}

static const struct tt_option options[] = {
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write JSON instead of YAML."},
    {.name = "docs",
     .argument = "DIR",
     .type = TT_OPTION_FILE,
     .doc = "Write the reference documentation of all components, options and commands to DIR."},
};

extern const struct tt_command tt_command_components;
const struct tt_command tt_command_components = {
    .name = "components",
    .summary = "List the components there are, with their signals and stability.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .run = components,
};
