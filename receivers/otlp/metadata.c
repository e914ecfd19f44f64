/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"

#define MAX_KEPT_BYTES ((size_t)64 << 10)

/* With include_metadata all headers are kept but these: what is kept may be written to files. */
static bool is_secret(struct tt_str name)
{
    static const char *const secrets[] = {"authorization", "cookie", "proxy-authorization",
                                          "x-api-key"};

    for (size_t i = 0; i < TT_LENGTH(secrets); i++) {
        if (tt_str_equal_nocase(name, tt_str(secrets[i])))
            return true;
    }
    return false;
}

static bool is_wanted(const struct otlp_http_config *config, struct tt_str name)
{
    if (tt_str_starts_with_nocase(name, TT_STR("x-anomaly-")))
        return true;
    for (size_t i = 0; i < config->metadata_keys.count; i++) {
        if (tt_str_equal_nocase(name, tt_str(config->metadata_keys.items[i])))
            return true;
    }
    return config->include_metadata && !is_secret(name);
}

static void keep(void *context, struct tt_str name, struct tt_str value)
{
    struct otlp_kept_headers *kept = context;

    if (kept->count == TT_LENGTH(kept->items) || !is_wanted(kept->config, name))
        return;
    char *lower = tt_arena_alloc(&kept->arena, name.len + 1);
    if (lower == NULL)
        return;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    kept->items[kept->count++] =
        (struct tt_header){.name = tt_str_of(lower, name.len), .value = value};
}

void otlp_keep_headers(const struct otlp_http_config *config,
                       const struct tt_http_exchange *exchange, struct otlp_kept_headers *ret_kept)
{
    ret_kept->config = config;
    ret_kept->count = 0;
    tt_arena_init(&ret_kept->arena, 1024, MAX_KEPT_BYTES);
    tt_http_each_header(exchange, keep, ret_kept);
}

void otlp_kept_headers_done(struct otlp_kept_headers *kept)
{
    tt_arena_done(&kept->arena);
}
