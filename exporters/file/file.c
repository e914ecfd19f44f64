/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer_pool.h"
#include "base/clock.h"
#include "exporters/file/output.h"
#include "net/inflate.h"
#include "otlp/encode.h"
#include "otlp/json.h"
#include "pipeline/component.h"

#include <pthread.h>

#define MIB (INT64_C(1) << 20)

/* ---- options ---- */

struct rotation_config {
    int64_t max_megabytes, max_days, max_backups;
    bool localtime;
    tt_dur interval;
    bool present;
};
static const struct tt_field rotation_fields[] = {
    {TT_INT(struct rotation_config, max_megabytes), .def = "100", .min = 1, .max = 1 << 20,
     .doc = "Size in MiB that the active file does not pass; it is rotated before."},
    {TT_INT(struct rotation_config, max_days), .def = "0", .min = 0, .max = 36500,
     .doc = "Backups older than this many days are removed; 0 keeps them."},
    {TT_INT(struct rotation_config, max_backups), .def = "100", .min = 0, .max = 9999,
     .doc = "How many backups are kept; 0 keeps all."},
    {TT_BOOL(struct rotation_config, localtime), .def = "false",
     .doc = "Put local time instead of UTC into the names of backups."},
    {TT_DURATION(struct rotation_config, interval), .def = "0s", .min = 0, .max = 3.2e18,
     .doc = "Rotate a file that is older than this, at the next write; 0s never does."},
};
static const struct tt_schema rotation_schema = TT_SCHEMA(struct rotation_config, rotation_fields);

struct compression_params_config {
    int64_t level;
};
static const struct tt_field compression_params_fields[] = {
    {TT_INT(struct compression_params_config, level), .def = "0", .min = 0, .max = 22,
     .doc = "Level of zstd; 0 is the library's default."},
};
static const struct tt_schema compression_params_schema =
    TT_SCHEMA(struct compression_params_config, compression_params_fields);

enum { FORMAT_JSON, FORMAT_PROTO };
static const char *const formats[] = {"json", "proto", NULL};
enum { COMPRESSION_NONE, COMPRESSION_ZSTD };
static const char *const compressions[] = {"none", "zstd", NULL};

struct file_config {
    const char *path;
    bool append;
    struct rotation_config rotation;
    int format, compression;
    struct compression_params_config compression_params;
    tt_dur flush_interval;
    bool create_directory;
    const char *directory_permissions;
    size_t max_line_bytes;
};
static const struct tt_field file_fields[] = {
    {TT_STRING(struct file_config, path), .flags = TT_CONFIG_REQUIRED | TT_CONFIG_PATH,
     .doc = "Where to write; a device such as /dev/stdout is allowed."},
    {TT_BOOL(struct file_config, append), .def = "true",
     .doc =
         "Go on at the end of a file that is there; false moves that file to a backup, it is never truncated."},
    {TT_OPTIONAL_OBJECT(struct file_config, rotation), .sub = &rotation_schema,
     .doc = "Rotate the file; the key alone switches it on with its defaults."},
    {TT_ENUM(struct file_config, format), .def = "json", .choices = formats,
     .doc =
         "json: one OTLP/JSON object a line; proto: 4 bytes of big-endian length, then the protobuf message."},
    {TT_ENUM(struct file_config, compression), .def = "none", .choices = compressions,
     .doc = "zstd: the file is a sequence of zstd frames, which the zstd tool reads."},
    {TT_OBJECT(struct file_config, compression_params), .sub = &compression_params_schema,
     .doc = "How to compress."},
    {TT_DURATION(struct file_config, flush_interval), .def = "1s", .min = 0, .max = 3.2e18,
     .doc = "Accepted for compatibility: nothing is buffered, every batch is written at once."},
    {TT_BOOL(struct file_config, create_directory), .def = "false",
     .doc = "Make the directory of path when it is missing."},
    {TT_STRING(struct file_config, directory_permissions), .def = "0755",
     .doc = "Permissions, in octal, of a directory that is made."},
    {TT_SIZE(struct file_config, max_line_bytes), .def = "900KiB", .min = 4096, .max = 1 << 30,
     .doc =
         "A batch whose line would be longer is split over several lines; a row larger than this still gets a line."},
};
static const struct tt_schema file_schema = TT_SCHEMA(struct file_config, file_fields);

