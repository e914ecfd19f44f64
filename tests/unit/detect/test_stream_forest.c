/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/stream_forest.h"
#include "forest_test.h"

#define COLUMNS 8

/* Counted in rows, small enough for a test. */
static struct tt_stream_forest_options row_options(void)
{
    struct tt_stream_forest_options options = tt_stream_forest_options_default();

    options.recent = 1024;
    options.long_run = 1024;
    options.half_life = 4000;
    options.long_half_life = 40000;
    options.retrain_after = 0;
    options.retrain_rows = 1000;
    options.forest.contamination = 0.05;
    return options;
}

static struct tt_stream_forest *stream_of(const struct tt_stream_forest_options *options)
{
    struct tt_stream_forest *stream;
    struct tt_error err;

    assert_ok(tt_stream_forest_new(options, COLUMNS, 7, &stream, &err), &err);
    return stream;
}

static void push(struct tt_stream_forest *stream, const struct tt_rows *rows, const int64_t *when,
                 float *ret_scores)
{
    struct tt_error err;

    assert_ok(tt_stream_forest_push(stream, rows, when, ret_scores, &err), &err);
}

/* Normal rows; every bad_every-th off in two columns (0: none). */
static struct table make_rows(size_t count, size_t bad_every, uint64_t seed, uint8_t *labels)
{
    struct table table = table_make(count, COLUMNS, seed);

    for (size_t i = 0; i < count; i++) {
        bool bad = bad_every != 0 && i % bad_every == 0;
        if (labels != NULL)
            labels[i] = bad;
        if (bad) {
            table.x[i * COLUMNS] += 3.0F;
            table.x[i * COLUMNS + 3] -= 3.0F;
        }
    }
    return table;
}

/* ---- order ---- */

static void how_rows_are_cut_into_calls_makes_no_difference(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(3000, 50, 1, NULL);
    float *whole = test_malloc(3000 * sizeof(float)), *cut = test_malloc(3000 * sizeof(float));
    struct tt_stream_forest *a = stream_of(&options), *b = stream_of(&options);
    struct tt_random random = {2};

    (void)state;
    push(a, &table.rows, NULL, whole);
    for (size_t from = 0; from < 3000;) {
        size_t count = 1 + tt_random_below(&random, 200);
        struct tt_rows some = {tt_row(&table.rows, from), count, COLUMNS, COLUMNS};
        some.count = from + count > 3000 ? 3000 - from : count;
        push(b, &some, NULL, cut + from);
        from += some.count;
    }
    assert_memory_equal(whole, cut, 3000 * sizeof(float));
    tt_stream_forest_free(a);
    tt_stream_forest_free(b);
    table_free(&table);
    test_free(whole);
    test_free(cut);
}

static void a_score_depends_on_earlier_rows_only(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(2000, 0, 1, NULL);
    float *before = test_malloc(2000 * sizeof(float)), *after = test_malloc(2000 * sizeof(float));
    struct tt_stream_forest *a = stream_of(&options), *b = stream_of(&options);

    (void)state;
    push(a, &table.rows, NULL, before);
    for (size_t i = 1200 * COLUMNS; i < 2000 * COLUMNS; i++)
        table.x[i] = 100.0F;
    push(b, &table.rows, NULL, after);
    assert_memory_equal(before, after, 1200 * sizeof(float));
    assert_true(after[1200] > before[1200]);
    tt_stream_forest_free(a);
    tt_stream_forest_free(b);
    table_free(&table);
    test_free(before);
    test_free(after);
}

static void there_is_no_score_before_the_first_forest(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(100, 0, 1, NULL);
    struct tt_stream_forest *stream = stream_of(&options);
    float scores[100];

    (void)state;
    assert_null(tt_stream_forest_current(stream));
    push(stream, &table.rows, NULL, scores);
    for (size_t i = 0; i < 100; i++)
        assert_true((isnan(scores[i]) != 0) == (i < 64));
    tt_stream_forest_free(stream);
    table_free(&table);
}

/* ---- retraining ---- */

