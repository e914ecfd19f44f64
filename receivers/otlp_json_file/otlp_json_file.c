/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "otlp/clip.h"
#include "pipeline/component.h"
#include "receivers/otlp_json_file/document.h"
#include "receivers/otlp_json_file/files.h"
#include "receivers/otlp_json_file/tail.h"

#define MAX_WIRE    ((size_t)256 << 20)
#define RETRY_FIRST (100 * TT_MILLISECOND)
#define RETRY_MOST  (5 * TT_SECOND)

/* ---- options ---- */

enum { START_BEGINNING, START_END };
static const char *const starts[] = {"beginning", "end", NULL};
static const char *const encodings[] = {"utf-8", NULL};

struct otlp_json_file_config {
    struct tt_string_list include, exclude;
    int start_at;
    bool follow;
    tt_dur poll_interval;
    size_t max_log_size;
    int64_t max_concurrent_files;
    int encoding;
    size_t fingerprint_size;
    int64_t max_attributes;
    size_t max_value_bytes;
};
static const struct tt_field otlp_json_file_fields[] = {
    {TT_STRINGS(struct otlp_json_file_config, include),
     .flags = TT_CONFIG_REQUIRED | TT_CONFIG_PATH,
     .doc = "Files to read: paths or glob(7) patterns."},
    {TT_STRINGS(struct otlp_json_file_config, exclude),
     .doc = "Patterns of paths that are left out."},
    {TT_ENUM(struct otlp_json_file_config, start_at), .def = "end", .choices = starts,
     .doc =
         "Where to begin in files that are there at the start; files that come later are read from their beginning."},
    {TT_BOOL(struct otlp_json_file_config, follow), .def = "true",
     .doc =
         "Wait for more lines and more files; false reads what is there once, from the beginning, and then rests."},
    {TT_DURATION(struct otlp_json_file_config, poll_interval), .def = "200ms", .min = 1e6,
     .max = 3.6e12, .doc = "How often to look for more."},
    {TT_SIZE(struct otlp_json_file_config, max_log_size), .def = "64MiB", .min = 1024,
     .max = 1 << 28, .doc = "Longest line; longer ones are counted and skipped."},
    {TT_INT(struct otlp_json_file_config, max_concurrent_files), .def = "1024", .min = 1,
     .max = 100000, .doc = "Most files that are followed at a time."},
    {TT_ENUM(struct otlp_json_file_config, encoding), .def = "utf-8", .choices = encodings,
     .doc = "Encoding of the files; JSON is UTF-8."},
    {TT_SIZE(struct otlp_json_file_config, fingerprint_size), .def = "1000", .min = 16,
     .max = 1 << 20, .doc = "Accepted for compatibility: files are known by device and inode."},
    {TT_INT(struct otlp_json_file_config, max_attributes), .def = "128", .min = 0, .max = 1000000,
     .doc =
         "Most attributes of one span, log record or data point; later ones are left out and counted; 0: no limit."},
    {TT_SIZE(struct otlp_json_file_config, max_value_bytes), .def = "4KiB", .min = 0,
     .max = 1 << 30,
     .doc =
         "Most bytes of one text or bytes value of an attribute; longer ones are cut and counted; 0: no limit."},
};
static const struct tt_schema otlp_json_file_schema =
    TT_SCHEMA(struct otlp_json_file_config, otlp_json_file_fields);

/* ---- the receiver ---- */

/* Items by what became of them: one row for each of traces, metrics, logs; the names are otelcol's. */
#define ITEM_METERS(NAME, DOC)                                                              \
    {"otelcol_receiver_" NAME "_spans", "{span}", "Spans " DOC, TT_COUNTER},                \
        {"otelcol_receiver_" NAME "_metric_points", "{datapoint}", "Metric points " DOC,    \
         TT_COUNTER},                                                                       \
    {                                                                                       \
        "otelcol_receiver_" NAME "_log_records", "{record}", "Log records " DOC, TT_COUNTER \
    }

