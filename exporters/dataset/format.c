/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/format.h"

#include "base/clock.h"
#include "exporters/dataset/cells.h"
#include "otlp/json.h"

#define MAX_PIECE       ((size_t)1 << 30)
#define MAX_CELL        ((size_t)256 << 20)
#define KEEP_BUFFER     ((size_t)4 << 20)
#define MAX_LABEL_TEXTS ((size_t)1 << 20)

/* ---- life ---- */

struct dataset_formatter *dataset_formatter_new(const struct dataset_layout *layout, bool guard)
{
    struct dataset_formatter *formatter = tt_calloc(1, sizeof(*formatter));

    if (formatter == NULL)
        return NULL;
    formatter->layout = layout;
    formatter->guard = guard;
    tt_buffer_init(&formatter->bytes, MAX_PIECE);
    tt_buffer_init(&formatter->runs, MAX_CELL);
    tt_buffer_init(&formatter->scratch, MAX_CELL);
    tt_buffer_init(&formatter->json, MAX_CELL);
    tt_buffer_init(&formatter->classes, MAX_CELL);
    tt_buffer_init(&formatter->label_texts, MAX_CELL);
    tt_buffer_init(&formatter->service.text, MAX_CELL);
    tt_buffer_init(&formatter->resource.text, MAX_CELL);
    return formatter;
}

static struct tt_buffer *buffer_at(struct dataset_formatter *f, unsigned i)
{
    struct tt_buffer *all[] = {&f->bytes,   &f->runs,        &f->scratch,      &f->json,
                               &f->classes, &f->label_texts, &f->service.text, &f->resource.text};

    return i < TT_LENGTH(all) ? all[i] : NULL;
}

void dataset_formatter_free(struct dataset_formatter *formatter)
{
    struct tt_buffer *buffer;

    if (formatter == NULL)
        return;
    for (unsigned i = 0; (buffer = buffer_at(formatter, i)) != NULL; i++)
        tt_buffer_done(buffer);
    tt_free(formatter);
}

static void forget_label_texts(struct dataset_formatter *f)
{
    tt_buffer_clear(&f->label_texts);
    memset(f->recent_classes, 0, sizeof(f->recent_classes));
    f->last_class = SIZE_MAX;
}

void dataset_format_begin(struct dataset_formatter *f, const struct tt_batch *batch)
{
    const struct dataset_signal_layout *signal =
        &f->layout->signals[tt_signal_index(batch->signal)];

    f->batch = batch;
    f->next_row = 0;
    f->rows = 0;
    f->min_ns = UINT64_MAX;
    f->max_ns = 0;
    f->extras_of = UINT32_MAX;
    f->day.number = UINT64_MAX;
    f->resource_of = UINT32_MAX;
    f->service.valid = false;
    tt_buffer_clear(&f->runs);
    tt_buffer_clear(&f->classes);
    forget_label_texts(f);
    for (size_t i = 0; i < DATASET_LABELS; i++)
        f->label_columns[i] = tt_batch_find_column(batch, tt_str(dataset_label_columns[i]));
    for (size_t i = 0; i < signal->n_declared; i++)
        f->declared[i] = tt_batch_find_column(batch, tt_str(signal->declared[i]->name));
}

void dataset_format_end(struct dataset_formatter *f)
{
    struct tt_buffer *buffer;

    f->batch = NULL;
    for (unsigned i = 0; (buffer = buffer_at(f, i)) != NULL; i++) {
        tt_buffer_clear(buffer);
        if (buffer->cap > KEEP_BUFFER)
            tt_buffer_done(buffer);
    }
}

/* ---- single cells; each writes the comma before it ---- */

static void comma(struct dataset_formatter *f)
{
    tt_buffer_append_byte(&f->bytes, ',');
}

static void put_text(struct dataset_formatter *f, struct tt_str text)
{
    comma(f);
    dataset_cell_text(&f->bytes, text, f->guard);
}

static void put_value(struct dataset_formatter *f, const struct tt_value *value)
{
    comma(f);
    dataset_cell_value(&f->bytes, value, &f->scratch, f->guard);
}

static void put_slot(struct dataset_formatter *f, unsigned slot)
{
    if (f->ranks[slot] == 0)
        comma(f);
    else
        put_value(f, &f->values[slot]);
}

