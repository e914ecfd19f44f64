/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loadgen_encode.h"

#include "cli/loadgen_wire.h"

/* More than the longest message below: 15 attributes of at most 200 bytes, labels and an exception event. */
#define MESSAGE_MAX 8192

/* Field numbers of opentelemetry.proto.trace.v1.Span. */
enum { SPAN_ATTRIBUTES = 9, SPAN_EVENTS = 11, SPAN_STATUS = 15 };
enum { SPAN_KIND_SERVER = 2, SPAN_KIND_CLIENT = 3, STATUS_ERROR = 2 };

/* Values that differ from span to span but follow from the trace, so that services agree on them. */
struct detail {
    char user[16], session[17], path[96], address[20], query[160];
    struct tt_str user_id, session_id, url_path, client_address, query_text;
    int64_t thread, port, size;
};

static size_t put_number(char *to, uint64_t value)
{
    char digits[20];
    size_t count = 0, length;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    length = count;
    while (count > 0)
        *to++ = digits[--count];
    return length;
}

/* "/cart/{id}" with a number from `bits` in place of each {…}. */
static struct tt_str fill_route(struct tt_str route, uint64_t bits, char *to)
{
    size_t length = 0;

    for (size_t i = 0; i < route.len; i++) {
        if (route.data[i] != '{') {
            to[length++] = route.data[i];
            continue;
        }
        length += put_number(to + length, bits % 100000);
        bits /= 7;
        while (i + 1 < route.len && route.data[i] != '}')
            i++;
    }
    return tt_str_of(to, length);
}

static struct tt_str join(char *to, struct tt_str head, uint64_t number, struct tt_str tail)
{
    size_t length = head.len;

    memcpy(to, head.data, head.len);
    length += put_number(to + length, number);
    memcpy(to + length, tail.data, tail.len);
    return tt_str_of(to, length + tail.len);
}

static void detail_of(const struct shop_trace *trace, uint32_t index, struct detail *detail)
{
    const struct shop_span *span = &trace->spans[index];
    uint64_t bits, user;

    memcpy(&bits, span->span_id, sizeof(bits));
    memcpy(&user, trace->trace_id, sizeof(user));
    detail->user_id = join(detail->user, TT_STR("u"), user % 100000, TT_STR(""));
    tt_hex_encode(trace->trace_id + 8, 8, detail->session);
    detail->session_id = tt_str_of(detail->session, 16);
    detail->url_path = fill_route(span->operation->route, user >> 8, detail->path);
    detail->client_address =
        join(detail->address, TT_STR("10.42."), bits >> 8 & 0xff, TT_STR(".17"));
    detail->query_text = join(detail->query, TT_STR("select * from items where shard = "),
                              bits % 512, TT_STR(" and state = ? order by updated_at limit 50"));
    detail->thread = (int64_t)(bits % 64);
    detail->port = (int64_t)(30000 + bits % 20000);
    detail->size = (int64_t)(200 + bits % 30000);
}

/* ---- attributes: 15 a span ---- */

static uint8_t *common_attributes(uint8_t *to, const struct shop_trace *trace,
                                  const struct detail *detail)
{
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("thread.id"), detail->thread);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("enduser.pseudo.id"), detail->user_id);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("session.id"), detail->session_id);
    return lg_text(to, SPAN_ATTRIBUTES, TT_STR("app.journey"), trace->journey);
}

static uint8_t *store_attributes(uint8_t *to, const struct shop_span *span,
                                 const struct detail *detail)
{
    const struct shop_operation *operation = span->operation;
    const struct shop_service_info *store = &shop_services[operation->service];

    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.system.name"), store->db_system);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.namespace"), TT_STR("robot-shop-production"));
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.collection.name"), operation->route);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.operation.name"), operation->method);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.query.text"), detail->query_text);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("server.address"), store->address);
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("server.port"), store->port);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("network.peer.address"), detail->client_address);
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("network.peer.port"), detail->port);
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("db.response.returned_rows"), detail->size % 50);
    return lg_text(to, SPAN_ATTRIBUTES, TT_STR("db.client.connection.pool.name"),
                   TT_STR("robot-shop-production-primary"));
}