enum {
    METER_LINES,
    METER_BAD,
    METER_OTHER,
    METER_CLIPPED_ATTRIBUTES,
    METER_CLIPPED_VALUES,
    METER_COUNT
};
enum { ITEMS_ACCEPTED, ITEMS_REFUSED, ITEMS_FAILED, ITEMS_COUNT };
static const struct tt_meter_desc otlp_json_file_meters[] = {
    {"telltale_json_file_read_lines", "{line}", "Lines that were read and sent on.", TT_COUNTER},
    {"telltale_json_file_bad_lines", "{line}",
     "Lines that are no OTLP/JSON, or too long, and were skipped.", TT_COUNTER},
    {"telltale_json_file_other_lines", "{line}",
     "Lines of a signal that no pipeline takes from this receiver.", TT_COUNTER},
    {"telltale_receiver_clipped_attributes", "{attribute}",
     "Attributes that were left out because their item has more than max_attributes.", TT_COUNTER},
    {"telltale_receiver_clipped_values", "{value}",
     "Values of attributes that were cut because they are longer than max_value_bytes.",
     TT_COUNTER},
    ITEM_METERS("accepted", "that the pipeline took."),
    ITEM_METERS("refused", "that the pipeline did not take."),
    ITEM_METERS("failed", "that could not be read."),
    {.name = NULL},
};

struct otlp_json_file {
    const struct otlp_json_file_config *config;
    const char *id;
    struct tt_host *host;
    struct tt_consumer *next[TT_SIGNAL_COUNT];
    struct tt_meter *meters[METER_COUNT];
    struct tt_meter *items[ITEMS_COUNT][TT_SIGNAL_COUNT]; /* NULL: a signal that cannot come */
    struct tt_stop stop;
    struct tt_thread thread;
    /* The rest is the thread's. */
    struct tt_buffer wire;
    struct tail tail;
    uint64_t rounds;
};

static enum tt_status otlp_json_file_validate(const void *config, struct tt_error *err)
{
    const struct otlp_json_file_config *file = config;

    if (file->include.count == 0)
        return tt_fail(err, TT_INVALID_CONFIG, "include must name at least one file or pattern");
    return TT_OK;
}

/* Zeros from the start, so that rate() sees the first increment. */
static void make_meters(struct otlp_json_file *receiver)
{
    const struct tt_label labels[] = {{"receiver", tt_str(receiver->id)},
                                      {"transport", TT_STR("file")}};
    struct tt_meters *meters = receiver->host->meters;
    const struct tt_meter_desc *items = &otlp_json_file_meters[METER_COUNT];

    for (size_t i = 0; i < METER_COUNT; i++) /* the otlp receiver has the last two as well */
        receiver->meters[i] = tt_meters_get(meters, &otlp_json_file_meters[i], labels,
                                            i < METER_CLIPPED_ATTRIBUTES ? 1 : 2);
    for (size_t i = 0; i < ITEMS_COUNT; i++)
        for (size_t signal = 0; signal < TT_SIGNAL_COUNT; signal++)
            if (receiver->next[signal] != NULL)
                receiver->items[i][signal] =
                    tt_meters_get(meters, &items[i * TT_SIGNAL_COUNT + signal], labels, 2);
}

static enum tt_status otlp_json_file_create(const struct tt_create_args *args, void **ret_self,
                                            struct tt_error *err)
{
    struct otlp_json_file *receiver = tt_calloc(1, sizeof(*receiver));

