/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of the isolation forest.
 *
 *   bench_forest speed [COLUMNS]                    training, encoding and scoring, on every path the processor has
 *   bench_forest quality X Y COLUMNS [KEY=VALUE …]  ROC AUC and average precision of a set, as JSON
 *   bench_forest stream X Y COLUMNS [KEY=VALUE …]   the same in one pass over shuffled rows, each scored before it is learnt
 *   bench_forest stability [CONTAMINATION]          a steady stream of 300,000 rows
 *   bench_forest poison [SEEDS]                     half an hour in which a fifth of the rows is bad, and one in which none is
 *
 * X: rows of COLUMNS floats as they are in memory; Y: one byte a row, 1 for an anomaly (tests/bench/forest_quality.py
 * writes both). KEY: seeds, trees, sample, depth, metric (0 combined, 1 depth), exact, gates.
 */
#include "detect/forest_internal.h"
#include "detect/forest_math.h"
#include "detect/rank.h"
#include "detect/stream_forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct set {
    struct tt_rows rows;
    float *x;
    uint8_t *labels;
};

struct settings {
    struct tt_forest_options forest;
    unsigned seeds;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_forest: %s\n", what);
    exit(1);
}

static void check(enum tt_status status, const struct tt_error *err)
{
    if (status != TT_OK)
        die(err->message);
}

static void *allocate(size_t size)
{
    void *p = malloc(size + 1);

    if (p == NULL)
        die("out of memory");
    return p;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* About normal, mean 0, deviation 0.7. */
static float normal(struct tt_random *random)
{
    double sum = -3.0;

    for (int i = 0; i < 6; i++)
        sum += tt_random_unit(random);
    return (float)sum;
}

/* ---- speed ---- */

/* The least time of several runs of body, in seconds. */
#define BEST_OF(runs, ...)                          \
    __extension__({                                 \
        double best_ = 1e9;                         \
        for (int run_ = 0; run_ < (runs); run_++) { \
            double t_ = now();                      \
            __VA_ARGS__;                            \
            t_ = now() - t_;                        \
            best_ = t_ < best_ ? t_ : best_;        \
        }                                           \
        best_;                                      \
    })

#define BATCH   1024
#define BATCHES 16

static void train_once(const struct tt_rows *rows, const struct tt_bins *bins)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct tt_forest *forest;
    struct tt_error err;

    check(tt_forest_train(&options, rows, bins, 1, 0, &forest, &err), &err);
    tt_forest_unref(forest);
}

static void time_paths(struct tt_forest *forest, const struct tt_rows *rows)
{
    static const char *const names[TT_PATH_COUNT] = {"portable", "AVX2", "AVX-512 VBMI"};
    const bool there[TT_PATH_COUNT] = {true, tt_forest_has_avx2(), tt_forest_has_avx512()};
    size_t cells = rows->count * rows->columns, block = (size_t)rows->columns * TT_BLOCK_ROWS;
    uint8_t *blocks = allocate(cells), *tile = allocate(block);
    float *scores = allocate(rows->count * sizeof(float)),
          *first = allocate(rows->count * sizeof(float));
    void *scratch = allocate(tt_forest_scratch_size(forest));

    for (size_t r = 0; r < rows->count; r += TT_BLOCK_ROWS)
        (void)tt_bins_encode_block(&forest->bins, tt_row(rows, r), TT_BLOCK_ROWS, rows->stride,
                                   tile, blocks + r * rows->columns);
    for (unsigned path = 0; path < TT_PATH_COUNT; path++) {
        double binned, plain;
        if (!there[path])
            continue;
        forest->path = (enum tt_forest_path)path;
        binned = BEST_OF(15, for (size_t b = 0; b < BATCHES; b++) tt_forest_score_blocks(
                                 forest, blocks + b * BATCH * rows->columns, BATCH / TT_BLOCK_ROWS,
                                 NULL, scores + b * BATCH));
        plain = BEST_OF(15, tt_forest_score(forest, rows, scores, scratch));
        if (path == 0)
            memcpy(first, scores, rows->count * sizeof(float));
        printf("%-13s %6.0f ns a binned row in batches of %d, %6.0f ns from floats, bits %s\n",
               names[path], binned / (double)rows->count * 1e9, BATCH,
               plain / (double)rows->count * 1e9,
               memcmp(first, scores, rows->count * sizeof(float)) == 0 ? "equal" : "DIFFER");
    }
    free(blocks);
    free(tile);
    free(scores);
    free(first);
    free(scratch);
}