/* ---- the exporter ---- */

/* A batch is formatted outside the lock up to here; what is left is formatted while the file is held. */
#define FORMAT_AHEAD ((size_t)2 << 20)
#define MAX_BUFFER   ((size_t)1 << 30)
#define KEEP_BUFFER  ((size_t)4 << 20)

enum { METER_BYTES, METER_ROTATIONS, METER_TORN, METER_COUNT };
static const struct tt_meter_desc file_meters[] = {
    {"telltale_file_written_bytes", "By", "Bytes that a file exporter has written.", TT_COUNTER},
    {"telltale_file_rotations", "{file}", "Files that a file exporter has rotated.", TT_COUNTER},
    {"telltale_file_torn_bytes", "By",
     "Bytes of half records, left by a crash, that were cut off at a start.", TT_COUNTER},
    {.name = NULL},
};

struct file {
    const struct file_config *config;
    struct tt_host *host;
    struct file_output_options options;
    struct tt_buffer_pool buffers;
    struct tt_meter *meters[METER_COUNT];
    pthread_mutex_t mu;
    struct file_output output;          /* guarded by mu */
    uint64_t told_torn, told_rotations; /* guarded by mu */
};

static enum tt_status file_validate(const void *config, struct tt_error *err)
{
    const struct file_config *file = config;
    mode_t mode;

    if (file->path[0] == '\0')
        return tt_fail(err, TT_INVALID_CONFIG, "path must be non-empty");
    if (!tt_mode_parse(tt_str(file->directory_permissions), &mode))
        return tt_fail(err, TT_INVALID_CONFIG,
                       "directory_permissions: \"%s\" is not an octal mode; write e.g. \"0755\"",
                       file->directory_permissions);
    return TT_OK;
}

static struct file_output_options output_options(const struct file_config *config)
{
    struct file_output_options options = {
        .path = config->path,
        .layout = config->compression == COMPRESSION_ZSTD ? FILE_ZSTD
                  : config->format == FORMAT_PROTO        ? FILE_PREFIXED
                                                          : FILE_LINES,
        .append = config->append,
    };

    if (config->rotation.present) {
        options.max_bytes = (uint64_t)(config->rotation.max_megabytes * MIB);
        options.interval_ns = config->rotation.interval;
        options.retention = (struct file_retention){
            .max_backups = config->rotation.max_backups,
            .max_days = config->rotation.max_days,
            .local = config->rotation.localtime,
        };
    }
    return options;
}

static enum tt_status file_create(const struct tt_create_args *args, void **ret_self,
                                  struct tt_error *err)
{
    struct tt_label label = {"exporter", tt_str(args->id)};
    struct file *file = tt_calloc(1, sizeof(*file));

    if (file == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create exporter %s", args->id);
    file->config = args->config;
    file->host = args->host;
    file->options = output_options(args->config);
    file_output_init(&file->output, &file->options);
    tt_buffer_pool_init(&file->buffers, MAX_BUFFER, KEEP_BUFFER);
    pthread_mutex_init(&file->mu, NULL);
    for (size_t i = 0; i < METER_COUNT; i++)
        file->meters[i] = tt_meters_get(args->host->meters, &file_meters[i], &label, 1);
    *ret_self = file;
    return TT_OK;
}

static enum tt_status make_directory(const struct file_config *config, struct tt_error *err)
{
    const char *slash = strrchr(config->path, '/');
    TT_CLEANUP(tt_freep) char *dir = NULL;
    mode_t mode;

