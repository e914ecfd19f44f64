/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/account.h"

#include "base/meter.h"
#include "config/walk.h"

/* The labels processor counts rows in meters of this name by where their label is from; "none": without evidence. */
#define EVIDENCE "telltale_label_evidence"
#define DROPPED  "telltale_dropped_items"

struct account {
    struct tt_buffer *out;
    const char *prefix; /* readings whose names begin so */
    const char *label;  /* NULL: sum over all */
    struct tt_str value;
    double sum;
};

static struct tt_str label_of(const struct tt_reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->n_labels; i++)
        if (tt_str_equal(tt_str(reading->labels[i].name), tt_str(name)))
            return reading->labels[i].value;
    return (struct tt_str){NULL, 0};
}

static void add_reading(void *context, const struct tt_reading *reading)
{
    struct account *account = context;

    if (!tt_str_starts_with(tt_str(reading->desc->name), tt_str(account->prefix)))
        return;
    if (account->label != NULL && !tt_str_equal(label_of(reading, account->label), account->value))
        return;
    account->sum += reading->value;
}

/* The sum of all meters whose names begin with prefix; only those with label = value when label is given. */
static double sum_of(struct tt_service *service, const char *prefix, const char *label,
                     const char *value)
{
    struct account account = {.prefix = prefix, .label = label, .value = tt_str(value)};

    tt_meters_read(tt_service_meters(service), add_reading, &account);
    return account.sum;
}

/* ---- received, written ---- */

static void print_by_signal(struct tt_service *service, const char *prefix, const char *label,
                            const char *value, struct tt_buffer *out)
{
    char name[96];
    const char *separator = "";

    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        const char *items = tt_signal_items(tt_signal_at(i));
        struct tt_buffer text;
        double sum;
        tt_buffer_init(&text, sizeof(name));
        tt_buffer_printf(&text, "%s%s", prefix, items);
        tt_buffer_append_byte(&text, '\0');
        sum = text.failed == TT_OK ? sum_of(service, text.data, label, value) : 0;
        tt_buffer_done(&text);
        if (sum == 0)
            continue;
        tt_buffer_printf(out, "%s%.0f %s", separator, sum,
                         i == 0   ? "spans"
                         : i == 1 ? "metric points"
                                  : "log records");
        separator = ", ";
    }
    if (separator[0] == '\0')
        tt_buffer_append_str(out, TT_STR("nothing"));
}

/* Where an exporter writes, as its options say: the first text option called path, directory or endpoint. */
static const char *place_of(const struct tt_component_settings *exporter)
{
    static const char *const names[] = {"path", "directory", "endpoint"};

    for (size_t i = 0; i < TT_LENGTH(names); i++) {
        const struct tt_field *field =
            tt_schema_find(exporter->component->schema, tt_str(names[i]));
        if (field != NULL && field->type == TT_CONFIG_STRING)
            return *(const char *const *)(const void *)((const char *)exporter->config +
                                                        field->offset);
    }
    return NULL;
}

static bool is_used(const struct tt_settings *settings,
                    const struct tt_component_settings *exporter)
{
    for (size_t p = 0; p < settings->n_pipelines; p++)
        for (size_t i = 0; i < settings->pipelines[p].exporters.count; i++)
            if (settings->pipelines[p].exporters.items[i].target == exporter)
                return true;
    return false;
}

static void print_written(struct tt_service *service, struct tt_buffer *out)
{
    const struct tt_settings *settings = tt_service_settings(service);

    for (size_t i = 0; i < settings->n_components[TT_EXPORTER]; i++) {
        const struct tt_component_settings *exporter = &settings->components[TT_EXPORTER][i];
        const char *place = place_of(exporter);
        if (!is_used(settings, exporter))
            continue;
        tt_buffer_printf(out, "  written   %s: ", exporter->id);
        print_by_signal(service, "otelcol_exporter_sent_", "exporter", exporter->id, out);
        if (place != NULL)
            tt_buffer_printf(out, " -> %s", place);
        tt_buffer_append_byte(out, '\n');
    }
}

/* ---- labelled, dropped ---- */

static void print_labelled_reading(void *context, const struct tt_reading *reading)
{
    struct account *account = context;
    struct tt_str source = label_of(reading, "source");
    bool has_evidence = !tt_str_equal(source, TT_STR("none"));

    if (!tt_str_equal(tt_str(reading->desc->name), TT_STR(EVIDENCE)) || reading->value == 0)
        return;
    tt_buffer_printf(account->out, "%s%.0f %s%.*s", account->sum > 0 ? ", " : "", reading->value,
                     has_evidence ? "by " : "without evidence", has_evidence ? (int)source.len : 0,
                     source.data);
    account->sum += reading->value;
}

static void print_dropped_reading(void *context, const struct tt_reading *reading)
{
    struct account *account = context;

    if (!tt_str_equal(tt_str(reading->desc->name), TT_STR(DROPPED)) || reading->value == 0)
        return;
    tt_buffer_printf(account->out, "%s%.0f %.*s by %.*s: %.*s", account->sum > 0 ? ", " : "",
                     reading->value, TT_STR_ARG(label_of(reading, "signal")),
                     TT_STR_ARG(label_of(reading, "component")),
                     TT_STR_ARG(label_of(reading, "reason")));
    account->sum += reading->value;
}

static void print_readings(struct tt_service *service, const char *title,
                           void (*visit)(void *, const struct tt_reading *), struct tt_buffer *out)
{
    struct account account = {.out = out};

    tt_buffer_printf(out, "  %-10s", title);
    tt_meters_read(tt_service_meters(service), visit, &account);
    tt_buffer_append_str(out, account.sum > 0 ? TT_STR("\n") : TT_STR("nothing\n"));
}

void tt_account_print(struct tt_service *service, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("telltale: what became of the data\n  received  "));
    print_by_signal(service, "otelcol_receiver_accepted_", NULL, NULL, out);
    tt_buffer_append_str(out, TT_STR("\n  refused   "));
    print_by_signal(service, "otelcol_receiver_refused_", NULL, NULL, out);
    tt_buffer_append_byte(out, '\n');
    print_readings(service, "labelled", print_labelled_reading, out);
    print_written(service, out);
    print_readings(service, "dropped", print_dropped_reading, out);
}

bool tt_account_has_labels(struct tt_service *service)
{
    return sum_of(service, EVIDENCE, NULL, NULL) > sum_of(service, EVIDENCE, "source", "none");
}
