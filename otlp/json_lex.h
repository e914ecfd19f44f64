/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_OTLP_JSON_LEX_H
#define TT_OTLP_JSON_LEX_H

/*
 * Tokens of strict JSON text (RFC 8259), for the reader of OTLP/JSON only.
 *
 * Strict: no BOM, no raw control characters, no lone surrogates, no leading zeros or plus signs, nothing after the
 * document. Bytes of 0x80 and above are taken as they are (the writer replaces what is not UTF-8).
 * Threads: no shared state. Cost: strings are scanned 16 bytes at a time where SSE2 is there, else byte by byte.
 * Errors: every function that returns bool has filled lexer->err when it returns false.
 */

#include "base/error.h"
#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Containers within containers of a value that is skipped. */
#define TT_JSON_SKIP_DEPTH 64

struct tt_json_lexer {
    const char *at, *end, *start;
    uint32_t elements, max_elements; /* counted by the reader and by tt_json_skip_value() */
    enum tt_status status;           /* TT_OK until something failed */
    struct tt_error *err;            /* may be NULL */
};

/* A string between its quotes. len is its length without escapes: it has some when len < raw.len. */
struct tt_json_text {
    struct tt_str raw;
    size_t len;
};

/* A number as it stands, and its value as far as it is exact: mantissa * 10^exponent. */
struct tt_json_number {
    struct tt_str text;
    uint64_t mantissa; /* the digits, when there are at most 19 */
    int32_t exponent;  /* within +-20,000 */
    bool negative, whole,
        exact; /* whole: neither fraction nor exponent; exact: mantissa holds all digits */
};

/* TT_INVALID_DATA at `where`: "expected <what>". Returns false. */
bool tt_json_expected(struct tt_json_lexer *lexer, const char *where, const char *what);
/* Any other refusal, with the offset of `where` before the message. Returns false. */
bool tt_json_refuse(struct tt_json_lexer *lexer, const char *where, enum tt_status status,
                    const char *message);

/* After the opening quote. */
bool tt_json_string_body(struct tt_json_lexer *lexer, struct tt_json_text *ret_text) TT_CHECKED;
/* At '-' or a digit. */
bool tt_json_number(struct tt_json_lexer *lexer, struct tt_json_number *ret_number) TT_CHECKED;
/* Parses the whole of a text as tt_json_number() does; false (and no error) when it is not a number. */
bool tt_json_number_of(struct tt_str text, struct tt_json_number *ret_number) TT_CHECKED;
/* The nearest double; false when it is out of range. */
bool tt_json_number_to_double(const struct tt_json_number *number, double *ret_value) TT_CHECKED;
/* The number without its sign when it is an integer ("12", "1.0", "1e3") below 2^64; false otherwise. */
bool tt_json_number_to_magnitude(const struct tt_json_number *number, uint64_t *ret_value)
    TT_CHECKED;
/* Any one value, counting its parts. */
bool tt_json_skip_value(struct tt_json_lexer *lexer) TT_CHECKED;
/* Writes exactly text->len bytes. */
void tt_json_unescape(const struct tt_json_text *text, char *to);

/* Over blanks to the next byte; NUL at the end (a NUL in the text is no token either). */
static inline char tt_json_peek(struct tt_json_lexer *lexer)
{
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        if (TT_LIKELY(c != ' ' && c != '\n' && c != '\r' && c != '\t'))
            return c;
        lexer->at++;
    }
    return '\0';
}

static inline bool tt_json_expect(struct tt_json_lexer *lexer, char c, const char *what)
{
    if (TT_UNLIKELY(tt_json_peek(lexer) != c))
        return tt_json_expected(lexer, lexer->at, what);
    lexer->at++;
    return true;
}

/* Consumes c when it is next. */
static inline bool tt_json_accept(struct tt_json_lexer *lexer, char c)
{
    if (tt_json_peek(lexer) != c)
        return false;
    lexer->at++;
    return true;
}

/* Consumes a word ("null") when it is next; the next token shows whether it went on. */
static inline bool tt_json_accept_word(struct tt_json_lexer *lexer, struct tt_str word)
{
    if ((size_t)(lexer->end - lexer->at) < word.len || memcmp(lexer->at, word.data, word.len) != 0)
        return false;
    lexer->at += word.len;
    return true;
}

/* One more message, or value of a list; the validator counts the same. */
static inline bool tt_json_count(struct tt_json_lexer *lexer)
{
    if (TT_LIKELY(lexer->elements < lexer->max_elements)) {
        lexer->elements++;
        return true;
    }
    return tt_json_refuse(lexer, lexer->at, TT_TOO_LARGE, "too many elements");
}

/* The first byte of [at, end) that is a quote, a backslash or a control character, or end. */
static inline const char *tt_json_find_special(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);

    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

#endif
