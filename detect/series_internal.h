/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_SERIES_INTERNAL_H
#define TT_DETECT_SERIES_INTERNAL_H

/*
 * The parts of a series state (series.h): plain data of fixed size without pointers or padding, so that a state is its bytes.
 *
 * Every count and index in here is checked by tt_series_parts_valid() when a state is read back: the other functions rely on it.
 */

#include "detect/forest_math.h"
#include "detect/series.h"

#include <float.h>

#define SERIES_LN2     0.69314718055994530942
#define SERIES_HORIZON 24000 /* points that samples and the range stand for */
#define SERIES_MAX_ABS 1e37F /* differences of two stay finite */
#define SERIES_FIRST   40    /* points before the first isolation */
#define SERIES_START   120   /* points before the first alarm */
#define SERIES_HOURS   24
#define SERIES_CELLS   168 /* hours of a week */
#define SERIES_SAMPLE  224
#define SERIES_PHASES  3
#define SERIES_TOP \
    48 /* an alarm has rank exp(2.3 + 0.3 ln(600 / 30)) = 24 at most; the rest is for the score */
#define SERIES_EVENTS   16
#define SERIES_NO_RANK  (-20.0)
#define SERIES_TREES    100
#define SERIES_PAIRS    4096
#define SERIES_SUBSET   1024 /* pairs a tree */
#define SERIES_DEPTH    8
#define SERIES_INTERNAL 255 /* 2^depth - 1 */
#define SERIES_LEAVES   256

/* Step 1. Means of the finished hours; a count of 0 is a mean that is not there yet. */
struct season {
    double sum; /* of the hour that is under way */
    double slow_mean;
    uint32_t sum_count;
    int32_t cell; /* hour of the week under way, -1 before the first point */
    float hour_mean[SERIES_HOURS];
    float week_mean[SERIES_CELLS];
    uint8_t hour_count[SERIES_HOURS];
    uint8_t week_count[SERIES_CELLS];
};

/* Step 3. The highest maxima of the last 600 blocks, descending, with the number of their block. */
struct maxima {
    float top[SERIES_TOP];
    uint16_t block[SERIES_TOP];
    float running; /* maximum of the block under way */
    uint16_t newest;
    uint16_t blocks; /* finished, counted up to 600 */
    int16_t rows;    /* of the block under way; negative: the set starts later */
    uint16_t count;
};

struct calibration {
    struct maxima maxima[SERIES_PHASES];
    float age;       /* mean of 0.3 ln(blocks / 30) */
    float mean, low; /* of the isolation; lowest top of the first set */
    float previous;  /* isolation of the last point */
};

/* Steps 4 and 5. */
struct memory {
    float low[2], high[2]; /* range of the values: this epoch, the one before */
    float event_value[SERIES_EVENTS];
    uint32_t event_time[SERIES_EVENTS]; /* points modulo 2^32 */
    uint32_t events, next;
    uint32_t since;   /* points since the last alarm, saturated */
    float last_alarm; /* its L */
    float alarms;     /* forgotten exponentially */
    uint32_t unused;
};

struct core {
    struct season season;
    struct calibration calibration;
    struct memory memory;
    float residual[SERIES_SAMPLE]; /* ascending */
};

struct light {
    float value[SERIES_SAMPLE]; /* ascending */
};

/* A node in heap order. A point of value x in the cut column goes right when x > cut. A node that ends early is passed through to the left by
 * infinite bounds; its leaf keeps the depth where it ended. */
struct node {
    float low, high, cut;
};

struct tree {
    struct node node[SERIES_INTERNAL];
    float leaf[SERIES_LEAVES]; /* depth + c(rows) */
    float chance;              /* c(rows of the tree) */
    uint8_t column[SERIES_INTERNAL + 1];
};

struct pair {
    float x[2]; /* value, residual */
};

struct full {
    struct tree tree[SERIES_TREES];
    struct pair pair[SERIES_PAIRS];
    float chance[SERIES_SUBSET + 1]; /* c(n) */
    uint32_t pairs;
    uint32_t next_tree;
    uint32_t grown;     /* 1: there are trees */
    uint32_t next_full; /* points at which all trees are grown anew; 0: never again */
    uint32_t turn;      /* half trees due */
    uint32_t unused[2];
};

