/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/digest.h"

/*
 * SHA-256 blocks with the SHA extensions of x86, up to three independent messages in step: a pair of rounds takes four cycles to come back but a
 * new pair can begin every other cycle.
 *
 * Source: FIPS 180-4, section 6.2.2; Intel, "Intel SHA Extensions" (2013) for the order of the words in registers.
 */

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA   __attribute__((target("sha,sse4.1")))
#define INNER SHA __attribute__((always_inline)) static inline

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The eight words of a state as the instructions want them, words a, b, e, f in one register, highest first. */
struct words {
    __m128i abef, cdgh;
};

INNER __m128i load(const void *from)
{
    return _mm_loadu_si128(from);
}

INNER struct words load_state(const uint32_t *state)
{
    __m128i cdab = _mm_shuffle_epi32(load(state), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1B);

    return (struct words){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

INNER void store_state(struct words words, uint32_t *state)
{
    __m128i feba = _mm_shuffle_epi32(words.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(words.cdgh, 0xB1);

    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four rounds, with the words 4 * i and on of the message schedule. */
INNER void four_rounds(struct words *words, __m128i schedule, size_t i)
{
    __m128i sum =
        _mm_add_epi32(schedule, _mm_load_si128((const __m128i *)(const void *)constants + i));

    words->cdgh = _mm_sha256rnds2_epu32(words->cdgh, words->abef, sum);
    words->abef = _mm_sha256rnds2_epu32(words->abef, words->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

/* The four words of the schedule that follow 16. */
INNER __m128i extend(__m128i w0, __m128i w4, __m128i w8, __m128i w12)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8(w12, w8, 4));

    return _mm_sha256msg2_epu32(sum, w12);
}

INNER void one_block(struct words *words, const struct dataset_lane *lanes, size_t n, size_t block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    struct words before[DATASET_DIGEST_LANES];
    __m128i schedule[DATASET_DIGEST_LANES][4];

#pragma GCC unroll 3
    for (size_t k = 0; k < n; k++) {
        before[k] = words[k];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            schedule[k][i] = _mm_shuffle_epi8(load(lanes[k].at + block * 64 + i * 16), swap);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++)
#pragma GCC unroll 3
        for (size_t k = 0; k < n; k++) {
            __m128i *w = schedule[k];
            four_rounds(&words[k], w[i & 3], i);
            if (i < 12)
                w[i & 3] = extend(w[i & 3], w[(i + 1) & 3], w[(i + 2) & 3], w[(i + 3) & 3]);
        }
#pragma GCC unroll 3
    for (size_t k = 0; k < n; k++) {
        words[k].abef = _mm_add_epi32(words[k].abef, before[k].abef);
        words[k].cdgh = _mm_add_epi32(words[k].cdgh, before[k].cdgh);
    }
}

/* n is a constant where it is called: the lanes' words stay in registers. */
INNER void all_blocks(const struct dataset_lane *lanes, size_t n, size_t blocks)
{
    struct words words[DATASET_DIGEST_LANES];

#pragma GCC unroll 3
    for (size_t k = 0; k < n; k++)
        words[k] = load_state(lanes[k].state);
    for (size_t block = 0; block < blocks; block++)
        one_block(words, lanes, n, block);
#pragma GCC unroll 3
    for (size_t k = 0; k < n; k++)
        store_state(words[k], lanes[k].state);
}

SHA void dataset_digest_blocks(const struct dataset_lane *lanes, size_t n_lanes, size_t blocks)
{
    if (n_lanes == 3)
        all_blocks(lanes, 3, blocks);
    else if (n_lanes == 2)
        all_blocks(lanes, 2, blocks);
    else
        all_blocks(lanes, 1, blocks);
}

/* The SHA bit cannot be asked for by name in clang 14. Source: AMD64 Architecture Programmer's Manual 3, appendix E. */
bool dataset_digest_in_step(void)
{
    unsigned a, b, c, d;

    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
           (b & bit_SHA) != 0;
}

#else

bool dataset_digest_in_step(void)
{
    return false;
}

void dataset_digest_blocks(const struct dataset_lane *lanes, size_t n_lanes, size_t blocks)
{
    (void)lanes, (void)n_lanes, (void)blocks;
}

#endif