static void time_single(const struct tt_forest *forest, const struct tt_rows *rows)
{
    void *scratch = allocate(tt_forest_scratch_size(forest));
    float *credit = allocate(rows->columns * sizeof(float)), score = 0.0F;
    double single, explain;

    single = BEST_OF(
        9, for (size_t i = 0; i < rows->count; i++) {
            struct tt_rows one = {tt_row(rows, i), 1, rows->stride, rows->columns};
            tt_forest_score(forest, &one, &score, scratch);
        });
    explain = BEST_OF(3, for (size_t i = 0; i < 1000; i++) score =
                             tt_forest_explain(forest, tt_row(rows, i), credit, scratch));
    printf("one row alone %.0f ns, its explanation %.0f ns\n", single / (double)rows->count * 1e9,
           explain * 1e6);
    if (score > 1e30F) /* keeps the compiler from dropping the work */
        puts("");
    free(scratch);
    free(credit);
}

static int speed(uint32_t columns)
{
    struct tt_forest_options options = tt_forest_options_default();
    size_t count = (size_t)BATCH * BATCHES;
    float *x = allocate(count * columns * sizeof(float));
    struct tt_rows rows = {x, count, columns, columns};
    struct tt_random random = {7};
    struct tt_forest *forest;
    struct tt_bins bins;
    struct tt_error err;

    for (size_t i = 0; i < count * columns; i++)
        x[i] = normal(&random);
    check(tt_bins_learn(&rows, &bins, &err), &err);
    printf("100 trees of 256 rows, %u columns, %zu rows\n", columns, count);
    printf("training %.2f ms, bin edges apart\n", BEST_OF(30, train_once(&rows, &bins)) * 1e3);
    check(tt_forest_train(&options, &rows, &bins, 1, 0, &forest, &err), &err);
    time_paths(forest, &rows);
    time_single(forest, &rows);
    tt_forest_unref(forest);
    tt_bins_done(&bins);
    free(x);
    return 0;
}

/* ---- sets ---- */

static void *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    long size;
    void *bytes;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
        die(path);
    rewind(file);
    bytes = allocate((size_t)size);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size)
        die(path);
    (void)fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static struct set read_set(char **arguments)
{
    size_t x_size, count;
    struct set set;

    set.x = read_file(arguments[0], &x_size);
    set.labels = read_file(arguments[1], &count);
    set.rows = (struct tt_rows){set.x, count, 0, (uint32_t)strtoul(arguments[2], NULL, 10)};
    set.rows.stride = set.rows.columns;
    if (set.rows.columns == 0 || count * set.rows.columns * sizeof(float) != x_size)
        die("the files do not fit together");
    return set;
}

static struct settings read_settings(char **arguments, int count)
{
    struct settings settings = {tt_forest_options_default(), 3};

    for (int i = 0; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        struct tt_str key =
            tt_str_of(arguments[i], value == NULL ? 0 : (size_t)(value - arguments[i]));
        unsigned number = value == NULL ? 0 : (unsigned)strtoul(value + 1, NULL, 10);
        if (tt_str_equal(key, TT_STR("seeds")))
            settings.seeds = number;
        else if (tt_str_equal(key, TT_STR("trees")))
            settings.forest.trees = number;
        else if (tt_str_equal(key, TT_STR("sample")))
            settings.forest.sample = number;
        else if (tt_str_equal(key, TT_STR("depth")))
            settings.forest.max_depth = number;
        else if (tt_str_equal(key, TT_STR("metric")))
            settings.forest.metric = (enum tt_forest_metric)number;
        else if (tt_str_equal(key, TT_STR("exact")))
            settings.forest.exact = number != 0;
        else if (tt_str_equal(key, TT_STR("gates")))
            settings.forest.gates = number != 0;
        else
            die(arguments[i]);
    }
    return settings;
}

