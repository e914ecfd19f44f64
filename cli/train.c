/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/evaluate.h"
#include "cli/training.h"
#include "model/forest_model.h"
#include "otlp/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { MAX_LEFT_OUT_SHOWN = 12, MAX_FILES = 256 };

/* ---- what is told ---- */

static void put_json(const struct tt_training *training, const struct tt_forest_model *model,
                     const char *path, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("{\"model\":"));
    tt_json_write_text(tt_str(path), out);
    tt_evaluate_put_count(out, "rows", training->rows_read);
    tt_evaluate_put_count(out, "rejected_rows", training->rows_rejected);
    tt_evaluate_put_count(out, "sampled_rows", training->rows.count);
    tt_evaluate_put(out, "threshold", (double)tt_forest_threshold(model->forest));
    tt_buffer_printf(out, ",\"schema\":\"%016" PRIx64 "\",\"features\":[", model->schema);
    for (uint32_t i = 0; i < training->rows.columns; i++) {
        tt_buffer_append_str(out, i > 0 ? TT_STR(",") : TT_STR(""));
        tt_json_write_text(training->names[i], out);
    }
    tt_buffer_append_str(out, TT_STR("],\"left_out\":{"));
    for (uint32_t i = 0; i < training->n_left_out; i++) {
        tt_buffer_append_str(out, i > 0 ? TT_STR(",") : TT_STR(""));
        tt_json_write_text(training->left_out[i].column, out);
        tt_buffer_append_byte(out, ':');
        tt_json_write_text(tt_str(training->left_out[i].why), out);
    }
    tt_buffer_append_str(out, TT_STR("}}\n"));
}

static void put_text(const struct tt_training *training, const struct tt_forest_model *model,
                     const char *path, struct tt_buffer *out)
{
    uint32_t shown =
        training->n_left_out < MAX_LEFT_OUT_SHOWN ? training->n_left_out : MAX_LEFT_OUT_SHOWN;

    tt_buffer_printf(out, "%s: %u feature%s from %" PRIu64 " row%s", path, training->rows.columns,
                     tt_plural(training->rows.columns), training->rows_read,
                     tt_plural(training->rows_read));
    if (training->rows.count < training->rows_read)
        tt_buffer_printf(out, ", a random %zu of them", training->rows.count);
    if (training->rows_rejected > 0)
        tt_buffer_printf(out, "; %" PRIu64 " bad record%s left out", training->rows_rejected,
                         tt_plural(training->rows_rejected));
    tt_buffer_printf(out,
                     "; threshold %.4f\nlearnt from:", (double)tt_forest_threshold(model->forest));
    for (uint32_t i = 0; i < training->rows.columns && i < 64; i++)
        tt_buffer_printf(out, " %.*s", TT_STR_ARG(training->names[i]));
    tt_buffer_append_str(out, training->rows.columns > 64 ? TT_STR(" …\n") : TT_STR("\n"));
    for (uint32_t i = 0; i < shown; i++)
        tt_buffer_printf(out, "not learnt from: %.*s %s\n",
                         TT_STR_ARG(training->left_out[i].column), training->left_out[i].why);
    if (shown < training->n_left_out)
        tt_buffer_printf(out, "not learnt from: %u more (--json lists them)\n",
                         training->n_left_out - shown);
}

static int report(const struct tt_args *args, const struct tt_training *training,
                  const struct tt_forest_model *model)
{
    const char *path = tt_args_text(args, "out");
    struct tt_buffer out;
    int code;

    tt_buffer_init(&out, (size_t)64 << 20);
    if (tt_args_flag(args, "json"))
        put_json(training, model, path, &out);
    else
        put_text(training, model, path, &out);
    code = tt_cli_print(&out);
    tt_buffer_done(&out);
    return code;
}

/* ---- the work ---- */

