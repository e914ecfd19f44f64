/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_ACCOUNT_H
#define TT_CLI_ACCOUNT_H

/* What became of the data of a run, read from the meters. One thread. */

#include "base/buffer.h"
#include "pipeline/service.h"

/* Received, labelled, written and where, dropped by reason. */
void tt_account_print(struct tt_service *service, struct tt_buffer *out);
/* Whether any row carried label evidence; false also when no component looks for it. */
bool tt_account_has_labels(struct tt_service *service);

#endif
