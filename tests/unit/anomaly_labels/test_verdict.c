/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "processors/anomaly_labels/verdict.h"
#include "tt_test.h"

static struct tt_evidence evidence(enum tt_label_source source, const char *type, uint64_t start)
{
    struct tt_evidence of = {
        .label = {.type = tt_str(type), .msg = TT_STR("m")}, .source = source, .start_ns = start};

    tt_label_complete(&of.label);
    return of;
}

static const uint8_t *id_of(uint64_t n)
{
    static _Thread_local uint8_t id[16];

    memset(id, 0, sizeof(id));
    memcpy(id + 8, &n, sizeof(n));
    return id;
}

static void remembers_the_verdict(void **state)
{
    struct tt_verdicts *verdicts = tt_verdicts_new(1000, 1 << 20);
    struct tt_evidence normal = evidence(TT_SOURCE_HEADER, "none", 1), found;
    struct tt_evidence cpu = evidence(TT_SOURCE_BAGGAGE, "cpu", 9);
    struct tt_arena arena;
    bool contradicts;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    assert_false(tt_verdicts_merge(verdicts, id_of(1), NULL, &arena, &found, NULL));
    assert_true(tt_verdicts_merge(verdicts, id_of(1), &normal, &arena, &found, &contradicts));
    assert_false(contradicts);
    assert_true(tt_verdicts_merge(verdicts, id_of(1), &cpu, &arena, &found, &contradicts));
    assert_true(contradicts);
    assert_str(found.label.type, "cpu");
    assert_true(tt_verdicts_merge(verdicts, id_of(1), &normal, &arena, &found, &contradicts));
    assert_true(contradicts);
    assert_str(found.label.type, "cpu"); /* anomalous stays */
    assert_int_equal(found.source, TT_SOURCE_BAGGAGE);
    assert_int_equal(found.start_ns, 9);
    assert_str(found.label.msg, "m");
    assert_false(tt_verdicts_merge(verdicts, id_of(2), NULL, &arena, &found, NULL));
    assert_true(tt_verdicts_merge(verdicts, id_of(1), NULL, &arena, &found, NULL));
    assert_str(found.label.type, "cpu");
    assert_int_equal(tt_verdicts_count(verdicts), 1);
    tt_arena_done(&arena);
    tt_verdicts_free(verdicts);
}

static void forgets_the_oldest_traces(void **state)
{
    struct tt_verdicts *verdicts = tt_verdicts_new(6400, 1 << 20);
    struct tt_evidence cpu = evidence(TT_SOURCE_HEADER, "cpu", 1), found;
    struct tt_arena arena;
    size_t known = 0;

    (void)state;
    tt_arena_init(&arena, 0, 0);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_true(tt_verdicts_merge(verdicts, id_of(i), &cpu, &arena, &found, NULL));
        assert_true(tt_verdicts_count(verdicts) <= 6500);
        if (i >= 2000) /* a good deal younger than half of what fits */
            assert_true(tt_verdicts_merge(verdicts, id_of(i - 2000), NULL, &arena, &found, NULL));
        tt_arena_reset(&arena);
    }
    for (uint64_t i = 0; i < 90000; i++)
        known += tt_verdicts_merge(verdicts, id_of(i), NULL, &arena, &found, NULL);
    assert_int_equal(known, 0);
    tt_arena_done(&arena);
    tt_verdicts_free(verdicts);
}

static void bounds_the_texts(void **state)
{
    struct tt_verdicts *verdicts = tt_verdicts_new(1000000, 64 << 10);
    struct tt_evidence unique = evidence(TT_SOURCE_HEADER, "cpu", 1), found;
    struct tt_arena arena;
    char msg[1000];

    (void)state;
    tt_arena_init(&arena, 0, 0);
    memset(msg, 'm', sizeof(msg));
    for (uint64_t i = 0; i < 21000; i++) {
        memcpy(msg, &i, sizeof(i));
        unique.label.msg = tt_str_of(msg, sizeof(msg));
        assert_true(tt_verdicts_merge(verdicts, id_of(i), &unique, &arena, &found, NULL));
        assert_true(tt_verdicts_count(verdicts) < 700);
        /* The newest is always there. */
        assert_true(tt_verdicts_merge(verdicts, id_of(i), NULL, &arena, &found, NULL));
        assert_str_equal(found.label.msg, tt_str_of(msg, sizeof(msg)));
        tt_arena_reset(&arena);
    }
    tt_arena_done(&arena);
    tt_verdicts_free(verdicts);
}

static bool merge_some(void *context)
{
    struct tt_verdicts *verdicts = tt_verdicts_new(1000, 1 << 20);
    struct tt_evidence cpu = evidence(TT_SOURCE_HEADER, "cpu", 1), found;
    struct tt_arena arena;
    bool ok = true;

    (void)context;
    if (verdicts == NULL)
        return false;
    tt_arena_init(&arena, 0, 0);
    for (uint64_t i = 0; i < 2000; i++) {
        /* Evidence always counts for its own batch. */
        assert_true(tt_verdicts_merge(verdicts, id_of(i), &cpu, &arena, &found, NULL));
        ok &= tt_verdicts_merge(verdicts, id_of(i), NULL, &arena, &found, NULL);
    }
    tt_arena_done(&arena);
    tt_verdicts_free(verdicts);
    return ok;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    tt_test_failing_allocations(merge_some, NULL);
}

static void merge_many(void *context)
{
    struct tt_evidence a = evidence(TT_SOURCE_HEADER, "a", 5), found;
    struct tt_arena arena;

    tt_arena_init(&arena, 0, 0);
    for (uint64_t i = 0; i < 21000; i++) {
        a.start_ns = i % 7;
        assert_true(tt_verdicts_merge(context, id_of(i % 3000), &a, &arena, &found, NULL));
        tt_arena_reset(&arena);
    }
    tt_arena_done(&arena);
}

static void threads_may_merge_at_once(void **state)
{
    struct tt_verdicts *verdicts = tt_verdicts_new(1 << 20, 1 << 20);
    struct tt_thread threads[4] = {{.running = false}};
    struct tt_evidence found;
    struct tt_arena arena;

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        assert_ok(tt_thread_start(&threads[i], "merge", merge_many, verdicts, NULL), NULL);
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        tt_thread_join(&threads[i]);
    tt_arena_init(&arena, 0, 0);
    for (uint64_t i = 0; i < 3000; i++) {
        assert_true(tt_verdicts_merge(verdicts, id_of(i), NULL, &arena, &found, NULL));
        assert_int_equal(found.start_ns, 0); /* the earliest start decides */
    }
    tt_arena_done(&arena);
    tt_verdicts_free(verdicts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_the_verdict),     cmocka_unit_test(forgets_the_oldest_traces),
        cmocka_unit_test(bounds_the_texts),          cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(threads_may_merge_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
