/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "model/forest_model.h"
#include "model/json_load.h"

#include <math.h>

#define FORMAT  "telltale.forest"
#define VERSION 1

static const struct tt_json_bounds bounds = {.max_depth = 8, .max_elements = 4000000};

static const char *const metric_names[TT_METRIC_COUNT] = {"combined", "depth"};

/* ---- writing ---- */

static void put_text(struct tt_buffer *to, struct tt_str text)
{
    tt_buffer_append_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            tt_buffer_append_byte(to, '\\');
        if (c < 0x20)
            tt_buffer_printf(to, "\\u%04x", c);
        else
            tt_buffer_append_byte(to, (char)c);
    }
    tt_buffer_append_byte(to, '"');
}

static void put_number(struct tt_buffer *to, const char *before, double number)
{
    tt_buffer_append_str(to, tt_str(before));
    tt_buffer_append_double(to, number);
}

static void put_head(struct tt_buffer *to, const struct tt_forest_model *model,
                     const struct tt_forest_image *image)
{
    char time[32];

    (void)tt_time_format(model->trained_at_ns, 9, time);
    tt_buffer_printf(to, "{\n\"format\": \"" FORMAT "\", \"version\": %d,\n", VERSION);
    tt_buffer_printf(to, "\"trained_at\": \"%s\", \"trained_rows\": %llu, \"seed\": \"%llu\", ",
                     time, (unsigned long long)image->trained_rows,
                     (unsigned long long)image->seed);
    tt_buffer_printf(to, "\"generation\": \"%llu\",\n\"schema\": \"%016llx\",\n",
                     (unsigned long long)image->generation, (unsigned long long)model->schema);
}

static void put_options(struct tt_buffer *to, const struct tt_forest_image *image)
{
    const struct tt_forest_options *options = &image->options;

    tt_buffer_printf(to, "\"options\": {\"trees\": %u, \"sample\": %u, \"max_depth\": %u, ",
                     options->trees, options->sample, options->max_depth);
    tt_buffer_printf(to, "\"score\": \"%s\", \"exact\": %s, \"gates\": %s",
                     metric_names[options->metric], options->exact ? "true" : "false",
                     options->gates ? "true" : "false");
    put_number(to, ", \"contamination\": ", options->contamination);
    put_number(to, ", \"threshold\": ", options->threshold);
    put_number(to, "},\n\"score\": {\"slope\": ", image->slope);
    put_number(to, ", \"offset\": ", image->offset);
    put_number(to, ", \"threshold\": ", (double)image->threshold);
    tt_buffer_append_str(to, TT_STR("},\n"));
}

static void put_features(struct tt_buffer *to, const struct tt_forest_model *model,
                         const struct tt_forest_image *image)
{
    tt_buffer_append_str(to, TT_STR("\"features\": [\n"));
    for (uint32_t c = 0; c < image->columns; c++) {
        tt_buffer_append_str(to, TT_STR("{\"name\": "));
        put_text(to, model->features[c]);
        put_number(to, ", \"low\": ", (double)image->low[c]);
        put_number(to, ", \"high\": ", (double)image->high[c]);
        if (image->gaps[c])
            tt_buffer_append_str(to, TT_STR(", \"gaps\": true"));
        tt_buffer_append_str(to, c + 1 < image->columns ? TT_STR("},\n") : TT_STR("}\n"));
    }
    tt_buffer_append_str(to, TT_STR("],\n"));
}

static void put_node(struct tt_buffer *to, const struct tt_forest_node *node)
{
    if (node->column == TT_LEAF) {
        tt_buffer_printf(to, "[-1,%u,%u]", node->value, node->samples);
        return;
    }
    tt_buffer_printf(to, "[%u", node->column);
    put_number(to, ",", (double)node->threshold);
    tt_buffer_printf(to, ",%u%s]", node->samples, node->gate ? ",1" : "");
}

enum tt_status tt_forest_model_write(const struct tt_forest_model *model, struct tt_buffer *to,
                                     struct tt_error *err)
{
    struct tt_forest_image image = tt_forest_view(model->forest);

    put_head(to, model, &image);
    put_options(to, &image);
    put_features(to, model, &image);
    tt_buffer_append_str(to, TT_STR("\"trees\": ["));
    for (uint32_t tree = 0; tree < image.options.trees; tree++) {
        tt_buffer_append_str(to, tree == 0 ? TT_STR("\n[") : TT_STR(",\n["));
        for (uint32_t i = image.first[tree]; i < image.first[tree + 1]; i++) {
            if (i > image.first[tree])
                tt_buffer_append_byte(to, ',');
            put_node(to, &image.nodes[i]);
        }
        tt_buffer_append_byte(to, ']');
    }
    tt_buffer_append_str(to, TT_STR("\n]\n}\n"));
    return tt_buffer_check(to, "write a model", err);
}

/* ---- values ---- */

/* Members that are missing or of another type leave a fault behind, and the first one is reported. */
struct reader {
    enum tt_status status;
    struct tt_error *err;
};

