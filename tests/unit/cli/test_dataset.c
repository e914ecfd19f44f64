/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_csv.h"
#include "cli/dataset_graph.h"
#include "cli/dataset_label.h"
#include "cli/dataset_leak.h"
#include "tt_test.h"

#include <math.h>

/* ---- reading CSV ---- */

/* Reads text; cells are joined by '|' and records by '/'. The status is that of the last record. */
static enum tt_status read_csv(struct tt_str text, char *ret_joined, struct tt_error *err)
{
    struct tt_temp_dir dir;
    char path[768];
    const struct tt_str *cells;
    struct tt_csv *csv;
    size_t n, len = 0;
    enum tt_status status;

    tt_temp_dir_make(&dir);
    tt_test_write_file(tt_temp_path(&dir, "t.csv", path), text);
    assert_ok(tt_csv_open(path, &csv, err), err);
    while ((status = tt_csv_next(csv, &cells, &n, err)) == TT_OK && n > 0) {
        for (size_t i = 0; i < n; i++)
            len += (size_t)snprintf(ret_joined + len, 4096 - len, "%.*s%c", TT_STR_ARG(cells[i]),
                                    i + 1 < n ? '|' : '/');
    }
    ret_joined[len] = '\0';
    tt_csv_close(csv);
    tt_temp_dir_remove(&dir);
    return status;
}

static void records_are_cut_with_and_without_quotes(void **state)
{
    static const struct {
        const char *text, *joined;
    } cases[] = {
        {"", ""},
        {"a,b,c\n1,2,3\n", "a|b|c/1|2|3/"},
        {"a,b\n1,2", "a|b/1|2/"},
        {"a,b\r\n1,\r\n", "a|b/1|/"},
        {"a,\"b,c\"\n", "a|b,c/"},
        {"\"x \"\"y\"\"\",\"two\nlines\"\n3,4\n", "x \"y\"|two\nlines/3|4/"},
        {"\"\",\n", "|/"},
        {"\" a \",b\n", " a |b/"},
    };
    struct tt_error err;
    char joined[4096];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_ok(read_csv(tt_str(cases[i].text), joined, &err), &err);
        assert_string_equal(joined, cases[i].joined);
    }
}

static void bad_records_are_named_by_their_line(void **state)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"a\n\"two\nlines\"\n\"open", ":4:"},
        {"a,b\nx\"y\",2\n", ":2:"},
        {"a,b\n\"x\"y,2\n", ":2:"},
    };
    struct tt_error err;
    char joined[4096];

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        assert_status(read_csv(tt_str(cases[i].text), joined, &err), TT_INVALID_DATA);
        assert_non_null(strstr(err.message, cases[i].line));
    }
}

static void want_of_memory_is_not_a_bad_record(void **state)
{
    static const char *const records[] = {"a,b\n1,2\n", "\"a\",\"b\"\n1,\"2\"\n"};
    struct tt_temp_dir dir;
    char path[768];

    (void)state;
    tt_temp_dir_make(&dir);
    for (size_t i = 0; i < TT_LENGTH(records); i++) {
        enum tt_status status = TT_NO_MEMORY;
        tt_test_write_file(tt_temp_path(&dir, "t.csv", path), tt_str(records[i]));
        for (uint64_t after = 1; status == TT_NO_MEMORY; after++) {
            const struct tt_str *cells;
            struct tt_csv *csv = NULL;
            struct tt_error err = {.message = ""};
            size_t n = 1;
            assert_in_range(after, 1, 100);
            tt_mem_fail_after(after);
            status = tt_csv_open(path, &csv, &err);
            while (status == TT_OK && n > 0)
                status = tt_csv_next(csv, &cells, &n, &err);
            tt_mem_fail_after(0);
            tt_csv_close(csv);
            assert_null(strstr(err.message, "not a CSV record"));
        }
        assert_status(status, TT_OK);
    }
    tt_temp_dir_remove(&dir);
}

/* ---- the graph ---- */

static struct tt_str id(char *text, size_t digits, unsigned number)
{
    if (number == 0)
        return TT_STR("");
    (void)snprintf(text, 40, "%0*x", (int)digits, number);
    return tt_str(text);
}

struct span_line {
    unsigned trace, span, parent;
    uint64_t start_ns;
};

static struct tt_graph_counts count(const struct span_line *spans, size_t n)
{
    struct tt_graph *graph = tt_graph_new();
    struct tt_graph_counts counts;
    char a[40], b[40], c[40];

    assert_non_null(graph);
    for (size_t i = 0; i < n; i++)
        assert_non_null(tt_graph_add(graph, id(a, 32, spans[i].trace), id(b, 16, spans[i].span),
                                     id(c, 16, spans[i].parent),
                                     &(struct tt_graph_span){.start_ns = spans[i].start_ns}));
    tt_graph_link(graph, &counts);
    tt_graph_free(graph);
    return counts;
}