    if (receiver == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create receiver %s", args->id);
    receiver->config = args->config;
    receiver->id = args->id;
    receiver->host = args->host;
    memcpy(receiver->next, args->next, sizeof(receiver->next));
    make_meters(receiver);
    tt_stop_init(&receiver->stop);
    tt_buffer_init(&receiver->wire, MAX_WIRE);
    tail_init(&receiver->tail, (size_t)receiver->config->max_concurrent_files,
              receiver->config->max_log_size);
    *ret_self = receiver;
    return TT_OK;
}

/* ---- one line ---- */

static bool stopping(struct otlp_json_file *receiver)
{
    return tt_stop_wait(&receiver->stop, 0);
}

static void bad_line(struct otlp_json_file *receiver, const struct tt_lines *lines,
                     const struct tt_error *err)
{
    tt_meter_add(receiver->meters[METER_BAD], 1);
    tt_log_warn(&receiver->host->log, "skipped a line", TT_FIELD_TEXT("path", lines->path),
                TT_FIELD_INT("line", lines->line), TT_FIELD_ERROR(err));
}

/* Waits until new data may be taken; false: stop was asked for. */
static bool wait_for_admission(struct otlp_json_file *receiver)
{
    tt_dur wait = RETRY_FIRST;

    while (tt_host_admission(receiver->host, NULL) != TT_OK) {
        if (tt_stop_wait(&receiver->stop, wait))
            return false;
        wait = wait < RETRY_MOST ? 2 * wait : RETRY_MOST;
    }
    return !stopping(receiver);
}

static void count_items(struct otlp_json_file *receiver, unsigned what, enum tt_signal signal,
                        uint64_t count)
{
    tt_meter_add(receiver->items[what][tt_signal_index(signal)], (int64_t)count);
}

static void count_clipped(struct otlp_json_file *receiver, const struct tt_lines *lines,
                          const struct tt_clipped *clipped)
{
    if (clipped->attributes + clipped->values == 0)
        return;
    tt_meter_add(receiver->meters[METER_CLIPPED_ATTRIBUTES], (int64_t)clipped->attributes);
    tt_meter_add(receiver->meters[METER_CLIPPED_VALUES], (int64_t)clipped->values);
    tt_log_warn(
        &receiver->host->log,
        "attributes were over the limits max_attributes or max_value_bytes; they were clipped",
        TT_FIELD_TEXT("path", lines->path), TT_FIELD_INT("line", lines->line),
        TT_FIELD_INT("left_out", clipped->attributes), TT_FIELD_INT("values_cut", clipped->values));
}

/* The line's batch, within the limits. */
static enum tt_status read_line(struct otlp_json_file *receiver, enum tt_signal signal,
                                struct tt_str line, const struct tt_metadata *metadata,
                                struct tt_batch **ret_batch, uint64_t *ret_rejected,
                                struct tt_clipped *ret_clipped, struct tt_error *err)
{
    const struct tt_clip_limits limits = {(uint32_t)receiver->config->max_attributes,
                                          receiver->config->max_value_bytes};
    enum tt_status status =
        tt_document_read(signal, line, metadata, &receiver->wire, ret_batch, ret_rejected, err);

    if (status != TT_OK)
        return status;
    status = tt_batch_clip(*ret_batch, &limits, ret_clipped, err);
    if (status != TT_OK)
        tt_batch_unref(TT_TAKE(*ret_batch));
    return status;
}

static enum tt_status send_once(struct otlp_json_file *receiver, enum tt_signal signal,
                                struct tt_str line, const struct tt_lines *lines,
                                struct tt_error *err)
{
    struct tt_metadata metadata = {
        .receiver = receiver->id,
        .arrival_ns = tt_clock_wall(receiver->host->clock),
        .peer = tt_str(lines->path),
    };
    struct tt_batch *batch = NULL;
    uint64_t rejected = 0, rows;
    struct tt_clipped clipped;
    enum tt_status status =
        read_line(receiver, signal, line, &metadata, &batch, &rejected, &clipped, err);

