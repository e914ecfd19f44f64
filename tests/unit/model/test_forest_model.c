/* SPDX-License-Identifier: Apache-2.0 */
#include "model/forest_model.h"
#include "tt_test.h"

#define COLUMNS 3
#define ROWS    200
#define LIMIT   ((size_t)8 << 20)

static const struct tt_str names[COLUMNS] = {
    {"duration_ms", 11}, {"error", 5}, {"a \"b\"\\\t\xC3\xA4", 9}};

static struct tt_forest *forest_of(bool exact, enum tt_forest_metric metric)
{
    struct tt_forest_options options = tt_forest_options_default();
    float x[ROWS * COLUMNS];
    struct tt_rows rows = {x, ROWS, COLUMNS, COLUMNS};
    struct tt_forest *forest;
    struct tt_error err;
    uint64_t random = 5;

    for (size_t i = 0; i < TT_LENGTH(x); i++)
        x[i] = (float)(tt_test_random(&random) % 100000) / 7.0F;
    x[4] = __builtin_nanf("");
    options.trees = 20;
    options.exact = exact;
    options.metric = metric;
    options.contamination = 0.05;
    assert_ok(tt_forest_train(&options, &rows, NULL, UINT64_MAX, 7, &forest, &err), &err);
    return forest;
}

static struct tt_forest_model *model_of(bool exact, enum tt_forest_metric metric)
{
    struct tt_forest *forest = forest_of(exact, metric);
    struct tt_forest_model *model;
    struct tt_error err;

    assert_ok(
        tt_forest_model_make(forest, names, COLUMNS, UINT64_C(1790000000123456789), &model, &err),
        &err);
    tt_forest_unref(forest);
    return model;
}

static struct tt_buffer text_of(const struct tt_forest_model *model)
{
    struct tt_buffer text;
    struct tt_error err;

    tt_buffer_init(&text, LIMIT);
    assert_ok(tt_forest_model_write(model, &text, &err), &err);
    return text;
}

static void assert_same_bits(const struct tt_forest *a, const struct tt_forest *b)
{
    struct tt_buffer x, y;

    tt_buffer_init(&x, LIMIT);
    tt_buffer_init(&y, LIMIT);
    assert_ok(tt_forest_write(a, &x, NULL), NULL);
    assert_ok(tt_forest_write(b, &y, NULL), NULL);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    tt_buffer_done(&x);
    tt_buffer_done(&y);
}

/* ---- round trips ---- */

static void what_was_written_reads_back_bit_for_bit(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct tt_forest_model *model = model_of((i & 1) != 0, (enum tt_forest_metric)(i / 2)),
                               *again;
        struct tt_buffer text = text_of(model), second;
        struct tt_error err;
        assert_ok(tt_forest_model_read(tt_buffer_view(&text), &again, &err), &err);
        assert_same_bits(model->forest, again->forest);
        assert_int_equal(again->trained_at_ns, model->trained_at_ns);
        assert_true(again->schema == model->schema);
        assert_ok(tt_forest_model_check(again, names, COLUMNS, &err), &err);
        second = text_of(again);
        assert_str_equal(tt_buffer_view(&second), tt_buffer_view(&text));
        tt_buffer_done(&text);
        tt_buffer_done(&second);
        tt_forest_model_free(model);
        tt_forest_model_free(again);
    }
}

static void files_are_replaced_whole(void **state)
{
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED), *again;
    struct tt_temp_dir dir;
    char path[768], other[768];
    struct tt_error err;

    (void)state;
    tt_temp_dir_make(&dir);
    (void)tt_temp_path(&dir, "model.json", path);
    tt_test_write_file(path, TT_STR("old"));
    assert_ok(tt_forest_model_save(model, path, &err), &err);
    assert_ok(tt_forest_model_load(path, &again, &err), &err);
    assert_same_bits(model->forest, again->forest);
    tt_forest_model_free(again);
    assert_status(
        tt_forest_model_save(model, tt_temp_path(&dir, "no/such/place.json", other), &err),
        TT_NOT_FOUND);
    assert_status(tt_forest_model_load(other, &again, &err), TT_NOT_FOUND);
    assert_null(again);
    tt_temp_dir_remove(&dir);
    tt_forest_model_free(model);
}

static void a_faulty_file_is_named_with_line_and_column(void **state)
{
    struct tt_temp_dir dir;
    struct tt_forest_model *model;
    char path[768], expected[900];
    struct tt_error err;

    (void)state;
    tt_temp_dir_make(&dir);
    (void)tt_temp_path(&dir, "model.json", path);
    tt_test_write_file(path, TT_STR("{\n\"format\": oops}"));
    assert_status(tt_forest_model_load(path, &model, &err), TT_INVALID_DATA);
    (void)snprintf(expected, sizeof(expected), "%s: 2:", path);
    assert_memory_equal(err.message, expected, strlen(expected));
    tt_temp_dir_remove(&dir);
}

/* ---- names ---- */

