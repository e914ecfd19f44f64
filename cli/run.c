/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/thread.h"
#include "cli/account.h"
#include "cli/load.h"
#include "cli/self_metrics.h"
#include "pipeline/service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { MAX_REPORT = 1 << 20 };

struct run {
    const struct tt_args *args;
    struct tt_log_sink sink;
    struct tt_log log;
    struct tt_service *service;
    struct tt_self_metrics *metrics;
    int signal_fd, fatal_fd;
};

/* ---- signals ---- */

static void handled_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGQUIT);
    sigaddset(set, SIGHUP);
}

static enum tt_status open_signals(struct run *run, struct tt_error *err)
{
    sigset_t set;

    handled_signals(&set);
    (void)signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return tt_fail(err, TT_INTERNAL, "block signals");
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (run->signal_fd < 0)
        return tt_fail_errno(err, "open a signal descriptor");
    run->fatal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (run->fatal_fd < 0)
        return tt_fail_errno(err, "open an event descriptor");
    return TT_OK;
}

static void close_signals(struct run *run)
{
    if (run->signal_fd >= 0)
        (void)close(run->signal_fd);
    if (run->fatal_fd >= 0)
        (void)close(run->fatal_fd);
}

/* While the service stops, another signal ends the process at once. */
static void let_signals_kill(void)
{
    sigset_t set;

    handled_signals(&set);
    (void)signal(SIGHUP, SIG_IGN);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void wake_main(void *context)
{
    const struct run *run = context;
    uint64_t one = 1;

    /* It can only fail when it was written already. */
    if (write(run->fatal_fd, &one, sizeof(one)) < 0)
        return;
}

/* Returns the signal, or 0 when a component ended the run. */
static int wait_for_signal(const struct run *run)
{
    struct pollfd fds[] = {{.fd = run->signal_fd, .events = POLLIN},
                           {.fd = run->fatal_fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    for (;;) {
        if (poll(fds, TT_LENGTH(fds), -1) < 0 && errno != EINTR)
            return SIGTERM;
        if ((fds[1].revents & POLLIN) != 0)
            return 0;
        if ((fds[0].revents & POLLIN) != 0 &&
            read(run->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
            return (int)info.ssi_signo;
    }
}

/* ---- reload ---- */

static void apply(struct run *run, struct tt_settings *next)
{
    struct tt_diags diags;
    struct tt_error err = {.status = TT_OK};
    size_t changed = 0;

    tt_diags_init(&diags);
    if (tt_service_reload(run->service, next, &diags, &changed, &err) == TT_OK)
        tt_log_info(&run->log, "Config updated", TT_FIELD_INT("changed_options", changed));
    else
        tt_log_error(&run->log, "Reload refused: the running configuration stays",
                     TT_FIELD_ERROR(&err));
    tt_load_report(&diags);
    tt_diags_done(&diags);
    if (changed == 0)
        tt_settings_free(next);
}

static void reload(struct run *run)
{
    struct tt_settings *next = tt_load_settings(run->args);

    if (next != NULL)
        apply(run, next);
    else
        tt_log_error(&run->log, "The new configuration is wrong: the running one stays");
}

/* ---- start and stop ---- */

static enum tt_status start(struct run *run, struct tt_settings *settings, struct tt_error *err)
{
    struct tt_service_options options = {
        .clock = tt_clock_system(),
        .sink = &run->sink,
        .version = TT_VERSION,
        .on_fatal = wake_main,
        .on_fatal_context = run,
    };
    enum tt_status status = tt_service_new(&options, settings, &run->service, err);

    if (status == TT_OK)
        status = tt_self_metrics_start(run->service, &run->log, &run->metrics, err);
    if (status == TT_OK)
        status = tt_service_start(run->service, err);
    return status;
}

static tt_dur shutdown_deadline(const struct run *run)
{
    return tt_clock_monotonic(tt_clock_system()) +
           tt_service_settings(run->service)->service.shutdown_timeout;
}

static void print_account(struct run *run)
{
    struct tt_buffer text;
    struct tt_error err;

    tt_buffer_init(&text, MAX_REPORT);
    tt_account_print(run->service, &text);
    if (tt_write_all(STDERR_FILENO, tt_buffer_view(&text), &err) != TT_OK)
        (void)tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_buffer_done(&text);
}

static int stop(struct run *run)
{
    struct tt_error err = {.status = TT_OK};
    tt_dur deadline = shutdown_deadline(run);
    int code = TT_EXIT_DONE;

    let_signals_kill();
    if (tt_service_shutdown(run->service, deadline, &err) != TT_OK)
        code = tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_self_metrics_stop(TT_TAKE(run->metrics), deadline);
    print_account(run);
    if (tt_service_has_failed(run->service, &err))
        code = tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    if (tt_args_flag(run->args, "require-labels") && !tt_account_has_labels(run->service))
        code = tt_cli_fail(TT_EXIT_FAILED, "--require-labels: no data carried evidence of a label");
    return code;
}

static int wait_and_stop(struct run *run)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGQUIT, "SIGQUIT"}, {SIGHUP, "SIGHUP"}};

    for (;;) {
        int number = wait_for_signal(run);
        for (size_t i = 0; i < TT_LENGTH(names); i++)
            if (names[i].number == number)
                tt_log_info(&run->log, "Received signal from OS",
                            TT_FIELD_TEXT("signal", names[i].name));
        if (number != SIGHUP)
            return stop(run);
        reload(run);
    }
}

static int run_settings(struct run *run, struct tt_settings *settings)
{
    struct tt_error err = {.status = TT_OK};
    enum tt_status status = open_signals(run, &err);
    int code;

    if (status == TT_OK)
        status = start(run, settings, &err);
    else
        tt_settings_free(settings);
    code = status == TT_OK ? wait_and_stop(run) : tt_cli_fail(TT_EXIT_FAILED, "%s", err.message);
    tt_self_metrics_stop(run->metrics, 0);
    tt_service_free(run->service);
    close_signals(run);
    return code;
}

static int run_command(const struct tt_args *args)
{
    struct run run = {.args = args, .signal_fd = -1, .fatal_fd = -1};
    struct tt_settings *settings = tt_load_settings(args);

    if (settings == NULL)
        return TT_EXIT_USAGE;
    run.sink = (struct tt_log_sink){
        .fd = STDERR_FILENO,
        .level = (enum tt_log_level)settings->service.telemetry.logs.level,
        .encoding = (enum tt_log_encoding)settings->service.telemetry.logs.encoding,
        .clock = tt_clock_system(),
    };
    run.log = (struct tt_log){.sink = &run.sink};
    return run_settings(&run, settings);
}

static const struct tt_option options[] = {
    TT_CONFIG_OPTION,
    TT_SET_OPTION,
    {.name = "require-labels",
     .type = TT_OPTION_FLAG,
     .doc = "Exit with 1 when nothing that was received carried evidence of a label."},
};

extern const struct tt_command tt_command_run;
const struct tt_command tt_command_run = {
    .name = "run",
    .summary = "Run the pipelines of a configuration until SIGTERM or SIGINT.",
    .options = options,
    .n_options = TT_LENGTH(options),
    .details =
        "Logs on standard error. SIGTERM, SIGINT and SIGQUIT stop in order within service.shutdown_timeout and print what "
        "became of the data; a second one ends the program at once. SIGHUP reads the configuration again and "
        "applies what may change while running, all or nothing.",
    .run = run_command,
};
