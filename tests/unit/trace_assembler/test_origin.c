/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "processors/trace_assembler/origin.h"
#include "tt_test.h"

#define SECOND UINT64_C(1000000000)

static void equal_resources_are_stored_once(void **state)
{
    struct origins origins;
    struct origin *a, *same, *other, *with_schema, *moved;

    (void)state;
    origins_init(&origins);
    a = origins_resource(&origins, TT_STR("wire"), TT_STR(""), 1);
    same = origins_resource(&origins, TT_STR("wire"), TT_STR(""), 5);
    other = origins_resource(&origins, TT_STR("wir"), TT_STR(""), 1);
    with_schema = origins_resource(&origins, TT_STR("wire"), TT_STR("http://s"), 1);
    /* The same bytes in a row, cut elsewhere. */
    moved = origins_resource(&origins, TT_STR("/swire"), TT_STR("http:/"), 1);
    assert_ptr_equal(a, same);
    assert_ptr_not_equal(a, other);
    assert_ptr_not_equal(a, with_schema);
    assert_ptr_not_equal(with_schema, moved);
    assert_str(with_schema->wire, "wire");
    assert_str(with_schema->schema_url, "http://s");
    assert_str(moved->schema_url, "http:/");
    assert_int_equal(origins.count, 4);
    origin_unref(&origins, a, 4);
    origin_unref(&origins, a, 2);
    assert_int_equal(origins.count, 3);
    origin_unref(&origins, other, 1);
    origin_unref(&origins, with_schema, 1);
    origin_unref(&origins, moved, 1);
    assert_int_equal(origins.count, 0);
    assert_int_equal(origins.bytes, 0);
    origins_done(&origins);
}

static void a_scope_keeps_its_resource(void **state)
{
    struct origins origins;
    struct origin *cart, *web, *of_cart, *of_web;

    (void)state;
    origins_init(&origins);
    cart = origins_resource(&origins, TT_STR("cart"), TT_STR(""), 1);
    web = origins_resource(&origins, TT_STR("web"), TT_STR(""), 1);
    of_cart = origins_scope(&origins, cart, TT_STR("scope"), TT_STR(""), 1);
    of_web = origins_scope(&origins, web, TT_STR("scope"), TT_STR(""), 1);
    assert_ptr_not_equal(of_cart, of_web);
    origin_unref(&origins, cart, 1);
    origin_unref(&origins, web, 1);
    assert_int_equal(origins.count, 4);
    assert_str(of_cart->parent->wire, "cart");
    origin_unref(&origins, of_cart, 1);
    assert_int_equal(origins.count, 2);
    origin_unref(&origins, of_web, 1);
    assert_int_equal(origins.count, 0);
    origins_done(&origins);
}

static void requests_of_one_connection_and_second_share_metadata(void **state)
{
    struct tt_header header = {TT_STR("x-anomaly-type"), TT_STR("cpu")};
    struct tt_metadata metadata = {
        .receiver = "otlp", .arrival_ns = 5 * SECOND, .peer = TT_STR("p")};
    struct origins origins;
    struct origin *first, *second, *later, *labelled;

    (void)state;
    origins_init(&origins);
    first = origins_metadata(&origins, &metadata, 1);
    metadata.arrival_ns += SECOND / 2;
    second = origins_metadata(&origins, &metadata, 1);
    assert_ptr_equal(first, second);
    metadata.arrival_ns += SECOND;
    later = origins_metadata(&origins, &metadata, 1);
    assert_ptr_not_equal(first, later);
    metadata.headers = &header;
    metadata.n_headers = 1;
    labelled = origins_metadata(&origins, &metadata, 1);
    assert_ptr_not_equal(later, labelled);
    header = (struct tt_header){TT_STR("gone"), TT_STR("gone")};
    assert_str(labelled->metadata.headers[0].name, "x-anomaly-type");
    assert_str(labelled->metadata.headers[0].value, "cpu");
    assert_str(labelled->metadata.peer, "p");
    assert_int_equal(first->metadata.arrival_ns, 5 * SECOND);
    origins_done(&origins); /* frees what is left */
}

struct shared {
    struct origins origins;
    char names[8];
};

static void use_some(void *context)
{
    struct shared *shared = context;

    for (unsigned i = 0; i < 20000; i++) {
        struct tt_str name = tt_str_of(shared->names + i % 3, 1);
        struct origin *resource = origins_resource(&shared->origins, name, TT_STR(""), 1);
        struct origin *scope = origins_scope(&shared->origins, resource, name, TT_STR(""), 3);
        assert_str_equal(scope->parent->wire, name);
        origin_unref(&shared->origins, resource, 1);
        origin_unref(&shared->origins, scope, 1);
        assert_str_equal(scope->wire, name);
        origin_unref(&shared->origins, scope, 2);
    }
}

static void the_last_reference_may_go_while_others_look(void **state)
{
    struct shared shared = {.names = "abcdefg"};
    struct tt_thread threads[4] = {{.running = false}};

    (void)state;
    origins_init(&shared.origins);
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        assert_ok(tt_thread_start(&threads[i], "use", use_some, &shared, NULL), NULL);
    for (size_t i = 0; i < TT_LENGTH(threads); i++)
        tt_thread_join(&threads[i]);
    assert_int_equal(shared.origins.count, 0);
    origins_done(&shared.origins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_resources_are_stored_once),
        cmocka_unit_test(a_scope_keeps_its_resource),
        cmocka_unit_test(requests_of_one_connection_and_second_share_metadata),
        cmocka_unit_test(the_last_reference_may_go_while_others_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
