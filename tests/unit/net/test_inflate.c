/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inflate.h"
#include "tt_test.h"

#include <zlib.h>
#include <zstd.h>

#define LIMIT ((size_t)64 << 20)

static const enum tt_encoding all[] = {TT_ENCODING_GZIP, TT_ENCODING_DEFLATE, TT_ENCODING_ZSTD};

/* Text with some repetition and some noise, as telemetry has. */
static void fill_text(struct tt_buffer *out, size_t len)
{
    uint64_t seed = 7;

    while (out->len < len)
        tt_buffer_printf(out, "{\"name\":\"GET /cart\",\"id\":\"%016llx\"}",
                         (unsigned long long)tt_test_random(&seed));
    out->len = len;
    assert_int_equal(out->failed, TT_OK);
}

static void pack(enum tt_encoding encoding, struct tt_str plain, struct tt_buffer *out)
{
    struct tt_error err = {0};

    assert_ok(tt_compress(encoding, 0, plain, out, &err), &err);
}

static enum tt_status unpack_within(enum tt_encoding encoding, struct tt_str packed, size_t max)
{
    struct tt_buffer out;

    tt_buffer_init(&out, max);
    enum tt_status status = tt_decompress(encoding, packed, &out, NULL);
    assert_true(out.len <= max);
    tt_buffer_done(&out);
    return status;
}

static void names_of_encodings(void **state)
{
    static const struct {
        const char *name;
        int encoding; /* -1: refused */
    } examples[] = {
        {"", TT_ENCODING_IDENTITY},
        {"identity", TT_ENCODING_IDENTITY},
        {"gzip", TT_ENCODING_GZIP},
        {"GZip", TT_ENCODING_GZIP},
        {" gzip ", TT_ENCODING_GZIP},
        {"x-gzip", TT_ENCODING_GZIP},
        {"zlib", TT_ENCODING_DEFLATE},
        {"deflate", TT_ENCODING_DEFLATE},
        {"zstd", TT_ENCODING_ZSTD},
        {"gzip, gzip", -1},
        {"gzip,identity", -1},
        {"br", -1},
        {"snappy", -1},
        {"gzi", -1},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        enum tt_encoding encoding = TT_ENCODING_IDENTITY;
        bool known = tt_encoding_parse(tt_str(examples[i].name), &encoding);
        if (known != (examples[i].encoding >= 0) ||
            (known && (int)encoding != examples[i].encoding))
            fail_msg("\"%s\"", examples[i].name);
    }
}

static void what_was_packed_comes_back(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 70000, 3000000};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(sizes); i++) {
        struct tt_buffer plain, packed, again;

        tt_buffer_init(&plain, LIMIT);
        fill_text(&plain, sizes[i]);
        for (size_t e = 0; e < TT_LENGTH(all); e++) {
            tt_buffer_init(&packed, LIMIT);
            tt_buffer_init(&again, LIMIT);
            pack(all[e], tt_buffer_view(&plain), &packed);
            assert_ok(tt_decompress(all[e], tt_buffer_view(&packed), &again, NULL), NULL);
            assert_true(tt_str_equal(tt_buffer_view(&again), tt_buffer_view(&plain)));
            tt_buffer_done(&packed);
            tt_buffer_done(&again);
        }
        tt_buffer_done(&plain);
    }
}

static void the_limit_is_exact(void **state)
{
    struct tt_buffer plain, packed;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    fill_text(&plain, 100000);
    for (size_t e = 0; e < TT_LENGTH(all); e++) {
        tt_buffer_init(&packed, LIMIT);
        pack(all[e], tt_buffer_view(&plain), &packed);
        assert_status(unpack_within(all[e], tt_buffer_view(&packed), 100001), TT_OK);
        assert_status(unpack_within(all[e], tt_buffer_view(&packed), 99999), TT_TOO_LARGE);
        tt_buffer_done(&packed);
    }
    tt_buffer_done(&plain);
}

/* F3: cut at every byte. A prefix that ends at a member's end is whole, all others are refused. */
static void truncated_data_are_refused(void **state)
{
    struct tt_buffer plain, packed;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    fill_text(&plain, 3000);
    for (size_t e = 0; e < TT_LENGTH(all); e++) {
        tt_buffer_init(&packed, LIMIT);
        pack(all[e], tt_buffer_view(&plain), &packed);
        for (size_t len = 0; len < packed.len; len++) {
            if (unpack_within(all[e], tt_str_of(packed.data, len), LIMIT) != TT_INVALID_DATA)
                fail_msg("encoding %d cut at %zu of %zu", all[e], len, packed.len);
        }
        tt_buffer_done(&packed);
    }
    tt_buffer_done(&plain);
}

