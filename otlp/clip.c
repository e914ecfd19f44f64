/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/clip.h"

#include "base/buffer.h"
#include "otlp/index.h"

/* Tag and length of an attribute without key and value. */
#define MIN_ATTRIBUTE_BYTES 2
/* A row is never larger than the body it came in, and becomes shorter. */
#define MAX_ROW_BYTES ((size_t)1 << 30)

const struct tt_clip_limits tt_clip_limits_default = {.max_attributes = 128,
                                                      .max_value_bytes = 4096};

/* ---- the walk ---- */

/* A message that is being read. */
struct frame {
    const uint8_t *at, *end;
    const struct tt_pb_message *message;
    uint8_t attributes; /* number of its attributes field; 0: it is no item */
    uint8_t dropped;    /* number of dropped_attributes_count; 0: it has none */
    uint32_t n_attributes;
    uint64_t n_dropped; /* by its sender */
    size_t length_at;   /* in out: where its length is, and how many bytes that has */
    size_t length_size;
};

struct walk {
    const struct tt_clip_limits *limits;
    struct tt_buffer *out; /* NULL: only look */
    struct tt_clipped clipped;
    unsigned n_frames; /* that are open; the row's is the first */
    struct frame frames[TT_MAX_FRAMES];
};

static bool is(const struct tt_pb_message *message, enum tt_pb_id id)
{
    return message == tt_pb_message(id);
}

/* The first field of attributes: a message of key-value pairs that is no value itself. */
static void find_attributes(struct frame *frame)
{
    const struct tt_pb_message *message = frame->message;
    const struct tt_pb_field *dropped;

    if (is(message, TT_MSG_KEY_VALUE_LIST))
        return;
    for (unsigned i = 0; i < message->n_fields; i++) {
        const struct tt_pb_field *field = &message->fields[message->numbers[i]];
        if (field->kind == TT_PB_MESSAGE && is(field->message, TT_MSG_KEY_VALUE))
            frame->attributes = field->number;
    }
    dropped = tt_pb_find(message, TT_STR("dropped_attributes_count"));
    if (frame->attributes != 0 && dropped != NULL)
        frame->dropped = dropped->number;
}

static void append(struct walk *walk, const uint8_t *from, const uint8_t *to)
{
    if (walk->out != NULL)
        tt_buffer_append(walk->out, from, (size_t)(to - from));
}

/* ---- lengths ---- */

/*
 * A length that will be smaller than it is now keeps its number of bytes: a varint may have zeros at its high end, and nothing that
 * was written has to be moved.
 */
static void put_length(struct walk *walk, size_t at, size_t size, size_t length)
{
    if (walk->out == NULL || walk->out->failed != TT_OK)
        return;
    for (size_t i = 0; i < size; i++, length >>= 7)
        walk->out->data[at + i] = (char)((length & 0x7f) | (i + 1 < size ? 0x80 : 0));
}

/* Copies tag and length; *ret_at, *ret_size: where the length is now, and its bytes. */
static void append_head(struct walk *walk, const struct tt_wire_field *field, size_t *ret_at,
                        size_t *ret_size)
{
    uint64_t tag;
    const uint8_t *length = tt_wire_varint(field->start, &tag);

    append(walk, field->start, field->data);
    *ret_size = (size_t)(field->data - length);
    *ret_at = walk->out == NULL ? 0 : walk->out->len - *ret_size;
}

/* ---- values ---- */