struct figures {
    double auc, precision, seconds;
};

static void add_figures(const float *scores, const uint8_t *labels, size_t count,
                        struct figures *sum)
{
    struct tt_ranking ranking;
    struct tt_error err;

    check(tt_ranking_make(scores, labels, count, &ranking, &err), &err);
    sum->auc += tt_rank_roc_auc(&ranking);
    sum->precision += tt_rank_average_precision(&ranking);
    tt_ranking_done(&ranking);
}

static void print_figures(const struct figures *sum, unsigned seeds, size_t rows)
{
    printf("{\"roc_auc\": %.6f, \"average_precision\": %.6f, \"ns_per_score\": %.1f}\n",
           sum->auc / seeds, sum->precision / seeds, sum->seconds / seeds / (double)rows * 1e9);
}

static int quality(const struct set *set, const struct settings *settings)
{
    float *scores = allocate(set->rows.count * sizeof(float));
    struct figures sum = {0};

    for (unsigned seed = 0; seed < settings->seeds; seed++) {
        struct tt_forest *forest;
        struct tt_error err;
        void *scratch;
        check(tt_forest_train(&settings->forest, &set->rows, NULL, seed, 0, &forest, &err), &err);
        scratch = allocate(tt_forest_scratch_size(forest));
        sum.seconds += BEST_OF(1, tt_forest_score(forest, &set->rows, scores, scratch));
        add_figures(scores, set->labels, set->rows.count, &sum);
        free(scratch);
        tt_forest_unref(forest);
    }
    print_figures(&sum, settings->seeds, set->rows.count);
    free(scores);
    return 0;
}

/* ---- streams ---- */

static void shuffle(const struct set *set, uint64_t seed, float *ret_x, uint8_t *ret_labels)
{
    size_t count = set->rows.count, columns = set->rows.columns;
    uint32_t *order = allocate(count * sizeof(*order));
    struct tt_random random = tt_random_stream(seed, 0, 77);

    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = i + tt_random_below(&random, (uint32_t)count - i), taken = order[j];
        order[j] = order[i];
        order[i] = taken;
        memcpy(ret_x + i * columns, tt_row(&set->rows, taken), columns * sizeof(float));
        ret_labels[i] = set->labels[taken];
    }
    free(order);
}

/* Half-lives in rows; else what live scoring has by default. */
static struct tt_stream_forest_options row_options(const struct tt_forest_options *forest)
{
    struct tt_stream_forest_options options = tt_stream_forest_options_default();

    options.forest = *forest;
    options.half_life = 20000;
    options.long_half_life = 500000;
    options.retrain_after = 0;
    options.retrain_rows = 2000;
    return options;
}

static int stream_quality(const struct set *set, const struct settings *settings)
{
    struct tt_stream_forest_options options = row_options(&settings->forest);
    size_t count = set->rows.count, first;
    float *x = allocate(count * set->rows.columns * sizeof(float));
    float *scores = allocate(count * sizeof(float));
    uint8_t *labels = allocate(count);
    struct figures sum = {0};

    for (unsigned seed = 0; seed < settings->seeds; seed++) {
        struct tt_stream_forest *stream;
        struct tt_rows rows = {x, count, set->rows.columns, set->rows.columns};
        struct tt_error err;
        shuffle(set, seed, x, labels);
        check(tt_stream_forest_new(&options, rows.columns, seed, &stream, &err), &err);
        sum.seconds +=
            BEST_OF(1, check(tt_stream_forest_push(stream, &rows, NULL, scores, &err), &err));
        for (first = 0; first < count && isnan(scores[first]); first++)
            ;
        add_figures(scores + first, labels + first, count - first, &sum);
        tt_stream_forest_free(stream);
    }
    print_figures(&sum, settings->seeds, count);
    free(x);
    free(scores);
    free(labels);
    return 0;
}

