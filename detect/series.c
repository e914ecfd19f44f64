/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/series.h"

#include "detect/series_internal.h"

#include <math.h>

#define MAGIC         UINT32_C(0x53525474) /* "tTRS"; also tells the byte order */
#define VERSION       1
#define DAY_S         86400
#define GAP_STEPS     100.0
#define STEP_RATE     0.05
#define BAND_QUANTILE 0.01F
#define BAND_STRETCH  1.5F /* of the distance from the median to that quantile */

/* What stands before a saved state. */
struct saved_header {
    uint32_t magic, version, precision, size;
    uint64_t checksum;
};

_Static_assert(sizeof(struct season) == 984, "no padding");
_Static_assert(sizeof(struct light) % 8 == 0 && sizeof(struct full) % 8 == 0, "no padding");
_Static_assert(sizeof(struct core) % 8 == 0, "no padding");
_Static_assert(offsetof(struct tt_series, core) == 72, "no padding");

struct tt_series_options tt_series_options_default(void)
{
    return (struct tt_series_options){.precision = TT_SERIES_LIGHT, .threshold = 0.5F};
}

enum tt_status tt_series_options_check(const struct tt_series_options *options,
                                       struct tt_error *err)
{
    if ((uint32_t)options->precision >= TT_SERIES_PRECISION_COUNT)
        return tt_fail(err, TT_INVALID_DATA, "precision: %u is neither full nor light",
                       (unsigned)options->precision);
    if (options->utc_offset_s < -DAY_S || options->utc_offset_s > DAY_S)
        return tt_fail(err, TT_INVALID_DATA, "utc_offset: %d s is more than a day",
                       (int)options->utc_offset_s);
    if (!(options->threshold > 0.0F && options->threshold <= 1.0F))
        return tt_fail(err, TT_INVALID_DATA, "threshold: %g is not in (0, 1]",
                       (double)options->threshold);
    return TT_OK;
}

const char *tt_series_reason_name(enum tt_series_reason reason)
{
    static const char *const NAMES[TT_SERIES_REASON_COUNT] = {
        [TT_SERIES_JUDGED] = "judged", [TT_SERIES_WARMING_UP] = "warming_up",
        [TT_SERIES_HELD] = "held",     [TT_SERIES_KNOWN] = "known",
        [TT_SERIES_LATE] = "late",     [TT_SERIES_MISSING] = "missing",
    };

    return (uint32_t)reason < TT_SERIES_REASON_COUNT ? NAMES[reason] : "unknown";
}

static size_t state_size(uint32_t precision)
{
    return offsetof(struct tt_series, tier) +
           (precision == TT_SERIES_FULL ? sizeof(struct full) : sizeof(struct light));
}

size_t tt_series_size(enum tt_series_precision precision)
{
    return state_size((uint32_t)precision);
}

struct tt_series *tt_series_init(void *memory, const struct tt_series_options *options,
                                 uint64_t seed)
{
    struct tt_series *series = memory;

    memset(series, 0, tt_series_size(options->precision));
    series->magic = MAGIC;
    series->precision = (uint32_t)options->precision;
    /* Field by field: the padding stays zero, and two equal states are equal bytes. */
    series->options.precision = options->precision;
    series->options.utc_offset_s = options->utc_offset_s;
    series->options.threshold = options->threshold;
    series->options.counter = options->counter;
    series->random = tt_random_stream(seed, 0, 0);
    tt_season_init(&series->core.season);
    tt_calibration_init(&series->core.calibration);
    tt_memory_init(&series->core.memory);
    if (series->precision == TT_SERIES_FULL)
        tt_full_init(&series->tier[0].full);
    return series;
}

void tt_series_prefetch(const struct tt_series *series)
{
    const char *bytes = (const char *)series;

    for (size_t at = 0; at < state_size(TT_SERIES_LIGHT); at += 64)
        __builtin_prefetch(bytes + at, 1, 3);
}

static uint32_t sampled(const struct tt_series *series)
{
    return series->points < SERIES_SAMPLE ? (uint32_t)series->points : SERIES_SAMPLE;
}

/* Harmonic mean of both depths, relative to chance and negated: what is rare in either way is rare. */
static float light_isolation(const struct tt_series *series, const struct pair *pair)
{
    uint32_t count = sampled(series);
    float of_value = tt_sample_depth(series->tier[0].light.value, count, pair->x[0]);
    float of_residual = tt_sample_depth(series->core.residual, count, pair->x[1]);
    float product = of_value * of_residual;

    return product > 0.0F
               ? -product / ((of_value + of_residual) * (float)series_chance_depth(count + 1))
               : 0.0F;
}

