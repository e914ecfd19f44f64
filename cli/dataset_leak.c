/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_leak.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define ALL_VALUES   200000 /* of all columns together */
#define MAX_VALUES   16384
#define MIN_VALUES   64
#define FIRST_SLOTS  64 /* power of two */
#define MIN_TRAINING 100
#define MIN_HELD_OUT 50
#define ANY_CLASS    0 /* all anomalous classes together */

enum { TRAINING, HELD_OUT, N_PARTS };

struct value {
    uint64_t hash; /* of the text, or the number of a bin; 0: free */
    uint32_t rows[N_PARTS][TT_LEAK_CLASSES];
};

/* Open addressing; what was forgotten is counted in `rare`. */
struct table {
    struct value *slots;
    size_t capacity, count;
    struct value rare;
    bool is_full;
};

struct column {
    struct table texts, bins;
    bool not_numeric; /* a value was not a number */
};

struct tt_leaks {
    size_t n_columns, max_values;
    uint64_t seed;
    struct column columns[];
};

struct tt_leaks *tt_leaks_new(size_t n_columns)
{
    struct tt_leaks *leaks = tt_calloc(1, sizeof(*leaks) + n_columns * sizeof(leaks->columns[0]));

    if (leaks == NULL)
        return NULL;
    leaks->n_columns = n_columns;
    leaks->seed = tt_hash_seed();
    leaks->max_values = n_columns == 0 ? 0 : ALL_VALUES / n_columns;
    if (leaks->max_values > MAX_VALUES)
        leaks->max_values = MAX_VALUES;
    if (leaks->max_values < MIN_VALUES)
        leaks->max_values = MIN_VALUES;
    return leaks;
}

void tt_leaks_free(struct tt_leaks *leaks)
{
    for (size_t i = 0; leaks != NULL && i < leaks->n_columns; i++) {
        tt_free(leaks->columns[i].texts.slots);
        tt_free(leaks->columns[i].bins.slots);
    }
    tt_free(leaks);
}

/* ---- counting ---- */

static struct value *slot_of(const struct table *table, uint64_t hash)
{
    size_t mask = table->capacity - 1, i = hash & mask;

    while (table->slots[i].hash != 0 && table->slots[i].hash != hash)
        i = (i + 1) & mask;
    return &table->slots[i];
}

static uint64_t rows_of(const struct value *value)
{
    uint64_t rows = 0;

    for (size_t part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i < TT_LEAK_CLASSES; i++)
            rows += value->rows[part][i];
    return rows;
}

static void add_rows(struct value *to, const struct value *from)
{
    for (size_t part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i < TT_LEAK_CLASSES; i++)
            to->rows[part][i] += from->rows[part][i];
}

/* Moves the values of at least `floor` rows into a table of that capacity. */
static bool rebuild(struct table *table, size_t capacity, uint64_t floor)
{
    struct table next = *table;

    next.slots = tt_calloc(capacity, sizeof(*next.slots));
    if (next.slots == NULL)
        return false;
    next.capacity = capacity;
    next.count = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].hash == 0)
            continue;
        if (rows_of(&table->slots[i]) < floor) {
            add_rows(&next.rare, &table->slots[i]);
            continue;
        }
        *slot_of(&next, table->slots[i].hash) = table->slots[i];
        next.count++;
    }
    tt_free(table->slots);
    *table = next;
    return true;
}

/* Room for one more value, by growing or by forgetting rare ones. */
static bool make_room(struct table *table, size_t max_values)
{
    if (table->count < max_values && 2 * (table->count + 1) > table->capacity)
        return rebuild(table, table->capacity == 0 ? FIRST_SLOTS : 2 * table->capacity, 0);
    for (uint64_t floor = 2; table->count >= max_values; floor *= 2) {
        size_t before = table->count;
        if (floor > TT_LEAK_MIN_ROWS) {
            table->is_full = true;
            return true;
        }
        if (!rebuild(table, table->capacity, floor))
            return false;
        if (table->count < before - before / 4)
            break;
    }
    return true;
}

static bool count(struct table *table, size_t max_values, uint64_t hash, unsigned class,
                  bool held_out)
{
    struct value *value = NULL;

    hash |= UINT64_C(1) << 63; /* never 0 */
    if (table->capacity > 0)
        value = slot_of(table, hash);
    if (value == NULL || value->hash == 0) {
        if (!table->is_full && !make_room(table, max_values))
            return false;
        value = table->is_full ? &table->rare : slot_of(table, hash);
        if (!table->is_full) {
            value->hash = hash;
            table->count++;
        }
    }
    value->rows[held_out ? HELD_OUT : TRAINING][class]++;
    return true;
}

/* An eighth of a power of two; zero, empty and each sign have bins of their own. */
static uint64_t bin_of(double number)
{
    int exponent;
    double mantissa = frexp(fabs(number), &exponent);
    uint64_t bin;

    if (number == 0 || !isfinite(number))
        return 1;
    bin =
        (uint64_t)((exponent + 2000) * 8 + (int)((mantissa - 0.5) * 16)) * 4 + (number < 0 ? 3 : 2);
    return tt_hash(&bin, sizeof(bin), 0);
}

