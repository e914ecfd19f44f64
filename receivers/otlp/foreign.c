/* SPDX-License-Identifier: Apache-2.0 */
#include "receivers/otlp/otlp.h"

/* Whether this address is new; when the memory is full it starts anew. */
static bool is_new(struct otlp_receiver *self, struct tt_str peer, const char *protocol)
{
    while (peer.len > 0 && peer.data[peer.len - 1] != ':') /* the port differs each time */
        peer.len--;
    uint64_t hash = tt_hash(peer.data, peer.len, tt_hash_seed()) ^ (uint64_t)protocol[0];
    bool known = false;

    (void)pthread_mutex_lock(&self->mu);
    for (unsigned i = 0; i < self->n_told && !known; i++)
        known = self->told[i] == hash;
    if (!known && self->n_told == OTLP_MAX_PEERS)
        self->n_told = 0;
    if (!known)
        self->told[self->n_told++] = hash;
    (void)pthread_mutex_unlock(&self->mu);
    return !known;
}

void otlp_foreign(void *receiver, struct tt_str peer, const char *protocol)
{
    struct otlp_receiver *self = receiver;

    if (!is_new(self, peer, protocol))
        return;
    if (strcmp(protocol, "TLS") == 0)
        tt_log_warn(&self->host->log,
                    "a TLS client called, but this port speaks plain HTTP; set its environment",
                    TT_FIELD_STR("peer", peer), TT_FIELD_TEXT("environment", self->advice));
    else
        tt_log_warn(
            &self->host->log,
            "a gRPC client called and got nothing through: gRPC is not served; set its environment",
            TT_FIELD_STR("peer", peer), TT_FIELD_TEXT("environment", self->advice));
}
