/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_UNITS_H
#define TT_BASE_UNITS_H

/* The only parser and printer of durations and sizes. No state. */

#include "base/clock.h"

/* Go's syntax ("1h30m", "200ms", "1.5s", "-1s"; ns us µs ms s m h, and d for 24 h); "0" alone needs no unit.
 * False when it is not one or does not fit. */
bool tt_duration_parse(struct tt_str text, tt_dur *ret_duration);
/* Such a text, largest unit first, without parts that are zero ("1m30s", "1.5ms", "0s"); parses back to the same
 * duration. Writes at most 31 bytes with the NUL; returns the length. */
size_t tt_duration_format(tt_dur duration, char ret_text[32]);

/* "65536", "64KiB", "16MiB", "1GiB", "10MB" (1,000,000s), "1.5GiB" (rounded down to whole bytes); units B to TiB and TB,
 * case-insensitive, blanks before the unit allowed. False for anything else, and over 2^64 - 1. */
bool tt_size_parse(struct tt_str text, uint64_t *ret_bytes);
/* "64KiB", "1.5GiB", "10MB", "1234567B": the largest unit that needs at most one decimal, so that it parses back to the
 * same number. At most 31 bytes with the NUL; returns the length. */
size_t tt_size_format(uint64_t bytes, char ret_text[32]);

#endif