static void retrains_by_count_and_at_each_doubling(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(1, 0, 1, NULL);
    struct tt_stream_forest *stream = stream_of(&options);
    /* learnt when the generation came into force */
    static const uint64_t expected[] = {64, 128, 256, 512, 1024, 2024, 3024, 4024};
    uint64_t next = 0;

    (void)state;
    for (uint64_t i = 0; i < 4500; i++) {
        struct tt_forest *before = tt_stream_forest_current(stream), *after;
        float score;
        table.x[0] = (float)i;
        push(stream, &table.rows, NULL, &score);
        after = tt_stream_forest_current(stream);
        if (after != before) {
            assert_in_range(next, 0, TT_LENGTH(expected) - 1);
            assert_int_equal(i, expected[next]);
            assert_int_equal(tt_forest_generation(after), next);
            next++;
        }
        tt_forest_unref(before);
        tt_forest_unref(after);
    }
    assert_int_equal(next, TT_LENGTH(expected));
    tt_stream_forest_free(stream);
    table_free(&table);
}

static void retrains_by_time(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(100, 0, 1, NULL);
    struct tt_stream_forest *stream;
    struct tt_forest *forest;
    int64_t when[100];
    float scores[100];

    (void)state;
    options.retrain_rows = 0;
    options.retrain_after = 1000;
    stream = stream_of(&options);
    for (size_t i = 0; i < 100; i++)
        when[i] = (int64_t)i;
    push(stream, &table.rows, when, scores);
    assert_false(tt_stream_forest_due(stream, 1063));
    assert_true(tt_stream_forest_due(stream, 1064)); /* the first was at 64 */
    assert_true(tt_stream_forest_due(stream, INT64_MAX));
    assert_false(tt_stream_forest_due(stream, INT64_MIN));
    when[0] = 1064;
    table.rows.count = 1;
    push(stream, &table.rows, when, scores);
    forest = tt_stream_forest_current(stream);
    assert_int_equal(tt_forest_generation(forest), 1);
    tt_forest_unref(forest);
    tt_stream_forest_free(stream);
    table_free(&table);
}

static void a_job_trains_apart_and_is_swapped_in_whole(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table table = make_rows(500, 0, 1, NULL);
    struct tt_stream_forest *stream = stream_of(&options);
    struct tt_stream_job *first, *second;
    struct tt_forest *forest;
    struct tt_error err;

    (void)state;
    tt_stream_forest_learn(stream, &table.rows, NULL, NULL);
    assert_int_equal(tt_stream_forest_learnt(stream), 500);
    assert_true(tt_stream_forest_due(stream, 500));
    assert_ok(tt_stream_job_new(stream, 500, &first, &err), &err);
    assert_false(tt_stream_forest_due(stream, 500)); /* one job at a time */
    assert_ok(tt_stream_job_new(stream, 500, &second, &err), &err);
    tt_stream_forest_learn(stream, &table.rows, NULL, NULL); /* the copies do not mind */
    assert_ok(tt_stream_job_train(first, &err), &err);
    assert_ok(tt_stream_job_train(second, &err), &err);
    assert_null(tt_stream_forest_current(stream));
    tt_stream_job_swap(stream, second);
    tt_stream_job_swap(stream, first); /* late, and older */
    forest = tt_stream_forest_current(stream);
    assert_int_equal(tt_forest_generation(forest), 1);
    assert_true(tt_stream_forest_threshold(stream) == tt_forest_threshold(forest));
    tt_stream_job_free(first);
    tt_stream_job_free(second);
    tt_stream_forest_free(stream);
    assert_true(score_row(forest, table.x) >= 0.0F); /* outlives the stream */
    tt_forest_unref(forest);
    table_free(&table);
}

/* ---- what it is for ---- */

static void one_pass_ranks_as_well_as_a_forest_that_saw_everything(void **state)
{
    struct tt_stream_forest_options options = row_options();
    uint8_t labels[6000];
    struct table table = make_rows(6000, 40, 3, labels);
    float *scores = test_malloc(6000 * sizeof(float));
    struct tt_stream_forest *stream = stream_of(&options);
    struct tt_forest *forest = forest_on(&table.rows, &options.forest, 1);
    double once, whole;

    (void)state;
    score_rows(forest, &table.rows, scores);
    whole = auc_of(scores, labels, 6000);
    push(stream, &table.rows, NULL, scores);
    once = auc_of(scores + 64, labels + 64, 6000 - 64);
    assert_true(whole > 0.95);
    assert_true(once > whole - 0.02);
    tt_stream_forest_free(stream);
    tt_forest_unref(forest);
    table_free(&table);
    test_free(scores);
}