static uint8_t *http_attributes(uint8_t *to, const struct shop_span *span,
                                const struct detail *detail)
{
    const struct shop_operation *operation = span->operation;
    const struct shop_service_info *server = &shop_services[operation->service];

    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("http.request.method"), operation->method);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("url.scheme"), TT_STR("http"));
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("url.path"), detail->url_path);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("http.route"), operation->route);
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("http.response.status_code"), span->http_status);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("server.address"), server->address);
    to = lg_int(to, SPAN_ATTRIBUTES, TT_STR("server.port"), server->port);
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("network.protocol.version"), TT_STR("1.1"));
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("user_agent.original"),
                 TT_STR("Mozilla/5.0 (X11; Linux x86_64) k6/1.8.1 (https://k6.io/)"));
    to = lg_text(to, SPAN_ATTRIBUTES, TT_STR("client.address"), detail->client_address);
    return lg_int(to, SPAN_ATTRIBUTES, TT_STR("http.response.body.size"), detail->size);
}

/* ---- labels ---- */

/* The names under which the four texts travel. */
struct label_names {
    struct tt_str type, label, root_cause, msg;
};
#define LABEL_NAMES(prefix, dash)                                                                \
    {                                                                                            \
        .type = {prefix "x" dash "anomaly" dash "type", sizeof(prefix) + 13},                    \
        .label = {prefix "x" dash "anomaly" dash "label", sizeof(prefix) + 14},                  \
        .root_cause = {prefix "x" dash "anomaly" dash "root" dash "cause", sizeof(prefix) + 19}, \
        .msg = {prefix "x" dash "anomaly" dash "msg", sizeof(prefix) + 12},                      \
    }
static const struct label_names header_names = LABEL_NAMES("http.request.header.", "-");
static const struct label_names python_names = LABEL_NAMES("http.request.header.", "_");
static const struct label_names baggage_names = LABEL_NAMES("", "-");

static uint8_t *label_attributes(uint8_t *to, const struct label_names *names,
                                 const struct shop_scenario_info *scenario,
                                 uint8_t *(*put)(uint8_t *to, unsigned field, struct tt_str key,
                                                 struct tt_str text))
{
    to = put(to, SPAN_ATTRIBUTES, names->type, scenario->type);
    to = put(to, SPAN_ATTRIBUTES, names->label, scenario->label);
    to = put(to, SPAN_ATTRIBUTES, names->root_cause, scenario->root_cause);
    return put(to, SPAN_ATTRIBUTES, names->msg, scenario->msg);
}

static uint8_t *label_span(uint8_t *to, const struct shop_trace *trace,
                           const struct shop_span *span, enum lg_labels labels)
{
    const struct shop_scenario_info *scenario = &shop_scenarios[trace->scenario];
    const struct shop_service_info *service = &shop_services[span->service];
    bool is_http_server = !span->is_client && service->db_system.len == 0;

    if (labels == LG_LABELS_HEADER && is_http_server)
        return label_attributes(
            to, tt_str_equal(service->language, TT_STR("python")) ? &python_names : &header_names,
            scenario, lg_text_array);
    if (labels == LG_LABELS_BAGGAGE)
        return label_attributes(to, &baggage_names, scenario, lg_text);
    if (labels == LG_LABELS_ROOT_ONLY && span->parent < 0)
        return label_attributes(to, &header_names, scenario, lg_text);
    return to;
}

/* ---- spans ---- */

static uint8_t *exception_event(uint8_t *to, const struct shop_span *span, uint64_t time_ns)
{
    uint8_t event[512], *end = event;

    end = lg_fixed64(end, 1, time_ns);
    end = lg_bytes(end, 2, TT_STR("exception"));
    end = lg_text(end, 3, TT_STR("exception.type"), TT_STR("ServiceError"));
    end = lg_text(end, 3, TT_STR("exception.message"), span->error);
    return lg_bytes(to, SPAN_EVENTS, tt_str_of(event, (size_t)(end - event)));
}

static uint8_t *status(uint8_t *to, const struct shop_span *span)
{
    uint8_t message[128], *end = message;

    if (span->error.len == 0)
        return lg_open(to, SPAN_STATUS, 0);
    end = lg_bytes(end, 2, span->error);
    end = lg_number(end, 3, STATUS_ERROR);
    return lg_bytes(to, SPAN_STATUS, tt_str_of(message, (size_t)(end - message)));
}

static uint8_t *span_name(uint8_t *to, const struct shop_span *span)
{
    const struct shop_operation *operation = span->operation;
    char name[96];
    size_t length = operation->method.len;

    memcpy(name, operation->method.data, length);
    name[length++] = ' ';
    memcpy(name + length, operation->route.data, operation->route.len);
    return lg_bytes(to, 5, tt_str_of(name, length + operation->route.len));
}

