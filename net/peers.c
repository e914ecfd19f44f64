/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

/* The address without the port, as bytes; IPv4 in IPv6 is IPv4. */
struct peer {
    unsigned count;
    uint8_t len;
    uint8_t ip[16];
};

static struct peer peer_of(const struct sockaddr_storage *address)
{
    struct peer peer = {.count = 1};

    if (address->ss_family == AF_INET) {
        peer.len = 4;
        memcpy(peer.ip, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return peer;
    }
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(v6);
    peer.len = is_mapped ? 4 : 16;
    memcpy(peer.ip, is_mapped ? &v6->s6_addr[12] : v6->s6_addr, peer.len);
    return peer;
}

static bool is_loopback(const struct peer *peer)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};

    return peer->len == 4 ? peer->ip[0] == 127 : memcmp(peer->ip, v6_loopback, 16) == 0;
}

static bool is_counted(const struct tt_http_server *server, const struct peer *peer)
{
    return server->options.max_connections_per_ip > 0 && !is_loopback(peer);
}

/* mu is held. */
static bool enter(struct tt_http_server *server, const struct peer *peer)
{
    struct peer *known = tt_map_get(&server->peers, tt_str_of(peer->ip, peer->len));

    if (known != NULL) {
        if (known->count >= server->options.max_connections_per_ip)
            return false;
        known->count++;
        return true;
    }
    known = tt_malloc(sizeof(*known));
    if (known == NULL)
        return false;
    *known = *peer;
    if (tt_map_put(&server->peers, tt_str_of(known->ip, known->len), known) == TT_OK)
        return true;
    tt_free(known);
    return false;
}

bool peer_enter(struct tt_http_server *server, const struct sockaddr_storage *address)
{
    struct peer peer = peer_of(address);

    if (!is_counted(server, &peer))
        return true;
    (void)pthread_mutex_lock(&server->mu);
    bool entered = enter(server, &peer);
    (void)pthread_mutex_unlock(&server->mu);
    return entered;
}

void peer_leave(struct tt_http_server *server, const struct sockaddr_storage *address)
{
    struct peer peer = peer_of(address);
    struct peer *gone = NULL;

    if (!is_counted(server, &peer))
        return;
    (void)pthread_mutex_lock(&server->mu);
    struct peer *known = tt_map_get(&server->peers, tt_str_of(peer.ip, peer.len));
    if (known != NULL && --known->count == 0)
        gone = tt_map_remove(&server->peers, tt_str_of(peer.ip, peer.len));
    (void)pthread_mutex_unlock(&server->mu);
    tt_free(gone);
}

void peers_done(struct tt_http_server *server)
{
    const struct tt_map_slot *slot;
    size_t position = 0;

    while ((slot = tt_map_next(&server->peers, &position)) != NULL)
        tt_free(slot->value);
    tt_map_done(&server->peers);
}
