/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"
#include "base/thread.h"
#include "tt_test.h"

static const struct tt_meter_desc accepted = {"accepted", "{span}", "accepted spans", TT_COUNTER};
static const struct tt_meter_desc open_traces = {"open", "1", "open traces", TT_GAUGE};
static const struct tt_meter_desc bytes_read = {"bytes", "By", "bytes read", TT_COUNTER};

static struct tt_meter *get(struct tt_meters *meters, const struct tt_meter_desc *desc,
                            const char *service)
{
    return tt_meters_get(meters, desc, (const struct tt_label[]){{"service", tt_str(service)}},
                         service == NULL ? 0 : 1);
}

/* The whole registry as text. */
struct dump {
    char text[4096];
    size_t len;
};

static void dump_one(void *context, const struct tt_reading *reading)
{
    struct dump *dump = context;

    dump->len += (size_t)snprintf(dump->text + dump->len, sizeof(dump->text) - dump->len, "%s",
                                  reading->desc->name);
    for (size_t i = 0; i < reading->n_labels; i++)
        dump->len +=
            (size_t)snprintf(dump->text + dump->len, sizeof(dump->text) - dump->len, " %s=%.*s",
                             reading->labels[i].name, TT_STR_ARG(reading->labels[i].value));
    dump->len += (size_t)snprintf(dump->text + dump->len, sizeof(dump->text) - dump->len, ": %g\n",
                                  reading->value);
}

static const char *dump_all(struct tt_meters *meters, struct dump *dump)
{
    dump->len = 0;
    dump->text[0] = '\0';
    tt_meters_read(meters, dump_one, dump);
    return dump->text;
}

static void instruments_begin_at_zero_and_are_read_in_order(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct dump dump;

    (void)state;
    assert_string_equal(dump_all(meters, &dump), "");
    (void)get(meters, &open_traces, NULL);
    tt_meter_add(get(meters, &accepted, "web"), 3);
    tt_meter_add(get(meters, &accepted, "cart"), 1);
    tt_meter_add(get(meters, &accepted, "web"), 4);
    (void)get(meters, &accepted, NULL);
    tt_meter_set(get(meters, &bytes_read, NULL), -5);
    assert_string_equal(dump_all(meters, &dump), "accepted: 0\naccepted service=cart: 1\n"
                                                 "accepted service=web: 7\nbytes: -5\nopen: 0\n");
    tt_meters_free(meters);
    tt_meters_free(NULL);
}

static void a_gauge_may_have_decimals(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct dump dump;

    (void)state;
    tt_meter_set_real(get(meters, &open_traces, NULL), 0.25);
    assert_string_equal(dump_all(meters, &dump), "open: 0.25\n");
    tt_meters_free(meters);
}

static void an_instrument_has_a_cache_line_of_its_own(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_meter *a = get(meters, &accepted, "a"), *b = get(meters, &accepted, "b");

    (void)state;
    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal((uintptr_t)b % 64, 0);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a, get(meters, &accepted, "a"));
    tt_meters_free(meters);
}

static void label_values_are_copied_and_their_order_does_not_matter(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    char value[] = "web";
    struct tt_label ab[] = {{"a", tt_str(value)}, {"b", TT_STR("1")}};
    struct tt_label ba[] = {{"b", TT_STR("1")}, {"a", TT_STR("web")}};
    struct tt_label shifted[] = {{"a", TT_STR("we")}, {"b", TT_STR("b1")}};
    struct tt_label posing[] = {{"a", tt_str_of("web"
                                                "b\0"
                                                "\0\0\0\0\0\0\0\0"
                                                "1",
                                                14)}};
    struct tt_meter *meter = tt_meters_get(meters, &accepted, ab, 2);
    struct dump dump;

    (void)state;
    value[0] = 'X';
    assert_ptr_equal(tt_meters_get(meters, &accepted, ba, 2), meter);
    assert_ptr_not_equal(tt_meters_get(meters, &accepted, shifted, 2), meter);
    assert_string_equal(dump_all(meters, &dump), "accepted a=we b=b1: 0\naccepted a=web b=1: 0\n");
    assert_ptr_not_equal(tt_meters_get(meters, &accepted, posing, 1), meter);
    tt_meters_free(meters);
}

static void two_descriptions_of_one_name_are_one_instrument(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_meter_desc again = accepted;
    struct tt_meter *meter;
    char name[] = "accepted";

    (void)state;
    again.name = name;
    meter = get(meters, &again, "a");
    assert_ptr_equal(get(meters, &accepted, "a"), meter);
    tt_meters_free(meters);
}