/* Up to `most` bytes, fewer to leave no half character; what is no UTF-8 is cut anywhere. */
static size_t text_prefix(struct tt_str text, size_t most)
{
    size_t len = most;

    while (len > 0 && most - len < 3 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
        len--;
    return ((uint8_t)text.data[len] & 0xc0) == 0x80 ? most : len;
}

static void cut_value(struct walk *walk, const struct tt_wire_field *field,
                      const struct tt_pb_field *known)
{
    size_t at, size, len = walk->limits->max_value_bytes;

    if (known->kind == TT_PB_TEXT)
        len = text_prefix(tt_wire_bytes(field), len);
    append_head(walk, field, &at, &size);
    append(walk, field->data, field->data + len);
    put_length(walk, at, size, len);
    walk->clipped.values++;
}

/* ---- messages ---- */

static void enter(struct walk *walk, const struct tt_wire_field *field,
                  const struct tt_pb_message *message)
{
    struct frame *frame = &walk->frames[walk->n_frames++];

    *frame =
        (struct frame){.at = field->data, .end = field->data + field->value, .message = message};
    find_attributes(frame);
    append_head(walk, field, &frame->length_at, &frame->length_size);
}

static void leave(struct walk *walk)
{
    struct frame *frame = &walk->frames[--walk->n_frames];
    uint64_t surplus = 0;

    if (walk->limits->max_attributes > 0 && frame->n_attributes > walk->limits->max_attributes)
        surplus = frame->n_attributes - walk->limits->max_attributes;
    walk->clipped.attributes += surplus;
    if (walk->out != NULL && frame->dropped != 0 && frame->n_dropped + surplus > 0) {
        uint8_t bytes[1 + TT_MAX_VARINT] = {(uint8_t)TT_TAG(frame->dropped, TT_PB_WIRE_VARINT)};
        uint64_t count = frame->n_dropped + surplus;
        append(walk, bytes, tt_put_varint(bytes + 1, count < UINT32_MAX ? count : UINT32_MAX));
    }
    if (walk->n_frames > 0 && walk->out != NULL)
        put_length(walk, frame->length_at, frame->length_size,
                   walk->out->len - frame->length_at - frame->length_size);
}

/* Whether the field can hold a value that is too long, or an item with too many attributes. */
static bool may_exceed(const struct walk *walk, const struct frame *frame,
                       const struct tt_wire_field *field, const struct tt_pb_field *known)
{
    const struct tt_clip_limits *limits = walk->limits;
    bool is_item = is(known->message, TT_MSG_SPAN_EVENT) || is(known->message, TT_MSG_SPAN_LINK) ||
                   is(known->message, TT_MSG_EXEMPLAR);
    bool is_value =
        is(known->message, TT_MSG_KEY_VALUE) || is(known->message, TT_MSG_ARRAY_VALUE) ||
        is(known->message, TT_MSG_KEY_VALUE_LIST) ||
        (is(known->message, TT_MSG_ANY_VALUE) && !is(frame->message, TT_MSG_LOG_RECORD));

    if (is_item && limits->max_attributes > 0 &&
        field->value / MIN_ATTRIBUTE_BYTES > limits->max_attributes)
        return true;
    return (is_item || is_value) && limits->max_value_bytes > 0 &&
           field->value > limits->max_value_bytes;
}

static bool is_long_value(const struct walk *walk, const struct frame *frame,
                          const struct tt_wire_field *field, const struct tt_pb_field *known)
{
    return is(frame->message, TT_MSG_ANY_VALUE) && known->kind != TT_PB_MESSAGE &&
           walk->limits->max_value_bytes > 0 && field->value > walk->limits->max_value_bytes;
}

static void visit(struct walk *walk, struct frame *frame, const struct tt_wire_field *field)
{
    const struct tt_clip_limits *limits = walk->limits;
    const struct tt_pb_field *known = tt_pb_field(frame->message, field->number);
    bool has_length =
        field->wire_type == TT_PB_WIRE_LENGTH && known->wire_type == TT_PB_WIRE_LENGTH;

    if (frame->attributes != 0 && field->number == frame->attributes &&
        ++frame->n_attributes > limits->max_attributes && limits->max_attributes > 0)
        return;
    if (frame->dropped != 0 && field->number == frame->dropped) {
        frame->n_dropped = (uint32_t)field->value; /* the last one counts; leave() writes it */
        return;
    }
    if (has_length && known->kind == TT_PB_MESSAGE && may_exceed(walk, frame, field, known))
        enter(walk, field, known->message);
    else if (has_length && is_long_value(walk, frame, field, known))
        cut_value(walk, field, known);
    else
        append(walk, field->start, frame->at);
}

/* Copies the row to out, if there is one, within the limits, and counts in walk->clipped what they take away. */
static void walk_row(struct walk *walk, const struct tt_batch *batch, const struct tt_row *row,
                     struct tt_buffer *out)
{
    struct tt_wire_field field;

    walk->out = out;
    walk->clipped = (struct tt_clipped){0};
    walk->n_frames = 1;
    walk->frames[0] = (struct frame){
        .at = row->wire, .end = row->wire + row->wire_len, .message = tt_row_schema(batch, row)};
    find_attributes(&walk->frames[0]);
    while (walk->n_frames > 0) {
        struct frame *frame = &walk->frames[walk->n_frames - 1];
        if (tt_wire_next(&frame->at, frame->end, &field))
            visit(walk, frame, &field);
        else
            leave(walk);
    }
}

/* ---- rows ---- */

static uint32_t count_log_attributes(const struct tt_batch *batch, const struct tt_row *row)
{
    uint32_t number = tt_row_attributes_number(batch, row), n = 0;
    const uint8_t *at = row->wire;
    struct tt_wire_field field;

    while (tt_wire_next(&at, row->wire + row->wire_len, &field))
        n += field.number == number;
    return n;
}

static bool row_may_exceed(const struct tt_batch *batch, const struct tt_row *row,
                           const struct tt_clip_limits *limits)
{
    const struct tt_span *span = &row->span;

    if (limits->max_value_bytes > 0 && row->wire_len > limits->max_value_bytes)
        return true;
    if (limits->max_attributes == 0 ||
        row->wire_len / MIN_ATTRIBUTE_BYTES <= limits->max_attributes)
        return false;
    if (batch->signal == TT_TRACES)
        return span->n_attributes > limits->max_attributes || span->n_events + span->n_links > 0;
    return batch->signal == TT_METRICS || count_log_attributes(batch, row) > limits->max_attributes;
}

/* out: scratch. */
static enum tt_status clip_row(struct walk *walk, struct tt_batch *batch, struct tt_row *row,
                               struct tt_buffer *out, struct tt_error *err)
{
    enum tt_status status;
    struct tt_check check;
    struct tt_str wire;

    tt_buffer_clear(out);
    walk_row(walk, batch, row, out);
    status = tt_buffer_check(out, "clip a row", err);
    if (status != TT_OK)
        return status;
    wire = tt_arena_copy(&batch->arena, tt_buffer_view(out));
    if (wire.data == NULL)
        return tt_fail(err, TT_NO_MEMORY, "clip a row: out of memory");
    tt_check_init(&check, wire, &tt_limits_default);
    if (!tt_index_row(&check, batch, wire, TT_INDEX_KNOWN, row))
        return tt_check_result(&check, "clip a row", err);
    batch->edited = true;
    return TT_OK;
}

enum tt_status tt_batch_clip(struct tt_batch *batch, const struct tt_clip_limits *limits,
                             struct tt_clipped *ret_clipped, struct tt_error *err)
{
    enum tt_status status = TT_OK;
    struct tt_buffer out;
    struct tt_row *row;
    struct walk walk;

    *ret_clipped = (struct tt_clipped){0};
    walk.limits = limits;
    tt_buffer_init(&out, MAX_ROW_BYTES);
    for (uint32_t i = 0; (row = tt_batch_next(batch, &i)) != NULL;) {
        if (TT_LIKELY(!row_may_exceed(batch, row, limits)))
            continue;
        walk_row(&walk, batch, row, NULL);
        if (walk.clipped.attributes + walk.clipped.values == 0)
            continue;
        status = clip_row(&walk, batch, row, &out, err);
        if (status != TT_OK)
            break;
        ret_clipped->attributes += walk.clipped.attributes;
        ret_clipped->values += walk.clipped.values;
    }
    tt_buffer_done(&out);
    return status;
}
