/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_TRACE_ASSEMBLER_FIXTURE_H
#define TT_TESTS_UNIT_TRACE_ASSEMBLER_FIXTURE_H

/*
 * A trace_assembler between a test and a sink that remembers what it gets, by a clock the test moves.
 *
 * Rows are written "trace.span": "1.2 1.3 2.1"; trace 0 means no trace id.
 */

#include "config/schema.h"
#include "config/tree.h"
#include "otlp/json.h"
#include "pipeline/component.h"
#include "pipeline/engine.h"
#include "tt_batch.h"
#include "tt_test.h"

#include <pthread.h>

extern const struct tt_component tt_processor_trace_assembler;

enum { SINK_MAX = 4096 };

struct sink {
    struct tt_consumer consumer;
    pthread_mutex_t mu;
    struct tt_batch *batches[SINK_MAX]; /* guarded by mu, as the others */
    size_t n_batches, n_rows;
    enum tt_status fail; /* instead of taking */
    bool forget;         /* count only */
};

struct fixture {
    struct tt_fake_clock clock;
    struct tt_service service;
    struct tt_host host;
    struct sink sink;
    struct tt_arena arena;
    struct tt_tree *tree;
    void *config, *self;
    const struct tt_component *component;
};

static inline enum tt_status sink_consume(struct tt_consumer *consumer, struct tt_batch **batch,
                                          struct tt_error *err)
{
    struct sink *sink = TT_CONTAINER(consumer, struct sink, consumer);
    struct tt_batch *taken = TT_TAKE(*batch);
    enum tt_status status;

    pthread_mutex_lock(&sink->mu);
    status = sink->fail;
    if (status == TT_OK) {
        sink->n_rows += tt_batch_live_rows(taken);
        if (!sink->forget) {
            assert_true(sink->n_batches < SINK_MAX);
            sink->batches[sink->n_batches] = tt_batch_ref(taken);
        }
        sink->n_batches++;
        tt_ack_set_delivered(taken->ack);
    }
    pthread_mutex_unlock(&sink->mu);
    tt_batch_unref(taken);
    return status == TT_OK ? TT_OK : tt_fail(err, status, "sink fails");
}

static inline void sink_clear(struct sink *sink)
{
    for (size_t i = 0; i < sink->n_batches && !sink->forget; i++)
        tt_batch_unref(sink->batches[i]);
    sink->n_batches = sink->n_rows = 0;
}

static inline bool fixture_create(struct fixture *f, enum tt_signal signal)
{
    struct tt_create_args args = {.id = "trace_assembler",
                                  .config = f->config,
                                  .host = &f->host,
                                  .signals = (unsigned)signal};
    struct tt_error err;

    args.next[tt_signal_index(signal)] = &f->sink.consumer;
    return f->component->ops->create(&args, &f->self, &err) == TT_OK;
}

/* yaml: options of the component. */
static inline void fixture_init(struct fixture *f, enum tt_signal signal, const char *yaml)
{
    struct tt_diags diags;

    memset(f, 0, sizeof(*f));
    f->component = &tt_processor_trace_assembler;
    tt_fake_clock_init(&f->clock, UINT64_C(1755770400000000000));
    tt_fake_clock_advance(&f->clock, 1000 * TT_SECOND + 12345);
    pthread_mutex_init(&f->service.shared_mu, NULL);
    f->service.clock = &f->clock.clock;
    f->service.meters = tt_meters_new(1000);
    tt_host_init(&f->host, &f->service, "trace_assembler");
    pthread_mutex_init(&f->sink.mu, NULL);
    f->sink.consumer =
        (struct tt_consumer){.consume = sink_consume, .signal = signal, .name = "sink"};
    tt_arena_init(&f->arena, 0, 0);
    tt_diags_init(&diags);
    f->tree = tt_tree_new();
    assert_true(tt_tree_merge_text(f->tree, "test", tt_str(yaml), tt_env_process, NULL, &diags));
    f->config = tt_arena_calloc(&f->arena, 1, f->component->schema->size);
    assert_true(tt_config_decode(f->component->schema, f->tree->root, "trace_assembler", &f->arena,
                                 f->config, &diags));
    tt_diags_done(&diags);
}

static inline void fixture_open(struct fixture *f, enum tt_signal signal, const char *yaml)
{
    fixture_init(f, signal, yaml);
    assert_true(fixture_create(f, signal));
}

static inline void fixture_done(struct fixture *f)
{
    f->component->ops->destroy(f->self);
    sink_clear(&f->sink);
    pthread_mutex_destroy(&f->sink.mu);
    tt_meters_free(f->service.meters);
    pthread_mutex_destroy(&f->service.shared_mu);
    tt_tree_free(f->tree);
    tt_arena_done(&f->arena);
}

/* ---- rows ---- */

static inline void append_span(struct tt_buffer *json, enum tt_signal signal, unsigned trace,
                               unsigned span)
{
    tt_buffer_printf(json, "{");
    if (trace > 0)
        tt_buffer_printf(json, "\"traceId\":\"%032x\",", trace);
    tt_buffer_printf(json, "\"spanId\":\"%016x\",", span);
    if (signal == TT_TRACES)
        tt_buffer_printf(json, "\"name\":\"op\",\"startTimeUnixNano\":\"%u\"}", span);
    else
        tt_buffer_printf(json, "\"timeUnixNano\":\"%u\"}", span);
}

