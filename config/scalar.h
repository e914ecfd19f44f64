/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_SCALAR_H
#define TT_CONFIG_SCALAR_H

/*
 * What a plain YAML scalar looks like.
 *
 * Source: the core schema of YAML 1.2.2, section 10.3.2. `yes`, `no`, `on` and `off` are text; so are dates.
 * Threads: no state.
 */

#include "base/str.h"

enum tt_scalar_look {
    TT_LOOKS_TEXT,
    TT_LOOKS_NULL,   /* empty, ~, null, Null, NULL */
    TT_LOOKS_BOOL,   /* true, True, TRUE, false, False, FALSE */
    TT_LOOKS_INT,    /* digits with an optional sign, 0x…, 0o… */
    TT_LOOKS_DOUBLE, /* 1.5, .5, 1e9, .inf, .nan */
};

enum tt_scalar_look tt_scalar_look(struct tt_str text);
bool tt_scalar_bool(struct tt_str text, bool *ret_value);
/* False when it does not fit, and for leading zeros: 0123 is octal to some readers and decimal to others. */
bool tt_scalar_int(struct tt_str text, int64_t *ret_value);
/* Any TT_LOOKS_INT or finite TT_LOOKS_DOUBLE. */
bool tt_scalar_double(struct tt_str text, double *ret_value);

#endif
