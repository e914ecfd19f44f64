/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_DOCGEN_H
#define TT_CONFIG_DOCGEN_H

/* Reference docs from option tables. No state. */

#include "base/buffer.h"
#include "config/schema.h"

/* A Markdown table of all options: dotted name, type with choices, default, bounds, flags, text. Nothing but a line that
 * says so when there are none. */
void tt_docgen_markdown(const struct tt_schema *schema, struct tt_buffer *out);

#endif