    if (!config->create_directory || slash == NULL || slash == config->path)
        return TT_OK;
    dir = tt_strdup(tt_str_of(config->path, (size_t)(slash - config->path)));
    if (dir == NULL)
        return tt_fail(err, TT_NO_MEMORY, "create directory of %s", config->path);
    (void)tt_mode_parse(tt_str(config->directory_permissions), &mode);
    return tt_make_directories(dir, mode, err);
}

/* Carries the output's counts over to the meters. The mutex is held. */
static void tell(struct file *file)
{
    struct file_output *output = &file->output;

    if (output->torn_bytes != file->told_torn) {
        tt_log_warn(&file->host->log, "cut off half a record that a crash had left",
                    TT_FIELD_TEXT("path", file->config->path),
                    TT_FIELD_INT("bytes", output->torn_bytes - file->told_torn));
        tt_meter_add(file->meters[METER_TORN], (int64_t)(output->torn_bytes - file->told_torn));
        file->told_torn = output->torn_bytes;
    }
    tt_meter_add(file->meters[METER_ROTATIONS],
                 (int64_t)(output->rotations - file->told_rotations));
    file->told_rotations = output->rotations;
}

static enum tt_status file_start(void *self, struct tt_error *err)
{
    struct file *file = self;
    enum tt_status status = make_directory(file->config, err);

    if (status != TT_OK)
        return status;
    pthread_mutex_lock(&file->mu);
    status = file_output_open(&file->output, tt_clock_wall(file->host->clock), err);
    tell(file);
    pthread_mutex_unlock(&file->mu);
    return status;
}

/* ---- formatting ---- */

/* What is left to be written of one batch. */
struct work {
    const struct tt_batch *batch;
    struct tt_json_range range;
    struct tt_buffer plain, packed; /* packed: with compression */
    bool done;
};

static void begin_work(struct file *file, const struct tt_batch *batch, struct work *work)
{
    *work = (struct work){
        .batch = batch,
        .range = {.soft_limit = file->config->max_line_bytes},
        .plain = tt_buffer_pool_get(&file->buffers),
    };
    if (file->config->compression == COMPRESSION_NONE)
        tt_buffer_init(&work->packed, MAX_BUFFER);
    else
        work->packed = tt_buffer_pool_get(&file->buffers);
}

static void end_work(struct file *file, struct work *work)
{
    tt_buffer_pool_put(&file->buffers, &work->plain);
    tt_buffer_pool_put(&file->buffers, &work->packed);
}

/* Sets done when no row is left that would be written. */
static void format_lines(struct work *work)
{
    while (work->plain.len < FORMAT_AHEAD && work->plain.failed == TT_OK) {
        uint32_t next = work->range.next;
        if (tt_batch_next(work->batch, &next) == NULL) {
            work->done = true;
            return;
        }
        work->range.first = work->range.next;
        tt_json_write(work->batch, &work->range, &work->plain);
        tt_buffer_append_byte(&work->plain, '\n');
    }
}

static void format_message(struct work *work)
{
    uint32_t len;

    tt_buffer_append(&work->plain, "\0\0\0\0", 4);
    tt_encode_request(work->batch, &work->plain);
    work->done = true;
    if (work->plain.failed != TT_OK)
        return;
    len = (uint32_t)work->plain.len - 4; /* MAX_BUFFER fits */
    for (unsigned i = 0; i < 4; i++)
        work->plain.data[i] = (char)(uint8_t)(len >> (24 - 8 * i));
}

/* Formats the next piece: at least one record unless done; *ret_records views it. */
static enum tt_status format_piece(struct file *file, struct work *work, struct tt_str *ret_records,
                                   struct tt_error *err)
{
    enum tt_status status;

