/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_LAYOUT_H
#define TT_EXPORTERS_DATASET_LAYOUT_H

/*
 * Which columns the CSV files of each signal have, and which attributes fill them.
 *
 * Order: fixed columns, network attributes (traces), configured extra attributes, then the columns that components upstream declare.
 * Threads: const once made.
 * Source:  DESIGN.md section 8; both generations of OpenTelemetry's HTTP and network semantic conventions.
 */

#include "base/arena.h"
#include "config/schema.h"
#include "otlp/batch.h"

/* Attributes that are collected while the attributes of a row are walked once. */
enum dataset_slot {
    SLOT_TYPE, /* the five label columns, in their order, first */
    SLOT_LABEL,
    SLOT_ROOT_CAUSE,
    SLOT_MSG,
    SLOT_SOURCE,
    SLOT_HTTP_METHOD,
    SLOT_HTTP_STATUS,
    SLOT_HTTP_TARGET,
    SLOT_URL_PATH,
    SLOT_URL_QUERY,
    SLOT_URL_FULL,
    SLOT_NETWORK, /* seven of them */
    SLOT_EXTRA = SLOT_NETWORK + 7,
};
enum {
    DATASET_LABELS = 5,
    DATASET_NETWORK = 7,
    DATASET_MAX_EXTRAS = 100,
    DATASET_MAX_DECLARED = 512
};
#define DATASET_MAX_SLOTS (SLOT_EXTRA + DATASET_MAX_EXTRAS)

extern const char *const dataset_label_columns[DATASET_LABELS]; /* "anomaly.type", … */

struct dataset_column {
    const char *name;
    const char *doc; /* of a declared column; NULL for others */
};

struct dataset_key {
    struct tt_str name;
    uint8_t slot, rank; /* of two attributes for one slot the higher rank wins */
};

struct dataset_signal_layout {
    struct dataset_column *columns;
    size_t n_columns;
    struct tt_str header;                   /* one line with its LF */
    const struct tt_column_desc **declared; /* without the label columns */
    size_t n_declared;
};

struct dataset_layout {
    struct tt_arena arena;
    struct dataset_signal_layout signals[TT_SIGNAL_COUNT];
    size_t n_extras, n_slots;
    struct dataset_key keys[64 + DATASET_MAX_EXTRAS];
    size_t n_keys;
    uint8_t buckets[512]; /* index + 1 into keys, open addressing; 0: free */
};

struct dataset_layout_options {
    struct tt_string_list extra_attributes;
    struct {
        const struct tt_column_desc *const *items;
        size_t count;
    } columns[TT_SIGNAL_COUNT];
};

/* TT_INVALID_CONFIG when two columns would have one name or there are too many. */
enum tt_status dataset_layout_init(struct dataset_layout *layout,
                                   const struct dataset_layout_options *options,
                                   struct tt_error *err) TT_CHECKED;
void dataset_layout_done(struct dataset_layout *layout);

static inline unsigned dataset_key_bucket(struct tt_str key)
{
    const uint8_t *bytes = (const uint8_t *)key.data;

    if (key.len == 0)
        return 0;
    return ((unsigned)key.len * 31 + bytes[key.len - 1] * 7u + bytes[key.len / 2] * 13u +
            bytes[0]) &
           511;
}

/* The key's slot and rank, or NULL: most attributes have no column. */
static inline const struct dataset_key *dataset_find_key(const struct dataset_layout *layout,
                                                         struct tt_str name)
{
    for (unsigned at = dataset_key_bucket(name); layout->buckets[at] != 0; at = (at + 1) & 511) {
        const struct dataset_key *key = &layout->keys[layout->buckets[at] - 1];
        if (tt_str_equal(key->name, name))
            return key;
    }
    return NULL;
}

#endif
