/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_CELLS_H
#define TT_EXPORTERS_DATASET_CELLS_H

/*
 * Writing one CSV cell.
 *
 * A cell that needs no quotes is copied as it is; all others go through libcsv's quoting (quotes around, quotes inside
 * doubled). Quoted are: quote, comma, control characters, a blank at either end. Bytes that are not UTF-8 become U+FFFD, since one such
 * byte makes the whole file unreadable for many readers. NUL, line ends and everything else stay as they are.
 * Errors: those of the buffer.  Threads: no state.  Source: RFC 4180.
 */

#include "base/buffer.h"
#include "otlp/cursor.h"

/* guard: text that a spreadsheet would run as a formula (begins with = + - @ TAB CR) gets a ' in front. */
void dataset_cell_text(struct tt_buffer *out, struct tt_str text, bool guard);
/* Numbers and truth values in plain form, arrays and maps as JSON, bytes as base64. scratch is used and left empty. */
void dataset_cell_value(struct tt_buffer *out, const struct tt_value *value,
                        struct tt_buffer *scratch, bool guard);

/* Copies a text that needs neither quotes nor a closer look to `to` and returns true. False: the text.len bytes there are worth nothing. */
bool dataset_copy_plain(char *to, struct tt_str text);

/* Each of the following writes at `to`, no NUL, and returns the byte behind. */

/* Decimal digits; room for 20. */
char *dataset_put_uint(char *to, uint64_t value);
/* Nine digits of a number below 10^9, with leading zeros. */
char *dataset_put_nine(char *to, uint32_t value);
/* Nanoseconds as milliseconds with the decimals that are needed, exact: "12.5". Room for 28. */
char *dataset_put_ms(char *to, uint64_t ns);
/* Lower-case hexadecimal, 2 * len; len: a multiple of 4. Nothing for NULL. */
char *dataset_put_id(char *to, const uint8_t *id, size_t len);

/* The date of the last timestamp. */
struct dataset_day {
    uint64_t number; /* since 1970; UINT64_MAX: none */
    char text[11];   /* "2025-08-21T" */
};
/* RFC 3339 in UTC with nine decimals: 30 bytes. */
char *dataset_put_timestamp(char *to, struct dataset_day *day, uint64_t ns);

#endif
