/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "exporters/dataset/format.h"

/*
 * The cells of a span, which are most of what is ever written: room for a whole row is reserved once, and cells are written behind a bare
 * pointer. A text that needs quotes, or a value that is neither text nor a whole number, goes through the buffer, after which there is room for a
 * whole row again.
 */

/* Numbers, ids, names of enumerations and commas: 30 + 4 * 21 + 29 + 67 + 2 * 13 + 10 * 22 bytes at most. */
#define FIXED_ROOM 512

struct pen {
    struct dataset_formatter *f;
    char *to;
    size_t begin; /* of the row in f->bytes */
    size_t room;  /* what a row needs whose texts are all plain */
};

/* After a failure the row is written over itself: nobody will read it. */
static void reserve(struct pen *pen)
{
    char *to = tt_buffer_reserve(&pen->f->bytes, pen->room);

    pen->to = to != NULL ? to : pen->f->bytes.data + pen->begin;
}

static void lift(struct pen *pen)
{
    pen->f->bytes.len = (size_t)(pen->to - pen->f->bytes.data);
}

/* Of an array the first text may be written, which is a part of it. */
static size_t room_of(const struct dataset_formatter *f, const struct tt_span *span)
{
    size_t n, room = FIXED_ROOM + f->service.text.len + span->name.len;

    for (unsigned i = SLOT_HTTP_METHOD; i < SLOT_EXTRA; i++)
        if (f->ranks[i] != 0 &&
            (f->values[i].type == TT_VALUE_STRING || f->values[i].type == TT_VALUE_ARRAY))
            room += f->values[i].text.len;
    return room + dataset_classes(f, &n)[f->last_class].text_len;
}

/* ---- cells; each writes the comma before it ---- */

/* The analyzer loses sight of pen->to, which is never NULL here. NOLINTBEGIN(clang-analyzer-core.NullDereference) */

static void put_bytes(struct pen *pen, const char *bytes, size_t len)
{
    memcpy(pen->to, bytes, len);
    pen->to += len;
}

static void put_text_slowly(struct pen *pen, struct tt_str text)
{
    lift(pen);
    dataset_cell_text(&pen->f->bytes, text, pen->f->guard);
    reserve(pen);
}

static void put_text(struct pen *pen, struct tt_str text)
{
    *pen->to++ = ',';
    if (TT_LIKELY(!pen->f->guard && dataset_copy_plain(pen->to, text)))
        pen->to += text.len;
    else
        put_text_slowly(pen, text);
}

static void put_value(struct pen *pen, const struct tt_value *value)
{
    if (value->type == TT_VALUE_STRING) {
        put_text(pen, value->text);
        return;
    }
    *pen->to++ = ',';
    if (value->type == TT_VALUE_INT && value->integer >= 0) {
        pen->to = dataset_put_uint(pen->to, (uint64_t)value->integer);
        return;
    }
    lift(pen);
    dataset_cell_value(&pen->f->bytes, value, &pen->f->scratch, pen->f->guard);
    reserve(pen);
}

static void put_slot(struct pen *pen, unsigned slot)
{
    if (pen->f->ranks[slot] == 0)
        *pen->to++ = ',';
    else
        put_value(pen, &pen->f->values[slot]);
}

/* A name of an enumeration with its comma, or the number of a value that has none. */
static void put_enum(struct pen *pen, int32_t value, const struct tt_str *names, int32_t count)
{
    if (TT_LIKELY(value >= 0 && value < count)) {
        put_bytes(pen, names[value].data, names[value].len);
    } else {
        struct tt_value number = {.type = TT_VALUE_INT, .integer = value};
        put_value(pen, &number);
    }
}

static void put_id(struct pen *pen, const uint8_t *id, size_t len)
{
    *pen->to = ',';
    pen->to = dataset_put_id(pen->to + 1, id, len);
}

/* Ten digits of seconds, as they are from 2001 to 2286, and nine behind. */
static char *put_ns(char *to, uint64_t ns)
{
    uint64_t second = ns / TT_SECOND, giga = second / 1000000000;

    *to++ = ',';
    if (TT_UNLIKELY(giga == 0 || giga > 9))
        return dataset_put_uint(to, ns);
    *to++ = (char)('0' + giga);
    to = dataset_put_nine(to, (uint32_t)(second - giga * 1000000000));
    return dataset_put_nine(to, (uint32_t)(ns % TT_SECOND));
}