static void put_uint(struct dataset_formatter *f, uint64_t value)
{
    char *to = tt_buffer_reserve(&f->bytes, 21);

    if (to == NULL)
        return;
    *to = ',';
    f->bytes.len += (size_t)(dataset_put_uint(to + 1, value) - to);
}

/* A fixed-size id as hexadecimal; empty when it is absent. */
static void put_id(struct dataset_formatter *f, const uint8_t *id, size_t len)
{
    char *to = tt_buffer_reserve(&f->bytes, 2 * len + 1);

    if (to == NULL)
        return;
    *to = ',';
    f->bytes.len += (size_t)(dataset_put_id(to + 1, id, len) - to);
}

/* A name of an enumeration, or the number of a value that has none. */
static void put_enum(struct dataset_formatter *f, int32_t value, const char *const *names,
                     int32_t count)
{
    comma(f);
    if (value >= 0 && value < count)
        tt_buffer_append_str(&f->bytes, tt_str(names[value]));
    else
        tt_buffer_append_int64(&f->bytes, value);
}

/* Without a comma: it is the first cell. */
static void put_timestamp(struct dataset_formatter *f, uint64_t ns)
{
    char *to = tt_buffer_reserve(&f->bytes, 30);

    if (to != NULL)
        f->bytes.len += (size_t)(dataset_put_timestamp(to, &f->day, ns) - to);
}

/* ---- attributes ---- */

/* The slot of a key whose value is wanted, or -1. */
static inline int wanted_slot(struct dataset_formatter *f, struct tt_str name)
{
    const struct dataset_key *key = dataset_find_key(f->layout, name);

    if (key == NULL || f->ranks[key->slot] >= key->rank)
        return -1;
    f->ranks[key->slot] = key->rank;
    return key->slot;
}

/* What most values are in line: an AnyValue's field 1 with a length of one byte, and its field 3 from 128 to 16383 (ports, HTTP's codes). */
static inline void decode(struct tt_str any_value, struct tt_value *ret_value)
{
    const uint8_t *at = (const uint8_t *)any_value.data;

    if (TT_LIKELY(any_value.len >= 2 && at[0] == 0x0a && at[1] < 0x80)) {
        ret_value->type = TT_VALUE_STRING;
        ret_value->text.data = (const char *)at + 2;
        ret_value->text.len = at[1];
    } else if (any_value.len == 3 && at[0] == 0x18) {
        ret_value->type = TT_VALUE_INT;
        ret_value->integer = (at[1] & 0x7f) | at[2] << 7;
    } else {
        *ret_value = tt_value_of(any_value);
    }
}

/* Most rows have no edits, and most attributes no column: values are decoded when their keys are known. */
static void collect(struct dataset_formatter *f, const struct tt_row *row)
{
    struct tt_cursor cursor = tt_row_own_attributes(f->batch, row);
    struct tt_attribute attribute;
    struct tt_str key, value;
    int slot;

    memset(f->ranks, 0, f->layout->n_slots);
    while (tt_cursor_is_plain(&cursor) && tt_next_key(&cursor, &key, &value))
        if ((slot = wanted_slot(f, key)) >= 0)
            decode(value, &f->values[slot]);
    while (!tt_cursor_is_plain(&cursor) && tt_next_attribute(&cursor, &attribute))
        if ((slot = wanted_slot(f, attribute.key)) >= 0)
            f->values[slot] = attribute.value;
}

/* Extra attributes may be the resource's (k8s.pod.name, say). */
static void collect_resource(struct dataset_formatter *f, const struct tt_row *row)
{
    uint32_t resource = tt_row_scope(f->batch, row)->resource;
    struct tt_cursor cursor;
    struct tt_attribute attribute;

    if (resource == f->extras_of)
        return;
    f->extras_of = resource;
    memset(f->has_resource_value, 0, sizeof(f->has_resource_value));
    cursor = tt_resource_attributes(f->batch, resource);
    while (tt_next_attribute(&cursor, &attribute)) {
        const struct dataset_key *key = dataset_find_key(f->layout, attribute.key);
        if (key == NULL || key->slot < SLOT_EXTRA || f->has_resource_value[key->slot - SLOT_EXTRA])
            continue;
        f->resource_values[key->slot - SLOT_EXTRA] = attribute.value;
        f->has_resource_value[key->slot - SLOT_EXTRA] = true;
    }
}

