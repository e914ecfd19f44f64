/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/forecast.h"

#include "cli/chart.h"
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "cli/progress.h"
#include "cli/save.h"
#include "cli/series_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY         (24 * 3600 * TT_SECOND)
#define MAX_HORIZON 4096
#define MAX_OUT     ((size_t)4 << 30)
#define AT_ONCE     TT_FORECAST_MAX_HORIZONS
#define SHOWN_STEPS 3 /* of the past in a picture, in horizons */

/* One line of the output: a point of the series or of the future. */
struct row {
    int64_t time_ns;
    double y, yhat, lower, upper; /* NaN: not there */
};

struct prediction {
    const struct tt_args *args;
    struct tt_series_file file;
    struct tt_forecast_options options;
    uint32_t horizon; /* steps */
    struct row *rows; /* the file's points, then the horizon's */
    size_t count;
};

/* ---- forecasting ---- */

/* What the point itself was expected to be, one step before it. */
static void put_history(struct row *row, const struct tt_forecast *state, int64_t step_ns)
{
    struct tt_forecast_point point;

    tt_forecast_at(state, 0, &point);
    if (!isfinite(point.yhat) || llabs((long long)(row->time_ns - point.time_ns)) >= step_ns)
        return;
    row->yhat = point.yhat;
    row->lower = point.lower[0];
    row->upper = point.upper[0];
}

/* Runs over the series once, for the horizons from `from` on; the first run also keeps what was expected of every point. */
static enum tt_status run_over(struct prediction *prediction, uint32_t from, struct tt_error *err)
{
    struct tt_forecast_options options = prediction->options;
    const struct tt_series_file *file = &prediction->file;
    struct tt_forecast *state;
    void *memory;

    options.horizons = 0;
    while (options.horizons < AT_ONCE && from + options.horizons <= prediction->horizon) {
        options.horizon[options.horizons] = from + options.horizons;
        options.horizons++;
    }
    memory = tt_malloc(tt_forecast_size(&options));
    if (memory == NULL)
        return tt_fail(err, TT_NO_MEMORY, "forecast");
    state = tt_forecast_init(memory, &options);
    for (size_t i = 0; i < file->count; i++) {
        if (from == 1 && i > 0)
            put_history(&prediction->rows[i], state, options.step_ns);
        (void)tt_forecast_push(state, file->time_ns[i], file->values[i]);
    }
    for (uint32_t k = 0; k < options.horizons; k++) {
        struct row *row = &prediction->rows[file->count + from - 1 + k];
        struct tt_forecast_point point;
        tt_forecast_at(state, k, &point);
        *row = (struct row){point.time_ns, (double)NAN, point.yhat, point.lower[0], point.upper[0]};
    }
    tt_free(memory);
    return TT_OK;
}

static enum tt_status forecast_all(struct prediction *prediction, struct tt_error *err)
{
    const struct tt_series_file *file = &prediction->file;
    struct tt_progress progress;
    enum tt_status status = TT_OK;

    prediction->count = file->count + prediction->horizon;
    prediction->rows = tt_calloc(prediction->count, sizeof(*prediction->rows));
    if (prediction->rows == NULL)
        return tt_fail(err, TT_NO_MEMORY, "forecast %zu points", prediction->count);
    for (size_t i = 0; i < file->count; i++)
        prediction->rows[i] =
            (struct row){file->time_ns[i], file->values[i], (double)NAN, (double)NAN, (double)NAN};
    tt_progress_start(&progress, "forecasting", "steps");
    for (uint32_t from = 1; from <= prediction->horizon && status == TT_OK; from += AT_ONCE) {
        status = run_over(prediction, from, err);
        tt_progress_show(&progress, (double)from / prediction->horizon, from);
    }
    tt_progress_end(&progress);
    return status;
}

/* ---- output ---- */

static void put_time(struct tt_buffer *out, int64_t time_ns, bool json)
{
    int digits = time_ns % TT_SECOND == 0 ? 0 : time_ns % TT_MILLISECOND == 0 ? 3 : 9;
    char text[32];
    size_t len = tt_time_format((uint64_t)time_ns, digits, text);

    if (!json)
        text[10] = ' ';
    tt_buffer_append(out, text, json ? len : len - 1);
}

static void put_cell(struct tt_buffer *out, double value)
{
    tt_buffer_append_byte(out, ',');
    if (isfinite(value))
        tt_buffer_append_double(out, value);
}

static void put_csv(const struct prediction *prediction, struct tt_buffer *out)
{
    tt_buffer_append_str(out, TT_STR("ds,y,yhat,yhat_lower,yhat_upper\n"));
    for (size_t i = 0; i < prediction->count; i++) {
        const struct row *row = &prediction->rows[i];
        put_time(out, row->time_ns, false);
        put_cell(out, row->y);
        put_cell(out, row->yhat);
        put_cell(out, row->lower);
        put_cell(out, row->upper);
        tt_buffer_append_byte(out, '\n');
    }
}

