/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the series detector finds, costs and forgets:
 *
 *     bench_series nab FOLDER [SEEDS]   the benchmark's score of both tiers over seeds, beside what was published
 *     bench_series speed [SERIES]       one hot series, and (light) a million cold ones
 *     bench_series age [POINTS]         alarms of stationary series by age, equal spikes after a level shift
 */
#include "detect/forest_math.h"
#include "detect/series.h"
#include "tt_nab.h"

#include <math.h>
#include <sys/mman.h>
#include <time.h>

#define STEP_NS INT64_C(300000000000)

static const char *const TIER_NAMES[TT_SERIES_PRECISION_COUNT] = {"light", "full"};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Sum and sum of squares over seeds. */
struct mean {
    double sum, squares;
    int count;
};

static void add(struct mean *mean, double x)
{
    mean->sum += x;
    mean->squares += x * x;
    mean->count++;
}

static void print_mean(const char *name, const struct mean *mean)
{
    double average = mean->sum / mean->count;
    double variance =
        mean->count > 1 ? (mean->squares - mean->sum * average) / (mean->count - 1) : 0.0;

    printf("  %-22s %6.2f +- %.2f\n", name, average, sqrt(fmax(variance, 0.0) / mean->count));
}

static struct tt_nab_result optimise(const struct tt_nab_series *series, size_t count,
                                     enum tt_nab_profile profile)
{
    struct tt_nab_costs costs = tt_nab_profile_costs(profile);
    struct tt_nab_result result;
    struct tt_error err;

    if (tt_nab_optimise(series, count, &costs, &result, &err) != TT_OK)
        tt_nab_quit("cannot judge:", err.message);
    return result;
}

static struct tt_nab_result judge(const struct tt_nab_series *series, size_t count,
                                  double threshold)
{
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_STANDARD);
    struct tt_nab_result result;
    struct tt_error err;

    if (tt_nab_judge(series, count, &costs, threshold, &result, &err) != TT_OK)
        tt_nab_quit("cannot judge:", err.message);
    return result;
}

/* The standard score with each category's threshold taken from the others. */
static double score_across_categories(const struct tt_nab_corpus *corpus)
{
    struct tt_nab_series others[TT_NAB_FILES], own[TT_NAB_FILES];
    struct tt_nab_costs costs = tt_nab_profile_costs(TT_NAB_STANDARD);
    uint32_t windows = 0, judged = 0;
    double raw = 0.0;

    for (size_t category = 0; category < corpus->categories; category++) {
        size_t n_others = 0, n_own = 0;
        struct tt_nab_result result;

        for (size_t i = 0; i < corpus->files; i++) {
            if (corpus->category[i] == category)
                own[n_own++] = corpus->series[i];
            else
                others[n_others++] = corpus->series[i];
        }
        result = optimise(others, n_others, TT_NAB_STANDARD);
        result = judge(own, n_own, result.threshold);
        raw += result.raw;
        windows += result.windows;
        judged += result.windows_judged;
    }
    return tt_nab_scale(raw, windows, judged, &costs);
}

static void print_published(struct tt_nab_corpus *corpus, const char *folder)
{
    char path[512];
    const char *name;
    json_t *expected, *values;

    snprintf(path, sizeof(path), "%s/published/expected.json", folder);
    expected = json_load_file(path, 0, NULL);
    if (expected == NULL)
        return;
    printf(
        "published (NAB's own scorer; ours on the published point scores, and the greatest difference)\n");
    json_object_foreach(expected, name, values)
    {
        double difference = 0.0;
        bool have_scores = tt_nab_load_published(corpus, folder, name);

        printf("  %-22s", name);
        for (int p = 0; p < TT_NAB_PROFILE_COUNT; p++) {
            double theirs = json_number_value(
                json_object_get(values, tt_nab_profile_name((enum tt_nab_profile)p)));

            printf(" %6.2f", theirs);
            if (have_scores)
                difference = fmax(
                    difference,
                    fabs(theirs -
                         optimise(corpus->series, corpus->files, (enum tt_nab_profile)p).score));
        }
        if (have_scores)
            printf("   %.3f", difference);
        printf("\n");
    }
    json_decref(expected);
}

static void score_corpus(struct tt_nab_corpus *corpus, struct tt_series_options *options,
                         uint64_t seed)
{
    void *memory = tt_malloc(tt_series_size(options->precision));

    for (size_t i = 0; i < corpus->files && memory != NULL; i++) {
        struct tt_series *series = tt_series_init(memory, options, seed);
        struct tt_series_verdict verdict;

        for (size_t row = 0; row < corpus->series[i].count; row++) {
            tt_series_push(series, corpus->series[i].time_ns[row], corpus->values[i][row],
                           &verdict);
            corpus->scores[i][row] = (double)verdict.alarm_score;
        }
    }
    tt_free(memory);
}

