/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define DRAIN_TIME  (2 * TT_SECOND)
#define MAX_LEAVING 256
#define MAX_FULL    256
#define DRAIN_SLICE 16 /* reads before other guests have their turn */

static void append(struct guest_list *list, struct guest *guest)
{
    guest->previous = list->last;
    guest->next = NULL;
    if (list->last != NULL)
        list->last->next = guest;
    else
        list->first = guest;
    list->last = guest;
    list->count++;
}

static void remove_from(struct guest_list *list, struct guest *guest)
{
    if (guest->previous != NULL)
        guest->previous->next = guest->next;
    else
        list->first = guest->next;
    if (guest->next != NULL)
        guest->next->previous = guest->previous;
    else
        list->last = guest->previous;
    list->count--;
}

static struct guest_list *list_of(struct tt_http_server *server, enum guest_kind kind)
{
    return kind == GUEST_NEW       ? &server->news
           : kind == GUEST_FULL    ? &server->fulls
           : kind == GUEST_LEAVING ? &server->leaving
                                   : &server->gone;
}

/* Moves it to the list of another kind; those that leave are shared with the loops. */
static void become(struct tt_http_server *server, struct guest *guest, enum guest_kind kind)
{
    (void)pthread_mutex_lock(&server->mu);
    remove_from(list_of(server, guest->kind), guest);
    guest->kind = kind;
    append(list_of(server, kind), guest);
    (void)pthread_mutex_unlock(&server->mu);
}

struct guest *guest_new(struct tt_http_server *server, enum guest_kind kind, int fd,
                        tt_dur deadline)
{
    struct guest *guest = tt_calloc(1, sizeof(*guest));

    if (guest == NULL) {
        (void)close(fd);
        return NULL;
    }
    guest->kind = kind;
    guest->fd = fd;
    guest->deadline = deadline;
    append(list_of(server, kind), guest);
    return guest;
}

static bool watch(struct tt_http_server *server, struct guest *guest, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = guest};
    bool was_watched = guest->in_epoll;

    guest->in_epoll = true; /* before: the acceptor may see an event of it before this returns */
    if (epoll_ctl(server->epoll_fd, was_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, guest->fd,
                  &event) == 0)
        return true;
    guest->in_epoll = was_watched;
    return false;
}

bool guest_watch(struct tt_http_server *server, struct guest *guest)
{
    return watch(server, guest, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void stop_counting(struct tt_http_server *server, struct guest *guest)
{
    if (guest->is_counted)
        peer_leave(server, &guest->address);
    guest->is_counted = false;
}

void guest_close(struct tt_http_server *server, struct guest *guest)
{
    stop_counting(server, guest);
    /* Closing alone does not end the watch: a loop may still hold another descriptor of the same connection. */
    if (guest->fd >= 0 && guest->in_epoll)
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, guest->fd, NULL);
    if (guest->fd >= 0)
        (void)close(guest->fd);
    guest->fd = -1;
    become(server, guest, GUEST_GONE);
}

void guests_bury(struct tt_http_server *server)
{
    struct guest *guest = server->gone.first;

    while (guest != NULL) {
        struct guest *next = guest->next;
        tt_free(guest);
        guest = next;
    }
    server->gone = (struct guest_list){0};
}

void guest_dismiss(struct tt_http_server *server, struct guest *guest, struct tt_str last_words)
{
    /* The send buffer of a connection that was never written to takes these few bytes, or the peer is gone. */
    (void)!send(guest->fd, last_words.data, last_words.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(guest->fd, SHUT_WR);
    stop_counting(server, guest);
    guest->deadline = now() + DRAIN_TIME;
    become(server, guest, GUEST_LEAVING);
    if (!watch(server, guest, EPOLLIN))
        guest_close(server, guest);
}

void guest_drain(struct tt_http_server *server, struct guest *guest)
{
    for (int i = 0; i < DRAIN_SLICE; i++) {
        ssize_t n = recv(guest->fd, server->peek, server->options.max_header_bytes, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            guest_close(server, guest);
            return;
        }
    }
}

void drain_later(struct tt_http_server *server, int fd)
{
    struct guest *guest = tt_calloc(1, sizeof(*guest));
    bool taken = false;

    if (guest != NULL) {
        *guest = (struct guest){.kind = GUEST_LEAVING, .fd = fd, .deadline = now() + DRAIN_TIME};
        (void)pthread_mutex_lock(&server->mu);
        /* Under the lock, so that the acceptor finds it in the list when the first event comes. */
        taken = watch(server, guest, EPOLLIN);
        if (taken)
            append(&server->leaving, guest);
        (void)pthread_mutex_unlock(&server->mu);
    }
    if (taken)
        return;
    tt_free(guest);
    (void)close(fd);
}

/* Closes those of a list that are due, and the oldest of too many; they are in the order of their deadlines. Returns the
 * next one. */
static tt_dur sweep_list(struct tt_http_server *server, struct guest_list *list, unsigned max,
                         tt_dur at)
{
    for (;;) {
        (void)pthread_mutex_lock(&server->mu);
        struct guest *guest = list->first;
        tt_dur deadline = guest == NULL ? INT64_MAX : guest->deadline;
        bool is_due = deadline <= at || list->count > max;
        (void)pthread_mutex_unlock(&server->mu);
        if (guest == NULL || !is_due)
            return deadline;
        guest_close(server, guest);
    }
}

tt_dur guests_sweep(struct tt_http_server *server, tt_dur at)
{
    tt_dur news = sweep_list(server, &server->news, UINT32_MAX, at);
    tt_dur fulls = sweep_list(server, &server->fulls, MAX_FULL, at);
    tt_dur leaving = sweep_list(server, &server->leaving, MAX_LEAVING, at);
    tt_dur first = news < fulls ? news : fulls;

    return first < leaving ? first : leaving;
}

void guests_done(struct tt_http_server *server)
{
    while (server->news.first != NULL)
        guest_close(server, server->news.first);
    while (server->fulls.first != NULL)
        guest_close(server, server->fulls.first);
    while (server->leaving.first != NULL)
        guest_close(server, server->leaving.first);
    guests_bury(server);
}