static void other_features_are_refused(void **state)
{
    const struct tt_str swapped[] = {names[1], names[0], names[2]};
    const struct tt_str renamed[] = {names[0], TT_STR("errot"), names[2]};
    const struct tt_str more[] = {names[0], names[1], names[2], TT_STR("x")};
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED);
    struct tt_error err;

    (void)state;
    assert_ok(tt_forest_model_check(model, names, 3, &err), &err);
    assert_status(tt_forest_model_check(model, swapped, 3, &err), TT_INVALID_DATA);
    assert_non_null(strstr(err.message, "column 1 is \"error\", in the model \"duration_ms\""));
    assert_status(tt_forest_model_check(model, renamed, 3, &err), TT_INVALID_DATA);
    assert_status(tt_forest_model_check(model, names, 2, &err), TT_INVALID_DATA);
    assert_status(tt_forest_model_check(model, more, 4, &err), TT_INVALID_DATA);
    tt_forest_model_free(model);
}

static void names_that_are_none_are_refused(void **state)
{
    char long_name[TT_MODEL_MAX_NAME + 1] = {0};
    const struct tt_str bad[] = {TT_STR(""), TT_STR("duration_ms"), TT_STR("\xff"), TT_STR("a\0b"),
                                 tt_str_of(long_name, sizeof(long_name))};
    struct tt_forest *forest = forest_of(false, TT_METRIC_DEPTH);

    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    for (size_t i = 0; i < TT_LENGTH(bad); i++) {
        const struct tt_str features[] = {names[0], names[1], bad[i]};
        struct tt_forest_model *model;
        assert_status(tt_forest_model_make(forest, features, 3, 0, &model, NULL), TT_INVALID_DATA);
        assert_status(tt_forest_model_make(forest, features, 2, 0, &model, NULL), TT_INVALID_DATA);
        assert_null(model);
    }
    tt_forest_unref(forest);
}

static void the_hash_tells_names_and_their_order_apart(void **state)
{
    const struct tt_str joined[] = {TT_STR("ab"), TT_STR("c")},
                        other[] = {TT_STR("a"), TT_STR("bc")};
    const struct tt_str swapped[] = {TT_STR("c"), TT_STR("ab")};

    (void)state;
    assert_true(tt_schema_hash(joined, 2) != tt_schema_hash(other, 2));
    assert_true(tt_schema_hash(joined, 2) != tt_schema_hash(swapped, 2));
    /* FNV-1a of "a" and a NUL byte, by the definition */
    assert_true(tt_schema_hash(other, 1) ==
                (((UINT64_C(0xcbf29ce484222325) ^ 'a') * UINT64_C(0x100000001b3)) ^ 0) *
                    UINT64_C(0x100000001b3));
}

/* ---- text that is no model ---- */

static void cut_files_are_refused(void **state)
{
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED), *again;
    struct tt_buffer text = text_of(model);
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 300; i++) {
        size_t len = i < 100 ? (size_t)i : tt_test_random(&random) % (text.len - 2);
        struct tt_error err;
        assert_status(tt_forest_model_read(tt_str_of(text.data, len), &again, &err),
                      TT_INVALID_DATA);
        assert_null(again);
    }
    tt_buffer_done(&text);
    tt_forest_model_free(model);
}

/* The text with the first `what` replaced. */
static struct tt_buffer replaced(const struct tt_buffer *text, const char *what, const char *with)
{
    struct tt_buffer changed;
    const char *at;

    tt_buffer_init(&changed, LIMIT);
    tt_buffer_append(&changed, text->data, text->len);
    tt_buffer_append_byte(&changed, '\0');
    at = strstr(changed.data, what);
    if (at == NULL)
        print_error("not in the model: %s\n", what);
    assert_non_null(at);
    changed.len = (size_t)(at - changed.data);
    tt_buffer_append_str(&changed, tt_str(with));
    tt_buffer_append(&changed, text->data + (at - changed.data) + strlen(what),
                     text->len - (size_t)(at - changed.data) - strlen(what));
    return changed;
}