static float isolation_of(const struct tt_series *series, const struct pair *pair)
{
    if (series->points < SERIES_FIRST)
        return 0.0F;
    return series->precision == TT_SERIES_FULL ? tt_full_isolation(&series->tier[0].full, *pair)
                                               : light_isolation(series, pair);
}

static void learn_pair(struct tt_series *series, const struct pair *pair, uint32_t count)
{
    uint64_t bits = tt_random_next(&series->random);
    bool chosen =
        tt_random_below(&series->random, series_horizon(series->points + 1)) < SERIES_SAMPLE;
    uint32_t of_residual = (uint32_t)((bits >> 32) * count >> 32);
    uint32_t of_value = (uint32_t)((bits & UINT32_MAX) * count >> 32);
    bool light = series->precision == TT_SERIES_LIGHT;
    float *residual = series->core.residual, *value = series->tier[0].light.value;

    if (chosen || (light && tt_sample_lonely(residual, count, of_residual, pair->x[1])))
        tt_sample_replace(residual, count, of_residual, pair->x[1]);
    if (light && (chosen || tt_sample_lonely(value, count, of_value, pair->x[0])))
        tt_sample_replace(value, count, of_value, pair->x[0]);
}

/* The residual sample serves the bands of both tiers and the isolation of the light one. */
static void learn_samples(struct tt_series *series, const struct pair *pair)
{
    uint32_t count = sampled(series);

    if (count == SERIES_SAMPLE) {
        learn_pair(series, pair, count);
        return;
    }
    tt_sample_insert(series->core.residual, count, pair->x[1]);
    if (series->precision == TT_SERIES_LIGHT)
        tt_sample_insert(series->tier[0].light.value, count, pair->x[0]);
}

/* Level and bands: the median is not subtracted from the level, so an expectation that lags shows as a shifted band. */
static void set_bands(const struct tt_series *series, float level,
                      struct tt_series_verdict *verdict)
{
    const float *residual = series->core.residual;
    uint32_t count = sampled(series);
    float low, middle, high;

    verdict->level = verdict->lower_band = verdict->upper_band = level;
    if (count == 0)
        return;
    low = tt_sample_quantile(residual, count, BAND_QUANTILE);
    middle = tt_sample_quantile(residual, count, 0.5F);
    high = tt_sample_quantile(residual, count, 1.0F - BAND_QUANTILE);
    verdict->lower_band = level + middle - BAND_STRETCH * (middle - low);
    verdict->upper_band = level + middle + BAND_STRETCH * (high - middle);
}

static double clamp(double value)
{
    double bound = (double)SERIES_MAX_ABS;

    value = value < bound ? value : bound;
    /* -0 is 0: the order of a sample must not depend on it. */
    return (value > -bound ? value : -bound) + 0.0;
}

/* Rate per second of a counter; false when there is none yet. The total is remembered in any case but a late point's. */
static bool counter_rate(struct tt_series *series, int64_t time_ns, double *value)
{
    double total = *value, seconds;
    bool first = series->has_total == 0, late = !first && time_ns <= series->newest_ns;

    if (late)
        return false;
    seconds = first ? 0.0 : ((double)time_ns - (double)series->newest_ns) * 1e-9;
    *value = (total >= series->last_total ? total - series->last_total : total) / seconds;
    series->last_total = total;
    series->has_total = 1;
    if (first)
        series->newest_ns = time_ns;
    return !first && seconds > 0.0;
}

static void note_step(struct tt_series *series, int64_t time_ns)
{
    double step = (double)time_ns - (double)series->newest_ns;

    if (series->points == 1)
        series->step_ns = step;
    if (series->points > 1) {
        if (step > GAP_STEPS * series->step_ns)
            tt_memory_release(&series->core.memory);
        else
            series->step_ns += STEP_RATE * (step - series->step_ns);
    }
    series->newest_ns = time_ns;
}

static void learn(struct tt_series *series, double value, const struct pair *pair, float isolation)
{
    tt_season_learn(&series->core.season, value);
    learn_samples(series, pair);
    if (series->precision == TT_SERIES_FULL)
        tt_full_learn(&series->tier[0].full, *pair, series->points, &series->random);
    tt_calibration_learn(&series->core.calibration, isolation, series->points);
    series->points++;
}

