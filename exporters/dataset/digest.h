/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_EXPORTERS_DATASET_DIGEST_H
#define TT_EXPORTERS_DATASET_DIGEST_H

/*
 * SHA-256 of files while they are written.
 *
 * Purpose: a row goes to three files, so that three checksums are made of it; reading the files again would double that. One checksum is bound by
 *          the latency of its rounds: with the processor's SHA instructions three go in step at the price of less than two.
 * Ownership: a digest is a plain value; copy it to keep a state to go back to.
 * Threads: no state.
 * Cost:    MB/s on one core, one by one and in step: 1,720 and 3,300 (bench_writers); without the instructions it is nettle's speed.
 * Source:  FIPS 180-4; nettle's context and code for all but whole blocks in step.
 */

#include "base/error.h"

#include <nettle/sha2.h>
#include <sys/uio.h>

struct dataset_digest {
    struct sha256_ctx hash;
};

/* What one digest is to be carried on by. The bytes of the parts, in order. */
struct dataset_digest_job {
    struct dataset_digest *digest;
    const struct iovec *parts;
    size_t n_parts;
};

void dataset_digest_init(struct dataset_digest *digest);
/* All jobs, in any order; no digest may be in two of them. in_step: the processor can (dataset_digest_in_step). */
void dataset_digest_add(struct dataset_digest_job *jobs, size_t n_jobs, bool in_step);
/* Lower-case hexadecimal and a NUL, of what was added so far; the digest can be carried on. */
void dataset_digest_hex(const struct dataset_digest *digest, char ret_hex[65]);
/* The same of all bytes of a file. TT_IO. */
enum tt_status dataset_digest_file(int fd, char ret_hex[65], struct tt_error *err) TT_CHECKED;

/* Whether this processor has what it takes. Asks it each time (a microsecond, dozens in a virtual machine): ask once. */
bool dataset_digest_in_step(void);

/* ---- private to digest.c and digest_x86.c ---- */

#define DATASET_DIGEST_LANES 3

struct dataset_lane {
    uint32_t *state;
    const uint8_t *at;
};
/* Carries each lane's state on by `blocks` blocks of 64 bytes. n_lanes: 1 to DATASET_DIGEST_LANES. */
void dataset_digest_blocks(const struct dataset_lane *lanes, size_t n_lanes, size_t blocks);

#endif
