/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/digest.h"

#include "base/str.h"

#include <errno.h>
#include <unistd.h>

void dataset_digest_init(struct dataset_digest *digest)
{
    sha256_init(&digest->hash);
}

/* ---- one by one ---- */

static void add_parts(struct dataset_digest_job *job)
{
    for (size_t i = 0; i < job->n_parts; i++)
        sha256_update(&job->digest->hash, job->parts[i].iov_len, job->parts[i].iov_base);
}

/* ---- in step ---- */

/* A digest on its way through the parts of its job. Between blocks what is left over waits in hash->block, hash->index bytes of it. */
struct walk {
    struct sha256_ctx *hash; /* NULL: no job */
    const struct iovec *parts;
    size_t n_parts, offset; /* offset: into parts[0] */
    const uint8_t *at;      /* whole blocks that can be taken in one go */
    size_t blocks;
};

static void take_leftover(struct walk *walk)
{
    struct sha256_ctx *hash = walk->hash;
    size_t left = walk->parts[0].iov_len - walk->offset, want = sizeof(hash->block) - hash->index;
    size_t n = left < want ? left : want;

    memcpy(hash->block + hash->index, (const uint8_t *)walk->parts[0].iov_base + walk->offset, n);
    hash->index += (unsigned)n;
    walk->offset += n;
    if (hash->index < sizeof(hash->block))
        return;
    hash->index = 0;
    walk->at = hash->block;
    walk->blocks = 1;
}

/* Finds the next blocks; false when the job has none left. */
static bool find_blocks(struct walk *walk)
{
    while (walk->blocks == 0 && walk->n_parts > 0) {
        size_t left = walk->parts[0].iov_len - walk->offset;
        if (left == 0) {
            walk->parts++;
            walk->n_parts--;
            walk->offset = 0;
        } else if (walk->hash->index > 0 || left < sizeof(walk->hash->block)) {
            take_leftover(walk);
        } else {
            walk->at = (const uint8_t *)walk->parts[0].iov_base + walk->offset;
            walk->blocks = left / sizeof(walk->hash->block);
            walk->offset += walk->blocks * sizeof(walk->hash->block);
        }
    }
    return walk->blocks > 0;
}

/* Leaves the walk with blocks to take, of its own job or of the next one that has any; false when all jobs are done. */
static bool refill(struct walk *walk, struct dataset_digest_job **next,
                   const struct dataset_digest_job *end)
{
    while (walk->hash == NULL || !find_blocks(walk)) {
        if (*next == end)
            return false;
        *walk = (struct walk){
            .hash = &(*next)->digest->hash, .parts = (*next)->parts, .n_parts = (*next)->n_parts};
        ++*next;
    }
    return true;
}

static void take_blocks(struct walk *walks, size_t n)
{
    struct dataset_lane lanes[DATASET_DIGEST_LANES];
    size_t blocks = walks[0].blocks;

    for (size_t i = 0; i < n; i++) {
        lanes[i] = (struct dataset_lane){walks[i].hash->state, walks[i].at};
        blocks = walks[i].blocks < blocks ? walks[i].blocks : blocks;
    }
    dataset_digest_blocks(lanes, n, blocks);
    for (size_t i = 0; i < n; i++) {
        walks[i].hash->count += blocks;
        walks[i].at += blocks * sizeof(walks[i].hash->block);
        walks[i].blocks -= blocks;
    }
}

void dataset_digest_add(struct dataset_digest_job *jobs, size_t n_jobs, bool in_step)
{
    struct walk walks[DATASET_DIGEST_LANES] = {{.hash = NULL}};
    struct dataset_digest_job *next = jobs, *end = jobs + n_jobs;
    size_t n = DATASET_DIGEST_LANES;

    for (; !in_step && next < end; next++)
        add_parts(next);
    while (n > 0) {
        for (size_t i = 0; i < n;)
            if (refill(&walks[i], &next, end))
                i++;
            else
                walks[i] = walks[--n];
        if (n > 0)
            take_blocks(walks, n);
    }
}

/* ---- results ---- */

void dataset_digest_hex(const struct dataset_digest *digest, char ret_hex[65])
{
    struct sha256_ctx hash = digest->hash;
    uint8_t bytes[SHA256_DIGEST_SIZE];

    sha256_digest(&hash, sizeof(bytes), bytes);
    tt_hex_encode(bytes, sizeof(bytes), ret_hex);
    ret_hex[2 * sizeof(bytes)] = '\0';
}

enum tt_status dataset_digest_file(int fd, char ret_hex[65], struct tt_error *err)
{
    struct dataset_digest digest;
    uint8_t block[65536];
    off_t at = 0;
    ssize_t n;

    dataset_digest_init(&digest);
    while ((n = pread(fd, block, sizeof(block), at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tt_fail_errno(err, "read a file for its checksum");
        sha256_update(&digest.hash, (size_t)n, block);
        at += n;
    }
    dataset_digest_hex(&digest, ret_hex);
    return TT_OK;
}
