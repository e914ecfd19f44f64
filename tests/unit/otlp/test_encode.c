/* SPDX-License-Identifier: Apache-2.0 */

/*
 * encode(edit(parse(x))) against a model: protobuf-c's view of x with the same edits applied, over random requests of all
 * three signals. The model keeps for each message what every edited key must look like at the end.
 */

#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/index.h"
#include "otlp/overlay.h"
#include "random_message.h"

#include <math.h>
#include <otlp.pb-c.h>

#define CASES      3000
#define MAX_EDITS  12
#define MAX_PACKED 1024

/* ---- the model of one message ---- */

struct packed {
    uint8_t bytes[MAX_PACKED]; /* a KeyValue */
    size_t len;
};

struct edit {
    struct tt_str key;
    bool deleted;
    struct packed packed;
};

struct model {
    struct edit edits[MAX_EDITS];
    size_t n;
    bool name_edited, status_edited;
    struct tt_str name, status_message;
    int32_t status_code;
};

static struct edit *model_edit(struct model *model, struct tt_str key)
{
    struct edit *edit;

    for (size_t i = 0; i < model->n; i++)
        if (tt_str_equal(model->edits[i].key, key))
            return &model->edits[i];
    assert_true(model->n < MAX_EDITS);
    edit = &model->edits[model->n++];
    edit->key = key;
    return edit;
}

static ProtobufCBinaryData binary(struct tt_str text)
{
    return (ProtobufCBinaryData){text.len, (uint8_t *)(uintptr_t)text.data};
}

static void pack_pair(struct tt_str key, const struct tt_value *value, struct packed *to)
{
    Otlp__AnyValue any = OTLP__ANY_VALUE__INIT, inner = OTLP__ANY_VALUE__INIT;
    Otlp__AnyValue *inners[] = {&inner};
    Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
    Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT;

    pair.key = binary(key);
    pair.value = &any;
    switch (value->type) {
    case TT_VALUE_EMPTY:
        break;
    case TT_VALUE_STRING:
        any.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        any.string_value = binary(value->text);
        break;
    case TT_VALUE_BOOL:
        any.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        any.bool_value = value->boolean;
        break;
    case TT_VALUE_INT:
        any.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        any.int_value = value->integer;
        break;
    case TT_VALUE_DOUBLE:
        any.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        any.double_value = value->real;
        break;
    case TT_VALUE_BYTES:
        any.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
        any.bytes_value = binary(value->text);
        break;
    case TT_VALUE_ARRAY: /* the only one that the tests set: ["in an array"] */
        any.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
        any.array_value = &array;
        inner.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        inner.string_value = binary(TT_STR("in an array"));
        array.n_values = 1;
        array.values = inners;
        break;
    case TT_VALUE_KVLIST:
        fail();
        break;
    }
    assert_true(otlp__key_value__get_packed_size(&pair) <= sizeof(to->bytes));
    to->len = otlp__key_value__pack(&pair, to->bytes);
}

static void model_set(struct model *model, struct tt_str key, const struct tt_value *value)
{
    struct edit *edit = model_edit(model, key);

    edit->deleted = false;
    pack_pair(key, value, &edit->packed);
}

/* ---- what protobuf-c sees ---- */

struct attributes {
    size_t *n;
    Otlp__KeyValue ***list;
};

static struct attributes attributes_of(ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "attributes");
    char *base = (char *)message;

    return (struct attributes){(size_t *)(void *)(base + field->quantifier_offset),
                               (Otlp__KeyValue ***)(void *)(base + field->offset)};
}

static const struct edit *edit_of(const struct model *model, const Otlp__KeyValue *pair)
{
    for (size_t i = 0; i < model->n; i++)
        if (tt_str_equal(model->edits[i].key, tt_str_of(pair->key.data, pair->key.len)))
            return &model->edits[i];
    return NULL;
}

static bool take_packed(struct packed *list, size_t *n, const Otlp__KeyValue *pair)
{
    struct packed wanted;

    assert_true(otlp__key_value__get_packed_size(pair) <= sizeof(wanted.bytes));
    wanted.len = otlp__key_value__pack(pair, wanted.bytes);
    for (size_t i = 0; i < *n; i++) {
        if (list[i].len != wanted.len || memcmp(list[i].bytes, wanted.bytes, wanted.len) != 0)
            continue;
        list[i] = list[--*n];
        return true;
    }
    return false;
}

