/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_leak.h"

#include "base/mem.h"

#include <math.h>

#define MAX_VALUES   200
#define SLOTS        512 /* power of two, at most 200 of them used */
#define MIN_ROWS     100
#define ROWS_A_VALUE 20 /* fewer rows for each value look different by chance alone */

struct value {
    uint64_t hash; /* of the text, or the number of a bin; 0: free */
    uint64_t rows[2];
};

struct histogram {
    struct value values[SLOTS];
    size_t n;
    bool full; /* more than MAX_VALUES: what came later is missing */
};

struct column {
    struct histogram texts, bins;
    bool not_numeric; /* a value was not a number */
};

struct tt_leaks {
    size_t n_columns;
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
    return leaks;
}

void tt_leaks_free(struct tt_leaks *leaks)
{
    tt_free(leaks);
}

static void count(struct histogram *histogram, uint64_t hash, bool anomalous)
{
    size_t i = hash & (SLOTS - 1);

    hash |= UINT64_C(1) << 63; /* never 0 */
    while (histogram->values[i].hash != 0 && histogram->values[i].hash != hash)
        i = (i + 1) & (SLOTS - 1);
    if (histogram->values[i].hash == 0) {
        if (histogram->n == MAX_VALUES) {
            histogram->full = true;
            return;
        }
        histogram->n++;
        histogram->values[i].hash = hash;
    }
    histogram->values[i].rows[anomalous]++;
}

/* An eighth of a power of two; zero, empty and each sign have bins of their own. */
static uint64_t bin_of(double number)
{
    int exponent;
    double mantissa = frexp(fabs(number), &exponent);

    if (number == 0 || !isfinite(number))
        return 1;
    return (uint64_t)((exponent + 2000) * 8 + (int)((mantissa - 0.5) * 16)) * 4 +
           (number < 0 ? 3 : 2);
}

void tt_leaks_add(struct tt_leaks *leaks, size_t index, struct tt_str value, bool anomalous)
{
    struct column *column = &leaks->columns[index];
    double number;

    if (index >= leaks->n_columns)
        return;
    if (!column->texts.full)
        count(&column->texts, tt_hash(value.data, value.len, leaks->seed), anomalous);
    if (column->not_numeric)
        return;
    if (value.len == 0)
        count(&column->bins, 0, anomalous);
    else if (tt_str_to_double(value, &number))
        count(&column->bins, bin_of(number), anomalous);
    else
        column->not_numeric = true;
}

static double distance(const struct histogram *histogram)
{
    uint64_t total[2] = {0, 0};
    double shared = 0;

    for (size_t i = 0; i < SLOTS; i++)
        for (size_t k = 0; k < 2; k++)
            total[k] += histogram->values[i].rows[k];
    if (histogram->full || total[0] < MIN_ROWS || total[1] < MIN_ROWS ||
        (total[0] + total[1]) / ROWS_A_VALUE < histogram->n)
        return -1;
    for (size_t i = 0; i < SLOTS; i++)
        shared += fmin((double)histogram->values[i].rows[0] / (double)total[0],
                       (double)histogram->values[i].rows[1] / (double)total[1]);
    return 1 - shared;
}

double tt_leaks_distance(const struct tt_leaks *leaks, size_t index)
{
    const struct column *column = &leaks->columns[index];
    double found = distance(&column->texts);

    if (found < 0 && !column->not_numeric)
        found = distance(&column->bins);
    return found;
}