static void print_tier(struct tt_nab_corpus *corpus, enum tt_series_precision precision,
                       uint64_t seeds)
{
    struct tt_series_options options = tt_series_options_default();
    struct mean scores[TT_NAB_PROFILE_COUNT] = {{0}}, across = {0}, fixed = {0}, alarms = {0};
    double seconds = 0.0;

    options.precision = precision;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        double start = now_s();
        struct tt_nab_result at_default;

        score_corpus(corpus, &options, seed);
        seconds += now_s() - start;
        for (int p = 0; p < TT_NAB_PROFILE_COUNT; p++)
            add(&scores[p], optimise(corpus->series, corpus->files, (enum tt_nab_profile)p).score);
        add(&across, score_across_categories(corpus));
        at_default = judge(corpus->series, corpus->files, (double)options.threshold);
        add(&fixed, at_default.score);
        add(&alarms, at_default.false_positives);
    }
    printf("%s: %zu bytes a series, %.2f us a point, %llu seeds, +- standard error\n",
           TIER_NAMES[precision], tt_series_size(precision),
           1e6 * seconds / ((double)corpus->rows * (double)seeds), (unsigned long long)seeds);
    for (int p = 0; p < TT_NAB_PROFILE_COUNT; p++)
        print_mean(tt_nab_profile_name((enum tt_nab_profile)p), &scores[p]);
    print_mean("standard, other's thr.", &across);
    print_mean("standard, threshold .5", &fixed);
    print_mean("false alarms at .5", &alarms);
}

static int bench_nab(const char *folder, uint64_t seeds)
{
    struct tt_nab_corpus *corpus = tt_nab_load(folder);

    if (corpus == NULL)
        tt_nab_quit("no labels in", folder);
    printf("%zu files, %zu rows\n", corpus->files, corpus->rows);
    print_published(corpus, folder);
    for (int tier = 0; tier < TT_SERIES_PRECISION_COUNT; tier++)
        print_tier(corpus, (enum tt_series_precision)tier, seeds);
    return 0;
}

/* Bell-shaped, variance 1. */
static double noise(struct tt_random *random)
{
    double sum = -6.0;

    for (int i = 0; i < 12; i++)
        sum += tt_random_unit(random);
    return sum;
}

static void bench_hot(enum tt_series_precision precision, int points)
{
    struct tt_series_options options = tt_series_options_default();
    struct tt_series_verdict verdict;
    struct tt_random random = {1};
    struct tt_series *series;
    double *values = tt_calloc((size_t)points, sizeof(*values));
    void *memory;
    double start;

    options.precision = precision;
    memory = tt_malloc(tt_series_size(precision));
    if (memory == NULL || values == NULL)
        exit(1);
    series = tt_series_init(memory, &options, 1);
    for (int i = 0; i < points; i++)
        values[i] = noise(&random) + 3.0 * sin(6.283185 * i / 288.0);
    start = now_s();
    for (int i = 0; i < points; i++)
        tt_series_push(series, i * STEP_NS, values[i], &verdict);
    start = now_s() - start;
    printf("%-5s one hot series: %10.0f points/s, %.3f us a point, %zu bytes\n",
           TIER_NAMES[precision], points / start, 1e6 * start / points, tt_series_size(precision));
    tt_free(memory);
    tt_free(values);
}

static void bench_cold(size_t count)
{
    struct tt_series_options options = tt_series_options_default();
    size_t size = tt_series_size(TT_SERIES_LIGHT), bytes = size * count;
    char *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct tt_series_verdict verdict;
    struct tt_random random = {1};
    double start = 0.0;
    int rounds = 260;

    if (all == MAP_FAILED)
        exit(1);
    (void)madvise(all, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < count; i++)
        (void)tt_series_init(all + i * size, &options, i);
    /* Past the filling of the samples, where a point costs most. */
    for (int round = 0; round < rounds; round++) {
        if (round == rounds - 10)
            start = now_s();
        for (size_t i = 0; i < count; i++) {
            if (i + 2 < count)
                tt_series_prefetch((void *)(all + (i + 2) * size));
            tt_series_push((void *)(all + i * size), round * STEP_NS,
                           (double)(tt_random_next(&random) >> 40), &verdict);
        }
    }
    start = now_s() - start;
    printf("light %zu cold series, %.2f GiB: %.0f points/s, %.3f us a point\n", count,
           (double)bytes / (1024.0 * 1024.0 * 1024.0), 10.0 * (double)count / start,
           1e6 * start / (10.0 * (double)count));
    munmap(all, bytes);
}

static int bench_speed(size_t count)
{
    bench_hot(TT_SERIES_FULL, 100000);
    bench_hot(TT_SERIES_LIGHT, 2000000);
    bench_cold(count);
    return 0;
}

