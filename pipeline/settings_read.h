/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_SETTINGS_READ_H
#define TT_PIPELINE_SETTINGS_READ_H

/* What the parts of tt_settings_read() share. Private to pipeline/. One thread. */

#include "pipeline/settings.h"

struct tt_settings_reader {
    struct tt_settings *settings;
    const struct tt_catalog *catalog;
    struct tt_diags *diags;
};

/* service: all but its pipelines and the references to extensions. */
void tt_settings_read_service(struct tt_settings_reader *reader, const struct tt_node *service);
/* service.extensions and service.pipelines, once all components are known. */
void tt_settings_read_references(struct tt_settings_reader *reader, const struct tt_node *service);
/* Puts pipelines into the order data flows; reports cycles and connectors with one end only. */
void tt_settings_order_pipelines(struct tt_settings_reader *reader);

/* Trims both parts of "type/name" and checks their characters. The canonical text is in the arena; NULL after a report. */
const char *tt_settings_id(struct tt_settings_reader *reader, struct tt_str text,
                           struct tt_mark mark, const char *path, struct tt_str *ret_type);
/* The component of a section by id, or NULL. */
struct tt_component_settings *tt_settings_find(const struct tt_settings *settings,
                                               enum tt_kind kind, const char *id);
/* Reports that memory is gone. */
void tt_settings_no_memory(struct tt_settings_reader *reader);

/* The nearest of the candidates offered, for "did you mean". */
struct tt_nearest {
    struct tt_str wanted;
    const char *best; /* NULL: none is near */
    size_t distance;
};
void tt_nearest_offer(struct tt_nearest *nearest, const char *candidate);
/* "; did you mean \"x\"?" or "", in ret_text. */
const char *tt_nearest_hint(const struct tt_nearest *nearest, char ret_text[96]);

#endif
