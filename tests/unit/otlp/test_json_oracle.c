/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated documents with every leniency: jansson says what the text means, protobuf-c what the wire bytes mean, and both must
 * agree; then the written document likewise, and written again it must be the same.
 */
#include "test_json_support.h"

#include <jansson.h>

#include <ctype.h>
#include <math.h>

#define ROUNDS 150

/* ---- generating ---- */

struct generator {
    struct tt_buffer text;
    uint64_t random;
    unsigned values; /* nested values left to make */
};

static uint32_t pick(struct generator *g, uint32_t n)
{
    return (uint32_t)(tt_test_random(&g->random) % n);
}

static bool one_in(struct generator *g, uint32_t n)
{
    return pick(g, n) == 0;
}

static void put(struct generator *g, const char *text)
{
    tt_buffer_append_str(&g->text, tt_str(text));
}

static void put_blank(struct generator *g)
{
    static const char *const blanks[] = {" ", "\n", "\t", "\r\n  "};

    if (one_in(g, 12))
        put(g, blanks[pick(g, TT_LENGTH(blanks))]);
}

static void put_hex(struct generator *g, size_t bytes)
{
    const char *digits = one_in(g, 2) ? "0123456789abcdef" : "0123456789ABCDEF";

    put(g, "\"1");
    for (size_t i = 1; i < 2 * bytes; i++)
        tt_buffer_append_byte(&g->text, digits[pick(g, 16)]);
    put(g, "\"");
}

