/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/registry.h"
#include "pipeline/settings.h"

static const struct {
    const char *name, *section;
} kinds[TT_KIND_COUNT] = {
    [TT_RECEIVER] = {"receiver", "receivers"},    [TT_PROCESSOR] = {"processor", "processors"},
    [TT_CONNECTOR] = {"connector", "connectors"}, [TT_EXPORTER] = {"exporter", "exporters"},
    [TT_EXTENSION] = {"extension", "extensions"},
};

const char *tt_kind_name(enum tt_kind kind)
{
    return kinds[kind].name;
}

const char *tt_kind_section(enum tt_kind kind)
{
    return kinds[kind].section;
}

unsigned tt_component_emits(const struct tt_component *component)
{
    return component->emits != 0 ? component->emits : component->signals;
}
