/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/series_internal.h"

#define HOUR_S      3600
#define WEEK_S      604800
#define LEAST_RATE  0.3F /* of a new hour in its mean */
#define SLOW_RATE   0.01
#define WEEK_NEEDED 2 /* weeks before the hour of the week is believed */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void tt_season_init(struct season *season)
{
    memset(season, 0, sizeof(*season));
    season->cell = -1;
}

int32_t tt_season_cell(int64_t time_ns, int32_t utc_offset_s)
{
    int64_t local_s = floor_divide(time_ns, INT64_C(1000000000)) + utc_offset_s;

    return (int32_t)((local_s - floor_divide(local_s, WEEK_S) * WEEK_S) / HOUR_S);
}

/* Running mean at first, exponential later. */
static void fold(float *mean, uint8_t *count, float value)
{
    float rate;

    if (*count < UINT8_MAX)
        (*count)++;
    rate = 1.0F / (float)*count;
    *mean += (rate > LEAST_RATE ? rate : LEAST_RATE) * (value - *mean);
}

void tt_season_enter(struct season *season, int32_t cell)
{
    int32_t last = season->cell;
    float mean;

    season->cell = cell;
    if (last < 0 || last == cell || season->sum_count == 0)
        return;
    mean = (float)(season->sum / season->sum_count);
    fold(&season->hour_mean[last % SERIES_HOURS], &season->hour_count[last % SERIES_HOURS], mean);
    fold(&season->week_mean[last], &season->week_count[last], mean);
    season->sum = 0.0;
    season->sum_count = 0;
}

float tt_season_expect(const struct season *season, int32_t cell)
{
    if (season->week_count[cell] >= WEEK_NEEDED)
        return season->week_mean[cell];
    if (season->hour_count[cell % SERIES_HOURS] > 0)
        return season->hour_mean[cell % SERIES_HOURS];
    return (float)season->slow_mean;
}

void tt_season_learn(struct season *season, double value)
{
    season->sum += value;
    season->sum_count++;
    season->slow_mean += SLOW_RATE * (value - season->slow_mean);
}