void tt_series_push(struct tt_series *series, int64_t time_ns, double value,
                    struct tt_series_verdict *ret_verdict)
{
    struct core *core = &series->core;
    int32_t cell = tt_season_cell(time_ns, series->options.utc_offset_s);
    bool late = series->points > 0 && time_ns <= series->newest_ns;
    struct pair pair;
    float level;
    double rank;

    memset(ret_verdict, 0, sizeof(*ret_verdict));
    if (!isfinite(value) || (series->options.counter && !counter_rate(series, time_ns, &value))) {
        ret_verdict->reason = late ? TT_SERIES_LATE : TT_SERIES_MISSING;
        set_bands(series, tt_season_expect(&core->season, cell), ret_verdict);
        return;
    }
    value = clamp(value);
    if (series->points == 0)
        core->season.slow_mean = value;
    if (!late) {
        note_step(series, time_ns);
        tt_season_enter(&core->season, cell);
        tt_memory_enter(&core->memory, series->points, (float)value);
    }
    level = tt_season_expect(&core->season, cell);
    pair = (struct pair){{(float)value, (float)(value - (double)level)}};
    set_bands(series, level, ret_verdict);
    ret_verdict->isolation = isolation_of(series, &pair);
    rank = tt_calibration_rank(&core->calibration, ret_verdict->isolation);
    if (series->points >= SERIES_START)
        ret_verdict->score = tt_calibration_score(&core->calibration, ret_verdict->isolation, rank);
    ret_verdict->reason = TT_SERIES_LATE;
    if (late)
        return;
    /* An event begins where the isolation rises; in a constant series it never does. */
    if (ret_verdict->isolation <= core->calibration.previous)
        rank = SERIES_NO_RANK;
    tt_memory_decide(&core->memory, series->points, (float)value, rank, series->options.threshold,
                     ret_verdict);
    learn(series, value, &pair, ret_verdict->isolation);
}

/* FNV-1a, 64 bits, by words: against accidents, not against forgery. */
static uint64_t checksum(const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;

        memcpy(&word, from + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

size_t tt_series_saved_size(const struct tt_series *series)
{
    return sizeof(struct saved_header) + state_size(series->precision);
}

void tt_series_write(const struct tt_series *series, void *ret_bytes)
{
    size_t size = state_size(series->precision);
    struct saved_header header = {MAGIC, VERSION, series->precision, (uint32_t)size,
                                  checksum(series, size)};

    memcpy(ret_bytes, &header, sizeof(header));
    memcpy((char *)ret_bytes + sizeof(header), series, size);
}

static bool state_valid(const struct tt_series *series, uint32_t precision)
{
    const struct core *core = &series->core;
    unsigned char counter;

    /* A bool that is neither 0 nor 1 may not even be looked at as one. */
    memcpy(&counter, &series->options.counter, sizeof(counter));
    if (counter > 1)
        return false;
    return series->magic == MAGIC && series->precision == precision &&
           (uint32_t)series->options.precision == precision &&
           tt_series_options_check(&series->options, NULL) == TT_OK && core->season.cell >= -1 &&
           core->season.cell < SERIES_CELLS && tt_calibration_valid(&core->calibration) &&
           tt_memory_valid(&core->memory) &&
           (precision == TT_SERIES_LIGHT || tt_full_valid(&series->tier[0].full));
}

enum tt_status tt_series_read(const void *bytes, size_t size, enum tt_series_precision precision,
                              void *memory, struct tt_series **ret_series, struct tt_error *err)
{
    struct saved_header header;
    size_t expected = tt_series_size(precision);

    if (size < sizeof(header))
        return tt_fail(err, TT_INVALID_DATA, "read series state: %zu bytes are too few", size);
    memcpy(&header, bytes, sizeof(header));
    if (header.magic != MAGIC)
        return tt_fail(err, TT_INVALID_DATA,
                       "read series state: not one, or of another byte order");
    if (header.version != VERSION)
        return tt_fail(err, TT_INVALID_DATA, "read series state: version %u, not %d",
                       (unsigned)header.version, VERSION);
    if (header.precision != (uint32_t)precision)
        return tt_fail(err, TT_INVALID_DATA, "read series state: of the other precision");
    if (header.size != expected || size != sizeof(header) + expected)
        return tt_fail(err, TT_INVALID_DATA, "read series state: %zu bytes, not %zu", size,
                       sizeof(header) + expected);
    memcpy(memory, (const char *)bytes + sizeof(header), expected);
    if (checksum(memory, expected) != header.checksum || !state_valid(memory, header.precision))
        return tt_fail(err, TT_INVALID_DATA, "read series state: damaged");
    *ret_series = memory;
    return TT_OK;
}
