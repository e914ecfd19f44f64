/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#include "base/arena.h"
#include "base/map.h"

#include <pthread.h>

enum {
    MAX_LABELS = 8,
    MAX_VALUES = 1000,   /* label values of one name */
    MAX_VALUE_LEN = 256, /* bytes kept of a label value */
    FIRST_CAPACITY = 64,
};

struct series {
    struct tt_meter meter;
    struct tt_histogram *histogram; /* TT_HISTOGRAM only */
    const struct tt_meter_desc *desc;
    const struct tt_label *labels;
    size_t n_labels;
};

/* All series of one name. */
struct family {
    size_t count;
    struct series *overflow; /* NULL: not needed yet */
};

struct tt_meters {
    pthread_mutex_t mu; /* guards all below, but not the values */
    size_t max_series, count, capacity;
    struct series **sorted;  /* by name, then labels */
    struct tt_map by_labels; /* key of key_of() -> series */
    struct tt_map families;  /* name -> family */
    struct tt_arena arena;   /* series, families, keys and label values */
};

/* Where values go that cannot be kept. Nobody reads it. */
static struct tt_meter dummy;
static struct tt_histogram dummy_histogram;

const tt_dur tt_histogram_bounds[TT_HISTOGRAM_BUCKETS - 1] = {
    10 * TT_MICROSECOND,  50 * TT_MICROSECOND,  100 * TT_MICROSECOND, 500 * TT_MICROSECOND,
    1 * TT_MILLISECOND,   5 * TT_MILLISECOND,   10 * TT_MILLISECOND,  50 * TT_MILLISECOND,
    100 * TT_MILLISECOND, 500 * TT_MILLISECOND, 1 * TT_SECOND,        5 * TT_SECOND,
    10 * TT_SECOND,
};

struct tt_meters *tt_meters_new(size_t max_series)
{
    struct tt_meters *meters = tt_calloc(1, sizeof(*meters));

    if (meters == NULL)
        return NULL;
    (void)pthread_mutex_init(&meters->mu, NULL);
    meters->max_series = max_series;
    tt_map_init(&meters->by_labels, SIZE_MAX);
    tt_map_init(&meters->families, SIZE_MAX);
    tt_arena_init(&meters->arena, 0, 0);
    return meters;
}

void tt_meters_free(struct tt_meters *meters)
{
    if (meters == NULL)
        return;
    tt_map_done(&meters->by_labels);
    tt_map_done(&meters->families);
    tt_arena_done(&meters->arena);
    tt_free(meters->sorted);
    (void)pthread_mutex_destroy(&meters->mu);
    tt_free(meters);
}

/* ---- labels ---- */

struct labels {
    struct tt_label items[MAX_LABELS];
    size_t n;
};

static struct tt_str shorten(struct tt_str value)
{
    size_t valid;

    if (value.len <= MAX_VALUE_LEN)
        return value;
    /* Not in the middle of a character, unless it is no UTF-8 anyway. */
    valid = tt_utf8_valid_prefix(tt_str_of(value.data, MAX_VALUE_LEN));
    return tt_str_of(value.data, valid + 4 > MAX_VALUE_LEN ? valid : MAX_VALUE_LEN);
}

/* Sorted by name, so that the order at the call does not matter. */
static struct labels sort_labels(const struct tt_label *labels, size_t n)
{
    struct labels sorted = {.n = n < MAX_LABELS ? n : MAX_LABELS};

    for (size_t i = 0; i < sorted.n; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(sorted.items[at - 1].name, labels[i].name) > 0; at--)
            sorted.items[at] = sorted.items[at - 1];
        sorted.items[at] = (struct tt_label){labels[i].name, shorten(labels[i].value)};
    }
    return sorted;
}

static int compare_labels(const struct tt_label *a, size_t n_a, const struct tt_label *b,
                          size_t n_b)
{
    for (size_t i = 0; i < n_a && i < n_b; i++) {
        int order = strcmp(a[i].name, b[i].name);
        if (order == 0)
            order = tt_str_compare(a[i].value, b[i].value);
        if (order != 0)
            return order;
    }
    return n_a < n_b ? -1 : n_a > n_b;
}

static int compare_series(const struct series *a, const struct series *b)
{
    int order = strcmp(a->desc->name, b->desc->name);

    return order != 0 ? order : compare_labels(a->labels, a->n_labels, b->labels, b->n_labels);
}

static char *put_bytes(char *to, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(to, bytes, len);
    return to + len;
}

