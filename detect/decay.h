/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_DECAY_H
#define TT_DETECT_DECAY_H

/*
 * A count that forgets: what was added at time t weighs 2^(-(now - t) / half_life) now. A rate, when divided by the mean life.
 *
 * Method.    Forward decay: G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu, "Forward decay: a practical time decay model for streaming
 *            systems", ICDE 2009. Late amounts are discounted to the newest time, so that the order of adding does not matter
 *            (beyond rounding).
 * Time:      an argument, ns. Threads: one at a time. A zeroed struct is empty. Cost: 10 ns.
 */

#include "base/util.h"

struct tt_decayed {
    double amount; /* at newest_ns */
    int64_t newest_ns;
};

/* half_life_ns > 0. An amount that is not finite is not counted. */
void tt_decayed_add(struct tt_decayed *decayed, int64_t time_ns, double amount,
                    int64_t half_life_ns);
/* What is left at time_ns; a time before the newest gives what is there at the newest. */
double tt_decayed_at(const struct tt_decayed *decayed, int64_t time_ns, int64_t half_life_ns);
/* The rate per second that a steady stream with this count has: amount * ln 2 / half_life. */
double tt_decayed_rate(const struct tt_decayed *decayed, int64_t time_ns, int64_t half_life_ns);
/* Both with the same half-life. */
void tt_decayed_merge(struct tt_decayed *into, const struct tt_decayed *from, int64_t half_life_ns);

#endif