static void put_text(struct generator *g)
{
    static const char *const pieces[] = {"a",        "http.method",  "0123456789abcdef",
                                         "\\n",      "\\\"",         "\\/",
                                         "\\u0000",  "\\u00e9",      "\\ud83d\\ude00",
                                         "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                         "\x7f"};

    put(g, "\"");
    for (uint32_t n = pick(g, 6); n > 0; n--)
        put(g, pieces[pick(g, TT_LENGTH(pieces))]);
    put(g, "\"");
}

static void put_base64(struct generator *g)
{
    static const char *const texts[] = {"", "AA==", "AQI=", "AQID", "+/+/", "-_8", "gICAgA"};

    put(g, "\"");
    put(g, texts[pick(g, TT_LENGTH(texts))]);
    put(g, "\"");
}

/* Below 2^63, which is as far as jansson goes. */
static uint64_t magnitude(struct generator *g, unsigned bits)
{
    uint64_t value = tt_test_random(&g->random) >> (64 - bits);

    return one_in(g, 5) ? 0 : value >> pick(g, bits);
}

static void put_integer(struct generator *g, unsigned bits, bool is_signed)
{
    bool quoted = one_in(g, 2);
    uint64_t value = magnitude(g, bits);

    if (is_signed && one_in(g, 3))
        tt_buffer_printf(&g->text, quoted ? "\"-%llu\"" : "-%llu", (unsigned long long)value);
    else
        tt_buffer_printf(&g->text, quoted ? "\"%llu\"" : "%llu", (unsigned long long)value);
}

static void put_double(struct generator *g)
{
    static const char *const texts[] = {
        "0",     "-0.0",   "1.5", "\"NaN\"",     "\"Infinity\"", "\"-Infinity\"",      "\"2.25\"",
        "1e300", "5e-324", "0.1", "-123456.789", "1E5",          "0.30000000000000004"};
    uint64_t bits = tt_test_random(&g->random);
    double value;

    memcpy(&value, &bits, sizeof(value));
    if (one_in(g, 2) || !isfinite(value))
        put(g, texts[pick(g, TT_LENGTH(texts))]);
    else
        tt_buffer_printf(&g->text, "%.17g", value);
}

static void put_enum(struct generator *g, const struct tt_pb_field *field)
{
    const ProtobufCEnumDescriptor *values = field->enumerators;
    const ProtobufCEnumValue *value = &values->values[pick(g, values->n_values)];

    if (one_in(g, 2))
        tt_buffer_printf(&g->text, "\"%s\"", value->name);
    else
        tt_buffer_printf(&g->text, "%d", value->value);
}

static void put_scalar(struct generator *g, const struct tt_pb_field *field)
{
    switch ((int)field->kind) {
    case TT_PB_TEXT:
        put_text(g);
        return;
    case TT_PB_ID:
        put_hex(g, field->id_len);
        return;
    case TT_PB_BYTES:
        put_base64(g);
        return;
    case TT_PB_BOOL:
        put(g, one_in(g, 2) ? "true" : "false");
        return;
    case TT_PB_ENUM:
        put_enum(g, field);
        return;
    case TT_PB_DOUBLE:
        put_double(g);
        return;
    case TT_PB_UINT32:
    case TT_PB_FIXED32:
        put_integer(g, 32, false);
        return;
    case TT_PB_INT32:
    case TT_PB_SINT32:
        put_integer(g, 31, true);
        return;
    case TT_PB_INT64:
    case TT_PB_SFIXED64:
        put_integer(g, 63, true);
        return;
    default:
        put_integer(g, 63, false);
        return;
    }
}

static void put_unknown(struct generator *g)
{
    static const char *const members[] = {"\"x\":{\"name\":[1,{\"y\":\"\\n\"},null,true]}",
                                          "\"unknown_field\":-1.5e3", "\"\":\"\""};

    put(g, members[pick(g, TT_LENGTH(members))]);
}

static void put_name(struct generator *g, const struct tt_pb_field *field)
{
    put(g, "\"");
    tt_buffer_append_str(&g->text, one_in(g, 8) ? field->name : field->json_name);
    put(g, "\"");
    put_blank(g);
    put(g, ":");
    put_blank(g);
}

/* Envelopes have something in them, since what is empty is not written. */
static bool is_envelope(const struct tt_pb_field *field)
{
    static const char *const names[] = {
        "resource_spans", "scope_spans", "spans",         "resource_metrics", "scope_metrics",
        "metrics",        "data_points", "resource_logs", "scope_logs",       "log_records"};

    for (size_t i = 0; i < TT_LENGTH(names); i++)
        if (tt_str_equal(field->name, tt_str(names[i])))
            return true;
    return false;
}

/* Messages are made with an explicit stack: values nest. */
struct open {
    const struct tt_pb_message *message;
    uint32_t left;    /* fields still to be made, by number */
    uint8_t elements; /* of the list that is being made */
    const struct tt_pb_field *list;
    bool first;
};

static uint32_t choose_fields(struct generator *g, const struct tt_pb_message *message)
{
    uint32_t chosen = 0, oneofs = 0;
    bool is_metric = message == tt_pb_message(TT_MSG_METRIC);
    uint8_t start = (uint8_t)pick(g, message->n_fields);

    for (uint8_t i = 0; i < message->n_fields; i++) {
        const struct tt_pb_field *field =
            &message->fields[message->numbers[(start + i) % message->n_fields]];
        bool wanted = is_envelope(field) || one_in(g, 2) || (is_metric && field->oneof != 0);
        if (field->message != NULL && field->message->nests)
            wanted = wanted && g->values > 0;
        if (!wanted || (field->oneof != 0 && (oneofs >> field->oneof & 1) != 0))
            continue;
        oneofs |= field->oneof != 0 ? UINT32_C(1) << field->oneof : 0;
        chosen |= UINT32_C(1) << field->number;
    }
    return chosen;
}

static void open_message(struct generator *g, struct open *open,
                         const struct tt_pb_message *message)
{
    *open = (struct open){.message = message, .left = choose_fields(g, message), .first = true};
    if (message->nests)
        g->values--;
    put(g, "{");
    put_blank(g);
}

static const struct tt_pb_field *take_field(struct generator *g, struct open *open)
{
    uint8_t number = (uint8_t)__builtin_ctz(open->left);

    /* Now and then not in order. */
    if (one_in(g, 4))
        number = (uint8_t)(31 - __builtin_clz(open->left));
    open->left &= ~(UINT32_C(1) << number);
    return &open->message->fields[number];
}

static void put_comma(struct generator *g, struct open *open)
{
    if (!open->first)
        put(g, ",");
    open->first = false;
    put_blank(g);
}

static void put_scalars(struct generator *g, const struct tt_pb_field *field)
{
    put(g, "[");
    for (uint32_t n = pick(g, 5), i = 0; i < n; i++) {
        if (i > 0)
            put(g, ",");
        put_scalar(g, field);
    }
    put(g, "]");
}

/* One member, or the beginning of one. True: a message was opened above. */
static bool put_member(struct generator *g, struct open *open)
{
    const struct tt_pb_field *field = take_field(g, open);

    put_comma(g, open);
    if (one_in(g, 20)) {
        put_unknown(g);
        put(g, ",");
    }
    put_name(g, field);
    if (one_in(g, 16) && !is_envelope(field) && field->oneof == 0) {
        put(g, "null");
        return false;
    }
    if (field->kind != TT_PB_MESSAGE) {
        if (field->repeated)
            put_scalars(g, field);
        else
            put_scalar(g, field);
        return false;
    }
    if (!field->repeated) {
        open_message(g, open + 1, field->message);
        return true;
    }
    put(g, "[");
    open->list = field;
    open->elements = (uint8_t)(is_envelope(field) ? 1 + pick(g, 2) : pick(g, 3));
    open->first = true;
    return false;
}

static bool go_on(struct generator *g, struct open *open)
{
    if (open->list != NULL && open->elements > 0) {
        open->elements--;
        put_comma(g, open);
        open_message(g, open + 1, open->list->message);
        return true;
    }
    if (open->list == NULL)
        return put_member(g, open);
    put(g, "]");
    open->list = NULL;
    open->first = false;
    return false;
}

static void generate(struct generator *g, enum tt_signal signal, uint64_t seed)
{
    struct open stack[TT_MAX_FRAMES], *top = stack;

    tt_buffer_init(&g->text, MAX_OUT);
    g->random = seed;
    g->values = 40;
    open_message(g, top, tt_pb_request(signal));
    for (;;) {
        if (top->list != NULL || top->left != 0) {
            if (go_on(g, top))
                top++;
            continue;
        }
        put(g, "}");
        if (top-- == stack)
            break;
    }
    put_blank(g);
}

/* ---- comparing ---- */

static json_t *member_of(json_t *object, const char *name)
{
    char camel[64];
    size_t len = 0;
    json_t *value = json_object_get(object, name);

    for (const char *c = name; *c != '\0'; c++)
        camel[len++] = (char)(*c == '_' ? toupper((unsigned char)*++c) : *c);
    camel[len] = '\0';
    if (value == NULL)
        value = json_object_get(object, camel);
    return json_is_null(value) ? NULL : value;
}

static uint64_t integer_of(json_t *value, const ProtobufCFieldDescriptor *field)
{
    if (value == NULL)
        return 0;
    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    assert_true(json_is_string(value));
    const char *text = json_string_value(value);
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        const ProtobufCEnumValue *found =
            protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, text);
        assert_non_null(found);
        return (uint64_t)found->value;
    }
    return text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
}

