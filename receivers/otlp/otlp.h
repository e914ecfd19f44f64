/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_RECEIVERS_OTLP_OTLP_H
#define TT_RECEIVERS_OTLP_OTLP_H

/*
 * Inside of the otlp receiver: what its files share.
 *
 * A request's life: judged by its headers (request.c: type, encoding, admission, budget), its body collected by net/, decoded
 * into a batch, sent down the pipeline; the batch's ack answers it (answer.c), on whichever thread finishes last.
 */

#include "model/windows.h"
#include "net/http_server.h"
#include "net/inflate.h"
#include "otlp/clip.h"
#include "pipeline/component.h"
#include "receivers/otlp/config.h"

#include <pthread.h>

#define OTLP_MAX_BODY      ((size_t)64 << 20)
#define OTLP_MAX_JSON      ((size_t)16 << 20)
#define OTLP_MAX_PEERS     256 /* gRPC clients that we remember having told */
#define OTLP_LABELS_PATH   "/v1/labels"
#define OTLP_MAX_LABEL     ((size_t)64 << 10)
#define OTLP_OUTCOME_COUNT 3

enum otlp_outcome { OTLP_SUCCESS, OTLP_REFUSED, OTLP_FAILURE };
/* How a client encodes its requests, and wants to be answered. */
enum otlp_media { OTLP_PROTOBUF, OTLP_JSON, OTLP_OTHER };

struct otlp_receiver;

/* What a route's callbacks get. */
struct otlp_path {
    struct otlp_receiver *self;
    enum tt_signal signal;
};

struct otlp_receiver {
    const struct otlp_config *config;
    const char *id;
    struct tt_host *host;
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    struct tt_label_windows *windows;
    struct otlp_path paths[TT_SIGNAL_COUNT];
    struct tt_http_server *http, *grpc;
    size_t max_body;
    struct tt_clip_limits clip;
    struct tt_meter *accepted[TT_SIGNAL_COUNT], *refused[TT_SIGNAL_COUNT], *failed[TT_SIGNAL_COUNT];
    struct tt_meter *requests[OTLP_OUTCOME_COUNT];
    struct tt_meter *refusals[TT_STATUS_COUNT]; /* by reason */
    struct tt_meter *clipped_attributes, *clipped_values;
    _Atomic uint64_t n_answers; /* jitters Retry-After */
    char advice[160];           /* what a gRPC client's environment must say */
    pthread_mutex_t mu;
    uint64_t told[OTLP_MAX_PEERS]; /* guarded by mu: hashes of addresses */
    unsigned n_told;               /* guarded by mu */
};

/* One request for a signal's path. */
struct otlp_request {
    struct otlp_receiver *self;
    struct tt_http_exchange *exchange;
    enum tt_signal signal;
    enum otlp_media media;
    enum tt_encoding encoding;
    char peer[64];
    size_t reserved; /* bytes of the memory budget */
    uint64_t rows;   /* that came, good and bad */
    uint64_t bad;    /* of these, refused by ourselves */
};

extern const struct tt_component tt_receiver_otlp;
extern const struct tt_meter_desc otlp_meters[];

/* ---- server.c ---- */

enum tt_status otlp_start(void *receiver, struct tt_error *err);
enum tt_status otlp_shutdown(void *receiver, tt_dur deadline, struct tt_error *err);

/* ---- request.c: callbacks of a signal's route; context: struct otlp_path ---- */

bool otlp_admit(void *path, struct tt_http_exchange *exchange, size_t size,
                struct tt_http_answer *ret_refusal);
bool otlp_grow(void *path, struct tt_http_exchange *exchange, size_t total,
               struct tt_http_answer *ret_refusal);
void otlp_handle(void *path, struct tt_http_exchange *exchange);
void otlp_done(void *path, struct tt_http_exchange *exchange);

/* ---- labels.c: POST /v1/labels; context: struct otlp_receiver ---- */

bool otlp_labels_admit(void *receiver, struct tt_http_exchange *exchange, size_t size,
                       struct tt_http_answer *ret_refusal);
void otlp_labels_handle(void *receiver, struct tt_http_exchange *exchange);

/* ---- answer.c ---- */

enum otlp_media otlp_media_of(const struct tt_http_exchange *exchange);
/* HTTP status of what a pipeline or a check said; TT_OK is 200, nothing is ever 500. */
unsigned otlp_http_status(enum tt_status status);
/* Fills a refusal: google.rpc.Status in the client's encoding (plain text when that is neither), Retry-After with 503. The
 * text is appended to `text`, which must live as long as the answer. */
void otlp_refusal(struct otlp_receiver *self, enum otlp_media media, unsigned http_status,
                  const char *message, uint32_t retry_after_ms, struct tt_buffer *text,
                  struct tt_http_answer *ret_answer);
/* Shapes refusals of net/ itself. context: struct otlp_receiver or NULL-signal path. */
void otlp_shape(void *receiver, struct tt_http_exchange *exchange, struct tt_http_answer *answer);
void otlp_shape_path(void *path, struct tt_http_exchange *exchange, struct tt_http_answer *answer);
/* tt_ack_done of a request: counts it and answers. */
void otlp_answer(void *request, const struct tt_ack_result *result);
/* Counts what the limits have taken from a batch, and warns of it. */
void otlp_count_clipped(struct otlp_receiver *self, const char *peer,
                        const struct tt_clipped *clipped);
/* Counts a request that was refused before or while its data were read. */
void otlp_count_refusal(struct otlp_receiver *self, enum tt_status status);

/* ---- metadata.c ---- */

struct otlp_kept_headers {
    struct tt_arena arena;
    const struct otlp_http_config *config;
    struct tt_header items[100];
    size_t count;
};
/* Collects the request headers worth keeping: x-anomaly-*, metadata_keys, all with include_metadata. */
void otlp_keep_headers(const struct otlp_http_config *config,
                       const struct tt_http_exchange *exchange, struct otlp_kept_headers *ret_kept);
void otlp_kept_headers_done(struct otlp_kept_headers *kept);

/* ---- foreign.c ---- */

/* One log line for each peer that speaks another protocol. context: struct otlp_receiver. */
void otlp_foreign(void *receiver, struct tt_str peer, const char *protocol);

#endif
