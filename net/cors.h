/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_CORS_H
#define TT_NET_CORS_H

/*
 * Which browsers' pages may send to us (Fetch standard, "CORS protocol").
 *
 * Invariant: an origin that is not allowed gets no CORS header at all, and its preflight is an ordinary OPTIONS request.
 * Threads:   no state.
 */

#include "base/buffer.h"
#include "net/http_server.h"

/* Whether pages of that origin may send. Patterns may hold '*'; compared without case, as hosts are. */
bool cors_allows_origin(const struct tt_cors *cors, struct tt_str origin);
/* Whether all of the comma-separated names may be sent: those configured, or the safelist, Content-Type and
 * X-Requested-With when none are. */
bool cors_allows_headers(const struct tt_cors *cors, struct tt_str names);
/* The value of Access-Control-Allow-Origin: "*" when every origin is allowed, else the origin itself. Credentials may go
 * along only in the latter case. */
bool cors_is_open(const struct tt_cors *cors);

#endif
