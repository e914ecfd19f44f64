/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_TESTS_UNIT_PIPELINE_FAKES_H
#define TT_TESTS_UNIT_PIPELINE_FAKES_H

/*
 * Components that do what a test tells them, and note what the engine does with them.
 *
 *   source (receiver)   gives the test its edges
 *   pass, stamp         processors: pass on; pass on and change (adds the column "stamp")
 *   hold                processor: keeps batches until shutdown, then sends them on without ack
 *   join (connector)    passes on, all signals
 *   sink, edit          exporters: fail as told, count, remember; edit says that it changes data
 *   ext                 extension
 *
 * One fixture at a time; its journal is "create sink|start sink|…".
 */

#include "otlp/json.h"
#include "pipeline/engine.h"
#include "pipeline/service.h"
#include "tt_test.h"

enum { FAKES_MAX = 32 };

struct fake {
    const char *id;
    struct tt_create_args args;
    _Atomic int fail_with;      /* enum tt_status of consume (or of start and reload) */
    _Atomic uint32_t fail_next; /* how many calls fail; UINT32_MAX: all */
    _Atomic uint64_t batches, rows;
    _Atomic bool saw_shared; /* the last batch had several references */
    _Atomic bool saw_stamp;
    _Atomic bool had_to_clone; /* stamp: its batch was shared */
    const void *config;        /* after the last reload */
    struct tt_batch *held[64];
    size_t n_held;
    bool ready;
    tt_dur takes; /* moves the clock by that for each batch */
    struct tt_fake_clock *clock;
};

struct fixture {
    struct tt_diags diags;
    struct tt_settings *settings;
    struct tt_service *service;
    struct tt_buffer text;
    struct tt_log_sink sink;
};

/* What fake_config decodes to. */
struct fake_config {
    const char *text;
    int64_t number; /* reloadable */
    bool fails_to_create, fails_to_start, fails_to_reload;
};

extern const struct tt_catalog fake_catalog;

/* Reads YAML; settings is NULL when it is wrong, and text holds the problems. */
void fixture_read(struct fixture *f, const char *yaml);
/* Reads and creates; fails the test when that is impossible. */
void fixture_build(struct fixture *f, const char *yaml);
/* And starts. */
void fixture_start(struct fixture *f, const char *yaml);
void fixture_done(struct fixture *f);
/* Settings of a YAML text that must be right. */
struct tt_settings *fixture_settings(const char *yaml);

/* The n-th instance of that id that was created (0: the first). */
struct fake *fake_find(const char *id, size_t n);
const char *fake_journal(void);

/* A batch of n rows. ack may be NULL. */
struct tt_batch *fake_batch(enum tt_signal signal, unsigned rows, struct tt_ack *ack);
/* Sends n rows through the source's edge; the answer of an ack is left in *ret_answer when it is not NULL. */
enum tt_status fake_send(const char *source, enum tt_signal signal, unsigned rows,
                         struct tt_ack_result *ret_answer, struct tt_error *err);
/* The value of a meter whose only label has that value. */
int64_t fake_meter(struct fixture *f, const char *name, const char *label_value);
tt_dur fake_deadline(tt_dur from_now);

#endif
