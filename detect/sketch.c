/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/sketch.h"

#include "detect/forest_math.h"

#include <float.h>
#include <math.h>

#define SUB_BITS 6
#define MAGIC    UINT32_C(0x51535474)

/* Buckets first … first + buckets - 1 of one sign. top: highest one with a count, while total > 0. */
struct store {
    int32_t first, top;
    uint64_t total;
};

struct tt_quantiles {
    uint32_t magic, buckets;
    uint32_t signs, unused; /* 1: positive only, 2 */
    double low, high, sum;
    uint64_t zeros;
    struct store store[2]; /* positive, negative */
    uint64_t count[];
};

size_t tt_quantiles_size(uint32_t buckets, bool negatives)
{
    return sizeof(struct tt_quantiles) + (negatives ? 2 : 1) * (size_t)buckets * sizeof(uint64_t);
}

struct tt_quantiles *tt_quantiles_init(void *memory, uint32_t buckets, bool negatives)
{
    struct tt_quantiles *sketch = memory;

    memset(sketch, 0, sizeof(*sketch));
    sketch->magic = MAGIC;
    sketch->buckets = buckets;
    sketch->signs = negatives ? 2 : 1;
    tt_quantiles_clear(sketch);
    return sketch;
}

void tt_quantiles_clear(struct tt_quantiles *sketch)
{
    sketch->low = DBL_MAX;
    sketch->high = -DBL_MAX;
    sketch->sum = 0.0;
    sketch->zeros = 0;
    memset(sketch->store, 0, sizeof(sketch->store));
    memset(sketch->count, 0, sketch->signs * (size_t)sketch->buckets * sizeof(uint64_t));
}

/* Of a positive normal number. */
static int32_t bucket_of(double x)
{
    return (int32_t)(tt_double_bits(x) >> (52 - SUB_BITS));
}

static double bucket_value(int32_t bucket)
{
    double low = tt_double_of_bits((uint64_t)bucket << (52 - SUB_BITS));
    double high = low + low / (1 << SUB_BITS);

    /* The upper end of a bucket, exactly; the last one of all has none. */
    if (bucket + 1 < 2047 << SUB_BITS)
        high = tt_double_of_bits((uint64_t)(bucket + 1) << (52 - SUB_BITS));
    return low * (2.0 / (1.0 + low / high));
}

static uint64_t *counts_of(struct tt_quantiles *sketch, int sign)
{
    return sketch->count + (size_t)sign * sketch->buckets;
}

/* Moves the window up so that `top` is its last bucket; what falls below is added to the lowest. */
static void raise_window(struct tt_quantiles *sketch, int sign, int32_t top)
{
    struct store *store = &sketch->store[sign];
    uint64_t *count = counts_of(sketch, sign), collapsed = 0;
    int64_t first = (int64_t)top - sketch->buckets + 1;
    size_t shift = (size_t)(first - store->first), kept;

    shift = shift < sketch->buckets ? shift : sketch->buckets;
    kept = sketch->buckets - shift;
    for (size_t i = 0; i < shift; i++)
        collapsed += count[i];
    memmove(count, count + shift, kept * sizeof(*count));
    memset(count + kept, 0, shift * sizeof(*count));
    count[0] += collapsed;
    store->first = (int32_t)first;
}

/* Moves the window down to begin at `first` or as far as its top allows. */
static void lower_window(struct tt_quantiles *sketch, int sign, int32_t first)
{
    struct store *store = &sketch->store[sign];
    uint64_t *count = counts_of(sketch, sign);
    int64_t lowest = (int64_t)store->top - sketch->buckets + 1;
    size_t shift;

    first = first > lowest ? first : (int32_t)lowest;
    if (first >= store->first)
        return;
    shift = (size_t)(store->first - first);
    memmove(count + shift, count, (sketch->buckets - shift) * sizeof(*count));
    memset(count, 0, shift * sizeof(*count));
    store->first = first;
}

static void add_bucket(struct tt_quantiles *sketch, int sign, int32_t bucket, uint64_t times)
{
    struct store *store = &sketch->store[sign];

    if (store->total == 0) {
        store->first = bucket;
        store->top = bucket;
    }
    if (bucket < store->first)
        lower_window(sketch, sign, bucket);
    else if (bucket - store->first >= (int32_t)sketch->buckets)
        raise_window(sketch, sign, bucket);
    store->top = bucket > store->top ? bucket : store->top;
    bucket = bucket > store->first ? bucket : store->first;
    counts_of(sketch, sign)[bucket - store->first] += times;
    store->total += times;
}

