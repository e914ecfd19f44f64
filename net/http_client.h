/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_HTTP_CLIENT_H
#define TT_NET_HTTP_CLIENT_H

/*
 * One HTTP request at a time over a kept connection (libcurl, GnuTLS).
 *
 * Ownership: tt_http_client_free(). Threads: one client a thread.
 * Limits:    the answer's body is read up to max_answer bytes, the rest is discarded.
 * Proxies:   those of the environment (http_proxy, no_proxy), but never for a loopback address.
 * Not done:  redirects are not followed, cookies not kept, signals not used.
 */

#include "base/buffer.h"
#include "base/clock.h"
#include "net/http_server.h"

struct tt_http_client;
/* timeout: of a whole request, connect included. NULL when memory is gone. */
struct tt_http_client *tt_http_client_new(tt_dur timeout, size_t max_answer);
void tt_http_client_free(struct tt_http_client *client); /* NULL is a no-op */

struct tt_http_reply {
    unsigned status;         /* HTTP status; 0: none came */
    uint32_t retry_after_ms; /* from Retry-After, seconds or date; 0: none */
    struct tt_buffer
        body; /* the caller's; kept between requests; its max bounds the body as well */
};
/* method: "GET", "POST". TT_UNAVAILABLE (no connection), TT_TIMEOUT; TT_OK for any HTTP answer. */
enum tt_status tt_http_request(struct tt_http_client *client, const char *method, const char *url,
                               const struct tt_http_header *headers, size_t n_headers,
                               struct tt_str body, struct tt_http_reply *reply,
                               struct tt_error *err) TT_CHECKED;
/* Whether a connection can be made to where url points (or to its proxy), TLS included; nothing is asked. The connection lives until the
 * client is freed. TT_UNAVAILABLE, TT_TIMEOUT. */
enum tt_status tt_http_connect(struct tt_http_client *client, const char *url, struct tt_error *err)
    TT_CHECKED;

#endif