/* spec: "1.1 1.2 0.3"; service may be NULL. */
static inline struct tt_batch *rows_of(enum tt_signal signal, const char *service, const char *spec)
{
    const char *rows = signal == TT_TRACES ? "spans" : "logRecords";
    struct tt_str rest = tt_str(spec);
    struct tt_buffer json;
    struct tt_batch *batch;
    bool is_first = true;

    tt_buffer_init(&json, (size_t)1 << 28);
    tt_buffer_printf(&json,
                     "{\"%s\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
                     "\"stringValue\":\"%s\"}}]},\"%s\":[{\"scope\":{\"name\":\"s\"},\"%s\":[",
                     signal == TT_TRACES ? "resourceSpans" : "resourceLogs",
                     service == NULL ? "shop" : service,
                     signal == TT_TRACES ? "scopeSpans" : "scopeLogs", rows);
    while (rest.data != NULL) {
        struct tt_str word = tt_str_cut(&rest, ' '), trace = tt_str_cut(&word, '.');
        uint64_t t = 0, s = 0;
        assert_true(tt_str_to_uint64(trace, &t) && tt_str_to_uint64(word, &s));
        tt_buffer_printf(&json, "%s", is_first ? "" : ",");
        append_span(&json, signal, (unsigned)t, (unsigned)s);
        is_first = false;
    }
    tt_buffer_printf(&json, "]}]}]}");
    batch = tt_test_batch(signal, tt_buffer_view(&json));
    tt_buffer_done(&json);
    return batch;
}

static inline enum tt_status consume(struct fixture *f, struct tt_batch *batch)
{
    struct tt_error err;
    enum tt_status status = f->component->ops->consume(f->self, &batch, &err);

    assert_null(batch);
    return status;
}

static inline void give(struct fixture *f, const char *spec)
{
    assert_status(consume(f, rows_of(f->sink.consumer.signal, NULL, spec)), TT_OK);
}

static inline unsigned number_at(const uint8_t *id, size_t len)
{
    return id == NULL ? 0 : (unsigned)id[len - 1] | (unsigned)id[len - 2] << 8;
}

/* What arrived so far, batch by batch: "[1.1 1.2][2.1L]" with I for incomplete and L for late. */
static inline const char *arrived(struct fixture *f, struct tt_buffer *text)
{
    tt_buffer_clear(text);
    for (size_t i = 0; i < f->sink.n_batches; i++) {
        const struct tt_batch *batch = f->sink.batches[i];
        const struct tt_row *row;
        bool is_first = true;
        tt_buffer_printf(text, "[");
        for (uint32_t j = 0; (row = tt_batch_next(batch, &j)) != NULL;) {
            bool is_span = batch->signal == TT_TRACES;
            tt_buffer_printf(text, "%s%u.%u%s%s", is_first ? "" : " ",
                             number_at(is_span ? row->span.trace_id : row->log.trace_id, 16),
                             number_at(is_span ? row->span.span_id : row->log.span_id, 8),
                             row->flags & TT_ROW_INCOMPLETE ? "I" : "",
                             row->flags & TT_ROW_LATE ? "L" : "");
            is_first = false;
        }
        tt_buffer_printf(text, "]");
    }
    tt_buffer_append_byte(text, '\0');
    return text->data;
}

#define assert_arrived(f, expected)                            \
    do {                                                       \
        struct tt_buffer text_;                                \
        tt_buffer_init(&text_, (size_t)1 << 28);               \
        assert_string_equal(arrived((f), &text_), (expected)); \
        tt_buffer_done(&text_);                                \
    } while (0)

/* Lets time pass; a row without a trace id makes the assembler look at the clock, and is forgotten. */
static inline void pass_time(struct fixture *f, tt_dur by)
{
    size_t n;

    tt_fake_clock_advance(&f->clock, by);
    give(f, "0.9");
    for (n = 0; n < f->sink.n_batches; n++)
        if (tt_batch_live_rows(f->sink.batches[n]) == 1 &&
            (f->sink.consumer.signal == TT_TRACES
                 ? f->sink.batches[n]->rows[0].span.trace_id
                 : f->sink.batches[n]->rows[0].log.trace_id) == NULL)
            break;
    assert_true(n < f->sink.n_batches);
    tt_batch_unref(f->sink.batches[n]);
    f->sink.n_batches--;
    f->sink.n_rows--;
    memmove(&f->sink.batches[n], &f->sink.batches[n + 1],
            (f->sink.n_batches - n) * sizeof(f->sink.batches[0]));
}

static inline void meter_add_up(void *context, const struct tt_reading *reading)
{
    struct {
        const char *name;
        const char *label;
        double value;
    } *wanted = context;

    if (strcmp(reading->desc->name, wanted->name) != 0)
        return;
    for (size_t i = 0; wanted->label != NULL && i < reading->n_labels; i++)
        if (tt_str_equal(reading->labels[i].value, tt_str(wanted->label)))
            wanted->value += reading->value;
    if (wanted->label == NULL)
        wanted->value += reading->value;
}

/* The sum of all series of that name, or of those with a label of that value. */
static inline double meter_value(struct fixture *f, const char *name, const char *label)
{
    struct {
        const char *name;
        const char *label;
        double value;
    } wanted = {name, label, 0};

    tt_meters_read(f->service.meters, meter_add_up, &wanted);
    return wanted.value;
}

#endif