/* Alarms of one stationary series from one age to another; half of the series have a heavy tail. */
static double alarms_between(enum tt_series_precision precision, uint64_t seed, int64_t from,
                             int64_t to)
{
    struct tt_series_options options = tt_series_options_default();
    struct tt_random random = {seed * 1000003};
    struct tt_series_verdict verdict;
    struct tt_series *series;
    double alarms = 0.0;
    void *memory;

    options.precision = precision;
    memory = tt_malloc(tt_series_size(precision));
    if (memory == NULL)
        exit(1);
    series = tt_series_init(memory, &options, seed);
    for (int64_t i = 0; i < to; i++) {
        double x = noise(&random);

        x = seed % 2 == 0 ? x : exp(x) + x;
        tt_series_push(series, i * STEP_NS, x + 3.0 * sin(6.283185 * (double)i / 288.0), &verdict);
        alarms += i >= from && verdict.alarm;
    }
    tt_free(memory);
    return alarms;
}

/* Alarms per 10,000 points, and how far 95 % of series reach by chance (from the spread between them). */
struct rate {
    double mean, error;
};

static struct rate alarm_rate(enum tt_series_precision precision, uint64_t seeds, int64_t from,
                              int64_t to)
{
    struct mean mean = {0};
    struct rate rate;

    for (uint64_t seed = 1; seed <= seeds; seed++)
        add(&mean, alarms_between(precision, seed, from, to) * 1e4 / (double)(to - from));
    rate.mean = mean.sum / mean.count;
    rate.error =
        sqrt(fmax(mean.squares - mean.sum * rate.mean, 0.0) / (mean.count - 1) / mean.count);
    printf("  age %7lld to %7lld  %5.2f +- %.2f (%d series)\n", (long long)from, (long long)to,
           rate.mean, 1.96 * rate.error, mean.count);
    return rate;
}

/* Old against young: "at age n" is the stretch from n / 2 to 3 n / 2 where young, the last tenth where old. */
static void bench_age(enum tt_series_precision precision, int64_t points, uint64_t young,
                      uint64_t old)
{
    struct rate at_10000, at_end;
    double ratio, error;

    printf("%s: alarms per 10,000 points of stationary series, +- 95 %% confidence\n",
           TIER_NAMES[precision]);
    (void)alarm_rate(precision, young, 1000, 5000);
    at_10000 = alarm_rate(precision, young, 5000, 15000);
    (void)alarm_rate(precision, young, 15000, 25000);
    at_end = alarm_rate(precision, old, points - points / 10, points);
    ratio = at_end.mean / at_10000.mean;
    error = 1.96 * hypot(at_end.error / at_end.mean, at_10000.error / at_10000.mean);
    printf("  at age %lld over at age 10,000: %.2f (%.2f to %.2f)\n", (long long)points, ratio,
           ratio * exp(-error), ratio * exp(error));
}

static void bench_spikes(enum tt_series_precision precision, int64_t apart, uint64_t seeds)
{
    int alarms[10] = {0}, scores[10] = {0};
    struct tt_series_options options = tt_series_options_default();
    void *memory;

    options.precision = precision;
    memory = tt_malloc(tt_series_size(precision));
    if (memory == NULL)
        exit(1);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct tt_series *series = tt_series_init(memory, &options, seed);
        struct tt_random random = {seed * 1000003};
        struct tt_series_verdict verdict;

        for (int64_t i = 0; i <= 5000 + 10 * apart; i++) {
            int64_t spike = i > 5000 && (i - 5000) % apart == 0 ? (i - 5000) / apart : 0;
            double x = noise(&random) + (i >= 5000 ? 10.0 : 0.0);

            tt_series_push(series, i * STEP_NS, spike > 0 ? 18.0 : x, &verdict);
            if (spike > 0) {
                alarms[spike - 1] += verdict.alarm;
                scores[spike - 1] += verdict.score >= options.threshold;
            }
        }
    }
    printf("%s: equal spikes %lld points apart after a level shift, found of %llu\n  alarm",
           TIER_NAMES[precision], (long long)apart, (unsigned long long)seeds);
    for (int i = 0; i < 10; i++)
        printf(" %3d", alarms[i]);
    printf("\n  score");
    for (int i = 0; i < 10; i++)
        printf(" %3d", scores[i]);
    printf("\n");
    tt_free(memory);
}

static int bench_ages(int64_t points)
{
    bench_age(TT_SERIES_LIGHT, points, 100, 20);
    bench_age(TT_SERIES_FULL, points, 20, 4);
    for (int64_t apart = 600; apart <= 6000; apart *= 10) {
        bench_spikes(TT_SERIES_LIGHT, apart, 50);
        bench_spikes(TT_SERIES_FULL, apart, 5);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int64_t number = 0;

    if (argc > 2)
        (void)tt_str_to_int64(tt_str(argv[argc - 1]), &number);
    if (strcmp(what, "nab") == 0 && argc > 2)
        return bench_nab(argv[2], argc > 3 && number > 0 ? (uint64_t)number : 20);
    if (strcmp(what, "speed") == 0)
        return bench_speed(number > 0 ? (size_t)number : 1000000);
    if (strcmp(what, "age") == 0)
        return bench_ages(number > 0 ? number : 1000000);
    fprintf(stderr, "usage: bench_series nab FOLDER [SEEDS] | speed [SERIES] | age [POINTS]\n");
    return 2;
}
