/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "tt_test.h"

static void an_empty_map_answers(void **state)
{
    struct tt_map map;
    size_t position = 0;

    (void)state;
    tt_map_init(&map, 10);
    assert_null(tt_map_get(&map, TT_STR("a")));
    assert_null(tt_map_remove(&map, TT_STR("a")));
    assert_null(tt_map_next(&map, &position));
    tt_map_clear(&map);
    tt_map_done(&map);
    tt_map_done(&map);
}

static void put_replaces_the_value_and_keeps_the_key(void **state)
{
    struct tt_map map;
    int one, two;
    char key[] = "key", same[] = "key";
    size_t position = 0;

    (void)state;
    tt_map_init(&map, 10);
    assert_ok(tt_map_put(&map, tt_str(key), &one), NULL);
    assert_ptr_equal(tt_map_get(&map, TT_STR("key")), &one);
    assert_ok(tt_map_put(&map, tt_str(same), &two), NULL);
    assert_ptr_equal(tt_map_get(&map, TT_STR("key")), &two);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(tt_map_next(&map, &position)->key.data, key);
    assert_null(tt_map_next(&map, &position));
    assert_ptr_equal(tt_map_remove(&map, TT_STR("key")), &two);
    assert_int_equal(map.count, 0);
    tt_map_done(&map);
}

static void keys_may_be_empty_or_hold_any_byte(void **state)
{
    struct tt_map map;
    int values[3];

    (void)state;
    tt_map_init(&map, 10);
    assert_ok(tt_map_put(&map, (struct tt_str){NULL, 0}, &values[0]), NULL);
    assert_ok(tt_map_put(&map, tt_str_of("\0", 1), &values[1]), NULL);
    assert_ok(tt_map_put(&map, tt_str_of("\0\0", 2), &values[2]), NULL);
    assert_ptr_equal(tt_map_get(&map, TT_STR("")), &values[0]);
    assert_ptr_equal(tt_map_get(&map, tt_str_of("\0", 1)), &values[1]);
    assert_ptr_equal(tt_map_get(&map, tt_str_of("\0\0", 2)), &values[2]);
    tt_map_done(&map);
}

static void an_insert_over_the_limit_is_refused(void **state)
{
    struct tt_map map;
    int value;

    (void)state;
    tt_map_init(&map, 2);
    assert_ok(tt_map_put(&map, TT_STR("a"), &value), NULL);
    assert_ok(tt_map_put(&map, TT_STR("b"), &value), NULL);
    assert_status(tt_map_put(&map, TT_STR("c"), &value), TT_OVERLOADED);
    assert_ok(tt_map_put(&map, TT_STR("a"), &value), NULL);
    assert_non_null(tt_map_remove(&map, TT_STR("a")));
    assert_ok(tt_map_put(&map, TT_STR("c"), &value), NULL);
    tt_map_done(&map);
    tt_map_init(&map, 0);
    assert_status(tt_map_put(&map, TT_STR("c"), &value), TT_OVERLOADED);
    tt_map_done(&map);
}

static void clear_keeps_the_memory(void **state)
{
    struct tt_map map;
    int value;

    (void)state;
    tt_map_init(&map, 10);
    assert_ok(tt_map_put(&map, TT_STR("a"), &value), NULL);
    tt_map_clear(&map);
    assert_null(tt_map_get(&map, TT_STR("a")));
    tt_mem_fail_after(1);
    assert_ok(tt_map_put(&map, TT_STR("b"), &value), NULL);
    tt_mem_fail_after(0);
    tt_map_done(&map);
}

static void exhausted_memory_changes_nothing(void **state)
{
    struct tt_map map;
    char keys[100][8];
    size_t stored = 0;

    (void)state;
    tt_map_init(&map, 100);
    tt_mem_fail_after(3);
    for (size_t i = 0; i < TT_LENGTH(keys); i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%zu", i);
        if (tt_map_put(&map, tt_str(keys[i]), keys[i]) != TT_OK)
            break;
        stored++;
    }
    assert_status(tt_map_put(&map, TT_STR("one more"), keys), TT_NO_MEMORY);
    tt_mem_fail_after(0);
    assert_int_equal(stored, 12);
    assert_int_equal(map.count, 12);
    for (size_t i = 0; i < stored; i++)
        assert_ptr_equal(tt_map_get(&map, tt_str(keys[i])), keys[i]);
    assert_ok(tt_map_put(&map, TT_STR("one more"), keys), NULL);
    tt_map_done(&map);
}

enum { KEYS = 700 };

/* What the map should hold: an array by key number. */
struct model {
    uint16_t keys[KEYS];
    bool present[KEYS];
    size_t count;
};

static void check_walk(const struct tt_map *map, const struct model *model)
{
    const struct tt_map_slot *slot;
    size_t position = 0, seen = 0;

    for (; (slot = tt_map_next(map, &position)) != NULL; seen++) {
        const uint16_t *value = slot->value;
        assert_true(model->present[*value]);
        assert_ptr_equal(slot->key.data, value);
    }
    assert_int_equal(seen, model->count);
    assert_int_equal(map->count, model->count);
    assert_true(map->count <= map->capacity / 4 * 3);
}

/* Inserts, removals and look-ups of which a third meets a key that is there. */
static void random_operations_agree_with_an_array(void **state)
{
    static struct model model;
    struct tt_map map;
    uint64_t random = 11;

    (void)state;
    tt_map_init(&map, KEYS);
    for (uint16_t i = 0; i < KEYS; i++)
        model.keys[i] = i;
    for (int step = 0; step < 200000; step++) {
        size_t i = tt_test_random(&random) % KEYS;
        struct tt_str key = tt_str_of(&model.keys[i], sizeof(model.keys[i]));
        /* Phases that mostly fill and mostly empty the table. */
        bool insert = (tt_test_random(&random) % 4 != 0) == (step / 20000 % 2 == 0);

        assert_ptr_equal(tt_map_get(&map, key), model.present[i] ? &model.keys[i] : NULL);
        if (insert)
            assert_ok(tt_map_put(&map, key, &model.keys[i]), NULL);
        else
            assert_ptr_equal(tt_map_remove(&map, key), model.present[i] ? &model.keys[i] : NULL);
        model.count += (size_t)insert - model.present[i];
        model.present[i] = insert;
        if (step % 1000 == 0)
            check_walk(&map, &model);
    }
    check_walk(&map, &model);
    tt_map_done(&map);
}

static void maps_have_seeds_of_their_own(void **state)
{
    struct tt_map a, b;

    (void)state;
    tt_map_init(&a, 1);
    tt_map_init(&b, 1);
    assert_true(a.seed != b.seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(put_replaces_the_value_and_keeps_the_key),
        cmocka_unit_test(keys_may_be_empty_or_hold_any_byte),
        cmocka_unit_test(an_insert_over_the_limit_is_refused),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(exhausted_memory_changes_nothing),
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(maps_have_seeds_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
