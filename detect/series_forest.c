/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/series_internal.h"

#include <math.h>

#define FIRST_GROWTH   40
#define RENEW_HALVES   1 /* half trees that are regrown with every point */
#define GROW_ALL_UNTIL (2 * SERIES_SUBSET)
#define STILL_OPEN     0xFF

/* The rows of one node while a tree grows; depth: where it ended, or STILL_OPEN. */
struct group {
    uint16_t first, count;
    uint8_t depth;
};

struct bounds {
    float low, high;
};

void tt_full_init(struct full *full)
{
    memset(full, 0, sizeof(*full));
    full->next_full = FIRST_GROWTH;
    for (uint32_t n = 0; n <= SERIES_SUBSET; n++)
        full->chance[n] = (float)series_chance_depth(n);
}

/* Depth of the pair in one tree, cuts on stretched ranges included, relative to that of a chance row. */
static float tree_depth(const struct tree *tree, const struct pair *pair)
{
    float alone = 0.0F,
          together = 1.0F; /* mean depth of being cut off on the way; chance of not being so */
    uint32_t at = 0;

    for (int depth = 1; depth <= SERIES_DEPTH; depth++) {
        const struct node *node = &tree->node[at];
        float x = pair->x[tree->column[at]];
        float outside = x < node->low ? node->low - x : x - node->high;

        if (TT_UNLIKELY(outside > 0.0F)) {
            float cut = outside / (outside + (node->high - node->low));

            alone += together * cut * (float)depth;
            together *= 1.0F - cut;
        }
        at = 2 * at + (x > node->cut ? 2 : 1);
    }
    return (alone + together * tree->leaf[at - SERIES_INTERNAL]) / tree->chance;
}

float tt_full_isolation(const struct full *full, struct pair pair)
{
    double sum = 0.0;

    if (full->grown == 0)
        return 0.0F;
    for (uint32_t i = 0; i < SERIES_TREES; i++)
        sum += (double)tree_depth(&full->tree[i], &pair);
    return (float)(-sum / SERIES_TREES);
}

/* Four runs at once: minimum and maximum have a latency, and no order. */
static struct bounds find_bounds(const struct pair *pairs, uint32_t count, uint32_t column)
{
    float low[4], high[4];
    uint32_t i;

    for (int k = 0; k < 4; k++)
        low[k] = high[k] = pairs[0].x[column];
    for (i = 0; i + 4 <= count; i += 4) {
        for (int k = 0; k < 4; k++) {
            float x = pairs[i + (uint32_t)k].x[column];

            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
        }
    }
    for (; i < count; i++) {
        float x = pairs[i].x[column];

        low[0] = x < low[0] ? x : low[0];
        high[0] = x > high[0] ? x : high[0];
    }
    for (int k = 1; k < 4; k++) {
        low[0] = low[k] < low[0] ? low[k] : low[0];
        high[0] = high[k] > high[0] ? high[k] : high[0];
    }
    return (struct bounds){low[0], high[0]};
}

/* Copies pairs at most cut to the front of `to`, the others to its back; returns how many are in front. */
static uint32_t part(const struct pair *from, struct pair *to, uint32_t count, uint32_t column,
                     float cut)
{
    uint32_t front = 0, back = count;

    for (uint32_t i = 0; i < count; i++) {
        struct pair pair = from[i];
        uint32_t right = pair.x[column] > cut;

        to[front] = pair;
        to[back - 1] = pair;
        front += 1 - right;
        back -= right;
    }
    return front;
}

/* A random cut inside the group. When all pairs are equal the node is a gate instead: whatever differs from them is cut off. */
static bool choose_cut(const struct pair *pairs, const struct group *group,
                       struct tt_random *random, struct node *node, uint8_t *ret_column)
{
    uint64_t bits = tt_random_next(random);
    double share = (double)(bits >> 11) * (1.0 / 9007199254740992.0);
    uint8_t column = (uint8_t)(bits & 1);
    struct bounds bounds = find_bounds(pairs, group->count, column);

    if (bounds.low == bounds.high) {
        column ^= 1;
        bounds = find_bounds(pairs, group->count, column);
    }
    *node = (struct node){bounds.low, bounds.high, INFINITY};
    *ret_column = column;
    if (bounds.low == bounds.high)
        return false;
    node->cut = (float)((double)bounds.low + ((double)bounds.high - (double)bounds.low) * share);
    if (node->cut >= node->high)
        node->cut = node->low;
    return true;
}

