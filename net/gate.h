/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_NET_GATE_H
#define TT_NET_GATE_H

/*
 * What a request's first bytes and headers must look like before anything else sees them.
 *
 * Purpose: libmicrohttpd takes forms that HTTP forbids or that two parsers read differently (request smuggling). The gate reads
 *          the raw bytes of a connection's first request, and the parsed headers of every one.
 * Source:  RFC 9112 (message syntax), RFC 9113 3.4 (HTTP/2 preface), RFC 8446 5.1 (TLS record).
 * Threads: no state.
 */

#include "base/str.h"

#define GATE_MAX_HEADERS 100
#define GATE_MAX_TARGET  ((size_t)8 << 10)

enum gate_action { GATE_MORE, GATE_OK, GATE_REFUSE, GATE_HTTP2, GATE_TLS };

struct gate_verdict {
    enum gate_action action;
    unsigned status;    /* REFUSE: 400, 413, 414, 417, 431, 501, 505 */
    const char *reason; /* REFUSE: constant text for the client */
};

/* What the headers of one request say about its framing. */
struct gate_facts {
    unsigned n_headers, n_hosts, n_lengths, n_codings;
    uint64_t content_length; /* valid when n_lengths is 1 */
    bool length_overflow;    /* digits only, but over UINT64_MAX: no body can be that large */
    bool chunked, expects_continue;
    struct gate_verdict bad; /* the first fault; action OK: none yet */
};

void gate_facts_init(struct gate_facts *facts);
void gate_header(struct gate_facts *facts, struct tt_str name, struct tt_str value);
/* After the last header. is_http_1_1: it must name one host. */
struct gate_verdict gate_finish(const struct gate_facts *facts, bool is_http_1_1);

/* Judges the first bytes of a connection: MORE until the headers are whole, at most max_header_bytes of them. O(len). */
struct gate_verdict gate_scan(struct tt_str bytes, size_t max_header_bytes);

#endif
