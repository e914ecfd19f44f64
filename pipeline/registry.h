/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_REGISTRY_H
#define TT_PIPELINE_REGISTRY_H

/* The components that are compiled in: pipeline/components.def as a table. Const, so any thread may read it. */

#include "pipeline/component.h"

/* All of them, by kind, then in the order of components.def. */
const struct tt_component *const *tt_registry(size_t *ret_count);
/* NULL when there is none. */
const struct tt_component *tt_registry_find(enum tt_kind kind, struct tt_str type);
/* "receiver", … */
const char *tt_kind_name(enum tt_kind kind);

#endif
