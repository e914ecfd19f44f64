/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_ANOMALY_LABELS_COVERAGE_H
#define TT_ANOMALY_LABELS_COVERAGE_H

/*
 * How many spans of each service end up labelled, and a warning for each service of which none does.
 *
 * Purpose:   starved labels are the classic failure of labelled runs: the warning names the setting that feeds them.
 * Limits:    1,000 services; what is over shares the service "__overflow__".
 * Threads:   anomaly_coverage_add from any thread (a mutex, once a resource and batch); the others by one thread.
 * Source:    the instrumentations' documentation, as of September 2026 (docs/labels.md).
 */

#include "base/log.h"
#include "base/meter.h"
#include "otlp/batch.h"

extern const struct tt_meter_desc anomaly_coverage_meter; /* telltale_label_coverage_ratio */

struct anomaly_coverage;

/* log and meters are borrowed. NULL when memory is gone. */
struct anomaly_coverage *anomaly_coverage_new(struct tt_meters *meters, const struct tt_log *log);
void anomaly_coverage_free(struct anomaly_coverage *coverage); /* NULL is a no-op */

/* Counts rows of one resource of the batch, `labelled` of which had evidence from any source. Warns when a service has had
 * 100 rows without any evidence. */
void anomaly_coverage_add(struct anomaly_coverage *coverage, const struct tt_batch *batch,
                          uint32_t resource, uint64_t rows, uint64_t labelled);

/* At the end of a run: warns of services that were too small for a warning so far, and says it loudly when no row at all had
 * evidence. Safe to repeat. */
void anomaly_coverage_finish(struct anomaly_coverage *coverage);

/* What to set so that server spans of that telemetry.sdk.language carry the headers; never NULL. */
const char *anomaly_coverage_advice(struct tt_str language);

#endif