static void put_extras(struct dataset_formatter *f, const struct tt_row *row)
{
    if (f->layout->n_extras > 0)
        collect_resource(f, row);
    for (unsigned i = 0; i < f->layout->n_extras; i++) {
        if (f->ranks[SLOT_EXTRA + i] == 0 && f->has_resource_value[i])
            put_value(f, &f->resource_values[i]);
        else
            put_slot(f, SLOT_EXTRA + i);
    }
}

static void put_declared(struct dataset_formatter *f, uint32_t row)
{
    size_t n = f->layout->signals[tt_signal_index(f->batch->signal)].n_declared;

    for (size_t i = 0; i < n; i++) {
        const struct tt_column *column = f->declared[i];
        comma(f);
        if (column == NULL || !tt_column_has(column, row))
            continue;
        if (column->desc->type == TT_COLUMN_TEXT)
            dataset_cell_text(&f->bytes, column->texts[row], f->guard);
        else if (column->desc->type == TT_COLUMN_INT)
            tt_buffer_append_int64(&f->bytes, column->integers[row]);
        else
            tt_buffer_append_double(&f->bytes, column->reals[row]);
    }
}

/* All attributes as one JSON object in one cell. */
static void write_json_object(struct dataset_formatter *f, struct tt_cursor cursor,
                              struct tt_buffer *out)
{
    struct tt_attribute attribute;
    char open = '{';

    tt_buffer_clear(&f->json);
    while (tt_next_attribute(&cursor, &attribute)) {
        tt_buffer_append_byte(&f->json, open);
        tt_json_write_text(attribute.key, &f->json);
        tt_buffer_append_byte(&f->json, ':');
        tt_json_write_plain_value(&attribute.value, &f->json);
        open = ',';
    }
    if (open == '{')
        tt_buffer_append_byte(&f->json, '{');
    tt_buffer_append_byte(&f->json, '}');
    if (f->json.failed != TT_OK)
        f->bytes.failed = f->json.failed;
    else
        dataset_cell_text(out, tt_buffer_view(&f->json), false);
}

static void put_cached(struct dataset_formatter *f, struct dataset_cache *cache)
{
    tt_buffer_append_str(&f->bytes, tt_buffer_view(&cache->text));
    if (cache->text.failed != TT_OK)
        f->bytes.failed = cache->text.failed;
}

static void put_attributes(struct dataset_formatter *f, const struct tt_row *row)
{
    uint32_t resource = tt_row_scope(f->batch, row)->resource;

    comma(f);
    write_json_object(f, tt_row_own_attributes(f->batch, row), &f->bytes);
    if (f->resource_of != resource) {
        tt_buffer_clear(&f->resource.text);
        tt_buffer_append_byte(&f->resource.text, ',');
        write_json_object(f, tt_resource_attributes(f->batch, resource), &f->resource.text);
        f->resource_of = resource;
    }
    put_cached(f, &f->resource);
}

static bool same_view(struct tt_str a, struct tt_str b)
{
    return a.data == b.data && a.len == b.len;
}

/* The cell of the row's service, kept while it does not change. */
static void find_service(struct dataset_formatter *f, const struct tt_row *row)
{
    struct tt_str name = tt_row_resource(f->batch, row)->service_name;

    if (f->service.valid && same_view(f->service.input, name))
        return;
    tt_buffer_clear(&f->service.text);
    tt_buffer_append_byte(&f->service.text, ',');
    dataset_cell_text(&f->service.text, name, f->guard);
    f->service.input = name;
    f->service.valid = true;
}

/* ---- labels and runs ---- */

static struct tt_str label_of(const struct dataset_formatter *f, uint32_t row, unsigned i)
{
    static const struct tt_str defaults[DATASET_LABELS] = {
        {"none", 4}, {"normal", 6}, {"none", 4}, {"", 0}, {"none", 4}};
    const struct tt_column *column = f->label_columns[i];
    struct tt_str text;

    if (column != NULL && tt_column_has(column, row))
        return column->texts[row];
    if (f->ranks[SLOT_TYPE + i] != 0 && tt_value_first_text(&f->values[SLOT_TYPE + i], &text))
        return text;
    return defaults[i];
}