static uint8_t *span_identity(uint8_t *to, const struct shop_trace *trace,
                              const struct shop_span *span)
{
    to = lg_bytes(to, 1, tt_str_of(trace->trace_id, 16));
    to = lg_bytes(to, 2, tt_str_of(span->span_id, 8));
    if (span->parent >= 0)
        to = lg_bytes(to, 4, tt_str_of(trace->spans[span->parent].span_id, 8));
    return to;
}

static size_t write_span(uint8_t *to, const struct shop_trace *trace, uint32_t index,
                         enum lg_labels labels, uint64_t begin_ns)
{
    const struct shop_span *span = &trace->spans[index];
    uint64_t end_ns = begin_ns + span->end_us * 1000;
    const uint8_t *begin = to;
    struct detail detail;

    detail_of(trace, index, &detail);
    to = span_name(span_identity(to, trace, span), span);
    to = lg_number(to, 6, span->is_client ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER);
    to = lg_fixed64(to, 7, begin_ns + span->start_us * 1000);
    to = lg_fixed64(to, 8, end_ns);
    to = shop_services[span->operation->service].db_system.len > 0
             ? store_attributes(to, span, &detail)
             : http_attributes(to, span, &detail);
    to = common_attributes(to, trace, &detail);
    to = label_span(to, trace, span, labels);
    if (span->error.len > 0)
        to = exception_event(to, span, end_ns);
    return (size_t)(status(to, span) - begin);
}

/* Appends a message as field 2, the place of a row in its Scope… message. */
static void append_item(struct tt_buffer *out, const uint8_t *message, size_t length)
{
    char *to = tt_buffer_reserve(out, length + 12);
    uint8_t *end;

    if (to == NULL)
        return;
    end = lg_bytes((uint8_t *)to, 2, tt_str_of(message, length));
    out->len += (size_t)(end - (uint8_t *)to);
}

void lg_encode_span(const struct shop_trace *trace, uint32_t index, enum lg_labels labels,
                    uint64_t begin_ns, struct tt_buffer *out)
{
    uint8_t message[MESSAGE_MAX];

    append_item(out, message, write_span(message, trace, index, labels, begin_ns));
}

/* ---- logs ---- */

void lg_encode_log(const struct shop_trace *trace, uint32_t index, uint64_t begin_ns,
                   struct tt_buffer *out)
{
    const struct shop_span *span = &trace->spans[index];
    bool failed = span->error.len > 0;
    uint64_t time_ns = begin_ns + span->end_us * 1000;
    struct tt_str text = failed ? span->error : TT_STR("request served");
    uint8_t message[1024], *to = message;

    to = lg_fixed64(to, 1, time_ns);
    to = lg_number(to, 2, failed ? 17 : 9);
    to = lg_bytes(to, 3, failed ? TT_STR("ERROR") : TT_STR("INFO"));
    to = lg_bytes(lg_open(to, 5, lg_field_size(text.len)), 1, text);
    to = lg_text(to, 6, TT_STR("http.route"), span->operation->route);
    to = lg_int(to, 6, TT_STR("http.response.status_code"), span->http_status);
    to = lg_bytes(to, 9, tt_str_of(trace->trace_id, 16));
    to = lg_bytes(to, 10, tt_str_of(span->span_id, 8));
    to = lg_fixed64(to, 11, time_ns + 1000000);
    append_item(out, message, (size_t)(to - message));
}

/* ---- metrics ---- */

static const double bucket_bounds_ms[LG_BUCKETS - 1] = {1, 5, 10, 50, 100, 500, 1000};

void lg_stats_add(struct lg_service_stats *stats, const struct shop_span *span)
{
    uint64_t duration_us = span->end_us - span->start_us;
    size_t bucket = 0;

    while (bucket < LG_BUCKETS - 1 && (double)duration_us / 1000 > bucket_bounds_ms[bucket])
        bucket++;
    stats->requests++;
    stats->errors += span->error.len > 0;
    stats->duration_sum_us += duration_us;
    stats->buckets[bucket]++;
    stats->busy_us += duration_us;
}

/* A Metric: name = 1, unit = 3, the data under its own field. */
static void append_metric(struct tt_buffer *out, struct tt_str name, struct tt_str unit,
                          unsigned field, const uint8_t *data, size_t length)
{
    uint8_t message[1024], *to = message;

    to = lg_bytes(to, 1, name);
    to = lg_bytes(to, 3, unit);
    to = lg_bytes(to, field, tt_str_of(data, length));
    append_item(out, message, (size_t)(to - message));
}