static void put_json(const struct prediction *prediction, struct tt_buffer *out)
{
    for (size_t i = 0; i < prediction->count; i++) {
        const struct row *row = &prediction->rows[i];
        tt_buffer_append_str(out, TT_STR("{\"ds\":\""));
        put_time(out, row->time_ns, true);
        tt_buffer_append_byte(out, '"');
        tt_evaluate_put(out, "y", row->y);
        tt_evaluate_put(out, "yhat", row->yhat);
        tt_evaluate_put(out, "yhat_lower", row->lower);
        tt_evaluate_put(out, "yhat_upper", row->upper);
        tt_buffer_append_str(out, TT_STR("}\n"));
    }
}

/* ---- picture ---- */

struct columns {
    double *x, *y, *yhat, *lower, *upper;
    size_t count;
};

/* The future and a few times as much of the past. */
static bool fill_columns(const struct prediction *prediction, struct columns *columns)
{
    size_t past = (size_t)prediction->horizon * SHOWN_STEPS, first;

    past = past > 288 ? past : 288;
    first = prediction->file.count > past ? prediction->file.count - past : 0;
    columns->count = prediction->count - first;
    columns->x = tt_calloc(columns->count, 5 * sizeof(double));
    if (columns->x == NULL)
        return false;
    columns->y = columns->x + columns->count;
    columns->yhat = columns->y + columns->count;
    columns->lower = columns->yhat + columns->count;
    columns->upper = columns->lower + columns->count;
    for (size_t i = 0; i < columns->count; i++) {
        const struct row *row = &prediction->rows[first + i];
        columns->x[i] = (double)row->time_ns;
        columns->y[i] = row->y;
        columns->yhat[i] = row->yhat;
        columns->lower[i] = row->lower;
        columns->upper[i] = row->upper;
    }
    return true;
}

static enum tt_status draw(const struct prediction *prediction, const char *path,
                           struct tt_error *err)
{
    struct columns c = {0};
    struct tt_buffer out;
    enum tt_status status;
    char band[64], subtitle[96];

    if (!fill_columns(prediction, &c))
        return tt_fail(err, TT_NO_MEMORY, "draw %s", path);
    (void)snprintf(band, sizeof(band), "%.4g %% of the points are expected here",
                   100.0 * prediction->options.level[0]);
    (void)snprintf(subtitle, sizeof(subtitle), "the past one step ahead, then %u steps ahead",
                   prediction->horizon);
    const struct tt_chart_layer layers[] = {
        {.mark = TT_CHART_BAND,
         .name = tt_str(band),
         .color = TT_CHART_GREEN,
         .x = c.x,
         .y = c.lower,
         .y2 = c.upper,
         .count = c.count},
        {.mark = TT_CHART_LINE,
         .name = TT_STR("forecast"),
         .color = TT_CHART_GREEN,
         .x = c.x,
         .y = c.yhat,
         .count = c.count},
        {.mark = TT_CHART_LINE,
         .name = TT_STR("measured"),
         .color = TT_CHART_BLUE,
         .x = c.x,
         .y = c.y,
         .count = c.count},
    };
    const struct tt_chart_panel panel = {
        .y = {.label = TT_STR("value")}, .layers = layers, .n_layers = TT_LENGTH(layers)};
    const struct tt_chart chart = {
        .frame = {.title = tt_file_name(tt_str(tt_args_text(prediction->args, "data"))),
                  .subtitle = tt_str(subtitle)},
        .x = {.label = TT_STR("time, UTC"), .unit = TT_CHART_TIME_NS},
        .panels = &panel,
        .n_panels = 1,
        .has_tooltips = true,
    };

    tt_buffer_init(&out, (size_t)64 << 20);
    tt_chart_svg(&chart, &out);
    status = tt_save_file(path, &out, err);
    tt_buffer_done(&out);
    tt_free(c.x);
    return status;
}

/* ---- the command ---- */

/* Whole steps of a day and of a week, each when the series has seen two of them. */
static void choose_seasons(struct prediction *prediction, int64_t step_ns)
{
    const struct tt_series_file *file = &prediction->file;
    const int64_t lengths[] = {DAY, 7 * DAY};
    int64_t span = file->time_ns[file->count - 1] - file->time_ns[0];
    size_t found = 0;

    prediction->options.season[0] = prediction->options.season[1] = 0;
    for (size_t i = 0; i < TT_LENGTH(lengths); i++) {
        int64_t steps = lengths[i] / step_ns;
        if (lengths[i] % step_ns == 0 && steps >= 2 && steps <= TT_FORECAST_MAX_SEASON &&
            span >= 2 * lengths[i])
            prediction->options.season[found++] = (uint32_t)steps;
    }
}