static bool same_labels(const struct dataset_class *class,
                        const struct tt_str labels[DATASET_LABELS])
{
    for (size_t i = 0; i < DATASET_LABELS; i++)
        if (!same_view(class->labels[i], labels[i]) && !tt_str_equal(class->labels[i], labels[i]))
            return false;
    return true;
}

static size_t recent_slot(const struct tt_str labels[DATASET_LABELS])
{
    struct tt_str type = labels[SLOT_TYPE];
    size_t hash = type.len == 0 ? 0 : (uint8_t)type.data[0] + (uint8_t)type.data[type.len - 1] * 3u;

    for (size_t i = 0; i < DATASET_LABELS; i++)
        hash = hash * 7 + labels[i].len;
    return (hash ^ hash >> 6) % DATASET_RECENT;
}

/* The texts of classes are kept up to a bound; beyond it a class may come twice. */
static size_t add_class(struct dataset_formatter *f, const struct tt_str labels[DATASET_LABELS])
{
    struct dataset_class class = {.rows = 0};
    size_t n;

    if (f->label_texts.len > MAX_LABEL_TEXTS)
        forget_label_texts(f);
    class.text_at = f->label_texts.len;
    for (size_t i = 0; i < DATASET_LABELS; i++) {
        class.labels[i] = labels[i];
        tt_buffer_append_byte(&f->label_texts, ',');
        dataset_cell_text(&f->label_texts, labels[i], f->guard);
    }
    class.text_len = f->label_texts.len - class.text_at;
    tt_buffer_append(&f->classes, &class, sizeof(class));
    if (f->label_texts.failed != TT_OK)
        f->classes.failed = f->label_texts.failed;
    (void)dataset_classes(f, &n);
    return n - 1;
}

/* The class of a row, as an index. Nothing is there to point to when memory is out: classes.failed tells. */
static size_t class_of(struct dataset_formatter *f, uint32_t row)
{
    size_t n, slot;
    const struct dataset_class *classes = dataset_classes(f, &n);
    struct tt_str labels[DATASET_LABELS];

    for (unsigned i = 0; i < DATASET_LABELS; i++)
        labels[i] = label_of(f, row, i);
    if (f->last_class < n && same_labels(&classes[f->last_class], labels))
        return f->last_class;
    slot = recent_slot(labels);
    if (f->recent_classes[slot] == 0 ||
        !same_labels(&classes[f->recent_classes[slot] - 1], labels)) {
        size_t added = add_class(f, labels);
        if (f->classes.failed != TT_OK)
            return SIZE_MAX;
        f->recent_classes[slot] = (uint32_t)added + 1;
    }
    return f->recent_classes[slot] - 1;
}

static struct dataset_class *last_class(const struct dataset_formatter *f)
{
    size_t n;

    return &dataset_classes(f, &n)[f->last_class];
}

/* Returns whether the row has the labels of the row before. */
static bool find_labels(struct dataset_formatter *f, uint32_t row)
{
    size_t before = f->last_class;

    f->last_class = class_of(f, row);
    if (f->classes.failed != TT_OK)
        f->bytes.failed = f->classes.failed;
    return f->last_class == before;
}

static void put_labels(struct dataset_formatter *f)
{
    const struct dataset_class *class = last_class(f);

    tt_buffer_append(&f->bytes, f->label_texts.data + class->text_at, class->text_len);
}

static void add_to_runs(struct dataset_formatter *f, size_t begin, bool same)
{
    size_t n;
    struct dataset_run *runs = dataset_runs(f, &n);

    if (f->bytes.failed != TT_OK)
        return;
    last_class(f)->rows++;
    if (same && n > f->first_run) {
        runs[n - 1].end = f->bytes.len;
        runs[n - 1].rows++;
    } else {
        struct dataset_run run = {
            .begin = begin, .end = f->bytes.len, .rows = 1, .class_at = f->last_class};
        tt_buffer_append(&f->runs, &run, sizeof(run));
    }
}

static void add_to_range(struct dataset_formatter *f, uint64_t ns)
{
    if (ns != 0 && ns < f->min_ns)
        f->min_ns = ns;
    if (ns > f->max_ns)
        f->max_ns = ns;
    f->rows++;
}

