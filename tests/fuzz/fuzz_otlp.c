/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a request of each signal, then everything that walks behind the validator: cursors over all attributes, values,
 * events and links, clones, edits, limits, protobuf-c, the encoder; and what was encoded must be taken again, with as many rows.
 *
 * An input is two bytes (signal, seed of the edits) and the request. The mutator knows the schema: it drops, doubles, nests,
 * inserts and exchanges whole fields at any depth and mends the lengths around them, or lies about one.
 */
#include "otlp/clip.h"
#include "otlp/cursor.h"
#include "otlp/encode.h"
#include "otlp/overlay.h"
#include "otlp/unpack.h"
#include "otlp/validate.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD    2
#define MAX_OUT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed);

/* Freed blocks that are held back would pass the limit of memory before a leak does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static uint32_t below(uint64_t *state, size_t n)
{
    return n == 0 ? 0 : next_random(state) % (uint32_t)n;
}

static enum tt_signal signal_of(const uint8_t *data)
{
    return tt_signal_at(data[0] % TT_SIGNAL_COUNT);
}

/* ---- what is checked ---- */

static struct tt_batch *parse(enum tt_signal signal, struct tt_str bytes, uint64_t *ret_rejected)
{
    struct tt_body *body = tt_body_borrow(bytes.data, bytes.len, NULL, NULL);
    struct tt_batch *batch = NULL;
    enum tt_status status =
        tt_batch_parse(signal, body, &tt_limits_default, NULL, &batch, ret_rejected, NULL);

    require(status == TT_OK || status == TT_INVALID_DATA || status == TT_TOO_LARGE,
            "a request is taken, invalid or too large");
    tt_body_unref(body);
    return batch;
}

/* protobuf-c is more lenient: it takes all that the validator takes. */
static void require_protobuf_c(enum tt_signal signal, struct tt_str bytes)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(tt_pb_request(signal)->descriptor, NULL,
                                                          bytes.len, (const uint8_t *)bytes.data);

    require(message != NULL, "protobuf-c takes what the validator takes");
    protobuf_c_message_free_unpacked(message, NULL);
}

/* Reads every byte of a text, so that a sanitizer sees a view that is too long. */
static uint64_t touch(struct tt_str text)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text.len; i++)
        sum += (uint8_t)text.data[i];
    return sum;
}

static uint64_t walk_attributes(struct tt_cursor cursor)
{
    struct tt_cursor stack[TT_MAX_NESTING + 1];
    struct tt_attribute attribute;
    uint64_t sum = 0;
    size_t depth = 0;

    for (stack[0] = cursor;;) {
        struct tt_str text;

        if (!tt_next_attribute(&stack[depth], &attribute)) {
            if (depth-- == 0)
                return sum;
            continue;
        }
        sum += touch(attribute.key) + (uint64_t)attribute.value.type;
        if (tt_value_first_text(&attribute.value, &text))
            sum += touch(text);
        if (attribute.value.type != TT_VALUE_ARRAY && attribute.value.type != TT_VALUE_KVLIST) {
            sum += attribute.value.type == TT_VALUE_BYTES ? touch(attribute.value.text) : 0;
            continue;
        }
        require(depth < TT_MAX_NESTING, "arrays and maps nest at most 64 deep");
        stack[++depth] = tt_value_members(&attribute.value);
    }
}

static uint64_t walk_span(const struct tt_row *row)
{
    struct tt_cursor events = tt_span_events(row), links = tt_span_links(row);
    uint64_t sum = touch(row->span.name) + touch(row->span.status_message);
    struct tt_span_event event;
    struct tt_span_link link;
    uint32_t n_events = 0, n_links = 0;

    for (; tt_next_event(&events, &event); n_events++)
        sum += touch(event.name) + walk_attributes(tt_event_attributes(&event));
    for (; tt_next_link(&links, &link); n_links++)
        sum += link.trace_id == NULL ? 0 : touch(tt_str_of(link.trace_id, 16));
    require(n_events == row->span.n_events, "all events are walked");
    require(n_links == row->span.n_links, "all links are walked");
    sum += row->span.trace_id == NULL ? 0 : touch(tt_str_of(row->span.trace_id, 16));
    sum += row->span.parent_span_id == NULL ? 0 : touch(tt_str_of(row->span.parent_span_id, 8));
    return sum;
}

