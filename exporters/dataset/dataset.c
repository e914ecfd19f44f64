/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "exporters/dataset/writer.h"
#include "net/http_server.h"
#include "pipeline/component.h"

#include <stdio.h>

/* ---- options ---- */

struct rotation_config {
    int64_t max_megabytes;
    tt_dur interval;
};
static const struct tt_field rotation_fields[] = {
    {TT_INT(struct rotation_config, max_megabytes), .def = "1024", .min = 0, .max = 1 << 24,
     .doc =
         "A set is finished when its labeled files have this many MiB together; 0: whatever their size."},
    {TT_DURATION(struct rotation_config, interval), .def = "0s", .min = 0, .max = 3.2e18,
     .doc = "A set is finished when it is this old; 0s: whatever its age."},
};
static const struct tt_schema rotation_schema = TT_SCHEMA(struct rotation_config, rotation_fields);

struct dataset_config {
    const char *directory;
    struct tt_string_list extra_attributes;
    tt_dur finish_after;
    struct rotation_config rotation;
    bool formula_guard;
    int64_t max_files, max_open_files;
    const char *endpoint;
};
static const struct tt_field dataset_fields[] = {
    {TT_STRING(struct dataset_config, directory), .def = "telltale-data", .flags = TT_CONFIG_PATH,
     .doc = "Where the files go; made when it is missing, and used by one exporter only."},
    {TT_STRINGS(struct dataset_config, extra_attributes),
     .doc = "Attributes of rows or their resource that get a column of their own."},
    {TT_DURATION(struct dataset_config, finish_after), .def = "30s", .min = 0, .max = 3.2e18,
     .doc =
         "A set is finished when no row has come for this long; 0s: only by rotation, request or shutdown."},
    {TT_OBJECT(struct dataset_config, rotation), .sub = &rotation_schema,
     .doc = "When a set is finished while rows still come."},
    {TT_BOOL(struct dataset_config, formula_guard), .def = "false",
     .doc =
         "Put a ' before text that a spreadsheet would run as a formula; such cells no longer read back as they were."},
    {TT_INT(struct dataset_config, max_files), .def = "1000", .min = 16, .max = 100000,
     .doc = "Files of one set; anomaly types beyond share traces_overflow."},
    {TT_INT(struct dataset_config, max_open_files), .def = "100", .min = 8, .max = 10000,
     .doc = "Files that are open at a time."},
    {TT_STRING(struct dataset_config, endpoint), .flags = TT_CONFIG_LISTEN,
     .doc =
         "Address of a listener for POST /v1/dataset/finish, such as localhost:4320; none by default."},
};
static const struct tt_schema dataset_schema = TT_SCHEMA(struct dataset_config, dataset_fields);

/* ---- the exporter ---- */

enum { METER_ROWS, METER_FINISHED, METER_RECOVERED, METER_FAILURES };
static const struct tt_meter_desc dataset_meters[] = {
    {"telltale_dataset_written_rows", "{row}", "Rows that a dataset exporter has written.",
     TT_COUNTER},
    {"telltale_dataset_finished_sets", "{set}", "Sets of dataset files that were finished.",
     TT_COUNTER},
    {"telltale_dataset_recovered_sets", "{set}",
     "Sets of dataset files that a crash had left and that were finished at a start.", TT_COUNTER},
    {"telltale_dataset_finish_failures", "{failure}", "Attempts to finish a set that failed.",
     TT_COUNTER},
    {.name = NULL},
};

struct dataset {
    const struct dataset_config *config;
    struct tt_host *host;
    struct dataset_writer *writer;
    struct tt_meter *rows[TT_SIGNAL_COUNT];
    struct tt_thread thread;
    struct tt_http_server *server;
};

static struct dataset_writer_options writer_options(const struct tt_create_args *args)
{
    const struct dataset_config *config = args->config;
    struct tt_label label = {"exporter", tt_str(args->id)};
    struct tt_meters *meters = args->host->meters;
    struct dataset_writer_options options = {
        .directory = config->directory,
        .layout.extra_attributes = config->extra_attributes,
        .formula_guard = config->formula_guard,
        .max_files = (size_t)config->max_files,
        .max_open = (size_t)config->max_open_files,
        .max_bytes = (uint64_t)config->rotation.max_megabytes << 20,
        .max_age = config->rotation.interval,
        .finish_after = config->finish_after,
        .version = args->host->version,
        .log = args->host->log,
        .clock = args->host->clock,
        .finished = tt_meters_get(meters, &dataset_meters[METER_FINISHED], &label, 1),
        .recovered = tt_meters_get(meters, &dataset_meters[METER_RECOVERED], &label, 1),
        .failures = tt_meters_get(meters, &dataset_meters[METER_FAILURES], &label, 1),
    };

    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        options.layout.columns[i].items = args->columns[i].items;
        options.layout.columns[i].count = args->columns[i].count;
    }
    return options;
}

