/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A saved detector state from anywhere is refused or goes on safely: no access outside of it, whatever its numbers are, and what is written again
 * reads back the same.
 *
 * The first byte chooses the tier and the rest are edits of a state that has seen some points: pairs of a place and a value. With the
 * header's checksum mended, so that what is behind it is reached.
 */
#include "base/mem.h"
#include "detect/forest_math.h"
#include "detect/series.h"

#include <stdint.h>

#define LEARNT   300
#define PUSHED   200
#define STEP_NS  INT64_C(300000000000)
#define HEADER   24
#define CHECKSUM 16 /* where it is in the header */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

/* As in detect/series.c: FNV-1a by words. */
static uint64_t checksum(const unsigned char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;

        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

static double value_at(struct tt_random *random, int i)
{
    return (double)(i % 24) + 3.0 * tt_random_unit(random);
}

/* A state after some points, as bytes; the caller frees it. */
static unsigned char *learn(enum tt_series_precision precision, size_t *ret_size)
{
    struct tt_series_options options = tt_series_options_default();
    struct tt_series_verdict verdict;
    struct tt_random random = {1};
    struct tt_series *series;
    unsigned char *bytes;
    void *memory;

    options.precision = precision;
    memory = tt_malloc(tt_series_size(precision));
    require(memory != NULL);
    series = tt_series_init(memory, &options, 1);
    for (int i = 0; i < LEARNT; i++)
        tt_series_push(series, i * STEP_NS, value_at(&random, i), &verdict);
    *ret_size = tt_series_saved_size(series);
    bytes = tt_malloc(*ret_size);
    require(bytes != NULL);
    tt_series_write(series, bytes);
    tt_free(memory);
    return bytes;
}

static void use(struct tt_series *series, int64_t start_ns)
{
    struct tt_series_verdict verdict;
    struct tt_random random = {2};

    for (int i = 0; i < PUSHED; i++) {
        tt_series_push(series, start_ns + i * STEP_NS, value_at(&random, i), &verdict);
        require(verdict.reason < TT_SERIES_REASON_COUNT);
    }
}

static void check_written(const struct tt_series *series, enum tt_series_precision precision)
{
    size_t size = tt_series_saved_size(series);
    void *bytes = tt_malloc(size), *memory = tt_malloc(tt_series_size(precision));
    struct tt_series *again = NULL;

    require(bytes != NULL && memory != NULL);
    tt_series_write(series, bytes);
    require(tt_series_read(bytes, size, precision, memory, &again, NULL) == TT_OK);
    require(memcmp(again, series, tt_series_size(precision)) == 0);
    tt_free(bytes);
    tt_free(memory);
}

static void read_and_use(const unsigned char *bytes, size_t size,
                         enum tt_series_precision precision)
{
    void *memory = tt_malloc(tt_series_size(precision));
    struct tt_series *series = NULL;

    require(memory != NULL);
    if (tt_series_read(bytes, size, precision, memory, &series, NULL) == TT_OK) {
        check_written(series, precision);
        use(series, LEARNT * STEP_NS);
    }
    tt_free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum tt_series_precision precision;
    static unsigned char *learnt[TT_SERIES_PRECISION_COUNT]; /* made once: a forest takes a while */
    static size_t lengths[TT_SERIES_PRECISION_COUNT];
    unsigned char *bytes;
    uint64_t sum;
    size_t len;

    if (size == 0)
        return 0;
    precision = (data[0] & 1) != 0 ? TT_SERIES_FULL : TT_SERIES_LIGHT;
    read_and_use(data + 1, size - 1, precision); /* as it came */
    if (learnt[precision] == NULL)
        learnt[precision] = learn(precision, &lengths[precision]);
    len = lengths[precision];
    bytes = tt_malloc(len);
    require(bytes != NULL);
    memcpy(bytes, learnt[precision], len);
    /* Three bytes of place, one of value. */
    for (size_t i = 1; i + 4 <= size; i += 4) {
        size_t place = data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
        bytes[place % len] = data[i + 3];
    }
    sum = checksum(bytes + HEADER, len - HEADER);
    memcpy(bytes + CHECKSUM, &sum, sizeof(sum));
    read_and_use(bytes, len, precision);
    tt_free(bytes);
    return 0;
}
