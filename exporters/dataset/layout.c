/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/layout.h"

#include "exporters/dataset/cells.h"
#include "model/label.h"

const char *const dataset_label_columns[DATASET_LABELS] = {
    TT_LABEL_COLUMN_TYPE, TT_LABEL_COLUMN_LABEL,  TT_LABEL_COLUMN_ROOT_CAUSE,
    TT_LABEL_COLUMN_MSG,  TT_LABEL_COLUMN_SOURCE,
};

#define LABEL_NAMES \
    "anomaly_type", "anomaly_label", "anomaly_root_cause", "anomaly_msg", "label_source"

static const char *const trace_columns[] = {
    "timestamp",         "start_time_ns",    "end_time_ns",       "duration_ns",
    "duration_ms",       "service_name",     "trace_id",          "span_id",
    "parent_span_id",    "span_name",        "span_kind",         "span_status",
    "http_method",       "http_status_code", "http_target",       LABEL_NAMES,
    "server_address",    "server_port",      "client_address",    "network_peer_address",
    "network_peer_port", "network_protocol", "network_transport", NULL,
};
static const char *const metric_columns[] = {
    "timestamp",   "start_time_ns", "time_ns",     "service_name",        "metric_name",
    "metric_type", "metric_unit",   "temporality", "is_monotonic",        "value",
    "count",       "sum",           "attributes",  "resource_attributes", LABEL_NAMES,
    NULL,
};
static const char *const log_columns[] = {
    "timestamp",
    "time_ns",
    "observed_time_ns",
    "service_name",
    "severity_number",
    "severity_text",
    "body",
    "event_name",
    "trace_id",
    "span_id",
    "attributes",
    "resource_attributes",
    LABEL_NAMES,
    NULL,
};
static const char *const *const fixed_columns[TT_SIGNAL_COUNT] = {trace_columns, metric_columns,
                                                                  log_columns};

/* Newer names before older ones. */
static const struct {
    const char *name;
    uint8_t slot, rank;
} known_keys[] = {
    {TT_LABEL_COLUMN_TYPE, SLOT_TYPE, 1},
    {TT_LABEL_COLUMN_LABEL, SLOT_LABEL, 1},
    {TT_LABEL_COLUMN_ROOT_CAUSE, SLOT_ROOT_CAUSE, 1},
    {TT_LABEL_COLUMN_MSG, SLOT_MSG, 1},
    {TT_LABEL_COLUMN_SOURCE, SLOT_SOURCE, 1},
    {"http.request.method", SLOT_HTTP_METHOD, 2},
    {"http.method", SLOT_HTTP_METHOD, 1},
    {"http.response.status_code", SLOT_HTTP_STATUS, 2},
    {"http.status_code", SLOT_HTTP_STATUS, 1},
    {"http.target", SLOT_HTTP_TARGET, 1},
    {"url.path", SLOT_URL_PATH, 1},
    {"url.query", SLOT_URL_QUERY, 1},
    {"url.full", SLOT_URL_FULL, 2},
    {"http.url", SLOT_URL_FULL, 1},
    {"server.address", SLOT_NETWORK + 0, 3},
    {"net.host.name", SLOT_NETWORK + 0, 2},
    {"net.peer.name", SLOT_NETWORK + 0, 1},
    {"server.port", SLOT_NETWORK + 1, 3},
    {"net.host.port", SLOT_NETWORK + 1, 2},
    {"net.peer.port", SLOT_NETWORK + 1, 1},
    {"client.address", SLOT_NETWORK + 2, 2},
    {"http.client_ip", SLOT_NETWORK + 2, 1},
    {"network.peer.address", SLOT_NETWORK + 3, 3},
    {"net.sock.peer.addr", SLOT_NETWORK + 3, 2},
    {"net.peer.ip", SLOT_NETWORK + 3, 1},
    {"network.peer.port", SLOT_NETWORK + 4, 2},
    {"net.sock.peer.port", SLOT_NETWORK + 4, 1},
    {"network.protocol.name", SLOT_NETWORK + 5, 2},
    {"net.protocol.name", SLOT_NETWORK + 5, 1},
    {"network.transport", SLOT_NETWORK + 6, 2},
    {"net.transport", SLOT_NETWORK + 6, 1},
};

/* ---- keys ---- */

static bool add_key(struct dataset_layout *layout, struct tt_str name, unsigned slot, unsigned rank)
{
    unsigned at = dataset_key_bucket(name);

    if (layout->n_keys == TT_LENGTH(layout->keys) || dataset_find_key(layout, name) != NULL)
        return false;
    while (layout->buckets[at] != 0)
        at = (at + 1) & 511;
    layout->keys[layout->n_keys++] =
        (struct dataset_key){.name = name, .slot = (uint8_t)slot, .rank = (uint8_t)rank};
    layout->buckets[at] = (uint8_t)layout->n_keys;
    return true;
}