static void what_is_over_the_limit_shares_one_series(void **state)
{
    struct tt_meters *meters = tt_meters_new(2);
    struct dump dump;

    (void)state;
    tt_meter_add(get(meters, &accepted, "a"), 1);
    tt_meter_add(get(meters, &accepted, "b"), 1);
    tt_meter_add(get(meters, &accepted, "c"), 1);
    tt_meter_add(get(meters, &accepted, "d"), 1);
    tt_meter_add(get(meters, &bytes_read, NULL), 1);
    tt_meter_add(get(meters, &accepted, "a"), 1);
    assert_string_equal(dump_all(meters, &dump),
                        "accepted service=__overflow__: 2\naccepted service=a: 2\n"
                        "accepted service=b: 1\nbytes: 1\n");
    tt_meters_free(meters);
}

static void a_label_value_called_overflow_is_that_series(void **state)
{
    struct tt_meters *meters = tt_meters_new(1);
    struct tt_meter *meter = get(meters, &accepted, "__overflow__");

    (void)state;
    assert_ptr_equal(get(meters, &accepted, "b"), meter);
    tt_meters_free(meters);
}

static void a_name_has_at_most_1000_label_values(void **state)
{
    struct tt_meters *meters = tt_meters_new(100000);
    struct tt_meter *over;
    char value[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(value, sizeof(value), "%d", i);
        tt_meter_add(get(meters, &accepted, value), 1);
        assert_int_equal(tt_meter_value(get(meters, &accepted, value)), 1);
    }
    over = get(meters, &accepted, "1000");
    assert_ptr_equal(get(meters, &accepted, "1001"), over);
    assert_ptr_not_equal(get(meters, &accepted, "999"), over);
    assert_ptr_not_equal(get(meters, &bytes_read, "1000"), over);
    tt_meters_free(meters);
}

static void look_ups_do_not_grow_memory(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_meter *meter = get(meters, &accepted, "web");

    (void)state;
    tt_mem_fail_after(0);
    for (int i = 0; i < 100000; i++)
        assert_ptr_equal(get(meters, &accepted, "web"), meter);
    assert_true(tt_mem_count() <= 1);
    tt_meters_free(meters);
}

static void check_length(void *context, const struct tt_reading *reading)
{
    size_t *len = context;

    *len = reading->labels[0].value.len;
}

static void long_label_values_are_cut_at_a_character(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    char value[400];
    size_t len = 0;

    (void)state;
    memset(value, 'x', sizeof(value));
    memcpy(value + 254, "\xe2\x82\xac", 3);
    (void)tt_meters_get(meters, &accepted,
                        (const struct tt_label[]){{"l", tt_str_of(value, sizeof(value))}}, 1);
    tt_meters_read(meters, check_length, &len);
    assert_int_equal(len, 254);
    tt_meters_free(meters);

    meters = tt_meters_new(100);
    memset(value, 0xff, sizeof(value));
    (void)tt_meters_get(meters, &accepted,
                        (const struct tt_label[]){{"l", tt_str_of(value, sizeof(value))}}, 1);
    tt_meters_read(meters, check_length, &len);
    assert_int_equal(len, 256);
    tt_meters_free(meters);
}

static void labels_over_eight_are_ignored(void **state)
{
    struct tt_meters *meters = tt_meters_new(100);
    struct tt_label labels[10];
    static const char names[10][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    (void)state;
    for (size_t i = 0; i < 10; i++)
        labels[i] = (struct tt_label){names[i], TT_STR("1")};
    assert_ptr_equal(tt_meters_get(meters, &accepted, labels, 10),
                     tt_meters_get(meters, &accepted, labels, 8));
    tt_meters_free(meters);
}

static bool fill_registry(void *context)
{
    struct tt_meters *meters = tt_meters_new(80);
    struct tt_meter *dummy = tt_meters_get(NULL, &accepted, NULL, 0);
    const int *width = context;
    bool all = meters != NULL;

    for (int i = 0; meters != NULL && i < 100; i++) {
        char value[256];
        struct tt_meter *meter;
        (void)snprintf(value, sizeof(value), "%0*d", *width, i);
        meter = get(meters, i % 2 == 0 ? &accepted : &bytes_read, value);
        assert_non_null(meter);
        tt_meter_add(meter, 1);
        all = all && meter != dummy;
    }
    tt_meters_free(meters);
    return all;
}

static void exhausted_memory_gives_a_dummy(void **state)
{
    (void)state;
    /* Another width, another allocation that meets the end of an arena's chunk. */
    for (int width = 10; width < 255; width += 3)
        tt_test_failing_allocations(fill_registry, &width);
    tt_meters_read(NULL, dump_one, NULL);
}

enum { THREADS = 4, ROUNDS = 3000, VALUES = 37 };

static void count_up(void *context)
{
    struct tt_meters *meters = context;

    for (int i = 0; i < ROUNDS; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i % VALUES);
        tt_meter_add(get(meters, &accepted, value), 1);
        tt_meter_set_real(get(meters, &open_traces, NULL), 0.5);
    }
}

