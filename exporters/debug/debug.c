/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "otlp/cursor.h"
#include "otlp/json.h"
#include "pipeline/component.h"

#include <pthread.h>
#include <unistd.h>

enum { MAX_TEXT = 64 * 1024 * 1024 };

enum verbosity { BASIC, NORMAL, DETAILED };

struct debug_config {
    int verbosity;
    int output;
    int64_t sampling_initial, sampling_thereafter; /* taken and not used */
    bool use_internal_logger;
};

static const char *const verbosities[] = {"basic", "normal", "detailed", NULL};
static const char *const outputs[] = {"stdout", "stderr", NULL};

static const struct tt_field debug_fields[] = {
    {TT_ENUM(struct debug_config, verbosity), .def = "basic", .choices = verbosities,
     .doc = "How much is printed: a line a batch, a line an item, or all as OTLP/JSON."},
    {TT_ENUM(struct debug_config, output), .def = "stdout", .choices = outputs,
     .doc = "Where it is printed."},
    {TT_INT(struct debug_config, sampling_initial), .def = "2", .min = 0, .max = 1000000000,
     .doc = "Accepted for the Collector's configurations; everything is printed."},
    {TT_INT(struct debug_config, sampling_thereafter), .def = "1", .min = 0, .max = 1000000000,
     .doc = "Accepted for the Collector's configurations; everything is printed."},
    {TT_BOOL(struct debug_config, use_internal_logger), .def = "true",
     .doc = "Accepted for the Collector's configurations; output says where it is printed."},
};
static const struct tt_schema debug_schema = TT_SCHEMA(struct debug_config, debug_fields);

struct debug {
    const struct debug_config *config;
    int fd;
    pthread_mutex_t write_mu; /* held while one batch's text is written, so that texts do not mix */
};

static enum tt_status debug_create(const struct tt_create_args *args, void **ret_self,
                                   struct tt_error *err)
{
    struct debug *debug = tt_calloc(1, sizeof(*debug));

    if (debug == NULL)
        return tt_fail(err, TT_NO_MEMORY, "allocate %zu bytes", sizeof(*debug));
    debug->config = args->config;
    debug->fd = debug->config->output == 0 ? STDOUT_FILENO : STDERR_FILENO;
    pthread_mutex_init(&debug->write_mu, NULL);
    *ret_self = debug;
    return TT_OK;
}

static void print_id(struct tt_buffer *out, const char *key, const uint8_t *id, size_t len)
{
    char hex[32];

    if (id == NULL)
        return;
    tt_hex_encode(id, len, hex);
    tt_buffer_append_str(out, tt_str(key));
    tt_buffer_append(out, hex, 2 * len);
}

static void print_span(struct tt_buffer *out, const struct tt_span *span)
{
    int64_t duration = (int64_t)(span->end_ns - span->start_ns);

    tt_json_write_text(span->name, out);
    print_id(out, " trace=", span->trace_id, 16);
    print_id(out, " span=", span->span_id, 8);
    print_id(out, " parent=", span->parent_span_id, 8);
    tt_buffer_printf(out, " kind=%d status=%d duration_ns=%lld", span->kind, span->status_code,
                     (long long)duration);
}

static void print_point(struct tt_buffer *out, const struct tt_batch *batch,
                        const struct tt_point *point)
{
    tt_json_write_text(batch->metrics[point->metric].name, out);
    switch (point->value_type) {
    case TT_POINT_INT:
        tt_buffer_append_str(out, TT_STR(" value="));
        tt_buffer_append_int64(out, point->integer);
        break;
    case TT_POINT_DOUBLE:
        tt_buffer_append_str(out, TT_STR(" value="));
        tt_buffer_append_double(out, point->real);
        break;
    case TT_POINT_DISTRIBUTION:
        tt_buffer_printf(out, " count=%llu sum=", (unsigned long long)point->count);
        tt_buffer_append_double(out, point->sum);
        break;
    case TT_POINT_NONE:
        tt_buffer_append_str(out, TT_STR(" no value"));
        break;
    }
}

static void print_log(struct tt_buffer *out, const struct tt_log_record *log)
{
    struct tt_value body = tt_value_of(log->body);

    tt_json_write_plain_value(&body, out);
    tt_buffer_printf(out, " severity=%d", log->severity);
    print_id(out, " trace=", log->trace_id, 16);
}

static void print_rows(struct tt_buffer *out, const struct tt_batch *batch)
{
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        tt_buffer_append_str(out, TT_STR("  "));
        tt_json_write_text(tt_row_resource(batch, row)->service_name, out);
        tt_buffer_append_byte(out, ' ');
        if (batch->signal == TT_TRACES)
            print_span(out, &row->span);
        else if (batch->signal == TT_METRICS)
            print_point(out, batch, &row->point);
        else
            print_log(out, &row->log);
        tt_buffer_append_byte(out, '\n');
    }
}

static void print_batch(const struct debug *debug, const struct tt_batch *batch,
                        struct tt_buffer *out)
{
    tt_buffer_printf(out, "%s: resources=%u %s=%u\n", tt_signal_name(batch->signal),
                     batch->n_resources, tt_signal_items(batch->signal), tt_batch_live_rows(batch));
    if (debug->config->verbosity >= NORMAL)
        print_rows(out, batch);
    if (debug->config->verbosity < DETAILED)
        return;
    tt_json_write(batch, NULL, out);
    tt_buffer_append_byte(out, '\n');
}

static enum tt_status debug_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    struct debug *debug = self;
    struct tt_buffer out;
    enum tt_status status;

    tt_buffer_init(&out, MAX_TEXT);
    print_batch(debug, *batch, &out);
    status = tt_buffer_check(&out, "print a batch", err);
    if (status == TT_OK) {
        pthread_mutex_lock(&debug->write_mu);
        status = tt_write_all(debug->fd, tt_buffer_view(&out), err);
        pthread_mutex_unlock(&debug->write_mu);
    }
    tt_buffer_done(&out);
    return tt_drop(batch, status, err);
}

static void debug_destroy(void *self)
{
    struct debug *debug = self;

    if (debug == NULL)
        return;
    pthread_mutex_destroy(&debug->write_mu);
    tt_free(debug);
}

static const struct tt_component_ops debug_ops = {
    .create = debug_create,
    .consume = debug_consume,
    .destroy = debug_destroy,
};

extern const struct tt_component tt_exporter_debug;
const struct tt_component tt_exporter_debug = {
    .type = "debug",
    .kind = TT_EXPORTER,
    .stability = TT_BETA,
    .signals = TT_ALL_SIGNALS,
    .doc = "Prints telemetry, to see whether a pipeline works.",
    .schema = &debug_schema,
    .ops = &debug_ops,
};