#define WIDTH 16
#define HELD  20000

/* Normal rows, and anomalous ones that are off in three of the columns. */
static void make_row(struct tt_random *random, bool bad, float *row)
{
    for (int c = 0; c < WIDTH; c++)
        row[c] = normal(random) * (c % 4 == 0 ? 100.0F : 1.0F);
    for (int c = 0; bad && c < 3; c++)
        row[5 * c + 1] += 2.0F;
}

static struct set held_out(uint64_t seed, size_t count, size_t every)
{
    struct set set = {.x = allocate(count * WIDTH * sizeof(float)), .labels = allocate(count)};
    struct tt_random random = {seed};

    for (size_t i = 0; i < count; i++) {
        set.labels[i] = i % every == 0;
        make_row(&random, set.labels[i] != 0, set.x + i * WIDTH);
    }
    set.rows = (struct tt_rows){set.x, count, WIDTH, WIDTH};
    return set;
}

struct verdict {
    double mean_normal, share_over, auc, recall;
};

static struct verdict judge(const struct tt_stream_forest *stream, const struct set *set)
{
    struct tt_forest *forest = tt_stream_forest_current(stream);
    void *scratch = allocate(tt_forest_scratch_size(forest));
    float *scores = allocate(set->rows.count * sizeof(float));
    float threshold = tt_stream_forest_threshold(stream);
    struct verdict verdict = {0};
    struct figures sum = {0};
    double normal_rows = 0.0, over = 0.0;

    tt_forest_score(forest, &set->rows, scores, scratch);
    for (size_t i = 0; i < set->rows.count; i++) {
        if (set->labels[i]) {
            verdict.recall += scores[i] >= threshold;
            continue;
        }
        verdict.mean_normal += (double)scores[i];
        over += scores[i] >= threshold;
        normal_rows += 1.0;
    }
    add_figures(scores, set->labels, set->rows.count, &sum);
    verdict.auc = sum.auc;
    verdict.recall /= (double)set->rows.count - normal_rows;
    verdict.mean_normal /= normal_rows;
    verdict.share_over = over / normal_rows;
    tt_forest_unref(forest);
    free(scratch);
    free(scores);
    return verdict;
}

/* Pushes rows of which every bad_every-th is bad (0: none), at one row a tick. */
static void feed(struct tt_stream_forest *stream, struct tt_random *random, size_t rows,
                 size_t bad_every, int64_t *when, int64_t tick)
{
    for (size_t done = 0; done < rows; done += 100) {
        float x[100 * WIDTH], scores[100];
        int64_t times[100];
        struct tt_rows some = {x, 100, WIDTH, WIDTH};
        struct tt_error err;
        for (size_t i = 0; i < 100; i++) {
            make_row(random, bad_every != 0 && i % bad_every == 0, x + i * WIDTH);
            times[i] = *when += tick;
        }
        check(tt_stream_forest_push(stream, &some, times, scores, &err), &err);
    }
}

static int stability(double contamination)
{
    static const size_t stops[] = {3000, 30000, 300000};
    struct tt_forest_options forest = tt_forest_options_default();
    struct tt_stream_forest_options options;
    struct set set = held_out(99, HELD, 50);

    forest.contamination = contamination;
    options = row_options(&forest);
    printf("contamination %g; the same %d held-out rows after so many rows of a steady stream\n",
           contamination, HELD);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct tt_stream_forest *stream;
        struct tt_random random = {seed * 1000};
        struct tt_error err;
        int64_t when = 0;
        size_t fed = 0;
        check(tt_stream_forest_new(&options, WIDTH, seed, &stream, &err), &err);
        for (size_t i = 0; i < TT_LENGTH(stops); i++) {
            struct verdict verdict;
            feed(stream, &random, stops[i] - fed, 0, &when, 1);
            fed = stops[i];
            verdict = judge(stream, &set);
            printf(
                "seed %d %7zu rows: mean score of normal rows %.4f, share over the threshold %.4f, ROC AUC %.4f\n",
                (int)seed, fed, verdict.mean_normal, verdict.share_over, verdict.auc);
        }
        tt_stream_forest_free(stream);
    }
    free(set.x);
    free(set.labels);
    return 0;
}

