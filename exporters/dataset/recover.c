/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/recover.h"

#include "exporters/dataset/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_LEFTOVERS 1000

/* ---- which sets ---- */

struct leftovers {
    char stamps[MAX_LEFTOVERS][DATASET_STAMP_LEN + 1];
    size_t n;
};

static void note_stamp(struct leftovers *leftovers, struct tt_str stamp)
{
    for (size_t i = 0; i < leftovers->n; i++)
        if (tt_str_equal(tt_str(leftovers->stamps[i]), stamp))
            return;
    if (leftovers->n < MAX_LEFTOVERS)
        memcpy(leftovers->stamps[leftovers->n++], stamp.data, DATASET_STAMP_LEN);
}

/* Calls visit with the name of each entry of the directory. */
static enum tt_status each_name(int dir_fd, void (*visit)(void *context, struct tt_str name),
                                void *context, struct tt_error *err)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL) {
        enum tt_status status = tt_fail_errno(err, "list the directory");
        if (fd >= 0)
            close(fd);
        return status;
    }
    while ((entry = readdir(dir)) != NULL)
        visit(context, tt_str(entry->d_name));
    (void)closedir(dir);
    return TT_OK;
}

static void find_leftover(void *context, struct tt_str name)
{
    struct tt_str prefix, stamp;

    if (dataset_name_split(name, TT_STR(".csv.partial"), &prefix, &stamp) ||
        dataset_name_split(name, TT_STR(".json.partial"), &prefix, &stamp))
        note_stamp(context, stamp);
}

/* ---- which files of a set ---- */

static bool signal_of_prefix(struct tt_str prefix, unsigned *ret_signal)
{
    for (unsigned i = 0; i < TT_SIGNAL_COUNT; i++) {
        struct tt_str name = tt_str(tt_signal_name(tt_signal_at(i)));
        *ret_signal = i;
        if (tt_str_starts_with(prefix, name) && prefix.len > name.len &&
            prefix.data[name.len] == '_')
            return true;
    }
    return false;
}

static void add_file(void *context, struct tt_str name)
{
    struct dataset_set *set = context;
    struct tt_str prefix, stamp;
    struct dataset_file *file;
    unsigned signal;
    bool partial = dataset_name_split(name, TT_STR(".csv.partial"), &prefix, &stamp);

    if ((!partial && !dataset_name_split(name, TT_STR(".csv"), &prefix, &stamp)) ||
        !tt_str_equal(stamp, tt_str(set->stamp)) || !signal_of_prefix(prefix, &signal) ||
        name.len >= sizeof(file->final_name))
        return;
    file = dataset_set_file(set, signal, prefix);
    if (file == NULL)
        return;
    file->exists = true;
    file->renamed = !partial;
    if (!partial)
        memcpy(file->final_name, name.data, name.len + 1);
}