void tt_quantiles_add(struct tt_quantiles *sketch, double value, uint64_t times)
{
    double size = fabs(value);

    if (isnan(value) || times == 0)
        return;
    if (size > DBL_MAX)
        value = value > 0.0 ? DBL_MAX : -DBL_MAX;
    sketch->low = value < sketch->low ? value : sketch->low;
    sketch->high = value > sketch->high ? value : sketch->high;
    sketch->sum += value * (double)times;
    if (size < DBL_MIN || (value < 0.0 && sketch->signs == 1))
        sketch->zeros += times;
    else
        add_bucket(sketch, value < 0.0, bucket_of(fabs(value)), times);
}

void tt_quantiles_merge(struct tt_quantiles *into, const struct tt_quantiles *from)
{
    into->low = from->low < into->low ? from->low : into->low;
    into->high = from->high > into->high ? from->high : into->high;
    into->sum += from->sum;
    into->zeros += from->zeros;
    for (uint32_t sign = 0; sign < from->signs; sign++) {
        const uint64_t *count = from->count + (size_t)sign * from->buckets;

        /* From the top: the window is where it ends up before the first count is collapsed. */
        for (int64_t i = (int64_t)from->buckets - 1; i >= 0; i--) {
            if (count[i] == 0)
                continue;
            if (sign < into->signs)
                add_bucket(into, (int)sign, from->store[sign].first + (int32_t)i, count[i]);
            else
                into->zeros += count[i];
        }
    }
}

uint64_t tt_quantiles_count(const struct tt_quantiles *sketch)
{
    return sketch->zeros + sketch->store[0].total + sketch->store[1].total;
}

double tt_quantiles_sum(const struct tt_quantiles *sketch)
{
    return sketch->sum;
}

/* Value of the store's bucket that holds the rank-th count from the end of small (up) or great magnitude. */
static double value_at(const struct tt_quantiles *sketch, int sign, uint64_t rank, bool up)
{
    const uint64_t *count = sketch->count + (size_t)sign * sketch->buckets;
    uint32_t i = 0;

    for (uint32_t k = 0; k < sketch->buckets; k++) {
        i = up ? k : sketch->buckets - 1 - k;
        if (rank < count[i])
            break;
        rank -= count[i];
    }
    return bucket_value(sketch->store[sign].first + (int32_t)i);
}

double tt_quantiles_at(const struct tt_quantiles *sketch, double q)
{
    uint64_t count = tt_quantiles_count(sketch), rank, negatives = sketch->store[1].total;
    double value = 0.0;

    if (count == 0)
        return (double)NAN;
    if (!(q > 0.0))
        return sketch->low;
    if (q >= 1.0)
        return sketch->high;
    rank = (uint64_t)(q * (double)(count - 1));
    rank = rank < count ? rank : count - 1;
    if (rank < negatives)
        value = -value_at(sketch, 1, rank, false);
    else if (rank >= negatives + sketch->zeros)
        value = value_at(sketch, 0, rank - negatives - sketch->zeros, true);
    value = value > sketch->low ? value : sketch->low;
    return value < sketch->high ? value : sketch->high;
}

static bool store_valid(const struct tt_quantiles *sketch, uint32_t sign)
{
    const struct store *store = &sketch->store[sign];
    uint64_t total = 0;

    if (sign >= sketch->signs)
        return store->total == 0;
    for (uint32_t i = 0; i < sketch->buckets; i++)
        total += sketch->count[(size_t)sign * sketch->buckets + i];
    return total == store->total && store->top < 2047 << SUB_BITS && store->top >= store->first &&
           store->first > -TT_QUANTILES_MAX_BUCKETS &&
           store->top - store->first < (int32_t)sketch->buckets;
}

bool tt_quantiles_valid(const void *bytes, size_t size)
{
    const struct tt_quantiles *sketch = bytes;

    return size >= sizeof(*sketch) && sketch->magic == MAGIC &&
           sketch->buckets >= TT_QUANTILES_MIN_BUCKETS &&
           sketch->buckets <= TT_QUANTILES_MAX_BUCKETS && sketch->signs >= 1 &&
           sketch->signs <= 2 && size == tt_quantiles_size(sketch->buckets, sketch->signs == 2) &&
           !isnan(sketch->low) && !isnan(sketch->high) && store_valid(sketch, 0) &&
           store_valid(sketch, 1);
}
