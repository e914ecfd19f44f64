/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/decay.h"

#include "detect/forest_math.h"

#include <math.h>

/* Beyond 900 half-lives nothing is left of a double. */
static double weight(int64_t from_ns, int64_t to_ns, int64_t half_life_ns)
{
    double lives = ((double)to_ns - (double)from_ns) / (double)half_life_ns;

    if (lives <= 0.0)
        return 1.0;
    return lives < 900.0 ? tt_exp2(-lives) : 0.0;
}

void tt_decayed_add(struct tt_decayed *decayed, int64_t time_ns, double amount,
                    int64_t half_life_ns)
{
    if (!isfinite(amount))
        return;
    if (decayed->amount == 0.0 || time_ns >= decayed->newest_ns) {
        decayed->amount *= weight(decayed->newest_ns, time_ns, half_life_ns);
        decayed->amount += amount;
        decayed->newest_ns = time_ns;
        return;
    }
    decayed->amount += amount * weight(time_ns, decayed->newest_ns, half_life_ns);
}

double tt_decayed_at(const struct tt_decayed *decayed, int64_t time_ns, int64_t half_life_ns)
{
    return decayed->amount * weight(decayed->newest_ns, time_ns, half_life_ns);
}

double tt_decayed_rate(const struct tt_decayed *decayed, int64_t time_ns, int64_t half_life_ns)
{
    return tt_decayed_at(decayed, time_ns, half_life_ns) * 0.69314718055994530942 /
           ((double)half_life_ns * 1e-9);
}

void tt_decayed_merge(struct tt_decayed *into, const struct tt_decayed *from, int64_t half_life_ns)
{
    if (from->amount != 0.0)
        tt_decayed_add(into, from->newest_ns, from->amount, half_life_ns);
}