static uint64_t walk_log(const struct tt_row *row)
{
    struct tt_value body = tt_value_of(row->log.body);
    struct tt_buffer text;
    uint64_t sum = touch(row->log.severity_text) + touch(row->log.event_name);

    tt_buffer_init(&text, MAX_OUT);
    tt_value_append_text(&body, &text);
    sum += text.len;
    tt_buffer_done(&text);
    return sum + walk_attributes(tt_value_members(&body));
}

static uint64_t walk(const struct tt_batch *batch)
{
    const struct tt_row *row;
    uint64_t sum = 0;

    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        sum += walk_attributes(tt_row_attributes(batch, row));
        if (batch->signal == TT_TRACES)
            sum += walk_span(row);
        else if (batch->signal == TT_LOGS)
            sum += walk_log(row);
        else
            sum += touch(batch->metrics[row->point.metric].name);
    }
    for (uint32_t i = 0; i < batch->n_resources; i++)
        sum += walk_attributes(tt_resource_attributes(batch, i)) +
               touch(batch->resources[i].service_name);
    for (uint32_t i = 0; i < batch->n_scopes; i++)
        sum += walk_attributes(tt_scope_attributes(batch, i)) + touch(batch->scopes[i].name);
    return sum;
}

static void edit_row(struct tt_batch *batch, struct tt_row *row, uint64_t *random)
{
    static const struct tt_column_desc desc = {"a", TT_COLUMN_INT, ""};
    struct tt_cursor attributes = tt_row_attributes(batch, row);
    struct tt_attribute first = {.key = TT_STR("none"), .value = {.type = TT_VALUE_EMPTY}};
    bool ok = true;

    (void)tt_next_attribute(&attributes, &first);
    switch (below(random, 7)) {
    case 0:
        ok = tt_row_set_attribute(batch, row, TT_STR("copy"), &first.value);
        break;
    case 1:
        ok = tt_row_set_attribute(batch, row, first.key, &first.value);
        break;
    case 2:
        ok = tt_row_delete_attribute(batch, row, first.key);
        break;
    case 3:
        tt_column_set_int(tt_batch_column(batch, &desc), tt_row_index(batch, row), -1);
        break;
    case 4:
        tt_row_drop(batch, row);
        break;
    case 5:
        ok = batch->signal != TT_TRACES || (tt_span_set_name(batch, row, first.key) &&
                                            tt_span_set_status(batch, row, 2, first.key));
        break;
    default:
        ok = tt_resource_set_attribute(batch, 0, TT_STR("service.name"), &first.value) &&
             tt_scope_delete_attribute(batch, 0, first.key);
        break;
    }
    require(ok, "edits succeed");
}

/* Some row through protobuf-c's struct and back. */
static void repack_row(struct tt_batch *batch, struct tt_row *row)
{
    ProtobufCMessage *message = NULL;
    struct tt_arena arena;
    enum tt_status status;

    tt_arena_init(&arena, 0, 0);
    status = tt_row_unpack(batch, row, &arena, &message, NULL);
    require(status == TT_OK || status == TT_UNSUPPORTED, "rows are unpacked unless too deep");
    if (status == TT_OK)
        require(tt_row_replace(batch, row, message, NULL) == TT_OK, "rows are packed again");
    tt_arena_done(&arena);
}

static void encode_and_parse(const struct tt_batch *batch)
{
    uint64_t rejected = 0;
    struct tt_batch *again;
    struct tt_buffer out;

    tt_buffer_init(&out, MAX_OUT);
    tt_encode_request(batch, &out);
    require(out.failed == TT_OK, "a batch is encoded");
    again = parse(batch->signal, tt_buffer_view(&out), &rejected);
    require(again != NULL, "what was encoded is taken");
    require(rejected == 0, "no row that was encoded is rejected");
    require(again->n_rows == tt_batch_live_rows(batch), "no row is lost in encoding");
    (void)walk(again);
    tt_batch_unref(again);
    tt_buffer_done(&out);
}

