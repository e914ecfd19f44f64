/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_columns.h"

#include <math.h>

#define EXACT       256
#define EXACT_SLOTS 512 /* power of two */
#define REGISTERS   2048
#define INDEX_BITS  11
#define MAX_EXAMPLE 60

struct column {
    struct tt_column_stats stats;
    uint64_t last_hash; /* of the cell above; 0: none */
    uint64_t exact[EXACT_SLOTS];
    size_t n_exact; /* EXACT + 1: there are more */
    uint8_t registers[REGISTERS];
};

struct tt_columns {
    struct tt_arena *arena;
    size_t count;
    struct column columns[];
};

struct tt_columns *tt_columns_new(struct tt_arena *arena, const struct tt_str *names, size_t n)
{
    struct tt_columns *columns = tt_calloc(1, sizeof(*columns) + n * sizeof(columns->columns[0]));

    if (columns == NULL)
        return NULL;
    columns->arena = arena;
    columns->count = n;
    for (size_t i = 0; i < n; i++) {
        columns->columns[i].stats = (struct tt_column_stats){
            .name = tt_arena_copy(arena, names[i]),
            .min = (double)INFINITY,
            .max = -(double)INFINITY,
            .is_number = true,
            .is_integer = true,
            .min_length = SIZE_MAX,
        };
        if (columns->columns[i].stats.name.data == NULL) {
            tt_columns_free(columns);
            return NULL;
        }
    }
    return columns;
}

void tt_columns_free(struct tt_columns *columns)
{
    tt_free(columns);
}

size_t tt_columns_count(const struct tt_columns *columns)
{
    return columns == NULL ? 0 : columns->count;
}

const struct tt_column_stats *tt_columns_at(const struct tt_columns *columns, size_t index)
{
    return &columns->columns[index].stats;
}

/* ---- distinct values ---- */

/* Whether the value is new, as long as all of them fit. */
static bool add_exact(struct column *column, uint64_t hash)
{
    size_t i = hash & (EXACT_SLOTS - 1);

    if (column->n_exact > EXACT)
        return false;
    while (column->exact[i] != 0 && column->exact[i] != hash)
        i = (i + 1) & (EXACT_SLOTS - 1);
    if (column->exact[i] == hash)
        return false;
    if (++column->n_exact > EXACT)
        return false;
    column->exact[i] = hash;
    return true;
}

static void add_register(struct column *column, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *known = &column->registers[hash >> (64 - INDEX_BITS)];

    if (rank > *known)
        *known = rank;
}

static void add_example(struct tt_columns *columns, struct column *column, struct tt_str value)
{
    struct tt_column_stats *stats = &column->stats;
    struct tt_str copy;

    if (stats->n_examples == TT_COLUMN_EXAMPLES)
        return;
    if (value.len > MAX_EXAMPLE)
        value.len = MAX_EXAMPLE;
    copy = tt_arena_copy(columns->arena, value);
    if (copy.data != NULL)
        stats->examples[stats->n_examples++] = copy;
}

uint64_t tt_columns_distinct(const struct tt_columns *columns, size_t index, bool *ret_is_exact)
{
    const struct column *column = &columns->columns[index];
    double sum = 0, estimate;
    size_t zeros = 0;

    *ret_is_exact = column->n_exact <= EXACT;
    if (*ret_is_exact)
        return column->n_exact;
    for (size_t i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -column->registers[i]);
        zeros += column->registers[i] == 0;
    }
    estimate = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / sum;
    if (estimate <= 2.5 * REGISTERS && zeros > 0)
        estimate = REGISTERS * log((double)REGISTERS / (double)zeros); /* linear counting */
    return (uint64_t)(estimate + 0.5);
}

/* ---- values ---- */

/* Up to 18 digits with a sign, without the general reader. */
static bool read_integer(struct tt_str text, double *ret_number)
{
    bool is_negative = text.data[0] == '-';
    size_t i = is_negative;
    int64_t value = 0;

    if (text.len == i || text.len > 18)
        return false;
    for (; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = 10 * value + (text.data[i] - '0');
    }
    *ret_number = (double)(is_negative ? -value : value);
    return true;
}

