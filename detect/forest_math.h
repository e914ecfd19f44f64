/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_FOREST_MATH_H
#define TT_DETECT_FOREST_MATH_H

/*
 * The few functions of real numbers and of chance that decide bits of a forest.
 *
 * Purpose:   libm's exp2 and log2 round differently from one library and processor to the next (those with FMA take other
 *            paths). These use + - * / and the bits of a double only, which IEEE 754 rounds the same everywhere.
 * Accuracy:  both to better than 1e-11 relative to 1; far finer than a score's 24 bits.
 * Threads:   no state but what the caller holds.
 */

#include "base/util.h"

#include <string.h>

static inline uint64_t tt_double_bits(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline double tt_double_of_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* 2^x. Below -1000 it is 2^-1000, above 1000 it is 2^1000, and for NaN 2^-1000. */
static inline double tt_exp2(double x)
{
    double y, power;
    int32_t whole;

    x = x > -1000.0 ? x : -1000.0;
    x = x < 1000.0 ? x : 1000.0;
    whole = (int32_t)(x + 1024.5) - 1024; /* to the nearest: the fraction is in [-0.5, 0.5] */
    y = (x - whole) * 0.69314718055994530942;
    /* Taylor's series of e^y, Horner's scheme: the first term left out is y^11 / 11! < 2.2e-13. */
    power = 1.0 + y * (1.0 / 10);
    power = 1.0 + y * (1.0 / 9) * power;
    power = 1.0 + y * (1.0 / 8) * power;
    power = 1.0 + y * (1.0 / 7) * power;
    power = 1.0 + y * (1.0 / 6) * power;
    power = 1.0 + y * (1.0 / 5) * power;
    power = 1.0 + y * (1.0 / 4) * power;
    power = 1.0 + y * (1.0 / 3) * power;
    power = 1.0 + y * (1.0 / 2) * power;
    power = 1.0 + y * power;
    return power * tt_double_of_bits((uint64_t)(whole + 1023) << 52);
}

/* The binary logarithm of a positive, finite, normal x (others have no meaning here and give some finite number). */
static inline double tt_log2(double x)
{
    uint64_t bits = tt_double_bits(x);
    int32_t exponent = (int32_t)((bits >> 52) & 0x7FF) - 1023;
    double mantissa = tt_double_of_bits((bits & UINT64_C(0xFFFFFFFFFFFFF)) | UINT64_C(1023) << 52);
    double s, square, sum;

    if (mantissa > 1.41421356237309504880) {
        mantissa *= 0.5;
        exponent++;
    }
    /* ln m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.1716: the first term left out is s^17 / 17 < 6e-15. */
    s = (mantissa - 1.0) / (mantissa + 1.0);
    square = s * s;
    sum = 1.0 / 15;
    sum = 1.0 / 13 + square * sum;
    sum = 1.0 / 11 + square * sum;
    sum = 1.0 / 9 + square * sum;
    sum = 1.0 / 7 + square * sum;
    sum = 1.0 / 5 + square * sum;
    sum = 1.0 / 3 + square * sum;
    sum = 1.0 + square * sum;
    return exponent + 2.0 * s * sum * 1.44269504088896340736;
}

/*
 * SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. One 64-bit counter of
 * state, so that a stream of its own for every tree costs nothing.
 */
struct tt_random {
    uint64_t state;
};

static inline uint64_t tt_random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t tt_random_next(struct tt_random *random)
{
    return tt_random_mix(random->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* The stream that belongs to (seed, generation, index) and to no other thread, order or call. */
static inline struct tt_random tt_random_stream(uint64_t seed, uint64_t generation, uint64_t index)
{
    uint64_t state = tt_random_mix(seed + UINT64_C(0x9e3779b97f4a7c15));

    state = tt_random_mix(state ^ (generation + UINT64_C(0x632be59bd9b4e019)));
    return (struct tt_random){tt_random_mix(state ^ (index + UINT64_C(0xd1342543de82ef95)))};
}

/* A whole number in [0, n), n >= 1. Lemire's multiplication without its rejection: the bias is below n / 2^32. */
static inline uint32_t tt_random_below(struct tt_random *random, uint32_t n)
{
    return (uint32_t)(((tt_random_next(random) >> 32) * n) >> 32);
}

/* A real number in [0, 1): 53 random bits. */
static inline double tt_random_unit(struct tt_random *random)
{
    return (double)(tt_random_next(random) >> 11) * (1.0 / 9007199254740992.0);
}

#endif