/* Clipped once, rows are within the limits. */
static void clip(struct tt_batch *batch, uint64_t *random)
{
    const struct tt_clip_limits limits = {below(random, 4), below(random, 16)};
    struct tt_clipped clipped;

    require(tt_batch_clip(batch, &limits, &clipped, NULL) == TT_OK, "a batch is clipped");
    (void)walk(batch);
    encode_and_parse(batch);
    require(tt_batch_clip(batch, &limits, &clipped, NULL) == TT_OK, "and again");
    require(clipped.attributes + clipped.values == 0, "nothing is left to clip");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tt_batch *batch, *copy;
    uint64_t random, sum;

    if (size < HEAD)
        return 0;
    batch = parse(signal_of(data), tt_str_of(data + HEAD, size - HEAD), NULL);
    if (batch == NULL)
        return 0;
    require_protobuf_c(batch->signal, batch->whole);
    random = data[1];
    sum = walk(batch);
    copy = tt_batch_ref(batch);
    require(tt_batch_make_writable(&copy, NULL) == TT_OK, "a batch is cloned");
    for (uint32_t n = below(&random, 8); n > 0 && copy->n_rows > 0; n--)
        edit_row(copy, &copy->rows[below(&random, copy->n_rows)], &random);
    if (copy->n_rows > 0 && copy->n_rows < 1000)
        repack_row(copy, &copy->rows[below(&random, copy->n_rows)]);
    copy->edited = true; /* nothing is copied whole */
    (void)walk(copy);
    encode_and_parse(copy);
    tt_batch_unref(copy);
    require(walk(batch) == sum, "editing a clone leaves the original alone");
    clip(batch, &random);
    tt_batch_unref(batch);
    return 0;
}

/* ---- the mutator ---- */

/* A message on the way from the request to the chosen place, and the field of it that the way goes through. */
struct level {
    struct tt_check_cursor cursor; /* at: behind the field */
    const uint8_t *from;           /* the message's first byte */
    const uint8_t *start;          /* the field's tag */
    const uint8_t *data;           /* the field's content */
    const struct tt_pb_field *field;
};

struct way {
    struct level levels[TT_MAX_FRAMES];
    size_t depth; /* of the last level */
};

/* Some field of a message, each with the same chance; false when it has none that can be read. */
static bool choose_field(const struct tt_pb_message *message, struct tt_str bytes, uint64_t *random,
                         struct level *ret_level)
{
    const struct tt_limits limits = {.max_depth = TT_MAX_NESTING, .max_elements = UINT32_MAX};
    struct tt_check_cursor cursor = tt_check_begin(message, bytes);
    const struct tt_pb_field *known;
    struct tt_wire_field field;
    struct tt_check check;
    uint32_t n = 0;

    tt_check_init(&check, bytes, &limits);
    while (tt_check_next(&check, &cursor, &field, &known))
        if (below(random, ++n) == 0)
            *ret_level =
                (struct level){cursor, (const uint8_t *)bytes.data, field.start, field.data, known};
    return n > 0;
}

static bool choose_way(enum tt_signal signal, struct tt_str bytes, uint64_t *random,
                       struct way *way)
{
    const struct tt_pb_message *message = tt_pb_request(signal);

    for (way->depth = 0;; way->depth++) {
        struct level *level = &way->levels[way->depth];

        if (!choose_field(message, bytes, random, level))
            break;
        if (level->field->kind != TT_PB_MESSAGE || below(random, 8) == 0 ||
            way->depth == TT_MAX_FRAMES - 1)
            return true;
        message = level->field->message;
        bytes = tt_str_of(level->data, (size_t)(level->cursor.at - level->data));
    }
    if (way->depth == 0)
        return false;
    way->depth--; /* an empty message: the field that holds it is chosen */
    return true;
}

