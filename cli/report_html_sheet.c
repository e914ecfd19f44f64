/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datasheet: the questions that whoever gets a dataset will have, answered where the data know the answer.
 * After T. Gebru, J. Morgenstern, B. Vecchione, J. Wortman Vaughan, H. Wallach, H. Daumé III, K. Crawford, "Datasheets for datasets",
 * Communications of the ACM 64(12), 2021; the wording is ours. Blanks can be typed into before the page is saved or printed.
 */
#include "cli/report_html.h"

static void ask(struct tt_buffer *out, const char *question)
{
    tt_buffer_printf(out, "<dt>%s</dt>\n", question);
}

static void answer(struct tt_buffer *out, struct tt_str text)
{
    html_raw(out, "<dd>");
    html_sentence(out, text);
    html_raw(out, "</dd>\n");
}

static void leave_blank(struct tt_buffer *out, const char *about)
{
    tt_buffer_printf(
        out,
        "<dd class=\"blank\" contenteditable=\"true\" role=\"textbox\" aria-label=\"%s\"></dd>\n",
        about);
}

static void ask_blank(struct tt_buffer *out, const char *question)
{
    ask(out, question);
    leave_blank(out, question);
}

static void open_part(struct tt_buffer *out, const char *title)
{
    tt_buffer_printf(out, "<h3>%s</h3>\n<dl class=\"sheet\">\n", title);
}

static void close_part(struct tt_buffer *out)
{
    html_raw(out, "</dl>\n");
}

static const char *count(struct tt_report *report, uint64_t value)
{
    return tt_report_count(report, value);
}

static const struct tt_report_check *check_named(const struct tt_report *report, const char *id)
{
    for (size_t i = 0; i < report->n_checks; i++)
        if (strcmp(report->checks[i].id, id) == 0)
            return &report->checks[i];
    return NULL;
}

static void answer_check(const struct tt_report *report, const char *id, struct tt_buffer *out)
{
    const struct tt_report_check *check = check_named(report, id);

    if (check != NULL)
        answer(out, check->finding);
}

static struct tt_str fact(const struct tt_report *report, const char *name)
{
    for (size_t i = 0; i < report->n_facts; i++)
        if (tt_str_equal(report->facts[i].name, tt_str(name)))
            return report->facts[i].value;
    return TT_STR("not said");
}

/* ---- what it is ---- */

static void put_composition(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;

    open_part(out, "What it is made of");
    ask(out, "What does a row stand for?");
    answer(
        out,
        TT_STR(
            "One span: one operation of one service in one request. Rows of a trace belong together and share their "
            "label. Metric points and log records are in files of their own."));
    ask(out, "How many are there?");
    answer(out,
           tt_report_text(
               report, "%s spans of %s traces and %zu services; %s metric points, %s log records.",
               count(report, stats->spans.spans), count(report, stats->spans.traces),
               stats->services.count, count(report, stats->rows[1]),
               count(report, stats->rows[2])));
    ask(out, "What are the labels, and who gave them?");
    answer_check(report, "classes", out);
    answer_check(report, "labels", out);
    ask(out, "Is it everything that happened, or a part?");
    answer_check(report, "traces", out);
    answer_check(report, "sdk", out);
    ask(out, "Which errors, noise and repetitions are known?");
    answer_check(report, "duplicates", out);
    answer_check(report, "clocks", out);
    answer_check(report, "consistent", out);
    answer_check(report, "bystanders", out);
    ask(out, "How should it be split?");
    answer(
        out,
        TT_STR(
            "By trace, or by block of time; never by row. This report holds three traces in ten out by a hash of the "
            "trace id (docs/datasets.md), which everybody can repeat."));
    close_part(out);
}

static void put_privacy(struct tt_report *report, struct tt_buffer *out)
{
    static const char *const columns[] = {"http_target", "client_address", "network_peer_address",
                                          "server_address"};
    struct tt_str names = TT_STR("");
    const struct tt_columns *all = report->stats->columns;

    for (size_t i = 0; i < TT_LENGTH(columns); i++)
        for (size_t k = 0; k < tt_columns_count(all); k++)
            if (tt_str_equal(tt_columns_at(all, k)->name, tt_str(columns[i])) &&
                tt_columns_at(all, k)->filled > 0)
                names = tt_report_text(report, "%.*s%s%s", TT_STR_ARG(names),
                                       names.len == 0 ? "" : ", ", columns[i]);
    ask(out, "May it hold secrets, or data about people?");
    if (names.len > 0)
        answer(out, tt_report_text(
                        report,
                        "Look at %.*s: addresses, paths and queries are as the services sent them.",
                        TT_STR_ARG(names)));
    leave_blank(out, "May it hold secrets, or data about people?");
}

static void put_collection(struct tt_report *report, struct tt_buffer *out)
{
    const struct tt_stats *stats = report->stats;
    char first[32] = "?", last[32] = "?";

    if (stats->first_ns <= stats->last_ns) {
        (void)tt_time_format(stats->first_ns, 0, first);
        (void)tt_time_format(stats->last_ns, 0, last);
    }
    open_part(out, "How it was recorded");
    ask(out, "With what, and when?");
    answer(out, tt_report_text(report,
                               "OpenTelemetry spans, from %s to %s, %s; load: k6 %.*s, seed %.*s.",
                               first, last, fact(report, "written by").data,
                               TT_STR_ARG(fact(report, "k6")), TT_STR_ARG(fact(report, "seed"))));
    ask(out, "What was broken, and how often?");
    answer_check(report, "faults", out);
    answer_check(report, "repeats", out);
    ask_blank(out, "On which system, by whom, and who had to agree?");
    close_part(out);
    open_part(out, "What was done to it");
    ask(out, "How were rows changed before they were written?");
    answer(
        out,
        TT_STR(
            "A label that one span of a trace brought was given to all its spans; nothing was sampled, smoothed or "
            "imputed by the program that wrote the files. Empty cells were never sent."));
    ask_blank(out, "Was anything changed afterwards, and are the raw lines kept?");
    close_part(out);
}

static void put_use(struct tt_report *report, struct tt_buffer *out)
{
    open_part(out, "What it is good for");
    ask(out, "What may a model learn here that is not the fault?");
    answer_check(report, "time", out);
    answer_check(report, "leaks", out);
    answer_check(report, "trivial", out);
    ask_blank(out, "What has it been used for, and with which results?");
    ask_blank(out, "What should nobody use it for?");
    close_part(out);
}

void html_datasheet(struct tt_report *report, struct tt_buffer *out)
{
    html_raw(
        out,
        "<p class=\"note\">The questions that whoever gets this dataset will have. What the data know is answered; the boxes are "
        "for you: type into them, then print or save the page.</p>\n");
    open_part(out, "Why it exists");
    ask_blank(out, "What was it recorded for, and who paid for it?");
    close_part(out);
    put_composition(report, out);
    html_raw(out, "<dl class=\"sheet\">\n");
    put_privacy(report, out);
    html_raw(out, "</dl>\n");
    put_collection(report, out);
    put_use(report, out);
    open_part(out, "Who has it, and who keeps it");
    ask_blank(out, "Under which licence is it given away, and to whom?");
    ask_blank(out, "Who answers questions, mends errors, and says so?");
    close_part(out);
}
