/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "detect/forest_internal.h"
#include "detect/plain_bytes.h"

#include <math.h>

#define VERSION     1
#define RANGE_BYTES 9
#define NODE_BYTES  12
#define HASH_BYTES  8

static const char magic[8] = {'T', 'T', 'F', 'O', 'R', 'E', 'S', 'T'};

/* ---- from parts ---- */

static enum tt_status check_node(const struct tt_forest_image *image, uint32_t tree, uint32_t at,
                                 const struct tt_forest_node *node, struct tt_error *err)
{
    bool is_bin = node->threshold >= 0.0F && node->threshold <= TT_BIN_ABOVE &&
                  node->threshold == truncf(node->threshold);

    if (node->samples > image->options.sample)
        return tt_fail(err, TT_INVALID_DATA, "tree %u, node %u: %u rows in it, the tree has %u",
                       tree, at, node->samples, image->options.sample);
    if (node->column == TT_LEAF)
        return TT_OK;
    if (node->column >= image->columns)
        return tt_fail(err, TT_INVALID_DATA, "tree %u, node %u: column %u of %u", tree, at,
                       node->column, image->columns);
    if (image->options.exact ? !isfinite(node->threshold) : !is_bin)
        return tt_fail(err, TT_INVALID_DATA, "tree %u, node %u: threshold %g is no %s", tree, at,
                       (double)node->threshold, image->options.exact ? "number" : "bin");
    return TT_OK;
}

/* nodes: the forest's own copy, whose links are made here. */
static enum tt_status check_tree(const struct tt_forest_image *image, uint32_t tree,
                                 struct tt_forest_node *nodes, uint32_t count, struct tt_error *err)
{
    uint32_t max_depth = image->options.max_depth;
    enum tt_status status = TT_OK;

    for (uint32_t i = 0; status == TT_OK && i < count; i++)
        status = check_node(image, tree, i, &nodes[i], err);
    if (status != TT_OK)
        return status;
    if (!tt_tree_link(nodes, count, max_depth == 0 ? TT_FOREST_MAX_DEPTH : max_depth))
        return tt_fail(err, TT_INVALID_DATA, "tree %u: %u nodes are no tree of at most %u levels",
                       tree, count, max_depth == 0 ? TT_FOREST_MAX_DEPTH : max_depth);
    for (uint32_t i = 0; i < count; i++) {
        const struct tt_forest_node *left = &nodes[nodes[i].left];
        if (nodes[i].column != TT_LEAF && left[0].samples + left[1].samples != nodes[i].samples)
            return tt_fail(err, TT_INVALID_DATA, "tree %u, node %u: %u rows, %u and %u below it",
                           tree, i, nodes[i].samples, left[0].samples, left[1].samples);
    }
    return TT_OK;
}

static enum tt_status check_numbers(const struct tt_forest_image *image, struct tt_error *err)
{
    struct tt_forest_options options = image->options;
    enum tt_status status;

    /* A sample of one row is none to ask for, but what a table of one row gives. */
    options.sample += options.sample == 1;
    status = tt_forest_options_check(&options, err);
    if (status != TT_OK)
        return status;
    if (image->columns == 0 || image->columns > TT_FOREST_MAX_COLUMNS)
        return tt_fail(err, TT_INVALID_DATA, "columns: %u is not between 1 and %d", image->columns,
                       TT_FOREST_MAX_COLUMNS);
    if (!isfinite(image->slope) || image->slope < 0.0 || !isfinite(image->offset))
        return tt_fail(err, TT_INVALID_DATA, "score: slope %g and offset %g are no increasing line",
                       image->slope, image->offset);
    if (!(image->threshold >= 0.0F && image->threshold <= 1.0F))
        return tt_fail(err, TT_INVALID_DATA, "threshold: %g is not in [0, 1]",
                       (double)image->threshold);
    return TT_OK;
}

/* Where trees begin: each has a node at least, and no more than its sample and gates can make. */
static enum tt_status check_first(const struct tt_forest_image *image, struct tt_error *err)
{
    uint32_t most = 2 * image->options.sample + (4U << TT_FOREST_FAST_DEPTH);

    if (image->first[0] != 0)
        return tt_fail(err, TT_INVALID_DATA, "tree 0: begins at node %u", image->first[0]);
    for (uint32_t tree = 0; tree < image->options.trees; tree++)
        if (image->first[tree + 1] <= image->first[tree] ||
            image->first[tree + 1] - image->first[tree] > most)
            return tt_fail(err, TT_INVALID_DATA, "tree %u: not between 1 and %u nodes", tree, most);
    return TT_OK;
}

