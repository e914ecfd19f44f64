/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluate.h"

#include <math.h>

static void put_name(struct tt_buffer *out, const char *name)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        tt_buffer_append_byte(out, ',');
    tt_buffer_printf(out, "\"%s\":", name);
}

void tt_evaluate_put(struct tt_buffer *out, const char *name, double value)
{
    put_name(out, name);
    if (isfinite(value))
        tt_buffer_append_double(out, value);
    else
        tt_buffer_append_str(out, TT_STR("null"));
}

void tt_evaluate_put_count(struct tt_buffer *out, const char *name, uint64_t value)
{
    put_name(out, name);
    tt_buffer_append_uint64(out, value);
}
