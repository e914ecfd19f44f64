/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_MANIFEST_H
#define TT_EXPORTERS_DATASET_MANIFEST_H

/* The manifest of a finished set: what is in its files, as JSON (docs/datasets.md lists the fields). Threads: no state. */

#include "exporters/dataset/finish.h"

/* digests: 65 bytes for each file of the set; an empty one is written as null. Errors: those of the buffer. */
void dataset_manifest_write(const struct dataset_set *set,
                            const struct dataset_finish_options *options, const char (*digests)[65],
                            struct tt_buffer *out);

#endif