    if (status != TT_OK)
        return status;
    if (rejected > 0)
        tt_host_dropped(receiver->host, signal, "invalid_id", rejected);
    count_items(receiver, ITEMS_FAILED, signal, rejected);
    rows = tt_batch_live_rows(batch);
    if (rows == 0) {
        tt_batch_unref(batch);
        return TT_OK;
    }
    status = tt_consume(receiver->next[tt_signal_index(signal)], &batch, err);
    count_items(receiver, status == TT_OK ? ITEMS_ACCEPTED : ITEMS_REFUSED, signal, rows);
    if (status == TT_OK) /* else it is read again, or nothing of it stays */
        count_clipped(receiver, lines, &clipped);
    return status;
}

/* Sends a line on; what can be tried again is, until it goes or stop is asked for (false: the line was not sent). */
static bool send_line(struct otlp_json_file *receiver, struct tt_str line,
                      const struct tt_lines *lines)
{
    struct tt_error err = {.status = TT_OK};
    enum tt_signal signal;
    enum tt_status status;
    tt_dur wait = RETRY_FIRST;

    if (tt_str_trim(line).len == 0)
        return true;
    if (!tt_document_signal(line, &signal)) {
        (void)tt_fail(&err, TT_INVALID_DATA,
                      "no resourceSpans, resourceMetrics or resourceLogs in it");
        bad_line(receiver, lines, &err);
        return true;
    }
    if (receiver->next[tt_signal_index(signal)] == NULL) {
        tt_meter_add(receiver->meters[METER_OTHER], 1);
        return true;
    }
    for (;; wait = wait < RETRY_MOST ? 2 * wait : RETRY_MOST) {
        if (!wait_for_admission(receiver))
            return false;
        status = send_once(receiver, signal, line, lines, &err);
        if (status == TT_OK || !tt_status_may_retry(status))
            break;
        tt_log_warn(&receiver->host->log, "a line was not taken; trying again",
                    TT_FIELD_ERROR(&err));
        if (tt_stop_wait(&receiver->stop, wait))
            return false;
    }
    if (status == TT_OK)
        tt_meter_add(receiver->meters[METER_LINES], 1);
    else
        bad_line(receiver, lines, &err);
    return true;
}

/* ---- one file ---- */

/* Reads what is there. False: the file is done with (broken), or stop was asked for. */
static bool read_lines(struct otlp_json_file *receiver, struct tt_lines *lines)
{
    struct tt_error err;
    struct tt_str line;

    for (;;) {
        enum tt_status status = tt_lines_next(lines, &line, &err);
        if (status == TT_TOO_LARGE) {
            bad_line(receiver, lines, &err);
        } else if (status != TT_OK) {
            tt_log_error(&receiver->host->log, "cannot read on", TT_FIELD_TEXT("path", lines->path),
                         TT_FIELD_ERROR(&err));
            return false;
        } else if (line.data == NULL) {
            return true;
        } else if (!send_line(receiver, line, lines)) {
            return false;
        }
    }
}

static void read_whole_file(struct otlp_json_file *receiver, const char *path)
{
    struct tt_lines *lines;
    struct tt_error err;
    struct tt_str rest;

    if (tt_lines_open(path, receiver->config->max_log_size, &lines, &err) != TT_OK) {
        tt_log_error(&receiver->host->log, "cannot read a file", TT_FIELD_ERROR(&err));
        return;
    }
    if (read_lines(receiver, lines)) {
        rest = tt_lines_rest(lines);
        if (rest.data != NULL)
            (void)send_line(receiver, rest, lines);
    }
    tt_lines_close(lines);
}

static void follow_file(struct otlp_json_file *receiver, const char *path)
{
    bool is_new, skip = receiver->rounds == 0 && receiver->config->start_at == START_END;
    struct tail_file *file;
    struct tt_error err;
    enum tt_status status = tail_find(&receiver->tail, path, &file, &is_new, &err);

    if (status == TT_NOT_FOUND)
        return;
    if (status == TT_OK && is_new && skip)
        status = tt_lines_skip_to_end(file->lines, &err);
    if (status != TT_OK) {
        tt_log_warn(&receiver->host->log, "cannot follow a file", TT_FIELD_ERROR(&err));
        return;
    }
    if (tail_restart_truncated(file, receiver->config->max_log_size))
        tt_log_info(&receiver->host->log, "a file was truncated; reading from its beginning",
                    TT_FIELD_TEXT("path", path));
    if (file->done)
        return;
    if (!read_lines(receiver, file->lines) || file->lines->reader != NULL) {
        file->done = true; /* broken, or compressed and read to its end */
        tt_lines_finish(file->lines);
    }
}

/* What has left the patterns (rotated away) may still have lines that were not read. */
static void drain_gone(struct otlp_json_file *receiver)
{
    struct tail *tail = &receiver->tail;

    for (size_t i = 0; i < tail->count && !stopping(receiver); i++)
        if (tail->files[i].seen != tail->round && !tail->files[i].done)
            tail->files[i].done = !read_lines(receiver, tail->files[i].lines);
    if (!stopping(receiver))
        tail_forget_gone(tail);
}

/* ---- the thread ---- */

static void read_round(struct otlp_json_file *receiver)
{
    const struct otlp_json_file_config *config = receiver->config;
    struct tt_patterns include = {config->include.items, config->include.count};
    struct tt_patterns exclude = {config->exclude.items, config->exclude.count};
    struct tt_files files;
    struct tt_error err;

    if (tt_files_list(include, exclude, &files, &err) != TT_OK) {
        tt_log_warn(&receiver->host->log, "cannot list files", TT_FIELD_ERROR(&err));
        return;
    }
    if (receiver->rounds == 0 && files.count == 0)
        tt_log_warn(&receiver->host->log, "no file matches",
                    TT_FIELD_TEXT("include", include.items[0]));
    tail_begin(&receiver->tail);
    for (size_t i = 0; i < files.count && !stopping(receiver); i++) {
        if (config->follow)
            follow_file(receiver, files.paths[i]);
        else
            read_whole_file(receiver, files.paths[i]);
    }
    tt_files_done(&files);
    if (config->follow)
        drain_gone(receiver);
    receiver->rounds++;
}

static void run(void *context)
{
    struct otlp_json_file *receiver = context;

    do
        read_round(receiver);
    while (receiver->config->follow &&
           !tt_stop_wait(&receiver->stop, receiver->config->poll_interval));
    if (!receiver->config->follow && !stopping(receiver))
        tt_log_info(&receiver->host->log, "all files were read",
                    TT_FIELD_INT("lines", tt_meter_value(receiver->meters[METER_LINES])),
                    TT_FIELD_INT("bad_lines", tt_meter_value(receiver->meters[METER_BAD])));
}

static enum tt_status otlp_json_file_start(void *self, struct tt_error *err)
{
    struct otlp_json_file *receiver = self;

