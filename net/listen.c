/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define BACKLOG 1024

void peer_text(const struct sockaddr_storage *address, char ret_text[PEER_TEXT_SIZE])
{
    char ip[INET6_ADDRSTRLEN] = "?";
    bool is_v6 = address->ss_family == AF_INET6;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

    if (is_v6)
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
    else
        (void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
    (void)snprintf(ret_text, PEER_TEXT_SIZE, is_v6 ? "[%s]:%u" : "%s:%u", ip,
                   (unsigned)ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

/* "host:port", "[v6]:port", ":port". */
static bool split_endpoint(struct tt_str endpoint, char *host, size_t host_size, uint16_t *ret_port)
{
    size_t colon = endpoint.len;
    uint64_t port;

    while (colon > 0 && endpoint.data[colon - 1] != ':')
        colon--;
    if (colon == 0 ||
        !tt_str_to_uint64(tt_str_of(endpoint.data + colon, endpoint.len - colon), &port) ||
        port > UINT16_MAX)
        return false;
    struct tt_str name = tt_str_of(endpoint.data, colon - 1);
    if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
        name = tt_str_of(name.data + 1, name.len - 2);
    if (name.len >= host_size)
        return false;
    memcpy(host, name.data, name.len);
    host[name.len] = '\0';
    *ret_port = (uint16_t)port;
    return true;
}

static void set_option(int fd, int level, int name, int value)
{
    /* All of these only improve things: a kernel that refuses one is served without it. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Accepted sockets inherit these: a peer that vanished is noticed within two minutes. */
static void set_options(int fd, int family, bool dual_stack)
{
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 45);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 90000);
    if (family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? 0 : 1);
}

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

/* A listening socket, or -1 with errno. */
static int open_one(const struct addrinfo *info, uint16_t port, bool dual_stack)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_storage address = {0};

    if (fd < 0)
        return -1;
    memcpy(&address, info->ai_addr, info->ai_addrlen);
    set_port((struct sockaddr *)&address, port);
    set_options(fd, info->ai_family, dual_stack);
    if (bind(fd, (struct sockaddr *)&address, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int code = errno;
    (void)close(fd);
    errno = code;
    return -1;
}

static uint16_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address = {.ipv6 = {.sin6_port = 0}};
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

static void add_listener(struct tt_http_server *server, int fd)
{
    server->listeners[server->n_listeners++] = (struct guest){.kind = GUEST_LISTENER, .fd = fd};
    if (server->port == 0)
        server->port = bound_port(fd);
}

/* Only the first address must be had; of localhost's two the other is welcome. */
static enum tt_status open_all(struct tt_http_server *server, const struct addrinfo *list,
                               const char *host, uint16_t port, struct tt_error *err)
{
    bool is_localhost = strcmp(host, "localhost") == 0;
    bool is_any = host[0] == '\0' || strcmp(host, "::") == 0;
    int first_error = 0;

    server->port = port;
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        int fd = open_one(info, server->port, is_any);
        if (fd < 0) {
            first_error = first_error == 0 ? errno : first_error;
            /* A taken port is an error even where the other family would still be free: a client may get there instead.
             * A port that the system chose may be taken there by chance. */
            if (errno == EADDRINUSE && (port != 0 || server->n_listeners == 0))
                break;
            continue;
        }
        add_listener(server, fd);
        first_error = 0;
        if (!is_localhost || server->n_listeners == MAX_LISTENERS)
            break;
    }
    if (server->n_listeners > 0 && (first_error != EADDRINUSE || port == 0))
        return TT_OK;
    listen_close(server);
    errno = first_error != 0 ? first_error : EADDRNOTAVAIL;
    return tt_fail_errno(err, "listen on %s", server->options.endpoint);
}

/* This machine by definition (RFC 6761, 6.3): no resolver is asked, which a container may lack. */
static enum tt_status open_localhost(struct tt_http_server *server, uint16_t port,
                                     struct tt_error *err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct addrinfo second = {
        .ai_family = AF_INET6, .ai_addrlen = sizeof(v6), .ai_addr = (struct sockaddr *)&v6};
    struct addrinfo first = {.ai_family = AF_INET,
                             .ai_addrlen = sizeof(v4),
                             .ai_addr = (struct sockaddr *)&v4,
                             .ai_next = &second};

    return open_all(server, &first, "localhost", port, err);
}

enum tt_status listen_open(struct tt_http_server *server, struct tt_error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char host[256];
    uint16_t port;

    if (!split_endpoint(tt_str(server->options.endpoint), host, sizeof(host), &port))
        return tt_fail(err, TT_INVALID_CONFIG, "listen on %s: not host:port",
                       server->options.endpoint);
    if (strcmp(host, "localhost") == 0)
        return open_localhost(server, port, err);
    if (host[0] == '\0') /* ":4318": all addresses, of both families where IPv6 is there */
        hints.ai_family = AF_INET6;
    int code = getaddrinfo(host[0] == '\0' ? NULL : host, "0", &hints, &list);
    if (code != 0 && host[0] == '\0') {
        hints.ai_family = AF_INET;
        code = getaddrinfo(NULL, "0", &hints, &list);
    }
    if (code != 0)
        return tt_fail(err, TT_INVALID_CONFIG, "listen on %s: %s", server->options.endpoint,
                       gai_strerror(code));
    enum tt_status status = open_all(server, list, host, port, err);
    freeaddrinfo(list);
    return status;
}

void listen_close(struct tt_http_server *server)
{
    for (unsigned i = 0; i < server->n_listeners; i++)
        (void)close(server->listeners[i].fd);
    server->n_listeners = 0;
}