static int open_file(const struct dataset_set *set, const struct dataset_file *file)
{
    char partial[144];

    dataset_partial_name(set, file, partial);
    return openat(set->options->dir_fd, file->renamed ? file->final_name : partial,
                  (file->renamed ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
}

/* Cuts a file behind at most max_records records; its rows and size are known then. */
static enum tt_status cut_file(const struct dataset_set *set, struct dataset_file *file,
                               uint64_t max_records, uint64_t *cut_bytes, struct tt_error *err)
{
    struct dataset_ends ends;
    int fd = open_file(set, file);
    enum tt_status status;
    off_t end;

    if (fd < 0)
        return tt_fail_errno(err, "open %s_%s.csv", file->prefix, set->stamp);
    status = dataset_scan_ends(fd, max_records, &ends, err);
    end = lseek(fd, 0, SEEK_END);
    if (status == TT_OK && !file->renamed && end > (off_t)ends.bytes) {
        *cut_bytes += (uint64_t)end - ends.bytes;
        if (ftruncate(fd, (off_t)ends.bytes) != 0)
            status = tt_fail_errno(err, "cut %s_%s.csv", file->prefix, set->stamp);
    }
    close(fd);
    file->size = ends.bytes;
    file->rows = ends.records > 0 ? ends.records - 1 : 0;
    return status;
}

/* ---- counting the rows of a labeled file ---- */

struct tally {
    struct dataset_set *set;
    unsigned signal;
};

/* How many rows each other file should have is counted in its mark_rows. */
static void expect_row(struct dataset_set *set, struct tt_str type)
{
    char prefixes[2][96];
    size_t n = dataset_prefixes(type, prefixes);

    for (size_t i = 0; i < n; i++) {
        struct dataset_file *file = tt_map_get(&set->by_prefix, tt_str(prefixes[i]));
        if (file == NULL)
            file = tt_map_get(&set->by_prefix, TT_STR("traces_overflow"));
        if (file != NULL)
            file->mark_rows++;
    }
}

static void count_row(void *context, const struct tt_str *cells)
{
    const struct tally *tally = context;
    struct dataset_set *set = tally->set;
    uint64_t ns = 0;

    set->rows[tally->signal]++;
    dataset_count(&set->types, cells[0], tally->signal, 1);
    dataset_count(&set->sources, cells[1], tally->signal, 1);
    if (tt_str_to_uint64(cells[2], &ns) && ns != 0) {
        if (ns < set->min_ns[tally->signal])
            set->min_ns[tally->signal] = ns;
        if (ns > set->max_ns[tally->signal])
            set->max_ns[tally->signal] = ns;
    }
    if (tt_signal_at(tally->signal) == TT_TRACES)
        expect_row(set, cells[0]);
}

static bool has_our_header(int fd, struct tt_str header)
{
    TT_CLEANUP(tt_freep) char *start = tt_malloc(header.len + 1);

    return start == NULL || (pread(fd, start, header.len, 0) == (ssize_t)header.len &&
                             memcmp(start, header.data, header.len) == 0);
}

static enum tt_status tally_file(struct dataset_set *set, unsigned signal, uint64_t *cut_bytes,
                                 struct tt_error *err)
{
    const char *wanted[] = {"anomaly_type", "label_source",
                            tt_signal_at(signal) == TT_TRACES ? "start_time_ns" : "time_ns"};
    struct dataset_file *file = set->files[signal];
    struct tally tally = {.set = set, .signal = signal};
    enum tt_status status;
    int fd;

    if (!file->exists)
        return TT_OK;
    status = cut_file(set, file, UINT64_MAX, cut_bytes, err);
    if (status != TT_OK)
        return status;
    fd = open_file(set, file);
    if (fd < 0)
        return tt_fail_errno(err, "open %s_%s.csv", file->prefix, set->stamp);
    set->other_columns[signal] = !has_our_header(fd, set->layout->signals[signal].header);
    status = dataset_scan_cells(fd, wanted, TT_LENGTH(wanted), count_row, &tally, err);
    close(fd);
    return status;
}

/* ---- one set ---- */

static enum tt_status mend(struct dataset_set *set, uint64_t *cut_bytes, struct tt_error *err)
{
    enum tt_status status = each_name(set->options->dir_fd, add_file, set, err);

    for (unsigned i = 0; i < TT_SIGNAL_COUNT && status == TT_OK; i++)
        status = tally_file(set, i, cut_bytes, err);
    for (size_t i = TT_SIGNAL_COUNT; i < set->n_files && status == TT_OK; i++)
        if (set->files[i]->exists)
            status = cut_file(set, set->files[i], set->files[i]->mark_rows + 1, cut_bytes, err);
    return status;
}

static void recover_one(const struct dataset_set_options *options,
                        const struct dataset_layout *layout,
                        const struct dataset_finish_options *finish, const char *stamp,
                        const struct tt_log *log, struct dataset_recovery *recovery)
{
    struct tt_error err = {.status = TT_OK};
    struct dataset_set *set = NULL;
    uint64_t cut_bytes = 0;
    enum tt_status status = dataset_set_adopt(options, layout, tt_str(stamp), &set, &err);

    if (status == TT_OK)
        status = mend(set, &cut_bytes, &err);
    if (status == TT_OK)
        status = dataset_finish(set, finish, &err);
    if (status != TT_OK) {
        recovery->failed_sets++;
        tt_log_error(
            log,
            "cannot finish dataset files that a crash had left; trying again at the next start",
            TT_FIELD_TEXT("stamp", stamp), TT_FIELD_ERROR(&err));
    } else {
        uint64_t rows = dataset_set_rows(set);
        recovery->sets++;
        recovery->rows += rows;
        recovery->cut_bytes += cut_bytes;
        tt_log_warn(log, "finished dataset files that a crash had left",
                    TT_FIELD_TEXT("stamp", stamp), TT_FIELD_INT("rows", rows),
                    TT_FIELD_INT("cut_bytes", cut_bytes));
    }
    dataset_set_free(set);
}

enum tt_status dataset_recover(const struct dataset_set_options *options,
                               const struct dataset_layout *layout,
                               const struct dataset_finish_options *finish,
                               const struct tt_log *log, struct dataset_recovery *ret_recovery,
                               struct tt_error *err)
{
    TT_CLEANUP(tt_freep) struct leftovers *leftovers = tt_calloc(1, sizeof(*leftovers));
    enum tt_status status;

    *ret_recovery = (struct dataset_recovery){.sets = 0};
    if (leftovers == NULL)
        return tt_fail(err, TT_NO_MEMORY, "look for files that a crash had left");
    status = each_name(options->dir_fd, find_leftover, leftovers, err);
    for (size_t i = 0; i < leftovers->n && status == TT_OK; i++)
        recover_one(options, layout, finish, leftovers->stamps[i], log, ret_recovery);
    return status;
}