/* ---- rows ---- */

static void put_span(struct dataset_formatter *f, const struct tt_row *row)
{
    dataset_format_span(f, &row->span);
    add_to_range(f, row->span.start_ns);
}

static void put_point_value(struct dataset_formatter *f, const struct tt_point *point)
{
    comma(f);
    if (point->value_type == TT_POINT_INT)
        tt_buffer_append_int64(&f->bytes, point->integer);
    else if (point->value_type == TT_POINT_DOUBLE)
        tt_buffer_append_double(&f->bytes, point->real);
    if (point->value_type != TT_POINT_DISTRIBUTION) {
        tt_buffer_append(&f->bytes, ",,", 2);
        return;
    }
    put_uint(f, point->count);
    comma(f);
    if (point->sum == point->sum) /* NaN: there is none */
        tt_buffer_append_double(&f->bytes, point->sum);
}

static void put_point(struct dataset_formatter *f, const struct tt_row *row)
{
    static const char *const types[] = {
        "none", "gauge", "sum", "histogram", "exponential_histogram", "summary"};
    static const char *const temporalities[] = {"", "delta", "cumulative"};
    const struct tt_metric *metric = &f->batch->metrics[row->point.metric];

    put_timestamp(f, row->point.time_ns);
    put_uint(f, row->point.start_ns);
    put_uint(f, row->point.time_ns);
    put_cached(f, &f->service);
    put_text(f, metric->name);
    put_enum(f, (int32_t)metric->type, types, TT_LENGTH(types));
    put_text(f, metric->unit);
    put_enum(f, metric->temporality, temporalities, TT_LENGTH(temporalities));
    put_text(f, metric->type != TT_METRIC_SUM ? TT_STR("")
                : metric->monotonic           ? TT_STR("true")
                                              : TT_STR("false"));
    put_point_value(f, &row->point);
    put_attributes(f, row);
    put_labels(f);
    add_to_range(f, row->point.time_ns);
}

static void put_log(struct dataset_formatter *f, const struct tt_row *row)
{
    const struct tt_log_record *log = &row->log;
    struct tt_value body = tt_value_of(log->body);
    uint64_t time_ns = log->time_ns != 0 ? log->time_ns : log->observed_ns;

    put_timestamp(f, time_ns);
    put_uint(f, log->time_ns);
    put_uint(f, log->observed_ns);
    put_cached(f, &f->service);
    comma(f);
    tt_buffer_append_int64(&f->bytes, log->severity);
    put_text(f, log->severity_text);
    put_value(f, &body);
    put_text(f, log->event_name);
    put_id(f, log->trace_id, 16);
    put_id(f, log->span_id, 8);
    put_attributes(f, row);
    put_labels(f);
    add_to_range(f, time_ns);
}

static void put_row(struct dataset_formatter *f, const struct tt_row *row)
{
    size_t begin = f->bytes.len;
    uint32_t index = tt_row_index(f->batch, row);
    bool same;

    collect(f, row);
    same = find_labels(f, index);
    find_service(f, row);
    if (f->bytes.failed != TT_OK)
        return;
    if (f->batch->signal == TT_TRACES)
        put_span(f, row);
    else if (f->batch->signal == TT_METRICS)
        put_point(f, row);
    else
        put_log(f, row);
    put_extras(f, row);
    put_declared(f, index);
    tt_buffer_append_byte(&f->bytes, '\n');
    add_to_runs(f, begin, same);
}

enum tt_status dataset_format_piece(struct dataset_formatter *f, size_t enough, bool *ret_more,
                                    struct tt_error *err)
{
    const struct tt_row *row;
    enum tt_status status;

    tt_buffer_clear(&f->bytes);
    (void)dataset_runs(f, &f->first_run);
    *ret_more = true;
    while (f->bytes.len < enough && f->bytes.failed == TT_OK && f->runs.failed == TT_OK) {
        row = tt_batch_next(f->batch, &f->next_row);
        if (row == NULL) {
            *ret_more = false;
            break;
        }
        put_row(f, row);
    }
    status = tt_buffer_check(&f->bytes, "format rows as CSV", err);
    return status != TT_OK ? status : tt_buffer_check(&f->runs, "format rows as CSV", err);
}
