/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_STR_H
#define TT_BASE_STR_H

/*
 * Views of bytes: pointer and length, never NUL-terminated, never owned.
 *
 * A view dies with what it points into. {NULL, 0} and {p, 0} are both empty. Text from outside may hold
 * any byte, NUL included. Threads: no state.
 */

#include "base/util.h"

#include <string.h>

struct tt_str {
    const char *data;
    size_t len;
};

/* A view of a string literal. */
#define TT_STR(literal) ((struct tt_str){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s". */
#define TT_STR_ARG(s) (int)(s).len, (s).data

static inline struct tt_str tt_str(const char *text)
{
    return (struct tt_str){text, text == NULL ? 0 : strlen(text)};
}

static inline struct tt_str tt_str_of(const void *data, size_t len)
{
    return (struct tt_str){(const char *)data, len};
}

static inline bool tt_str_equal(struct tt_str a, struct tt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ASCII letters only: the locale is never asked. */
bool tt_str_equal_nocase(struct tt_str a, struct tt_str b);
/* Byte order, shorter first when one is a prefix of the other; as memcmp, <0, 0 or >0. */
int tt_str_compare(struct tt_str a, struct tt_str b);
bool tt_str_starts_with(struct tt_str s, struct tt_str prefix);
bool tt_str_starts_with_nocase(struct tt_str s, struct tt_str prefix);
bool tt_str_ends_with(struct tt_str s, struct tt_str suffix);
/* Index of the first byte c, or s.len. */
size_t tt_str_find(struct tt_str s, char c);
/* Without leading and trailing blanks, tabs, CR and LF. */
struct tt_str tt_str_trim(struct tt_str s);
/* Cuts *rest at the first separator: returns what is before it and leaves what is after; at the end *rest is
 * {NULL, 0}. To walk a list: while (rest.data != NULL) { part = tt_str_cut(&rest, ','); … } */
struct tt_str tt_str_cut(struct tt_str *rest, char separator);

/* Decimal digits with an optional '-' only: false for empty text, other characters or overflow. */
bool tt_str_to_int64(struct tt_str s, int64_t *ret_value);
bool tt_str_to_uint64(struct tt_str s, uint64_t *ret_value);
/* The nearest double in the C locale's grammar whatever the locale is (also "inf", "nan"); the whole text must be
 * the number. At most 400 characters. Over the range: infinity, under it: 0, as the format rounds. */
bool tt_str_to_double(struct tt_str s, double *ret_value);
/* Hexadecimal digits, either case, to exactly len bytes; false for another length or other characters. */
bool tt_hex_decode(struct tt_str hex, uint8_t *ret_bytes, size_t len);
/* Writes 2 * len lower-case digits, no NUL. */
void tt_hex_encode(const uint8_t *bytes, size_t len, char *ret_hex);

/* Length of the valid UTF-8 prefix of s (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). O(len). */
size_t tt_utf8_valid_prefix(struct tt_str s);

/* How many single-character edits lead from a to b, swaps counted once; for "did you mean". Texts longer than 64
 * bytes are infinitely far (SIZE_MAX). */
size_t tt_str_distance(struct tt_str a, struct tt_str b);

/* 64-bit hash for tables in memory; seed it with tt_hash_seed(). Not for files: it may change between versions. */
uint64_t tt_hash(const void *data, size_t len, uint64_t seed);
/* A seed drawn once a process from the system, so that nobody outside can aim at collisions. Thread-safe. */
uint64_t tt_hash_seed(void);

/* "%zu file%s": the s of all but one. */
static inline const char *tt_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