static double mean_score(const struct tt_stream_forest *stream, const struct tt_rows *rows,
                         double *ret_share_over)
{
    struct tt_forest *forest = tt_stream_forest_current(stream);
    float *scores = test_malloc(rows->count * sizeof(float));
    double sum = 0.0, over = 0.0;

    score_rows(forest, rows, scores);
    for (size_t i = 0; i < rows->count; i++) {
        sum += (double)scores[i];
        over += scores[i] >= tt_stream_forest_threshold(stream);
    }
    *ret_share_over = over / (double)rows->count;
    test_free(scores);
    tt_forest_unref(forest);
    return sum / (double)rows->count;
}

/* A forest that never forgets lets the score of normal rows slide as the stream goes on. */
static void a_steady_stream_keeps_its_scores(void **state)
{
    static const size_t stops[] = {3000, 10000, 40000};
    struct tt_stream_forest_options options = row_options();
    struct tt_stream_forest *stream = stream_of(&options);
    struct table held = make_rows(4000, 0, 1234, NULL);
    float *scores = test_malloc(40000 * sizeof(float));
    size_t fed = 0;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(stops); i++) {
        struct table table = make_rows(stops[i] - fed, 0, 50 + i, NULL);
        double share;
        push(stream, &table.rows, NULL, scores);
        assert_true(fabs(mean_score(stream, &held.rows, &share) - 0.5) < 0.03);
        assert_true(share > 0.03 && share < 0.08);
        fed = stops[i];
        table_free(&table);
    }
    test_free(scores);
    tt_stream_forest_free(stream);
    table_free(&held);
}

static void what_is_gone_is_forgotten_and_what_stays_is_believed(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct tt_stream_forest *stream;
    struct table before = make_rows(8000, 0, 1, NULL), after = make_rows(60000, 0, 2, NULL);
    float *scores = test_malloc(60000 * sizeof(float));
    double old_share, share;

    (void)state;
    options.long_half_life = 8000;
    stream = stream_of(&options);
    for (size_t i = 0; i < 60000 * COLUMNS; i += COLUMNS)
        after.x[i] += 6.0F; /* a new level of the first column */
    push(stream, &before.rows, NULL, scores);
    after.rows.count = 2000;
    (void)mean_score(stream, &after.rows, &share);
    assert_true(share > 0.9);
    after.rows.count = 60000;
    push(stream, &after.rows, NULL, scores);
    assert_true(fabs(mean_score(stream, &after.rows, &share) - 0.5) < 0.05);
    assert_true(share < 0.10);
    assert_true(mean_score(stream, &before.rows, &old_share) > 0.7);
    tt_stream_forest_free(stream);
    table_free(&before);
    table_free(&after);
    test_free(scores);
}

/* Of rows on a new level, how many are alarms still, after so many of them. */
static double share_still_alarms(size_t n_after)
{
    struct tt_stream_forest_options options = row_options();
    struct table before = make_rows(8000, 0, 1, NULL), after = make_rows(n_after, 0, 2, NULL);
    float *scores = test_malloc((n_after > 8000 ? n_after : 8000) * sizeof(float));
    struct tt_stream_forest *stream;
    double share;

    options.long_half_life = 8000;
    stream = stream_of(&options);
    for (size_t i = 0; i < n_after * COLUMNS; i += COLUMNS)
        after.x[i] += 6.0F;
    push(stream, &before.rows, NULL, scores);
    push(stream, &after.rows, NULL, scores);
    (void)mean_score(stream, &after.rows, &share);
    tt_stream_forest_free(stream);
    table_free(&before);
    table_free(&after);
    test_free(scores);
    return share;
}

/* Trust grows with the time that a change has lasted: after a quarter of a half-life it is a fault, after two it is how things are. */
static void a_change_is_believed_once_it_has_lasted(void **state)
{
    (void)state;
    assert_true(share_still_alarms(1000) > 0.9);
    assert_true(share_still_alarms(8000) < 0.1);
}

