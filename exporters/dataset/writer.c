/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/writer.h"

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* A batch is formatted outside the lock up to here; what is left is formatted while the set is held. */
#define FORMAT_AHEAD ((size_t)8 << 20)
#define RETRY_AFTER  (10 * TT_SECOND)
#define MAX_IDLE     16

struct dataset_writer {
    struct dataset_writer_options options;
    struct dataset_layout layout;
    struct dataset_set_options set_options;
    int dir_fd;

    pthread_mutex_t mu;
    pthread_cond_t changed;       /* a set was opened or closed, or stop was asked for */
    struct dataset_set *set;      /* guarded by mu: the open one; NULL until rows come */
    struct dataset_set *closed;   /* guarded by mu: to be finished, oldest first */
    tt_dur opened_at, written_at; /* guarded by mu; monotonic */
    bool stopping;                /* guarded by mu */

    pthread_mutex_t finish_mu; /* one finisher at a time; taken before mu */

    pthread_mutex_t idle_mu;
    struct dataset_formatter *idle[MAX_IDLE]; /* guarded by idle_mu */
    size_t n_idle;                            /* guarded by idle_mu */
};

/* ---- life ---- */

enum tt_status dataset_writer_new(const struct dataset_writer_options *options,
                                  struct dataset_writer **ret_writer, struct tt_error *err)
{
    struct dataset_writer *writer = tt_calloc(1, sizeof(*writer));
    enum tt_status status;

    if (writer == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create the writer of a dataset");
    writer->options = *options;
    writer->dir_fd = -1;
    status = dataset_layout_init(&writer->layout, &options->layout, err);
    if (status != TT_OK) {
        tt_free(writer);
        return status;
    }
    pthread_mutex_init(&writer->mu, NULL);
    pthread_mutex_init(&writer->finish_mu, NULL);
    pthread_mutex_init(&writer->idle_mu, NULL);
    tt_cond_init(&writer->changed);
    *ret_writer = writer;
    return TT_OK;
}

void dataset_writer_free(struct dataset_writer *writer)
{
    if (writer == NULL)
        return;
    dataset_set_free(writer->set);
    while (writer->closed != NULL) {
        struct dataset_set *set = writer->closed;
        writer->closed = set->next;
        dataset_set_free(set);
    }
    for (size_t i = 0; i < writer->n_idle; i++)
        dataset_formatter_free(writer->idle[i]);
    if (writer->dir_fd >= 0)
        close(writer->dir_fd);
    dataset_layout_done(&writer->layout);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mu);
    pthread_mutex_destroy(&writer->finish_mu);
    pthread_mutex_destroy(&writer->idle_mu);
    tt_free(writer);
}

static struct dataset_finish_options finish_options(const struct dataset_writer *writer,
                                                    tt_dur deadline)
{
    return (struct dataset_finish_options){
        .dir_fd = writer->dir_fd,
        .version = writer->options.version,
        .wall_ns = tt_clock_wall(writer->options.clock),
        .deadline = deadline,
    };
}

static void count(struct tt_meter *meter, uint64_t by)
{
    if (meter != NULL)
        tt_meter_add(meter, (int64_t)by);
}

static enum tt_status recover(struct dataset_writer *writer, struct tt_error *err)
{
    struct dataset_finish_options options = finish_options(writer, 0);
    struct dataset_recovery recovery;
    enum tt_status status = dataset_recover(&writer->set_options, &writer->layout, &options,
                                            &writer->options.log, &recovery, err);

    if (status != TT_OK)
        return status;
    count(writer->options.recovered, recovery.sets);
    count(writer->options.failures, recovery.failed_sets);
    return TT_OK;
}

enum tt_status dataset_writer_start(struct dataset_writer *writer, struct tt_error *err)
{
    const char *directory = writer->options.directory;
    enum tt_status status = tt_make_directories(directory, 0755, err);