enum { METRIC_GAUGE = 5, METRIC_SUM = 7, METRIC_HISTOGRAM = 9, CUMULATIVE = 2 };

static void append_gauge(struct tt_buffer *out, struct tt_str name, struct tt_str unit,
                         double value, uint64_t now_ns)
{
    uint8_t point[64], data[96], *end = lg_double(lg_fixed64(point, 3, now_ns), 4, value);
    size_t length = (size_t)(lg_bytes(data, 1, tt_str_of(point, (size_t)(end - point))) - data);

    append_metric(out, name, unit, METRIC_GAUGE, data, length);
}

static void append_requests(struct tt_buffer *out, const struct lg_service_stats *stats,
                            uint64_t start_ns, uint64_t now_ns)
{
    uint8_t point[64], data[128], *end = lg_fixed64(lg_fixed64(point, 2, start_ns), 3, now_ns);

    end = lg_fixed64(end, 6, stats->requests);
    end = lg_bytes(data, 1, tt_str_of(point, (size_t)(end - point)));
    end = lg_number(lg_number(end, 2, CUMULATIVE), 3, 1);
    append_metric(out, TT_STR("http.server.request.count"), TT_STR("{request}"), METRIC_SUM, data,
                  (size_t)(end - data));
}

static void append_durations(struct tt_buffer *out, const struct lg_service_stats *stats,
                             uint64_t start_ns, uint64_t now_ns)
{
    uint8_t point[512], data[600], *end = lg_fixed64(lg_fixed64(point, 2, start_ns), 3, now_ns);

    end = lg_fixed64(end, 4, stats->requests);
    end = lg_double(end, 5, (double)stats->duration_sum_us / 1000);
    end = lg_bytes(end, 6, tt_str_of(stats->buckets, sizeof(stats->buckets)));
    end = lg_bytes(end, 7, tt_str_of(bucket_bounds_ms, sizeof(bucket_bounds_ms)));
    end = lg_bytes(data, 1, tt_str_of(point, (size_t)(end - point)));
    end = lg_number(end, 2, CUMULATIVE);
    append_metric(out, TT_STR("http.server.request.duration"), TT_STR("ms"), METRIC_HISTOGRAM, data,
                  (size_t)(end - data));
}

void lg_encode_metrics(const struct lg_service_stats *stats, uint64_t start_ns, uint64_t now_ns,
                       uint64_t interval_ns, struct tt_buffer *out)
{
    double busy = (double)stats->busy_us * 1000 / (double)interval_ns;

    append_gauge(out, TT_STR("process.cpu.utilization"), TT_STR("1"), busy > 1 ? 1 : busy, now_ns);
    append_gauge(out, TT_STR("process.memory.usage"), TT_STR("By"),
                 80e6 + (double)(stats->requests % 5000) * 1000, now_ns);
    append_requests(out, stats, start_ns, now_ns);
    append_durations(out, stats, start_ns, now_ns);
}

/* ---- requests ---- */

static size_t write_resource(uint8_t *to, const struct shop_service_info *service)
{
    const uint8_t *begin = to;

    to = lg_text(to, 1, TT_STR("service.name"), service->name);
    to = lg_text(to, 1, TT_STR("service.version"), TT_STR("2.4.1"));
    to = lg_text(to, 1, TT_STR("service.namespace"), TT_STR("robot-shop"));
    to = lg_text(to, 1, TT_STR("host.name"), service->address);
    to = lg_text(to, 1, TT_STR("telemetry.sdk.language"), service->language);
    to = lg_text(to, 1, TT_STR("telemetry.sdk.name"), TT_STR("opentelemetry"));
    return (size_t)(to - begin);
}

void lg_encode_request(enum shop_service service, struct tt_str items, struct tt_buffer *out)
{
    static const struct tt_str scope = {"\x0a\x10telltale.loadgen", 18};
    uint8_t resource[512];
    size_t resource_len = write_resource(resource, &shop_services[service]);
    size_t scope_items = lg_field_size(scope.len) + items.len;
    char *to = tt_buffer_reserve(out, resource_len + scope_items + 64);
    uint8_t *end;

    if (to == NULL)
        return;
    end = lg_open((uint8_t *)to, 1, lg_field_size(resource_len) + lg_field_size(scope_items));
    end = lg_bytes(end, 1, tt_str_of(resource, resource_len));
    end = lg_bytes(lg_open(end, 2, scope_items), 1, scope);
    memcpy(end, items.data, items.len);
    out->len += (size_t)(end + items.len - (uint8_t *)to);
}
