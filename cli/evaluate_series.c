/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/save.h"
#include "cli/series_report.h"

#include <unistd.h>

#define MAX_OUT ((size_t)64 << 20)

static const char *const precision_names[] = {"light", "full", NULL};

/* "speed_6005": as label windows name a series. */
static struct tt_str series_name(const char *path)
{
    static const char *const suffixes[] = {".gz", ".zst", ".csv"};
    struct tt_str name = tt_file_name(tt_str(path));

    for (size_t i = 0; i < TT_LENGTH(suffixes); i++)
        if (tt_str_ends_with(name, tt_str(suffixes[i])))
            name.len -= strlen(suffixes[i]);
    return name;
}

static enum tt_status save_plot(const struct tt_series_report *report, const char *path,
                                struct tt_error *err)
{
    struct tt_buffer svg;
    enum tt_status status;

    tt_buffer_init(&svg, MAX_OUT);
    status = tt_series_report_draw(report, &svg, err);
    if (status == TT_OK)
        status = tt_save_file(path, &svg, err);
    tt_buffer_done(&svg);
    return status;
}

static enum tt_status print_text(const struct tt_series_report *report, struct tt_error *err)
{
    struct tt_buffer out;
    enum tt_status status = TT_OK;

    tt_buffer_init(&out, MAX_OUT);
    tt_series_report_text(report, &out);
    if (tt_cli_print(&out) != TT_EXIT_DONE)
        status = tt_fail(err, TT_IO, "print the report");
    tt_buffer_done(&out);
    return status;
}

static enum tt_status evaluate(const struct tt_args *args, struct tt_series_report *report,
                               struct tt_error *err)
{
    const char *windows = tt_args_text(args, "windows"), *plot = tt_args_text(args, "plot");
    enum tt_status status = tt_series_report_make(report, err);

    if (status == TT_OK && windows != NULL)
        status =
            tt_series_report_label(report, windows, series_name(tt_args_text(args, "data")), err);
    if (status == TT_OK && plot != NULL)
        status = save_plot(report, plot, err);
    if (status != TT_OK)
        return status;
    return tt_args_flag(args, "json") ? tt_series_report_write_json(report, STDOUT_FILENO, err)
                                      : print_text(report, err);
}

static int run(const struct tt_args *args, const struct tt_series_options *options)
{
    const char *path = tt_args_text(args, "data");
    struct tt_series_report report = {.name = tt_file_name(tt_str(path)),
                                      .options = *options,
                                      .seed = tt_args_count(args, "seed")};
    struct tt_series_file file;
    struct tt_error err;
    enum tt_status status;

    if (tt_series_file_read(path, tt_args_text(args, "time-column"),
                            tt_args_text(args, "value-column"), &file, &err) != TT_OK)
        return tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    report.file = &file;
    status = evaluate(args, &report, &err);
    tt_series_report_done(&report);
    tt_series_file_done(&file);
    return status == TT_OK ? TT_EXIT_DONE : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
}

static int evaluate_series(const struct tt_args *args)
{
    struct tt_series_options options = tt_series_options_default();
    size_t precision = tt_args_choice(args, "precision");
    struct tt_error err;

    if (!tt_args_is_given(args, "data"))
        return tt_cli_fail(TT_EXIT_USAGE, "evaluate series needs --data FILE");
    options.precision = (enum tt_series_precision)precision;
    options.threshold = (float)tt_args_number(args, "threshold");
    if (!tt_zone_offset_parse(tt_str(tt_args_text(args, "timezone-offset")), &options.utc_offset_s))
        return tt_cli_fail(TT_EXIT_USAGE,
                           "--timezone-offset: \"%s\" is none; write e.g. +02:00, -05:30 or Z",
                           tt_args_text(args, "timezone-offset"));
    if (tt_series_options_check(&options, &err) != TT_OK)
        return tt_cli_fail(TT_EXIT_USAGE, "%s", err.message);
    return run(args, &options);
}

static const struct tt_option options[] = {
    TT_SERIES_FILE_OPTIONS,
    {.name = "precision",
     .argument = "TIER",
     .type = TT_OPTION_CHOICE,
     .choices = precision_names,
     .def = "full",
     .doc = "full: a forest for each series; light: 4 KB and a third of a microsecond."},
    {.name = "threshold",
     .argument = "SCORE",
     .type = TT_OPTION_NUMBER,
     .def = "0.5",
     .doc = "From which score on a point is an alarm, above 0 to 1."},
    {.name = "timezone-offset",
     .argument = "OFFSET",
     .type = TT_OPTION_TEXT,
     .def = "Z",
     .doc = "Where the series lives, as +02:00: hours and weekdays of its seasons are local."},
    {.name = "seed",
     .argument = "N",
     .type = TT_OPTION_COUNT,
     .def = "1",
     .doc = "Where chance begins; the same seed gives the same scores everywhere."},
    {.name = "windows",
     .argument = "FILE",
     .type = TT_OPTION_FILE,
     .doc =
         "Label windows, as NAB's combined_windows.json or a list with start, end and type: shaded in the picture, counted in the text."},
    {.name = "plot",
     .argument = "FILE.svg",
     .type = TT_OPTION_FILE,
     .doc = "Draw the series with its bands, its alarms and its score."},
    {.name = "json",
     .type = TT_OPTION_FLAG,
     .doc =
         "Write one JSON object a point: timestamp, value, score, level, lower_band, upper_band, alarm, reason."},
};

extern const struct tt_command tt_command_evaluate_series;
const struct tt_command tt_command_evaluate_series = {
    .name = "evaluate series",
    .summary = "Run the series detector over one series and show what it saw.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Points are scored one by one in the order of the file, each by what came before it. A cell without a number is not scored; a point that is not later than the newest is scored, but "
        "not learnt and never an alarm. Times without a zone are UTC. Windows concern the series when they name no service, or its file name without .csv.",
    .run = evaluate_series,
};
