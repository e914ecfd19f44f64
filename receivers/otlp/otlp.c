/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"

/* One row for each of traces, metrics, logs; the names are otelcol's. */
#define SIGNAL_METERS(NAME, DOC)                                             \
    {.name = "otelcol_receiver_" NAME "_spans",                              \
     .unit = "{span}",                                                       \
     .doc = "Spans " DOC,                                                    \
     .kind = TT_COUNTER},                                                    \
        {.name = "otelcol_receiver_" NAME "_metric_points",                  \
         .unit = "{datapoint}",                                              \
         .doc = "Metric points " DOC,                                        \
         .kind = TT_COUNTER},                                                \
    {                                                                        \
        .name = "otelcol_receiver_" NAME "_log_records", .unit = "{record}", \
        .doc = "Log records " DOC, .kind = TT_COUNTER                        \
    }

enum {
    METER_ACCEPTED = 0,
    METER_REFUSED = 3,
    METER_FAILED = 6,
    METER_REQUESTS = 9,
    METER_REFUSALS = 10,
    METER_CLIPPED_ATTRIBUTES = 11,
    METER_CLIPPED_VALUES = 12
};

const struct tt_meter_desc otlp_meters[] = {
    SIGNAL_METERS("accepted", "that the pipeline took."),
    SIGNAL_METERS("refused", "that the pipeline did not take."),
    SIGNAL_METERS("failed", "that could not be read."),
    {.name = "otelcol_receiver_requests",
     .unit = "{request}",
     .doc = "Requests by outcome.",
     .kind = TT_COUNTER},
    {.name = "telltale_receiver_refused_requests",
     .unit = "{request}",
     .doc = "Requests that were refused, by reason.",
     .kind = TT_COUNTER},
    {.name = "telltale_receiver_clipped_attributes",
     .unit = "{attribute}",
     .doc = "Attributes that were left out because their item has more than max_attributes.",
     .kind = TT_COUNTER},
    {.name = "telltale_receiver_clipped_values",
     .unit = "{value}",
     .doc = "Values of attributes that were cut because they are longer than max_value_bytes.",
     .kind = TT_COUNTER},
    {.name = NULL},
};

static const char *const outcome_names[OTLP_OUTCOME_COUNT] = {"success", "refused", "failure"};

/* Labels of reasons: the classes of errors that a request can be refused with. */
static const char *reason_name(enum tt_status status)
{
    switch (status) {
    case TT_INVALID_DATA:
    case TT_INVALID_CONFIG:
        return "invalid";
    case TT_TOO_LARGE:
        return "too_large";
    case TT_UNSUPPORTED:
        return "unsupported";
    case TT_NO_MEMORY:
    case TT_OVERLOADED:
        return "overloaded";
    case TT_NO_SPACE:
        return "no_space";
    case TT_UNAVAILABLE:
    case TT_TIMEOUT:
    case TT_IO:
    case TT_NOT_FOUND:
        return "unavailable";
    case TT_SHUTTING_DOWN:
        return "shutting_down";
    case TT_OK:
    case TT_INTERNAL:
    case TT_STATUS_COUNT:
    default:
        return "internal";
    }
}

static struct tt_meter *meter(const struct otlp_receiver *self, const struct tt_meter_desc *desc,
                              const char *name, const char *value)
{
    const struct tt_label labels[] = {
        {"receiver", tt_str(self->id)}, {"transport", TT_STR("http")}, {name, tt_str(value)}};

    return tt_meters_get(self->host->meters, desc, labels, name == NULL ? 2 : 3);
}

/* Zeros from the start, so that rate() sees the first increment; only signals that can come. */
static void make_meters(struct otlp_receiver *self)
{
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        if (self->next[i] == NULL)
            continue;
        self->accepted[i] = meter(self, &otlp_meters[METER_ACCEPTED + i], NULL, NULL);
        self->refused[i] = meter(self, &otlp_meters[METER_REFUSED + i], NULL, NULL);
        self->failed[i] = meter(self, &otlp_meters[METER_FAILED + i], NULL, NULL);
    }
    for (unsigned i = 0; i < OTLP_OUTCOME_COUNT; i++)
        self->requests[i] = meter(self, &otlp_meters[METER_REQUESTS], "outcome", outcome_names[i]);
    for (unsigned i = 0; i < TT_STATUS_COUNT; i++)
        self->refusals[i] =
            meter(self, &otlp_meters[METER_REFUSALS], "reason", reason_name((enum tt_status)i));
    self->clipped_attributes = meter(self, &otlp_meters[METER_CLIPPED_ATTRIBUTES], NULL, NULL);
    self->clipped_values = meter(self, &otlp_meters[METER_CLIPPED_VALUES], NULL, NULL);
}

static enum tt_status otlp_create(const struct tt_create_args *args, void **ret_self,
                                  struct tt_error *err)
{
    static const struct tt_shared_type windows_type = TT_LABEL_WINDOWS_TYPE;
    struct otlp_receiver *self = tt_calloc(1, sizeof(*self));

    if (self == NULL)
        return tt_fail(err, TT_NO_MEMORY, "allocate %zu bytes", sizeof(*self));
    self->config = args->config;
    self->id = args->id;
    self->host = args->host;
    self->max_body = self->config->protocols.http.max_request_body_size;
    if (self->max_body == 0)
        self->max_body = OTLP_MAX_BODY;
    self->clip = (struct tt_clip_limits){(uint32_t)self->config->max_attributes,
                                         self->config->max_value_bytes};
    self->windows = tt_host_share(args->host, &windows_type);
    if (self->windows == NULL) {
        tt_free(self);
        return tt_fail(err, TT_NO_MEMORY, "share the label windows: out of memory");
    }
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        self->next[i] = args->next[i];
        self->paths[i] = (struct otlp_path){.self = self, .signal = tt_signal_at(i)};
    }
    (void)pthread_mutex_init(&self->mu, NULL);
    make_meters(self);
    *ret_self = self;
    return TT_OK;
}

static void otlp_destroy(void *receiver)
{
    struct otlp_receiver *self = receiver;

    if (self == NULL)
        return;
    (void)otlp_shutdown(self, 0, NULL);
    (void)pthread_mutex_destroy(&self->mu);
    tt_free(self);
}

static const struct tt_component_ops otlp_ops = {
    .validate = otlp_validate,
    .create = otlp_create,
    .start = otlp_start,
    .shutdown = otlp_shutdown,
    .destroy = otlp_destroy,
};

const struct tt_component tt_receiver_otlp = {
    .type = "otlp",
    .kind = TT_RECEIVER,
    .stability = TT_BETA,
    .signals = TT_ALL_SIGNALS,
    .doc =
        "Takes traces, metrics and logs from OpenTelemetry SDKs and Collectors, as OTLP over HTTP.",
    .schema = &otlp_schema,
    .meters = otlp_meters,
    .ops = &otlp_ops,
};