    if (status != TT_OK)
        return status;
    writer->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (writer->dir_fd < 0)
        return tt_fail_errno(err, "open %s", directory);
    if (faccessat(writer->dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return tt_fail_errno(err, "write to %s", directory);
    status = tt_lock_file(writer->dir_fd, directory, err);
    if (status != TT_OK)
        return status;
    writer->set_options = (struct dataset_set_options){
        .dir_fd = writer->dir_fd,
        .max_files = writer->options.max_files == 0 ? 1000 : writer->options.max_files,
        .max_open = writer->options.max_open == 0 ? 100 : writer->options.max_open,
    };
    return recover(writer, err);
}

/* ---- formatters ---- */

static struct dataset_formatter *get_formatter(struct dataset_writer *writer)
{
    struct dataset_formatter *formatter = NULL;

    pthread_mutex_lock(&writer->idle_mu);
    if (writer->n_idle > 0)
        formatter = writer->idle[--writer->n_idle];
    pthread_mutex_unlock(&writer->idle_mu);
    if (formatter != NULL)
        return formatter;
    return dataset_formatter_new(&writer->layout, writer->options.formula_guard);
}

static void put_formatter(struct dataset_writer *writer, struct dataset_formatter *formatter)
{
    bool kept;

    dataset_format_end(formatter);
    pthread_mutex_lock(&writer->idle_mu);
    kept = writer->n_idle < MAX_IDLE;
    if (kept)
        writer->idle[writer->n_idle++] = formatter;
    pthread_mutex_unlock(&writer->idle_mu);
    if (!kept)
        dataset_formatter_free(formatter);
}

/* ---- writing; mu is held ---- */

static void close_set(struct dataset_writer *writer)
{
    struct dataset_set **last = &writer->closed;

    while (*last != NULL)
        last = &(*last)->next;
    *last = TT_TAKE(writer->set);
    pthread_cond_signal(&writer->changed);
}

static enum tt_status open_set(struct dataset_writer *writer, struct tt_error *err)
{
    enum tt_status status;

    if (writer->set != NULL)
        return TT_OK;
    if (writer->dir_fd < 0)
        return tt_fail(err, TT_UNAVAILABLE, "write to a dataset that was not started");
    status = dataset_set_open(&writer->set_options, &writer->layout,
                              tt_clock_wall(writer->options.clock), &writer->set, err);
    if (status != TT_OK)
        return status;
    writer->opened_at = tt_clock_monotonic(writer->options.clock);
    pthread_cond_signal(&writer->changed);
    return TT_OK;
}

/* Writes the piece that is formatted, then the rest of the batch piece by piece. */
static enum tt_status write_pieces(struct dataset_writer *writer,
                                   struct dataset_formatter *formatter, bool more,
                                   struct tt_error *err)
{
    enum tt_status status = open_set(writer, err);

    if (status != TT_OK)
        return status;
    dataset_set_begin(writer->set);
    status = dataset_set_append(writer->set, formatter, err);
    while (status == TT_OK && more) {
        status = dataset_format_piece(formatter, FORMAT_AHEAD, &more, err);
        if (status == TT_OK)
            status = dataset_set_append(writer->set, formatter, err);
    }
    if (status != TT_OK) {
        dataset_set_rollback(writer->set);
        return status;
    }
    dataset_set_commit(writer->set, formatter);
    writer->written_at = tt_clock_monotonic(writer->options.clock);
    if (writer->options.max_bytes > 0 && dataset_set_size(writer->set) >= writer->options.max_bytes)
        close_set(writer);
    return TT_OK;
}

enum tt_status dataset_writer_write(struct dataset_writer *writer, const struct tt_batch *batch,
                                    struct tt_error *err)
{
    struct dataset_formatter *formatter;
    enum tt_status status;
    bool more;

    if (tt_batch_live_rows(batch) == 0)
        return TT_OK;
    formatter = get_formatter(writer);
    if (formatter == NULL)
        return tt_fail(err, TT_NO_MEMORY, "format rows as CSV");
    dataset_format_begin(formatter, batch);
    status = dataset_format_piece(formatter, FORMAT_AHEAD, &more, err);
    if (status == TT_OK) {
        pthread_mutex_lock(&writer->mu);
        status = write_pieces(writer, formatter, more, err);
        pthread_mutex_unlock(&writer->mu);
    }
    put_formatter(writer, formatter);
    return status;
}

/* ---- finishing ---- */

static struct dataset_set *take_closed(struct dataset_writer *writer)
{
    struct dataset_set *set;

    pthread_mutex_lock(&writer->mu);
    set = writer->closed;
    if (set != NULL)
        writer->closed = set->next;
    pthread_mutex_unlock(&writer->mu);
    return set;
}

static void put_back(struct dataset_writer *writer, struct dataset_set *set)
{
    pthread_mutex_lock(&writer->mu);
    set->next = writer->closed;
    writer->closed = set;
    pthread_mutex_unlock(&writer->mu);
}

/* Stops at the first failure: what could not be finished comes first the next time. finish_mu is held. */
static enum tt_status finish_closed(struct dataset_writer *writer, tt_dur deadline,
                                    char ret_stamp[DATASET_STAMP_LEN + 1], struct tt_error *err)
{
    struct dataset_set *set;

    while ((set = take_closed(writer)) != NULL) {
        struct dataset_finish_options options = finish_options(writer, deadline);
        uint64_t rows = dataset_set_rows(set);
        enum tt_status status = dataset_finish(set, &options, err);
        if (status != TT_OK) {
            put_back(writer, set);
            count(writer->options.failures, 1);
            return status;
        }
        memcpy(ret_stamp, set->stamp, sizeof(set->stamp));
        if (rows > 0) {
            count(writer->options.finished, 1);
            tt_log_info(&writer->options.log, "finished a set of dataset files",
                        TT_FIELD_TEXT("stamp", set->stamp), TT_FIELD_INT("rows", rows));
        }
        dataset_set_free(set);
    }
    return TT_OK;
}

enum tt_status dataset_writer_finish(struct dataset_writer *writer, tt_dur deadline,
                                     char ret_stamp[DATASET_STAMP_LEN + 1], struct tt_error *err)
{
    char stamp[DATASET_STAMP_LEN + 1] = "";
    enum tt_status status;

    pthread_mutex_lock(&writer->finish_mu);
    pthread_mutex_lock(&writer->mu);
    if (writer->set != NULL)
        close_set(writer);
    pthread_mutex_unlock(&writer->mu);
    status = finish_closed(writer, deadline, stamp, err);
    pthread_mutex_unlock(&writer->finish_mu);
    if (ret_stamp != NULL)
        memcpy(ret_stamp, stamp, sizeof(stamp));
    return status;
}

/* ---- the thread ---- */

static tt_dur sooner(tt_dur a, tt_dur b)
{
    return a < b ? a : b;
}

/* When the open set is due; mu is held. INT64_MAX: not before something changes. */
static tt_dur due_at(const struct dataset_writer *writer)
{
    tt_dur due = INT64_MAX;

    if (writer->set == NULL)
        return due;
    if (writer->options.finish_after > 0)
        due = sooner(due, writer->written_at + writer->options.finish_after);
    if (writer->options.max_age > 0)
        due = sooner(due, writer->opened_at + writer->options.max_age);
    return due;
}

/* Waits until there is a closed set to finish, or stop. mu is held. retry_at: not before, after a failure. */
static void wait_for_work(struct dataset_writer *writer, tt_dur retry_at)
{
    for (;;) {
        tt_dur now = tt_clock_monotonic(writer->options.clock), due = due_at(writer);
        if (due <= now)
            close_set(writer);
        if (writer->stopping || (writer->closed != NULL && now >= retry_at))
            return;
        due = sooner(due_at(writer), writer->closed != NULL ? retry_at : INT64_MAX);
        if (due == INT64_MAX)
            pthread_cond_wait(&writer->changed, &writer->mu);
        else
            (void)tt_cond_wait_until(&writer->changed, &writer->mu, due);
    }
}

void dataset_writer_run(void *context)
{
    struct dataset_writer *writer = context;
    char stamp[DATASET_STAMP_LEN + 1];
    tt_dur retry_at = 0;

    for (;;) {
        struct tt_error err;
        bool stopping;
        pthread_mutex_lock(&writer->mu);
        wait_for_work(writer, retry_at);
        stopping = writer->stopping;
        pthread_mutex_unlock(&writer->mu);
        if (stopping)
            return;
        pthread_mutex_lock(&writer->finish_mu);
        retry_at = 0;
        if (finish_closed(writer, 0, stamp, &err) != TT_OK) {
            retry_at = tt_clock_monotonic(writer->options.clock) + RETRY_AFTER;
            tt_log_error(&writer->options.log, "cannot finish a set of dataset files; trying again",
                         TT_FIELD_ERROR(&err));
        }
        pthread_mutex_unlock(&writer->finish_mu);
    }
}

void dataset_writer_stop(struct dataset_writer *writer)
{
    pthread_mutex_lock(&writer->mu);
    writer->stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mu);
}