static void damage_is_noticed(void **state)
{
    struct tt_buffer plain, packed;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    fill_text(&plain, 3000);
    tt_buffer_init(&packed, LIMIT);
    pack(TT_ENCODING_GZIP, tt_buffer_view(&plain), &packed);
    packed.data[packed.len - 8] ^= 1; /* CRC */
    assert_status(unpack_within(TT_ENCODING_GZIP, tt_buffer_view(&packed), LIMIT), TT_INVALID_DATA);
    packed.data[packed.len - 8] ^= 1;
    packed.data[packed.len - 1] ^= 1; /* ISIZE */
    assert_status(unpack_within(TT_ENCODING_GZIP, tt_buffer_view(&packed), LIMIT), TT_INVALID_DATA);
    tt_buffer_done(&packed);
    tt_buffer_done(&plain);
}

static void trailing_bytes_are_refused(void **state)
{
    struct tt_buffer packed;

    (void)state;
    for (size_t e = 0; e < TT_LENGTH(all); e++) {
        tt_buffer_init(&packed, LIMIT);
        pack(all[e], TT_STR("hello"), &packed);
        tt_buffer_append_str(&packed, TT_STR("garbage"));
        assert_status(unpack_within(all[e], tt_buffer_view(&packed), LIMIT), TT_INVALID_DATA);
        tt_buffer_done(&packed);
    }
}

static void members_may_follow_each_other(void **state)
{
    static const enum tt_encoding joined[] = {TT_ENCODING_GZIP, TT_ENCODING_ZSTD};

    (void)state;
    for (size_t e = 0; e < TT_LENGTH(joined); e++) {
        struct tt_buffer packed, again;

        tt_buffer_init(&packed, LIMIT);
        tt_buffer_init(&again, LIMIT);
        for (int i = 0; i < 1000; i++)
            pack(joined[e], TT_STR("ab"), &packed);
        assert_ok(tt_decompress(joined[e], tt_buffer_view(&packed), &again, NULL), NULL);
        assert_int_equal(again.len, 2000);
        assert_memory_equal(again.data, "abab", 4);
        tt_buffer_done(&packed);
        tt_buffer_done(&again);
    }
    struct tt_buffer two;
    tt_buffer_init(&two, LIMIT);
    pack(TT_ENCODING_DEFLATE, TT_STR("ab"), &two);
    pack(TT_ENCODING_DEFLATE, TT_STR("ab"), &two);
    assert_status(unpack_within(TT_ENCODING_DEFLATE, tt_buffer_view(&two), LIMIT), TT_INVALID_DATA);
    tt_buffer_done(&two);
}

static void endless_members_are_refused(void **state)
{
    struct tt_buffer packed;

    (void)state;
    for (size_t e = 0; e < TT_LENGTH(all); e += 2) {
        tt_buffer_init(&packed, LIMIT);
        for (int i = 0; i < 10050; i++)
            pack(all[e], TT_STR(""), &packed);
        assert_status(unpack_within(all[e], tt_buffer_view(&packed), LIMIT), TT_INVALID_DATA);
        tt_buffer_done(&packed);
    }
}

/* F1: a bomb stops long before the limit of bytes, by its ratio. */
static void bombs_stop_early(void **state)
{
    struct tt_buffer zeros, packed, out;

    (void)state;
    tt_buffer_init(&zeros, LIMIT);
    assert_non_null(tt_buffer_reserve(&zeros, LIMIT / 2));
    memset(zeros.data, 0, LIMIT / 2);
    zeros.len = LIMIT / 2;
    for (size_t e = 0; e < TT_LENGTH(all); e++) {
        tt_buffer_init(&packed, LIMIT);
        pack(all[e], tt_buffer_view(&zeros), &packed);
        tt_buffer_init(&out, LIMIT);
        assert_status(tt_decompress(all[e], tt_buffer_view(&packed), &out, NULL), TT_TOO_LARGE);
        assert_true(out.cap <= (size_t)16 << 20);
        tt_buffer_done(&out);
        tt_buffer_done(&packed);
    }
    tt_buffer_done(&zeros);
}

static void a_small_body_may_shrink_as_much_as_it_can(void **state)
{
    static char zeros[(size_t)1 << 20];
    struct tt_buffer packed;

    (void)state;
    tt_buffer_init(&packed, LIMIT);
    pack(TT_ENCODING_GZIP, tt_str_of(zeros, sizeof(zeros)), &packed);
    assert_true(packed.len < 2000);
    assert_status(unpack_within(TT_ENCODING_GZIP, tt_buffer_view(&packed), LIMIT), TT_OK);
    tt_buffer_done(&packed);
}