/* Recall of anomalies after `good` rows, and again after `flood` rows of which a fifth are such; both thresholds. */
struct flood {
    double before, after;
    float threshold_before, threshold_after;
};

static struct flood run_flood(size_t n_good, size_t n_flood)
{
    struct tt_stream_forest_options options = row_options();
    struct table good = make_rows(n_good, 0, 1, NULL), bad = make_rows(n_flood, 5, 2, NULL);
    struct table held = make_rows(4000, 1, 3, NULL);
    float *scores = test_malloc((n_good > n_flood ? n_good : n_flood) * sizeof(float));
    struct tt_stream_forest *stream;
    struct flood flood;

    options.half_life = 40000;
    options.long_half_life = 400000;
    stream = stream_of(&options);
    push(stream, &good.rows, NULL, scores);
    flood.threshold_before = tt_stream_forest_threshold(stream);
    (void)mean_score(stream, &held.rows, &flood.before);
    push(stream, &bad.rows, NULL, scores);
    flood.threshold_after = tt_stream_forest_threshold(stream);
    (void)mean_score(stream, &held.rows, &flood.after);
    tt_stream_forest_free(stream);
    table_free(&good);
    table_free(&bad);
    table_free(&held);
    test_free(scores);
    return flood;
}

static void a_flood_of_bad_rows_does_not_become_normal(void **state)
{
    /* A quarter of a half-life, which is half an hour of the default two hours; and a whole one. */
    struct flood half_an_hour = run_flood(40000, 10000), long_one = run_flood(40000, 40000);

    (void)state;
    assert_true(half_an_hour.before > 0.8);
    assert_true(half_an_hour.after > 0.9 * half_an_hour.before);
    assert_true(long_one.after > 0.8 * long_one.before);
}

/* 0.2 for each half-life, on the scale of odds. */
static void the_threshold_cannot_run_away(void **state)
{
    struct flood flood = run_flood(20000, 10000);
    double before = (double)flood.threshold_before, after = (double)flood.threshold_after;
    double moved = log2(after / (1.0 - after)) - log2(before / (1.0 - before));

    (void)state;
    assert_true(moved > 0.0 && moved < 0.06);
}

/* Young forests know little: new rows score high with them, and would spoil the threshold for a long time (a share of 0.042 instead
 * of 0.064; the mean of four streams, for one alone says little). */
static void scores_of_young_forests_do_not_make_the_threshold(void **state)
{
    struct tt_stream_forest_options options = row_options();
    float *scores = test_malloc(3000 * sizeof(float));
    double sum = 0.0, share;

    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct table table = make_rows(3000, 0, 5 + seed, NULL);
        struct table held = make_rows(4000, 0, 100 + seed, NULL);
        struct tt_stream_forest *stream;
        assert_ok(tt_stream_forest_new(&options, COLUMNS, seed, &stream, NULL), NULL);
        push(stream, &table.rows, NULL, scores);
        (void)mean_score(stream, &held.rows, &share);
        sum += share / 4;
        tt_stream_forest_free(stream);
        table_free(&table);
        table_free(&held);
    }
    assert_true(sum > 0.05 && sum < 0.08);
    test_free(scores);
}

static void change(struct tt_stream_forest_options *options, int which)
{
    options->recent = which == 0 ? 100 : options->recent;
    options->long_run = which == 1 ? 100 : options->long_run;
    options->half_life = which == 2 ? 100 : options->half_life;
    options->long_half_life = which == 3 ? 0 : options->long_half_life;
    options->first_rows = which == 4 ? 100 : options->first_rows;
    options->retrain_rows = which == 5 ? 500 : options->retrain_rows;
    options->retrain_after = which == 6 ? 300 : options->retrain_after;
    options->forest.trees = which == 7 ? 50 : options->forest.trees;
}

