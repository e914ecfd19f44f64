/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/dataset/finish.h"

#include "exporters/dataset/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one file ---- */

/* Cuts off what a failed write may have left behind the last whole batch. A file of another size than ours has lost what we
 * had made the checksum of. */
static int cut_rest(int fd, struct dataset_file *file)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return -1;
    if ((uint64_t)info.st_size < file->size)
        file->has_digest = false;
    return (uint64_t)info.st_size > file->size ? ftruncate(fd, (off_t)file->size) : 0;
}

static int open_whole(const struct dataset_set *set, struct dataset_file *file)
{
    char partial[144];
    int fd;

    dataset_partial_name(set, file, partial);
    if (file->renamed)
        return openat(set->options->dir_fd, file->final_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    fd = openat(set->options->dir_fd, partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && cut_rest(fd, file) != 0) {
        int failed = errno;
        close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

static enum tt_status rename_file(struct dataset_set *set, struct dataset_file *file,
                                  struct tt_error *err)
{
    char partial[144];
    enum tt_status status = TT_UNSUPPORTED;

    dataset_partial_name(set, file, partial);
    for (unsigned i = 0; i < 100 && status == TT_UNSUPPORTED; i++) {
        char suffix[8] = "";
        if (i > 0)
            (void)snprintf(suffix, sizeof(suffix), "_%u", i);
        (void)snprintf(file->final_name, sizeof(file->final_name), "%s_%s%s.csv", file->prefix,
                       set->stamp, suffix);
        status = tt_rename_new(set->options->dir_fd, partial, file->final_name, err);
    }
    file->renamed = status == TT_OK;
    return status;
}

/* Removes a file that got its header and then no row. */
static void remove_empty(const struct dataset_set *set, const struct dataset_file *file)
{
    char partial[144];

    dataset_partial_name(set, file, partial);
    (void)unlinkat(set->options->dir_fd, partial, 0);
}

/* To disk; and the checksum, which is there but for files that another process had written. */
static enum tt_status seal_file(struct dataset_set *set, struct dataset_file *file,
                                const struct dataset_finish_options *options, char digest[65],
                                struct tt_error *err)
{
    int fd = open_whole(set, file);
    enum tt_status status = TT_OK;

    if (fd < 0)
        return tt_fail_errno(err, "open %s_%s.csv", file->prefix, set->stamp);
    if (fdatasync(fd) != 0 && errno != EINVAL && errno != EROFS)
        status = tt_fail_errno(err, "write %s_%s.csv to disk", file->prefix, set->stamp);
    else if (file->has_digest)
        dataset_digest_hex(&file->digest, digest);
    else if (options->deadline == 0 || tt_clock_monotonic(tt_clock_system()) < options->deadline)
        status = dataset_digest_file(fd, digest, err);
    close(fd);
    return status;
}

static enum tt_status finish_files(struct dataset_set *set,
                                   const struct dataset_finish_options *options,
                                   char (*digests)[65], struct tt_error *err)
{
    enum tt_status status = TT_OK;

    for (size_t i = 0; i < set->n_files && status == TT_OK; i++) {
        struct dataset_file *file = set->files[i];
        if (!file->exists)
            continue;
        if (file->rows > 0)
            status = seal_file(set, file, options, digests[i], err);
        else
            remove_empty(set, file);
    }
    for (size_t i = 0; i < set->n_files && status == TT_OK; i++)
        if (set->files[i]->exists && set->files[i]->rows > 0 && !set->files[i]->renamed)
            status = rename_file(set, set->files[i], err);
    return status;
}

/* ---- the manifest and the links ---- */

static enum tt_status write_file(int dir_fd, const char *name, struct tt_str bytes,
                                 struct tt_error *err)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum tt_status status;

    if (fd < 0)
        return tt_fail_errno(err, "create %s", name);
    status = tt_write_all(fd, bytes, err);
    if (status == TT_OK && fsync(fd) != 0 && errno != EINVAL)
        status = tt_fail_errno(err, "write %s to disk", name);
    close(fd);
    return status;
}

/* Makes or replaces a symbolic link in one step. */
static enum tt_status link_to(int dir_fd, const char *target, const char *name,
                              struct tt_error *err)
{
    char temporary[160];

    (void)snprintf(temporary, sizeof(temporary), ".%s.new", name);
    (void)unlinkat(dir_fd, temporary, 0);
    if (symlinkat(target, dir_fd, temporary) != 0)
        return tt_fail_errno(err, "link %s", name);
    if (renameat(dir_fd, temporary, dir_fd, name) == 0)
        return TT_OK;
    (void)unlinkat(dir_fd, temporary, 0);
    return tt_fail_errno(err, "link %s", name);
}

/* .sets/<stamp>/traces_labeled.csv -> ../../traces_labeled_<stamp>.csv: names without a stamp, for notebooks. */
static enum tt_status link_files(const struct dataset_set *set, int fd, struct tt_error *err)
{
    enum tt_status status = TT_OK;
    char target[192], name[112];

    for (size_t i = 0; i < set->n_files && status == TT_OK; i++) {
        const struct dataset_file *file = set->files[i];
        if (!file->renamed)
            continue;
        (void)snprintf(target, sizeof(target), "../../%s", file->final_name);
        (void)snprintf(name, sizeof(name), "%s.csv", file->prefix);
        status = link_to(fd, target, name, err);
    }
    if (status != TT_OK)
        return status;
    (void)snprintf(target, sizeof(target), "../../manifest_%s.json", set->stamp);
    return link_to(fd, target, "manifest.json", err);
}

static void remove_links(int sets_fd, const char *stamp)
{
    int fd = openat(sets_fd, stamp, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    (void)unlinkat(sets_fd, stamp, AT_REMOVEDIR);
}

/* Removes the link directories of earlier sets; the sets themselves stay. */
static void remove_old_links(int dir_fd, const char *stamp)
{
    int fd = openat(dir_fd, ".sets", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, stamp) != 0)
            remove_links(dirfd(dir), entry->d_name);
    (void)closedir(dir);
}

static enum tt_status point_latest(const struct dataset_set *set, struct tt_error *err)
{
    int dir_fd = set->options->dir_fd, fd;
    char path[64];
    enum tt_status status;

    (void)snprintf(path, sizeof(path), ".sets/%s", set->stamp);
    if ((mkdirat(dir_fd, ".sets", 0755) != 0 && errno != EEXIST) ||
        (mkdirat(dir_fd, path, 0755) != 0 && errno != EEXIST))
        return tt_fail_errno(err, "create %s", path);
    fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return tt_fail_errno(err, "open %s", path);
    status = link_files(set, fd, err);
    close(fd);
    if (status == TT_OK)
        status = link_to(dir_fd, path, "latest", err);
    if (status == TT_OK)
        remove_old_links(dir_fd, set->stamp);
    return status;
}

static enum tt_status finish_manifest(struct dataset_set *set,
                                      const struct dataset_finish_options *options,
                                      const char (*digests)[65], struct tt_error *err)
{
    struct tt_buffer text;
    char partial[64], name[64];
    enum tt_status status;

    (void)snprintf(name, sizeof(name), "manifest_%s.json", set->stamp);
    (void)snprintf(partial, sizeof(partial), "manifest_%s.json.partial", set->stamp);
    tt_buffer_init(&text, (size_t)16 << 20);
    dataset_manifest_write(set, options, digests, &text);
    status = tt_buffer_check(&text, "write the manifest", err);
    if (status == TT_OK)
        status = write_file(options->dir_fd, partial, tt_buffer_view(&text), err);
    tt_buffer_done(&text);
    if (status == TT_OK)
        status = link_to(options->dir_fd, name, "manifest.json", err);
    if (status == TT_OK)
        status = point_latest(set, err);
    /* Last, since the partial manifest is what tells a recovery that a set is not finished. */
    if (status == TT_OK && renameat(options->dir_fd, partial, options->dir_fd, name) != 0)
        status = tt_fail_errno(err, "rename %s", partial);
    return status;
}

/* A set without a row leaves nothing. */
static void discard(const struct dataset_set *set)
{
    char name[64];

    for (size_t i = 0; i < set->n_files; i++)
        if (set->files[i]->exists)
            remove_empty(set, set->files[i]);
    (void)snprintf(name, sizeof(name), "manifest_%s.json.partial", set->stamp);
    (void)unlinkat(set->options->dir_fd, name, 0);
}

enum tt_status dataset_finish(struct dataset_set *set, const struct dataset_finish_options *options,
                              struct tt_error *err)
{
    char(*digests)[65];
    enum tt_status status;

    if (dataset_set_rows(set) == 0) {
        discard(set);
        return TT_OK;
    }
    digests = tt_calloc(set->n_files, sizeof(*digests));
    if (digests == NULL)
        return tt_fail(err, TT_NO_MEMORY, "finish dataset %s", set->stamp);
    status = finish_files(set, options, digests, err);
    if (status == TT_OK)
        status = finish_manifest(set, options, (const char(*)[65])digests, err);
    tt_free(digests);
    if (status == TT_OK && fsync(options->dir_fd) != 0 && errno != EINVAL)
        return tt_fail_errno(err, "write the directory to disk");
    return status;
}
