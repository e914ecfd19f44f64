/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forest.h"
#include "forest_test.h"

#define LIMIT ((size_t)16 << 20)

static struct tt_forest *some_forest(uint32_t trees, bool exact)
{
    struct tt_forest_options options = tt_forest_options_default();
    struct table table = table_make(300, 5, 2);
    struct tt_forest *forest;

    options.trees = trees;
    options.exact = exact;
    forest = forest_on(&table.rows, &options, UINT64_MAX);
    table_free(&table);
    return forest;
}

static struct tt_buffer bytes_of(const struct tt_forest *forest)
{
    struct tt_buffer bytes;
    struct tt_error err;

    tt_buffer_init(&bytes, LIMIT);
    assert_ok(tt_forest_write(forest, &bytes, &err), &err);
    return bytes;
}

static void what_was_written_reads_back_bit_for_bit(void **state)
{
    struct table table = table_make(200, 5, 44);

    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct tt_forest *forest = some_forest(30, exact != 0), *again;
        struct tt_buffer bytes = bytes_of(forest), second;
        float expected[200], scores[200];
        struct tt_error err;
        assert_ok(tt_forest_read(bytes.data, bytes.len, &again, &err), &err);
        second = bytes_of(again);
        assert_int_equal(second.len, bytes.len);
        assert_memory_equal(second.data, bytes.data, bytes.len);
        score_rows(forest, &table.rows, expected);
        score_rows(again, &table.rows, scores);
        assert_memory_equal(scores, expected, sizeof(scores));
        assert_true(tt_forest_threshold(again) == tt_forest_threshold(forest));
        tt_buffer_done(&bytes);
        tt_buffer_done(&second);
        tt_forest_unref(forest);
        tt_forest_unref(again);
    }
    table_free(&table);
}

static void cut_or_changed_bytes_are_refused(void **state)
{
    struct tt_forest *forest = some_forest(2, false), *again;
    struct tt_buffer bytes = bytes_of(forest);
    struct tt_random random = {3};

    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(tt_forest_read(bytes.data, len, &again, NULL), TT_OK);
    for (int i = 0; i < 2000; i++) {
        uint32_t at = tt_random_below(&random, (uint32_t)bytes.len);
        char bit = (char)(1 << tt_random_below(&random, 8));
        bytes.data[at] ^= bit;
        assert_int_not_equal(tt_forest_read(bytes.data, bytes.len, &again, NULL), TT_OK);
        assert_null(again);
        bytes.data[at] ^= bit;
    }
    bytes.data[8] = 2;
    assert_status(tt_forest_read(bytes.data, bytes.len, &again, NULL), TT_UNSUPPORTED);
    tt_buffer_done(&bytes);
    tt_forest_unref(forest);
}

static void forests_on_next_to_nothing_read_back_too(void **state)
{
    (void)state;
    for (size_t rows = 1; rows < 4; rows++) {
        struct table table = table_make(rows, 2, 1);
        struct tt_forest *forest = forest_on(&table.rows, NULL, 1), *again;
        struct tt_buffer bytes = bytes_of(forest);
        struct tt_error err;
        assert_ok(tt_forest_read(bytes.data, bytes.len, &again, &err), &err);
        assert_true(score_row(again, table.x) == score_row(forest, table.x));
        tt_buffer_done(&bytes);
        tt_forest_unref(forest);
        tt_forest_unref(again);
        table_free(&table);
    }
}

/* ---- parts that make no forest ---- */

struct parts {
    struct tt_forest *forest;
    struct tt_forest_image image;
    uint32_t *first;
    struct tt_forest_node *nodes;
    float *low, *high;
};

static struct parts parts_of_a_forest(void)
{
    struct parts parts = {.forest = some_forest(3, false)};
    uint32_t count;