static void put_varint(struct tt_buffer *out, uint64_t value)
{
    uint8_t bytes[TT_MAX_VARINT];

    tt_buffer_append(out, bytes, (size_t)(tt_put_varint(bytes, value) - bytes));
}

static void put_length_field(struct tt_buffer *out, uint32_t number, struct tt_str content)
{
    put_varint(out, TT_TAG(number, TT_PB_WIRE_LENGTH));
    put_varint(out, content.len);
    tt_buffer_append_str(out, content);
}

/* The chosen field replaced by these bytes, and all lengths around it mended. */
static void rebuild(const struct way *way, struct tt_str replacement, struct tt_buffer *out)
{
    struct tt_buffer content;

    tt_buffer_clear(out);
    tt_buffer_append_str(out, replacement);
    tt_buffer_init(&content, MAX_OUT);
    for (size_t i = way->depth + 1; i-- > 0;) {
        const struct level *level = &way->levels[i];
        struct tt_buffer swap = content;

        content = *out;
        *out = swap;
        tt_buffer_clear(out);
        tt_buffer_append(out, level->from, (size_t)(level->start - level->from));
        if (i == way->depth)
            tt_buffer_append_str(out, tt_buffer_view(&content));
        else
            put_length_field(out, level->field->number, tt_buffer_view(&content));
        tt_buffer_append(out, level->cursor.at, (size_t)(level->cursor.end - level->cursor.at));
    }
    tt_buffer_done(&content);
}

/* A field of that kind with little in it. */
static void put_new_field(const struct tt_pb_field *field, uint64_t *random, struct tt_buffer *out)
{
    static const char bytes[] = "abcdefghijklmnop";
    static const char *const keys[] = {"a", "service.name", "copy", "k"};
    struct tt_str text = tt_str(keys[below(random, TT_LENGTH(keys))]);

    if (field->kind == TT_PB_MESSAGE)
        text.len = 0;
    else if (field->kind == TT_PB_ID)
        text = tt_str_of(bytes, below(random, 10) == 0 ? below(random, 17) : field->id_len);
    if (field->wire_type == TT_PB_WIRE_LENGTH) {
        put_length_field(out, field->number, text);
        return;
    }
    put_varint(out, TT_TAG(field->number, field->wire_type));
    if (field->wire_type == TT_PB_WIRE_VARINT)
        put_varint(out, (uint64_t)next_random(random) << below(random, 33));
    else
        tt_buffer_append(out, bytes, field->wire_type == TT_PB_WIRE_64 ? 8 : 4);
}

static void put_random_field(const struct tt_pb_message *message, uint64_t *random,
                             struct tt_buffer *out)
{
    put_new_field(tt_pb_field(message, message->numbers[below(random, message->n_fields)]), random,
                  out);
}

/* An AnyValue wrapped into arrays or maps, a few times or about as often as is allowed. */
static void put_nested(const struct level *level, uint64_t *random, struct tt_buffer *out)
{
    struct tt_buffer value, around;

    tt_buffer_init(&value, MAX_OUT);
    tt_buffer_init(&around, MAX_OUT);
    tt_buffer_append(&value, level->data, (size_t)(level->cursor.at - level->data));
    for (uint32_t n = 1 + below(random, 3) + 60 * below(random, 2); n > 0; n--) {
        bool map = below(random, 2) == 0;

        tt_buffer_clear(&around);
        put_length_field(&around, map ? 2 : 1, tt_buffer_view(&value));
        tt_buffer_clear(&value);
        if (map) {
            put_length_field(&value, 1, tt_buffer_view(&around));
            tt_buffer_clear(&around);
            tt_buffer_append_str(&around, tt_buffer_view(&value));
            tt_buffer_clear(&value);
        }
        put_length_field(&value, map ? 6 : 5, tt_buffer_view(&around));
    }
    put_length_field(out, level->field->number, tt_buffer_view(&value));
    tt_buffer_done(&value);
    tt_buffer_done(&around);
}

