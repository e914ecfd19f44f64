/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TT_CLI_REPORT_HTML_H
#define TT_CLI_REPORT_HTML_H

/*
 * The parts of the report's page. The page is one file: no script, nothing from elsewhere, its policy forbids both. Text from outside
 * only goes through html_text() or the charts, which escape it. Threads: one. Limits: 64 MiB in all; rows of tables as said there.
 */

#include "cli/chart.h"
#include "cli/report.h"

#define HTML_MAX_TEXT ((size_t)120) /* characters shown of a text from outside */

/* A string literal as it is. */
#define html_raw(out, literal) tt_buffer_append_str((out), TT_STR(literal))
/* Text, escaped and cut. */
static inline void html_text(struct tt_buffer *out, struct tt_str text)
{
    tt_chart_put_escaped(out, text, HTML_MAX_TEXT);
}
/* A sentence of ours, which may quote text from outside. */
static inline void html_sentence(struct tt_buffer *out, struct tt_str text)
{
    tt_chart_put_escaped(out, text, 2000);
}
void html_count(struct tt_buffer *out, uint64_t value); /* 1,234,567 */
void html_duration(struct tt_buffer *out, double ns);   /* three digits: "1.25ms"; "–" for NaN */
void html_percent(struct tt_buffer *out,
                  double share); /* "12.3 %", with as many decimals as it needs */
/* A name that may be broken behind its underscores. */
void html_breakable(struct tt_buffer *out, struct tt_str name);
/* "1m20s", for lengths of a run. */
void html_length(struct tt_buffer *out, double ns);
void html_open_section(struct tt_buffer *out, const char *id, const char *title);
void html_close_section(struct tt_buffer *out);

void html_style(struct tt_buffer *out); /* report_html_style.c */

/* report_html_charts.c */
void html_chart_classes(struct tt_report *report, struct tt_buffer *out);
void html_chart_timeline(struct tt_report *report, struct tt_buffer *out);
void html_chart_durations(struct tt_report *report, struct tt_buffer *out);
void html_chart_effects(struct tt_report *report, struct tt_buffer *out);
void html_chart_errors(struct tt_report *report, struct tt_buffer *out);
void html_chart_columns(struct tt_report *report, struct tt_buffer *out);
void html_chart_histogram(struct tt_report *report, struct tt_buffer *out);
void html_chart_roc(struct tt_report *report, struct tt_buffer *out);

/* report_html_tables.c */
void html_table_types(struct tt_report *report, struct tt_buffer *out);
void html_table_faults(struct tt_report *report, struct tt_buffer *out);
void html_table_heat(struct tt_report *report, struct tt_buffer *out);
void html_table_services(struct tt_report *report, struct tt_buffer *out);
void html_table_sdk(struct tt_report *report, struct tt_buffer *out);
void html_table_columns(struct tt_report *report, struct tt_buffer *out);
void html_table_facts(struct tt_report *report, struct tt_buffer *out);

void html_datasheet(struct tt_report *report, struct tt_buffer *out); /* report_html_sheet.c */

#endif