static double double_of(json_t *value)
{
    if (value == NULL)
        return 0;
    if (json_is_number(value))
        return json_number_value(value);
    return strtod(json_string_value(value), NULL);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    c = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    return (int)(strchr(digits, c) - digits);
}

static void compare_base64(const ProtobufCBinaryData *bytes, const char *text)
{
    size_t n = strcspn(text, "="), bit = 0;

    assert_int_equal(bytes->len, n * 6 / 8);
    for (size_t i = 0; i < bytes->len; i++) {
        unsigned byte = 0;
        for (int k = 0; k < 8; k++, bit++)
            byte = byte << 1 | (unsigned)(base64_digit(text[bit / 6]) >> (5 - bit % 6) & 1);
        assert_int_equal(bytes->data[i], byte);
    }
}

static void compare_bytes(const ProtobufCBinaryData *bytes, json_t *value, const char *name)
{
    size_t len = strlen(name);

    if (value == NULL) {
        assert_int_equal(bytes->len, 0);
        return;
    }
    assert_true(json_is_string(value));
    if (len > 3 && strcmp(name + len - 3, "_id") == 0) {
        assert_int_equal(bytes->len * 2, json_string_length(value));
        for (size_t i = 0; i < bytes->len; i++) {
            char digits[3];
            (void)snprintf(digits, sizeof(digits), "%02x", bytes->data[i]);
            assert_int_equal(strncasecmp(digits, json_string_value(value) + 2 * i, 2), 0);
        }
    } else if (strcmp(name, "bytes_value") == 0) {
        compare_base64(bytes, json_string_value(value));
    } else {
        assert_str_equal(tt_str_of(bytes->data, bytes->len),
                         tt_str_of(json_string_value(value), json_string_length(value)));
    }
}

static void compare_message(const ProtobufCMessage *message, json_t *object, bool is_strict);