static void roots_orphans_duplicates_and_skew_are_counted(void **state)
{
    static const struct span_line spans[] = {
        {1, 2, 1, 20},                /* comes before its parent, but begins after it */
        {1, 1, 0, 10}, {1, 3, 1, 5},  /* begins before its parent */
        {2, 1, 9, 10},                /* its parent is nowhere: span 9 is of another trace */
        {3, 9, 0, 10}, {3, 9, 0, 10}, /* again */
        {4, 1, 1, 10},                /* its own parent */
        {0, 5, 0, 10},                /* without a trace */
    };
    struct tt_graph_counts counts = count(spans, TT_LENGTH(spans));

    (void)state;
    assert_int_equal(counts.spans, 8);
    assert_int_equal(counts.traces, 4);
    assert_int_equal(counts.roots, 4);
    assert_int_equal(counts.orphans, 1);
    assert_int_equal(counts.duplicates, 1);
    assert_int_equal(counts.skewed, 1);
    assert_int_equal(counts.without_trace, 1);
    assert_int_equal(counts.incomplete_traces, 2); /* 2 has an orphan, 4 no root */
}

static void a_hundred_thousand_spans_are_found_again(void **state)
{
    struct span_line *spans = calloc(100000, sizeof(*spans));
    struct tt_graph_counts counts;

    (void)state;
    assert_non_null(spans);
    for (unsigned i = 0; i < 100000; i++) /* traces of five in a chain, children first */
        spans[i] = (struct span_line){i / 5 + 1, 5 - i % 5, 4 - i % 5, 100 - i % 5};
    counts = count(spans, 100000);
    assert_int_equal(counts.traces, 20000);
    assert_int_equal(counts.roots, 20000);
    assert_int_equal(counts.orphans, 0);
    assert_int_equal(counts.duplicates, 0);
    assert_int_equal(counts.skewed, 0);
    free(spans);
}

/* The own time of a span is what its children leave, and errors are followed down to where they began. */
static void own_times_and_errors_are_those_of_the_span_itself(void **state)
{
    static const struct {
        unsigned span, parent;
        uint64_t duration_ns;
        enum tt_span_kind_code kind;
        bool is_error;
        double self_ns;
        bool below_error;
    } cases[] = {
        {1, 0, 100, TT_CODE_SERVER, true, 30, true}, /* less 2 and 3; 4 is a consumer */
        {2, 1, 50, TT_CODE_CLIENT, true, 0, true},   /* its child took longer than it */
        {3, 1, 20, TT_CODE_INTERNAL, false, 20, false},
        {4, 1, 90, TT_CODE_CONSUMER, false, 90, false},
        {5, 2, 60, TT_CODE_SERVER, true, 60, false}, /* where the error began */
        {6, 0, 30, TT_CODE_SERVER, true, 10, true},  /* its error came through 7, which has none */
        {7, 6, 20, TT_CODE_INTERNAL, false, 10, true},
        {8, 7, 10, TT_CODE_CLIENT, true, 10, false},
        {9, 10, 5, TT_CODE_INTERNAL, true, 0, true}, /* a ring */
        {10, 9, 5, TT_CODE_INTERNAL, true, 0, true},
    };
    struct tt_graph *graph = tt_graph_new();
    struct tt_graph_counts counts;
    const struct tt_graph_span *spans;
    char a[40], b[40], c[40];
    size_t n;

    (void)state;
    assert_non_null(graph);
    for (size_t i = 0; i < TT_LENGTH(cases); i++)
        assert_non_null(tt_graph_add(graph, id(a, 32, 7), id(b, 16, cases[i].span),
                                     id(c, 16, cases[i].parent),
                                     &(struct tt_graph_span){
                                         .duration_ns = cases[i].duration_ns,
                                         .kind = (uint8_t)cases[i].kind,
                                         .flags = cases[i].is_error ? TT_SPAN_ERROR : 0,
                                     }));
    tt_graph_link(graph, &counts);
    spans = tt_graph_spans(graph, &n);
    assert_int_equal(n, TT_LENGTH(cases));
    for (size_t i = 0; i < n; i++) {
        assert_true(fabs(tt_span_self_ns(&spans[i]) - cases[i].self_ns) < 1e-9);
        assert_int_equal((spans[i].flags & TT_SPAN_BELOW_ERROR) != 0, cases[i].below_error);
    }
    tt_graph_free(graph);
}

/* Three in ten, and always the same ones: these were computed by another program. */
static void which_traces_are_held_out_is_fixed(void **state)
{
    static const bool expected[] = {true,  false, true,  false, true,  true,  false,
                                    true,  true,  false, false, false, false, true,
                                    false, false, false, false, false, false};
    size_t held_out = 0;
    uint8_t trace_id[16] = {0};

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        trace_id[14] = (uint8_t)(i >> 8);
        trace_id[15] = (uint8_t)i;
        held_out += tt_trace_is_held_out(trace_id);
        if (i < TT_LENGTH(expected))
            assert_int_equal(tt_trace_is_held_out(trace_id), expected[i]);
    }
    assert_in_range(held_out, 2800, 3200);
}