/* The attributes of `edited` are those of `original` without edited keys, and one for each key that was set. */
static void assert_attributes(ProtobufCMessage *original, ProtobufCMessage *edited,
                              const struct model *model)
{
    static struct packed expected[200];
    struct attributes from = attributes_of(original), to = attributes_of(edited);
    size_t n = 0;

    for (size_t i = 0; i < *from.n; i++) {
        const Otlp__KeyValue *pair = (*from.list)[i];
        if (edit_of(model, pair) != NULL)
            continue;
        assert_true(n < TT_LENGTH(expected));
        assert_true(otlp__key_value__get_packed_size(pair) <= MAX_PACKED);
        expected[n].len = otlp__key_value__pack(pair, expected[n].bytes);
        n++;
    }
    for (size_t i = 0; i < model->n; i++)
        if (!model->edits[i].deleted)
            expected[n++] = model->edits[i].packed;
    assert_int_equal(*to.n, n);
    for (size_t i = 0; i < *to.n; i++)
        assert_true(take_packed(expected, &n, (*to.list)[i]));
    assert_int_equal(n, 0);
}

static void assert_fixed_edits(Otlp__Span *original, Otlp__Span *edited, const struct model *model)
{
    if (model->name_edited) {
        assert_str_equal(tt_str_of(edited->name.data, edited->name.len), model->name);
        edited->name.len = original->name.len = 0;
    }
    if (model->status_edited) {
        assert_non_null(edited->status);
        assert_true((int32_t)edited->status->code == model->status_code);
        assert_str_equal(tt_str_of(edited->status->message.data, edited->status->message.len),
                         model->status_message);
    }
}

static void assert_rest_equal(ProtobufCMessage *original, ProtobufCMessage *edited)
{
    struct tt_buffer a, b;
    size_t *n_a = attributes_of(original).n, *n_b = attributes_of(edited).n;
    size_t kept_a = *n_a, kept_b = *n_b;

    tt_buffer_init(&a, 1 << 20);
    tt_buffer_init(&b, 1 << 20);
    *n_a = *n_b = 0;
    a.len = protobuf_c_message_get_packed_size(original);
    b.len = protobuf_c_message_get_packed_size(edited);
    assert_int_equal(a.len, b.len);
    a.data = tt_malloc(a.len);
    b.data = tt_malloc(b.len);
    protobuf_c_message_pack(original, (uint8_t *)a.data);
    protobuf_c_message_pack(edited, (uint8_t *)b.data);
    assert_memory_equal(a.data, b.data, a.len);
    *n_a = kept_a;
    *n_b = kept_b;
    tt_buffer_done(&a);
    tt_buffer_done(&b);
}

static ProtobufCMessage *unpack(const struct tt_pb_message *schema, struct tt_str wire)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(schema->descriptor, NULL, wire.len, (const uint8_t *)wire.data);
    assert_non_null(message);
    return message;
}

static void assert_edited(const struct tt_pb_message *schema, struct tt_str original_wire,
                          struct tt_str edited_wire, const struct model *model)
{
    ProtobufCMessage *original = unpack(schema, original_wire);
    ProtobufCMessage *edited = unpack(schema, edited_wire);
    Otlp__Status *statuses[2] = {NULL, NULL};

    assert_attributes(original, edited, model);
    if (schema == tt_pb_message(TT_MSG_SPAN)) {
        Otlp__Span *a = (void *)original, *b = (void *)edited;
        assert_fixed_edits(a, b, model);
        statuses[0] = a->status;
        statuses[1] = b->status;
        if (model->status_edited)
            a->status = b->status = NULL;
        assert_rest_equal(original, edited);
        a->status = statuses[0];
        b->status = statuses[1];
    } else {
        assert_rest_equal(original, edited);
    }
    protobuf_c_message_free_unpacked(original, NULL);
    protobuf_c_message_free_unpacked(edited, NULL);
}

/* ---- random edits ---- */

static const struct tt_column_desc columns[] = {
    {"anomaly.type", TT_COLUMN_TEXT, "test"},
    {"score", TT_COLUMN_DOUBLE, "test"},
    {"b", TT_COLUMN_INT, "test"},
};

static struct tt_str random_key(struct random_style *style)
{
    static const char *const keys[] = {"a",  "b", "", "anomaly.type", "score", "service.name",
                                       "new"};

    return tt_str(keys[below(style, TT_LENGTH(keys))]);
}

static struct tt_value random_value(struct random_style *style)
{
    static const char array[] = "\x0a\x0d\x0a\x0bin an array"; /* wire of an ArrayValue */

    switch (below(style, 7)) {
    case 0:
        return (struct tt_value){.type = TT_VALUE_STRING, .text = random_key(style)};
    case 1:
        return (struct tt_value){.type = TT_VALUE_BOOL, .boolean = chance(style, 500)};
    case 2:
        return (struct tt_value){.type = TT_VALUE_INT, .integer = (int64_t)random_number(style)};
    case 3:
        return (struct tt_value){.type = TT_VALUE_DOUBLE, .real = 0.5};
    case 4:
        return (struct tt_value){.type = TT_VALUE_BYTES, .text = TT_STR("\0\xff")};
    case 5:
        return (struct tt_value){.type = TT_VALUE_ARRAY,
                                 .text = tt_str_of(array, sizeof(array) - 1)};
    default:
        return (struct tt_value){.type = TT_VALUE_EMPTY, .text = {NULL, 0}};
    }
}

