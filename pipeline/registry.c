/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/registry.h"

#define TT_COMPONENT(kind, name) extern const struct tt_component tt_##kind##_##name;
#include "pipeline/components.def"
#undef TT_COMPONENT

/* components.def is kept sorted by kind, which a test of the conformance suite checks. */
static const struct tt_component *const components[] = {
#define TT_COMPONENT(kind, name) &tt_##kind##_##name,
#include "pipeline/components.def"
#undef TT_COMPONENT
};

const struct tt_component *const *tt_registry(size_t *ret_count)
{
    *ret_count = TT_LENGTH(components);
    return components;
}

const struct tt_component *tt_registry_find(enum tt_kind kind, struct tt_str type)
{
    for (size_t i = 0; i < TT_LENGTH(components); i++)
        if (components[i]->kind == kind && tt_str_equal(tt_str(components[i]->type), type))
            return components[i];
    return NULL;
}
