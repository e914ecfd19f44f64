/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_BASE_UTIL_H
#define TT_BASE_UTIL_H

/* Compiler attributes and the few macros that a function cannot replace. No state, no dependencies. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TT_CHECKED                    __attribute__((warn_unused_result))
#define TT_PRINTF(format_at, first)   __attribute__((format(printf, format_at, first)))
#define TT_CLEANUP(function)          __attribute__((cleanup(function)))
#define TT_LIKELY(condition)          __builtin_expect(!!(condition), 1)
#define TT_UNLIKELY(condition)        __builtin_expect(!!(condition), 0)
#define TT_LENGTH(array)              (sizeof(array) / sizeof((array)[0]))
#define TT_CONTAINER(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Gives *p's value away and leaves NULL behind: ownership moves where it is written. */
#define TT_TAKE(p)                  \
    __extension__({                 \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })

#endif
