/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_SETTINGS_H
#define TT_PIPELINE_SETTINGS_H

/*
 * A configuration tree, checked against the components there are: what the service builds its graph from.
 *
 * Every problem of the whole file is reported in one run, with the texts that users of the OpenTelemetry Collector know.
 * Nothing is created and no port, file or certificate is touched.
 * Ownership: settings own the tree they were read from; tt_settings_free() frees all of it.
 * Threads:   read-only once read.
 * Limits:    256 components of a kind, 64 pipelines, 64 references in one list.
 */

#include "config/tree.h"
#include "pipeline/component.h"

enum {
    TT_MAX_COMPONENTS = 256,
    TT_MAX_PIPELINES = 64,
    TT_MAX_REFERENCES = 64,
    TT_KIND_COUNT = TT_EXTENSION + 1,
};

/* The components that may be named: the registry's, in the program. */
struct tt_catalog {
    const struct tt_component *const *items;
    size_t count;
};

enum tt_metrics_level { TT_METRICS_NONE, TT_METRICS_BASIC, TT_METRICS_NORMAL, TT_METRICS_DETAILED };

struct tt_log_settings {
    int level;    /* enum tt_log_level */
    int encoding; /* enum tt_log_encoding */
};
struct tt_metrics_settings {
    int level;           /* enum tt_metrics_level; NONE: no endpoint */
    const char *address; /* "localhost:8888" */
};
struct tt_telemetry_settings {
    struct tt_log_settings logs;
    struct tt_metrics_settings metrics;
    struct tt_pair_list resource;
};
struct tt_service_settings {
    struct tt_telemetry_settings telemetry;
    struct tt_string_list extensions;
    struct tt_string_list pipelines; /* only for its name and text: read by hand */
    tt_dur shutdown_timeout;
    size_t memory_budget;
};
extern const struct tt_schema tt_service_schema;

/* One `type/name: body` of a section. */
struct tt_component_settings {
    const char *id; /* "type" or "type/name", blanks trimmed */
    const struct tt_component *component;
    void *config;
    const struct tt_node *node;
};

struct tt_reference {
    struct tt_component_settings *target;
    struct tt_mark mark; /* where it is named */
};
struct tt_reference_list {
    struct tt_reference *items;
    size_t count;
};

struct tt_pipeline_settings {
    const char *id; /* "traces", "metrics/cold" */
    enum tt_signal signal;
    struct tt_mark mark;
    struct tt_reference_list receivers;  /* receivers and connectors */
    struct tt_reference_list processors; /* in order */
    struct tt_reference_list exporters;  /* exporters and connectors */
};

struct tt_settings {
    struct tt_arena arena;
    struct tt_tree *tree;
    struct tt_service_settings service;
    struct tt_component_settings *components[TT_KIND_COUNT]; /* in the order written */
    size_t n_components[TT_KIND_COUNT];
    struct tt_reference_list extensions; /* those that run, in order */
    struct tt_pipeline_settings
        *pipelines; /* in the order data flows: a connector's ends before its beginnings */
    size_t n_pipelines;
};

/* NULL when there were errors (all in diags) or memory is gone; the tree is then still the caller's. */
struct tt_settings *tt_settings_read(struct tt_tree *tree, const struct tt_catalog *catalog,
                                     struct tt_diags *diags) TT_CHECKED;
void tt_settings_free(struct tt_settings *settings); /* NULL is a no-op */

/* "receivers", …: the section of the file where a kind is configured. */
const char *tt_kind_section(enum tt_kind kind);
/* Whether the set has the signal of that index (tt_signal_index). */
static inline bool tt_has_signal(unsigned signals, unsigned index)
{
    return (signals >> index & 1) != 0;
}
/* The signals that a component sends on: for a connector those it emits, else those it handles. */
unsigned tt_component_emits(const struct tt_component *component);

#endif