static void large_zstd_windows_are_refused(void **state)
{
    struct tt_buffer plain, packed;
    ZSTD_CCtx *context = ZSTD_createCCtx();

    (void)state;
    assert_non_null(context);
    tt_buffer_init(&plain, LIMIT);
    fill_text(&plain, 100000);
    for (int log = 23; log <= 24; log++) {
        tt_buffer_init(&packed, LIMIT);
        assert_non_null(tt_buffer_reserve(&packed, 1 << 20));
        (void)ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
        assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log)));
        ZSTD_inBuffer in = {plain.data, plain.len, 0};
        ZSTD_outBuffer out = {packed.data, packed.cap, 0};
        /* In two steps: then the size is not known at first, and the frame says how large its window is. */
        assert_false(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush)));
        assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
        packed.len = out.pos;
        assert_status(unpack_within(TT_ENCODING_ZSTD, tt_buffer_view(&packed), LIMIT),
                      log == 23 ? TT_OK : TT_TOO_LARGE);
        tt_buffer_done(&packed);
    }
    tt_buffer_done(&plain);
    (void)ZSTD_freeCCtx(context);
}

/* F6: nothing is guessed from the bytes. */
static void the_label_decides(void **state)
{
    struct tt_buffer packed;

    (void)state;
    assert_status(unpack_within(TT_ENCODING_GZIP, TT_STR("plain text"), LIMIT), TT_INVALID_DATA);
    assert_status(unpack_within(TT_ENCODING_ZSTD, TT_STR("plain text"), LIMIT), TT_INVALID_DATA);
    assert_status(unpack_within(TT_ENCODING_DEFLATE, TT_STR("plain text"), LIMIT), TT_INVALID_DATA);
    tt_buffer_init(&packed, LIMIT);
    pack(TT_ENCODING_GZIP, TT_STR("hello"), &packed);
    assert_status(unpack_within(TT_ENCODING_ZSTD, tt_buffer_view(&packed), LIMIT), TT_INVALID_DATA);
    assert_status(unpack_within(TT_ENCODING_IDENTITY, tt_buffer_view(&packed), LIMIT), TT_OK);
    tt_buffer_done(&packed);
}

static bool grant_up_to(void *context, size_t capacity)
{
    return capacity <= *(size_t *)context;
}

static void memory_is_asked_for_before_it_grows(void **state)
{
    struct tt_buffer plain, packed, out;
    size_t granted = 200000;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    tt_buffer_init(&packed, LIMIT);
    fill_text(&plain, 300000);
    pack(TT_ENCODING_ZSTD, tt_buffer_view(&plain), &packed);
    tt_buffer_init(&out, LIMIT);
    assert_status(tt_decompress_metered(TT_ENCODING_ZSTD, tt_buffer_view(&packed), &out,
                                        grant_up_to, &granted, NULL),
                  TT_OVERLOADED);
    assert_true(out.cap <= granted);
    tt_buffer_clear(&out);
    granted = LIMIT;
    assert_status(tt_decompress_metered(TT_ENCODING_ZSTD, tt_buffer_view(&packed), &out,
                                        grant_up_to, &granted, NULL),
                  TT_OK);
    assert_int_equal(out.len, 300000);
    tt_buffer_done(&out);
    tt_buffer_done(&packed);
    tt_buffer_done(&plain);
}

static bool unpack_once(void *context)
{
    struct tt_buffer out;

    tt_buffer_init(&out, LIMIT);
    enum tt_status status = tt_decompress(TT_ENCODING_GZIP, tt_buffer_view(context), &out, NULL);
    tt_buffer_done(&out);
    assert_true(status == TT_OK || status == TT_NO_MEMORY);
    return status == TT_OK;
}

static void survives_failing_allocations(void **state)
{
    struct tt_buffer plain, packed;

    (void)state;
    tt_buffer_init(&plain, LIMIT);
    tt_buffer_init(&packed, LIMIT);
    fill_text(&plain, 300000);
    pack(TT_ENCODING_GZIP, tt_buffer_view(&plain), &packed);
    tt_test_failing_allocations(unpack_once, &packed);
    tt_buffer_done(&packed);
    tt_buffer_done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_encodings),
        cmocka_unit_test(what_was_packed_comes_back),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(truncated_data_are_refused),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(trailing_bytes_are_refused),
        cmocka_unit_test(members_may_follow_each_other),
        cmocka_unit_test(endless_members_are_refused),
        cmocka_unit_test(bombs_stop_early),
        cmocka_unit_test(a_small_body_may_shrink_as_much_as_it_can),
        cmocka_unit_test(large_zstd_windows_are_refused),
        cmocka_unit_test(the_label_decides),
        cmocka_unit_test(memory_is_asked_for_before_it_grows),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