    return tt_thread_start(&receiver->thread, "json_file", run, receiver, err);
}

static enum tt_status otlp_json_file_shutdown(void *self, tt_dur deadline, struct tt_error *err)
{
    struct otlp_json_file *receiver = self;

    (void)deadline, (void)err; /* the thread stops after the line it is at */
    tt_stop_request(&receiver->stop);
    tt_thread_join(&receiver->thread);
    return TT_OK;
}

static void otlp_json_file_destroy(void *self)
{
    struct otlp_json_file *receiver = self;

    if (receiver == NULL)
        return;
    tail_done(&receiver->tail);
    tt_buffer_done(&receiver->wire);
    tt_stop_done(&receiver->stop);
    tt_free(receiver);
}

static const struct tt_component_ops otlp_json_file_ops = {
    .validate = otlp_json_file_validate,
    .create = otlp_json_file_create,
    .start = otlp_json_file_start,
    .shutdown = otlp_json_file_shutdown,
    .destroy = otlp_json_file_destroy,
};

extern const struct tt_component tt_receiver_otlp_json_file;
const struct tt_component tt_receiver_otlp_json_file = {
    .type = "otlp_json_file",
    .kind = TT_RECEIVER,
    .stability = TT_ALPHA,
    .signals = TT_ALL_SIGNALS,
    .doc =
        "Reads OTLP/JSON lines from files, once or as they grow: what a Collector's file exporter wrote.",
    .schema = &otlp_json_file_schema,
    .meters = otlp_json_file_meters,
    .ops = &otlp_json_file_ops,
};
