/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_MODEL_WINDOWS_H
#define TT_MODEL_WINDOWS_H

/*
 * Label windows: spans of time in which a fault was in force, each with a label and the services it concerns.
 *
 * Purpose:   metric points and logs are labelled by them, bystanding spans are marked; a researcher gives them as a file, a
 *            chaos tool posts them.
 * Ownership: the set owns its windows; what a snapshot returns lives as long as the snapshot is held.
 * Threads:   all functions from any thread. A change builds a new immutable snapshot and swaps it in; readers never wait
 *            for a writer.
 * Limits:    10,000 windows, 100 services a window, texts as in model/label.h, bodies of 64 KiB, files of 16 MiB,
 *            JSON depth 16, leases of 1 s to 24 h. When the set is full, a post replaces the oldest closed posted window.
 * Cost:      a lookup O(log n + windows open at that moment); a change O(n log n).
 */

#include "base/buffer.h"
#include "model/label.h"

#define TT_LABEL_WINDOWS_MAX ((size_t)10000)
#define TT_LABEL_OPEN_END    UINT64_MAX

struct tt_label_window {
    uint64_t start_ns, end_ns;     /* wall clock, [start, end); TT_LABEL_OPEN_END: still open */
    struct tt_anomaly_label label; /* complete: nothing but msg is empty */
    const struct tt_str *services; /* names, or patterns with * for any bytes */
    uint32_t n_services;           /* 0: every service */
    uint64_t id;                   /* of a posted one; 0: from a file */
    bool leased; /* end_ns is when its lease runs out: until then it can be renewed and closed */
};

struct tt_label_windows;
struct tt_label_snapshot;

/* An empty set; NULL when memory is gone. */
struct tt_label_windows *tt_label_windows_new(void);
void tt_label_windows_free(struct tt_label_windows *windows); /* NULL is a no-op */

/*
 * Adds the windows of a JSON file, all or none of them. Two forms are read:
 *
 *   [{"start": T, "end": T, "type": "…", "label": "…", "root_cause": "…", "msg": "…", "services": ["…"]}, …]
 *   {"folder/series.csv": [[T, T], …], …}     NAB's combined_windows.json
 *
 * T is RFC 3339, NAB's form, or a Unix time (seconds, milli-, micro- or nanoseconds, told apart by their size). "service"
 * may stand for "services"; without "end" the window stays open; other keys are ignored unless they look like a typo.
 * NAB's windows have type "anomaly", include their end, and belong to the service named as the series: its path
 * as written, the path without ".csv", or the file's name without it.
 *
 * TT_INVALID_DATA with the file's path and the place in it for malformed JSON, inverted windows and windows of one
 * service that overlap; TT_TOO_LARGE over a limit; TT_NOT_FOUND, TT_IO; TT_NO_MEMORY.
 */
enum tt_status tt_label_windows_load(struct tt_label_windows *windows, const char *path,
                                     struct tt_error *err) TT_CHECKED;

/*
 * The body of POST /v1/labels, one JSON object:
 *
 *   {"type": "…", "label": …, "root_cause": …, "msg": …, "services": […], "start": T}   opens a window (start: now)
 *   the same with "end": T                                                            adds a complete one
 *   {"id": N, "end": T}                                                              closes one (end: now)
 *   the first with "lease": "10s"    opens one that ends by itself, that long after now (or after its start, if later)
 *   {"id": N, "lease": "10s"}        renews it: that long from now
 *
 * A client that dies leaves its window open for no longer than its lease. Opening one again with the start, type and services of one
 * that is open returns that one (and renews it): a client that did not get its answer can ask again.
 *
 * now_ns  wall clock
 * reply   gets {"id":N,"start":"…","end":"…"|null} appended
 *
 * TT_INVALID_DATA, TT_TOO_LARGE, TT_NOT_FOUND (no open window of that id, or its lease ran out), TT_OVERLOADED (10,000 are open or from files),
 * TT_NO_MEMORY; the set is then unchanged.
 */
enum tt_status tt_label_windows_post(struct tt_label_windows *windows, struct tt_str body,
                                     uint64_t now_ns, struct tt_buffer *reply, struct tt_error *err)
    TT_CHECKED;

size_t tt_label_windows_count(struct tt_label_windows *windows);

/* The windows as they are now, to be given back with tt_label_snapshot_unref(); NULL when there are none. */
struct tt_label_snapshot *tt_label_windows_snapshot(struct tt_label_windows *windows);
void tt_label_snapshot_unref(struct tt_label_snapshot *snapshot); /* NULL is a no-op */

/* The window that covers the moment for the service; NULL when there is none (or snapshot is NULL). Of several: exact
 * names before patterns before windows for all, then anomalous before normal, then the earliest start, then the type's bytes. */
const struct tt_label_window *tt_label_snapshot_find(const struct tt_label_snapshot *snapshot,
                                                     uint64_t time_ns, struct tt_str service);

/*
 * The process's one set, which the OTLP receiver posts to and anomaly_labels reads, is an object shared through the host. This
 * layer does not know struct tt_shared_type (pipeline/host.h); components write
 *
 *   static const struct tt_shared_type windows_type = TT_LABEL_WINDOWS_TYPE;
 *   struct tt_label_windows *windows = tt_host_share(host, &windows_type);
 */
struct tt_host;
void *tt_label_windows_create(struct tt_host *host); /* host is not used */
void tt_label_windows_destroy(void *windows);
#define TT_LABEL_WINDOWS_TYPE                                       \
    {                                                               \
        .name = "label_windows", .create = tt_label_windows_create, \
        .destroy = tt_label_windows_destroy                         \
    }

#endif
