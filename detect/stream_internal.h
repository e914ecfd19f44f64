/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_DETECT_STREAM_INTERNAL_H
#define TT_DETECT_STREAM_INTERNAL_H

/* What a streaming forest keeps between rows: all of it is saved and restored (stream_bytes.c). */

#include "detect/reservoir.h"
#include "detect/stream_forest.h"

struct tt_stream_forest {
    struct tt_stream_forest_options options;
    uint64_t seed, generation, learnt;
    struct tt_reservoir *recent, *long_run;
    struct tt_reservoir *scores; /* of one column */
    struct tt_forest *forest;
    float threshold;
    double alarm_rate; /* of late */
    bool incident;     /* far more alarms than there should be */
    int64_t incident_began;
    bool mature;               /* the forest was trained on samples that are full, or nearly */
    bool settled;              /* the threshold comes from scores */
    int64_t trained_at, moved; /* when; moved: the threshold */
    uint64_t next_rows;        /* learnt when the next forest is due */
    void *scratch;
};

#endif
