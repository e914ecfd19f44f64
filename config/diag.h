/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_DIAG_H
#define TT_CONFIG_DIAG_H

/*
 * A bounded list of problems, printed like a compiler's:
 *
 *   config.yaml:41:14: exporters.file.rotation.max_megabytes: "10x" is not a size; write e.g. 64MiB
 *
 * Limits: 100 problems are kept, all are counted. Texts are cut at 512 bytes. Never holds a secret's value.
 * Threads: one at a time.
 */

#include "base/buffer.h"
#include "base/error.h"

enum { TT_DIAGS_MAX = 100 };

struct tt_diag {
    char file
        [256]; /* a copy: problems are printed when the tree that names the file is gone; empty: no place known */
    uint32_t line, column;
    bool is_warning;
    char path[192];
    char text[512];
};

struct tt_diags {
    struct tt_diag *items;   /* in the order found */
    size_t count;            /* kept */
    size_t errors, warnings; /* all, also those not kept */
};

void tt_diags_init(struct tt_diags *diags);
void tt_diags_done(struct tt_diags *diags);
/* Adds an error at mark (line 0: no place known). */
void tt_diags_error(struct tt_diags *diags, struct tt_mark mark, const char *path,
                    const char *format, ...) TT_PRINTF(4, 5);
void tt_diags_warning(struct tt_diags *diags, struct tt_mark mark, const char *path,
                      const char *format, ...) TT_PRINTF(4, 5);
/* Appends all as lines, sorted by file, line, column; a last line tells how many were not kept. */
void tt_diags_print(const struct tt_diags *diags, struct tt_buffer *out);

#endif
