/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/json_lex.h"

bool tt_json_refuse(struct tt_json_lexer *lexer, const char *where, enum tt_status status,
                    const char *message)
{
    lexer->status = status;
    (void)tt_fail(lexer->err, status, "JSON at byte %zu: %s", (size_t)(where - lexer->start),
                  message);
    return false;
}

bool tt_json_expected(struct tt_json_lexer *lexer, const char *where, const char *what)
{
    lexer->status = TT_INVALID_DATA;
    (void)tt_fail(lexer->err, TT_INVALID_DATA, "JSON at byte %zu: expected %s%s",
                  (size_t)(where - lexer->start), what,
                  where >= lexer->end ? ", found the end" : "");
    return false;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after "\u"; -1 when they are not there. */
static int32_t hex_quad(const char *at, const char *end)
{
    int32_t value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static size_t utf8_length(int32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Checks the escape at the backslash. Returns the bytes it stands for and moves *at behind it; 0: not a legal one. */
static size_t check_escape(const char **at, const char *end)
{
    const char *p = *at + 1;

    if (p >= end)
        return 0;
    if (*p != 'u') {
        *at = p + 1;
        return *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL ? 1 : 0;
    }
    int32_t unit = hex_quad(p + 1, end);
    if (unit < 0 || is_low_surrogate(unit))
        return 0;
    *at = p + 5;
    if (!is_high_surrogate(unit))
        return utf8_length(unit);
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
        !is_low_surrogate(hex_quad(*at + 2, end)))
        return 0;
    *at += 6;
    return 4;
}

bool tt_json_string_body(struct tt_json_lexer *lexer, struct tt_json_text *ret_text)
{
    const char *start = lexer->at, *at = start;
    size_t shrunk = 0;

    for (;;) {
        at = tt_json_find_special(at, lexer->end);
        if (TT_UNLIKELY(at >= lexer->end))
            return tt_json_expected(lexer, at, "a closing quote");
        if (TT_LIKELY(*at == '"'))
            break;
        if (*at != '\\')
            return tt_json_refuse(lexer, at, TT_INVALID_DATA, "control character in a string");
        const char *escape = at;
        size_t len = check_escape(&at, lexer->end);
        if (len == 0)
            return tt_json_refuse(lexer, escape, TT_INVALID_DATA, "invalid escape in a string");
        shrunk += (size_t)(at - escape) - len;
    }
    lexer->at = at + 1;
    ret_text->raw = tt_str_of(start, (size_t)(at - start));
    ret_text->len = ret_text->raw.len - shrunk;
    return true;
}

static char *put_utf8(char *to, int32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

static char unescape_letter(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

void tt_json_unescape(const struct tt_json_text *text, char *to)
{
    const char *at = text->raw.data, *end = at + text->raw.len;

    while (at < end) {
        const char *escape = tt_json_find_special(at, end);
        memcpy(to, at, (size_t)(escape - at));
        to += escape - at;
        at = escape;
        if (at == end)
            break;
        if (at[1] != 'u') {
            *to++ = unescape_letter(at[1]);
            at += 2;
            continue;
        }
        int32_t code = hex_quad(at + 2, end);
        at += 6;
        if (is_high_surrogate(code)) {
            code = 0x10000 + ((code - 0xD800) << 10) + (hex_quad(at + 2, end) - 0xDC00);
            at += 6;
        }
        to = put_utf8(to, code);
    }
}

/* ---- numbers ---- */

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Adds the digits at `at` to the mantissa; n_digits counts from the first that is not zero. */
static const char *take_digits(const char *at, const char *end, struct tt_json_number *number,
                               int *n_digits)
{
    for (; is_digit(at, end); at++) {
        if (*n_digits > 0 || *at != '0')
            ++*n_digits;
        if (*n_digits <= 19)
            number->mantissa = number->mantissa * 10 + (unsigned)(*at - '0');
        else
            number->exact = false;
    }
    return at;
}

static const char *take_exponent(const char *at, const char *end, struct tt_json_number *number)
{
    bool negative = at < end && *at == '-';
    int32_t exponent = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (!is_digit(at, end))
        return NULL;
    for (; is_digit(at, end); at++)
        if (exponent < 10000)
            exponent = exponent * 10 + (*at - '0');
    if (exponent > 10000)
        exponent = 10000;
    number->exponent += negative ? -exponent : exponent;
    return at;
}

/* Returns the end of the number at `at`, or NULL when there is none. */
static const char *take_number(const char *at, const char *end, struct tt_json_number *number)
{
    int n_digits = 0;

    *number = (struct tt_json_number){.whole = true, .exact = true};
    if (at < end && *at == '-') {
        number->negative = true;
        at++;
    }
    if (!is_digit(at, end))
        return NULL;
    at = *at == '0' ? at + 1 : take_digits(at, end, number, &n_digits);
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        if (!is_digit(at, end))
            return NULL;
        at = take_digits(at, end, number, &n_digits);
        number->exponent = at - fraction > 10000 ? -10000 : -(int32_t)(at - fraction);
        number->whole = false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        number->whole = false;
        return take_exponent(at + 1, end, number);
    }
    return at;
}

bool tt_json_number(struct tt_json_lexer *lexer, struct tt_json_number *ret_number)
{
    const char *after = take_number(lexer->at, lexer->end, ret_number);

    if (after == NULL)
        return tt_json_refuse(lexer, lexer->at, TT_INVALID_DATA, "malformed number");
    ret_number->text = tt_str_of(lexer->at, (size_t)(after - lexer->at));
    lexer->at = after;
    return true;
}

bool tt_json_number_of(struct tt_str text, struct tt_json_number *ret_number)
{
    ret_number->text = text;
    if (text.len == 0 ||
        take_number(text.data, text.data + text.len, ret_number) != text.data + text.len)
        return false;
    ret_number->text = text;
    return true;
}

bool tt_json_number_to_double(const struct tt_json_number *number, double *ret_value)
{
    return tt_str_to_double(number->text, ret_value) && !__builtin_isinf(*ret_value);
}

bool tt_json_number_to_magnitude(const struct tt_json_number *number, uint64_t *ret_value)
{
    uint64_t value = number->mantissa;
    int32_t exponent = number->exponent;

    if (TT_LIKELY(number->whole && number->exact)) {
        *ret_value = value;
        return true;
    }
    if (number->whole) {
        size_t sign = number->negative ? 1 : 0;
        return tt_str_to_uint64(tt_str_of(number->text.data + sign, number->text.len - sign),
                                ret_value);
    }
    for (; value != 0 && exponent < 0; exponent++, value /= 10)
        if (value % 10 != 0)
            return false;
    for (; value != 0 && exponent > 0; exponent--)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    *ret_value = value;
    return number->exact;
}

/* ---- values that nobody wants ---- */

/* A string, number or word. */
static bool skip_scalar(struct tt_json_lexer *lexer, char first)
{
    struct tt_json_text text;
    struct tt_json_number number;

    if (first == '"') {
        lexer->at++;
        return tt_json_string_body(lexer, &text);
    }
    if (first == '-' || (first >= '0' && first <= '9'))
        return tt_json_number(lexer, &number);
    if (tt_json_accept_word(lexer, TT_STR("null")) || tt_json_accept_word(lexer, TT_STR("true")) ||
        tt_json_accept_word(lexer, TT_STR("false")))
        return true;
    return tt_json_expected(lexer, lexer->at, "a value");
}

/* At a key of the object that is being skipped: the key and its colon. */
static bool skip_key(struct tt_json_lexer *lexer)
{
    struct tt_json_text key;

    return tt_json_expect(lexer, '"', "a key") && tt_json_string_body(lexer, &key) &&
           tt_json_expect(lexer, ':', "a colon");
}

/* After a value: over commas to the next value (true, *depth > 0) or out of all containers (*depth 0). objects has a bit
 * for each open container, the innermost lowest. */
static bool skip_after_value(struct tt_json_lexer *lexer, uint64_t *objects, unsigned *depth)
{
    while (*depth > 0) {
        bool in_object = (*objects & 1) != 0;
        if (tt_json_accept(lexer, ','))
            return !in_object || skip_key(lexer);
        if (!tt_json_expect(lexer, in_object ? '}' : ']',
                            in_object ? "a comma or }" : "a comma or ]"))
            return false;
        *objects >>= 1;
        --*depth;
    }
    return true;
}

bool tt_json_skip_value(struct tt_json_lexer *lexer)
{
    uint64_t objects = 0;
    unsigned depth = 0;

    do {
        char c = tt_json_peek(lexer);
        if (!tt_json_count(lexer))
            return false;
        if (c == '{' || c == '[') {
            if (depth == TT_JSON_SKIP_DEPTH)
                return tt_json_refuse(lexer, lexer->at, TT_INVALID_DATA, "nested too deeply");
            lexer->at++;
            if (!tt_json_accept(lexer, c == '{' ? '}' : ']')) {
                objects = objects << 1 | (c == '{');
                depth++;
                if (c == '{' && !skip_key(lexer))
                    return false;
                continue;
            }
        } else if (!skip_scalar(lexer, c)) {
            return false;
        }
        if (!skip_after_value(lexer, &objects, &depth))
            return false;
    } while (depth > 0);
    return true;
}
