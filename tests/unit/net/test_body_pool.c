/* SPDX-License-Identifier: Apache-2.0 */
#include "net/body_pool.h"
#include "tt_test.h"

static void memory_serves_again(void **state)
{
    struct body_pool *pool = body_pool_new();

    (void)state;
    struct body *first = body_get(pool, 700000);
    assert_non_null(first);
    const char *data = first->data;
    body_put(first);
    struct body *second = body_get(pool, 690000);
    assert_ptr_equal(second->data, data);
    assert_int_equal(second->len, 0);
    body_put(second);
    body_pool_unref(pool);
}

static void a_small_body_does_not_get_a_huge_block(void **state)
{
    struct body_pool *pool = body_pool_new();

    (void)state;
    body_put(body_get(pool, 1 << 20));
    struct body *small = body_get(pool, 1000);
    assert_int_equal(small->capacity, 1000);
    body_put(small);
    body_pool_unref(pool);
}

static void a_loan_outlives_the_pool(void **state)
{
    struct body_pool *pool = body_pool_new();

    (void)state;
    struct body *body = body_get(pool, 100);
    body_pool_unref(pool);
    memset(body->data, 'x', 100);
    body_put(body);
}

static void stolen_bytes_are_the_callers(void **state)
{
    struct body_pool *pool = body_pool_new();

    (void)state;
    struct body *body = body_get(pool, 3);
    memcpy(body->data, "abc", 3);
    char *bytes = body_steal(body);
    body_pool_unref(pool);
    assert_memory_equal(bytes, "abc", 3);
    tt_free(bytes);
}

static void idle_memory_is_given_back(void **state)
{
    struct body_pool *pool = body_pool_new();

    (void)state;
    body_put(body_get(pool, 1000));
    body_pool_trim(pool, INT64_MAX);
    tt_mem_fail_after(1);
    assert_null(body_get(pool, 1000));
    tt_mem_fail_after(0);
    body_pool_unref(pool);
}

static bool get_and_grow(void *context)
{
    struct body_pool *pool = body_pool_new();
    bool ok = false;

    (void)context;
    if (pool == NULL)
        return false;
    struct body *body = body_get(pool, 100);
    if (body != NULL)
        ok = body_grow(body, 1000);
    body_put(body);
    body_pool_unref(pool);
    return ok;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    tt_test_failing_allocations(get_and_grow, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_serves_again),
        cmocka_unit_test(a_small_body_does_not_get_a_huge_block),
        cmocka_unit_test(a_loan_outlives_the_pool),
        cmocka_unit_test(stolen_bytes_are_the_callers),
        cmocka_unit_test(idle_memory_is_given_back),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
