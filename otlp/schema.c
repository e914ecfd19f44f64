/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/schema.h"

#include <otlp.pb-c.h>
#include <pthread.h>

/* lowerCamelCase is never longer than snake_case; exponential_histogram and its like are the longest names. */
#define MAX_NAME 32

struct tables {
    struct tt_pb_message messages[TT_MSG_COUNT];
    char json_names[TT_MSG_COUNT][TT_PB_MAX_NUMBER + 1][MAX_NAME];
};

#define DESCRIPTOR(id, name) [TT_MSG_##id] = &otlp__##name##__descriptor,
static const ProtobufCMessageDescriptor *const descriptors[TT_MSG_COUNT] = {
    TT_PB_MESSAGE_MAP(DESCRIPTOR)};

/* Written once, by build() under pthread_once; read-only ever after. */
static struct tables tables;
static pthread_once_t built = PTHREAD_ONCE_INIT;

static const struct tt_pb_message *table_of(const void *descriptor)
{
    for (size_t i = 0; i < TT_MSG_COUNT; i++)
        if (descriptors[i] == descriptor)
            return &tables.messages[i];
    return NULL;
}

static struct tt_str to_json_name(const char *name, char *to)
{
    size_t len = 0;

    for (const char *from = name; *from != '\0' && len < MAX_NAME - 1; from++) {
        if (*from == '_' && from[1] >= 'a' && from[1] <= 'z')
            to[len++] = (char)(*++from - 'a' + 'A');
        else
            to[len++] = *from;
    }
    return tt_str_of(to, len);
}

/* All bytes are text but ids and the two that the protocol declares as bytes. */
static uint8_t kind_of_bytes(struct tt_str name)
{
    if (tt_str_equal(name, TT_STR("trace_id")) || tt_str_equal(name, TT_STR("span_id")) ||
        tt_str_equal(name, TT_STR("parent_span_id")))
        return TT_PB_ID;
    if (tt_str_equal(name, TT_STR("bytes_value")) || tt_str_equal(name, TT_STR("value")))
        return TT_PB_BYTES;
    return TT_PB_TEXT;
}

/* otlp.proto has no other types: they would stay unknown, which the unit test would notice. */
static const struct {
    uint8_t kind, wire_type;
} types[] = {
    [PROTOBUF_C_TYPE_MESSAGE] = {TT_PB_MESSAGE, TT_PB_WIRE_LENGTH},
    [PROTOBUF_C_TYPE_BYTES] = {TT_PB_TEXT, TT_PB_WIRE_LENGTH},
    [PROTOBUF_C_TYPE_BOOL] = {TT_PB_BOOL, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_ENUM] = {TT_PB_ENUM, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_INT32] = {TT_PB_INT32, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_UINT32] = {TT_PB_UINT32, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_SINT32] = {TT_PB_SINT32, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_INT64] = {TT_PB_INT64, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_UINT64] = {TT_PB_UINT64, TT_PB_WIRE_VARINT},
    [PROTOBUF_C_TYPE_FIXED32] = {TT_PB_FIXED32, TT_PB_WIRE_32},
    [PROTOBUF_C_TYPE_FIXED64] = {TT_PB_FIXED64, TT_PB_WIRE_64},
    [PROTOBUF_C_TYPE_SFIXED64] = {TT_PB_SFIXED64, TT_PB_WIRE_64},
    [PROTOBUF_C_TYPE_DOUBLE] = {TT_PB_DOUBLE, TT_PB_WIRE_64},
};

static void set_type(struct tt_pb_field *field, const ProtobufCFieldDescriptor *from)
{
    if (from->type >= TT_LENGTH(types))
        return;
    field->kind = types[from->type].kind;
    field->wire_type = types[from->type].wire_type;
    if (field->kind == TT_PB_TEXT)
        field->kind = kind_of_bytes(field->name);
    if (field->kind == TT_PB_ID)
        field->id_len = tt_str_equal(field->name, TT_STR("trace_id")) ? 16 : 8;
    if (field->kind == TT_PB_MESSAGE)
        field->message = table_of(from->descriptor);
    if (field->kind == TT_PB_ENUM)
        field->enumerators = from->descriptor;
}