static enum tt_status prepare(struct prediction *prediction, struct tt_error *err)
{
    const char *path = tt_args_text(prediction->args, "data");
    enum tt_status status =
        tt_series_file_read(path, tt_args_text(prediction->args, "time-column"),
                            tt_args_text(prediction->args, "value-column"), &prediction->file, err);
    int64_t step_ns;

    if (status != TT_OK)
        return status;
    step_ns = tt_series_file_step(&prediction->file);
    if (tt_args_is_given(prediction->args, "step"))
        step_ns = tt_args_duration(prediction->args, "step");
    if (step_ns <= 0)
        return tt_fail(err, TT_INVALID_DATA,
                       "%s: no step between points to be seen; it needs two points, or --step",
                       path);
    if (prediction->file.count == 0)
        return tt_fail(err, TT_INVALID_DATA, "%s: no points to forecast from", path);
    prediction->options.step_ns = step_ns;
    prediction->options.horizon[0] = prediction->options.horizons = 1;
    if (!tt_args_flag(prediction->args, "no-seasons"))
        choose_seasons(prediction, step_ns);
    return tt_forecast_options_check(&prediction->options, err);
}

static enum tt_status print(const struct prediction *prediction, struct tt_error *err)
{
    const char *plot = tt_args_text(prediction->args, "plot");
    enum tt_status status = plot == NULL ? TT_OK : draw(prediction, plot, err);
    struct tt_buffer out;

    if (status != TT_OK)
        return status;
    tt_buffer_init(&out, MAX_OUT);
    if (tt_args_flag(prediction->args, "json"))
        put_json(prediction, &out);
    else
        put_csv(prediction, &out);
    if (tt_cli_print(&out) != TT_EXIT_DONE)
        status = tt_fail(err, TT_IO, "print the forecast");
    tt_buffer_done(&out);
    return status;
}

static int forecast(const struct tt_args *args)
{
    struct prediction prediction = {.args = args, .options = tt_forecast_options_default()};
    uint64_t horizon = tt_args_count(args, "horizon");
    double level = tt_args_number(args, "level");
    struct tt_error err;
    enum tt_status status;

    if (!tt_args_is_given(args, "data"))
        return tt_cli_fail(TT_EXIT_USAGE, "forecast needs --data FILE");
    if (horizon < 1 || horizon > MAX_HORIZON)
        return tt_cli_fail(TT_EXIT_USAGE, "--horizon: 1 to %d steps", MAX_HORIZON);
    if (!(level >= 1.0 && level <= 99.9))
        return tt_cli_fail(TT_EXIT_USAGE, "--level: 1 to 99.9 percent");
    prediction.horizon = (uint32_t)horizon;
    prediction.options.levels = 1;
    prediction.options.level[0] = level / 100.0;
    status = prepare(&prediction, &err);
    if (status == TT_OK)
        status = forecast_all(&prediction, &err);
    if (status == TT_OK)
        status = print(&prediction, &err);
    tt_free(prediction.rows);
    tt_series_file_done(&prediction.file);
    return status == TT_OK ? TT_EXIT_DONE : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
}

static const struct tt_option options[] = {
    TT_SERIES_FILE_OPTIONS,
    {.name = "horizon",
     .argument = "STEPS",
     .type = TT_OPTION_COUNT,
     .def = "12",
     .doc = "How many steps after the last point."},
    {.name = "step",
     .argument = "DURATION",
     .type = TT_OPTION_DURATION,
     .doc = "Time from one point to the next; else what most neighbours have."},
    {.name = "level",
     .argument = "PERCENT",
     .type = TT_OPTION_NUMBER,
     .def = "95",
     .doc = "How many of a hundred points are to be between yhat_lower and yhat_upper."},
    {.name = "no-seasons",
     .type = TT_OPTION_FLAG,
     .doc = "Learn neither days nor weeks; else those of which the series has seen two."},
    {.name = "plot",
     .argument = "FILE.svg",
     .type = TT_OPTION_FILE,
     .doc = "Draw the end of the series and the forecast."},
    {.name = "json", .type = TT_OPTION_FLAG, .doc = "Write one JSON object a line instead of CSV."},
};

extern const struct tt_command tt_command_forecast;
const struct tt_command tt_command_forecast = {
    .name = "forecast",
    .summary = "Say what a series will be, and between which bounds.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Writes CSV with the columns ds, y, yhat, yhat_lower, yhat_upper: for each point of the file what was expected of it one step before, then the steps after its last point, whose y is empty. "
        "Bounds keep their share by adaptive conformal prediction, also when the series changes.",
    .run = forecast,
};
