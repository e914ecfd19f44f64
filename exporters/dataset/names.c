/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/names.h"

#include <nettle/sha2.h>

static bool is_listed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Names of files that hold something else, and the form of a hash. */
static bool is_reserved(struct tt_str type)
{
    return tt_str_equal(type, TT_STR("labeled")) || tt_str_equal(type, TT_STR("normal")) ||
           tt_str_equal(type, TT_STR("anomalous")) || tt_str_equal(type, TT_STR("overflow")) ||
           tt_str_starts_with(type, TT_STR("type-"));
}

size_t dataset_type_name(struct tt_str type, char ret_name[72])
{
    struct sha256_ctx hash;
    uint8_t digest[8];
    size_t listed = 0;

    while (listed < type.len && listed <= 64 && is_listed(type.data[listed]))
        listed++;
    if (listed == type.len && listed > 0 && listed <= 64 && !is_reserved(type)) {
        memcpy(ret_name, type.data, type.len);
        ret_name[type.len] = '\0';
        return type.len;
    }
    sha256_init(&hash);
    sha256_update(&hash, type.len, (const uint8_t *)type.data);
    sha256_digest(&hash, sizeof(digest), digest);
    memcpy(ret_name, "type-", 5);
    tt_hex_encode(digest, sizeof(digest), ret_name + 5);
    ret_name[21] = '\0';
    return 21;
}

static bool is_stamp(const char *text)
{
    static const char form[] = "dddddddd_dddddd";

    for (size_t i = 0; i < DATASET_STAMP_LEN; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

bool dataset_name_split(struct tt_str name, struct tt_str suffix, struct tt_str *ret_prefix,
                        struct tt_str *ret_stamp)
{
    size_t tail = DATASET_STAMP_LEN + suffix.len;

    if (name.len < tail + 2 || !tt_str_ends_with(name, suffix))
        return false;
    *ret_stamp = (struct tt_str){name.data + name.len - tail, DATASET_STAMP_LEN};
    *ret_prefix = (struct tt_str){name.data, name.len - tail - 1};
    return ret_stamp->data[-1] == '_' && is_stamp(ret_stamp->data);
}