/* A documented option that changes nothing is a lie. */
static void every_option_has_an_effect(void **state)
{
    enum { ROWS = 4000, CHANGES = 8 };
    struct table table = make_rows(ROWS, 50, 1, NULL);
    float *usual = test_malloc(ROWS * sizeof(float)), *scores = test_malloc(ROWS * sizeof(float));

    (void)state;
    for (int which = -1; which < CHANGES; which++) {
        struct tt_stream_forest_options options = row_options();
        struct tt_stream_forest *stream;
        options.forest.trees = 20;
        change(&options, which);
        stream = stream_of(&options);
        push(stream, &table.rows, NULL, which < 0 ? usual : scores);
        assert_true(which < 0 || memcmp(usual, scores, ROWS * sizeof(float)) != 0);
        tt_stream_forest_free(stream);
    }
    table_free(&table);
    test_free(usual);
    test_free(scores);
}

/* ---- saved and restored ---- */

static void write_stream(const struct tt_stream_forest *stream, struct tt_buffer *bytes)
{
    struct tt_error err;

    tt_buffer_init(bytes, 1 << 24);
    assert_ok(tt_stream_forest_write(stream, bytes, &err), &err);
}

/* At each of these ages, with an incident under way at the last: what comes after is scored to the same bit. */
static void a_restored_stream_goes_on_with_the_same_bits(void **state)
{
    static const size_t ages[] = {0, 10, 64, 1500, 6000};
    struct tt_stream_forest_options options = row_options();
    struct table good = make_rows(8000, 7, 1, NULL);
    float *scores = test_malloc(8000 * sizeof(float)), *again = test_malloc(8000 * sizeof(float));

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(ages); i++) {
        struct tt_stream_forest *stream = stream_of(&options), *restored;
        struct tt_rows first = good.rows, rest = good.rows;
        struct tt_buffer bytes, same;
        struct tt_error err;

        first.count = ages[i];
        rest.x += ages[i] * COLUMNS;
        rest.count -= ages[i];
        push(stream, &first, NULL, scores);
        write_stream(stream, &bytes);
        assert_ok(tt_stream_forest_read(bytes.data, bytes.len, &options, COLUMNS, &restored, &err),
                  &err);
        write_stream(restored, &same);
        assert_int_equal(bytes.len, same.len);
        assert_memory_equal(bytes.data, same.data, bytes.len);
        push(stream, &rest, NULL, scores);
        push(restored, &rest, NULL, again);
        assert_memory_equal(scores, again, rest.count * sizeof(float));
        assert_true(tt_stream_forest_threshold(stream) == tt_stream_forest_threshold(restored));
        tt_buffer_done(&bytes);
        tt_buffer_done(&same);
        tt_stream_forest_free(stream);
        tt_stream_forest_free(restored);
    }
    table_free(&good);
    test_free(scores);
    test_free(again);
}

static void set_hash(uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size - 8; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < 8; i++)
        bytes[size - 8 + i] = (uint8_t)(hash >> (8 * i));
}

/* Cut anywhere or with any byte changed it is refused; with the hash made right again it is refused or harmless. */
static void damaged_streams_are_refused(void **state)
{
    struct tt_stream_forest_options options = row_options();
    struct table good = make_rows(100, 0, 1, NULL);
    struct tt_stream_forest *stream, *read;
    struct tt_buffer bytes;
    float scores[100];

    (void)state;
    options.forest.trees = 2;
    stream = stream_of(&options);
    push(stream, &good.rows, NULL, scores);
    write_stream(stream, &bytes);
    for (size_t i = 0; i < bytes.len; i += 1 + i / 200) {
        uint8_t *copy = test_malloc(bytes.len);
        assert_status(tt_stream_forest_read(bytes.data, i, &options, COLUMNS, &read, NULL),
                      TT_INVALID_DATA);
        memcpy(copy, bytes.data, bytes.len);
        copy[i] ^= 0xff;
        assert_true(tt_stream_forest_read(copy, bytes.len, &options, COLUMNS, &read, NULL) !=
                    TT_OK);
        assert_null(read);
        set_hash(copy, bytes.len);
        if (tt_stream_forest_read(copy, bytes.len, &options, COLUMNS, &read, NULL) == TT_OK)
            push(read, &good.rows, NULL, scores);
        tt_stream_forest_free(read);
        test_free(copy);
    }
    options.half_life++;
    assert_status(tt_stream_forest_read(bytes.data, bytes.len, &options, COLUMNS, &read, NULL),
                  TT_INVALID_DATA);
    options.half_life--;
    assert_status(tt_stream_forest_read(bytes.data, bytes.len, &options, COLUMNS + 1, &read, NULL),
                  TT_INVALID_DATA);
    bytes.data[8] = 9;
    assert_status(tt_stream_forest_read(bytes.data, bytes.len, &options, COLUMNS, &read, NULL),
                  TT_UNSUPPORTED);
    tt_buffer_done(&bytes);
    tt_stream_forest_free(stream);
    table_free(&good);
}

