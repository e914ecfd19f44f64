/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/digest.h"
#include "tt_test.h"

#define MAX_JOBS  9
#define MAX_PARTS 40
#define BYTES     20000

/* What the processor can, and what every processor can. Without the instructions both rounds are the same. */
static bool way_of(unsigned round)
{
    return round == 1 && dataset_digest_in_step();
}

static void assert_hex(const struct dataset_digest *digest, const char *expected)
{
    char hex[65];

    dataset_digest_hex(digest, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 and NIST's examples: one block, two blocks, none. */
static void known_messages_have_their_digests(void **state)
{
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmno"
         "pqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };

    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < TT_LENGTH(cases); i++) {
            struct tt_str text = tt_str(cases[i].text);
            struct iovec part = {.iov_base = strdup(cases[i].text), .iov_len = text.len};
            struct dataset_digest digest;
            struct dataset_digest_job job = {&digest, &part, 1};
            dataset_digest_init(&digest);
            dataset_digest_add(&job, 1, way_of(round));
            assert_hex(&digest, cases[i].digest);
            free(part.iov_base);
        }
}

/* NIST's long message: a million times "a", in parts that fit no block. */
static void a_long_message_may_come_in_any_parts(void **state)
{
    char text[997];
    struct iovec parts[] = {{text, 997}, {text, 1}, {text, 0}, {text, 2}};

    (void)state;
    memset(text, 'a', sizeof(text));
    for (unsigned round = 0; round < 2; round++) {
        struct dataset_digest digest;
        struct dataset_digest_job job = {&digest, parts, TT_LENGTH(parts)};
        dataset_digest_init(&digest);
        for (unsigned i = 0; i < 1000; i++)
            dataset_digest_add(&job, 1, way_of(round));
        assert_hex(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

/* Cuts up to BYTES bytes into parts: often tiny, sometimes many blocks. */
static size_t cut(uint64_t *random, uint8_t *bytes, struct iovec *ret_parts, size_t *ret_len)
{
    static const uint64_t sizes[] = {1, 3, 63, 66, 130, 700, 3000};
    size_t n = draw(random, MAX_PARTS + 1), at = 0;

    for (size_t i = 0; i < n; i++) {
        size_t len = draw(random, sizes[draw(random, TT_LENGTH(sizes))] + 1);
        if (at + len > BYTES)
            len = BYTES - at;
        ret_parts[i] = (struct iovec){bytes + at, len};
        at += len;
    }
    *ret_len = at;
    return n;
}

/* Any number of digests at a time, carried on several times, against nettle in one go. */
static void digests_in_step_are_those_made_alone(void **state)
{
    static uint8_t bytes[BYTES];
    static struct iovec parts[MAX_JOBS][MAX_PARTS];
    uint64_t random = 7;

    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)draw(&random, 256);
    for (unsigned round = 0; round < 400; round++) {
        struct dataset_digest digests[MAX_JOBS], expected[MAX_JOBS];
        size_t n = draw(&random, MAX_JOBS + 1);
        for (size_t i = 0; i < n; i++) {
            dataset_digest_init(&digests[i]);
            dataset_digest_init(&expected[i]);
        }
        for (unsigned again = 0; again < 3; again++) {
            struct dataset_digest_job jobs[MAX_JOBS];
            for (size_t i = 0; i < n; i++) {
                size_t len;
                jobs[i] = (struct dataset_digest_job){&digests[i], parts[i],
                                                      cut(&random, bytes, parts[i], &len)};
                sha256_update(&expected[i].hash, len, bytes);
            }
            dataset_digest_add(jobs, n, way_of(round & 1));
        }
        for (size_t i = 0; i < n; i++) {
            char hex[65];
            dataset_digest_hex(&expected[i], hex);
            assert_hex(&digests[i], hex);
        }
    }
}

static void a_copy_is_a_state_to_go_back_to(void **state)
{
    char text[] = "abc", rest[200] = "never mind";
    struct iovec parts[] = {{text, 3}}, wrong[] = {{rest, sizeof(rest)}};
    struct dataset_digest digest, mark;
    struct dataset_digest_job job = {&digest, parts, 1}, regretted = {&digest, wrong, 1};

    (void)state;
    dataset_digest_init(&digest);
    dataset_digest_add(&job, 1, dataset_digest_in_step());
    mark = digest;
    dataset_digest_add(&regretted, 1, dataset_digest_in_step());
    digest = mark;
    assert_hex(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hex(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_messages_have_their_digests),
        cmocka_unit_test(a_long_message_may_come_in_any_parts),
        cmocka_unit_test(digests_in_step_are_those_made_alone),
        cmocka_unit_test(a_copy_is_a_state_to_go_back_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