/* The members of a oneof share one bit; protobuf-c shows a oneof by the place of its case member. */
static void set_oneof(struct tt_pb_message *message, const ProtobufCMessageDescriptor *descriptor,
                      unsigned at, uint32_t *next_bit)
{
    const ProtobufCFieldDescriptor *from = &descriptor->fields[at];
    struct tt_pb_field *field = &message->fields[from->id];
    uint8_t highest = 0;

    for (unsigned i = 0; i < at; i++) {
        const ProtobufCFieldDescriptor *other = &descriptor->fields[i];
        const struct tt_pb_field *earlier = &message->fields[other->id];

        if (earlier->oneof > highest)
            highest = earlier->oneof;
        if (earlier->oneof != 0 && other->quantifier_offset == from->quantifier_offset) {
            field->oneof = earlier->oneof;
            field->once = earlier->once;
            return;
        }
    }
    field->oneof = (uint8_t)(highest + 1);
    field->once = *next_bit;
    *next_bit <<= 1;
}

static bool always_in_json(const struct tt_pb_message *message, struct tt_str name)
{
    if (message == &tables.messages[TT_MSG_KEY_VALUE])
        return tt_str_equal(name, TT_STR("value"));
    return tt_str_equal(name, TT_STR("resource")) || tt_str_equal(name, TT_STR("scope")) ||
           tt_str_equal(name, TT_STR("status")) || tt_str_equal(name, TT_STR("body")) ||
           tt_str_equal(name, TT_STR("positive")) || tt_str_equal(name, TT_STR("negative"));
}

static void build_field(struct tt_pb_message *message, const ProtobufCMessageDescriptor *descriptor,
                        unsigned at, char *json_name, uint32_t *next_bit)
{
    const ProtobufCFieldDescriptor *from = &descriptor->fields[at];
    struct tt_pb_field *field = &message->fields[from->id];

    message->numbers[message->n_fields++] = (uint8_t)from->id;
    field->number = (uint8_t)from->id;
    field->name = tt_str(from->name);
    field->json_name = to_json_name(from->name, json_name);
    field->repeated = from->label == PROTOBUF_C_LABEL_REPEATED;
    set_type(field, from);
    field->packable = field->repeated && field->wire_type != TT_PB_WIRE_LENGTH;
    field->is_element = field->repeated || field->kind == TT_PB_MESSAGE;
    field->always = field->kind == TT_PB_MESSAGE && always_in_json(message, field->name);
    if ((from->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        set_oneof(message, descriptor, at, next_bit);
    } else if (field->kind == TT_PB_MESSAGE && !field->repeated) {
        field->once = *next_bit;
        *next_bit <<= 1;
    }
}

static void build_message(size_t index)
{
    const ProtobufCMessageDescriptor *descriptor = descriptors[index];
    struct tt_pb_message *message = &tables.messages[index];
    uint32_t next_bit = 1;

    message->descriptor = descriptor;
    message->name = descriptor->short_name;
    message->nests = index == TT_MSG_ARRAY_VALUE || index == TT_MSG_KEY_VALUE_LIST;
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        build_field(message, descriptor, i, tables.json_names[index][descriptor->fields[i].id],
                    &next_bit);
}

static void build(void)
{
    for (size_t i = 0; i < TT_MSG_COUNT; i++)
        build_message(i);
}

const struct tt_pb_message *tt_pb_message(enum tt_pb_id id)
{
    (void)pthread_once(&built, build);
    return &tables.messages[id];
}

const struct tt_pb_message *tt_pb_request(enum tt_signal signal)
{
    return tt_pb_message(signal == TT_TRACES    ? TT_MSG_TRACES_REQUEST
                         : signal == TT_METRICS ? TT_MSG_METRICS_REQUEST
                                                : TT_MSG_LOGS_REQUEST);
}

const struct tt_pb_field *tt_pb_find(const struct tt_pb_message *message, struct tt_str name)
{
    for (size_t i = 0; i < message->n_fields; i++) {
        const struct tt_pb_field *field = &message->fields[message->numbers[i]];
        if (tt_str_equal(field->json_name, name) || tt_str_equal(field->name, name))
            return field;
    }
    return NULL;
}

bool tt_pb_enum_value(const struct tt_pb_field *field, struct tt_str name, int32_t *ret_value)
{
    const ProtobufCEnumDescriptor *from = field->enumerators;

    for (unsigned i = 0; from != NULL && i < from->n_value_names; i++) {
        if (!tt_str_equal(tt_str(from->values_by_name[i].name), name))
            continue;
        *ret_value = from->values[from->values_by_name[i].index].value;
        return true;
    }
    return false;
}