/* Name and labels as one text: names end with NUL, values have their length before them. {NULL, 0} when
 * memory is gone. */
static struct tt_str key_of(struct tt_arena *arena, const char *name, const struct labels *labels)
{
    size_t size = strlen(name) + 1;
    char *key, *at;

    for (size_t i = 0; i < labels->n; i++)
        size += strlen(labels->items[i].name) + 1 + sizeof(size_t) + labels->items[i].value.len;
    key = at = tt_arena_alloc(arena, size);
    if (key == NULL)
        return (struct tt_str){NULL, 0};
    at = put_bytes(at, name, strlen(name) + 1);
    for (size_t i = 0; i < labels->n; i++) {
        const struct tt_label *label = &labels->items[i];
        at = put_bytes(at, label->name, strlen(label->name) + 1);
        at = put_bytes(at, &label->value.len, sizeof(label->value.len));
        at = put_bytes(at, label->value.data, label->value.len);
    }
    return tt_str_of(key, size);
}

static struct tt_label *copy_labels(struct tt_arena *arena, const struct labels *labels)
{
    struct tt_label *copy = tt_arena_calloc(arena, labels->n, sizeof(*copy));

    for (size_t i = 0; copy != NULL && i < labels->n; i++) {
        copy[i].name = labels->items[i].name;
        copy[i].value = tt_arena_copy(arena, labels->items[i].value);
        if (copy[i].value.data == NULL)
            return NULL;
    }
    return copy;
}

/* ---- series ---- */

/* The arena aligns to 8; a meter begins a cache line. */
static void *alloc_line(struct tt_arena *arena, size_t size)
{
    size_t align = _Alignof(struct series);
    char *raw = tt_arena_calloc(arena, 1, size + align - 8);

    return raw == NULL ? NULL : (void *)(raw + (align - (uintptr_t)raw % align) % align);
}

static struct series *alloc_series(struct tt_arena *arena, enum tt_meter_kind kind)
{
    struct series *series = alloc_line(arena, sizeof(*series));

    if (series == NULL || kind != TT_HISTOGRAM)
        return series;
    series->histogram = alloc_line(arena, sizeof(*series->histogram));
    return series->histogram == NULL ? NULL : series;
}

static bool reserve_one(struct tt_meters *meters)
{
    size_t capacity = meters->capacity == 0 ? FIRST_CAPACITY : meters->capacity * 2;
    struct series **sorted;

    if (meters->count < meters->capacity)
        return true;
    sorted = tt_realloc(meters->sorted, capacity, sizeof(struct series *));
    if (sorted == NULL)
        return false;
    meters->sorted = sorted;
    meters->capacity = capacity;
    return true;
}

/* There is room: reserve_one() was asked. */
static void insert_sorted(struct tt_meters *meters, struct series *series)
{
    size_t low = 0, high = meters->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_series(meters->sorted[middle], series) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(meters->sorted + low + 1, meters->sorted + low,
            (meters->count - low) * sizeof(struct series *));
    meters->sorted[low] = series;
    meters->count++;
}

/* A new series, under key in the map. NULL when memory is gone; then nothing has changed but the arena. */
static struct series *add_series(struct tt_meters *meters, const struct tt_meter_desc *desc,
                                 const struct labels *labels, struct tt_str key)
{
    struct series *series = alloc_series(&meters->arena, desc->kind);

    if (series == NULL || !reserve_one(meters))
        return NULL;
    series->desc = desc;
    series->n_labels = labels->n;
    series->labels = copy_labels(&meters->arena, labels);
    if (series->labels == NULL || tt_map_put(&meters->by_labels, key, series) != TT_OK)
        return NULL;
    insert_sorted(meters, series);
    return series;
}

static struct family *get_family(struct tt_meters *meters, const char *name)
{
    struct family *family = tt_map_get(&meters->families, tt_str(name));

    if (family != NULL)
        return family;
    family = tt_arena_calloc(&meters->arena, 1, sizeof(*family));
    if (family == NULL || tt_map_put(&meters->families, tt_str(name), family) != TT_OK)
        return NULL;
    return family;
}

/* What the family shares for all that is over a limit; made when it is first needed. */
static struct series *get_overflow(struct tt_meters *meters, struct family *family,
                                   const struct tt_meter_desc *desc, const struct labels *labels)
{
    struct labels over = *labels;
    struct tt_str key;

    if (family->overflow != NULL)
        return family->overflow;
    for (size_t i = 0; i < over.n; i++)
        over.items[i].value = TT_STR("__overflow__");
    key = key_of(&meters->arena, desc->name, &over);
    if (key.data == NULL)
        return NULL;
    /* Somebody may have asked for a label value of just that text before. */
    family->overflow = tt_map_get(&meters->by_labels, key);
    if (family->overflow == NULL)
        family->overflow = add_series(meters, desc, &over, key);
    return family->overflow;
}