static enum tt_status copy_parts(const struct tt_forest_image *image, struct tt_forest *forest,
                                 struct tt_error *err)
{
    TT_CLEANUP(tt_freep) struct tt_bin_range *ranges = tt_calloc(image->columns, sizeof(*ranges));
    uint32_t trees = image->options.trees, nodes = image->first[trees];

    forest->first = tt_calloc(trees + 1, sizeof(*forest->first));
    forest->nodes = tt_calloc(nodes, sizeof(*forest->nodes));
    if (ranges == NULL || forest->first == NULL || forest->nodes == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a forest of %u nodes", nodes);
    for (uint32_t c = 0; c < image->columns; c++)
        ranges[c] = (struct tt_bin_range){image->low[c], image->high[c], image->gaps[c]};
    memcpy(forest->first, image->first, (trees + 1) * sizeof(*forest->first));
    memcpy(forest->nodes, image->nodes, nodes * sizeof(*forest->nodes));
    forest->seed = image->seed;
    forest->generation = image->generation;
    forest->trained_rows = image->trained_rows;
    forest->slope = image->slope;
    forest->offset = image->offset;
    forest->threshold = image->threshold;
    return tt_bins_make(ranges, image->columns, &forest->bins, err);
}

static enum tt_status assemble(const struct tt_forest_image *image, struct tt_forest *forest,
                               struct tt_error *err)
{
    enum tt_status status = copy_parts(image, forest, err);

    for (uint32_t tree = 0; status == TT_OK && tree < image->options.trees; tree++)
        status = check_tree(image, tree, forest->nodes + forest->first[tree],
                            forest->first[tree + 1] - forest->first[tree], err);
    if (status == TT_OK)
        status = tt_forest_tables_make(forest, err);
    return status == TT_OK ? tt_forest_expect(forest, err) : status;
}

enum tt_status tt_forest_assemble(const struct tt_forest_image *image,
                                  struct tt_forest **ret_forest, struct tt_error *err)
{
    struct tt_forest *forest;
    enum tt_status status = check_numbers(image, err);

    *ret_forest = NULL;
    if (status == TT_OK)
        status = check_first(image, err);
    if (status != TT_OK)
        return status;
    forest = tt_forest_new(&image->options);
    if (forest == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a forest");
    status = assemble(image, forest, err);
    if (status == TT_OK)
        *ret_forest = forest;
    else
        tt_forest_unref(forest);
    return status;
}

/* ---- bytes ---- */

void tt_forest_put_options(struct tt_buffer *to, const struct tt_forest_options *options)
{
    tt_put(to, options->trees, 4);
    tt_put(to, options->sample, 4);
    tt_put(to, options->max_depth, 4);
    tt_put(to, options->metric, 1);
    tt_put(to, options->exact, 1);
    tt_put(to, options->gates, 1);
    tt_put_double(to, options->contamination);
    tt_put_double(to, options->threshold);
}

static void put_head(struct tt_buffer *to, const struct tt_forest_image *image)
{
    tt_forest_put_options(to, &image->options);
    tt_put(to, image->seed, 8);
    tt_put(to, image->generation, 8);
    tt_put(to, image->trained_rows, 8);
    tt_put(to, image->columns, 4);
    tt_put_double(to, image->slope);
    tt_put_double(to, image->offset);
    tt_put_float(to, image->threshold);
}

enum tt_status tt_forest_write(const struct tt_forest *forest, struct tt_buffer *to,
                               struct tt_error *err)
{
    struct tt_forest_image image = tt_forest_view(forest);
    size_t start = to->len;

