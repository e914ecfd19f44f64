/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/series_internal.h"

#define BLOCK_ROWS   60
#define BLOCKS       600
#define CALIBRATE_AT 60 /* points before isolations are ranked */
#define AGE_WEIGHT   0.3
#define AGE_UNIT     30.0
#define MEAN_RATE    0.001F
#define BASE         (-2.3) /* L of an alarm */
#define NOTICE       0.7 /* below it, where memory is asked: an event can only weigh less by it */
#define HOLD         100
#define ESCALATION   1.0
#define LIKENESS     0.06F /* of the range */
#define EVENT_AGE    60    /* points before an event counts as another one */
#define EVENT_FORGET 5000.0
#define EVENT_END    24000
#define ALARM_FORGET 1000.0F
#define ALARM_WEIGHT 0.1

void tt_calibration_init(struct calibration *calibration)
{
    memset(calibration, 0, sizeof(*calibration));
    for (int i = 0; i < SERIES_PHASES; i++) {
        calibration->maxima[i].running = -FLT_MAX;
        calibration->maxima[i].rows = (int16_t)(-BLOCK_ROWS * i / SERIES_PHASES);
    }
    calibration->age = (float)(AGE_WEIGHT * SERIES_LN2 * tt_log2(1.0 / AGE_UNIT));
}

/* Maxima at or above the isolation. */
static uint32_t rank_of(const struct maxima *maxima, float isolation)
{
    uint32_t from = 0, count = maxima->count;

    while (count > 0) {
        uint32_t half = count / 2;
        bool above = maxima->top[from + half] >= isolation;

        from = above ? from + half + 1 : from;
        count = above ? count - half - 1 : half;
    }
    return from;
}

double tt_calibration_rank(const struct calibration *calibration, float isolation)
{
    double product = 1.0;

    for (int i = 0; i < SERIES_PHASES; i++)
        product *= rank_of(&calibration->maxima[i], isolation) + 1.0;
    return (double)calibration->age - SERIES_LN2 / SERIES_PHASES * tt_log2(product);
}

float tt_calibration_score(const struct calibration *calibration, float isolation, double rank)
{
    float width = calibration->low - calibration->mean;
    float below = calibration->low - isolation;
    float share = 0.0F;

    /* Three times as far below the least maximum as the mean is: a score as low as any. So is one where all are equal. */
    if (width <= 0.0F)
        share = isolation <= calibration->mean ? 3.0F : 0.0F;
    else if (below > 0.0F)
        share = below < 3.0F * width ? below / width : 3.0F;
    return series_logistic(rank - BASE - 3.0 * (double)share);
}

static void forget_blocks(struct maxima *maxima)
{
    uint16_t kept = 0;

    for (uint16_t i = 0; i < maxima->count; i++) {
        if ((uint16_t)(maxima->newest - maxima->block[i]) >= BLOCKS)
            continue;
        maxima->top[kept] = maxima->top[i];
        maxima->block[kept++] = maxima->block[i];
    }
    maxima->count = kept;
}

static void keep_block(struct maxima *maxima)
{
    uint16_t at;

    maxima->newest++;
    if (maxima->blocks < BLOCKS)
        maxima->blocks++;
    forget_blocks(maxima);
    if (maxima->count == SERIES_TOP && maxima->running <= maxima->top[SERIES_TOP - 1])
        return;
    at = maxima->count < SERIES_TOP ? maxima->count++ : SERIES_TOP - 1;
    for (; at > 0 && maxima->top[at - 1] < maxima->running; at--) {
        maxima->top[at] = maxima->top[at - 1];
        maxima->block[at] = maxima->block[at - 1];
    }
    maxima->top[at] = maxima->running;
    maxima->block[at] = maxima->newest;
}

static void refresh(struct calibration *calibration)
{
    const struct maxima *first = &calibration->maxima[0];
    double age = 0.0;

    for (int i = 0; i < SERIES_PHASES; i++) {
        uint16_t blocks = calibration->maxima[i].blocks;

        age += tt_log2((blocks < BLOCKS ? blocks + 1.0 : BLOCKS) / AGE_UNIT);
    }
    calibration->age = (float)(AGE_WEIGHT * SERIES_LN2 / SERIES_PHASES * age);
    if (first->count > 0)
        calibration->low = first->top[first->count - 1];
}

void tt_calibration_learn(struct calibration *calibration, float isolation, uint64_t points)
{
    bool closed = false;
    float rate;

    calibration->previous = isolation;
    if (points < CALIBRATE_AT)
        return;
    rate = points - CALIBRATE_AT < 1000 ? 1.0F / (float)(points - CALIBRATE_AT + 1) : MEAN_RATE;
    calibration->mean += rate * (isolation - calibration->mean);
    for (int i = 0; i < SERIES_PHASES; i++) {
        struct maxima *maxima = &calibration->maxima[i];

        if (isolation > maxima->running)
            maxima->running = isolation;
        if (++maxima->rows < BLOCK_ROWS)
            continue;
        keep_block(maxima);
        maxima->running = -FLT_MAX;
        maxima->rows = 0;
        closed = true;
    }
    if (closed)
        refresh(calibration);
}

