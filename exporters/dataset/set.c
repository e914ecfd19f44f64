/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/set.h"

#include "base/clock.h"
#include "model/label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

size_t dataset_prefixes(struct tt_str type, char ret_prefixes[2][96])
{
    char name[72];
    size_t n = 0;

    if (type.len == 0 || tt_str_equal(type, TT_STR("none")) ||
        tt_str_equal(type, TT_STR("normal"))) {
        (void)snprintf(ret_prefixes[0], 96, "traces_normal");
        return 1;
    }
    /* "unknown" is what rows without evidence may be called: neither normal nor anomalous. */
    if (!tt_str_equal(type, TT_STR("unknown")))
        (void)snprintf(ret_prefixes[n++], 96, "traces_anomalous");
    (void)dataset_type_name(type, name);
    (void)snprintf(ret_prefixes[n++], 96, "traces_%s", name);
    return n;
}

void dataset_partial_name(const struct dataset_set *set, const struct dataset_file *file,
                          char ret_name[144])
{
    (void)snprintf(ret_name, 144, "%s_%s.csv.partial", file->prefix, set->stamp);
}

/* ---- life ---- */

static struct dataset_set *set_new(const struct dataset_set_options *options,
                                   const struct dataset_layout *layout)
{
    static const char *const prefixes[] = {"traces_labeled", "metrics_labeled", "logs_labeled"};
    struct dataset_set *set = tt_calloc(1, sizeof(*set));

    if (set == NULL)
        return NULL;
    set->options = options;
    set->layout = layout;
    tt_map_init(&set->by_prefix, options->max_files + 8);
    tt_buffer_init(&set->entries, (size_t)1 << 28);
    tt_buffer_init(&set->parts, (size_t)1 << 28);
    tt_buffer_init(&set->jobs, (size_t)1 << 28);
    tt_buffer_init(&set->routes, (size_t)1 << 28);
    set->in_step = dataset_digest_in_step();
    dataset_counts_init(&set->types);
    dataset_counts_init(&set->sources);
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        set->min_ns[i] = UINT64_MAX;
        if (dataset_set_file(set, i, tt_str(prefixes[i])) == NULL) {
            dataset_set_free(set);
            return NULL;
        }
    }
    return set;
}

void dataset_set_free(struct dataset_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n_files; i++) {
        if (set->files[i]->fd >= 0)
            close(set->files[i]->fd);
        tt_free(set->files[i]);
    }
    tt_free(set->files);
    tt_map_done(&set->by_prefix);
    tt_buffer_done(&set->entries);
    tt_buffer_done(&set->parts);
    tt_buffer_done(&set->jobs);
    tt_buffer_done(&set->routes);
    dataset_counts_done(&set->types);
    dataset_counts_done(&set->sources);
    tt_free(set);
}

/* The manifest's name is the stamp's reservation: whoever made "manifest_<stamp>.json.partial" has it. */
static enum tt_status reserve_stamp(struct dataset_set *set, struct tt_error *err)
{
    char name[64];
    struct stat info;
    int fd;