struct tt_series {
    uint32_t magic, precision;
    struct tt_series_options options;
    struct tt_random random;
    uint64_t points; /* learnt */
    int64_t newest_ns;
    double step_ns;    /* usual */
    double last_total; /* counter */
    uint64_t has_total;
    struct core core;
    union {
        struct light light;
        struct full full;
    } tier[]; /* one; only as much of it as the precision needs is there */
};

/* Mean depth of a random binary search tree of n rows: forest.h's c(n). */
static inline double series_chance_depth(uint32_t n)
{
    double m = n - 1.0;

    if (n < 2)
        return 0.0;
    if (n == 2)
        return 1.0;
    /* H(m) = ln m + gamma + 1 / (2 m) - 1 / (12 m^2) + O(m^-4) */
    return 2.0 *
               (tt_log2(m) * SERIES_LN2 + 0.57721566490153286061 + 0.5 / m - 1.0 / (12.0 * m * m)) -
           2.0 * m / n;
}

/* 1 / (1 + e^-x) */
static inline float series_logistic(double x)
{
    return (float)(1.0 / (1.0 + tt_exp2(-x / SERIES_LN2)));
}

/* Points that the samples stand for after `points` more were learnt. */
static inline uint32_t series_horizon(uint64_t points)
{
    return points < SERIES_HORIZON ? (uint32_t)points : SERIES_HORIZON;
}

/* series_season.c */
void tt_season_init(struct season *season);
/* Moves on to the hour of a point: folds the mean of the finished one into the tables. */
void tt_season_enter(struct season *season, int32_t cell);
float tt_season_expect(const struct season *season, int32_t cell);
void tt_season_learn(struct season *season, double value);
/* Hour of the week, 0 … 167, Thursday 00:00 first. */
int32_t tt_season_cell(int64_t time_ns, int32_t utc_offset_s);

/* series_sample.c: ascending arrays of floats */
/* Mean depth at which random cuts part x from count sorted values. */
float tt_sample_depth(const float *sorted, uint32_t count, float x);
void tt_sample_insert(float *sorted, uint32_t count, float x);
/* Puts x in and takes sorted[at] out. */
void tt_sample_replace(float *sorted, uint32_t count, uint32_t at, float x);
/* Whether x is eight times as far from all values as sorted[at] is from its neighbours on average: rare values are sampled even
 * when chance passes them by, in exchange for one of many. */
bool tt_sample_lonely(const float *sorted, uint32_t count, uint32_t at, float x);
/* Value at rank q (count - 1), linear between ranks. count >= 1. */
float tt_sample_quantile(const float *sorted, uint32_t count, float q);

/* series_rank.c */
void tt_calibration_init(struct calibration *calibration);
/* L of an isolation before it is learnt. */
double tt_calibration_rank(const struct calibration *calibration, float isolation);
/* The score in [0, 1] of that L: below the least maximum it goes on by how far below. */
float tt_calibration_score(const struct calibration *calibration, float isolation, double rank);
void tt_calibration_learn(struct calibration *calibration, float isolation, uint64_t points);
bool tt_calibration_valid(const struct calibration *calibration);
void tt_memory_init(struct memory *memory);
/* Updates range and counters by one point. */
void tt_memory_enter(struct memory *memory, uint64_t points, float value);
/* Steps 4 and 5 for one point with rank L, NO_RANK when it cannot be an event; fills alarm_score, alarm and reason. */
void tt_memory_decide(struct memory *memory, uint64_t points, float value, double rank,
                      float threshold, struct tt_series_verdict *verdict);
/* After a gap: nothing is held back. */
void tt_memory_release(struct memory *memory);
bool tt_memory_valid(const struct memory *memory);

/* series_forest.c */
void tt_full_init(struct full *full);
/* Negated mean depth relative to chance; higher is rarer. */
float tt_full_isolation(const struct full *full, struct pair pair);
void tt_full_learn(struct full *full, struct pair pair, uint64_t points, struct tt_random *random);
bool tt_full_valid(const struct full *full);

#endif
