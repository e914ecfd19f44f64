/* SPDX-License-Identifier: Apache-2.0 */
#include "model/windows.h"

#include "base/arena.h"
#include "base/clock.h"
#include "model/windows_json.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE  ((size_t)16 << 20)
#define MAX_POST  ((size_t)64 << 10)
#define MAX_ARENA ((size_t)64 << 20)

/* One window on the heap, its texts behind it; shared by the set and the snapshots. */
struct entry {
    _Atomic uint32_t references;
    struct tt_label_window window;
};

struct tt_label_snapshot {
    _Atomic uint32_t references;
    size_t count;
    struct entry **entries; /* by start */
    /* Of the tree whose root is the middle of [0, count), whose children are the middles of the halves, and so on: the
     * latest end below each node. */
    uint64_t *latest_end;
};

struct tt_label_windows {
    pthread_mutex_t mu;
    struct tt_label_snapshot *current; /* guarded by mu; NULL: no windows */
    uint64_t last_id;                  /* guarded by mu */
    _Atomic size_t count;              /* changed under mu */
};

/* ---- entries ---- */

static struct tt_str place(char **at, struct tt_str text)
{
    struct tt_str placed = {*at, text.len};

    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return placed;
}

static size_t text_bytes(const struct tt_label_window *window)
{
    const struct tt_anomaly_label *label = &window->label;
    size_t bytes = label->type.len + label->label.len + label->root_cause.len + label->msg.len;

    for (uint32_t i = 0; i < window->n_services; i++)
        bytes += window->services[i].len + sizeof(window->services[i]);
    return bytes;
}

static struct entry *entry_new(const struct tt_label_window *window)
{
    struct entry *entry = tt_malloc(sizeof(*entry) + text_bytes(window));
    struct tt_str *services;
    char *at;

    if (entry == NULL)
        return NULL;
    atomic_init(&entry->references, 1);
    entry->window = *window;
    services = (struct tt_str *)(void *)(entry + 1);
    at = (char *)(services + window->n_services);
    for (uint32_t i = 0; i < window->n_services; i++)
        services[i] = place(&at, window->services[i]);
    entry->window.services = services;
    entry->window.label.type = place(&at, window->label.type);
    entry->window.label.label = place(&at, window->label.label);
    entry->window.label.root_cause = place(&at, window->label.root_cause);
    entry->window.label.msg = place(&at, window->label.msg);
    return entry;
}

static struct entry *entry_ref(struct entry *entry)
{
    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    return entry;
}

static void entry_unref(struct entry *entry)
{
    if (entry != NULL &&
        atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1)
        tt_free(entry);
}

/* ---- snapshots ---- */

