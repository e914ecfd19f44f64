/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/series_internal.h"

#define LANES  4
#define LONELY 8.0F /* any factor from 4 to 32 does as well */

/* Four numbers added lane by lane: the order of additions, and so the bits, are the same on every processor. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static lanes load(const float *from)
{
    lanes loaded;

    memcpy(&loaded, from, sizeof(loaded));
    return loaded;
}

static float lanes_sum(lanes a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}

/* How many of the sorted values are below x (with or_equal: at most x). */
static uint32_t count_below(const float *sorted, uint32_t count, float x, bool or_equal)
{
    uint32_t from = 0;

    while (count > 0) {
        uint32_t half = count / 2;
        bool below = or_equal ? sorted[from + half] <= x : sorted[from + half] < x;

        from = below ? from + half + 1 : from;
        count = below ? count - half - 1 : half;
    }
    return from;
}

/* Sum of (s[i + 1] - s[i]) / (x - s[i]) for i in [0, count - 1): all s are below x. */
static float depth_below(const float *s, uint32_t count, float x)
{
    lanes sum = {0};
    float rest = 0.0F;
    uint32_t i = 0;

    for (; i + LANES < count; i += LANES)
        sum += (load(s + i + 1) - load(s + i)) / (x - load(s + i));
    for (; i + 1 < count; i++)
        rest += (s[i + 1] - s[i]) / (x - s[i]);
    return lanes_sum(sum) + rest;
}

/* The mirror image: sum of (s[i] - s[i - 1]) / (s[i] - x) for i in [1, count): all s are above x. */
static float depth_above(const float *s, uint32_t count, float x)
{
    lanes sum = {0};
    float rest = 0.0F;
    uint32_t i = 1;

    for (; i + LANES <= count; i += LANES)
        sum += (load(s + i) - load(s + i - 1)) / (load(s + i) - x);
    for (; i < count; i++)
        rest += (s[i] - s[i - 1]) / (s[i] - x);
    return lanes_sum(sum) + rest;
}

float tt_sample_depth(const float *sorted, uint32_t count, float x)
{
    uint32_t below = count_below(sorted, count, x, false);
    uint32_t not_above = count_below(sorted, count, x, true);
    float depth = 0.0F;

    /* The nearest value on each side is parted by the last cut of that side, which is certain. */
    if (below > 0)
        depth += depth_below(sorted, below, x) + 1.0F;
    if (not_above < count)
        depth += depth_above(sorted + not_above, count - not_above, x) + 1.0F;
    return depth + (float)series_chance_depth(not_above - below + 1);
}

void tt_sample_insert(float *sorted, uint32_t count, float x)
{
    uint32_t at = count;

    for (; at > 0 && sorted[at - 1] > x; at--)
        sorted[at] = sorted[at - 1];
    sorted[at] = x;
}

void tt_sample_replace(float *sorted, uint32_t count, uint32_t at, float x)
{
    for (; at > 0 && sorted[at - 1] > x; at--)
        sorted[at] = sorted[at - 1];
    for (; at + 1 < count && sorted[at + 1] < x; at++)
        sorted[at] = sorted[at + 1];
    sorted[at] = x;
}

bool tt_sample_lonely(const float *sorted, uint32_t count, uint32_t at, float x)
{
    uint32_t above;
    float to_below, to_above;

    if (at == 0 || at + 1 >= count)
        return false;
    above = count_below(sorted, count, x, false);
    to_below = above > 0 ? x - sorted[above - 1] : FLT_MAX;
    to_above = above < count ? sorted[above] - x : FLT_MAX;
    return (to_below < to_above ? to_below : to_above) >
           LONELY * 0.5F * (sorted[at + 1] - sorted[at - 1]);
}

float tt_sample_quantile(const float *sorted, uint32_t count, float q)
{
    float rank = q * (float)(count - 1);
    uint32_t below = (uint32_t)rank;
    float part = rank - (float)below;

    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}