bool tt_calibration_valid(const struct calibration *calibration)
{
    for (int i = 0; i < SERIES_PHASES; i++) {
        const struct maxima *maxima = &calibration->maxima[i];

        if (maxima->count > SERIES_TOP || maxima->blocks > BLOCKS || maxima->rows > BLOCK_ROWS ||
            maxima->rows < -BLOCK_ROWS)
            return false;
    }
    return true;
}

void tt_memory_init(struct memory *memory)
{
    memset(memory, 0, sizeof(*memory));
    memory->since = UINT32_MAX;
}

void tt_memory_release(struct memory *memory)
{
    memory->since = UINT32_MAX;
}

/* Events older than this weigh nothing, and their age could not be told from its value modulo 2^32 for ever. */
static void forget_events(struct memory *memory, uint32_t now)
{
    uint32_t kept = 0;
    uint32_t first = (memory->next + SERIES_EVENTS - memory->events) % SERIES_EVENTS;

    for (uint32_t i = 0; i < memory->events; i++)
        if (now - memory->event_time[(first + i) % SERIES_EVENTS] <= EVENT_END)
            kept++;
    memory->events = kept; /* they are in order of time, the newest just before `next` */
}

void tt_memory_enter(struct memory *memory, uint64_t points, float value)
{
    if (points % SERIES_HORIZON == 0) {
        memory->low[1] = points == 0 ? value : memory->low[0];
        memory->high[1] = points == 0 ? value : memory->high[0];
        memory->low[0] = memory->high[0] = value;
        forget_events(memory, (uint32_t)points);
    }
    if (value < memory->low[0])
        memory->low[0] = value;
    if (value > memory->high[0])
        memory->high[0] = value;
    if (memory->since < UINT32_MAX)
        memory->since++;
    memory->alarms *= 1.0F - 1.0F / ALARM_FORGET;
}

static float range(const struct memory *memory)
{
    float low = memory->low[0] < memory->low[1] ? memory->low[0] : memory->low[1];
    float high = memory->high[0] > memory->high[1] ? memory->high[0] : memory->high[1];

    return high - low;
}

/* ln(1 + events of about this value that were reported before, less what was forgotten). */
static double known(const struct memory *memory, uint32_t now, float value)
{
    float near = LIKENESS * range(memory);
    double count = 0.0;

    for (uint32_t i = 1; i <= memory->events; i++) {
        uint32_t at = (memory->next + SERIES_EVENTS - i) % SERIES_EVENTS;
        uint32_t age = now - memory->event_time[at];
        float distance = value - memory->event_value[at];

        if (age >= EVENT_AGE && distance <= near && distance >= -near)
            count += tt_exp2(-(double)age / (EVENT_FORGET * SERIES_LN2));
    }
    return SERIES_LN2 * tt_log2(1.0 + count);
}

static void report(struct memory *memory, uint32_t now, float value)
{
    uint32_t newest = (memory->next + SERIES_EVENTS - 1) % SERIES_EVENTS;

    if (memory->events > 0 && now - memory->event_time[newest] < EVENT_AGE)
        return;
    memory->event_value[memory->next] = value;
    memory->event_time[memory->next] = now;
    memory->next = (memory->next + 1) % SERIES_EVENTS;
    if (memory->events < SERIES_EVENTS)
        memory->events++;
}

void tt_memory_decide(struct memory *memory, uint64_t points, float value, double rank,
                      float threshold, struct tt_series_verdict *verdict)
{
    double tired = rank - ALARM_WEIGHT * (double)memory->alarms;
    double level = tired;
    bool started = points >= SERIES_START, held;

    if (level >= BASE - NOTICE)
        level -= known(memory, (uint32_t)points, value);
    held = memory->since <= HOLD && level <= (double)memory->last_alarm + ESCALATION;
    verdict->reason = started ? TT_SERIES_JUDGED : TT_SERIES_WARMING_UP;
    if (started && held && level >= BASE)
        verdict->reason = TT_SERIES_HELD;
    else if (started && tired >= BASE && level < BASE)
        verdict->reason = TT_SERIES_KNOWN;
    if (started && !held) {
        verdict->alarm_score = series_logistic(level - BASE);
        verdict->alarm = verdict->alarm_score >= threshold;
    }
    if (level < BASE || points < CALIBRATE_AT)
        return;
    report(memory, (uint32_t)points, value);
    if (!started || held)
        return;
    memory->last_alarm = (float)level;
    memory->since = 0;
    memory->alarms += 1.0F;
}

bool tt_memory_valid(const struct memory *memory)
{
    return memory->events <= SERIES_EVENTS && memory->next < SERIES_EVENTS;
}
