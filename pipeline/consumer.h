/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_PIPELINE_CONSUMER_H
#define TT_PIPELINE_CONSUMER_H

/*
 * An edge of the graph: checks the signal, counts items, hands a batch to what is behind it.
 *
 * Ownership: tt_consume() takes the batch in every case; *batch is NULL before anything downstream runs.
 * Answer:    a failure is also recorded in the batch's ack, so a receiver that waits for the ack needs no return value. A
 *            failure that may be retried is either returned with no exporter having seen the batch, or the batch is parked at the
 *            edge of the exporter that failed while admission is closed (tt_host_admission); no exporter sees a batch twice.
 * Threads:   any, concurrently.
 */

#include "otlp/batch.h"

struct tt_consumer;

enum tt_status tt_consume(struct tt_consumer *next, struct tt_batch **batch, struct tt_error *err);

/* For a component that gives a batch up: releases it, records status in its ack and returns status. */
enum tt_status tt_drop(struct tt_batch **batch, enum tt_status status, const struct tt_error *err);

#endif