static void json_that_is_no_model_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *what, *with, *message;
        enum tt_status status;
    } cases[] = {
        {"telltale.forest", "telltale.series", "format: ", TT_INVALID_DATA},
        {"\"version\": 1", "\"version\": 2", "version 2, this program reads 1", TT_UNSUPPORTED},
        {"\"version\": 1", "\"version\": \"1\"", "version: ", TT_INVALID_DATA},
        {"\"trained_rows\": 200", "\"trained_rows\": -1", "trained_rows: ", TT_INVALID_DATA},
        {"\"seed\": \"1", "\"seed\": \"x", "seed: ", TT_INVALID_DATA},
        {"\"trained_at\": \"2", "\"trained_at\": \"x", "trained_at: ", TT_INVALID_DATA},
        {"\"trees\": 20", "\"trees\": 21", "trees: 20 of them", TT_INVALID_DATA},
        {"\"trees\": 20", "\"trees\": 2000", "trees: ", TT_INVALID_DATA},
        {"\"sample\": 200", "\"sample\": 100", "tree 0, node 0: 200 rows", TT_INVALID_DATA},
        {"\"max_depth\": 8", "\"max_depth\": 5", "tree 0: ", TT_INVALID_DATA},
        {"\"max_depth\": 8", "\"max_depth\": 8.5", "max_depth: ", TT_INVALID_DATA},
        {"\"score\": \"combined\"", "\"score\": \"width\"", "options.score: ", TT_INVALID_DATA},
        {"\"exact\": false", "\"exact\": 0", "exact: ", TT_INVALID_DATA},
        {"\"contamination\": 0.05", "\"contamination\": 7", "contamination: ", TT_INVALID_DATA},
        {"\"slope\": ", "\"slope\": -", "score: ", TT_INVALID_DATA},
        {"\"slope\": ", "\"slop\": ", "slope: ", TT_INVALID_DATA},
        {"\"offset\": ", "\"offset\": 1e999, \"o\": ", "", TT_INVALID_DATA},
        {"\"name\": \"error\"", "\"name\": \"duration_ms\"", "schema: ", TT_INVALID_DATA},
        {"\"name\": \"error\"", "\"name\": 7", "features[1]: name: ", TT_INVALID_DATA},
        {"\"low\": ", "\"low\": 1e300, \"l\": ", "features[0]: low: ", TT_INVALID_DATA},
        {"\"low\": ", "\"low\": 2e38, \"l\": ", "make bins: ", TT_INVALID_DATA},
        {"\"features\": [", "\"features\": [], \"f\": [", "features: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[7", "tree 0, node 0: column ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[-9", "trees[0][0]: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[1,2],[", "trees[0][0]: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[7,[", "trees[0][0]: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[1,1000,200],[", "tree 0, node 0: threshold ",
         TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[1,1e300,200],[", "trees[0][0]: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[-1,9,200],[", "tree 0: ", TT_INVALID_DATA},
        {"\"trees\": [\n[[", "\"trees\": [\n[[99999,9,200],[", "trees[0][0]: ", TT_INVALID_DATA},
        {"[-1,", "[-1,256,1],[-1,", "trees[0][", TT_INVALID_DATA},
    };
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED), *again;
    struct tt_buffer text = text_of(model);

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_buffer changed = replaced(&text, cases[i].what, cases[i].with);
        struct tt_error err = {0};
        enum tt_status status = tt_forest_model_read(tt_buffer_view(&changed), &again, &err);
        if (status != cases[i].status ||
            strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            print_error("%s -> %s: %s\n", cases[i].what, cases[i].with, err.message);
        assert_status(status, cases[i].status);
        assert_memory_equal(err.message, cases[i].message, strlen(cases[i].message));
        assert_null(again);
        tt_buffer_done(&changed);
    }
    tt_buffer_done(&text);
    tt_forest_model_free(model);
}

static void other_json_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "null",
                                        "[]",
                                        "{}",
                                        "7",
                                        "\"x\"",
                                        "{\"format\":\"telltale.forest\"}",
                                        "[[[[[[[[[[[[1]]]]]]]]]]]]",
                                        "\xff\xfe"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        struct tt_forest_model *model;
        struct tt_error err = {0};
        assert_status(tt_forest_model_read(tt_str(texts[i]), &model, &err), TT_INVALID_DATA);
        assert_true(err.message[0] != '\0');
    }
}

static void unknown_keys_are_no_fault(void **state)
{
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED), *again;
    struct tt_buffer text = text_of(model);
    struct tt_buffer changed = replaced(&text, "\"seed\"", "\"note\": {\"by\": [1]}, \"seed\"");
    struct tt_error err;

    (void)state;
    assert_ok(tt_forest_model_read(tt_buffer_view(&changed), &again, &err), &err);
    assert_same_bits(again->forest, model->forest);
    tt_buffer_done(&text);
    tt_buffer_done(&changed);
    tt_forest_model_free(model);
    tt_forest_model_free(again);
}

static bool read_once(void *context)
{
    struct tt_forest_model *model;
    enum tt_status status = tt_forest_model_read(tt_buffer_view(context), &model, NULL);

    assert_true(status == TT_OK || status == TT_NO_MEMORY);
    tt_forest_model_free(model);
    return status == TT_OK;
}

static void survives_memory_running_out(void **state)
{
    struct tt_forest_model *model = model_of(false, TT_METRIC_COMBINED);
    struct tt_buffer text = text_of(model);

    (void)state;
    tt_test_failing_allocations(read_once, &text);
    tt_buffer_done(&text);
    tt_forest_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_reads_back_bit_for_bit),
        cmocka_unit_test(files_are_replaced_whole),
        cmocka_unit_test(a_faulty_file_is_named_with_line_and_column),
        cmocka_unit_test(other_features_are_refused),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(the_hash_tells_names_and_their_order_apart),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(json_that_is_no_model_is_refused_with_its_place),
        cmocka_unit_test(other_json_is_refused),
        cmocka_unit_test(unknown_keys_are_no_fault),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("forest_model", tests, NULL, NULL);
}