/* strict: 64-bit integers are strings, enums and 32-bit ones numbers. */
static void compare_value(const ProtobufCFieldDescriptor *field, const void *member, json_t *value,
                          bool is_strict)
{
    uint64_t bits64;
    uint32_t bits32;
    double real, expected;

    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        compare_message(*(ProtobufCMessage *const *)member, value, is_strict);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        compare_bytes(member, value, field->name);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&real, member, sizeof(real));
        expected = double_of(value);
        /* jansson reads "-0" as the integer 0. */
        if (real == 0 && expected == 0 && json_is_integer(value))
            return;
        assert_true(isnan(real) ? isnan(expected) : memcmp(&real, &expected, sizeof(real)) == 0);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        assert_int_equal(*(const protobuf_c_boolean *)member, value != NULL && json_is_true(value));
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        memcpy(&bits64, member, sizeof(bits64));
        assert_int_equal(bits64, integer_of(value, field));
        assert_true(!is_strict || value == NULL || json_is_string(value));
        return;
    default:
        memcpy(&bits32, member, sizeof(bits32));
        assert_int_equal(bits32, (uint32_t)integer_of(value, field));
        assert_true(!is_strict || value == NULL || json_is_integer(value));
        return;
    }
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8; /* the only repeated numbers of the protocol are 64 bits wide */
    }
}

static void compare_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          json_t *value, bool is_strict)
{
    const char *member = (const char *)message + field->offset;
    const char *quantifier = (const char *)message + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t n = *(const size_t *)(const void *)quantifier;
        assert_int_equal(n, json_array_size(value));
        assert_true(!is_strict || value == NULL || n > 0);
        for (size_t i = 0; i < n; i++)
            compare_value(field, *(char *const *)(const void *)member + i * element_size(field),
                          json_array_get(value, i), is_strict);
        return;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        bool is_set = *(const uint32_t *)(const void *)quantifier == field->id;
        assert_int_equal(is_set, value != NULL);
        if (is_set)
            compare_value(field, member, value, is_strict);
        return;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
        *(ProtobufCMessage *const *)(const void *)member == NULL) {
        assert_true(value == NULL || (is_strict && json_object_size(value) == 0));
        return;
    }
    compare_value(field, member, value, is_strict);
}

/* The nesting is that of the generator. */
static void compare_message(const ProtobufCMessage *message, json_t *object, bool is_strict)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    assert_true(json_is_object(object));
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        compare_field(message, &descriptor->fields[i],
                      member_of(object, descriptor->fields[i].name), is_strict);
}

static void compare_document(enum tt_signal signal, struct tt_str wire, struct tt_str text,
                             bool is_strict)
{
    json_error_t why;
    json_t *document = json_loadb(text.data, text.len,
                                  JSON_ALLOW_NUL | (is_strict ? JSON_REJECT_DUPLICATES : 0), &why);
    ProtobufCMessage *message = protobuf_c_message_unpack(tt_pb_request(signal)->descriptor, NULL,
                                                          wire.len, (const uint8_t *)wire.data);

    if (document == NULL)
        fail_msg("jansson: %s in %.*s", why.text, TT_STR_ARG(text));
    assert_non_null(message);
    compare_message(message, document, is_strict);
    protobuf_c_message_free_unpacked(message, NULL);
    json_decref(document);
}

/* ---- tests ---- */

static const struct tt_pb_message *row_message(const struct tt_batch *batch,
                                               const struct tt_row *row)
{
    static const enum tt_pb_id points[] = {
        [TT_METRIC_NONE] = TT_MSG_NUMBER_POINT,
        [TT_METRIC_GAUGE] = TT_MSG_NUMBER_POINT,
        [TT_METRIC_SUM] = TT_MSG_NUMBER_POINT,
        [TT_METRIC_HISTOGRAM] = TT_MSG_HISTOGRAM_POINT,
        [TT_METRIC_EXPONENTIAL_HISTOGRAM] = TT_MSG_EXPONENTIAL_HISTOGRAM_POINT,
        [TT_METRIC_SUMMARY] = TT_MSG_SUMMARY_POINT,
    };

    return tt_pb_message(batch->signal == TT_TRACES ? TT_MSG_SPAN
                         : batch->signal == TT_LOGS
                             ? TT_MSG_LOG_RECORD
                             : points[batch->metrics[row->point.metric].type]);
}