    tt_buffer_clear(&work->plain);
    if (file->config->format == FORMAT_PROTO)
        format_message(work);
    else
        format_lines(work);
    *ret_records = tt_buffer_view(&work->plain);
    status = tt_buffer_check(&work->plain, "format a batch", err);
    if (status != TT_OK || file->config->compression == COMPRESSION_NONE || ret_records->len == 0)
        return status;
    tt_buffer_clear(&work->packed);
    status = tt_compress(TT_ENCODING_ZSTD, (int)file->config->compression_params.level,
                         *ret_records, &work->packed, err);
    *ret_records = tt_buffer_view(&work->packed);
    return status;
}

/* ---- writing ---- */

/* A directory that somebody removed is made again where it was ours to make. */
static enum tt_status prepare(struct file *file, size_t more, uint64_t wall_ns,
                              struct tt_error *err)
{
    enum tt_status status = file_output_prepare(&file->output, more, wall_ns, err);

    if (status != TT_NOT_FOUND || !file->config->create_directory)
        return status;
    status = make_directory(file->config, err);
    return status != TT_OK ? status : file_output_prepare(&file->output, more, wall_ns, err);
}

/* Appends the first piece and all that follow; takes all of them back when one fails. The mutex is held. */
static enum tt_status append_pieces(struct file *file, struct work *work, struct tt_str piece,
                                    struct tt_error *err)
{
    uint64_t wall_ns = tt_clock_wall(file->host->clock), written = 0;
    enum tt_status status = prepare(file, piece.len, wall_ns, err);

    while (status == TT_OK) {
        status = file_output_append(&file->output, piece, err);
        if (status != TT_OK)
            break;
        written += piece.len;
        if (work->done) {
            tt_meter_add(file->meters[METER_BYTES], (int64_t)written);
            return TT_OK;
        }
        status = format_piece(file, work, &piece, err);
    }
    if (written > 0)
        file_output_undo(&file->output, written);
    return status;
}

static enum tt_status write_batch(struct file *file, const struct tt_batch *batch,
                                  struct tt_error *err)
{
    struct work work;
    struct tt_str piece;
    enum tt_status status;

    if (tt_batch_live_rows(batch) == 0)
        return TT_OK;
    begin_work(file, batch, &work);
    status = format_piece(file, &work, &piece, err);
    if (status == TT_OK && piece.len > 0) {
        pthread_mutex_lock(&file->mu);
        status = append_pieces(file, &work, piece, err);
        tell(file);
        pthread_mutex_unlock(&file->mu);
    }
    end_work(file, &work);
    return status;
}

static enum tt_status file_consume(void *self, struct tt_batch **batch, struct tt_error *err)
{
    enum tt_status status = write_batch(self, *batch, err);

    tt_batch_unref(TT_TAKE(*batch));
    return status;
}

static enum tt_status file_shutdown(void *self, tt_dur deadline, struct tt_error *err)
{
    struct file *file = self;

    (void)deadline, (void)err; /* every batch was written when it came */
    pthread_mutex_lock(&file->mu);
    file_output_close(&file->output);
    pthread_mutex_unlock(&file->mu);
    return TT_OK;
}

static void file_destroy(void *self)
{
    struct file *file = self;

    if (file == NULL)
        return;
    file_output_close(&file->output);
    tt_buffer_pool_done(&file->buffers);
    pthread_mutex_destroy(&file->mu);
    tt_free(file);
}

static const struct tt_component_ops file_ops = {
    .validate = file_validate,
    .create = file_create,
    .start = file_start,
    .consume = file_consume,
    .shutdown = file_shutdown,
    .destroy = file_destroy,
};

extern const struct tt_component tt_exporter_file;
const struct tt_component tt_exporter_file = {
    .type = "file",
    .kind = TT_EXPORTER,
    .stability = TT_ALPHA,
    .signals = TT_ALL_SIGNALS,
    .doc = "Writes OTLP as JSON lines or length-prefixed protobuf to a file, with rotation.",
    .schema = &file_schema,
    .meters = file_meters,
    .ops = &file_ops,
};
