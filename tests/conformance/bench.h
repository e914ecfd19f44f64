/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_CONFORMANCE_BENCH_H
#define TT_TESTS_CONFORMANCE_BENCH_H

/*
 * A bench to put one component on: a source in front of it, a sink behind it, a temporary directory and ports of the
 * system's choice for what it opens.
 *
 * Convention: a text option called endpoint or address gets 127.0.0.1:0; one called path, directory or include gets a
 * place of its own below the temporary directory. What must be otherwise stands in the table of bench.c.
 */

#include "pipeline/engine.h"
#include "pipeline/registry.h"
#include "pipeline/service.h"
#include "tt_test.h"

struct bench {
    const struct tt_component *component;
    struct tt_temp_dir dir;
    struct tt_diags diags;
    struct tt_buffer yaml, text;
    struct tt_log_sink sink;
    struct tt_service *service;
};

void bench_init(struct bench *bench, const struct tt_component *component);
void bench_done(struct bench *bench);

/* The id of instance n: "otlp", "otlp/2". */
const char *bench_id(const struct bench *bench, size_t n, char ret_id[96]);
/* A whole configuration with n instances; extra is one more "key: value" of the first, or NULL. */
void bench_config(struct bench *bench, size_t n_instances, const char *extra);
/* Reads bench->yaml; NULL when it is wrong, with all problems in bench->text. */
struct tt_settings *bench_read(struct bench *bench);
/* Creates the service from bench->yaml. */
enum tt_status bench_build(struct bench *bench, struct tt_error *err);
/* The n-th instance on the bench. */
struct tt_instance *bench_instance(struct bench *bench, size_t n);
/* Sends a batch of two rows to where the component's data come from. Receivers and extensions: nothing is sent. NULL
 * memory gives TT_NO_MEMORY. */
enum tt_status bench_send(struct bench *bench, enum tt_signal signal, struct tt_error *err);
struct tt_batch *bench_batch(enum tt_signal signal);
/* Rows that reached the sink. */
uint64_t bench_received(void);
/* Blocks the destination: the sink refuses what may be sent again later, and no file takes a byte. Or lets it go on. */
void bench_block(bool blocked);
/* The sum of a counter, over all its labels. */
uint64_t bench_count(struct bench *bench, const char *name);

#endif
