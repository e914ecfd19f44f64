/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_NAMES_H
#define TT_EXPORTERS_DATASET_NAMES_H

/*
 * File names made from text that an attacker may have chosen.
 *
 * An anomaly type names a file by itself when it is 1 to 64 characters of [a-z0-9_-] and cannot be taken for one of our own
 * names; every other type by "type-" and the first 16 digits of its SHA-256. Two types never share a name but by a collision of
 * that hash. Threads: no state.
 */

#include "base/str.h"

#define DATASET_STAMP_LEN 15 /* 20260821_100000 */

/* Writes the type's name (NUL-terminated, at most 64 bytes) and returns its length. */
size_t dataset_type_name(struct tt_str type, char ret_name[72]);

/* Whether name is "<prefix>_<stamp><suffix>" ("traces_normal_20260821_100000.csv"); views of prefix and stamp. */
bool dataset_name_split(struct tt_str name, struct tt_str suffix, struct tt_str *ret_prefix,
                        struct tt_str *ret_stamp);

#endif
