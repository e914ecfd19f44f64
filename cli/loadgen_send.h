/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_LOADGEN_SEND_H
#define TT_CLI_LOADGEN_SEND_H

/* Delivers OTLP requests as an SDK's exporter would: encodes, compresses, posts, retries. One sender a thread. */

#include "cli/loadgen_run.h"
#include "net/http_client.h"
#include "otlp/signal.h"

#define LG_LATENCIES 20000

struct lg_sender {
    const struct lg_options *options;
    struct tt_stop *stop;
    struct tt_http_client *client;
    struct tt_http_reply reply;
    struct tt_buffer encoded, compressed;
    struct lg_account account; /* of this sender */
    struct shop_random random; /* for back-off and sampling */
    tt_dur *latencies;         /* a sample of LG_LATENCIES */
    size_t n_latencies;
    uint64_t latencies_seen;
    struct tt_error last_error;
};

/* What one request holds. */
struct lg_parcel {
    enum tt_signal signal;
    struct tt_str body; /* protobuf */
    uint64_t items;
    uint64_t by_scenario[SHOP_SCENARIOS]; /* spans */
};

enum tt_status lg_sender_init(struct lg_sender *sender, const struct lg_options *options,
                              struct tt_stop *stop, uint64_t seed, struct tt_error *err) TT_CHECKED;
void lg_sender_done(struct lg_sender *sender);
/* Whether anybody listens at the endpoint; tries again for options->wait. Sends nothing. TT_UNAVAILABLE. */
enum tt_status lg_find_endpoint(const struct lg_options *options, struct tt_stop *stop,
                                struct tt_error *err) TT_CHECKED;
/* Sends, retries what may be retried, and accounts for the outcome. */
void lg_send(struct lg_sender *sender, const struct lg_parcel *parcel);

#endif