    parts.image = tt_forest_view(parts.forest);
    count = parts.image.first[3];
    parts.first = test_malloc(4 * sizeof(*parts.first));
    parts.nodes = test_malloc(count * sizeof(*parts.nodes));
    parts.low = test_malloc(5 * sizeof(float));
    parts.high = test_malloc(5 * sizeof(float));
    memcpy(parts.first, parts.image.first, 4 * sizeof(*parts.first));
    memcpy(parts.nodes, parts.image.nodes, count * sizeof(*parts.nodes));
    memcpy(parts.low, parts.image.low, 5 * sizeof(float));
    memcpy(parts.high, parts.image.high, 5 * sizeof(float));
    parts.image.first = parts.first;
    parts.image.nodes = parts.nodes;
    parts.image.low = parts.low;
    parts.image.high = parts.high;
    return parts;
}

static void parts_free(struct parts *parts)
{
    tt_forest_unref(parts->forest);
    test_free(parts->first);
    test_free(parts->nodes);
    test_free(parts->low);
    test_free(parts->high);
}

static uint32_t first_leaf(const struct parts *parts)
{
    uint32_t i = 0;

    while (parts->nodes[i].column != TT_LEAF)
        i++;
    return i;
}

static void spoil(struct parts *parts, int how)
{
    struct tt_forest_image *image = &parts->image;

    switch (how) {
    case 0:
        parts->nodes[0].column = 5;
        break;
    case 1:
        parts->nodes[0].column = TT_LEAF;
        break;
    case 2:
        parts->nodes[first_leaf(parts)].column = 0;
        break;
    case 3:
        parts->nodes[0].threshold = 255.0F;
        break;
    case 4:
        parts->nodes[0].threshold = 1.5F;
        break;
    case 5:
        parts->nodes[0].threshold = NAN;
        break;
    case 6:
        parts->nodes[0].samples++;
        break;
    case 7:
        parts->nodes[first_leaf(parts)].samples = 257;
        break;
    case 8:
        parts->first[1]++;
        break;
    case 9:
        parts->first[1] = 0;
        break;
    case 10:
        parts->first[2] = parts->first[1];
        break;
    case 11:
        parts->first[0] = 1;
        break;
    case 12:
        parts->low[2] = parts->high[2] + 1.0F;
        break;
    case 13:
        parts->high[4] = INFINITY;
        break;
    case 14:
        image->slope = (double)NAN;
        break;
    case 15:
        image->slope = -1.0;
        break;
    case 16:
        image->offset = (double)INFINITY;
        break;
    case 17:
        image->threshold = 1.5F;
        break;
    case 18:
        image->columns = 0;
        break;
    case 19:
        image->options.max_depth = 7;
        break;
    case 20:
        image->options.trees = 0;
        break;
    case 21:
        image->columns = 40000;
        break;
    default:
        fail();
    }
}

static void parts_that_make_no_forest_are_refused(void **state)
{
    (void)state;
    for (int how = 0; how < 22; how++) {
        struct parts parts = parts_of_a_forest();
        struct tt_forest *again;
        struct tt_error err = {0};
        assert_ok(tt_forest_assemble(&parts.image, &again, &err), &err);
        tt_forest_unref(again);
        spoil(&parts, how);
        assert_status(tt_forest_assemble(&parts.image, &again, &err), TT_INVALID_DATA);
        assert_null(again);
        assert_true(err.message[0] != '\0');
        parts_free(&parts);
    }
}

static bool read_once(void *context)
{
    struct tt_buffer *bytes = context;
    struct tt_forest *forest;
    enum tt_status status = tt_forest_read(bytes->data, bytes->len, &forest, NULL);

    assert_true(status == TT_OK || status == TT_NO_MEMORY);
    tt_forest_unref(forest);
    return status == TT_OK;
}

static void survives_memory_running_out(void **state)
{
    struct tt_forest *forest = some_forest(3, false);
    struct tt_buffer bytes = bytes_of(forest);

    (void)state;
    tt_test_failing_allocations(read_once, &bytes);
    tt_buffer_done(&bytes);
    tt_forest_unref(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_reads_back_bit_for_bit),
        cmocka_unit_test(cut_or_changed_bytes_are_refused),
        cmocka_unit_test(forests_on_next_to_nothing_read_back_too),
        cmocka_unit_test(parts_that_make_no_forest_are_refused),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("forest_bytes", tests, NULL, NULL);
}