    tt_buffer_append(to, magic, sizeof(magic));
    tt_put(to, VERSION, 4);
    put_head(to, &image);
    for (uint32_t c = 0; c < image.columns; c++) {
        tt_put_float(to, image.low[c]);
        tt_put_float(to, image.high[c]);
        tt_put(to, image.gaps[c], 1);
    }
    for (uint32_t tree = 1; tree <= image.options.trees; tree++)
        tt_put(to, image.first[tree], 4);
    for (uint32_t i = 0; i < image.first[image.options.trees]; i++) {
        const struct tt_forest_node *node = &image.nodes[i];
        tt_put_float(to, node->threshold);
        tt_put(to, node->samples, 4);
        tt_put(to, node->column, 2);
        tt_put(to, node->value, 1);
        tt_put(to, node->gate, 1);
    }
    if (to->failed == TT_OK)
        tt_put(to, tt_bytes_hash(to->data + start, to->len - start), HASH_BYTES);
    return tt_buffer_check(to, "write a forest", err);
}

static void get_head(struct tt_byte_reader *reader, struct tt_forest_image *image)
{
    unsigned metric;

    image->options.trees = (uint32_t)tt_get(reader, 4);
    image->options.sample = (uint32_t)tt_get(reader, 4);
    image->options.max_depth = (uint32_t)tt_get(reader, 4);
    metric = (unsigned)tt_get(reader, 1);
    image->options.metric = (enum tt_forest_metric)metric;
    image->options.exact = tt_get(reader, 1) != 0;
    image->options.gates = tt_get(reader, 1) != 0;
    image->options.contamination = tt_get_double(reader);
    image->options.threshold = tt_get_double(reader);
    image->seed = tt_get(reader, 8);
    image->generation = tt_get(reader, 8);
    image->trained_rows = tt_get(reader, 8);
    image->columns = (uint32_t)tt_get(reader, 4);
    image->slope = tt_get_double(reader);
    image->offset = tt_get_double(reader);
    image->threshold = tt_get_float(reader);
}

/* What follows the head, into one allocation; the sizes in the head are checked against the bytes before. */
static enum tt_status get_body(struct tt_byte_reader *reader, struct tt_forest_image *image,
                               struct tt_forest **ret_forest, struct tt_error *err)
{
    size_t columns = image->columns, trees = image->options.trees;
    size_t left = (size_t)(reader->end - reader->at), fixed = columns * RANGE_BYTES + trees * 4;
    size_t count = left < fixed ? 0 : (left - fixed) / NODE_BYTES;
    TT_CLEANUP(tt_freep) float *ranges = tt_calloc(columns * 2, sizeof(*ranges));
    TT_CLEANUP(tt_freep) bool *gaps = tt_calloc(columns, sizeof(*gaps));
    TT_CLEANUP(tt_freep) uint32_t *first = tt_calloc(trees + 1, sizeof(*first));
    TT_CLEANUP(tt_freep) struct tt_forest_node *nodes = tt_calloc(count + 1, sizeof(*nodes));

    if (left < fixed || (left - fixed) % NODE_BYTES != 0)
        return tt_fail(err, TT_INVALID_DATA, "read a forest: %zu bytes left for its nodes", left);
    if (ranges == NULL || gaps == NULL || first == NULL || nodes == NULL)
        return tt_fail(err, TT_NO_MEMORY, "read a forest of %zu nodes", count);
    for (size_t c = 0; c < columns; c++) {
        ranges[c] = tt_get_float(reader);
        ranges[columns + c] = tt_get_float(reader);
        gaps[c] = tt_get(reader, 1) != 0;
    }
    for (size_t tree = 1; tree <= trees; tree++)
        first[tree] = (uint32_t)tt_get(reader, 4);
    if (first[trees] != count)
        return tt_fail(err, TT_INVALID_DATA, "read a forest: %u nodes announced, %zu there",
                       first[trees], count);
    for (size_t i = 0; i < count; i++) {
        nodes[i].threshold = tt_get_float(reader);
        nodes[i].samples = (uint32_t)tt_get(reader, 4);
        nodes[i].column = (uint16_t)tt_get(reader, 2);
        nodes[i].value = (uint8_t)tt_get(reader, 1);
        nodes[i].gate = tt_get(reader, 1) != 0;
    }
    image->low = ranges;
    image->high = ranges + columns;
    image->gaps = gaps;
    image->first = first;
    image->nodes = nodes;
    return tt_forest_assemble(image, ret_forest, err);
}

enum tt_status tt_forest_read(const void *bytes, size_t size, struct tt_forest **ret_forest,
                              struct tt_error *err)
{
    struct tt_forest_image image = {0};
    struct tt_byte_reader reader = {bytes, (const uint8_t *)bytes + size, false}, hash;
    enum tt_status status;
    uint64_t version;

    *ret_forest = NULL;
    if (size < sizeof(magic) + 4 + HASH_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
        return tt_fail(err, TT_INVALID_DATA, "read a forest: %zu bytes that are none", size);
    reader.at += sizeof(magic);
    reader.end -= HASH_BYTES;
    hash = (struct tt_byte_reader){reader.end, reader.end + HASH_BYTES, false};
    version = tt_get(&reader, 4);
    if (version != VERSION)
        return tt_fail(err, TT_UNSUPPORTED, "read a forest: version %u, this program reads %d",
                       (unsigned)version, VERSION);
    if (tt_get(&hash, HASH_BYTES) != tt_bytes_hash(bytes, size - HASH_BYTES))
        return tt_fail(err, TT_INVALID_DATA, "read a forest: cut or changed");
    get_head(&reader, &image);
    if (reader.ended)
        return tt_fail(err, TT_INVALID_DATA, "read a forest: cut");
    status = check_numbers(&image, err);
    return status == TT_OK ? get_body(&reader, &image, ret_forest, err) : status;
}