static void add_reading(void *context, const struct tt_reading *reading)
{
    double *sum = context;

    if (reading->desc->kind == TT_COUNTER)
        *sum += reading->value;
}

static void nothing_is_lost_with_many_threads(void **state)
{
    struct tt_meters *meters = tt_meters_new(20);
    struct tt_thread threads[THREADS];
    struct tt_error err;
    double sum = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_ok(tt_thread_start(&threads[i], "counter", count_up, meters, &err), &err);
    for (int i = 0; i < 100; i++)
        tt_meters_read(meters, add_reading, &sum);
    for (int i = 0; i < THREADS; i++)
        tt_thread_join(&threads[i]);
    sum = 0;
    tt_meters_read(meters, add_reading, &sum);
    assert_int_equal((int)sum, THREADS * ROUNDS);
    tt_meters_free(meters);
}

static const struct tt_meter_desc took = {"took", "s", "how long it took", TT_HISTOGRAM};

static void keep_reading(void *context, const struct tt_reading *reading)
{
    *(struct tt_reading *)context = *reading;
}

static void durations_are_counted_up_to_each_bound(void **state)
{
    static const struct {
        tt_dur duration;
        size_t bucket;
    } cases[] = {
        {-5, 0},
        {0, 0},
        {10 * TT_MICROSECOND, 0},
        {10 * TT_MICROSECOND + 1, 1},
        {TT_MILLISECOND, 4},
        {10 * TT_SECOND, 12},
        {10 * TT_SECOND + 1, 13},
        {INT64_C(1) << 60, 13},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct tt_meters *meters = tt_meters_new(100);
        struct tt_reading reading;
        tt_histogram_add(tt_meters_get_histogram(meters, &took, NULL, 0), cases[i].duration);
        tt_meters_read(meters, keep_reading, &reading);
        for (size_t b = 0; b < TT_HISTOGRAM_BUCKETS; b++)
            assert_int_equal(reading.up_to[b], b >= cases[i].bucket);
        assert_true(reading.value == 1);
        assert_true(reading.sum == (cases[i].duration > 0 ? (double)cases[i].duration / 1e9 : 0));
        tt_meters_free(meters);
    }
}

static void histograms_of_the_same_labels_are_one_and_none_is_missing(void **state)
{
    struct tt_meters *meters = tt_meters_new(1);
    struct tt_label a = {"x", TT_STR("a")}, b = {"x", TT_STR("b")}, c = {"x", TT_STR("c")};
    struct tt_histogram *first = tt_meters_get_histogram(meters, &took, &a, 1);

    (void)state;
    assert_ptr_equal(tt_meters_get_histogram(meters, &took, &a, 1), first);
    /* Over the limit they share one. */
    assert_ptr_not_equal(tt_meters_get_histogram(meters, &took, &b, 1), first);
    assert_ptr_equal(tt_meters_get_histogram(meters, &took, &b, 1),
                     tt_meters_get_histogram(meters, &took, &c, 1));
    /* Without a registry, or of a meter that is none, there is one that nobody reads. */
    tt_histogram_add(tt_meters_get_histogram(NULL, &took, NULL, 0), 1);
    tt_histogram_add(tt_meters_get_histogram(meters, &accepted, NULL, 0), 1);
    tt_meters_free(meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_counted_up_to_each_bound),
        cmocka_unit_test(histograms_of_the_same_labels_are_one_and_none_is_missing),
        cmocka_unit_test(instruments_begin_at_zero_and_are_read_in_order),
        cmocka_unit_test(a_gauge_may_have_decimals),
        cmocka_unit_test(an_instrument_has_a_cache_line_of_its_own),
        cmocka_unit_test(label_values_are_copied_and_their_order_does_not_matter),
        cmocka_unit_test(two_descriptions_of_one_name_are_one_instrument),
        cmocka_unit_test(what_is_over_the_limit_shares_one_series),
        cmocka_unit_test(a_label_value_called_overflow_is_that_series),
        cmocka_unit_test(a_name_has_at_most_1000_label_values),
        cmocka_unit_test(look_ups_do_not_grow_memory),
        cmocka_unit_test(long_label_values_are_cut_at_a_character),
        cmocka_unit_test(labels_over_eight_are_ignored),
        cmocka_unit_test(exhausted_memory_gives_a_dummy),
        cmocka_unit_test(nothing_is_lost_with_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
