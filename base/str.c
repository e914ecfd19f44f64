/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct tt_str skip(struct tt_str s, size_t n)
{
    return n == 0 ? s : tt_str_of(s.data + n, s.len - n);
}

bool tt_str_equal_nocase(struct tt_str a, struct tt_str b)
{
    return a.len == b.len && tt_str_starts_with_nocase(a, b);
}

int tt_str_compare(struct tt_str a, struct tt_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0 || a.len == b.len)
        return order;
    return a.len < b.len ? -1 : 1;
}

bool tt_str_starts_with(struct tt_str s, struct tt_str prefix)
{
    return s.len >= prefix.len && tt_str_equal(tt_str_of(s.data, prefix.len), prefix);
}

bool tt_str_starts_with_nocase(struct tt_str s, struct tt_str prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (lower(s.data[i]) != lower(prefix.data[i]))
            return false;
    return true;
}

bool tt_str_ends_with(struct tt_str s, struct tt_str suffix)
{
    return s.len >= suffix.len && tt_str_equal(skip(s, s.len - suffix.len), suffix);
}

size_t tt_str_find(struct tt_str s, char c)
{
    const char *found = s.len == 0 ? NULL : memchr(s.data, c, s.len);

    return found == NULL ? s.len : (size_t)(found - s.data);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct tt_str tt_str_trim(struct tt_str s)
{
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_blank(s.data[0]))
        s = skip(s, 1);
    return s;
}

struct tt_str tt_str_cut(struct tt_str *rest, char separator)
{
    size_t at = tt_str_find(*rest, separator);
    struct tt_str before = {rest->data, at};

    *rest = at == rest->len ? (struct tt_str){NULL, 0} : skip(*rest, at + 1);
    return before;
}

bool tt_str_to_uint64(struct tt_str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
            return false;
    *ret_value = value;
    return true;
}

bool tt_str_to_int64(struct tt_str s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    uint64_t magnitude;

    if (!tt_str_to_uint64(skip(s, negative), &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static int hex_digit(char c)
{
    char l = lower(c);

    if (is_digit(c))
        return c - '0';
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool tt_hex_decode(struct tt_str hex, uint8_t *ret_bytes, size_t len)
{
    if (hex.len % 2 != 0 || hex.len / 2 != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void tt_hex_encode(const uint8_t *bytes, size_t len, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* ---- UTF-8 ---- */

/* How many ASCII bytes p begins with, 8 at a time. */
static size_t ascii_run(const uint8_t *p, size_t len)
{
    size_t n = 0;

    for (; len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, p + n, 8);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (n < len && p[n] < 0x80)
        n++;
    return n;
}

static inline bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the valid character of two or more bytes at p; 0 when there is none. RFC 3629, section 4: which
 * second bytes are allowed depends on the first. */
static size_t multibyte(const uint8_t *p, size_t len)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (p[0] < 0xc2 || p[0] > 0xf4 || len < need)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if (!is_continuation(p[i]))
            return 0;
    return need;
}

size_t tt_utf8_valid_prefix(struct tt_str s)
{
    const uint8_t *p = (const uint8_t *)s.data;
    size_t at = 0;

    while (at < s.len) {
        size_t n = p[at] < 0x80 ? ascii_run(p + at, s.len - at) : multibyte(p + at, s.len - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

/* ---- distance ---- */

enum { DISTANCE_MAX_LEN = 64 };

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: the recurrence of Levenshtein, plus a swap of two neighbours as one edit. Only
 * the last three rows of the matrix are kept. */
size_t tt_str_distance(struct tt_str a, struct tt_str b)
{
    size_t rows[3][DISTANCE_MAX_LEN + 1];

    if (a.len > DISTANCE_MAX_LEN || b.len > DISTANCE_MAX_LEN)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

/* ---- hash ---- */

#define HASH_K1 UINT64_C(0xd6e8feb86659fd93)
#define HASH_K2 UINT64_C(0xa0761d64c6d56a57)
#define HASH_K3 UINT64_C(0x9fb21c651e98df25)

__extension__ typedef unsigned __int128 uint128;

/* All bits of the 128-bit product meet: every bit of a and b reaches every bit of the result. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t read8(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
    return word;
}

static inline uint64_t read4(const uint8_t *p)
{
    uint32_t word;

    memcpy(&word, p, 4);
    return word;
}

/* Both factors of each product hold the seed: were one of them known outside, choosing the data equal to it
 * would make the product 0 and every such key collide. The reads of the tail overlap; the length, mixed in
 * first, tells such texts apart. */
uint64_t tt_hash(const void *data, size_t len, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t key = seed ^ HASH_K1, h = seed + len * HASH_K2, a = 0, b = 0;
    size_t left = len;

    for (; left > 16; left -= 16, p += 16)
        h = fold(read8(p) ^ key, read8(p + 8) ^ h) + HASH_K3;
    if (left >= 8) {
        a = read8(p);
        b = read8(p + left - 8);
    } else if (left >= 4) {
        a = read4(p);
        b = read4(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
    }
    h = fold(a ^ key, b ^ h);
    return fold(h ^ HASH_K3, key);
}

/* Without a kernel that has getrandom(): worse than random, but not a constant. */
static uint64_t fallback_seed(void)
{
    struct timespec now = {0};
    uint64_t parts[3];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    parts[0] = (uint64_t)now.tv_nsec;
    parts[1] = (uint64_t)now.tv_sec;
    parts[2] = (uint64_t)(uintptr_t)&now;
    return tt_hash(parts, sizeof(parts), HASH_K3);
}

uint64_t tt_hash_seed(void)
{
    static _Atomic uint64_t drawn;
    uint64_t seed = atomic_load_explicit(&drawn, memory_order_relaxed), fresh = 0;

    if (seed != 0)
        return seed;
    if (getrandom(&fresh, sizeof(fresh), GRND_NONBLOCK) != (ssize_t)sizeof(fresh))
        fresh = fallback_seed();
    fresh |= 1; /* 0: not drawn yet */
    /* The first thread wins; the others get its seed. */
    return atomic_compare_exchange_strong(&drawn, &seed, fresh) ? fresh : seed;
}
