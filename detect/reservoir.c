/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/reservoir.h"

#include "base/mem.h"

struct tt_reservoir *tt_reservoir_new(uint32_t columns, uint32_t capacity, int64_t half_life,
                                      uint64_t seed)
{
    struct tt_reservoir *reservoir = tt_calloc(1, sizeof(*reservoir));

    if (reservoir == NULL)
        return NULL;
    reservoir->columns = columns;
    reservoir->capacity = capacity;
    reservoir->half_life = half_life;
    reservoir->random = tt_random_stream(seed, 0, UINT64_MAX - 1);
    reservoir->rows = tt_calloc((size_t)capacity * columns, sizeof(*reservoir->rows));
    reservoir->keys = tt_calloc(capacity, sizeof(*reservoir->keys));
    reservoir->heap = tt_calloc(capacity, sizeof(*reservoir->heap));
    if (reservoir->rows != NULL && reservoir->keys != NULL && reservoir->heap != NULL)
        return reservoir;
    tt_reservoir_free(reservoir);
    return NULL;
}

void tt_reservoir_free(struct tt_reservoir *reservoir)
{
    if (reservoir == NULL)
        return;
    tt_free(reservoir->rows);
    tt_free(reservoir->keys);
    tt_free(reservoir->heap);
    tt_free(reservoir);
}

static double key_at(const struct tt_reservoir *reservoir, uint32_t i)
{
    return reservoir->keys[reservoir->heap[i]];
}

static void swap(struct tt_reservoir *reservoir, uint32_t i, uint32_t j)
{
    uint32_t place = reservoir->heap[i];

    reservoir->heap[i] = reservoir->heap[j];
    reservoir->heap[j] = place;
}

static void sift_up(struct tt_reservoir *reservoir, uint32_t i)
{
    while (i > 0 && key_at(reservoir, i) < key_at(reservoir, (i - 1) / 2)) {
        swap(reservoir, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void sift_down(struct tt_reservoir *reservoir)
{
    for (uint32_t i = 0;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < reservoir->count; child++)
            least = key_at(reservoir, child) < key_at(reservoir, least) ? child : least;
        if (least == i)
            return;
        swap(reservoir, i, least);
        i = least;
    }
}

static void keep(struct tt_reservoir *reservoir, uint32_t place, const float *row, double key)
{
    memcpy(reservoir->rows + (size_t)place * reservoir->columns, row,
           reservoir->columns * sizeof(*row));
    reservoir->keys[place] = key;
}

/* log2 of the weight that time gives. The difference cannot overflow as a double. */
static double age(const struct tt_reservoir *reservoir, int64_t when)
{
    if (reservoir->half_life == 0)
        return 0.0;
    return ((double)when - (double)reservoir->origin) / (double)reservoir->half_life;
}

void tt_reservoir_add(struct tt_reservoir *reservoir, const float *row, int64_t when, double weight)
{
    double u = tt_random_unit(&reservoir->random), level, key;

    if (reservoir->seen++ == 0)
        reservoir->origin = when;
    level = age(reservoir, when) + tt_log2(weight);
    /* -ln(1 - u) >= u: most rows of a long stream are refused by this comparison alone. */
    if (reservoir->count == reservoir->capacity && u >= tt_exp2(level - key_at(reservoir, 0)))
        return;
    /* 2^-60 stands for 0, of which there is no logarithm. */
    key = -tt_log2(1.0 - u) * 0.69314718055994530942;
    key = level - tt_log2(key > 8.7e-19 ? key : 8.7e-19);
    if (reservoir->count < reservoir->capacity) {
        uint32_t place = reservoir->count++;
        reservoir->heap[place] = place;
        keep(reservoir, place, row, key);
        sift_up(reservoir, place);
    } else if (key > key_at(reservoir, 0)) {
        keep(reservoir, reservoir->heap[0], row, key);
        sift_down(reservoir);
    }
}

struct tt_rows tt_reservoir_rows(const struct tt_reservoir *reservoir)
{
    return (struct tt_rows){reservoir->rows, reservoir->count, reservoir->columns,
                            reservoir->columns};
}