static void compare_rows(const struct tt_batch *a, const struct tt_batch *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    for (uint32_t i = 0; i < a->n_rows; i++) {
        const ProtobufCMessageDescriptor *descriptor = row_message(a, &a->rows[i])->descriptor;
        struct tt_str of_a =
            canonical_bytes(descriptor, tt_str_of(a->rows[i].wire, a->rows[i].wire_len));
        struct tt_str of_b =
            canonical_bytes(descriptor, tt_str_of(b->rows[i].wire, b->rows[i].wire_len));
        /* A span's status and the like are always written, so that they may have come into being. */
        if (of_a.len == of_b.len)
            assert_str_equal(of_a, of_b);
        else
            assert_true(of_a.len < of_b.len);
        free_bytes(of_a);
        free_bytes(of_b);
    }
}

static void check_document(enum tt_signal signal, uint64_t seed)
{
    struct generator g;
    struct tt_buffer wire;

    generate(&g, signal, seed);
    if (!read_json(signal, tt_buffer_view(&g.text), &wire))
        fail_msg("seed %llu: refused %.*s", (unsigned long long)seed,
                 TT_STR_ARG(tt_buffer_view(&g.text)));
    compare_document(signal, tt_buffer_view(&wire), tt_buffer_view(&g.text), false);

    struct tt_batch *batch = batch_of_json(signal, tt_buffer_view(&g.text));
    struct tt_buffer written = json_of_batch(batch);
    compare_document(signal, tt_buffer_view(&wire), tt_buffer_view(&written), true);

    struct tt_batch *again = batch_of_json(signal, tt_buffer_view(&written));
    struct tt_buffer twice = json_of_batch(again);
    assert_str_equal(tt_buffer_view(&twice), tt_buffer_view(&written));
    compare_rows(batch, again);
    tt_batch_unref(batch);
    tt_batch_unref(again);
    tt_buffer_done(&twice);
    tt_buffer_done(&written);
    tt_buffer_done(&wire);
    tt_buffer_done(&g.text);
}

static void agrees_with_jansson_on_traces(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        check_document(TT_TRACES, seed);
}

static void agrees_with_jansson_on_metrics(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        check_document(TT_METRICS, seed);
}

static void agrees_with_jansson_on_logs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        check_document(TT_LOGS, seed);
}

/* Reads len bytes from an allocation of that size. */
static bool reads_exactly(enum tt_signal signal, const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    struct tt_buffer wire;
    bool is_read;

    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    is_read = read_json(signal, tt_str_of(copy + 1, len), &wire);
    free(copy);
    if (is_read)
        tt_buffer_done(&wire);
    return is_read;
}

static void refuses_a_document_cut_at_any_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * TT_SIGNAL_COUNT; i++) {
        enum tt_signal signal = tt_signal_at(i % TT_SIGNAL_COUNT);
        struct generator g;
        generate(&g, signal, 1000 + i);
        struct tt_str whole = tt_str_trim(tt_buffer_view(&g.text));
        for (size_t len = 0; len < whole.len; len++)
            assert_false(reads_exactly(signal, whole.data, len));
        assert_true(reads_exactly(signal, whole.data, whole.len));
        tt_buffer_done(&g.text);
    }
}

/* Whatever a damaged document is read as, the validator takes it and the writer writes it. */
static void gives_only_wire_that_the_validator_takes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * TT_SIGNAL_COUNT; i++) {
        enum tt_signal signal = tt_signal_at(i % TT_SIGNAL_COUNT);
        struct generator g;
        generate(&g, signal, 2000 + i);
        for (size_t at = 0; at < g.text.len; at++) {
            char before = g.text.data[at];
            struct tt_buffer wire;
            g.text.data[at] = (char)(before ^ (1 << pick(&g, 8)));
            if (read_json(signal, tt_buffer_view(&g.text), &wire)) {
                tt_buffer_done(&wire);
                struct tt_batch *batch = batch_of_json(signal, tt_buffer_view(&g.text));
                struct tt_buffer written = json_of_batch(batch);
                assert_true(reads_exactly(signal, written.data, written.len));
                tt_buffer_done(&written);
                tt_batch_unref(batch);
            }
            g.text.data[at] = before;
        }
        tt_buffer_done(&g.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_jansson_on_traces),
        cmocka_unit_test(agrees_with_jansson_on_metrics),
        cmocka_unit_test(agrees_with_jansson_on_logs),
        cmocka_unit_test(refuses_a_document_cut_at_any_byte),
        cmocka_unit_test(gives_only_wire_that_the_validator_takes),
    };

    return cmocka_run_group_tests_name("json_oracle", tests, NULL, NULL);
}
