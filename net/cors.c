/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cors.h"

#define MAX_ORIGIN 512

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* '*' stands for any run of characters. Greedy with one step back: O(len * stars) and no recursion. */
static bool matches(struct tt_str pattern, struct tt_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && lower(pattern.data[p]) == lower(text.data[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

bool cors_allows_origin(const struct tt_cors *cors, struct tt_str origin)
{
    if (origin.len == 0 || origin.len > MAX_ORIGIN)
        return false;
    for (size_t i = 0; i < cors->n_allowed_origins; i++) {
        if (matches(tt_str(cors->allowed_origins[i]), origin))
            return true;
    }
    return false;
}

bool cors_is_open(const struct tt_cors *cors)
{
    for (size_t i = 0; i < cors->n_allowed_origins; i++) {
        if (tt_str_equal(tt_str(cors->allowed_origins[i]), TT_STR("*")))
            return true;
    }
    return false;
}

static bool allows_header(const struct tt_cors *cors, struct tt_str name)
{
    static const char *const by_default[] = {"Accept",       "Accept-Language", "Content-Language",
                                             "Content-Type", "Origin",          "X-Requested-With"};
    bool own_list = cors->n_allowed_headers > 0;
    const char *const *list = own_list ? cors->allowed_headers : by_default;
    size_t count = own_list ? cors->n_allowed_headers : TT_LENGTH(by_default);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], "*") == 0 || tt_str_equal_nocase(tt_str(list[i]), name))
            return true;
    }
    return false;
}

bool cors_allows_headers(const struct tt_cors *cors, struct tt_str names)
{
    while (names.data != NULL) {
        struct tt_str name = tt_str_trim(tt_str_cut(&names, ','));
        if (name.len > 0 && !allows_header(cors, name))
            return false;
    }
    return true;
}