static enum tt_status dataset_create(const struct tt_create_args *args, void **ret_self,
                                     struct tt_error *err)
{
    struct dataset_writer_options options = writer_options(args);
    struct dataset *dataset = tt_calloc(1, sizeof(*dataset));
    enum tt_status status;

    if (dataset == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create exporter %s", args->id);
    dataset->config = args->config;
    dataset->host = args->host;
    status = dataset_writer_new(&options, &dataset->writer, err);
    if (status != TT_OK) {
        tt_free(dataset);
        return status;
    }
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        struct tt_label labels[] = {{"exporter", tt_str(args->id)},
                                    {"signal", tt_str(tt_signal_name(tt_signal_at(i)))}};
        dataset->rows[i] =
            tt_meters_get(args->host->meters, &dataset_meters[METER_ROWS], labels, 2);
    }
    *ret_self = dataset;
    return TT_OK;
}

/* ---- POST /v1/dataset/finish ---- */

static void answer_json(struct tt_http_exchange *exchange, unsigned status, const char *text)
{
    struct tt_http_answer answer = {
        .status = status,
        .content_type = "application/json",
        .body = tt_str(text),
        .retry_after_s = status == 503 ? 1 : 0,
    };

    tt_http_answer(exchange, &answer);
}

static void handle_finish(void *context, struct tt_http_exchange *exchange)
{
    struct dataset *dataset = context;
    char stamp[DATASET_STAMP_LEN + 1], text[128];
    struct tt_error err;

    if (dataset_writer_finish(dataset->writer, 0, stamp, &err) != TT_OK) {
        tt_log_error(&dataset->host->log, "cannot finish a set of dataset files on request",
                     TT_FIELD_ERROR(&err));
        answer_json(exchange, 503, "{\"error\":\"the set could not be finished; see the log\"}\n");
        return;
    }
    if (stamp[0] == '\0')
        (void)snprintf(text, sizeof(text), "{\"finished\":null}\n");
    else
        (void)snprintf(text, sizeof(text), "{\"finished\":\"%s\"}\n", stamp);
    answer_json(exchange, 200, text);
}

static enum tt_status start_server(struct dataset *dataset, struct tt_error *err)
{
    struct tt_http_route route = {
        .path = "/v1/dataset/finish",
        .methods = "POST",
        .max_body = 4096,
        .handle = handle_finish,
        .context = dataset,
    };
    struct tt_http_server_options options = {
        .endpoint = dataset->config->endpoint,
        .threads = 1,
        .max_connections = 16,
        .routes = &route,
        .n_routes = 1,
        .log = &dataset->host->log,
    };

    if (dataset->config->endpoint == NULL || dataset->config->endpoint[0] == '\0')
        return TT_OK;
    return tt_http_server_start(&options, &dataset->server, err);
}

/* ---- life ---- */

static enum tt_status dataset_start(void *self, struct tt_error *err)
{
    struct dataset *dataset = self;
    enum tt_status status = dataset_writer_start(dataset->writer, err);

    if (status == TT_OK)
        status =
            tt_thread_start(&dataset->thread, "dataset", dataset_writer_run, dataset->writer, err);
    return status != TT_OK ? status : start_server(dataset, err);
}

static enum tt_status dataset_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    struct dataset *dataset = self;
    enum tt_status status = dataset_writer_write(dataset->writer, *batch, err);

    if (status == TT_OK)
        tt_meter_add(dataset->rows[tt_signal_index((*batch)->signal)], tt_batch_live_rows(*batch));
    tt_batch_unref(TT_TAKE(*batch));
    return status;
}

static enum tt_status dataset_shutdown(void *self, tt_dur deadline, struct tt_error *err)
{
    struct dataset *dataset = self;
    enum tt_status status;

    tt_http_server_stop(TT_TAKE(dataset->server), deadline);
    dataset_writer_stop(dataset->writer);
    tt_thread_join(&dataset->thread);
    /* Files without a checksum (another process had written them) may be read as long as renaming still has its time. */
    status = dataset_writer_finish(dataset->writer, deadline - TT_SECOND, NULL, err);
    if (status != TT_OK) /* once more; what still fails is finished at the next start */
        status = dataset_writer_finish(dataset->writer, deadline - TT_SECOND, NULL, err);
    return status;
}

static void dataset_destroy(void *self)
{
    struct dataset *dataset = self;

    if (dataset == NULL)
        return;
    dataset_writer_free(dataset->writer);
    tt_free(dataset);
}

static const struct tt_component_ops dataset_ops = {
    .create = dataset_create,
    .start = dataset_start,
    .consume = dataset_consume,
    .shutdown = dataset_shutdown,
    .destroy = dataset_destroy,
};

extern const struct tt_component tt_exporter_dataset;
const struct tt_component tt_exporter_dataset = {
    .type = "dataset",
    .kind = TT_EXPORTER,
    .stability = TT_ALPHA,
    .signals = TT_ALL_SIGNALS,
    .doc = "Writes labelled rows as CSV files for training, with a manifest for each set of files.",
    .schema = &dataset_schema,
    .meters = dataset_meters,
    .ops = &dataset_ops,
};
