/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_CONFIG_SAMPLE_H
#define TT_TESTS_UNIT_CONFIG_SAMPLE_H

/* A component's options with one of each type; also what the fuzz harness decodes. */

#include "config/schema.h"

struct sample_limits {
    bool present;
    size_t memory;
    double ratio;
};

struct sample_rotation {
    int64_t max_backups;
    tt_dur max_age;
    struct tt_pair_list tags;
};

struct sample {
    const char *path;
    bool append;
    int64_t port;
    double threshold;
    tt_dur timeout;
    size_t max_bytes;
    int on_missing;
    struct tt_string_list names;
    struct tt_pair_list headers;
    const char *token;
    struct tt_string_list keys;
    struct tt_pair_list secret_headers;
    int64_t pin;
    struct sample_rotation rotation;
    struct sample_limits limits;
    const char *old_path;
};

static const char *const sample_on_missing[] = {"normal", "unknown", "drop", NULL};

static const struct tt_field sample_limits_fields[] = {
    {TT_SIZE(struct sample_limits, memory), .flags = TT_CONFIG_REQUIRED, .min = 4096,
     .max = TT_UNBOUNDED, .doc = "Most memory."},
    {TT_DOUBLE(struct sample_limits, ratio), .def = "0.5", .min = -TT_UNBOUNDED, .max = 1,
     .doc = "A ratio."},
};
static const struct tt_schema sample_limits_schema =
    TT_SCHEMA(struct sample_limits, sample_limits_fields);

static const struct tt_field sample_rotation_fields[] = {
    {TT_INT(struct sample_rotation, max_backups), .def = "100", .doc = "How many old files stay."},
    {TT_DURATION(struct sample_rotation, max_age), .def = "1d", .doc = "How long old files stay."},
    {TT_PAIRS(struct sample_rotation, tags), .doc = "Text in the name | of a file."},
};
static const struct tt_schema sample_rotation_schema =
    TT_SCHEMA(struct sample_rotation, sample_rotation_fields);

static const struct tt_field sample_fields[] = {
    {TT_STRING(struct sample, path), .flags = TT_CONFIG_REQUIRED, .doc = "Where to write."},
    {TT_BOOL(struct sample, append), .def = "true", .flags = TT_CONFIG_RELOADABLE,
     .doc = "Whether to append."},
    {TT_INT(struct sample, port), .def = "4318", .min = 1, .max = 65535, .doc = "A port."},
    {TT_DOUBLE(struct sample, threshold), .def = "0.5", .min = 0, .max = 1, .doc = "A threshold."},
    {TT_DURATION(struct sample, timeout), .def = "10s", .min = 1e6, .max = 3600e9,
     .doc = "How long to wait."},
    {TT_SIZE(struct sample, max_bytes), .def = "64MiB", .min = 1024, .max = 1 << 30,
     .doc = "Most bytes."},
    {TT_ENUM(struct sample, on_missing), .def = "unknown", .choices = sample_on_missing,
     .doc = "What to do."},
    {TT_STRINGS(struct sample, names), .def = "a, b", .doc = "Names."},
    {TT_PAIRS(struct sample, headers), .doc = "Headers."},
    {TT_STRING(struct sample, token), .flags = TT_CONFIG_SECRET, .doc = "A token."},
    {TT_STRINGS(struct sample, keys), .flags = TT_CONFIG_SECRET, .doc = "Keys."},
    {TT_PAIRS(struct sample, secret_headers), .flags = TT_CONFIG_SECRET, .doc = "More headers."},
    {TT_INT(struct sample, pin), .flags = TT_CONFIG_SECRET, .min = 0, .max = 9999, .doc = "A PIN."},
    {TT_OBJECT(struct sample, rotation), .sub = &sample_rotation_schema, .doc = "Rotation."},
    {TT_OPTIONAL_OBJECT(struct sample, limits), .sub = &sample_limits_schema, .doc = "Limits."},
    {TT_STRING(struct sample, old_path), .flags = TT_CONFIG_DEPRECATED, .doc = "Use path."},
};
static const struct tt_schema sample_schema = TT_SCHEMA(struct sample, sample_fields);

#endif
