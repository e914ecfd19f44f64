/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON text to wire bytes in one pass.
 *
 * Open messages are frames on a fixed stack. Each has left room for its length before its body, as wide as the last length at
 * that place was; a wrong guess moves the body by the difference when the message ends.
 * A singular field is written at most once: its second occurrence removes the first. Every byte is moved at most once for
 * each singular field of the messages around it, so that the whole stays linear in the text.
 */
#include "otlp/json.h"
#include "otlp/json_scalar.h"

/* A slot for each singular field by number, then one for each oneof. */
#define MAX_ONEOFS 3
#define SLOTS      (TT_PB_MAX_NUMBER + 1 + MAX_ONEOFS + 1)
/* Depths that remember the width of their lengths apart; deeper ones share the last. */
#define WIDTH_DEPTHS 16
/* Offsets are 32 bits, and text grows to at most four times its size (a packed "1," of 8 bytes). */
#define MAX_TEXT (UINT32_C(1) << 29)

struct frame {
    const struct tt_pb_message *message;
    const struct tt_pb_field *field; /* that it is the value of; NULL: the request */
    uint32_t start;                  /* of its body */
    uint8_t width;                   /* bytes left for the length before the body */
    uint8_t next;       /* index into message->order of the field that probably comes next */
    uint32_t seen;      /* slots that are in the body */
    uint32_t at[SLOTS]; /* where the tag of each is */
};

struct reader {
    struct tt_json_lexer lexer;
    struct tt_buffer *out;
    uint32_t max_nesting, nesting;
    unsigned depth; /* open frames */
    bool fresh;     /* just after a brace */
    uint8_t widths[WIDTH_DEPTHS][TT_PB_MAX_NUMBER + 1];
    struct frame frames[TT_MAX_FRAMES];
};

/* ---- lengths ---- */

static uint8_t *width_at(struct reader *r, const struct tt_pb_field *field)
{
    return &r->widths[r->depth < WIDTH_DEPTHS ? r->depth : WIDTH_DEPTHS - 1][field->number];
}

/* The tag and room for the length of what is written next; returns where it starts. */
static uint32_t begin_length(struct reader *r, const struct tt_pb_field *field, uint8_t *ret_width)
{
    struct tt_buffer *out = r->out;
    char *to = tt_buffer_reserve(out, 8);

    *ret_width = *width_at(r, field);
    if (to == NULL)
        return 0;
    to = tt_json_put_varint(to, TT_TAG(field->number, TT_PB_WIRE_LENGTH));
    out->len = (size_t)(to - out->data) + *ret_width;
    return (uint32_t)out->len;
}

/* Writes the length before the body that starts there and ends at the end of the output. */
static void end_length(struct reader *r, const struct tt_pb_field *field, uint32_t start,
                       uint8_t width)
{
    struct tt_buffer *out = r->out;

    if (out->failed != TT_OK)
        return;
    size_t len = out->len - start;
    uint8_t needed = (uint8_t)tt_varint_size(len);
    if (TT_UNLIKELY(needed != width)) {
        if (tt_buffer_reserve(out, 8) == NULL)
            return;
        memmove(out->data + start - width + needed, out->data + start, len);
        out->len = out->len - width + needed;
        *width_at(r, field) = needed;
    }
    tt_json_put_varint(out->data + start - width, len);
}

/* ---- fields that occur once ---- */

static unsigned slot_of(const struct tt_pb_field *field)
{
    return field->oneof == 0 ? field->number : TT_PB_MAX_NUMBER + field->oneof;
}

/* The field of that slot; it was written here and is whole. */
static struct tt_wire_field field_in(const struct reader *r, const struct frame *frame,
                                     unsigned slot, size_t *ret_size)
{
    const uint8_t *start = (const uint8_t *)r->out->data, *at = start + frame->at[slot];
    struct tt_wire_field field = {.start = at};

    (void)tt_wire_next(&at, start + r->out->len, &field);
    *ret_size = (size_t)(at - field.start);
    return field;
}

static void remove_field(struct reader *r, struct frame *frame, unsigned slot)
{
    struct tt_buffer *out = r->out;
    uint32_t at = frame->at[slot];
    size_t size;

    frame->seen &= ~(UINT32_C(1) << slot);
    if (out->failed != TT_OK)
        return;
    (void)field_in(r, frame, slot, &size);
    memmove(out->data + at, out->data + at + size, out->len - at - size);
    out->len -= size;
    for (unsigned i = 0; i < SLOTS; i++)
        if ((frame->seen >> i & 1) != 0 && frame->at[i] > at)
            frame->at[i] -= (uint32_t)size;
}

