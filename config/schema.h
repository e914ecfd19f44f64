/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CONFIG_SCHEMA_H
#define TT_CONFIG_SCHEMA_H

/*
 * Option tables: an option is declared once, and parsing, bounds, error texts, printing, reference docs and tests
 * read that declaration.
 *
 * A component declares a plain struct and a table of fields that tie a YAML key to a member; the member's C type is
 * checked against the option's type at compile time. tt_config_decode() fills the struct from a tree node.
 *
 * Ownership: decoded strings, lists and maps live in the arena given to tt_config_decode().
 * Threads:   tables are const; decoding uses only its arguments.
 */

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"

struct tt_tree;  /* config/tree.h */
struct tt_node;  /* config/tree.h */
struct tt_diags; /* config/diag.h */

enum tt_config_type {
    TT_CONFIG_BOOL,     /* bool */
    TT_CONFIG_INT,      /* int64_t */
    TT_CONFIG_DOUBLE,   /* double */
    TT_CONFIG_STRING,   /* const char *; NULL when not given and without default */
    TT_CONFIG_DURATION, /* tt_dur: "500ms", "10s"; a bare integer is nanoseconds */
    TT_CONFIG_SIZE,     /* size_t: "64KiB", "16MiB", bytes without a unit */
    TT_CONFIG_ENUM,     /* int: index into choices */
    TT_CONFIG_STRINGS,  /* struct tt_string_list: a YAML list, or one scalar "a,b" */
    TT_CONFIG_PAIRS,    /* struct tt_pair_list: a map of text to text, in the order written */
    TT_CONFIG_OBJECT,   /* a struct described by `sub`; an absent key gives the defaults */
};

enum tt_config_flag {
    TT_CONFIG_REQUIRED = 1 << 0,
    TT_CONFIG_SECRET = 1 << 1,     /* printed as [REDACTED], never logged */
    TT_CONFIG_RELOADABLE = 1 << 2, /* SIGHUP may change it while running */
    TT_CONFIG_DEPRECATED = 1 << 3,
    TT_CONFIG_LISTEN =
        1 << 4, /* text: host:port to listen on, port 0 to 65535; empty where there is no default */
    TT_CONFIG_PATH = 1 << 5, /* text or texts: files; a shell's ~ is refused, its $NAME warned of */
    TT_CONFIG_ANY_CASE = 1 << 6, /* enum: INFO is info, as levels of the Collector are read */
};

/* For a bound that is none: .min = 4096, .max = TT_UNBOUNDED. */
#define TT_UNBOUNDED __builtin_inf()

struct tt_string_list {
    const char **items;
    size_t count;
};

struct tt_pair {
    const char *key, *value;
};
struct tt_pair_list {
    struct tt_pair *items;
    size_t count;
};

struct tt_schema;
struct tt_field {
    const char *name;         /* YAML key = C member name, lower_snake_case */
    enum tt_config_type type; /* fixes the member's C type and its unit */
    unsigned flags;           /* enum tt_config_flag */
    size_t offset;
    const char *def;             /* as a user would write it; NULL: none (zero, NULL, empty) */
    double min, max;             /* inclusive, in ns, bytes or plain; min == max: no bound */
    const char *const *choices;  /* ENUM: NULL-ended; the index is the value */
    const struct tt_schema *sub; /* OBJECT */
    size_t present_offset;       /* OBJECT: of a bool, whether the key was there; 0: not wanted */
    const char *doc;             /* one sentence with a full stop; a missing one fails a test */
};

struct tt_schema {
    const struct tt_field *fields;
    size_t n_fields, size; /* size: sizeof the struct */
};
#define TT_SCHEMA(T, table)                                                                  \
    {                                                                                        \
        .fields = (table), .n_fields = sizeof(table) / sizeof((table)[0]), .size = sizeof(T) \
    }

/* A member of another C type matches no association: a compile error. */
#define TT_FIELD_OF(T, m, TY, C) \
    .name = #m, .type = (TY), .offset = offsetof(T, m) + 0 * sizeof(_Generic(((T *)0)->m, C : 0))
#define TT_BOOL(T, m)     TT_FIELD_OF(T, m, TT_CONFIG_BOOL, bool)
#define TT_INT(T, m)      TT_FIELD_OF(T, m, TT_CONFIG_INT, int64_t)
#define TT_DOUBLE(T, m)   TT_FIELD_OF(T, m, TT_CONFIG_DOUBLE, double)
#define TT_STRING(T, m)   TT_FIELD_OF(T, m, TT_CONFIG_STRING, const char *)
#define TT_DURATION(T, m) TT_FIELD_OF(T, m, TT_CONFIG_DURATION, tt_dur)
#define TT_SIZE(T, m)     TT_FIELD_OF(T, m, TT_CONFIG_SIZE, size_t)
#define TT_ENUM(T, m)     TT_FIELD_OF(T, m, TT_CONFIG_ENUM, int)
#define TT_STRINGS(T, m)  TT_FIELD_OF(T, m, TT_CONFIG_STRINGS, struct tt_string_list)
#define TT_PAIRS(T, m)    TT_FIELD_OF(T, m, TT_CONFIG_PAIRS, struct tt_pair_list)
#define TT_OBJECT(T, m)   .name = #m, .type = TT_CONFIG_OBJECT, .offset = offsetof(T, m)
/* An object whose presence means something ("http:" switches the protocol on): its struct has a member `bool present`
 * that is set when the key is there, also with a null body. It must not be the first member of T. */
#define TT_OPTIONAL_OBJECT(T, m) TT_OBJECT(T, m), .present_offset = offsetof(T, m.present)

/* Fills *ret_config (schema->size bytes) from node (NULL or a null node: all defaults). Every problem goes to diags
 * with file, line, column, the path (prefix + keys) and what is allowed: unknown keys with the nearest known one, wrong
 * types, out of bounds, missing required (in an object that is not given nothing is missing). A null value is a value
 * that is not given. Returns whether this call added no error. O(keys x fields).
 *
 * Types are strict: plain true is a bool and "true" is text; text that looks like a number or a bool must be in quotes
 * (items of lists and maps need none). What came out of ${…} has the type of its look. */
bool tt_config_decode(const struct tt_schema *schema, const struct tt_node *node, const char *path,
                      struct tt_arena *arena, void *ret_config, struct tt_diags *diags) TT_CHECKED;

#endif