static int by_start(const void *a, const void *b)
{
    const struct tt_label_window *x = &(*(struct entry *const *)a)->window;
    const struct tt_label_window *y = &(*(struct entry *const *)b)->window;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

struct range {
    size_t from, to;
};

/* Ends of nodes are set children first: ranges in breadth-first order, walked backwards. */
static bool set_latest_ends(struct tt_label_snapshot *snapshot)
{
    struct range *ranges = tt_calloc(snapshot->count, sizeof(*ranges));
    size_t count = 1;

    if (ranges == NULL)
        return false;
    ranges[0] = (struct range){0, snapshot->count};
    for (size_t i = 0; i < count; i++) {
        size_t from = ranges[i].from, to = ranges[i].to, middle = from + (to - from) / 2;
        if (from < middle)
            ranges[count++] = (struct range){from, middle};
        if (middle + 1 < to)
            ranges[count++] = (struct range){middle + 1, to};
    }
    while (count-- > 0) {
        size_t from = ranges[count].from, to = ranges[count].to, middle = from + (to - from) / 2;
        size_t left = from + (middle - from) / 2, right = middle + 1 + (to - middle - 1) / 2;
        uint64_t end = snapshot->entries[middle]->window.end_ns;
        if (from < middle && snapshot->latest_end[left] > end)
            end = snapshot->latest_end[left];
        if (middle + 1 < to && snapshot->latest_end[right] > end)
            end = snapshot->latest_end[right];
        snapshot->latest_end[middle] = end;
    }
    tt_free(ranges);
    return true;
}

static void snapshot_unref(struct tt_label_snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        entry_unref(snapshot->entries[i]);
    tt_free(snapshot->entries);
    tt_free(snapshot->latest_end);
    tt_free(snapshot);
}

/* An unsorted snapshot with room for `room` entries that holds those of `from` (may be NULL). */
static struct tt_label_snapshot *snapshot_grow(const struct tt_label_snapshot *from, size_t room)
{
    struct tt_label_snapshot *snapshot = tt_calloc(1, sizeof(*snapshot));

    if (snapshot == NULL)
        return NULL;
    atomic_init(&snapshot->references, 1);
    snapshot->entries = tt_calloc(room, sizeof(struct entry *));
    snapshot->latest_end = tt_calloc(room, sizeof(*snapshot->latest_end));
    if (snapshot->entries == NULL || snapshot->latest_end == NULL) {
        snapshot_unref(snapshot);
        return NULL;
    }
    for (size_t i = 0; from != NULL && i < from->count; i++)
        snapshot->entries[snapshot->count++] = entry_ref(from->entries[i]);
    return snapshot;
}

static bool snapshot_finish(struct tt_label_snapshot *snapshot)
{
    qsort(snapshot->entries, snapshot->count, sizeof(struct entry *), by_start);
    return set_latest_ends(snapshot);
}

/* ---- selectors ---- */

/* '*' stands for any bytes. Iterative: on a mismatch the last star takes one byte more. */
static bool matches_pattern(struct tt_str pattern, struct tt_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

enum match { MATCH_EXACT, MATCH_PATTERN, MATCH_ALL, MATCH_NONE };

static enum match match_of(const struct tt_label_window *window, struct tt_str service)
{
    enum match best = window->n_services == 0 ? MATCH_ALL : MATCH_NONE;

    for (uint32_t i = 0; i < window->n_services; i++) {
        if (tt_str_equal(window->services[i], service))
            return MATCH_EXACT;
        if (matches_pattern(window->services[i], service))
            best = MATCH_PATTERN;
    }
    return best;
}

static bool is_better(const struct tt_label_window *a, enum match a_match,
                      const struct tt_label_window *b, enum match b_match)
{
    bool a_anomalous = tt_label_is_anomalous(a->label.type);

    if (a_match != b_match)
        return a_match < b_match;
    if (a_anomalous != tt_label_is_anomalous(b->label.type))
        return a_anomalous;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns;
    return tt_str_compare(a->label.type, b->label.type) < 0;
}

const struct tt_label_window *tt_label_snapshot_find(const struct tt_label_snapshot *snapshot,
                                                     uint64_t time_ns, struct tt_str service)
{
    const struct tt_label_window *best = NULL;
    enum match best_match = MATCH_NONE;
    struct range
        stack[64]; /* the tree of at most 10,000 windows is 14 deep; one range a level waits */
    unsigned depth = 0;

    if (snapshot == NULL)
        return NULL;
    stack[depth++] = (struct range){0, snapshot->count};
    while (depth > 0) {
        struct range range = stack[--depth];
        size_t middle = range.from + (range.to - range.from) / 2;
        const struct tt_label_window *window;
        if (range.from >= range.to || snapshot->latest_end[middle] <= time_ns)
            continue;
        window = &snapshot->entries[middle]->window;
        if (window->start_ns <= time_ns) {
            enum match match = time_ns < window->end_ns ? match_of(window, service) : MATCH_NONE;
            if (match != MATCH_NONE &&
                (best == NULL || is_better(window, match, best, best_match))) {
                best = window;
                best_match = match;
            }
            stack[depth++] = (struct range){middle + 1, range.to};
        }
        stack[depth++] = (struct range){range.from, middle};
    }
    return best;
}

/* ---- the set ---- */

struct tt_label_windows *tt_label_windows_new(void)
{
    struct tt_label_windows *windows = tt_calloc(1, sizeof(*windows));

    if (windows != NULL)
        pthread_mutex_init(&windows->mu, NULL);
    return windows;
}

void tt_label_windows_free(struct tt_label_windows *windows)
{
    if (windows == NULL)
        return;
    snapshot_unref(windows->current);
    pthread_mutex_destroy(&windows->mu);
    tt_free(windows);
}

void *tt_label_windows_create(struct tt_host *host)
{
    (void)host;
    return tt_label_windows_new();
}

void tt_label_windows_destroy(void *windows)
{
    tt_label_windows_free(windows);
}

size_t tt_label_windows_count(struct tt_label_windows *windows)
{
    return atomic_load_explicit(&windows->count, memory_order_relaxed);
}

struct tt_label_snapshot *tt_label_windows_snapshot(struct tt_label_windows *windows)
{
    struct tt_label_snapshot *snapshot;

    if (tt_label_windows_count(windows) == 0)
        return NULL;
    pthread_mutex_lock(&windows->mu);
    snapshot = windows->current;
    if (snapshot != NULL)
        atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&windows->mu);
    return snapshot;
}

void tt_label_snapshot_unref(struct tt_label_snapshot *snapshot)
{
    snapshot_unref(snapshot);
}

/* Called with mu held; the old one may still be read by others. */
static void set_current(struct tt_label_windows *windows, struct tt_label_snapshot *snapshot)
{
    snapshot_unref(windows->current);
    windows->current = snapshot;
    atomic_store_explicit(&windows->count, snapshot->count, memory_order_relaxed);
}

static bool share_selector(const struct tt_label_window *a, const struct tt_label_window *b)
{
    if (a->n_services == 0 && b->n_services == 0)
        return true;
    for (uint32_t i = 0; i < a->n_services; i++)
        for (uint32_t j = 0; j < b->n_services; j++)
            if (tt_str_equal(a->services[i], b->services[j]))
                return true;
    return false;
}

/* Two windows of one service at one time would make the label a matter of chance. */
static const struct tt_label_window *overlapping(const struct tt_label_snapshot *snapshot,
                                                 const struct tt_label_window *window)
{
    for (size_t i = 0; snapshot != NULL && i < snapshot->count; i++) {
        const struct tt_label_window *other = &snapshot->entries[i]->window;
        if (other->start_ns < window->end_ns && window->start_ns < other->end_ns &&
            share_selector(window, other))
            return other;
    }
    return NULL;
}

static enum tt_status fail_overlap(const struct tt_label_window *other, struct tt_error *err)
{
    char start[32], hint[64] = "";

    if (other->id != 0 && (other->leased || other->end_ns == TT_LABEL_OPEN_END))
        (void)snprintf(hint, sizeof(hint), "; close it with {\"id\": %llu}",
                       (unsigned long long)other->id);
    tt_time_format(other->start_ns, 3, start);
    return tt_fail(err, TT_INVALID_DATA,
                   "overlaps the window of type \"%.*s\" that starts at %s for the same services%s",
                   (int)tt_label_cut(other->label.type, 64).len, other->label.type.data, start,
                   hint);
}

static bool append_entry(struct tt_label_snapshot *snapshot, const struct tt_label_window *window)
{
    struct entry *entry = entry_new(window);

    if (entry == NULL)
        return false;
    snapshot->entries[snapshot->count++] = entry;
    return true;
}

/* ---- files ---- */

static enum tt_status read_fd(int fd, struct tt_buffer *text, struct tt_error *err)
{
    ssize_t got;

    do {
        char *to = tt_buffer_reserve(text, 65536);
        if (to == NULL)
            return tt_buffer_check(text, "read windows", err);
        got = read(fd, to, 65536);
        if (got < 0 && errno != EINTR)
            return tt_fail_errno(err, "read windows");
        text->len += got > 0 ? (size_t)got : 0;
    } while (got != 0);
    return TT_OK;
}

static enum tt_status read_file(const char *path, struct tt_buffer *text, struct tt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum tt_status status;

    if (fd < 0)
        return tt_fail_errno(err, "open windows");
    status = read_fd(fd, text, err);
    close(fd);
    return status;
}

static enum tt_status add_all(struct tt_label_windows *windows, const struct tt_window_file *file,
                              struct tt_error *err)
{
    size_t held = windows->current == NULL ? 0 : windows->current->count;
    struct tt_label_snapshot *next;
    enum tt_status status = TT_OK;

    if (file->count == 0)
        return TT_OK;
    if (held + file->count > TT_LABEL_WINDOWS_MAX)
        return tt_fail(err, TT_TOO_LARGE, "%zu windows, at most %zu", held + file->count,
                       TT_LABEL_WINDOWS_MAX);
    next = snapshot_grow(windows->current, held + file->count);
    if (next == NULL)
        return tt_fail(err, TT_NO_MEMORY, "add %zu windows", file->count);
    for (size_t i = 0; status == TT_OK && i < file->count; i++) {
        const struct tt_label_window *other = overlapping(next, &file->items[i]);
        if (other != NULL)
            status = fail_overlap(other, err);
        else if (!append_entry(next, &file->items[i]))
            status = tt_fail(err, TT_NO_MEMORY, "add windows");
        if (status != TT_OK)
            tt_error_prefix(err, "window %zu", i + 1);
    }
    if (status == TT_OK && !snapshot_finish(next))
        status = tt_fail(err, TT_NO_MEMORY, "add %zu windows", file->count);
    if (status == TT_OK)
        set_current(windows, next);
    else
        snapshot_unref(next);
    return status;
}

enum tt_status tt_label_windows_load(struct tt_label_windows *windows, const char *path,
                                     struct tt_error *err)
{
    struct tt_window_file file = {.count = 0};
    struct tt_buffer text;
    struct tt_arena arena;
    enum tt_status status;

    tt_buffer_init(&text, MAX_FILE);
    tt_arena_init(&arena, 0, MAX_ARENA);
    status = read_file(path, &text, err);
    if (status == TT_OK)
        status = tt_window_file_parse(tt_buffer_view(&text), &arena, &file, err);
    if (status == TT_OK) {
        pthread_mutex_lock(&windows->mu);
        status = add_all(windows, &file, err);
        pthread_mutex_unlock(&windows->mu);
    }
    tt_arena_done(&arena);
    tt_buffer_done(&text);
    if (status != TT_OK)
        tt_error_prefix(err, "%s", path);
    return status;
}

/* ---- posts ---- */

static void write_reply(const struct tt_label_window *window, struct tt_buffer *reply)
{
    char time[32];

    tt_time_format(window->start_ns, 9, time);
    tt_buffer_printf(
        reply, "{\"id\":%llu,\"start\":\"%s\",\"end\":", (unsigned long long)window->id, time);
    if (window->end_ns == TT_LABEL_OPEN_END) {
        tt_buffer_printf(reply, "null}");
        return;
    }
    tt_time_format(window->end_ns, 9, time);
    tt_buffer_printf(reply, "\"%s\"}", time);
}

/* Takes entry i out of an unfinished snapshot. */
static void remove_entry(struct tt_label_snapshot *snapshot, size_t i)
{
    entry_unref(snapshot->entries[i]);
    snapshot->entries[i] = snapshot->entries[--snapshot->count];
}

static bool is_open(const struct tt_label_window *window, uint64_t now_ns)
{
    return window->end_ns == TT_LABEL_OPEN_END || (window->leased && window->end_ns > now_ns);
}

static bool forget_oldest_closed(struct tt_label_snapshot *snapshot, uint64_t now_ns)
{
    size_t oldest = SIZE_MAX;

    for (size_t i = 0; i < snapshot->count; i++) {
        const struct tt_label_window *window = &snapshot->entries[i]->window;
        if (window->id == 0 || is_open(window, now_ns))
            continue;
        if (oldest == SIZE_MAX || window->end_ns < snapshot->entries[oldest]->window.end_ns)
            oldest = i;
    }
    if (oldest == SIZE_MAX)
        return false;
    remove_entry(snapshot, oldest);
    return true;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void set_lease(struct tt_label_window *window, tt_dur lease, uint64_t from_ns)
{
    window->leased = lease != 0;
    if (window->leased && __builtin_add_overflow(from_ns, (uint64_t)lease, &window->end_ns))
        window->end_ns = TT_LABEL_OPEN_END - 1;
}

static enum tt_status change_open(struct tt_label_snapshot *next, struct tt_window_post *post,
                                  uint64_t id, uint64_t now_ns, struct tt_error *err)
{
    struct tt_label_window *window = &post->window;
    const struct tt_label_window *other;

    if (!post->has_start)
        window->start_ns = now_ns;
    set_lease(window, post->lease, later(window->start_ns, now_ns));
    if (window->end_ns <= window->start_ns)
        return tt_fail(err, TT_INVALID_DATA, "end: not after start");
    other = overlapping(next, window);
    if (other != NULL)
        return fail_overlap(other, err);
    if (next->count >= TT_LABEL_WINDOWS_MAX && !forget_oldest_closed(next, now_ns))
        return tt_fail(err, TT_OVERLOADED, "open a window: %zu are open or from files",
                       next->count);
    window->id = id;
    tt_label_complete(&window->label);
    return append_entry(next, window) ? TT_OK : tt_fail(err, TT_NO_MEMORY, "open a window");
}

static enum tt_status fail_closed(const struct tt_label_snapshot *next, uint64_t id,
                                  struct tt_error *err)
{
    char end[32];

    for (size_t i = 0; i < next->count; i++) {
        const struct tt_label_window *window = &next->entries[i]->window;
        if (window->id != id || !window->leased)
            continue;
        tt_time_format(window->end_ns, 3, end);
        return tt_fail(err, TT_NOT_FOUND, "change window %llu: its lease ran out at %s",
                       (unsigned long long)id, end);
    }
    return tt_fail(err, TT_NOT_FOUND, "change window %llu: no such window is open",
                   (unsigned long long)id);
}

/* Closes or renews. */
static enum tt_status change_posted(struct tt_label_snapshot *next, struct tt_window_post *post,
                                    uint64_t now_ns, struct tt_error *err)
{
    struct tt_label_window window;
    size_t i = 0;

    while (i < next->count && (next->entries[i]->window.id != post->window.id ||
                               !is_open(&next->entries[i]->window, now_ns)))
        i++;
    if (i == next->count)
        return fail_closed(next, post->window.id, err);
    window = next->entries[i]->window;
    if (!post->repeats || post->lease != 0) {
        window.end_ns = post->has_end ? post->window.end_ns : now_ns;
        set_lease(&window, post->lease, later(window.start_ns, now_ns));
    }
    if (window.end_ns <= window.start_ns)
        return tt_fail(err, TT_INVALID_DATA, "end: not after start");
    if (!append_entry(next, &window)) /* a copy: the old one may be in use */
        return tt_fail(err, TT_NO_MEMORY, "change a window");
    post->window = next->entries[next->count - 1]->window;
    remove_entry(next, i);
    return TT_OK;
}

static bool same_services(const struct tt_label_window *a, const struct tt_label_window *b)
{
    if (a->n_services != b->n_services)
        return false;
    for (uint32_t i = 0; i < a->n_services; i++)
        if (!tt_str_equal(a->services[i], b->services[i]))
            return false;
    return true;
}

/* A client that lost the answer asks again: its window is there already. Sets the post's id then. */
static void find_repeated(const struct tt_label_snapshot *next, struct tt_window_post *post,
                          uint64_t now_ns)
{
    for (size_t i = 0; post->has_start && !post->has_end && i < next->count; i++) {
        const struct tt_label_window *window = &next->entries[i]->window;
        if (window->id == 0 || window->start_ns != post->window.start_ns ||
            !is_open(window, now_ns) ||
            !tt_str_equal(window->label.type, post->window.label.type) ||
            !same_services(window, &post->window))
            continue;
        post->window.id = window->id;
        post->repeats = true;
    }
}

/* Called with mu held. */
static enum tt_status apply_post(struct tt_label_windows *windows, struct tt_window_post *post,
                                 uint64_t now_ns, struct tt_buffer *reply, struct tt_error *err)
{
    size_t held = windows->current == NULL ? 0 : windows->current->count;
    struct tt_label_snapshot *next = snapshot_grow(windows->current, held + 1);
    enum tt_status status;
    bool opens;

    if (next == NULL)
        return tt_fail(err, TT_NO_MEMORY, "change windows");
    if (post->window.id == 0)
        find_repeated(next, post, now_ns);
    opens = post->window.id == 0;
    status = opens ? change_open(next, post, windows->last_id + 1, now_ns, err)
                   : change_posted(next, post, now_ns, err);
    if (status == TT_OK && !snapshot_finish(next))
        status = tt_fail(err, TT_NO_MEMORY, "change windows");
    if (status == TT_OK) {
        write_reply(&post->window, reply);
        status = tt_buffer_check(reply, "answer", err);
    }
    if (status != TT_OK) {
        snapshot_unref(next);
        return status;
    }
    windows->last_id += opens;
    set_current(windows, next);
    return TT_OK;
}

enum tt_status tt_label_windows_post(struct tt_label_windows *windows, struct tt_str body,
                                     uint64_t now_ns, struct tt_buffer *reply, struct tt_error *err)
{
    struct tt_window_post post;
    struct tt_arena arena;
    enum tt_status status;

    if (body.len > MAX_POST)
        return tt_fail(err, TT_TOO_LARGE, "a body of %zu bytes, at most %zu", body.len, MAX_POST);
    tt_arena_init(&arena, 0, MAX_ARENA);
    status = tt_window_post_parse(body, &arena, &post, err);
    if (status == TT_OK) {
        pthread_mutex_lock(&windows->mu);
        status = apply_post(windows, &post, now_ns, reply, err);
        pthread_mutex_unlock(&windows->mu);
    }
    tt_arena_done(&arena);
    return status;
}