static void split(struct tree *tree, uint32_t at, const struct group *group, int depth,
                  const struct pair *from, struct pair *to, struct tt_random *random,
                  struct group children[2])
{
    struct node *node = &tree->node[at];
    uint32_t front = group->count;
    bool cut = false;

    *node = (struct node){-INFINITY, INFINITY, INFINITY};
    tree->column[at] = 0;
    if (group->count > 1)
        cut = choose_cut(from + group->first, group, random, node, &tree->column[at]);
    if (group->count > 0)
        front =
            part(from + group->first, to + group->first, group->count, tree->column[at], node->cut);
    children[0] = (struct group){group->first, (uint16_t)front, group->depth};
    children[1] = (struct group){(uint16_t)(group->first + front), (uint16_t)(group->count - front),
                                 group->depth};
    if (!cut && group->depth == STILL_OPEN)
        children[0].depth = (uint8_t)depth;
}

/* Grows the tree level by level; the pairs move between two arrays. */
static void grow(struct full *full, struct tree *tree, struct pair *pairs, uint32_t count,
                 struct tt_random *random)
{
    struct pair other[SERIES_SUBSET];
    struct group groups[2 * SERIES_INTERNAL + 1];
    struct pair *from = pairs, *to = other;

    groups[0] = (struct group){0, (uint16_t)count, STILL_OPEN};
    tree->chance = full->chance[count];
    for (int depth = 0; depth < SERIES_DEPTH; depth++) {
        uint32_t first = (1U << depth) - 1;
        struct pair *swap = from;

        for (uint32_t at = first; at < 2 * first + 1; at++)
            split(tree, at, &groups[at], depth, from, to, random, &groups[2 * at + 1]);
        from = to;
        to = swap;
    }
    for (uint32_t leaf = 0; leaf < SERIES_LEAVES; leaf++) {
        const struct group *group = &groups[SERIES_INTERNAL + leaf];
        uint32_t depth = group->depth == STILL_OPEN ? SERIES_DEPTH : group->depth;

        tree->leaf[leaf] = (float)depth + full->chance[group->count];
    }
}

/* One pair of each of SERIES_SUBSET equal runs of the sample: spread more evenly than a free choice, and at one random number each. */
static uint32_t draw_subset(const struct full *full, struct pair *subset, struct tt_random *random)
{
    uint32_t count = full->pairs < SERIES_SUBSET ? full->pairs : SERIES_SUBSET;
    uint32_t first = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = (i + 1) * full->pairs / count;

        subset[i] = full->pair[first + tt_random_below(random, end - first)];
        first = end;
    }
    return count;
}

static void grow_next(struct full *full, struct tt_random *random)
{
    struct pair subset[SERIES_SUBSET];
    uint32_t count = draw_subset(full, subset, random);

    grow(full, &full->tree[full->next_tree], subset, count, random);
    full->next_tree = (full->next_tree + 1) % SERIES_TREES;
}

static void keep_pair(struct full *full, struct pair pair, uint64_t points,
                      struct tt_random *random)
{
    uint32_t at;

    if (full->pairs < SERIES_PAIRS) {
        full->pair[full->pairs++] = pair;
        return;
    }
    at = tt_random_below(random, series_horizon(points + 1));
    if (at < SERIES_PAIRS)
        full->pair[at] = pair;
}

void tt_full_learn(struct full *full, struct pair pair, uint64_t points, struct tt_random *random)
{
    keep_pair(full, pair, points, random);
    if (points + 1 == full->next_full) {
        for (uint32_t i = 0; i < SERIES_TREES; i++)
            grow_next(full, random);
        full->grown = 1;
        full->turn = 0;
        full->next_full = full->next_full * 3 / 2;
        if (full->next_full > GROW_ALL_UNTIL)
            full->next_full = 0;
        return;
    }
    if (full->grown == 0)
        return;
    full->turn += RENEW_HALVES;
    if (full->turn < 2)
        return;
    full->turn = 0;
    grow_next(full, random);
}

bool tt_full_valid(const struct full *full)
{
    if (full->pairs > SERIES_PAIRS || full->next_tree >= SERIES_TREES || full->grown > 1 ||
        full->turn > 1 || (full->grown == 1 && full->pairs < 2))
        return false;
    for (uint32_t i = 0; i < SERIES_TREES; i++)
        for (uint32_t k = 0; k < SERIES_INTERNAL; k++)
            if (full->tree[i].column[k] > 1 || !(full->tree[i].chance >= 0.0F))
                return false;
    return true;
}
