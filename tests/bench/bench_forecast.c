/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forecasts of series from standard input, for bench_forecast.py, which compares them with others.
 *
 * Each series is a line "name season0 season1 count from" and then count lines with a value ("nan": missing). Prints for each horizon of 1
 * and 12 steps, over the forecasts for the points from `from` on, one line
 * "name horizon forecasts mae cover80 cover95 score80 score95 us": score is the interval score (T. Gneiting, A. E. Raftery, "Strictly proper
 * scoring rules, prediction, and estimation", JASA 102, 2007): width + 2 / alpha * distance outside.
 */
#include "base/mem.h"
#include "detect/forecast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST_POINTS 100000
#define HORIZONS    2
#define LEVELS      2

struct sums {
    double count, error, inside[LEVELS], score[LEVELS];
};

struct job {
    char name[128];
    struct tt_forecast_options options;
    size_t count, from;
    double *values;
    struct tt_forecast_point *given[HORIZONS]; /* given[h][i]: made after point i */
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool read_job(struct job *job)
{
    char line[256], *rest;

    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    rest = strchr(line, ' ');
    if (rest == NULL)
        return false;
    snprintf(job->name, sizeof(job->name), "%.*s", (int)(rest - line), line);
    job->options = tt_forecast_options_default();
    job->options.step_ns = 1000000000;
    job->options.season[0] = (uint32_t)strtoul(rest, &rest, 10);
    job->options.season[1] = (uint32_t)strtoul(rest, &rest, 10);
    job->count = strtoul(rest, &rest, 10);
    job->from = strtoul(rest, &rest, 10);
    if (job->count > MOST_POINTS)
        return false;
    for (size_t i = 0; i < job->count; i++)
        if (fgets(line, sizeof(line), stdin) == NULL ||
            !tt_str_to_double(tt_str_trim(tt_str(line)), &job->values[i]))
            return false;
    return true;
}

static void judge(struct sums *sums, const struct tt_forecast_point *point, const double *levels,
                  double value)
{
    sums->count += 1.0;
    sums->error += fabs(value - point->yhat);
    for (int k = 0; k < LEVELS; k++) {
        double below = fmax(point->lower[k] - value, 0.0),
               above = fmax(value - point->upper[k], 0.0);

        sums->inside[k] += below == 0.0 && above == 0.0;
        sums->score[k] +=
            point->upper[k] - point->lower[k] + 2.0 / (1.0 - levels[k]) * (below + above);
    }
}

static void print_job(const struct job *job, double us)
{
    for (uint32_t h = 0; h < HORIZONS; h++) {
        struct sums sums = {0};

        for (size_t i = job->from; i < job->count; i++)
            if (!isnan(job->values[i]))
                judge(&sums, &job->given[h][i - job->options.horizon[h]], job->options.level,
                      job->values[i]);
        printf("%s %u %.0f %.9g %.4f %.4f %.9g %.9g %.3f\n", job->name,
               (unsigned)job->options.horizon[h], sums.count, sums.error / sums.count,
               sums.inside[0] / sums.count, sums.inside[1] / sums.count, sums.score[0] / sums.count,
               sums.score[1] / sums.count, us);
    }
}

static void run_job(struct job *job)
{
    void *memory = tt_malloc(tt_forecast_size(&job->options));
    struct tt_forecast *forecast;
    double start;

    if (memory == NULL || tt_forecast_options_check(&job->options, NULL) != TT_OK)
        exit(1);
    forecast = tt_forecast_init(memory, &job->options);
    start = now_s();
    for (size_t i = 0; i < job->count; i++) {
        (void)tt_forecast_push(forecast, (int64_t)i * 1000000000, job->values[i]);
        for (uint32_t h = 0; h < HORIZONS; h++)
            tt_forecast_at(forecast, h, &job->given[h][i]);
    }
    print_job(job, 1e6 * (now_s() - start) / (double)job->count);
    tt_free(memory);
}

int main(void)
{
    struct job job = {.values = tt_calloc(MOST_POINTS, sizeof(double))};

    for (int h = 0; h < HORIZONS; h++)
        job.given[h] = tt_calloc(MOST_POINTS, sizeof(*job.given[h]));
    if (job.values == NULL || job.given[0] == NULL || job.given[1] == NULL)
        return 1;
    while (read_job(&job))
        run_job(&job);
    return 0;
}