/* Before a singular field is written: what the frame had of it or of its oneof goes. */
static void replace_field(struct reader *r, struct frame *frame, const struct tt_pb_field *field)
{
    unsigned slot = slot_of(field);

    if (TT_UNLIKELY((frame->seen >> slot & 1) != 0))
        remove_field(r, frame, slot);
    frame->seen |= UINT32_C(1) << slot;
    frame->at[slot] = (uint32_t)r->out->len;
}

/* null: the field's default. In a oneof it takes only its own value back. */
static void clear_field(struct reader *r, struct frame *frame, const struct tt_pb_field *field)
{
    unsigned slot = slot_of(field);
    size_t size;

    if (field->repeated || (frame->seen >> slot & 1) == 0 || r->out->failed != TT_OK)
        return;
    if (field_in(r, frame, slot, &size).number == field->number)
        remove_field(r, frame, slot);
}

/* ---- messages ---- */

/* At the brace that opens a value of the field. */
static bool open_message(struct reader *r, const struct tt_pb_field *field)
{
    struct frame *frame = &r->frames[r->depth];
    uint8_t width;

    if (!tt_json_expect(&r->lexer, '{', "{") || !tt_json_count(&r->lexer))
        return false;
    if (r->depth == TT_MAX_FRAMES || (field->message->nests && r->nesting == r->max_nesting))
        return tt_json_refuse(&r->lexer, r->lexer.at, TT_INVALID_DATA, "nested too deeply");
    if (!field->repeated)
        replace_field(r, frame - 1, field);
    uint32_t start = begin_length(r, field, &width);
    frame->message = field->message;
    frame->field = field;
    frame->start = start;
    frame->width = width;
    frame->next = 0;
    frame->seen = 0;
    r->nesting += field->message->nests;
    r->depth++;
    r->fresh = true;
    return true;
}

/* After the brace that closes the innermost message: its length, then the next element of its list. */
static bool close_message(struct reader *r)
{
    struct frame *frame = &r->frames[--r->depth];
    const struct tt_pb_field *field = frame->field;

    r->fresh = false;
    if (field == NULL)
        return true;
    r->nesting -= frame->message->nests;
    end_length(r, field, frame->start, frame->width);
    if (!field->repeated)
        return true;
    if (tt_json_accept(&r->lexer, ','))
        return open_message(r, field);
    return tt_json_expect(&r->lexer, ']', "a comma or ]");
}

/* ---- members ---- */

/* The field that a key names, escapes resolved; NULL when there is none. */
static const struct tt_pb_field *find_field(struct frame *frame, const struct tt_json_text *key)
{
    const struct tt_pb_message *message = frame->message;
    const struct tt_pb_field *guess = &message->fields[message->numbers[frame->next]];
    char name[64];
    struct tt_str text = key->raw;

    if (TT_UNLIKELY(key->len != text.len)) {
        if (key->len > sizeof(name))
            return NULL;
        tt_json_unescape(key, name);
        text = tt_str_of(name, key->len);
    }
    if (TT_UNLIKELY(!tt_str_equal(guess->json_name, text))) {
        guess = tt_pb_find(message, text);
        if (guess == NULL)
            return NULL;
        frame->next = 0;
        while (message->numbers[frame->next] != guess->number)
            frame->next++;
    }
    /* Writers keep to the declared order: the next key is probably the one after this. */
    frame->next = frame->next + 1 < message->n_fields ? (uint8_t)(frame->next + 1) : 0;
    return guess;
}

/* Two bytes of text become eight of wire: a list that would fail by its count fails before anything is made of it. Looks
 * only where the text is long enough for that, and numbers have no commas. */
static bool check_count_ahead(struct tt_json_lexer *lexer)
{
    size_t left = lexer->max_elements - lexer->elements, commas = 0;

    if (TT_LIKELY((size_t)(lexer->end - lexer->at) / 2 <= left))
        return true;
    for (const char *at = lexer->at; at < lexer->end && *at != ']' && commas <= left; at++)
        commas += *at == ',';
    if (commas < left)
        return true;
    return tt_json_refuse(lexer, lexer->at, TT_TOO_LARGE, "too many elements");
}

/* Numbers of a list in packed form. At the first element. */
static bool read_packed(struct reader *r, const struct tt_pb_field *field)
{
    struct tt_json_scalar scalar;
    uint8_t width;

    /* The field counts, then each number, as on the wire. */
    if (!tt_json_count(&r->lexer) || !check_count_ahead(&r->lexer))
        return false;
    uint32_t start = begin_length(r, field, &width);
    do {
        if (!tt_json_count(&r->lexer) || !tt_json_read_scalar(&r->lexer, field, &scalar))
            return false;
        tt_json_put_element(field, &scalar, r->out);
    } while (tt_json_accept(&r->lexer, ','));
    end_length(r, field, start, width);
    return tt_json_expect(&r->lexer, ']', "a comma or ]");
}