#define REFUSE(reader, ...)                                                          \
    do {                                                                             \
        if ((reader)->status == TT_OK)                                               \
            (reader)->status = tt_fail((reader)->err, TT_INVALID_DATA, __VA_ARGS__); \
    } while (0)

static uint64_t whole(struct reader *reader, const json_t *object, const char *key, uint64_t most)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;

    if (number >= 0 && (uint64_t)number <= most)
        return (uint64_t)number;
    REFUSE(reader, "%s: not a whole number from 0 to %llu", key, (unsigned long long)most);
    return 0;
}

static double number(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_number(value))
        REFUSE(reader, "%s: not a number", key);
    return json_number_value(value);
}

static bool boolean(struct reader *reader, const json_t *object, const char *key, bool missing)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL)
        return missing;
    if (!json_is_boolean(value))
        REFUSE(reader, "%s: neither true nor false", key);
    return json_is_true(value);
}

static struct tt_str text(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value)) {
        REFUSE(reader, "%s: not a text", key);
        return TT_STR("");
    }
    return tt_str_of(json_string_value(value), json_string_length(value));
}

static uint64_t whole_text(struct reader *reader, const json_t *object, const char *key)
{
    uint64_t value = 0;

    if (!tt_str_to_uint64(text(reader, object, key), &value))
        REFUSE(reader, "%s: not a whole number as text", key);
    return value;
}

/* What was written was a float; what somebody typed is rounded to one. */
static float single(struct reader *reader, const json_t *object, const char *key)
{
    double value = number(reader, object, key);

    if (!isfinite((float)value))
        REFUSE(reader, "%s: %g does not fit", key, value);
    return (float)value;
}

/* ---- reading ---- */

struct parts {
    struct tt_forest_image image;
    struct tt_arena arena; /* of all that is read */
    struct tt_str *names;
    uint64_t trained_at_ns;
};

static void read_head(struct reader *reader, const json_t *root, struct parts *parts)
{
    struct tt_forest_image *image = &parts->image;

    image->trained_rows = whole(reader, root, "trained_rows", INT64_MAX);
    image->seed = whole_text(reader, root, "seed");
    image->generation = whole_text(reader, root, "generation");
    if (!tt_time_parse(text(reader, root, "trained_at"), &parts->trained_at_ns))
        REFUSE(reader, "trained_at: not a time");
}

static void read_options(struct reader *reader, const json_t *root, struct tt_forest_image *image)
{
    const json_t *from = json_object_get(root, "options"), *score = json_object_get(root, "score");
    struct tt_forest_options *options = &image->options;
    struct tt_str metric = text(reader, from, "score");
    unsigned i = 0;

    while (i < TT_METRIC_COUNT && !tt_str_equal(metric, tt_str(metric_names[i])))
        i++;
    if (i == TT_METRIC_COUNT)
        REFUSE(reader, "options.score: neither combined nor depth");
    options->metric = (enum tt_forest_metric)i;
    options->trees = (uint32_t)whole(reader, from, "trees", TT_FOREST_MAX_TREES);
    options->sample = (uint32_t)whole(reader, from, "sample", TT_FOREST_MAX_SAMPLE);
    options->max_depth = (uint32_t)whole(reader, from, "max_depth", TT_FOREST_MAX_DEPTH);
    options->exact = boolean(reader, from, "exact", false);
    options->gates = boolean(reader, from, "gates", true);
    options->contamination = number(reader, from, "contamination");
    options->threshold = number(reader, from, "threshold");
    image->slope = number(reader, score, "slope");
    image->offset = number(reader, score, "offset");
    image->threshold = single(reader, score, "threshold");
}

static void *reserve(struct reader *reader, struct tt_arena *arena, size_t count, size_t size)
{
    void *p = tt_arena_calloc(arena, count + 1, size);

    if (p == NULL && reader->status == TT_OK)
        reader->status = tt_fail(reader->err, TT_NO_MEMORY, "read a model");
    return p;
}

static void read_features(struct reader *reader, const json_t *root, struct parts *parts)
{
    const json_t *features = json_object_get(root, "features");
    size_t count = json_array_size(features);
    float *low = reserve(reader, &parts->arena, count, sizeof(*low));
    float *high = reserve(reader, &parts->arena, count, sizeof(*high));
    bool *gaps = reserve(reader, &parts->arena, count, sizeof(*gaps));

    parts->names = reserve(reader, &parts->arena, count, sizeof(*parts->names));
    if (count == 0 || count > TT_FOREST_MAX_COLUMNS)
        REFUSE(reader, "features: not a list of 1 to %d", TT_FOREST_MAX_COLUMNS);
    for (size_t i = 0; reader->status == TT_OK && i < count; i++) {
        const json_t *feature = json_array_get(features, i);
        parts->names[i] = text(reader, feature, "name");
        low[i] = single(reader, feature, "low");
        high[i] = single(reader, feature, "high");
        gaps[i] = boolean(reader, feature, "gaps", false);
        if (reader->status != TT_OK)
            tt_error_prefix(reader->err, "features[%zu]", i);
    }
    parts->image.columns = (uint32_t)count;
    parts->image.low = low;
    parts->image.high = high;
    parts->image.gaps = gaps;
}