/* The series of these labels, made when it is new and there is room, else the overflow series. */
static struct series *get_series(struct tt_meters *meters, struct family *family,
                                 const struct tt_meter_desc *desc, const struct labels *labels)
{
    struct tt_str key = key_of(&meters->arena, desc->name, labels);
    struct series *series = key.data == NULL ? NULL : tt_map_get(&meters->by_labels, key);

    if (series != NULL || key.data == NULL)
        return series;
    if (family->count >= MAX_VALUES || meters->count >= meters->max_series)
        return get_overflow(meters, family, desc, labels);
    series = add_series(meters, desc, labels, key);
    family->count += series != NULL;
    return series;
}

/* NULL when memory is gone or there is no registry. */
static struct series *find_or_add(struct tt_meters *meters, const struct tt_meter_desc *desc,
                                  const struct tt_label *labels, size_t n_labels)
{
    struct labels sorted = sort_labels(labels, n_labels);
    struct tt_arena_mark mark;
    struct family *family;
    struct series *series = NULL;
    size_t count;

    if (meters == NULL)
        return NULL;
    pthread_mutex_lock(&meters->mu);
    family = get_family(meters, desc->name);
    mark = tt_arena_mark(&meters->arena);
    count = meters->count;
    if (family != NULL)
        series = get_series(meters, family, desc, &sorted);
    /* Nothing new refers to the arena: give back the key that was only for looking. */
    if (meters->count == count)
        tt_arena_rewind(&meters->arena, mark);
    pthread_mutex_unlock(&meters->mu);
    return series;
}

struct tt_meter *tt_meters_get(struct tt_meters *meters, const struct tt_meter_desc *desc,
                               const struct tt_label *labels, size_t n_labels)
{
    struct series *series = find_or_add(meters, desc, labels, n_labels);

    return series == NULL ? &dummy : &series->meter;
}

struct tt_histogram *tt_meters_get_histogram(struct tt_meters *meters,
                                             const struct tt_meter_desc *desc,
                                             const struct tt_label *labels, size_t n_labels)
{
    struct series *series = find_or_add(meters, desc, labels, n_labels);

    return series == NULL || series->histogram == NULL ? &dummy_histogram : series->histogram;
}

void tt_histogram_add(struct tt_histogram *histogram, tt_dur duration)
{
    size_t bucket = 0;

    while (bucket < TT_LENGTH(tt_histogram_bounds) && duration > tt_histogram_bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    if (duration > 0)
        atomic_fetch_add_explicit(&histogram->sum_ns, (uint64_t)duration, memory_order_relaxed);
}

void tt_meter_set_real(struct tt_meter *meter, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    atomic_store_explicit(&meter->real_bits, bits, memory_order_relaxed);
    atomic_store_explicit(&meter->is_real, true, memory_order_release);
}

static double read_value(const struct tt_meter *meter)
{
    int64_t integer = tt_meter_value(meter);
    uint64_t bits;
    double real;

    if (!atomic_load_explicit(&meter->is_real, memory_order_acquire))
        return (double)integer;
    bits = atomic_load_explicit(&meter->real_bits, memory_order_relaxed);
    memcpy(&real, &bits, sizeof(real));
    return real;
}

static void read_histogram(const struct tt_histogram *histogram, struct tt_reading *reading)
{
    uint64_t count = 0;

    for (size_t i = 0; i < TT_HISTOGRAM_BUCKETS; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        reading->up_to[i] = count;
    }
    reading->value = (double)count;
    reading->sum =
        (double)atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed) / (double)TT_SECOND;
}

void tt_meters_read(struct tt_meters *meters,
                    void (*visit)(void *context, const struct tt_reading *reading), void *context)
{
    if (meters == NULL)
        return;
    pthread_mutex_lock(&meters->mu);
    for (size_t i = 0; i < meters->count; i++) {
        const struct series *series = meters->sorted[i];
        struct tt_reading reading = {
            .desc = series->desc, .labels = series->labels, .n_labels = series->n_labels};
        if (series->histogram != NULL)
            read_histogram(series->histogram, &reading);
        else
            reading.value = read_value(&series->meter);
        visit(context, &reading);
    }
    pthread_mutex_unlock(&meters->mu);
}