static enum tt_status add_extra_keys(struct dataset_layout *layout,
                                     const struct tt_string_list *extras, struct tt_error *err)
{
    if (extras->count > DATASET_MAX_EXTRAS)
        return tt_fail(err, TT_INVALID_CONFIG, "extra_attributes: more than %d",
                       DATASET_MAX_EXTRAS);
    for (size_t i = 0; i < extras->count; i++) {
        struct tt_str key = tt_arena_copy(&layout->arena, tt_str(extras->items[i]));
        if (key.data == NULL)
            return tt_fail(err, TT_NO_MEMORY, "extra_attributes");
        if (!add_key(layout, key, SLOT_EXTRA + (unsigned)i, 2))
            return tt_fail(err, TT_INVALID_CONFIG,
                           "extra_attributes: \"%s\" has a column already or is there twice",
                           extras->items[i]);
    }
    layout->n_extras = extras->count;
    layout->n_slots = SLOT_EXTRA + extras->count;
    return TT_OK;
}

/* ---- columns ---- */

static bool is_label(const char *name)
{
    for (size_t i = 0; i < DATASET_LABELS; i++)
        if (strcmp(name, dataset_label_columns[i]) == 0)
            return true;
    return false;
}

/* "http.route" becomes "http_route". */
static enum tt_status add_column(struct dataset_layout *layout,
                                 struct dataset_signal_layout *signal, const char *source,
                                 const char *doc, struct tt_error *err)
{
    char *name = tt_arena_printf(&layout->arena, "%s", source);

    if (name == NULL)
        return tt_fail(err, TT_NO_MEMORY, "columns of the dataset");
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '.' ? '_' : *c;
    for (size_t i = 0; i < signal->n_columns; i++)
        if (strcmp(signal->columns[i].name, name) == 0)
            return tt_fail(err, TT_INVALID_CONFIG, "\"%s\" would be a second column %s", source,
                           name);
    signal->columns[signal->n_columns++] = (struct dataset_column){.name = name, .doc = doc};
    return TT_OK;
}

static enum tt_status add_declared(struct dataset_layout *layout,
                                   struct dataset_signal_layout *signal,
                                   const struct tt_column_desc *desc, struct tt_error *err)
{
    if (is_label(desc->name))
        return TT_OK;
    signal->declared[signal->n_declared++] = desc;
    return add_column(layout, signal, desc->name, desc->doc, err);
}

static enum tt_status make_header(struct dataset_layout *layout,
                                  struct dataset_signal_layout *signal, struct tt_error *err)
{
    struct tt_buffer line;
    enum tt_status status;

    tt_buffer_init(&line, (size_t)1 << 20);
    for (size_t i = 0; i < signal->n_columns; i++) {
        if (i > 0)
            tt_buffer_append_byte(&line, ',');
        dataset_cell_text(&line, tt_str(signal->columns[i].name), false);
    }
    tt_buffer_append_byte(&line, '\n');
    signal->header = tt_arena_copy(&layout->arena, tt_buffer_view(&line));
    status = tt_buffer_check(&line, "make the header of the dataset", err);
    tt_buffer_done(&line);
    if (status == TT_OK && signal->header.data == NULL)
        return tt_fail(err, TT_NO_MEMORY, "header of the dataset");
    return status;
}

static enum tt_status make_columns(struct dataset_layout *layout, unsigned index,
                                   const struct dataset_layout_options *options,
                                   struct tt_error *err)
{
    struct dataset_signal_layout *signal = &layout->signals[index];
    size_t n_declared = options->columns[index].count;
    enum tt_status status = TT_OK;

    if (n_declared > DATASET_MAX_DECLARED)
        return tt_fail(err, TT_INVALID_CONFIG, "more than %d columns", DATASET_MAX_DECLARED);
    signal->columns = tt_arena_calloc(&layout->arena, 64 + layout->n_extras + n_declared,
                                      sizeof(*signal->columns));
    signal->declared = tt_arena_calloc(&layout->arena, n_declared + 1, sizeof(*signal->declared));
    if (signal->columns == NULL || signal->declared == NULL)
        return tt_fail(err, TT_NO_MEMORY, "columns of the dataset");
    for (const char *const *name = fixed_columns[index]; *name != NULL && status == TT_OK; name++)
        status = add_column(layout, signal, *name, NULL, err);
    for (size_t i = 0; i < layout->n_extras && status == TT_OK; i++)
        status = add_column(layout, signal, options->extra_attributes.items[i], NULL, err);
    for (size_t i = 0; i < n_declared && status == TT_OK; i++)
        status = add_declared(layout, signal, options->columns[index].items[i], err);
    return status != TT_OK ? status : make_header(layout, signal, err);
}

enum tt_status dataset_layout_init(struct dataset_layout *layout,
                                   const struct dataset_layout_options *options,
                                   struct tt_error *err)
{
    enum tt_status status;

    memset(layout, 0, sizeof(*layout));
    tt_arena_init(&layout->arena, 0, (size_t)4 << 20);
    for (size_t i = 0; i < TT_LENGTH(known_keys); i++)
        (void)add_key(layout, tt_str(known_keys[i].name), known_keys[i].slot, known_keys[i].rank);
    status = add_extra_keys(layout, &options->extra_attributes, err);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT && status == TT_OK; i++)
        status = make_columns(layout, i, options, err);
    if (status != TT_OK)
        dataset_layout_done(layout);
    return status;
}

void dataset_layout_done(struct dataset_layout *layout)
{
    tt_arena_done(&layout->arena);
}