/* SOURCE_DATE_EPOCH (reproducible-builds.org), in seconds, makes the model's bytes depend on data and options alone. */
static uint64_t now_ns(void)
{
    uint64_t seconds;

    if (tt_str_to_uint64(tt_str(getenv("SOURCE_DATE_EPOCH")), &seconds) &&
        seconds < UINT64_MAX / (uint64_t)TT_SECOND)
        return seconds * (uint64_t)TT_SECOND;
    return tt_clock_wall(tt_clock_system());
}

static enum tt_status make_model(const struct tt_args *args,
                                 const struct tt_forest_options *options,
                                 const struct tt_training *training,
                                 struct tt_forest_model **ret_model, struct tt_error *err)
{
    TT_CLEANUP(tt_forest_unrefp) struct tt_forest *forest = NULL;
    enum tt_status status = tt_forest_train(options, &training->rows, NULL,
                                            tt_args_count(args, "seed"), 0, &forest, err);

    if (status == TT_OK)
        status = tt_forest_model_make(forest, training->names, training->rows.columns, now_ns(),
                                      ret_model, err);
    if (status == TT_OK)
        status = tt_forest_model_save(*ret_model, tt_args_text(args, "out"), err);
    return status;
}

static enum tt_status check_args(const struct tt_args *args, struct tt_error *err)
{
    uint64_t rows = tt_args_count(args, "max-rows");

    if (!tt_args_is_given(args, "data"))
        return tt_fail(err, TT_INVALID_CONFIG, "train needs --data FILE…");
    if (!tt_args_is_given(args, "out"))
        return tt_fail(err, TT_INVALID_CONFIG, "train needs --out FILE");
    if (rows < 2 || rows > UINT32_MAX)
        return tt_fail(err, TT_INVALID_CONFIG, "--max-rows: %" PRIu64 " is not 2 to %u", rows,
                       UINT32_MAX);
    return TT_OK;
}

static int train(const struct tt_args *args)
{
    TT_CLEANUP(tt_forest_model_freep) struct tt_forest_model *model = NULL;
    struct tt_training_request request = {.args = args,
                                          .max_rows = (uint32_t)tt_args_count(args, "max-rows"),
                                          .seed = tt_args_count(args, "seed")};
    struct tt_training training = {0};
    struct tt_forest_options options;
    struct tt_error err;
    enum tt_status status = check_args(args, &err);
    int code;

    if (status == TT_OK)
        status = tt_training_forest(args, &options, &err);
    if (status == TT_OK)
        status = tt_training_read(&request, &training, &err);
    if (status == TT_OK)
        status = make_model(args, &options, &training, &model, &err);
    if (status == TT_OK)
        code = report(args, &training, model);
    else
        code = tt_cli_fail(status == TT_INVALID_CONFIG ? TT_EXIT_USAGE : TT_EXIT_FAILED, "%s",
                           err.message);
    tt_training_done(&training);
    return code;
}

static const struct tt_option options[] = {
    {.name = "data",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "CSV with a header line: plain, gzip or zstd. May be repeated; operands are more "
            "files."},
    {.name = "out",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc = "The model, a JSON file; replaced when it is complete."},
    TT_TRAINING_OPTIONS,
    {.name = "max-rows",
     .argument = "ROWS",
     .type = TT_OPTION_COUNT,
     .def = TT_TRAINING_ROWS,
     .doc = "Train on a random sample of so many rows when there are more (and at most on what "
            "256 MiB hold)."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "End with one JSON object instead of text."},
};

extern const struct tt_command tt_command_train;
const struct tt_command tt_command_train = {
    .name = "train",
    .summary = "Train an isolation forest on CSV files.",
    .operands = "[FILE]…",
    .max_operands = MAX_FILES,
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Learns from all columns with numbers, but for labels, scores, captured headers, baggage, "
        "ids, times and file names; of a number in several units (duration_ns, duration_ms) the "
        "first column counts. Texts among numbers count as missing; records that do not fit "
        "the header are left out and told. Reads each file once; memory does not grow with the "
        "files. With SOURCE_DATE_EPOCH set, the same data, options and seed give the same bytes.",
    .run = train,
};