/* The field with a length that is not its own. */
static void put_lie(const struct level *level, uint64_t *random, struct tt_buffer *out)
{
    size_t len = (size_t)(level->cursor.at - level->data);
    const size_t lies[] = {len + 1, len - 1, 0, len * 2, (size_t)UINT32_MAX, (size_t)INT32_MAX};

    put_varint(out, TT_TAG(level->field->number, TT_PB_WIRE_LENGTH));
    put_varint(out, lies[below(random, TT_LENGTH(lies))]);
    tt_buffer_append(out, level->data, len);
}

/* What comes in the place of the chosen field. */
static void put_replacement(const struct level *level, uint64_t *random, struct tt_buffer *out)
{
    struct tt_str old = tt_str_of(level->start, (size_t)(level->cursor.at - level->start));
    uint32_t action = below(random, 8);

    if (action == 0)
        return; /* dropped */
    if (level->field->message == tt_pb_message(TT_MSG_ANY_VALUE) && below(random, 2) == 0) {
        put_nested(level, random, out);
        return;
    }
    if (action == 1 && level->field->wire_type == TT_PB_WIRE_LENGTH) {
        put_lie(level, random, out);
        return;
    }
    if (action <= 3 && level->field->kind == TT_PB_MESSAGE) { /* one more field inside */
        struct tt_buffer content;

        tt_buffer_init(&content, MAX_OUT);
        tt_buffer_append(&content, level->data, (size_t)(level->cursor.at - level->data));
        put_random_field(level->field->message, random, &content);
        put_length_field(out, level->field->number, tt_buffer_view(&content));
        tt_buffer_done(&content);
        return;
    }
    tt_buffer_append_str(out, old);
    if (action == 4) /* doubled, seldom thousandfold */
        for (uint32_t n = below(random, 20) == 0 ? 1 + below(random, 2000) : 1; n > 0; n--)
            tt_buffer_append_str(out, old);
    else
        put_random_field(level->cursor.message, random, out);
}

static size_t give_back(const struct tt_buffer *made, uint8_t *data, size_t max_size)
{
    size_t len = made->len < max_size - HEAD ? made->len : max_size - HEAD;

    if (len > 0)
        memcpy(data + HEAD, made->data, len);
    return HEAD + len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t random = seed;
    struct tt_buffer made, replacement;
    static struct way way; /* one thread; large for the stack */

    if (size < HEAD || max_size <= HEAD || below(&random, 4) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (below(&random, 8) == 0)
        data[1] = (uint8_t)next_random(&random);
    tt_buffer_init(&made, MAX_OUT);
    tt_buffer_init(&replacement, MAX_OUT);
    if (choose_way(signal_of(data), tt_str_of(data + HEAD, size - HEAD), &random, &way)) {
        put_replacement(&way.levels[way.depth], &random, &replacement);
        rebuild(&way, tt_buffer_view(&replacement), &made);
    } else {
        put_random_field(tt_pb_request(signal_of(data)), &random, &made);
    }
    size = give_back(&made, data, max_size);
    tt_buffer_done(&made);
    tt_buffer_done(&replacement);
    return size;
}

/* A field of the second input in the place of one of the same kind in the first. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
    static struct way to, from;
    uint64_t random = seed;
    struct tt_buffer made;
    size_t size = 0;

    if (size1 < HEAD || size2 < HEAD || max_size <= HEAD ||
        !choose_way(signal_of(data1), tt_str_of(data1 + HEAD, size1 - HEAD), &random, &to))
        return 0;
    tt_buffer_init(&made, MAX_OUT);
    for (int tries = 0; tries < 32 && size == 0; tries++) {
        const struct level *level = &from.levels[0];

        if (!choose_way(signal_of(data2), tt_str_of(data2 + HEAD, size2 - HEAD), &random, &from))
            break;
        level = &from.levels[from.depth];
        if (level->field != to.levels[to.depth].field)
            continue;
        rebuild(&to, tt_str_of(level->start, (size_t)(level->cursor.at - level->start)), &made);
        memcpy(out, data1, HEAD);
        size = give_back(&made, out, max_size);
    }
    tt_buffer_done(&made);
    return size;
}
