/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_sdk.h"

#include <jansson.h>

#define MAX_COUNTERS   20000
#define MAX_SERVICES   10000
#define MAX_ATTRIBUTES 4096 /* bytes of a row's attributes that are looked at */

enum outcome { PASSED, DROPPED, FAILED };

struct counter {
    struct tt_str service;
    enum tt_sdk_item item;
    enum outcome outcome;
    double value;
};

enum rule { PROCESSOR, EXPORTER, JAVA_PROCESSOR, JAVA_EXPORTER };

static const struct {
    const char *name;
    enum rule rule;
    enum tt_sdk_item item; /* JAVA_EXPORTER: an attribute says it */
} known[] = {
    {"otel.sdk.processor.span.processed", PROCESSOR, TT_SDK_SPANS},
    {"otel.sdk.processor.log.processed", PROCESSOR, TT_SDK_LOGS},
    {"otel.sdk.exporter.span.exported", EXPORTER, TT_SDK_SPANS},
    {"otel.sdk.exporter.log.exported", EXPORTER, TT_SDK_LOGS},
    {"otel.sdk.exporter.metric_data_point.exported", EXPORTER, TT_SDK_POINTS},
    {"processedSpans", JAVA_PROCESSOR, TT_SDK_SPANS},
    {"processedLogs", JAVA_PROCESSOR, TT_SDK_LOGS},
    {"otlp.exporter.exported", JAVA_EXPORTER, TT_SDK_SPANS},
};

void tt_sdk_init(struct tt_sdk *sdk, struct tt_arena *arena)
{
    *sdk = (struct tt_sdk){.arena = arena};
    tt_map_init(&sdk->counters, MAX_COUNTERS);
    tt_map_init(&sdk->services, MAX_SERVICES);
}

void tt_sdk_done(struct tt_sdk *sdk)
{
    tt_map_done(&sdk->counters);
    tt_map_done(&sdk->services);
}

/* TT_LENGTH(known) when it is another metric. */
static size_t find_known(struct tt_str name)
{
    size_t i = 0;

    if (tt_str_ends_with(name, TT_STR(".count")))
        name.len -= 6;
    while (i < TT_LENGTH(known) && !tt_str_equal(name, tt_str(known[i].name)))
        i++;
    return i;
}

/* Attributes come as JSON values or as their text. */
static bool says(const json_t *attributes, const char *key, bool wanted)
{
    const json_t *value = json_object_get(attributes, key);
    const char *text = json_string_value(value);

    if (text != NULL)
        return strcmp(text, wanted ? "true" : "false") == 0;
    return wanted ? json_is_true(value) : json_is_false(value);
}

static enum outcome outcome_of(enum rule rule, const json_t *attributes)
{
    switch (rule) {
    case PROCESSOR:
        return json_object_get(attributes, "error.type") == NULL ? PASSED : DROPPED;
    case EXPORTER:
        return json_object_get(attributes, "error.type") == NULL ? PASSED : FAILED;
    case JAVA_PROCESSOR:
        return says(attributes, "dropped", true) ? DROPPED : PASSED;
    case JAVA_EXPORTER:
        return says(attributes, "success", false) ? FAILED : PASSED;
    }
    return PASSED;
}

static enum tt_sdk_item item_of(size_t which, const json_t *attributes)
{
    const char *type = json_string_value(json_object_get(attributes, "type"));

    if (known[which].rule != JAVA_EXPORTER || type == NULL)
        return known[which].item;
    return strcmp(type, "log") == 0      ? TT_SDK_LOGS
           : strcmp(type, "metric") == 0 ? TT_SDK_POINTS
                                         : TT_SDK_SPANS;
}

static struct counter *make_counter(struct tt_sdk *sdk, const struct tt_sdk_row *row, size_t which,
                                    struct tt_str key)
{
    struct counter *counter = tt_arena_calloc(sdk->arena, 1, sizeof(*counter));
    json_t *attributes =
        json_loadb(row->attributes.data == NULL ? "" : row->attributes.data,
                   row->attributes.len > MAX_ATTRIBUTES ? 0 : row->attributes.len, 0, NULL);

    if (counter != NULL) {
        counter->outcome = outcome_of(known[which].rule, attributes);
        counter->item = item_of(which, attributes);
        counter->service = tt_arena_copy(sdk->arena, row->service);
        key = tt_arena_copy(sdk->arena, key);
        if (key.data == NULL || tt_map_put(&sdk->counters, key, counter) != TT_OK)
            counter = NULL;
    }
    json_decref(attributes);
    return counter;
}

/* What tells one counter from another, and a restarted one from itself. */
static struct tt_str key_of(const struct tt_sdk_row *row, uint64_t key[6])
{
    const struct tt_str parts[] = {row->service,    row->name,     row->start,
                                   row->attributes, row->resource, row->temporality};

    for (size_t i = 0; i < TT_LENGTH(parts); i++)
        key[i] = tt_hash(parts[i].data, parts[i].len, tt_hash_seed());
    if (tt_str_equal(row->temporality, TT_STR("delta")))
        key[2] = 0;
    return tt_str_of(key, sizeof(uint64_t) * TT_LENGTH(parts));
}

void tt_sdk_add(struct tt_sdk *sdk, const struct tt_sdk_row *row)
{
    size_t which = find_known(row->name);
    struct counter *counter;
    struct tt_str key;
    uint64_t hashes[6];
    double value;

    if (which == TT_LENGTH(known) || !tt_str_to_double(row->value, &value) || !(value >= 0))
        return;
    sdk->rows++;
    key = key_of(row, hashes);
    counter = tt_map_get(&sdk->counters, key);
    if (counter == NULL)
        counter = make_counter(sdk, row, which, key);
    if (counter == NULL)
        return;
    if (tt_str_equal(row->temporality, TT_STR("delta")))
        counter->value += value;
    else if (value > counter->value)
        counter->value = value;
}

static struct tt_sdk_service *service_of(struct tt_sdk *sdk, struct tt_str name)
{
    struct tt_sdk_service *service = tt_map_get(&sdk->services, name);

    if (service != NULL)
        return service;
    service = tt_arena_calloc(sdk->arena, 1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->name = name;
    return tt_map_put(&sdk->services, name, service) == TT_OK ? service : NULL;
}

void tt_sdk_finish(struct tt_sdk *sdk)
{
    const struct tt_map_slot *slot;
    size_t position = 0;

    while ((slot = tt_map_next(&sdk->counters, &position)) != NULL) {
        const struct counter *counter = slot->value;
        struct tt_sdk_service *service = service_of(sdk, counter->service);
        if (service == NULL)
            continue;
        if (counter->outcome == DROPPED)
            service->dropped[counter->item] += counter->value;
        else if (counter->outcome == FAILED)
            service->failed[counter->item] += counter->value;
        else
            service->passed[counter->item] += counter->value;
    }
}