static void add_number(struct tt_column_stats *stats, struct tt_str value)
{
    double number;

    if (!stats->is_number)
        return;
    if (!read_integer(value, &number)) {
        if (!tt_str_to_double(value, &number)) {
            stats->is_number = false;
            return;
        }
        for (size_t i = 0; i < value.len; i++)
            stats->is_integer =
                stats->is_integer &&
                (value.data[i] == '-' || (value.data[i] >= '0' && value.data[i] <= '9'));
    }
    if (number < stats->min)
        stats->min = number;
    if (number > stats->max)
        stats->max = number;
}

void tt_columns_add(struct tt_columns *columns, size_t index, struct tt_str value)
{
    struct column *column = &columns->columns[index];
    struct tt_column_stats *stats = &column->stats;
    uint64_t hash;

    stats->rows++;
    if (value.len == 0)
        return;
    stats->filled++;
    /* A fixed seed: the estimate is the same in every run. Collisions spoil a count of a dictionary, nothing else. */
    hash = tt_hash(value.data, value.len, 1) | 1;
    if (hash == column->last_hash)
        return;
    column->last_hash = hash;
    if (value.len < stats->min_length)
        stats->min_length = value.len;
    if (value.len > stats->max_length)
        stats->max_length = value.len;
    add_register(column, hash);
    if (add_exact(column, hash))
        add_example(columns, column, value);
    add_number(stats, value);
}

/* ---- what columns mean ---- */

static const struct tt_column_meaning meanings[] = {
    {"timestamp", "time", "RFC 3339, UTC", "Start of the span"},
    {"start_time_ns", "integer", "ns since 1970", "Start, by the clock of the service"},
    {"end_time_ns", "integer", "ns since 1970", "End, by the clock of the service"},
    {"duration_ns", "integer", "ns", "End minus start, 0 when the end is before the start"},
    {"duration_ms", "number", "ms", "The same in milliseconds"},
    {"service_name", "text", "", "service.name of the resource"},
    {"trace_id", "id", "32 hex digits",
     "The trace the span belongs to; split train and test by it"},
    {"span_id", "id", "16 hex digits", "The span, unique in its trace"},
    {"parent_span_id", "id", "16 hex digits", "The span that caused this one; empty for a root"},
    {"span_name", "text", "", "Name of the operation"},
    {"span_kind", "category", "",
     "Part the span plays: SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER"},
    {"span_status", "category", "", "UNSET, OK or ERROR, as the service said"},
    {"http_method", "category", "", "Method of the request"},
    {"http_status_code", "integer", "", "Status of the answer"},
    {"http_target", "text", "", "Path and query of the request"},
    {"anomaly_type", "label", "", "Kind of anomaly the span was recorded under; none"},
    {"anomaly_label", "label", "", "Class for training"},
    {"anomaly_root_cause", "label", "", "What caused the anomaly"},
    {"anomaly_msg", "label", "", "Free text of whoever labelled"},
    {"label_source", "label", "", "Evidence the label is from; none: nobody said anything"},
    {"server_address", "text", "", "Address of the server, as the client or the server named it"},
    {"server_port", "integer", "", "Port of the server"},
    {"client_address", "text", "", "Address of the client"},
    {"network_peer_address", "text", "", "Address of the other end of the connection"},
    {"network_peer_port", "integer", "", "Port of the other end"},
    {"network_protocol", "category", "", "Protocol, http for example"},
    {"network_transport", "category", "", "tcp, udp, …"},
    {"anomaly_active", "label", "",
     "Type of the label window that was open for the service, whatever the span's own label"},
};

const struct tt_column_meaning *tt_column_meaning(struct tt_str name)
{
    for (size_t i = 0; i < TT_LENGTH(meanings); i++)
        if (tt_str_equal(name, tt_str(meanings[i].name)))
            return &meanings[i];
    return NULL;
}
