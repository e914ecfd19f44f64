/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_MODEL_FOREST_MODEL_H
#define TT_MODEL_FOREST_MODEL_H

/*
 * A trained isolation forest with the names of its features, as a JSON file.
 *
 * Purpose:   what `train` writes, `score` and live processors read; a person can read it too.
 * Form:      one object, UTF-8:
 *
 *   "format": "telltale.forest", "version": 1,
 *   "trained_at": "2026-08-21T10:00:00.000000000Z", "trained_rows": 12345, "seed": "42", "generation": "0",
 *   "schema": "0f3c…"      FNV-1a hash of the features' names, each followed by a NUL byte, 16 hexadecimal digits
 *   "options": {"trees", "sample", "max_depth", "score": "combined" | "depth", "exact", "gates", "contamination", "threshold"}
 *   "score": {"slope", "offset", "threshold"}
 *   "features": [{"name", "low", "high", "gaps"}, …]     gaps: false may be left out
 *   "trees": [[node, …], …]  nodes by level, left to right; [column, threshold, rows] of a cut, [column, threshold, rows, 1] of
 *                            a gate, [-1, value, rows] of a leaf; the n-th cut or gate (from 0) has its children at 2n + 1, 2n + 2
 *
 *            A model that is read has the same bits as the one that was written: numbers are written so that they read back as
 *            the same double, seed and generation are text because JSON's numbers end at 2^53. Unknown keys are ignored.
 * Ownership: a model owns its names and holds its forest once.
 * Threads:   immutable once made.
 * Limits:    files of 64 MiB, JSON depth 8, 4,000,000 elements, names of 255 bytes, and those of detect/forest.h.
 * Cost:      100 trees are 150 to 300 KB of text; reading takes about 20 ms and 20 MB for a moment.
 */

#include "base/arena.h"
#include "base/buffer.h"
#include "detect/forest.h"

#define TT_MODEL_MAX_BYTES ((size_t)64 << 20)
#define TT_MODEL_MAX_NAME  ((size_t)255)

struct tt_forest_model {
    struct tt_forest *forest;
    const struct tt_str *features; /* tt_forest_columns() names */
    uint64_t schema;               /* tt_schema_hash() of them */
    uint64_t trained_at_ns;        /* wall clock */
    struct tt_arena arena;         /* of the names */
};

uint64_t tt_schema_hash(const struct tt_str *features, uint32_t count);

/* Holds the forest once more, copies the names. TT_INVALID_DATA when there are not as many names as columns, or one is empty,
 * too long, no UTF-8 or there twice; TT_NO_MEMORY. */
enum tt_status tt_forest_model_make(struct tt_forest *forest, const struct tt_str *features,
                                    uint32_t count, uint64_t trained_at_ns,
                                    struct tt_forest_model **ret_model, struct tt_error *err)
    TT_CHECKED;
void tt_forest_model_free(struct tt_forest_model *model); /* NULL is a no-op */
static inline void tt_forest_model_freep(struct tt_forest_model **model)
{
    tt_forest_model_free(*model);
}

/* TT_INVALID_DATA that names the first feature that is missing, in another place or too many: a row whose columns are
 * in another order would get a score that looks right and is not. */
enum tt_status tt_forest_model_check(const struct tt_forest_model *model,
                                     const struct tt_str *features, uint32_t count,
                                     struct tt_error *err) TT_CHECKED;

enum tt_status tt_forest_model_write(const struct tt_forest_model *model, struct tt_buffer *to,
                                     struct tt_error *err) TT_CHECKED;
/* TT_INVALID_DATA with line and column for text that is no JSON, and with the place ("trees[3][17]: …") for JSON that is no
 * model; TT_UNSUPPORTED for another version; TT_TOO_LARGE; TT_NO_MEMORY. */
enum tt_status tt_forest_model_read(struct tt_str text, struct tt_forest_model **ret_model,
                                    struct tt_error *err) TT_CHECKED;

/* Writes a temporary file beside path, and renames it when it is on disk: path holds the old model or the new one. */
enum tt_status tt_forest_model_save(const struct tt_forest_model *model, const char *path,
                                    struct tt_error *err) TT_CHECKED;
/* As tt_forest_model_read(), messages begin with the path; TT_NOT_FOUND, TT_IO. */
enum tt_status tt_forest_model_load(const char *path, struct tt_forest_model **ret_model,
                                    struct tt_error *err) TT_CHECKED;

#endif