/* ---- leaks ---- */

enum { CONSTANT, LEAK, HALF, NOISE, NUMBER, IDS, MISSING, ONE_TYPE, N_COLUMNS };

static void add_row(struct tt_leaks *leaks, unsigned number, uint64_t *seed)
{
    unsigned class = (unsigned)(tt_test_random(seed) % 4 / 2 * (1 + tt_test_random(seed) % 2));
    bool anomalous = class > 0, held_out = number % 3 == 0, ok = true;
    char noise[64], value[64], text_id[64];

    (void)snprintf(noise, sizeof(noise), "%u", (unsigned)(tt_test_random(seed) % 50));
    (void)snprintf(value, sizeof(value), "%u.5",
                   (unsigned)(tt_test_random(seed) % 100000) + (anomalous ? 200000 : 0));
    (void)snprintf(text_id, sizeof(text_id), "id-%u", number);
    struct tt_str cells[N_COLUMNS] = {
        [CONSTANT] = TT_STR("x"),
        [LEAK] = anomalous ? TT_STR("bad") : TT_STR("good"),
        [HALF] = anomalous && tt_test_random(seed) % 2 ? TT_STR("bad") : TT_STR("good"),
        [NOISE] = tt_str(noise),
        [NUMBER] = tt_str(value),
        [IDS] = tt_str(text_id),
        [MISSING] = anomalous ? TT_STR("7") : TT_STR(""),
        [ONE_TYPE] = class == 2 ? TT_STR("/only-here") : TT_STR("/"),
    };
    for (size_t i = 0; i < N_COLUMNS; i++)
        ok = ok && tt_leaks_add(leaks, i, cells[i], class, held_out);
    assert_true(ok);
}

static void only_columns_that_tell_the_class_are_leaks(void **state)
{
    static const struct {
        double low, high;
        size_t class; /* 0: all anomalous ones */
    } expected[N_COLUMNS] = {
        [CONSTANT] = {0.5, 0.5, 0}, [LEAK] = {1, 1, 0},       [HALF] = {0.72, 0.78, 0},
        [NOISE] = {0.45, 0.55, 0},  [NUMBER] = {0.999, 1, 0}, [IDS] = {0.45, 0.55, 0},
        [MISSING] = {1, 1, 0},      [ONE_TYPE] = {1, 1, 2},
    };
    struct tt_leaks *leaks = tt_leaks_new(N_COLUMNS);
    struct tt_leak leak;
    uint64_t seed = 7;

    (void)state;
    assert_non_null(leaks);
    for (unsigned i = 0; i < 40000; i++) /* more ids than a column remembers */
        add_row(leaks, i, &seed);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        assert_true(tt_leaks_judge(leaks, i, &leak));
        assert_true(leak.class_auc[expected[i].class] >= expected[i].low);
        assert_true(leak.class_auc[expected[i].class] <= expected[i].high);
    }
    assert_true(leak.roc_auc < 0.8); /* ONE_TYPE says little of all types */
    tt_leaks_free(leaks);
}

static void few_rows_are_not_judged(void **state)
{
    struct tt_leaks *leaks = tt_leaks_new(1);
    struct tt_leak leak;

    (void)state;
    for (unsigned i = 0; i < 190; i++)
        assert_true(tt_leaks_add(leaks, 0, i % 2 ? TT_STR("a") : TT_STR("b"), i % 2, i % 4 < 2));
    assert_true(tt_leaks_judge(leaks, 0, &leak));
    assert_true(isnan(leak.roc_auc));
    tt_leaks_free(leaks);
}

/* ---- the first pass ---- */

static void lines_without_evidence_need_no_reading(void **state)
{
    (void)state;
    assert_true(tt_relabel_may_learn(TT_STR("…http.request.header.x-anomaly-type…")));
    assert_true(tt_relabel_may_learn(TT_STR("…X-ANOMALY-TYPE…")));
    assert_true(tt_relabel_may_learn(TT_STR("…X-Anomaly-Type…")));
    assert_true(tt_relabel_may_learn(TT_STR("x-\\u0061nomaly-type")));
    assert_false(tt_relabel_may_learn(TT_STR("{\"resourceSpans\":[]}")));
    assert_false(tt_relabel_may_learn(TT_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_cut_with_and_without_quotes),
        cmocka_unit_test(bad_records_are_named_by_their_line),
        cmocka_unit_test(want_of_memory_is_not_a_bad_record),
        cmocka_unit_test(roots_orphans_duplicates_and_skew_are_counted),
        cmocka_unit_test(a_hundred_thousand_spans_are_found_again),
        cmocka_unit_test(own_times_and_errors_are_those_of_the_span_itself),
        cmocka_unit_test(which_traces_are_held_out_is_fixed),
        cmocka_unit_test(only_columns_that_tell_the_class_are_leaks),
        cmocka_unit_test(few_rows_are_not_judged),
        cmocka_unit_test(lines_without_evidence_need_no_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
