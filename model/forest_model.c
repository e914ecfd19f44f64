/* SPDX-License-Identifier: Apache-2.0 */
#include "model/forest_model.h"

#include "base/file.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t tt_schema_hash(const struct tt_str *features, uint32_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < features[i].len; j++)
            hash = (hash ^ (uint8_t)features[i].data[j]) * UINT64_C(0x100000001b3);
        hash *= UINT64_C(0x100000001b3); /* the NUL byte */
    }
    return hash;
}

/* ---- life ---- */

static enum tt_status check_name(struct tt_str name, uint32_t i, struct tt_error *err)
{
    if (name.len == 0 || name.len > TT_MODEL_MAX_NAME)
        return tt_fail(err, TT_INVALID_DATA, "features[%u].name: %zu bytes, not between 1 and %zu",
                       i, name.len, TT_MODEL_MAX_NAME);
    if (tt_utf8_valid_prefix(name) != name.len || memchr(name.data, '\0', name.len) != NULL)
        return tt_fail(err, TT_INVALID_DATA, "features[%u].name: not a text", i);
    return TT_OK;
}

static enum tt_status check_unique(const struct tt_str *features, uint32_t count,
                                   struct tt_error *err)
{
    struct tt_map seen;
    enum tt_status status = TT_OK;

    tt_map_init(&seen, count);
    for (uint32_t i = 0; status == TT_OK && i < count; i++) {
        if (tt_map_get(&seen, features[i]) != NULL)
            status = tt_fail(err, TT_INVALID_DATA, "features[%u].name: \"%.*s\" is there twice", i,
                             TT_STR_ARG(features[i]));
        else if (tt_map_put(&seen, features[i], &seen) != TT_OK)
            status = tt_fail(err, TT_NO_MEMORY, "check %u features", count);
    }
    tt_map_done(&seen);
    return status;
}

static enum tt_status copy_names(struct tt_forest_model *model, const struct tt_str *features,
                                 uint32_t count, struct tt_error *err)
{
    struct tt_str *names = tt_arena_calloc(&model->arena, count, sizeof(*names));

    for (uint32_t i = 0; names != NULL && i < count; i++) {
        names[i] = tt_arena_copy(&model->arena, features[i]);
        if (names[i].data == NULL)
            names = NULL;
    }
    model->features = names;
    return names == NULL ? tt_fail(err, TT_NO_MEMORY, "copy %u names", count) : TT_OK;
}

enum tt_status tt_forest_model_make(struct tt_forest *forest, const struct tt_str *features,
                                    uint32_t count, uint64_t trained_at_ns,
                                    struct tt_forest_model **ret_model, struct tt_error *err)
{
    enum tt_status status = TT_OK;
    struct tt_forest_model *model;

    *ret_model = NULL;
    if (count != tt_forest_columns(forest))
        return tt_fail(err, TT_INVALID_DATA, "features: %u names for %u columns", count,
                       tt_forest_columns(forest));
    for (uint32_t i = 0; status == TT_OK && i < count; i++)
        status = check_name(features[i], i, err);
    if (status == TT_OK)
        status = check_unique(features, count, err);
    if (status != TT_OK)
        return status;
    model = tt_calloc(1, sizeof(*model));
    if (model == NULL)
        return tt_fail(err, TT_NO_MEMORY, "make a model");
    tt_arena_init(&model->arena, 0, 0);
    model->forest = tt_forest_ref(forest);
    model->schema = tt_schema_hash(features, count);
    model->trained_at_ns = trained_at_ns;
    status = copy_names(model, features, count, err);
    if (status == TT_OK)
        *ret_model = model;
    else
        tt_forest_model_free(model);
    return status;
}

void tt_forest_model_free(struct tt_forest_model *model)
{
    if (model == NULL)
        return;
    tt_forest_unref(model->forest);
    tt_arena_done(&model->arena);
    tt_free(model);
}

enum tt_status tt_forest_model_check(const struct tt_forest_model *model,
                                     const struct tt_str *features, uint32_t count,
                                     struct tt_error *err)
{
    uint32_t columns = tt_forest_columns(model->forest);

    for (uint32_t i = 0; i < count && i < columns; i++)
        if (!tt_str_equal(features[i], model->features[i]))
            return tt_fail(
                err, TT_INVALID_DATA,
                "the model was trained on other features: column %u is \"%.*s\", in the model "
                "\"%.*s\"",
                i + 1,
                TT_STR_ARG(
                    tt_str_of(features[i].data, features[i].len < 64 ? features[i].len : 64)),
                TT_STR_ARG(model->features[i]));
    if (count != columns)
        return tt_fail(err, TT_INVALID_DATA,
                       "the model was trained on other features: %u columns, in the model %u",
                       count, columns);
    return TT_OK;
}

/* ---- files ---- */

static enum tt_status write_file(const char *path, struct tt_str text, struct tt_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    enum tt_status status;

    if (fd < 0)
        return tt_fail_errno(err, "create %s", path);
    status = tt_write_all(fd, text, err);
    if (status == TT_OK && fsync(fd) != 0)
        status = tt_fail_errno(err, "write %s", path);
    if (close(fd) != 0 && status == TT_OK)
        status = tt_fail_errno(err, "close %s", path);
    return status;
}

enum tt_status tt_forest_model_save(const struct tt_forest_model *model, const char *path,
                                    struct tt_error *err)
{
    struct tt_buffer text, temporary;
    enum tt_status status;

    tt_buffer_init(&text, TT_MODEL_MAX_BYTES);
    tt_buffer_init(&temporary, 4096);
    tt_buffer_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    tt_buffer_append_byte(&temporary, '\0');
    status = tt_buffer_check(&temporary, "name a temporary file", err);
    if (status == TT_OK)
        status = tt_forest_model_write(model, &text, err);
    if (status == TT_OK) {
        status = write_file(temporary.data, tt_buffer_view(&text), err);
        if (status == TT_OK && rename(temporary.data, path) != 0)
            status = tt_fail_errno(err, "rename %s to %s", temporary.data, path);
        if (status != TT_OK)
            (void)unlink(temporary.data);
    }
    tt_buffer_done(&text);
    tt_buffer_done(&temporary);
    return status;
}

static enum tt_status read_file(int fd, struct tt_buffer *text, struct tt_error *err)
{
    for (;;) {
        char *to = tt_buffer_reserve(text, 65536);
        ssize_t got;
        if (to == NULL)
            return tt_buffer_check(text, "read a model", err);
        got = read(fd, to, 65536);
        if (got == 0)
            return TT_OK;
        if (got > 0)
            text->len += (size_t)got;
        else if (errno != EINTR)
            return tt_fail_errno(err, "read a model");
    }
}

enum tt_status tt_forest_model_load(const char *path, struct tt_forest_model **ret_model,
                                    struct tt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct tt_buffer text;
    enum tt_status status;

    *ret_model = NULL;
    if (fd < 0)
        return tt_fail_errno(err, "open %s", path);
    /* One read more than the limit, so that a file just under it fits. */
    tt_buffer_init(&text, TT_MODEL_MAX_BYTES + 65536);
    status = read_file(fd, &text, err);
    (void)close(fd);
    if (status == TT_OK)
        status = tt_forest_model_read(tt_buffer_view(&text), ret_model, err);
    tt_buffer_done(&text);
    if (status != TT_OK)
        tt_error_prefix(err, "%s", path);
    return status;
}