bool tt_leaks_add(struct tt_leaks *leaks, size_t index, struct tt_str value, unsigned class,
                  bool held_out)
{
    struct column *column = &leaks->columns[index];
    double number = 0;

    if (index >= leaks->n_columns || class >= TT_LEAK_CLASSES)
        return true;
    if (!count(&column->texts, leaks->max_values, tt_hash(value.data, value.len, leaks->seed),
               class, held_out))
        return false;
    if (column->not_numeric)
        return true;
    if (value.len > 0 && !tt_str_to_double(value, &number)) {
        column->not_numeric = true;
        return true;
    }
    return count(&column->bins, leaks->max_values, value.len == 0 ? 0 : bin_of(number), class,
                 held_out);
}

/* ---- judging ---- */

/* Rows of one value: training and held out, normal and anomalous. */
struct entry {
    double share; /* of anomalous rows in training */
    uint64_t held_out[2];
};

/* class: one against class 0, or ANY_CLASS. */
static uint64_t anomalous_rows(const struct value *value, size_t part, unsigned class)
{
    uint64_t rows = 0;

    if (class != ANY_CLASS)
        return value->rows[part][class];
    for (size_t i = 1; i < TT_LEAK_CLASSES; i++)
        rows += value->rows[part][i];
    return rows;
}

static struct entry entry_of(const struct value *value, unsigned class)
{
    uint64_t normal = value->rows[TRAINING][0], anomalous = anomalous_rows(value, TRAINING, class);

    return (struct entry){
        .share = normal + anomalous == 0 ? 0.5 : (double)anomalous / (double)(normal + anomalous),
        .held_out = {value->rows[HELD_OUT][0], anomalous_rows(value, HELD_OUT, class)},
    };
}

static int by_share(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    return (left->share > right->share) - (left->share < right->share);
}

static size_t make_entries(const struct table *table, unsigned class, struct entry *entries)
{
    struct value rare = table->rare;
    size_t n = 0;

    for (size_t i = 0; i < table->capacity; i++) {
        const struct value *value = &table->slots[i];
        if (value->hash == 0)
            continue;
        if (value->rows[TRAINING][0] + anomalous_rows(value, TRAINING, class) < TT_LEAK_MIN_ROWS)
            add_rows(&rare, value);
        else
            entries[n++] = entry_of(value, class);
    }
    entries[n++] = entry_of(&rare, class);
    qsort(entries, n, sizeof(*entries), by_share);
    return n;
}

/* Entries of equal share tie. */
static double area(const struct entry *entries, size_t n)
{
    double below = 0, wins = 0, anomalous = 0;

    for (size_t i = 0, next; i < n; i = next) {
        double here[2] = {0, 0};
        for (next = i; next < n && !(entries[next].share > entries[i].share); next++)
            for (size_t k = 0; k < 2; k++)
                here[k] += (double)entries[next].held_out[k];
        wins += here[1] * (below + here[0] / 2);
        below += here[0];
        anomalous += here[1];
    }
    return wins / (below * anomalous);
}

static bool has_enough(const struct table *table, unsigned class)
{
    uint64_t rows[N_PARTS][2] = {{0}};

    for (size_t i = 0; i <= table->capacity; i++) {
        const struct value *value = i == table->capacity ? &table->rare : &table->slots[i];
        for (size_t part = 0; part < N_PARTS; part++) {
            rows[part][0] += value->rows[part][0];
            rows[part][1] += anomalous_rows(value, part, class);
        }
    }
    return rows[TRAINING][0] >= MIN_TRAINING && rows[TRAINING][1] >= MIN_TRAINING &&
           rows[HELD_OUT][0] >= MIN_HELD_OUT && rows[HELD_OUT][1] >= MIN_HELD_OUT;
}

static bool judge(const struct table *table, double ret_auc[TT_LEAK_CLASSES])
{
    struct entry *entries = tt_calloc(table->count + 1, sizeof(*entries));

    if (entries == NULL)
        return false;
    for (unsigned class = 0; class < TT_LEAK_CLASSES; class ++)
        ret_auc[class] = has_enough(table, class)
                             ? area(entries, make_entries(table, class, entries))
                             : (double)NAN;
    tt_free(entries);
    return true;
}

bool tt_leaks_judge(const struct tt_leaks *leaks, size_t index, struct tt_leak *ret_leak)
{
    const struct column *column = &leaks->columns[index];
    double texts[TT_LEAK_CLASSES], bins[TT_LEAK_CLASSES];

    if (!judge(&column->texts, texts) || !judge(&column->bins, bins))
        return false;
    for (size_t i = 0; i < TT_LEAK_CLASSES; i++) {
        if (column->not_numeric)
            bins[i] = (double)NAN;
        ret_leak->class_auc[i] = fmax(texts[i], bins[i]); /* of a NaN and a number the number */
    }
    ret_leak->roc_auc = ret_leak->class_auc[ANY_CLASS];
    ret_leak->way = bins[ANY_CLASS] > texts[ANY_CLASS] ? TT_LEAK_BY_NUMBER : TT_LEAK_BY_VALUE;
    return true;
}