static void put_times(struct pen *pen, const struct tt_span *span)
{
    uint64_t duration = span->end_ns > span->start_ns ? span->end_ns - span->start_ns : 0;
    char *to = dataset_put_timestamp(pen->to, &pen->f->day, span->start_ns);

    to = put_ns(to, span->start_ns);
    to = put_ns(to, span->end_ns);
    *to++ = ',';
    to = dataset_put_uint(to, duration);
    *to++ = ',';
    pen->to = dataset_put_ms(to, duration);
}

/* ---- the request target ---- */

/* What follows the host in a whole URL. */
static struct tt_str target_of_url(const struct tt_value *value)
{
    struct tt_str url;
    size_t slash;

    if (!tt_value_first_text(value, &url))
        return (struct tt_str){NULL, 0};
    slash = tt_str_find(url, '/');
    if (slash + 1 < url.len && url.data[slash + 1] == '/') {
        url = tt_str_of(url.data + slash + 2, url.len - slash - 2);
        slash = tt_str_find(url, '/');
    }
    return tt_str_of(url.data + slash, url.len - slash);
}

static void put_path_and_query(struct pen *pen, struct tt_str path, struct tt_str query)
{
    struct tt_buffer *joined = &pen->f->json;

    *pen->to++ = ',';
    if (TT_LIKELY(!pen->f->guard && dataset_copy_plain(pen->to, path) &&
                  dataset_copy_plain(pen->to + path.len + 1, query))) {
        pen->to[path.len] = '?';
        pen->to += path.len + 1 + query.len;
        return;
    }
    tt_buffer_clear(joined);
    tt_buffer_append_str(joined, path);
    tt_buffer_append_byte(joined, '?');
    tt_buffer_append_str(joined, query);
    if (joined->failed != TT_OK)
        pen->f->bytes.failed = joined->failed;
    put_text_slowly(pen, tt_buffer_view(joined));
}

/* Of http.target, else of url.path and url.query, else of a whole URL. */
static void put_target(struct pen *pen)
{
    const struct dataset_formatter *f = pen->f;
    struct tt_str path, query;

    if (f->ranks[SLOT_HTTP_TARGET] != 0 || (f->ranks[SLOT_URL_PATH] | f->ranks[SLOT_URL_FULL]) == 0)
        put_slot(pen, SLOT_HTTP_TARGET);
    else if (f->ranks[SLOT_URL_PATH] == 0)
        put_text(pen, target_of_url(&f->values[SLOT_URL_FULL]));
    else if (f->ranks[SLOT_URL_QUERY] == 0 ||
             !tt_value_first_text(&f->values[SLOT_URL_PATH], &path) ||
             !tt_value_first_text(&f->values[SLOT_URL_QUERY], &query) || query.len == 0)
        put_slot(pen, SLOT_URL_PATH);
    else
        put_path_and_query(pen, path, query);
}

/* NOLINTEND(clang-analyzer-core.NullDereference) */

/* ---- the row ---- */

static void put_labels(struct pen *pen)
{
    size_t n;
    const struct dataset_class *class = &dataset_classes(pen->f, &n)[pen->f->last_class];

    put_bytes(pen, pen->f->label_texts.data + class->text_at, class->text_len);
}

void dataset_format_span(struct dataset_formatter *formatter, const struct tt_span *span)
{
    static const struct tt_str kinds[] = {{",UNSPECIFIED", 12}, {",INTERNAL", 9}, {",SERVER", 7},
                                          {",CLIENT", 7},       {",PRODUCER", 9}, {",CONSUMER", 9}};
    static const struct tt_str codes[] = {{",UNSET", 6}, {",OK", 3}, {",ERROR", 6}};
    struct pen pen = {
        .f = formatter, .begin = formatter->bytes.len, .room = room_of(formatter, span)};

    pen.to = tt_buffer_reserve(&formatter->bytes, pen.room);
    if (pen.to == NULL)
        return;
    put_times(&pen, span);
    put_bytes(&pen, formatter->service.text.data, formatter->service.text.len);
    put_id(&pen, span->trace_id, 16);
    put_id(&pen, span->span_id, 8);
    put_id(&pen, span->parent_span_id, 8);
    put_text(&pen, span->name);
    put_enum(&pen, span->kind, kinds, TT_LENGTH(kinds));
    put_enum(&pen, span->status_code, codes, TT_LENGTH(codes));
    put_slot(&pen, SLOT_HTTP_METHOD);
    put_slot(&pen, SLOT_HTTP_STATUS);
    put_target(&pen);
    put_labels(&pen);
    for (unsigned i = 0; i < DATASET_NETWORK; i++)
        put_slot(&pen, SLOT_NETWORK + i);
    lift(&pen);
}