/* ---- faults ---- */

static void refuses_options_out_of_range(void **state)
{
    (void)state;
    for (int which = 0; which < 8; which++) {
        struct tt_stream_forest_options options = row_options();
        struct tt_stream_forest *stream;
        options.recent = which == 0 ? 1 : options.recent;
        options.long_run = which == 1 ? 2000000 : options.long_run;
        options.half_life = which == 2 ? 0 : options.half_life;
        options.long_half_life = which == 3 ? -1 : options.long_half_life;
        options.first_rows = which == 4 ? 1 : options.first_rows;
        options.retrain_after = which == 5 ? -1 : options.retrain_after;
        options.forest.trees = which == 6 ? 0 : options.forest.trees;
        assert_status(tt_stream_forest_new(&options, which == 7 ? 0 : 3, 1, &stream, NULL),
                      TT_INVALID_DATA);
        assert_null(stream);
    }
}

static bool run_once(void *context)
{
    struct tt_stream_forest_options options = row_options();
    struct tt_stream_forest *stream = NULL, *restored = NULL;
    struct tt_buffer bytes;
    float scores[200];
    bool ok;

    options.forest.trees = 3;
    options.recent = options.long_run = 32;
    if (tt_stream_forest_new(&options, COLUMNS, 1, &stream, NULL) != TT_OK)
        return false;
    ok = tt_stream_forest_push(stream, context, NULL, scores, NULL) == TT_OK;
    assert_int_equal(tt_stream_forest_learnt(stream), 200);
    tt_buffer_init(&bytes, 1 << 24);
    ok = ok && tt_stream_forest_write(stream, &bytes, NULL) == TT_OK &&
         tt_stream_forest_read(bytes.data, bytes.len, &options, COLUMNS, &restored, NULL) == TT_OK;
    tt_buffer_done(&bytes);
    tt_stream_forest_free(stream);
    tt_stream_forest_free(restored);
    return ok;
}

static void survives_memory_running_out(void **state)
{
    struct table table = make_rows(200, 0, 1, NULL);

    (void)state;
    tt_test_failing_allocations(run_once, &table.rows);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_rows_are_cut_into_calls_makes_no_difference),
        cmocka_unit_test(a_score_depends_on_earlier_rows_only),
        cmocka_unit_test(there_is_no_score_before_the_first_forest),
        cmocka_unit_test(retrains_by_count_and_at_each_doubling),
        cmocka_unit_test(retrains_by_time),
        cmocka_unit_test(a_job_trains_apart_and_is_swapped_in_whole),
        cmocka_unit_test(one_pass_ranks_as_well_as_a_forest_that_saw_everything),
        cmocka_unit_test(a_steady_stream_keeps_its_scores),
        cmocka_unit_test(what_is_gone_is_forgotten_and_what_stays_is_believed),
        cmocka_unit_test(a_change_is_believed_once_it_has_lasted),
        cmocka_unit_test(a_flood_of_bad_rows_does_not_become_normal),
        cmocka_unit_test(the_threshold_cannot_run_away),
        cmocka_unit_test(scores_of_young_forests_do_not_make_the_threshold),
        cmocka_unit_test(every_option_has_an_effect),
        cmocka_unit_test(a_restored_stream_goes_on_with_the_same_bits),
        cmocka_unit_test(damaged_streams_are_refused),
        cmocka_unit_test(refuses_options_out_of_range),
        cmocka_unit_test(survives_memory_running_out),
    };

    return cmocka_run_group_tests_name("stream_forest", tests, NULL, NULL);
}