static bool read_strings(struct reader *r, const struct tt_pb_field *field)
{
    struct tt_json_scalar scalar;

    do {
        if (!tt_json_count(&r->lexer) || !tt_json_read_scalar(&r->lexer, field, &scalar) ||
            !tt_json_put_field(&r->lexer, field, &scalar, r->out))
            return false;
    } while (tt_json_accept(&r->lexer, ','));
    return tt_json_expect(&r->lexer, ']', "a comma or ]");
}

static bool read_list(struct reader *r, const struct tt_pb_field *field)
{
    if (!tt_json_expect(&r->lexer, '[', "["))
        return false;
    if (tt_json_accept(&r->lexer, ']'))
        return true;
    if (field->kind == TT_PB_MESSAGE)
        return open_message(r, field);
    return field->packable ? read_packed(r, field) : read_strings(r, field);
}

static bool read_singular(struct reader *r, struct frame *frame, const struct tt_pb_field *field)
{
    struct tt_json_scalar scalar;

    if (!tt_json_read_scalar(&r->lexer, field, &scalar))
        return false;
    replace_field(r, frame, field);
    if (scalar.is_default && field->oneof == 0) {
        frame->seen &= ~(UINT32_C(1) << slot_of(field));
        return true;
    }
    return tt_json_put_field(&r->lexer, field, &scalar, r->out);
}

static bool read_member(struct reader *r)
{
    struct frame *frame = &r->frames[r->depth - 1];
    struct tt_json_text key;

    if (!tt_json_expect(&r->lexer, '"', "a key") || !tt_json_string_body(&r->lexer, &key) ||
        !tt_json_expect(&r->lexer, ':', "a colon"))
        return false;
    const struct tt_pb_field *field = find_field(frame, &key);
    if (field == NULL)
        return tt_json_skip_value(&r->lexer);
    if (tt_json_peek(&r->lexer) == 'n' && tt_json_accept_word(&r->lexer, TT_STR("null"))) {
        clear_field(r, frame, field);
        return true;
    }
    if (field->repeated)
        return read_list(r, field);
    return field->kind == TT_PB_MESSAGE ? open_message(r, field) : read_singular(r, frame, field);
}

/* From behind the brace of the request to behind the brace that closes it. */
static bool read_members(struct reader *r)
{
    while (r->depth > 0 && r->out->failed == TT_OK) {
        bool ends = r->fresh ? tt_json_accept(&r->lexer, '}') : !tt_json_accept(&r->lexer, ',');
        if (!ends) {
            r->fresh = false;
            if (!read_member(r))
                return false;
            continue;
        }
        if (!r->fresh && !tt_json_expect(&r->lexer, '}', "a comma or }"))
            return false;
        if (!close_message(r))
            return false;
    }
    return true;
}

static bool read_document(struct reader *r, enum tt_signal signal)
{
    if (!tt_json_expect(&r->lexer, '{', "{"))
        return false;
    r->frames[0].message = tt_pb_request(signal);
    r->frames[0].field = NULL;
    r->frames[0].next = 0;
    r->frames[0].seen = 0;
    r->depth = 1;
    r->fresh = true;
    if (!read_members(r))
        return false;
    if (r->out->failed == TT_OK && (tt_json_peek(&r->lexer) != '\0' || r->lexer.at != r->lexer.end))
        return tt_json_expected(&r->lexer, r->lexer.at, "nothing after the document");
    return true;
}

enum tt_status tt_json_read(enum tt_signal signal, struct tt_str text,
                            const struct tt_limits *limits, struct tt_buffer *out,
                            struct tt_error *err)
{
    struct reader r;
    size_t len = out->len;

    if (limits == NULL)
        limits = &tt_limits_default;
    if (text.len > MAX_TEXT)
        return tt_fail(err, TT_TOO_LARGE, "JSON of more than %u bytes", MAX_TEXT);
    r.lexer = (struct tt_json_lexer){.at = text.data,
                                     .start = text.data,
                                     .end = text.data + text.len,
                                     .max_elements = limits->max_elements,
                                     .err = err};
    r.out = out;
    r.nesting = 0;
    r.max_nesting = limits->max_depth < TT_MAX_NESTING ? limits->max_depth : TT_MAX_NESTING;
    memset(r.widths, 1, sizeof(r.widths));
    if (read_document(&r, signal) && out->failed == TT_OK)
        return TT_OK;
    out->len = len;
    return r.lexer.status != TT_OK ? r.lexer.status : tt_buffer_check(out, "JSON to protobuf", err);
}