static struct verdict after_half_an_hour(uint64_t seed, unsigned hours, size_t bad_every,
                                         const struct set *set, struct verdict *ret_before)
{
    struct tt_stream_forest_options options = tt_stream_forest_options_default();
    const int64_t tick = INT64_C(10000000); /* 100 rows a second */
    struct tt_random random = {seed * 100};
    struct tt_stream_forest *stream;
    struct verdict after;
    struct tt_error err;
    int64_t when = 0;

    check(tt_stream_forest_new(&options, WIDTH, seed, &stream, &err), &err);
    feed(stream, &random, (size_t)100 * 3600 * hours, 0, &when, tick);
    *ret_before = judge(stream, set);
    feed(stream, &random, 100 * 1800, bad_every, &when, tick);
    after = judge(stream, set);
    tt_stream_forest_free(stream);
    return after;
}

static void print_ratios(const char *name, const double *ratios, unsigned seeds)
{
    double sum = 0.0, least = ratios[0];
    unsigned held = 0;

    for (unsigned i = 0; i < seeds; i++) {
        sum += ratios[i];
        least = ratios[i] < least ? ratios[i] : least;
        held += ratios[i] >= 0.8;
    }
    printf("%s: recall over recall before, mean %.3f, least %.2f, at least 0.8 in %u of %u\n", name,
           sum / seeds, least, held, seeds);
}

/* The default options, in nanoseconds, on a stream of one hour (odd seeds) or four. */
static int poison(unsigned seeds)
{
    struct set set = held_out(98, HELD, 5);
    double *poisoned = allocate(seeds * sizeof(double)),
           *control = allocate(seeds * sizeof(double));

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        unsigned hours = seed % 2 == 1 ? 1 : 4;
        struct verdict before, after = after_half_an_hour(seed, hours, 5, &set, &before);
        struct verdict same = after_half_an_hour(seed, hours, 0, &set, &before);
        poisoned[seed - 1] = after.recall / before.recall;
        control[seed - 1] = same.recall / before.recall;
        printf(
            "seed %d, after %u h: recall %.3f (share of normal rows over the threshold %.4f, ROC AUC %.4f); after half an hour "
            "with a fifth bad %.3f (%.4f, %.4f), with none %.3f (%.4f, %.4f)\n",
            (int)seed, hours, before.recall, before.share_over, before.auc, after.recall,
            after.share_over, after.auc, same.recall, same.share_over, same.auc);
    }
    print_ratios("a fifth bad", poisoned, seeds);
    print_ratios("none bad", control, seeds);
    free(poisoned);
    free(control);
    free(set.x);
    free(set.labels);
    return 0;
}

static int on_set(int count, char **arguments,
                  int (*measure)(const struct set *, const struct settings *))
{
    struct set set = read_set(arguments + 2);
    struct settings settings = read_settings(arguments + 5, count - 5);
    int result = measure(&set, &settings);

    free(set.x);
    free(set.labels);
    return result;
}

int main(int count, char **arguments)
{
    struct tt_str what = count > 1 ? tt_str(arguments[1]) : TT_STR("");

    if (tt_str_equal(what, TT_STR("speed")))
        return speed(count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 16);
    if (tt_str_equal(what, TT_STR("quality")) && count >= 5)
        return on_set(count, arguments, quality);
    if (tt_str_equal(what, TT_STR("stream")) && count >= 5)
        return on_set(count, arguments, stream_quality);
    if (tt_str_equal(what, TT_STR("stability")))
        return stability(count > 2 ? strtod(arguments[2], NULL) : 0.01);
    if (tt_str_equal(what, TT_STR("poison")))
        return poison(count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 20);
    die("usage: speed [COLUMNS] | quality|stream X Y COLUMNS [KEY=VALUE ...] | stability [CONTAMINATION] | poison [SEEDS]");
    return 1;
}