/* Whole numbers of a node, -1 for what is none. */
static int64_t item(const json_t *node, size_t i)
{
    const json_t *value = json_array_get(node, i);

    return json_is_integer(value) ? json_integer_value(value) : -2;
}

static bool read_node(const json_t *json, struct tt_forest_node *node)
{
    int64_t column = item(json, 0), samples = item(json, 2), value = item(json, 1);
    size_t count = json_array_size(json);
    double threshold = json_number_value(json_array_get(json, 1));

    if (column < -1 || column >= TT_FOREST_MAX_COLUMNS || samples < 0 ||
        samples > TT_FOREST_MAX_SAMPLE || count < 3 || count > 4)
        return false;
    node->samples = (uint32_t)samples;
    node->column = column < 0 ? TT_LEAF : (uint16_t)column;
    if (column < 0) {
        node->value = (uint8_t)value;
        return count == 3 && value >= 0 && value <= TT_FOREST_MOST_VALUE;
    }
    node->threshold = (float)threshold;
    node->gate = count == 4;
    return json_is_number(json_array_get(json, 1)) && isfinite(node->threshold) &&
           (count == 3 || item(json, 3) == 1);
}

static void read_trees(struct reader *reader, const json_t *root, struct parts *parts)
{
    const json_t *trees = json_object_get(root, "trees");
    size_t n_trees = json_array_size(trees), count = 0;
    uint32_t *first = reserve(reader, &parts->arena, n_trees + 1, sizeof(*first));
    struct tt_forest_node *nodes;

    if (n_trees != parts->image.options.trees)
        REFUSE(reader, "trees: %zu of them, options.trees says %u", n_trees,
               parts->image.options.trees);
    for (size_t tree = 0; reader->status == TT_OK && tree < n_trees; tree++)
        count += json_array_size(json_array_get(trees, tree));
    nodes = reserve(reader, &parts->arena, count, sizeof(*nodes));
    count = 0;
    for (size_t tree = 0; reader->status == TT_OK && tree < n_trees; tree++) {
        const json_t *from = json_array_get(trees, tree);
        first[tree] = (uint32_t)count;
        for (size_t i = 0; i < json_array_size(from); i++, count++)
            if (!read_node(json_array_get(from, i), &nodes[count]))
                REFUSE(reader, "trees[%zu][%zu]: not a node", tree, i);
        first[tree + 1] = (uint32_t)count;
    }
    parts->image.first = first;
    parts->image.nodes = nodes;
}

static void check_format(struct reader *reader, const json_t *root)
{
    struct tt_str format = text(reader, root, "format");
    uint64_t version = whole(reader, root, "version", INT64_MAX);

    if (!tt_str_equal(format, TT_STR(FORMAT)))
        REFUSE(reader, "format: not \"" FORMAT "\"");
    if (reader->status == TT_OK && version != VERSION)
        reader->status = tt_fail(reader->err, TT_UNSUPPORTED, "version %llu, this program reads %d",
                                 (unsigned long long)version, VERSION);
}

static void check_schema(struct reader *reader, const json_t *root, const struct parts *parts)
{
    char digits[17];

    (void)snprintf(digits, sizeof(digits), "%016llx",
                   (unsigned long long)tt_schema_hash(parts->names, parts->image.columns));
    if (!tt_str_equal(text(reader, root, "schema"), tt_str(digits)))
        REFUSE(reader, "schema: not that of the features, which is %s", digits);
}

static enum tt_status read_parts(const json_t *root, struct parts *parts, struct tt_error *err)
{
    struct reader reader = {TT_OK, err};

    if (!json_is_object(root))
        REFUSE(&reader, "not an object");
    check_format(&reader, root);
    if (reader.status == TT_OK)
        read_head(&reader, root, parts);
    if (reader.status == TT_OK)
        read_options(&reader, root, &parts->image);
    if (reader.status == TT_OK)
        read_features(&reader, root, parts);
    if (reader.status == TT_OK)
        check_schema(&reader, root, parts);
    if (reader.status == TT_OK)
        read_trees(&reader, root, parts);
    return reader.status;
}

enum tt_status tt_forest_model_read(struct tt_str json, struct tt_forest_model **ret_model,
                                    struct tt_error *err)
{
    TT_CLEANUP(json_decrefp) json_t *root = NULL;
    TT_CLEANUP(tt_forest_unrefp) struct tt_forest *forest = NULL;
    struct parts parts = {0};
    enum tt_status status;

    *ret_model = NULL;
    if (json.len > TT_MODEL_MAX_BYTES)
        return tt_fail(err, TT_TOO_LARGE, "a model of %zu bytes", json.len);
    status = tt_json_load(json, bounds, &root, err);
    if (status != TT_OK)
        return status;
    tt_arena_init(&parts.arena, 0, 0);
    status = read_parts(root, &parts, err);
    if (status == TT_OK)
        status = tt_forest_assemble(&parts.image, &forest, err);
    if (status == TT_OK)
        status = tt_forest_model_make(forest, parts.names, parts.image.columns, parts.trained_at_ns,
                                      ret_model, err);
    tt_arena_done(&parts.arena);
    return status;
}