static void set_column(struct random_style *style, struct tt_batch *batch, struct tt_row *row,
                       struct model *model)
{
    const struct tt_column_desc *desc = &columns[below(style, TT_LENGTH(columns))];
    struct tt_column *column = tt_batch_column(batch, desc);
    uint32_t at = tt_row_index(batch, row);
    struct tt_value value = {.type = TT_VALUE_EMPTY, .text = {NULL, 0}};

    assert_non_null(column);
    switch (desc->type) {
    case TT_COLUMN_TEXT:
        value = (struct tt_value){.type = TT_VALUE_STRING, .text = TT_STR("from a column")};
        tt_column_set_text(column, at, value.text);
        break;
    case TT_COLUMN_DOUBLE:
        value = (struct tt_value){.type = TT_VALUE_DOUBLE, .real = 0.25};
        tt_column_set_double(column, at, value.real);
        break;
    case TT_COLUMN_INT:
        value = (struct tt_value){.type = TT_VALUE_INT, .integer = -3};
        tt_column_set_int(column, at, value.integer);
        break;
    }
    model_set(model, tt_str(desc->name), &value);
}

static void edit_row(struct random_style *style, struct tt_batch *batch, struct tt_row *row,
                     struct model *model)
{
    struct tt_value value = random_value(style);
    struct tt_str key = random_key(style);

    switch (below(style, batch->signal == TT_TRACES ? 5 : 3)) {
    case 0:
        assert_true(tt_row_set_attribute(batch, row, key, &value));
        model_set(model, key, &value);
        return;
    case 1:
        assert_true(tt_row_delete_attribute(batch, row, key));
        model_edit(model, key)->deleted = true;
        return;
    case 2:
        set_column(style, batch, row, model);
        return;
    case 3:
        assert_true(tt_span_set_name(batch, row, key));
        assert_str_equal(row->span.name, key);
        model->name = key;
        model->name_edited = true;
        return;
    default:
        model->status_code = (int32_t)below(style, 4) - 1;
        model->status_message = key;
        model->status_edited = true;
        assert_true(tt_span_set_status(batch, row, model->status_code, key));
        assert_int_equal(row->span.status_code, model->status_code);
        return;
    }
}

static void edit_resource_or_scope(struct random_style *style, struct tt_batch *batch,
                                   struct model *resources, struct model *scopes)
{
    struct tt_value value = random_value(style);
    struct tt_str key = random_key(style);
    uint32_t at;

    if (chance(style, 500)) {
        at = (uint32_t)below(style, batch->n_resources);
        if (chance(style, 600)) {
            assert_true(tt_resource_set_attribute(batch, at, key, &value));
            model_set(&resources[at], key, &value);
        } else {
            assert_true(tt_resource_delete_attribute(batch, at, key));
            model_edit(&resources[at], key)->deleted = true;
        }
        return;
    }
    at = (uint32_t)below(style, batch->n_scopes);
    if (chance(style, 600)) {
        assert_true(tt_scope_set_attribute(batch, at, key, &value));
        model_set(&scopes[at], key, &value);
    } else {
        assert_true(tt_scope_delete_attribute(batch, at, key));
        model_edit(&scopes[at], key)->deleted = true;
    }
}

struct models {
    struct model *rows, *resources, *scopes;
};

static struct models edit_batch(struct random_style *style, struct tt_batch *batch)
{
    struct models models = {calloc(batch->n_rows + 1, sizeof(struct model)),
                            calloc(batch->n_resources + 1, sizeof(struct model)),
                            calloc(batch->n_scopes + 1, sizeof(struct model))};
    uint64_t n_edits = below(style, 12);

    for (uint64_t n = batch->n_rows == 0 ? 0 : n_edits; n > 0; n--) {
        struct tt_row *row = &batch->rows[below(style, batch->n_rows)];

        if (chance(style, 100))
            tt_row_drop(batch, row);
        else if (chance(style, 200))
            edit_resource_or_scope(style, batch, models.resources, models.scopes);
        else
            edit_row(style, batch, row, &models.rows[row - batch->rows]);
    }
    return models;
}

/* ---- the comparison ---- */

static struct tt_str row_wire(const struct tt_row *row)
{
    return tt_str_of(row->wire, row->wire_len);
}

static bool is_alive(const struct tt_batch *batch, uint32_t resource, uint32_t scope)
{
    const struct tt_row *row;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;)
        if (row->scope == scope || tt_row_scope(batch, row)->resource == resource)
            return true;
    return false;
}

