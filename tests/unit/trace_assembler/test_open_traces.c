/* SPDX-License-Identifier: Apache-2.0 */
#include "processors/trace_assembler/open_traces.h"
#include "tt_test.h"

struct fixture {
    struct open_options options;
    struct slab_pool pool;
    struct open_traces traces;
};

static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->options = (struct open_options){
        .idle = 10 * TT_SECOND,
        .max_age = 60 * TT_SECOND,
        .tick = 10 * TT_SECOND / 64,
        .max_rows_per_trace = 1000,
        .max_recent = 1000,
        .seed = 5,
    };
    assert_true(slab_pool_init(&f->pool, (size_t)16 << 20));
    open_traces_init(&f->traces, &f->options, &f->pool);
}

static void fixture_done(struct fixture *f)
{
    open_traces_done(&f->traces);
    slab_pool_done(&f->pool);
}

static enum put put(struct fixture *f, unsigned trace, const char *bytes, tt_dur now)
{
    uint8_t id[16] = {(uint8_t)trace, (uint8_t)(trace >> 8)};
    struct incoming row = {
        .hash = open_traces_hash(&f->options, id), .trace_id = id, .bytes = tt_str(bytes)};

    return open_traces_put(&f->traces, &row, now);
}

static struct taken take(struct fixture *f, enum take how, tt_dur now)
{
    return open_traces_take(&f->traces, how, now, TRACE_BATCH_ROWS);
}

/* The rows of a trace as they came, each one byte. */
static const char *rows_of(const struct open_trace *trace, char text[16])
{
    size_t at = trace->n_rows;

    assert_in_range(at, 1, 15);
    text[at] = '\0';
    for (const struct held_row *row = trace->rows; row != NULL; row = row->next)
        text[--at] = *(const char *)(row + 1);
    assert_int_equal(at, 0);
    return text;
}

static void rows_that_came_while_a_trace_was_away_join_it(void **state)
{
    struct fixture f;
    struct taken taken;
    char text[16];

    (void)state;
    fixture_init(&f);
    assert_int_equal(put(&f, 1, "a", 0), PUT_STORED);
    assert_int_equal(put(&f, 1, "b", 1), PUT_STORED);
    taken = take(&f, TAKE_DUE, 11 * TT_SECOND);
    assert_int_equal(taken.n_rows, 2);
    assert_int_equal(put(&f, 1, "c", 11 * TT_SECOND), PUT_LATE); /* it seems so */
    open_traces_put_back(&f.traces, taken.list);
    assert_int_equal(f.traces.n_traces, 1);
    taken = take(&f, TAKE_ALL, 12 * TT_SECOND);
    assert_int_equal(taken.n_traces, 1);
    assert_string_equal(rows_of(taken.list, text), "abc");
    assert_int_equal(taken.list->flags, 0); /* but nothing had been sent */
    assert_int_equal(taken.list->first, 0);
    open_traces_release(&f.traces, taken.list);
    assert_int_equal(f.traces.n_rows, 0);
    assert_int_equal(f.traces.bytes, 0);
    assert_int_equal(slab_pool_bytes(&f.pool), 0);
    fixture_done(&f);
}

static void the_oldest_go_first(void **state)
{
    struct fixture f;
    struct taken taken;

    (void)state;
    fixture_init(&f);
    for (unsigned i = 1; i <= 5; i++)
        (void)put(&f, i, "x", i * TT_SECOND);
    (void)put(&f, 1, "y", 6 * TT_SECOND); /* is the youngest now */
    for (unsigned i = 2; i <= 5; i++) {
        taken = open_traces_take(&f.traces, TAKE_OLDEST, 6 * TT_SECOND, 1);
        assert_int_equal(taken.n_traces, 1);
        assert_int_equal(taken.list->id[0], i);
        assert_int_equal(taken.list->flags, TRACE_INCOMPLETE);
        open_traces_release(&f.traces, taken.list);
    }
    assert_int_equal(f.traces.n_traces, 1);
    fixture_done(&f);
}

/* Against the definition: due = min(last + idle, first + max_age), at most one tick late and never early. */
static void traces_are_taken_when_they_are_due(void **state)
{
    enum { TRACES = 200, STEP = 137 };
    static tt_dur first[TRACES], last[TRACES];
    struct fixture f;
    uint64_t seed = 9;
    size_t n_taken = 0;

    (void)state;
    memset(first, 0, sizeof(first));
    fixture_init(&f);
    for (tt_dur now = TT_SECOND; n_taken < 2000; now += STEP * TT_MILLISECOND) {
        struct taken taken = take(&f, TAKE_DUE, now);
        for (struct open_trace *trace = taken.list; trace != NULL; trace = trace->next) {
            unsigned i = trace->id[0];
            tt_dur due = last[i] + f.options.idle;
            if (first[i] + f.options.max_age < due)
                due = first[i] + f.options.max_age;
            assert_true(now >= due);
            assert_true(now < due + f.options.tick + STEP * TT_MILLISECOND);
            first[i] = 0;
            n_taken++;
        }
        open_traces_release(&f.traces, taken.list);
        for (unsigned k = 0; k < 3; k++) {
            unsigned i = (unsigned)(tt_test_random(&seed) % TRACES);
            if (i < 5)
                i = 0; /* one that is hardly ever quiet */
            if (first[i] == 0)
                first[i] = now;
            last[i] = now;
            assert_int_not_equal(put(&f, i, "x", now), PUT_NO_MEMORY);
        }
    }
    fixture_done(&f);
}

/* Nobody looked for an hour: everything is due, and nothing is lost. */
static void a_long_pause_loses_nothing(void **state)
{
    struct fixture f;
    size_t n_taken = 0;

    (void)state;
    fixture_init(&f);
    for (unsigned i = 1; i <= 300; i++)
        (void)put(&f, i, "x", i * TT_SECOND / 2);
    for (unsigned i = 0; i < 100 && n_taken < 300; i++) {
        struct taken taken = take(&f, TAKE_DUE, 3600 * TT_SECOND);
        n_taken += taken.n_traces;
        open_traces_release(&f.traces, taken.list);
    }
    assert_int_equal(n_taken, 300);
    (void)put(&f, 1, "x", 3600 * TT_SECOND);
    assert_int_equal(take(&f, TAKE_DUE, 3609 * TT_SECOND).n_traces, 0);
    assert_int_equal(take(&f, TAKE_DUE, 3611 * TT_SECOND).n_traces, 1);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_came_while_a_trace_was_away_join_it),
        cmocka_unit_test(the_oldest_go_first),
        cmocka_unit_test(traces_are_taken_when_they_are_due),
        cmocka_unit_test(a_long_pause_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
