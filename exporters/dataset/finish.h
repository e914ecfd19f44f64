/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_FINISH_H
#define TT_EXPORTERS_DATASET_FINISH_H

/*
 * Turning a set of partial files into a finished one.
 *
 * Order: data to disk, final names, manifest_<stamp>.json, the links manifest.json and latest, directory to disk. Each step can be
 * repeated, so a failure or a crash in between is mended by finishing again. A final name that is taken is never replaced: the file gets
 * "_1", "_2", … behind its stamp.
 * Threads: the set is the caller's alone by then.
 */

#include "base/clock.h"
#include "exporters/dataset/set.h"

struct dataset_finish_options {
    int dir_fd;
    const char *version;
    uint64_t wall_ns;
    tt_dur
        deadline; /* monotonic; files that must be read for their checksum after it get none. 0: no deadline */
};

/* The set is left as it is when it fails; call it again later. */
enum tt_status dataset_finish(struct dataset_set *set, const struct dataset_finish_options *options,
                              struct tt_error *err) TT_CHECKED;

#endif