static void compare_metric(const struct tt_batch *before, const struct tt_row *a,
                           const struct tt_batch *after, const struct tt_row *b)
{
    const struct tt_metric *from = &before->metrics[a->point.metric];
    const struct tt_metric *to = &after->metrics[b->point.metric];

    assert_int_equal(from->type, to->type);
    assert_int_equal(from->temporality, to->temporality);
    assert_int_equal(from->monotonic, to->monotonic);
    assert_str_equal(to->name, from->name);
    assert_str_equal(to->unit, from->unit);
    assert_str_equal(to->description, from->description);
}

static void compare(const struct tt_batch *before, const struct tt_batch *after,
                    const struct models *models)
{
    uint32_t at = 0, scope = 0, resource = 0;
    const struct tt_row *row;

    assert_int_equal(after->n_rows, tt_batch_live_rows(before));
    for (uint32_t i = 0; (row = tt_batch_next(before, &i)) != NULL;) {
        const struct tt_row *other = &after->rows[at++];

        assert_edited(tt_row_schema(before, row), row_wire(row), row_wire(other),
                      &models->rows[row - before->rows]);
        if (before->signal == TT_METRICS)
            compare_metric(before, row, after, other);
        assert_str_equal(tt_row_resource(after, other)->service_name,
                         tt_row_resource(before, row)->service_name);
    }
    for (uint32_t i = 0; i < before->n_scopes; i++) {
        if (!is_alive(before, UINT32_MAX, i))
            continue;
        assert_str_equal(after->scopes[scope].schema_url, before->scopes[i].schema_url);
        assert_edited(tt_pb_message(TT_MSG_SCOPE), before->scopes[i].wire,
                      after->scopes[scope].wire, &models->scopes[i]);
        scope++;
    }
    for (uint32_t i = 0; i < before->n_resources; i++) {
        if (!is_alive(before, i, UINT32_MAX))
            continue;
        assert_str_equal(after->resources[resource].schema_url, before->resources[i].schema_url);
        assert_edited(tt_pb_message(TT_MSG_RESOURCE), before->resources[i].wire,
                      after->resources[resource].wire, &models->resources[i]);
        resource++;
    }
    assert_int_equal(after->n_scopes, scope);
    assert_int_equal(after->n_resources, resource);
}

static struct tt_batch *parse(enum tt_signal signal, struct tt_str bytes)
{
    struct tt_body *body = tt_body_borrow(bytes.data, bytes.len, NULL, NULL);
    struct tt_error err = {.status = TT_OK};
    struct tt_batch *batch = NULL;

    assert_ok(tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, NULL, &err), &err);
    tt_body_unref(body);
    return batch;
}

static void check_case(struct random_style *style, enum tt_signal signal, struct tt_str bytes)
{
    struct tt_batch *before = parse(signal, bytes), *after;
    struct models models = edit_batch(style, before);
    struct tt_buffer encoded;

    tt_buffer_init(&encoded, 1 << 24);
    tt_encode_request(before, &encoded);
    assert_int_equal(encoded.failed, TT_OK);
    if (!before->edited)
        assert_str_equal(tt_buffer_view(&encoded), bytes);
    protobuf_c_message_free_unpacked(unpack(tt_pb_request(signal), tt_buffer_view(&encoded)), NULL);
    after = parse(signal, tt_buffer_view(&encoded));
    compare(before, after, &models);
    tt_batch_unref(before);
    tt_batch_unref(after);
    tt_buffer_done(&encoded);
    free(models.rows);
    free(models.resources);
    free(models.scopes);
}

static void edit_and_compare(enum tt_signal signal)
{
    struct random_style style = {.state = 7 + (uint64_t)signal, .max_len = 1500};
    struct tt_buffer bytes;

    tt_buffer_init(&bytes, 1 << 24);
    for (unsigned i = 0; i < CASES; i++) {
        style.odd = i % 3 == 0 ? 0 : 20;
        tt_buffer_clear(&bytes);
        put_random_message(&style, tt_pb_request(signal), 0, &bytes);
        check_case(&style, signal, tt_buffer_view(&bytes));
    }
    tt_buffer_done(&bytes);
}

static void edited_traces_are_written_as_the_model_says(void **state)
{
    (void)state;
    edit_and_compare(TT_TRACES);
}

static void edited_metrics_are_written_as_the_model_says(void **state)
{
    (void)state;
    edit_and_compare(TT_METRICS);
}

static void edited_logs_are_written_as_the_model_says(void **state)
{
    (void)state;
    edit_and_compare(TT_LOGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edited_traces_are_written_as_the_model_says),
        cmocka_unit_test(edited_metrics_are_written_as_the_model_says),
        cmocka_unit_test(edited_logs_are_written_as_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