    (void)snprintf(name, sizeof(name), "manifest_%s.json", set->stamp);
    if (fstatat(set->options->dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        return TT_UNSUPPORTED;
    (void)snprintf(name, sizeof(name), "manifest_%s.json.partial", set->stamp);
    fd = openat(set->options->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                0644);
    if (fd < 0 && errno == EEXIST)
        return TT_UNSUPPORTED;
    if (fd < 0)
        return tt_fail_errno(err, "create %s", name);
    close(fd);
    return TT_OK;
}

enum tt_status dataset_set_open(const struct dataset_set_options *options,
                                const struct dataset_layout *layout, uint64_t wall_ns,
                                struct dataset_set **ret_set, struct tt_error *err)
{
    struct dataset_set *set = set_new(options, layout);
    enum tt_status status = TT_UNSUPPORTED;
    char text[32];

    if (set == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open a set of dataset files");
    set->opened_ns = wall_ns;
    for (unsigned i = 0; i < 100000 && status == TT_UNSUPPORTED; i++) {
        (void)tt_time_format_compact(wall_ns + i * (uint64_t)TT_SECOND, text);
        memcpy(set->stamp, text, DATASET_STAMP_LEN);
        status = reserve_stamp(set, err);
    }
    if (status == TT_UNSUPPORTED)
        status = tt_fail(err, TT_IO, "find a free name for a set of dataset files");
    if (status == TT_OK)
        *ret_set = set;
    else
        dataset_set_free(set);
    return status;
}

enum tt_status dataset_set_adopt(const struct dataset_set_options *options,
                                 const struct dataset_layout *layout, struct tt_str stamp,
                                 struct dataset_set **ret_set, struct tt_error *err)
{
    struct dataset_set *set = set_new(options, layout);

    if (set == NULL)
        return tt_fail(err, TT_NO_MEMORY, "open a set of dataset files");
    memcpy(set->stamp, stamp.data, DATASET_STAMP_LEN);
    set->recovered = true;
    *ret_set = set;
    return TT_OK;
}

/* ---- files ---- */

static bool grow_files(struct dataset_set *set)
{
    struct dataset_file **files;

    if ((set->n_files & (set->n_files - 1)) != 0)
        return true; /* the capacity is the next power of two */
    files = tt_realloc(set->files, set->n_files == 0 ? 1 : 2 * set->n_files, sizeof(*files));
    if (files == NULL)
        return false;
    set->files = files;
    return true;
}

struct dataset_file *dataset_set_file(struct dataset_set *set, unsigned signal,
                                      struct tt_str prefix)
{
    struct dataset_file *file = tt_map_get(&set->by_prefix, prefix);

    if (file != NULL)
        return file;
    if (prefix.len >= sizeof(file->prefix) || !grow_files(set))
        return NULL;
    file = tt_calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    memcpy(file->prefix, prefix.data, prefix.len);
    file->signal = signal;
    file->fd = -1;
    if (tt_map_put(&set->by_prefix, tt_str(file->prefix), file) != TT_OK) {
        tt_free(file);
        return NULL;
    }
    set->files[set->n_files++] = file;
    return file;
}

static void close_file(struct dataset_set *set, struct dataset_file *file)
{
    close(file->fd);
    file->fd = -1;
    set->n_open--;
}

/* A file whose end still has to be cut off keeps its descriptor, which knows where. */
static void close_least_used(struct dataset_set *set)
{
    struct dataset_file *least = NULL;

    for (size_t i = 0; i < set->n_files; i++) {
        struct dataset_file *file = set->files[i];
        if (file->fd >= 0 && file->appender.cut_to < 0 &&
            (least == NULL || file->last_used < least->last_used))
            least = file;
    }
    if (least != NULL)
        close_file(set, least);
}

static enum tt_status write_header(struct dataset_set *set, struct dataset_file *file,
                                   const char *name, struct tt_error *err)
{
    struct tt_str header = set->layout->signals[file->signal].header;
    enum tt_status status = tt_write_all(file->fd, header, err);

    if (status != TT_OK) {
        close_file(set, file);
        (void)unlinkat(set->options->dir_fd, name, 0);
        tt_error_prefix(err, "%s", name);
        return status;
    }
    file->exists = true;
    file->size = file->mark_size = header.len;
    dataset_digest_init(&file->digest);
    sha256_update(&file->digest.hash, header.len, (const uint8_t *)header.data);
    file->has_digest = true;
    return TT_OK;
}

static enum tt_status open_file(struct dataset_set *set, struct dataset_file *file,
                                struct tt_error *err)
{
    int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (file->exists ? 0 : O_CREAT | O_EXCL);
    char name[144];

    file->last_used = ++set->used;
    if (file->fd >= 0)
        return TT_OK;
    if (set->n_open >= set->options->max_open)
        close_least_used(set);
    dataset_partial_name(set, file, name);
    file->fd = openat(set->options->dir_fd, name, flags, 0644);
    if (file->fd < 0)
        return tt_fail_errno(err, "open %s", name);
    set->n_open++;
    tt_appender_init(&file->appender, file->fd);
    return file->exists ? TT_OK : write_header(set, file, name, err);
}

/* ---- transactions ---- */

void dataset_set_begin(struct dataset_set *set)
{
    set->transaction++;
    tt_buffer_clear(&set->routes);
}

static void join_transaction(struct dataset_set *set, struct dataset_file *file)
{
    if (file->transaction == set->transaction)
        return;
    file->transaction = set->transaction;
    file->mark_size = file->size;
    file->mark_rows = file->rows;
    file->mark_digest = file->digest;
}

static enum tt_status append_parts(struct dataset_set *set, struct dataset_file *file,
                                   const struct iovec *parts, struct tt_error *err)
{
    enum tt_status status = open_file(set, file, err);

    if (status != TT_OK)
        return status;
    join_transaction(set, file);
    status = tt_append(&file->appender, parts, file->n_parts, err);
    if (status != TT_OK) {
        tt_error_prefix(err, "%s_%s.csv", file->prefix, set->stamp);
        return status;
    }
    for (size_t i = 0; i < file->n_parts; i++)
        file->size += parts[i].iov_len;
    file->rows += file->piece_rows;
    return TT_OK;
}

/* ---- which rows go where ---- */

/* The file of a prefix; types beyond the limit share one. */
static struct dataset_file *target(struct dataset_set *set, const char *prefix)
{
    struct dataset_file *file = tt_map_get(&set->by_prefix, tt_str(prefix));

    if (file == NULL && set->n_files + 1 >= set->options->max_files)
        prefix = "traces_overflow";
    return file != NULL ? file : dataset_set_file(set, tt_signal_index(TT_TRACES), tt_str(prefix));
}

/* The one or two files of a class beside the labeled one. */
struct route {
    struct dataset_file *files[2];
    size_t n;
};

static struct route *routes_of(const struct dataset_set *set, size_t *ret_count)
{
    *ret_count = set->routes.len / sizeof(struct route);
    return (struct route *)(void *)set->routes.data;
}

/* Routes for the classes that came since the last piece. */
static enum tt_status find_routes(struct dataset_set *set,
                                  const struct dataset_formatter *formatter, struct tt_error *err)
{
    size_t n, i;
    const struct dataset_class *classes = dataset_classes(formatter, &n);

    (void)routes_of(set, &i);
    for (; i < n; i++) {
        char prefixes[2][96];
        struct route route = {.n = dataset_prefixes(classes[i].labels[SLOT_TYPE], prefixes)};
        for (size_t k = 0; k < route.n; k++) {
            route.files[k] = target(set, prefixes[k]);
            if (route.files[k] == NULL)
                return tt_fail(err, TT_NO_MEMORY, "add a file to the dataset");
        }
        tt_buffer_append(&set->routes, &route, sizeof(route));
    }
    return tt_buffer_check(&set->routes, "list the files of rows", err);
}

struct entry {
    size_t begin, end; /* in the piece's bytes */
    size_t next;       /* index of the same file's next entry; 0: none */
};

static struct entry *entries_of(const struct dataset_set *set)
{
    return (struct entry *)(void *)set->entries.data;
}

/* Runs that follow each other in a file as they do in the piece are one entry. */
static void add_entry(struct dataset_set *set, struct dataset_file *file,
                      const struct dataset_run *run, struct dataset_file **touched)
{
    struct entry entry = {.begin = run->begin, .end = run->end};
    size_t index = set->entries.len / sizeof(entry);

    if (file->piece != set->piece) {
        file->piece = set->piece;
        file->piece_rows = 0;
        file->first_entry = index;
        file->next_touched = *touched;
        *touched = file;
    } else if (entries_of(set)[file->last_entry].end == run->begin) {
        entries_of(set)[file->last_entry].end = run->end;
        file->piece_rows += run->rows;
        return;
    } else {
        entries_of(set)[file->last_entry].next = index;
    }
    tt_buffer_append(&set->entries, &entry, sizeof(entry));
    file->last_entry = index;
    file->piece_rows += run->rows;
}

/* Lists the bytes of the piece by file; *ret_touched are the files, the labeled one last. */
static enum tt_status sort_runs(struct dataset_set *set, const struct dataset_formatter *formatter,
                                struct dataset_file **ret_touched, struct tt_error *err)
{
    unsigned signal = tt_signal_index(formatter->batch->signal);
    size_t n, n_routes;
    const struct dataset_run *runs = dataset_runs(formatter, &n);
    const struct route *routes = routes_of(set, &n_routes);
    struct entry none = {.next = 0};

    tt_buffer_clear(&set->entries);
    tt_buffer_append(&set->entries, &none, sizeof(none)); /* so that index 0 can mean none */
    set->piece++;
    *ret_touched = NULL;
    for (size_t i = formatter->first_run; i < n && set->entries.failed == TT_OK; i++)
        add_entry(set, set->files[signal], &runs[i], ret_touched);
    for (size_t i = formatter->first_run; i < n && n_routes > 0; i++)
        for (size_t k = 0; k < routes[runs[i].class_at].n && set->entries.failed == TT_OK; k++)
            add_entry(set, routes[runs[i].class_at].files[k], &runs[i], ret_touched);
    return tt_buffer_check(&set->entries, "list the rows of each file", err);
}

static void list_parts(struct dataset_set *set, struct dataset_file *file,
                       const struct dataset_formatter *formatter)
{
    const struct entry *entries = entries_of(set);

    file->first_part = set->parts.len / sizeof(struct iovec);
    file->n_parts = 0;
    for (size_t i = file->first_entry; i != 0; i = entries[i].next) {
        struct iovec part = {formatter->bytes.data + entries[i].begin,
                             entries[i].end - entries[i].begin};
        tt_buffer_append(&set->parts, &part, sizeof(part));
        file->n_parts++;
    }
}

/* ---- appending ---- */

static const struct iovec *parts_of(const struct dataset_set *set, const struct dataset_file *file)
{
    return (const struct iovec *)(void *)set->parts.data + file->first_part;
}

static enum tt_status write_files(struct dataset_set *set, struct dataset_file *touched,
                                  struct tt_error *err)
{
    enum tt_status status = TT_OK;

    for (; touched != NULL && status == TT_OK; touched = touched->next_touched)
        status = append_parts(set, touched, parts_of(set, touched), err);
    return status;
}

/* While the piece is in the processor's caches. The labeled file's comes first: it is the longest, and should not be left to go alone. */
static enum tt_status digest_files(struct dataset_set *set, struct dataset_file *touched,
                                   struct tt_error *err)
{
    size_t n = 0;
    struct dataset_digest_job *jobs;

    for (const struct dataset_file *file = touched; file != NULL; file = file->next_touched)
        n += file->has_digest;
    tt_buffer_clear(&set->jobs);
    jobs = (struct dataset_digest_job *)(void *)tt_buffer_reserve(&set->jobs, n * sizeof(*jobs));
    if (jobs == NULL)
        return tt_buffer_check(&set->jobs, "list the checksums of a dataset", err);
    for (size_t i = n; touched != NULL; touched = touched->next_touched)
        if (touched->has_digest)
            jobs[--i] = (struct dataset_digest_job){&touched->digest, parts_of(set, touched),
                                                    touched->n_parts};
    dataset_digest_add(jobs, n, set->in_step);
    return TT_OK;
}

enum tt_status dataset_set_append(struct dataset_set *set, struct dataset_formatter *formatter,
                                  struct tt_error *err)
{
    struct dataset_file *touched = NULL;
    enum tt_status status = TT_OK;

    if (formatter->bytes.len == 0)
        return TT_OK;
    if (formatter->batch->signal == TT_TRACES)
        status = find_routes(set, formatter, err);
    if (status == TT_OK)
        status = sort_runs(set, formatter, &touched, err);
    if (status != TT_OK)
        return status;
    tt_buffer_clear(&set->parts);
    for (struct dataset_file *file = touched; file != NULL; file = file->next_touched)
        list_parts(set, file, formatter);
    status = tt_buffer_check(&set->parts, "list the rows of each file", err);
    if (status == TT_OK)
        status = write_files(set, touched, err);
    return status != TT_OK ? status : digest_files(set, touched, err);
}

void dataset_set_commit(struct dataset_set *set, const struct dataset_formatter *formatter)
{
    unsigned signal = tt_signal_index(formatter->batch->signal);
    size_t n;
    const struct dataset_class *classes = dataset_classes(formatter, &n);

    for (size_t i = 0; i < n; i++) {
        dataset_count(&set->types, classes[i].labels[SLOT_TYPE], signal, classes[i].rows);
        dataset_count(&set->sources, classes[i].labels[SLOT_SOURCE], signal, classes[i].rows);
    }
    set->rows[signal] += formatter->rows;
    if (formatter->min_ns < set->min_ns[signal])
        set->min_ns[signal] = formatter->min_ns;
    if (formatter->max_ns > set->max_ns[signal])
        set->max_ns[signal] = formatter->max_ns;
}

void dataset_set_rollback(struct dataset_set *set)
{
    for (size_t i = 0; i < set->n_files; i++) {
        struct dataset_file *file = set->files[i];
        if (file->transaction != set->transaction || file->size == file->mark_size)
            continue;
        /* Reopened when it was closed to make room; what cannot be cut off now is cut off before the next append. */
        if (open_file(set, file, NULL) == TT_OK)
            (void)tt_append_undo(&file->appender, file->size - file->mark_size, NULL);
        file->size = file->mark_size;
        file->rows = file->mark_rows;
        file->digest = file->mark_digest;
    }
}

uint64_t dataset_set_size(const struct dataset_set *set)
{
    uint64_t size = 0;

    for (size_t i = 0; i < TT_SIGNAL_COUNT; i++)
        size += set->files[i]->size;
    return size;
}

uint64_t dataset_set_rows(const struct dataset_set *set)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < TT_SIGNAL_COUNT; i++)
        rows += set->rows[i];
    return rows;
}
